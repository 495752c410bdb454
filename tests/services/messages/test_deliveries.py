"""Deliveries: everything that a person must know goes out once, by the first channel that reaches them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tortoise.context import TortoiseContext
from tortoise.functions import Sum
from tortoise.transactions import in_transaction

from server.gateways.wechat_http import WechatUnavailable
from server.models.chat import ChatSender
from server.models.deliveries import (
    ConsentBalance,
    ConsentEntry,
    Delivery,
    DeliveryPreference,
    DeliveryState,
)
from server.models.inbox import InboxMessage
from server.models.journal import JournalEntry
from server.models.organisations import MemberRole, Membership
from server.models.people import Person
from server.rules.channels import MOST_ATTEMPTS
from server.rules.chat_messages import ChatMessage, MessageKind, WechatAccount
from server.services import outbox
from server.services.messages import chat_senders, consents, deliveries
from server.services.messages.deliveries import LEASE, PATIENCE
from server.services.messages.delivery_reports import DeliveryReports
from server.services.messages.notices import Notice, notice
from tests.factories import make_enterprise
from tests.posting import NOW, TOPIC, Post, states

HOUR = timedelta(hours=1)


@pytest.fixture
def post(database: TortoiseContext) -> Post:
    return Post()


async def left(person_id: int, template: str = "review") -> int:
    """What is left of somebody's consents, by the row and by the ledger, which agree."""
    balance = await ConsentBalance.get(person_id=person_id, template=template)
    told = ConsentEntry.filter(person_id=person_id, template=template).annotate(sum=Sum("count"))
    assert (await told.values_list("sum", flat=True))[0] == balance.left_count
    return int(balance.left_count)


async def test_a_message_goes_out_by_a_consent_that_is_used_up_by_it(post: Post) -> None:
    person = await post.person(consents_given=1, phone="19900001234")
    await post.tell(f"person:{person}")
    assert await post.send() == 1
    assert (await states(), await left(person)) == ([("sent", "subscribe")], 0)
    _, body = post.wechat.sent[0]
    assert body["template_id"] == "demo-subscribe-review"
    assert body["data"]["thing1"] == {"value": "审核通过"}
    assert len(body["data"]["thing2"]["value"]) == 20
    assert await post.send() == 0

    await post.tell(f"person:{person}")
    await post.send()
    assert (await states())[1] == ("kept", "inbox"), "a review has no words for an SMS"
    assert await InboxMessage.all().count() == 2


async def test_an_organisation_is_everybody_who_acts_for_it_and_nobody_twice(post: Post) -> None:
    company, other = await make_enterprise(), await make_enterprise()
    people = [await post.person(consents_given=2) for _ in range(4)]
    roles = (MemberRole.HANDLER, MemberRole.STAFF, MemberRole.STAFF, MemberRole.HANDLER)
    for number, (person, role) in enumerate(zip(people, roles, strict=True)):
        await Membership.create(
            person_id=person,
            organisation_id=(other if number == 3 else company).id,
            role=role,
            active=number != 2,
            created_at=NOW,
        )
    await post.tell(f"organisation:{company.id}")
    moved = [outbox.Moved(row.outbox_id, row.recipient, row.topic, "") for row in await InboxMessage.all()]
    await post.deliveries.plan(moved, NOW)
    assert await post.send() == 2
    assert {row.addressee for row in await Delivery.all()} == {f"person:{one}" for one in people[:2]}


@pytest.mark.parametrize("recipient", ["staff:1", "role:operator:x"])
async def test_staff_have_the_inbox_alone(post: Post, recipient: str) -> None:
    await post.tell(recipient)
    assert (await Delivery.all().count(), await InboxMessage.all().count()) == (0, 1)


async def test_a_topic_for_the_inbox_alone_goes_no_further(post: Post) -> None:
    person = await post.person(consents_given=1)
    await post.tell(f"person:{person}", "membership.ended")
    assert await Delivery.all().count() == 0


async def test_nobody_is_written_to_whose_account_is_disabled(post: Post) -> None:
    person = await post.person(consents_given=1, follows=True)
    await post.tell(f"person:{person}")
    await Person.filter(id=person).update(disabled=True)
    await post.send()
    assert (await states(), post.sent, await left(person)) == ([("kept", None)], [], 1)


