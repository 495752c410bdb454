"""Changes: what an organisation reported to have changed, in time or late, and the names it once had."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tortoise.expressions import Subquery

from server.models.offices import Office
from server.models.organisations import NameRecord, Organisation, Qualification
from server.models.registrations import ChangeReport
from server.programme.model import Programme
from server.programme.people import ChangeReport as ChangeRules
from server.programme.registry import Programmes
from server.programme.vocabulary import Actor as ProgrammeActor
from server.rules.changes import lateness
from server.rules.lifecycles import QualificationStatus
from server.services import access, outbox
from server.services.access import Actor
from server.services.admissions.assessments import rules_of
from server.services.files import files


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where a programme has some data changed, besides here (GZ-61, GZ-84)."""

    programme: str
    where: str
    clause: str
    offices: tuple[Office, ...] = ()
    """Whose it is, where a party turns to the office of its own level."""


async def report(
    organisation: Organisation,
    before: Mapping[str, Any],
    *,
    programmes: Programmes,
    changed_on: date,
    documents: Collection[int],
    actor: Actor,
    now: datetime,
) -> ChangeReport | None:
    """Keep what was reported, under the organisation's lock and before its standings are judged anew.

    ``before`` holds the facts that changed, as they were. Only an organisation that is approved somewhere
    owes a report. What came late is proposed to the programme's operator, and decided by people. Raises
    ``FilesUnknown``.
    """
    if "name" in before:
        await NameRecord.create(organisation=organisation, name=before["name"], until=now)
    approved = await Qualification.filter(
        organisation_id=organisation.id, status=QualificationStatus.APPROVED
    ).order_by("id")
    rows = await files.require_own(list(dict.fromkeys(documents)), organisation.id, by=actor.name)
    if not approved:
        return None
    late = [found for one in approved if (found := _late(one, programmes, changed_on, now)) is not None]
    made = await ChangeReport.create(
        organisation=organisation,
        facts=sorted(before),
        changed_on=changed_on,
        reported_at=now,
        reported_by=actor.id,
        documents=[row.id for row in rows],
        late=late,
    )
    for slug in sorted({one.programme_slug for one in approved}) if rows else ():
        await files.attach(rows, f"change:{made.id}", "change", programme=programmes.get(slug), now=now)
    for one in late:
        await outbox.tell(
            outbox.team(ProgrammeActor.OPERATOR, one["programme"]),
            "organisation.change_reported_late",
            at=now,
            organisation=organisation.id,
            name=organisation.name,
            programme=one["programme"],
            due=one["due"],
            consequences=one["consequences"],
        )
    return made


def _late(
    qualification: Qualification, programmes: Programmes, changed_on: date, now: datetime
) -> dict[str, Any] | None:
    programme = programmes.version(qualification.programme_slug, qualification.programme_version)
    found = lateness(rules_of(programme, qualification.party).change_report, changed_on, now)
    if found is None:
        return None
    return {
        "programme": programme.slug,
        "party": qualification.party.value,
        "qualification": qualification.id,
        "clause": found.clause,
        "due": found.due.last_day.isoformat(),
        "consequences": [one.value for one in found.consequences],
    }


async def elsewhere(organisation: Organisation, programmes: Programmes) -> list[Elsewhere]:
    """Where the programmes that an organisation takes part in have data changed, and by which office."""
    found = []
    for one in await Qualification.filter(organisation_id=organisation.id).order_by("id"):
        programme = programmes.version(one.programme_slug, one.programme_version)
        rules = rules_of(programme, one.party).change_report
        if rules.changed_at:
            offices = await _offices(programme, rules, organisation)
            found.append(Elsewhere(programme.slug, rules.changed_at, rules.article, offices))
    return found


async def _offices(
    programme: Programme, rules: ChangeRules, organisation: Organisation
) -> tuple[Office, ...]:
    """The operator's offices of the organisation's own level, by the labels that it holds."""
    levels = {label.level for label in programme.labels if label.code in organisation.labels}
    level = next((one.level for one in rules.offices if not levels.isdisjoint(one.takes)), None)
    if level is None:
        return ()
    known = Office.filter(
        programme_slug=programme.slug, actor=ProgrammeActor.OPERATOR, level=level, closed_at=None
    )
    return tuple(await known.order_by("id"))


async def of_organisation(organisation_id: int) -> list[ChangeReport]:
    """Everything an organisation reported, newest first."""
    return await ChangeReport.filter(organisation_id=organisation_id).order_by("-id").limit(100)


async def page(actor: Actor, *, slug: str, after: int, limit: int) -> list[ChangeReport]:
    """The next ``limit`` reports after an id of organisations that stand in a programme, oldest first.

    Of the areas of whoever asks. Raises ``NotFound`` for a programme of others.
    """
    access.require_programme(actor, slug)
    concerned = Subquery(Qualification.filter(programme_slug=slug).values("organisation_id"))
    return await (
        ChangeReport.filter(
            access.within_areas(actor, "organisation__area"), id__gt=after, organisation_id__in=concerned
        )
        .select_related("organisation")
        .order_by("id")
        .limit(limit)
    )
