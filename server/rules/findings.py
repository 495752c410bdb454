"""Findings: what the system finds about an order that a reviewer should see, and how much it weighs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from server.errors import Unmet


class FindingKind(StrEnum):
    """What a finding is about."""

    TIE = "tie"
    """The two sides are tied to each other, or must not deal with each other."""
    PRICE = "price"
    """The price is unlike others."""


class Weight(StrEnum):
    """What a finding does."""

    FORBIDS = "forbids"
    """The text forbids it: there is no order."""
    HOLDS = "holds"
    """The operator looks at it before the order goes on."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that was found about a deal: what the text forbids, and what somebody must look at."""

    forbidden: tuple[Unmet, ...] = ()
    warned: tuple[Unmet, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.forbidden or self.warned)
