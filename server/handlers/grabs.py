"""Grabbing over HTTP: the one route that a whole city calls in the same second.

``POST …/grabs`` is a bare handler: a verified token from memory, a bucket, the latch, the gate, and an
answer whose head and body are joined beforehand. It is measured against a handler that does nothing
(``make bench``); everything else here is an ordinary route.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
from aiohttp import web
from pydantic import AwareDatetime, Field

from server import texts
from server.errors import Refusal, Unmet
from server.gateways.grab_store import VoucherFacts
from server.handlers.api import PERSON, PUBLIC, Answer, Routes
from server.handlers.bearer import bearer_token
from server.handlers.parsing import Body, Headers, Id, Path, headers_parser
from server.handlers.problems import Fault, Malformed
from server.handlers.wire import JSON_ACCEPTED, JSON_CREATED, JSON_OK, PreparedProblem, WireAnswer
from server.keys import GRAB_DOOR, REQUEST_ID
from server.metrics import Metrics
from server.services.access import Actor, NoOrganisation, NotAllowed, NotFound
from server.services.accounts.identities import Identities
from server.services.buckets import Buckets, TooManyRequests
from server.services.rounds.grabs import (
    GrabAsk,
    GrabCode,
    GrabKeyReused,
    GrabReply,
    Grabs,
    NotEntitled,
    QuotaUsed,
    RoundCard,
    RoundClosed,
    RoundNotOpen,
    RoundPaused,
    RoundSoldOut,
    TryAgain,
)
from server.services.rounds.receipts import Receipt, ReceiptInvalid, Receipts
from server.services.rounds.round_book import RoundBook
from server.services.rounds.rounds import Rounds

routes = Routes("grabs")

KEY = re.compile(r"[0-9a-f]{32}", re.ASCII)
ATTEMPT = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)
MOST_ATTEMPTS = 9999
PERSON_PER_SECOND, PERSON_BURST = 2.0, 5.0
ENTERPRISE_PER_SECOND, ENTERPRISE_BURST = 5.0, 20.0
WHY_KEPT_SECONDS = 5.0
WHY_CAPACITY = 20_000


class RoundPath(Path):
    """A round."""

    round_id: Id = Field(description="The round. | 批次编号。")


class GrabPath(RoundPath):
    """A grab of a round, by the key of its request."""

    grab_key: str = Field(
        pattern=r"^[0-9a-f]{32}$", description="The request's key. | 抢券请求的编号。", examples=["0f" * 16]
    )


class GrabHeaders(Headers):
    """What a phone sends with a grab."""

    idempotency_key: str = Field(
        alias="Idempotency-Key",
        pattern=r"^[0-9a-f]{32}$",
        description=(
            "128 random bits in hex, made and stored by the phone before sending; the same for every retry."
            " | 128 位随机数（十六进制），手机在发送前生成并保存，重试时保持不变。"
        ),
        examples=["9f86d081884c7d659a2feaa0c55ad015"],
    )
    grab_attempt: int = Field(
        default=1,
        ge=1,
        le=MOST_ATTEMPTS,
        alias="Grab-Attempt",
        description="Which sending of this key it is, from 1. | 第几次发送，从 1 开始。",
    )


class VoucherView(Answer):
    """A voucher, as the phone shows it at once."""

    id: int = Field(description="The voucher. | 服务券编号。", examples=[1024])
    number: str = Field(description="Its number, to read aloud. | 券号，可口述。", examples=["12-000345"])
    face_value_fen: int = Field(description="Face value, fen. | 面值，单位分。", examples=[1_000_000])
    valid_until: AwareDatetime = Field(description="Usable until then. | 有效期至。")
    order_deadline: AwareDatetime | None = Field(
        default=None, description="Order and contract by then. | 下单及上传合同截止。"
    )


class Granted(Answer):
    """The voucher is yours: a promise, already durable."""

    answer: Literal["granted", "already"] = Field(
        description=(
            "granted: by this request; already: the enterprise has it since before."
            " | granted：本次请求领到；already：企业此前已领到。"
        )
    )
    voucher: VoucherView = Field(description="The voucher. | 服务券。")
    told_at: AwareDatetime = Field(description="When this was decided. | 决定时间。")
    position: int = Field(
        description="Place among those admitted, 0 if unknown. | 排队位次，0 为未知。", examples=[17]
    )
    receipt: str = Field(description="A receipt that can be checked. | 可核验的回执。")


class Pending(Answer):
    """Not decided yet. Nothing is lost; ask again with the same key."""

    answer: Literal["pending"] = Field(default="pending", description="Always this word. | 固定值。")
    retry_after: int = Field(description="Ask again in so many seconds. | 多少秒后再查询。", examples=[1])
    ask_at: str = Field(description="Where to ask. | 查询地址。")
    told_at: AwareDatetime = Field(description="The present instant. | 当前时间。")
    receipt: str = Field(description="A receipt that can be checked. | 可核验的回执。")


class CheckReceipt(Body):
    """A receipt to check."""

    receipt: str = Field(min_length=10, max_length=300, description="The receipt. | 回执内容。")


class ReceiptFacts(Answer):
    """What a true receipt says."""

    round_id: int = Field(description="The round. | 批次编号。")
    grab_key: str = Field(description="The request's key. | 请求编号。")
    answer: str = Field(description="What was answered. | 当时的答复。", examples=["sold_out"])
    told_at: AwareDatetime = Field(description="When. | 答复时间。")
    place: str = Field(description="Id in the line, if any. | 排队编号。")
    position: int = Field(description="Place in the line, 0 if none. | 排队位次。")


parse_headers = headers_parser(GrabHeaders)
"""The full parser, for headers that a quick look found wanting: it names every fault."""

_REFUSALS: dict[GrabCode, Refusal] = {
    GrabCode.SOLD_OUT: RoundSoldOut(),
    GrabCode.PAUSED: RoundPaused(),
    GrabCode.CLOSED: RoundClosed(),
    GrabCode.QUOTA_USED: QuotaUsed(),
    GrabCode.KEY_REUSED: GrabKeyReused(),
}
_TIMED: dict[GrabCode, type[Refusal]] = {
    GrabCode.NOT_OPEN: RoundNotOpen,
    GrabCode.TRY_AGAIN: TryAgain,
}


class GrabDoor:
    """What the hot route needs, in one place, with everything said often said beforehand."""

    def __init__(
        self,
        *,
        identities: Identities,
        book: RoundBook,
        grabs: Grabs,
        rounds: Rounds,
        receipts: Receipts,
        metrics: Metrics,
    ) -> None:
        self.identities = identities
        self.book = book
        self.grabs = grabs
        self.rounds = rounds
        self.receipts = receipts
        self.persons = Buckets(per_second=PERSON_PER_SECOND, burst=PERSON_BURST)
        self.enterprises = Buckets(per_second=ENTERPRISE_PER_SECOND, burst=ENTERPRISE_BURST)
        self._prepared = {code: PreparedProblem(refusal) for code, refusal in _REFUSALS.items()}
        self._counted = {code: metrics.grab_answers.labels(code.value) for code in GrabCode}
        self._why: OrderedDict[tuple[int, int], tuple[float, tuple[Unmet, ...]]] = OrderedDict()

    async def actor(self, request: web.Request) -> Actor:
        """Who grabs: from memory wherever possible."""
        token = bearer_token(request)
        actor = self.identities.cached(token) or await self.identities.identify(token)
        if actor.kind != "person":
            raise NotAllowed()
        return actor

    def admit(self, actor: Actor, enterprise_id: int) -> None:
        """Keep one phone, and one enterprise's phones together, from crowding out the others."""
        now = asyncio.get_running_loop().time()
        wait = max(self.persons.take(actor.id, now), self.enterprises.take(enterprise_id, now))
        if wait:
            raise TooManyRequests(retry_after=max(1, round(wait)))

    async def answer(
        self, card: RoundCard, ask: GrabAsk, reply: GrabReply, request_id: str, *, created: int = 201
    ) -> web.StreamResponse:
        """Put a reply into words; ``created`` is the status of a grant."""
        self._counted[reply.code].inc()
        receipt = self.receipts.write(
            Receipt(
                card.round_id,
                ask.enterprise_id,
                ask.grab_key,
                reply.code.value,
                reply.told_ms,
                reply.place,
                reply.position,
            )
        )
        told_at = datetime.fromtimestamp(reply.told_ms / 1000, UTC)
        if reply.voucher is not None and reply.code in (GrabCode.GRANTED, GrabCode.ALREADY):
            body = {
                "answer": reply.code.value,
                "voucher": _voucher(reply.voucher),
                "told_at": told_at,
                "position": reply.position,
                "receipt": receipt,
            }
            status = created if reply.code is GrabCode.GRANTED else 200
            head = JSON_CREATED if status == 201 else JSON_OK
            return WireAnswer(head, orjson.dumps(body), status=status, request_id=request_id)
        if reply.code is GrabCode.PENDING:
            seconds = reply.retry_after_seconds or 1
            body = {
                "answer": "pending",
                "retry_after": seconds,
                "ask_at": f"/api/v1/rounds/{card.round_id}/grabs/{ask.grab_key}",
                "told_at": told_at,
                "receipt": receipt,
            }
            return WireAnswer(
                JSON_ACCEPTED, orjson.dumps(body), status=202, request_id=request_id, retry_after=seconds
            )
        problem = self._prepared.get(reply.code) or await self._problem(card, ask, reply)
        return problem.answer(request_id, receipt=receipt, told_at=told_at)

    async def _problem(self, card: RoundCard, ask: GrabAsk, reply: GrabReply) -> PreparedProblem:
        """A refusal with something of the caller's own in its sentence."""
        timed = _TIMED.get(reply.code)
        if timed is not None:
            return PreparedProblem(timed(retry_after=reply.retry_after_seconds))
        unmet = await self._reasons(card, ask.enterprise_id)
        return PreparedProblem(NotEntitled(unmet=unmet, clause=unmet[0].clause if unmet else ""))

    async def _reasons(self, card: RoundCard, enterprise_id: int) -> Sequence[Unmet]:
        """Why an enterprise is not entitled; remembered a moment, for phones that ask again and again."""
        now = asyncio.get_running_loop().time()
        known = self._why.get((card.round_id, enterprise_id))
        if known is not None and known[0] > now:
            return known[1]
        ready = await self.rounds.readiness(card.round_id, enterprise_id)
        if len(self._why) >= WHY_CAPACITY:
            self._why.popitem(last=False)
        self._why[card.round_id, enterprise_id] = (now + WHY_KEPT_SECONDS, ready.missing)
        return ready.missing


