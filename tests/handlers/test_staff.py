"""Accounts of staff over HTTP: what the administrator does, and what nobody does to themselves."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from structlog.testing import capture_logs

from server.keys import CLOCK, IDENTITIES, SESSIONS, STAFF_ACCOUNTS
from server.models.journal import JournalEntry
from server.models.people import Staff
from server.services.access import Actor
from server.services.accounts.staff import Duties, LastAdministrator
from tests.town import PROGRAMME, Answered, Caller, Town, a_town

OWN_PASSWORD = "Correct-horse-7"
AREA = "浙江省/丽水市/莲都区"


def refused(answered: Answered, status: int, code: str) -> None:
    assert (answered.status, answered.code) == (status, code), answered.body


async def hired(administrator: Caller, *roles: str, **others: Any) -> dict[str, Any]:
    """A new account, as its administrator was told of it."""
    made = await administrator.post(
        "staff", **{"username": "wang.wei", "display_name": "王伟", "roles": list(roles), **others}
    )
    assert made.status == 201, made.body
    return dict(made.body)


async def sign_in(town: Town, password: str, **others: str) -> Answered:
    return await town.anybody.post("staff/sessions", username="wang.wei", password=password, **others)


def caller(town: Town, signed_in: Answered) -> Caller:
    assert signed_in.status == 201, signed_in.body
    return Caller(town.client, signed_in.body["access_token"])


async def set_up(town: Town, given: dict[str, Any]) -> tuple[Caller, str]:
    """Whoever was given an account replaces the password and enrols an authenticator; and its secret."""
    theirs = caller(town, await sign_in(town, given["one_time_password"]))
    changed = await theirs.put("me/password", current=given["one_time_password"], new=OWN_PASSWORD)
    assert changed.status == 204, changed.body
    secret = (await theirs.post("me/second-factor")).body["secret"]
    digits = pyotp.TOTP(secret).at(town.app[CLOCK].now())
    assert (await theirs.post("me/second-factor/confirmation", totp=digits)).status == 204
    return theirs, secret


# -- from the account to the work --------------------------------------------------------------------


async def test_an_operator_is_hired_sets_the_account_up_and_works(town: Town) -> None:
    given = await hired(await town.staff("administrator"), "operator")
    theirs = caller(town, await sign_in(town, given["one_time_password"]))
    me = (await theirs.get("me")).body
    assert (me["roles"], me["owed"]) == ([], ["change_password", "enrol_second_factor"])
    refused(await theirs.get("qualifications"), 403, "not_allowed")
    theirs, _ = await set_up(town, given)
    me = (await theirs.get("me")).body
    assert (me["roles"], me["owed"]) == (["operator"], [])
    assert (await theirs.get("qualifications")).status == 200


async def test_half_a_set_up_gives_no_role_yet(town: Town) -> None:
    given = await hired(await town.staff("administrator"), "operator")
    theirs = caller(town, await sign_in(town, given["one_time_password"]))
    await theirs.put("me/password", current=given["one_time_password"], new=OWN_PASSWORD)
    assert (await theirs.get("me")).body["owed"] == ["enrol_second_factor"]
    refused(await theirs.get("qualifications"), 403, "not_allowed")


async def test_signing_in_takes_the_password_and_then_the_digits(town: Town) -> None:
    _, secret = await set_up(town, await hired(await town.staff("administrator"), "operator"))
    town.clock.advance(timedelta(minutes=2))
    refused(await sign_in(town, OWN_PASSWORD), 401, "second_factor_needed")
    digits = pyotp.TOTP(secret).at(town.app[CLOCK].now())
    assert (await sign_in(town, OWN_PASSWORD, totp=digits)).status == 201
    refused(await sign_in(town, OWN_PASSWORD, totp=digits), 401, "second_factor_wrong")


async def test_a_one_time_password_ends_and_is_not_the_next_password(town: Town) -> None:
    given = await hired(await town.staff("administrator"), "operator")
    theirs = caller(town, await sign_in(town, given["one_time_password"]))
    once = given["one_time_password"]
    refused(await theirs.put("me/password", current=once, new=once), 422, "same_password")
    refused(await theirs.put("me/password", current=once, new="short"), 422, "weak_password")
    refused(await theirs.put("me/password", current="x", new=OWN_PASSWORD), 422, "current_password_wrong")
    town.clock.advance(timedelta(days=3))
    refused(await sign_in(town, once), 401, "one_time_password_over")


async def test_guesses_of_the_present_password_are_slowed_down_too(town: Town) -> None:
    given = await hired(await town.staff("administrator"), "operator")
    theirs = caller(town, await sign_in(town, given["one_time_password"]))
    for _ in range(5):
        await theirs.put("me/password", current="x", new=OWN_PASSWORD)
    answered = await theirs.put("me/password", current=given["one_time_password"], new=OWN_PASSWORD)
    refused(answered, 429, "too_many_wrong_passwords")


async def test_a_changed_password_ends_the_other_sessions_and_keeps_this_one(town: Town) -> None:
    given = await hired(await town.staff("administrator"), "auditor")
    here, there = [caller(town, await sign_in(town, given["one_time_password"])) for _ in range(2)]
    assert (await there.get("me")).status == 200
    await here.put("me/password", current=given["one_time_password"], new=OWN_PASSWORD)
    assert (await here.get("me")).body["roles"] == ["auditor"]
    refused(await there.get("me"), 401, "session_ended")


# -- what the administrator does ---------------------------------------------------------------------


async def test_accounts_are_listed_in_pages_and_by_role(town: Town) -> None:
    administrator = await town.staff("administrator")
    for _ in range(55):
        await town.staff("expert")
    given = await hired(administrator, "district", programmes=[PROGRAMME], areas=[AREA])
    first = (await administrator.get("staff")).body
    second = (await administrator.get(f"staff?after={first['next_after']}")).body
    assert (len(first["accounts"]), len(second["accounts"]), second["next_after"]) == (50, 7, None)
    found = (await administrator.get("staff?role=district")).body["accounts"]
    assert found == [given["account"]] == [second["accounts"][-1]]
    assert (found[0]["areas"], found[0]["has_second_factor"]) == ([AREA], False)
    assert (await administrator.get(f"staff/{found[0]['id']}")).body == found[0]
    assert given["one_time_password"] not in str(await JournalEntry.all().values()) + str(found)


@pytest.mark.parametrize(
    ("duties", "status", "code"),
    [
        ({"roles": ["administrator", "operator"]}, 422, "duties_incompatible"),
        ({"roles": ["auditor", "treasury"]}, 422, "duties_incompatible"),
        ({"roles": ["emperor"]}, 422, "malformed"),
        ({"roles": []}, 422, "malformed"),
        ({"roles": ["district"]}, 422, "district_without_area"),
        ({"roles": ["district"], "areas": ["莲都区"]}, 422, "area_unknown"),
        ({"roles": ["expert"], "programmes": ["nowhere-2024"]}, 404, "unknown_programme"),
        ({"roles": ["expert"], "affiliations": ["91331100MA2E00000X"]}, 422, "uscc_invalid"),
    ],
)
async def test_duties_that_cannot_be_are_refused_and_change_nothing(
    town: Town, duties: dict[str, Any], status: int, code: str
) -> None:
    administrator = await town.staff("administrator")
    new = {"username": "wang.wei", "display_name": "王伟", **duties}
    refused(await administrator.post("staff", **new), status, code)
    expert = (await hired(administrator, "expert"))["account"]
    refused(await administrator.put(f"staff/{expert['id']}/duties", **duties), status, code)
    assert (await administrator.get(f"staff/{expert['id']}")).body == expert


async def test_a_username_is_given_once(town: Town) -> None:
    administrator = await town.staff("administrator")
    await hired(administrator, "expert")
    again = {"username": "wang.wei", "display_name": "王伟", "roles": ["expert"]}
    refused(await administrator.post("staff", **again), 409, "username_taken")
    refused(await administrator.post("staff", **{**again, "username": "Wang"}), 422, "username_unusable")


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("disabling", {"reason": "离职"}),
        ("password-reset", {"reason": "忘记密码"}),
        ("second-factor-reset", {"reason": "更换手机"}),
        ("duties", {"roles": ["inspector"]}),
    ],
)
async def test_whatever_takes_something_away_ends_the_sessions_at_once(
    town: Town, verb: str, body: dict[str, Any]
) -> None:
    administrator, expert, another = [
        await town.staff(role) for role in ("administrator", "expert", "expert")
    ]
    for one in (expert, another):
        assert (await one.get("me")).status == 200
    ask = administrator.put if verb == "duties" else administrator.post
    assert (await ask(f"staff/{expert.id}/{verb}", **body)).status == 200
    refused(await expert.get("me"), 401, "session_ended")
    assert (await another.get("me")).status == 200
    assert await JournalEntry.exists(subject=f"staff:{expert.id}", actor=f"staff:{administrator.id}")


async def test_sessions_end_on_every_worker(postgres_url: str, redis_url: str) -> None:
    """Two server processes on one database: what one of them does, the other knows."""
    async with a_town(postgres_url, redis_url) as here, a_town(postgres_url, redis_url) as there:
        administrator, expert = await here.staff("administrator"), await here.staff("expert")
        token = (await here.app[SESSIONS].start(await Staff.get(id=expert.id), now=here.now)).access_token
        elsewhere = Caller(there.client, token)
        assert (await elsewhere.get("me")).status == 200
        # The control: the other process answers from memory, and would go on doing so.
        assert there.app[IDENTITIES].cached(token)
        assert (await administrator.post(f"staff/{expert.id}/disabling", reason="离职")).status == 200
        async with asyncio.timeout(5):
            while (await elsewhere.get("me")).status == 200:
                pass
        refused(await elsewhere.get("me"), 401, "session_ended")


async def test_a_barred_account_is_let_in_again(town: Town) -> None:
    administrator = await town.staff("administrator")
    given = await hired(administrator, "expert")
    account = f"staff/{given['account']['id']}"
    assert (await administrator.post(f"{account}/disabling", reason="停职")).body["disabled"]
    refused(await sign_in(town, given["one_time_password"]), 403, "account_disabled")
    refused(await administrator.post(f"{account}/disabling", reason="停职"), 409, "account_unchanged")
    assert not (await administrator.post(f"{account}/enabling", reason="复职")).body["disabled"]
    refused(await administrator.post(f"{account}/enabling", reason="复职"), 409, "account_unchanged")
    assert (await sign_in(town, given["one_time_password"])).status == 201


async def test_a_forgotten_password_and_a_lost_phone_are_replaced(town: Town) -> None:
    administrator = await town.staff("administrator")
    given = await hired(administrator, "operator")
    await set_up(town, given)
    account = f"staff/{given['account']['id']}"
    reset = (await administrator.post(f"{account}/password-reset", reason="忘记密码")).body
    refused(await sign_in(town, OWN_PASSWORD), 401, "wrong_password")
    refused(await sign_in(town, reset["one_time_password"]), 401, "second_factor_needed")
    shown = (await administrator.post(f"{account}/second-factor-reset", reason="丢失手机")).body
    assert not shown["has_second_factor"]
    theirs, _ = await set_up(town, reset)
    assert (await theirs.get("me")).body["roles"] == ["operator"]


async def test_no_secret_of_an_account_reaches_the_log_the_journal_or_a_later_answer(town: Town) -> None:
    administrator = await town.staff("administrator")
    with capture_logs() as logs:
        given = await hired(administrator, "operator")
        account = f"staff/{given['account']['id']}"
        _, secret = await set_up(town, given)
        reset = (await administrator.post(f"{account}/password-reset", reason="忘记密码")).body
        shown = [(await administrator.get(path)).body for path in ("staff", account)]
    assert logs, "the control: something was logged"
    written = str(logs) + str(await JournalEntry.all().values()) + str(await Staff.all().values())
    for hidden in (given["one_time_password"], reset["one_time_password"], OWN_PASSWORD, secret):
        assert hidden not in written + str(shown)


# -- powers stand apart ------------------------------------------------------------------------------


async def test_nobody_touches_their_own_account(town: Town) -> None:
    administrator = await town.staff("administrator")
    await town.staff("administrator")
    own = f"staff/{administrator.id}"
    refused(await administrator.put(f"{own}/duties", roles=["operator"]), 403, "own_account")
    for verb in ("disabling", "enabling", "password-reset", "second-factor-reset"):
        refused(await administrator.post(f"{own}/{verb}", reason="自行办理"), 403, "own_account")
    assert (await administrator.get(own)).body["roles"] == ["administrator"]


async def test_the_last_administrator_stays(town: Town) -> None:
    """Whoever acts is an administrator that stays, so the last one goes only by a race, which is lost."""
    one, other = await town.staff("administrator"), await town.staff("administrator")
    accounts = town.app[STAFF_ACCOUNTS]
    actors = [Actor("staff", who.id, "", None, frozenset({"administrator"})) for who in (one, other)]
    outcomes = await asyncio.gather(
        accounts.disable(other.id, "离职", actor=actors[0]),
        accounts.disable(one.id, "离职", actor=actors[1]),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)] == [LastAdministrator]
    assert await Staff.filter(disabled=False).count() == 1


async def test_the_last_administrator_keeps_the_role_too(town: Town) -> None:
    leaving, last = await town.staff("administrator"), await town.staff("administrator")
    # As if the leaver's own request had been on its way when they were barred.
    await Staff.filter(id=leaving.id).update(disabled=True)
    actor = Actor("staff", leaving.id, "", None, frozenset({"administrator"}))
    with pytest.raises(LastAdministrator):
        await town.app[STAFF_ACCOUNTS].change_duties(last.id, Duties(roles=["expert"]), actor=actor)
    assert (await Staff.get(id=last.id)).roles == ["administrator"]
