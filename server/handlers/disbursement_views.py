"""What answers about payments look like: batches, payments, plans, previews of receipts, invoices, papers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from aiohttp import web
from pydantic import AwareDatetime, Field

from server import texts
from server.handlers.api import Answer
from server.models.disbursements import HandOver, Payment, PaymentBatch, PaymentOffset, SummaryInvoice
from server.rules.disbursements import (
    BatchStatus,
    HandOverStatus,
    InvoiceStatus,
    Match,
    PaymentSource,
    TransferStatus,
    YearMoney,
    masked,
)
from server.services.disbursements.bank_files import MEDIA, BankFormat
from server.services.disbursements.payment_plan import Plan
from server.services.disbursements.payment_receipts import Found, ReceiptsPreview

FEN = "Fen. | 单位分。"
VERSION = "The version that was seen. | 所见版本号。"
NUMBER = "Its number. | 编号。"
REASON = "Why. | 理由。"
CLAUSE = "The provision. | 依据条款。"
SHA256 = "SHA-256. | 文件或清单的 SHA-256。"
COUNT = "How many. | 笔数。"
SOURCE = "Whose money: budget is public, escrow an enterprise's own. | 资金来源：财政资金或保证金。"


class YearMoneyView(Answer):
    """A programme year's money at this instant, fen."""

    programme: str = Field(description="The programme. | 项目代码。")
    year: int = Field(description="The programme year. | 年度。")
    clause: str = Field(description=CLAUSE)
    total_fen: int = Field(description="What the year may spend. | 年度总额，单位分。")
    held_fen: int = Field(description="Held by orders under way. | 订单冻结，单位分。")
    used_fen: int = Field(description="Spent, not yet approved for payment. | 已核销待批准，单位分。")
    payable_fen: int = Field(description="Approved, waiting for a batch. | 已批准待付，单位分。")
    awaiting_fen: int = Field(description="Approved, waiting for money. | 已批准待资金，单位分。")
    paying_fen: int = Field(description="On its way. | 付款中，单位分。")
    paid_fen: int = Field(description="Paid by the bank's receipts. | 已付，单位分。")
    free_fen: int = Field(description="Neither given out nor promised. | 剩余可用，单位分。")
    funded_fen: int | None = Field(
        description="What finance has allocated; null: not recorded. | 财政已拨入，单位分，空为未登记。"
    )
    payable_left_fen: int = Field(description="What may still be paid. | 尚可支付，单位分。")
    arithmetic: str = Field(description="How that was worked out. | 计算过程。")


class OffsetView(Answer):
    """What of a payment is kept back for a claim against its payee."""

    recovery: str = Field(description="The claim's number. | 追缴编号。")
    amount_fen: int = Field(description=FEN)
    clause: str = Field(description=CLAUSE)
    arithmetic: str = Field(description="How it was worked out. | 计算过程。")


KEPT = "Kept back for overdue claims, fen. | 抵扣追缴款，单位分。"
TRANSFER = "What the bank transfers, fen. | 实付，单位分。"
OFFSETS = "Claim by claim. | 逐笔抵扣。"


class PlannedView(Answer):
    """A settlement that a batch pays, or leaves out."""

    settlement_id: int = Field(description="The settlement. | 兑付编号。")
    number: str = Field(description=NUMBER)
    provider_id: int = Field(description="The provider. | 服务机构编号。")
    amount_fen: int = Field(description=FEN)
    kept_fen: int = Field(description=KEPT)
    transfer_fen: int = Field(description=TRANSFER)
    offsets: list[OffsetView] = Field(description=OFFSETS)
    account: str = Field(description="Masked; empty where it is left out. | 收款账号，未列入则为空。")
    code: str = Field(description="Why it is left out, as a code; empty: it is paid. | 未列入的原因代码。")
    reason: str = Field(description="The same in words. | 未列入的原因。")


class PlanView(Answer):
    """What a batch holds, in its order, and what it leaves out."""

    count: int = Field(description=COUNT)
    total_fen: int = Field(description=FEN)
    kept_fen: int = Field(description=KEPT)
    transfer_fen: int = Field(description=TRANSFER)
    payments: list[PlannedView] = Field(description="What is paid. | 列入付款。")
    left_out: list[PlannedView] = Field(description="What is not, and why. | 未列入及原因。")


