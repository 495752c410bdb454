"""The WeChat Pay stand-in: ``python -m standin.wechat_pay --port 8091 --keys DIR``, on loopback only.

It speaks the documented JSAPI of WeChat Pay v3 with its signatures both ways, over ``cryptography`` alone:
what the server does with a library of its own, this side does without it, so that neither can be wrong
by itself. Two endpoints are its own:

``POST /standin/payments {"prepay_id": "wx…"}``  the person pays; the notice goes out at once.

``POST /standin/faults {"path": "/v3/pay/transactions/jsapi", "status": 500, "code": "SYSTEM_ERROR",
"times": 3}``  the next answers below that path are this error instead.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.clock import CHINA, Clock, SystemClock

LOOPBACK = "127.0.0.1"
DEMO_APPID, DEMO_MCHID = "wx-demo", "1900000001"
DEMO_SERIAL, DEMO_PLATFORM_KEY_ID = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1", "PUB_KEY_ID_0119000000012026"
DEMO_SECRET = "demo-apiv3-secret-of-32-letters!"
MERCHANT_KEY, PLATFORM_KEY = "merchant.pem", "platform.pem"
SCHEME = "WECHATPAY2-SHA256-RSA2048"
WINDOW_SECONDS = 300
MOST_FAULTS = 1_000

_TOLD = re.compile(r'(\w+)="([^"]*)"')
Answer = tuple[int, Mapping[str, Any] | None]


class Refused(Exception):
    """An error as WeChat Pay words it: HTTP status, ``code`` and ``message``."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


@dataclass(frozen=True, slots=True)
class Keys:
    """The two key pairs: the merchant's, and WeChat Pay's own."""

    merchant: rsa.RSAPrivateKey = field(repr=False)
    platform: rsa.RSAPrivateKey = field(repr=False)

    @classmethod
    def make(cls) -> Keys:
        return cls(*(rsa.generate_private_key(public_exponent=65_537, key_size=2048) for _ in range(2)))

    @property
    def merchant_pem(self) -> str:
        """The merchant's private key, as the merchant keeps it."""
        return _private_pem(self.merchant).decode()

    @property
    def platform_pem(self) -> str:
        """WeChat Pay's public key, as the merchant is given it."""
        encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        return self.platform.public_key().public_bytes(encoding, form).decode()


@dataclass(slots=True)
class _Trade:
    number: str
    openid: str
    total: int
    notify_url: str
    expires_at: datetime
    state: str = "NOTPAY"
    transaction_id: str = ""
    paid_at: datetime | None = None
    refund: dict[str, Any] | None = None


