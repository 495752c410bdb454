"""The wallet over HTTP: my enterprise's vouchers."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import PERSON, Answer, Routes
from server.handlers.paging import NextPage, next_page
from server.handlers.parsing import Id, Path, Query
from server.rules.lifecycles import VoucherStatus
from server.services.access import Actor, NoOrganisation
from server.services.vouchers import wallet
from server.services.vouchers.wallet import ON_A_VOUCHER, HeldVoucher

routes = Routes("vouchers")

PAGE = 20


class WalletQuery(Query):
    """Where a page starts."""

    before: int | None = Field(default=None, ge=1, description="Older than this id. | 从该编号之前开始。")


class BalancesView(Answer):
    """Where the face value is now; these always sum to it. In fen."""

    available_fen: int = Field(description="Free to spend. | 可用，单位分。")
    held_fen: int = Field(description="Held on orders. | 已冻结，单位分。")
    redeemed_fen: int = Field(description="Spent, not yet paid out. | 已核销待拨付，单位分。")
    disbursed_fen: int = Field(description="Spent and paid out. | 已拨付，单位分。")
    expired_fen: int = Field(description="Lapsed by date. | 已过期，单位分。")
    reclaimed_fen: int = Field(description="Taken back for a missed deadline. | 已收回，单位分。")
    handed_back_fen: int = Field(description="Handed back. | 已退回，单位分。")
    voided_fen: int = Field(description="Void as a sanction. | 已作废，单位分。")


class WalletVoucher(Answer):
    """A voucher in the wallet."""

    id: int = Field(description="The voucher. | 服务券编号。")
    number: str = Field(description="Its number, to read aloud. | 券号，可口述。")
    programme: str = Field(description="The programme's slug. | 项目代码。")
    programme_version: str = Field(description="The version it was granted under. | 适用版本。")
    round_id: int | None = Field(
        description="The round; null where there are none. | 批次编号，无批次则为空。"
    )
    round_title: str = Field(description="The round's title, or empty. | 批次名称，无批次则为空。")
    kind: str = Field(description="Its kind, where there are several. | 券种，只有一种则为空。")
    status: VoucherStatus = Field(description="Only an active one pays. | 状态，仅 active 可用。")
    face_value_fen: int = Field(description="Face value, fen. | 面值，单位分。")
    balances: BalancesView = Field(description="Where the face value is now. | 余额明细。")
    granted_at: AwareDatetime = Field(description="When it was granted. | 领取时间。")
    valid_until: AwareDatetime = Field(description="Usable until then. | 有效期至。")
    order_deadline: AwareDatetime | None = Field(description="Order and contract by then. | 下单截止时间。")


class Wallet(Answer):
    """A page of vouchers, newest first."""

    vouchers: list[WalletVoucher] = Field(description="The vouchers. | 服务券列表。")
    next_before: NextPage


class HappeningView(Answer):
    """One line of a voucher's history."""

    at: AwareDatetime = Field(description="When. | 时间。")
    says: str = Field(description="What happened. | 经过。", examples=["下单冻结 5,600.00 元"])
    amount_fen: int = Field(description="What moved, fen; 0: nothing. | 变动金额，单位分。")


class VoucherHistory(WalletVoucher):
    """A voucher with its history, oldest first."""

    history: list[HappeningView] = Field(description="What happened to it. | 历史记录。")


class VoucherPath(Path):
    """A voucher."""

    voucher_id: Id = Field(description="The voucher. | 服务券编号。")


@routes.get(
    "/api/v1/vouchers",
    summary="My enterprise's vouchers. | 我的服务券。",
    access=PERSON,
    answers={200: Wallet},
    refusals=(NoOrganisation,),
)
async def vouchers(request: web.Request, actor: Actor, query: WalletQuery) -> Wallet:
    held = await wallet.vouchers(before=query.before, limit=PAGE + 1, actor=actor)
    return Wallet(
        vouchers=[WalletVoucher(**_shown(one)) for one in held[:PAGE]],
        next_before=next_page(held, PAGE, attrgetter("voucher.id")),
    )


@routes.get(
    "/api/v1/vouchers/{voucher_id}",
    summary="One voucher, with its history. | 服务券详情与历史。",
    access=PERSON,
    answers={200: VoucherHistory},
    refusals=(NoOrganisation,),
)
async def voucher(request: web.Request, actor: Actor, path: VoucherPath) -> VoucherHistory:
    held = await wallet.voucher(path.voucher_id, actor=actor)
    happenings = await wallet.history(held)
    return VoucherHistory(
        **_shown(held),
        history=[HappeningView(at=one.at, says=one.says, amount_fen=one.amount_fen) for one in happenings],
    )


def _shown(held: HeldVoucher) -> dict[str, Any]:
    row = held.voucher
    return {
        "id": row.id,
        "number": row.number,
        "programme": row.programme_slug,
        "programme_version": row.programme_version,
        "round_id": row.round_id,
        "round_title": row.round.title if row.round else "",
        "kind": row.kind,
        "status": row.status,
        "face_value_fen": row.face_value_fen,
        "balances": BalancesView(**{name: held.balances[place] for name, place in ON_A_VOUCHER.items()}),
        "granted_at": row.granted_at,
        "valid_until": row.valid_until,
        "order_deadline": row.order_deadline,
    }
