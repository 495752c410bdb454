"""The town: the real server on a real database and Redis, and the people who use it.

Its clock stands on a day in which the programme of these tests is in force, until a test moves it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from stdnum.cn.uscc import calc_check_digit
from yarl import URL

from server.app import create_app, grab_store
from server.clock import CHINA, FixedClock
from server.keys import CLOCK, CLOCKS, PROGRAMMES, ROUNDS, RUN_JOBS, SESSIONS
from server.models.people import Person, Staff
from server.models.rounds import Budget
from server.rules.grabbing import Claim
from server.services.rounds.grab_commit import Decided, GrabCommitter
from server.settings import Settings
from server.units import yuan_to_fen
from tests import paperwork

PROGRAMME = "lishui-2024"
MORNING = datetime(2026, 5, 18, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)

_numbers = count(1)


def uscc(number: int) -> str:
    """A code that no other number has, with its right check digit."""
    start = f"91331100MA{number:07d}"
    return start + calc_check_digit(start)


def grab_key() -> str:
    """A new request's key."""
    return f"{next(_numbers):032x}"


def eligible(**others: Any) -> dict[str, Any]:
    """What a small manufacturer fills in that meets every condition, but for what ``others`` say."""
    return {
        "uscc": uscc(next(_numbers)),
        "name": "晨光精密机械有限公司",
        "area": "浙江省/丽水市/莲都区",
        "industry": "C3484",
        "legal_person": True,
        "established_on": "2016-03-18",
        "headcount": 42,
        "revenue_fen": yuan_to_fen(10_000_000),
        "assets_fen": yuan_to_fen(8_000_000),
        "declarations": {"fits_industrial_direction": True},
        "role": "handler",
        **others,
    }


@dataclass(frozen=True)
class Answered:
    """What the server said."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def code(self) -> str:
        return str(self.body["code"])


class Caller:
    """Somebody who is signed in; without a token, anybody."""

    def __init__(self, client: TestClient[Any, Any], token: str = "", person_id: int = 0) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.id = person_id

    async def get(self, path: str) -> Answered:
        return await self._call("GET", path, None)

    async def post(self, path: str, **body: Any) -> Answered:
        return await self._call("POST", path, body)

    async def patch(self, path: str, **body: Any) -> Answered:
        return await self._call("PATCH", path, body)

    async def put(self, path: str, **body: Any) -> Answered:
        return await self._call("PUT", path, body)

    async def delete(self, path: str) -> Answered:
        return await self._call("DELETE", path, None)

    async def send(self, path: str, content: bytes, *, offset: int = 0) -> Answered:
        """Bytes of a file, from an offset on."""
        headers = {
            **self._headers,
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(offset),
        }
        async with self._client.post(f"/api/v1/{path}", data=content, headers=headers) as response:
            said = None if response.status == 204 else await response.json()
            return Answered(response.status, said, response.headers)

    async def refused(
        self,
        method: str,
        address: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[int, str]:
        """Ask any address for anything: the status, and the code of a refusal."""
        sent = {**self._headers, **headers}
        async with self._client.request(method, address, json=body, headers=sent) as response:
            is_problem = response.content_type == "application/problem+json" and method != "HEAD"
            return response.status, (await response.json())["code"] if is_problem else ""

    async def throw(self, method: str, address: str, content: bytes) -> tuple[int, str]:
        """Bytes at any address that takes some: the status, and the code of a refusal."""
        sent = {
            **self._headers,
            "Content-Type": "application/octet-stream",
            "Upload-Offset": "0",
        }
        async with self._client.request(
            method, URL(address, encoded=True), data=content, headers=sent
        ) as said:
            is_problem = said.content_type == "application/problem+json"
            return said.status, (await said.json())["code"] if is_problem else ""

    async def download(self, address: str) -> tuple[int, str, bytes]:
        """Fetch what is not JSON: the status, its media type and the bytes."""
        async with self._client.request("GET", address, headers=self._headers) as response:
            return response.status, response.content_type, await response.read()

    async def grab(self, round_id: int | str, key: str, **headers: str) -> Answered:
        """Grab with this key, as the phone does: no body, the key in a header."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._call("POST", f"rounds/{round_id}/grabs", None, {"Idempotency-Key": key, **named})

    async def _call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Answered:
        url = f"/api/v1/{path}"
        sent = {**self._headers, **headers}
        async with self._client.request(method, url, json=body, headers=sent) as response:
            said = None if response.status == 204 else await response.json()
            return Answered(response.status, said, response.headers)


