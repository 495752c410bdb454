"""Giving a voucher back, and voiding one, over HTTP."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from server.handlers.api import Answer, Routes, staff
from server.handlers.organisations import IN_CHARGE
from server.handlers.parsing import Body
from server.handlers.wallet import VoucherPath
from server.keys import VOIDINGS, VOUCHERS
from server.rules.lifecycles import IllegalMove, NotPermittedNow, VoucherStatus
from server.rules.review import NotYourReview, ReasonMissing
from server.rules.voucher_ends import NotHandedBack
from server.services.access import Actor, NoOrganisation, StaffRole
from server.services.reviews.reviewers import OwnReview
from server.services.reviews.reviews import ReviewUnderWay
from server.services.sanctions.removals import DecidedBySanction
from server.services.sanctions.voidings import VoidingClauseUnknown
from server.services.vouchers.vouchers import HandBackTooLate, NothingToHandBack, VoucherMovedOn

routes = Routes("vouchers")


class HandBack(Body):
    """Why, if one likes to say."""

    reason: str = Field(default="", max_length=500, description="Why. | 退回原因，可不填。", examples=[""])


class HandedBack(Answer):
    """The voucher afterwards."""

    id: int = Field(description="The voucher. | 服务券编号。")
    status: VoucherStatus = Field(description="What it has become. | 状态。")
    given_back_fen: int = Field(
        description="What no longer counts against the quota, fen. | 不再占用额度的金额，单位分。"
    )


@routes.post(
    "/api/v1/vouchers/{voucher_id}/hand-back",
    summary="Give back what is free of my voucher. | 退回服务券的可用余额。",
    access=IN_CHARGE,
    answers={200: HandedBack},
    refusals=(
        NoOrganisation,
        NotHandedBack,
        NothingToHandBack,
        NotPermittedNow,
        HandBackTooLate,
        VoucherMovedOn,
    ),
)
async def hand_back(request: web.Request, actor: Actor, path: VoucherPath, body: HandBack) -> HandedBack:
    row = await request.app[VOUCHERS].hand_back(path.voucher_id, actor=actor, reason=body.reason)
    return HandedBack(id=row.id, status=row.status, given_back_fen=row.given_back_fen)


class Voiding(Body):
    """On which clause, and why."""

    clause: str = Field(
        min_length=1,
        max_length=200,
        description="The clause it rests on, as the programme writes it. | 依据条款，按项目文件原文。",
        examples=["第十五条（一）"],
    )
    reason: str = Field(
        min_length=1, max_length=500, description="What was found. | 事由。", examples=["虚构交易"]
    )


class Voided(Answer):
    """The voucher as it stands, and the case in which others have to agree."""

    id: int = Field(description="The voucher. | 服务券编号。")
    status: VoucherStatus = Field(description="What it has become. | 状态。")
    review_id: int | None = Field(
        description="The review that decides; null: it is void at once. | 待核定的审核件，空表示已作废。"
    )


@routes.post(
    "/api/v1/vouchers/{voucher_id}/voiding",
    summary="Void a voucher, or report it to who decides. | 作废服务券，或报请核定。",
    access=staff(StaffRole.OPERATOR, StaffRole.AUTHORITY),
    answers={200: Voided},
    refusals=(
        VoidingClauseUnknown,
        DecidedBySanction,
        ReasonMissing,
        IllegalMove,
        VoucherMovedOn,
        ReviewUnderWay,
        NotYourReview,
        OwnReview,
    ),
)
async def void(request: web.Request, actor: Actor, path: VoucherPath, body: Voiding) -> Voided:
    row, case = await request.app[VOIDINGS].void(
        path.voucher_id, clause=body.clause, reason=body.reason, actor=actor
    )
    return Voided(id=row.id, status=row.status, review_id=case.id)
