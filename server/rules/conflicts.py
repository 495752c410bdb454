"""Conflicts: who may not deal with whom, or how, under a programme."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from server import texts
from server.errors import Unmet
from server.programme.model import Programme
from server.programme.oversight import Conflict, ConflictKind
from server.rules.eligibility import lies_within
from server.units import yuan


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """What is known about a service between an enterprise and a provider. Money in fen.

    ``related``               investment or ownership ties between the two
    ``other_public_money``    the same matter has, or asks for, other public money
    ``subsidised_before``     the same product had a voucher in an earlier year
    ``subcontracted``         the contract, or a part of it, was passed on
    ``within_recognition``    it is of a kind the provider is recognised for
    ``market_price_fen``      the fair price, where one is known
    """

    enterprise_area: str
    provider_labels: frozenset[str] = frozenset()
    provider_is_operator: bool = False
    related: bool = False
    other_public_money: bool = False
    subsidised_before: bool = False
    subcontracted: bool = False
    refused_without_reason: bool = False
    within_recognition: bool = True
    price_fen: int = 0
    market_price_fen: int | None = None


def conflicts(programme: Programme, deal: Deal) -> tuple[Unmet, ...]:
    """Every conflict a deal has under its programme, with clause, sentence and comparison."""
    found = []
    for conflict in programme.conflicts:
        check = CHECKS.get(conflict.kind)
        # Who holds a higher recognition as well is not bound by what the lower ones allow (GZ-23).
        bound = deal.provider_labels and deal.provider_labels.issubset(conflict.labels)
        concerns = not conflict.labels or bound
        if check is None or not concerns:
            continue
        arithmetic = check(programme, conflict, deal)
        if arithmetic is not None:
            found.append(Unmet(conflict.kind.value, conflict.article, conflict.says, arithmetic))
    return tuple(found)


def _above_market(programme: Programme, conflict: Conflict, deal: Deal) -> str | None:
    if deal.market_price_fen is None or deal.price_fen <= deal.market_price_fen:
        return None
    return f"{yuan(deal.price_fen)} > {yuan(deal.market_price_fen)}"


def _elsewhere(programme: Programme, conflict: Conflict, deal: Deal) -> str | None:
    if lies_within(deal.enterprise_area, programme.jurisdiction.areas):
        return None
    wanted = texts.LIST.join(programme.jurisdiction.areas)
    return texts.CONDITION["registered_in"].format(area=deal.enterprise_area, wanted=wanted)


def _stacking(programme: Programme, conflict: Conflict, deal: Deal) -> str | None:
    # Looked at over the years only where the text asks for it, product by product.
    before = conflict.per_product and deal.subsidised_before
    return "" if deal.other_public_money or before else None


def _if(holds: Callable[[Deal], bool]) -> Callable[[Programme, Conflict, Deal], str | None]:
    return lambda programme, conflict, deal: "" if holds(deal) else None


# Official discretion is no property of a deal: there is simply no way to grant beyond the rules.
CHECKS: Mapping[ConflictKind, Callable[[Programme, Conflict, Deal], str | None]] = {
    ConflictKind.OPERATOR_AS_PROVIDER: _if(lambda deal: deal.provider_is_operator),
    ConflictKind.RELATED_PARTIES: _if(lambda deal: deal.related),
    ConflictKind.SUBCONTRACTING: _if(lambda deal: deal.subcontracted),
    ConflictKind.STACKING: _stacking,
    ConflictKind.REFUSING_VOUCHERS: _if(lambda deal: deal.refused_without_reason),
    ConflictKind.PRICE_ABOVE_MARKET: _above_market,
    ConflictKind.OTHER_JURISDICTION: _elsewhere,
    ConflictKind.OUTSIDE_RECOGNITION: _if(lambda deal: not deal.within_recognition),
}
