"""Files with an objection: small and few, through the intake of every file, by whoever holds the receipt.

No other door shows them. The authority that answers looks at the safe copy, says why, and the journal has it.
"""

from __future__ import annotations

from collections.abc import AsyncIterable

from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.models.files import StoredFile, Upload
from server.models.public_notices import ObjectionFile
from server.models.reviews import ReviewObjection
from server.services import journal
from server.services.access import Actor, NotFound
from server.services.files.file_safety import require_acceptable, usable_name
from server.services.files.files import ViewReasonMissing
from server.services.files.uploads import Uploads
from server.services.public_notices.objection_answers import ObjectionAnswered, ObjectionAnswers
from server.services.reviews.notice_book import OBJECTOR

MOST_FILES = 3
MOST_BYTES = 5 * 1024 * 1024
MOST_FROM_ONE_ADDRESS = 20
DOOR = "objection_file"


class ObjectionTooManyFiles(Refusal):
    """More files than one objection takes; ``most`` says how many it does."""

    status, code = 422, "objection_too_many_files"


class ObjectionFileTooLarge(Refusal):
    """A file above what this door takes; ``most_megabytes`` says how much it does."""

    status, code = 413, "objection_file_too_large"


class ObjectionFiles:
    """The verbs on what comes with an objection."""

    def __init__(self, answers: ObjectionAnswers, uploads: Uploads) -> None:
        self._answers = answers
        self._objections = answers.objections
        self._uploads = uploads

    async def add(
        self, receipt: str, name: str, content: AsyncIterable[bytes], *, address: str
    ) -> tuple[StoredFile, int]:
        """Add a file to the objection that a receipt is of, until it is answered; the file, and how many now.

        Raises ``NotFound``, ``ObjectionAnswered``, :class:`ObjectionTooManyFiles`,
        :class:`ObjectionFileTooLarge`, ``TooManyFromHere``, every ``FileRefused``, and whatever refusal
        ``content`` breaks off with.
        """
        followed = await self._objections.follow(receipt)
        objection = followed.objection
        if objection.answered_at is not None:
            raise ObjectionAnswered()
        if followed.files >= MOST_FILES:
            raise ObjectionTooManyFiles(most=MOST_FILES)
        reviews = self._objections.reviews
        slug = followed.case.programme_slug
        now = reviews.clocks.now(slug)
        instant = reviews.clocks.base.now()
        await self._objections.doors.enter(DOOR, address, most=MOST_FROM_ONE_ADDRESS, now=instant)
        taken = await _read(content)
        safe = usable_name(name)
        require_acceptable(reviews.programmes.get(slug), safe, max(len(taken), 1))
        file = await self._uploads.take_whole(safe, taken, slug=slug, sent_by=OBJECTOR, now=now)
        try:
            async with in_transaction():
                # The row's lock: of two that come at once the second counts the first.
                held = await ReviewObjection.filter(id=objection.id, answered_at=None).update(
                    made_by=F("made_by")
                )
                if not held:
                    raise ObjectionAnswered()
                count = await ObjectionFile.filter(objection_id=objection.id).count() + 1
                if count > MOST_FILES:
                    raise ObjectionTooManyFiles(most=MOST_FILES)
                await ObjectionFile.create(objection_id=objection.id, file_id=file.id)
                await journal.record(
                    "objection.file_added",
                    f"review:{objection.case_id}",
                    actor=OBJECTOR,
                    at=now,
                    programme_slug=slug,
                    objection=objection.id,
                    sha256=file.sha256,
                )
        except Refusal:
            async with in_transaction():
                await Upload.filter(file_id=file.id).delete()
                await StoredFile.filter(id=file.id).delete()
            raise
        return file, count

    async def of(self, objection_id: int, *, actor: Actor) -> list[ObjectionFile]:
        """What came with an objection, for the authority that answers.

        Raises ``NotFound``, ``NotYourReview``, ``OwnReview``.
        """
        objection = await self._answers.for_answering(objection_id, actor=actor)
        rows = ObjectionFile.filter(objection_id=objection.id).select_related("file")
        return await rows.order_by("id")

    async def view(
        self, objection_id: int, file_id: int, *, why: str, actor: Actor
    ) -> tuple[StoredFile, bytes]:
        """The safe copy of one; that somebody looked, and why, is in the journal first.

        Raises what :meth:`of` raises, ``ViewReasonMissing``, ``EvidenceDamaged``.
        """
        row = next((one for one in await self.of(objection_id, actor=actor) if one.file_id == file_id), None)
        if row is None:
            raise NotFound()
        if not why.strip():
            raise ViewReasonMissing()
        file: StoredFile = row.file
        objection = await ReviewObjection.get(id=objection_id)
        async with in_transaction():
            await journal.record(
                "objection.file_viewed",
                f"review:{objection.case_id}",
                actor=actor.name,
                at=self._objections.reviews.clocks.now(file.programme_slug),
                programme_slug=file.programme_slug,
                objection=objection_id,
                file=file_id,
                why=why.strip(),
            )
        return file, await self._uploads.evidence.read(file.shown_id)


async def _read(content: AsyncIterable[bytes]) -> bytes:
    taken = bytearray()
    async for piece in content:
        taken += piece
        if len(taken) > MOST_BYTES:
            raise ObjectionFileTooLarge(most_megabytes=MOST_BYTES // 1024**2)
    return bytes(taken)
