"""An order's money: what its vouchers hold for it, spend on it and get back. Nobody else posts these.

Every change stands under the budget's lock, as every ending of a voucher does, so that a voucher never
holds for an order what has lapsed meanwhile. Where a programme promises quotas before it sets money aside,
the year's money is committed and given back side by side with what is held (GX-65, GX-84).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tortoise.expressions import F
from tortoise.functions import Sum

from server import texts
from server.errors import Refusal
from server.models.orders import Order, VoucherHold
from server.models.rounds import Budget
from server.models.vouchers import Voucher
from server.programme.model import Programme
from server.programme.policy import Shortage
from server.rules.budgets import contract_room, require_contract_room
from server.rules.deadlines import day_of
from server.rules.deduction import Deduction, Prices, Used, balance, deduction, use_unmet, wanted
from server.rules.lifecycles import VOUCHER_MAY, VoucherAct, VoucherStatus
from server.rules.limits import Limit, room
from server.rules.money import Account, Basis, Movement
from server.rules.orders import COMING_TO_SOMETHING
from server.rules.voucher_ends import Ending, end_of_voucher
from server.services import budgets, ledger, rooms
from server.services.annual_notices import Terms
from server.services.ledger import Where
from server.units import yuan

ENDED: dict[VoucherStatus, Ending] = {
    VoucherStatus.EXPIRED: Ending.EXPIRY,
    VoucherStatus.RECLAIMED: Ending.RECLAIM,
    VoucherStatus.HANDED_BACK: Ending.HAND_BACK,
    VoucherStatus.VOIDED: Ending.VOIDING,
}
"""What happens at once to money that comes back onto a voucher that has ended meanwhile (LS-53)."""


class YearNotOpen(Refusal):
    """The programme year has no budget yet."""

    status, code = 409, "year_not_open"


class NothingToPay(Refusal):
    """The voucher would pay nothing: one of the limits leaves no room."""

    status, code = 409, "nothing_to_pay"


class WantedTooMuch(Refusal):
    """More is to be paid by voucher than the text, the balance or somebody's room allows."""

    status, code = 409, "wanted_too_much"


class UsedTooOften(Refusal):
    """The project, the order or the contract has used as many vouchers as the text allows (YC-13)."""

    status, code = 409, "used_too_often"


class VoucherUnusable(Refusal):
    """The voucher is not this enterprise's, not of this year and kind, or pays no more."""

    status, code = 409, "voucher_unusable"


@dataclass(frozen=True, slots=True)
class Purse:
    """The vouchers that may pay for an order now, and what is free on each, fen."""

    vouchers: tuple[Voucher, ...]
    free_fen: dict[int, int]
    left: Limit


async def year_budget(slug: str, year: int) -> Budget:
    """The budget of a programme year. Raises :class:`YearNotOpen`."""
    budget = await Budget.get_or_none(programme_slug=slug, year=year)
    if budget is None:
        raise YearNotOpen(year=year)
    return budget


def prices_of(order: Order) -> Prices:
    """The order's amounts as far as they are known."""
    return Prices(
        order_fen=order.price_fen,
        contract_fen=order.contract_fen,
        invoice_fen=order.invoice_fen,
        actual_fee_fen=order.actual_fee_fen,
        unrelated_fen=order.unrelated_fen,
    )


async def holds_of(order_id: int) -> list[VoucherHold]:
    """What an order has of each voucher, the oldest hold first, each with its voucher."""
    return await VoucherHold.filter(order_id=order_id).select_related("voucher").order_by("id")


# -- what a voucher would pay -----------------------------------------------------------------------


async def used_before(programme: Programme, order: Order) -> Used:
    """What vouchers have paid or are to pay beside this order, on the same project and contract."""
    on_contract: Sequence[Order] = []
    if order.contract_id is not None:
        on_contract = await Order.filter(
            contract_id=order.contract_id, status__in=COMING_TO_SOMETHING
        ).exclude(id=order.id)
    times = 0
    if programme.deduction_for(order.category).uses_per_project is not None:
        same = Order.filter(
            programme_slug=order.programme_slug,
            provider_id=order.provider_id,
            enterprise_id=order.enterprise_id,
            project_key=project_key(order.project),
        )
        times = await same.exclude(id=order.id).count()
    return Used(
        on_contract_fen=sum(one.voucher_fen for one in on_contract),
        times_on_project=times,
        projects_on_contract=len(on_contract),
    )


def project_key(project: str) -> str:
    """The same for one project however it was spaced or capitalised."""
    return "".join(project.split()).casefold()


