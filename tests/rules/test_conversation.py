"""The conversation: every path of the chart, and everything that somebody may send along the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.programme.chart import Act, Ask, Shelf, ways
from server.rules.chat_draft import Draft
from server.rules.chat_messages import MessageKind
from server.rules.chat_turns import Heard, Turn
from server.rules.conversation import step
from server.rules.said import story
from tests.talking import CHART, FACTS, OFFERS, TODAY, Talk

KINDS = MessageKind
ANSWERS: dict[Ask, tuple[str, ...]] = {
    Ask.OFFER: ("1",),
    Ask.TEXT: ("收了钱没有来",),
    Ask.COLLECT: ("又来电话了", "完成"),
    Ask.DAY: ("昨天",),
    Ask.NAME: ("张女士",),
    Ask.CONTACT: ("13800000000",),
    Ask.MEDIA: ("完成",),
}
"""An answer of each kind that leads on."""


def _routes() -> list[tuple[str, ...]]:
    """For every way out of every state, a course of messages from home that takes it and then ends."""
    to: dict[str, tuple[str, ...]] = {CHART.home: ()}
    found: list[tuple[str, ...]] = []
    waiting = [CHART.home]
    while waiting:
        code = waiting.pop(0)
        state = CHART.state(code)
        onward = (
            [((str(place),), one.next) for place, one in enumerate(state.choices, 1)]
            if state.ask is Ask.CHOICE
            else [(ANSWERS.get(state.ask, ()), state.next)]
        )
        for said, following in onward:
            route = (*to[code], *said)
            found.append(route)
            if following not in to and following and CHART.state(following).ask is not Ask.END:
                to[following] = route
                waiting.append(following)
    return found


ROUTES = _routes()


def _to_the_end(talk: Talk) -> None:
    """Answer whatever is asked, by the first choice, until something is done or it is over."""
    for _ in range(40):
        if talk.last.ended or talk.last.act:
            return
        state = CHART.state(talk.state)
        bare = state.offers is not None and not talk.offers.get(state.offers)
        talk.say(*(("不在其中",) if bare else ANSWERS.get(state.ask) or ("1",)))
    raise AssertionError(f"no end from {talk.state}")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: "-".join(route)[:60] or "nothing")
def test_every_path_ends_in_a_deed_or_in_an_explained_end(route: tuple[str, ...]) -> None:
    talk = Talk()
    talk.say("你好", *route)
    _to_the_end(talk)
    assert talk.last.act or talk.last.ended


def test_the_paths_pass_every_state_of_the_chart_and_do_every_deed() -> None:
    passed: set[str] = set()
    done: set[str] = set()
    for route in ROUTES:
        talk = Talk()
        talk.say("你好")
        for message in route:
            talk.say(message)
            passed.add(talk.state)
        _to_the_end(talk)
        done.update(talk.acts)
    talk = Talk()
    talk.say("投诉", "取消")
    passed.add(talk.state)
    ends = {state.code for state in CHART.states if state.ask is Ask.END}
    assert passed >= {state.code for state in CHART.states} - ends
    assert done == {act.value for act in Act}


def test_a_complaint_is_filed_as_it_was_said() -> None:
    talk = Talk()
    talk.say("投诉", "1", "1", "收了定金，一直不来", "上周三", "退定金")
    talk.send(KINDS.IMAGE, 31)
    talk.send(KINDS.VOICE, 32)
    answer = talk.say("完成", "2", "张三", "电话 138 0000 0000")
    assert "D-7 数字化诊断" in answer and "2 份" in answer and "2026-05-13" in answer
    talk.say("提交")
    acted = talk.last.acted
    assert talk.last.act is Act.FILE and talk.last.ended
    assert dict(acted.fields) | {} == {
        "kind": "order",
        "subject": "D-7 数字化诊断",
        "subject_id": "7",
        "programme": "first",
        "programme_name": "甲地服务券",
        "happened": "收了定金，一直不来",
        "since": "2026-05-13",
        "since_said": "",
        "wanted": "退定金",
        "naming": "named",
        "name": "张三",
        "contact": "电话 138 0000 0000",
    }
    assert acted.media == (31, 32)


def test_naming_an_order_warns_before_anybody_chooses_to_be_anonymous() -> None:
    named, unnamed = Talk(), Talk()
    answers = [
        talk.say("投诉", *way, "没有来", "跳过", "跳过", "跳过")
        for talk, way in ((named, ("1", "1")), (unnamed, ("5", "1")))
    ]
    assert [("由此推知" in answer) for answer in answers] == [True, False]


def test_whoever_stays_anonymous_is_asked_for_no_name_and_no_telephone() -> None:
    talk = Talk()
    answer = talk.say("投诉", "4", "1", "索要好处", "跳过", "跳过", "跳过", "匿名")
    assert talk.state == "readback" and "匿名" in answer
    assert not talk.draft.get("name") and not talk.draft.get("contact")


@pytest.mark.parametrize("said", ["12", "1 2", "11", "一二", "1和2", "第1第2", "0", "999"])
def test_a_number_that_is_not_offered_is_no_choice(said: str) -> None:
    talk = Talk()
    talk.say("投诉")
    answer = talk.say(said)
    assert talk.state == "about" and "只回复数字" in answer


@pytest.mark.parametrize(
    "said",
    [
        "1",
        "１",
        "①",
        "一",
        "1.",
        "1。",
        " 1 ",
        "第一个",
        "选1",
        "1️⃣",
        "（1）",
        "「一」",
        "订单",
    ],
)
def test_a_choice_is_understood_however_it_is_typed(said: str) -> None:
    talk = Talk()
    talk.say("投诉", said)
    assert talk.draft.get("kind") == "order"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("返回", "about"),
        ("上一步。", "about"),
        ("取消", "leaving"),
        ("進度", "progress"),
        ("人工", "human"),
        ("【取消】", "leaving"),
    ],
)
def test_commands_are_heard_in_either_script(said: str, left: str) -> None:
    talk = Talk()
    talk.say("投诉", "2", said)
    assert talk.state == left


@pytest.mark.parametrize(
    "said", ["我不想取消", "请返回我的定金", "进度太慢", "人工费太高", "跳过了验收", "没有完成"]
)
def test_a_sentence_that_holds_a_command_is_none(said: str) -> None:
    talk = Talk()
    talk.say("投诉", "5", "1", said)
    assert talk.draft.get("happened") == said


@pytest.mark.parametrize("state", [one.code for one in CHART.states if one.ask is not Ask.END])
@pytest.mark.parametrize(
    "heard",
    [
        Heard(KINDS.TEXT, ""),
        Heard(KINDS.TEXT, "   \n"),
        Heard(KINDS.TEXT, "😊😊"),
        Heard(KINDS.TEXT, "[微笑][微笑]"),
        Heard(KINDS.TEXT, "/::)"),
        Heard(KINDS.TEXT, "\ud800\x00"),
        Heard(KINDS.STICKER),
        Heard(KINDS.VOICE, media=9),
        Heard(KINDS.VOICE),
        Heard(KINDS.FILE),
        Heard(KINDS.OTHER),
        Heard(KINDS.ENTER_SESSION),
        Heard(KINDS.SUBSCRIBE),
        Heard(KINDS.MENU_TAP, menu_key="old-button"),
        Heard(KINDS.LOCATION, "位置：解放街 1 号"),
        Heard(KINDS.LINK, "链接：帖子 https://example.com"),
        Heard(KINDS.TEXT, "<script>alert(1)</script><a href='https://evil'>点我</a>"),
        Heard(KINDS.TEXT, "很" * 11_000),
    ],
    ids=lambda heard: f"{heard.kind}-{heard.text[:8]!r}" if isinstance(heard, Heard) else None,
)
def test_whatever_is_sent_gets_a_sensible_answer_everywhere(state: str, heard: Heard) -> None:
    talk = Talk(state=state, draft=Draft({"case": "3", "case_number": "TS-3"}))
    answer = talk.hear(heard)
    assert "<script" not in answer and "<a href='" not in answer and "\x00" not in answer


def test_very_long_words_are_kept_whole_and_said_back_short() -> None:
    talk, words = Talk(), "他们收了钱就不来了。" * 800
    talk.say("投诉", "5", "1", words, "跳过", "跳过", "跳过")
    answer = talk.say("1")
    assert "8000 字" in answer and len(answer) < 700
    talk.say("1")
    assert talk.last.acted.get("happened") == words


def test_the_longest_read_back_still_asks_its_question_in_full() -> None:
    talk, words = Talk(), "他们收了钱就不来了，" * 150
    talk.say("投诉", "2", words, "1", words, f"3月5日{words}", words, words, "完成", "2", "某" * 40)
    talk.say(f"{words}13800000000")
    answer = talk.hear(Heard(KINDS.TEXT, words), timedelta(days=3))
    assert answer.endswith("1. 提交\n2. 修改\n3. 放弃") and "全部保存" in answer


def test_more_than_a_conversation_holds_is_said_not_to_be_kept() -> None:
    talk = Talk()
    talk.say("投诉", "5", "1", "起" * 11_000, "跳过")
    assert "没有记下" in talk.say("止" * 5_000)
    assert talk.state == "wanted"


def test_what_was_said_before_it_was_asked_for_becomes_the_story() -> None:
    talk = Talk()
    talk.say("他们骗人")
    talk.send(KINDS.IMAGE, 5)
    answer = talk.say("1", "5", "1")
    assert "他们骗人" in answer
    talk.say("完成")
    assert (talk.draft.get("happened"), talk.draft.media, talk.state) == ("他们骗人", (5,), "since")


def test_words_where_a_day_is_asked_for_go_to_the_story() -> None:
    talk = Talk()
    talk.say("投诉", "5", "1", "收了钱", "后来电话也不接", "3月5日他们说要退")
    assert talk.draft.get("happened") == "收了钱\n后来电话也不接"
    assert (talk.draft.get("since"), talk.draft.get("since_said")) == ("2026-03-05", "3月5日他们说要退")


def test_a_day_that_has_not_come_is_asked_for_again_and_its_words_are_kept() -> None:
    talk = Talk()
    answer = talk.say("投诉", "5", "1", "收了钱", "2027年3月5日起")
    assert "还没有到" in answer and talk.draft.remarks == ("2027年3月5日起",)


@pytest.mark.parametrize(
    ("said", "part"), [("1380000", "7 位"), ("微信就行", "没有看出"), ("不想说", "没有看出")]
)
def test_a_contact_that_is_none_is_asked_for_again(said: str, part: str) -> None:
    talk = Talk()
    answer = talk.say("投诉", "5", "1", "收了钱", "跳过", "跳过", "跳过", "2", "张三", said)
    assert part in answer and talk.state == "contact" and said in talk.draft.remarks


def test_days_later_one_goes_on_where_one_left_off() -> None:
    talk = Talk()
    talk.say("投诉", "5", "1", "收了钱", "跳过")
    answer = talk.hear(Heard(KINDS.TEXT, "退钱"), timedelta(days=3, hours=2))
    assert "3 天前" in answer and talk.last.wants_form and talk.state == "evidence"
    assert talk.draft.get("wanted") == "退钱"


def test_days_later_the_last_word_is_the_receipt_alone() -> None:
    talk = Talk()
    talk.say("投诉", "5", "1", "收了钱", "跳过", "跳过", "跳过", "1")
    answer = talk.hear(Heard(KINDS.TEXT, "1"), timedelta(days=3))
    assert talk.last.act is Act.FILE and "天前" not in answer and "表单" not in answer
    assert "填到一半" not in talk.hear(Heard(KINDS.TEXT, "你好"), timedelta(days=3))


def test_a_word_at_home_is_nothing_half_done() -> None:
    talk = Talk()
    talk.say("有件事想说一下")
    assert "填到一半" not in talk.hear(Heard(KINDS.TEXT, "你好"), timedelta(days=3))


def test_somebody_new_is_not_told_that_they_come_back() -> None:
    talk = Talk()
    assert "填到一半" not in talk.hear(Heard(KINDS.TEXT, "你好"), timedelta(days=30))


def test_a_look_at_a_case_leaves_the_complaint_as_it_was() -> None:
    talk = Talk()
    talk.say("投诉", "5", "1", "收了钱")
    before = talk.draft
    answer = talk.say("进度", "1", "2")
    assert "已催办 TS-3" in answer and talk.last.acted.get("case") == "3"
    assert (talk.state, talk.draft.fields, talk.draft.answered) == ("since", before.fields, before.answered)
    assert not talk.last.ended


def test_a_case_is_found_by_its_number_in_the_middle_of_anything() -> None:
    talk = Talk()
    talk.say("投诉", "2", "ts-4")
    assert (talk.state, talk.draft.get("case")) == ("case", "4")
    assert "评价" in talk.say("帮助") and "催办" not in talk.say("帮助")


def test_a_case_allows_what_its_standing_allows() -> None:
    talk = Talk()
    talk.say("进度", "2", "1", "3")
    assert (talk.last.act, talk.last.acted.get("stars")) == (Act.RATE, "3")


def test_not_content_leads_to_the_mailbox_if_that_is_wanted() -> None:
    talk = Talk()
    talk.say("TS-3", "不认可", "2", "没有退钱")
    talk.send(KINDS.IMAGE, 8)
    talk.say("完成")
    acted = talk.last.acted
    assert talk.last.act is Act.REOPEN
    assert (acted.get("instance"), acted.get("words"), acted.side_media) == ("mailbox", "没有退钱", (8,))


def test_an_answer_can_be_changed_before_it_is_sent() -> None:
    talk = Talk()
    talk.say("投诉", "1", "1", "收了钱", "昨天", "退钱", "跳过", "1", "修改", "2", "没有验收就收了钱")
    assert (talk.state, talk.draft.get("happened")) == ("readback", "没有验收就收了钱")
    talk.say("修改", "1", "2", "某某公司")
    assert talk.state == "programme" and talk.draft.get("subject_id") == ""
    talk.say("2", "修改", "6", "2")
    assert talk.state == "name"
    talk.say("张三", "跳过", "提交")
    assert (talk.last.act, talk.last.acted.get("programme")) == (Act.FILE, "second")


def test_back_and_back_again_reaches_the_beginning_and_loses_nothing() -> None:
    talk = Talk()
    talk.say("投诉", "5", "1", "收了钱", "昨天", "退钱", "跳过", "1")
    kept = {name: value for name, value in talk.draft.fields.items() if value}
    for _ in range(12):
        answer = talk.say("返回")
    assert "第一步" in answer
    assert {name: value for name, value in talk.draft.fields.items() if value} == kept


def test_words_beside_a_case_that_nothing_was_done_with_are_kept_for_a_complaint() -> None:
    talk = Talk()
    talk.say("TS-3", "还有一家也是这样", "7")
    assert talk.draft.remarks == ("还有一家也是这样",) and not talk.last.ended
    assert "还有一家也是这样" in talk.say("投诉", "5", "1")


def test_back_from_a_look_at_one_s_cases_is_the_beginning_again() -> None:
    talk = Talk()
    talk.say("进度", "这句话先记下")
    assert "投诉建议" in talk.say("返回")
    assert (talk.state, talk.draft.remarks) == (CHART.home, ("这句话先记下",))


def test_a_picture_sent_beside_the_complaint_goes_with_it_if_nothing_was_done_there() -> None:
    talk = Talk()
    talk.say("投诉", "5", "1", "收了钱", "进度")
    talk.send(KINDS.IMAGE, 8)
    talk.say("取消")
    assert (talk.state, talk.draft.media, talk.draft.side_media) == ("since", (8,), ())


def test_giving_up_is_asked_about_once() -> None:
    talk = Talk()
    talk.say("投诉", "5", "1", "收了钱", "取消", "2")
    assert (talk.state, talk.draft.get("happened")) == ("since", "收了钱")
    talk.say("取消", "1")
    assert talk.last.ended and talk.draft.is_empty


def test_one_programme_alone_is_not_asked_about() -> None:
    talk = Talk(offers={Shelf.PROGRAMMES: OFFERS[Shelf.PROGRAMMES][:1]})
    talk.say("投诉", "5")
    assert (talk.state, talk.draft.get("programme")) == ("happened", "first")


def test_whoever_is_nobody_we_know_names_an_order_in_words() -> None:
    talk = Talk(offers={Shelf.PROGRAMMES: OFFERS[Shelf.PROGRAMMES]})
    answer = talk.say("投诉", "1")
    assert "1." not in answer
    talk.say("DD2026051800000001")
    assert (talk.draft.get("subject"), talk.draft.get("subject_id")) == ("DD2026051800000001", "")


def test_a_menu_button_does_what_its_words_do() -> None:
    for key, words in (
        ("complaint", "投诉建议"),
        ("progress", "我的进度"),
        ("human", "人工客服"),
        ("market", "服务市场"),
    ):
        tapping, typing = Talk(), Talk()
        assert tapping.tap(key) == typing.say(words)
        assert (tapping.state, tapping.draft) == (typing.state, typing.draft)


def test_nine_pieces_are_taken_and_the_tenth_is_said_not_to_be() -> None:
    talk = Talk()
    talk.say("投诉", "5", "1", "收了钱", "跳过", "跳过")
    answers = [talk.send(KINDS.IMAGE, row) for row in range(1, 11)]
    assert "没有收" in answers[-1] and "第 9 份" in answers[-2]
    assert len(talk.draft.media) == 9


def test_a_conversation_older_than_the_chart_begins_at_home_with_what_it_holds() -> None:
    talk = Talk(state="a-state-of-yesterday", draft=Draft({"happened": "收了钱"}, answered=("happened",)))
    assert "1. 投诉建议" in talk.say("你好")
    talk.say("1", "5", "1")
    assert talk.state == "since"


WORDS = st.one_of(
    st.sampled_from([word for one in CHART.commands for word in one.words]),
    st.sampled_from([word for one in CHART.entries for word in one.words]),
    st.sampled_from(
        ["1", "2", "3", "4", "5", "6", "7", "12", "TS-3", "昨天", "3月5日", "13800000000", "张三"]
    ),
    st.sampled_from(["收了钱不来", "电话不接", "要求退款", "态度很差"]),
    st.text(max_size=30),
)
HEARD = st.one_of(
    st.builds(lambda text: Heard(KINDS.TEXT, text), WORDS),
    st.builds(lambda text: Heard(KINDS.TEXT, text), WORDS),
    st.builds(
        lambda kind, row: Heard(kind, media=row),
        st.sampled_from([KINDS.IMAGE, KINDS.VOICE, KINDS.VIDEO, KINDS.FILE]),
        st.integers(0, 50),
    ),
    st.builds(
        lambda key: Heard(KINDS.MENU_TAP, menu_key=key),
        st.sampled_from(["complaint", "progress", "human", "x"]),
    ),
    st.sampled_from([Heard(KINDS.STICKER), Heard(KINDS.OTHER), Heard(KINDS.LOCATION, "位置：某处")]),
)


@settings(max_examples=120)
@given(st.lists(HEARD, max_size=25), st.booleans())
def test_no_course_of_messages_fails_or_is_left_without_an_end(course: list[Heard], known: bool) -> None:
    talk = Talk(offers=OFFERS if known else {})
    for heard in course:
        talk.hear(heard)
        assert CHART.has(talk.state) and CHART.state(talk.state).ask is not Ask.END
        Draft.unpacked(talk.draft.packed())
    talk.say("帮助")
    talk.turns.append(Turn(talk.state, talk.draft, ()))
    _to_the_end(talk)


STATEMENTS = st.lists(
    st.text(st.characters(categories=["Lo"], include_characters="吗呢了"), min_size=5, max_size=40),
    min_size=1,
    max_size=6,
)


@settings(max_examples=80)
@given(STATEMENTS, st.lists(st.sampled_from(["1", "5", "完成", "跳过", "[微笑]"]), max_size=12))
def test_nothing_that_somebody_states_is_lost(statements: list[str], others: list[str]) -> None:
    talk = Talk(offers={Shelf.PROGRAMMES: OFFERS[Shelf.PROGRAMMES]})
    talk.say("投诉")
    pieces = list(statements)
    for other in others:
        if talk.last.act:
            return
        talk.say(other)
        if pieces and not talk.last.act:
            talk.say(pieces.pop())
    said = [one for one in statements if one not in pieces]
    kept = "\n".join((story(talk.draft), *talk.draft.fields.values()))
    assert all(one.strip() in kept for one in said)


def test_a_step_changes_nothing_that_it_was_given() -> None:
    draft = Draft({"kind": "other"}, answered=("about",))
    before: Any = draft.packed()
    step(CHART, "happened", draft, Heard(KINDS.TEXT, "收了钱"), OFFERS, today=TODAY)
    assert draft.packed() == before


def test_every_way_leads_to_a_state_that_exists() -> None:
    assert all(CHART.has(code) for state in CHART.states for code in ways(state))
    assert FACTS["number"] == "TS-9"
