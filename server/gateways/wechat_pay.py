"""WeChat Pay v3: one merchant's JSAPI payments, in the words of ``gateways/payments.py``.

``wechatpayv3`` signs, verifies and decrypts; the carrying is ours (docs/decisions/0019): one address,
bounded answers, a time limit, the instant passed in, and every answer verified that money depends on. No
key, signature, openid or body is ever logged.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

import orjson
import structlog
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from wechatpayv3 import utils as wechat_crypto
from yarl import URL

from server.clock import CHINA
from server.gateways.payments import (
    Charge,
    PaymentNoticeRefused,
    PaymentsUnavailable,
    PhonePayment,
    RefundState,
    Trade,
    TradeRefund,
    TradeState,
)
from server.settings import Settings

TIMEOUT_SECONDS = 8.0
LONGEST_ANSWER = 65_536
RETRY_SECONDS = 5
WINDOW = timedelta(minutes=5)
"""How far the instant a message was signed at may lie from ours, either way."""
ALGORITHM: Final = "WECHATPAY2-SHA256-RSA2048"
LONGEST_DESCRIPTION = 40

_STAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_NONCE = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)
_TRANSACTION = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)

_STATES: Mapping[str, TradeState] = {
    "SUCCESS": TradeState.PAID,
    "REFUND": TradeState.REFUNDED,
    "NOTPAY": TradeState.UNPAID,
    "USERPAYING": TradeState.UNPAID,
    "PAYERROR": TradeState.UNPAID,
    "CLOSED": TradeState.CLOSED,
    "REVOKED": TradeState.CLOSED,
}
_REFUNDS: Mapping[str, RefundState] = {
    "SUCCESS": RefundState.DONE,
    "PROCESSING": RefundState.UNDER_WAY,
    "ABNORMAL": RefundState.FAILED,
    "CLOSED": RefundState.FAILED,
}
_NEVER_HEARD_OF = frozenset({"ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS"})
_CLOSED_ALREADY = frozenset({"ORDER_CLOSED", "ORDERCLOSED", *_NEVER_HEARD_OF})
_PAID_ALREADY = frozenset({"ORDERPAID", "ORDER_PAID"})

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Merchant:
    """Who we are to WeChat Pay, and by which keys we know each other. Keys stay out of ``repr``."""

    appid: str
    mchid: str
    serial: str
    """The serial number of the certificate that belongs to our private key."""
    private_key: str = field(repr=False)
    """PEM, PKCS#8."""
    platform_key_id: str
    platform_key: str = field(repr=False)
    """WeChat Pay's public key, PEM."""
    secret: str = field(repr=False)
    """The APIv3 key, 32 bytes, that notices are encrypted with."""
    notify_url: str


