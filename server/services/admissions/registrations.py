"""Registrations: handing in a form, and everything that was ever handed in with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.organisations import Organisation, Qualification
from server.models.registrations import Registration, Submission
from server.models.reviews import ReviewCase
from server.programme.model import Programme
from server.programme.people import PartyRules
from server.rules.forms import DOCUMENTS, UNDERTAKINGS, changed_keys, mask, names_of
from server.rules.lifecycles import RegistrationStatus
from server.rules.review import CaseStatus
from server.services import access, allowances, journal
from server.services.access import CLOCK, Actor, NotFound
from server.services.admissions import person_bans
from server.services.admissions.admissions import Admissions, open_values, sealed_keys
from server.services.admissions.applicants import day, snapshot
from server.services.admissions.assessments import assess, rules_of
from server.services.admissions.drafts import Drafts, RegistrationUnderReview, moved_on, registration_for
from server.services.admissions.qualifications import SUBJECTS, ProgrammeNotRunning
from server.services.afterwards import After
from server.services.files import files
from server.services.organisations.memberships import lock
from server.services.reviews.reviews import Reviews


class RegistrationIncomplete(Refusal):
    """The form cannot be handed in yet; ``unmet`` names everything missing and wrong, with its clause."""

    status, code = 422, "registration_incomplete"


@dataclass(frozen=True, slots=True)
class HandedIn:
    """What came of handing a form in."""

    qualification: Qualification
    submission: Submission
    case_id: int | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One item that differs between two submissions, as a reviewer sees it."""

    key: str
    name: str
    before: Any
    after: Any


