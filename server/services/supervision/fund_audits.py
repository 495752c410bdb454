"""Fund audits: self-checks against audits, and the operator's yearly audit with what follows from it.

A self-check that an audit seriously contradicts is a ground of a sanction (GX-80). The yearly audit of the
operator is recorded by one and decided by another: whether its commission goes on (NX-39).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.models.files import StoredFile
from server.models.monitoring import AuditComparison, AuditReport, OperatorAudit
from server.models.organisations import Organisation, Qualification
from server.models.rounds import Budget
from server.programme.model import Programme
from server.programme.supervision import SupervisionDefaults
from server.programme.vocabulary import Actor as Role
from server.programme.vocabulary import Party
from server.rules.audits import arithmetic, compared
from server.rules.sanctions import sanction_of
from server.rules.supervision import (
    AuditKind,
    AuditOpinion,
    CommissionOutcome,
    EntryTone,
    ServiceEntryKind,
)
from server.services import access, outbox
from server.services.access import Actor, NotFound, StaffRole
from server.services.files.files import keep_files, require_own
from server.services.organisations import service_files
from server.services.supervision.supervision_book import (
    DECIDING,
    SUPERVISORS,
    SupervisionBook,
    files_of,
    note,
    require_impartial,
    require_words,
)

DIFFERS = "audit_differs"
"""How the texts call the ground of a self-check that an audit contradicts (GX-80)."""
MOST_FIGURES = 100
RECORDERS = frozenset({StaffRole.INSPECTOR, StaffRole.AUTHORITY, StaffRole.DIVISION, StaffRole.TREASURY})


class FiguresUnusable(Refusal):
    """No figures, or more than anybody compares."""

    status, code = 422, "audit_figures_unusable"


class NothingToCompare(Refusal):
    """A self-check and an audit of the same year are needed."""

    status, code = 409, "audit_nothing_to_compare"


class ComparedAlready(Refusal):
    """These two were compared: what came of it stands."""

    status, code = 409, "audit_compared"


class OperatorAudited(Refusal):
    """The year's audit of the operator is recorded, or decided on."""

    status, code = 409, "operator_audited"


class OwnRecord(Refusal):
    """Whoever recorded it does not decide on it."""

    status, code = 403, "audit_own_record"


