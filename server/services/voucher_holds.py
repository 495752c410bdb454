"""Holds: at the signing of a contract the promised quota is frozen and the year's money is committed.

The two move side by side (``rules/money.py``): a contract never holds more of a quota than the year can
pay, because both are taken under the budget's lock or neither is (GX-65); and both come back together when
the contract comes to nothing (GX-84).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tortoise.expressions import F
from tortoise.functions import Sum

from server import texts
from server.errors import Refusal
from server.models.contracts import Contract, VoucherHold
from server.models.rounds import Budget
from server.models.vouchers import Voucher
from server.programme.model import Programme
from server.programme.policy import Shortage
from server.rules.budgets import contract_room, require_contract_room
from server.rules.contracts import ContractStatus
from server.rules.deadlines import day_of
from server.rules.deduction import Deduction, Prices, Used, deduction, wanted
from server.rules.lifecycles import VoucherStatus
from server.rules.limits import Limit, room
from server.rules.money import Account, Movement
from server.services import budgets, ledger
from server.services.annual_notices import Terms
from server.services.ledger import Where
from server.units import yuan

ENDED: dict[VoucherStatus, Movement] = {
    VoucherStatus.EXPIRED: Movement.EXPIRE,
    VoucherStatus.RECLAIMED: Movement.RECLAIM,
    VoucherStatus.HANDED_BACK: Movement.HAND_BACK,
    VoucherStatus.VOIDED: Movement.VOID,
}
"""What happens at once to money that comes back onto a voucher that has ended meanwhile."""


class YearNotOpen(Refusal):
    """The programme year has no budget yet."""

    status, code = 409, "year_not_open"


class NothingToPay(Refusal):
    """The voucher would pay nothing: one of the limits leaves no room."""

    status, code = 409, "nothing_to_pay"


@dataclass(frozen=True, slots=True)
class Purse:
    """An enterprise's vouchers of one kind in one year, and what is free on each, fen."""

    vouchers: tuple[Voucher, ...]
    free_fen: dict[int, int]

    def left(self, programme: Programme) -> Limit:
        """What is left of the year's quota, in one sum over the vouchers (GX-56)."""
        total_fen = sum(voucher.face_value_fen for voucher in self.vouchers)
        used_fen = total_fen - sum(self.free_fen.values())
        return room(total_fen, used_fen, clause=programme.issuance.article, name=texts.LIMITS["quota"])


async def year_budget(slug: str, year: int) -> Budget:
    """The budget of a programme year. Raises :class:`YearNotOpen`."""
    budget = await Budget.get_or_none(programme_slug=slug, year=year)
    if budget is None:
        raise YearNotOpen(year=year)
    return budget


async def purse(budget: Budget, enterprise_id: int, kind: str, *, now: datetime) -> Purse:
    """The vouchers that may pay now: of this year and kind, active, not over."""
    vouchers = await Voucher.filter(
        budget_id=budget.id,
        enterprise_id=enterprise_id,
        provider_id=None,
        kind=kind,
        status=VoucherStatus.ACTIVE,
        valid_until__gt=now,
    ).order_by("serial", "id")
    balances = await ledger.balances_of_vouchers([enterprise_id], [one.id for one in vouchers])
    return Purse(tuple(vouchers), {one.id: balances[one.id][Account.AVAILABLE] for one in vouchers})


def payable(
    terms: Terms, category: str, amount_fen: int, left: Limit, wanted_fen: int | None = None
) -> Deduction:
    """What vouchers pay on a contract: the smallest of rate, caps, quota left and what is wanted."""
    others = [left] if wanted_fen is None else [left, wanted(wanted_fen)]
    return deduction(terms.programme, category, Prices(contract_fen=amount_fen), used=Used(), others=others)


async def freeze(contract: Contract, terms: Terms, *, now: datetime) -> tuple[Budget, Deduction]:
    """Hold what the contract's vouchers pay, and commit the same money of the year.

    Call it in the transaction of the signing, under the enterprise's lock. Raises :class:`YearNotOpen`,
    :class:`NothingToPay`, ``ContractsPaused`` (GX-65) or, where contracts do not pause, ``BudgetTooSmall``.
    """
    programme = terms.programme
    year = await year_budget(programme.slug, programme.year_of(day_of(now)))
    async with budgets.locked(year.id) as budget:
        held = await purse(budget, contract.enterprise_id, contract.kind, now=now)
        paid = payable(
            terms, contract.category, contract.amount_fen, held.left(programme), contract.wanted_fen
        )
        if not paid.amount_fen:
            raise NothingToPay(clause=paid.clause, arithmetic=paid.arithmetic)
        await _require_money(budget, terms, paid.amount_fen)
        await Budget.filter(id=budget.id).update(committed_fen=F("committed_fen") + paid.amount_fen)
        where = Where(
            budget.id,
            enterprise_id=contract.enterprise_id,
            provider_id=contract.provider_id,
            category=contract.category,
        )
        await ledger.post(Movement.COMMIT, paid.amount_fen, where, at=now)
        await _hold(contract, held, paid.amount_fen, budget, now)
    return budget, paid


