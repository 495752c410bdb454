"""The passage of a case through its chain: from one decision to the next turn, or to the end.

Everything here happens inside the transaction of whoever moves the case. Steps of the software decide
themselves on the way; a public notice is put up by itself, and ended by the clock.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from tortoise.transactions import in_transaction

from server import texts
from server.models.reviews import NO_DEADLINE_MS, ReviewCase, ReviewDecision, ReviewObjection
from server.programme.holidays import WorkingCalendar
from server.programme.review import ReviewKind, ReviewStep, ReviewWhen
from server.programme.vocabulary import Actor as Role
from server.rules.public_notices import GATHERED
from server.rules.review import (
    EVERYWHERE,
    FINAL,
    Case,
    CaseStatus,
    Check,
    Decision,
    Record,
    Verdict,
    awaits_draw,
    is_refused,
    next_place,
)
from server.services import journal, outbox
from server.services.access import Actor
from server.services.afterwards import After
from server.services.reviews import notice_book
from server.services.reviews.review_cases import Copied, copied, deadline, number_of, state_of
from server.services.reviews.reviewed import Reviewed
from server.services.reviews.reviewers import Reviewer

AT_REST: dict[str, Any] = {
    "turn": None,
    "claimed_by": None,
    "claimed_at": None,
    "due_at": None,
    "due_provisional": False,
    "notice_until": None,
    "rank_ms": NO_DEADLINE_MS,
}
"""The columns of a case that is nobody's turn."""
BY_ITSELF = (ReviewKind.AUTOMATIC, ReviewKind.PUBLIC_NOTICE)
"""Steps that no person takes."""


class _Undone(Exception):
    """Ends a rehearsal: what it did is rolled back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What somebody, or the software, says of a case at one step."""

    verdict: Verdict
    reviewer: Reviewer | None = None
    recorded_by: str = ""
    """Whoever did elsewhere what is put on record here, as they are called; they did not decide the case."""
    reason: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    extras: Mapping[str, Any] = field(default_factory=dict)
    record: Record = field(default_factory=Record)


