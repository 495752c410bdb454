"""Anchors and keys: what keeps a day's hash outside, and what signs it."""

from __future__ import annotations

import json
import stat
from base64 import b64encode
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from server.gateways.anchoring import AnchorAway, AnchorContradicts, ChainDock, DayToKeep, FileAnchor
from server.gateways.seal_keys import SealKeys, SealKeyUnusable, is_signed
from server.gateways.timestamping import TimeStampAuthority, fault_of
from standin.timestamping import AnchorStandIn, TimeStamper
from tools import verify_case

NOW = datetime(2026, 3, 2, tzinfo=UTC)
TODAY = date(2026, 3, 2)
pytestmark = pytest.mark.rules("GX-70")


def a_day(number: int = 1, words: bytes = b"words") -> DayToKeep:
    statement = sha256(words).hexdigest()
    return DayToKeep(number, TODAY, "00" * 32, statement, words, "11" * 64, "20260302-00000000")


async def test_a_file_keeps_each_day_once_and_contradicts_a_second_signing(tmp_path: Path) -> None:
    anchor = FileAnchor(tmp_path / "kept" / "days.jsonl")
    assert await anchor.read() == {}
    await anchor.keep(a_day(1), now=NOW)
    await anchor.keep(a_day(1), now=NOW)
    await anchor.keep(a_day(2), now=NOW)
    assert list(await anchor.read()) == [1, 2]
    with pytest.raises(AnchorContradicts):
        await anchor.keep(a_day(1, b"other words"), now=NOW)
    file = tmp_path / "kept" / "days.jsonl"
    assert len(file.read_text().splitlines()) == 2
    # Half a line, as a power cut leaves it, is not there; the day is written again behind it.
    file.write_text(file.read_text()[:-30])
    assert list(await anchor.read()) == [1]
    await anchor.keep(a_day(2), now=NOW)
    assert list(await anchor.read()) == [1, 2]


async def test_a_file_that_cannot_be_read_is_no_empty_one(tmp_path: Path) -> None:
    (tmp_path / "days.jsonl").write_text("no json\n")
    with pytest.raises(AnchorAway):
        await FileAnchor(tmp_path / "days.jsonl").read()


async def test_a_time_stamp_is_asked_for_checked_and_caught_over_other_words(tmp_path: Path) -> None:
    standin = AnchorStandIn(TimeStamper(lambda: NOW))
    app = web.Application()
    app.add_routes(standin.routes())
    roots = tmp_path / "ca.pem"
    roots.write_bytes(standin.stamper.ca_pem)
    async with TestServer(app) as server, ClientSession() as http:
        authority = TimeStampAuthority(http, url=str(server.make_url("/tsa")), roots=roots)
        kept = await authority.keep(a_day(), now=NOW)
        assert kept.at == NOW
        assert await authority.fault(a_day().statement, kept.token) is None
        assert await authority.fault(a_day(words=b"others").statement, kept.token) is not None
        assert await authority.fault(a_day().statement, b"nothing") is not None
        assert verify_case.stamp_of(kept.token) == (a_day().statement, NOW)
        # Somebody else's authority is none.
        roots.write_bytes(TimeStamper().ca_pem)
        assert fault_of(bytes.fromhex(a_day().statement), kept.token, roots) is not None
        with pytest.raises(AnchorAway):
            await authority.keep(a_day(), now=NOW)
        await http.post(server.make_url("/standin/tsa/away"), json={"times": 1})
        roots.write_bytes(standin.stamper.ca_pem)
        with pytest.raises(AnchorAway):
            await authority.keep(a_day(), now=NOW)
        assert (await authority.keep(a_day(), now=NOW)).at == NOW


async def test_a_blockchain_takes_one_hash_a_day_and_contradicts_a_second() -> None:
    app = web.Application()
    app.add_routes(AnchorStandIn().routes())
    async with TestServer(app) as server, ClientSession() as http:
        dock = ChainDock(http, url=str(server.make_url("/chain")))
        kept = await dock.keep(a_day(), now=NOW)
        assert (await dock.keep(a_day(), now=NOW)).token == kept.token
        assert await dock.fault(a_day().statement, kept.token) is None
        assert await dock.fault("00" * 32, kept.token) is not None
        assert await dock.fault("00" * 32, b64encode(b"x")) is not None
        with pytest.raises(AnchorContradicts):
            await dock.keep(a_day(words=b"others"), now=NOW)
        assert json.loads(kept.token)["statement"] == a_day().statement
        with pytest.raises(AnchorAway):
            await ChainDock(http, url=str(server.make_url("/nowhere"))).keep(a_day(), now=NOW)


def test_the_first_key_is_made_when_it_is_needed_and_rotated_without_losing_what_it_signed(
    tmp_path: Path,
) -> None:
    keys = SealKeys(tmp_path / "keys")
    assert keys.public_keys() == {}
    key_id, signature = keys.sign(b"a day", today=TODAY)
    assert keys.sign(b"a day", today=TODAY) == (key_id, signature)
    secret = tmp_path / "keys" / f"{key_id}.key"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    rotated = keys.rotate(today=TODAY)
    assert keys.sign(b"a day", today=TODAY)[0] == rotated > key_id
    assert not secret.exists()
    assert list(keys.public_keys()) == [key_id, rotated]
    assert is_signed(keys.public_keys()[key_id], signature, b"a day")
    assert not is_signed(keys.public_keys()[rotated], signature, b"a day")
    assert not is_signed("zz", signature, b"a day")


def test_a_key_that_was_exchanged_under_its_name_is_refused(tmp_path: Path) -> None:
    keys, others = SealKeys(tmp_path / "keys"), SealKeys(tmp_path / "others")
    key_id, _ = keys.sign(b"", today=TODAY)
    other_id, _ = others.sign(b"", today=TODAY)
    (tmp_path / "keys" / f"{key_id}.key").write_bytes((tmp_path / "others" / f"{other_id}.key").read_bytes())
    with pytest.raises(SealKeyUnusable, match="another key"):
        keys.public_keys()
    (tmp_path / "keys" / f"{key_id}.key").write_text("short")
    with pytest.raises(SealKeyUnusable, match="not named and written"):
        keys.sign(b"", today=TODAY)
