"""Facts: what is known about an enterprise, a provider or its parent company when a rule is asked.

Services gather them; rules only read them. Money in fen, days as days in China.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from server.programme.vocabulary import LegalForm


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLabel:
    """A title or status somebody holds, as an official list says."""

    code: str
    recognised_in: int | None = None
    """The year of the recognition, where it is known."""
    valid_until: date | None = None
    """The last day; ``None``: no end."""


def held(codes: Iterable[str]) -> tuple[HeldLabel, ...]:
    """Labels without an end, from their codes alone."""
    return tuple(HeldLabel(code=code) for code in codes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Barred:
    """An entry on a blocklist that covers this programme, lifted ones left out."""

    clause: str
    starts_on: date
    ends_on: date | None = None
    """The last day of the ban; ``None``: for good."""

    def covers(self, on: date) -> bool:
        return self.starts_on <= on and (self.ends_on is None or on <= self.ends_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyFacts:
    """What is known about either side."""

    uscc: str
    name: str
    area: str
    """Where it is registered, as a path from the largest unit down."""
    legal_person: bool
    """It is an independent legal person."""
    legal_form: LegalForm | None = None
    established_on: date
    applied_on: date | None = None
    """The day it applied to join; ``None``: it has not yet."""
    labels: tuple[HeldLabel, ...] = ()
    claimed: frozenset[str] = frozenset()
    """The codes of the labels that it says it holds, attested or not."""
    declarations: Mapping[str, object] = field(default_factory=dict)
    """What it filled in, by the code of the field: yes/no, counts, money in fen, texts."""
    barred: tuple[Barred, ...] = ()
    violation_years: tuple[int, ...] = ()
    """The years in which it broke the rules of vouchers, unless the authority has lifted it."""
    is_operator: bool = False
    """It is the organisation that runs the programme."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterpriseFacts(PartyFacts):
    """An enterprise. Figures are last year's."""

    industry: str
    """Code of GB/T 4754."""
    headcount: int
    revenue_fen: int | None
    assets_fen: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentFacts:
    """The parent company of a provider that came from outside and registered a local subsidiary."""

    name: str
    established_on: date
    declarations: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFacts(PartyFacts):
    """A provider."""

    parent: ParentFacts | None = None
