"""Offsets: what of a payment is kept back for overdue claims against its payee, and what becomes of it.

Planned when a batch is drawn up, for claims whose decision lets later payments be kept back. In the ledger
the payment is as large as ever. The bank is told of the rest, and with its receipt the kept part pays the
claim off like money that came in. When the bank sends the payment back, the claim is owed again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol

from tortoise.expressions import F, Q

from server import texts
from server.errors import Refusal
from server.models.disbursements import Payment, PaymentBatch, PaymentOffset
from server.models.sanctions import Recovery, RecoveryLine, RecoveryReceipt, SanctionCase
from server.models.settlements import Settlement
from server.programme.model import Programme
from server.rules.deadlines import day_of
from server.rules.disbursements import TransferStatus
from server.rules.money import Movement
from server.rules.recoveries import (
    OWED,
    Due,
    Kept,
    Paid,
    Part,
    ReceiptKind,
    RecoveryStatus,
    keep_back,
    pay_off,
)
from server.services.access import Actor
from server.services.budgets import ledger
from server.services.budgets.ledger import Where
from server.services.sanctions import recovery_receipts, recovery_returns
from server.services.sanctions.recoveries import kept_back_fen, note, open_lines, tell
from server.services.sanctions.recovery_receipts import where_of
from server.units import yuan


class OffsetsChanged(Refusal):
    """What is owed by a payee of the batch changed since it was drawn up: it is drawn up anew."""

    status, code = 409, "offsets_changed"


@dataclass(frozen=True, slots=True)
class Planned:
    """What of one payment would be kept back for one claim."""

    recovery_id: int
    number: str
    amount_fen: int
    clause: str
    arithmetic: str


class KeptBack(Protocol):
    """What of these is kept back on a day, by settlement, as if that batch kept nothing back."""

    async def __call__(
        self, chosen: Sequence[Settlement], slug: str, on: date, *, but_batch: int | None = None
    ) -> Mapping[int, Sequence[Planned]]: ...


async def lock(provider_ids: Collection[int], slug: str) -> None:
    """Hold every open claim against these until the transaction ends, before any year is locked."""
    theirs = Recovery.filter(debtor_id__in=list(provider_ids), programme_slug=slug)
    # Of what was given back something may be kept, too.
    open_claims = theirs.filter(Q(status__in=list(OWED)) | Q(returns__agreed=True)).distinct()
    for recovery_id in sorted([int(str(one)) for one in await open_claims.values_list("id", flat=True)]):
        # A write, because SQLite ignores SELECT … FOR UPDATE; whoever comes later reads what was planned.
        await Recovery.filter(id=recovery_id).update(version=F("version"))


async def plan(
    chosen: Sequence[Settlement], slug: str, on: date, *, but_batch: int | None = None
) -> Mapping[int, Sequence[Planned]]:
    """What of each of these (by settlement, in the order of payment) is kept back on a day.

    ``but_batch``: as if that batch kept nothing back.
    """
    claims = await _due({one.provider_id for one in chosen}, slug, on, but_batch=but_batch)
    planned = await _paid_ahead(chosen, but_batch=but_batch)
    for provider_id, own in claims.items():
        amounts = {
            one.id: one.amount_fen - sum(each.amount_fen for each in planned.get(one.id, ()))
            for one in chosen
            if one.provider_id == provider_id
        }
        rows = {row.id: row for row, _ in own}
        for settlement_id, kept in keep_back(amounts, [due for _, due in own], on).items():
            said = _said(amounts[settlement_id], kept, rows)
            planned[settlement_id] = _merged([*planned.get(settlement_id, ()), *said])
    return planned


async def create(payment: Payment, planned: Sequence[Planned]) -> None:
    """Keep what is planned with its payment, in the transaction that draws it up."""
    await PaymentOffset.bulk_create(
        [
            PaymentOffset(
                payment_id=payment.id,
                recovery_id=one.recovery_id,
                amount_fen=one.amount_fen,
                clause=one.clause,
                arithmetic=one.arithmetic,
            )
            for one in planned
        ]
    )


async def require_current(
    batch: PaymentBatch, payments: Sequence[Payment], programme: Programme, kept_back: KeptBack
) -> None:
    """Raise :class:`OffsetsChanged` unless the batch keeps back for the claims that were due on its day.

    What has become due since is kept back from the next payment: each day adds some fen of surcharge.
    """
    on = day_of(batch.drafted_at)
    settlements = {
        one.id: one for one in await Settlement.filter(id__in=[one.settlement_id for one in payments])
    }
    in_order = [settlements[one.settlement_id] for one in payments]
    now_due = await kept_back(in_order, batch.programme_slug, on, but_batch=batch.id)
    kept = await of_payments(payments)
    changed = [
        one.number
        for one in payments
        if {each.recovery_id for each in now_due.get(one.settlement_id, ())}
        != {each.recovery_id for each in kept.get(one.id, ())}
    ]
    if changed:
        raise OffsetsChanged(clause=programme.disbursement.article, numbers=texts.LIST.join(changed))


async def require_owed(payments: Sequence[Payment], programme: Programme) -> None:
    """Raise :class:`OffsetsChanged` where a claim that something is kept back for ended meanwhile."""
    kept = PaymentOffset.filter(payment_id__in=[one.id for one in payments])
    rows = await kept.exclude(recovery__status__in=list(OWED)).select_related("recovery")
    ended = {
        one.recovery.number
        for one in rows
        if one.amount_fen > await recovery_receipts.ahead_fen(one.recovery)
    }
    if ended:
        numbers = texts.LIST.join(sorted(ended))
        raise OffsetsChanged(clause=programme.disbursement.article, numbers=numbers)


async def of_payments(payments: Sequence[Payment]) -> Mapping[int, list[PaymentOffset]]:
    """What is kept back of each payment, with its claim."""
    rows = PaymentOffset.filter(payment_id__in=[one.id for one in payments]).select_related("recovery")
    found: dict[int, list[PaymentOffset]] = {}
    for row in await rows.order_by("id"):
        found.setdefault(row.payment_id, []).append(row)
    return found


async def hold(payments: Sequence[Payment], budget_id: int) -> None:
    """Hold the claims of these payments, then every year that is posted on, until the transaction ends."""
    kept = await PaymentOffset.filter(payment_id__in=[one.id for one in payments])
    ids = sorted({one.recovery_id for one in kept})
    for recovery_id in ids:
        await Recovery.filter(id=recovery_id).update(version=F("version") + 1)
    lines = await RecoveryLine.filter(recovery_id__in=ids)
    await recovery_receipts.lock_years(lines, budget_id)


async def paid(payment: Payment, on: date, *, actor: Actor, now: datetime) -> None:
    """The bank paid the rest: what was kept back pays its claims off, principal before surcharge.

    A claim that ended after the batch was sent is paid off all the same, and its journal says what is owed
    back: the money was kept.
    """
    for one in await PaymentOffset.filter(payment_id=payment.id).order_by("id"):
        claim = await Recovery.get(id=one.recovery_id).select_related("debtor")
        lines = await RecoveryLine.filter(recovery_id=claim.id).order_by("id")
        given = await recovery_receipts.given_back(claim.id)
        ahead, rest_fen = _made_good(*given.ahead(claim, lines), one.amount_fen)
        filled = {part.line_id: part.principal_fen for part in ahead.parts}
        owed = [
            replace(each, open_fen=each.open_fen - filled.get(each.line_id, 0)) for each in open_lines(lines)
        ]
        found = pay_off(owed, claim.surcharge_due_fen, claim.yearly_bp, rest_fen, on)
        found = replace(
            found,
            parts=(*ahead.parts, *found.parts),
            principal_fen=ahead.principal_fen + found.principal_fen,
            surcharge_fen=ahead.surcharge_fen + found.surcharge_fen,
        )
        # A fen that rounding leaves between two receipts is surcharge paid ahead.
        found = replace(found, surcharge_fen=found.surcharge_fen + found.over_fen, over_fen=0)
        receipt = await recovery_receipts.book(
            claim, lines, found, ReceiptKind.OFFSET, reference_of(payment, claim), on, actor=actor, now=now
        )
        await PaymentOffset.filter(id=one.id).update(
            receipt_id=receipt.id,
            parts=[[part.line_id, part.principal_fen, part.surcharge_fen] for part in found.parts],
        )
        if claim.status not in OWED and rest_fen:
            await note(
                "recovery.kept_after_its_end",
                claim,
                actor,
                now,
                owed_back_fen=rest_fen,
                payment=payment.number,
            )
            case = await SanctionCase.get(id=claim.case_id)
            await recovery_returns.tell_to_give_back(case, rest_fen, now=now)


async def returned(payment: Payment, on: date, *, actor: Actor, now: datetime) -> None:
    """The bank sent a paid payment back: what it had paid off is owed again, to the fen.

    What was given back of it meanwhile is posted already: it counts as paid when the payment is made anew.
    """
    kept = PaymentOffset.filter(payment_id=payment.id, receipt_id__isnull=False)
    for one in await kept.order_by("-id"):
        claim = await Recovery.get(id=one.recovery_id).select_related("debtor")
        receipt = await RecoveryReceipt.get(id=one.receipt_id)
        lines = {line.id: line for line in await RecoveryLine.filter(recovery_id=claim.id)}
        given = await recovery_receipts.given_back(claim.id)
        for line_id, principal_fen, _ in one.parts:
            line = lines[line_id]
            before_fen = given.held_fen(line)
            line.collected_fen -= principal_fen
            await RecoveryLine.filter(id=line_id).update(collected_fen=F("collected_fen") - principal_fen)
            if less_fen := before_fen - given.held_fen(line):
                await ledger.post(Movement.RETURN_CLAWED_BACK, less_fen, where_of(line), at=now)
        before_fen = given.held_surcharge_fen(claim)
        claim.surcharge_fen -= receipt.surcharge_fen
        if less_fen := before_fen - given.held_surcharge_fen(claim):
            where = Where(min(lines.values(), key=lambda line: line.id).budget_id)
            await ledger.post(Movement.RETURN_SURCHARGE, less_fen, where, at=now)
        borne_fen = sum(part[2] for part in one.parts)
        reopened = claim.status is RecoveryStatus.COLLECTED
        await Recovery.filter(id=claim.id).update(
            collected_fen=F("collected_fen") - receipt.principal_fen,
            surcharge_fen=F("surcharge_fen") - receipt.surcharge_fen,
            surcharge_due_fen=F("surcharge_due_fen") + (receipt.surcharge_fen - borne_fen),
            **({"status": RecoveryStatus.DEMANDED, "ended_at": None, "ended_by": None} if reopened else {}),
        )
        await RecoveryReceipt.create(
            recovery_id=claim.id,
            kind=ReceiptKind.RETURNED,
            reference=receipt.reference,
            received_on=on,
            amount_fen=receipt.amount_fen,
            principal_fen=receipt.principal_fen,
            surcharge_fen=receipt.surcharge_fen,
            arithmetic=texts.OFFSET_RETURNED.format(number=payment.number, amount=yuan(receipt.amount_fen)),
            recorded_by=actor.id,
            recorded_at=now,
        )
        claim = await Recovery.get(id=claim.id)
        paid_ahead_fen = await recovery_receipts.ahead_fen(claim)
        await note(
            "recovery.offset_returned",
            claim,
            actor,
            now,
            receipt=receipt.id,
            payment=payment.number,
            paid_ahead_fen=paid_ahead_fen,
        )
        if claim.status in OWED:
            await tell("recovery.offset_returned", claim, now, amount_fen=receipt.amount_fen)


def reference_of(payment: Payment, claim: Recovery) -> str:
    """Under which reference a claim keeps what was kept back for it of a payment."""
    return f"{payment.number}/{claim.number}"


async def _paid_ahead(chosen: Sequence[Settlement], *, but_batch: int | None) -> dict[int, Sequence[Planned]]:
    """What of these was paid before: kept back, given back, and then the bank returned the payment.

    Whoever was to be paid has that part, so the next attempt is less by it. It is no claim, and needs none.
    """
    returned = PaymentOffset.filter(
        payment__settlement_id__in=[one.id for one in chosen],
        payment__status=TransferStatus.RETURNED,
        receipt_id__isnull=False,
    )
    rows = await returned.select_related("payment", "recovery__case").order_by("id")
    last = {row.payment.settlement_id: row.payment_id for row in rows}
    rows = [row for row in rows if last[row.payment.settlement_id] == row.payment_id]
    kept = await kept_back_fen([row.recovery_id for row in rows], but_batch=but_batch)
    left_fen = {
        row.recovery_id: await recovery_receipts.ahead_fen(row.recovery) - kept.get(row.recovery_id, 0)
        for row in rows
    }
    before_fen = {one.id: one.amount_fen for one in chosen}
    planned: dict[int, Sequence[Planned]] = {}
    for row in rows:
        settlement_id = row.payment.settlement_id
        part_fen = min(row.amount_fen, left_fen[row.recovery_id], before_fen[settlement_id])
        if part_fen <= 0:
            continue
        said = texts.PAID_AHEAD.format(
            payment=row.payment.number,
            before=yuan(before_fen[settlement_id]),
            kept=yuan(part_fen),
            left=yuan(before_fen[settlement_id] - part_fen),
        )
        left_fen[row.recovery_id] -= part_fen
        before_fen[settlement_id] -= part_fen
        claim = row.recovery
        ahead = Planned(claim.id, claim.number, part_fen, claim.case.clause, said)
        planned[settlement_id] = [*planned.get(settlement_id, ()), ahead]
    return planned


def _merged(planned: Sequence[Planned]) -> list[Planned]:
    """One line for each claim."""
    found: dict[int, Planned] = {}
    for one in planned:
        known = found.get(one.recovery_id)
        found[one.recovery_id] = (
            one
            if known is None
            else replace(
                known,
                amount_fen=known.amount_fen + one.amount_fen,
                arithmetic=texts.STEP.join((known.arithmetic, one.arithmetic)),
            )
        )
    return list(found.values())


def _made_good(ahead: Mapping[int, int], surcharge_fen: int, amount_fen: int) -> tuple[Paid, int]:
    """What of an amount makes good what was given back too early, and what is left of it."""
    left_fen, parts = amount_fen, []
    for line_id, fen in sorted(ahead.items()):
        part_fen = min(fen, left_fen)
        if part_fen:
            parts.append(Part(line_id, part_fen, 0, 0))
            left_fen -= part_fen
    charged_fen = min(surcharge_fen, left_fen)
    principal_fen = sum(part.principal_fen for part in parts)
    return Paid(tuple(parts), principal_fen, charged_fen, 0, 0), left_fen - charged_fen


async def _due(
    provider_ids: Collection[int], slug: str, on: date, *, but_batch: int | None
) -> dict[int, list[tuple[Recovery, Due]]]:
    """The overdue claims against each of these that may be kept back for, oldest first."""
    rows = await (
        Recovery.filter(
            debtor_id__in=list(provider_ids),
            programme_slug=slug,
            may_offset=True,
            status=RecoveryStatus.DEMANDED,
            due_provisional=False,  # A day that was guessed takes nothing from anybody.
        )
        .select_related("case")
        .order_by("id")
    )
    kept = await kept_back_fen([row.id for row in rows], but_batch=but_batch)
    lines: dict[int, list[RecoveryLine]] = {}
    for line in await RecoveryLine.filter(recovery_id__in=[row.id for row in rows]).order_by("id"):
        lines.setdefault(line.recovery_id, []).append(line)
    found: dict[int, list[tuple[Recovery, Due]]] = {}
    for row in rows:
        # Its last day is the debtor's own: what is due may be kept back from the day after it.
        later = sum(one["amount_fen"] for one in row.instalments if date.fromisoformat(one["due_on"]) >= on)
        if row.due_on is None or (row.due_on >= on and not row.instalments):
            continue
        due = Due(
            row.id,
            tuple(open_lines(lines.get(row.id, []))),
            row.surcharge_due_fen,
            row.yearly_bp,
            later,
            kept.get(row.id, 0),
        )
        if due.most_fen(on):
            found.setdefault(row.debtor_id, []).append((row, due))
    return found


def _said(amount_fen: int, kept: Sequence[Kept], claims: Mapping[int, Recovery]) -> list[Planned]:
    """The same in words, claim after claim: what it is owed, what is kept, what the payment has left."""
    planned, left_fen = [], amount_fen
    for one in kept:
        claim = claims[one.recovery_id]
        planned.append(
            Planned(
                recovery_id=claim.id,
                number=claim.number,
                amount_fen=one.amount_fen,
                clause=claim.case.clause,
                arithmetic=texts.KEPT_BACK.format(
                    number=claim.number,
                    owed=yuan(one.owed_fen),
                    before=yuan(left_fen),
                    kept=yuan(one.amount_fen),
                    left=yuan(left_fen - one.amount_fen),
                ),
            )
        )
        left_fen -= one.amount_fen
    return planned
