"""Permissions: a real server is asked every cell of docs/permissions.md, and whose every object is."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from server.handlers.api import Route
from server.models.organisations import MemberRole
from server.models.people import Person, Staff
from server.services.access import StaffRole
from tests.handlers.bad_input import body_of, headers_of
from tests.ownership import (
    ANOTHER_AREA,
    ANOTHER_PROGRAMME,
    EVERYBODYS,
    NO_OBJECT,
    OWNED,
    UNREACHED,
    Objects,
    Owned,
    Stage,
)
from tests.town import Caller, Town, a_town
from tools import permissions
from tools.permissions import PRINCIPALS, Principal

ROUTES = permissions.declared()
NOBODYS = "999999999"
CASE_FILE = "POST /api/v1/case-files"
"""Begins a file, and changes nothing of its case: an auditor's first way."""


@pytest.fixture
async def town(sqlite_url: str, redis_url: str) -> AsyncIterator[Town]:
    """Who may ask does not depend on the kind of database."""
    async with a_town(sqlite_url, redis_url) as town:
        yield town


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


def address(route: Route, **values: object) -> str:
    path = route.path
    for name in route.path_model.model_fields if route.path_model else ():
        path = path.replace(f"{{{name}}}", str(values.get(name, NO_OBJECT.get(name, NOBODYS))))
    return path


class Cast:
    """Somebody for every column of the table."""

    def __init__(self, town: Town, people: dict[str, Person | Staff]) -> None:
        self._town = town
        self._people = people
        self._callers: dict[str, Caller] = {}

    @classmethod
    async def of(cls, town: Town) -> Cast:
        handler = await town.handler()
        callers = {
            "handler": handler,
            "legal representative": await town.joined(handler, MemberRole.LEGAL_REPRESENTATIVE),
            "colleague": await town.joined(handler, MemberRole.STAFF),
            "person": await town.person(),
        }
        people: dict[str, Person | Staff] = {
            title: await Person.get(id=caller.id) for title, caller in callers.items()
        }
        for one in PRINCIPALS:
            if one.kind == "staff":
                people[one.title] = await Staff.get(id=(await town.staff(one.role)).id)
        return cls(town, people)

    async def caller(self, principal: Principal) -> Caller:
        if principal.kind == "anybody":
            return self._town.anybody
        if principal.title not in self._callers:
            # Read anew: signing out everywhere, which is one of the routes, raises the version.
            known = self._people[principal.title]
            owner = await type(known).get(id=known.id)
            self._callers[principal.title] = await self._town.signed_in(owner)
        return self._callers[principal.title]

    def sign_out(self) -> None:
        """Let everybody come on a new device from now on."""
        self._callers.clear()


@pytest.mark.parametrize("tag", dict.fromkeys(route.tag for route in ROUTES))
async def test_every_cell_of_the_table_is_what_the_server_answers(town: Town, tag: str) -> None:
    cast = await Cast.of(town)
    wrong = []
    for route in (route for route in ROUTES if route.tag == tag):
        body = None if route.body_model is None else {}
        for principal in PRINCIPALS:
            caller = await cast.caller(principal)
            status, code = await caller.refused(route.method, address(route), body=body)
            if principal.may(route):
                right = status < 500 and status != 401 and code != "not_allowed"
            else:
                expected = (401, "not_signed_in") if principal.kind == "anybody" else (403, "not_allowed")
                right = (status, code or expected[1]) == expected
            if not right:
                wrong.append(f"{named(route)} for {principal.title}: {status} {code}")
        if route.method == "DELETE" and route.tag == "sessions":
            cast.sign_out()
    assert wrong == []


def test_the_table_holds_every_role_and_stands_in_the_documentation() -> None:
    assert {one.role for one in PRINCIPALS if one.kind == "staff"} == set(StaffRole)
    assert {one.role for one in PRINCIPALS if one.kind == "person"} == {"", *MemberRole}
    assert permissions.FILE.read_text("utf-8") == permissions.render(ROUTES), "run `make api`"


def test_an_auditor_may_read_whatever_the_operator_or_the_authority_may_and_change_nothing() -> None:
    by_title = {one.title: one for one in PRINCIPALS}
    for route in ROUTES:
        if route.access.is_public or not route.access.roles:
            continue
        overseen = by_title["operator"].may(route) or by_title["authority"].may(route)
        read = route.method == "GET" or named(route) == CASE_FILE
        assert by_title["auditor"].may(route) == (overseen and read), named(route)