@routes.bare(
    "POST",
    "/api/v1/rounds/{round_id}/grabs",
    summary=(
        "Grab a voucher. Send the same key again whenever the answer was lost: it never grants twice."
        " | 抢券。答复丢失时用同一编号重试，绝不会重复领取。"
    ),
    access=PERSON,
    answers={201: Granted, 200: Granted, 202: Pending},
    refusals=(
        RoundSoldOut,
        RoundNotOpen,
        RoundPaused,
        RoundClosed,
        NotEntitled,
        QuotaUsed,
        GrabKeyReused,
        NoOrganisation,
        TooManyRequests,
        TryAgain,
    ),
    path_model=RoundPath,
    headers_model=GrabHeaders,
)
async def grab(request: web.Request) -> web.StreamResponse:
    door = request.app[GRAB_DOOR]
    actor = await door.actor(request)
    if actor.organisation_id is None:
        raise NoOrganisation()
    headers = request.headers
    grab_key = headers.get("Idempotency-Key", "")
    attempt = headers.get("Grab-Attempt", "1")
    if not (KEY.fullmatch(grab_key) and ATTEMPT.fullmatch(attempt)):
        parse_headers(request)
    if request.can_read_body:
        problem = texts.FAULTS["extra_forbidden"]
        raise Malformed([Fault(field="body", code="extra_forbidden", problem=problem)])
    door.admit(actor, actor.organisation_id)
    round_id = request.match_info["round_id"]
    if not round_id.isdecimal() or len(round_id) > 18:
        raise NotFound()
    card = door.book.at_hand(int(round_id)) or await door.book.card(int(round_id))
    ask = GrabAsk(actor.organisation_id, actor.id, grab_key, int(attempt))
    reply = await door.grabs.grab(card, ask)
    return await door.answer(card, ask, reply, request[REQUEST_ID])


