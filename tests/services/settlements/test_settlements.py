"""Settlements, one journey a mode: from a finished order to money that may be paid; and every refusal."""

from __future__ import annotations

from collections import Counter as Counted
from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest
from tortoise.context import TortoiseContext
from tortoise.transactions import in_transaction

from server.models.ceilings import CeilingRaise
from server.models.orders import Order
from server.models.organisations import Organisation
from server.models.outbox import OutboxMessage
from server.models.people import Staff
from server.models.reviews import ReviewCase, ReviewDecision
from server.models.rounds import Budget
from server.models.settlements import RefundTask, Settlement
from server.programme.steps import StepKind
from server.rules.money import Account, Movement
from server.rules.payment_holds import HoldCause
from server.rules.review import Verdict, differences
from server.rules.settlements import SettlementStatus, WindowClosed
from server.services.access import NotFound
from server.services.budgets import ledger
from server.services.disbursements import disbursement_reminders
from server.services.holds import payment_holds
from server.services.holds.payment_holds import PaymentHeld
from server.services.reviews.reviewers import OwnReview
from server.services.settlements import settlement_book
from server.services.settlements.settlement_book import SettlementMovedOn
from server.services.settlements.settlement_drafts import OrderNotFinished, SettledAlready
from server.services.settlements.settlement_end import SettlementNotPayable
from server.services.settlements.settlement_money import YearMoneyGone
from server.services.settlements.settlement_papers import ForOrder
from server.services.settlements.settlements import SettlementDecided, SettlementUnmet
from server.units import yuan_to_fen
from tests.contracting import ALLOTTED, DAY, DRAWN, GRABBED, ON_CONTRACT, RANKED, person_of
from tests.settling import Counter


@pytest.fixture
async def counter(database: TortoiseContext) -> AsyncIterator[Counter]:
    """The settlement counter on each kind of database. Whatever a test does, the books balance."""
    yield Counter()
    assert await ledger.verify() == []


@pytest.mark.rules("LS-47", "LS-48")
async def test_a_finished_order_is_settled_at_any_time_through_the_chain_of_its_text(
    counter: Counter,
) -> None:
    order = await counter.finished(GRABBED, budget=await counter.budget(GRABBED))
    settlement = await counter.submitted(order)
    assert settlement.status is SettlementStatus.IN_REVIEW
    assert settlement.asked_fen == settlement.ledger_fen == order.voucher_fen
    # The enterprise is the other side of it: whoever is tied to it decides nothing.
    friend = await counter.staff("operator")
    enterprise = await Organisation.get(id=order.enterprise_id)
    await Staff.filter(id=friend.id).update(affiliations=[enterprise.uscc])
    with pytest.raises(OwnReview):
        await counter.decides(settlement, actor=friend)
    settlement = await counter.through(settlement)
    assert settlement.status is SettlementStatus.PAYABLE
    assert settlement.amount_fen == order.voucher_fen
    kinds = [row.kind.value for row in await ReviewDecision.filter(case_id=settlement.case_id).order_by("id")]
    assert kinds == ["pre_review", "review", "public_notice"]
    sums = await ledger.balances(order_id=order.id, enterprise_id=order.enterprise_id)
    assert sums[Account.REDEEMED] == order.voucher_fen


@pytest.mark.rules("YC-14", "YC-19", "YC-26")
async def test_complete_files_take_the_years_money_in_their_order_until_it_is_gone(counter: Counter) -> None:
    budget = await counter.budget(DRAWN, 50_000)
    first, second = [await counter.finished(DRAWN, 100_000, budget=budget) for _ in range(2)]
    settlement = await counter.submitted(first)
    assert (await Budget.get(id=budget.id)).on_file_fen == settlement.asked_fen == yuan_to_fen(30_000)
    with pytest.raises(YearMoneyGone) as refusal:
        await counter.submitted(second)
    assert refusal.value.clause and refusal.value.arithmetic == "30,000.00 > 20,000.00"
    assert not await Settlement.exists(order_id=second.id, status=SettlementStatus.IN_REVIEW)
    settlement = await counter.decides(settlement, Verdict.REJECTED)
    assert settlement.status is SettlementStatus.REFUSED
    assert (await Budget.get(id=budget.id)).on_file_fen == 0
    await counter.settlements.withdraw_all(
        (await Settlement.get(order_id=second.id)).application_id,
        reason="重新提交",
        version=2,
        actor=await counter.provider_of(second),
    )
    settlement = await counter.through(await counter.submitted(second))
    assert settlement.status is SettlementStatus.PAYABLE
    sums = await ledger.balances(order_id=second.id, enterprise_id=second.enterprise_id)
    assert (sums[Account.HELD], sums[Account.REDEEMED]) == (0, yuan_to_fen(30_000))
    assert (await Order.get(id=second.id)).step is None


