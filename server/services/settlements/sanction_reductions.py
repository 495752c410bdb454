"""Reductions: by how much decisions in force reduce what is paid for an order (NX-26)."""

from __future__ import annotations

from server import texts
from server.models.orders import Order
from server.models.sanctions import SanctionCase
from server.rules.sanction_cases import SanctionStatus


async def of_order(order: Order) -> tuple[int, str]:
    """Fen, and the reasons; 0 where nobody decided so."""
    decided = await SanctionCase.filter(
        programme_slug=order.programme_slug,
        against_id__in=[order.provider_id, order.enterprise_id],
        status=SanctionStatus.DECIDED,
        reduced_fen__not_isnull=True,
    ).order_by("id")
    mine = [case for case in decided if case.orders is not None and order.id in case.orders]
    return sum(case.reduced_fen or 0 for case in mine), texts.STEP.join(case.reason for case in mine)
