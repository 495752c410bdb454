"""Archives: the result of a batch filed with a higher body, its papers handed over, and the archive closed.

The hand-over list names every paper of every payment with its hash, and the bank's receipt (GZ-43). Whoever
receives it compares the list; from then on the batch and its settlements are read and never changed, and each
case has come to its end. What a chain has no step for is done all the same, where the text asks for nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.disbursements import HandOver, Payment, PaymentBatch, ResultFiling, SummaryInvoice
from server.models.files import FileAttachment, StoredFile
from server.models.orders import OrderPaper
from server.models.reviews import ReviewCase
from server.models.settlements import Settlement, SettlementForm, SettlementPaper
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.programme.review import ReviewKind
from server.programme.vocabulary import Actor as Role
from server.rules.deadlines import day_of
from server.rules.disbursements import (
    BatchStatus,
    HandOverStatus,
    InvoiceStatus,
    PaymentSource,
    TransferStatus,
)
from server.rules.settlements import SettlementStatus
from server.services import access, outbox
from server.services.access import Actor, NotFound
from server.services.afterwards import After, together
from server.services.clocks import ProgrammeClocks
from server.services.disbursements import disbursement_book
from server.services.disbursements.disbursement_book import (
    ArchiveClosed,
    makers,
    paying,
    require_other_hands,
    require_reason,
)
from server.services.disbursements.payables import Payables
from server.services.files import files
from server.services.reviews.review_cases import copied
from server.services.reviews.reviews import Reviews
from server.services.settlements import settlement_book
from server.units import yuan

FILING = "result_filing"


class BatchNotClosed(Refusal):
    """The bank has not spoken of every payment of the batch."""

    status, code = 409, "batch_not_closed"


class FilingNotAsked(Refusal):
    """The text asks for no filing of the result."""

    status, code = 409, "filing_not_asked"


class FilingDone(Refusal):
    """The result was filed before."""

    status, code = 409, "filing_done"


class FilingAhead(Refusal):
    """Nothing was filed on a day that has not come."""

    status, code = 422, "filing_ahead"


class FilingMissing(Refusal):
    """The result is filed before the papers go to the archive (GZ-41)."""

    status, code = 409, "filing_missing"


class HandOverExists(Refusal):
    """The batch's papers were handed over, and wait to be received or are in the archive."""

    status, code = 409, "hand_over_exists"


class HandOverDecided(Refusal):
    """Somebody received the papers or sent them back a moment earlier."""

    status, code = 409, "hand_over_decided"


class HandOverChanged(Refusal):
    """The papers are not those that the list names."""

    status, code = 409, "hand_over_changed"


