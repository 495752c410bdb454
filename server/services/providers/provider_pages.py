"""Provider pages: what everybody may know of the providers of a programme, as it stands at this instant.

Performance is counted when it is asked for, from orders and ratings, so that it is never behind (GX-45).
Nothing here names a person, and no order or enterprise can be told from it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from statistics import median_low
from typing import Any

from tortoise.expressions import Q, Subquery
from tortoise.functions import Count

from server.models.complaints import Complaint
from server.models.labels import AttestedLabel
from server.models.offerings import Offering, OfferingVersion
from server.models.orders import Order
from server.models.organisations import Organisation, Qualification
from server.models.provider_standing import ProviderGrade
from server.programme.model import Programme
from server.programme.vocabulary import Party
from server.rules.complaints import Finding
from server.rules.deadlines import day_of
from server.rules.eligibility import AREA_SEPARATOR, label_valid
from server.rules.facts import HeldLabel
from server.rules.lifecycles import ProviderAct, QualificationStatus
from server.rules.offerings import OfferingStatus
from server.rules.orders import LIVE, OrderStatus
from server.rules.ratings import Figures
from server.services.access import NotFound
from server.services.admissions.attestations import naming
from server.services.providers import ratings
from server.services.providers.provider_standing import able, standing_at

KNOWN = frozenset(
    {
        QualificationStatus.APPROVED,
        QualificationStatus.EXPIRED,
        QualificationStatus.SUSPENDED,
        QualificationStatus.DELISTED,
        QualificationStatus.REVOKED,
    }
)
"""Standings of whoever has been admitted once; an application is nobody else's business."""
RECENT = 200
"""So many of the newest finished orders make the usual duration."""


