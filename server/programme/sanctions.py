"""The house's own defaults for sanctions: used where a text is silent, never part of a programme's data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from server.programme.faults import Fault
from server.programme.loader import load_table

WHOLE_BP = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SanctionDefaults:
    """How a party is heard and money claimed back where no text says it. None of this is anybody's clause."""

    says: str
    """What people read beside a period or a rate that rests on nothing but this."""
    hearing_working_days: int
    """How long a party may state its case before anybody decides."""
    appeal_working_days: int
    """How long it may appeal after the decision."""
    demand_working_days: int
    """How long it has to pay back what is demanded."""
    surcharge_yearly_bp: int
    """What is added to principal for a year of 365 days, basis points."""
    keeps_back: bool
    """Whether a decision may say that what is overdue is kept back from later payments: no text says it."""


def load_sanction_defaults(file: Path) -> SanctionDefaults:
    """Read the file. Raises ``ProgrammeError`` on the first thing that is not right."""
    return load_table(file, SanctionDefaults, _faults)


def _faults(defaults: SanctionDefaults) -> Iterator[Fault]:
    for name in ("hearing", "appeal", "demand"):
        days = getattr(defaults, f"{name}_working_days")
        if days < 1:
            yield Fault(f"{name}_working_days", str(days), "at least 1")
    if not 0 <= defaults.surcharge_yearly_bp <= WHOLE_BP:
        yield Fault("surcharge_yearly_bp", str(defaults.surcharge_yearly_bp), f"0 to {WHOLE_BP}")
