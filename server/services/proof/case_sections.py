"""Case sections: what a case's file holds, section by section, and how one row is written.

Who gets what: the official side everything of the case; each party what it was told or handed in itself, and
nobody of the official side by name (GX-73). What is sealed stays sealed unless it is revealed, with a reason.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, StrEnum
from typing import Any

from tortoise.expressions import Q
from tortoise.models import Model

from server.models.complaints import Complaint, ComplaintEntry, OrderHold, SanctionProposal
from server.models.contracts import Contract
from server.models.disbursements import (
    BankAccount,
    HandOver,
    Payment,
    PaymentBatch,
    PaymentOffset,
    ResultFiling,
)
from server.models.documents import PrintedDocument, Signature
from server.models.files import FileAttachment, StoredFile
from server.models.ledger import LedgerEntry
from server.models.monitoring import AnomalyFinding
from server.models.orders import (
    CancellationRequest,
    Order,
    OrderAct,
    OrderPaper,
    PaymentReturnRequest,
    VoucherHold,
)
from server.models.organisations import Organisation, Qualification
from server.models.payment_holds import PaymentHold
from server.models.payments import Escrow, OwnPayment
from server.models.provider_standing import ProviderGrade, Removal, Suspension
from server.models.public_notices import NoticeLine, NoticeShowing, PublicNotice
from server.models.ratings import Rating
from server.models.relations import OrderFinding
from server.models.review_papers import InspectionForm, ReviewRecusal
from server.models.reviews import ReviewCase, ReviewDecision, ReviewObjection
from server.models.sampling import SampleAnswer, SamplingDraw, SamplingItem
from server.models.sanctions import (
    Recovery,
    RecoveryLine,
    RecoveryReceipt,
    RecoveryReturn,
    SanctionAppeal,
    SanctionCase,
    SanctionEffect,
    SanctionEntry,
    SanctionReferral,
)
from server.models.settlements import (
    RefundTask,
    Settlement,
    SettlementApplication,
    SettlementForm,
    SettlementPaper,
)
from server.models.supervision import (
    CallAttempt,
    CallBack,
    Inspection,
    InspectionFinding,
    InspectionSignature,
    InspectionVisit,
    RectificationTask,
    ServiceFileEntry,
)
from server.models.voucher_requests import VoucherRequest
from server.models.vouchers import Voucher
from server.programme.review import Sampled
from server.rules.disbursements import PaymentSource
from server.rules.hash_chain import instant
from server.rules.personal_data import MASK, without_numbers
from server.rules.review import Verdict
from server.services.proof.case_scope import CaseKind, CaseScope

PAGE = 500


class Audience(StrEnum):
    """Whose copy it is."""

    OFFICIAL = "official"
    """The operator, the authority, whoever supervises: everything."""
    THIRD_PARTY = "third_party"
    """Who inspects for them: what is inspected, and nothing of accounts, complaints and sanctions."""
    ENTERPRISE = "enterprise"
    PROVIDER = "provider"


BOTH = frozenset({Audience.ENTERPRISE, Audience.PROVIDER})
PROVIDER = frozenset({Audience.PROVIDER})
NOBODY: frozenset[Audience] = frozenset()


@dataclass(frozen=True, slots=True)
class Source:
    """The rows of one table that belong to a section, and which parties have them too."""

    model: type[Model]
    rows: Callable[[CaseScope], Q]
    parties: frozenset[Audience] = NOBODY


@dataclass(frozen=True, slots=True)
class Section:
    """One numbered part of the file; its title stands in ``texts.CASE_SECTIONS``."""

    code: str
    sources: Sequence[Source]


def _by(column: str, ids: str) -> Callable[[CaseScope], Q]:
    def narrowed(scope: CaseScope) -> Q:
        wanted: dict[str, Any] = {f"{column}__in": sorted(getattr(scope, ids))}
        return Q(**wanted)

    return narrowed


def _of_provider(column: str) -> Callable[[CaseScope], Q]:
    """Rows of the organisation itself, where the case is a provider's."""

    def narrowed(scope: CaseScope) -> Q:
        wanted: dict[str, Any] = {column: scope.id if scope.kind is CaseKind.PROVIDER else -1}
        return Q(**wanted)

    return narrowed


