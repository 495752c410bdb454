"""Doing the work and agreeing that it is done: delivery, acceptance, paying and receiving the voucher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from server import texts
from server.errors import Unmet
from server.models.contracts import Contract
from server.models.orders import Order
from server.programme.model import Programme
from server.programme.money import DeductionBase
from server.programme.papers import AmountRule, DocumentKind, Field, FieldKind
from server.programme.steps import OrderStep
from server.programme.vocabulary import Party
from server.rules.deadlines import day_of, in_service_window
from server.rules.deduction import BASES
from server.rules.order_forms import field_of
from server.services.step_work import Move, NothingMore
from server.services.vouchers import order_purse
from server.units import yuan


class Deliver(NothingMore):
    """DELIVER: the provider says the work is done, and what it really cost where that counts (LS-30)."""

    def form(
        self, programme: Programme, step: OrderStep, order: Order, party: Party | None
    ) -> Sequence[Field]:
        clause = programme.deduction_for(order.category).article
        fields = [field_of("completed_on", FieldKind.DATE, clause=step.article)]
        if _actual_counts(programme, order):
            fields.append(field_of("actual_fee_fen", FieldKind.MONEY, clause=clause))
        return fields

    async def unmet(self, move: Move) -> Sequence[Unmet]:
        """Done by today, after the contract began, within the service window; no dearer than agreed."""
        done_on: date = move.values["completed_on"]
        today, clause, unmet = day_of(move.now), move.step.article, []
        if done_on > today:
            unmet.append(_day("completed_later", clause, f"{done_on} > {today}"))
        contract = await Contract.get_or_none(id=move.order.contract_id)
        starts = None if contract is None else contract.service_starts_on or contract.signed_on
        if starts is not None and done_on < starts:
            unmet.append(_day("completed_before", clause, f"{done_on} < {starts}"))
        if not in_service_window(move.programme, done_on):
            first, last = move.programme.validity.service_from, move.programme.validity.service_until
            unmet.append(_day("outside_window", clause, f"{first} ≤ {done_on} ≤ {last}"))
        fee_fen = move.values.get("actual_fee_fen")
        agreed_fen = move.order.contract_fen or move.order.price_fen
        if fee_fen is not None and not 0 < fee_fen <= agreed_fen:
            message = texts.DELIVERY["dearer"].format(agreed=yuan(agreed_fen))
            unmet.append(Unmet("actual_fee_fen", clause, message, f"{yuan(fee_fen)} > {yuan(agreed_fen)}"))
        return unmet

    async def do(self, move: Move) -> Mapping[str, Any]:
        """The actual fee, and what a full invoice handed in with it says."""
        changes: dict[str, Any] = {}
        if "actual_fee_fen" in move.values:
            changes["actual_fee_fen"] = move.values["actual_fee_fen"]
        invoice_fen = invoiced(move)
        rule = move.programme.deduction_for(move.order.category)
        if invoice_fen is not None and rule.base is DeductionBase.ACTUAL_FEE:
            changes["actual_fee_fen"] = invoice_fen
        return changes


class PayVoucher(NothingMore):
    """PAY_VOUCHER: the enterprise pays with what was held, on the real invoice (GZ-67 to GZ-72)."""

    def form(
        self, programme: Programme, step: OrderStep, order: Order, party: Party | None
    ) -> Sequence[Field]:
        rule = programme.deduction_for(order.category)
        fields = [field_of("voucher_fen", FieldKind.MONEY, required=False, clause=rule.article)]
        if rule.exclude_unrelated:
            fields.append(field_of("unrelated_fen", FieldKind.MONEY, required=False, clause=rule.article))
        return fields

    async def unmet(self, move: Move) -> Sequence[Unmet]:
        """Not more than is held, nor than the rate gives on the invoice less what is not of the service."""
        wanted_fen = move.values.get("voucher_fen")
        order = move.order
        order.invoice_fen = invoiced(move) or order.invoice_fen
        order.unrelated_fen = move.values.get("unrelated_fen", order.unrelated_fen)
        held_fen = sum(hold.held_fen for hold in await order_purse.holds_of(order.id))
        most = await order_purse.payable(
            move.programme, order, None, others=[order_purse.held_limit(held_fen, order.clause)]
        )
        unmet = []
        if not most.amount_fen:
            unmet.append(Unmet("voucher_fen", most.clause, texts.DELIVERY["nothing"], most.arithmetic))
        elif wanted_fen is not None and not 0 < wanted_fen <= most.amount_fen:
            message = texts.DELIVERY["pays_too_much"].format(most=yuan(most.amount_fen))
            arithmetic = f"{yuan(wanted_fen)} > {yuan(most.amount_fen)}{texts.STEP}{most.arithmetic}"
            unmet.append(Unmet("voucher_fen", most.clause, message, arithmetic))
        return unmet

    async def do(self, move: Move) -> Mapping[str, Any]:
        changes: dict[str, Any] = {
            "unrelated_fen": move.values.get("unrelated_fen", move.order.unrelated_fen)
        }
        if move.values.get("voucher_fen") is not None:
            changes["wanted_fen"] = move.values["voucher_fen"]
        return changes


def invoiced(move: Move) -> int | None:
    """What the full invoices handed in with a step come to, fen; ``None`` where there is none."""
    full = {
        document.code
        for document in move.step.documents
        if document.kind is DocumentKind.INVOICE and document.amount is AmountRule.FULL_PRICE
    }
    amounts = [
        paper.amount_fen
        for code in full
        for paper in move.papers.get(code, ())
        if paper.amount_fen is not None
    ]
    return sum(amounts) if amounts else None


def _actual_counts(programme: Programme, order: Order) -> bool:
    """Whether the real fee is stated when the work is done: where the smaller of two amounts counts."""
    rule = programme.deduction_for(order.category)
    return rule.smaller_of_order_and_actual and "actual_fee_fen" not in BASES[rule.base]


def _day(code: str, clause: str, arithmetic: str) -> Unmet:
    return Unmet("completed_on", clause, texts.DELIVERY[code], arithmetic)
