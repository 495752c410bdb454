"""Orders, many hands at once on PostgreSQL: one step, one balance, one ceiling, one end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from functools import partial

import pytest
from asyncpg import LockNotAvailableError
from tortoise.transactions import in_transaction

from server.models.orders import Order, OrderAct
from server.models.vouchers import Voucher
from server.programme.steps import StepKind
from server.rules.lifecycles import VoucherStatus
from server.rules.money import Account
from server.rules.orders import OrderStatus
from server.services.budgets import budgets, ledger
from server.services.orders.order_wishes import Wish
from server.units import yuan_to_fen
from tests.contracting import DAY, GRABBED, OPERATOR, RANKED, Desk, person_of
from tests.races.crowd import all_wait, together

MANY = 6


async def test_many_press_at_once_and_exactly_one_does_the_step(desk: Desk) -> None:
    budget = await desk.budget(GRABBED)
    enterprise, provider = await desk.enterprise(GRABBED), await desk.provider(GRABBED)
    voucher = await desk.voucher(budget, enterprise, 10_000)
    order = await desk.opened(GRABBED, enterprise, provider, 10_000, voucher_id=voucher.id)
    seller, buyer = person_of(provider), person_of(enterprise)
    version = order.version

    outcomes = await together(
        *(
            desk.orders.take(order.id, StepKind.CONFIRM, Wish(), version=version, actor=seller)
            for _ in range(MANY)
        ),
        desk.ends.decline(order.id, reason="档期已满", version=version, actor=seller),
        desk.ends.cancel(order.id, reason="下错了", file_ids=[], version=version, actor=buyer),
    )

    assert outcomes == {"done": 1, "order_moved_on": MANY + 1}
    assert await OrderAct.filter(order_id=order.id, step=StepKind.CONFIRM).count() <= 1


@pytest.mark.rules("LS-31")
async def test_many_orders_on_one_voucher_never_hold_more_than_it_has(desk: Desk) -> None:
    budget = await desk.budget(GRABBED)
    enterprise, provider = await desk.enterprise(GRABBED), await desk.provider(GRABBED)
    voucher = await desk.voucher(budget, enterprise, 10_000)
    offering = await desk.listed(GRABBED, provider, 4_000)

    outcomes = await together(
        *(
            desk.opened(GRABBED, enterprise, provider, 4_000, voucher_id=voucher.id, offering_id=offering.id)
            for _ in range(MANY)
        )
    )

    assert outcomes == {"done": 4, "nothing_to_pay": 2}
    sums = await ledger.balances(voucher_id=voucher.id)
    assert (sums[Account.AVAILABLE], sums[Account.HELD]) == (0, yuan_to_fen(10_000))


@pytest.mark.rules("GZ-25")
async def test_many_enterprises_never_pass_one_providers_ceiling(desk: Desk) -> None:
    budget = await desk.budget(RANKED, total_yuan=6_000_000)
    provider = await desk.provider(RANKED)
    offering = await desk.listed(RANKED, provider, 400_000)
    buyers = [await desk.enterprise(RANKED) for _ in range(MANY)]
    vouchers = [await desk.voucher(budget, one, 200_000) for one in buyers]

    outcomes = await together(
        *(
            desk.opened(RANKED, one, provider, 400_000, voucher_id=voucher.id, offering_id=offering.id)
            for one, voucher in zip(buyers, vouchers, strict=True)
        )
    )

    assert outcomes == {"done": 3, "nothing_to_pay": 3}
    held = sum(order.voucher_fen for order in await Order.filter(status=OrderStatus.OPEN))
    assert held == yuan_to_fen(500_000)


async def test_a_voucher_that_lapses_at_the_same_moment_pays_or_lapses_whole(desk: Desk) -> None:
    budget = await desk.budget(GRABBED)
    enterprise, provider = await desk.enterprise(GRABBED), await desk.provider(GRABBED)
    voucher = await desk.voucher(budget, enterprise, 10_000)
    offering = await desk.listed(GRABBED, provider, 10_000)
    order = await desk.opened(
        GRABBED, enterprise, provider, 10_000, voucher_id=voucher.id, offering_id=offering.id
    )
    seller = person_of(provider)

    outcomes = await together(
        desk.ends.decline(order.id, reason="档期已满", version=order.version, actor=seller),
        desk.opened(GRABBED, enterprise, provider, 10_000, voucher_id=voucher.id, offering_id=offering.id),
        desk.ends.lapse_due(),
    )

    assert outcomes["done"] >= 2
    assert (await Voucher.get(id=voucher.id)).status is VoucherStatus.ACTIVE
    sums = await ledger.balances(voucher_id=voucher.id)
    assert sums[Account.AVAILABLE] + sums[Account.HELD] == yuan_to_fen(10_000)


async def test_both_sides_who_sign_at_once_are_told_apart(desk: Desk) -> None:
    budget = await desk.budget(GRABBED)
    enterprise, provider = await desk.enterprise(GRABBED), await desk.provider(GRABBED)
    voucher = await desk.voucher(budget, enterprise, 10_000)
    order = await desk.opened(GRABBED, enterprise, provider, 10_000, voucher_id=voucher.id)
    order = await desk.walk(order, until=StepKind.SIGN_CONTRACT)
    wishes = [(side, await desk.wish(order, side)) for side in (enterprise, provider)]

    outcomes = await together(
        *(
            desk.orders.take(
                order.id, StepKind.SIGN_CONTRACT, wish, version=order.version, actor=person_of(side)
            )
            for side, wish in wishes
        )
    )

    assert outcomes == {"done": 1, "order_moved_on": 1}


async def _without_the_year(desk: Desk, order: Order) -> None:
    """The control: whoever has the order in hand, and asks for the year after it."""
    async with (
        desk.orders.held(order, version=order.version) as held,
        budgets.locked(int(held.budget_id or 0)),
    ):
        pass


@pytest.mark.parametrize("way", ["decline", "lapse", "terminate", "control"])
async def test_whoever_ends_an_order_waits_for_the_year_before_it_has_the_order(
    desk: Desk, postgres_url: str, way: str
) -> None:
    budget = await desk.budget(RANKED)
    enterprise, provider = await desk.enterprise(RANKED), await desk.provider(RANKED)
    voucher = await desk.voucher(budget, enterprise, 10_000, order_days=30)
    order = await desk.opened(RANKED, enterprise, provider, 10_000, voucher_id=voucher.id)
    if way == "lapse":
        desk.clock.advance(10 * DAY)
    verbs: dict[str, Callable[[], Awaitable[object]]] = {
        "decline": partial(
            desk.ends.decline,
            order.id,
            reason="档期已满",
            version=order.version,
            actor=person_of(provider),
        ),
        "lapse": desk.ends.lapse_due,
        "terminate": partial(desk.ends.terminate, order.id, reason="企业注销", actor=OPERATOR),
        "control": partial(_without_the_year, desk, order),
    }

    async def run() -> object:
        return await verbs[way]()

    # Begun here, so that it has a transaction of its own.
    free, outside = True, copy_context()
    async with budgets.locked(budget.id):
        verb = asyncio.create_task(run(), context=outside)
        await all_wait(postgres_url, verb)
        for row in (Order.filter(id=order.id), Voucher.filter(id=voucher.id)):
            try:
                async with in_transaction():  # A savepoint.
                    await row.select_for_update(nowait=True).first()
            except LockNotAvailableError:
                free = False
    await verb
    assert free is (way != "control")
    if way != "control":
        assert (await Order.get(id=order.id)).status in {OrderStatus.DECLINED, OrderStatus.CANCELLED}
