"""Doors: every route of the server, in the order in which the contract describes them."""

from __future__ import annotations

from aiohttp import web

from server.handlers import (
    activities,
    applications,
    blocklist,
    channels,
    complaint_desk,
    complaints,
    demo,
    districts,
    documents,
    enquiries,
    enquiry_threads,
    files,
    grabs,
    health,
    imports,
    inbox,
    jobs,
    labels,
    marketplace,
    memberships,
    offering_forms,
    offerings,
    offices,
    openapi,
    order_ends,
    orders,
    organisations,
    outlooks,
    own_account,
    own_payments,
    own_reviews,
    programmes,
    provider_standing,
    providers,
    public_notices,
    qualifications,
    ranking,
    ratings,
    registration_forms,
    registrations,
    relations,
    reviews,
    rounds,
    selections,
    self_test,
    sessions,
    staff,
    uploads,
    voucher_ends,
    voucher_requests,
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
    registration_forms.routes,
    registrations.routes,
    relations.routes,
    provider_standing.routes,
    providers.routes,
    offering_forms.routes,
    offerings.routes,
    selections.routes,
    activities.routes,
    offices.routes,
    districts.routes,
    blocklist.routes,
    reviews.routes,
    own_reviews.routes,
    public_notices.routes,
    uploads.routes,
    files.routes,
    labels.routes,
    imports.routes,
    self_test.routes,
    # Before the rounds: the router tries what begins alike in this order, and this is the crowd's.
    grabs.routes,
    rounds.routes,
    applications.routes,
    ranking.routes,
    orders.routes,
    order_ends.routes,
    outlooks.routes,
    voucher_requests.routes,
    documents.routes,
    ratings.routes,
    enquiries.routes,
    complaints.routes,
    complaint_desk.routes,
    enquiry_threads.routes,
    own_payments.routes,
    marketplace.routes,
    wallet.routes,
    voucher_ends.routes,
    inbox.routes,
    channels.routes,
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
