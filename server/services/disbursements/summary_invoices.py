"""Summary invoices: what a provider hands to the authority for its vouchers in a batch, before it is paid.

Where the text asks for one (LS-57), a batch is not approved before every provider in it has handed in an
invoice, or the uniform receipt of a public institution, for exactly the sum of its vouchers, and the original
has come in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime

from tortoise.exceptions import IntegrityError
from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.disbursements import Payment, PaymentBatch, SummaryInvoice
from server.models.organisations import Organisation
from server.models.payments import PaperMark
from server.programme.model import Programme
from server.programme.papers import Document
from server.programme.registry import Programmes
from server.programme.vocabulary import LegalForm
from server.rules.deadlines import day_of
from server.rules.disbursements import (
    BatchStatus,
    InvoiceStatus,
    PaymentSource,
    TransferStatus,
    added,
    invoice_of,
    require_sum,
)
from server.rules.invoice_checks import MarkKind, invoice_number
from server.services import access, journal, outbox
from server.services.access import Actor, NotFound, organisation_id_of
from server.services.clocks import ProgrammeClocks
from server.services.disbursements import disbursement_book
from server.services.disbursements.disbursement_book import makers, paying, payments_of, require_reason
from server.services.files import files
from server.services.organisations import memberships
from server.units import yuan

LIVE = (InvoiceStatus.HANDED, InvoiceStatus.ACCEPTED)


class SummaryInvoiceMissing(Refusal):
    """Some providers have not handed in their summary invoice, or its original is not there."""

    status, code = 409, "summary_invoice_missing"


class SummaryInvoiceNotAsked(Refusal):
    """The programme asks for none, the batch is past it, or the provider is not in it."""

    status, code = 409, "summary_invoice_not_asked"


class SummaryInvoiceTaken(Refusal):
    """The provider has handed one in for the batch, or its number was used before."""

    status, code = 409, "summary_invoice_taken"


class SummaryInvoiceNumberWrong(Refusal):
    """No invoice or fiscal receipt has such a number."""

    status, code = 422, "summary_invoice_number_wrong"


class SummaryInvoiceFuture(Refusal):
    """The invoice bears a day that has not come."""

    status, code = 422, "summary_invoice_future"


class SummaryInvoiceDecided(Refusal):
    """Somebody decided on it a moment earlier."""

    status, code = 409, "summary_invoice_decided"


class SummaryInvoices:
    """The verbs on summary invoices."""

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks) -> None:
        self._programmes = programmes
        self._clocks = clocks

    async def hand_in(
        self,
        batch_id: int,
        *,
        number: str,
        amount_fen: int,
        dated: date,
        file_ids: Sequence[int],
        actor: Actor,
    ) -> SummaryInvoice:
        """Hand in one's summary invoice for a batch. Its amount is the sum of the vouchers in it, to the fen.

        Raises ``SummaryInvoiceDiffers``, :class:`SummaryInvoiceNotAsked`, :class:`SummaryInvoiceTaken`,
        :class:`SummaryInvoiceNumberWrong`, :class:`SummaryInvoiceFuture`, ``FilesUnknown``.
        """
        batch, document, payments = await self._asked(actor, batch_id)
        now = self._clocks.now(batch.programme_slug)
        mark = invoice_number(number)
        if mark is None:
            raise SummaryInvoiceNumberWrong(name=document.name)
        if dated > day_of(now):
            raise SummaryInvoiceFuture(name=document.name)
        require_sum(document, amount_fen, [one.amount_fen for one in payments])
        try:
            async with in_transaction():
                organisation = await memberships.lock(organisation_id_of(actor))
                rows = await files.require_own(file_ids, organisation.id, by=actor.name)
                made = await SummaryInvoice.create(
                    batch_id=batch.id,
                    provider_id=organisation.id,
                    code=document.code,
                    number=mark,
                    amount_fen=amount_fen,
                    dated=dated,
                    files=[row.id for row in rows],
                    handed_by=actor.name,
                    handed_at=now,
                )
                # One table for all that counts once: an order's invoice with this number is found, and later
                # refused, whichever of the two comes first.
                await PaperMark.create(
                    kind=MarkKind.INVOICE,
                    mark=mark,
                    summary_invoice_id=made.id,
                    code=document.code,
                    marked_at=now,
                )
                programme = self._programmes.version(batch.programme_slug, batch.programme_version)
                await files.attach(
                    rows, f"summary_invoice:{made.id}", document.code, programme=programme, now=now
                )
                await _note("summary_invoice.handed", made, batch, actor, now, amount_fen=amount_fen)
                await outbox.tell(
                    f"staff:{batch.drafted_by}", "summary_invoice.handed", at=now, batch=batch.id,
                    number=batch.number, programme=batch.programme_slug, name=organisation.name,
                    amount=yuan(amount_fen),
                )  # fmt: skip
        except IntegrityError:
            raise SummaryInvoiceTaken(clause=document.article) from None
        return made

    async def decide(
        self, invoice_id: int, *, accepted: bool, reason: str = "", actor: Actor
    ) -> SummaryInvoice:
        """Say that the original has come in, or send the invoice back with a reason."""
        invoice = await SummaryInvoice.get_or_none(id=invoice_id).select_related("batch__budget")
        if invoice is None:
            raise NotFound()
        batch: PaymentBatch = invoice.batch
        access.require_programme(actor, batch.programme_slug)
        programme = self._programmes.version(batch.programme_slug, batch.programme_version)
        await paying(actor, programme, *makers(programme))
        now, why = self._clocks.now(programme.slug), reason.strip() if accepted else require_reason(reason)
        status = InvoiceStatus.ACCEPTED if accepted else InvoiceStatus.SENT_BACK
        async with in_transaction():
            # An accepted one may still be sent back, until the batch is approved on it: its row stands still.
            draft = await _still(batch) and await PaymentBatch.exists(id=batch.id, status=BatchStatus.DRAFT)
            may = [InvoiceStatus.HANDED] if accepted else list(LIVE)
            if not draft or not await _decided(invoice, may, status, why, actor, now):
                raise SummaryInvoiceDecided(clause=programme.disbursement.article)
            await _note(f"summary_invoice.{status.value}", invoice, batch, actor, now, reason=why)
            if not accepted:
                await _tell_sent_back(invoice, batch, why, now)
        return await SummaryInvoice.get(id=invoice.id)

    async def wanted(self, batch_id: int, *, actor: Actor) -> tuple[Document, int, str]:
        """What one's organisation is to hand in for a batch: document, sum in fen, arithmetic."""
        _, document, payments = await self._asked(actor, batch_id)
        amounts = [one.amount_fen for one in payments]
        return document, sum(amounts), added(amounts)

    async def _asked(self, actor: Actor, batch_id: int) -> tuple[PaymentBatch, Document, list[Payment]]:
        mine = organisation_id_of(actor)
        batch = await PaymentBatch.get_or_none(id=batch_id)
        rows = Payment.filter(batch_id=batch_id, provider_id=mine, status=TransferStatus.WAITING)
        payments = await rows.order_by("id")
        if batch is None or not payments:
            raise NotFound()
        programme = self._programmes.version(batch.programme_slug, batch.programme_version)
        document = document_for(batch, programme, await form_of(mine))
        if document is None or batch.status is not BatchStatus.DRAFT:
            raise SummaryInvoiceNotAsked(clause=programme.disbursement.article)
        return batch, document, payments


