"""Voices: an AMR recording is a mark and then frames of known lengths, and nothing else may be in it."""

from __future__ import annotations

from pathlib import Path

from server.gateways.lab import Flaw, Flawed

_MARK = b"#!AMR\n"
_FRAME_BYTES = {0: 13, 1: 14, 2: 16, 3: 18, 4: 20, 5: 21, 6: 27, 7: 32, 8: 6, 15: 1}
"""How long a frame of each type is, with its first byte (RFC 4867); 8 is silence, 15 no frame."""
_PADDING_BITS = 0b1000_0011


def examine(source: Path, shown: Path) -> None:
    """Write the copy to hear: the recording as it came, walked from its first frame to its last.

    It holds sound and nothing said about it, so there is nothing to take out. What follows the last whole
    frame, or stands between frames, is somebody else's and no sound.
    """
    content = source.read_bytes()
    if not content.startswith(_MARK):
        raise Flawed(Flaw.DAMAGED)
    at = len(_MARK)
    while at < len(content):
        head = content[at]
        length = _FRAME_BYTES.get(head >> 3 & 0b1111)
        if length is None or head & _PADDING_BITS:
            raise Flawed(Flaw.DISGUISED)
        at += length
    if at != len(content) or at == len(_MARK):
        raise Flawed(Flaw.DAMAGED)
    shown.write_bytes(content)
