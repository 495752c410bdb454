"""Applications over HTTP: what my enterprise asks for in a round, and what came of it."""

from __future__ import annotations

from operator import attrgetter

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import PERSON, Answer, Routes, staff
from server.handlers.grabs import RoundPath
from server.handlers.organisations import IN_CHARGE
from server.handlers.paging import AfterId, NextPage, next_page
from server.handlers.parsing import Body, Fen, Headers, Query
from server.keys import APPLICATIONS
from server.models.applications import Application
from server.rules.issuance import ApplicationStatus, RankOutcome
from server.rules.quota import QuotaExceeded
from server.services import access
from server.services.access import Actor, NoOrganisation, StaffRole
from server.services.admissions.standings import NotInStanding
from server.services.allowances import TooManyToday
from server.services.vouchers import applications
from server.services.vouchers.applications import (
    ApplicationWithdrawn,
    Applied,
    ApplyingClosed,
    ApplyingNotOpen,
    ApplyingPaused,
    Ask,
    NotAppliedFor,
    RequestKeyReused,
)

routes = Routes("applications")

PAGE = 50
READERS = staff(StaffRole.OPERATOR, StaffRole.AUTHORITY, StaffRole.AUDITOR)
CLOSED = (NotAppliedFor, ApplyingNotOpen, ApplyingPaused, ApplyingClosed, RequestKeyReused, NoOrganisation)


class RequestHeaders(Headers):
    """What a phone sends with a change."""

    idempotency_key: str = Field(
        alias="Idempotency-Key",
        pattern=r"^[0-9a-f]{32}$",
        description=(
            "128 random bits in hex, made and stored by the phone before sending; the same for every retry."
            " | 128 位随机数（十六进制），手机在发送前生成并保存，重试时保持不变。"
        ),
        examples=["9f86d081884c7d659a2feaa0c55ad015"],
    )


class Apply(Body):
    """How much."""

    amount_fen: Fen = Field(
        gt=0, description="What the enterprise needs, fen. | 申领金额，单位分。", examples=[1_000_000]
    )


class AfterQuery(Query):
    """Where a page starts."""

    after: AfterId = 0


class ResultView(Answer):
    """What came of an application in its round's ranking."""

    outcome: RankOutcome = Field(description="The outcome. | 结果。")
    position: int | None = Field(description="Its place; none: not ranked. | 名次，未参与排名为空。")
    ranked: int = Field(description="How many were ranked. | 参与排名的家数。")
    group: str = Field(description="Its priority group's code, if any. | 优先类别代码，无则为空。")
    awarded_fen: int = Field(description="What it was awarded by the list, fen. | 排名获券金额，单位分。")
    later_fen: int = Field(
        description="What it was awarded later, from the waiting list, fen. | 递补获券金额，单位分。"
    )
    voucher_id: int | None = Field(description="Its voucher. | 服务券编号。")


class ApplicationView(Answer):
    """My enterprise's application in a round."""

    id: int = Field(description="The application. | 申领编号。")
    round_id: int = Field(description="The round. | 批次编号。")
    round_title: str = Field(description="Its title. | 批次名称。")
    status: ApplicationStatus = Field(description="Whether it stands. | 状态。")
    amount_fen: int = Field(description="What it asks for, fen. | 申领金额，单位分。")
    arrived_at: AwareDatetime = Field(
        description="When it took its place, by the server's clock; asking for more takes a new one."
        " | 申领到达时间（服务器时钟，精确到毫秒）；增加金额按新的到达时间排序。"
    )
    place: int = Field(description="Decides among those of one millisecond. | 同一毫秒内的先后顺序号。")
    closes_at: AwareDatetime = Field(description="Changes are possible until then. | 申领截止时间。")
    most_fen: int | None = Field(description="The most it may ask for, fen. | 最多可申领金额，单位分。")
    most_arithmetic: str = Field(description="The sum behind that. | 计算过程。")
    published_at: AwareDatetime | None = Field(
        description="When the list is published; none: not ranked yet. | 名单公布时间，尚未排名为空。"
    )
    visible_at: AwareDatetime | None = Field(
        description="When the result is seen here. | 本账户可查看结果的时间。"
    )
    provisional: bool = Field(
        description="These days lie in a year whose holidays are not announced yet."
        " | 上述时间所在年度的放假安排尚未公布，为暂定。"
    )
    result: ResultView | None = Field(description="What came of it, once told. | 结果，告知前为空。")


class OwnApplications(Answer):
    """A page of my enterprise's applications, by id."""

    applications: list[ApplicationView] = Field(description="The applications. | 申领列表。")
    next_after: NextPage


class ListedApplication(Answer):
    """An application as the operator sees it."""

    id: int = Field(description="The application. | 申领编号。")
    organisation_id: int = Field(description="Whose. | 企业编号。")
    name: str = Field(description="Its name. | 企业名称。")
    uscc: str = Field(description="Its code. | 统一社会信用代码。")
    status: ApplicationStatus = Field(description="Whether it stands. | 状态。")
    amount_fen: int = Field(description="What it asks for, fen. | 申领金额，单位分。")
    arrived_at: AwareDatetime = Field(description="When it took its place. | 申领到达时间。")


