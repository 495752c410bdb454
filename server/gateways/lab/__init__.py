"""The lab: the only place where a stranger's file is opened by a parser.

It runs in processes of its own (``server.gateways.file_lab`` starts them), each for one file, without
the server's secrets in its environment and with hard limits on memory and processor time. A picture that
unfolds to gigabytes, or a parser that falls for a crafted file, costs one such process and nothing else.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypedDict

PDF, JPEG, PNG, MP4 = "application/pdf", "image/jpeg", "image/png", "video/mp4"
AMR = "audio/amr"

LARGEST_PIXELS = 52_000_000
"""What a telephone's camera gives at most; 50,000 by 50,000 white pixels are a bomb of 300 KB."""
LONGEST_SHOWN = 2_400
"""Pixels of the longer side of the picture that is shown."""


class Flaw(StrEnum):
    """Why a file is not taken."""

    DAMAGED = "damaged"
    """Its parser cannot open it, or it breaks off."""
    LOCKED = "locked"
    """Encrypted: nobody could review it."""
    ACTIVE = "active"
    """It would run, send or fetch something when it is opened."""
    DISGUISED = "disguised"
    """Something else is hidden in it or behind it."""
    HEAVY = "heavy"
    """It unfolds to more than the lab may use."""
    INFECTED = "infected"
    """It carries a known virus."""


class Flawed(Exception):
    """A file that is not taken."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw


class Examined(TypedDict):
    """What the lab found. ``hints`` are codes of photo-quality warnings, never reasons to refuse."""

    pages: int
    hints: list[str]
    shown_media_type: str


class Merged(TypedDict):
    """One PDF out of several files; ``longest_side`` in pixels, 0 if no picture was made smaller."""

    pages: int
    longest_side: int


class ExamineOrder(TypedDict):
    """Look at ``source`` and write the copy that may be shown to ``shown`` (both paths)."""

    job: str
    source: str
    media_type: str
    shown: str
    watermark: str


class MergeOrder(TypedDict):
    """Put ``sources`` (path, media type) in this order into one PDF of at most ``max_bytes``."""

    job: str
    sources: list[tuple[str, str]]
    target: str
    max_bytes: int


Order = ExamineOrder | MergeOrder
Report = dict[str, Any]
