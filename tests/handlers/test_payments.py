"""Paying through WeChat, over HTTP: the phone asks, WeChat tells, and nobody else is believed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from server.gateways.wechat_pay import WechatPay
from server.keys import ORDER_ENDS, OWN_PAYMENTS, SEALER
from server.models.journal import JournalEntry
from server.models.orders import Order, OrderAct
from server.models.organisations import Membership, Organisation
from server.models.outbox import OutboxMessage
from server.models.payments import OwnPayment
from server.models.people import Person
from server.programme.steps import StepKind
from server.rules.money import Account
from server.rules.order_walk import sides
from server.rules.own_payments import PaymentStatus
from server.services.access import Actor
from server.services.budgets import ledger
from server.services.payments.paying_steps import waives_papers
from standin.wechat_pay import Keys, WechatPayStandIn
from tests.gateways.test_wechat_pay import merchant
from tests.paying import OPERATOR_NAME, Cashier
from tests.rules.cast import GUANGXI, LISHUI, NINGXIA
from tests.town import Answered, Caller, Town

rules = pytest.mark.rules
CALLBACK = "/api/v1/payments/wechat/callback"
OPENID = "oCanaryCanaryCanaryCanary000"
KEYS = Keys.make()


@dataclass
class Till:
    """A town with a merchant's account, an enterprise that has to pay escrow, and the phone it pays with."""

    town: Town
    standin: WechatPayStandIn
    cashier: Cashier
    order: Order
    payer: Caller
    provider: Caller

    @property
    def payments(self) -> str:
        return f"orders/{self.order.id}/payments"

    async def ask(self, caller: Caller | None = None, purpose: str = "escrow") -> Answered:
        return await (caller or self.payer).post(self.payments, purpose=purpose)

    async def prepared(self) -> str:
        asked = await self.ask()
        assert asked.status == 201, asked.body
        return str(asked.body["package"]).removeprefix("prepay_id=")

    async def tell(self, headers: dict[str, str], body: bytes) -> tuple[int, str]:
        async with self.town.client.post(CALLBACK, data=body, headers=headers) as answer:
            return answer.status, await answer.text()

    async def later(self, minutes: int) -> None:
        """Minutes pass, and the payer signs in again."""
        self.town.clock.advance(timedelta(minutes=minutes))
        self.payer = await self.town.signed_in(await Person.get(id=self.payer.id))

    async def payment(self) -> OwnPayment:
        return await OwnPayment.get(order_id=self.order.id)

    async def held_fen(self) -> int:
        return (await ledger.balances(order_id=self.order.id)).get(Account.ESCROW, 0)


async def acting_for(town: Town, caller: Caller, *, wechat: bool = True) -> Organisation:
    """The caller's organisation; they signed in with WeChat."""
    if wechat:
        await Person.filter(id=caller.id).update(openid_sealed=town.app[SEALER].seal(OPENID))
    place = await Membership.get(person_id=caller.id, active=True).select_related("organisation")
    found: Organisation = place.organisation
    return found


async def an_order(town: Town, slug: str, step: StepKind, payer: Caller, provider: Caller) -> Order:
    cashier = Cashier(slug)
    cashier.clock.at = town.clock.at
    return await cashier.order(
        10_000,
        3_000,
        step,
        enterprise=await acting_for(town, payer),
        provider=await acting_for(town, provider),
    )


@pytest.fixture
async def till(town: Town) -> AsyncIterator[Till]:
    standin = WechatPayStandIn(KEYS, town.clock)
    async with ClientSession() as http, TestServer(standin.app) as server:
        known = merchant(KEYS, notify_url=str(town.client.make_url(CALLBACK)))
        town.app[OWN_PAYMENTS].gateway = WechatPay(http, known, base_url=str(server.make_url("")))
        payer, provider = await town.handler(), await town.handler(name="同行咨询有限公司")
        cashier = Cashier(NINGXIA)
        cashier.clock.at = town.clock.at
        await cashier.operator()
        order = await an_order(town, NINGXIA, StepKind.ESCROW, payer, provider)
        yield Till(town, standin, cashier, order, payer, provider)
        town.app[OWN_PAYMENTS].gateway = None


# -- as it should be ---------------------------------------------------------------------------------


