"""Callbacks in WeChat's safe mode: signed and encrypted on the way in, and on the way back.

The AES is wechatpy's. Around it everything is ours, because wechatpy parses before it checks a signature,
compares it letter by letter, looks at no timestamp and at no padding, and fails in six ways on bad input.
In the plain and the compatible mode the body is not covered by any signature: neither is taken.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from wechatpy.crypto.cryptography import WeChatCipher

from server.errors import Refusal
from server.gateways.wechat_xml import XmlUnusable, parse, text_of
from server.rules.chat_messages import WechatAccount
from server.settings import Settings

WINDOW_SECONDS = 300
LARGEST_BODY = 65_536
RANDOM_BYTES = 16
HEAD_BYTES = RANDOM_BYTES + 4
BLOCK_BYTES = 16
MOST_PADDING = 32
LONGEST_ECHO = 64

_STAMP = re.compile(r"[0-9]{10}", re.ASCII)
_NONCE = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)
"""Short: with a nonce of any length part of the encrypted text could be passed off as its nonce."""
_SIGNATURE = re.compile(r"[0-9a-f]{40}", re.ASCII)
_ECHO = re.compile(rf"[A-Za-z0-9_-]{{1,{LONGEST_ECHO}}}", re.ASCII)
_ENVELOPE = (
    "<xml><Encrypt><![CDATA[{sealed}]]></Encrypt><MsgSignature><![CDATA[{signature}]]></MsgSignature>"
    "<TimeStamp>{stamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
)


class CallbackRefused(Refusal):
    """Not from WeChat, not for us, not in the safe mode, or too old. Nobody is told which."""

    status, code = 403, "callback_refused"

    def __init__(self, why: str = "") -> None:
        super().__init__()
        self.why = why
        """For the log alone."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A genuine message: whose account it is for, what it says, and the signature it came with."""

    account: WechatAccount
    document: bytes = field(repr=False)
    signature: str


class CallbackCipher:
    """The secure channel of the operator's accounts, which share a token and a key."""

    def __init__(self, token: str, aes_key: str, appids: Mapping[str, WechatAccount]) -> None:
        """``aes_key`` is WeChat's EncodingAESKey of 43 characters, which the settings have checked."""
        self._token = token
        self._cipher = WeChatCipher(base64.b64decode(aes_key + "="))
        self._accounts = {appid.encode(): account for appid, account in appids.items()}
        self._appids = {account: appid.encode() for appid, account in appids.items()}

    def echo(self, query: Mapping[str, str], *, now: datetime) -> str:
        """What WeChat wants to hear when the address is entered in its console: its own words, signed.

        Raises :class:`CallbackRefused`.
        """
        stamp, nonce = _stamp_of(query, now)
        _require_equal(query.get("signature", ""), self._signature(stamp, nonce))
        echo = query.get("echostr", "")
        if not _ECHO.fullmatch(echo):
            raise CallbackRefused("echo")
        return echo

    def open(self, query: Mapping[str, str], body: bytes, *, now: datetime) -> Opened:
        """What WeChat delivered. Raises :class:`CallbackRefused`."""
        if query.get("encrypt_type") != "aes":
            raise CallbackRefused("not in safe mode")
        stamp, nonce = _stamp_of(query, now)
        signature = query.get("msg_signature", "")
        if not _SIGNATURE.fullmatch(signature):
            raise CallbackRefused("signature")
        try:
            outer = parse(body)
            sealed = text_of(outer, "Encrypt")
        except XmlUnusable:
            raise CallbackRefused("envelope") from None
        if "MsgType" in outer or "FromUserName" in outer:
            raise CallbackRefused("compatible mode")
        if not sealed.isascii():
            raise CallbackRefused("envelope")
        _require_equal(signature, self._signature(stamp, nonce, sealed))
        account, document = self._decrypted(sealed)
        return Opened(account, document, signature)

    def seal(self, document: str, account: WechatAccount, *, now: datetime) -> bytes:
        """An answer as WeChat takes it."""
        message = document.encode()
        plain = secrets.token_bytes(RANDOM_BYTES) + struct.pack(">I", len(message)) + message
        plain += self._appids[account]
        missing = MOST_PADDING - len(plain) % MOST_PADDING
        sealed = base64.b64encode(self._cipher.encrypt(plain + bytes((missing,)) * missing)).decode()
        stamp, nonce = str(int(now.timestamp())), secrets.token_hex(8)
        signature = self._signature(stamp, nonce, sealed)
        return _ENVELOPE.format(sealed=sealed, signature=signature, stamp=stamp, nonce=nonce).encode()

    def _signature(self, *parts: str) -> str:
        joined = "".join(sorted((self._token, *parts)))
        return hashlib.sha1(joined.encode(), usedforsecurity=False).hexdigest()

    def _decrypted(self, sealed: str) -> tuple[WechatAccount, bytes]:
        try:
            raw = base64.b64decode(sealed, validate=True)
        except (binascii.Error, ValueError):
            raise CallbackRefused("base64") from None
        if not raw or len(raw) % BLOCK_BYTES:
            raise CallbackRefused("blocks")
        plain = self._cipher.decrypt(raw)
        padding = plain[-1]
        if not 1 <= padding <= MOST_PADDING or plain[-padding:] != plain[-1:] * padding:
            raise CallbackRefused("padding")
        content = plain[:-padding]
        if len(content) < HEAD_BYTES:
            raise CallbackRefused("length")
        end = HEAD_BYTES + struct.unpack_from(">I", content, RANDOM_BYTES)[0]
        if end > len(content):
            raise CallbackRefused("length")
        account = self._accounts.get(content[end:])
        if account is None:
            raise CallbackRefused("appid")
        return account, content[HEAD_BYTES:end]


def callback_cipher(settings: Settings) -> CallbackCipher | None:
    """The channel that is configured; ``None`` where there is no chat."""
    if not settings.wechat_callback_token:
        return None
    given = {
        settings.wechat_appid: WechatAccount.MINI,
        settings.wechat_oa_appid: WechatAccount.OFFICIAL,
    }
    appids = {appid: account for appid, account in given.items() if appid}
    return CallbackCipher(settings.wechat_callback_token, settings.wechat_callback_aes_key, appids)


def _stamp_of(query: Mapping[str, str], now: datetime) -> tuple[str, str]:
    stamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    if not _STAMP.fullmatch(stamp) or not _NONCE.fullmatch(nonce):
        raise CallbackRefused("parameters")
    if abs(now.timestamp() - int(stamp)) > WINDOW_SECONDS:
        raise CallbackRefused("timestamp")
    return stamp, nonce


def _require_equal(given: str, expected: str) -> None:
    """In constant time, so that nobody finds a signature letter by letter."""
    if not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
        raise CallbackRefused("signature")
