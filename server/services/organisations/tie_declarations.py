"""Tie declarations: an organisation says who represents it, where it is, and who holds its shares.

When two deal, what both declared is compared (``services/admissions/related_parties.py``); nobody else is
shown it. What is personal is sealed, and masked in an answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal, Unmet
from server.models.organisations import Organisation
from server.models.relations import TieDeclaration
from server.rules.deadlines import day_of
from server.rules.forms import id_faults, is_phone, mask
from server.rules.uscc import UsccInvalid, checked_uscc
from server.sealing import Sealer
from server.services import access, allowances, journal
from server.services.access import Actor
from server.services.organisations.memberships import lock
from server.units import BASIS_POINTS, percent


class TiesUnusable(Refusal):
    """Something in the declaration is malformed or cannot be; ``unmet`` names everything."""

    status, code = 422, "ties_unusable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shareholder:
    """Somebody who holds shares: a person by name and identity number, or an organisation by name and code.

    ``number`` is the identity number or the code; a person's may be left out. Shares in basis points.
    """

    is_person: bool
    name: str
    number: str = ""
    share_bp: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What an organisation says of itself."""

    representative: str
    representative_id: str = ""
    phones: tuple[str, ...] = ()
    address: str = ""
    shareholders: tuple[Shareholder, ...] = ()


async def declare(declared: Declared, *, actor: Actor, sealer: Sealer, now: datetime) -> TieDeclaration:
    """Put a declaration down; from now on it is the one that counts.

    Raises ``NoOrganisation``, :class:`TiesUnusable` and ``TooManyToday``.
    """
    organisation_id = access.organisation_id_of(actor)
    async with in_transaction():
        organisation = await lock(organisation_id)
        faults = list(_faults(declared, organisation, day_of(now)))
        if faults:
            raise TiesUnusable(unmet=faults, count=len(faults))
        earlier = TieDeclaration.filter(organisation_id=organisation.id)
        await allowances.require(earlier, "declared_at", allowances.DECLARATIONS, now=now)
        made = await TieDeclaration.create(
            organisation_id=organisation.id,
            number=await earlier.count() + 1,
            representative_sealed=sealer.seal(declared.representative.strip()),
            representative_id_sealed=sealer.seal(declared.representative_id.strip().upper()),
            phones_sealed=[sealer.seal(phone.strip()) for phone in declared.phones],
            address_sealed=sealer.seal(declared.address.strip()),
            shareholders=[_kept(one, sealer) for one in declared.shareholders],
            declared_by=actor.id,
            declared_at=now,
        )
        await journal.record(
            "organisation.ties_declared",
            f"organisation:{organisation.id}",
            actor=actor.name,
            at=now,
            number=made.number,
            shareholders=len(declared.shareholders),
        )
    return made


async def latest(organisation_id: int) -> TieDeclaration | None:
    """The declaration that counts, or ``None``."""
    return await TieDeclaration.filter(organisation_id=organisation_id).order_by("-number").first()


def opened(row: TieDeclaration, sealer: Sealer) -> Declared:
    """What was declared, in the clear; for comparing alone."""
    return Declared(
        representative=sealer.open(row.representative_sealed),
        representative_id=sealer.open(row.representative_id_sealed),
        phones=tuple(sealer.open(one) for one in row.phones_sealed),
        address=sealer.open(row.address_sealed),
        shareholders=tuple(
            Shareholder(
                is_person="name_sealed" in one,
                name=sealer.open(one["name_sealed"]) if "name_sealed" in one else one["name"],
                number=sealer.open(one["id_sealed"]) if "id_sealed" in one else one["uscc"],
                share_bp=one["share_bp"],
            )
            for one in row.shareholders
        ),
    )


def shown(row: TieDeclaration, sealer: Sealer) -> Declared:
    """What was declared, as its own people see it: numbers are masked."""
    known = opened(row, sealer)
    return Declared(
        representative=known.representative,
        representative_id=mask(known.representative_id),
        phones=tuple(mask(one) for one in known.phones),
        address=known.address,
        shareholders=tuple(
            Shareholder(
                is_person=one.is_person,
                name=one.name,
                number=mask(one.number) if one.is_person else one.number,
                share_bp=one.share_bp,
            )
            for one in known.shareholders
        ),
    )


def _kept(one: Shareholder, sealer: Sealer) -> dict[str, Any]:
    if one.is_person:
        number = sealer.seal(one.number.strip().upper())
        return {"name_sealed": sealer.seal(one.name.strip()), "id_sealed": number, "share_bp": one.share_bp}
    return {"name": one.name.strip(), "uscc": checked_uscc(one.number), "share_bp": one.share_bp}


def _faults(declared: Declared, organisation: Organisation, on: date) -> Iterator[Unmet]:
    yield from _id_wrong("representative_id", declared.representative_id, on)
    for place, phone in enumerate(declared.phones):
        if not is_phone(phone.strip()):
            message = texts.TIE_FAULTS["phone"].format(number=mask(phone))
            yield Unmet(f"phones.{place}", "", message)
    for place, one in enumerate(declared.shareholders):
        key = f"shareholders.{place}.number"
        if one.is_person:
            yield from _id_wrong(key, one.number, on)
        else:
            yield from _code_wrong(key, one, organisation)
    named = Counter((one.is_person, one.name.strip(), one.number.strip()) for one in declared.shareholders)
    for (_, name, _), times in named.items():
        if times > 1:
            yield Unmet("shareholders", "", texts.TIE_FAULTS["twice"].format(name=name))
    total_bp = sum(one.share_bp or 0 for one in declared.shareholders)
    if total_bp > BASIS_POINTS:
        arithmetic = f"{percent(total_bp)} > {percent(BASIS_POINTS)}"
        yield Unmet("shareholders", "", texts.TIE_FAULTS["shares"], arithmetic)


def _id_wrong(key: str, number: str, on: date) -> Iterator[Unmet]:
    if number.strip():
        for code, arithmetic in id_faults(number, on):
            message = texts.FORM_FAULTS[code].format(name=texts.TIE_FAULTS["id_number"])
            yield Unmet(key, "", message, arithmetic)


def _code_wrong(key: str, one: Shareholder, organisation: Organisation) -> Iterator[Unmet]:
    if not one.number.strip():
        yield Unmet(key, "", texts.TIE_FAULTS["uscc_missing"].format(name=one.name))
        return
    try:
        code = checked_uscc(one.number)
    except UsccInvalid as invalid:
        problem = invalid.values["problem"]
        yield Unmet(key, "", texts.TIE_FAULTS["uscc"].format(name=one.name, problem=problem))
        return
    if code == organisation.uscc:
        yield Unmet(key, "", texts.TIE_FAULTS["own"])
