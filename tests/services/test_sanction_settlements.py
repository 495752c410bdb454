"""What a sanction does to settlements: refused for good, or reduced by what was decided."""

from __future__ import annotations

import pytest

from server.models.sanctions import SanctionEffect
from server.models.settlements import Settlement
from server.programme.vocabulary import Party
from server.rules.money import Account
from server.rules.sanction_cases import Effect
from server.rules.settlements import SettlementStatus
from server.services import ledger, payment_holds
from server.services.payment_holds import PaymentHeld
from tests.contracting import GRABBED, ON_CONTRACT
from tests.sanctioning import Court


@pytest.mark.rules("LS-79")
async def test_what_is_under_review_is_refused_and_its_money_is_the_years_again(court: Court) -> None:
    enterprise, provider = await court.enterprise(GRABBED), await court.provider(GRABBED)
    order, voucher = await court.accepted(GRABBED, enterprise, provider)
    settlement = await court.settling(order)
    case = await court.sanctioned(GRABBED, provider, Party.PROVIDER, "fraud", orders=[order.id])
    (hit,) = case.preview["settlements"]
    assert (hit["settlement"], hit["amount_fen"]) == (settlement.id, order.voucher_fen)
    row = await Settlement.get(id=settlement.id)
    assert (row.status, row.amount_fen, case.number in row.reason) == (SettlementStatus.REFUSED, 0, True)
    assert (await ledger.balances(voucher_id=voucher.id))[Account.REDEEMED] == 0
    with pytest.raises(PaymentHeld):
        await payment_holds.require_free(row)
    done = await SanctionEffect.get(effect=Effect.REFUSE_SETTLEMENT, subject=f"settlement:{row.id}")
    assert done.note.startswith("兑付金额 6,000.00 元")
    assert await ledger.verify() == []


@pytest.mark.rules("NX-26")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_is_payable_pays_so_much_less(court: Court) -> None:
    enterprise, provider = await court.enterprise(GRABBED), await court.provider(ON_CONTRACT)
    order, voucher = await court.accepted(ON_CONTRACT, enterprise, provider)
    settlement = await court.settling(order, SettlementStatus.PAYABLE)
    await court.sanctioned(
        ON_CONTRACT, provider, Party.PROVIDER, "not_performed", orders=[order.id], reduced_fen=150_000
    )
    row = await Settlement.get(id=settlement.id)
    assert (row.status, row.amount_fen, row.reduced_fen) == (SettlementStatus.PAYABLE, 450_000, 150_000)
    assert (await ledger.balances(voucher_id=voucher.id))[Account.REDEEMED] == 450_000
    assert await ledger.verify() == []
