"""Funds: what came into the account a programme year is paid from, and the account as a statement (NX-38).

Finance allocates, the bank pays interest: each is entered by one with its paper and counts when another has
confirmed it. Interest rolls into the year's money in the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from tortoise.exceptions import IntegrityError
from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.models.disbursements import FundEntry, Payment
from server.models.rounds import Budget
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.programme.vocabulary import Actor as Role
from server.rules.deadlines import day_of
from server.rules.disbursements import FundKind, FundStatus, PaymentSource, TransferStatus
from server.rules.money import Movement
from server.services import access, journal
from server.services.access import Actor, NotFound
from server.services.budgets import budgets, ledger
from server.services.budgets.ledger import Where
from server.services.clocks import ProgrammeClocks
from server.services.disbursements.disbursement_book import (
    makers,
    paying,
    require_other_hands,
    require_reason,
)
from server.services.files import files
from server.services.vouchers import order_purse

STATEMENT = "bank_statement"


class InterestNotTheFunds(Refusal):
    """The text does not let interest join the year's money."""

    status, code = 409, "interest_not_the_funds"


class FundEntryTaken(Refusal):
    """The same statement, or document of allocation, was entered for the year before."""

    status, code = 409, "fund_entry_taken"


class FundEntryDecided(Refusal):
    """Somebody decided on the entry a moment earlier."""

    status, code = 409, "fund_entry_decided"


class FundDayAhead(Refusal):
    """The bank has not said anything of a day that has not come."""

    status, code = 422, "fund_day_ahead"


