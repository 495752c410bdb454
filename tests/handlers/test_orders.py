"""Orders over HTTP, each programme in its own way, from approval to the voucher that pays."""

from __future__ import annotations

import pytest

from server.models.labels import AttestedLabel, LabelSource
from server.models.reviews import ReviewCase
from server.models.rounds import Budget
from server.programme.vocabulary import Party
from server.units import yuan_to_fen
from tests.contracting import ALLOTTED, AREAS, CATEGORY, DRAWN, ON_CONTRACT
from tests.dealing import declared, filled, mine, money, opened, period, refused, side, sides, sketch, step
from tests.town import Town


@pytest.mark.rules("GX-25", "GX-49", "GX-52")
async def test_from_approval_by_itself_to_a_quota_a_contract_and_what_it_freezes(town: Town) -> None:
    await money(town, ALLOTTED)
    enterprise = await town.handler(area=AREAS[ALLOTTED], declarations=declared(town, ALLOTTED))
    own = await mine(enterprise)
    await AttestedLabel.create(
        uscc=own["uscc"],
        code="above_designated_size",
        source=LabelSource.LIST,
        list_name="统计名录",
        attested_by=1,
        attested_at=town.now,
    )
    applied = await town.applied(enterprise, programme=ALLOTTED)
    assert (applied.status, applied.body["status"]) == (201, "approved"), applied.body
    (voucher,) = (await enterprise.get("vouchers")).body["vouchers"]
    assert (voucher["kind"], voucher["face_value_fen"], voucher["round_id"]) == ("general", 5_000_000, None)

    provider = await side(town, ALLOTTED, Party.PROVIDER, "同行咨询有限公司")
    ask = (
        f"contract-outlook?programme={ALLOTTED}&category={CATEGORY[ALLOTTED]}&amount_fen=4000000&kind=general"
    )
    ahead = (await enterprise.get(ask)).body
    assert (ahead["voucher_fen"], ahead["deposit_fen"], ahead["rest_fen"]) == (2_000_000, 800_000, 1_200_000)
    assert ahead["year_left_fen"] == 100_000_000
    order_id = await opened(town, ALLOTTED, enterprise, provider, 40_000)
    half = await step(town, provider, order_id, "sign_contract")
    assert (half.status, half.body["contract"]["status"]) == (200, "drafted"), half.body
    assert half.body["ask"] is None
    again = {"version": half.body["version"], "values": {}, "papers": []}
    refused(await provider.post(f"orders/{order_id}/steps/sign_contract", **again), 409, "step_done_already")
    signed = (await step(town, enterprise, order_id, "sign_contract")).body
    assert (signed["contract"]["status"], signed["step"]) == ("signed", "deposit")
    assert (signed["voucher_fen"], signed["clause"]) == (2_000_000, "第十一条")
    held = (await enterprise.get(f"vouchers/{voucher['id']}")).body
    assert (held["balances"]["available_fen"], held["balances"]["held_fen"]) == (3_000_000, 2_000_000)
    assert [line["amount_fen"] for line in held["history"] if line["amount_fen"]] == [5_000_000, 2_000_000]
    operator = await town.operator()
    failed = await operator.post(f"orders/{order_id}/termination", reason="双方协商终止")
    assert (failed.body["status"], failed.body["contract"]["status"]) == ("cancelled", "failed")
    held = (await enterprise.get(f"vouchers/{voucher['id']}")).body
    assert held["balances"]["available_fen"] == 5_000_000
    refused(
        await operator.post(f"orders/{order_id}/termination", reason="双方协商终止"), 409, "not_permitted_now"
    )


@pytest.mark.rules("GX-25")
async def test_a_label_on_a_list_brings_the_difference_by_itself(town: Town) -> None:
    await money(town, ALLOTTED)
    enterprise = await side(town, ALLOTTED, Party.ENTERPRISE, "启明机械有限公司")
    own = await mine(enterprise)
    for code, faces in (("above_designated_size", [5_000_000]), ("regional_srdi", [5_000_000, 15_000_000])):
        operator = await town.staff("operator", "authority")
        listed = await operator.post(
            "labels",
            programme=ALLOTTED,
            code=code,
            uscc=own["uscc"],
            list_name="自治区公布名单",
            document_number="",
        )
        assert listed.status == 201, listed.body
        shown = (await enterprise.get("vouchers")).body["vouchers"]
        assert sorted(one["face_value_fen"] for one in shown) == faces


@pytest.mark.rules("GX-25")
async def test_the_job_gives_a_year_that_is_opened_late_its_quotas(town: Town) -> None:
    enterprise = await side(town, ALLOTTED, Party.ENTERPRISE, "启明机械有限公司")
    await money(town, ALLOTTED)
    assert (await enterprise.get("vouchers")).body["vouchers"] == []
    await town.run_jobs()
    assert len((await enterprise.get("vouchers")).body["vouchers"]) == 1