class Town:
    """The server and its clock; everybody in it comes through its doors."""

    def __init__(self, client: TestClient[Any, Any], clock: FixedClock, database_url: str) -> None:
        self.client = client
        self.clock = clock
        self._database_url = database_url

    @property
    def app(self) -> Any:
        """The server itself, for what has no door."""
        return self.client.server.app  # type: ignore[attr-defined]

    @property
    def now(self) -> datetime:
        """The instant at which the programme of these tests lives."""
        now: datetime = self.app[CLOCKS].now(PROGRAMME)
        return now

    async def run_jobs(self) -> None:
        """A minute passes, and every job that is due then runs; here none runs by itself."""
        self.clock.advance(timedelta(minutes=1))
        await self.app[RUN_JOBS]()

    @property
    def anybody(self) -> Caller:
        """Somebody who is not signed in."""
        return Caller(self.client)

    async def person(self) -> Caller:
        """Somebody new, signed in, acting for nobody."""
        person = await Person.create(account=f"openid-{next(_numbers)}", created_at=self.now)
        return await self.signed_in(person)

    async def operator(self) -> Caller:
        """A member of the operator's staff."""
        return await self.staff("operator")

    async def staff(self, *roles: str, programmes: Sequence[str] = (), areas: Sequence[str] = ()) -> Caller:
        """Somebody of the official side; without bounds, they work on everything."""
        name = f"{roles[0] if roles else 'staff'}{next(_numbers)}"
        staff = await Staff.create(
            username=name,
            password_hash="",
            display_name=name,
            roles=list(roles),
            programmes=list(programmes),
            areas=list(areas),
            created_at=self.now,
        )
        return await self.signed_in(staff)

    async def handler(self, **facts: Any) -> Caller:
        """The handler of a newly registered enterprise, eligible but for ``facts``."""
        person = await self.person()
        registered = await person.post("organisations", **eligible(**facts))
        assert registered.status == 201, registered.body
        return person

    async def joined(self, inviter: Caller, role: str) -> Caller:
        """A colleague who has taken the place that ``inviter`` offered."""
        invitation = await inviter.post("invitations", role=role)
        colleague = await self.person()
        joined = await colleague.post("memberships", code=invitation.body["code"])
        assert joined.status == 201, joined.body
        return colleague

    async def drafted(
        self,
        caller: Caller,
        *,
        programme: str = PROGRAMME,
        party: str = "enterprise",
        version: int = 0,
        **values: Any,
    ) -> Answered:
        """The caller's registration form, saved with nothing missing or wrong, but for ``values`` by key."""
        text, now = self.programmes.get(programme), self.app[CLOCKS].now(programme)
        mine = (await caller.get("organisations/mine")).body
        today = now.astimezone(CHINA).date().isoformat()
        return await caller.patch(
            "registrations",
            programme=programme,
            party=party,
            version=version,
            values={**paperwork.answers(text, party, mine, today), **values},
            documents=await paperwork.papers(text, party, mine["id"], now),
            undertakings=paperwork.promises(text, party),
        )

    async def applied(self, caller: Caller, **form: Any) -> Answered:
        """The form handed in: what is answered is the standing that waits for its review."""
        saved = await self.drafted(caller, **form)
        assert saved.status == 200, saved.body
        return await caller.post(
            f"registrations/{saved.body['id']}/submissions", version=saved.body["version"]
        )

    async def qualified(self, operator: Caller, *, labels: tuple[str, ...] = (), **facts: Any) -> Caller:
        """The handler of an enterprise whose application was approved."""
        handler = await self.handler(**facts)
        applied = await self.applied(handler)
        decided = await self.decide(operator, applied, labels=labels)
        assert decided.status == 200, decided.body
        return handler

    async def decide(
        self,
        reviewer: Caller,
        applied: Answered,
        decision: str = "approve",
        *,
        labels: tuple[str, ...] | None = None,
        reason: str = "",
        **others: Any,
    ) -> Answered:
        """Decide about an application at its next step, on the papers for these labels."""
        path = f"reviews/{applied.body['case_id']}"
        seen = (await reviewer.get(path)).body
        extras = {} if labels is None else {"labels_confirmed": list(labels)}
        return await reviewer.post(
            f"{path}/decision",
            decision=decision,
            version=seen["version"],
            reason=reason,
            extras=extras,
            **others,
        )

    async def open_round(
        self,
        operator: Caller,
        *,
        pool_yuan: int = 100_000,
        opens_in: timedelta = timedelta(minutes=-1),
        closes_in: timedelta = DAY,
    ) -> int:
        """A published round, open now unless told otherwise, with money set aside; its id."""
        opened = await Budget.get_or_none(programme_slug=PROGRAMME)
        if opened is None:
            budget = await operator.post(
                "budgets", programme=PROGRAMME, year=2026, total_fen=yuan_to_fen(1_000_000)
            )
            assert budget.status == 201, budget.body
            opened = await Budget.get(programme_slug=PROGRAMME)
        planned = await operator.post(
            "rounds",
            budget_id=opened.id,
            title="第一批",
            opens_at=(self.now + opens_in).isoformat(),
            closes_at=(self.now + closes_in).isoformat(),
            pool_fen=yuan_to_fen(pool_yuan),
            valid_until=(self.now + 30 * DAY).isoformat(),
            order_deadline=(self.now + 20 * DAY).isoformat(),
        )
        assert planned.status == 201, planned.body
        scheduled = await operator.post(f"rounds/{planned.body['id']}/schedule", reason="公告已发布")
        assert scheduled.status == 200, scheduled.body
        return int(planned.body["id"])

    async def grant(self, round_id: int, caller: Caller, enterprise_id: int, *, key: str = "") -> Decided:
        """Commit one grab as the database-only path does, at the town's own instant."""
        rounds = self.app[ROUNDS]
        store = grab_store(self._database_url)
        committer = GrabCommitter(store, lambda *_: None, observe=lambda _: None)
        claim = Claim(round_id, enterprise_id, caller.id, key or grab_key(), None, "", self.now)
        try:
            terms = rounds.terms(await Budget.get(programme_slug=PROGRAMME))
            return (await committer.commit(terms, None, [claim]))[0]
        finally:
            await store.close()

    @property
    def programmes(self) -> Any:
        return self.app[PROGRAMMES]

    async def signed_in(self, owner: Person | Staff) -> Caller:
        """Somebody known, on another device."""
        signed_in = await self.app[SESSIONS].start(owner, now=self.app[CLOCK].now())
        return Caller(self.client, signed_in.access_token, owner.id)


