"""Staff: making an account, signing in to it, and not being locked out of it by others."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from tortoise.context import TortoiseContext

from server.database import close_database, open_database
from server.gateways.live_feed import LocalFeed
from server.models.journal import JournalEntry
from server.models.people import SignInFailures, Staff
from server.sealing import Sealer
from server.services.accounts import passwords
from server.services.accounts.passwords import SignInBusy, WeakPassword, password_faults
from server.services.accounts.sessions import AccountDisabled, Sessions, SignedIn
from server.services.accounts.staff import StaffRoleUnknown, UsernameTaken, UsernameUnusable, create_staff
from server.services.accounts.staff_sign_in import (
    FREE_FAILURES,
    StaffSignIn,
    TooManyWrongPasswords,
    WrongPassword,
)
from server.services.accounts.tokens import AccessTokens

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "Correct-horse-7"
OFFICE, ELSEWHERE = "192.0.2.1", "198.51.100.7"
TOKENS = AccessTokens(
    {"2026a": "a signing secret of this test, long enough"}, issuer="qiquan", audience="qiquan-api"
)
SESSIONS = Sessions(TOKENS, LocalFeed())
SEALER = Sealer({"2026a": "a data secret of this test, long enough"})
DOOR = StaffSignIn(SESSIONS, SEALER, second_factor_required=False)


async def wang() -> Staff:
    return await create_staff("wang", PASSWORD, ["operator"], NOW)


async def attempt(
    password: str, username: str = "wang", address: str = OFFICE, now: datetime = NOW
) -> SignedIn:
    return await DOOR.sign_in(username, password, None, address=address, now=now)


async def test_an_operator_is_made_and_signs_in(database: TortoiseContext) -> None:
    staff = await wang()
    signed_in = await attempt(PASSWORD)
    assert TOKENS.verify(signed_in.access_token, now=NOW).subject == f"staff:{staff.id}"
    assert staff.roles == ["operator"]
    assert (await JournalEntry.get(action="staff.created")).subject == f"staff:{staff.id}"


async def test_the_password_is_kept_as_argon2id_and_nowhere_else(database: TortoiseContext) -> None:
    await wang()
    row = (await Staff.all().values())[0]
    assert str(row["password_hash"]).startswith("$argon2id$")
    assert PASSWORD not in str(row) + str(await JournalEntry.all().values())


async def test_a_username_is_taken_once(database: TortoiseContext) -> None:
    await wang()
    with pytest.raises(UsernameTaken):
        await wang()
    assert await Staff.all().count() == 1


@pytest.mark.parametrize("username", ["", "wa", "Wang", "7wang", "wang li", "王", "w" * 33, "wang\n"])
async def test_an_unusable_username_is_refused(database: TortoiseContext, username: str) -> None:
    with pytest.raises(UsernameUnusable):
        await create_staff(username, PASSWORD, ["operator"], NOW)


async def test_an_unknown_role_is_refused(database: TortoiseContext) -> None:
    with pytest.raises(StaffRoleUnknown):
        await create_staff("wang", PASSWORD, ["operator", "emperor"], NOW)
    assert await Staff.all().count() == 0


@pytest.mark.parametrize(
    ("password", "faults"),
    [
        (PASSWORD, []),
        ("Aa1" + "x" * 9, []),
        ("密码很长很长很长很长Aa1", []),
        ("Aa1" + "x" * 8, ["password_length"]),
        ("Aa1" + "x" * 126, ["password_length"]),
        ("onlysmallletters", ["password_variety"]),
        ("small letters only", ["password_variety"]),
        ("1-WANG-likes-tea", ["password_holds_username"]),
        ("wang", ["password_length", "password_variety", "password_holds_username"]),
    ],
)
async def test_everything_a_password_lacks_is_named(password: str, faults: list[str]) -> None:
    assert [unmet.code for unmet in password_faults("wang", password)] == faults


async def test_a_weak_password_makes_no_account(database: TortoiseContext) -> None:
    with pytest.raises(WeakPassword) as refused:
        await create_staff("wang", "wang", ["operator"], NOW)
    assert len(refused.value.unmet) == 3
    assert all(unmet.message for unmet in refused.value.unmet)
    assert await Staff.all().count() == 0


@pytest.mark.parametrize("username", ["wang", "nobody"])
async def test_a_wrong_password_and_an_unknown_name_are_told_the_same(
    database: TortoiseContext, username: str
) -> None:
    await wang()
    with pytest.raises(WrongPassword) as refused:
        await attempt("Wrong-horse-7", username)
    assert (refused.value.values, refused.value.unmet) == ({}, ())


class CountingHasher(PasswordHasher):
    """Argon2 that writes down the cost of every comparison."""

    def __init__(self) -> None:
        super().__init__(time_cost=2, memory_cost=19_456, parallelism=1)
        self.compared: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:
        self.compared.append(str(hash).rsplit("$", 2)[0])
        return super().verify(hash, password)


async def test_both_cost_the_same_work(database: TortoiseContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """One comparison each, of the same algorithm and parameters: the time tells nothing."""
    hasher = CountingHasher()
    monkeypatch.setattr(passwords.PASSWORDS, "_hasher", hasher)
    # What is compared for an unknown name is made once and kept: make it anew, with this hasher.
    vars(passwords.PASSWORDS).pop("_nobodys", None)
    await wang()
    for username in ("wang", "nobody"):
        with pytest.raises(WrongPassword):
            await attempt("Wrong-horse-7", username)
    of_wang, of_nobody = hasher.compared
    assert of_wang == of_nobody == "$argon2id$v=19$m=19456,t=2,p=1"


async def test_a_disabled_account_is_told_so_only_with_its_password(database: TortoiseContext) -> None:
    await wang()
    await Staff.filter(username="wang").update(disabled=True)
    with pytest.raises(WrongPassword):
        await attempt("Wrong-horse-7")
    with pytest.raises(AccountDisabled):
        await attempt(PASSWORD)


@pytest.mark.parametrize("username", ["wang", "nobody"])
async def test_the_sixth_wrong_password_waits(database: TortoiseContext, username: str) -> None:
    await wang()
    for _ in range(5):
        with pytest.raises(WrongPassword):
            await attempt("Wrong-horse-7", username)
    with pytest.raises(TooManyWrongPasswords) as refused:
        await attempt("Wrong-horse-7", username)
    assert refused.value.retry_after == 30
    with pytest.raises(WrongPassword):
        await attempt("Wrong-horse-7", username, now=NOW + timedelta(seconds=30))


async def test_the_pauses_double_and_end_at_a_quarter_of_an_hour(database: TortoiseContext) -> None:
    now, pauses = NOW, []
    for _ in range(12):
        try:
            await attempt("Wrong-horse-7", now=now)
        except WrongPassword:
            continue
        except TooManyWrongPasswords as refused:
            assert refused.retry_after is not None
            pauses.append(refused.retry_after)
            now += timedelta(seconds=refused.retry_after)
    assert pauses == [30, 60, 120, 240]
    for _ in range(10):
        now += timedelta(minutes=15)
        with pytest.raises(WrongPassword):
            await attempt("Wrong-horse-7", now=now)
    with pytest.raises(TooManyWrongPasswords) as refused_at_last:
        await attempt("Wrong-horse-7", now=now)
    assert refused_at_last.value.retry_after == 900


async def test_nobody_is_locked_out_by_somebody_elsewhere(database: TortoiseContext) -> None:
    await wang()
    for _ in range(200):
        with pytest.raises((WrongPassword, TooManyWrongPasswords)):
            await attempt("Wrong-horse-7", address=ELSEWHERE)
    assert await attempt(PASSWORD, address=OFFICE)


async def test_the_right_password_waits_too_and_then_clears_the_count(database: TortoiseContext) -> None:
    await wang()
    for _ in range(5):
        with pytest.raises(WrongPassword):
            await attempt("Wrong-horse-7")
    with pytest.raises(TooManyWrongPasswords):
        await attempt(PASSWORD)
    assert await attempt(PASSWORD, now=NOW + timedelta(seconds=30))
    assert await SignInFailures.all().count() == 0
    for _ in range(5):
        with pytest.raises(WrongPassword):
            await attempt("Wrong-horse-7", now=NOW + timedelta(seconds=31))


async def test_the_count_holds_no_name_and_no_address_and_is_forgotten_in_a_day(
    database: TortoiseContext,
) -> None:
    with pytest.raises(WrongPassword):
        await attempt("Wrong-horse-7")
    rows = str(await SignInFailures.all().values())
    assert "wang" not in rows and OFFICE not in rows
    with pytest.raises(WrongPassword):
        await attempt("Wrong-horse-7", "another", now=NOW + timedelta(days=1, seconds=1))
    assert await SignInFailures.all().count() == 1


async def test_a_hundred_guesses_at_once_are_not_a_hundred_guesses(postgres_url: str) -> None:
    context = await open_database(postgres_url)
    try:
        await wang()
        guesses = (attempt(f"Wrong-horse-{n}") for n in range(100))
        answers = await asyncio.gather(*guesses, return_exceptions=True)
    finally:
        await close_database(context)
    assert {type(answer) for answer in answers} <= {WrongPassword, TooManyWrongPasswords}
    assert 1 <= sum(isinstance(answer, WrongPassword) for answer in answers) <= FREE_FAILURES


async def test_a_crowd_at_the_login_is_told_to_come_back(
    database: TortoiseContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    await wang()
    monkeypatch.setattr(passwords, "MOST_WAITING", 0)
    with pytest.raises(SignInBusy):
        await attempt(PASSWORD)
    monkeypatch.undo()
    assert await attempt(PASSWORD)
