"""Supervision's lines in the review of a settlement: service file, open findings, shared data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from server import texts
from server.models.monitoring import AnomalyFinding, ContractCheck
from server.models.orders import Order
from server.programme.model import Programme
from server.rules.contract_checks import CheckVerdict
from server.rules.review import Check
from server.rules.supervision import AnomalyStatus
from server.services.organisations import service_files


class Handed(Protocol):
    """What was handed in; a settlement is one."""

    id: int
    order_id: int
    provider_id: int


async def of_settlement(settlement: Handed, programme: Programme, *, now: datetime) -> Sequence[Check]:
    """What supervision knows that whoever reviews a settlement should see, each line with its clause."""
    lines = [await service_files.check(programme, settlement.provider_id, now=now)]
    found = await AnomalyFinding.filter(settlement_id=settlement.id).order_by("id")
    lines += [
        Check(
            f"anomaly_{one.rule.value}",
            one.clause,
            one.message,
            one.status is AnomalyStatus.LIFTED,
            one.arithmetic if one.status is not AnomalyStatus.LIFTED else one.reason,
        )
        for one in found
    ]
    return [*lines, *await contract_lines(settlement.order_id, programme)]


async def contract_lines(order_id: int, programme: Programme) -> list[Check]:
    """What banks and regulators answered about an order's contract, the last word of each (GX-69)."""
    order = await Order.get(id=order_id).only("id", "contract_id")
    if order.contract_id is None:
        return []
    asked = await ContractCheck.filter(contract_id=order.contract_id).order_by("id")
    # Who is silent speaks neither for a contract nor against it.
    answers = {one.source: one for one in asked if one.verdict is not CheckVerdict.UNANSWERED}
    return [
        Check(
            f"contract_{source.value}",
            programme.records.article,
            texts.SHARED_SOURCES[source],
            answer.verdict is CheckVerdict.LAWFUL,
            answer.says,
        )
        for source, answer in sorted(answers.items())
    ]
