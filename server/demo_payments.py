"""Demo payments: a batch that the bank pays, filed and archived, or one that it returns; and a proposal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aiohttp import web

from server import keys
from server.demo_forms import ID_NUMBERS, scan
from server.demo_officials import Officials
from server.demo_orders import made_up_number
from server.models.disbursements import BankAccount, Payment, PaymentBatch
from server.models.organisations import Organisation
from server.models.settlements import Settlement
from server.programme.model import Programme
from server.programme.oversight import Measure
from server.programme.papers import Document, DocumentKind
from server.programme.vocabulary import Actor as Role
from server.programme.vocabulary import Party
from server.rules.deadlines import day_of
from server.rules.disbursements import PaymentSource
from server.rules.sanction_cases import measures_against
from server.rules.settlements import SettlementStatus
from server.services.access import Actor
from server.services.disbursements.archives import receiver
from server.services.disbursements.disbursement_book import makers
from server.services.sanctions.sanctions import Proposal, grounds_against
from server.texts import DEMO

ACCOUNT_DIGITS = 12
TEMPLATE = "general"
RECEIPT = Document(code="bank_receipt", name="", kind=DocumentKind.OTHER)


class PaymentDesk:
    """Those who pay in one programme, and the provider they pay."""

    def __init__(
        self, app: web.Application, programme: Programme, officials: Officials, provider: Actor
    ) -> None:
        self.app = app
        self.programme = programme
        self.officials = officials
        self.provider = provider
        self.office = app[keys.DISBURSEMENTS]

    async def enter_account(self) -> None:
        """The provider enters where it is paid to, and two compare it."""
        number = await BankAccount.filter(organisation_id=self.provider.organisation_id).count()
        organisation = await Organisation.get(id=self.provider.organisation_id)
        account = await self.office.accounts.enter(
            self.programme.slug,
            holder=organisation.name,
            number=f"6222{made_up_number(self.programme.slug, number, digits=ACCOUNT_DIGITS)}",
            bank=DEMO["bank"],
            actor=self.provider,
        )
        payer, hands = self.programme.disbursement.paid_by.value, list[int]()
        for role in (Role.OPERATOR.value, payer):
            actor = self.officials.other(role, *hands)
            account = await self.office.accounts.verify(account.id, version=account.version, actor=actor)
            hands.append(actor.id)

    async def pay(self, settlements: Sequence[Settlement], *, succeeds: bool) -> bool:
        """Send what is payable of these to the bank; paid, it is filed and archived, else it is returned.

        Whether anything was sent.
        """
        ids = [one.id for one in settlements]
        row = await Settlement.filter(id__in=ids, status=SettlementStatus.PAYABLE).first()
        if row is None:
            return False
        batch, today = await self._sent(row.year), day_of(self._now)
        for payment in await Payment.filter(batch_id=batch.id).order_by("id"):
            title = f"{payment.number} {'receipt' if succeeds else 'return'}"
            said: dict[str, Any] = {
                "on": today,
                "file_id": await scan(self.app, self.programme, RECEIPT, title, self._maker),
                "actor": self._maker,
            }
            if succeeds:
                number = f"R{made_up_number(payment.number)}"
                await self.office.receipts.enter(payment.id, number=number, **said)
            else:
                await self.office.receipts.give_back(payment.id, reason=DEMO["returned_payment"], **said)
        if succeeds:
            await self._archive(batch)
        return True

    async def propose_sanction(self, accused: Organisation) -> None:
        """Propose a sanction of the text against a provider, for whoever decides on it."""
        charges = [
            (one, measures_against(one.sanction, Party.PROVIDER, serious=False))
            for one in grounds_against(self.programme, Party.PROVIDER)
        ]
        # Where a settlement is cut, somebody has to say by how much: that is the visitor's.
        chosen = next((one for one in charges if Measure.REDUCE_SETTLEMENT not in one[1]), None)
        if chosen is None:
            return
        charge, measures = chosen
        bars_person = Measure.BAR_PERSON in measures
        role = charge.sanction.proposed_by or charge.sanction.decided_by
        await self.app[keys.SANCTIONS].cases.propose(
            Proposal(
                programme_slug=self.programme.slug,
                organisation_id=accused.id,
                party=Party.PROVIDER,
                ground=charge.ground.code,
                sanction=charge.sanction.code,
                facts=DEMO["facts"],
                orders=None,
                vouchers=None,
                person_name=DEMO["somebody"] if bars_person else "",
                person_id_number=ID_NUMBERS[Party.PROVIDER] if bars_person else "",
            ),
            actor=self.officials.first(role.value),
        )

    # -- inside ----------------------------------------------------------------------------------------

    async def _sent(self, year: int) -> PaymentBatch:
        terms, batches = self.programme.disbursement, self.office.batches
        maker = self._maker
        batch, _ = await batches.draft(
            self.programme.slug, year, PaymentSource.BUDGET, leave_out={}, reason=DEMO["checked"], actor=maker
        )
        if terms.documents:
            await self._summary_invoice(batch, maker)
        approver = self.officials.other(terms.approved_by.value, maker.id)
        batch = await batches.approve(batch.id, version=batch.version, reason=DEMO["checked"], actor=approver)
        sender = self.officials.other(terms.paid_by.value, approver.id)
        return await self.office.sending.send(
            batch.id, template=TEMPLATE, version=batch.version, actor=sender
        )

    async def _summary_invoice(self, batch: PaymentBatch, maker: Actor) -> None:
        document, amount_fen, _ = await self.office.invoices.wanted(batch.id, actor=self.provider)
        title = f"{batch.number} {document.code}"
        made = await self.office.invoices.hand_in(
            batch.id,
            number=made_up_number(title),
            amount_fen=amount_fen,
            dated=day_of(self._now),
            file_ids=(await scan(self.app, self.programme, document, title, self.provider),),
            actor=self.provider,
        )
        await self.office.invoices.decide(made.id, accepted=True, actor=maker)

    async def _archive(self, batch: PaymentBatch) -> None:
        terms, archives = self.programme.disbursement, self.office.archives
        if terms.filed_with:
            await archives.file(
                batch.id,
                reference=DEMO["filing"],
                filed_on=day_of(self._now),
                file_ids=(),
                actor=self.officials.first(terms.approved_by.value),
            )
        maker = self._maker
        made = await archives.hand_over(batch.id, actor=maker)
        keeper = self.officials.other(receiver(self.programme).value, maker.id)
        await archives.receive(made.id, accepted=True, actor=keeper)

    @property
    def _maker(self) -> Actor:
        return self.officials.first(makers(self.programme)[0].value)

    @property
    def _now(self) -> datetime:
        return self.app[keys.CLOCKS].now(self.programme.slug)
