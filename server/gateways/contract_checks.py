"""Contract checks: what banks and regulators share about the sides of a contract (GX-69).

Whoever connects a real exchange writes another :class:`ContractChecks`; nothing else changes. The stand-in
answers from the platform's own table, which the programme's authority keeps.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from tortoise.expressions import Q

from server.models.monitoring import SharedRecord
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


class TableChecks:
    """The stand-in: the worst of what the table holds about either side on the day of the contract."""

    async def ask(self, source: SharedSource, sides: Sides) -> SharedAnswer:
        held = await SharedRecord.filter(
            Q(until__isnull=True) | Q(until__gte=sides.signed_on),
            source=source,
            uscc__in=[sides.enterprise_uscc, sides.provider_uscc],
            since__lte=sides.signed_on,
        ).order_by("id")
        for verdict in (CheckVerdict.UNLAWFUL, CheckVerdict.DOUBTFUL):
            against = [one for one in held if one.verdict is verdict]
            if against:
                return SharedAnswer(verdict=verdict, says=against[0].says)
        known = {one.uscc for one in held if one.verdict is CheckVerdict.LAWFUL}
        if known >= {sides.enterprise_uscc, sides.provider_uscc}:
            return SharedAnswer(verdict=CheckVerdict.LAWFUL)
        return SharedAnswer(verdict=CheckVerdict.UNANSWERED)
