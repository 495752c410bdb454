"""Figures: each with the rows it was counted from, so that whoever doubts it can look.

A figure is a question to one table of ours; the same question, asked for rows instead of their sum, is its
trace. Sums are made by the database; no table is ever read whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from tortoise.expressions import Q
from tortoise.functions import Count, Sum
from tortoise.models import Model

from server import texts
from server.models.complaints import Complaint, SanctionProposal
from server.models.disbursements import Payment
from server.models.inbox import ReminderSent
from server.models.ledger import LedgerEntry
from server.models.orders import Order
from server.models.organisations import Qualification
from server.models.payments import OwnPayment
from server.models.ratings import Rating
from server.models.reviews import ReviewCase
from server.models.rounds import Budget
from server.models.sampling import SampleAnswer, SamplingDraw, SamplingItem
from server.models.sanctions import SanctionCase
from server.models.settlements import Settlement
from server.models.vouchers import Voucher
from server.programme.model import Programme
from server.rules.deadlines import end_of, start_of
from server.rules.money import ROUTES, Account, Movement

TABLES: Mapping[str, tuple[type[Model], str, str]] = {
    "voucher": (Voucher, "number", "face_value_fen"),
    "order": (Order, "number", "voucher_fen"),
    "ledger": (LedgerEntry, "movement", "amount_fen"),
    "settlement": (Settlement, "number", "amount_fen"),
    "payment": (Payment, "number", "amount_fen"),
    "own_payment": (OwnPayment, "purpose", "amount_fen"),
    "rating": (Rating, "level", "score_bp"),
    "complaint": (Complaint, "number", ""),
    "review": (ReviewCase, "title", ""),
    "escalation": (ReminderSent, "subject", ""),
    "qualification": (Qualification, "status", ""),
    "sanction": (SanctionCase, "number", ""),
    "sanction_proposal": (SanctionProposal, "clause", ""),
    "draw": (SamplingDraw, "name", ""),
    "draw_line": (SamplingItem, "key", ""),
    "draw_answer": (SampleAnswer, "outcome", ""),
}
"""What figures are counted from: the table, what its rows are called by, and their money if they have any."""
TOUCHES = "touches"
"""In a trace of the ledger: an account on either side."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Which rows something was counted from."""

    of: str
    where: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """One number: ``unit`` is ``fen``, ``count`` or ``bp``."""

    code: str
    label: str
    unit: str
    value: int
    trace: Trace | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; ``text`` is no number."""

    label: str
    unit: str = "count"


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row, and what it was counted from."""

    cells: Sequence[str | int | None]
    trace: Trace | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Figures side by side. ``chart`` says which columns are drawn, ``total`` whether columns are summed."""

    code: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[TableRow]
    chart: tuple[int, int] | None = None
    total: bool = True

    def totals(self) -> list[str | int | None]:
        """The last row: money and counts are summed, shares are not."""
        sums: list[str | int | None] = []
        for place, column in enumerate(self.columns):
            if column.unit in {"text", "bp"}:
                sums.append(texts.REPORT_WORDS["total"] if place == 0 else None)
            else:
                sums.append(sum(int(row.cells[place] or 0) for row in self.rows))
        return sums


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a report."""

    code: str
    title: str
    figures: Sequence[Figure]
    tables: Sequence[Table] = ()
    note: str = ""

    def kept(self) -> dict[str, Any]:
        """As it is written into a snapshot."""
        made = asdict(self)
        for table, own in zip(made["tables"], self.tables, strict=True):
            table["totals"] = own.totals() if own.total and own.rows else None
            table["chart"] = list(own.chart) if own.chart else None
        return made


@dataclass(frozen=True, slots=True)
class Scope:
    """What is reported: a programme from one day to another, both included; ``budgets`` are all its years."""

    programme: Programme
    first: date
    last: date
    budgets: Sequence[Budget] = field(default=())
    subject: str = ""

    @property
    def begins(self) -> datetime:
        return start_of(self.first)

    @property
    def ends(self) -> datetime:
        """Exclusive."""
        return end_of(self.last)

    @property
    def budget_ids(self) -> list[int]:
        return [one.id for one in self.budgets]

    def within(self, column: str) -> dict[str, Any]:
        """That an instant lies in the period."""
        return {f"{column}__gte": self.begins.isoformat(), f"{column}__lt": self.ends.isoformat()}

    def of_programme(self, column: str = "", **others: Any) -> dict[str, Any]:
        """Rows of the programme, of the period where an instant's column is named."""
        return {"programme_slug": self.programme.slug, **(self.within(column) if column else {}), **others}

    def of_ledger(self, **others: Any) -> dict[str, Any]:
        """Entries of the programme's money in the period."""
        return {"budget_id__in": self.budget_ids, **self.within("at"), **others}


def selected(trace: Trace) -> Any:
    """The rows of a trace, as a query."""
    model = TABLES[trace.of][0]
    where = {name: _value(name, value) for name, value in trace.where.items() if name != TOUCHES}
    account = trace.where.get(TOUCHES)
    touching = Q(Q(debit=account), Q(credit=account), join_type=Q.OR) if account else Q()
    return model.filter(touching, **where)


