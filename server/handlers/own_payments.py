"""Payments of the enterprise's own money over HTTP, and the door that the payment gateway knocks on."""

from __future__ import annotations

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.gateways.payments import PaymentNoticeRefused, PaymentsUnavailable
from server.handlers.api import PUBLIC, Answer, Media, Routes, staff
from server.handlers.order_views import ORDER_READERS
from server.handlers.organisations import IN_CHARGE
from server.handlers.parsing import (
    Body,
    BodyIncomplete,
    BodyTooLarge,
    BodyTooSlow,
    Day,
    Fen,
    Id,
    Path,
    read_body,
)
from server.keys import OWN_PAYMENTS, PROGRAMMES, REPAYMENTS, SETTINGS
from server.models.payments import OwnPayment
from server.rules.invoice_checks import Shown
from server.rules.own_payments import PaymentMethod, PaymentPurpose, PaymentStatus
from server.services.access import Actor, NoOrganisation, NotFound, StaffRole
from server.services.orders import order_lists
from server.services.payments import payment_book
from server.services.payments.invoices import PaperUsedBefore
from server.services.payments.own_payments import NothingToPayNow, NoWechatAccount, OnlinePaymentOff
from server.services.payments.payment_outcomes import BankReferenceUnusable, NothingToGiveBack
from server.services.payments.repayments import NothingToRepay, RepaymentUnusable

routes = Routes("payments")

NOTICE = Media(
    "application/json",
    "A notice as WeChat Pay v3 documents it, signed and encrypted. | 微信支付 v3 的通知，经签名并加密。",
)


class PaidOrderPath(Path):
    """An order of mine."""

    order_id: Id = Field(description="The order. | 订单编号。")


class PaymentPath(Path):
    """A payment."""

    payment_id: Id = Field(description="The payment. | 付款记录编号。")


class AskToPay(Body):
    """What is to be paid."""

    purpose: PaymentPurpose = Field(description="The payment that is due. | 应付款项。")


class ShownReceipt(Body):
    """What a bank's receipt shows."""

    reference: str = Field(min_length=1, max_length=64, description="The bank's reference. | 银行流水号。")
    amount_fen: Fen = Field(gt=0, description="The amount, fen. | 金额，单位分。")
    paid_on: Day = Field(description="The day of the transfer. | 转账日期。")
    payer: str = Field(min_length=2, max_length=200, description="Who paid. | 付款方名称。")
    payee: str = Field(min_length=2, max_length=200, description="Who was paid. | 收款方名称。")


class GivenBack(Body):
    """By which transfer a payment was given back."""

    reference: str = Field(min_length=1, max_length=64, description="The bank's reference. | 银行流水号。")
    paid_on: Day = Field(description="The day of the transfer. | 转账日期。")


class PaymentView(Answer):
    """One payment."""

    id: int = Field(description="The payment. | 付款记录编号。")
    purpose: PaymentPurpose = Field(description="What it is for. | 款项。")
    method: PaymentMethod = Field(description="How it was paid. | 支付方式。")
    status: PaymentStatus = Field(description="Where it stands. | 状态。")
    amount_fen: int = Field(description="The amount, fen. | 金额，单位分。")
    payer: str = Field(description="Who pays. | 付款方。")
    payee: str = Field(description="Who is paid. | 收款方。")
    reference: str = Field(description="The bank's reference, or the gateway's. | 银行流水号或支付单号。")
    created_at: AwareDatetime = Field(description="When it was entered. | 登记时间。")
    settled_at: AwareDatetime | None = Field(description="When that was known. | 状态确认时间。")


class DueView(Answer):
    """A payment whose turn it is."""

    purpose: PaymentPurpose = Field(description="What it is for. | 款项。")
    amount_fen: int = Field(description="How much, fen. | 应付金额，单位分。")
    payer: str = Field(description="Who pays, as the receipt must say. | 付款方名称，回单须一致。")
    payee: str = Field(description="Who is paid, as the receipt must say. | 收款方名称，回单须一致。")
    online: bool = Field(description="Whether it may be paid here. | 能否在线支付。")
    clause: str = Field(description="The provision. | 依据条款。")
    arithmetic: str = Field(description="How it was worked out. | 计算过程。")


class PaymentBook(Answer):
    """What is due on an order now, and what was paid."""

    due: DueView | None = Field(description="What is due now, if anything. | 当前应付款项，无则为空。")
    payments: list[PaymentView] = Field(description="The payments, oldest first. | 付款记录。")
    escrow_fen: int = Field(description="Held by the operator, fen. | 运营单位暂存的保证金，单位分。")
    owed_fen: int = Field(description="Still owed back by the provider, fen. | 服务机构应退金额，单位分。")
    owed_clause: str = Field(description="The provision for that. | 应退依据。")
    owed_arithmetic: str = Field(description="How it was worked out. | 应退计算过程。")


