"""Offices: whom people can turn to in a programme, in the help centre and on the map of duties (GZ-102)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tortoise.transactions import in_transaction

from server.models.offices import Office
from server.programme.model import Programme
from server.programme.policy import Role
from server.programme.vocabulary import Actor as ProgrammeActor
from server.rules.uscc import checked_uscc
from server.services import access, journal
from server.services.access import Actor, NotFound


@dataclass(frozen=True, slots=True)
class Duty:
    """One role of a programme as its text has it, and the offices that hold it."""

    role: Role
    offices: list[Office]


async def of_programme(programme: Programme) -> list[Duty]:
    """Every role of the programme with the offices that are open, in the text's order."""
    rows = await Office.filter(programme_slug=programme.slug, closed_at=None).order_by("area", "id")
    return [Duty(role, [row for row in rows if row.actor is role.actor]) for role in programme.roles]


async def open_office(
    programme: Programme, actor_of: ProgrammeActor, details: dict[str, Any], *, actor: Actor, now: datetime
) -> Office:
    """Enter an office. An operator's ``uscc`` keeps that organisation from being a provider (YC-29).

    Raises ``NotFound`` for a programme that is none of the actor's, and ``UsccInvalid``.
    """
    access.require_programme(actor, programme.slug)
    if details.get("uscc"):
        details = {**details, "uscc": checked_uscc(details["uscc"])}
    async with in_transaction():
        office = await Office.create(programme_slug=programme.slug, actor=actor_of, changed_at=now, **details)
        await _note("office.opened", office, actor=actor, now=now)
    return office


async def close_office(office_id: int, *, actor: Actor, now: datetime) -> None:
    """Take an office out of the list. Raises ``NotFound``."""
    office = await Office.get_or_none(id=office_id, closed_at=None)
    if office is None:
        raise NotFound()
    access.require_programme(actor, office.programme_slug)
    async with in_transaction():
        # The WHERE clause is the lock: of two who close it exactly one does.
        if not await Office.filter(id=office.id, closed_at=None).update(closed_at=now):
            raise NotFound()
        await _note("office.closed", office, actor=actor, now=now)


async def _note(action: str, office: Office, *, actor: Actor, now: datetime) -> None:
    await journal.record(
        action,
        f"office:{office.id}",
        actor=actor.name,
        at=now,
        programme_slug=office.programme_slug,
        role=office.actor.value,
        uscc=office.uscc,
    )
