"""Form templates: what an organisation prints, signs, seals and uploads again, begun with its own facts."""

from __future__ import annotations

from server import texts
from server.models.organisations import Organisation
from server.programme.model import Programme
from server.programme.papers import Document, FieldKind
from server.programme.vocabulary import Party
from server.services.access import NotFound
from server.services.admissions.assessments import rules_of
from server.services.documents.word_documents import Row, document
from server.units import yuan


def template(programme: Programme, party: Party, code: str, organisation: Organisation) -> bytes:
    """A document of the form as DOCX, with the organisation's facts filled in (GZ-58).

    Raises ``NotFound`` for a document that the programme gives no template of.
    """
    rules = rules_of(programme, party)
    asked = next((one for one in rules.documents if one.code == code and one.template), None)
    if asked is None:
        raise NotFound()
    promises = [
        promise
        for undertaking in rules.undertakings
        if undertaking.code == code
        for promise in undertaking.promises
    ]
    numbered = [f"{number}. {promise}" for number, promise in enumerate(promises, 1)]
    notes = [
        texts.TEMPLATE[note]
        for note, applies in (
            ("sealed", asked.sealed),
            ("hand_signed", asked.hand_signed),
            ("dated_this_year", asked.dated_this_year),
        )
        if applies
    ]
    head = texts.TEMPLATE["head"].format(programme=programme.name, clause=asked.article)
    return document(asked.name, _rows(asked, organisation), [head, *numbered, *notes])


def _rows(asked: Document, organisation: Organisation) -> list[Row]:
    """The fields the document must show; one without any shows at least whose it is."""
    known = {
        "name": organisation.name,
        "headcount": str(organisation.headcount),
        "revenue": yuan(organisation.revenue_fen),
        "assets": yuan(organisation.assets_fen),
    }
    if not asked.fields:
        return [
            Row(texts.TEMPLATE["name"], organisation.name),
            Row(texts.TEMPLATE["uscc"], organisation.uscc),
            Row(texts.TEMPLATE["signature"]),
            Row(texts.TEMPLATE["date"]),
        ]
    return [
        Row(
            one.name,
            texts.TEMPLATE["choice"].join(one.choices)
            if one.kind is FieldKind.CHOICE
            else known.get(one.code, ""),
        )
        for one in asked.fields
    ]
