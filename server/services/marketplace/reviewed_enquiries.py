"""Enquiries under review: what the review engine shows of one, and what follows from its end (GX-50)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from server import texts
from server.models.enquiries import Enquiry
from server.models.organisations import Organisation
from server.models.reviews import ReviewCase
from server.programme.registry import Programmes
from server.programme.vocabulary import Party
from server.rules.enquiries import EnquiryStatus
from server.rules.lifecycles import QualificationAct
from server.rules.review import Check
from server.services.access import Actor
from server.services.admissions.standings import standing_unmet
from server.services.afterwards import After, nothing
from server.services.marketplace.enquiries import move, note, show
from server.services.reviews.reviewed import ArrivesQuietly


class ReviewedEnquiries(ArrivesQuietly):
    """Enquiries as the review engine knows them."""

    def __init__(self, programmes: Programmes) -> None:
        self.programmes = programmes

    async def snapshot(self, case: ReviewCase) -> dict[str, Any]:
        """What would be shown."""
        enquiry = await Enquiry.get(id=case.subject_id)
        return {"values": enquiry.values, "anonymous": enquiry.anonymous}

    async def checks(self, case: ReviewCase, *, now: datetime) -> Sequence[Check]:
        """Whether whoever asks is in standing."""
        enquiry = await Enquiry.get(id=case.subject_id)
        programme = self.programmes.version(case.programme_slug, case.programme_version)
        unmet = await standing_unmet(
            programme,
            await Organisation.get(id=enquiry.enterprise_id),
            Party.ENTERPRISE,
            QualificationAct.OBTAIN_VOUCHERS,
            now=now,
        )
        if unmet:
            return tuple(Check(one.code, one.clause, one.message, False, one.arithmetic) for one in unmet)
        says = texts.ENQUIRY_CHECKS
        return (Check("standing", programme.enterprise.article, says["standing"], True),)

    async def passed(
        self, case: ReviewCase, *, extras: Mapping[str, Any], actor: Actor, now: datetime
    ) -> After:
        """Shown to everybody from now on."""
        await show(await Enquiry.get(id=case.subject_id), actor, now)
        return nothing

    async def refused(self, case: ReviewCase, *, reason: str, actor: Actor, now: datetime) -> After:
        """Never shown."""
        await self._back(case, EnquiryStatus.REFUSED, actor, now, reason=reason, closed_at=now)
        return nothing

    async def returned(
        self, case: ReviewCase, *, fields: Mapping[str, str], reason: str, actor: Actor, now: datetime
    ) -> After:
        """Open for correction again."""
        await self._back(case, EnquiryStatus.RETURNED, actor, now, reason=reason, returned=dict(fields))
        return nothing

    async def _back(
        self, case: ReviewCase, target: EnquiryStatus, actor: Actor, now: datetime, **changes: object
    ) -> None:
        enquiry = await Enquiry.get(id=case.subject_id)
        await move(enquiry, target, version=enquiry.version, **changes)
        await note(f"enquiry.{target.value}", enquiry, actor, now)
