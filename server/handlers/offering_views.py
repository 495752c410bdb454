"""Offering views: how an offering, a version of it and its draft look over HTTP."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic import AwareDatetime, Field

from server.handlers.api import Answer
from server.handlers.problems import UnmetCondition
from server.models.offerings import Offering, OfferingVersion
from server.rules.offering_form import columns_of
from server.rules.offerings import DraftStatus, OfferingStatus
from server.services.marketplace.offering_book import written
from server.services.marketplace.offering_drafts import OfferingDraft

PROGRAMME = "The programme. | 项目代码。"
CATEGORY = "Code of the programme's category. | 服务类别代码。"
SERVICE = "The matter, in the words of the category's list if it can. | 服务事项，尽量用类别所列的表述。"
KINDS = "Kinds of service that ask for documents of their own. | 须另交材料的服务类型。"
NAME = "What it is called. | 服务产品名称。"
AREAS = (
    "Where it serves, as paths from the largest unit down; empty: anywhere. | 服务区域，逐级写明，空为不限。"
)
FROM = "The price, or the least of a range, fen; null: agreed later. | 价格或最低价，单位分，空为面议。"
TO = "The most of a range, fen; the same where there is one price. | 最高价，单位分，只有一个价格时相同。"
PARTS = "What each price of a range buys. | 分项价格及对应的服务内容。"
COMPARISONS = "Similar products on the market. | 市场同类产品比价。"
VALUES = (
    "By the code of the field; money in fen, dates as 2026-05-18, null takes it out. "
    "| 按字段代码填写；金额单位分，日期如 2026-05-18，null 表示清除。"
)
DOCUMENTS = "Ids of files, by the code of the document. | 按材料代码填写文件编号。"
VERSION = "The version of the draft that was looked at. | 所依据的草稿版本。"


class PricePartView(Answer):
    """What one price of a range buys."""

    content: str = Field(description="What is done for it. | 服务内容。")
    price_fen: int = Field(description="Fen. | 价格，单位分。")


class ComparisonView(Answer):
    """A similar product on the market."""

    name: str = Field(description="Product and who offers it. | 产品及提供方。")
    price_fen: int = Field(description="Its price, fen. | 价格，单位分。")


class ContentView(Answer):
    """What an offering says and shows."""

    category: str = Field(description=CATEGORY)
    service: str = Field(description=SERVICE)
    kinds: list[str] = Field(description=KINDS)
    name: str = Field(description=NAME)
    areas: list[str] = Field(description=AREAS)
    price_from_fen: int | None = Field(description=FROM)
    price_to_fen: int | None = Field(description=TO)
    price_parts: list[PricePartView] = Field(description=PARTS)
    comparisons: list[ComparisonView] = Field(description=COMPARISONS)
    values: dict[str, Any] = Field(description=VALUES)
    documents: dict[str, list[int]] = Field(description=DOCUMENTS)


class OfferingView(Answer):
    """An offering, without what is being written."""

    id: int = Field(description="The offering. | 服务产品编号。")
    programme: str = Field(description=PROGRAMME)
    provider_id: int = Field(description="Who offers it. | 服务机构编号。")
    provider: str = Field(description="Its name. | 服务机构名称。")
    status: OfferingStatus = Field(
        description="unlisted, listed, withdrawn, taken_down or ended. "
        "| 未上架、已上架、已撤下、被下架、目录期满。"
    )
    status_reason: str = Field(description="Why it was taken off. | 下架原因。")
    draft_status: DraftStatus = Field(
        description="open, submitted, returned, refused or passed. | 草稿、审核中、被退回、未通过、已通过。"
    )
    current_version_id: int | None = Field(description="What is listed. | 已上架的版本编号。")
    submitted_version_id: int | None = Field(description="What is under review. | 审核中的版本编号。")
    case_id: int | None = Field(description="Its latest review. | 最近一次审核编号。")


class OfferingDraftView(OfferingView):
    """An offering as its provider writes it."""

    version: int = Field(description="Counts the savings. | 草稿版本。")
    content: ContentView = Field(description="What is being written. | 填写内容。")
    returned: dict[str, str] = Field(description="Items to correct, with reasons. | 被退回的项及理由。")
    reason: str = Field(description="Why it was returned or refused. | 退回或未通过的说明。")
    faults: list[UnmetCondition] = Field(description="What is wrong with what is there. | 填写有误之处。")
    missing: list[UnmetCondition] = Field(description="What is still missing. | 尚缺的内容。")
    saved_by: str = Field(description="Who saved it last. | 最近保存人。")
    saved_at: AwareDatetime = Field(description="When. | 最近保存时间。")


class OfferingVersionView(ContentView):
    """What was handed in once; it never changes."""

    id: int = Field(description="The version. | 版本编号。")
    number: int = Field(description="1 is the first. | 第几版。")
    selection_id: int | None = Field(description="The round it was handed in for. | 所属征集批次。")
    submitted_at: AwareDatetime = Field(description="When it was handed in. | 提交时间。")
    listed_at: AwareDatetime | None = Field(description="When it was listed. | 上架时间。")
    ended_at: AwareDatetime | None = Field(description="When that ended. | 下架时间。")
    valid_until: AwareDatetime | None = Field(
        description="End of its catalogue year (exclusive). | 所在目录的期满时间（不含）。"
    )


def offering_fields(row: Offering) -> dict[str, Any]:
    """The fields of :class:`OfferingView`; the provider is loaded."""
    return {
        "id": row.id,
        "programme": row.programme_slug,
        "provider_id": row.provider_id,
        "provider": row.provider.name,
        "status": row.status,
        "status_reason": row.status_reason,
        "draft_status": row.draft_status,
        "current_version_id": row.current_version_id,
        "submitted_version_id": row.submitted_version_id,
        "case_id": row.case_id,
    }


def draft_view(draft: OfferingDraft) -> OfferingDraftView:
    """An offering as its provider sees it."""
    row = draft.offering
    return OfferingDraftView(
        **offering_fields(row),
        version=row.version,
        content=ContentView(**columns_of(draft.content)),
        returned=row.returned,
        reason=row.reason,
        faults=[UnmetCondition(**asdict(one)) for one in draft.faults],
        missing=[UnmetCondition(**asdict(one)) for one in draft.missing],
        saved_by=draft.saved_by,
        saved_at=row.saved_at,
    )


def version_view(row: OfferingVersion) -> OfferingVersionView:
    """A version as whoever may see it sees it."""
    return OfferingVersionView(
        **columns_of(written(row)),
        id=row.id,
        number=row.number,
        selection_id=row.selection_id,
        submitted_at=row.submitted_at,
        listed_at=row.listed_at,
        ended_at=row.ended_at,
        valid_until=row.valid_until,
    )
