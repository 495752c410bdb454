"""The book of orders: what was done on each, what comes next, until when, and who is told.

Everything here happens inside the transaction of a verb that has locked both sides (``orders.held``). It
knows no kind of step: what a step asks and does is its work's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.expressions import F

from server import texts
from server.models.applications import Ranking
from server.models.journal import JournalEntry
from server.models.orders import Order, OrderAct, OrderPaper
from server.models.vouchers import Voucher
from server.programme.holidays import WorkingCalendar
from server.programme.model import Programme
from server.programme.steps import Event, OrderStep, StepKind
from server.programme.vocabulary import Actor as ProgrammeActor
from server.programme.vocabulary import Party
from server.rules.deadlines import day_of, due_by
from server.rules.lifecycles import require_move
from server.rules.order_walk import Deed, is_finished, next_step, undone_from, whose_turn
from server.rules.orders import ORDER_MOVES, OrderStatus
from server.services import journal, outbox
from server.services.access import Actor
from server.services.orders import prepared
from server.services.orders.prepared import Prepared
from server.services.organisations import service_files

_CLAIM_OWN = {
    # Counted first, so that both sides are locked, in the order of their ids, before the order is looked at.
    "postgres": """
        WITH side AS MATERIALIZED (
            SELECT id FROM organisation WHERE id IN (
                SELECT unnest(ARRAY[enterprise_id, provider_id]) FROM service_order
                WHERE id = $1 AND $3 IN (enterprise_id, provider_id)
            ) ORDER BY id FOR NO KEY UPDATE
        )
        UPDATE service_order SET version = version + 1
        WHERE id = $1 AND version = $2 AND (SELECT count(*) FROM side) > 0 RETURNING *""",
    # A transaction has the database to itself.
    "sqlite": """
        UPDATE service_order SET version = version + 1
        WHERE id = ?1 AND version = ?2 AND ?3 IN (enterprise_id, provider_id) RETURNING *""",
}
# Numbered and read in one statement: what was read before the lock may be out of date.
_CLAIM = {
    "postgres": "UPDATE service_order SET version = version + 1 WHERE id = $1 AND version = $2 RETURNING *",
    "sqlite": "UPDATE service_order SET version = version + 1 WHERE id = ?1 AND version = ?2 RETURNING *",
}

OF_A_VOUCHER = ("id", "round_id", "granted_at", "valid_until", "order_deadline")
"""What deadlines are reckoned by."""

# Asked at every step.
_ACTS = Prepared(OrderAct, lambda: OrderAct.filter(order_id=0, sent_back_at=None).order_by("id"))
_VOUCHER = Prepared(Voucher, lambda: Voucher.filter(id=0).only(*OF_A_VOUCHER))


@dataclass(frozen=True, slots=True)
class Due:
    """Until when a step can be done; ``provisional``: a day in it was guessed, and takes nothing away."""

    ends_at: datetime | None
    provisional: bool = False


def subject_of(order: Order) -> str:
    """As what the journal and the files know an order."""
    return f"order:{order.id}"


async def acts_of(order_id: int) -> list[OrderAct]:
    """What was done on an order and was not sent back, in its order."""
    return await _ACTS.fetch(order_id)


def deeds_of(acts: Sequence[OrderAct]) -> list[Deed]:
    """The same as the rules see it."""
    return [Deed(act.step, act.party) for act in acts]


async def record(
    order: Order,
    kind: StepKind,
    party: Party | None,
    *,
    actor: Actor,
    now: datetime,
    values: Mapping[str, Any] | None = None,
) -> OrderAct:
    """Write down that one side did a step, in the order's own book and in the journal."""
    said = {code: _plain(value) for code, value in (values or {}).items()}
    act = OrderAct(order_id=order.id, step=kind, party=party, actor=actor.name, at=now, values=said)
    deed = _deed("order.step", order, actor, now, step=kind.value, party="" if party is None else party.value)
    await prepared.insert_together(act, deed)
    return act


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


