"""Admissions: from a form that was handed in to a standing in the programme, through its review.

One :class:`Admissions` is what the review engine knows of enterprises and of providers alike: a case is
about a qualification, and what was handed in for it is its registration's last submission.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal, Unmet
from server.models.organisations import Organisation, Qualification
from server.models.provider_standing import ProviderGrade
from server.models.registrations import Registration, Submission
from server.models.reviews import ReviewCase
from server.programme.model import Programme
from server.programme.people import PartyRules
from server.programme.vocabulary import Party
from server.rules.approvals import may_renew, next_end
from server.rules.deadlines import day_of
from server.rules.forms import DOCUMENTS, SEALED_KINDS, UNDERTAKINGS, form_fields, keys_of, mask
from server.rules.lifecycles import (
    QUALIFICATION_MOVES,
    QualificationStatus,
    RegistrationStatus,
    require_move,
)
from server.rules.review import Check
from server.rules.supervision import EntryTone, ServiceEntryKind
from server.sealing import Sealer
from server.services.access import Actor
from server.services.admissions import attestations
from server.services.admissions.applicants import snapshot
from server.services.admissions.assessments import Assessment, assess, rules_of
from server.services.admissions.qualifications import (
    UNDECIDED,
    ConditionsUnmet,
    Qualifications,
    confirmed_labels,
    move,
)
from server.services.afterwards import After, nothing
from server.services.organisations import service_files
from server.services.organisations.memberships import lock
from server.services.reviews.reviewed import ArrivesQuietly
from server.services.rounds.entitlements import standing_bans


class AlreadyApplied(Refusal):
    """The application is waiting for its decision, or was approved; ``arithmetic`` says until when."""

    status, code = 409, "already_applied"


class FormItemsUnknown(Refusal):
    """The form of this programme has no such items; ``unmet`` names them."""

    status, code = 422, "form_items_unknown"


class NotReadmitted(Refusal):
    """A provider that was removed, while the ban holds that followed from it (GX-46, LS-43)."""

    status, code = 409, "not_readmitted"


HOLDING_ON = (QualificationStatus.APPROVED, QualificationStatus.SUSPENDED)
"""Standings that a renewal continues: no form lifts a suspension."""


class Admissions(ArrivesQuietly):
    """What follows from handing a form in, and from the review's end."""

    def __init__(self, qualifications: Qualifications, sealer: Sealer) -> None:
        self._qualifications = qualifications
        self._sealer = sealer

    async def begin(
        self,
        organisation: Organisation,
        programme: Programme,
        party: Party,
        assessment: Assessment,
        *,
        resumed: bool,
        now: datetime,
    ) -> Qualification:
        """The organisation's one standing in the programme, waiting for its review.

        Under the organisation's lock. ``resumed``: a returned form comes back, and the day of the
        application stays. An approval near its end holds on while its renewal is reviewed. Raises
        :class:`AlreadyApplied` and :class:`NotReadmitted`.
        """
        rules = rules_of(programme, party)
        state: dict[str, Any] = {
            "programme_version": programme.version,
            "snapshot": snapshot(organisation),
            "unmet": [asdict(one) for one in assessment.unmet],
            **UNDECIDED,
        }
        earlier = await Qualification.get_or_none(
            organisation_id=organisation.id, programme_slug=programme.slug, party=party
        )
        if earlier is None:
            return await _created(organisation, programme, party, {**state, "applied_at": now}, rules)
        if earlier.status in HOLDING_ON:
            if not (resumed or may_renew(earlier.valid_until, now)):
                raise _already(rules, earlier)
            return earlier
        if earlier.status is QualificationStatus.DELISTED:
            await _require_readmissible(earlier, programme, organisation, now=now)
        if earlier.status is QualificationStatus.PENDING and not resumed:
            raise _already(rules, earlier)
        if not resumed:
            state["applied_at"] = now
        return await move(earlier, QualificationStatus.PENDING, **state)

    # -- what the review engine asks ----------------------------------------------------------------

    async def unveil(self, case: ReviewCase, field: str) -> str | None:
        """A personal number of what was handed in last, whole."""
        qualification = await Qualification.get(id=case.subject_id)
        handed_in = await last_submission(qualification)
        sealed = None if handed_in is None else handed_in.sealed.get(field)
        return None if sealed is None else self._sealer.open(sealed)

    async def snapshot(self, case: ReviewCase) -> dict[str, Any]:
        """The organisation's facts and what it handed in; personal numbers masked."""
        qualification = await Qualification.get(id=case.subject_id).select_related("organisation")
        handed_in = await last_submission(qualification)
        seen: dict[str, Any] = {"facts": snapshot(qualification.organisation)}
        if handed_in is not None:
            seen |= {
                "submission": handed_in.number,
                "values": shown_values(handed_in, self._sealer),
                "documents": handed_in.documents,
                "undertakings": handed_in.undertakings,
            }
        if qualification.party is Party.PROVIDER:
            seen |= await _graded(qualification)
        return seen

    async def checks(self, case: ReviewCase, *, now: datetime) -> Sequence[Check]:
        """Every condition, document and undertaking of the programme, met or not, with its clause."""
        qualification = await Qualification.get(id=case.subject_id).select_related("organisation")
        programme = self._programme(qualification)
        rules = rules_of(programme, qualification.party)
        assessment = await self._assess(qualification, now)
        unmet = {one.code: one for one in assessment.unmet}
        conditions = [
            Check(
                one.code,
                one.article,
                one.says,
                one.code not in unmet,
                unmet[one.code].arithmetic if one.code in unmet else "",
            )
            for one in rules.conditions
        ]
        if qualification.party is Party.PROVIDER:
            # How it served so far counts when it is admitted again (GX-57, NX-25).
            conditions.append(await service_files.check(programme, qualification.organisation_id, now=now))
        handed_in = await last_submission(qualification)
        return conditions if handed_in is None else [*conditions, *_papers(rules, handed_in)]

    async def require_usable(self, case: ReviewCase, extras: Mapping[str, Any], *, reason: str) -> None:
        """The labels that somebody confirms are the programme's, and no list that there is denies them."""
        qualification = await Qualification.get(id=case.subject_id).select_related("organisation")
        programme = self._programme(qualification)
        codes = confirmed_labels(programme, qualification.party, extras)
        if codes is not None and qualification.party is Party.ENTERPRISE:
            await attestations.require_confirmable(qualification.organisation, programme, codes)

    async def passed(
        self, case: ReviewCase, *, extras: Mapping[str, Any], actor: Actor, now: datetime
    ) -> After:
        """The chain has been gone through: what :meth:`approve` does, and raises."""
        return await self.approve(case.subject_id, extras, actor=actor, now=now)

    async def refused(self, case: ReviewCase, *, reason: str, actor: Actor, now: datetime) -> After:
        """Somebody who decides has turned it down: what :meth:`refuse` does."""
        return await self.refuse(case.subject_id, reason, actor=actor, now=now)

    async def approve(
        self, qualification_id: int, extras: Mapping[str, Any], *, actor: Actor, now: datetime
    ) -> After:
        """Approve, on the labels that lists and checked papers attest.

        Raises ``IllegalMove``, ``LabelsUnknown``, ``LabelNotListed``, ``ConditionsUnmet`` and
        ``QualificationMovedOn``.
        """
        qualification = await Qualification.get(id=qualification_id)
        organisation = await lock(qualification.organisation_id)
        qualification = await Qualification.get(id=qualification_id).select_related("organisation")
        if qualification.status not in HOLDING_ON:
            # Withdrawn while its renewal was under review, it is not brought back by that.
            require_move(QUALIFICATION_MOVES, qualification.status, QualificationStatus.APPROVED)
        programme = self._programme(qualification)
        relabelled = await self._confirm(organisation, programme, qualification.party, extras, actor, now)
        qualification.organisation = organisation
        assessment = await self._assess(qualification, now)
        if assessment.unmet:
            raise ConditionsUnmet(
                clause=assessment.unmet[0].clause, unmet=assessment.unmet, count=len(assessment.unmet)
            )
        renewal = rules_of(programme, qualification.party).renewal
        held_on = qualification.status in HOLDING_ON
        held_until = qualification.valid_until if held_on else None
        ends = next_end(programme, renewal, now, held_until)
        suspended = qualification.status is QualificationStatus.SUSPENDED
        qualification = await move(
            qualification,
            QualificationStatus.SUSPENDED if suspended else QualificationStatus.APPROVED,
            valid_until=None if ends is None else ends.ends_at,
            decided_at=now,
            decided_by=_staff_id(actor),
            reason="",
            snapshot=snapshot(organisation),
            unmet=[],
        )
        await _close(qualification, RegistrationStatus.APPROVED)
        if qualification.party is Party.PROVIDER:
            await service_files.note(
                ServiceEntryKind.ADMISSION,
                "admitted",
                f"qualification:{qualification.id}:{now:%Y%m%dT%H%M%S}",
                provider_id=organisation.id,
                programme=programme,
                tone=EntryTone.PLAIN,
                at=now,
                clause=programme.provider.article,
            )
        await self._qualifications.told(
            "qualification.approved", qualification, actor=actor, now=now, labels=organisation.labels
        )
        changes = await self._qualifications.settle(
            organisation, {qualification.programme_slug}, others=relabelled
        )
        return self._qualifications.telling(changes)

    async def refuse(self, qualification_id: int, reason: str, *, actor: Actor, now: datetime) -> After:
        """Turn an application down, with everything unmet; an approval whose renewal fails runs out."""
        qualification = await Qualification.get(id=qualification_id).select_related("organisation")
        await _close(qualification, RegistrationStatus.REFUSED)
        if qualification.status is not QualificationStatus.PENDING:
            await self._qualifications.told("qualification.not_renewed", qualification, actor=actor, now=now)
            return nothing
        assessment = await self._assess(qualification, now)
        qualification = await move(
            qualification,
            QualificationStatus.REFUSED,
            decided_at=now,
            decided_by=_staff_id(actor),
            reason=reason,
            snapshot=snapshot(qualification.organisation),
            unmet=[asdict(one) for one in assessment.unmet],
        )
        await self._qualifications.told("qualification.refused", qualification, actor=actor, now=now)
        return nothing

    async def returned(
        self, case: ReviewCase, *, fields: Mapping[str, str], reason: str, actor: Actor, now: datetime
    ) -> After:
        """Open what was returned, and nothing else; where no item is named, everything.

        Raises :class:`FormItemsUnknown` for an item that the form does not have.
        """
        qualification = await Qualification.get(id=case.subject_id)
        rules = rules_of(self._programme(qualification), qualification.party)
        require_known(rules, fields)
        await _close(
            qualification, RegistrationStatus.RETURNED, returned=dict(fields), returned_reason=reason
        )
        return nothing

    # ------------------------------------------------------------------------------------------------

    def _programme(self, qualification: Qualification) -> Programme:
        return self._qualifications.programmes.version(
            qualification.programme_slug, qualification.programme_version
        )

    async def _assess(self, qualification: Qualification, now: datetime) -> Assessment:
        """On what was handed in, with the labels that are attested."""
        handed_in = await last_submission(qualification)
        return await assess(
            self._programme(qualification),
            qualification.organisation,
            qualification.party,
            self._qualifications.sizes,
            now=now,
            applied_at=qualification.applied_at,
            values=None if handed_in is None else handed_in.values,
        )

    async def _confirm(
        self,
        organisation: Organisation,
        programme: Programme,
        party: Party,
        extras: Mapping[str, Any],
        actor: Actor,
        now: datetime,
    ) -> bool:
        """Keep what the reviewers checked on paper; whether the organisation's labels changed."""
        codes = confirmed_labels(programme, party, extras)
        if codes is not None and party is Party.ENTERPRISE:
            await attestations.confirm_on_paper(organisation, programme, codes, actor=actor, now=now)
        return await attestations.refresh(
            organisation, self._qualifications.programmes, self._qualifications.clocks
        )


