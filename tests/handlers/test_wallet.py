"""The wallet over HTTP: vouchers, balances from the ledger, history in plain words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tortoise.expressions import F

from server.models.rounds import Round
from server.models.vouchers import Voucher
from server.rules.money import Movement
from server.services.budgets import ledger
from server.services.budgets.ledger import Where
from server.units import yuan_to_fen
from tests.town import Caller, Town


async def granted(town: Town, operator: Caller) -> tuple[Caller, Voucher]:
    """A handler whose enterprise has just been granted a voucher of 10,000 yuan."""
    handler = await town.qualified(operator)
    enterprise = (await handler.get("organisations/mine")).body["id"]
    round_id = await town.open_round(operator)
    decided = await town.grant(round_id, handler, enterprise)
    return handler, await Voucher.get(id=decided.voucher_id)


async def post(town: Town, voucher: Voucher, movement: Movement, yuan: int) -> None:
    row = await Voucher.get(id=voucher.id).select_related("round", "budget", "enterprise")
    where = Where(row.budget.id, row.round.id, row.enterprise.id, row.id, order_id=1)
    await ledger.post(movement, yuan_to_fen(yuan), where, at=town.now)


async def test_a_granted_voucher_is_in_the_wallet_with_its_story(town: Town) -> None:
    handler, voucher = await granted(town, await town.operator())
    shown = (await handler.get(f"vouchers/{voucher.id}")).body
    history = shown.pop("history")
    wallet = (await handler.get("vouchers")).body
    assert wallet == {"vouchers": [shown], "next_before": None}
    assert (shown["number"], shown["status"]) == (voucher.number, "active")
    assert shown["face_value_fen"] == shown["balances"]["available_fen"] == yuan_to_fen(10_000)
    assert (shown["round_title"], shown["programme_version"]) == ("第一批", "2024")
    assert [(one["says"], one["amount_fen"]) for one in history] == [
        ("发放服务券，来自“第一批”，面值 10,000.00 元", yuan_to_fen(10_000)),
        (f"本企业人员领取，券号 {voucher.number}", 0),
    ]


async def test_balances_are_sums_over_the_ledger_and_every_movement_is_told(town: Town) -> None:
    handler, voucher = await granted(town, await town.operator())
    steps = [
        (Movement.HOLD, 5_600, "下单冻结 5,600.00 元"),
        (Movement.RELEASE, 600, "订单取消或结清，解冻 600.00 元"),
        (Movement.REDEEM, 5_000, "验收核销 5,000.00 元"),
        (Movement.DISBURSE, 4_000, "核销的 4,000.00 元已拨付给服务机构"),
        (Movement.RETURN_DISBURSEMENT, 4_000, "银行退汇，4,000.00 元待重新拨付"),
        (Movement.HAND_BACK, 1_000, "企业退回 1,000.00 元"),
        (Movement.RECLAIM, 1_000, "逾期未办理，或所属订单已结束，收回 1,000.00 元"),
        (Movement.EXPIRE, 1_000, "到期未用，1,000.00 元失效"),
        (Movement.VOID, 500, "因违规作废 500.00 元"),
    ]
    for movement, yuan, _ in steps:
        town.clock.advance(timedelta(seconds=1))
        await post(town, voucher, movement, yuan)
    shown = (await handler.get(f"vouchers/{voucher.id}")).body
    expected = {
        "available_fen": 1_500,
        "held_fen": 0,
        "redeemed_fen": 5_000,
        "disbursed_fen": 0,
        "handed_back_fen": 1_000,
        "reclaimed_fen": 1_000,
        "expired_fen": 1_000,
        "voided_fen": 500,
    }
    assert shown["balances"] == {name: yuan_to_fen(yuan) for name, yuan in expected.items()}
    assert sum(shown["balances"].values()) == shown["face_value_fen"]
    assert [one["says"] for one in shown["history"][2:]] == [says for _, _, says in steps]
    assert (await handler.get("vouchers")).body["vouchers"][0]["balances"] == shown["balances"]
    assert await ledger.verify() == []


async def test_another_enterprises_voucher_does_not_exist_for_us(town: Town) -> None:
    operator = await town.operator()
    theirs, voucher = await granted(town, operator)
    ours = await town.handler()
    foreign = await ours.get(f"vouchers/{voucher.id}")
    missing = await ours.get("vouchers/999999")
    assert (foreign.status, foreign.code) == (missing.status, missing.code) == (404, "not_found")
    assert (await ours.get("vouchers")).body["vouchers"] == []
    assert (await theirs.get(f"vouchers/{voucher.id}")).status == 200
    assert (await operator.get(f"vouchers/{voucher.id}")).status == 403
    assert (await (await town.person()).get("vouchers")).code == "no_organisation"


async def test_a_colleague_sees_the_same_wallet_and_who_left_sees_none(town: Town) -> None:
    handler, voucher = await granted(town, await town.operator())
    colleague = await town.joined(handler, "staff")
    path = f"vouchers/{voucher.id}"
    assert (await colleague.get(path)).body == (await handler.get(path)).body
    me = (await colleague.get("memberships")).body["members"][1]
    await colleague.delete(f"memberships/{me['id']}")
    assert (await colleague.get(path)).code == "no_organisation"


async def test_the_pages_of_a_wallet_go_from_new_to_old(town: Town, monkeypatch: Any) -> None:
    monkeypatch.setattr("server.handlers.wallet.PAGE", 2)
    handler, first = await granted(town, await town.operator())
    again = {
        name: getattr(first, name)
        for name in first._meta.db_fields
        if name not in {"id", "number", "serial", "face_value_fen"}
    }
    for serial in (2, 3):
        more = await Voucher.create(**again, number=f"V{serial}", serial=serial, face_value_fen=serial)
        where = Where(more.budget_id, more.round_id, more.enterprise_id, more.id)
        await ledger.post(Movement.ISSUE, serial, where, at=town.now)
        await Round.filter(id=more.round_id).update(issued_fen=F("issued_fen") + serial)
    newest = (await handler.get("vouchers")).body
    oldest = (await handler.get(f"vouchers?before={newest['next_before']}")).body
    assert [one["face_value_fen"] for one in newest["vouchers"]] == [3, 2]
    assert [one["id"] for one in oldest["vouchers"]] == [first.id]
    assert oldest["next_before"] is None
