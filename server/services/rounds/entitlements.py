"""Entitlements: who may be granted how much in a round, settled before the minute of the launch.

A row here is the whole truth of the commit: an enterprise that loses its standing loses its row in the
same transaction, under the budget's lock, so nobody can be granted anything a moment later (I5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from tortoise.expressions import Q
from tortoise.functions import Sum

from server.errors import Unmet
from server.models.organisations import BlocklistEntry, Organisation, Qualification
from server.models.rounds import Budget, Entitlement, Round
from server.models.vouchers import Voucher
from server.programme.model import Programme
from server.programme.vocabulary import Party
from server.rules.lifecycles import QUALIFICATION_MAY, QualificationAct, QualificationStatus
from server.rules.quota import share_of
from server.texts import READINESS
from server.units import yuan

BATCH = 2000


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether an enterprise is ready for a round: what it may be granted, or everything in the way."""

    amount_fen: int
    tier: str
    quota_fen: int
    taken_fen: int
    missing: tuple[Unmet, ...]

    @property
    def is_ready(self) -> bool:
        return not self.missing


async def readiness(
    programme: Programme, budget_id: int, enterprise: Organisation, *, now: datetime
) -> Readiness:
    """Everything that stands between an enterprise and a voucher of this budget, not just the first."""
    missing: list[Unmet] = []
    qualification = await Qualification.get_or_none(
        organisation_id=enterprise.id, party=Party.ENTERPRISE, programme_slug=programme.slug
    )
    if qualification is None:
        missing.append(Unmet("not_qualified", "", READINESS["not_qualified"]))
    elif QualificationAct.OBTAIN_VOUCHERS not in QUALIFICATION_MAY[qualification.status]:
        code = f"qualification_{qualification.status.value}"
        missing.append(Unmet(code, "", READINESS[code]))
        missing += [Unmet(**one) for one in qualification.unmet]
    for entry in await standing_bans([enterprise.uscc], programme.slug, now=now):
        missing.append(Unmet("barred", entry.clause, READINESS["barred"]))

    share = share_of(programme, frozenset(enterprise.labels))
    if share is None:
        missing.append(Unmet("no_tier", programme.issuance.article, READINESS["no_tier"]))
        return Readiness(0, "", 0, 0, tuple(missing))
    taken = await taken_fen(programme, budget_id, [enterprise.id])
    already_fen = taken.get(enterprise.id, 0)
    if already_fen + share.amount_fen > share.quota_fen:
        arithmetic = f"{yuan(already_fen)} + {yuan(share.amount_fen)} > {yuan(share.quota_fen)}"
        missing.append(Unmet("quota_used", programme.issuance.article, READINESS["quota_used"], arithmetic))
    return Readiness(share.amount_fen, share.tier, share.quota_fen, already_fen, tuple(missing))


async def prepare(programme: Programme, budget: Budget, round_id: int, *, now: datetime) -> int:
    """Settle who may be granted what in a round, anew; returns how many. Call it under the lock."""
    await Entitlement.filter(round_id=round_id).delete()
    enterprises = await _qualified(programme, now=now)
    return await _entitle(programme, budget.id, round_id, enterprises, now=now)


async def refresh(
    programme: Programme, budget: Budget, round_id: int, enterprise: Organisation, *, now: datetime
) -> tuple[Entitlement | None, Entitlement | None]:
    """Settle one enterprise's entitlement in one round anew; (before, after). Under the lock."""
    before = await Entitlement.get_or_none(round_id=round_id, enterprise_id=enterprise.id)
    await Entitlement.filter(round_id=round_id, enterprise_id=enterprise.id).delete()
    if await _qualified(programme, now=now, enterprise_id=enterprise.id):
        await _entitle(programme, budget.id, round_id, [enterprise], now=now)
    after = await Entitlement.get_or_none(round_id=round_id, enterprise_id=enterprise.id)
    return before, after


async def taken_fen(programme: Programme, budget_id: int, enterprise_ids: Iterable[int]) -> Mapping[int, int]:
    """What each enterprise was granted this year and still counts against its quota, fen."""
    rows = await (
        Voucher.filter(budget_id=budget_id, enterprise_id__in=list(enterprise_ids))
        .annotate(total_fen=Sum("face_value_fen"), back_fen=Sum("given_back_fen"))
        .group_by("enterprise_id")
        .values("enterprise_id", "total_fen", "back_fen")
    )
    return {row["enterprise_id"]: int(row["total_fen"]) - int(row["back_fen"]) for row in rows}


async def standing_bans(usccs: Iterable[str], slug: str, *, now: datetime) -> list[BlocklistEntry]:
    """The bans that hold at an instant, in this programme or everywhere."""
    return await BlocklistEntry.filter(
        Q(programme_slug=slug) | Q(programme_slug__isnull=True),
        Q(ends_at__gt=now) | Q(ends_at__isnull=True),
        uscc__in=list(usccs),
        starts_at__lte=now,
        lifted_at__isnull=True,
    ).order_by("id")


async def _qualified(
    programme: Programme, *, now: datetime, enterprise_id: int | None = None
) -> list[Organisation]:
    wanted = Q(programme_slug=programme.slug, party=Party.ENTERPRISE, status=QualificationStatus.APPROVED)
    if enterprise_id is not None:
        wanted &= Q(organisation_id=enterprise_id)
    ids = (
        await Qualification.filter(wanted)
        .order_by("organisation_id")
        .values_list("organisation_id", flat=True)
    )
    qualified: list[Organisation] = []
    for start in range(0, len(ids), BATCH):
        batch = await Organisation.filter(id__in=ids[start : start + BATCH]).order_by("id")
        bans = await standing_bans([one.uscc for one in batch], programme.slug, now=now)
        barred = {ban.uscc for ban in bans}
        qualified += [one for one in batch if one.uscc not in barred]
    return qualified


async def _entitle(
    programme: Programme, budget_id: int, round_id: int, enterprises: list[Organisation], *, now: datetime
) -> int:
    rows: list[Entitlement] = []
    taken: dict[int, int] = {}
    for start in range(0, len(enterprises), BATCH):
        batch = [one.id for one in enterprises[start : start + BATCH]]
        taken |= await taken_fen(programme, budget_id, batch)
    for enterprise in enterprises:
        share = share_of(programme, frozenset(enterprise.labels))
        if share is not None and taken.get(enterprise.id, 0) + share.amount_fen <= share.quota_fen:
            rows.append(
                Entitlement(
                    round_id=round_id,
                    enterprise_id=enterprise.id,
                    tier=share.tier,
                    amount_fen=share.amount_fen,
                    quota_fen=share.quota_fen,
                    prepared_at=now,
                )
            )
    await Entitlement.bulk_create(rows, batch_size=BATCH)
    return len(rows)


async def open_rounds(slug: str) -> list[Round]:
    """The rounds of a programme in which a change of standing matters."""
    wanted = Round.filter(budget__programme_slug=slug).exclude(status="draft")
    return await wanted.select_related("budget").order_by("id")
