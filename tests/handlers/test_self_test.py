"""The size self-test: public, with its arithmetic, stored nowhere."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from server.models.journal import JournalEntry
from tests.town import Town

WAN = 10_000 * 100


async def ask(town: Town, **figures: Any) -> Any:
    return await town.anybody.get(f"size-self-test?{urlencode(figures)}")


@pytest.mark.rules("GZ-60")
@pytest.mark.parametrize(
    ("figures", "size"),
    [
        ({"headcount": 1000, "revenue_fen": 40_000 * WAN}, "large"),
        ({"headcount": 999, "revenue_fen": 40_000 * WAN}, "medium"),
        ({"headcount": 300, "revenue_fen": 2_000 * WAN}, "medium"),
        ({"headcount": 299, "revenue_fen": 2_000 * WAN}, "small"),
        ({"headcount": 20, "revenue_fen": 300 * WAN}, "small"),
        ({"headcount": 20, "revenue_fen": 300 * WAN - 1}, "micro"),
    ],
)
async def test_anybody_may_test_its_size_and_sees_every_threshold(
    town: Town, figures: dict[str, int], size: str
) -> None:
    entries = await JournalEntry.all().count()
    seen = await ask(town, industry="C2652", **figures)
    assert (seen.status, seen.body["size"]) == (200, size)
    assert (seen.body["industry"], seen.body["clause"]) == ("工业", "四（二）")
    assert seen.body["source"] == "工信部联企业〔2011〕300号"
    lines = {line["size"]: line for line in seen.body["lines"]}
    assert [one["at_least"] for one in lines["medium"]["thresholds"]] == [300, 2_000 * WAN]
    reached = [name for name, line in lines.items() if line["reached"]]
    assert (reached or ["micro"])[0] == size
    assert seen.body["steps"][-1].startswith("结论：")
    assert seen.headers["Cache-Control"] == "public, max-age=86400"
    assert await JournalEntry.all().count() == entries


async def test_an_industry_may_be_named_instead_of_coded(town: Town) -> None:
    figures = {"headcount": 60, "revenue_fen": 600 * WAN}
    by_name = (await ask(town, industry="零售业", **figures)).body
    by_code = (await ask(town, industry="52", **figures)).body
    assert (
        (by_name["size"], by_name["lines"])
        == (by_code["size"], by_code["lines"])
        == ("medium", by_code["lines"])
    )
    assert (await ask(town, industry="物业", **figures)).body["industry"] == "物业管理"
    assert (await ask(town, industry="业", **figures)).code == "industry_unclear"
    assert (await ask(town, industry="星际航运", **figures)).code == "industry_unclear"


@pytest.mark.parametrize(
    ("figures", "status", "code"),
    [
        ({"industry": "J66", "headcount": 1}, 422, "unknown_industry"),
        ({"industry": "C2652", "headcount": 30}, 422, "figure_missing"),
        ({"industry": "C2652"}, 422, "malformed"),
        ({"industry": "C2652", "headcount": -1, "revenue_fen": 1}, 422, "malformed"),
        ({"industry": "C2652", "headcount": "many", "revenue_fen": 1}, 422, "malformed"),
        ({"industry": "C2652", "headcount": 1, "revenue_fen": 10**16}, 422, "malformed"),
        ({"industry": "", "headcount": 1}, 422, "malformed"),
        ({"industry": "C2652", "headcount": 1, "revenue_fen": 1, "name": "x"}, 422, "malformed"),
    ],
)
async def test_what_cannot_be_judged_is_refused(
    town: Town, figures: dict[str, Any], status: int, code: str
) -> None:
    refused = await ask(town, **figures)
    assert (refused.status, refused.code) == (status, code)


@pytest.mark.rules("GZ-60")
async def test_the_industries_can_be_chosen_from_and_say_what_they_need(town: Town) -> None:
    seen = (await town.anybody.get("size-self-test/industries")).body
    industries = {one["name"]: one for one in seen["industries"]}
    assert len(industries) == 16
    assert industries["建筑业"]["figures"] == ["revenue_fen", "assets_fen"]
    assert industries["其他未列明行业"]["figures"] == ["headcount"]
    for industry in industries.values():
        named = dict.fromkeys(industry["figures"], 0) | {"headcount": 0}
        by_code = await ask(town, industry=industry["codes"][0], **named)
        assert (by_code.status, by_code.body["industry"], by_code.body["size"]) == (
            200,
            industry["name"],
            "micro",
        )
