"""Two people at once, on the real server and PostgreSQL: one wins, the other is told why not.

Each race is run with requests that are under way together; the control shows that they really are.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from tortoise.transactions import in_transaction

from server.models.journal import JournalEntry
from server.models.organisations import Invitation, Membership, Organisation, Qualification
from server.models.rounds import Entitlement
from server.services.organisations.memberships import lock
from tests.races.crowd import all_wait
from tests.town import Answered, Town, a_town, eligible

RIVALS = 6


@pytest.fixture
async def town(postgres_url: str, redis_url: str) -> AsyncIterator[Town]:
    """The real server on PostgreSQL."""
    async with a_town(postgres_url, redis_url) as town:
        yield town


def outcomes(answers: list[Answered]) -> Counter[str]:
    """How often each thing was said."""
    return Counter(answer.code if answer.status >= 400 else str(answer.status) for answer in answers)


async def test_control_two_who_look_before_they_write_both_win(town: Town) -> None:
    """Without a guard in the database this is what the races below would come to."""
    handler = await town.handler()
    enterprise_id = (await handler.get("organisations/mine")).body["id"]
    both_looked = asyncio.Barrier(2)

    async def take() -> None:
        person = await town.person()
        async with in_transaction():
            if await Membership.exists(organisation_id=enterprise_id, active=True, role="staff"):
                return
            async with asyncio.timeout(10):
                await both_looked.wait()
            await Membership.create(
                person_id=person.id, organisation_id=enterprise_id, role="staff", created_at=town.now
            )

    await asyncio.gather(take(), take())
    assert await Membership.filter(organisation_id=enterprise_id, role="staff").count() == 2


async def test_one_code_is_registered_by_one_of_many(town: Town) -> None:
    people = [await town.person() for _ in range(RIVALS)]
    facts = eligible()
    answers = await asyncio.gather(*(person.post("organisations", **facts) for person in people))
    assert outcomes(answers) == {"201": 1, "organisation_exists": RIVALS - 1}
    assert await Organisation.all().count() == await Membership.all().count() == 1
    winner = people[[answer.status for answer in answers].index(201)]
    assert (await winner.get("organisations/mine")).status == 200


async def test_one_person_registers_one_of_many_enterprises(town: Town) -> None:
    person = await town.person()
    answers = await asyncio.gather(*(person.post("organisations", **eligible()) for _ in range(RIVALS)))
    assert outcomes(answers) == {"201": 1, "already_member": RIVALS - 1}
    assert await Organisation.all().count() == await Membership.all().count() == 1


async def test_one_code_lets_one_of_many_in(town: Town) -> None:
    handler = await town.handler()
    code = (await handler.post("invitations", role="staff")).body["code"]
    people = [await town.person() for _ in range(RIVALS)]
    answers = await asyncio.gather(*(person.post("memberships", code=code) for person in people))
    assert outcomes(answers) == {"201": 1, "invitation_unusable": RIVALS - 1}


@pytest.mark.parametrize(
    ("first", "role", "refusal"),
    [
        ("legal_representative", "handler", "handler_taken"),
        ("handler", "legal_representative", "legal_representative_taken"),
    ],
)
async def test_one_of_many_takes_a_place_of_which_there_is_one(
    town: Town, first: str, role: str, refusal: str
) -> None:
    inviter = await town.handler(role=first)
    codes = [(await inviter.post("invitations", role=role)).body["code"] for _ in range(RIVALS)]
    people = [await town.person() for _ in codes]
    answers = await asyncio.gather(
        *(person.post("memberships", code=code) for person, code in zip(people, codes, strict=True))
    )
    assert outcomes(answers) == {"201": 1, refusal: RIVALS - 1}
    assert await Invitation.filter(used_at=None).count() == RIVALS - 1


async def test_two_in_charge_who_leave_together_leave_one_behind(town: Town) -> None:
    handler = await town.handler()
    representative = await town.joined(handler, "legal_representative")
    mine, theirs = (await handler.get("memberships")).body["members"]
    answers = await asyncio.gather(
        handler.delete(f"memberships/{mine['id']}"), representative.delete(f"memberships/{theirs['id']}")
    )
    assert outcomes(answers) == {"204": 1, "last_in_charge": 1}


async def test_an_application_is_made_once(town: Town) -> None:
    handler = await town.handler()
    saved = (await town.drafted(handler)).body
    path = f"registrations/{saved['id']}/submissions"
    answers = await asyncio.gather(*(handler.post(path, version=saved["version"]) for _ in range(RIVALS)))
    assert outcomes(answers) == {"201": 1, "registration_under_review": RIVALS - 1}
    assert await Qualification.all().count() == 1


async def test_of_operators_who_decide_together_one_decides(town: Town) -> None:
    operators = [await town.operator() for _ in range(RIVALS)]
    handler = await town.handler()
    applied = await town.applied(handler)
    answers = await asyncio.gather(
        *(
            town.decide(operator, applied, "approve" if number % 2 else "reject", reason="各自审核")
            for number, operator in enumerate(operators)
        )
    )
    assert outcomes(answers) == {"200": 1, "case_moved_on": RIVALS - 1}
    decided = [
        "approved" if one.body["status"] == "passed" else "refused" for one in answers if one.status == 200
    ]
    assert [(await handler.get(f"qualifications/{applied.body['id']}")).body["status"]] == decided
    deeds = JournalEntry.filter(action__in=["qualification.approved", "qualification.refused"])
    assert await deeds.count() == 1


async def test_nobody_is_approved_on_facts_that_change_meanwhile(town: Town, postgres_url: str) -> None:
    operator = await town.operator()
    await town.open_round(operator)
    handler = await town.handler()
    enterprise_id = (await handler.get("organisations/mine")).body["id"]
    applied = await town.applied(handler)
    async with in_transaction():
        # Whoever holds the enterprise makes both wait here, so that they meet.
        await lock(enterprise_id)
        change = asyncio.create_task(handler.patch("organisations/mine", legal_person=False))
        approval = asyncio.create_task(town.decide(operator, applied))
        await all_wait(postgres_url, change, approval)
    assert (await change).status == 200
    status = (await handler.get(f"qualifications/{applied.body['id']}")).body["status"]
    # Whichever came first: approved and sent back, or refused for the new facts.
    assert (await approval).status in (200, 409)
    assert status == "pending"
    assert await Entitlement.all().count() == 0


async def test_a_ban_and_an_approval_at_once_entitle_nobody(town: Town) -> None:
    operator, other = await town.operator(), await town.operator()
    await town.open_round(operator)
    for _ in range(RIVALS):
        handler = await town.handler()
        code = (await handler.get("organisations/mine")).body["uscc"]
        applied = await town.applied(handler)
        answers = await asyncio.gather(
            town.decide(operator, applied),
            other.post("blocklist", uscc=code, clause="五（二）", reason="虚假交易", list_name="失信名单"),
        )
        assert answers[1].status == 201
        assert outcomes(answers[:1]) in ({"200": 1}, {"conditions_unmet": 1})
    assert await Entitlement.all().count() == 0
