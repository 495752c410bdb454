"""The inbox over HTTP: everybody reads what concerns them, in words, and marks it for themselves."""

from __future__ import annotations

from typing import Any

import pytest

from server.clock import CHINA
from server.models.people import Staff
from server.programme.oversight import Reminded
from server.programme.vocabulary import Actor
from server.services import outbox
from tests.town import DAY, PROGRAMME, Caller, Town


async def told(town: Town, recipient: str, topic: str = "voucher.granted", **data: Any) -> None:
    await outbox.tell(recipient, topic, at=town.now, **data)


async def titles(caller: Caller, **query: Any) -> list[str]:
    """The sentences of a caller's first page."""
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    page = await caller.get(f"inbox?{asked}")
    assert page.status == 200, page.body
    return [one["sentence"] for one in page.body["messages"]]


async def numbers(caller: Caller, **query: Any) -> list[tuple[int, bool]]:
    """Which test messages are on all pages of two, and whether each is read."""
    found: list[tuple[int, bool]] = []
    after = ""
    while True:
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        page = (await caller.get(f"inbox?limit=2&{asked}{after}")).body
        for one in page["messages"]:
            found.append((int(one["sentence"].split("服务券 ")[1].split("，")[0]), one["read"]))
        if page["next_after"] is None:
            return found
        after = f"&after={page['next_after']}"


async def id_of(caller: Caller, number: int) -> int:
    messages = (await caller.get("inbox?order=time&limit=100")).body["messages"]
    return next(int(one["id"]) for one in messages if f" {number}，" in one["sentence"])


async def with_messages(town: Town, count: int) -> Caller:
    """A handler whose organisation was told so many things, numbered from 1."""
    handler = await town.handler()
    organisation = (await handler.get("organisations/mine")).body["id"]
    for number in range(1, count + 1):
        await told(town, f"organisation:{organisation}", number=number, amount_fen=100)
    await town.run_jobs()
    return handler


async def test_messages_come_newest_first_and_page_by_page(town: Town) -> None:
    handler = await with_messages(town, 5)
    unread = [(number, False) for number in (5, 4, 3, 2, 1)]
    assert await numbers(handler, order="time") == unread
    assert await numbers(handler) == unread
    assert (await handler.get("inbox/unread")).body == {"unread": 5}


async def test_what_is_read_is_marked_and_the_unread_come_first(town: Town) -> None:
    handler = await with_messages(town, 5)
    for number in (5, 3):
        for _ in range(2):  # again is no fault
            assert (await handler.post(f"inbox/{await id_of(handler, number)}/read")).status == 204
    assert await numbers(handler, order="unread_first") == [
        (4, False),
        (2, False),
        (1, False),
        (5, True),
        (3, True),
    ]
    assert await numbers(handler, order="time") == [
        (5, True),
        (4, False),
        (3, True),
        (2, False),
        (1, False),
    ]
    assert await numbers(handler, unread_only="true") == [(4, False), (2, False), (1, False)]
    assert (await handler.get("inbox/unread")).body == {"unread": 3}


async def test_everything_up_to_a_message_is_read_at_once_and_what_came_since_is_not(town: Town) -> None:
    handler = await with_messages(town, 4)
    up_to = await id_of(handler, 3)
    assert (await handler.post("inbox/read", up_to=up_to)).status == 204
    assert await numbers(handler) == [(4, False), (3, True), (2, True), (1, True)]
    # An older place never takes the mark back.
    assert (await handler.post("inbox/read", up_to=await id_of(handler, 1))).status == 204
    assert (await handler.get("inbox/unread")).body == {"unread": 1}


async def test_colleagues_see_the_same_messages_and_read_them_each_for_themselves(town: Town) -> None:
    handler = await with_messages(town, 2)
    colleague = await town.joined(handler, "staff")
    assert (await handler.post("inbox/read", up_to=await id_of(handler, 2))).status == 204
    assert await numbers(handler) == [(2, True), (1, True)]
    assert await numbers(colleague) == [(2, False), (1, False)]


async def test_nobody_sees_or_marks_what_others_were_told(town: Town) -> None:
    handler = await with_messages(town, 1)
    message = await id_of(handler, 1)
    for stranger in (await town.handler(), await town.person(), await town.operator()):
        assert await numbers(stranger) == []
        assert (await stranger.post(f"inbox/{message}/read")).code == "not_found"
        assert (await stranger.post("inbox/read", up_to=message)).code == "not_found"
    assert (await town.anybody.get("inbox")).code == "not_signed_in"
    assert (await handler.get("inbox/unread")).body == {"unread": 1}


async def test_who_leaves_an_organisation_no_longer_reads_its_messages(town: Town) -> None:
    handler = await with_messages(town, 1)
    colleague = await town.joined(handler, "staff")
    members = (await colleague.get("memberships")).body["members"]
    own = next(one["id"] for one in members if one["is_me"])
    assert (await colleague.delete(f"memberships/{own}")).status == 204
    await town.run_jobs()
    assert await titles(colleague) == ["您代表企业的身份已经解除，如有疑问请联系企业负责人。"]


async def staff(town: Town, **bounds: list[str]) -> Caller:
    operator = await town.operator()
    await Staff.filter(id=operator.id).update(**bounds)
    return operator


async def test_a_team_reads_what_its_role_in_its_programmes_was_told(town: Town) -> None:
    here = await staff(town, programmes=[PROGRAMME])
    everywhere = await staff(town)
    elsewhere = await staff(town, programmes=["guangxi-2024"])
    auditor = await staff(town, roles=["auditor"])
    await told(town, outbox.team("operator", PROGRAMME), number=1)
    await told(town, f"staff:{here.id}", number=2)
    await town.run_jobs()
    assert await numbers(here) == [(2, False), (1, False)]
    assert await numbers(everywhere) == [(1, False)]
    assert await numbers(elsewhere) == []
    assert await numbers(auditor) == []


