"""A deadline of a voucher counts from its instant, whenever the job comes by."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.models.outbox import OutboxMessage
from server.models.vouchers import Voucher
from server.rules.lifecycles import VoucherStatus
from server.services.vouchers.vouchers import HandBackTooLate
from tests.factories import Office
from tests.services.vouchers.test_vouchers import FACE, GUANGZHOU, Counter


@pytest.mark.rules("GZ-38", "GZ-39")
@pytest.mark.parametrize("column", ["order_deadline", "valid_until"])
async def test_who_missed_a_deadline_cannot_hand_back_before_the_job_comes(
    office: Office, column: str
) -> None:
    counter = await Counter(office, GUANGZHOU).opened()
    (late, its_handler), (early, another) = await counter.issued(), await counter.issued()
    if column == "valid_until":
        await Voucher.all().update(order_deadline=None)
    office.clock.at = getattr(late, column) - timedelta.resolution
    await counter.vouchers.hand_back(early.id, actor=another, reason="")
    office.clock.at = getattr(late, column)
    with pytest.raises(HandBackTooLate):
        await counter.vouchers.hand_back(late.id, actor=its_handler, reason="")
    assert await counter.counted(late) == FACE
    assert await counter.counted(early) == 0


@pytest.mark.rules("GZ-38")
async def test_who_ordered_for_all_of_it_in_time_hears_of_no_reclaim(office: Office) -> None:
    counter = await Counter(office, GUANGZHOU).opened()
    (all_held, _), (half_held, _) = await counter.issued(), await counter.issued()
    await counter.hold(all_held, FACE)
    await counter.hold(half_held, FACE // 2)
    office.clock.at = counter.round.order_deadline
    assert await counter.vouchers.reclaim_due(GUANGZHOU) == 2
    assert await counter.vouchers.reclaim_due(GUANGZHOU) == 0
    told = await OutboxMessage.filter(topic="voucher.reclaim").get()
    assert told.recipient == f"organisation:{half_held.enterprise_id}"
    for voucher in (all_held, half_held):
        assert (await Voucher.get(id=voucher.id)).status is VoucherStatus.ACTIVE