@dataclass(slots=True)
class Passage:
    """One case being moved, under its lock. ``afters`` is what is to be awaited after the commit."""

    case: ReviewCase
    kept: Copied
    state: Case
    reviewed: Reviewed
    calendar: WorkingCalendar
    actor: Actor
    now: datetime
    afters: list[After] = field(default_factory=list)

    async def put_down(self, place: int, said: Said) -> None:
        """Write a decision down, with the applicant and the checks as they stand, and count it."""
        step = self.kept.chain.steps[place]
        checks = await self.reviewed.checks(self.case, now=self.now)
        await self._write(place, step, said, checks)

    async def go_on(self) -> None:
        """Let every step of the software decide, and stop at the next turn, a notice, or the end."""
        while (place := next_place(self.kept.chain, self.state)) is not None:
            step = self.kept.chain.steps[place]
            if step.kind is ReviewKind.AUTOMATIC:
                await self._decide_itself(place, step)
                continue
            if awaits_draw(step, self.state):
                await self._await_draw(place, step)
                return
            if self.state.decisions and self._nobody_decides_from(place):
                await self._rehearse_end()
            if step.kind is not ReviewKind.PUBLIC_NOTICE:
                await self._hand_to(place, step)
            elif self.case.subject in GATHERED:
                await notice_book.await_notice(self.case, now=self.now)
                await self._hand_to(place, step)
            else:
                await self._put_up(place, step)
            return
        await self._end()

    async def state_further(self, circumstances: Collection[ReviewWhen]) -> None:
        """Further circumstances: steps that apply only then are now on the way."""
        await self.change(circumstances=sorted({*self.case.circumstances, *circumstances}))
        self.state = replace(self.state, circumstances=self.state.circumstances | set(circumstances))

    async def change(self, **columns: Any) -> None:
        """Change the case's row; its lock is held."""
        await ReviewCase.filter(id=self.case.id).update(**columns)
        self.case = await ReviewCase.get(id=self.case.id)

    async def note(self, action: str, **data: Any) -> None:
        """Say in the journal what was done."""
        await journal.record(
            action,
            f"review:{self.case.id}",
            actor=self.actor.name,
            at=self.now,
            programme_slug=self.case.programme_slug,
            about=f"{self.case.subject.value}:{self.case.subject_id}",
            **data,
        )

    async def tell_applicant(self, topic: str, **data: Any) -> None:
        """Tell whoever asked for the review; a case that staff opened concerns its organisation."""
        organisation_id = self.case.organisation_id
        recipient = self.case.opened_by if organisation_id is None else f"organisation:{organisation_id}"
        if not recipient.startswith("staff:"):
            await self._tell(recipient, topic, **data)

    async def tell_team(self, topic: str, role: Role, **data: Any) -> None:
        """Tell everybody of a role in the case's programme."""
        await self._tell(outbox.team(role, self.case.programme_slug), topic, **data)

    async def _tell(self, recipient: str, topic: str, **data: Any) -> None:
        await outbox.tell(
            recipient,
            topic,
            at=self.now,
            review=self.case.id,
            number=number_of(self.case),
            subject=self.case.subject.value,
            programme=self.case.programme_slug,
            title=self.case.title,
            area=self.case.area,
            provisional=self.case.due_provisional,
            **data,
        )

    def _nobody_decides_from(self, place: int) -> bool:
        """Whether what is still to come only records, announces or waits for objections."""
        applying = self.state.circumstances | EVERYWHERE
        to_come = [step for step in self.kept.chain.steps[place:] if step.when in applying]
        return not any(step.decides and step.kind not in BY_ITSELF for step in to_come)

    async def _rehearse_end(self) -> None:
        """Let the last who decides hear what stands in the way: after them nobody can turn it down.

        The end itself asks again, for what has changed until then.
        """
        try:
            async with in_transaction():  # A savepoint: nothing of it stays.
                await self.reviewed.passed(
                    self.case, extras=await self._extras(), actor=self.actor, now=self.now
                )
                raise _Undone
        except _Undone:
            return

    async def _extras(self) -> dict[str, Any]:
        """What the reviewers of all steps added; with a return, it was of another file."""
        found = ReviewDecision.filter(case_id=self.case.id).exclude(verdict=Verdict.RETURNED)
        rows = await found.order_by("id")
        return {name: value for row in rows for name, value in row.extras.items()}

    async def _decide_itself(self, place: int, step: ReviewStep) -> None:
        checks = await self.reviewed.checks(self.case, now=self.now)
        red = [check for check in checks if not check.met]
        said = Said(
            verdict=Verdict.REJECTED if red else Verdict.APPROVED,
            reason=texts.STEP.join(check.message for check in red),
        )
        await self._write(place, step, said, checks)
        await self.note(f"review.{said.verdict}", place=place, step=step.name, red=[one.code for one in red])

    async def _write(self, place: int, step: ReviewStep, said: Said, checks: Sequence[Check]) -> None:
        reviewer_id = None if said.reviewer is None else said.reviewer.id
        await ReviewDecision.create(
            case_id=self.case.id,
            place=place,
            kind=step.kind,
            step_name=step.name,
            clause=step.article or self.kept.chain.article,
            verdict=said.verdict,
            returns_before=self.state.returned,
            reviewer_id=reviewer_id,
            reviewer_name=said.recorded_by if said.reviewer is None else said.reviewer.name,
            role=step.by if said.reviewer is not None or said.recorded_by else Role.SYSTEM,
            reason=said.reason,
            fields_returned=dict(said.fields),
            extras=dict(said.extras),
            score=said.record.score,
            held_on=said.record.held_on,
            snapshot=await self.reviewed.snapshot(self.case),
            checks=[asdict(check) for check in checks],
            decided_at=self.now,
        )
        name = "" if reviewer_id is None else str(reviewer_id)
        if said.verdict in FINAL:
            taken = Decision(place, name, said.verdict is not Verdict.REJECTED)
            self.state = replace(self.state, decisions=(*self.state.decisions, taken))
        elif reviewer_id is not None:
            self.state = replace(self.state, hands=self.state.hands | {(place, name)})
            if said.verdict is Verdict.OPINION:
                self.state = replace(self.state, voices=self.state.voices | {(place, name)})

    async def _hand_to(self, place: int, step: ReviewStep) -> None:
        due = deadline(step, self.now, self.calendar)
        await self.change(
            **{**AT_REST, **due, "status": CaseStatus.OPEN, "turn": step.by},
            place=place,
            step_name=step.name,
            turn_since=self.now,
        )
        await self.reviewed.arrived(self.case, step, actor=self.actor, now=self.now)
        until = None if due["due_at"] is None else due["due_at"].isoformat()
        await self.tell_team("review.arrived", step.by, step=step.name, until=until)

    async def _await_draw(self, place: int, step: ReviewStep) -> None:
        """Nobody's turn, until the case has been on the list of a draw."""
        await self.change(
            **AT_REST, status=CaseStatus.OPEN, place=place, step_name=step.name, turn_since=self.now
        )
        await self.reviewed.arrived(self.case, step, actor=self.actor, now=self.now)
        await self.note("review.awaits_draw", place=place, step=step.name)

    async def _put_up(self, place: int, step: ReviewStep) -> None:
        """Up by itself, on a notice of its own, which says until when and tells the applicant."""
        await self.change(
            **{**AT_REST, "status": CaseStatus.ON_NOTICE},
            place=place,
            step_name=step.name,
            turn_since=self.now,
        )
        notice = await notice_book.put_up_alone(
            self.case, step, self.kept.notice, now=self.now, calendar=self.calendar
        )
        self.case = await ReviewCase.get(id=self.case.id)
        await self.reviewed.arrived(self.case, step, actor=self.actor, now=self.now)
        await self.note("review.put_up", place=place, step=step.name, notice=notice.id)

    async def _end(self) -> None:
        refused = is_refused(self.kept.chain, self.state)
        status = CaseStatus.REFUSED if refused else CaseStatus.PASSED
        await self.change(**AT_REST, status=status, place=None, step_name="", closed_at=self.now)
        rows = await ReviewDecision.filter(case_id=self.case.id).order_by("id")
        last = rows[-1] if rows else None
        reason = "" if last is None else last.reason
        if refused:
            after = await self.reviewed.refused(self.case, reason=reason, actor=self.actor, now=self.now)
        else:
            after = await self.reviewed.passed(
                self.case, extras=await self._extras(), actor=self.actor, now=self.now
            )
        self.afters.append(after)
        await self.note(f"review.{status}")
        await self.tell_applicant(
            f"review.{status}",
            reason=reason,
            clause=self.kept.chain.article if last is None else last.clause,
            unmet=[] if last is None else [check for check in last.checks if not check["met"]],
        )


