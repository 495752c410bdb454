"""Qualifications: where an organisation stands in a programme, and what moves it there.

How a standing comes to be is a matter of its review (``services/admissions/admissions.py``). Every verb here
locks the organisation first and asks the rules about the facts that the lock holds still. Whatever moves an
enterprise's standing settles its entitlements in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.organisations import Organisation, Qualification
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.programme.review import ReviewKind, ReviewSubject
from server.programme.size_classes import SizeStandard
from server.programme.vocabulary import Party
from server.rules.lifecycles import QUALIFICATION_MOVES, QualificationStatus, require_move
from server.rules.review import ReasonMissing
from server.services import access, journal, outbox
from server.services.access import Actor
from server.services.admissions.applicants import snapshot
from server.services.admissions.assessments import Assessment, assess, rules_of
from server.services.afterwards import After
from server.services.clocks import ProgrammeClocks
from server.services.organisations.memberships import lock
from server.services.reviews.reviews import Reviews, ReviewUnderWay
from server.services.rounds.rounds import Rounds, StandingChange

UNDECIDED = {"decided_at": None, "decided_by": None, "reason": ""}
"""What a qualification says while it waits; its earlier decisions stand in the journal."""
SUBJECTS: Mapping[Party, ReviewSubject] = {
    Party.ENTERPRISE: ReviewSubject.ENTERPRISE,
    Party.PROVIDER: ReviewSubject.PROVIDER,
}
"""As what each party is reviewed."""
HELD = (QualificationStatus.APPROVED, QualificationStatus.PENDING)


LABELS_CONFIRMED = "labels_confirmed"
"""What a reviewer adds to a decision: the codes of the labels that were checked on paper."""


class ProgrammeNotRunning(Refusal):
    """The programme does not hold on this day."""

    status, code = 409, "programme_not_running"


class ConditionsUnmet(Refusal):
    """An organisation that does not meet every condition cannot be approved; ``unmet`` names them all."""

    status, code = 409, "conditions_unmet"


class LabelsUnknown(Refusal):
    """Labels that the programme does not know of an organisation."""

    status, code = 422, "labels_unknown"


class RemovedOtherwise(Refusal):
    """The text has several agree before a provider is removed: it is suspended, and its removal proposed."""

    status, code = 409, "removed_otherwise"


class QualificationMovedOn(Refusal):
    """Somebody else decided a moment earlier."""

    status, code = 409, "qualification_moved_on"


def confirmed_labels(programme: Programme, party: Party, extras: Mapping[str, Any]) -> list[str] | None:
    """The labels that were checked on paper; ``None``: nothing is said of any. Raises ``LabelsUnknown``."""
    codes = extras.get(LABELS_CONFIRMED)
    if codes is None:
        return None
    known = {label.code for label in programme.labels if label.of is party}
    said = [str(one) for one in codes] if isinstance(codes, list) else [str(codes)]
    if not isinstance(codes, list) or not known.issuperset(said):
        raise LabelsUnknown(names=texts.LIST.join(sorted({*said} - known)))
    return said


class Qualifications:
    """The verbs on qualifications. Days and instants are those of the programme's clock."""

    def __init__(
        self,
        programmes: Programmes,
        sizes: SizeStandard,
        clocks: ProgrammeClocks,
        rounds: Rounds,
        reviews: Reviews,
    ) -> None:
        self.programmes = programmes
        self.sizes = sizes
        self.clocks = clocks
        self.rounds = rounds
        self.reviews = reviews

    async def eligibility(self, slug: str, party: Party, *, actor: Actor) -> Assessment:
        """What stands between the actor's organisation and the programme, every condition of it.

        What it claims counts as confirmed here: the answer is what an application can hope for.
        """
        return await assess(
            self.programmes.get(slug),
            await access.organisation_of(actor),
            party,
            self.sizes,
            now=self.clocks.now(slug),
            hoping=True,
        )

    async def revoke(self, qualification: Qualification, *, reason: str, actor: Actor) -> Qualification:
        """Withdraw an approval: from this instant nothing more is granted. The organisation may apply again.

        Raises ``ReasonMissing``, :class:`RemovedOtherwise`, ``IllegalMove`` or
        :class:`QualificationMovedOn`.
        """
        if not reason:
            raise ReasonMissing()
        slug = qualification.programme_slug
        chain = self.programmes.version(slug, qualification.programme_version).review(ReviewSubject.REMOVAL)
        if qualification.party is Party.PROVIDER and chain is not None:
            raise RemovedOtherwise(clause=chain.article)
        now = self.clocks.now(slug)
        async with in_transaction():
            organisation = await lock(qualification.organisation_id)
            qualification = await Qualification.get(id=qualification.id)
            require_move(QUALIFICATION_MOVES, qualification.status, QualificationStatus.REVOKED)
            qualification = await move(
                qualification,
                QualificationStatus.REVOKED,
                decided_at=now,
                decided_by=actor.id,
                reason=reason,
            )
            await self.told("qualification.revoked", qualification, actor=actor, now=now)
            changes = await self.settle(organisation, {slug})
        await self.rounds.standing_told(changes)
        return qualification

    async def facts_changed(self, organisation: Organisation, *, actor: Actor) -> list[StandingChange]:
        """Other facts, another judgement: approvals go back to review, what waits is asked anew.

        Called under the organisation's lock, inside the transaction of the change; what it returns is
        for ``Rounds.standing_told`` after that.
        """
        moved: set[str] = set()
        for qualification in await Qualification.filter(organisation_id=organisation.id, status__in=HELD):
            qualification.organisation = organisation
            assessment = await self._judged(qualification, organisation, hoping=True)
            if qualification.status is QualificationStatus.PENDING:
                await move(qualification, QualificationStatus.PENDING, **_state(organisation, assessment))
            elif await self._send_back(qualification, organisation, assessment, actor=actor):
                moved.add(qualification.programme_slug)
        return await self.settle(organisation, moved)

    async def labels_changed(self, organisation: Organisation, *, actor: Actor) -> list[StandingChange]:
        """Lists and papers say something else of an organisation: settle what follows from it.

        An approval that a label stands in the way of now, or that rested on one, goes back to review;
        everything else stays, with the tier that today's labels give. Called like :meth:`facts_changed`.
        """
        moved: set[str] = set()
        for qualification in await Qualification.filter(organisation_id=organisation.id, status__in=HELD):
            qualification.organisation = organisation
            waits = qualification.status is QualificationStatus.PENDING
            assessment = await self._judged(qualification, organisation, hoping=waits)
            rules = rules_of(assessment.programme, qualification.party)
            by_labels = {one.code for one in rules.conditions if one.labels or one.if_labels}
            if waits:
                await move(qualification, QualificationStatus.PENDING, **_state(organisation, assessment))
            elif any(one.code in by_labels for one in assessment.unmet) and await self._send_back(
                qualification, organisation, assessment, actor=actor
            ):
                moved.add(qualification.programme_slug)
        return await self.settle(organisation, moved, others=True)

    async def judge_again(
        self, qualification: Qualification, organisation: Organisation, *, since: datetime, actor: Actor
    ) -> None:
        """An approval that was held up holds again: what changed meanwhile sends it back to review.

        ``since`` is an instant of the programme's clock. Under the organisation's lock; the caller settles.
        """
        assessment = await self._judged(qualification, organisation, hoping=False)
        held_up_at = since - self.clocks.offset(qualification.programme_slug)
        if assessment.unmet or organisation.facts_changed_at > held_up_at:
            await self._send_back(qualification, organisation, assessment, actor=actor)

    async def settle(
        self, organisation: Organisation, slugs: set[str], *, others: bool = False
    ) -> list[StandingChange]:
        """Settle the entitlements in these programmes; with ``others``, wherever it is approved.

        Budgets are locked in the order of the slugs, so that two of these never wait for each other.
        """
        if others:
            approved = Qualification.filter(
                organisation_id=organisation.id, status=QualificationStatus.APPROVED
            )
            slugs = slugs | {one.programme_slug for one in await approved}
        return [
            change
            for slug in sorted(slugs)
            for change in await self.rounds.standing_changed(organisation, slug)
        ]

    def telling(self, changes: Sequence[StandingChange]) -> After:
        """What is to be told once the transaction of the change is in."""
        return partial(self.rounds.standing_told, changes)

    async def told(
        self, action: str, qualification: Qualification, *, actor: Actor, now: datetime, **data: object
    ) -> None:
        """A decision goes into the journal and is explained to whom it concerns."""
        await journal.record(
            action,
            f"qualification:{qualification.id}",
            actor=actor.name,
            at=now,
            programme_slug=qualification.programme_slug,
            organisation=qualification.organisation_id,
            unmet=[one["code"] for one in qualification.unmet],
            reason=qualification.reason,
            **data,
        )
        await outbox.tell(
            f"organisation:{qualification.organisation_id}",
            action,
            at=now,
            qualification=qualification.id,
            party=qualification.party.value,
            programme=qualification.programme_slug,
            reason=qualification.reason,
            unmet=qualification.unmet,
        )

    async def _judged(
        self, qualification: Qualification, organisation: Organisation, *, hoping: bool
    ) -> Assessment:
        slug = qualification.programme_slug
        return await assess(
            self.programmes.version(slug, qualification.programme_version),
            organisation,
            qualification.party,
            self.sizes,
            now=self.clocks.now(slug),
            applied_at=qualification.applied_at,
            hoping=hoping,
        )

    async def _send_back(
        self,
        qualification: Qualification,
        organisation: Organisation,
        assessment: Assessment,
        *,
        actor: Actor,
    ) -> bool:
        """Let an approval be judged again; whether it holds no longer meanwhile.

        Where only the software judges, it does so at once.
        """
        programme, now = assessment.programme, self.clocks.now(qualification.programme_slug)
        subject = SUBJECTS[qualification.party]
        if decides_itself(programme, subject):
            assessment = await self._judged(qualification, organisation, hoping=False)
            state = _state(organisation, assessment)
            if not assessment.unmet:
                await move(qualification, QualificationStatus.APPROVED, **state)
                return False
            qualification = await move(
                qualification,
                QualificationStatus.REVOKED,
                **state,
                decided_at=now,
                decided_by=None,
                reason=texts.STEP.join(one.message for one in assessment.unmet),
            )
            await self.told("qualification.revoked", qualification, actor=actor, now=now)
            return True
        qualification = await move(
            qualification, QualificationStatus.PENDING, **_state(organisation, assessment), **UNDECIDED
        )
        await self.told("qualification.sent_back", qualification, actor=actor, now=now)
        try:
            _, after = await self.reviews.open(
                subject,
                qualification.id,
                programme=programme,
                organisation=organisation,
                title=texts.REGISTRATION_TITLES[qualification.party].format(name=organisation.name),
                actor=actor,
                now=now,
            )
        except ReviewUnderWay:
            return True  # Its renewal is under review, and decides about this too.
        # Somebody will decide, or the software has refused: neither leaves anything to be told afterwards.
        await after()
        return True


