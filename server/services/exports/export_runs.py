"""Export runs: one export from its first row to its file, page by page, so that anybody can go on.

What is no list (``ExportWhole``) is made at one go, and anew by whoever takes it over.

Rows are kept as pieces of JSON lines in the evidence store, each with the row that says where the next one
begins. When all of them are there, they go through the sheet press one after the other; nobody ever holds
the list in memory. Leases and attempts are counted by the machine's clock.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import structlog
from tortoise.exceptions import IntegrityError
from tortoise.expressions import F, Q
from tortoise.transactions import in_transaction

from server import texts
from server.clock import CHINA
from server.gateways.sheet_press import SheetColumn, SheetCover, SheetPress, SheetTable
from server.models.exports import ExportFormat, ExportJob, ExportPart, ExportStatus
from server.services import journal, outbox
from server.services.exports.export_kinds import (
    PAGE_ROWS,
    Cell,
    ExportFilters,
    ExportPage,
    ExportSource,
    ExportWhole,
    Scope,
)
from server.services.exports.exports import KEPT_FOR, Exports

LEASE = timedelta(minutes=2)
"""How long one page, or the file at the end, may take before somebody else goes on."""
AFTER_FAILURE = timedelta(seconds=30)
MOST_ATTEMPTS = 5

log = structlog.get_logger("server.exports")


class ExportLost(Exception):
    """Somebody else has it by now, or its asker cancelled it."""


async def _at_once() -> None:
    """Nothing goes before."""


class ExportRuns:
    """What makes files of jobs. ``turn`` is awaited before each page: a launch goes first."""

    def __init__(
        self,
        exports: Exports,
        press: SheetPress,
        *,
        turn: Callable[[], Awaitable[None]] = _at_once,
        page_rows: int = PAGE_ROWS,
    ) -> None:
        self._exports = exports
        self._press = press
        self._turn = turn
        self._page_rows = page_rows

    async def run_due(self) -> int:
        """Make every export that waits, or whose maker has died, one after the other; how many were made."""
        made = 0
        while (job := await self._claimed()) is not None:
            try:
                await self._make(job)
                made += 1
            except ExportLost:
                log.info("export.lost", export=job.id)
            # Whatever failed is tried again by whoever comes next; the row says that it did.
            except Exception as fault:  # noqa: BLE001
                log.warning("export.failed", export=job.id, fault=type(fault).__name__, attempt=job.attempts)
                await self._failed(job, type(fault).__name__)
        return made

    async def expire_due(self) -> int:
        """Take away the files whose time is over; the bytes go with the next sweep."""
        expired = 0
        for slug in (
            await ExportJob.filter(status=ExportStatus.DONE)
            .distinct()
            .values_list("programme_slug", flat=True)
        ):
            due = Q(programme_slug=slug, status=ExportStatus.DONE)
            expired += await ExportJob.filter(
                due, expires_at__lte=self._exports.clocks.now(str(slug))
            ).update(status=ExportStatus.EXPIRED, file_id=None)
        return expired

    async def _claimed(self) -> ExportJob | None:
        now = self._exports.clocks.base.now()
        due = Q(Q(leased_until=None), Q(leased_until__lt=now), join_type=Q.OR)
        live = ExportJob.filter(status__in=(ExportStatus.WAITING, ExportStatus.RUNNING))
        for job in await live.filter(due).order_by("id").limit(20):
            # The WHERE clause is the lock: of two who come, one finds the count of attempts it has seen.
            taken = await ExportJob.filter(
                id=job.id, attempts=job.attempts, status__in=(ExportStatus.WAITING, ExportStatus.RUNNING)
            ).update(
                status=ExportStatus.RUNNING,
                attempts=job.attempts + 1,
                leased_until=now + LEASE,
                started_at=job.started_at or self._exports.clocks.now(job.programme_slug),
            )
            if taken:
                return await ExportJob.get(id=job.id)
        return None

    async def _make(self, job: ExportJob) -> None:
        if (whole := self._exports.wholes.get(job.kind)) is not None:
            await self._make_whole(job, whole)
            return
        source = self._exports.source(job.kind)
        if job.through_id is None:
            bounds = await source.bounds(_scope(job))
            await self._held(job, through_id=bounds.through_id, rows_total=bounds.rows)
            job.through_id, job.rows_total = bounds.through_id, bounds.rows
        scope = _scope(job)
        while True:
            await self._turn()
            page = await source.page(scope, after=job.resume_after, limit=self._page_rows)
            if not page.rows and page.last_id == job.resume_after:
                break
            await self._keep(job, source, page)
        await self._finish(job, source)

    async def _keep(self, job: ExportJob, source: ExportSource, page: ExportPage) -> None:
        """One page is in the store, and then in the row: where the next begins."""
        masks = [None if job.revealed else column.mask for column in source.columns]
        content = await asyncio.to_thread(_packed, page.rows, masks)
        now = self._exports.clocks.base.now()
        sha256 = await self._exports.evidence.keep(content, now=now)
        place = await ExportPart.filter(job_id=job.id).count()
        try:
            async with in_transaction():
                await self._held(
                    job, resume_after=page.last_id, rows_done=F("rows_done") + len(page.rows), error=""
                )
                if not await self._exports.evidence.hold(sha256, now=now):
                    raise ExportLost()
                await ExportPart.create(job_id=job.id, place=place, rows=len(page.rows), object_id=sha256)
        except IntegrityError:
            raise ExportLost() from None
        job.resume_after, job.rows_done = page.last_id, job.rows_done + len(page.rows)

    async def _make_whole(self, job: ExportJob, whole: ExportWhole) -> None:
        async def counted_off(done: int, total: int) -> None:
            await self._turn()
            await self._held(job, rows_done=done, rows_total=total, error="")
            job.rows_done = done

        with TemporaryDirectory(prefix="qiquan-export-") as directory:
            path = Path(directory) / f"export.{job.format}"
            await whole.make(job, path, counted_off)
            await self._deliver(job, path)

    async def _finish(self, job: ExportJob, source: ExportSource) -> None:
        now = self._exports.clocks.now(job.programme_slug)
        with TemporaryDirectory(prefix="qiquan-export-") as directory:
            path = Path(directory) / f"export.{job.format}"
            columns = [SheetColumn(one.title, one.kind, one.width, one.total) for one in source.columns]
            table = SheetTable(texts.EXPORT_COVER["table"], columns, texts.EXPORT_COVER["total"])
            cover = await self._cover(job, source, now)
            written = await self._press.write(path, _sheet(job.format), cover, [table], self._lines(job))
            if written != job.rows_done:
                raise ValueError(f"{written} rows written of {job.rows_done}")
            await self._deliver(job, path)

    async def _deliver(self, job: ExportJob, path: Path) -> None:
        """The finished file into the store; its asker hears of it."""
        exports, slug = self._exports, job.programme_slug
        size = await asyncio.to_thread(lambda: path.stat().st_size)
        sha256 = await exports.evidence.keep_file(path, now=exports.clocks.base.now())
        now = exports.clocks.now(slug)
        async with in_transaction():
            await self._held(
                job,
                status=ExportStatus.DONE,
                file_id=sha256,
                sha256=sha256,
                size_bytes=size,
                rows_total=job.rows_done,
                finished_at=now,
                expires_at=now + KEPT_FOR,
                leased_until=None,
            )
            if not await exports.evidence.hold(sha256, now=exports.clocks.base.now()):
                raise ExportLost()
            await ExportPart.filter(job_id=job.id).delete()
            await journal.record(
                "export.done",
                f"export:{job.id}",
                actor="clock",
                at=now,
                programme_slug=slug,
                number=job.number,
                rows=job.rows_done,
                sha256=sha256,
            )
            await outbox.tell(
                job.asked_by,
                "export.done",
                at=now,
                export=job.id,
                programme=slug,
                number=job.number,
                title=exports.title_of(job),
            )

    async def _lines(self, job: ExportJob) -> AsyncIterator[bytes]:
        """The rows of every part in their order, held again each time: a long file takes its time."""
        place = 0
        while part := await ExportPart.get_or_none(job_id=job.id, place=place):
            yield await asyncio.to_thread(gzip.decompress, await self._exports.evidence.read(part.object_id))
            place += 1
            await self._held(job)

    async def _cover(self, job: ExportJob, source: ExportSource, now: datetime) -> SheetCover:
        words = texts.EXPORT_COVER
        chosen = [
            f"{texts.EXPORT_FILTERS[name]}：{self._said(job, source, name, value)}"
            for name, value in job.filters.items()
        ]
        revealed = words["revealed"].format(reason=job.reason) if job.revealed else words["masked"]
        lines = [
            (words["programme"], self._exports.programmes.name_of(job.programme_slug)),
            (words["number"], job.number),
            (words["who"], job.asked_name),
            (words["when"], f"{now.astimezone(CHINA):%Y-%m-%d %H:%M:%S}"),
            (words["filters"], texts.STEP.join(chosen) or words["no_filters"]),
            *([(words["areas"], texts.LIST.join(job.areas))] if job.areas else []),
            (words["rows"], str(job.rows_done)),
            (words["personal"], revealed),
            (words["notice"], words["traced"]),
        ]
        return SheetCover(words["sheet"], source.title, lines)

    def _said(self, job: ExportJob, source: ExportSource, name: str, value: Any) -> str:
        """What a filter was set to, in words where it is a code."""
        if name == "status":
            return source.statuses.get(value, value)
        if name == "category":
            known = self._exports.programmes.get(job.programme_slug).category(value)
            return known.name if known else value
        return str(value)

    async def _held(self, job: ExportJob, **columns: Any) -> None:
        """Change the row while it is still ours; raises :class:`ExportLost` if it is not."""
        changes = {"leased_until": self._exports.clocks.base.now() + LEASE, **columns}
        mine = ExportJob.filter(id=job.id, status=ExportStatus.RUNNING, attempts=job.attempts)
        if not await mine.update(**changes):
            raise ExportLost()

    async def _failed(self, job: ExportJob, fault: str) -> None:
        over = job.attempts >= MOST_ATTEMPTS
        mine = ExportJob.filter(id=job.id, status=ExportStatus.RUNNING, attempts=job.attempts)
        if over:
            now = self._exports.clocks.now(job.programme_slug)
            async with in_transaction():
                ended = await mine.update(
                    status=ExportStatus.FAILED, error=fault, leased_until=None, finished_at=now
                )
                if ended:
                    await ExportPart.filter(job_id=job.id).delete()
        else:
            again = self._exports.clocks.base.now() + AFTER_FAILURE
            await mine.update(status=ExportStatus.WAITING, error=fault, leased_until=again)


def _sheet(format: ExportFormat) -> Literal["xlsx", "csv"]:
    """What a list is written as; a ZIP is none."""
    return "csv" if format is ExportFormat.CSV else "xlsx"


def _scope(job: ExportJob) -> Scope:
    return Scope(
        job.programme_slug,
        ExportFilters.kept(job.filters),
        frozenset(job.areas),
        job.through_id,
        job.revealed,
    )


def _packed(rows: Sequence[Sequence[Cell]], masks: Sequence[Callable[[str], str] | None]) -> bytes:
    lines = [
        json.dumps(
            [_written(value, mask) for value, mask in zip(row, masks, strict=True)], ensure_ascii=False
        )
        for row in rows
    ]
    return gzip.compress("".join(f"{line}\n" for line in lines).encode(), compresslevel=1)


def _written(value: Cell, mask: Callable[[str], str] | None) -> Any:
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, date):
        return value.isoformat()
    return mask(value) if mask is not None else value
