"""Editions: a report is counted, put into every form, kept and delivered, all at once or not at all.

What was delivered never changes (decision 0036). Who finds a figure wrong has the report counted again:
the next version says why, and what differs. The clock makes each report on its day.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server import texts
from server.clock import CHINA
from server.errors import Refusal
from server.gateways.press import Press
from server.gateways.sheet_press import SheetPress
from server.models.reports import ReportEdition
from server.models.rounds import Budget
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.programme.size_classes import SizeStandard
from server.rules.report_periods import Period
from server.services import access, journal, outbox
from server.services.access import CLOCK, Actor, NotFound, StaffRole
from server.services.clocks import ProgrammeClocks
from server.services.files.evidence import Evidence, EvidenceDamaged
from server.services.numbers import new_number
from server.services.reports.definitions import Definition, countings, definition
from server.services.reports.figures import TABLES, Scope, Trace, selected
from server.services.reports.forms import paper, workbook
from server.services.reports.page import rendered, shown

LEAST_REASON = 5
PAGE = 50
STAFF_ROLES = frozenset(role.value for role in StaffRole)
ALWAYS = frozenset({StaffRole.AUTHORITY, StaffRole.AUDITOR})
"""Who reads every report of their programmes."""
LISTED = (
    *("id", "number", "programme_slug", "programme_version", "code", "subject", "period_from", "period_to"),
    *("version", "title", "article", "sha256", "differences", "reason", "made_by", "made_at"),
    "delivered_to",
)
"""What a list shows of an edition: everything but its content."""
NAMED: Mapping[str, Mapping[str, str]] = {
    "ledger": texts.LEDGER_MOVEMENTS,
    "own_payment": texts.REPORT_PURPOSES,
    "qualification": texts.EXPORT_WORDS["standing"],
    "draw_answer": texts.DRAW_OUTCOMES,
}
"""What rows that have no name but a code are called."""


class ReportPeriodImpossible(Refusal):
    """It ends before it begins, or is not over."""

    status, code = 422, "report_period_impossible"


class ReportReasonMissing(Refusal):
    """What was delivered is only corrected with a reason."""

    status, code = 422, "report_reason_missing"


class ReportUnchanged(Refusal):
    """Counted again, every figure is the same."""

    status, code = 409, "report_unchanged"


class ReportFigureUnknown(Refusal):
    """The report has no such figure, or one that was worked out of others."""

    status, code = 404, "report_figure_unknown"


@dataclass(frozen=True, slots=True)
class Drawn:
    """One row behind a figure."""

    id: int
    name: str
    amount_fen: int | None


@dataclass(frozen=True, slots=True)
class Behind:
    """Some of the rows behind a figure."""

    of: str
    rows: list[Drawn]
    next_after: int | None


class Reports:
    """The verbs on reports."""

    def __init__(
        self,
        programmes: Programmes,
        clocks: ProgrammeClocks,
        sizes: SizeStandard,
        evidence: Evidence,
        press: Press,
        sheets: SheetPress,
    ) -> None:
        self.programmes = programmes
        self.clocks = clocks
        self._countings = countings(sizes)
        self._evidence = evidence
        self._press = press
        self._sheets = sheets

    async def counted(self, slug: str, code: str, period: Period, subject: str = "") -> dict[str, Any]:
        """A report as it is now, kept nowhere. Raises ``ReportUnknown``, ``ReportByPeople``."""
        programme = self.programmes.get(slug)
        return await self._counted(programme, definition(programme, code), period, subject)

    async def make(
        self, slug: str, code: str, period: Period, *, subject: str = "", reason: str = "", actor: Actor
    ) -> ReportEdition:
        """Count a report and deliver it; where it was delivered before, as its correction.

        Raises ``ReportUnknown``, ``ReportByPeople``, :class:`ReportPeriodImpossible`,
        :class:`ReportReasonMissing`, :class:`ReportUnchanged`.
        """
        programme = self.programmes.get(slug)
        access.require_programme(actor, slug)
        known = definition(programme, code)
        now = self.clocks.now(slug)
        if period.first > period.last or period.last >= now.astimezone(CHINA).date():
            raise ReportPeriodImpossible(today=now.astimezone(CHINA).date().isoformat())
        before = await self._newest(slug, code, period, subject)
        if before is not None and len(reason.strip()) < LEAST_REASON:
            raise ReportReasonMissing(least=LEAST_REASON)
        content = await self._counted(programme, known, period, subject)
        version = 1 if before is None else before.version + 1
        changed = [] if before is None else list(differences(before.content, content))
        if before is not None and not changed:
            raise ReportUnchanged(version=before.version)
        number = new_number("R")
        sha256 = hash_of_content(content)
        facts = _facts(content, known, number, version, now, sha256, reason.strip(), changed)
        stored_at = self.clocks.base.now()
        page = await self._evidence.keep(rendered(content, facts).encode(), now=stored_at)
        printed = paper(content, facts, programme=programme.name, number=number)
        made = await self._press.print("report", printed, at=now)
        pdf = await self._evidence.keep(made, now=stored_at)
        sheet = await self._sheet(content, facts)
        try:
            async with in_transaction():
                if not await self._evidence.hold(page, pdf, sheet, now=stored_at):
                    raise EvidenceDamaged()
                edition = await ReportEdition.create(
                    number=number,
                    programme_slug=slug,
                    programme_version=programme.version,
                    code=code,
                    subject=subject,
                    period_from=period.first,
                    period_to=period.last,
                    version=version,
                    title=known.title,
                    article=known.article,
                    content=content,
                    sha256=sha256,
                    differences=changed,
                    reason=reason.strip(),
                    made_by=actor.name,
                    made_at=now,
                    delivered_to=[role for role in known.to if role in STAFF_ROLES],
                    page_id=page,
                    sheet_id=sheet,
                    paper_id=pdf,
                )
                await self._delivered(edition, programme, now)
        except IntegrityError:
            # Somebody else has delivered this version at this moment.
            raise ReportUnchanged(version=version) from None
        return edition

    async def make_if_new(self, slug: str, code: str, period: Period, subject: str = "") -> bool:
        """By the clock: what was delivered already is left alone."""
        if await self._newest(slug, code, period, subject) is not None:
            return False
        try:
            await self.make(slug, code, period, subject=subject, actor=CLOCK)
        except ReportUnchanged:
            return False
        return True

    async def page(
        self, *, actor: Actor, programme_slug: str = "", code: str = "", after: int = 0
    ) -> tuple[list[ReportEdition], int | None]:
        """The next editions after an id that the asker may read, without their contents."""
        wanted = ReportEdition.filter(access.within_programmes(actor, "programme_slug"), id__gt=after)
        if programme_slug:
            wanted = wanted.filter(programme_slug=programme_slug)
        if code:
            wanted = wanted.filter(code=code)
        rows = await wanted.order_by("id").limit(PAGE + 1).only(*LISTED)
        readable = [one for one in rows[:PAGE] if self.may_read(actor, one)]
        return readable, rows[PAGE - 1].id if len(rows) > PAGE else None

    async def find(self, edition_id: int, *, actor: Actor) -> ReportEdition:
        """An edition that the asker may read. Raises ``NotFound``."""
        edition = await ReportEdition.get_or_none(id=edition_id)
        if edition is None:
            raise NotFound()
        access.require_programme(actor, edition.programme_slug)
        if not self.may_read(actor, edition):
            raise NotFound()
        return edition

    def may_read(self, actor: Actor, edition: ReportEdition) -> bool:
        """Whoever owes it, whoever gets it, and whoever reads everything."""
        known = definition(
            self.programmes.version(edition.programme_slug, edition.programme_version), edition.code
        )
        readers = ALWAYS | {known.by.value, *edition.delivered_to, StaffRole.OPERATOR}
        return not actor.roles.isdisjoint(readers)

    def pieces(self, sha256: str) -> AsyncIterator[bytes]:
        """One of an edition's forms. Raises ``EvidenceDamaged``."""
        return self._evidence.pieces(sha256)

    async def behind(
        self, edition: ReportEdition, figure: str, *, row: int | None, actor: Actor, after: int, limit: int
    ) -> Behind:
        """The rows behind a figure (``section.code``), or behind a row of a table.

        Raises :class:`ReportFigureUnknown`, and ``NotFound`` for staff who see only their own areas.
        """
        if actor.areas:
            raise NotFound()
        trace = _trace_of(edition.content, figure, row)
        if trace is None:
            raise ReportFigureUnknown(code=figure)
        _, name, amount = TABLES[trace.of]
        found = await (
            selected(trace)
            .filter(id__gt=after)
            .order_by("id")
            .limit(limit + 1)
            .values("id", name, *([amount] if amount else []))
        )
        words = NAMED.get(trace.of, {})
        rows = [
            Drawn(one["id"], words.get(one[name], str(one[name])), one[amount] if amount else None)
            for one in found[:limit]
        ]
        return Behind(trace.of, rows, rows[-1].id if len(found) > limit else None)

    async def _counted(
        self, programme: Programme, known: Definition, period: Period, subject: str
    ) -> dict[str, Any]:
        budgets = await Budget.filter(programme_slug=programme.slug).order_by("year")
        scope = Scope(programme, period.first, period.last, budgets, subject)
        sections = [await self._countings[one](scope) for one in known.sections]
        return {
            "title": known.title,
            "programme": programme.name,
            "article": known.article,
            "content": list(known.content),
            "first": period.first.isoformat(),
            "last": period.last.isoformat(),
            "subject": subject,
            "sections": [json.loads(json.dumps(one.kept())) for one in sections],
        }

    async def _sheet(self, content: Mapping[str, Any], facts: Sequence[tuple[str, str]]) -> str:
        cover, tables = workbook(content, facts)
        with TemporaryDirectory(prefix="qiquan-report-") as directory:
            path = Path(directory) / "report.xlsx"
            await self._sheets.write(path, "xlsx", cover, tables)
            return await self._evidence.keep_file(path, now=self.clocks.base.now())

    async def _newest(self, slug: str, code: str, period: Period, subject: str) -> ReportEdition | None:
        same = ReportEdition.filter(
            programme_slug=slug,
            code=code,
            subject=subject,
            period_from=period.first,
            period_to=period.last,
        )
        return await same.order_by("-version").first()

    async def _delivered(self, edition: ReportEdition, programme: Programme, now: datetime) -> None:
        for role in edition.delivered_to:
            if edition.version == 1:
                await outbox.tell(
                    outbox.team(role, programme.slug),
                    "report.delivered",
                    at=now,
                    report=edition.id,
                    programme=programme.slug,
                    title=edition.title,
                    number=edition.number,
                )
            else:
                await outbox.tell(
                    outbox.team(role, programme.slug),
                    "report.corrected",
                    at=now,
                    report=edition.id,
                    programme=programme.slug,
                    title=edition.title,
                    number=edition.number,
                    count=edition.version,
                )
        await journal.record(
            "report.delivered",
            f"report:{edition.id}",
            actor=edition.made_by,
            at=now,
            programme_slug=programme.slug,
            number=edition.number,
            code=edition.code,
            version=edition.version,
            period=[edition.period_from.isoformat(), edition.period_to.isoformat()],
            sha256=edition.sha256,
            to=edition.delivered_to,
            reason=edition.reason,
        )