def _paid_from(source: PaymentSource) -> Callable[[CaseScope], Q]:
    """Payments from one source: what was an enterprise's own money, it sees, too."""

    def narrowed(scope: CaseScope) -> Q:
        return Q(id__in=sorted(scope.payments), source=source)

    return narrowed


def _own_lines(scope: CaseScope) -> Q:
    """What was found on the case's own lines: of the others on a list there is the list alone."""
    of_case = Q(item__draw__over=Sampled.REVIEW, item__row_id__in=sorted(scope.reviews))
    of_order = Q(item__draw__over=Sampled.ORDER, item__row_id__in=sorted(scope.orders))
    return Q(Q(of_case, of_order, join_type=Q.OR), item__draw_id__in=sorted(scope.draws))


SECTIONS: tuple[Section, ...] = (
    Section(
        "parties",
        (
            Source(Organisation, _by("id", "organisations"), BOTH),
            Source(Qualification, _by("id", "qualifications")),
            Source(Suspension, _by("qualification_id", "qualifications")),
            Source(Removal, _by("qualification_id", "qualifications")),
            Source(ProviderGrade, _by("qualification_id", "qualifications")),
        ),
    ),
    Section(
        "order",
        (
            Source(
                Order,
                lambda scope: Q(
                    _by("id", "orders")(scope), _of_provider("provider_id")(scope), join_type=Q.OR
                ),
                BOTH,
            ),
            Source(Contract, _by("id", "contracts"), BOTH),
            Source(OrderAct, _by("order_id", "orders"), BOTH),
            Source(OrderPaper, _by("order_id", "orders"), BOTH),
            Source(Signature, _by("order_id", "orders"), BOTH),
            Source(PrintedDocument, _by("order_id", "orders"), BOTH),
            Source(Voucher, _by("id", "vouchers"), frozenset({Audience.ENTERPRISE})),
            Source(VoucherHold, _by("order_id", "orders"), BOTH),
            Source(VoucherRequest, _by("id", "requests"), BOTH),
            Source(CancellationRequest, _by("order_id", "orders"), BOTH),
            Source(PaymentReturnRequest, _by("order_id", "orders"), BOTH),
            Source(OrderFinding, _by("order_id", "orders")),
            Source(Rating, _by("order_id", "orders")),
        ),
    ),
    Section(
        "settlement",
        (
            Source(SettlementApplication, _by("id", "applications"), PROVIDER),
            Source(Settlement, _by("id", "settlements"), PROVIDER),
            Source(SettlementPaper, _by("application_id", "applications"), PROVIDER),
            Source(SettlementForm, _by("application_id", "applications"), PROVIDER),
            Source(RefundTask, _by("order_id", "orders"), BOTH),
            Source(PaymentHold, _by("order_id", "orders")),
            Source(AnomalyFinding, _by("order_id", "orders")),
            Source(OrderHold, _by("order_id", "orders")),
        ),
    ),
    Section(
        "review",
        (
            Source(ReviewCase, _by("id", "reviews")),
            Source(ReviewDecision, _by("case_id", "reviews"), BOTH),
            Source(ReviewRecusal, _by("case_id", "reviews")),
            Source(InspectionForm, _by("case_id", "reviews")),
        ),
    ),
    Section(
        "sampling",
        (
            Source(SamplingDraw, _by("id", "draws")),
            Source(SamplingItem, _by("draw_id", "draws")),
            Source(SampleAnswer, _own_lines),
        ),
    ),
    Section(
        "notice",
        (
            Source(PublicNotice, _by("id", "notices"), BOTH),
            Source(NoticeShowing, _by("notice_id", "notices"), BOTH),
            Source(NoticeLine, _by("case_id", "reviews"), PROVIDER),
            Source(ReviewObjection, _by("case_id", "reviews")),
        ),
    ),
    Section(
        "payment",
        (
            Source(OwnPayment, _by("order_id", "orders"), BOTH),
            Source(Escrow, _by("order_id", "orders"), BOTH),
            Source(PaymentBatch, _by("id", "batches")),
            Source(Payment, _paid_from(PaymentSource.BUDGET), PROVIDER),
            Source(Payment, _paid_from(PaymentSource.ESCROW), BOTH),
            Source(PaymentOffset, _by("payment_id", "payments"), PROVIDER),
            Source(BankAccount, _by("id", "accounts"), PROVIDER),
            Source(ResultFiling, _by("batch_id", "batches")),
            Source(HandOver, _by("batch_id", "batches")),
        ),
    ),
    Section("ledger", (Source(LedgerEntry, _by("order_id", "orders"), BOTH),)),
    Section(
        "complaint",
        (
            Source(Complaint, _by("id", "complaints")),
            Source(ComplaintEntry, _by("complaint_id", "complaints")),
            Source(SanctionProposal, _by("complaint_id", "complaints")),
        ),
    ),
    Section(
        "sanction",
        (
            Source(SanctionCase, _by("id", "sanctions")),
            Source(SanctionEntry, _by("case_id", "sanctions")),
            Source(SanctionEffect, _by("case_id", "sanctions")),
            Source(SanctionAppeal, _by("case_id", "sanctions")),
            Source(SanctionReferral, _by("case_id", "sanctions")),
            Source(Recovery, _by("id", "recoveries")),
            Source(RecoveryLine, _by("recovery_id", "recoveries")),
            Source(RecoveryReceipt, _by("recovery_id", "recoveries")),
            Source(RecoveryReturn, _by("recovery_id", "recoveries")),
        ),
    ),
    Section(
        "supervision",
        (
            Source(Inspection, _by("id", "inspections")),
            Source(InspectionSignature, _by("inspection_id", "inspections")),
            Source(InspectionVisit, _by("id", "visits")),
            Source(InspectionFinding, _by("visit_id", "visits")),
            Source(RectificationTask, _by("id", "rectifications")),
            Source(CallBack, _by("id", "calls")),
            Source(CallAttempt, _by("call_id", "calls")),
            Source(ServiceFileEntry, _of_provider("provider_id")),
        ),
    ),
    Section("evidence", (Source(StoredFile, lambda scope: Q(id=-1)),)),
)
"""In the order of their numbers. The files of the last are found by :func:`files_of`."""