def document_for(batch: PaymentBatch, programme: Programme, form: LegalForm | None) -> Document | None:
    """What a provider of this form owes for a batch, if anything: an invoice is for public money alone."""
    return invoice_of(programme.disbursement, form) if batch.source is PaymentSource.BUDGET else None


async def form_of(organisation_id: int) -> LegalForm | None:
    """The legal form a provider registered as: a public institution hands in another paper (LS-57)."""
    provider = await Organisation.get(id=organisation_id)
    return provider.legal_form or (LegalForm.LEGAL_PERSON if provider.legal_person else None)


async def ask(batch: PaymentBatch, programme: Programme, *, now: datetime) -> None:
    """Tell every provider of a batch what it owes for it, where the text asks; inside the transaction."""
    if document_for(batch, programme, None) is None:
        return
    for provider_id, amounts in (await _sums(batch.id)).items():
        document = document_for(batch, programme, await form_of(provider_id))
        assert document is not None, "a programme that asks for one asks everybody"
        await outbox.tell(
            f"organisation:{provider_id}", "summary_invoice.due", at=now, batch=batch.id,
            number=batch.number, programme=programme.slug, name=document.name, amount=yuan(sum(amounts)),
        )  # fmt: skip


async def require_all(batch: PaymentBatch, programme: Programme, payments: Sequence[Payment]) -> None:
    """Raise :class:`SummaryInvoiceMissing` unless every provider's is accepted, and for its present sum.

    Inside the transaction that approves the batch: what is accepted now is not sent back before its end.
    """
    await _still(batch)
    lacking = await missing(batch, programme)
    if lacking:
        names = {one.provider_id: one.provider.name for one in payments}
        raise SummaryInvoiceMissing(
            clause=programme.disbursement.article,
            names=texts.LIST.join(names[provider_id] for provider_id in lacking),
        )


