"""What a decision would do, thing by thing and with its sums, shown before anybody decides.

It is worked out anew each time from what stands; whoever decides names the digest of what they were shown,
and is turned back when something else would be hit by now.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

import orjson
from tortoise.expressions import Q

from server import texts
from server.models.ledger import LedgerEntry
from server.models.orders import Order, VoucherHold
from server.models.organisations import Qualification
from server.models.payment_holds import PaymentHold
from server.models.sanctions import RecoveryLine, SanctionCase
from server.models.settlements import Settlement
from server.models.vouchers import Voucher
from server.programme.oversight import Measure
from server.programme.vocabulary import Party
from server.rules.deadlines import day_of
from server.rules.lifecycles import VoucherStatus
from server.rules.money import Account, Movement
from server.rules.orders import COMING_TO_SOMETHING, LIVE, OrderStatus
from server.rules.payment_holds import HoldCause
from server.rules.recoveries import DAYS_A_YEAR, OWED, WHOLE_BP, surcharge_fen
from server.rules.sanction_cases import BULK, LASTING, Effect, effects_of, published
from server.rules.sanctions import ban as ban_of
from server.rules.settlements import LIVE as SETTLING
from server.rules.settlements import STOPPABLE, SettlementStatus
from server.services.budgets import ledger
from server.services.sanctions.sanction_book import SanctionBook
from server.units import yuan

NOT_HANDED_IN = frozenset({SettlementStatus.DRAFT, SettlementStatus.WITHDRAWN})
HANDED_IN = SETTLING - NOT_HANDED_IN


@dataclass(frozen=True, slots=True)
class OrderHit:
    """An order that ends."""

    order: int
    number: str
    project: str
    held_fen: int
    spent_fen: int


@dataclass(frozen=True, slots=True)
class VoucherHit:
    """A voucher that is void, and what is free of it."""

    voucher: int
    number: str
    free_fen: int


@dataclass(frozen=True, slots=True)
class SettlementHit:
    """A settlement of which nothing is paid, or less."""

    settlement: int
    number: str
    order: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class PaidOut:
    """Money of one order off one voucher that lies with a provider and is claimed back."""

    order: int
    number: str
    budget: int
    round: int | None
    enterprise: int | None
    provider: int | None
    voucher: int | None
    category: str | None
    amount_fen: int
    paid_out_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Everything that would follow from a decision of today. Money in fen."""

    measures: tuple[str, ...]
    effects: tuple[str, ...]
    lasting: tuple[str, ...]
    """What an appeal could not undo."""
    standing: str
    """The qualification's status that would end; empty: there is none."""
    bars_from: date | None = None
    bars_until: date | None = None
    """The last day; with ``bars_from`` and without this, for good."""
    bars_person: bool = False
    scope: str = ""
    announced_where: str = ""
    referred_to: str = ""
    orders: tuple[OrderHit, ...] = ()
    vouchers: tuple[VoucherHit, ...] = ()
    settlements: tuple[SettlementHit, ...] = ()
    unclaimed: tuple[OrderHit, ...] = ()
    """Accepted orders that nobody has asked to be paid for, whose money is void with the rest."""
    reduced_fen: int = 0
    paid_out: tuple[PaidOut, ...] = ()
    principal_fen: int = 0
    surcharge_fen: int = 0
    yearly_bp: int = 0
    rate_rests_on: str = ""
    arithmetic: str = ""
    digest: str = field(default="")
    """Of all of it but for what only the day changes."""


