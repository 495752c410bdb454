"""The bank's word over HTTP: receipts files, receipts entered singly, and summary invoices before payment."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field

from server.handlers.api import Answer, Media, Routes, staff
from server.handlers.bank_accounts import REASON
from server.handlers.disbursement_views import (
    ReceiptsTaken,
    ReceiptsView,
    SummaryInvoiceHanded,
    SummaryInvoiceView,
    TransferView,
    invoice_of,
    receipts_of,
    transfer_of,
)
from server.handlers.disbursements import BatchPath, TransferPath
from server.handlers.organisations import IN_CHARGE
from server.handlers.parsing import (
    Body,
    BodyIncomplete,
    BodyTooLarge,
    BodyTooSlow,
    Day,
    Fen,
    Id,
    Path,
    Query,
)
from server.handlers.streams import UploadFormUnusable, whole_file
from server.keys import DISBURSEMENTS
from server.rules.disbursements import SummaryInvoiceDiffers
from server.rules.lifecycles import IllegalMove
from server.rules.review import ReasonMissing
from server.services.access import Actor, NoOrganisation, NotFound
from server.services.disbursements import offsets
from server.services.disbursements.disbursement_book import PAYERS, ArchiveClosed, NotYourDisbursement
from server.services.disbursements.payable_budget import BooksDiffer
from server.services.disbursements.payment_receipts import (
    BatchNotPaying,
    ReceiptsBroken,
    ReceiptsNotPreviewed,
    ReceiptsPreview,
    ReceiptUnfit,
)
from server.services.disbursements.summary_invoices import (
    SummaryInvoiceDecided,
    SummaryInvoiceFuture,
    SummaryInvoiceNotAsked,
    SummaryInvoiceNumberWrong,
    SummaryInvoiceTaken,
)
from server.services.files.file_safety import FileUnacceptable
from server.services.files.files import FilesUnknown
from server.services.reviews.reviews import CaseMovedOn
from server.services.settlements.settlement_book import SettlementMovedOn
from server.services.tables.import_table import ImportColumnsWrong
from server.services.tables.sheets import MOST_BYTES, SHEET_REFUSALS, XLSX

routes = Routes("payment_receipts")

CSV = "text/csv; charset=utf-8"
FILE = Media(
    "application/octet-stream, multipart/form-data",
    "The bank's receipts as XLSX or CSV, or a form whose only field `file` is the file."
    " | XLSX 或 CSV 文件内容本身，或只含一个 file 字段的表单。",
)
FILE_REFUSALS = (BodyTooLarge, BodyTooSlow, BodyIncomplete, UploadFormUnusable, ImportColumnsWrong,
                 BatchNotPaying, ArchiveClosed, NotYourDisbursement, NotFound, *SHEET_REFUSALS)  # fmt: skip
TAKEN_REFUSALS = (BooksDiffer, CaseMovedOn, SettlementMovedOn, IllegalMove)


class InvoicePath(Path):
    """A summary invoice."""

    summary_invoice_id: Id = Field(description="The invoice. | 汇总发票编号。")


class TemplateQuery(Query):
    """In which format."""

    format: str = Field(default="xlsx", pattern="^(xlsx|csv)$", description="xlsx or csv. | 格式。")


class TakeReceipts(Query):
    """A file as it was looked at."""

    fingerprint: str = Field(default="", max_length=64, description="From the dry run. | 预览返回的指纹。")


class EnterReceipt(Body):
    """The bank's receipt of one payment."""

    number: str = Field(
        min_length=4, max_length=80, description="Its number. | 银行回单号。", examples=["2026051800012345"]
    )
    on: Day = Field(strict=False, description="Its day. | 交易日期。", examples=["2026-05-18"])
    file: Id = Field(description="Its scan. | 回单扫描件的文件编号。", examples=[12])


class EnterReturn(Body):
    """The bank sent one payment back."""

    reason: str = Field(min_length=2, max_length=500, description=REASON, examples=["户名不符"])
    on: Day = Field(strict=False, description="When. | 退汇日期。", examples=["2026-05-18"])
    file: Id = Field(description="What shows it. | 银行退汇凭证的文件编号。", examples=[12])


