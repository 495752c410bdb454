"""The fourteen holes of the obvious launch, each shown to be closed on real PostgreSQL and Redis.

Hole 12 (no state of a consumer group to lose) and hole 4 with a Redis of the test's own stand in
``test_lost_redis.py``, hole 14 (constraints that silently do not exist) in ``test_guards.py``.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import replace

import asyncpg
import pytest

from server.gateways.grab_gate import Change, Finish, GateCode
from server.gateways.redis_lane import LaneBroken
from server.models.rounds import Budget, Round
from server.models.vouchers import GrabDecision, Voucher
from server.rules.grabbing import GrabOutcome
from server.services.rounds.grab_commit import Fenced
from server.services.rounds.grabs import GrabCode
from server.settings import Settings
from server.startup import unfit
from tests.factories import DAY, OPERATOR, grab_key
from tests.races.hall import FACE_FEN, LARGER, Hall, Worker, until
from tests.races.proxy import a_proxy

# -- hole 1: the script runs twice


async def test_control_a_script_without_a_key_takes_money_at_every_run(hall: Hall) -> None:
    taking = "return redis.call('HINCRBY', KEYS[1], 'remaining_fen', -1)"
    await hall.redis.hset("plain", "remaining_fen", 2)
    await hall.redis.eval(taking, 1, "plain")
    # The reply was lost, the client library sends it again.
    assert await hall.redis.eval(taking, 1, "plain") == 0


async def test_hole_1_a_second_run_of_the_script_gives_the_first_answer_and_takes_nothing(hall: Hall) -> None:
    worker = hall.worker()
    (enterprise,) = await hall.enterprises(1)
    row = await hall.open_round(worker, vouchers=2)
    key = grab_key()
    first = await worker.admit(row, enterprise, key)
    again = await worker.admit(row, enterprise, key)
    assert (first.code, again.code) == (GateCode.ADMITTED, GateCode.SAME)
    assert again.place == first.place
    assert await hall.remaining_fen(row) == FACE_FEN
    assert await hall.undecided(row) == 1


async def test_hole_1_a_grab_whose_reply_from_redis_is_lost_is_granted_once(hall: Hall) -> None:
    (enterprise,) = await hall.enterprises(1)
    async with a_proxy(hall.redis_url) as proxy:
        worker = hall.worker(redis_url=proxy.url)
        row = await hall.open_round(worker, vouchers=2)
        key = grab_key()
        proxy.cut_after(key.encode())
        reply = await worker.ask(row, enterprise, key=key)
        if reply.code is GrabCode.PENDING:
            # It ran, and nobody here knows: whoever left it behind is found by the reconciler.
            await until(lambda: reconciled(worker, hall, row))
            reply = await worker.grab(row, enterprise, key=key, attempt=2)
        assert proxy.cuts == 1
        assert reply.code is GrabCode.GRANTED
        assert await hall.vouchers(row) == 1
        await until(lambda: reconciled(worker, hall, row))
        await worker.close()


async def reconciled(worker: Worker, hall: Hall, row: Round) -> bool:
    """One pass of the reconciler; whether Redis is where the database is."""
    await worker.reconcile()
    return await hall.at_rest(row)


# -- hole 2: the latch refuses winners


async def test_hole_2_the_latch_refuses_no_winner_no_retry_and_nobody_without_entitlement(hall: Hall) -> None:
    worker = hall.worker()
    winner, loser = await hall.enterprises(2)
    row = await hall.open_round(worker, vouchers=1)
    (late,) = await hall.enterprises(1)
    key = grab_key()
    assert (await worker.grab(row, winner, key=key)).code is GrabCode.GRANTED
    card = await worker.book.card(row.id)

    async def latched() -> bool:
        assert (await worker.grab(row, loser)).code is GrabCode.SOLD_OUT
        return worker.grabs.latched(card, loser.id, 1)

    await until(latched)
    assert not worker.grabs.latched(card, winner.id, 1)
    assert not worker.grabs.latched(card, loser.id, 2)
    assert not worker.grabs.latched(card, late.id, 1)
    # The winner's first answer was lost and its phone lost count: still a winner.
    assert (await worker.grab(row, winner, key=key, attempt=1)).code is GrabCode.GRANTED
    assert (await worker.grab(row, late)).code is GrabCode.NOT_ELIGIBLE


async def test_hole_2_a_larger_grab_that_does_not_fit_never_shuts_the_latch_for_smaller_ones(
    hall: Hall,
) -> None:
    worker = hall.worker()
    (larger,) = await hall.enterprises(1, labels=LARGER)
    (smaller,) = await hall.enterprises(1)
    row = await hall.open_round(worker, vouchers=1)
    card = await worker.book.card(row.id)
    for _ in range(5):
        assert (await worker.grab(row, larger)).code is GrabCode.SOLD_OUT
    assert not worker.grabs.latched(card, smaller.id, 1)
    assert (await worker.grab(row, smaller)).code is GrabCode.GRANTED


# -- hole 3: COMMIT was sent, and nobody knows


@pytest.mark.parametrize("happened", [True, False], ids=["it had happened", "it had not"])
async def test_hole_3_a_commit_of_unknown_outcome_is_repeated_until_the_database_says(
    hall: Hall, happened: bool
) -> None:
    (enterprise,) = await hall.enterprises(1)
    async with a_proxy(hall.database_url) as proxy:
        worker = hall.worker(database_url=proxy.url)
        row = await hall.open_round(worker, vouchers=2)
        await worker.footing(row)
        (proxy.cut_after if happened else proxy.cut_before)(b"COMMIT;")
        reply = await worker.grab(row, enterprise)
        assert proxy.cuts == 1
        assert reply.code is GrabCode.GRANTED
        assert reply.voucher is not None
        assert await Voucher.exists(id=reply.voucher.id, enterprise_id=enterprise.id)
        assert await hall.vouchers(row) == 1
        await until(lambda: hall.at_rest(row))
        await worker.close()


async def test_hole_3_a_committer_whose_backend_is_terminated_loses_nothing(hall: Hall) -> None:
    worker = hall.worker()
    enterprises = await hall.enterprises(20)
    row = await hall.open_round(worker, vouchers=10)
    await worker.footing(row)
    holder, admin = [await asyncpg.connect(hall.database_url) for _ in range(2)]
    async with holder.transaction():
        # Whoever commits waits for this lock, and is found waiting.
        await holder.execute("UPDATE budget SET lock_number = lock_number + 1")
        rushing = asyncio.gather(*(worker.grab(row, one) for one in enterprises))
        assert await until(
            lambda: admin.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
        )
    replies = await rushing
    await holder.close()
    await admin.close()
    assert sum(reply.code is GrabCode.GRANTED for reply in replies) == await hall.vouchers(row) == 10


# -- hole 4: an older Redis looks valid


async def test_hole_4_what_was_admitted_under_an_older_epoch_is_fenced(hall: Hall) -> None:
    old, new = hall.worker(), hall.worker()
    (enterprise,) = await hall.enterprises(1)
    row = await hall.open_round(old, vouchers=2)
    key = grab_key()
    footing = await old.footing(row)
    admitted = await old.admit(row, enterprise, key)
    # Somebody finds Redis wanting and rebuilds it: the other side of a split goes on admitting.
    await new.store.snapshot(row.budget_id)
    with pytest.raises(Fenced):
        await old.commit(row, enterprise, key, admitted, footing.epoch)
    assert await hall.vouchers(row) == 0
    # One look at the database is enough to find out.
    await until(lambda: reconciled(old, hall, row))
    assert (await old.grab(row, enterprise, key=key, attempt=2)).code is GrabCode.GRANTED


# -- hole 5: the database may forget


async def test_hole_5_production_refuses_a_database_that_may_forget_what_it_promised(
    hall: Hall, redis_url: str
) -> None:
    admin = await asyncpg.connect(hall.database_url)
    name = await admin.fetchval("SELECT current_database()")
    today = hall.now.date()
    settings = Settings(mode="production", database_url=hall.database_url, redis_url=redis_url)
    try:
        for value, refused in (("off", True), ("on", False)):
            table = f'"{name}"'
            await admin.execute(f"ALTER DATABASE {table} SET synchronous_commit = '{value}'")
            faults = await unfit(settings, today)
            assert any("synchronous_commit = off" in fault for fault in faults) is refused
    finally:
        await admin.close()


# -- hole 6: refusals are forgotten


async def test_hole_6_a_refusal_that_was_decided_stays_one_after_money_came(hall: Hall) -> None:
    worker = hall.worker()
    winner, loser = await hall.enterprises(2)
    row = await hall.open_round(worker, vouchers=1)
    key = grab_key()
    footing = await worker.footing(row)
    # Admitted, and then overtaken in the database by a grab that went past Redis.
    admitted = await worker.admit(row, loser, key)
    overtaking = hall.worker(redis_url="redis://127.0.0.1:1/0")
    assert (await overtaking.grab(row, winner)).code is GrabCode.GRANTED
    first = await worker.commit(row, loser, key, admitted, footing.epoch)
    assert first.outcome is GrabOutcome.SOLD_OUT
    assert await hall.decision(loser, key) == "sold_out"
    await worker.rounds.top_up(row.id, 5 * FACE_FEN, actor=OPERATOR, reason="more")
    again = await worker.grab(row, loser, key=key, attempt=2)
    assert again.code is GrabCode.SOLD_OUT
    assert (await worker.grab(row, loser)).code is GrabCode.GRANTED


# -- hole 7: the window is asked before the own result


async def test_hole_7_a_winner_who_asks_again_after_the_end_is_still_a_winner(hall: Hall) -> None:
    worker = hall.worker()
    winner, stranger = await hall.enterprises(2)
    row = await hall.open_round(worker, vouchers=5)
    key = grab_key()
    first = await worker.grab(row, winner, key=key)
    await worker.rounds.close(row.id, actor=OPERATOR, reason="over")
    again = await worker.grab(row, winner, key=key, attempt=2)
    assert (again.code, again.voucher) == (GrabCode.GRANTED, first.voucher)
    assert (await worker.grab(row, stranger)).code is GrabCode.CLOSED


# -- hole 8: money is given back twice


async def test_hole_8_finishing_twice_gives_money_back_once(hall: Hall) -> None:
    worker = hall.worker()
    (enterprise,) = await hall.enterprises(1)
    row = await hall.open_round(worker, vouchers=3)
    footing = await worker.footing(row)
    key = grab_key()
    admitted = await worker.admit(row, enterprise, key)
    refused = Finish(admitted.place, enterprise.id, FACE_FEN, key, GrabOutcome.NOT_ELIGIBLE, None)
    finished = [await worker.gate.finish(row.budget_id, row.id, footing.epoch, [refused]) for _ in range(2)]
    assert finished == [1, 0]
    assert await hall.remaining_fen(row) == 3 * FACE_FEN
    assert await hall.undecided(row) == 0


async def test_hole_8_two_workers_who_recover_the_same_intent_decide_it_once(hall: Hall) -> None:
    workers = [hall.worker(), hall.worker()]
    (enterprise,) = await hall.enterprises(1)
    row = await hall.open_round(workers[0], vouchers=3)
    footing = await workers[0].footing(row)
    key = grab_key()
    admitted = await workers[0].admit(row, enterprise, key)
    decided = await asyncio.gather(
        *(worker.commit(row, enterprise, key, admitted, footing.epoch) for worker in workers)
    )
    assert {one.outcome for one in decided} == {GrabOutcome.GRANTED}
    assert len({one.voucher_id for one in decided}) == 1
    assert await hall.vouchers(row) == 1
    await until(lambda: hall.at_rest(row))
    assert await hall.remaining_fen(row) == 2 * FACE_FEN


# -- hole 9: a stale install


async def test_hole_9_an_older_snapshot_is_never_installed_over_a_newer_one(hall: Hall) -> None:
    slow, quick = hall.worker(), hall.worker()
    (enterprise,) = await hall.enterprises(1)
    row = await hall.open_round(slow, vouchers=2)
    link = await slow.lane.link()
    older = await slow.store.snapshot(row.budget_id)
    newer = await quick.store.snapshot(row.budget_id)
    assert await quick.gate.install(await quick.lane.link(), newer) == newer.epoch
    assert (await quick.grab(row, enterprise)).code is GrabCode.GRANTED
    await until(lambda: hall.at_rest(row))
    assert await slow.gate.install(link, older) == newer.epoch
    assert await hall.remaining_fen(row) == FACE_FEN


# -- hole 10: the database was restored


async def test_hole_10_after_a_restore_everything_redis_remembers_is_fenced_by_one_command(
    hall: Hall,
) -> None:
    worker = hall.worker()
    before, after = await hall.enterprises(2)
    row = await hall.open_round(worker, vouchers=4)
    assert (await worker.grab(row, before)).code is GrabCode.GRANTED
    await until(lambda: hall.at_rest(row))
    # The backup was taken long ago: its epoch is lower than the one that Redis stands at.
    for _ in range(3):
        snapshot = await worker.store.snapshot(row.budget_id)
        await worker.gate.install(await worker.lane.link(), snapshot)
    await Budget.filter(id=row.budget_id).update(epoch=1)
    restored = hall.worker()
    assert (await restored.ask(row, after)).code is not GrabCode.GRANTED

    command = [sys.executable, "-m", "server", "launch", "restored"]
    environment = {**os.environ, "QIQUAN_MODE": "test", "QIQUAN_DATABASE_URL": hall.database_url}
    done = await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    await until(lambda: reconciled(restored, hall, row))
    assert (await restored.grab(row, after)).code is GrabCode.GRANTED
    assert (await Budget.get(id=row.budget_id)).epoch > snapshot.epoch
    await until(lambda: hall.at_rest(row))


# -- hole 11: changes without a number


async def test_hole_11_a_change_told_twice_is_applied_once(hall: Hall) -> None:
    worker = hall.worker()
    row = await hall.open_round(worker, vouchers=2)
    footing = await worker.footing(row)
    await worker.rounds.top_up(row.id, FACE_FEN, actor=OPERATOR, reason="more")
    assert await hall.remaining_fen(row) == 3 * FACE_FEN
    version = (await Budget.get(id=row.budget_id)).version
    change = Change(row.id, version, ("money", FACE_FEN))
    assert not await worker.gate.change(row.budget_id, footing.epoch, change)
    assert await hall.remaining_fen(row) == 3 * FACE_FEN


async def test_hole_11_a_change_that_redis_missed_is_made_good_by_the_next_one(hall: Hall) -> None:
    worker = hall.worker()
    row = await hall.open_round(worker, vouchers=2)
    await worker.footing(row)
    # Whoever made this change died before telling Redis.
    dying = hall.worker(redis_url="redis://127.0.0.1:1/0")
    await dying.rounds.top_up(row.id, FACE_FEN, actor=OPERATOR, reason="unheard")
    assert await hall.remaining_fen(row) == 2 * FACE_FEN
    await worker.rounds.top_up(row.id, FACE_FEN, actor=OPERATOR, reason="heard")
    assert await hall.remaining_fen(row) == 4 * FACE_FEN
    assert await hall.at_rest(row)


async def test_hole_11_a_missed_change_is_found_by_the_reconciler(hall: Hall) -> None:
    worker = hall.worker()
    row = await hall.open_round(worker, vouchers=2)
    await worker.footing(row)
    dying = hall.worker(redis_url="redis://127.0.0.1:1/0")
    await dying.rounds.close(row.id, actor=OPERATOR, reason="unheard")
    # Not even a moment of it is dangerous: the commit knows.
    (enterprise,) = await hall.enterprises(1)
    assert (await worker.ask(row, enterprise)).code is not GrabCode.GRANTED
    await until(lambda: reconciled(worker, hall, row))
    assert await hall.redis.hget(hall.key(row), "status") == "closed"


# -- hole 13: nobody looks at the standing again


async def test_hole_13_entitlement_is_looked_at_under_the_lock_of_the_commit(hall: Hall) -> None:
    worker = hall.worker()
    (enterprise,) = await hall.enterprises(1)
    row = await hall.open_round(worker, vouchers=2)
    footing = await worker.footing(row)
    key = grab_key()
    admitted = await worker.admit(row, enterprise, key)
    await worker.blocklist.add(
        enterprise.uscc,
        slug=None,
        clause="五",
        reason="弄虚作假",
        list_name="失信名单",
        starts_at=None,
        ends_at=hall.now + DAY,
        actor=OPERATOR,
    )
    decided = await worker.commit(row, enterprise, key, admitted, footing.epoch)
    assert decided.outcome is GrabOutcome.NOT_ELIGIBLE
    assert not await Voucher.exists(enterprise_id=enterprise.id)
    assert (await GrabDecision.get(grab_key=key)).outcome is GrabOutcome.NOT_ELIGIBLE


async def test_a_link_that_broke_says_so_and_never_becomes_another(hall: Hall) -> None:
    worker = hall.worker()
    row = await hall.open_round(worker, vouchers=1)
    link = await worker.lane.link()
    snapshot = await worker.store.snapshot(row.budget_id)
    link.break_off("test")
    with pytest.raises(LaneBroken):
        await worker.gate.install(link, replace(snapshot, epoch=10**6))
    assert (await worker.lane.link()) is not link
