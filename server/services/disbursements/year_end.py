"""Year end: what a programme year leaves behind, as a list that officials can look at beforehand.

Approved and unpaid: it is paid first of the next year's money where the text says so (GX-61), from the money
it was promised of elsewhere. What ends with the year is named beside it. The list is written once, on the
first day of the next year; looked at before, it is the same list for the day that is asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.disbursements import YearEnd
from server.models.orders import VoucherHold
from server.models.rounds import Budget
from server.models.settlements import Settlement
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.programme.vocabulary import Actor as Role
from server.rules.deadlines import day_of
from server.rules.money import Basis, Movement
from server.rules.settlements import SettlementStatus
from server.services import access, journal, outbox
from server.services.access import CLOCK, Actor
from server.services.budgets import budgets, ledger
from server.services.budgets.ledger import Where
from server.services.clocks import ProgrammeClocks
from server.services.disbursements import disbursement_book, year_money
from server.services.disbursements.payment_plan import in_line
from server.services.settlements import settlement_book
from server.services.vouchers import order_purse
from server.units import yuan

UNPAID = (SettlementStatus.PAYABLE, SettlementStatus.AWAITING_BUDGET, SettlementStatus.IN_PAYMENT)


class YearNotOver(Refusal):
    """The year has not ended: what it leaves behind can be looked at, and nothing more."""

    status, code = 409, "year_not_over"


@dataclass(frozen=True, slots=True)
class YearList:
    """What a year leaves behind: sums, what is carried in its order, what lapses."""

    programme_slug: str
    year: int
    budget_id: int
    ended_on: date
    figures: dict[str, int]
    carried: list[dict[str, Any]]
    lapsed: list[dict[str, Any]]
    taken_at: datetime | None = None


class YearEnds:
    """The verbs at a year's end."""

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks) -> None:
        self._programmes = programmes
        self._clocks = clocks

    async def preview(self, slug: str, year: int, *, actor: Actor) -> YearList:
        """The list as it would be written if the year ended now; where it was written, that. Writes nothing.

        Raises ``YearNotOpen``, ``NotFound``.
        """
        access.require_programme(actor, slug)
        programme = self._programmes.get(slug)
        written = await YearEnd.get_or_none(programme_slug=slug, year=year)
        if written is not None:
            return _as_written(written)
        return await _listed(programme, await order_purse.year_budget(slug, year))

    async def end_due(self, slug: str) -> int:
        """Write the list of every year that is over and has none, and carry what is to be; how many."""
        programme, now = self._programmes.get(slug), self._clocks.now(slug)
        this_year, ended = programme.year_of(now), 0
        for budget in await Budget.filter(programme_slug=slug, year__lt=this_year).order_by("year"):
            if not await YearEnd.exists(programme_slug=slug, year=budget.year):
                ended += await self._end(programme, budget, now)
        return ended

    async def take(self, slug: str, year: int, *, actor: Actor) -> YearList:
        """Write the list of a year that is over, where the job has not yet. Raises :class:`YearNotOver`."""
        access.require_programme(actor, slug)
        programme, now = self._programmes.get(slug), self._clocks.now(slug)
        budget = await order_purse.year_budget(slug, year)
        if year >= programme.year_of(now):
            raise YearNotOver(year=year, clause=programme.budget.article)
        if not await YearEnd.exists(programme_slug=slug, year=year):
            await self._end(programme, budget, now, actor=actor)
        return _as_written(await YearEnd.get(programme_slug=slug, year=year))

    async def _end(self, programme: Programme, budget: Budget, now: datetime, *, actor: Actor = CLOCK) -> int:
        seen = await Settlement.filter(budget_id=budget.id, status__in=UNPAID).order_by("id")
        try:
            async with in_transaction() as connection:
                rows = await disbursement_book.lock(seen, connection)
                found = await _listed(programme, budget)
                end = await YearEnd.create(
                    programme_slug=programme.slug,
                    year=budget.year,
                    budget_id=budget.id,
                    ended_on=found.ended_on,
                    figures=found.figures,
                    carried=found.carried,
                    lapsed=found.lapsed,
                    taken_at=now,
                )
                for one in rows:
                    await self._mark(programme, budget, one, now)
                await journal.record(
                    "year.ended", f"year_end:{end.id}", actor=actor.name, at=now,
                    programme_slug=programme.slug, year=budget.year, **found.figures,
                )  # fmt: skip
                for role in (Role.OPERATOR, Role.AUTHORITY):
                    await outbox.tell(
                        outbox.team(role, programme.slug), "disbursement.year_ended", at=now,
                        programme=programme.slug, year=budget.year, count=len(found.carried),
                        amount=yuan(found.figures["carried_fen"]),
                    )  # fmt: skip
        except IntegrityError:
            return 0  # Another process wrote it at this moment.
        return 1

    async def _mark(self, programme: Programme, budget: Budget, one: Settlement, now: datetime) -> None:
        """Carry one over: known by its year, and waiting for the next one's money where the text says so."""
        if one.status is SettlementStatus.IN_PAYMENT:
            return  # With the bank: it is paid of its own year, or comes back and is carried then.
        columns: dict[str, Any] = {"carried_from_year": one.carried_from_year or budget.year}
        if programme.budget.unpaid_first_next_year and one.status is SettlementStatus.PAYABLE:
            columns["status"] = SettlementStatus.AWAITING_BUDGET
        await settlement_book.change(one, **columns)
        await settlement_book.note("settlement.carried", one, CLOCK, now, year=budget.year)
        await settlement_book.tell("disbursement.carried", one, [one.provider_id], now=now, year=budget.year)

    async def carry_due(self, slug: str) -> int:
        """Give what was carried over its place in the year that is open now, before anybody else; how many.

        Where a promise stands behind it, the promise's money moves with it from year to year (GX-61).
        """
        programme, now = self._programmes.get(slug), self._clocks.now(slug)
        if not programme.budget.unpaid_first_next_year:
            return 0
        opened = await Budget.get_or_none(programme_slug=slug, year=programme.year_of(now))
        if opened is None:
            return 0
        # What the bank sent back after its year had ended is carried from then on.
        for earlier in await Budget.filter(programme_slug=slug, year__lt=opened.year):
            await Settlement.filter(
                budget_id=earlier.id, status=SettlementStatus.PAYABLE, carried_from_year=None
            ).update(carried_from_year=earlier.year, status=SettlementStatus.AWAITING_BUDGET)
        waiting = Settlement.filter(
            programme_slug=slug,
            carried_from_year__lt=opened.year,
            status=SettlementStatus.AWAITING_BUDGET,
        ).exclude(budget_id=opened.id)
        carried = 0
        for one in in_line(programme, opened.year, await waiting.select_related("order").order_by("id")):
            if not await self._carry(one, opened, now):
                break  # Nobody overtakes.
            carried += 1
        return carried

    async def _carry(self, seen: Settlement, opened: Budget, now: datetime) -> bool:
        async with in_transaction() as connection:
            (one,) = await disbursement_book.lock([seen], connection)
            if one.status is not SettlementStatus.AWAITING_BUDGET or one.budget_id in (None, opened.id):
                return True
            assert one.budget_id is not None
            promised_fen = await _promised_fen(one)
            # The lower id first, as everybody does who needs two years.
            first, second = sorted((one.budget_id, opened.id))
            async with budgets.locked(first), budgets.locked(second):
                year = await Budget.get(id=opened.id)
                if promised_fen > year.free_fen:
                    return False
                if promised_fen:
                    await _move_commitment(one, opened.id, promised_fen, now)
                    await settlement_book.change(one, budget_id=opened.id, status=SettlementStatus.PAYABLE)
                else:
                    # Its money was real and is still its own year's.
                    await settlement_book.change(one, status=SettlementStatus.PAYABLE)
            await settlement_book.note("settlement.adopted", one, CLOCK, now, year=opened.year)
        return True


