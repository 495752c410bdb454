"""Provider grades: the operator proposes where a provider stands among others; published when agreed (NX-30).

Where the programme has a chain for grades, the proposal is a case of it; elsewhere the authority's own word
publishes it. The figures of the day it was proposed stay with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.organisations import Organisation, Qualification
from server.models.provider_standing import ProviderGrade
from server.models.reviews import ReviewCase
from server.programme.model import Programme
from server.programme.review import ReviewSubject
from server.rules.review import Check, NotYourReview, ReasonMissing, Verdict
from server.services import access, journal, outbox
from server.services.access import Actor, StaffRole
from server.services.admissions.applicants import snapshot
from server.services.admissions.qualifications import Qualifications
from server.services.afterwards import After, nothing
from server.services.organisations import service_files
from server.services.organisations.memberships import lock
from server.services.providers.provider_pages import as_json, performance
from server.services.providers.suspensions import provider_for, require_impartial
from server.services.reviews.reviewed import ArrivesQuietly
from server.services.reviews.reviews import Reviews

GRADERS = frozenset({StaffRole.OPERATOR, StaffRole.AUTHORITY, StaffRole.DIVISION})
PUBLISHERS = frozenset({StaffRole.AUTHORITY, StaffRole.DIVISION})
"""Who grades by their own word where no chain reviews it."""


class GradesNotHere(Refusal):
    """The programme grades no providers."""

    status, code = 409, "grades_not_here"


class GradeUnusable(Refusal):
    """A grade that the programme does not know, or of another year than this or the last."""

    status, code = 422, "grade_unusable"


class GradeUnderWay(Refusal):
    """A grade of this provider for this year is under review."""

    status, code = 409, "grade_under_way"


class GradeNotReturnable(Refusal):
    """A proposal is agreed to or turned down; another one is proposed anew."""

    status, code = 409, "grade_not_returnable"


class ProviderGrades(ArrivesQuietly):
    """The verb that proposes a grade, and grades as the review engine knows them."""

    def __init__(self, qualifications: Qualifications, reviews: Reviews) -> None:
        self.programmes = qualifications.programmes
        self.clocks = qualifications.clocks
        self.reviews = reviews

    async def propose(
        self, qualification_id: int, *, year: int, grade: str, place: int, reason: str, actor: Actor
    ) -> ProviderGrade:
        """Propose a provider's grade and place for a year, on the figures of this instant.

        Raises ``NotFound``, :class:`GradesNotHere`, :class:`GradeUnusable`, ``NotYourReview``,
        ``OwnReview``, ``ReasonMissing`` and :class:`GradeUnderWay`.
        """
        row = await provider_for(actor, qualification_id)
        programme = self._programme(row.programme_slug, row.programme_version)
        rating, now = programme.rating, self.clocks.now(programme.slug)
        if not rating.provider_grades:
            raise GradesNotHere(clause=rating.article, programme=programme.name)
        this_year = programme.year_of(now)
        if grade not in rating.grades or year not in (this_year - 1, this_year):
            raise GradeUnusable(clause=rating.article, grades=texts.LIST.join(rating.grades), year=this_year)
        reviewed = programme.review(ReviewSubject.PROVIDER_GRADE) is not None
        if not reviewed and PUBLISHERS.isdisjoint(actor.roles):
            raise NotYourReview(
                clause=rating.article, step=texts.GRADE_STEP, actor=texts.ACTORS[StaffRole.AUTHORITY]
            )
        await require_impartial(actor, row.organisation)
        if not reason.strip():
            raise ReasonMissing()
        after: After = nothing
        try:
            async with in_transaction():
                organisation = await lock(row.organisation_id)
                made = await ProviderGrade.create(
                    qualification_id=row.id,
                    programme_slug=programme.slug,
                    programme_version=programme.version,
                    year=year,
                    grade=grade,
                    place=place,
                    reason=reason.strip(),
                    figures=await _figures(programme.slug, organisation.id),
                    proposed_by=actor.id,
                    proposed_at=now,
                )
                await self._note("provider.grade_proposed", made, actor=actor, now=now)
                if reviewed:
                    after = await self._report(made, programme, organisation, actor=actor, now=now)
                else:
                    await self._publish(made, actor=actor, now=now)
        except IntegrityError:
            raise GradeUnderWay() from None
        await after()
        return await ProviderGrade.get(id=made.id)

    async def _report(
        self,
        made: ProviderGrade,
        programme: Programme,
        organisation: Organisation,
        *,
        actor: Actor,
        now: datetime,
    ) -> After:
        """Open the case, and take its first step with the proposal if that is the proposer's."""
        title = texts.GRADE_TITLE.format(name=organisation.name, year=made.year, grade=made.grade)
        case, after = await self.reviews.open(
            ReviewSubject.PROVIDER_GRADE,
            made.id,
            programme=programme,
            organisation=organisation,
            title=title,
            # Nobody decides on a case they opened; the proposal may be its first decision.
            actor=access.CLOCK,
            now=now,
        )
        if case.turn is not None and case.turn in actor.roles:
            case = await self.reviews.decide(
                case.id, Verdict.APPROVED, version=case.version, reason=made.reason, actor=actor
            )
        await ProviderGrade.filter(id=made.id).update(case_id=case.id)
        return after

    # -- what the review engine asks ----------------------------------------------------------------

    async def snapshot(self, case: ReviewCase) -> dict[str, Any]:
        """The provider, the grade and the figures it was proposed on."""
        made = await ProviderGrade.get(id=case.subject_id).select_related("qualification__organisation")
        return {
            "facts": snapshot(made.qualification.organisation),
            "year": made.year,
            "grade": made.grade,
            "place": made.place,
            "reason": made.reason,
            "figures": made.figures,
        }

    async def checks(self, case: ReviewCase, *, now: datetime) -> Sequence[Check]:
        """Whether the figures are still those of the proposal."""
        made = await ProviderGrade.get(id=case.subject_id).select_related("qualification")
        programme = self._programme(made.programme_slug, made.programme_version)
        current = await _figures(made.programme_slug, made.qualification.organisation_id)
        same = current == made.figures
        arithmetic = "" if same else f"{made.figures['done']} → {current['done']}"
        return (Check("figures", programme.rating.article, texts.GRADE_CHECK, same, arithmetic),)

    async def passed(
        self, case: ReviewCase, *, extras: Mapping[str, Any], actor: Actor, now: datetime
    ) -> After:
        """Agreed, and nobody's objection held it: it is published."""
        await self._publish(await ProviderGrade.get(id=case.subject_id), actor=actor, now=now)
        return nothing

    async def refused(self, case: ReviewCase, *, reason: str, actor: Actor, now: datetime) -> After:
        """Not agreed: what was published before stays."""
        made = await ProviderGrade.get(id=case.subject_id)
        await ProviderGrade.filter(id=made.id).update(decided_at=now)
        await self._note("provider.grade_dismissed", made, actor=actor, now=now)
        return nothing

    async def returned(
        self, case: ReviewCase, *, fields: Mapping[str, str], reason: str, actor: Actor, now: datetime
    ) -> After:
        """Raises :class:`GradeNotReturnable`: there is no form to correct."""
        raise GradeNotReturnable()

    # ------------------------------------------------------------------------------------------------

    async def _publish(self, made: ProviderGrade, *, actor: Actor, now: datetime) -> None:
        await ProviderGrade.filter(id=made.id).update(decided_at=now, published_at=now)
        await self._note("provider.graded", made, actor=actor, now=now)
        row = await Qualification.get(id=made.qualification_id)
        await outbox.tell(
            f"organisation:{row.organisation_id}",
            "provider.graded",
            at=now,
            qualification=row.id,
            programme=row.programme_slug,
            year=made.year,
            grade=made.grade,
        )

    def _programme(self, slug: str, version: str) -> Programme:
        return self.programmes.version(slug, version)

    async def _note(self, action: str, made: ProviderGrade, *, actor: Actor, now: datetime) -> None:
        await journal.record(
            action,
            f"qualification:{made.qualification_id}",
            actor=actor.name,
            at=now,
            programme_slug=made.programme_slug,
            grade=made.grade,
            year=made.year,
            place=made.place,
            reason=made.reason,
        )


async def _figures(slug: str, provider_id: int) -> dict[str, Any]:
    """What a grade rests on: how a provider performs, and what its service file counts (NX-25, NX-30)."""
    filed = await service_files.figures(slug, provider_id)
    return {**as_json(await performance(slug, provider_id)), "service_file": dict(filed)}
