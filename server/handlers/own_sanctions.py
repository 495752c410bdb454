"""Sanctions over HTTP for their party: what it is charged with, its statement, its appeal."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from server.handlers.api import PERSON, Routes
from server.handlers.organisations import IN_CHARGE
from server.handlers.parsing import Body, Id
from server.handlers.sanction_views import (
    ATTACHED,
    LONGEST,
    MOST_FILES,
    MOVED,
    AfterSanction,
    OwnSanctionView,
    SanctionAppealView,
    SanctionCases,
    SanctionPath,
    appeal_of,
    own_view_of,
    page_of,
)
from server.keys import SANCTIONS
from server.services.access import Actor, NoOrganisation
from server.services.sanctions import sanction_lists
from server.services.sanctions.sanction_appeals import AppealTooLate, AppealUnderWay
from server.services.sanctions.sanction_book import own_case
from server.services.sanctions.sanction_hearings import HearingOver

routes = Routes("own_sanctions")


class StateCase(Body):
    """What somebody has to say, with papers."""

    words: str = Field(min_length=2, max_length=LONGEST, description="What one says. | 内容。")
    file_ids: list[Id] = Field(default=[], max_length=MOST_FILES, description="Papers. | 材料。")


@routes.get(
    "/api/v1/own-sanctions",
    summary="The cases against my organisation. | 本单位的案件。",
    access=PERSON,
    answers={200: SanctionCases},
    refusals=(NoOrganisation,),
)
async def own(request: web.Request, actor: Actor, query: AfterSanction) -> SanctionCases:
    return page_of(await sanction_lists.own_page(actor, after=query.after))


@routes.get(
    "/api/v1/own-sanctions/{sanction_id}",
    summary="One case against my organisation. | 本单位的案件详情。",
    access=PERSON,
    answers={200: OwnSanctionView},
    refusals=(NoOrganisation,),
)
async def own_one(request: web.Request, actor: Actor, path: SanctionPath) -> OwnSanctionView:
    return own_view_of(await sanction_lists.file_of(await own_case(actor, path.sanction_id)))


@routes.post(
    "/api/v1/own-sanctions/{sanction_id}/statements",
    summary="StateCase our case, with papers. | 提交陈述申辩。",
    access=IN_CHARGE,
    answers={201: OwnSanctionView},
    refusals=(*MOVED, *ATTACHED, HearingOver, NoOrganisation),
)
async def state(request: web.Request, actor: Actor, path: SanctionPath, body: StateCase) -> OwnSanctionView:
    case = await request.app[SANCTIONS].hearings.state(
        path.sanction_id, body.words, file_ids=body.file_ids, actor=actor
    )
    return own_view_of(await sanction_lists.file_of(case))


@routes.post(
    "/api/v1/own-sanctions/{sanction_id}/appeal",
    summary="Appeal against a decision. | 对处理决定提出申诉。",
    access=IN_CHARGE,
    answers={201: SanctionAppealView},
    refusals=(*MOVED, *ATTACHED, AppealTooLate, AppealUnderWay, NoOrganisation),
)
async def appeal(
    request: web.Request, actor: Actor, path: SanctionPath, body: StateCase
) -> SanctionAppealView:
    made = await request.app[SANCTIONS].appeals.appeal(
        path.sanction_id, body.words, file_ids=body.file_ids, actor=actor
    )
    return appeal_of(made)
