"""Demo orders: one of each programme whose voucher comes with an order, as far as the step that brings it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from server import keys
from server.demo_forms import scan
from server.models.offerings import Offering
from server.models.orders import Order
from server.models.organisations import Organisation
from server.programme.model import Programme
from server.programme.papers import Field, FieldKind
from server.programme.vocabulary import Party
from server.rules.deadlines import day_of
from server.rules.offerings import OfferingStatus
from server.rules.orders import OrderStatus
from server.services import order_lists
from server.services.access import Actor
from server.services.order_lists import OrderShown
from server.services.order_opening import Sketch
from server.services.order_papers import HandIn
from server.services.order_wishes import Ask, Wish
from server.texts import DEMO

CONTRACT_FEN = 600_000


async def order_a_voucher(app: web.Application, programme: Programme, people: Mapping[Party, Actor]) -> None:
    """An order between two, with every step of theirs done until it has a voucher or an official's turn."""
    order = await _opened(app, programme, people)
    while order is not None and order.status is OrderStatus.OPEN and order.voucher_id is None:
        shown = [
            (await order_lists.shown(app[keys.ORDERS], order.id, actor=actor), actor)
            for actor in people.values()
        ]
        turn = next(((one, one.ask, actor) for one, actor in shown if one.ask is not None), None)
        if turn is None:
            return
        own, ask, actor = turn
        wish = await _wish(app, own, ask, actor)
        order = await app[keys.ORDERS].take(
            order.id, ask.step.kind, wish, version=own.order.version, actor=actor
        )


async def _opened(app: web.Application, programme: Programme, people: Mapping[Party, Actor]) -> Order | None:
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
        project=DEMO["project"],
        price_fen=CONTRACT_FEN,
        kind=next((kind.code for kind in programme.voucher_kinds if not kind.by_notice), ""),
    )
    return await app[keys.ORDER_OPENING].open(programme.slug, sketch, Wish(), actor=people[opens])


async def _wish(app: web.Application, shown: OrderShown, ask: Ask, actor: Actor) -> Wish:
    """Everything a step asks for before a voucher is there: what a contract says, and a scan of it."""
    now = app[keys.CLOCKS].now(shown.programme.slug)
    papers = []
    for document in ask.documents:
        if document.required:
            title = f"{shown.order.number} {document.code}"
            file_id = await scan(app, shown.programme, document, title, actor)
            papers.append(HandIn(code=document.code, file_ids=(file_id,)))
    return Wish({one.code: _said(one, shown, now) for one in ask.fields if one.required}, papers)


def _said(asked: Field, shown: OrderShown, now: datetime) -> Any:
    said = {
        "amount_fen": CONTRACT_FEN,
        "contract_number": DEMO["contract"],
        "enterprise_name": shown.order.enterprise.name,
        "provider_name": shown.order.provider.name,
    }
    by_kind = {FieldKind.DATE: day_of(now).isoformat(), FieldKind.YES_NO: True}
    return said.get(asked.code, by_kind.get(asked.kind))
