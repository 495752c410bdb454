"""What is shown of sanctions: to staff, to the party, to everybody."""

from __future__ import annotations

from datetime import date

from aiohttp import web
from pydantic import AwareDatetime, Field

from server import texts
from server.handlers.api import Answer, staff
from server.handlers.paging import AfterId, NextPage, next_page
from server.handlers.parsing import Id, Path, Query
from server.keys import SANCTIONS
from server.models.sanctions import SanctionAppeal, SanctionCase
from server.programme.vocabulary import Party
from server.rules.lifecycles import IllegalMove, NotPermittedNow
from server.rules.review import ReasonMissing
from server.rules.sanction_cases import Effect, SanctionSource, SanctionStatus
from server.services.access import StaffRole
from server.services.files.file_safety import FileUnacceptable
from server.services.files.files import FilesUnknown
from server.services.reviews.reviewers import OwnReview
from server.services.sanctions import sanction_lists
from server.services.sanctions.sanction_book import READERS, SanctionMovedOn
from server.services.sanctions.sanction_lists import PAGE, CaseFile, masked
from server.services.sanctions.sanction_preview import Preview
from server.services.sanctions.sanctions import PROPOSERS

NUMBER = "What people read aloud. | 编号。"
CLAUSE = "The provision. | 依据条款。"
VERSION = "Its version, for the next change. | 版本号，下次办理时带上。"
REASON = "Why. | 理由。"
SEEING = staff(*sorted(READERS))
DECIDING = staff(*sorted(READERS - {StaffRole.AUDITOR}))
PROPOSING = staff(*sorted(PROPOSERS))
MOVED = (NotPermittedNow, IllegalMove, SanctionMovedOn, OwnReview, ReasonMissing)
"""How every change of a case may be refused."""
ATTACHED = (FilesUnknown, FileUnacceptable)
MOST_FILES = 20
LONGEST = 4000


class SanctionPath(Path):
    """A case."""

    sanction_id: Id = Field(description="The case. | 案件编号。")


class SanctionSummary(Answer):
    """A case in a list."""

    id: int = Field(description="The case. | 案件编号。")
    number: str = Field(description=NUMBER)
    programme: str = Field(description="The programme. | 项目代码。")
    organisation_id: int = Field(description="Against whom. | 当事人编号。")
    name: str = Field(description="Its name. | 当事人名称。")
    party: Party = Field(description="As which side. | 当事人身份。")
    ground: str = Field(description="The ground, by its code. | 事由代码。")
    clause: str = Field(description=CLAUSE)
    measures: list[str] = Field(description="What follows. | 处理措施代码。")
    measures_said: str = Field(description="The same in words. | 处理措施。")
    status: SanctionStatus = Field(description="Where it stands. | 状态。")
    status_said: str = Field(description="The same in words. | 状态名称。")
    proposed_at: AwareDatetime = Field(description="When it was proposed. | 提出时间。")
    hearing_until: AwareDatetime | None = Field(description="Until when it is heard, exclusive. | 陈述期限。")
    decided_at: AwareDatetime | None = Field(description="When it was decided. | 决定时间。")
    starts_at: AwareDatetime | None = Field(description="From when it holds. | 起始时间。")
    ends_at: AwareDatetime | None = Field(description="Until when, exclusive; null: for good. | 截止时间。")
    appeal_until: AwareDatetime | None = Field(description="Until when to appeal, exclusive. | 申诉期限。")
    version: int = Field(description=VERSION)


class SanctionEntryView(Answer):
    """One thing said in a case."""

    kind: str = Field(description="proposal, statement or note. | 类型。")
    author: str = Field(description="Who wrote it. | 作者。")
    words: str = Field(description="What it says. | 内容。")
    files: list[int] = Field(description="Its files. | 附件编号。")
    at: AwareDatetime = Field(description="When. | 时间。")


class SanctionEffectView(Answer):
    """One thing that a decision does."""

    effect: Effect = Field(description="What. | 事项。")
    subject: str = Field(description="To what. | 对象。")
    amount_fen: int | None = Field(description="The money concerned, fen. | 涉及金额，单位分。")
    note: str = Field(description="What came of it. | 办理结果。")
    done_at: AwareDatetime | None = Field(description="When; null: still to do. | 完成时间。")
    undone_at: AwareDatetime | None = Field(description="When it was undone. | 撤销时间。")


class SanctionReferralView(Answer):
    """A case that was handed to a department."""

    id: int = Field(description="The record. | 记录编号。")
    referred_to: str = Field(description="To whom. | 移送对象。")
    referred_on: date = Field(description="When. | 移送日期。")
    file_number: str = Field(description="Under which number. | 文号。")
    documents: list[str] = Field(description="What went with it. | 移送材料。")
    files: list[int] = Field(description="Its files. | 附件编号。")


