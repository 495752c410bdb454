"""Quotas: how much an enterprise may still be granted in a year, and what room a provider has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from server import texts
from server.errors import Refusal
from server.programme.issuance import QuotaEvent, Tier
from server.programme.model import Programme
from server.programme.money import ProviderCeiling
from server.programme.vocabulary import ShareBase
from server.rules.limits import Limit, room, smallest
from server.units import percent, share, yuan

NOT_RAISED: Mapping[str, int] = MappingProxyType({})


class QuotaExceeded(Refusal):
    """More was asked for than the year's quota leaves."""

    status, code = 409, "quota_exceeded"


@dataclass(frozen=True, slots=True)
class ProviderRoom:
    """What a provider may still receive in a year, and the ceiling that says so.

    Where ``ceiling.in_principle`` the authority may go beyond, with a reason.
    """

    limit: Limit
    ceiling: ProviderCeiling
    for_orders: Limit | None
    """What those ceilings leave that refuse an order; another may leave less, and hold at the settlement."""


def tier_of(programme: Programme, labels: frozenset[str]) -> Tier | None:
    """The first tier that admits a holder of these labels; ``None`` where there is none.

    Tiers never add up: who belongs to several is in the one that stands first (GX-26 to GX-29, LS-28).
    """
    return next((tier for tier in programme.issuance.tiers if admits(tier, labels)), None)


@dataclass(frozen=True, slots=True)
class Share:
    """What one holder is given in a race, and its year's quota, fen; ``tier`` is empty without tiers."""

    tier: str
    amount_fen: int
    quota_fen: int


def share_of(programme: Programme, labels: frozenset[str]) -> Share | None:
    """What a holder of these labels is given where everybody of a kind is given the same at once.

    Its tier's face value; without any tiers what the round gives one holder at most, else the year's whole
    quota. ``None`` where no tier admits it, or nothing says how much.
    """
    issuance = programme.issuance
    tier = tier_of(programme, labels)
    if tier is not None:
        quota_fen = issuance.quota_fen(tier)
        return Share(tier.code, tier.face_value_fen, tier.face_value_fen if quota_fen is None else quota_fen)
    if issuance.tiers:
        return None
    known = [fen for fen in (issuance.per_round_limit_fen, issuance.annual_quota_fen) if fen is not None]
    return Share("", min(known), known[-1]) if known else None


def admits(tier: Tier, labels: frozenset[str]) -> bool:
    """Whether a tier is open to a holder of these labels."""
    return labels.issuperset(tier.all_of) and (not tier.any_of or not labels.isdisjoint(tier.any_of))


def tier_for_year(programme: Programme, first: Tier | None, today: Tier | None) -> Tier | None:
    """The tier that counts for a holder whose labels have changed since its ``first`` grant of the year.

    Where the programme lets a label gained in mid-year raise the quota, the higher quota counts; a
    label lost takes nothing back. Elsewhere the year keeps the tier it began with.
    """
    if first is None or today is None:
        return first or today
    if not programme.issuance.upgrade_by_difference:
        return first
    return max(first, today, key=lambda tier: tier.face_value_fen)


def counted_fen(programme: Programme, granted_fen: int, ended_fen: Mapping[QuotaEvent, int]) -> int:
    """What counts against the year's quota, of what was granted in the year.

    ``ended_fen`` says how much of it ended in which way. What burns the quota stays counted (expired,
    reclaimed: GZ-38); everything else gives it back (handed back: GZ-39).
    """
    given_back = sum(
        amount for event, amount in ended_fen.items() if event not in programme.issuance.burns_quota
    )
    return granted_fen - given_back


def quota_left(
    programme: Programme, tier: Tier | None, granted_fen: int, ended_fen: Mapping[QuotaEvent, int]
) -> Limit | None:
    """What the year's quota leaves; ``None`` where the programme sets no quota."""
    quota = programme.issuance.quota_fen(tier)
    if quota is None:
        return None
    clause = tier.article if programme.issuance.quota_by_tier and tier is not None else ""
    return room(
        quota,
        counted_fen(programme, granted_fen, ended_fen),
        clause=clause or programme.issuance.article,
        name=texts.LIMITS["quota"],
    )


def grantable(programme: Programme, tier: Tier | None, left: Limit | None) -> Limit | None:
    """The most one holder may be granted at once: its face value, the round's limit, its quota.

    ``None`` where nothing of the three is set.
    """
    issuance = programme.issuance
    limits = []
    if tier is not None:
        limits.append(
            Limit(
                tier.face_value_fen,
                tier.article,
                texts.FACE_VALUE.format(tier=tier.name, amount=yuan(tier.face_value_fen)),
            )
        )
    if issuance.per_round_limit_fen is not None:
        limits.append(
            room(issuance.per_round_limit_fen, 0, clause=issuance.article, name=texts.LIMITS["per_round"])
        )
    if left is not None:
        limits.append(left)
    return smallest(limits) if limits else None


def require_grantable(asked_fen: int, limit: Limit | None) -> None:
    """Raise :class:`QuotaExceeded` when a holder asks for more than it may be granted (GZ-29)."""
    if limit is not None and asked_fen > limit.amount_fen:
        raise QuotaExceeded(
            clause=limit.clause,
            arithmetic=limit.arithmetic,
            asked=yuan(asked_fen),
            most=yuan(limit.amount_fen),
        )


def ceiling_of(ceiling: ProviderCeiling, totals: Mapping[ShareBase, int]) -> tuple[int, str]:
    """What a ceiling lets a provider receive in a year, fen, and what it is called; of shares, of what."""
    name = texts.LIMITS["provider"]
    if ceiling.amount_fen is not None:
        return ceiling.amount_fen, name
    rate, total = ceiling.share_bp or 0, totals[ceiling.share_of]
    of = texts.SHARE_BASES[ceiling.share_of]
    named = texts.SHARE_OF.format(name=name, rate=percent(rate), of=of, total=yuan(total))
    return share(total, rate), named


def provider_room(
    programme: Programme,
    *,
    received_fen: int,
    year_total_fen: int,
    year_issued_fen: int,
    raised_fen: Mapping[str, int] = NOT_RAISED,
) -> ProviderRoom | None:
    """What a provider may still receive; of several ceilings the one that leaves least.

    ``received_fen`` is what it received (or has reserved) this year; the totals are those of the
    programme year: planned, and issued so far. ``raised_fen`` is what the authority lets it receive where a
    ceiling holds in principle, by its code. ``None`` where the programme sets no ceiling.
    """
    totals = {ShareBase.YEAR_TOTAL: year_total_fen, ShareBase.YEAR_ISSUED: year_issued_fen}
    left: list[tuple[Limit, ProviderCeiling]] = []
    for ceiling in programme.provider_ceilings:
        most, name = ceiling_of(ceiling, totals)
        raised = raised_fen.get(ceiling.code, 0) if ceiling.in_principle else 0
        if raised > most:
            most, name = raised, texts.RAISED.format(name=name, most=yuan(most))
        left.append((room(most, received_fen, clause=ceiling.article, name=name), ceiling))
    if not left:
        return None
    limit, ceiling = min(left, key=lambda one: one[0].amount_fen)
    blocking = [limit for limit, ceiling in left if ceiling.blocks_orders]
    return ProviderRoom(limit, ceiling, smallest(blocking) if blocking else None)