@pytest.mark.rules("NX-05", "NX-21", "NX-22", "NX-26", "NX-36")
async def test_the_operator_settles_a_project_and_may_cut_it_by_the_contract_with_a_reason(
    counter: Counter,
) -> None:
    budget = await counter.budget(ON_CONTRACT)
    order = await counter.finished(ON_CONTRACT, 4_000, budget=budget)
    settlement = await counter.submitted(order)
    assert settlement.asked_fen == yuan_to_fen(2_000)
    settlement = await counter.decides(
        settlement,
        reason="第三项服务未完成，按合同第五条核减",
        extras={
            "amount_fen": yuan_to_fen(1_500),
            "escrow_fen": yuan_to_fen(1_600),
            "fee_fen": yuan_to_fen(200),
        },
    )
    assert settlement.status is SettlementStatus.PAYABLE
    assert (settlement.amount_fen, settlement.reduced_fen) == (yuan_to_fen(1_500), yuan_to_fen(500))
    assert settlement.reduction_reason.startswith("第三项")
    sums = await ledger.balances(order_id=order.id, enterprise_id=order.enterprise_id)
    assert sums[Account.REDEEMED] == yuan_to_fen(1_500)
    assert sums[Account.ESCROW_OWED] == yuan_to_fen(1_600)
    assert sums[Account.ESCROW] == 0
    assert sums[Account.FEE] == yuan_to_fen(200)
    returned = await ledger.balances(movement=Movement.RETURN_VOIDED, order_id=order.id)
    assert returned[Account.BUDGET] == yuan_to_fen(500)


async def told_of_the_window(counter: Counter, order: Order) -> list[int]:
    """How many hear day by day of a window that closes in eight days: both sides, and the operator's team."""
    programme, at = counter.programmes.get(order.programme_slug), counter.clock.at
    buyer = await counter.enterprise(ALLOTTED)
    await counter.settle(buyer)
    other = await counter.signed(buyer, await counter.provider(ALLOTTED), 10_000)
    await Order.filter(id=other.id).update(step=StepKind.RATE)
    heard = []
    for day in range(8):
        counter.clock.at = at + day * DAY
        by_others = await disbursement_reminders.send_due(programme, now=counter.now)
        heard.append(await counter.windows.tell_due() + by_others)
        assert await counter.windows.tell_due() == 0
    counter.clock.at = at
    topic = "reminder.settlement_window"
    told = await OutboxMessage.filter(topic=topic).values_list("recipient", flat=True)
    assert sorted(Counted(told).values()) == [3, 3, 3], "seven, three and one days before, each side once"
    assert f"organisation:{other.enterprise_id}" in told and f"organisation:{order.provider_id}" in told
    return heard


@pytest.mark.rules("GX-33", "GX-55", "GX-60", "GX-62")
async def test_settlements_are_handed_in_within_the_windows_of_the_year(counter: Counter) -> None:
    order = await counter.finished(ALLOTTED, 40_000, budget=await counter.budget(ALLOTTED))
    application = await counter.begun(order)
    with pytest.raises(WindowClosed) as refusal:
        await counter.submit(application)
    assert refusal.value.clause
    authority = await counter.staff("authority")
    await counter.windows.announce(
        ALLOTTED, "第一次集中兑付", counter.now + DAY, counter.now + 10 * DAY, actor=authority
    )
    counter.clock.advance(2 * DAY)
    assert await counter.windows.tell_due() == 1
    assert await counter.windows.tell_due() == 0
    assert await told_of_the_window(counter, order) == [0, 3, 0, 0, 0, 3, 0, 3]
    forms = await counter.drafts.print_forms(application.id, actor=await counter.provider_of(order))
    assert len(forms) == 2
    (settlement,) = await counter.submit(application)
    settlement = await counter.through(settlement)
    assert settlement.status is SettlementStatus.PAYABLE
    assert settlement.amount_fen == yuan_to_fen(20_000)


