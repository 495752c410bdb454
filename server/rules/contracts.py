"""Contracts: what a contract must be like, and what a settlement needs besides its papers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from server import texts
from server.errors import Unmet
from server.programme.model import Programme
from server.rules.deadlines import in_service_window


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
