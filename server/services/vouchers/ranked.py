"""Ranked rounds: when a round has closed, everybody is ranked and served in one transaction, once.

The list is kept as it was made and its SHA-256 stands in the journal. It is public from the working day
the programme names (GZ-31); every applicant is told, and sees its voucher, on the day the programme names
for that. Until then a result is nobody's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime

from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.gateways import ranking as gateway
from server.gateways.ranking import LabelRule, LabelsMoved, RankTerms
from server.models.applications import Ranking, WaitingAward
from server.models.rounds import Budget, Round
from server.models.vouchers import Voucher
from server.programme.issuance import IssuanceMode
from server.programme.model import Programme
from server.programme.steps import Event, StepKind
from server.rules.deadlines import day_of, is_final, start_of, voucher_valid_until
from server.rules.issuance import RankOutcome, group_of, order_deadline, result_due
from server.rules.lifecycles import QUALIFICATION_MAY, QualificationAct, RoundStatus
from server.rules.quota import grantable, tier_of
from server.rules.ranking_list import ListHead
from server.services import journal, outbox
from server.services.access import CLOCK, NotFound
from server.services.budgets import budgets
from server.services.clocks import ProgrammeClocks
from server.services.rounds.rounds import Rounds
from server.services.working_days import WorkingDays

UNLIMITED_FEN = 10**15
"""More than any budget: where nothing limits what one holder may have."""


class ResultNotOut(Refusal):
    """The list of this round is not published yet."""

    status, code = 425, "result_not_out"


@dataclass(frozen=True, slots=True)
class Days:
    """When a round's result comes out, and whether that is only guessed (UTC instants)."""

    published_at: datetime
    visible_at: datetime
    provisional: bool