def hash_of_content(content: Mapping[str, Any]) -> str:
    """SHA-256 of a snapshot in its one spelling: keys in order, no spaces."""
    spelt = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(spelt.encode()).hexdigest()


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What two snapshots say differently: figure by figure, and cell by cell by the name of its row."""
    old, new = dict(_values(before)), dict(_values(after))
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            yield {"what": " · ".join(key), "before": old.get(key, ""), "after": new.get(key, "")}


def _values(content: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    for section in content["sections"]:
        for one in section["figures"]:
            yield (section["title"], one["label"]), shown(one["value"], one["unit"])
        for table in section["tables"]:
            for row in table["rows"]:
                named = next((str(cell) for cell in row["cells"]), "")
                for column, cell in list(zip(table["columns"], row["cells"], strict=True))[1:]:
                    key = (section["title"], table["title"], named, column["label"])
                    yield key, shown(cell, column["unit"])


def _trace_of(content: Mapping[str, Any], figure: str, row: int | None) -> Trace | None:
    wanted, _, code = figure.partition(".")
    for section in content["sections"]:
        if section["code"] != wanted:
            continue
        if row is None:
            found = next((one for one in section["figures"] if one["code"] == code), None)
        else:
            table = next((one for one in section["tables"] if one["code"] == code), None)
            found = table["rows"][row] if table is not None and 0 <= row < len(table["rows"]) else None
        if found is not None and found["trace"] is not None:
            return Trace(found["trace"]["of"], found["trace"]["where"])
    return None


def _facts(
    content: Mapping[str, Any],
    known: Definition,
    number: str,
    version: int,
    now: datetime,
    sha256: str,
    reason: str,
    changed: Sequence[Mapping[str, Any]],
) -> list[tuple[str, str]]:
    words = texts.REPORT_WORDS
    lines = [
        (words["programme"], content["programme"]),
        (words["span"], words["period"].format(first=content["first"], last=content["last"])),
        (words["which"], words["version"].format(version=version)),
        (words["number"], number),
        (words["by"], texts.ACTORS[known.by]),
        (words["to"], texts.LIST.join(texts.ACTORS[one] for one in known.to)),
        (words["clause"], known.article),
        (words["content"], texts.STEP.join(known.content)),
        (words["made"], f"{now.astimezone(CHINA):%Y-%m-%d %H:%M}"),
        (words["hash"], sha256),
        (words["reason"], reason),
        *((words["differences"], f"{one['what']}：{one['before']} → {one['after']}") for one in changed),
    ]
    return [(label, value) for label, value in lines if value]
