"""Orders under review: cancellations that somebody must agree to, and payments that are to go back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from server import texts
from server.errors import Refusal
from server.models.orders import CancellationRequest, Order, PaymentReturnRequest
from server.models.organisations import Organisation
from server.models.reviews import ReviewCase
from server.models.settlements import Settlement
from server.programme.model import Programme
from server.programme.review import ReviewSubject
from server.programme.steps import StepKind
from server.programme.vocabulary import Actor as ProgrammeActor
from server.programme.vocabulary import Party
from server.rules.orders import OrderStatus
from server.rules.review import CaseStatus, Check
from server.rules.settlements import SettlementStatus
from server.rules.steps import may_return_payment
from server.services.access import CLOCK, Actor
from server.services.afterwards import After, nothing
from server.services.orders import order_book, order_money
from server.services.orders.order_ends import OrderEnds
from server.services.orders.orders import Orders, of_party
from server.services.reviews.reviewed import ArrivesQuietly
from server.services.reviews.reviews import Reviews
from server.services.vouchers import order_purse
from server.units import yuan


class PaymentNotReturned(Refusal):
    """The text knows no way back for this payment, or not for this side, or the voucher has lapsed."""

    status, code = 409, "payment_not_returned"


class PaymentReturnAsked(Refusal):
    """The payment's return was asked for already, and is being decided."""

    status, code = 409, "payment_return_asked"


async def sides_of(order: Order) -> frozenset[str]:
    """The codes (USCC) of both sides of an order."""
    both = await Organisation.filter(id__in=[order.enterprise_id, order.provider_id])
    return frozenset(one.uscc for one in both)


class ReviewedCancellations(ArrivesQuietly):
    """Cancellations as the review engine knows them: the subject is the order."""

    def __init__(self, ends: OrderEnds) -> None:
        self.ends = ends

    async def sides(self, case: ReviewCase) -> frozenset[str]:
        """Both sides of the order."""
        return await sides_of(await Order.get(id=case.subject_id))

    async def snapshot(self, case: ReviewCase) -> dict[str, Any]:
        """The order and what each side wrote."""
        order = await Order.get(id=case.subject_id)
        asked = await CancellationRequest.filter(order_id=order.id, taken_back_at=None).order_by("id")
        return {
            "order": order_shown(order),
            "requests": [
                {
                    "party": one.party.value,
                    "reason": one.reason,
                    "files": one.files,
                    "asked_at": one.asked_at.isoformat(),
                }
                for one in asked
            ],
        }

    async def checks(self, case: ReviewCase, *, now: datetime) -> Sequence[Check]:
        """Whether everybody has asked who must, and what would come back."""
        order = await Order.get(id=case.subject_id)
        programme = self.ends.orders.terms_of(order).programme
        held_fen = sum(hold.held_fen for hold in await order_purse.holds_of(order.id))
        says = texts.CANCELLATION_CHECK.format(amount=yuan(held_fen))
        return (
            Check(
                "cancelling",
                programme.cancellation.article,
                says,
                order.status is OrderStatus.CANCELLING,
            ),
        )

    async def passed(
        self, case: ReviewCase, *, extras: Mapping[str, Any], actor: Actor, now: datetime
    ) -> After:
        """Agreed: the order ends and its money comes back."""
        order = await Order.get(id=case.subject_id)
        asked = await CancellationRequest.filter(order_id=order.id, taken_back_at=None).order_by("id")
        reason = texts.STEP.join(one.reason for one in asked)
        await order_book.touch(order)
        await self.ends.end(
            order, OrderStatus.CANCELLED, reason=reason, actor=actor, now=now, unperformed=True
        )
        return nothing

    async def refused(self, case: ReviewCase, *, reason: str, actor: Actor, now: datetime) -> After:
        """Not agreed: the order goes on."""
        order = await Order.get(id=case.subject_id)
        await order_book.touch(order)
        await order_book.tell_both("order.cancellation_refused", order, now=now, reason=reason)
        await self.ends.goes_on(order, actor=actor, now=now)
        return nothing

    async def returned(
        self, case: ReviewCase, *, fields: Mapping[str, str], reason: str, actor: Actor, now: datetime
    ) -> After:
        """To be asked for anew, better founded; until then the order goes on."""
        return await self.refused(case, reason=reason, actor=actor, now=now)