@pytest.mark.rules("GZ-19", "GZ-20", "GZ-40")
async def test_the_stamped_forms_must_be_of_what_the_application_says_now(counter: Counter) -> None:
    budget, provider = await counter.budget(RANKED), await counter.provider(RANKED)
    one, other = [await counter.finished(RANKED, 10_000, budget=budget, provider=provider) for _ in range(2)]
    application = await counter.begun(one)
    application = await counter.hand_in(application, await counter.stamped(application))
    actor = await counter.provider_of(one)
    application = await counter.drafts.choose(
        application.id, [one.id, other.id], version=application.version, actor=actor
    )
    with pytest.raises(SettlementUnmet) as refusal:
        await counter.submit(application)
    assert {unmet.code for unmet in refusal.value.unmet} == {"application_outdated", "summary_outdated"}
    counter.clock.advance(timedelta(minutes=1))
    application = await counter.hand_in(application, await counter.stamped(application))
    settlements = await counter.submit(application)
    assert [one.status for one in settlements] == [SettlementStatus.IN_REVIEW] * 2
    sums = await ledger.balances(provider_id=provider.id)
    assert sums[Account.DISBURSED] == 0


@pytest.mark.rules("GZ-48")
async def test_a_provider_that_was_paid_in_full_is_given_the_task_to_pay_back(counter: Counter) -> None:
    budget = await counter.budget(RANKED)
    enterprise, provider = await counter.enterprise(RANKED), await counter.provider(RANKED)
    voucher = await counter.voucher(budget, enterprise, 5_000, order_days=30)
    order = await counter.opened(RANKED, enterprise, provider, 10_000, voucher_id=voucher.id)
    order = await counter.walk(order, until=StepKind.PAY_VOUCHER)
    order = await counter.step(order, enterprise, transfer={"amount_fen": yuan_to_fen(10_000)})
    settlement = await counter.through(await counter.submitted(await counter.walk(order)))
    task = await RefundTask.get(settlement_id=settlement.id)
    assert task.amount_fen == settlement.amount_fen == yuan_to_fen(5_000)
    assert task.clause and task.done_at is None


@pytest.mark.rules("LS-54", "GZ-75")
async def test_what_is_returned_names_its_items_and_comes_back_with_its_place_in_the_line(
    counter: Counter,
) -> None:
    order = await counter.finished(GRABBED, budget=await counter.budget(GRABBED))
    settlement = await counter.submitted(order)
    place, actor = settlement.line_at, await counter.provider_of(order)
    counter.clock.advance(timedelta(hours=3))
    await ReviewCase.filter(id=settlement.case_id).update(flagged=True)
    settlement = await counter.decides(
        settlement, Verdict.RETURNED, fields={"proof": "台账缺少服务日期"}, reason="请补充服务台账"
    )
    assert settlement.status is SettlementStatus.RETURNED
    programme = counter.settlements.terms_of(order)
    document = next(one for one in programme.settlement.documents if one.code == "proof")
    application = await settlement_book.application_for(settlement.application_id, actor=actor)
    paper = ForOrder(order.id, await counter.paper(order, document, {}))
    await counter.hand_in(application, [paper])
    again = await counter.settlements.resubmit(settlement.id, version=settlement.version, actor=actor)
    assert (again.status, again.line_at) == (SettlementStatus.IN_REVIEW, place)
    case = await counter.case(again)
    reviewed = counter.reviews.reviewed(case)
    before = (await ReviewDecision.get(case_id=case.id)).snapshot
    changed = {path for path, _, _ in differences(before, await reviewed.snapshot(case))}
    assert {"papers.proof.files"} <= changed
    # Whoever corrects a file does not take it out of the sample that an official put it into.
    assert case.flagged
    with pytest.raises(SettlementMovedOn):
        await counter.settlements.resubmit(settlement.id, version=settlement.version, actor=actor)