class HandInvoice(Body):
    """A summary invoice to the authority for my vouchers in a batch."""

    number: str = Field(
        min_length=8, max_length=40, description="Its number. | 发票（票据）号码。",
        examples=["26332000000012345678"],
    )  # fmt: skip
    amount_fen: Fen = Field(gt=0, description="Its amount, fen. | 价税合计，单位分。", examples=[3_000_000])
    dated: Day = Field(strict=False, description="Its day. | 开具日期。", examples=["2026-05-18"])
    files: list[Id] = Field(min_length=1, max_length=10, description="Its files. | 附件。", examples=[[12]])


class DecideInvoice(Body):
    """Whether the original has come in."""

    accepted: bool = Field(description="The original is there. | 原件已收到。")
    reason: str = Field(default="", max_length=500, description=REASON, examples=["抬头有误"])


class InvoiceWanted(Answer):
    """What is to be handed in for a batch."""

    code: str = Field(description="The document. | 材料代码。")
    name: str = Field(description="What it is called. | 材料名称。")
    clause: str = Field(description="The provision. | 依据条款。")
    amount_fen: int = Field(description="The sum of my vouchers in it, fen. | 应开金额，单位分。")
    arithmetic: str = Field(description="How it adds up. | 计算过程。")


@routes.get(
    "/api/v1/payment-receipts/template",
    summary="The empty form for the bank's receipts. | 下载银行回单模板。",
    access=staff(*PAYERS),
    answers={200: Media(XLSX, "An XLSX file, or CSV where asked for. | XLSX 文件，或按要求为 CSV。")},
)
async def template(request: web.Request, query: TemplateQuery) -> web.Response:
    as_csv = query.format == "csv"
    content = await request.app[DISBURSEMENTS].receipts.template(as_csv=as_csv)
    return _file(content, CSV if as_csv else XLSX, f"receipts-template.{query.format}")


@routes.post(
    "/api/v1/payment-batches/{batch_id}/receipts/preview",
    summary="Dry run: what a receipts file would do. | 预览银行回单（不写入任何数据）。",
    access=staff(*PAYERS),
    answers={200: ReceiptsView},
    refusals=FILE_REFUSALS,
    receives=FILE,
)
async def preview(request: web.Request, actor: Actor, path: BatchPath) -> ReceiptsView:
    return receipts_of(await _previewed(request, actor, path))


@routes.post(
    "/api/v1/payment-batches/{batch_id}/receipts/report",
    summary="The same file with each line's result and errors. | 下载带结果和错误列的回单文件。",
    access=staff(*PAYERS),
    answers={200: Media(XLSX, "An XLSX file. | XLSX 文件。")},
    refusals=FILE_REFUSALS,
    receives=FILE,
)
async def report(request: web.Request, actor: Actor, path: BatchPath) -> web.Response:
    found = await _previewed(request, actor, path)
    content = await request.app[DISBURSEMENTS].receipts.report(found)
    return _file(content, XLSX, "receipts-report.xlsx")


@routes.post(
    "/api/v1/payment-batches/{batch_id}/receipts",
    summary="Take the bank's receipts in, whole or not at all. | 登记银行回单文件。",
    access=staff(*PAYERS),
    answers={201: ReceiptsTaken},
    refusals=(*FILE_REFUSALS, *TAKEN_REFUSALS, ReceiptsBroken, ReceiptsNotPreviewed),
    receives=FILE,
)
async def carry_out(
    request: web.Request, actor: Actor, path: BatchPath, query: TakeReceipts
) -> ReceiptsTaken:
    run = await request.app[DISBURSEMENTS].receipts.carry_out(
        path.batch_id, await whole_file(request, MOST_BYTES), fingerprint=query.fingerprint, actor=actor
    )
    return ReceiptsTaken(**{name: getattr(run, name) for name in ReceiptsTaken.model_fields})