async def preview(case: SanctionCase, book: SanctionBook, *, now: datetime) -> Preview:
    """What a decision on the case would do now."""
    programme, sanction = book.programme_of(case), book.sanction_of(case)
    measures = frozenset(Measure(one) for one in case.measures)
    effects = effects_of(measures)
    barred = ban_of(sanction, day_of(now)) if Effect.BAN in effects else None
    orders = await _orders(case, effects)
    claimed = await paid_out(case) if Effect.RECOVER in effects else ()
    surcharged = [
        surcharge_fen(one.amount_fen, book.defaults.surcharge_yearly_bp, one.paid_out_on, day_of(now))
        for one in claimed
    ]
    row = await Qualification.get_or_none(
        organisation_id=case.against_id, party=case.party, programme_slug=programme.slug
    )
    shown = Preview(
        measures=tuple(sorted(measures)),
        effects=tuple(sorted(effects)),
        lasting=tuple(sorted(effects & LASTING)),
        standing=row.status.value if row is not None and Effect.END_STANDING in effects else "",
        bars_from=None if barred is None else barred.starts_on,
        bars_until=None if barred is None else barred.ends_on,
        bars_person=Effect.BAN_PERSON in effects,
        scope=sanction.ban_scope,
        announced_where=sanction.announced_where if published(measures) else "",
        referred_to=sanction.referred_to if Effect.REFER in effects else "",
        orders=orders,
        vouchers=await _vouchers(case) if Effect.VOID_VOUCHER in effects else (),
        settlements=await _settlements(case, effects),
        unclaimed=await _unclaimed(case, effects, {one.order for one in orders}),
        reduced_fen=case.reduced_fen or 0 if Effect.REDUCE_SETTLEMENT in effects else 0,
        paid_out=tuple(claimed),
        principal_fen=sum(one.amount_fen for one in claimed),
        surcharge_fen=sum(surcharged),
        yearly_bp=book.defaults.surcharge_yearly_bp if claimed else 0,
        rate_rests_on=book.defaults.says if claimed else "",
        arithmetic=_arithmetic(claimed, surcharged, book.defaults.surcharge_yearly_bp, day_of(now)),
    )
    return _digested(shown)


def as_json(shown: Preview) -> dict[str, Any]:
    """The preview as it is kept with the decision."""
    kept: dict[str, Any] = orjson.loads(orjson.dumps(asdict(shown)))
    return kept


def planned(shown: Preview) -> list[tuple[Effect, str, int | None]]:
    """What is done one by one afterwards: orders first, so that their money is back when vouchers end."""
    every = {Effect(one) for one in shown.effects}
    effects = every & BULK
    plan: list[tuple[Effect, str, int | None]] = []
    if Effect.END_ORDER in effects:
        plan += [
            (Effect.END_ORDER, f"order:{one.order}", one.held_fen + one.spent_fen) for one in shown.orders
        ]
    if Effect.VOID_VOUCHER in effects:
        plan += [(Effect.VOID_VOUCHER, f"voucher:{one.voucher}", one.free_fen) for one in shown.vouchers]
    for stop in (Effect.REFUSE_SETTLEMENT, Effect.REDUCE_SETTLEMENT):
        if stop in every:
            plan += [(stop, f"settlement:{one.settlement}", one.amount_fen) for one in shown.settlements]
    return plan + [
        (Effect.REFUSE_SETTLEMENT, f"order:{one.order}", one.held_fen + one.spent_fen)
        for one in shown.unclaimed
    ]


def hit_orders(case: SanctionCase) -> Q:
    """The party's orders in the programme, as far as the case hits them."""
    side: dict[str, Any] = {f"{case.party.value}_id": case.against_id}
    wanted = Q(programme_slug=case.programme_slug, **side)
    return wanted if case.orders is None else wanted & Q(id__in=case.orders)


async def _orders(case: SanctionCase, effects: frozenset[Effect]) -> tuple[OrderHit, ...]:
    """Live orders whose money was not accepted yet; where vouchers are to be given back, those too.

    What was accepted is a matter of its settlement, which other measures stop or claim back.
    """
    if Effect.END_ORDER not in effects:
        return ()
    rows = await Order.filter(hit_orders(case), status__in=list(LIVE)).order_by("id")
    ids = [row.id for row in rows]
    paid = Settlement.filter(order_id__in=ids, paid_at__not_isnull=True)
    settled = set(await paid.values_list("order_id", flat=True))
    held, spent = await _money_of(ids)
    given_back = Measure.RECLAIM_VOUCHERS.value in case.measures
    return tuple(
        OrderHit(row.id, row.number, row.project, held[row.id], spent[row.id])
        for row in rows
        if row.id not in settled and (given_back or not spent[row.id])
    )


async def _unclaimed(
    case: SanctionCase, effects: frozenset[Effect], ending: Collection[int]
) -> tuple[OrderHit, ...]:
    """Accepted orders whose settlement nobody has handed in, and now nobody can any more."""
    if Effect.REFUSE_SETTLEMENT not in effects:
        return ()
    rows = await Order.filter(_of_its_time(case), status__in=list(COMING_TO_SOMETHING)).order_by("id")
    ids = [row.id for row in rows if row.id not in ending]
    asked = Settlement.filter(order_id__in=ids).exclude(status__in=list(NOT_HANDED_IN))
    elsewhere = set(await asked.values_list("order_id", flat=True))
    held, spent = await _money_of(ids)
    return tuple(
        OrderHit(row.id, row.number, row.project, held[row.id], spent[row.id])
        for row in rows
        if row.id not in elsewhere and (spent[row.id] or (row.status is OrderStatus.DONE and held[row.id]))
    )