@rules("NX-20", "NX-34")
async def test_what_is_due_is_shown_asked_for_paid_and_held(till: Till) -> None:
    book = (await till.payer.get(till.payments)).body
    assert book["due"]["amount_fen"] == 700_000
    assert book["due"]["payee"] == OPERATOR_NAME
    assert book["due"]["online"] is True
    assert book["due"]["arithmetic"] == "10,000.00 = 服务券 3,000.00、保证金 7,000.00、余款 0.00"

    number = till.standin.pay(await till.prepared())
    assert (await till.payment()).status is PaymentStatus.PENDING
    assert await till.standin.send_notice(number) == 204

    book = (await till.provider.get(till.payments)).body
    assert book["due"] is None
    assert book["escrow_fen"] == 700_000
    assert [(one["status"], one["method"]) for one in book["payments"]] == [("paid", "online")]
    assert await till.held_fen() == 700_000
    programme = till.cashier.programme
    assert await waives_papers(till.order, programme, till.cashier.step_of(till.order))
    told = await OutboxMessage.filter(topic="payment.paid").values_list("recipient", flat=True)
    sides = (till.order.enterprise_id, till.order.provider_id)
    assert sorted(told) == sorted(f"organisation:{one}" for one in sides)


@rules("NX-20", "GX-74")
async def test_a_step_that_the_gateway_vouches_for_asks_for_no_receipt(till: Till) -> None:
    programme = till.cashier.programme
    for step in programme.order_steps:
        if step.kind is StepKind.ESCROW:
            break
        for party in sides(step) or (None,):
            await OrderAct.create(
                order_id=till.order.id,
                step=step.kind,
                party=party,
                actor="clock",
                at=till.town.now,
                values={},
            )
    path = f"orders/{till.order.id}"
    ask = (await till.payer.get(path)).body["ask"]
    assert [one["code"] for one in ask["documents"]] == ["escrow_receipt"]
    (terms,) = ask["terms"]
    assert (terms["code"], terms["amount_fen"], terms["payee"]) == ("escrow_receipt", 700_000, OPERATOR_NAME)
    version = (await till.payer.get(path)).body["version"]
    unpaid = await till.payer.post(f"{path}/steps/escrow", version=version, values={}, papers=[])
    assert (unpaid.status, unpaid.code) == (422, "step_unmet")

    number = till.standin.pay(await till.prepared())
    await till.standin.send_notice(number)
    seen = (await till.payer.get(path)).body
    assert (seen["ask"]["documents"], seen["ask"]["terms"], seen["ask"]["fields"]) == ([], [], [])
    done = await till.payer.post(f"{path}/steps/escrow", version=seen["version"], values={}, papers=[])
    assert done.status == 200, done.body
    assert await till.held_fen() == 700_000

    await till.town.app[ORDER_ENDS].terminate(
        till.order.id, reason="双方协商一致", actor=Actor("staff", 1, "", None, frozenset({"operator"}))
    )
    assert await till.held_fen() == 0
    assert (await till.payment()).status is PaymentStatus.REFUND_DUE


@rules("GX-53", "GX-54")
async def test_a_deposit_is_paid_on_the_platform_too(till: Till) -> None:
    till.order = await an_order(till.town, GUANGXI, StepKind.DEPOSIT, till.payer, till.provider)
    asked = await till.ask(purpose="deposit")
    assert (asked.status, asked.body["amount_fen"]) == (201, 200_000)
    number = till.standin.pay(asked.body["package"].removeprefix("prepay_id="))
    assert await till.standin.send_notice(number) == 204
    assert (await till.payment()).status is PaymentStatus.PAID
    assert await till.held_fen() == 0


async def test_asking_again_on_another_phone_is_asking_for_the_same_payment(till: Till) -> None:
    first, second = await till.ask(), await till.ask()
    assert first.body["payment_id"] == second.body["payment_id"]
    assert await OwnPayment.all().count() == 1


# -- the phone is not believed, and need not live ----------------------------------------------------


async def test_a_payment_nobody_tells_of_is_asked_about(till: Till) -> None:
    till.standin.pay(await till.prepared())
    await till.town.run_jobs()
    assert (await till.payment()).status is PaymentStatus.PENDING
    await till.town.run_jobs()
    assert (await till.payment()).status is PaymentStatus.PAID
    assert await till.held_fen() == 700_000


