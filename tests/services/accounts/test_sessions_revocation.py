"""Rights end at once, on every worker, with Redis and without; and memory stays small and quick."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from tortoise.context import TortoiseContext

from server.clock import FixedClock
from server.database import close_database, open_database
from server.gateways.live_feed import LocalFeed, RedisFeed
from server.models.organisations import MemberRole, Membership, Organisation
from server.models.people import Person, SessionFamily, Staff
from server.services.access import Actor, NotSignedIn, SessionEnded
from server.services.accounts import identities as module
from server.services.accounts.identities import Identities
from server.services.accounts.sessions import Sessions
from server.services.accounts.tokens import AccessClaims, AccessTokenExpired, AccessTokens
from tools.embedded import RedisServer

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TOKENS = AccessTokens(
    {"2026a": "a signing secret of this test, long enough"}, issuer="qiquan", audience="qiquan-api"
)


class Worker:
    """One worker process: its feed and what it remembers."""

    def __init__(self, feed: LocalFeed | RedisFeed, *, capacity: int = 100) -> None:
        self.clock = FixedClock(NOW)
        self.feed = feed
        self.sessions = Sessions(TOKENS, feed)
        self.identities = Identities(TOKENS, feed, self.clock, capacity=capacity)

    async def token_of(self, owner: Person | Staff) -> str:
        return (await self.sessions.start(owner, now=self.clock.now())).access_token

    async def admits(self, token: str) -> bool:
        try:
            await self.identities.identify(token)
        except NotSignedIn:
            return False
        return True


class Feed(LocalFeed):
    """A feed whose health the test decides, and which tells nobody anything."""

    def __init__(self) -> None:
        super().__init__()
        self.healthy = True

    def trusted(self) -> bool:
        return self.healthy

    async def publish(self, *names: str) -> None:
        pass


async def a_person(account: str = "oLiNa") -> Person:
    return await Person.create(account=account, created_at=NOW)


async def a_member(person: Person, uscc: str, role: MemberRole) -> Organisation:
    organisation = await Organisation.create(
        uscc=uscc,
        name="Example",
        area="000000",
        industry="C35",
        legal_person=True,
        established_on=date(2020, 1, 1),
        headcount=10,
        revenue_fen=1,
        assets_fen=1,
        created_at=NOW,
        facts_changed_at=NOW,
    )
    await Membership.create(person=person, organisation=organisation, role=role, created_at=NOW)
    return organisation


@pytest.fixture
async def worker(database: TortoiseContext) -> Worker:
    return Worker(LocalFeed())


# -- memory ------------------------------------------------------------------------------------------


async def test_a_known_token_is_answered_from_memory(worker: Worker) -> None:
    token = await worker.token_of(await a_person())
    assert worker.identities.cached(token) is None
    actor = await worker.identities.identify(token)
    assert worker.identities.cached(token) == actor


async def test_an_expired_token_is_not_answered_from_memory(worker: Worker) -> None:
    token = await worker.token_of(await a_person())
    await worker.identities.identify(token)
    worker.clock.advance(timedelta(minutes=30))
    assert worker.identities.cached(token) is None
    with pytest.raises(AccessTokenExpired):
        await worker.identities.identify(token)


async def test_memory_is_bounded_and_forgets_whoever_was_away_longest(database: TortoiseContext) -> None:
    worker = Worker(LocalFeed(), capacity=2)
    tokens = [await worker.token_of(await a_person(f"o{number}")) for number in range(3)]
    for token in tokens[:2]:
        await worker.identities.identify(token)
    assert worker.identities.cached(tokens[0])
    await worker.identities.identify(tokens[2])
    assert len(worker.identities) == 2
    assert worker.identities.cached(tokens[0]) and worker.identities.cached(tokens[1]) is None


async def test_a_forged_token_leaves_nothing_behind(worker: Worker) -> None:
    token = await worker.token_of(await a_person())
    assert not await worker.admits(token[:-2] + "xx")
    assert len(worker.identities) == 0


async def test_memory_of_somebody_is_gone_with_their_last_token(worker: Worker) -> None:
    person = await a_person()
    for token in [await worker.token_of(person) for _ in range(3)]:
        await worker.identities.identify(token)
    await worker.feed.publish(f"person:{person.id}")
    assert len(worker.identities) == 0
    assert not worker.identities._tokens_of


# -- whom a token speaks for -------------------------------------------------------------------------


async def test_a_person_acts_for_the_organisation_of_their_active_membership(worker: Worker) -> None:
    person = await a_person()
    token = await worker.token_of(person)
    first = await a_member(person, "A" * 18, MemberRole.LEGAL_REPRESENTATIVE)
    actor = await worker.identities.identify(token)
    assert (actor.organisation_id, actor.roles) == (first.id, {"legal_representative"})
    await Membership.filter(organisation=first).update(active=False)
    second = await a_member(person, "B" * 18, MemberRole.STAFF)
    await worker.feed.publish(actor.name)
    actor = await worker.identities.identify(token)
    assert (actor.organisation_id, actor.roles) == (second.id, {"staff"})


async def test_a_token_for_somebody_elses_session_is_refused(worker: Worker) -> None:
    person, another = await a_person(), await a_person("oWangWei")
    await worker.token_of(person)
    family = await SessionFamily.get(person=person)
    token, _ = TOKENS.issue(f"person:{another.id}", session_id=family.id, version=1, now=NOW)
    assert not await worker.admits(token)
    token, _ = TOKENS.issue(f"staff:{person.id}", session_id=family.id, version=1, now=NOW)
    assert not await worker.admits(token)
    token, _ = TOKENS.issue(f"person:{person.id}", session_id=family.id, version=1, now=NOW)
    assert await worker.admits(token)


# -- rights act at once ------------------------------------------------------------------------------


async def disable_person(person: Person, staff: Staff) -> str:
    await Person.filter(id=person.id).update(disabled=True)
    return f"person:{person.id}"


async def raise_person_version(person: Person, staff: Staff) -> str:
    await Person.filter(id=person.id).update(session_version=2)
    return f"person:{person.id}"


async def revoke_family(person: Person, staff: Staff) -> str:
    family = await SessionFamily.get(person=person)
    await SessionFamily.filter(id=family.id).update(revoked_at=NOW)
    return f"session:{family.id}"


async def disable_staff(person: Person, staff: Staff) -> str:
    await Staff.filter(id=staff.id).update(disabled=True)
    return f"staff:{staff.id}"


async def raise_staff_version(person: Person, staff: Staff) -> str:
    await Staff.filter(id=staff.id).update(session_version=2)
    return f"staff:{staff.id}"


ENDINGS = [disable_person, raise_person_version, revoke_family, disable_staff, raise_staff_version]
Ending = Callable[[Person, Staff], "asyncio.Future[str]"]


async def two_signed_in(worker: Worker) -> tuple[Person, Staff, dict[str, str]]:
    person = await a_person()
    staff = await Staff.create(username="wang", password_hash="-", display_name="Wang", created_at=NOW)
    tokens = {
        f"person:{person.id}": await worker.token_of(person),
        f"staff:{staff.id}": await worker.token_of(staff),
    }
    for token in tokens.values():
        assert await worker.admits(token)
    return person, staff, tokens


def ended_and_living(ending: Ending, tokens: dict[str, str]) -> tuple[str, str]:
    person_token, staff_token = tokens.values()
    return (staff_token, person_token) if "staff" in ending.__name__ else (person_token, staff_token)


@pytest.mark.parametrize("ending", ENDINGS)
async def test_the_next_request_is_refused_once_it_was_published(worker: Worker, ending: Ending) -> None:
    person, staff, tokens = await two_signed_in(worker)
    ended, living = ended_and_living(ending, tokens)
    name = await ending(person, staff)
    # The control: nobody has said a word yet, so memory still answers.
    assert worker.identities.cached(ended)
    await worker.feed.publish(name)
    assert not await worker.admits(ended)
    assert worker.identities.cached(living)


@pytest.mark.parametrize("ending", ENDINGS)
async def test_without_a_trusted_feed_every_token_is_looked_up(
    database: TortoiseContext, ending: Ending
) -> None:
    feed = Feed()
    worker = Worker(feed)
    person, staff, tokens = await two_signed_in(worker)
    ended, living = ended_and_living(ending, tokens)
    feed.healthy = False
    assert worker.identities.cached(living) is None
    await ending(person, staff)
    assert not await worker.admits(ended)
    assert await worker.admits(living)


@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_change_nobody_announced_is_found_by_rechecking(
    database: TortoiseContext, ending: Ending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RECHECK_GROUP", 1)
    worker = Worker(Feed())
    person, staff, tokens = await two_signed_in(worker)
    ended, living = ended_and_living(ending, tokens)
    await ending(person, staff)
    assert worker.identities.cached(ended)
    await worker.identities.recheck()
    assert worker.identities.cached(ended) is None
    assert worker.identities.cached(living)


async def test_a_changed_role_is_found_by_rechecking(database: TortoiseContext) -> None:
    worker = Worker(Feed())
    person = await a_person()
    await a_member(person, "A" * 18, MemberRole.HANDLER)
    token = await worker.token_of(person)
    await worker.identities.identify(token)
    await Membership.filter(person=person).update(role=MemberRole.STAFF)
    await worker.identities.recheck()
    assert (await worker.identities.identify(token)).roles == {"staff"}


async def test_a_crowd_of_new_tokens_is_looked_up_in_two_questions_and_everybody_gets_their_own_answer(
    database: TortoiseContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker(Feed())
    people = [await a_person(f"oCrowd{number}") for number in range(20)]
    tokens = [await worker.token_of(person) for person in people]
    await Person.filter(id=people[7].id).update(disabled=True)
    truly = module._actors
    groups: list[int] = []

    async def counted(claims: Collection[AccessClaims]) -> dict[AccessClaims, Actor]:
        groups.append(len(claims))
        return await truly(claims)

    monkeypatch.setattr(module, "_actors", counted)
    first = asyncio.create_task(worker.identities.identify(tokens[0]))
    await asyncio.sleep(0)
    answers = await asyncio.gather(
        first, *map(worker.identities.identify, tokens[1:]), return_exceptions=True
    )
    assert sum(groups) == 20
    assert len(groups) <= 2
    assert isinstance(answers.pop(7), SessionEnded)
    others = [person.id for person in people if person is not people[7]]
    assert [actor.id for actor in answers if isinstance(actor, Actor)] == others


async def test_a_database_that_is_away_is_told_to_everybody_who_asked(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await worker.token_of(await a_person())
    truly = module._actors

    async def away(_: Collection[AccessClaims]) -> dict[AccessClaims, Actor]:
        raise ConnectionRefusedError

    monkeypatch.setattr(module, "_actors", away)
    asked = [worker.identities.identify(token) for _ in range(3)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers] == [ConnectionRefusedError] * 3
    monkeypatch.setattr(module, "_actors", truly)
    assert (await worker.identities.identify(token)).kind == "person"


async def test_an_answer_that_was_overtaken_by_a_change_is_not_remembered(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database said yes, the person was disabled, and only then did the answer arrive."""
    person = await a_person()
    token = await worker.token_of(person)
    truly = module._actors

    async def slowly(claims: object) -> object:
        answer = await truly(claims)  # type: ignore[arg-type]
        await Person.filter(id=person.id).update(disabled=True)
        await worker.feed.publish(f"person:{person.id}")
        return answer

    monkeypatch.setattr(module, "_actors", slowly)
    await worker.identities.identify(token)
    assert worker.identities.cached(token) is None
    monkeypatch.undo()
    with pytest.raises(SessionEnded):
        await worker.identities.identify(token)


