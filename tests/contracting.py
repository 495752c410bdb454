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
from server.models.contracts import Contract, VoucherRequest
from server.models.labels import AttestedLabel, LabelSource
from server.models.organisations import Organisation, Qualification
from server.models.people import Staff
from server.models.reviews import ReviewCase
from server.models.rounds import Budget, Round
from server.models.vouchers import Voucher
from server.programme.model import Programme
from server.programme.notices import YearlyNotices
from server.programme.registry import Programmes
from server.programme.review import ReviewSubject
from server.programme.size_classes import load_size_standard
from server.programme.vocabulary import Party
from server.rules.lifecycles import QualificationStatus, RoundStatus
from server.rules.money import Movement
from server.rules.review import Verdict
from server.services import budgets, ledger
from server.services.access import Actor
from server.services.allotments import Allotments
from server.services.annual_notices import AnnualNotices
from server.services.clocks import ProgrammeClocks
from server.services.contract_sketches import Sketch
from server.services.contracts import Contracts
from server.services.draws import Drawn, Draws
from server.services.ledger import Where
from server.services.memberships import lock
from server.services.outlooks import Outlooks
from server.services.reviewed_requests import ReviewedRequests
from server.services.reviews import Reviews
from server.services.voucher_requests import VoucherRequests
from server.services.working_days import WorkingDays
from server.units import yuan_to_fen

ALLOTTED, ON_CONTRACT, DRAWN = "guangxi-2024", "ningxia-2016", "yinchuan-2024"
MORNING = datetime(2026, 5, 18, 2, 0, tzinfo=UTC)
TODAY = date(2026, 5, 18)
DAY = timedelta(days=1)
NOTICES = Path("tests/notices")
OPERATOR = Actor("staff", 1, "", None, frozenset({"operator"}))
AREAS = {
    ALLOTTED: "广西壮族自治区/南宁市",
    ON_CONTRACT: "宁夏回族自治区/银川市",
    DRAWN: "宁夏回族自治区/银川市/金凤区",
}
CATEGORY = {
    ALLOTTED: "innovation_services",
    ON_CONTRACT: "consulting_services",
    DRAWN: "cloud_adoption_matters",
}

_numbers = count(1)


def person_of(organisation: Organisation) -> Actor:
    """The handler of an organisation."""
    return Actor("person", 7000 + organisation.id, "", organisation.id, frozenset({"handler"}))


class Desk:
    """The verbs on contracts, quotas, requests and draws, and shortcuts to use them."""

    def __init__(self, notices: Path = NOTICES) -> None:
        self.programmes = Programmes.load(Path("config/programmes"))
        self.sizes = load_size_standard(Path("config/size-classes.toml"))
        self.clock = FixedClock(MORNING)
        self.clocks = ProgrammeClocks(self.clock)
        self.announce(YearlyNotices.load(notices, self.programmes))
        self.reviews = Reviews(self.programmes, self.clocks, WorkingDays(Path("config/holidays")))
        self.reviews.serve(ReviewSubject.VOUCHER_REQUEST, ReviewedRequests(self.programmes))
        self.requests = VoucherRequests(self.programmes, self.clocks, self.reviews)
        self.draws = Draws(self.programmes, self.sizes, self.clocks)

    def announce(self, notices: YearlyNotices) -> None:
        """From now on these notices hold."""
        self.notices = AnnualNotices(notices)
        self.allotments = Allotments(self.programmes, self.sizes, self.clocks, self.notices)
        self.contracts = Contracts(self.programmes, self.clocks, self.notices)
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

    async def budget(self, slug: str, total_yuan: int = 1_000_000, year: int = 2026) -> Budget:
        return await budgets.open_year(
            self.programme(slug), year, yuan_to_fen(total_yuan), actor=OPERATOR, now=self.now
        )

    async def period(self, budget: Budget, pool_yuan: float) -> Round:
        """A published period of a year's money that takes requests for a month."""
        pool_fen = yuan_to_fen(pool_yuan)
        async with budgets.locked(budget.id) as year:
            await Budget.filter(id=year.id).update(allotted_fen=year.allotted_fen + pool_fen)
            period = await Round.create(
                budget_id=year.id,
                title="第一期",
                status=RoundStatus.SCHEDULED,
                opens_at=self.now - DAY,
                closes_at=self.now + 30 * DAY,
                pool_fen=pool_fen,
                issued_fen=0,
                valid_until=self.now + 60 * DAY,
                created_at=self.now,
                created_by=1,
            )
            if pool_fen:
                await ledger.post(Movement.ALLOT, pool_fen, Where(year.id, period.id), at=self.now)
        return period

    async def settle(self, enterprise: Organisation, slug: str = ALLOTTED) -> int:
        """What follows a change of an enterprise's standing or labels."""
        async with in_transaction():
            return await self.allotments.settle(await lock(enterprise.id), slug)

    def sketch(
        self, slug: str, enterprise: Organisation, provider: Organisation, amount_yuan: float, **others: Any
    ) -> Sketch:
        """A contract that is as it must be, but for what ``others`` say."""
        signed_here = slug == ALLOTTED
        known: dict[str, Any] = {
            "enterprise_uscc": enterprise.uscc,
            "enterprise_name": enterprise.name,
            "provider_uscc": provider.uscc,
            "provider_name": provider.name,
            "number": f"HT-{next(_numbers)}",
            "project": "精益管理咨询",
            "category": CATEGORY[slug],
            "amount_fen": yuan_to_fen(amount_yuan),
            "signed_on": None if signed_here else TODAY,
            "kind": "general" if signed_here else "",
        }
        return Sketch(**{**known, **others})

    async def entered(
        self, slug: str, enterprise: Organisation, provider: Organisation, amount_yuan: float, **others: Any
    ) -> Contract:
        """A contract, entered by the side that the programme names."""
        by = provider if slug == DRAWN else enterprise
        return await self.contracts.enter(
            slug,
            self.sketch(slug, enterprise, provider, amount_yuan, **others),
            actor=person_of(by),
        )

    async def signed(
        self, enterprise: Organisation, provider: Organisation, amount_yuan: float, **others: Any
    ) -> Contract:
        """An electronic contract with both signatures."""
        drafted = await self.entered(ALLOTTED, enterprise, provider, amount_yuan, **others)
        await self.contracts.sign(drafted.id, actor=person_of(provider))
        return await self.contracts.sign(drafted.id, actor=person_of(enterprise))

    async def asked(
        self, period: Round, enterprise: Organisation, provider: Organisation, amount_yuan: float
    ) -> VoucherRequest:
        """A request for a voucher, on a new signed contract; a minute after the one before."""
        self.clock.advance(timedelta(minutes=1))
        contract = await self.entered(ON_CONTRACT, enterprise, provider, amount_yuan)
        return await self.requests.ask(period.id, contract.id, actor=person_of(enterprise))

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
        self, contract: Contract, provider: Organisation, project: str, fee_yuan: float
    ) -> Drawn:
        return await self.draws.draw(contract.id, project, yuan_to_fen(fee_yuan), actor=person_of(provider))


async def faces(enterprise: Organisation, **filters: Any) -> list[int]:
    """The face values of an enterprise's vouchers in yuan, oldest first."""
    rows: Sequence[Voucher] = await Voucher.filter(enterprise_id=enterprise.id, **filters).order_by("id")
    return [row.face_value_fen // 100 for row in rows]
