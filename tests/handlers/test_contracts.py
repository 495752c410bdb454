"""Contracts, draws and requests over HTTP, each programme in its own way, from approval to voucher."""

from __future__ import annotations

from typing import Any

import pytest

from server.models.labels import AttestedLabel, LabelSource
from server.models.organisations import Organisation, Qualification
from server.models.reviews import ReviewCase
from server.models.rounds import Budget
from server.programme.vocabulary import Party
from server.rules.lifecycles import QualificationStatus
from server.units import yuan_to_fen
from tests.contracting import ALLOTTED, AREAS, CATEGORY, DRAWN, ON_CONTRACT
from tests.town import DAY, Answered, Caller, Town


def refused(told: Answered, status: int, code: str) -> None:
    assert (told.status, told.code) == (status, code), told.body
    assert told.body["detail"]


async def mine(caller: Caller) -> dict[str, Any]:
    body: dict[str, Any] = (await caller.get("organisations/mine")).body
    return body


def declared(town: Town, slug: str) -> dict[str, bool]:
    """A yes to everything a programme asks an enterprise to declare."""
    return {one.code: True for one in town.programmes.get(slug).enterprise.fields if one.kind == "yes_no"}


async def side(town: Town, slug: str, party: Party, name: str) -> Caller:
    """The handler of an organisation that is approved as this party."""
    handler = await town.handler(name=name, area=AREAS[slug], declarations=declared(town, slug))
    await Qualification.create(
        organisation_id=(await mine(handler))["id"],
        party=party,
        programme_slug=slug,
        programme_version=town.programmes.get(slug).version,
        status=QualificationStatus.APPROVED,
        applied_at=town.now,
        snapshot={},
    )
    return handler


async def sides(town: Town, slug: str) -> tuple[Caller, Caller]:
    """An approved enterprise and an approved provider."""
    enterprise = await side(town, slug, Party.ENTERPRISE, "启明机械有限公司")
    return enterprise, await side(town, slug, Party.PROVIDER, "同行咨询有限公司")


async def money(town: Town, slug: str, total_yuan: int = 1_000_000) -> int:
    """A year's money; the budget's id."""
    treasurer = await town.staff("operator", "treasury", "authority")
    opened = await treasurer.post("budgets", programme=slug, year=2026, total_fen=yuan_to_fen(total_yuan))
    assert opened.status == 201, opened.body
    return int(opened.body["id"])


