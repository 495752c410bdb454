"""The journal's proof: chained behind the write, and every way to tamper with it is named."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from tortoise.connection import get_connection
from tortoise.context import TortoiseContext

from server.clock import FixedClock
from server.database import connection_name
from server.gateways.anchoring import ChainDock, FileAnchor
from server.gateways.seal_keys import SealKeys
from server.gateways.timestamping import TimeStampAuthority
from server.models.journal import JournalEntry
from server.models.proof import DayAnchor, DayRoot, JournalSeal
from server.services import journal
from server.services.proof.journal_seals import HORIZON, JournalSeals
from server.services.proof.journal_verification import STAMPED_WITHIN, Findings, JournalVerification
from standin.timestamping import AnchorStandIn, TimeStamper
from tests.proving import as_a_dba, seal_again
from tools import verify_case

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
pytestmark = pytest.mark.rules("GX-70")


class Registry:
    """A journal with its sealer, its verifier and an anchor's file, on a clock that stands still."""

    def __init__(self, directory: Path, database_url: str) -> None:
        self.clock = FixedClock(NOON)
        self.keys = SealKeys(directory / "keys")
        self.file = directory / "kept" / "days.jsonl"
        self.anchor = FileAnchor(self.file)
        self.seals = JournalSeals(self.clock, self.keys, [self.anchor])
        self.verification = JournalVerification(self.keys, [self.anchor])
        self.connection = get_connection(connection_name(database_url))

    async def write(self, *subjects: str) -> list[int]:
        """One entry for each subject; their ids."""
        made = [
            await journal.record(
                "order.moved",
                one,
                actor="staff:3",
                at=NOON,
                programme_slug="p",
                reason="依据第十条",
                fen=7 * n,
            )
            for n, one in enumerate(subjects)
        ]
        return [entry.id for entry in made]

    async def pass_time(self, by: timedelta = HORIZON) -> int:
        """Let it pass, and have the job take its turn."""
        self.clock.advance(by)
        return await self.seals.turn()

    async def seal_a_day(self, *subjects: str) -> list[int]:
        """A day with these entries, signed and kept."""
        ids = await self.write(*subjects)
        await self.seals.seal_all()
        await self.pass_time(timedelta(days=1))
        return ids

    async def faults(self, **narrowed: object) -> list[str]:
        return (await self.verification.verify(**narrowed)).faults  # type: ignore[arg-type]


@pytest.fixture
def registry(database: TortoiseContext, database_url: str, tmp_path: Path) -> Registry:
    """The journal's registry, once on each kind of database."""
    return Registry(tmp_path, database_url)


async def test_each_subject_has_a_chain_of_its_own_and_a_day_one_root(registry: Registry) -> None:
    ids = await registry.seal_a_day("order:1", "order:2", "order:1")
    chain = await JournalSeal.filter(subject="order:1").order_by("seq")
    assert [(one.entry_id, one.seq) for one in chain] == [(ids[0], 1), (ids[2], 2)]
    assert chain[1].previous == chain[0].hash
    row = await DayRoot.get()
    assert (row.day, row.first_place, row.last_place) == (date(2026, 3, 2), 1, 3)
    found = await registry.verification.verify()
    assert found == Findings(sealed=3, days=1, anchored=1)
    assert found.summary().endswith("verified")


async def test_what_is_younger_than_the_horizon_waits_and_what_comes_late_is_chained_and_said(
    registry: Registry,
) -> None:
    first, second, third = await registry.write("order:1", "order:2", "order:1")
    held_back = await JournalEntry.get(id=second).values()
    await as_a_dba(registry.connection, "DELETE FROM journal_entry WHERE id = 2")
    assert await registry.seals.turn() == 0, "ids were given, and may not be committed yet"
    assert await registry.pass_time() == 2
    await JournalEntry.create(**held_back)
    assert await registry.seals.turn() == 1
    assert await JournalSeal.filter(late=True).values_list("entry_id", flat=True) == [second]
    assert await JournalSeal.all().order_by("place").values_list("entry_id", flat=True) == [
        first,
        third,
        second,
    ]
    found = await registry.verification.verify()
    assert (found.faults, found.late) == ([], 1)


async def test_of_two_who_seal_at_once_one_writes(registry: Registry) -> None:
    await registry.write(*["order:1"] * 4)
    await registry.seals.seal_all()
    await registry.write(*["order:1"] * 4)
    other = JournalSeals(registry.clock, registry.keys)

    assert sorted(await asyncio.gather(registry.seals.seal_all(), other.seal_all())) == [0, 4]
    assert await registry.faults() == []


async def test_a_changed_byte_is_named(registry: Registry) -> None:
    ids = await registry.seal_a_day("order:1", "order:1", "order:2")
    await as_a_dba(registry.connection, "UPDATE journal_entry SET actor = 'staff:4' WHERE id = 2")
    assert await registry.faults() == [f"changed: entry {ids[1]} (order:1 no. 2) is not what was sealed"]
    assert len(await registry.faults(subject="order:1")) == 1
    assert await registry.faults(subject="order:2") == []


