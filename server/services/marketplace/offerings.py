"""Offerings: what providers publish, from handing in to the end of the listing.

A version is handed in once and never changes; until the next one has passed its review, the one before
stays listed. What an offering may be is the programme's ``[offering]`` (``rules/offering_form.py``).
Every verb holds the provider's lock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal, Unmet
from server.models.offerings import Offering, OfferingVersion, SelectionRound
from server.models.organisations import Organisation
from server.models.reviews import ReviewCase
from server.programme.model import Programme
from server.programme.review import ReviewSubject
from server.rules import offering_form
from server.rules.lifecycles import IllegalMove, ProviderAct
from server.rules.offering_form import content_of
from server.rules.offerings import DraftStatus, OfferingStatus
from server.rules.review import CaseStatus, ReasonMissing
from server.services import access, allowances
from server.services.access import CLOCK, Actor
from server.services.admissions.applicants import day
from server.services.admissions.qualifications import ProgrammeNotRunning
from server.services.afterwards import After, nothing
from server.services.marketplace.listings import Listings
from server.services.marketplace.offering_book import (
    RECALLED,
    OfferingNotListed,
    change,
    keep,
    live_case,
    note,
    own,
    put_up,
    seen,
    take_off,
    tell,
    version_for_order,
)
from server.services.marketplace.offering_drafts import OfferingDrafts, require_writable
from server.services.marketplace.selections import catalogue_ends, require_open
from server.services.organisations.memberships import lock
from server.services.providers.provider_standing import require_provider
from server.services.reviews.reviews import Reviews


class OfferingIncomplete(Refusal):
    """The offering cannot be handed in yet; ``unmet`` names everything missing and wrong, with its clause."""

    status, code = 422, "offering_incomplete"


@dataclass(frozen=True, slots=True)
class OfferingHandedIn:
    """What came of handing an offering in; without a chain it is listed at once, and no case is there."""

    offering: Offering
    version: OfferingVersion
    case_id: int | None


class Offerings:
    """The verbs on offerings. Instants are those of the programme's clock."""

    def __init__(self, drafts: OfferingDrafts, reviews: Reviews, listings: Listings) -> None:
        self.drafts = drafts
        self.programmes = drafts.programmes
        self.clocks = drafts.clocks
        self.reviews = reviews
        self.listings = listings

    async def submit(self, offering_id: int, *, version: int, actor: Actor) -> OfferingHandedIn:
        """Hand in what was saved as ``version``; a programme that selects takes it in an open round only.

        Raises ``NotFound``, ``OfferingUnderReview``, ``DraftMovedOn``, ``ProgrammeNotRunning``,
        ``NotInStanding``, ``SelectionNotOpen``, :class:`OfferingIncomplete`, ``FileUnacceptable``,
        ``FilesUnknown``, ``TooManyToday`` and ``OfferingMovedOn``; the draft stays as it is.
        """
        async with in_transaction():
            offering = await own(offering_id, actor=actor)
            provider = await lock(offering.provider_id)
            offering = await own(offering_id, actor=actor)
            await require_writable(offering, version)
            # Under the lock: what is still being sent when the time is over is too late.
            programme = self.programmes.get(offering.programme_slug)
            now = self.clocks.now(offering.programme_slug)
            if not programme.covers(day(now)):
                raise ProgrammeNotRunning(clause=programme.validity.article, programme=programme.name)
            await require_provider(programme, provider, ProviderAct.PUBLISH, now=now)
            earlier = OfferingVersion.filter(offering_id=offering.id)
            await allowances.require(earlier, "submitted_at", allowances.SUBMISSIONS, now=now)
            returned = await self._returned(offering)
            selection = await self._selection(offering, programme, returned, now)
            await self._require_complete(offering, programme, provider)
            offering, row = await keep(
                offering,
                programme,
                selection_id=None if selection is None else selection.id,
                valid_until=None if selection is None else catalogue_ends(programme, selection.year),
                actor=actor,
                now=now,
            )
            case_id, after = await self._review(offering, row, programme, provider, returned, actor, now)
        await after()
        return OfferingHandedIn(
            await own(offering_id, actor=actor), await OfferingVersion.get(id=row.id), case_id
        )

    async def recall(self, offering_id: int, *, reason: str, actor: Actor) -> Offering:
        """Take back what is under review or was returned; what is listed stays listed.

        Raises ``NotFound``, ``IllegalMove``, ``CaseMovedOn``.
        """
        async with in_transaction():
            offering = await self._locked(offering_id, actor)
            if not await self._recall(offering, reason=reason, actor=actor):
                raise IllegalMove(current=offering.draft_status.value, target=DraftStatus.OPEN.value)
            return await own(offering_id, actor=actor)

    async def withdraw(self, offering_id: int, *, reason: str, actor: Actor) -> Offering:
        """The provider takes a listed offering off; orders that were placed keep their version.

        Raises ``NotFound``, ``IllegalMove``, ``OfferingMovedOn``, ``CaseMovedOn``.
        """
        async with in_transaction():
            offering = await self._locked(offering_id, actor)
            now = self.clocks.now(offering.programme_slug)
            # What is still under review would list it again.
            await self._recall(offering, reason=reason, actor=actor)
            offering = await own(offering_id, actor=actor)
            offering = await take_off(offering, OfferingStatus.WITHDRAWN, reason=reason, now=now)
            await note("offering.withdrawn", offering, actor=actor, now=now, reason=reason)
            await self.listings.refresh(offering.id)
            return offering

    async def relist(self, offering_id: int, *, actor: Actor) -> Offering:
        """Put back what the provider itself withdrew, unchanged and so without a second review.

        Raises ``NotFound``, ``IllegalMove``, ``NotInStanding``, ``OfferingNotListed`` (its catalogue year
        is over), ``OfferingMovedOn``.
        """
        async with in_transaction():
            offering = await self._locked(offering_id, actor)
            programme = self.programmes.get(offering.programme_slug)
            now = self.clocks.now(offering.programme_slug)
            if offering.status is not OfferingStatus.WITHDRAWN or offering.current_version_id is None:
                raise IllegalMove(current=offering.status.value, target=OfferingStatus.LISTED.value)
            await require_provider(programme, offering.provider, ProviderAct.PUBLISH, now=now)
            version = await version_for_order(offering.current_version_id)
            if version.valid_until is not None and version.valid_until <= now:
                raise OfferingNotListed()
            offering = await put_up(
                offering,
                version,
                actor=actor,
                now=now,
                clause=programme.offering.article,
                draft_status=offering.draft_status,
                submitted_version_id=offering.submitted_version_id,
            )
            await self.listings.refresh(offering.id)
            return offering

    async def take_down(self, offering_id: int, *, reason: str, actor: Actor) -> Offering:
        """The official side takes an offering off, with a reason; a new version takes a new review.

        Raises ``NotFound``, ``ReasonMissing``, ``IllegalMove``, ``OfferingMovedOn``, ``CaseMovedOn``.
        """
        offering = await seen(offering_id, actor=actor)
        if not reason.strip():
            raise ReasonMissing()
        now = self.clocks.now(offering.programme_slug)
        async with in_transaction():
            await lock(offering.provider_id)
            await self._recall(await seen(offering_id, actor=actor), reason=reason, actor=actor)
            offering = await seen(offering_id, actor=actor)
            offering = await take_off(offering, OfferingStatus.TAKEN_DOWN, reason=reason.strip(), now=now)
            await note("offering.taken_down", offering, actor=actor, now=now, reason=reason.strip())
            name = (await version_for_order(offering.current_version_id or 0)).name
            await tell("offering.taken_down", offering, now, name=name, reason=reason.strip())
            await self.listings.refresh(offering.id)
            return offering

    async def end_due(self, slug: str) -> int:
        """Take off everything whose catalogue year is over (GX-24); returns how many."""
        now, ended = self.clocks.now(slug), 0
        due = await OfferingVersion.filter(
            offering__programme_slug=slug,
            valid_until__lte=now,
            listed_at__not_isnull=True,
            ended_at__isnull=True,
        ).order_by("id")
        for version in due:
            async with in_transaction():
                offering = await Offering.get(id=version.offering_id).select_related("provider")
                await lock(offering.provider_id)
                offering = await Offering.get(id=version.offering_id).select_related("provider")
                if offering.status is not OfferingStatus.LISTED or offering.current_version_id != version.id:
                    continue
                await take_off(offering, OfferingStatus.ENDED, reason=texts.CATALOGUE_OVER, now=now)
                await note("offering.ended", offering, actor=CLOCK, now=now, version=version.number)
                await tell("offering.ended", offering, now, name=version.name)
                await self.listings.refresh(offering.id)
                ended += 1
        return ended

    # ------------------------------------------------------------------------------------------------

    async def _locked(self, offering_id: int, actor: Actor) -> Offering:
        """An own offering, under its provider's lock."""
        await lock(access.organisation_id_of(actor))
        return await own(offering_id, actor=actor)

    async def _returned(self, offering: Offering) -> ReviewCase | None:
        case = await live_case(offering)
        return case if case is not None and case.status is CaseStatus.RETURNED else None

    async def _selection(
        self, offering: Offering, programme: Programme, returned: ReviewCase | None, now: datetime
    ) -> SelectionRound | None:
        """The round it is handed in for; a correction goes on in the round it was returned in."""
        if returned is not None and offering.submitted_version_id is not None:
            before = await OfferingVersion.get(id=offering.submitted_version_id).select_related("selection")
            return before.selection
        return await require_open(programme, now)

    async def _require_complete(
        self, offering: Offering, programme: Programme, provider: Organisation
    ) -> None:
        content = content_of(offering.draft)
        unmet: tuple[Unmet, ...] = (
            *await self.drafts.faults(programme, content, provider),
            *offering_form.missing(programme, content),
        )
        if unmet:
            raise OfferingIncomplete(clause=unmet[0].clause, unmet=unmet, count=len(unmet))

    async def _review(
        self,
        offering: Offering,
        row: OfferingVersion,
        programme: Programme,
        provider: Organisation,
        returned: ReviewCase | None,
        actor: Actor,
        now: datetime,
    ) -> tuple[int | None, After]:
        """Begin the review, or go on with it where it was returned; without a chain list at once."""
        if returned is not None:
            return returned.id, await self.reviews.resume(returned, actor=actor, now=now)
        if programme.review(ReviewSubject.OFFERING) is None:
            await put_up(offering, row, actor=CLOCK, now=now, clause=programme.offering.article)
            await self.listings.refresh(offering.id)
            return None, nothing
        case, after = await self.reviews.open(
            ReviewSubject.OFFERING,
            offering.id,
            programme=programme,
            organisation=provider,
            title=texts.OFFERING_TITLE.format(name=row.name, provider=provider.name),
            actor=actor,
            now=now,
        )
        await Offering.filter(id=offering.id).update(case_id=case.id)
        return case.id, after

    async def _recall(self, offering: Offering, *, reason: str, actor: Actor) -> bool:
        """Take back what has no decision yet; whether there was anything."""
        case = await live_case(offering)
        if case is None:
            return False
        now = self.clocks.now(offering.programme_slug)
        await self.reviews.withdraw(case, reason=reason, actor=actor, now=now)
        await change(offering, **RECALLED)
        await note("offering.recalled", offering, actor=actor, now=now, reason=reason)
        return True
