"""Bounds: a district department has its own areas before it, staff of one programme that one alone."""

from __future__ import annotations

from typing import Any

import pytest

from server.models.organisations import Qualification
from server.models.rounds import Budget
from tests.factories import make_qualified
from tests.town import PROGRAMME, Answered, Caller, Town

CITY = "guangzhou-2020"
TIANHE, YUEXIU, WHOLE = "广东省/广州市/天河区", "广东省/广州市/越秀区", "广东省/广州市"


def refused(answered: Answered, status: int, code: str) -> None:
    assert (answered.status, answered.code) == (status, code), answered.body


async def in_area(town: Town, area: str, programme: str = CITY) -> int:
    """An enterprise's standing; its id."""
    organisation = await make_qualified(town.programmes.get(programme), area=area)
    return int((await Qualification.get(organisation_id=organisation.id)).id)


async def seen(caller: Caller) -> list[int]:
    listed = await caller.get("qualifications")
    assert listed.status == 200, listed.body
    return [one["id"] for one in listed.body["qualifications"]]


@pytest.mark.rules("GZ-46")
@pytest.mark.parametrize(
    ("role", "areas", "expected"),
    [
        ("district", [TIANHE], [True, True, False, False]),
        ("district", [YUEXIU], [False, False, True, False]),
        ("district", [TIANHE, YUEXIU], [True, True, True, False]),
        ("authority", [WHOLE], [True, True, True, False]),
        ("authority", [], [True, True, True, True]),
    ],
)
async def test_a_district_department_has_its_own_areas_before_it_and_the_bureau_all(
    town: Town, role: str, areas: list[str], expected: list[bool]
) -> None:
    places = [TIANHE, f"{TIANHE}/石牌街道", YUEXIU, "广东省/广州市南"]
    standings = [await in_area(town, place) for place in places]
    caller = await town.staff(role, areas=areas)
    mine = [standing for standing, is_mine in zip(standings, expected, strict=True) if is_mine]
    assert await seen(caller) == mine
    for standing, is_mine in zip(standings, expected, strict=True):
        shown = await caller.get(f"qualifications/{standing}")
        assert shown.status == (200 if is_mine else 404)


async def test_staff_of_one_programme_read_and_move_nothing_of_another(town: Town) -> None:
    here, there = await town.staff("operator", programmes=[PROGRAMME]), await town.operator()
    ours, theirs = await in_area(town, TIANHE, PROGRAMME), await in_area(town, TIANHE)
    assert (await seen(here), await seen(there)) == ([ours], [ours, theirs])
    year = {"programme": CITY, "year": 2020, "total_fen": 600_000_000}
    refused(await here.post("budgets", **year), 404, "not_found")
    assert (await there.post("budgets", **year)).status == 201
    budget = await Budget.get(programme_slug=CITY)
    more = {"amount_fen": 100, "reason": "年中追加"}
    refused(await here.post(f"budgets/{budget.id}/top-ups", **more), 404, "not_found")
    assert (await there.post(f"budgets/{budget.id}/top-ups", **more)).status == 200


async def test_bans_of_one_programme_and_of_all_are_kept_apart(town: Town) -> None:
    bound, free = await town.staff("operator", programmes=[PROGRAMME]), await town.operator()

    def ban(number: int, programme: str | None) -> dict[str, Any]:
        known: dict[str, Any] = {"clause": "五(五)", "reason": "提供虚假材料", "list_name": "失信惩戒名单"}
        return {
            **known,
            "uscc": ["91110000600037341L", "91350100M000100Y43", "91110108551385082Q"][number],
            "programme": programme,
            "starts_at": town.now.isoformat(),
        }

    for programme in (CITY, None):
        refused(await bound.post("blocklist", **ban(0, programme)), 404, "not_found")
    made = [await free.post("blocklist", **ban(at, one)) for at, one in enumerate((PROGRAMME, CITY, None))]
    ids = [one.body["id"] for one in made]
    # What concerns every programme concerns this one, and is lifted by whoever works on every one.
    listed = (await bound.get("blocklist")).body["entries"]
    assert [one["id"] for one in listed] == [ids[0], ids[2]]
    lifted = [(await bound.post(f"blocklist/{entry}/lifting", reason="已经改正")).status for entry in ids]
    assert lifted == [200, 404, 404]


@pytest.mark.parametrize("role", ["authority", "treasury", "operator"])
async def test_a_years_money_is_arranged_by_the_authority_the_treasury_or_the_operator(
    town: Town, role: str
) -> None:
    year = {"programme": PROGRAMME, "year": 2026, "total_fen": 100}
    refused(await (await town.staff("district", areas=[WHOLE])).post("budgets", **year), 403, "not_allowed")
    assert (await (await town.staff(role)).post("budgets", **year)).status == 201
