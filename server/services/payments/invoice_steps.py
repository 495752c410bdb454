"""The invoice step: the provider's invoice, by its papers or, where none are listed, by its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from server.errors import Unmet
from server.models.orders import Order
from server.programme.model import Programme
from server.programme.papers import AmountRule, Document, DocumentKind, Field
from server.programme.steps import OrderStep
from server.programme.vocabulary import Party
from server.services.payments.declared_papers import (
    declared_unmet,
    document_of,
    fields_of,
    paper_of,
    take_number,
)
from server.services.step_work import Move, NothingMore


class InvoiceStep(NothingMore):
    """What is handed in with it is compared and counted by ``invoices``, as with any step."""

    def form(
        self, programme: Programme, step: OrderStep, order: Order, party: Party | None
    ) -> Sequence[Field]:
        return () if _listed(step) else fields_of(step, DocumentKind.INVOICE)

    async def unmet(self, move: Move) -> Sequence[Unmet]:
        if _listed(move.step):
            return ()
        return await declared_unmet(move, declared_invoice(move.step))

    async def do(self, move: Move) -> Mapping[str, Any]:
        if _listed(move.step):
            return {}
        document = declared_invoice(move.step)
        await take_number(move, document)
        return {"invoice_fen": paper_of(move, document).amount_fen}


def _listed(step: OrderStep) -> bool:
    return any(one.kind is DocumentKind.INVOICE for one in step.documents)


def declared_invoice(step: OrderStep) -> Document:
    """The invoice no paper is asked for. Nothing says whose part it is over: it is over what is charged."""
    return document_of(step, DocumentKind.INVOICE, AmountRule.FULL_PRICE)
