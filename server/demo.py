"""Demo data: every programme with its people, its money and something to see in every list.

Made through the services, so it obeys every rule; made once, so a second start keeps what was done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from aiohttp import web
from stdnum.cn import uscc
from tortoise.transactions import in_transaction

from server import keys
from server.app import create_app
from server.clock import CHINA, OffsetClock, SystemClock
from server.demo_complaints import complain
from server.demo_forms import fill_in, hand_in
from server.demo_offerings import hand_in_one, list_offerings, open_selection
from server.demo_officials import PASSWORD, Officials, officials_of, username, usernames
from server.demo_orders import order_a_voucher
from server.demo_payments import PaymentDesk
from server.demo_rounds import apply_for, first_vouchers, rounds_of_today
from server.demo_settlements import Travel, settle_some, where_to_look
from server.errors import Refusal
from server.models.organisations import MemberRole, Organisation
from server.models.people import Person
from server.models.reviews import ReviewCase
from server.models.rounds import Budget, Round
from server.programme.issuance import IssuanceMode
from server.programme.model import Programme
from server.programme.people import ConditionKind
from server.programme.review import ReviewKind
from server.programme.vocabulary import Party
from server.rules.deadlines import day_of
from server.rules.review import CaseStatus, Verdict
from server.services.access import Actor, StaffRole
from server.services.admissions.assessments import assess
from server.services.admissions.attestations import Statement
from server.services.admissions.qualifications import LABELS_CONFIRMED, SUBJECTS
from server.services.budgets import budgets
from server.services.organisations.memberships import lock, take_place
from server.settings import Settings
from server.texts import DEMO

YEAR_FEN = 300_000_000
FOUNDED_DAYS_AGO = 30
WEEKS_AGO = 32
"""Days before today on which the demonstration begins, where its programme is that old."""
ELIGIBLE = 3
STRANGER, WAITING, RETURNED, FIRST_PROVIDER, PROVIDERS = 9, 11, 12, 21, 2
"""The numbers under which the others are registered."""
NAMES_IN_A_LINE = 5
LAST = "1b"
"""The account that is made last of all: where it is there, everything is."""


log = structlog.get_logger("server.demo")


@dataclass(frozen=True, slots=True)
class Side:
    """An organisation of the demonstration, and whoever acts for it."""

    organisation: Organisation
    person: Actor


async def seed(settings: Settings) -> str:
    """Make what is missing and return the guide that is printed: clocks, accounts, how to log in.

    What takes weeks is done weeks ago: the clocks are set back for it, and come up to today.
    """
    clock = OffsetClock(SystemClock(), timedelta())
    today = clock.now().astimezone(CHINA).date()
    settings = replace(settings, demo_anchor=settings.demo_anchor or today.isoformat(), run_jobs=False)
    runner = web.AppRunner(create_app(settings, clock=clock))
    await runner.setup()
    try:
        app = runner.app
        officials, made = await officials_of(app), False
        programmes = app[keys.PROGRAMMES]
        for place, programme in enumerate(programmes):
            if not await Person.exists(account=f"demo-{programme.slug}-{LAST}"):
                await _seed_programme(app, programme, officials, clock, is_paid=place % 2 == 0)
                made = True
        if made:
            await _sign_today(app)
        return await _guide(app, settings)
    finally:
        await runner.cleanup()


async def _seed_programme(
    app: web.Application,
    programme: Programme,
    officials: Officials,
    clock: OffsetClock,
    *,
    is_paid: bool,
) -> None:
    today = app[keys.CLOCKS].now(programme.slug)
    travel = _travel(programme, today, clock)
    travel(WEEKS_AGO)
    now, operator = app[keys.CLOCKS].now(programme.slug), officials.first(StaffRole.OPERATOR)
    # First, so that whoever is approved has what the programme allots.
    year_fen = max(YEAR_FEN, programme.budget.least_total_fen or 0)
    budget = await budgets.open_year(programme, programme.year_of(now), year_fen, actor=operator, now=now)
    enterprises = [await _side(app, programme, number, str(number), now) for number in range(1, ELIGIBLE + 1)]
    for side in enterprises:
        await qualify(app, programme, side.organisation, operator, labels=side.organisation.labels_claimed)
    providers = [
        await _provider(app, programme, FIRST_PROVIDER + place, operator, now) for place in range(PROVIDERS)
    ]
    for place, provider in enumerate(providers):
        await list_offerings(app, programme, place, provider.person, now)
    holders = [side.person for side in enterprises[1:]]
    await first_vouchers(app, programme, budget, holders, today=today, operator=operator)
    seller = providers[0].person
    try:
        await settle_some(app, programme, officials, holders, seller, travel, is_paid=is_paid)
    except Refusal as refused:
        # A programme of somebody's own may ask what nobody here foresaw: all else is shown nevertheless.
        log.warning("demo.settlements_stopped", programme=programme.slug, refusal=refused.code)
    travel(0)
    await _today(app, programme, budget, officials, enterprises, providers)


async def _sign_today(app: web.Application) -> None:
    """Chain the journal and sign this day so far, as ``journal seal --close-day`` does: the file of a case
    leads to a signed day from the first minute on.
    """
    seals = app[keys.JOURNAL_SEALS]
    await seals.seal_all()
    today = app[keys.CLOCK].now().astimezone(CHINA).date()
    await seals.close_days(before=today + timedelta(days=1))


def _travel(programme: Programme, today: datetime, clock: OffsetClock) -> Travel:
    """Lets it be days ago; where the programme, or its year, is younger than that, everything is today."""
    first = day_of(today - timedelta(days=WEEKS_AGO))
    fits = programme.covers(first) and programme.year_of(first) == programme.year_of(today)

    def travel(days: int) -> None:
        clock.offset = -timedelta(days=days if fits else 0)

    return travel


async def _today(
    app: web.Application,
    programme: Programme,
    budget: Budget,
    officials: Officials,
    enterprises: Sequence[Side],
    providers: Sequence[Side],
) -> None:
    """What a visitor finds begun: rounds, papers, offerings, an order and complaints."""
    now, operator = app[keys.CLOCKS].now(programme.slug), officials.first(StaffRole.OPERATOR)
    stranger = await _side(app, programme, STRANGER, "no", now, eligible=False)
    await qualify(
        app, programme, stranger.organisation, operator, labels=stranger.organisation.labels_claimed
    )
    opened = await rounds_of_today(app, programme, budget, operator)
    await _papers(app, programme, officials, now)
    await open_selection(app, programme, officials.first(StaffRole.AUTHORITY), now)
    await hand_in_one(app, programme, providers[0].person, now)
    await _issue(app, programme, enterprises[0], providers[0], opened)
    await complain(app, programme, enterprises[0].person, providers[0].organisation, operator)
    accused = providers[-1].organisation
    await PaymentDesk(app, programme, officials, providers[0].person).propose_sanction(accused)
    # A colleague of the first enterprise: two people, one voucher. The last of all: a start looks for it.
    colleague = await _person(app, f"demo-{programme.slug}-{LAST}")
    await take_place(enterprises[0].organisation, MemberRole.STAFF, actor=colleague, now=now)


async def _papers(app: web.Application, programme: Programme, officials: Officials, now: datetime) -> None:
    """One registration that waits to be reviewed, and one that was returned.

    Of enterprises where people review them, else of providers.
    """
    party = next((one for one in Party if _people_review(programme, one)), None)
    if party is None:
        return
    for number, account in ((WAITING, "waiting"), (RETURNED, "returned")):
        side = await _side(app, programme, number, account, now, provider=party is Party.PROVIDER)
        if party is Party.PROVIDER:
            await _listed(app, programme, side.organisation, officials.first(StaffRole.OPERATOR))
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
                actor=officials.first(case.turn.value),
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
            await apply_for(app, programme, opened, enterprise.person)
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
    # Whoever registers has been founded by anybody's calendar, a programme's or the machine's.
    latest = (app[keys.CLOCK].now() - timedelta(days=FOUNDED_DAYS_AGO)).date()
    facts["established_on"] = min(facts["established_on"], latest)
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


async def _guide(app: web.Application, settings: Settings) -> str:
    """What a newcomer is told: each programme's clock, whom to log in as and how, and what to try."""
    lines = [DEMO["clocks"]]
    for programme in app[keys.PROGRAMMES]:
        now = app[keys.CLOCKS].now(programme.slug).astimezone(CHINA)
        lines.append(f"  {programme.slug:16} {now:%Y-%m-%d %H:%M}  {programme.name}")
    lines.append(DEMO["accounts"].format(password=PASSWORD))
    names = usernames()
    for start in range(0, len(names), NAMES_IN_A_LINE):
        lines.append("  " + ", ".join(names[start : start + NAMES_IN_A_LINE]))
    lines.append(f"  {DEMO['people']}")
    lines.append(DEMO["log_in"])
    address = f"http://{settings.host}:{settings.port}"
    lines.append(
        f"  curl -s {address}/api/v1/demo/sessions -H 'Content-Type: application/json'"
        f' -d \'{{"account": "{username(StaffRole.OPERATOR)}"}}\''
    )
    return "\n".join([*lines, *await where_to_look(app)])
