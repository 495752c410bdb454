"""Conversations on the database: kept, resumed, filed, and never mixed up."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random

import pytest

from server.errors import Refusal
from server.models.chat import ChatMedia, ContentCheck, Conversation
from server.models.complaints import Complainant, Complaint, ComplaintEntry
from server.rules.chat_messages import MessageKind
from server.rules.complaints import ComplaintStatus, EntryKind, SubjectKind
from server.services.access import NotFound
from server.services.chat.chat_forms import ChatForms, FormAnswers
from server.services.complaints.complaints import Whose
from tests.chatting import Chat
from tests.complaining import LISHUI, Hall
from tests.contracting import SEALER
from tests.talking import CHART

TO_THE_READBACK = ("没有来就收了钱", "上周三", "退钱", "跳过", "匿名")


@pytest.fixture
def chat(hall: Hall) -> Chat:
    return Chat(hall)


def _place(hall: Hall) -> str:
    """The number under which the programme of these tests is offered."""
    slugs = sorted(one.slug for one in hall.programmes)
    return str(slugs.index(LISHUI) + 1)


@pytest.mark.rules("LS-80", "LS-81")
async def test_somebody_unknown_gets_a_number_and_a_day_at_once(chat: Chat, hall: Hall) -> None:
    phone = await chat.phone()
    answer = await phone.say("投诉", "5", _place(hall), *TO_THE_READBACK, "1")
    case = await Complaint.get()
    assert case.number in answer and "前答复" in answer
    assert SEALER.open(case.happened_sealed) == "没有来就收了钱"
    assert (case.programme_slug, case.subject, case.anonymous) == (LISHUI, SubjectKind.OTHER, True)
    whose = await Complainant.get(complaint_id=case.id)
    assert (whose.person_id, whose.sender_id) == (None, phone.sender.id)
    ended = await Conversation.get()
    assert ended.ended_at is not None and ended.draft_sealed == ""


async def test_orders_are_offered_to_whoever_has_some_and_to_nobody_else(chat: Chat, hall: Hall) -> None:
    order = await hall.order()
    known = await chat.phone(await hall.handler_of(order.enterprise_id))
    unknown = await chat.phone()
    assert order.number in await known.say("投诉", "1")
    assert order.number not in await unknown.say("投诉", "1")
    await known.say("1", *TO_THE_READBACK, "1")
    case = await Complaint.get()
    assert (case.subject, case.subject_id) == (SubjectKind.ORDER, order.id)
    assert case.accused_id == order.provider_id


async def test_an_order_number_in_words_leads_to_the_order_without_telling_anybody(
    chat: Chat, hall: Hall
) -> None:
    order = await hall.order()
    right, wrong = await chat.phone(), await chat.phone()
    answers = [
        await phone.say("投诉", "1", number, _place(hall), *TO_THE_READBACK)
        for phone, number in ((right, order.number), (wrong, order.number[::-1]))
    ]
    assert answers[0].replace(order.number, "") == answers[1].replace(order.number[::-1], "")
    await right.say("1")
    await wrong.say("1")
    subjects = await Complaint.all().order_by("id").values_list("subject", "subject_id")
    assert list(subjects) == [(SubjectKind.ORDER, order.id), (SubjectKind.OTHER, None)]
    second = await Complaint.all().order_by("-id").first()
    assert second is not None and order.number[::-1] in SEALER.open(second.happened_sealed)


async def test_a_stranger_s_order_is_no_subject_for_somebody_known(chat: Chat, hall: Hall) -> None:
    order, other = await hall.order(), await hall.order()
    phone = await chat.phone(await hall.handler_of(order.enterprise_id))
    await phone.say("投诉", "1", other.number, _place(hall), *TO_THE_READBACK, "1")
    assert (await Complaint.get()).subject is SubjectKind.OTHER


async def test_days_later_one_goes_on_where_one_left_off(chat: Chat, hall: Hall) -> None:
    phone = await chat.phone()
    await phone.say("投诉", "5", _place(hall), "没有来就收了钱")
    hall.clock.advance(timedelta(days=3))
    answer = await phone.say("昨天")
    assert "3 天前" in answer and "pages/complaint/form?draft=" in answer
    assert (await phone.draft()).get("happened") == "没有来就收了钱"


async def test_what_nobody_touches_for_a_season_is_forgotten(chat: Chat, hall: Hall) -> None:
    phone = await chat.phone()
    await phone.say("投诉", "5", _place(hall), "没有来就收了钱")
    hall.clock.advance(timedelta(days=CHART.keep_days - 1))
    assert await chat.conversations.forget() == 0
    hall.clock.advance(timedelta(days=2))
    assert await chat.conversations.forget() == 1
    assert (await Conversation.get()).draft_sealed == ""


async def test_what_is_said_is_sealed(chat: Chat, hall: Hall) -> None:
    phone = await chat.phone()
    await phone.say("投诉", "5", _place(hall), "没有来就收了钱", "昨天", "退钱")
    await phone.say("跳过", "2", "张三", "13800000000")
    kept = (await Conversation.get()).draft_sealed
    assert "张三" not in kept and "13800000000" not in kept and "收了钱" not in kept


async def test_messages_of_one_moment_are_heard_one_after_the_other(chat: Chat, hall: Hall) -> None:
    phone = await chat.phone()
    await phone.say("投诉", "5", _place(hall))
    texts = [f"第{word}件事没有做" for word in "甲乙丙丁戊"]
    await asyncio.gather(*(phone.say(text) for text in texts))
    draft = await phone.draft()
    assert all(text in "\n".join((*draft.fields.values(), *draft.remarks)) for text in texts)
    row = await Conversation.get()
    assert row.version == 4 + len(texts)


async def test_two_senders_never_see_each_other(chat: Chat, hall: Hall) -> None:
    one, other = await chat.phone(), await chat.phone()
    await one.say("投诉", "5", _place(hall), *TO_THE_READBACK, "1")
    case = await Complaint.get()
    assert case.number in await one.say("进度")
    assert "没有查到" in await other.say("进度")
    assert "补充说明" not in await other.say(case.number)


async def test_a_case_is_added_to_urged_and_withdrawn(chat: Chat, hall: Hall) -> None:
    phone = await chat.phone()
    await phone.say("投诉", "5", _place(hall), *TO_THE_READBACK, "1")
    case = await Complaint.get()
    assert case.number in await phone.say(case.number, "1", "他们又来要钱", "完成")
    assert case.number in await phone.say(case.number, "催办")
    assert "催办" not in await phone.say(case.number)
    assert "撤回" in await phone.say("撤回", "1")
    case = await Complaint.get()
    assert (case.status, case.urges) == (ComplaintStatus.WITHDRAWN, 1)
    kinds = [entry.kind for entry in await ComplaintEntry.all().order_by("id")]
    assert kinds == [EntryKind.FILED, EntryKind.SUPPLEMENT, EntryKind.URGED, EntryKind.WITHDRAWN]


@pytest.mark.rules("LS-83")
async def test_an_answer_is_read_here_confirmed_with_stars_or_taken_to_the_mailbox(
    chat: Chat, hall: Hall
) -> None:
    content, not_content = await chat.phone(), await chat.phone()
    for phone in (content, not_content):
        await phone.say("投诉", "5", _place(hall), *TO_THE_READBACK, "1")
    cases = await Complaint.all().order_by("id")
    for case in cases:
        await hall.answered(case)
    assert "答复如下" in await content.say(cases[0].number)
    await content.say("满意", "2")
    await not_content.say(cases[1].number, "不认可", "2", "没有退钱", "完成")
    first, second = await Complaint.all().order_by("id")
    assert (first.status, first.handling) == (ComplaintStatus.CLOSED, "基本满意")
    assert (second.status, second.sealed) == (ComplaintStatus.FILED, True)


async def test_a_call_for_a_person_becomes_a_case_with_an_answer_to_come(chat: Chat) -> None:
    phone = await chat.phone()
    answer = await phone.say("人工", "券领了怎么用？")
    case = await Complaint.get()
    assert case.number in answer and SEALER.open(case.happened_sealed) == "券领了怎么用？"


async def test_a_refusal_is_said_and_nothing_that_was_written_is_gone(
    chat: Chat, hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = await chat.phone()
    await phone.say("投诉", "5", _place(hall), *TO_THE_READBACK)
    monkeypatch.setattr("server.services.allowances.COMPLAINTS", 0)
    answer = await phone.say("1")
    assert not await Complaint.exists()
    assert "请核对" in answer
    monkeypatch.undo()
    assert "编号" in await phone.say("1")
    assert await Complaint.all().count() == 1


async def test_more_than_a_case_s_first_message_holds_is_added_to_it(chat: Chat, hall: Hall) -> None:
    phone, words = await chat.phone(), "他们收了钱就不来了。" * 900
    await phone.say("投诉", "5", _place(hall), words, "跳过", "跳过", "跳过", "1", "1")
    case = await Complaint.get()
    entries = await ComplaintEntry.filter(kind=EntryKind.SUPPLEMENT).order_by("id")
    rest = "".join(SEALER.open(one.words_sealed).removeprefix("（续）") for one in entries)
    assert SEALER.open(case.happened_sealed) + rest == words


async def test_what_was_sent_waits_to_be_fetched_and_goes_with_the_case(chat: Chat, hall: Hall) -> None:
    phone = await chat.phone()
    await phone.say("投诉", "5", _place(hall), "没有来就收了钱", "跳过", "跳过")
    answer = await phone.send(MessageKind.IMAGE, "media-1")
    assert "第 1 份" in answer
    await phone.say("完成", "1", "1")
    media, case = await ChatMedia.get(), await Complaint.get()
    assert (media.status, media.complaint_id, media.added_at) == ("waiting", case.id, None)
    assert "media-1" not in media.media_id_sealed


async def test_a_voice_with_words_is_an_answer_and_without_words_is_kept(chat: Chat, hall: Hall) -> None:
    phone = await chat.phone()
    await phone.say("投诉", "5", _place(hall))
    assert "再用文字写" in await phone.send(MessageKind.VOICE, "voice-1")
    answer = await phone.send(MessageKind.VOICE, "voice-2", recognition="他们收了钱没有来。")
    assert "他们收了钱没有来" in answer
    draft = await phone.draft()
    assert draft.get("happened") == "他们收了钱没有来。" and len(draft.media) == 2


async def test_the_words_of_a_case_are_to_be_checked(chat: Chat, hall: Hall) -> None:
    phone = await chat.phone()
    await phone.say("投诉", "5", _place(hall), *TO_THE_READBACK, "1")
    check, case = await ContentCheck.get(), await Complaint.get()
    assert (check.complaint_id, check.status) == (case.id, "waiting")
    assert "没有来就收了钱" in SEALER.open(check.text_sealed)


async def test_a_draft_that_no_key_opens_begins_anew(chat: Chat, hall: Hall) -> None:
    phone = await chat.phone()
    await phone.say("投诉", "5")
    await Conversation.all().update(draft_sealed="other.AAAA")
    assert await phone.say("你好")


async def test_a_case_s_verbs_still_ask_whose_it_is(chat: Chat, hall: Hall) -> None:
    phone, other = await chat.phone(), await chat.phone()
    await phone.say("投诉", "5", _place(hall), *TO_THE_READBACK, "1")
    case = await Complaint.get()
    with pytest.raises(Refusal):
        await hall.complaints.own(case.id, Whose(None, other.sender.id))


async def test_the_chat_and_the_form_filed_at_the_same_moment_make_one_case(chat: Chat, hall: Hall) -> None:
    forms = ChatForms(chat.conversations, SEALER, hall.clocks.base)
    answers = FormAnswers(
        kind=SubjectKind.OTHER,
        subject="",
        programme=LISHUI,
        happened="没有来就收了钱",
        since=None,
        wanted="",
        anonymous=True,
        name="",
        contact="",
    )
    for number in range(1, 4):
        phone = await chat.phone()
        await phone.say("投诉", "5", _place(hall), *TO_THE_READBACK)
        link = await phone.say("表单")
        token = link.partition("draft=")[2].split()[0]
        said, filed = await asyncio.gather(phone.say("1"), forms.file(token, answers), return_exceptions=True)
        assert await Complaint.all().count() == number
        assert isinstance(said, str), said
        assert ("编号" in said) is isinstance(filed, NotFound)


WORDS = (
    *("投诉", "进度", "人工", "返回", "取消", "跳过", "完成", "表单", "你好", "继续"),
    *("1", "2", "3", "4", "5", "6", "7", "昨天", "3月5日", "13800000000", "张三", "😊"),
)


@pytest.mark.parametrize("seed", range(4))
async def test_any_course_of_messages_is_answered_and_loses_no_statement(
    chat: Chat, hall: Hall, seed: int
) -> None:
    random, phone = Random(seed), await chat.phone()
    stated: list[str] = []
    for number in range(70):
        if random.random() < 0.25:
            words = f"陈述{number}，他们没有来"
            stated.append(words)
        else:
            words = random.choice(WORDS)
        answer = await phone.say(words)
        assert len(answer.encode()) <= 2048
        if "已放弃" in answer:
            stated.clear()
        if random.random() < 0.1:
            await phone.send(MessageKind.IMAGE, f"media-{number}")
        hall.clock.advance(timedelta(minutes=random.choice([0, 1, 600])))
    draft = await phone.draft()
    cases = await Complaint.all()
    told = [SEALER.open(sealed) for one in cases for sealed in (one.happened_sealed, one.wanted_sealed)]
    told += [SEALER.open(one.words_sealed) for one in await ComplaintEntry.all()]
    told += [*draft.fields.values(), *draft.remarks]
    kept = "\n".join(told)
    assert [one for one in stated if one not in kept] == []