async def payable(
    programme: Programme, order: Order, budget: Budget | None, *, others: Sequence[Limit] = ()
) -> Deduction:
    """What vouchers pay on an order at most: rate, caps, rooms of provider and category, and ``others``.

    ``others`` is what comes from the vouchers themselves. Raises :class:`UsedTooOften`.
    """
    used = await used_before(programme, order)
    unmet = use_unmet(programme, order.category, used)
    if unmet:
        raise UsedTooOften(
            clause=unmet[0].clause, arithmetic=unmet[0].arithmetic, unmet=unmet, project=order.project
        )
    limits = [*others]
    if budget is not None:
        limits += await _rooms(programme, order, budget)
    return deduction(programme, order.category, prices_of(order), used=used, others=limits)


async def _rooms(programme: Programme, order: Order, budget: Budget) -> list[Limit]:
    """What provider and category may still take of the year, as far as they hold an order up."""
    found = []
    provider = await rooms.provider_room(programme, order.provider_id, budget)
    if provider is not None and provider.ceiling.blocks_orders:
        found.append(provider.limit)
    category = await rooms.category_room(programme, order.category, budget)
    return found if category is None else [*found, category]


# -- holding -----------------------------------------------------------------------------------------


async def reserve(order: Order, terms: Terms, *, now: datetime) -> Deduction:
    """Hold what the order's vouchers pay; in the transaction of the step, under both sides' locks.

    Raises :class:`YearNotOpen`, :class:`VoucherUnusable`, :class:`NothingToPay`, :class:`WantedTooMuch`,
    :class:`UsedTooOften`, ``ContractsPaused`` (GX-65) or, where contracts do not pause, ``BudgetTooSmall``.
    """
    programme = terms.programme
    year = await _year_of(order, programme, now)
    async with budgets.locked(year.id) as budget:
        purse = await purse_of(order, programme, budget, now=now)
        paid = await _asked(programme, order, budget, purse.left)
        if any(voucher.basis is Basis.QUOTA for voucher in purse.vouchers):
            await _commit(order, budget, terms, paid.amount_fen, now)
        await _hold(order, purse, paid.amount_fen, now)
    named = purse.vouchers[0].id if len(purse.vouchers) == 1 else order.voucher_id
    await Order.filter(id=order.id).update(
        budget_id=year.id,
        voucher_id=named,
        voucher_fen=paid.amount_fen,
        clause=paid.clause,
        arithmetic=paid.arithmetic,
    )
    return paid


async def purse_of(order: Order, programme: Programme, budget: Budget, *, now: datetime) -> Purse:
    """The vouchers that may pay for an order now.

    Raises :class:`VoucherUnusable` for one it names that cannot pay.
    """
    found = await purse(
        programme,
        budget,
        enterprise_id=order.enterprise_id,
        kind=order.kind,
        now=now,
        voucher_id=order.voucher_id,
        most=programme.deduction_for(order.category).vouchers_per_order,
    )
    if order.voucher_id is not None and not found.vouchers:
        raise VoucherUnusable(clause=programme.voucher.article)
    return found


async def purse(
    programme: Programme,
    budget: Budget,
    *,
    enterprise_id: int,
    kind: str,
    now: datetime,
    voucher_id: int | None = None,
    most: int | None = None,
) -> Purse:
    """An enterprise's vouchers of a year and kind that pay now, the first to lapse first (GX-56).

    Where at most so many pay for one order (LS-31), those with most left.
    """
    wanted_ones = Voucher.filter(
        budget_id=budget.id,
        enterprise_id=enterprise_id,
        kind=kind,
        status=VoucherStatus.ACTIVE,
        valid_until__gt=now,
    ).exclude(basis=Basis.ON_FILE)
    if voucher_id is not None:
        wanted_ones = wanted_ones.filter(id=voucher_id)
    found = await wanted_ones.order_by("valid_until", "serial", "id")
    vouchers = [one for one in found if _may_pay(one, now)]
    balances = await ledger.balances_of_vouchers([enterprise_id], [one.id for one in vouchers])
    free = {one.id: balances[one.id][Account.AVAILABLE] for one in vouchers}
    if most is not None and len(vouchers) > most:
        vouchers = sorted(vouchers, key=lambda one: -free[one.id])[:most]
    left_fen = sum(free[one.id] for one in vouchers)
    if any(one.basis is Basis.QUOTA for one in vouchers):
        total_fen = sum(one.face_value_fen for one in vouchers)
        used_fen = total_fen - left_fen
        left = room(total_fen, used_fen, clause=programme.issuance.article, name=texts.LIMITS["quota"])
    else:
        left = Limit(left_fen, programme.voucher.article, balance(left_fen).arithmetic)
    return Purse(tuple(vouchers), free, left)


