"""Demo data: a first look finds something in every list; a second start adds nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from server.app import SIZE_CLASSES
from server.clock import CHINA, SystemClock
from server.database import close_database, migrate, open_database
from server.demo import seed
from server.demo_offerings import LISTED
from server.demo_officials import PASSWORD, SEVERAL, username
from server.models.applications import Application
from server.models.complaints import Complaint
from server.models.disbursements import BankAccount, Payment, PaymentBatch
from server.models.marketplace import Listing
from server.models.monitoring import AnomalyFinding
from server.models.offerings import Offering
from server.models.orders import Order
from server.models.organisations import Organisation, Qualification
from server.models.people import Staff
from server.models.proof import DayRoot
from server.models.public_notices import PublicNotice
from server.models.registrations import Registration
from server.models.reviews import ReviewCase
from server.models.rounds import Round
from server.models.sampling import SamplingDraw
from server.models.sanctions import SanctionCase
from server.models.settlements import Settlement
from server.models.voucher_requests import VoucherRequest
from server.programme.issuance import IssuanceMode
from server.programme.notices import YearlyNotices
from server.programme.registry import Programmes
from server.programme.review import ReviewSubject
from server.programme.size_classes import load_size_standard
from server.programme.vocabulary import Party
from server.rules.anomalies import holding_sanction
from server.rules.complaints import ComplaintStatus
from server.rules.disbursements import AccountStatus, TransferStatus
from server.rules.lifecycles import QualificationStatus, RegistrationStatus, RoundStatus
from server.rules.offerings import DraftStatus, OfferingStatus
from server.rules.orders import OrderStatus
from server.rules.public_notices import NoticeStatus
from server.rules.request_line import RequestStatus
from server.rules.sanction_cases import SanctionStatus
from server.rules.settlements import SettlementStatus
from server.rules.supervision import AnomalyStatus
from server.services.access import CLOCK, StaffRole
from server.services.budgets import ledger
from server.services.budgets.annual_notices import AnnualNotices
from server.services.clocks import ProgrammeClocks
from server.services.programmes.policy_trials import PolicyTrials
from server.services.reviews.sampling_draws import sampled_subject
from server.settings import Settings

PROGRAMMES = list(Programmes.load(Path("config/programmes")))
LINES_OF_A_SCREEN = 24


@pytest.fixture
async def guides(sqlite_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[tuple[str, str]]:
    """What two starts on one database print; the database is open."""
    settings = Settings(
        mode="demo",
        demo_login=True,
        demo_clocks=True,
        run_jobs=False,
        database_url=sqlite_url,
        redis_url=redis_url,
        evidence_dir=tmp_path / "evidence",
        uploads_dir=tmp_path / "uploads",
        seal_keys_dir=tmp_path / "seal_keys",
    )
    await migrate(sqlite_url)
    guides = [await seed(settings)]
    opened = await open_database(sqlite_url)
    before = await Organisation.all().count()
    await close_database(opened)
    guides.append(await seed(settings))
    opened = await open_database(sqlite_url)
    assert await Organisation.all().count() == before
    yield guides[0], guides[1]
    await close_database(opened)


async def test_every_list_of_every_programme_has_something_in_it(guides: tuple[str, str]) -> None:
    first, second = guides
    assert first.splitlines()[-1] == second.splitlines()[-1]
    assert len(first.splitlines()) <= LINES_OF_A_SCREEN
    assert first.count(PASSWORD) == 1
    for role in StaffRole:
        for number in range(1, SEVERAL.get(role, 1) + 1):
            assert username(role, number) in first
            assert (await Staff.get(username=username(role, number))).roles == [role.value]
    assert (await Staff.get(username=username(StaffRole.DISTRICT))).areas
    # What most enterprises look for first is found by its name.
    assert await Listing.filter(title__contains="项目申报").count() >= 2
    for programme in PROGRAMMES:
        of_it = {"programme_slug": programme.slug}
        for party, least in ((Party.ENTERPRISE, 3), (Party.PROVIDER, 2)):
            approved = {**of_it, "party": party, "status": QualificationStatus.APPROVED}
            assert await Qualification.filter(**approved).count() == least, programme.slug
        for status in (RegistrationStatus.SUBMITTED, RegistrationStatus.RETURNED):
            assert await Registration.filter(**of_it, status=status).count() == 1, programme.slug
        assert await ReviewCase.filter(**of_it).count() >= 2
        assert await Offering.filter(**of_it, status=OfferingStatus.LISTED).count() == sum(LISTED)
        waiting = await Offering.filter(**of_it, draft_status=DraftStatus.SUBMITTED).count()
        assert waiting == (programme.review(ReviewSubject.OFFERING) is not None)
        complaints = [row.status for row in await Complaint.filter(**of_it).order_by("id")]
        assert complaints == [ComplaintStatus.ANSWERED, ComplaintStatus.FILED, ComplaintStatus.FILED]
        assert await Complaint.filter(**of_it, sealed=True).count() == 1
        rounds = await Round.filter(budget__programme_slug=programme.slug).count()
        begun = await Order.filter(**of_it, status=OrderStatus.OPEN).count()
        match programme.issuance.mode:
            case IssuanceMode.GRAB:
                assert (rounds, begun) == (2, 0)
            case IssuanceMode.RANKED_BATCH:
                assert (rounds, begun) == (3, 0)
                assert await Application.filter(round__status=RoundStatus.SCHEDULED).count() == 1
            case IssuanceMode.ON_CONTRACT:
                asked = VoucherRequest.filter(
                    order__programme_slug=programme.slug, status=RequestStatus.PENDING
                )
                assert (rounds, begun, await asked.count()) == (2, 1, 1)
            case IssuanceMode.ALLOTMENT | IssuanceMode.PROVIDER_DRAW:
                assert (rounds, begun) == (0, 1)

    await money_is_on_its_way(first)
    await a_changed_programme_finds_orders()


async def money_is_on_its_way(guide: str) -> None:
    """In every programme somebody may hand in, an official decide, and a case be looked at from its end."""
    paid, returned = set[str](), set[str]()
    for programme in PROGRAMMES:
        slug = programme.slug
        settlements = await Settlement.filter(programme_slug=slug).order_by("id")
        first, waiting = settlements[0], settlements[1]
        settled = [one.order_id for one in settlements]
        assert (
            await Order.filter(programme_slug=slug, status=OrderStatus.DONE).exclude(id__in=settled).exists()
        )
        case = await ReviewCase.get(id=waiting.case_id)
        assert (waiting.status, case.place) == (SettlementStatus.IN_REVIEW, 0)
        assert case.turn is not None
        batch = await PaymentBatch.get(programme_slug=slug)
        if first.status is SettlementStatus.CLOSED:
            paid.add(slug)
            assert batch.archived_at is not None
        else:
            returned.add(slug)
            assert first.status is SettlementStatus.PAYABLE
            assert await Payment.filter(settlement_id=first.id, status=TransferStatus.RETURNED).exists()
            verified = BankAccount.filter(programme_slug=slug, status=AccountStatus.VERIFIED)
            assert await verified.count() == 1
        assert slug in guide
        assert await SanctionCase.filter(programme_slug=slug, status=SanctionStatus.PROPOSED).count() == 1
        notices = await PublicNotice.filter(programme_slug=slug, status=NoticeStatus.OVER).count()
        assert notices == (ReviewSubject.SETTLEMENT in programme.public_notice.required_for)
        draws = await SamplingDraw.filter(programme_slug=slug, drawn=1).count()
        assert draws == (sampled_subject(programme) is ReviewSubject.SETTLEMENT)
        held = AnomalyFinding.filter(programme_slug=slug, status=AnomalyStatus.OPEN, holds=True)
        assert await held.exists() == (holding_sanction(programme) is not None)
    assert paid and returned
    assert await ledger.verify() == []
    assert await DayRoot.all().count() == 1


async def a_changed_programme_finds_orders() -> None:
    """A policy trial has something to try, and the same rules pay the same."""
    clocks = ProgrammeClocks.for_demo(SystemClock(), PROGRAMMES, datetime.now(CHINA).date())
    notices = AnnualNotices(YearlyNotices.load(Path("config/notices"), Programmes(PROGRAMMES)))
    trials = PolicyTrials(Programmes(PROGRAMMES), clocks, notices, load_size_standard(SIZE_CLASSES))
    for programme in PROGRAMMES:
        text = (Path("config/programmes") / f"{programme.slug}.toml").read_text(encoding="utf-8")
        year = programme.year_of(clocks.now(programme.slug))
        found = await trials.compare(programme.slug, text, year=year, actor=CLOCK)
        assert len(found.before.results) >= 3
        assert found.before.paid_fen == found.after.paid_fen > 0
