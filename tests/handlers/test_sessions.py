"""Signing in, staying in and signing out over HTTP, with a real database and the WeChat stand-in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from aiohttp import ClientSession, hdrs, web
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import capture_logs
from tortoise.context import TortoiseContext

from server.clock import FixedClock
from server.gateways.live_feed import LocalFeed
from server.gateways.wechat import Wechat
from server.handlers import doors
from server.handlers.bearer import identify
from server.keys import (
    CLOCK,
    IDENTIFY,
    IDENTITIES,
    METRICS,
    PROBES,
    SEALER,
    SESSIONS,
    SETTINGS,
    STAFF_SIGN_IN,
    WECHAT,
)
from server.metrics import Metrics
from server.middlewares import platform
from server.models.journal import JournalEntry
from server.models.people import Person, Staff
from server.sealing import Sealer
from server.services.accounts.identities import Identities
from server.services.accounts.sessions import RETRY_WINDOW, Sessions
from server.services.accounts.staff import create_staff
from server.services.accounts.staff_sign_in import StaffSignIn
from server.services.accounts.tokens import AccessTokens
from server.settings import Settings
from standin.accounts import Accounts
from standin.wechat import DEMO_APPID, DEMO_SECRET, WechatStandIn
from tests.wechat_door import gateway, opened

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "Correct-horse-7"


class Desk:
    """A server, its clock, WeChat, and the phones and desks that call it."""

    def __init__(self, client: TestClient[Any, Any], clock: FixedClock, standin: TestServer) -> None:
        self.client = client
        self.clock = clock
        self.standin = standin

    async def call(
        self, method: str, path: str, body: Any = None, *, token: str = "", **headers: str
    ) -> tuple[int, Any]:
        if token:
            headers[hdrs.AUTHORIZATION] = f"Bearer {token}"
        async with self.client.request(method, path, json=body, headers=headers) as response:
            raw = await response.read()
            return response.status, await response.json(content_type=None) if raw else None

    async def codes(self, owner: str) -> dict[str, str]:
        async with (
            ClientSession() as http,
            http.post(self.standin.make_url("/standin/codes"), json={"phone_owner": owner}) as response,
        ):
            codes: dict[str, str] = await response.json()
            return codes

    async def sign_in(self, owner: str = "Li Na") -> dict[str, str]:
        code = (await self.codes(owner))["code"]
        status, tokens = await self.call("POST", "/api/v1/sessions", {"code": code})
        assert status == 201
        return dict(tokens)

    async def me(self, token: str) -> tuple[int, Any]:
        return await self.call("GET", "/api/v1/me", token=token)


def server_app(clock: FixedClock, wechat: Wechat, *, demo_login: bool, trust_proxy: bool) -> web.Application:
    settings = Settings(mode="test", demo_login=demo_login, trust_proxy=trust_proxy)
    metrics, feed = Metrics(), LocalFeed()
    tokens = AccessTokens(settings.jwt_keys, issuer="qiquan", audience="qiquan-api")
    app = web.Application(middlewares=[platform(settings, metrics, Random(1))])
    app[SETTINGS], app[CLOCK], app[METRICS], app[PROBES] = settings, clock, metrics, []
    app[IDENTITIES], app[IDENTIFY] = Identities(tokens, feed, clock), identify
    app[SESSIONS], app[WECHAT], app[SEALER] = Sessions(tokens, feed), wechat, Sealer(settings.data_keys)
    app[STAFF_SIGN_IN] = StaffSignIn(app[SESSIONS], app[SEALER], second_factor_required=False)
    doors.open_all(app, demo_login=demo_login)
    return app


@pytest.fixture
async def desk(
    request: pytest.FixtureRequest, database: TortoiseContext, redis_url: str
) -> AsyncIterator[Desk]:
    """``@pytest.mark.parametrize("desk", [{"demo_login": True}], indirect=True)`` changes its settings."""
    chosen = {"demo_login": False, "trust_proxy": False} | getattr(request, "param", {})
    clock = FixedClock(NOW)
    accounts = Accounts(DEMO_APPID, seed=1, logins_a_minute=20)
    async with (
        TestServer(WechatStandIn(accounts, clock).app) as standin,
        opened(str(standin.make_url("")), redis_url) as (http, redis),
        TestClient(TestServer(server_app(clock, gateway(http, redis, clock), **chosen))) as client,
    ):
        yield Desk(client, clock, standin)


# -- WeChat ------------------------------------------------------------------------------------------


async def test_a_first_login_registers_the_person_and_a_second_finds_them(desk: Desk) -> None:
    first, second = await desk.sign_in(), await desk.sign_in()
    assert await Person.all().count() == 1
    assert (await desk.me(first["access_token"]))[1] == (await desk.me(second["access_token"]))[1]
    actions = [entry.action for entry in await JournalEntry.all().order_by("id")]
    assert actions == ["person.registered", "session.started", "session.started"]


async def test_a_code_that_was_used_is_refused(desk: Desk) -> None:
    code = (await desk.codes("Li Na"))["code"]
    assert (await desk.call("POST", "/api/v1/sessions", {"code": code}))[0] == 201
    status, problem = await desk.call("POST", "/api/v1/sessions", {"code": code})
    assert (status, problem["code"]) == (400, "login_code_invalid")
    assert await Person.all().count() == 1


async def test_a_disabled_person_is_told_so(desk: Desk) -> None:
    tokens = await desk.sign_in()
    await Person.all().update(disabled=True)
    code = (await desk.codes("Li Na"))["code"]
    assert (await desk.call("POST", "/api/v1/sessions", {"code": code}))[1]["code"] == "account_disabled"
    body = {"refresh_token": tokens["refresh_token"]}
    assert (await desk.call("POST", "/api/v1/sessions/refresh", body))[1]["code"] == "account_disabled"


async def test_without_wechat_nobody_signs_in_and_the_signed_in_go_on(desk: Desk) -> None:
    tokens = await desk.sign_in()
    code = (await desk.codes("Wang Wei"))["code"]
    await desk.standin.close()
    status, problem = await desk.call("POST", "/api/v1/sessions", {"code": code})
    assert (status, problem["code"]) == (503, "wechat_unavailable")
    assert problem["retry_after"]
    assert (await desk.me(tokens["access_token"]))[0] == 200


async def test_too_many_logins_of_one_person_are_told_when_to_return(desk: Desk) -> None:
    for _ in range(20):
        await desk.sign_in()
    code = (await desk.codes("Li Na"))["code"]
    status, problem = await desk.call("POST", "/api/v1/sessions", {"code": code})
    assert (status, problem["code"]) == (429, "too_many_logins")
    assert problem["retry_after"] >= 60


async def test_a_shared_phone_number_is_shown_with_its_middle_hidden(desk: Desk) -> None:
    token = (await desk.sign_in())["access_token"]
    assert (await desk.me(token))[1]["masked_phone"] == ""
    code = (await desk.codes("Li Na"))["phone_code"]
    status, me = await desk.call("PUT", "/api/v1/me/phone", {"code": code}, token=token)
    sealed = (await Person.get()).phone_sealed
    phone = Sealer(Settings().data_keys).open(sealed)
    assert status == 200 and len(phone) == 11 and phone not in sealed
    assert me["masked_phone"] == f"{phone[:3]}****{phone[-4:]}"
    status, problem = await desk.call("PUT", "/api/v1/me/phone", {"code": code}, token=token)
    assert (status, problem["code"]) == (400, "login_code_invalid")


async def test_a_phone_is_shared_by_its_own_kind_of_code_and_a_newer_one_replaces_it(
    desk: Desk,
) -> None:
    token = (await desk.sign_in())["access_token"]

    async def share(code: str) -> tuple[int, Any]:
        return await desk.call("PUT", "/api/v1/me/phone", {"code": code}, token=token)

    for code in ((await desk.codes("Li Na"))["code"], "no-such-code"):
        status, problem = await share(code)
        assert (status, problem["code"]) == (400, "login_code_invalid")
    assert (await desk.me(token))[1]["masked_phone"] == ""
    first = (await share((await desk.codes("Li Na"))["phone_code"]))[1]["masked_phone"]
    second = (await share((await desk.codes("Wang Wei"))["phone_code"]))[1]["masked_phone"]
    assert first != second == (await desk.me(token))[1]["masked_phone"]
    assert await JournalEntry.filter(action="person.phone_bound").count() == 2


async def test_without_wechat_no_phone_is_shared_and_the_old_one_stays(desk: Desk) -> None:
    token = (await desk.sign_in())["access_token"]
    first, later = [(await desk.codes("Li Na"))["phone_code"] for _ in range(2)]
    _, me = await desk.call("PUT", "/api/v1/me/phone", {"code": first}, token=token)
    await desk.standin.close()
    status, problem = await desk.call("PUT", "/api/v1/me/phone", {"code": later}, token=token)
    assert (status, problem["code"]) == (503, "wechat_unavailable")
    assert (await desk.me(token))[1] == me


async def test_whoever_is_not_signed_in_shares_no_phone(desk: Desk) -> None:
    code = (await desk.codes("Li Na"))["phone_code"]
    status, problem = await desk.call("PUT", "/api/v1/me/phone", {"code": code})
    assert (status, problem["code"]) == (401, "not_signed_in")


# -- tokens ------------------------------------------------------------------------------------------


async def test_me_says_who_is_asking_and_nothing_that_identifies_them_elsewhere(desk: Desk) -> None:
    status, me = await desk.me((await desk.sign_in())["access_token"])
    person = await Person.get()
    assert status == 200
    assert me == {
        "kind": "person",
        "id": person.id,
        "name": "",
        "masked_phone": "",
        "organisation_id": None,
        "roles": [],
        "programmes": [],
        "areas": [],
        "owed": [],
    }


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "bearer x.y.z", "Bearer a b", "Bearer  "]
)
async def test_without_a_good_token_nobody_is_signed_in(desk: Desk, header: str | None) -> None:
    headers = {} if header is None else {hdrs.AUTHORIZATION: header}
    status, problem = await desk.call("GET", "/api/v1/me", **headers)
    assert (status, problem["code"]) == (401, "not_signed_in")


async def test_an_access_token_lasts_half_an_hour_and_is_then_exchanged(desk: Desk) -> None:
    tokens = await desk.sign_in()
    desk.clock.advance(timedelta(minutes=30))
    status, problem = await desk.me(tokens["access_token"])
    assert (status, problem["code"]) == (401, "access_token_expired")
    body = {"refresh_token": tokens["refresh_token"]}
    status, fresh = await desk.call("POST", "/api/v1/sessions/refresh", body)
    assert status == 200
    assert (await desk.me(fresh["access_token"]))[0] == 200


async def test_a_reused_refresh_token_ends_the_session(desk: Desk) -> None:
    tokens = await desk.sign_in()
    body = {"refresh_token": tokens["refresh_token"]}
    _, fresh = await desk.call("POST", "/api/v1/sessions/refresh", body)
    assert (await desk.call("POST", "/api/v1/sessions/refresh", body))[1]["refresh_token"] == fresh[
        "refresh_token"
    ]
    desk.clock.advance(RETRY_WINDOW + timedelta(seconds=1))
    status, problem = await desk.call("POST", "/api/v1/sessions/refresh", body)
    assert (status, problem["code"]) == (401, "refresh_token_reused")
    status, problem = await desk.me(fresh["access_token"])
    assert (status, problem["code"]) == (401, "session_ended")


async def test_a_refresh_token_opens_no_other_door_and_an_access_token_not_this_one(desk: Desk) -> None:
    tokens = await desk.sign_in()
    assert (await desk.me(tokens["refresh_token"]))[1]["code"] == "not_signed_in"
    body = {"refresh_token": "x" * 43}
    assert (await desk.call("POST", "/api/v1/sessions/refresh", body))[1]["code"] == "refresh_token_unknown"
    body = {"refresh_token": tokens["access_token"]}
    assert (await desk.call("POST", "/api/v1/sessions/refresh", body))[0] == 422


async def test_signing_out_here_leaves_the_other_device_signed_in(desk: Desk) -> None:
    here, there = await desk.sign_in(), await desk.sign_in()
    assert (await desk.call("DELETE", "/api/v1/sessions/current", token=here["access_token"]))[0] == 204
    assert (await desk.me(here["access_token"]))[1]["code"] == "session_ended"
    assert (await desk.me(there["access_token"]))[0] == 200


async def test_signing_out_everywhere_does(desk: Desk) -> None:
    here, there, another = await desk.sign_in(), await desk.sign_in(), await desk.sign_in("Wang Wei")
    assert (await desk.call("DELETE", "/api/v1/sessions", token=here["access_token"]))[0] == 204
    for tokens in (here, there):
        assert (await desk.me(tokens["access_token"]))[1]["code"] == "session_ended"
        body = {"refresh_token": tokens["refresh_token"]}
        assert (await desk.call("POST", "/api/v1/sessions/refresh", body))[1]["code"] == "session_ended"
    assert (await desk.me(another["access_token"]))[0] == 200


# -- staff -------------------------------------------------------------------------------------------


async def sign_in_staff(desk: Desk, password: str, username: str = "wang", **headers: str) -> tuple[int, Any]:
    body = {"username": username, "password": password}
    return await desk.call("POST", "/api/v1/staff/sessions", body, **headers)


async def test_staff_sign_in_with_their_password(desk: Desk) -> None:
    staff = await create_staff("wang", PASSWORD, ["operator"], NOW)
    status, tokens = await sign_in_staff(desk, PASSWORD)
    assert status == 201
    me = (await desk.me(tokens["access_token"]))[1]
    assert (me["kind"], me["id"], me["roles"]) == ("staff", staff.id, ["operator"])


async def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(desk: Desk) -> None:
    await create_staff("wang", PASSWORD, ["operator"], NOW)
    answers = [await sign_in_staff(desk, "Wrong-horse-7", name) for name in ("wang", "nobody")]
    for status, problem in answers:
        assert (status, problem.pop("code")) == (401, "wrong_password")
        del problem["request_id"]
    assert answers[0] == answers[1]


async def test_wrong_passwords_of_one_address_end_in_a_pause(desk: Desk) -> None:
    await create_staff("wang", PASSWORD, ["operator"], NOW)
    # Without a proxy of ours, a header about the address is the sender's invention.
    for number in range(5):
        await sign_in_staff(desk, "Wrong-horse-7", **{"X-Forwarded-For": f"192.0.2.{number}"})
    status, problem = await sign_in_staff(desk, PASSWORD)
    assert (status, problem["code"]) == (429, "too_many_wrong_passwords")
    assert problem["retry_after"] >= 30


@pytest.mark.parametrize("desk", [{"trust_proxy": True}], indirect=True)
async def test_behind_our_proxy_the_address_is_the_one_it_wrote(desk: Desk) -> None:
    await create_staff("wang", PASSWORD, ["operator"], NOW)
    for number in range(5):
        forged = {"X-Forwarded-For": f"192.0.2.{number}, 198.51.100.7"}
        assert (await sign_in_staff(desk, "Wrong-horse-7", **forged))[0] == 401
    assert (await sign_in_staff(desk, PASSWORD, **{"X-Forwarded-For": "198.51.100.7"}))[0] == 429
    assert (await sign_in_staff(desk, PASSWORD, **{"X-Forwarded-For": "198.51.100.8"}))[0] == 201


async def test_staff_cannot_share_a_wechat_phone(desk: Desk) -> None:
    await create_staff("wang", PASSWORD, ["operator"], NOW)
    token = (await sign_in_staff(desk, PASSWORD))[1]["access_token"]
    status, problem = await desk.call("PUT", "/api/v1/me/phone", {"code": "x"}, token=token)
    assert (status, problem["code"]) == (403, "not_allowed")


# -- the demo ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("desk", [{"demo_login": True}], indirect=True)
async def test_a_demo_account_signs_in_by_its_name(desk: Desk) -> None:
    await Person.create(account="demo-factory", created_at=NOW)
    await Staff.create(username="wang", password_hash="-", display_name="Wang", created_at=NOW)
    status, tokens = await desk.call("POST", "/api/v1/demo/sessions", {"account": "demo-factory"})
    assert status == 201
    assert (await desk.me(tokens["access_token"]))[0] == 200
    status, problem = await desk.call("POST", "/api/v1/demo/sessions", {"account": "wang"})
    assert (status, problem["code"]) == (404, "demo_account_unknown")


async def test_where_demo_login_is_off_there_is_no_such_address(desk: Desk) -> None:
    await Person.create(account="demo-factory", created_at=NOW)
    status, problem = await desk.call("POST", "/api/v1/demo/sessions", {"account": "demo-factory"})
    assert (status, problem["code"]) == (404, "no_such_address")


# -- bad input and leaks -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/sessions", {}),
        ("/api/v1/sessions", {"code": ""}),
        ("/api/v1/sessions", {"code": 7}),
        ("/api/v1/sessions", {"code": "x" * 129}),
        ("/api/v1/sessions", {"code": "x", "openid": "oForged"}),
        ("/api/v1/sessions/refresh", {"refresh_token": None}),
        ("/api/v1/staff/sessions", {"username": "wang"}),
        ("/api/v1/staff/sessions", {"username": "wang", "password": "x" * 129}),
    ],
)
async def test_malformed_input_is_refused_and_nothing_is_stored(desk: Desk, path: str, body: Any) -> None:
    status, problem = await desk.call("POST", path, body)
    assert (status, problem["code"]) == (422, "malformed")
    assert await Person.all().count() == 0


async def test_no_secret_of_a_login_reaches_the_log_or_the_journal(desk: Desk) -> None:
    await create_staff("wang", PASSWORD, ["operator"], NOW)
    codes = await desk.codes("Li Na")
    with capture_logs() as logs:
        _, tokens = await desk.call("POST", "/api/v1/sessions", {"code": codes["code"]})
        token = tokens["access_token"]
        await desk.call("PUT", "/api/v1/me/phone", {"code": codes["phone_code"]}, token=token)
        body = {"refresh_token": tokens["refresh_token"]}
        _, fresh = await desk.call("POST", "/api/v1/sessions/refresh", body)
        desk.clock.advance(RETRY_WINDOW + timedelta(seconds=1))
        await desk.call("POST", "/api/v1/sessions/refresh", body)
        await desk.call("POST", "/api/v1/sessions", {"code": codes["code"]})
        await sign_in_staff(desk, PASSWORD)
        await sign_in_staff(desk, "Wrong-horse-7")
    person = await Person.get()
    assert logs, "the control: something was logged"
    written = str(logs) + str(await JournalEntry.all().values())
    sealer = Sealer(Settings().data_keys)
    personal = [sealer.open(person.openid_sealed), sealer.open(person.phone_sealed)]
    kept = str(await Person.all().values())
    assert all(personal) and not any(one in kept for one in personal)
    secrets = [*codes.values(), *tokens.values(), *fresh.values(), *personal, person.account, DEMO_SECRET]
    for secret in (*secrets, PASSWORD, "Wrong-horse-7"):
        assert secret not in written
