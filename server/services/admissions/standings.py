"""Standings: whether an organisation may act in a programme at this instant, or everything in the way."""

from __future__ import annotations

from datetime import datetime

from server.errors import Refusal, Unmet
from server.models.organisations import Organisation, Qualification
from server.programme.model import Programme
from server.programme.vocabulary import Party
from server.rules.lifecycles import QUALIFICATION_MAY, QualificationAct
from server.services.rounds.entitlements import standing_bans
from server.texts import READINESS


class NotInStanding(Refusal):
    """The organisation is not approved in the programme, or is barred; ``unmet`` names everything."""

    status, code = 409, "not_in_standing"


async def standing_unmet(
    programme: Programme, organisation: Organisation, party: Party, act: QualificationAct, *, now: datetime
) -> tuple[Unmet, ...]:
    """Everything that keeps an organisation, as this party, from the act."""
    missing: list[Unmet] = []
    article = (programme.enterprise if party is Party.ENTERPRISE else programme.provider).article
    qualification = await Qualification.get_or_none(
        organisation_id=organisation.id, party=party, programme_slug=programme.slug
    )
    if qualification is None:
        missing.append(Unmet("not_qualified", article, READINESS["not_qualified"]))
    elif act not in QUALIFICATION_MAY[qualification.status]:
        code = f"qualification_{qualification.status.value}"
        missing.append(Unmet(code, article, READINESS[code]))
    elif qualification.valid_until is not None and qualification.valid_until <= now:
        missing.append(Unmet("qualification_expired", article, READINESS["qualification_expired"]))
    missing += await barred_unmet(programme, organisation.uscc, now=now)
    return tuple(missing)


async def barred_unmet(programme: Programme, uscc: str, *, now: datetime) -> list[Unmet]:
    """The bans that hold against whoever has this code, registered here or not."""
    bans = await standing_bans([uscc], programme.slug, now=now)
    return [Unmet("barred", entry.clause, READINESS["barred"]) for entry in bans]


async def require_not_barred(programme: Programme, uscc: str, name: str, *, now: datetime) -> None:
    """Raise :class:`NotInStanding` for whoever is barred."""
    missing = await barred_unmet(programme, uscc, now=now)
    if missing:
        raise NotInStanding(clause=missing[0].clause, unmet=missing, name=name)


async def require_standing(
    programme: Programme, organisation: Organisation, party: Party, act: QualificationAct, *, now: datetime
) -> None:
    """Raise :class:`NotInStanding` with everything that is missing (YC-18)."""
    missing = await standing_unmet(programme, organisation, party, act, now=now)
    if missing:
        raise NotInStanding(clause=missing[0].clause, unmet=missing, name=organisation.name)