async def test_rechecking_goes_on_when_the_database_was_away(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = 0

    async def failing_at_first() -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            raise ConnectionRefusedError
        checking.cancel()

    monkeypatch.setattr(module, "RECHECK_EVERY_SECONDS", 0)
    monkeypatch.setattr(worker.identities, "recheck", failing_at_first)
    checking = asyncio.create_task(worker.identities.keep_rechecking())
    await asyncio.wait([checking])
    assert rounds == 2


# -- two workers, PostgreSQL and a real Redis ----------------------------------------------------------


@pytest.fixture
async def postgres(postgres_url: str) -> AsyncIterator[TortoiseContext]:
    context = await open_database(postgres_url)
    yield context
    await close_database(context)


@asynccontextmanager
async def two_workers(redis_url: str) -> AsyncIterator[tuple[Worker, Worker]]:
    async with RedisFeed(redis_url) as one, RedisFeed(redis_url) as two:
        workers = Worker(one), Worker(two)
        for worker in workers:
            await until(worker.feed.trusted)
        yield workers


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that happens on its own; the suite's time limit says when to give up."""
    while not condition():  # noqa: ASYNC110 - what is waited for happens in another process
        await asyncio.sleep(0.01)


async def test_signing_out_on_one_worker_ends_it_on_the_other(
    postgres: TortoiseContext, redis_url: str
) -> None:
    async with two_workers(redis_url) as (here, there):
        person = await a_person()
        token, bystander = await here.token_of(person), await here.token_of(await a_person("oWangWei"))
        actor = await here.identities.identify(token)
        for worker in (here, there):
            assert await worker.admits(token) and await worker.admits(bystander)
        await here.sessions.end_all(actor, now=NOW)
        assert not await here.admits(token)
        await until(lambda: there.identities.cached(token) is None)
        assert not await there.admits(token)
        assert there.identities.cached(bystander)


async def test_it_ends_on_the_other_worker_while_redis_is_away(
    postgres: TortoiseContext, own_redis_server: RedisServer
) -> None:
    async with two_workers(own_redis_server.url()) as (here, there):
        token = await here.token_of(await a_person())
        actor = await here.identities.identify(token)
        assert await there.admits(token)
        own_redis_server.running.kill()
        await here.sessions.end_all(actor, now=NOW)
        await until(lambda: not there.feed.trusted())
        assert not await there.admits(token)
        own_redis_server.start()
        await until(there.feed.trusted)
        assert not await there.admits(token)


async def test_it_ends_on_the_other_worker_while_redis_is_frozen(
    postgres: TortoiseContext, own_redis_server: RedisServer
) -> None:
    async with two_workers(own_redis_server.url()) as (here, there):
        token, living = await here.token_of(await a_person()), await here.token_of(await a_person("oWang"))
        actor = await here.identities.identify(token)
        assert await there.admits(token) and await there.admits(living)
        own_redis_server.running.freeze()
        try:
            await here.sessions.end_all(actor, now=NOW)
            await until(lambda: not there.feed.trusted())
            assert not await there.admits(token)
            assert await there.admits(living)
        finally:
            own_redis_server.running.thaw()
        await until(there.feed.trusted)
        assert not await there.admits(token)
        assert await there.admits(living)
