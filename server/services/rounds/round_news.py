"""Round news: that a round to be grabbed opens soon, whether one is ready for it, that it halts or goes on.

Told by a job, never by the verb: a round's people are thousands, and its lock is the launch's. Each is told
once of one opening, one halt, one resumption; what is over before anybody was told is not told.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from tortoise.transactions import in_transaction

from server.models.inbox import ReminderSent
from server.models.journal import JournalEntry
from server.models.organisations import Qualification
from server.models.rounds import Entitlement, Round
from server.programme.issuance import IssuanceMode
from server.programme.model import Programme
from server.programme.vocabulary import Party
from server.rules.lifecycles import QualificationStatus, RoundStatus
from server.services import outbox
from server.services.outbox import Message

SOON = timedelta(hours=2)
"""The house's own: late enough to be remembered, early enough to put right what is missing."""
GROUP = 300
READY = "round.opens_soon"
PAUSED, RESUMED = "round.paused", "round.resumed"


async def _at_once() -> None:
    """Nothing goes before."""


async def tell_due(
    programme: Programme, *, now: datetime, turn: Callable[[], Awaitable[None]] = _at_once
) -> int:
    """Tell everybody concerned of a programme's rounds what is due; returns how many messages."""
    if programme.issuance.mode is not IssuanceMode.GRAB:
        return 0
    told = 0
    rounds = Round.filter(
        budget__programme_slug=programme.slug,
        status__in=[RoundStatus.SCHEDULED, RoundStatus.PAUSED],
        closes_at__gt=now,
    )
    for row in await rounds.order_by("id"):
        topic, at = await _news(row, now)
        if topic:
            told += await _tell(programme, row, topic, at, now, turn)
    return told


async def _news(row: Round, now: datetime) -> tuple[str, datetime]:
    """What there is to tell of a round, and the instant that makes it this news and no other."""
    halted = await (
        JournalEntry.filter(subject=f"round:{row.id}", action__in=[PAUSED, RESUMED]).order_by("-id").first()
    )
    if row.status is RoundStatus.PAUSED:
        return (PAUSED, halted.at) if halted is not None else ("", now)
    if row.opens_at > now:
        return (READY, row.opens_at) if row.opens_at <= now + SOON else ("", now)
    resumed = halted is not None and halted.action == RESUMED
    return (RESUMED, halted.at) if resumed and halted is not None else ("", now)


async def _tell(
    programme: Programme,
    row: Round,
    topic: str,
    at: datetime,
    now: datetime,
    turn: Callable[[], Awaitable[None]],
) -> int:
    """Tell every approved enterprise that was not told yet, a group and a transaction at a time."""
    wanted = Qualification.filter(
        programme_slug=programme.slug, party=Party.ENTERPRISE, status=QualificationStatus.APPROVED
    )
    last = told = 0
    while True:
        await turn()
        found = await wanted.filter(id__gt=last).order_by("id").limit(GROUP)
        if not found:
            return told
        last = found[-1].id
        told += await _tell_group(programme, row, topic, at, now, [one.organisation_id for one in found])


async def _tell_group(
    programme: Programme, row: Round, topic: str, at: datetime, now: datetime, organisations: Sequence[int]
) -> int:
    known = {"about": topic, "subject": f"round:{row.id}", "deadline": at, "days_before": 0}
    recipients = [f"organisation:{one}" for one in organisations]
    entitled = Entitlement.filter(round_id=row.id, enterprise_id__in=organisations)
    ready = {f"organisation:{one.enterprise_id}" for one in await entitled.only("id", "enterprise_id")}
    async with in_transaction():
        earlier = {one.recipient for one in await ReminderSent.filter(recipient__in=recipients, **known)}
        new = [one for one in recipients if one not in earlier and (topic == READY or one in ready)]
        if not new:
            return 0
        # The unique key lets one of two that tell at once fail as a whole; it finds all told next time.
        await ReminderSent.bulk_create([ReminderSent(recipient=one, sent_at=now, **known) for one in new])
        messages = [_message(one, topic, one in ready, row, programme.slug) for one in new]
        await outbox.tell_all(messages, at=now)
    return len(new)


def _message(to: str, topic: str, is_ready: bool, row: Round, slug: str) -> Message:
    if topic == PAUSED:
        return Message(to, "round.paused", {"round": row.id, "title": row.title, "programme": slug})
    until = (row.closes_at if topic == RESUMED else row.opens_at).isoformat()
    if topic == RESUMED:
        return Message(
            to,
            "round.resumed",
            {"round": row.id, "title": row.title, "programme": slug, "until": until},
        )
    return Message(
        to,
        "round.opens_soon" if is_ready else "round.opens_not_ready",
        {"round": row.id, "title": row.title, "programme": slug, "until": until},
    )
