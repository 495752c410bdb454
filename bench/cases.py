"""The file of a case with 20 MB and with 200 MB of papers: the most memory that making it takes.

Made as any export is, in a process of its own (``bench/exporting.py``): every paper is read out of the store,
packed, hashed, stored again as part of the file, and the file is read back as a download does.
"""

from __future__ import annotations

import os
from contextlib import AsyncExitStack

import asyncpg

from bench.exports import ORDERS, ORGANISATIONS, exported
from bench.ratios import Finding
from bench.stage import Stage, a_stage
from server.database import migrate
from server.gateways.evidence_store import EvidenceStore

PAPER_BYTES = 2_000_000
FEW, MANY = 10, 100
"""Papers: of 20 MB and of 200 MB."""
OBJECT = "INSERT INTO evidence_object (sha256, leased_at) VALUES ($1, now())"
PAPER = """
WITH file AS (
  INSERT INTO stored_file (uploaded_by, programme_slug, kind, name, original_id, shown_id, size_bytes,
    media_type, shown_media_type, extension, pages, hints, merged_from, created_at)
  VALUES ('person:1', $2, 'deliverable', 'scan', $1, $1, $3, 'image/jpeg', 'image/jpeg', 'jpg', 1, '[]', '[]',
    now())
  RETURNING id)
INSERT INTO file_attachment (file_id, subject, document_code, programme_slug, attached_at)
SELECT id, 'order:1', 'scan', $2, now() FROM file"""
JOB = """
INSERT INTO export_job (number, kind, subject, programme_slug, filters, areas, format, revealed, reason,
  asked_by, asked_name, asked_at, status, resume_after, rows_done, attempts, error, sha256, size_bytes,
  downloads)
VALUES ('E1', 'case_file', 'order:1', $1, '{"number": "T000000001", "copy": "official", "mailbox": false}',
  '[]', 'zip', false, '', 'staff:1', 'clerk', now(), 'waiting', 0, 0, 0, '', '', 0, 0)"""


async def measure() -> list[Finding]:
    """The one figure."""
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(a_stage())
        few, many = await _run(stage, FEW), await _run(stage, MANY)
    title = f"memory of a case of {MANY * PAPER_BYTES // 10**6} MB / of {FEW * PAPER_BYTES // 10**6} MB"
    return [Finding(title, many / few, 1.3, 1.1, "×", lower_is_better=True)]


async def _run(stage: Stage, papers: int) -> float:
    """The file of a case with so many papers, on a database of its own: the peak memory in KiB."""
    url = await stage.postgres.create(f"bench_cases_{papers}")
    await migrate(url)
    slug = sorted(stage.settings(url).programmes_dir.glob("*.toml"))[0].stem
    files = stage.directory / f"cases-{papers}"
    store = EvidenceStore(files)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(ORGANISATIONS)
        await connection.execute(ORDERS, 1, slug)
        for _ in range(papers):
            sha256 = await store.put(os.urandom(PAPER_BYTES))
            await connection.execute(OBJECT, sha256)
            await connection.execute(PAPER, sha256, slug, PAPER_BYTES)
        await connection.execute(JOB, slug)
    finally:
        await connection.close()
    told = await exported(stage, url, f"case of {papers} papers", files)
    if told["bytes"] < papers * PAPER_BYTES:
        raise RuntimeError(f"{told['bytes']:,} bytes of {papers} papers")
    return told["own_kib"] + told["writer_kib"]
