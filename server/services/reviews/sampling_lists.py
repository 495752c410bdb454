"""The lists that are drawn from: what stands on one, and in which stratum.

The public list names nobody: a line is a number, its stratum a provider counted through and a band of its
amount. Whoever works with the draw finds the rest by the row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from tortoise.functions import Sum

from server.errors import Refusal
from server.models.orders import Order
from server.models.organisations import Organisation, Qualification
from server.models.reviews import ReviewCase
from server.models.sampling import SamplingDraw, SamplingItem
from server.programme.review import ReviewSubject, Sampled
from server.programme.vocabulary import Party
from server.rules.deadlines import end_of, start_of
from server.rules.lifecycles import QualificationStatus
from server.rules.orders import OrderStatus
from server.rules.review import CaseStatus
from server.rules.sampling import NothingToDraw, band
from server.services.reviews.review_cases import number

MOST_LINES = 20_000
"""On one list. Of cases the others wait for the next draw, what else would be longer is not announced."""


class ListTooLong(Refusal):
    """More would stand on the list than one draw takes: a shorter period, or several draws."""

    status, code = 422, "draw_list_too_long"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list in the making. ``provider_id`` is counted through, never shown."""

    key: str
    row_id: int
    provider_id: int | None = None
    amount_fen: int | None = None
    flagged: bool = False


def waiting(slug: str, subject: ReviewSubject) -> Any:
    """The cases that wait for a draw and are on no list, the query for them."""
    return ReviewCase.filter(
        programme_slug=slug, subject=subject, status=CaseStatus.OPEN, turn__isnull=True, draw_id__isnull=True
    )


async def require_drawable(draw: SamplingDraw, most: int) -> None:
    """Raise :class:`ListTooLong` for a draw whose list would be longer than ``most``, before it is announced,
    and ``NothingToDraw`` for one that would be empty: it could never be locked, and no other begins before.

    Nothing is left out of a list that was announced: what is done between then and its locking is on it.
    Cases are never too many, since those beyond keep their place and wait for the next draw; nor too few,
    since the next that comes to its check is on the list.
    """
    if draw.over is Sampled.REVIEW:
        return
    if draw.over is Sampled.ORDER:
        count = await _done(draw).count()
    elif draw.since is None:
        count = await _in_good_standing(draw).count()
    else:
        count = len(await _done(draw).distinct().limit(most + 1).values_list(_column(draw), flat=True))
    if count > most:
        raise ListTooLong(clause=draw.clause, most=most)
    if not count:
        raise NothingToDraw(clause=draw.clause)


async def lines_for(draw: SamplingDraw, most: int) -> list[Line]:
    """What there is to put on the list of a draw, inside the transaction that locks it.

    Cases are marked as being on it in the same breath, the ``most`` oldest of them: whatever comes a moment
    later is not. Of anything else all of it is listed.
    """
    if draw.over is Sampled.REVIEW:
        return await _cases(draw, most)
    if draw.over is Sampled.ORDER:
        return await _orders(draw)
    return await _organisations(draw)


def items_of(draw: SamplingDraw, lines: Sequence[Line]) -> list[SamplingItem]:
    """The lines as rows, in strata: providers are counted, unless they are the lines."""
    several = draw.over in (Sampled.REVIEW, Sampled.ORDER)
    known = sorted({line.provider_id for line in lines if several and line.provider_id is not None})
    counted: Mapping[int | None, int] = {one: count for count, one in enumerate(known, start=1)}
    return [
        SamplingItem(
            draw_id=draw.id,
            key=line.key,
            row_id=line.row_id,
            provider_id=line.provider_id,
            stratum=f"{counted.get(line.provider_id, 0):05}-{band(line.amount_fen)}",
            flagged=line.flagged,
        )
        for line in lines
    ]


