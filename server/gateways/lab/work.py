"""Work: one order in, one report out."""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from typing import Any

from server.gateways.lab import (
    AMR,
    JPEG,
    MP4,
    PDF,
    PNG,
    Examined,
    Flaw,
    Flawed,
    Report,
    merging,
    papers,
    pictures,
    videos,
    voices,
)
from server.gateways.lab.marks import require_clean

HEAVY_BYTES = 256 * 1_048_576
"""Memory that no honest file that turns out to be broken has taken until then."""


def done(order: dict[str, Any]) -> Report:
    """What came of an order: ``{"done": …}`` or ``{"flaw": …}``."""
    try:
        if order["job"] == "merge":
            sources = [(Path(path), media_type) for path, media_type in order["sources"]]
            return {"done": merging.merge(sources, Path(order["target"]), order["max_bytes"])}
        return {"done": examined(order)}
    except Flawed as flawed:
        # A parser that ran out of memory often says that the file is broken.
        if flawed.flaw is Flaw.DAMAGED and _peak_bytes() > HEAVY_BYTES:
            return {"flaw": Flaw.HEAVY.value}
        return {"flaw": flawed.flaw.value}
    except (MemoryError, RecursionError):
        return {"flaw": Flaw.HEAVY.value}
    # A parser may fail in any way over a crafted file; in this process that harms nobody.
    except Exception as fault:  # noqa: BLE001
        return {"flaw": Flaw.DAMAGED.value, "fault": type(fault).__name__}


def examined(order: dict[str, Any]) -> Examined:
    """Open a file as what it says it is and write the copy to show."""
    source, shown, media_type = Path(order["source"]), Path(order["shown"]), order["media_type"]
    require_clean(source, source.read_bytes())
    if media_type == PDF:
        return Examined(
            pages=papers.examine(source, shown, order["watermark"]), hints=[], shown_media_type=PDF
        )
    if media_type == MP4:
        videos.examine(source, shown)
        return Examined(pages=1, hints=[], shown_media_type=MP4)
    if media_type == AMR:
        voices.examine(source, shown)
        return Examined(pages=1, hints=[], shown_media_type=AMR)
    if media_type in (JPEG, PNG):
        hints = pictures.examine(source, media_type, shown, order["watermark"])
        return Examined(pages=1, hints=hints, shown_media_type=JPEG)
    raise Flawed(Flaw.DAMAGED)


def _peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in kilobytes, macOS in bytes.
    return peak if sys.platform == "darwin" else peak * 1024