@pytest.mark.parametrize(
    ("code", "consents_left", "channels"),
    [
        (43101, 0, ["template"]),
        (40003, 2, ["template"]),
    ],
)
async def test_what_one_channel_refuses_goes_by_the_next(
    post: Post, code: int, consents_left: int, channels: list[str]
) -> None:
    person = await post.person(consents_given=2, follows=True)
    post.wechat.answers["subscribe"] = [code]
    await post.tell(f"person:{person}")
    await post.send()
    assert (post.sent, await left(person)) == (channels, consents_left)
    row = await Delivery.get()
    assert (row.state, row.tried, row.error_code) == (DeliveryState.SENT, ["subscribe"], None)


async def test_who_left_the_official_account_is_not_written_to_there_again(post: Post) -> None:
    person = await post.person(follows=True)
    post.wechat.answers["template"] = [43004]
    for _ in range(2):
        await post.tell(f"person:{person}", "reminder.qualification_expiry")
        await post.send()
    assert (await ChatSender.get()).unsubscribed_at == NOW
    assert [state for state, _ in await states()] == ["kept", "kept"]


async def test_when_everything_else_is_closed_an_sms_goes_out_with_nothing_personal_in_it(post: Post) -> None:
    person = await post.person(phone="19900001234")
    await post.tell(f"person:{person}", "reminder.qualification_expiry", until=(NOW + 72 * HOUR).isoformat())
    await post.send()
    ((phone, code, words, key),) = post.sms.sent
    assert (phone, code) == ("19900001234", "demo-sms-deadline")
    assert words == {"title": "资格即将到期", "until": "2026年5月21日 10:00"}
    assert key == f"qiquan-{(await Delivery.get()).id}"


async def test_a_number_that_is_not_reached_is_the_end_of_the_channels_not_of_the_message(post: Post) -> None:
    person = await post.person(phone="19900001234")
    post.sms.unknown.add("19900001234")
    await post.tell(f"person:{person}", "reminder.qualification_expiry")
    await post.send()
    assert (await states(), (await Delivery.get()).tried) == ([("kept", "inbox")], ["sms"])


async def test_busy_is_tried_again_later_and_a_dead_letter_in_the_end(post: Post) -> None:
    person = await post.person(consents_given=1)
    post.wechat.answers["subscribe"] = [-1] * MOST_ATTEMPTS
    await post.tell(f"person:{person}")
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert await post.send() == 1
        row = await Delivery.get()
        assert (row.attempts, row.error, row.error_code) == (attempt, "busy", -1)
        assert await post.send() == 0, "not before its time"
        post.clock.advance(max(row.next_at - post.clock.now(), timedelta(0)))
        # Quiet hours are another matter.
        await DeliveryPreference.get_or_create(
            person_id=person, defaults={"quiet_from_minute": 0, "quiet_until_minute": 0}
        )
    assert (await states(), await left(person)) == ([("dead", "subscribe")], 0)


async def test_words_that_wechat_does_not_take_are_a_dead_letter_at_once(post: Post) -> None:
    person = await post.person(consents_given=1, follows=True)
    post.wechat.answers["subscribe"] = [47003]
    await post.tell(f"person:{person}")
    await post.send()
    row = await Delivery.get()
    assert (row.state, row.error, row.error_code) == (DeliveryState.DEAD, "faulty", 47003)


async def test_a_quota_that_is_used_up_lets_the_whole_channel_rest_and_counts_no_attempt(post: Post) -> None:
    for _ in range(3):
        await post.tell(f"person:{await post.person(consents_given=1)}")
    post.wechat.answers["subscribe"] = [45011] * 3
    await post.send()
    await post.tell(f"person:{await post.person(consents_given=1)}")
    await post.send()
    rows = await Delivery.all()
    assert {(row.state, row.attempts) for row in rows} == {(DeliveryState.WAITING, 0)}
    assert all(row.next_at > NOW for row in rows)
    post.clock.advance(timedelta(minutes=2))
    await post.send()
    assert post.sent == ["subscribe"] * 4


