"""Activities: the trainings and public-benefit activities of an organisation, with their proof."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.models.organisations import ActivityKind, ActivityRecord
from server.programme.model import Programme
from server.rules.deadlines import day_of
from server.services import access, allowances, journal
from server.services.access import Actor
from server.services.clocks import ProgrammeClocks
from server.services.files import files
from server.services.organisations.memberships import lock

PROOF = "proof"


class ActivityInFuture(Refusal):
    """What is recorded has happened."""

    status, code = 422, "activity_in_future"


async def record(
    programme: Programme,
    kind: ActivityKind,
    held_on: date,
    what: str,
    file_ids: Collection[int],
    *,
    actor: Actor,
    clocks: ProgrammeClocks,
) -> ActivityRecord:
    """Put down a training of the contact (LS-44) or a public-benefit activity (LS-45).

    Raises :class:`ActivityInFuture`, ``FilesUnknown``, ``FileUnacceptable`` and ``TooManyToday``.
    """
    now, organisation_id = clocks.now(programme.slug), access.organisation_id_of(actor)
    if held_on > day_of(now):
        raise ActivityInFuture(day=held_on.isoformat())
    async with in_transaction():
        rows = await files.require_own(list(dict.fromkeys(file_ids)), organisation_id, by=actor.name)
        await lock(organisation_id)
        await allowances.require(
            ActivityRecord.filter(organisation_id=organisation_id, programme_slug=programme.slug),
            "recorded_at",
            allowances.ACTIVITIES,
            now=now,
        )
        made = await ActivityRecord.create(
            organisation_id=organisation_id,
            programme_slug=programme.slug,
            kind=kind,
            held_on=held_on,
            what=what,
            files=[row.id for row in rows],
            recorded_by=actor.id,
            recorded_at=now,
        )
        if rows:
            await files.attach(rows, f"activity:{made.id}", PROOF, programme=programme, now=now)
        await journal.record(
            "activity.recorded",
            f"organisation:{organisation_id}",
            actor=actor.name,
            at=now,
            programme_slug=programme.slug,
            activity=made.id,
            kind=kind.value,
        )
    return made


async def page(organisation_id: int, *, after: int, limit: int) -> list[ActivityRecord]:
    """The next ``limit`` records of an organisation after an id, oldest first."""
    return (
        await ActivityRecord.filter(organisation_id=organisation_id, id__gt=after).order_by("id").limit(limit)
    )


async def of_programme(actor: Actor, slug: str, *, after: int, limit: int) -> list[ActivityRecord]:
    """The same of every organisation in a programme, for its official side."""
    access.require_programme(actor, slug)
    return await (
        ActivityRecord.filter(
            access.within_areas(actor, "organisation__area"), programme_slug=slug, id__gt=after
        )
        .order_by("id")
        .limit(limit)
    )
