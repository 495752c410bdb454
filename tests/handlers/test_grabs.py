"""Grabbing over HTTP: every answer a phone can get, each with a receipt that checks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from server.keys import GRAB_DOOR
from server.models.organisations import Organisation
from server.models.vouchers import GrabDecision, Voucher
from server.services.buckets import Buckets
from server.units import yuan_to_fen
from tests.town import Answered, Caller, Town, grab_key

FACE = yuan_to_fen(10_000)
HOUR = timedelta(hours=1)


@pytest.fixture
def town(running_town: Town) -> Town:
    """With clocks that run, and bucketfuls for everybody but where a test says otherwise."""
    door = running_town.app[GRAB_DOOR]
    door.persons = Buckets(per_second=1_000, burst=1_000)
    door.enterprises = Buckets(per_second=1_000, burst=1_000)
    return running_town


async def checked(town: Town, told: Answered, round_id: int, key: str, answer: str) -> dict[str, Any]:
    """The receipt of an answer, once the public endpoint has said that it is ours and says this."""
    receipt = told.body["receipt"]
    facts = await town.anybody.post("receipts/checks", receipt=receipt)
    assert facts.status == 200, facts.body
    assert (facts.body["round_id"], facts.body["grab_key"], facts.body["answer"]) == (round_id, key, answer)
    said, shown = (datetime.fromisoformat(body["told_at"]) for body in (facts.body, told.body))
    assert abs(said - shown) < timedelta(milliseconds=1)
    assert abs(town.now - said) < timedelta(minutes=5)
    return dict(facts.body)


def refused(told: Answered, status: int, code: str) -> None:
    assert (told.status, told.code) == (status, code), told.body
    assert told.body["detail"]
    assert told.headers["Content-Type"] == "application/problem+json"


@pytest.mark.rules("LS-64")
async def test_a_grab_is_granted_and_every_retry_reads_the_same(town: Town) -> None:
    operator = await town.operator()
    handler = await town.qualified(operator)
    colleague = await town.joined(handler, "staff")
    round_id = await town.open_round(operator)
    key, other = grab_key(), grab_key()
    granted = await handler.grab(round_id, key)
    assert granted.status == 201
    assert granted.body["answer"] == "granted"
    voucher = granted.body["voucher"]
    assert (voucher["number"], voucher["face_value_fen"]) == (f"{round_id}-000001", FACE)
    assert (await checked(town, granted, round_id, key, "granted"))["position"] == 1

    again = await handler.grab(round_id, key, Grab_Attempt="2")
    assert (again.status, again.body["answer"], again.body["voucher"]) == (201, "granted", voucher)
    asked = await handler.get(f"rounds/{round_id}/grabs/{key}")
    assert (asked.status, asked.body["answer"], asked.body["voucher"]) == (200, "granted", voucher)

    second = await colleague.grab(round_id, other)
    assert (second.status, second.body["answer"], second.body["voucher"]) == (200, "already", voucher)
    await checked(town, second, round_id, other, "already")
    assert await Voucher.all().count() == 1


@pytest.mark.rules("LS-06", "LS-67")
async def test_when_all_is_claimed_the_round_says_so_with_the_time(town: Town) -> None:
    operator = await town.operator()
    handlers = [await town.qualified(operator) for _ in range(3)]
    round_id = await town.open_round(operator, pool_yuan=19_999)
    assert (await handlers[0].grab(round_id, grab_key())).status == 201
    key = grab_key()
    for attempt in ("1", "2"):
        told = await handlers[1].grab(round_id, key, Grab_Attempt=attempt)
        refused(told, 409, "round_sold_out")
        await checked(town, told, round_id, key, "sold_out")
    refused(await handlers[2].grab(round_id, grab_key()), 409, "round_sold_out")
    # The winner is still a winner.
    assert (await handlers[0].grab(round_id, grab_key())).body["answer"] == "already"
    assert (await Voucher.all().count(), await GrabDecision.all().count()) == (1, 1)


async def test_two_face_values_are_granted_in_one_round(town: Town) -> None:
    operator = await town.operator()
    ordinary = await town.qualified(operator)
    risen = await town.qualified(operator, labels=("newly_above_scale",))
    round_id = await town.open_round(operator)
    faces = [
        (await one.grab(round_id, grab_key())).body["voucher"]["face_value_fen"] for one in (ordinary, risen)
    ]
    assert faces == [FACE, 2 * FACE]


async def test_before_the_opening_the_seconds_are_told(town: Town) -> None:
    operator = await town.operator()
    handler = await town.qualified(operator)
    round_id = await town.open_round(operator, opens_in=HOUR)
    key = grab_key()
    early = await handler.grab(round_id, key)
    refused(early, 409, "round_not_open")
    assert 3_000 < early.body["retry_after"] <= 3_600
    assert early.headers["Retry-After"] == str(early.body["retry_after"])
    assert str(early.body["retry_after"]) in early.body["detail"]
    await checked(town, early, round_id, key, "not_open")
    # Told, but not decided: the same key is good at the opening.
    assert await GrabDecision.all().count() == 0


async def test_a_paused_round_says_so_and_goes_on_with_the_same_key(town: Town) -> None:
    operator = await town.operator()
    handler = await town.qualified(operator)
    round_id = await town.open_round(operator)
    key = grab_key()
    await operator.post(f"rounds/{round_id}/pause", reason="系统演练")
    paused = await handler.grab(round_id, key)
    refused(paused, 409, "round_paused")
    await checked(town, paused, round_id, key, "paused")
    await operator.post(f"rounds/{round_id}/resume", reason="演练结束")
    assert (await handler.grab(round_id, key, Grab_Attempt="2")).status == 201


async def test_a_round_that_is_over_says_so_but_to_its_winner(town: Town) -> None:
    operator = await town.operator()
    winner, late = [await town.qualified(operator) for _ in range(2)]
    by_people = await town.open_round(operator)
    by_time = await town.open_round(operator, opens_in=-2 * HOUR, closes_in=-HOUR)
    won = grab_key()
    assert (await winner.grab(by_people, won)).status == 201
    await operator.post(f"rounds/{by_people}/close", reason="当期领完即止")
    for round_id in (by_people, by_time):
        key = grab_key()
        closed = await late.grab(round_id, key)
        refused(closed, 409, "round_closed")
        await checked(town, closed, round_id, key, "closed")
    assert (await winner.grab(by_people, won, Grab_Attempt="2")).status == 201


@pytest.mark.rules("LS-60")
async def test_who_is_not_entitled_is_told_every_reason(town: Town) -> None:
    operator = await town.operator()
    stranger = await town.handler()
    unfit = await town.handler(legal_person=False, industry="A0111", area="浙江省/杭州市/西湖区")
    await town.decide(operator, await town.applied(unfit), "reject", reason="不符合条件")
    code = (await unfit.get("organisations/mine")).body["uscc"]
    barred = await operator.post(
        "blocklist",
        list_name="失信惩戒名单",
        uscc=code,
        programme="lishui-2024",
        clause="五（二）",
        reason="虚假交易",
    )
    assert barred.status == 201, barred.body
    round_id = await town.open_round(operator)

    told = await stranger.grab(round_id, grab_key())
    refused(told, 409, "not_entitled")
    assert [one["code"] for one in told.body["unmet"]] == ["not_qualified"]
    key = grab_key()
    told = await unfit.grab(round_id, key)
    refused(told, 409, "not_entitled")
    assert [(one["code"], one["clause"]) for one in told.body["unmet"]] == [
        ("qualification_refused", ""),
        ("area", "二（一）"),
        ("legal_person", "二（一）"),
        ("field", "二（一）"),
        ("barred", "五（二）"),
    ]
    assert all(one["message"] for one in told.body["unmet"])
    await checked(town, told, round_id, key, "not_eligible")
    # The phone could have known beforehand.
    ready = await unfit.get(f"rounds/{round_id}/readiness")
    assert (ready.body["ready"], ready.body["missing"]) == (False, told.body["unmet"])


async def test_one_quota_serves_two_rounds_at_once(town: Town) -> None:
    operator = await town.operator()
    handler = await town.qualified(operator)
    first, second = [await town.open_round(operator) for _ in range(2)]
    assert (await handler.grab(first, grab_key())).status == 201
    key = grab_key()
    used = await handler.grab(second, key)
    refused(used, 409, "quota_used")
    await checked(town, used, second, key, "quota_used")


async def test_a_key_that_was_used_for_another_round_is_refused(town: Town) -> None:
    operator = await town.operator()
    handler = await town.qualified(operator)
    closed = await town.open_round(operator)
    await operator.post(f"rounds/{closed}/close", reason="演练")
    key = grab_key()
    await town.grant(closed, handler, (await Organisation.get()).id, key=key)
    round_id = await town.open_round(operator)
    refused(await handler.grab(round_id, key), 409, "grab_key_reused")
    assert (await handler.get(f"rounds/{round_id}/grabs/{key}")).status == 202
    refused(await handler.get(f"rounds/{closed}/grabs/{key}"), 409, "round_closed")
    assert await Voucher.all().count() == 0
    assert (await handler.grab(round_id, grab_key())).status == 201


# -- bad input ----------------------------------------------------------------------------------------

KEY = "0123456789abcdef" * 2
FAULTY: list[tuple[dict[str, str], str]] = [
    ({}, "Idempotency-Key"),
    ({"Idempotency-Key": KEY[:-1]}, "Idempotency-Key"),
    ({"Idempotency-Key": KEY + "0"}, "Idempotency-Key"),
    ({"Idempotency-Key": KEY.upper()}, "Idempotency-Key"),
    ({"Idempotency-Key": "g" * 32}, "Idempotency-Key"),
    *(
        ({"Idempotency-Key": KEY, "Grab-Attempt": attempt}, "Grab-Attempt")
        for attempt in ("0", "-1", "abc", "1.0", "10000", "", "01")
    ),
]


async def test_a_request_that_is_no_grab_is_refused_and_stores_nothing(town: Town) -> None:
    operator = await town.operator()
    handler = await town.qualified(operator)
    round_id = await town.open_round(operator)
    url, token = f"/api/v1/rounds/{round_id}/grabs", handler._headers
    for headers, field in FAULTY:
        async with town.client.post(url, headers=token | headers) as response:
            body = await response.json()
            assert (response.status, body["code"]) == (422, "malformed"), headers
            assert [fault["field"] for fault in body["faults"]] == [field]
    for told in ({"json": {}}, {"data": b"x"}, {"data": b"x", "chunked": True}):
        async with town.client.post(url, headers=token | {"Idempotency-Key": KEY}, **told) as response:
            body = await response.json()
            assert (response.status, [fault["field"] for fault in body["faults"]]) == (422, ["body"])
    assert (await Voucher.all().count(), await GrabDecision.all().count()) == (0, 0)


async def test_there_is_nothing_to_grab_where_there_is_no_round(town: Town) -> None:
    operator = await town.operator()
    handler = await town.qualified(operator)
    round_id = await town.open_round(operator)
    draft = await operator.post(
        "rounds",
        budget_id=1,
        title="草稿",
        opens_at=town.now.isoformat(),
        closes_at=(town.now + HOUR).isoformat(),
        pool_fen=FACE,
        valid_until=(town.now + HOUR).isoformat(),
    )
    assert draft.status == 201, draft.body
    for unknown in (draft.body["id"], round_id + 100, 0, "-1", "x", "1.0", "9" * 19, "9" * 200, "%20", "一"):
        refused(await handler.grab(unknown, grab_key()), 404, "not_found")
        refused(await handler.get(f"rounds/{unknown}/grabs/{KEY}"), 404, "not_found")
    for key in ("x", KEY.upper(), KEY[:-1]):
        refused(await handler.get(f"rounds/{round_id}/grabs/{key}"), 404, "not_found")


async def test_only_who_acts_for_an_enterprise_grabs(town: Town) -> None:
    operator = await town.operator()
    round_id = await town.open_round(operator)
    refused(await operator.grab(round_id, grab_key()), 403, "not_allowed")
    refused(await town.anybody.grab(round_id, grab_key()), 401, "not_signed_in")
    refused(await Caller(town.client, "x.y.z").grab(round_id, grab_key()), 401, "not_signed_in")
    nobody = await town.person()
    refused(await nobody.grab(round_id, grab_key()), 404, "no_organisation")
    refused(await nobody.get(f"rounds/{round_id}/grabs/{KEY}"), 404, "no_organisation")


async def test_what_became_of_a_grab_is_its_enterprises_own_affair(town: Town) -> None:
    operator = await town.operator()
    handler, stranger = [await town.qualified(operator) for _ in range(2)]
    round_id = await town.open_round(operator)
    key = grab_key()
    await handler.grab(round_id, key)
    asked = await stranger.get(f"rounds/{round_id}/grabs/{key}")
    assert (asked.status, asked.body["answer"]) == (202, "pending")
    assert "voucher" not in asked.body
    # And the same key, by chance or malice, is another request.
    granted = await stranger.grab(round_id, key)
    assert granted.status == 201
    assert await Voucher.all().count() == 2


async def test_a_receipt_that_was_changed_is_refused(town: Town) -> None:
    operator = await town.operator()
    handler = await town.qualified(operator)
    round_id = await town.open_round(operator)
    receipt = (await handler.grab(round_id, grab_key())).body["receipt"]
    for forged in (receipt[:-1], receipt.replace("granted", "already"), "q1." + "x" * 30):
        refused(await town.anybody.post("receipts/checks", receipt=forged), 422, "receipt_invalid")


async def test_who_knocks_too_often_waits_and_is_told_how_long(town: Town) -> None:
    operator = await town.operator()
    handler = await town.qualified(operator)
    colleague = await town.joined(handler, "staff")
    round_id = await town.open_round(operator)
    door = town.app[GRAB_DOOR]
    door.persons = Buckets(per_second=0.01, burst=2)
    told = [await handler.grab(round_id, KEY) for _ in range(3)]
    assert [one.status for one in told] == [201, 201, 429]
    refused(told[2], 429, "too_many_requests")
    assert 50 <= int(told[2].headers["Retry-After"]) <= 151
    assert (await colleague.grab(round_id, KEY)).status == 201
    # One enterprise's phones together have their measure, too.
    door.enterprises = Buckets(per_second=0.01, burst=0.5)
    door.enterprises.take((await Organisation.get()).id, 0.0)
    door.persons = Buckets(per_second=1_000, burst=1_000)
    refused(await colleague.grab(round_id, KEY), 429, "too_many_requests")
