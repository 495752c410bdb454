"""The contract of an order: who enters it, what is checked, what its signing freezes and its end releases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from server.models.contracts import Contract
from server.models.journal import JournalEntry
from server.models.orders import Order, VoucherHold
from server.models.organisations import NameRecord, Organisation, Qualification
from server.models.outbox import OutboxMessage
from server.models.reviews import ReviewCase
from server.models.rounds import Budget
from server.models.vouchers import Voucher
from server.programme.review import ReviewSubject
from server.programme.steps import StepKind
from server.programme.vocabulary import Party
from server.rules.contracts import ContractStatus
from server.rules.lifecycles import NotPermittedNow, QualificationStatus
from server.rules.money import Account
from server.rules.order_walk import StepDoneAlready
from server.rules.orders import OrderStatus
from server.rules.review import Verdict
from server.services.access import NotFound
from server.services.budgets import budgets, ledger
from server.services.orders import order_lists
from server.services.orders.contract_steps import ContractKnown
from server.services.orders.order_ends import CancellationAskedAlready, CannotDecline
from server.services.orders.order_opening import (
    NotYoursToOpen,
    OfferingNeeded,
    OrderUnusable,
    OtherSideUnknown,
    OutOfScope,
    Sketch,
)
from server.services.orders.order_wishes import StepUnmet, Wish
from server.services.rounds.rounds import Rounds
from server.services.vouchers.order_purse import NothingToPay, WantedTooMuch, YearNotOpen
from server.services.vouchers.vouchers import Vouchers
from server.units import yuan_to_fen
from tests.contracting import (
    ALLOTTED,
    CATEGORY,
    DAY,
    DRAWN,
    ON_CONTRACT,
    OPERATOR,
    TODAY,
    Desk,
    balances,
    half_signed,
    person_of,
    sides,
)


async def entered(desk: Desk, enterprise: Organisation, provider: Organisation, **said: Any) -> Contract:
    """A contract that its enterprise has entered, with what is ``said`` of it."""
    order = await desk.opened(ON_CONTRACT, enterprise, provider, 4_000)
    order = await desk.step(order, enterprise, **said)
    return await Contract.get(id=order.contract_id)


# -- entering ----------------------------------------------------------------------------------------


async def test_only_the_sides_of_a_contract_enter_it_and_it_stands_when_both_have(desk: Desk) -> None:
    enterprise, provider = await sides(desk, ON_CONTRACT)
    stranger = await desk.enterprise(ON_CONTRACT)
    order = await desk.opened(ON_CONTRACT, enterprise, provider, 4_000)
    wish = await desk.wish(order, enterprise)
    with pytest.raises(NotFound):
        await desk.orders.take(
            order.id, StepKind.SIGN_CONTRACT, wish, version=order.version, actor=person_of(stranger)
        )
    order = await desk.step(order, enterprise)
    contract = await Contract.get(id=order.contract_id)
    assert (contract.status, contract.made_by_party) == (ContractStatus.DRAFTED, Party.ENTERPRISE)
    for one in (enterprise, provider):
        shown = await order_lists.shown(desk.orders, order.id, actor=person_of(one))
        assert shown.contract == contract
    with pytest.raises(NotFound):
        await order_lists.shown(desk.orders, order.id, actor=person_of(stranger))
    told = await OutboxMessage.filter(topic="order.your_turn").order_by("-id").first()
    assert told is not None
    assert told.recipient == f"organisation:{provider.id}"
    await desk.step(order, provider)
    assert (await Contract.get(id=contract.id)).status is ContractStatus.SIGNED


@pytest.mark.rules("YC-20")
async def test_where_the_provider_hands_the_contract_in_the_enterprise_does_not(desk: Desk) -> None:
    await desk.budget(DRAWN)
    enterprise, provider = await sides(desk, DRAWN)
    offering = await desk.listed(DRAWN, provider, 100_000)
    with pytest.raises(NotYoursToOpen) as refused:
        await desk.opening.open(DRAWN, Sketch(offering_id=offering.id), Wish(), actor=person_of(enterprise))
    assert refused.value.values["by"] == "服务机构"
    assert refused.value.clause == "第十一条（二）"
    order = await desk.drawn(enterprise, provider, 100_000)
    assert (await Contract.get(id=order.contract_id)).made_by_party == "provider"


async def test_a_contract_is_entered_once_until_it_comes_to_nothing(desk: Desk) -> None:
    enterprise, provider = await sides(desk, ON_CONTRACT)
    first = await desk.opened(ON_CONTRACT, enterprise, provider, 4_000)
    second = await desk.opened(ON_CONTRACT, enterprise, provider, 4_000)
    first = await desk.step(first, enterprise, contract_number="HT-1")
    with pytest.raises(ContractKnown):
        await desk.step(second, provider, contract_number="HT-1")
    await desk.ends.terminate(first.id, reason="双方协商终止", actor=OPERATOR)
    assert (await Contract.get(id=first.contract_id)).status is ContractStatus.WITHDRAWN
    second = await desk.step(second, provider, contract_number="HT-1")
    assert second.contract_id != first.contract_id


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"signed_on": None}, "signed_on"),
        ({"signed_on": str(TODAY + DAY)}, "signed_later"),
        ({"signed_on": "2016-06-23"}, "outside_validity"),
        ({"enterprise_name": "别的有限公司"}, "names_match"),
        ({"provider_name": "别的有限公司"}, "names_match"),
        ({"contract_number": ""}, "contract_number"),
        ({"amount_fen": 0}, "amount_fen"),
        (
            {"service_starts_on": str(TODAY), "acceptance_on": str(TODAY - DAY)},
            "acceptance_on",
        ),
    ],
)
async def test_what_cannot_be_a_contract_is_refused_with_everything_that_is_wrong(
    desk: Desk, wrong: dict[str, Any], code: str
) -> None:
    enterprise, provider = await sides(desk, ON_CONTRACT)
    order = await desk.opened(ON_CONTRACT, enterprise, provider, 4_000)
    with pytest.raises(StepUnmet) as refused:
        await desk.step(order, enterprise, **wrong)
    assert [one.code for one in refused.value.unmet] == [code]
    assert refused.value.unmet[0].clause
    assert await Contract.all().count() == 0
    assert (await desk.step(order, enterprise)).contract_id


async def test_several_faults_come_back_together(desk: Desk) -> None:
    enterprise, provider = await sides(desk, ON_CONTRACT)
    order = await desk.opened(ON_CONTRACT, enterprise, provider, 4_000)
    with pytest.raises(StepUnmet) as refused:
        await desk.step(order, enterprise, signed_on=str(TODAY + DAY), enterprise_name="别的有限公司")
    assert {one.code for one in refused.value.unmet} == {"signed_later", "names_match"}


async def test_nobody_contracts_with_itself_or_outside_the_categories(desk: Desk) -> None:
    enterprise, provider = await sides(desk, ON_CONTRACT)
    await desk.approve(enterprise, ON_CONTRACT, Party.PROVIDER)
    with pytest.raises(OrderUnusable) as refused:
        await desk.opened(ON_CONTRACT, enterprise, enterprise, 4_000, other_uscc=enterprise.uscc)
    assert [one.message for one in refused.value.unmet] == ["合同双方不能是同一单位"]
    with pytest.raises(OutOfScope) as outside:
        await desk.opened(ON_CONTRACT, enterprise, provider, 4_000, category="gardening")
    assert [one.code for one in outside.value.unmet] == ["unknown_category"]
    assert outside.value.unmet[0].clause
    assert await Order.all().count() == 0
    assert await desk.opened(ON_CONTRACT, enterprise, provider, 4_000)


async def test_a_contract_keeps_the_name_its_parties_bore_on_its_day(desk: Desk) -> None:
    enterprise, provider = await sides(desk, ON_CONTRACT)
    renamed_at = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
    await NameRecord.create(organisation_id=enterprise.id, name="旧名有限公司", until=renamed_at)
    for day, name, fits in (
        (date(2026, 3, 9), "旧名有限公司", True),
        (date(2026, 3, 9), enterprise.name, False),
        (date(2026, 3, 10), "旧名有限公司", True),
        (date(2026, 3, 10), enterprise.name, True),
        (date(2026, 3, 11), "旧名有限公司", False),
        (date(2026, 3, 11), enterprise.name, True),
    ):
        entering = entered(desk, enterprise, provider, signed_on=str(day), enterprise_name=name)
        if fits:
            assert (await entering).enterprise_name == name
        else:
            with pytest.raises(StepUnmet):
                await entering


async def test_whoever_is_not_registered_cannot_be_the_other_side(desk: Desk) -> None:
    enterprise, provider = await sides(desk, ON_CONTRACT)
    stranger = {"offering_id": None, "other_uscc": "91640100MA76F5HY7X", "category": CATEGORY[ON_CONTRACT]}
    for known in (stranger, {**stranger, "other_uscc": ""}):
        with pytest.raises(OtherSideUnknown):
            await desk.opened(ON_CONTRACT, enterprise, provider, 4_000, **known)
    registered = {**stranger, "other_uscc": provider.uscc}
    order = await desk.opened(ON_CONTRACT, enterprise, provider, 4_000, **registered)
    assert (order.provider_id, order.offering_id) == (provider.id, None)
    with pytest.raises(OtherSideUnknown):
        await desk.opened(
            DRAWN, enterprise, await desk.provider(DRAWN), 4_000, other_uscc="91640100MA76F5HY7X"
        )


@pytest.mark.rules("GX-31")
async def test_where_the_contract_follows_the_catalogue_there_is_none_without_an_offering(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    bare = {"offering_id": None, "other_uscc": provider.uscc, "category": CATEGORY[ALLOTTED]}
    with pytest.raises(OfferingNeeded):
        await desk.opened(ALLOTTED, enterprise, provider, 40_000, **bare)
    order = await desk.opened(ALLOTTED, enterprise, provider, 40_000)
    with pytest.raises(StepUnmet) as refused:
        await desk.step(order, enterprise, amount_fen=yuan_to_fen(40_000.01))
    assert "above_catalogue" in {one.code for one in refused.value.unmet}
    assert refused.value.arithmetic == "40,000.01 > 40,000.00"
    assert await desk.step(order, enterprise, amount_fen=yuan_to_fen(40_000))


# -- signing -----------------------------------------------------------------------------------------


@pytest.mark.rules("GX-52", "GX-56")
async def test_a_contract_is_signed_when_both_have_signed_and_then_quota_and_money_are_taken_together(
    desk: Desk,
) -> None:
    budget = await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    drafted = await desk.opened(ALLOTTED, enterprise, provider, 40_000)
    half = await desk.step(drafted, enterprise)
    contract = await Contract.get(id=half.contract_id)
    assert (contract.status, contract.signed_on, half.voucher_fen) == (ContractStatus.DRAFTED, None, 0)
    assert await balances(enterprise) == {"available": 50_000, "held": 0, "committed": 0}
    with pytest.raises(StepDoneAlready):
        await desk.orders.take(
            half.id, StepKind.SIGN_CONTRACT, Wish(), version=half.version, actor=person_of(enterprise)
        )
    signed = await desk.step(half, provider)
    contract = await Contract.get(id=half.contract_id)
    # Worked sum 7: 50 % of 40,000.
    assert (contract.status, contract.signed_on) == (ContractStatus.SIGNED, TODAY)
    assert (signed.voucher_fen, signed.clause) == (2_000_000, "第十一条")
    assert "50% × 40,000.00 = 20,000.00" in signed.arithmetic
    assert await balances(enterprise) == {"available": 30_000, "held": 20_000, "committed": 20_000}
    assert (await Budget.get(id=budget.id)).committed_fen == 2_000_000
    assert signed.step is StepKind.DEPOSIT


@pytest.mark.rules("GX-30", "GX-31", "GX-33", "GX-56")
@pytest.mark.parametrize(
    ("category", "amount_yuan", "voucher_yuan"),
    [
        ("diagnosis_services", 8_000, 6_400),
        ("diagnosis_services", 12_500, 10_000),
        ("diagnosis_services", 30_000, 10_000),
        ("innovation_services", 40_000, 20_000),
        ("innovation_services", 100_000, 30_000),
    ],
)
async def test_the_worked_sums_of_a_signing(
    quiet_desk: Desk, category: str, amount_yuan: int, voucher_yuan: int
) -> None:
    await quiet_desk.budget(ALLOTTED)
    enterprise, provider = await sides(quiet_desk)
    signed = await quiet_desk.signed(enterprise, provider, amount_yuan, category=category)
    assert signed.voucher_fen == voucher_yuan * 100


@pytest.mark.rules("GX-56", "GX-58")
async def test_the_quota_may_be_spread_over_contracts_until_it_is_used_up(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    assert (await desk.signed(enterprise, provider, 100_000)).voucher_fen == 3_000_000
    assert (await desk.signed(enterprise, provider, 32_000)).voucher_fen == 1_600_000
    # Worked sum 8: 100,000 with 4,000 left pays 4,000.
    last = await desk.signed(enterprise, provider, 100_000)
    assert last.voucher_fen == 400_000
    assert last.arithmetic.endswith("年度额度 50,000.00 − 已用 46,000.00 = 4,000.00 → 4,000.00")
    with pytest.raises(NothingToPay) as refused:
        await desk.signed(enterprise, provider, 100_000)
    assert "已用 50,000.00 = 0.00" in refused.value.arithmetic
    assert refused.value.clause == "第十条（一）、第十九条"


@pytest.mark.rules("GX-58")
async def test_an_enterprise_may_spend_less_than_it_could_and_never_more(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    signed = await desk.signed(enterprise, provider, 40_000, wanted_fen=500_000)
    assert signed.voucher_fen == 500_000
    assert await balances(enterprise) == {"available": 45_000, "held": 5_000, "committed": 5_000}
    with pytest.raises(WantedTooMuch) as refused:
        await desk.signed(enterprise, provider, 40_000, wanted_fen=2_000_001)
    assert refused.value.clause == "第十一条"
    assert refused.value.values == {"asked": "20,000.01", "most": "20,000.00"}


@pytest.mark.rules("GX-58")
async def test_what_is_spent_is_the_enterprises_to_say_whoever_opens_the_order(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    offering = await desk.listed(ALLOTTED, provider, 40_000)
    sketch = Sketch(offering_id=offering.id, other_uscc=enterprise.uscc, kind="general", wanted_fen=1)
    order = await desk.opening.open(ALLOTTED, sketch, Wish(), actor=person_of(provider))
    assert (order.opened_by, order.wanted_fen) == (Party.PROVIDER, None), (
        "what the provider wants is not asked"
    )
    order = await desk.step(order, provider)
    signed = await desk.step(order, enterprise, wanted_fen=500_000)
    assert signed.voucher_fen == 500_000


async def test_a_contract_draws_on_the_difference_after_the_first_voucher(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    assert (await desk.signed(enterprise, provider, 80_000)).voucher_fen == 3_000_000
    await desk.label(enterprise, "innovative_sme")
    await desk.settle(enterprise)
    second = await desk.signed(enterprise, provider, 60_000)
    holds = await VoucherHold.filter(order_id=second.id).order_by("id")
    assert [one.held_fen for one in holds] == [2_000_000, 1_000_000]
    assert [one.voucher_id for one in holds] == [
        one.id for one in await Voucher.filter(enterprise_id=enterprise.id).order_by("serial")
    ]


@pytest.mark.rules("GX-65")
async def test_a_signed_contract_waits_when_the_years_money_does_not_cover_it_and_goes_on_when_there_is_more(
    desk: Desk,
) -> None:
    budget = await desk.budget(ALLOTTED, 30_000)
    enterprise, provider = await sides(desk)
    assert (await desk.signed(enterprise, provider, 40_000)).voucher_fen == 2_000_000
    half = await half_signed(desk, enterprise, provider, 20_000.02)
    waiting = await desk.step(half, enterprise)
    # Nothing of it has taken effect, and both sides hear of it, with the sum.
    assert (waiting.status, waiting.voucher_fen) == (OrderStatus.WAITING, 0)
    contract = await Contract.get(id=waiting.contract_id)
    assert (contract.status, contract.signed_on) == (ContractStatus.DRAFTED, None)
    assert await balances(enterprise) == {"available": 30_000, "held": 20_000, "committed": 20_000}
    told = await OutboxMessage.filter(topic="order.paused").order_by("id")
    assert [one.recipient for one in told] == [
        f"organisation:{enterprise.id}",
        f"organisation:{provider.id}",
    ]
    assert told[0].data["clause"] == "第十二条、第二十条、第二十一条"
    assert told[0].data["arithmetic"] == "年度预算 30,000.00 − 已用 20,000.00 = 10,000.00 < 10,000.01"
    assert await desk.line.resume() == 0
    await budgets.top_up(budget.id, 1, actor=OPERATOR, now=desk.now, reason="追加")
    assert await desk.line.resume() == 1
    signed = await Order.get(id=waiting.id)
    assert (signed.status, signed.step) == (OrderStatus.OPEN, StepKind.DEPOSIT)
    assert signed.voucher_fen == 1_000_001
    assert (await Contract.get(id=signed.contract_id)).status is ContractStatus.SIGNED
    assert (await Budget.get(id=budget.id)).free_fen == 0
    assert await OutboxMessage.filter(topic="order.resumed").count() == 2


@pytest.mark.rules("GX-65")
async def test_who_signed_first_goes_on_first_and_nobody_signs_past_the_line(desk: Desk) -> None:
    budget = await desk.budget(ALLOTTED, 25_000)
    provider, orders = await desk.provider(ALLOTTED), []
    for price_yuan in (60_000, 10_000):
        enterprise = await desk.enterprise(ALLOTTED)
        await desk.settle(enterprise)
        order = await desk.signed(enterprise, provider, price_yuan)
        assert order.status is OrderStatus.WAITING, "5,000 would be there for the second"
        orders.append(order)
        desk.clock.advance(timedelta(minutes=1))
    assert await desk.line.resume() == 0
    await budgets.top_up(budget.id, 500_000, actor=OPERATOR, now=desk.now, reason="追加")
    assert await desk.line.resume() == 1
    assert [(await Order.get(id=one.id)).voucher_fen for one in orders] == [3_000_000, 0]
    # Whoever waits may give it up; then there is nobody ahead.
    await desk.ends.terminate(orders[1].id, reason="双方协商终止", actor=OPERATOR)
    assert (await Order.get(id=orders[1].id)).status is OrderStatus.CANCELLED


@pytest.mark.rules("GX-65")
async def test_exactly_the_money_left_is_enough(desk: Desk) -> None:
    await desk.budget(ALLOTTED, 20_000)
    enterprise, provider = await sides(desk)
    assert (await desk.signed(enterprise, provider, 40_000)).voucher_fen == 2_000_000


@pytest.mark.rules("GX-84")
async def test_what_a_failed_contract_froze_comes_back_with_its_money(desk: Desk) -> None:
    budget = await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    signed = await desk.signed(enterprise, provider, 40_000)
    kept = await desk.signed(enterprise, provider, 10_000)
    failed = await desk.ends.terminate(signed.id, reason="不能履约", actor=OPERATOR)
    assert (failed.status, failed.reason) == (OrderStatus.CANCELLED, "不能履约")
    contract = await Contract.get(id=signed.contract_id)
    assert (contract.status, contract.reason) == (ContractStatus.FAILED, "不能履约")
    assert await balances(enterprise) == {"available": 45_000, "held": 5_000, "committed": 5_000}
    assert (await Budget.get(id=budget.id)).committed_fen == kept.voucher_fen
    with pytest.raises(NotPermittedNow):
        await desk.ends.terminate(signed.id, reason="不能履约", actor=OPERATOR)
    assert await OutboxMessage.filter(topic="order.cancelled").count() == 2


@pytest.mark.rules("GX-59")
async def test_what_comes_back_to_a_voucher_that_has_ended_ends_with_it(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    signed = await desk.signed(enterprise, provider, 40_000)
    voucher = await Voucher.get()
    desk.clock.at = voucher.valid_until
    rounds = Rounds(desk.programmes, desk.clocks, desk=None)  # type: ignore[arg-type]
    assert await Vouchers(rounds).expire_due(ALLOTTED) == 1
    before = await ledger.balances(enterprise_id=enterprise.id)
    assert (before[Account.EXPIRED], before[Account.HELD]) == (voucher.face_value_fen - 2_000_000, 2_000_000)
    await desk.ends.terminate(signed.id, reason="不能履约", actor=OPERATOR)
    sums = await ledger.balances(enterprise_id=enterprise.id)
    assert (sums[Account.EXPIRED], sums[Account.HELD], sums[Account.COMMITTED]) == (
        voucher.face_value_fen,
        0,
        0,
    )


@pytest.mark.rules("GX-59")
async def test_a_quota_of_last_year_pays_nothing(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    await desk.budget(ALLOTTED, year=2027)
    desk.clock.at = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
    with pytest.raises(NothingToPay):
        await desk.signed(enterprise, provider, 40_000)
    await desk.settle(enterprise)
    assert (await desk.signed(enterprise, provider, 40_000)).voucher_fen == 2_000_000


@pytest.mark.parametrize(
    ("party", "code"),
    [(Party.ENTERPRISE, "qualification_revoked"), (Party.PROVIDER, "provider_revoked")],
)
async def test_both_sides_must_be_in_standing_to_sign(desk: Desk, party: Party, code: str) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    order = await desk.opened(ALLOTTED, enterprise, provider, 40_000)
    await Qualification.filter(party=party).update(status=QualificationStatus.REVOKED)
    # Who signs first is asked for no more than what a first signature needs, beforehand as well.
    wish, first = await desk.wish(order, provider), person_of(provider)
    assert order.step is not None
    assert not await desk.orders.checklist(order.id, order.step, wish, actor=first)
    half = await desk.step(order, provider)
    with pytest.raises(StepUnmet) as refused:
        await desk.step(half, enterprise)
    assert [one.code for one in refused.value.unmet] == [code]
    await Qualification.filter(party=party).update(status=QualificationStatus.APPROVED)
    assert (await desk.step(half, enterprise)).voucher_fen


async def test_without_a_budget_nothing_can_be_signed(desk: Desk) -> None:
    enterprise, provider = await sides(desk)
    with pytest.raises(YearNotOpen):
        await desk.signed(enterprise, provider, 40_000)


async def test_a_draft_is_given_up_by_either_side_and_a_signed_contract_by_both(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    end = {"reason": "双方协商终止", "version": 0}
    for side, verb in ((enterprise, desk.ends.cancel), (provider, desk.ends.decline)):
        drafted = await desk.opened(ALLOTTED, enterprise, provider, 40_000)
        drafted = await desk.step(drafted, enterprise)
        more = {"file_ids": ()} if side is enterprise else {}
        gone = await verb(drafted.id, **{**end, "version": drafted.version}, **more, actor=person_of(side))
        assert gone.status in (OrderStatus.CANCELLED, OrderStatus.DECLINED)
        assert (await Contract.get(id=drafted.contract_id)).status is ContractStatus.WITHDRAWN
        with pytest.raises(NotPermittedNow):
            await desk.orders.take(
                gone.id, StepKind.SIGN_CONTRACT, Wish(), version=gone.version, actor=person_of(provider)
            )
    signed = await desk.signed(enterprise, provider, 10_000)
    with pytest.raises(CannotDecline):
        await desk.ends.decline(signed.id, reason="不做了", version=signed.version, actor=person_of(provider))
    ask = {"reason": "双方协商终止", "file_ids": ()}
    asked = await desk.ends.cancel(signed.id, **ask, version=signed.version, actor=person_of(enterprise))
    assert asked.status is OrderStatus.CANCELLING
    with pytest.raises(CancellationAskedAlready):
        await desk.ends.cancel(signed.id, **ask, version=asked.version, actor=person_of(enterprise))
    await desk.ends.cancel(signed.id, **ask, version=asked.version, actor=person_of(provider))
    # The text leaves the procedure open: the operator has a look at it.
    case = await ReviewCase.get(subject=ReviewSubject.CANCELLATION, subject_id=signed.id)
    await desk.reviews.decide(
        case.id,
        Verdict.APPROVED,
        version=case.version,
        reason="",
        fields={},
        extras={},
        actor=await desk.reviewer(),
    )
    assert (await Order.get(id=signed.id)).status is OrderStatus.CANCELLED
    assert (await Contract.get(id=signed.contract_id)).status is ContractStatus.FAILED
    assert await balances(enterprise) == {"available": 50_000, "held": 0, "committed": 0}


async def test_every_step_of_a_contract_is_in_the_journal(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    signed = await desk.signed(enterprise, provider, 10_000)
    await desk.ends.terminate(signed.id, reason="不能履约", actor=OPERATOR)
    deeds = await JournalEntry.filter(subject=f"order:{signed.id}").order_by("id")
    assert [one.action for one in deeds if one.action.startswith("order.")] == [
        "order.opened",
        "order.step",
        "order.step",
        "order.cancelled",
    ]
    steps = [one.data["party"] for one in deeds if one.action == "order.step"]
    assert steps == ["enterprise", "provider"]
    assert deeds[-1].data["released_fen"] == 500_000


async def test_the_books_notice_a_hold_that_is_none_and_money_that_no_order_took(desk: Desk) -> None:
    budget = await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    signed = await desk.signed(enterprise, provider, 10_000)
    hold = await VoucherHold.get(order_id=signed.id)
    await VoucherHold.filter(id=hold.id).update(held_fen=600_000)
    assert await ledger.verify() == [
        f"budget {budget.id}: committed 5,000.00, its orders 6,000.00",
        f"order {signed.id}: holds 6,000.00, in the ledger 5,000.00",
        f"voucher {hold.voucher_id}: orders hold 6,000.00, the ledger 5,000.00",
    ]
    await VoucherHold.filter(id=hold.id).update(held_fen=500_000)
    await Order.filter(id=signed.id).update(status=OrderStatus.CANCELLED)
    assert await ledger.verify() == [f"order {signed.id}: has 5,000.00, though it has ended"]
    await Order.filter(id=signed.id).update(status=OrderStatus.OPEN)
