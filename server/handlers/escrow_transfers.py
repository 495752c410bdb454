"""Escrow transfers over HTTP: released escrow in batches, the bank's file, and its receipts."""

from __future__ import annotations

from datetime import date
from typing import Any

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import Answer, Media, Routes, person_or_staff, staff
from server.handlers.bank_accounts import REASON
from server.handlers.disbursement_views import COUNT, FEN, NUMBER, SHA256, VERSION, bank_file
from server.handlers.disbursements import BATCH_REFUSALS, ActOnBatch, SendBatch, TakeFile, TransfersQuery
from server.handlers.parsing import Body, Id, Path, Query
from server.handlers.payment_receipts import EnterReceipt, EnterReturn
from server.keys import DISBURSEMENTS
from server.models.escrow_transfers import EscrowBatch, EscrowTransfer
from server.programme.registry import UnknownProgramme
from server.rules.disbursements import BatchStatus, TransferStatus, masked
from server.rules.review import ReasonMissing
from server.services import escrow_book
from server.services.access import Actor, NoOrganisation, NotFound
from server.services.batch_sending import BankTemplateUnknown, BatchAltered, BatchNotSent
from server.services.disbursement_book import PAYERS, READERS, NotYourDisbursement, SameHands
from server.services.escrow_transfers import NothingToTransfer
from server.services.file_safety import FileUnacceptable
from server.services.files import FilesUnknown
from server.services.payment_batches import AccountsChanged, SettlementsHeld
from server.services.payment_receipts import ReceiptUnfit
from server.services.reviewers import OwnReview

routes = Routes("escrow_transfers")

PAGE = 50
PROGRAMME = "The programme. | 项目代码。"


class EscrowBatchPath(Path):
    """A batch."""

    escrow_batch_id: Id = Field(description="The batch. | 保证金划付批次编号。")


class EscrowTransferPath(Path):
    """A transfer."""

    escrow_transfer_id: Id = Field(description="The transfer. | 保证金划付编号。")


class DraftEscrowBatch(Body):
    """Of which programme released escrow is gathered."""

    programme: str = Field(max_length=64, description=PROGRAMME, examples=["example-2026"])
    reason: str = Field(min_length=2, max_length=500, description=REASON, examples=["结算后划付保证金"])


class EscrowBatchesQuery(Query):
    """Which batches."""

    programme: str | None = Field(default=None, max_length=64, description=PROGRAMME)
    after: int = Field(default=0, ge=0, description="After this id. | 从该编号之后开始。")


class EscrowTransferView(Answer):
    """One transfer."""

    id: int = Field(description="The transfer. | 划付编号。")
    number: str = Field(description=NUMBER)
    batch_id: int = Field(description="Its batch. | 批次编号。")
    settlement_id: int = Field(description="The settlement. | 兑付编号。")
    order_id: int = Field(description="The order. | 订单编号。")
    provider_id: int = Field(description="The provider. | 服务机构编号。")
    provider: str = Field(description="Its name. | 服务机构名称。")
    account: str = Field(description="Masked. | 收款账号，仅显示末四位。")
    amount_fen: int = Field(description=FEN)
    status: TransferStatus = Field(description="Where it stands. | 状态。")
    receipt_number: str = Field(description="The bank's receipt. | 银行回单号。")
    receipt_on: date | None = Field(description="Its day. | 回单日期。")
    returned_on: date | None = Field(description="When the bank sent it back. | 退汇日期。")
    reason: str = Field(description="Why it came back, or was dropped. | 退回或撤销的理由。")


class EscrowBatchView(Answer):
    """A batch."""

    id: int = Field(description="The batch. | 批次编号。")
    number: str = Field(description=NUMBER)
    programme: str = Field(description=PROGRAMME)
    status: BatchStatus = Field(description="Where it stands. | 状态。")
    count: int = Field(description=COUNT)
    total_fen: int = Field(description=FEN)
    content_sha256: str = Field(description=SHA256)
    template: str = Field(description="Which bank's file. | 银行文件模板。")
    csv_sha256: str = Field(description=SHA256)
    xlsx_sha256: str = Field(description=SHA256)
    reason: str = Field(description=REASON)
    drafted_at: AwareDatetime = Field(description="When it was drawn up. | 拟定时间。")
    approved_at: AwareDatetime | None = Field(description="When it was approved. | 批准时间。")
    sent_at: AwareDatetime | None = Field(description="When it was sent. | 送银行时间。")
    closed_at: AwareDatetime | None = Field(description="When it ended. | 办结时间。")
    version: int = Field(description=VERSION)


