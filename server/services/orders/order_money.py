"""An order's money: what its vouchers hold for it, spend on it and get back. Nobody else posts these, but
``settlement_money`` what its settlement takes and cuts.

Every change stands under the budget's lock, as every ending of a voucher does, so that a voucher never
holds for an order what has lapsed meanwhile. Where a programme promises quotas before it sets money aside,
the year's money is committed and given back side by side with what is held (GX-65, GX-84).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tortoise.expressions import F

from server import texts
from server.models.orders import Order, VoucherHold
from server.models.rounds import Budget
from server.models.vouchers import Voucher
from server.programme.issuance import IssuanceMode
from server.programme.model import Programme
from server.programme.policy import Shortage
from server.rules.budgets import require_contract_room
from server.rules.deadlines import day_of
from server.rules.deduction import Deduction, wanted
from server.rules.lifecycles import VoucherStatus
from server.rules.limits import Limit, room
from server.rules.money import Account, Basis, Movement
from server.rules.voucher_ends import Ending, end_of_voucher
from server.services.budgets import budgets, ledger, returned_money
from server.services.budgets.annual_notices import Terms
from server.services.budgets.ledger import Where
from server.services.budgets.returned_money import OfferReturned
from server.services.orders import order_book
from server.services.vouchers import order_purse
from server.services.vouchers.order_purse import NothingToPay, Purse, VoucherUnusable, WantedTooMuch
from server.units import yuan

ENDED: dict[VoucherStatus, Ending] = {
    VoucherStatus.EXPIRED: Ending.EXPIRY,
    VoucherStatus.RECLAIMED: Ending.RECLAIM,
    VoucherStatus.HANDED_BACK: Ending.HAND_BACK,
    VoucherStatus.VOIDED: Ending.VOIDING,
}
"""What happens at once to money that comes back onto a voucher that has ended meanwhile (LS-53)."""


async def reserve(order: Order, terms: Terms, *, now: datetime) -> Deduction:
    """Hold what the order's vouchers pay; in the transaction of the step, under both sides' locks.

    Raises :class:`YearNotOpen`, :class:`VoucherUnusable`, :class:`NothingToPay`, :class:`WantedTooMuch`,
    :class:`UsedTooOften`, ``ContractsPaused`` (GX-65) or, where contracts do not pause, ``BudgetTooSmall``.
    """
    programme = terms.programme
    year = await _year_of(order, programme, now)
    async with budgets.locked(year.id) as budget:
        purse = await order_purse.purse_of(order, programme, budget, now=now)
        paid = await _asked(programme, order, budget, purse.left)
        if any(voucher.basis is Basis.QUOTA for voucher in purse.vouchers):
            await _commit(order, budget, terms, paid.amount_fen, now)
        await _hold(order, purse, paid.amount_fen, now)
    named = purse.vouchers[0].id if len(purse.vouchers) == 1 else order.voucher_id
    await order_book.change(
        order,
        budget_id=year.id,
        voucher_id=named,
        voucher_fen=paid.amount_fen,
        clause=paid.clause,
        arithmetic=paid.arithmetic,
    )
    return paid


async def _asked(programme: Programme, order: Order, budget: Budget | None, left: Limit) -> Deduction:
    """What is to be paid: as much as may be, or what the enterprise wants, which must be within it."""
    most = await order_purse.payable(programme, order, budget, others=[left])
    if not most.amount_fen:
        raise NothingToPay(clause=most.clause, arithmetic=most.arithmetic)
    if order.wanted_fen is None:
        return most
    if order.wanted_fen > most.amount_fen:
        raise WantedTooMuch(
            clause=most.clause,
            arithmetic=most.arithmetic,
            asked=yuan(order.wanted_fen),
            most=yuan(most.amount_fen),
        )
    return await order_purse.payable(programme, order, budget, others=[left, wanted(order.wanted_fen)])


async def _year_of(order: Order, programme: Programme, now: datetime) -> Budget:
    """The year whose money an order uses: the named voucher's, else the present one."""
    if order.voucher_id is not None:
        voucher = await Voucher.get_or_none(id=order.voucher_id)
        if voucher is None or voucher.programme_slug != programme.slug:
            raise VoucherUnusable(clause=programme.voucher.article)
        return await Budget.get(id=voucher.budget_id)
    return await order_purse.year_budget(programme.slug, programme.year_of(day_of(now)))


