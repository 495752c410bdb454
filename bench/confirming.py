"""An order's confirmation, measured: the whole step with journal and outbox, in bare updates of one row.

Both go through the same ORM to the same durable PostgreSQL. The confirmation is the service's verb, with
everything it asks and writes: both sides' locks, whose turn it is, until when, the act, the journal, what
both sides are told, and the next step with its deadline. Between slices the orders are put back, unmeasured.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import cycle, islice
from pathlib import Path

from tortoise.expressions import F

from bench.ratios import Finding, is_restless, steady
from bench.stage import settle
from bench.turns import Figure, Slice, Turns, in_turns, p50_ms, per_second, settle_garbage
from server.database import close_database, migrate, open_database
from server.models.orders import Order, OrderAct
from server.programme.steps import StepKind
from server.services.access import Actor
from server.services.orders.order_wishes import Wish
from tests.contracting import GRABBED, Desk, person_of
from tests.servers import postgres_server

ORDERS = 60
UPDATES, CONFIRMATIONS, WARM_UP = 300, 15, 60
FLOOR, GOAL = 6.0, 4.0
PRICE_YUAN = 10_000


async def measure() -> list[Finding]:
    """The cost of one confirmation, in bare updates."""
    with postgres_server(durable=True) as postgres:
        url = await postgres.create("bench_orders")
        await migrate(url)
        opened = await open_database(url)
        try:
            print(f"orders: {ORDERS} orders; server and database share the machine's cores")
            desk = Desk(Path("tests/notices"))
            placed = await _placed(desk)
            await settle(url)
            settle_garbage()
            found = await steady(lambda: _run(desk, placed), lambda run: run.reference(per_second))
        finally:
            await close_database(opened)
    run = found.run
    for series in (run.reference(per_second), run.subject(per_second)):
        print(f"  {series.line()}")
    return [_finding(run, p50_ms)]


def _finding(run: Turns, figure: Figure) -> Finding:
    low, high = run.quartiles(figure)
    pairs = sum(map(len, run.blocks))
    print(f"  time: {pairs} pairs of slices, the middle half of them between {low:.3f}x and {high:.3f}x")
    is_void = is_restless(run.reference(per_second))
    title = "confirming an order / updating one row, time"
    return Finding(title, run.ratio(figure), FLOOR, GOAL, "x", lower_is_better=True, is_void=is_void)


async def _placed(desk: Desk) -> list[tuple[Order, Actor]]:
    """Orders that wait for their providers, each of its own enterprise."""
    budget = await desk.budget(GRABBED)
    provider = await desk.provider(GRABBED)
    offering = await desk.listed(GRABBED, provider, PRICE_YUAN)
    placed = []
    for _ in range(ORDERS):
        enterprise = await desk.enterprise(GRABBED)
        voucher = await desk.voucher(budget, enterprise, PRICE_YUAN)
        order = await desk.opened(
            GRABBED, enterprise, provider, PRICE_YUAN, voucher_id=voucher.id, offering_id=offering.id
        )
        placed.append((order, person_of(provider)))
    return placed


async def _run(desk: Desk, placed: Sequence[tuple[Order, Actor]]) -> Turns:
    turns = cycle(placed)
    await _updates(WARM_UP, turns)
    await _confirmations(desk, WARM_UP, turns)
    blocks = await in_turns(
        partial(_updates, UPDATES, turns), partial(_confirmations, desk, CONFIRMATIONS, turns)
    )
    return Turns(("update of one row", "confirmation"), blocks)


async def _updates(times: int, turns: Iterator[tuple[Order, Actor]]) -> Slice:
    latencies = []
    cpu_seconds = time.process_time()
    for order, _ in islice(turns, times):
        started = time.perf_counter()
        await Order.filter(id=order.id).update(version=F("version") + 1)
        latencies.append((time.perf_counter() - started) * 1e3)
    return Slice(latencies, time.process_time() - cpu_seconds)


async def _confirmations(desk: Desk, times: int, turns: Iterator[tuple[Order, Actor]]) -> Slice:
    chosen = list(islice(turns, times))
    versions = {one.id: one.version for one in await Order.filter(id__in=[order.id for order, _ in chosen])}
    latencies = []
    cpu_seconds = time.process_time()
    for order, actor in chosen:
        started = time.perf_counter()
        await desk.orders.take(order.id, StepKind.CONFIRM, Wish(), version=versions[order.id], actor=actor)
        latencies.append((time.perf_counter() - started) * 1e3)
    used = time.process_time() - cpu_seconds
    await _put_back([order.id for order, _ in chosen], desk.now)
    return Slice(latencies, used)


async def _put_back(ids: Sequence[int], now: datetime) -> None:
    """Let the orders wait for their confirmation again."""
    await OrderAct.filter(order_id__in=list(ids), step=StepKind.CONFIRM).delete()
    await Order.filter(id__in=list(ids)).update(step=StepKind.CONFIRM, step_since=now)
