"""Exports: a list or a case is asked for, made by whoever is free, and fetched by whoever asked for it.

Each page of a list's rows is kept in the evidence store before the next is read, together with where to go
on: a process that dies loses at most one page, and another takes over when its lease ends (decision 0036).
The file says who asked for it, when and for what; each download is in the journal.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server import texts
from server.clock import CHINA
from server.errors import Refusal
from server.models.exports import ExportFormat, ExportJob, ExportPart, ExportStatus
from server.models.organisations import Organisation
from server.models.people import Person, Staff
from server.programme.registry import Programmes
from server.services import access, journal
from server.services.access import Actor, NotAllowed, NotFound, StaffRole
from server.services.clocks import ProgrammeClocks
from server.services.exports.export_kinds import ExportFilters, ExportSource, ExportWhole
from server.services.files.evidence import Evidence
from server.services.numbers import new_number

MOST_AT_ONCE = 3
"""Exports of one asker that are not at their end."""
KEPT_FOR = timedelta(days=7)
LEAST_REASON = 5
LIVE = (ExportStatus.WAITING, ExportStatus.RUNNING)
READERS = frozenset(
    {
        StaffRole.OPERATOR,
        StaffRole.AUTHORITY,
        StaffRole.DIVISION,
        StaffRole.DISTRICT,
        StaffRole.TREASURY,
        StaffRole.INSPECTOR,
        StaffRole.OVERSIGHT_BODY,
    }
)
"""Who may ask for a list at all; each kind says who of them may have it."""


class ExportKindUnknown(Refusal):
    """There is no such list."""

    status, code = 404, "export_kind_unknown"


class ExportFilterUnknown(Refusal):
    """The list cannot be narrowed by this: it knows no such filter, no such word, or no such days."""

    status, code = 422, "export_filter_unknown"


class ExportReasonMissing(Refusal):
    """Personal data in clear needs a reason."""

    status, code = 422, "export_reason_missing"


class ExportRevealForbidden(Refusal):
    """The list has nothing to reveal, or not to the asker."""

    status, code = 403, "export_reveal_forbidden"


class ExportAlreadyRunning(Refusal):
    """The asker has enough of them under way."""

    status, code = 409, "export_already_running"


class ExportNotReady(Refusal):
    """There is no file yet, or there will be none."""

    status, code = 409, "export_not_ready"


class ExportGone(Refusal):
    """Its time is over."""

    status, code = 410, "export_gone"


class ExportEnded(Refusal):
    """It is at its end and cannot be cancelled."""

    status, code = 409, "export_ended"


@dataclass(frozen=True, slots=True)
class Download:
    """A file on its way out."""

    job: ExportJob
    name: str
    content: AsyncIterator[bytes]


class Exports:
    """The verbs of whoever asks. ``services/exports/export_runs.py`` makes the files."""

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks, evidence: Evidence) -> None:
        self.programmes = programmes
        self.clocks = clocks
        self.evidence = evidence
        self.sources: dict[str, ExportSource] = {}
        self.wholes: dict[str, ExportWhole] = {}

    def serve(self, kind: str, source: ExportSource) -> None:
        """Make a list available under a kind."""
        assert kind not in self.sources, kind
        self.sources[kind] = source

    def serve_whole(self, kind: str, whole: ExportWhole) -> None:
        """Make a kind of file available that is no list; it has a door of its own."""
        assert kind not in self.wholes, kind
        self.wholes[kind] = whole

    def source(self, kind: str) -> ExportSource:
        """Raises :class:`ExportKindUnknown`."""
        try:
            return self.sources[kind]
        except KeyError:
            raise ExportKindUnknown() from None

    def offered(self, actor: Actor) -> Mapping[str, ExportSource]:
        """The lists that somebody may have."""
        return {
            kind: source
            for kind, source in self.sources.items()
            if not source.readers.isdisjoint(actor.roles) or StaffRole.AUDITOR in actor.roles
        }

    async def ask(
        self,
        kind: str,
        *,
        programme_slug: str,
        filters: ExportFilters,
        format: ExportFormat,
        revealed: bool,
        reason: str,
        actor: Actor,
    ) -> ExportJob:
        """Ask for a list. Raises the refusals of this module, and ``NotAllowed`` for another's list."""
        source = self.source(kind)
        if source.readers.isdisjoint(actor.roles) or (actor.areas and not source.by_area):
            raise NotAllowed()
        access.require_programme(actor, programme_slug)
        self.programmes.get(programme_slug)
        if unusable := _unusable(source, filters):
            raise ExportFilterUnknown(title=source.title, names=texts.LIST.join(unusable))
        if revealed and source.revealers.isdisjoint(actor.roles):
            raise ExportRevealForbidden(title=source.title)
        if revealed and len(reason.strip()) < LEAST_REASON:
            raise ExportReasonMissing(least=LEAST_REASON)
        asked = {"programme_slug": programme_slug, "filters": filters.chosen(), "format": format}
        async with in_transaction():
            return await self._written_down(kind, asked, revealed=revealed, reason=reason, actor=actor)

    async def ask_whole(
        self,
        kind: str,
        *,
        programme_slug: str,
        subject: str,
        filters: Mapping[str, Any],
        revealed: bool,
        reason: str,
        actor: Actor,
    ) -> ExportJob:
        """Ask for a file that is no list, or get back the asker's own of the same that is under way.

        Whether they may have it, whoever calls has looked into. Raises :class:`ExportAlreadyRunning`.
        """
        asked = {"programme_slug": programme_slug, "subject": subject, "format": ExportFormat.ZIP}
        async with in_transaction():
            await _asker_of(actor)
            for job in await ExportJob.filter(
                asked_by=actor.name, kind=kind, subject=subject, status__in=LIVE
            ):
                if (job.filters, job.revealed) == (dict(filters), revealed):
                    return job
            return await self._written_down(
                kind, {**asked, "filters": dict(filters)}, revealed=revealed, reason=reason, actor=actor
            )

    async def _written_down(
        self, kind: str, asked: Mapping[str, Any], *, revealed: bool, reason: str, actor: Actor
    ) -> ExportJob:
        """The row of what was asked for; inside a transaction."""
        asker = await _asker_of(actor)
        if await ExportJob.filter(asked_by=actor.name, status__in=LIVE).count() >= MOST_AT_ONCE:
            raise ExportAlreadyRunning(most=MOST_AT_ONCE)
        now = self.clocks.now(asked["programme_slug"])
        job = await ExportJob.create(
            **asked,
            number=new_number("E"),
            kind=kind,
            areas=sorted(actor.areas),
            revealed=revealed,
            reason=reason.strip(),
            asked_by=actor.name,
            organisation_id=actor.organisation_id,
            asked_name=asker,
            asked_at=now,
        )
        await journal.record(
            "export.asked",
            f"export:{job.id}",
            actor=actor.name,
            at=now,
            programme_slug=job.programme_slug,
            number=job.number,
            kind=kind,
            **({"of": job.subject} if job.subject else {}),
            filters=job.filters,
            areas=job.areas,
            revealed=revealed,
            reason=job.reason,
        )
        return job

    async def page(
        self, *, actor: Actor, programme_slug: str = "", after: int = 0, limit: int
    ) -> list[ExportJob]:
        """The next exports after an id: one's own; an auditor sees everybody's of the programmes."""
        wanted = ExportJob.filter(access.within_programmes(actor, "programme_slug"), id__gt=after)
        if programme_slug:
            wanted = wanted.filter(programme_slug=programme_slug)
        if StaffRole.AUDITOR not in actor.roles:
            wanted = wanted.filter(asked_by=actor.name)
        return await wanted.order_by("id").limit(limit)

    async def find(self, job_id: int, *, actor: Actor) -> ExportJob:
        """One's own export; an auditor finds everybody's. Raises ``NotFound``."""
        job = await ExportJob.get_or_none(id=job_id)
        if job is None or (job.asked_by != actor.name and StaffRole.AUDITOR not in actor.roles):
            raise NotFound()
        if job.asked_by == actor.name and job.organisation_id != actor.organisation_id:
            # What somebody asked for in the name of one organisation stays with it.
            raise NotFound()
        access.require_programme(actor, job.programme_slug)
        return job

    async def cancel(self, job_id: int, *, actor: Actor) -> ExportJob:
        """Stop one's own export. Raises :class:`ExportEnded`."""
        job = await self.find(job_id, actor=actor)
        now = self.clocks.now(job.programme_slug)
        async with in_transaction():
            # The WHERE clause is the lock: who makes it finds itself without a job at its next page.
            cancelled = await ExportJob.filter(id=job.id, asked_by=actor.name, status__in=LIVE).update(
                status=ExportStatus.CANCELLED, finished_at=now, leased_until=None
            )
            if not cancelled:
                job = await ExportJob.get(id=job.id)
                raise ExportEnded(number=job.number, status=texts.EXPORT_STATUSES[job.status])
            await ExportPart.filter(job_id=job.id).delete()
            await journal.record(
                "export.cancelled",
                f"export:{job.id}",
                actor=actor.name,
                at=now,
                programme_slug=job.programme_slug,
            )
        return await ExportJob.get(id=job.id)

    async def download(self, job_id: int, *, actor: Actor) -> Download:
        """The file, and that it was taken is in the journal first.

        What has personal data in clear only goes to who gave the reason. Raises :class:`ExportNotReady`,
        :class:`ExportGone`, ``EvidenceDamaged`` while it is sent.
        """
        job = await self.find(job_id, actor=actor)
        if job.revealed and job.asked_by != actor.name:
            raise NotFound()
        now = self.clocks.now(job.programme_slug)
        if job.status is ExportStatus.EXPIRED or (job.expires_at is not None and job.expires_at <= now):
            raise ExportGone(number=job.number)
        if job.status is not ExportStatus.DONE or job.file_id is None:
            raise ExportNotReady(number=job.number, status=texts.EXPORT_STATUSES[job.status])
        async with in_transaction():
            await ExportJob.filter(id=job.id).update(downloads=F("downloads") + 1)
            await journal.record(
                "export.downloaded",
                f"export:{job.id}",
                actor=actor.name,
                at=now,
                programme_slug=job.programme_slug,
                number=job.number,
                sha256=job.sha256,
                rows=job.rows_done,
                revealed=job.revealed,
            )
        return Download(job, self._name_of(job), self.evidence.pieces(job.file_id))

    def title_of(self, job: ExportJob) -> str:
        """What it is called in a sentence."""
        whole = self.wholes.get(job.kind)
        return self.source(job.kind).title if whole is None else whole.title_of(job)

    def _name_of(self, job: ExportJob) -> str:
        if (whole := self.wholes.get(job.kind)) is not None:
            return whole.name_of(job)
        day = f"{job.asked_at.astimezone(CHINA):%Y%m%d}"
        return f"{self.source(job.kind).title}-{day}-{job.number}.{job.format}"


def _unusable(source: ExportSource, filters: ExportFilters) -> list[str]:
    """What a list cannot be narrowed by: an empty list would say that there is nothing.

    A category may be one of years ago, which the programme has no more.
    """
    chosen = filters.chosen()
    unknown = [texts.EXPORT_FILTERS[name] for name in chosen if name not in source.filters]
    words = {
        "status": not filters.status or filters.status in source.statuses,
        "until": filters.since is None or filters.until is None or filters.since <= filters.until,
    }
    wrong = [f"{texts.EXPORT_FILTERS[name]}：{chosen[name]}" for name, known in words.items() if not known]
    return unknown or wrong


async def _asker_of(actor: Actor) -> str:
    """Lock whoever asks, inside a transaction, and say what they are called."""
    if actor.kind == "staff":
        staff = await Staff.filter(id=actor.id).select_for_update().get()
        return staff.display_name or staff.username
    await Person.filter(id=actor.id).select_for_update().get()
    # A person asks for an organisation: whose file it is says enough.
    own = await Organisation.get(id=access.organisation_id_of(actor)).only("id", "name")
    return own.name[:64]
