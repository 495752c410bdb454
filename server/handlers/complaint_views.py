"""Views of complaints: what each side of a case reads, each its own part."""

from __future__ import annotations

from datetime import date

from pydantic import AwareDatetime, Field

from server import texts
from server.handlers.api import Answer
from server.handlers.parsing import Id, Path
from server.models.complaints import Complaint
from server.rules.complaints import Channel, Closing, ComplaintStatus, EntryKind, Finding, SubjectKind
from server.services.complaints.accusations import Accusation
from server.services.complaints.complaint_book import Line
from server.services.complaints.complaint_lists import HandledCase, OwnCase

NUMBER = "What people read aloud. | 投诉编号。"
DUE = "Until when it is answered, exclusive. | 答复期限（不含）。"
BASIS = "The clause of the ladder, or that it is the house's default. | 依据条款，或平台默认规则。"


class ComplaintPath(Path):
    """A case."""

    complaint_id: Id = Field(description="The case. | 投诉编号（内部）。")


class AttachmentView(Answer):
    """A file that came with an entry."""

    id: int = Field(description="The attachment. | 附件编号。")
    media_type: str = Field(description="Of the copy that is shown. | 文件类型。")
    pages: int = Field(description="How many pages. | 页数。")


class ComplaintEntryView(Answer):
    """One thing said or done."""

    id: int = Field(description="The entry. | 记录编号。")
    kind: EntryKind = Field(description="What happened. | 记录类型。")
    kind_name: str = Field(description="The same in Chinese. | 类型说明。")
    by: str = Field(description="Who, without a name. | 由谁（不含姓名）。")
    words: str = Field(description="What was said, or empty. | 内容。")
    attachments: list[AttachmentView] = Field(description="What came with it. | 附件。")
    at: AwareDatetime = Field(description="When. | 时间。")


class ComplaintSummary(Answer):
    """A case in short."""

    id: int = Field(description="The case. | 投诉编号（内部）。")
    number: str = Field(description=NUMBER)
    programme: str = Field(description="Its programme, or empty. | 项目代码，可为空。")
    subject: SubjectKind = Field(description="What it is about. | 投诉对象类型。")
    subject_id: int | None = Field(description="The order, provider or round. | 投诉对象编号。")
    channel: Channel = Field(description="How it came. | 来源渠道。")
    anonymous: bool = Field(description="Nobody reads whose it is. | 是否匿名。")
    status: ComplaintStatus = Field(description="Where it stands. | 状态。")
    status_name: str = Field(description="The same in Chinese. | 状态说明。")
    filed_at: AwareDatetime = Field(description="When it was filed. | 提交时间。")
    receipt_due_at: AwareDatetime = Field(description="Until it is taken on, exclusive. | 受理期限（不含）。")
    answer_due_at: AwareDatetime = Field(description=DUE)
    due_provisional: bool = Field(description="A year's holidays are not published. | 期限是否暂定。")
    finding: Finding | None = Field(description="What was found. | 核查认定。")
    serious: bool = Field(description="True, and serious. | 是否属实且影响严重。")
    urges: int = Field(description="How often it was urged. | 催办次数。")
    reopened: int = Field(description="How often it was opened again. | 重新办理次数。")
    closed_how: Closing | None = Field(description="Why it is closed. | 办结方式。")


class OwnComplaint(ComplaintSummary):
    """A case of one's own, with everything its complainant may read and do."""

    rung: str = Field(description="Where it is handled. | 当前办理层级。")
    basis: str = Field(description=BASIS)
    happened: str = Field(description="What happened. | 发生了什么。")
    since: date | None = Field(description="Since when. | 从何时起。")
    wanted: str = Field(description="What is wanted. | 诉求。")
    entries: list[ComplaintEntryView] = Field(description="The thread. | 办理过程。")
    urgeable: bool = Field(description="It may be urged now. | 现在可否催办。")
    urge_again_at: AwareDatetime | None = Field(description="From when again. | 下次可催办时间。")
    confirm_until: AwareDatetime | None = Field(
        description="Until when to confirm or not, exclusive. | 确认截止时间（不含）。"
    )
    reopenable: bool = Field(description="It may be opened again. | 现在可否要求重新办理。")
    reopen_until: AwareDatetime | None = Field(description="Until when, exclusive. | 重新办理截止时间。")
    mailbox: bool = Field(description="It may go into the mailbox. | 可否转独立信箱。")
    handling: str | None = Field(description="How the handling was. | 对办理的评价。")


