"""Keys: the typed names under which an application keeps its parts, and a request its own.

Used by the doors and by ``app`` alone; services are handed what they need.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from server.clock import Clock
from server.settings import Settings

if TYPE_CHECKING:
    from server.handlers.api import Route
    from server.handlers.docs_page import Documents
    from server.handlers.health import Probe
    from server.metrics import Metrics
    from server.services.access import Actor

SETTINGS: web.AppKey[Settings] = web.AppKey("settings")
CLOCK: web.AppKey[Clock] = web.AppKey("clock")
METRICS: web.AppKey[Metrics] = web.AppKey("metrics")

IDENTIFY: web.AppKey[Callable[[web.Request], Awaitable[Actor]]] = web.AppKey("identify")
"""Who is asking: an ``Actor``, or a refusal (401). Called only for routes whose access asks for it."""

ROUTES: web.AppKey[dict[Callable[..., Any], Route]] = web.AppKey("routes")
"""Every declared route by its endpoint, in the order in which they were added."""

DOCUMENTS: web.AppKey[Documents] = web.AppKey("documents")
"""What ``/openapi.json`` and ``/docs`` serve."""

PROBES: web.AppKey[list[Probe]] = web.AppKey("probes")
"""What ``/readyz`` asks."""

REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id")