class RankedRounds:
    """The verbs on rounds that are ranked. The clock sets them in motion."""

    def __init__(self, rounds: Rounds, working_days: WorkingDays) -> None:
        self.rounds = rounds
        self.clocks: ProgrammeClocks = rounds.clocks
        self.working_days = working_days

    def days(self, programme: Programme, closed_at: datetime, now: datetime) -> Days:
        """When the result of a round that closed at an instant comes out, never before ``now``.

        Days of a year that nobody has published are counted by weekdays and said to be provisional.
        """
        published, visible = result_due(programme, day_of(closed_at), self.working_days.calendar)
        published_at = now if published is None else max(now, start_of(published.last_day))
        visible_at = published_at if visible is None else max(published_at, start_of(visible.last_day))
        told_on = day_of(published_at)
        happened: dict[Event | StepKind, date] = {
            Event.ROUND_CLOSED: day_of(closed_at),
            Event.RESULTS_PUBLISHED: told_on,
            Event.VOUCHER_ISSUED: told_on,
        }
        ordered = order_deadline(programme, happened, self.working_days.calendar)
        guessed = not all(due is None or is_final(due) for due in (published, visible, ordered))
        return Days(published_at, visible_at, guessed)

    async def rank_due(self) -> int:
        """Rank every round that has closed and is not ranked; returns how many this call ranked."""
        ranked = 0
        closed = Round.filter(status=RoundStatus.CLOSED, ranking__id__isnull=True)
        for row in await closed.select_related("budget").order_by("id"):
            if self.rounds.programme(row.budget).issuance.mode is IssuanceMode.RANKED_BATCH:
                ranked += await self.rank(row.id) is not None
        return ranked

    async def rank(self, round_id: int) -> Ranking | None:
        """Rank a closed round and issue its money, in one transaction; ``None`` if it is ranked already.

        Labels may change while it is ranked, because their lock is the organisation's. Then everything is
        undone and ranked again: nobody is left out.
        """
        while True:
            try:
                return await self._rank(round_id)
            except LabelsMoved:
                continue

    async def _rank(self, round_id: int) -> Ranking | None:
        row = await Round.get(id=round_id).select_related("budget")
        async with budgets.locked(row.budget_id) as budget:
            row = await Round.get(id=round_id)
            if row.status is not RoundStatus.CLOSED or await Ranking.exists(round_id=round_id):
                return None
            programme, now = self.rounds.programme(budget), self.clocks.now(budget.programme_slug)
            days = self.days(programme, min(now, row.closes_at), now)
            made = await self._ranked(row, budget, programme, days, now)
            await outbox.tell(
                outbox.team("operator", programme.slug),
                "round.ranked",
                at=now,
                round=row.id,
                title=row.title,
                ranked=made.ranked_count,
                awarded=made.awarded_count,
                amount_fen=made.awarded_fen,
                published_at=made.published_at.isoformat(),
            )
        return made

    async def _ranked(
        self, row: Round, budget: Budget, programme: Programme, days: Days, now: datetime
    ) -> Ranking:
        connection = Ranking._meta.db
        rules = programme.issuance
        pool_fen = row.pool_fen - row.issued_fen
        totals = await gateway.rank(
            connection,
            RankTerms(
                round_id=row.id,
                budget_id=budget.id,
                slug=programme.slug,
                now=now,
                pool_fen=pool_fen,
                order=rules.ranking,
                qualified=[
                    status.value
                    for status, acts in QUALIFICATION_MAY.items()
                    if QualificationAct.OBTAIN_VOUCHERS in acts
                ],
                rules=[_rule(programme, one) for one in await gateway.label_sets(connection, row.id)],
                left_over=RankOutcome.WAITING if rules.waiting_list else RankOutcome.UNSUCCESSFUL,
            ),
        )
        valid_until = voucher_valid_until(programme, day_of(now), row.valid_until)
        closed_at = min(now, row.closes_at)
        deadline = self.order_deadline(
            row,
            programme,
            closed_on=day_of(closed_at),
            told_on=day_of(days.published_at),
            valid_until=valid_until,
        )
        await gateway.issue(
            connection,
            row.id,
            numbers_after=row.issued_count,
            actor=CLOCK.name,
            now=now,
            order_deadline=deadline,
            valid_until=valid_until,
        )
        await Round.filter(id=row.id).update(
            issued_fen=F("issued_fen") + totals.awarded_fen,
            issued_count=F("issued_count") + totals.awarded,
            order_deadline=deadline,
        )
        head = ListHead(row.id, programme.slug, programme.version, pool_fen, rules.ranking)
        made = await Ranking.create(
            round_id=row.id,
            programme_slug=programme.slug,
            programme_version=programme.version,
            ranked_at=now,
            closed_at=closed_at,
            published_at=days.published_at,
            visible_at=days.visible_at,
            provisional=days.provisional,
            pool_fen=pool_fen,
            awarded_fen=totals.awarded_fen,
            ranked_count=totals.ranked,
            awarded_count=totals.awarded,
            waiting_count=totals.waiting,
            excluded_count=totals.excluded,
            sha256=await gateway.fingerprint(connection, head),
        )
        await _note(
            "round.ranked",
            made,
            now,
            sha256=made.sha256,
            pool_fen=pool_fen,
            awarded_fen=made.awarded_fen,
            ranked=made.ranked_count,
            awarded=made.awarded_count,
            waiting=made.waiting_count,
            excluded=made.excluded_count,
            published_at=made.published_at.isoformat(),
            provisional=made.provisional,
        )
        return made

    def order_deadline(
        self, row: Round, programme: Programme, *, closed_on: date, told_on: date, valid_until: datetime
    ) -> datetime | None:
        """Until when to order: by the programme's own days where it has some, else as the round says."""
        happened: dict[Event | StepKind, date] = {
            Event.ROUND_CLOSED: closed_on,
            Event.RESULTS_PUBLISHED: told_on,
            Event.VOUCHER_ISSUED: told_on,
        }
        due = order_deadline(programme, happened, self.working_days.calendar)
        return row.order_deadline if due is None else min(due.ends_at, valid_until)

    async def tell_due(self) -> int:
        """Tell everybody in a ranked round what came of it, on the day; returns of how many rounds."""
        told = 0
        for made in await Ranking.filter(told_at__isnull=True).order_by("id"):
            now = self.clocks.now(made.programme_slug)
            if now < made.visible_at:
                continue
            programme = self.rounds.programmes.version(made.programme_slug, made.programme_version)
            async with in_transaction() as connection:
                # The WHERE clause is the lock: of two workers one tells.
                if not await Ranking.filter(id=made.id, told_at__isnull=True).update(told_at=now):
                    continue
                await gateway.tell(connection, made.round_id, now=now, clause=programme.issuance.article)
                await _note("round.results_told", made, now)
            told += 1
        return told

    async def recompute_provisional(self) -> int:
        """Count the days of results anew that were guessed, once their year is published; how many changed.

        With the day of publication the time to order moves, too. What was told on a guessed day stays
        told; by its time to order nothing is taken back before this has counted it.
        """
        changed = 0
        for made in await Ranking.filter(provisional=True).order_by("id"):
            programme = self.rounds.programmes.version(made.programme_slug, made.programme_version)
            now = self.clocks.now(made.programme_slug)
            days = self.days(programme, made.closed_at, made.ranked_at)
            if days.provisional:
                continue
            row = await Round.get(id=made.round_id)
            async with budgets.locked(row.budget_id):
                told = made.told_at is not None
                fresh = Ranking.filter(id=made.id, provisional=True, told_at__isnull=not told)
                published_at = made.published_at if made.published_at <= now else days.published_at
                if not await fresh.update(
                    published_at=published_at,
                    visible_at=made.visible_at if told else max(published_at, days.visible_at),
                    provisional=False,
                ):
                    continue
                until = voucher_valid_until(programme, day_of(made.ranked_at), row.valid_until)
                deadline = self.order_deadline(
                    row,
                    programme,
                    closed_on=day_of(made.closed_at),
                    told_on=day_of(published_at),
                    valid_until=until,
                )
                await Round.filter(id=row.id).update(order_deadline=deadline)
                # Whoever was served from the waiting list has a time of its own.
                later = await WaitingAward.filter(round_id=row.id).values_list("voucher_id", flat=True)
                await (
                    Voucher.filter(round_id=row.id)
                    .exclude(id__in=list(later))
                    .update(order_deadline=deadline)
                )
                await _note("round.results_dated", made, now, published_at=published_at.isoformat())
            changed += 1
        return changed

    async def published(self, round_id: int) -> Ranking:
        """The ranking of a round, with its round, once it is public.

        Raises ``NotFound`` where nothing is ever ranked, and :class:`ResultNotOut` with its day.
        """
        row = await Round.get_or_none(id=round_id).select_related("budget")
        if row is None or row.status is RoundStatus.DRAFT:
            raise NotFound()
        programme = self.rounds.programme(row.budget)
        if programme.issuance.mode is not IssuanceMode.RANKED_BATCH:
            raise NotFound()
        made = await Ranking.get_or_none(round_id=round_id).select_related("round")
        now = self.clocks.now(programme.slug)
        if made is not None and now >= made.published_at:
            return made
        days = self.days(programme, row.closes_at, min(now, row.closes_at))
        at, guessed = (made.published_at, made.provisional) if made else (days.published_at, days.provisional)
        day = str(day_of(at))
        raise ResultNotOut(
            clause=programme.issuance.article,
            day=texts.PROVISIONAL.format(day=day) if guessed else day,
            at=at.isoformat(),
        )

    def programme_of(self, made: Ranking) -> Programme:
        """The programme a ranking was made under."""
        return self.rounds.programmes.version(made.programme_slug, made.programme_version)


def _rule(programme: Programme, labels: str) -> LabelRule:
    held = frozenset(json.loads(labels))
    group, tier = group_of(programme, held), tier_of(programme, held)
    most, quota_fen = grantable(programme, tier, None), programme.issuance.quota_fen(tier)
    most_fen = UNLIMITED_FEN if most is None else most.amount_fen
    return LabelRule(
        labels=labels,
        is_first=group is not None,
        group_code=group.code if group else "",
        tier=tier.code if tier else "",
        most_fen=0 if programme.issuance.tiers and tier is None else most_fen,
        quota_fen=UNLIMITED_FEN if quota_fen is None else quota_fen,
    )


async def _note(action: str, made: Ranking, now: datetime, **data: object) -> None:
    await journal.record(
        action,
        f"round:{made.round_id}",
        actor=CLOCK.name,
        at=now,
        programme_slug=made.programme_slug,
        **data,
    )
