"""What the tests of the launch's services share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tortoise.context import TortoiseContext

from server.database import close_database, open_database
from server.services.budgets import ledger
from tests.complaining import Hall
from tests.contracting import Desk
from tests.factories import Office, an_office
from tests.reporting import Bureau
from tests.sanctioning import Court


@pytest.fixture
async def office(database: TortoiseContext, database_url: str, redis_url: str) -> AsyncIterator[Office]:
    """The launch without HTTP, once on each kind of database. Whatever a test does, the books balance."""
    async with an_office(database_url, redis_url) as office:
        yield office
        assert await ledger.verify() == []


@pytest.fixture
async def desk(database: TortoiseContext) -> AsyncIterator[Desk]:
    """Contracts, quotas, requests and draws without HTTP, with an invented notice of the year."""
    yield Desk()
    assert await ledger.verify() == []


@pytest.fixture
def quiet_desk(database: TortoiseContext, tmp_path: Path) -> Desk:
    """The same in a year without any notice."""
    return Desk(tmp_path)


@pytest.fixture
def hall(database: TortoiseContext) -> Hall:
    """Where people complain, without HTTP, once on each kind of database."""
    return Hall()


@pytest.fixture
def court(database: TortoiseContext) -> Court:
    """Where breaches are dealt with, without HTTP, once on each kind of database."""
    return Court()


@pytest.fixture
def bureau(database: TortoiseContext, tmp_path: Path) -> Bureau:
    """Where lists are exported and reports are made, without HTTP, once on each kind of database."""
    return Bureau(tmp_path)


@pytest.fixture
async def quick(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Bureau]:
    """The same where the kind of database makes no difference."""
    context = await open_database(sqlite_url)
    yield Bureau(tmp_path)
    await close_database(context)
