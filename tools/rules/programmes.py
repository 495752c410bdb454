"""What the map asks the server about programme files: do they load, and what does programme-check show."""

from __future__ import annotations

from pathlib import Path

from server.programme.faults import ProgrammeError
from server.programme.loader import load_programme


def loads(file: Path) -> bool:
    """Whether a programme file is accepted."""
    try:
        load_programme(file)
    except ProgrammeError:
        return False
    return True
