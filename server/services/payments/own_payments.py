"""Own payments: what an enterprise pays of its order through the gateway, and what became of it.

The phone is told what to sign and is never asked whether it paid. A payment is paid when the gateway says
so, by a notice it signed or when asked; both come here, as often and in whatever order they like.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import uuid4

import structlog
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server import texts
from server.clock import Clock
from server.errors import Refusal
from server.gateways.payments import (
    Charge,
    PaymentGateway,
    PaymentNoticeRefused,
    PaymentsUnavailable,
    PhonePayment,
    Trade,
    TradeState,
)
from server.models.orders import Order
from server.models.payments import OwnPayment
from server.models.people import Person
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.rules.orders import OrderStatus
from server.rules.own_payments import (
    PURPOSES,
    PaymentMethod,
    PaymentPurpose,
    PaymentStatus,
    takes_online,
)
from server.sealing import Sealer
from server.services import access
from server.services.access import Actor, NotFound, organisation_id_of
from server.services.clocks import ProgrammeClocks
from server.services.payments import payment_outcomes
from server.services.payments.paper_terms import names_of
from server.services.payments.paying_steps import paid_online_fen, payable_fen

LIFETIME = timedelta(minutes=30)
"""How long a charge can be paid."""
PATIENCE = timedelta(minutes=1)
"""How long a notice is waited for before the gateway is asked, and how long between two questions."""
BATCH = 20
"""With a gateway that never answers, less than three minutes of waiting."""

log = structlog.get_logger()


class OnlinePaymentOff(Refusal):
    """Here nothing is paid through the platform: pay by the bank and hand in its receipt."""

    status, code = 409, "online_payment_off"


class NothingToPayNow(Refusal):
    """No payment of this kind is due on the order now, or it is paid."""

    status, code = 409, "nothing_to_pay_now"


class NoWechatAccount(Refusal):
    """Whoever asks signed in without WeChat, and so cannot pay by it."""

    status, code = 409, "no_wechat_account"


@dataclass(frozen=True, slots=True)
class Asked:
    """A payment that was asked for, and what the phone signs it with."""

    payment: OwnPayment
    phone: PhonePayment


class OwnPayments:
    """The verbs on payments. ``clock`` is the machine's: the gateway lives by no programme's day."""

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks, clock: Clock, sealer: Sealer) -> None:
        self._programmes = programmes
        self._clocks = clocks
        self._clock = clock
        self._sealer = sealer
        self.gateway: PaymentGateway | None = None
        """Set where the operator has a merchant's account."""

    async def charge(self, order_id: int, purpose: PaymentPurpose, *, actor: Actor) -> Asked:
        """Ask for a payment that is due now. Asking again, on any phone, is asking for the same one.

        Raises ``NotFound``, :class:`OnlinePaymentOff`, :class:`NothingToPayNow`, :class:`NoWechatAccount`,
        ``PaymentsUnavailable``.
        """
        order = await Order.get_or_none(id=order_id, enterprise_id=organisation_id_of(actor))
        if order is None:
            raise NotFound()
        programme = self._programmes.version(order.programme_slug, order.programme_version)
        if self.gateway is None or not takes_online(programme):
            raise OnlinePaymentOff(clause=programme.own_share.article)
        openid = await self._openid(actor)
        payment = await self._open(order, programme, purpose, actor=actor)
        assert payment.trade_number is not None and payment.expires_at is not None
        charge = Charge(
            trade_number=payment.trade_number,
            amount_fen=payment.amount_fen,
            description=texts.PAYMENT_TITLE.format(
                purpose=texts.PAYMENT_PURPOSES[purpose], order=order.number
            ),
            openid=openid,
            expires_at=payment.expires_at,
        )
        return Asked(payment, await self.gateway.charge(charge, now=self._clock.now()))

    async def notice(self, headers: Mapping[str, str], body: bytes) -> None:
        """Take in what the gateway tells by itself. Raises ``PaymentNoticeRefused``."""
        if self.gateway is None:
            raise PaymentNoticeRefused()
        told = self.gateway.read_notice(headers, body, now=self._clock.now())
        payment = await OwnPayment.get_or_none(trade_number=told.trade_number)
        if payment is None:
            log.warning("payments.unknown_trade")
            raise PaymentNoticeRefused()
        now = self._clocks.now(payment.programme_slug)
        if isinstance(told, Trade):
            await payment_outcomes.settle(payment, told, now=now)
        else:
            await payment_outcomes.refunded(payment, told, now=now)

    async def let_go(self, order: Order, now: datetime) -> None:
        """An order came to nothing: what the operator holds for it is given back."""
        await payment_outcomes.end(order, now=now)

    async def given_back(self, payment_id: int, reference: str, paid_on: date, *, actor: Actor) -> OwnPayment:
        """The operator gave a payment back by the bank.

        Raises ``NotFound``, ``BankReferenceUnusable``, ``NothingToGiveBack``.
        """
        payment = await OwnPayment.get_or_none(id=payment_id)
        if payment is None:
            raise NotFound()
        access.require_programme(actor, payment.programme_slug)
        now = self._clocks.now(payment.programme_slug)
        await payment_outcomes.given_back_by_bank(payment, reference, paid_on, actor=actor, now=now)
        return await OwnPayment.get(id=payment_id)

    async def settle_due(self) -> int:
        """Ask the gateway what became of whatever is overdue, and give back what is to be given back.

        Returns how many payments were looked at.
        """
        if self.gateway is None:
            return 0
        now = self._clock.now()
        waiting = (PaymentStatus.PENDING, PaymentStatus.REFUND_DUE)
        due = await OwnPayment.filter(
            method=PaymentMethod.ONLINE, status__in=waiting, asked_at__lt=now - PATIENCE
        ).order_by("asked_at", "id")[:BATCH]
        for payment in due:
            # Marked before it is asked: one that the gateway chokes on does not hold up the others.
            await OwnPayment.filter(id=payment.id).update(asked_at=now)
            try:
                if payment.status is PaymentStatus.PENDING:
                    await self._ask(payment, now)
                else:
                    await self._give_back(payment, now)
            except PaymentsUnavailable:
                # Asked again in a minute, after the others.
                continue
        return len(due)

    # -- opening -------------------------------------------------------------------------------------

    async def _open(
        self, order: Order, programme: Programme, purpose: PaymentPurpose, *, actor: Actor
    ) -> OwnPayment:
        """The pending payment for what is due now: the one that is open, or a new one."""
        amount_fen = await self._due_fen(order, programme, purpose)
        pending = OwnPayment.filter(
            order_id=order.id,
            purpose=purpose,
            method=PaymentMethod.ONLINE,
            status=PaymentStatus.PENDING,
        )
        now = self._clock.now()
        open_now = await pending.first()
        if open_now is not None and open_now.amount_fen == amount_fen:
            assert open_now.expires_at is not None
            if now < open_now.expires_at:
                return open_now
        if open_now is not None:
            # Over, or for another amount than is due by now: it is closed before another is opened.
            await self._ask(open_now, now, give_up=True)
            amount_fen = await self._due_fen(order, programme, purpose)
        try:
            return await self._create(order, programme, purpose, amount_fen, actor=actor)
        except IntegrityError:
            # Another phone was faster; both pay one payment.
            faster = await pending.first()
            if faster is None or faster.amount_fen != amount_fen:
                raise NothingToPayNow(clause=programme.own_share.article) from None
            return faster

    async def _create(
        self,
        order: Order,
        programme: Programme,
        purpose: PaymentPurpose,
        amount_fen: int,
        *,
        actor: Actor,
    ) -> OwnPayment:
        names, now, asked_at = (
            await names_of(order),
            self._clocks.now(order.programme_slug),
            self._clock.now(),
        )
        payees = names.payees(programme, purpose)
        async with in_transaction():
            payment = await OwnPayment.create(
                order_id=order.id,
                programme_slug=order.programme_slug,
                purpose=purpose,
                method=PaymentMethod.ONLINE,
                status=PaymentStatus.PENDING,
                amount_fen=amount_fen,
                payer=names.enterprise[0],
                payee=payees[0] if payees else "",
                step=order.step,
                trade_number=uuid4().hex,
                created_by=actor.name,
                created_at=now,
                expires_at=asked_at + LIFETIME,
                asked_at=asked_at,
            )
            await payment_outcomes.note("payment.asked", payment, actor=actor, now=now)
        return payment

    async def _due_fen(self, order: Order, programme: Programme, purpose: PaymentPurpose) -> int:
        """What is due on the order's next step, fen, and not paid. Raises :class:`NothingToPayNow`."""
        due_fen, step = 0, order.step
        if order.status is OrderStatus.OPEN and step is not None and PURPOSES.get(step) is purpose:
            due_fen = payable_fen(order, programme, step) - await paid_online_fen(order.id, purpose)
        if due_fen <= 0:
            raise NothingToPayNow(clause=programme.own_share.article)
        return due_fen

    async def _openid(self, actor: Actor) -> str:
        person = await Person.get(id=actor.id)
        if not person.openid_sealed:
            raise NoWechatAccount()
        return self._sealer.open(person.openid_sealed)

    # -- asking -------------------------------------------------------------------------------------

    async def _ask(self, payment: OwnPayment, now: datetime, *, give_up: bool = False) -> None:
        """Ask the gateway about a pending payment; one whose time is over is closed there first."""
        assert self.gateway is not None and payment.trade_number is not None
        assert payment.expires_at is not None
        over = give_up or now >= payment.expires_at
        if over:
            await self.gateway.close(payment.trade_number, now=now)
        told = await self.gateway.find(payment.trade_number, now=now)
        if told.state is not TradeState.UNPAID or over:
            await payment_outcomes.settle(payment, told, now=self._clocks.now(payment.programme_slug))

    async def _give_back(self, payment: OwnPayment, now: datetime) -> None:
        assert self.gateway is not None and payment.trade_number is not None
        order = await Order.get(id=payment.order_id)
        reason = texts.PAYMENT_RETURNED.format(
            order=order.number, purpose=texts.PAYMENT_PURPOSES[payment.purpose]
        )
        told = await self.gateway.refund(payment.trade_number, payment.amount_fen, reason, now=now)
        await payment_outcomes.refunded(payment, told, now=self._clocks.now(payment.programme_slug))
