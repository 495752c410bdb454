"""Sanctioning: the office that sanctions, without HTTP, with orders, paid money and people around it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from server.gateways.press import Press
from server.models.complaints import Complaint
from server.models.disbursements import BankAccount, Payment, PaymentBatch
from server.models.orders import Order, VoucherHold
from server.models.organisations import Organisation
from server.models.people import Staff
from server.models.rounds import Budget
from server.models.sanctions import SanctionCase
from server.models.settlements import Settlement, SettlementApplication
from server.models.vouchers import Voucher
from server.programme.review import ReviewSubject
from server.programme.sanctions import load_sanction_defaults
from server.programme.steps import StepKind
from server.programme.vocabulary import Party
from server.rules.complaints import SubjectKind
from server.rules.disbursements import BatchStatus, TransferStatus
from server.rules.money import Movement
from server.rules.settlements import SettlementStatus
from server.services.access import Actor
from server.services.admissions.admissions import Admissions
from server.services.admissions.labels import Labels
from server.services.admissions.qualifications import Qualifications
from server.services.budgets import ledger
from server.services.budgets.ledger import Where
from server.services.providers.suspensions import Suspensions
from server.services.rounds.rounds import Rounds
from server.services.sanctions.blocklist import Blocklist
from server.services.sanctions.removals import Removals
from server.services.sanctions.sanction_office import SanctionOffice
from server.services.sanctions.sanction_settlements import SettlementStops
from server.services.sanctions.sanctions import Proposal
from server.services.settlements.settlement_drafts import SettlementDrafts
from server.services.settlements.settlement_forms import SettlementForms
from server.services.settlements.settlement_windows import SettlementWindows
from server.services.settlements.settlements import Settlements
from server.units import yuan_to_fen
from tests.complaining import Hall
from tests.contracting import SEALER, Desk
from tests.ordering import make_order

DEFAULTS = load_sanction_defaults(Path("config/sanctions.toml"))
FACTS = "现场检查发现服务没有实际开展。"


class Quiet:
    """A launch desk that nobody is at."""

    async def changed(self, *_: object) -> None:
        """Nobody grabs in these tests."""

    async def settle(self, *_: object) -> None:
        """The same."""


class Court(Hall):
    """The hall where people complain, and the office that deals with what comes of it."""

    def __init__(self) -> None:
        super().__init__()
        rounds = Rounds(self.programmes, self.clocks, desk=Quiet())  # type: ignore[arg-type]
        self.vouchers.rounds = rounds
        self.qualifications = Qualifications(self.programmes, self.sizes, self.clocks, rounds, self.reviews)
        self.blocklist = Blocklist(self.programmes, self.clocks, rounds)
        self.reviews.serve(ReviewSubject.PROVIDER, Admissions(self.qualifications, SEALER))
        self.suspensions = Suspensions(self.qualifications)
        self.removals = Removals(self.qualifications, self.blocklist, self.reviews)
        self.sanctions = SanctionOffice(
            self.suspensions,
            self.removals,
            self.blocklist,
            Labels(self.programmes, self.clocks, self.qualifications),
            self.ends,
            Press(),
            defaults=DEFAULTS,
            sealer=SEALER,
        )
        drafts = SettlementDrafts(self.orders, SettlementForms(self.clock, self.evidence, Press()))
        windows = SettlementWindows(self.programmes, self.clocks)
        settlements = Settlements(drafts, self.reviews, self.sizes, windows)
        effects = self.sanctions.effects
        effects.stops.append(SettlementStops(settlements, effects.reason_of))

    async def proposed(
        self, slug: str, against: Organisation, party: Party, ground: str, *, actor: Actor, **more: Any
    ) -> SanctionCase:
        """A case on a ground of the text."""
        known: dict[str, Any] = {
            "programme_slug": slug,
            "organisation_id": against.id,
            "party": party,
            "ground": ground,
            "facts": FACTS,
            "orders": None,
            "vouchers": None,
        }
        return await self.sanctions.cases.propose(Proposal(**{**known, **more}), actor=actor)

    async def decided(
        self, case: SanctionCase, *, actor: Actor, skip: bool = True, **more: Any
    ) -> SanctionCase:
        """Decided on what the preview shows now, the hearing skipped with a reason."""
        if skip:
            case = await self.sanctions.hearings.skip(
                case.id, "当事人下落不明", version=case.version, actor=actor
            )
        shown = await self.sanctions.decisions.preview(case.id, actor=actor)
        return await self.sanctions.decisions.decide(
            case.id, version=case.version, digest=shown.digest, reason="事实清楚", actor=actor, **more
        )

    async def sanctioned(
        self, slug: str, against: Organisation, party: Party, ground: str, **more: Any
    ) -> SanctionCase:
        """Proposed by one, decided by another, both of whom the text names."""
        sanction = next(
            one
            for one in self.programme(slug).sanctions
            if party in one.against and ground in {known.code for known in one.grounds}
        )
        proposes = await self.staff((sanction.proposed_by or sanction.decided_by).value)
        decides = await self.staff(sanction.decided_by.value)
        offset = {"may_offset": more.pop("may_offset")} if "may_offset" in more else {}
        case = await self.proposed(slug, against, party, ground, actor=proposes, **more)
        return await self.decided(case, actor=decides, **offset)

    async def running(
        self, slug: str, enterprise: Organisation, provider: Organisation
    ) -> tuple[Order, Voucher]:
        """An order of 6,000 yuan held on a voucher of 10,000."""
        voucher = await self.voucher(await self._year(slug), enterprise, 10_000)
        order = await self._on(slug, enterprise, provider, voucher, 6_000)
        return order, voucher

    async def paid(
        self, slug: str, enterprise: Organisation, provider: Organisation, *, days_ago: int = 73
    ) -> tuple[Order, Voucher]:
        """The same, accepted, settled and paid out so many days ago."""
        order, voucher = await self.running(slug, enterprise, provider)
        amount_fen, at = yuan_to_fen(6_000), self.clocks.now(slug) - timedelta(days=days_ago)
        await VoucherHold.filter(order_id=order.id).update(held_fen=0, spent_fen=amount_fen)
        where = self._where(order, voucher)
        for movement in (Movement.REDEEM, Movement.DISBURSE):
            await ledger.post(movement, amount_fen, where, at=at)
        row = await self.settling(order, SettlementStatus.PAID)
        await Settlement.filter(id=row.id).update(paid_at=at, budget_id=voucher.budget_id)
        account = await BankAccount.create(
            organisation_id=provider.id,
            programme_slug=slug,
            holder=provider.name,
            bank="某某银行",
            number_sealed="",
            number_index=f"{row.id}",
            tail="0001",
            proof=[],
            entered_by="person:1",
            entered_at=at,
        )
        batch = await PaymentBatch.create(
            number=f"B{row.id:09d}",
            programme_slug=slug,
            programme_version=self.programme(slug).version,
            budget_id=voucher.budget_id,
            status=BatchStatus.CLOSED,
            payments_count=1,
            total_fen=amount_fen,
            drafted_by=1,
            drafted_at=at,
        )
        await Payment.create(
            number=f"P{row.id:09d}",
            batch_id=batch.id,
            settlement_id=row.id,
            order_id=order.id,
            provider_id=provider.id,
            account_id=account.id,
            amount_fen=amount_fen,
            status=TransferStatus.PAID,
        )
        return order, voucher

    async def accepted(
        self, slug: str, enterprise: Organisation, provider: Organisation
    ) -> tuple[Order, Voucher]:
        """The same, its money spent and not paid out."""
        order, voucher = await self.running(slug, enterprise, provider)
        await VoucherHold.filter(order_id=order.id).update(held_fen=0, spent_fen=order.voucher_fen)
        where, now = self._where(order, voucher), self.clocks.now(slug)
        await ledger.post(Movement.REDEEM, order.voucher_fen, where, at=now)
        return order, voucher

    async def complained(self, slug: str, order: Order) -> Complaint:
        """A complaint of the enterprise about an order."""
        handler = await self.handler_of(order.enterprise_id)
        return await super().file(
            programme_slug=slug, subject=SubjectKind.ORDER, subject_id=order.id, person_id=handler.id
        )

    async def paper(self, owner: Organisation, slug: str) -> int:
        """A page that an organisation has uploaded."""
        return await Desk.file(self, owner, slug)

    async def again(self, actor: Actor, *roles: str) -> Actor:
        """The same person with other roles."""
        await Staff.filter(id=actor.id).update(roles=list(roles))
        return replace(actor, roles=frozenset(roles))

    async def settling(
        self, order: Order, status: SettlementStatus = SettlementStatus.IN_REVIEW
    ) -> Settlement:
        """A settlement of an order as the table keeps it."""
        application = await SettlementApplication.create(
            number=f"A{order.id:09d}",
            programme_slug=order.programme_slug,
            programme_version=order.programme_version,
            provider_id=order.provider_id,
            actor="person:1",
            opened_at=self.now,
        )
        return await Settlement.create(
            number=f"S{order.id:09d}",
            application_id=application.id,
            order_id=order.id,
            provider_id=order.provider_id,
            enterprise_id=order.enterprise_id,
            programme_slug=order.programme_slug,
            category=order.category,
            status=status,
            asked_fen=order.voucher_fen,
            ledger_fen=order.voucher_fen,
            amount_fen=order.voucher_fen,
            year=2026,
        )

    async def _year(self, slug: str) -> Budget:
        year = self.programme(slug).year_of(self.clocks.now(slug))
        return await Budget.get_or_none(programme_slug=slug, year=year) or await self.budget(slug)

    async def _on(
        self, slug: str, enterprise: Organisation, provider: Organisation, voucher: Voucher, yuan: int
    ) -> Order:
        amount_fen, now = yuan_to_fen(yuan), self.clocks.now(slug)
        order = await make_order(
            self.programme(slug),
            enterprise,
            provider,
            at=now,
            step=StepKind.DELIVER,
            voucher_id=voucher.id,
            voucher_fen=amount_fen,
            budget_id=voucher.budget_id,
        )
        await VoucherHold.create(order_id=order.id, voucher_id=voucher.id, held_fen=amount_fen, held_at=now)
        await ledger.post(Movement.HOLD, amount_fen, self._where(order, voucher), at=now)
        return order

    def _where(self, order: Order, voucher: Voucher) -> Where:
        return Where(
            voucher.budget_id,
            round_id=voucher.round_id,
            enterprise_id=order.enterprise_id,
            voucher_id=voucher.id,
            order_id=order.id,
            provider_id=order.provider_id,
            category=order.category,
        )
