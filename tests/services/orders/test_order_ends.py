"""How orders end before they are done, and what comes back: by either side, by both, by a deadline."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from server.models.contracts import Contract
from server.models.journal import JournalEntry
from server.models.orders import CancellationRequest, Order, PaymentReturnRequest
from server.models.organisations import Organisation
from server.models.outbox import OutboxMessage
from server.models.reviews import ReviewCase
from server.models.rounds import Budget
from server.models.vouchers import Voucher
from server.programme.review import ReviewSubject
from server.programme.steps import StepKind
from server.rules.contracts import ContractStatus
from server.rules.deadlines import end_of
from server.rules.lifecycles import NotPermittedNow, VoucherStatus
from server.rules.money import Account
from server.rules.orders import OrderStatus
from server.rules.review import CaseStatus, Verdict
from server.services.access import Actor
from server.services.budgets import budgets, ledger
from server.services.orders.order_ends import (
    CancellationAskedAlready,
    CancellationIncomplete,
    CannotDecline,
    NothingToTakeBack,
)
from server.services.orders.order_wishes import OrderMovedOn
from server.services.orders.reviewed_orders import PaymentNotReturned
from server.services.rounds import entitlements
from server.units import yuan_to_fen
from tests.contracting import (
    ALLOTTED,
    DAY,
    GRABBED,
    ON_CONTRACT,
    OPERATOR,
    RANKED,
    Desk,
    person_of,
)

FACE = 10_000


async def placed(desk: Desk, slug: str = GRABBED, **more: int) -> tuple[Order, Voucher]:
    """An order of 10,000 yuan that waits for its provider, on a voucher of as much."""
    budget = await desk.budget(slug)
    enterprise, provider = await desk.enterprise(slug), await desk.provider(slug)
    voucher = await desk.voucher(budget, enterprise, FACE, **more)
    order = await desk.opened(slug, enterprise, provider, FACE, voucher_id=voucher.id)
    return order, await Voucher.get(id=voucher.id)


async def sides(order: Order) -> tuple[Actor, Actor]:
    """The handlers of enterprise and provider."""
    return (
        person_of(await Organisation.get(id=order.enterprise_id)),
        person_of(await Organisation.get(id=order.provider_id)),
    )


async def free_yuan(voucher: Voucher) -> int:
    return (await ledger.balances(voucher_id=voucher.id))[Account.AVAILABLE] // 100


async def asked_by_both(desk: Desk, order: Order) -> Order:
    """Both sides have asked in writing that the order be cancelled."""
    for side, actor in zip((order.enterprise_id, order.provider_id), await sides(order), strict=True):
        paper = await desk.file(await Organisation.get(id=side), order.programme_slug)
        order = await Order.get(id=order.id)
        order = await desk.ends.cancel(
            order.id, reason="双方协商一致", file_ids=[paper], version=order.version, actor=actor
        )
    return order


async def decide(desk: Desk, subject: ReviewSubject, verdict: Verdict) -> None:
    case = await ReviewCase.filter(subject=subject).order_by("-id").first()
    assert case is not None
    await desk.reviews.decide(
        case.id,
        verdict,
        version=case.version,
        reason="" if verdict is Verdict.APPROVED else "服务已完成一半",
        fields={},
        extras={},
        actor=await desk.reviewer(),
    )


async def test_an_enterprise_takes_back_alone_what_nobody_has_taken_on(desk: Desk) -> None:
    order, voucher = await placed(desk)
    buyer, _ = await sides(order)
    order = await desk.ends.cancel(order.id, reason="下错了", file_ids=[], version=order.version, actor=buyer)
    assert order.status is OrderStatus.CANCELLED
    assert await free_yuan(voucher) == FACE
    with pytest.raises(NotPermittedNow):
        await desk.ends.cancel(order.id, reason="再来", file_ids=[], version=order.version, actor=buyer)


async def test_a_provider_declines_with_a_reason_and_the_voucher_is_whole(desk: Desk) -> None:
    order, voucher = await placed(desk)
    buyer, seller = await sides(order)
    with pytest.raises(CannotDecline):
        await desk.ends.decline(order.id, reason="不做", version=order.version, actor=buyer)
    order = await Order.get(id=order.id)
    order = await desk.ends.decline(order.id, reason="档期已满", version=order.version, actor=seller)
    assert (order.status, order.reason) == (OrderStatus.DECLINED, "档期已满")
    assert await free_yuan(voucher) == FACE
    told = await OutboxMessage.filter(topic="order.declined", recipient=f"organisation:{order.enterprise_id}")
    assert len(told) == 1


async def test_a_provider_that_took_the_order_on_declines_it_no_more(desk: Desk) -> None:
    order, _ = await placed(desk)
    _, seller = await sides(order)
    order = await desk.walk(order, until=StepKind.SIGN_CONTRACT)
    with pytest.raises(CannotDecline):
        await desk.ends.decline(order.id, reason="不想做了", version=order.version, actor=seller)


@pytest.mark.rules("GZ-33", "GZ-38")
async def test_a_silent_provider_costs_the_enterprise_no_day(desk: Desk) -> None:
    order, voucher = await placed(desk, RANKED, order_days=30)
    desk.clock.advance(timedelta(days=10))
    assert await desk.ends.lapse_due() == 1
    order = await Order.get(id=order.id)
    assert order.status is OrderStatus.DECLINED
    assert await free_yuan(voucher) == FACE
    before, after = voucher.order_deadline, (await Voucher.get(id=voucher.id)).order_deadline
    assert before is not None
    assert after is not None
    assert after - before == 10 * DAY
    assert await desk.ends.lapse_due() == 0


@pytest.mark.rules("GZ-33", "GZ-38")
async def test_no_contract_in_time_takes_the_voucher_back_with_what_the_order_held(desk: Desk) -> None:
    order, voucher = await placed(desk, RANKED, order_days=5)
    await desk.walk(order, until=StepKind.UPLOAD_CONTRACT)
    desk.clock.advance(timedelta(days=6))
    assert await desk.ends.lapse_due() == 1
    assert (await Order.get(id=order.id)).status is OrderStatus.LAPSED
    sums = await ledger.balances(voucher_id=voucher.id)
    # The time to order is over for what was free of it, too.
    assert (sums[Account.AVAILABLE], sums[Account.HELD]) == (0, 0)
    assert (await Voucher.get(id=voucher.id)).status is VoucherStatus.RECLAIMED
    assert (await Budget.get(id=voucher.budget_id)).returned_fen == yuan_to_fen(FACE)
    told = await OutboxMessage.get(topic="voucher.reclaim")
    assert (told.recipient, told.data["amount_fen"]) == (
        f"organisation:{order.enterprise_id}",
        yuan_to_fen(FACE),
    )


@pytest.mark.rules("LS-53")
async def test_both_ask_in_writing_and_the_platform_agrees(desk: Desk) -> None:
    order, voucher = await placed(desk)
    order = await desk.walk(order, until=StepKind.DELIVER)
    buyer, _ = await sides(order)
    with pytest.raises(CancellationIncomplete):
        await desk.ends.cancel(order.id, reason="无法履行", file_ids=[], version=order.version, actor=buyer)
    assert not await CancellationRequest.exists()
    order = await asked_by_both(desk, await Order.get(id=order.id))
    assert order.status is OrderStatus.CANCELLING
    assert await free_yuan(voucher) == 3_000
    await decide(desk, ReviewSubject.CANCELLATION, Verdict.APPROVED)
    order = await Order.get(id=order.id)
    assert order.status is OrderStatus.CANCELLED
    assert await free_yuan(voucher) == FACE
    assert (await Contract.get(id=order.contract_id)).status is ContractStatus.FAILED


@pytest.mark.rules("LS-53")
async def test_what_was_paid_for_comes_back_too_when_both_end_an_accepted_order(desk: Desk) -> None:
    order, voucher = await placed(desk)
    order = await desk.walk(order, until=StepKind.RATE)
    assert (await ledger.balances(voucher_id=voucher.id))[Account.REDEEMED] == yuan_to_fen(7_000)
    await asked_by_both(desk, order)
    await decide(desk, ReviewSubject.CANCELLATION, Verdict.APPROVED)
    assert await free_yuan(voucher) == FACE
    assert await ledger.verify() == []


def ruled(desk: Desk, order: Order, monkeypatch: pytest.MonkeyPatch, **rules: bool) -> None:
    """From now on the order's programme has these rules for a cancellation."""
    terms = desk.orders.terms_of(order)
    cancellation = replace(terms.programme.cancellation, **rules)
    ruled = replace(terms, programme=replace(terms.programme, cancellation=cancellation))
    monkeypatch.setattr(desk.orders, "terms_of", lambda _: ruled)


