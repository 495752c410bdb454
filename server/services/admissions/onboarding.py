"""Onboarding: an organisation registers, and keeps its facts true."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server import texts
from server.clock import EARLIEST, LATEST
from server.errors import Refusal, Unmet
from server.gateways.live_feed import LiveFeed
from server.models.journal import JournalEntry
from server.models.organisations import MemberRole, Organisation
from server.models.registrations import ChangeReport
from server.programme.papers import Field, FieldKind
from server.programme.registry import Programmes
from server.programme.size_classes import SizeStandard
from server.programme.vocabulary import Party
from server.rules.size_class import UnknownIndustry, industry_of
from server.rules.uscc import STANDARD, checked_uscc
from server.services import access, allowances, journal
from server.services.access import Actor
from server.services.admissions import attestations
from server.services.admissions import changes as change_reports
from server.services.admissions.applicants import day
from server.services.admissions.qualifications import Qualifications
from server.services.clocks import ProgrammeClocks
from server.services.organisations.memberships import lock, require_free, take_place
from server.services.tables.cells import plain

LONGEST_TEXT = 200
SHORTEST_NAME = 2
"""Characters that can be seen: official lists know an organisation by its name."""

FACTS = frozenset(
    {
        "name",
        "area",
        "industry",
        "legal_form",
        "legal_person",
        "established_on",
        "headcount",
        "revenue_fen",
        "assets_fen",
        "labels_claimed",
        "declarations",
    }
)
"""What an organisation says of itself and may change. Its code it keeps for life."""

# What is personal is not collected here: papers and signatures come with the application's documents.
ASKED_HERE = frozenset(
    {FieldKind.YES_NO, FieldKind.COUNT, FieldKind.MONEY, FieldKind.DATE, FieldKind.CHOICE, FieldKind.TEXT}
)


class OrganisationExists(Refusal):
    """Somebody has registered this code; nobody is told who."""

    status, code = 409, "organisation_exists"


class FactsUnusable(Refusal):
    """Some of what was filled in cannot be; ``unmet`` lists everything."""

    status, code = 422, "facts_unusable"


@dataclass(frozen=True, slots=True)
class Changed:
    """An organisation with its new facts, and the report that they made, where one was owed."""

    organisation: Organisation
    report: ChangeReport | None


class Onboarding:
    """The verbs on an organisation itself."""

    def __init__(
        self,
        programmes: Programmes,
        sizes: SizeStandard,
        clocks: ProgrammeClocks,
        qualifications: Qualifications,
        feed: LiveFeed,
    ) -> None:
        self._programmes = programmes
        self._sizes = sizes
        self._clocks = clocks
        self._qualifications = qualifications
        self._feed = feed

    async def register(
        self, uscc: str, facts: Mapping[str, Any], role: MemberRole, *, actor: Actor
    ) -> Organisation:
        """Register an organisation with all its :data:`FACTS`; the actor takes the place named by ``role``.

        Raises ``UsccInvalid``, :class:`FactsUnusable`, :class:`OrganisationExists`, ``AlreadyMember``.
        """
        uscc = checked_uscc(uscc)
        now = self._clocks.base.now()
        self._require_usable(facts, now)
        async with in_transaction():
            await require_free(actor)
            organisation = await _create(uscc, facts, now)
            # Official lists may have named it long before.
            await attestations.refresh(organisation, self._programmes, self._clocks)
            await journal.record(
                "organisation.registered",
                f"organisation:{organisation.id}",
                actor=actor.name,
                at=now,
                uscc=uscc,
            )
            await take_place(organisation, role, actor=actor, now=now)
        await self._feed.publish(actor.name)
        return organisation

    async def change_facts(
        self,
        changes: Mapping[str, Any],
        *,
        changed_on: date | None = None,
        documents: Collection[int] = (),
        actor: Actor,
    ) -> Changed:
        """Change some of the :data:`FACTS` of the actor's organisation; the same again is no change.

        ``changed_on`` is when it happened (left out: today), ``documents`` are files that show it: an
        organisation that is approved somewhere reports the change by this, in time or late (LS-41, LS-63).
        What was approved on other facts goes back to review, and what was granted on the strength of it
        is granted no more. Raises :class:`FactsUnusable`,
        ``FilesUnknown`` and ``TooManyToday``.
        """
        now = self._clocks.base.now()
        happened = day(now) if changed_on is None else changed_on
        self._require_usable(changes, now, happened)
        async with in_transaction():
            organisation = await lock(access.organisation_id_of(actor))
            before = {
                fact: getattr(organisation, fact)
                for fact, value in changes.items()
                if getattr(organisation, fact) != value
            }
            if not before:
                return Changed(organisation, None)
            await allowances.require(
                JournalEntry.filter(
                    subject=f"organisation:{organisation.id}", action="organisation.facts_changed"
                ),
                "at",
                allowances.FACT_CHANGES,
                now=now,
            )
            changed = {fact: changes[fact] for fact in before}
            await Organisation.filter(id=organisation.id).update(**changed, facts_changed_at=now)
            organisation = await Organisation.get(id=organisation.id)
            if "name" in before:
                # Some lists know it by its name alone.
                await attestations.refresh(organisation, self._programmes, self._clocks)
            # Values may be personal; those that a decision was made on stand in its snapshot.
            await journal.record(
                "organisation.facts_changed",
                f"organisation:{organisation.id}",
                actor=actor.name,
                at=now,
                facts=sorted(before),
            )
            report = await change_reports.report(
                organisation,
                before,
                programmes=self._programmes,
                changed_on=happened,
                documents=documents,
                actor=actor,
                now=now,
            )
            standing = await self._qualifications.facts_changed(organisation, actor=actor)
        await self._qualifications.rounds.standing_told(standing)
        return Changed(organisation, report)

    def _require_usable(
        self, facts: Mapping[str, Any], now: datetime, changed_on: date | None = None
    ) -> None:
        faults = list(self._faults(facts, now))
        if changed_on is not None and changed_on > day(now):
            faults.append(Unmet("changed_on", "", texts.FACT_FAULTS["change_future"]))
        if faults:
            raise FactsUnusable(unmet=faults, count=len(faults))

    def _faults(self, facts: Mapping[str, Any], now: datetime) -> Iterator[Unmet]:
        if facts.get("established_on", date.min) > day(now):
            yield Unmet("established_on", "", texts.FACT_FAULTS["future"])
        if "name" in facts and len(plain(facts["name"])) < SHORTEST_NAME:
            yield Unmet("name", "", texts.FACT_FAULTS["name"])
        if "industry" in facts:
            try:
                industry_of(self._sizes, facts["industry"])
            except UnknownIndustry as unknown:
                yield Unmet("industry", "", texts.REFUSALS[unknown.code].format(**unknown.values))
        labels = {
            label.code
            for programme in self._programmes
            for label in programme.labels
            if label.of is Party.ENTERPRISE
        }
        for code in facts.get("labels_claimed", ()):
            if code not in labels:
                yield Unmet("labels", "", texts.FACT_FAULTS["label"].format(code=code))
        for code, value in facts.get("declarations", {}).items():
            fields = self._fields(code)
            if not any(_fits(field, value) for field in fields):
                name = fields[0].name if fields else code
                fault = texts.FACT_FAULTS["declaration" if fields else "no_declaration"]
                yield Unmet(f"declarations.{code}", "", fault.format(name=name))

    def _fields(self, code: str) -> list[Field]:
        """What the programmes call by this code; two of them may mean different things."""
        return [
            field
            for programme in self._programmes
            for field in programme.enterprise.fields
            if field.code == code and field.kind in ASKED_HERE
        ]


async def _create(uscc: str, facts: Mapping[str, Any], now: datetime) -> Organisation:
    try:
        async with in_transaction():  # A savepoint: the index is the judge of two who register at once.
            return await Organisation.create(uscc=uscc, **facts, created_at=now, facts_changed_at=now)
    except IntegrityError:
        raise OrganisationExists(clause=STANDARD) from None


def _fits(field: Field, value: object) -> bool:
    """Whether a value is of the field's kind. Money in fen, a date as ``2024-05-31``."""
    match field.kind:
        case FieldKind.YES_NO:
            return isinstance(value, bool)
        case FieldKind.COUNT | FieldKind.MONEY:
            return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
        case FieldKind.DATE:
            return isinstance(value, str) and _is_date(value)
        case FieldKind.CHOICE:
            return value in field.choices
        case _:
            return isinstance(value, str) and len(value) <= LONGEST_TEXT


def _is_date(text: str) -> bool:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return False
    return day.isoformat() == text and EARLIEST <= day <= LATEST
