"""What the tests of the doors share. Whatever a test does, the books balance afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from server.services.budgets import ledger
from tests.town import Town, a_running_town, a_town


@pytest.fixture
async def town(database_url: str, redis_url: str) -> AsyncIterator[Town]:
    """The real server with nobody in it yet, once on each kind of database."""
    async with a_town(database_url, redis_url) as town:
        yield town
        assert await ledger.verify() == []


@pytest.fixture
async def running_town(database_url: str, redis_url: str) -> AsyncIterator[Town]:
    """The same with clocks that run: rounds are grabbed through Redis."""
    async with a_running_town(database_url, redis_url) as town:
        yield town
        assert await ledger.verify() == []
