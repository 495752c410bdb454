"""Kinds of voucher and the notice of the year: on which terms contracts are made; and looking ahead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from server.models.orders import Order, VoucherHold
from server.models.outbox import OutboxMessage
from server.models.vouchers import Voucher
from server.programme.steps import StepKind
from server.rules.orders import OrderStatus
from server.services.budgets.annual_notices import KindNotAnnounced, KindNotNow, KindUnknown
from server.services.orders.order_opening import OutOfScope
from server.units import yuan_to_fen
from tests.contracting import (
    ALLOTTED,
    CATEGORY,
    ON_CONTRACT,
    OPERATOR,
    Desk,
    balances,
    half_signed,
    person_of,
    sides,
)

DIAGNOSIS = {"category": "diagnosis_services"}
SPECIAL = {"kind": "special", "category": "digital_transformation_services"}


@pytest.mark.rules("GX-10", "GX-15")
async def test_a_contract_on_the_special_voucher_stands_on_the_notices_terms(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk, ALLOTTED, "regional_digital_workshop")
    signed = await desk.signed(enterprise, provider, 100_000, **SPECIAL)
    assert (signed.voucher_fen, signed.clause, signed.notice_year) == (6_000_000, "通知第六条", 2026)
    # It is for one category only this year, and the general voucher is not touched by it.
    with pytest.raises(OutOfScope) as refused:
        await desk.signed(enterprise, provider, 10_000, kind="special", category="innovation_services")
    assert refused.value.unmet[0].code == "unknown_category"
    vouchers = {one.kind: one.id for one in await Voucher.filter(enterprise_id=enterprise.id)}
    assert [one.voucher_id for one in await VoucherHold.all()] == [vouchers["special"]]


@pytest.mark.rules("GX-15")
async def test_the_notices_own_money_limits_its_kind(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    for amount_yuan, voucher_yuan in ((200_000, 120_000), (200_000, 120_000)):
        enterprise, provider = await sides(desk, ALLOTTED, "regional_digital_workshop")
        signed = await desk.signed(enterprise, provider, amount_yuan, **SPECIAL)
        assert signed.voucher_fen == voucher_yuan * 100
    enterprise, provider = await sides(desk, ALLOTTED, "regional_digital_workshop")
    assert (await desk.signed(enterprise, provider, 200_000, **SPECIAL)).status is OrderStatus.WAITING
    told = await OutboxMessage.filter(topic="order.paused").first()
    assert told is not None
    assert told.data["clause"] == "通知第三条"
    assert told.data["arithmetic"] == "本券种年度资金 250,000.00 − 已用 240,000.00 = 10,000.00 < 120,000.00"
    # The general voucher has the rest of the year.
    assert (await desk.signed(enterprise, provider, 20_000)).voucher_fen == 1_000_000


@pytest.mark.rules("GX-15")
async def test_without_a_notice_there_is_no_special_voucher_and_the_refusal_says_why(
    quiet_desk: Desk,
) -> None:
    await quiet_desk.budget(ALLOTTED)
    enterprise, provider = await sides(quiet_desk, ALLOTTED, "regional_digital_workshop")
    with pytest.raises(KindNotAnnounced) as refused:
        await quiet_desk.opened(ALLOTTED, enterprise, provider, 100_000, **SPECIAL)
    assert refused.value.clause == "第六条（二）"
    assert refused.value.values == {"kind": "专项券", "year": 2026}
    assert await quiet_desk.opened(ALLOTTED, enterprise, provider, 100_000)
    for kind in ("", "gold"):
        with pytest.raises(KindUnknown):
            await quiet_desk.opened(ALLOTTED, enterprise, provider, 100_000, kind=kind)


@pytest.mark.rules("GX-15")
async def test_a_special_contract_is_signed_within_the_notices_window(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk, ALLOTTED, "regional_digital_workshop")
    half = await half_signed(desk, enterprise, provider, 50_000, **SPECIAL)
    desk.clock.at = datetime(2026, 10, 31, 16, 0, tzinfo=UTC)
    with pytest.raises(KindNotNow) as refused:
        await desk.step(half, enterprise)
    assert refused.value.arithmetic == "2026-11-01: 2026-04-01 – 2026-10-31"
    with pytest.raises(KindNotNow):
        await desk.opened(ALLOTTED, enterprise, provider, 50_000, **SPECIAL)
    desk.clock.at -= timedelta(microseconds=1)
    assert (await desk.step(half, enterprise)).voucher_fen == 3_000_000


@pytest.mark.rules("GX-34")
async def test_a_contract_keeps_the_terms_it_was_made_under_when_the_notice_changes_them(
    quiet_desk: Desk, desk: Desk
) -> None:
    await quiet_desk.budget(ALLOTTED)
    enterprise, provider = await sides(quiet_desk)
    before = await quiet_desk.signed(enterprise, provider, 10_000, **DIAGNOSIS)
    after = await desk.signed(enterprise, provider, 10_000, **DIAGNOSIS)
    # 80 % by the regulation; 70 % from the day the notice sets it so.
    assert (before.voucher_fen, before.notice_year, before.clause) == (800_000, None, "第十一条")
    assert (after.voucher_fen, after.notice_year, after.clause) == (700_000, 2026, "通知第七条")
    kept = await Order.get(id=before.id)
    assert (kept.voucher_fen, kept.notice_year) == (800_000, None)
    await desk.ends.terminate(before.id, reason="不能履约", actor=OPERATOR)
    assert (await balances(enterprise))["held"] == 7_000


@pytest.mark.rules("GX-34")
async def test_a_notice_holds_from_its_own_day(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    desk.clock.at = datetime(2026, 3, 1, 15, 59, tzinfo=UTC)
    early = await desk.signed(enterprise, provider, 10_000, **DIAGNOSIS)
    assert early.voucher_fen == 800_000
    desk.clock.at = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)
    assert (await desk.signed(enterprise, provider, 10_000, **DIAGNOSIS)).voucher_fen == 700_000
    # What was agreed before is finished as it was agreed.
    early = await desk.walk(early, until=StepKind.BALANCE)
    assert (early.voucher_fen, early.notice_year) == (800_000, None)


# -- looking ahead -----------------------------------------------------------------------------------


@pytest.mark.rules("GX-64")
async def test_what_is_left_is_seen_before_anybody_signs(desk: Desk) -> None:
    await desk.budget(ALLOTTED, 30_000)
    enterprise, provider = await sides(desk)
    ask = {"category": CATEGORY[ALLOTTED], "amount_fen": yuan_to_fen(40_000), "kind": "general"}
    before = await desk.outlooks.ahead(ALLOTTED, actor=person_of(enterprise), **ask)
    assert (before.paid.amount_fen, before.shares.deposit_fen) == (2_000_000, 800_000)
    assert before.year_left is not None
    assert before.year_left.amount_fen == 3_000_000
    await desk.signed(enterprise, provider, 40_000)
    after = await desk.outlooks.ahead(ALLOTTED, actor=person_of(enterprise), **ask)
    assert after.year_left is not None
    assert after.year_left.amount_fen == 1_000_000
    assert after.year_left.arithmetic == "年度预算 30,000.00 − 已用 20,000.00 = 10,000.00"
    with pytest.raises(OutOfScope):
        await desk.outlooks.ahead(ALLOTTED, actor=person_of(enterprise), **{**ask, "category": "x"})


async def test_the_outlook_of_a_year_without_money_says_so(desk: Desk) -> None:
    enterprise, _ = await sides(desk, ON_CONTRACT)
    ahead = await desk.outlooks.ahead(
        ON_CONTRACT,
        category=CATEGORY[ON_CONTRACT],
        amount_fen=yuan_to_fen(6_000),
        kind="",
        actor=person_of(enterprise),
    )
    assert (ahead.paid.amount_fen, ahead.year_left, ahead.periods) == (300_000, None, ())
