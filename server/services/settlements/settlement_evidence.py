"""A settlement's evidence: everything an order brought, laid beside what the text asks for it.

The same lines are the provider's checklist before it hands in, the system's own findings beside the case,
and what keeps a settlement from being approved. Amounts are worked out from the papers, the contract and the
payments, and must be what the ledger has of the order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from server import texts
from server.errors import Unmet
from server.models.contracts import Contract
from server.models.documents import Signature
from server.models.orders import Order, OrderAct, OrderPaper
from server.models.organisations import Organisation
from server.models.payments import OwnPayment
from server.models.ratings import Rating
from server.models.rounds import Budget
from server.models.settlements import Settlement, SettlementPaper
from server.models.vouchers import Voucher
from server.programme.model import Programme
from server.programme.money import DeductionBase
from server.programme.papers import AmountRule, Document, DocumentForm, DocumentKind
from server.programme.size_classes import SizeStandard
from server.programme.steps import StepKind
from server.programme.vocabulary import LegalForm
from server.rules.contracts import ContractStatus, holds_several, settlement_unmet
from server.rules.deadlines import day_of
from server.rules.deduction import Deduction, Prices, deduction, wanted
from server.rules.documents import Printed
from server.rules.evidence import Handed, papers_missing
from server.rules.invoice_checks import CHECKED, Wanted, papers_unmet
from server.rules.lifecycles import ProviderAct
from server.rules.own_payments import RECEIPTS, PaymentStatus
from server.rules.payments import amount_unmet
from server.rules.review import Check
from server.rules.settlements import (
    asked_documents,
    carried_documents,
    carriers,
    difference,
    for_all,
    is_flagged,
)
from server.services.access import CLOCK
from server.services.orders.voucher_steps import RegisterUse
from server.services.payments import repayments
from server.services.payments.paper_terms import agreed_fen, names_of
from server.services.providers.provider_standing import provider_missing
from server.services.settlements import settlement_money, settlement_papers
from server.services.settlements.settlement_book import hold_reasons
from server.services.settlements.settlement_money import Standing
from server.services.step_work import Move
from server.services.vouchers import order_purse
from server.units import yuan

MONEY_LEFT = "money_left"
"""The line that says whether the year has what a complete file would take."""


@dataclass(slots=True)
class Evidence:
    """What an order brought, and what was found looking at it."""

    settlement: Settlement
    order: Order
    programme: Programme
    now: datetime
    contract: Contract | None
    carried: Sequence[OrderPaper]
    own: Sequence[SettlementPaper]
    standing: Standing
    drawn: Voucher | None
    worked: Deduction | None = None
    flagged: bool = False
    result_on: date | None = None
    checks: list[Check] = field(default_factory=list)

    @property
    def unmet(self) -> tuple[Unmet, ...]:
        """Everything that stands against it."""
        return tuple(
            Unmet(one.code, one.clause, one.message, one.arithmetic) for one in self.checks if not one.met
        )

    @property
    def amount_fen(self) -> int:
        """What it comes to now: what the ledger has, or what its complete file would take."""
        if self.standing.total_fen or self.worked is None:
            return self.standing.total_fen
        return self.worked.amount_fen

    def line(self, code: str, clause: str, message: str, *, met: bool = True, arithmetic: str = "") -> None:
        self.checks.append(Check(code, clause, message, met, arithmetic))

    def add(self, *unmet: Unmet | None) -> None:
        """Red lines."""
        for one in unmet:
            if one is not None:
                self.line(one.code, one.clause, one.message, met=False, arithmetic=one.arithmetic)


async def examine(
    settlement: Settlement, order: Order, programme: Programme, sizes: SizeStandard, *, now: datetime
) -> Evidence:
    """Look at everything an order brought; ``programme`` stands as when the order was opened."""
    evidence = Evidence(
        settlement=settlement,
        order=order,
        programme=programme,
        now=now,
        contract=await Contract.get_or_none(id=order.contract_id) if order.contract_id else None,
        carried=await OrderPaper.filter(order_id=order.id, withdrawn_at=None).order_by("id"),
        own=await settlement_papers.of(settlement.application_id, settlement.id),
        standing=await settlement_money.standing(order),
        drawn=await settlement_money.drawn(order),
    )
    await _own_papers(evidence)
    for document in carried_documents(programme):
        await _carried(evidence, document)
    await _amount(evidence)
    await _conditions(evidence)
    await _sides(evidence, sizes)
    reasons = await hold_reasons(settlement)
    for reason in reasons:
        evidence.line("held", programme.settlement.article, reason, met=False)
    if not reasons:
        evidence.line("not_held", "", texts.SETTLEMENT_CHECKS["not_held"])
    return evidence


async def _own_papers(evidence: Evidence) -> None:
    """What the provider hands in with the settlement itself: there, and showing what it must."""
    order, programme = evidence.order, evidence.programme
    asked = [one for one in asked_documents(programme) if not for_all(one)]
    handed = [Handed(code=row.code, count=len(row.files)) for row in evidence.own]
    provider = await Organisation.get(id=order.provider_id)
    form = provider.legal_form or (LegalForm.LEGAL_PERSON if provider.legal_person else None)
    evidence.add(*papers_missing(asked, handed, legal_form=form))
    codes = {row.code for row in evidence.own}
    evidence.flagged = is_flagged(asked, codes)
    if evidence.flagged:
        evidence.line("flagged", programme.settlement.article, texts.SETTLEMENT_CHECKS["flagged"])
    names = await names_of(order)
    for document in asked:
        rows = [row for row in evidence.own if row.code == document.code]
        if not rows:
            continue
        if document.kind not in CHECKED:
            evidence.line(document.code, document.article, _there(document))
            continue
        terms = Wanted(
            document=document,
            price_fen=agreed_fen(order),
            voucher_fen=evidence.standing.total_fen or order.voucher_fen,
            payers=names.enterprise,
            payees=(*names.provider, *names.operator),
        )
        faults = papers_unmet(terms, [settlement_papers.shown(row) for row in rows], day_of(evidence.now))
        evidence.add(*faults)
        if not faults:
            evidence.line(document.code, document.article, _shows(document, rows))


async def _carried(evidence: Evidence, document: Document) -> None:
    """What an earlier step brought: there, and showing the amount it must; sent back, what came instead."""
    codes = carriers(evidence.programme, document)
    rows: list[SettlementPaper | OrderPaper] = [row for row in evidence.own if row.code == document.code]
    rows = rows or [row for row in evidence.carried if row.code in codes]
    says = texts.SETTLEMENT_CHECKS
    if not rows and not await _without_paper(evidence, document):
        message = says["carried_missing"].format(name=document.name)
        evidence.line(document.code, document.article, message, met=False)
        return
    amounts = [row.amount_fen for row in rows if row.amount_fen is not None]
    if document.amount is None or not amounts:
        evidence.line(document.code, document.article, _there(document))
        return
    fault = amount_unmet(
        document,
        sum(amounts),
        price_fen=agreed_fen(evidence.order),
        voucher_fen=evidence.standing.total_fen or evidence.order.voucher_fen,
    )
    if fault is not None:
        evidence.add(fault)
    else:
        evidence.line(document.code, document.article, _shows(document, rows))


def _there(document: Document) -> str:
    return texts.SETTLEMENT_CHECKS["carried"].format(name=document.name)


def _shows(document: Document, rows: Sequence[SettlementPaper | OrderPaper]) -> str:
    total_fen = sum(row.amount_fen or 0 for row in rows)
    return texts.SETTLEMENT_CHECKS["amount_shown"].format(name=document.name, amount=yuan(total_fen))


async def _without_paper(evidence: Evidence, document: Document) -> bool:
    """Whether something made on the platform stands for a paper: a contract, signatures, a payment."""
    order = evidence.order
    if document.kind is DocumentKind.CONTRACT:
        signed = evidence.contract is not None and evidence.contract.status is ContractStatus.SIGNED
        return signed and document.form is DocumentForm.ELECTRONIC
    if document.kind is DocumentKind.SERVICE_CONFIRMATION:
        signatures = Signature.filter(order_id=order.id, document=Printed.SERVICE_CONFIRMATION)
        acts = OrderAct.filter(order_id=order.id, step=StepKind.SERVICE_CONFIRMATION, sent_back_at=None)
        return await signatures.count() >= 2 or await acts.count() >= 2
    if document.kind in RECEIPTS:
        return await OwnPayment.exists(order_id=order.id, status=PaymentStatus.PAID)
    return False


async def _amount(evidence: Evidence) -> None:
    """Work the amount out from the evidence; what the ledger has must be the same (LS-54, YC-14)."""
    order, programme, clause = evidence.order, evidence.programme, evidence.programme.settlement.article
    says, ledger_fen = texts.SETTLEMENT_CHECKS, evidence.standing.total_fen
    if evidence.drawn is not None and not ledger_fen:
        evidence.worked = await settlement_money.worked_out(programme, order, evidence.drawn)
        budget = await Budget.get(id=evidence.drawn.budget_id)
        evidence.line(
            MONEY_LEFT,
            programme.issuance.article,
            says["money_left"].format(left=yuan(max(0, budget.free_fen))),
            met=budget.free_fen >= evidence.worked.amount_fen > 0,
            arithmetic=evidence.worked.arithmetic,
        )
        return
    limits = [order_purse.held_limit(ledger_fen, clause)]
    if order.wanted_fen is not None:
        limits.append(wanted(order.wanted_fen))
    evidence.worked = deduction(
        programme,
        order.category,
        prices_of(evidence),
        used=await order_purse.used_before(programme, order),
        others=limits,
    )
    apart = difference(evidence.worked, ledger_fen)
    if apart is not None:
        evidence.add(apart)
        return
    evidence.line(
        "amount_equal",
        evidence.worked.clause,
        says["amount_equal"].format(amount=yuan(ledger_fen)),
        met=ledger_fen > 0,
        arithmetic=evidence.worked.arithmetic,
    )


def prices_of(evidence: Evidence) -> Prices:
    """The order's amounts as its papers say, and not as its row remembers them."""
    order, contract = evidence.order, evidence.contract
    prices = order_purse.prices_of(order)
    if contract is not None and not holds_several(evidence.programme, order.category):
        prices = replace(prices, contract_fen=contract.amount_fen)
    full = {
        document.code
        for step in evidence.programme.order_steps
        for document in step.documents
        if document.kind is DocumentKind.INVOICE and document.amount is AmountRule.FULL_PRICE
    }
    amounts = [row.amount_fen for row in evidence.carried if row.code in full and row.amount_fen is not None]
    if not amounts:
        return prices
    rule = evidence.programme.deduction_for(order.category)
    if rule.base is DeductionBase.ACTUAL_FEE:
        prices = replace(prices, actual_fee_fen=sum(amounts))
    return replace(prices, invoice_fen=sum(amounts))


