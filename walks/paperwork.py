"""Paperwork: filling in the form that the programme shows, and scanning the papers it asks for."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import pikepdf

from walks.callers import Caller
from walks.cast import Part

REPRESENTATIVE, HANDLER = "李明", "王芳"
ID_NUMBERS = {REPRESENTATIVE: "360426199101010071", HANDLER: "330102198506150016"}
PHONE = "13800000000"
SMALL = "小型"
"""What the figures of the cast make; the giants say it too, and are found out."""


def answers(form: Mapping[str, Any], part: Part, today: str) -> dict[str, Any]:
    """A value for every field that must be filled in, as this organisation would."""
    known = {
        "name": part.name,
        "headcount": part.facts["headcount"],
        "revenue": part.facts["revenue_fen"],
        "assets": part.facts["assets_fen"],
        "size_class": SMALL,
    }
    filled: dict[str, Any] = {}
    for field in form["fields"]:
        if not field["required"]:
            continue
        key, code = field["key"], field["key"].rpartition(".")[2]
        person = HANDLER if code.startswith("handler") else REPRESENTATIVE
        if field["document"] is None and code in part.answers:
            filled[key] = part.answers[code]
        elif field["document"] is not None and code in known:
            filled[key] = known[code]
        else:
            filled[key] = {
                "text": person,
                "yes_no": True,
                "count": 100,
                "money": 100,
                "date": today,
                "choice": next(iter(field["choices"]), ""),
                "phone": PHONE,
                "id_number": ID_NUMBERS[person],
                "signature": True,
                "seal": True,
            }[field["kind"]]
    return filled


def asked(form: Mapping[str, Any], part: Part) -> list[dict[str, Any]]:
    """The documents this organisation owes; of a group the first is enough."""
    owed: list[dict[str, Any]] = []
    groups: set[str] = set()
    for document in form["documents"]:
        forms = document["legal_forms"]
        if not document["required"] or (forms and part.facts["legal_form"] not in forms):
            continue
        if document["groups"] and groups.issuperset(document["groups"]):
            continue
        groups |= set(document["groups"])
        owed.append(document)
    return owed


async def hand_in(caller: Caller, programme: str, document: Mapping[str, Any], part: Part) -> list[int]:
    """Upload a document as often as it is asked for; the ids of the files."""
    ids = []
    for number in range(document["minimum"]):
        said = await caller.send(
            "files",
            scan(f"{part.uscc} {document['code']} {number}"),
            "application/pdf",
            programme=programme,
            kind=document["kind"],
            name=f"{document['code']}-{number + 1}.pdf",
        )
        ids.append(said.must(201, f"{part.name} uploads {document['name']}")["id"])
    return ids


def scan(title: str) -> bytes:
    """A small PDF that no other is the same as."""
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(595, 842))
        pdf.docinfo["/Title"] = title
        content = io.BytesIO()
        pdf.save(content, deterministic_id=True)
    return content.getvalue()