@pytest.mark.parametrize(("topic", "goes"), [("review.passed", False), ("reminder.round_opens", True)])
async def test_in_the_quiet_hours_only_what_is_urgent_goes_out(post: Post, topic: str, goes: bool) -> None:
    person = await post.person(follows=True)
    post.clock.advance(13 * HOUR)  # 23:00 in China
    await post.tell(f"person:{person}", topic)
    await post.send()
    assert bool(post.sent) is goes
    post.clock.advance(9 * HOUR)
    await post.send()
    assert post.sent == ["template"]


async def test_somebody_may_choose_quiet_hours_of_their_own(post: Post) -> None:
    person = await post.person(follows=True)
    await DeliveryPreference.create(person_id=person, quiet_from_minute=9 * 60, quiet_until_minute=11 * 60)
    await post.tell(f"person:{person}")
    await post.send()
    assert post.sent == []
    assert (await Delivery.get()).next_at == NOW + HOUR


async def test_what_comes_too_late_is_dropped_with_a_reason_and_stays_in_the_inbox(post: Post) -> None:
    person = await post.person(consents_given=2, template="deadline")
    post.offsets["elsewhere"] = -HOUR
    for slug, topic in (
        ("here", "reminder.order_step"),
        ("elsewhere", "reminder.order_step"),
        ("here", "sanction.hearing"),
    ):
        await post.tell(f"person:{person}", topic, until=(NOW + HOUR).isoformat(), programme=slug)
    post.wechat.answers["subscribe"] = [45009] * 2  # The channel rests, with what was set aside.
    await post.send()
    assert (post.sent, await left(person, "deadline")) == ([], 0)
    await Delivery.all().update(next_at=NOW)
    post.clock.advance(HOUR)  # To the very moment.
    await post.worker().send_due()
    assert await states() == [("expired", None), ("sent", "subscribe"), ("kept", "inbox")]
    assert (await InboxMessage.all().count(), await left(person, "deadline")) == (3, 1)
    dropped = await JournalEntry.get(action="delivery.expired")
    first = await Delivery.all().order_by("id").first()
    assert first is not None and dropped.subject == f"delivery:{first.id}"
    assert (dropped.data["topic"], dropped.data["reason"]) == ("reminder.order_step", "too_late")
    assert await post.worker().send_due() == 0


# -- nothing lost, nothing doubled ------------------------------------------------------------------


class Killed(BaseException):
    """The process ends here and writes nothing any more."""


async def killed_at(post: Post, kill: Any) -> None:
    """Send until the process is killed in the middle of a call."""
    post.wechat.before = kill
    with pytest.raises(BaseException):  # noqa: B017 - as the group of tasks wraps it
        await post.worker().send_due()
    post.wechat.before = lambda *_: None


def die(*_: Any) -> None:
    raise Killed


async def test_another_worker_goes_on_when_the_lease_of_a_dead_one_ends(post: Post) -> None:
    person = await post.person(consents_given=1, follows=True)
    await post.tell(f"person:{person}")
    await killed_at(post, die)
    assert await post.send() == 0, "whose it was may still be at it"
    post.clock.advance(LEASE)
    await post.send()
    assert (post.sent, await left(person)) == (["subscribe"], 0)


async def test_a_consent_that_the_dead_worker_used_up_means_that_its_message_arrived(post: Post) -> None:
    person = await post.person(consents_given=1, follows=True)
    await post.tell(f"person:{person}")
    await killed_at(post, die)
    post.clock.advance(LEASE)
    post.wechat.answers["subscribe"] = [43101]
    await post.send()
    assert (post.sent, await states()) == ([], [("sent", "subscribe")])


async def test_no_answer_is_tried_again_by_the_same_channel_under_the_same_name(post: Post) -> None:
    person = await post.person(follows=True, phone="19900001234")
    names: list[str] = []
    post.wechat.before = lambda _, body: names.append(body["client_msg_id"])
    post.wechat.answers["template"] = [WechatUnavailable(retry_after=1)]
    await post.tell(f"person:{person}")
    await post.send()
    post.clock.advance(timedelta(minutes=1))
    await post.send()
    assert (post.sent, len(names), len(set(names))) == (["template"], 2, 1)


async def test_whose_lease_ended_writes_nothing_any_more(post: Post) -> None:
    person = await post.person(follows=True)
    await post.tell(f"person:{person}")
    slow, quick = post.worker(), post.worker()
    page = await slow._claim()
    ready = await slow._prepare(page)
    post.clock.advance(LEASE)
    await quick.send_due()
    await slow._carry_all(ready, page)
    assert (post.sent, await states()) == (["template"], [("sent", "template")])


