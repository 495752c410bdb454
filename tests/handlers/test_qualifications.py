"""Standing in a programme: what is in the way, what a decision does to a round, and who may see it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from server.models.organisations import Organisation
from server.models.outbox import OutboxMessage
from server.models.rounds import Entitlement
from server.units import yuan_to_fen
from tests.town import PROGRAMME, Town

ELIGIBILITY = f"eligibility?programme={PROGRAMME}"


async def entitled_fen() -> list[int]:
    return list(await Entitlement.all().order_by("id").values_list("amount_fen", flat=True))


async def test_everything_in_the_way_is_named_beforehand_with_its_clause_and_sum(town: Town) -> None:
    handler = await town.handler(area="浙江省/丽水市/龙泉市", established_on="2025-09-01", legal_person=False)
    seen = (await handler.get(ELIGIBILITY)).body
    assert not seen["eligible"]
    assert [(one["code"], one["clause"]) for one in seen["unmet"]] == [
        ("area", "二（一）"),
        ("legal_person", "二（一）"),
        ("established", "二（一）2"),
    ]
    assert seen["unmet"][2]["arithmetic"] == "成立 8 个月 < 12 个月（2026-09-01 起满足）"
    assert seen["on"] == "2026-05-18"


async def test_an_eligible_enterprise_is_told_what_it_can_hope_for(town: Town) -> None:
    handler = await town.handler(labels=["newly_above_scale"])
    seen = (await handler.get(ELIGIBILITY)).body
    assert (seen["eligible"], seen["unmet"]) == (True, [])
    assert seen["tier"]["face_value_fen"] == yuan_to_fen(20_000)
    assert (await handler.get("eligibility?programme=nowhere")).code == "unknown_programme"
    assert (await (await town.person()).get(ELIGIBILITY)).code == "no_organisation"


async def test_nobody_is_approved_while_a_condition_is_unmet(town: Town) -> None:
    operator = await town.operator()
    handler = await town.handler(legal_person=False, area="浙江省/丽水市/龙泉市")
    applied = await town.applied(handler)
    refused = await town.decide(operator, applied)
    await handler.patch("organisations/mine", legal_person=True, area="浙江省/丽水市/莲都区")
    approved = await town.decide(operator, applied)
    assert applied.status == 201
    assert [one["code"] for one in applied.body["unmet"]] == ["area", "legal_person"]
    assert (refused.status, refused.code) == (409, "conditions_unmet")
    assert refused.body["unmet"] == applied.body["unmet"]
    assert approved.status == 200
    mine = (await handler.get("organisations/mine/qualifications")).body["qualifications"][0]
    assert (mine["status"], mine["unmet"]) == ("approved", [])


async def test_a_claimed_label_counts_once_it_is_confirmed(town: Town) -> None:
    operator = await town.operator()
    round_id = await town.open_round(operator)
    claimed = await town.handler(labels=["newly_above_scale"])
    confirmed = await town.handler(labels=["newly_above_scale"])
    for handler, labels in ((claimed, []), (confirmed, ["newly_above_scale"])):
        applied = await town.applied(handler)
        assert (await town.decide(operator, applied, labels=labels)).status == 200
    assert await entitled_fen() == [yuan_to_fen(10_000), yuan_to_fen(20_000)]
    readiness = (await confirmed.get(f"rounds/{round_id}/readiness")).body
    assert (readiness["ready"], readiness["amount_fen"]) == (True, yuan_to_fen(20_000))


async def test_what_the_official_lists_say_counts_though_nobody_claimed_it(town: Town) -> None:
    operator = await town.operator()
    handler = await town.handler()
    applied = await town.applied(handler)
    refused = await town.decide(operator, applied, labels=("per_mu_rated_d",))
    approved = await town.decide(operator, applied, labels=("seedling_library",))
    assert [one["code"] for one in refused.body["unmet"]] == ["performance"]
    assert approved.status == 200
    assert (await Organisation.all().first().values())["labels"] == ["seedling_library"]  # type: ignore[index]


async def test_a_label_of_no_organisation_of_the_programme_is_refused(town: Town) -> None:
    operator, handler = await town.operator(), await town.handler()
    applied = await town.applied(handler)
    refused = await town.decide(operator, applied, labels=("srdi_board",))
    assert (refused.status, refused.code) == (422, "labels_unknown")
    path = f"reviews/{applied.body['case_id']}"
    version = (await operator.get(path)).body["version"]
    for said in (5, {"a": 1}, [["seedling_library"]]):
        broken = await operator.post(
            f"{path}/decision", decision="approve", version=version, extras={"labels_confirmed": said}
        )
        assert (broken.status, broken.code) == (422, "labels_unknown")


async def test_a_refusal_says_why_and_the_applicant_reads_it(town: Town) -> None:
    operator, handler = await town.operator(), await town.handler(headcount=2_000, revenue_fen=10**13)
    applied = await town.applied(handler)
    silent = await town.decide(operator, applied, "reject")
    refused = await town.decide(operator, applied, "reject", reason="不属于中小微企业")
    read = await handler.get(f"qualifications/{applied.body['id']}")
    mine = await handler.get("organisations/mine/qualifications")
    told = await OutboxMessage.get(topic="qualification.refused")
    assert (silent.status, silent.code) == (422, "reason_missing")
    assert refused.status == 200
    assert (read.body["status"], read.body["reason"]) == ("refused", "不属于中小微企业")
    assert [one["code"] for one in read.body["unmet"]] == ["size"]
    assert mine.body["qualifications"] == [read.body]
    assert told.recipient == f"organisation:{read.body['organisation']['id']}"
    assert (told.data["reason"], told.data["unmet"]) == ("不属于中小微企业", read.body["unmet"])


async def test_a_decision_is_made_once(town: Town) -> None:
    operator, handler = await town.operator(), await town.handler()
    applied = await town.applied(handler)
    assert (await town.decide(operator, applied)).status == 200
    again = await town.decide(operator, applied, "reject", reason="改变主意")
    assert (again.status, again.code) == (409, "review_over")
    assert (await handler.get(f"qualifications/{applied.body['id']}")).body["status"] == "approved"


async def test_an_application_waits_once_and_may_come_again_after_a_refusal(town: Town) -> None:
    operator, handler = await town.operator(), await town.handler()
    applied = await town.applied(handler)
    form = f"registrations/{applied.body['registration_id']}"
    version = (await handler.get(form)).body["version"]
    twice = await handler.post(f"{form}/submissions", version=version)
    await town.decide(operator, applied, "reject", reason="材料不清")
    town.clock.advance(timedelta(minutes=5))
    again = await handler.post(f"{form}/submissions", version=version)
    assert (twice.status, twice.code) == (409, "registration_under_review")
    assert (again.status, again.body["id"], again.body["status"]) == (201, applied.body["id"], "pending")
    assert (again.body["reason"], again.body["decided_at"], again.body["submission"]) == ("", None, 2)
    assert again.body["applied_at"] > applied.body["applied_at"]


async def test_a_programme_out_of_its_validity_takes_no_applications_and_keeps_the_draft(town: Town) -> None:
    handler = await town.handler()
    saved = (
        await town.drafted(handler, programme="guangzhou-2020", **{"declaration.date": "2026-05-18"})
    ).body
    over = await handler.post(f"registrations/{saved['id']}/submissions", version=saved["version"])
    running = await town.applied(handler)
    assert (over.status, over.code) == (409, "programme_not_running")
    assert (await handler.get(f"registrations/{saved['id']}")).body == saved
    assert running.status == 201


@pytest.mark.parametrize("way", ["change of facts", "revocation", "ban"])
async def test_who_loses_its_standing_is_entitled_to_nothing_from_then_on(town: Town, way: str) -> None:
    operator = await town.operator()
    round_id = await town.open_round(operator)
    handler, bystander = await town.qualified(operator), await town.qualified(operator)
    mine = (await handler.get("organisations/mine")).body
    qualification = (await handler.get("organisations/mine/qualifications")).body["qualifications"][0]
    before = await entitled_fen()
    if way == "change of facts":
        changed = await handler.patch("organisations/mine", headcount=43)
        assert changed.status == 200
    elif way == "revocation":
        revoked = await operator.post(f"qualifications/{qualification['id']}/revocation", reason="经营异常")
        assert revoked.body["status"] == "revoked"
    else:
        barred = await operator.post(
            "blocklist",
            list_name="失信惩戒名单",
            uscc=mine["uscc"],
            programme=PROGRAMME,
            clause="五（二）",
            reason="虚假交易",
        )
        assert barred.status == 201
    assert (len(before), len(await entitled_fen())) == (2, 1)
    lost = await town.grant(round_id, handler, mine["id"])
    won = await town.grant(round_id, bystander, (await bystander.get("organisations/mine")).body["id"])
    assert (lost.outcome, won.outcome) == ("not_eligible", "granted")
    readiness = (await handler.get(f"rounds/{round_id}/readiness")).body
    assert not readiness["ready"]


async def test_changed_facts_go_back_to_review_and_can_be_approved_again(town: Town) -> None:
    operator = await town.operator()
    await town.open_round(operator)
    handler = await town.qualified(operator)
    await handler.patch("organisations/mine", headcount=43)
    sent_back = (await handler.get("organisations/mine/qualifications")).body["qualifications"][0]
    waiting = (await operator.get("qualifications?status=pending")).body["qualifications"]
    case = (await operator.get("reviews?queue=team")).body["reviews"][0]
    approved = await operator.post(
        f"reviews/{case['id']}/decision", decision="approve", version=case["version"]
    )
    assert (sent_back["status"], sent_back["facts"]["headcount"]) == ("pending", 43)
    assert (sent_back["decided_at"], sent_back["reason"]) == (None, "")
    assert waiting == [sent_back]
    assert approved.status == 200
    assert await entitled_fen() == [yuan_to_fen(10_000)]
    assert await OutboxMessage.filter(topic="qualification.sent_back").count() == 1


async def test_age_is_measured_on_the_day_of_the_application(town: Town) -> None:
    operator = await town.operator()
    handler = await town.handler(established_on="2025-05-19")
    applied = await town.applied(handler)
    assert [one["code"] for one in applied.body["unmet"]] == ["established"]
    town.clock.advance(timedelta(days=1))
    operator = await town.operator()
    refused = await town.decide(operator, applied)
    assert [one["code"] for one in refused.body["unmet"]] == ["established"]


async def test_operators_turn_the_pages_and_nobody_else_does(town: Town, monkeypatch: Any) -> None:
    monkeypatch.setattr("server.handlers.qualifications.PAGE", 2)
    operator = await town.operator()
    ids = []
    for _ in range(3):
        handler = await town.handler()
        ids.append((await town.applied(handler)).body["id"])
    first = (await operator.get("qualifications?status=pending")).body
    second = (await operator.get(f"qualifications?status=pending&after={first['next_after']}")).body
    assert [one["id"] for one in first["qualifications"]] == ids[:2]
    assert [one["id"] for one in second["qualifications"]] == ids[2:]
    assert second["next_after"] is None
    assert (await operator.get("qualifications?status=approved")).body["qualifications"] == []
    assert (await handler.get("qualifications?status=pending")).status == 403


async def test_another_enterprises_qualification_does_not_exist_for_us(town: Town) -> None:
    operator, ours, theirs = await town.operator(), await town.handler(), await town.handler()
    applied = await town.applied(theirs)
    path = f"qualifications/{applied.body['id']}"
    assert (await ours.get(path)).code == "not_found"
    assert (await theirs.get(path)).status == 200
    assert (await operator.get(path)).status == 200
    assert (await theirs.post(f"{path}/revocation", reason="测试")).status == 403
    assert (await operator.post("qualifications/999/revocation", reason="测试")).code == "not_found"


async def test_staff_of_an_enterprise_look_on_but_do_not_apply(town: Town) -> None:
    handler = await town.handler()
    staff = await town.joined(handler, "staff")
    refused = await town.drafted(staff)
    assert (refused.status, refused.code) == (403, "not_allowed")
    applied = await town.applied(handler)
    seen = (await staff.get(f"qualifications/{applied.body['id']}")).body
    assert (seen["id"], seen["status"]) == (applied.body["id"], "pending")
