"""Assessments: what a programme's conditions say of an organisation, as the party it is or wants to be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from server.errors import Refusal, Unmet
from server.models.offices import Office
from server.models.organisations import Organisation
from server.programme.issuance import Tier
from server.programme.model import Programme
from server.programme.people import PartyRules
from server.programme.size_classes import SizeStandard
from server.programme.vocabulary import Actor as ProgrammeActor
from server.programme.vocabulary import Party, SizeClass
from server.rules.eligibility import provider_unmet, valid_labels
from server.rules.eligibility import unmet as enterprise_unmet
from server.rules.facts import ParentFacts
from server.rules.forms import ESTABLISHED, NAME, own_values, parent_values
from server.rules.quota import tier_of
from server.rules.size_class import classify
from server.services.admissions.applicants import claims, day, facts_of, provider_facts_of
from server.services.organisations.records import record_of


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a programme's conditions say of an organisation on a day.

    ``tier`` is the first that admits an enterprise, where the programme has tiers.
    """

    programme: Programme
    on: date
    unmet: tuple[Unmet, ...]
    tier: Tier | None


def rules_of(programme: Programme, party: Party) -> PartyRules:
    """What a programme asks of one of its parties."""
    return programme.enterprise if party is Party.ENTERPRISE else programme.provider


async def assess(
    programme: Programme,
    organisation: Organisation,
    party: Party,
    sizes: SizeStandard,
    *,
    now: datetime,
    applied_at: datetime | None = None,
    hoping: bool = False,
    values: Mapping[str, Any] | None = None,
) -> Assessment:
    """Every condition that the organisation does not meet at an instant of the programme's clock.

    ``hoping``: the labels it claims count as confirmed, where no list and no paper says anything.
    ``values`` is what it has filled in; left out, what it filled in last.
    """
    rules, on = rules_of(programme, party), day(now)
    record = await record_of(organisation, programme, party, now=now)
    if values is None:
        values = record.values
    own = own_values(rules, values)
    if party is Party.PROVIDER:
        provider = await provider_facts_of(
            organisation,
            programme,
            own,
            now=now,
            applied_at=applied_at,
            parent=_parent(values),
            operator_codes=await operator_codes(programme.slug),
            record=record,
        )
        return Assessment(programme, on, provider_unmet(programme, provider, on, sizes), None)
    claimed: Iterable[str] = claims(organisation) if hoping else ()
    facts = await facts_of(
        organisation,
        programme,
        claimed,
        now=now,
        applied_at=applied_at,
        declarations=own,
        record=record,
    )
    return Assessment(
        programme,
        on,
        enterprise_unmet(programme, facts, on, sizes),
        tier_of(programme, valid_labels(programme, facts, on)),
    )


async def operator_codes(slug: str) -> list[str]:
    """Which organisations run a programme, where its text names none (YC-29, NX-35)."""
    codes = await Office.filter(
        programme_slug=slug, actor=ProgrammeActor.OPERATOR, closed_at=None
    ).values_list("uscc", flat=True)
    return [str(code) for code in codes if code]


def size_of(organisation: Organisation, sizes: SizeStandard) -> SizeClass | None:
    """The organisation's size class; ``None`` where the standard cannot say."""
    try:
        return classify(
            sizes,
            organisation.industry,
            headcount=organisation.headcount,
            revenue_fen=organisation.revenue_fen,
            assets_fen=organisation.assets_fen,
        ).size_class
    except Refusal:
        return None


def _parent(values: Mapping[str, Any]) -> ParentFacts | None:
    """The parent company, once its name and its day are there."""
    parent = parent_values(values)
    name, established = parent.pop(NAME, None), parent.pop(ESTABLISHED, None)
    if not isinstance(name, str) or not isinstance(established, str):
        return None
    try:
        return ParentFacts(name=name, established_on=date.fromisoformat(established), declarations=parent)
    except ValueError:
        return None
