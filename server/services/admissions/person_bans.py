"""Bans of persons: who was responsible for a breach may not claim again, by whichever organisation (NX-28).

Nobody's identity number stands here: the keyed hash of a number that a form gives is compared with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from tortoise.expressions import Q

from server.errors import Refusal
from server.models.relations import TieDeclaration
from server.models.sanctions import PersonBan
from server.sealing import Sealer


class PersonBarred(Refusal):
    """Somebody this form names as responsible is barred."""

    status, code = 409, "person_barred"


async def require_unbarred(
    organisation_id: int, numbers: Iterable[str], slug: str, sealer: Sealer, *, now: datetime
) -> None:
    """Raise :class:`PersonBarred` where a person the form or the declaration of ties names is barred."""
    declared = await TieDeclaration.filter(organisation_id=organisation_id).order_by("-id").first()
    known = {one.strip().upper() for one in numbers if one.strip()}
    if declared is not None and declared.representative_id_sealed:
        known.add(sealer.open(declared.representative_id_sealed).strip().upper())
    indexes = [index for one in known for index in sealer.blinds(one)]
    if not indexes:
        return
    ban = await PersonBan.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=now),
        person_index__in=indexes,
        programme_slug=slug,
        starts_at__lte=now,
        lifted_at=None,
    ).first()
    if ban is not None:
        raise PersonBarred(clause=ban.clause)
