"""Sending a batch: its bank's file, made of what was approved and of nothing else, and the file again later.

The numbers of accounts are opened here alone. Each time somebody takes the file its hash is compared with the
one it was sent under, and who took it and why is in the journal first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.models.disbursements import Payment, PaymentBatch
from server.models.settlements import Settlement
from server.programme.bank_files import BankTemplate
from server.programme.model import Programme
from server.rules.deadlines import day_of
from server.rules.disbursements import BatchStatus, PaymentSource, Receipt, TransferStatus
from server.sealing import Sealer
from server.services import outbox
from server.services.access import Actor
from server.services.afterwards import After, nothing
from server.services.disbursements import bank_files, bank_words, disbursement_book
from server.services.disbursements.bank_files import BankFile, BankFormat, BankLine
from server.services.disbursements.disbursement_book import (
    paying,
    payments_of,
    require_other_hands,
    require_reason,
)
from server.services.disbursements.payment_batches import PaymentBatches
from server.services.disbursements.payment_plan import content_hash
from server.units import yuan

SENT: Mapping[PaymentSource, str] = {
    PaymentSource.BUDGET: "disbursement.sent",
    PaymentSource.ESCROW: "escrow.sent",
}
"""How a payee is told that a batch is with the bank."""


class BankTemplateUnknown(Refusal):
    """There is no such template of a bank's file."""

    status, code = 422, "bank_template_unknown"


class BatchNotSent(Refusal):
    """There is no file of a batch before it is sent."""

    status, code = 409, "batch_not_sent"


class BatchAltered(Refusal):
    """What the batch holds is not what was approved or sent: nothing leaves before somebody has looked."""

    status, code = 409, "batch_altered"


class BatchSending:
    """The verbs on bank files."""

    def __init__(
        self,
        batches: PaymentBatches,
        sealer: Sealer,
        templates: Mapping[str, BankTemplate],
    ) -> None:
        self._batches = batches
        self._sealer = sealer
        self.templates = templates

    def template(self, code: str) -> BankTemplate:
        """Raises :class:`BankTemplateUnknown`."""
        try:
            return self.templates[code]
        except KeyError:
            raise BankTemplateUnknown(template=code) from None

    async def send(self, batch_id: int, *, template: str, version: int, actor: Actor) -> PaymentBatch:
        """Make an approved batch the bank's: from now on its file can be taken, and nothing of it changes.

        Whoever pays does it, and not the one who approved. Raises :class:`BankTemplateUnknown`,
        ``NotYourDisbursement``, ``SameHands``, ``SettlementsHeld``, ``OffsetsChanged``, ``BatchMovedOn``,
        :class:`BatchAltered`.
        """
        shape = self.template(template)
        batch, programme = await self._of(actor, batch_id)
        await paying(actor, programme, programme.disbursement.paid_by)
        require_other_hands(actor, [batch.approved_by], clause=programme.disbursement.article, what="sending")
        now = self._batches.clocks.now(programme.slug)
        await self._batches.look_again(batch)
        async with in_transaction() as connection:
            payments = await self._batches.still_fit(batch, programme)
            if batch.status is BatchStatus.APPROVED and content_hash(payments) != batch.content_sha256:
                raise BatchAltered(number=batch.number)
            made = await self._file(batch, programme, shape, payments)
            await disbursement_book.move(
                batch,
                BatchStatus.SENT,
                version,
                sent_by=actor.id,
                sent_at=now,
                template=template,
                csv_sha256=made.sha256(BankFormat.CSV),
                xlsx_sha256=made.sha256(BankFormat.XLSX),
            )
            await disbursement_book.note(
                "disbursement.sent",
                batch,
                actor,
                now,
                template=template,
                payments=made.count,
                total_fen=made.total_fen,
                csv_sha256=made.sha256(BankFormat.CSV),
                xlsx_sha256=made.sha256(BankFormat.XLSX),
            )
            for provider_id in sorted({one.provider_id for one in payments}):
                own = [
                    one.transfer_fen
                    for one in payments
                    if one.provider_id == provider_id and one.transfer_fen
                ]
                if not own:
                    continue
                await outbox.tell(
                    f"organisation:{provider_id}",
                    SENT[batch.source],
                    at=now,
                    batch=batch.id,
                    number=batch.number,
                    programme=batch.programme_slug,
                    amount=yuan(sum(own)),
                    count=len(own),
                )
            after = await self._settle_rest(batch, programme, payments, actor, now, connection)
        await after()
        return await PaymentBatch.get(id=batch.id).select_related("budget")

    async def _settle_rest(
        self,
        batch: PaymentBatch,
        programme: Programme,
        payments: Sequence[Payment],
        actor: Actor,
        now: datetime,
        connection: BaseDBAsyncClient,
    ) -> After:
        """What no bank transfers, kept back whole or nothing at all, is settled with the sending."""
        said = {
            one.id: Receipt(payment=one.number, amount_fen=0, paid=True, on=day_of(now), number=one.number)
            for one in payments
            if not one.transfer_fen
        }
        if not said:
            return nothing
        return await bank_words.take(
            batch, said, payable=self._batches.payables[batch.source], programme=programme, actor=actor,
            now=now, connection=connection,
        )  # fmt: skip

    async def file(
        self, batch_id: int, form: BankFormat, *, reason: str, actor: Actor
    ) -> tuple[PaymentBatch, bytes]:
        """The file as it was sent, with whole account numbers: to whoever pays, with a reason, and journaled.

        Raises :class:`BatchNotSent`, :class:`BatchAltered`, ``ReasonMissing``.
        """
        reason = require_reason(reason)
        batch, programme = await self._of(actor, batch_id)
        await paying(actor, programme, programme.disbursement.paid_by)
        if not batch.template:
            raise BatchNotSent(number=batch.number)
        async with in_transaction():
            now = self._batches.clocks.now(programme.slug)
            await disbursement_book.note(
                "disbursement.file_taken", batch, actor, now, form=form.value, reason=reason
            )
        payments = [one for one in await payments_of(batch.id) if one.status is not TransferStatus.DROPPED]
        made = await self._file(batch, programme, self.template(batch.template), payments)
        sent = batch.csv_sha256 if form is BankFormat.CSV else batch.xlsx_sha256
        if made.sha256(form) != sent:
            raise BatchAltered(number=batch.number)
        return batch, made.content(form)

    async def _file(
        self, batch: PaymentBatch, programme: Programme, shape: BankTemplate, payments: list[Payment]
    ) -> BankFile:
        ids = [one.settlement_id for one in payments]
        numbers = dict(await Settlement.filter(id__in=ids).values_list("id", "number"))
        lines = [
            BankLine.to(
                one.payee,
                self._sealer,
                payment=one.number,
                uscc=one.provider.uscc,
                amount_fen=one.transfer_fen,
                settlement=str(numbers[one.settlement_id]),
            )
            for one in payments
            if one.transfer_fen
        ]
        purpose = shape.purpose_for(programme=programme.name, year=batch.budget.year, batch=batch.number)
        return await asyncio.to_thread(bank_files.written, shape, lines, purpose=purpose, batch=batch.number)

    async def _of(self, actor: Actor, batch_id: int) -> tuple[PaymentBatch, Programme]:
        batch = await disbursement_book.batch_for(actor, batch_id)
        return batch, self._batches.programmes.version(batch.programme_slug, batch.programme_version)