async def test_two_messages_never_take_the_same_consent(post: Post) -> None:
    person = await post.person(consents_given=1)
    await post.tell(f"person:{person}")
    await post.tell(f"person:{person}")
    await post.send()
    assert (post.sent, sorted(await states())) == (
        ["subscribe"],
        [("kept", "inbox"), ("sent", "subscribe")],
    )


async def test_one_that_cannot_be_worded_or_sent_keeps_no_other_from_its_way(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [await post.person(follows=True) for _ in range(3)]
    for number, person in enumerate(people):
        await post.tell(f"person:{person}", title="坏" if number == 0 else "好")
    post.wechat.answers["template"] = [KeyError("unheard of"), 0]

    def worded(topic: str, data: Mapping[str, Any], **others: Any) -> Notice:
        if data["title"] == "坏":
            raise ValueError
        return notice(topic, data, **others)

    monkeypatch.setattr(deliveries, "notice", worded)
    await post.send()
    assert sorted(await states()) == [("dead", None), ("sent", "template"), ("waiting", "template")]
    post.clock.advance(timedelta(minutes=1))
    await post.send()
    assert sorted(await states()) == [("dead", None), ("sent", "template"), ("sent", "template")]


async def test_a_launch_goes_before_every_page(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "PAGE", 2)
    for _ in range(3):
        await post.tell(f"person:{await post.person(follows=True)}")
    turns: list[int] = []

    async def turn() -> None:
        turns.append(len(post.sent))

    await post.deliveries.send_due(turn=turn)
    assert turns == [0, 2, 3]


# -- consents ---------------------------------------------------------------------------------------


async def test_a_consent_told_by_phone_and_by_wechat_is_one(post: Post) -> None:
    person = await post.person()
    for source in (consents.PHONE, consents.WECHAT, consents.WECHAT, consents.PHONE):
        await consents.given(person, "review", source=source, long_term=False, now=NOW)
    assert await left(person) == 2
    await consents.given(person, "review", source=consents.PHONE, long_term=False, now=NOW + HOUR)
    assert await left(person) == 3
    await consents.refused(person, "review", source=consents.PHONE, now=NOW, for_good=False)
    assert await left(person) == 3
    await consents.refused(person, "review", source=consents.WECHAT, now=NOW, for_good=True)
    assert await left(person) == 0


async def test_a_consent_for_good_is_never_used_up_until_it_is_refused(post: Post) -> None:
    person = await post.person()
    await consents.given(person, "review", source=consents.PHONE, long_term=True, now=NOW)
    for _ in range(3):
        await post.tell(f"person:{person}")
    await post.send()
    post.wechat.answers["subscribe"] = [43101]
    for _ in range(2):
        await post.tell(f"person:{person}")
        await post.send()
    assert post.sent == ["subscribe"] * 3
    assert not (await ConsentBalance.get()).long_term


async def test_nobody_consents_without_end(post: Post) -> None:
    person = await post.person()
    for _ in range(consents.MOST_LEFT + 5):
        await consents.given(person, "review", source=consents.PHONE, long_term=False, now=NOW)
    assert await left(person) == consents.MOST_LEFT


def an_event(kind: MessageKind, data: dict[str, Any], *, sender_id: int = 0, openid: str = "") -> ChatMessage:
    account = WechatAccount.MINI if kind is MessageKind.SUBSCRIBE_RESULT else WechatAccount.OFFICIAL
    return ChatMessage(
        account=account, openid=openid, sent_at=NOW, key="1", kind=kind, data=data, sender_id=sender_id
    )


async def test_wechats_own_word_of_consents_is_heard(post: Post) -> None:
    person = await post.person()
    sender = await post.sender(account=WechatAccount.MINI, person_id=person)
    reports = DeliveryReports(post.messages, post.sealer, post.clock)

    async def hear(event: str, *items: dict[str, str]) -> None:
        data = {f"subscribemsg{event}event": {"list": list(items) if len(items) > 1 else items[0]}}
        await reports.subscribe_result(an_event(MessageKind.SUBSCRIBE_RESULT, data, sender_id=sender))

    def item(status: str, template: str = "review") -> dict[str, str]:
        return {"templateid": f"demo-subscribe-{template}", "subscribestatusstring": status}

    await hear("popup", item("accept"), item("accept", "order"), item("accept", "unheard-of"))
    assert (await left(person), await left(person, "order")) == (1, 1)
    await hear("popup", item("reject"))
    assert await left(person) == 1
    await hear("change", item("reject"))
    assert await left(person) == 0


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"subscribemsgpopupevent": ""},
        {"subscribemsgpopupevent": {"list": "x"}},
        {"subscribemsgsentevent": {"list": {"msgid": "9" * 999, "errorcode": "1"}}},
        {"subscribemsgchangeevent": {"list": [{"templateid": None}, 7]}},
    ],
)
async def test_a_report_that_makes_no_sense_changes_nothing(post: Post, data: dict[str, Any]) -> None:
    reports = DeliveryReports(post.messages, post.sealer, post.clock)
    await reports.subscribe_result(an_event(MessageKind.SUBSCRIBE_RESULT, data))
    await reports.template_result(an_event(MessageKind.TEMPLATE_RESULT, data))
    assert await ConsentEntry.all().count() == 0


