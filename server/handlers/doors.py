"""Doors: every route of the server, in the order in which the contract describes them."""

from __future__ import annotations

from aiohttp import web

from server.handlers import (
    blocklist,
    demo,
    grabs,
    health,
    inbox,
    jobs,
    memberships,
    openapi,
    organisations,
    own_account,
    programmes,
    qualifications,
    rounds,
    sessions,
    staff,
    voucher_ends,
    wallet,
)
from server.handlers.api import Routes

MODULES: tuple[Routes, ...] = (
    health.routes,
    sessions.routes,
    own_account.routes,
    staff.routes,
    programmes.routes,
    organisations.routes,
    memberships.routes,
    qualifications.routes,
    blocklist.routes,
    # Before the rounds: the router tries what begins alike in this order, and this is the crowd's.
    grabs.routes,
    rounds.routes,
    wallet.routes,
    voucher_ends.routes,
    inbox.routes,
    jobs.routes,
)
"""One entry for each module of handlers."""

DEMO: tuple[Routes, ...] = (demo.routes,)
"""Served only where ``demo_login`` is on, and no part of the contract."""


def open_all(app: web.Application, *, demo_login: bool = False) -> None:
    """Add every route to ``app`` and describe them all; nothing may be added afterwards."""
    for routes in (*MODULES, *DEMO) if demo_login else MODULES:
        routes.add_to(app)
    openapi.publish(app)