async def advance(
    order: Order,
    programme: Programme,
    calendar: WorkingCalendar,
    *,
    actor: Actor,
    now: datetime,
    acts: Sequence[OrderAct] | None = None,
) -> Order:
    """Find what comes next, until when; both sides hear of it. Returns the order as it stands.

    ``acts`` are what was done so far, where the caller has read them.
    """
    if acts is None:
        acts = await acts_of(order.id)
    deeds = deeds_of(acts)
    step = next_step(programme, deeds)
    due = Due(None) if step is None else await due_of(order, step, programme, calendar, acts)
    moved_on = step is not None and step.kind is not order.step
    await change(
        order,
        status=OrderStatus.DONE if is_finished(programme, deeds) else OrderStatus.OPEN,
        step=None if step is None else step.kind,
        step_since=now if moved_on else order.step_since,
        step_due_at=due.ends_at,
    )
    if order.status is OrderStatus.DONE:
        await service_files.order_ended(order, programme, now=now)
    await tell_turn(order, programme, deeds, actor=actor, now=now)
    return order


async def due_of(
    order: Order,
    step: OrderStep,
    programme: Programme,
    calendar: WorkingCalendar,
    acts: Sequence[OrderAct],
) -> Due:
    """Until when a step can be done, by what has happened and by the vouchers the order holds."""
    if step.deadline is None:
        return Due(None)
    vouchers = await _vouchers_of(order) if step.deadline.by_voucher else []
    if step.deadline.from_event in (Event.RESULTS_PUBLISHED, Event.ROUND_CLOSED):
        # Reckoned when the results were published, and kept on the voucher.
        ends = [voucher.order_deadline for voucher in vouchers if voucher.order_deadline is not None]
        return Due(min(ends), await _guessed(vouchers)) if ends else Due(None)
    happened: dict[Event | StepKind, date] = {act.step: day_of(act.at) for act in acts}
    if acts:
        # Nobody's time runs while the order is looked at, or before it is sent back to them.
        last = acts[-1].step
        happened[last] = max(happened[last], day_of(order.step_since))
    issued_on = day_of(min(voucher.granted_at for voucher in vouchers)) if vouchers else None
    if issued_on is not None:
        happened[Event.VOUCHER_ISSUED] = issued_on
    due = due_by(
        programme,
        step.deadline,
        happened,
        calendar=calendar,
        voucher_issued_on=issued_on or day_of(order.placed_at),
        voucher_expires_at=min((voucher.valid_until for voucher in vouchers), default=None),
    )
    return Due(None) if due is None else Due(due.ends_at, due.provisional)


async def _vouchers_of(order: Order) -> list[Voucher]:
    if order.budget_id is None:
        return []  # Vouchers hold nothing before a year's money is touched.
    if order.voucher_id is not None:
        return await _VOUCHER.fetch(order.voucher_id)
    return await Voucher.filter(holds__order_id=order.id).only(*OF_A_VOUCHER)


async def _guessed(vouchers: Sequence[Voucher]) -> bool:
    rounds = [voucher.round_id for voucher in vouchers if voucher.round_id is not None]
    return bool(rounds) and await Ranking.exists(round_id__in=rounds, provisional=True)


async def undo_from(
    order: Order, programme: Programme, kind: StepKind, *, reason: str, actor: Actor, now: datetime
) -> tuple[StepKind, ...]:
    """Send an order back to a step: what was done from there on counts no more, with its papers.

    Returns the steps that were done, the last one first.
    """
    undone = undone_from(programme, kind)
    acts = [act for act in await acts_of(order.id) if act.step in undone]
    ids = [act.id for act in acts]
    await OrderAct.filter(id__in=ids).update(sent_back_at=now, sent_back_reason=reason)
    await OrderPaper.filter(act_id__in=ids, withdrawn_at=None).update(withdrawn_at=now)
    await note("order.sent_back", order, actor, now, step=kind.value, reason=reason)
    return tuple(dict.fromkeys(act.step for act in reversed(acts)))


async def move(order: Order, status: OrderStatus, **changes: Any) -> Order:
    """Give an order another state. Raises ``IllegalMove``."""
    require_move(ORDER_MOVES, order.status, status)
    return await change(order, status=status, **changes)


