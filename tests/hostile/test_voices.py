"""Voices: an AMR recording is taken if every byte of it is a frame of sound, and not otherwise."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from server.gateways.lab import Flaw, Flawed, voices

MARK = b"#!AMR\n"
LENGTHS = {0: 13, 1: 14, 2: 16, 3: 18, 4: 20, 5: 21, 6: 27, 7: 32, 8: 6, 15: 1}


def frame(kind: int, *, padding: int = 0) -> bytes:
    """One frame of good quality."""
    return bytes([kind << 3 | 0b100 | padding]) + bytes(LENGTHS[kind] - 1)


def examined(content: bytes, folder: Path) -> bytes:
    source, shown = folder / "source", folder / "shown"
    source.write_bytes(content)
    voices.examine(source, shown)
    return shown.read_bytes()


def test_every_kind_of_frame_is_sound(tmp_path: Path) -> None:
    content = MARK + b"".join(frame(kind) for kind in LENGTHS)
    assert examined(content, tmp_path) == content


@pytest.mark.parametrize(
    ("content", "flaw"),
    [
        (b"", Flaw.DAMAGED),
        (MARK, Flaw.DAMAGED),
        (b"#!AMR-WB\n" + frame(7), Flaw.DAMAGED),
        (frame(7), Flaw.DAMAGED),
        (MARK + frame(7)[:-1], Flaw.DAMAGED),
        (MARK + frame(7) + b"<script>", Flaw.DAMAGED),
        (MARK + frame(7) + b"PK\x03\x04" + bytes(40), Flaw.DISGUISED),
        (MARK + frame(7) + bytes([9 << 3]) + bytes(40), Flaw.DISGUISED),
        (MARK + frame(7, padding=1), Flaw.DISGUISED),
        (MARK + frame(7, padding=0b1000_0000), Flaw.DISGUISED),
    ],
)
def test_what_is_no_sound_is_refused(content: bytes, flaw: Flaw, tmp_path: Path) -> None:
    with pytest.raises(Flawed) as found:
        examined(content, tmp_path)
    assert found.value.flaw is flaw


def test_no_mutant_ends_in_anything_but_a_copy_or_a_flaw(tmp_path: Path) -> None:
    random = Random(5)
    whole = MARK + b"".join(frame(random.choice(list(LENGTHS))) for _ in range(40))
    for _ in range(1_000):
        mutant = bytearray(whole)
        mutant[random.randrange(len(mutant))] = random.randrange(256)
        mutant = mutant[: random.randrange(len(mutant) + 1)]
        try:
            assert examined(bytes(mutant), tmp_path) == mutant
        except Flawed:
            continue
