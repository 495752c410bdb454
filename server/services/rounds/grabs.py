"""Grabbing: vouchers that go to whoever arrives first.

One grab, from the request to an answer that is final: the latch, the gate, the commit. With Redis away
the same commit is reached directly (launch.md section 4, "Without Redis").
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from server.errors import Refusal
from server.gateways.grab_gate import GateAnswer, GateCode
from server.gateways.grab_store import GrabStore, OutcomeUnknown, VoucherFacts, milliseconds
from server.gateways.redis_lane import LaneBroken
from server.rules.grabbing import Claim, GrabOutcome
from server.rules.lifecycles import RoundStatus
from server.services.rounds.grab_commit import BudgetTerms, Decided, GrabCommitter
from server.services.rounds.latch import Latch
from server.services.rounds.launch import MILLISECOND, Footing, LaunchDesk, reserved_at

PATIENCE_SECONDS = 2.0
"""A phone is answered within this; what is still undecided then is a 202 and a place to ask."""
ASK_AGAIN_SECONDS = 0.03
"""While the last vouchers are being decided, "sold out" is not yet true: the gate is asked again."""
ASKED_AGAIN_PER_SECOND = 5000
"""The more wait to ask again, the longer: together they must not crowd out the commit they wait for."""
QUEUE_LIMIT = 3000
"""Grabs that may wait for the database without Redis in front; beyond that the phone is sent away."""


class RoundSoldOut(Refusal):
    """All the money of the round is given out."""

    status, code = 409, "round_sold_out"


class RoundNotOpen(Refusal):
    """The round opens later; ``retry_after`` says in how many seconds."""

    status, code = 409, "round_not_open"


class RoundPaused(Refusal):
    """The operator has halted the round for a while."""

    status, code = 409, "round_paused"


class RoundClosed(Refusal):
    """The round is over."""

    status, code = 409, "round_closed"


class NotEntitled(Refusal):
    """The enterprise cannot be granted a voucher of this round; ``unmet`` says why."""

    status, code = 409, "not_entitled"


class QuotaUsed(Refusal):
    """The enterprise has had its quota of the year."""

    status, code = 409, "quota_used"


class GrabKeyReused(Refusal):
    """The key was used for another round; a new attempt needs a new key."""

    status, code = 409, "grab_key_reused"


class TryAgain(Refusal):
    """Too much at once, or a part is away; nothing was decided."""

    status, code = 503, "try_again"


class GrabCode(StrEnum):
    """What the phone is told."""

    GRANTED = "granted"
    ALREADY = "already"
    PENDING = "pending"
    SOLD_OUT = "sold_out"
    NOT_OPEN = "not_open"
    PAUSED = "paused"
    CLOSED = "closed"
    NOT_ELIGIBLE = "not_eligible"
    QUOTA_USED = "quota_used"
    KEY_REUSED = "key_reused"
    TRY_AGAIN = "try_again"


_OF_OUTCOME: Mapping[GrabOutcome, GrabCode] = {
    GrabOutcome.GRANTED: GrabCode.GRANTED,
    GrabOutcome.ALREADY: GrabCode.ALREADY,
    GrabOutcome.SOLD_OUT: GrabCode.SOLD_OUT,
    GrabOutcome.PAUSED: GrabCode.PAUSED,
    GrabOutcome.CLOSED: GrabCode.CLOSED,
    GrabOutcome.NOT_ELIGIBLE: GrabCode.NOT_ELIGIBLE,
    GrabOutcome.QUOTA_USED: GrabCode.QUOTA_USED,
    GrabOutcome.KEY_REUSED: GrabCode.KEY_REUSED,
}
_OF_GATE: Mapping[GateCode, GrabCode] = {
    GateCode.PAUSED: GrabCode.PAUSED,
    GateCode.CLOSED: GrabCode.CLOSED,
    GateCode.LATE: GrabCode.CLOSED,
    GateCode.NOT_ENTITLED: GrabCode.NOT_ELIGIBLE,
    GateCode.QUOTA_USED: GrabCode.QUOTA_USED,
}


@dataclass(frozen=True, slots=True)
class RoundCard:
    """What a process keeps of a round to serve grabs of it; the offset is its programme's clock."""

    round_id: int
    terms: BudgetTerms
    offset: timedelta
    status: RoundStatus
    opens_at: datetime
    closes_at: datetime

    @property
    def offset_ms(self) -> int:
        return self.offset // MILLISECOND


class GrabAsk(NamedTuple):
    """One request. ``attempt`` counts the sendings of the same key, from 1."""

    enterprise_id: int
    person_id: int
    grab_key: str
    attempt: int


