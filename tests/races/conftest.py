"""The hall of a test: PostgreSQL, Redis and the ORM opened on them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from server.database import close_database, open_database
from tests.races.hall import Hall, a_hall
from tools.embedded import RedisServer


@pytest.fixture
async def hall(postgres_url: str, redis_url: str) -> AsyncIterator[Hall]:
    """Launches on PostgreSQL and a Redis that stays."""
    context = await open_database(postgres_url)
    async with a_hall(postgres_url, redis_url) as hall:
        yield hall
    await close_database(context)


@pytest.fixture
async def frail_hall(postgres_url: str, own_redis_server: RedisServer) -> AsyncIterator[Hall]:
    """Launches on a Redis of this test alone (``own_redis_server``), to be killed."""
    context = await open_database(postgres_url)
    async with a_hall(postgres_url, own_redis_server.url()) as hall:
        yield hall
    await close_database(context)
