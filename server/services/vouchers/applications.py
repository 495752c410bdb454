"""Applications (申领): what an organisation asks for in a round that is ranked when it closes.

One a round and organisation, changed and withdrawn as it likes until the window closes. Each request has a
key, so that a retry finds its own answer; what an application went through is kept request by request.
Who asks for more than before arrives anew; who asks for less keeps its place
(``rules.issuance.keeps_place``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.functions import Count, Sum
from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.models.applications import Application, ApplicationRequest, Ranking, RankingEntry, WaitingAward
from server.models.organisations import Organisation
from server.models.rounds import Round
from server.models.vouchers import Voucher
from server.programme.issuance import IssuanceMode
from server.programme.model import Programme
from server.programme.vocabulary import Party
from server.rules import issuance
from server.rules.issuance import ApplicationDeed, ApplicationStatus, Window
from server.rules.lifecycles import IllegalMove, QualificationAct, RoundStatus
from server.rules.limits import Limit, room
from server.rules.quota import grantable, require_grantable, tier_of
from server.services import access, allowances, journal
from server.services.access import CLOCK, Actor, NotFound
from server.services.admissions.standings import require_standing, standing_unmet
from server.services.organisations.memberships import lock
from server.services.rounds.entitlements import taken_fen
from server.services.rounds.rounds import RoundMovedOn, Rounds
from server.texts import LIMITS, REASONS
from server.units import yuan

MILLISECOND = timedelta(milliseconds=1)
SHARE_LOCK = "SELECT id FROM round WHERE id = $1 FOR SHARE"


class NotAppliedFor(Refusal):
    """Vouchers of this round are not applied for: its programme issues in another way."""

    status, code = 409, "not_applied_for"


class ApplyingNotOpen(Refusal):
    """The window has not opened yet."""

    status, code = 425, "applying_not_open"


class ApplyingClosed(Refusal):
    """The window is closed: by time, by the operator, or because the round was full (GZ-32).

    Whatever stood before stands; what was just entered is told back.
    """

    status, code = 409, "applying_closed"


class ApplyingPaused(Refusal):
    """The operator has halted the round for a while."""

    status, code = 409, "applying_paused"


class RequestKeyReused(Refusal):
    """The key belongs to another request."""

    status, code = 409, "request_key_reused"


class ApplicationWithdrawn(Refusal):
    """There is nothing left to withdraw."""

    status, code = 409, "application_withdrawn"


@dataclass(frozen=True, slots=True)
class Ask:
    """One request for an amount (fen), or for a withdrawal (``amount_fen`` 0), by its key."""

    round_id: int
    request_key: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Applied:
    """An application as its organisation sees it.

    ``result`` is there as soon as results are told; ``voucher`` is what came of it, by the list or later
    from the waiting list. ``quota`` is what the year's quota left when it was asked for this view.
    """

    application: Application
    round: Round
    quota: Limit | None
    ranking: Ranking | None
    result: RankingEntry | None
    later: WaitingAward | None
    voucher: Voucher | None


class Applications:
    """The verbs on applications. Instants are those of the programme's clock."""

    def __init__(self, rounds: Rounds) -> None:
        self.rounds = rounds
        self.clocks = rounds.clocks

    async def put(self, ask: Ask, *, actor: Actor) -> Application:
        """Apply, or change what one applied for (GZ-29).

        Raises ``NotFound``, :class:`NotAppliedFor`, :class:`ApplyingNotOpen`, :class:`ApplyingPaused`,
        :class:`ApplyingClosed`, :class:`RequestKeyReused`, ``NotInStanding``, ``QuotaExceeded`` and
        ``TooManyToday``.
        """
        row, programme = await self._round(ask.round_id)
        arrived_at = _to_the_millisecond(self.clocks.now(programme.slug))
        async with in_transaction() as connection:
            organisation = await lock(access.organisation_id_of(actor))
            replayed = await _replayed(ask, organisation.id)
            if replayed is not None:
                return replayed
            row = await _held_open(connection, row, programme, arrived_at, ask)
            await require_standing(
                programme, organisation, Party.ENTERPRISE, QualificationAct.OBTAIN_VOUCHERS, now=arrived_at
            )
            most = await self.most(programme, row.budget_id, organisation)
            require_grantable(ask.amount_fen, most)
            asked = ApplicationRequest.filter(enterprise_id=organisation.id)
            await allowances.require(asked, "at", allowances.APPLICATIONS, now=arrived_at)
            application = await _take(ask, organisation, programme, actor, arrived_at)
        if application.ahead:
            await self._close_if_full(row, programme)
        return application

    async def withdraw(self, ask: Ask, *, actor: Actor) -> Application:
        """Take one's application back; whoever applies again arrives anew.

        Raises as :meth:`put` does, and :class:`ApplicationWithdrawn`.
        """
        row, programme = await self._round(ask.round_id)
        now = _to_the_millisecond(self.clocks.now(programme.slug))
        async with in_transaction() as connection:
            organisation = await lock(access.organisation_id_of(actor))
            replayed = await _replayed(ask, organisation.id)
            if replayed is not None:
                return replayed
            await _held_open(connection, row, programme, now, ask)
            application = await Application.get_or_none(round_id=ask.round_id, enterprise_id=organisation.id)
            if application is None:
                raise NotFound()
            if application.status is ApplicationStatus.WITHDRAWN:
                raise ApplicationWithdrawn()
            await _requested(ask, ApplicationDeed.WITHDRAW, organisation.id, actor, now)
            await Application.filter(id=application.id).update(
                status=ApplicationStatus.WITHDRAWN, changed_at=now, person_id=actor.id
            )
            await _note("application.withdrawn", application, programme, actor, now, amount_fen=0)
        return await Application.get(id=application.id)

    async def most(self, programme: Programme, budget_id: int, organisation: Organisation) -> Limit | None:
        """The most an organisation may ask for, with its sum; ``None`` where nothing limits it."""
        tier = tier_of(programme, frozenset(organisation.labels))
        quota_fen = programme.issuance.quota_fen(tier)
        left = None
        if quota_fen is not None:
            taken = await taken_fen(programme, budget_id, [organisation.id])
            left = room(
                quota_fen,
                taken.get(organisation.id, 0),
                clause=programme.issuance.article,
                name=LIMITS["quota"],
            )
        return grantable(programme, tier, left)

    async def own(self, round_id: int, *, actor: Actor) -> Applied:
        """The actor's organisation's application in a round. Raises ``NotFound``."""
        organisation = await access.organisation_of(actor)
        row, programme = await self._round(round_id)
        application = await Application.get_or_none(round_id=round_id, enterprise_id=organisation.id)
        if application is None:
            raise NotFound()
        most = await self.most(programme, row.budget_id, organisation)
        return (await _seen([application], {row.id: row}, {row.id: most}))[0]

    async def _round(self, round_id: int) -> tuple[Round, Programme]:
        """A published round, with its budget, of a programme whose vouchers are applied for."""
        row = await Round.get_or_none(id=round_id).select_related("budget")
        if row is None or row.status is RoundStatus.DRAFT:
            raise NotFound()
        programme = self.rounds.programme(row.budget)
        if programme.issuance.mode is not IssuanceMode.RANKED_BATCH:
            raise NotAppliedFor(clause=programme.issuance.article, programme=programme.name)
        return row, programme

    async def _close_if_full(self, row: Round, programme: Programme) -> None:
        """Stop applying when nobody who comes now could still get anything (GZ-32)."""
        if not programme.issuance.close_when_full:
            return
        standing = Application.filter(round_id=row.id, ahead=True, status=ApplicationStatus.STANDING)
        sums = await standing.annotate(total_fen=Sum("amount_fen")).values("total_fen")
        if int(sums[0]["total_fen"] or 0) < row.pool_fen:
            return
        # Enough was asked for by those in front: now count only what still stands today.
        counted = [
            issuance.Application(
                id=one.place,
                labels=frozenset(one.enterprise.labels),
                applied_at=one.arrived_at,
                amount_fen=one.amount_fen,
            )
            for one in await standing.select_related("enterprise").order_by("id")
            if not await standing_unmet(
                programme,
                one.enterprise,
                Party.ENTERPRISE,
                QualificationAct.OBTAIN_VOUCHERS,
                now=self.clocks.now(programme.slug),
            )
        ]
        if issuance.is_full(programme, counted, row.pool_fen - row.issued_fen):
            try:
                await self.rounds.close(row.id, actor=CLOCK, reason=REASONS["round_full"])
            except (IllegalMove, RoundMovedOn):
                # Somebody else has closed or halted it a moment earlier.
                return