async def test_a_removed_entry_is_named_and_so_is_one_with_its_seal(registry: Registry) -> None:
    ids = await registry.seal_a_day("order:1", "order:1", "order:1")
    await as_a_dba(registry.connection, "DELETE FROM journal_entry WHERE id = 2")
    assert await registry.faults() == [
        f"removed: entry {ids[1]} (order:1 no. 2) was taken out of the journal"
    ]
    await as_a_dba(registry.connection, "DELETE FROM journal_seal WHERE place = 2")
    assert await registry.faults() == [
        "gap: seals 2 to 2 were taken out",
        "gap: the link before order:1 no. 3 was taken out",
        "day: the root of 2026-03-02 (no. 1) is not the root of its 2 links",
    ]


async def test_a_look_at_one_case_misses_no_last_entry_on_a_day_of_its_own_and_says_what_it_cannot_see(
    registry: Registry,
) -> None:
    await registry.seal_a_day("order:1", "order:2")
    await registry.seal_a_day("order:1")
    found = await registry.verification.verify(subject="order:1")
    assert found.faults == []
    assert "order:1 alone" in found.summary() and "a run over everything sees" in found.summary()
    await as_a_dba(
        registry.connection,
        "DELETE FROM journal_entry WHERE id = 3",
        "DELETE FROM journal_seal WHERE place = 3",
    )
    # Whatever is written next stands behind the gap, or the journal ends before its last signed day does.
    gone = ["gap: 1 seals of day 2026-03-03 (no. 2) were taken out"]
    assert await registry.faults(subject="order:1") == gone
    assert await registry.faults(subject="order:2") == gone
    assert len(await registry.faults()) == 1


async def test_two_swapped_entries_are_named(registry: Registry) -> None:
    ids = await registry.seal_a_day("order:1", "order:2", "order:1")
    await as_a_dba(
        registry.connection,
        "UPDATE journal_entry SET id = -1 WHERE id = 1",
        "UPDATE journal_entry SET id = 1 WHERE id = 3",
        "UPDATE journal_entry SET id = 3 WHERE id = -1",
    )
    assert await registry.faults() == [
        f"swapped: entries {ids[0]} (order:1 no. 1) and {ids[2]} (order:1 no. 2) changed places"
    ]


async def test_an_entry_slipped_in_is_named(registry: Registry) -> None:
    await registry.seal_a_day("order:1", "order:1", "order:1")
    await as_a_dba(
        registry.connection,
        "UPDATE journal_entry SET id = 9 WHERE id = 3",
        "UPDATE journal_seal SET entry_id = 9 WHERE place = 3",
        "INSERT INTO journal_entry (id, at, action, actor, subject, programme_slug, data)"
        " SELECT 4, at, action, actor, subject, programme_slug, data FROM journal_entry WHERE id = 1",
    )
    assert "added: entry 4 stands among sealed ones without a seal" in await registry.faults()


async def test_a_day_signed_anew_with_our_own_key_is_caught_by_what_the_anchor_keeps(
    registry: Registry,
) -> None:
    await registry.seal_a_day("order:1", "order:2")
    await registry.seal_a_day("order:1")
    kept = (await DayRoot.get(number=1)).root
    await as_a_dba(registry.connection, "UPDATE journal_entry SET actor = 'staff:4' WHERE id = 1")
    await seal_again(registry.connection, registry.keys)
    forged = (await DayRoot.get(number=1)).root
    # Without the anchor everything agrees with everything.
    alone = JournalVerification(registry.keys, [])
    assert (await alone.verify()).faults == []
    faults = await registry.faults()
    assert f"signed anew: day 2026-03-02 (no. 1) has root {forged}, the anchor's file keeps {kept}" in faults
    assert [one.partition(":")[0] for one in faults] == ["signed anew", "signed anew"]
    # Nothing that is kept is taken back: a line that is put behind it says nothing against it.
    kept_line = registry.file.read_bytes().splitlines()[0]
    forged_line = kept_line.replace(kept.encode(), forged.encode()).replace(
        json.loads(kept_line)["statement"].encode(), (await DayRoot.get(number=1)).statement.encode()
    )
    registry.file.write_bytes(registry.file.read_bytes() + forged_line + b"\n")
    assert await registry.faults() == faults


async def test_a_day_that_was_taken_out_is_named(registry: Registry) -> None:
    for subject in ("order:1", "order:2", "order:3"):
        await registry.seal_a_day(subject)
    await as_a_dba(registry.connection, "DELETE FROM day_anchor", "DELETE FROM day_root WHERE number > 1")
    assert await registry.faults() == [
        "gap: day 2026-03-03 (no. 2) is kept by the anchor's file and stands no more",
        "gap: day 2026-03-04 (no. 3) is kept by the anchor's file and stands no more",
    ]


