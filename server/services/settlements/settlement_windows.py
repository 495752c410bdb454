"""Settlement windows: announced by the authority, once or twice a year; outside them nothing is handed in.

Whoever has finished orders that are not settled hears of an opening. Seven, three and one days before the end
both sides hear of it, as far as either still has something to do. One job tells both, and nobody twice of one
thing: an opening within a distance of its end stands for the reminder at that distance.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tortoise.exceptions import IntegrityError
from tortoise.expressions import Subquery
from tortoise.transactions import in_transaction

from server.clock import CHINA
from server.models.inbox import ReminderSent
from server.models.orders import Order
from server.models.settlements import Settlement, SettlementWindow
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.programme.steps import StepKind
from server.programme.vocabulary import Actor as ProgrammeActor
from server.rules.deadlines import day_of, told, told_until
from server.rules.orders import OrderStatus
from server.rules.settlements import SettlementStatus, Span, has_windows, open_window, require_window
from server.services import access, journal, outbox
from server.services.access import CLOCK, Actor
from server.services.clocks import ProgrammeClocks
from server.services.messages.reminders import DISTANCES, WINDOW, Matter, days_left, send

THEIR_TURN = (StepKind.SERVICE_CONFIRMATION, StepKind.RATE)
"""What an enterprise does before its provider can ask for the money."""
MORNING = 9
"""From this hour of the day of China people are reminded."""


class SettlementWindows:
    """The verbs on windows. Instants are those of each programme's clock."""

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks) -> None:
        self.programmes = programmes
        self.clocks = clocks

    async def announce(
        self, slug: str, name: str, opens_at: datetime, closes_at: datetime, *, actor: Actor
    ) -> SettlementWindow:
        """Announce one more window of the year in which it opens (GX-60).

        Raises ``NotFound``, ``WindowsFull``, ``WindowImpossible``.
        """
        access.require_programme(actor, slug)
        programme, now = self.programmes.get(slug), self.clocks.now(slug)
        year = programme.year_of(day_of(opens_at))
        known = await SettlementWindow.filter(programme_slug=slug, year=year).order_by("number")
        others = await SettlementWindow.filter(programme_slug=slug, closes_at__gt=opens_at).exclude(year=year)
        new, beside = Span(name, opens_at, closes_at), [_span(one) for one in others]
        require_window(programme, [_span(one) for one in known], new, now, beside=beside)
        try:
            async with in_transaction():
                window = await SettlementWindow.create(
                    programme_slug=slug,
                    year=year,
                    number=len(known) + 1,
                    name=name,
                    opens_at=opens_at,
                    closes_at=closes_at,
                    announced_by=actor.id,
                    announced_at=now,
                )
                await journal.record(
                    "settlement.window_announced",
                    f"settlement_window:{window.id}",
                    actor=actor.name,
                    at=now,
                    programme_slug=slug,
                    year=year,
                    opens_at=opens_at.isoformat(),
                    closes_at=closes_at.isoformat(),
                )
                teams = [
                    outbox.team(role, slug) for role in (ProgrammeActor.OPERATOR, ProgrammeActor.DIVISION)
                ]
                await _say("settlement.window_announced", teams, window, now)
        except IntegrityError:  # Two who announced at once: the other one counts, and is looked at anew.
            return await self.announce(slug, name, opens_at, closes_at, actor=actor)
        return window

    async def page(self, slug: str) -> list[SettlementWindow]:
        """The windows of a programme, the latest first."""
        self.programmes.get(slug)
        return await SettlementWindow.filter(programme_slug=slug).order_by("-opens_at").limit(50)

    async def require_open(self, programme: Programme, now: datetime) -> SettlementWindow | None:
        """The window that is open; ``None`` where none is needed. Raises ``WindowClosed``."""
        if not has_windows(programme):
            return None
        known = await SettlementWindow.filter(programme_slug=programme.slug, closes_at__gt=now)
        spans = {_span(one): one for one in known}
        window = open_window(programme, list(spans), now)
        assert window is not None, "open, or refused"
        return spans[window]

    async def tell_due(self) -> int:
        """Tell providers of windows that opened, and both sides of windows that close; how many heard."""
        heard = 0
        for programme in self.programmes:
            if not has_windows(programme):
                continue
            now = self.clocks.now(programme.slug)
            for window in await SettlementWindow.filter(
                programme_slug=programme.slug, opens_at__lte=now, closes_at__gt=now
            ).order_by("id"):
                if window.told_opened_at is None:
                    heard += await self._tell(window, now)
                elif _distance(window, now) is not None and now.astimezone(CHINA).hour >= MORNING:
                    heard += await self._remind(window, now)
        return heard

    async def _tell(self, window: SettlementWindow, now: datetime) -> int:
        async with in_transaction():
            # The WHERE clause is the lock: of two workers one tells.
            untold = SettlementWindow.filter(id=window.id, told_opened_at=None)
            if not await untold.update(told_opened_at=now):
                return 0
            providers = [f"organisation:{one}" for one in await _waiting(window.programme_slug)]
            await _say("settlement.window_open", providers, window, now)
            if (days := _distance(window, now)) is not None:
                # They have just been told until when: that is the reminder.
                await ReminderSent.bulk_create(
                    [
                        ReminderSent(
                            about=WINDOW,
                            subject=_subject(window),
                            recipient=one,
                            deadline=window.closes_at,
                            days_before=days,
                            sent_at=now,
                        )
                        for one in providers
                    ],
                    ignore_conflicts=True,
                )
            await journal.record(
                "settlement.window_told",
                f"settlement_window:{window.id}",
                actor=CLOCK.name,
                at=now,
                programme_slug=window.programme_slug,
                told=len(providers),
            )
        return len(providers)

    async def _remind(self, window: SettlementWindow, now: datetime) -> int:
        """Remind whoever still has something to hand in, or to do so that it can be (GX-60)."""
        slug = window.programme_slug
        theirs = Order.filter(programme_slug=slug, status=OrderStatus.OPEN, step__in=THEIR_TURN)
        enterprises = {int(str(one)) for one in await theirs.values_list("enterprise_id", flat=True)}
        sides = sorted({*await _waiting(slug), *enterprises})
        matter = Matter(
            about=WINDOW,
            subject=_subject(window),
            recipients=(
                *(f"organisation:{side}" for side in sides),
                outbox.team(ProgrammeActor.OPERATOR, slug),
            ),
            deadline=window.closes_at,
            data={"programme": slug, "name": window.name},
        )
        return await send([matter], now, lambda one: _distance(window, now))


