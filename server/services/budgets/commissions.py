"""Commissions: whether somebody still runs a programme, after the yearly audit of its operator (NX-39)."""

from __future__ import annotations

from datetime import date

from server.errors import Refusal
from server.models.monitoring import OperatorAudit
from server.models.offices import Office
from server.programme.model import Programme
from server.programme.vocabulary import Actor as Role
from server.rules.supervision import CommissionOutcome


class CommissionEnded(Refusal):
    """The operator's commission ended with its audit, and nobody was named in its place."""

    status, code = 409, "commission_ended"


async def require(programme: Programme, today: date) -> None:
    """Raise :class:`CommissionEnded` where an audit ended the operator's commission (NX-39).

    Until somebody is named in its place: an office of the operator, opened since.
    """
    last = await OperatorAudit.filter(
        programme_slug=programme.slug,
        consequence=CommissionOutcome.ENDS,
        effective_on__lte=today,
    ).order_by("-year").first()  # fmt: skip
    if last is None or last.effective_on is None or last.decided_at is None:
        return
    newer = await Office.exists(
        programme_slug=programme.slug,
        actor=Role.OPERATOR,
        closed_at=None,
        changed_at__gte=last.decided_at,
    )
    if not newer:
        raise CommissionEnded(
            clause=programme.records.article, year=last.year, day=last.effective_on.isoformat()
        )