async def _commit(order: Order, budget: Budget, terms: Terms, amount_fen: int, now: datetime) -> None:
    """Take the same money out of the year, which a promised quota never did (GX-65)."""
    programme = terms.programme
    require_contract_room(programme, order_purse.money_left(budget, terms), amount_fen)
    if terms.budget_fen is not None and terms.set_by is not None:
        taken = await order_purse.committed_fen(budget.id, terms.kind)
        left = room(terms.budget_fen, taken, clause=terms.set_by.article, name=texts.LIMITS["kind_budget"])
        require_contract_room(programme, left, amount_fen)
    if programme.budget.on_shortage is not Shortage.PAUSE_CONTRACTS and amount_fen > budget.free_fen:
        raise budgets.too_small(budget.free_fen, amount_fen)
    await Budget.filter(id=budget.id).update(committed_fen=F("committed_fen") + amount_fen)
    await ledger.post(Movement.COMMIT, amount_fen, on_year(order, budget.id), at=now)


async def _hold(order: Order, purse: Purse, amount_fen: int, now: datetime) -> None:
    """Take the amount from the vouchers that lapse first."""
    for voucher in purse.vouchers:
        part_fen = min(amount_fen, purse.free_fen[voucher.id])
        if not part_fen:
            continue
        amount_fen -= part_fen
        hold, made = await VoucherHold.get_or_create(
            order_id=order.id, voucher_id=voucher.id, defaults={"held_fen": part_fen, "held_at": now}
        )
        if not made:
            await VoucherHold.filter(id=hold.id).update(held_fen=F("held_fen") + part_fen)
        await ledger.post(Movement.HOLD, part_fen, on_voucher(voucher, order), at=now)
    assert not amount_fen, f"{yuan(amount_fen)} more than is free for order {order.id}"


async def hold_issued(order: Order, voucher: Voucher, *, now: datetime) -> None:
    """Hold all of a voucher that was issued for this one order (NX-10); under the budget's lock."""
    fen = voucher.face_value_fen
    await _hold(order, Purse((voucher,), {voucher.id: fen}, Limit(fen, "", "")), fen, now)
    await order_book.change(
        order, budget_id=voucher.budget_id, voucher_id=voucher.id, voucher_fen=voucher.face_value_fen
    )


async def work_out(
    order: Order, programme: Programme, *, offer: OfferReturned | None, now: datetime
) -> Deduction | None:
    """Work out anew what vouchers pay, on amounts that have become known; never more than is held.

    What is held beyond it comes back at once (LS-30, GZ-100), as in :func:`release`. ``None`` while nothing
    is held.
    """
    holds = await order_purse.holds_of(order.id)
    held_fen = sum(hold.held_fen for hold in holds)
    if not held_fen or order.budget_id is None:
        return None
    async with budgets.locked(order.budget_id) as budget:
        held = order_purse.held_limit(held_fen, order.clause)
        if order.wanted_fen is not None and order.wanted_fen < held_fen:
            held = wanted(order.wanted_fen)
        paid = await order_purse.payable(programme, order, None, others=[held])
        await _give_back(order, holds, held_fen - paid.amount_fen, budget, programme, offer, now)
    await order_book.change(
        order, voucher_fen=paid.amount_fen, clause=paid.clause, arithmetic=paid.arithmetic
    )
    return paid


async def consume(order: Order, programme: Programme, *, now: datetime) -> int:
    """Spend what is held, after it was worked out anew; returns how much, fen."""
    if order.budget_id is None:
        return 0
    spent_fen = 0
    async with budgets.locked(order.budget_id):
        for hold in await order_purse.holds_of(order.id):
            if not hold.held_fen:
                continue
            await VoucherHold.filter(id=hold.id).update(held_fen=0, spent_fen=F("spent_fen") + hold.held_fen)
            await ledger.post(Movement.REDEEM, hold.held_fen, on_voucher(hold.voucher, order), at=now)
            spent_fen += hold.held_fen
            await _use_up(hold.voucher)
    return spent_fen


async def release(
    order: Order, programme: Programme, *, offer: OfferReturned | None, burnt: bool = False, now: datetime
) -> int:
    """Give back all that an order holds, fen; in the transaction that ends the order.

    What comes back to a voucher that has ended meanwhile ends with it (LS-53), and goes where the programme
    lets such money go; ``offer`` serves a round's waiting list. ``burnt``: no voucher has it back, and it
    counts as used.
    """
    if order.budget_id is None:
        return 0
    async with budgets.locked(order.budget_id) as budget:
        holds = await order_purse.holds_of(order.id)
        held_fen = sum(hold.held_fen for hold in holds)
        await _give_back(order, holds, held_fen, budget, programme, offer, now, burnt=burnt)
    return int(held_fen)