class TransferView(Answer):
    """One payment."""

    id: int = Field(description="The payment. | 付款记录编号。")
    number: str = Field(description="What the bank knows it by. | 付款编号。")
    batch_id: int = Field(description="Its batch. | 批次编号。")
    source: PaymentSource = Field(description=SOURCE)
    settlement_id: int = Field(description="The settlement. | 兑付编号。")
    order_id: int = Field(description="The order. | 订单编号。")
    provider_id: int = Field(description="The provider. | 服务机构编号。")
    provider: str = Field(description="Its name. | 服务机构名称。")
    account: str = Field(description="Masked. | 收款账号，仅显示末四位。")
    bank: str = Field(description="The bank. | 开户行。")
    amount_fen: int = Field(description=FEN)
    kept_fen: int = Field(description=KEPT)
    transfer_fen: int = Field(description=TRANSFER)
    offsets: list[OffsetView] = Field(description=OFFSETS)
    status: TransferStatus = Field(description="Where it stands. | 状态。")
    receipt_number: str = Field(description="The bank's receipt. | 银行回单号。")
    receipt_on: date | None = Field(description="Its day. | 回单日期。")
    returned_on: date | None = Field(description="When the bank sent it back. | 退汇日期。")
    reason: str = Field(description="Why it came back, or was taken out. | 退回或撤出的理由。")


class BatchView(Answer):
    """A batch."""

    id: int = Field(description="The batch. | 批次编号。")
    number: str = Field(description=NUMBER)
    programme: str = Field(description="The programme. | 项目代码。")
    year: int = Field(description="The year in whose books it stands. | 年度。")
    source: PaymentSource = Field(description=SOURCE)
    status: BatchStatus = Field(description="Where it stands. | 状态。")
    count: int = Field(description=COUNT)
    total_fen: int = Field(description=FEN)
    kept_fen: int = Field(description=KEPT)
    transfer_fen: int = Field(description=TRANSFER)
    content_sha256: str = Field(description="Of what was approved. | 批准内容的 SHA-256。")
    template: str = Field(description="Which bank's file. | 银行文件模板。")
    csv_sha256: str = Field(description=SHA256)
    xlsx_sha256: str = Field(description=SHA256)
    reason: str = Field(description=REASON)
    drafted_at: AwareDatetime = Field(description="When it was drawn up. | 拟定时间。")
    approved_at: AwareDatetime | None = Field(description="When it was approved. | 批准时间。")
    sent_at: AwareDatetime | None = Field(description="When it was sent. | 送银行时间。")
    closed_at: AwareDatetime | None = Field(description="When it ended. | 办结时间。")
    archived_at: AwareDatetime | None = Field(description="When its archive was closed. | 归档时间。")
    version: int = Field(description=VERSION)


class BatchDrafted(BatchView):
    """A batch just drawn up, and what it leaves out."""

    left_out: list[PlannedView] = Field(description="What is not in it, and why. | 未列入及原因。")


class SummaryInvoiceView(Answer):
    """A summary invoice."""

    id: int = Field(description="The invoice. | 汇总发票编号。")
    batch_id: int = Field(description="Its batch. | 批次编号。")
    provider_id: int = Field(description="The provider. | 服务机构编号。")
    number: str = Field(description="Its number. | 发票（票据）号码。")
    amount_fen: int = Field(description=FEN)
    dated: date = Field(description="Its day. | 开具日期。")
    files: list[int] = Field(description="Its files. | 附件。")
    status: InvoiceStatus = Field(description="Where it stands. | 状态。")
    reason: str = Field(description=REASON)


class SummaryInvoiceHanded(SummaryInvoiceView):
    """A summary invoice just handed in."""


