"""Files: what was taken, who may see it, and that it was seen.

A person sees the files of their own organisation; staff see what is attached to something they review, or to
a case that is theirs to see (``file_cases.py``), in their programmes and areas. For everybody else a file
does not exist. What is shown is always the safe copy. The original is evidence, and shown to nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tortoise.exceptions import IntegrityError
from tortoise.expressions import Q, Subquery
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal, Unmet
from server.models.complaints import COMPLAINANT, ComplaintFile
from server.models.files import FileAttachment, StoredFile
from server.models.orders import Order
from server.models.organisations import Organisation
from server.models.registrations import Registration
from server.programme.model import Programme
from server.programme.papers import FileRules
from server.programme.registry import Programmes
from server.programme.review import ReviewSubject
from server.rules.eligibility import lies_within
from server.rules.evidence import UploadedFile, file_faults
from server.services import journal
from server.services.access import IN_THE_FILES, Actor, NotFound, organisation_id_of
from server.services.clocks import ProgrammeClocks
from server.services.files.evidence import Evidence
from server.services.files.file_cases import case_of
from server.services.files.file_safety import FileUnacceptable

PAGE = 50
ORDER = "order:"
"""What an order's papers are attached to, before its id."""
REVIEWED_AS: Mapping[str, ReviewSubject] = {
    "contract": ReviewSubject.VOUCHER_REQUEST,
    "offering": ReviewSubject.OFFERING,
    "order": ReviewSubject.SETTLEMENT,
    "settlement_application": ReviewSubject.SETTLEMENT,
}
"""Under which chain the files of each noun are seen."""
SINGLE_PDF = "single_pdf"


class FilesUnknown(NotFound):
    """No such files, or none of the organisation's own; ``ids`` names them."""

    status, code = 404, "files_unknown"


class FileInUse(Refusal):
    """The file was handed in with something, and is evidence now."""

    status, code = 409, "file_in_use"


class ViewReasonMissing(Refusal):
    """Staff say why they look at somebody's papers."""

    status, code = 422, "view_reason_missing"


@dataclass(frozen=True, slots=True)
class FilePage:
    """Some files, and where the next page starts."""

    rows: list[StoredFile]
    next_after: int | None


@dataclass(frozen=True, slots=True)
class Hint:
    """A warning about a photo's quality; never a refusal (GZ-77)."""

    code: str
    message: str


def hints_of(file: StoredFile) -> list[Hint]:
    """The file's warnings in words."""
    return [Hint(code, texts.FILE_HINTS[code]) for code in file.hints]


async def require_own(ids: Sequence[int], organisation_id: int, *, by: str = "") -> list[StoredFile]:
    """The files with these ids, in this order, each of the organisation's own.

    ``by`` names who will read what becomes of them (``person:12``): for them, what a colleague handed in
    with a complaint is unknown. Raises :class:`FilesUnknown` naming every id that is not: unknown or
    another's, nobody is told which.
    """
    rows = StoredFile.filter(id__in=ids, organisation_id=organisation_id)
    owned = {file.id: file for file in await (rows.filter(_untold_to(by)) if by else rows)}
    return _in_order(ids, owned)


async def own_files(ids: Sequence[int], *, actor: Actor) -> list[StoredFile]:
    """The same for whoever asks: a person's organisation's, or what a member of staff uploaded."""
    if actor.kind == "person":
        return await require_own(ids, organisation_id_of(actor), by=actor.name)
    owned = {file.id: file for file in await StoredFile.filter(id__in=ids, uploaded_by=actor.name)}
    return _in_order(ids, owned)


def _in_order(ids: Sequence[int], owned: Mapping[int, StoredFile]) -> list[StoredFile]:
    unknown = [one for one in ids if one not in owned]
    if unknown:
        raise FilesUnknown(ids=texts.LIST.join(str(one) for one in unknown))
    return [owned[one] for one in ids]