@dataclass(frozen=True, slots=True)
class Recognition:
    """A title by which a provider was recognised, and for what."""

    name: str
    kinds: tuple[str, ...]
    valid_until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """How a provider performs its contracts. ``median_days``: from the order to its end, in whole days."""

    done: int = 0
    under_way: int = 0
    declined: int = 0
    cancelled: int = 0
    median_days: int | None = None
    complaints: int = 0
    """Complaints against it that proved true, outside the mailbox."""
    serious_complaints: int = 0
    ratings: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderCard:
    """A provider in short."""

    row: Qualification
    standing: QualificationStatus
    takes_orders: bool
    categories: tuple[str, ...] = ()
    done: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderPage:
    """Everything that everybody may know of a provider in a programme."""

    card: ProviderCard
    performance: Performance
    recognitions: tuple[Recognition, ...] = ()
    grade: ProviderGrade | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which providers. ``words`` is any part of the name."""

    words: str = ""
    category: str = ""
    area: str = ""
    after: int = 0
    limit: int = field(default=20)


async def cards(programme: Programme, wanted: Wanted, *, now: datetime) -> list[ProviderCard]:
    """The next providers of a programme that take orders now, by the id of their standing."""
    rows = Qualification.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gt=now),
        programme_slug=programme.slug,
        party=Party.PROVIDER,
        status=QualificationStatus.APPROVED,
        id__gt=wanted.after,
    )
    if wanted.words:
        rows = rows.filter(organisation__name__icontains=wanted.words)
    if wanted.area:
        below = wanted.area + AREA_SEPARATOR
        rows = rows.filter(Q(organisation__area=wanted.area) | Q(organisation__area__startswith=below))
    if wanted.category:
        rows = rows.filter(organisation_id__in=Subquery(_offering(programme, wanted.category)))
    found = await rows.select_related("organisation").order_by("id").limit(wanted.limit)
    return await _cards(programme, found, now=now)


async def page(programme: Programme, provider_id: int, *, now: datetime) -> ProviderPage:
    """One provider. Raises ``NotFound`` for whoever has never been admitted to the programme."""
    row = await (
        Qualification.filter(organisation_id=provider_id, programme_slug=programme.slug, party=Party.PROVIDER)
        .select_related("organisation")
        .first()
    )
    # Sent back to review, it is known from its orders.
    if row is None or not (row.status in KNOWN or await _has_orders(programme, provider_id)):
        raise NotFound()
    (card,) = await _cards(programme, [row], now=now)
    grade = (
        await ProviderGrade.filter(qualification_id=row.id, published_at__isnull=False)
        .order_by("-year", "-id")
        .first()
    )
    return ProviderPage(
        card=card,
        performance=await performance(programme.slug, provider_id),
        recognitions=await _recognitions(programme, row.organisation, now=now),
        grade=grade,
    )


async def performance(slug: str, provider_id: int) -> Performance:
    """How a provider performs in a programme, up to this instant."""
    counted = await _counted(slug, [provider_id])
    mine = counted.get(provider_id, {})
    finished = (
        await Order.filter(
            programme_slug=slug, provider_id=provider_id, status=OrderStatus.DONE, ended_at__isnull=False
        )
        .order_by("-id")
        .limit(RECENT)
        .only("id", "placed_at", "ended_at")
    )
    # What is in the mailbox is not counted: a figure that rises would tell everybody of it (LS-83).
    upheld = Complaint.filter(
        sealed=False,
        programme_slug=slug,
        accused_id=provider_id,
        accused_as=Party.PROVIDER,
        finding=Finding.SUBSTANTIATED,
    )
    days = [(one.ended_at - one.placed_at).days for one in finished if one.ended_at is not None]
    return Performance(
        done=mine.get(OrderStatus.DONE, 0),
        under_way=sum(mine.get(status, 0) for status in LIVE),
        declined=mine.get(OrderStatus.DECLINED, 0),
        cancelled=mine.get(OrderStatus.CANCELLED, 0) + mine.get(OrderStatus.LAPSED, 0),
        median_days=median_low(days) if days else None,
        complaints=await upheld.count(),
        serious_complaints=await upheld.filter(serious=True).count(),
        ratings=await ratings.figures_of(provider_id, slug),
    )


def as_json(known: Performance) -> dict[str, Any]:
    """Figures as they are kept with a decision."""
    return {
        "done": known.done,
        "under_way": known.under_way,
        "declined": known.declined,
        "cancelled": known.cancelled,
        "median_days": known.median_days,
        "complaints": known.complaints,
        "serious_complaints": known.serious_complaints,
        "votes": known.ratings.votes,
        "by_level": dict(known.ratings.by_level),
    }


async def _cards(
    programme: Programme, rows: Collection[Qualification], *, now: datetime
) -> list[ProviderCard]:
    ids = [row.organisation_id for row in rows]
    takes = await able(programme, ids, ProviderAct.TAKE_ORDERS, now=now)
    counted = await _counted(programme.slug, ids)
    offered: dict[int, set[str]] = {}
    listed = await Offering.filter(
        programme_slug=programme.slug, provider_id__in=ids, status=OfferingStatus.LISTED
    ).only("id", "provider_id", "current_version_id")
    versions = await OfferingVersion.filter(
        id__in=[one.current_version_id for one in listed if one.current_version_id is not None]
    ).only("id", "category")
    category_of = {version.id: version.category for version in versions}
    for one in listed:
        if one.current_version_id in category_of:
            offered.setdefault(one.provider_id, set()).add(category_of[one.current_version_id])
    order = [category.code for category in programme.categories]
    return [
        ProviderCard(
            row=row,
            standing=standing_at(row, now),
            takes_orders=row.organisation_id in takes,
            categories=tuple(code for code in order if code in offered.get(row.organisation_id, ())),
            done=counted.get(row.organisation_id, {}).get(OrderStatus.DONE, 0),
        )
        for row in rows
    ]


async def _counted(slug: str, provider_ids: Collection[int]) -> Mapping[int, Mapping[OrderStatus, int]]:
    """How many orders each provider has, by their status."""
    rows = (
        await Order.filter(programme_slug=slug, provider_id__in=list(provider_ids))
        .annotate(many=Count("id"))
        .group_by("provider_id", "status")
        .values("provider_id", "status", "many")
    )
    counted: dict[int, dict[OrderStatus, int]] = {}
    for row in rows:
        counted.setdefault(row["provider_id"], {})[OrderStatus(row["status"])] = int(row["many"])
    return counted


async def _has_orders(programme: Programme, provider_id: int) -> bool:
    return await Order.exists(programme_slug=programme.slug, provider_id=provider_id)


async def _recognitions(
    programme: Programme, provider: Organisation, *, now: datetime
) -> tuple[Recognition, ...]:
    names = {label.code: label.name for label in programme.labels if label.of is Party.PROVIDER}
    rows = await AttestedLabel.filter(naming(provider), code__in=list(names)).order_by("id")
    today = day_of(now)
    return tuple(
        Recognition(names[row.code], tuple(row.kinds), row.valid_until)
        for row in rows
        if label_valid(
            programme,
            HeldLabel(code=row.code, recognised_in=row.recognised_in, valid_until=row.valid_until),
            today,
        )
    )


def _offering(programme: Programme, category: str) -> Any:
    """Who has an offering of a category that is listed."""
    current = Subquery(
        Offering.filter(programme_slug=programme.slug, status=OfferingStatus.LISTED).values(
            "current_version_id"
        )
    )
    return OfferingVersion.filter(id__in=current, category=category).values("offering__provider_id")
