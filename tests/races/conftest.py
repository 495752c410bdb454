"""What races share: PostgreSQL opened for the ORM, the hall of a launch, and the desk of orders."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tortoise.context import TortoiseContext

from server.database import close_database, open_database
from server.services.budgets import ledger
from tests.contracting import Desk
from tests.races.hall import Hall, a_hall
from tools.embedded import RedisServer


@pytest.fixture
async def postgres(postgres_url: str) -> AsyncIterator[TortoiseContext]:
    """PostgreSQL, opened for the ORM in this process."""
    context = await open_database(postgres_url)
    yield context
    await close_database(context)


@pytest.fixture
async def hall(postgres: TortoiseContext, postgres_url: str, redis_url: str) -> AsyncIterator[Hall]:
    """Launches on PostgreSQL and a Redis that stays."""
    async with a_hall(postgres_url, redis_url) as hall:
        yield hall


@pytest.fixture
async def frail_hall(
    postgres: TortoiseContext, postgres_url: str, own_redis_server: RedisServer
) -> AsyncIterator[Hall]:
    """Launches on a Redis of this test alone (``own_redis_server``), to be killed."""
    async with a_hall(postgres_url, own_redis_server.url()) as hall:
        yield hall


@pytest.fixture
async def desk(postgres: TortoiseContext) -> AsyncIterator[Desk]:
    """Contracts, quotas, requests, draws and orders; whatever a race does, the books balance."""
    yield Desk()
    assert await ledger.verify() == []
