"""Orders: one engine for every programme's order of events.

An order walks the steps its programme lists, and this module knows nothing else about their order. A verb
locks both sides, looks at what was done so far, lets the one legal move happen and finds what comes next;
what a kind of step does besides is its :class:`~server.services.step_work.StepWork`. Of two people who press
at the same moment one moves the order, and the other is told what happened (``version``).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from tortoise.transactions import in_transaction

from server import texts
from server.errors import Unmet
from server.models.orders import Order, OrderAct
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.programme.steps import Effect, OrderStep, StepKind
from server.programme.vocabulary import Actor as ProgrammeActor
from server.programme.vocabulary import Party
from server.rules.budgets import ContractsPaused
from server.rules.deadlines import day_of
from server.rules.lifecycles import require_act
from server.rules.order_forms import read
from server.rules.order_walk import (
    SETTLING,
    contributors,
    missing_sides,
    next_step,
    require_in_time,
    require_turn,
    sides,
)
from server.rules.orders import LIVE, ORDER_MAY, OrderAction, OrderStatus
from server.rules.steps import StepOutOfTurn
from server.services import access
from server.services.access import CLOCK, Actor
from server.services.budgets import budgets
from server.services.budgets.annual_notices import AnnualNotices, Terms
from server.services.budgets.returned_money import OfferReturned
from server.services.clocks import ProgrammeClocks
from server.services.orders import order_book, order_money, order_papers
from server.services.orders.order_wishes import Ask, NothingToSendBack, OrderMovedOn, Wish, require_met
from server.services.organisations.memberships import lock_all
from server.services.payments import asked_papers, invoices, paying_steps
from server.services.step_work import Move, NothingMore, Paper, StepWork
from server.services.working_days import WorkingDays

PRICES = frozenset({"contract_fen", "invoice_fen", "actual_fee_fen", "unrelated_fen", "wanted_fen"})
"""The columns whose change makes what the vouchers pay be worked out anew."""


class Orders:
    """The verbs that move orders along. Days and instants are those of each programme's clock."""

    def __init__(
        self,
        programmes: Programmes,
        clocks: ProgrammeClocks,
        notices: AnnualNotices,
        working_days: WorkingDays,
        *,
        offer: OfferReturned | None = None,
    ) -> None:
        self.programmes = programmes
        self.clocks = clocks
        self.notices = notices
        self.working_days = working_days
        self.offer = offer
        """Who serves the waiting list of a round with what orders give back, where there is one."""
        self._works: dict[StepKind, StepWork] = {}
        self._nothing_more = NothingMore()
        self.enders: list[Callable[[Order, datetime], Awaitable[None]]] = []
        """What else is let go of when an order ends, in the transaction of its end."""
        self.listeners: list[Callable[[int], Awaitable[None]]] = []
        """Who hears, in its transaction, that an order on an offering was done."""

    def serve(self, kind: StepKind, work: StepWork) -> None:
        """Let a kind of step do more than be done."""
        self._works[kind] = work

    def work(self, kind: StepKind) -> StepWork:
        return self._works.get(kind, self._nothing_more)

    def terms_of(self, order: Order) -> Terms:
        """The programme as it stood when the order was opened, yearly notice included."""
        programme = self.programmes.version(order.programme_slug, order.programme_version)
        return self.notices.terms(programme, order.kind, day_of(order.placed_at))

    # -- one side does a step ------------------------------------------------------------------------

    async def take(self, order_id: int, kind: StepKind, wish: Wish, *, version: int, actor: Actor) -> Order:
        """Do one step for the actor's side.

        Raises ``NotFound``, :class:`OrderMovedOn`, ``NotPermittedNow``, ``StepOutOfTurn``, ``NotYourStep``,
        ``StepDoneAlready``, ``StepTooLate``, :class:`StepUnmet`, what its work refuses, and what its money
        does (``order_money.reserve``).
        """
        papers = await order_papers.taken(wish.papers, actor=actor)
        async with self.own(order_id, version=version, actor=actor) as (order, party):
            move, acts = await self._begun(order, kind, party, papers, actor=actor)
            move = await self._checked(move, wish.values)
            order = await self._do(move, self.terms_of(order), acts)
        for after in move.afters:
            await after()
        return order

    async def ask_of(self, order: Order, step: OrderStep, party: Party | None) -> Ask:
        """The fields and documents a step asks of one side now."""
        return await self._ask(self.terms_of(order).programme, order, step, party)

    async def _ask(self, programme: Programme, order: Order, step: OrderStep, party: Party | None) -> Ask:
        brings = party is not None and party in contributors(step)
        waived = await paying_steps.waives_papers(order, programme, step)
        fields = () if brings or waived else self.work(step.kind).form(programme, step, order, party)
        documents = await order_papers.asked(step, order, programme, party)
        return Ask(step, tuple(fields), documents, await asked_papers.terms_of(order, programme, step))

    async def checklist(
        self, order_id: int, kind: StepKind, wish: Wish, *, actor: Actor
    ) -> tuple[Unmet, ...]:
        """Everything that would stand against a step, without doing it: what is missing before it is sent.

        Raises ``NotFound`` and what says that it is not this side's turn.
        """
        order, party = await of_party(order_id, actor=actor)
        papers = await order_papers.taken(wish.papers, actor=actor)
        move, _ = await self._begun(order, kind, party, papers, actor=actor)
        _, unmet = await self._examined(move, wish.values)
        return unmet

    async def _begun(
        self,
        order: Order,
        kind: StepKind,
        party: Party,
        papers: Mapping[str, tuple[Paper, ...]],
        *,
        actor: Actor,
    ) -> tuple[Move, list[OrderAct]]:
        """The move a side makes with a step, and what was done before. Raises what says it is not theirs."""
        programme, now = self.terms_of(order).programme, self.clocks.now(order.programme_slug)
        acts = await order_book.acts_of(order.id)
        step = await self._require_move(order, programme, acts, kind, party, now)
        completes = party in sides(step) and missing_sides(step, order_book.deeds_of(acts)) == (party,)
        move = Move(
            order=order,
            step=step,
            programme=programme,
            party=party,
            actor=actor,
            now=now,
            papers=papers,
            completes=completes,
        )
        return move, acts

    async def send_back(self, order_id: int, *, reason: str, version: int, actor: Actor) -> Order:
        """Send the order back to the step the programme names, or undo the other side's half of this one.

        Raises ``NotFound``, :class:`OrderMovedOn`, ``NotPermittedNow``, :class:`NothingToSendBack`.
        """
        async with self.own(order_id, version=version, actor=actor) as (order, party):
            terms, now = self.terms_of(order), self.clocks.now(order.programme_slug)
            require_act(ORDER_MAY, order.status, OrderAction.STEP)
            acts = await order_book.acts_of(order.id)
            deeds = order_book.deeds_of(acts)
            step = next_step(terms.programme, deeds)
            target = None if step is None or party not in sides(step) else step.returned_to
            if step is not None and target is None and step.actor is ProgrammeActor.BOTH:
                halfway = party in missing_sides(step, deeds) and len(missing_sides(step, deeds)) == 1
                target = step.kind if halfway else None
            if step is None or target is None:
                raise NothingToSendBack(clause="" if step is None else step.article)
            await self.undo_from(order, target, terms, reason=reason, actor=actor, now=now)
            other = order.enterprise_id if party is Party.PROVIDER else order.provider_id
            await order_book.tell("order.sent_back", order, other, now=now, step=step.name, reason=reason)
            return await self.advance(order, terms, actor=actor, now=now)

    async def undo_from(
        self, order: Order, kind: StepKind, terms: Terms, *, reason: str, actor: Actor, now: datetime
    ) -> None:
        """Undo a step and all after it, with what their works did."""
        undone = await order_book.undo_from(order, terms.programme, kind, reason=reason, actor=actor, now=now)
        for one in undone:
            await self.work(one).undo(order, now=now)

    # -- the platform does a step --------------------------------------------------------------------

    async def by_platform(
        self,
        order: Order,
        kind: StepKind,
        *,
        actor: Actor,
        now: datetime,
        values: Mapping[str, Any] | None = None,
    ) -> Order:
        """Do a step of an official or of the platform, whose own verb has decided it; in its transaction."""
        terms = self.terms_of(order)
        order = await Order.get(id=order.id)
        deeds = order_book.deeds_of(await order_book.acts_of(order.id))
        step = next_step(terms.programme, deeds)
        if step is None or step.kind is not kind or order.status is not OrderStatus.OPEN:
            raise StepOutOfTurn(
                clause="" if step is None else step.article, next="" if step is None else step.name
            )
        await order_book.touch(order)
        await order_book.record(order, kind, None, actor=actor, now=now, values=values)
        return await self.advance(order, terms, actor=actor, now=now)

    async def back_to(
        self, order: Order, kind: StepKind, *, reason: str, actor: Actor, now: datetime
    ) -> Order:
        """Send an order back because somebody decided against a step; in the decision's transaction.

        One that somebody asked to cancel stays so: it stands at that step if it goes on.
        """
        order = await Order.get(id=order.id)
        if order.status not in LIVE:
            return order
        terms = self.terms_of(order)
        await order_book.touch(order)
        await self.undo_from(order, kind, terms, reason=reason, actor=actor, now=now)
        order = await Order.get(id=order.id)
        if order.status is not OrderStatus.OPEN:
            return order
        return await self.advance(order, terms, actor=actor, now=now)

    async def first_step(
        self, order: Order, wish: Wish, party: Party, *, actor: Actor, now: datetime
    ) -> Order:
        """Do the step that opens an order, in the transaction that makes it."""
        terms = self.terms_of(order)
        step = terms.programme.order_steps[0]
        papers = await order_papers.taken(wish.papers, actor=actor)
        move = Move(
            order=order,
            step=step,
            programme=terms.programme,
            party=party,
            actor=actor,
            now=now,
            papers=papers,
        )
        return await self._do(await self._checked(move, wish.values), terms, [])

    # -- how a step is done ----------------------------------------------------------------------------

    @asynccontextmanager
    async def held(self, order: Order, *, version: int, budget_id: int | None = None) -> AsyncIterator[Order]:
        """A transaction in which both sides stand still and the order is ours alone.

        With a ``budget_id`` the year's lock is taken before the order's: whoever issues to a line holds it,
        and then moves the orders of those who are due. Raises :class:`OrderMovedOn` unless the order is
        still at the version the asker saw.
        """
        async with in_transaction() as connection:
            await lock_all((order.enterprise_id, order.provider_id), connection)
            if budget_id is not None:
                async with budgets.locked(budget_id):
                    pass  # Kept until the transaction ends.
            claimed = await order_book.claim(order.id, version, connection)
            if claimed is None:
                raise OrderMovedOn(number=order.number, what=await self.said(order.id))
            yield claimed

    @asynccontextmanager
    async def own(self, order_id: int, *, version: int, actor: Actor) -> AsyncIterator[tuple[Order, Party]]:
        """The same for an order of the actor's own organisation, and which side that is.

        Raises ``NotFound`` and :class:`OrderMovedOn`.
        """
        mine = access.organisation_id_of(actor)
        async with in_transaction() as connection:
            order = await order_book.claim_own(order_id, version, mine, connection)
            if order is None:
                seen, _ = await of_party(order_id, actor=actor)
                raise OrderMovedOn(number=seen.number, what=await self.said(order_id))
            yield order, Party.ENTERPRISE if order.enterprise_id == mine else Party.PROVIDER

    async def said(self, order_id: int) -> str:
        """What was done on an order last, in one sentence."""
        order = await Order.get(id=order_id)
        act = await OrderAct.filter(order_id=order_id).order_by("-id").first()
        if act is None or order.status is not OrderStatus.OPEN:
            return texts.ORDER_STATUSES[order.status]
        programme = self.terms_of(order).programme
        step = next(one for one in programme.order_steps if one.kind is act.step)
        who = texts.ACTORS[step.actor if act.party is None else ProgrammeActor(act.party.value)]
        deed = texts.STEP_SENT_BACK if act.sent_back_at else texts.STEP_DONE
        return deed.format(who=who, step=step.name)

    async def _require_move(
        self,
        order: Order,
        programme: Programme,
        acts: Sequence[OrderAct],
        kind: StepKind,
        party: Party,
        now: datetime,
    ) -> OrderStep:
        deeds = order_book.deeds_of(acts)
        if order.status is not OrderStatus.DONE:
            require_act(ORDER_MAY, order.status, OrderAction.STEP)
        if kind in SETTLING:
            raise StepOutOfTurn(clause=programme.settlement.article, next=texts.SETTLES_ELSEWHERE)
        step = require_turn(programme, deeds, kind, party)
        due = await order_book.due_of(order, step, programme, self.working_days.calendar, acts)
        require_in_time(step, None if due.provisional else due.ends_at, now)
        return step

    async def _examined(self, move: Move, values: Mapping[str, object]) -> tuple[Move, tuple[Unmet, ...]]:
        """What was filled in, read; and everything that stands against the step."""
        ask = await self._ask(move.programme, move.order, move.step, move.party)
        said, unmet = read(ask.fields, values)
        move = replace(move, values=said)
        unmet += await order_papers.faults(move.programme, ask.documents, move.papers, move.order, move.party)
        if not unmet:
            # On what is incomplete nobody has more to say.
            unmet += await invoices.check_papers(move)
            if move.party not in contributors(move.step):
                unmet += tuple(await self.work(move.step.kind).unmet(move))
        return move, unmet

    async def _checked(self, move: Move, values: Mapping[str, object]) -> Move:
        move, unmet = await self._examined(move, values)
        require_met(move.step, unmet)
        return move

    async def _do(self, move: Move, terms: Terms, acts: list[OrderAct]) -> Order:
        """Do a checked step: its work, its papers, what it does to the money, and what comes next."""
        act = await order_book.record(
            move.order, move.step.kind, move.party, actor=move.actor, now=move.now, values=move.values
        )
        await order_papers.hand_in(act, move.order, move.papers, programme=move.programme, now=move.now)
        order = await order_book.change(move.order, **await invoices.register_papers(move))
        if move.party in contributors(move.step):
            pass  # What it brings stands in the papers; the step itself is the other side's.
        elif not move.completes:
            await order_book.change(order, **await self.work(move.step.kind).do(move))
        else:
            order = await self._or_wait(move, terms)
            if order.status is OrderStatus.WAITING:
                return order
        return await self.advance(order, terms, actor=move.actor, now=move.now, acts=[*acts, act])

    async def _or_wait(self, move: Move, terms: Terms) -> Order:
        """Let a step take effect; the order as it stands, or waits in line where the year's money is short.

        What a notice opens for some days is signed on within them (GX-15).
        """
        if move.step.effect is not Effect.RESERVE:
            return await self.take_effect(move, terms)
        order = move.order
        terms.require_open(day_of(move.now))
        try:
            async with in_transaction():  # A savepoint: what is not covered has not happened.
                await self._behind_others(move)
                return await self.take_effect(move, terms)
        except ContractsPaused as paused:
            order = await order_book.move(
                await Order.get(id=order.id), OrderStatus.WAITING, step_since=move.now
            )
            await order_book.note("order.paused", order, move.actor, move.now, arithmetic=paused.arithmetic)
            await order_book.tell_both(
                "order.paused", order, now=move.now, clause=paused.clause, arithmetic=paused.arithmetic
            )
            return order

    async def _behind_others(self, move: Move) -> None:
        """Nobody signs past the line: whoever waits there already goes first."""
        ahead = await Order.filter(
            programme_slug=move.order.programme_slug, status=OrderStatus.WAITING, kind=move.order.kind
        ).count()
        if ahead:
            raise ContractsPaused(
                clause=move.programme.budget.article, arithmetic=texts.AHEAD_IN_LINE.format(count=ahead)
            )

    async def take_effect(self, move: Move, terms: Terms) -> Order:
        """The work of a step that is complete now, and what the step does to the voucher's money."""
        changes = await self.work(move.step.kind).do(move)
        order = await order_book.change(move.order, **changes)
        if move.step.effect is Effect.RESERVE and order.budget_id is None:
            await order_money.reserve(order, terms, now=move.now)
        elif PRICES & changes.keys() or move.papers:
            await order_money.work_out(order, terms.programme, offer=self.offer, now=move.now)
        if move.step.effect is Effect.CONSUME:
            await order_money.consume(order, terms.programme, now=move.now)
        return order

    async def advance(
        self,
        order: Order,
        terms: Terms,
        *,
        actor: Actor,
        now: datetime,
        acts: Sequence[OrderAct] | None = None,
    ) -> Order:
        """Find what comes next, and do at once what the platform itself has to do."""
        calendar, before = self.working_days.calendar, order.status
        order = await order_book.advance(order, terms.programme, calendar, actor=actor, now=now, acts=acts)
        while order.status is OrderStatus.OPEN and order.step is not None:
            step = next(one for one in terms.programme.order_steps if one.kind is order.step)
            if step.actor is not ProgrammeActor.SYSTEM:
                break
            move = Move(order=order, step=step, programme=terms.programme, party=None, actor=CLOCK, now=now)
            require_met(step, await self.work(step.kind).unmet(move))
            await order_book.record(order, step.kind, None, actor=CLOCK, now=now)
            order = await self.take_effect(move, terms)
            order = await order_book.advance(order, terms.programme, calendar, actor=actor, now=now)
        if order.status is OrderStatus.DONE is not before and order.offering_id is not None:
            for listener in self.listeners:
                await listener(order.offering_id)
        return order


async def of_party(order_id: int, *, actor: Actor) -> tuple[Order, Party]:
    """An order of the actor's own organisation, and which side that is. Raises ``NotFound``."""
    mine = access.organisation_id_of(actor)
    order = await Order.get_or_none(id=order_id)
    if order is not None and order.enterprise_id == mine:
        return order, Party.ENTERPRISE
    if order is not None and order.provider_id == mine:
        return order, Party.PROVIDER
    raise access.NotFound()
