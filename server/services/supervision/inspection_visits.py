"""Visits: what an inspection found at one organisation, and what has to be put right (GZ-51)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal, Unmet
from server.models.organisations import Organisation
from server.models.supervision import (
    Inspection,
    InspectionFinding,
    InspectionVisit,
    RectificationTask,
)
from server.programme.model import Programme
from server.programme.review import Sampled
from server.programme.vocabulary import Actor as Role
from server.programme.vocabulary import Party
from server.rules.deadlines import day_of, end_of
from server.rules.sampling import SampleOutcome
from server.rules.sanctions import sanction_of
from server.rules.supervision import (
    EntryTone,
    InspectionKind,
    Item,
    ServiceEntryKind,
    VisitStatus,
    unanswered,
)
from server.services import access, outbox
from server.services.access import Actor, NotFound
from server.services.files.files import keep_files
from server.services.organisations import service_files
from server.services.reviews.sampling_results import Answered, write_back
from server.services.supervision.inspections import Inspections, NotHeldByYou, require_open
from server.services.supervision.supervision_book import (
    SupervisionMovedOn,
    files_of,
    note,
    require_impartial,
    require_words,
    roles_in_words,
)

REFUSES = "refuses_supervision"
"""How the texts call the ground of not letting oneself be inspected (GX-81, YC-31)."""
MOST_FINDINGS = 50


class VisitIncomplete(Refusal):
    """Items of the checklist without an answer, or wrong ones without a finding; ``unmet`` names each."""

    status, code = 422, "visit_incomplete"


class VisitMade(Refusal):
    """The visit was made and recorded; what it found stands."""

    status, code = 409, "visit_made"


class DayImpossible(Refusal):
    """A visit that is not yet over, or a deadline that is."""

    status, code = 422, "supervision_day_impossible"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What somebody saw of one item."""

    right: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One thing that is not right. ``due_on`` is the last day to put it right; ``None``: the house's time."""

    item: str
    says: str
    serious: bool = False
    file_ids: tuple[int, ...] = ()
    wanted: str = ""
    due_on: date | None = None


