"""Case scope: which rows belong to one case, whatever it is called by.

A settlement, an order, a complaint, a sanction or a provider is named as the journal names it
(``settlement:5``); from there everything is found that was decided, paid, shown or said about it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from tortoise.models import Model

from server.errors import Refusal
from server.models.complaints import Complaint
from server.models.disbursements import Payment
from server.models.monitoring import AnomalyFinding
from server.models.orders import Order, PaymentReturnRequest, VoucherHold
from server.models.organisations import Organisation, Qualification
from server.models.payment_holds import PaymentHold
from server.models.public_notices import NoticeLine
from server.models.reviews import ReviewCase
from server.models.sampling import SamplingDraw, SamplingItem
from server.models.sanctions import Recovery, RecoveryLine, SanctionCase, SanctionEffect
from server.models.settlements import Settlement
from server.models.supervision import CallBack, InspectionVisit, RectificationTask
from server.models.voucher_requests import VoucherRequest
from server.programme.review import ReviewSubject, Sampled
from server.rules.complaints import SubjectKind
from server.services.access import NotFound


class CaseKind(StrEnum):
    """What a case can be called by."""

    SETTLEMENT = "settlement"
    ORDER = "order"
    COMPLAINT = "complaint"
    SANCTION = "sanction"
    PROVIDER = "provider"


class CaseNameUnusable(Refusal):
    """Not of the form ``settlement:5``, or of a kind that has no file."""

    status, code = 422, "case_name_unusable"


Ids = set[int]


@dataclass(slots=True)
class CaseScope:
    """The ids of everything in one case, by the name of what they are."""

    kind: CaseKind
    id: int
    programme_slug: str = ""
    programme_version: str = ""
    number: str = ""
    title: str = ""
    areas: set[str] = field(default_factory=set)
    """Where its organisations are registered."""
    organisations: Ids = field(default_factory=set)
    orders: Ids = field(default_factory=set)
    settlements: Ids = field(default_factory=set)
    applications: Ids = field(default_factory=set)
    contracts: Ids = field(default_factory=set)
    vouchers: Ids = field(default_factory=set)
    requests: Ids = field(default_factory=set)
    reviews: Ids = field(default_factory=set)
    notices: Ids = field(default_factory=set)
    draws: Ids = field(default_factory=set)
    payments: Ids = field(default_factory=set)
    batches: Ids = field(default_factory=set)
    accounts: Ids = field(default_factory=set)
    complaints: Ids = field(default_factory=set)
    sanctions: Ids = field(default_factory=set)
    recoveries: Ids = field(default_factory=set)
    qualifications: Ids = field(default_factory=set)
    holds: Ids = field(default_factory=set)
    anomalies: Ids = field(default_factory=set)
    inspections: Ids = field(default_factory=set)
    visits: Ids = field(default_factory=set)
    rectifications: Ids = field(default_factory=set)
    calls: Ids = field(default_factory=set)

    @property
    def name(self) -> str:
        """As the journal would name it."""
        return f"{self.kind}:{self.id}"

    def subjects(self) -> list[str]:
        """The subjects of the journal that tell of it, sorted.

        Organisations stay out unless the case is one: what one did elsewhere is not of this case.
        """
        of = {
            "order": self.orders,
            "settlement": self.settlements,
            "settlement_application": self.applications,
            "review": self.reviews,
            "voucher": self.vouchers,
            "voucher_request": self.requests,
            "notice": self.notices,
            "draw": self.draws,
            "payment_hold": self.holds,
            "anomaly": self.anomalies,
            "inspection": self.inspections,
            "inspection_visit": self.visits,
            "rectification": self.rectifications,
            "payment": self.payments,
            "payment_batch": self.batches,
            "bank_account": self.accounts,
            "complaint": self.complaints,
            "sanction": self.sanctions,
            "recovery": self.recoveries,
            "qualification": self.qualifications,
            "organisation": {self.id} if self.kind is CaseKind.PROVIDER else set(),
        }
        return sorted(f"{prefix}:{one}" for prefix, ids in of.items() for one in ids)

    async def leave_out_the_mailbox(self) -> None:
        """Complaints that went past everybody stay with whom they were for; one asked for is not found."""
        readable = await _ids(Complaint, id__in=self.complaints, sealed=False)
        if self.kind is CaseKind.COMPLAINT and self.id not in readable:
            raise NotFound()
        self.complaints = readable


def named(text: str) -> tuple[CaseKind, int]:
    """``settlement:5`` taken apart. Raises :class:`CaseNameUnusable`."""
    kind, _, number = text.partition(":")
    if kind not in CaseKind.__members__.values() or not (number.isascii() and number.isdigit()):
        raise CaseNameUnusable(given=text[:40])
    if not 0 < len(number) < 19:
        raise CaseNameUnusable(given=text[:40])
    return CaseKind(kind), int(number)


async def scope_of(kind: CaseKind, row_id: int) -> CaseScope:
    """Everything in a case. Raises ``NotFound`` where there is no such row."""
    scope = CaseScope(kind, row_id)
    begin = {
        CaseKind.SETTLEMENT: _of_settlement,
        CaseKind.ORDER: _of_order,
        CaseKind.COMPLAINT: _of_complaint,
        CaseKind.SANCTION: _of_sanction,
        CaseKind.PROVIDER: _of_provider,
    }[kind]
    await begin(scope)
    if kind is not CaseKind.PROVIDER:
        await _around_orders(scope)
    await _around_reviews(scope)
    await _around_visits(scope)
    scope.areas = {
        str(area)
        for area in await Organisation.filter(id__in=scope.organisations).values_list("area", flat=True)
    }
    return scope


# -- where a case begins -----------------------------------------------------------------------------


async def _of_settlement(scope: CaseScope) -> None:
    settlement = await Settlement.get_or_none(id=scope.id).select_related("application")
    if settlement is None:
        raise NotFound()
    scope.settlements.add(settlement.id)
    scope.orders.add(settlement.order_id)
    scope.programme_slug = settlement.programme_slug
    scope.programme_version = settlement.application.programme_version
    scope.number = settlement.number


async def _of_order(scope: CaseScope) -> None:
    order = await Order.get_or_none(id=scope.id)
    if order is None:
        raise NotFound()
    scope.orders.add(order.id)
    scope.programme_slug, scope.programme_version = order.programme_slug, order.programme_version
    scope.number = order.number


async def _of_complaint(scope: CaseScope) -> None:
    complaint = await Complaint.get_or_none(id=scope.id)
    if complaint is None:
        raise NotFound()
    scope.complaints.add(complaint.id)
    if complaint.accused_id is not None:
        scope.organisations.add(complaint.accused_id)
    if complaint.subject is SubjectKind.ORDER and complaint.subject_id is not None:
        scope.orders.add(complaint.subject_id)
    scope.programme_slug, scope.programme_version = complaint.programme_slug, complaint.programme_version
    scope.number = complaint.number


async def _of_sanction(scope: CaseScope) -> None:
    case = await SanctionCase.get_or_none(id=scope.id)
    if case is None:
        raise NotFound()
    scope.sanctions.add(case.id)
    scope.organisations.add(case.against_id)
    scope.orders |= set(case.orders or ())
    scope.vouchers |= set(case.vouchers or ())
    scope.programme_slug, scope.programme_version = case.programme_slug, case.programme_version
    scope.number = case.number


async def _of_provider(scope: CaseScope) -> None:
    organisation = await Organisation.get_or_none(id=scope.id)
    if organisation is None:
        raise NotFound()
    scope.organisations.add(organisation.id)
    scope.number, scope.title = organisation.uscc, organisation.name
    scope.qualifications = await _ids(Qualification, organisation_id=scope.id)
    scope.reviews = await _ids(
        ReviewCase,
        organisation_id=scope.id,
        subject__in=[ReviewSubject.PROVIDER, ReviewSubject.PROVIDER_GRADE, ReviewSubject.REMOVAL],
    )
    scope.complaints = await _ids(Complaint, accused_id=scope.id)
    scope.sanctions = await _ids(SanctionCase, against_id=scope.id)
    scope.recoveries = await _ids(Recovery, debtor_id=scope.id)
    scope.visits = await _ids(InspectionVisit, organisation_id=scope.id)
    scope.calls = await _ids(CallBack, provider_id=scope.id)


# -- and what hangs on it ----------------------------------------------------------------------------


async def _around_orders(scope: CaseScope) -> None:
    orders = await Order.filter(id__in=scope.orders)
    for order in orders:
        scope.organisations |= {order.enterprise_id, order.provider_id}
        scope.contracts |= {order.contract_id} if order.contract_id is not None else set()
        scope.title = scope.title or order.project
        scope.programme_slug = scope.programme_slug or order.programme_slug
        scope.programme_version = scope.programme_version or order.programme_version
    settlements = await Settlement.filter(order_id__in=scope.orders)
    scope.settlements |= {one.id for one in settlements}
    scope.applications |= {one.application_id for one in settlements}
    held = await VoucherHold.filter(order_id__in=scope.orders).values_list("voucher_id", flat=True)
    scope.vouchers |= set(_numbers(held))
    scope.requests = await _ids(VoucherRequest, order_id__in=scope.orders)
    for subject, ids in (
        (ReviewSubject.SETTLEMENT, scope.settlements),
        (ReviewSubject.VOUCHER_REQUEST, scope.requests),
        (ReviewSubject.CANCELLATION, scope.orders),
        (ReviewSubject.PAYMENT_RETURN, await _ids(PaymentReturnRequest, order_id__in=scope.orders)),
    ):
        scope.reviews |= await _ids(ReviewCase, subject=subject, subject_id__in=ids)
    for payment in await Payment.filter(order_id__in=scope.orders):
        scope.payments.add(payment.id)
        scope.batches.add(payment.batch_id)
        if payment.account_id is not None:
            scope.accounts.add(payment.account_id)
    scope.holds = await _ids(PaymentHold, order_id__in=scope.orders)
    scope.anomalies = await _ids(AnomalyFinding, order_id__in=scope.orders)
    scope.visits = await _ids(InspectionVisit, order_id__in=scope.orders)
    scope.calls = await _ids(CallBack, order_id__in=scope.orders)
    scope.complaints |= await _ids(Complaint, subject=SubjectKind.ORDER, subject_id__in=scope.orders)
    named_in = [f"order:{one}" for one in scope.orders] + [f"settlement:{one}" for one in scope.settlements]
    hit = await SanctionEffect.filter(subject__in=named_in).values_list("case_id", flat=True)
    scope.sanctions |= set(_numbers(hit))
    claimed = await RecoveryLine.filter(order_id__in=scope.orders).values_list("recovery_id", flat=True)
    scope.recoveries |= set(_numbers(claimed))


async def _around_reviews(scope: CaseScope) -> None:
    shown = NoticeLine.filter(case_id__in=scope.reviews, notice_id__isnull=False)
    scope.notices = set(_numbers(await shown.values_list("notice_id", flat=True)))
    drawn = ReviewCase.filter(id__in=scope.reviews, draw_id__isnull=False)
    scope.draws = set(_numbers(await drawn.values_list("draw_id", flat=True)))
    # Draws over orders list the order itself.
    listed = SamplingItem.filter(row_id__in=scope.orders).values_list("draw_id", flat=True)
    scope.draws |= await _ids(SamplingDraw, id__in=set(_numbers(await listed)), over=Sampled.ORDER)


async def _around_visits(scope: CaseScope) -> None:
    """What supervision saw of it: the inspection each visit was of, and what was to be put right after it."""
    of = InspectionVisit.filter(id__in=scope.visits).values_list("inspection_id", flat=True)
    scope.inspections = set(_numbers(await of))
    scope.rectifications = await _ids(RectificationTask, finding__visit_id__in=scope.visits)


def _numbers(values: Iterable[object]) -> list[int]:
    return [one for one in values if isinstance(one, int)]


async def _ids(model: type[Model], **narrowed: object) -> Ids:
    return set(_numbers(await model.filter(**narrowed).values_list("id", flat=True)))
