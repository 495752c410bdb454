"""Numbers of people, from the phone on through every programme's forms, are nowhere in the clear.

Every number that is typed is one that nobody else has. Afterwards the whole database is read, every log
line, and every answer that anybody got to anything they may ask.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import ClientSession
from stdnum.cn import ric

from server.clock import CHINA
from server.keys import CLOCKS
from server.models.files import StoredFile
from server.models.inbox import InboxMessage
from server.models.organisations import Membership, Qualification
from server.models.people import Person, Staff
from server.models.registrations import Registration
from server.models.reviews import ReviewCase
from server.programme.model import Programme
from server.programme.papers import DocumentKind, FieldKind
from server.programme.vocabulary import Party
from server.rules.forms import OF_PERSON, SEALED_KINDS, form_fields
from server.services import outbox
from standin.accounts import Accounts
from standin.wechat import DEMO_APPID
from tests import paperwork
from tests.journeys.conftest import Journey
from tests.ownership import NO_OBJECT
from tests.town import Answered, Caller
from tools import permissions
from tools.permissions import PRINCIPALS
from walks.cast import Part, cast


class Numbers:
    """Numbers that nobody else has; ``given`` is every one that was typed or that WeChat told."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def identity(self) -> str:
        start = f"110101{1950 + len(self.given) % 50}0307{600 + len(self.given) % 400}"
        return self.keep(start + ric.calc_check_digit(start + "0"))

    def phone(self) -> str:
        """A mobile number and one of an office in turn."""
        number = 4_000_000 + len(self.given)
        return self.keep(f"0571-{number}" if len(self.given) % 2 else f"1397{number}")

    def keep(self, number: str) -> str:
        assert number not in self.given
        self.given.append(number)
        return number

    def seen_in(self, text: str) -> list[str]:
        return [number for number in self.given if number in text or number.lower() in text]


@dataclass
class Walk:
    """One journey with the numbers that were typed on it and everything that was answered."""

    journey: Journey
    numbers: Numbers
    heard: list[str] = field(default_factory=list)

    async def sign_in(self, name: str) -> Caller:
        """Somebody signs in and shares the number of their phone."""
        caller = await self.journey.sign_in(name)
        wechat = Accounts(DEMO_APPID, seed=1)
        at = datetime(2026, 5, 18, tzinfo=UTC)
        self.numbers.keep(wechat.log_in(wechat.mint_code("login", name, at), at).openid)
        url = self.journey.wechat.make_url("/standin/codes")
        async with ClientSession() as http, http.post(url, json={"phone_owner": name}) as codes:
            code = (await codes.json())["phone_code"]
        bound = await caller.put("me/phone", code=code)
        assert bound.status == 200, bound.body
        self.numbers.given.append(wechat.phone_number(wechat.mint_code("phone", name, at), at))
        return caller

    def filled(self, programme: Programme, party: str, mine: Any, part: Part) -> dict[str, Any]:
        """The form with a number of their own for every person and phone that it has, asked or not."""
        today = self.now(programme).astimezone(CHINA).date().isoformat()
        values = paperwork.answers(programme, party, mine, today) | part.answers
        of_person: dict[object, str] = {}
        for one in form_fields(paperwork.rules_of(programme, party)):
            if one.field.kind is FieldKind.PHONE:
                values[one.key] = self.numbers.phone()
            elif one.field.kind is FieldKind.ID_NUMBER:
                name = values.setdefault(one.key.removesuffix(OF_PERSON), paperwork.REPRESENTATIVE)
                values[one.key] = of_person.setdefault(name, "") or self.numbers.identity()
                of_person[name] = values[one.key]
        return values

    def now(self, programme: Programme) -> datetime:
        now: datetime = self.journey.town.app[CLOCKS].now(programme.slug)
        return now

    async def decide(self, case_id: int, decision: str, **others: Any) -> Answered:
        """Whoever's turn it is decides; each time it is somebody else."""
        auditor = await self.journey.town.staff("auditor")
        seen = (await auditor.get(f"reviews/{case_id}")).body
        if seen["claimed_by"]:
            reviewer = await self.journey.town.signed_in(await Staff.get(id=seen["claimed_by"]))
        else:
            reviewer = await self.journey.town.staff(seen["turn"])
        programme = self.journey.town.programmes.get(seen["programme"])
        day = self.now(programme).astimezone(CHINA).date().isoformat()
        return await reviewer.post(
            f"reviews/{case_id}/decision",
            decision=decision,
            version=seen["version"],
            reason="材料齐全",
            held_on=day,
            score=80,
            **others,
        )


@pytest.fixture
def walk(journey: Journey, monkeypatch: pytest.MonkeyPatch) -> Walk:
    walk = Walk(journey, Numbers())
    plain = Caller._call

    async def listening(self: Caller, *asked: Any) -> Answered:
        answered = await plain(self, *asked)
        walk.heard.append(f"{asked[0]} {asked[1]}: {answered.body}")
        return answered

    monkeypatch.setattr(Caller, "_call", listening)
    return walk