class LineKind(StrEnum):
    """A line of the account's statement."""

    ALLOCATION = "allocation"
    INTEREST = "interest"
    PAYMENT = "payment"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One movement of the account, fen: ``in_fen`` or ``out_fen``, and what is left after it."""

    kind: LineKind
    on: date
    reference: str
    name: str
    in_fen: int
    out_fen: int
    balance_fen: int


class Funds:
    """The verbs on the account of a programme year."""

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks) -> None:
        self._programmes = programmes
        self._clocks = clocks

    async def enter(
        self,
        slug: str,
        year: int,
        kind: FundKind,
        *,
        amount_fen: int,
        dated: date,
        reference: str,
        file_ids: Sequence[int],
        actor: Actor,
    ) -> FundEntry:
        """Enter an allocation of finance's, or interest with its bank statement; it counts when confirmed.

        Raises ``NotYourDisbursement``, ``YearNotOpen``, :class:`InterestNotTheFunds`, :class:`FundDayAhead`,
        :class:`FundEntryTaken`, ``FilesUnknown``.
        """
        programme, now = self._programmes.get(slug), self._clocks.now(slug)
        await paying(actor, programme, *keepers(programme, kind))
        if kind is FundKind.INTEREST and not programme.budget.interest_joins_fund:
            raise InterestNotTheFunds(clause=programme.budget.article)
        if dated > day_of(now):
            raise FundDayAhead()
        budget = await order_purse.year_budget(slug, year)
        rows = await files.own_files(file_ids, actor=actor)
        try:
            async with in_transaction():
                entry = await FundEntry.create(
                    budget_id=budget.id,
                    programme_slug=slug,
                    kind=kind,
                    amount_fen=amount_fen,
                    dated=dated,
                    reference=reference.strip(),
                    files=[row.id for row in rows],
                    entered_by=actor.id,
                    entered_at=now,
                )
                await files.attach(rows, f"fund_entry:{entry.id}", STATEMENT, programme=programme, now=now)
                await _note("fund.entered", entry, actor, now)
        except IntegrityError:
            raise FundEntryTaken(reference=reference.strip()) from None
        return entry

    async def decide(self, entry_id: int, *, confirmed: bool, reason: str = "", actor: Actor) -> FundEntry:
        """Confirm what somebody else entered, or reject it with a reason. Interest is posted then (NX-38).

        Raises ``NotFound``, ``NotYourDisbursement``, ``SameHands``, :class:`FundEntryDecided`.
        """
        entry = await FundEntry.get_or_none(id=entry_id)
        if entry is None:
            raise NotFound()
        access.require_programme(actor, entry.programme_slug)
        programme = self._programmes.get(entry.programme_slug)
        await paying(actor, programme, *keepers(programme, entry.kind))
        require_other_hands(actor, [entry.entered_by], clause=programme.budget.article, what="fund")
        why = reason.strip() if confirmed else require_reason(reason)
        now = self._clocks.now(programme.slug)
        status = FundStatus.CONFIRMED if confirmed else FundStatus.REJECTED
        async with budgets.locked(entry.budget_id) as budget:
            # The WHERE clause is the lock: of two who decide at once exactly one matches.
            done = await FundEntry.filter(id=entry.id, status=FundStatus.ENTERED).update(
                status=status, reason=why, decided_by=actor.id, decided_at=now
            )
            if not done:
                raise FundEntryDecided()
            if confirmed and entry.kind is FundKind.INTEREST:
                await Budget.filter(id=budget.id).update(total_fen=F("total_fen") + entry.amount_fen)
                await ledger.post(Movement.POST_INTEREST, entry.amount_fen, Where(budget.id), at=now)
            await _note(f"fund.{status.value}", entry, actor, now, reason=why)
        return await FundEntry.get(id=entry_id)


def keepers(programme: Programme, kind: FundKind) -> tuple[Role, ...]:
    """Who enters and confirms: finance and the authority what is allocated (GX-08), its keepers interest."""
    if kind is FundKind.ALLOCATION:
        return (Role.AUTHORITY, Role.TREASURY, *makers(programme))
    return (Role.AUTHORITY, *makers(programme))


async def entries(actor: Actor, *, programme: str | None, after: int, limit: int) -> list[FundEntry]:
    """The next entries after an id, of the programmes of whoever asks."""
    rows = FundEntry.filter(access.within_programmes(actor, "programme_slug"), id__gt=after)
    if programme is not None:
        rows = rows.filter(programme_slug=programme)
    return await rows.select_related("budget").order_by("id").limit(limit)


async def statement(budget: Budget) -> list[StatementLine]:
    """The account of a year as a statement by days: what came, what was paid, what is left."""
    moves: list[tuple[date, int, LineKind, str, str, int]] = [
        (row.dated, 0, LineKind(row.kind.value), row.reference, "", row.amount_fen)
        for row in await FundEntry.filter(budget_id=budget.id, status=FundStatus.CONFIRMED).order_by("id")
    ]
    of_year = Payment.filter(batch__budget_id=budget.id, source=PaymentSource.BUDGET)
    paid = of_year.filter(receipt_on__isnull=False).select_related("provider")
    for row in await paid.order_by("id"):
        if not row.transfer_fen:
            continue  # Kept back whole, or nothing to pay: nothing left the account.
        assert row.receipt_on is not None
        moves.append((row.receipt_on, 1, LineKind.PAYMENT, row.number, row.provider.name, -row.transfer_fen))
        if row.status is TransferStatus.RETURNED and row.settled_at is not None:
            back = day_of(row.settled_at)
            moves.append((back, 2, LineKind.RETURNED, row.number, row.provider.name, row.transfer_fen))
    lines, balance_fen = [], 0
    for on, _, kind, reference, name, fen in sorted(moves, key=lambda move: (move[0], move[1], move[3])):
        balance_fen += fen
        lines.append(StatementLine(kind, on, reference, name, max(fen, 0), max(-fen, 0), balance_fen))
    return lines


async def _note(action: str, entry: FundEntry, actor: Actor, now: datetime, **data: object) -> None:
    await journal.record(
        action,
        f"fund_entry:{entry.id}",
        actor=actor.name,
        at=now,
        programme_slug=entry.programme_slug,
        budget=entry.budget_id,
        kind=entry.kind.value,
        amount_fen=entry.amount_fen,
        reference=entry.reference,
        **data,
    )
