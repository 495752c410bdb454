"""The lab: a process of its own, without the server's secrets, that outlives no server and survives files."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.gateways.file_lab import FileLab
from server.gateways.lab import JPEG, PDF, Flaw, Flawed
from tests.hostile.seeds import paper, photo


@pytest.fixture
async def lab() -> AsyncIterator[FileLab]:
    lab = FileLab()
    yield lab
    await lab.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    source.write_bytes(paper(2))
    return source


async def looked_at(lab: FileLab, source: Path) -> int:
    """The pages of a paper: that the lab works."""
    return (await lab.examine(source, PDF, source.with_suffix(".shown"), ""))["pages"]


def process_id(lab: FileLab) -> int:
    assert lab._process is not None
    return lab._process.pid


def environment(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


async def test_it_starts_with_the_first_file_and_serves_the_next(lab: FileLab, source: Path) -> None:
    assert lab._process is None
    assert await looked_at(lab, source) == 2
    first = process_id(lab)
    assert await looked_at(lab, source) == 2
    assert process_id(lab) == first


async def test_a_lab_that_died_is_started_again(lab: FileLab, source: Path) -> None:
    await looked_at(lab, source)
    dead = process_id(lab)
    os.kill(dead, signal.SIGKILL)
    await asyncio.to_thread(lab._process.wait)  # type: ignore[union-attr]
    assert await looked_at(lab, source) == 2
    assert process_id(lab) != dead


async def test_many_files_at_once_are_all_answered(lab: FileLab, source: Path, tmp_path: Path) -> None:
    asked = [lab.examine(source, PDF, tmp_path / f"{number}", "") for number in range(12)]
    assert [one["pages"] for one in await asyncio.gather(*asked)] == [2] * 12


async def test_it_knows_no_secret_of_the_server(
    lab: FileLab, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QIQUAN_RECEIPT_KEY", "canary")
    await looked_at(lab, source)
    assert b"QIQUAN" not in environment(process_id(lab))


async def test_it_ends_with_the_server(lab: FileLab, source: Path) -> None:
    await looked_at(lab, source)
    process = lab._process
    assert process is not None and lab._orders is not None
    # As when the server is killed: nobody says goodbye, the socket just closes.
    lab._orders.close()
    assert await asyncio.to_thread(process.wait, 10) == 0


async def test_what_is_not_there_is_damaged(lab: FileLab, tmp_path: Path) -> None:
    with pytest.raises(Flawed) as flawed:
        await lab.examine(tmp_path / "nothing", PDF, tmp_path / "shown", "")
    assert flawed.value.flaw is Flaw.DAMAGED


async def test_the_server_answers_others_while_a_file_is_opened(lab: FileLab, tmp_path: Path) -> None:
    source = tmp_path / "photo"
    source.write_bytes(photo())
    turns = 0
    work = asyncio.create_task(lab.examine(source, JPEG, tmp_path / "shown", "仅用于测试"))
    while not work.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 5