class FundAudits:
    """The verbs on self-checks, audits and the operator's commission."""

    def __init__(self, book: SupervisionBook, defaults: SupervisionDefaults) -> None:
        self.book = book
        self.defaults = defaults

    async def self_check(
        self,
        slug: str,
        year: int,
        *,
        party: Party,
        figures: Mapping[str, int],
        words: str,
        file_ids: Sequence[int],
        actor: Actor,
    ) -> AuditReport:
        """An organisation hands in what it found itself. Raises ``NotFound``, :class:`FiguresUnusable`."""
        mine, programme = access.organisation_id_of(actor), self.book.programmes.get(slug)
        if not await Qualification.exists(organisation_id=mine, programme_slug=slug, party=party):
            raise NotFound()
        files = await require_own(list(file_ids), mine, by=actor.name)
        return await self._report(
            programme, year, AuditKind.SELF_CHECK, mine, party, "", figures, words, files, actor
        )

    async def audit(
        self,
        slug: str,
        year: int,
        *,
        organisation_id: int,
        party: Party,
        auditor: str,
        figures: Mapping[str, int],
        words: str,
        file_ids: Sequence[int],
        actor: Actor,
    ) -> AuditReport:
        """Record what an auditor found at an organisation.

        Raises ``NotFound``, ``NotAllowed``, ``OwnReview``, :class:`FiguresUnusable`, ``FilesUnknown``.
        """
        programme = self.book.programme(slug, actor)
        organisation = await Organisation.get_or_none(id=organisation_id)
        if organisation is None:
            raise NotFound()
        await require_impartial(actor, [organisation])
        files = await files_of(file_ids, actor=actor)
        return await self._report(
            programme,
            year,
            AuditKind.AUDIT,
            organisation_id,
            party,
            require_words(auditor),
            figures,
            words,
            files,
            actor,
        )

    async def compare(
        self, slug: str, year: int, organisation_id: int, *, party: Party, actor: Actor
    ) -> AuditComparison:
        """Set the last self-check of a year that came before its last audit against it (GX-80).

        What is handed in once the audit is known is no self-check of it any more.

        Raises ``NotFound``, ``NotAllowed``, ``OwnReview``, :class:`NothingToCompare`,
        :class:`ComparedAlready`.
        """
        programme = self.book.programme(slug, actor)
        reports = AuditReport.filter(
            programme_slug=slug, year=year, organisation_id=organisation_id, party=party
        ).order_by("-id")
        audited = await reports.filter(kind=AuditKind.AUDIT).first()
        if audited is None:
            raise NothingToCompare(year=year)
        said = await reports.filter(kind=AuditKind.SELF_CHECK, id__lt=audited.id).first()
        if said is None:
            raise NothingToCompare(year=year)
        organisation = await Organisation.get(id=organisation_id)
        await require_impartial(actor, [organisation])
        tolerance_bp = self.defaults.audit_tolerance_bp
        lines = compared(said.figures, audited.figures, tolerance_bp)
        serious = sum(line.serious for line in lines)
        sanction = sanction_of(programme, DIFFERS, party)
        clause = ""
        if sanction is not None:
            ground = next(one for one in sanction.grounds if one.code == DIFFERS)
            clause = ground.article or sanction.article
        now = self.book.now(slug)
        try:
            async with in_transaction():
                made = await AuditComparison.create(
                    programme_slug=slug,
                    organisation_id=organisation_id,
                    self_check_id=said.id,
                    audit_id=audited.id,
                    lines=[asdict(line) for line in lines],
                    serious=serious > 0,
                    clause=clause,
                    arithmetic=arithmetic(lines, tolerance_bp),
                    made_by=actor.id,
                    made_at=now,
                )
                if party is Party.PROVIDER and serious:
                    await service_files.note(
                        ServiceEntryKind.AUDIT,
                        "audit",
                        f"audit_comparison:{made.id}",
                        provider_id=organisation_id,
                        programme=programme,
                        tone=EntryTone.BAD,
                        at=now,
                        clause=clause,
                        found=serious,
                    )
                await note(
                    "audit.compared",
                    f"organisation:{organisation_id}",
                    actor=actor,
                    now=now,
                    programme_slug=slug,
                    comparison=made.id,
                    serious=serious,
                )
                if serious:
                    await outbox.tell(
                        outbox.team(Role.AUTHORITY, slug),
                        "audit.differs",
                        at=now,
                        programme=slug,
                        audit_comparison=made.id,
                        name=organisation.name,
                        area=organisation.area,
                        year=year,
                        count=serious,
                        clause=clause,
                    )
        except IntegrityError:
            raise ComparedAlready(year=year) from None
        return made

    async def record_operator(
        self,
        slug: str,
        year: int,
        *,
        auditor: str,
        opinion: AuditOpinion,
        words: str,
        file_ids: Sequence[int],
        actor: Actor,
    ) -> OperatorAudit:
        """Record the year's audit of the operator, beside what the platform's own books say (NX-39).

        Raises ``NotFound``, ``NotAllowed``, ``WordsMissing``, ``FilesUnknown``, :class:`OperatorAudited`.
        """
        programme = self.book.programme(slug, actor, RECORDERS)
        files, now = await files_of(file_ids, actor=actor), self.book.now(slug)
        try:
            async with in_transaction():
                made = await OperatorAudit.create(
                    programme_slug=slug,
                    programme_version=programme.version,
                    year=year,
                    auditor=require_words(auditor),
                    opinion=opinion,
                    words=require_words(words),
                    files=[one.id for one in files],
                    figures=await books_of(slug, year),
                    recorded_by=actor.id,
                    recorded_at=now,
                )
                await keep_files(files, f"operator_audit:{made.id}", "audit", programme=programme, now=now)
                await note(
                    "operator.audited",
                    f"operator_audit:{made.id}",
                    actor=actor,
                    now=now,
                    programme_slug=slug,
                    year=year,
                    opinion=opinion.value,
                )
                await outbox.tell(
                    outbox.team(Role.AUTHORITY, slug),
                    "operator.audited",
                    at=now,
                    programme=slug,
                    operator_audit=made.id,
                    year=year,
                )
        except IntegrityError:
            raise OperatorAudited(clause=programme.records.article, year=year) from None
        return made

    async def decide_operator(
        self,
        audit_id: int,
        outcome: CommissionOutcome,
        *,
        reason: str,
        effective_on: date,
        actor: Actor,
    ) -> OperatorAudit:
        """Say what follows for the operator's commission; the authority, and not whoever recorded it.

        Raises ``NotFound``, ``NotAllowed``, ``WordsMissing``, :class:`OwnRecord`, :class:`OperatorAudited`.
        """
        row = await OperatorAudit.get_or_none(id=audit_id)
        if row is None:
            raise NotFound()
        programme = self.book.programme(row.programme_slug, actor, DECIDING)
        clause = programme.records.article
        if row.recorded_by == actor.id:
            raise OwnRecord(clause=clause)
        why, now = require_words(reason), self.book.now(row.programme_slug)
        async with in_transaction():
            # The WHERE clause is the lock: it is decided once.
            changed = await OperatorAudit.filter(id=row.id, decided_at=None).update(
                consequence=outcome,
                reason=why,
                effective_on=effective_on,
                decided_by=actor.id,
                decided_at=now,
            )
            if not changed:
                raise OperatorAudited(clause=clause, year=row.year)
            await note(
                "operator.commission_decided",
                f"operator_audit:{row.id}",
                actor=actor,
                now=now,
                programme_slug=row.programme_slug,
                outcome=outcome.value,
                reason=why,
                effective_on=effective_on.isoformat(),
            )
            await outbox.tell(
                outbox.team(Role.OPERATOR, row.programme_slug),
                "operator.commission_decided",
                at=now,
                programme=row.programme_slug,
                operator_audit=row.id,
                year=row.year,
                outcome=outcome.value,
                reason=why,
                day=effective_on.isoformat(),
            )
        return await OperatorAudit.get(id=row.id)

    async def _report(
        self,
        programme: Programme,
        year: int,
        kind: AuditKind,
        organisation_id: int,
        party: Party,
        auditor: str,
        figures: Mapping[str, int],
        words: str,
        files: Sequence[StoredFile],
        actor: Actor,
    ) -> AuditReport:
        if not figures or len(figures) > MOST_FIGURES:
            raise FiguresUnusable(most=MOST_FIGURES)
        now = self.book.now(programme.slug)
        async with in_transaction():
            made = await AuditReport.create(
                programme_slug=programme.slug,
                programme_version=programme.version,
                year=year,
                kind=kind,
                organisation_id=organisation_id,
                party=party,
                auditor=auditor,
                figures=dict(figures),
                words=words.strip(),
                files=[one.id for one in files],
                made_by=actor.name,
                made_at=now,
            )
            await keep_files(files, f"audit_report:{made.id}", kind.value, programme=programme, now=now)
            await note(
                "audit.reported",
                f"organisation:{organisation_id}",
                actor=actor,
                now=now,
                programme_slug=programme.slug,
                report=made.id,
                kind=kind.value,
                year=year,
            )
        return made


