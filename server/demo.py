"""Demo data: every programme with its people, its money and something to see in every list.

Made through the services, so it obeys every rule; made once, so a second start keeps what was done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any

from aiohttp import web
from stdnum.cn import uscc
from tortoise.transactions import in_transaction

from server import keys
from server.app import create_app
from server.clock import CHINA
from server.demo_complaints import complain
from server.demo_forms import fill_in, hand_in
from server.demo_offerings import hand_in_one, list_offerings, open_selection
from server.demo_orders import order_a_voucher
from server.models.organisations import MemberRole, Organisation
from server.models.people import Person, Staff
from server.models.reviews import ReviewCase
from server.models.rounds import Budget, Round
from server.programme.issuance import IssuanceMode
from server.programme.model import Programme
from server.programme.people import ConditionKind
from server.programme.review import ReviewKind
from server.programme.vocabulary import Party
from server.rules.review import CaseStatus, Verdict
from server.services import budgets
from server.services.access import Actor, StaffRole
from server.services.admissions import LABELS_CONFIRMED
from server.services.applications import Ask
from server.services.assessments import assess
from server.services.attestations import Statement
from server.services.memberships import lock, take_place
from server.services.qualifications import SUBJECTS
from server.services.rounds import RoundPlan
from server.services.staff import create_staff
from server.settings import Settings
from server.texts import DEMO

PASSWORD = "Try-the-console-2026"
YEAR_FEN = 300_000_000
OPEN_POOL_FEN = 30_000_000
NEXT_POOL_FEN = 20_000_000
ASKED_FEN = 1_000_000
ELIGIBLE = 3
STRANGER, WAITING, RETURNED, FIRST_PROVIDER, PROVIDERS = 9, 11, 12, 21, 2
"""The numbers under which the others are registered; the last provider is made last of all."""


@dataclass(frozen=True, slots=True)
class Side:
    """An organisation of the demonstration, and whoever acts for it."""

    organisation: Organisation
    person: Actor


async def seed(settings: Settings) -> str:
    """Make what is missing and return the guide that is printed: clocks, accounts, how to log in."""
    runner = web.AppRunner(create_app(settings))
    await runner.setup()
    try:
        app = runner.app
        officials = await _officials(app)
        for programme in app[keys.PROGRAMMES]:
            last = demo_uscc(programme.slug, FIRST_PROVIDER + PROVIDERS - 1)
            if not await Organisation.exists(uscc=last):
                await _seed_programme(app, programme, officials)
        return _guide(app, settings)
    finally:
        await runner.cleanup()


async def _officials(app: web.Application) -> dict[str, Actor]:
    """One member of staff for each role. The district department has the first area of every programme."""
    areas = sorted({programme.areas[0] for programme in app[keys.PROGRAMMES]})
    officials: dict[str, Actor] = {}
    for role in StaffRole:
        name, now = username(role), app[keys.CLOCK].now()
        bounds = areas if role is StaffRole.DISTRICT else ()
        staff = await Staff.get_or_none(username=name) or await create_staff(
            name, PASSWORD, [role.value], now, areas=bounds
        )
        officials[role.value] = Actor(
            "staff", staff.id, "", None, frozenset({role.value}), areas=frozenset(bounds)
        )
    return officials


def username(role: StaffRole) -> str:
    """What the demo account of a role is called."""
    return f"demo-{role.value.replace('_', '-')}"


async def _seed_programme(app: web.Application, programme: Programme, officials: Mapping[str, Actor]) -> None:
    now, operator = app[keys.CLOCKS].now(programme.slug), officials[StaffRole.OPERATOR.value]
    # First, so that whoever is approved has what the programme allots.
    budget = await budgets.open_year(programme, programme.year_of(now), YEAR_FEN, actor=operator, now=now)
    enterprises = [await _side(app, programme, number, str(number), now) for number in range(1, ELIGIBLE + 1)]
    for side in enterprises:
        await qualify(app, programme, side.organisation, operator, labels=side.organisation.labels_claimed)
    # A colleague of the first enterprise: two people, one voucher.
    colleague = await _person(app, f"demo-{programme.slug}-1b")
    await take_place(enterprises[0].organisation, MemberRole.STAFF, actor=colleague, now=now)
    stranger = await _side(app, programme, STRANGER, "no", now, eligible=False)
    await qualify(
        app, programme, stranger.organisation, operator, labels=stranger.organisation.labels_claimed
    )
    opened = await _rounds(app, programme, budget, operator, now)
    await _papers(app, programme, officials, now)
    await open_selection(app, programme, officials[StaffRole.AUTHORITY.value], now)
    providers = [
        await _provider(app, programme, FIRST_PROVIDER + place, operator, now) for place in range(PROVIDERS)
    ]
    for place, provider in enumerate(providers):
        await list_offerings(app, programme, place, provider.person, now)
    await hand_in_one(app, programme, providers[0].person, now)
    await _issue(app, programme, enterprises[0], providers[0], opened)
    await complain(app, programme, enterprises[0].person, providers[0].organisation, operator)


async def _papers(
    app: web.Application, programme: Programme, officials: Mapping[str, Actor], now: datetime
) -> None:
    """One registration that waits to be reviewed, and one that was returned.

    Of enterprises where people review them, else of providers.
    """
    party = next((one for one in Party if _people_review(programme, one)), None)
    if party is None:
        return
    for number, account in ((WAITING, "waiting"), (RETURNED, "returned")):
        side = await _side(app, programme, number, account, now, provider=party is Party.PROVIDER)
        if party is Party.PROVIDER:
            await _listed(app, programme, side.organisation, officials[StaffRole.OPERATOR.value])
        handed_in = await hand_in(app, programme, party, side.organisation, side.person)
        if number != RETURNED or handed_in.case_id is None:
            continue
        case = await ReviewCase.get(id=handed_in.case_id)
        if case.status is CaseStatus.OPEN and case.turn is not None:
            await app[keys.REVIEWS].decide(
                case.id,
                Verdict.RETURNED,
                version=case.version,
                reason=DEMO["returned"],
                fields={},
                actor=officials[case.turn.value],
            )


def _people_review(programme: Programme, party: Party) -> bool:
    chain = programme.review(SUBJECTS[party])
    return chain is not None and any(step.kind is not ReviewKind.AUTOMATIC for step in chain.steps)


async def _listed(
    app: web.Application, programme: Programme, provider: Organisation, operator: Actor
) -> None:
    """Let official lists name a provider as its programme's conditions ask for."""
    for condition in programme.provider_conditions:
        if condition.kind is ConditionKind.LABEL_REQUIRED and not condition.if_labels:
            statement = Statement(uscc=provider.uscc, name=provider.name, code=condition.labels[0])
            await app[keys.LABELS].attest(
                programme.slug, statement, list_name=DEMO["list"], document_number="", actor=operator
            )