@pytest.mark.rules("GZ-55")
async def test_no_number_of_a_person_is_kept_logged_or_told_in_the_clear(
    walk: Walk, written: io.StringIO
) -> None:
    for programme in walk.journey.town.programmes:
        for party in (Party.ENTERPRISE, Party.PROVIDER):
            await _from_form_to_decision(walk, programme, party)
    await outbox.deliver(datetime.now(UTC))
    if walk.journey.database_url.startswith("sqlite"):
        # How an answer is worded is the same on both; how things are stored is not.
        await _everybody_asks_everything(walk)
    assert len(walk.numbers.given) > 60
    told = [one for one in walk.heard if walk.numbers.seen_in(one)]
    assert told == []
    assert walk.numbers.seen_in(written.getvalue()) == []
    stored = await _stored()
    assert {table: found for table, text in stored.items() if (found := walk.numbers.seen_in(text))} == {}
    # The control: what is sealed can be read by who has the key, and was kept.
    assert await Person.exclude(phone_sealed="").count() >= 10
    sealed = [row.sealed for row in await Registration.all()]
    assert all(sealed), "every form asks somebody's number"
    assert len(stored) > 40


async def _from_form_to_decision(walk: Walk, programme: Programme, party: Party) -> None:
    town, slug = walk.journey.town, programme.slug
    today = walk.now(programme).astimezone(CHINA).date()
    part = next(
        one for one in cast(programme, today, 40) if one.party is party and not (one.breaks or one.stopped)
    )
    handler = await walk.sign_in(f"{slug} {party.value} handler")
    operator = await town.staff("operator")
    made = await handler.post(
        "organisations", uscc=part.uscc, name=part.name, role="handler", labels=[], **part.facts
    )
    assert made.status == 201, made.body
    for label in part.labels:
        listed = await operator.post(
            "labels", programme=slug, code=label, uscc=part.uscc, name=part.name, list_name="名单"
        )
        assert listed.status == 201, listed.body
    values = walk.filled(programme, party, made.body, part)
    # Wrong numbers are refused without being repeated, and a number in the wrong place is not kept.
    personal = [
        one.key for one in form_fields(paperwork.rules_of(programme, party)) if one.field.kind in SEALED_KINDS
    ]
    identities = [key for key in personal if key.endswith(OF_PERSON)]
    mistaken = walk.numbers.keep("9" * 14 + f"{len(walk.numbers.given):04d}")
    wrong = await town.drafted(
        handler, programme=slug, party=party.value, **dict.fromkeys([*identities, personal[-1]], mistaken)
    )
    assert wrong.status == 200, wrong.body
    assert {one["code"] for one in wrong.body["faults"]} >= {*identities, personal[-1]}
    saved = await town.drafted(handler, programme=slug, party=party.value, version=1, **values)
    assert saved.status == 200, saved.body
    applied = await handler.post(
        f"registrations/{saved.body['id']}/submissions", version=saved.body["version"]
    )
    assert applied.status == 201, applied.body["unmet"]
    if applied.body["status"] == "pending":
        await _returned_and_decided(walk, programme, party, handler, applied, personal)
    await _handed_over(walk, programme, handler, values)


async def _returned_and_decided(
    walk: Walk, programme: Programme, party: Party, handler: Caller, applied: Answered, personal: list[str]
) -> None:
    """Sent back for every number, of which one is new and the others come back as they were shown."""
    case_id = applied.body["case_id"]
    path = f"registrations/{applied.body['registration_id']}"
    form = (await handler.get(path)).body
    back = await walk.decide(case_id, "return", fields=dict.fromkeys(personal, "请核对"))
    assert back.status == 200, back.body
    before = (await Registration.get(id=form["id"])).sealed
    shown = {key: form["values"][key] for key in personal}
    changed = {**shown, personal[-1]: walk.numbers.phone()}
    saved = await handler.patch(
        "registrations", programme=programme.slug, party=party, version=form["version"], values=changed
    )
    assert saved.status == 200, saved.body
    after = (await Registration.get(id=form["id"])).sealed
    assert [key for key in personal if before[key] != after[key]] == [personal[-1]]
    again = await handler.post(f"{path}/submissions", version=saved.body["version"])
    assert again.status == 201, again.body
    difference = await handler.get(f"{path}/submissions/2/difference")
    assert [one["key"] for one in difference.body["differences"]] == [personal[-1]]
    decision = "approve" if party is Party.ENTERPRISE else "reject"
    while (await ReviewCase.get(id=case_id)).status == "open":
        decided = await walk.decide(case_id, decision)
        assert decided.status == 200, decided.body