async def unspend(order: Order, programme: Programme, *, now: datetime) -> int:
    """Take a payment back onto its vouchers (GZ-101), fen; whoever calls it knows none has lapsed."""
    if order.budget_id is None:
        return 0
    back_fen = 0
    async with budgets.locked(order.budget_id):
        for hold in await order_purse.holds_of(order.id):
            if not hold.spent_fen:
                continue
            await VoucherHold.filter(id=hold.id).update(held_fen=F("held_fen") + hold.spent_fen, spent_fen=0)
            await ledger.post(Movement.TAKE_BACK, hold.spent_fen, on_voucher(hold.voucher, order), at=now)
            back_fen += hold.spent_fen
            await Voucher.filter(id=hold.voucher_id, status=VoucherStatus.USED_UP).update(
                status=VoucherStatus.ACTIVE
            )
    return back_fen


async def _give_back(
    order: Order,
    holds: Sequence[VoucherHold],
    amount_fen: int,
    budget: Budget,
    programme: Programme,
    offer: OfferReturned | None,
    now: datetime,
    *,
    burnt: bool = False,
) -> None:
    """Let an amount go, from the last voucher held first; a promise and its money go side by side."""
    uncommitted_fen = 0
    for hold in reversed(holds):
        part_fen = min(amount_fen, hold.held_fen)
        if not part_fen:
            continue
        amount_fen -= part_fen
        await VoucherHold.filter(id=hold.id).update(held_fen=F("held_fen") - part_fen)
        await ledger.post(Movement.RELEASE, part_fen, on_voucher(hold.voucher, order), at=now)
        if hold.voucher.basis is Basis.QUOTA:
            uncommitted_fen += part_fen
        await _follow(hold.voucher, part_fen, order, budget, programme, offer, now, burnt=burnt)
    if uncommitted_fen:
        await Budget.filter(id=budget.id).update(committed_fen=F("committed_fen") - uncommitted_fen)
        await ledger.post(Movement.UNCOMMIT, uncommitted_fen, on_year(order, budget.id), at=now)


async def _follow(
    voucher: Voucher,
    amount_fen: int,
    order: Order,
    budget: Budget,
    programme: Programme,
    offer: OfferReturned | None,
    now: datetime,
    *,
    burnt: bool,
) -> None:
    """What came back to a voucher that has ended shares its end; what is burnt is taken back at once."""
    voucher = await Voucher.get(id=voucher.id)
    ending = ENDED.get(voucher.status)
    if ending is None and (burnt or voucher.reclaimed_at is not None):
        ending = Ending.RECLAIM
    if ending is None:
        await _reopen(voucher)
        return
    end = end_of_voucher(
        programme,
        ending,
        voucher.basis,
        held_fen=0,
        spent_fen=0,
        same_year=programme.year_of(now) == budget.year,
    )
    where = on_voucher(voucher, order)
    if end.movement is not None:
        await ledger.post(end.movement, amount_fen, where, at=now)
    if end.given_back and not burnt:
        await Voucher.filter(id=voucher.id).update(given_back_fen=F("given_back_fen") + amount_fen)
        if programme.issuance.mode is IssuanceMode.GRAB:
            # A gate that counts quotas sees the gap in the numbers, and counts anew.
            await budgets.raise_version(budget)
    if voucher.status is VoucherStatus.ACTIVE:
        await _use_up(voucher, otherwise=VoucherStatus.RECLAIMED)
    await returned_money.pass_on(end, amount_fen, where, offer=offer, now=now)


async def _reopen(voucher: Voucher) -> None:
    if voucher.status is VoucherStatus.USED_UP:
        await Voucher.filter(id=voucher.id, status=VoucherStatus.USED_UP).update(status=VoucherStatus.ACTIVE)


async def _use_up(voucher: Voucher, *, otherwise: VoucherStatus = VoucherStatus.USED_UP) -> None:
    """An active voucher with nothing free and nothing held is used up, or has ended as it was to end."""
    sums = (await ledger.balances_of_vouchers([voucher.enterprise_id], [voucher.id]))[voucher.id]
    if sums[Account.AVAILABLE] or sums[Account.HELD]:
        return
    spent = sums[Account.REDEEMED] or sums[Account.DISBURSED]
    status = VoucherStatus.USED_UP if spent else otherwise
    await Voucher.filter(id=voucher.id, status=VoucherStatus.ACTIVE).update(status=status)


def on_voucher(voucher: Voucher, order: Order) -> Where:
    """What an entry says of an order's money that a voucher pays."""
    return Where(
        voucher.budget_id,
        round_id=voucher.round_id,
        enterprise_id=voucher.enterprise_id,
        voucher_id=voucher.id,
        order_id=order.id,
        provider_id=order.provider_id,
        category=order.category,
    )


def on_year(order: Order, budget_id: int) -> Where:
    """The same of an order's money that no voucher has yet."""
    return Where(
        budget_id,
        enterprise_id=order.enterprise_id,
        order_id=order.id,
        provider_id=order.provider_id,
        category=order.category,
    )