class SanctionAppealView(Answer):
    """An appeal and its answer."""

    words: str = Field(description="What it says. | 申诉内容。")
    files: list[int] = Field(description="Its files. | 附件编号。")
    filed_at: AwareDatetime = Field(description="When. | 提出时间。")
    upheld: bool | None = Field(description="Whether it was upheld; null: not answered. | 是否成立。")
    reason: str = Field(description=REASON)
    decided_at: AwareDatetime | None = Field(description="When it was answered. | 答复时间。")


class SanctionView(SanctionSummary):
    """A case with everything in it, as staff read it."""

    source: SanctionSource = Field(description="What it came from. | 来源。")
    source_id: int | None = Field(description="Which. | 来源编号。")
    facts: str = Field(description="What was found. | 事实。")
    serious: bool = Field(description="Whether it is serious. | 是否情节严重。")
    orders: list[int] | None = Field(description="Which orders; null: every one. | 涉及订单。")
    vouchers: list[int] | None = Field(description="Which vouchers; null: every one. | 涉及服务券。")
    reduced_fen: int | None = Field(description="Reduced by, fen. | 核减金额，单位分。")
    person: str = Field(description="Who was responsible, masked. | 责任人，已脱敏。")
    held: bool = Field(description="Something was held at once. | 是否先行停用。")
    hearing_skipped: str = Field(description="Why it was not heard. | 不听取陈述的理由。")
    reason: str = Field(description=REASON)
    end_reason: str = Field(description="Why it ended. | 解除或撤销理由。")
    entries: list[SanctionEntryView] = Field(description="What was said. | 记录。")
    effects: list[SanctionEffectView] = Field(description="What it does. | 执行事项。")
    referrals: list[SanctionReferralView] = Field(description="To whom it was handed. | 移送记录。")
    appeals: list[SanctionAppealView] = Field(description="Appeals. | 申诉。")
    recovery_id: int | None = Field(description="What is claimed back. | 追缴编号。")


class OwnSanctionView(SanctionSummary):
    """A case as its party reads it: not who works on it."""

    facts: str = Field(description="What was found. | 事实。")
    reason: str = Field(description="Why it was decided. | 决定理由。")
    end_reason: str = Field(description="Why it ended. | 解除或撤销理由。")
    statements: list[SanctionEntryView] = Field(description="What we said. | 我方陈述。")
    appeal: SanctionAppealView | None = Field(description="Our appeal. | 我方申诉。")
    recovery_id: int | None = Field(description="What is claimed back. | 追缴编号。")


class OrderHitView(Answer):
    """An order that ends."""

    order: int = Field(description="The order. | 订单编号。")
    number: str = Field(description=NUMBER)
    project: str = Field(description="What is served. | 项目。")
    held_fen: int = Field(description="Held on it, fen. | 占用金额，单位分。")
    spent_fen: int = Field(description="Spent on it, fen. | 已核销金额，单位分。")


class VoucherHitView(Answer):
    """A voucher that is void."""

    voucher: int = Field(description="The voucher. | 服务券编号。")
    number: str = Field(description=NUMBER)
    free_fen: int = Field(description="Free on it, fen. | 可用余额，单位分。")


class SettlementHitView(Answer):
    """A settlement that is stopped."""

    settlement: int = Field(description="The settlement. | 兑付编号。")
    number: str = Field(description=NUMBER)
    order: int = Field(description="Its order. | 订单编号。")
    amount_fen: int = Field(description="What it comes to, fen. | 金额，单位分。")


class RecoveryLineView(Answer):
    """Money that is claimed back."""

    order: int = Field(description="The order. | 订单编号。")
    number: str = Field(description=NUMBER)
    amount_fen: int = Field(description="How much, fen. | 本金，单位分。")
    paid_out_on: date = Field(description="When it was paid out. | 拨付日期。")


class SanctionPreviewView(Answer):
    """Everything that would follow from a decision of today."""

    digest: str = Field(description="To be named with the decision. | 预览摘要，作出决定时带上。")
    measures: list[str] = Field(description="What follows. | 处理措施代码。")
    effects: list[Effect] = Field(description="What is done. | 执行事项。")
    lasting: list[Effect] = Field(description="What an appeal could not undo. | 不可逆转的事项。")
    standing: str = Field(description="The standing that ends; empty: none. | 将终止的资格状态。")
    bars_from: date | None = Field(description="Barred from. | 限制起始日。")
    bars_until: date | None = Field(description="The last day; null: for good. | 限制截止日，空为长期。")
    bars_person: bool = Field(description="The person responsible too. | 是否限制责任人。")
    scope: str = Field(description="What a wider ban covers. | 限制范围。")
    announced_where: str = Field(description="Where it is announced. | 公告渠道。")
    referred_to: str = Field(description="Whom it is handed to. | 移送对象。")
    orders: list[OrderHitView] = Field(description="Orders that end. | 将终止的订单。")
    vouchers: list[VoucherHitView] = Field(description="Vouchers that are void. | 将作废的服务券。")
    settlements: list[SettlementHitView] = Field(description="Settlements stopped. | 将停止的兑付。")
    unclaimed: list[OrderHitView] = Field(
        description="Accepted, not handed in for settlement: void too. | 未申请兑付、一并不予兑付的订单。"
    )
    reduced_fen: int = Field(description="Reduced by, fen. | 核减金额，单位分。")
    paid_out: list[RecoveryLineView] = Field(description="What is claimed back. | 将追缴的资金。")
    principal_fen: int = Field(description="Principal, fen. | 追缴本金，单位分。")
    surcharge_fen: int = Field(description="Borne until today, fen. | 截至今日加收，单位分。")
    yearly_bp: int = Field(description="Surcharge, basis points a year. | 加收年利率，万分之一。")
    rate_rests_on: str = Field(description="What the rate rests on. | 利率依据。")
    arithmetic: str = Field(description="How it was worked out. | 计算过程。")