@asynccontextmanager
async def a_town(database_url: str, redis_url: str) -> AsyncIterator[Town]:
    """A town of its own, on this database and this Redis."""
    clock = FixedClock(MORNING)
    with TemporaryDirectory(prefix="qiquan-town-") as folder:
        settings = Settings(
            mode="test",
            database_url=database_url,
            redis_url=redis_url,
            run_jobs=False,
            evidence_dir=Path(folder, "evidence"),
            uploads_dir=Path(folder, "uploads"),
            seal_keys_dir=Path(folder, "seal_keys"),
            anchor_file=Path(folder, "day_roots.jsonl"),
        )
        async with TestClient(TestServer(create_app(settings, clock=clock))) as client:
            yield Town(client, clock, database_url)


@asynccontextmanager
async def a_running_town(database_url: str, redis_url: str, **settings: Any) -> AsyncIterator[Town]:
    """The same with clocks that run, as Redis' own does: there rounds are grabbed through the gate.

    Each programme lives on its demo day, at the time that it is now.
    """
    chosen = Settings(
        mode="test",
        database_url=database_url,
        redis_url=redis_url,
        demo_clocks=True,
        run_jobs=False,
        **settings,
    )
    async with TestClient(TestServer(create_app(chosen))) as client:
        yield Town(client, FixedClock(MORNING), database_url)
