"""Demo forms: a programme's registration form filled in and handed in, as somebody who joins would."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from server import keys
from server.clock import CHINA
from server.models.files import StoredFile
from server.models.organisations import Organisation
from server.programme.model import Programme
from server.programme.papers import Document, DocumentKind, FieldKind
from server.programme.people import ConditionKind, PartyRules
from server.programme.vocabulary import Party
from server.rules.forms import form_fields
from server.services.access import Actor
from server.services.admissions.assessments import rules_of
from server.services.admissions.drafts import Changes, Draft, hash_of
from server.services.admissions.registrations import HandedIn
from server.services.files.uploads import Announced
from server.texts import DEMO

ID_NUMBERS: Mapping[Party, str] = {
    Party.ENTERPRISE: "360426199101010071",
    Party.PROVIDER: "330102197703120030",
}
PHONES: Mapping[Party, str] = {Party.ENTERPRISE: "13800000000", Party.PROVIDER: "13700000001"}
"""Of nobody: made up, with a right check digit; two sides that share one are looked at before they deal."""

MONEY_PAPERS = frozenset(
    {
        DocumentKind.INVOICE,
        DocumentKind.TRANSFER_RECEIPT,
        DocumentKind.PAYMENT_RECEIPT,
        DocumentKind.SUMMARY_INVOICE,
    }
)


async def fill_in(
    app: web.Application,
    programme: Programme,
    party: Party,
    organisation: Organisation,
    person: Actor,
    *,
    papers: bool,
) -> Draft:
    """Save the whole form, with a scan for every document where ``papers``."""
    rules, now = rules_of(programme, party), app[keys.CLOCKS].now(programme.slug)
    documents = {}
    if papers:
        for document in _asked(rules, organisation):
            documents[document.code] = [
                await scan(app, programme, document, f"{organisation.uscc} {document.code} {number}", person)
                for number in range(document.minimum)
            ]
    changes = Changes(
        values=answers(rules, party, organisation, now),
        documents=documents,
        undertakings={one.code: hash_of(one) for one in rules.undertakings},
    )
    return await app[keys.REGISTRATIONS].drafts.fill_in(
        programme.slug, party, changes, version=0, actor=person
    )


async def hand_in(
    app: web.Application, programme: Programme, party: Party, organisation: Organisation, person: Actor
) -> HandedIn:
    """Fill the form in, with its papers, and hand it in."""
    draft = await fill_in(app, programme, party, organisation, person, papers=True)
    registration = draft.registration
    return await app[keys.REGISTRATIONS].submit(registration.id, version=registration.version, actor=person)


def answers(rules: PartyRules, party: Party, organisation: Organisation, now: datetime) -> dict[str, Any]:
    """A value for every required field, each admitting whoever fills it in."""
    admitting = {one.fact: _admitting(one) for one in rules.conditions if one.fact}
    known: Mapping[str, Any] = {
        "name": organisation.name,
        "headcount": organisation.headcount,
        "revenue": organisation.revenue_fen,
        "assets": organisation.assets_fen,
        "size_class": DEMO["size"],
    }
    today = now.astimezone(CHINA).date().isoformat()
    filled: dict[str, Any] = {}
    for one in form_fields(rules):
        if not one.field.required:
            continue
        code = one.field.code
        if not one.document and code in admitting:
            filled[one.key] = admitting[code]
        elif one.document and code in known:
            filled[one.key] = known[code]
        else:
            filled[one.key] = {
                FieldKind.TEXT: DEMO["somebody"],
                FieldKind.YES_NO: True,
                FieldKind.COUNT: 100,
                FieldKind.MONEY: 100,
                FieldKind.DATE: today,
                FieldKind.CHOICE: one.field.choices[0] if one.field.choices else "",
                FieldKind.PHONE: PHONES[party],
                FieldKind.ID_NUMBER: ID_NUMBERS[party],
                FieldKind.SIGNATURE: True,
                FieldKind.SEAL: True,
            }[one.field.kind]
    return filled


def _admitting(condition: Any) -> bool | int:
    if condition.kind is ConditionKind.DECLARED:
        return bool(condition.expected)
    least = condition.minimum if condition.minimum is not None else condition.minimum_fen
    return int(least or 0)


def _asked(rules: PartyRules, organisation: Organisation) -> list[Document]:
    """The documents an organisation of this legal form owes; of a group the first is enough."""
    owed: list[Document] = []
    groups: set[str] = set()
    for document in rules.documents:
        strange = document.legal_forms and organisation.legal_form not in document.legal_forms
        if not document.required or strange:
            continue
        if document.groups and groups.issuperset(document.groups):
            continue
        groups |= set(document.groups)
        owed.append(document)
    return owed


async def scans(
    app: web.Application, programme: Programme, document: Document, about: str, person: Actor
) -> tuple[int, ...]:
    """A document as often as it is asked for, ``about`` says of what.

    What is about money is a paper of its own; else pages that the same side has sent before do.
    """
    ids: list[int] = []
    if document.amount is None and document.kind not in MONEY_PAPERS:
        sent = StoredFile.filter(
            organisation_id=person.organisation_id, programme_slug=programme.slug, kind=document.kind
        )
        ids = [row.id for row in await sent.order_by("id").limit(document.minimum)]
    while len(ids) < document.minimum:
        ids.append(await scan(app, programme, document, f"{about} {document.code} {len(ids)}", person))
    return tuple(ids)


async def scan(
    app: web.Application, programme: Programme, document: Document, title: str, person: Actor
) -> int:
    """A small PDF that no other is the same as, taken like anybody's."""
    content = blank_pdf(title)
    announced = Announced(
        name=f"{document.code}.pdf",
        size_bytes=len(content),
        programme=programme.slug,
        kind=document.kind,
        media_type="application/pdf",
    )

    async def sent() -> AsyncIterator[bytes]:
        yield content

    file = await app[keys.UPLOADS].send(announced, sent(), actor=person)
    return int(file.id)


def blank_pdf(title: str) -> bytes:
    """One empty page with an ASCII title."""
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>",
        f"<< /Title ({title}) >>",
    )
    text, places = "%PDF-1.4\n", [0]
    for number, body in enumerate(objects, 1):
        places.append(len(text))
        text += f"{number} 0 obj\n{body}\nendobj\n"
    size, table = len(places), len(text)
    text += f"xref\n0 {size}\n0000000000 65535 f \n"
    text += "".join(f"{place:010d} 00000 n \n" for place in places[1:])
    text += f"trailer\n<< /Size {size} /Root 1 0 R /Info 4 0 R >>\nstartxref\n{table}\n%%EOF\n"
    return text.encode("ascii")
