"""Seeding: a crowd that may grab, as it would stand on the evening before a launch.

The first enterprise goes through the services, from its registration to the operator's decision. The
others are copies of its rows, written in bulk. Sessions and tokens are made as a login makes them, so
that every one of them verifies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from aiohttp import web
from tortoise.models import Model

from server import keys
from server.app import AUDIENCE, ISSUER, create_app
from server.clock import CHINA
from server.demo import demo_uscc, eligible_facts, qualify
from server.models.organisations import MemberRole, Membership, Organisation, Qualification
from server.models.people import Person, SessionFamily
from server.programme.model import Programme
from server.services.access import Actor, StaffRole
from server.services.accounts.sessions import PERSON_SESSION
from server.services.accounts.staff import create_staff
from server.services.accounts.tokens import AccessTokens
from server.services.budgets import budgets
from server.services.rounds.rounds import RoundPlan
from server.settings import Settings

PROGRAMME = "lishui-2024"
FACE_VALUE_FEN = 1_000_000
"""What each of the crowd is entitled to."""
YEAR_FEN = 10**13
BATCH = 2000

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Scene:
    """What was made: the crowd's tokens, the operator's, and the rounds by name."""

    tokens: Sequence[str]
    operator_token: str
    budget_id: int
    rounds: dict[str, int]


async def seed(settings: Settings, *, people: int, pools: dict[str, int]) -> Scene:
    """Make ``people`` enterprises with one person each, and open rounds with room for so many vouchers.

    The database must be migrated and empty.
    """
    async with running(settings) as app:
        programme = app[keys.PROGRAMMES].get(PROGRAMME)
        clock = app[keys.CLOCK].now()
        now = app[keys.CLOCKS].now(programme.slug)
        staff = await create_staff(
            "bench-operator", "Never-in-production-1", [StaffRole.OPERATOR.value], clock
        )
        operator = Actor("staff", staff.id, "", None, frozenset({StaffRole.OPERATOR.value}))
        await _first(app, programme, operator, now)
        await _copies(people)
        tokens = await _sign_in(settings, clock)
        operator_token = (await app[keys.SESSIONS].start(staff, now=clock)).access_token
        budget = await budgets.open_year(programme, programme.year_of(now), YEAR_FEN, actor=operator, now=now)
        rounds = {}
        for name, vouchers in pools.items():
            plan = RoundPlan(
                title=name,
                opens_at=now + (timedelta(hours=1) if name == "not yet" else -timedelta(minutes=1)),
                closes_at=now + timedelta(days=1),
                pool_fen=vouchers * FACE_VALUE_FEN,
                valid_until=datetime(programme.year_of(now) + 1, 1, 1, tzinfo=CHINA),
            )
            drafted = await app[keys.ROUNDS].plan(budget.id, plan, actor=operator)
            rounds[name] = (await app[keys.ROUNDS].schedule(drafted.id, actor=operator)).id
    return Scene(tokens, operator_token, budget.id, rounds)


@asynccontextmanager
async def running(settings: Settings) -> Any:
    """The application, started and without a port."""
    runner = web.AppRunner(create_app(settings))
    await runner.setup()
    try:
        yield runner.app
    finally:
        await runner.cleanup()


async def _first(app: web.Application, programme: Programme, operator: Actor, now: datetime) -> None:
    """One enterprise by the book: registered, applied, approved."""
    created_at = app[keys.CLOCK].now()
    person = await Person.create(account="bench-000000", name="bench", created_at=created_at)
    stranger = Actor("person", person.id, "", None, frozenset())
    facts = {**eligible_facts(programme, now), "name": "bench", "labels_claimed": []}
    code = demo_uscc("bench", 0)
    enterprise = await app[keys.ONBOARDING].register(code, facts, MemberRole.HANDLER, actor=stranger)
    await qualify(app, programme, enterprise, operator)


async def _copies(people: int) -> None:
    """Everybody else, as the first one stands."""
    person, enterprise = await Person.get(), await Organisation.get()
    membership, qualification = await Membership.get(), await Qualification.get()
    numbers = range(1, people)
    await _store(Person, (_copy(person, account=f"bench-{number:06d}") for number in numbers))
    await _store(Organisation, (_copy(enterprise, uscc=f"BENCH{number:013d}") for number in numbers))
    person_ids = await Person.filter(id__gt=person.id).order_by("account").values_list("id", flat=True)
    enterprise_ids = (
        await Organisation.filter(id__gt=enterprise.id).order_by("uscc").values_list("id", flat=True)
    )
    pairs = list(zip(person_ids, enterprise_ids, strict=True))
    await _store(Membership, (_copy(membership, person_id=p, organisation_id=e) for p, e in pairs))
    await _store(Qualification, (_copy(qualification, organisation_id=e) for _, e in pairs))


async def _sign_in(settings: Settings, now: datetime) -> list[str]:
    """A session and an access token for every person, in the order of their enterprises."""
    access = AccessTokens(settings.jwt_keys, issuer=ISSUER, audience=AUDIENCE)
    people = await Person.all().order_by("account").values_list("id", "session_version")
    sessions = [
        SessionFamily(
            id=UUID(int=number),
            person_id=person_id,
            created_at=now,
            last_used_at=now,
            expires_at=now + PERSON_SESSION,
        )
        for number, (person_id, _) in enumerate(people)
    ]
    await _store(SessionFamily, iter(sessions))
    return [
        access.issue(f"person:{person_id}", session_id=session.id, version=version, now=now)[0]
        for session, (person_id, version) in zip(sessions, people, strict=True)
    ]


def _copy(row: Row, **changes: object) -> Row:
    fields = {name: getattr(row, name) for name in row._meta.db_fields if name != "id"}
    return type(row)(**{**fields, **changes})


async def _store(model: type[Row], rows: Iterator[Row]) -> None:
    await model.bulk_create(rows, batch_size=BATCH)