@routes.post(
    "/api/v1/payments/{transfer_id}/receipt",
    summary="Enter one receipt with its scan. | 单笔登记银行回单。",
    access=staff(*PAYERS),
    answers={200: TransferView},
    refusals=(*TAKEN_REFUSALS, ReceiptUnfit, BatchNotPaying, ArchiveClosed, NotYourDisbursement, FilesUnknown,
              FileUnacceptable, NotFound),
)  # fmt: skip
async def enter(request: web.Request, actor: Actor, path: TransferPath, body: EnterReceipt) -> TransferView:
    row = await request.app[DISBURSEMENTS].receipts.enter(
        path.transfer_id, number=body.number, on=body.on, file_id=body.file, actor=actor
    )
    return transfer_of(row, (await offsets.of_payments([row])).get(row.id, ()))


@routes.post(
    "/api/v1/payments/{transfer_id}/return",
    summary="Enter that the bank sent a payment back. | 登记银行退汇。",
    access=staff(*PAYERS),
    answers={200: TransferView},
    refusals=(*TAKEN_REFUSALS, ReceiptUnfit, BatchNotPaying, ArchiveClosed, NotYourDisbursement,
              ReasonMissing, FilesUnknown, FileUnacceptable, NotFound),
)  # fmt: skip
async def give_back(
    request: web.Request, actor: Actor, path: TransferPath, body: EnterReturn
) -> TransferView:
    row = await request.app[DISBURSEMENTS].receipts.give_back(
        path.transfer_id, reason=body.reason, on=body.on, file_id=body.file, actor=actor
    )
    return transfer_of(row, (await offsets.of_payments([row])).get(row.id, ()))


@routes.get(
    "/api/v1/payment-batches/{batch_id}/summary-invoice",
    summary="What my organisation hands in for a batch. | 本单位应提交的汇总发票。",
    access=IN_CHARGE,
    answers={200: InvoiceWanted},
    refusals=(SummaryInvoiceNotAsked, NotFound, NoOrganisation),
)
async def wanted(request: web.Request, actor: Actor, path: BatchPath) -> InvoiceWanted:
    document, amount_fen, arithmetic = await request.app[DISBURSEMENTS].invoices.wanted(
        path.batch_id, actor=actor
    )
    return InvoiceWanted(
        code=document.code,
        name=document.name,
        clause=document.article,
        amount_fen=amount_fen,
        arithmetic=arithmetic,
    )


@routes.post(
    "/api/v1/payment-batches/{batch_id}/summary-invoice",
    summary="Hand in my summary invoice for a batch. | 提交汇总发票（票据）。",
    access=IN_CHARGE,
    answers={201: SummaryInvoiceHanded},
    refusals=(SummaryInvoiceDiffers, SummaryInvoiceNotAsked, SummaryInvoiceTaken, SummaryInvoiceNumberWrong,
              SummaryInvoiceFuture, FilesUnknown, FileUnacceptable, NotFound, NoOrganisation),
)  # fmt: skip
async def hand_in(
    request: web.Request, actor: Actor, path: BatchPath, body: HandInvoice
) -> SummaryInvoiceHanded:
    made = await request.app[DISBURSEMENTS].invoices.hand_in(
        path.batch_id,
        number=body.number,
        amount_fen=body.amount_fen,
        dated=body.dated,
        file_ids=body.files,
        actor=actor,
    )
    return SummaryInvoiceHanded(**invoice_of(made))


@routes.post(
    "/api/v1/summary-invoices/{summary_invoice_id}/decision",
    summary="Say that the original has come in, or send it back. | 确认收到汇总发票原件或退回。",
    access=staff(*PAYERS),
    answers={200: SummaryInvoiceView},
    refusals=(SummaryInvoiceDecided, NotYourDisbursement, ReasonMissing, NotFound),
)
async def decide(
    request: web.Request, actor: Actor, path: InvoicePath, body: DecideInvoice
) -> SummaryInvoiceView:
    row = await request.app[DISBURSEMENTS].invoices.decide(
        path.summary_invoice_id, accepted=body.accepted, reason=body.reason, actor=actor
    )
    return SummaryInvoiceView(**invoice_of(row))


async def _previewed(request: web.Request, actor: Actor, path: BatchPath) -> ReceiptsPreview:
    return await request.app[DISBURSEMENTS].receipts.preview(
        path.batch_id, await whole_file(request, MOST_BYTES), actor=actor
    )


def _file(content: bytes, media_type: str, name: str) -> web.Response:
    headers: dict[str, Any] = {
        "Content-Type": media_type,
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return web.Response(body=content, headers=headers)
