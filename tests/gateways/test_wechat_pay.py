"""WeChat Pay against our stand-in: what we sign and read, and what we refuse to believe."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from structlog.testing import capture_logs

from server.clock import FixedClock
from server.gateways.payments import (
    Charge,
    PaymentNoticeRefused,
    PaymentsUnavailable,
    RefundState,
    Trade,
    TradeRefund,
    TradeState,
)
from server.gateways.wechat_pay import LONGEST_ANSWER, Merchant, WechatPay
from standin.wechat_pay import (
    DEMO_APPID,
    DEMO_MCHID,
    DEMO_PLATFORM_KEY_ID,
    DEMO_SECRET,
    DEMO_SERIAL,
    Keys,
    Refused,
    WechatPayStandIn,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OPENID = "oCanaryCanaryCanaryCanary000"
NUMBER = "0123456789abcdef0123456789abcdef"
JSAPI = "/v3/pay/transactions/jsapi"

KEYS = Keys.make()
OTHER_KEYS = Keys.make()


def merchant(keys: Keys = KEYS, **changes: str) -> Merchant:
    known = Merchant(
        appid=DEMO_APPID,
        mchid=DEMO_MCHID,
        serial=DEMO_SERIAL,
        private_key=keys.merchant_pem,
        platform_key_id=DEMO_PLATFORM_KEY_ID,
        platform_key=keys.platform_pem,
        secret=DEMO_SECRET,
        notify_url="http://127.0.0.1:9/nobody",
    )
    return replace(known, **changes)


@dataclass
class Till:
    """WeChat Pay, the clock it lives by, and our door to it."""

    clock: FixedClock
    standin: WechatPayStandIn
    http: ClientSession
    base_url: str

    def door(self, known: Merchant | None = None) -> WechatPay:
        return WechatPay(self.http, known or merchant(), base_url=self.base_url)

    async def charge(self, number: str = NUMBER, amount_fen: int = 600_000) -> str:
        """Open a trade; what the phone would hand on."""
        charge = Charge(number, amount_fen, "定金", OPENID, self.clock.at + timedelta(minutes=30))
        return (await self.door().charge(charge, now=self.clock.at)).package.removeprefix("prepay_id=")

    def read(self, headers: dict[str, str], body: bytes) -> Trade | TradeRefund:
        return self.door().read_notice(headers, body, now=self.clock.at)

    async def fail(self, path: str, status: int, code: str) -> None:
        body = {"path": path, "status": status, "code": code, "times": 1}
        async with self.http.post(f"{self.base_url}/standin/faults", json=body) as answer:
            assert answer.status == 200


@pytest.fixture
async def till() -> AsyncIterator[Till]:
    clock = FixedClock(NOW)
    standin = WechatPayStandIn(KEYS, clock)
    async with ClientSession() as http, TestServer(standin.app) as server:
        yield Till(clock, standin, http, str(server.make_url("")).rstrip("/"))


async def unavailable(asking: Awaitable[object]) -> None:
    with pytest.raises(PaymentsUnavailable):
        await asking


# -- asking ------------------------------------------------------------------------------------------


async def test_a_phone_is_given_what_it_signs_for_and_wechat_would_accept(till: Till) -> None:
    charge = Charge(NUMBER, 600_000, "定金", OPENID, NOW + timedelta(minutes=30))
    phone = await till.door().charge(charge, now=NOW)
    lines = f"{DEMO_APPID}\n{phone.time_stamp}\n{phone.nonce}\n{phone.package}\n".encode()
    public = KEYS.merchant.public_key()
    public.verify(base64.b64decode(phone.signature), lines, padding.PKCS1v15(), hashes.SHA256())
    assert phone.time_stamp == str(int(NOW.timestamp()))
    assert phone.sign_type == "RSA"


async def test_a_trade_is_unpaid_then_paid_with_amount_and_transaction(till: Till) -> None:
    prepared = await till.charge()
    assert (await till.door().find(NUMBER, now=NOW)).state is TradeState.UNPAID
    till.standin.pay(prepared)
    paid = await till.door().find(NUMBER, now=NOW)
    assert (paid.state, paid.amount_fen, paid.paid_at) == (TradeState.PAID, 600_000, NOW)
    assert paid.transaction_id


async def test_a_trade_nobody_opened_is_closed(till: Till) -> None:
    assert await till.door().find(NUMBER, now=NOW) == Trade(NUMBER, TradeState.CLOSED)


async def test_a_closed_trade_cannot_be_paid_and_closing_again_is_closing_once(till: Till) -> None:
    prepared = await till.charge()
    await till.door().close(NUMBER, now=NOW)
    await till.door().close(NUMBER, now=NOW)
    with pytest.raises(Refused):
        till.standin.pay(prepared)
    assert (await till.door().find(NUMBER, now=NOW)).state is TradeState.CLOSED


async def test_closing_what_was_paid_leaves_it_paid(till: Till) -> None:
    till.standin.pay(await till.charge())
    await till.door().close(NUMBER, now=NOW)
    assert (await till.door().find(NUMBER, now=NOW)).state is TradeState.PAID


async def test_a_refund_is_under_way_then_done_and_made_once(till: Till) -> None:
    till.standin.pay(await till.charge())
    first = await till.door().refund(NUMBER, 600_000, "订单取消", now=NOW)
    again = await till.door().refund(NUMBER, 600_000, "订单取消", now=NOW)
    assert first == TradeRefund(NUMBER, RefundState.UNDER_WAY, 600_000)
    assert again == TradeRefund(NUMBER, RefundState.DONE, 600_000)
    assert (await till.door().find(NUMBER, now=NOW)).state is TradeState.REFUNDED


# -- answers that cannot be relied on ----------------------------------------------------------------


async def test_a_merchant_whose_key_wechat_does_not_know_gets_no_answer(till: Till) -> None:
    door = till.door(merchant(private_key=OTHER_KEYS.merchant_pem))
    await unavailable(door.find(NUMBER, now=NOW))


async def test_an_answer_signed_by_another_key_is_not_believed(till: Till) -> None:
    till.standin.pay(await till.charge())
    await unavailable(till.door(merchant(platform_key=OTHER_KEYS.platform_pem)).find(NUMBER, now=NOW))
    assert (await till.door().find(NUMBER, now=NOW)).state is TradeState.PAID


async def test_an_answer_signed_long_ago_is_not_believed(till: Till) -> None:
    await till.charge()
    asked_at = till.clock.at
    till.clock.advance(timedelta(minutes=5, seconds=1))
    await unavailable(till.door().find(NUMBER, now=asked_at))


@pytest.mark.parametrize(("status", "code"), [(500, "SYSTEM_ERROR"), (429, "FREQUENCY_LIMITED"), (401, "X")])
async def test_a_wechat_in_trouble_is_unavailable(till: Till, status: int, code: str) -> None:
    await till.fail(JSAPI, status, code)
    await unavailable(till.charge())
    await till.charge()


BODIES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"<xml/>",
    "a list": b"[]",
    "a text": b'"ok"',
    "another trade": json.dumps({"out_trade_no": "x" * 32, "trade_state": "SUCCESS"}).encode(),
    "too long": b'{"a":"' + b"x" * (LONGEST_ANSWER + 1) + b'"}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_signed_answer_that_says_nothing_usable_is_unavailable(till: Till, body: bytes) -> None:
    async def odd(request: web.Request) -> web.Response:
        return web.Response(body=body, headers=till.standin.signature(body), content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", odd)
    async with TestServer(app) as server:
        door = WechatPay(till.http, merchant(), base_url=str(server.make_url("")))
        await unavailable(door.find(NUMBER, now=NOW))
        await unavailable(door.refund(NUMBER, 600_000, "订单取消", now=NOW))
        charge = Charge(NUMBER, 600_000, "定金", OPENID, NOW + timedelta(minutes=30))
        await unavailable(door.charge(charge, now=NOW))


async def test_a_wechat_that_is_not_there_is_unavailable(till: Till) -> None:
    await unavailable(WechatPay(till.http, merchant(), base_url="http://127.0.0.1:9").find(NUMBER, now=NOW))


# -- notices -----------------------------------------------------------------------------------------


async def test_a_notice_says_what_was_paid(till: Till) -> None:
    till.standin.pay(await till.charge())
    told = till.read(*till.standin.notice(NUMBER))
    assert told == await till.door().find(NUMBER, now=NOW)


async def test_a_notice_says_what_was_given_back(till: Till) -> None:
    till.standin.pay(await till.charge())
    await till.door().refund(NUMBER, 600_000, "订单取消", now=NOW)
    await till.door().refund(NUMBER, 600_000, "订单取消", now=NOW)
    assert till.read(*till.standin.notice(NUMBER)) == TradeRefund(NUMBER, RefundState.DONE, 600_000)


async def paid_notice(till: Till) -> tuple[dict[str, str], bytes]:
    till.standin.pay(await till.charge())
    return till.standin.notice(NUMBER)


def refused(till: Till, headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(PaymentNoticeRefused) as told:
        till.read(headers, body)
    assert not told.value.values


@pytest.mark.parametrize(
    "header",
    ["Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Serial", "Wechatpay-Signature"],
)
@pytest.mark.parametrize("value", [None, "", "0", "WECHATPAY/SIGNTEST/abc", "码", "x" * 5_000, "=", "1e9"])
async def test_a_notice_with_a_header_that_is_not_its_own_is_refused(
    till: Till, header: str, value: str | None
) -> None:
    headers, body = await paid_notice(till)
    assert till.read(headers, body)
    changed = {name: text for name, text in headers.items() if name != header}
    refused(till, changed if value is None else {**changed, header: value}, body)


async def test_a_notice_changed_by_one_letter_is_refused(till: Till) -> None:
    headers, body = await paid_notice(till)
    refused(till, headers, body.replace("支付成功".encode(), "支付成攻".encode()))
    refused(till, headers, body + b" ")
    refused(till, headers, b"\xff" + body)


async def test_a_notice_is_good_for_five_minutes(till: Till) -> None:
    headers, body = await paid_notice(till)
    till.clock.advance(timedelta(minutes=5))
    assert till.read(headers, body)
    till.clock.advance(timedelta(seconds=1))
    refused(till, headers, body)
    till.clock.at = NOW - timedelta(minutes=5, seconds=1)
    refused(till, headers, body)


async def test_a_notice_signed_by_anybody_else_is_refused(till: Till) -> None:
    _, body = await paid_notice(till)
    forger = WechatPayStandIn(OTHER_KEYS, till.clock)
    refused(till, forger.signature(body), body)


RESOURCES: dict[str, tuple[str, Any]] = {
    "another merchant": ("TRANSACTION.SUCCESS", {"mchid": "1900000002"}),
    "another app": ("TRANSACTION.SUCCESS", {"mchid": DEMO_MCHID, "appid": "wx-other"}),
    "no amount": ("TRANSACTION.SUCCESS", {"amount": None}),
    "an amount in a text": ("TRANSACTION.SUCCESS", {"amount": {"total": "600000"}}),
    "an amount of nothing": ("TRANSACTION.SUCCESS", {"amount": {"total": 0}}),
    "a true amount": ("TRANSACTION.SUCCESS", {"amount": {"total": True}}),
    "dollars": ("TRANSACTION.SUCCESS", {"amount": {"total": 600_000, "currency": "USD"}}),
    "no transaction": ("TRANSACTION.SUCCESS", {"transaction_id": None}),
    "no instant": ("TRANSACTION.SUCCESS", {"success_time": "yesterday"}),
    "an instant without a zone": ("TRANSACTION.SUCCESS", {"success_time": "2026-03-02T09:00:00"}),
    "an unknown state": ("TRANSACTION.SUCCESS", {"trade_state": "HAPPY"}),
    "an unknown kind": ("PAYSCORE.USER_PAID", {}),
    "another refund": ("REFUND.SUCCESS", {"out_refund_no": "R", "refund_status": "SUCCESS"}),
}


@pytest.mark.parametrize(("event", "changes"), RESOURCES.values(), ids=RESOURCES)
async def test_a_signed_notice_about_anything_else_is_refused(
    till: Till, event: str, changes: dict[str, Any]
) -> None:
    told = {
        "appid": DEMO_APPID,
        "mchid": DEMO_MCHID,
        "out_trade_no": NUMBER,
        "trade_state": "SUCCESS",
        "transaction_id": "4200000000",
        "success_time": "2026-03-02T17:00:00+08:00",
        "amount": {"total": 600_000, "currency": "CNY"},
    }
    assert till.read(*till.standin.sealed("TRANSACTION.SUCCESS", "transaction", told))
    refused(till, *till.standin.sealed(event, "transaction", {**told, **changes}))


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{}", b'{"resource":[]}', b'{"resource":{"algorithm":"AEAD_AES_256_GCM"}}'],
)
async def test_a_signed_notice_of_nothing_is_refused(till: Till, body: bytes) -> None:
    refused(till, till.standin.signature(body), body)


async def test_a_notice_sealed_with_another_secret_is_refused(till: Till) -> None:
    other = WechatPayStandIn(KEYS, till.clock, secret="another-apiv3-secret-32-letters!")
    refused(till, *other.sealed("TRANSACTION.SUCCESS", "transaction", {"mchid": DEMO_MCHID}))


@pytest.mark.parametrize("change", [{"nonce": "x"}, {"nonce": 1}, {"ciphertext": "码"}, {"ciphertext": "A"}])
async def test_a_signed_notice_that_cannot_be_opened_is_refused(till: Till, change: dict[str, Any]) -> None:
    _, body = await paid_notice(till)
    notice = json.loads(body)
    notice["resource"] |= change
    changed = json.dumps(notice).encode()
    refused(till, till.standin.signature(changed), changed)


# -- what nobody may read ----------------------------------------------------------------------------


async def test_no_key_signature_or_openid_is_logged_or_shown(till: Till) -> None:
    known = merchant()
    with capture_logs() as logged:
        await till.fail(JSAPI, 500, "SYSTEM_ERROR")
        await unavailable(till.charge())
        await unavailable(till.door(merchant(secret=DEMO_SECRET)).refund(NUMBER, 1, "x", now=NOW))
        headers, body = await paid_notice(till)
        refused(till, {**headers, "Wechatpay-Nonce": "other"}, body)
    shown = json.dumps(logged, default=str) + repr(known) + repr(KEYS)
    for secret in (DEMO_SECRET, OPENID, "PRIVATE KEY", headers["Wechatpay-Signature"]):
        assert secret not in shown
    assert logged
