"""Payment batches over HTTP: drawn up, approved, sent to the bank; and what providers see of them."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from server.handlers.api import Answer, Media, Routes, person_or_staff, staff
from server.handlers.bank_accounts import REASON
from server.handlers.disbursement_views import (
    SOURCE,
    BatchDetail,
    BatchDrafted,
    BatchView,
    PlanView,
    SummaryInvoiceView,
    TransferView,
    bank_file,
    batch_of,
    invoice_of,
    plan_of,
    transfer_of,
)
from server.handlers.paging import AfterId, NextPage, next_page
from server.handlers.parsing import Body, Id, Path, Query, SeenVersion
from server.keys import DISBURSEMENTS
from server.programme.registry import UnknownProgramme
from server.rules.disbursements import BatchStatus, PaymentSource
from server.rules.lifecycles import IllegalMove
from server.rules.review import ReasonMissing
from server.services.access import Actor, NoOrganisation, NotFound
from server.services.budgets.budgets import BudgetTooSmall
from server.services.disbursements import (
    archives,
    disbursement_book,
    offsets,
    payment_lists,
    summary_invoices,
)
from server.services.disbursements.bank_files import BankFormat
from server.services.disbursements.batch_sending import BankTemplateUnknown, BatchAltered, BatchNotSent
from server.services.disbursements.disbursement_book import (
    PAYERS,
    READERS,
    ArchiveClosed,
    BatchMovedOn,
    NotYourDisbursement,
    SameHands,
)
from server.services.disbursements.offsets import OffsetsChanged
from server.services.disbursements.payable_budget import BooksDiffer
from server.services.disbursements.payment_batches import (
    AccountsChanged,
    BatchUnderWay,
    NothingPayable,
    PaymentNotInDraft,
    SettlementsHeld,
)
from server.services.disbursements.summary_invoices import SummaryInvoiceMissing
from server.services.reviews.reviewers import OwnReview
from server.services.reviews.reviews import CaseMovedOn
from server.services.settlements.settlement_book import SettlementMovedOn
from server.services.vouchers.order_purse import YearNotOpen

routes = Routes("disbursements")

PAGE = 50
PROGRAMME = "The programme. | 项目代码。"
YEAR = "The programme year in whose books the money stands. | 年度。"
BATCH_REFUSALS = (NotYourDisbursement, ReasonMissing, OwnReview, BatchMovedOn, IllegalMove, ArchiveClosed,
                  SettlementMovedOn, NotFound)  # fmt: skip


class BatchPath(Path):
    """A batch."""

    batch_id: Id = Field(description="The batch. | 批次编号。")


class TransferPath(Path):
    """A payment."""

    transfer_id: Id = Field(description="The payment. | 付款记录编号。")


class LeaveOut(Body):
    """A settlement that is not to be paid now, and why."""

    settlement_id: Id = Field(description="The settlement. | 兑付编号。")
    reason: str = Field(min_length=2, max_length=500, description=REASON, examples=["等待补充协议"])


class PlanBatch(Body):
    """Of which year payments are gathered, from which source, and what is left out."""

    programme: str = Field(max_length=64, description=PROGRAMME, examples=["example-2026"])
    year: int = Field(ge=2000, le=2200, description=YEAR, examples=[2026])
    source: PaymentSource = Field(default=PaymentSource.BUDGET, description=SOURCE, examples=["budget"])
    leave_out: list[LeaveOut] = Field(
        default=[], max_length=500, description="What is not paid now. | 本次不付的兑付。", examples=[[]]
    )


class DraftBatch(PlanBatch):
    """A batch to be drawn up."""

    reason: str = Field(min_length=2, max_length=500, description=REASON, examples=["2026年第一次集中拨付"])


class ActOnBatch(Body):
    """What is done with a batch as it was seen, and why."""

    version: SeenVersion
    reason: str = Field(min_length=2, max_length=500, description=REASON, examples=["核对无误"])


class SendBatch(Body):
    """As which bank's file a batch is sent."""

    version: SeenVersion
    template: str = Field(
        max_length=32, description="The template's code. | 银行文件模板代码。", examples=["general"]
    )


class TakeFile(Body):
    """In which form, and why, the file with whole account numbers is taken."""

    format: BankFormat = Field(description="csv or xlsx. | 格式。", examples=["xlsx"])
    reason: str = Field(min_length=2, max_length=500, description=REASON, examples=["导入网银"])


