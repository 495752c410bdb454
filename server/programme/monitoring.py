"""Monitoring: when figures count as abnormal, and what supervision looks at and asks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from server.programme.clause import Clause


class Anomaly(StrEnum):
    """What can look wrong about a settlement. A new word is new behaviour in Python."""

    PRICE = "price"
    """The price is far above the provider's own, or above others' for the same matter."""
    CONCENTRATION = "concentration"
    """One enterprise has a great share of the provider's year."""
    ONE_PERSON = "one_person"
    """The enterprises of one legal representative have a great share of it together."""
    SAME_INVOICE = "same_invoice"
    """The very file of an invoice or receipt was handed in for another order."""
    SHARED_CONTACT = "shared_contact"
    """Both sides have a telephone, an account or a person in common."""
    SHARED_PROVIDER = "shared_provider"
    """The provider has one in common with another provider."""
    YEAR_END_RUSH = "year_end_rush"
    """Much of the provider's year is handed in within its last days."""
    SAME_INSPECTOR = "same_inspector"
    """The provider's cases are always looked at by the same person."""
    AT_CAP = "at_cap"
    """Round prices that reach exactly what a voucher pays at most, again and again."""
    TOO_QUICK = "too_quick"
    """Ordered, served and handed in within hardly any time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyRule(Clause):
    """One rule, and from where on it speaks. What a rule does not use is left out."""

    code: Anomaly
    """Which rule."""
    off: bool = False
    """It says nothing here."""
    holds: bool = False
    """Nothing is paid until somebody has decided on what it found."""
    share_bp: int | None = None
    """The share, or the part by which a price stands above, from which on it speaks."""
    least: int | None = None
    """Of so many orders, at least, before a share means anything."""
    days: int | None = None
    """So many natural days."""
    round_fen: int | None = None
    """A price is round that is a multiple of this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistItem(Clause):
    """One thing an inspection looks at."""

    code: str
    """Stable code."""
    says: str
    """What is looked at, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring(Clause):
    """How this programme is watched, where its text says more than the house's own defaults."""

    holds: bool = False
    """Whatever is found suspends payment until it is decided."""
    sanction: str = ""
    """The code of the sanction that abnormal figures lead to."""
    rules: tuple[AnomalyRule, ...] = ()
    """Rules that are different here."""
    checklist: tuple[ChecklistItem, ...] = ()
    """What an inspection looks at; empty: the house's list."""
