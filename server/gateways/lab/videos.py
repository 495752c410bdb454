"""Videos: an MP4 is a row of boxes; it is walked, and what is shown keeps no place and no name."""

from __future__ import annotations

from pathlib import Path

from server.gateways.lab import Flaw, Flawed

_HOLD_BOXES = {b"moov", b"trak", b"mdia", b"edts"}
_TELL = {b"udta", b"meta", b"uuid"}
"""Where cameras write the place, the owner and the telephone."""
_MOST_BOXES = 10_000
_HEAD = 8
_LONG_HEAD = 16


def examine(source: Path, shown: Path) -> None:
    """Write the copy to show: the same pictures and sound, everything said about them blanked out.

    Blanked in place, because the index of an MP4 counts bytes from its beginning.
    """
    data = bytearray(source.read_bytes())
    seen = _blank(data, 0, len(data), 0)
    if not {b"ftyp", b"moov", b"mdat"} <= seen:
        raise Flawed(Flaw.DAMAGED)
    shown.write_bytes(data)


def _blank(data: bytearray, at: int, end: int, count: int) -> set[bytes]:
    seen: set[bytes] = set()
    while at < end:
        count += 1
        size, kind, head = int.from_bytes(data[at : at + 4], "big"), bytes(data[at + 4 : at + 8]), _HEAD
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16], "big"), _LONG_HEAD
        elif size == 0:
            size = end - at
        if size < head or at + size > end or count > _MOST_BOXES:
            raise Flawed(Flaw.DAMAGED)
        seen.add(kind)
        if kind in _TELL:
            data[at + 4 : at + 8] = b"free"
            data[at + head : at + size] = bytes(size - head)
        elif kind in _HOLD_BOXES:
            seen |= _blank(data, at + head, at + size, count)
        at += size
    return seen
