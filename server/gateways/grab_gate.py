"""The gate in front of a round: Redis keeps the crowd in order, it never says what is true.

What arrives while a call of ``lua/grab.lua`` is under way goes into the next one together, each grab with
its own key and its own answer: the busier it gets, the more of them share a call. All keys of a budget
share one hash tag, so that its rounds see one quota and one epoch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import hiredis

from server.gateways.redis_lane import Lane, LaneBroken, Link, Script
from server.rules.grabbing import GrabOutcome

GRABS_PER_CALL = 100
"""Keeps one call under a millisecond of Redis' time."""

_GRAB, _FINISH, _INSTALL, _CHANGE, _SURVEY, _WINNERS = (
    Script.named(name) for name in ("grab", "finish", "install", "change", "survey", "winners")
)


class GateCode(StrEnum):
    """What the gate says of one grab."""

    OWN = "O"
    SAME = "S"
    BUSY = "B"
    CLOSED = "C"
    PAUSED = "P"
    EARLY = "E"
    LATE = "L"
    NOT_ENTITLED = "N"
    QUOTA_USED = "Q"
    SOLD_OUT = "X"
    ADMITTED = "W"
    STALE = "stale"
    """The gate is not at the caller's epoch: make sure of it, and ask again."""


_CODES = {code.value: code for code in GateCode}


@dataclass(slots=True)
class GateAnswer:
    """One answer. Instants are milliseconds of the programme's clock, money is fen."""

    code: GateCode
    now_ms: int = 0
    place: str = ""
    amount_fen: int = 0
    position: int = 0
    voucher_id: int = 0
    grab_key: str = ""
    opens_ms: int = 0
    remaining_fen: int = 0
    smallest_fen: int = 0
    undecided: int = 0
    holders: int = 0


class Finish(NamedTuple):
    """What to tell the gate of one decided intent."""

    place: str
    enterprise_id: int
    amount_fen: int
    grab_key: str
    outcome: GrabOutcome
    voucher_id: int | None


@dataclass(frozen=True, slots=True)
class Intent:
    """An admitted grab as the gate wrote it down; ``reserved_ms`` is Redis' own clock."""

    place: str
    enterprise_id: int
    person_id: int
    amount_fen: int
    grab_key: str
    reserved_ms: int


@dataclass(frozen=True, slots=True)
class RoundSnapshot:
    """One round as the database has it."""

    round_id: int
    status: str
    opens_ms: int
    closes_ms: int
    remaining_fen: int
    entitled: Sequence[tuple[int, int]]
    """(enterprise, amount in fen)"""
    winners: Sequence[tuple[int, int, str]]
    """(enterprise, voucher, the grab key that won it)"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A budget with its rounds, read in the transaction that raised the epoch to this one."""

    budget_id: int
    epoch: int
    version: int
    quota_left: Sequence[tuple[int, int]]
    """(enterprise, fen it may still be granted this year)"""
    rounds: Sequence[RoundSnapshot]


@dataclass(frozen=True, slots=True)
class Survey:
    """One round as the gate has it; ``None`` where nothing is there."""

    epoch: int | None
    version: int | None
    run_id: str
    round_epoch: int | None
    remaining_fen: int
    undecided: int
    holders: int
    left_over: Sequence[Intent]


@dataclass(frozen=True, slots=True)
class Winners:
    """Who holds a voucher of a round, who is entitled to one, and what was left at that very instant."""

    epoch: int
    remaining_fen: int
    smallest_fen: int
    undecided: int
    enterprises: frozenset[int]
    entitled: frozenset[int]


@dataclass(frozen=True, slots=True)
class Change:
    """An administrative change that the database has made as ``version``; see ``lua/change.lua``."""

    round_id: int
    version: int
    words: tuple[str | int, ...]


_Where = tuple[int, int, int, str, int]
"""(budget, round, epoch, run id, clock offset in ms)"""


class _Batch:
    """The grabs that leave together, of one round at one epoch."""

    __slots__ = ("arguments", "futures")

    def __init__(self) -> None:
        self.arguments: list[str | int] = []
        self.futures: list[asyncio.Future[GateAnswer]] = []