async def release(contract: Contract, *, now: datetime) -> int:
    """Give back what a contract holds, fen; call it in the transaction that ends the contract.

    What comes back to a voucher that has ended meanwhile ends with it: it keeps its original expiry.
    """
    if contract.budget_id is None:
        return 0
    released_fen = 0
    async with budgets.locked(contract.budget_id) as budget:
        for hold in await VoucherHold.filter(contract_id=contract.id, released_at=None).order_by("id"):
            await VoucherHold.filter(id=hold.id, released_at=None).update(released_at=now)
            voucher = await Voucher.get(id=hold.voucher_id)
            where = _on(voucher, contract)
            await ledger.post(Movement.RELEASE, hold.amount_fen, where, at=now)
            ended = ENDED.get(voucher.status)
            if ended is not None:
                await ledger.post(ended, hold.amount_fen, where, at=now)
            released_fen += hold.amount_fen
        if released_fen:
            await Budget.filter(id=budget.id).update(committed_fen=F("committed_fen") - released_fen)
            where = Where(
                budget.id,
                enterprise_id=contract.enterprise_id,
                provider_id=contract.provider_id,
                category=contract.category,
            )
            await ledger.post(Movement.UNCOMMIT, released_fen, where, at=now)
    return released_fen


async def committed_fen(budget_id: int, kind: str) -> int:
    """What signed contracts have taken of a year's money on one kind of voucher, fen."""
    rows: Sequence[dict[str, int | None]] = await (
        Contract.filter(budget_id=budget_id, kind=kind, status=ContractStatus.SIGNED)
        .annotate(total_fen=Sum("voucher_fen"))
        .values("total_fen")
    )
    return int(rows[0]["total_fen"] or 0) if rows else 0


def money_left(budget: Budget, terms: Terms) -> Limit:
    """What the year still covers: its total, less what is settled, less what is signed (GX-65)."""
    given_fen = budget.total_fen + budget.returned_fen - budget.allotted_fen
    # What is settled stays committed: it never becomes free again.
    return contract_room(terms.programme, total_fen=given_fen, settled_fen=0, signed_fen=budget.committed_fen)


async def _require_money(budget: Budget, terms: Terms, amount_fen: int) -> None:
    programme = terms.programme
    require_contract_room(programme, money_left(budget, terms), amount_fen)
    if terms.budget_fen is not None and terms.set_by is not None:
        taken_fen = await committed_fen(budget.id, terms.kind)
        left = room(
            terms.budget_fen, taken_fen, clause=terms.set_by.article, name=texts.LIMITS["kind_budget"]
        )
        require_contract_room(programme, left, amount_fen)
    if programme.budget.on_shortage is not Shortage.PAUSE_CONTRACTS and amount_fen > budget.free_fen:
        raise budgets.too_small(budget.free_fen, amount_fen)


async def _hold(contract: Contract, held: Purse, amount_fen: int, budget: Budget, now: datetime) -> None:
    """Take the amount from the oldest vouchers first."""
    for voucher in held.vouchers:
        part_fen = min(amount_fen, held.free_fen[voucher.id])
        if not part_fen:
            continue
        amount_fen -= part_fen
        await VoucherHold.create(
            contract_id=contract.id, voucher_id=voucher.id, amount_fen=part_fen, held_at=now
        )
        await ledger.post(Movement.HOLD, part_fen, _on(voucher, contract), at=now)
    assert not amount_fen, f"{yuan(amount_fen)} more than is free in budget {budget.id}"


def _on(voucher: Voucher, contract: Contract) -> Where:
    return Where(
        voucher.budget_id,
        round_id=voucher.round_id,
        enterprise_id=voucher.enterprise_id,
        voucher_id=voucher.id,
        provider_id=contract.provider_id,
        category=contract.category,
    )
