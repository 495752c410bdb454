"""Orders as the API shows them. Money in fen, instants in UTC."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import AwareDatetime, Field

from server import texts
from server.errors import Unmet
from server.handlers.api import Access, Answer
from server.handlers.asked_views import AskedDocumentView, AskedFieldView, asked_document, asked_field
from server.handlers.paging import NextPage
from server.handlers.problems import UnmetCondition
from server.models.orders import Order, OrderPaper
from server.models.organisations import MemberRole
from server.programme.papers import AmountRule, Document
from server.programme.papers import Field as FormField
from server.programme.steps import StepKind
from server.programme.vocabulary import Actor as ProgrammeActor
from server.programme.vocabulary import Party
from server.rules.invoice_checks import Wanted
from server.rules.orders import OrderStatus
from server.services.access import StaffRole
from server.services.orders.order_lists import OrderShown, StepShown

ORDER_READERS = Access(
    frozenset({"person", "staff"}), frozenset({*MemberRole, *StaffRole} - {StaffRole.ADMINISTRATOR})
)
"""Both sides, and whoever works on a programme; an administrator keeps accounts only."""


class SummaryView(Answer):
    """An order in a list."""

    id: int = Field(description="The order. | 订单编号。")
    number: str = Field(description="What people read aloud. | 订单号。")
    programme: str = Field(description="The programme's slug. | 项目代码。")
    status: OrderStatus = Field(description="Where it stands. | 状态。")
    status_text: str = Field(description="The same in words. | 状态说明。")
    step: StepKind | None = Field(description="What comes next. | 下一步骤。")
    due_at: AwareDatetime | None = Field(description="Until when. | 办理截止时间。")
    enterprise: str = Field(description="The enterprise's name. | 企业名称。")
    provider: str = Field(description="The provider's name. | 服务机构名称。")
    project: str = Field(description="What is served. | 服务项目名称。")
    category: str = Field(description="Category code. | 服务类别代码。")
    price_fen: int = Field(description="Agreed price, fen. | 约定价格，单位分。")
    voucher_fen: int = Field(description="What vouchers pay, fen. | 服务券抵扣额，单位分。")
    placed_at: AwareDatetime = Field(description="When it was opened. | 下单时间。")


class OrderList(Answer):
    """A page of orders, by id."""

    orders: list[SummaryView] = Field(description="The orders. | 订单列表。")
    next_after: NextPage


class ChecklistView(Answer):
    """Everything that would stand against a step now."""

    missing: list[UnmetCondition] = Field(description="What is missing or wrong. | 缺少或有误的内容。")


class StepView(Answer):
    """One step of an order."""

    kind: StepKind = Field(description="Stable code. | 步骤代码。")
    name: str = Field(description="What it is called. | 步骤名称。")
    actor: ProgrammeActor = Field(description="Who does it. | 办理方。")
    state: str = Field(description="done, now, later or left_out. | 状态。")
    done_at: AwareDatetime | None = Field(description="When it was done. | 完成时间。")
    optional: bool = Field(description="May be left out. | 可不办理。")
    clause: str = Field(description="The provision. | 依据条款。")


class AskFieldView(AskedFieldView):
    """A field to fill in with a step."""

    code: str = Field(description="Its code in values. | 填写时使用的代码。")


class AskDocumentView(AskedDocumentView):
    """A document to hand in with a step."""

    amount: AmountRule | None = Field(description="What the amount on it must be. | 金额要求。")
    minimum_bp: int | None = Field(description="Least part of the invoice, bp. | 至少占发票的万分比。")


class AskTermsView(Answer):
    """What an invoice or a receipt has to show, before it is handed in."""

    code: str = Field(description="The document, or the step whose fields these are. | 材料或步骤代码。")
    amount_fen: int | None = Field(description="What they come to; null: any. | 金额合计，空为不限，单位分。")
    at_least: bool = Field(description="More will do as well. | 是否可以更多。")
    payer: str = Field(description="Payer or buyer. | 付款方（购买方）。")
    payee: str = Field(description="Payee or seller; empty: not known here. | 收款方（销售方），空为未登记。")
    first_day: date | None = Field(description="The earliest day on it. | 最早日期。")
    last_day: date | None = Field(description="The latest day on it. | 最晚日期。")
    clause: str = Field(description="The provision. | 依据条款。")


class AskView(Answer):
    """What is asked of the asker now."""

    kind: StepKind = Field(description="The step. | 步骤代码。")
    name: str = Field(description="What it is called. | 步骤名称。")
    fields: list[AskFieldView] = Field(description="What to fill in. | 须填写的内容。")
    documents: list[AskDocumentView] = Field(description="What to hand in. | 须提交的材料。")
    terms: list[AskTermsView] = Field(description="What their papers must show. | 票据须载明的内容。")
    clause: str = Field(description="The provision. | 依据条款。")


class PaperView(Answer):
    """A document that was handed in."""

    id: int = Field(description="The paper. | 材料编号。")
    step: StepKind = Field(description="With which step. | 所属步骤。")
    code: str = Field(description="The document's code. | 材料代码。")
    file_ids: list[int] = Field(description="Its files. | 文件编号。")
    number: str = Field(description="Its number. | 号码。")
    amount_fen: int | None = Field(description="Its amount, fen. | 金额，单位分。")
    dated: date | None = Field(description="Its date. | 日期。")
    handed_at: AwareDatetime = Field(description="When. | 提交时间。")


class OrderContractView(Answer):
    """The order's contract."""

    id: int = Field(description="The contract. | 合同记录编号。")
    number: str = Field(description="Its number. | 合同编号。")
    status: str = Field(description="Where it stands. | 状态。")
    amount_fen: int = Field(description="Its amount, fen. | 合同金额，单位分。")
    signed_on: date | None = Field(description="The day it bears. | 签订日期。")
    enterprise_name: str = Field(description="The enterprise in it. | 合同上的企业名称。")
    provider_name: str = Field(description="The provider in it. | 合同上的服务机构名称。")