async def test_what_is_taken_back_frees_its_money_and_may_be_asked_for_again(counter: Counter) -> None:
    budget = await counter.budget(DRAWN, 50_000)
    order = await counter.finished(DRAWN, 100_000, budget=budget)
    settlement = await counter.submitted(order)
    actor = await counter.provider_of(order)
    with pytest.raises(SettledAlready):
        await counter.begun(order)
    back = await counter.settlements.withdraw(
        settlement.id, reason="材料需更换", version=settlement.version, actor=actor
    )
    assert back.status is SettlementStatus.WITHDRAWN
    assert (await Budget.get(id=budget.id)).on_file_fen == 0
    assert (await Order.get(id=order.id)).step is StepKind.SETTLE
    again = await counter.submitted(order)
    assert again.status is SettlementStatus.IN_REVIEW
    case = await counter.case(again)
    assert (case.amount_fen, case.flagged) == (again.asked_fen, False)
    decided = await counter.through(again)
    with pytest.raises(SettlementDecided) as refusal:
        await counter.settlements.withdraw(decided.id, reason="", version=decided.version, actor=actor)
    assert refusal.value.clause


@pytest.mark.rules("YC-24")
async def test_what_stood_on_a_list_and_is_taken_back_comes_into_every_sample(counter: Counter) -> None:
    order = await counter.finished(DRAWN, 100_000, budget=await counter.budget(DRAWN))
    settlement = await counter.submitted(order)
    assert not (await counter.case(settlement)).flagged
    await ReviewCase.filter(id=settlement.case_id).update(draw_id=1)
    await counter.settlements.withdraw(
        settlement.id, reason="", version=settlement.version, actor=await counter.provider_of(order)
    )
    assert (await counter.case(await counter.submitted(order))).flagged


async def test_an_application_is_refused_out_of_turn_twice_stale_and_to_strangers(counter: Counter) -> None:
    budget = await counter.budget(GRABBED)
    enterprise, provider = await counter.enterprise(GRABBED), await counter.provider(GRABBED)
    voucher = await counter.voucher(budget, enterprise, 10_000)
    order = await counter.opened(GRABBED, enterprise, provider, 10_000, voucher_id=voucher.id)
    with pytest.raises(OrderNotFinished) as refusal:
        await counter.begun(order)
    assert refusal.value.clause
    order = await counter.walk(order)
    stranger = await counter.provider(GRABBED)
    with pytest.raises(NotFound):
        await counter.drafts.open([order.id], actor=person_of(stranger))
    application = await counter.begun(order)
    with pytest.raises(SettledAlready):
        await counter.begun(order)
    with pytest.raises(NotFound):
        await counter.settlements.submit(application.id, version=1, actor=person_of(stranger))
    with pytest.raises(SettlementMovedOn):
        await counter.settlements.submit(application.id, version=9, actor=person_of(provider))
    await counter.submit(application)
    with pytest.raises(SettlementMovedOn) as moved:
        await counter.settlements.submit(application.id, version=2, actor=person_of(provider))
    assert moved.value.values["what"] == "已提交"


@pytest.mark.rules("LS-30", "LS-50")
async def test_evidence_that_says_less_than_the_ledger_is_refused_with_the_difference(
    counter: Counter,
) -> None:
    order = await counter.finished(GRABBED, budget=await counter.budget(GRABBED))
    # The row remembers another sum than its papers: what counts is what they come to.
    await Order.filter(id=order.id).update(actual_fee_fen=yuan_to_fen(9_000))
    with pytest.raises(SettlementUnmet) as refusal:
        await counter.submitted(order)
    apart = next(one for one in refusal.value.unmet if one.code == "amount_differs")
    assert "6,300.00" in apart.message and "7,000.00" in apart.message and "700.00" in apart.message
    assert apart.clause and "70%" in apart.arithmetic
    assert {"invoice", "transfer"} <= {one.code for one in refusal.value.unmet}


