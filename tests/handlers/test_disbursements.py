"""Disbursements over HTTP: an account, a batch, the bank's file and word, and what is shown to whom."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.keys import SEALER
from server.models.disbursements import BankAccount, Payment
from server.models.orders import VoucherHold
from server.models.organisations import Organisation
from server.models.rounds import Budget
from server.models.settlements import Settlement, SettlementApplication
from server.models.vouchers import Voucher
from server.programme.vocabulary import Party
from server.rules.money import Basis, Movement
from server.rules.orders import OrderStatus
from server.rules.settlements import SettlementApplicationStatus, SettlementStatus
from server.services.budgets import ledger
from server.services.budgets.ledger import Where
from server.units import yuan_to_fen
from tests.ordering import admit, make_order, organisation_of
from tests.town import Town

PROGRAMME = "ningxia-2016"
YEAR = 2026
AMOUNT_FEN = yuan_to_fen(3_000)


async def payable(town: Town, enterprise: Organisation, provider: Organisation) -> Settlement:
    """A settlement as its review leaves it, with its money in the ledger."""
    programme = town.programmes.get(PROGRAMME)
    now = town.now
    budget = await Budget.get(programme_slug=PROGRAMME)
    voucher = await Voucher.create(
        number="V1", budget_id=budget.id, enterprise_id=enterprise.id, basis=Basis.QUOTA,
        face_value_fen=AMOUNT_FEN, programme_slug=PROGRAMME, programme_version=programme.version,
        granted_at=now, reserved_at=now, valid_until=now + timedelta(days=90),
    )  # fmt: skip
    order = await make_order(
        programme, enterprise, provider, at=now, step=None, status=OrderStatus.DONE, budget_id=budget.id,
        voucher_fen=AMOUNT_FEN,
    )  # fmt: skip
    where = Where(
        budget.id, enterprise_id=enterprise.id, voucher_id=voucher.id, order_id=order.id,
        provider_id=provider.id, category=order.category,
    )  # fmt: skip
    await Budget.filter(id=budget.id).update(committed_fen=AMOUNT_FEN)
    await ledger.post(Movement.COMMIT, AMOUNT_FEN, Where(budget.id, order_id=order.id), at=now)
    for movement in (Movement.POST_QUOTA, Movement.HOLD, Movement.REDEEM):
        await ledger.post(movement, AMOUNT_FEN, where, at=now)
    await VoucherHold.create(
        order_id=order.id, voucher_id=voucher.id, held_fen=0, spent_fen=AMOUNT_FEN, held_at=now
    )
    application = await SettlementApplication.create(
        number="A1", programme_slug=PROGRAMME, programme_version=programme.version, provider_id=provider.id,
        status=SettlementApplicationStatus.SUBMITTED, actor="person:1", opened_at=now,
    )  # fmt: skip
    return await Settlement.create(
        number="S1", application_id=application.id, order_id=order.id, provider_id=provider.id,
        enterprise_id=enterprise.id, budget_id=budget.id, programme_slug=PROGRAMME, category=order.category,
        status=SettlementStatus.PAYABLE, asked_fen=AMOUNT_FEN, ledger_fen=AMOUNT_FEN, amount_fen=AMOUNT_FEN,
        year=YEAR, payable_at=now,
    )  # fmt: skip


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.rules("GX-64", "NX-23")
async def test_a_provider_is_paid_over_http_and_everybody_sees_what_is_left(town: Town) -> None:
    operator, colleague = await town.operator(), await town.operator()
    enterprise = await organisation_of(await town.handler(name="晨光精密机械有限公司"))
    handler = await town.handler(name="远山数字技术有限公司")
    provider = await organisation_of(handler)
    await admit(provider, town.programmes.get(PROGRAMME), Party.PROVIDER, town.now)
    opened = await operator.post("budgets", programme=PROGRAMME, year=YEAR, total_fen=yuan_to_fen(10_000))
    assert opened.status == 201, opened.body
    settlement = await payable(town, enterprise, provider)

    entered = await handler.post(
        "bank-accounts", programme=PROGRAMME, holder=provider.name, number="6222 0200 0000 8888",
        bank="中国银行银川分行",
    )  # fmt: skip
    assert entered.status == 201 and entered.body["number"] == "****8888", entered.body
    for staff in (operator, colleague):
        account = await BankAccount.get(id=entered.body["id"])
        seen = await staff.post(f"bank-accounts/{account.id}/verification", version=account.version)
        assert seen.status == 200, seen.body
    assert seen.body["status"] == "verified"
    assert town.app[SEALER].open(account.number_sealed) == "6222020000008888"

    plan = await operator.post("payment-batches/preview", programme=PROGRAMME, year=YEAR)
    assert plan.status == 200 and plan.body["total_fen"] == AMOUNT_FEN, plan.body
    drafted = await operator.post("payment-batches", programme=PROGRAMME, year=YEAR, reason="第一次拨付")
    assert drafted.status == 201 and drafted.body["left_out"] == [], drafted.body
    path = f"payment-batches/{drafted.body['id']}"
    own = await operator.post(f"{path}/approval", version=1, reason="核对无误")
    assert (own.status, own.code) == (403, "same_hands")
    approved = await colleague.post(f"{path}/approval", version=1, reason="核对无误")
    assert approved.status == 200, approved.body
    sent = await operator.post(f"{path}/sending", version=approved.body["version"], template="general")
    assert sent.status == 200 and sent.body["csv_sha256"], sent.body
    detail = await operator.get(path)
    assert detail.body["payments"][0]["account"] == "****8888"
    assert "62220200" not in str(detail.body)

    money = await handler.get(f"year-money?programme={PROGRAMME}&year={YEAR}")
    assert money.status == 200, money.body
    assert (money.body["paying_fen"], money.body["paid_fen"]) == (AMOUNT_FEN, 0)
    assert (await town.anybody.get(f"year-money?programme={PROGRAMME}&year={YEAR}")).status == 401

    payment = await Payment.get(settlement_id=settlement.id)
    header, day = "付款编号,金额,结果,交易日期,银行回单号,退汇原因", town.now.date().isoformat()
    wrong = f"{header}\n{payment.number},2999.99,成功,{day},HD00000001,\n".encode()
    right = f"{header}\n{payment.number},3000.00,成功,{day},HD00000001,\n合计,3000.00,,,,\n".encode()
    for raw, ready in ((wrong, False), (right, True)):
        looked = await operator.send(f"{path}/receipts/preview", raw)
        assert (looked.status, looked.body["ready"]) == (200, ready), looked.body
        taken = await operator.send(f"{path}/receipts?fingerprint={looked.body['fingerprint']}", raw)
        assert taken.status == (201 if ready else 422), taken.body
    mine = await handler.get("payments")
    (paid,) = mine.body["payments"]
    assert (paid["status"], paid["kept_fen"], paid["transfer_fen"]) == ("paid", 0, AMOUNT_FEN)
    assert (await handler.get("payments?source=escrow")).body["payments"] == []
    escrow = {"programme": PROGRAMME, "year": YEAR, "source": "escrow"}
    nothing = await operator.post("payment-batches", **escrow, reason="划付保证金")
    assert (nothing.status, nothing.code) == (409, "nothing_payable")
    for source, number in (("budget", 1), ("escrow", 0)):
        assert len((await operator.get(f"payment-batches?source={source}")).body["batches"]) == number
    year = {"programme": PROGRAMME, "year": YEAR}
    early = await operator.post("year-lapses", **year, sha256="0" * 64, reason="年度已结束")
    assert (early.status, early.code) == (409, "year_not_over")
    lapses = await operator.get(f"year-lapses?programme={PROGRAMME}&year={YEAR}")
    assert (lapses.status, lapses.body["lapses"], lapses.body["status"]) == (200, [], None)
    money = await handler.get(f"year-money?programme={PROGRAMME}&year={YEAR}")
    assert money.body["paid_fen"] == AMOUNT_FEN
    assert await ledger.verify() == []