def _may_pay(voucher: Voucher, now: datetime) -> bool:
    """Active, and not past a deadline to order that only its job has not come by for yet (GZ-38)."""
    in_time = voucher.order_deadline is None or now < voucher.order_deadline
    return VoucherAct.PAY in VOUCHER_MAY[voucher.status] and in_time and voucher.reclaimed_at is None


async def _asked(programme: Programme, order: Order, budget: Budget | None, left: Limit) -> Deduction:
    """What is to be paid: as much as may be, or what the enterprise wants, which must be within it."""
    most = await payable(programme, order, budget, others=[left])
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
    return await payable(programme, order, budget, others=[left, wanted(order.wanted_fen)])


async def _year_of(order: Order, programme: Programme, now: datetime) -> Budget:
    """The year whose money an order uses: the named voucher's, else the present one."""
    if order.voucher_id is not None:
        voucher = await Voucher.get_or_none(id=order.voucher_id)
        if voucher is None or voucher.programme_slug != programme.slug:
            raise VoucherUnusable(clause=programme.voucher.article)
        return await Budget.get(id=voucher.budget_id)
    return await year_budget(programme.slug, programme.year_of(day_of(now)))


async def _commit(order: Order, budget: Budget, terms: Terms, amount_fen: int, now: datetime) -> None:
    """Take the same money out of the year, which a promised quota never did (GX-65)."""
    programme = terms.programme
    require_contract_room(programme, money_left(budget, terms), amount_fen)
    if terms.budget_fen is not None and terms.set_by is not None:
        taken = await committed_fen(budget.id, terms.kind)
        left = room(terms.budget_fen, taken, clause=terms.set_by.article, name=texts.LIMITS["kind_budget"])
        require_contract_room(programme, left, amount_fen)
    if programme.budget.on_shortage is not Shortage.PAUSE_CONTRACTS and amount_fen > budget.free_fen:
        raise budgets.too_small(budget.free_fen, amount_fen)
    await Budget.filter(id=budget.id).update(committed_fen=F("committed_fen") + amount_fen)
    await ledger.post(Movement.COMMIT, amount_fen, _year(order, budget.id), at=now)


def money_left(budget: Budget, terms: Terms) -> Limit:
    """What the year still covers: its total, less what is settled, less what is signed (GX-65)."""
    given_fen = budget.total_fen + budget.returned_fen - budget.allotted_fen
    # What is settled stays committed: it never becomes free again.
    return contract_room(terms.programme, total_fen=given_fen, settled_fen=0, signed_fen=budget.committed_fen)


async def committed_fen(budget_id: int, kind: str) -> int:
    """What orders have taken of a year's money on one kind of voucher, fen."""
    rows = await (
        VoucherHold.filter(voucher__budget_id=budget_id, voucher__kind=kind, voucher__basis=Basis.QUOTA)
        .annotate(held=Sum("held_fen"), spent=Sum("spent_fen"))
        .values("held", "spent")
    )
    return sum(int(row["held"] or 0) + int(row["spent"] or 0) for row in rows)


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
        await ledger.post(Movement.HOLD, part_fen, _on(voucher, order), at=now)
    assert not amount_fen, f"{yuan(amount_fen)} more than is free for order {order.id}"


async def hold_issued(order: Order, voucher: Voucher, *, now: datetime) -> None:
    """Hold all of a voucher that was issued for this one order (NX-10); under the budget's lock."""
    fen = voucher.face_value_fen
    await _hold(order, Purse((voucher,), {voucher.id: fen}, Limit(fen, "", "")), fen, now)
    await Order.filter(id=order.id).update(
        budget_id=voucher.budget_id, voucher_id=voucher.id, voucher_fen=voucher.face_value_fen
    )


# -- working out anew, spending, giving back ---------------------------------------------------------


async def work_out(order: Order, programme: Programme, *, now: datetime) -> Deduction | None:
    """Work out anew what vouchers pay, on amounts that have become known; never more than is held.

    What is held beyond it comes back at once (LS-30, GZ-100). ``None`` while nothing is held.
    """
    holds = await holds_of(order.id)
    held_fen = sum(hold.held_fen for hold in holds)
    if not held_fen or order.budget_id is None:
        return None
    async with budgets.locked(order.budget_id) as budget:
        held = held_limit(held_fen, order.clause)
        if order.wanted_fen is not None and order.wanted_fen < held_fen:
            held = wanted(order.wanted_fen)
        paid = await payable(programme, order, None, others=[held])
        await _give_back(order, holds, held_fen - paid.amount_fen, budget, programme, now)
    await Order.filter(id=order.id).update(
        voucher_fen=paid.amount_fen, clause=paid.clause, arithmetic=paid.arithmetic
    )
    return paid


