"""Contracts: what a contract must be like, and what a settlement needs besides its papers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from server import texts
from server.errors import Unmet
from server.programme.model import Programme
from server.programme.steps import ContractForm
from server.rules.deadlines import in_service_window
from server.rules.scope import scope_unmet


class ContractStatus(StrEnum):
    """Where a contract stands."""

    DRAFTED = "drafted"
    """Written down; not signed by everybody who has to."""
    SIGNED = "signed"
    WITHDRAWN = "withdrawn"
    """Given up before it was signed."""
    FAILED = "failed"
    """Signed, and not to be performed: what it held is released (GX-84)."""


CONTRACT_MOVES: Mapping[ContractStatus, frozenset[ContractStatus]] = {
    ContractStatus.DRAFTED: frozenset({ContractStatus.SIGNED, ContractStatus.WITHDRAWN}),
    ContractStatus.SIGNED: frozenset({ContractStatus.FAILED}),
    ContractStatus.WITHDRAWN: frozenset(),
    ContractStatus.FAILED: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractFacts:
    """What a contract says. Names of the parties as written, and as registered at its date."""

    signed_on: date
    service_starts_on: date
    acceptance_on: date
    party_names: frozenset[str]
    registered_names: frozenset[str]
    matches_offering: bool = True
    consistent_with_past: bool = True
    names_price_parts: bool = True


def contract_unmet(programme: Programme, contract: ContractFacts, on: date) -> tuple[Unmet, ...]:
    """Everything wrong with a contract handed in on a day, by the programme's rules for contracts."""
    rules = programme.contract
    window = in_service_window(programme, contract.service_starts_on) and in_service_window(
        programme, contract.acceptance_on
    )
    checks: Iterable[tuple[str, bool, bool]] = (
        ("signed_this_year", rules.signed_this_year, contract.signed_on.year == on.year),
        ("in_service_window", rules.in_service_window, window),
        ("names_match", rules.names_match, contract.party_names == contract.registered_names),
        ("matches_offering", rules.matches_offering, contract.matches_offering),
        ("consistent_with_past", rules.consistent_with_past, contract.consistent_with_past),
        ("names_price_parts", rules.names_price_parts, contract.names_price_parts),
    )
    return tuple(
        Unmet(code, rules.article, texts.CONTRACT[code])
        for code, asked, fulfilled in checks
        if asked and not fulfilled
    )


def settlement_unmet(
    programme: Programme, *, rated: bool, result_on: date, submitted_on: date
) -> tuple[Unmet, ...]:
    """What keeps an order from being settled, besides its papers.

    The enterprise's rating, where the text asks for it (NX-21), and a result obtained in the year of
    the settlement (YC-26).
    """
    settlement, unmet = programme.settlement, []
    if settlement.rating_required and not rated:
        unmet.append(Unmet("not_rated", programme.rating.article, texts.CONTRACT["not_rated"]))
    if settlement.result_same_year and result_on.year != submitted_on.year:
        arithmetic = f"{result_on} / {submitted_on}"
        unmet.append(Unmet("other_year", settlement.article, texts.CONTRACT["other_year"], arithmetic))
    return tuple(unmet)


# -- what a contract says of its parties ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceFacts:
    """What a reference says of its contract, and the names its parties had on that day.

    ``registered_provider_names`` is empty for a provider that is not registered: nothing to compare with.
    """

    signed_on: date
    category: str
    enterprise_uscc: str
    enterprise_name: str
    registered_enterprise_names: frozenset[str]
    provider_uscc: str
    provider_name: str
    registered_provider_names: frozenset[str]


def holds_several(programme: Programme, category: str) -> bool:
    """Whether one contract may hold several projects, each an order of its own (YC-13, YC-15)."""
    rule = programme.deduction_for(category)
    return rule.uses_per_project is not None and rule.projects_per_contract is None


def signed_by_both_here(programme: Programme) -> bool:
    """Whether a contract comes about only when both sides have signed it on the platform (GX-52)."""
    return programme.contract.form is ContractForm.ELECTRONIC


def reference_unmet(programme: Programme, facts: ReferenceFacts, on: date) -> tuple[Unmet, ...]:
    """Everything wrong with a reference to a contract, entered on a day."""
    article, unmet = programme.contract.article, []
    if facts.signed_on > on:
        unmet.append(
            Unmet("signed_later", article, texts.CONTRACT["signed_later"], f"{facts.signed_on} > {on}")
        )
    if not programme.covers(facts.signed_on):
        first, last = programme.valid_from, programme.valid_until or texts.FOR_GOOD
        arithmetic = f"{first} ≤ {facts.signed_on} ≤ {last}"
        unmet.append(
            Unmet(
                "outside_validity", programme.validity.article, texts.CONTRACT["outside_validity"], arithmetic
            )
        )
    if programme.contract.signed_this_year and facts.signed_on.year != on.year:
        arithmetic = f"{facts.signed_on.year} ≠ {on.year}"
        unmet.append(Unmet("signed_this_year", article, texts.CONTRACT["signed_this_year"], arithmetic))
    if facts.provider_uscc == facts.enterprise_uscc:
        unmet.append(Unmet("same_party", article, texts.CONTRACT["same_party"]))
    for name, registered in (
        (facts.enterprise_name, facts.registered_enterprise_names),
        (facts.provider_name, facts.registered_provider_names),
    ):
        if registered and name not in registered:
            message = texts.CONTRACT["name_then"].format(
                name=name, day=facts.signed_on, registered=texts.LIST.join(sorted(registered))
            )
            unmet.append(Unmet("names_match", article, message))
    return (*unmet, *scope_unmet(programme, facts.category, ()))
