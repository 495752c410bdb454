"""Receipts of recoveries: what came back is matched, pays off principal, then surcharge, and is posted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from tortoise.exceptions import IntegrityError
from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.sanctions import Recovery, RecoveryLine, RecoveryReceipt
from server.rules.deadlines import day_of
from server.rules.money import Movement
from server.rules.recoveries import Paid, ReceiptKind, RecoveryStatus, pay_off
from server.services import budgets, ledger
from server.services.access import Actor
from server.services.ledger import Where
from server.services.recoveries import Recoveries, open_lines
from server.services.sanction_preview import rate_said
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


class OffsetNotDecided(Refusal):
    """It was not decided that later payments may be kept back."""

    status, code = 409, "recovery_offset_not_decided"


class RecoveryReceipts:
    """The verb that takes in what comes back."""

    def __init__(self, recoveries: Recoveries) -> None:
        self.recoveries = recoveries

    async def receive(
        self,
        recovery_id: int,
        kind: ReceiptKind,
        reference: str,
        amount_fen: int,
        received_on: date,
        *,
        version: int,
        actor: Actor,
    ) -> RecoveryReceipt:
        """Match money that came back: principal first, then surcharge, both posted in the ledger.

        Raises :class:`RecoveryOver`, :class:`ReceiptTooMuch`, :class:`ReceiptKnown`,
        :class:`ReceiptDayImpossible` and :class:`OffsetNotDecided`.
        """
        claim = await self.recoveries.owed(recovery_id, version, actor)
        now = self.recoveries.book.clocks.now(claim.programme_slug)
        if kind is ReceiptKind.OFFSET and not claim.may_offset:
            raise OffsetNotDecided(number=claim.number)
        try:
            async with in_transaction():
                claim = await self.recoveries.change(claim)
                lines = await RecoveryLine.filter(recovery_id=claim.id).order_by("id")
                if received_on > day_of(now) or received_on < min(one.paid_out_on for one in lines):
                    raise ReceiptDayImpossible(day=received_on.isoformat())
                paid = pay_off(
                    open_lines(lines), claim.surcharge_due_fen, claim.yearly_bp, amount_fen, received_on
                )
                if paid.over_fen:
                    raise ReceiptTooMuch(over=yuan(paid.over_fen), arithmetic=_said(paid, claim.yearly_bp))
                receipt = await self._book(claim, lines, paid, kind, reference, received_on, actor, now)
        except IntegrityError:
            raise ReceiptKnown(reference=reference) from None
        return receipt

    async def _book(
        self,
        claim: Recovery,
        lines: Sequence[RecoveryLine],
        paid: Paid,
        kind: ReceiptKind,
        reference: str,
        received_on: date,
        actor: Actor,
        now: datetime,
    ) -> RecoveryReceipt:
        """Keep the receipt, post what it pays off, and close the claim when nothing is owed."""
        known = {line.id: line for line in lines}
        for budget_id in sorted({line.budget_id for line in lines}):
            async with budgets.locked(budget_id):
                pass  # Kept until the transaction ends.
        for part in paid.parts:
            line = known[part.line_id]
            await RecoveryLine.filter(id=line.id).update(
                collected_fen=F("collected_fen") + part.principal_fen
            )
            await ledger.post(Movement.CLAW_BACK, part.principal_fen, _where(line), at=now)
        if paid.surcharge_fen:
            await ledger.post(
                Movement.COLLECT_SURCHARGE, paid.surcharge_fen, Where(lines[0].budget_id), at=now
            )
        owed_fen = claim.surcharge_due_fen + paid.borne_fen - paid.surcharge_fen
        whole = claim.collected_fen + paid.principal_fen == claim.principal_fen and not owed_fen
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
        await self.recoveries.note(
            "recovery.received",
            claim,
            actor,
            now,
            receipt=receipt.id,
            principal_fen=paid.principal_fen,
            surcharge_fen=paid.surcharge_fen,
        )
        await self.recoveries.tell(
            "recovery.collected" if whole else "recovery.received", claim, now, amount_fen=receipt.amount_fen
        )
        return receipt


def _where(line: RecoveryLine) -> Where:
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
