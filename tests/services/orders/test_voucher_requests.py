"""Requests on contracts: contract first, worked out by the operator, issued in the order of the line."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from server.models.contracts import Contract
from server.models.orders import Order, VoucherHold
from server.models.organisations import BlocklistEntry, Organisation, Qualification
from server.models.outbox import OutboxMessage
from server.models.reviews import ReviewCase, ReviewDecision
from server.models.rounds import Budget, Round
from server.models.voucher_requests import VoucherRequest
from server.models.vouchers import Voucher
from server.programme.steps import StepKind
from server.rules.contracts import ContractStatus
from server.rules.lifecycles import IllegalMove, QualificationStatus, RoundStatus
from server.rules.money import Basis, Movement
from server.rules.orders import OrderStatus
from server.rules.quota import QuotaExceeded
from server.rules.request_line import RequestStatus
from server.rules.steps import NotYourStep, StepOutOfTurn
from server.services.access import NotFound
from server.services.admissions.standings import NotInStanding
from server.services.budgets import ledger
from server.services.budgets.ledger import Where
from server.services.orders import request_book
from server.services.orders.order_wishes import Wish
from server.services.orders.reviewed_requests import AmountImpossible, ContractNotSigned
from server.services.orders.voucher_requests import PeriodNotOpen
from server.services.vouchers.issuing import PoolExhausted
from server.services.vouchers.order_purse import NothingToPay
from server.units import yuan_to_fen
from tests.contracting import ALLOTTED, CATEGORY, ON_CONTRACT, Desk, faces, person_of

PENDING, APPROVED, ISSUED = RequestStatus.PENDING, RequestStatus.APPROVED, RequestStatus.ISSUED
FIRST = "regional_srdi_sme"


async def stage(desk: Desk, pool_yuan: float = 100_000) -> tuple[Round, Organisation]:
    """A period with money, and a provider."""
    budget = await desk.budget(ON_CONTRACT)
    return await desk.period(budget, pool_yuan), await desk.provider(ON_CONTRACT)


async def line(desk: Desk, period: Round, provider: Organisation, *groups: str) -> list[VoucherRequest]:
    """One request each of new enterprises; ``groups`` names each one's label, or nothing."""
    return [
        await desk.asked(
            period, await desk.enterprise(ON_CONTRACT, *([group] if group else [])), provider, 6_000
        )
        for group in groups
    ]


async def statuses(requests: list[VoucherRequest]) -> list[str]:
    return [(await VoucherRequest.get(id=one.id)).status.value for one in requests]


@pytest.mark.rules("NX-18", "NX-19")
async def test_a_request_on_a_signed_contract_is_reviewed_worked_out_and_issued_by_name(desk: Desk) -> None:
    period, provider = await stage(desk)
    enterprise = await desk.enterprise(ON_CONTRACT)
    request = await desk.asked(period, enterprise, provider, 6_000)
    assert (request.status, request.expected_fen, request.voucher_id) == (PENDING, 300_000, None)
    assert await Voucher.all().count() == 0
    issued = await desk.decide(request)
    voucher = await Voucher.get(id=issued.voucher_id)
    assert (issued.status, issued.amount_fen) == (ISSUED, 300_000)
    assert (voucher.basis, voucher.enterprise_id, voucher.face_value_fen) == (
        Basis.MONEY,
        enterprise.id,
        300_000,
    )
    assert (voucher.round_id, voucher.valid_until) == (period.id, period.valid_until)
    assert (await Round.get(id=period.id)).issued_fen == 300_000
    # All of it is the order's from then on, and the next step is to put up the rest.
    order = await Order.get(id=request.order_id)
    assert (order.step, order.voucher_id, order.voucher_fen) == (StepKind.ESCROW, voucher.id, 300_000)
    assert (await VoucherHold.get(order_id=order.id)).held_fen == 300_000


@pytest.mark.rules("NX-08", "NX-09", "NX-10", "NX-19")
@pytest.mark.parametrize(
    ("contracts_yuan", "vouchers_fen"),
    [
        # Worked sums 10 and 11.
        ((4_000,), (200_000,)),
        ((6_000,), (300_000,)),
        ((10_000,), (300_000,)),
        ((10_000, 10_000), (300_000, 200_000)),
        ((5_999.99,), (299_999,)),
    ],
)
async def test_the_worked_sums_of_a_request(
    desk: Desk, contracts_yuan: tuple[float, ...], vouchers_fen: tuple[int, ...]
) -> None:
    period, provider = await stage(desk)
    enterprise = await desk.enterprise(ON_CONTRACT)
    for amount_yuan in contracts_yuan:
        await desk.decide(await desk.asked(period, enterprise, provider, amount_yuan))
    rows = await Voucher.filter(enterprise_id=enterprise.id).order_by("id")
    assert tuple(row.face_value_fen for row in rows) == vouchers_fen


