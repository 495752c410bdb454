"""Demo orders: opened between two of the demonstration, and walked step by step as each side is asked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from aiohttp import web

from server import keys
from server.demo_forms import scans
from server.models.offerings import Offering
from server.models.orders import Order
from server.models.organisations import Organisation
from server.programme.model import Programme
from server.programme.papers import AmountRule, Document, Field, FieldKind
from server.programme.steps import StepKind
from server.programme.vocabulary import Actor as Role
from server.programme.vocabulary import LegalForm, Party
from server.rules.deadlines import day_of
from server.rules.offerings import OfferingStatus
from server.rules.order_walk import sides
from server.rules.orders import OrderStatus
from server.services.access import Actor
from server.services.orders import order_lists
from server.services.orders.order_lists import OrderShown
from server.services.orders.order_opening import Sketch
from server.services.orders.order_papers import HandIn
from server.services.orders.order_wishes import Ask, Wish
from server.services.payments.paper_terms import agreed_fen
from server.texts import DEMO
from server.units import BASIS_POINTS

CONTRACT_FEN = 600_000
LONGEST = 60
"""Steps after which an order is thought to go round in a circle."""
PAYING = frozenset({StepKind.DEPOSIT, StepKind.BALANCE, StepKind.ESCROW, StepKind.TRANSFER_RECEIPT})
NUMBER_DIGITS = 20


async def order_a_voucher(app: web.Application, programme: Programme, people: Mapping[Party, Actor]) -> None:
    """An order between two, with every step of theirs done until it has a voucher or an official's turn."""
    order = await open_order(app, programme, people, DEMO["project"])
    if order is not None:
        await walk(app, order, people, halt=lambda one: one.voucher_id is not None)


async def open_order(
    app: web.Application, programme: Programme, people: Mapping[Party, Actor], project: str
) -> Order | None:
    """An order on what the provider has listed; none where it would need a listing and there is none."""
    opens = programme.voucher.holder
    other = Party.ENTERPRISE if opens is Party.PROVIDER else Party.PROVIDER
    offering = await Offering.filter(
        provider_id=people[Party.PROVIDER].organisation_id,
        programme_slug=programme.slug,
        status=OfferingStatus.LISTED,
    ).first()
    if offering is None and programme.contract.matches_offering:
        return None
    sketch = Sketch(
        offering_id=None if offering is None else offering.id,
        other_uscc=(await Organisation.get(id=people[other].organisation_id)).uscc,
        category=programme.categories[0].code,
        project=project,
        price_fen=CONTRACT_FEN,
        kind=next((kind.code for kind in programme.voucher_kinds if not kind.by_notice), ""),
    )
    return await app[keys.ORDER_OPENING].open(programme.slug, sketch, Wish(), actor=people[opens])


async def walk(
    app: web.Application,
    order: Order,
    people: Mapping[Party, Actor],
    *,
    halt: Callable[[Order], bool] = lambda order: False,
) -> Order:
    """Let each side do what it is asked, until an official is, ``halt`` says so or the order is done."""
    for _ in range(LONGEST):
        if order.status is not OrderStatus.OPEN or halt(order):
            break
        turn = await _turn(app, order, people)
        if turn is None:
            break
        own, ask, actor = turn
        wish = await _wish(app, own, ask, actor)
        order = await app[keys.ORDERS].take(
            order.id, ask.step.kind, wish, version=own.order.version, actor=actor
        )
    return order


async def _turn(
    app: web.Application, order: Order, people: Mapping[Party, Actor]
) -> tuple[OrderShown, Ask, Actor] | None:
    """Who is asked for something now; whose step it is by the programme is looked at first."""
    programme = app[keys.ORDERS].terms_of(order).programme
    theirs = next((sides(one) for one in programme.order_steps if one.kind is order.step), frozenset())
    for party in sorted(people, key=lambda one: one not in theirs):
        own = await order_lists.shown(app[keys.ORDERS], order.id, actor=people[party])
        if own.ask is not None:
            return own, own.ask, people[party]
    return None