async def body(
    slug: str, enterprise: Caller, provider: Caller, amount_yuan: float, **others: Any
) -> dict[str, Any]:
    """A contract as it must be, but for what ``others`` say."""
    one, other = await mine(enterprise), await mine(provider)
    entered: dict[str, Any] = {
        "programme": slug,
        "enterprise_uscc": one["uscc"],
        "enterprise_name": one["name"],
        "provider_uscc": other["uscc"],
        "provider_name": other["name"],
        "number": "HT-2026-001",
        "project": "设备上云",
        "category": CATEGORY[slug],
        "amount_fen": yuan_to_fen(amount_yuan),
    }
    if slug == ALLOTTED:
        entered["kind"] = "general"
    else:
        entered["signed_on"] = "2026-05-18"
    return {**entered, **others}


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
    entered = await enterprise.post("contracts", **await body(ALLOTTED, enterprise, provider, 40_000))
    assert (entered.status, entered.body["status"]) == (201, "drafted")
    signatures = f"contracts/{entered.body['id']}/signatures"
    half = await provider.post(signatures)
    assert (half.body["provider_signed"], half.body["enterprise_signed"]) == (True, False)
    refused(await provider.post(signatures), 409, "signed_already")
    signed = (await enterprise.post(signatures)).body
    assert (signed["status"], signed["voucher_fen"], signed["clause"]) == ("signed", 2_000_000, "第十一条")
    held = (await enterprise.get(f"vouchers/{voucher['id']}")).body
    assert (held["balances"]["available_fen"], held["balances"]["held_fen"]) == (3_000_000, 2_000_000)
    assert [line["amount_fen"] for line in held["history"] if line["amount_fen"]] == [5_000_000, 2_000_000]
    operator = await town.operator()
    failed = await operator.post(f"contracts/{signed['id']}/failure", reason="双方协商终止")
    assert failed.body["status"] == "failed"
    held = (await enterprise.get(f"vouchers/{voucher['id']}")).body
    assert held["balances"]["available_fen"] == 5_000_000
    refused(
        await operator.post(f"contracts/{signed['id']}/failure", reason="双方协商终止"), 409, "illegal_move"
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
async def test_a_pause_says_clause_and_sum_and_signs_nothing(town: Town) -> None:
    budget_id = await money(town, ALLOTTED, 10_000)
    enterprise, provider = await sides(town, ALLOTTED)
    organisation = await Organisation.get(id=(await mine(enterprise))["id"])
    await town.run_jobs()
    entered = await provider.post("contracts", **await body(ALLOTTED, enterprise, provider, 40_000))
    signatures = f"contracts/{entered.body['id']}/signatures"
    await provider.post(signatures)
    told = await enterprise.post(signatures)
    refused(told, 409, "contracts_paused")
    assert told.body["arithmetic"] == "年度预算 10,000.00 − 已用 0.00 = 10,000.00 < 20,000.00"
    assert told.body["clause"]
    shown = (await enterprise.get(f"contracts/{entered.body['id']}")).body
    assert (shown["status"], shown["enterprise_signed"]) == ("drafted", False)
    treasurer = await town.staff("treasury", "authority", "operator")
    await treasurer.post(f"budgets/{budget_id}/top-ups", amount_fen=yuan_to_fen(10_000), reason="追加")
    assert (await enterprise.post(signatures)).body["status"] == "signed"
    assert (await Budget.get(id=budget_id)).committed_fen == 2_000_000
    assert organisation.id == shown["enterprise_id"]


@pytest.mark.rules("YC-04", "YC-05", "YC-13", "YC-18")
async def test_a_provider_draws_over_http_and_finds_the_voucher_in_its_wallet(town: Town) -> None:
    await money(town, DRAWN)
    enterprise, provider = await sides(town, DRAWN)
    refused(
        await enterprise.post("contracts", **await body(DRAWN, enterprise, provider, 100_000)),
        403,
        "not_yours_to_make",
    )
    entered = await provider.post("contracts", **await body(DRAWN, enterprise, provider, 100_000))
    assert entered.status == 201, entered.body
    draws = f"contracts/{entered.body['id']}/draws"
    drawn = await provider.post(draws, project="设备上云", fee_fen=yuan_to_fen(100_000))
    assert (drawn.status, drawn.body["amount_fen"]) == (201, 3_000_000)
    assert drawn.body["year_left_fen"] == 100_000_000
    again = await provider.post(draws, project=" 设备上云", fee_fen=1)
    refused(again, 409, "project_drawn_before")
    assert again.body["unmet"][0]["arithmetic"] == "1 + 1 > 1"
    refused(await enterprise.post(draws, project="别的", fee_fen=1), 404, "not_found")
    (held,) = (await provider.get("vouchers")).body["vouchers"]
    assert held["id"] == drawn.body["voucher_id"]
    assert (await enterprise.get("vouchers")).body["vouchers"] == []
    assert (await enterprise.get("draws")).body["draws"] == (await provider.get("draws")).body["draws"]
    refused(await enterprise.get(f"vouchers/{held['id']}"), 404, "not_found")


@pytest.mark.rules("NX-18", "NX-19", "NX-31")
async def test_a_request_on_a_contract_over_http_from_asking_to_the_voucher(town: Town) -> None:
    budget_id = await money(town, ON_CONTRACT)
    operator = await town.operator()
    planned = await operator.post(
        "rounds",
        budget_id=budget_id,
        title="第一期",
        opens_at=town.now.isoformat(),
        closes_at=(town.now + 30 * DAY).isoformat(),
        pool_fen=yuan_to_fen(100_000),
        valid_until=(town.now + 60 * DAY).isoformat(),
    )
    assert planned.status == 201, planned.body
    round_id = planned.body["id"]
    await operator.post(f"rounds/{round_id}/schedule")
    enterprise, provider = await sides(town, ON_CONTRACT)
    entered = await enterprise.post("contracts", **await body(ON_CONTRACT, enterprise, provider, 10_000))
    assert (entered.status, entered.body["status"]) == (201, "signed")
    asked = await enterprise.post(f"rounds/{round_id}/voucher-requests", contract_id=entered.body["id"])
    assert (asked.status, asked.body["status"], asked.body["expected_fen"]) == (201, "pending", 300_000)
    refused(
        await enterprise.post(f"rounds/{round_id}/voucher-requests", contract_id=entered.body["id"]),
        409,
        "requested_already",
    )
    refused(
        await provider.post(f"rounds/{round_id}/voucher-requests", contract_id=entered.body["id"]),
        404,
        "not_found",
    )
    refused(await provider.get(f"voucher-requests/{asked.body['id']}"), 404, "not_found")
    case = await ReviewCase.get(subject_id=asked.body["id"], subject="voucher_request")
    decision = {"decision": "approve", "version": case.version, "extras": {"amount_fen": 250_000}}
    decided = await operator.post(f"reviews/{case.id}/decision", **decision)
    assert decided.status == 200, decided.body
    issued = (await enterprise.get(f"voucher-requests/{asked.body['id']}")).body
    assert (issued["status"], issued["amount_fen"]) == ("issued", 250_000)
    (voucher,) = (await enterprise.get("vouchers")).body["vouchers"]
    assert (voucher["id"], voucher["round_id"]) == (issued["voucher_id"], round_id)
    shown = (await town.anybody.get(f"rounds/{round_id}")).body
    assert shown["remaining_fen"] == yuan_to_fen(100_000) - 250_000
    refused(await enterprise.post(f"voucher-requests/{asked.body['id']}/withdrawal"), 409, "illegal_move")


async def test_a_contract_is_seen_by_its_sides_and_the_staff_of_its_programme_and_area(town: Town) -> None:
    enterprise, provider = await sides(town, ON_CONTRACT)
    entered = await enterprise.post("contracts", **await body(ON_CONTRACT, enterprise, provider, 10_000))
    path = f"contracts/{entered.body['id']}"
    seeing = [
        enterprise,
        provider,
        await town.operator(),
        await town.staff("auditor", programmes=(ON_CONTRACT,)),
        await town.staff("district", areas=(AREAS[ON_CONTRACT],)),
    ]
    for caller in seeing:
        assert (await caller.get(path)).body == entered.body
        assert [one["id"] for one in (await caller.get("contracts")).body["contracts"]] == [
            entered.body["id"]
        ]
    blind = [
        await side(town, ON_CONTRACT, Party.ENTERPRISE, "别家机械有限公司"),
        await town.staff("operator", programmes=(ALLOTTED,)),
        await town.staff("district", areas=("宁夏回族自治区/吴忠市",)),
    ]
    for caller in blind:
        refused(await caller.get(path), 404, "not_found")
        assert (await caller.get("contracts")).body["contracts"] == []
    refused(await (await town.staff("administrator")).get(path), 403, "not_allowed")
    colleague = await town.joined(enterprise, "staff")
    assert (await colleague.get(path)).status == 200
    another = await body(ON_CONTRACT, enterprise, provider, 1, number="HT-2")
    refused(await colleague.post("contracts", **another), 403, "not_allowed")


async def test_what_is_malformed_is_named_and_nothing_is_stored(town: Town) -> None:
    enterprise, provider = await sides(town, ON_CONTRACT)
    good = await body(ON_CONTRACT, enterprise, provider, 10_000)
    for field, values in {
        "amount_fen": [0, -1, 0.5, "100", None, 10**16],
        "signed_on": ["2026-02-30", "tomorrow", 20260518],
        "number": ["", None, "一" * 65],
        "file_ids": [[0], ["1"], 7, list(range(1, 60))],
        "surprise": [1],
    }.items():
        for value in values:
            told = await enterprise.post("contracts", **{**good, field: value})
            refused(told, 422, "malformed")
    wrong_digit = good["provider_uscc"][:-1] + ("0" if good["provider_uscc"][-1] != "0" else "1")
    refused(await enterprise.post("contracts", **{**good, "provider_uscc": wrong_digit}), 422, "uscc_invalid")
    refused(await enterprise.post("contracts", **{**good, "programme": "nowhere"}), 404, "unknown_programme")
    refused(await enterprise.post("contracts", **{**good, "file_ids": [999]}), 404, "files_unknown")
    assert (await enterprise.get("contracts")).body["contracts"] == []
    assert (await enterprise.post("contracts", **good)).status == 201
