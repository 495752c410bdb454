"""The house's own defaults for complaints: used where a text is silent, never part of a programme's data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from server.programme.faults import Fault
from server.programme.loader import load_table
from server.programme.oversight import Rung


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintDefaults:
    """How complaints are handled where no text says it. None of this is anybody's clause."""

    says: str
    """What people read beside a length or a rung that rests on nothing but this."""
    channels: tuple[str, ...]
    """How one may complain."""
    rungs: tuple[Rung, ...]
    """From the first to the last instance; the last one is the independent mailbox."""
    receipt_working_days: int
    """Until somebody takes a complaint on."""
    answer_working_days: int
    """Until it is answered, from the day it was filed or came to a rung."""
    urge_working_days: int
    """Its complainant may urge once in so many."""
    confirm_working_days: int
    """How long an answer waits for the complainant's word before it closes by itself."""
    reopen_working_days: int
    """How long it may be opened again after it closed."""


def load_complaint_defaults(file: Path) -> ComplaintDefaults:
    """Read the file. Raises ``ProgrammeError`` on the first thing that is not right."""
    return load_table(file, ComplaintDefaults, _faults)


def _faults(defaults: ComplaintDefaults) -> Iterator[Fault]:
    for name in ("receipt", "answer", "urge", "confirm", "reopen"):
        if getattr(defaults, f"{name}_working_days") < 1:
            yield Fault(f"{name}_working_days", "0", "at least 1")
    for place, rung in enumerate(defaults.rungs):
        last = place == len(defaults.rungs) - 1
        if rung.bypasses_operator is not last:
            yield Fault(f"rung[{place}].bypasses_operator", str(not last).lower(), str(last).lower())
    if not defaults.rungs:
        yield Fault("rung", "nothing", "at least the independent mailbox")
