"""Fair price: how a contract's price stands beside what the same service costs elsewhere.

Only a price above others asks for its reason: a discount harms nobody (LS-77). Nothing here forbids; the
reason is kept with the order, and whoever reviews it sees the comparison.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median_low

from server import texts
from server.errors import Refusal, Unmet
from server.programme.model import Programme
from server.programme.money import FairPrice
from server.programme.oversight import ConflictKind
from server.units import percent, share, yuan


class PriceReasonMissing(Refusal):
    """A price so far above others that somebody must say why; ``unmet`` holds the comparisons."""

    status, code = 422, "price_reason_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What a price is compared with. Money in fen.

    ``list_fen``  the highest price that the offering says; ``None``: it says none
    ``own``       the provider's other contracts on the same offering
    ``category``  other providers' contracts for the same kind of service
    """

    list_fen: int | None = None
    own: Sequence[int] = ()
    category: Sequence[int] = ()


def price_unmet(programme: Programme, price_fen: int, prices: Prices) -> tuple[Unmet, ...]:
    """Everything a price stands too far above of, with its comparison; empty: no reason is asked."""
    fair = programme.fair_price
    return () if fair is None else tuple(_above(programme, fair, price_fen, prices))


def require_reason(found: Sequence[Unmet], reason: str) -> None:
    """Raise :class:`PriceReasonMissing` where a price asks for a reason and none is given."""
    if found and not reason.strip():
        raise PriceReasonMissing(clause=found[0].clause, arithmetic=found[0].arithmetic, unmet=found)


def reason_unmet(found: Sequence[Unmet], reason: str) -> tuple[Unmet, ...]:
    """The same as one thing among others that a step still asks for."""
    if not found or reason.strip():
        return ()
    message = texts.REFUSALS[PriceReasonMissing.code]
    arithmetic = texts.STEP.join(one.arithmetic for one in found)
    return (Unmet("price_reason", found[0].clause, message, arithmetic),)


def _above(programme: Programme, fair: FairPrice, price_fen: int, prices: Prices) -> Iterator[Unmet]:
    clause = fair.article or next(
        (one.article for one in programme.conflicts if one.kind is ConflictKind.PRICE_ABOVE_MARKET), ""
    )
    compared = []
    if prices.list_fen is not None:
        base = texts.FAIR_PRICE["list"].format(amount=yuan(prices.list_fen))
        compared.append(("above_list", prices.list_fen, fair.above_list_bp, base))
    for code, rate_bp, others in (
        ("above_own", fair.above_own_bp, prices.own),
        ("above_category", fair.above_category_bp, prices.category),
    ):
        if len(others) >= fair.least_contracts:
            median_fen = median_low(others)
            base = texts.FAIR_PRICE["median"].format(count=len(others), amount=yuan(median_fen))
            compared.append((code, median_fen, rate_bp, base))
    for code, base_fen, rate_bp, base in compared:
        limit_fen = base_fen + share(base_fen, rate_bp)
        if price_fen > limit_fen:
            arithmetic = texts.FAIR_PRICE["limit"].format(
                price=yuan(price_fen), limit=yuan(limit_fen), base=base, rate=percent(rate_bp)
            )
            yield Unmet(code, clause, texts.FAIR_PRICE[code], arithmetic)