async def test_what_wechat_could_not_deliver_after_all_goes_by_another_channel_once(post: Post) -> None:
    person = await post.person(consents_given=1, follows=True)
    await post.tell(f"person:{person}")
    await post.send()
    reports = DeliveryReports(post.messages, post.sealer, post.clock)
    failed = {"subscribemsgsentevent": {"list": {"msgid": "1", "errorcode": "20"}}}
    for _ in range(2):
        await reports.subscribe_result(an_event(MessageKind.SUBSCRIBE_RESULT, failed))
        await post.send()
    assert post.sent == ["subscribe", "template"]
    for status in ("success", "failed:user block", "failed:user block"):
        told = {"msgid": "2", "status": status}
        await reports.template_result(an_event(MessageKind.TEMPLATE_RESULT, told))
        await post.send()
    assert (post.sent, await states()) == (["subscribe", "template"], [("kept", "inbox")])


# -- the chat ---------------------------------------------------------------------------------------


async def said(post: Post) -> list[str]:
    return [body["text"]["content"] for channel, body in post.wechat.sent if channel == "custom"]


async def test_what_is_said_in_one_go_is_one_message(post: Post) -> None:
    sender = await post.sender(wrote_at=NOW, messages_left=5)
    for text in ("收到。", "编号 C-1。", "五个工作日内答复。"):
        await post.replies.say(sender, text, now=NOW)
    await post.send()
    assert await said(post) == ["收到。\n编号 C-1。\n五个工作日内答复。"]
    assert (await ChatSender.get()).messages_left == 4
    assert (await Delivery.get()).text_sealed == "", "what was said is forgotten once it is said"


async def test_a_tap_lets_three_through_and_the_rest_waits_until_they_write(post: Post) -> None:
    sender = await post.sender(last_tap_at=NOW, taps_left=3)
    for number in range(4):
        await post.replies.say(sender, f"{number}" + "长" * 600, now=NOW)
    await post.send()
    assert [text[0] for text in await said(post)] == ["0", "1", "2"]
    assert await states() == [("sent", "custom")] * 3 + [("held", None)]
    assert post.sent[3:] == ["template"], "which says that there is an answer"
    post.clock.advance(HOUR)
    assert await post.deliveries.wake_due() == 0
    await ChatSender.all().update(last_message_at=post.clock.now(), messages_left=5)
    assert await post.deliveries.wake_due() == 1
    await post.send()
    assert [text[0] for text in await said(post)] == ["0", "1", "2", "3"]


async def test_what_was_held_is_said_before_the_answer_to_what_they_write_now(post: Post) -> None:
    sender = await post.sender()
    await post.replies.say(sender, "旧答复", now=NOW)
    await post.send()
    post.clock.advance(HOUR)
    openid = post.sealer.open((await ChatSender.get()).openid_sealed)
    written = replace(an_event(MessageKind.TEXT, {}, openid=openid), sent_at=post.clock.now())
    async with in_transaction():
        await chat_senders.sender_of(written, sealer=post.sealer, now=post.clock.now())
        await post.replies.say(sender, "新答复", now=post.clock.now())
    await post.send()
    assert await said(post) == ["旧答复\n新答复"]


