"""Tortoise models: rows and relations, no verbs."""

MODULES = (
    "server.models.people",
    "server.models.organisations",
    "server.models.registrations",
    "server.models.offices",
    "server.models.rounds",
    "server.models.vouchers",
    "server.models.ledger",
    "server.models.journal",
    "server.models.outbox",
    "server.models.inbox",
    "server.models.jobs",
    "server.models.contracts",
)
