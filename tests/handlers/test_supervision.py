"""Supervision over HTTP: a visit, what it asks to be put right, and what each side reads of it."""

from __future__ import annotations

from server.models.orders import Order
from tests.factories import make_enterprise
from tests.ordering import make_order, organisation_of, two_sides
from tests.town import PROGRAMME, Town

TODAY = "2026-05-18"


async def test_a_visit_asks_for_something_and_the_provider_puts_it_right(town: Town) -> None:
    enterprise, provider = await two_sides(town, PROGRAMME)
    operator, auditor = await town.operator(), await town.staff("auditor")
    served = await organisation_of(provider)
    plan = {
        "programme": PROGRAMME,
        "kind": "daily",
        "title": "五月走访",
        "planned_on": TODAY,
        "subjects": [{"organisation_id": served.id, "party": "provider"}],
    }
    assert (await operator.post("inspections", **plan)).code == "supervision_words_missing"
    assert (await operator.post("inspections", **{**plan, "kind": "joint"})).code == "inspection_not_yours"
    planned = await operator.post("inspections", **plan, reason="日常走访")
    assert planned.status == 201, planned.body
    path = f"inspections/{planned.body['id']}"
    (visit,) = (await auditor.get(path)).body["visits"]
    answers = {code: {"right": code != "ledger"} for code in ("premises", "ability", "ledger", "performance")}
    said = {
        "answers": answers,
        "findings": [{"item": "ledger", "says": "缺五月台账", "wanted": "补齐台账"}],
        "visited_on": TODAY,
        "version": visit["version"],
    }
    incomplete = await operator.post(
        f"inspection-visits/{visit['id']}/record", **{**said, "answers": {"ledger": {"right": False}}}
    )
    assert (incomplete.status, incomplete.code, len(incomplete.body["unmet"])) == (422, "visit_incomplete", 3)
    recorded = await operator.post(f"inspection-visits/{visit['id']}/record", **said)
    assert recorded.status == 200, recorded.body

    (task,) = (await provider.get("rectifications")).body["rectifications"]
    assert (await enterprise.get("rectifications")).body["rectifications"] == []
    done = {"answer": "已补齐", "version": task["version"]}
    assert (await enterprise.post(f"rectifications/{task['id']}/hand-in", **done)).status == 404
    handed = await provider.post(f"rectifications/{task['id']}/hand-in", **done)
    decision = {"accept": True, "reason": "已核实", "version": handed.body["version"]}
    accepted = await operator.post(f"rectifications/{task['id']}/decision", **decision)
    assert accepted.body["status"] == "accepted"
    closing = {"opinion": "已整改", "version": planned.body["version"]}
    assert (await operator.post(f"{path}/closing", **closing)).code == "inspection_open"
    assert (await operator.post(f"{path}/signature")).status == 200
    closed = await operator.post(f"{path}/closing", **closing)
    assert closed.body["status"] == "closed"
    listed = (await auditor.get(f"inspections?programme={PROGRAMME}")).body["inspections"]
    assert [one["status"] for one in listed] == ["closed"]

    own = (await provider.get(f"service-files/{served.id}")).body["entries"]
    assert [(one["kind"], one["tone"]) for one in own] == [("rectification", "plain"), ("inspection", "bad")]
    assert (await enterprise.get(f"service-files/{served.id}")).status == 404
    elsewhere = await town.staff("operator", programmes=["guangxi-2024"])
    assert (await elsewhere.get(f"service-files/{served.id}")).body["entries"] == []


async def test_who_is_called_back_is_nobody_the_provider_hears_of(town: Town) -> None:
    _, provider = await two_sides(town, PROGRAMME)
    operator, served = await town.operator(), await organisation_of(provider)
    order: Order = await make_order(
        town.programmes.get(PROGRAMME), await make_enterprise(), served, at=town.now
    )
    made = await operator.post(
        "call-back-lists", programme=PROGRAMME, order_ids=[order.id], reason="满意度抽查"
    )
    assert made.status == 201, made.body
    path = f"call-back-lists/{made.body['id']}"
    (call,) = (await operator.get(path)).body["calls"]
    tried = f"call-backs/{call['id']}/attempts"
    assert (await operator.post(tried, outcome="no_answer", method="phone")).body["status"] == "waiting"
    unusable = await operator.post(tried, outcome="answered", method="phone", level="一般")
    assert (unusable.status, unusable.code) == (422, "call_answer_unusable")
    assert (await operator.post(tried, outcome="answered", method="phone", level="不满意")).status == 200
    assert (await operator.get(path)).body["summary"]["by_level"]["不满意"] == 1
    assert (await operator.get("call-back-lists")).body["lists"][0]["id"] == made.body["id"]

    (own,) = (await provider.get(f"service-files/{served.id}")).body["entries"]
    assert (own["on"], own["source"], own["says"]) == ("2026-05", "", "满意度回访：不满意")
    (seen,) = (await operator.get(f"service-files/{served.id}")).body["entries"]
    assert (seen["on"], seen["source"]) == (TODAY, f"call_back:{call['id']}")
    watched = await operator.get(f"contracts-to-watch?programme={PROGRAMME}")
    assert (watched.status, watched.body["contracts"]) == (200, [])
    for path in ("anomalies", "evaluations", "operator-audits", "call-back-lists"):
        assert (await operator.get(path)).status == 200
