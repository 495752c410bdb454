"""Public notices over HTTP, for everybody: reading them, objecting to a line, following what was objected."""

from __future__ import annotations

from aiohttp import hdrs, web
from pydantic import AwareDatetime, Field

from server import texts
from server.handlers.api import PUBLIC, Answer, Routes
from server.handlers.bearer import address_of
from server.handlers.notice_views import (
    NOTICE,
    PROGRAMME,
    NoticeFile,
    NoticeList,
    NoticePath,
    notice_file,
    notice_view,
)
from server.handlers.paging import next_page
from server.handlers.parsing import Body, BodyIncomplete, BodyTooSlow, Id, Path, Query
from server.handlers.review_views import REASON
from server.handlers.streams import body_of
from server.handlers.uploads import WHOLE
from server.keys import IDENTIFY, NOTICE_DESK, SETTINGS
from server.rules.public_notices import NoticeKind, NoticeStatus
from server.rules.review import ReasonMissing
from server.services.access import Actor, NotSignedIn, SessionEnded
from server.services.accounts.tokens import AccessTokenExpired
from server.services.allowances import TooManyToday
from server.services.files.file_intake import UploadCorrupted
from server.services.files.file_safety import FLAWS, FileNameUnusable, FileTypeMismatch, FileUnacceptable
from server.services.open_doors import TooManyFromHere
from server.services.public_notices import notice_reading
from server.services.public_notices.objection_answers import ObjectionAnswered
from server.services.public_notices.objection_files import ObjectionFileTooLarge, ObjectionTooManyFiles
from server.services.public_notices.objections import (
    NoticeOver,
    NotYourObjection,
    ObjectionPending,
    ObjectorRevealed,
    ObjectorUnnamed,
    Statement,
)

routes = Routes("public_notices")

PAGE = 50
LONGEST_NAME, LONGEST_CONTACT = 40, 60
RECEIPT = "The code of its receipt; keep it secret. | 查询码，请妥善保管。"


class NoticesQuery(Query):
    """Which notices."""

    programme: str | None = Field(
        default=None, max_length=64, description="Only of this programme. | 只看该项目。"
    )
    status: NoticeStatus | None = Field(default=None, description="Only these. | 只看该状态。")
    kind: NoticeKind | None = Field(default=None, description="Only these. | 只看该类型。")
    before: Id | None = Field(default=None, description="Older than this id. | 早于该编号。")


class LinePath(NoticePath):
    """One line of a notice."""

    place: int = Field(ge=1, le=2**31 - 1, description="Its number on the notice. | 序号。")


class Object(Body):
    """An objection."""

    reason: str = Field(min_length=2, max_length=2000, description=REASON, examples=["申报材料不实"])
    anonymous: bool = Field(
        description="Neither name nor contact is kept. | 是否匿名，匿名时不保存姓名和联系方式。",
        examples=[True],
    )
    name: str = Field(default="", max_length=LONGEST_NAME, description="My name. | 姓名。", examples=[""])
    contact: str = Field(
        default="", max_length=LONGEST_CONTACT, description="How to reach me. | 联系方式。", examples=[""]
    )


class ObjectionMade(Answer):
    """The objection, as it was received."""

    receipt: str = Field(description=RECEIPT)
    due_at: AwareDatetime | None = Field(description="To be answered by then. | 答复期限。")
    by_default: bool = Field(description="No text says so: the house's default. | 是否平台默认期限。")


class ReceiptPath(Path):
    """A receipt."""

    receipt: str = Field(min_length=20, max_length=24, description=RECEIPT)


class FollowedView(Answer):
    """An objection, as whoever holds its receipt sees it."""

    notice_id: int = Field(description=NOTICE)
    number: str = Field(description="The notice's number. | 公示编号。")
    programme: str = Field(description=PROGRAMME)
    place: int = Field(description="The line. | 序号。")
    made_at: AwareDatetime = Field(description="When it was made. | 提出时间。")
    due_at: AwareDatetime | None = Field(description="To be answered by then. | 答复期限。")
    files: int = Field(description="How many files came with it. | 附件数。")
    answered_at: AwareDatetime | None = Field(description="When it was answered. | 答复时间。")
    upheld: bool | None = Field(description="Whether it was upheld. | 异议是否成立。")
    answer: str = Field(description="The answer. | 答复。")
    case: str = Field(description="Where the matter stands, in Chinese. | 事项目前状态。")


class FileQuery(Query):
    """What a file is called."""

    name: str = Field(max_length=200, description="Name with extension. | 文件名（含扩展名）。")


