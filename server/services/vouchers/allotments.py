"""Allotments: every approved enterprise is promised its year's quota by tier, by itself (GX-25, GX-49).

A promise takes no money: the quota is posted, and the money follows at the signing of a contract
(``services/orders/order_money.py``). It is settled whenever an enterprise's standing or labels change, and by
a job for everybody who has none yet, which is how a new year begins. A label gained in mid-year brings the
difference as a further voucher; one that is lost takes nothing back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from tortoise.transactions import in_transaction

from server.errors import Unmet
from server.models.organisations import Organisation, Qualification
from server.models.rounds import Budget
from server.models.vouchers import Voucher
from server.programme.issuance import IssuanceMode, Tier
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.programme.size_classes import SizeStandard
from server.programme.vocabulary import Party
from server.rules.deadlines import day_of
from server.rules.eligibility import unmet as conditions_unmet
from server.rules.eligibility import valid_labels
from server.rules.facts import EnterpriseFacts
from server.rules.lifecycles import QualificationAct, QualificationStatus
from server.rules.money import Basis
from server.rules.quota import tier_for_year, tier_of
from server.services.access import CLOCK
from server.services.admissions.applicants import facts_of
from server.services.admissions.standings import standing_unmet
from server.services.budgets import budgets
from server.services.budgets.annual_notices import AnnualNotices, Terms
from server.services.clocks import ProgrammeClocks
from server.services.organisations.memberships import lock
from server.services.vouchers import issuing
from server.services.vouchers.issuing import Grant

BATCH = 500


class Allotments:
    """The yearly quota of every approved enterprise. Instants are those of the programme's clock."""

    def __init__(
        self, programmes: Programmes, sizes: SizeStandard, clocks: ProgrammeClocks, notices: AnnualNotices
    ) -> None:
        self.programmes = programmes
        self.sizes = sizes
        self.clocks = clocks
        self.notices = notices

    async def settle(self, enterprise: Organisation, slug: str) -> int:
        """Promise an enterprise what it is due and has not been promised; returns how many vouchers.

        Call it INSIDE the transaction that changed its standing or labels, under its lock. It never takes
        anything back, and asking again changes nothing.
        """
        programme, now = self.programmes.get(slug), self.clocks.now(slug)
        today = day_of(now)
        if programme.issuance.mode is not IssuanceMode.ALLOTMENT or not programme.covers(today):
            return 0
        year = await Budget.get_or_none(programme_slug=slug, year=programme.year_of(today))
        if year is None:
            return 0
        act = QualificationAct.OBTAIN_VOUCHERS
        if await standing_unmet(programme, enterprise, Party.ENTERPRISE, act, now=now):
            return 0
        facts = await facts_of(enterprise, programme, now=now)
        announced = [one for one in self.notices.announced(programme, today) if one.is_open(today)]
        admitted = [one for one in announced if not self._unmet(one, facts, now)]
        # Asked before the lock, because nearly always the answer is: nothing. Asked again under it.
        if not await _due(year, enterprise.id, admitted, facts, now):
            return 0
        async with budgets.locked(year.id) as budget:
            grants = await _due(budget, enterprise.id, admitted, facts, now)
            await issuing.issue(budget, programme, grants, basis=Basis.QUOTA, actor=CLOCK.name, now=now)
        return len(grants)

    async def allot_due(self) -> int:
        """Promise the year's quota to everybody who has none yet; returns how many vouchers.

        So begins a new year, a year whose money comes late, and a kind that is announced in mid-year. Each
        enterprise has a transaction of its own: what was done stays done when something fails.
        """
        issued = 0
        for programme in self.programmes:
            if programme.issuance.mode is IssuanceMode.ALLOTMENT:
                issued += await self._allot_year(programme)
        return issued

    async def _allot_year(self, programme: Programme) -> int:
        today = day_of(self.clocks.now(programme.slug))
        year = await Budget.get_or_none(programme_slug=programme.slug, year=programme.year_of(today))
        if year is None:
            return 0
        kinds = {one.kind for one in self.notices.announced(programme, today) if one.is_open(today)}
        issued, after = 0, 0
        approved = Qualification.filter(
            programme_slug=programme.slug, party=Party.ENTERPRISE, status=QualificationStatus.APPROVED
        )
        while batch := (
            await approved.filter(organisation_id__gt=after).order_by("organisation_id").limit(BATCH)
        ):
            ids = [one.organisation_id for one in batch]
            after = ids[-1]
            promised: dict[int, set[str]] = defaultdict(set)
            for voucher in await Voucher.filter(
                budget_id=year.id, enterprise_id__in=ids, basis=Basis.QUOTA
            ).only("enterprise_id", "kind"):
                promised[voucher.enterprise_id].add(voucher.kind)
            for enterprise_id in ids:
                if not kinds <= promised[enterprise_id]:
                    async with in_transaction():
                        issued += await self.settle(await lock(enterprise_id), programme.slug)
        return issued

    def _unmet(self, terms: Terms, facts: EnterpriseFacts, now: datetime) -> tuple[Unmet, ...]:
        """What the notice asks besides the programme's own conditions, and is not met."""
        asked = () if terms.set_by is None else terms.set_by.conditions
        programme = replace(terms.programme, enterprise=replace(terms.programme.enterprise, conditions=asked))
        return conditions_unmet(programme, facts, day_of(now), self.sizes)


async def _due(
    budget: Budget, enterprise_id: int, announced: Sequence[Terms], facts: EnterpriseFacts, now: datetime
) -> list[Grant]:
    """What an enterprise has not been promised yet, kind by kind.

    The serial counts its vouchers of one kind in the year; the table allows each serial once, so that two
    who settle the same enterprise at once cannot both promise it.
    """
    promised: dict[str, list[Voucher]] = {}
    for voucher in await Voucher.filter(
        budget_id=budget.id, enterprise_id=enterprise_id, basis=Basis.QUOTA
    ).order_by("serial"):
        promised.setdefault(voucher.kind, []).append(voucher)
    grants = []
    for terms in announced:
        earlier = promised.get(terms.kind, [])
        tier = _tier(terms, earlier, facts, now)
        if tier is None:
            continue
        due_fen = tier.face_value_fen - sum(voucher.face_value_fen for voucher in earlier)
        if due_fen > 0:
            grants.append(
                Grant(
                    enterprise_id=enterprise_id,
                    amount_fen=due_fen,
                    asked_at=now,
                    tier=tier.code,
                    kind=terms.kind,
                    serial=len(earlier) + 1,
                )
            )
    return grants


def _tier(terms: Terms, earlier: Sequence[Voucher], facts: EnterpriseFacts, now: datetime) -> Tier | None:
    """The tier that counts this year: the highest only, and never below what was promised first."""
    tiers = {tier.code: tier for tier in terms.programme.issuance.tiers}
    first = tiers.get(earlier[0].tier) if earlier else None
    today = tier_of(terms.programme, valid_labels(terms.programme, facts, day_of(now)))
    return tier_for_year(terms.programme, first, today)