async def of_organisation(*, after: int, limit: int, actor: Actor) -> list[Applied]:
    """The actor's organisation's next applications after an id, in the order of their ids."""
    wanted = Application.filter(enterprise_id=access.organisation_id_of(actor), id__gt=after)
    rows = await wanted.order_by("id").limit(limit)
    rounds = await Round.filter(id__in=[one.round_id for one in rows]).select_related("budget")
    return await _seen(rows, {one.id: one for one in rounds}, {})


@dataclass(frozen=True, slots=True)
class RoundSum:
    """What a round's standing applications come to."""

    standing: int
    withdrawn: int
    asked_fen: int


async def of_round(round_id: int, *, after: int, limit: int) -> list[Application]:
    """The next applications of a round after an id, with their organisations; for the operator."""
    wanted = Application.filter(round_id=round_id, id__gt=after)
    return await wanted.select_related("enterprise").order_by("id").limit(limit)


async def sum_of(round_id: int) -> RoundSum:
    """How many stand in a round, how many were withdrawn, and what is asked for, fen."""
    rows = (
        await Application.filter(round_id=round_id)
        .annotate(times=Count("id"), total_fen=Sum("amount_fen"))
        .group_by("status")
        .values("status", "times", "total_fen")
    )
    by_status = {ApplicationStatus(row["status"]): row for row in rows}
    standing = by_status.get(ApplicationStatus.STANDING)
    withdrawn = by_status.get(ApplicationStatus.WITHDRAWN)
    return RoundSum(
        standing["times"] if standing else 0,
        withdrawn["times"] if withdrawn else 0,
        int(standing["total_fen"]) if standing else 0,
    )


