"""Proposing sanctions over HTTP: the grounds of the text, cases, and what complaints proposed."""

from __future__ import annotations

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import Answer, Routes
from server.handlers.paging import NextPage, next_page
from server.handlers.parsing import Body, Fen, Id, Path, Query
from server.handlers.sanction_views import (
    ATTACHED,
    CLAUSE,
    LONGEST,
    MOST_FILES,
    PROPOSING,
    REASON,
    SEEING,
    AfterSanction,
    SanctionView,
    shown,
)
from server.keys import PROGRAMMES, SANCTIONS
from server.programme.registry import UnknownProgramme
from server.programme.vocabulary import Actor as Role
from server.programme.vocabulary import Party
from server.rules.lifecycles import IllegalMove
from server.rules.review import ReasonMissing
from server.rules.sanction_cases import SanctionSource
from server.services.access import Actor
from server.services.reviews.reviewers import OwnReview
from server.services.sanctions import sanction_lists
from server.services.sanctions.sanction_lists import PAGE
from server.services.sanctions.sanctions import (
    NoHoldAtOnce,
    NotYoursToPropose,
    Proposal,
    ProposalDecided,
    ReductionMissing,
    ResponsiblePersonMissing,
    SanctionGroundUnknown,
    SanctionScopeWrong,
    SanctionUnderWay,
    grounds_against,
)

routes = Routes("sanction_proposals")

PROPOSED = (
    SanctionGroundUnknown,
    NotYoursToPropose,
    NoHoldAtOnce,
    SanctionScopeWrong,
    ReductionMissing,
    ResponsiblePersonMissing,
    SanctionUnderWay,
    OwnReview,
    ReasonMissing,
    IllegalMove,
    *ATTACHED,
)


class SanctionProposalPath(Path):
    """What a complaint proposed."""

    proposal_id: Id = Field(description="The proposal. | 处理建议编号。")


class SanctionGroundQuery(Query):
    """Against whom."""

    programme: str = Field(max_length=64, description="The programme. | 项目代码。")
    party: Party = Field(description="Which side. | 当事人身份。")


class SanctionAbout(Body):
    """On which ground, and what is hit."""

    ground: str = Field(min_length=1, max_length=64, description="The ground, by its code. | 事由代码。")
    sanction: str = Field(
        default="", max_length=64, description="Its code, where two share the ground. | 处理类型代码。"
    )
    facts: str = Field(min_length=2, max_length=LONGEST, description="What was found. | 事实。")
    orders: list[Id] | None = Field(
        max_length=500, description="Which orders are hit; null: every one. | 涉及订单，空为全部。"
    )
    vouchers: list[Id] | None = Field(
        max_length=500, description="Which vouchers; null: every one. | 涉及服务券，空为全部。"
    )
    serious: bool = Field(default=False, description="What follows if it is serious, too. | 是否情节严重。")
    reduced_fen: Fen | None = Field(default=None, description="Reduce by, fen. | 核减金额，单位分。")
    person_name: str = Field(default="", max_length=64, description="Who was responsible. | 责任人姓名。")
    person_id_number: str = Field(
        default="", max_length=32, description="Their identity number. | 责任人身份证件号码。"
    )
    file_ids: list[Id] = Field(default=[], max_length=MOST_FILES, description="Evidence. | 证据材料。")
    hold_now: bool = Field(default=False, description="Stop payments until decided. | 是否先行暂停。")


class ProposeSanction(SanctionAbout):
    """Who is to be sanctioned, on which ground, and what is hit."""

    programme: str = Field(max_length=64, description="The programme. | 项目代码。")
    organisation_id: Id = Field(description="Against whom. | 当事人编号。")
    party: Party = Field(description="As which side. | 当事人身份。")
    source: SanctionSource = Field(default=SanctionSource.HAND, description="What it came from. | 来源。")
    source_id: Id | None = Field(default=None, description="Which. | 来源编号。")


class DismissProposal(Body):
    """Why no case is made."""

    reason: str = Field(min_length=2, max_length=LONGEST, description=REASON)


class SanctionGroundView(Answer):
    """A ground of the text, and what follows from it."""

    code: str = Field(description="The ground. | 事由代码。")
    says: str = Field(description="In the text's words. | 原文表述。")
    clause: str = Field(description=CLAUSE)
    sanction: str = Field(description="The sanction, by its code. | 处理类型代码。")
    name: str = Field(description="What it is called. | 处理名称。")
    measures: list[str] = Field(description="What follows. | 处理措施代码。")
    if_serious: list[str] = Field(description="Besides, if it is serious. | 情节严重时另加的措施。")
    proposed_by: Role | None = Field(description="Who proposes it; null: whoever supervises. | 提出主体。")
    decided_by: Role = Field(description="Who decides. | 决定主体。")
    may_hold: bool = Field(description="The proposer may stop payments at once. | 可否先行暂停。")
    ban_years: int | None = Field(description="Years of a ban; null: for good, or none. | 限制年数。")


