"""Sampling by hand: a published draw is drawn again from its list and its seed, by anybody, anywhere."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from server import texts
from server.rules.sampling import faults_of
from server.settings import Settings

STANDARD_INPUT = "-"


async def redraw(_: Settings, chosen: argparse.Namespace) -> int:
    """Draw again from a published file; 0 where it agrees, 1 where it does not.

    ``-`` reads what comes in, so that one line fetches and checks:
    ``curl …/sampling-draws/7/list | python -m server sampling redraw -``.
    """
    try:
        published = json.loads(await asyncio.to_thread(_text, chosen.file))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    faults = list(faults_of(published)) if isinstance(published, dict) else ["format"]
    for fault in faults:
        sys.stderr.write(f"{texts.REDRAWN[fault]}\n")
    if not faults:
        agrees = texts.REDRAWN["agrees"]
        counts = {"items": len(published["items"]), "drawn": len(published["drawn"])}
        sys.stdout.write(f"{agrees.format(**counts)}\n")
    return 1 if faults else 0


def _text(file: str) -> str:
    return sys.stdin.read() if file == STANDARD_INPUT else Path(file).read_text("utf-8")