class WechatPay:
    """WeChat Pay, or the stand-in when ``base_url`` says so."""

    def __init__(self, http: ClientSession, merchant: Merchant, *, base_url: str) -> None:
        self._http = http
        self._merchant = merchant
        self._base_url = base_url.rstrip("/")
        self._private_key = wechat_crypto.load_private_key(merchant.private_key)
        self._platform_key = wechat_crypto.load_public_key(merchant.platform_key)

    async def charge(self, charge: Charge, *, now: datetime) -> PhonePayment:
        merchant = self._merchant
        status, answer = await self._ask(
            "POST",
            "/v3/pay/transactions/jsapi",
            {
                "appid": merchant.appid,
                "mchid": merchant.mchid,
                "description": charge.description[:LONGEST_DESCRIPTION],
                "out_trade_no": charge.trade_number,
                "time_expire": charge.expires_at.astimezone(CHINA).isoformat(timespec="seconds"),
                "notify_url": merchant.notify_url,
                "amount": {"total": charge.amount_fen, "currency": "CNY"},
                "payer": {"openid": charge.openid},
            },
            now=now,
        )
        prepared = answer.get("prepay_id")
        if status != 200 or not isinstance(prepared, str) or not prepared:
            raise _unusable("charge", status, answer)
        stamp, nonce, package = str(int(now.timestamp())), secrets.token_hex(16), f"prepay_id={prepared}"
        lines = "\n".join((merchant.appid, stamp, nonce, package, ""))
        return PhonePayment(stamp, nonce, package, "RSA", self._sign(lines))

    async def find(self, trade_number: str, *, now: datetime) -> Trade:
        path = f"/v3/pay/transactions/out-trade-no/{quote(trade_number, safe='')}"
        status, answer = await self._ask("GET", f"{path}?mchid={self._merchant.mchid}", None, now=now)
        if answer.get("code") in _NEVER_HEARD_OF:
            return Trade(trade_number, TradeState.CLOSED)
        if status != 200:
            raise _unusable("find", status, answer)
        try:
            trade = self._trade(answer)
        except _Unreadable as fault:
            raise _unusable(f"find: {fault}", status, {}) from None
        if trade.trade_number != trade_number:
            raise _unusable("find: another trade", status, {})
        return trade

    async def close(self, trade_number: str, *, now: datetime) -> None:
        path = f"/v3/pay/transactions/out-trade-no/{quote(trade_number, safe='')}/close"
        status, answer = await self._ask("POST", path, {"mchid": self._merchant.mchid}, now=now)
        if status != 204 and answer.get("code") not in _CLOSED_ALREADY | _PAID_ALREADY:
            raise _unusable("close", status, answer)

    async def refund(self, trade_number: str, amount_fen: int, reason: str, *, now: datetime) -> TradeRefund:
        status, answer = await self._ask(
            "POST",
            "/v3/refund/domestic/refunds",
            {
                "out_trade_no": trade_number,
                "out_refund_no": refund_number(trade_number),
                "reason": reason[:LONGEST_DESCRIPTION],
                "notify_url": self._merchant.notify_url,
                "amount": {"refund": amount_fen, "total": amount_fen, "currency": "CNY"},
            },
            now=now,
        )
        if status != 200:
            raise _unusable("refund", status, answer)
        try:
            return _refund(answer, answer.get("status"))
        except _Unreadable as fault:
            raise _unusable(f"refund: {fault}", status, {}) from None

    def read_notice(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Trade | TradeRefund:
        if not self._is_theirs(headers, body, now):
            raise PaymentNoticeRefused()
        try:
            kind, resource = self._opened(body)
            if resource.get("mchid") != self._merchant.mchid:
                raise _Unreadable("mchid")
            if kind.startswith("REFUND."):
                return _refund(resource, resource.get("refund_status"))
            if kind.startswith("TRANSACTION."):
                return self._trade(resource)
        except (_Unreadable, ValueError) as fault:
            # It was signed by WeChat Pay and cannot be used: an operator's business, no caller's.
            log.warning("wechat_pay.unusable_notice", fault=type(fault).__name__)
            raise PaymentNoticeRefused() from None
        log.warning("wechat_pay.unusable_notice", fault="kind")
        raise PaymentNoticeRefused()

    # -- what both sides sign ------------------------------------------------------------------------

    def _sign(self, lines: str) -> str:
        return str(wechat_crypto.rsa_sign(self._private_key, lines))

    def _is_theirs(self, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
        """Whether a message was signed by WeChat Pay's key, for us to read now."""
        stamp, nonce = headers.get("Wechatpay-Timestamp", ""), headers.get("Wechatpay-Nonce", "")
        if headers.get("Wechatpay-Serial") != self._merchant.platform_key_id:
            return False
        if headers.get("Wechatpay-Signature-Type", ALGORITHM) != ALGORITHM:
            return False
        if not _STAMP.fullmatch(stamp) or not _NONCE.fullmatch(nonce):
            return False
        if abs(now.timestamp() - int(stamp)) > WINDOW.total_seconds():
            return False
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return False
        signature = headers.get("Wechatpay-Signature", "")
        return bool(wechat_crypto.rsa_verify(stamp, nonce, text, signature, self._platform_key))

    def _opened(self, body: bytes) -> tuple[str, dict[str, Any]]:
        """The kind of a notice and what it carries, decrypted. Raises ``_Unreadable`` or ``ValueError``."""
        notice = orjson.loads(body)
        sealed = notice.get("resource") if isinstance(notice, dict) else None
        if not isinstance(sealed, dict) or sealed.get("algorithm") != "AEAD_AES_256_GCM":
            raise _Unreadable("resource")
        parts = [sealed.get("nonce"), sealed.get("ciphertext"), sealed.get("associated_data", "")]
        if not all(isinstance(part, str) for part in parts):
            raise _Unreadable("resource")
        opened = wechat_crypto.aes_decrypt(*parts, self._merchant.secret)
        resource = orjson.loads(opened) if opened is not None else None
        kind = notice.get("event_type")
        if not isinstance(resource, dict) or not isinstance(kind, str):
            raise _Unreadable("resource")
        return kind, resource

    def _trade(self, told: Mapping[str, Any]) -> Trade:
        """A trade of ours. Raises ``_Unreadable`` for another merchant's, app's or currency's."""
        if told.get("mchid") != self._merchant.mchid or told.get("appid") != self._merchant.appid:
            raise _Unreadable("merchant")
        number, state = told.get("out_trade_no"), _STATES.get(str(told.get("trade_state")))
        if not isinstance(number, str) or state is None:
            raise _Unreadable("trade")
        if state is not TradeState.PAID:
            return Trade(number, state)
        transaction, amount = told.get("transaction_id"), told.get("amount")
        if not isinstance(transaction, str) or not _TRANSACTION.fullmatch(transaction):
            raise _Unreadable("transaction")
        if not isinstance(amount, dict) or amount.get("currency", "CNY") != "CNY":
            raise _Unreadable("amount")
        return Trade(
            number, state, transaction, _fen(amount.get("total")), _instant(told.get("success_time"))
        )

    # -- carrying ------------------------------------------------------------------------------------

    async def _ask(
        self, method: str, path: str, body: dict[str, Any] | None, *, now: datetime
    ) -> tuple[int, dict[str, Any]]:
        """The status and verified body of an answer. Nothing of the question is ever told."""
        sent = b"" if body is None else orjson.dumps(body)
        try:
            async with self._http.request(
                method,
                URL(self._base_url + path, encoded=True),
                data=sent or None,
                headers=self._headers(method, path, sent, now),
                allow_redirects=False,
                timeout=ClientTimeout(total=TIMEOUT_SECONDS),
            ) as response:
                answered = await _read(response)
                # WeChat Pay does not sign every refusal; by one nothing is ever paid or given back.
                verified = response.status >= 400 or self._is_theirs(response.headers, answered, now)
                answer = orjson.loads(answered) if answered else {}
        except (ClientError, TimeoutError, OSError, ValueError) as fault:
            log.warning("wechat_pay.no_answer", fault=type(fault).__name__)
            raise PaymentsUnavailable(retry_after=RETRY_SECONDS) from None
        if not verified or not isinstance(answer, dict):
            log.warning("wechat_pay.unverified_answer", status=response.status)
            raise PaymentsUnavailable(retry_after=RETRY_SECONDS)
        return response.status, answer

    def _headers(self, method: str, path: str, body: bytes, now: datetime) -> dict[str, str]:
        stamp, nonce = str(int(now.timestamp())), secrets.token_hex(16)
        signature = self._sign("\n".join((method, path, stamp, nonce, body.decode(), "")))
        told = {
            "mchid": self._merchant.mchid,
            "nonce_str": nonce,
            "signature": signature,
            "timestamp": stamp,
            "serial_no": self._merchant.serial,
        }
        named = ",".join(f'{name}="{value}"' for name, value in told.items())
        return {
            "Authorization": f"{ALGORITHM} {named}",
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "qiquan",
            "Wechatpay-Serial": self._merchant.platform_key_id,
        }


def merchant_of(settings: Settings) -> Merchant:
    """The merchant the settings name; reads the key files, so call it in a thread."""
    return Merchant(
        appid=settings.wechat_appid,
        mchid=settings.wechat_pay_mchid,
        serial=settings.wechat_pay_serial,
        private_key=settings.wechat_pay_key_file.read_text(encoding="utf-8"),
        platform_key_id=settings.wechat_pay_platform_key_id,
        platform_key=settings.wechat_pay_platform_key_file.read_text(encoding="utf-8"),
        secret=settings.wechat_pay_secret,
        notify_url=settings.wechat_pay_notify_url,
    )


class _Unreadable(Exception):
    """Something WeChat Pay says that does not fit what it documents, or does not concern us."""


def refund_number(trade_number: str) -> str:
    """A trade is given back once and whole, so its refund has one name."""
    return f"{trade_number}R"


def _refund(told: Mapping[str, Any], status: object) -> TradeRefund:
    number, state = told.get("out_trade_no"), _REFUNDS.get(str(status))
    amount = told.get("amount")
    if not isinstance(number, str) or state is None or not isinstance(amount, dict):
        raise _Unreadable("refund")
    if told.get("out_refund_no") != refund_number(number):
        raise _Unreadable("refund number")
    return TradeRefund(number, state, _fen(amount.get("refund")))


def _fen(value: object) -> int:
    if type(value) is not int or value <= 0:
        raise _Unreadable("amount")
    return value


def _instant(value: object) -> datetime:
    try:
        told = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise _Unreadable("time") from None
    if told.tzinfo is None:
        raise _Unreadable("time")
    return told


async def _read(response: ClientResponse) -> bytes:
    """The body; ``ValueError`` if it is longer than any answer of WeChat Pay's."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(LONGEST_ANSWER):
        body += chunk
        if len(body) > LONGEST_ANSWER:
            raise ValueError("answer too long")
    return bytes(body)


def _unusable(what: str, status: int, answer: Mapping[str, Any]) -> PaymentsUnavailable:
    code = answer.get("code")
    log.error(
        "wechat_pay.refused", what=what, status=status, said=code if isinstance(code, str) else "nothing"
    )
    return PaymentsUnavailable(retry_after=RETRY_SECONDS)
