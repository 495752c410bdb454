"""One handler follows another, and a legal representative proves to be one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.models.organisations import Membership
from server.models.people import Person, SessionFamily
from server.programme.papers import DocumentKind
from tests import paperwork
from tests.paperwork import ID_NUMBERS, REPRESENTATIVE
from tests.town import PROGRAMME, Answered, Caller, Town

CITY = "guangzhou-2020"


async def letter(town: Town, caller: Caller) -> int:
    mine = (await caller.get("organisations/mine")).body["id"]
    return int((await paperwork.a_file(mine, DocumentKind.OTHER, PROGRAMME, town.now)).id)


async def membership_of(caller: Caller) -> int:
    members = (await caller.get("memberships")).body["members"]
    return int(next(one["id"] for one in members if one["is_me"]))


@pytest.mark.rules("GZ-55")
async def test_a_new_handler_follows_on_a_new_letter_and_the_old_one_is_out_at_once(town: Town) -> None:
    operator = await town.operator()
    old = await town.qualified(operator)
    representative = await town.joined(old, "legal_representative")
    new = await town.joined(old, "staff")
    round_id = await town.open_round(operator)
    organisation = (await old.get("organisations/mine")).body["id"]
    assert (await town.grant(round_id, old, organisation)).outcome == "granted"

    made = await representative.post(
        "handovers", membership_id=await membership_of(new), letter=await letter(town, representative)
    )
    gone = await old.get("organisations/mine")
    members = (await representative.get("memberships")).body["members"]
    kept = (await new.get("vouchers")).body["vouchers"]
    acts = await new.patch("registrations", programme=PROGRAMME, version=2, values={"contact.name": "王芳"})
    history = (await new.get("handovers")).body["handovers"]
    assert made.status == 201, made.body
    assert (gone.status, gone.code) == (401, "session_ended")
    assert [one["role"] for one in members] == ["legal_representative", "handler"]
    assert len(kept) == 1
    assert acts.status == 200
    assert [one["id"] for one in history] == [made.body["id"]]
    assert await SessionFamily.filter(person_id=old.id, revoked_at=None).count() == 0
    # The old handler may sign in again, and acts for nobody.
    back = await town.signed_in(await Person.get(id=old.id))
    assert (await back.get("organisations/mine")).code == "no_organisation"


async def test_a_handover_needs_the_representative_a_colleague_and_an_own_letter(town: Town) -> None:
    handler, stranger = await town.handler(), await town.handler()
    representative = await town.joined(handler, "legal_representative")
    staff = await town.joined(handler, "staff")
    own, foreign = await letter(town, handler), await letter(town, stranger)

    async def hand_over(by: Caller, to: Caller, paper: int) -> Answered:
        return await by.post("handovers", membership_id=await membership_of(to), letter=paper)

    by_handler = await hand_over(handler, staff, own)
    to_stranger = await hand_over(representative, stranger, own)
    to_handler = await hand_over(representative, handler, own)
    on_foreign = await hand_over(representative, staff, foreign)
    assert by_handler.status == 403
    assert (to_stranger.status, to_stranger.code) == (404, "not_found")
    assert (to_handler.status, to_handler.code) == (409, "not_a_candidate")
    assert (on_foreign.status, on_foreign.code) == (404, "files_unknown")
    assert (await handler.get("organisations/mine")).status == 200
    assert (await hand_over(representative, staff, own)).status == 201


@pytest.mark.rules("GZ-55")
async def test_the_representative_joins_by_the_name_and_number_that_were_declared(town: Town) -> None:
    # A day on which the programme that asks for identity numbers is in force.
    town.clock.at = town.clock.at.replace(year=2020, month=9, day=1)
    handler = await town.handler(area="广东省/广州市/天河区")
    assert (await town.applied(handler, programme=CITY)).status == 201
    code = (await handler.get("organisations/mine")).body["uscc"]
    right = {"uscc": code, "name": REPRESENTATIVE, "id_number": ID_NUMBERS[REPRESENTATIVE].lower()}
    person = await town.person()
    wrong_name = await person.post("memberships/representative", **{**right, "name": "王芳"})
    wrong_id = await person.post("memberships/representative", **{**right, "id_number": "330102198506150016"})
    joined = await person.post("memberships/representative", **right)
    second = await (await town.person()).post("memberships/representative", **right)
    assert [(one.status, one.code) for one in (wrong_name, wrong_id)] == [
        (422, "representative_unproven")
    ] * 2
    assert (joined.status, joined.body["role"]) == (201, "legal_representative")
    assert (second.status, second.code) == (409, "legal_representative_taken")
    assert ID_NUMBERS[REPRESENTATIVE] not in str((wrong_name.body, wrong_id.body))


async def test_numbers_cannot_be_tried_out(town: Town) -> None:
    handler = await town.handler()
    code = (await handler.get("organisations/mine")).body["uscc"]
    guess = {"uscc": code, "name": REPRESENTATIVE, "id_number": "330102198506150016"}
    first, second = await town.person(), await town.person()
    tries = [await first.post("memberships/representative", **guess) for _ in range(6)]
    # Neither with another account: the organisation is asked too often.
    other = await second.post("memberships/representative", **guess)
    assert [one.code for one in tries] == ["representative_unproven"] * 5 + ["too_many_proofs"]
    assert (other.status, other.code) == (429, "too_many_proofs")
    town.clock.advance(timedelta(days=1, seconds=1))
    tomorrow = await town.signed_in(await Person.get(id=first.id))
    assert (await tomorrow.post("memberships/representative", **guess)).code == "representative_unproven"
    assert await Membership.all().count() == 1
