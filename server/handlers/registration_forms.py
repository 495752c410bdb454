"""Registration forms over HTTP: everything a programme asks of who joins it, and templates to sign."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field

from server.handlers.api import PERSON, Answer, Media, Routes
from server.handlers.asked_views import AskedDocumentView, AskedFieldView, asked_document, asked_field
from server.handlers.parsing import Path
from server.handlers.qualifications import PARTY, PROGRAMME, ProgrammeQuery
from server.keys import PROGRAMMES
from server.programme.papers import Document
from server.programme.people import PartyRules
from server.programme.registry import UnknownProgramme
from server.programme.vocabulary import Party
from server.rules.forms import SEALED_KINDS, form_fields
from server.services import access
from server.services.access import Actor, NoOrganisation
from server.services.admissions import form_templates
from server.services.admissions.assessments import rules_of
from server.services.admissions.drafts import hash_of
from server.services.documents.word_documents import MEDIA_TYPE

routes = Routes("registrations")


class FieldView(AskedFieldView):
    """One field of the form."""

    key: str = Field(description="How it is named when saved. | 保存时使用的键。")
    document: str | None = Field(description="The document that must show it. | 所属材料，无则为空。")
    personal: bool = Field(description="Kept sealed and shown masked. | 加密保存，显示时遮盖。")


class DocumentView(AskedDocumentView):
    """One document of the form."""

    sealed: bool = Field(description="Bears a clear seal. | 须加盖公章。")
    hand_signed: bool = Field(description="Signed by hand. | 须亲笔签字。")
    dated_this_year: bool = Field(description="Bears a date of this year. | 日期须在当年。")
    template: bool = Field(description="A template can be downloaded. | 可下载模板。")
    checks: list[str] = Field(description="What a reviewer looks at. | 审核要点。")


class UndertakingView(Answer):
    """One promise to be given."""

    code: str = Field(description="Stable code. | 承诺代码。")
    name: str = Field(description="What it is called. | 名称。")
    promises: list[str] = Field(description="What is promised. | 承诺内容。")
    hash: str = Field(description="Send it back to agree to exactly this text. | 文本摘要，确认时原样传回。")
    clause: str = Field(description="The provision. | 依据条款。")


class ConditionView(Answer):
    """One condition of joining."""

    code: str = Field(description="Stable code. | 条件代码。")
    says: str = Field(description="The condition. | 条件内容。")
    clause: str = Field(description="The provision. | 依据条款。")


class FormView(Answer):
    """Everything a programme asks of who joins it."""

    programme: str = Field(description=PROGRAMME)
    programme_version: str = Field(description="Its version. | 项目版本。")
    party: Party = Field(description=PARTY)
    definition: str = Field(description="Who is meant. | 对象。")
    fields: list[FieldView] = Field(description="What is filled in. | 填写项。")
    documents: list[DocumentView] = Field(description="What is handed in. | 材料。")
    undertakings: list[UndertakingView] = Field(description="What is promised. | 承诺。")
    conditions: list[ConditionView] = Field(description="What must hold. | 条件。")
    max_bytes: int = Field(description="Largest file, bytes. | 单个文件上限，字节。")
    extensions: list[str] = Field(description="Accepted formats. | 文件格式。")
    change_within_days: int | None = Field(
        description="Natural days to report a major change; null: none set. | 重大变化须报告的天数。"
    )
    changed_at: str = Field(description="Where data are changed, if not here. | 信息在何处变更，空为本平台。")


class TemplatePath(Path):
    """A document of the form."""

    document: str = Field(max_length=64, description="The document. | 材料代码。")


@routes.get(
    "/api/v1/registrations/form",
    summary="Everything a programme asks of who joins it. | 申请表的全部内容。",
    access=PERSON,
    answers={200: FormView},
    refusals=(UnknownProgramme,),
)
async def form(request: web.Request, query: ProgrammeQuery) -> FormView:
    programme = request.app[PROGRAMMES].get(query.programme)
    rules = rules_of(programme, query.party)
    return FormView(
        programme=programme.slug,
        programme_version=programme.version,
        party=query.party,
        definition=rules.definition,
        fields=_fields(rules),
        documents=_documents(rules),
        undertakings=[
            UndertakingView(
                code=one.code,
                name=one.name,
                promises=list(one.promises),
                hash=hash_of(one),
                clause=one.article,
            )
            for one in rules.undertakings
        ],
        conditions=[
            ConditionView(code=one.code, says=one.says, clause=one.article) for one in rules.conditions
        ],
        max_bytes=programme.files.max_bytes,
        extensions=sorted(programme.files.extensions),
        change_within_days=rules.change_report.natural_days,
        changed_at=rules.change_report.changed_at,
    )


@routes.get(
    "/api/v1/registrations/templates/{document}",
    summary="A document to print and sign, with my organisation's facts. | 下载已填入企业信息的模板。",
    access=PERSON,
    answers={200: Media(MEDIA_TYPE, "A Word document. | Word 文档。")},
    refusals=(UnknownProgramme, NoOrganisation),
)
async def template(
    request: web.Request, actor: Actor, path: TemplatePath, query: ProgrammeQuery
) -> web.Response:
    programme = request.app[PROGRAMMES].get(query.programme)
    organisation = await access.organisation_of(actor)
    content = form_templates.template(programme, query.party, path.document, organisation)
    return web.Response(
        body=content,
        content_type=MEDIA_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{path.document}.docx"'},
    )


def _fields(rules: PartyRules) -> list[FieldView]:
    return [
        FieldView(
            key=one.key,
            document=one.document or None,
            personal=one.field.kind in SEALED_KINDS,
            **asked_field(one.field),
        )
        for one in form_fields(rules)
    ]


def _documents(rules: PartyRules) -> list[DocumentView]:
    return [DocumentView(**document_fields(one)) for one in rules.documents]


def document_fields(one: Document) -> dict[str, Any]:
    """The fields of :class:`DocumentView`."""
    return {
        **asked_document(one),
        "sealed": one.sealed,
        "hand_signed": one.hand_signed,
        "dated_this_year": one.dated_this_year,
        "template": one.template,
        "checks": list(one.checks),
    }
