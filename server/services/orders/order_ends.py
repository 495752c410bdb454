"""How an order ends before it is done: taken back, declined, cancelled by both, lapsed at a deadline.

Whatever ends it, one place lets go of everything it has: the vouchers' money, the contract, the project, and
what others keep for it (``Orders.enders``). What comes back to a voucher keeps the voucher's own expiry; what
was issued for this order alone ends with it.

Locks are taken in this order: both sides, the year, the order. Whoever issues to a line and whoever ends
vouchers holds the year first.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from server import texts
from server.errors import Refusal
from server.models.orders import CancellationRequest, Order, VoucherHold
from server.models.organisations import Organisation
from server.models.reviews import ReviewCase
from server.models.voucher_requests import VoucherRequest
from server.models.vouchers import Voucher
from server.programme.model import Programme
from server.programme.review import ReviewSubject
from server.programme.steps import Lapse, OrderStep
from server.programme.vocabulary import Actor as ProgrammeActor
from server.programme.vocabulary import Party
from server.rules.deadlines import day_of, voucher_valid_until
from server.rules.evidence import Handed, papers_missing
from server.rules.lifecycles import VoucherStatus, require_act
from server.rules.order_walk import next_step, sides
from server.rules.orders import ORDER_MAY, OrderAction, OrderStatus
from server.rules.review import CaseStatus
from server.rules.steps import cancellation_unmet
from server.rules.voucher_ends import Ending
from server.services.access import CLOCK, Actor
from server.services.afterwards import After, nothing
from server.services.files import files
from server.services.orders import contract_steps, order_book, order_lists, order_money, voucher_steps
from server.services.orders.order_book import subject_of, tell_both
from server.services.orders.orders import Orders, of_party
from server.services.orders.voucher_requests import VoucherRequests, latest_request, open_request
from server.services.organisations import service_files
from server.services.reviews.reviews import Reviews
from server.services.vouchers import order_purse
from server.services.vouchers.vouchers import Vouchers

ONE_DAY = timedelta(days=1)
REQUEST = "cancellation_request"
"""As which document a written request is kept with the order."""


class CannotDecline(Refusal):
    """The order was taken on already; now both sides have to agree to end it."""

    status, code = 409, "cannot_decline"


class NotYoursToCancel(Refusal):
    """In this programme the other side asks for it."""

    status, code = 403, "not_yours_to_cancel"


class CancellationIncomplete(Refusal):
    """The written request is missing, or is not what the text asks for; ``unmet`` names everything."""

    status, code = 422, "cancellation_incomplete"


class CancellationAskedAlready(Refusal):
    """This side has asked already; the other side's request or the decision is awaited."""

    status, code = 409, "cancellation_asked_already"


class NotHeldBack(Refusal):
    """Nobody has to look at this order first."""

    status, code = 409, "not_held_back"


class NothingToTakeBack(Refusal):
    """This side has not asked for a cancellation."""

    status, code = 409, "nothing_to_take_back"


