"""Two at once on one offering, on the real server and PostgreSQL: one wins, the other is told why not.

That requests really are under way together, the control of ``test_people`` shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from server.models.journal import JournalEntry
from server.models.offerings import Offering, OfferingVersion, SelectionRound
from server.models.reviews import ReviewCase
from server.rules.offerings import OfferingStatus
from tests import stall
from tests.races.test_people import RIVALS, outcomes
from tests.stall import a_provider, drafted, submitted
from tests.town import Town, a_town

REGION = "guangxi-2024"


@pytest.fixture
async def town(postgres_url: str, redis_url: str) -> AsyncIterator[Town]:
    """The real server on PostgreSQL."""
    async with a_town(postgres_url, redis_url) as town:
        yield town


async def test_a_draft_is_handed_in_once_however_often_it_is_pressed(town: Town) -> None:
    provider = await a_provider(town)
    draft = await drafted(town, provider)
    answers = await asyncio.gather(*(submitted(town, provider, draft) for _ in range(RIVALS)))
    assert outcomes(answers) == {"201": 1, "offering_under_review": RIVALS - 1}
    assert await OfferingVersion.filter(offering_id=draft.body["id"]).count() == 1
    assert await ReviewCase.filter(subject="offering").count() == 1


async def test_of_two_devices_that_save_one_version_one_does(town: Town) -> None:
    provider = await a_provider(town)
    draft = await drafted(town, provider)
    path, version = f"offering-drafts/{draft.body['id']}", draft.body["version"]
    answers = await asyncio.gather(
        *(provider.patch(path, version=version, name=f"第{number}台手机") for number in range(RIVALS))
    )
    assert outcomes(answers) == {"200": 1, "draft_moved_on": RIVALS - 1}
    assert (await Offering.get(id=draft.body["id"])).version == version + 1


async def test_one_round_of_selection_is_opened_by_one_of_many(town: Town) -> None:
    desks = [await town.staff("authority") for _ in range(RIVALS)]
    times = {
        "opens_at": town.now.isoformat(),
        "closes_at": (town.now + timedelta(days=7)).isoformat(),
    }
    answers = await asyncio.gather(
        *(desk.post("selection-rounds", programme=REGION, title="第一次征集", **times) for desk in desks)
    )
    assert outcomes(answers) == {"201": 1, "selection_running": RIVALS - 1}
    assert await SelectionRound.all().count() == 1


async def test_an_offering_is_taken_off_once_by_its_provider_or_by_the_operator(town: Town) -> None:
    provider, operator = await a_provider(town), await town.operator()
    offering_id = await stall.listed(town, provider)
    answers = await asyncio.gather(
        *(provider.post(f"offerings/{offering_id}/withdrawal") for _ in range(2)),
        operator.post(f"offerings/{offering_id}/take-down", reason="发布无关信息"),
    )
    # What its provider took off a moment earlier may still be taken down, never the other way round.
    said = outcomes(answers)
    assert said["illegal_move"] in (1, 2)
    assert said["200"] == len(answers) - said["illegal_move"]
    assert (await Offering.get(id=offering_id)).status is OfferingStatus.TAKEN_DOWN
    assert await JournalEntry.filter(action="offering.taken_down").count() == 1
    assert await OfferingVersion.filter(offering_id=offering_id, ended_at__isnull=True).count() == 0


async def test_the_last_decision_and_the_recall_of_a_submission_meet_and_one_holds(town: Town) -> None:
    provider = await a_provider(town)
    draft = await drafted(town, provider)
    handed_in = await submitted(town, provider, draft)
    await stall.decide(town, handed_in.body["case_id"])
    case = await ReviewCase.get(id=handed_in.body["case_id"])
    assert case.turn is not None
    reviewer = await town.staff(case.turn.value)
    decided, recalled = await asyncio.gather(
        reviewer.post(f"reviews/{case.id}/decision", decision="approve", version=case.version),
        provider.post(f"offering-drafts/{draft.body['id']}/recall", reason="价格有误"),
    )
    offering = await Offering.get(id=draft.body["id"])
    assert sorted((decided.status, recalled.status)) == [200, 409]
    is_listed = offering.status is OfferingStatus.LISTED
    assert is_listed == (decided.status == 200)
