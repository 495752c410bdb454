"""The desk: where a programme's money is, how long its queues are and what is late, as it is now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tortoise.functions import Count
from tortoise.queryset import QuerySet

from server import texts
from server.models.complaints import Complaint
from server.models.orders import Order
from server.models.reviews import ReviewCase
from server.models.rounds import Budget
from server.rules.money import Account
from server.rules.orders import OrderStatus
from server.services.budgets import ledger
from server.services.reports.money import SHOWN_ACCOUNTS

AT_THE_BANK = (Account.ESCROW, Account.ESCROW_OWED)
"""Enterprises' own money, which is in no sum of the year's and lies at the bank beside it."""
MOST_COUNTED = 999
"""What is longer is said to be longer: nobody counts a million rows for a number on a desk."""


@dataclass(frozen=True, slots=True)
class Money:
    """One state of a year's money, fen."""

    state: str
    title: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class YearMoney:
    """Where a year's money is."""

    budget_id: int
    year: int
    free_fen: int
    money: Sequence[Money]


@dataclass(frozen=True, slots=True)
class Queue:
    """Work of one kind that waits, and how much of it is late; both up to :data:`MOST_COUNTED`."""

    code: str
    title: str
    waiting: int
    late: int


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything on it."""

    at: datetime
    years: Sequence[YearMoney]
    queues: Sequence[Queue]


async def desk(slug: str, now: datetime) -> Desk:
    """The desk of one programme."""
    years = []
    for budget in await Budget.filter(programme_slug=slug).order_by("-year").limit(3):
        held = await ledger.balances(budget_id=budget.id)
        money = [
            Money(account.value, texts.REPORT_ACCOUNTS[account.value], held.get(account, 0))
            for account in (*SHOWN_ACCOUNTS, *AT_THE_BANK)
        ]
        years.append(YearMoney(budget.id, budget.year, held.get(Account.BUDGET, 0), money))
    return Desk(now, years, [*await _reviews(slug, now), await _orders(slug, now), await _answers(slug, now)])


async def _reviews(slug: str, now: datetime) -> list[Queue]:
    """Cases by the step at which they stand: a range of the queues' own index."""
    waiting = ReviewCase.filter(programme_slug=slug, turn__isnull=False)
    counts: dict[str, list[int]] = {}
    for place, wanted in enumerate((waiting, waiting.filter(due_at__lt=now))):
        grouped = wanted.annotate(count=Count("id")).group_by("step_name", "turn")
        for one in await grouped.values("step_name", "turn", "count"):
            who = texts.ACTORS.get(str(one["turn"]), "")
            name = f"{one['step_name'] or texts.REPORT_WORDS['no_step']}（{who}）"
            counts.setdefault(name, [0, 0])[place] += int(one["count"])
    return [
        Queue("review", name, min(number, MOST_COUNTED), min(late, MOST_COUNTED))
        for name, (number, late) in sorted(counts.items(), key=lambda one: (-one[1][1], one[0]))
    ]


async def _orders(slug: str, now: datetime) -> Queue:
    open_orders = Order.filter(programme_slug=slug, status=OrderStatus.OPEN)
    return await _queue("orders", open_orders, open_orders.filter(step_due_at__lt=now))


async def _answers(slug: str, now: datetime) -> Queue:
    open_cases = Complaint.filter(programme_slug=slug, sealed=False, status__in=["filed", "in_hand"])
    return await _queue("complaints", open_cases, open_cases.filter(answer_due_at__lt=now))


async def _queue(code: str, waiting: QuerySet[Any], late: QuerySet[Any]) -> Queue:
    counts = [len(await one.limit(MOST_COUNTED).values_list("id", flat=True)) for one in (waiting, late)]
    return Queue(code, texts.REPORT_QUEUES[code], *counts)
