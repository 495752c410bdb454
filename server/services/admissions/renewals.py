"""Renewals: what happens when the time of an approval is over."""

from __future__ import annotations

from datetime import datetime

from tortoise.transactions import in_transaction

from server.models.organisations import Organisation, Qualification
from server.programme.model import Programme
from server.rules.approvals import next_end
from server.rules.lifecycles import QualificationStatus
from server.services.access import CLOCK
from server.services.admissions.assessments import assess, rules_of
from server.services.admissions.qualifications import Qualifications, move
from server.services.organisations.memberships import lock
from server.services.rounds.rounds import StandingChange

BATCH = 500


class Renewals:
    """The verbs on approvals whose time is over. Instants are those of each programme's clock."""

    def __init__(self, qualifications: Qualifications) -> None:
        self._qualifications = qualifications

    async def expire_due(self) -> int:
        """End every approval whose time is over, or let it hold where the text says so; returns how many.

        Doing it twice does no harm: whoever comes second finds nothing due.
        """
        done = 0
        for programme in self._qualifications.programmes:
            now = self._qualifications.clocks.now(programme.slug)
            due = await (
                Qualification.filter(
                    programme_slug=programme.slug, status=QualificationStatus.APPROVED, valid_until__lte=now
                )
                .order_by("id")
                .limit(BATCH)
            )
            for qualification in due:
                done += await self._end(qualification, now)
        return done

    async def _end(self, qualification: Qualification, now: datetime) -> int:
        changes: list[StandingChange] = []
        async with in_transaction():
            organisation = await lock(qualification.organisation_id)
            row = await Qualification.get_or_none(
                id=qualification.id, status=QualificationStatus.APPROVED, valid_until__lte=now
            )
            if row is None:
                return 0
            programme = self._qualifications.programmes.version(row.programme_slug, row.programme_version)
            if await self._holds_by_default(row, organisation, programme, now):
                renewal = rules_of(programme, row.party).renewal
                ends = next_end(programme, renewal, now, None)
                row = await move(
                    row, QualificationStatus.APPROVED, valid_until=None if ends is None else ends.ends_at
                )
                await self._qualifications.told("qualification.held_on", row, actor=CLOCK, now=now)
            else:
                row = await move(row, QualificationStatus.EXPIRED)
                await self._qualifications.told("qualification.expired", row, actor=CLOCK, now=now)
                changes = await self._qualifications.settle(organisation, {row.programme_slug})
        await self._qualifications.rounds.standing_told(changes)
        return 1

    async def _holds_by_default(
        self, row: Qualification, organisation: Organisation, programme: Programme, now: datetime
    ) -> bool:
        """Approved in past years, nothing unmet, no violation: holds without new papers (LS-62).

        A major change would have sent the approval back to review already.
        """
        if not rules_of(programme, row.party).renewal.approved_by_default:
            return False
        assessment = await assess(
            programme,
            organisation,
            row.party,
            self._qualifications.sizes,
            now=now,
            applied_at=row.applied_at,
        )
        return not assessment.unmet
