"""Sampling as it is asked for and as its answers show it: draws, their lists, what was drawn."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from server import texts
from server.handlers.api import Answer
from server.handlers.paging import NextPage
from server.handlers.parsing import Body, Day, Id, Path, Query, SeenVersion
from server.models.sampling import SampleAnswer, SamplingDraw
from server.programme.review import Sampled
from server.rules.sampling import DrawStatus, SampleOutcome
from server.services.reviews.sampling_pages import DrawnLine, DrawProgress
from server.units import BASIS_POINTS

CLAUSE = "The provision. | 依据条款。"
PROGRAMME = "The programme's slug. | 项目代码。"
VERSION_OF = "Its version. | 版本号。"


class DrawPath(Path):
    """A draw."""

    draw_id: Id = Field(description="The draw. | 抽查编号。")


class ItemPath(Path):
    """A drawn line."""

    item_id: Id = Field(description="The line. | 名单行编号。")


class DrawsQuery(Query):
    """Which draws."""

    programme: str | None = Field(default=None, max_length=64, description="Only of it. | 只看该项目。")
    before: int | None = Field(default=None, ge=1, description="Before this id. | 从该编号之前开始。")


class ChecksQuery(Query):
    """A programme."""

    programme: str = Field(max_length=64, description=PROGRAMME)


class DrawnQuery(Query):
    """Which of what was drawn."""

    outstanding: bool = Field(
        default=False, strict=False, description="Only what is still to be looked at. | 只看尚未核查的。"
    )
    after: int = Field(default=0, ge=0, le=2**31 - 1, description="After this one. | 从该序号之后开始。")


class Announce(Body):
    """What is to be drawn."""

    programme: str = Field(max_length=64, description=PROGRAMME)
    code: str = Field(max_length=64, description="The check's code. | 抽查项目代码。")
    over: Sampled = Field(description="What is drawn from. | 抽取对象。")
    share_bp: int | None = Field(
        default=None,
        ge=1,
        le=BASIS_POINTS,
        description="Basis points, where the text names no share or more is wanted. | 抽查比例（万分之）。",
        examples=[2_000],
    )
    since: Day | None = Field(
        default=None, strict=False, description="First day looked at. | 起始日期。", examples=["2026-01-01"]
    )
    until: Day | None = Field(
        default=None, strict=False, description="Last day looked at. | 截止日期。", examples=["2026-06-30"]
    )
    public_source: str = Field(
        default="",
        max_length=120,
        description="Which public number will be mixed in. | 届时并入的公开号码及其来源。",
        examples=["中国福利彩票3D 2026123期"],
    )


class Lock(Body):
    """Which draw is seen."""

    version: SeenVersion


class Draw(Body):
    """Which draw is seen, and the number that was announced with it."""

    version: SeenVersion
    public_number: str = Field(default="", max_length=64, description="The public number. | 公开号码。")


class Flag(Body):
    """Why a case is to be looked at."""

    reason: str = Field(
        min_length=2, max_length=500, description="Why. | 理由。", examples=["以情况说明代替"]
    )


class AnswerItem(Body):
    """What came of looking at a drawn line."""

    outcome: SampleOutcome = Field(description="clean, finding or no_answer. | 核查结果。")
    method: str = Field(default="", max_length=64, description="How, in the text's words. | 方式。")
    satisfaction: str = Field(default="", max_length=64, description="The programme's word. | 满意度。")
    note: str = Field(default="", max_length=2000, description="What was found. | 核查情况。")


class DrawView(Answer):
    """A draw, as everybody may see it."""

    id: int = Field(description="The draw. | 抽查编号。")
    programme: str = Field(description=PROGRAMME)
    code: str = Field(description="The check's code. | 抽查项目代码。")
    name: str = Field(description="What is checked. | 抽查内容。")
    clause: str = Field(description=CLAUSE)
    over: Sampled = Field(description="What is drawn from. | 抽取对象。")
    share_bp: int = Field(description="The least share, basis points. | 最低比例（万分之）。")
    status: DrawStatus = Field(description="How far it is. | 状态。")
    says: str = Field(description="The same in words. | 状态说明。")
    commitment: str = Field(description="SHA-256 of the seed, published first. | 种子摘要，先于名单公布。")
    announced_at: AwareDatetime = Field(description="When. | 公布时间。")
    public_source: str = Field(description="The public number named beforehand. | 事先公布的公开号码来源。")
    list_hash: str = Field(description="SHA-256 of the locked list. | 锁定名单摘要。")
    locked_at: AwareDatetime | None = Field(description="When the list was locked. | 锁定时间。")
    items: int = Field(description="How many stand on it. | 名单件数。")
    public_number: str = Field(description="The public number. | 公开号码。")
    seed: str = Field(description="The seed, published with the result. | 种子，随结果公布。")
    drawn_at: AwareDatetime | None = Field(description="When it was drawn. | 抽取时间。")
    drawn: int = Field(description="How many were drawn. | 抽中件数。")
    open_items: int = Field(description="Drawn and not looked at yet. | 尚未核查件数。")
    version: int = Field(description=VERSION_OF)


class DrawMade(DrawView):
    """A draw that was just announced."""


class DrawsView(Answer):
    """A page of draws, newest first."""

    draws: list[DrawView] = Field(description="The draws. | 抽查列表。")
    next_before: NextPage


class AttemptView(Answer):
    """One attempt at a drawn line."""

    outcome: SampleOutcome = Field(description="What came of it. | 结果。")
    method: str = Field(description="How. | 方式。")
    satisfaction: str = Field(description="How satisfied. | 满意度。")
    note: str = Field(description="What was found. | 核查情况。")
    at: AwareDatetime = Field(description="When. | 时间。")


class LineView(Answer):
    """A drawn line, for whoever looks at it."""

    id: int = Field(description="The line. | 名单行编号。")
    turn: int = Field(description="Its place in the draw. | 抽取顺序。")
    key: str = Field(description="Its number on the public list. | 公开名单中的编号。")
    name: str = Field(description="What it is about. | 事项。")
    row_id: int = Field(description="The case, order or organisation. | 对应的审核件、订单或单位。")
    flagged: bool = Field(description="It would have been looked at anyway. | 必查件。")
    outcome: SampleOutcome | None = Field(description="The last result. | 最近结果。")
    attempts: list[AttemptView] = Field(description="Every attempt. | 历次核查。")


class LineAnswered(Answer):
    """A drawn line after an attempt."""

    id: int = Field(description="The line. | 名单行编号。")
    outcome: SampleOutcome | None = Field(description="The last result. | 最近结果。")


class ProgressView(Answer):
    """How far a sample has been looked at."""

    drawn: int = Field(description="How many were drawn. | 抽中件数。")
    looked_at: int = Field(description="Done with. | 已核查件数。")
    findings: int = Field(description="Of these with a finding. | 其中发现问题件数。")
    gone: int = Field(description="Of these ended before anybody looked. | 其中核查前已终止件数。")
    outstanding: int = Field(description="Still to be looked at. | 尚未核查件数。")
    no_answer: int = Field(description="Of these tried without an answer. | 其中未联系上或未作答件数。")


class DrawnView(Answer):
    """What was drawn, in the order of the draw."""

    progress: ProgressView = Field(description="How far it has been looked at. | 核查进度。")
    lines: list[LineView] = Field(description="The lines. | 抽中名单。")
    next_after: NextPage


class CheckView(Answer):
    """A check by sample that the programme asks for."""

    code: str = Field(description="Its code. | 代码。")
    name: str = Field(description="What is checked. | 抽查内容。")
    over: list[Sampled] = Field(description="What is drawn from. | 抽取对象。")
    share_bp: int | None = Field(description="The least share; null: none is named. | 最低比例，空为未规定。")
    methods: list[str] = Field(description="How. | 方式。")
    clause: str = Field(description=CLAUSE)
    waiting: int = Field(description="Cases that wait for a draw, to 999. | 待抽取件数，最多计到 999。")


class ChecksView(Answer):
    """The checks of a programme."""

    checks: list[CheckView] = Field(description="The checks. | 抽查项目。")


class Flagged(Answer):
    """A case that will be in the sample."""

    review_id: int = Field(description="The case. | 审核件编号。")


def drawn_line(line: DrawnLine) -> LineView:
    """A drawn line with every attempt."""
    item = line.item
    return LineView(
        id=item.id,
        turn=item.turn or 0,
        key=item.key,
        name=line.name,
        row_id=item.row_id,
        flagged=item.flagged,
        outcome=item.outcome,
        attempts=[_attempt(row) for row in line.answers],
    )


def _attempt(row: SampleAnswer) -> AttemptView:
    return AttemptView(
        outcome=row.outcome, method=row.method, satisfaction=row.satisfaction, note=row.note, at=row.at
    )


def columns(row: SamplingDraw) -> dict[str, object]:
    """The fields of a draw."""
    return {
        "id": row.id,
        "programme": row.programme_slug,
        "code": row.code,
        "name": row.name,
        "clause": row.clause,
        "over": row.over,
        "share_bp": row.share_bp,
        "status": row.status,
        "says": texts.DRAW_STATES[row.status],
        "commitment": row.commitment,
        "announced_at": row.announced_at,
        "public_source": row.public_source,
        "list_hash": row.list_hash,
        "locked_at": row.locked_at,
        "items": row.items,
        "public_number": row.public_number,
        "seed": row.seed,
        "drawn_at": row.drawn_at,
        "drawn": row.drawn,
        "open_items": row.open_items,
        "version": row.version,
    }


def progress(found: DrawProgress) -> ProgressView:
    """How far a sample has been looked at."""
    return ProgressView(
        drawn=found.drawn,
        looked_at=found.looked_at,
        findings=found.findings,
        gone=found.gone,
        outstanding=found.outstanding,
        no_answer=found.no_answer,
    )
