"""Units: yuan to fen, percent to basis points, shares. Rounding is decided here and nowhere else.

Every limit of the five regulations is a "not more than" (不超过), so a computed subsidy is rounded
DOWN to the fen: the public purse never overpays.
"""

from __future__ import annotations

from decimal import Decimal

FEN_PER_YUAN = 100
BASIS_POINTS = 10_000
MOST_DIGITS = 30
"""Of an amount that somebody wrote: 1e999999 fits in a line, and in no memory as a whole number."""


class InexactAmount(ValueError):
    """A written amount that is not a whole number of fen or basis points."""


def _exact(value: int | float | str | Decimal, scale: int, unit: str) -> int:
    if isinstance(value, bool):
        raise InexactAmount(f"{value!r} is not a number of {unit}")
    try:
        # str() first: a float written as 0.1 means a tenth, not its binary neighbour.
        scaled = Decimal(str(value)) * scale
        small = scaled.is_finite() and scaled.adjusted() < MOST_DIGITS
        whole = small and scaled == scaled.to_integral_value()
    except ArithmeticError:
        whole = False
    if not whole:
        raise InexactAmount(f"{value!r} is not a whole number of {unit}")
    return int(scaled)


def yuan_to_fen(yuan: int | float | str | Decimal) -> int:
    """Exact conversion; half a fen raises :class:`InexactAmount`."""
    return _exact(yuan, FEN_PER_YUAN, "fen")


def percent_to_bp(percent: int | float | str | Decimal) -> int:
    """Exact conversion to basis points (1 % = 100 bp); raises :class:`InexactAmount`."""
    return _exact(percent, 100, "basis points")


def share(amount_fen: int, rate_bp: int) -> int:
    """``rate_bp`` of an amount in fen, rounded down so the public purse never overpays."""
    return amount_fen * rate_bp // BASIS_POINTS


def share_up(amount_fen: int, rate_bp: int) -> int:
    """``rate_bp`` of an amount in fen, rounded up: for what somebody must pay AT LEAST."""
    return -(-amount_fen * rate_bp // BASIS_POINTS)


def yuan(amount_fen: int) -> str:
    """An amount as people read it: ``1234567`` fen is ``12,345.67``."""
    sign = "-" if amount_fen < 0 else ""
    whole, rest = divmod(abs(amount_fen), FEN_PER_YUAN)
    return f"{sign}{whole:,}.{rest:02d}"


def percent(rate_bp: int) -> str:
    """A rate as people read it: ``7000`` bp is ``70%``, ``1250`` bp is ``12.5%``."""
    whole, rest = divmod(rate_bp, 100)
    return f"{whole}%" if not rest else f"{whole}.{rest:02d}".rstrip("0") + "%"