async def begin(
    case: ReviewCase, reviewed: Reviewed, *, calendar: WorkingCalendar, actor: Actor, now: datetime
) -> Passage:
    """The passage of a case whose lock is held."""
    return Passage(case, copied(case), await state_of(case), reviewed, calendar, actor, now)


async def answer_by_reconsideration(passage: Passage, said: Said) -> None:
    """A reconsideration answers every objection that is open: upheld where the case is turned down."""
    waiting = ReviewObjection.filter(case_id=passage.case.id, answered_at=None)
    answered = list(await waiting.values_list("id", flat=True))
    await waiting.update(
        answered_at=passage.now,
        answered_by=None if said.reviewer is None else said.reviewer.id,
        upheld=said.verdict is Verdict.REJECTED,
        answer=said.reason,
    )
    passage.state = replace(passage.state, open_objection=False)
    rows = await ReviewObjection.filter(id__in=answered)
    await notice_book.tell_objectors(passage.case, rows, now=passage.now)


def objection_follows_later(passage: Passage) -> bool:
    """Whether a later step of the chain is there to weigh objections: then the notice does not wait."""
    place = passage.case.place
    later = passage.kept.chain.steps[place + 1 :] if place is not None else ()
    return any(step.when is ReviewWhen.OBJECTION for step in later)
