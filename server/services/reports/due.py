"""Due: which reports the clock makes on a day. A day that was missed is made up for, oldest first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta

from server.models.complaints import SanctionProposal
from server.models.disbursements import PaymentBatch
from server.models.rounds import Budget, Round
from server.models.sanctions import SanctionCase
from server.programme.oversight import ReportCadence
from server.rules.deadlines import day_of, end_of, start_of
from server.rules.disbursements import BatchStatus, PaymentSource
from server.rules.lifecycles import RoundStatus
from server.rules.report_periods import Period, due_period
from server.services.reports.definitions import Definition, definitions
from server.services.reports.editions import Reports
from server.services.working_days import WorkingDays

_DAY = timedelta(days=1)


class DueReports:
    """What the daily job of a programme makes."""

    def __init__(self, reports: Reports, working_days: WorkingDays) -> None:
        self._reports = reports
        self._working_days = working_days

    async def make_due(self, slug: str, due_at: datetime) -> int:
        """Make every report that falls due on the day of a slot; returns how many were new.

        Where no year was ever given money there is nothing to report.
        """
        if not await Budget.filter(programme_slug=slug).exists():
            return 0
        made = 0
        day = day_of(due_at)
        for known in definitions(self._reports.programmes.get(slug)):
            if not known.sections:
                continue
            async for period, subject in self._due(slug, known, day):
                made += await self._reports.make_if_new(slug, known.code, period, subject)
        return made

    async def _due(self, slug: str, known: Definition, day: date) -> AsyncIterator[tuple[Period, str]]:
        period = due_period(known.cadence, day, self._working_days.calendar)
        if period is not None:
            yield period, ""
        yesterday = day - _DAY
        begins, ends = start_of(yesterday), end_of(yesterday)
        if known.cadence is ReportCadence.AFTER_ROUND:
            planned = Round.filter(budget__programme_slug=slug).exclude(status=RoundStatus.DRAFT)
            for event, column in (("issued", "closes_at"), ("used", "valid_until")):
                # After issue, and again after use (LS-70). A day's end is its last moment, exclusive.
                over = planned.filter(**{f"{column}__gt": begins, f"{column}__lte": ends})
                for one in await over.order_by("id"):
                    yield Period(day_of(one.opens_at), yesterday), f"round:{one.id}:{event}"
        if known.cadence is ReportCadence.AFTER_SETTLEMENT:
            closed = PaymentBatch.filter(
                programme_slug=slug, source=PaymentSource.BUDGET, status=BatchStatus.CLOSED,
                closed_at__gte=begins, closed_at__lt=ends,
            )  # fmt: skip
            for batch in await closed.order_by("id"):
                yield Period(day_of(batch.drafted_at), yesterday), f"batch:{batch.id}"
        if known.cadence is ReportCadence.ON_FINDING:
            span = {"programme_slug": slug, "proposed_at__gte": begins, "proposed_at__lt": ends}
            found = (
                await SanctionProposal.filter(**span).exists() or await SanctionCase.filter(**span).exists()
            )
            if found:
                yield Period(yesterday, yesterday), ""
