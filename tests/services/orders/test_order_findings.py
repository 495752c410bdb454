"""Orders between tied sides, at unusual prices, and with providers whose standing is not what it was."""

from __future__ import annotations

import pytest

from server.models.orders import Order
from server.models.organisations import Qualification
from server.models.relations import OrderFinding
from server.models.vouchers import Voucher
from server.programme.steps import StepKind
from server.programme.vocabulary import Party
from server.rules.fair_price import PriceReasonMissing
from server.rules.lifecycles import QualificationStatus
from server.rules.orders import OrderStatus
from server.services.admissions.standings import NotInStanding
from server.services.orders.order_opening import DealForbidden
from server.services.orders.order_wishes import StepUnmet
from server.services.organisations import tie_declarations
from server.services.organisations.tie_declarations import Declared, Shareholder
from server.units import yuan_to_fen
from tests.contracting import ALLOTTED, DAY, GRABBED, RANKED, SEALER, Desk, person_of

REASON = "加急，两周内完成并驻场"


async def kept() -> list[tuple[str, str, str]]:
    return [(one.kind, one.weight, one.code) for one in await OrderFinding.all().order_by("id")]


@pytest.mark.rules("LS-03", "GZ-08", "GX-06")
@pytest.mark.parametrize("slug", [GRABBED, RANKED, ALLOTTED])
async def test_vouchers_pay_admitted_institutions_and_nobody_else(desk: Desk, slug: str) -> None:
    budget = await desk.budget(slug)
    enterprise, provider = await desk.enterprise(slug), await desk.provider(slug, approved=False)
    if slug == ALLOTTED:
        await desk.settle(enterprise)
    else:
        await desk.voucher(budget, enterprise, 10_000, order_days=30)
    with pytest.raises(NotInStanding) as refused:
        await desk.opened(slug, enterprise, provider, 10_000)
    assert [one.code for one in refused.value.unmet] == ["not_qualified"]
    assert await Order.all().count() == 0
    await desk.approve(provider, slug, Party.PROVIDER)
    assert (await desk.opened(slug, enterprise, provider, 10_000)).status is OrderStatus.OPEN
    # Nor does anybody deal who may hold no voucher here.
    stranger = await desk.enterprise(slug, approved=False)
    with pytest.raises(NotInStanding) as refused:
        await desk.opened(slug, stranger, provider, 10_000)
    assert [one.code for one in refused.value.unmet] == ["not_qualified"]


@pytest.mark.rules("GZ-47")
async def test_an_order_with_a_shareholder_is_refused_and_leaves_nothing(desk: Desk) -> None:
    budget = await desk.budget(RANKED)
    enterprise, provider = await desk.enterprise(RANKED), await desk.provider(RANKED)
    voucher = await desk.voucher(budget, enterprise, 10_000)
    share = Shareholder(is_person=False, name=provider.name, number=provider.uscc, share_bp=3_000)
    await tie_declarations.declare(
        Declared(representative="李明", shareholders=(share,)),
        actor=person_of(enterprise),
        sealer=SEALER,
        now=desk.now,
    )
    with pytest.raises(DealForbidden) as refused:
        await desk.opened(RANKED, enterprise, provider, 10_000, voucher_id=voucher.id)
    assert [one.code for one in refused.value.unmet] == ["related_parties"]
    assert (await Order.all().count(), await kept()) == (0, [])


@pytest.mark.rules("YC-29", "NX-35")
async def test_a_hint_holds_an_order_until_the_operator_has_looked(desk: Desk) -> None:
    budget = await desk.budget(GRABBED)
    enterprise, provider = await desk.enterprise(GRABBED), await desk.provider(GRABBED)
    voucher = await desk.voucher(budget, enterprise, 10_000)
    for side in (enterprise, provider):
        declared = Declared(representative=side.name, address="丽水市中山街8号")
        await tie_declarations.declare(declared, actor=person_of(side), sealer=SEALER, now=desk.now)
    order = await desk.opened(GRABBED, enterprise, provider, 10_000, voucher_id=voucher.id)
    assert order.status is OrderStatus.ON_HOLD
    assert await kept() == [("tie", "holds", "address")]
    cleared = await desk.ends.clear(order.id, allowed=True, reason="同楼不同室", actor=await desk.reviewer())
    assert cleared.status is OrderStatus.OPEN