async def _conditions(evidence: Evidence) -> None:
    """The enterprise's rating (NX-21), the year of the result (YC-26), and what is owed back (GZ-48)."""
    order, programme, says = evidence.order, evidence.programme, texts.SETTLEMENT_CHECKS
    rating = await Rating.get_or_none(order_id=order.id)
    evidence.result_on = await _result_on(evidence)
    # Handed in within the year it came in time, however long its review takes; corrected, it keeps its place.
    submitted_on = day_of(evidence.settlement.line_at or evidence.now)
    if programme.settlement.result_same_year and evidence.result_on is None:
        evidence.line("result_undated", programme.settlement.article, says["result_undated"], met=False)
    unmet = settlement_unmet(
        programme,
        rated=rating is not None,
        result_on=evidence.result_on or submitted_on,
        submitted_on=submitted_on,
    )
    evidence.add(*unmet)
    if programme.settlement.rating_required and rating is not None:
        evidence.line("rated", programme.rating.article, says["rated"].format(level=rating.level))
    if programme.settlement.result_same_year and evidence.result_on is not None and not unmet:
        message = says["same_year"].format(day=evidence.result_on)
        evidence.line("same_year", programme.settlement.article, message)
    owed = await repayments.owed(order, programme)
    if owed.amount_fen:
        message = says["refund_due"].format(amount=yuan(owed.amount_fen))
        evidence.line("refund_due", owed.clause, message, arithmetic=owed.arithmetic)