@pytest.mark.rules("NX-20")
async def test_before_signing_the_enterprise_sees_voucher_bond_and_what_is_left(desk: Desk) -> None:
    period, provider = await stage(desk, 3_500)
    enterprise = await desk.enterprise(ON_CONTRACT)

    async def ahead(amount_yuan: float) -> Any:
        return await desk.outlooks.ahead(
            ON_CONTRACT,
            category=CATEGORY[ON_CONTRACT],
            amount_fen=yuan_to_fen(amount_yuan),
            kind="",
            actor=person_of(enterprise),
        )

    first = await ahead(10_000)
    assert (first.paid.amount_fen, first.shares.escrow_fen) == (300_000, 700_000)
    assert [(one.round_id, one.left_fen) for one in first.periods] == [(period.id, 350_000)]
    await desk.decide(await desk.asked(period, enterprise, provider, 10_000))
    # Worked sum 11: the second contract of the year pays 2,000, and 8,000 are put up.
    second = await ahead(10_000)
    assert (second.paid.amount_fen, second.shares.escrow_fen) == (200_000, 800_000)
    assert second.periods[0].left_fen == 50_000


@pytest.mark.rules("NX-10")
async def test_an_enterprise_that_has_used_its_year_is_refused_with_the_sum(desk: Desk) -> None:
    period, provider = await stage(desk)
    enterprise = await desk.enterprise(ON_CONTRACT)
    for _ in range(2):
        await desk.decide(await desk.asked(period, enterprise, provider, 10_000))
    with pytest.raises(NothingToPay) as refused:
        await desk.asked(period, enterprise, provider, 10_000)
    assert "年度额度 5,000.00 − 已用 5,000.00 = 0.00" in refused.value.arithmetic


@pytest.mark.rules("NX-10")
async def test_two_requests_at_once_never_pass_the_years_quota(desk: Desk) -> None:
    period, provider = await stage(desk)
    enterprise = await desk.enterprise(ON_CONTRACT)
    requests = [await desk.asked(period, enterprise, provider, 10_000) for _ in range(3)]
    assert [one.expected_fen for one in requests] == [300_000] * 3
    assert [(await desk.decide(one)).amount_fen for one in requests[:2]] == [300_000, 200_000]
    with pytest.raises(NothingToPay):
        await desk.decide(requests[2])
    assert await faces(enterprise) == [3_000, 2_000]


@pytest.mark.rules("NX-19")
async def test_the_operator_may_work_out_less_but_never_more(desk: Desk) -> None:
    period, provider = await stage(desk)
    requests = await line(desk, period, provider, "", "")
    with pytest.raises(QuotaExceeded) as refused:
        await desk.decide(requests[0], amount_yuan=3_000.01)
    assert refused.value.clause == "第六条"
    assert "单个项目上限 3,000.00" in refused.value.arithmetic
    assert await ReviewDecision.all().count() == 0, "nothing was decided"
    assert (await desk.decide(requests[0], amount_yuan=2_500)).amount_fen == 250_000
    with pytest.raises(AmountImpossible):
        await desk.decide(requests[1], amount_yuan=0)


@pytest.mark.rules("NX-31")
async def test_the_pace_of_the_reviewer_does_not_decide_who_gets_the_last_money(desk: Desk) -> None:
    period, provider = await stage(desk, 3_000)
    first, second = await line(desk, period, provider, "", "")
    # The later one is decided first, and waits for the earlier one.
    assert (await desk.decide(second)).status is APPROVED
    assert (await desk.decide(first)).status is ISSUED
    assert await statuses([first, second]) == ["issued", "left_out"]
    told = await OutboxMessage.get(topic="voucher_request.left_out")
    assert told.recipient == f"organisation:{second.enterprise_id}"
    assert told.data["clause"] == "第六条、第九条、第十一条（三）"
    assert told.data["arithmetic"] == "本期余额 0.00 元 < 3,000.00 元"