@pytest.mark.parametrize("bound", [True, False])
async def test_where_a_cancellation_burns_the_amount_no_voucher_has_it_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, bound: bool
) -> None:
    order, voucher = await placed(desk)
    ruled(desk, order, monkeypatch, burns_quota=True)
    buyer, _ = await sides(order)
    if bound:
        await desk.walk(order, until=StepKind.DELIVER)
        await desk.ends.terminate(order.id, reason="企业注销", actor=OPERATOR)
    else:
        await desk.ends.cancel(order.id, reason="下错了", file_ids=[], version=order.version, actor=buyer)
    sums = await ledger.balances(voucher_id=voucher.id)
    lost = yuan_to_fen(7_000) if bound else 0
    assert (sums[Account.AVAILABLE], sums[Account.HELD]) == (yuan_to_fen(FACE) - lost, 0)
    assert (await Voucher.get(id=voucher.id)).given_back_fen == 0
    assert (await Budget.get(id=voucher.budget_id)).returned_fen == lost
    assert await OutboxMessage.filter(topic="order.unperformed").count() == (2 if bound else 0)
    assert await ledger.verify() == []


async def test_where_the_expiry_is_not_kept_the_days_it_was_held_are_added_within_the_year(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, voucher = await placed(desk)
    buyer, provider = [await Organisation.get(id=one) for one in (order.enterprise_id, order.provider_id)]
    last = await desk.voucher(await Budget.get(), buyer, FACE, valid_days=220)
    other = await desk.opened(GRABBED, buyer, provider, FACE, voucher_id=last.id)
    ruled(desk, order, monkeypatch, keeps_expiry=False)
    desk.clock.advance(timedelta(days=20))
    for one in (order, other):
        await desk.ends.terminate(one.id, reason="企业注销", actor=OPERATOR)
    assert (await Voucher.get(id=voucher.id)).valid_until == voucher.valid_until + 20 * DAY
    year_end = end_of(date(2026, 12, 31))
    assert last.valid_until < year_end < last.valid_until + 20 * DAY
    assert (await Voucher.get(id=last.id)).valid_until == year_end


async def issued(desk: Desk) -> tuple[Order, Voucher]:
    """An order whose voucher was issued on its contract, and waits for the enterprise's bond."""
    period = await desk.period(await desk.budget(ON_CONTRACT), 100_000)
    enterprise, provider = await desk.enterprise(ON_CONTRACT), await desk.provider(ON_CONTRACT)
    request = await desk.decide(await desk.asked(period, enterprise, provider, 6_000))
    return await Order.get(id=request.order_id), await Voucher.get(id=request.voucher_id)


async def by_operator(desk: Desk, order: Order) -> None:
    await desk.ends.terminate(order.id, reason="企业注销", actor=OPERATOR)


async def by_both(desk: Desk, order: Order) -> None:
    await asked_by_both(desk, order)
    await decide(desk, ReviewSubject.CANCELLATION, Verdict.APPROVED)


@pytest.mark.rules("NX-10", "NX-18", "NX-19")
@pytest.mark.parametrize("end", [by_operator, by_both])
async def test_a_voucher_issued_on_a_contract_ends_with_it_and_costs_no_quota(
    desk: Desk, end: Callable[[Desk, Order], Awaitable[None]]
) -> None:
    order, voucher = await issued(desk)
    await end(desk, order)
    voucher = await Voucher.get(id=voucher.id)
    assert (voucher.status, voucher.given_back_fen) == (VoucherStatus.RECLAIMED, yuan_to_fen(3_000))
    budget = await Budget.get(id=voucher.budget_id)
    assert budget.returned_fen == yuan_to_fen(3_000)
    taken = await entitlements.taken_fen(desk.programme(ON_CONTRACT), budget.id, [order.enterprise_id])
    assert taken.get(order.enterprise_id, 0) == 0
    told = await OutboxMessage.get(topic="voucher.order_ended")
    assert told.recipient == f"organisation:{order.enterprise_id}"
    written = await JournalEntry.get(subject=f"voucher:{voucher.id}", action="voucher.order_ended")
    assert written.data["amount_fen"] == yuan_to_fen(3_000)
    assert await ledger.verify() == []


async def test_where_the_programme_says_so_it_outlives_the_contract(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, voucher = await issued(desk)
    terms = desk.orders.terms_of(order)
    outliving = replace(terms.programme.issuance, outlives_order=True)
    kept = replace(terms, programme=replace(terms.programme, issuance=outliving))
    monkeypatch.setattr(desk.orders, "terms_of", lambda _: kept)
    await by_operator(desk, order)
    assert (await Voucher.get(id=voucher.id)).status is VoucherStatus.ACTIVE
    assert await free_yuan(voucher) == 3_000


@pytest.mark.rules("NX-33")
async def test_a_contract_that_lapses_with_its_voucher_burns_the_quota_as_any_that_ran_out(
    desk: Desk,
) -> None:
    order, voucher = await issued(desk)
    desk.clock.advance(timedelta(days=61))
    assert await desk.ends.lapse_due() == 1
    assert await desk.vouchers.expire_due(ON_CONTRACT) == 1
    voucher = await Voucher.get(id=voucher.id)
    assert (voucher.status, voucher.given_back_fen) == (VoucherStatus.EXPIRED, 0)
    assert (await Order.get(id=order.id)).status is OrderStatus.LAPSED


@pytest.mark.rules("LS-53")
async def test_one_side_alone_cancels_nothing_and_may_think_again(desk: Desk) -> None:
    order, voucher = await placed(desk)
    order = await desk.walk(order, until=StepKind.DELIVER)
    buyer, seller = await sides(order)
    paper = await desk.file(await Organisation.get(id=order.enterprise_id), GRABBED)
    asked = {"reason": "无法履行", "file_ids": [paper], "actor": buyer}
    order = await desk.ends.cancel(order.id, version=order.version, **asked)
    assert order.status is OrderStatus.CANCELLING
    assert await free_yuan(voucher) == 3_000
    with pytest.raises(CancellationAskedAlready):
        await desk.ends.cancel(order.id, version=order.version, **asked)
    order = await Order.get(id=order.id)
    with pytest.raises(NothingToTakeBack):
        await desk.ends.take_back(order.id, version=order.version, actor=seller)
    order = await desk.ends.take_back(order.id, version=order.version, actor=buyer)
    assert (order.status, order.step) == (OrderStatus.OPEN, StepKind.DELIVER)


@pytest.mark.rules("LS-53")
async def test_a_cancellation_that_is_refused_lets_the_order_go_on(desk: Desk) -> None:
    order, voucher = await placed(desk)
    order = await asked_by_both(desk, await desk.walk(order, until=StepKind.DELIVER))
    await decide(desk, ReviewSubject.CANCELLATION, Verdict.REJECTED)
    order = await Order.get(id=order.id)
    assert (order.status, order.step) == (OrderStatus.OPEN, StepKind.DELIVER)
    assert await free_yuan(voucher) == 3_000
    assert (await desk.walk(order)).status is OrderStatus.DONE


@pytest.mark.rules("LS-53", "LS-32")
async def test_what_comes_back_to_a_lapsed_voucher_goes_to_the_pool(desk: Desk) -> None:
    order, voucher = await placed(desk, valid_days=20)
    order = await desk.walk(order, until=StepKind.DELIVER)
    desk.clock.advance(timedelta(days=30))
    budget = await Budget.get(id=voucher.budget_id)
    async with budgets.locked(budget.id):
        await Voucher.filter(id=voucher.id).update(status=VoucherStatus.EXPIRED)
        await ledger.post(
            ledger.Movement.EXPIRE,
            yuan_to_fen(3_000),
            ledger.Where(budget.id, voucher.round_id, voucher.enterprise_id, voucher.id),
            at=desk.now,
        )
    await asked_by_both(desk, await Order.get(id=order.id))
    await decide(desk, ReviewSubject.CANCELLATION, Verdict.APPROVED)
    assert await free_yuan(voucher) == 0
    assert (await Budget.get(id=budget.id)).returned_fen == yuan_to_fen(7_000)


@pytest.mark.rules("GX-65")
async def test_signing_pauses_when_the_year_is_short_and_the_line_resumes_in_order(desk: Desk) -> None:
    budget = await desk.budget(ALLOTTED, total_yuan=50_000)
    buyers = [await desk.enterprise(ALLOTTED) for _ in range(3)]
    provider = await desk.provider(ALLOTTED)
    orders = []
    for buyer in buyers:
        await desk.settle(buyer)
        orders.append(await desk.signed(buyer, provider, 60_000))
    assert [one.status for one in orders] == [OrderStatus.OPEN, OrderStatus.WAITING, OrderStatus.WAITING]
    small = await desk.enterprise(ALLOTTED)
    await desk.settle(small)
    behind = await desk.signed(small, provider, 2_000)
    assert behind.status is OrderStatus.WAITING, "nobody signs past the line"
    paused = await OutboxMessage.filter(topic="order.paused").values_list("recipient", flat=True)
    assert f"organisation:{buyers[1].id}" in paused
    assert f"organisation:{provider.id}" in paused
    assert await desk.line.resume() == 0
    await budgets.top_up(budget.id, yuan_to_fen(15_000), actor=OPERATOR, now=desk.now, reason="追加")
    assert await desk.line.resume() == 1
    states = [(await Order.get(id=one.id)).status for one in (*orders, behind)]
    assert states == [OrderStatus.OPEN, OrderStatus.OPEN, OrderStatus.WAITING, OrderStatus.WAITING]
    resumed = await Order.get(id=orders[1].id)
    assert resumed.step is StepKind.DEPOSIT
    assert resumed.voucher_fen == yuan_to_fen(30_000)


@pytest.mark.rules("GX-84")
async def test_the_operator_records_that_an_order_will_not_be_performed(desk: Desk) -> None:
    budget = await desk.budget(ALLOTTED)
    enterprise, provider = await desk.enterprise(ALLOTTED), await desk.provider(ALLOTTED)
    await desk.settle(enterprise)
    order = await desk.signed(enterprise, provider, 40_000)
    order = await desk.ends.terminate(order.id, reason="企业注销", actor=OPERATOR)
    assert order.status is OrderStatus.CANCELLED
    assert (await Budget.get(id=budget.id)).committed_fen == 0


@pytest.mark.rules("GZ-101")
async def test_a_payment_goes_back_before_the_voucher_lapses_and_not_after(desk: Desk) -> None:
    order, voucher = await placed(desk, RANKED, order_days=30)
    _, seller = await sides(order)
    order = await desk.walk(order)
    assert order.status is OrderStatus.DONE
    ask = {"reason": "企业多付了", "actor": seller}
    order = await desk.payment_returns.ask(order.id, version=order.version, **ask)
    await decide(desk, ReviewSubject.PAYMENT_RETURN, Verdict.APPROVED)
    order = await Order.get(id=order.id)
    assert (order.status, order.step) == (OrderStatus.OPEN, StepKind.PAY_VOUCHER)
    sums = await ledger.balances(voucher_id=voucher.id)
    assert (sums[Account.HELD], sums[Account.REDEEMED]) == (yuan_to_fen(5_000), 0)
    order = await desk.walk(order)
    desk.clock.advance(timedelta(days=200))
    with pytest.raises(PaymentNotReturned):
        await desk.payment_returns.ask(order.id, version=order.version, **ask)


async def test_an_order_that_ends_leaves_no_return_of_a_payment_to_decide(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, voucher = await placed(desk)
    order, (_, seller) = await desk.walk(order, until=StepKind.RATE), await sides(order)
    terms, other = desk.orders.terms_of(order), desk.programme(RANKED)
    chain = other.review(ReviewSubject.PAYMENT_RETURN)
    lent = replace(
        terms.programme, payment_return=other.payment_return, reviews=(*terms.programme.reviews, chain)
    )
    monkeypatch.setattr(desk.orders, "terms_of", lambda _: replace(terms, programme=lent))
    order = await desk.payment_returns.ask(order.id, version=order.version, reason="企业多付了", actor=seller)
    await desk.ends.terminate(order.id, reason="企业注销", actor=OPERATOR)
    case = await ReviewCase.get(subject=ReviewSubject.PAYMENT_RETURN)
    assert case.status is CaseStatus.WITHDRAWN
    assert (await PaymentReturnRequest.get()).granted
    assert await free_yuan(voucher) == FACE


async def test_whoever_saw_an_older_order_is_told_what_happened(desk: Desk) -> None:
    order, voucher = await placed(desk)
    buyer, _ = await sides(order)
    await desk.walk(order, until=StepKind.SIGN_CONTRACT)
    with pytest.raises(OrderMovedOn) as told:
        await desk.ends.cancel(order.id, reason="下错了", file_ids=[], version=order.version, actor=buyer)
    assert "确认订单" in told.value.values["what"]
    assert await free_yuan(voucher) == 3_000
