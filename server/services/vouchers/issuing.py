"""Issuing: the one way in which a voucher that nobody grabbed comes to be.

Ranked batches, allotments, vouchers on contract and drawn ones all end here: voucher, ledger, journal and
outbox in the caller's transaction, under the budget's lock (``budgets.locked``), as the launch's own
commit writes them (``services/rounds/grab_commit.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tortoise.expressions import F

from server.errors import Refusal
from server.models.journal import JournalEntry
from server.models.ledger import LedgerEntry
from server.models.outbox import OutboxMessage
from server.models.rounds import Budget, Round
from server.models.vouchers import Voucher
from server.programme.model import Programme
from server.programme.vocabulary import Party
from server.rules.deadlines import day_of, voucher_valid_until
from server.rules.money import ISSUES, ROUTES, Basis
from server.units import yuan

BATCH = 2000


class PoolExhausted(Refusal):
    """The round's money does not cover what is to be issued."""

    status, code = 409, "pool_exhausted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One voucher to issue. Money in fen.

    ``provider_id``  its holder, where the programme's vouchers are held by providers (YC-04)
    ``asked_at``     when it was applied for; the grant's own instant where nobody applied
    ``place``        its place in the order it is issued in, as people read it
    ``serial``       the n-th of this enterprise in the round, or in the year without rounds
    """

    enterprise_id: int
    amount_fen: int
    asked_at: datetime
    tier: str = ""
    kind: str = ""
    provider_id: int | None = None
    place: str = ""
    serial: int = 1


async def issue(
    budget: Budget,
    programme: Programme,
    grants: Sequence[Grant],
    *,
    basis: Basis,
    actor: str,
    now: datetime,
    round_: Round | None = None,
) -> list[Voucher]:
    """Issue vouchers in the order given; all or none. Call it under the budget's lock.

    With a round, its money is taken (``Basis.MONEY``); without, a quota is posted or nothing. Raises
    :class:`PoolExhausted`; two vouchers of one serial raise ``IntegrityError``.
    """
    if not grants:
        return []
    total_fen = sum(grant.amount_fen for grant in grants)
    first = await _take_numbers(budget, round_, total_fen, len(grants))
    stem = round_.id if round_ else f"Y{budget.id}"
    expires_at = voucher_valid_until(programme, day_of(now), round_.valid_until if round_ else None)
    rows = [
        Voucher(
            number=f"{stem}-{first + index:06d}",
            round_id=round_.id if round_ else None,
            budget_id=budget.id,
            enterprise_id=grant.enterprise_id,
            provider_id=grant.provider_id,
            kind=grant.kind,
            basis=basis,
            serial=grant.serial,
            tier=grant.tier,
            face_value_fen=grant.amount_fen,
            programme_slug=programme.slug,
            programme_version=programme.version,
            granted_at=now,
            reserved_at=grant.asked_at,
            order_deadline=round_.order_deadline if round_ else None,
            valid_until=expires_at,
            epoch=budget.epoch,
            place=grant.place,
        )
        for index, grant in enumerate(grants)
    ]
    await Voucher.bulk_create(rows, batch_size=BATCH)
    # Ids are not told by every database; numbers are unique.
    numbers = [row.number for row in rows]
    vouchers: list[Voucher] = []
    for start in range(0, len(numbers), BATCH):
        vouchers += await Voucher.filter(number__in=numbers[start : start + BATCH]).order_by("number")
    await _post(vouchers, basis, now)
    await _tell(vouchers, programme, actor, now)
    return vouchers


async def _take_numbers(budget: Budget, round_: Round | None, total_fen: int, count: int) -> int:
    """Count the vouchers, and take their money where a round gives it; returns the first number."""
    if round_ is None:
        before = await Budget.get(id=budget.id)
        await Budget.filter(id=budget.id).update(issued_count=F("issued_count") + count)
        return int(before.issued_count) + 1
    row = await Round.get(id=round_.id)
    left_fen = row.pool_fen - row.issued_fen
    if total_fen > left_fen:
        raise PoolExhausted(
            arithmetic=f"{yuan(total_fen)} > {yuan(left_fen)}", left=yuan(left_fen), asked=yuan(total_fen)
        )
    await Round.filter(id=row.id).update(
        issued_fen=F("issued_fen") + total_fen, issued_count=F("issued_count") + count
    )
    return int(row.issued_count) + 1


async def _post(vouchers: Sequence[Voucher], basis: Basis, now: datetime) -> None:
    movement = ISSUES.get(basis)
    if movement is None:
        return
    debit, credit = ROUTES[movement]
    await LedgerEntry.bulk_create(
        [
            LedgerEntry(
                at=now,
                movement=movement,
                debit=debit,
                credit=credit,
                amount_fen=row.face_value_fen,
                budget_id=row.budget_id,
                round_id=row.round_id,
                enterprise_id=row.enterprise_id,
                voucher_id=row.id,
                provider_id=row.provider_id,
            )
            for row in vouchers
        ],
        batch_size=BATCH,
    )


async def _tell(vouchers: Sequence[Voucher], programme: Programme, actor: str, now: datetime) -> None:
    await JournalEntry.bulk_create(
        [
            JournalEntry(
                at=now,
                action="voucher.granted",
                actor=actor,
                subject=f"voucher:{row.id}",
                programme_slug=programme.slug,
                data={
                    "round": row.round_id,
                    "enterprise": row.enterprise_id,
                    "number": row.number,
                    "amount_fen": row.face_value_fen,
                    "place": row.place,
                },
            )
            for row in vouchers
        ],
        batch_size=BATCH,
    )
    by_provider = programme.voucher.holder is Party.PROVIDER
    await OutboxMessage.bulk_create(
        [
            OutboxMessage(
                created_at=now,
                topic="voucher.granted",
                recipient=f"organisation:{row.provider_id if by_provider else row.enterprise_id}",
                data={"voucher": row.id, "number": row.number, "amount_fen": row.face_value_fen},
            )
            for row in vouchers
        ],
        batch_size=BATCH,
    )