async def test_while_the_operator_looks_nobodys_time_runs(desk: Desk) -> None:
    budget = await desk.budget(RANKED)
    enterprise, provider = await desk.enterprise(RANKED), await desk.provider(RANKED)
    voucher = await desk.voucher(budget, enterprise, 10_000, order_days=30)
    for side in (enterprise, provider):
        declared = Declared(representative=side.name, address="广州市中山街8号")
        await tie_declarations.declare(declared, actor=person_of(side), sealer=SEALER, now=desk.now)
    order = await desk.opened(RANKED, enterprise, provider, 10_000, voucher_id=voucher.id)
    assert order.status is OrderStatus.ON_HOLD
    held_until = order.step_due_at
    desk.clock.advance(10 * DAY)
    order = await desk.ends.clear(order.id, allowed=True, reason="同楼不同室", actor=await desk.reviewer())
    assert held_until is not None
    assert order.step_due_at is not None
    assert held_until < desk.clocks.now(RANKED) < order.step_due_at
    assert await desk.ends.lapse_due() == 0
    order = await desk.walk(order, until=StepKind.UPLOAD_CONTRACT)
    assert order.step is StepKind.UPLOAD_CONTRACT
    before, after = voucher.order_deadline, (await Voucher.get(id=voucher.id)).order_deadline
    assert before is not None
    assert after == before + 10 * DAY


@pytest.mark.rules("LS-77")
async def test_a_price_above_the_list_asks_for_a_reason_which_is_kept_with_the_comparison(desk: Desk) -> None:
    budget = await desk.budget(GRABBED)
    enterprise, provider = await desk.enterprise(GRABBED), await desk.provider(GRABBED)
    voucher = await desk.voucher(budget, enterprise, 10_000)
    offering = await desk.listed(GRABBED, provider, 8_000)
    deal = {"offering_id": offering.id, "voucher_id": voucher.id}
    with pytest.raises(PriceReasonMissing) as refused:
        await desk.opened(GRABBED, enterprise, provider, 9_000, **deal)
    assert refused.value.clause == "五（二）"
    assert await Order.all().count() == 0
    order = await desk.opened(GRABBED, enterprise, provider, 9_000, **deal, price_reason=REASON)
    assert (order.price_reason, order.status) == (REASON, OrderStatus.OPEN)
    (found,) = await OrderFinding.all()
    assert (found.kind, found.code, found.order_id) == ("price", "above_list", order.id)
    assert found.arithmetic.startswith("9,000.00 > 8,000.00")
    assert (await desk.walk(order)).status is OrderStatus.DONE


async def test_a_contract_dearer_than_the_order_asks_for_its_reason_too(desk: Desk) -> None:
    budget = await desk.budget(RANKED)
    enterprise, provider = await desk.enterprise(RANKED), await desk.provider(RANKED)
    voucher = await desk.voucher(budget, enterprise, 10_000, order_days=30)
    order = await desk.opened(
        RANKED, enterprise, provider, 10_000, voucher_id=voucher.id, wanted_fen=yuan_to_fen(4_000)
    )
    order = await desk.walk(order, until=StepKind.UPLOAD_CONTRACT)
    dearer = {"amount_fen": yuan_to_fen(11_000)}
    with pytest.raises(StepUnmet) as refused:
        await desk.step(order, enterprise, **dearer)
    assert [one.code for one in refused.value.unmet] == ["price_reason"]
    assert await kept() == []
    order = await desk.step(order, enterprise, **dearer, price_reason=REASON)
    assert (order.price_reason, order.contract_fen) == (REASON, yuan_to_fen(11_000))
    assert await kept() == [("price", "holds", "above_list")]


@pytest.mark.rules("GX-43")
@pytest.mark.parametrize(
    "status",
    [
        QualificationStatus.EXPIRED,
        QualificationStatus.SUSPENDED,
        QualificationStatus.DELISTED,
        QualificationStatus.PENDING,
    ],
)
async def test_a_provider_whose_standing_is_lost_finishes_what_was_signed_and_takes_nothing_new(
    desk: Desk, status: QualificationStatus
) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await desk.enterprise(ALLOTTED), await desk.provider(ALLOTTED)
    await desk.settle(enterprise)
    order = await desk.signed(enterprise, provider, 20_000)
    assert order.step is StepKind.DEPOSIT
    await Qualification.filter(organisation_id=provider.id, party=Party.PROVIDER).update(status=status)
    with pytest.raises(NotInStanding) as refused:
        await desk.opened(ALLOTTED, enterprise, provider, 20_000)
    assert [one.code for one in refused.value.unmet] == [f"provider_{status}"]
    assert (await desk.walk(order)).status is OrderStatus.DONE


@pytest.mark.rules("GX-43")
async def test_an_order_that_is_not_signed_is_signed_by_nobody_whose_year_is_over(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await desk.enterprise(ALLOTTED), await desk.provider(ALLOTTED)
    await desk.settle(enterprise)
    order = await desk.opened(ALLOTTED, enterprise, provider, 20_000)
    mine = Qualification.filter(organisation_id=provider.id, party=Party.PROVIDER)
    await mine.update(valid_until=desk.now)
    with pytest.raises(StepUnmet) as refused:
        await desk.walk(order, until=StepKind.DEPOSIT)
    assert "provider_expired" in [one.code for one in refused.value.unmet]
    assert (await Order.get(id=order.id)).voucher_fen == 0
