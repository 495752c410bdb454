"""Offerings under review: what the review engine shows of an offering, and what follows from its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from server import texts
from server.errors import Unmet
from server.models.offerings import Offering, OfferingVersion
from server.models.reviews import ReviewCase
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.rules import offering_form
from server.rules.forms import changed_keys
from server.rules.lifecycles import ProviderAct
from server.rules.offering_form import columns_of, items_in, names_of
from server.rules.offerings import DraftStatus
from server.rules.review import Check
from server.services.access import Actor
from server.services.admissions.admissions import FormItemsUnknown
from server.services.afterwards import After, nothing
from server.services.budgets.annual_notices import AnnualNotices
from server.services.marketplace.listings import Listings
from server.services.marketplace.offering_book import OfferingNotListed, change, note, put_up, written
from server.services.marketplace.offering_drafts import content_faults
from server.services.providers.provider_standing import provider_missing
from server.services.reviews.reviewed import ArrivesQuietly


class ReviewedOfferings(ArrivesQuietly):
    """Offerings as the review engine knows them."""

    def __init__(self, programmes: Programmes, yearly: AnnualNotices, listings: Listings) -> None:
        self.programmes = programmes
        self.yearly = yearly
        self.listings = listings

    async def snapshot(self, case: ReviewCase) -> dict[str, Any]:
        """What was handed in, what of it is new against what is listed, and what the text asks of it."""
        offering, version, programme = await self._of(case)
        content = written(version)
        before = None
        if offering.current_version_id is not None:
            before = written(await OfferingVersion.get(id=offering.current_version_id))
        names = names_of(programme.offering)
        changed = () if before is None else changed_keys(items_in(before), items_in(content))
        return {
            "offering": offering.id,
            "version": version.number,
            "status": offering.status.value,
            "selection": version.selection_id,
            **columns_of(content),
            "changed": [names.get(key, key) for key in changed],
            "base_conditions": list(programme.offering.base_conditions),
        }

    async def checks(self, case: ReviewCase, *, now: datetime) -> Sequence[Check]:
        """Whether it is complete, in scope, of a kind its provider is recognised for, and who offers it."""
        offering, version, programme = await self._of(case)
        content, rules = written(version), programme.offering
        found = {
            "complete": offering_form.missing(programme, content),
            "scope": await content_faults(self.yearly, programme, content, offering.provider, now=now),
            "standing": await provider_missing(programme, offering.provider, ProviderAct.PUBLISH, now=now),
        }
        clauses = {"standing": programme.provider.article}
        return [
            line
            for code, unmet in found.items()
            for line in _lines(code, clauses.get(code, rules.article), unmet)
        ]

    async def passed(
        self, case: ReviewCase, *, extras: Mapping[str, Any], actor: Actor, now: datetime
    ) -> After:
        """Listed in the place of the version before; after its catalogue year ``OfferingNotListed``."""
        offering, version, programme = await self._of(case)
        if version.valid_until is not None and version.valid_until <= now:
            raise OfferingNotListed(clause=programme.offering.article)
        await put_up(offering, version, actor=actor, now=now, clause=programme.offering.article)
        await self.listings.refresh(offering.id)
        return nothing

    async def refused(self, case: ReviewCase, *, reason: str, actor: Actor, now: datetime) -> After:
        """Turned down; what was listed before stays listed, and the draft may be written anew."""
        offering, version, _ = await self._of(case)
        offering = await change(
            offering, draft_status=DraftStatus.REFUSED, submitted_version_id=None, reason=reason
        )
        await note("offering.refused", offering, actor=actor, now=now, version=version.number, reason=reason)
        return nothing

    async def returned(
        self, case: ReviewCase, *, fields: Mapping[str, str], reason: str, actor: Actor, now: datetime
    ) -> After:
        """Open what was returned, and nothing else; where no item is named, everything.

        Raises ``FormItemsUnknown`` for an item that the form does not have.
        """
        offering, _, programme = await self._of(case)
        names = names_of(programme.offering)
        strange = [
            Unmet(key[:60], programme.offering.article, texts.FORM_FAULTS["unknown"].format(name=key[:60]))
            for key in fields
            if key not in names
        ]
        if strange:
            raise FormItemsUnknown(unmet=strange, count=len(strange))
        offering = await change(
            offering, draft_status=DraftStatus.RETURNED, returned=dict(fields), reason=reason
        )
        await note("offering.returned", offering, actor=actor, now=now, fields=sorted(fields), reason=reason)
        return nothing

    async def _of(self, case: ReviewCase) -> tuple[Offering, OfferingVersion, Programme]:
        """What is under review; of a case that has come to its end, what was handed in for it."""
        offering = await Offering.get(id=case.subject_id).select_related("provider")
        wanted = OfferingVersion.filter(offering_id=offering.id)
        if offering.submitted_version_id is not None and offering.case_id in (None, case.id):
            wanted = wanted.filter(id=offering.submitted_version_id)
        else:
            closed_at = case.closed_at
            wanted = wanted if closed_at is None else wanted.filter(submitted_at__lte=closed_at)
        version = await wanted.order_by("-number").first()
        assert version is not None, "what is under review was handed in"
        return offering, version, self.programmes.version(case.programme_slug, case.programme_version)


def _lines(code: str, clause: str, unmet: Sequence[Unmet]) -> Iterator[Check]:
    if not unmet:
        yield Check(code, clause, texts.OFFERING_CHECKS[code], True)
    for one in unmet:
        yield Check(one.code, one.clause or clause, one.message, False, one.arithmetic)