async def last_submission(qualification: Qualification) -> Submission | None:
    """What was handed in last for a standing; ``None`` for one that came to be without a form."""
    return (
        await Submission.filter(
            registration__organisation_id=qualification.organisation_id,
            registration__programme_slug=qualification.programme_slug,
            registration__party=qualification.party,
        )
        .order_by("-number")
        .first()
    )


async def _graded(qualification: Qualification) -> dict[str, Any]:
    """What a provider's last grade says of it: it feeds the next determination (GX-44)."""
    last = (
        await ProviderGrade.filter(qualification_id=qualification.id, published_at__isnull=False)
        .order_by("-year", "-id")
        .first()
    )
    return {} if last is None else {"grade": {"year": last.year, "grade": last.grade, "place": last.place}}


def shown_values(form: Registration | Submission, sealer: Sealer) -> dict[str, Any]:
    """The values of a form as people see them: what is personal is masked."""
    return {**form.values, **{key: mask(sealer.open(sealed)) for key, sealed in form.sealed.items()}}


def open_values(form: Registration | Submission, sealer: Sealer) -> dict[str, Any]:
    """The values of a form as they were filled in; for the rules alone."""
    return {**form.values, **{key: sealer.open(sealed) for key, sealed in form.sealed.items()}}


def sealed_keys(rules: PartyRules) -> frozenset[str]:
    """The items of a form that are personal."""
    return frozenset(one.key for one in form_fields(rules) if one.field.kind in SEALED_KINDS)


