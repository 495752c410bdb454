"""Health: is the process alive, and is everything behind it there?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import structlog
from aiohttp import web
from pydantic import Field

from server import metrics, texts
from server.handlers.api import PUBLIC, Answer, Media, Routes
from server.keys import METRICS, PROBES

PATIENCE_SECONDS = 2.0

routes = Routes("health")
log = structlog.get_logger("server.health")


@dataclass(frozen=True)
class Probe:
    """One part that a server needs. ``check`` raises when it is not there.

    A part that is not ``essential`` (Redis: grabs then take the database's path) degrades the
    server without taking it out of service.
    """

    name: Literal["database", "migrations", "redis", "programmes"]
    check: Callable[[], Awaitable[object]]
    essential: bool = True


class Alive(Answer):
    """The process answers."""

    status: Literal["alive"] = Field(default="alive", description="Always this word. | 固定值。")


class Part(Answer):
    """One part behind the server."""

    name: str = Field(
        description="database, migrations, redis or programmes. | 部件代码。", examples=["redis"]
    )
    ok: bool = Field(description="Whether it answered. | 是否正常。", examples=[False])
    essential: bool = Field(description="Whether it must answer. | 是否必需。", examples=[False])
    says: str = Field(description="What that means, in Chinese. | 中文说明。", examples=["缓存不可用"])


class Ready(Answer):
    """Everything essential is there."""

    status: Literal["ready", "degraded"] = Field(
        description="degraded: something that is not essential is missing. | degraded：有非必需部件不可用。"
    )
    parts: list[Part] = Field(description="Each part. | 各部件。")


class Unready(Answer):
    """Something essential is missing: send no requests here."""

    status: Literal["unready"] = Field(default="unready", description="Always this word. | 固定值。")
    parts: list[Part] = Field(description="Each part. | 各部件。")


@routes.get(
    "/healthz",
    summary="The process is alive. | 进程存活检查。",
    access=PUBLIC,
    answers={200: Alive},
    quiet=True,
)
async def healthz(request: web.Request) -> Alive:
    return Alive()


@routes.get(
    "/readyz",
    summary="Which part is missing, if any. | 就绪检查，说明缺少哪个部件。",
    access=PUBLIC,
    answers={200: Ready, 503: Unready},
    quiet=True,
)
async def readyz(request: web.Request) -> Ready | Unready:
    parts = list(await asyncio.gather(*(_ask(probe) for probe in request.app[PROBES])))
    if not all(part.ok for part in parts if part.essential):
        return Unready(parts=parts)
    return Ready(status="ready" if all(part.ok for part in parts) else "degraded", parts=parts)


@routes.get(
    "/metrics",
    summary="Metrics in the Prometheus text format. | Prometheus 指标。",
    access=PUBLIC,
    answers={200: Media("text/plain", "The metrics. | 指标文本。")},
    quiet=True,
)
async def exposition(request: web.Request) -> web.Response:
    body = request.app[METRICS].exposition()
    return web.Response(body=body, headers={"Content-Type": metrics.CONTENT_TYPE})


async def _ask(probe: Probe) -> Part:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await probe.check()
    except Exception as fault:  # noqa: BLE001  # a probe may fail in any way; that is its answer
        log.warning("part missing", part=probe.name, fault=type(fault).__name__)
        return Part(
            name=probe.name, ok=False, essential=probe.essential, says=texts.PARTS_MISSING[probe.name]
        )
    return Part(name=probe.name, ok=True, essential=probe.essential, says=texts.PART_PRESENT)
