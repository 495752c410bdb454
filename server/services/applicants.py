"""Applicants: what is known about an organisation when a programme's conditions are asked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from tortoise.expressions import Q

from server.clock import CHINA
from server.models.organisations import BlocklistEntry, Organisation
from server.programme.model import Programme
from server.programme.vocabulary import LegalForm
from server.rules.facts import Barred, EnterpriseFacts, held

INSTANT = timedelta(microseconds=1)


async def facts_of(
    organisation: Organisation,
    programme: Programme,
    labels: Iterable[str],
    *,
    now: datetime,
    applied_at: datetime | None = None,
) -> EnterpriseFacts:
    """What a programme's rules may ask about an organisation that holds ``labels``.

    Every unlifted ban counts as a bar while it lasts; one under this very programme is a recorded
    violation of its year for ever (LS-13).
    """
    entries = await BlocklistEntry.filter(
        Q(programme_slug=programme.slug) | Q(programme_slug__isnull=True),
        uscc=organisation.uscc,
        lifted_at__isnull=True,
    ).order_by("id")
    return EnterpriseFacts(
        uscc=organisation.uscc,
        name=organisation.name,
        area=organisation.area,
        legal_person=organisation.legal_person,
        legal_form=LegalForm.LEGAL_PERSON if organisation.legal_person else None,
        established_on=organisation.established_on,
        applied_on=None if applied_at is None else day(applied_at),
        industry=organisation.industry,
        headcount=organisation.headcount,
        revenue_fen=organisation.revenue_fen,
        assets_fen=organisation.assets_fen,
        labels=held(labels),
        declarations=organisation.declarations,
        barred=tuple(
            Barred(
                clause=entry.clause,
                starts_on=day(entry.starts_at),
                # The end is exclusive: a ban until midnight ends with the day before.
                ends_on=None if entry.ends_at is None else day(entry.ends_at - INSTANT),
            )
            for entry in entries
        ),
        violation_years=tuple(
            sorted(
                {
                    day(entry.starts_at).year
                    for entry in entries
                    if entry.programme_slug == programme.slug and entry.starts_at <= now
                }
            )
        ),
    )


def snapshot(organisation: Organisation) -> dict[str, Any]:
    """The organisation's facts as they are now, fit to be kept with a decision. Money in fen."""
    return {
        "uscc": organisation.uscc,
        "name": organisation.name,
        "area": organisation.area,
        "industry": organisation.industry,
        "legal_person": organisation.legal_person,
        "established_on": organisation.established_on.isoformat(),
        "headcount": organisation.headcount,
        "revenue_fen": organisation.revenue_fen,
        "assets_fen": organisation.assets_fen,
        "labels": organisation.labels,
        "labels_claimed": organisation.labels_claimed,
        "declarations": organisation.declarations,
        "facts_changed_at": organisation.facts_changed_at.isoformat(),
    }


def claims(organisation: Organisation) -> frozenset[str]:
    """The labels it holds, and those it says it holds."""
    return frozenset({*organisation.labels, *organisation.labels_claimed})


def day(at: datetime) -> date:
    """The day of an instant, in China."""
    return at.astimezone(CHINA).date()