def require_known(rules: PartyRules, keys: Mapping[str, object]) -> None:
    """Raise :class:`FormItemsUnknown` for keys that the form does not have, naming them all."""
    known = keys_of(rules)
    strange = [
        Unmet(key[:60], "", texts.FORM_FAULTS["unknown"].format(name=key[:60]))
        for key in keys
        if key not in known
    ]
    if strange:
        raise FormItemsUnknown(unmet=strange, count=len(strange))


def _papers(rules: PartyRules, handed_in: Submission) -> Iterator[Check]:
    for document in rules.documents:
        there = len(handed_in.documents.get(document.code, ()))
        if document.required or there:
            alternative = any(
                handed_in.documents.get(one.code)
                for one in rules.documents
                if set(one.groups) & set(document.groups)
            )
            met = there >= document.minimum or alternative
            yield Check(
                f"{DOCUMENTS}.{document.code}",
                document.article,
                document.name,
                met,
                "" if met else f"{there} < {document.minimum}",
            )
    for undertaking in rules.undertakings:
        accepted = undertaking.code in handed_in.undertakings
        yield Check(f"{UNDERTAKINGS}.{undertaking.code}", undertaking.article, undertaking.name, accepted)


async def _created(
    organisation: Organisation,
    programme: Programme,
    party: Party,
    state: Mapping[str, Any],
    rules: PartyRules,
) -> Qualification:
    try:
        async with in_transaction():  # A savepoint: the row may have come to be a moment ago.
            return await Qualification.create(
                organisation=organisation,
                programme_slug=programme.slug,
                party=party,
                status=QualificationStatus.PENDING,
                **state,
            )
    except IntegrityError:
        raise AlreadyApplied(clause=rules.renewal.article) from None


