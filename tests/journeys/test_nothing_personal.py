"""Numbers of people, from the phone on through every programme's forms, are nowhere in the clear.

Every number that is typed is one that nobody else has. Afterwards the whole database is read, every log
line, and every answer that anybody got to anything they may ask.
"""

from __future__ import annotations

import io
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
from server.models.organisations import Organisation, Qualification
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


async def _everybody_asks_everything(walk: Walk) -> None:
    """Every route that only reads, by everybody, about everything there is."""
    town = walk.journey.town
    known: dict[str, list[Any]] = {
        "registration_id": await Registration.all().values_list("id", flat=True),
        "review_id": await ReviewCase.all().values_list("id", flat=True),
        "qualification_id": await Qualification.all().values_list("id", flat=True),
        "message_id": await InboxMessage.all().limit(20).values_list("id", flat=True),
        "file_id": await StoredFile.all().limit(5).values_list("id", flat=True),
        "staff_id": await Staff.all().limit(5).values_list("id", flat=True),
        "slug": [one.slug for one in town.programmes],
    }
    staff = {one.title: one for one in PRINCIPALS if one.kind == "staff"}
    persons = [one for one in PRINCIPALS if one.kind == "person"]
    people = {title: await town.staff(one.role) for title, one in staff.items()}
    people["anybody"] = town.anybody
    organisations = await Organisation.all().values_list("id", flat=True)
    for person in await Person.filter(
        memberships__active=True, memberships__organisation_id__in=organisations
    ):
        people[f"person {person.id}"] = await town.signed_in(person)
    reached = 0
    for route in (one for one in permissions.declared() if one.method == "GET"):
        variables = list(route.path_model.model_fields) if route.path_model else []
        query = "?programme=" if route.query_model and "programme" in route.query_model.model_fields else ""
        if route.path.endswith("/content"):
            continue  # The papers of this walk have no pages.
        places = [route.path.removeprefix("/api/v1/")]
        for name in variables:
            values = known.get(name, [NO_OBJECT.get(name, 1)])
            places = [place.replace(f"{{{name}}}", str(value)) for place in places for value in values]
        asked = [f"{place}{query}{slug}" for place in places for slug in (known["slug"] if query else [""])]
        for title, caller in people.items():
            some = asked if not title.startswith("person") or not variables else asked[:12]
            if title == "anybody":
                is_admitted = route.access.is_public
            else:
                is_admitted = any(one.may(route) for one in ([staff[title]] if title in staff else persons))
            if not is_admitted:
                some = asked[:1]  # Whoever is not admitted is refused before anything is looked up.
            for place in some:
                status, _, content = await caller.download(f"/api/v1/{place}")
                assert status < 500, place
                reached += status == 200
                walk.heard.append(f"GET {place} as {title}: {content.decode('utf-8', 'replace')}")
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
