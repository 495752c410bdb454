"""The published list of a ranked round, for anybody: page by page, and whole as JSON or CSV.

The whole list is what ``tools/recompute_ranking.py`` computes again: order, awards and SHA-256.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from operator import itemgetter
from typing import Any

import orjson
from aiohttp import web
from pydantic import AwareDatetime, Field

from server import texts
from server.handlers.api import PUBLIC, Answer, Media, Routes
from server.handlers.grabs import RoundPath
from server.handlers.paging import NextPage, next_page
from server.handlers.parsing import Query
from server.keys import RANKED
from server.models.applications import Ranking
from server.programme.issuance import RankKey
from server.rules.issuance import RankOutcome
from server.rules.ranking_list import instant
from server.rules.spreadsheets import neutral
from server.services.vouchers import ranking_lists
from server.services.vouchers.ranked import ResultNotOut

routes = Routes("ranking")

PAGE = 200
COLUMNS = (
    "position",
    "name",
    "priority",
    "group",
    "arrived_at",
    "place",
    "asked_fen",
    "allowed_fen",
    "awarded_fen",
    "outcome",
)
"""The fields of a line of CSV; ``texts.RANKING_COLUMNS`` are their names."""
CSV_HEAD = ("round_id", "title", "programme", "programme_version", "order", "pool_fen", "sha256")
"""What a CSV says of itself above its table."""
BOM = "\ufeff"
"""So that a spreadsheet reads the CSV as UTF-8."""


class ListQuery(Query):
    """Where a page starts."""

    after: int = Field(default=0, ge=0, description="After this position. | 从该名次之后开始。")


class GroupView(Answer):
    """A group that comes first."""

    code: str = Field(description="Its code. | 代码。")
    name: str = Field(description="Its name. | 名称。")


class ListLine(Answer):
    """One position."""

    position: int = Field(description="Position. | 名次。")
    name: str = Field(
        description="Name; that of an individually-owned business is masked."
        " | 企业名称；个体工商户的名称已遮盖。"
    )
    priority: bool = Field(description="Belongs to a group that comes first. | 是否优先。")
    group: str = Field(description="Which, by its code. | 优先类别代码，无则为空。")
    arrived_at: AwareDatetime = Field(description="Arrival, to the millisecond. | 申领到达时间。")
    place: int = Field(description="Decides among equals. | 同一毫秒内的先后顺序号。")
    asked_fen: int = Field(description="Asked for, fen. | 申领金额，单位分。")
    allowed_fen: int = Field(description="Of it, what the quota left, fen. | 额度内金额，单位分。")
    awarded_fen: int = Field(description="Awarded, fen. | 获券金额，单位分。")
    outcome: RankOutcome = Field(description="The outcome. | 结果。")


class RankingPage(Answer):
    """How a round was ranked, and a page of its list."""

    round_id: int = Field(description="The round. | 批次编号。")
    title: str = Field(description="Its title. | 批次名称。")
    programme: str = Field(description="The programme's slug. | 项目代码。")
    programme_version: str = Field(description="Its version. | 项目版本。")
    clause: str = Field(description="The clause behind the order. | 依据条款。")
    order: list[RankKey] = Field(description="What is sorted by, in turn. | 排序依据，先者优先。")
    tie_break: str = Field(description="How equals are told apart. | 相同时的处理。")
    groups: list[GroupView] = Field(description="The groups that come first. | 优先类别。")
    pool_fen: int = Field(description="What there was to give, fen. | 可发放资金，单位分。")
    awarded_fen: int = Field(description="What was given, fen. | 实际发放，单位分。")
    ranked: int = Field(description="How many were ranked. | 参与排名家数。")
    awarded: int = Field(description="How many got something. | 获券家数。")
    waiting: int = Field(description="How many wait. | 候补家数。")
    excluded: int = Field(
        description="How many applied and were not to be ranked; each was told why."
        " | 未参与排名家数，已逐一告知原因。"
    )
    ranked_at: AwareDatetime = Field(description="When it was ranked. | 排名时间。")
    published_at: AwareDatetime = Field(description="When it was published. | 公布时间。")
    sha256: str = Field(
        description="SHA-256 of the list in its canonical form, journaled when it was ranked."
        " | 名单规范文本的 SHA-256，排名时已记入日志。"
    )
    entries: list[ListLine] = Field(description="The list, by position. | 名单，按名次。")
    next_after: NextPage


@routes.get(
    "/api/v1/rounds/{round_id}/ranking",
    summary="The published ranking of a round. | 批次排名名单。",
    access=PUBLIC,
    answers={200: RankingPage},
    refusals=(ResultNotOut,),
)
async def page(request: web.Request, path: RoundPath, query: ListQuery) -> RankingPage:
    made = await request.app[RANKED].published(path.round_id)
    rows = await ranking_lists.lines(path.round_id, after=query.after, limit=PAGE + 1)
    return RankingPage(
        **_head(request, made),
        entries=[ListLine(**_line(row)) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE, itemgetter("position")),
    )


@routes.get(
    "/api/v1/rounds/{round_id}/ranking.json",
    summary="The whole published list as one JSON file. | 完整排名名单（JSON 文件）。",
    access=PUBLIC,
    answers={200: Media("application/json", "The list. | 名单文件。")},
    refusals=(ResultNotOut,),
)
async def whole_as_json(request: web.Request, path: RoundPath) -> web.StreamResponse:
    made = await request.app[RANKED].published(path.round_id)
    response = await _file(request, made, "application/json", "json")
    head = orjson.dumps(RankingPage(**_head(request, made), entries=[], next_after=None).model_dump())
    await response.write(head[: head.index(b'"entries":[]')] + b'"entries":[')
    comma = b""
    async for rows in ranking_lists.all_lines(path.round_id):
        lines = [orjson.dumps(_written(row)) for row in rows]
        await response.write(comma + b",\n".join(lines))
        comma = b",\n"
    await response.write(b"]}\n")
    await response.write_eof()
    return response


@routes.get(
    "/api/v1/rounds/{round_id}/ranking.csv",
    summary="The whole published list as CSV. | 完整排名名单（CSV 文件）。",
    access=PUBLIC,
    answers={200: Media("text/csv", "The list, UTF-8 with a byte order mark. | 名单文件（UTF-8 BOM）。")},
    refusals=(ResultNotOut,),
)
async def whole_as_csv(request: web.Request, path: RoundPath) -> web.StreamResponse:
    made = await request.app[RANKED].published(path.round_id)
    response = await _file(request, made, "text/csv; charset=utf-8", "csv")
    head = _head(request, made)
    # What the list is of, name and value a row, as the recomputing script reads it; then the table.
    facts = [(name, ",".join(head[name]) if name == "order" else head[name]) for name in CSV_HEAD]
    await response.write((BOM + _rows([*facts, (), texts.RANKING_COLUMNS])).encode())
    async for rows in ranking_lists.all_lines(path.round_id):
        lines = [_written(row) for row in rows]
        await response.write(_rows([[line[name] for name in COLUMNS] for line in lines]).encode())
    await response.write_eof()
    return response


async def _file(request: web.Request, made: Ranking, content_type: str, ending: str) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={
            "Content-Type": content_type,
            "Content-Disposition": f'attachment; filename="ranking-{made.round_id}.{ending}"',
            # It never changes; the time it is published at is over.
            "Cache-Control": "public, max-age=3600",
        }
    )
    await response.prepare(request)
    return response


def _rows(rows: Any) -> str:
    """Rows of CSV in which no cell can be taken for a formula."""
    out = io.StringIO()
    csv.writer(out).writerows(
        [neutral(cell) if isinstance(cell, str) else cell for cell in row] for row in rows
    )
    return out.getvalue()


def _head(request: web.Request, made: Ranking) -> dict[str, Any]:
    programme = request.app[RANKED].programme_of(made)
    return {
        "round_id": made.round_id,
        "title": made.round.title,
        "programme": made.programme_slug,
        "programme_version": made.programme_version,
        "clause": programme.issuance.article,
        "order": list(programme.issuance.ranking),
        "tie_break": texts.RANKING_TIE_BREAK,
        "groups": [GroupView(code=one.code, name=one.name) for one in programme.issuance.priorities],
        "pool_fen": made.pool_fen,
        "awarded_fen": made.awarded_fen,
        "ranked": made.ranked_count,
        "awarded": made.awarded_count,
        "waiting": made.waiting_count,
        "excluded": made.excluded_count,
        "ranked_at": made.ranked_at,
        "published_at": made.published_at,
        "sha256": made.sha256,
    }


def _written(row: Mapping[str, Any]) -> dict[str, Any]:
    """A line as a file has it: its instant as in the canonical form."""
    return {**_line(row), "arrived_at": instant(row["arrived_at"])}


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"group" if name == "group_code" else name: value for name, value in row.items()}