class BatchDetail(BatchView):
    """A batch with its payments, invoices, filing and hand-over lists."""

    payments: list[TransferView] = Field(description="Its payments. | 付款明细。")
    invoices: list[SummaryInvoiceView] = Field(description="Summary invoices. | 汇总发票。")
    invoices_missing: list[int] = Field(description="Providers that owe one. | 尚缺汇总发票的服务机构。")
    filed_on: date | None = Field(description="When its result was filed. | 结果备案日期。")
    filing_reference: str = Field(description="Under which letter. | 备案文号。")
    hand_overs: list[int] = Field(description="Its hand-over lists. | 移交清单编号。")


class ReceiptLineView(Answer):
    """A line of a receipts file."""

    row: int = Field(description="Its number in the file. | 行号。")
    payment: str = Field(description="Which payment it names. | 付款编号。")
    does: Match = Field(description="new, same or broken. | 登记、无变化或有错误。")
    problems: list[str] = Field(description="Everything wrong with it. | 问题。")


class ReceiptsView(Answer):
    """What a receipts file would do; nothing was written."""

    sha256: str = Field(description=SHA256)
    fingerprint: str = Field(description="To take in exactly this. | 登记时提交的指纹。")
    ready: bool = Field(description="It can be taken in. | 是否可以登记。")
    counts: dict[str, int] = Field(description="Lines by what they do. | 各类行数。")
    total_fen: int = Field(description="What its lines come to, fen. | 逐行合计，单位分。")
    stated_fen: int | None = Field(description="What it states, fen. | 文件合计行，单位分。")
    arithmetic: str = Field(description="How it does not add up; empty: it does. | 合计不符的算式。")
    lines: list[ReceiptLineView] = Field(description="Every line. | 逐行结果。")


class ReceiptsTaken(Answer):
    """A receipts file that was taken in."""

    id: int = Field(description="The record. | 登记记录编号。")
    batch_id: int = Field(description="The batch. | 批次编号。")
    sha256: str = Field(description=SHA256)
    counts: dict[str, int] = Field(description="Lines by what they did. | 各类行数。")
    total_fen: int = Field(description=FEN)
    done_at: AwareDatetime = Field(description="When. | 登记时间。")


class HandOverItem(Answer):
    """One paper of a hand-over list."""

    kind: str = Field(description="What it is of. | 类别。")
    of: str = Field(description="Settlement, invoice or letter. | 所属编号。")
    owner: str = Field(description="Whose. | 所属单位。")
    name: str = Field(description="Its name. | 名称。")
    file: int | None = Field(description="The stored file; null: no file. | 文件编号。")
    sha256: str = Field(description=SHA256)
    pages: int = Field(description="Pages. | 页数。")


class HandOverView(Answer):
    """A hand-over list."""

    id: int = Field(description="The list. | 移交清单编号。")
    number: str = Field(description=NUMBER)
    batch_id: int = Field(description="Its batch. | 批次编号。")
    status: HandOverStatus = Field(description="Where it stands. | 状态。")
    sha256: str = Field(description=SHA256)
    items: list[HandOverItem] = Field(description="Every paper. | 材料清单。")
    remarks: str = Field(description="Remarks. | 备注。")
    handed_at: AwareDatetime = Field(description="When it was handed over. | 移交时间。")
    received_at: AwareDatetime | None = Field(description="When it was decided. | 接收时间。")


class HandedOver(HandOverView):
    """A list just handed over."""


def plan_of(plan: Plan) -> dict[str, Any]:
    """A plan as its views hold it."""
    return {
        "count": len(plan.chosen),
        "total_fen": plan.total_fen,
        "kept_fen": plan.kept_fen,
        "transfer_fen": plan.total_fen - plan.kept_fen,
        "payments": [
            PlannedView(
                settlement_id=one.settlement.id, number=one.settlement.number,
                provider_id=one.settlement.provider_id,
                amount_fen=one.amount_fen, kept_fen=plan.kept_of(one.settlement),
                transfer_fen=one.amount_fen - plan.kept_of(one.settlement),
                account="" if one.account is None else masked(one.account.tail),
                offsets=[
                    OffsetView(
                        recovery=each.number, amount_fen=each.amount_fen, clause=each.clause,
                        arithmetic=each.arithmetic,
                    )
                    for each in plan.offsets.get(one.settlement.id, ())
                ],
                code="", reason="",
            )
            for one in plan.chosen
        ],
        "left_out": [
            PlannedView(
                settlement_id=one.settlement.id, number=one.settlement.number,
                provider_id=one.settlement.provider_id, amount_fen=one.amount_fen,
                kept_fen=0, transfer_fen=0, offsets=[], account="", code=one.code, reason=one.reason,
            )
            for one in plan.left_out
        ],
    }  # fmt: skip


