"""What must hold (launch.md section 5), judged from the rows, the keyspace and the answers alone.

Nothing here calls the code under test: a fault that the product shares with its judge would hide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.simulation.memory_redis import MemoryRedis, Stream
from tests.simulation.memory_store import MemoryDatabase, Session, VoucherRow
from tests.simulation.universe import Universe

PROMISES = ("granted", "already")
REFUSALS = ("sold_out", "closed", "not_eligible", "quota_used", "key_reused")
"""Final for their key."""
UNSTORED = ("key_reused", "paused", "stale")
UNDECIDED = ("pending", "try_again")
"""Promise nothing. ``not_open`` and ``paused`` are not final either, but they do say no."""


@dataclass(eq=False)
class Invocation:
    """One sending of one request, from the phone to its answer. Instants are the universe's."""

    enterprise_id: int
    person_id: int
    round_id: int
    grab_key: str
    attempt: int
    sent_at: float
    process: str = ""
    reply: Any = None
    answered_at: float | None = None
    handled: bool = False
    claims: int = 0
    """How many of its claims the committer of its process has not decided."""
    over_at: float | None = None
    """From here on nothing of it can be written any more."""


@dataclass
class Watch:
    """Looks at everything that happens; the first breach ends the run."""

    universe: Universe
    database: MemoryDatabase
    offset: timedelta
    invocations: dict[tuple[int, str], list[Invocation]] = field(default_factory=dict)
    refused: list[Invocation] = field(default_factory=list)
    promised_at: dict[tuple[int, str], float] = field(default_factory=dict)
    """When the row of a granted request was committed."""

    def sent(self, one: Invocation) -> None:
        """A phone sends a request."""
        self.invocations.setdefault((one.enterprise_id, one.grab_key), []).append(one)

    # -- at every commit

    def committed(self, session: Session) -> None:
        """Just committed: I0, I1, I3, I4, I5 for each new voucher."""
        for voucher in session.granted:
            self._granted(voucher)
        for key in session.keys:
            decision = self.database.decisions.get(key)
            if decision is not None and decision.outcome in PROMISES:
                self.promised_at.setdefault(key, self.universe.now)
        for each in self.database.rounds.values():
            issued_fen = sum(
                voucher.face_value_fen
                for voucher in self.database.vouchers.values()
                if voucher.round_id == each.id
            )
            if each.issued_fen != issued_fen:
                self.universe.fail(f"I0 round {each.id}: issued {each.issued_fen}, vouchers {issued_fen}")
            if not 0 <= each.issued_fen <= each.pool_fen:
                self.universe.fail(f"I1 round {each.id}: issued {each.issued_fen} of {each.pool_fen}")

    def _granted(self, voucher: VoucherRow) -> None:
        each = self.database.rounds[voucher.round_id]
        who = f"enterprise {voucher.enterprise_id} in round {voucher.round_id}"
        if each.status != "scheduled":
            self.universe.fail(f"I4 {who}: granted while the round was {each.status}")
        if not each.opens_at <= self._reserved_at(voucher) < each.closes_at:
            self.universe.fail(f"I4 {who}: reserved outside of the window")
        entitlement = self.database.entitlements.get((voucher.round_id, voucher.enterprise_id))
        if entitlement is None:
            self.universe.fail(f"I5 {who}: not entitled at the commit")
            return
        if voucher.face_value_fen != entitlement.amount_fen:
            self.universe.fail(f"I5 {who}: {voucher.face_value_fen}, entitled to {entitlement.amount_fen}")
        taken_fen = sum(
            other.face_value_fen
            for other in self.database.vouchers.values()
            if other.enterprise_id == voucher.enterprise_id and other.id <= voucher.id
        )
        if taken_fen > entitlement.quota_fen:
            self.universe.fail(f"I3 {who}: {taken_fen} of a quota of {entitlement.quota_fen}")

    def _reserved_at(self, voucher: VoucherRow) -> datetime:
        """By the place in the line, which Redis' clock wrote; without Redis, as the process says."""
        if not voucher.place:
            return voucher.reserved_at
        seconds = int(voucher.place.partition("-")[0]) / 1000
        return datetime.fromtimestamp(seconds, voucher.reserved_at.tzinfo) + self.offset

    def decided(self, claims: Sequence[tuple[Any, Any]]) -> None:
        """A committer has announced a group: I10, every decision stands in a row."""
        for claim, result in claims:
            if result.outcome is None or result.outcome in UNSTORED:
                continue
            row = self.database.decisions.get((claim.enterprise_id, claim.grab_key))
            if row is None or row.outcome != result.outcome:
                self.universe.fail(f"I10 {claim.grab_key}: decided {result.outcome}, recorded {row}")

    # -- at every step of Redis

    def balance(self, redis: MemoryRedis) -> None:
        """I9: within one epoch and version, remaining + set aside and not granted + issued = pool."""
        if not redis.alive:
            return
        for budget in self.database.budgets.values():
            state = redis.hash(f"{{budget:{budget.id}}}")
            if state.get("run_id") != redis.run_id:
                continue
            if (state["epoch"], state["version"]) != (str(budget.epoch), str(budget.version)):
                continue
            for each in self.database.rounds.values():
                stem = f"{{budget:{budget.id}}}:round:{each.id}"
                seen = redis.hash(stem)
                if seen.get("epoch") != state["epoch"]:
                    continue
                self.universe.counts["I9 compared"] += 1
                left = int(seen["remaining_fen"])
                aside = self._set_aside(redis.stream(f"{stem}:intents"), each.id)
                if left + aside + each.issued_fen != each.pool_fen:
                    self.universe.fail(
                        f"I9 round {each.id} epoch {budget.epoch}: left {left} + set aside {aside}"
                        f" + issued {each.issued_fen} is not {each.pool_fen}"
                    )

    def _set_aside(self, stream: Stream | None, round_id: int) -> int:
        total = 0
        for words in stream.entries.values() if stream is not None else ():
            written = dict(zip(words[::2], words[1::2], strict=True))
            decision = self.database.decisions.get((int(written["e"]), written["k"]))
            if decision is None or (decision.outcome, decision.round_id) != ("granted", round_id):
                total += int(written["a"])
        return total

    # -- at every answer

    def delivered(self, one: Invocation) -> None:
        """An answer has reached its phone: I2 for a promise, I6 for a refusal."""
        code, who = one.reply.code.value, f"enterprise {one.enterprise_id}, {one.grab_key}"
        self.universe.counts[f"told {code}"] += 1
        key = (one.enterprise_id, one.grab_key)
        decision = self.database.decisions.get(key)
        if (
            code not in (*PROMISES, *UNDECIDED)
            and decision is not None
            and decision.round_id == one.round_id
            and self.promised_at.get(key, one.sent_at) < one.sent_at
        ):
            self.universe.fail(f"I2 {who}: told {code}, its voucher stood before it asked")
        if code in PROMISES:
            voucher = self.database.vouchers.get(one.reply.voucher.id) if one.reply.voucher else None
            if voucher is None:
                self.universe.fail(f"I2 {who}: told {code}, there is no such voucher")
            elif (voucher.enterprise_id, voucher.round_id) != (one.enterprise_id, one.round_id):
                self.universe.fail(f"I2 {who}: told {code} of somebody else's voucher")
            elif code == "granted" and voucher.grab_key != one.grab_key:
                self.universe.fail(f"I2 {who}: told granted of what another request won")
        elif code in REFUSALS:
            self.refused.append(one)
            if code == "key_reused" and decision is not None and decision.round_id == one.round_id:
                self.universe.fail(f"I10 {who}: told that its key was used elsewhere")
            self.look_back(one)

    def look_back(self, one: Invocation) -> None:
        """I6: a request told a refusal has no row. A twin still under way is the one exception."""
        decision = self.database.decisions.get((one.enterprise_id, one.grab_key))
        if decision is None or decision.outcome not in PROMISES or decision.round_id != one.round_id:
            return
        if any(self._were_under_way_together(one, other) for other in self._twins(one)):
            self.universe.counts["a twin was granted later"] += 1
            return
        self.universe.fail(
            f"I6 enterprise {one.enterprise_id}, {one.grab_key}: told {one.reply.code.value},"
            f" but its row says {decision.outcome}"
        )

    def _twins(self, one: Invocation) -> list[Invocation]:
        return [other for other in self.invocations[one.enterprise_id, one.grab_key] if other is not one]

    def _were_under_way_together(self, one: Invocation, other: Invocation) -> bool:
        return other.over_at is None or other.over_at > one.sent_at

    # -- at rest

    def at_rest(self) -> None:
        """Everything is decided: look at every refusal once more."""
        for one in self.refused:
            self.look_back(one)

    def unsettled(self, redis: MemoryRedis | None) -> str:
        """I7: nothing undecided, Redis and the database agree on money, epoch and version."""
        if redis is None:
            return "I7 there is no Redis at rest"
        for budget in self.database.budgets.values():
            state = redis.hash(f"{{budget:{budget.id}}}")
            have = (state.get("run_id"), state.get("epoch"), state.get("version"))
            if have != (redis.run_id, str(budget.epoch), str(budget.version)):
                return f"I7 Redis is at {have}, the database at {budget}"
            for each in self.database.rounds.values():
                stem = f"{{budget:{budget.id}}}:round:{each.id}"
                stream = redis.stream(f"{stem}:intents")
                # While a round is halted, what was admitted before waits for it to go on.
                if each.status != "paused" and stream is not None and stream.entries:
                    return f"I7 round {each.id}: intents left over: {list(stream.entries)}"
                left = int(redis.hash(stem).get("remaining_fen", 0)) + self._set_aside(stream, each.id)
                if each.status != "draft" and left != each.pool_fen - each.issued_fen:
                    return f"I7 round {each.id}: {left} left in Redis, {each} in the database"
        return ""

    def is_true(self, code: str, expected: str, enterprise_id: int, round_id: int) -> bool:
        """Whether an answer at rest is true; that nothing is left is true beside another reason, too."""
        if code == expected:
            return True
        each, entitlements = self.database.rounds[round_id], self.database.entitlements
        faces = [row.amount_fen for (seat, _), row in entitlements.items() if seat == round_id]
        own = entitlements.get((round_id, enterprise_id))
        enough_fen = own.amount_fen if own is not None else min(faces, default=0)
        out = each.pool_fen - each.issued_fen < enough_fen
        if code == "quota_used":
            # What was set aside for it in a halted round counts until that round goes on, or is closed.
            return any(other.status == "paused" for other in self.database.rounds.values())
        if code == "pending":
            # An earlier request of the enterprise waits for the halted round to go on.
            return expected == "paused"
        return code == "sold_out" and out and expected in ("not_eligible", "quota_used")

    def expected(self, enterprise_id: int, round_id: int, now: datetime) -> str:
        """At rest, the true answer to a new request of an enterprise (I8)."""
        each = self.database.rounds[round_id]
        if (round_id, enterprise_id) in self.database.seats:
            return "already"
        if each.status != "scheduled":
            return "paused" if each.status == "paused" else "closed"
        if now < each.opens_at:
            return "not_open"
        if now >= each.closes_at:
            return "closed"
        entitlement = self.database.entitlements.get((round_id, enterprise_id))
        if entitlement is None:
            return "not_eligible"
        taken_fen = self.database.taken_fen(each.budget_id, enterprise_id)
        if taken_fen + entitlement.amount_fen > entitlement.quota_fen:
            return "quota_used"
        if each.issued_fen + entitlement.amount_fen > each.pool_fen:
            return "sold_out"
        return "granted"
