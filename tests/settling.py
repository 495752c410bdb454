"""The settlement counter: the contracting desk, and everything a finished order needs to become money."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from server.gateways.press import Press
from server.models.orders import Order
from server.models.organisations import Organisation
from server.models.people import Staff
from server.models.reviews import ReviewCase
from server.models.rounds import Budget
from server.models.settlements import Settlement, SettlementApplication
from server.programme.papers import AmountRule, Document
from server.programme.review import ReviewKind, ReviewSubject
from server.rules.review import CaseStatus, Record, Verdict
from server.rules.settlements import asked_documents, for_all
from server.services.access import CLOCK, Actor
from server.services.orders.order_papers import HandIn
from server.services.payments.repayments import Repayments
from server.services.reviews.review_cases import copied
from server.services.reviews.review_passage import Said
from server.services.settlements.reviewed_settlements import ReviewedSettlements
from server.services.settlements.settlement_drafts import SettlementDrafts
from server.services.settlements.settlement_end import repaid
from server.services.settlements.settlement_forms import SettlementForms
from server.services.settlements.settlement_papers import ForOrder
from server.services.settlements.settlement_windows import SettlementWindows
from server.services.settlements.settlements import Settlements
from tests.contracting import ALLOTTED, DRAWN, ON_CONTRACT, RANKED, Desk, person_of

_numbers = count(1)


class Counter(Desk):
    """The verbs on settlements, and finished orders of every programme to use them on."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        forms = SettlementForms(self.clock, self.evidence, Press())
        self.windows = SettlementWindows(self.programmes, self.clocks)
        self.drafts = SettlementDrafts(self.orders, forms)
        self.settlements = Settlements(self.drafts, self.reviews, self.sizes, self.windows)
        self.reviews.serve(ReviewSubject.SETTLEMENT, ReviewedSettlements(self.settlements))
        self.repayments = Repayments(self.programmes, self.clocks)
        self.repayments.listeners.append(repaid)

    # -- finished orders -------------------------------------------------------------------------------

    async def finished(
        self,
        slug: str,
        price_yuan: float = 10_000,
        *,
        budget: Budget,
        provider: Organisation | None = None,
        enterprise: Organisation | None = None,
        **others: Any,
    ) -> Order:
        """An order of a programme whose steps are all done, up to its settlement."""
        enterprise = enterprise or await self.enterprise(slug, approved=slug != DRAWN)
        provider = provider or await self.provider(slug)
        if slug == DRAWN:
            order = await self.drawn(enterprise, provider, price_yuan, **others)
        elif slug == ALLOTTED:
            await self.settle(enterprise)
            order = await self.signed(enterprise, provider, price_yuan)
        elif slug == ON_CONTRACT:
            period = await self.period(budget, 10_000)
            request = await self.decide(await self.asked(period, enterprise, provider, price_yuan))
            order = await Order.get(id=request.order_id)
        else:
            face = others.pop("face_yuan", 10_000)
            voucher = await self.voucher(budget, enterprise, face, order_days=30 if slug == RANKED else None)
            order = await self.opened(slug, enterprise, provider, price_yuan, voucher_id=voucher.id, **others)
        return await self.walk(order)

    # -- the provider ----------------------------------------------------------------------------------

    async def provider_of(self, order: Order) -> Actor:
        return person_of(await Organisation.get(id=order.provider_id))

    async def begun(self, *orders: Order) -> SettlementApplication:
        """An application for these orders, with nothing handed in."""
        actor = await self.provider_of(orders[0])
        return await self.drafts.open([one.id for one in orders], actor=actor)

    async def papers(self, order: Order, **said: dict[str, Any] | None) -> list[ForOrder]:
        """Every paper a settlement of an order asks for, as it must be, but for what is ``said``."""
        programme = self.settlements.terms_of(order)
        given: list[ForOrder] = []
        groups: set[str] = set()
        for document in asked_documents(programme):
            wanted = document.code in said or (document.required and not document.groups)
            wanted = wanted or (bool(document.groups) and not groups.issuperset(document.groups))
            if for_all(document) or not wanted or said.get(document.code, {}) is None:
                continue
            groups |= set(document.groups)
            given.append(ForOrder(order.id, await self.paper(order, document, said.get(document.code) or {})))
        return given

    async def paper(self, order: Order, document: Document, said: dict[str, Any]) -> HandIn:
        provider = await Organisation.get(id=order.provider_id)
        enterprise = await Organisation.get(id=order.enterprise_id)
        price_fen = order.contract_fen or order.price_fen
        money = document.amount is AmountRule.OWN_SHARE
        known: dict[str, Any] = {
            "code": document.code,
            "file_ids": (await self.file(provider, order.programme_slug),),
            "number": f"{next(_numbers):020d}" if money else "",
            "amount_fen": price_fen - order.voucher_fen if money else None,
            "dated": self.today(order.programme_slug),
            "payer": enterprise.name if money else "",
            "payee": provider.name if money else "",
        }
        return HandIn(**{**known, **said})

    async def stamped(self, application: SettlementApplication) -> list[ForOrder]:
        """The forms of an application, printed, stamped and scanned."""
        actor = await self._applicant(application)
        provider = await Organisation.get(id=application.provider_id)
        return [
            ForOrder(
                None,
                HandIn(code=form.code, file_ids=(await self.file(provider, application.programme_slug),)),
            )
            for form in await self.drafts.print_forms(application.id, actor=actor)
        ]

    async def _applicant(self, application: SettlementApplication) -> Actor:
        return person_of(await Organisation.get(id=application.provider_id))

    async def hand_in(
        self, application: SettlementApplication, papers: Sequence[ForOrder]
    ) -> SettlementApplication:
        actor = await self._applicant(application)
        return await self.drafts.hand_in_papers(
            application.id, papers, version=application.version, actor=actor
        )

    async def submit(self, application: SettlementApplication) -> list[Settlement]:
        """Hand an application in as it stands."""
        actor = await self._applicant(application)
        await self.settlements.submit(application.id, version=application.version, actor=actor)
        return await Settlement.filter(application_id=application.id).order_by("id")

    async def submitted(self, order: Order, **said: dict[str, Any] | None) -> Settlement:
        """One order's settlement, handed in with all that is asked but for what is ``said``."""
        application = await self.begun(order)
        given = await self.papers(order, **said)
        if order.programme_slug == RANKED:
            given += await self.stamped(application)
        if given:
            application = await self.hand_in(application, given)
        (settlement,) = await self.submit(application)
        return settlement

    # -- the official side -----------------------------------------------------------------------------

    async def staff(self, role: str) -> Actor:
        """Somebody new of a role."""
        name = f"{role}{next(_numbers)}"
        row = await Staff.create(
            username=name, password_hash="", display_name=name, roles=[role], created_at=self.now
        )
        return Actor("staff", row.id, "", None, frozenset({role}))

    async def case(self, settlement: Settlement) -> ReviewCase:
        return await ReviewCase.get(subject=ReviewSubject.SETTLEMENT, subject_id=settlement.id)

    async def decides(
        self, settlement: Settlement, verdict: Verdict = Verdict.APPROVED, **said: Any
    ) -> Settlement:
        """Somebody new of the role whose turn it is decides on a settlement at its step."""
        case = await self.case(settlement)
        assert case.turn is not None, f"nobody's turn: {case.status} {case.step_name}"
        assert case.place is not None
        kind = copied(case).chain.steps[case.place].kind
        held_on = self.today(case.programme_slug) if kind is ReviewKind.COMMITTEE else None
        known: dict[str, Any] = {
            "reason": "" if verdict is Verdict.APPROVED else "材料不符合要求",
            "record": Record(held_on=held_on),
            "actor": await self.staff(case.turn.value),
        }
        await self.reviews.decide(case.id, verdict, version=case.version, **{**known, **said})
        return await Settlement.get(id=settlement.id)

    async def through(self, settlement: Settlement, **first: Any) -> Settlement:
        """Everybody who decides approves, up to the payment; ``first`` is what the first of them adds."""
        said = first
        while True:
            case = await self.case(settlement)
            kind = None if case.place is None else copied(case).chain.steps[case.place].kind
            if kind is None or kind is ReviewKind.DISBURSEMENT:
                return await Settlement.get(id=settlement.id)
            if kind is ReviewKind.PUBLIC_NOTICE or case.turn is None:
                await self.goes_by(case)
            else:
                await self.decides(settlement, **said)
                said = {}

    async def goes_by(self, case: ReviewCase) -> None:
        """A notice stands its time without objection, or a draw passes the case by."""
        assert case.place is not None
        passage = await self.reviews.passage(case, actor=CLOCK, now=self.now)
        await passage.put_down(case.place, Said(verdict=Verdict.APPROVED))
        await ReviewCase.filter(id=case.id).update(status=CaseStatus.OPEN)
        await passage.go_on()
