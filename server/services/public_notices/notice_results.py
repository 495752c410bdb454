"""Results: what was paid is published, for good, where the programme says so (GZ-103).

A notice that nobody objects to, published by itself once a day: everything on it was decided, put up and paid
before. A settlement is published once. Lines of settlements, on both kinds of notice, are made here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from tortoise.expressions import Subquery
from tortoise.transactions import in_transaction

from server import texts
from server.models.public_notices import NoticeLine, NoticeShowing, PublicNotice
from server.models.reviews import ReviewCase
from server.models.settlements import Settlement
from server.programme.model import Programme
from server.rules.deadlines import day_of
from server.rules.public_notices import NoticeKind, NoticeStatus
from server.rules.settlements import SettlementStatus
from server.services.access import CLOCK
from server.services.public_notices.public_notices import MOST_LINES
from server.services.reviews import notice_book
from server.services.reviews.reviews import Reviews
from server.units import yuan

PAID = (SettlementStatus.PAID, SettlementStatus.CLOSED)


class NoticeResults:
    """What a settlement is shown as, and the verb that publishes results."""

    def __init__(self, reviews: Reviews) -> None:
        self.reviews = reviews

    async def settlement_line(self, case: ReviewCase) -> Mapping[str, str]:
        """What a notice shows of a settlement: both sides, the service, and what is to be paid."""
        settlement = await Settlement.get_or_none(id=case.subject_id).select_related(
            "order__provider", "order__enterprise"
        )
        if settlement is None:
            return notice_book.plain_line(case)
        return _line(settlement, self.reviews.programmes.get(case.programme_slug))

    async def publish_due(self, slug: str) -> int:
        """Publish what of a programme was paid and is not published; how many settlements."""
        programme = self.reviews.programmes.get(slug)
        if not programme.disbursement.result_published:
            return 0
        published = 0
        while paid := await self._unpublished(slug):
            await self._publish(programme, paid, self.reviews.clocks.now(slug))
            published += len(paid)
        return published

    async def _unpublished(self, slug: str) -> list[Settlement]:
        done = NoticeLine.filter(programme_slug=slug, result=True)
        paid = Settlement.filter(
            programme_slug=slug, status__in=PAID, paid_at__not_isnull=True, case_id__not_isnull=True
        ).exclude(case_id__in=Subquery(done.values("case_id")))
        rows = paid.select_related("order__provider", "order__enterprise")
        return await rows.order_by("paid_at", "id").limit(MOST_LINES)

    async def _publish(self, programme: Programme, paid: Sequence[Settlement], now: datetime) -> None:
        terms = programme.disbursement
        title = texts.NOTICE_TITLE_OF_RESULT.format(programme=programme.name, day=day_of(now).isoformat())
        async with in_transaction():
            notice = await PublicNotice.create(
                programme_slug=programme.slug,
                programme_version=programme.version,
                kind=NoticeKind.RESULT,
                title=title[:200],
                clause=terms.article,
                working_days=0,
                drafted_at=now,
            )
            lines = []
            for settlement in paid:
                # The table's own guard is the lock: of two at once the second finds it published.
                lines.append(
                    await NoticeLine.create(
                        programme_slug=programme.slug,
                        case_id=settlement.case_id,
                        arrived_at=now,
                        result=True,
                    )
                )
            shown = [_result(settlement, programme) for settlement in paid]
            await notice_book.freeze(
                notice, lines, shown, published_by=None, now=now, status=NoticeStatus.OVER
            )
            await NoticeShowing.create(
                notice_id=notice.id,
                channel=terms.result_published,
                on_platform=True,
                shown_on=day_of(now),
                recorded_at=now,
            )
            await notice_book.note("published", notice, actor=CLOCK.name, at=now, lines=len(lines))


def _line(settlement: Settlement, programme: Programme) -> dict[str, str]:
    """In the text's own words where it can be: a project's name is whatever somebody typed."""
    words, order = texts.NOTICE_LINE, settlement.order
    category = programme.category(settlement.category)
    line = {
        words["number"]: settlement.number,
        words["provider"]: order.provider.name,
        words["enterprise"]: order.enterprise.name,
        words["service"]: order.service or (settlement.category if category is None else category.name),
        words["amount"]: yuan(settlement.amount_fen),
    }
    if settlement.reduced_fen:
        line[words["reduced"]] = yuan(settlement.reduced_fen)
    return line


def _result(settlement: Settlement, programme: Programme) -> dict[str, str]:
    assert settlement.paid_at is not None, "only what was paid is published"
    return {
        **_line(settlement, programme),
        texts.NOTICE_LINE["paid_on"]: day_of(settlement.paid_at).isoformat(),
    }
