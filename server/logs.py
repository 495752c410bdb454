"""Logs: one JSON object a line on standard output, with the request id and without personal data.

Our own lines and those of every library pass the same two processors last, so that a token or a
phone number inside a library's message is masked too.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, TextIO

import orjson
import structlog
from aiohttp.http_exceptions import HttpProcessingError
from structlog.typing import EventDict, Processor, WrappedLogger

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that the running task answers; empty outside of one."""

MASK = "***"

_SENSITIVE = re.compile(
    r"token|authorization|cookie|secret|password|totp|session_key|openid|unionid|phone|mobile|id_number|id_card"
    r"|js_code|login_code|receipt_key|database_url|redis_url|^code$",
    re.IGNORECASE,
)
_PATTERNS = re.compile(
    r"eyJ[\w-]+\.[\w-]+\.[\w-]*"  # a JWT
    r"|(?<![\w-])o[\w-]{27}(?![\w-])"  # an openid
    r"|(?<!\d)1[3-9]\d{9}(?!\d)"  # a mobile number
    r"|(?<!\d)\d{17}[\dXx](?![\dA-Za-z])"  # a resident identity number
    r"|(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"  # user and password in an address
    r"|(?i:bearer)\s+\S+"
)


def configure(*, stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Send our log lines and every library's to ``stream`` (standard output) as JSON."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        add_request_id,
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_json),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("aiohttp.server").addFilter(_is_ours)
    # Tortoise writes statements with their parameters and aiohttp whole addresses: people's data.
    for noisy in ("tortoise", "tortoise.db_client", "asyncio", "aiosqlite", "aiohttp.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether aiohttp reports a fault of the server, and not of whoever sent it something that is no HTTP."""
    fault = record.exc_info[1] if record.exc_info else None
    return not isinstance(fault, HttpProcessingError)


def add_request_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Say which request a line belongs to."""
    if request_id := REQUEST_ID.get():
        event["request_id"] = request_id
    return event


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Mask whatever is named or looks like a secret or a person."""
    for name, value in event.items():
        if not name.startswith("_"):
            event[name] = MASK if _SENSITIVE.search(name) else masked(value)
    return event


def masked(value: Any) -> Any:
    """``value`` with every secret-looking text in it masked, however deep."""
    if isinstance(value, str):
        return _PATTERNS.sub(MASK, value)
    if isinstance(value, bool | int | float | None):
        return value if value is None or not _PATTERNS.search(str(value)) else MASK
    if isinstance(value, Mapping):
        return {
            str(name): MASK if _SENSITIVE.search(str(name)) else masked(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(inner) for inner in value]
    return _PATTERNS.sub(MASK, str(value))


def _json(event: EventDict, **_options: Any) -> str:
    return orjson.dumps(event, default=str).decode()
