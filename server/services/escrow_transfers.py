"""Escrow transfers: released escrow on its way to the provider's account, in batches as payments are.

The ledger says released when a settlement becomes payable. It says transferred when the bank's receipt is
entered, and the opposite when the bank sends the money back. One draws a batch up, another approves it. Who
approved does not send it. No year pays it: it is the enterprise's own money.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.exceptions import IntegrityError
from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.escrow_transfers import EscrowBatch, EscrowTransfer
from server.models.orders import Order
from server.models.organisations import Organisation
from server.models.payments import Escrow
from server.models.settlements import Settlement
from server.programme.bank_files import BankTemplate
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.rules.deadlines import day_of
from server.rules.disbursements import (
    BATCH_MOVES,
    AccountStatus,
    BatchStatus,
    TransferStatus,
    masked,
)
from server.rules.lifecycles import require_move
from server.rules.money import Movement
from server.rules.own_payments import bank_reference
from server.sealing import Sealer
from server.services import (
    bank_accounts,
    bank_files,
    disbursement_book,
    files,
    journal,
    ledger,
    settlement_book,
)
from server.services.access import Actor
from server.services.bank_files import BankFile, BankFormat, BankLine
from server.services.batch_sending import BankTemplateUnknown, BatchAltered, BatchNotSent
from server.services.clocks import ProgrammeClocks
from server.services.disbursement_book import (
    BatchMovedOn,
    makers,
    paying,
    require_impartial,
    require_other_hands,
    require_reason,
)
from server.services.escrow_book import batch_for, transfer_for, transfers_of, waiting
from server.services.ledger import Where
from server.services.numbers import new_number
from server.services.payment_batches import AccountsChanged, SettlementsHeld
from server.services.payment_receipts import RECEIPT, RETURN, ReceiptUnfit


class NothingToTransfer(Refusal):
    """No released escrow waits for its transfer, or something stands in the way of all of it."""

    status, code = 409, "nothing_to_transfer"


class EscrowTransfers:
    """The verbs on escrow transfers. Instants are those of the programme's clock."""

    def __init__(
        self,
        programmes: Programmes,
        clocks: ProgrammeClocks,
        sealer: Sealer,
        templates: Mapping[str, BankTemplate],
    ) -> None:
        self._programmes = programmes
        self._clocks = clocks
        self._sealer = sealer
        self._templates = templates

    async def draft(self, slug: str, *, reason: str, actor: Actor) -> EscrowBatch:
        """Draw up a batch of everything that was released and not transferred, and that nothing holds.

        Raises ``NotYourDisbursement``, ``ReasonMissing``, ``OwnReview``, :class:`NothingToTransfer`.
        """
        programme, reason = self._programmes.get(slug), require_reason(reason)
        reviewer, now = await paying(actor, programme, *makers(programme)), self._clocks.now(slug)
        try:
            async with in_transaction() as connection:
                rows = await disbursement_book.lock(await waiting(slug), connection)
                accounts = await bank_accounts.verified([one.provider_id for one in rows], slug)
                held = await disbursement_book.held(rows)
                fit = [one for one in rows if not held[one.id] and one.provider_id in accounts]
                if not fit:
                    raise NothingToTransfer(clause=programme.disbursement.article, count=len(rows))
                payees = await Organisation.filter(id__in={one.provider_id for one in fit})
                require_impartial(reviewer, payees)
                made = await EscrowBatch.create(
                    number=new_number("EB"),
                    programme_slug=slug,
                    programme_version=programme.version,
                    transfers_count=len(fit),
                    total_fen=sum(one.escrow_fen for one in fit),
                    reason=reason,
                    drafted_by=actor.id,
                    drafted_at=now,
                )
                for line, one in enumerate(fit, 1):
                    await EscrowTransfer.create(
                        number=f"{made.number}-{line:04d}",
                        batch_id=made.id,
                        settlement_id=one.id,
                        order_id=one.order_id,
                        provider_id=one.provider_id,
                        account_id=accounts[one.provider_id].id,
                        amount_fen=one.escrow_fen,
                    )
                await _note("escrow.drafted", made, actor, now, total_fen=made.total_fen, reason=reason)
        except IntegrityError:
            raise NothingToTransfer(clause=programme.disbursement.article, count=0) from None
        return made

    async def approve(self, batch_id: int, *, version: int, reason: str, actor: Actor) -> EscrowBatch:
        """Approve a draft as it was seen: whom the text names, and nobody who drew it up.

        Raises ``NotYourDisbursement``, ``SameHands``, ``OwnReview``, ``BatchMovedOn``, ``IllegalMove``,
        ``AccountsChanged``, ``SettlementsHeld``.
        """
        reason = require_reason(reason)
        batch, programme = await self._of(actor, batch_id)
        reviewer = await paying(actor, programme, programme.disbursement.approved_by)
        require_other_hands(actor, [batch.drafted_by], clause=programme.disbursement.article, what="batch")
        now = self._clocks.now(programme.slug)
        async with in_transaction() as connection:
            transfers = await self._fit(batch, programme, connection)
            require_impartial(reviewer, [one.provider for one in transfers])
            await _move(
                batch, BatchStatus.APPROVED, version, approved_by=actor.id, approved_at=now,
                content_sha256=_content(transfers),
            )  # fmt: skip
            await _note("escrow.approved", batch, actor, now, total_fen=batch.total_fen, reason=reason)
        return await EscrowBatch.get(id=batch.id)

    async def drop(self, batch_id: int, *, version: int, reason: str, actor: Actor) -> EscrowBatch:
        """Drop a batch that no bank has seen; everything in it waits again."""
        reason = require_reason(reason)
        batch, programme = await self._of(actor, batch_id)
        await paying(actor, programme, *makers(programme), programme.disbursement.approved_by)
        now = self._clocks.now(programme.slug)
        async with in_transaction():
            await _move(batch, BatchStatus.DROPPED, version, closed_at=now)
            waiting = EscrowTransfer.filter(batch_id=batch.id, status=TransferStatus.WAITING)
            await waiting.update(status=TransferStatus.DROPPED, reason=reason)
            await _note("escrow.dropped", batch, actor, now, reason=reason)
        return await EscrowBatch.get(id=batch.id)

    async def send(self, batch_id: int, *, template: str, version: int, actor: Actor) -> EscrowBatch:
        """Make an approved batch the bank's; whoever pays does it, and not the one who approved.

        Raises ``BankTemplateUnknown``, ``NotYourDisbursement``, ``SameHands``, ``SettlementsHeld``,
        ``BatchAltered``, ``BatchMovedOn``.
        """
        if template not in self._templates:
            raise BankTemplateUnknown(template=template)
        batch, programme = await self._of(actor, batch_id)
        await paying(actor, programme, programme.disbursement.paid_by)
        require_other_hands(actor, [batch.approved_by], clause=programme.disbursement.article, what="sending")
        now = self._clocks.now(programme.slug)
        async with in_transaction() as connection:
            transfers = await self._fit(batch, programme, connection, accounts=False)
            if batch.status is BatchStatus.APPROVED and _content(transfers) != batch.content_sha256:
                raise BatchAltered(number=batch.number)
            made = await self._file(batch, programme, template, transfers)
            await _move(
                batch, BatchStatus.SENT, version, sent_by=actor.id, sent_at=now, template=template,
                csv_sha256=made.sha256(BankFormat.CSV), xlsx_sha256=made.sha256(BankFormat.XLSX),
            )  # fmt: skip
            await _note("escrow.sent", batch, actor, now, template=template, total_fen=made.total_fen)
        return await EscrowBatch.get(id=batch.id)

    async def file(
        self, batch_id: int, form: BankFormat, *, reason: str, actor: Actor
    ) -> tuple[EscrowBatch, bytes]:
        """The file as it was sent, with whole account numbers: with a reason, and journaled."""
        reason = require_reason(reason)
        batch, programme = await self._of(actor, batch_id)
        await paying(actor, programme, programme.disbursement.paid_by)
        if not batch.template:
            raise BatchNotSent(number=batch.number)
        async with in_transaction():
            now = self._clocks.now(programme.slug)
            await _note("escrow.file_taken", batch, actor, now, form=form.value, reason=reason)
        sent = [one for one in await transfers_of(batch.id) if one.status is not TransferStatus.DROPPED]
        made = await self._file(batch, programme, batch.template, sent)
        if made.sha256(form) != (batch.csv_sha256 if form is BankFormat.CSV else batch.xlsx_sha256):
            raise BatchAltered(number=batch.number)
        return batch, made.content(form)

    async def enter(
        self, transfer_id: int, *, number: str, on: date, file_id: int, actor: Actor
    ) -> EscrowTransfer:
        """Enter the bank's receipt of a transfer, with its scan. Raises ``ReceiptUnfit``."""
        reference = bank_reference(number)
        if reference is None:
            raise ReceiptUnfit(problem=texts.RECEIPT_FAULTS["number"])
        return await self._hear(transfer_id, actor, paid=True, on=on, number=reference, file_id=file_id)

    async def give_back(
        self, transfer_id: int, *, reason: str, on: date, file_id: int, actor: Actor
    ) -> EscrowTransfer:
        """Enter that the bank sent a transfer back, before its receipt or after it: it waits again."""
        reason = require_reason(reason)
        return await self._hear(transfer_id, actor, paid=False, on=on, reason=reason, file_id=file_id)

    async def _hear(
        self,
        transfer_id: int,
        actor: Actor,
        *,
        paid: bool,
        on: date,
        number: str = "",
        reason: str = "",
        file_id: int | None = None,
    ) -> EscrowTransfer:
        seen = await transfer_for(actor, transfer_id)
        batch, programme = await self._of(actor, seen.batch_id)
        await paying(actor, programme, *makers(programme))
        now = self._clocks.now(programme.slug)
        rows = await files.own_files([] if file_id is None else [file_id], actor=actor)
        try:
            async with in_transaction() as connection:
                settlement = await Settlement.get(id=seen.settlement_id)
                await disbursement_book.lock([settlement], connection)
                one = await transfer_for(actor, transfer_id)
                if _said_before(one, paid, number):
                    return one
                if problem := _problem(one, batch, paid, on, now):
                    raise ReceiptUnfit(problem=problem)
                kind = RECEIPT if paid else RETURN
                await files.attach(rows, f"escrow_transfer:{one.id}", kind, programme=programme, now=now)
                await EscrowTransfer.filter(id=one.id, status=one.status).update(
                    status=TransferStatus.PAID if paid else TransferStatus.RETURNED,
                    settled_by=actor.name,
                    settled_at=now,
                    **(
                        {"receipt_number": number, "receipt_on": on, "receipt_file": file_id}
                        if paid
                        else {"reason": reason, "returned_on": on, "return_file": file_id}
                    ),
                )
                await self._follow(one, settlement, paid, number, reason, actor, now)
                await _close(batch, actor, now)
        except IntegrityError:
            raise ReceiptUnfit(problem=texts.RECEIPT_FAULTS["taken"].format(receipt=number)) from None
        return await transfer_for(actor, transfer_id)

    async def _follow(
        self,
        one: EscrowTransfer,
        settlement: Settlement,
        paid: bool,
        number: str,
        reason: str,
        actor: Actor,
        now: datetime,
    ) -> None:
        """The ledger, the journal, and both sides; an account that the bank refused is out of use."""
        if paid:
            await _post(Movement.TRANSFER_ESCROW, one, now)
        elif one.status is TransferStatus.PAID:
            await _post(Movement.RETURN_ESCROW_TRANSFER, one, now)
        ending = masked(one.account.tail)
        await settlement_book.note(
            "settlement.escrow_transferred" if paid else "settlement.escrow_returned", settlement, actor, now,
            transfer=one.number, amount_fen=one.amount_fen, receipt=number, reason=reason,
        )  # fmt: skip
        if paid:
            await settlement_book.tell(
                "escrow.transferred", settlement, [settlement.provider_id, settlement.enterprise_id],
                now=now, escrow_fen=one.amount_fen, ending=ending, receipt=number,
            )  # fmt: skip
            return
        await bank_accounts.fail(one.account_id, reason=reason, actor=actor, now=now)
        await settlement_book.tell(
            "escrow.returned", settlement, [settlement.provider_id], now=now, escrow_fen=one.amount_fen,
            ending=ending, reason=reason,
        )  # fmt: skip

    async def _fit(
        self,
        batch: EscrowBatch,
        programme: Programme,
        connection: BaseDBAsyncClient,
        *,
        accounts: bool = True,
    ) -> list[EscrowTransfer]:
        transfers = await transfers_of(batch.id, TransferStatus.WAITING)
        seen = await Settlement.filter(id__in=[one.settlement_id for one in transfers]).order_by("id")
        rows = await disbursement_book.lock(seen, connection)
        reasons = await disbursement_book.held(rows)
        held = [one.number for one in rows if reasons[one.id]]
        if held:
            raise SettlementsHeld(clause=programme.disbursement.article, numbers=texts.LIST.join(held))
        changed = [one.number for one in transfers if one.account.status is not AccountStatus.VERIFIED]
        if accounts and changed:
            raise AccountsChanged(clause=programme.disbursement.article, numbers=texts.LIST.join(changed))
        return transfers

    async def _file(
        self, batch: EscrowBatch, programme: Programme, template: str, transfers: Sequence[EscrowTransfer]
    ) -> BankFile:
        shape = self._templates[template]
        ids = [one.settlement_id for one in transfers]
        numbers = dict(await Settlement.filter(id__in=ids).values_list("id", "number"))
        lines = [
            BankLine.to(
                one.account,
                self._sealer,
                payment=one.number,
                uscc=one.provider.uscc,
                amount_fen=one.amount_fen,
                settlement=str(numbers[one.settlement_id]),
            )
            for one in transfers
        ]
        year = programme.year_of(batch.drafted_at)
        purpose = shape.purpose_for(programme=programme.name, year=year, batch=batch.number)
        return await asyncio.to_thread(bank_files.written, shape, lines, purpose=purpose, batch=batch.number)

    async def _of(self, actor: Actor, batch_id: int) -> tuple[EscrowBatch, Programme]:
        batch = await batch_for(actor, batch_id)
        return batch, self._programmes.version(batch.programme_slug, batch.programme_version)