async def attach(
    files: Sequence[StoredFile], subject: str, document_code: str, *, programme: Programme, now: datetime
) -> None:
    """Hand files in as one document of ``subject`` (``registration:12``); inside the caller's transaction.

    Together they must keep the programme's file rules: the size of one kind of material, and one PDF
    where several pages must be one (GZ-76, GZ-78). Attaching again what is attached is no fault. Raises
    ``FileUnacceptable``, and :class:`FilesUnknown` for a file that was discarded in the meantime.
    """
    require_material(files, programme)
    await keep_files(files, subject, document_code, programme=programme, now=now)


async def keep_files(
    files: Sequence[StoredFile], subject: str, document_code: str, *, programme: Programme, now: datetime
) -> None:
    """Files handed in with ``subject``, kept for good; inside the caller's transaction.

    They are held to no rules of size and pages: those are about the material of an application, which
    :func:`attach` takes. Raises :class:`FilesUnknown` for a file that was discarded in the meantime.
    """
    for file in files:
        # The row's lock: whoever discards the file now waits, and then finds it attached.
        if not await StoredFile.filter(id=file.id).select_for_update().exists():
            raise FilesUnknown(ids=str(file.id))
        await FileAttachment.get_or_create(
            file_id=file.id,
            subject=subject,
            document_code=document_code,
            defaults={"programme_slug": programme.slug, "attached_at": now},
        )


def require_material(files: Sequence[StoredFile], programme: Programme) -> None:
    """Raise ``FileUnacceptable`` unless these files together may be one material of the programme."""
    faults = {fault.code: fault for fault in _material_faults(files, programme.files)}
    if faults:
        raise FileUnacceptable(
            clause=programme.files.article,
            arithmetic=next((fault.arithmetic for fault in faults.values() if fault.arithmetic), ""),
            unmet=tuple(faults.values()),
            name=texts.LIST.join(file.name for file in files),
            count=len(faults),
        )


def _material_faults(files: Sequence[StoredFile], rules: FileRules) -> Iterator[Unmet]:
    size_bytes = sum(file.size_bytes for file in files)
    for file in files:
        yield from file_faults(rules, UploadedFile(extension=file.extension, size_bytes=size_bytes))
    # Several files are loose pages, be they pictures or PDFs.
    loose = UploadedFile(extension="", size_bytes=0, pages=len(files))
    yield from (fault for fault in file_faults(rules, loose) if fault.code == SINGLE_PDF)


async def of(subject: str) -> dict[str, list[StoredFile]]:
    """The files attached to a subject, by the code of the document, in the order they were handed in."""
    attached: dict[str, list[StoredFile]] = {}
    for one in await FileAttachment.filter(subject=subject).select_related("file").order_by("id"):
        attached.setdefault(one.document_code, []).append(one.file)
    return attached


