"""Demo data: every programme with its people, and a round to grab where the programme grabs.

Made through the services, so it obeys every rule; made once, so a second start keeps what was done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from stdnum.cn import uscc
from tortoise.exceptions import DoesNotExist
from tortoise.transactions import in_transaction

from server import keys
from server.app import create_app
from server.clock import CHINA
from server.models.organisations import MemberRole, Organisation
from server.models.people import Person, Staff
from server.models.rounds import Budget
from server.programme.issuance import IssuanceMode
from server.programme.model import Programme
from server.programme.people import ConditionKind
from server.programme.vocabulary import Party
from server.services import budgets
from server.services.access import Actor, StaffRole
from server.services.admissions import LABELS_CONFIRMED
from server.services.assessments import assess
from server.services.memberships import lock, take_place
from server.services.rounds import RoundPlan
from server.services.staff import create_staff
from server.settings import Settings
from server.texts import DEMO

OPERATOR = "demo-operator"
OPERATOR_PASSWORD = "Try-the-console-2026"
YEAR_FEN = 300_000_000
OPEN_POOL_FEN = 30_000_000
NEXT_POOL_FEN = 20_000_000
ELIGIBLE = 3


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody to log in as, and what they are for."""

    name: str
    purpose: str


async def seed(settings: Settings) -> str:
    """Make what is missing and return the guide that is printed: clocks, accounts, how to log in."""
    runner = web.AppRunner(create_app(settings))
    await runner.setup()
    try:
        app = runner.app
        operator = await _operator(app)
        for programme in app[keys.PROGRAMMES]:
            if not await Budget.exists(programme_slug=programme.slug):
                await _seed_programme(app, programme, operator)
        return _guide(app, settings)
    finally:
        await runner.cleanup()


async def _operator(app: web.Application) -> Actor:
    try:
        operator = await Staff.get(username=OPERATOR)
    except DoesNotExist:
        now = app[keys.CLOCK].now()
        operator = await create_staff(OPERATOR, OPERATOR_PASSWORD, [StaffRole.OPERATOR.value], now)
    return Actor("staff", operator.id, "", None, frozenset({StaffRole.OPERATOR.value}))


async def _seed_programme(app: web.Application, programme: Programme, operator: Actor) -> None:
    now = app[keys.CLOCKS].now(programme.slug)
    for number in range(1, ELIGIBLE + 1):
        person = await _person(app, f"demo-{programme.slug}-{number}")
        enterprise = await _enterprise(app, programme, number, person, now, eligible=True)
        await qualify(app, programme, enterprise, operator, labels=enterprise.labels_claimed)
        if number == 1:
            # A colleague of the first enterprise: two people, one voucher.
            colleague = await _person(app, f"demo-{programme.slug}-1b")
            await take_place(enterprise, MemberRole.STAFF, actor=colleague, now=now)
    stranger = await _person(app, f"demo-{programme.slug}-no")
    enterprise = await _enterprise(app, programme, 9, stranger, now, eligible=False)
    await qualify(app, programme, enterprise, operator, labels=enterprise.labels_claimed)

    budget = await budgets.open_year(programme, programme.year_of(now), YEAR_FEN, actor=operator, now=now)
    if programme.issuance.mode is IssuanceMode.GRAB:
        await _rounds(app, programme, budget, operator, now)


async def _person(app: web.Application, account: str) -> Actor:
    now = app[keys.CLOCK].now()
    person, _ = await Person.get_or_create(
        account=account, defaults={"created_at": now, "name": DEMO["person"].format(account=account)}
    )
    return Actor("person", person.id, "", None, frozenset())


async def _enterprise(
    app: web.Application,
    programme: Programme,
    number: int,
    person: Actor,
    now: datetime,
    *,
    eligible: bool,
) -> Organisation:
    facts = eligible_facts(programme, now)
    name = DEMO["enterprise"].format(programme=programme.slug, number=number)
    if not eligible:
        facts["legal_person"] = False
    code = demo_uscc(programme.slug, number)
    role = MemberRole.HANDLER
    return await app[keys.ONBOARDING].register(code, {**facts, "name": name}, role, actor=person)


