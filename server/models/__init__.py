"""Tortoise models: rows and relations, no verbs."""

MODULES = (
    "server.models.people",
    "server.models.organisations",
    "server.models.files",
    "server.models.registrations",
    "server.models.offices",
    "server.models.labels",
    "server.models.imports",
    "server.models.reviews",
    "server.models.rounds",
    "server.models.vouchers",
    "server.models.ledger",
    "server.models.journal",
    "server.models.outbox",
    "server.models.inbox",
    "server.models.jobs",
    "server.models.contracts",
    "server.models.offerings",
    "server.models.orders",
    "server.models.applications",
)