@pytest.mark.rules("GX-65")
async def test_who_has_signed_waits_for_the_years_money_and_goes_on_when_it_is_there(town: Town) -> None:
    budget_id = await money(town, ALLOTTED, 10_000)
    enterprise, provider = await sides(town, ALLOTTED)
    await town.run_jobs()
    order_id = await opened(town, ALLOTTED, enterprise, provider, 40_000)
    await step(town, provider, order_id, "sign_contract")
    waiting = await step(town, enterprise, order_id, "sign_contract")
    assert (waiting.status, waiting.body["status"]) == (200, "waiting"), waiting.body
    assert "排队等待" in waiting.body["sentence"]
    assert (waiting.body["voucher_fen"], waiting.body["contract"]["status"]) == (0, "drafted")
    await town.run_jobs()
    told = next(
        one for one in (await enterprise.get("inbox")).body["messages"] if one["topic"] == "order.paused"
    )
    assert "年度预算 10,000.00 − 已用 0.00 = 10,000.00 < 20,000.00" in told["sentence"]
    treasurer = await town.staff("treasury", "authority", "operator")
    await treasurer.post(f"budgets/{budget_id}/top-ups", amount_fen=yuan_to_fen(10_000), reason="追加")
    await town.run_jobs()
    signed = (await enterprise.get(f"orders/{order_id}")).body
    assert (signed["status"], signed["contract"]["status"]) == ("open", "signed")
    assert (await Budget.get(id=budget_id)).committed_fen == 2_000_000


@pytest.mark.rules("YC-04", "YC-05", "YC-13", "YC-18")
async def test_a_provider_draws_over_http_and_finds_the_voucher_in_its_wallet(town: Town) -> None:
    await money(town, DRAWN)
    enterprise, provider = await sides(town, DRAWN)
    by_enterprise = await sketch(town, DRAWN, enterprise, provider, 100_000, as_party="enterprise")
    by_enterprise["other_uscc"] = (await mine(provider))["uscc"]
    refused(await enterprise.post("orders", **by_enterprise), 403, "not_yours_to_open")
    order_id = await opened(town, DRAWN, enterprise, provider, 100_000)
    drawn = await step(town, provider, order_id, "upload_contract", contract_number="HT-1")
    assert (drawn.status, drawn.body["voucher_fen"]) == (200, 3_000_000), drawn.body
    assert drawn.body["contract"]["status"] == "signed"
    again_id = await opened(town, DRAWN, enterprise, provider, 1, project=" 设备上云")
    again = await step(town, provider, again_id, "upload_contract")
    refused(again, 409, "used_too_often")
    assert again.body["unmet"][0]["arithmetic"] == "1 + 1 > 1"
    other_id = await opened(town, DRAWN, enterprise, provider, 1, project="别的")
    sent = await filled(town, provider, other_id)
    sent["papers"] = []
    refused(await enterprise.post(f"orders/{other_id}/steps/upload_contract", **sent), 403, "not_your_step")
    (held,) = (await provider.get("vouchers")).body["vouchers"]
    assert held["id"] == drawn.body["voucher_id"]
    assert (await enterprise.get("vouchers")).body["vouchers"] == []
    assert (await enterprise.get("orders")).body["orders"] == (await provider.get("orders")).body["orders"]
    refused(await enterprise.get(f"vouchers/{held['id']}"), 404, "not_found")


@pytest.mark.rules("NX-18", "NX-19", "NX-31")
async def test_a_request_on_a_contract_over_http_from_asking_to_the_voucher(town: Town) -> None:
    budget_id, operator = await money(town, ON_CONTRACT), await town.operator()
    round_id = await period(town, budget_id, operator)
    enterprise, provider = await sides(town, ON_CONTRACT)
    order_id = await opened(town, ON_CONTRACT, enterprise, provider, 10_000)
    unsigned = {"version": 1, "values": {"round_id": round_id}}
    asking = f"orders/{order_id}/steps/request_voucher"
    refused(await enterprise.post(asking, **unsigned), 409, "step_out_of_turn")
    for caller in (enterprise, provider):
        signed = await step(town, caller, order_id, "sign_contract")
        assert signed.status == 200, signed.body
    sent = await filled(town, enterprise, order_id, round_id=round_id)
    refused(await provider.post(asking, **sent), 403, "not_your_step")
    asked = await enterprise.post(asking, **sent)
    assert (asked.status, asked.body["step"]) == (200, "issue_voucher"), asked.body
    refused(await enterprise.post(asking, **sent), 409, "order_moved_on")
    sent["version"] = asked.body["version"]
    refused(await enterprise.post(asking, **sent), 409, "step_out_of_turn")
    (request,) = (await enterprise.get("voucher-requests")).body["requests"]
    assert (request["status"], request["expected_fen"]) == ("pending", 300_000)
    assert (request["order_id"], request["round_id"]) == (order_id, round_id)
    refused(await provider.get(f"voucher-requests/{request['id']}"), 404, "not_found")
    case = await ReviewCase.get(subject_id=request["id"], subject="voucher_request")
    decision = {"decision": "approve", "version": case.version, "extras": {"amount_fen": 250_000}}
    decided = await operator.post(f"reviews/{case.id}/decision", **decision)
    assert decided.status == 200, decided.body
    issued = (await enterprise.get(f"voucher-requests/{request['id']}")).body
    assert (issued["status"], issued["amount_fen"]) == ("issued", 250_000)
    (voucher,) = (await enterprise.get("vouchers")).body["vouchers"]
    assert (voucher["id"], voucher["round_id"]) == (issued["voucher_id"], round_id)
    order = (await enterprise.get(f"orders/{order_id}")).body
    assert (order["step"], order["voucher_id"], order["voucher_fen"]) == ("escrow", voucher["id"], 250_000)
    shown = (await town.anybody.get(f"rounds/{round_id}")).body
    assert shown["remaining_fen"] == yuan_to_fen(100_000) - 250_000
    refused(await enterprise.post(f"voucher-requests/{request['id']}/withdrawal"), 409, "illegal_move")


