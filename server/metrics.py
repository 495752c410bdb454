"""Metrics: what Prometheus reads, each with its unit in its name."""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
"""With several processes, the directory through which they add up; Prometheus' own variable."""

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 300)


class Metrics:
    """The metrics of one application, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.request_seconds = Histogram(
            "qiquan_request_seconds",
            "Time from a parsed request to its answer.",
            ("method", "route", "status"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.refusals = Counter(
            "qiquan_refusals",
            "Refusals raised, by code.",
            ("code",),
            registry=self.registry,
        )
        self.grab_answers = Counter(
            "qiquan_grab_answers",
            "Answers to grabs, by outcome.",
            ("outcome",),
            registry=self.registry,
        )
        self.grab_seconds = Histogram(
            "qiquan_grab_commit_seconds",
            "Time of one group commit, from the first statement to the answer of the database.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.group_size = Histogram(
            "qiquan_grab_commit_winners",
            "Winners committed in one transaction.",
            buckets=_SIZES,
            registry=self.registry,
        )
        self.waiting_winners = Gauge(
            "qiquan_grab_waiting_winners",
            "Winners that wait for their commit in this process.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self.gate_rebuilds = Counter(
            "qiquan_gate_rebuilds",
            "Rebuilds of Redis from the database.",
            registry=self.registry,
        )
        self.recovered_intents = Counter(
            "qiquan_recovered_intents",
            "Reservations of a dead process that the reconciler brought to their end.",
            registry=self.registry,
        )
        self.leaked_units = Gauge(
            "qiquan_leaked_units",
            "Fen by which Redis and the database differ at rest, over all rounds; must read 0.",
            registry=self.registry,
            multiprocess_mode="mostrecent",
        )

    def exposition(self) -> bytes:
        """All metrics in the Prometheus text format, of all processes where there are several."""
        if MULTIPROCESS in os.environ:
            combined = CollectorRegistry()
            MultiProcessCollector(combined)  # type: ignore[no-untyped-call]
            return generate_latest(combined)
        return generate_latest(self.registry)