class HandledComplaint(ComplaintSummary):
    """A case as whoever handles it reads it: nothing of whose it is."""

    rung: str = Field(description="The rung it stands at. | 当前办理层级。")
    basis: str = Field(description=BASIS)
    methods: list[str] = Field(description="How it is looked into. | 核查方式。")
    happened: str = Field(description="What happened. | 发生了什么。")
    since: date | None = Field(description="Since when. | 从何时起。")
    wanted: str = Field(description="What is wanted. | 诉求。")
    accused_id: int | None = Field(description="The accused organisation. | 被投诉单位编号。")
    assigned_to: int | None = Field(description="Who has it in hand. | 经办人员编号。")
    overdue: bool = Field(description="Seen as overdue. | 是否已逾期。")
    held: bool = Field(description="Its order is held. | 订单是否暂扣。")
    entries: list[ComplaintEntryView] = Field(description="The thread. | 办理过程。")


class AccusationView(Answer):
    """A case as its accused side reads it."""

    id: int = Field(description="The case. | 投诉编号（内部）。")
    number: str = Field(description=NUMBER)
    finding: Finding | None = Field(description="What was found. | 核查认定。")
    order_id: int | None = Field(description="Its order, once something was found. | 订单，认定后可见。")
    closed: bool = Field(description="It is closed. | 是否办结。")
    entries: list[ComplaintEntryView] = Field(description="What this side may read. | 本单位可见的记录。")


def summary_of(row: Complaint) -> dict[str, object]:
    """The fields every view of a case shares."""
    return {
        "id": row.id,
        "number": row.number,
        "programme": row.programme_slug,
        "subject": row.subject,
        "subject_id": row.subject_id,
        "channel": row.channel,
        "anonymous": row.anonymous,
        "status": row.status,
        "status_name": texts.COMPLAINT_STATUSES[row.status],
        "filed_at": row.filed_at,
        "receipt_due_at": row.receipt_due_at,
        "answer_due_at": row.answer_due_at,
        "due_provisional": row.due_provisional,
        "finding": row.finding,
        "serious": row.serious,
        "urges": row.urges,
        "reopened": row.reopened,
        "closed_how": row.closed_how,
    }


def summary_view(row: Complaint) -> ComplaintSummary:
    """A case in short."""
    return ComplaintSummary.model_validate(summary_of(row))


def own_view(shown: OwnCase) -> OwnComplaint:
    """A case for its complainant."""
    row = shown.complaint
    return OwnComplaint.model_validate(
        {
            **summary_of(row),
            "rung": shown.rung,
            "basis": shown.basis,
            "happened": shown.happened,
            "since": row.since,
            "wanted": shown.wanted,
            "entries": _entries(shown.lines),
            "urgeable": shown.urgeable,
            "urge_again_at": row.urge_again_at,
            # What is confirmed, withdrawn or closed by time waits for no word any more.
            "confirm_until": row.confirm_until if row.status is ComplaintStatus.ANSWERED else None,
            "reopenable": shown.reopenable,
            "reopen_until": row.reopen_until,
            "mailbox": shown.mailbox,
            "handling": row.handling,
        }
    )


def handled_view(shown: HandledCase) -> HandledComplaint:
    """A case for whoever handles it."""
    row = shown.complaint
    return HandledComplaint.model_validate(
        {
            **summary_of(row),
            "rung": shown.rung,
            "basis": shown.basis,
            "methods": list(shown.methods),
            "happened": shown.happened,
            "since": row.since,
            "wanted": shown.wanted,
            "accused_id": row.accused_id,
            "assigned_to": row.assigned_to,
            "overdue": row.overdue_at is not None,
            "held": shown.held,
            "entries": _entries(shown.lines),
        }
    )


def accusation_view(shown: Accusation) -> AccusationView:
    """A case for its accused side."""
    return AccusationView(
        id=shown.id,
        number=shown.number,
        finding=shown.finding,
        order_id=shown.order_id,
        closed=shown.closed,
        entries=_entries(shown.lines),
    )


def _entries(lines: tuple[Line, ...]) -> list[ComplaintEntryView]:
    return [
        ComplaintEntryView(
            id=line.entry.id,
            kind=line.entry.kind,
            kind_name=texts.COMPLAINT_ENTRIES[line.entry.kind],
            by=line.by,
            words=line.words,
            attachments=[
                AttachmentView(id=row.id, media_type=row.file.shown_media_type, pages=row.file.pages)
                for row in line.files
            ],
            at=line.entry.at,
        )
        for line in lines
    ]
