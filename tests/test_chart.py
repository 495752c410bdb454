"""The chart: what ships loads, its page shows it, and a chart that cannot work stops the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from server import texts
from server.programme.chart import load_chart
from server.programme.faults import ProgrammeError
from tools import chart as page

ROOT = Path(__file__).parent.parent
SHIPPED = (ROOT / "config" / "chat.toml").read_text(encoding="utf-8")


def _loaded(text: str, folder: Path) -> None:
    file = folder / "chat.toml"
    file.write_text(text, encoding="utf-8")
    load_chart(file, texts.CHAT, texts.SPOKEN)


def test_the_chart_that_ships_loads(tmp_path: Path) -> None:
    _loaded(SHIPPED, tmp_path)


def test_its_page_shows_it_as_it_is() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.rendered(), "run: python -m tools.chart --write"


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("longest_draft =", "longest_drafts =", "an unknown key"),
        ('next = "wanted"', 'next = "nowhere"', "the code of a state"),
        ('say = "wanted"', 'say = "wanted_more"', "the key of a sentence"),
        ('code = "left"', 'code = "left_over"', "the code of a state"),
        (
            'code = "amend"\nsay = "readback_amend"\nwords = ["修改"]\nnext = "amend"',
            'code = "amend"\nsay = "readback_amend"\nwords = ["修改"]\nnext = "filed"',
            "can be reached",
        ),
        (
            'ask = "end"\nact = "file"\nrefused = "readback"\nsay = "filed"',
            'ask = "text"\nfield = "more"\nnext = "filed"\nsay = "filed"',
            "an end is reached",
        ),
        ('words = ["修改"]', 'words = ["返回"]', "a word that means one thing"),
        ('words = ["抢券", "领券"]', 'words = ["抢券", "人工"]', "each only once"),
        ('say = "market"\n', "", "a known state, or a sentence"),
        ("?draft={token}", "", "a path with {token}"),
        ('ask = "day"', 'ask = "weekday"', "one of choice"),
        ('code = "since"\nask', 'code = "happened"\nask', "each only once"),
        ('say = "since"\nfield = "since"', 'say = "since"', "both"),
        ('act = "urge"\nrefused = "case"', 'act = "urge"', "an end with act and refused"),
    ],
)
def test_a_chart_that_cannot_work_is_refused(was: str, becomes: str, said: str, tmp_path: Path) -> None:
    assert was in SHIPPED
    with pytest.raises(ProgrammeError) as fault:
        _loaded(SHIPPED.replace(was, becomes, 1), tmp_path)
    assert said in str(fault.value)


def test_a_sentence_that_nobody_says_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "chat.toml"
    file.write_text(SHIPPED, encoding="utf-8")
    with pytest.raises(ProgrammeError, match="nobody says"):
        load_chart(file, {**texts.CHAT, "surplus": ""}, texts.SPOKEN)
