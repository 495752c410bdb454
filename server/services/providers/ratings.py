"""Ratings: an enterprise says once what an order's service was like; the provider answers once.

A provider and the public read level, remarks and words without the enterprise, its people or the order;
the month stands for the day. The official side reads who it was (GX-57). What ratings add up to is
worked out when it is asked for, and the marketplace's row of the offering in the same transaction (GX-45).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from tortoise.exceptions import IntegrityError
from tortoise.functions import Count, Sum
from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.models.orders import Order
from server.models.ratings import Rating, RatingEdit
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.rules.ratings import Figures, Said, editable_until, is_low, said_faults, score_bp
from server.rules.supervision import EntryTone, ServiceEntryKind
from server.services import access, journal, outbox
from server.services.access import Actor, NotFound
from server.services.clocks import ProgrammeClocks
from server.services.organisations import service_files
from server.units import BASIS_POINTS

Refresh = Callable[[int], Awaitable[None]]
"""Told of an offering whose ratings have changed, in the transaction that changes them."""


class RatingUnusable(Refusal):
    """No level, one that the scale does not know, or too many words; ``unmet`` names everything."""

    status, code = 422, "rating_unusable"


class RatedAlready(Refusal):
    """An order is rated once; what was said may be changed for some days."""

    status, code = 409, "rated_already"


class RatingClosed(Refusal):
    """The days in which a rating may be changed are over."""

    status, code = 409, "rating_closed"


class RatingChanged(Refusal):
    """It was changed a moment earlier."""

    status, code = 409, "rating_changed"


class RatingAnswered(Refusal):
    """The provider has answered already."""

    status, code = 409, "rating_answered"


async def rated(order_id: int) -> bool:
    """Whether an order has been rated: what a settlement (NX-21) or a payment (GZ-67) may ask for."""
    return await Rating.exists(order_id=order_id)


async def figures_of(provider_id: int, slug: str) -> Figures:
    """What a provider's ratings in one programme add up to, up to this instant (GX-45)."""
    grouped = (
        await Rating.filter(provider_id=provider_id, programme_slug=slug)
        .annotate(votes=Count("id"), score=Sum("score_bp"))
        .group_by("level", "is_low")
        .values("level", "is_low", "votes", "score")
    )
    by_level: dict[str, int] = {}
    for row in sorted(grouped, key=lambda one: -(int(one["score"]) // int(one["votes"]))):
        by_level[row["level"]] = by_level.get(row["level"], 0) + int(row["votes"])
    return Figures(
        votes=sum(by_level.values()),
        score_bp=sum(int(row["score"]) for row in grouped),
        low=sum(int(row["votes"]) for row in grouped if row["is_low"]),
        by_level=by_level,
    )


class Ratings:
    """The verbs on ratings. Instants are those of the programme's clock."""

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks) -> None:
        self.programmes = programmes
        self._clocks = clocks
        self.listeners: list[Refresh] = []

    async def give(
        self, order: Order, said: Said, *, programme: Programme, actor: Actor, now: datetime
    ) -> Rating:
        """Rate an order, inside the transaction of its step.

        Raises :class:`RatingUnusable`, :class:`RatedAlready`.
        """
        _require_usable(programme, said)
        scale = programme.rating.scale
        try:
            async with in_transaction():  # A savepoint: the order's own guard decides a race.
                rating = await Rating.create(
                    order_id=order.id,
                    programme_slug=programme.slug,
                    programme_version=programme.version,
                    enterprise_id=order.enterprise_id,
                    provider_id=order.provider_id,
                    offering_id=order.offering_id,
                    level=said.level,
                    score_bp=score_bp(scale, said.level),
                    is_low=is_low(scale, said.level),
                    tags=list(said.tags),
                    words=said.words,
                    rated_by=actor.name,
                    rated_at=now,
                    editable_until=editable_until(programme, now),
                )
        except IntegrityError:
            raise RatedAlready(clause=programme.rating.article) from None
        await self._note("rating.given", rating, actor, now, level=said.level)
        await _to_file(rating, programme, now=now)
        await outbox.tell(
            f"organisation:{rating.provider_id}",
            "rating.received",
            at=now,
            rating=rating.id,
            programme=programme.slug,
        )
        await self._tell_marketplace(rating)
        return rating

    async def edit(self, rating_id: int, said: Said, *, actor: Actor) -> Rating:
        """Say something else of the same order, within the programme's days; what stood before is kept.

        Raises ``NotFound``, :class:`RatingUnusable`, :class:`RatingClosed`, :class:`RatingChanged`.
        """
        mine = access.organisation_id_of(actor)
        rating = await Rating.get_or_none(id=rating_id, enterprise_id=mine)
        if rating is None:
            raise NotFound()
        async with in_transaction():
            return await self.change(rating, said, actor=actor, now=self._clocks.now(rating.programme_slug))

    async def change(self, rating: Rating, said: Said, *, actor: Actor, now: datetime) -> Rating:
        """The same, inside the caller's transaction."""
        programme = self.programmes.version(rating.programme_slug, rating.programme_version)
        _require_usable(programme, said)
        if now >= rating.editable_until:
            raise RatingClosed(
                clause=programme.rating.article,
                arithmetic=f"{programme.rating.editable_natural_days}",
                until=rating.editable_until.isoformat(),
            )
        scale = programme.rating.scale
        # The WHERE clause is the lock: of two who change it at once one is told to look again.
        changed = await Rating.filter(id=rating.id, version=rating.version).update(
            level=said.level,
            score_bp=score_bp(scale, said.level),
            is_low=is_low(scale, said.level),
            tags=list(said.tags),
            words=said.words,
            edited_at=now,
            version=rating.version + 1,
        )
        if not changed:
            raise RatingChanged()
        await RatingEdit.create(
            rating_id=rating.id,
            level=rating.level,
            tags=rating.tags,
            words=rating.words,
            replaced_at=now,
            replaced_by=actor.name,
        )
        await self._note("rating.changed", rating, actor, now, level=said.level, before=rating.level)
        await self._tell_marketplace(rating)
        rating = await Rating.get(id=rating.id)
        await _to_file(rating, programme, clears=f"rating:{rating.id}:{rating.version - 1}", now=now)
        return rating

    async def answer(self, rating_id: int, words: str, *, actor: Actor) -> Rating:
        """The provider's one answer. Raises ``NotFound``, :class:`RatingAnswered`."""
        mine = access.organisation_id_of(actor)
        rating = await Rating.get_or_none(id=rating_id, provider_id=mine)
        if rating is None:
            raise NotFound()
        now = self._clocks.now(rating.programme_slug)
        async with in_transaction():
            # The WHERE clause is the lock: one answer.
            answered = await Rating.filter(id=rating.id, answered_at=None).update(
                answer=words, answered_at=now
            )
            if not answered:
                raise RatingAnswered()
            await self._note("rating.answered", rating, actor, now)
            await outbox.tell(
                f"organisation:{rating.enterprise_id}",
                "rating.answered",
                at=now,
                rating=rating.id,
                programme=rating.programme_slug,
            )
        return await Rating.get(id=rating.id)

    async def _tell_marketplace(self, rating: Rating) -> None:
        if rating.offering_id is not None:
            for refresh in self.listeners:
                await refresh(rating.offering_id)

    async def _note(self, action: str, rating: Rating, actor: Actor, now: datetime, **data: object) -> None:
        await journal.record(
            action,
            f"rating:{rating.id}",
            actor=actor.name,
            at=now,
            programme_slug=rating.programme_slug,
            order=rating.order_id,
            **data,
        )


async def _to_file(rating: Rating, programme: Programme, *, now: datetime, clears: str = "") -> None:
    """A line in the provider's service file; what it said before counts no more."""
    best = rating.score_bp == BASIS_POINTS
    await service_files.note(
        ServiceEntryKind.RATING,
        "rated",
        f"rating:{rating.id}:{rating.version}",
        provider_id=rating.provider_id,
        programme=programme,
        tone=EntryTone.BAD if rating.is_low else EntryTone.GOOD if best else EntryTone.PLAIN,
        at=now,
        clause=programme.rating.article,
        level=rating.level,
        clears=clears,
    )


def _require_usable(programme: Programme, said: Said) -> None:
    faults = said_faults(programme, said)
    if faults:
        raise RatingUnusable(
            clause=programme.rating.article,
            arithmetic=next((one.arithmetic for one in faults if one.arithmetic), ""),
            unmet=faults,
            count=len(faults),
        )
