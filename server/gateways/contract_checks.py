"""Contract checks: what banks and regulators share about the sides of a contract (GX-69).

Whoever connects a real exchange writes another :class:`ContractChecks`, and nothing else changes. The
stand-in (``services/supervision/shared_table.py``) answers from a table that the authority keeps.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from server.rules.contract_checks import CheckVerdict, SharedSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """What a source is told of a contract: who signed, how much, and on which day. No person."""

    enterprise_uscc: str
    provider_uscc: str
    amount_fen: int
    signed_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedAnswer:
    """What a source says."""

    verdict: CheckVerdict
    says: str = ""


class ContractChecks(Protocol):
    """A way to ask those who share data."""

    async def ask(self, source: SharedSource, sides: Sides) -> SharedAnswer:
        """What a source says of a contract; ``UNANSWERED`` where it has nothing to say."""
