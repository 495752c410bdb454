"""The house's own defaults for supervision: used where a text is silent, never part of a programme's data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from server.programme.faults import Fault
from server.programme.loader import load_table
from server.programme.monitoring import Anomaly, AnomalyRule, ChecklistItem


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyDefaults:
    """The house's thresholds. None of them is anybody's clause."""

    says: str
    """What people read beside a finding that rests on nothing but this."""
    rules: tuple[AnomalyRule, ...]
    """Every rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionDefaults:
    """What the house looks at and asks where a text only says that somebody does."""

    says: str
    """What people read beside what rests on nothing but this."""
    checklist: tuple[ChecklistItem, ...]
    """What an inspection looks at."""
    commitment_checklist: tuple[ChecklistItem, ...]
    """What is looked at where a credit commitment is sampled."""
    script: tuple[str, ...]
    """What an enterprise is asked when it is called."""
    rectification_natural_days: int
    """How long putting a finding right may take where nobody says otherwise."""
    audit_tolerance_bp: int
    """How far a self-check and an audit may lie apart before the difference is serious."""
    at_risk_natural_days: int
    """So long before its deadline a contract counts as at risk."""


def load_anomaly_defaults(file: Path) -> AnomalyDefaults:
    """Read the thresholds. Raises ``ProgrammeError`` on the first thing that is not right."""
    return load_table(file, AnomalyDefaults, _anomaly_faults)


def load_supervision_defaults(file: Path) -> SupervisionDefaults:
    """Read checklists and script. Raises ``ProgrammeError`` on the first thing that is not right."""
    return load_table(file, SupervisionDefaults, _supervision_faults)


def _anomaly_faults(defaults: AnomalyDefaults) -> Iterator[Fault]:
    known = {rule.code for rule in defaults.rules}
    for code in Anomaly:
        if code not in known:
            yield Fault("rule", f'no "{code}"', "every rule, be it `off`")


def _supervision_faults(defaults: SupervisionDefaults) -> Iterator[Fault]:
    for name in ("checklist", "commitment_checklist", "script"):
        if not getattr(defaults, name):
            yield Fault(name, "nothing", "at least one")
