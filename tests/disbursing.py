"""The till: the settlement counter, and all that happens to money between its approval and the archive."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from server.models.disbursements import BankAccount, HandOver, Payment, PaymentBatch
from server.models.files import EvidenceObject, StoredFile
from server.models.organisations import Organisation
from server.models.people import Staff
from server.models.reviews import ReviewCase
from server.models.rounds import Budget
from server.models.sanctions import SanctionCase
from server.models.settlements import Settlement, SettlementWindow
from server.programme.bank_files import load_bank_templates
from server.programme.papers import DocumentKind
from server.programme.supervision import load_anomaly_defaults
from server.rules.disbursements import BatchStatus, PaymentSource, Receipt
from server.services.access import Actor
from server.services.admissions.related_parties import RelatedParties
from server.services.disbursements.bank_files import plain_yuan
from server.services.disbursements.disbursement_book import makers
from server.services.disbursements.disbursement_office import DisbursementOffice
from server.services.supervision.anomalies import Anomalies
from server.services.supervision.contact_marks import ContactMarks
from server.services.supervision.supervision_book import SupervisionBook
from server.services.tables import sheets
from tests.contracting import ALLOTTED, DAY, SEALER, person_of
from tests.settling import Counter

_numbers = count(1)
WHY = "核对无误"


class Till(Counter):
    """The verbs on payments, and people of the roles that each programme asks for."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.anomalies = Anomalies(
            SupervisionBook(self.programmes, self.clocks),
            load_anomaly_defaults(Path("config/anomalies.toml")),
            ContactMarks(RelatedParties(SEALER), SEALER),
            _proposes_nothing,
        )
        self.is_watchful = False
        self.office = DisbursementOffice(
            self.programmes,
            self.clocks,
            self.reviews,
            sealer=SEALER,
            templates=load_bank_templates(Path("config/bank_files")),
            look=self.look,
        )

    async def look(self, settlement_ids: Collection[int]) -> None:
        """Orders done in a day would look wrong to the rules: only who tests that has them look."""
        if self.is_watchful:
            await self.anomalies.look_again(settlement_ids)

    async def staff(self, role: str) -> Actor:
        """Somebody new of a role."""
        row = await Staff.create(
            username=f"till{next(_numbers)}", password_hash="", display_name=role, roles=[role],
            created_at=self.now,
        )  # fmt: skip
        return Actor("staff", row.id, "", None, frozenset({role}))

    async def staff_again(self, staff_id: int) -> Actor:
        """Somebody who did something before."""
        row = await Staff.get(id=staff_id)
        return Actor("staff", row.id, "", None, frozenset(row.roles))

    async def maker(self, slug: str) -> Actor:
        """Somebody new who may draw up batches and enter what the bank says."""
        return await self.staff(makers(self.programmes.get(slug))[0].value)

    async def payer(self, slug: str) -> Actor:
        """Somebody new of the role that pays."""
        return await self.staff(self.programmes.get(slug).disbursement.paid_by.value)

    async def approver(self, slug: str) -> Actor:
        """Somebody new of the role that approves."""
        return await self.staff(self.programmes.get(slug).disbursement.approved_by.value)

    async def payable(self, slug: str, *, budget: Budget, **others: Any) -> Settlement:
        """A settlement that nothing but its payment stands before."""
        if slug == ALLOTTED and not await SettlementWindow.exists():
            opens, closes = self.now, self.now + 30 * DAY
            actor = await self.staff("authority")
            await self.windows.announce(slug, "集中兑付", opens, closes, actor=actor)
        order = await self.finished(slug, budget=budget, **others)
        return await self.through(await self.submitted(order))

    async def account(
        self, organisation: Organisation, slug: str, *, number: str = "", verified: bool = True
    ) -> BankAccount:
        """A provider's account, verified by two."""
        accounts = self.office.accounts
        account = await accounts.enter(
            slug,
            holder=organisation.name,
            number=number or f"6222{next(_numbers):012d}",
            bank="中国银行某某支行",
            actor=person_of(organisation),
        )
        for _ in range(2 if verified else 0):
            account = await accounts.verify(account.id, version=account.version, actor=await self.payer(slug))
        return account

    async def with_account(self, settlement: Settlement) -> BankAccount:
        """The same for whom a settlement pays."""
        provider = await Organisation.get(id=settlement.provider_id)
        return await self.account(provider, settlement.programme_slug)

    async def drafted(
        self,
        slug: str,
        year: int,
        source: PaymentSource = PaymentSource.BUDGET,
        *,
        leave_out: Mapping[int, str] | None = None,
    ) -> PaymentBatch:
        """A batch of everything that waits for one source in a year."""
        batch, _ = await self.office.batches.draft(
            slug, year, source, leave_out=leave_out or {}, reason=WHY, actor=await self.maker(slug)
        )
        return batch

    async def approved(self, batch: PaymentBatch) -> PaymentBatch:
        return await self.office.batches.approve(
            batch.id, version=batch.version, reason=WHY, actor=await self.approver(batch.programme_slug)
        )

    async def sent(self, batch: PaymentBatch, template: str = "general") -> PaymentBatch:
        """A batch with the bank, from wherever it stood."""
        if batch.status is BatchStatus.DRAFT:
            batch = await self.approved(batch)
        return await self.office.sending.send(
            batch.id, template=template, version=batch.version, actor=await self.payer(batch.programme_slug)
        )

    async def paid(self, batch: PaymentBatch) -> PaymentBatch:
        """A batch whose every payment has its receipt, from wherever it stood."""
        if batch.status is not BatchStatus.SENT:
            batch = await self.sent(batch)
        await self.takes(batch, self.receipts(batch, await Payment.filter(batch_id=batch.id).order_by("id")))
        return await PaymentBatch.get(id=batch.id)

    def receipts(
        self, batch: PaymentBatch, payments: Sequence[Payment], *, stated_fen: int | None = None
    ) -> bytes:
        """The bank's file for these payments, as it must be unless it states another sum."""
        day = self.today(batch.programme_slug)
        said = [
            Receipt(
                payment=one.number,
                amount_fen=one.transfer_fen,
                paid=True,
                on=day,
                number=f"R{next(_numbers):015d}",
            )
            for one in payments
        ]
        total_fen = sum(one.amount_fen for one in said)
        return self.file_of(said, stated_fen=total_fen if stated_fen is None else stated_fen)

    def file_of(self, said: Sequence[Receipt], *, stated_fen: int | None = None) -> bytes:
        """A file of the bank's words."""
        header = ["付款编号", "金额", "结果", "交易日期", "银行回单号", "退汇原因"]
        rows = [
            [
                one.payment,
                plain_yuan(one.amount_fen),
                "成功" if one.paid else "退汇",
                one.on.isoformat(),
                one.number,
                one.reason,
            ]
            for one in said
        ]
        if stated_fen is not None:
            rows.append(["合计", plain_yuan(stated_fen), "", "", "", ""])
        return sheets.written_csv(header, rows)

    async def takes(self, batch: PaymentBatch, raw: bytes) -> Any:
        """Take a receipts file in as it was looked at."""
        actor = await self.maker(batch.programme_slug)
        preview = await self.office.receipts.preview(batch.id, raw, actor=actor)
        return await self.office.receipts.carry_out(
            batch.id, raw, fingerprint=preview.fingerprint, actor=actor
        )

    async def scan(self, actor: Actor, slug: str) -> int:
        """A file that a member of staff has uploaded."""
        sha256 = f"{next(_numbers):063x}f"
        await EvidenceObject.create(sha256=sha256, leased_at=self.now)
        row = await StoredFile.create(
            organisation=None,
            uploaded_by=actor.name,
            programme_slug=slug,
            kind=DocumentKind.OTHER,
            name="银行回单.pdf",
            original_id=sha256,
            shown_id=sha256,
            size_bytes=1000,
            media_type="application/pdf",
            shown_media_type="application/pdf",
            extension="pdf",
            pages=1,
            created_at=self.now,
        )
        return int(row.id)

    async def archived(self, batch: PaymentBatch) -> HandOver:
        """A paid batch, filed where the text asks, handed over and received."""
        slug, archives = batch.programme_slug, self.office.archives
        if self.programmes.get(slug).disbursement.filed_with:
            await archives.file(
                batch.id, reference="备〔2020〕1号", filed_on=self.today(slug), file_ids=[],
                actor=await self.approver(slug),
            )  # fmt: skip
        made = await archives.hand_over(batch.id, actor=await self.maker(slug))
        return await archives.receive(made.id, accepted=True, actor=await self.approver(slug))

    async def settled(self, settlement: Settlement) -> tuple[Settlement, ReviewCase]:
        """A settlement and its case as they stand."""
        return await Settlement.get(id=settlement.id), await self.case(settlement)


async def _proposes_nothing(*said: Any) -> SanctionCase:
    raise AssertionError("nothing is proposed at the till")