async def test_a_window_that_wechat_closed_tells_by_another_channel_that_there_is_an_answer(
    post: Post,
) -> None:
    person = await post.person()
    sender = await post.sender(person_id=person, wrote_at=NOW, messages_left=5)
    post.wechat.answers["custom"] = [45015]
    await post.replies.say(sender, "张三，您的号码是 199。", now=NOW)
    await post.send()
    ((channel, body),) = post.wechat.sent
    assert channel == "template"
    assert "张三" not in str(body)
    assert (await Delivery.get()).state is DeliveryState.HELD
    post.clock.advance(HOUR)
    await ChatSender.all().update(last_message_at=post.clock.now(), messages_left=5)
    await post.deliveries.wake_due()
    await post.send()
    assert await said(post) == ["张三，您的号码是 199。"]


async def test_replies_come_in_the_order_in_which_they_were_said(post: Post) -> None:
    sender = await post.sender(wrote_at=NOW, messages_left=5)
    await post.replies.say(sender, "\n".join(f"{number}" + "长" * 600 for number in range(4)), now=NOW)
    await post.send()
    assert [text[0] for text in await said(post)] == ["0", "1", "2", "3"]


async def test_no_reply_overtakes_one_that_another_process_has_or_that_is_tried_again(post: Post) -> None:
    sender = await post.sender(wrote_at=NOW, messages_left=5)
    await post.replies.say(sender, "\n".join(f"{number}" + "长" * 600 for number in range(4)), now=NOW)
    other = post.worker()
    page = await other._claim()
    assert await post.send() == 0
    await other._carry_all(await other._prepare(page), page)
    post.wechat.answers["custom"] = [WechatUnavailable(retry_after=1)]
    await post.send()
    assert [text[0] for text in await said(post)] == ["0"]
    post.clock.advance(HOUR)
    await post.send()
    assert [text[0] for text in await said(post)] == ["0", "1", "2", "3"]


async def test_a_reply_that_will_not_go_holds_the_later_ones_for_a_few_attempts_only(post: Post) -> None:
    sender = await post.sender(wrote_at=NOW, messages_left=20)
    await post.replies.say(sender, "\n".join(f"{number}" + "长" * 600 for number in range(2)), now=NOW)
    post.wechat.answers["custom"] = [WechatUnavailable(retry_after=1)] * PATIENCE
    for attempt in range(PATIENCE):
        assert (await said(post), await Delivery.all().order_by("id").values_list("attempts", flat=True)) == (
            [],
            [attempt, 0],
        )
        await post.send()
        post.clock.advance(HOUR)
    await Delivery.filter(attempts=PATIENCE).update(next_at=post.clock.now() + HOUR)
    await post.send()
    assert [text[0] for text in await said(post)] == ["1"]


async def test_somebody_who_never_signed_in_is_told_where_they_wrote(post: Post) -> None:
    sender = await post.sender(wrote_at=NOW, messages_left=5, unsubscribed_at=NOW)
    await post.tell(f"sender:{sender}", "membership.ended")
    await post.tell(f"sender:{sender}")
    await post.send()
    assert [text.partition("\n")[0] for text in await said(post)] == ["已不再代表企业", "审核通过"]


async def test_what_nobody_came_for_is_no_longer_held(post: Post) -> None:
    sender = await post.sender(unsubscribed_at=NOW)
    await post.tell(f"sender:{sender}", TOPIC)
    await post.send()
    assert await states() == [("held", "inbox")]
    post.clock.advance(timedelta(days=31))
    await post.deliveries.wake_due()
    assert await states() == [("kept", "inbox")]


async def test_a_consent_is_given_back_when_its_channel_is_no_longer_there(post: Post) -> None:
    person = await post.person(consents_given=1, follows=True)
    post.wechat.answers["subscribe"] = [-1]
    await post.tell(f"person:{person}")
    await post.send()
    assert await left(person) == 0
    post.wechat.accounts = frozenset({WechatAccount.OFFICIAL})
    post.clock.advance(timedelta(minutes=1))
    await post.send()
    assert (post.sent, await left(person)) == (["template"], 1)
