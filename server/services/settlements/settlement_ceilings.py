"""Ceilings at the settlement: what a provider and a category may be settled in a year, counted anew.

What counts is what was decided: approved, or determined and on its way. An order that kept within its room
may still find none here where money was cut or a ceiling holds at the settlement alone (GX-32, LS-24).
"""

from __future__ import annotations

from collections.abc import Sequence

from tortoise.expressions import Q
from tortoise.functions import Sum

from server import texts
from server.errors import Unmet
from server.models.rounds import Budget
from server.models.settlements import Settlement
from server.programme.model import Programme
from server.rules.review import Check
from server.rules.settlements import SETTLED, SettlementStatus, beyond
from server.services.budgets import rooms

DECIDED = Q(status__in=list(SETTLED)) | Q(status=SettlementStatus.IN_REVIEW, amount_fen__gt=0)
"""Approved, or determined and waiting for what follows: it has its room."""


async def lines(settlement: Settlement, programme: Programme, amount_fen: int) -> list[Check]:
    """What the ceilings of the settlement's year say of it, green or red; none where nothing limits it."""
    if settlement.budget_id is None:
        return []
    budget = await Budget.get(id=settlement.budget_id)
    decided = Settlement.filter(DECIDED, budget_id=budget.id).exclude(id=settlement.id)
    found = []
    if programme.provider_ceilings:
        received = (
            await decided.filter(provider_id=settlement.provider_id)
            .annotate(total=Sum("amount_fen"))
            .values("total")
        )
        received_fen = int(received[0]["total"] or 0) if received else 0
        room = await rooms.room_beside(programme, settlement.provider_id, budget, received_fen)
        if room is not None:
            message = texts.SETTLEMENT_CHECKS["provider_room"]
            fault = beyond(room.limit, amount_fen, code="provider_ceiling")
            if fault is not None and room.ceiling.in_principle:
                more = texts.SETTLEMENT_CHECKS["in_principle"]
                fault = Unmet(fault.code, fault.clause, fault.message + more, fault.arithmetic)
            found.append(_line(fault, "provider_room", room.limit.clause, message, room.limit.arithmetic))
    rows = await decided.annotate(total=Sum("amount_fen")).group_by("category").values("category", "total")
    used = {row["category"]: int(row["total"] or 0) for row in rows}
    limit = await rooms.category_beside(programme, settlement.category, budget, used)
    if limit is not None:
        message = texts.SETTLEMENT_CHECKS["category_room"]
        fault = beyond(limit, amount_fen, code="category_ceiling")
        found.append(_line(fault, "category_room", limit.clause, message, limit.arithmetic))
    return found


def _line(fault: Unmet | None, code: str, clause: str, message: str, arithmetic: str) -> Check:
    if fault is None:
        return Check(code, clause, message, True, arithmetic)
    return Check(fault.code, fault.clause, fault.message, False, fault.arithmetic)


def red(checks: Sequence[Check]) -> tuple[Unmet, ...]:
    """What stands against a settlement among lines."""
    return tuple(Unmet(one.code, one.clause, one.message, one.arithmetic) for one in checks if not one.met)
