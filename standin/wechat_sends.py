"""What the WeChat stand-in was asked to send: subscription, template and customer-service messages.

It checks what WeChat checks: the length of each field, consents and windows where told to keep them, and a
``client_msg_id`` for ten minutes. Its own endpoints, all of them ``POST`` but the last:

``/standin/consents {"openid": …, "template_id": …, "count": 1}``  a person consents (-1: for good).
``/standin/windows {"openid": …, "kind": "tap"}``  three messages in a minute; ``message``: five in 48 hours.
``/standin/unfollow {"openid": …}``  they leave the official account.
``/standin/switches {"delay_ms": 200, "consents": true, "windows": true, "lose": "answer", "times": 3}``
waiting, strictness, and messages that are lost before they are taken on (``request``) or after (``answer``).
``GET /standin/sends?after=0``  everything that was taken on, in order, by a thousand.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count, islice
from typing import TYPE_CHECKING, Any

from aiohttp import web

from standin.accounts import Accounts, Refused

if TYPE_CHECKING:
    from standin.wechat import WechatStandIn

MOST_KEPT = 50_000
PAGE = 1_000
KNOWN_AGAIN = timedelta(minutes=10)
WINDOWS = {"tap": (timedelta(minutes=1), 3), "message": (timedelta(hours=48), 5)}
LONGEST_TEXT_BYTES = 2048
FOR_GOOD = -1
_SHAPES = {
    "thing": r".{1,20}",
    "number": r"[0-9.]{1,32}",
    "character_string": r"[\x21-\x7e]{1,32}",
    "time": r".{1,32}",
    "date": r".{1,32}",
    "amount": r"\D?[0-9]{1,10}(\.[0-9]{1,2})?元?",
    "phrase": r"[\u4e00-\u9fff]{1,5}",
}


@dataclass(slots=True)
class _Window:
    until: datetime
    left: int


class WechatSends:
    """One operator's outgoing messages, in memory, the oldest forgotten."""

    def __init__(self) -> None:
        self.taken: deque[dict[str, Any]] = deque(maxlen=MOST_KEPT)
        self.delay_seconds = 0.0
        self._numbers = count(1)
        self._keeps = {"consents": False, "windows": False}
        self._lose, self._times = "", 0
        self._consents: dict[tuple[str, str], int] = {}
        self._windows: dict[str, _Window] = {}
        self._gone: set[str] = set()
        self._known: OrderedDict[tuple[str, str], tuple[datetime, int]] = OrderedDict()

    def add_to(self, standin: WechatStandIn) -> None:
        """Serve the endpoints."""
        self._clock = standin.clock
        standin.app.add_routes(
            [
                web.post("/cgi-bin/message/subscribe/send", standin.called(self._subscribe)),
                web.post("/cgi-bin/message/template/send", standin.called(self._template)),
                web.post("/cgi-bin/message/custom/send", standin.called(self._custom)),
                web.post("/standin/consents", self._consent),
                web.post("/standin/windows", self._open_window),
                web.post("/standin/unfollow", self._unfollow),
                web.post("/standin/switches", self._switch),
                web.get("/standin/sends", self._told),
            ]
        )

    # -- as WeChat ---------------------------------------------------------------------------------

    async def _subscribe(self, request: web.Request, caller: Accounts) -> dict[str, Any]:
        body = await self._body(request)
        openid, template = _text(body, "touser", 40003), _text(body, "template_id", 40037)
        _check_fields(body.get("data"))
        if self._keeps["consents"]:
            left = self._consents.get((openid, template), 0)
            if not left:
                raise Refused(43101, "user refuse to accept the msg")
            if left != FOR_GOOD:
                self._consents[openid, template] = left - 1
        return self._take_on(request, "subscribe", openid, template=template, data=body["data"])

    async def _template(self, request: web.Request, caller: Accounts) -> dict[str, Any]:
        body = await self._body(request)
        openid, template = _text(body, "touser", 40003), _text(body, "template_id", 40037)
        _check_fields(body.get("data"))
        if openid in self._gone:
            raise Refused(43004, "require subscribe")
        name = body.get("client_msg_id")
        if isinstance(name, str) and name:
            known = self._known.get((openid, name))
            if known is not None and self._clock.now() < known[0]:
                # Said to have been sent, and not sent again.
                return {"errcode": 0, "errmsg": "ok", "msgid": known[1]}
        answer = self._take_on(request, "template", openid, template=template, data=body["data"])
        if isinstance(name, str) and name:
            self._known[openid, name] = self._clock.now() + KNOWN_AGAIN, answer["msgid"]
            if len(self._known) > MOST_KEPT:
                self._known.popitem(last=False)
        return answer

    async def _custom(self, request: web.Request, caller: Accounts) -> dict[str, Any]:
        body = await self._body(request)
        openid = _text(body, "touser", 40003)
        told = body.get("text")
        text = told.get("content") if isinstance(told, dict) else None
        if body.get("msgtype") != "text" or not isinstance(text, str) or not text:
            raise Refused(40008, "invalid message type")
        if len(text.encode()) > LONGEST_TEXT_BYTES:
            raise Refused(45002, "content size out of limit")
        if self._keeps["windows"]:
            window = self._windows.get(openid)
            if window is None or self._clock.now() >= window.until:
                raise Refused(45015, "response out of time limit")
            if not window.left:
                raise Refused(45047, "out of response count limit")
            window.left -= 1
        return self._take_on(request, "custom", openid, text=text)

    async def _body(self, request: web.Request) -> dict[str, Any]:
        """The body, after WeChat took its time; the connection ends where one is to be lost."""
        try:
            body = await request.json()
        except ValueError:
            raise Refused(47001, "data format error") from None
        await asyncio.sleep(self.delay_seconds)
        if self._lose == "request":
            self._drop(request)
        if not isinstance(body, dict):
            raise Refused(47001, "data format error")
        return body

    def _take_on(self, request: web.Request, kind: str, openid: str, **what: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self.taken.append({"number": number, "kind": kind, "openid": openid, **what})
        if self._lose == "answer":
            self._drop(request)
        return {"errcode": 0, "errmsg": "ok", "msgid": number}

    def _drop(self, request: web.Request) -> None:
        self._times -= 1
        if self._times <= 0:
            self._lose = ""
        if request.transport is not None:
            request.transport.abort()

    # -- its own endpoints -------------------------------------------------------------------------

    async def _consent(self, request: web.Request) -> web.Response:
        match await request.json():
            case {"openid": str(openid), "template_id": str(template), "count": int(more)}:
                left = self._consents.get((openid, template), 0)
                self._consents[openid, template] = FOR_GOOD if more == FOR_GOOD else max(left, 0) + more
                return web.json_response({})
        raise web.HTTPBadRequest(text="openid, template_id and count are needed")

    async def _open_window(self, request: web.Request) -> web.Response:
        match await request.json():
            case {"openid": str(openid), "kind": "tap" | "message" as kind}:
                length, left = WINDOWS[kind]
                self._windows[openid] = _Window(self._clock.now() + length, left)
                return web.json_response({})
        raise web.HTTPBadRequest(text="openid and kind (tap or message) are needed")

    async def _unfollow(self, request: web.Request) -> web.Response:
        match await request.json():
            case {"openid": str(openid)}:
                self._gone.add(openid)
                return web.json_response({})
        raise web.HTTPBadRequest(text="openid is needed")

    async def _switch(self, request: web.Request) -> web.Response:
        body = await request.json()
        if not isinstance(body, dict):
            raise web.HTTPBadRequest(text="an object is needed")
        self.delay_seconds = float(body.get("delay_ms", self.delay_seconds * 1000)) / 1000
        for name in self._keeps:
            self._keeps[name] = body.get(name, self._keeps[name]) is True
        if "lose" in body:
            if body["lose"] not in ("request", "answer", ""):
                raise web.HTTPBadRequest(text="lose is request, answer or nothing")
            self._lose, self._times = body["lose"], int(body.get("times", 1))
        return web.json_response({})

    async def _told(self, request: web.Request) -> web.Response:
        after = int(request.query.get("after", "0"))
        later = islice((one for one in self.taken if one["number"] > after), PAGE)
        return web.json_response({"total": len(self.taken), "sends": list(later)})


def _text(body: dict[str, Any], name: str, errcode: int) -> str:
    found = body.get(name)
    if not isinstance(found, str) or not found:
        raise Refused(errcode, f"invalid {name}")
    return found


def _check_fields(data: Any) -> None:
    if not isinstance(data, dict) or not data:
        raise Refused(47003, "argument invalid! data empty")
    for name, held in data.items():
        value = held.get("value") if isinstance(held, dict) else None
        shape = _SHAPES.get(name.rstrip("0123456789"))
        if shape is None or not isinstance(value, str) or not re.fullmatch(shape, value):
            raise Refused(47003, f"argument invalid! data.{name}.value invalid")
