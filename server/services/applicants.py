"""Applicants: what is known about an enterprise when a programme's conditions are asked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from tortoise.expressions import Q

from server.clock import CHINA
from server.models.organisations import BlocklistEntry, Enterprise
from server.programme.model import Programme
from server.programme.vocabulary import LegalForm
from server.rules.facts import Barred, EnterpriseFacts, held

INSTANT = timedelta(microseconds=1)


async def facts_of(
    enterprise: Enterprise,
    programme: Programme,
    labels: Iterable[str],
    *,
    now: datetime,
    applied_at: datetime | None = None,
) -> EnterpriseFacts:
    """What a programme's rules may ask about an enterprise that holds ``labels``.

    Every unlifted ban counts as a bar while it lasts; one under this very programme is a recorded
    violation of its year for ever (LS-13).
    """
    entries = await BlocklistEntry.filter(
        Q(programme_slug=programme.slug) | Q(programme_slug__isnull=True),
        uscc=enterprise.uscc,
        lifted_at__isnull=True,
    ).order_by("id")
    return EnterpriseFacts(
        uscc=enterprise.uscc,
        name=enterprise.name,
        area=enterprise.area,
        legal_person=enterprise.legal_person,
        legal_form=LegalForm.LEGAL_PERSON if enterprise.legal_person else None,
        established_on=enterprise.established_on,
        applied_on=None if applied_at is None else day(applied_at),
        industry=enterprise.industry,
        headcount=enterprise.headcount,
        revenue_fen=enterprise.revenue_fen,
        assets_fen=enterprise.assets_fen,
        labels=held(labels),
        declarations=enterprise.declarations,
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


def snapshot(enterprise: Enterprise) -> dict[str, Any]:
    """The enterprise's facts as they are now, fit to be kept with a decision. Money in fen."""
    return {
        "uscc": enterprise.uscc,
        "name": enterprise.name,
        "area": enterprise.area,
        "industry": enterprise.industry,
        "legal_person": enterprise.legal_person,
        "established_on": enterprise.established_on.isoformat(),
        "headcount": enterprise.headcount,
        "revenue_fen": enterprise.revenue_fen,
        "assets_fen": enterprise.assets_fen,
        "labels": enterprise.labels,
        "labels_claimed": enterprise.labels_claimed,
        "declarations": enterprise.declarations,
        "facts_changed_at": enterprise.facts_changed_at.isoformat(),
    }


def claims(enterprise: Enterprise) -> frozenset[str]:
    """The labels it holds, and those it says it holds."""
    return frozenset({*enterprise.labels, *enterprise.labels_claimed})


def day(at: datetime) -> date:
    """The day of an instant, in China."""
    return at.astimezone(CHINA).date()