class Archives:
    """The verbs on what follows payment."""

    def __init__(
        self, programmes: Programmes, clocks: ProgrammeClocks, reviews: Reviews, payables: Payables
    ) -> None:
        self._programmes = programmes
        self._clocks = clocks
        self._reviews = reviews
        self._payables = payables

    async def file(
        self, batch_id: int, *, reference: str, filed_on: date, file_ids: Sequence[int], actor: Actor
    ) -> ResultFiling:
        """Put down that a batch's result was filed with the body the text names (GZ-41), case by case.

        Raises :class:`FilingNotAsked`, :class:`BatchNotClosed`, :class:`FilingDone`, :class:`FilingAhead`.
        """
        batch, programme = await self._closed(actor, batch_id)
        if not self._filed_with(batch, programme):
            raise FilingNotAsked(clause=programme.disbursement.article)
        await paying(actor, programme, Role.AUTHORITY, programme.disbursement.approved_by)
        now = self._clocks.now(programme.slug)
        if filed_on > day_of(now):
            raise FilingAhead()
        rows = await files.own_files(file_ids, actor=actor)
        try:
            async with in_transaction() as connection:
                settlements = await self._locked(batch, connection)
                filing = await ResultFiling.create(
                    batch_id=batch.id,
                    filed_with=programme.disbursement.filed_with,
                    reference=reference.strip(),
                    filed_on=filed_on,
                    files=[row.id for row in rows],
                    filed_by=actor.id,
                    filed_at=now,
                )
                await files.attach(rows, f"payment_batch:{batch.id}", FILING, programme=programme, now=now)
                afters = [
                    await self._on_record(one, ReviewKind.FILING, actor, filing.reference)
                    for one in settlements
                ]
                await disbursement_book.note(
                    "disbursement.filed", batch, actor, now, body=filing.filed_with,
                    reference=filing.reference, on=filed_on.isoformat(),
                )  # fmt: skip
        except IntegrityError:
            raise FilingDone(number=batch.number) from None
        await together(afters)()
        return filing

    async def hand_over(self, batch_id: int, *, remarks: str = "", actor: Actor) -> HandOver:
        """Hand all papers of a batch over to the archive, as a list with a hash for each (GZ-43).

        Raises :class:`BatchNotClosed`, :class:`FilingMissing`, :class:`HandOverExists`.
        """
        batch, programme = await self._closed(actor, batch_id)
        await paying(actor, programme, *makers(programme))
        body = self._filed_with(batch, programme)
        if body and not await ResultFiling.exists(batch_id=batch.id):
            raise FilingMissing(number=batch.number, body=body, clause=programme.disbursement.article)
        now = self._clocks.now(programme.slug)
        try:
            async with in_transaction():
                items = await items_of(batch)
                made = await HandOver.filter(batch_id=batch.id).count()
                row = await HandOver.create(
                    number=f"HO{batch.number}{made + 1:02d}",
                    batch_id=batch.id,
                    items=items,
                    sha256=list_hash(items),
                    handed_by=actor.id,
                    handed_at=now,
                    remarks=remarks.strip(),
                )
                await disbursement_book.note(
                    "disbursement.handed_over", batch, actor, now, hand_over=row.id, items=len(items),
                    sha256=row.sha256,
                )  # fmt: skip
                await outbox.tell(
                    outbox.team(receiver(programme), programme.slug), "disbursement.handed_over", at=now,
                    programme=programme.slug, batch=batch.id, number=row.number, count=len(items),
                )  # fmt: skip
        except IntegrityError:
            raise HandOverExists(number=batch.number) from None
        return row

    async def receive(
        self, hand_over_id: int, *, accepted: bool, remarks: str = "", actor: Actor
    ) -> HandOver:
        """Receive the papers and close the archive, or send them back with what is missing.

        Whom the text names does it, and nobody who handed them over. Raises ``SameHands``,
        :class:`HandOverDecided`, :class:`HandOverChanged`.
        """
        row = await HandOver.get_or_none(id=hand_over_id).select_related("batch__budget")
        if row is None:
            raise NotFound()
        batch: PaymentBatch = row.batch
        access.require_programme(actor, batch.programme_slug)
        programme = self._programmes.version(batch.programme_slug, batch.programme_version)
        await paying(actor, programme, receiver(programme))
        require_other_hands(actor, [row.handed_by], clause=programme.disbursement.article, what="archive")
        now = self._clocks.now(programme.slug)
        why = remarks.strip() if accepted else require_reason(remarks)
        status = HandOverStatus.RECEIVED if accepted else HandOverStatus.SENT_BACK
        afters: list[After] = []
        async with in_transaction() as connection:
            settlements = await self._locked(batch, connection)
            done = await HandOver.filter(id=row.id, status=HandOverStatus.HANDED).update(
                status=status, received_by=actor.id, received_at=now, remarks=why or row.remarks
            )
            if not done:
                raise HandOverDecided()
            if accepted:
                if list_hash(await items_of(batch)) != row.sha256:
                    raise HandOverChanged(number=row.number)
                afters = await self._close(batch, settlements, row, actor, now)
            await disbursement_book.note(
                f"disbursement.hand_over_{status.value}", batch, actor, now, hand_over=row.id, remarks=why
            )
            await outbox.tell(
                f"staff:{row.handed_by}",
                "disbursement.hand_over_received" if accepted else "disbursement.hand_over_sent_back",
                at=now,
                programme=programme.slug, batch=batch.id, number=row.number, reason=why,
            )  # fmt: skip
        await together(afters)()
        return await HandOver.get(id=row.id)

    async def _close(
        self,
        batch: PaymentBatch,
        settlements: Sequence[Settlement],
        row: HandOver,
        actor: Actor,
        now: datetime,
    ) -> list[After]:
        afters = []
        for one in settlements if self._payables[batch.source].ends_review else ():
            afters.append(await self._on_record(one, ReviewKind.ARCHIVE, actor, row.number))
            await settlement_book.change(one, status=SettlementStatus.CLOSED, ended_at=now)
            await settlement_book.note("settlement.archived", one, actor, now, hand_over=row.number)
        archived = await PaymentBatch.filter(id=batch.id, archived_at=None).update(archived_at=now)
        assert archived, "a batch is archived with its one hand-over"
        return afters

    async def _on_record(self, one: Settlement, kind: ReviewKind, actor: Actor, reference: str) -> After:
        """Put a step on record where the case stands at one of this kind."""
        case = None if one.case_id is None else await ReviewCase.get(id=one.case_id)
        place = None if case is None else case.place
        if case is None or place is None or copied(case).chain.steps[place].kind is not kind:
            return together([])
        return await self._reviews.put_on_record(case, kind=kind, actor=actor, reason=reference)

    def _filed_with(self, batch: PaymentBatch, programme: Programme) -> str:
        """With whom the result is filed; what ends no review has none."""
        return programme.disbursement.filed_with if self._payables[batch.source].ends_review else ""

    async def _locked(self, batch: PaymentBatch, connection: BaseDBAsyncClient) -> list[Settlement]:
        """The settlements a batch has paid, locked; what came back is another batch's."""
        paid = Payment.filter(batch_id=batch.id, status=TransferStatus.PAID)
        ids = await paid.order_by("id").values_list("settlement_id", flat=True)
        return await disbursement_book.lock(
            await Settlement.filter(id__in=list(ids)).order_by("id"), connection
        )

    async def _closed(self, actor: Actor, batch_id: int) -> tuple[PaymentBatch, Programme]:
        batch = await disbursement_book.batch_for(actor, batch_id)
        if batch.archived_at is not None:
            raise ArchiveClosed(number=batch.number)
        if batch.status is not BatchStatus.CLOSED:
            raise BatchNotClosed(number=batch.number)
        return batch, self._programmes.version(batch.programme_slug, batch.programme_version)


