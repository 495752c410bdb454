"""Draws as everybody reads them, without an account, and draws again with one command."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from server import texts
from server.commands import sampling
from server.keys import SETTINGS
from server.models.organisations import Qualification
from server.models.sampling import SamplingItem
from server.programme.vocabulary import Party
from server.rules.sampling import AMOUNT_BANDS_FEN, committed
from tests.factories import make_qualified
from tests.town import PROGRAMME, Town

PROVIDERS = 12


async def read(town: Town, path: str) -> tuple[int, str]:
    """A page as a browser without an account gets it."""
    status, _, content = await town.anybody.download(path)
    return status, content.decode()


async def command(text: str) -> tuple[int, str]:
    """``python -m server sampling redraw -``, in a process of its own that knows none of our secrets."""
    known = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd())}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "server", "sampling", "redraw", "-",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=known,
    )  # fmt: skip
    said, complained = await process.communicate(text.encode())
    return process.returncode or 0, (said + complained).decode().strip()


def changes(published: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Everything that could be altered in a published draw, one thing at a time, and what it is found as."""
    items, drawn, seed = published["items"], published["drawn"], published["seed"]
    first = items[0]
    others = [one["key"] for one in items if one["key"] not in drawn]
    return [
        ("list", {"items": items[1:]}),
        ("list", {"items": [*items, {**first, "key": "99999999"}]}),
        ("list", {"items": [{**first, "key": first["key"][:-1] + "x"}, *items[1:]]}),
        ("list", {"items": [{**first, "stratum": "00009-0"}, *items[1:]]}),
        ("list", {"items": [{**first, "flagged": True}, *items[1:]]}),
        ("list", {"list_hash": "0" + published["list_hash"][1:]}),
        ("seed", {"seed": ("0" if seed[0] != "0" else "1") + seed[1:]}),
        ("seed", {"commitment": "0" * 64}),
        ("drawn", {"drawn": drawn[1:]}),
        ("drawn", {"drawn": [*drawn[:-1], others[0]]}),
        ("drawn", {"share_bp": 10_000}),
        ("format", {"format": "qiquan-draw-0"}),
    ]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.rules("LS-73", "YC-10", "YC-24")
async def test_a_draw_is_followed_on_its_page_and_drawn_again_from_what_was_exported(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    operator, programme = await town.operator(), town.programmes.get(PROGRAMME)
    providers = [await make_qualified(programme, name=f"服务机构{one}") for one in range(PROVIDERS)]
    await Qualification.all().update(party=Party.PROVIDER)
    made = await operator.post(
        "sampling-draws", programme=PROGRAMME, code="daily_inspection", over="provider", share_bp=3_000
    )
    assert made.status == 201, made.body
    draw = made.body["id"]
    path = f"sampling-draws/{draw}"

    status, page = await read(town, f"/draws/{draw}")
    assert status == 200 and made.body["commitment"] in page and page.count(texts.DRAW_PAGE["later"]) == 5
    assert (await town.anybody.get(f"{path}/list")).status == 404, "there is no list before it is locked"
    locked = await operator.post(f"{path}/lock", version=made.body["version"])
    _, page = await read(town, f"/draws/{draw}")
    assert locked.body["list_hash"] in page and "redraw -" not in page
    keys = list(await SamplingItem.filter(draw_id=draw).values_list("key", flat=True))
    assert len(keys) == PROVIDERS and all(f">{key}</th>" in page for key in keys)
    drawn = await operator.post(f"{path}/draw", version=locked.body["version"])
    assert drawn.status == 200, drawn.body
    seed = drawn.body["seed"]
    assert committed(seed) == made.body["commitment"]
    _, page = await read(town, f"/draws/{draw}")
    assert seed in page and page.count("抽中（第 ") == drawn.body["drawn"] == 4
    assert f"/api/v1/{path}/list | python -m server sampling redraw -" in page
    assert not any(one.name in page or one.uscc in page for one in providers), "a list names nobody"
    _, index = await read(town, "/draws")
    assert f'href="/draws/{draw}"' in index
    for missing in (f"/draws/{draw + 1}", "/draws/nothing", f"/draws/{draw}?after={'x' * 41}"):
        assert (await read(town, missing))[0] in (404, 422)

    # What the server exports is what the command takes, byte by byte; another list is another draw.
    _, exported = await read(town, f"/api/v1/{path}/list")
    one_line = exported.replace(f'"key": "{keys[0]}"', f'"key": "{keys[0][:-1]}x"', 1)
    agrees, differs = await asyncio.gather(command(exported), command(one_line))
    assert agrees == (0, texts.REDRAWN["agrees"].format(items=PROVIDERS, drawn=4))
    assert (differs[0], differs[1].splitlines()[0]) == (1, texts.REDRAWN["list"])
    published, file = json.loads(exported), tmp_path / "draw.json"
    for fault, change in changes(published):
        file.write_text(json.dumps({**published, **change}), "utf-8")
        assert await sampling.redraw(town.app[SETTINGS], Namespace(file=str(file))) == 1
        assert texts.REDRAWN[fault] in capsys.readouterr().err, change
    for broken in ("", "[]", "{}", '{"items": 1}', exported[:-20]):
        file.write_text(broken, "utf-8")
        assert await sampling.redraw(town.app[SETTINGS], Namespace(file=str(file))) == 1


def test_every_band_of_amounts_has_its_words() -> None:
    assert set(texts.DRAW_BANDS) == {str(one) for one in range(len(AMOUNT_BANDS_FEN) + 2)}
