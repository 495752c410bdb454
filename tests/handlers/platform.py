"""A small application on our HTTP layer, for tests of the layer itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random

from aiohttp import web

from server.clock import SystemClock
from server.handlers import health, openapi
from server.handlers.api import Routes
from server.handlers.health import Probe
from server.keys import CLOCK, IDENTIFY, METRICS, PROBES, SETTINGS
from server.metrics import Metrics
from server.middlewares import platform
from server.services.access import Actor, NotSignedIn
from server.settings import Settings

TEST = Settings(mode="test", max_body_bytes=2_000, body_seconds=1)
OWNER = Actor(kind="person", id=1, session_id="s", organisation_id=7, roles=frozenset({"owner"}))
OPERATOR = Actor(kind="staff", id=2, session_id="s", organisation_id=None, roles=frozenset({"operator"}))


async def by_header(request: web.Request) -> Actor:
    """Whoever the ``X-Actor`` header names."""
    try:
        return {"owner": OWNER, "operator": OPERATOR}[request.headers.get("X-Actor", "")]
    except KeyError:
        raise NotSignedIn() from None


def small_app(
    *modules: Routes,
    settings: Settings = TEST,
    identify: Callable[[web.Request], Awaitable[Actor]] = by_header,
    probes: list[Probe] | None = None,
) -> web.Application:
    metrics = Metrics()
    app = web.Application(middlewares=[platform(settings, metrics, Random(1))])
    app[SETTINGS], app[CLOCK], app[METRICS] = settings, SystemClock(), metrics
    app[IDENTIFY], app[PROBES] = identify, probes or []
    for routes in (health.routes, *modules):
        routes.add_to(app)
    openapi.publish(app)
    return app