class GrabReply(NamedTuple):
    """The answer to one request; ``told_ms`` is the programme's clock, Unix milliseconds."""

    code: GrabCode
    told_ms: int
    voucher: VoucherFacts | None = None
    place: str = ""
    position: int = 0
    retry_after_seconds: int | None = None


class Grabs:
    """Serves the grabs of one process."""

    def __init__(self, desk: LaunchDesk, committer: GrabCommitter, store: GrabStore) -> None:
        self.desk = desk
        self.committer = committer
        self.store = store
        self.latch = Latch()
        self.wall_clock: Callable[[], float] = time.time
        self._arming: set[asyncio.Task[None]] = set()
        self._asking_again = 0

    def latched(self, card: RoundCard, enterprise_id: int, attempt: int) -> bool:
        """Whether this request can be refused as sold out without asking anybody."""
        now = asyncio.get_running_loop().time()
        return self.latch.refuses(card.round_id, enterprise_id, attempt=attempt, now=now)

    def told_ms(self, card: RoundCard) -> int:
        """The present instant of the programme's clock, Unix milliseconds."""
        return int(self.wall_clock() * 1000) + card.offset_ms

    async def grab(self, card: RoundCard, ask: GrabAsk) -> GrabReply:
        """Answer one request, finally, or with ``PENDING`` when two seconds did not suffice."""
        if self.latched(card, ask.enterprise_id, ask.attempt):
            return GrabReply(GrabCode.SOLD_OUT, self.told_ms(card))
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_SECONDS
        reply: GrabReply | None = None
        while reply is None and loop.time() < deadline:
            reply = await self._once(card, ask, deadline)
        return reply or self._pending(card)

    async def _once(self, card: RoundCard, ask: GrabAsk, deadline: float) -> GrabReply | None:
        """One pass of the protocol; ``None`` asks for another."""
        terms = card.terms
        footing = self.desk.footing(terms.budget_id)
        if footing is None:
            try:
                footing = await self.desk.make_sure(terms)
            except OutcomeUnknown:
                return GrabReply(GrabCode.TRY_AGAIN, self.told_ms(card), retry_after_seconds=1)
            if footing is None:
                return await self._without_redis(card, ask, deadline)
        try:
            answer = await self.desk.gate.grab(
                terms.budget_id,
                card.round_id,
                epoch=footing.epoch,
                run_id=footing.run_id,
                offset_ms=card.offset_ms,
                enterprise_id=ask.enterprise_id,
                person_id=ask.person_id,
                grab_key=ask.grab_key,
            )
        except LaneBroken:
            self.desk.distrust(terms.budget_id, footing)
            await self._wait_to_ask_again()
            return None
        if answer.code is GateCode.STALE:
            self.desk.distrust(terms.budget_id, footing)
            return None
        if answer.code is GateCode.ADMITTED:
            return await self._commit(card, ask, footing, answer, deadline)
        reply = await self._told(card, ask, footing.epoch, answer)
        if reply is None or reply.voucher is not None:
            return reply
        return await self._unless_decided(card, ask, reply)

    async def _told(self, card: RoundCard, ask: GrabAsk, epoch: int, answer: GateAnswer) -> GrabReply | None:
        """What the gate said without admitting."""
        match answer.code:
            case GateCode.OWN:
                granted = answer.grab_key == ask.grab_key
                code = GrabCode.GRANTED if granted else GrabCode.ALREADY
                return await self._with_voucher(code, answer.now_ms, answer.voucher_id)
            case GateCode.SAME | GateCode.BUSY:
                # Being decided, by this process or another: wait for it rather than send the phone away.
                await self._wait_to_ask_again()
                return None
            case GateCode.EARLY:
                seconds = max(1, -(-(answer.opens_ms - answer.now_ms) // 1000))
                return GrabReply(GrabCode.NOT_OPEN, answer.now_ms, retry_after_seconds=seconds)
            case GateCode.SOLD_OUT:
                if answer.undecided:
                    # Money set aside for a grab that is then refused comes back to the line.
                    await self._wait_to_ask_again()
                    return None
                self._arm(card, epoch, answer)
                return GrabReply(GrabCode.SOLD_OUT, answer.now_ms)
            case _:
                return GrabReply(_OF_GATE[answer.code], answer.now_ms)

    async def _wait_to_ask_again(self) -> None:
        self._asking_again += 1
        try:
            await asyncio.sleep(max(ASK_AGAIN_SECONDS, self._asking_again / ASKED_AGAIN_PER_SECOND))
        finally:
            self._asking_again -= 1

    async def _unless_decided(self, card: RoundCard, ask: GrabAsk, refusal: GrabReply) -> GrabReply | None:
        """A refusal; of a retry only if its first sending was not decided past this Redis: the rows know."""
        if ask.attempt == 1:
            return refusal
        try:
            return await self.recorded(card, ask.enterprise_id, ask.grab_key) or refusal
        except OutcomeUnknown:
            await self._wait_to_ask_again()
            return None

    async def _commit(
        self, card: RoundCard, ask: GrabAsk, footing: Footing, answer: GateAnswer, deadline: float
    ) -> GrabReply | None:
        claim = Claim(
            card.round_id,
            ask.enterprise_id,
            ask.person_id,
            ask.grab_key,
            answer.amount_fen,
            answer.place,
            reserved_at(answer.place, card.offset),
        )
        patience = deadline - asyncio.get_running_loop().time()
        decided = await self.committer.submit(card.terms, footing.epoch, claim, patience_seconds=patience)
        if decided is None:
            return self._pending(card)
        if decided.outcome is None:
            self.desk.distrust(card.terms.budget_id, footing)
            return None
        if decided.outcome is GrabOutcome.STALE:
            await self._wait_to_ask_again()
            return None
        return await self._reply(card, decided, answer.position)

    async def _without_redis(self, card: RoundCard, ask: GrabAsk, deadline: float) -> GrabReply | None:
        """The database-only path: the same commit, with the window judged by this process' clock."""
        now = card.terms.now()
        if card.status is RoundStatus.SCHEDULED and now < card.opens_at:
            seconds = max(1, -(-(milliseconds(card.opens_at) - milliseconds(now)) // 1000))
            early = GrabReply(GrabCode.NOT_OPEN, milliseconds(now), retry_after_seconds=seconds)
            return await self._unless_decided(card, ask, early)
        if card.status is RoundStatus.PAUSED:
            # The commit would say no more than this.
            return await self._unless_decided(card, ask, GrabReply(GrabCode.PAUSED, milliseconds(now)))
        if self.committer.waiting(card.terms.budget_id) >= QUEUE_LIMIT:
            return GrabReply(GrabCode.TRY_AGAIN, milliseconds(now), retry_after_seconds=2)
        claim = Claim(card.round_id, ask.enterprise_id, ask.person_id, ask.grab_key, None, "", now)
        patience = deadline - asyncio.get_running_loop().time()
        decided = await self.committer.submit(card.terms, None, claim, patience_seconds=patience)
        if decided is None:
            return self._pending(card)
        return await self._reply(card, decided, 0)

    async def _reply(self, card: RoundCard, decided: Decided, position: int) -> GrabReply | None:
        assert decided.outcome is not None
        assert decided.decided_at is not None
        code = _OF_OUTCOME[decided.outcome]
        told_ms = milliseconds(decided.decided_at)
        if decided.voucher is not None:
            return GrabReply(code, told_ms, decided.voucher, decided.place, position)
        if decided.voucher_id is not None:
            return await self._with_voucher(code, told_ms, decided.voucher_id)
        return GrabReply(code, told_ms, place=decided.place, position=position)

    async def _with_voucher(self, code: GrabCode, told_ms: int, voucher_id: int) -> GrabReply | None:
        try:
            return GrabReply(code, told_ms, await self.store.voucher(voucher_id))
        except OutcomeUnknown:
            await self._wait_to_ask_again()
            return None

    async def recorded(self, card: RoundCard, enterprise_id: int, grab_key: str) -> GrabReply | None:
        """What became of a request, or ``None`` when nothing was ever decided under this key."""
        recorded = await self.store.recorded(enterprise_id, grab_key)
        if recorded is None or recorded.round_id != card.round_id:
            return None
        told_ms = milliseconds(recorded.decided_at)
        voucher = None
        if recorded.voucher_id is not None:
            voucher = await self.store.voucher(recorded.voucher_id)
        return GrabReply(_OF_OUTCOME[recorded.outcome], told_ms, voucher, recorded.place)

    def _pending(self, card: RoundCard) -> GrabReply:
        return GrabReply(GrabCode.PENDING, self.told_ms(card), retry_after_seconds=1)

    def _arm(self, card: RoundCard, epoch: int, answer: GateAnswer) -> None:
        now = asyncio.get_running_loop().time()
        if self.latch.saw(card.round_id, epoch, answer, now=now):
            task = asyncio.get_running_loop().create_task(self._fetch_winners(card))
            self._arming.add(task)
            task.add_done_callback(self._arming.discard)

    async def _fetch_winners(self, card: RoundCard) -> None:
        try:
            winners = await self.desk.gate.winners(card.terms.budget_id, card.round_id)
        except LaneBroken:
            return
        if winners is not None:
            self.latch.arm(card.round_id, winners, now=asyncio.get_running_loop().time())
