"""How claims and what came of them are shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pydantic import Field

from server.handlers.api import Answer
from server.handlers.notice_views import PROVISIONAL
from server.handlers.sanction_views import NUMBER, VERSION
from server.models.sanctions import Recovery, RecoveryLine, RecoveryReceipt, RecoveryReturn
from server.rules.recoveries import ReceiptKind, RecoveryStatus
from server.services.sanctions.recoveries import Balance


class RecoverySummary(Answer):
    """A claim in a list."""

    id: int = Field(description="The claim. | 追缴编号。")
    number: str = Field(description=NUMBER)
    programme: str = Field(description="The programme. | 项目代码。")
    sanction_id: int = Field(description="What it rests on. | 案件编号。")
    name: str = Field(description="Who owes it. | 当事人名称。")
    status: RecoveryStatus = Field(description="Where it stands. | 状态。")
    principal_fen: int = Field(description="Principal, fen. | 本金，单位分。")
    collected_fen: int = Field(description="Of it collected, fen. | 已收本金，单位分。")
    surcharge_fen: int = Field(description="Surcharge collected, fen. | 已收加收，单位分。")
    due_on: date | None = Field(description="Until which day. | 缴款期限。")
    due_provisional: bool = Field(description=PROVISIONAL)
    version: int = Field(description=VERSION)


class OpenLineView(Answer):
    """One payment out that is claimed back."""

    order_id: int = Field(description="The order. | 订单编号。")
    amount_fen: int = Field(description="How much, fen. | 本金，单位分。")
    collected_fen: int = Field(description="Of it collected, fen. | 已收，单位分。")
    paid_out_on: date = Field(description="When it was paid out. | 拨付日期。")


class InstalmentView(Answer):
    """One part of a plan."""

    due_on: date = Field(description="Until which day. | 期限。")
    amount_fen: int = Field(description="How much, fen. | 金额，单位分。")


class RecoveryReceiptView(Answer):
    """Money that came back."""

    id: int = Field(description="The receipt. | 到账编号。")
    kind: ReceiptKind = Field(description="How. | 方式。")
    reference: str = Field(description="The bank's number. | 流水号。")
    received_on: date = Field(description="When. | 到账日期。")
    amount_fen: int = Field(description="How much, fen. | 金额，单位分。")
    principal_fen: int = Field(description="Towards principal, fen. | 抵本金，单位分。")
    surcharge_fen: int = Field(description="Towards surcharge, fen. | 抵加收，单位分。")
    arithmetic: str = Field(description="How it was worked out. | 计算过程。")


class RecoveryReturnView(Answer):
    """Money that goes back to who had paid it."""

    amount_fen: int = Field(description="How much, fen. | 金额，单位分。")
    surcharge_fen: int = Field(description="Of it surcharge, fen. | 其中加收，单位分。")
    reference: str = Field(description="The bank's number. | 流水号。")
    paid_on: date = Field(description="When. | 退还日期。")
    agreed: bool | None = Field(description="Whether another agreed; null: waits. | 复核结果，空为待复核。")


class RecoveryView(RecoverySummary):
    """A claim with everything about it."""

    yearly_bp: int = Field(description="Surcharge, basis points a year. | 加收年利率，万分之一。")
    rate_rests_on: str = Field(description="What the rate rests on. | 利率依据。")
    may_offset: bool = Field(description="Later payments may be kept back. | 是否可从后续兑付抵扣。")
    open_fen: int = Field(description="Principal still owed, fen. | 尚欠本金，单位分。")
    open_surcharge_fen: int = Field(description="Surcharge owed today, fen. | 截至今日应付加收，单位分。")
    arithmetic: str = Field(description="How it was worked out. | 计算过程。")
    lines: list[OpenLineView] = Field(description="What it consists of. | 追缴明细。")
    instalments: list[InstalmentView] = Field(description="The plan. | 分期计划。")
    receipts: list[RecoveryReceiptView] = Field(description="What came back. | 到账记录。")
    write_off_reason: str = Field(description="Why it is to be written off. | 核销理由。")
    owed_back_fen: int = Field(description="Collected, to be given back, fen. | 应退还金额，单位分。")
    returns: list[RecoveryReturnView] = Field(description="What was given back. | 退还记录。")


def recovery_summary_of(claim: Recovery) -> dict[str, object]:
    """The fields of a claim in a list."""
    return {
        "id": claim.id,
        "number": claim.number,
        "programme": claim.programme_slug,
        "sanction_id": claim.case_id,
        "name": claim.debtor.name,
        "status": claim.status,
        "principal_fen": claim.principal_fen,
        "collected_fen": claim.collected_fen,
        "surcharge_fen": claim.surcharge_fen,
        "due_on": claim.due_on,
        "due_provisional": claim.due_provisional,
        "version": claim.version,
    }


def recovery_view_of(
    claim: Recovery,
    balance: Balance,
    lines: Sequence[RecoveryLine],
    receipts: Sequence[RecoveryReceipt],
    returns: Sequence[RecoveryReturn],
    owed_back_fen: int,
) -> RecoveryView:
    """A claim with everything about it."""
    return RecoveryView.model_validate(
        {
            **recovery_summary_of(claim),
            "yearly_bp": claim.yearly_bp,
            "rate_rests_on": claim.rate_rests_on,
            "may_offset": claim.may_offset,
            "open_fen": balance.principal_fen,
            "open_surcharge_fen": balance.surcharge_fen,
            "arithmetic": balance.arithmetic,
            "lines": [_shown(OpenLineView, one) for one in lines],
            "instalments": claim.instalments,
            "receipts": [_shown(RecoveryReceiptView, one) for one in receipts],
            "write_off_reason": claim.write_off_reason,
            "owed_back_fen": owed_back_fen,
            "returns": [_shown(RecoveryReturnView, one) for one in returns],
        }
    )


def _shown(view: type[Answer], row: object) -> dict[str, object]:
    return {name: getattr(row, name) for name in view.model_fields}
