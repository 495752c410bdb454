"""Tortoise models: rows and relations, no verbs."""

from __future__ import annotations

from tortoise import models


def _no_comments(cls: type[models.Model]) -> dict[str, str]:
    return {}


# For each model Tortoise parses its whole file again, in search of comments that begin with ``#:``. We write
# none, and it took a quarter of every start.
models._get_comments = _no_comments

MODULES = (
    "server.models.provider_standing",
    "server.models.relations",
    "server.models.people",
    "server.models.organisations",
    "server.models.files",
    "server.models.registrations",
    "server.models.offices",
    "server.models.labels",
    "server.models.imports",
    "server.models.reviews",
    "server.models.review_papers",
    "server.models.sampling",
    "server.models.stand_ins",
    "server.models.public_notices",
    "server.models.rounds",
    "server.models.ceilings",
    "server.models.vouchers",
    "server.models.ledger",
    "server.models.journal",
    "server.models.proof",
    "server.models.outbox",
    "server.models.inbox",
    "server.models.jobs",
    "server.models.contracts",
    "server.models.offerings",
    "server.models.orders",
    "server.models.voucher_requests",
    "server.models.marketplace",
    "server.models.payments",
    "server.models.disbursements",
    "server.models.documents",
    "server.models.ratings",
    "server.models.enquiries",
    "server.models.applications",
    "server.models.chat",
    "server.models.complaints",
    "server.models.settlements",
    "server.models.payment_holds",
    "server.models.sanctions",
    "server.models.deliveries",
    "server.models.exports",
    "server.models.reports",
    "server.models.supervision",
    "server.models.monitoring",
)
