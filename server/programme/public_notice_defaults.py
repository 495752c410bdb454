"""The house's own defaults for public notices: used where a text is silent, never part of a programme."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from server.programme.faults import Fault
from server.programme.loader import load_table


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeDefaults:
    """What no text says of public notices. None of this is anybody's clause."""

    says: str
    """What people read beside a length that rests on nothing but this."""
    reply_working_days: int
    """Until an objection is answered."""
    remind_working_days: int
    """So many before its last day the authority is reminded of a notice."""


def load_notice_defaults(file: Path) -> NoticeDefaults:
    """Read the file. Raises ``ProgrammeError`` on the first thing that is not right."""
    return load_table(file, NoticeDefaults, _faults)


def _faults(defaults: NoticeDefaults) -> Iterator[Fault]:
    for name in ("reply", "remind"):
        if getattr(defaults, f"{name}_working_days") < 1:
            yield Fault(f"{name}_working_days", "0", "at least 1")
