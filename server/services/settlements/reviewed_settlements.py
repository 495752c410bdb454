"""Settlements under review: the evidence side by side, the system's own lines, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from server.models.orders import Order, OrderPaper
from server.models.organisations import Organisation
from server.models.ratings import Rating
from server.models.reviews import ReviewCase
from server.models.settlements import Settlement, SettlementApplication, SettlementPaper
from server.programme.review import ReviewKind, ReviewStep
from server.rules.review import Check
from server.rules.settlements import UNDER_REVIEW, SettlementStatus
from server.services.access import Actor
from server.services.afterwards import After, nothing
from server.services.orders.reviewed_orders import order_shown, sides_of
from server.services.payments import escrows
from server.services.settlements import (
    settlement_book,
    settlement_ceilings,
    settlement_end,
    settlement_forms,
    settlement_papers,
    supervision_checks,
)
from server.services.settlements.settlements import Settlements

DETERMINED_BY = frozenset({ReviewKind.PUBLIC_NOTICE, ReviewKind.DISBURSEMENT})
"""Where a case can only come when its amount stands: it is published, or paid."""


class ReviewedSettlements:
    """Settlements as the review engine knows them."""

    def __init__(self, settlements: Settlements) -> None:
        self.settlements = settlements

    async def sides(self, case: ReviewCase) -> frozenset[str]:
        """Both sides of the order."""
        return await sides_of((await Settlement.get(id=case.subject_id).select_related("order")).order)

    async def snapshot(self, case: ReviewCase) -> dict[str, Any]:
        """Order, amounts, contract and every paper with what it shows, each under its own name."""
        settlement = await Settlement.get(id=case.subject_id)
        evidence = await self.settlements.examine(settlement)
        order, contract = evidence.order, evidence.contract
        enterprise = await Organisation.get(id=settlement.enterprise_id)
        rating = await Rating.get_or_none(order_id=order.id)
        common = await settlement_papers.of(settlement.application_id, None)
        rows: list[OrderPaper | SettlementPaper] = [*evidence.carried, *evidence.own, *common]
        papers: dict[str, Any] = {}
        for row in rows:
            seen = papers.setdefault(row.code, {"files": [], "amount_fen": 0, "numbers": [], "dated": []})
            seen["files"] += row.files
            seen["amount_fen"] += row.amount_fen or 0
            seen["numbers"] += [row.number] if row.number else []
            seen["dated"] += [str(row.dated)] if row.dated else []
        return {
            "number": settlement.number,
            "application": settlement.application_id,
            "order": order_shown(order),
            "enterprise": enterprise.name,
            "contract": None
            if contract is None
            else {
                "number": contract.number,
                "amount_fen": contract.amount_fen,
                "signed_on": None if contract.signed_on is None else str(contract.signed_on),
            },
            "amounts": {
                "asked_fen": settlement.asked_fen,
                "ledger_fen": evidence.standing.total_fen,
                "worked_out_fen": None if evidence.worked is None else evidence.worked.amount_fen,
                "amount_fen": settlement.amount_fen,
                "reduced_fen": settlement.reduced_fen,
                "invoice_fen": order.invoice_fen,
                "actual_fee_fen": order.actual_fee_fen,
                "unrelated_fen": order.unrelated_fen,
                "escrow_fen": await escrows.held_fen(order.id),
            },
            "arithmetic": "" if evidence.worked is None else evidence.worked.arithmetic,
            "result_on": None if evidence.result_on is None else str(evidence.result_on),
            "rating": None if rating is None else rating.level,
            "flagged": evidence.flagged,
            "papers": papers,
        }

    async def checks(self, case: ReviewCase, *, now: datetime) -> Sequence[Check]:
        """Papers, amounts, conditions, sides, holds, and what the ceilings leave; green or red."""
        settlement = await Settlement.get(id=case.subject_id)
        evidence = await self.settlements.examine(settlement)
        amount_fen = settlement.amount_fen or evidence.amount_fen
        ceilings = await settlement_ceilings.lines(settlement, evidence.programme, amount_fen)
        application = await SettlementApplication.get(id=settlement.application_id)
        programme = self.settlements.programmes.version(
            application.programme_slug, application.programme_version
        )
        forms = await settlement_forms.unmet(
            application, await settlement_book.of_application(application.id), programme
        )
        red = (Check(one.code, one.clause, one.message, False, one.arithmetic) for one in forms)
        seen = await supervision_checks.of_settlement(settlement, programme, now=now)
        return [*evidence.checks, *ceilings, *red, *seen]

    async def require_usable(self, case: ReviewCase, extras: Mapping[str, Any], *, reason: str) -> None:
        """What somebody says of the money can be, and is explained where it is not all of it."""
        settlement = await Settlement.get(id=case.subject_id)
        await settlement_end.require_usable(self.settlements, settlement, extras, reason=reason)

    async def arrived(self, case: ReviewCase, step: ReviewStep, *, actor: Actor, now: datetime) -> None:
        """At its notice or its payment the amount stands; at its payment it is payable."""
        if step.kind not in DETERMINED_BY:
            return
        settlement = await Settlement.get(id=case.subject_id)
        if settlement.status is not SettlementStatus.IN_REVIEW:
            return
        if settlement.case_id is None:
            settlement = await settlement_book.change(settlement, case_id=case.id)
        settlement = await settlement_end.determine(self.settlements, settlement, actor=actor, now=now)
        if step.kind is ReviewKind.DISBURSEMENT:
            await settlement_end.make_payable(self.settlements, settlement, actor=actor, now=now)

    async def passed(
        self, case: ReviewCase, *, extras: Mapping[str, Any], actor: Actor, now: datetime
    ) -> After:
        """The chain is gone through: whoever paid it has said so; without a payment in it, it is payable."""
        settlement = await Settlement.get(id=case.subject_id)
        if settlement.status is SettlementStatus.IN_REVIEW:
            settlement = await settlement_end.determine(self.settlements, settlement, actor=actor, now=now)
            await settlement_end.make_payable(self.settlements, settlement, actor=actor, now=now)
        return nothing

    async def refused(self, case: ReviewCase, *, reason: str, actor: Actor, now: datetime) -> After:
        """Nothing of it is paid; its money is free."""
        settlement = await Settlement.get(id=case.subject_id)
        await settlement_end.refuse(self.settlements, settlement, reason=reason, actor=actor, now=now)
        return nothing

    async def returned(
        self, case: ReviewCase, *, fields: Mapping[str, str], reason: str, actor: Actor, now: datetime
    ) -> After:
        """With its provider, for correction; it keeps its place in the line and what its file has taken."""
        settlement = await Settlement.get(id=case.subject_id)
        if settlement.status not in UNDER_REVIEW:
            return nothing
        order = await Order.get(id=settlement.order_id)
        settlement = await settlement_book.change(
            settlement,
            status=SettlementStatus.RETURNED,
            amount_fen=0,
            reduced_fen=0,
            reduction_reason="",
            escrow_fen=0,
            escrow_back_fen=0,
            fee_fen=0,
            reason=reason,
        )
        await settlement_book.note(
            "settlement.returned", settlement, actor, now, reason=reason, fields=sorted(fields)
        )
        await settlement_book.tell(
            "settlement.returned",
            settlement,
            [settlement.provider_id],
            now=now,
            order_number=order.number,
            reason=reason,
        )
        return nothing
