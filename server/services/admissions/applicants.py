"""Applicants: what is known about an organisation when a programme's conditions are asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from server.clock import CHINA
from server.models.organisations import Organisation
from server.programme.model import Programme
from server.programme.vocabulary import Actor as ProgrammeActor
from server.programme.vocabulary import LegalForm, Party
from server.rules.facts import EnterpriseFacts, HeldLabel, ParentFacts, ProviderFacts
from server.rules.forms import own_values
from server.services.organisations.records import Record, record_of
from server.services.tables.cells import name_of, plain


async def facts_of(
    organisation: Organisation,
    programme: Programme,
    claimed: Iterable[str] = (),
    *,
    now: datetime,
    applied_at: datetime | None = None,
    declarations: Mapping[str, object] | None = None,
    record: Record | None = None,
) -> EnterpriseFacts:
    """What a programme's rules may ask about an enterprise.

    Its labels are those that lists and papers attest; of ``claimed`` those count besides of which no
    list and no paper has said anything. ``declarations`` is what it filled in for this programme, left
    out, what it filled in last; that goes before what it said when it registered. ``record`` saves
    reading what was read already.
    """
    record = record or await record_of(organisation, programme, Party.ENTERPRISE, now=now)
    if declarations is None:
        declarations = own_values(programme.enterprise, record.values)
    attested = {label.code for label in record.labels}
    hoped_for = tuple(HeldLabel(code=code) for code in claimed if code not in attested)
    return EnterpriseFacts(
        **_common(organisation, record, applied_at),
        labels=record.labels + hoped_for,
        claimed=frozenset(organisation.labels_claimed),
        declarations={**organisation.declarations, **declarations},
        industry=organisation.industry,
        headcount=organisation.headcount,
        revenue_fen=organisation.revenue_fen,
        assets_fen=organisation.assets_fen,
    )


async def provider_facts_of(
    organisation: Organisation,
    programme: Programme,
    declarations: Mapping[str, object],
    *,
    now: datetime,
    applied_at: datetime | None = None,
    parent: ParentFacts | None = None,
    operator_codes: Collection[str] = (),
    record: Record | None = None,
) -> ProviderFacts:
    """What a programme's rules may ask about a provider that filled in ``declarations``.

    Who runs the programme is known by its full name, or by one of ``operator_codes`` (USCC), where the
    text only calls it "the operator" (YC-29, NX-35).
    """
    record = record or await record_of(organisation, programme, Party.PROVIDER, now=now)
    operator = programme.role(ProgrammeActor.OPERATOR).name
    return ProviderFacts(
        **_common(organisation, record, applied_at),
        labels=record.labels,
        declarations=declarations,
        is_operator=organisation.uscc in operator_codes or _same_name(organisation.name, operator),
        parent=parent,
    )


def _common(organisation: Organisation, record: Record, applied_at: datetime | None) -> dict[str, Any]:
    form = organisation.legal_form
    return {
        "uscc": organisation.uscc,
        "name": organisation.name,
        "area": organisation.area,
        "legal_person": organisation.legal_person,
        "legal_form": form or (LegalForm.LEGAL_PERSON if organisation.legal_person else None),
        "established_on": organisation.established_on,
        "applied_on": None if applied_at is None else day(applied_at),
        "barred": record.barred,
        "violation_years": record.violation_years,
    }


def _same_name(one: str, other: str) -> bool:
    return name_of(plain(one)) == name_of(plain(other))


def snapshot(organisation: Organisation) -> dict[str, Any]:
    """The organisation's facts as they are now, fit to be kept with a decision. Money in fen."""
    return {
        "uscc": organisation.uscc,
        "name": organisation.name,
        "area": organisation.area,
        "industry": organisation.industry,
        "legal_person": organisation.legal_person,
        "established_on": organisation.established_on.isoformat(),
        "headcount": organisation.headcount,
        "revenue_fen": organisation.revenue_fen,
        "assets_fen": organisation.assets_fen,
        "labels": organisation.labels,
        "labels_claimed": organisation.labels_claimed,
        "declarations": organisation.declarations,
        "facts_changed_at": organisation.facts_changed_at.isoformat(),
    }


def claims(organisation: Organisation) -> frozenset[str]:
    """The labels it says it holds; what is attested is no claim any more."""
    return frozenset(organisation.labels_claimed)


def day(at: datetime) -> date:
    """The day of an instant, in China."""
    return at.astimezone(CHINA).date()
