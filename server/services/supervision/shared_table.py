"""Shared table: the stand-in for banks and regulators, answering from what the authority keeps (GX-69)."""

from __future__ import annotations

from tortoise.expressions import Q

from server.gateways.contract_checks import SharedAnswer, Sides
from server.models.monitoring import SharedRecord
from server.rules.contract_checks import CheckVerdict, SharedSource


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