def _subject(window: SettlementWindow) -> str:
    return f"settlement_window:{window.id}"


def _distance(window: SettlementWindow, now: datetime) -> int | None:
    """The distance from the end that is reached: only the nearest one is told after an outage."""
    if window.closes_at - now > timedelta(days=max(DISTANCES) + 1):
        return None
    left = days_left(window.closes_at, now)
    return next((days for days in sorted(DISTANCES) if left <= days), None)


async def _waiting(slug: str) -> list[int]:
    """Who has finished orders that nobody has asked the money of."""
    not_asked = [SettlementStatus.WITHDRAWN, SettlementStatus.DRAFT]
    asked = Settlement.filter(programme_slug=slug).exclude(status__in=not_asked)
    done = Order.filter(programme_slug=slug, status=OrderStatus.DONE).filter(
        id__not_in=Subquery(asked.values("order_id"))
    )
    return sorted({int(str(one)) for one in await done.distinct().values_list("provider_id", flat=True)})


def _span(window: SettlementWindow) -> Span:
    return Span(window.name, window.opens_at, window.closes_at)


async def _say(topic: str, recipients: Sequence[str], window: SettlementWindow, now: datetime) -> None:
    messages = (
        outbox.Message(
            recipient,
            topic,
            {
                "settlement_window": window.id,
                "programme": window.programme_slug,
                "name": window.name,
                "opens": told(window.opens_at),
                "closes": told_until(window.closes_at),
            },
        )
        for recipient in recipients
    )
    await outbox.tell_all(messages, at=now)
