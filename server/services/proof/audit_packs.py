"""Audit packs: everything about one case as numbered PDFs and one ZIP that can be checked without us.

The same content gives the same bytes: who asked and when stands in the journal, not in the file. Rows and
files are read and written piece by piece, so a large case needs no more memory than a small one.
"""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from server import texts
from server.clock import CHINA, Clock
from server.gateways.press import Press
from server.gateways.seal_keys import SealKeys
from server.models.exports import ExportJob
from server.models.files import StoredFile
from server.models.journal import JournalEntry
from server.programme.registry import Programmes
from server.rules.hash_chain import canonical
from server.rules.personal_data import MASK
from server.sealing import NotSealedByUs, Sealer
from server.services.exports.export_kinds import CountedOff
from server.services.files.evidence import Evidence, EvidenceDamaged
from server.services.proof.case_archive import CaseArchive
from server.services.proof.case_index import CaseIndex
from server.services.proof.case_pages import Pages, pages_of
from server.services.proof.case_proofs import Places, chain_lines, day_lines, proofs
from server.services.proof.case_scope import CaseScope, named, scope_of
from server.services.proof.case_sections import SECTIONS, Audience, Copy, files_of, rows_of, told

VERIFIER = Path(__file__).resolve().parents[3] / "tools" / "verify_case.py"
MANIFEST_DOMAIN = b"qiquan-case-manifest-v1\n"
FORMAT = "qiquan-case-1"
JOURNAL = "proof/journal.jsonl"
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""The date on the papers of a case of which the journal says nothing."""
STAFF_ENTRIES = frozenset({"staff"})
KNOWN_TO = {
    Audience.THIRD_PARTY: frozenset({"order", "settlement", "settlement_application", "review", "draw"}),
    Audience.PROVIDER: frozenset({"order", "settlement", "payment"}),
    Audience.ENTERPRISE: frozenset({"order"}),
}
"""Whose deeds a copy tells, by the kind of subject; the official one tells all."""


class AuditPacks:
    """What makes the file of a case out of an export that ``services/proof/case_files.py`` took in."""

    def __init__(
        self,
        programmes: Programmes,
        clock: Clock,
        evidence: Evidence,
        sealer: Sealer,
        press: Press,
        keys: SealKeys,
        *,
        programmes_dir: Path,
    ) -> None:
        self._programmes = programmes
        self._clock = clock
        self._evidence = evidence
        self._sealer = sealer
        self._press = press
        self._keys = keys
        self._programmes_dir = programmes_dir

    def title_of(self, job: ExportJob) -> str:
        """What it is called in a sentence."""
        return texts.CASE_NUMBERED.format(name=job.subject, number=job.filters["number"])

    def name_of(self, job: ExportJob) -> str:
        """What it is called when it is fetched."""
        name = job.subject.replace(":", "-")
        return texts.CASE_FILE_NAME.format(name=name, number=job.filters["number"])

    async def make(self, job: ExportJob, path: Path, counted_off: CountedOff) -> None:
        """Write the file of a case to ``path``; sections and papers are counted off as they come in."""
        scope = await scope_of(*named(job.subject))
        if not job.filters["mailbox"]:
            await scope.leave_out_the_mailbox()
        copy = Copy(
            Audience(job.filters["copy"]), job.organisation_id, opened=self._open if job.revealed else None
        )
        async with CaseArchive(path) as archive:
            await self._filled(archive, scope, copy, counted_off)

    async def _filled(
        self, archive: CaseArchive, scope: CaseScope, copy: Copy, counted_off: CountedOff
    ) -> None:
        subjects = _subjects(scope, copy)
        newest = await JournalEntry.filter(subject__in=subjects).order_by("-id").first()
        at = newest.at if newest is not None else EPOCH
        with closing(CaseIndex()) as index:
            await self._sections(archive, scope, copy, subjects, at, index, counted_off)
        await self._signed(archive, scope, copy)

    async def _sections(
        self,
        archive: CaseArchive,
        scope: CaseScope,
        copy: Copy,
        subjects: list[str],
        at: datetime,
        index: CaseIndex,
        counted_off: CountedOff,
    ) -> None:
        files = await files_of(scope, copy)
        steps = len(SECTIONS) + len(files) + 1
        lines = [_headline(scope), texts.CASE_COPIES[copy.audience], _masking(copy)]
        lines += await self._programme(archive, scope)
        for number, section in enumerate(SECTIONS, 1):
            await counted_off(number - 1, steps)
            title = texts.CASE_SECTIONS[section.code]
            pages = pages_of(f"{number:02d} {title}", f"records/{number:02d}-{section.code}.jsonl")
            async with archive.writing(pages.records) as out:
                if section.code == "evidence":
                    for file in files:
                        row = told(file, copy)
                        pages.take("stored_file", row)
                        await out(canonical({"table": "stored_file", **row}) + b"\n")
                        await index.file(f"files/{file.sha256}.{file.extension}", file)
                for source in section.sources if section.code != "evidence" else ():
                    if not copy.has(section, source):
                        continue
                    table = str(source.model._meta.db_table)
                    async for row in rows_of(source, scope, copy):
                        pages.take(table, row)
                        await out(canonical({"table": table, **row}) + b"\n")
                        if section.code == "ledger":
                            await index.ledger(row)
            await self._printed(archive, pages.content(self._programmes, scope), f"{pages.title}.pdf", at)
            lines.append(pages.summary())
        for number, file in enumerate(files, len(SECTIONS)):
            await counted_off(number, steps)
            await self._evidence_of(archive, file)
        await counted_off(steps - 1, steps)
        pages = pages_of(f"{len(SECTIONS) + 1:02d} {texts.CASE_SECTIONS['journal']}", JOURNAL)
        chained = await self._proof(archive, subjects, copy, index, pages)
        lines += [pages.summary(), chained]
        content = {**pages.content(self._programmes, scope), "lines": [chained]}
        await self._printed(archive, content, f"{pages.title}.pdf", at)
        await self._printed(
            archive,
            {
                **pages_of(f"00 {texts.CASE_COVER}", "").content(self._programmes, scope),
                "lines": lines,
            },
            f"00 {texts.CASE_COVER}.pdf",
            at,
        )
        await archive.add("verify_case.py", await asyncio.to_thread(VERIFIER.read_bytes))
        said = texts.CASE_README.format(
            name=scope.name,
            number=scope.number,
            copy=texts.CASE_COPIES[copy.audience],
            masked=_masking(copy),
        )
        await archive.add("说明.txt", said.encode("utf-8-sig"))
        await archive.add("索引.xlsx", await index.written(archive.hashes, archive.sizes))
        await counted_off(steps, steps)

    async def _evidence_of(self, archive: CaseArchive, file: StoredFile) -> None:
        """A file as it was handed in. One that the store cannot give back is named, and hides no other."""
        name = f"files/{file.sha256}.{file.extension}"
        if name in archive.hashes or name in archive.damaged:
            return
        try:
            async with archive.writing(name, packed=False) as out:
                async for piece in self._evidence.pieces(file.sha256):
                    await out(piece)
        except EvidenceDamaged:
            archive.damaged.append(name)

    async def _programme(self, archive: CaseArchive, scope: CaseScope) -> list[str]:
        """The programme as it stands in its file, with its hash."""
        found = await asyncio.to_thread(
            programme_source, self._programmes_dir, scope.programme_slug, scope.programme_version
        )
        if found is None:
            return []
        path = f"programme/{scope.programme_slug}-{scope.programme_version}.toml"
        await archive.add(path, found)
        return [texts.CASE_PROGRAMME.format(path=path, sha256=archive.hashes[path])]

    async def _proof(
        self, archive: CaseArchive, subjects: list[str], copy: Copy, index: CaseIndex, pages: Pages
    ) -> str:
        places, entries = Places(), 0
        hides = STAFF_ENTRIES if copy.is_side else frozenset()
        async with archive.writing(JOURNAL) as out:
            async for line in chain_lines(subjects, places, hides=hides):
                entries += 1
                await out(canonical(line) + b"\n")
                await index.journal(line, places)
                pages.take("journal_entry", {**line, **line.get("entry", {})})
        async with archive.writing("proof/proofs.jsonl") as out:
            async for line in proofs(places):
                await out(canonical(line) + b"\n")
        async with archive.writing("proof/days.jsonl") as out:
            async for line in day_lines(list(places.of_day)):
                await out(canonical(line) + b"\n")
        return texts.CASE_CHAINED.format(entries=entries, waiting=places.waiting)

    async def _signed(self, archive: CaseArchive, scope: CaseScope, copy: Copy) -> None:
        today = self._clock.now().astimezone(CHINA).date()
        # Signing makes the first key, if there is none: the public halves are read afterwards.
        await asyncio.to_thread(self._keys.sign, b"", today=today)
        await archive.add("proof/keys.json", canonical(dict(await asyncio.to_thread(self._keys.public_keys))))
        manifest = canonical(
            {
                "format": FORMAT,
                "case": scope.name,
                "number": scope.number,
                "programme": scope.programme_slug,
                "programme_version": scope.programme_version,
                "copy": copy.audience.value,
                "masked": copy.opened is None,
                "files": dict(archive.hashes),
                "damaged": sorted(archive.damaged),
            }
        )
        key_id, signature = await asyncio.to_thread(self._keys.sign, MANIFEST_DOMAIN + manifest, today=today)
        await archive.add("manifest.json", manifest)
        await archive.add("manifest.sig", canonical({"key_id": key_id, "signature": signature}))

    async def _printed(
        self, archive: CaseArchive, content: Mapping[str, Any], name: str, at: datetime
    ) -> None:
        await archive.add(name, await self._press.print("case_section", content, at=at), packed=False)

    def _open(self, sealed: str) -> str:
        try:
            return self._sealer.open(sealed)
        except NotSealedByUs:
            return MASK


def programme_source(directory: Path, slug: str, version: str) -> bytes | None:
    """The bytes of a programme's file; ``None`` where there is none. Blocking: call it on a thread."""
    for file in sorted(directory.glob("*.toml")):
        raw = file.read_bytes()
        identity = tomllib.loads(raw.decode("utf-8")).get("identity", {})
        if identity.get("slug") == slug and identity.get("version") == version:
            return raw
    return None


def _subjects(scope: CaseScope, copy: Copy) -> list[str]:
    """Whose deeds a copy tells."""
    known = KNOWN_TO.get(copy.audience)
    return [one for one in scope.subjects() if known is None or one.partition(":")[0] in known]


def _headline(scope: CaseScope) -> str:
    return texts.CASE_NUMBERED.format(name=scope.name, number=scope.number)


def _masking(copy: Copy) -> str:
    return texts.CASE_MASKED if copy.opened is None else texts.CASE_REVEALED
