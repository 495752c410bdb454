"""Reputation: what ratings and sales say of an offering, so that offerings can be put in an order.

One enthusiastic vote proves little. A score begins in the middle of the scale, as if a few votes had been
cast there, and every real vote moves it: 5.0 of one vote stays below 4.8 of two hundred.
"""

from __future__ import annotations

from server.units import BASIS_POINTS

PRIOR_VOTES = 10
PRIOR_BP = BASIS_POINTS // 2
SALES_COUNTED = 999
"""More sales than this say nothing more."""


def score_bp(points_bp: int, votes: int) -> int:
    """The score of so many votes that add up to ``points_bp`` (each 0 to 10,000, the scale's best)."""
    return (PRIOR_VOTES * PRIOR_BP + points_bp) // (PRIOR_VOTES + votes)


def quality(score: int, sales: int) -> int:
    """The order of what is found alike: by score, among equals by sales."""
    return score * (SALES_COUNTED + 1) + min(sales, SALES_COUNTED)