INSPECTED = frozenset(
    {"parties", "order", "settlement", "review", "sampling", "notice", "supervision", "evidence"}
)
"""Sections of a third party's copy."""
OFFICIALS_OWN = frozenset(
    {
        *("actor", "person_id", "signer", "snapshot", "checks", "extras", "score", "uploaded_by"),
        *("reviewer_id", "reviewer_name", "claimed_at", "draw_id", "flagged", "rank_ms", "behind"),
    }
)
"""Columns that no party's copy has: who the people are, and what was noted for the official side alone."""

OF_THE_OTHER = frozenset({"id", "uscc", "name", "area"})
"""What a side's copy has of another organisation: who it is, and none of its figures or declarations."""


@dataclass(frozen=True, slots=True)
class Copy:
    """Whose copy of a case it is; ``organisation_id`` is the side's.

    ``opened`` opens what is sealed; ``None``: it stays masked.
    """

    audience: Audience = Audience.OFFICIAL
    organisation_id: int | None = None
    opened: Callable[[str], str] | None = None

    @property
    def is_side(self) -> bool:
        """Whether it is the copy of a side of the order."""
        return self.audience in BOTH

    def has(self, section: Section, source: Source) -> bool:
        """Whether a table belongs into this copy."""
        if self.is_side:
            return self.audience in source.parties
        return self.audience is Audience.OFFICIAL or section.code in INSPECTED


