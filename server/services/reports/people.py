"""Sections about people and their work: providers, enterprises, satisfaction, complaints, what is late."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tortoise.functions import Avg

from server import texts
from server.errors import Refusal
from server.models.organisations import Organisation
from server.programme.size_classes import SizeStandard
from server.programme.vocabulary import Party
from server.rules.lifecycles import QualificationStatus
from server.rules.orders import OrderStatus
from server.rules.review import CaseStatus
from server.rules.size_class import classify
from server.services.messages.reminders import REVIEW_OVERDUE
from server.services.reports.figures import (
    PAID,
    SPENT,
    Figure,
    Scope,
    Section,
    Table,
    TableRow,
    Trace,
    counted,
    grouped,
    net,
    net_figure,
    net_trace,
    selected,
    share_of,
    summed,
    table,
)

MOST_PROVIDERS = 500
"""Lines of a table of providers; the rest is one line."""
GROUP = 500


async def providers(scope: Scope) -> Section:
    """How each provider performed: orders, money, ratings, complaints (YC-28, NX-37)."""
    placed, done = scope.of_programme("placed_at"), _done(scope)
    figures: dict[int, list[int]] = defaultdict(lambda: [0] * 6)
    columns = (
        (await grouped(Trace("order", placed), "provider_id"), 0, "count"),
        (await grouped(Trace("order", done), "provider_id", {"fen": "voucher_fen"}), 1, "count"),
        (await grouped(Trace("rating", _low(scope)), "provider_id"), 4, "count"),
        (await grouped(Trace("complaint", _heard(scope, accused_as="provider")), "accused_id"), 5, "count"),
    )
    for found, place, name in columns:
        for one in found:
            who = one.get("provider_id", one.get("accused_id"))
            if who is not None:
                figures[who][place] = one[name]
    for accounts, place in ((SPENT, 2), (PAID, 3)):
        for who, fen in (await net(scope, accounts, "provider_id")).items():
            if who is not None:
                figures[who][place] = fen
    ranked = sorted(figures, key=lambda who: (-figures[who][2], who))
    shown, rest = ranked[:MOST_PROVIDERS], ranked[MOST_PROVIDERS:]
    names = await _names(shown)
    rows = [
        TableRow([names.get(who, ""), *figures[who]], Trace("order", {**placed, "provider_id": who}))
        for who in shown
    ]
    if rest:
        sums = [sum(figures[who][place] for who in rest) for place in range(6)]
        rows.append(TableRow([texts.REPORT_WORDS["others"].format(count=len(rest)), *sums]))
    named = (
        *(("provider", "text"), ("orders", "count"), ("done", "count"), ("redeemed", "fen")),
        *(("disbursed", "fen"), ("low_ratings", "count"), ("complaints", "count")),
    )
    admitted = {
        "programme_slug": scope.programme.slug,
        "party": Party.PROVIDER.value,
        "status": QualificationStatus.APPROVED.value,
    }
    return _section(
        "providers",
        [
            await counted("providers_admitted", "qualification", admitted),
            await counted("orders_done", "order", done),
            await net_figure("redeemed_fen", scope, SPENT),
            await net_figure("disbursed_fen", scope, PAID),
        ],
        [table("providers", named, rows, chart=(0, 3))],
    )


async def effect(scope: Scope) -> Section:
    """Who was served, and what the vouchers moved (YC-28)."""
    done = _done(scope)
    trace = Trace("order", done)
    served = len({one["enterprise_id"] for one in await grouped(trace, "enterprise_id")})
    contracts = await summed("contracts_fen", "order", "contract_fen", done)
    vouchers = await summed("vouchers_fen", "order", "voucher_fen", done)
    rows = [
        TableRow(
            [_category(scope, str(one["category"])), one["count"], one["contract"], one["fen"]],
            Trace("order", {**done, "category": one["category"]}),
        )
        for one in await grouped(trace, "category", {"contract": "contract_fen", "fen": "voucher_fen"})
    ]
    columns = (("category", "text"), ("done", "count"), ("contract", "fen"), ("voucher", "fen"))
    return _section(
        "effect",
        [
            Figure("enterprises_served", texts.REPORT_FIGURES["enterprises_served"], "count", served, trace),
            await counted("orders_done", "order", done),
            contracts,
            vouchers,
            share_of("leverage", contracts.value, vouchers.value),
        ],
        [table("effect", columns, rows, chart=(0, 3))],
    )


async def satisfaction(scope: Scope) -> Section:
    """What enterprises said of the services (NX-37)."""
    rated = scope.of_programme("rated_at")
    trace = Trace("rating", rated)
    by_level = {str(one["level"]): one["count"] for one in await grouped(trace, "level")}
    known = [level for level in scope.programme.rating.scale if level in by_level]
    others = sorted(by_level.keys() - set(known))
    rows = [
        TableRow([level, by_level[level]], Trace("rating", {**rated, "level": level}))
        for level in (*known, *others)
    ]
    mean = (await selected(trace).annotate(mean=Avg("score_bp")).values("mean"))[0]["mean"]
    total = await counted("ratings", "rating", rated)
    low = await counted("low_ratings", "rating", _low(scope))
    return _section(
        "satisfaction",
        [
            total,
            Figure("mean_score", texts.REPORT_FIGURES["mean_score"], "bp", int(mean or 0), trace),
            low,
            share_of("low_share", low.value, total.value),
        ],
        [table("ratings", (("level", "text"), ("ratings", "count")), rows, chart=(0, 1))],
    )


async def complaints(scope: Scope) -> Section:
    """Cases outside the mailbox: how many, and what they came to. Nobody is named."""
    filed = _heard(scope)
    closed = {**scope.of_programme("closed_at"), "sealed": False}
    rows = [
        TableRow(
            [texts.COMPLAINT_STATUSES.get(str(one["status"]), str(one["status"])), one["count"]],
            Trace("complaint", {**filed, "status": str(one["status"])}),
        )
        for one in await grouped(Trace("complaint", filed), "status")
    ]
    return _section(
        "complaints",
        [
            await counted("complaints_filed", "complaint", filed),
            await counted("complaints_closed", "complaint", closed),
            await counted(
                "complaints_true",
                "complaint",
                {**scope.of_programme("found_at"), "sealed": False, "finding": "substantiated"},
            ),
            await counted(
                "complaints_late", "complaint", {**scope.of_programme("overdue_at"), "sealed": False}
            ),
        ],
        [table("complaints", (("status", "text"), ("cases", "count")), rows, chart=(0, 1))],
    )


async def overdue(scope: Scope) -> Section:
    """What was late at the end of the period, and with whom it lay."""
    slug, ends = scope.programme.slug, scope.ends.isoformat()
    reviews = {"programme_slug": slug, "status": CaseStatus.OPEN.value, "due_at__lt": ends}
    orders = {"programme_slug": slug, "status": OrderStatus.OPEN.value, "step_due_at__lt": ends}
    rows = [
        TableRow(
            [
                one["step_name"] or texts.REPORT_WORDS["no_step"],
                texts.ACTORS.get(str(one["turn"]), ""),
                one["count"],
            ],
            Trace("review", {**reviews, "step_name": one["step_name"], "turn": one["turn"]}),
        )
        for one in await grouped(Trace("review", reviews), ("step_name", "turn"))
    ]
    columns = (("step", "text"), ("turn", "text"), ("cases", "count"))
    return _section(
        "overdue",
        [
            await counted("reviews_late", "review", reviews),
            await counted(
                "reviews_escalated",
                "escalation",
                {
                    "about": REVIEW_OVERDUE,
                    "recipient__endswith": f":{slug}",
                    **scope.within("sent_at"),
                },
            ),
            await counted("orders_late", "order", orders),
            await counted(
                "answers_late",
                "complaint",
                {
                    "programme_slug": slug,
                    "sealed": False,
                    "status__in": ["filed", "in_hand"],
                    "answer_due_at__lt": ends,
                },
            ),
        ],
        [table("overdue", columns, rows, chart=(0, 2))],
    )


async def districts(scope: Scope) -> Section:
    """Use by the area of the enterprise."""
    return await _by_enterprise(scope, "districts", lambda one: one.area)


async def size_classes(scope: Scope, sizes: SizeStandard) -> Section:
    """Use by the size of the enterprise, worked out from the figures it stands with."""

    def size(one: Organisation) -> str:
        words: Mapping[str, str] = texts.REPORT_SIZES
        try:
            found = classify(
                sizes,
                one.industry,
                headcount=one.headcount,
                revenue_fen=one.revenue_fen,
                assets_fen=one.assets_fen,
            )
        except Refusal:
            return words["unknown"]
        return words[found.size_class.value]

    return await _by_enterprise(scope, "size_classes", size)


async def breaches(scope: Scope) -> Section:
    """What was proposed for a sanction or decided on; the parties are the report's reader's to know."""
    slug = scope.programme.slug
    proposed = {"programme_slug": slug, **scope.within("proposed_at")}
    decided = {"programme_slug": slug, **scope.within("decided_at")}
    found = (
        await selected(Trace("sanction", proposed))
        .order_by("id")
        .limit(MOST_PROVIDERS)
        .values("id", "number", "against__name", "clause", "status", "proposed_at")
    )
    rows = [
        TableRow(
            [one["number"], one["against__name"], one["clause"], texts.SANCTION_STATUSES[one["status"]]],
            Trace("sanction", {"id": one["id"]}),
        )
        for one in found
    ]
    columns = (("number", "text"), ("party", "text"), ("clause", "text"), ("status", "text"))
    return _section(
        "breaches",
        [
            await counted("breaches_found", "sanction_proposal", proposed),
            await counted("sanctions_proposed", "sanction", proposed),
            await counted("sanctions_decided", "sanction", decided),
        ],
        [table("breaches", columns, rows, total=False)],
    )


async def _by_enterprise(scope: Scope, code: str, key: Any) -> Section:
    granted = scope.of_programme("granted_at")
    of_vouchers = {
        one["enterprise_id"]: one
        for one in await grouped(Trace("voucher", granted), "enterprise_id", {"fen": "face_value_fen"})
    }
    redeemed = {
        who: fen for who, fen in (await net(scope, SPENT, "enterprise_id")).items() if who is not None
    }
    groups: dict[str, list[int]] = defaultdict(lambda: [0] * 4)
    members: dict[str, list[int]] = defaultdict(list)
    wanted = sorted(of_vouchers.keys() | redeemed.keys())
    for start in range(0, len(wanted), GROUP):
        for one in await Organisation.filter(id__in=wanted[start : start + GROUP]):
            name, vouchers = str(key(one)), of_vouchers.get(one.id, {"count": 0, "fen": 0})
            own = (1, vouchers["count"], vouchers["fen"], redeemed.get(one.id, 0))
            groups[name] = [before + more for before, more in zip(groups[name], own, strict=True)]
            members[name].append(one.id)
    rows = [
        TableRow([name, *groups[name]], net_trace(scope, SPENT, enterprise_id__in=members[name]))
        for name in sorted(groups, key=lambda name: (-groups[name][3], name))
    ]
    columns = (
        *((code, "text"), ("enterprises", "count"), ("vouchers", "count"), ("face", "fen")),
        ("redeemed", "fen"),
    )
    figures = [
        await counted("issued_count", "voucher", granted),
        await net_figure("redeemed_fen", scope, SPENT),
    ]
    return _section(code, figures, [table(code, columns, rows, chart=(0, 4))])


async def _names(ids: Sequence[int]) -> Mapping[int, str]:
    return {one.id: one.name for one in await Organisation.filter(id__in=list(ids)).only("id", "name")}


def _done(scope: Scope) -> dict[str, Any]:
    return scope.of_programme("step_since", status=OrderStatus.DONE.value)


def _low(scope: Scope) -> dict[str, Any]:
    return scope.of_programme("rated_at", is_low=True)


def _heard(scope: Scope, **others: Any) -> dict[str, Any]:
    """Complaints that are no mailbox's."""
    return {**scope.of_programme("filed_at"), "sealed": False, **others}


def _category(scope: Scope, code: str) -> str:
    known = scope.programme.category(code)
    return known.name if known else code


def _section(code: str, figures: Iterable[Figure], tables: Iterable[Table]) -> Section:
    return Section(code, texts.REPORT_SECTIONS[code], list(figures), list(tables))