async def _provider(
    app: web.Application, programme: Programme, number: int, operator: Actor, now: datetime
) -> Side:
    """An approved provider: named by the lists that its conditions ask for, its form filled in."""
    side = await _side(app, programme, number, f"p{number - FIRST_PROVIDER + 1}", now, provider=True)
    await _listed(app, programme, side.organisation, operator)
    await fill_in(app, programme, Party.PROVIDER, side.organisation, side.person, papers=False)
    await qualify(app, programme, side.organisation, operator, party=Party.PROVIDER)
    return side


async def _issue(
    app: web.Application,
    programme: Programme,
    enterprise: Side,
    provider: Side,
    opened: Round | None,
) -> None:
    """The first step towards a voucher that the programme's way of issuing knows; a grab is the visitor's."""
    match programme.issuance.mode:
        case IssuanceMode.GRAB:
            return
        case IssuanceMode.RANKED_BATCH if opened is not None:
            ask = Ask(opened.id, demo_key(programme.slug), ASKED_FEN)
            await app[keys.APPLICATIONS].put(ask, actor=enterprise.person)
            return
        case _:
            people = {Party.ENTERPRISE: enterprise.person, Party.PROVIDER: provider.person}
            await order_a_voucher(app, programme, people)


async def _side(
    app: web.Application,
    programme: Programme,
    number: int,
    account: str,
    now: datetime,
    *,
    eligible: bool = True,
    provider: bool = False,
) -> Side:
    """A registered organisation, and its handler under ``demo-<programme>-<account>``."""
    person = await _person(app, f"demo-{programme.slug}-{account}")
    organisation = await _organisation(
        app, programme, number, person, now, eligible=eligible, provider=provider
    )
    return Side(organisation, replace(person, organisation_id=organisation.id))


