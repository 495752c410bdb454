"""Stand-ins (代班): for some days a colleague of the same role sees and takes on what one would have.

They stay two people: a stand-in decides in their own name, what their principal opened is not their own, and
neither decides twice in one chain. What the principal had taken on the stand-in may go on with at once.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.models.people import Staff
from server.models.stand_ins import StandIn
from server.programme.vocabulary import Actor as Role
from server.rules.deadlines import day_of, end_of, start_of
from server.services import journal
from server.services.access import CLOCK, Actor, NotFound
from server.services.reviews.reviewers import REVIEWING

LONGEST = timedelta(days=60)


class StandInUnusable(Refusal):
    """Not a colleague of the same role, not somebody else, or days that are none or too many."""

    status, code = 422, "stand_in_unusable"


class StandInNamed(Refusal):
    """Somebody stands in on some of these days already."""

    status, code = 409, "stand_in_named"


async def name(
    deputy_id: int,
    role: Role,
    *,
    first_day: date,
    last_day: date,
    reason: str,
    actor: Actor,
    now: datetime,
) -> StandIn:
    """Name a colleague to stand in for oneself from one day to another, both included.

    Raises ``NotFound``, :class:`StandInUnusable` and :class:`StandInNamed`.
    """
    deputy = await Staff.get_or_none(id=deputy_id)
    if deputy is None:
        raise NotFound()
    starts_at, ends_at = start_of(first_day), end_of(last_day)
    shared = role in REVIEWING and role.value in actor.roles and role.value in deputy.roles
    days = day_of(now) <= first_day <= last_day and ends_at - starts_at <= LONGEST
    if deputy.id == actor.id or deputy.disabled or not shared or not days:
        raise StandInUnusable(most=LONGEST.days)
    async with in_transaction():
        # A write first: two names given at once are given one after the other.
        await Staff.filter(id=actor.id).update(disabled=F("disabled"))
        named = StandIn.filter(principal_id=actor.id, role=role, ended_at__isnull=True)
        if await named.filter(starts_at__lt=ends_at, ends_at__gt=starts_at).exists():
            raise StandInNamed()
        made = await StandIn.create(
            principal_id=actor.id,
            deputy_id=deputy.id,
            role=role,
            starts_at=starts_at,
            ends_at=ends_at,
            active=starts_at <= now,
            reason=reason.strip(),
            made_by=actor.name,
            made_at=now,
        )
        await _note("stand_in.named", made, actor, now)
    return made


async def end(stand_in_id: int, *, actor: Actor, now: datetime) -> StandIn:
    """Call one's own stand-in off. Raises ``NotFound``."""
    async with in_transaction():
        own = StandIn.filter(id=stand_in_id, principal_id=actor.id, ended_at__isnull=True)
        if not await own.update(ended_at=now, active=False):
            raise NotFound()
        row = await StandIn.get(id=stand_in_id)
        await _note("stand_in.ended", row, actor, now)
    return row


async def turn_due(now: datetime) -> int:
    """Begin those whose first day has come, end those whose last is over; how many."""
    live = StandIn.filter(ended_at__isnull=True)
    begun = await live.filter(active=False, starts_at__lte=now, ends_at__gt=now).update(active=True)
    over = 0
    for row in await live.filter(ends_at__lte=now):
        over += await StandIn.filter(id=row.id, ended_at__isnull=True).update(
            ended_at=row.ends_at, active=False
        )
        await _note("stand_in.ended", row, CLOCK, now)
    return begun + over


async def own(actor: Actor) -> list[StandIn]:
    """Who stands or will stand in for the actor, and for whom the actor does, by day."""
    live = StandIn.filter(ended_at__isnull=True)
    rows = [*await live.filter(principal_id=actor.id), *await live.filter(deputy_id=actor.id)]
    return sorted(rows, key=lambda row: (row.starts_at, row.id))


async def _note(action: str, row: StandIn, actor: Actor, now: datetime) -> None:
    await journal.record(
        action,
        f"stand_in:{row.id}",
        actor=actor.name,
        at=now,
        principal=f"staff:{row.principal_id}",
        deputy=f"staff:{row.deputy_id}",
        role=row.role.value,
        first_day=day_of(row.starts_at).isoformat(),
        last_day=day_of(row.ends_at - timedelta(microseconds=1)).isoformat(),
    )
