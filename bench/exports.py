"""Exports of 20,000 and of 200,000 rows as XLSX: the most memory that making them takes.

Counted is the process that reads the rows and the process that writes the sheet, each at its own worst.
The file is read back piece by piece in the same process, as a download does.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg

from bench.ratios import Finding
from bench.stage import Stage, a_stage, settle
from server.database import migrate
from tools.processes import Child, stopping

FEW, MANY = 20_000, 200_000
PATIENCE_SECONDS = 600.0
ORGANISATIONS = """
INSERT INTO organisation (uscc, name, area, industry, legal_person, established_on, headcount, revenue_fen,
  assets_fen, labels, labels_claimed, declarations, created_at, facts_changed_at)
SELECT '91331100MA' || lpad(i::text, 8, '0'), '第' || i || '精密机械制造有限公司', '某省/某市/某区', 'C3484',
  true, '2016-03-18', 42, 1000000000, 800000000, '[]', '[]', '{}', now(), now()
FROM generate_series(1, 500) i"""
ORDERS = """
INSERT INTO service_order (number, programme_slug, programme_version, enterprise_id, provider_id, category,
  service, project, kind, price_fen, contract_fen, invoice_fen, unrelated_fen, price_reason, voucher_fen,
  clause, arithmetic, status, step_since, opened_by, placed_at, reason, version)
SELECT 'T' || lpad(i::text, 9, '0'), $2, '1', 1 + i % 499, 1 + (i * 7) % 499, 'category', '数字化诊断',
  '第' || i || '号车间数字化改造诊断服务', '', 10000000 + i, 9000000 + i, 9000000 + i, 0, '', 3000000 + i,
  '', '', 'done', now(), 'enterprise', now() - i * interval '1 second', '', 1
FROM generate_series(1, $1) i"""
JOB = """
INSERT INTO export_job (number, kind, subject, programme_slug, filters, areas, format, revealed, reason,
  asked_by, asked_name, asked_at, status, resume_after, rows_done, attempts, error, sha256, size_bytes,
  downloads)
VALUES ('E1', 'orders', '', $1, '{}', '[]', 'xlsx', false, '', 'staff:1',
  'clerk', now(), 'waiting', 0, 0, 0, '', '', 0, 0)"""


async def measure() -> list[Finding]:
    """The one figure."""
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(a_stage())
        few, many = await _run(stage, FEW), await _run(stage, MANY)
    return [
        Finding(
            f"memory of an export of {MANY:,} rows / of {FEW:,}",
            many / few,
            1.3,
            1.1,
            "×",
            lower_is_better=True,
        )
    ]


async def _run(stage: Stage, number: int) -> float:
    """An export of so many rows on a database of its own: the peak memory in KiB."""
    url = await stage.postgres.create(f"bench_exports_{number}")
    await migrate(url)
    slug = sorted(stage.settings(url).programmes_dir.glob("*.toml"))[0].stem
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(ORGANISATIONS)
        await connection.execute(ORDERS, number, slug)
        await connection.execute(JOB, slug)
    finally:
        await connection.close()
    told = await exported(stage, url, f"export of {number:,}", stage.directory / f"files-{number}")
    if told["rows"] != number:
        raise RuntimeError(f"{told['rows']:,} rows of {number:,}")
    return told["own_kib"] + told["writer_kib"]


async def exported(stage: Stage, url: str, name: str, files: Path) -> dict[str, float]:
    """What the process that makes all exports of a database says of itself; its store is ``files``."""
    await settle(url)
    answer = files.with_suffix(".json")
    child = Child(
        name,
        [sys.executable, "-m", "bench.exporting", str(files)],
        log=files.with_suffix(".log"),
        answer=answer,
        environment={**stage.environment, "QIQUAN_DATABASE_URL": url},
    )
    with stopping(child) as running:
        status = await asyncio.to_thread(running.process.wait, PATIENCE_SECONDS)
        if status:
            raise RuntimeError(f"{child.name} failed:\n{child.last_lines()}")
    told: dict[str, float] = json.loads((await asyncio.to_thread(answer.read_text)).splitlines()[-1])
    print(
        f"  {child.name}: {told['seconds']:.1f} s, {told['bytes'] / 1024**2:.1f} MiB,"
        f" reader {told['own_kib'] / 1024:.0f} MiB, writer {told['writer_kib'] / 1024:.0f} MiB"
    )
    return told
