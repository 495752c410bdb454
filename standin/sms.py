"""The stand-in for whoever sends SMS, served beside WeChat's under ``/sms``: it takes everything on.

``GET /standin/sms``  what was taken on. ``POST /standin/sms/unreachable {"phone": …}``  a number that
nothing reaches. ``POST /standin/sms/busy {"times": 3}``  the next messages are for later.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from standin.wechat import WechatStandIn

SMS_KEY = "demo-sms-key"
MOST_KEPT = 10_000


class SmsStandIn:
    """In memory, the oldest forgotten."""

    def __init__(self, key: str = SMS_KEY) -> None:
        self._key = key
        self.taken: deque[dict[str, Any]] = deque(maxlen=MOST_KEPT)
        self._unreachable: set[str] = set()
        self._busy = 0

    def add_to(self, standin: WechatStandIn) -> None:
        """Serve the endpoints."""
        standin.app.add_routes(
            [
                web.post("/sms/messages", self._send),
                web.get("/standin/sms", self._told),
                web.post("/standin/sms/unreachable", self._cut_off),
                web.post("/standin/sms/busy", self._be_busy),
            ]
        )

    async def _send(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {self._key}":
            return web.json_response({}, status=401)
        if self._busy:
            self._busy -= 1
            return web.json_response({}, status=503)
        match await request.json():
            case {"phone": str(phone), "template": str(template), "words": dict(words), "key": str(key)}:
                if phone in self._unreachable:
                    return web.json_response({}, status=404)
                known = next((number for number, one in enumerate(self.taken) if one["key"] == key), None)
                if known is not None:
                    return web.json_response({"id": f"sms-{known}"}, status=409)
                self.taken.append({"phone": phone, "template": template, "words": words, "key": key})
                return web.json_response({"id": f"sms-{len(self.taken) - 1}"})
        return web.json_response({}, status=400)

    async def _told(self, request: web.Request) -> web.Response:
        return web.json_response({"sms": list(self.taken)})

    async def _cut_off(self, request: web.Request) -> web.Response:
        self._unreachable.add((await request.json())["phone"])
        return web.json_response({})

    async def _be_busy(self, request: web.Request) -> web.Response:
        self._busy = int((await request.json())["times"])
        return web.json_response({})
