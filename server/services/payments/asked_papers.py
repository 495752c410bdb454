"""Asked papers: what a step's invoices and receipts have to show, for whoever is about to hand them in."""

from __future__ import annotations

from collections.abc import Mapping

from server.models.orders import Order
from server.programme.model import Programme
from server.programme.papers import DocumentKind
from server.programme.steps import OrderStep, StepKind
from server.rules.invoice_checks import Wanted
from server.rules.own_payments import PURPOSES
from server.services.payments.declared_papers import declared_terms, document_of
from server.services.payments.invoice_steps import declared_invoice
from server.services.payments.paper_terms import wanted_of
from server.services.payments.paying_steps import waives_papers


async def terms_of(order: Order, programme: Programme, step: OrderStep) -> Mapping[str, Wanted]:
    """Amount, names and days, by the document's code; by the step's kind where fields stand in for one."""
    if await waives_papers(order, programme, step):
        return {}
    terms = await wanted_of(order, programme, step)
    if terms:
        return terms
    document = None
    if step.kind in PURPOSES:
        document = document_of(step, DocumentKind.TRANSFER_RECEIPT)
    elif step.kind is StepKind.INVOICE:
        document = declared_invoice(step)
    if document is None:
        return {}
    return {document.code: await declared_terms(order, programme, step, document)}
