"""The chat's walk in small: the first conversations of it, with both servers killed while people talk."""

from __future__ import annotations

from pathlib import Path

from walks.chat import walk

FEW = 24


async def test_nothing_said_in_the_chat_is_lost_doubled_or_told(tmp_path: Path) -> None:
    talks, cases, verdict = await walk(tmp_path, seed=7, most=FEW)
    assert verdict.filed >= FEW // 2
    assert (verdict.lost, verdict.doubled, verdict.leaked, verdict.wrong) == ([], [], [], [])
    assert cases.wrong == []
    assert len(talks.done) == FEW
