"""What the tests of the jobs share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from server.services.budgets import ledger
from tests.town import Town, a_town


@pytest.fixture
async def town(database_url: str, redis_url: str) -> AsyncIterator[Town]:
    """The real server with nobody in it yet, once on each kind of database; its books balance at the end."""
    async with a_town(database_url, redis_url) as town:
        yield town
        assert await ledger.verify() == []
