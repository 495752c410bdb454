"""Complaints, many hands at once on PostgreSQL: one handler, one urge, one end of an answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tortoise.context import TortoiseContext

from server.models.complaints import Complaint, ComplaintEntry, OrderHold
from server.rules.complaints import Channel, ComplaintStatus, EntryKind, Finding, SubjectKind
from server.services.complaints.complaints import Filing, Whose
from tests.complaining import LISHUI, Hall
from tests.races.crowd import together

MANY = 6
CALLER = Whose(sender_id=17)


@pytest.fixture
def complaints_hall(postgres: TortoiseContext) -> Hall:
    """Where people complain, on PostgreSQL."""
    return Hall()


async def entries(complaint_id: int, kind: EntryKind) -> int:
    return await ComplaintEntry.filter(complaint_id=complaint_id, kind=kind).count()


async def test_one_complaint_pressed_many_times_is_one_case(complaints_hall: Hall) -> None:
    hall = complaints_hall
    person = await hall.handler_of((await hall.order()).enterprise_id)
    filing = Filing(
        channel=Channel.MINI_PROGRAM,
        subject=SubjectKind.OTHER,
        subject_id=None,
        programme_slug=LISHUI,
        happened="服务没有做完。",
        since=None,
        wanted="",
        file_ids=(),
        anonymous=True,
        name="",
        contact="",
        person_id=person.id,
        sender_id=None,
    )
    assert await together(*(hall.complaints.submit(filing) for _ in range(MANY))) == {"done": MANY}
    assert await Complaint.all().count() == 1
    await hall.complaints.submit(replace(filing, happened="又一次没有做完。"))
    hall.clock.advance(timedelta(minutes=2))
    await hall.complaints.submit(filing)
    assert await Complaint.all().count() == 3


async def test_many_take_a_case_on_at_once_and_one_has_it(complaints_hall: Hall) -> None:
    hall = complaints_hall
    filed = await hall.file(sender_id=17)
    staff = [await hall.staff("operator") for _ in range(MANY)]
    outcomes = await together(*(hall.complaint_desk.claim(filed.id, actor=one) for one in staff))
    assert outcomes["done"] == 1
    assert outcomes["complaint_moved_on"] + outcomes["complaint_not_in_your_hand"] == MANY - 1
    assert await entries(filed.id, EntryKind.RECEIVED) == 1
    assert (await Complaint.get(id=filed.id)).assigned_to in {one.id for one in staff}


async def test_many_urge_at_once_and_it_is_urged_once(complaints_hall: Hall) -> None:
    hall = complaints_hall
    filed = await hall.file(sender_id=17)
    outcomes = await together(*(hall.complaints.urge(filed.id, by=CALLER) for _ in range(MANY)))
    assert outcomes["done"] == 1
    assert (await Complaint.get(id=filed.id)).urges == await entries(filed.id, EntryKind.URGED) == 1


async def test_an_answer_and_a_withdrawal_at_once_leave_one_of_them(complaints_hall: Hall) -> None:
    hall = complaints_hall
    filed = await hall.file(sender_id=17)
    actor = await hall.taken(filed)
    await hall.handling.find(filed.id, Finding.UNSUBSTANTIATED, "不属实。", serious=False, actor=actor)
    outcomes = await together(
        hall.handling.answer(filed.id, "答复一。", actor=actor),
        hall.handling.answer(filed.id, "答复二。", actor=actor),
        hall.complaints.withdraw(filed.id, by=CALLER),
    )
    assert outcomes["done"] in (1, 2)
    assert await entries(filed.id, EntryKind.ANSWER) <= 1
    ended = await Complaint.get(id=filed.id)
    assert ended.status in (ComplaintStatus.ANSWERED, ComplaintStatus.WITHDRAWN)


async def test_confirming_reopening_and_the_clock_at_once_end_in_one_of_them(complaints_hall: Hall) -> None:
    hall = complaints_hall
    filed = await hall.file(sender_id=17)
    await hall.answered(filed)
    # A moment before the window ends the clock is early; at its end all three may come at once.
    until = (await Complaint.get(id=filed.id)).confirm_until
    assert until is not None
    hall.clock.advance(until - hall.clock.now())
    outcomes = await together(
        hall.complaints.confirm(filed.id, by=CALLER),
        hall.complaints.reopen(filed.id, reason="没有解决。", by=CALLER),
        hall.complaint_clock.turn_all(),
    )
    kinds = (EntryKind.CONFIRMED, EntryKind.CLOSED_BY_TIME)
    closed = sum([await entries(filed.id, kind) for kind in kinds])
    reopened = await entries(filed.id, EntryKind.REOPENED)
    # Closed at most once; whoever is not content is heard before it or after it, once.
    assert closed <= 1 and reopened <= 1 and closed + reopened >= 1
    status = (await Complaint.get(id=filed.id)).status
    assert status is (ComplaintStatus.FILED if reopened else ComplaintStatus.CLOSED)
    assert set(outcomes) <= {"done", "complaint_moved_on", "not_permitted_now"}


async def test_two_who_hold_one_order_hold_it_once(complaints_hall: Hall) -> None:
    hall = complaints_hall
    order = await hall.order()
    filed = await hall.file(sender_id=17, subject=SubjectKind.ORDER, subject_id=order.id)
    actor = await hall.taken(filed)
    outcomes = await together(*(hall.handling.hold(filed.id, "先行暂扣。", actor=actor) for _ in range(MANY)))
    assert outcomes == {"done": 1, "complaint_hold_impossible": MANY - 1}
    assert await OrderHold.filter(order_id=order.id, lifted_at=None).count() == 1