async def books_of(slug: str, year: int) -> dict[str, int]:
    """What the platform's own books say of a year, fen: the audit is read beside it."""
    budget = await Budget.get_or_none(programme_slug=slug, year=year)
    if budget is None:
        return {}
    names = ("total_fen", "allotted_fen", "committed_fen", "on_file_fen", "fees_fen", "returned_fen")
    return {name: int(getattr(budget, name)) for name in names}


async def reports_of(actor: Actor, slug: str, year: int, organisation_id: int) -> list[AuditReport]:
    """Self-checks and audits of an organisation in a year: its own, or one of the staff's areas.

    Raises ``NotFound``.
    """
    if actor.kind == "person" and actor.organisation_id != organisation_id:
        raise NotFound()
    if actor.kind == "staff":
        access.require_programme(actor, slug)
        organisation = await Organisation.get_or_none(id=organisation_id)
        if organisation is None or actor.roles.isdisjoint(SUPERVISORS | {StaffRole.AUDITOR}):
            raise NotFound()
        access.require_area(actor, organisation.area)
    return await AuditReport.filter(programme_slug=slug, year=year, organisation_id=organisation_id).order_by(
        "id"
    )


async def operator_audits(actor: Actor, *, programme: str = "") -> list[OperatorAudit]:
    """Audits of the operators of the actor's programmes, newest year first."""
    rows = OperatorAudit.filter(access.within_programmes(actor, "programme_slug"))
    if programme:
        rows = rows.filter(programme_slug=programme)
    return await rows.order_by("-year", "id").limit(100)