class Files:
    """The verbs on stored files."""

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks, evidence: Evidence) -> None:
        self._programmes = programmes
        self._clocks = clocks
        self._evidence = evidence

    async def mine(self, *, actor: Actor, after: int = 0) -> FilePage:
        """The files of the actor's organisation, by id. Raises ``NoOrganisation``."""
        owned = StoredFile.filter(organisation_id=organisation_id_of(actor), id__gt=after)
        rows = await owned.filter(_untold_to(actor.name)).order_by("id").limit(PAGE + 1)
        return FilePage(rows[:PAGE], rows[PAGE - 1].id if len(rows) > PAGE else None)

    async def find(self, file_id: int, *, actor: Actor) -> StoredFile:
        """A file the actor may see. Raises ``NotFound`` for every other."""
        file = await StoredFile.get_or_none(id=file_id).select_related("organisation")
        if file is None or not await self._may_see(actor, file):
            raise NotFound()
        return file

    async def view(self, file_id: int, *, actor: Actor, why: str = "") -> tuple[StoredFile, bytes]:
        """The copy that may be shown; that it was seen, by whom and why, is in the journal first.

        Raises ``NotFound``, :class:`ViewReasonMissing`, ``EvidenceDamaged``.
        """
        file = await self.find(file_id, actor=actor)
        if actor.kind == "staff" and not why.strip():
            raise ViewReasonMissing()
        content = await self._evidence.read(file.shown_id)
        async with in_transaction():
            await journal.record(
                "file.viewed",
                f"file:{file.id}",
                actor=actor.name,
                at=self._clocks.now(file.programme_slug),
                programme_slug=file.programme_slug,
                why=why.strip(),
            )
        return file, content

    async def discard(self, file_id: int, *, actor: Actor) -> None:
        """Take back an own file that was not handed in with anything. Raises :class:`FileInUse`."""
        file = await StoredFile.get_or_none(id=file_id, organisation_id=organisation_id_of(actor))
        if file is None or not await self._may_see(actor, file):
            raise NotFound()
        try:
            async with in_transaction():
                # The table's own guard is the lock: a row that an attachment points to stays.
                if not await StoredFile.filter(id=file.id).delete():
                    raise NotFound()
                await journal.record(
                    "file.discarded",
                    f"file:{file.id}",
                    actor=actor.name,
                    at=self._clocks.now(file.programme_slug),
                    programme_slug=file.programme_slug,
                    sha256=file.sha256,
                )
        except IntegrityError:
            raise FileInUse(name=file.name) from None

    async def _may_see(self, actor: Actor, file: StoredFile) -> bool:
        if actor.kind == "person":
            if file.uploaded_by != actor.name and await _told(file):
                return False
            own = file.organisation_id is not None and file.organisation_id == actor.organisation_id
            return own or await _is_side(actor, file)
        if file.uploaded_by == actor.name:
            return True
        owner: Organisation | None = file.organisation
        if owner is not None and actor.areas and not lies_within(owner.area, actor.areas):
            return False
        attached = await FileAttachment.filter(file_id=file.id).values_list("programme_slug", "subject")
        for slug, subject in set(attached):
            if await self._reads(actor, str(slug), str(subject)):
                return True
        return False

    async def _reads(self, actor: Actor, slug: str, subject: str) -> bool:
        """Whether what a file is attached to is read, or reviewed somewhere in its chain, by the actor."""
        if actor.programmes and slug not in actor.programmes:
            return False
        case = await case_of(subject, slug, self._programmes)
        if case is not None:
            return case.seen_by(actor)
        if not actor.roles.isdisjoint(IN_THE_FILES):
            return True
        reviewed = await _reviewed_as(subject)
        chain = None if reviewed is None else self._programmes.get(slug).review(reviewed)
        return chain is not None and not actor.roles.isdisjoint(step.by.value for step in chain.steps)


def _untold_to(name: str) -> Q:
    """Files that somebody may know of: what a colleague handed in with a complaint is the colleague's alone.

    The complaint may be of this very organisation.
    """
    told = Subquery(ComplaintFile.filter(entry__author=COMPLAINANT).values("file_id"))
    return Q(uploaded_by=name) | Q(id__not_in=told)


async def _told(file: StoredFile) -> bool:
    """Whether a file was handed in with a complaint."""
    return await ComplaintFile.filter(file_id=file.id, entry__author=COMPLAINANT).exists()


async def _is_side(actor: Actor, file: StoredFile) -> bool:
    """Whether a file belongs to an order of the actor's organisation: both sides see its papers."""
    subjects = FileAttachment.filter(file_id=file.id, subject__startswith=ORDER)
    orders = [int(str(one).removeprefix(ORDER)) for one in await subjects.values_list("subject", flat=True)]
    if actor.organisation_id is None or not orders:
        return False
    mine = Q(enterprise_id=actor.organisation_id) | Q(provider_id=actor.organisation_id)
    return await Order.filter(mine, id__in=orders).exists()


async def _reviewed_as(subject: str) -> ReviewSubject | None:
    """Under which chain people see what is attached to a subject; ``None``: under none."""
    noun, _, number = subject.partition(":")
    if noun == "registration":
        form = await Registration.get_or_none(id=int(number))
        return None if form is None else ReviewSubject(form.party.value)
    return REVIEWED_AS.get(noun)