async def _handed_over(walk: Walk, programme: Programme, handler: Caller, values: dict[str, Any]) -> None:
    """A representative comes, with a wrong number first; a new handler follows, and facts change."""
    slug = programme.slug
    mine = (await handler.get("organisations/mine")).body
    representative = await walk.sign_in(f"{mine['uscc']} representative")
    number = next((one for key, one in values.items() if key.endswith("legal_representative_id")), None)
    claim = {"uscc": mine["uscc"], "name": paperwork.REPRESENTATIVE}
    guessed = await representative.post(
        "memberships/representative", **claim, id_number=walk.numbers.identity()
    )
    assert guessed.code == "representative_unproven"
    if number is not None:
        joined = await representative.post("memberships/representative", **claim, id_number=number)
    else:
        invitation = await handler.post("invitations", role="legal_representative")
        joined = await representative.post("memberships", code=invitation.body["code"])
    assert joined.status == 201, joined.body
    successor = await walk.sign_in(f"{mine['uscc']} successor")
    invitation = await handler.post("invitations", role="staff")
    joined = await successor.post("memberships", code=invitation.body["code"])
    letter = await paperwork.a_file(mine["id"], DocumentKind.OTHER, slug, walk.now(programme))
    made = await representative.post("handovers", membership_id=joined.body["id"], letter=letter.id)
    assert made.status == 201, made.body
    changed = await representative.patch("organisations/mine", headcount=mine["headcount"] + 1)
    assert changed.status == 200, changed.body


@dataclass(frozen=True)
class Asked:
    """A question that may be asked, and whose the thing is that it is about (``None``: nobody's)."""

    address: str
    organisation_id: int | None = None
    slug: str | None = None


async def _everybody_asks_everything(walk: Walk) -> None:
    """Every route that only reads, by everybody whom it admits, about everything there is.

    People of an organisation ask about all that is theirs, and once about what is not. What is public is the
    same for everybody, so one asks. Whom a route does not admit is refused before anything is looked up.
    """
    town = walk.journey.town
    registrations = await Registration.all()
    known: dict[str, list[tuple[Any, int | None]]] = {
        "registration_id": [(one.id, one.organisation_id) for one in registrations],
        "review_id": [(one.id, one.organisation_id) for one in await ReviewCase.all()],
        "qualification_id": [(one.id, one.organisation_id) for one in await Qualification.all()],
        "message_id": [
            (one.id, int(whose) if kind == "organisation" else None)
            for one in await InboxMessage.all().limit(20)
            for kind, _, whose in [one.recipient.partition(":")]
        ],
        "file_id": [(one.id, one.organisation_id) for one in await StoredFile.all().limit(5)],
        "staff_id": [(one, None) for one in await Staff.all().limit(5).values_list("id", flat=True)],
        "slug": [(one.slug, None) for one in town.programmes],
    }
    slugs = [one.slug for one in town.programmes]
    joined = {(one.organisation_id, one.programme_slug) for one in registrations}
    officials = [one for one in PRINCIPALS if one.kind == "staff"]
    persons = [one for one in PRINCIPALS if one.kind == "person"]
    staff = [(one, await town.staff(one.role)) for one in officials]
    members = await Membership.filter(active=True).select_related("person")
    people = [(one.organisation_id, await town.signed_in(one.person)) for one in members]
    reached = 0

    async def ask(caller: Caller, title: str, addresses: Iterable[str]) -> None:
        nonlocal reached
        for address in addresses:
            status, _, content = await caller.download(address)
            assert status < 500 or address == "/readyz", address
            reached += status == 200
            walk.heard.append(f"GET {address} as {title}: {content.decode('utf-8', 'replace')}")

    for route in (one for one in permissions.declared() if one.method == "GET"):
        if route.path.endswith("/content") or route.tag == "documents":
            continue  # The papers of this walk have no pages, and what documents the routes has no people.
        asked = [Asked(route.path)]
        for name in route.path_model.model_fields if route.path_model else ():
            values = known.get(name, [(NO_OBJECT.get(name, 1), None)])
            asked = [
                Asked(one.address.replace(f"{{{name}}}", str(value)), whose or one.organisation_id)
                for one in asked
                for value, whose in values
            ]
        if route.query_model and "programme" in route.query_model.model_fields:
            asked = [
                Asked(f"{one.address}?programme={slug}", one.organisation_id, slug)
                for one in asked
                for slug in slugs
            ]
        everything, first = [one.address for one in asked], asked[0].address
        if route.access.is_public:
            await ask(town.anybody, "anybody", everything)
            continue
        for principal, caller in staff:
            if principal.may(route):
                await ask(caller, principal.title, everything)
        for whose, caller in people if any(one.may(route) for one in persons) else ():
            own = [
                one.address
                for one in asked
                if one.organisation_id in (None, whose) and (one.slug is None or (whose, one.slug) in joined)
            ]
            await ask(caller, f"person {caller.id}", dict.fromkeys([first, *own]))
    assert reached > 500


async def _stored() -> dict[str, str]:
    """Everything in the database, by table."""
    connection = Person._meta.db
    postgres = connection.capabilities.dialect == "postgres"
    listing = (
        "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'"
        if postgres
        else "SELECT name FROM sqlite_master WHERE type = 'table'"
    )
    tables = [row["name"] for row in await connection.execute_query_dict(listing)]
    return {
        table: "\n".join(
            str(dict(row)) for row in await connection.execute_query_dict(f'SELECT * FROM "{table}"')
        )
        for table in tables
    }