class PhonePaymentView(Answer):
    """What the phone hands to ``wx.requestPayment``, as it stands."""

    payment_id: int = Field(description="The payment. | 付款记录编号。")
    amount_fen: int = Field(description="How much, fen. | 金额，单位分。")
    time_stamp: str = Field(description="The phone's timeStamp. | 小程序调起支付的 timeStamp。")
    nonce_str: str = Field(description="The phone's nonceStr. | 小程序调起支付的 nonceStr。")
    package: str = Field(description="The phone's package. | 小程序调起支付的 package。")
    sign_type: str = Field(description="The phone's signType. | 小程序调起支付的 signType。")
    pay_sign: str = Field(description="The phone's paySign. | 小程序调起支付的 paySign。")


@routes.get(
    "/api/v1/orders/{order_id}/payments",
    summary="What is due on an order now, and what was paid. | 订单的应付款项和付款记录。",
    access=ORDER_READERS,
    answers={200: PaymentBook},
)
async def of_order(request: web.Request, actor: Actor, path: PaidOrderPath) -> PaymentBook:
    order, _ = await order_lists.one(path.order_id, actor=actor)
    programme = request.app[PROGRAMMES].version(order.programme_slug, order.programme_version)
    gateway = request.app[OWN_PAYMENTS].gateway is not None
    book = await payment_book.of(order, programme, gateway=gateway)
    due = book.due
    return PaymentBook(
        due=None
        if due is None
        else DueView(
            purpose=due.purpose,
            amount_fen=due.amount_fen,
            payer=due.payer,
            payee=due.payee,
            online=due.online,
            clause=due.clause,
            arithmetic=due.arithmetic,
        ),
        payments=[_view(one) for one in book.payments],
        escrow_fen=book.escrow_fen,
        owed_fen=book.owed.amount_fen,
        owed_clause=book.owed.clause,
        owed_arithmetic=book.owed.arithmetic,
    )


@routes.post(
    "/api/v1/orders/{order_id}/payments",
    summary="Pay what is due through WeChat: what the phone signs. | 在线支付应付款项，返回调起支付的参数。",
    access=IN_CHARGE,
    answers={201: PhonePaymentView},
    refusals=(NoOrganisation, OnlinePaymentOff, NothingToPayNow, NoWechatAccount, PaymentsUnavailable),
)
async def charge(request: web.Request, actor: Actor, path: PaidOrderPath, body: AskToPay) -> PhonePaymentView:
    asked = await request.app[OWN_PAYMENTS].charge(path.order_id, body.purpose, actor=actor)
    return PhonePaymentView(
        payment_id=asked.payment.id,
        amount_fen=asked.payment.amount_fen,
        time_stamp=asked.phone.time_stamp,
        nonce_str=asked.phone.nonce,
        package=asked.phone.package,
        sign_type=asked.phone.sign_type,
        pay_sign=asked.phone.signature,
    )


@routes.post(
    "/api/v1/orders/{order_id}/repayments",
    summary="Give back what the enterprise paid too much, by a bank's receipt. | 登记向企业退回的多付款项。",
    access=IN_CHARGE,
    answers={201: PaymentView},
    refusals=(NoOrganisation, NothingToRepay, RepaymentUnusable, PaperUsedBefore),
)
async def repay(request: web.Request, actor: Actor, path: PaidOrderPath, body: ShownReceipt) -> PaymentView:
    receipt = Shown(
        number=body.reference,
        amount_fen=body.amount_fen,
        dated=body.paid_on,
        payer=body.payer,
        payee=body.payee,
    )
    return _view(await request.app[REPAYMENTS].repay(path.order_id, receipt, actor=actor))


@routes.post(
    "/api/v1/payments/{payment_id}/refund",
    summary="The operator gave a payment back by the bank. | 运营单位登记已通过银行退还的款项。",
    access=staff(StaffRole.OPERATOR),
    answers={200: PaymentView},
    refusals=(NotFound, NothingToGiveBack, BankReferenceUnusable),
)
async def give_back(request: web.Request, actor: Actor, path: PaymentPath, body: GivenBack) -> PaymentView:
    payments = request.app[OWN_PAYMENTS]
    return _view(await payments.given_back(path.payment_id, body.reference, body.paid_on, actor=actor))


@routes.post(
    "/api/v1/payments/wechat/callback",
    summary="Where WeChat Pay tells what was paid; for it alone. | 微信支付结果通知，仅供微信支付调用。",
    access=PUBLIC,
    answers={204: None},
    refusals=(PaymentNoticeRefused, BodyTooLarge, BodyTooSlow, BodyIncomplete),
    receives=NOTICE,
)
async def notice(request: web.Request) -> None:
    settings = request.app[SETTINGS]
    body = await read_body(request, settings.max_body_bytes, settings.body_seconds)
    await request.app[OWN_PAYMENTS].notice(request.headers, body)


def _view(payment: OwnPayment) -> PaymentView:
    return PaymentView(
        id=payment.id,
        purpose=payment.purpose,
        method=payment.method,
        status=payment.status,
        amount_fen=payment.amount_fen,
        payer=payment.payer,
        payee=payment.payee,
        reference=payment.bank_reference or payment.transaction_id or "",
        created_at=payment.created_at,
        settled_at=payment.settled_at,
    )
