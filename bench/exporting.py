"""One process that makes every export that waits and ends: ``python -m bench.exporting DIRECTORY``.

Settings come from the environment, as for a server; files go into the directory. It prints one JSON object:
the rows it wrote, how long that took, and the most memory it and its writer of sheets ever had.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path

from server.clock import SystemClock
from server.database import close_database, open_database
from server.gateways.evidence_store import EvidenceStore
from server.gateways.press import Press
from server.gateways.seal_keys import SealKeys
from server.gateways.sheet_press import SheetPress
from server.models.exports import ExportJob
from server.programme.registry import Programmes
from server.sealing import Sealer
from server.services.clocks import ProgrammeClocks
from server.services.exports.export_kinds import PAGE_ROWS
from server.services.exports.export_runs import ExportRuns
from server.services.exports.export_sources import own_sources
from server.services.exports.exports import Exports
from server.services.files.evidence import Evidence
from server.services.proof.audit_packs import AuditPacks
from server.services.proof.case_files import CASE_FILE
from server.settings import Settings, load

LOOK_SECONDS = 0.1


class Watch:
    """The most memory that a child ever had, KiB, by what the kernel keeps of the child's own pages.

    What ``getrusage`` says of a child counts the parent's pages at the moment of its start.
    """

    def __init__(self) -> None:
        self.peak_kib = 0

    async def keep_looking(self) -> None:
        """Look again and again until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """What every child has had so far."""
        for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
            with suppress(OSError):
                for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                    if line.startswith("VmHWM:"):
                        self.peak_kib = max(self.peak_kib, int(line.split()[1]))


async def export_all(settings: Settings, directory: Path) -> dict[str, float]:
    """Make what waits."""
    began, programmes = time.perf_counter(), Programmes.load(settings.programmes_dir)
    opened = await open_database(settings.database_url)
    watch = Watch()
    looking = asyncio.create_task(watch.keep_looking())
    try:
        evidence = Evidence(EvidenceStore(directory))
        exports = Exports(programmes, ProgrammeClocks(SystemClock()), evidence)
        for kind, source in own_sources(programmes, Sealer(settings.data_keys)).items():
            exports.serve(kind, source)
        packs = AuditPacks(
            programmes,
            SystemClock(),
            evidence,
            Sealer(settings.data_keys),
            Press(),
            SealKeys(directory / "keys"),
            programmes_dir=settings.programmes_dir,
        )
        exports.serve_whole(CASE_FILE, packs)
        await ExportRuns(exports, SheetPress(), page_rows=PAGE_ROWS).run_due()
        jobs = await ExportJob.all()
        rows = sum(job.rows_done for job in jobs if job.status == "done")
        downloaded = 0
        for job in jobs:
            async for piece in evidence.pieces(job.sha256):
                downloaded += len(piece)
        if downloaded != sum(job.size_bytes for job in jobs):
            raise RuntimeError("the store gives back another file")
    finally:
        looking.cancel()
        await close_database(opened)
    return {
        "rows": rows,
        "bytes": downloaded,
        "seconds": time.perf_counter() - began,
        "own_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "writer_kib": watch.peak_kib,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(export_all(load(os.environ), Path(sys.argv[1])))))
