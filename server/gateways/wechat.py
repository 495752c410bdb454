"""WeChat: who a login code belongs to, and their phone number if they share it.

What WeChat answers is somebody else's input and is checked like any other. The session key is read and
dropped here; it is nothing we need, and whoever had it could read and forge what WeChat encrypts for the
person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import structlog
from wechatpy.constants import WeChatErrorCode

from server.errors import Refusal
from server.gateways.wechat_calls import WechatCalls, WechatRefused
from server.gateways.wechat_http import RETRY_SECONDS, WechatHttp, WechatUnavailable, error_of, unusable
from server.rules.chat_messages import WechatAccount

MINUTE_QUOTA_RETRY_SECONDS = 60

# 高风险等级用户，小程序登录拦截: documented for jscode2session, unknown to wechatpy.
HIGH_RISK_USER: Final = 40226

_OPENID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PHONE = re.compile(r"\+?[0-9]{5,20}")

_INVALID_CODE = frozenset({WeChatErrorCode.INVALID_OAUTH_CODE, WeChatErrorCode.CODE_BEEN_USED})
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


@dataclass(frozen=True, slots=True)
class WechatIdentity:
    """A person as WeChat names them: in this mini-program, and across the operator's apps if linked."""

    openid: str
    unionid: str | None


class Wechat:
    """One mini-program's door to WeChat."""

    def __init__(self, wechat: WechatHttp, calls: WechatCalls, *, appid: str, secret: str) -> None:
        self._wechat, self._calls = wechat, calls
        self._appid, self._secret = appid, secret

    async def code_to_session(self, code: str) -> WechatIdentity:
        """Whose ``wx.login`` code this is; the code is spent by asking.

        Raises :class:`LoginCodeInvalid`, :class:`TooManyLogins`, :class:`LoginBlocked` or
        :class:`WechatUnavailable`.
        """
        answer = await self._wechat.ask(
            "GET",
            "/sns/jscode2session",
            query={
                "appid": self._appid,
                "secret": self._secret,
                "js_code": code,
                "grant_type": "authorization_code",
            },
        )
        code_of_error = error_of(answer)
        if code_of_error:
            raise _refusal(code_of_error)
        openid, unionid = answer.get("openid"), answer.get("unionid")
        if not isinstance(openid, str) or not _OPENID.fullmatch(openid):
            raise unusable("openid")
        return WechatIdentity(openid, unionid if isinstance(unionid, str) and unionid else None)

    async def phone_number(self, code: str) -> str:
        """The phone number behind a ``getPhoneNumber`` code, with ``+`` and country code if foreign.

        Raises as :meth:`code_to_session` does.
        """
        try:
            answer = await self._calls.call(
                "/wxa/business/getuserphonenumber", {"code": code}, account=WechatAccount.MINI
            )
        except WechatRefused as refused:
            raise _refusal(refused.errcode) from None
        shared = answer.get("phone_info")
        number = shared.get("phoneNumber") if isinstance(shared, dict) else None
        if not isinstance(number, str) or not _PHONE.fullmatch(number):
            raise unusable("phone number")
        return number


def _refusal(code: int) -> Refusal:
    """What WeChat's error code means to whoever signs in."""
    if code in _INVALID_CODE:
        return LoginCodeInvalid()
    if code in _TOO_OFTEN:
        return TooManyLogins(retry_after=MINUTE_QUOTA_RETRY_SECONDS)
    if code == HIGH_RISK_USER:
        return LoginBlocked()
    # Everything else is WeChat's trouble (-1) or our own settings (40013, 40125): an operator's business.
    log.error("wechat.refused", errcode=code)
    return WechatUnavailable(retry_after=RETRY_SECONDS)
