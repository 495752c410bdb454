"""Two real server processes on one PostgreSQL and one Redis: what ends on one of them is over on the other.

The very next request is what counts: each session below has been used on both processes, so both remember
it, and the one that is told of the end is never the one that is asked first.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
from aiohttp import ClientSession

from bench.rehearsal import anchor, answers
from server.models.people import Staff
from server.programme.papers import DocumentKind
from tests import paperwork
from tests.handlers.test_handovers import membership_of
from tests.servers import PostgresServer, emptied_redis
from tests.town import PROGRAMME, Answered, Caller, Town, a_running_town
from tools.processes import Child, free_port, stopping

# Two server processes start one after the other, wherever this runs.
pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True)
class Workers:
    """The two processes; ``town`` is where people come from, and serves nobody here."""

    town: Town
    doors: tuple[ClientSession, ClientSession]

    async def known(self, caller: Caller, path: str) -> tuple[Caller, Caller]:
        """The same session at both doors, where it is known by now."""
        here, there = [Caller(door, caller._headers["Authorization"][7:], caller.id) for door in self.doors]
        for door in (here, there, here, there):
            assert (await door.get(path)).status == 200
        return here, there


@pytest.fixture(scope="module")
async def workers(
    postgres_server: PostgresServer,
    postgres_template: str,
    redis_address: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Workers]:
    """Both processes, up and answering; each test brings its own people."""
    database, folder = f"two_workers_{os.getpid()}", tmp_path_factory.mktemp("workers")
    postgres_url = await postgres_server.create(database, template=postgres_template)
    redis_url = await emptied_redis(redis_address)
    async with AsyncExitStack() as stack:
        ports = free_port(), free_port()
        servers = []
        for number, port in enumerate(ports, 1):
            environment = {
                **os.environ,
                "QIQUAN_MODE": "test",
                "QIQUAN_PORT": str(port),
                "QIQUAN_DATABASE_URL": postgres_url,
                "QIQUAN_REDIS_URL": redis_url,
                "QIQUAN_RUN_JOBS": "false",
                "QIQUAN_DEMO_CLOCKS": "true",
                "QIQUAN_DEMO_ANCHOR": anchor().isoformat(),
                "QIQUAN_EVIDENCE_DIR": str(folder / "evidence"),
                "QIQUAN_UPLOADS_DIR": str(folder / "uploads"),
            }
            command = [sys.executable, "-m", "server", "serve"]
            log = folder / f"server-{number}.log"
            child = Child(f"server {number}", command, log=log, environment=environment)
            servers.append(stack.enter_context(stopping(child)))
        town = await stack.enter_async_context(a_running_town(postgres_url, redis_url))
        for child, port in zip(servers, ports, strict=True):
            child.wait_until(lambda port=port: answers(f"http://127.0.0.1:{port}/readyz"), 60.0)
        doors = [
            await stack.enter_async_context(ClientSession(base_url=f"http://127.0.0.1:{port}"))
            for port in ports
        ]
        yield Workers(town, (doors[0], doors[1]))
    await postgres_server.drop(database)


def over(told: Answered) -> None:
    """What an old session hears."""
    assert told.status == 401, told.body
    assert told.code == "session_ended"


async def test_a_hand_over_ends_the_old_handlers_session_everywhere(workers: Workers) -> None:
    town, mine = workers.town, "organisations/mine"
    handler = await town.handler()
    representative = await town.joined(handler, "legal_representative")
    colleague = await town.joined(handler, "staff")
    company = (await handler.get(mine)).body["id"]
    letter = await paperwork.a_file(company, DocumentKind.OTHER, PROGRAMME, town.now)
    here, there = await workers.known(handler, mine)
    _, new_there = await workers.known(colleague, mine)
    by, bystander = await workers.known(representative, mine)

    membership = await membership_of(colleague)
    made = await by.post("handovers", membership_id=membership, letter=letter.id)
    over(await there.get(mine))
    over(await here.get(mine))
    assert made.status == 201, made.body
    # The new one acts at once, at the other door too, and nobody else is sent away.
    begun = await new_there.patch(
        "registrations", programme=PROGRAMME, version=0, values={"contact.name": "王芳"}
    )
    assert begun.status == 200, begun.body
    assert (await bystander.get(mine)).status == 200


async def test_a_disabled_account_is_out_everywhere(workers: Workers) -> None:
    town, inbox = workers.town, "reviews"
    operator, other = await town.operator(), await town.operator()
    here, there = await workers.known(operator, inbox)
    _, bystander = await workers.known(other, inbox)
    administrator, _ = await workers.known(await town.staff("administrator"), "staff")

    disabled = await administrator.post(f"staff/{operator.id}/disabling", reason="离岗")
    over(await there.get(inbox))
    over(await here.get(inbox))
    assert disabled.status == 200, disabled.body
    assert (await bystander.get(inbox)).status == 200


async def test_other_duties_end_the_session_in_which_the_old_ones_were_held(workers: Workers) -> None:
    town, inbox = workers.town, "reviews"
    operator = await town.operator()
    here, there = await workers.known(operator, inbox)
    administrator, _ = await workers.known(await town.staff("administrator"), "staff")

    changed = await administrator.put(f"staff/{operator.id}/duties", roles=["auditor"])
    over(await there.post("budgets", programme=PROGRAMME, year=2026, total_fen=100))
    over(await here.get(inbox))
    assert changed.status == 200, changed.body
    # Whoever signs in again holds the new duties and none of the old, at either door.
    again = await workers.known(await town.signed_in(await Staff.get(id=operator.id)), "me")
    for door in again:
        assert (await door.post("budgets", programme=PROGRAMME, year=2026, total_fen=100)).status == 403
        assert (await door.get("me")).body["roles"] == ["auditor"]