async def _person(app: web.Application, account: str) -> Actor:
    now = app[keys.CLOCK].now()
    person, _ = await Person.get_or_create(
        account=account, defaults={"created_at": now, "name": DEMO["person"].format(account=account)}
    )
    return Actor("person", person.id, "", None, frozenset())


async def _organisation(
    app: web.Application,
    programme: Programme,
    number: int,
    person: Actor,
    now: datetime,
    *,
    eligible: bool,
    provider: bool,
) -> Organisation:
    facts = eligible_facts(programme, now)
    name = DEMO["provider" if provider else "enterprise"].format(programme=programme.slug, number=number)
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
    party: Party = Party.ENTERPRISE,
    labels: Collection[str] = (),
) -> None:
    """Decide about an organisation without its paperwork: approved where nothing is unmet, else refused."""
    admissions, now = app[keys.REGISTRATIONS].admissions, app[keys.CLOCKS].now(programme.slug)
    async with in_transaction():
        enterprise = await lock(enterprise.id)
        assessment = await assess(programme, enterprise, party, app[keys.SIZES], now=now, hoping=True)
        waiting = await admissions.begin(enterprise, programme, party, assessment, resumed=False, now=now)
        if assessment.unmet:
            after = await admissions.refuse(waiting.id, DEMO["refused"], actor=operator, now=now)
        else:
            confirmed = {LABELS_CONFIRMED: list(labels)} if party is Party.ENTERPRISE else {}
            after = await admissions.approve(waiting.id, confirmed, actor=operator, now=now)
    await after()


async def _rounds(
    app: web.Application, programme: Programme, budget: Budget, operator: Actor, now: datetime
) -> Round | None:
    """Where the programme has rounds: one that is open (the answer), and one that opens in ten minutes."""
    if programme.issuance.mode in (IssuanceMode.ALLOTMENT, IssuanceMode.PROVIDER_DRAW):
        return None
    rounds, opened = app[keys.ROUNDS], None
    year_end = datetime(programme.year_of(now) + 1, 1, 1, tzinfo=CHINA)
    last = programme.validity.service_until or programme.valid_until
    if last is not None:
        year_end = min(year_end, datetime.combine(last + timedelta(days=1), time(), CHINA))
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
        scheduled = await rounds.schedule(drafted.id, actor=operator)
        opened = opened or scheduled
    return opened


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


def demo_key(slug: str) -> str:
    """The key of the one application that is made for the demonstration, 128 bits in hex."""
    return hashlib.sha256(slug.encode()).hexdigest()[:32]


def _guide(app: web.Application, settings: Settings) -> str:
    """What a newcomer is told: each programme's clock, whom to log in as, and how."""
    lines = [DEMO["clocks"]]
    for programme in app[keys.PROGRAMMES]:
        now = app[keys.CLOCKS].now(programme.slug).astimezone(CHINA)
        lines.append(f"  {programme.slug:16} {now:%Y-%m-%d %H:%M}  {programme.name}")
    lines.append(DEMO["accounts"].format(password=PASSWORD))
    names = [username(role) for role in StaffRole]
    for start in range(0, len(names), 5):
        lines.append("  " + ", ".join(names[start : start + 5]))
    for programme in app[keys.PROGRAMMES]:
        lines.append(f"  demo-{programme.slug}-1, -1b, -2, -3, -no, -waiting, -returned, -p1, -p2")
    lines.append(f"  {DEMO['people']}")
    address = f"http://{settings.host}:{settings.port}"
    lines.append(DEMO["log_in"])
    lines.append(
        f"  curl -s {address}/api/v1/demo/sessions -H 'Content-Type: application/json'"
        f' -d \'{{"account": "{username(StaffRole.OPERATOR)}"}}\''
    )
    return "\n".join(lines)
