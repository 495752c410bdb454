"""A fresh reception for each test; all of them share one lab, as everybody does at a server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.database import close_database, open_database
from server.gateways.file_lab import FileLab
from tests.hostile.reception import Reception, a_reception


@pytest.fixture
async def reception(sqlite_url: str, lab: FileLab, tmp_path: Path) -> AsyncIterator[Reception]:
    """Where one organisation hands files in."""
    context = await open_database(sqlite_url)
    yield await a_reception(lab, tmp_path / "house")
    await close_database(context)
