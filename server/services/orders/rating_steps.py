"""Rating as a step of an order: by itself, or as a part of paying where the programme asks for it there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from server import texts
from server.errors import Unmet
from server.models.orders import Order
from server.models.ratings import Rating
from server.programme.model import Programme
from server.programme.papers import Field, FieldKind
from server.programme.steps import OrderStep
from server.programme.vocabulary import Party
from server.rules.ratings import Said, said_faults
from server.services.providers.ratings import Ratings
from server.services.step_work import Move, NothingMore, StepWork

LEVEL, TAGS, WORDS = "rating", "rating_tags", "rating_words"


def said_in(values: Mapping[str, Any]) -> Said:
    """The rating among a step's values."""
    tags = str(values.get(TAGS) or "").split(texts.LIST)
    return Said(
        level=str(values.get(LEVEL) or ""),
        tags=tuple(dict.fromkeys(tag.strip() for tag in tags if tag.strip())),
        words=str(values.get(WORDS) or "").strip(),
    )


class RateStep(NothingMore):
    """The enterprise rates the service. No level is filled in for it."""

    def __init__(self, ratings: Ratings) -> None:
        self.ratings = ratings

    def form(
        self, programme: Programme, step: OrderStep, order: Order, party: Party | None
    ) -> Sequence[Field]:
        if party is not Party.ENTERPRISE:
            return ()
        clause, says = programme.rating.article, texts.RATING_FIELDS
        return (
            Field(
                code=LEVEL,
                name=says[LEVEL],
                kind=FieldKind.CHOICE,
                choices=programme.rating.scale,
                article=clause,
            ),
            Field(
                code=TAGS,
                name=says[TAGS],
                kind=FieldKind.TEXT,
                required=False,
                choices=texts.RATING_TAGS,
                article=clause,
            ),
            Field(code=WORDS, name=says[WORDS], kind=FieldKind.TEXT, required=False, article=clause),
        )

    async def unmet(self, move: Move) -> Sequence[Unmet]:
        return said_faults(move.programme, said_in(move.values))

    async def do(self, move: Move) -> Mapping[str, Any]:
        await self.ratings.give(
            move.order,
            said_in(move.values),
            programme=move.programme,
            actor=move.actor,
            now=move.now,
        )
        return {}


class WithRating(NothingMore):
    """A step that is final only with a rating, where the programme says so (GZ-67); else as it was.

    A payment that was given back is made anew: the rating stands, and is changed while it may be.
    """

    def __init__(self, inner: StepWork, rate: RateStep) -> None:
        self._inner = inner
        self._rate = rate

    def form(
        self, programme: Programme, step: OrderStep, order: Order, party: Party | None
    ) -> Sequence[Field]:
        own = self._inner.form(programme, step, order, party)
        if not programme.rating.required_for_payment:
            return own
        return (*own, *self._rate.form(programme, step, order, party))

    async def unmet(self, move: Move) -> Sequence[Unmet]:
        own = await self._inner.unmet(self._without(move))
        return (*own, *(await self._rate.unmet(move))) if self._asked(move) else own

    async def do(self, move: Move) -> Mapping[str, Any]:
        changed = await self._inner.do(self._without(move))
        if self._asked(move):
            given = await Rating.get_or_none(order_id=move.order.id)
            if given is None:
                await self._rate.do(move)
            elif move.now < given.editable_until:
                said = said_in(move.values)
                await self._rate.ratings.change(given, said, actor=move.actor, now=move.now)
        return changed

    async def undo(self, order: Order, *, now: datetime) -> None:
        await self._inner.undo(order, now=now)

    @staticmethod
    def _asked(move: Move) -> bool:
        return move.programme.rating.required_for_payment and move.party is Party.ENTERPRISE

    @staticmethod
    def _without(move: Move) -> Move:
        """The move as the step itself sees it."""
        own = {code: value for code, value in move.values.items() if code not in (LEVEL, TAGS, WORDS)}
        return replace(move, values=own)