@routes.get(
    "/api/v1/rounds/{round_id}/grabs/{grab_key}",
    summary="What became of a grab. | 查询抢券结果。",
    access=PERSON,
    answers={200: Granted, 202: Pending},
    refusals=(
        RoundSoldOut,
        RoundClosed,
        NotEntitled,
        QuotaUsed,
        NoOrganisation,
    ),
)
async def recorded(request: web.Request, actor: Actor, path: GrabPath) -> web.StreamResponse:
    door = request.app[GRAB_DOOR]
    if actor.organisation_id is None:
        raise NoOrganisation()
    card = await door.book.card(path.round_id)
    reply = await door.grabs.recorded(card, actor.organisation_id, path.grab_key)
    if reply is None:
        # Undecided, or never received: the same key sent again is right in both cases.
        reply = GrabReply(GrabCode.PENDING, door.grabs.told_ms(card), retry_after_seconds=1)
    ask = GrabAsk(actor.organisation_id, actor.id, path.grab_key, 1)
    return await door.answer(card, ask, reply, request[REQUEST_ID], created=200)


@routes.post(
    "/api/v1/receipts/checks",
    summary="Check a receipt. | 核验抢券回执。",
    access=PUBLIC,
    answers={200: ReceiptFacts},
    refusals=(ReceiptInvalid,),
)
async def check_receipt(request: web.Request, body: CheckReceipt) -> ReceiptFacts:
    receipt = request.app[GRAB_DOOR].receipts.check(body.receipt)
    return ReceiptFacts(
        round_id=receipt.round_id,
        grab_key=receipt.grab_key,
        answer=receipt.answer,
        told_at=receipt.told_at,
        place=receipt.place,
        position=receipt.position,
    )


def _voucher(voucher: VoucherFacts) -> dict[str, Any]:
    return {
        "id": voucher.id,
        "number": voucher.number,
        "face_value_fen": voucher.face_value_fen,
        "valid_until": voucher.valid_until,
        "order_deadline": voucher.order_deadline,
    }
