"""Documents over HTTP: drafts to read before signing, what both have signed, and forms to print."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import PERSON, Answer, Media, Routes, person_or_staff
from server.handlers.files import ContentQuery
from server.handlers.parsing import Id, Path, Query
from server.keys import CLOCKS, DOCUMENT_DESK, FILES, ORDERS, PRESS, PROGRAMMES
from server.models.documents import PrintedDocument, Signature
from server.programme.registry import UnknownProgramme
from server.programme.vocabulary import Party
from server.rules.documents import Printed, SignMethod
from server.services import access
from server.services.access import Actor, NoOrganisation
from server.services.admissions import printed_forms
from server.services.documents import document_book
from server.services.documents.document_book import READERS, NotPrintedYet
from server.services.files.evidence import EvidenceDamaged
from server.services.files.files import ViewReasonMissing

routes = Routes("documents")

CODE = r"[a-z][a-z0-9_]*"
PDF = Media("application/pdf", "A PDF. | PDF 文件。")
SIDES = person_or_staff(*READERS)


class DocumentsPath(Path):
    """An order."""

    order_id: Id = Field(description="The order. | 订单编号。")


class OrderDocumentPath(DocumentsPath):
    """One kind of document of an order."""

    paper: Printed = Field(description="Which document. | 文件种类。")


class OrderFormPath(DocumentsPath):
    """A form of the programme."""

    form: str = Field(max_length=64, pattern=CODE, description="Its code. | 表格代码。")


class PartyFormPath(Path):
    """An undertaking or declaration."""

    document: str = Field(max_length=64, pattern=CODE, description="Its code. | 材料代码。")


class PartyFormQuery(Query):
    """Whose, and of which programme."""

    programme: str = Field(max_length=64, description="The programme. | 项目代码。")
    party: Party = Field(description="As which side. | 身份。")


class SignatureView(Answer):
    """One side's signature."""

    party: Party = Field(description="Which side. | 签署方。")
    organisation: str = Field(description="As it was called then. | 签署时的单位名称。")
    signer: str = Field(description="Place and name, masked. | 签署人，已遮盖。")
    method: SignMethod = Field(description="How. | 签署方式。")
    text_sha256: str = Field(description="Hash of the text that was signed. | 所签文本的 SHA-256。")
    signed_at: AwareDatetime = Field(description="When. | 签署时间。")


class PrintedView(Answer):
    """A document as it was printed."""

    document: Printed = Field(description="What it is. | 文件种类。")
    version: int = Field(description="Its version. | 版本。")
    file_id: int = Field(description="The file. | 文件编号。")
    sha256: str = Field(description="Hash of its bytes, in the journal too. | 文件的 SHA-256。")
    text_sha256: str = Field(description="Hash of its text without signatures. | 文本的 SHA-256。")
    pages: int = Field(description="How many pages. | 页数。")
    printed_at: AwareDatetime = Field(description="When. | 生成时间。")
    signatures: list[SignatureView] = Field(description="Who signed it. | 签署记录。")


class PrintedList(Answer):
    """Everything that was printed of an order."""

    documents: list[PrintedView] = Field(description="Oldest first. | 按时间先后。")


@routes.get(
    "/api/v1/orders/{order_id}/documents",
    summary="What was signed and printed of an order. | 订单已签署的文件。",
    access=SIDES,
    answers={200: PrintedList},
    refusals=(NoOrganisation,),
)
async def documents(request: web.Request, actor: Actor, path: DocumentsPath) -> PrintedList:
    order = await document_book.order_for(path.order_id, actor=actor)
    signed = await document_book.signed_of(order.id)
    printed = await document_book.printed_of(order.id)
    return PrintedList(documents=[_view(one, signed) for one in printed])


@routes.get(
    "/api/v1/orders/{order_id}/documents/{paper}",
    summary="The last signed version; that it was seen is kept. | 下载已签署的文件，查看将留痕。",
    access=SIDES,
    answers={200: PDF},
    refusals=(NoOrganisation, NotPrintedYet, ViewReasonMissing, EvidenceDamaged),
)
async def document(
    request: web.Request, actor: Actor, path: OrderDocumentPath, query: ContentQuery
) -> web.Response:
    order = await document_book.order_for(path.order_id, actor=actor)
    printed = await document_book.latest(order.id, path.paper)
    file, shown = await request.app[FILES].view(printed.file_id, actor=actor, why=query.why)
    return _pdf(shown, file.name)


@routes.get(
    "/api/v1/orders/{order_id}/documents/{paper}/draft",
    summary="The document as it would be signed now. | 查看待签署的文本。",
    access=SIDES,
    answers={200: PDF},
    refusals=(NoOrganisation,),
)
async def draft(request: web.Request, actor: Actor, path: OrderDocumentPath) -> web.Response:
    order = await document_book.order_for(path.order_id, actor=actor)
    now = request.app[CLOCKS].now(order.programme_slug)
    programme = request.app[ORDERS].terms_of(order).programme
    made = await request.app[DOCUMENT_DESK].draft(order, path.paper, now=now, programme=programme)
    return _pdf(made, f"{path.paper}-{order.number}.pdf")


@routes.get(
    "/api/v1/orders/{order_id}/forms/{form}",
    summary="A form of the programme, begun with the order's facts. | 下载已填入订单信息的表格。",
    access=SIDES,
    answers={200: PDF},
    refusals=(NoOrganisation,),
)
async def order_form(request: web.Request, actor: Actor, path: OrderFormPath) -> web.Response:
    order = await document_book.order_for(path.order_id, actor=actor)
    programme = request.app[PROGRAMMES].version(order.programme_slug, order.programme_version)
    now: datetime = request.app[CLOCKS].now(order.programme_slug)
    made = await printed_forms.order_form(programme, path.form, order, request.app[PRESS], now=now)
    return _pdf(made, f"{path.form}-{order.number}.pdf")


@routes.get(
    "/api/v1/registrations/printed/{document}",
    summary="An undertaking or declaration to print and sign. | 下载承诺书、声明函等（PDF）。",
    access=PERSON,
    answers={200: PDF},
    refusals=(UnknownProgramme, NoOrganisation),
)
async def party_form(
    request: web.Request, actor: Actor, path: PartyFormPath, query: PartyFormQuery
) -> web.Response:
    programme = request.app[PROGRAMMES].get(query.programme)
    organisation = await access.organisation_of(actor)
    now: datetime = request.app[CLOCKS].now(programme.slug)
    made = await printed_forms.party_form(
        programme, query.party, path.document, organisation, request.app[PRESS], now=now
    )
    return _pdf(made, f"{path.document}.pdf")


def _pdf(made: bytes, name: str) -> web.Response:
    return web.Response(
        body=made,
        headers={
            "Content-Type": "application/pdf",
            "Content-Disposition": f"attachment; filename=\"document.pdf\"; filename*=UTF-8''{quote(name)}",
            "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
            "Cross-Origin-Resource-Policy": "same-origin",
        },
    )


def _view(one: PrintedDocument, signed: list[Signature]) -> PrintedView:
    return PrintedView(
        document=one.document,
        version=one.version,
        file_id=one.file_id,
        sha256=one.file.sha256,
        text_sha256=one.text_sha256,
        pages=one.file.pages,
        printed_at=one.printed_at,
        signatures=[
            SignatureView(
                party=each.party,
                organisation=each.organisation_name,
                signer=each.signer,
                method=each.method,
                text_sha256=each.text_sha256,
                signed_at=each.signed_at,
            )
            for each in signed
            if (each.document, each.version) == (one.document, one.version)
        ],
    )
