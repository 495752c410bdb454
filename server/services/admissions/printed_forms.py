"""Printed forms: what somebody fills in by hand, signs and seals, begun with what is known (GZ-58, YC-42).

Nothing of it is kept: what counts is the paper that comes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from server import texts
from server.clock import CHINA
from server.gateways.press import Press
from server.models.contracts import Contract
from server.models.offerings import OfferingVersion
from server.models.orders import Order
from server.models.organisations import Organisation
from server.models.ratings import Rating
from server.models.registrations import Registration
from server.programme.model import Programme
from server.programme.papers import Document, Field, FieldKind, Undertaking
from server.programme.vocabulary import Party
from server.services.access import NotFound
from server.services.admissions.assessments import rules_of
from server.services.admissions.drafts import hash_of
from server.services.documents.documents import signer_of
from server.units import yuan

TALL = frozenset({FieldKind.SIGNATURE, FieldKind.SEAL})
LONG_NAME = 20
"""From so many characters on, the name of a text field asks for more than a line."""


async def order_form(programme: Programme, code: str, order: Order, press: Press, *, now: datetime) -> bytes:
    """A form of the programme as PDF, begun with the facts of an order.

    Every field of the text is there, whoever fills it in (YC-42 to YC-45). Raises ``NotFound`` for a form
    that the programme does not have.
    """
    form = next((one for one in programme.forms if one.code == code), None)
    document = next((one for one in _system_forms(programme) if one.code == code), None)
    if form is not None:
        name, clause, fields, lines = form.name, form.article, form.fields, list(form.other_names)
    elif document is not None:
        name, clause, fields = document.name, document.article, document.fields
        lines = _notes(document)
    else:
        raise NotFound()
    known = await _known(order)
    content = {
        **_around(name, order.number, programme, clause),
        "note": "",
        "rows": _rows(fields, known) if fields else _plain_rows(known),
        "lines": lines,
    }
    return await press.print("form", content, at=now)


async def party_form(
    programme: Programme, party: Party, code: str, organisation: Organisation, press: Press, *, now: datetime
) -> bytes:
    """An undertaking or declaration of a party as PDF, with the organisation's facts.

    An undertaking that was agreed to here says who did and when; else there is room to sign and seal.
    Raises ``NotFound`` for what the programme does not ask of this party.
    """
    rules = rules_of(programme, party)
    undertaking = next((one for one in rules.undertakings if one.code == code), None)
    document = next((one for one in rules.documents if one.code == code and one.template), None)
    if undertaking is not None:
        content = {
            **_around(undertaking.name, organisation.uscc, programme, undertaking.article),
            "rows": [
                [texts.PRINTED["name"], organisation.name],
                [texts.PRINTED["uscc"], organisation.uscc],
                [texts.PRINTED["text_sha256"], hash_of(undertaking)],
            ],
            "promises": list(undertaking.promises),
            "agreed": await _agreed(programme, party, undertaking, organisation),
            "lines": [] if document is None else _notes(document),
        }
        return await press.print("undertaking", content, at=now)
    if document is None:
        raise NotFound()
    known = {"name": organisation.name, "uscc": organisation.uscc}
    content = {
        **_around(document.name, organisation.uscc, programme, document.article),
        "note": "",
        "rows": _rows(document.fields, known) if document.fields else _plain_rows(known),
        "lines": _notes(document),
    }
    return await press.print("form", content, at=now)


async def _agreed(
    programme: Programme, party: Party, undertaking: Undertaking, organisation: Organisation
) -> list[list[str]]:
    """Who agreed to this very text and when, or nothing."""
    form = await Registration.get_or_none(
        organisation_id=organisation.id, programme_slug=programme.slug, party=party
    )
    given = None if form is None else form.undertakings.get(undertaking.code)
    if given is None or given["hash"] != hash_of(undertaking):
        return []
    at = datetime.fromisoformat(given["at"]).astimezone(CHINA)
    return [
        [texts.PRINTED["agreed_by"], await signer_of(given["person"], organisation.id)],
        [texts.PRINTED["agreed_at"], texts.INSTANT.format(at=at)],
    ]


def _system_forms(programme: Programme) -> Iterable[Document]:
    """What is filled in here and printed, of orders and of their settlement."""
    for step in programme.order_steps:
        yield from (one for one in step.documents if one.template)
    yield from (one for one in programme.settlement.documents if one.template)


async def _known(order: Order) -> dict[str, str]:
    """What an order already says, under the codes that forms use."""
    enterprise = await Organisation.get(id=order.enterprise_id)
    provider = await Organisation.get(id=order.provider_id)
    contract = await Contract.get_or_none(id=order.contract_id) if order.contract_id else None
    offered = (
        None
        if order.offering_version_id is None
        else await OfferingVersion.get_or_none(id=order.offering_version_id)
    )
    rating = await Rating.get_or_none(order_id=order.id)
    amount_fen = order.price_fen if contract is None else contract.amount_fen
    return {
        "name": provider.name,
        "uscc": provider.uscc,
        "provider_name": provider.name,
        "enterprise_name": enterprise.name,
        "address": enterprise.area,
        "contract_amount": yuan(amount_fen),
        "offering_name": order.project if offered is None else offered.name,
        "satisfaction": "" if rating is None else rating.level,
    }


def _rows(fields: Iterable[Field], known: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"name": one.name, "value": _value(one, known.get(one.code, "")), "tall": _is_tall(one)}
        for one in fields
    ]


def _plain_rows(known: Mapping[str, str]) -> list[dict[str, Any]]:
    """A document without fields of its own says at least whose it is, and leaves room to sign."""
    return [
        {"name": texts.PRINTED["name"], "value": known["name"], "tall": False},
        {"name": texts.PRINTED["uscc"], "value": known["uscc"], "tall": False},
        {"name": texts.TEMPLATE["signature"], "value": "", "tall": True},
        {"name": texts.TEMPLATE["date"], "value": "", "tall": False},
    ]


def _value(field: Field, known: str) -> str:
    says = texts.PRINTED
    if field.kind is FieldKind.CHOICE:
        return "　".join(
            says["chosen" if choice == known else "choice"].format(choice=choice) for choice in field.choices
        )
    if field.kind is FieldKind.MONEY and known:
        return says["money"].format(amount=known)
    if field.kind in TALL and not known:
        return says["seal" if field.kind is FieldKind.SEAL else "signature"]
    return known


def _is_tall(field: Field) -> bool:
    return field.kind in TALL or (field.kind is FieldKind.TEXT and len(field.name) >= LONG_NAME)


def _notes(document: Document) -> list[str]:
    return [
        texts.TEMPLATE[note]
        for note, applies in (
            ("sealed", document.sealed),
            ("hand_signed", document.hand_signed),
            ("dated_this_year", document.dated_this_year),
        )
        if applies
    ]


def _around(title: str, number: str, programme: Programme, clause: str) -> dict[str, Any]:
    return {
        "title": title,
        "number": number,
        "programme": programme.name,
        "footnote": clause,
        "draft": False,
    }