@pytest.mark.rules("NX-31")
async def test_when_the_one_ahead_is_refused_the_next_gets_the_money(desk: Desk) -> None:
    period, provider = await stage(desk, 3_000)
    first, second = await line(desk, period, provider, "", "")
    await desk.decide(second)
    await desk.decide(first, "rejected")
    assert await statuses([first, second]) == ["refused", "issued"]


@pytest.mark.rules("NX-31")
async def test_with_money_enough_nobody_waits_for_anybody(desk: Desk) -> None:
    period, provider = await stage(desk, 6_000)
    first, second = await line(desk, period, provider, "", "")
    assert (await desk.decide(second)).status is ISSUED
    assert await statuses([first]) == ["pending"]


@pytest.mark.rules("NX-32")
@pytest.mark.parametrize("group", [FIRST, "regional_credit_a"])
async def test_priority_comes_before_arrival_among_those_not_issued_yet(desk: Desk, group: str) -> None:
    period, provider = await stage(desk, 3_000)
    ordinary, prior = await line(desk, period, provider, "", group)
    assert (await desk.decide(ordinary)).status is APPROVED, "somebody of priority is undecided"
    assert (await desk.decide(prior)).status is ISSUED
    assert await statuses([ordinary, prior]) == ["left_out", "issued"]


@pytest.mark.rules("NX-32")
async def test_what_is_issued_is_never_taken_back_for_priority(desk: Desk) -> None:
    period, provider = await stage(desk, 3_000)
    (ordinary,) = await line(desk, period, provider, "")
    assert (await desk.decide(ordinary)).status is ISSUED
    with pytest.raises(PoolExhausted) as refused:
        await line(desk, period, provider, FIRST)
    assert refused.value.arithmetic == "本期余额 0.00 元 < 3,000.00 元"
    assert refused.value.clause
    assert await statuses([ordinary]) == ["issued"]


async def test_the_two_priority_groups_are_equal_and_arrival_decides(desk: Desk) -> None:
    period, provider = await stage(desk, 3_000)
    credit, srdi = await line(desk, period, provider, "regional_credit_a", FIRST)
    await desk.decide(srdi)
    await desk.decide(credit)
    assert await statuses([credit, srdi]) == ["issued", "left_out"]


@pytest.mark.rules("NX-31")
async def test_the_first_whom_the_money_does_not_cover_gets_what_is_left(desk: Desk) -> None:
    period, provider = await stage(desk, 4_000)
    first, second, third = await line(desk, period, provider, "", "", "")
    for one in (first, second, third):
        await desk.decide(one)
    assert await statuses([first, second, third]) == ["issued", "issued", "left_out"]
    partly = await VoucherRequest.get(id=second.id)
    assert partly.amount_fen == 100_000
    assert partly.arithmetic.endswith("本期余额 1,000.00 元不足 3,000.00 元，按余额发放")
    places = await Voucher.all().order_by("id").values_list("place", flat=True)
    assert list(places) == ["1", "2"]


async def test_who_was_left_out_may_ask_again_on_the_same_contract_in_another_period(desk: Desk) -> None:
    period, provider = await stage(desk, 3_000)
    first, second = await line(desk, period, provider, "", "")
    await desk.decide(first)
    await desk.decide(second)
    later = await desk.period(await Budget.get(id=period.budget_id), 3_000)
    enterprise = await Organisation.get(id=second.enterprise_id)
    order = await Order.get(id=second.order_id)
    assert order.step is StepKind.REQUEST_VOUCHER
    await desk.step(order, enterprise, round_id=later.id)
    again = await VoucherRequest.filter(order_id=order.id).order_by("-id").get_or_none(status=PENDING)
    assert again is not None
    assert (await desk.decide(again)).status is ISSUED


async def test_money_added_to_a_period_reaches_who_waits_in_it(desk: Desk) -> None:
    period, provider = await stage(desk, 3_000)
    first, second, third = await line(desk, period, provider, "", "", "")
    await desk.decide(first)
    await desk.decide(third)
    assert await statuses([first, second, third]) == ["issued", "pending", "approved"]
    await Round.filter(id=period.id).update(status=RoundStatus.PAUSED)
    await desk.decide(second)
    assert await statuses([second, third]) == ["approved", "approved"], "nothing is issued in a pause"
    await Round.filter(id=period.id).update(status=RoundStatus.CLOSED)
    assert await desk.requests.issue_due() == 0
    assert await statuses([second, third]) == ["left_out", "left_out"]


