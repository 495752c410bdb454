"""Channels over HTTP: what reaches me next, what I consented to, and what the operator sees of failures."""

from __future__ import annotations

from typing import Any

import pytest

from server.keys import CLOCK, DELIVERIES
from server.models.deliveries import Delivery, DeliveryState
from server.models.people import Person
from server.services import outbox
from tests.posting import PretendSms, PretendWechat
from tests.town import PROGRAMME, Caller, Town

REVIEW = "demo-subscribe-review"


async def reached(caller: Caller, code: str = "review") -> dict[str, Any]:
    """What is said about one kind of message."""
    answered = await caller.get("me/channels")
    assert answered.status == 200
    return next(one for one in answered.body["messages"] if one["code"] == code)


def connected(town: Town) -> PretendWechat:
    """WeChat and a sender of SMS that take everything on."""
    carriers = town.app[DELIVERIES].carriers
    carriers.calls, carriers.sms = PretendWechat(), PretendSms()
    wechat: PretendWechat = carriers.calls
    return wechat


async def with_openid(town: Town, *, phone: str = "") -> Caller:
    """Somebody who signed in with WeChat."""
    sealer = town.app[DELIVERIES].sealer
    caller = await town.person()
    await Person.filter(id=caller.id).update(
        openid_sealed=sealer.seal(f"openid-{caller.id}"), phone_sealed=sealer.seal(phone)
    )
    return caller


async def test_where_nothing_is_set_up_the_inbox_reaches_everybody(town: Town) -> None:
    found = await reached(await town.person())
    assert (found["channel"], found["channel_title"], found["consents_left"]) == ("inbox", "站内消息", 0)


async def test_a_consent_is_the_next_message_and_the_phone_the_last_resort(town: Town) -> None:
    connected(town)
    caller = await with_openid(town, phone="19900001234")
    assert (await reached(caller))["channel"] == "inbox"
    assert (await reached(caller, "deadline"))["channel"] == "sms"
    told = await caller.post("me/consents", answers=[{"template_id": REVIEW, "answer": "accept"}])
    assert told.status == 200, told.body
    found = await reached(caller)
    assert (found["channel"], found["consents_left"]) == ("subscribe", 1)
    assert found["subscribe_template_id"] == REVIEW
    refused = [{"template_id": REVIEW, "answer": answer} for answer in ("reject", "ban", "filter")]
    await caller.post("me/consents", answers=refused[:1])
    assert (await reached(caller))["consents_left"] == 1


@pytest.mark.parametrize(
    ("answers", "status", "code"),
    [
        ([{"template_id": "unheard-of", "answer": "accept"}], 422, "template_unknown"),
        ([{"template_id": REVIEW, "answer": "perhaps"}], 422, "malformed"),
        ([], 422, "malformed"),
        ([{"template_id": REVIEW, "answer": "accept"}] * 6, 422, "malformed"),
    ],
)
async def test_what_is_no_consent_is_refused_and_nothing_is_counted(
    town: Town, answers: list[dict[str, str]], status: int, code: str
) -> None:
    caller = await with_openid(town)
    refused = await caller.post("me/consents", answers=answers)
    assert refused.status == status, refused.body
    assert refused.code == code or code == "malformed"
    assert (await reached(caller))["consents_left"] == 0


async def test_quiet_hours_are_ones_own(town: Town) -> None:
    mine, others = await town.person(), await town.person()
    chosen = await mine.put("me/quiet-hours", quiet_from="21:30", quiet_until="07:15")
    assert (chosen.body["quiet_from"], chosen.body["quiet_until"]) == ("21:30", "07:15")
    assert (await others.get("me/channels")).body["quiet_from"] == "22:00"
    assert (await mine.put("me/quiet-hours", quiet_from="24:00", quiet_until="07:15")).status == 422


async def failed(town: Town, topic: str = "qualification.expired", **data: Any) -> int:
    """A message that WeChat will not take, whatever its words; the delivery's id."""
    caller = await with_openid(town)
    wechat = connected(town)
    answers = [{"template_id": "demo-subscribe-standing", "answer": "accept"}]
    await caller.post("me/consents", answers=answers)
    wechat.answers["subscribe"] = [47003]
    await outbox.tell(f"person:{caller.id}", topic, at=town.now, programme=PROGRAMME, **data)
    now = town.app[CLOCK].now()
    await outbox.deliver(now, plan=town.app[DELIVERIES].plan)
    await town.app[DELIVERIES].send_due()
    row = await Delivery.get(addressee=f"person:{caller.id}")
    assert row.state is DeliveryState.DEAD
    return int(row.id)


async def test_the_operator_sees_what_could_not_be_sent_and_sends_it_again(town: Town) -> None:
    operator, delivery = await town.operator(), await failed(town)
    (letter,) = (await operator.get("staff/dead-letters")).body["dead_letters"]
    assert (letter["id"], letter["error_code"], letter["title"]) == (delivery, 47003, "资格已到期")
    assert "模板" in letter["reason"]
    assert (await operator.post(f"staff/dead-letters/{delivery}/retry")).status == 204
    again = await operator.post(f"staff/dead-letters/{delivery}/retry")
    assert (again.status, again.code) == (409, "delivery_not_dead")
    await town.app[DELIVERIES].send_due()
    assert (await Delivery.get(id=delivery)).state is DeliveryState.SENT
    assert (await operator.get("staff/dead-letters")).body["dead_letters"] == []


async def test_dead_letters_come_by_pages(town: Town) -> None:
    operator = await town.operator()
    newest, older = sorted([await failed(town), await failed(town)], reverse=True)
    first = (await operator.get("staff/dead-letters?limit=1")).body
    assert [one["id"] for one in first["dead_letters"]] == [newest]
    rest = (await operator.get(f"staff/dead-letters?limit=1&after={first['next_after']}")).body
    assert ([one["id"] for one in rest["dead_letters"]], rest["next_after"]) == ([older], None)


async def test_dead_letters_of_other_programmes_are_not_shown(town: Town) -> None:
    await failed(town)
    elsewhere = await town.staff("operator", programmes=["guangxi-2024"])
    assert (await elsewhere.get("staff/dead-letters")).body["dead_letters"] == []
    assert (await (await town.person()).get("staff/dead-letters")).status == 403


async def test_who_writes_to_the_chat_is_not_named_among_dead_letters(town: Town) -> None:
    now = town.now
    await Delivery.create(
        addressee="sender:17",
        topic="chat.reply",
        state=DeliveryState.DEAD,
        error="busy",
        next_at=now,
        created_at=now,
    )
    (letter,) = (await (await town.operator()).get("staff/dead-letters")).body["dead_letters"]
    assert (letter["addressee"], letter["title"]) == ("complainant", "您的咨询有新回复")
