"""Reporting: lists and reports on a real database, without HTTP, with a clock that a test moves."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import openpyxl

from server.clock import FixedClock
from server.gateways.evidence_store import EvidenceStore
from server.gateways.press import Press
from server.gateways.sheet_press import SheetPress
from server.models.exports import ExportFormat, ExportJob
from server.models.orders import Order
from server.models.organisations import Organisation
from server.models.people import Staff
from server.models.rounds import Budget
from server.models.vouchers import Voucher
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.programme.size_classes import load_size_standard
from server.rules.money import Movement
from server.sealing import Sealer
from server.services.access import Actor
from server.services.budgets import ledger
from server.services.budgets.ledger import Where
from server.services.clocks import ProgrammeClocks
from server.services.exports.export_kinds import ExportFilters
from server.services.exports.export_runs import ExportRuns
from server.services.exports.export_sources import own_sources
from server.services.exports.exports import Exports
from server.services.files.evidence import Evidence
from server.services.reports.due import DueReports
from server.services.reports.editions import Reports
from server.services.working_days import WorkingDays
from tests.factories import make_budget, make_enterprise
from tests.ordering import make_order

NOON = datetime(2026, 5, 18, 4, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KEYS = {"test": "a-secret-of-these-tests-of-32-bytes"}
_numbers = count(1)


@cache
def regulations() -> Programmes:
    """The five."""
    return Programmes.load(Path("config/programmes"))


class Bureau:
    """Where lists are made and reports counted."""

    def __init__(self, directory: Path) -> None:
        self.clock = FixedClock(NOON)
        self.clocks = ProgrammeClocks(self.clock)
        self.programmes = regulations()
        self.sealer = Sealer(KEYS)
        self.evidence = Evidence(EvidenceStore(directory / "evidence"))
        self.exports = Exports(self.programmes, self.clocks, self.evidence)
        for kind, source in own_sources(self.programmes, self.sealer).items():
            self.exports.serve(kind, source)
        sizes = load_size_standard(Path("config/size-classes.toml"))
        self.reports = Reports(self.programmes, self.clocks, sizes, self.evidence, Press(), SheetPress())
        self.due = DueReports(self.reports, WorkingDays(Path("config/holidays")))

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def runs(self, *, page_rows: int = 2, turn: Callable[[], Awaitable[None]] | None = None) -> ExportRuns:
        """Another process that makes exports, ``page_rows`` at a time."""
        more = {} if turn is None else {"turn": turn}
        return ExportRuns(self.exports, SheetPress(), page_rows=page_rows, **more)

    async def staff(self, *roles: str, **bounds: Any) -> Actor:
        """Somebody new of these roles."""
        name = f"clerk{next(_numbers)}"
        row = await Staff.create(
            username=name, password_hash="", display_name=name, roles=list(roles), created_at=self.now
        )
        return Actor("staff", row.id, "", None, frozenset(roles), **bounds)

    async def ask(self, actor: Actor, kind: str = "orders", *, slug: str, **others: Any) -> ExportJob:
        """A list, unrevealed and as XLSX unless told otherwise."""
        chosen: dict[str, Any] = {
            "filters": ExportFilters(),
            "format": ExportFormat.XLSX,
            "revealed": False,
            "reason": "",
        }
        return await self.exports.ask(kind, programme_slug=slug, actor=actor, **{**chosen, **others})

    async def fetched(self, job: ExportJob, actor: Actor) -> bytes:
        """The file as it is sent."""
        download = await self.exports.download(job.id, actor=actor)
        return b"".join([piece async for piece in download.content])


class Trade:
    """A year of one programme, with an enterprise and a provider that deal."""

    def __init__(
        self, programme: Programme, budget: Budget, enterprise: Organisation, provider: Organisation
    ) -> None:
        self.programme = programme
        self.budget = budget
        self.enterprise = enterprise
        self.provider = provider

    @classmethod
    async def begun(cls, slug: str, at: datetime = NOON) -> Trade:
        programme = regulations().get(slug)
        budget = await make_budget(programme, at=at, total_yuan=10_000_000)
        return cls(programme, budget, await make_enterprise(), await make_enterprise(name="远山数字有限公司"))

    async def sold(self, fen: int, at: datetime, *, category: str = "", **others: Any) -> Order:
        """A voucher issued, held on an order, redeemed and paid out, all at one instant."""
        named = {"category": category} if category else {}
        order = await make_order(
            self.programme,
            self.enterprise,
            self.provider,
            at=at,
            voucher_fen=fen,
            **{"status": "done", "step": None, "budget_id": self.budget.id, **named, **others},
        )
        await Voucher.create(
            number=f"V{next(_numbers):08d}",
            budget_id=self.budget.id,
            enterprise_id=self.enterprise.id,
            face_value_fen=fen,
            serial=next(_numbers),
            programme_slug=self.programme.slug,
            programme_version=self.programme.version,
            granted_at=at,
            reserved_at=at,
            valid_until=at + timedelta(days=90),
        )
        where = Where(
            self.budget.id,
            enterprise_id=self.enterprise.id,
            provider_id=self.provider.id,
            order_id=order.id,
            category=order.category,
        )
        steps = (Movement.ALLOT, Movement.ISSUE, Movement.HOLD, Movement.REDEEM, Movement.DISBURSE)
        for movement in steps:
            await ledger.post(movement, fen, where, at=at)
        return order


def book_of(content: bytes) -> dict[str, list[tuple[Any, ...]]]:
    """A workbook's rows by sheet."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}
