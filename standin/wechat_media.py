"""Media at the WeChat stand-in: what people sent and what was uploaded, kept for three days.

Two endpoints are its own: ``POST /standin/media`` with bytes and their content type is a person sending them
and answers ``{"media_id": …}``; ``POST /standin/media/expire {"media_id": …}`` ends one before its time.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import BodyPartReader, web

from server.clock import Clock
from standin.accounts import Accounts, Refused

if TYPE_CHECKING:
    from standin.wechat import WechatStandIn

KEPT = timedelta(days=3)
MOST_KEPT = 2_000
LARGEST = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Media:
    content: bytes = field(repr=False)
    media_type: str
    until: datetime


class WechatMedia:
    """The media of one operator's accounts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, _Media] = OrderedDict()

    def add_to(self, standin: WechatStandIn) -> None:
        """Serve the endpoints."""
        standin.app.add_routes(
            [
                web.get("/cgi-bin/media/get", standin.called(self._get)),
                web.post("/cgi-bin/media/upload", standin.called(self._upload)),
                web.post("/standin/media", self._send),
                web.get("/standin/videos/{media_id}", self._video),
                web.post("/standin/media/expire", self._expire),
            ]
        )

    def keep(self, content: bytes, media_type: str) -> str:
        """Take something in; the name it is fetched by."""
        media_id = secrets.token_urlsafe(48)
        self._kept[media_id] = _Media(content, media_type, self._clock.now() + KEPT)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return media_id

    async def _get(self, request: web.Request, caller: Accounts) -> web.Response:
        media = self._kept.get(request.query.get("media_id", ""))
        if media is None or media.until <= self._clock.now():
            raise Refused(40007, "invalid media_id")
        name = f"media.{media.media_type.rpartition('/')[2]}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        if media.media_type.startswith("video/"):
            # As WeChat does: a video is told by its address, which needs no token.
            place = request.url.origin() / "standin" / "videos" / request.query["media_id"]
            return web.json_response({"video_url": str(place)})
        return web.Response(body=media.content, content_type=media.media_type, headers=headers)

    async def _video(self, request: web.Request) -> web.Response:
        media = self._kept.get(request.match_info["media_id"])
        if media is None or media.until <= self._clock.now():
            raise web.HTTPNotFound
        return web.Response(body=media.content, content_type=media.media_type)

    async def _upload(self, request: web.Request, caller: Accounts) -> dict[str, Any]:
        if not request.content_type.startswith("multipart/"):
            raise Refused(41005, "media data missing")
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.name == "media":
                content = bytes(await part.read())
                media_id = self.keep(content, part.headers.get("Content-Type", "application/octet-stream"))
                created = int(self._clock.now().timestamp())
                return {"type": request.query.get("type", ""), "media_id": media_id, "created_at": created}
        raise Refused(41005, "media data missing")

    async def _send(self, request: web.Request) -> web.Response:
        content = await request.read()
        if not 0 < len(content) <= LARGEST:
            raise web.HTTPBadRequest(text=f"a body of 1 to {LARGEST} bytes is needed")
        return web.json_response({"media_id": self.keep(content, request.content_type)})

    async def _expire(self, request: web.Request) -> web.Response:
        body = await request.json()
        self._kept.pop(body.get("media_id", "") if isinstance(body, dict) else "", None)
        return web.json_response({})
