"""Grabs: one request gets one answer that stays, whatever happens between Redis and the database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from server.models.ledger import LedgerEntry
from server.models.organisations import Organisation
from server.models.outbox import OutboxMessage
from server.models.rounds import Budget, Round
from server.models.vouchers import GrabDecision, Voucher
from server.rules.lifecycles import RoundStatus
from server.rules.money import Movement
from server.services import journal
from server.services.rounds import grabs, launch
from server.services.rounds.grabs import GrabCode
from server.services.rounds.launch import LiveBudget
from server.units import yuan_to_fen
from tests.factories import DAY, HOUR, MORNING, OPERATOR, Office, grab_key, make_budget, make_qualified

ONE = 10_000


async def launch_of(office: Office, enterprises: int, *, pool_yuan: int) -> tuple[Round, list[Organisation]]:
    """An open round and the enterprises that are entitled to a voucher of it."""
    entitled = [await make_qualified(office.programme) for _ in range(enterprises)]
    row = await office.make_round(await make_budget(office.programme), pool_yuan=pool_yuan)
    return row, entitled


async def reconcile(office: Office, row: Round) -> None:
    card = await office.card(row)
    await office.desk.reconcile(LiveBudget(card.terms, card.offset, (row.id,)))


async def test_a_grant_is_a_voucher_an_entry_a_deed_and_a_notice(office: Office) -> None:
    row, (enterprise,) = await launch_of(office, 1, pool_yuan=2 * ONE)
    key = grab_key()
    reply = await office.grab(row, enterprise, key)
    assert (reply.code, reply.position) == (GrabCode.GRANTED, 1)
    voucher = await Voucher.get()
    assert (voucher.enterprise_id, voucher.number, voucher.place) == (
        enterprise.id,
        f"{row.id}-000001",
        reply.place,
    )
    assert (voucher.valid_until, voucher.order_deadline) == (row.valid_until, row.order_deadline)
    assert (voucher.programme_slug, voucher.programme_version) == ("lishui-2024", office.programme.version)
    entry = await LedgerEntry.get(voucher_id=voucher.id)
    assert (entry.movement, entry.amount_fen) == (Movement.ISSUE, yuan_to_fen(ONE))
    (deed,) = await journal.history(f"voucher:{voucher.id}")
    assert (deed.action, deed.actor) == ("voucher.granted", "person:1")
    assert (await OutboxMessage.get()).recipient == f"organisation:{enterprise.id}"
    decision = await GrabDecision.get()
    assert (decision.grab_key, decision.outcome, decision.voucher_id) == (key, "granted", voucher.id)


async def test_the_same_key_gets_the_same_answer_and_another_the_same_voucher(office: Office) -> None:
    row, (enterprise,) = await launch_of(office, 1, pool_yuan=2 * ONE)
    key = grab_key()
    first, again = await office.grab(row, enterprise, key), await office.grab(row, enterprise, key, 2)
    other = await office.grab(row, enterprise)
    assert [one.code for one in (first, again, other)] == [
        GrabCode.GRANTED,
        GrabCode.GRANTED,
        GrabCode.ALREADY,
    ]
    assert first.voucher == again.voucher == other.voucher
    assert await Voucher.all().count() == 1


async def test_five_at_once_of_one_enterprise_get_one_voucher(office: Office) -> None:
    row, (enterprise,) = await launch_of(office, 1, pool_yuan=2 * ONE)
    replies = await asyncio.gather(*(office.grab(row, enterprise) for _ in range(5)))
    codes = sorted(one.code for one in replies)
    assert codes == [GrabCode.ALREADY] * 4 + [GrabCode.GRANTED]
    assert {one.voucher.id for one in replies if one.voucher} == {(await Voucher.get()).id}


@pytest.mark.rules("LS-06")
async def test_a_crowd_at_once_gets_what_there_is_and_not_a_voucher_more(office: Office) -> None:
    row, crowd = await launch_of(office, 12, pool_yuan=5 * ONE + 9_999)
    replies = await asyncio.gather(*(office.grab(row, one) for one in crowd))
    codes = sorted(one.code for one in replies)
    assert codes == [GrabCode.GRANTED] * 5 + [GrabCode.SOLD_OUT] * 7
    assert (await Round.get(id=row.id)).issued_fen == yuan_to_fen(5 * ONE)
    # First come, first served: the line of admission is the order of the vouchers.
    line = [voucher.place for voucher in await Voucher.all().order_by("id")]
    assert line == sorted(line, key=lambda place: [int(part) for part in place.split("-")])
    winners = {one.voucher.id: one.position for one in replies if one.voucher}
    assert sorted(winners.values()) == [1, 2, 3, 4, 5]


async def test_sold_out_is_not_said_while_the_last_voucher_is_undecided(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, (first, second) = await launch_of(office, 2, pool_yuan=ONE)
    # The first one's process dies between Redis and the database.
    await office.gate_says(row, first)
    monkeypatch.setattr(grabs, "PATIENCE_SECONDS", 0.2)
    assert (await office.grab(row, second)).code is GrabCode.PENDING
    # Another process finishes what it left behind; now it is true.
    monkeypatch.setattr(launch, "LEFT_OVER_MS", 0)
    await reconcile(office, row)
    assert (await Voucher.get()).enterprise_id == first.id
    monkeypatch.setattr(grabs, "PATIENCE_SECONDS", 5.0)
    assert (await office.grab(row, second)).code is GrabCode.SOLD_OUT
    assert (await office.grab(row, first)).code is GrabCode.ALREADY


async def test_money_set_aside_for_a_grab_that_is_refused_goes_to_the_next_in_line(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, (first, second) = await launch_of(office, 2, pool_yuan=ONE)
    await office.gate_says(row, first)
    await row.entitlements.filter(enterprise_id=first.id).delete()
    monkeypatch.setattr(launch, "LEFT_OVER_MS", 0)
    waiting = asyncio.create_task(office.grab(row, second))
    await reconcile(office, row)
    assert (await waiting).code is GrabCode.GRANTED
    assert (await Voucher.get()).enterprise_id == second.id


async def test_an_older_epoch_is_fenced_off_and_the_grab_goes_on(office: Office) -> None:
    row, (enterprise,) = await launch_of(office, 1, pool_yuan=ONE)
    await Budget.filter(id=row.budget_id).update(epoch=1_000_000)
    reply = await office.grab(row, enterprise)
    assert reply.code is GrabCode.GRANTED
    voucher = await Voucher.get()
    assert voucher.epoch == (await Budget.get(id=row.budget_id)).epoch == 1_000_001


async def test_units_that_redis_lost_are_seen_and_given_back(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, (enterprise,) = await launch_of(office, 1, pool_yuan=ONE)
    link = await office.lane.link()
    state = f"{{budget:{row.budget_id}}}:round:{row.id}"
    assert await link.call("HINCRBY", state, "remaining_fen", -yuan_to_fen(ONE)) == 0
    leaks: list[tuple[int, int]] = []
    monkeypatch.setattr(office.desk, "leaked", lambda *leak: leaks.append(leak))
    for _ in range(3):
        await reconcile(office, row)
    # Suspected once, certain the second time, mended the third.
    assert leaks == [(row.id, yuan_to_fen(ONE)), (row.id, 0)]
    assert (await office.grab(row, enterprise)).code is GrabCode.GRANTED


async def test_without_redis_the_database_decides_alone_and_redis_is_rebuilt_later(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "BREAKER_SECONDS", 0.05)
    row, (first, second) = await launch_of(office, 2, pool_yuan=ONE)
    port, office.lane.port = office.lane.port, 1
    office.lane.close()
    office.desk.distrust(row.budget_id, office.desk.footing(row.budget_id))
    key = grab_key()
    assert (await office.grab(row, first, key)).code is GrabCode.GRANTED
    assert (await office.grab(row, first, key, 2)).code is GrabCode.GRANTED
    assert (await office.grab(row, second)).code is GrabCode.SOLD_OUT
    assert (await Voucher.get()).place == ""
    # The window is judged by this process' clock.
    early = replace(await office.card(row), opens_at=MORNING + timedelta(seconds=90))
    ask = grabs.GrabAsk(second.id, 1, grab_key(), 1)
    reply = await office.grabs.grab(early, ask)
    assert (reply.code, reply.retry_after_seconds) == (GrabCode.NOT_OPEN, 90)
    # A halted round is not called closed, and who has won keeps the voucher.
    paused = replace(await office.card(row), status=RoundStatus.PAUSED)
    assert (await office.grabs.grab(paused, ask)).code is GrabCode.PAUSED
    won = await office.grabs.grab(paused, grabs.GrabAsk(first.id, 1, key, 3))
    assert won.code is GrabCode.GRANTED
    # More than the database can take in time is sent away, and nothing was decided.
    monkeypatch.setattr(grabs, "QUEUE_LIMIT", 0)
    busy = await office.grab(row, second)
    assert (busy.code, busy.retry_after_seconds) == (GrabCode.TRY_AGAIN, 2)
    assert await GrabDecision.all().count() == 2
    # Redis is back, and answers as soon as it is tried again: the database alone still sends away.
    office.lane.port = port
    async with asyncio.timeout(10):
        while (back := await office.grab(row, first)).code is GrabCode.TRY_AGAIN:  # noqa: ASYNC110 - a breaker closes by time alone
            await asyncio.sleep(0.01)
    assert back.code is GrabCode.ALREADY


async def test_a_grab_that_meets_a_pause_at_its_commit_keeps_its_place_until_the_round_goes_on(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "LEFT_OVER_MS", 0)
    row, (enterprise,) = await launch_of(office, 1, pool_yuan=ONE)
    key = grab_key()
    # Halted in the database, while Redis has yet to hear of it and sets the money aside.
    await Round.filter(id=row.id).update(status=RoundStatus.PAUSED)
    assert (await office.grab(row, enterprise, key)).code is GrabCode.PAUSED
    await reconcile(office, row)
    assert await GrabDecision.all().count() == 0
    await Round.filter(id=row.id).update(status=RoundStatus.SCHEDULED)
    await reconcile(office, row)
    assert (await Voucher.get()).enterprise_id == enterprise.id
    assert (await office.grab(row, enterprise, key, 2)).code is GrabCode.GRANTED


async def test_a_key_belongs_to_one_round(office: Office) -> None:
    budget = await make_budget(office.programme)
    enterprise = await make_qualified(office.programme)
    first, second = [await office.make_round(budget) for _ in range(2)]
    await office.rounds.close(first.id, actor=OPERATOR, reason="演练")
    key = grab_key()
    # Refused past Redis, so the decision is stored under the key.
    await office.grant(first, enterprise, key=key)
    assert (await office.grab(second, enterprise, key)).code is GrabCode.KEY_REUSED
    assert (await office.grab(second, enterprise)).code is GrabCode.GRANTED


async def test_a_reservation_outside_the_window_is_never_granted(office: Office) -> None:
    budget = await make_budget(office.programme)
    enterprise = await make_qualified(office.programme)
    row = await office.make_round(budget, opens_at=MORNING, closes_at=MORNING + DAY)
    for moved in (-timedelta(milliseconds=1), DAY):
        office.clock.at = MORNING + moved
        assert (await office.grant(row, enterprise)).outcome == "closed"
    office.clock.at = MORNING + DAY - HOUR
    assert (await office.grant(row, enterprise)).outcome == "granted"
