"""The cashier: orders whose turn it is to be paid or invoiced, on a real database, without HTTP.

Each programme lives on its demonstration day, until a test moves the clock. Orders are made as the
database keeps them; how they got to their step is the business of other tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from stdnum.cn.uscc import calc_check_digit
from tortoise.transactions import in_transaction

from server.clock import CHINA, FixedClock
from server.models.contracts import Contract
from server.models.offices import Office
from server.models.orders import Order
from server.models.organisations import Organisation
from server.models.people import Person
from server.models.rounds import Budget
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.programme.steps import StepKind
from server.programme.vocabulary import Actor as ProgrammeActor
from server.programme.vocabulary import Party
from server.rules.contracts import ContractStatus
from server.rules.orders import OrderStatus
from server.sealing import Sealer
from server.services.access import Actor
from server.services.budgets import budgets
from server.services.clocks import ProgrammeClocks
from server.services.payments import invoices, payment_outcomes
from server.services.payments.invoice_steps import InvoiceStep
from server.services.payments.own_payments import OwnPayments
from server.services.payments.paying_steps import PayingStep, waives_papers
from server.services.payments.repayments import Repayments
from server.services.step_work import Move, NothingMore, Paper, StepWork
from server.units import yuan_to_fen

PROGRAMMES = Path("config/programmes")
OPERATOR = Actor("staff", 1, "", None, frozenset({"operator"}))
OPERATOR_NAME = "服务券运营中心有限公司"
OPENID = "oCanaryCanaryCanaryCanary000"
DAY = timedelta(days=1)
WORK: Mapping[StepKind, StepWork] = {
    StepKind.DEPOSIT: PayingStep(),
    StepKind.BALANCE: PayingStep(),
    StepKind.ESCROW: PayingStep(),
    StepKind.TRANSFER_RECEIPT: PayingStep(),
    StepKind.INVOICE: InvoiceStep(),
}

_numbers = count(1)


class NotDone(Exception):
    """Something stands against a step; ``codes`` are what."""

    def __init__(self, codes: list[str], arithmetic: list[str]) -> None:
        super().__init__(codes)
        self.codes, self.arithmetic = codes, arithmetic


class Cashier:
    """One programme's orders and the papers that pay for them."""

    def __init__(self, slug: str, folder: Path = PROGRAMMES) -> None:
        self.programmes = Programmes.load(folder)
        self.programme: Programme = self.programmes.get(slug)
        noon = datetime.combine(self.programme.demo_today, time(12), CHINA)
        self.clock = FixedClock(noon)
        self.clocks = ProgrammeClocks(self.clock)
        self.sealer = Sealer({"demo": "a key for tests and for nothing else"})
        self.payments = OwnPayments(self.programmes, self.clocks, self.clock, self.sealer)
        self.repayments = Repayments(self.programmes, self.clocks)
        self._budget: Budget | None = None

    @property
    def today(self) -> date:
        return self.clock.at.date()

    async def organisation(self, name: str = "") -> Organisation:
        number = next(_numbers)
        start = f"91640100MD{number:07d}"
        return await Organisation.create(
            uscc=start + calc_check_digit(start),
            name=name or f"第{number}机械有限公司",
            area=next(iter(self.programme.jurisdiction.areas)),
            industry="C3484",
            legal_person=True,
            established_on=date(2010, 3, 18),
            headcount=42,
            revenue_fen=yuan_to_fen(30_000_000),
            assets_fen=yuan_to_fen(8_000_000),
            created_at=self.clock.at,
            facts_changed_at=self.clock.at,
        )

    async def operator(self) -> None:
        """The operator's office is entered, so that its name is known."""
        await Office.create(
            programme_slug=self.programme.slug,
            actor=ProgrammeActor.OPERATOR,
            name=OPERATOR_NAME,
            changed_at=self.clock.at,
        )

    async def order(
        self,
        price_yuan: float,
        voucher_yuan: float,
        step: StepKind,
        *,
        enterprise: Organisation | None = None,
        provider: Organisation | None = None,
        **others: Any,
    ) -> Order:
        """An order whose next step this is, on a contract signed a month ago."""
        if self._budget is None:
            year = self.programme.year_of(self.clock.at)
            self._budget = await budgets.open_year(
                self.programme, year, yuan_to_fen(6_000_000), actor=OPERATOR, now=self.clock.at
            )
        number = next(_numbers)
        enterprise = enterprise or await self.organisation()
        provider = provider or await self.organisation()
        contract = await Contract.create(
            programme_slug=self.programme.slug,
            programme_version=self.programme.version,
            enterprise_id=enterprise.id,
            enterprise_name=enterprise.name,
            provider_id=provider.id,
            provider_name=provider.name,
            number=f"HT-{number}",
            amount_fen=yuan_to_fen(price_yuan),
            signed_on=self.today - 30 * DAY,
            status=ContractStatus.SIGNED,
            made_by_party=Party.ENTERPRISE,
            created_at=self.clock.at,
        )
        known: dict[str, Any] = {
            "number": f"DD{number:06d}",
            "programme_slug": self.programme.slug,
            "programme_version": self.programme.version,
            "enterprise_id": enterprise.id,
            "provider_id": provider.id,
            "contract_id": contract.id,
            "category": self.programme.categories[0].code,
            "project": "精益管理咨询",
            "price_fen": contract.amount_fen,
            "contract_fen": contract.amount_fen,
            "budget_id": self._budget.id,
            "voucher_fen": yuan_to_fen(voucher_yuan),
            "status": OrderStatus.OPEN,
            "step": step,
            "step_since": self.clock.at,
            "opened_by": Party.ENTERPRISE,
            "placed_at": self.clock.at,
        }
        return await Order.create(**{**known, **others})

    async def paper(self, order: Order, code: str, amount_yuan: float, **others: Any) -> Paper:
        """An invoice or a receipt that is as it must be, but for what ``others`` say."""
        number = next(_numbers)
        step = self.step_of(order)
        kind = next(one.kind for one in step.documents if one.code == code)
        enterprise, provider = await self.sides(order)
        to_operator = self.programme.own_share.paid_to == "operator" and kind != "invoice"
        plain = Paper(
            code=code,
            files=(),
            number=f"2644{number:016d}" if kind == "invoice" else f"ICBC{number:012d}",
            amount_fen=yuan_to_fen(amount_yuan),
            dated=self.today - 2 * DAY,
            payer=enterprise.name,
            payee=OPERATOR_NAME if to_operator else provider.name,
        )
        return replace(plain, **others)

    def step_of(self, order: Order) -> Any:
        return next(one for one in self.programme.order_steps if one.kind is order.step)

    async def sides(self, order: Order) -> tuple[Organisation, Organisation]:
        return (
            await Organisation.get(id=order.enterprise_id),
            await Organisation.get(id=order.provider_id),
        )

    def move(self, order: Order, *papers: Paper, **values: Any) -> Move:
        """The step of the order's turn, with these papers and fields."""
        step = self.step_of(order)
        party = Party.PROVIDER if step.actor is ProgrammeActor.PROVIDER else Party.ENTERPRISE
        organisation_id = order.provider_id if party is Party.PROVIDER else order.enterprise_id
        by_code: dict[str, tuple[Paper, ...]] = {}
        for paper in papers:
            by_code[paper.code] = (*by_code.get(paper.code, ()), paper)
        return Move(
            order=order,
            step=step,
            programme=self.programme,
            party=party,
            actor=Actor("person", 7000 + organisation_id, "", organisation_id, frozenset({"handler"})),
            now=self.clock.at,
            values=values,
            papers=by_code,
        )

    async def hand_in(self, order: Order, *papers: Paper, **values: Any) -> Order:
        """Do the step as the engine does; raises :class:`NotDone` with everything against it."""
        move = self.move(order, *papers, **values)
        work = WORK.get(move.step.kind, NothingMore())
        async with in_transaction():
            unmet = [*await work.unmet(move)]
            if not await waives_papers(order, self.programme, move.step):
                unmet += await invoices.check_papers(move)
            if unmet:
                raise NotDone([one.code for one in unmet], [one.arithmetic for one in unmet])
            columns = {**await invoices.register_papers(move), **await work.do(move)}
            if columns:
                await Order.filter(id=order.id).update(**columns)
        return await Order.get(id=order.id)

    async def hand_in_unchecked(self, order: Order, *papers: Paper) -> None:
        """What is left of a step when the check has passed: another may have been faster meanwhile."""
        async with in_transaction():
            await invoices.register_papers(self.move(order, *papers))

    async def person(self, order: Order) -> Actor:
        """The enterprise's handler, who signed in with WeChat."""
        number = next(_numbers)
        person = await Person.create(
            account=f"person-{number}", openid_sealed=self.sealer.seal(OPENID), created_at=self.clock.at
        )
        return Actor("person", person.id, "", order.enterprise_id, frozenset({"handler"}))

    async def cancel(self, order: Order) -> int:
        """The order comes to nothing; what is given back, fen."""
        async with in_transaction():
            await Order.filter(id=order.id).update(status=OrderStatus.CANCELLED, step=None)
            return await payment_outcomes.end(await Order.get(id=order.id), now=self.clock.at)
