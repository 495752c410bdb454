"""Anomalies: what was handed in is looked through once, its payment waits, and a person decides."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tortoise.context import TortoiseContext

from server.models.journal import JournalEntry
from server.models.monitoring import AnomalyFinding, AnomalyScan, ContactMark
from server.models.organisations import MemberRole, Membership, Organisation
from server.models.outbox import OutboxMessage
from server.models.people import Person, Staff
from server.models.sanctions import SanctionCase
from server.models.settlements import SettlementApplication
from server.models.supervision import ServiceFileEntry
from server.programme.monitoring import Anomaly
from server.rules.sanction_cases import SanctionSource
from server.rules.supervision import AnomalyStatus, EntryTone
from server.services.access import NotFound
from server.services.holds import payment_holds
from server.services.holds.payment_holds import PaymentHeld
from server.services.reviews.reviewers import OwnReview
from server.services.settlements import supervision_checks
from server.services.supervision.anomalies import AnomalyDecided, AnomalyNotYours, Charge, NoGroundForAnomaly
from server.services.supervision.supervision_book import SupervisionMovedOn, WordsMissing
from tests.contracting import DRAWN, GRABBED, SEALER
from tests.factories import make_enterprise
from tests.supervising import Watch

rules = pytest.mark.rules
PHONE = "13800138000"


@pytest.fixture
def watch(database: TortoiseContext) -> Watch:
    """Everybody who supervises, once on each kind of database."""
    return Watch()


async def reachable(organisation: Organisation, phone: str = PHONE) -> None:
    """Somebody with this telephone acts for an organisation."""
    person = await Person.create(
        account=f"account-{organisation.id}",
        created_at=organisation.created_at,
        phone_sealed=SEALER.seal(phone),
    )
    await Membership.create(
        person_id=person.id,
        organisation_id=organisation.id,
        role=MemberRole.HANDLER,
        created_at=organisation.created_at,
    )


@rules("YC-40")
async def test_abnormal_figures_hold_the_payment_of_their_order_alone_until_a_person_lifts_it(
    watch: Watch,
) -> None:
    provider = await watch.serving(DRAWN)
    quick = await watch.handed_in(DRAWN, provider)
    slow = await watch.handed_in(DRAWN, provider, placed_at=watch.at(DRAWN) - timedelta(days=30))
    assert await watch.office.anomalies.scan_due() == 2
    (finding,) = await AnomalyFinding.all()
    assert (finding.settlement_id, finding.rule, finding.clause) == (quick.id, Anomaly.TOO_QUICK, "第十七条")
    assert "0 日 < 2 日" in finding.arithmetic
    await payment_holds.require_free(slow)
    with pytest.raises(PaymentHeld) as held:
        await payment_holds.require_free(quick)
    assert held.value.clause == "第十七条" and "日 <" not in str(held.value.values), "no accusation"
    told = await OutboxMessage.filter(topic="anomaly.found").values_list("recipient", flat=True)
    assert set(told) == {f"role:operator:{DRAWN}", f"role:authority:{DRAWN}"}
    lines = {one.code: one for one in await supervision_checks.of_settlement(
        quick, watch.programme(DRAWN), now=watch.at(DRAWN)
    )}  # fmt: skip
    assert lines["anomaly_too_quick"].met is False

    operator = await watch.staff("operator")
    lifted = await watch.office.anomalies.lift(
        finding.id, reason="加急服务，成果已核实", version=finding.version, actor=operator
    )
    assert lifted.status is AnomalyStatus.LIFTED
    await payment_holds.require_free(quick)
    with pytest.raises(AnomalyDecided):
        await watch.office.anomalies.lift(finding.id, reason="再次", version=lifted.version, actor=operator)
    assert await JournalEntry.filter(action="anomaly.lifted", subject=f"settlement:{quick.id}").count() == 1


async def test_what_was_looked_through_is_not_looked_through_again_until_it_is_handed_in_anew(
    watch: Watch,
) -> None:
    provider = await watch.serving(DRAWN)
    settlement = await watch.handed_in(DRAWN, provider)
    assert [await watch.office.anomalies.scan_due() for _ in range(2)] == [1, 0]
    finding = await AnomalyFinding.get()
    operator = await watch.staff("operator")
    await watch.office.anomalies.lift(finding.id, reason="已核实", version=finding.version, actor=operator)
    await SettlementApplication.filter(id=settlement.application_id).update(
        submitted_at=watch.at(DRAWN) + timedelta(minutes=1)
    )
    assert await watch.office.anomalies.scan_due() == 1
    assert await AnomalyFinding.all().count() == 1, "what a person decided stays decided"
    assert (await AnomalyScan.get()).found == 1
    await payment_holds.require_free(settlement)


async def test_a_telephone_of_both_sides_and_of_another_provider_is_found_unread(watch: Watch) -> None:
    ours, other = await watch.serving(GRABBED), await watch.serving(GRABBED, name="另一服务机构")
    enterprise = await make_enterprise()
    for one in (ours, other, enterprise):
        await reachable(one)
    long_ago = watch.at(GRABBED) - timedelta(days=30)
    first = await watch.handed_in(GRABBED, other, placed_at=long_ago)
    await watch.office.anomalies.scan(first.id)
    second = await watch.handed_in(GRABBED, ours, enterprise, placed_at=long_ago)
    found = {one.rule: one for one in await watch.office.anomalies.scan(second.id)}
    assert set(found) == {Anomaly.SHARED_CONTACT, Anomaly.SHARED_PROVIDER}
    assert found[Anomaly.SHARED_PROVIDER].arithmetic == "与“另一服务机构”相同：电话"
    assert found[Anomaly.SHARED_CONTACT].holds and not found[Anomaly.SHARED_PROVIDER].holds
    for mark in await ContactMark.all():
        assert PHONE not in mark.mark and len(mark.mark) == 64
    assert PHONE not in str([entry.data for entry in await JournalEntry.all()])


@rules("YC-40")
async def test_a_finding_becomes_a_case_against_its_provider_and_the_clues_are_handed_on(
    watch: Watch,
) -> None:
    provider = await watch.serving(DRAWN)
    settlement = await watch.handed_in(DRAWN, provider)
    (finding,) = await watch.office.anomalies.scan(settlement.id)
    operator, charge = await watch.staff("operator"), Charge(facts="核销凭证与成果不符")
    proposed = await watch.office.anomalies.propose(
        finding.id, charge, version=finding.version, actor=operator
    )
    assert (proposed.status, proposed.referred_to) == (AnomalyStatus.PROPOSED, "相关部门")
    case = await SanctionCase.get(id=proposed.sanction_id)
    assert (case.source, case.source_id, case.against_id) == (SanctionSource.ANOMALY, finding.id, provider.id)
    assert case.orders == [settlement.order_id] and finding.arithmetic in case.facts
    with pytest.raises(PaymentHeld):
        await payment_holds.require_free(settlement)
    with pytest.raises(AnomalyDecided):
        await watch.office.anomalies.lift(finding.id, reason="误报", version=proposed.version, actor=operator)
    entry = await ServiceFileEntry.get(provider_id=provider.id)
    assert entry.tone is EntryTone.BAD

    await watch.sanctions.cases.withdraw(case.id, "事实不清", version=case.version, actor=operator)
    await watch.office.anomalies.lift(finding.id, reason="撤回", version=proposed.version, actor=operator)
    await payment_holds.require_free(settlement)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_was_decided_on_a_finding_speaks_for_itself_and_the_finding_can_be_lifted(
    watch: Watch,
) -> None:
    provider, enterprise = await watch.serving(GRABBED), await make_enterprise()
    for one in (provider, enterprise):
        await reachable(one)
    settlement = await watch.handed_in(GRABBED, provider, enterprise)
    found = await watch.office.anomalies.scan(settlement.id)
    (finding,) = [one for one in found if one.holds]
    # Removed and announced, it is paid what it has earned: nothing of this decision holds any payment.
    charge = Charge(ground="refuses_supervision", facts="拒不提供核销凭证")
    actor = await watch.staff("authority")
    finding = await watch.office.anomalies.propose(finding.id, charge, version=finding.version, actor=actor)
    case = await SanctionCase.get(id=finding.sanction_id)
    case = await watch.decided(case, actor=await watch.staff("authority"))
    with pytest.raises(PaymentHeld):
        await payment_holds.require_free(settlement)
    await watch.office.anomalies.lift(
        finding.id, reason="服务真实，另案已清退", version=finding.version, actor=actor
    )
    await payment_holds.require_free(settlement)


async def test_a_finding_is_decided_by_whom_the_text_names_impartially_and_as_it_was_seen(
    watch: Watch,
) -> None:
    provider = await watch.serving(GRABBED)
    settlement = await watch.handed_in(GRABBED, provider)
    (finding,) = await watch.office.anomalies.scan(settlement.id)
    operator, authority = await watch.staff("operator"), await watch.staff("authority")
    lift = watch.office.anomalies.lift
    with pytest.raises(AnomalyNotYours):
        await lift(finding.id, reason="已核实", version=finding.version, actor=operator)
    with pytest.raises(NotFound):
        await lift(finding.id, reason="已核实", version=1, actor=await watch.staff("expert"))
    with pytest.raises(WordsMissing):
        await lift(finding.id, reason=" ", version=finding.version, actor=authority)
    with pytest.raises(SupervisionMovedOn):
        await lift(finding.id, reason="已核实", version=finding.version + 1, actor=authority)
    with pytest.raises(NoGroundForAnomaly):
        await watch.office.anomalies.propose(
            finding.id, Charge(facts="不符"), version=finding.version, actor=authority
        )
    enterprise = await Organisation.get(id=settlement.enterprise_id)
    for side in (provider, enterprise):
        await Staff.filter(id=authority.id).update(affiliations=[side.uscc])
        with pytest.raises(OwnReview):
            await lift(finding.id, reason="已核实", version=finding.version, actor=authority)
    assert (await AnomalyFinding.get(id=finding.id)).status is AnomalyStatus.OPEN
