"""Requests under review: what the review engine shows of a request, and what follows from its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from server import texts
from server.errors import Refusal
from server.models.contracts import VoucherRequest
from server.models.organisations import Organisation
from server.models.reviews import ReviewCase
from server.programme.registry import Programmes
from server.programme.vocabulary import Party
from server.rules.contracts import ContractStatus
from server.rules.deduction import Deduction
from server.rules.lifecycles import QualificationAct
from server.rules.quota import QuotaExceeded
from server.rules.request_line import RequestStatus
from server.rules.review import Check
from server.services import files, request_issuing
from server.services.access import Actor
from server.services.contract_lists import PAPER, subject_of
from server.services.draws import ContractNotSigned
from server.services.request_book import move, note, require_something, worked_out
from server.services.reviewed import After, nothing
from server.services.standings import (
    barred_unmet,
    require_not_barred,
    require_standing,
    standing_unmet,
)
from server.units import yuan


class AmountImpossible(Refusal):
    """An amount worked out that is no whole number of fen above nothing."""

    status, code = 422, "amount_impossible"


class ReviewedRequests:
    """Requests as the review engine knows them."""

    def __init__(self, programmes: Programmes) -> None:
        self.programmes = programmes

    async def snapshot(self, case: ReviewCase) -> dict[str, Any]:
        """The request and its contract."""
        request = await VoucherRequest.get(id=case.subject_id).select_related("contract")
        contract = request.contract
        papers = await files.of(subject_of(contract))
        return {
            "round": request.round_id,
            "requested_at": request.requested_at.isoformat(),
            "labels": request.labels,
            "expected_fen": request.expected_fen,
            "arithmetic": request.arithmetic,
            "contract": {
                "id": contract.id,
                "number": contract.number,
                "project": contract.project,
                "category": contract.category,
                "amount_fen": contract.amount_fen,
                "signed_on": str(contract.signed_on),
                "enterprise_name": contract.enterprise_name,
                "provider_name": contract.provider_name,
                "provider_uscc": contract.provider_uscc,
                "files": [file.id for file in papers.get(PAPER, [])],
            },
        }

    async def checks(self, case: ReviewCase, *, now: datetime) -> Sequence[Check]:
        """Whether the contract is signed, the enterprise in standing, and what the rules give."""
        request = await VoucherRequest.get(id=case.subject_id).select_related("contract", "round")
        programme = self.programmes.version(case.programme_slug, case.programme_version)
        enterprise = await Organisation.get(id=request.enterprise_id)
        paid = await worked_out(programme, request.round.budget_id, request.contract)
        signed = request.contract.status is ContractStatus.SIGNED
        unmet = await standing_unmet(
            programme, enterprise, Party.ENTERPRISE, QualificationAct.OBTAIN_VOUCHERS, now=now
        )
        barred = await barred_unmet(programme, request.contract.provider_uscc, now=now)
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

    async def passed(
        self, case: ReviewCase, *, extras: Mapping[str, Any], actor: Actor, now: datetime
    ) -> After:
        """Approved, with ``extras["amount_fen"]`` as the operator worked it out, or what the rules give.

        Raises :class:`AmountImpossible`, ``QuotaExceeded`` (more than the rules give), ``NothingToPay``,
        ``ContractNotSigned``, ``NotInStanding``.
        """
        request = await VoucherRequest.get(id=case.subject_id).select_related("contract", "round")
        programme = self.programmes.version(case.programme_slug, case.programme_version)
        contract = request.contract
        if contract.status is not ContractStatus.SIGNED:
            raise ContractNotSigned(clause=programme.contract.article, number=contract.number)
        await require_standing(
            programme,
            await Organisation.get(id=request.enterprise_id),
            Party.ENTERPRISE,
            QualificationAct.OBTAIN_VOUCHERS,
            now=now,
        )
        await require_not_barred(programme, contract.provider_uscc, contract.provider_name, now=now)
        paid = await worked_out(programme, request.round.budget_id, contract)
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
        await request_issuing.issue_due(programme, request.round_id, actor=actor, now=now)
        return nothing

    async def refused(self, case: ReviewCase, *, reason: str, actor: Actor, now: datetime) -> After:
        """Turned down; what it kept set aside is free for those behind it."""
        programme = self.programmes.version(case.programme_slug, case.programme_version)
        request = await VoucherRequest.get(id=case.subject_id)
        request = await move(request, RequestStatus.REFUSED, reason=reason, decided_at=now)
        await note("voucher_request.refused", request, programme, actor, now, reason=reason)
        await request_issuing.issue_due(programme, request.round_id, actor=actor, now=now)
        return nothing

    async def returned(
        self, case: ReviewCase, *, fields: Mapping[str, str], reason: str, actor: Actor, now: datetime
    ) -> After:
        """Sent back; until it is answered it keeps its place and sets nothing aside."""
        programme = self.programmes.version(case.programme_slug, case.programme_version)
        request = await VoucherRequest.get(id=case.subject_id)
        request = await move(request, RequestStatus.RETURNED, reason=reason)
        await note("voucher_request.returned", request, programme, actor, now, fields=sorted(fields))
        await request_issuing.issue_due(programme, request.round_id, actor=actor, now=now)
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
