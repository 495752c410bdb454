"""Registering an organisation, and the people who act for it, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from server.models.journal import JournalEntry
from server.models.organisations import Organisation
from tests.town import Town, eligible, uscc


async def test_who_registers_an_organisation_acts_for_it_at_once(town: Town) -> None:
    person = await town.person()
    before = await person.get("organisations/mine")
    registered = await person.post(
        "organisations", **eligible(name="云和木玩有限公司", labels=["seedling_library"])
    )
    mine = await person.get("organisations/mine")
    me = await person.get("me")
    assert (before.status, before.code) == (404, "no_organisation")
    assert registered.status == 201
    assert mine.body == registered.body
    assert mine.body["name"] == "云和木玩有限公司"
    assert (mine.body["labels"], mine.body["labels_claimed"]) == ([], ["seedling_library"])
    assert (me.body["organisation_id"], me.body["roles"]) == (mine.body["id"], ["handler"])
    assert await JournalEntry.filter(action="organisation.registered").count() == 1


RIGHT = uscc(4_000_000)
WRONG_CHECK = RIGHT[:-1] + ("0" if RIGHT[-1] != "0" else "1")


@pytest.mark.rules("GX-48")
@pytest.mark.parametrize(
    ("written", "says"),
    [
        (RIGHT[:-1], "现为 17 位"),
        (RIGHT.replace("0", "O", 1), "不使用字符 O"),
        ("9133A100" + RIGHT[8:], "前 8 位应为数字"),
        (WRONG_CHECK, f"末位应为 {RIGHT[-1]}，现为 {WRONG_CHECK[-1]}"),
        ("", "现为 0 位"),
    ],
)
async def test_a_wrong_code_is_refused_and_told_what_is_wrong(town: Town, written: str, says: str) -> None:
    person = await town.person()
    refused = await person.post("organisations", **eligible(uscc=written))
    assert (refused.status, refused.code) == (422, "uscc_invalid")
    assert says in refused.body["detail"]
    assert await Organisation.all().count() == 0


async def test_a_code_has_one_spelling_however_it_is_typed(town: Town) -> None:
    person = await town.person()
    typed = f" {RIGHT[:8].lower()}-{RIGHT[8:].lower()}"
    registered = await person.post("organisations", **eligible(uscc=typed))
    assert registered.body["uscc"] == RIGHT


async def test_a_code_is_registered_once_and_nobody_learns_by_whom(town: Town) -> None:
    first = await town.handler(name="龙泉青瓷有限公司")
    taken = (await first.get("organisations/mine")).body
    other = await town.person()
    refused = await other.post("organisations", **eligible(uscc=taken["uscc"]))
    registered = await other.post("organisations", **eligible())
    assert (refused.status, refused.code) == (409, "organisation_exists")
    assert "龙泉" not in str(refused.body)
    assert "values" not in refused.body
    assert registered.status == 201


async def test_a_person_acts_for_one_organisation_at_a_time(town: Town) -> None:
    handler = await town.handler()
    refused = await handler.post("organisations", **eligible())
    assert (refused.status, refused.code) == (409, "already_member")
    assert await Organisation.all().count() == 1


async def test_everything_that_cannot_be_is_named_at_once(town: Town) -> None:
    person = await town.person()
    refused = await person.post(
        "organisations",
        **eligible(
            industry="Z99",
            established_on="2026-05-19",
            labels=["invented"],
            declarations={"fits_industrial_direction": "yes", "nothing": True},
        ),
    )
    assert (refused.status, refused.code) == (422, "facts_unusable")
    assert [one["code"] for one in refused.body["unmet"]] == [
        "established_on",
        "industry",
        "labels",
        "declarations.fits_industrial_direction",
        "declarations.nothing",
    ]
    assert await Organisation.all().count() == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("revenue_fen", -1),
        ("assets_fen", 0.5),
        ("headcount", -1),
        ("established_on", "yesterday"),
        ("area", "a//b"),
        ("role", "staff"),
        ("labels", "seedling_library"),
        ("declarations", {"fits_industrial_direction": None}),
        ("surprise", 1),
    ],
)
async def test_what_does_not_fit_is_malformed_and_nothing_is_stored(
    town: Town, field: str, value: Any
) -> None:
    person = await town.person()
    refused = await person.post("organisations", **eligible(**{field: value}))
    assert (refused.status, refused.code) == (422, "malformed")
    assert refused.body["faults"][0]["field"].split(".")[0] == field
    assert await Organisation.all().count() == 0


async def test_who_is_in_charge_changes_facts_and_nobody_else(town: Town) -> None:
    handler = await town.handler()
    staff = await town.joined(handler, "staff")
    refused = await staff.patch("organisations/mine", headcount=43)
    stranger = await (await town.person()).patch("organisations/mine", headcount=43)
    unchanged = await handler.get("organisations/mine")
    town.clock.advance(timedelta(minutes=1))
    changed = await handler.patch("organisations/mine", headcount=43)
    assert (refused.status, refused.code) == (403, "not_allowed")
    assert stranger.status == 403
    assert unchanged.body["headcount"] == 42
    assert changed.body == unchanged.body | {
        "headcount": 43,
        "facts_changed_at": changed.body["facts_changed_at"],
        "report": None,
        "elsewhere": [],
    }
    assert changed.body["facts_changed_at"] > unchanged.body["facts_changed_at"]


async def test_saying_the_same_again_changes_nothing(town: Town) -> None:
    handler = await town.handler()
    before = await handler.get("organisations/mine")
    town.clock.advance(timedelta(minutes=1))
    after = await handler.patch(
        "organisations/mine", headcount=42, declarations={"fits_industrial_direction": True}
    )
    assert after.body == before.body | {"report": None, "elsewhere": []}
    assert await JournalEntry.filter(action="organisation.facts_changed").count() == 0


async def test_the_journal_names_changed_facts_without_their_values(town: Town) -> None:
    handler = await town.handler()
    await handler.patch("organisations/mine", name="一个新名字", headcount=43)
    entry = await JournalEntry.get(action="organisation.facts_changed")
    assert entry.data == {"facts": ["headcount", "name"]}