def test_who_holds_no_role_and_who_audits_change_nothing_but_their_own_account() -> None:
    auditor = next(one for one in PRINCIPALS if one.role == StaffRole.AUDITOR)
    for principal in (auditor, Principal("staff", "", "staff in a limited session")):
        changes = [route for route in ROUTES if route.method != "GET" and not route.access.is_public]
        theirs = {route.tag for route in changes if principal.may(route) and named(route) != CASE_FILE}
        assert theirs == {"sessions", "own_account", "inbox"}


def test_an_administrator_decides_nothing() -> None:
    administrator = next(one for one in PRINCIPALS if one.role == StaffRole.ADMINISTRATOR)
    theirs = {route.tag for route in ROUTES if not route.access.is_public and administrator.may(route)}
    # Accounts, their own first; whether the machine runs; and what is anybody's who is signed in.
    assert theirs == {"staff", "sessions", "own_account", "jobs", "inbox", "files", "labels"}


# -- whose it is -----------------------------------------------------------------------------------

WITH_OBJECTS = [
    route
    for route in ROUTES
    if route.path_model
    and not route.access.is_public
    and set(route.path_model.model_fields) - NO_OBJECT.keys()
    and named(route) not in EVERYBODYS
]


def test_every_object_in_a_path_has_its_line_in_the_register() -> None:
    variables = {name for route in ROUTES if route.path_model for name in route.path_model.model_fields}
    assert variables - OWNED.keys() - NO_OBJECT.keys() == set()
    # And every line is of use to some route.
    assert (OWNED.keys() | NO_OBJECT.keys()) - variables == set()
    assert EVERYBODYS.keys() | UNREACHED.keys() <= {named(route) for route in ROUTES}


@pytest.mark.parametrize("tag", dict.fromkeys(route.tag for route in WITH_OBJECTS))
async def test_what_is_somebody_elses_does_not_exist(town: Town, tag: str) -> None:
    """For each route with an object: whoever does not own it is told 404, and its owner is not."""
    wrong: list[str] = []
    objects = Objects(town)
    for route in (route for route in WITH_OBJECTS if route.tag == tag):
        wrong += await _faults_of(route, objects)
    assert wrong == []


async def _faults_of(route: Route, objects: Objects) -> list[str]:
    assert route.path_model is not None
    owned = {name: OWNED[name] for name in route.path_model.model_fields if name in OWNED}
    body = body_of(route)
    in_body = {name: OWNED[name] for name in body or {} if name in OWNED}
    stage, made = await objects.of({name: one.make for name, one in (owned | in_body).items()})
    where = address(route, **made)
    headers = {name: value for name, value in headers_of(route).items() if name != "Authorization"}
    for name in in_body:
        body[name] = made[name]
    faults = []
    for who, caller in await _strangers(route, stage, list(owned.values())):
        status, code = await caller.refused(route.method, where, body=body, headers=headers)
        if status != 404:
            faults.append(f"{named(route)} as {who}: {status} {code}")
    # The control: the same request of somebody whose it is does find it.
    status, code = await (await _owner(route, stage)).refused(route.method, where, body=body, headers=headers)
    if named(route) not in UNREACHED and (status in (401, 403, 404) or status >= 500):
        faults.append(f"{named(route)} as its owner: {status} {code}")
    if faults or (status < 400 and route.method != "GET"):
        # What was done may have taken a right away.
        objects.forget()
    return faults


async def _strangers(route: Route, stage: Stage, owned: list[Owned]) -> list[tuple[str, Caller]]:
    """Everybody whom the route admits and whose the object is not."""
    found: list[tuple[str, Caller]] = []
    for principal in PRINCIPALS:
        if not principal.may(route):
            continue
        if principal.kind == "person" and any(one.persons for one in owned):
            outsider = stage.strangers.get(principal.role) or await stage.town.person()
            found.append((f"another's {principal.title}", outsider))
        if principal.kind == "staff" and any(one.programmes for one in owned):
            bound = await stage.town.staff(principal.role, programmes=[ANOTHER_PROGRAMME])
            found.append((f"{principal.title} of another programme", bound))
        if principal.kind == "staff" and any(one.areas for one in owned):
            bound = await stage.town.staff(principal.role, areas=[ANOTHER_AREA])
            found.append((f"{principal.title} of another area", bound))
    return found


async def _owner(route: Route, stage: Stage) -> Caller:
    """Somebody whom the route admits and whose the object is."""
    admitted = [principal for principal in PRINCIPALS if principal.may(route)]
    if any(principal.role == MemberRole.HANDLER for principal in admitted):
        return stage.owner
    for principal in admitted:
        if principal.kind == "staff":
            return await stage.town.staff(principal.role)
    raise AssertionError(f"{named(route)} is for nobody")