async def test_an_order_is_seen_by_its_sides_and_the_staff_of_its_programme_and_area(town: Town) -> None:
    enterprise, provider = await sides(town, ON_CONTRACT)
    order_id = await opened(town, ON_CONTRACT, enterprise, provider, 10_000)
    path = f"orders/{order_id}"
    seeing = [
        (enterprise, "enterprise"),
        (provider, "provider"),
        (await town.operator(), None),
        (await town.staff("auditor", programmes=(ON_CONTRACT,)), None),
        (await town.staff("district", areas=(AREAS[ON_CONTRACT],)), None),
    ]
    for caller, party in seeing:
        shown = (await caller.get(path)).body
        assert (shown["id"], shown["as_party"]) == (order_id, party)
        assert (shown["ask"] is None) is (party is None), "both sign; staff are asked for nothing"
        assert [one["id"] for one in (await caller.get("orders")).body["orders"]] == [order_id]
    blind = [
        await side(town, ON_CONTRACT, Party.ENTERPRISE, "别家机械有限公司"),
        await town.staff("operator", programmes=(ALLOTTED,)),
        await town.staff("district", areas=("宁夏回族自治区/吴忠市",)),
    ]
    for caller in blind:
        refused(await caller.get(path), 404, "not_found")
        assert (await caller.get("orders")).body["orders"] == []
    refused(await (await town.staff("administrator")).get(path), 403, "not_allowed")
    colleague = await town.joined(enterprise, "staff")
    assert (await colleague.get(path)).status == 200
    another = await sketch(town, ON_CONTRACT, enterprise, provider, 1)
    refused(await colleague.post("orders", **another), 403, "not_allowed")


async def test_what_is_malformed_is_named_and_nothing_is_stored(town: Town) -> None:
    enterprise, provider = await sides(town, ON_CONTRACT)
    good = await sketch(town, ON_CONTRACT, enterprise, provider, 10_000)
    for field, values in {
        "price_fen": [0, -1, 0.5, "100", 10**16],
        "project": ["一" * 201, 7],
        "as_party": ["operator"],
        "papers": [[{"code": "contract", "file_ids": [0]}], [{"file_ids": [1]}], 7],
        "values": [[1], "x"],
        "surprise": [1],
    }.items():
        for value in values:
            refused(await enterprise.post("orders", **{**good, field: value}), 422, "malformed")
    wrong_digit = good["other_uscc"][:-1] + ("0" if good["other_uscc"][-1] != "0" else "1")
    refused(await enterprise.post("orders", **{**good, "other_uscc": wrong_digit}), 422, "uscc_invalid")
    refused(await enterprise.post("orders", **{**good, "programme": "nowhere"}), 404, "unknown_programme")
    refused(await enterprise.post("orders", **{**good, "values": {"amount_fen": 1}}), 422, "order_unusable")
    assert (await enterprise.get("orders")).body["orders"] == []
    order_id = await opened(town, ON_CONTRACT, enterprise, provider, 10_000)
    sent = await filled(town, enterprise, order_id)
    path = f"orders/{order_id}/steps/sign_contract"
    for field, wrong in {
        "amount_fen": [0, -1, 0.5, "100", None, 10**16],
        "signed_on": ["2026-02-30", "tomorrow", 20260518],
        "contract_number": ["", None, "一" * 2001],
        "surprise": [1],
    }.items():
        for value in wrong:
            told = await enterprise.post(path, **{**sent, "values": {**sent["values"], field: value}})
            refused(told, 422, "step_unmet")
            assert field in {one["code"] for one in told.body["unmet"]}
    nobodys = [{"code": "contract", "file_ids": [999]}]
    refused(await enterprise.post(path, **{**sent, "papers": nobodys}), 404, "files_unknown")
    missing = await enterprise.post(f"{path}/checklist", values={}, papers=[])
    assert {"amount_fen", "contract"} <= {one["code"] for one in missing.body["missing"]}
    assert (await enterprise.get(f"orders/{order_id}")).body["contract"] is None
    assert (await enterprise.post(path, **sent)).status == 200