async def qualify(
    app: web.Application,
    programme: Programme,
    enterprise: Organisation,
    operator: Actor,
    *,
    labels: Collection[str] = (),
) -> None:
    """Decide about an enterprise without its paperwork: approved where nothing is unmet, else refused."""
    admissions, now = app[keys.REGISTRATIONS].admissions, app[keys.CLOCKS].now(programme.slug)
    async with in_transaction():
        enterprise = await lock(enterprise.id)
        assessment = await assess(
            programme, enterprise, Party.ENTERPRISE, app[keys.SIZES], now=now, hoping=True
        )
        waiting = await admissions.begin(
            enterprise, programme, Party.ENTERPRISE, assessment, resumed=False, now=now
        )
        if assessment.unmet:
            after = await admissions.refuse(waiting.id, DEMO["refused"], actor=operator, now=now)
        else:
            confirmed = {LABELS_CONFIRMED: list(labels)}
            after = await admissions.approve(waiting.id, confirmed, actor=operator, now=now)
    await after()


async def _rounds(
    app: web.Application, programme: Programme, budget: Budget, operator: Actor, now: datetime
) -> None:
    """One round that is open, and one that opens in ten minutes."""
    rounds = app[keys.ROUNDS]
    year_end = datetime(programme.year_of(now) + 1, 1, 1, tzinfo=CHINA)
    for title, opens_in, pool_fen in (
        (DEMO["open_round"], timedelta(minutes=-5), OPEN_POOL_FEN),
        (DEMO["next_round"], timedelta(minutes=10), NEXT_POOL_FEN),
    ):
        opens_at = now + opens_in
        plan = RoundPlan(
            title=title,
            opens_at=opens_at,
            closes_at=min(opens_at + timedelta(days=30), year_end),
            pool_fen=pool_fen,
            valid_until=year_end,
        )
        drafted = await rounds.plan(budget.id, plan, actor=operator)
        await rounds.schedule(drafted.id, actor=operator)


def eligible_facts(programme: Programme, now: datetime) -> dict[str, Any]:
    """Facts of an enterprise that meets every condition a programme's file can state by fact or label."""
    facts: dict[str, Any] = {
        "area": programme.areas[0],
        "industry": "C",
        "legal_person": True,
        "established_on": (now.astimezone(CHINA) - timedelta(days=5 * 365)).date(),
        "headcount": 60,
        "revenue_fen": 1_000_000_000,
        "assets_fen": 800_000_000,
        "labels_claimed": [],
        "declarations": {},
    }
    for condition in programme.enterprise_conditions:
        match condition.kind:
            case ConditionKind.DECLARED:
                facts["declarations"][condition.fact] = condition.expected
            case ConditionKind.AT_LEAST:
                least = condition.minimum_fen if condition.minimum is None else condition.minimum
                facts["declarations"][condition.fact] = least
            case ConditionKind.LABEL_REQUIRED:
                facts["labels_claimed"].append(condition.labels[0])
            case ConditionKind.INDUSTRY_IN if not any(one.startswith("C") for one in condition.industries):
                facts["industry"] = condition.industries[0]
            case ConditionKind.REGISTERED_IN if condition.areas:
                facts["area"] = condition.areas[0]
            case _:
                pass
    return facts


def demo_uscc(slug: str, number: int) -> str:
    """A code with a right check digit that no real register has given out (region 999999)."""
    digits = int.from_bytes(hashlib.sha256(f"{slug}/{number}".encode()).digest()[:4]) % 10**8
    body = f"91999999MA{digits % 10**7:07d}"
    return body + uscc.calc_check_digit(body)


def _guide(app: web.Application, settings: Settings) -> str:
    """What a newcomer is told: each programme's clock, whom to log in as, and how."""
    lines = [DEMO["clocks"]]
    for programme in app[keys.PROGRAMMES]:
        now = app[keys.CLOCKS].now(programme.slug).astimezone(CHINA)
        lines.append(f"  {programme.slug:16} {now:%Y-%m-%d %H:%M}  {programme.name}")
    lines.append(DEMO["accounts"])
    lines.append(f"  {OPERATOR:24} {DEMO['operator'].format(password=OPERATOR_PASSWORD)}")
    for programme in app[keys.PROGRAMMES]:
        names = f"demo-{programme.slug}-1, -1b, -2, -3, -no"
        lines.append(f"  {names}  {DEMO['people']}")
    address = f"http://{settings.host}:{settings.port}"
    lines.append(DEMO["log_in"])
    lines.append(
        f"  curl -s {address}/api/v1/demo/sessions -H 'Content-Type: application/json'"
        f' -d \'{{"account": "{OPERATOR}"}}\''
    )
    return "\n".join(lines)
