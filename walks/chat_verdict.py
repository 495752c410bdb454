"""The verdict on a chat walk, from outside: what the desks read, what was logged, what the database holds.

Every conversation said things that nobody else says. What was handed in must be read by the desk that it is
meant for, once, as it was said; what was dropped by nobody; and who said it by nobody at all.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from server.demo_officials import PASSWORD
from walks.callers import Caller
from walks.chat_talk import Conversation

OPERATOR, AUTHORITY, MAILBOX = "operator", "authority", "oversight_body"
FETCHED_SECONDS = 200
ADDRESSES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"


@dataclass(slots=True)
class Verdict:
    """What is wrong, in words; nothing where all is well."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    filed: int = 0

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.doubled or self.leaked or self.wrong)


class Desk:
    """One desk: every case it reads, and every word it was answered."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.cases: dict[int, dict[str, Any]] = {}
        self.heard: list[str] = []

    async def read(self) -> None:
        """All its cases, page by page, each opened."""
        after = 0
        while True:
            said = await self.caller.get("complaint-desk", queue="all", after=after)
            page = said.must(200, "a desk reads its cases")
            self.heard.append(str(page))
            for row in page["complaints"]:
                await self.open(row["id"])
            if page["next_after"] is None:
                return
            after = page["next_after"]

    async def open(self, case_id: int) -> None:
        """One case as it is now."""
        said = await self.caller.get(f"complaint-desk/{case_id}")
        self.cases[case_id] = said.must(200, "a case is opened")
        self.heard.append(str(said.body))


async def sign_in(caller: Caller, role: str) -> Caller:
    """A member of the demo's staff."""
    said = await caller.post("staff/sessions", username=f"demo-{role.replace('_', '-')}", password=PASSWORD)
    return Caller(caller.http, caller.url, said.must(201, f"{role} signs in")["access_token"])


async def judge(
    conversations: Sequence[Conversation], anybody: Caller, database_url: str, logs: str
) -> Verdict:
    """Compare what was said with what is there."""
    verdict = Verdict()
    desks = {role: Desk(await sign_in(anybody, role)) for role in (OPERATOR, AUTHORITY, MAILBOX)}
    for desk in desks.values():
        await desk.read()
    await _wait_for_pictures(conversations, desks)
    found: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for role, desk in desks.items():
        for case in desk.cases.values():
            for one in conversations:
                if one.mark in case["happened"]:
                    found[one.mark].append((role, case))
    for one in conversations:
        _compare(one, found[one.mark], verdict)
    secrets = {secret: one.mark for one in conversations for secret in _secrets_of(one)}
    _look(secrets, "\n".join(word for desk in desks.values() for word in desk.heard), "an answer", verdict)
    _look(secrets, logs, "a log", verdict)
    _look(secrets, await _everything(database_url), "the database in the clear", verdict)
    return verdict


def _compare(one: Conversation, found: Sequence[tuple[str, dict[str, Any]]], verdict: Verdict) -> None:
    numbers = {case["number"] for _, case in found}
    roles = {role for role, _ in found}
    if not one.is_filed:
        if numbers:
            verdict.wrong.append(f"{one.mark} was dropped and is there: {numbers}")
        return
    verdict.filed += 1
    if not numbers:
        verdict.lost.append(f"{one.mark} was handed in as {one.number} and is not there")
        return
    if len(numbers) > 1:
        verdict.doubled.append(f"{one.mark} is there as {sorted(numbers)}")
    if one.number not in numbers:
        verdict.wrong.append(f"{one.mark} was told {one.number} and is {sorted(numbers)}")
    sealed = one.said.get("kind") == "official"
    if roles != ({MAILBOX} if sealed else {OPERATOR}):
        verdict.leaked.append(f"{one.mark} ({one.said.get('kind')}) is read by {sorted(roles)}")
    case = found[0][1]
    told = {
        "anonymous": (case["anonymous"], one.said.get("naming") == "anonymous"),
        "since": (case["since"] is not None, "since" in one.said),
        "wanted": (one.mark in case["wanted"], "wanted" in one.said),
        # Said again after a server died, a picture may be there twice.
        "pictures": (min(_pictures(case), one.images), one.images),
    }
    verdict.wrong += [
        f"{one.mark}: {name} is {there!r}, said was {said!r}"
        for name, (there, said) in told.items()
        if there != said
    ]


def _pictures(case: dict[str, Any]) -> int:
    return sum(len(entry["attachments"]) for entry in case["entries"])


async def _wait_for_pictures(conversations: Sequence[Conversation], desks: dict[str, Desk]) -> None:
    """Pictures are fetched behind the answer: look again at whoever's are not there yet."""
    meant = {one.number: one.images for one in conversations if one.is_filed}
    for _ in range(FETCHED_SECONDS):
        behind = [
            (desk, case["id"])
            for desk in desks.values()
            for case in desk.cases.values()
            if _pictures(case) < meant.get(case["number"], 0)
        ]
        if not behind:
            return
        await asyncio.sleep(1)
        for desk, case_id in behind:
            await desk.open(case_id)


def _secrets_of(one: Conversation) -> list[str]:
    return [secret for secret in (one.openid, one.said.get("name"), one.said.get("contact")) if secret]


def _look(secrets: dict[str, str], text: str, where: str, verdict: Verdict) -> None:
    verdict.leaked += [f"{mark}: an identity stands in {where}" for s, mark in secrets.items() if s in text]


async def _everything(database_url: str) -> str:
    """Every row of every table, as text."""
    connection = await asyncpg.connect(database_url)
    try:
        words = []
        for table in await connection.fetch(ADDRESSES):
            rows = await connection.fetch(f'SELECT t::text AS row FROM "{table["tablename"]}" t')
            words += [row["row"] for row in rows]
        return "\n".join(words)
    finally:
        await connection.close()