def _to_the_millisecond(at: datetime) -> datetime:
    return at - timedelta(microseconds=at.microsecond % 1000)


async def _replayed(ask: Ask, enterprise_id: int) -> Application | None:
    """The application as it stands, if this very request was taken before."""
    earlier = await ApplicationRequest.get_or_none(enterprise_id=enterprise_id, request_key=ask.request_key)
    if earlier is None:
        return None
    if (earlier.round_id, earlier.amount_fen) != (ask.round_id, ask.amount_fen):
        raise RequestKeyReused()
    return await Application.get(round_id=ask.round_id, enterprise_id=enterprise_id)


async def _held_open(
    connection: BaseDBAsyncClient, row: Round, programme: Programme, now: datetime, ask: Ask
) -> Round:
    """The round as it is, kept from closing until this transaction ends.

    So nobody is left out of the ranking whose application was taken. SQLite has one writer at a time.
    """
    if connection.capabilities.dialect == "postgres":
        await connection.execute_query(SHARE_LOCK, [row.id])
    row = await Round.get(id=row.id)
    stands = issuance.window(row.status, row.opens_at, row.closes_at, now)
    if stands is Window.CLOSED:
        raise ApplyingClosed(
            clause=programme.issuance.article,
            asked=yuan(ask.amount_fen),
            closed=row.closes_at.isoformat(),
        )
    if stands is Window.PAUSED:
        raise ApplyingPaused()
    if stands is Window.EARLY:
        raise ApplyingNotOpen(retry_after=max(1, -((now - row.opens_at) // timedelta(seconds=1))))
    return row


async def _take(
    ask: Ask, organisation: Organisation, programme: Programme, actor: Actor, arrived_at: datetime
) -> Application:
    """Write a request and what it makes of the application; under the organisation's lock."""
    before = await Application.get_or_none(round_id=ask.round_id, enterprise_id=organisation.id)
    standing = before is not None and before.status is ApplicationStatus.STANDING
    deed = ApplicationDeed.CHANGE if standing else ApplicationDeed.APPLY
    request = await _requested(ask, deed, organisation.id, actor, arrived_at)
    ahead = issuance.comes_before_newcomers(programme, frozenset(organisation.labels))
    latest: dict[str, Any] = {
        "amount_fen": ask.amount_fen,
        "status": ApplicationStatus.STANDING,
        "person_id": actor.id,
        "changed_at": arrived_at,
        "ahead": ahead,
    }
    if before is None:
        application = await Application.create(
            round_id=ask.round_id,
            enterprise_id=organisation.id,
            arrived_at=arrived_at,
            place=request.id,
            created_at=arrived_at,
            **latest,
        )
    else:
        if not (standing and issuance.keeps_place(before.amount_fen, ask.amount_fen)):
            latest |= {"arrived_at": arrived_at, "place": request.id}
        await Application.filter(id=before.id).update(**latest)
        application = await Application.get(id=before.id)
    action = "application.changed" if standing else "application.made"
    await _note(action, application, programme, actor, arrived_at, amount_fen=ask.amount_fen)
    return application


async def _requested(
    ask: Ask, deed: ApplicationDeed, enterprise_id: int, actor: Actor, now: datetime
) -> ApplicationRequest:
    return await ApplicationRequest.create(
        enterprise_id=enterprise_id,
        request_key=ask.request_key,
        round_id=ask.round_id,
        person_id=actor.id,
        deed=deed,
        amount_fen=ask.amount_fen,
        at=now,
    )


async def _note(
    action: str,
    application: Application,
    programme: Programme,
    actor: Actor,
    now: datetime,
    *,
    amount_fen: int,
) -> None:
    await journal.record(
        action,
        f"application:{application.id}",
        actor=actor.name,
        at=now,
        programme_slug=programme.slug,
        round=application.round_id,
        enterprise=application.enterprise_id,
        amount_fen=amount_fen,
        place=application.place,
    )


async def _seen(
    applications: Sequence[Application], rounds: dict[int, Round], quotas: dict[int, Limit | None]
) -> list[Applied]:
    """Applications with what came of them, once that has been told."""
    ids, round_ids = [one.id for one in applications], list(rounds)
    rankings = {one.round_id: one for one in await Ranking.filter(round_id__in=round_ids)}
    results = {one.id: one for one in await RankingEntry.filter(id__in=ids)}
    later = {one.application_id: one for one in await WaitingAward.filter(application_id__in=ids)}
    holders = {one.enterprise_id for one in applications}
    wanted = Voucher.filter(round_id__in=round_ids, enterprise_id__in=list(holders))
    vouchers = {(one.round_id, one.enterprise_id): one for one in await wanted}
    seen = []
    for one in applications:
        ranking = rankings.get(one.round_id)
        told = ranking is not None and ranking.told_at is not None
        seen.append(
            Applied(
                application=one,
                round=rounds[one.round_id],
                quota=quotas.get(one.round_id),
                ranking=ranking,
                result=results.get(one.id) if told else None,
                later=later.get(one.id) if told else None,
                voucher=vouchers.get((one.round_id, one.enterprise_id)) if told else None,
            )
        )
    return seen
