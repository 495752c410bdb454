"""Who calls: people with a phone, staff with a password, and anybody, each through the public API."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession

from walks.world import PASSWORD, World

BUSY = 429
LONGEST_WAIT_SECONDS = 20


class WalkFailed(Exception):
    """Something did not go as the programme says it must; the message says what."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the server said."""

    status: int
    body: Any

    @property
    def code(self) -> str:
        return str(self.body.get("code", "")) if isinstance(self.body, dict) else ""

    def must(self, status: int, what: str) -> Any:
        """The body, where the status is this; raises :class:`WalkFailed` with what was said instead."""
        if self.status != status:
            raise WalkFailed(f"{what}: {self.status} instead of {status}: {self.body}")
        return self.body

    @property
    def clauses(self) -> tuple[str, ...]:
        """Every clause that a refusal rests on."""
        if not isinstance(self.body, dict):
            return ()
        found = [self.body.get("clause", "")]
        found += [one.get("clause", "") for one in self.body.get("unmet") or ()]
        return tuple(clause for clause in found if clause)


class Caller:
    """Somebody at the door. ``token`` is empty for anybody."""

    def __init__(self, http: ClientSession, url: str, token: str = "") -> None:
        self.http = http
        self.url = url
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def get(self, path: str, **query: Any) -> Said:
        return await self.call("GET", path, query=query)

    async def post(self, path: str, **body: Any) -> Said:
        return await self.call("POST", path, body=body)

    async def patch(self, path: str, **body: Any) -> Said:
        return await self.call("PATCH", path, body=body)

    async def send(self, path: str, content: bytes, media_type: str, **query: Any) -> Said:
        """Post bytes as they are."""
        headers = {"Content-Type": media_type}
        return await self.call("POST", path, content=content, headers=headers, query=query)

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> Said:
        """Call, and call again when asked to wait, as a phone does."""
        while True:
            async with self.http.request(
                method,
                f"{self.url}/api/v1/{path}",
                json=body if content is None and method != "GET" else None,
                data=content,
                headers={**self.headers, **(headers or {})},
                params={key: str(value) for key, value in (query or {}).items()},
            ) as response:
                is_json = response.content_type.endswith("json")
                said = Said(response.status, await response.json() if is_json else await response.read())
            wait = said.body.get("retry_after", 1) if said.status == BUSY and is_json else 0
            if not wait or wait > LONGEST_WAIT_SECONDS:
                return said
            await asyncio.sleep(wait)


async def person(http: ClientSession, world: World, name: str) -> Caller:
    """Somebody with this name, signed in by WeChat; the same name is the same person."""
    async with http.post(f"{world.wechat_url}/standin/codes", json={"phone_owner": name}) as response:
        code = (await response.json())["code"]
    said = await Caller(http, world.url).post("sessions", code=code)
    return Caller(http, world.url, said.must(201, f"{name} signs in")["access_token"])


async def member_of_staff(http: ClientSession, world: World, username: str) -> Caller:
    """A member of staff, signed in with the password of all who work in a walk."""
    said = await Caller(http, world.url).post("staff/sessions", username=username, password=PASSWORD)
    return Caller(http, world.url, said.must(201, f"{username} signs in")["access_token"])
