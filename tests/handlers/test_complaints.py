"""Complaints over HTTP: from one tap to the answer, the desk's queues, callers and letters."""

from __future__ import annotations

from typing import Any

import pytest

from server.keys import RATINGS
from server.models.complaints import Complainant, Complaint
from server.models.orders import Order
from server.models.people import Staff
from server.models.ratings import Rating
from server.rules.ratings import Said
from server.services.access import Actor
from tests.ordering import make_order, organisation_of, two_sides
from tests.town import DAY, PROGRAMME, Answered, Caller, Town

ELSEWHERE = "guangzhou-2020"


async def ok(asked: Any) -> Any:
    answered: Answered = await asked
    assert answered.status in (200, 201), answered.body
    return answered.body


async def rated(town: Town, enterprise: Caller, provider: Caller, level: str) -> tuple[Order, Rating]:
    programme = town.programmes.get(PROGRAMME)
    buyer = await organisation_of(enterprise)
    order = await make_order(programme, buyer, await organisation_of(provider), at=town.now)
    actor = Actor("person", enterprise.id, "", buyer.id, frozenset({"handler"}))
    said = Said(level=level, tags=("响应及时",), words="拖延交付")
    await town.app[RATINGS].give(order, said, programme=programme, actor=actor, now=town.now)
    return order, await Rating.get(order_id=order.id)


@pytest.mark.rules("LS-80")
async def test_a_low_rating_becomes_a_complaint_in_one_tap_and_the_same_one_in_two(town: Town) -> None:
    enterprise, provider = await two_sides(town, PROGRAMME)
    order, low = await rated(town, enterprise, provider, "不满意")
    filed = await ok(enterprise.post(f"ratings/{low.id}/complaint"))
    again = await ok(enterprise.post(f"ratings/{low.id}/complaint"))
    assert (filed["subject"], filed["subject_id"], again["id"]) == ("order", order.id, filed["id"])
    mine = await ok(enterprise.get(f"complaints/{filed['id']}"))
    assert order.number in mine["happened"] and "拖延交付" in mine["happened"]
    assert (mine["basis"], mine["status_name"]) == ("五（三）", "待受理")
    assert [entry["by"] for entry in mine["entries"]] == ["投诉人"]
    _, fine = await rated(town, enterprise, provider, "满意")
    assert (await enterprise.post(f"ratings/{fine.id}/complaint")).code == "rating_not_low"
    assert (await provider.post(f"ratings/{low.id}/complaint")).status == 404
    assert (await ok(enterprise.get("complaints")))["complaints"][0]["id"] == filed["id"]


@pytest.mark.rules("LS-81")
async def test_a_case_goes_through_the_desk_and_its_complainant_sees_each_step(town: Town) -> None:
    person, operator = await town.person(), await town.operator()
    filed = await ok(
        person.post(
            "complaints", subject="other", programme=PROGRAMME, happened="迟迟不办理。", anonymous=False
        )
    )
    desk = f"complaint-desk/{filed['id']}"
    for queue, found in (("team", 1), ("mine", 0), ("due", 0), ("late", 0), ("all", 1)):
        assert len((await ok(operator.get(f"complaint-desk?queue={queue}")))["complaints"]) == found
    taken = await ok(operator.post(f"{desk}/claim"))
    assert (taken["methods"], taken["assigned_to"]) == (["电话回访", "实地调查", "分析研判"], operator.id)
    assert len((await ok(operator.get("complaint-desk?queue=mine")))["complaints"]) == 1
    await ok(operator.post(f"{desk}/messages", kind="message", words="请补充受理编号。"))
    await ok(person.post(f"complaints/{filed['id']}/supplements", words="没有编号。"))
    await ok(operator.post(f"{desk}/messages", kind="note", words="电话核实过。"))
    assert (
        await operator.post(f"{desk}/messages", kind="request", words="请说明。")
    ).code == "complaint_nobody_accused"
    assert (await operator.post(f"{desk}/hold", reason="暂扣")).code == "complaint_hold_impossible"
    await ok(operator.post(f"{desk}/finding", finding="substantiated", reasons="确有延误。", serious=False))
    await ok(operator.post(f"{desk}/answer", words="已督促当日办结。"))
    mine = await ok(person.get(f"complaints/{filed['id']}"))
    kinds = ["filed", "received", "message", "supplement", "finding", "answer"]
    assert [entry["kind"] for entry in mine["entries"]] == kinds
    assert {entry["by"] for entry in mine["entries"]} == {"投诉人", "运营单位"}
    assert (mine["status"], mine["urgeable"], mine["reopenable"]) == ("answered", False, True)
    # Answered on Monday, 18 May: seven working days to confirm, and fifteen from then to open it again.
    assert (mine["confirm_until"], mine["reopen_until"]) == ("2026-05-27T16:00:00Z", None)
    confirmed = await ok(person.post(f"complaints/{filed['id']}/confirmation"))
    assert (confirmed["confirm_until"], confirmed["reopen_until"]) == (None, "2026-06-08T16:00:00Z")
    await Complaint.filter(id=filed["id"]).update(reopen_until=town.now)
    assert not (await ok(person.get(f"complaints/{filed['id']}")))["reopenable"]
    late = await person.post(f"complaints/{filed['id']}/reopening", reason="仍未办结。")
    assert late.code == "complaint_window_over"
    await ok(person.post(f"complaints/{filed['id']}/handling-rating", level="基本满意"))
    levels = await person.post(f"complaints/{filed['id']}/handling-rating", level="五星")
    assert levels.code == "handling_level_unknown"
    assert (await operator.post(f"{desk}/answer", words="再答。")).code == "not_permitted_now"


