"""Giving a voucher back, over HTTP."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from server.handlers.api import Answer, Routes
from server.handlers.organisations import IN_CHARGE
from server.handlers.parsing import Body
from server.handlers.wallet import VoucherPath
from server.keys import VOUCHERS
from server.rules.lifecycles import NotPermittedNow, VoucherStatus
from server.rules.voucher_ends import NotHandedBack
from server.services.access import Actor, NoOrganisation
from server.services.vouchers import NothingToHandBack, VoucherMovedOn

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
    refusals=(NoOrganisation, NotHandedBack, NothingToHandBack, NotPermittedNow, VoucherMovedOn),
)
async def hand_back(request: web.Request, actor: Actor, path: VoucherPath, body: HandBack) -> HandedBack:
    row = await request.app[VOUCHERS].hand_back(path.voucher_id, actor=actor, reason=body.reason)
    return HandedBack(id=row.id, status=row.status, given_back_fen=row.given_back_fen)