def summary_of(case: SanctionCase) -> dict[str, object]:
    """The fields of a summary."""
    return {
        "id": case.id,
        "number": case.number,
        "programme": case.programme_slug,
        "organisation_id": case.against_id,
        "name": case.against.name,
        "party": case.party,
        "ground": case.ground,
        "clause": case.clause,
        "measures": case.measures,
        "measures_said": texts.LIST.join(texts.MEASURES[one] for one in case.measures),
        "status": case.status,
        "status_said": texts.SANCTION_STATUSES[case.status],
        "proposed_at": case.proposed_at,
        "hearing_until": case.hearing_until,
        "decided_at": case.decided_at,
        "starts_at": case.starts_at,
        "ends_at": case.ends_at,
        "appeal_until": case.appeal_until,
        "version": case.version,
    }


def view_of(file: CaseFile, person: str) -> SanctionView:
    """A case for staff; ``person`` is opened by the caller and masked here."""
    case = file.case
    return SanctionView.model_validate(
        {
            **summary_of(case),
            "source": case.source,
            "source_id": case.source_id,
            "facts": case.facts,
            "serious": case.serious,
            "orders": case.orders,
            "vouchers": case.vouchers,
            "reduced_fen": case.reduced_fen,
            "person": masked(person),
            "held": case.suspension_id is not None,
            "hearing_skipped": case.hearing_skipped,
            "reason": case.reason,
            "end_reason": case.end_reason,
            "entries": [_shown(SanctionEntryView, one) for one in file.entries],
            "effects": [_shown(SanctionEffectView, one) for one in file.effects],
            "referrals": [_shown(SanctionReferralView, one) for one in file.referrals],
            "appeals": [_shown(SanctionAppealView, one) for one in file.appeals],
            "recovery_id": None if file.recovery is None else file.recovery.id,
        }
    )


def own_view_of(file: CaseFile) -> OwnSanctionView:
    """A case for its party."""
    case = file.case
    return OwnSanctionView.model_validate(
        {
            **summary_of(case),
            "facts": case.facts,
            "reason": case.reason,
            "end_reason": case.end_reason,
            "statements": [_shown(SanctionEntryView, one) for one in file.entries if one.kind == "statement"],
            "appeal": appeal_of(file.appeals[-1]) if file.appeals else None,
            "recovery_id": None if file.recovery is None else file.recovery.id,
        }
    )


def appeal_of(appeal: SanctionAppeal) -> SanctionAppealView:
    """An appeal."""
    return SanctionAppealView.model_validate(_shown(SanctionAppealView, appeal))


def preview_of(shown: Preview) -> SanctionPreviewView:
    """A preview."""
    return SanctionPreviewView.model_validate(
        {
            **{name: getattr(shown, name) for name in SanctionPreviewView.model_fields},
            "orders": [_shown(OrderHitView, one) for one in shown.orders],
            "vouchers": [_shown(VoucherHitView, one) for one in shown.vouchers],
            "settlements": [_shown(SettlementHitView, one) for one in shown.settlements],
            "unclaimed": [_shown(OrderHitView, one) for one in shown.unclaimed],
            "paid_out": [_shown(RecoveryLineView, one) for one in shown.paid_out],
            "effects": list(shown.effects),
            "lasting": list(shown.lasting),
            "measures": list(shown.measures),
        }
    )


class AfterSanction(Query):
    """From where."""

    after: AfterId = 0


class SanctionCases(Answer):
    """A page of cases."""

    sanctions: list[SanctionSummary] = Field(description="The cases. | 案件列表。")
    next_after: NextPage


def page_of(rows: list[SanctionCase]) -> SanctionCases:
    """A page of cases, and where the next one starts."""
    return SanctionCases(
        sanctions=[SanctionSummary.model_validate(summary_of(row)) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE),
    )


async def shown(request: web.Request, case: SanctionCase) -> SanctionView:
    """A case as it stands now, for staff."""
    book = request.app[SANCTIONS].book
    file = await sanction_lists.latest(case.id)
    return view_of(file, book.sealer.open(file.case.person_name_sealed))


def _shown(view: type[Answer], row: object) -> dict[str, object]:
    return {name: getattr(row, name) for name in view.model_fields}
