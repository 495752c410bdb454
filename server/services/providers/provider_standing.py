"""Provider standing: what a provider may do at this instant, or everything that keeps it from it.

Whoever lets a provider do something asks :func:`require_provider`, under the organisation's lock where it
matters that the answer holds. What each standing allows is one table (``rules.lifecycles.PROVIDER_MAY``).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from server.errors import Unmet
from server.models.organisations import Organisation, Qualification
from server.programme.model import Programme
from server.programme.vocabulary import Party
from server.rules.lifecycles import (
    BARRED_PROVIDER_MAY,
    PROVIDER_MAY,
    ProviderAct,
    QualificationStatus,
)
from server.services.admissions.standings import NotInStanding
from server.services.rounds.entitlements import standing_bans
from server.texts import PROVIDER_STANDING


async def require_provider(
    programme: Programme, organisation: Organisation, act: ProviderAct, *, now: datetime
) -> None:
    """Raise ``NotInStanding`` with everything that keeps an organisation from an act as a provider.

    ``programme`` is the version the act falls under: for what was signed, the one it was signed under.
    """
    missing = await provider_missing(programme, organisation, act, now=now)
    if missing:
        raise NotInStanding(clause=missing[0].clause, unmet=missing, name=organisation.name)


async def provider_missing(
    programme: Programme, organisation: Organisation, act: ProviderAct, *, now: datetime
) -> tuple[Unmet, ...]:
    """Everything that keeps an organisation from an act as a provider; empty: it may."""
    row = await Qualification.get_or_none(
        organisation_id=organisation.id, party=Party.PROVIDER, programme_slug=programme.slug
    )
    bans = await standing_bans([organisation.uscc], programme.slug, now=now)
    missing = []
    status = None if row is None else standing_at(row, now)
    if status is None or act not in allowed(programme, status):
        code = "not_qualified" if status is None else f"provider_{status.value}"
        renewal = programme.provider.renewal.article
        expired = status is QualificationStatus.EXPIRED
        clause = renewal if expired and renewal else programme.provider.article
        missing.append(Unmet(code, clause, PROVIDER_STANDING[code].format(name=organisation.name)))
    if act not in BARRED_PROVIDER_MAY:
        message = PROVIDER_STANDING["barred"].format(name=organisation.name)
        missing += [Unmet("barred", ban.clause, message) for ban in bans]
    return tuple(missing)


async def able(
    programme: Programme, organisation_ids: Collection[int], act: ProviderAct, *, now: datetime
) -> frozenset[int]:
    """Which of these organisations may do something as providers: the same answer for many at once."""
    rows = await Qualification.filter(
        organisation_id__in=list(organisation_ids), party=Party.PROVIDER, programme_slug=programme.slug
    ).select_related("organisation")
    standing = [row for row in rows if act in allowed(programme, standing_at(row, now))]
    if act in BARRED_PROVIDER_MAY:
        return frozenset(row.organisation_id for row in standing)
    bans = await standing_bans([row.organisation.uscc for row in standing], programme.slug, now=now)
    barred = {ban.uscc for ban in bans}
    return frozenset(row.organisation_id for row in standing if row.organisation.uscc not in barred)


def standing_at(row: Qualification, now: datetime) -> QualificationStatus:
    """The standing at an instant: an approval whose time is over has run out, told or not."""
    over = row.valid_until is not None and row.valid_until <= now
    if over and row.status is QualificationStatus.APPROVED:
        return QualificationStatus.EXPIRED
    return row.status


def allowed(programme: Programme, status: QualificationStatus) -> frozenset[ProviderAct]:
    """What a standing lets a provider do under a programme (GX-43, LS-40)."""
    if status is QualificationStatus.EXPIRED and not programme.provider.renewal.finish_signed:
        return frozenset()
    return PROVIDER_MAY[status]