@pytest.mark.rules("NX-18")
async def test_without_a_signed_contract_of_ones_own_nothing_is_asked_for(desk: Desk) -> None:
    period, provider = await stage(desk)
    enterprise, stranger = await desk.enterprise(ON_CONTRACT), await desk.enterprise(ON_CONTRACT)
    order = await desk.opened(ON_CONTRACT, enterprise, provider, 6_000)

    async def ask(asker: Organisation) -> Order:
        row = await Order.get(id=order.id)
        wish = Wish({"round_id": period.id})
        kind = StepKind.REQUEST_VOUCHER
        return await desk.orders.take(row.id, kind, wish, version=row.version, actor=person_of(asker))

    with pytest.raises(StepOutOfTurn) as refused:
        await ask(enterprise)
    assert refused.value.clause
    await desk.step(order, enterprise)
    with pytest.raises(StepOutOfTurn):
        await ask(enterprise)
    await desk.step(order, provider)
    for asker, refusal in ((stranger, NotFound), (provider, NotYourStep)):
        with pytest.raises(refusal):
            await ask(asker)
    assert await VoucherRequest.all().count() == 0
    await ask(enterprise)
    request = await VoucherRequest.get()
    # A contract that has come to nothing by the time of the decision is found out.
    await Contract.all().update(status=ContractStatus.FAILED)
    with pytest.raises(ContractNotSigned) as unsigned:
        await desk.decide(request)
    assert unsigned.value.clause


async def test_one_contract_has_one_request_at_a_time(desk: Desk) -> None:
    period, provider = await stage(desk)
    enterprise = await desk.enterprise(ON_CONTRACT)
    first = await desk.asked(period, enterprise, provider, 6_000)
    asker = person_of(enterprise)

    async def ask() -> VoucherRequest | None:
        row = await Order.get(id=first.order_id)
        wish = Wish({"round_id": period.id})
        await desk.orders.take(row.id, StepKind.REQUEST_VOUCHER, wish, version=row.version, actor=asker)
        return await VoucherRequest.filter(order_id=row.id).order_by("-id").first()

    with pytest.raises(StepOutOfTurn):
        await ask()
    gone = await desk.requests.withdraw(first.id, reason="", actor=asker)
    assert gone.status is RequestStatus.WITHDRAWN
    second = await ask()
    assert second is not None
    await desk.decide(second)
    with pytest.raises(StepOutOfTurn):
        await ask()
    with pytest.raises(IllegalMove):
        await desk.requests.withdraw(second.id, reason="", actor=asker)


async def test_who_withdraws_makes_room_for_those_behind(desk: Desk) -> None:
    period, provider = await stage(desk, 3_000)
    first, second = await line(desk, period, provider, "", "")
    await desk.decide(second)
    enterprise = await Organisation.get(id=first.enterprise_id)
    await desk.requests.withdraw(first.id, reason="不再需要", actor=person_of(enterprise))
    assert await statuses([first, second]) == ["withdrawn", "issued"]
    assert (await ReviewCase.get(subject_id=first.id)).status == "withdrawn"


async def test_a_returned_request_keeps_its_place_and_sets_nothing_aside(desk: Desk) -> None:
    period, provider = await stage(desk, 6_000)
    first, second, third = await line(desk, period, provider, "", "", "")
    before = await Order.get(id=first.order_id)
    await desk.decide(first, "returned")
    assert await statuses([first]) == ["returned"]
    assert (await desk.decide(second)).status is ISSUED
    # The contract was found wanting: it is made anew, by both, and the request answered with it.
    order = await Order.get(id=first.order_id)
    assert (order.step, order.contract_id) == (StepKind.SIGN_CONTRACT, None)
    assert (await Contract.get(id=before.contract_id)).status is ContractStatus.FAILED
    enterprise = await Organisation.get(id=first.enterprise_id)
    order = await desk.step(order, enterprise, amount_fen=yuan_to_fen(5_000))
    order = await desk.step(order, provider)
    await desk.step(order, enterprise)
    again = await VoucherRequest.get(id=first.id)
    assert (again.status, again.expected_fen) == (PENDING, 250_000)
    assert again.requested_at == first.requested_at
    # It stands before the third again, who came later.
    assert (await desk.decide(third)).status is APPROVED
    assert (await desk.decide(first)).amount_fen == 250_000
    assert (await VoucherRequest.get(id=third.id)).amount_fen == 50_000