def batch_of(batch: PaymentBatch) -> dict[str, Any]:
    """A batch as its views hold it; its year is loaded."""
    own = (
        "id", "number", "source", "status", "total_fen", "kept_fen", "content_sha256", "template",
        "csv_sha256", "xlsx_sha256", "reason", "drafted_at", "approved_at", "sent_at", "closed_at",
        "archived_at", "version",
    )  # fmt: skip
    return {
        **{name: getattr(batch, name) for name in own},
        "programme": batch.programme_slug,
        "year": batch.budget.year,
        "count": batch.payments_count,
        "transfer_fen": batch.total_fen - batch.kept_fen,
    }


def transfer_of(payment: Payment, kept: Sequence[PaymentOffset]) -> TransferView:
    """A payment and what is kept back of it; provider, account and claims are loaded."""
    own = (
        "id", "number", "batch_id", "source", "settlement_id", "order_id", "provider_id", "amount_fen",
        "kept_fen", "transfer_fen", "status", "receipt_number", "receipt_on", "returned_on", "reason",
    )  # fmt: skip
    return TransferView(
        **{name: getattr(payment, name) for name in own},
        provider=payment.provider.name,
        account=masked(payment.tail) if payment.tail else "",
        bank="" if payment.account is None else payment.account.bank,
        offsets=[
            OffsetView(
                recovery=one.recovery.number,
                amount_fen=one.amount_fen,
                clause=one.clause,
                arithmetic=one.arithmetic,
            )
            for one in kept
        ],
    )


def invoice_of(row: SummaryInvoice) -> dict[str, Any]:
    """A summary invoice as its views hold it."""
    return {name: getattr(row, name) for name in SummaryInvoiceView.model_fields}


def receipts_of(found: ReceiptsPreview) -> ReceiptsView:
    """The preview of a receipts file."""
    return ReceiptsView(
        sha256=found.sha256,
        fingerprint=found.fingerprint,
        ready=found.ready,
        counts=found.counts,
        total_fen=found.total_fen,
        stated_fen=found.stated_fen,
        arithmetic=found.arithmetic,
        lines=[
            ReceiptLineView(
                row=line.row.number,
                payment=line.row.holder,
                does=line.matched.match,
                problems=_problems(line),
            )
            for line in found.lines
        ],
    )


def _problems(line: Found) -> list[str]:
    faults = [f"{one.column}：{one.problem}" if one.column else one.problem for one in line.row.faults]
    return [*faults, *([line.matched.problem] if line.matched.problem else [])]


def hand_over_of(row: HandOver) -> dict[str, Any]:
    """A hand-over list as its views hold it."""
    own = ("id", "number", "batch_id", "status", "sha256", "remarks", "handed_at", "received_at")
    return {**{name: getattr(row, name) for name in own}, "items": items_of(row.items)}


def items_of(items: Sequence[dict[str, Any]]) -> list[HandOverItem]:
    """The papers of a list, each kind by its Chinese name."""
    return [HandOverItem(**{**one, "kind": texts.HAND_OVER_ITEMS[one["kind"]]}) for one in items]


def money_of(programme: str, year: int, clause: str, money: YearMoney) -> YearMoneyView:
    """A year's money as it is shown."""
    computed = {"programme": programme, "year": year, "clause": clause}
    return YearMoneyView(
        **computed,
        **{name: getattr(money, name) for name in YearMoneyView.model_fields if name not in computed},
    )


def bank_file(number: str, form: BankFormat, content: bytes) -> web.Response:
    """A batch's file for the bank, to be kept by nobody on the way."""
    return web.Response(
        body=content,
        headers={
            "Content-Type": MEDIA[form],
            "Content-Disposition": f'attachment; filename="{number}.{form}"',
            "Cache-Control": "no-store",
        },
    )