class Registrations:
    """Handing in, and looking at what was handed in. Instants are those of the programme's clock."""

    def __init__(self, drafts: Drafts, admissions: Admissions, reviews: Reviews) -> None:
        self.drafts = drafts
        self.admissions = admissions
        self._reviews = reviews

    async def submit(self, registration_id: int, *, version: int, actor: Actor) -> HandedIn:
        """Hand the form in, as it was saved as ``version``: a standing that waits for its review.

        A chain without people decides at once (GX-25). Raises ``NotFound``, ``DraftMovedOn``,
        ``RegistrationUnderReview``, ``ProgrammeNotRunning``, ``NotOnList``,
        ``OperatorCannotProvide``, ``PersonBarred``, :class:`RegistrationIncomplete`,
        ``FileUnacceptable``, ``FilesUnknown``, ``AlreadyApplied`` and ``TooManyToday``; the draft stays.
        """
        async with in_transaction():
            organisation = await lock(access.organisation_id_of(actor))
            draft = await Registration.get_or_none(id=registration_id, organisation_id=organisation.id)
            if draft is None:
                raise NotFound()
            if draft.status is RegistrationStatus.SUBMITTED:
                raise RegistrationUnderReview()
            if draft.version != version:
                raise await moved_on(draft)
            slug, party = draft.programme_slug, draft.party
            # Under the lock: a form that is still being sent when the time is over is too late.
            programme, now = self.drafts.programmes.get(slug), self.drafts.clocks.now(slug)
            if not programme.covers(day(now)):
                raise ProgrammeNotRunning(clause=programme.validity.article, programme=programme.name)
            await self.drafts.require_admissible(organisation, programme, party, now)
            # Whoever was responsible for a breach comes back with no other organisation (NX-28).
            numbers = [self.drafts.sealer.open(one) for one in draft.sealed.values()]
            await person_bans.require_unbarred(organisation.id, numbers, slug, self.drafts.sealer, now=now)
            earlier = Submission.filter(registration_id=draft.id)
            await allowances.require(earlier, "submitted_at", allowances.SUBMISSIONS, now=now)
            faults = (
                *self.drafts.faults(draft, programme, organisation),
                *self.drafts.missing(draft, programme, organisation),
            )
            if faults:
                raise RegistrationIncomplete(clause=faults[0].clause, unmet=faults, count=len(faults))
            handed_in, after = await self._hand_in(draft, organisation, programme, actor=actor, now=now)
        await after()
        return handed_in

    async def submissions(self, registration_id: int, *, actor: Actor) -> list[Submission]:
        """Everything that was handed in with a form, oldest first."""
        draft = await registration_for(actor, registration_id)
        return await Submission.filter(registration_id=draft.id).order_by("number")

    async def difference(self, registration_id: int, number: int, *, actor: Actor) -> list[Difference]:
        """What a submission changed against the one before; a first one changed everything it says."""
        draft = await registration_for(actor, registration_id)
        after = await Submission.get_or_none(registration_id=draft.id, number=number)
        if after is None:
            raise NotFound()
        before = await Submission.get_or_none(registration_id=draft.id, number=number - 1)
        programme = self.drafts.programmes.version(draft.programme_slug, after.programme_version)
        return list(self._differences(rules_of(programme, draft.party), before, after))

    async def _hand_in(
        self,
        draft: Registration,
        organisation: Organisation,
        programme: Programme,
        *,
        actor: Actor,
        now: datetime,
    ) -> tuple[HandedIn, After]:
        """Keep what is handed in and set its review in motion, inside the transaction."""
        rules = rules_of(programme, draft.party)
        values = {**self.drafts.filled(draft, rules, organisation).values}
        plain = {key: value for key, value in values.items() if key not in sealed_keys(rules)}
        assessment = await assess(
            programme, organisation, draft.party, self.drafts.sizes, now=now, hoping=True, values=plain
        )
        returned = await _returned_case(draft, organisation)
        qualification = await self.admissions.begin(
            organisation, programme, draft.party, assessment, resumed=returned is not None, now=now
        )
        number = 1 + await Submission.filter(registration_id=draft.id).count()
        submission = await Submission.create(
            registration=draft,
            number=number,
            programme_version=programme.version,
            submitted_at=now,
            submitted_by=actor.id,
            facts=snapshot(organisation),
            values=plain,
            sealed=draft.sealed,
            documents=draft.documents,
            undertakings=draft.undertakings,
            unmet=qualification.unmet,
        )
        await _attach(draft, programme, now=now)
        await Registration.filter(id=draft.id).update(
            status=RegistrationStatus.SUBMITTED,
            returned={},
            returned_reason="",
            version=draft.version + 1,
        )
        await journal.record(
            "registration.submitted",
            f"registration:{draft.id}",
            actor=actor.name,
            at=now,
            programme_slug=programme.slug,
            submission=number,
            qualification=qualification.id,
            unmet=[one.code for one in assessment.unmet],
        )
        case, after = await self._reviewed(
            draft, qualification, programme, organisation, returned, actor, now
        )
        qualification = await Qualification.get(id=qualification.id).select_related("organisation")
        return HandedIn(qualification, submission, None if case is None else case.id), after

    async def _reviewed(
        self,
        draft: Registration,
        qualification: Qualification,
        programme: Programme,
        organisation: Organisation,
        returned: ReviewCase | None,
        actor: Actor,
        now: datetime,
    ) -> tuple[ReviewCase | None, After]:
        """Begin the review, or go on with it where it was returned; without a chain decide at once."""
        if returned is not None:
            return returned, await self._reviews.resume(returned, actor=actor, now=now)
        if programme.review(SUBJECTS[draft.party]) is None:
            if qualification.unmet:
                reason = texts.STEP.join(one["message"] for one in qualification.unmet)
                return None, await self.admissions.refuse(qualification.id, reason, actor=CLOCK, now=now)
            return None, await self.admissions.approve(qualification.id, {}, actor=CLOCK, now=now)
        case, after = await self._reviews.open(
            SUBJECTS[draft.party],
            qualification.id,
            programme=programme,
            organisation=organisation,
            title=texts.REGISTRATION_TITLES[draft.party].format(name=organisation.name),
            actor=actor,
            now=now,
        )
        await Registration.filter(id=draft.id).update(case_id=case.id)
        return case, after

    def _differences(
        self, rules: PartyRules, before: Submission | None, after: Submission
    ) -> list[Difference]:
        names = {**names_of(rules), **texts.FACT_NAMES}
        old, new = (self._flat(one) for one in (before, after))
        hidden = {key for form in (before, after) if form is not None for key in form.sealed}
        return [
            Difference(
                key,
                names.get(key, key),
                _masked(old.get(key), key in hidden),
                _masked(new.get(key), key in hidden),
            )
            for key in changed_keys(old, new)
        ]

    def _flat(self, form: Submission | None) -> dict[str, Any]:
        """A submission as items by key. Compared unmasked: two numbers may have one mask."""
        if form is None:
            return {}
        facts = {key: value for key, value in form.facts.items() if key in texts.FACT_NAMES}
        return {
            **facts,
            **open_values(form, self.drafts.sealer),
            **{f"{DOCUMENTS}.{code}": ids for code, ids in form.documents.items()},
            **{f"{UNDERTAKINGS}.{code}": given["hash"] for code, given in form.undertakings.items()},
        }


async def _returned_case(draft: Registration, organisation: Organisation) -> ReviewCase | None:
    """The case that waits for this form's correction."""
    return (
        await ReviewCase.filter(
            organisation_id=organisation.id,
            programme_slug=draft.programme_slug,
            subject=SUBJECTS[draft.party],
            status=CaseStatus.RETURNED,
        )
        .order_by("-id")
        .first()
    )


async def _attach(draft: Registration, programme: Programme, *, now: datetime) -> None:
    """What is handed in is kept for good, document by document."""
    for code, ids in draft.documents.items():
        rows = await files.require_own(ids, draft.organisation_id)
        await files.attach(rows, f"registration:{draft.id}", code, programme=programme, now=now)


def _masked(value: Any, hidden: bool) -> Any:
    return mask(value) if hidden and isinstance(value, str) else value