async def come_under(case: SanctionCase) -> list[tuple[Effect, str, int | None]]:
    """What stands to be refused of a decided case by now: sent back by the bank, or never asked for."""
    effects = effects_of([Measure(one) for one in case.measures])
    if Effect.REFUSE_SETTLEMENT not in effects:
        return []
    stopped = Settlement.filter(_of_its_time(case, "order__"), status__in=list(STOPPABLE))
    return [
        *[
            (Effect.REFUSE_SETTLEMENT, f"settlement:{one.id}", int(one.amount_fen or one.asked_fen))
            for one in await stopped.order_by("id")
        ],
        *[
            (Effect.REFUSE_SETTLEMENT, f"order:{one.order}", one.held_fen + one.spent_fen)
            for one in await _unclaimed(case, effects, ())
        ],
    ]


async def with_more() -> list[int]:
    """Cases under whose hold something stands that :func:`come_under` may name, by id.

    The schedule asks each minute: this many queries, however many decisions were ever made.
    """
    holds = PaymentHold.filter(cause=HoldCause.SANCTION, lifted_at=None)
    rows = await holds.values_list("cause_id", "provider_id", "enterprise_id")
    providers = await _having_more("provider_id", {row[1] for row in rows} - {None})
    enterprises = await _having_more("enterprise_id", {row[2] for row in rows} - {None})
    return sorted({row[0] for row in rows if row[1] in providers or row[2] in enterprises})


async def _having_more(side: str, parties: Collection[int]) -> set[object]:
    """Those of these who have a settlement that may be refused, or an order that nobody handed in."""
    if not parties:
        return set()
    own = {f"order__{side}__in": list(parties)}
    having = set(await Settlement.filter(status__in=list(STOPPABLE), **own).values_list(side, flat=True))
    money = VoucherHold.filter(
        Q(spent_fen__gt=0) | Q(held_fen__gt=0, order__status=OrderStatus.DONE),
        order__status__in=list(COMING_TO_SOMETHING),
        **own,
    )
    accepted = await money.values_list("order_id", f"order__{side}")
    asked = Settlement.filter(order_id__in=[order_id for order_id, _ in accepted])
    handed_in = set(await asked.exclude(status__in=list(NOT_HANDED_IN)).values_list("order_id", flat=True))
    return having | {party for order_id, party in accepted if order_id not in handed_in}


def _of_its_time(case: SanctionCase, through: str = "") -> Q:
    """The orders a case hits; of a decided one those that were placed by then."""
    known: dict[str, Any] = {"programme_slug": case.programme_slug, f"{case.party.value}_id": case.against_id}
    if case.orders is not None:
        known["id__in"] = case.orders
    if case.decided_at is not None:
        known["placed_at__lte"] = case.decided_at
    return Q(**{f"{through}{name}": value for name, value in known.items()})


async def _money_of(order_ids: Sequence[int]) -> tuple[Mapping[int, int], Mapping[int, int]]:
    """What each of these orders holds and has spent, fen."""
    held: dict[int, int] = defaultdict(int)
    spent: dict[int, int] = defaultdict(int)
    for one in await VoucherHold.filter(order_id__in=list(order_ids)):
        held[one.order_id] += one.held_fen
        spent[one.order_id] += one.spent_fen
    return held, spent


async def _vouchers(case: SanctionCase) -> tuple[VoucherHit, ...]:
    """What still runs: of a provider what it drew, of an enterprise what it holds."""
    holder = Q(provider_id=case.against_id)
    if case.party is Party.ENTERPRISE:
        holder = Q(enterprise_id=case.against_id, provider_id=None)
    wanted = Voucher.filter(holder, programme_slug=case.programme_slug, status=VoucherStatus.ACTIVE)
    if case.vouchers is not None:
        wanted = wanted.filter(id__in=case.vouchers)
    rows = await wanted.order_by("id")
    free = await ledger.balances_of_vouchers({row.enterprise_id for row in rows}, [row.id for row in rows])
    return tuple(VoucherHit(row.id, row.number, free[row.id][Account.AVAILABLE]) for row in rows)


