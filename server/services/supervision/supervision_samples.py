"""Samples: whom a draw of the programme's drew, as inspections and call-backs take them over."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from server.errors import Refusal
from server.models.sampling import SamplingDraw, SamplingItem
from server.programme.review import Sampled
from server.rules.sampling import DrawStatus
from server.services.access import NotFound


class SampleNotDrawn(Refusal):
    """The draw has no result yet: its seed is not out."""

    status, code = 409, "sample_not_drawn"


@dataclass(frozen=True, slots=True)
class Sample:
    """What a draw drew: rows of orders, or of organisations."""

    over: Sampled
    rows: frozenset[int]

    def holds(self, *, order_id: int | None, organisation_ids: Collection[int]) -> bool:
        """Whether an order, or one of the organisations, was drawn."""
        if self.over is Sampled.ORDER:
            return order_id in self.rows
        return not self.rows.isdisjoint(organisation_ids)


async def drawn(draw_id: int, slug: str) -> Sample:
    """What a draw of this programme drew. Raises ``NotFound``, :class:`SampleNotDrawn`."""
    draw = await SamplingDraw.get_or_none(id=draw_id, programme_slug=slug)
    if draw is None or draw.over is Sampled.REVIEW:
        raise NotFound()
    if draw.status not in (DrawStatus.DRAWN, DrawStatus.CLOSED):
        raise SampleNotDrawn(clause=draw.clause)
    rows = await SamplingItem.filter(draw_id=draw.id, turn__not_isnull=True).values_list("row_id", flat=True)
    return Sample(draw.over, frozenset(int(str(one)) for one in rows))
