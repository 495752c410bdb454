"""What holds an order up: the shelf, the service window, the provider's room, the steps before it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.models.inbox import ReminderSent
from server.models.offerings import Offering
from server.models.orders import Order
from server.models.organisations import Organisation, Qualification
from server.programme.steps import StepKind
from server.rules.lifecycles import QualificationStatus
from server.rules.offerings import OfferingStatus
from server.rules.steps import StepOutOfTurn
from server.services.marketplace.offering_book import OfferingNotListed
from server.services.messages import reminders
from server.services.orders.order_opening import OfferingNeeded
from server.services.orders.order_wishes import StepUnmet, Wish
from server.services.vouchers.order_purse import NothingToPay, WantedTooMuch
from server.units import yuan_to_fen
from tests.contracting import ALLOTTED, GRABBED, RANKED, Desk, person_of


async def two(desk: Desk, slug: str) -> tuple[Organisation, Organisation]:
    return await desk.enterprise(slug), await desk.provider(slug)


@pytest.mark.rules("LS-65", "GZ-13")
@pytest.mark.parametrize("slug", [GRABBED, RANKED])
async def test_only_what_stands_on_the_shelf_is_ordered(desk: Desk, slug: str) -> None:
    budget = await desk.budget(slug)
    enterprise, provider = await two(desk, slug)
    voucher = await desk.voucher(budget, enterprise, 10_000)
    with pytest.raises(OfferingNeeded):
        await desk.opened(slug, enterprise, provider, 10_000, voucher_id=voucher.id, offering_id=None)
    offering = await desk.listed(slug, provider, 10_000)
    await Offering.filter(id=offering.id).update(status=OfferingStatus.WITHDRAWN)
    with pytest.raises(OfferingNotListed):
        await desk.opened(slug, enterprise, provider, 10_000, voucher_id=voucher.id, offering_id=offering.id)
    assert not await Order.exists()


@pytest.mark.rules("GZ-13", "GZ-35")
async def test_a_service_ends_before_the_last_day_of_the_window(desk: Desk) -> None:
    budget = await desk.budget(RANKED)
    enterprise, provider = await two(desk, RANKED)
    voucher = await desk.voucher(budget, enterprise, 10_000)
    order = await desk.opened(RANKED, enterprise, provider, 10_000, voucher_id=voucher.id)
    order = await desk.walk(order, until=StepKind.DELIVER)
    last = desk.programme(RANKED).validity.service_until
    assert last is not None
    with pytest.raises(StepUnmet) as told:
        await desk.step(order, provider, completed_on=(last + timedelta(days=1)).isoformat())
    assert "completed_on" in {one.code for one in told.value.unmet}


@pytest.mark.rules("GZ-25", "GZ-62")
async def test_a_provider_that_has_received_all_it_may_takes_no_more(desk: Desk) -> None:
    budget = await desk.budget(RANKED, total_yuan=6_000_000)
    provider = await desk.provider(RANKED)
    offering = await desk.listed(RANKED, provider, 980_000)
    first = await desk.enterprise(RANKED)
    big = await desk.voucher(budget, first, 490_000)
    await desk.opened(RANKED, first, provider, 980_000, voucher_id=big.id, offering_id=offering.id)
    second = await desk.enterprise(RANKED)
    voucher = await desk.voucher(budget, second, 20_000)
    with pytest.raises(WantedTooMuch) as told:
        await desk.opened(
            RANKED,
            second,
            provider,
            40_000,
            voucher_id=voucher.id,
            offering_id=offering.id,
            wanted_fen=yuan_to_fen(10_001),
            price_reason="含现场实施",
        )
    assert told.value.values["most"] == "10,000.00"
    assert "500,000.00 − 已用 490,000.00 = 10,000.00" in told.value.arithmetic
    order = await desk.opened(
        RANKED,
        second,
        provider,
        40_000,
        voucher_id=voucher.id,
        offering_id=offering.id,
        price_reason="含现场实施",
    )
    assert (await Order.get(id=order.id)).voucher_fen == yuan_to_fen(10_000)
    third = await desk.enterprise(RANKED)
    with pytest.raises(NothingToPay):
        await desk.opened(
            RANKED,
            third,
            provider,
            40_000,
            voucher_id=(await desk.voucher(budget, third, 20_000)).id,
            offering_id=offering.id,
            price_reason="含现场实施",
        )


@pytest.mark.rules("LS-24", "LS-25")
async def test_a_category_takes_its_share_of_the_year_and_no_more(desk: Desk) -> None:
    budget = await desk.budget(GRABBED, total_yuan=20_200)
    enterprise, provider = await two(desk, GRABBED)
    voucher = await desk.voucher(budget, enterprise, 10_000)
    order = await desk.opened(GRABBED, enterprise, provider, 10_000, voucher_id=voucher.id)
    order = await Order.get(id=order.id)
    assert order.voucher_fen == yuan_to_fen(6_060)
    assert "30" in order.arithmetic
    other = await desk.enterprise(GRABBED)
    with pytest.raises(NothingToPay):
        await desk.opened(
            GRABBED,
            other,
            provider,
            10_000,
            voucher_id=(await desk.voucher(budget, other, 10_000)).id,
        )
    await desk.ends.decline(order.id, reason="档期已满", version=order.version, actor=person_of(provider))
    await desk.opened(
        GRABBED, other, provider, 10_000, voucher_id=(await desk.voucher(budget, other, 100)).id
    )


@pytest.mark.rules("GX-74")
async def test_no_step_opens_before_everything_before_it_holds_together(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await two(desk, ALLOTTED)
    await desk.settle(enterprise)
    order = await desk.opened(ALLOTTED, enterprise, provider, 40_000)
    for kind in (StepKind.DEPOSIT, StepKind.SERVICE_CONFIRMATION):
        with pytest.raises(StepOutOfTurn):
            await desk.orders.take(order.id, kind, Wish(), version=order.version, actor=person_of(enterprise))
    order = await desk.step(order, enterprise)
    await Qualification.filter(organisation_id=provider.id).update(status=QualificationStatus.SUSPENDED)
    with pytest.raises(StepUnmet):
        await desk.step(order, provider)
    await Qualification.filter(organisation_id=provider.id).update(status=QualificationStatus.APPROVED)
    order = await desk.step(await Order.get(id=order.id), provider)
    assert order.step is StepKind.DEPOSIT
    with pytest.raises(StepUnmet):
        await desk.step(order, enterprise, deposit_receipt={"amount_fen": yuan_to_fen(7_999)})
    order = await desk.step(await Order.get(id=order.id), enterprise)
    assert order.step is StepKind.MILESTONE_EVIDENCE


@pytest.mark.rules("GZ-99")
async def test_both_sides_are_reminded_of_the_contract_and_of_the_payment(desk: Desk) -> None:
    budget = await desk.budget(RANKED)
    enterprise, provider = await two(desk, RANKED)
    voucher = await desk.voucher(budget, enterprise, 10_000, order_days=30, valid_days=60)
    order = await desk.opened(RANKED, enterprise, provider, 10_000, voucher_id=voucher.id)
    order = await desk.walk(order, until=StepKind.UPLOAD_CONTRACT)
    programme = desk.programme(RANKED)
    desk.clock.advance(timedelta(days=23))
    await reminders.send_due(programme, now=desk.clocks.now(RANKED))
    order = await desk.walk(order, until=StepKind.PAY_VOUCHER)
    desk.clock.advance(timedelta(days=30))
    await reminders.send_due(programme, now=desk.clocks.now(RANKED))
    sent = await ReminderSent.filter(subject__startswith=f"order:{order.id}:").order_by("id")
    told = {(one.subject.rpartition(":")[2], one.recipient) for one in sent}
    both = [f"organisation:{one.id}" for one in (enterprise, provider)]
    assert told == {(step, side) for step in ("upload_contract", "pay_voucher") for side in both}
