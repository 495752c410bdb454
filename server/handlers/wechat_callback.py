"""The chat's door over HTTP: where WeChat delivers what people write to our accounts, and what happens there.

One address for the official account and the mini-program, in the safe mode alone. What is genuine is kept
and acknowledged with 200 whatever it says, because to be told again would not help; only what could not be
kept is a 503, and WeChat delivers it once more.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from aiohttp import web

from server.gateways.wechat_cipher import LARGEST_BODY, CallbackCipher, CallbackRefused
from server.gateways.wechat_messages import NoMessage, rendered, understood
from server.handlers.api import PUBLIC, Media, Routes
from server.handlers.parsing import BodyIncomplete, BodyTooLarge, BodyTooSlow, read_body
from server.handlers.wire import WireAnswer, head
from server.keys import CALLBACK_CIPHER, CHAT_DOOR, CLOCK, REQUEST_ID, SEALER, SETTINGS
from server.services.access import NotFound

routes = Routes("chat")

CALLBACK = "/api/v1/wechat/callback"
RECEIVED = Media(
    "text/xml", "A message as WeChat encrypts it in its safe mode. | 微信安全模式下的加密消息（XML）。"
)
ANSWERED = Media("text/xml", "The answer, encrypted, or “success”. | 加密的被动回复，或 success。")
ECHOED = Media("text/plain", "The echostr that was sent. | 原样返回的 echostr。")

_PLAIN = head(200, "text/plain; charset=utf-8")
_XML = head(200, "text/xml; charset=utf-8")
_SUCCESS = b"success"

log = structlog.get_logger()


@routes.bare(
    "GET",
    CALLBACK,
    summary="WeChat checks that the address is ours. | 微信后台校验服务器地址。",
    access=PUBLIC,
    answers={200: ECHOED},
    refusals=(CallbackRefused, NotFound),
)
async def verify(request: web.Request) -> web.StreamResponse:
    cipher = _cipher(request)
    echo = cipher.echo(_single(request), now=request.app[CLOCK].now())
    return WireAnswer(_PLAIN, echo.encode(), status=200, request_id=request[REQUEST_ID])


@routes.bare(
    "POST",
    CALLBACK,
    summary="Where WeChat delivers what people write; for it alone. | 微信消息与事件推送，仅供微信调用。",
    access=PUBLIC,
    answers={200: ANSWERED},
    refusals=(CallbackRefused, NotFound, BodyTooLarge, BodyTooSlow, BodyIncomplete),
    receives=RECEIVED,
)
async def deliver(request: web.Request) -> web.StreamResponse:
    app = request.app
    cipher, clock = _cipher(request), app[CLOCK]
    body = await _body(request)
    now = clock.now()
    try:
        opened = cipher.open(_single(request), body, now=now)
    except CallbackRefused as refused:
        log.info("chat.callback_refused", why=refused.why)
        raise
    try:
        message, ours = understood(
            opened.document,
            opened.account,
            signature=opened.signature,
            blind=app[SEALER].blind,
            now=now,
        )
    except NoMessage:
        log.warning("chat.nothing_said")
        return WireAnswer(_PLAIN, _SUCCESS, status=200, request_id=request[REQUEST_ID])
    answer = await app[CHAT_DOOR].receive(message, now=now)
    if answer is None:
        return WireAnswer(_PLAIN, _SUCCESS, status=200, request_id=request[REQUEST_ID])
    document = rendered(answer, to=message.openid, sender=ours, now=now)
    sealed = cipher.seal(document, message.account, now=clock.now())
    return WireAnswer(_XML, sealed, status=200, request_id=request[REQUEST_ID])


def _cipher(request: web.Request) -> CallbackCipher:
    cipher = request.app[CALLBACK_CIPHER]
    if cipher is None:
        raise NotFound()
    return cipher


def _single(request: web.Request) -> Mapping[str, str]:
    """The query as it was sent: nothing that WeChat puts into one needs escaping, and what is escaped fits
    no pattern. A parameter that stands twice means two things, and is refused."""
    pairs = [pair.partition("=") for pair in request.rel_url.raw_query_string.split("&")]
    single = {name: value for name, _, value in pairs}
    if len(single) != len(pairs):
        raise CallbackRefused("repeated parameter")
    return single


async def _body(request: web.Request) -> bytes:
    """The body; it has usually arrived with the head."""
    content = request.content
    if content.is_eof() and content.exception() is None and content.total_bytes <= LARGEST_BODY:
        return content.read_nowait()
    return await read_body(request, LARGEST_BODY, request.app[SETTINGS].body_seconds)
