"""The section about samples: what was drawn, what came of it, and who is still on the list."""

from __future__ import annotations

from collections import defaultdict

from tortoise.expressions import Q

from server import texts
from server.models.sampling import SamplingDraw, SamplingItem
from server.rules.deadlines import day_of
from server.rules.sampling import LOOKED_AT, DrawStatus, SampleOutcome
from server.services.reports.figures import Scope, Section, Table, TableRow, Trace, counted, grouped, table
from server.services.reviews.sampling_lists import names_of
from server.services.reviews.sampling_results import OUTSTANDING

MOST_LINES = 500
"""Lines of the table of those who are still on a list; the first of each draw come first."""


async def samples(scope: Scope) -> Section:
    """How far what was drawn has been looked at, and what is outstanding, by number and name."""
    slug = scope.programme.slug
    drawn_in = scope.of_programme("drawn_at")
    lines = {"draw__programme_slug": slug, "turn__isnull": False}
    pending = {**lines, "draw__status": DrawStatus.DRAWN.value, "draw__drawn_at__lt": scope.ends.isoformat()}
    answered = {"item__draw__programme_slug": slug, **scope.within("at")}
    draws = await (
        SamplingDraw.filter(programme_slug=slug, drawn_at__lt=scope.ends)
        .filter(Q(drawn_at__gte=scope.begins) | Q(status=DrawStatus.DRAWN))
        .order_by("id")
        .limit(MOST_LINES)
    )
    return Section(
        "sampling",
        texts.REPORT_SECTIONS["sampling"],
        [
            await counted("draws_made", "draw", drawn_in),
            await counted("sample_drawn", "draw_line", {**lines, **scope.within("draw__drawn_at")}),
            await counted("sample_attempts", "draw_answer", answered),
            await counted(
                "sample_findings", "draw_answer", {**answered, "outcome": SampleOutcome.FINDING.value}
            ),
            await counted("sample_untried", "draw_line", {**pending, "outcome__isnull": True}),
            await counted(
                "sample_silent", "draw_line", {**pending, "outcome": SampleOutcome.NO_ANSWER.value}
            ),
        ],
        [await _by_draw(draws), await _outstanding(draws)],
    )


async def _by_draw(draws: list[SamplingDraw]) -> Table:
    where = {"draw_id__in": [one.id for one in draws], "turn__isnull": False}
    counts: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in await grouped(Trace("draw_line", where), ("draw_id", "outcome")):
        counts[one["draw_id"]][str(one["outcome"] or "")] += one["count"]
    rows = []
    for draw in draws:
        known = counts[draw.id]
        total, looked = sum(known.values()), sum(known[one.value] for one in LOOKED_AT)
        day = "" if draw.drawn_at is None else day_of(draw.drawn_at).isoformat()
        findings = known[SampleOutcome.FINDING.value]
        cells: list[str | int | None] = [draw.name, day, total, looked, findings, total - looked]
        rows.append(TableRow(cells, Trace("draw_line", {"draw_id": draw.id, "turn__isnull": False})))
    columns = (
        *(("draw", "text"), ("drawn_on", "text"), ("drawn", "count"), ("looked_at", "count")),
        *(("findings", "count"), ("outstanding", "count")),
    )
    return table("draws", columns, rows)


async def _outstanding(draws: list[SamplingDraw]) -> Table:
    rows: list[TableRow] = []
    for draw in draws:
        if len(rows) >= MOST_LINES:
            break
        open_lines = SamplingItem.filter(OUTSTANDING, draw_id=draw.id, turn__isnull=False).order_by("turn")
        items = await open_lines.limit(MOST_LINES)
        names = await names_of(draw, items)
        for item in items:
            word = texts.DRAW_UNTRIED if item.outcome is None else texts.DRAW_OUTCOMES[item.outcome]
            cells = [draw.name, item.key, names.get(item.row_id, ""), word]
            rows.append(TableRow(cells, Trace("draw_line", {"id": item.id})))
    columns = (("draw", "text"), ("line", "text"), ("about", "text"), ("state_of", "text"))
    return table("outstanding", columns, rows[:MOST_LINES], total=False)