def made_up_number(*about: object, digits: int = NUMBER_DIGITS) -> str:
    """A number that no two papers of the demonstration share."""
    digest = hashlib.sha256(" ".join(map(str, about)).encode()).digest()
    return str(int.from_bytes(digest[:12]) % 10**digits).zfill(digits)


async def _wish(app: web.Application, shown: OrderShown, ask: Ask, actor: Actor) -> Wish:
    """Everything a step asks for, as an honest party would hand it in."""
    today = day_of(app[keys.CLOCKS].now(shown.programme.slug))
    own = await Organisation.get(id=actor.organisation_id)
    form = own.legal_form or LegalForm.LEGAL_PERSON
    due_fen = _due_fen(shown, ask)
    papers, groups = [], set[str]()
    for document in ask.documents:
        owed = document.required or (ask.step.kind in PAYING and due_fen > 0)
        if not owed or (document.legal_forms and form not in document.legal_forms):
            continue
        if document.groups and groups.issuperset(document.groups):
            continue
        groups |= set(document.groups)
        papers.append(await _paper(app, shown, ask, document, actor, today))
    values = {one.code: _said(one, shown, ask, today) for one in ask.fields if one.required}
    return Wish(values, papers)


def _due_fen(shown: OrderShown, ask: Ask) -> int:
    """What the step asks the enterprise to pay now."""
    shares = shown.shares
    by_step = {
        StepKind.DEPOSIT: shares.deposit_fen,
        StepKind.ESCROW: shares.escrow_fen,
        StepKind.BALANCE: shares.rest_fen,
    }
    return by_step.get(ask.step.kind, agreed_fen(shown.order) - int(shown.order.voucher_fen))


async def _paper(
    app: web.Application, shown: OrderShown, ask: Ask, document: Document, actor: Actor, today: date
) -> HandIn:
    order = shown.order
    price_fen = agreed_fen(order)
    own_fen = price_fen - order.voucher_fen
    least_fen = -(-price_fen * (document.minimum_bp or 0) // BASIS_POINTS)
    amounts = {
        AmountRule.FULL_PRICE: price_fen,
        AmountRule.OWN_SHARE: own_fen,
        AmountRule.OWN_SHARE_AT_LEAST: max(own_fen, least_fen),
    }
    amount_fen = _due_fen(shown, ask) if document.amount is None else amounts.get(document.amount)
    return HandIn(
        code=document.code,
        file_ids=await scans(app, shown.programme, document, order.number, actor),
        number=made_up_number(order.number, document.code),
        amount_fen=amount_fen,
        dated=today,
        payer=order.enterprise.name,
        payee=_payee(shown, ask),
    )


def _payee(shown: OrderShown, ask: Ask) -> str:
    if ask.step.kind is StepKind.ESCROW:
        return shown.programme.role(Role.OPERATOR).name
    return str(shown.order.provider.name)


def _said(asked: Field, shown: OrderShown, ask: Ask, today: date) -> Any:
    order = shown.order
    price_fen = agreed_fen(order)
    known = {
        "amount_fen": order.price_fen,
        "contract_number": DEMO["contract"].format(number=order.number),
        "enterprise_name": order.enterprise.name,
        "provider_name": order.provider.name,
        "actual_fee_fen": price_fen,
        "number": made_up_number(order.number, ask.step.kind),
        "amount": _due_fen(shown, ask) if ask.step.kind in PAYING else price_fen,
        "payer": order.enterprise.name,
        "payee": _payee(shown, ask),
    }
    by_kind = {
        FieldKind.DATE: today.isoformat(),
        FieldKind.YES_NO: True,
        FieldKind.COUNT: 1,
        FieldKind.MONEY: price_fen,
        FieldKind.CHOICE: next(iter(asked.choices), ""),
    }
    return known.get(asked.code, by_kind.get(asked.kind, DEMO["kept"]))