async def let_go(batch: PaymentBatch, reason: str, *, actor: Actor, now: datetime) -> None:
    """Send back what was handed in for a batch that is dropped: the same paper counts for the next one."""
    for invoice in await SummaryInvoice.filter(batch_id=batch.id, status__in=LIVE).order_by("id"):
        if await _decided(invoice, LIVE, InvoiceStatus.SENT_BACK, reason, actor, now):
            await _note("summary_invoice.sent_back", invoice, batch, actor, now, reason=reason)
            await _tell_sent_back(invoice, batch, reason, now)


async def missing(batch: PaymentBatch, programme: Programme) -> list[int]:
    """Whose summary invoice a batch still lacks, by provider; one for another sum counts for nothing."""
    if document_for(batch, programme, None) is None:
        return []
    accepted = {
        row.provider_id: row.amount_fen
        for row in await SummaryInvoice.filter(batch_id=batch.id, status=InvoiceStatus.ACCEPTED)
    }
    sums = await _sums(batch.id)
    return [one for one, amounts in sums.items() if accepted.get(one) != sum(amounts)]


async def _still(batch: PaymentBatch) -> int:
    """Let a batch's row stand still until the transaction ends."""
    # A write, because SQLite ignores SELECT … FOR UPDATE.
    return await PaymentBatch.filter(id=batch.id).update(version=F("version"))


async def _decided(
    invoice: SummaryInvoice,
    may: Collection[InvoiceStatus],
    status: InvoiceStatus,
    reason: str,
    actor: Actor,
    now: datetime,
) -> int:
    # The WHERE clause is the lock: of two who decide at once exactly one matches.
    decided = await SummaryInvoice.filter(id=invoice.id, status__in=list(may)).update(
        status=status, decided_by=actor.id, decided_at=now, reason=reason
    )
    if decided and status is InvoiceStatus.SENT_BACK:
        # It counts for nothing any more: its number may be handed in again.
        await PaperMark.filter(summary_invoice_id=invoice.id).delete()
    return decided


async def _tell_sent_back(invoice: SummaryInvoice, batch: PaymentBatch, reason: str, now: datetime) -> None:
    await outbox.tell(
        f"organisation:{invoice.provider_id}", "summary_invoice.sent_back", at=now,
        batch=batch.id, number=batch.number, programme=batch.programme_slug, reason=reason,
    )  # fmt: skip


async def _sums(batch_id: int) -> dict[int, list[int]]:
    amounts: dict[int, list[int]] = defaultdict(list)
    for payment in await payments_of(batch_id, TransferStatus.WAITING):
        if payment.amount_fen:
            amounts[payment.provider_id].append(payment.amount_fen)
    return amounts


async def of(batch_id: int) -> list[SummaryInvoice]:
    """A batch's summary invoices, with their providers, in the order they came."""
    return await SummaryInvoice.filter(batch_id=batch_id).select_related("provider").order_by("id")


async def _note(
    action: str, invoice: SummaryInvoice, batch: PaymentBatch, actor: Actor, now: datetime, **data: object
) -> None:
    await journal.record(
        action,
        disbursement_book.subject_of(batch),
        actor=actor.name,
        at=now,
        programme_slug=batch.programme_slug,
        invoice=invoice.id,
        provider=invoice.provider_id,
        **data,
    )
