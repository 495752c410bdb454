"""Sections about money: vouchers issued, orders and payments, settlements, the year, category shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from server import texts
from server.models.rounds import Budget
from server.programme.vocabulary import ShareBase
from server.rules.categories import YearMoney, floor_standings
from server.rules.disbursements import PaymentSource, TransferStatus
from server.rules.money import Account, Movement
from server.rules.orders import OrderStatus
from server.rules.own_payments import PaymentStatus
from server.services.reports.figures import (
    PAID,
    SPENT,
    TOUCHES,
    USED,
    Figure,
    Scope,
    Section,
    Table,
    TableRow,
    Trace,
    balances,
    counted,
    grouped,
    moved,
    net,
    net_figure,
    net_trace,
    selected,
    share_of,
    summed,
    table,
)
from server.units import percent, share

MOST_LINES = 1_000
"""Lines of a list in a report; what is longer is an export."""
SHOWN_ACCOUNTS = (
    Account.BUDGET,
    Account.ROUND,
    Account.COMMITTED,
    Account.AVAILABLE,
    Account.HELD,
    Account.REDEEMED,
    Account.DISBURSED,
    Account.EXPIRED,
    Account.RECLAIMED,
    Account.HANDED_BACK,
    Account.VOIDED,
)


async def issuance(scope: Scope) -> Section:
    """Vouchers issued, gross, and what came back of all that ever were (YC-28, NX-37, LS-70)."""
    issued = scope.of_programme("granted_at", **_round_of(scope))
    rows = [
        TableRow(
            [
                scope.programme.voucher_kind_name(one["kind"]) or texts.REPORT_WORDS["any_kind"],
                scope.programme.tier_name(one["tier"]),
                *(one["count"], one["fen"]),
            ],
            Trace("voucher", {**issued, "kind": one["kind"], "tier": one["tier"]}),
        )
        for one in await grouped(Trace("voucher", issued), ("kind", "tier"), {"fen": "face_value_fen"})
    ]
    columns = (("kind", "text"), ("tier", "text"), ("vouchers", "count"), ("face", "fen"))
    return _section(
        "issuance",
        [
            await counted("issued_count", "voucher", issued),
            await summed("issued_fen", "voucher", "face_value_fen", issued),
            await moved("posted_fen", scope, Movement.ISSUE, Movement.POST_QUOTA),
            await moved("handed_back_fen", scope, Movement.HAND_BACK),
            await moved("reclaimed_fen", scope, Movement.RECLAIM),
            await moved("expired_fen", scope, Movement.EXPIRE),
            await moved("voided_fen", scope, Movement.VOID),
        ],
        [table("issued", columns, rows, chart=(1, 3))],
    )


async def transactions(scope: Scope) -> Section:
    """Orders, and what was redeemed on them (NX-24)."""
    placed = scope.of_programme("placed_at")
    done = scope.of_programme("step_since", status=OrderStatus.DONE.value)
    rows = [
        TableRow(
            [
                texts.ORDER_STATUSES.get(one["status"], str(one["status"])),
                one["count"],
                one["price"],
                one["fen"],
            ],
            Trace("order", {**placed, "status": str(one["status"])}),
        )
        for one in await grouped(
            Trace("order", placed), "status", {"price": "price_fen", "fen": "voucher_fen"}
        )
    ]
    columns = (("status", "text"), ("orders", "count"), ("price", "fen"), ("voucher", "fen"))
    return _section(
        "transactions",
        [
            await counted("orders_placed", "order", placed),
            await summed("orders_price_fen", "order", "price_fen", placed),
            await counted("orders_done", "order", done),
            await net_figure("redeemed_fen", scope, SPENT),
        ],
        [table("orders", columns, rows, chart=(0, 1))],
    )


async def payments(scope: Scope) -> Section:
    """What enterprises paid of their own money, and escrow (NX-24)."""
    paid = scope.of_programme("settled_at", status=PaymentStatus.PAID.value)
    rows = [
        TableRow(
            [texts.REPORT_PURPOSES.get(str(one["purpose"]), str(one["purpose"])), one["count"], one["fen"]],
            Trace("own_payment", {**paid, "purpose": str(one["purpose"])}),
        )
        for one in await grouped(Trace("own_payment", paid), "purpose", {"fen": "amount_fen"})
    ]
    return _section(
        "payments",
        [
            await counted("own_count", "own_payment", paid),
            await summed("own_fen", "own_payment", "amount_fen", paid),
            await moved("escrow_in_fen", scope, Movement.PAY_ESCROW),
            await moved("escrow_released_fen", scope, Movement.RELEASE_ESCROW),
            await net_figure("escrow_out_fen", scope, frozenset({Account.ESCROW_TRANSFERRED})),
            await moved("escrow_back_fen", scope, Movement.REFUND_ESCROW),
        ],
        [table("own_payments", (("purpose", "text"), ("payments", "count"), ("amount", "fen")), rows)],
    )


async def settlements(scope: Scope) -> Section:
    """What was handed in, settled, paid and paid back (NX-24)."""
    handed = scope.of_programme("line_at")
    paid = scope.of_programme("paid_at")
    rows = [
        TableRow(
            [
                texts.SETTLEMENT_STATUSES.get(str(one["status"]), str(one["status"])),
                *(one["count"], one["asked"], one["fen"]),
            ],
            Trace("settlement", {**handed, "status": str(one["status"])}),
        )
        for one in await grouped(
            Trace("settlement", handed), "status", {"asked": "asked_fen", "fen": "amount_fen"}
        )
    ]
    columns = (("status", "text"), ("settlements", "count"), ("asked", "fen"), ("settled", "fen"))
    return _section(
        "settlements",
        [
            await counted("settlements_handed", "settlement", handed),
            await summed("settlements_asked_fen", "settlement", "asked_fen", handed),
            await counted("settlements_paid", "settlement", paid),
            await summed("settlements_paid_fen", "settlement", "amount_fen", paid),
            await net_figure("disbursed_fen", scope, PAID),
            await moved("clawed_back_fen", scope, Movement.CLAW_BACK),
        ],
        [table("settlements", columns, rows, chart=(0, 3))],
    )


async def budget(scope: Scope) -> Section:
    """Where each year's money was at the end of the period, account by account."""
    figures, tables = [], []
    for one in scope.budgets:
        if one.year > scope.last.year:
            continue
        held = await balances(scope, one.id)
        put_in = -held[Account.APPROPRIATION] - held[Account.INTEREST]
        rows = [
            TableRow(
                [texts.REPORT_ACCOUNTS[account.value], held[account]],
                Trace(
                    "ledger",
                    {"budget_id": one.id, "at__lt": scope.ends.isoformat(), TOUCHES: account.value},
                ),
            )
            for account in SHOWN_ACCOUNTS
        ]
        made = table("budget", (("state", "text"), ("amount", "fen")), rows, chart=(0, 1), total=False)
        tables.append(replace(made, title=f"{made.title}（{one.year}）"))
        if one.year == scope.last.year:
            spent = held[Account.REDEEMED] + held[Account.DISBURSED]
            figures = [
                await summed(
                    "appropriated_fen",
                    "ledger",
                    "amount_fen",
                    {
                        "budget_id": one.id,
                        "at__lt": scope.ends.isoformat(),
                        "movement": Movement.APPROPRIATE.value,
                    },
                ),
                share_of("spent_share", spent, put_in),
                share_of("paid_share", held[Account.DISBURSED], put_in),
            ]
    return _section("budget", figures, tables)


