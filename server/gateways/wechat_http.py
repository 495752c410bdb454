"""One question to WeChat's API and its answer: never blocking, bounded in time and size.

wechatpy's own client is synchronous and repeats requests without an end; of wechatpy we take constants and
ciphers. Nothing of a question is ever told, to a log or in an error: the address holds our secret or token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import orjson
import structlog
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

from server.errors import Refusal

TIMEOUT_SECONDS = 5.0
MEDIA_SECONDS = 30.0
LONGEST_ANSWER = 65_536
VIDEO = "video"
"""How the log calls an address that WeChat names itself."""
VIDEO_HOSTS = (".qq.com", ".qpic.cn")
RETRY_SECONDS = 2

log = structlog.get_logger()


class WechatUnavailable(Refusal):
    """WeChat did not answer, answered nonsense, or does not accept our credentials."""

    status, code = 503, "wechat_unavailable"


@dataclass(frozen=True, slots=True)
class Fetched:
    """Bytes that WeChat keeps for a while: a picture, a voice, a video, a file."""

    content: bytes = field(repr=False)
    media_type: str


class WechatHttp:
    """The way to WeChat's machines, or to the stand-in when ``base_url`` says so; ``async with`` opens it."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._http: ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._http = ClientSession()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def ask(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Any = None
    ) -> dict[str, Any]:
        """WeChat's answer, whatever it calls its content type. Raises :class:`WechatUnavailable`."""
        answer, _ = await self._exchange(method, path, query, body, LONGEST_ANSWER, TIMEOUT_SECONDS)
        return self._object(path, answer)

    async def fetch(
        self, path: str, *, query: Mapping[str, str], most_bytes: int
    ) -> Fetched | dict[str, Any]:
        """What is kept under an address, or the object in which WeChat says why it is not given.

        Raises :class:`WechatUnavailable`, also for more than ``most_bytes``.
        """
        content, media_type = await self._exchange("GET", path, query, None, most_bytes, MEDIA_SECONDS)
        return self._fetched(path, content, media_type)

    async def fetch_video(self, address: str, *, most_bytes: int) -> Fetched | dict[str, Any]:
        """What stands at an address that WeChat named: on a machine of WeChat's, and nowhere else.

        Raises :class:`WechatUnavailable`, also for an address that is none of WeChat's.
        """
        if not (address.startswith(f"{self._base_url}/") or _is_wechat(address)):
            log.warning("wechat.foreign_address")
            raise WechatUnavailable(retry_after=RETRY_SECONDS)
        content, media_type = await self._exchange(
            "GET", VIDEO, None, None, most_bytes, MEDIA_SECONDS, address=address
        )
        return self._fetched(VIDEO, content, media_type)

    def _fetched(self, path: str, content: bytes, media_type: str) -> Fetched | dict[str, Any]:
        # An error is JSON that begins with its code, under any content type; media never are.
        if content.startswith(b'{"errcode"') or media_type in ("application/json", "text/plain"):
            return self._object(path, content)
        return Fetched(content, media_type)

    async def _exchange(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Any,
        most: int,
        seconds: float,
        *,
        address: str = "",
    ) -> tuple[bytes, str]:
        if self._http is None:
            log.warning("wechat.closed", path=path)
            raise WechatUnavailable(retry_after=RETRY_SECONDS)
        # orjson leaves Chinese as it is: WeChat shows \\u escapes to people.
        data = None if body is None else orjson.dumps(body)
        try:
            async with self._http.request(
                method,
                address or self._base_url + path,
                params=query,
                data=data,
                headers={"Content-Type": "application/json"} if data is not None else None,
                allow_redirects=False,
                timeout=ClientTimeout(total=seconds),
            ) as response:
                if response.status == 200:
                    return await _read(response, most), response.content_type
                status = response.status
        # The message of a client error holds the address, and so our secret and the code.
        except (ClientError, TimeoutError, OSError, ValueError) as fault:
            log.warning("wechat.no_answer", path=path, fault=type(fault).__name__)
            raise WechatUnavailable(retry_after=RETRY_SECONDS) from None
        log.warning("wechat.unusable_answer", path=path, status=status)
        raise WechatUnavailable(retry_after=RETRY_SECONDS)

    def _object(self, path: str, answer: bytes) -> dict[str, Any]:
        try:
            told = orjson.loads(answer)
        except ValueError:
            told = None
        if not isinstance(told, dict):
            log.warning("wechat.unusable_answer", path=path)
            raise WechatUnavailable(retry_after=RETRY_SECONDS)
        return told


def _is_wechat(address: str) -> bool:
    """Whether an address lies on a machine of WeChat's, at its usual door."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    return parts.scheme in ("http", "https") and host.endswith(VIDEO_HOSTS) and port in (None, 80, 443)


def error_of(answer: Mapping[str, Any]) -> int:
    """WeChat's error code, 0 for none; some of its machines write it as a text."""
    code = answer.get("errcode", 0)
    try:
        return int(code)
    except (TypeError, ValueError, OverflowError):
        raise unusable("errcode") from None


def unusable(what: str) -> WechatUnavailable:
    """The refusal of an answer that lacks what it must have."""
    log.warning("wechat.unusable_answer", missing=what)
    return WechatUnavailable(retry_after=RETRY_SECONDS)


async def _read(response: ClientResponse, most: int) -> bytes:
    """The body; ``ValueError`` if it is longer than it may be."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        body += chunk
        if len(body) > most:
            raise ValueError("answer too long")
    return bytes(body)
