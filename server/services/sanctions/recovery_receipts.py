"""Receipts of recoveries: what came back is matched, pays off principal, then surcharge, and is posted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from tortoise.exceptions import IntegrityError
from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.sanctions import Recovery, RecoveryLine, RecoveryReceipt, RecoveryReturn
from server.rules.deadlines import day_of
from server.rules.money import Movement
from server.rules.recoveries import OWED, Paid, ReceiptKind, RecoveryStatus, outstanding, pay_off
from server.services.access import Actor
from server.services.budgets import budgets, ledger
from server.services.budgets.ledger import Where
from server.services.organisations.memberships import lock
from server.services.sanctions.recoveries import (
    Recoveries,
    RecoveryKeptBack,
    kept_back_fen,
    note,
    open_lines,
    tell,
)
from server.services.sanctions.sanction_preview import rate_said
from server.units import yuan


class ReceiptTooMuch(Refusal):
    """More came in than is owed on that day; the difference belongs to whoever sent it."""

    status, code = 422, "recovery_receipt_too_much"


class ReceiptKnown(Refusal):
    """This receipt was matched before."""

    status, code = 409, "recovery_receipt_known"


class ReceiptDayImpossible(Refusal):
    """The receipt is of a day to come, or of one before the money was paid out."""

    status, code = 422, "recovery_receipt_day"


class RecoveryReceipts:
    """The verb that takes in what comes back."""

    def __init__(self, recoveries: Recoveries) -> None:
        self.recoveries = recoveries

    async def receive(
        self,
        recovery_id: int,
        reference: str,
        amount_fen: int,
        received_on: date,
        *,
        version: int,
        actor: Actor,
    ) -> RecoveryReceipt:
        """Match money that came back: principal first, then surcharge, both posted in the ledger.

        Raises :class:`RecoveryOver`, :class:`ReceiptTooMuch`, :class:`ReceiptKnown`,
        :class:`ReceiptDayImpossible` and ``RecoveryKeptBack`` for what a payment under way keeps back.
        """
        claim = await self.recoveries.owed(recovery_id, version, actor)
        now = self.recoveries.book.clocks.now(claim.programme_slug)
        try:
            async with in_transaction():
                # Before the claim, as whoever reverses its decision; the years are locked after both.
                await lock(claim.debtor_id)
                claim = await self.recoveries.change(claim)
                lines = await RecoveryLine.filter(recovery_id=claim.id).order_by("id")
                if received_on > day_of(now) or received_on < min(one.paid_out_on for one in lines):
                    raise ReceiptDayImpossible(day=received_on.isoformat())
                paid = pay_off(
                    open_lines(lines), claim.surcharge_due_fen, claim.yearly_bp, amount_fen, received_on
                )
                if paid.over_fen:
                    raise ReceiptTooMuch(over=yuan(paid.over_fen), arithmetic=_said(paid, claim.yearly_bp))
                await _require_room(claim, lines, amount_fen, received_on)
                receipt = await book(
                    claim, lines, paid, ReceiptKind.BANK, reference, received_on, actor=actor, now=now
                )
        except IntegrityError:
            raise ReceiptKnown(reference=reference) from None
        return receipt


async def book(
    claim: Recovery,
    lines: Sequence[RecoveryLine],
    paid: Paid,
    kind: ReceiptKind,
    reference: str,
    received_on: date,
    *,
    actor: Actor,
    now: datetime,
) -> RecoveryReceipt:
    """Keep a receipt, post what it pays off, and close the claim when nothing is owed.

    In the transaction of whoever holds the claim. A claim that ended meanwhile stays as it ended.
    """
    known = {line.id: line for line in lines}
    given = await given_back(claim.id)
    await lock_years(lines)
    for part in paid.parts:
        line = known[part.line_id]
        before_fen = given.held_fen(line)
        line.collected_fen += part.principal_fen
        await RecoveryLine.filter(id=line.id).update(collected_fen=F("collected_fen") + part.principal_fen)
        if more_fen := given.held_fen(line) - before_fen:
            await ledger.post(Movement.CLAW_BACK, more_fen, where_of(line), at=now)
    before_fen = given.held_surcharge_fen(claim)
    claim.surcharge_fen += paid.surcharge_fen
    if more_fen := given.held_surcharge_fen(claim) - before_fen:
        await ledger.post(Movement.COLLECT_SURCHARGE, more_fen, Where(lines[0].budget_id), at=now)
    owed_fen = claim.surcharge_due_fen + paid.borne_fen - paid.surcharge_fen
    whole = claim.status in OWED and owed_fen <= 0
    whole = whole and claim.collected_fen + paid.principal_fen == claim.principal_fen
    await Recovery.filter(id=claim.id).update(
        collected_fen=F("collected_fen") + paid.principal_fen,
        surcharge_due_fen=owed_fen,
        surcharge_fen=F("surcharge_fen") + paid.surcharge_fen,
        reminded_at=None,
        **({"status": RecoveryStatus.COLLECTED, "ended_at": now, "ended_by": actor.id} if whole else {}),
    )
    receipt = await RecoveryReceipt.create(
        recovery_id=claim.id,
        kind=kind,
        reference=reference.strip(),
        received_on=received_on,
        amount_fen=paid.principal_fen + paid.surcharge_fen,
        principal_fen=paid.principal_fen,
        surcharge_fen=paid.surcharge_fen,
        arithmetic=_said(paid, claim.yearly_bp),
        recorded_by=actor.id,
        recorded_at=now,
    )
    await note(
        "recovery.received",
        claim,
        actor,
        now,
        receipt=receipt.id,
        kind=kind.value,
        principal_fen=paid.principal_fen,
        surcharge_fen=paid.surcharge_fen,
    )
    await tell(
        "recovery.collected" if whole else "recovery.received", claim, now, amount_fen=receipt.amount_fen
    )
    return receipt


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What was given back of a claim: the principal by line, and the surcharge, fen."""

    lines: Mapping[int, int]
    surcharge_fen: int

    def without(self, made: RecoveryReturn) -> GivenBack:
        """The same before one of its transfers."""
        less = {int(line_id): int(fen) for line_id, fen in made.parts}
        lines = {line_id: fen - less.get(line_id, 0) for line_id, fen in self.lines.items()}
        return GivenBack(lines, self.surcharge_fen - made.surcharge_fen)

    def held_fen(self, line: RecoveryLine) -> int:
        """What the ledger has as clawed back of a line.

        Nothing once the bank brought its payment home. What was given back and is gone again, because the
        payment that it was kept back from was returned, is held by nobody twice.
        """
        return 0 if line.home_at is not None else max(0, line.collected_fen - self.lines.get(line.id, 0))

    def held_surcharge_fen(self, claim: Recovery) -> int:
        """The same of the surcharge."""
        return max(0, int(claim.surcharge_fen) - self.surcharge_fen)

    def ahead(self, claim: Recovery, lines: Sequence[RecoveryLine]) -> tuple[dict[int, int], int]:
        """What was given back and never came in, by line, and surcharge: paid ahead to the debtor, fen."""
        over = {line.id: self.lines.get(line.id, 0) - line.collected_fen for line in lines}
        surcharge_fen = max(0, self.surcharge_fen - claim.surcharge_fen)
        return {line_id: fen for line_id, fen in over.items() if fen > 0}, surcharge_fen