class BatchesQuery(Query):
    """Which batches."""

    programme: str | None = Field(default=None, max_length=64, description=PROGRAMME)
    source: PaymentSource | None = Field(default=None, description=SOURCE)
    status: BatchStatus | None = Field(default=None, description="Where they stand. | 状态。")
    after: AfterId = 0


class TransfersQuery(Query):
    """Which payments, and where a page starts."""

    source: PaymentSource | None = Field(default=None, description=SOURCE)
    after: AfterId = 0


class BatchesView(Answer):
    """A page of batches, by id."""

    batches: list[BatchView] = Field(description="The batches. | 付款批次。")
    next_after: NextPage


class TransfersView(Answer):
    """A page of payments, by id."""

    payments: list[TransferView] = Field(description="The payments. | 付款记录。")
    next_after: NextPage


class BankTemplateView(Answer):
    """A template of a bank's file."""

    code: str = Field(description="Its code. | 代码。")
    name: str = Field(description="What it is called. | 名称。")
    encoding: str = Field(description="Of the CSV. | CSV 编码。")
    columns: list[str] = Field(description="Its columns in order. | 各列。")


class BankTemplates(Answer):
    """Every template there is."""

    templates: list[BankTemplateView] = Field(description="The templates. | 银行文件模板。")


@routes.get(
    "/api/v1/bank-templates",
    summary="Templates of banks' files. | 银行文件模板。",
    access=staff(*READERS),
    answers={200: BankTemplates},
)
async def templates(request: web.Request) -> BankTemplates:
    found = request.app[DISBURSEMENTS].sending.templates
    return BankTemplates(
        templates=[
            BankTemplateView(
                code=one.code,
                name=one.name,
                encoding=one.encoding,
                columns=[column.title for column in one.columns],
            )
            for one in found.values()
        ]
    )


@routes.post(
    "/api/v1/payment-batches/preview",
    summary="What a batch drawn up now would hold. | 预览付款批次（不写入任何数据）。",
    access=staff(*PAYERS),
    answers={200: PlanView},
    refusals=(NotYourDisbursement, ReasonMissing, YearNotOpen, UnknownProgramme, NotFound),
)
async def preview(request: web.Request, actor: Actor, body: PlanBatch) -> PlanView:
    plan = await request.app[DISBURSEMENTS].batches.preview(
        body.programme, body.year, body.source, leave_out=_left_out(body), actor=actor
    )
    return PlanView(**plan_of(plan))


@routes.post(
    "/api/v1/payment-batches",
    summary="Draw up a batch of what is payable. | 拟定付款批次。",
    access=staff(*PAYERS),
    answers={201: BatchDrafted},
    refusals=(NotYourDisbursement, ReasonMissing, OwnReview, YearNotOpen, NothingPayable, BatchUnderWay,
              SettlementMovedOn, IllegalMove, UnknownProgramme, NotFound),
)  # fmt: skip
async def draft(request: web.Request, actor: Actor, body: DraftBatch) -> BatchDrafted:
    made, plan = await request.app[DISBURSEMENTS].batches.draft(
        body.programme, body.year, body.source, leave_out=_left_out(body), reason=body.reason, actor=actor
    )
    batch = await disbursement_book.batch_for(actor, made.id)
    return BatchDrafted(**batch_of(batch), left_out=plan_of(plan)["left_out"])


@routes.get(
    "/api/v1/payment-batches",
    summary="Batches of my programmes. | 付款批次列表。",
    access=staff(*READERS),
    answers={200: BatchesView},
)
async def every(request: web.Request, actor: Actor, query: BatchesQuery) -> BatchesView:
    rows = await payment_lists.batches(
        actor,
        programme=query.programme,
        source=query.source,
        status=query.status,
        after=query.after,
        limit=PAGE + 1,
    )
    return BatchesView(
        batches=[BatchView(**batch_of(row)) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE),
    )


@routes.get(
    "/api/v1/payment-batches/{batch_id}",
    summary="A batch with its payments. | 付款批次详情。",
    access=staff(*READERS),
    answers={200: BatchDetail},
    refusals=(NotFound,),
)
async def one(request: web.Request, actor: Actor, path: BatchPath) -> BatchDetail:
    batch = await disbursement_book.batch_for(actor, path.batch_id)
    filing, hand_overs = await archives.of(batch.id)
    office = request.app[DISBURSEMENTS]
    programme = office.programmes.version(batch.programme_slug, batch.programme_version)
    drafted = batch.status is BatchStatus.DRAFT
    payments = await disbursement_book.payments_of(batch.id)
    kept = await offsets.of_payments(payments)
    return BatchDetail(
        **batch_of(batch),
        payments=[transfer_of(row, kept.get(row.id, ())) for row in payments],
        invoices=[SummaryInvoiceView(**invoice_of(row)) for row in await summary_invoices.of(batch.id)],
        invoices_missing=await summary_invoices.missing(batch, programme) if drafted else [],
        filed_on=None if filing is None else filing.filed_on,
        filing_reference="" if filing is None else filing.reference,
        hand_overs=[row.id for row in hand_overs],
    )


