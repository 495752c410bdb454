"""Reading orders: each side its own, staff those of their programmes and areas; and where one stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tortoise.expressions import Q

from server import texts
from server.models.contracts import Contract
from server.models.orders import Order, OrderAct, OrderPaper
from server.models.ratings import Rating
from server.programme.model import Programme
from server.programme.steps import OrderStep
from server.programme.vocabulary import Actor as ProgrammeActor
from server.programme.vocabulary import Party
from server.rules.deadlines import told
from server.rules.order_walk import Deed, is_done, next_step, whose_turn
from server.rules.orders import OrderStatus
from server.rules.payments import Payments, payments
from server.services import access
from server.services.access import Actor, NotFound
from server.services.holds import order_holds
from server.services.orders import order_book, order_papers
from server.services.orders.order_wishes import Ask
from server.services.orders.orders import Orders, of_party
from server.services.payments.paper_terms import agreed_fen


@dataclass(frozen=True, slots=True)
class StepShown:
    """One step of an order as people read it."""

    step: OrderStep
    state: str
    """``done``, ``now``, ``later`` or ``left_out``."""
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class OrderShown:
    """An order, where it stands, and what the asker can do about it."""

    order: Order
    programme: Programme
    party: Party | None
    contract: Contract | None
    steps: tuple[StepShown, ...]
    sentence: str
    """Whose turn it is and until when, in one sentence."""
    ask: Ask | None
    """What is asked of the asker now; ``None``: it is not the asker's turn."""
    shares: Payments
    acts: Sequence[OrderAct]
    papers: Sequence[OrderPaper]
    offer_complaint: bool
    """The asker's enterprise was not content: a complaint is one tap away."""
    held: str
    """That supervision holds it, as far as the asker may know why; empty where it is free."""


async def one(order_id: int, *, actor: Actor) -> tuple[Order, Party | None]:
    """An order and the asker's side of it; staff of its programme and area have none. Raises ``NotFound``."""
    if actor.kind == "person":
        return await of_party(order_id, actor=actor)
    order = await Order.get_or_none(id=order_id).select_related("enterprise")
    if order is None:
        raise NotFound()
    access.require_programme(actor, order.programme_slug)
    access.require_area(actor, order.enterprise.area)
    return order, None


async def page(
    *, actor: Actor, after: int, limit: int, party: Party | None = None, status: OrderStatus | None = None
) -> list[Order]:
    """The next ``limit`` orders after an id: a person's organisation's, a member of staff's programmes'."""
    wanted = Order.filter(id__gt=after)
    if actor.kind == "person":
        mine = access.organisation_id_of(actor)
        sides = {Party.ENTERPRISE: Q(enterprise_id=mine), Party.PROVIDER: Q(provider_id=mine)}
        wanted = wanted.filter(sides[party] if party else sides[Party.ENTERPRISE] | sides[Party.PROVIDER])
    else:
        wanted = wanted.filter(
            access.within_programmes(actor, "programme_slug"), access.within_areas(actor, "enterprise__area")
        )
    if status is not None:
        wanted = wanted.filter(status=status)
    return await wanted.select_related("enterprise", "provider").order_by("id").limit(limit)


async def shown(orders: Orders, order_id: int, *, actor: Actor) -> OrderShown:
    """Everything somebody sees of an order. Raises ``NotFound``."""
    order, party = await one(order_id, actor=actor)
    await order.fetch_related("enterprise", "provider")
    programme = orders.terms_of(order).programme
    acts = await order_book.acts_of(order.id)
    deeds = order_book.deeds_of(acts)
    turn = whose_turn(programme, deeds)
    mine = turn is not None and party is not None and ProgrammeActor(party.value) in turn[1]
    asks = mine and order.status in (OrderStatus.OPEN, OrderStatus.DONE)
    price_fen = agreed_fen(order)
    return OrderShown(
        order=order,
        programme=programme,
        party=party,
        contract=await Contract.get_or_none(id=order.contract_id) if order.contract_id else None,
        steps=tuple(_steps(programme, acts, deeds)),
        sentence=sentence(order, programme, deeds, party),
        ask=await orders.ask_of(order, turn[0], party) if asks and turn is not None else None,
        shares=payments(programme.own_share, price_fen, min(order.voucher_fen, price_fen)),
        acts=acts,
        papers=await order_papers.of_order(order.id),
        offer_complaint=party is Party.ENTERPRISE and await Rating.exists(order_id=order.id, is_low=True),
        held=await order_holds.shown(order.id, to_staff=party is None),
    )


def sentence(order: Order, programme: Programme, deeds: Sequence[Deed], party: Party | None) -> str:
    """Whose turn it is and until when: the one sentence on the phone."""
    if order.status is not OrderStatus.OPEN:
        return texts.ORDER_STATUSES[order.status]
    turn = whose_turn(programme, deeds)
    if turn is None:
        return texts.ORDER_STATUSES[OrderStatus.DONE]
    step, actors = turn
    mine = party is not None and ProgrammeActor(party.value) in actors
    who = texts.YOU if mine else texts.LIST.join(texts.ACTORS[one] for one in actors)
    said = texts.TURN.format(who=who, step=step.name)
    return (
        said if order.step_due_at is None else said + texts.TURN_UNTIL.format(until=told(order.step_due_at))
    )


def _steps(programme: Programme, acts: Sequence[OrderAct], deeds: Sequence[Deed]) -> Sequence[StepShown]:
    upcoming = next_step(programme, deeds)
    reached = len(programme.order_steps)
    if upcoming is not None:
        reached = programme.order_steps.index(upcoming)
    rows = []
    for place, step in enumerate(programme.order_steps):
        done = is_done(step, deeds)
        state = "done" if done else "now" if place == reached else "later" if place > reached else "left_out"
        instants = [act.at for act in acts if act.step is step.kind]
        rows.append(StepShown(step, state, max(instants) if done and instants else None))
    return rows