class EscrowBatchDetail(EscrowBatchView):
    """A batch with its transfers."""

    transfers: list[EscrowTransferView] = Field(description="Its transfers. | 划付明细。")


class EscrowBatchDrafted(EscrowBatchDetail):
    """A batch just drawn up."""


class EscrowBatches(Answer):
    """A page of batches, by id."""

    batches: list[EscrowBatchView] = Field(description="The batches. | 划付批次。")
    next_after: int | None = Field(description="Where the next page starts. | 下一页起点，无则为空。")


class EscrowTransfersView(Answer):
    """A page of transfers, by id."""

    transfers: list[EscrowTransferView] = Field(description="The transfers. | 划付记录。")
    next_after: int | None = Field(description="Where the next page starts. | 下一页起点，无则为空。")


@routes.post(
    "/api/v1/escrow-batches",
    summary="Draw up a batch of released escrow. | 拟定保证金划付批次。",
    access=staff(*PAYERS),
    answers={201: EscrowBatchDrafted},
    refusals=(NotYourDisbursement, ReasonMissing, OwnReview, NothingToTransfer, UnknownProgramme, NotFound),
)
async def draft(request: web.Request, actor: Actor, body: DraftEscrowBatch) -> EscrowBatchDrafted:
    made = await request.app[DISBURSEMENTS].escrow.draft(body.programme, reason=body.reason, actor=actor)
    return EscrowBatchDrafted(**await _detail(made))


@routes.get(
    "/api/v1/escrow-batches",
    summary="Batches of released escrow. | 保证金划付批次列表。",
    access=staff(*READERS),
    answers={200: EscrowBatches},
)
async def every(request: web.Request, actor: Actor, query: EscrowBatchesQuery) -> EscrowBatches:
    rows = await escrow_book.batches(actor, programme=query.programme, after=query.after, limit=PAGE + 1)
    return EscrowBatches(
        batches=[EscrowBatchView(**_batch(row)) for row in rows[:PAGE]],
        next_after=rows[PAGE - 1].id if len(rows) > PAGE else None,
    )


@routes.get(
    "/api/v1/escrow-batches/{escrow_batch_id}",
    summary="A batch with its transfers. | 保证金划付批次详情。",
    access=staff(*READERS),
    answers={200: EscrowBatchDetail},
    refusals=(NotFound,),
)
async def one(request: web.Request, actor: Actor, path: EscrowBatchPath) -> EscrowBatchDetail:
    return EscrowBatchDetail(**await _detail(await escrow_book.batch_for(actor, path.escrow_batch_id)))


@routes.post(
    "/api/v1/escrow-batches/{escrow_batch_id}/approval",
    summary="Approve a batch that somebody else drew up. | 批准保证金划付批次。",
    access=staff(*PAYERS),
    answers={200: EscrowBatchView},
    refusals=(*BATCH_REFUSALS, SameHands, AccountsChanged, SettlementsHeld),
)
async def approve(
    request: web.Request, actor: Actor, path: EscrowBatchPath, body: ActOnBatch
) -> EscrowBatchView:
    batch = await request.app[DISBURSEMENTS].escrow.approve(
        path.escrow_batch_id, version=body.version, reason=body.reason, actor=actor
    )
    return EscrowBatchView(**_batch(batch))


@routes.post(
    "/api/v1/escrow-batches/{escrow_batch_id}/dropping",
    summary="Drop a batch that no bank has seen. | 撤销保证金划付批次。",
    access=staff(*PAYERS),
    answers={200: EscrowBatchView},
    refusals=BATCH_REFUSALS,
)
async def drop(
    request: web.Request, actor: Actor, path: EscrowBatchPath, body: ActOnBatch
) -> EscrowBatchView:
    batch = await request.app[DISBURSEMENTS].escrow.drop(
        path.escrow_batch_id, version=body.version, reason=body.reason, actor=actor
    )
    return EscrowBatchView(**_batch(batch))


