"""Content checks at the WeChat stand-in: a text at once, a picture by an event that somebody else delivers.

``违禁`` in a text is risky, ``存疑`` is for review; of pictures, those whose very bytes were posted to
``/standin/unfit``. ``GET /standin/checks`` tells the events that WeChat would deliver by now, each once:
``{"events": [{"trace_id": …, "openid": …, "suggest": …, "label": …}]}``.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from standin.accounts import Accounts, Refused

if TYPE_CHECKING:
    from standin.wechat import WechatStandIn

RISKY, REVIEW = "违禁", "存疑"
LONGEST_TEXT = 2_500
RISKY_CONTENT, SIZE_OUT_OF_LIMIT, INVALID_OPENID = 87014, 40006, 40003
LABELS = {"pass": 100, "review": 21000, "risky": 20002}
FETCH_SECONDS = 5.0


class WechatChecks:
    """What was asked, and what is thought of it. ``unfit`` are contents of pictures that are risky."""

    def __init__(self) -> None:
        self.unfit: set[bytes] = set()
        self.texts: list[str] = []
        self._events: list[dict[str, Any]] = []

    def add_to(self, standin: WechatStandIn) -> None:
        """Serve the endpoints."""
        standin.app.add_routes(
            [
                web.post("/wxa/msg_sec_check", standin.called(self._text)),
                web.post("/wxa/media_check_async", standin.called(self._media)),
                web.post("/standin/unfit", self._mark),
                web.get("/standin/checks", self._told),
            ]
        )

    async def _text(self, request: web.Request, caller: Accounts) -> dict[str, Any]:
        body = await _object(request)
        content = body.get("content")
        if not isinstance(content, str) or not content:
            raise Refused(47001, "data format error")
        if len(content) > LONGEST_TEXT:
            raise Refused(SIZE_OUT_OF_LIMIT, "invalid media size")
        self.texts.append(content)
        suggest = "risky" if RISKY in content else "review" if REVIEW in content else "pass"
        if body.get("version") != 2:
            if suggest == "risky":
                raise Refused(RISKY_CONTENT, "risky content")
            return {"errcode": 0, "errmsg": "ok"}
        if not body.get("openid"):
            raise Refused(INVALID_OPENID, "invalid openid")
        result = {"suggest": suggest, "label": LABELS[suggest]}
        return {"errcode": 0, "errmsg": "ok", "result": result, "trace_id": secrets.token_hex(16)}

    async def _media(self, request: web.Request, caller: Accounts) -> dict[str, Any]:
        body = await _object(request)
        address = body.get("media_url")
        if not isinstance(address, str) or urlsplit(address).scheme not in ("http", "https"):
            raise Refused(47001, "data format error")
        trace = secrets.token_hex(16)
        unfit = await _fetched(address) in self.unfit
        suggest = "risky" if unfit else "pass"
        self._events.append(
            {
                "trace_id": trace,
                "openid": str(body.get("openid", "")),
                "suggest": suggest,
                "label": LABELS[suggest],
            }
        )
        return {"errcode": 0, "errmsg": "ok", "trace_id": trace}

    async def _mark(self, request: web.Request) -> web.Response:
        self.unfit.add(await request.read())
        return web.json_response({})

    async def _told(self, request: web.Request) -> web.Response:
        told, self._events = self._events, []
        return web.json_response({"events": told})


async def _fetched(address: str) -> bytes:
    """What stands at an address, as WeChat's machines would see it."""
    try:
        async with (
            ClientSession(timeout=ClientTimeout(total=FETCH_SECONDS)) as http,
            http.get(address) as answer,
        ):
            return await answer.read()
    except (ClientError, TimeoutError, OSError):
        return b""


async def _object(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        raise Refused(47001, "data format error") from None
    if not isinstance(body, dict):
        raise Refused(47001, "data format error")
    return body