class RoundApplications(Answer):
    """A page of a round's applications, by id, and what all of them come to."""

    standing: int = Field(description="How many stand. | 有效申领数。")
    withdrawn: int = Field(description="How many were withdrawn. | 已撤回数。")
    asked_fen: int = Field(description="What is asked for, fen. | 有效申领总额，单位分。")
    pool_fen: int = Field(description="Money of the round, fen. | 资金池，单位分。")
    applications: list[ListedApplication] = Field(description="The applications. | 申领列表。")
    next_after: NextPage


@routes.put(
    "/api/v1/rounds/{round_id}/application",
    summary="Apply, or change what I applied for. | 申领或修改申领金额。",
    access=IN_CHARGE,
    answers={200: ApplicationView},
    refusals=(*CLOSED, NotInStanding, QuotaExceeded, TooManyToday),
)
async def put(
    request: web.Request, actor: Actor, path: RoundPath, headers: RequestHeaders, body: Apply
) -> ApplicationView:
    ask = Ask(path.round_id, headers.idempotency_key, body.amount_fen)
    await request.app[APPLICATIONS].put(ask, actor=actor)
    return _own(await request.app[APPLICATIONS].own(path.round_id, actor=actor))


@routes.delete(
    "/api/v1/rounds/{round_id}/application",
    summary="Withdraw my application. | 撤回申领。",
    access=IN_CHARGE,
    answers={200: ApplicationView},
    refusals=(*CLOSED, ApplicationWithdrawn),
)
async def withdraw(
    request: web.Request, actor: Actor, path: RoundPath, headers: RequestHeaders
) -> ApplicationView:
    await request.app[APPLICATIONS].withdraw(Ask(path.round_id, headers.idempotency_key, 0), actor=actor)
    return _own(await request.app[APPLICATIONS].own(path.round_id, actor=actor))


@routes.get(
    "/api/v1/rounds/{round_id}/application",
    summary="My application in a round. | 我在本批次的申领。",
    access=PERSON,
    answers={200: ApplicationView},
    refusals=(NotAppliedFor, NoOrganisation),
)
async def own(request: web.Request, actor: Actor, path: RoundPath) -> ApplicationView:
    return _own(await request.app[APPLICATIONS].own(path.round_id, actor=actor))


@routes.get(
    "/api/v1/applications",
    summary="My applications. | 我的申领。",
    access=PERSON,
    answers={200: OwnApplications},
    refusals=(NoOrganisation,),
)
async def mine(request: web.Request, actor: Actor, query: AfterQuery) -> OwnApplications:
    seen = await applications.of_organisation(after=query.after, limit=PAGE + 1, actor=actor)
    return OwnApplications(
        applications=[_own(one) for one in seen[:PAGE]],
        next_after=next_page(seen, PAGE, attrgetter("application.id")),
    )


@routes.get(
    "/api/v1/rounds/{round_id}/applications",
    summary="Everybody's applications in a round, with their sum. | 批次申领名单与合计。",
    access=READERS,
    answers={200: RoundApplications},
)
async def of_round(
    request: web.Request, actor: Actor, path: RoundPath, query: AfterQuery
) -> RoundApplications:
    row = await access.round_for(actor, path.round_id)
    total = await applications.sum_of(row.id)
    rows = await applications.of_round(row.id, after=query.after, limit=PAGE + 1)
    return RoundApplications(
        standing=total.standing,
        withdrawn=total.withdrawn,
        asked_fen=total.asked_fen,
        pool_fen=row.pool_fen,
        applications=[_listed(one) for one in rows[:PAGE]],
        next_after=next_page(rows, PAGE),
    )


def _listed(one: Application) -> ListedApplication:
    return ListedApplication(
        id=one.id,
        organisation_id=one.enterprise_id,
        name=one.enterprise.name,
        uscc=one.enterprise.uscc,
        status=one.status,
        amount_fen=one.amount_fen,
        arrived_at=one.arrived_at,
    )


def _own(seen: Applied) -> ApplicationView:
    one, ranking = seen.application, seen.ranking
    return ApplicationView(
        id=one.id,
        round_id=one.round_id,
        round_title=seen.round.title,
        status=one.status,
        amount_fen=one.amount_fen,
        arrived_at=one.arrived_at,
        place=one.place,
        closes_at=seen.round.closes_at,
        most_fen=seen.quota.amount_fen if seen.quota else None,
        most_arithmetic=seen.quota.arithmetic if seen.quota else "",
        published_at=ranking.published_at if ranking else None,
        visible_at=ranking.visible_at if ranking else None,
        provisional=ranking is not None and ranking.provisional,
        result=_result(seen),
    )


def _result(seen: Applied) -> ResultView | None:
    if seen.result is None or seen.ranking is None:
        return None
    return ResultView(
        outcome=seen.result.outcome,
        position=seen.result.position,
        ranked=seen.ranking.ranked_count,
        group=seen.result.group_code,
        awarded_fen=seen.result.awarded_fen,
        later_fen=seen.later.amount_fen if seen.later else 0,
        voucher_id=seen.voucher.id if seen.voucher else None,
    )
