"""Claiming: money that the till paid out is claimed back, overdue, to be kept back from what comes later."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from server.models.orders import Order, VoucherHold
from server.models.sanctions import Recovery, RecoveryLine, SanctionCase
from server.models.settlements import Settlement
from server.programme.sanctions import load_sanction_defaults
from server.programme.vocabulary import Party
from server.rules.recoveries import RecoveryStatus
from server.rules.sanction_cases import SanctionSource, SanctionStatus
from server.services.sanctions.recoveries import Recoveries
from server.services.sanctions.recovery_receipts import RecoveryReceipts
from server.services.sanctions.sanction_book import SanctionBook
from tests.contracting import SEALER
from tests.disbursing import Till

_numbers = count(1)
YEARLY_BP = 345
CLAUSE = "第十五条"


def receipts_of(till: Till) -> RecoveryReceipts:
    """The verb on money that comes back by itself."""
    defaults = load_sanction_defaults(Path("config/sanctions.toml"))
    book = SanctionBook(till.programmes, till.clocks, till.working_days, defaults, SEALER)
    return RecoveryReceipts(Recoveries(book))


async def overdue(till: Till, paid: Settlement, principal_fen: int, **more: Any) -> Recovery:
    """Some of what a settlement was paid is claimed back from its provider; the last day was yesterday."""
    order = await Order.get(id=paid.order_id)
    hold = await VoucherHold.get(order_id=order.id).select_related("voucher")
    number, today = next(_numbers), till.today(paid.programme_slug)
    case = await SanctionCase.create(
        number=f"C{number:09d}",
        programme_slug=paid.programme_slug,
        programme_version=order.programme_version,
        sanction="s",
        ground="g",
        clause=CLAUSE,
        against_id=paid.provider_id,
        party=Party.PROVIDER,
        source=SanctionSource.HAND,
        facts="-",
        measures=["claw_back"],
        status=SanctionStatus.DECIDED,
        proposed_by=1,
        proposed_at=till.now,
    )
    claim = await Recovery.create(
        **{
            "number": f"R{number:09d}",
            "case_id": case.id,
            "debtor_id": paid.provider_id,
            "programme_slug": paid.programme_slug,
            "principal_fen": principal_fen,
            "yearly_bp": YEARLY_BP,
            "rate_rests_on": CLAUSE,
            "may_offset": True,
            "status": RecoveryStatus.DEMANDED,
            "claimed_at": till.now,
            "demanded_at": till.now,
            "due_on": today - timedelta(days=1),
            **more,
        }
    )
    voucher = hold.voucher
    await RecoveryLine.create(
        recovery_id=claim.id,
        budget_id=voucher.budget_id,
        round_id=voucher.round_id,
        enterprise_id=order.enterprise_id,
        provider_id=order.provider_id,
        voucher_id=voucher.id,
        order_id=order.id,
        category=order.category,
        amount_fen=principal_fen,
        paid_out_on=today - timedelta(days=73),
    )
    return claim
