"""Sessions: who is signed in, for how long, and how a stolen or lost token ends."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from tortoise.context import TortoiseContext

from server.clock import FixedClock
from server.database import close_database, open_database
from server.gateways.live_feed import LocalFeed
from server.gateways.wechat import Wechat, WechatIdentity
from server.models.journal import JournalEntry
from server.models.people import Person, RefreshToken, SessionFamily, Staff
from server.sealing import Sealer
from server.services.access import Actor, NotSignedIn, SessionEnded
from server.services.accounts import sessions as service
from server.services.accounts.identities import Identities
from server.services.accounts.sessions import (
    DEAD_KEPT,
    PERSON_SESSION,
    RETRY_WINDOW,
    STAFF_SESSION,
    AccountDisabled,
    DemoAccountUnknown,
    RefreshTokenReused,
    RefreshTokenUnknown,
    Sessions,
    SignedIn,
    forget_dead,
    sign_in_for_demo,
    sign_in_with_wechat,
)
from server.services.accounts.tokens import AccessTokenExpired, AccessTokens

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TOKENS = AccessTokens(
    {"2026a": "a signing secret of this test, long enough"}, issuer="qiquan", audience="qiquan-api"
)


class House:
    """One process: its clock, its sessions, and whom it knows."""

    def __init__(self) -> None:
        self.clock = FixedClock(NOW)
        self.feed = LocalFeed()
        self.sessions = Sessions(TOKENS, self.feed)
        self.identities = Identities(TOKENS, self.feed, self.clock)

    async def person(self, account: str = "oLiNa") -> Person:
        return await Person.create(account=account, created_at=NOW)

    async def sign_in(self, owner: Person | Staff) -> SignedIn:
        return await self.sessions.start(owner, now=self.clock.now())

    async def refresh(self, token: str) -> SignedIn:
        return await self.sessions.refresh(token, now=self.clock.now())

    async def who(self, token: str) -> Actor:
        return await self.identities.identify(token)

    def later(self, by: timedelta) -> None:
        self.clock.advance(by)


@pytest.fixture
async def house(database: TortoiseContext) -> House:
    return House()


async def test_a_person_signs_in_and_is_known(house: House) -> None:
    person = await house.person()
    actor = await house.who((await house.sign_in(person)).access_token)
    assert (actor.name, actor.organisation_id, actor.roles) == (f"person:{person.id}", None, frozenset())


async def test_staff_sign_in_and_have_their_roles(house: House) -> None:
    staff = await Staff.create(
        username="wang", password_hash="-", display_name="Wang", roles=["operator"], created_at=NOW
    )
    actor = await house.who((await house.sign_in(staff)).access_token)
    assert (actor.name, actor.roles) == (f"staff:{staff.id}", frozenset({"operator"}))


async def test_a_disabled_person_cannot_sign_in(house: House) -> None:
    person = await house.person()
    person.disabled = True
    with pytest.raises(AccountDisabled):
        await house.sign_in(person)


async def test_a_refresh_gives_new_tokens(house: House) -> None:
    first = await house.sign_in(await house.person())
    house.later(timedelta(minutes=30))
    with pytest.raises(AccessTokenExpired):
        await house.who(first.access_token)
    second = await house.refresh(first.refresh_token)
    assert second.refresh_token != first.refresh_token
    assert (await house.who(second.access_token)).kind == "person"


async def test_neither_token_is_stored(house: House) -> None:
    first = await house.sign_in(await house.person())
    second = await house.refresh(first.refresh_token)
    stored = {value for row in await RefreshToken.all().values() for value in row.values()}
    stored |= {str(entry.data) for entry in await JournalEntry.all()}
    for token in (first.refresh_token, second.refresh_token, second.access_token):
        assert not any(token in str(value) for value in stored)
    assert hashlib.sha256(second.refresh_token.encode()).hexdigest() in stored


async def test_an_unknown_refresh_token_is_refused(house: House) -> None:
    signed_in = await house.sign_in(await house.person())
    for token in ("", "x" * 43, signed_in.access_token, signed_in.refresh_token[:-1], "令牌"):
        with pytest.raises(RefreshTokenUnknown):
            await house.refresh(token)


async def test_a_refresh_token_is_no_access_token(house: House) -> None:
    signed_in = await house.sign_in(await house.person())
    with pytest.raises(NotSignedIn):
        await house.who(signed_in.refresh_token)


async def test_a_phone_that_lost_the_answer_gets_the_same_one_again(house: House) -> None:
    first = await house.sign_in(await house.person())
    lost = await house.refresh(first.refresh_token)
    house.later(RETRY_WINDOW)
    again = await house.refresh(first.refresh_token)
    assert again.refresh_token == lost.refresh_token
    assert (await house.refresh(again.refresh_token)).refresh_token != again.refresh_token


async def test_an_exchanged_token_presented_later_revokes_the_session(house: House) -> None:
    first = await house.sign_in(await house.person())
    second = await house.refresh(first.refresh_token)
    assert await house.who(second.access_token)
    house.later(RETRY_WINDOW + timedelta(seconds=1))
    with pytest.raises(RefreshTokenReused):
        await house.refresh(first.refresh_token)
    with pytest.raises(SessionEnded):
        await house.who(second.access_token)
    with pytest.raises(SessionEnded):
        await house.refresh(second.refresh_token)


async def test_a_token_whose_successor_is_in_use_is_stolen_however_soon(house: House) -> None:
    first = await house.sign_in(await house.person())
    second = await house.refresh(first.refresh_token)
    third = await house.refresh(second.refresh_token)
    with pytest.raises(RefreshTokenReused):
        await house.refresh(first.refresh_token)
    with pytest.raises(SessionEnded):
        await house.who(third.access_token)


async def test_a_thief_and_the_owner_cannot_both_go_on(house: House) -> None:
    """Whoever comes second with a link of the chain ends the session for both."""
    stolen = (await house.sign_in(await house.person())).refresh_token
    owner, thief = stolen, stolen
    ended = False
    for _ in range(3):
        house.later(timedelta(minutes=30))
        owner = (await house.refresh(owner)).refresh_token
        house.later(timedelta(minutes=10))
        try:
            thief = (await house.refresh(thief)).refresh_token
        except RefreshTokenReused:
            ended = True
            break
    assert ended
    with pytest.raises(SessionEnded):
        await house.refresh(owner)


async def test_another_session_of_the_same_person_survives_a_theft(house: House) -> None:
    person = await house.person()
    robbed, other = await house.sign_in(person), await house.sign_in(person)
    second = await house.refresh(robbed.refresh_token)
    await house.refresh(second.refresh_token)
    with pytest.raises(RefreshTokenReused):
        await house.refresh(robbed.refresh_token)
    assert await house.who(other.access_token)
    assert await house.refresh(other.refresh_token)


@pytest.mark.parametrize(("kind", "lifetime"), [("person", PERSON_SESSION), ("staff", STAFF_SESSION)])
async def test_a_session_ends_however_often_it_is_refreshed(
    house: House, kind: str, lifetime: timedelta
) -> None:
    owner: Person | Staff = await house.person()
    if kind == "staff":
        owner = await Staff.create(username="wang", password_hash="-", display_name="Wang", created_at=NOW)
    signed_in = await house.sign_in(owner)
    house.later(lifetime - timedelta(minutes=1))
    signed_in = await house.refresh(signed_in.refresh_token)
    assert signed_in.access_expires_at == signed_in.session_expires_at == NOW + lifetime
    house.later(timedelta(minutes=1))
    with pytest.raises(SessionEnded):
        await house.refresh(signed_in.refresh_token)


async def test_signing_out_ends_this_device_only(house: House) -> None:
    person = await house.person()
    here, there = await house.sign_in(person), await house.sign_in(person)
    actor = await house.who(here.access_token)
    await house.sessions.end(actor, now=NOW)
    await house.sessions.end(actor, now=NOW + timedelta(seconds=5))
    with pytest.raises(SessionEnded):
        await house.who(here.access_token)
    with pytest.raises(SessionEnded):
        await house.refresh(here.refresh_token)
    assert await house.who(there.access_token)
    family = await SessionFamily.get(id=actor.session_id)
    assert (family.revoked_at, family.revoked_reason) == (NOW, "signed_out")


async def test_signing_out_everywhere_ends_every_device_and_nobody_else(house: House) -> None:
    person, another = await house.person(), await house.person("oWangWei")
    here, there = await house.sign_in(person), await house.sign_in(person)
    bystander = await house.sign_in(another)
    actor = await house.who(here.access_token)
    assert await house.who(there.access_token)
    await house.sessions.end_all(actor, now=NOW)
    for gone in (here, there):
        with pytest.raises(SessionEnded):
            await house.who(gone.access_token)
        with pytest.raises(SessionEnded):
            await house.refresh(gone.refresh_token)
    assert await house.who(bystander.access_token)
    assert await house.who((await house.sign_in(await Person.get(id=person.id))).access_token)


async def test_a_session_leaves_its_trace(house: House) -> None:
    person = await house.person()
    actor = await house.who((await house.sign_in(person)).access_token)
    await house.sessions.end(actor, now=NOW)
    entries = await JournalEntry.filter(subject=actor.name).order_by("id")
    assert [entry.action for entry in entries] == ["session.started", "session.ended"]
    assert all(entry.data["session"] == actor.session_id for entry in entries)


async def test_demo_accounts_sign_in_by_name_and_nobody_else_does(house: House) -> None:
    await house.person("demo-factory")
    await house.person("oLiNa")
    await Staff.create(username="demo-operator", password_hash="-", display_name="Wang", created_at=NOW)
    await Staff.create(username="wang", password_hash="-", display_name="Wang", created_at=NOW)
    for account, kind in (("demo-factory", "person"), ("demo-operator", "staff")):
        signed_in = await sign_in_for_demo(account, sessions=house.sessions, now=NOW)
        assert (await house.who(signed_in.access_token)).kind == kind
    for account in ("oLiNa", "wang", "demo-", "demo-nobody", ""):
        with pytest.raises(DemoAccountUnknown):
            await sign_in_for_demo(account, sessions=house.sessions, now=NOW)


# -- races, on PostgreSQL ----------------------------------------------------------------------------


@pytest.fixture
async def racing_house(postgres_url: str) -> AsyncIterator[House]:
    context = await open_database(postgres_url)
    yield House()
    await close_database(context)


async def test_twenty_exchanges_at_once_give_one_successor(racing_house: House) -> None:
    first = await racing_house.sign_in(await racing_house.person())
    answers = await asyncio.gather(*(racing_house.refresh(first.refresh_token) for _ in range(20)))
    assert len({answer.refresh_token for answer in answers}) == 1
    assert await RefreshToken.all().count() == 2
    for answer in answers:
        assert await racing_house.who(answer.access_token)


class EverybodyIsLiNa(Wechat):
    """A WeChat whose every code belongs to one person."""

    def __init__(self) -> None:
        pass

    async def code_to_session(self, code: str) -> WechatIdentity:
        return WechatIdentity("oLiNa", None)


SEALER = Sealer({"2026a": "a data secret of this test, long enough"})


async def test_ten_first_logins_at_once_register_one_person(racing_house: House) -> None:
    logins = (
        sign_in_with_wechat(
            str(n), wechat=EverybodyIsLiNa(), sessions=racing_house.sessions, sealer=SEALER, now=NOW
        )
        for n in range(10)
    )
    signed_in = await asyncio.gather(*logins)
    assert await Person.all().count() == 1
    assert await JournalEntry.filter(action="person.registered").count() == 1
    assert len({(await racing_house.who(one.access_token)).session_id for one in signed_in}) == 10


async def test_who_was_registered_by_two_keys_signs_in_as_who_was_there_first(house: House) -> None:
    newer = "a newer data secret of this test, long enough"
    both = Sealer({"2026b": newer, "2026a": "a data secret of this test, long enough"})
    first, _ = [await house.person(one.blind("oLiNa")) for one in (SEALER, both)]
    signed_in = await sign_in_with_wechat(
        "1", wechat=EverybodyIsLiNa(), sessions=house.sessions, sealer=both, now=NOW
    )
    assert (await house.who(signed_in.access_token)).id == first.id


# -- what is over and forgotten ----------------------------------------------------------------------


async def test_sessions_that_are_long_over_are_forgotten_with_their_tokens(house: House) -> None:
    ended, outlived, living = [await house.sign_in(await house.person(name)) for name in "abc"]
    await house.refresh(ended.refresh_token)
    await house.sessions.end(await house.who(ended.access_token), now=NOW)
    house.later(PERSON_SESSION - timedelta(hours=1))
    living = await house.sign_in(await Person.get(account="c"))
    house.later(DEAD_KEPT)
    # Of the four, the one that was signed out is over for more than a month, two that ran out are not yet.
    assert await forget_dead(house.clock.now()) == 1
    house.later(timedelta(hours=2))
    assert await forget_dead(house.clock.now()) == 2
    assert await forget_dead(house.clock.now()) == 0
    assert (await SessionFamily.all().count(), await RefreshToken.all().count()) == (1, 1)
    for token in (ended.refresh_token, outlived.refresh_token):
        with pytest.raises(RefreshTokenUnknown):
            await house.refresh(token)
    with pytest.raises(SessionEnded):
        await house.refresh(living.refresh_token)


async def test_a_living_session_keeps_every_link_of_its_chain(house: House) -> None:
    first = await house.sign_in(await house.person())
    second = await house.refresh(first.refresh_token)
    house.later(timedelta(days=29))
    await house.refresh(second.refresh_token)
    assert await forget_dead(house.clock.now()) == 0
    with pytest.raises(RefreshTokenReused):
        await house.refresh(first.refresh_token)


async def test_more_than_one_group_is_forgotten(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "FORGET_GROUP", 2)
    person = await house.person()
    for _ in range(5):
        await house.sign_in(person)
    assert await forget_dead(NOW + PERSON_SESSION + DEAD_KEPT + timedelta(seconds=1)) == 5
