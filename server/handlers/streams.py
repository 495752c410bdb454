"""Streams: bodies that are read piece by piece, counted and timed as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import unquote

from aiohttp import BodyPartReader, ClientPayloadError, hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from server.errors import Refusal
from server.handlers.parsing import BodyIncomplete, BodyTooLarge, BodyTooSlow

PIECE_BYTES = 65_536
IDLE_SECONDS = 15.0
"""The longest a sender may say nothing."""
SLOWEST_BYTES_A_SECOND = 1_024
"""A sender that stays below this for long is not sending, it is holding a place."""
GRACE_SECONDS = 10.0
FORM = "multipart/form-data"
FORM_FIELD = "file"
FRAMING_BYTES = 65_536
"""What a form may need around its one file."""
# What aiohttp raises over a connection that breaks off, and over a form that is none.
_BROKEN = (ClientPayloadError, ConnectionError, HttpProcessingError, ValueError, AssertionError)


class UploadFormUnusable(Refusal):
    """The form is broken, or holds anything but one file."""

    status, code = 422, "upload_form_unusable"


class UploadTypeUnusable(Refusal):
    """A part must be announced as bytes at an offset."""

    status, code = 415, "upload_type_unusable"


@dataclass(frozen=True, slots=True)
class Sent:
    """A file as it comes in a request; ``size_bytes`` is 0 where the sender does not say."""

    name: str
    media_type: str
    size_bytes: int
    content: AsyncIterator[bytes]


def body_of(request: web.Request) -> AsyncIterator[bytes]:
    """The body of a request; raises ``BodyTooSlow`` and ``BodyIncomplete`` while it is read."""
    return _timed(request.content.readany)


async def sent_file(request: web.Request, name: str, most: int) -> Sent:
    """The one file of a request: its body, or the field ``file`` of a form.

    ``name`` is what the address calls it; a form may bring its own. Raises :class:`UploadFormUnusable`,
    ``BodyTooLarge`` for a form that announces more than ``most`` bytes.
    """
    if request.content_type != FORM:
        size = request.content_length
        return Sent(name, request.headers.get(hdrs.CONTENT_TYPE, ""), size or 0, body_of(request))
    if (request.content_length or 0) > most + FRAMING_BYTES:
        raise BodyTooLarge(limit_bytes=most)
    try:
        reader = await request.multipart()
        part = await asyncio.wait_for(reader.next(), IDLE_SECONDS)
    except TimeoutError:
        raise BodyTooSlow() from None
    except _BROKEN:
        raise UploadFormUnusable() from None
    if not isinstance(part, BodyPartReader) or part.name != FORM_FIELD:
        raise UploadFormUnusable()
    if any(header in part.headers for header in (hdrs.CONTENT_ENCODING, hdrs.CONTENT_TRANSFER_ENCODING)):
        raise UploadFormUnusable()

    async def content() -> AsyncIterator[bytes]:
        async for piece in _timed(lambda: part.read_chunk(PIECE_BYTES)):
            yield piece
        try:
            another = await asyncio.wait_for(reader.next(), IDLE_SECONDS)
        except TimeoutError:
            raise BodyTooSlow() from None
        except _BROKEN:
            raise UploadFormUnusable() from None
        if another is not None:
            raise UploadFormUnusable()

    # Some senders write a Chinese name in percent signs, others as it is.
    return Sent(name or unquote(part.filename or ""), part.headers.get(hdrs.CONTENT_TYPE, ""), 0, content())


async def whole_file(request: web.Request, most: int) -> bytes:
    """The one file of a request as bytes; raises ``BodyTooLarge`` above ``most`` of them."""
    sent = await sent_file(request, "", most)
    collected = bytearray()
    if sent.size_bytes > most:
        raise BodyTooLarge(limit_bytes=most)
    async for piece in sent.content:
        collected += piece
        if len(collected) > most:
            raise BodyTooLarge(limit_bytes=most)
    return bytes(collected)


async def _timed(read: Callable[[], Awaitable[bytes]]) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    begun, received = loop.time(), 0
    while True:
        try:
            piece = await asyncio.wait_for(read(), IDLE_SECONDS)
        except TimeoutError:
            raise BodyTooSlow() from None
        except (*_BROKEN, web.RequestPayloadError):
            raise BodyIncomplete() from None
        if not piece:
            return
        received += len(piece)
        seconds = loop.time() - begun
        if seconds > GRACE_SECONDS and received < seconds * SLOWEST_BYTES_A_SECOND:
            raise BodyTooSlow()
        yield piece
