"""The contracting desk: everything a voucher without a race needs, on a real database, without HTTP.

Its clock stands still in 2026 until a test moves it. People are made as the database keeps them; how they
got there is the business of other tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from stdnum.cn.uscc import calc_check_digit
from tortoise.transactions import in_transaction

from server.clock import FixedClock
from server.gateways.evidence_store import EvidenceStore
from server.gateways.press import Press
from server.models.files import EvidenceObject, StoredFile
from server.models.labels import AttestedLabel, LabelSource
from server.models.offerings import Offering
from server.models.orders import Order
from server.models.organisations import Organisation, Qualification
from server.models.people import Staff
from server.models.reviews import ReviewCase
from server.models.rounds import Budget, Round
from server.models.voucher_requests import VoucherRequest
from server.models.vouchers import Voucher
from server.programme.model import Programme
from server.programme.notices import YearlyNotices
from server.programme.papers import AmountRule, Document, DocumentKind, Field, FieldKind
from server.programme.registry import Programmes
from server.programme.review import ReviewSubject
from server.programme.size_classes import load_size_standard
from server.programme.steps import StepKind
from server.programme.vocabulary import Actor as ProgrammeActor
from server.programme.vocabulary import LegalForm, Party
from server.rules.deadlines import day_of
from server.rules.lifecycles import QualificationStatus, RoundStatus
from server.rules.money import Account, Basis, Movement
from server.rules.order_walk import Deed, missing_sides, next_step
from server.rules.orders import OrderStatus
from server.rules.review import Verdict
from server.sealing import Sealer
from server.services.access import Actor
from server.services.admissions.related_parties import RelatedParties
from server.services.budgets import budgets, ledger
from server.services.budgets.annual_notices import AnnualNotices
from server.services.budgets.ledger import Where
from server.services.clocks import ProgrammeClocks
from server.services.documents.documents import Documents
from server.services.files.evidence import Evidence
from server.services.orders import order_book, order_lists
from server.services.orders.order_ends import OrderEnds
from server.services.orders.order_line import WaitingLine
from server.services.orders.order_lists import OrderShown
from server.services.orders.order_opening import OrderOpening
from server.services.orders.order_opening import Sketch as OrderSketch
from server.services.orders.order_papers import HandIn
from server.services.orders.order_wishes import Wish
from server.services.orders.order_works import serve_steps
from server.services.orders.orders import Orders
from server.services.orders.outlooks import Outlooks
from server.services.orders.reviewed_orders import PaymentReturns, ReviewedCancellations
from server.services.orders.reviewed_requests import ReviewedRequests
from server.services.orders.signing_steps import Printing
from server.services.orders.voucher_requests import VoucherRequests
from server.services.organisations.memberships import lock
from server.services.payments.own_payments import OwnPayments
from server.services.providers.ratings import Ratings
from server.services.reviews.reviews import Reviews
from server.services.rounds.rounds import Rounds
from server.services.vouchers import issuing
from server.services.vouchers.allotments import Allotments
from server.services.vouchers.issuing import Grant
from server.services.vouchers.vouchers import Vouchers
from server.services.working_days import WorkingDays
from server.units import yuan_to_fen
from tests.ordering import make_listed

ALLOTTED, ON_CONTRACT, DRAWN = "guangxi-2024", "ningxia-2016", "yinchuan-2024"
GRABBED, RANKED = "lishui-2024", "guangzhou-2020"
MORNING = datetime(2026, 5, 18, 2, 0, tzinfo=UTC)
TODAY = date(2026, 5, 18)
DAY = timedelta(days=1)
NOTICES = Path("tests/notices")
SEALER = Sealer({"2026a": "a data secret of this test, long enough"})
OPERATOR = Actor("staff", 1, "", None, frozenset({"operator"}))
AREAS = {
    ALLOTTED: "广西壮族自治区/南宁市",
    ON_CONTRACT: "宁夏回族自治区/银川市",
    DRAWN: "宁夏回族自治区/银川市/金凤区",
    GRABBED: "浙江省/丽水市/莲都区",
    RANKED: "广东省/广州市/天河区",
}
CATEGORY = {
    ALLOTTED: "innovation_services",
    ON_CONTRACT: "consulting_services",
    DRAWN: "cloud_adoption_matters",
    GRABBED: "technical_innovation_services",
    RANKED: "technology_services",
}

_numbers = count(1)


def person_of(organisation: Organisation) -> Actor:
    """The handler of an organisation."""
    return Actor("person", 7000 + organisation.id, "", organisation.id, frozenset({"handler"}))


def waits_for(programme: Programme, deeds: Sequence[Deed]) -> tuple[Party, ...]:
    """Which sides have to do the next step."""
    step = next_step(programme, deeds)
    return () if step is None else missing_sides(step, deeds)


class Desk:
    """The verbs on contracts, quotas, requests and draws, and shortcuts to use them."""

    def __init__(self, notices: Path = NOTICES) -> None:
        self.programmes = Programmes.load(Path("config/programmes"))
        self.sizes = load_size_standard(Path("config/size-classes.toml"))
        self.clock = FixedClock(MORNING)
        self.clocks = ProgrammeClocks(self.clock, {RANKED: self.programmes.get(RANKED).demo_today - TODAY})
        self.working_days = WorkingDays(Path("config/holidays"))
        self.reviews = Reviews(self.programmes, self.clocks, self.working_days)
        self.announce(YearlyNotices.load(notices, self.programmes))

    def announce(self, notices: YearlyNotices) -> None:
        """From now on these notices hold."""
        self.notices = AnnualNotices(notices)
        self.allotments = Allotments(self.programmes, self.sizes, self.clocks, self.notices)
        self.orders = Orders(self.programmes, self.clocks, self.notices, self.working_days)
        self.requests = VoucherRequests(self.programmes, self.reviews, self.orders)
        self.opening = OrderOpening(self.orders, self.sizes, RelatedParties(SEALER))
        self.line = WaitingLine(self.orders)
        rounds = Rounds(self.programmes, self.clocks, desk=None)  # type: ignore[arg-type]
        self.vouchers = Vouchers(rounds)
        self.ends = OrderEnds(self.orders, self.requests, self.reviews, self.vouchers)
        self.payment_returns = PaymentReturns(self.orders, self.reviews)
        self.own_payments = OwnPayments(self.programmes, self.clocks, self.clock, SEALER)
        self.orders.enders += [self.own_payments.let_go, self.payment_returns.let_go]
        self.evidence = Evidence(EvidenceStore(Path(), "memory:///"))
        self.documents = Documents(self.programmes, self.clock, self.evidence, Press())
        ratings = Ratings(self.programmes, self.clocks)
        printing = Printing(self.orders, self.documents)
        serve_steps(self.orders, self.requests, ratings, printing, self.sizes)
        self.reviews.serve(ReviewSubject.VOUCHER_REQUEST, ReviewedRequests(self.programmes, self.orders))
        self.reviews.serve(ReviewSubject.CANCELLATION, ReviewedCancellations(self.ends))
        self.reviews.serve(ReviewSubject.PAYMENT_RETURN, self.payment_returns)
        self.outlooks = Outlooks(self.programmes, self.clocks, self.notices)

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def programme(self, slug: str) -> Programme:
        return self.programmes.get(slug)

    async def organisation(self, slug: str, *, name: str = "", **facts: Any) -> Organisation:
        """A manufacturer of the programme's area that meets its conditions, not qualified for anything."""
        number = next(_numbers)
        start = f"91640100MC{number:07d}"
        declared = {
            field.code: True
            for party in (self.programme(slug).enterprise, self.programme(slug).provider)
            for field in party.fields
            if field.kind == "yes_no"
        }
        known: dict[str, Any] = {
            "uscc": start + calc_check_digit(start),
            "name": name or f"第{number}科技有限公司",
            "area": AREAS[slug],
            "industry": "C3484",
            "legal_person": True,
            "established_on": date(2010, 3, 18),
            "headcount": 42,
            "revenue_fen": yuan_to_fen(30_000_000),
            "assets_fen": yuan_to_fen(8_000_000),
            "declarations": declared,
        }
        return await Organisation.create(created_at=self.now, facts_changed_at=self.now, **{**known, **facts})

    async def enterprise(self, slug: str, *labels: str, approved: bool = True, **facts: Any) -> Organisation:
        """An approved enterprise that holds these labels by the official lists."""
        made = await self.organisation(slug, **facts)
        if slug == ALLOTTED:
            labels = ("above_designated_size", *labels)
        for label in labels:
            await self.label(made, label)
        if approved:
            await self.approve(made, slug, Party.ENTERPRISE)
        return made

    async def provider(self, slug: str, *, approved: bool = True, **facts: Any) -> Organisation:
        """An approved provider."""
        made = await self.organisation(slug, **facts)
        if approved:
            await self.approve(made, slug, Party.PROVIDER)
        return made

    async def label(self, organisation: Organisation, code: str) -> None:
        """An official list names an organisation."""
        await AttestedLabel.create(
            uscc=organisation.uscc,
            code=code,
            source=LabelSource.LIST,
            list_name="名单",
            attested_by=1,
            attested_at=self.now,
        )

    async def approve(self, organisation: Organisation, slug: str, party: Party) -> None:
        await Qualification.create(
            organisation_id=organisation.id,
            party=party,
            programme_slug=slug,
            programme_version=self.programme(slug).version,
            status=QualificationStatus.APPROVED,
            applied_at=self.now,
            snapshot={},
        )

    async def budget(self, slug: str, total_yuan: int = 10_000_000, year: int = 0) -> Budget:
        now, least_fen = self.clocks.now(slug), self.programme(slug).budget.least_total_fen
        return await budgets.open_year(
            self.programme(slug),
            year or self.programme(slug).year_of(now),
            max(yuan_to_fen(total_yuan), least_fen or 0),
            actor=OPERATOR,
            now=now,
        )

    async def period(self, budget: Budget, pool_yuan: float) -> Round:
        """A published period of a year's money that takes requests for a month."""
        pool_fen, now = yuan_to_fen(pool_yuan), self.clocks.now(budget.programme_slug)
        async with budgets.locked(budget.id) as year:
            await Budget.filter(id=year.id).update(allotted_fen=year.allotted_fen + pool_fen)
            period = await Round.create(
                budget_id=year.id,
                title="第一期",
                status=RoundStatus.SCHEDULED,
                opens_at=now - DAY,
                closes_at=now + 30 * DAY,
                pool_fen=pool_fen,
                issued_fen=0,
                valid_until=now + 60 * DAY,
                created_at=now,
                created_by=1,
            )
            if pool_fen:
                await ledger.post(Movement.ALLOT, pool_fen, Where(year.id, period.id), at=now)
        return period

    async def settle(self, enterprise: Organisation, slug: str = ALLOTTED) -> int:
        """What follows a change of an enterprise's standing or labels."""
        async with in_transaction():
            return await self.allotments.settle(await lock(enterprise.id), slug)

    # -- what orders are made of ---------------------------------------------------------------------

    async def listed(
        self,
        slug: str,
        provider: Organisation,
        price_yuan: float = 10_000,
        *,
        upto_yuan: float | None = None,
        category: str = "",
        service: str = "",
    ) -> Offering:
        """An offering of a provider as it stands in the marketplace, reviewed or not."""
        return await make_listed(
            self.programme(slug),
            provider,
            category=category or CATEGORY[slug],
            at=self.clocks.now(slug),
            service=service,
            price_from_fen=yuan_to_fen(price_yuan),
            price_to_fen=yuan_to_fen(upto_yuan or price_yuan),
        )

    async def voucher(
        self,
        budget: Budget,
        enterprise: Organisation,
        face_yuan: float,
        *,
        valid_days: int = 90,
        order_days: int | None = None,
    ) -> Voucher:
        """A voucher out of a round of its own, granted today."""
        now = self.clocks.now(budget.programme_slug)
        period = await self.period(budget, face_yuan)
        await Round.filter(id=period.id).update(
            valid_until=now + valid_days * DAY,
            order_deadline=None if order_days is None else now + order_days * DAY,
        )
        async with budgets.locked(budget.id) as year:
            (voucher,) = await issuing.issue(
                year,
                self.programme(budget.programme_slug),
                [Grant(enterprise_id=enterprise.id, amount_fen=yuan_to_fen(face_yuan), asked_at=now)],
                basis=Basis.MONEY,
                actor="clock",
                now=now,
                round_=await Round.get(id=period.id),
            )
        return voucher

    async def file(self, owner: Organisation, slug: str) -> int:
        """A page that an organisation has uploaded."""
        sha256 = f"{next(_numbers):064x}"
        await EvidenceObject.create(sha256=sha256, leased_at=self.now)
        stored = await StoredFile.create(
            organisation_id=owner.id,
            uploaded_by=person_of(owner).name,
            programme_slug=slug,
            kind=DocumentKind.OTHER,
            name="scan.pdf",
            original_id=sha256,
            shown_id=sha256,
            size_bytes=1000,
            media_type="application/pdf",
            shown_media_type="application/pdf",
            extension="pdf",
            pages=1,
            created_at=self.now,
        )
        return int(stored.id)

    # -- orders ----------------------------------------------------------------------------------------

    async def opened(
        self, slug: str, enterprise: Organisation, provider: Organisation, price_yuan: float, **others: Any
    ) -> Order:
        """An order, opened by the side that the programme names, on an offering of this price."""
        programme = self.programme(slug)
        drawn = programme.voucher.holder is Party.PROVIDER
        if "offering_id" not in others:
            category = others.pop("category", "")
            others["offering_id"] = (await self.listed(slug, provider, price_yuan, category=category)).id
        known: dict[str, Any] = {
            "other_uscc": enterprise.uscc if drawn else "",
            "project": "精益管理咨询",
            "price_fen": yuan_to_fen(price_yuan),
            "kind": "general" if programme.voucher_kinds else "",
        }
        opens = provider if drawn else enterprise
        return await self.opening.open(
            slug, OrderSketch(**{**known, **others}), Wish(), actor=person_of(opens)
        )

    async def wish(self, order: Order, side: Organisation, **said: Any) -> Wish:
        """What one side sends with the next step: everything asked for, as it must be, but for ``said``.

        A value of ``said`` named after a document gives what that document says.
        """
        order = await Order.get(id=order.id)
        shown = await order_lists.shown(self.orders, order.id, actor=person_of(side))
        assert shown.ask is not None, f"nothing is asked of {side.name}: {shown.sentence}"
        values = {
            field.code: said.get(field.code, self._value(field, order, shown))
            for field in shown.ask.fields
            if field.required or field.code in said
        }
        papers, groups = [], set()
        for document in shown.ask.documents:
            owed = document.required or order.step is StepKind.BALANCE
            if not owed or (document.groups and groups.intersection(document.groups)):
                continue
            if document.legal_forms and LegalForm.LEGAL_PERSON not in document.legal_forms:
                continue
            groups |= set(document.groups)
            papers.append(await self._paper(document, order, side, shown, said.get(document.code, {})))
        return Wish({code: value for code, value in values.items() if value is not None}, papers)

    def _value(self, field: Field, order: Order, shown: OrderShown) -> object:
        today = self.today(order.programme_slug)
        price_fen = order.contract_fen or order.price_fen
        return {
            "amount_fen": order.price_fen,
            "contract_number": f"HT-{next(_numbers)}",
            "enterprise_name": shown.order.enterprise.name,
            "provider_name": shown.order.provider.name,
            "actual_fee_fen": price_fen,
            "rating": shown.programme.rating.scale[0],
        }.get(
            field.code,
            {
                FieldKind.DATE: today.isoformat(),
                FieldKind.YES_NO: True,
                FieldKind.TEXT: "按约定完成",
                FieldKind.MONEY: price_fen,
                FieldKind.COUNT: 1,
                FieldKind.CHOICE: field.choices[0] if field.choices else "",
            }.get(field.kind),
        )

    async def _paper(
        self, document: Document, order: Order, side: Organisation, shown: OrderShown, said: dict[str, Any]
    ) -> HandIn:
        price_fen = order.actual_fee_fen or order.contract_fen or order.price_fen
        own_fen = price_fen - order.voucher_fen
        shares, kind = shown.shares, shown.ask.step.kind if shown.ask else None
        due_fen = {
            StepKind.DEPOSIT: shares.deposit_fen,
            StepKind.ESCROW: shares.escrow_fen,
            StepKind.BALANCE: shares.rest_fen,
        }.get(kind, own_fen)
        operator = shown.programme.role(ProgrammeActor.OPERATOR).name
        amount = {
            AmountRule.FULL_PRICE: price_fen,
            AmountRule.OWN_SHARE: own_fen,
            AmountRule.OWN_SHARE_AT_LEAST: max(own_fen, (price_fen + 1) // 2),
        }
        known: dict[str, Any] = {
            "code": document.code,
            "file_ids": tuple([await self.file(side, order.programme_slug) for _ in range(document.minimum)]),
            "number": f"{next(_numbers):020d}",
            "amount_fen": amount.get(document.amount) if document.amount else due_fen,
            "dated": self.today(order.programme_slug),
            "payer": shown.order.enterprise.name,
            "payee": operator if kind is StepKind.ESCROW else shown.order.provider.name,
        }
        return HandIn(**{**known, **said})

    def today(self, slug: str) -> date:
        return day_of(self.clocks.now(slug))

    async def step(
        self, order: Order, side: Organisation, kind: StepKind | None = None, **said: Any
    ) -> Order:
        """One side does the next step, with everything that is asked for but for what is ``said``."""
        order = await Order.get(id=order.id)
        wish = await self.wish(order, side, **said)
        return await self.orders.take(
            order.id, kind or order.step, wish, version=order.version, actor=person_of(side)
        )

    async def walk(self, order: Order, until: StepKind | None = None) -> Order:
        """Both sides do every step of theirs, up to the one before ``until`` or before an official's."""
        order = await Order.get(id=order.id)
        sides = {Party.ENTERPRISE: order.enterprise_id, Party.PROVIDER: order.provider_id}
        while order.status is OrderStatus.OPEN and order.step is not None and order.step is not until:
            programme = self.orders.terms_of(order).programme
            deeds = order_book.deeds_of(await order_book.acts_of(order.id))
            waiting = waits_for(programme, deeds)
            if not waiting:
                break
            order = await self.step(order, await Organisation.get(id=sides[waiting[0]]))
        return order

    async def signed(
        self, enterprise: Organisation, provider: Organisation, price_yuan: float, **others: Any
    ) -> Order:
        """An order whose electronic contract bears both signatures."""
        order = await self.opened(ALLOTTED, enterprise, provider, price_yuan, **others)
        return await self.walk(order, until=StepKind.DEPOSIT)

    async def asked(
        self, period: Round, enterprise: Organisation, provider: Organisation, price_yuan: float
    ) -> VoucherRequest:
        """A request for a voucher, on a new signed contract; a minute after the one before."""
        self.clock.advance(timedelta(minutes=1))
        order = await self.opened(ON_CONTRACT, enterprise, provider, price_yuan)
        order = await self.walk(order, until=StepKind.REQUEST_VOUCHER)
        order = await self.step(order, enterprise, round_id=period.id)
        return await VoucherRequest.filter(order_id=order.id).get()

    async def reviewer(self) -> Actor:
        """Somebody of the operator's staff who has not decided on anything yet."""
        name = f"operator{next(_numbers)}"
        staff = await Staff.create(
            username=name, password_hash="", display_name=name, roles=["operator"], created_at=self.now
        )
        return Actor("staff", staff.id, "", None, frozenset({"operator"}))

    async def decide(
        self, request: VoucherRequest, verdict: str = "approved", *, amount_yuan: float | None = None
    ) -> VoucherRequest:
        """The operator's decision on a request, by whoever returned it before."""
        case = await ReviewCase.get(subject=ReviewSubject.VOUCHER_REQUEST, subject_id=request.id)
        actor = await self.reviewer()
        if case.claimed_by is not None:
            actor = replace(actor, id=case.claimed_by)
        await self.reviews.decide(
            case.id,
            Verdict(verdict),
            version=case.version,
            reason="" if verdict == "approved" else "材料不符",
            fields={"contract": "请更换合同"} if verdict == "returned" else {},
            extras={} if amount_yuan is None else {"amount_fen": yuan_to_fen(amount_yuan)},
            actor=actor,
        )
        return await VoucherRequest.get(id=request.id)

    async def drawn(
        self,
        enterprise: Organisation,
        provider: Organisation,
        fee_yuan: float,
        *,
        contract: dict[str, Any] | None = None,
        **others: Any,
    ) -> Order:
        """An order for which a provider has drawn a voucher: its contract uploaded, its use registered.

        ``contract`` is what the contract says, where it is not one of its own for this project.
        """
        order = await self.opened(DRAWN, enterprise, provider, fee_yuan, **others)
        return await self.step(order, provider, StepKind.UPLOAD_CONTRACT, **(contract or {}))


async def faces(enterprise: Organisation, **filters: Any) -> list[int]:
    """The face values of an enterprise's vouchers in yuan, oldest first."""
    rows: Sequence[Voucher] = await Voucher.filter(enterprise_id=enterprise.id, **filters).order_by("id")
    return [row.face_value_fen // 100 for row in rows]


async def sides(desk: Desk, slug: str = ALLOTTED, *labels: str) -> tuple[Organisation, Organisation]:
    """An approved enterprise with its quota, and an approved provider."""
    enterprise, provider = await desk.enterprise(slug, *labels), await desk.provider(slug)
    if await Budget.exists(programme_slug=slug):
        await desk.settle(enterprise, slug)
    return enterprise, provider


async def balances(enterprise: Organisation) -> dict[str, int]:
    """Available, held, and committed of the year, in yuan."""
    sums = await ledger.balances(enterprise_id=enterprise.id)
    return {name.value: sums[name] // 100 for name in (Account.AVAILABLE, Account.HELD, Account.COMMITTED)}


async def half_signed(
    desk: Desk, enterprise: Organisation, provider: Organisation, price_yuan: float, **others: Any
) -> Order:
    """An order whose electronic contract bears the provider's signature alone."""
    order = await desk.opened(ALLOTTED, enterprise, provider, price_yuan, **others)
    return await desk.step(order, provider)