async def test_a_payment_nobody_makes_is_closed_and_another_may_be_asked_for(till: Till) -> None:
    await till.prepared()
    await till.later(minutes=30)
    await till.town.run_jobs()
    assert (await till.payment()).status is PaymentStatus.CLOSED
    assert (await till.ask()).status == 201
    assert await OwnPayment.all().count() == 2


async def test_asking_when_the_first_is_over_finds_out_what_became_of_it_first(till: Till) -> None:
    prepared = await till.prepared()
    till.standin.pay(prepared)
    await till.later(minutes=31)
    asked = await till.ask()
    assert (asked.status, asked.code) == (409, "nothing_to_pay_now")
    assert (await till.payment()).status is PaymentStatus.PAID


async def test_a_wechat_that_is_away_holds_nothing_up_and_loses_nothing(till: Till) -> None:
    till.standin.pay(await till.prepared())
    fault = {"path": "/v3/pay/transactions/out-trade-no", "status": 500, "code": "SYSTEM_ERROR", "times": 1}
    gateway = till.town.app[OWN_PAYMENTS].gateway
    async with ClientSession() as http:
        await (await http.post(f"{gateway._base_url}/standin/faults", json=fault)).read()
    for _ in range(2):
        await till.town.run_jobs()
        assert (await till.payment()).status is PaymentStatus.PENDING
    for _ in range(2):
        await till.town.run_jobs()
    assert (await till.payment()).status is PaymentStatus.PAID


# -- notices: twice, late, out of order, wrong -------------------------------------------------------


@rules("NX-20")
async def test_a_notice_told_many_times_at_once_pays_once(till: Till) -> None:
    number = till.standin.pay(await till.prepared())
    notices = [till.standin.notice(number) for _ in range(5)]
    answers = await asyncio.gather(*(till.tell(*notice) for notice in [*notices, notices[0]]))
    assert {status for status, _ in answers} == {204}
    assert await till.held_fen() == 700_000
    assert await JournalEntry.filter(action="payment.paid").count() == 1
    assert await OutboxMessage.filter(topic="payment.paid").count() == 2


async def test_a_notice_told_again_after_its_time_is_refused_and_changes_nothing(till: Till) -> None:
    number = till.standin.pay(await till.prepared())
    notice = till.standin.notice(number)
    assert (await till.tell(*notice))[0] == 204
    till.town.clock.advance(timedelta(minutes=6))
    assert (await till.tell(*notice))[0] == 403
    assert (await till.payment()).status is PaymentStatus.PAID


async def test_another_amount_than_was_asked_for_pays_nothing_and_the_operator_hears(
    till: Till,
) -> None:
    number = till.standin.pay(await till.prepared(), amount=1)
    assert await till.standin.send_notice(number) == 204
    assert await till.standin.send_notice(number) == 204
    assert (await till.payment()).status is PaymentStatus.DISPUTED
    assert await till.held_fen() == 0
    (told,) = await OutboxMessage.filter(topic="payment.disputed")
    assert (told.recipient, told.data["paid"]) == (f"role:operator:{NINGXIA}", "0.01")


@rules("NX-20")
async def test_what_is_paid_for_an_order_that_has_ended_is_given_back(till: Till) -> None:
    number = till.standin.pay(await till.prepared())
    await till.cashier.cancel(till.order)
    assert await till.standin.send_notice(number) == 204
    assert (await till.payment()).status is PaymentStatus.REFUND_DUE
    assert await till.held_fen() == 0
    for _ in range(4):
        await till.town.run_jobs()
    assert (await till.payment()).status is PaymentStatus.REFUNDED
    # What was told before is told again, later: nothing more happens.
    assert await till.standin.send_notice(number) == 204
    assert (await till.payment()).status is PaymentStatus.REFUNDED


@rules("NX-20")
async def test_escrow_paid_here_is_given_back_here_when_the_order_is_cancelled(till: Till) -> None:
    number = till.standin.pay(await till.prepared())
    await till.standin.send_notice(number)
    assert await till.cashier.cancel(till.order) == 700_000
    for _ in range(4):
        await till.town.run_jobs()
    assert (await till.payment()).status is PaymentStatus.REFUNDED
    assert await till.held_fen() == 0
    assert await OutboxMessage.filter(topic="payment.refunded").count() == 1


# -- forged ------------------------------------------------------------------------------------------