async def given_back(recovery_id: int) -> GivenBack:
    """What was given back of a claim, and agreed to."""
    lines: dict[int, int] = {}
    rows = await RecoveryReturn.filter(recovery_id=recovery_id, agreed=True)
    for line_id, fen in (part for one in rows for part in one.parts):
        lines[line_id] = lines.get(line_id, 0) + fen
    return GivenBack(lines, sum(one.surcharge_fen for one in rows))


async def ahead_fen(claim: Recovery) -> int:
    """What was given back of a claim although nothing came in for it, in the end, fen."""
    lines = await RecoveryLine.filter(recovery_id=claim.id)
    parts, surcharge_fen = (await given_back(claim.id)).ahead(claim, lines)
    return sum(parts.values()) + surcharge_fen


async def lock_years(lines: Sequence[RecoveryLine], *others: int) -> None:
    """Lock the years that these payments out came from, and others, until the transaction ends."""
    for budget_id in sorted({*(line.budget_id for line in lines), *others}):
        async with budgets.locked(budget_id):
            pass  # Kept until the transaction ends.


async def _require_room(
    claim: Recovery, lines: Sequence[RecoveryLine], amount_fen: int, received_on: date
) -> None:
    """Raise ``RecoveryKeptBack`` where a payment under way keeps back what this receipt would pay off."""
    kept_fen = (await kept_back_fen([claim.id])).get(claim.id, 0)
    if not kept_fen:
        return
    principal_fen, charged_fen = outstanding(
        open_lines(lines), claim.surcharge_due_fen, claim.yearly_bp, received_on
    )
    left_fen = max(0, principal_fen + charged_fen - kept_fen)
    if amount_fen > left_fen:
        raise RecoveryKeptBack(
            number=claim.number,
            kept=yuan(kept_fen),
            arithmetic=f"{yuan(principal_fen)} + {yuan(charged_fen)} − {yuan(kept_fen)}"
            f" = {yuan(left_fen)} < {yuan(amount_fen)}",
        )


def where_of(line: RecoveryLine) -> Where:
    """Where the money of a payment out that is claimed back came from."""
    return Where(
        line.budget_id,
        round_id=line.round_id,
        enterprise_id=line.enterprise_id,
        voucher_id=line.voucher_id,
        order_id=line.order_id,
        provider_id=line.provider_id,
        category=line.category,
    )


def _said(paid: Paid, yearly_bp: int) -> str:
    """What a receipt pays off, part by part."""
    parts = [
        texts.RECOVERY_PART.format(
            amount=yuan(part.principal_fen),
            rate=rate_said(yearly_bp),
            days=part.days,
            surcharge=yuan(part.surcharge_fen),
        )
        for part in paid.parts
    ]
    whole = texts.RECOVERY_PAID.format(principal=yuan(paid.principal_fen), surcharge=yuan(paid.surcharge_fen))
    return texts.STEP.join([*parts, whole])