class FileTaken(Answer):
    """A file that was taken."""

    files: int = Field(description="How many there are now. | 现有附件数。")
    sha256: str = Field(description="Hash of the bytes as they came. | 原始内容的 SHA-256。")


@routes.get(
    "/api/v1/public-notices",
    summary="What is or was on notice, for good. | 公示和结果公布，长期可查。",
    access=PUBLIC,
    answers={200: NoticeList},
)
async def listed(request: web.Request, query: NoticesQuery) -> NoticeList:
    if query.status is NoticeStatus.DRAFT:
        return NoticeList(notices=[], next_before=None)
    rows = await notice_reading.page(
        query.programme, status=query.status, kind=query.kind, before=query.before, limit=PAGE + 1
    )
    url = request.app[SETTINGS].public_url
    return NoticeList(
        notices=[notice_view(row, url) for row in rows[:PAGE]],
        next_before=next_page(rows, PAGE),
    )


@routes.get(
    "/api/v1/public-notices/{notice_id}",
    summary="One of them, with its lines and the text of its hash. | 公示内容及校验原文。",
    access=PUBLIC,
    answers={200: NoticeFile},
)
async def one(request: web.Request, path: NoticePath) -> NoticeFile:
    shown = await notice_reading.shown(path.notice_id)
    return notice_file(shown, request.app[SETTINGS].public_url)


@routes.post(
    "/api/v1/public-notices/{notice_id}/lines/{place}/objections",
    summary="Object to a line, signed in or not, named or not. | 对公示事项提出异议，无需登录，可匿名。",
    access=PUBLIC,
    answers={201: ObjectionMade},
    refusals=(
        NotSignedIn,
        AccessTokenExpired,
        SessionEnded,
        NoticeOver,
        NotYourObjection,
        ObjectionPending,
        ObjectorUnnamed,
        ObjectorRevealed,
        ReasonMissing,
        TooManyToday,
        TooManyFromHere,
    ),
)
async def object_to(request: web.Request, path: LinePath, body: Object) -> ObjectionMade:
    said = Statement(reason=body.reason, anonymous=body.anonymous, name=body.name, contact=body.contact)
    made, receipt = await request.app[NOTICE_DESK].objections.make(
        path.notice_id, path.place, said, actor=await _person(request), address=address_of(request)
    )
    return ObjectionMade(receipt=receipt, due_at=made.due_at, by_default=made.by_default)


@routes.get(
    "/api/v1/objections/receipts/{receipt}",
    summary="What became of my objection. | 凭查询码查看异议答复。",
    access=PUBLIC,
    answers={200: FollowedView},
)
async def follow(request: web.Request, path: ReceiptPath) -> FollowedView:
    found = await request.app[NOTICE_DESK].objections.follow(path.receipt)
    objection = found.objection
    return FollowedView(
        notice_id=found.notice.id,
        number=found.notice.number or "",
        programme=found.notice.programme_slug,
        place=found.place,
        made_at=objection.made_at,
        due_at=objection.due_at,
        files=found.files,
        answered_at=objection.answered_at,
        upheld=objection.upheld,
        answer=objection.answer,
        case=texts.REVIEW_STATUSES[found.case.status],
    )


@routes.post(
    "/api/v1/objections/receipts/{receipt}/files",
    summary="Add a file to my objection: three, 5 MB each. | 补充异议附件，最多三个，各不超过 5 MB。",
    access=PUBLIC,
    answers={201: FileTaken},
    refusals=(
        ObjectionAnswered,
        ObjectionTooManyFiles,
        ObjectionFileTooLarge,
        TooManyFromHere,
        FileNameUnusable,
        FileUnacceptable,
        FileTypeMismatch,
        UploadCorrupted,
        *FLAWS.values(),
        BodyTooSlow,
        BodyIncomplete,
    ),
    receives=WHOLE,
)
async def add_file(request: web.Request, path: ReceiptPath, query: FileQuery) -> FileTaken:
    file, count = await request.app[NOTICE_DESK].files.add(
        path.receipt, query.name, body_of(request), address=address_of(request)
    )
    return FileTaken(files=count, sha256=file.sha256)


async def _person(request: web.Request) -> Actor | None:
    """The person who is signed in, if one is: everybody else may object as well."""
    if hdrs.AUTHORIZATION not in request.headers:
        return None
    actor = await request.app[IDENTIFY](request)
    return actor if actor.kind == "person" else None