class InspectionVisits:
    """The verbs that record visits."""

    def __init__(self, inspections: Inspections) -> None:
        self.inspections = inspections
        self.book = inspections.book

    async def record(
        self,
        visit_id: int,
        *,
        answers: Mapping[str, Answer],
        seen: Sequence[Seen],
        opinion: str,
        file_ids: Sequence[int] = (),
        visited_on: date,
        version: int,
        actor: Actor,
    ) -> InspectionVisit:
        """Record a visit once, with everything it found; what is to be put right is asked for at once.

        Raises ``NotFound``, ``NotHeldByYou``, ``InspectionOver``, ``OwnReview``, :class:`VisitMade`,
        :class:`VisitIncomplete`, :class:`DayImpossible`, ``FilesUnknown``, ``SupervisionMovedOn``.
        """
        visit, inspection, programme = await self._to_record(visit_id, actor)
        now = self.book.now(programme.slug)
        missing = _missing(inspection, answers, seen)
        if missing:
            raise VisitIncomplete(clause=inspection.clause, unmet=missing, count=len(missing))
        today = day_of(now)
        if visited_on > today or any(one.due_on is not None and one.due_on < today for one in seen):
            raise DayImpossible(today=today.isoformat())
        files = await files_of(file_ids, actor=actor)
        pictures = {place: await files_of(one.file_ids, actor=actor) for place, one in enumerate(seen)}
        async with in_transaction():
            await self._end(
                visit,
                version,
                actor,
                now,
                status=VisitStatus.DONE,
                answers={code: {"right": one.right, "note": one.note} for code, one in answers.items()},
                opinion=opinion.strip(),
                files=[one.id for one in files],
                visited_on=visited_on,
            )
            await keep_files(files, f"inspection_visit:{visit.id}", "visit", programme=programme, now=now)
            for place, one in enumerate(seen):
                found = await InspectionFinding.create(
                    visit_id=visit.id,
                    item=one.item,
                    says=one.says.strip(),
                    serious=one.serious,
                    files=[file.id for file in pictures[place]],
                    found_by=actor.id,
                    found_at=now,
                )
                subject = f"inspection_visit:{visit.id}"
                await keep_files(pictures[place], subject, one.item, programme=programme, now=now)
                if one.wanted.strip():
                    await self._ask(found, visit, one, programme, now=now)
            await self._to_file(visit, inspection, programme, found=len(seen), now=now)
            outcome = SampleOutcome.FINDING if seen else SampleOutcome.CLEAN
            words = texts.LIST.join(one.says.strip() for one in seen) or opinion.strip()
            await self._write_back(visit, inspection, outcome, words, actor=actor, now=now)
            await note(
                "inspection.visited",
                f"organisation:{visit.organisation_id}",
                actor=actor,
                now=now,
                programme_slug=programme.slug,
                visit=visit.id,
                found=len(seen),
                serious=sum(one.serious for one in seen),
            )
        return await InspectionVisit.get(id=visit.id)

    async def refuse(
        self, visit_id: int, *, words: str, file_ids: Sequence[int] = (), version: int, actor: Actor
    ) -> InspectionVisit:
        """Record that an organisation would not be inspected, which is a ground of the text (GX-81, YC-31).

        Raises what :meth:`record` raises, and ``WordsMissing``.
        """
        visit, inspection, programme = await self._to_record(visit_id, actor)
        says, now = require_words(words), self.book.now(programme.slug)
        files = await files_of(file_ids, actor=actor)
        sanction = sanction_of(programme, REFUSES, visit.party)
        async with in_transaction():
            await self._end(
                visit,
                version,
                actor,
                now,
                status=VisitStatus.REFUSED,
                opinion=says,
                files=[one.id for one in files],
                visited_on=day_of(now),
            )
            await keep_files(files, f"inspection_visit:{visit.id}", "refusal", programme=programme, now=now)
            if visit.party is Party.PROVIDER:
                await service_files.note(
                    ServiceEntryKind.INSPECTION,
                    "refused",
                    f"inspection_visit:{visit.id}",
                    provider_id=visit.organisation_id,
                    programme=programme,
                    tone=EntryTone.BAD,
                    at=now,
                    clause=inspection.clause if sanction is None else sanction.article,
                    title=inspection.title,
                )
            # Not to let oneself be looked at is a finding by itself (GX-81, YC-31).
            await self._write_back(visit, inspection, SampleOutcome.FINDING, says, actor=actor, now=now)
            await note(
                "inspection.refused",
                f"organisation:{visit.organisation_id}",
                actor=actor,
                now=now,
                programme_slug=programme.slug,
                visit=visit.id,
                reason=says,
            )
            await outbox.tell(
                outbox.team(Role.AUTHORITY, programme.slug),
                "inspection.refused",
                at=now,
                inspection=inspection.id,
                programme=programme.slug,
                title=inspection.title,
                name=(await Organisation.get(id=visit.organisation_id)).name,
                clause="" if sanction is None else sanction.article,
            )
        return await InspectionVisit.get(id=visit.id)

    # ------------------------------------------------------------------------------------------------

    async def _to_record(self, visit_id: int, actor: Actor) -> tuple[InspectionVisit, Inspection, Programme]:
        visit = await InspectionVisit.get_or_none(id=visit_id).select_related("organisation")
        if visit is None:
            raise NotFound()
        inspection, programme = await self.inspections.of(visit.inspection_id, actor=actor)
        access.require_area(actor, visit.organisation.area)
        if actor.roles.isdisjoint(inspection.held_by):
            raise NotHeldByYou(clause=inspection.clause, names=roles_in_words(inspection.held_by))
        await require_impartial(actor, [visit.organisation])
        require_open(inspection)
        if visit.status is not VisitStatus.PLANNED:
            raise VisitMade(clause=inspection.clause)
        return visit, inspection, programme

    async def _end(
        self, visit: InspectionVisit, version: int, actor: Actor, now: datetime, **columns: object
    ) -> None:
        # The WHERE clause is the lock: a visit is recorded once.
        changed = await InspectionVisit.filter(
            id=visit.id, version=version, status=VisitStatus.PLANNED
        ).update(version=version + 1, inspector_id=actor.id, recorded_at=now, **columns)
        if not changed:
            raise SupervisionMovedOn()

    async def _ask(
        self,
        found: InspectionFinding,
        visit: InspectionVisit,
        seen: Seen,
        programme: Programme,
        *,
        now: datetime,
    ) -> None:
        days = self.inspections.defaults.rectification_natural_days
        due_on = seen.due_on or day_of(now) + timedelta(days=days)
        task = await RectificationTask.create(
            finding_id=found.id,
            organisation_id=visit.organisation_id,
            programme_slug=programme.slug,
            wanted=seen.wanted.strip(),
            due_at=end_of(due_on),
        )
        await outbox.tell(
            f"organisation:{visit.organisation_id}",
            "rectification.asked",
            at=now,
            rectification=task.id,
            programme=programme.slug,
            wanted=task.wanted,
            day=due_on.isoformat(),
        )

    async def _write_back(
        self,
        visit: InspectionVisit,
        inspection: Inspection,
        outcome: SampleOutcome,
        words: str,
        *,
        actor: Actor,
        now: datetime,
    ) -> None:
        """The line of the draw that a visit was made for knows what it came to."""
        rows = {
            Sampled.ORDER: visit.order_id,
            Sampled.PROVIDER: visit.organisation_id,
            Sampled.ENTERPRISE: visit.organisation_id,
        }
        note = texts.VISIT_NOTED.format(number=inspection.number, words=words)
        said = Answered(outcome=outcome, method=texts.VISIT_METHOD, note=note)
        await write_back(inspection.draw_id, rows, said, actor=actor, now=now)

    async def _to_file(
        self,
        visit: InspectionVisit,
        inspection: Inspection,
        programme: Programme,
        *,
        found: int,
        now: datetime,
    ) -> None:
        if visit.party is not Party.PROVIDER:
            return
        is_commitment = inspection.kind is InspectionKind.COMMITMENT
        await service_files.note(
            ServiceEntryKind.COMMITMENT if is_commitment else ServiceEntryKind.INSPECTION,
            "commitment" if is_commitment else "inspected",
            f"inspection_visit:{visit.id}",
            provider_id=visit.organisation_id,
            programme=programme,
            tone=EntryTone.BAD if found else EntryTone.GOOD,
            at=now,
            clause=inspection.clause,
            title=inspection.title,
            found=found,
        )


def _missing(inspection: Inspection, answers: Mapping[str, Answer], seen: Sequence[Seen]) -> list[Unmet]:
    """Items nobody answered, wrong ones without a finding, findings that belong to no wrong item."""
    items = [Item(one["code"], one["says"]) for one in inspection.items]
    says, clause = texts.VISIT_MISSING, inspection.clause
    missing = [Unmet("item", clause, says["answer"].format(item=one)) for one in unanswered(items, answers)]
    named = {item.code: item.says for item in items}
    wrong = {code for code, one in answers.items() if not one.right and code in named}
    found = {one.item for one in seen if one.says.strip()}
    missing += [
        Unmet("finding", clause, says["finding"].format(item=named[one])) for one in sorted(wrong - found)
    ]
    missing += [
        Unmet("stray", clause, says["stray"].format(item=one.item)) for one in seen if one.item not in wrong
    ]
    if len(seen) > MOST_FINDINGS:
        missing.append(Unmet("findings", clause, says["many"].format(most=MOST_FINDINGS)))
    return missing