@pytest.mark.rules("GX-32")
async def test_what_passes_a_ceiling_in_principle_waits_until_the_authority_raises_it(
    counter: Counter,
) -> None:
    budget, provider = await counter.budget(ALLOTTED), await counter.provider(ALLOTTED)
    await counter.windows.announce(
        ALLOTTED, "集中兑付", counter.now, counter.now + 30 * DAY, actor=await counter.staff("authority")
    )
    order = await counter.finished(ALLOTTED, 40_000, budget=budget, provider=provider)
    settlement = await counter.submitted(order)
    # What the provider was settled before, in the same service year.
    earlier = await counter.finished(ALLOTTED, 40_000, budget=budget, provider=provider)
    before = await counter.submitted(earlier)
    await Settlement.filter(id=before.id).update(
        status=SettlementStatus.PAYABLE, ledger_fen=yuan_to_fen(4_990_000), amount_fen=yuan_to_fen(4_990_000)
    )
    settlement = await counter.decides(settlement)
    settlement = await counter.decides(settlement)
    with pytest.raises(SettlementNotPayable) as refusal:
        await counter.decides(settlement)
    assert [one.code for one in refusal.value.unmet] == ["provider_ceiling"]
    assert refusal.value.clause == "第十一条"
    await CeilingRaise.create(
        budget_id=budget.id,
        provider_id=provider.id,
        ceiling="service_year",
        clause="第十一条",
        most_fen=yuan_to_fen(6_000_000),
        reason="承担自治区重点项目",
        made_by=1,
        made_at=counter.now,
    )
    settlement = await counter.decides(settlement)
    assert settlement.amount_fen == yuan_to_fen(20_000)
    await Settlement.filter(id=before.id).update(
        status=SettlementStatus.IN_REVIEW, ledger_fen=before.ledger_fen, amount_fen=0
    )


async def test_an_order_that_is_held_goes_nowhere(counter: Counter) -> None:
    budget = await counter.budget(GRABBED)
    order, other = [await counter.finished(GRABBED, budget=budget) for _ in range(2)]
    settlement = await counter.submitted(order)
    for held in (order, other):
        async with in_transaction():
            await payment_holds.place(
                HoldCause.ANOMALY,
                held.id,
                programme_slug=GRABBED,
                clause="第十七条",
                reason="核销数据异常，正在核查",
                actor=await counter.staff("operator"),
                now=counter.now,
                order_id=held.id,
            )
    with pytest.raises(PaymentHeld):
        await counter.submitted(other)
    settlement = await counter.decides(settlement)
    with pytest.raises(PaymentHeld):
        await counter.decides(settlement)
    async with in_transaction():
        await payment_holds.lift(
            HoldCause.ANOMALY,
            order.id,
            reason="查无异常",
            actor=await counter.staff("operator"),
            now=counter.now,
        )
    assert (await counter.decides(settlement)).amount_fen == order.voucher_fen


@pytest.mark.rules("YC-15", "YC-22", "YC-26")
async def test_a_statement_flags_a_file_and_a_result_of_another_year_is_none(counter: Counter) -> None:
    budget = await counter.budget(DRAWN)
    order = await counter.finished(DRAWN, 300_000, budget=budget)
    last_year = {"dated": date(2025, 12, 30)}
    with pytest.raises(SettlementUnmet) as refusal:
        await counter.submitted(order, project_declaration=last_year, fund_release=last_year)
    assert [one.code for one in refusal.value.unmet] == ["other_year"]
    draft = await Settlement.get(order_id=order.id)
    await counter.settlements.withdraw(
        draft.id, reason="", version=draft.version, actor=await counter.provider_of(order)
    )
    settlement = await counter.submitted(
        order, project_declaration=None, honour={}, fund_release=None, statement={}
    )
    assert settlement.flagged and (await counter.case(settlement)).flagged
    assert settlement.asked_fen == yuan_to_fen(50_000)
    assert settlement.clause == "第十条"


@pytest.mark.rules("GX-84")
@pytest.mark.parametrize("slug", [ALLOTTED, GRABBED, ON_CONTRACT])
async def test_what_is_refused_is_paid_never_and_its_money_is_the_years_again(
    counter: Counter, slug: str
) -> None:
    budget = await counter.budget(slug)
    if slug == ALLOTTED:
        authority = await counter.staff("authority")
        await counter.windows.announce(slug, "集中兑付", counter.now, counter.now + 9 * DAY, actor=authority)
    order = await counter.finished(slug, 4_000, budget=budget)
    settlement = await counter.decides(await counter.submitted(order), Verdict.REJECTED)
    if settlement.status is SettlementStatus.IN_REVIEW:  # Who checks first only gives an opinion.
        settlement = await counter.decides(settlement, Verdict.REJECTED)
    assert (settlement.status, settlement.amount_fen) == (SettlementStatus.REFUSED, 0)
    sums = await ledger.balances(order_id=order.id, enterprise_id=order.enterprise_id)
    assert [sums[one] for one in (Account.HELD, Account.REDEEMED, Account.COMMITTED, Account.ESCROW)] == [
        0
    ] * 4
    with pytest.raises(SettledAlready):
        await counter.begun(order)
