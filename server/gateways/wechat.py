"""WeChat: who a login code belongs to, and their phone number if they share it.

Our own small client: wechatpy's is synchronous and repeats requests on its own. What WeChat answers is
somebody else's input and is checked like any other. The session key is read and dropped here; it is
nothing we need, and whoever had it could read and forge what WeChat encrypts for the person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import orjson
import structlog
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from wechatpy.constants import WeChatErrorCode

from server.errors import Refusal

TIMEOUT_SECONDS = 5.0
LONGEST_ANSWER = 65_536
RETRY_SECONDS = 2
MINUTE_QUOTA_RETRY_SECONDS = 60

# 高风险等级用户，小程序登录拦截: documented for jscode2session, unknown to wechatpy.
HIGH_RISK_USER: Final = 40226

_OPENID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PHONE = re.compile(r"\+?[0-9]{5,20}")

_INVALID_CODE = frozenset({WeChatErrorCode.INVALID_OAUTH_CODE, WeChatErrorCode.CODE_BEEN_USED})
_STALE_TOKEN = frozenset(
    {
        WeChatErrorCode.INVALID_CREDENTIAL,
        WeChatErrorCode.INVALID_ACCESS_TOKEN,
        WeChatErrorCode.EXPIRED_ACCESS_TOKEN,
    }
)
_TOO_OFTEN = frozenset({WeChatErrorCode.OUT_OF_API_FREQ_LIMIT, WeChatErrorCode.API_MINUTE_QUOTA_REACH_LIMIT})

log = structlog.get_logger()


class LoginCodeInvalid(Refusal):
    """WeChat does not know the code, or it was used or is older than five minutes: get a new one."""

    status, code = 400, "login_code_invalid"


class TooManyLogins(Refusal):
    """WeChat's limit a minute for this person or this mini-program."""

    status, code = 429, "too_many_logins"


class LoginBlocked(Refusal):
    """WeChat holds this account for high-risk and does not let it log in."""

    status, code = 403, "login_blocked"


class WechatUnavailable(Refusal):
    """WeChat did not answer, answered nonsense, or does not accept our credentials."""

    status, code = 503, "wechat_unavailable"


@dataclass(frozen=True, slots=True)
class WechatIdentity:
    """A person as WeChat names them: in this mini-program, and across the operator's apps if linked."""

    openid: str
    unionid: str | None


class Wechat:
    """One mini-program's door to WeChat, or to the stand-in when ``base_url`` says so."""

    def __init__(self, http: ClientSession, *, base_url: str, appid: str, secret: str) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._appid = appid
        self._secret = secret
        self._access_token = ""

    async def code_to_session(self, code: str) -> WechatIdentity:
        """Whose ``wx.login`` code this is; the code is spent by asking.

        Raises :class:`LoginCodeInvalid`, :class:`TooManyLogins`, :class:`LoginBlocked` or
        :class:`WechatUnavailable`.
        """
        answer = await self._ask(
            "GET",
            "/sns/jscode2session",
            query={
                "appid": self._appid,
                "secret": self._secret,
                "js_code": code,
                "grant_type": "authorization_code",
            },
        )
        _require_success(answer)
        openid, unionid = answer.get("openid"), answer.get("unionid")
        if not isinstance(openid, str) or not _OPENID.fullmatch(openid):
            raise _unusable("openid")
        return WechatIdentity(openid, unionid if isinstance(unionid, str) and unionid else None)

    async def phone_number(self, code: str) -> str:
        """The phone number behind a ``getPhoneNumber`` code, with ``+`` and country code if foreign.

        Raises as :meth:`code_to_session` does.
        """
        answer = await self._with_token("/wxa/business/getuserphonenumber", {"code": code})
        _require_success(answer)
        shared = answer.get("phone_info")
        number = shared.get("phoneNumber") if isinstance(shared, dict) else None
        if not isinstance(number, str) or not _PHONE.fullmatch(number):
            raise _unusable("phone number")
        return number

    async def _with_token(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Post with our access token; once more with a new one if WeChat no longer takes it."""
        used = self._access_token or await self._new_token()
        answer = await self._ask("POST", path, query={"access_token": used}, body=body)
        if _error_of(answer) in _STALE_TOKEN:
            # Another request may have fetched a new one meanwhile.
            fresh = self._access_token if self._access_token != used else await self._new_token()
            answer = await self._ask("POST", path, query={"access_token": fresh}, body=body)
        return answer

    async def _new_token(self) -> str:
        """The stable access token: the same for every worker until it nears its end."""
        answer = await self._ask(
            "POST",
            "/cgi-bin/stable_token",
            body={"grant_type": "client_credential", "appid": self._appid, "secret": self._secret},
        )
        _require_success(answer)
        token = answer.get("access_token")
        if not isinstance(token, str) or not token:
            raise _unusable("access token")
        self._access_token = token
        return token

    async def _ask(
        self, method: str, path: str, *, query: dict[str, str] | None = None, body: Any = None
    ) -> dict[str, Any]:
        """WeChat's answer, whatever it calls its content type. Nothing of the question is ever told."""
        try:
            async with self._http.request(
                method,
                self._base_url + path,
                params=query,
                json=body,
                allow_redirects=False,
                timeout=ClientTimeout(total=TIMEOUT_SECONDS),
            ) as response:
                answer = orjson.loads(await _read(response)) if response.status == 200 else None
        # The message of a client error holds the address, and so our secret and the code.
        except (ClientError, TimeoutError, OSError, ValueError) as fault:
            log.warning("wechat.no_answer", path=path, fault=type(fault).__name__)
            raise WechatUnavailable(retry_after=RETRY_SECONDS) from None
        if not isinstance(answer, dict):
            log.warning("wechat.unusable_answer", path=path, status=response.status)
            raise WechatUnavailable(retry_after=RETRY_SECONDS)
        return answer


async def _read(response: ClientResponse) -> bytes:
    """The body; ``ValueError`` if it is longer than any answer of WeChat's."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(LONGEST_ANSWER):
        body += chunk
        if len(body) > LONGEST_ANSWER:
            raise ValueError("answer too long")
    return bytes(body)


def _error_of(answer: dict[str, Any]) -> int:
    """WeChat's error code, 0 for none; some of its machines write it as a text."""
    code = answer.get("errcode", 0)
    try:
        return int(code)
    except (TypeError, ValueError, OverflowError):
        raise _unusable("errcode") from None


def _require_success(answer: dict[str, Any]) -> None:
    """Raise the refusal that WeChat's error code stands for."""
    code = _error_of(answer)
    if code == 0:
        return
    if code in _INVALID_CODE:
        raise LoginCodeInvalid()
    if code in _TOO_OFTEN:
        raise TooManyLogins(retry_after=MINUTE_QUOTA_RETRY_SECONDS)
    if code == HIGH_RISK_USER:
        raise LoginBlocked()
    # Everything else is WeChat's trouble (-1) or our own settings (40013, 40125): an operator's business.
    log.error("wechat.refused", errcode=code)
    raise WechatUnavailable(retry_after=RETRY_SECONDS)


def _unusable(what: str) -> WechatUnavailable:
    log.warning("wechat.unusable_answer", missing=what)
    return WechatUnavailable(retry_after=RETRY_SECONDS)
