"""Doors: every route of the server, in the order in which the contract describes them."""

from __future__ import annotations

from aiohttp import web

from server.handlers import health, openapi
from server.handlers.api import Routes

MODULES: tuple[Routes, ...] = (health.routes,)
"""One entry for each module of handlers."""


def open_all(app: web.Application) -> None:
    """Add every route to ``app`` and describe them all; nothing may be added afterwards."""
    for routes in MODULES:
        routes.add_to(app)
    openapi.publish(app)
