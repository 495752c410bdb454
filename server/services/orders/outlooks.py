"""Outlooks: what a contract could get from vouchers, and what money there is, before anybody signs.

Where a voucher is issued only for a signed contract, and where signing pauses when money runs short, the
parties must be able to see both beforehand (GX-64, and our reading of NX-18). Nothing here is a promise.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from server.models.rounds import Budget, Round
from server.programme.issuance import IssuanceMode
from server.programme.registry import Programmes
from server.rules.deadlines import day_of
from server.rules.deduction import Deduction, Prices, Used, deduction
from server.rules.lifecycles import RoundStatus
from server.rules.limits import Limit
from server.rules.payments import Payments, payments
from server.rules.quota import quota_left
from server.rules.scope import scope_unmet
from server.services import access
from server.services.access import Actor
from server.services.budgets.annual_notices import AnnualNotices, Terms
from server.services.clocks import ProgrammeClocks
from server.services.orders.order_opening import OutOfScope
from server.services.rounds import entitlements
from server.services.vouchers import order_purse


@dataclass(frozen=True, slots=True)
class Period:
    """A period that takes requests now, and what it has left, fen."""

    round_id: int
    title: str
    left_fen: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a contract could get at this instant, how its price would be paid, and what money there is.

    ``year_left``  what the year's money still covers; ``None`` where the year has no budget yet
    """

    paid: Deduction
    shares: Payments
    year_left: Limit | None
    periods: tuple[Period, ...]


class Outlooks:
    """Looking ahead; nothing is changed or set aside. Instants are those of the programme's clock."""

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks, notices: AnnualNotices) -> None:
        self.programmes = programmes
        self.clocks = clocks
        self.notices = notices

    async def ahead(self, slug: str, *, category: str, amount_fen: int, kind: str, actor: Actor) -> Outlook:
        """What the actor's organisation could get, as the enterprise, on a contract of this category.

        Raises ``UnknownProgramme``, ``KindUnknown``, ``KindNotAnnounced``, ``OutOfScope``.
        """
        programme, now = self.programmes.get(slug), self.clocks.now(slug)
        terms = self.notices.terms(programme, kind, day_of(now))
        unmet = scope_unmet(terms.programme, category, ())
        if unmet:
            raise OutOfScope(clause=unmet[0].clause, unmet=unmet, first=unmet[0].message)
        budget = await Budget.get_or_none(programme_slug=slug, year=programme.year_of(day_of(now)))
        left = None
        if budget is not None:
            left = await _own_left(terms, budget, access.organisation_id_of(actor), now)
        paid = deduction(
            terms.programme,
            category,
            Prices(contract_fen=amount_fen),
            used=Used(),
            others=[] if left is None else [left],
        )
        return Outlook(
            paid=paid,
            shares=payments(programme.own_share, amount_fen, paid.amount_fen),
            year_left=None if budget is None else order_purse.money_left(budget, terms),
            periods=() if budget is None else await _periods(budget, now),
        )


async def _own_left(terms: Terms, budget: Budget, enterprise_id: int, now: datetime) -> Limit | None:
    """What the enterprise itself still has: on its vouchers where it was promised a quota, else of it."""
    if terms.programme.issuance.mode is IssuanceMode.ALLOTMENT:
        held = await order_purse.purse(
            terms.programme, budget, enterprise_id=enterprise_id, kind=terms.kind, now=now
        )
        return held.left
    taken = await entitlements.taken_fen(terms.programme, budget.id, [enterprise_id])
    return quota_left(terms.programme, None, taken.get(enterprise_id, 0), {})


async def _periods(budget: Budget, now: datetime) -> tuple[Period, ...]:
    rows = await Round.filter(
        budget_id=budget.id, status=RoundStatus.SCHEDULED, opens_at__lte=now, closes_at__gt=now
    ).order_by("id")
    return tuple(Period(row.id, row.title, row.pool_fen - row.issued_fen) for row in rows)