@routes.post(
    "/api/v1/payment-batches/{batch_id}/approval",
    summary="Approve a batch that somebody else drew up. | 批准付款批次。",
    access=staff(*PAYERS),
    answers={200: BatchView},
    refusals=(*BATCH_REFUSALS, SameHands, AccountsChanged, SettlementsHeld, OffsetsChanged,
              SummaryInvoiceMissing, NothingPayable, BudgetTooSmall),
)  # fmt: skip
async def approve(request: web.Request, actor: Actor, path: BatchPath, body: ActOnBatch) -> BatchView:
    batch = await request.app[DISBURSEMENTS].batches.approve(
        path.batch_id, version=body.version, reason=body.reason, actor=actor
    )
    return BatchView(**batch_of(batch))


@routes.post(
    "/api/v1/payment-batches/{batch_id}/dropping",
    summary="Drop a batch that no bank has seen. | 撤销付款批次。",
    access=staff(*PAYERS),
    answers={200: BatchView},
    refusals=BATCH_REFUSALS,
)
async def drop(request: web.Request, actor: Actor, path: BatchPath, body: ActOnBatch) -> BatchView:
    batch = await request.app[DISBURSEMENTS].batches.drop(
        path.batch_id, version=body.version, reason=body.reason, actor=actor
    )
    return BatchView(**batch_of(batch))


@routes.post(
    "/api/v1/payment-batches/{batch_id}/sending",
    summary="Make an approved batch the bank's. | 将批次送银行。",
    access=staff(*PAYERS),
    answers={200: BatchView},
    refusals=(*BATCH_REFUSALS, SameHands, BankTemplateUnknown, BatchAltered, SettlementsHeld,
              OffsetsChanged, BooksDiffer, CaseMovedOn),
)  # fmt: skip
async def send(request: web.Request, actor: Actor, path: BatchPath, body: SendBatch) -> BatchView:
    batch = await request.app[DISBURSEMENTS].sending.send(
        path.batch_id, template=body.template, version=body.version, actor=actor
    )
    return BatchView(**batch_of(batch))


@routes.post(
    "/api/v1/payment-batches/{batch_id}/file",
    summary="The bank's file as it was sent; journaled. | 下载银行付款文件（记录在案）。",
    access=staff(*PAYERS),
    answers={200: Media("text/csv", "CSV, or XLSX where asked for. | CSV，或按要求为 XLSX。")},
    refusals=(NotYourDisbursement, ReasonMissing, BatchNotSent, BatchAltered, NotFound),
)
async def file(request: web.Request, actor: Actor, path: BatchPath, body: TakeFile) -> web.Response:
    batch, content = await request.app[DISBURSEMENTS].sending.file(
        path.batch_id, body.format, reason=body.reason, actor=actor
    )
    return bank_file(batch.number, body.format, content)


@routes.get(
    "/api/v1/payments",
    summary="What my organisation was paid. | 本单位的付款记录。",
    access=person_or_staff(*READERS),
    answers={200: TransfersView},
    refusals=(NoOrganisation,),
)
async def mine(request: web.Request, actor: Actor, query: TransfersQuery) -> TransfersView:
    rows = await payment_lists.payments(actor, source=query.source, after=query.after, limit=PAGE + 1)
    kept = await offsets.of_payments(rows[:PAGE])
    return TransfersView(
        payments=[transfer_of(row, kept.get(row.id, ())) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE),
    )


@routes.post(
    "/api/v1/payments/{transfer_id}/removal",
    summary="Take a payment out of a draft. | 将付款撤出拟定中的批次。",
    access=staff(*PAYERS),
    answers={200: BatchView},
    refusals=(*BATCH_REFUSALS, PaymentNotInDraft),
)
async def take_out(request: web.Request, actor: Actor, path: TransferPath, body: ActOnBatch) -> BatchView:
    batch = await request.app[DISBURSEMENTS].batches.take_out(
        path.transfer_id, version=body.version, reason=body.reason, actor=actor
    )
    return BatchView(**batch_of(batch))


def _left_out(body: PlanBatch) -> dict[int, str]:
    return {one.settlement_id: one.reason for one in body.leave_out}