@pytest.mark.rules("NX-07")
async def test_who_is_not_approved_asks_for_nothing_and_loses_its_turn(desk: Desk) -> None:
    period, provider = await stage(desk)
    outsider = await desk.enterprise(ON_CONTRACT, approved=False)
    with pytest.raises(NotInStanding):
        await desk.asked(period, outsider, provider, 6_000)
    (request,) = await line(desk, period, provider, "")
    await Qualification.filter(organisation_id=request.enterprise_id).update(
        status=QualificationStatus.REVOKED
    )
    with pytest.raises(NotInStanding):
        await desk.decide(request)
    assert await statuses([request]) == ["pending"]


async def test_a_contract_with_a_barred_provider_has_no_voucher(desk: Desk) -> None:
    period, provider = await stage(desk)
    enterprise = await desk.enterprise(ON_CONTRACT)
    signed = await desk.opened(ON_CONTRACT, enterprise, provider, 4_000)
    signed = await desk.walk(signed, until=StepKind.REQUEST_VOUCHER)
    request = await desk.asked(period, enterprise, provider, 6_000)
    ban = await BlocklistEntry.create(
        uscc=provider.uscc, clause="第十一条（一）", reason="串通", starts_at=desk.now, made_by=1
    )
    with pytest.raises(NotInStanding) as refused:
        await desk.asked(period, enterprise, provider, 4_000)
    assert (refused.value.clause, refused.value.values["name"]) == ("第十一条（一）", provider.name)
    with pytest.raises(NotInStanding):
        await desk.step(signed, enterprise, round_id=period.id)
    case = await ReviewCase.get(subject_id=request.id)
    lines = await desk.reviews.reviewed(case).checks(case, now=desk.now)
    assert [one.code for one in lines if not one.met] == ["barred"]
    with pytest.raises(NotInStanding):
        await desk.decide(request)
    await BlocklistEntry.filter(id=ban.id).update(lifted_at=desk.now)
    assert (await desk.decide(request)).status is ISSUED


async def test_a_period_takes_requests_while_it_is_open(desk: Desk) -> None:
    period, provider = await stage(desk)
    enterprise = await desk.enterprise(ON_CONTRACT)
    order = await desk.opened(ON_CONTRACT, enterprise, provider, 6_000)
    order = await desk.walk(order, until=StepKind.REQUEST_VOUCHER)
    morning = desk.now
    for moment in (period.opens_at - timedelta(microseconds=1), period.closes_at):
        desk.clock.at = moment
        for said in ({"round_id": period.id}, {}):
            with pytest.raises(PeriodNotOpen):
                await desk.step(order, enterprise, **said)
    desk.clock.at = morning
    await Round.filter(id=period.id).update(status=RoundStatus.PAUSED)
    with pytest.raises(PeriodNotOpen):
        await desk.step(order, enterprise, round_id=period.id)
    await Round.filter(id=period.id).update(status=RoundStatus.DRAFT)
    with pytest.raises(NotFound):
        await desk.step(order, enterprise, round_id=period.id)
    await Round.filter(id=period.id).update(status=RoundStatus.SCHEDULED)
    elsewhere = await desk.period(await desk.budget(ALLOTTED), 1_000)
    with pytest.raises(NotFound):
        await desk.step(order, enterprise, round_id=elsewhere.id)
    # The period that is open need not be named.
    await desk.step(order, enterprise)
    assert (await VoucherRequest.get()).round_id == period.id