async def _move_commitment(one: Settlement, budget_id: int, fen: int, now: datetime) -> None:
    """The committed money goes back to the year that could not pay, and is taken of the one that will."""
    assert one.budget_id is not None
    for movement, year_id, sign in ((Movement.UNCOMMIT, one.budget_id, -1), (Movement.COMMIT, budget_id, 1)):
        await Budget.filter(id=year_id).update(committed_fen=F("committed_fen") + sign * fen)
        where = Where(
            year_id,
            enterprise_id=one.enterprise_id,
            order_id=one.order_id,
            provider_id=one.provider_id,
            category=one.category,
        )
        await ledger.post(movement, fen, where, at=now)


async def _promised_fen(one: Settlement) -> int:
    """What of a settlement stands on a promise, fen."""
    holds = await VoucherHold.filter(order_id=one.order_id).select_related("voucher")
    return sum(hold.held_fen + hold.spent_fen for hold in holds if hold.voucher.basis is Basis.QUOTA)


async def _listed(programme: Programme, budget: Budget) -> YearList:
    """The list for a year as the rows stand."""
    unpaid = await Settlement.filter(budget_id=budget.id, status__in=UNPAID).select_related("order")
    carried = in_line(programme, budget.year, unpaid)
    first = programme.budget.unpaid_first_next_year
    reason = texts.CARRIED_REASON["first" if first else "stays"]
    lapsed: list[Settlement] = []
    if programme.settlement.result_same_year:
        waiting = Settlement.filter(
            programme_slug=programme.slug,
            year=budget.year,
            # What was handed in came in time, however long its review takes (YC-26).
            status=SettlementStatus.DRAFT,
        )
        lapsed = await waiting.select_related("order").order_by("id")
    money = await year_money.of(budget)
    return YearList(
        programme_slug=programme.slug,
        year=budget.year,
        budget_id=budget.id,
        ended_on=last_day(programme, budget.year),
        figures={
            "total_fen": money.total_fen,
            "paid_fen": money.paid_fen,
            "carried_fen": sum(one.amount_fen for one in carried),
            "carried": len(carried),
            "lapsed_fen": sum(one.amount_fen for one in lapsed),
            "lapsed": len(lapsed),
            "held_fen": money.held_fen,
            "free_fen": money.free_fen,
        },
        carried=[_line(one, reason, programme.budget.article) for one in carried],
        lapsed=[_line(one, texts.LAPSED_REASON["same_year"], programme.settlement.article) for one in lapsed],
    )


