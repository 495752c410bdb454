"""Entitlements: who may be granted how much is settled beforehand, and holds at the very commit."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from server.errors import Unmet
from server.gateways.grab_gate import GateCode
from server.models.organisations import BlocklistEntry, Organisation, Qualification
from server.models.rounds import Budget, Entitlement, Round
from server.models.vouchers import Voucher
from server.rules.grabbing import Claim, GrabOutcome
from server.rules.lifecycles import QualificationStatus, VoucherStatus
from server.rules.money import Movement
from server.services.access import NotFound
from server.services.budgets import ledger
from server.services.budgets.ledger import Where
from server.services.rounds.grab_commit import Decided
from server.units import yuan_to_fen
from tests.factories import (
    DAY,
    MORNING,
    OPERATOR,
    Office,
    grab_key,
    make_budget,
    make_enterprise,
    make_qualified,
)

SMALL, LARGE = yuan_to_fen(10_000), yuan_to_fen(20_000)
INSTANT = timedelta(microseconds=1)


async def bar(enterprise: Organisation, **others: Any) -> BlocklistEntry:
    ban: dict[str, Any] = {
        "uscc": enterprise.uscc,
        "programme_slug": "lishui-2024",
        "clause": "五（二）",
        "reason": "冒领",
        "starts_at": MORNING,
        "made_by": OPERATOR.id,
    }
    return await BlocklistEntry.create(**ban | others)


async def entitled(row: Round) -> dict[int, int]:
    """What stands in the database, by enterprise, fen."""
    rows = await Entitlement.filter(round_id=row.id)
    return {one.enterprise_id: one.amount_fen for one in rows}


async def admitted_commit(office: Office, row: Round, enterprise: Organisation) -> Decided:
    """The commit of a grab that Redis has admitted, whatever it should have said."""
    answer = await office.gate_says(row, enterprise)
    assert answer.code is GateCode.ADMITTED
    claim = Claim(row.id, enterprise.id, 1, grab_key(), answer.amount_fen, answer.place, office.now)
    epoch = (await Budget.get(id=row.budget_id)).epoch
    return (await office.committer.commit(await office.terms(row.id), epoch, [claim]))[0]


@pytest.mark.rules("LS-27", "LS-28", "LS-29")
async def test_two_face_values_stand_in_one_round(office: Office) -> None:
    budget = await make_budget(office.programme)
    ordinary = await make_qualified(office.programme)
    seedling = await make_qualified(office.programme, labels=("seedling_library",))
    risen = await make_qualified(office.programme, labels=("newly_above_scale", "seedling_library"))
    row = await office.make_round(budget)
    assert await entitled(row) == {ordinary.id: SMALL, seedling.id: SMALL, risen.id: LARGE}
    for enterprise in (ordinary, seedling, risen):
        await office.grant(row, enterprise)
    vouchers = await Voucher.filter(round_id=row.id).order_by("id")
    assert [(one.tier, one.face_value_fen) for one in vouchers] == [
        ("default_grant", SMALL),
        ("seedling_library", SMALL),
        ("newly_above_scale", LARGE),
    ]


@pytest.mark.rules("LS-60")
async def test_only_who_is_approved_and_not_barred_is_on_the_list(office: Office) -> None:
    budget = await make_budget(office.programme)
    approved = await make_qualified(office.programme)
    for status in (QualificationStatus.PENDING, QualificationStatus.REFUSED, QualificationStatus.REVOKED):
        other = await make_qualified(office.programme)
        await Qualification.filter(organisation_id=other.id).update(status=status)
    await make_enterprise()
    await make_qualified(office.programmes.get("guangzhou-2020"))
    for ban in ({}, {"programme_slug": None}, {"starts_at": MORNING - DAY, "ends_at": MORNING + INSTANT}):
        await bar(await make_qualified(office.programme), **ban)
    free = [await make_qualified(office.programme) for _ in range(4)]
    await bar(free[0], programme_slug="guangzhou-2020")
    await bar(free[1], starts_at=MORNING - DAY, ends_at=MORNING)
    await bar(free[2], starts_at=MORNING + INSTANT)
    await bar(free[3], lifted_at=MORNING, lifted_by=OPERATOR.id, lift_reason="误录")
    row = await office.make_round(budget)
    assert set(await entitled(row)) == {approved.id, *(one.id for one in free)}


async def test_everything_in_the_way_is_told_at_once_with_its_clause(office: Office) -> None:
    budget = await make_budget(office.programme)
    enterprise = await make_enterprise()
    row = await office.make_round(budget)
    unqualified = await office.rounds.readiness(row.id, enterprise.id)
    assert [one.code for one in unqualified.missing] == ["not_qualified"]
    await Qualification.create(
        organisation_id=enterprise.id,
        programme_slug=office.programme.slug,
        programme_version=office.programme.version,
        status=QualificationStatus.REFUSED,
        applied_at=MORNING,
        snapshot={},
        unmet=[{"code": "size", "clause": "二（一）", "message": "企业须为中小微企业", "arithmetic": ""}],
    )
    await bar(enterprise)
    await bar(enterprise, programme_slug=None, clause="五（一）")
    ready = await office.rounds.readiness(row.id, enterprise.id)
    assert not ready.is_ready
    assert [(one.code, one.clause) for one in ready.missing] == [
        ("qualification_refused", ""),
        ("size", "二（一）"),
        ("barred", "五（二）"),
        ("barred", "五（一）"),
    ]
    assert all(one.message for one in ready.missing)


async def test_who_has_had_the_years_quota_is_told_the_sum_and_left_out_of_the_next_round(
    office: Office,
) -> None:
    budget = await make_budget(office.programme)
    risen = await make_qualified(office.programme, labels=("newly_above_scale",))
    first = await office.make_round(budget)
    ready = await office.rounds.readiness(first.id, risen.id)
    assert (ready.is_ready, ready.amount_fen, ready.quota_fen, ready.taken_fen) == (True, LARGE, LARGE, 0)
    await office.grant(first, risen)
    second = await office.make_round(budget)
    assert await entitled(second) == {}
    used = await office.rounds.readiness(second.id, risen.id)
    assert used.taken_fen == LARGE
    assert used.missing == (
        Unmet(
            "quota_used",
            office.programme.issuance.article,
            used.missing[0].message,
            "20,000.00 + 20,000.00 > 20,000.00",
        ),
    )
    # What lapses has burnt the quota, what is handed back gives it back: the row says how much.
    voucher = await Voucher.get(round_id=first.id)
    where = Where(budget.id, first.id, risen.id, voucher.id)
    await ledger.post(Movement.HAND_BACK, LARGE, where, at=office.now)
    for status, given_back_fen, left in (
        (VoucherStatus.EXPIRED, 0, 0),
        (VoucherStatus.HANDED_BACK, LARGE, LARGE),
    ):
        await Voucher.filter(id=voucher.id).update(status=status, given_back_fen=given_back_fen)
        third = await office.make_round(budget)
        assert (await entitled(third)).get(risen.id, 0) == left


async def test_another_year_has_a_quota_of_its_own(office: Office) -> None:
    enterprise = await make_qualified(office.programme)
    row = await office.make_round(await make_budget(office.programme))
    await office.grant(row, enterprise)
    office.clock.at = MORNING.replace(year=2025)
    last_year = await office.make_round(await make_budget(office.programme, at=office.now))
    assert (await office.rounds.readiness(last_year.id, enterprise.id)).is_ready


async def test_two_rounds_at_once_grant_one_quota(office: Office) -> None:
    budget = await make_budget(office.programme)
    enterprise = await make_qualified(office.programme)
    rounds = [await office.make_round(budget) for _ in range(2)]
    outcomes = [(await office.grant(row, enterprise)).outcome for row in rounds]
    assert outcomes == [GrabOutcome.GRANTED, GrabOutcome.QUOTA_USED]
    assert await Voucher.all().count() == 1


async def test_who_loses_its_standing_loses_its_place_at_once_and_gains_it_again(office: Office) -> None:
    budget = await make_budget(office.programme)
    enterprise = await make_qualified(office.programme)
    rounds = [await office.make_round(budget) for _ in range(2)]
    qualification = Qualification.filter(organisation_id=enterprise.id)

    await qualification.update(status=QualificationStatus.REVOKED)
    changes = await office.rounds.standing_changed(enterprise, office.programme.slug)
    assert [one.change.words for one in changes] == [("bar", enterprise.id)] * 2
    await office.rounds.standing_told(changes)
    for row in rounds:
        assert await entitled(row) == {}
        assert (await office.gate_says(row, enterprise)).code is GateCode.NOT_ENTITLED
        assert (await office.grant(row, enterprise)).outcome is GrabOutcome.NOT_ELIGIBLE

    await qualification.update(status=QualificationStatus.APPROVED)
    changes = await office.rounds.standing_changed(enterprise, office.programme.slug)
    assert [one.change.words for one in changes] == [("entitle", enterprise.id, SMALL, SMALL)] * 2
    await office.rounds.standing_told(changes)
    assert (await office.gate_says(rounds[0], enterprise)).code is GateCode.ADMITTED
    assert await office.rounds.standing_changed(enterprise, office.programme.slug) == []


async def test_who_is_revoked_is_refused_at_the_commit_although_redis_admitted_it(office: Office) -> None:
    budget = await make_budget(office.programme)
    enterprise = await make_qualified(office.programme)
    row = await office.make_round(budget)
    await Qualification.filter(organisation_id=enterprise.id).update(status=QualificationStatus.REVOKED)
    await office.rounds.standing_changed(enterprise, office.programme.slug)
    # Redis was never told, and sets the money aside.
    decided = await admitted_commit(office, row, enterprise)
    assert decided.outcome is GrabOutcome.NOT_ELIGIBLE
    assert (await Round.get(id=row.id)).issued_fen == 0
    assert await Voucher.all().count() == 0


async def test_a_label_gained_in_mid_launch_is_granted_at_its_new_worth(office: Office) -> None:
    budget = await make_budget(office.programme)
    enterprise = await make_qualified(office.programme)
    row = await office.make_round(budget)
    await Organisation.filter(id=enterprise.id).update(labels=["newly_above_scale"])
    enterprise = await Organisation.get(id=enterprise.id)
    changes = await office.rounds.standing_changed(enterprise, office.programme.slug)
    # Redis still sets the old amount aside: that is no decision, and it is asked again.
    assert (await admitted_commit(office, row, enterprise)).outcome is GrabOutcome.STALE
    await office.rounds.standing_told(changes)
    assert (await office.grant(row, enterprise)).voucher.face_value_fen == LARGE


async def test_readiness_speaks_of_published_rounds_only(office: Office) -> None:
    enterprise = await make_qualified(office.programme)
    drafted = await office.make_round(await make_budget(office.programme), scheduled=False)
    for round_id in (drafted.id, drafted.id + 1):
        with pytest.raises(NotFound):
            await office.rounds.readiness(round_id, enterprise.id)
