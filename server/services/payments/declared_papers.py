"""Declared papers: what a step asks for in fields where its programme lists no paper for it.

A payment or an invoice leaves its number, amount, day and names even where no scan is asked for; they are
judged and counted exactly like those of a paper.
"""

from __future__ import annotations

from collections.abc import Sequence

from server import texts
from server.errors import Unmet
from server.models.orders import Order
from server.programme.model import Programme
from server.programme.papers import AmountRule, Document, DocumentKind, Field, FieldKind
from server.programme.steps import OrderStep
from server.rules.deadlines import day_of
from server.rules.invoice_checks import Wanted, mark_kind, mark_of, papers_unmet
from server.rules.own_payments import purpose_of
from server.services.payments.invoices import mark_once, shown
from server.services.payments.paper_terms import agreed_fen, exact_fen, names_of
from server.services.step_work import Move, Paper

_KINDS = {
    "number": FieldKind.TEXT,
    "amount": FieldKind.MONEY,
    "dated": FieldKind.DATE,
    "payer": FieldKind.TEXT,
    "payee": FieldKind.TEXT,
}


def fields_of(step: OrderStep, kind: DocumentKind) -> tuple[Field, ...]:
    """The fields that stand in for a paper of this kind."""
    names = texts.DECLARED[mark_kind(kind)]
    return tuple(
        Field(code=code, name=names[code], kind=field, article=step.article) for code, field in _KINDS.items()
    )


def paper_of(move: Move, document: Document) -> Paper:
    """What was filled in, as the paper it stands in for."""
    values = move.values
    return Paper(
        code=document.code,
        files=(),
        number=str(values.get("number", "")),
        amount_fen=values.get("amount"),
        dated=values.get("dated"),
        payer=str(values.get("payer", "")),
        payee=str(values.get("payee", "")),
    )


def document_of(step: OrderStep, kind: DocumentKind, amount: AmountRule | None = None) -> Document:
    """The paper that is not asked for."""
    return Document(code=step.kind.value, name=step.name, kind=kind, amount=amount, article=step.article)


async def declared_unmet(move: Move, document: Document) -> Sequence[Unmet]:
    """Everything wrong with what was filled in."""
    wanted = await declared_terms(move.order, move.programme, move.step, document)
    return papers_unmet(wanted, [shown(paper_of(move, document))], day_of(move.now))


async def take_number(move: Move, document: Document) -> None:
    """Count its number, for good. Raises ``PaperUsedBefore``."""
    mark = mark_of(document.kind, paper_of(move, document).number)
    assert mark is not None, "checked before"
    await mark_once(move, {(mark_kind(document.kind).value, mark): document})


async def declared_terms(order: Order, programme: Programme, step: OrderStep, document: Document) -> Wanted:
    """What is to be filled in; where the step is a payment, it says itself how much."""
    names = await names_of(order)
    invoice = document.kind is DocumentKind.INVOICE
    return Wanted(
        document=document,
        price_fen=agreed_fen(order),
        voucher_fen=order.voucher_fen,
        exact_fen=None if invoice else exact_fen(order, programme, step, None),
        payers=names.enterprise,
        payees=names.provider if invoice else names.payees(programme, purpose_of(step)),
        first_day=names.signed_on if invoice else None,
    )