class OrderView(SummaryView):
    """An order, where it stands, and what is asked of the asker."""

    version: int = Field(description="To be sent back with what one does. | 版本号，办理时带回。")
    as_party: Party | None = Field(description="Which side the asker is. | 本单位是哪一方。")
    sentence: str = Field(description="Whose turn it is, until when. | 当前进度说明。")
    steps: list[StepView] = Field(description="All its steps. | 全部步骤。")
    ask: AskView | None = Field(description="What is asked of me now. | 需要本单位办理的内容。")
    offering_id: int | None = Field(description="The offering. | 服务产品编号。")
    offering_version_id: int | None = Field(description="Its version, for good. | 下单时的产品版本。")
    contract: OrderContractView | None = Field(description="Its contract. | 服务合同。")
    voucher_id: int | None = Field(description="The voucher it uses. | 使用的服务券。")
    list_price_fen: int | None = Field(description="The offering's price, fen. | 目录价格，单位分。")
    contract_fen: int | None = Field(description="By the contract, fen. | 合同价，单位分。")
    invoice_fen: int | None = Field(description="Invoiced, fen. | 发票金额，单位分。")
    actual_fee_fen: int | None = Field(description="Really incurred, fen. | 实际发生额，单位分。")
    unrelated_fen: int = Field(description="Not of the service, fen. | 与服务无关的金额，单位分。")
    own_share_fen: int = Field(description="The enterprise's own share, fen. | 企业自付金额，单位分。")
    deposit_fen: int = Field(description="Of it, the deposit, fen. | 其中定金，单位分。")
    escrow_fen: int = Field(description="Of it, held by the operator, fen. | 其中保证金，单位分。")
    shares: str = Field(description="How the price is divided. | 价款构成。")
    clause: str = Field(description="What limits the voucher. | 抵扣额的依据条款。")
    arithmetic: str = Field(description="How it was worked out. | 抵扣额的计算过程。")
    papers: list[PaperView] = Field(description="What was handed in. | 已提交的材料。")
    offer_complaint: bool = Field(
        description="I rated it low: the phone offers a complaint. | 本单位给了差评，提示可一键投诉。"
    )
    held: str = Field(description="That supervision holds it, or empty. | 暂扣说明，未暂扣为空。")
    reason: str = Field(description="Why it ended. | 终止原因。")
    ended_at: AwareDatetime | None = Field(description="When it ended. | 终止时间。")