def last_day(programme: Programme, year: int) -> date:
    """The last day of a programme year, or the last on which the programme is in force."""
    day = date(year, 1, 1)
    while programme.year_of(day) < year:
        day += timedelta(days=1)
    while programme.year_of(day) == year and day.year <= year + 1:
        day += timedelta(days=28)
    while programme.year_of(day) != year:
        day -= timedelta(days=1)
    return min(day, programme.valid_until or day)


def _line(one: Settlement, reason: str, clause: str) -> dict[str, Any]:
    return {
        "settlement": one.id,
        "number": one.number,
        "provider": one.provider_id,
        "status": one.status.value,
        "amount_fen": one.amount_fen,
        "approved_on": "" if one.payable_at is None else day_of(one.payable_at).isoformat(),
        "reason": reason,
        "clause": clause,
    }


def _as_written(row: YearEnd) -> YearList:
    return YearList(
        programme_slug=row.programme_slug,
        year=row.year,
        budget_id=row.budget_id,
        ended_on=row.ended_on,
        figures=row.figures,
        carried=row.carried,
        lapsed=row.lapsed,
        taken_at=row.taken_at,
    )


async def written(actor: Actor) -> Sequence[YearEnd]:
    """Every list that was written, of the programmes of whoever asks, the newest year first."""
    rows = YearEnd.filter(access.within_programmes(actor, "programme_slug"))
    return await rows.order_by("-year", "programme_slug")