async def test_elsewhere_nobody_asks_on_a_contract(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await desk.enterprise(ALLOTTED), await desk.provider(ALLOTTED)
    await desk.settle(enterprise)
    order = await desk.signed(enterprise, provider, 6_000)
    with pytest.raises(StepOutOfTurn):
        await desk.orders.take(
            order.id, StepKind.REQUEST_VOUCHER, Wish(), version=order.version, actor=person_of(enterprise)
        )


async def test_a_request_is_read_by_its_own_enterprise_alone(desk: Desk) -> None:
    period, provider = await stage(desk)
    first, second = await line(desk, period, provider, "", "")
    own = person_of(await Organisation.get(id=first.enterprise_id))
    assert [one.id for one in await request_book.page(actor=own, after=0, limit=9)] == [first.id]
    with pytest.raises(NotFound):
        await request_book.own(second.id, actor=own)


async def test_the_reviewer_sees_the_contract_the_sum_and_everything_that_is_wrong(desk: Desk) -> None:
    period, provider = await stage(desk)
    (request,) = await line(desk, period, provider, FIRST)
    case = await ReviewCase.get(subject_id=request.id)
    reviewed = desk.reviews.reviewed(case)
    shown = await reviewed.snapshot(case)
    assert shown["contract"]["amount_fen"] == 600_000
    assert shown["labels"] == [FIRST]
    lines = {one.code: one for one in await reviewed.checks(case, now=desk.now)}
    assert all(one.met for one in lines.values())
    assert lines["amount"].arithmetic.endswith("→ 3,000.00")
    await Qualification.filter(organisation_id=request.enterprise_id).update(
        status=QualificationStatus.REVOKED
    )
    red = [one.code for one in await reviewed.checks(case, now=desk.now) if not one.met]
    assert red == ["qualification_revoked"]


async def test_who_is_barred_while_its_approved_request_waits_gets_nothing(desk: Desk) -> None:
    period, provider = await stage(desk, 3_000)
    first, barred, sound = await line(desk, period, provider, "", "", "")
    for waiting in (barred, sound):
        assert (await desk.decide(waiting)).status is APPROVED
    await BlocklistEntry.create(
        uscc=(await Organisation.get(id=barred.enterprise_id)).uscc,
        programme_slug=ON_CONTRACT,
        clause="第二十八条",
        reason="恶意串通",
        starts_at=desk.now,
        made_by=1,
    )
    await desk.decide(first, "rejected")
    assert await statuses([barred, sound]) == ["left_out", "issued"]
    left_out = await VoucherRequest.get(id=barred.id)
    assert (left_out.clause, left_out.voucher_id) == ("第二十八条", None)


async def test_nothing_is_issued_that_could_not_be_used_any_more(desk: Desk) -> None:
    period, provider = await stage(desk)
    in_time, late = await line(desk, period, provider, "", "")
    desk.clock.advance(period.valid_until - desk.now - timedelta.resolution)
    assert (await desk.decide(in_time)).status is ISSUED
    desk.clock.advance(timedelta.resolution)
    assert (await desk.decide(late)).status is RequestStatus.LEFT_OUT
    assert (await Round.get(id=period.id)).issued_fen == 300_000


async def cancelling(desk: Desk, request: VoucherRequest) -> Order:
    """Its enterprise wants the order cancelled, and its provider has not said yes."""
    order = await Order.get(id=request.order_id)
    asker = person_of(await Organisation.get(id=order.enterprise_id))
    return await desk.ends.cancel(
        order.id, reason="不再需要", file_ids=(), version=order.version, actor=asker
    )


@pytest.mark.rules("NX-31")
async def test_who_wants_the_order_cancelled_holds_nobody_up_and_keeps_its_place(desk: Desk) -> None:
    period, provider = await stage(desk, 3_000)
    first, second = await line(desk, period, provider, "", "")
    order = await cancelling(desk, first)
    assert (await desk.decide(first)).status is APPROVED
    assert (await desk.decide(second)).status is ISSUED
    await Round.filter(id=period.id).update(pool_fen=600_000)
    await ledger.post(Movement.ALLOT, 300_000, Where(period.budget_id, period.id), at=desk.now)
    await Budget.filter(id=period.budget_id).update(allotted_fen=600_000)
    assert await desk.requests.issue_due() == 0
    asker = person_of(await Organisation.get(id=order.enterprise_id))
    order = await desk.ends.take_back(order.id, version=order.version, actor=asker)
    assert await desk.requests.issue_due() == 1
    assert await statuses([first, second]) == ["issued", "issued"]
    assert (await Order.get(id=order.id)).step is StepKind.ESCROW


async def test_a_request_refused_while_its_order_is_to_be_cancelled_may_be_made_anew(desk: Desk) -> None:
    period, provider = await stage(desk)
    (request,) = await line(desk, period, provider, "")
    order = await cancelling(desk, request)
    assert (await desk.decide(request, "rejected")).status is RequestStatus.REFUSED
    assert (await Order.get(id=order.id)).status is OrderStatus.CANCELLING
    enterprise = await Organisation.get(id=order.enterprise_id)
    order = await Order.get(id=order.id)
    order = await desk.ends.take_back(order.id, version=order.version, actor=person_of(enterprise))
    assert (order.status, order.step) == (OrderStatus.OPEN, StepKind.REQUEST_VOUCHER)
    assert (await desk.step(order, enterprise)).step is StepKind.ISSUE_VOUCHER