async def _cases(draw: SamplingDraw, most: int) -> list[Line]:
    assert draw.subject is not None, "a draw over cases has their subject"
    ids = (
        await waiting(draw.programme_slug, draw.subject)
        .order_by("id")
        .limit(most)
        .values_list("id", flat=True)
    )
    for start in range(0, len(ids), 1000):
        # Guarded: a case that was taken back in this instant is on no list.
        await (
            waiting(draw.programme_slug, draw.subject)
            .filter(id__in=ids[start : start + 1000])
            .update(draw_id=draw.id)
        )
    rows = (
        await ReviewCase.filter(draw_id=draw.id)
        .order_by("id")
        .values("id", "organisation_id", "amount_fen", "flagged")
    )
    return [
        Line(number(row["id"]), row["id"], row["organisation_id"], row["amount_fen"], row["flagged"])
        for row in rows
    ]


async def _orders(draw: SamplingDraw) -> list[Line]:
    rows = await _done(draw).order_by("id").values("id", "number", "provider_id", "voucher_fen")
    return [Line(row["number"], row["id"], row["provider_id"], row["voucher_fen"]) for row in rows]


async def _organisations(draw: SamplingDraw) -> list[Line]:
    """Those who had a part in what was done in the period; without a period, all in good standing."""
    provides = draw.over is Sampled.PROVIDER
    column = _column(draw)
    if draw.since is None:
        approved = await _in_good_standing(draw).order_by("organisation_id").values("organisation_id")
        return [_organisation(row["organisation_id"], None, provides=provides) for row in approved]
    rows = await (
        _done(draw)
        .annotate(total=Sum("voucher_fen"))
        .group_by(column)
        .order_by(column)
        .values(column, "total")
    )
    return [_organisation(row[column], int(row["total"]), provides=provides) for row in rows]


def _column(draw: SamplingDraw) -> str:
    return "provider_id" if draw.over is Sampled.PROVIDER else "enterprise_id"


def _in_good_standing(draw: SamplingDraw) -> Any:
    return Qualification.filter(
        programme_slug=draw.programme_slug,
        party=Party.PROVIDER if draw.over is Sampled.PROVIDER else Party.ENTERPRISE,
        status=QualificationStatus.APPROVED,
    )


def _organisation(organisation_id: int, amount_fen: int | None, *, provides: bool) -> Line:
    return Line(number(organisation_id), organisation_id, organisation_id if provides else None, amount_fen)


def _done(draw: SamplingDraw) -> Any:
    """Orders that were done in the period of a draw."""
    assert draw.since is not None and draw.until is not None, "asked for with a period"
    return Order.filter(
        programme_slug=draw.programme_slug, status=OrderStatus.DONE, **_within(draw.since, draw.until)
    )


def _within(since: date, until: date) -> dict[str, Any]:
    return {"step_since__gte": start_of(since), "step_since__lt": end_of(until)}


async def names_of(draw: SamplingDraw, items: Sequence[SamplingItem]) -> Mapping[int, str]:
    """What each line is about, by its row, for whoever works with the draw."""
    ids = [item.row_id for item in items]
    if draw.over is Sampled.REVIEW:
        return dict(await ReviewCase.filter(id__in=ids).values_list("id", "title"))
    if draw.over is Sampled.ORDER:
        rows = await Order.filter(id__in=ids).values_list("id", "project")
        return dict(rows)
    return dict(await Organisation.filter(id__in=ids).values_list("id", "name"))


async def areas_of(draw: SamplingDraw, items: Sequence[SamplingItem]) -> Mapping[int, str]:
    """In which area each line lies, by its row: an order where its enterprise is."""
    ids = [item.row_id for item in items]
    if draw.over is Sampled.REVIEW:
        return dict(await ReviewCase.filter(id__in=ids).values_list("id", "area"))
    if draw.over is Sampled.ORDER:
        return dict(await Order.filter(id__in=ids).values_list("id", "enterprise__area"))
    return dict(await Organisation.filter(id__in=ids).values_list("id", "area"))
