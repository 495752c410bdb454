"""Which kind of step has which work: one table, so that nobody has to look for it."""

from __future__ import annotations

from server.programme.size_classes import SizeStandard
from server.programme.steps import StepKind
from server.rules.own_payments import PURPOSES
from server.services.orders.contract_steps import ConfirmContract, MakeContract
from server.services.orders.delivery_steps import Deliver, PayVoucher
from server.services.orders.orders import Orders
from server.services.orders.rating_steps import RateStep, WithRating
from server.services.orders.signing_steps import Printing, signing_works
from server.services.orders.voucher_requests import VoucherRequests
from server.services.orders.voucher_steps import RegisterUse, RequestVoucher
from server.services.payments.invoice_steps import InvoiceStep
from server.services.payments.paying_steps import PayingStep
from server.services.providers.ratings import Ratings


def serve_steps(
    orders: Orders, requests: VoucherRequests, ratings: Ratings, printing: Printing, sizes: SizeStandard
) -> None:
    """Give the engine the works of every kind of step that is more than being done."""
    rate = RateStep(ratings)
    for paying in PURPOSES:
        orders.serve(paying, PayingStep())
    orders.serve(StepKind.INVOICE, InvoiceStep())
    orders.serve(StepKind.RATE, rate)
    for kind, work in signing_works(printing.desk, printing).items():
        orders.serve(kind, work)
    orders.serve(StepKind.UPLOAD_CONTRACT, MakeContract())
    orders.serve(StepKind.CONFIRM_CONTRACT, ConfirmContract())
    orders.serve(StepKind.REQUEST_VOUCHER, RequestVoucher(requests))
    orders.serve(StepKind.REGISTER_USE, RegisterUse(sizes))
    orders.serve(StepKind.DELIVER, Deliver())
    orders.serve(StepKind.PAY_VOUCHER, WithRating(PayVoucher(), rate))