def _value(name: str, value: Any) -> Any:
    """Instants are kept as text."""
    if isinstance(value, str) and name.rpartition("__")[2] in {"gte", "lt"}:
        return datetime.fromisoformat(value)
    return value


async def counted(code: str, of: str, where: Mapping[str, Any]) -> Figure:
    """How many rows there are."""
    trace = Trace(of, where)
    return Figure(code, texts.REPORT_FIGURES[code], "count", await selected(trace).count(), trace)


async def summed(code: str, of: str, column: str, where: Mapping[str, Any]) -> Figure:
    """What a column of money comes to, fen."""
    trace = Trace(of, where)
    found = await selected(trace).annotate(total=Sum(column)).values("total")
    return Figure(code, texts.REPORT_FIGURES[code], "fen", int(found[0]["total"] or 0), trace)


async def moved(code: str, scope: Scope, *movements: Movement) -> Figure:
    """What the ledger posted under these movements in the period, fen."""
    where = scope.of_ledger(movement__in=[one.value for one in movements])
    return await summed(code, "ledger", "amount_fen", where)


def share_of(code: str, part: int, whole: int) -> Figure:
    """A share in basis points; of nothing, nothing. It is worked out of figures that have their traces."""
    return Figure(code, texts.REPORT_FIGURES[code], "bp", part * 10_000 // whole if whole else 0)


async def grouped(
    trace: Trace, by: str | Sequence[str], sums: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """Rows of a trace by the values of columns: ``count`` of each group, and sums by their names."""
    columns = [by] if isinstance(by, str) else list(by)
    functions: dict[str, Any] = {name: Sum(column) for name, column in (sums or {}).items()}
    found = await (
        selected(trace)
        .annotate(count=Count("id"), **functions)
        .group_by(*columns)
        .values(*columns, "count", *functions)
    )
    rows = [{**one, **{name: int(one[name] or 0) for name in ("count", *functions)}} for one in found]
    return sorted(rows, key=lambda one: [str(one[column] or "") for column in columns])


async def balances(scope: Scope, budget_id: int) -> dict[Account, int]:
    """What each account of a year held at the end of the period, fen."""
    held: dict[Account, int] = dict.fromkeys(Account, 0)
    trace = Trace("ledger", {"budget_id": budget_id, "at__lt": scope.ends.isoformat()})
    for one in await grouped(trace, ("debit", "credit"), {"fen": "amount_fen"}):
        held[Account(one["debit"])] -= one["fen"]
        held[Account(one["credit"])] += one["fen"]
    return held


def table(
    code: str,
    columns: Iterable[tuple[str, str]],
    rows: Sequence[TableRow],
    *,
    chart: tuple[int, int] | None = None,
    total: bool = True,
) -> Table:
    """A table whose columns are named by their words and their units."""
    named = [Column(texts.REPORT_COLUMNS[name], unit) for name, unit in columns]
    return Table(code, texts.REPORT_TABLES[code], named, rows, chart, total)


SPENT = frozenset({Account.REDEEMED, Account.DISBURSED})
"""Redeemed, whether it is paid out yet or not."""
PAID = frozenset({Account.DISBURSED})
USED = frozenset({Account.HELD, *SPENT})
"""What counts against a category (LS-24): reserved by orders, redeemed, paid out."""


def crossing(accounts: frozenset[Account]) -> dict[Movement, int]:
    """The movements that bring money into a group of accounts (1) or out of it (-1)."""
    return {
        movement: sign
        for movement, (debit, credit) in ROUTES.items()
        if (sign := (credit in accounts) - (debit in accounts))
    }


async def net(scope: Scope, accounts: frozenset[Account], by: str, **where: Any) -> dict[Any, int]:
    """What came into a group of accounts in the period less what left it, by the values of a column, fen."""
    signs = crossing(accounts)
    trace = Trace("ledger", scope.of_ledger(movement__in=[one.value for one in signs], **where))
    found: dict[Any, int] = {}
    for one in await grouped(trace, (by, "movement"), {"fen": "amount_fen"}):
        found[one[by]] = found.get(one[by], 0) + signs[Movement(one["movement"])] * one["fen"]
    return found


def net_trace(scope: Scope, accounts: frozenset[Account], **where: Any) -> Trace:
    """The entries behind :func:`net`: those that bring in count for it, those that take out against it."""
    movements = sorted(one.value for one in crossing(accounts))
    return Trace("ledger", scope.of_ledger(movement__in=movements, **where))


async def net_figure(code: str, scope: Scope, accounts: frozenset[Account], **where: Any) -> Figure:
    """The same over all of a programme's money."""
    by_budget = await net(scope, accounts, "budget_id", **where)
    total = sum(by_budget.values())
    return Figure(code, texts.REPORT_FIGURES[code], "fen", total, net_trace(scope, accounts, **where))