async def test_a_case_is_released_assigned_to_a_colleague_and_handed_up(town: Town) -> None:
    person, operator, colleague = await town.person(), await town.operator(), await town.operator()
    authority = await town.staff("authority")
    filed = await ok(
        person.post("complaints", subject="other", programme=PROGRAMME, happened="……", anonymous=True)
    )
    desk = f"complaint-desk/{filed['id']}"
    await ok(operator.post(f"{desk}/claim"))
    await ok(operator.post(f"{desk}/release"))
    assert (await operator.post(f"{desk}/release")).code == "complaint_not_in_your_hand"
    nobody = await operator.post(f"{desk}/assignment", staff_id=authority.id)
    assert nobody.code == "complaint_no_such_colleague"
    given = await ok(operator.post(f"{desk}/assignment", staff_id=colleague.id))
    assert given["assigned_to"] == colleague.id
    moved = await ok(colleague.post(f"{desk}/hand-over", reason="超出职责。"))
    assert moved["status"] == "filed"
    assert (await colleague.get(desk)).status == 404
    assert (await ok(authority.get(desk)))["rung"] == "市经信局处理"
    await ok(authority.post(f"{desk}/claim"))
    assert (await authority.post(f"{desk}/hand-over", reason="再上。")).code == "complaint_nothing_above"


async def test_whoever_is_affiliated_with_the_accused_does_not_take_it_on(town: Town) -> None:
    enterprise, provider = await two_sides(town, PROGRAMME)
    accused = await organisation_of(provider)
    operator, colleague = await town.operator(), await town.operator()
    await Staff.filter(id=operator.id).update(affiliations=[accused.uscc])
    filed = await ok(
        enterprise.post(
            "complaints", subject="provider", subject_id=accused.id, happened="……", anonymous=True
        )
    )
    desk = f"complaint-desk/{filed['id']}"
    assert (await operator.post(f"{desk}/claim")).code == "own_review"
    nobody = await colleague.post(f"{desk}/assignment", staff_id=operator.id)
    assert nobody.code == "complaint_no_such_colleague"
    await ok(colleague.post(f"{desk}/claim"))


@pytest.mark.rules("LS-80")
@pytest.mark.parametrize("channel", ["hotline", "letter"])
async def test_staff_write_down_what_a_caller_or_a_letter_says(town: Town, channel: str) -> None:
    operator = await town.operator()
    filed = await ok(
        operator.post(
            "complaint-desk",
            channel=channel,
            subject="other",
            programme=PROGRAMME,
            happened="来电反映服务未完成。",
            anonymous=False,
            name="赵先生",
            contact="13800001234",
        )
    )
    assert (filed["channel"], filed["number"][0]) == (channel, "T")
    whose = await Complainant.get(complaint_id=filed["id"])
    assert (whose.person_id, whose.sender_id, bool(whose.name_sealed)) == (None, None, True)
    strange = await operator.post(
        "complaint-desk",
        channel=channel,
        subject="order",
        subject_id=999_999,
        happened="……",
        anonymous=True,
    )
    assert strange.code == "complaint_subject_unknown"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_staff_write_down_what_is_of_their_programmes_or_of_none_and_hear_once_of_that(
    town: Town,
) -> None:
    operator = await town.operator()
    bound = await town.staff("operator", programmes=[ELSEWHERE])
    enterprise, provider = await two_sides(town, PROGRAMME)
    sides = await organisation_of(enterprise), await organisation_of(provider)
    order = await make_order(town.programmes.get(PROGRAMME), *sides, at=town.now)
    said = {"channel": "hotline", "happened": "来电反映。", "anonymous": True}
    for about in (
        {"subject": "other", "programme": PROGRAMME},
        {"subject": "order", "subject_id": order.id},
        {"subject": "provider", "subject_id": sides[1].id},
    ):
        foreign = await bound.post("complaint-desk", **said, **about)
        assert foreign.code == "complaint_subject_unknown"
        await ok(operator.post("complaint-desk", **said, **about))
    filed = await ok(bound.post("complaint-desk", **said, subject="other"))
    await town.run_jobs()
    for anybody in (operator, bound):
        messages = (await ok(anybody.get("inbox?limit=100")))["messages"]
        assert [one["link"]["id"] for one in messages].count(str(filed["id"])) == 1


async def test_the_rules_are_read_before_and_say_what_no_text_says(town: Town) -> None:
    lishui = await ok(town.anybody.get(f"complaints/terms?programme={PROGRAMME}"))
    assert lishui["basis"] == "五（三）" and lishui["channels"][:3] == ["来电", "来访", "来信"]
    assert [rung["mailbox"] for rung in lishui["rungs"]] == [False, False, True]
    assert all(rung["by_default"] for rung in lishui["rungs"])
    assert "推知" in lishui["warning"]
    other = await ok(town.anybody.get("complaints/terms"))
    assert other["basis"] == other["defaults"] == "平台默认规则，办法未作规定"
    assert (await town.anybody.get("complaints/terms?programme=nowhere")).status == 404


async def test_a_case_that_is_late_is_listed_so_and_climbs_by_itself(town: Town) -> None:
    person = await town.person()
    filed = await ok(
        person.post("complaints", subject="other", programme=PROGRAMME, happened="……", anonymous=True)
    )
    town.clock.advance(8 * DAY)
    operator = await town.operator()
    late = await ok(operator.get(f"complaint-desk?queue=late&programme={PROGRAMME}"))
    assert [row["id"] for row in late["complaints"]] == [filed["id"]]
    await town.run_jobs()
    assert (await ok(operator.get("complaint-desk")))["complaints"] == []
    climbed = await Complaint.get(id=filed["id"])
    assert (climbed.turn, climbed.rung) == ("authority", 1)
