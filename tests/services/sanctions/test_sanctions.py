"""Sanctions: proposed by one, the party heard, decided by another on what was shown, and carried out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from server.errors import Refusal
from server.models.complaints import Complaint, OrderHold, SanctionProposal
from server.models.organisations import BlocklistEntry, Organisation, Qualification
from server.models.outbox import OutboxMessage
from server.models.payment_holds import PaymentHold
from server.models.people import Staff
from server.models.provider_standing import Removal, Suspension
from server.models.sanctions import Recovery, SanctionCase, SanctionEffect
from server.models.supervision import ServiceFileEntry
from server.programme.vocabulary import Party
from server.rules.complaints import ComplaintStatus, Finding
from server.rules.lifecycles import NotPermittedNow, QualificationStatus
from server.rules.money import Account
from server.rules.orders import OrderStatus
from server.rules.sanction_cases import Effect, SanctionSource, SanctionStatus
from server.rules.supervision import ServiceEntryKind
from server.services.access import NotFound
from server.services.budgets import ledger
from server.services.complaints.complaint_handling import HoldImpossible
from server.services.holds import order_holds, payment_holds
from server.services.holds.payment_holds import PaymentHeld
from server.services.messages import notices
from server.services.organisations import service_files
from server.services.reviews.reviewers import OwnReview
from server.services.sanctions import sanction_lists
from server.services.sanctions.sanction_appeals import AppealTooLate, AppealUnderWay
from server.services.sanctions.sanction_book import SanctionMovedOn
from server.services.sanctions.sanction_decisions import HearingOutstanding, NotYoursToDecide, PreviewStale
from server.services.sanctions.sanction_hearings import HeardAlready, HearingOver
from server.services.sanctions.sanctions import (
    NoHoldAtOnce,
    NotYoursToPropose,
    Proposal,
    ProposalDecided,
    SanctionGroundUnknown,
    SanctionScopeWrong,
    SanctionUnderWay,
)
from tests.contracting import ALLOTTED, DRAWN, GRABBED, RANKED, SEALER, person_of
from tests.sanctioning import FACTS, Court

rules = pytest.mark.rules
ID_NUMBER = "11010519491231002X"
PERSON = {"person_name": "王小明", "person_id_number": ID_NUMBER}


async def standing(organisation: Organisation, party: Party) -> QualificationStatus:
    return (await Qualification.get(organisation_id=organisation.id, party=party)).status


async def effects(case: SanctionCase) -> set[Effect]:
    return {row.effect for row in await SanctionEffect.filter(case_id=case.id)}


@rules("LS-43", "GZ-44")
async def test_the_operator_holds_at_once_and_the_authority_decides_what_the_preview_showed(
    court: Court,
) -> None:
    enterprise, provider = await court.enterprise(GRABBED), await court.provider(GRABBED)
    order, voucher = await court.running(GRABBED, enterprise, provider)
    operator, authority = await court.staff("operator"), await court.staff("authority")
    case = await court.proposed(
        GRABBED, provider, Party.PROVIDER, "conditions_lost", actor=operator, hold_now=True
    )
    assert await standing(provider, Party.PROVIDER) is QualificationStatus.SUSPENDED
    settlement = await court.settling(order)
    with pytest.raises(PaymentHeld):
        await payment_holds.require_free(settlement)
    decisions, hearings = court.sanctions.decisions, court.sanctions.hearings
    shown = await decisions.preview(case.id, actor=operator)
    assert [(hit.order, hit.held_fen, hit.spent_fen) for hit in shown.orders] == [(order.id, 600_000, 0)]
    assert (shown.standing, shown.bars_until, shown.referred_to) == ("suspended", None, "相关部门")
    known: dict[str, Any] = {"reason": "事实清楚", "digest": shown.digest}
    with pytest.raises(NotYoursToDecide):
        await decisions.decide(case.id, version=case.version, actor=operator, **known)
    with pytest.raises(HearingOutstanding):
        await decisions.decide(case.id, version=case.version, actor=authority, **known)
    case = await hearings.call(case.id, version=case.version, actor=operator)
    with pytest.raises(HeardAlready):
        await hearings.skip(case.id, "没有必要", version=case.version, actor=operator)
    with pytest.raises(HearingOutstanding):
        await decisions.decide(case.id, version=case.version, actor=authority, **known)
    with pytest.raises(NotFound):
        await hearings.state(case.id, "不是我方", actor=person_of(enterprise))
    seen = case.version
    paper = await court.paper(provider, GRABBED)
    case = await hearings.state(case.id, "我方人员确已到场。", file_ids=[paper], actor=person_of(provider))
    with pytest.raises(SanctionMovedOn):
        await decisions.decide(case.id, version=seen, actor=authority, **known)
    with pytest.raises(PreviewStale):
        stale = {**known, "digest": "0" * 64}
        await decisions.decide(case.id, version=case.version, actor=authority, **stale)
    case = await decisions.decide(case.id, version=case.version, actor=authority, **known)

    assert (case.status, case.published, case.ends_at) == (SanctionStatus.DECIDED, True, None)
    assert case.preview["digest"] == shown.digest
    assert await standing(provider, Party.PROVIDER) is QualificationStatus.DELISTED
    removal = await Removal.get()
    assert (removal.announced, removal.ban_id) == (True, case.ban_id)
    assert await Suspension.filter(lifted_at=None).count() == 0
    await payment_holds.require_free(settlement)  # Of the money this ground says nothing.
    await order.refresh_from_db()
    assert order.status is OrderStatus.CANCELLED
    balances = await ledger.balances(voucher_id=voucher.id)
    assert balances[Account.AVAILABLE] == voucher.face_value_fen
    assert await standing(enterprise, Party.ENTERPRISE) is QualificationStatus.APPROVED
    (entry,) = await sanction_lists.announced(GRABBED, SEALER, after=0, now=court.clocks.now(GRABBED))
    assert (entry.name, entry.person) == (provider.name, "")
    with pytest.raises(NotPermittedNow):
        await decisions.dismiss(case.id, version=case.version, reason="再议", actor=authority)
    assert await court.sanctions.effects.carry_on(case.id) == 0
    assert await ledger.verify() == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_nobody_proposes_or_decides_what_is_not_theirs(court: Court) -> None:
    provider, other = await court.provider(DRAWN), await court.provider(DRAWN)
    operator, authority = await court.staff("operator"), await court.staff("authority")
    propose = court.sanctions.cases.propose
    known: dict[str, Any] = {
        "programme_slug": DRAWN,
        "organisation_id": provider.id,
        "party": Party.PROVIDER,
        "ground": "service_differs",
        "facts": FACTS,
        "orders": None,
        "vouchers": None,
    }
    order = await court.order(DRAWN)
    elsewhere = await court.staff("operator", programmes=(GRABBED,))
    for refusal, actor, more in (
        (SanctionGroundUnknown, operator, {"ground": "ugly"}),
        (SanctionGroundUnknown, operator, {"party": Party.ENTERPRISE}),
        (NotYoursToPropose, await court.staff("division"), {}),
        (NoHoldAtOnce, operator, {"hold_now": True}),
        (SanctionScopeWrong, operator, {"orders": [order.id]}),
        (NotFound, operator, {"organisation_id": other.id + 1000}),
        (NotFound, elsewhere, {}),
    ):
        with pytest.raises(refusal):
            await propose(Proposal(**{**known, **more}), actor=actor)
    assert await SanctionCase.all().count() == 0
    case = await propose(Proposal(**known), actor=operator)
    with pytest.raises(SanctionUnderWay):
        await propose(Proposal(**known), actor=operator)
    both = await court.staff("operator", "authority")
    twice = await propose(Proposal(**{**known, "organisation_id": other.id}), actor=both)
    with pytest.raises(OwnReview):
        await court.decided(twice, actor=both)
    await Staff.filter(id=authority.id).update(affiliations=[provider.uscc])
    with pytest.raises(OwnReview):
        await court.sanctions.decisions.dismiss(case.id, version=case.version, reason="无", actor=authority)


async def test_an_appeal_is_answered_by_who_had_no_part_and_undoes_what_can_be_undone(court: Court) -> None:
    enterprise, provider = await court.enterprise(GRABBED), await court.provider(GRABBED)
    await court.approve(provider, ALLOTTED, Party.PROVIDER)
    await court.paid(ALLOTTED, enterprise, provider)
    proposer, decider = await court.staff("authority"), await court.staff("authority")
    case = await court.proposed(ALLOTTED, provider, Party.PROVIDER, "collusion", actor=proposer)
    case = await court.decided(case, actor=decider)
    appeals, said = court.sanctions.appeals, "决定依据的合同并非我方签署。"
    await appeals.appeal(case.id, said, actor=person_of(provider))
    with pytest.raises(AppealUnderWay):
        await appeals.appeal(case.id, said, actor=person_of(provider))
    answer: dict[str, Any] = {"upheld": True, "reason": "签字经鉴定不实", "version": case.version}
    for one in (proposer, decider):
        with pytest.raises(OwnReview):
            await appeals.answer(case.id, **answer, actor=one)
    case = await appeals.answer(case.id, **answer, actor=await court.staff("authority"))
    assert (case.status, case.published) == (SanctionStatus.REVERSED, False)
    assert (await BlocklistEntry.get(id=case.ban_id)).lifted_at is not None
    assert (await Recovery.get()).status == "cancelled"
    filed = await ServiceFileEntry.filter(provider_id=provider.id, kind=ServiceEntryKind.SANCTION)
    assert [one.data["event"] for one in filed] == ["sanctioned", "sanction_reversed"]
    line = await service_files.check(court.programme(ALLOTTED), provider.id, now=court.clocks.now(ALLOTTED))
    assert line.met, "what was undone speaks against nobody any more"
    undone = {row.effect: row.undone_at for row in await SanctionEffect.filter(case_id=case.id)}
    assert undone[Effect.RECOVER] is not None
    assert undone[Effect.END_STANDING] is None  # It applies anew.

    late = await court.sanctioned(GRABBED, await court.enterprise(GRABBED), Party.ENTERPRISE, "late_change")
    assert late.appeal_until is not None
    court.clock.at = late.appeal_until
    with pytest.raises(AppealTooLate):
        await appeals.appeal(late.id, said, actor=person_of(late.against))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_no_appeal_comes_too_late_by_a_day_that_was_guessed(court: Court) -> None:
    court.clock.at = datetime(2026, 12, 15, tzinfo=UTC)  # Nobody has published the next year's days yet.
    case = await court.sanctioned(GRABBED, await court.enterprise(GRABBED), Party.ENTERPRISE, "late_change")
    assert case.appeal_until is not None
    court.clock.at = case.appeal_until
    await court.sanctions.appeals.appeal(case.id, "元旦、春节放假", actor=person_of(case.against))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@rules("YC-40")
async def test_what_is_lifted_was_right_while_it_stood_and_the_service_file_says_both(court: Court) -> None:
    provider = await court.provider(DRAWN)
    case = await court.sanctioned(DRAWN, provider, Party.PROVIDER, "abnormal_redemption")
    await court.sanctions.appeals.lift(
        case.id, "核实无误", version=case.version, actor=await court.staff("authority")
    )
    filed = await ServiceFileEntry.filter(provider_id=provider.id).order_by("id")
    assert [one.data["event"] for one in filed] == ["sanctioned", "sanction_ended"]
    now = court.clocks.now(DRAWN)
    assert not (await service_files.check(court.programme(DRAWN), provider.id, now=now)).met


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_dismissed_or_withdrawn_proposal_lets_go_of_what_was_held(court: Court) -> None:
    operator, authority = await court.staff("operator"), await court.staff("authority")
    for way in ("dismiss", "withdraw"):
        provider = await court.provider(GRABBED)
        case = await court.proposed(
            GRABBED, provider, Party.PROVIDER, "refuses_supervision", actor=operator, hold_now=True
        )
        assert await PaymentHold.filter(lifted_at=None).count() == 1
        if way == "dismiss":
            await court.sanctions.decisions.dismiss(
                case.id, version=case.version, reason="证据不足", actor=authority
            )
        else:
            await court.sanctions.cases.withdraw(case.id, "证据不足", version=case.version, actor=operator)
        assert await PaymentHold.filter(lifted_at=None).count() == 0
        assert (await Suspension.get(id=case.suspension_id)).lifted_at is not None
        assert await standing(provider, Party.PROVIDER) is not QualificationStatus.SUSPENDED


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_who_states_its_case_too_late_is_told_so(court: Court) -> None:
    enterprise = await court.enterprise(RANKED)
    case = await court.proposed(
        RANKED, enterprise, Party.ENTERPRISE, "fraud", actor=await court.staff("authority")
    )
    with pytest.raises(NotFound):  # It was told nothing yet.
        await court.sanctions.hearings.state(case.id, "冤枉", actor=person_of(enterprise))
    case = await court.sanctions.hearings.call(
        case.id, version=case.version, actor=await court.staff("authority")
    )
    assert case.hearing_until is not None
    court.clock.at += case.hearing_until - court.clocks.now(RANKED)
    with pytest.raises(HearingOver):
        await court.sanctions.hearings.state(case.id, "冤枉", actor=person_of(enterprise))
    case = await court.decided(
        await SanctionCase.get(id=case.id), actor=await court.staff("authority"), skip=False
    )
    assert case.status is SanctionStatus.DECIDED


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_no_day_that_was_guessed_ends_a_hearing(court: Court) -> None:
    court.clock.at = datetime(2026, 12, 28, tzinfo=UTC)  # Nobody has published the next year's days yet.
    enterprise, authority = await court.enterprise(GRABBED), await court.staff("authority")
    case = await court.proposed(GRABBED, enterprise, Party.ENTERPRISE, "late_change", actor=authority)
    case = await court.sanctions.hearings.call(case.id, version=case.version, actor=authority)
    assert case.hearing_until is not None
    told = await OutboxMessage.get(topic="sanction.hearing")
    assert "暂定" in notices.notice(told.topic, told.data, programme_name=str).sentence
    court.clock.at = case.hearing_until + timedelta(days=30)
    with pytest.raises(HearingOutstanding):
        await court.decided(case, actor=await court.staff("operator"), skip=False)
    await court.sanctions.hearings.state(case.id, "元旦放假", actor=person_of(enterprise))


@rules("LS-82", "GX-79")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_a_complaint_proposed_becomes_a_case_once_or_is_dismissed_with_a_reason(
    court: Court,
) -> None:
    cases, rows = court.sanctions.cases, []
    for _ in range(2):
        order = await court.order(ALLOTTED)
        filed = await court.complained(ALLOTTED, order)
        finder = await court.answered(filed, finding=Finding.SUBSTANTIATED, serious=True)
        rows.append(await SanctionProposal.get(complaint_id=filed.id))
    taken, left = rows
    about = Proposal(
        programme_slug="",
        organisation_id=0,
        party=Party.ENTERPRISE,
        ground="complaint",
        facts=FACTS,
        orders=[],
        vouchers=[],
    )
    case = await cases.from_complaint(taken.id, about, actor=await court.staff("division"))
    assert (case.source, case.source_id, case.against_id) == (
        SanctionSource.COMPLAINT,
        taken.complaint_id,
        taken.against_id,
    )
    with pytest.raises(ProposalDecided):
        await cases.from_complaint(taken.id, about, actor=await court.staff("division"))
    with pytest.raises(OwnReview):
        await cases.dismiss_proposal(left.id, "情节轻微", actor=await court.again(finder, "authority"))
    # Nor do they decide on a case that somebody else proposes past it.
    against = await Organisation.get(id=left.against_id)
    past = await court.proposed(
        ALLOTTED, against, left.party, "refuses_supervision", actor=await court.staff("division")
    )
    with pytest.raises(OwnReview):
        await court.sanctions.decisions.dismiss(
            past.id, version=past.version, reason="无", actor=await court.again(finder, "authority")
        )
    done = await cases.dismiss_proposal(left.id, "情节轻微", actor=await court.staff("authority"))
    assert (done.dismiss_reason, done.decided_at is not None) == ("情节轻微", True)
    with pytest.raises(ProposalDecided):
        await cases.from_complaint(left.id, about, actor=await court.staff("division"))
    case = await court.decided(case, actor=await court.staff("authority"))
    assert (await SanctionProposal.get(id=taken.id)).decided_at == case.decided_at


async def test_what_one_turn_does_not_finish_the_next_takes_up(court: Court) -> None:
    enterprise, provider = await court.enterprise(GRABBED), await court.provider(GRABBED)
    for _ in range(3):
        await court.running(GRABBED, enterprise, provider)
    case = await court.sanctioned(GRABBED, provider, Party.PROVIDER, "violation")
    ended = SanctionEffect.filter(case_id=case.id, effect=Effect.END_ORDER)
    assert await ended.filter(done_at=None).count() == 0
    # A server that died after the decision leaves rows behind that say what is still to be done.
    await ended.update(done_at=None, note="")
    assert await court.sanctions.effects.carry_on(case.id, most=2) == 2
    assert await court.sanctions.effects.carry_on_all() == 1
    assert {row.note for row in await ended} == {"此前已结束"}
    assert await ledger.verify() == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_hold_left_on_a_closed_case_is_lifted_by_the_authority_and_none_is_placed_on_a_dead_order(
    court: Court,
) -> None:
    order = await court.order(ALLOTTED)
    filed = await court.complained(ALLOTTED, order)
    await court.answered(filed, finding=Finding.SUBSTANTIATED, serious=True)
    authority, elsewhere = (
        await court.staff("authority"),
        await court.staff("authority", programmes=(GRABBED,)),
    )
    with pytest.raises(Refusal):
        await court.handling.lift(filed.id, "已处理完毕", actor=authority)
    await Complaint.filter(id=filed.id).update(status=ComplaintStatus.CLOSED, assigned_to=None)
    with pytest.raises(NotFound):
        await court.handling.lift(filed.id, "已处理完毕", actor=elsewhere)
    await court.handling.lift(filed.id, "已处理完毕", actor=authority)
    await order_holds.require_free(order)
    with pytest.raises(HoldImpossible):
        await court.handling.lift(filed.id, "已处理完毕", actor=authority)

    dead = await court.order(ALLOTTED, status=OrderStatus.CANCELLED)
    other = await court.complained(ALLOTTED, dead)
    await court.answered(other, finding=Finding.SUBSTANTIATED, serious=True)
    assert not await OrderHold.filter(order_id=dead.id).exists()