class SanctionGrounds(Answer):
    """The grounds against one side."""

    grounds: list[SanctionGroundView] = Field(description="The grounds. | 处理事由。")


class ComplaintProposal(Answer):
    """What a complaint proposed."""

    id: int = Field(description="The proposal. | 处理建议编号。")
    programme: str = Field(description="The programme. | 项目代码。")
    complaint: str = Field(description="The complaint's number. | 投诉编号。")
    organisation_id: int = Field(description="Against whom. | 当事人编号。")
    name: str = Field(description="Its name. | 当事人名称。")
    party: Party = Field(description="As which side. | 当事人身份。")
    ground: str = Field(description="The ground that was proposed. | 建议事由。")
    clause: str = Field(description=CLAUSE)
    reason: str = Field(description="What was found. | 核查认定。")
    proposed_at: AwareDatetime = Field(description="When. | 提出时间。")


class ComplaintProposals(Answer):
    """What complaints proposed and nobody has taken up."""

    proposals: list[ComplaintProposal] = Field(description="The proposals. | 处理建议列表。")
    next_after: NextPage


class ProposalDismissed(Answer):
    """A proposal of which no case is made."""

    id: int = Field(description="The proposal. | 处理建议编号。")
    reason: str = Field(description=REASON)


@routes.get(
    "/api/v1/sanction-grounds",
    summary="On which grounds the text sanctions a side, and what follows. | 处理事由和措施。",
    access=SEEING,
    answers={200: SanctionGrounds},
    refusals=(UnknownProgramme,),
)
async def grounds(request: web.Request, actor: Actor, query: SanctionGroundQuery) -> SanctionGrounds:
    programme = request.app[PROGRAMMES].get(query.programme)
    return SanctionGrounds(
        grounds=[
            SanctionGroundView(
                code=one.ground.code,
                says=one.ground.says,
                clause=one.clause,
                sanction=one.sanction.code,
                name=one.sanction.name,
                measures=sorted(one.sanction.measures),
                if_serious=sorted(one.sanction.if_serious),
                proposed_by=one.sanction.proposed_by,
                decided_by=one.sanction.decided_by,
                may_hold=one.sanction.immediate_hold,
                ban_years=one.sanction.ban_years,
            )
            for one in grounds_against(programme, query.party)
        ]
    )


@routes.post(
    "/api/v1/sanctions",
    summary="Propose a sanction; somebody else decides. | 提出处理建议，由他人决定。",
    access=PROPOSING,
    answers={201: SanctionView},
    refusals=(*PROPOSED, UnknownProgramme),
)
async def propose(request: web.Request, actor: Actor, body: ProposeSanction) -> SanctionView:
    given = body.model_dump(exclude={"programme"})
    case = await request.app[SANCTIONS].cases.propose(
        Proposal(programme_slug=body.programme, **given), actor=actor
    )
    return await shown(request, case)


@routes.get(
    "/api/v1/sanction-proposals",
    summary="What complaints proposed and nobody has taken up. | 投诉提请的处理建议。",
    access=PROPOSING,
    answers={200: ComplaintProposals},
)
async def proposals(request: web.Request, actor: Actor, query: AfterSanction) -> ComplaintProposals:
    rows = await sanction_lists.proposals(actor, after=query.after)
    shown = [
        ComplaintProposal(
            id=row.id,
            programme=row.programme_slug,
            complaint=row.complaint.number,
            organisation_id=row.against_id,
            name=row.against.name,
            party=row.party,
            ground=row.ground,
            clause=row.clause,
            reason=row.reason,
            proposed_at=row.proposed_at,
        )
        for row in rows[:PAGE]
    ]
    return ComplaintProposals(proposals=shown, next_after=next_page(rows, PAGE))


@routes.post(
    "/api/v1/sanction-proposals/{proposal_id}/case",
    summary="Make a case of what a complaint proposed. | 对投诉提请的处理建议立案。",
    access=PROPOSING,
    answers={201: SanctionView},
    refusals=(*PROPOSED, ProposalDecided),
)
async def take_up(
    request: web.Request, actor: Actor, path: SanctionProposalPath, body: SanctionAbout
) -> SanctionView:
    about = Proposal(programme_slug="", organisation_id=0, party=Party.PROVIDER, **body.model_dump())
    case = await request.app[SANCTIONS].cases.from_complaint(path.proposal_id, about, actor=actor)
    return await shown(request, case)


@routes.post(
    "/api/v1/sanction-proposals/{proposal_id}/dismissal",
    summary="Say why no case is made of it. | 对投诉提请的处理建议不予立案。",
    access=PROPOSING,
    answers={200: ProposalDismissed},
    refusals=(ProposalDecided, OwnReview, ReasonMissing),
)
async def leave(
    request: web.Request, actor: Actor, path: SanctionProposalPath, body: DismissProposal
) -> ProposalDismissed:
    row = await request.app[SANCTIONS].cases.dismiss_proposal(path.proposal_id, body.reason, actor=actor)
    return ProposalDismissed(id=row.id, reason=row.dismiss_reason)