async def _result_on(evidence: Evidence) -> date | None:
    """The day the result relied on was obtained: the government's paper says it, else the delivery."""
    days = [
        row.dated
        for row in evidence.own
        if row.dated is not None and _kind(evidence.programme, row.code) is DocumentKind.GOVERNMENT_DOCUMENT
    ]
    if days:
        return max(days)
    delivered = (
        await OrderAct.filter(order_id=evidence.order.id, step=StepKind.DELIVER, sent_back_at=None)
        .order_by("-id")
        .first()
    )
    said = None if delivered is None else delivered.values.get("completed_on")
    return None if said is None else date.fromisoformat(said)


def _kind(programme: Programme, code: str) -> DocumentKind | None:
    return next((one.kind for one in asked_documents(programme) if one.code == code), None)


async def _sides(evidence: Evidence, sizes: SizeStandard) -> None:
    """Whether the provider may ask for money, and whom it served is still whom the text supports (YC-11)."""
    order, programme, says = evidence.order, evidence.programme, texts.SETTLEMENT_CHECKS
    provider = await Organisation.get(id=order.provider_id)
    missing = await provider_missing(programme, provider, ProviderAct.SETTLE, now=evidence.now)
    evidence.add(*missing)
    if not missing:
        evidence.line("provider", programme.provider.article, says["provider"].format(name=provider.name))
    if evidence.drawn is None:
        return
    move = Move(
        order=order,
        step=settlement_papers.step_of(programme),
        programme=programme,
        party=None,
        actor=CLOCK,
        now=evidence.now,
    )
    unmet = await RegisterUse(sizes).unmet(move)
    evidence.add(*unmet)
    if not unmet:
        evidence.line("enterprise", programme.enterprise.article, says["enterprise"])
