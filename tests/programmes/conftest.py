"""The programmes the tests speak of: the five regulations and two invented ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.programme.registry import Programmes

REAL = Path("config/programmes")
INVENTED = Path("tests/programmes/invented")


@pytest.fixture(scope="session")
def programmes() -> Programmes:
    return Programmes.load(REAL)


@pytest.fixture(scope="session")
def invented() -> Programmes:
    return Programmes.load(INVENTED)
