"""The chat's form: what was said stands in it, it is filed once, and the link is the only key."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from server.keys import CHAT_DESK, CHAT_DOOR, SEALER
from server.models.chat import ChatSender, Conversation
from server.models.complaints import Complainant, Complaint
from server.rules.chat_messages import ChatMessage, MessageKind, WechatAccount
from tests.town import PROGRAMME, Caller, Town

STORY = "收了钱没有来"


async def _say(town: Town, sender: ChatSender, *messages: str) -> str:
    answer = ""
    for text in messages:
        message = ChatMessage(
            account=sender.account,
            openid="o-form",
            sent_at=town.now,
            key=f"{sender.id}-{text}",
            kind=MessageKind.TEXT,
            text=text,
            sender_id=sender.id,
        )
        answer = await town.app[CHAT_DESK].conversations.hear(message) or ""
    return answer


async def _begun(town: Town) -> tuple[ChatSender, str]:
    """Somebody has told their story in the chat and asked for the form: the sender and the link's token."""
    sealer = town.app[SEALER]
    sender = await ChatSender.create(
        account=WechatAccount.OFFICIAL,
        openid_index=sealer.blind("o-form"),
        openid_sealed=sealer.seal("o-form"),
        first_seen_at=town.now,
    )
    answer = await _say(town, sender, "投诉", "5", "跳过", STORY, "昨天", "表单")
    return sender, answer.partition("draft=")[2].partition("\n")[0].partition('"')[0]


def _form(**others: Any) -> dict[str, Any]:
    return {"subject": "other", "programme": PROGRAMME, "happened": STORY, "anonymous": True, **others}


async def test_the_form_begins_with_what_was_said(town: Town) -> None:
    _, token = await _begun(town)
    shown = await town.anybody.get(f"complaints/drafts/{token}")
    assert shown.status == 200
    assert (shown.body["subject"], shown.body["happened"], shown.body["anonymous"]) == ("other", STORY, None)
    assert shown.body["since"]


async def test_it_is_filed_once_and_the_chat_ends_with_it(town: Town) -> None:
    sender, token = await _begun(town)
    form = _form(happened="收了钱没有来，电话也不接", wanted="退钱", anonymous=False, name="张三")
    filed = await town.anybody.post(f"complaints/drafts/{token}", **form)
    assert filed.status == 201
    case = await Complaint.get()
    assert filed.body["number"] == case.number
    assert (await Complainant.get(complaint_id=case.id)).sender_id == sender.id
    assert (await town.anybody.post(f"complaints/drafts/{token}", **form)).status == 404
    assert (await town.anybody.get(f"complaints/drafts/{token}")).status == 404
    assert await Complaint.all().count() == 1
    assert "请回复数字选择" in await _say(town, sender, "你好")
    assert case.number in await _say(town, sender, "进度")


async def test_a_refused_form_leaves_the_draft_as_it_was(town: Town) -> None:
    _, token = await _begun(town)
    refused = await town.anybody.post(f"complaints/drafts/{token}", **_form(happened="   "))
    assert (refused.status, refused.code) == (422, "complaint_empty")
    unread = await town.anybody.post(f"complaints/drafts/{token}", **_form(subject="order", about="D-1"))
    assert (unread.status, unread.code) == (422, "complaint_reveal_unread")
    assert (await town.anybody.post(f"complaints/drafts/{token}", **_form())).status == 201


@pytest.mark.parametrize("token", ["A" * 22, "x" * 64, "0" * 16])
async def test_a_link_that_is_none_opens_nothing(town: Town, token: str) -> None:
    await _begun(town)
    assert (await town.anybody.get(f"complaints/drafts/{token}")).status == 404
    assert (await town.anybody.post(f"complaints/drafts/{token}", **_form())).status == 404
    assert (await town.anybody.get(f"chat/checked-media/{token}")).status == 404


async def test_a_link_ends_after_a_day_and_when_there_is_a_newer_one(town: Town) -> None:
    sender, old = await _begun(town)
    answer = await _say(town, sender, "填表")
    new = answer.partition("draft=")[2].partition("\n")[0].partition('"')[0]
    assert (await town.anybody.get(f"complaints/drafts/{old}")).status == 404
    assert (await town.anybody.get(f"complaints/drafts/{new}")).status == 200
    town.clock.advance(timedelta(days=1, minutes=1))
    assert (await town.anybody.get(f"complaints/drafts/{new}")).status == 404
    kept = (await Conversation.get(ended_at=None)).form_index
    assert kept and new not in kept


async def test_the_door_s_messages_are_heard_by_the_conversation(town: Town) -> None:
    door = town.app[CHAT_DOOR]
    message = ChatMessage(
        account=WechatAccount.OFFICIAL,
        openid="o-door",
        sent_at=town.now,
        key="door-1",
        kind=MessageKind.TEXT,
        text="投诉",
    )
    first = await door.receive(message, now=town.now)
    again = await door.receive(message, now=town.now)
    assert first is not None and "您要反映的是什么" in first and again == first
    assert (await Conversation.get()).version == 2


async def test_nobody_needs_to_be_signed_in_and_nothing_is_told_to_a_guess(town: Town) -> None:
    _, token = await _begun(town)
    somebody: Caller = await town.person()
    assert (await somebody.get(f"complaints/drafts/{token}")).status == 200
    assert (await somebody.get(f"complaints/drafts/{token[:-1]}_")).status == 404
