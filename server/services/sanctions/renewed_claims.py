"""Renewed claims: what a decision left to another's claim is claimed by it once that other was found wrong.

Money comes back once, from whichever side: a decision claims nothing that an earlier one claims already. When
the earlier one is reversed on appeal, the later decision still stands and still wants the money back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from tortoise.expressions import Q

from server import texts
from server.models.orders import Order
from server.models.sanctions import Recovery, RecoveryLine, SanctionCase, SanctionEffect
from server.programme.oversight import Measure
from server.programme.vocabulary import Party
from server.rules.recoveries import RecoveryStatus
from server.rules.sanction_cases import Effect, SanctionStatus, effects_of
from server.services import outbox
from server.services.access import CLOCK, Actor, StaffRole
from server.services.sanctions.recoveries import Recoveries, add_lines, note, open_fen, tell
from server.services.sanctions.sanction_preview import PaidOut, paid_out

IN_FORCE = (SanctionStatus.DECIDED, SanctionStatus.LIFTED)
"""Lifting ends what a decision bars, not what it claims."""


async def heirs(case: SanctionCase) -> list[SanctionCase]:
    """Later decisions in force, of either side, that want money of the same orders back; the oldest first."""
    order_ids = {one.order_id for one in await RecoveryLine.filter(recovery__case_id=case.id)}
    if not order_ids:
        return []
    orders = await Order.filter(id__in=list(order_ids)).only("id", "enterprise_id", "provider_id")
    sides = Q(party=Party.ENTERPRISE, against_id__in=list({one.enterprise_id for one in orders}))
    sides |= Q(party=Party.PROVIDER, against_id__in=list({one.provider_id for one in orders}))
    later = SanctionCase.filter(
        sides,
        programme_slug=case.programme_slug,
        status__in=list(IN_FORCE),
        decided_at__gte=case.decided_at,
    ).exclude(id=case.id)
    return [
        one
        for one in await later.select_related("against").order_by("decided_at", "id")
        if Effect.RECOVER in effects_of([Measure(measure) for measure in one.measures])
        and (one.orders is None or order_ids & set(one.orders))
    ]


async def renew(
    case: SanctionCase,
    recoveries: Recoveries,
    *,
    given_back: Mapping[int, int] | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """Claim for its heirs what the cancelled claim of a case had kept them from.

    ``given_back``: what went back to its debtor, by line; without it, what had not come in. In the
    transaction that cancels it, or gives it back, under the locks of all these parties. What two have
    written off stays so. Raises ``RecoveryMovedOn``.
    """
    cancelled = await Recovery.get_or_none(case_id=case.id, status=RecoveryStatus.CANCELLED)
    if cancelled is None:
        return
    rows = await RecoveryLine.filter(recovery_id=cancelled.id)
    freed = {_key(one): open_fen(one) if given_back is None else given_back.get(one.id, 0) for one in rows}
    for heir in await heirs(case):
        # What a claim before this one has taken meanwhile is no longer among what is paid out.
        lines = [
            replace(one, amount_fen=min(one.amount_fen, freed[_key(one)]))
            for one in await paid_out(heir)
            if freed.get(_key(one))
        ]
        if lines:
            said = texts.RECOVERY_RENEWED.format(number=case.number)
            await _claim(heir, lines, "recovery.renewed", said, recoveries, actor, now, instead_of=case.id)


async def claim_paid_since(case: SanctionCase, order_id: int, recoveries: Recoveries, now: datetime) -> int:
    """Claim back what the bank paid for an order after the decision that refuses it; how much, fen.

    The bank had it already when that was decided. In a transaction with the locks of both sides. Raises
    ``RecoveryMovedOn``.
    """
    lines = [one for one in await paid_out(case) if one.order == order_id]
    if not lines:
        return 0
    return await _claim(case, lines, "recovery.added", "", recoveries, CLOCK, now, order=order_id)


async def _claim(
    case: SanctionCase,
    lines: list[PaidOut],
    topic: str,
    said: str,
    recoveries: Recoveries,
    actor: Actor,
    now: datetime,
    **data: int,
) -> int:
    claim = await Recovery.get_or_none(case_id=case.id)
    more_fen = sum(one.amount_fen for one in lines)
    if claim is None:
        claim = await recoveries.claim(case, lines, may_offset=False, actor=actor, now=now)
    elif claim.status is RecoveryStatus.WRITTEN_OFF:
        return 0
    else:
        # Where a decision in force has a cancelled claim, the bank has brought all of it home: not owed.
        before_fen = 0 if claim.status is RecoveryStatus.CANCELLED else claim.principal_fen
        # It is demanded anew: neither its day nor its instalments were of this sum.
        claim = await recoveries.change(
            claim,
            principal_fen=before_fen + more_fen,
            status=RecoveryStatus.CLAIMED,
            due_on=None,
            due_provisional=False,
            instalments=[],
            reminded_at=None,
            write_off_reason="",
            write_off_asked_by=None,
            ended_by=None,
            ended_at=None,
        )
        await add_lines(claim, lines)
    await SanctionEffect.update_or_create(
        case_id=case.id,
        effect=Effect.RECOVER,
        subject=f"recovery:{claim.id}",
        defaults={"amount_fen": claim.principal_fen, "note": said, "planned_at": now, "done_at": now},
    )
    await note(topic, claim, actor, now, principal_fen=more_fen, **data)
    await tell(topic, claim, now, amount_fen=more_fen)
    await outbox.tell(
        outbox.team(StaffRole.AUTHORITY, claim.programme_slug),
        "recovery.to_demand",
        at=now,
        recovery=claim.id,
        number=claim.number,
        programme=claim.programme_slug,
        amount_fen=more_fen,
    )
    return more_fen


def _key(one: PaidOut | RecoveryLine) -> tuple[Any, ...]:
    """Which money it is: of one order, off one voucher."""
    if isinstance(one, PaidOut):
        return (one.order, one.budget, one.round, one.enterprise, one.provider, one.voucher, one.category)
    return (
        one.order_id,
        one.budget_id,
        one.round_id,
        one.enterprise_id,
        one.provider_id,
        one.voucher_id,
        one.category,
    )
