"""Several people of one organisation: inviting, joining, leaving, over HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.models.organisations import Invitation
from tests.town import Town


async def test_an_invited_colleague_joins_and_sees_the_organisation(town: Town) -> None:
    handler = await town.handler()
    invitation = await handler.post("invitations", role="staff")
    colleague = await town.person()
    before = await colleague.get("organisations/mine")
    # However it is typed.
    typed = invitation.body["code"].replace("-", " ").lower()
    joined = await colleague.post("memberships", code=typed)
    mine = await colleague.get("organisations/mine")
    listed = await colleague.get("memberships")
    assert before.status == 404
    assert (joined.status, joined.body["role"]) == (201, "staff")
    assert mine.body == (await handler.get("organisations/mine")).body
    assert [(one["role"], one["is_me"]) for one in listed.body["members"]] == [
        ("handler", False),
        ("staff", True),
    ]


async def test_a_code_lets_one_person_in_for_two_days_and_is_not_kept(town: Town) -> None:
    handler = await town.handler()
    used = (await handler.post("invitations", role="staff")).body["code"]
    left = (await handler.post("invitations", role="staff")).body["code"]
    first, second = await town.person(), await town.person()
    assert (await first.post("memberships", code=used)).status == 201
    again = await second.post("memberships", code=used)
    unknown = await second.post("memberships", code="0000-0000-0000-0000")
    town.clock.advance(timedelta(hours=48))
    late = await (await town.person()).post("memberships", code=left)
    assert [(one.status, one.code) for one in (again, unknown, late)] == [(410, "invitation_unusable")] * 3
    stored = await Invitation.all().values_list("code_hash", flat=True)
    assert not {used, left, used.replace("-", "")} & set(stored)


async def test_a_code_is_good_until_its_last_second(town: Town) -> None:
    handler = await town.handler()
    code = (await handler.post("invitations", role="staff")).body["code"]
    town.clock.advance(timedelta(hours=48, seconds=-1))
    colleague = await town.person()
    assert (await colleague.post("memberships", code=code)).status == 201


@pytest.mark.rules("GZ-03")
async def test_an_organisation_has_one_handler_at_a_time(town: Town) -> None:
    representative = await town.handler(role="legal_representative")
    first = await town.joined(representative, "handler")
    code = (await representative.post("invitations", role="handler")).body["code"]
    second = await town.person()
    refused = await second.post("memberships", code=code)
    members = (await representative.get("memberships")).body["members"]
    ended = await representative.delete(f"memberships/{members[1]['id']}")
    # The refusal has not spent the code.
    joined = await second.post("memberships", code=code)
    assert (refused.status, refused.code) == (409, "handler_taken")
    assert ended.status == 204
    assert joined.status == 201
    assert (await first.get("organisations/mine")).code == "no_organisation"


async def test_an_organisation_has_one_legal_representative(town: Town) -> None:
    representative = await town.handler(role="legal_representative")
    code = (await representative.post("invitations", role="legal_representative")).body["code"]
    refused = await (await town.person()).post("memberships", code=code)
    assert (refused.status, refused.code) == (409, "legal_representative_taken")


async def test_who_has_a_place_cannot_take_a_second(town: Town) -> None:
    handler, elsewhere = await town.handler(), await town.handler()
    code = (await handler.post("invitations", role="staff")).body["code"]
    refused = await elsewhere.post("memberships", code=code)
    joined = await (await town.person()).post("memberships", code=code)
    assert (refused.status, refused.code) == (409, "already_member")
    assert joined.status == 201


async def test_who_leaves_loses_the_organisation_at_once_and_their_invitations_with_it(town: Town) -> None:
    representative = await town.handler(role="legal_representative")
    handler = await town.joined(representative, "handler")
    code = (await handler.post("invitations", role="staff")).body["code"]
    seen = await handler.get("organisations/mine")
    members = (await representative.get("memberships")).body["members"]
    assert (await representative.delete(f"memberships/{members[1]['id']}")).status == 204
    gone = await handler.get("organisations/mine")
    cut_off = await handler.post("invitations", role="staff")
    refused = await (await town.person()).post("memberships", code=code)
    assert seen.status == 200
    assert (gone.status, gone.code) == (404, "no_organisation")
    assert cut_off.status == 403
    assert refused.code == "invitation_unusable"


async def test_somebody_in_charge_always_stays(town: Town) -> None:
    handler = await town.handler()
    await town.joined(handler, "staff")
    me = (await handler.get("memberships")).body["members"][0]
    refused = await handler.delete(f"memberships/{me['id']}")
    await town.joined(handler, "legal_representative")
    ended = await handler.delete(f"memberships/{me['id']}")
    assert (refused.status, refused.code) == (409, "last_in_charge")
    assert ended.status == 204


@pytest.mark.parametrize(("role", "status"), [("legal_representative", 403), ("staff", 204)])
async def test_a_handler_ends_the_places_of_staff_only(town: Town, role: str, status: int) -> None:
    handler = await town.handler()
    await town.joined(handler, role)
    colleague = (await handler.get("memberships")).body["members"][1]
    assert (await handler.delete(f"memberships/{colleague['id']}")).status == status


async def test_staff_invite_nobody_and_end_only_their_own_place(town: Town) -> None:
    handler = await town.handler()
    staff = await town.joined(handler, "staff")
    chief, me = (await staff.get("memberships")).body["members"]
    assert (await staff.post("invitations", role="staff")).status == 403
    assert (await staff.delete(f"memberships/{chief['id']}")).status == 403
    assert (await staff.delete(f"memberships/{me['id']}")).status == 204


async def test_another_organisations_places_do_not_exist_for_us(town: Town) -> None:
    ours, theirs = await town.handler(), await town.handler()
    await town.joined(theirs, "staff")
    foreign = (await theirs.get("memberships")).body["members"][1]["id"]
    refused = await ours.delete(f"memberships/{foreign}")
    assert (refused.status, refused.code) == (404, "not_found")
    assert len((await theirs.get("memberships")).body["members"]) == 2
