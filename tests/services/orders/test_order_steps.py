"""Every step out of turn, by the wrong side, too late, with something missing: refused, and nothing moved."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from server.errors import Refusal
from server.models.ledger import LedgerEntry
from server.models.orders import Order, OrderAct, OrderPaper
from server.models.organisations import Organisation
from server.programme.steps import StepKind
from server.rules.order_walk import StepDoneAlready, StepTooLate
from server.rules.orders import OrderStatus
from server.rules.steps import NotYourStep, StepOutOfTurn
from server.services.admissions.standings import NotInStanding
from server.services.orders.order_wishes import NothingToSendBack, StepUnmet, Wish
from server.services.vouchers.order_purse import VoucherUnusable, WantedTooMuch
from server.units import yuan_to_fen
from tests.contracting import ALLOTTED, GRABBED, RANKED, Desk, person_of


async def an_order(desk: Desk, slug: str = GRABBED, face: float = 10_000) -> Order:
    budget = await desk.budget(slug)
    enterprise, provider = await desk.enterprise(slug), await desk.provider(slug)
    voucher = await desk.voucher(budget, enterprise, face, order_days=30)
    return await desk.opened(slug, enterprise, provider, 10_000, voucher_id=voucher.id)


async def buyer_of(order: Order) -> Organisation:
    return await Organisation.get(id=order.enterprise_id)


async def seller_of(order: Order) -> Organisation:
    return await Organisation.get(id=order.provider_id)


async def _state(order: Order) -> tuple[Any, ...]:
    row = await Order.get(id=order.id).values()
    row.pop("version")
    return (
        row,
        await OrderAct.filter(order_id=order.id).count(),
        await OrderPaper.filter(order_id=order.id).count(),
        await LedgerEntry.all().count(),
    )


@asynccontextmanager
async def refused(order: Order, refusal: type[Refusal], *, says: str = "") -> AsyncIterator[None]:
    """What happens inside is refused with a clause, and neither the order nor any money has moved."""
    before = await _state(order)
    with pytest.raises(refusal) as told:
        yield
    assert told.value.clause
    assert says in str(told.value.values) + str(told.value.unmet) + str(told.value.arithmetic)
    assert await _state(order) == before


async def take(
    desk: Desk, order: Order, side: Organisation, kind: StepKind, wish: Wish | None = None
) -> Order:
    order = await Order.get(id=order.id)
    return await desk.orders.take(
        order.id, kind, wish or Wish(), version=order.version, actor=person_of(side)
    )


async def test_a_step_out_of_turn_names_the_one_that_comes_first(desk: Desk) -> None:
    order = await an_order(desk, RANKED)
    async with refused(order, StepOutOfTurn, says="服务机构确认订单"):
        await take(desk, order, await buyer_of(order), StepKind.PAY_VOUCHER)
    async with refused(order, StepOutOfTurn):
        await take(desk, order, await buyer_of(order), StepKind.PLACE)


async def test_a_step_is_done_by_whom_the_programme_names(desk: Desk) -> None:
    order = await an_order(desk, RANKED)
    async with refused(order, NotYourStep, says="服务机构"):
        await take(desk, order, await buyer_of(order), StepKind.CONFIRM)


async def test_one_side_signs_once_and_waits_for_the_other(desk: Desk) -> None:
    order = await desk.walk(await an_order(desk), until=StepKind.SIGN_CONTRACT)
    buyer = await buyer_of(order)
    order = await desk.step(order, buyer)
    assert order.step is StepKind.SIGN_CONTRACT
    async with refused(order, StepDoneAlready):
        await take(desk, order, buyer, StepKind.SIGN_CONTRACT)


@pytest.mark.rules("LS-49", "LS-52")
async def test_everything_that_is_missing_is_named_at_once(desk: Desk) -> None:
    order = await desk.walk(await an_order(desk), until=StepKind.DELIVER)
    before = await _state(order)
    with pytest.raises(StepUnmet) as told:
        await take(desk, order, await seller_of(order), StepKind.DELIVER)
    assert {one.code for one in told.value.unmet} == {"completed_on", "actual_fee_fen", "proof"}
    assert await _state(order) == before


@pytest.mark.rules("LS-66")
@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("signed_on", "2025-12-30", "signed_this_year"),
        ("signed_on", "2026-05-17", "precedes_order"),
        ("signed_on", "2026-05-19", "signed_later"),
        ("enterprise_name", "另一家有限公司", "names_match"),
        ("amount_fen", 0, "amount_fen"),
        ("matches_offering", False, "matches_offering"),
        ("amount_fen", "一万元", "amount_fen"),
        ("unheard_of", "1", "unheard_of"),
    ],
)
async def test_a_contract_that_cannot_be_one_is_not_entered(
    desk: Desk, field: str, value: object, fault: str
) -> None:
    order = await desk.walk(await an_order(desk), until=StepKind.SIGN_CONTRACT)
    buyer = await buyer_of(order)
    wish = await desk.wish(order, buyer)
    wish = Wish({**wish.values, field: value}, wish.papers)
    async with refused(order, StepUnmet, says=fault):
        await take(desk, order, buyer, StepKind.SIGN_CONTRACT, wish)


@pytest.mark.rules("GX-31")
async def test_a_contract_above_the_catalogue_is_refused_with_both_prices(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await desk.enterprise(ALLOTTED), await desk.provider(ALLOTTED)
    await desk.settle(enterprise)
    order = await desk.opened(ALLOTTED, enterprise, provider, 40_000)
    async with refused(order, StepUnmet, says="above_catalogue"):
        await desk.step(order, enterprise, amount_fen=yuan_to_fen(40_001))


@pytest.mark.rules("GZ-33")
async def test_after_its_deadline_a_step_is_refused_with_the_instant(desk: Desk) -> None:
    order = await desk.walk(await an_order(desk, RANKED), until=StepKind.UPLOAD_CONTRACT)
    buyer = await buyer_of(order)
    wish = await desk.wish(order, buyer)
    desk.clock.advance(timedelta(days=31))
    async with refused(order, StepTooLate):
        await take(desk, order, buyer, StepKind.UPLOAD_CONTRACT, wish)


@pytest.mark.rules("GZ-36", "GZ-34")
@pytest.mark.parametrize(
    ("document", "said", "fault"),
    [
        ("transfer", {"amount_fen": yuan_to_fen(4_999)}, "transfer"),
        ("transfer", {"payee": "别的公司"}, "transfer"),
        ("invoice", {"dated": "outside"}, "invoice"),
        ("invoice", {"file_ids": ()}, "invoice"),
    ],
)
async def test_wrong_evidence_pays_nothing(
    desk: Desk, document: str, said: dict[str, Any], fault: str
) -> None:
    order = await desk.walk(await an_order(desk, RANKED), until=StepKind.PAY_VOUCHER)
    if said.get("dated") == "outside":
        said = {"dated": desk.today(RANKED) + timedelta(days=400)}
    async with refused(order, StepUnmet, says=fault):
        await desk.step(order, await buyer_of(order), **{document: said})


@pytest.mark.rules("GZ-62", "GZ-100")
async def test_more_than_the_rate_gives_is_refused_with_the_sum(desk: Desk) -> None:
    budget = await desk.budget(RANKED)
    enterprise, provider = await desk.enterprise(RANKED), await desk.provider(RANKED)
    voucher = await desk.voucher(budget, enterprise, 20_000)
    with pytest.raises(WantedTooMuch) as told:
        await desk.opened(
            RANKED, enterprise, provider, 10_000, voucher_id=voucher.id, wanted_fen=yuan_to_fen(5_001)
        )
    assert "5,000.00" in told.value.arithmetic
    assert not await Order.exists()


async def test_another_ones_voucher_pays_for_nothing(desk: Desk) -> None:
    budget = await desk.budget(GRABBED)
    mine, other = await desk.enterprise(GRABBED), await desk.enterprise(GRABBED)
    provider = await desk.provider(GRABBED)
    voucher = await desk.voucher(budget, other, 10_000)
    with pytest.raises(VoucherUnusable):
        await desk.opened(GRABBED, mine, provider, 10_000, voucher_id=voucher.id)


async def test_who_is_not_admitted_takes_no_orders(desk: Desk) -> None:
    budget = await desk.budget(GRABBED)
    enterprise = await desk.enterprise(GRABBED)
    stranger = await desk.provider(GRABBED, approved=False)
    voucher = await desk.voucher(budget, enterprise, 10_000)
    with pytest.raises(NotInStanding):
        await desk.opened(GRABBED, enterprise, stranger, 10_000, voucher_id=voucher.id)


async def test_an_uploaded_contract_is_sent_back_and_uploaded_anew(desk: Desk) -> None:
    order = await desk.walk(await an_order(desk, RANKED), until=StepKind.CONFIRM_CONTRACT)
    seller = person_of(await seller_of(order))
    first = order.contract_id
    order = await desk.orders.send_back(order.id, reason="合同缺页", version=order.version, actor=seller)
    assert (order.step, order.contract_id) == (StepKind.UPLOAD_CONTRACT, None)
    assert await OrderPaper.filter(order_id=order.id, withdrawn_at__isnull=False).count() == 1
    with pytest.raises(NothingToSendBack):
        await desk.orders.send_back(order.id, reason="再退", version=order.version, actor=seller)
    order = await desk.walk(await Order.get(id=order.id), until=StepKind.DELIVER)
    assert order.contract_id not in (None, first)


@pytest.mark.rules("LS-30")
async def test_a_lower_real_fee_gives_the_difference_back_at_once(desk: Desk) -> None:
    order = await desk.walk(await an_order(desk), until=StepKind.DELIVER)
    order = await desk.step(order, await seller_of(order), actual_fee_fen=yuan_to_fen(8_000))
    assert order.voucher_fen == yuan_to_fen(5_600)
    order = await desk.walk(order)
    assert (order.status, order.voucher_fen) == (OrderStatus.DONE, yuan_to_fen(5_600))


@pytest.mark.rules("LS-31")
async def test_several_orders_draw_on_one_voucher_until_it_is_empty(desk: Desk) -> None:
    budget = await desk.budget(GRABBED)
    enterprise, provider = await desk.enterprise(GRABBED), await desk.provider(GRABBED)
    voucher = await desk.voucher(budget, enterprise, 10_000)
    offering = await desk.listed(GRABBED, provider, 10_000)
    paid = []
    for _ in range(2):
        order = await desk.opened(
            GRABBED, enterprise, provider, 10_000, voucher_id=voucher.id, offering_id=offering.id
        )
        paid.append((await Order.get(id=order.id)).voucher_fen)
    assert paid == [yuan_to_fen(7_000), yuan_to_fen(3_000)]


async def test_the_checklist_says_beforehand_what_is_missing_and_does_nothing(desk: Desk) -> None:
    order = await desk.walk(await an_order(desk), until=StepKind.DELIVER)
    before = await _state(order)
    seller = await seller_of(order)
    missing = await desk.orders.checklist(order.id, StepKind.DELIVER, Wish(), actor=person_of(seller))
    assert {one.code for one in missing} == {"completed_on", "actual_fee_fen", "proof"}
    wish = await desk.wish(order, seller)
    assert not await desk.orders.checklist(order.id, StepKind.DELIVER, wish, actor=person_of(seller))
    assert await _state(order) == before