def _said_before(one: EscrowTransfer, paid: bool, number: str) -> bool:
    if paid:
        return one.status is TransferStatus.PAID and one.receipt_number == number
    return one.status is TransferStatus.RETURNED


def _problem(one: EscrowTransfer, batch: EscrowBatch, paid: bool, on: date, now: datetime) -> str:
    """What is wrong with the bank's word on a transfer; empty where nothing is."""
    faults = texts.RECEIPT_FAULTS
    if one.status is TransferStatus.DROPPED or batch.sent_at is None:
        return faults["dropped"]
    if paid and one.status is TransferStatus.PAID:
        return faults["twice"].format(receipt=one.receipt_number)
    if paid and one.status is TransferStatus.RETURNED:
        return faults["returned"]
    if not day_of(batch.sent_at) <= on <= day_of(now):
        return faults["day"].format(sent=day_of(batch.sent_at).isoformat(), today=day_of(now).isoformat())
    return ""


async def _post(movement: Movement, one: EscrowTransfer, now: datetime) -> None:
    order = await Order.get(id=one.order_id)
    escrow = await Escrow.get(order_id=order.id)
    where = Where(
        escrow.budget_id,
        enterprise_id=order.enterprise_id,
        order_id=order.id,
        provider_id=order.provider_id,
        category=order.category,
    )
    await ledger.post(movement, one.amount_fen, where, at=now)


