"""Every hostile file is refused by its own code, and nothing of it is left anywhere."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from server.errors import Refusal
from server.gateways.file_lab import FileLab
from server.gateways.lab import JPEG, PDF, PNG, Flawed
from tests.hostile.corpus import CORPUS, Hostile
from tests.hostile.reception import Reception
from tests.hostile.seeds import drawing, located_photo, paper, photo


@pytest.mark.parametrize("hostile", CORPUS, ids=str)
async def test_it_is_refused_and_nothing_is_left(reception: Reception, hostile: Hostile) -> None:
    with pytest.raises(Refusal) as refused:
        await reception.send(hostile.make(), hostile.name, declared=hostile.declared)
    assert refused.value.code == hostile.code
    assert await reception.left() == []


def test_the_corpus_is_large_and_no_title_is_used_twice() -> None:
    assert len({hostile.title for hostile in CORPUS}) == len(CORPUS) > 100


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(located_photo(), JPEG), (drawing(), PNG), (paper(2), PDF)],
    ids=["jpg", "png", "pdf"],
)
async def test_no_spoilt_file_ends_the_lab(
    lab: FileLab, tmp_path: Path, content: bytes, media_type: str
) -> None:
    """Sixty files with bytes turned, cut out and doubled: taken or refused, and none disturbs the next."""
    random = Random(media_type)
    outcomes = set()
    for number in range(60):
        spoilt = bytearray(content)
        for _ in range(random.choice((1, 4, 32))):
            place = random.randrange(len(spoilt))
            match random.randrange(3):
                case 0:
                    spoilt[place] = random.randrange(256)
                case 1:
                    del spoilt[place : place + random.randrange(1, 40)]
                case _:
                    spoilt[place:place] = spoilt[place : place + random.randrange(1, 40)]
        source, shown = tmp_path / f"{number}", tmp_path / f"{number}.shown"
        source.write_bytes(bytes(spoilt))
        try:
            await lab.examine(source, media_type, shown, "")
            outcomes.add("taken")
        except Flawed as flawed:
            outcomes.add(flawed.flaw.value)
    assert "damaged" in outcomes
    source.write_bytes(content)
    assert (await lab.examine(source, media_type, shown, ""))["pages"] >= 1


async def test_a_flood_ends_its_own_child_and_the_next_file_is_taken(reception: Reception) -> None:
    flood = next(hostile for hostile in CORPUS if "gigabyte" in hostile.title)
    with pytest.raises(Refusal):
        await reception.send(flood.make(), flood.name)
    assert (await reception.send(photo(), "照片.jpg")).id