async def test_a_signature_of_somebody_elses_is_named_and_an_old_key_still_counts(
    registry: Registry, tmp_path: Path
) -> None:
    await registry.seal_a_day("order:1")
    old = next(iter(registry.keys.public_keys()))
    new = registry.keys.rotate(today=date(2026, 3, 3))
    await registry.seal_a_day("order:1")
    assert [row.key_id for row in await DayRoot.all().order_by("number")] == [old, new]
    assert await registry.faults() == []
    assert not (tmp_path / "keys" / f"{old}.key").exists()
    strange = JournalVerification(SealKeys(tmp_path / "other"), [])
    assert (await strange.verify()).faults == [
        f"signature: day 2026-03-02 (no. 1) is signed by {old}, no key of ours",
        f"signature: day 2026-03-03 (no. 2) is signed by {new}, no key of ours",
    ]


async def test_a_day_closed_before_it_is_over_leaves_the_rest_to_the_next(registry: Registry) -> None:
    await registry.write("order:1")
    await registry.seals.seal_all()
    assert await registry.seals.close_days(before=date(2026, 3, 3)) == 1
    await registry.write("order:1")
    await registry.seals.seal_all()
    assert await registry.seals.close_days(before=date(2026, 3, 3)) == 0
    assert await registry.seals.close_days(before=date(2026, 3, 4)) == 1
    assert [row.day for row in await DayRoot.all().order_by("number")] == [date(2026, 3, 2), date(2026, 3, 3)]
    await registry.seals.keep_days()
    assert await DayAnchor.all().count() == 2
    assert await registry.faults(since=date(2026, 3, 3)) == []


async def test_a_time_stamp_contradicts_a_day_signed_anew_where_the_file_is_gone(
    registry: Registry, tmp_path: Path
) -> None:
    standin, roots = AnchorStandIn(TimeStamper(registry.clock.now)), tmp_path / "ca.pem"
    roots.write_bytes(standin.stamper.ca_pem)
    app = web.Application()
    app.add_routes(standin.routes())
    async with TestServer(app) as server, ClientSession() as http:
        registry.seals.anchors[:] = [
            TimeStampAuthority(http, url=str(server.make_url("/tsa")), roots=roots),
            ChainDock(http, url=str(server.make_url("/chain"))),
        ]
        stamped = JournalVerification(registry.keys, registry.seals.anchors)
        await registry.seal_a_day("order:1")
        assert (await stamped.verify()).anchored == 1
        assert await DayAnchor.all().order_by("anchor").values_list("anchor", flat=True) == [
            "blockchain",
            "rfc3161",
        ]
        await as_a_dba(registry.connection, "UPDATE journal_entry SET actor = 'staff:4' WHERE id = 1")
        await seal_again(registry.connection, registry.keys)
        faults = (await stamped.verify()).faults
        assert [one.partition(" keeps of it")[0] for one in faults] == [
            "anchor: day 2026-03-02 (no. 1) and what rfc3161",
            "anchor: day 2026-03-02 (no. 1) and what blockchain",
        ]


@pytest.mark.parametrize("late_by", [timedelta(days=6), timedelta(days=9)])
async def test_a_day_that_was_stamped_anew_long_after_it_was_over_is_named(
    registry: Registry, tmp_path: Path, late_by: timedelta
) -> None:
    standin, roots = AnchorStandIn(TimeStamper(registry.clock.now)), tmp_path / "ca.pem"
    roots.write_bytes(standin.stamper.ca_pem)
    app = web.Application()
    app.add_routes(standin.routes())
    async with TestServer(app) as server, ClientSession() as http:
        registry.seals.anchors[:] = [TimeStampAuthority(http, url=str(server.make_url("/tsa")), roots=roots)]
        stamped = JournalVerification(registry.keys, registry.seals.anchors)
        await registry.seal_a_day("order:1")
        registry.clock.advance(late_by)
        # Somebody with our key and our database alters the day and has it stamped a second time.
        await as_a_dba(
            registry.connection,
            "UPDATE journal_entry SET actor = 'staff:4' WHERE id = 1",
            "DELETE FROM day_anchor",
        )
        await seal_again(registry.connection, registry.keys)
        assert await registry.seals.keep_days() == 1
        named = "day 2026-03-02 (no. 1)"
        seen = [
            f"stamped late: {named} was seen by rfc3161 on 2026-03-12 for the first time,"
            " 9 days after it was over"
        ]
        assert (await stamped.verify()).faults == (seen if late_by > STAMPED_WITHIN else [])
        assert (await stamped.verify(stamped_since=date(2026, 3, 3))).faults == []
        # An auditor who has the case alone finds the same, unless the keeper of the roots holds the day.
        row, token = await DayRoot.get(), await DayAnchor.get()
        line = {"anchor": token.anchor, "token": token.token}
        for known, faults in ((False, late_by > STAMPED_WITHIN), (True, False)):
            verdict = verify_case.Verdict()
            verify_case.check_anchor(
                line, {"day": row.day.isoformat()}, row.statement, named, verdict, known=known
            )
            assert bool(verdict.faults) is faults
            assert any("stamped late" in one for one in verdict.faults + verdict.notes) is bool(
                late_by > STAMPED_WITHIN
            )