async def _settlements(case: SanctionCase, effects: frozenset[Effect]) -> tuple[SettlementHit, ...]:
    stopping = {Effect.REFUSE_SETTLEMENT, Effect.REDUCE_SETTLEMENT, Effect.HOLD_PAYMENT}
    if stopping.isdisjoint(effects):
        return ()
    side = {f"{case.party.value}_id": case.against_id}
    wanted = Settlement.filter(programme_slug=case.programme_slug, status__in=list(HANDED_IN), **side)
    if case.orders is not None:
        wanted = wanted.filter(order_id__in=case.orders)
    return tuple(
        # What is not determined yet has asked for its money, and stands to lose that.
        SettlementHit(row.id, row.number, row.order_id, row.amount_fen or row.asked_fen)
        for row in await wanted.order_by("id")
    )


async def paid_out(case: SanctionCase) -> Sequence[PaidOut]:
    """What the ledger has with providers for the orders that are hit, less what is claimed back already."""
    orders = {
        row.id: row for row in await Order.filter(hit_orders(case)).only("id", "number", "enterprise_id")
    }
    if not orders:
        return ()
    # Found through the enterprises: every index more would cost each grant of a launch.
    entries = await LedgerEntry.filter(
        Q(debit=Account.DISBURSED) | Q(credit=Account.DISBURSED),
        enterprise_id__in=list({row.enterprise_id for row in orders.values()}),
        order_id__in=list(orders),
    ).order_by("id")
    sums: dict[tuple[Any, ...], int] = {}
    since: dict[tuple[Any, ...], date] = {}
    for one in entries:
        key = (
            one.order_id,
            one.budget_id,
            one.round_id,
            one.enterprise_id,
            one.provider_id,
            one.voucher_id,
            one.category,
        )
        if one.credit is Account.DISBURSED:
            sums[key] = sums.get(key, 0) + one.amount_fen
            # What a claim gives back, because its payment came back, was paid out when it was.
            if one.movement is Movement.DISBURSE or key not in since:
                since[key] = day_of(one.at)
        else:
            sums[key] = sums.get(key, 0) - one.amount_fen
    # What another decision claims already, of whichever side, comes back once.
    for line in await RecoveryLine.filter(
        order_id__in=list(orders), recovery__status__in=list(OWED), home_at=None
    ):
        key = (
            line.order_id,
            line.budget_id,
            line.round_id,
            line.enterprise_id,
            line.provider_id,
            line.voucher_id,
            line.category,
        )
        sums[key] = sums.get(key, 0) - (line.amount_fen - line.collected_fen)
    return [
        PaidOut(
            order=key[0],
            number=orders[key[0]].number,
            budget=key[1],
            round=key[2],
            enterprise=key[3],
            provider=key[4],
            voucher=key[5],
            category=key[6],
            amount_fen=amount_fen,
            paid_out_on=since[key],
        )
        for key, amount_fen in sums.items()
        if amount_fen > 0
    ]


def _arithmetic(paid_out: Sequence[PaidOut], surcharged: Sequence[int], yearly_bp: int, on: date) -> str:
    """Line by line: principal, days, surcharge, and the sum."""
    if not paid_out:
        return ""
    lines = [
        texts.RECOVERY_LINE.format(
            number=one.number,
            amount=yuan(one.amount_fen),
            rate=rate_said(yearly_bp),
            days=max(0, (on - one.paid_out_on).days),
            surcharge=yuan(borne_fen),
        )
        for one, borne_fen in zip(paid_out, surcharged, strict=True)
    ]
    whole_fen = sum(one.amount_fen for one in paid_out) + sum(surcharged)
    return texts.STEP.join([*lines, texts.RECOVERY_SUM.format(amount=yuan(whole_fen))])


def rate_said(yearly_bp: int) -> str:
    """A yearly rate as people write it: 3.45%/365."""
    return f"{yearly_bp / (WHOLE_BP // 100):.2f}%/{DAYS_A_YEAR}"


def _digested(shown: Preview) -> Preview:
    stable: Mapping[str, Any] = {
        name: value
        for name, value in as_json(shown).items()
        if name not in ("digest", "surcharge_fen", "arithmetic", "bars_from", "bars_until")
    }
    digest = hashlib.sha256(orjson.dumps(stable, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return Preview(**{**{name: getattr(shown, name) for name in shown.__slots__}, "digest": digest})
