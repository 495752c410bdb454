"""One contract for all three stores of the launch: PostgreSQL, SQLite, and the one of the simulation.

What the simulation proves of the protocol holds for the server because its store keeps the same promises.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Protocol

import pytest
from tortoise.expressions import F

from server.app import grab_store
from server.database import close_database, open_database
from server.gateways.grab_store import GrabStore, StoreConflict, VoucherFacts
from server.models.journal import JournalEntry
from server.models.ledger import LedgerEntry
from server.models.outbox import OutboxMessage
from server.models.rounds import Budget, Entitlement, Round
from server.models.vouchers import GrabDecision, Voucher
from server.rules.grabbing import Claim, Decision, Entitled, GrabOutcome, decide
from tests.factories import make_enterprise
from tests.simulation.memory_store import (
    BudgetRow,
    CalmWire,
    EntitlementRow,
    MemoryDatabase,
    MemoryGrabStore,
    RoundRow,
)

NOW = datetime(2026, 5, 18, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
_numbers = count(1)


class Scene(Protocol):
    """A store with one budget, and the means to lay out what stands in its database."""

    store: GrabStore
    budget_id: int

    async def round(self, *, pool_fen: int = 1000, status: str = "scheduled") -> int: ...

    async def enterprise(self) -> int: ...

    async def entitle(self, round_id: int, enterprise_id: int, amount_fen: int, quota_fen: int) -> None: ...

    async def hand_back(self, voucher_id: int) -> None: ...

    async def move(self, round_id: int, status: str) -> None: ...


@dataclass
class MemoryScene:
    """The rows of the simulation."""

    database: MemoryDatabase
    store: GrabStore
    budget_id: int = 1

    async def round(self, *, pool_fen: int = 1000, status: str = "scheduled") -> int:
        row = RoundRow(next(_numbers), 1, status, pool_fen, NOW - HOUR, NOW + HOUR, NOW + 100 * HOUR)
        self.database.rounds[row.id] = row
        return row.id

    async def enterprise(self) -> int:
        return next(_numbers)

    async def entitle(self, round_id: int, enterprise_id: int, amount_fen: int, quota_fen: int) -> None:
        row = EntitlementRow("tier", amount_fen, quota_fen)
        self.database.entitlements[round_id, enterprise_id] = row

    async def hand_back(self, voucher_id: int) -> None:
        voucher = self.database.vouchers[voucher_id]
        voucher.status, voucher.given_back_fen = "handed_back", voucher.face_value_fen

    async def move(self, round_id: int, status: str) -> None:
        self.database.rounds[round_id].status = status


@dataclass
class RealScene:
    """Real rows in a real database."""

    store: GrabStore
    budget_id: int

    async def round(self, *, pool_fen: int = 1000, status: str = "scheduled") -> int:
        row = await Round.create(
            budget_id=self.budget_id,
            title="第一批",
            status=status,
            opens_at=NOW - HOUR,
            closes_at=NOW + HOUR,
            pool_fen=pool_fen,
            valid_until=NOW + 100 * HOUR,
            created_at=NOW,
            created_by=1,
        )
        return row.id

    async def enterprise(self) -> int:
        return (await make_enterprise()).id

    async def entitle(self, round_id: int, enterprise_id: int, amount_fen: int, quota_fen: int) -> None:
        await Entitlement.create(
            round_id=round_id,
            enterprise_id=enterprise_id,
            tier="tier",
            amount_fen=amount_fen,
            quota_fen=quota_fen,
            prepared_at=NOW,
        )

    async def hand_back(self, voucher_id: int) -> None:
        await Voucher.filter(id=voucher_id).update(status="handed_back", given_back_fen=F("face_value_fen"))

    async def move(self, round_id: int, status: str) -> None:
        await Round.filter(id=round_id).update(status=status)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def address(request: pytest.FixtureRequest) -> str:
    """Where the rows are; empty for the memory."""
    if request.param == "memory":
        return ""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def scene(address: str) -> AsyncIterator[Scene]:
    """A budget without rounds."""
    if not address:
        database = MemoryDatabase()
        database.budgets[1] = BudgetRow(1)
        yield MemoryScene(database, MemoryGrabStore(database, CalmWire()))
        return
    async with real_scene(address) as real:
        yield real


@asynccontextmanager
async def real_scene(url: str) -> AsyncIterator[RealScene]:
    """A budget in a real database."""
    context = await open_database(url)
    store = grab_store(url)
    budget = await Budget.create(
        programme_slug="invented",
        programme_version="1",
        year=2026,
        total_fen=100_000,
        allotted_fen=0,
        created_at=NOW,
    )
    yield RealScene(store, budget.id)
    await store.close()
    await close_database(context)


def claim(round_id: int, enterprise_id: int, key: str = "", **others: Any) -> Claim:
    """A claim made in time, for 100 fen."""
    known: dict[str, Any] = {"amount_fen": 100, "place": "1-0", "reserved_at": NOW}
    return Claim(round_id, enterprise_id, 7, key or f"{next(_numbers):032x}", **known | others)


async def commit(
    scene: Scene, *claims: Claim
) -> tuple[list[Decision], Mapping[tuple[int, int], VoucherFacts]]:
    """Decide these claims as the committer does."""
    async with scene.store.transaction() as transaction:
        mark = await transaction.lock(scene.budget_id)
        standing = await transaction.standing(scene.budget_id, claims)
        decisions = decide(claims, standing)
        return decisions, await transaction.record(mark, decisions, NOW)


async def force(scene: Scene, decisions: Sequence[Decision]) -> None:
    """Write decisions that no rule made."""
    async with scene.store.transaction() as transaction:
        mark = await transaction.lock(scene.budget_id)
        await transaction.record(mark, decisions, NOW)


async def entitled(scene: Scene, round_id: int, amount_fen: int = 100, quota_fen: int = 100) -> int:
    """A new enterprise that may be granted so much."""
    enterprise_id = await scene.enterprise()
    await scene.entitle(round_id, enterprise_id, amount_fen, quota_fen)
    return enterprise_id


async def test_a_grant_stands_with_its_voucher_its_decision_and_its_money(scene: Scene) -> None:
    round_id = await scene.round()
    one = claim(round_id, await entitled(scene, round_id), place="1716000000000-3")
    [decision], vouchers = await commit(scene, one)
    assert decision.outcome is GrabOutcome.GRANTED
    facts = vouchers[round_id, one.enterprise_id]
    assert facts == await scene.store.voucher(facts.id)
    assert (facts.number, facts.face_value_fen) == (f"{round_id}-000001", 100)
    assert (facts.valid_until, facts.order_deadline) == (NOW + 100 * HOUR, None)
    recorded = await scene.store.recorded(one.enterprise_id, one.grab_key)
    assert recorded is not None
    assert (recorded.round_id, recorded.outcome, recorded.voucher_id) == (round_id, "granted", facts.id)
    assert (recorded.decided_at, recorded.place) == (NOW, "1716000000000-3")
    assert await scene.store.issued_fen(round_id) == (1000, 100)


async def test_numbers_of_a_round_go_up_one_by_one(scene: Scene) -> None:
    round_id, other = await scene.round(), await scene.round()
    first = [claim(round_id, await entitled(scene, round_id)) for _ in range(2)]
    await commit(scene, *first)
    _, vouchers = await commit(
        scene,
        claim(other, await entitled(scene, other)),
        claim(round_id, await entitled(scene, round_id)),
    )
    assert sorted(facts.number for facts in vouchers.values()) == sorted(
        [f"{other}-000001", f"{round_id}-000003"]
    )


async def test_a_known_request_reads_its_decision_and_writes_nothing(scene: Scene) -> None:
    round_id = await scene.round()
    one = claim(round_id, await entitled(scene, round_id))
    [first], vouchers = await commit(scene, one)
    [again], nothing = await commit(scene, one._replace(place="2-0"))
    assert (again.outcome, again.stored, nothing) == (first.outcome, True, {})
    assert again.voucher_id == vouchers[round_id, one.enterprise_id].id
    recorded = await scene.store.recorded(one.enterprise_id, one.grab_key)
    assert recorded is not None
    assert recorded.place == "1-0"
    assert await scene.store.issued_fen(round_id) == (1000, 100)


async def test_a_key_used_for_another_round_is_told_and_not_written(scene: Scene) -> None:
    round_id, other = await scene.round(), await scene.round()
    one = claim(round_id, await entitled(scene, round_id))
    await scene.entitle(other, one.enterprise_id, 100, 200)
    await commit(scene, one)
    [decision], vouchers = await commit(scene, one._replace(round_id=other))
    assert (decision.outcome, vouchers) == (GrabOutcome.KEY_REUSED, {})
    recorded = await scene.store.recorded(one.enterprise_id, one.grab_key)
    assert recorded is not None
    assert recorded.round_id == round_id


async def test_one_key_for_two_rounds_in_one_group_is_decided_once(scene: Scene) -> None:
    round_id, other = await scene.round(), await scene.round()
    one = claim(round_id, await entitled(scene, round_id, quota_fen=200))
    await scene.entitle(other, one.enterprise_id, 100, 200)
    decisions, vouchers = await commit(scene, one, one._replace(round_id=other))
    assert [each.outcome for each in decisions] == [GrabOutcome.GRANTED, GrabOutcome.KEY_REUSED]
    assert vouchers.keys() == {(round_id, one.enterprise_id)}


async def test_a_refusal_is_recorded_too(scene: Scene) -> None:
    round_id = await scene.round(pool_fen=50)
    one = claim(round_id, await entitled(scene, round_id))
    [decision], vouchers = await commit(scene, one)
    assert (decision.outcome, vouchers) == (GrabOutcome.SOLD_OUT, {})
    recorded = await scene.store.recorded(one.enterprise_id, one.grab_key)
    assert recorded is not None
    assert (recorded.outcome, recorded.voucher_id) == (GrabOutcome.SOLD_OUT, None)
    assert await scene.store.issued_fen(round_id) == (50, 0)


async def test_what_is_not_final_is_not_recorded(scene: Scene) -> None:
    round_id = await scene.round()
    stale = claim(round_id, await entitled(scene, round_id), amount_fen=200)
    [decision], _ = await commit(scene, stale)
    await scene.move(round_id, "paused")
    halted = claim(round_id, await entitled(scene, round_id))
    [pause], _ = await commit(scene, halted)
    assert (decision.outcome, pause.outcome) == (GrabOutcome.STALE, GrabOutcome.PAUSED)
    for one in (stale, halted):
        assert await scene.store.recorded(one.enterprise_id, one.grab_key) is None


@pytest.mark.parametrize("together", [True, False])
async def test_a_second_request_of_a_winner_names_its_voucher(scene: Scene, together: bool) -> None:
    round_id = await scene.round()
    one = claim(round_id, await entitled(scene, round_id))
    two = one._replace(grab_key=f"{next(_numbers):032x}", place="2-0")
    if together:
        _, vouchers = await commit(scene, one, two)
    else:
        _, vouchers = await commit(scene, one)
        await commit(scene, two)
    recorded = await scene.store.recorded(two.enterprise_id, two.grab_key)
    assert recorded is not None
    assert recorded.outcome is GrabOutcome.ALREADY
    assert recorded.voucher_id == vouchers[round_id, one.enterprise_id].id
    assert await scene.store.issued_fen(round_id) == (1000, 100)


async def test_who_has_no_entitlement_is_not_entitled(scene: Scene) -> None:
    round_id, other = await scene.round(), await scene.round()
    one = claim(other, await entitled(scene, round_id))
    async with scene.store.transaction() as transaction:
        await transaction.lock(scene.budget_id)
        standing = await transaction.standing(scene.budget_id, [one])
    assert standing.entitled == {}
    assert standing.taken_fen == {one.enterprise_id: 0}
    assert standing.rounds[other].pool_fen == 1000


async def test_standing_reads_what_counts_against_the_quota_of_all_rounds(scene: Scene) -> None:
    round_id, other = await scene.round(), await scene.round()
    one = claim(round_id, await entitled(scene, round_id, quota_fen=300))
    await scene.entitle(other, one.enterprise_id, 100, 300)
    _, vouchers = await commit(scene, one)
    for back, taken_fen in ((False, 100), (True, 0)):
        if back:
            await scene.hand_back(vouchers[round_id, one.enterprise_id].id)
        async with scene.store.transaction() as transaction:
            await transaction.lock(scene.budget_id)
            asked = [claim(other, one.enterprise_id), one]
            standing = await transaction.standing(scene.budget_id, asked)
        assert standing.taken_fen == {one.enterprise_id: taken_fen}
        assert standing.entitled[other, one.enterprise_id] == Entitled("tier", 100, 300)
        assert standing.vouchers.keys() == {(round_id, one.enterprise_id)}
        assert standing.earlier.keys() == {(one.enterprise_id, one.grab_key)}


async def test_a_transaction_that_fails_leaves_nothing(scene: Scene) -> None:
    round_id = await scene.round()
    one = claim(round_id, await entitled(scene, round_id))
    before = await scene.store.mark(scene.budget_id)
    with pytest.raises(LookupError):
        async with scene.store.transaction() as transaction:
            mark = await transaction.lock(scene.budget_id)
            standing = await transaction.standing(scene.budget_id, [one])
            await transaction.record(mark, decide([one], standing), NOW)
            await transaction.raise_version(scene.budget_id)
            raise LookupError
    assert await scene.store.mark(scene.budget_id) == before
    assert await scene.store.recorded(one.enterprise_id, one.grab_key) is None
    assert await scene.store.issued_fen(round_id) == (1000, 0)


async def test_the_version_is_raised_with_the_commit(scene: Scene) -> None:
    before = await scene.store.mark(scene.budget_id)
    async with scene.store.transaction() as transaction:
        assert await transaction.lock(scene.budget_id) == before
        await transaction.raise_version(scene.budget_id)
    after = await scene.store.mark(scene.budget_id)
    assert after == replace(before, version=before.version + 1)


async def test_a_second_voucher_of_an_enterprise_in_a_round_is_refused(scene: Scene) -> None:
    round_id = await scene.round()
    one = claim(round_id, await entitled(scene, round_id))
    await commit(scene, one)
    other = Decision(claim(round_id, one.enterprise_id), GrabOutcome.GRANTED, None, "tier", 100, 2)
    with pytest.raises(StoreConflict):
        await force(scene, [other])
    assert await scene.store.recorded(one.enterprise_id, other.claim.grab_key) is None
    assert await scene.store.issued_fen(round_id) == (1000, 100)


async def test_a_second_decision_of_a_request_is_refused(scene: Scene) -> None:
    round_id = await scene.round(pool_fen=50)
    one = claim(round_id, await entitled(scene, round_id))
    await commit(scene, one)
    with pytest.raises(StoreConflict):
        await force(scene, [Decision(one, GrabOutcome.CLOSED)])
    recorded = await scene.store.recorded(one.enterprise_id, one.grab_key)
    assert recorded is not None
    assert recorded.outcome is GrabOutcome.SOLD_OUT


async def test_more_than_the_pool_is_refused_by_the_last_fen(scene: Scene) -> None:
    round_id = await scene.round(pool_fen=199)
    who = [await entitled(scene, round_id) for _ in range(2)]
    beyond = [
        Decision(claim(round_id, each), GrabOutcome.GRANTED, None, "tier", 100, number)
        for number, each in enumerate(who, 1)
    ]
    with pytest.raises(StoreConflict):
        await force(scene, beyond)
    assert await scene.store.issued_fen(round_id) == (199, 0)
    await force(scene, beyond[:1])
    assert await scene.store.issued_fen(round_id) == (199, 100)


async def test_transactions_of_one_budget_come_one_after_the_other(scene: Scene) -> None:
    round_id = await scene.round(pool_fen=300)
    claims = [claim(round_id, await entitled(scene, round_id)) for _ in range(6)]
    results = await asyncio.gather(*(commit(scene, one) for one in claims))
    outcomes = sorted(decision.outcome for [decision], _ in results)
    assert outcomes == [*["granted"] * 3, *["sold_out"] * 3]
    assert await scene.store.issued_fen(round_id) == (300, 300)


async def test_a_snapshot_raises_the_epoch_and_has_all_that_redis_must_know(scene: Scene) -> None:
    round_id, draft = await scene.round(), await scene.round(status="draft")
    winner, waiting = [await entitled(scene, round_id, 100, 150) for _ in range(2)]
    await scene.entitle(draft, waiting, 300, 900)
    one = claim(round_id, winner)
    _, vouchers = await commit(scene, one)
    before = await scene.store.mark(scene.budget_id)
    snapshot = await scene.store.snapshot(scene.budget_id)
    after = await scene.store.mark(scene.budget_id)
    assert after == replace(before, epoch=before.epoch + 1)
    assert (snapshot.budget_id, snapshot.epoch) == (scene.budget_id, after.epoch)
    assert snapshot.version == after.version
    assert sorted(snapshot.quota_left) == sorted([(winner, 50), (waiting, 150)])
    [seen] = snapshot.rounds
    assert (seen.round_id, seen.status, seen.remaining_fen) == (round_id, "scheduled", 900)
    assert seen.opens_ms == int((NOW - HOUR).timestamp() * 1000)
    assert seen.closes_ms == int((NOW + HOUR).timestamp() * 1000)
    assert sorted(seen.entitled) == sorted([(winner, 100), (waiting, 100)])
    assert list(seen.winners) == [(winner, vouchers[round_id, winner].id, one.grab_key)]


async def test_a_snapshot_gives_the_quota_of_a_voucher_handed_back(scene: Scene) -> None:
    round_id = await scene.round()
    one = claim(round_id, await entitled(scene, round_id, 100, 150))
    _, vouchers = await commit(scene, one)
    await scene.hand_back(vouchers[round_id, one.enterprise_id].id)
    snapshot = await scene.store.snapshot(scene.budget_id)
    assert list(snapshot.quota_left) == [(one.enterprise_id, 150)]


async def test_each_grant_is_written_to_ledger_journal_and_outbox(database_url: str) -> None:
    async with real_scene(database_url) as scene:
        round_id = await scene.round(pool_fen=250)
        claims = [claim(round_id, await entitled(scene, round_id)) for _ in range(3)]
        _, vouchers = await commit(scene, *claims)
        won = {facts.id for facts in vouchers.values()}
        assert len(won) == 2
        entries = await LedgerEntry.all().values_list("voucher_id", "debit", "credit", "amount_fen")
        assert sorted(entries) == [(each, "round", "available", 100) for each in sorted(won)]
        subjects = await JournalEntry.filter(action="voucher.granted").values_list("subject", flat=True)
        assert sorted(subjects) == sorted(f"voucher:{each}" for each in won)
        messages = await OutboxMessage.filter(topic="voucher.granted")
        assert {message.data["voucher"] for message in messages} == won
        assert await GrabDecision.all().count() == 3
