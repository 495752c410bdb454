"""Returns of claims: what was kept back for money that had come home meanwhile is owed back, too."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tortoise.context import TortoiseContext

from server.models.disbursements import Payment
from server.models.outbox import OutboxMessage
from server.models.sanctions import Recovery, SanctionCase
from server.rules.money import Account
from server.rules.recoveries import RecoveryStatus
from server.services.budgets import ledger
from server.services.outbox import team
from server.services.sanctions import recovery_returns
from server.services.sanctions.recovery_returns import NothingOwedBack, RecoveryReturns
from tests.claiming import overdue, receipts_of
from tests.contracting import ON_CONTRACT
from tests.disbursing import Till

BY_HAND_FEN = 100


@pytest.fixture
async def till(database: TortoiseContext) -> AsyncIterator[Till]:
    """The till; the books balance."""
    yield Till()
    assert await ledger.verify() == []


@pytest.mark.rules("LS-79")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_a_payment_under_way_kept_back_for_money_that_came_home_meanwhile_is_owed_back(
    till: Till,
) -> None:
    budget, provider = await till.budget(ON_CONTRACT), await till.provider(ON_CONTRACT)
    first = await till.payable(ON_CONTRACT, budget=budget, provider=provider)
    await till.with_account(first)
    paid = await till.paid(await till.drafted(ON_CONTRACT, budget.year))
    claim = await overdue(till, first, first.amount_fen // 10)
    office, day = receipts_of(till), till.today(ON_CONTRACT)
    maker, operator = await till.maker(ON_CONTRACT), await till.staff("operator")
    await office.receive(claim.id, "2026051800001", BY_HAND_FEN, day, version=claim.version, actor=operator)
    await till.payable(ON_CONTRACT, budget=budget, provider=provider)
    batch = await till.sent(await till.drafted(ON_CONTRACT, budget.year))
    assert batch.kept_fen > claim.principal_fen - BY_HAND_FEN
    # The bank sends back what is claimed, and then pays what it was told.
    slip = await till.scan(maker, ON_CONTRACT)
    payment = await Payment.get(batch_id=paid.id)
    await till.office.receipts.give_back(payment.id, reason="账号已销户", on=day, file_id=slip, actor=maker)
    told = await OutboxMessage.get(topic="recovery.to_give_back")
    assert (told.recipient, told.data["amount_fen"]) == (team("authority", ON_CONTRACT), BY_HAND_FEN)
    await till.paid(batch)
    assert (await OutboxMessage.filter(topic=told.topic).order_by("-id"))[0].data[
        "amount_fen"
    ] == batch.kept_fen
    claim = await Recovery.get(id=claim.id)
    assert claim.status is RecoveryStatus.COLLECTED
    owed = await recovery_returns.owed_back(claim)
    assert (owed.amount_fen, owed.surcharge_fen) == (BY_HAND_FEN + batch.kept_fen, batch.kept_fen)
    returns, authority = RecoveryReturns(office.recoveries), await till.staff("authority")
    claim = await returns.ask(claim.id, "2026052000001", day, version=claim.version, actor=operator)
    claim = await returns.decide(claim.id, agreed=True, version=claim.version, actor=authority)
    assert (await ledger.balances())[Account.SURCHARGE] == 0
    with pytest.raises(NothingOwedBack):
        await returns.ask(claim.id, "2026052000002", day, version=claim.version, actor=operator)
    # A reversal owes nothing of it a second time.
    case = await SanctionCase.get(id=claim.case_id)
    assert await office.recoveries.cancel(case, actor=authority, now=till.now) == 0
