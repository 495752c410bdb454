"""Paperwork: filling in the form that the programme shows, and scanning the papers it asks for."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pikepdf
from stdnum.cn import ric

from walks.callers import Caller
from walks.cast import Part

REPRESENTATIVE, HANDLER = "李明", "王芳"
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
                "phone": phone(part.uscc),
                "id_number": id_number(part.uscc, person),
                "signature": True,
                "seal": True,
            }[field["kind"]]
    return filled


def phone(uscc: str) -> str:
    """An organisation's own telephone: who shares one with the other side is looked at."""
    return f"139{_digits(uscc) % 10**8:08d}"


def id_number(uscc: str, person: str) -> str:
    """An identity number of somebody of an organisation, with its right check digit."""
    digits = _digits(f"{uscc} {person}")
    born = date(1960, 1, 1) + timedelta(days=digits % 10_000)
    start = f"330102{born:%Y%m%d}{digits // 10_000 % 1_000:03d}"
    return start + str(ric.calc_check_digit(start + "0"))


def _digits(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


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
