"""Definitions: which reports a programme owes, with the house's own beside them, and their sections."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from server import texts
from server.errors import Refusal
from server.programme.model import Programme
from server.programme.oversight import ReportCadence, ReportSection
from server.programme.size_classes import SizeStandard
from server.programme.vocabulary import Actor
from server.services.reports import money, people, samples
from server.services.reports.figures import Scope, Section

HOUSE = "overview"
"""The house's own report: every section, each month, on no clause."""

Counting = Callable[[Scope], Awaitable[Section]]


class ReportUnknown(Refusal):
    """The programme has no such report."""

    status, code = 404, "report_unknown"


class ReportByPeople(Refusal):
    """People write this one: there is nothing that the platform could count."""

    status, code = 409, "report_by_people"


@dataclass(frozen=True, slots=True)
class Definition:
    """One report: what it is called, who owes it to whom, how often, and what stands in it."""

    code: str
    title: str
    article: str
    by: Actor
    to: tuple[Actor, ...]
    cadence: ReportCadence
    content: tuple[str, ...]
    sections: tuple[ReportSection, ...]


def definitions(programme: Programme) -> tuple[Definition, ...]:
    """Every report of a programme, the house's last."""
    owed = tuple(
        Definition(
            one.code,
            texts.REPORT_TITLES[one.cadence].format(programme=programme.name),
            one.article,
            one.by,
            one.to,
            one.cadence,
            one.content,
            one.sections,
        )
        for one in programme.reports
    )
    own = Definition(
        HOUSE,
        texts.REPORT_WORDS["house"],
        "",
        Actor.OPERATOR,
        (Actor.OPERATOR, Actor.AUTHORITY),
        ReportCadence.MONTHLY,
        (),
        tuple(one for one in ReportSection if one is not ReportSection.RESULTS),
    )
    return (*owed, own)


def definition(programme: Programme, code: str) -> Definition:
    """One report that the platform counts. Raises :class:`ReportUnknown`, :class:`ReportByPeople`."""
    found = next((one for one in definitions(programme) if one.code == code), None)
    if found is None:
        raise ReportUnknown(programme=programme.name, code=code)
    if not found.sections:
        raise ReportByPeople(title=found.title, clause=found.article)
    return found


def countings(sizes: SizeStandard) -> Mapping[ReportSection, Counting]:
    """What counts each section."""

    async def by_size(scope: Scope) -> Section:
        return await people.size_classes(scope, sizes)

    return {
        ReportSection.ISSUANCE: money.issuance,
        ReportSection.PROVIDERS: people.providers,
        ReportSection.EFFECT: people.effect,
        ReportSection.TRANSACTIONS: money.transactions,
        ReportSection.PAYMENTS: money.payments,
        ReportSection.SETTLEMENTS: money.settlements,
        ReportSection.SATISFACTION: people.satisfaction,
        ReportSection.COMPLAINTS: people.complaints,
        ReportSection.OVERDUE: people.overdue,
        ReportSection.BUDGET: money.budget,
        ReportSection.CATEGORY_SHARES: money.category_shares,
        ReportSection.DISTRICTS: people.districts,
        ReportSection.SIZE_CLASSES: by_size,
        ReportSection.BREACHES: people.breaches,
        ReportSection.SAMPLING: samples.samples,
        ReportSection.RESULTS: money.results,
    }