def summary_of(row: Order) -> SummaryView:
    """An order in a list; its sides are loaded."""
    return SummaryView(**_summary(row))


def view_of(shown: OrderShown) -> OrderView:
    """An order in full."""
    row, shares, contract = shown.order, shown.shares, shown.contract
    return OrderView(
        **_summary(row),
        version=row.version,
        as_party=shown.party,
        sentence=shown.sentence,
        steps=[_step(one) for one in shown.steps],
        ask=None
        if shown.ask is None
        else AskView(
            kind=shown.ask.step.kind,
            name=shown.ask.step.name,
            fields=[_field(one) for one in shown.ask.fields],
            documents=[_document(one) for one in shown.ask.documents],
            terms=[_terms(code, one) for code, one in shown.ask.terms.items()],
            clause=shown.ask.step.article,
        ),
        offering_id=row.offering_id,
        offering_version_id=row.offering_version_id,
        contract=None
        if contract is None
        else OrderContractView(
            id=contract.id,
            number=contract.number,
            status=contract.status.value,
            amount_fen=contract.amount_fen,
            signed_on=contract.signed_on,
            enterprise_name=contract.enterprise_name,
            provider_name=contract.provider_name,
        ),
        voucher_id=row.voucher_id,
        list_price_fen=row.list_price_fen,
        contract_fen=row.contract_fen,
        invoice_fen=row.invoice_fen,
        actual_fee_fen=row.actual_fee_fen,
        unrelated_fen=row.unrelated_fen,
        own_share_fen=shares.own_share_fen,
        deposit_fen=shares.deposit_fen,
        escrow_fen=shares.escrow_fen,
        shares=shares.arithmetic,
        clause=row.clause,
        arithmetic=row.arithmetic,
        papers=[_paper(one) for one in shown.papers],
        offer_complaint=shown.offer_complaint,
        held=shown.held,
        reason=row.reason,
        ended_at=row.ended_at,
    )


def unmet_view(one: Unmet) -> UnmetCondition:
    """Something missing or wrong."""
    return UnmetCondition(code=one.code, clause=one.clause, message=one.message, arithmetic=one.arithmetic)


def _summary(row: Order) -> dict[str, Any]:
    return {
        "id": row.id,
        "number": row.number,
        "programme": row.programme_slug,
        "status": row.status,
        "status_text": texts.ORDER_STATUSES[row.status],
        "step": row.step,
        "due_at": row.step_due_at,
        "enterprise": row.enterprise.name,
        "provider": row.provider.name,
        "project": row.project,
        "category": row.category,
        "price_fen": row.price_fen,
        "voucher_fen": row.voucher_fen,
        "placed_at": row.placed_at,
    }


def _step(one: StepShown) -> StepView:
    return StepView(
        kind=one.step.kind,
        name=one.step.name,
        actor=one.step.actor,
        state=one.state,
        done_at=one.done_at,
        optional=one.step.optional,
        clause=one.step.article,
    )


def _field(one: FormField) -> AskFieldView:
    return AskFieldView(code=one.code, **asked_field(one))


def _document(one: Document) -> AskDocumentView:
    return AskDocumentView(amount=one.amount, minimum_bp=one.minimum_bp, **asked_document(one))


def _terms(code: str, wanted: Wanted) -> AskTermsView:
    first, last = wanted.window
    return AskTermsView(
        code=code,
        amount_fen=wanted.amount_fen,
        at_least=wanted.exact_fen is None and wanted.document.amount is AmountRule.OWN_SHARE_AT_LEAST,
        payer=next(iter(wanted.payers), ""),
        payee=next(iter(wanted.payees), ""),
        first_day=max((day for day in (first, wanted.first_day) if day is not None), default=None),
        last_day=last,
        clause=wanted.document.article,
    )


def _paper(one: OrderPaper) -> PaperView:
    return PaperView(
        id=one.id,
        step=one.step,
        code=one.code,
        file_ids=one.files,
        number=one.number,
        amount_fen=one.amount_fen,
        dated=one.dated,
        handed_at=one.handed_at,
    )
