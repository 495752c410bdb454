"""The first launch, through the public API alone: from a login on a phone to a voucher in the wallet."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from server.demo import eligible_facts
from server.keys import CLOCKS
from server.programme.issuance import IssuanceMode
from server.programme.model import Programme
from server.units import yuan
from tests.journeys.conftest import Journey
from tests.town import Answered, Caller, grab_key, uscc

SLUGS = sorted(file.stem for file in Path("config/programmes").glob("*.toml"))
YEAR_YUAN = 3_000_000
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def body_of(programme: Programme, journey: Journey, number: int, **others: Any) -> dict[str, Any]:
    """What an enterprise fills in that meets every condition of a programme, but for ``others``."""
    facts = eligible_facts(programme, journey.town.app[CLOCKS].now(programme.slug))
    facts = {name: one.isoformat() if isinstance(one, date) else one for name, one in facts.items()}
    facts["labels"] = facts.pop("labels_claimed")
    return {"uscc": uscc(number), "name": f"第{number}企业", "role": "handler", **facts, **others}


async def registered(
    journey: Journey, operator: Caller, programme: Programme, number: int, **others: Any
) -> tuple[Caller, Answered]:
    """Somebody signs in, registers an enterprise that the official lists name, and hands in its form."""
    person = await journey.sign_in(f"{programme.slug} {number}")
    facts = body_of(programme, journey, number, **others)
    made = await person.post("organisations", **facts)
    assert made.status == 201, made.body
    for label in facts["labels"]:
        attested = await operator.post(
            "labels",
            programme=programme.slug,
            code=label,
            uscc=facts["uscc"],
            name=facts["name"],
            list_name="官方名单",
        )
        assert attested.status == 201, attested.body
    applied = await journey.town.applied(person, programme=programme.slug)
    assert applied.status == 201, applied.body
    return person, applied


async def approved(journey: Journey, operator: Caller, programme: Programme, number: int) -> Caller:
    """The same, approved: by people, or at once where the software decides alone."""
    person, applied = await registered(journey, operator, programme, number)
    assert applied.body["unmet"] == []
    if applied.body["status"] == "pending":
        decided = await journey.town.decide(operator, applied)
        assert (decided.status, decided.body["status"]) == (200, "passed"), decided.body
    return person


@pytest.mark.rules("LS-05", "LS-06", "LS-60", "LS-64", "LS-67")
async def test_from_a_login_to_a_voucher_in_the_wallet(journey: Journey) -> None:
    programmes = journey.town.programmes
    (programme,) = [one for one in programmes if one.issuance.mode is IssuanceMode.GRAB]
    face_fen = programme.issuance.tiers[-1].face_value_fen
    operator = await journey.operator()
    first, second, third = [await approved(journey, operator, programme, number) for number in (1, 2, 3)]

    # The year's money, and a round of two vouchers.
    now = journey.town.app[CLOCKS].now(programme.slug)
    budget = await operator.post(
        "budgets", programme=programme.slug, year=programme.year_of(now), total_fen=YEAR_YUAN * 100
    )
    round_ = await operator.post(
        "rounds",
        budget_id=budget.body["id"],
        title="第一批",
        opens_at=(now - MINUTE).isoformat(),
        closes_at=(now + DAY).isoformat(),
        pool_fen=2 * face_fen,
        valid_until=(now + 30 * DAY).isoformat(),
    )
    assert round_.status == 201, round_.body
    url = f"rounds/{round_.body['id']}"
    assert (await first.get(f"{url}/readiness")).status == 404
    published = await operator.post(f"{url}/schedule")
    assert published.body["phase"] == "open"

    # Beforehand every phone knows where it stands, and what the time is.
    ready = await first.get(f"{url}/readiness")
    assert (ready.body["ready"], ready.body["amount_fen"]) == (True, face_fen)
    latecomer, _ = await registered(journey, operator, programme, 4)
    not_yet = await latecomer.get(f"{url}/readiness")
    assert [one["code"] for one in not_yet.body["missing"]] == ["qualification_pending"]
    clock = await first.get(f"clock?programme={programme.slug}")
    assert clock.body["now"] >= round_.body["opens_at"]

    # Two are in time, one is late, one is not qualified.
    told = [await one.grab(round_.body["id"], grab_key()) for one in (first, second, third, latecomer)]
    assert [one.status for one in told] == [201, 201, 409, 409]
    assert [one.code for one in told[2:]] == ["round_sold_out", "not_entitled"]
    for one in told:
        facts = await journey.town.anybody.post("receipts/checks", receipt=one.body["receipt"])
        assert facts.status == 200
    shown = await journey.town.anybody.get(url)
    assert shown.body["remaining_fen"] == 0

    # The wallet tells its story in plain words.
    (held,) = (await first.get("vouchers")).body["vouchers"]
    assert (held["number"], held["face_value_fen"]) == (told[0].body["voucher"]["number"], face_fen)
    assert held["balances"]["available_fen"] == face_fen
    assert sum(held["balances"].values()) == face_fen
    story = (await first.get(f"vouchers/{held['id']}")).body["history"]
    assert [line["amount_fen"] for line in story].count(face_fen) == 1
    assert yuan(face_fen) in "".join(line["says"] for line in story)
    assert all(re.search("[一-鿿]", line["says"]) for line in story)
    assert (await second.get(f"vouchers/{held['id']}")).status == 404
    assert (await third.get("vouchers")).body["vouchers"] == []

    # Late, approved and with fresh money in the pool: the round goes on.
    topped = await operator.post(f"{url}/top-ups", amount_fen=face_fen, reason="年中追加")
    assert topped.status == 200
    again = await third.grab(round_.body["id"], grab_key(), Grab_Attempt="2")
    assert (again.status, again.body["answer"]) == (201, "granted")
    assert await journey.verified() == "ledger: 0 faults, books balanced"


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_every_programme_qualifies_who_meets_it_and_tells_the_others_why(
    journey: Journey, slug: str
) -> None:
    programme = journey.town.programmes.get(slug)
    operator = await journey.town.operator()
    person = await approved(journey, operator, programme, 1)
    (mine,) = (await person.get("organisations/mine/qualifications")).body["qualifications"]
    assert (mine["programme"], mine["status"]) == (slug, "approved")
    assert mine["programme_name"] == programme.name

    # One condition is not met: its clause is told, nobody can approve it away, and the refusal stays.
    stranger, applied = await registered(journey, operator, programme, 2, legal_person=False)
    (unmet,) = applied.body["unmet"]
    (condition,) = [one for one in programme.enterprise_conditions if one.code == unmet["code"]]
    assert (condition.kind.value, unmet["clause"]) == ("legal_person", condition.article)
    eligibility = (await stranger.get(f"eligibility?programme={slug}")).body
    assert (eligibility["eligible"], eligibility["unmet"]) == (False, [unmet])
    if applied.body["status"] == "pending":
        impossible = await journey.town.decide(operator, applied)
        assert (impossible.status, impossible.code) == (409, "conditions_unmet")
        assert impossible.body["unmet"] == [unmet]
        refused = await journey.town.decide(operator, applied, "reject", reason="不具备独立法人资格")
        assert (refused.status, refused.body["status"]) == (200, "refused")
    (stands,) = (await stranger.get("organisations/mine/qualifications")).body["qualifications"]
    assert (stands["status"], stands["unmet"]) == ("refused", [unmet])

    # Where vouchers do not come in rounds, money can be put in, but no round of it is planned.
    now = journey.town.app[CLOCKS].now(slug)
    total_fen = max(YEAR_YUAN * 100, programme.budget.least_total_fen or 0)
    budget = await operator.post("budgets", programme=slug, year=programme.year_of(now), total_fen=total_fen)
    plan = await operator.post(
        "rounds",
        budget_id=budget.body["id"],
        title="第一批",
        opens_at=now.isoformat(),
        closes_at=(now + DAY).isoformat(),
        pool_fen=100,
        valid_until=(now + 2 * DAY).isoformat(),
    )
    if programme.issuance.mode.is_by_round:
        assert plan.status == 201, plan.body
    else:
        assert (plan.status, plan.code) == (409, "round_not_for_this_programme")
        assert plan.body["clause"] == programme.issuance.article