class WechatPayStandIn:
    """One merchant's WeChat Pay; ``app`` serves it."""

    def __init__(
        self,
        keys: Keys,
        clock: Clock,
        *,
        appid: str = DEMO_APPID,
        mchid: str = DEMO_MCHID,
        secret: str = DEMO_SECRET,
    ) -> None:
        self.keys = keys
        self.notices: list[tuple[dict[str, str], bytes]] = []
        """Every notice that went out, oldest first, as it was sent."""
        self._clock = clock
        self._appid, self._mchid, self._secret = appid, mchid, secret
        self._trades: dict[str, _Trade] = {}
        self._prepared: dict[str, str] = {}
        self._faults: dict[str, tuple[int, str, int]] = {}
        self.app = web.Application(client_max_size=65_536)
        trades = "/v3/pay/transactions/out-trade-no/{number}"
        self.app.add_routes(
            [
                web.post("/v3/pay/transactions/jsapi", self._answering(self._create)),
                web.get(trades, self._answering(self._query)),
                web.post(f"{trades}/close", self._answering(self._close)),
                web.post("/v3/refund/domestic/refunds", self._answering(self._refund)),
                web.post("/standin/payments", self._pay),
                web.post("/standin/faults", self._plan_fault),
            ]
        )

    # -- what the person does ------------------------------------------------------------------------

    def pay(self, prepay_id: str, *, amount: int | None = None) -> str:
        """The person pays what was prepared; returns the trade's number. ``amount`` plays a wrong one."""
        trade = self._trades[self._prepared[prepay_id]]
        if trade.state != "NOTPAY" or trade.expires_at <= self._clock.now():
            raise Refused(400, "ORDER_CLOSED")
        trade.state, trade.paid_at = "SUCCESS", self._clock.now()
        trade.transaction_id = f"4200{secrets.randbelow(10**24):024d}"
        if amount is not None:
            trade.total = amount
        return trade.number

    def notice(self, number: str) -> tuple[dict[str, str], bytes]:
        """Headers and body of a notice of what became of a trade, signed now."""
        trade = self._trades[number]
        if trade.refund is None:
            return self.sealed("TRANSACTION.SUCCESS", "transaction", self._told(trade))
        told = {**trade.refund, "mchid": self._mchid, "refund_status": trade.refund["status"]}
        return self.sealed("REFUND.SUCCESS", "refund", told)

    def sealed(self, event: str, original: str, resource: Mapping[str, Any]) -> tuple[dict[str, str], bytes]:
        """Any notice at all, encrypted and signed as WeChat Pay does."""
        nonce = secrets.token_hex(6)
        ciphertext = AESGCM(self._secret.encode()).encrypt(
            nonce.encode(), json.dumps(resource).encode(), original.encode()
        )
        body = json.dumps(
            {
                "id": secrets.token_hex(16),
                "create_time": self._clock.now().astimezone(CHINA).isoformat(timespec="seconds"),
                "resource_type": "encrypt-resource",
                "event_type": event,
                "summary": "支付成功",
                "resource": {
                    "original_type": original,
                    "algorithm": "AEAD_AES_256_GCM",
                    "ciphertext": base64.b64encode(ciphertext).decode(),
                    "associated_data": original,
                    "nonce": nonce,
                },
            },
            ensure_ascii=False,
        ).encode()
        return {**self.signature(body), "Content-Type": "application/json"}, body

    def signature(self, body: bytes) -> dict[str, str]:
        """The headers that vouch for a body, as of now."""
        stamp, nonce = str(int(self._clock.now().timestamp())), secrets.token_hex(16)
        lines = f"{stamp}\n{nonce}\n".encode() + body + b"\n"
        signed = self.keys.platform.sign(lines, padding.PKCS1v15(), hashes.SHA256())
        return {
            "Wechatpay-Timestamp": stamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Serial": DEMO_PLATFORM_KEY_ID,
            "Wechatpay-Signature-Type": SCHEME,
            "Wechatpay-Signature": base64.b64encode(signed).decode(),
        }

    async def send_notice(self, number: str) -> int:
        """Tell the merchant what became of a trade; the status it answers, 0 for none."""
        headers, body = self.notice(number)
        self.notices.append((headers, body))
        with suppress(ClientError, TimeoutError, OSError):
            async with (
                ClientSession(timeout=ClientTimeout(total=5)) as http,
                http.post(self._trades[number].notify_url, data=body, headers=headers) as answer,
            ):
                return answer.status
        return 0

    # -- the documented endpoints --------------------------------------------------------------------

    def _answering(
        self, endpoint: Callable[[web.Request, dict[str, Any]], Awaitable[Answer]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            try:
                self._fail_as_planned(request.path)
                raw = await request.read()
                self._require_merchant(request, raw)
                status, told = await endpoint(request, json.loads(raw) if raw else {})
            except Refused as refused:
                status, told = refused.status, {"code": refused.code, "message": "as documented"}
            body = b"" if told is None else json.dumps(told, ensure_ascii=False).encode()
            headers = self.signature(body)
            return web.Response(status=status, body=body, headers=headers, content_type="application/json")

        return answer

    async def _create(self, request: web.Request, body: dict[str, Any]) -> Answer:
        if body.get("appid") != self._appid or body.get("mchid") != self._mchid:
            raise Refused(400, "APPID_MCHID_NOT_MATCH")
        number, total = body["out_trade_no"], body["amount"]["total"]
        if not re.fullmatch(r"[0-9A-Za-z_*|-]{6,32}", number) or total < 1:
            raise Refused(400, "PARAM_ERROR")
        known = self._trades.get(number)
        if known is not None and (known.total, known.openid) != (total, body["payer"]["openid"]):
            raise Refused(403, "OUT_TRADE_NO_USED")
        if known is not None and known.state != "NOTPAY":
            raise Refused(400, "ORDERPAID" if known.state == "SUCCESS" else "ORDER_CLOSED")
        expires_at = datetime.fromisoformat(body["time_expire"])
        self._trades[number] = _Trade(number, body["payer"]["openid"], total, body["notify_url"], expires_at)
        prepared = f"wx{secrets.token_hex(17)}"
        self._prepared[prepared] = number
        return 200, {"prepay_id": prepared}

    async def _query(self, request: web.Request, body: dict[str, Any]) -> Answer:
        if request.query.get("mchid") != self._mchid:
            raise Refused(400, "MCH_NOT_EXISTS")
        return 200, self._told(self._known(request))

    async def _close(self, request: web.Request, body: dict[str, Any]) -> Answer:
        trade = self._known(request)
        if trade.state == "SUCCESS":
            raise Refused(400, "ORDERPAID")
        trade.state = "CLOSED"
        return 204, None

    async def _refund(self, request: web.Request, body: dict[str, Any]) -> Answer:
        trade = self._trades.get(body["out_trade_no"])
        if trade is None:
            raise Refused(404, "RESOURCE_NOT_EXISTS")
        if trade.state not in ("SUCCESS", "REFUND"):
            raise Refused(400, "INVALID_REQUEST")
        asked = body["amount"]
        if trade.refund is None:
            if asked["refund"] > trade.total or asked["total"] != trade.total:
                raise Refused(403, "NOT_ENOUGH")
            trade.state = "REFUND"
            trade.refund = {
                "refund_id": f"5030{secrets.randbelow(10**24):024d}",
                "out_refund_no": body["out_refund_no"],
                "transaction_id": trade.transaction_id,
                "out_trade_no": trade.number,
                "status": "PROCESSING",
                "amount": {"total": trade.total, "refund": asked["refund"], "currency": "CNY"},
            }
            return 200, dict(trade.refund)
        trade.refund["status"] = "SUCCESS"
        return 200, trade.refund

    # -- its own -------------------------------------------------------------------------------------

    async def _pay(self, request: web.Request) -> web.Response:
        body = await request.json()
        prepared = body.get("prepay_id") if isinstance(body, dict) else None
        if prepared not in self._prepared:
            raise web.HTTPBadRequest(text="prepay_id must be one that was prepared here")
        try:
            number = self.pay(prepared)
        except Refused as refused:
            raise web.HTTPConflict(text=refused.code) from None
        return web.json_response({"answered": await self.send_notice(number)})

    async def _plan_fault(self, request: web.Request) -> web.Response:
        match await request.json():
            case {"path": str(path), "status": int(status), "code": str(code), "times": int(times)} if (
                0 < times <= MOST_FAULTS and 400 <= status < 600
            ):
                self._faults = {path: (status, code, times)}
                return web.json_response({})
        raise web.HTTPBadRequest(text=f"path, status, code and times (1 to {MOST_FAULTS}) are needed")

    def _told(self, trade: _Trade) -> dict[str, Any]:
        told: dict[str, Any] = {
            "appid": self._appid,
            "mchid": self._mchid,
            "out_trade_no": trade.number,
            "trade_state": trade.state,
            "trade_state_desc": trade.state,
        }
        if trade.paid_at is not None:
            told |= {
                "transaction_id": trade.transaction_id,
                "trade_type": "JSAPI",
                "bank_type": "OTHERS",
                "success_time": trade.paid_at.astimezone(CHINA).isoformat(timespec="seconds"),
                "payer": {"openid": trade.openid},
                "amount": {
                    "total": trade.total,
                    "payer_total": trade.total,
                    "currency": "CNY",
                    "payer_currency": "CNY",
                },
            }
        return told

    def _known(self, request: web.Request) -> _Trade:
        trade = self._trades.get(request.match_info["number"])
        if trade is None:
            raise Refused(404, "ORDER_NOT_EXIST")
        return trade

    def _require_merchant(self, request: web.Request, body: bytes) -> None:
        """Refuse what the merchant did not sign, just now, for exactly this request."""
        scheme, _, told = request.headers.get("Authorization", "").partition(" ")
        named = dict(_TOLD.findall(told))
        stamp = named.get("timestamp", "")
        fresh = stamp.isdigit() and abs(self._clock.now().timestamp() - int(stamp)) <= WINDOW_SECONDS
        if scheme != SCHEME or named.get("mchid") != self._mchid or not fresh:
            raise Refused(401, "SIGN_ERROR")
        if named.get("serial_no") != DEMO_SERIAL:
            raise Refused(401, "SIGN_ERROR")
        head = "\n".join((request.method, request.raw_path, stamp, named.get("nonce_str", ""), ""))
        try:
            self.keys.merchant.public_key().verify(
                base64.b64decode(named.get("signature", "")),
                head.encode() + body + b"\n",
                padding.PKCS1v15(),
                hashes.SHA256(),
            )
        except (InvalidSignature, ValueError):
            raise Refused(401, "SIGN_ERROR") from None

    def _fail_as_planned(self, path: str) -> None:
        for planned, (status, code, times) in self._faults.items():
            if path.startswith(planned) and times > 0:
                self._faults[planned] = status, code, times - 1
                raise Refused(status, code)


def keys_in(folder: Path) -> Keys:
    """New keys for one run; the merchant's half is written where the server reads it."""
    keys = Keys.make()
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in ((MERCHANT_KEY, keys.merchant_pem), (PLATFORM_KEY, keys.platform_pem)):
        path = folder / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
    return keys


def _private_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m standin.wechat_pay", description="Our own WeChat Pay.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--keys", type=Path, required=True, help="where new keys are written")
    chosen = parser.parse_args()
    standin = WechatPayStandIn(keys_in(chosen.keys), SystemClock())
    web.run_app(standin.app, host=LOOPBACK, port=chosen.port, access_log=None, print=None)


if __name__ == "__main__":
    main()
