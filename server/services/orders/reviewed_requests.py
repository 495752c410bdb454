"""Requests under review: what the review engine shows of a request, and what follows from its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from server import texts
from server.errors import Refusal
from server.models.contracts import Contract
from server.models.organisations import Organisation
from server.models.reviews import ReviewCase
from server.models.voucher_requests import VoucherRequest
from server.programme.registry import Programmes
from server.programme.steps import StepKind
from server.programme.vocabulary import Party
from server.rules.contracts import ContractStatus
from server.rules.deduction import Deduction
from server.rules.lifecycles import QualificationAct
from server.rules.quota import QuotaExceeded
from server.rules.request_line import RequestStatus
from server.rules.review import Check
from server.services.access import Actor
from server.services.admissions.standings import (
    barred_unmet,
    require_not_barred,
    require_standing,
    standing_unmet,
)
from server.services.afterwards import After, nothing
from server.services.orders import order_papers, request_issuing
from server.services.orders.orders import Orders
from server.services.orders.request_book import move, note, require_something, worked_out
from server.services.orders.reviewed_orders import sides_of
from server.services.reviews.reviewed import ArrivesQuietly
from server.units import yuan

CONTRACT = "contract"
"""The field a reviewer names when the contract itself is to be made anew."""


class ContractNotSigned(Refusal):
    """The contract is not signed, or has come to nothing."""

    status, code = 409, "contract_not_signed"


class AmountImpossible(Refusal):
    """An amount worked out that is no whole number of fen above nothing."""

    status, code = 422, "amount_impossible"


class ReviewedRequests(ArrivesQuietly):
    """Requests as the review engine knows them."""

    def __init__(self, programmes: Programmes, orders: Orders) -> None:
        self.programmes = programmes
        self.orders = orders

    async def sides(self, case: ReviewCase) -> frozenset[str]:
        """Both sides of the contract."""
        return await sides_of((await VoucherRequest.get(id=case.subject_id).select_related("order")).order)

    async def snapshot(self, case: ReviewCase) -> dict[str, Any]:
        """The request and its contract."""
        request = await VoucherRequest.get(id=case.subject_id).select_related("order__provider")
        order = request.order
        contract = await Contract.get(id=order.contract_id)
        papers = await order_papers.of_order(order.id)
        return {
            "round": request.round_id,
            "requested_at": request.requested_at.isoformat(),
            "labels": request.labels,
            "expected_fen": request.expected_fen,
            "arithmetic": request.arithmetic,
            "order": {"id": order.id, "number": order.number, "project": order.project},
            "contract": {
                "id": contract.id,
                "number": contract.number,
                "category": order.category,
                "amount_fen": contract.amount_fen,
                "signed_on": str(contract.signed_on),
                "enterprise_name": contract.enterprise_name,
                "provider_name": contract.provider_name,
                "provider_uscc": order.provider.uscc,
                "files": [file for paper in papers for file in paper.files],
            },
        }

    async def checks(self, case: ReviewCase, *, now: datetime) -> Sequence[Check]:
        """Whether the contract is signed, the enterprise in standing, and what the rules give."""
        request = await VoucherRequest.get(id=case.subject_id).select_related(
            "order__contract", "order__provider", "round"
        )
        programme = self.programmes.version(case.programme_slug, case.programme_version)
        enterprise = await Organisation.get(id=request.enterprise_id)
        paid = await worked_out(programme, request.round.budget_id, request.order)
        signed = _signed(request)
        unmet = await standing_unmet(
            programme, enterprise, Party.ENTERPRISE, QualificationAct.OBTAIN_VOUCHERS, now=now
        )
        barred = await barred_unmet(programme, request.order.provider.uscc, now=now)
        says = texts.REQUEST_CHECKS
        return (
            Check("contract_signed", programme.contract.article, says["contract_signed"], signed),
            Check(
                "amount",
                paid.clause,
                says["amount"].format(amount=yuan(paid.amount_fen)),
                paid.amount_fen > 0,
                paid.arithmetic,
            ),
            *(Check(one.code, one.clause, one.message, False, one.arithmetic) for one in (*unmet, *barred)),
        )

    async def require_usable(self, case: ReviewCase, extras: Mapping[str, Any], *, reason: str) -> None:
        """The amount that somebody works out can be."""
        request = await VoucherRequest.get(id=case.subject_id).select_related("order__contract", "round")
        programme = self.programmes.version(case.programme_slug, case.programme_version)
        paid = await worked_out(programme, request.round.budget_id, request.order)
        _determined(paid, extras.get("amount_fen"))

    async def passed(
        self, case: ReviewCase, *, extras: Mapping[str, Any], actor: Actor, now: datetime
    ) -> After:
        """Approved, with ``extras["amount_fen"]`` as the operator worked it out, or what the rules give.

        Raises :class:`AmountImpossible`, ``QuotaExceeded`` (more than the rules give), ``NothingToPay``,
        ``ContractNotSigned``, ``NotInStanding``.
        """
        request = await VoucherRequest.get(id=case.subject_id).select_related(
            "order__contract", "order__provider", "round"
        )
        programme = self.programmes.version(case.programme_slug, case.programme_version)
        if not _signed(request):
            raise ContractNotSigned(clause=programme.contract.article, number=request.order.number)
        await require_standing(
            programme,
            await Organisation.get(id=request.enterprise_id),
            Party.ENTERPRISE,
            QualificationAct.OBTAIN_VOUCHERS,
            now=now,
        )
        provider = request.order.provider
        await require_not_barred(programme, provider.uscc, provider.name, now=now)
        paid = await worked_out(programme, request.round.budget_id, request.order)
        require_something(paid)
        amount_fen = _determined(paid, extras.get("amount_fen"))
        request = await move(
            request,
            RequestStatus.APPROVED,
            amount_fen=amount_fen,
            clause=paid.clause,
            arithmetic=paid.arithmetic,
            decided_at=now,
        )
        await note("voucher_request.approved", request, programme, actor, now, amount_fen=amount_fen)
        await request_issuing.issue_due(programme, request.round_id, self.orders, actor=actor, now=now)
        return nothing

    async def refused(self, case: ReviewCase, *, reason: str, actor: Actor, now: datetime) -> After:
        """Turned down; what it kept set aside is free for those behind it."""
        programme = self.programmes.version(case.programme_slug, case.programme_version)
        request = await VoucherRequest.get(id=case.subject_id).select_related("order")
        order = request.order
        request = await move(request, RequestStatus.REFUSED, reason=reason, decided_at=now)
        await note("voucher_request.refused", request, programme, actor, now, reason=reason)
        await self.orders.back_to(order, StepKind.REQUEST_VOUCHER, reason=reason, actor=actor, now=now)
        await request_issuing.issue_due(programme, request.round_id, self.orders, actor=actor, now=now)
        return nothing

    async def returned(
        self, case: ReviewCase, *, fields: Mapping[str, str], reason: str, actor: Actor, now: datetime
    ) -> After:
        """Sent back; until it is answered it keeps its place and sets nothing aside.

        Where the contract itself is found wanting, the order goes back to the contract.
        """
        programme = self.programmes.version(case.programme_slug, case.programme_version)
        request = await VoucherRequest.get(id=case.subject_id).select_related("order")
        order = request.order
        request = await move(request, RequestStatus.RETURNED, reason=reason)
        await note("voucher_request.returned", request, programme, actor, now, fields=sorted(fields))
        to = programme.order_steps[0].kind if CONTRACT in fields else StepKind.REQUEST_VOUCHER
        await self.orders.back_to(order, to, reason=reason, actor=actor, now=now)
        await request_issuing.issue_due(programme, request.round_id, self.orders, actor=actor, now=now)
        return nothing


def _determined(paid: Deduction, asked: object) -> int:
    """What the operator worked out; it may be less than the rules give, never more."""
    if asked is None:
        return paid.amount_fen
    if type(asked) is not int or asked <= 0:
        raise AmountImpossible()
    if asked > paid.amount_fen:
        raise QuotaExceeded(
            clause=paid.clause,
            arithmetic=paid.arithmetic,
            asked=yuan(asked),
            most=yuan(paid.amount_fen),
        )
    return asked


def _signed(request: VoucherRequest) -> bool:
    contract = request.order.contract
    return contract is not None and contract.status is ContractStatus.SIGNED