class PaymentReturns(ArrivesQuietly):
    """Payments by voucher that go back to their payer (GZ-101), and how they are reviewed."""

    def __init__(self, orders: Orders, reviews: Reviews) -> None:
        self.orders = orders
        self.reviews = reviews

    async def ask(self, order_id: int, *, reason: str, version: int, actor: Actor) -> Order:
        """Ask that a voucher received go back to its payer.

        Raises ``NotFound``, ``OrderMovedOn``, :class:`PaymentNotReturned`, :class:`PaymentReturnAsked`.
        """
        order, party = await of_party(order_id, actor=actor)
        programme, now = self.orders.terms_of(order).programme, self.orders.clocks.now(order.programme_slug)
        after: After = nothing
        async with self.orders.held(order, version=version) as order:
            await self._require_returnable(order, programme, party, now)
            if await PaymentReturnRequest.exists(order_id=order.id, ended_at=None):
                raise PaymentReturnAsked()
            asked = await PaymentReturnRequest.create(
                order_id=order.id, actor=actor.name, reason=reason, asked_at=now
            )
            await order_book.note("order.payment_return_asked", order, actor, now, reason=reason)
            await order_book.tell(
                "order.payment_return_asked", order, order.enterprise_id, now=now, reason=reason
            )
            _, after = await self.reviews.open(
                ReviewSubject.PAYMENT_RETURN,
                asked.id,
                programme=programme,
                organisation=await Organisation.get(id=order.enterprise_id),
                title=texts.PAYMENT_RETURN_TITLE.format(number=order.number, project=order.project),
                actor=actor,
                now=now,
            )
        await after()
        return await Order.get(id=order.id)

    async def sides(self, case: ReviewCase) -> frozenset[str]:
        """Both sides of the order."""
        asked = await PaymentReturnRequest.get(id=case.subject_id).select_related("order")
        return await sides_of(asked.order)

    async def snapshot(self, case: ReviewCase) -> dict[str, Any]:
        """The order, and why its payment is to go back."""
        asked = await PaymentReturnRequest.get(id=case.subject_id).select_related("order")
        return {
            "order": order_shown(asked.order),
            "reason": asked.reason,
            "asked_at": asked.asked_at.isoformat(),
        }

    async def checks(self, case: ReviewCase, *, now: datetime) -> Sequence[Check]:
        """Whether the vouchers still run."""
        asked = await PaymentReturnRequest.get(id=case.subject_id).select_related("order")
        programme = self.orders.terms_of(asked.order).programme
        rules = programme.payment_return
        runs = await _may_go_back(asked.order, programme, Party.PROVIDER, now)
        clause = "" if rules is None else rules.article
        spent_fen = asked.order.voucher_fen
        return (Check("runs", clause, texts.PAYMENT_RETURN_CHECK.format(amount=yuan(spent_fen)), runs),)

    async def passed(
        self, case: ReviewCase, *, extras: Mapping[str, Any], actor: Actor, now: datetime
    ) -> After:
        """Agreed: the money is held by the order again, which stands before the payment.

        Raises :class:`PaymentNotReturned` where a voucher has lapsed meanwhile.
        """
        asked = await PaymentReturnRequest.get(id=case.subject_id).select_related("order")
        order = asked.order
        terms = self.orders.terms_of(order)
        await self._require_returnable(order, terms.programme, Party.PROVIDER, now)
        await order_book.touch(order)
        back_fen = await order_money.unspend(order, terms.programme, now=now)
        if order.status is OrderStatus.DONE:
            order = await order_book.move(order, OrderStatus.OPEN)
        await self.orders.undo_from(
            order, StepKind.PAY_VOUCHER, terms, reason=asked.reason, actor=actor, now=now
        )
        await PaymentReturnRequest.filter(id=asked.id).update(ended_at=now, granted=True)
        await order_book.tell_both("order.payment_returned", order, now=now, amount_fen=back_fen)
        await order_book.advance(
            await Order.get(id=order.id),
            terms.programme,
            self.orders.working_days.calendar,
            actor=actor,
            now=now,
        )
        return nothing

    async def refused(self, case: ReviewCase, *, reason: str, actor: Actor, now: datetime) -> After:
        """Not agreed: the payment stands."""
        asked = await PaymentReturnRequest.get(id=case.subject_id).select_related("order")
        await PaymentReturnRequest.filter(id=asked.id).update(ended_at=now, granted=False)
        await order_book.tell_both("order.payment_return_refused", asked.order, now=now, reason=reason)
        return nothing

    async def returned(
        self, case: ReviewCase, *, fields: Mapping[str, str], reason: str, actor: Actor, now: datetime
    ) -> After:
        """To be asked for anew; the payment stands until then."""
        return await self.refused(case, reason=reason, actor=actor, now=now)

    async def let_go(self, order: Order, now: datetime) -> None:
        """An order that ends gives its payment back by itself: nobody need decide on it any more."""
        asked = await PaymentReturnRequest.get_or_none(order_id=order.id, ended_at=None)
        if asked is None:
            return
        await PaymentReturnRequest.filter(id=asked.id).update(ended_at=now, granted=True)
        case = await ReviewCase.filter(
            subject=ReviewSubject.PAYMENT_RETURN,
            subject_id=asked.id,
            status__in=[CaseStatus.OPEN, CaseStatus.RETURNED],
        ).first()
        if case is not None:
            await self.reviews.withdraw(case, reason=order.reason, actor=CLOCK, now=now)

    async def _require_returnable(
        self, order: Order, programme: Programme, party: Party, now: datetime
    ) -> None:
        if await _is_being_settled(order) or not await _may_go_back(order, programme, party, now):
            rules = programme.payment_return
            raise PaymentNotReturned(clause="" if rules is None else rules.article)


async def _is_being_settled(order: Order) -> bool:
    """It was handed in for settlement, and that was not taken back."""
    return await Settlement.filter(order_id=order.id).exclude(status=SettlementStatus.WITHDRAWN).exists()


async def _may_go_back(order: Order, programme: Programme, party: Party, now: datetime) -> bool:
    """Something was paid, this side may ask, and no voucher of it has lapsed."""
    holds = [hold for hold in await order_purse.holds_of(order.id) if hold.spent_fen]
    if not holds or order.status not in (OrderStatus.OPEN, OrderStatus.DONE):
        return False
    expires_at = min(hold.voucher.valid_until for hold in holds)
    return may_return_payment(programme, ProgrammeActor(party.value), expires_at, now)


def order_shown(order: Order) -> dict[str, Any]:
    """An order in a reviewer's snapshot: its sums and where it stands; no personal data."""
    return {
        "id": order.id,
        "number": order.number,
        "project": order.project,
        "category": order.category,
        "price_fen": order.price_fen,
        "contract_fen": order.contract_fen,
        "voucher_fen": order.voucher_fen,
        "status": order.status.value,
        "step": None if order.step is None else order.step.value,
    }
