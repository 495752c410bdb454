"""Paperwork: filling in a programme's registration form so that nothing in it is missing or wrong.

What is filled in follows from the programme's data; a test changes what it is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from itertools import count
from typing import Any

from server.models.files import EvidenceObject, StoredFile
from server.programme.model import Programme
from server.programme.papers import DocumentKind, FieldKind
from server.programme.people import ConditionKind, PartyRules
from server.programme.vocabulary import Party
from server.rules.forms import form_fields
from server.services.admissions.drafts import hash_of

REPRESENTATIVE, HANDLER = "李明", "王芳"
ID_NUMBERS = {REPRESENTATIVE: "360426199101010071", HANDLER: "330102198506150016"}
PHONE = "13800000000"
PROVIDERS_PHONE, PROVIDERS_ID = "13700000001", "330102197703120030"
"""Of a provider's people: who shares one with the enterprise is no stranger to it."""

_numbers = count(1)


def rules_of(programme: Programme, party: str) -> PartyRules:
    return programme.enterprise if party == Party.ENTERPRISE else programme.provider


def answers(programme: Programme, party: str, organisation: Mapping[str, Any], today: str) -> dict[str, Any]:
    """A value for every required field, each admitting whoever fills it in."""
    rules, provides = rules_of(programme, party), party == Party.PROVIDER
    admitting = {one.fact: _admitting(one) for one in rules.conditions if one.fact}
    known = {
        "name": organisation["name"],
        "headcount": organisation["headcount"],
        "revenue": organisation["revenue_fen"],
        "assets": organisation["assets_fen"],
        "size_class": "小型",
    }
    filled: dict[str, Any] = {}
    for one in form_fields(rules):
        if not one.field.required:
            continue
        code, kind = one.field.code, one.field.kind
        person = HANDLER if code.startswith("handler") else REPRESENTATIVE
        if not one.document and code in admitting:
            filled[one.key] = admitting[code]
        elif one.document and code in known:
            filled[one.key] = known[code]
        else:
            filled[one.key] = {
                FieldKind.TEXT: person,
                FieldKind.YES_NO: True,
                FieldKind.COUNT: 1,
                FieldKind.MONEY: 100,
                FieldKind.DATE: today,
                FieldKind.CHOICE: one.field.choices[0] if one.field.choices else "",
                FieldKind.PHONE: PROVIDERS_PHONE if provides else PHONE,
                FieldKind.ID_NUMBER: PROVIDERS_ID if provides else ID_NUMBERS[person],
                FieldKind.SIGNATURE: True,
                FieldKind.SEAL: True,
            }[kind]
    return filled


def _admitting(condition: Any) -> bool | int:
    if condition.kind is ConditionKind.AT_LEAST:
        return int(condition.minimum if condition.minimum is not None else condition.minimum_fen)
    return bool(condition.expected)


async def papers(
    programme: Programme, party: str, organisation_id: int, now: datetime
) -> dict[str, list[int]]:
    """Every document that is asked for, as files of the organisation; of a group the first."""
    handed: dict[str, list[int]] = {}
    groups: set[str] = set()
    for document in rules_of(programme, party).documents:
        if not document.required or (document.groups and groups.issuperset(document.groups)):
            continue
        groups |= set(document.groups)
        handed[document.code] = [
            (await a_file(organisation_id, document.kind, programme.slug, now)).id
            for _ in range(document.minimum)
        ]
    return handed


def promises(programme: Programme, party: str) -> dict[str, str]:
    """Every undertaking, agreed to."""
    return {one.code: hash_of(one) for one in rules_of(programme, party).undertakings}


async def a_file(organisation_id: int, kind: DocumentKind, slug: str, now: datetime) -> StoredFile:
    """A small PDF of an organisation, taken already."""
    digest = sha256(str(next(_numbers)).encode()).hexdigest()
    await EvidenceObject.create(sha256=digest, leased_at=now)
    return await StoredFile.create(
        organisation_id=organisation_id,
        uploaded_by="person:1",
        programme_slug=slug,
        kind=kind,
        name="材料.pdf",
        original_id=digest,
        shown_id=digest,
        size_bytes=1_000,
        media_type="application/pdf",
        shown_media_type="application/pdf",
        extension="pdf",
        pages=1,
        created_at=now,
    )