def decides_itself(programme: Programme, subject: ReviewSubject) -> bool:
    """Whether nobody but the software decides about this in the programme."""
    chain = programme.review(subject)
    return chain is None or all(step.kind is ReviewKind.AUTOMATIC for step in chain.steps)


async def page(
    actor: Actor,
    *,
    status: QualificationStatus | None,
    slug: str | None,
    after: int,
    limit: int,
) -> list[Qualification]:
    """The next ``limit`` qualifications after an id, with their organisations, oldest first.

    Of the programmes and areas of whoever asks.
    """
    wanted = Qualification.filter(
        access.within_programmes(actor, "programme_slug"),
        access.within_areas(actor, "organisation__area"),
        id__gt=after,
    )
    if status is not None:
        wanted = wanted.filter(status=status)
    if slug is not None:
        wanted = wanted.filter(programme_slug=slug)
    return await wanted.select_related("organisation").order_by("id").limit(limit)


async def of_organisation(organisation_id: int) -> list[Qualification]:
    """Where an organisation stands, one row a programme and party."""
    return (
        await Qualification.filter(organisation_id=organisation_id)
        .select_related("organisation")
        .order_by("programme_slug", "party")
    )


async def move(qualification: Qualification, target: QualificationStatus, **changes: Any) -> Qualification:
    """Move a qualification, with its organisation. Raises :class:`QualificationMovedOn`."""
    # The WHERE clause is the lock: of two racing decisions exactly one matches a row.
    moved = await Qualification.filter(id=qualification.id, status=qualification.status).update(
        status=target, **changes
    )
    if not moved:
        raise QualificationMovedOn()
    return await Qualification.get(id=qualification.id).select_related("organisation")


def _state(organisation: Organisation, assessment: Assessment) -> dict[str, Any]:
    return {"snapshot": snapshot(organisation), "unmet": [asdict(one) for one in assessment.unmet]}
