"""Sanctions ground by ground: what each of the five texts wants done, done by the house."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from server.models.journal import JournalEntry
from server.models.organisations import BlocklistEntry, Organisation, Qualification
from server.models.outbox import OutboxMessage
from server.models.sanctions import PersonBan, Recovery, SanctionCase, SanctionEffect
from server.models.vouchers import Voucher
from server.programme.vocabulary import Party
from server.rules.lifecycles import QualificationStatus, VoucherStatus
from server.rules.money import Account
from server.rules.orders import OrderStatus
from server.rules.sanction_cases import Effect, SanctionStatus
from server.services.admissions import person_bans
from server.services.admissions.person_bans import PersonBarred
from server.services.budgets import ledger
from server.services.holds import payment_holds
from server.services.holds.payment_holds import PaymentHeld
from server.services.organisations.records import record_of
from server.services.sanctions import sanction_lists
from server.services.sanctions.sanction_appeals import NotLiftable
from server.services.sanctions.sanction_referrals import NothingToRefer, ReferralDayImpossible
from server.services.sanctions.sanctions import ReductionMissing, ResponsiblePersonMissing
from server.services.settlements import sanction_reductions
from tests.contracting import ALLOTTED, DRAWN, GRABBED, ON_CONTRACT, RANKED, SEALER
from tests.sanctioning import Court

rules = pytest.mark.rules
# How a decision is carried out is proven on both databases in test_sanctions.py.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ID_NUMBER = "11010519491231002X"
PERSON = {"person_name": "王小明", "person_id_number": ID_NUMBER}


async def standing(organisation: Organisation, party: Party) -> QualificationStatus:
    return (await Qualification.get(organisation_id=organisation.id, party=party)).status


async def effects(case: SanctionCase) -> set[Effect]:
    return {row.effect for row in await SanctionEffect.filter(case_id=case.id)}


@rules("YC-31", "YC-32", "YC-33", "YC-34", "YC-35", "YC-36")
@pytest.mark.parametrize(
    "ground",
    [
        "evidence",
        "service_differs",
        "enterprise_outside",
        "matter_outside",
        "used_twice",
        "refuses_supervision",
    ],
)
async def test_what_a_provider_drew_is_void_nothing_is_settled_and_it_never_claims_again(
    court: Court, ground: str
) -> None:
    enterprise, provider = await court.enterprise(DRAWN), await court.provider(DRAWN)
    order = await court.opened(DRAWN, enterprise, provider, 100_000)
    case = await court.sanctioned(DRAWN, provider, Party.PROVIDER, ground)
    assert (case.clause.startswith("第十五条"), case.ends_at) == (True, None)
    assert await standing(provider, Party.PROVIDER) is QualificationStatus.DELISTED
    assert await Voucher.filter(provider_id=provider.id, status=VoucherStatus.ACTIVE).count() == 0
    with pytest.raises(PaymentHeld):
        await payment_holds.require_free(await court.settling(order))
    ban = await BlocklistEntry.get()
    assert (ban.uscc, ban.ends_at, ban.clause) == (provider.uscc, None, "第十五条")
    assert await ledger.verify() == []


@rules("YC-37", "YC-38", "YC-39")
async def test_fraud_bars_either_side_three_years_in_public_and_goes_to_the_police(court: Court) -> None:
    enterprise = await court.enterprise(DRAWN)
    case = await court.sanctioned(DRAWN, enterprise, Party.ENTERPRISE, "inflated_price", serious=True)
    assert await standing(enterprise, Party.ENTERPRISE) is QualificationStatus.REVOKED
    assert case.starts_at is not None
    assert case.ends_at is not None
    assert case.ends_at.year - case.starts_at.year == 3
    scope = court.sanctions.book.sanction_of(case).ban_scope
    assert "市级工业项目" in scope
    now = court.clocks.now(DRAWN)
    assert len(await sanction_lists.announced(DRAWN, SEALER, after=0, now=now)) == 1
    assert await sanction_lists.announced(DRAWN, SEALER, after=0, now=case.ends_at) == []

    authority, refer = await court.staff("authority"), court.sanctions.referrals.refer
    today = court.today(DRAWN)
    known: dict[str, Any] = {
        "to": "",
        "on": today,
        "file_number": "银工信函〔2026〕7号",
        "documents": ["合同", "资金流水"],
        "version": case.version,
        "actor": authority,
    }
    left = SanctionEffect.filter(case_id=case.id, done_at=None)
    assert [row.effect for row in await left] == [Effect.REFER]
    with pytest.raises(ReferralDayImpossible):
        await refer(case.id, **{**known, "on": today + timedelta(days=1)})
    made = await refer(case.id, **known)
    assert (made.referred_to, made.file_number, made.documents) == (
        "公安部门",
        "银工信函〔2026〕7号",
        ["合同", "资金流水"],
    )
    assert await left.count() == 0
    kept = await JournalEntry.get(action="sanction.referred")
    assert (kept.actor, kept.data["file_number"]) == (authority.name, "银工信函〔2026〕7号")
    mild = await court.sanctioned(DRAWN, await court.enterprise(DRAWN), Party.ENTERPRISE, "inflated_price")
    with pytest.raises(NothingToRefer):
        await refer(mild.id, **{**known, "version": mild.version})


@rules("GX-46")
async def test_false_papers_end_a_qualification_for_good(court: Court) -> None:
    provider = await court.provider(ALLOTTED)
    case = await court.sanctioned(ALLOTTED, provider, Party.PROVIDER, "false_qualification")
    assert await standing(provider, Party.PROVIDER) is QualificationStatus.DELISTED
    assert (case.ends_at, (await BlocklistEntry.get()).ends_at) == (None, None)


@rules("GX-75", "GX-76", "GX-77", "GX-78", "GX-79", "GX-80", "GX-81")
@pytest.mark.parametrize(
    "ground",
    [
        "transfer_of_voucher",
        "transfer_of_contract",
        "collusion",
        "complaint",
        "audit_differs",
        "refuses_supervision",
    ],
)
async def test_a_violation_ends_the_deal_claims_the_money_back_and_leaves_a_bad_record(
    court: Court, ground: str
) -> None:
    enterprise, provider = await court.enterprise(GRABBED), await court.provider(GRABBED)
    for organisation, party in ((enterprise, Party.ENTERPRISE), (provider, Party.PROVIDER)):
        await court.approve(organisation, ALLOTTED, party)
    going, _ = await court.running(ALLOTTED, enterprise, provider)
    paid, _ = await court.paid(ALLOTTED, enterprise, provider)
    case = await court.sanctioned(ALLOTTED, provider, Party.PROVIDER, ground)
    await going.refresh_from_db()
    assert going.status is OrderStatus.CANCELLED
    assert {Effect.END_ORDER, Effect.END_STANDING, Effect.RECOVER, Effect.CREDIT_RECORD} <= await effects(
        case
    )
    claim = await Recovery.get(case_id=case.id)
    assert claim.principal_fen == 600_000
    assert await ledger.verify() == []
    assert paid.id != going.id


@rules("NX-27", "NX-28")
async def test_collusion_bars_the_enterprise_and_the_person_responsible(court: Court) -> None:
    enterprise = await court.enterprise(ON_CONTRACT)
    operator = await court.staff("operator")
    with pytest.raises(ResponsiblePersonMissing):
        await court.proposed(ON_CONTRACT, enterprise, Party.ENTERPRISE, "collusion", actor=operator)
    case = await court.sanctioned(ON_CONTRACT, enterprise, Party.ENTERPRISE, "collusion", **PERSON)
    assert await standing(enterprise, Party.ENTERPRISE) is QualificationStatus.REVOKED
    assert Effect.CREDIT_RECORD in await effects(case)
    ban = await PersonBan.get()
    assert (ban.person_index, ban.ends_at) == (SEALER.blind(ID_NUMBER), None)
    rows = [row.data for row in await JournalEntry.all()] + [row.data for row in await OutboxMessage.all()]
    assert not any(ID_NUMBER in str(data) or "王小明" in str(data) for data in rows)
    assert ID_NUMBER not in case.person_name_sealed + case.person_index

    other, now = await court.organisation(ON_CONTRACT), court.clocks.now(ON_CONTRACT)
    with pytest.raises(PersonBarred):
        await person_bans.require_unbarred(other.id, [ID_NUMBER.lower()], ON_CONTRACT, SEALER, now=now)
    await person_bans.require_unbarred(other.id, ["110105194912310011"], ON_CONTRACT, SEALER, now=now)
    await person_bans.require_unbarred(other.id, [ID_NUMBER], GRABBED, SEALER, now=now)


@rules("NX-26")
async def test_what_was_not_fully_performed_is_reduced_for_one_order_by_what_was_decided(
    court: Court,
) -> None:
    enterprise, provider = await court.enterprise(GRABBED), await court.provider(ON_CONTRACT)
    order, _ = await court.running(ON_CONTRACT, enterprise, provider)
    operator = await court.staff("operator")
    for wrong in ({"orders": None, "reduced_fen": 100}, {"orders": [order.id], "reduced_fen": 600_001}):
        with pytest.raises(ReductionMissing):
            await court.proposed(
                ON_CONTRACT, provider, Party.PROVIDER, "not_performed", actor=operator, **wrong
            )
    assert await sanction_reductions.of_order(order) == (0, "")
    case = await court.sanctioned(
        ON_CONTRACT, provider, Party.PROVIDER, "not_performed", orders=[order.id], reduced_fen=150_000
    )
    assert await sanction_reductions.of_order(order) == (150_000, case.reason)
    assert await standing(provider, Party.PROVIDER) is QualificationStatus.APPROVED


@rules("GZ-52", "GZ-80")
async def test_a_broken_undertaking_costs_admission_and_title_and_what_was_received(court: Court) -> None:
    enterprise, provider = await court.enterprise(RANKED), await court.provider(RANKED)
    await court.label(provider, court.programme(RANKED).provider.conditions[0].labels[0])
    spent, voucher = await court.accepted(RANKED, enterprise, provider)
    paid, _ = await court.paid(RANKED, enterprise, provider)
    case = await court.sanctioned(RANKED, provider, Party.PROVIDER, "inflated_price")
    assert await standing(provider, Party.PROVIDER) is QualificationStatus.DELISTED
    await provider.refresh_from_db()
    assert provider.labels == []
    await spent.refresh_from_db()
    assert spent.status is OrderStatus.CANCELLED
    assert (await ledger.balances(voucher_id=voucher.id))[Account.AVAILABLE] == voucher.face_value_fen
    claim = await Recovery.get(case_id=case.id)
    assert claim.principal_fen == paid.voucher_fen
    assert {Effect.REVOKE_TITLE, Effect.LIABILITY} <= await effects(case)
    assert await ledger.verify() == []


@rules("GZ-56", "GZ-80")
async def test_an_enterprise_that_broke_its_declaration_never_claims_again(court: Court) -> None:
    enterprise = await court.enterprise(RANKED)
    case = await court.sanctioned(RANKED, enterprise, Party.ENTERPRISE, "fraud")
    assert await standing(enterprise, Party.ENTERPRISE) is QualificationStatus.REVOKED
    ban = await BlocklistEntry.get(id=case.ban_id)
    assert (ban.clause, ban.ends_at) == ("声明函三", None)


@rules("LS-13", "LS-79")
async def test_a_past_violation_is_read_from_sanctions_until_it_is_lifted_with_a_reason(court: Court) -> None:
    enterprise, programme = await court.enterprise(GRABBED), court.programme(GRABBED)

    async def years() -> tuple[int, ...]:
        now = court.clocks.now(GRABBED)
        return (await record_of(enterprise, programme, Party.ENTERPRISE, now=now)).violation_years

    assert await years() == ()
    case = await court.sanctioned(GRABBED, enterprise, Party.ENTERPRISE, "stacking", orders=[])
    await BlocklistEntry.filter(id=case.ban_id).update(lifted_at=court.now)
    assert await years() == (court.now.year,)
    authority = await court.staff("authority")
    case = await court.sanctions.appeals.lift(
        case.id, "已整改，予以解除", version=case.version, actor=authority
    )
    assert (case.status, await years()) == (SanctionStatus.LIFTED, ())
    final = await court.sanctioned(GRABBED, await court.provider(GRABBED), Party.PROVIDER, "violation")
    with pytest.raises(NotLiftable):
        await court.sanctions.appeals.lift(final.id, "请解除", version=final.version, actor=authority)
