"""Allotments: the year's quota by tier, by itself, in differences, and nothing is carried over."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from server.models.labels import AttestedLabel
from server.models.ledger import LedgerEntry
from server.models.organisations import BlocklistEntry, Qualification
from server.models.outbox import OutboxMessage
from server.models.rounds import Budget
from server.models.vouchers import Voucher
from server.rules.lifecycles import QualificationStatus
from server.rules.money import Account, Basis
from server.services.budgets import ledger
from tests.contracting import ALLOTTED, DAY, Desk, faces


@pytest.mark.rules("GX-25", "GX-49", "GX-03")
async def test_an_approved_enterprise_is_promised_its_quota_by_itself_and_money_stays_where_it_is(
    desk: Desk,
) -> None:
    budget = await desk.budget(ALLOTTED, 100)
    enterprise = await desk.enterprise(ALLOTTED)
    assert await desk.settle(enterprise) == 1
    voucher = await Voucher.get(enterprise_id=enterprise.id)
    assert (voucher.basis, voucher.round_id, voucher.kind) == (Basis.QUOTA, None, "general")
    assert voucher.face_value_fen == 5_000_000
    sums = await ledger.balances(budget_id=budget.id)
    # Far more is promised than the year holds: a promise takes nothing.
    assert (sums[Account.AVAILABLE], sums[Account.BUDGET]) == (5_000_000, 10_000)
    assert (await Budget.get(id=budget.id)).free_fen == 10_000
    told = await OutboxMessage.get(topic="voucher.granted")
    assert told.recipient == f"organisation:{enterprise.id}"


@pytest.mark.rules("GX-49")
@pytest.mark.parametrize(
    "status", [one for one in QualificationStatus if one is not QualificationStatus.APPROVED]
)
async def test_without_an_approval_there_is_no_quota(desk: Desk, status: QualificationStatus) -> None:
    await desk.budget(ALLOTTED)
    enterprise = await desk.enterprise(ALLOTTED)
    await Qualification.all().update(status=status)
    assert await desk.settle(enterprise) == 0
    await Qualification.all().update(status=QualificationStatus.APPROVED)
    assert await desk.settle(enterprise) == 1


async def test_who_is_barred_has_no_quota(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise = await desk.enterprise(ALLOTTED)
    ban = await BlocklistEntry.create(
        uscc=enterprise.uscc, clause="第二十七条", reason="违规", starts_at=desk.now - DAY, made_by=1
    )
    assert await desk.settle(enterprise) == 0
    await BlocklistEntry.filter(id=ban.id).update(lifted_at=desk.now)
    assert await desk.settle(enterprise) == 1


@pytest.mark.rules("GX-26", "GX-27", "GX-28", "GX-29")
@pytest.mark.parametrize(
    ("labels", "quota_yuan"),
    [
        ((), 50_000),
        (("innovative_sme",), 100_000),
        (("regional_srdi",), 200_000),
        (("national_little_giant",), 300_000),
        # Worked sum 9: the highest tier, not the sum of several.
        (("innovative_sme", "national_little_giant"), 300_000),
    ],
)
async def test_the_quota_is_that_of_the_highest_tier(
    desk: Desk, labels: tuple[str, ...], quota_yuan: int
) -> None:
    await desk.budget(ALLOTTED)
    enterprise = await desk.enterprise(ALLOTTED, *labels)
    await desk.settle(enterprise)
    assert await faces(enterprise) == [quota_yuan]


@pytest.mark.rules("GX-29")
async def test_a_label_gained_in_the_year_adds_the_difference_and_one_lost_takes_nothing_back(
    desk: Desk,
) -> None:
    await desk.budget(ALLOTTED)
    enterprise = await desk.enterprise(ALLOTTED, "innovative_sme")
    await desk.settle(enterprise)
    assert await desk.settle(enterprise) == 0, "asking again changes nothing"
    await desk.label(enterprise, "regional_srdi")
    await desk.settle(enterprise)
    assert await faces(enterprise) == [100_000, 100_000]
    await desk.label(enterprise, "national_little_giant")
    await desk.settle(enterprise)
    vouchers = await Voucher.filter(enterprise_id=enterprise.id).order_by("serial")
    assert [(one.serial, one.face_value_fen, one.tier) for one in vouchers] == [
        (1, 10_000_000, "growing_tier"),
        (2, 10_000_000, "regional_tier"),
        (3, 10_000_000, "national_tier"),
    ]
    await AttestedLabel.exclude(code="above_designated_size").update(withdrawn_at=desk.now)
    assert await desk.settle(enterprise) == 0
    assert await faces(enterprise) == [100_000, 100_000, 100_000]


@pytest.mark.rules("GX-59")
async def test_the_quota_ends_with_the_year_and_the_next_year_begins_anew(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise = await desk.enterprise(ALLOTTED, "innovative_sme")
    assert await desk.allotments.allot_due() == 1
    first = await Voucher.get(enterprise_id=enterprise.id)
    new_year = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
    assert first.valid_until == new_year
    desk.clock.at = new_year
    assert await desk.allotments.allot_due() == 0, "the new year has no money yet"
    await desk.budget(ALLOTTED, year=2027)
    assert await desk.allotments.allot_due() == 1
    second = await Voucher.get(enterprise_id=enterprise.id, id__gt=first.id)
    # Nothing of the year before is added, and nothing is taken off.
    assert (second.serial, second.face_value_fen) == (1, first.face_value_fen)
    assert second.budget_id != first.budget_id


async def test_the_yearly_job_settles_everybody_once(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprises = [await desk.enterprise(ALLOTTED) for _ in range(5)]
    await desk.enterprise(ALLOTTED, approved=False)
    assert await desk.allotments.allot_due() == 5
    assert await desk.allotments.allot_due() == 0
    assert [await faces(one) for one in enterprises] == [[50_000]] * 5
    assert await LedgerEntry.filter(movement="post_quota").count() == 5


@pytest.mark.rules("GX-10", "GX-15")
async def test_the_special_voucher_is_promised_on_the_terms_of_the_years_notice_alone(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    workshop = await desk.enterprise(ALLOTTED, "regional_digital_workshop")
    other = await desk.enterprise(ALLOTTED, "innovative_sme")
    for enterprise in (workshop, other):
        await desk.settle(enterprise)
    assert await faces(workshop, kind="special") == [150_000]
    assert await faces(workshop, kind="general") == [100_000]
    # The notice's own condition is not met.
    assert await faces(other, kind="special") == []
    assert await faces(other, kind="general") == [100_000]


@pytest.mark.rules("GX-15")
@pytest.mark.parametrize(("day", "count"), [((3, 31), 0), ((4, 1), 1), ((10, 31), 1), ((11, 1), 0)])
async def test_the_special_voucher_is_issued_within_the_notices_window(
    desk: Desk, day: tuple[int, int], count: int
) -> None:
    await desk.budget(ALLOTTED)
    enterprise = await desk.enterprise(ALLOTTED, "regional_digital_workshop")
    desk.clock.at = datetime(2026, *day, 4, 0, tzinfo=UTC)
    await desk.settle(enterprise)
    assert len(await faces(enterprise, kind="special")) == count
    assert len(await faces(enterprise, kind="general")) == 1


async def test_a_kind_announced_in_mid_year_reaches_those_who_have_the_other_already(
    quiet_desk: Desk, desk: Desk
) -> None:
    await quiet_desk.budget(ALLOTTED)
    enterprise = await quiet_desk.enterprise(ALLOTTED, "regional_digital_workshop")
    assert await quiet_desk.allotments.allot_due() == 1
    assert await desk.allotments.allot_due() == 1
    assert await faces(enterprise) == [100_000, 150_000]
