"""Settlements over HTTP: one journey from a finished order to money that is due, as both sides see it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from server.programme.papers import DocumentKind
from server.programme.vocabulary import Party
from server.rules.deadlines import day_of
from server.units import yuan_to_fen
from tests.contracting import DRAWN
from tests.dealing import filled, money, opened, refused, side, sides, step
from tests.paperwork import a_file
from tests.town import Caller, Town

FEE = 100_000


async def finished(town: Town, enterprise: Caller, provider: Caller) -> int:
    """An order for which a provider drew a voucher, delivered and proved; its id."""
    order_id = await opened(town, DRAWN, enterprise, provider, FEE)
    signed = await step(town, provider, order_id, "upload_contract")
    assert signed.status == 200, signed.body
    sent = await filled(town, provider, order_id)
    order = (await provider.get(f"orders/{order_id}")).body
    amounts = {"full_invoice": yuan_to_fen(FEE), "transfer": yuan_to_fen(FEE) - order["voucher_fen"]}
    for number, paper in enumerate(sent["papers"], start=1):
        if paper["code"] in amounts:
            paper |= {
                "number": f"{number:020d}",
                "amount_fen": amounts[paper["code"]],
                "dated": day_of(town.now).isoformat(),
                "payer": order["enterprise"],
                "payee": order["provider"],
            }
    done = await provider.post(f"orders/{order_id}/steps/deliver", **sent)
    assert done.status == 200, done.body
    return order_id


async def handed(town: Town, provider: Caller, order_id: int, *codes: str) -> list[dict[str, Any]]:
    """Documents of the government's, dated today."""
    owner = (await provider.get("organisations/mine")).body["id"]
    day = day_of(town.now).isoformat()
    return [
        {
            "order_id": order_id,
            "code": code,
            "dated": day,
            "file_ids": [(await a_file(owner, DocumentKind.GOVERNMENT_DOCUMENT, DRAWN, town.now)).id],
        }
        for code in codes
    ]


@pytest.mark.rules("YC-19", "YC-21", "YC-22", "YC-27")
async def test_a_provider_hands_in_corrects_and_sees_its_money_come_nearer(town: Town) -> None:
    await money(town, DRAWN)
    enterprise, provider = await sides(town, DRAWN)
    order_id = await finished(town, enterprise, provider)
    begun = await provider.post("settlement-applications", order_ids=[order_id])
    assert begun.status == 201, begun.body
    application, lines = begun.body["application"], begun.body["orders"][0]["lines"]
    address = f"settlement-applications/{application['id']}"
    assert {one["code"] for one in lines if not one["met"]} == {"government", "funding"}
    early = await provider.post(f"{address}/submission", version=1)
    refused(early, 422, "settlement_unmet")
    assert early.body["unmet"][0]["clause"]

    papers = await handed(town, provider, order_id, "project_declaration", "fund_release")
    kept = await provider.put(f"{address}/papers", papers=papers, version=1)
    assert kept.status == 200, kept.body
    refused(await provider.put(f"{address}/papers", papers=papers, version=1), 409, "settlement_moved_on")
    wrong = [{**papers[0], "code": "contract"}]
    refused(
        await provider.put(f"{address}/papers", papers=wrong, version=2), 422, "settlement_paper_not_asked"
    )
    done = await provider.post(f"{address}/submission", version=2)
    assert done.status == 200, done.body
    settlement = done.body["orders"][0]["settlement"]
    assert (settlement["status"], settlement["asked_fen"]) == ("in_review", yuan_to_fen(30_000))
    refused(await provider.post("settlement-applications", order_ids=[order_id]), 409, "settled_already")
    refused(await provider.post(f"{address}/submission", version=3), 409, "settlement_moved_on")

    reviewer = await town.staff("operator")
    case = (await reviewer.get(f"reviews/{settlement['case_id']}")).body
    assert all(one["met"] for one in case["checks"]), case["checks"]
    returned = await reviewer.post(
        f"reviews/{settlement['case_id']}/decision",
        decision="return",
        version=case["version"],
        reason="申报文件缺页",
        fields={"project_declaration": "缺第二页"},
    )
    assert returned.status == 200, returned.body
    papers = await handed(town, provider, order_id, "project_declaration")
    town.clock.advance(timedelta(minutes=5))
    assert (await provider.put(f"{address}/papers", papers=papers, version=3)).status == 200
    seen = (await provider.get(f"settlements/{settlement['id']}")).body["settlement"]
    again = await provider.post(f"settlements/{settlement['id']}/resubmission", version=seen["version"])
    assert (again.status, again.body["status"]) == (200, "in_review"), again.body
    assert again.body["line_at"] == settlement["line_at"]
    stranger = await side(town, DRAWN, Party.PROVIDER, "路人咨询有限公司")
    refused(await stranger.get(f"settlements/{settlement['id']}"), 404, "not_found")
    of_enterprise = await enterprise.get("settlements")
    assert [one["id"] for one in of_enterprise.body["settlements"]] == [settlement["id"]]


@pytest.mark.rules("GX-60")
async def test_the_authority_announces_windows_that_everybody_reads(town: Town) -> None:
    authority = await town.staff("authority")
    window = {
        "programme": "guangxi-2024",
        "name": "2026年第一次集中兑付",
        "opens_at": town.now.isoformat(),
        "closes_at": (town.now + timedelta(days=20)).isoformat(),
    }
    made = await authority.post("settlement-windows", **window)
    assert made.status == 201, made.body
    refused(await authority.post("settlement-windows", **window), 422, "settlement_window_impossible")
    no_windows = await authority.post("settlement-windows", **{**window, "programme": DRAWN})
    refused(no_windows, 409, "settlement_windows_full")
    known = (await town.anybody.get("settlement-windows?programme=guangxi-2024")).body["windows"]
    assert [one["id"] for one in known] == [made.body["id"]]
