"""Demo data: a first look finds something in every list; a second start adds nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.database import close_database, migrate, open_database
from server.demo import PASSWORD, seed, username
from server.demo_offerings import LISTED
from server.models.applications import Application
from server.models.complaints import Complaint
from server.models.offerings import Offering
from server.models.orders import Order, VoucherHold
from server.models.organisations import Organisation, Qualification
from server.models.people import Staff
from server.models.registrations import Registration
from server.models.reviews import ReviewCase
from server.models.rounds import Round
from server.models.voucher_requests import VoucherRequest
from server.models.vouchers import Voucher
from server.programme.issuance import IssuanceMode
from server.programme.registry import Programmes
from server.programme.review import ReviewSubject
from server.programme.vocabulary import Party
from server.rules.complaints import ComplaintStatus
from server.rules.lifecycles import QualificationStatus, RegistrationStatus, VoucherStatus
from server.rules.money import Basis
from server.rules.offerings import DraftStatus, OfferingStatus
from server.services.access import StaffRole
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
        assert username(role) in first
        assert (await Staff.get(username=username(role))).roles == [role.value]
    assert (await Staff.get(username=username(StaffRole.DISTRICT))).areas
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
        orders = await Order.filter(**of_it).count()
        vouchers = await Voucher.filter(**of_it).count()
        match programme.issuance.mode:
            case IssuanceMode.GRAB:
                assert (rounds, orders, vouchers) == (2, 0, 0)
            case IssuanceMode.RANKED_BATCH:
                assert (rounds, await Application.all().count()) == (2, 1)
            case IssuanceMode.ON_CONTRACT:
                asked = VoucherRequest.filter(order__programme_slug=programme.slug)
                assert (rounds, orders, await asked.count(), vouchers) == (2, 1, 1, 0)
            case IssuanceMode.ALLOTMENT:
                assert (rounds, orders, vouchers) == (0, 1, 3)
                assert await VoucherHold.filter(order__programme_slug=programme.slug).count() == 1
            case IssuanceMode.PROVIDER_DRAW:
                drawn = Voucher.filter(**of_it, basis=Basis.ON_FILE, status=VoucherStatus.ACTIVE)
                assert (rounds, orders, vouchers, await drawn.count()) == (0, 1, 1, 1)
