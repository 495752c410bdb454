"""The chat's walk in small: the first conversations of it, with both servers killed while people talk."""

from __future__ import annotations

from pathlib import Path

import pytest

from walks.chat import walk

FEW = 16


@pytest.mark.timeout(300)
async def test_nothing_said_in_the_chat_is_lost_doubled_or_told(tmp_path: Path) -> None:
    talks, _, verdict = await walk(tmp_path, seed=7, most=FEW, whole=False)
    assert len(talks.done) == FEW
    assert verdict.filed >= FEW // 2
    assert (verdict.lost, verdict.doubled, verdict.leaked, verdict.wrong) == ([], [], [], [])