async def _require_readmissible(
    earlier: Qualification, programme: Programme, organisation: Organisation, *, now: datetime
) -> None:
    bans = await standing_bans([organisation.uscc], programme.slug, now=now)
    if bans:
        until = bans[0].ends_at
        arithmetic = texts.CONDITION["barred"].format(
            start=day_of(bans[0].starts_at),
            end=texts.FOR_GOOD if until is None else day_of(until - timedelta.resolution),
            clause=bans[0].clause,
        )
        raise NotReadmitted(clause=bans[0].clause, arithmetic=arithmetic, name=organisation.name)


def _already(rules: PartyRules, earlier: Qualification) -> AlreadyApplied:
    """Why a second application is none: the first waits, or its approval still holds."""
    until = ""
    if earlier.status is QualificationStatus.APPROVED and earlier.valid_until is not None:
        last_day = day_of(earlier.valid_until - timedelta.resolution)
        until = texts.FORM_FAULTS["approved_until"].format(day=last_day)
    return AlreadyApplied(clause=rules.renewal.article, arithmetic=until)


async def _close(qualification: Qualification, status: RegistrationStatus, **changes: Any) -> None:
    """Let the form follow its review; returned items end with the next decision."""
    state = {"returned": {}, "returned_reason": "", **changes}
    await Registration.filter(
        organisation_id=qualification.organisation_id,
        programme_slug=qualification.programme_slug,
        party=qualification.party,
    ).update(status=status, **state)


def _staff_id(actor: Actor) -> int | None:
    return actor.id if actor.kind == "staff" else None
