"""Registrations over HTTP: the form of a programme, drafts of it, handing it in, what changed."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.errors import Unmet
from server.handlers.api import PERSON, Answer, Routes, person_or_staff
from server.handlers.organisations import IN_CHARGE
from server.handlers.parsing import Body, Id, Path
from server.handlers.problems import UnmetCondition
from server.handlers.qualifications import (
    PARTY,
    PROGRAMME,
    QualificationView,
    qualification_fields,
)
from server.keys import PROGRAMMES, REGISTRATIONS
from server.models.registrations import Submission
from server.programme.registry import UnknownProgramme
from server.programme.vocabulary import Party
from server.rules.lifecycles import RegistrationStatus
from server.services.access import IN_THE_FILES, Actor, NoOrganisation
from server.services.admissions.admissions import AlreadyApplied, FormItemsUnknown, NotReadmitted
from server.services.admissions.drafts import (
    Changes,
    Draft,
    DraftMovedOn,
    FormItemsShut,
    FormValuesUnusable,
    OperatorCannotProvide,
    RegistrationUnderReview,
    UndertakingChanged,
)
from server.services.admissions.labels import NotOnList
from server.services.admissions.person_bans import PersonBarred
from server.services.admissions.qualifications import ProgrammeNotRunning
from server.services.admissions.registrations import RegistrationIncomplete
from server.services.allowances import TooManyToday
from server.services.files.file_safety import FileUnacceptable
from server.services.files.files import FilesUnknown

routes = Routes("registrations")

READERS = person_or_staff(*IN_THE_FILES)
MOST_ITEMS = 200
MOST_FILES = 30
Key = Annotated[str, Field(min_length=1, max_length=130)]
Value = bool | int | Annotated[str, Field(max_length=1000)]

VALUES = (
    "By the key of the field; money in fen, dates as 2026-05-18, null takes it out. "
    "| 按字段键填写；金额单位分，日期如 2026-05-18，null 表示清除。"
)
DOCUMENTS = "Ids of my files, by the code of the document. | 按材料代码填写文件编号。"
VERSION = "The version that was looked at; 0 for a new form. | 所依据的版本，新表单为 0。"


class Save(Body):
    """Items just filled in; what is left out stays as it is."""

    programme: str = Field(max_length=64, description=PROGRAMME)
    party: Party = Field(default=Party.ENTERPRISE, description=PARTY)
    version: int = Field(ge=0, le=2**31 - 1, description=VERSION, examples=[0])
    values: dict[Key, Value | None] = Field(
        default={}, max_length=MOST_ITEMS, description=VALUES, examples=[{}]
    )
    documents: dict[Key, Annotated[list[Id], Field(max_length=MOST_FILES)]] = Field(
        default={}, max_length=MOST_ITEMS, description=DOCUMENTS, examples=[{}]
    )
    undertakings: dict[Key, Annotated[str, Field(max_length=64)] | None] = Field(
        default={},
        max_length=MOST_ITEMS,
        description="Hash of the text agreed to, by code; null takes it back. "
        "| 按代码填写已确认文本的摘要，null 表示撤回。",
        examples=[{}],
    )


class AcceptedView(Answer):
    """A promise given."""

    code: str = Field(description="The undertaking. | 承诺代码。")
    hash: str = Field(description="The text agreed to. | 所确认文本的摘要。")
    at: AwareDatetime = Field(description="When. | 确认时间。")


class RegistrationView(Answer):
    """A form as it stands; personal numbers are masked, and a masked one sent back changes nothing."""

    id: int = Field(description="The registration. | 申请表编号。")
    programme: str = Field(description=PROGRAMME)
    party: Party = Field(description=PARTY)
    status: RegistrationStatus = Field(
        description="draft, submitted, returned, refused or approved. "
        "| 草稿、审核中、被退回、未通过、已通过。"
    )
    version: int = Field(description="Its version. | 版本。")
    values: dict[str, Any] = Field(description=VALUES)
    documents: dict[str, list[int]] = Field(description=DOCUMENTS)
    undertakings: list[AcceptedView] = Field(description="What was agreed to. | 已确认的承诺。")
    returned: dict[str, str] = Field(description="Items to correct, with reasons. | 被退回的项及理由。")
    returned_reason: str = Field(description="Why it was returned. | 退回说明。")
    faults: list[UnmetCondition] = Field(description="What is wrong with what is there. | 填写有误之处。")
    missing: list[UnmetCondition] = Field(description="What is still missing. | 尚缺的内容。")
    case_id: int | None = Field(description="Its latest review. | 最近一次审核编号。")
    saved_by: str = Field(description="Who saved it last. | 最近保存人。")
    saved_at: AwareDatetime = Field(description="When. | 最近保存时间。")


class Saved(RegistrationView):
    """A form just saved."""


class RegistrationsView(Answer):
    """The forms of my organisation."""

    registrations: list[RegistrationView] = Field(description="The forms. | 申请表。")


class RegistrationPath(Path):
    """A form."""

    registration_id: Id = Field(description="The registration. | 申请表编号。")


class SubmissionPath(RegistrationPath):
    """Something that was handed in."""

    number: Id = Field(description="1 is the first. | 第几次提交。")


class Submit(Body):
    """Which version is handed in."""

    version: int = Field(ge=0, le=2**31 - 1, description=VERSION, examples=[3])


class Submitted(QualificationView):
    """What came of handing the form in."""

    registration_id: int = Field(description="The form. | 申请表编号。")
    submission: int = Field(description="1 is the first. | 第几次提交。")
    case_id: int | None = Field(description="Its review. | 审核编号。")


class SubmissionView(Answer):
    """What was handed in once."""

    number: int = Field(description="1 is the first. | 第几次提交。")
    submitted_at: AwareDatetime = Field(description="When. | 提交时间。")
    facts: dict[str, Any] = Field(description="The organisation's facts then. | 当时的企业信息。")
    documents: dict[str, list[int]] = Field(description=DOCUMENTS)
    unmet: list[UnmetCondition] = Field(description="Conditions not met then. | 当时未满足的条件。")


class SubmissionsView(Answer):
    """Everything that was handed in with a form, oldest first."""

    submissions: list[SubmissionView] = Field(description="The submissions. | 历次提交。")


class DifferenceView(Answer):
    """One item that changed."""

    key: str = Field(description="The item. | 项。")
    name: str = Field(description="What it is called. | 名称。")
    before: Any = Field(description="What it said before; null: nothing. | 此前内容。")
    after: Any = Field(description="What it says now. | 现内容。")


class DifferencesView(Answer):
    """What a submission changed against the one before."""

    differences: list[DifferenceView] = Field(description="Every change. | 全部变化。")


@routes.get(
    "/api/v1/registrations",
    summary="The forms that my organisation has begun. | 我的申请表。",
    access=PERSON,
    answers={200: RegistrationsView},
    refusals=(NoOrganisation,),
)
async def mine(request: web.Request, actor: Actor) -> RegistrationsView:
    drafts = await request.app[REGISTRATIONS].drafts.mine(actor=actor)
    return RegistrationsView(registrations=[RegistrationView(**_shown(one)) for one in drafts])


@routes.patch(
    "/api/v1/registrations",
    summary="Save some items of a form; the first saving begins it. | 保存申请表，首次保存即建立。",
    access=IN_CHARGE,
    answers={200: Saved},
    refusals=(
        UnknownProgramme,
        FormItemsUnknown,
        FormValuesUnusable,
        UndertakingChanged,
        FilesUnknown,
        NotOnList,
        OperatorCannotProvide,
        DraftMovedOn,
        RegistrationUnderReview,
        FormItemsShut,
        TooManyToday,
    ),
)
async def save(request: web.Request, actor: Actor, body: Save) -> Saved:
    changes = Changes(values=body.values, documents=body.documents, undertakings=body.undertakings)
    draft = await request.app[REGISTRATIONS].drafts.fill_in(
        body.programme, body.party, changes, version=body.version, actor=actor
    )
    return Saved(**_shown(draft))


@routes.get(
    "/api/v1/registrations/{registration_id}",
    summary="One form, mine or one that was handed in. | 申请表详情。",
    access=READERS,
    answers={200: RegistrationView},
)
async def one(request: web.Request, actor: Actor, path: RegistrationPath) -> RegistrationView:
    return RegistrationView(
        **_shown(await request.app[REGISTRATIONS].drafts.one(path.registration_id, actor=actor))
    )


@routes.post(
    "/api/v1/registrations/{registration_id}/submissions",
    summary="Hand the form in. | 提交申请表。",
    access=IN_CHARGE,
    answers={201: Submitted},
    refusals=(
        DraftMovedOn,
        RegistrationUnderReview,
        ProgrammeNotRunning,
        NotOnList,
        OperatorCannotProvide,
        RegistrationIncomplete,
        FileUnacceptable,
        FilesUnknown,
        AlreadyApplied,
        PersonBarred,
        NotReadmitted,
        TooManyToday,
    ),
)
async def submit(request: web.Request, actor: Actor, path: RegistrationPath, body: Submit) -> Submitted:
    handed_in = await request.app[REGISTRATIONS].submit(
        path.registration_id, version=body.version, actor=actor
    )
    return Submitted(
        **qualification_fields(handed_in.qualification, request.app[PROGRAMMES]),
        registration_id=path.registration_id,
        submission=handed_in.submission.number,
        case_id=handed_in.case_id,
    )


@routes.get(
    "/api/v1/registrations/{registration_id}/submissions",
    summary="Everything that was handed in with a form. | 历次提交。",
    access=READERS,
    answers={200: SubmissionsView},
)
async def submissions(request: web.Request, actor: Actor, path: RegistrationPath) -> SubmissionsView:
    rows = await request.app[REGISTRATIONS].submissions(path.registration_id, actor=actor)
    return SubmissionsView(submissions=[_submission(row) for row in rows])


@routes.get(
    "/api/v1/registrations/{registration_id}/submissions/{number}/difference",
    summary="What a submission changed against the one before. | 与上一次提交的差异。",
    access=READERS,
    answers={200: DifferencesView},
)
async def difference(request: web.Request, actor: Actor, path: SubmissionPath) -> DifferencesView:
    found = await request.app[REGISTRATIONS].difference(path.registration_id, path.number, actor=actor)
    return DifferencesView(
        differences=[
            DifferenceView(key=one.key, name=one.name, before=one.before, after=one.after) for one in found
        ]
    )


def _shown(draft: Draft) -> dict[str, Any]:
    row = draft.registration
    return {
        "id": row.id,
        "programme": row.programme_slug,
        "party": row.party,
        "status": row.status,
        "version": row.version,
        "values": dict(draft.values),
        "documents": row.documents,
        "undertakings": [
            AcceptedView(code=code, hash=given["hash"], at=given["at"])
            for code, given in row.undertakings.items()
        ],
        "returned": row.returned,
        "returned_reason": row.returned_reason,
        "faults": [_unmet(one) for one in draft.faults],
        "missing": [_unmet(one) for one in draft.missing],
        "case_id": row.case_id,
        "saved_by": draft.saved_by,
        "saved_at": row.saved_at,
    }


def _submission(row: Submission) -> SubmissionView:
    return SubmissionView(
        number=row.number,
        submitted_at=row.submitted_at,
        facts=row.facts,
        documents=row.documents,
        unmet=[UnmetCondition(**one) for one in row.unmet],
    )


def _unmet(one: Unmet) -> UnmetCondition:
    return UnmetCondition(code=one.code, clause=one.clause, message=one.message, arithmetic=one.arithmetic)
