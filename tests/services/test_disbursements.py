"""Disbursements: from what is payable to the money in the bank, the bank's word and a closed archive."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tortoise.context import TortoiseContext

from server.models.disbursements import Payment
from server.models.rounds import Budget
from server.rules.disbursements import BatchStatus, TransferStatus
from server.rules.money import Account
from server.rules.review import CaseStatus
from server.rules.settlements import SettlementStatus
from server.services import ledger
from tests.contracting import ALLOTTED, DRAWN, GRABBED, ON_CONTRACT, RANKED
from tests.disbursing import Till


@pytest.fixture
async def till(database: TortoiseContext) -> AsyncIterator[Till]:
    """The till on each kind of database. Whatever a test does, the books balance."""
    yield Till()
    assert await ledger.verify() == []


@pytest.mark.parametrize("slug", [ALLOTTED, ON_CONTRACT, DRAWN, RANKED])
@pytest.mark.rules("GZ-41", "GZ-43", "YC-09", "NX-23", "GX-63")
async def test_money_goes_from_what_is_payable_to_the_bank_and_into_a_closed_archive(
    till: Till, slug: str
) -> None:
    budget = await till.budget(slug, 500_000)
    settlement = await till.payable(slug, budget=budget)
    await till.with_account(settlement)
    batch = await till.paid(await till.drafted(slug, budget.year))
    assert batch.status is BatchStatus.CLOSED and batch.total_fen == settlement.amount_fen
    settlement, _ = await till.settled(settlement)
    assert settlement.status is SettlementStatus.PAID
    sums = await ledger.balances(order_id=settlement.order_id, enterprise_id=settlement.enterprise_id)
    assert sums[Account.DISBURSED] == settlement.amount_fen and not sums[Account.REDEEMED]
    assert await ledger.verify() == []
    hand_over = await till.archived(batch)
    settlement, case = await till.settled(settlement)
    assert settlement.status is SettlementStatus.CLOSED and case.status is CaseStatus.PASSED
    assert {item["kind"] for item in hand_over.items} >= {"order", "receipt", "bank_file"}
    assert (await Payment.get(settlement_id=settlement.id)).status is TransferStatus.PAID
    assert (await Budget.get(id=budget.id)).total_fen == budget.total_fen
