"""Payment receipts: the bank's word on a batch, taken from its file or entered one by one.

A file is looked at first. It is taken in only as it was looked at, and only if every line of it is right and
its lines come to what it states: otherwise nothing of it is done. The same file twice does nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.disbursements import Payment, PaymentBatch, ReceiptImport
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.rules.deadlines import day_of
from server.rules.disbursements import (
    BatchStatus,
    Known,
    Match,
    Matched,
    Receipt,
    matched,
    sums_differ,
)
from server.rules.own_payments import bank_reference
from server.services.access import Actor
from server.services.clocks import ProgrammeClocks
from server.services.disbursements import bank_words, disbursement_book, receipts_file
from server.services.disbursements.disbursement_book import makers, paying, require_reason
from server.services.disbursements.payables import Payables
from server.services.files import files
from server.services.tables import sheets
from server.services.tables.import_table import Row, Table

SENT = (BatchStatus.SENT, BatchStatus.CLOSED)
RECEIPT, RETURN = "bank_receipt", "bank_return"


class BatchNotPaying(Refusal):
    """The batch is not with the bank: there is nothing the bank could say of it."""

    status, code = 409, "batch_not_paying"


class ReceiptsBroken(Refusal):
    """Lines of the file are wrong, or it does not add up: nothing of it was taken in."""

    status, code = 422, "receipts_broken"


class ReceiptsNotPreviewed(Refusal):
    """The file or the books differ from what was looked at."""

    status, code = 409, "receipts_not_previewed"


class ReceiptUnfit(Refusal):
    """What was entered for one payment cannot be."""

    status, code = 422, "receipt_unfit"


@dataclass(frozen=True, slots=True)
class Found:
    """One line of the file: what it says, and what it does."""

    row: Row[Receipt]
    matched: Matched


@dataclass(frozen=True, slots=True)
class ReceiptsPreview:
    """What a file would do. ``arithmetic`` says how its lines miss what it states, if they do."""

    sha256: str
    fingerprint: str
    header: tuple[str, ...]
    lines: tuple[Found, ...]
    total_fen: int
    stated_fen: int | None
    arithmetic: str

    @property
    def counts(self) -> dict[str, int]:
        """Lines by what they do."""
        found = Counter(line.matched.match.value for line in self.lines)
        return {match.value: found[match.value] for match in Match}

    @property
    def ready(self) -> bool:
        """Whether it can be taken in."""
        return not self.arithmetic and not self.counts[Match.BROKEN.value]


class PaymentReceipts:
    """The verbs on the bank's receipts."""

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks, payables: Payables) -> None:
        self._programmes = programmes
        self._clocks = clocks
        self._payables = payables

    async def template(self, *, as_csv: bool) -> bytes:
        """The empty form: its header and an example line, which is left out when it comes back."""
        columns = receipts_file.columns()
        header, example = [one.name for one in columns], [[one.example for one in columns]]
        if as_csv:
            return await asyncio.to_thread(sheets.written_csv, header, example)
        return await asyncio.to_thread(sheets.written, header, example)

    async def preview(self, batch_id: int, raw: bytes, *, actor: Actor) -> ReceiptsPreview:
        """Everything that a file would do, line by line; nothing is written.

        Raises :class:`BatchNotPaying`, the sheet's refusals, ``ImportColumnsWrong``.
        """
        batch = await self._batch(actor, batch_id)
        return await self._compared(batch, *await self._read(raw), raw)

    async def report(self, preview: ReceiptsPreview) -> bytes:
        """The same file as XLSX, with what each line does and what is wrong with it beside it."""
        own = [place for place, name in enumerate(preview.header) if name not in texts.IMPORT_REPORT.values()]
        header = [*(preview.header[place] for place in own), *texts.IMPORT_REPORT.values()]
        rows = [
            [
                *(line.row.cells[place] if place < len(line.row.cells) else "" for place in own),
                texts.RECEIPT_MATCHES[line.matched.match.value],
                _problem(line),
            ]
            for line in preview.lines
        ]
        if preview.arithmetic:
            rows.append([*("" for _ in own), "", preview.arithmetic])
        return await asyncio.to_thread(sheets.written, header, rows)

    async def carry_out(self, batch_id: int, raw: bytes, *, fingerprint: str, actor: Actor) -> ReceiptImport:
        """Take a file in, in one transaction, if it still does what was looked at.

        A file that was taken in before is answered as it was then. Raises what :meth:`preview` raises,
        :class:`ReceiptsBroken`, :class:`ReceiptsNotPreviewed`, ``BooksDiffer``.
        """
        batch = await self._batch(actor, batch_id)
        sha256 = hashlib.sha256(raw).hexdigest()
        done = await ReceiptImport.get_or_none(batch_id=batch.id, sha256=sha256)
        if done is not None:
            return done
        table, stated_fen = await self._read(raw)
        now = self._clocks.now(batch.programme_slug)
        try:
            async with in_transaction() as connection:
                batch = await PaymentBatch.get(id=batch.id).select_related("budget")
                preview = await self._compared(batch, table, stated_fen, raw)
                if not preview.ready:
                    raise _broken(preview)
                if preview.fingerprint != fingerprint:
                    raise ReceiptsNotPreviewed()
                new = [line.row.item for line in preview.lines if line.matched.match is Match.NEW]
                said = {one.payment: one for one in new if one is not None}
                ids = dict(
                    await Payment.filter(batch_id=batch.id, number__in=list(said)).values_list("number", "id")
                )
                after = await bank_words.take(
                    batch,
                    {ids[number]: receipt for number, receipt in said.items()},
                    payable=self._payables[batch.source],
                    programme=self._programme(batch),
                    actor=actor,
                    now=now,
                    connection=connection,
                )
                run = await ReceiptImport.create(
                    batch_id=batch.id,
                    sha256=sha256,
                    counts=preview.counts,
                    total_fen=preview.total_fen,
                    done_by=actor.id,
                    done_at=now,
                )
                await disbursement_book.note(
                    "disbursement.receipts_taken", batch, actor, now, sha256=sha256, counts=preview.counts,
                    total_fen=preview.total_fen,
                )  # fmt: skip
        except IntegrityError:
            # Somebody took the same file in at this moment: the tables' own guards have noticed.
            raise ReceiptsNotPreviewed() from None
        await after()
        return run

    async def enter(self, payment_id: int, *, number: str, on: date, file_id: int, actor: Actor) -> Payment:
        """Enter one payment's receipt by hand, with its scan. Raises :class:`ReceiptUnfit`."""
        reference = bank_reference(number)
        if reference is None:
            raise ReceiptUnfit(problem=texts.RECEIPT_FAULTS["number"])
        return await self._singly(payment_id, actor, paid=True, on=on, number=reference, file_id=file_id)

    async def give_back(
        self, payment_id: int, *, reason: str, on: date, file_id: int, actor: Actor
    ) -> Payment:
        """Enter that the bank sent one payment back, before its receipt or after it, with what shows it."""
        reason = require_reason(reason)
        return await self._singly(payment_id, actor, paid=False, on=on, reason=reason, file_id=file_id)

    async def _singly(
        self,
        payment_id: int,
        actor: Actor,
        *,
        paid: bool,
        on: date,
        number: str = "",
        reason: str = "",
        file_id: int | None = None,
    ) -> Payment:
        payment = await disbursement_book.payment_for(actor, payment_id)
        batch = await self._batch(actor, payment.batch_id)
        now = self._clocks.now(batch.programme_slug)
        receipt = Receipt(
            payment=payment.number,
            amount_fen=payment.transfer_fen,
            paid=paid,
            on=on,
            number=number,
            reason=reason,
        )
        self._require_day(on, batch)
        rows = await files.own_files([] if file_id is None else [file_id], actor=actor)
        programme = self._programme(batch)
        try:
            async with in_transaction() as connection:
                batch = await PaymentBatch.get(id=batch.id).select_related("budget")
                found = (await self._match(batch, [receipt]))[0]
                if found.match is Match.BROKEN:
                    raise ReceiptUnfit(problem=found.problem)
                if found.match is Match.SAME:
                    return await disbursement_book.payment_for(actor, payment_id)
                kind = RECEIPT if paid else RETURN
                await files.attach(rows, f"payment:{payment.id}", kind, programme=programme, now=now)
                after = await bank_words.take(
                    batch, {payment.id: receipt}, payable=self._payables[batch.source], programme=programme,
                    actor=actor, now=now, connection=connection, file_id=file_id,
                )  # fmt: skip
        except IntegrityError:
            raise ReceiptUnfit(problem=texts.RECEIPT_FAULTS["taken"].format(receipt=number)) from None
        await after()
        return await disbursement_book.payment_for(actor, payment_id)

    def _require_day(self, on: date, batch: PaymentBatch) -> None:
        if problem := _day_problem(on, batch, day_of(self._clocks.now(batch.programme_slug))):
            raise ReceiptUnfit(problem=problem)

    async def _batch(self, actor: Actor, batch_id: int) -> PaymentBatch:
        batch = await disbursement_book.batch_for(actor, batch_id)
        programme = self._programme(batch)
        await paying(actor, programme, *makers(programme))
        if batch.archived_at is not None:
            raise disbursement_book.ArchiveClosed(number=batch.number)
        if batch.status not in SENT:
            raise BatchNotPaying(number=batch.number, status=texts.BATCH_STATUSES[batch.status])
        return batch

    def _programme(self, batch: PaymentBatch) -> Programme:
        return self._programmes.version(batch.programme_slug, batch.programme_version)

    async def _read(self, raw: bytes) -> tuple[Table[Receipt], int | None]:
        return await asyncio.to_thread(receipts_file.read, raw)

    async def _compared(
        self, batch: PaymentBatch, table: Table[Receipt], stated_fen: int | None, raw: bytes
    ) -> ReceiptsPreview:
        sound = [row.item for row in table.rows if row.item is not None]
        verdicts = iter(await self._match(batch, sound))
        today = day_of(self._clocks.now(batch.programme_slug))
        lines = []
        for row in table.rows:
            found = Matched(Match.BROKEN) if row.item is None else next(verdicts)
            if row.item is not None and (problem := _day_problem(row.item.on, batch, today)):
                found = Matched(Match.BROKEN, problem)
            lines.append(Found(row, found))
        amounts = [one.amount_fen for one in sound]
        sha256 = hashlib.sha256(raw).hexdigest()
        told = {
            "batch": batch.id,
            "sha256": sha256,
            "lines": [[line.row.number, line.matched.match] for line in lines],
        }
        return ReceiptsPreview(
            sha256=sha256,
            fingerprint=hashlib.sha256(json.dumps(told).encode()).hexdigest(),
            header=table.header,
            lines=tuple(lines),
            total_fen=sum(amounts),
            stated_fen=stated_fen,
            arithmetic=sums_differ(amounts, stated_fen),
        )

    async def _match(self, batch: PaymentBatch, said: Sequence[Receipt]) -> list[Matched]:
        known = {
            one.number: Known(
                payment=one.number,
                amount_fen=one.transfer_fen,
                status=one.status,
                receipt=one.receipt_number,
                tail=one.tail,
            )
            for one in await disbursement_book.payments_of(batch.id)
        }
        numbers = [one.number for one in said if one.number]
        taken: Mapping[str, str] = dict(
            await Payment.filter(receipt_number__in=numbers).values_list("receipt_number", "number")
        )
        found: list[Matched] = []
        seen: set[str] = set()
        for one in said:
            others = {number for number, payment in taken.items() if payment != one.payment} | seen
            found.append(matched(one, known.get(one.payment), others))
            if one.number:
                seen.add(one.number)
        return found


def _day_problem(on: date, batch: PaymentBatch, today: date) -> str:
    """What is wrong with the day of a receipt: it lies between the batch's sending and now."""
    assert batch.sent_at is not None, "only what was sent is paid"
    if day_of(batch.sent_at) <= on <= today:
        return ""
    return texts.RECEIPT_FAULTS["day"].format(sent=day_of(batch.sent_at).isoformat(), today=today.isoformat())


def _problem(line: Found) -> str:
    faults = [f"{one.column}：{one.problem}" if one.column else one.problem for one in line.row.faults]
    return texts.STEP.join([*faults, *([line.matched.problem] if line.matched.problem else [])])


def _broken(preview: ReceiptsPreview) -> ReceiptsBroken:
    broken = [line for line in preview.lines if line.matched.match is Match.BROKEN]
    first = _problem(broken[0]) if broken else preview.arithmetic
    return ReceiptsBroken(
        count=len(broken),
        first=first,
        arithmetic=preview.arithmetic or first,
        row=broken[0].row.number if broken else 0,
    )