async def _move(batch: EscrowBatch, status: BatchStatus, version: int, **columns: object) -> None:
    """Give a batch its next status; the WHERE clause is the lock."""
    require_move(BATCH_MOVES, batch.status, status)
    mine = EscrowBatch.filter(id=batch.id, version=version, status=batch.status)
    if not await mine.update(status=status, version=F("version") + 1, **columns):
        now = await EscrowBatch.get(id=batch.id)
        raise BatchMovedOn(number=now.number, status=texts.BATCH_STATUSES[now.status])


async def _close(batch: EscrowBatch, actor: Actor, now: datetime) -> None:
    if await EscrowTransfer.filter(batch_id=batch.id, status=TransferStatus.WAITING).exists():
        return
    sent = EscrowBatch.filter(id=batch.id, status=BatchStatus.SENT)
    if await sent.update(status=BatchStatus.CLOSED, closed_at=now, version=F("version") + 1):
        await _note("escrow.closed", batch, actor, now)


def _content(transfers: Sequence[EscrowTransfer]) -> str:
    lines = [[one.number, one.settlement_id, one.account_id, one.amount_fen] for one in transfers]
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()


async def _note(action: str, batch: EscrowBatch, actor: Actor, now: datetime, **data: object) -> None:
    await journal.record(
        action,
        f"escrow_batch:{batch.id}",
        actor=actor.name,
        at=now,
        programme_slug=batch.programme_slug,
        number=batch.number,
        **data,
    )