@routes.post(
    "/api/v1/escrow-batches/{escrow_batch_id}/sending",
    summary="Make an approved batch the bank's. | 将保证金划付批次送银行。",
    access=staff(*PAYERS),
    answers={200: EscrowBatchView},
    refusals=(*BATCH_REFUSALS, SameHands, BankTemplateUnknown, BatchAltered, SettlementsHeld),
)
async def send(request: web.Request, actor: Actor, path: EscrowBatchPath, body: SendBatch) -> EscrowBatchView:
    batch = await request.app[DISBURSEMENTS].escrow.send(
        path.escrow_batch_id, template=body.template, version=body.version, actor=actor
    )
    return EscrowBatchView(**_batch(batch))


@routes.post(
    "/api/v1/escrow-batches/{escrow_batch_id}/file",
    summary="The bank's file as it was sent; journaled. | 下载保证金划付文件（记录在案）。",
    access=staff(*PAYERS),
    answers={200: Media("text/csv", "CSV, or XLSX where asked for. | CSV，或按要求为 XLSX。")},
    refusals=(NotYourDisbursement, ReasonMissing, BatchNotSent, BatchAltered, NotFound),
)
async def file(request: web.Request, actor: Actor, path: EscrowBatchPath, body: TakeFile) -> web.Response:
    batch, content = await request.app[DISBURSEMENTS].escrow.file(
        path.escrow_batch_id, body.format, reason=body.reason, actor=actor
    )
    return bank_file(batch.number, body.format, content)


@routes.get(
    "/api/v1/escrow-transfers",
    summary="Released escrow that went to my organisation. | 划付给本单位的保证金。",
    access=person_or_staff(*READERS),
    answers={200: EscrowTransfersView},
    refusals=(NoOrganisation,),
)
async def mine(request: web.Request, actor: Actor, query: TransfersQuery) -> EscrowTransfersView:
    rows = await escrow_book.own(actor, after=query.after, limit=PAGE + 1)
    return EscrowTransfersView(
        transfers=[_transfer(row) for row in rows[:PAGE]],
        next_after=rows[PAGE - 1].id if len(rows) > PAGE else None,
    )


@routes.post(
    "/api/v1/escrow-transfers/{escrow_transfer_id}/receipt",
    summary="Enter a transfer's receipt with its scan. | 登记保证金划付回单。",
    access=staff(*PAYERS),
    answers={200: EscrowTransferView},
    refusals=(ReceiptUnfit, NotYourDisbursement, FilesUnknown, FileUnacceptable, NotFound),
)
async def enter(
    request: web.Request, actor: Actor, path: EscrowTransferPath, body: EnterReceipt
) -> EscrowTransferView:
    row = await request.app[DISBURSEMENTS].escrow.enter(
        path.escrow_transfer_id, number=body.number, on=body.on, file_id=body.file, actor=actor
    )
    return _transfer(row)


@routes.post(
    "/api/v1/escrow-transfers/{escrow_transfer_id}/return",
    summary="Enter that the bank sent a transfer back. | 登记保证金退汇。",
    access=staff(*PAYERS),
    answers={200: EscrowTransferView},
    refusals=(ReceiptUnfit, NotYourDisbursement, ReasonMissing, FilesUnknown, FileUnacceptable, NotFound),
)
async def give_back(
    request: web.Request, actor: Actor, path: EscrowTransferPath, body: EnterReturn
) -> EscrowTransferView:
    row = await request.app[DISBURSEMENTS].escrow.give_back(
        path.escrow_transfer_id, reason=body.reason, on=body.on, file_id=body.file, actor=actor
    )
    return _transfer(row)


async def _detail(batch: EscrowBatch) -> dict[str, Any]:
    rows = await escrow_book.transfers_of(batch.id)
    return {**_batch(batch), "transfers": [_transfer(row) for row in rows]}


def _batch(batch: EscrowBatch) -> dict[str, Any]:
    named = {"programme": batch.programme_slug, "count": batch.transfers_count}
    own = [name for name in EscrowBatchView.model_fields if name not in named]
    return {**{name: getattr(batch, name) for name in own}, **named}


def _transfer(row: EscrowTransfer) -> EscrowTransferView:
    shown = {"provider": row.provider.name, "account": masked(row.account.tail)}
    own = [name for name in EscrowTransferView.model_fields if name not in shown]
    return EscrowTransferView(**{name: getattr(row, name) for name in own}, **shown)