async def rows_of(source: Source, scope: CaseScope, copy: Copy) -> AsyncIterator[dict[str, Any]]:
    """The rows of a table in a case, by id, each as a document; read in pages."""
    wanted, last = source.rows(scope), 0
    if copy.is_side and source.model is ReviewDecision:
        # Each side has what was decided of its own requests, and nothing of the other's.
        wanted &= Q(case__organisation_id=copy.organisation_id)
    while True:
        page = await source.model.filter(wanted, id__gt=last).order_by("id").limit(PAGE)
        for row in page:
            # What single experts said is told to nobody but who decides (GZ-40).
            if not copy.is_side or getattr(row, "verdict", None) is not Verdict.OPINION:
                yield told(row, copy)
        if len(page) < PAGE:
            return
        last = page[-1].pk


def told(row: Model, copy: Copy) -> dict[str, Any]:
    """A row as a document: instants and days as texts, personal data masked or opened."""
    said: dict[str, Any] = {}
    is_other = copy.is_side and isinstance(row, Organisation) and row.id != copy.organisation_id
    for column in sorted(row._meta.fields_db_projection):
        # A seed is told when it is published, and by nobody before.
        if column.endswith("_index") or column == "sealed_seed":
            continue
        if copy.is_side and (column in OFFICIALS_OWN or column.endswith("_by")):
            continue
        if is_other and column not in OF_THE_OTHER:
            continue
        value = getattr(row, column)
        if column.endswith("_sealed") or column.startswith("sealed_"):
            said[column.removesuffix("_sealed").removeprefix("sealed_")] = _opened(value, copy)
        else:
            said[column] = _written(value, copy)
    return said


async def files_of(scope: CaseScope, copy: Copy) -> list[StoredFile]:
    """Every file handed in with anything of the case, by id, that this copy may hold."""
    ids: set[int] = set()
    papers = await OrderPaper.filter(order_id__in=scope.orders)
    ids |= {one for paper in papers for one in paper.files}
    printed = await PrintedDocument.filter(order_id__in=scope.orders)
    ids |= {one.file_id for one in printed}
    subjects = [f"order_paper:{paper.id}" for paper in papers]
    if copy.audience is not Audience.ENTERPRISE:
        settled = await SettlementPaper.filter(application_id__in=scope.applications)
        ids |= {one for paper in settled for one in paper.files}
        printed_forms = await SettlementForm.filter(application_id__in=scope.applications)
        ids |= {form.file_id for form in printed_forms}
        subjects += [f"settlement_paper:{paper.id}" for paper in settled]
    if copy.audience is Audience.OFFICIAL:
        subjects += scope.subjects()
        for entry in await SanctionEntry.filter(case_id__in=scope.sanctions):
            ids |= set(entry.files)
        forms = await InspectionForm.filter(case_id__in=scope.reviews, paper_id__isnull=False)
        ids |= {form.paper_id for form in forms if form.paper_id is not None}
        for filing in await ResultFiling.filter(batch_id__in=scope.batches):
            ids |= set(filing.files)
        for payment in await Payment.filter(id__in=scope.payments):
            ids |= {one for one in (payment.receipt_file, payment.return_file) if one is not None}
    attached = await FileAttachment.filter(subject__in=subjects)
    ids |= {one.file_id for one in attached}
    return await StoredFile.filter(id__in=ids).order_by("id")


def _opened(value: str, copy: Copy) -> str:
    if not value:
        return ""
    return copy.opened(value) if copy.opened is not None else MASK


def _written(value: Any, copy: Copy) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): _written(inner, copy) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_written(inner, copy) for inner in value]
    if isinstance(value, str) and copy.opened is None:
        # Words that people wrote may hold a number all the same.
        return without_numbers(value)
    return value if isinstance(value, bool | int | float | str | None) else str(value)