async def test_a_district_reads_of_its_own_area_alone(town: Town) -> None:
    mine = await staff(town, roles=["district"], areas=["浙江省/丽水市/莲都区"])
    theirs = await staff(town, roles=["district"], areas=["浙江省/丽水市/庆元县"])
    await told(town, outbox.team("district", PROGRAMME), number=1, area="浙江省/丽水市/莲都区")
    await told(town, outbox.team("district", PROGRAMME), number=2)
    await town.run_jobs()
    assert await numbers(mine) == [(2, False), (1, False)]
    assert await numbers(theirs) == [(2, False)]
    assert (await theirs.get("inbox/unread")).body == {"unread": 1}


async def test_a_message_says_what_it_is_about_and_until_when(town: Town) -> None:
    person = await town.person()
    end = (town.now.astimezone(CHINA) + 3 * DAY).replace(hour=0, minute=0)
    data = {"voucher": 17, "number": "Q-17", "days": 3, "until": end.isoformat(), "programme": PROGRAMME}
    await told(town, f"person:{person.id}", "reminder.voucher_expiry", **data)
    await told(town, f"person:{person.id}", "reminder.voucher_expiry", **data, provisional=True)
    await town.run_jobs()
    guessed, known = (await person.get("inbox")).body["messages"]
    assert (known["title"], known["link"]) == ("服务券即将到期", {"kind": "voucher", "id": "17"})
    assert known["deadline_text"] == "2026年5月20日 24:00"
    assert "服务券 Q-17 的有效期至 2026年5月20日 24:00，还有 3 天。" in known["sentence"]
    assert guessed["deadline_text"] == "2026年5月20日 24:00（暂定，以公布的放假安排为准）"
    assert guessed["deadline_text"] in guessed["sentence"]


@pytest.mark.rules("LS-61")
async def test_a_qualified_enterprise_is_told_so_and_how_to_use_its_voucher(town: Town) -> None:
    programme = town.programmes.get(PROGRAMME)
    asked = [one.to for one in programme.reminders if one.about is Reminded.QUALIFIED]
    assert asked == [Actor.ENTERPRISE], "whom the text wants told"
    handler = await town.qualified(await town.operator())
    await town.run_jobs()
    messages = (await handler.get("inbox")).body["messages"]
    (message,) = (one for one in messages if one["topic"] == "qualification.approved")
    assert message["title"] == "用券资格审核通过"
    assert programme.name in message["sentence"]
    assert "领取后请在期限内选择服务机构下单" in message["sentence"]
    assert message["link"]["kind"] == "qualification"


async def test_a_provider_is_told_of_its_own_approval_not_of_an_enterprises(town: Town) -> None:
    person = await town.person()
    data = {"qualification": 1, "programme": PROGRAMME, "party": "provider"}
    await told(town, f"person:{person.id}", "qualification.approved", **data)
    await town.run_jobs()
    (message,) = (await person.get("inbox")).body["messages"]
    assert message["title"] == "服务机构资格审核通过"
    assert "账号已经开通" in message["sentence"]


async def test_a_grant_is_in_the_inbox_of_the_winner(town: Town) -> None:
    handler = await town.qualified(await town.operator())
    organisation = (await handler.get("organisations/mine")).body["id"]
    round_id = await town.open_round(await town.operator())
    decided = await town.grant(round_id, handler, organisation)
    await town.run_jobs()
    newest = (await handler.get("inbox?order=time")).body["messages"][0]
    assert newest["link"] == {"kind": "voucher", "id": str(decided.voucher_id)}
    assert "面值 10,000.00 元" in newest["sentence"]


async def test_a_message_of_which_something_is_missing_is_shown_all_the_same(town: Town) -> None:
    person = await town.person()
    await told(town, f"person:{person.id}", "reminder.voucher_expiry", until="soon", programme="closed-2019")
    await told(town, f"person:{person.id}", "of.another_release")
    await town.run_jobs()
    unknown, partial = (await person.get("inbox")).body["messages"]
    assert (unknown["title"], unknown["link"], unknown["deadline"]) == ("系统通知", None, None)
    assert "服务券 — 的有效期至 soon" in partial["sentence"]


@pytest.mark.parametrize("after", ["12", "any-0", "unread-", "all-3", "any-1;drop", "any-" + "9" * 30])
async def test_a_place_that_no_page_gave_is_refused(town: Town, after: str) -> None:
    person = await town.person()
    refused = await person.get(f"inbox?after={after}")
    assert (refused.status, refused.code) == (422, "malformed")


async def test_the_jobs_are_seen_with_their_last_run_and_the_next(town: Town) -> None:
    operator, auditor = await town.operator(), await staff(town, roles=["auditor"])
    before = (await operator.get("jobs")).body["jobs"]
    assert {one["last"] for one in before} == {None}
    await town.run_jobs()
    await told(town, f"staff:{operator.id}")
    await town.run_jobs()
    after = {one["name"]: one for one in (await auditor.get("jobs")).body["jobs"]}
    delivered = after["deliver_outbox"]
    assert (delivered["last"]["status"], delivered["last"]["count"]) == ("done", 1)
    assert (delivered["schedule"], delivered["programme"]) == ("每 2 秒", "")
    assert delivered["next_slot"] > delivered["last"]["slot"]
    for stranger in (await town.person(), await staff(town, roles=["district"])):
        assert (await stranger.get("jobs")).code == "not_allowed"