async def claim(order_id: int, version: int, connection: BaseDBAsyncClient) -> Order | None:
    """The order as it stands, numbered on; ``None`` when it is no longer at that version."""
    return await _claimed(_CLAIM, [order_id, version], connection)


async def claim_own(
    order_id: int, version: int, organisation_id: int, connection: BaseDBAsyncClient
) -> Order | None:
    """The same for an order of an organisation, with both sides of it locked before; ``None`` for any other.

    What was locked by somebody else meanwhile is looked at anew: the row that is claimed is the last one.
    """
    return await _claimed(_CLAIM_OWN, [order_id, version, organisation_id], connection)


async def _claimed(
    texts_of: Mapping[str, str], values: list[int], connection: BaseDBAsyncClient
) -> Order | None:
    rows = await connection.execute_query_dict(texts_of[connection.capabilities.dialect], values)
    return prepared.read(Order, rows[0]) if rows else None


async def change(order: Order, **columns: Any) -> Order:
    """Give columns of an order new values, in the table and in the hand; only of one that is held."""
    for name, value in columns.items():
        setattr(order, name, value)
    if columns:
        await order.save(update_fields=sorted(columns))
    return order


async def hold_back(order: Order, *, actor: Actor, now: datetime) -> Order:
    """Let the operator look at an order before it goes on; both sides and the operator hear of it."""
    order = await move(order, OrderStatus.ON_HOLD)
    await note("order.on_hold", order, actor, now)
    await tell_both("order.on_hold", order, now=now)
    await outbox.tell(
        outbox.team(ProgrammeActor.OPERATOR, order.programme_slug),
        "order.to_look_at",
        at=now,
        order=order.id,
        number=order.number,
        project=order.project,
    )
    return order


async def touch(order: Order) -> None:
    """Number a change, so that whoever pressed at the same moment finds out."""
    await Order.filter(id=order.id).update(version=F("version") + 1)
    order.version += 1


# -- telling -------------------------------------------------------------------------------------------


async def note(action: str, order: Order, actor: Actor, now: datetime, **data: object) -> None:
    """Write a deed on an order into the journal."""
    await _deed(action, order, actor, now, **data).save(force_create=True)


def _deed(action: str, order: Order, actor: Actor, now: datetime, **data: object) -> JournalEntry:
    return journal.deed(
        action,
        subject_of(order),
        actor=actor.name,
        at=now,
        programme_slug=order.programme_slug,
        enterprise=order.enterprise_id,
        provider=order.provider_id,
        **data,
    )


async def tell_both(topic: str, order: Order, *, now: datetime, **data: Any) -> None:
    """Tell both sides of an order."""
    for side in dict.fromkeys((order.enterprise_id, order.provider_id)):
        await tell(topic, order, side, now=now, **data)


async def tell(topic: str, order: Order, organisation_id: int, *, now: datetime, **data: Any) -> None:
    """Tell one side of an order."""
    await outbox.tell(
        f"organisation:{organisation_id}",
        topic,
        at=now,
        order=order.id,
        number=order.number,
        project=order.project,
        **data,
    )


async def tell_turn(
    order: Order, programme: Programme, deeds: Sequence[Deed], *, actor: Actor, now: datetime
) -> None:
    """Tell each side whose turn it is: whoever has to do something, and whoever waits for it."""
    turn = whose_turn(programme, deeds)
    if turn is None:
        return
    step, actors = turn
    sides = {Party.ENTERPRISE: order.enterprise_id, Party.PROVIDER: order.provider_id}
    for party, organisation_id in sides.items():
        if ProgrammeActor(party.value) in actors and organisation_id != actor.organisation_id:
            await tell("order.your_turn", order, organisation_id, now=now, step=step.name)
        elif organisation_id != actor.organisation_id:
            by = texts.LIST.join(texts.ACTORS[one] for one in actors)
            await tell("order.their_turn", order, organisation_id, now=now, step=step.name, by=by)
