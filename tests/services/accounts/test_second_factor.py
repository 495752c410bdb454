"""The second factor: enrolled by its first digits, asked for at each sign-in, each digits good once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from tortoise.context import TortoiseContext

from server.clock import FixedClock
from server.database import close_database, open_database
from server.gateways.live_feed import LocalFeed
from server.models.journal import JournalEntry
from server.models.people import SessionFamily, Staff
from server.sealing import Sealer
from server.services.access import Actor
from server.services.accounts.identities import Identities
from server.services.accounts.second_factor import STEP_SECONDS, SecondFactorNeeded, SecondFactorWrong
from server.services.accounts.sessions import Sessions, SignedIn
from server.services.accounts.staff import create_staff
from server.services.accounts.staff_sign_in import (
    FREE_FAILURES,
    Owed,
    SecondFactorEnrolled,
    SecondFactorNotBegun,
    StaffSignIn,
    TooManyWrongPasswords,
    WrongPassword,
)
from server.services.accounts.tokens import AccessTokens

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STEP = timedelta(seconds=STEP_SECONDS)
PASSWORD = "Correct-horse-7"
OFFICE, ELSEWHERE = "192.0.2.1", "198.51.100.7"
TOKENS = AccessTokens(
    {"2026a": "a signing secret of this test, long enough"}, issuer="qiquan", audience="qiquan-api"
)


class Desk:
    """A door that asks for a second factor, and the one account that uses it."""

    def __init__(self, *, required: bool = True) -> None:
        feed = LocalFeed()
        self.clock = FixedClock(NOW)
        self.identities = Identities(TOKENS, feed, self.clock)
        sealer = Sealer({"2026a": "a data secret of this test, long enough"})
        self.door = StaffSignIn(Sessions(TOKENS, feed), sealer, second_factor_required=required)
        self.secret = ""

    async def sign_in(
        self, digits: str | None = None, *, password: str = PASSWORD, address: str = OFFICE
    ) -> SignedIn:
        now = self.clock.now()
        return await self.door.sign_in("wang", password, digits, address=address, now=now)

    async def actor(self, signed_in: SignedIn) -> Actor:
        return await self.identities.identify(signed_in.access_token)

    async def enrolled(self) -> Actor:
        """Whoever has just set their authenticator up; a minute later its next digits are good."""
        actor = await self.actor(await self.sign_in())
        self.secret = (await self.door.enrol(actor=actor, now=self.clock.now())).secret
        await self.door.confirm(self.digits(), actor=actor, now=self.clock.now())
        self.clock.advance(2 * STEP)
        return actor

    def digits(self, *, steps: int = 0) -> str:
        return pyotp.TOTP(self.secret).at(self.clock.now() + steps * STEP)

    def wrong(self) -> str:
        return f"{(int(self.digits()) + 500_000) % 1_000_000:06d}"


@pytest.fixture
async def desk(database: TortoiseContext) -> Desk:
    await create_staff("wang", PASSWORD, ["operator"], NOW)
    return Desk()


async def test_who_decides_and_has_none_signs_in_to_set_one_up_and_holds_no_role(desk: Desk) -> None:
    actor = await desk.actor(await desk.sign_in())
    assert (actor.roles, await desk.door.owed_in(actor)) == (frozenset(), (Owed.SECOND_FACTOR,))


async def test_once_confirmed_the_same_session_holds_the_roles(desk: Desk) -> None:
    signed_in = await desk.sign_in()
    actor = await desk.actor(signed_in)
    desk.secret = (await desk.door.enrol(actor=actor, now=NOW)).secret
    with pytest.raises(SecondFactorWrong):
        await desk.door.confirm(desk.wrong(), actor=actor, now=NOW)
    assert (await desk.actor(signed_in)).roles == frozenset()
    await desk.door.confirm(desk.digits(), actor=actor, now=NOW)
    assert (await desk.actor(signed_in)).roles == {"operator"}
    assert await desk.door.owed_in(actor) == ()


@pytest.mark.parametrize("role", ["auditor"])
async def test_who_neither_decides_nor_administers_may_do_without(
    database: TortoiseContext, role: str
) -> None:
    await create_staff("wang", PASSWORD, [role], NOW)
    desk = Desk()
    assert (await desk.actor(await desk.sign_in())).roles == {role}


async def test_where_it_is_not_required_a_password_is_enough_until_one_is_enrolled(
    database: TortoiseContext,
) -> None:
    await create_staff("wang", PASSWORD, ["operator"], NOW)
    desk = Desk(required=False)
    assert (await desk.actor(await desk.sign_in())).roles == {"operator"}
    await desk.enrolled()
    with pytest.raises(SecondFactorNeeded):
        await desk.sign_in()


async def test_the_digits_are_asked_for_and_then_let_in(desk: Desk) -> None:
    await desk.enrolled()
    with pytest.raises(SecondFactorNeeded):
        await desk.sign_in()
    with pytest.raises(SecondFactorWrong):
        await desk.sign_in(desk.wrong())
    assert (await desk.actor(await desk.sign_in(desk.digits()))).roles == {"operator"}


async def test_without_the_password_nobody_learns_whether_there_is_a_second_factor(desk: Desk) -> None:
    await desk.enrolled()
    for digits in (None, desk.wrong(), desk.digits()):
        with pytest.raises(WrongPassword):
            await desk.sign_in(digits, password="Wrong-horse-7")


@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
async def test_a_clock_may_be_half_a_minute_wrong(desk: Desk, steps: int, good: bool) -> None:
    await desk.enrolled()
    desk.clock.advance(10 * STEP)
    if good:
        assert await desk.sign_in(desk.digits(steps=steps))
    else:
        with pytest.raises(SecondFactorWrong):
            await desk.sign_in(desk.digits(steps=steps))


async def test_digits_are_good_once_and_none_older_than_them(desk: Desk) -> None:
    await desk.enrolled()
    desk.clock.advance(10 * STEP)
    used, older = desk.digits(), desk.digits(steps=-1)
    await desk.sign_in(used)
    for digits in (used, older):
        with pytest.raises(SecondFactorWrong):
            await desk.sign_in(digits)
    assert await desk.sign_in(desk.digits(steps=1))


async def test_the_digits_that_confirmed_it_do_not_sign_in(desk: Desk) -> None:
    actor = await desk.actor(await desk.sign_in())
    desk.secret = (await desk.door.enrol(actor=actor, now=NOW)).secret
    await desk.door.confirm(desk.digits(), actor=actor, now=NOW)
    with pytest.raises(SecondFactorWrong):
        await desk.sign_in(desk.digits())


async def test_of_two_sign_ins_with_the_same_digits_one_is_let_in(postgres_url: str) -> None:
    context = await open_database(postgres_url)
    try:
        await create_staff("wang", PASSWORD, ["operator"], NOW)
        desk = Desk()
        await desk.enrolled()
        tries = (desk.sign_in(desk.digits(), address=f"192.0.2.{number}") for number in range(10))
        answers = await asyncio.gather(*tries, return_exceptions=True)
    finally:
        await close_database(context)
    assert sum(isinstance(answer, SignedIn) for answer in answers) == 1
    assert sum(isinstance(answer, SecondFactorWrong) for answer in answers) == 9


async def test_guesses_are_slowed_down_like_passwords_and_lock_nobody_out_elsewhere(desk: Desk) -> None:
    await desk.enrolled()
    for _ in range(FREE_FAILURES):
        with pytest.raises(SecondFactorWrong):
            await desk.sign_in(desk.wrong(), address=ELSEWHERE)
    with pytest.raises(TooManyWrongPasswords):
        await desk.sign_in(desk.digits(), address=ELSEWHERE)
    assert await desk.sign_in(desk.digits(), address=OFFICE)


async def test_a_right_password_between_guesses_buys_no_more_of_them(desk: Desk) -> None:
    await desk.enrolled()
    refused = 0
    for _ in range(FREE_FAILURES):
        try:
            with pytest.raises(SecondFactorWrong):
                await desk.sign_in(desk.wrong())
            with pytest.raises(SecondFactorNeeded):
                await desk.sign_in()
        except TooManyWrongPasswords:
            refused += 1
    assert refused == FREE_FAILURES - FREE_FAILURES // 2


async def test_a_second_factor_is_not_replaced_by_whoever_holds_a_session(desk: Desk) -> None:
    actor = await desk.enrolled()
    with pytest.raises(SecondFactorEnrolled):
        await desk.door.enrol(actor=actor, now=NOW)
    with pytest.raises(SecondFactorEnrolled):
        await desk.door.confirm(desk.digits(), actor=actor, now=NOW)
    assert await desk.sign_in(desk.digits())


async def test_nothing_is_confirmed_that_was_not_begun_and_the_newest_secret_counts(desk: Desk) -> None:
    actor = await desk.actor(await desk.sign_in())
    with pytest.raises(SecondFactorNotBegun):
        await desk.door.confirm("123456", actor=actor, now=NOW)
    desk.secret = (await desk.door.enrol(actor=actor, now=NOW)).secret
    older = desk.digits()
    desk.secret = (await desk.door.enrol(actor=actor, now=NOW)).secret
    if older != desk.digits():
        with pytest.raises(SecondFactorWrong):
            await desk.door.confirm(older, actor=actor, now=NOW)
    await desk.door.confirm(desk.digits(), actor=actor, now=NOW)


async def test_the_secret_is_sealed_and_stands_in_no_journal(desk: Desk) -> None:
    actor = await desk.enrolled()
    kept = str(await Staff.all().values()) + str(await JournalEntry.all().values())
    assert desk.secret not in kept
    deeds = [entry.action for entry in await JournalEntry.filter(subject=actor.name).order_by("id")]
    assert deeds[-2:] == ["staff.second_factor_begun", "staff.second_factor_enrolled"]


async def test_an_authenticator_is_told_whose_secret_it_is(desk: Desk) -> None:
    actor = await desk.actor(await desk.sign_in())
    enrolment = await desk.door.enrol(actor=actor, now=NOW)
    totp = pyotp.parse_uri(enrolment.uri)
    assert (totp.issuer, totp.name, totp.secret) == ("Qiquan", "wang", enrolment.secret)
    assert await SessionFamily.filter(limited=True).count() == 1