class OrderEnds:
    """The verbs that end orders. Days and instants are those of each programme's clock."""

    def __init__(
        self, orders: Orders, requests: VoucherRequests, reviews: Reviews, vouchers: Vouchers
    ) -> None:
        self.orders = orders
        self.requests = requests
        self.reviews = reviews
        self.vouchers = vouchers

    async def decline(self, order_id: int, *, reason: str, version: int, actor: Actor) -> Order:
        """The provider does not take the order on; the voucher is whole again, and no day is lost by it.

        Raises ``NotFound``, ``OrderMovedOn``, ``NotPermittedNow``, :class:`CannotDecline`.
        """
        order, party = await of_party(order_id, actor=actor)
        now = self.orders.clocks.now(order.programme_slug)
        async with self._held(order, version) as order:
            require_act(ORDER_MAY, order.status, OrderAction.CANCEL)
            if party is not Party.PROVIDER or await _did_something(order, party):
                raise CannotDecline(clause=self.orders.terms_of(order).programme.cancellation.article)
            return await self.end(
                order, OrderStatus.DECLINED, reason=reason, actor=actor, now=now, days_lost=True
            )

    async def cancel(
        self, order_id: int, *, reason: str, file_ids: Sequence[int], version: int, actor: Actor
    ) -> Order:
        """Take an order back that binds nobody yet, or ask for the end of one that does (LS-53, GX-84).

        One side alone ends what the other has not acted on, or what waits or is looked at; once both are
        in it, the programme says who must ask and who agrees. Raises ``NotFound``, ``OrderMovedOn``,
        ``NotPermittedNow``, :class:`NotYoursToCancel`, :class:`CancellationIncomplete`,
        :class:`CancellationAskedAlready`, ``FilesUnknown``, ``FileUnacceptable``.
        """
        order, party = await of_party(order_id, actor=actor)
        terms, now = self.orders.terms_of(order), self.orders.clocks.now(order.programme_slug)
        after: After = nothing
        async with self._held(order, version) as order:
            require_act(ORDER_MAY, order.status, OrderAction.CANCEL)
            other = Party.PROVIDER if party is Party.ENTERPRISE else Party.ENTERPRISE
            binds_nobody = order.status in (OrderStatus.WAITING, OrderStatus.ON_HOLD)
            if binds_nobody or not await _did_something(order, other):
                return await self.end(order, OrderStatus.CANCELLED, reason=reason, actor=actor, now=now)
            _require_asker(terms.programme, party)
            order = await self._ask(order, terms.programme, party, reason, file_ids, actor, now)
            after = await self._settle(order, terms.programme, actor, now)
        await after()
        return await Order.get(id=order.id)

    async def take_back(self, order_id: int, *, version: int, actor: Actor) -> Order:
        """Take back one's own request for a cancellation; the order goes on where it stood.

        Raises ``NotFound``, ``OrderMovedOn``, :class:`NothingToTakeBack`.
        """
        order, party = await of_party(order_id, actor=actor)
        now = self.orders.clocks.now(order.programme_slug)
        async with self.orders.held(order, version=version) as order:
            asked = await _asked(order)
            mine = [one for one in asked if one.party is party]
            if order.status is not OrderStatus.CANCELLING or not mine:
                raise NothingToTakeBack()
            await CancellationRequest.filter(id=mine[0].id).update(taken_back_at=now)
            case = await self._case(order)
            if case is not None:
                await self.reviews.withdraw(case, reason=texts.TAKEN_BACK, actor=actor, now=now)
            if len(asked) > 1 and case is None:
                return order
            return await self.goes_on(order, actor=actor, now=now)

    async def terminate(self, order_id: int, *, reason: str, actor: Actor) -> Order:
        """The operator records that an order will not be performed, whatever its sides say (GX-84).

        Raises ``NotFound``, ``NotPermittedNow``, ``OrderMovedOn``.
        """
        order, _ = await order_lists.one(order_id, actor=actor)
        now = self.orders.clocks.now(order.programme_slug)
        async with self._held(order, order.version) as order:
            require_act(ORDER_MAY, order.status, OrderAction.CANCEL)
            case = await self._case(order)
            if case is not None:
                await self.reviews.withdraw(case, reason=reason, actor=actor, now=now)
            return await self.end(
                order, OrderStatus.CANCELLED, reason=reason, actor=actor, now=now, unperformed=True
            )

    async def clear(self, order_id: int, *, allowed: bool, reason: str, actor: Actor) -> Order:
        """The operator has looked at an order that was held back: it goes on, no day lost by it, or it ends.

        Raises ``NotFound``, :class:`NotHeldBack`, ``OrderMovedOn``.
        """
        order, _ = await order_lists.one(order_id, actor=actor)
        now = self.orders.clocks.now(order.programme_slug)
        async with self._held(order, order.version) as order:
            if order.status is not OrderStatus.ON_HOLD:
                raise NotHeldBack()
            if not allowed:
                return await self.end(order, OrderStatus.CANCELLED, reason=reason, actor=actor, now=now)
            await tell_both("order.cleared", order, now=now, reason=reason)
            held = [hold.voucher_id for hold in await order_purse.holds_of(order.id)]
            await _give_days_back(held, order, actor, now)
            order = await order_book.change(order, step_since=now)
            return await self.goes_on(order, actor=actor, now=now)

    async def goes_on(self, order: Order, *, actor: Actor, now: datetime) -> Order:
        """Nobody ends it: the order stands where it stood, with every request answered."""
        terms = self.orders.terms_of(order)
        await CancellationRequest.filter(order_id=order.id, taken_back_at=None).update(taken_back_at=now)
        order = await order_book.move(order, OrderStatus.OPEN)
        await order_book.note("order.goes_on", order, actor, now)
        return await order_book.advance(
            order, terms.programme, self.orders.working_days.calendar, actor=actor, now=now
        )

    async def lapse_due(self) -> int:
        """End the orders whose step was not done in time, as their text says; returns how many.

        Nothing is ended by a deadline in which a day was guessed.
        """
        return sum([await self._lapse_in(programme) for programme in self.orders.programmes])

    async def _lapse_in(self, programme: Programme) -> int:
        slug = programme.slug
        ending = [step.kind for step in programme.order_steps if step.on_lapse is not Lapse.REFUSE]
        now = self.orders.clocks.now(slug)
        late = Order.filter(
            programme_slug=slug, status=OrderStatus.OPEN, step_due_at__lte=now, step__in=ending
        )
        lapsed = 0
        for order in await late.order_by("step_due_at", "id").limit(500):
            lapsed += await self._lapse(order, now)
        return lapsed

    async def end(
        self,
        order: Order,
        status: OrderStatus,
        *,
        reason: str,
        actor: Actor,
        now: datetime,
        days_lost: bool = False,
        reclaims: bool = False,
        unperformed: bool = False,
    ) -> Order:
        """End an order, and let go of everything it has; in the transaction that holds it.

        ``days_lost``: its provider kept it waiting. ``reclaims``: its vouchers are taken back.
        ``unperformed``: it bound both, and the rules for a cancellation say what becomes of its amount.
        """
        terms = self.orders.terms_of(order)
        rules, holds = terms.programme.cancellation, await order_purse.holds_of(order.id)
        held, burnt = [hold.voucher_id for hold in holds], unperformed and rules.burns_quota
        if unperformed and not rules.keeps_expiry:
            await _lengthen(holds, order, terms.programme, actor, now)
        if days_lost:
            await _give_days_back(held, order, actor, now)
        request = await open_request(order)
        # First its own end, so that a request that ends with it does not set it going again.
        order = await order_book.move(order, status, step=None, step_due_at=None, ended_at=now, reason=reason)
        if request is not None:
            await self.requests.give_up(request, order, reason=reason, actor=actor, now=now)
        # What was paid for work that comes to nothing goes the way of what was only held.
        await order_money.unspend(order, terms.programme, now=now)
        released_fen = await order_money.release(
            order, terms.programme, offer=self.orders.offer, burnt=burnt, now=now
        )
        if reclaims:
            await self.vouchers.end_with_order(held, Ending.RECLAIM, actor=actor, reason=reason)
        if not terms.programme.issuance.outlives_order:
            asked = await VoucherRequest.filter(order_id=order.id)
            own = [one.voucher_id for one in asked if one.voucher_id is not None]
            await self.vouchers.end_with_order(own, Ending.ORDER_ENDED, actor=actor, reason=reason)
        await voucher_steps.give_up_draw(order, now=now)
        if order.contract_id is not None:
            await contract_steps.let_go(order.contract_id, now=now, reason=reason)
        for hook in self.orders.enders:
            await hook(order, now)
        await service_files.order_ended(order, terms.programme, now=now)
        await order_book.note(f"order.{status}", order, actor, now, reason=reason, released_fen=released_fen)
        if burnt:
            await tell_both("order.unperformed", order, now=now, reason=reason, amount_fen=released_fen)
        else:
            await tell_both(f"order.{status}", order, now=now, reason=reason, amount_fen=released_fen)
        return await Order.get(id=order.id)

    # -- how it is done ------------------------------------------------------------------------------

    @asynccontextmanager
    async def _held(self, order: Order, version: int) -> AsyncIterator[Order]:
        """The order, ours alone, with the lock of its year taken before it. Raises ``OrderMovedOn``."""
        request = await latest_request(order)
        year = order.budget_id if request is None else (await request.round).budget_id
        async with self.orders.held(order, version=version, budget_id=year) as held:
            yield held

    async def _ask(
        self,
        order: Order,
        programme: Programme,
        party: Party,
        reason: str,
        file_ids: Sequence[int],
        actor: Actor,
        now: datetime,
    ) -> Order:
        """Write one side's request down."""
        asked = await _asked(order)
        if any(one.party is party for one in asked):
            raise CancellationAskedAlready(clause=programme.cancellation.article)
        stored = await files.own_files(file_ids, actor=actor)
        documents = [one for one in programme.cancellation.documents if one.by is not ProgrammeActor.OPERATOR]
        # With both, "two at least" means one of each side.
        missing = papers_missing(documents, [Handed(code=one.code, count=2) for one in documents if stored])
        if missing:
            raise CancellationIncomplete(
                clause=missing[0].clause, unmet=missing, count=len(missing), first=missing[0].message
            )
        if stored:
            code = documents[0].code if documents else REQUEST
            await files.attach(stored, subject_of(order), code, programme=programme, now=now)
        await CancellationRequest.create(
            order_id=order.id,
            party=party,
            actor=actor.name,
            reason=reason,
            files=[file.id for file in stored],
            asked_at=now,
        )
        if order.status is not OrderStatus.CANCELLING:
            order = await order_book.move(order, OrderStatus.CANCELLING)
        await order_book.note("order.cancellation_asked", order, actor, now, party=party.value, reason=reason)
        other = order.enterprise_id if party is Party.PROVIDER else order.provider_id
        await order_book.tell("order.cancellation_asked", order, other, now=now, reason=reason)
        return order

    async def _settle(self, order: Order, programme: Programme, actor: Actor, now: datetime) -> After:
        """When everybody has asked who must: end it, or ask who agrees."""
        asked = await _asked(order)
        by = frozenset(ProgrammeActor(one.party.value) for one in asked)
        if cancellation_unmet(programme, by):
            return nothing
        reasons = texts.STEP.join(one.reason for one in asked)
        if programme.review(ReviewSubject.CANCELLATION) is None:
            await self.end(
                order, OrderStatus.CANCELLED, reason=reasons, actor=actor, now=now, unperformed=True
            )
            return nothing
        case = await self._case(order)
        if case is not None and case.status is CaseStatus.RETURNED:
            return await self.reviews.resume(case, actor=actor, now=now)
        _, after = await self.reviews.open(
            ReviewSubject.CANCELLATION,
            order.id,
            programme=programme,
            organisation=await Organisation.get(id=order.enterprise_id),
            title=texts.CANCELLATION_TITLE.format(number=order.number, project=order.project),
            actor=actor,
            now=now,
        )
        return after

    async def _case(self, order: Order) -> ReviewCase | None:
        return await ReviewCase.get_or_none(
            subject=ReviewSubject.CANCELLATION,
            subject_id=order.id,
            status__in=[CaseStatus.OPEN, CaseStatus.RETURNED],
        )

    async def _lapse(self, order: Order, now: datetime) -> int:
        terms = self.orders.terms_of(order)
        async with self._held(order, order.version) as order:
            acts = await order_book.acts_of(order.id)
            step = next_step(terms.programme, order_book.deeds_of(acts))
            if order.status is not OrderStatus.OPEN or step is None:
                return 0
            calendar = self.orders.working_days.calendar
            due = await order_book.due_of(order, step, terms.programme, calendar, acts)
            if due.ends_at is None or due.provisional or now < due.ends_at:
                await order_book.change(order, step_due_at=due.ends_at)
                return 0
            await self.end(
                order,
                OrderStatus.DECLINED if step.on_lapse is Lapse.DECLINE else OrderStatus.LAPSED,
                reason=_lapsed(step),
                actor=CLOCK,
                now=now,
                days_lost=step.on_lapse is Lapse.DECLINE,
                reclaims=step.on_lapse is Lapse.RECLAIM,
            )
        return 1


