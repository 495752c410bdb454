"""Paper terms: what the invoices and receipts of a step must show, before anybody hands them in.

The same terms are shown in the checklist and judged by ``invoices.check_papers``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from server.models.contracts import Contract
from server.models.offices import Office
from server.models.orders import Order
from server.models.organisations import NameRecord, Organisation
from server.programme.model import Programme
from server.programme.money import Payee
from server.programme.papers import Document, DocumentKind
from server.programme.steps import OrderStep
from server.programme.vocabulary import Actor
from server.rules.invoice_checks import CHECKED, Wanted
from server.rules.own_payments import PURPOSES, PaymentPurpose, due_fen, parts_of, payee_of, purpose_of


@dataclass(frozen=True, slots=True)
class Names:
    """How the parties are called: as the contract writes it, now, and once (GZ-64); and its day."""

    enterprise: tuple[str, ...]
    provider: tuple[str, ...]
    operator: tuple[str, ...]
    signed_on: date | None
    """The day of the contract: no invoice for it is older."""

    def payees(self, programme: Programme, purpose: PaymentPurpose) -> tuple[str, ...]:
        """Into whose hands a payment goes."""
        if payee_of(programme, purpose) is Payee.OPERATOR:
            return self.operator
        return self.provider


def agreed_fen(order: Order) -> int:
    """What is charged, fen: what it really cost once that is known, the contract's price, or the order's."""
    for known_fen in (order.actual_fee_fen, order.contract_fen):
        if known_fen is not None:
            return known_fen
    return int(order.price_fen)


async def names_of(order: Order) -> Names:
    """The names that count on an order's papers."""
    contract = None if order.contract_id is None else await Contract.get(id=order.contract_id)
    return Names(
        await _names(order.enterprise_id, "" if contract is None else contract.enterprise_name),
        await _names(order.provider_id, "" if contract is None else contract.provider_name),
        await operator_names(order.programme_slug),
        None if contract is None else contract.signed_on,
    )


async def operator_names(slug: str) -> tuple[str, ...]:
    """What the programme's operator is called; none while no office of it was entered."""
    offices = Office.filter(programme_slug=slug, actor=Actor.OPERATOR, closed_at=None)
    return tuple(str(name) for name in await offices.order_by("id").values_list("name", flat=True))


async def wanted_of(
    order: Order,
    programme: Programme,
    step: OrderStep,
    *,
    invoiced_fen: int | None = None,
    voucher_fen: int | None = None,
) -> dict[str, Wanted]:
    """The terms of every invoice and receipt handed in with a step, by the document's code.

    ``invoiced_fen`` is what an invoice handed in beside them shows, ``voucher_fen`` what the voucher pays
    where that is said in the same breath.
    """
    documents = [one for one in step.documents if one.kind in CHECKED and not one.carried_over]
    if not documents:
        return {}
    names = await names_of(order)
    paid_fen = order.voucher_fen if voucher_fen is None else voucher_fen
    return {one.code: _terms(order, programme, step, one, names, invoiced_fen, paid_fen) for one in documents}


def _terms(
    order: Order,
    programme: Programme,
    step: OrderStep,
    document: Document,
    names: Names,
    invoiced_fen: int | None,
    voucher_fen: int,
) -> Wanted:
    invoice = document.kind is DocumentKind.INVOICE
    price_fen = agreed_fen(order)
    validity = programme.validity
    window = (validity.service_from, validity.service_until) if document.in_service_window else (None, None)
    if invoice:
        return Wanted(
            document=document,
            price_fen=price_fen,
            voucher_fen=voucher_fen,
            payers=names.enterprise,
            payees=names.provider,
            first_day=names.signed_on,
            window=window,
        )
    return Wanted(
        document=document,
        # What is left to pay is the rest of what was invoiced in full, once that is known.
        price_fen=invoiced_fen or order.invoice_fen or price_fen,
        voucher_fen=voucher_fen,
        exact_fen=exact_fen(order, programme, step, document),
        payers=names.enterprise,
        payees=names.payees(programme, purpose_of(step)),
        window=window,
    )


def exact_fen(order: Order, programme: Programme, step: OrderStep, document: Document | None) -> int | None:
    """What a step that is a payment asks for, fen; ``None`` where only the document's own rule counts."""
    if step.kind not in PURPOSES or (document is not None and document.amount is not None):
        return None
    parts = parts_of(programme, agreed_fen(order), order.voucher_fen)
    return due_fen(parts, PURPOSES[step.kind])


async def _names(organisation_id: int, written: str) -> tuple[str, ...]:
    present = await Organisation.get(id=organisation_id)
    earlier = await NameRecord.filter(organisation_id=organisation_id).order_by("-id")
    names = [written, present.name, *(record.name for record in earlier)]
    return tuple(dict.fromkeys(name for name in names if name))