def held_limit(held_fen: int, clause: str) -> Limit:
    """What an order holds as a limit: nothing is ever paid beyond it."""
    return Limit(held_fen, clause, texts.HELD.format(amount=yuan(held_fen)))


async def consume(order: Order, programme: Programme, *, now: datetime) -> int:
    """Spend what is held, after it was worked out anew; returns how much, fen."""
    if order.budget_id is None:
        return 0
    spent_fen = 0
    async with budgets.locked(order.budget_id):
        for hold in await holds_of(order.id):
            if not hold.held_fen:
                continue
            await VoucherHold.filter(id=hold.id).update(held_fen=0, spent_fen=F("spent_fen") + hold.held_fen)
            await ledger.post(Movement.REDEEM, hold.held_fen, _on(hold.voucher, order), at=now)
            spent_fen += hold.held_fen
            await _use_up(hold.voucher)
    return spent_fen


async def release(order: Order, programme: Programme, *, now: datetime) -> int:
    """Give back all that an order holds, fen; in the transaction that ends the order.

    What comes back to a voucher that has ended meanwhile ends with it: it keeps its original expiry
    (LS-53), and goes where the programme lets such money go.
    """
    if order.budget_id is None:
        return 0
    async with budgets.locked(order.budget_id) as budget:
        holds = await holds_of(order.id)
        held_fen = sum(hold.held_fen for hold in holds)
        await _give_back(order, holds, held_fen, budget, programme, now)
    return int(held_fen)


async def unspend(order: Order, programme: Programme, *, now: datetime) -> int:
    """Take a payment back onto its vouchers (GZ-101), fen; whoever calls it knows none has lapsed."""
    if order.budget_id is None:
        return 0
    back_fen = 0
    async with budgets.locked(order.budget_id):
        for hold in await holds_of(order.id):
            if not hold.spent_fen:
                continue
            await VoucherHold.filter(id=hold.id).update(held_fen=F("held_fen") + hold.spent_fen, spent_fen=0)
            await ledger.post(Movement.TAKE_BACK, hold.spent_fen, _on(hold.voucher, order), at=now)
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
    now: datetime,
) -> None:
    """Let an amount go, from the last voucher held first; a promise and its money go side by side."""
    uncommitted_fen = 0
    for hold in reversed(holds):
        part_fen = min(amount_fen, hold.held_fen)
        if not part_fen:
            continue
        amount_fen -= part_fen
        await VoucherHold.filter(id=hold.id).update(held_fen=F("held_fen") - part_fen)
        await ledger.post(Movement.RELEASE, part_fen, _on(hold.voucher, order), at=now)
        if hold.voucher.basis is Basis.QUOTA:
            uncommitted_fen += part_fen
        await _follow(hold.voucher, part_fen, order, budget, programme, now)
    if uncommitted_fen:
        await Budget.filter(id=budget.id).update(committed_fen=F("committed_fen") - uncommitted_fen)
        await ledger.post(Movement.UNCOMMIT, uncommitted_fen, _year(order, budget.id), at=now)


async def _follow(
    voucher: Voucher, amount_fen: int, order: Order, budget: Budget, programme: Programme, now: datetime
) -> None:
    """What came back to a voucher that has ended shares its end."""
    voucher = await Voucher.get(id=voucher.id)
    ending = ENDED.get(voucher.status)
    if ending is None and voucher.reclaimed_at is not None:
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
    where = _on(voucher, order)
    if end.movement is not None:
        await ledger.post(end.movement, amount_fen, where, at=now)
    if end.given_back:
        await Voucher.filter(id=voucher.id).update(given_back_fen=F("given_back_fen") + amount_fen)
    if end.returns is not None:
        await Budget.filter(id=budget.id).update(returned_fen=F("returned_fen") + amount_fen)
        await ledger.post(end.returns, amount_fen, where, at=now)
    if voucher.status is VoucherStatus.ACTIVE:
        await _use_up(voucher, otherwise=VoucherStatus.RECLAIMED)


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


def _on(voucher: Voucher, order: Order) -> Where:
    return Where(
        voucher.budget_id,
        round_id=voucher.round_id,
        enterprise_id=voucher.enterprise_id,
        voucher_id=voucher.id,
        order_id=order.id,
        provider_id=order.provider_id,
        category=order.category,
    )


def _year(order: Order, budget_id: int) -> Where:
    return Where(
        budget_id,
        enterprise_id=order.enterprise_id,
        order_id=order.id,
        provider_id=order.provider_id,
        category=order.category,
    )