def receiver(programme: Programme) -> Role:
    """Who receives the papers: whom the text names, else whoever approves what is paid."""
    return programme.disbursement.archive_to or programme.disbursement.approved_by


def list_hash(items: Sequence[dict[str, Any]]) -> str:
    """The hash of a hand-over list."""
    return hashlib.sha256(json.dumps(items, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


async def items_of(batch: PaymentBatch) -> list[dict[str, Any]]:
    """Every paper of what a batch has paid: kind, whose, name, number and hash, in the order of payments.

    What shows that a payment came back follows, then the batch's own.
    """
    items: list[dict[str, Any]] = []
    paid = Payment.filter(batch_id=batch.id, status=TransferStatus.PAID).select_related("provider")
    for payment in await paid.order_by("id"):
        settlement = await Settlement.get(id=payment.settlement_id)
        for kind, ids in await _papers(payment, settlement):
            items += await _of_files(kind, settlement.number, payment.provider.name, ids)
        items.append(_receipt(payment, settlement))
        if payment.receipt_file is not None:
            items += await _of_files(
                "receipt", settlement.number, payment.provider.name, [payment.receipt_file]
            )
    back = Payment.filter(batch_id=batch.id, return_file__isnull=False).select_related("provider")
    for payment in await back.order_by("id"):
        slips = [one for one in (payment.receipt_file, payment.return_file) if one is not None]
        items += await _of_files("receipt", payment.number, payment.provider.name, slips)
    invoices = SummaryInvoice.filter(batch_id=batch.id, status=InvoiceStatus.ACCEPTED)
    for invoice in await invoices.select_related("provider").order_by("id"):
        items += await _of_files("invoice", invoice.number, invoice.provider.name, invoice.files)
    for filing in await ResultFiling.filter(batch_id=batch.id):
        items += await _of_files("filing", filing.reference, filing.filed_with, filing.files)
    items.append({
        "kind": "bank_file", "of": batch.number, "owner": "", "name": batch.template,
        "file": None, "sha256": batch.csv_sha256, "pages": 0,
    })  # fmt: skip
    return items


def _receipt(payment: Payment, settlement: Settlement) -> dict[str, Any]:
    assert payment.receipt_on is not None, "what is paid has its receipt"
    said = texts.BANK_RECEIPT.format(
        number=payment.number,
        receipt=payment.receipt_number,
        on=payment.receipt_on.isoformat(),
        amount=yuan(payment.transfer_fen),
    )
    return {
        "kind": "receipt",
        "of": settlement.number,
        "owner": payment.provider.name,
        "name": said,
        "file": None,
        "sha256": hashlib.sha256(said.encode()).hexdigest(),
        "pages": 0,
    }


async def _of_files(kind: str, of: str, owner: str, ids: Sequence[int]) -> list[dict[str, Any]]:
    rows = {row.id: row for row in await StoredFile.filter(id__in=list(ids))}
    return [
        {
            "kind": kind,
            "of": of,
            "owner": owner,
            "name": rows[one].name,
            "file": one,
            "sha256": rows[one].sha256,
            "pages": rows[one].pages,
        }
        for one in dict.fromkeys(ids)
        if one in rows
    ]


async def _papers(payment: Payment, settlement: Settlement) -> list[tuple[str, list[int]]]:
    """What a settlement was decided on; it goes to the archive once, with the year's money."""
    if payment.source is not PaymentSource.BUDGET:
        return []
    return [
        ("order", await _order_files(payment.order_id)),
        ("settlement", await _settlement_files(settlement)),
        ("form", await _forms(settlement)),
    ]


async def _order_files(order_id: int) -> list[int]:
    ids: list[int] = []
    for paper in await OrderPaper.filter(order_id=order_id, withdrawn_at=None).order_by("id"):
        ids += paper.files
    attached = FileAttachment.filter(subject=f"order:{order_id}").order_by("id")
    return [*ids, *(one.file_id for one in await attached)]


async def _settlement_files(settlement: Settlement) -> list[int]:
    ids: list[int] = []
    rows = SettlementPaper.filter(application_id=settlement.application_id, withdrawn_at=None)
    for paper in await rows.order_by("id"):
        if paper.settlement_id in (None, settlement.id):
            ids += paper.files
    return ids


async def _forms(settlement: Settlement) -> list[int]:
    forms = SettlementForm.filter(application_id=settlement.application_id).order_by("id")
    return [one.file_id for one in await forms]


async def of(batch_id: int) -> tuple[ResultFiling | None, list[HandOver]]:
    """A batch's filing, if there is one, and its hand-over lists, oldest first."""
    return (
        await ResultFiling.get_or_none(batch_id=batch_id),
        await HandOver.filter(batch_id=batch_id).order_by("id"),
    )


async def hand_over_for(actor: Actor, hand_over_id: int) -> HandOver:
    """A hand-over of a programme the actor works on, with its batch. Raises ``NotFound``."""
    row = await HandOver.get_or_none(id=hand_over_id).select_related("batch")
    if row is None or actor.kind != "staff":
        raise NotFound()
    access.require_programme(actor, row.batch.programme_slug)
    return row
