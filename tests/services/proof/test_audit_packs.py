"""Audit packs: a case as a ZIP that an auditor checks with Python and nothing of ours."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import shutil
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from pypdf import PdfReader
from tortoise.connection import get_connection

from server.clock import CHINA
from server.database import close_database, open_database
from server.gateways.anchoring import FileAnchor
from server.gateways.press import Press
from server.gateways.seal_keys import SealKeys
from server.gateways.sheet_press import SheetPress
from server.models.complaints import Complaint
from server.models.exports import ExportJob
from server.models.files import FileAttachment, StoredFile
from server.models.journal import JournalEntry
from server.models.orders import CancellationRequest, Order
from server.models.organisations import Organisation
from server.models.outbox import OutboxMessage
from server.models.people import Person
from server.models.reviews import ReviewCase
from server.models.sampling import SampleAnswer, SamplingDraw, SamplingItem
from server.models.settlements import Settlement
from server.programme.review import ReviewSubject, Sampled
from server.programme.vocabulary import Party
from server.sealing import Sealer
from server.services.access import Actor, NotFound
from server.services.budgets import ledger
from server.services.clocks import ProgrammeClocks
from server.services.exports.export_runs import LEASE, ExportRuns
from server.services.exports.exports import ExportNotReady, Exports
from server.services.proof import audit_packs
from server.services.proof.audit_packs import AuditPacks
from server.services.proof.case_files import CASE_FILE, CaseFiles, CaseReasonMissing, CaseRevealForbidden
from server.services.proof.case_proofs import Places, proofs
from server.services.proof.case_scope import CaseKind, CaseNameUnusable, scope_of
from server.services.proof.case_sections import SECTIONS, Copy, rows_of
from server.services.proof.journal_seals import JournalSeals
from server.settings import DEMO_SECRET
from tests.contracting import GRABBED, SEALER, person_of
from tests.factories import make_enterprise
from tests.ordering import make_order
from tests.proving import as_a_dba
from tests.sanctioning import Court
from tests.settling import Counter
from tools import verify_case

SCAN_BYTES = 2 << 20
_scans = count(1)
ROOT = Path(__file__).parents[3]
SECRET = "13812345678"


class PlainPress(Press):
    """Sets no page: where nobody reads the papers, their setting is most of the time."""

    async def print(self, template: str, content: Mapping[str, Any], *, at: datetime) -> bytes:
        return f"{template} {content['title']}".encode()


@dataclass(frozen=True)
class Pack:
    """A file as its asker fetched it."""

    path: Path
    sha256: str


class Packing:
    """Where files of cases are asked for, made and fetched."""

    def __init__(self, house: Counter | Court, folder: Path, sealer: Sealer, press: Press) -> None:
        self.folder = folder
        self.keys = SealKeys(folder / "keys")
        self.exports = Exports(house.programmes, ProgrammeClocks(house.clock), house.evidence)
        self.exports.serve_whole(
            CASE_FILE,
            AuditPacks(
                house.programmes,
                house.clock,
                house.evidence,
                sealer,
                press,
                self.keys,
                programmes_dir=ROOT / "config/programmes",
            ),
        )
        self.files = CaseFiles(self.exports)

    def runs(self) -> ExportRuns:
        return ExportRuns(self.exports, SheetPress())

    async def fetched(self, job: ExportJob, actor: Actor) -> Pack:
        """The file of a job, made and downloaded."""
        await self.runs().run_due()
        download = await self.exports.download(job.id, actor=actor)
        path = self.folder / f"{job.number}.zip"
        with path.open("wb") as out:
            async for piece in download.content:
                out.write(piece)
        return Pack(path, download.job.sha256)

    async def make(self, case: str, actor: Actor, *, revealed: bool = False, reason: str = "") -> Pack:
        job = await self.files.ask(case, revealed=revealed, reason=reason, actor=actor)
        return await self.fetched(job, actor)


class Registry(Counter):
    """A settlement counter whose journal is sealed, with packs made of its cases."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.packs = self.packing(PlainPress())
        self.keys = self.packs.keys
        self.anchor = folder / "kept.jsonl"
        self.seals = JournalSeals(self.clock, self.keys, [FileAnchor(self.anchor)])

    def packing(self, press: Press) -> Packing:
        return Packing(self, self.folder, Sealer({"demo": DEMO_SECRET}), press)

    async def file(self, owner: Organisation, slug: str) -> int:
        content = f"%PDF-1.7 scan {next(_scans)}".encode()
        stored = await StoredFile.get(id=await super().file(owner, slug))
        kept = await self.evidence.keep(content, now=self.now)
        copied = {**dict(stored), "original_id": kept, "shown_id": kept}
        del copied["id"]
        return int((await StoredFile.create(**copied)).id)

    async def settled(self) -> Settlement:
        """A settlement that may be paid, sealed under a signed day, with one entry of today on top."""
        settlement = await self.through(
            await self.submitted(await self.finished(GRABBED, budget=await self.budget(GRABBED)))
        )
        await self.seals.seal_all()
        self.clock.advance(timedelta(days=1))
        await self.seals.close_days(before=self.clock.now().astimezone(CHINA).date())
        await self.seals.keep_days()
        return settlement

    async def official(self, *roles: str) -> Actor:
        return await self.staff(roles[0] if roles else "authority")

    async def pack(self, settlement: Settlement, *, actor: Actor | None = None, **said: Any) -> Pack:
        """The file of a settlement for the authority."""
        return await self.packs.make(f"settlement:{settlement.id}", actor or await self.official(), **said)

    async def own(self, order_id: int, side: Organisation) -> Pack:
        """The copy that a side of an order keeps."""
        owner = await Person.create(account=f"owner{next(_scans)}", created_at=self.now)
        actor = replace(person_of(side), id=owner.id)
        job = await self.packs.files.ask_own(order_id, actor=actor)
        for other in (replace(actor, organisation_id=side.id + 1), replace(actor, id=owner.id + 1)):
            with pytest.raises(NotFound):
                await self.packs.exports.find(job.id, actor=other)
        return await self.packs.fetched(job, actor)

    def checked(self, path: Path, *options: str) -> tuple[int, str]:
        """What the verifier says that lies in the ZIP, run alone in an empty directory."""
        empty = self.folder / "empty"
        shutil.rmtree(empty, ignore_errors=True)
        empty.mkdir()
        with zipfile.ZipFile(path) as whole:
            (empty / "verify_case.py").write_bytes(whole.read("verify_case.py"))
        ran = subprocess.run(
            [sys.executable, "-I", "-S", "verify_case.py", str(path), *options],
            cwd=empty,
            env={},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.stderr == ""
        return ran.returncode, ran.stdout

    def changed(self, path: Path, **others: bytes | None) -> Path:
        """The same ZIP with the files of some names changed or left out."""
        copy = self.folder / "changed.zip"
        with zipfile.ZipFile(path) as whole, zipfile.ZipFile(copy, "w") as out:
            for name in whole.namelist():
                content = others.get(name, whole.read(name))
                if content is not None:
                    out.writestr(name, content)
        return copy


@pytest.fixture
async def registry(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Registry]:
    """On SQLite alone: where databases differ, tests/services/proof/test_journal_seals.py looks."""
    context = await open_database(sqlite_url)
    yield Registry(tmp_path)
    assert await ledger.verify() == []
    await close_database(context)


def read(pack: Pack, name: str) -> bytes:
    with zipfile.ZipFile(pack.path) as whole:
        return whole.read(name)


@pytest.mark.rules("GX-70")
async def test_a_case_is_checked_with_python_alone_and_every_change_to_it_is_named(
    registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    settlement = await registry.settled()
    pack = await registry.pack(settlement)
    (public,) = registry.keys.public_keys().values()
    trust = ("--key", sha256(bytes.fromhex(public)).hexdigest(), "--anchor", str(registry.anchor))
    status, said = registry.checked(pack.path, *trust)
    assert (status, said.splitlines()[-1]) == (0, "verdict: nothing was altered"), said

    names = zipfile.ZipFile(pack.path).namelist()
    evidence = next(name for name in names if name.startswith("files/"))
    lines = read(pack, "proof/journal.jsonl").splitlines(keepends=True)
    forged = json.loads(lines[1])
    forged["entry"]["actor"] = "staff:999"
    journal = "proof/journal.jsonl"
    faults: dict[str, dict[str, bytes | None]] = {
        "was changed: its hash": {evidence: b"other bytes"},
        "was taken out": {evidence: None},
        "(entry": {journal: b"".join([lines[0], json.dumps(forged).encode(), b"\n", *lines[2:]])},
        "is missing, or they changed places": {journal: b"".join([lines[1], lines[0], *lines[2:]])},
        "is not what was signed": {"manifest.json": read(pack, "manifest.json").replace(b"true", b"null")},
        # Said twice, a name is read by some as the first and by others as the last.
        "manifest.json) is not what was signed": {
            "manifest.json": read(pack, "manifest.json").replace(b"{", b'{"case":"settlement:999",', 1)
        },
        "maximum recursion depth": {journal: b'{"entry":' * 100_000},
    }
    for fault, others in faults.items():
        status, said = registry.checked(registry.changed(pack.path, **others), *trust)
        assert status == 1
        assert fault in said, said
    whole = bytearray(pack.path.read_bytes())
    with zipfile.ZipFile(pack.path) as packed:
        begins = packed.getinfo("verify_case.py").header_offset
    whole[begins + 200 : begins + 240] = bytes(40)
    (registry.folder / "torn.zip").write_bytes(whole)
    assert verify_case.main([str(registry.folder / "torn.zip"), *trust]) == 1
    said = capsys.readouterr().out
    assert "verify_case.py was changed: its hash is none" in said
    assert said.splitlines()[-1] == "verdict: 1 faults"
    # A fingerprint is compared, however it is typed.
    assert verify_case.main([str(pack.path), "--key", trust[1].upper()]) == 0

    registry.anchor.write_bytes(registry.anchor.read_bytes().replace(b'"statement":"', b'"statement":"0'))
    status, said = registry.checked(pack.path, *trust)
    assert (status, "was signed anew: the keeper holds root" in said) == (1, True)
    assert registry.checked(pack.path, "--key", "0" * 64)[0] == 1
    # Whoever names no key is told that the file vouches for itself.
    status, said = registry.checked(pack.path)
    assert (status, "if that key is the platform's" in said.splitlines()[-1]) == (0, True)
    assert registry.checked(registry.changed(pack.path, **{"proof/keys.json": None}))[0] == 1


@pytest.mark.rules("GX-70")
async def test_a_platform_that_hides_its_own_past_is_caught_in_the_file_that_it_signs(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    settlement = await registry.settled()
    trust = ("--anchor", str(registry.anchor))

    async def fewer(places: Places) -> AsyncIterator[dict[str, Any]]:
        for line in [line async for line in proofs(places)][1:]:
            yield line

    monkeypatch.setattr(audit_packs, "proofs", fewer)
    status, said = registry.checked((await registry.pack(settlement)).path, *trust)
    assert (status, "is older than the last signed day and has no proof" in said) == (1, True), said
    monkeypatch.undo()

    entry = await JournalEntry.filter(subject=f"settlement:{settlement.id}").first()
    assert entry is not None
    connection = get_connection(JournalEntry._meta.db.connection_name)
    await as_a_dba(connection, f"DELETE FROM journal_entry WHERE id = {entry.id}")
    status, said = registry.checked((await registry.pack(settlement)).path, *trust)
    assert (status, "was taken out of the journal" in said) == (1, True), said


@pytest.mark.rules("GX-70")
async def test_the_same_content_is_the_same_bytes_and_numbered_papers_with_an_index(
    registry: Registry,
) -> None:
    registry.packs = registry.packing(Press())
    settlement = await registry.settled()
    order = await Order.get(id=settlement.order_id)
    await Order.filter(id=order.id).update(price_reason=f"电话{SECRET}联系")
    first, second = await registry.pack(settlement), await registry.pack(settlement)
    assert first.sha256 == second.sha256
    with zipfile.ZipFile(first.path) as whole:
        papers = sorted(name for name in whole.namelist() if name.endswith(".pdf") and "/" not in name)
        assert papers[0] == "00 案卷目录.pdf"
        assert [name[:2] for name in papers] == [f"{number:02d}" for number in range(len(papers))]
        cover = "".join(page.extract_text() for page in PdfReader(BytesIO(whole.read(papers[0]))).pages)
        assert settlement.number in cover
        settled = "".join(
            page.extract_text()
            for page in PdfReader(BytesIO(whole.read(next(name for name in papers if "兑付" in name)))).pages
        )
        assert settlement.number in settled
        programme = next(name for name in whole.namelist() if name.startswith("programme/"))
        assert whole.read(programme) == (ROOT / f"config/programmes/{GRABBED}.toml").read_bytes()
        book = openpyxl.load_workbook(BytesIO(whole.read("索引.xlsx")))
        assert book.sheetnames == ["文件", "日志", "账务"]
        listed = {row[0]: row[1] for row in book["文件"].iter_rows(min_row=2, values_only=True)}
        unlisted = {"索引.xlsx", "manifest.json", "manifest.sig", "proof/keys.json"}
        assert set(listed) == set(whole.namelist()) - unlisted
        decisions = [json.loads(line) for line in whole.read("records/04-review.jsonl").splitlines()]
        assert {"review_case", "review_decision"} == {row["table"] for row in decisions}
        assert SECRET.encode() not in b"".join(whole.read(name) for name in whole.namelist())
        assert "***" in whole.read("records/02-order.jsonl").decode("unicode_escape")
    made = await JournalEntry.filter(action="export.done").order_by("id")
    assert [entry.data["sha256"] for entry in made] == [first.sha256, second.sha256]


async def test_personal_data_in_clear_needs_the_right_and_a_reason_that_is_kept(registry: Registry) -> None:
    settlement = await registry.settled()
    await Order.filter(id=settlement.order_id).update(price_reason=f"电话{SECRET}联系")
    with pytest.raises(CaseReasonMissing):
        await registry.pack(settlement, revealed=True, reason="查")
    with pytest.raises(CaseRevealForbidden):
        await registry.pack(
            settlement, revealed=True, reason="审计核对联系方式", actor=await registry.official("auditor")
        )
    pack = await registry.pack(settlement, revealed=True, reason="审计核对联系方式")
    assert SECRET.encode() in read(pack, "records/02-order.jsonl")
    asked = await JournalEntry.get(action="export.asked")
    assert (asked.data["of"], asked.data["revealed"]) == (f"settlement:{settlement.id}", True)
    assert asked.data["reason"] == "审计核对联系方式"
    with pytest.raises(CaseNameUnusable):
        await registry.packs.make("budget:1", await registry.official())
    with pytest.raises(NotFound):
        await registry.packs.make("order:999", await registry.official())
    stranger = Actor("staff", 9, "", None, frozenset({"authority"}), frozenset({"another"}))
    with pytest.raises(NotFound):
        await registry.pack(settlement, actor=stranger)


async def test_a_cancellation_is_of_its_own_order_and_a_draws_notes_of_their_own_line(
    registry: Registry,
) -> None:
    programme, sides = registry.programmes.get(GRABBED), [await make_enterprise() for _ in range(2)]
    orders = [await make_order(programme, *sides, at=registry.now) for _ in range(3)]
    for order in orders:
        await registry.reviews.open(
            ReviewSubject.CANCELLATION,
            order.id,
            programme=programme,
            organisation=sides[0],
            title="取消订单",
            actor=person_of(sides[0]),
            now=registry.now,
        )
    asked = {"party": Party.ENTERPRISE, "actor": "person:1", "reason": "项目取消", "files": []}
    await CancellationRequest.create(order_id=orders[2].id, asked_at=registry.now, **asked)
    scope = await scope_of(CaseKind.ORDER, orders[2].id)
    of = [one.subject_id for one in await ReviewCase.filter(id__in=scope.reviews)]
    assert of == [orders[2].id]

    draw = await SamplingDraw.create(
        programme_slug=GRABBED,
        programme_version=programme.version,
        code="authority_check",
        name="使用情况",
        over=Sampled.ORDER,
        share_bp=10_000,
        commitment="0" * 64,
        sealed_seed="",
        announced_by="staff:1",
        announced_at=registry.now,
    )
    for order in orders[1:]:
        item = await SamplingItem.create(draw_id=draw.id, key=order.number, row_id=order.id, stratum="")
        await SampleAnswer.create(
            item_id=item.id, outcome="finding", note=order.number, by="staff:1", at=registry.now
        )
    scope = await scope_of(CaseKind.ORDER, orders[2].id)
    answers = next(one for section in SECTIONS for one in section.sources if one.model is SampleAnswer)
    notes = [row["note"] async for row in rows_of(answers, scope, Copy())]
    assert notes == [orders[2].number]


async def test_a_file_is_begun_once_counted_off_and_made_anew_after_a_death(registry: Registry) -> None:
    settlement = await registry.settled()
    case, clerk = f"settlement:{settlement.id}", await registry.official()
    files, exports = registry.packs.files, registry.packs.exports
    with pytest.raises(NotFound):
        await files.newest(case, actor=clerk)
    job = await files.ask(case, revealed=False, reason="", actor=clerk)
    assert (await files.ask(case, revealed=False, reason="", actor=clerk)).id == job.id
    clear = await files.ask(case, revealed=True, reason="审计核对联系方式", actor=clerk)
    assert clear.id != job.id
    await exports.cancel(clear.id, actor=clerk)
    seen: list[tuple[int, int | None]] = []

    async def killed_among_the_papers() -> None:
        now = await ExportJob.get(id=job.id)
        seen.append((now.rows_done, now.rows_total))
        if now.rows_done > len(SECTIONS):
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await ExportRuns(exports, SheetPress(), turn=killed_among_the_papers).run_due()
    assert seen == sorted(seen, key=lambda one: one[0])
    with pytest.raises(ExportNotReady):
        await exports.download(job.id, actor=clerk)
    registry.clock.advance(LEASE + timedelta(minutes=1))
    pack = await registry.packs.fetched(job, clerk)
    assert registry.checked(pack.path)[0] == 0
    done = await files.newest(case, actor=clerk)
    assert (done.id, done.rows_done, done.attempts) == (job.id, done.rows_total, 2)
    assert await OutboxMessage.filter(recipient=clerk.name, topic="export.done").exists()
    again = await files.ask(case, revealed=False, reason="", actor=clerk)
    assert again.id != job.id, "what is done is of its day"


async def test_a_case_of_many_papers_needs_no_more_memory_than_one_of_few(registry: Registry) -> None:
    settlement = await registry.settled()
    clerk = await registry.official()
    await registry.pack(settlement, actor=clerk)
    sample = dict((await StoredFile.all())[0])
    del sample["id"]
    peaks = []
    for scans in (2, 8):
        for _ in range(scans):
            kept = await registry.evidence.keep(os.urandom(SCAN_BYTES), now=registry.now)
            stored = await StoredFile.create(
                **{**sample, "original_id": kept, "shown_id": kept, "size_bytes": SCAN_BYTES}
            )
            await FileAttachment.create(
                file_id=stored.id,
                subject=f"order:{settlement.order_id}",
                document_code="scan",
                programme_slug=GRABBED,
                attached_at=registry.now,
            )
        job = await registry.packs.files.ask(
            f"settlement:{settlement.id}", revealed=False, reason="", actor=clerk
        )
        gc.collect()
        tracemalloc.start()
        await registry.packs.runs().run_due()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        made = await ExportJob.get(id=job.id)
        assert made.size_bytes > scans * SCAN_BYTES
    assert peaks[1] < peaks[0] * 1.3
    assert peaks[1] < 10 * SCAN_BYTES


@pytest.mark.rules("GX-73")
async def test_each_side_keeps_its_own_copy_and_the_official_side_all_of_it(registry: Registry) -> None:
    settlement = await registry.settled()
    order = await Order.get(id=settlement.order_id)
    copies = {}
    for side in ("enterprise", "provider"):
        one = await Organisation.get(id=getattr(order, f"{side}_id"))
        copies[side] = await registry.own(order.id, one)
    copies["official"] = await registry.pack(settlement)
    inspects = await registry.official("inspector")
    # Two lesser roles are not one of those that read everything.
    both = replace(inspects, roles=inspects.roles | {"expert"})
    copies["third_party"] = await registry.pack(settlement, actor=both)
    rows = {
        side: {
            json.loads(line)["table"]
            for name in zipfile.ZipFile(pack.path).namelist()
            if name.startswith("records/")
            for line in read(pack, name).splitlines()
        }
        for side, pack in copies.items()
    }
    assert {"service_order", "order_act", "ledger_entry"} <= rows["enterprise"] & rows["provider"]
    assert "settlement" in rows["provider"] - rows["enterprise"]
    for side in ("enterprise", "provider"):
        lines = read(copies[side], "records/01-parties.jsonl").splitlines()
        parties, own = {one["id"]: one for one in map(json.loads, lines)}, getattr(order, f"{side}_id")
        # What the other side told the authority of itself is not for its partner.
        assert {"revenue_fen", "headcount", "declarations"} <= parties.pop(own).keys()
        assert [one.keys() for one in parties.values()] == [{"table", "id", "uscc", "name", "area"}]
    cases = await ReviewCase.filter(organisation_id=order.provider_id).values_list("id", flat=True)
    decided = [json.loads(line) for line in read(copies["provider"], "records/04-review.jsonl").splitlines()]
    assert {one["case_id"] for one in decided} <= set(cases)
    assert decided and "review_decision" not in rows["enterprise"]
    assert "review_case" in rows["official"] & rows["third_party"] - rows["provider"]
    assert "ledger_entry" in rows["official"] - rows["third_party"]
    for side, pack in copies.items():
        assert registry.checked(pack.path)[0] == 0
        deciders = [b"reviewer_name" in read(pack, name) for name in ("records/04-review.jsonl",)]
        assert deciders == [side in ("official", "third_party")]
        told = [json.loads(line) for line in read(pack, "proof/journal.jsonl").splitlines()]
        by_staff = [line for line in told if line.get("entry", {}).get("actor", "").startswith("staff:")]
        assert bool(by_staff) == (side in ("official", "third_party"))
    with pytest.raises(NotFound):
        await registry.own(order.id, await registry.provider(GRABBED))


async def test_every_kind_of_case_has_its_file_and_the_mailbox_stays_shut(
    sqlite_url: str, tmp_path: Path
) -> None:
    context = await open_database(sqlite_url)
    court = Court()
    packs = Packing(court, tmp_path, SEALER, PlainPress())
    enterprise, provider = await court.enterprise(GRABBED), await court.provider(GRABBED)
    order, _ = await court.paid(GRABBED, enterprise, provider)
    complaint = await court.complained(GRABBED, order)
    ground = next(
        known.code
        for one in court.programme(GRABBED).sanctions
        if Party.PROVIDER in one.against
        for known in one.grounds
    )
    case = await court.sanctioned(GRABBED, provider, Party.PROVIDER, ground)
    operator, oversight = await court.staff("operator"), await court.staff("oversight_body")
    for name, table in (
        (f"complaint:{complaint.id}", "complaint_entry"),
        (f"sanction:{case.id}", "sanction_entry"),
        (f"provider:{provider.id}", "sanction_case"),
        (f"order:{order.id}", "payment"),
    ):
        pack = await packs.make(name, operator)
        with zipfile.ZipFile(pack.path) as whole:
            rows = b"".join(whole.read(one) for one in whole.namelist() if one.startswith("records/"))
        assert f'"table":"{table}"'.encode() in rows, name
        _, verdict = verify_case.verify(verify_case.Archive(pack.path))
        assert [fault for fault in verdict.faults if "not given back" not in fault] == []
    await Complaint.filter(id=complaint.id).update(sealed=True)
    with pytest.raises(NotFound):
        await packs.make(f"complaint:{complaint.id}", operator)
    await packs.make(f"complaint:{complaint.id}", oversight)
    await close_database(context)
