"""The waiting list of a ranked round: money that comes back goes down it, in its published order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from server.models.applications import Ranking, RankingEntry, WaitingAward
from server.models.organisations import Organisation
from server.models.rounds import Budget, Round
from server.programme.model import Programme
from server.programme.vocabulary import Party
from server.rules import issuance
from server.rules.deadlines import day_of, voucher_valid_until
from server.rules.issuance import RankOutcome
from server.rules.lifecycles import QualificationAct
from server.rules.money import Basis
from server.services.access import CLOCK
from server.services.admissions.standings import standing_unmet
from server.services.vouchers import issuing
from server.services.vouchers.applications import Applications
from server.services.vouchers.issuing import Grant
from server.services.vouchers.ranked import RankedRounds

BATCH = 200


class WaitingList:
    """Serves whoever was ranked and got nothing."""

    def __init__(self, applications: Applications, ranked: RankedRounds) -> None:
        self.applications = applications
        self.ranked = ranked

    async def offer_returned(self, budget: Budget, round_: Round, amount_fen: int, now: datetime) -> None:
        """Let what has come back to a round go down its waiting list (GZ-30).

        Called under the budget's lock, after ``amount_fen`` is in the round's pool again; what nobody could
        have stays there for the next time. Whoever waits must be in standing now, and gets no more than its
        quota leaves now. Its time to order counts from this day.
        """
        programme = self.ranked.rounds.programme(budget)
        made = await Ranking.get_or_none(round_id=round_.id)
        until = voucher_valid_until(programme, day_of(now), round_.valid_until)
        if made is None or now >= until:
            return
        left_fen, after = round_.pool_fen - round_.issued_fen, 0
        while left_fen and (batch := await _waiting(round_.id, after)):
            after = batch[-1].position or 0
            line = [one for each in batch if (one := await self._fit(programme, budget, each, now))]
            amounts = issuance.served(line, left_fen)
            awards = [pair for pair in zip(line, amounts, strict=True) if pair[1]]
            left_fen -= sum(amounts)
            # The time to order is that of this day, not of those who were on the list from the first.
            round_.order_deadline = self.ranked.order_deadline(
                round_, programme, closed_on=day_of(now), told_on=day_of(now), valid_until=until
            )
            await _award(budget, programme, round_, {one.id: one for one in batch}, awards, now)

    async def _fit(
        self, programme: Programme, budget: Budget, entry: RankingEntry, now: datetime
    ) -> issuance.Application | None:
        """What somebody on the waiting list may have today; ``None``: nothing."""
        organisation = await Organisation.get(id=entry.enterprise_id)
        act = QualificationAct.OBTAIN_VOUCHERS
        if await standing_unmet(programme, organisation, Party.ENTERPRISE, act, now=now):
            return None
        most = await self.applications.most(programme, budget.id, organisation)
        amount_fen = entry.asked_fen if most is None else min(entry.asked_fen, most.amount_fen)
        if amount_fen <= 0:
            return None
        return issuance.Application(
            id=entry.id,
            labels=frozenset(organisation.labels),
            applied_at=entry.arrived_at,
            amount_fen=amount_fen,
        )


async def _waiting(round_id: int, after: int) -> list[RankingEntry]:
    """The next of a round who still wait, in their order."""
    served = await WaitingAward.filter(round_id=round_id).values_list("application_id", flat=True)
    waiting = RankingEntry.filter(round_id=round_id, outcome=RankOutcome.WAITING, position__gt=after)
    return await waiting.exclude(id__in=list(served)).order_by("position").limit(BATCH)


async def _award(
    budget: Budget,
    programme: Programme,
    round_: Round,
    entries: dict[int, RankingEntry],
    awards: Sequence[tuple[issuance.Application, int]],
    now: datetime,
) -> None:
    vouchers = await issuing.issue(
        budget,
        programme,
        [
            Grant(
                enterprise_id=entries[one.id].enterprise_id,
                amount_fen=amount_fen,
                asked_at=one.applied_at,
                tier=entries[one.id].tier,
                place=str(entries[one.id].position),
            )
            for one, amount_fen in awards
        ],
        basis=Basis.MONEY,
        actor=CLOCK.name,
        now=now,
        round_=round_,
    )
    by_enterprise = {voucher.enterprise_id: voucher for voucher in vouchers}
    await WaitingAward.bulk_create(
        [
            WaitingAward(
                application_id=one.id,
                round_id=round_.id,
                voucher_id=by_enterprise[entries[one.id].enterprise_id].id,
                amount_fen=amount_fen,
                at=now,
            )
            for one, amount_fen in awards
        ]
    )