class GrabGate:
    """Speaks the six scripts. ``offset_ms`` is the programme's clock minus Redis' (0 in production)."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self._batches: dict[_Where, _Batch] = {}
        self._under_way: set[_Where] = set()
        self._sending: set[asyncio.Task[None]] = set()

    def grab(
        self,
        budget_id: int,
        round_id: int,
        *,
        epoch: int,
        run_id: str,
        offset_ms: int,
        enterprise_id: int,
        person_id: int,
        grab_key: str,
    ) -> asyncio.Future[GateAnswer]:
        """Ask for one grab; it leaves with the others of this moment. May fail with ``LaneBroken``.

        ``run_id`` is the Redis process that holds the state of ``epoch``: another one, however like it,
        may have lost its last second (launch.md C12), so its answers are ``STALE``.
        """
        loop = asyncio.get_running_loop()
        where = (budget_id, round_id, epoch, run_id, offset_ms)
        batch = self._batches.get(where)
        if batch is None:
            batch = self._batches[where] = _Batch()
            if where not in self._under_way:
                loop.call_soon(self._dispatch, where)
        future: asyncio.Future[GateAnswer] = loop.create_future()
        batch.arguments += (enterprise_id, person_id, grab_key)
        batch.futures.append(future)
        if len(batch.futures) >= GRABS_PER_CALL:
            self._dispatch(where)
        return future

    def _dispatch(self, where: _Where) -> None:
        batch = self._batches.pop(where, None)
        if batch is not None:
            self._under_way.add(where)
            task = asyncio.get_running_loop().create_task(self._send(where, batch))
            self._sending.add(task)
            task.add_done_callback(lambda sent: self._sent(where, sent))

    def _sent(self, where: _Where, sent: asyncio.Task[None]) -> None:
        self._sending.discard(sent)
        self._under_way.discard(where)
        self._dispatch(where)

    async def _send(self, where: _Where, batch: _Batch) -> None:
        budget_id, round_id, epoch, run_id, offset_ms = where
        reply: Any = ["STALE"]
        try:
            link = await self.lane.link()
            if link.run_id == run_id:
                keys = _round_keys(budget_id, round_id, quota=True)
                reply = await link.run(_GRAB, keys, [epoch, offset_ms, *batch.arguments])
        except (LaneBroken, hiredis.ReplyError) as error:
            for future in batch.futures:
                if not future.done():
                    future.set_exception(LaneBroken(str(error)))
            return
        if reply[0] != "OK":
            for future in batch.futures:
                if not future.done():
                    future.set_result(GateAnswer(GateCode.STALE))
            return
        now_ms, remaining_fen, smallest_fen = int(reply[1]), int(reply[2]), int(reply[3])
        for future, word in zip(batch.futures, reply[6:], strict=True):
            if not future.done():
                answer = _answer(word, now_ms)
                answer.remaining_fen, answer.smallest_fen = remaining_fen, smallest_fen
                answer.undecided, answer.holders = reply[4], reply[5]
                future.set_result(answer)

    async def finish(self, budget_id: int, round_id: int, epoch: int, decided: Iterable[Finish]) -> int:
        """Close intents; returns how many were still open. Losing this call is harmless."""
        arguments: list[str | int] = [epoch]
        for one in decided:
            verdict = {GrabOutcome.GRANTED: "G", GrabOutcome.ALREADY: "A"}.get(one.outcome, "R")
            arguments += (one.place, one.enterprise_id, one.amount_fen, one.grab_key, verdict)
            arguments.append(one.voucher_id or 0)
        link = await self.lane.link()
        return int(await link.run(_FINISH, _round_keys(budget_id, round_id, quota=True), arguments))

    async def install(self, link: Link, snapshot: Snapshot) -> int:
        """Put a snapshot in place if it is newer; returns the epoch that stands there afterwards.

        The link must have been opened before the snapshot was taken: then an older snapshot can never
        reach a Redis that lost its memory in between (launch.md C14).
        """
        keys = [_budget_key(snapshot.budget_id), _quota_key(snapshot.budget_id)]
        arguments: list[str | int] = [snapshot.epoch, snapshot.version, link.run_id]
        arguments.append(len(snapshot.quota_left))
        arguments += (word for pair in snapshot.quota_left for word in pair)
        for each in snapshot.rounds:
            keys += _round_keys(snapshot.budget_id, each.round_id, quota=False)
            smallest = min((amount for _, amount in each.entitled), default=0)
            arguments += (each.status, each.opens_ms, each.closes_ms, each.remaining_fen, smallest)
            arguments.append(len(each.entitled))
            arguments += (word for pair in each.entitled for word in pair)
            arguments.append(len(each.winners))
            arguments += (word for winner in each.winners for word in winner)
        return int(await link.run(_INSTALL, keys, arguments))

    async def change(self, budget_id: int, epoch: int, change: Change) -> bool:
        """Apply an administrative change; false when the gate is not at the version before it."""
        keys = [_budget_key(budget_id), _quota_key(budget_id)]
        round_key, _, entitled, _ = _round_keys(budget_id, change.round_id, quota=False)
        link = await self.lane.link()
        reply = await link.run(_CHANGE, [*keys, round_key, entitled], [epoch, change.version, *change.words])
        return bool(reply)

    async def survey(self, link: Link, budget_id: int, round_id: int, *, age_ms: int, limit: int) -> Survey:
        """Look at one round, with at most ``limit`` intents older than ``age_ms``."""
        round_key, holders, _, intents = _round_keys(budget_id, round_id, quota=False)
        keys = [_budget_key(budget_id), round_key, holders, intents]
        budget, state, undecided, held, left_over = await link.run(_SURVEY, keys, [age_ms, limit])
        return Survey(
            epoch=_number(budget[0]),
            version=_number(budget[1]),
            run_id=budget[2],
            round_epoch=_number(state[0]),
            remaining_fen=_number(state[2]) or 0,
            undecided=undecided,
            holders=held,
            left_over=[_intent(entry) for entry in left_over],
        )

    async def winners(self, budget_id: int, round_id: int) -> Winners | None:
        """Everybody who holds a voucher of the round or is about to; ``None`` where nothing stands."""
        link = await self.lane.link()
        reply = await link.run(_WINNERS, _round_keys(budget_id, round_id, quota=False), [])
        if reply[0] == "NOSTATE":
            return None
        epoch, remaining_fen, smallest_fen, undecided, count = (int(value) for value in reply[:5])
        holders, entitled = frozenset(map(int, reply[5 : 5 + count])), frozenset(map(int, reply[5 + count :]))
        return Winners(epoch, remaining_fen, smallest_fen, undecided, holders, entitled)


def _budget_key(budget_id: int) -> str:
    return f"{{budget:{budget_id}}}"


def _quota_key(budget_id: int) -> str:
    return f"{{budget:{budget_id}}}:quota"


def _round_keys(budget_id: int, round_id: int, *, quota: bool) -> list[str]:
    """The round's keys in the order the scripts name them."""
    stem = f"{{budget:{budget_id}}}:round:{round_id}"
    keys = [stem, f"{stem}:holders", f"{stem}:entitled"]
    if quota:
        keys.append(_quota_key(budget_id))
    keys.append(f"{stem}:intents")
    return keys


def _answer(word: str, now_ms: int) -> GateAnswer:
    code, *rest = word.split("|")
    answer = GateAnswer(_CODES[code], now_ms)
    match answer.code:
        case GateCode.ADMITTED:
            answer.place, answer.amount_fen, answer.position = rest[0], int(rest[1]), int(rest[2])
        case GateCode.OWN:
            answer.voucher_id, answer.grab_key = int(rest[0]), rest[1]
        case GateCode.SAME:
            answer.place = rest[0]
        case GateCode.EARLY:
            answer.opens_ms = int(rest[0])
        case _:
            pass
    return answer


def _number(value: str) -> int | None:
    return int(value) if value else None


def _intent(entry: Any) -> Intent:
    place, pairs = entry
    written = dict(zip(pairs[::2], pairs[1::2], strict=True))
    return Intent(
        place=place,
        enterprise_id=int(written["e"]),
        person_id=int(written["p"]),
        amount_fen=int(written["a"]),
        grab_key=written["k"],
        reserved_ms=int(place.partition("-")[0]),
    )