FORGERIES = ("another key", "no signature", "another body", "another nonce", "another serial")


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forged_notice_pays_nothing_and_learns_nothing(till: Till, forgery: str) -> None:
    number = till.standin.pay(await till.prepared())
    headers, body = till.standin.notice(number)
    match forgery:
        case "another key":
            headers = WechatPayStandIn(Keys.make(), till.town.clock).signature(body)
        case "no signature":
            headers = {"Content-Type": "application/json"}
        case "another body":
            body = body.replace(b"TRANSACTION", b"TRANSACTI0N")
        case "another nonce":
            headers["Wechatpay-Nonce"] = "0" * 32
        case "another serial":
            headers["Wechatpay-Serial"] = "PUB_KEY_ID_0"
    status, said = await till.tell(headers, body)
    problem = json.loads(said)
    assert (status, problem["code"]) == (403, "payment_notice_refused")
    assert problem.keys() <= {"type", "title", "status", "detail", "code", "instance", "request_id"} or not (
        {"unmet", "arithmetic"} & {key for key, value in problem.items() if value}
    )
    assert (await till.payment()).status is PaymentStatus.PENDING


@pytest.mark.parametrize("body", [b"", b"{}", b"\x00" * 100, b"[" * 50_000, b"x" * 70_000])
async def test_what_is_no_notice_at_all_is_refused(till: Till, body: bytes) -> None:
    status, _ = await till.tell({"Content-Type": "application/json"}, body)
    assert status == (413 if len(body) > 65_536 else 403)


async def test_a_signed_notice_of_a_trade_that_is_not_ours_is_refused(till: Till) -> None:
    number = till.standin.pay(await till.prepared())
    await OwnPayment.filter(trade_number=number).update(trade_number="f" * 32)
    assert await till.standin.send_notice(number) == 403


async def test_without_a_merchants_account_nothing_is_asked_for_and_no_notice_is_read(till: Till) -> None:
    number = till.standin.pay(await till.prepared())
    till.town.app[OWN_PAYMENTS].gateway = None
    assert (await till.payer.get(till.payments)).body["due"]["online"] is False
    assert (await till.ask()).code == "online_payment_off"
    assert (await till.tell(*till.standin.notice(number)))[0] == 403


# -- who may -----------------------------------------------------------------------------------------


async def test_only_the_enterprise_pays_and_only_the_two_sides_look(till: Till) -> None:
    stranger = await till.town.handler()
    for caller in (till.provider, stranger):
        assert (await till.ask(caller)).status == 404
    assert (await till.provider.get(till.payments)).status == 200
    assert (await stranger.get(till.payments)).status == 404
    assert (await (await till.town.operator()).get(till.payments)).status == 200
    elsewhere = await till.town.staff("operator", programmes=(LISHUI,))
    assert (await elsewhere.get(till.payments)).status == 404
    assert not await OwnPayment.exists()


async def test_what_is_not_due_cannot_be_paid(till: Till) -> None:
    for purpose in ("deposit", "balance", "own_share", "repayment"):
        assert (await till.ask(purpose=purpose)).code == "nothing_to_pay_now"
    assert (await till.ask(purpose="everything")).status == 422
    await Order.filter(id=till.order.id).update(step=StepKind.DELIVER)
    assert (await till.ask()).code == "nothing_to_pay_now"
    assert not await OwnPayment.exists()


async def test_where_the_text_pays_the_provider_by_the_bank_nothing_is_paid_here(till: Till) -> None:
    till.order = await an_order(till.town, LISHUI, StepKind.TRANSFER_RECEIPT, till.payer, till.provider)
    assert (await till.ask(purpose="own_share")).code == "online_payment_off"


async def test_who_signed_in_without_wechat_cannot_pay_by_it(till: Till) -> None:
    await Person.filter(id=till.payer.id).update(openid_sealed="")
    assert (await till.ask()).code == "no_wechat_account"


async def test_a_wechat_that_is_away_is_told_and_the_same_payment_is_asked_for_again(till: Till) -> None:
    fault: dict[str, Any] = {"path": "/v3/pay/transactions/jsapi", "status": 500, "code": "X", "times": 1}
    gateway = till.town.app[OWN_PAYMENTS].gateway
    async with ClientSession() as http:
        await (await http.post(f"{gateway._base_url}/standin/faults", json=fault)).read()
    away = await till.ask()
    assert (away.status, away.code) == (503, "payments_unavailable")
    assert (await till.ask()).status == 201
    assert await OwnPayment.all().count() == 1
