"""What a voucher would pay on an order: its limits, the vouchers that may pay, what the year covers.

Nothing is held or spent here; ``order_money`` does that, on what this says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tortoise.functions import Sum

from server import texts
from server.errors import Refusal
from server.models.orders import Order, VoucherHold
from server.models.rounds import Budget
from server.models.vouchers import Voucher
from server.programme.model import Programme
from server.rules.budgets import contract_room
from server.rules.deduction import Deduction, Prices, Used, balance, deduction, use_unmet
from server.rules.lifecycles import VOUCHER_MAY, VoucherAct, VoucherStatus
from server.rules.limits import Limit, room
from server.rules.money import Account, Basis
from server.rules.orders import COMING_TO_SOMETHING
from server.services.budgets import ledger, rooms
from server.services.budgets.annual_notices import Terms
from server.units import yuan


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
    ask = rooms.Asked(programme, budget, frozenset({order.provider_id}), frozenset({order.category}))
    found = await rooms.rooms([ask])
    provider = found.providers.get((programme.slug, order.provider_id))
    category = found.categories.get((programme.slug, order.category))
    limits = (None if provider is None else provider.for_orders, category)
    return [one for one in limits if one is not None]


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
        # A round knows no kinds: what it issued pays as any.
        kind__in=sorted({kind, ""}),
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


def held_limit(held_fen: int, clause: str) -> Limit:
    """What an order holds as a limit: nothing is ever paid beyond it."""
    return Limit(held_fen, clause, texts.HELD.format(amount=yuan(held_fen)))
