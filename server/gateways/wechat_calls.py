"""Calls to WeChat's API with our access token: one try, and one more with a fresh token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from redis.asyncio import Redis
from wechatpy.constants import WeChatErrorCode

from server.clock import Clock
from server.gateways.wechat_http import Fetched, WechatHttp, error_of
from server.gateways.wechat_token import WechatToken
from server.rules.chat_messages import WechatAccount
from server.sealing import Sealer
from server.settings import Settings

STALE_TOKEN = frozenset(
    {
        WeChatErrorCode.INVALID_CREDENTIAL,
        WeChatErrorCode.INVALID_ACCESS_TOKEN,
        WeChatErrorCode.EXPIRED_ACCESS_TOKEN,
    }
)
LARGEST_MEDIA = 20 * 1024 * 1024

log = structlog.get_logger()


class WechatRefused(Exception):
    """WeChat understood and said no; ``errcode`` says why. Nobody is shown this."""

    def __init__(self, errcode: int) -> None:
        super().__init__(f"WeChat answered {errcode}")
        self.errcode = errcode


class WechatCalls:
    """The API of our accounts. An account that is not configured here cannot be called."""

    def __init__(self, wechat: WechatHttp, tokens: Mapping[WechatAccount, WechatToken]) -> None:
        self._wechat = wechat
        self._tokens = dict(tokens)

    def serves(self, account: WechatAccount) -> bool:
        """Whether this account is configured."""
        return account in self._tokens

    async def call(
        self, path: str, body: Any = None, *, account: WechatAccount, query: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Post ``body`` (or get, without one); the answer of a success.

        Raises :class:`WechatRefused` and :class:`WechatUnavailable`.
        """
        method = "GET" if body is None else "POST"

        async def ask(token: str) -> dict[str, Any]:
            with_token = {**(query or {}), "access_token": token}
            return await self._wechat.ask(method, path, query=with_token, body=body)

        return _successful(await self._with_token(ask, account))

    async def media(
        self, media_id: str, *, account: WechatAccount, most_bytes: int = LARGEST_MEDIA
    ) -> Fetched | dict[str, Any]:
        """What somebody sent, from WeChat, which keeps it for three days; a video from where WeChat says.

        Raises :class:`WechatRefused` (40007: not there any more) and :class:`WechatUnavailable`.
        """

        async def ask(token: str) -> Fetched | dict[str, Any]:
            query = {"access_token": token, "media_id": media_id}
            return await self._wechat.fetch("/cgi-bin/media/get", query=query, most_bytes=most_bytes)

        answer = await self._with_token(ask, account)
        if isinstance(answer, Fetched):
            return answer
        told = _successful(answer)
        address = told.get("video_url")
        if not isinstance(address, str):
            return told
        return await self._wechat.fetch_video(address, most_bytes=most_bytes)

    async def _with_token(self, ask: Any, account: WechatAccount) -> Any:
        tokens = self._tokens[account]
        used = await tokens.current()
        answer = await ask(used)
        if isinstance(answer, dict) and error_of(answer) in STALE_TOKEN:
            # Another request or another process may have fetched a new one meanwhile.
            answer = await ask(await tokens.refused(used))
        return answer


def tokens_of(
    settings: Settings, wechat: WechatHttp, redis: Redis, sealer: Sealer, clock: Clock
) -> dict[WechatAccount, WechatToken]:
    """The token of each account that is configured."""
    given = {
        WechatAccount.MINI: (settings.wechat_appid, settings.wechat_secret),
        WechatAccount.OFFICIAL: (settings.wechat_oa_appid, settings.wechat_oa_secret),
    }
    endpoint = settings.wechat_token_endpoint
    return {
        account: WechatToken(wechat, redis, sealer, clock, appid=appid, secret=secret, endpoint=endpoint)
        for account, (appid, secret) in given.items()
        if appid or account is WechatAccount.MINI
    }


def _successful(answer: dict[str, Any]) -> dict[str, Any]:
    code = error_of(answer)
    if code:
        log.info("wechat.call_refused", errcode=code)
        raise WechatRefused(code)
    return answer