def _require_asker(programme: Programme, party: Party) -> None:
    by = programme.cancellation.requested_by
    if by not in (ProgrammeActor.BOTH, ProgrammeActor(party.value)):
        raise NotYoursToCancel(clause=programme.cancellation.article, by=texts.ACTORS[by])


async def _asked(order: Order) -> list[CancellationRequest]:
    return await CancellationRequest.filter(order_id=order.id, taken_back_at=None).order_by("id")


async def _did_something(order: Order, party: Party) -> bool:
    """Whether a side has done a step that counts: from then on the order binds both."""
    opened = order.opened_by is party
    acts = [act for act in await order_book.acts_of(order.id) if act.party is party]
    return opened or bool(acts)


def _lapsed(step: OrderStep) -> str:
    return texts.LAPSED.format(
        step=step.name, who=texts.LIST.join(texts.ACTORS[ProgrammeActor(one.value)] for one in sides(step))
    )


async def _give_days_back(voucher_ids: Sequence[int], order: Order, actor: Actor, now: datetime) -> None:
    """The days an enterprise was kept waiting are added to what it has left to order in.

    Never beyond the voucher's own end; and what was taken back for the old deadline meanwhile stays taken,
    but for what this order held.
    """
    days = math.ceil((now - order.placed_at) / ONE_DAY)
    waiting = Voucher.filter(
        id__in=list(voucher_ids), order_deadline__isnull=False, status=VoucherStatus.ACTIVE
    )
    for voucher in await waiting:
        if voucher.order_deadline is None:
            continue
        until = min(voucher.order_deadline + days * ONE_DAY, voucher.valid_until)
        await Voucher.filter(id=voucher.id).update(order_deadline=until, reclaimed_at=None)
        await order_book.note(
            "order.days_given_back", order, actor, now, voucher=voucher.id, days=days, until=until.isoformat()
        )


async def _lengthen(
    holds: Sequence[VoucherHold], order: Order, programme: Programme, actor: Actor, now: datetime
) -> None:
    """What comes back runs on for as long as it was held, never beyond its year."""
    for hold in holds:
        voucher = hold.voucher
        latest = voucher_valid_until(programme, day_of(voucher.granted_at), None)
        until = min(voucher.valid_until + (now - hold.held_at), latest)
        if voucher.status is VoucherStatus.ACTIVE and now < voucher.valid_until < until:
            await Voucher.filter(id=voucher.id).update(valid_until=until)
            await order_book.note(
                "order.time_given_back", order, actor, now, voucher=voucher.id, until=until.isoformat()
            )