async def category_shares(scope: Scope) -> Section:
    """What each category took of the year's money, against its ceiling and the floors (LS-24 to LS-26)."""
    year = next((one for one in scope.budgets if one.year == scope.last.year), None)
    if year is None:
        return _section("category_shares", [], [])
    # A share is one of the whole year, from its first movement to the end of the period.
    since = Scope(scope.programme, _year_first(year), scope.last, (year,))
    used = {str(code): fen for code, fen in (await net(since, USED, "category")).items() if code}
    issued = sum((await net(since, USED, "budget_id")).values())
    money = YearMoney(year.total_fen, issued, used)
    rows = []
    for one in scope.programme.categories:
        base = money.total_fen if one.share_of is ShareBase.YEAR_TOTAL else money.issued_fen
        most = None if one.max_share_bp is None else share(base, one.max_share_bp)
        own = used.get(one.code, 0)
        room = None if most is None else most - own
        limit = "" if one.max_share_bp is None else percent(one.max_share_bp)
        kept = texts.REPORT_WORDS["no_limit" if room is None else "kept" if room >= 0 else "passed"]
        rows.append(
            TableRow(
                [one.name, own, own * 10_000 // base if base else 0, limit, most, room, kept],
                net_trace(since, USED, category=one.code),
            )
        )
    columns = (
        *(("category", "text"), ("used", "fen"), ("share", "bp"), ("ceiling", "text")),
        *(("most", "fen"), ("room", "fen"), ("verdict", "text")),
    )
    names = {one.code: one.name for one in scope.programme.categories}
    floors = [
        TableRow(
            [
                texts.LIST.join(names[code] for code in one.floor.categories),
                one.reached_fen,
                percent(one.floor.min_share_bp),
                one.least_fen,
                max(one.least_fen - one.reached_fen, 0),
                texts.REPORT_WORDS["reached" if one.is_met else "not_reached"],
                one.floor.article,
            ],
            net_trace(since, USED, category__in=list(one.floor.categories)),
        )
        for one in floor_standings(scope.programme, money)
    ]
    named = (
        *(("categories", "text"), ("used", "fen"), ("floor", "text"), ("least", "fen")),
        *(("missing", "fen"), ("verdict", "text"), ("clause", "text")),
    )
    figures = [await net_figure("used_fen", since, USED)]
    tables = [table("categories", columns, rows, chart=(0, 1))]
    if floors:
        tables.append(table("floors", named, floors, total=False))
    return _section("category_shares", figures, tables)


async def results(scope: Scope) -> Section:
    """Who was paid what: the result that is filed (GZ-41)."""
    where: dict[str, Any] = {
        "batch__programme_slug": scope.programme.slug,
        "source": PaymentSource.BUDGET.value,
        "status": TransferStatus.PAID.value,
    }
    noun, _, number = scope.subject.partition(":")
    where |= {"batch_id": int(number)} if noun == "batch" else scope.within("settled_at")
    trace = Trace("payment", where)
    found = (
        await selected(trace)
        .order_by("id")
        .limit(MOST_LINES)
        .values(
            "id", "provider__name", "provider__uscc", "amount_fen", "receipt_on", "order_id", "settlement_id"
        )
    )
    served = await _served([one["order_id"] for one in found])
    rows = [
        TableRow(
            [
                *served.get(one["order_id"], ("", "")),
                *(one["provider__name"], one["provider__uscc"], one["amount_fen"]),
                one["receipt_on"].isoformat() if one["receipt_on"] else "",
            ],
            Trace("payment", {"id": one["id"]}),
        )
        for one in found
    ]
    columns = (
        *(("enterprise", "text"), ("project", "text"), ("provider", "text"), ("uscc", "text")),
        *(("amount", "fen"), ("day", "text")),
    )
    figures = [
        await counted("paid_count", "payment", where),
        await summed("paid_fen", "payment", "amount_fen", where),
    ]
    return _section("results", figures, [table("results", columns, rows)])


async def _served(orders: list[int]) -> Mapping[int, tuple[str, str]]:
    """Enterprise and project of each order."""
    found = await selected(Trace("order", {"id__in": orders})).values("id", "enterprise__name", "project")
    return {one["id"]: (one["enterprise__name"], one["project"]) for one in found}


def _year_first(year: Budget) -> date:
    """No entry of a year is older: its budget was made before it."""
    return date(min(year.year, year.created_at.year), 1, 1)


def _round_of(scope: Scope) -> dict[str, Any]:
    noun, _, number = scope.subject.partition(":")
    return {"round_id": int(number.partition(":")[0])} if noun == "round" else {}


def _section(code: str, figures: Sequence[Figure], tables: Sequence[Table]) -> Section:
    return Section(code, texts.REPORT_SECTIONS[code], figures, tables)
