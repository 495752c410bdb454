"""What a claim has borne, and what a receipt pays off: principal first, the oldest payment out first."""

from __future__ import annotations

from datetime import date

import pytest

from server.rules.recoveries import Owed, outstanding, pay_off, surcharge_fen

OUT = date(2026, 3, 6)
LATER = date(2026, 5, 18)  # 73 days: a fifth of a year.
LINES = (Owed(2, 100_000, LATER), Owed(1, 600_000, OUT))


@pytest.mark.parametrize(
    ("principal_fen", "yearly_bp", "until", "borne_fen"),
    [
        (600_000, 345, LATER, 4_140),
        (600_000, 0, LATER, 0),
        (600_000, 345, OUT, 0),
        (600_000, 345, date(2026, 3, 1), 0),  # Nothing is borne backwards.
        (1, 345, LATER, 0),  # Down to the fen.
        (365_000, 10_000, date(2026, 3, 7), 1_000),
    ],
)
def test_principal_bears_by_the_day_rounded_down(
    principal_fen: int, yearly_bp: int, until: date, borne_fen: int
) -> None:
    assert surcharge_fen(principal_fen, yearly_bp, OUT, until) == borne_fen


def test_a_receipt_pays_the_oldest_principal_first_and_then_what_was_borne() -> None:
    part = pay_off(LINES, 0, 345, 400_000, LATER)
    assert [(one.line_id, one.principal_fen, one.days, one.surcharge_fen) for one in part.parts] == [
        (1, 400_000, 73, 2_760)
    ]
    assert (part.principal_fen, part.surcharge_fen, part.borne_fen, part.over_fen) == (400_000, 0, 2_760, 0)
    rest = (Owed(2, 100_000, LATER), Owed(1, 200_000, OUT))
    assert outstanding(rest, 2_760, 345, LATER) == (300_000, 4_140)
    whole = pay_off(rest, 2_760, 345, 304_140, LATER)
    assert (whole.principal_fen, whole.surcharge_fen, whole.over_fen) == (300_000, 4_140, 0)
    assert pay_off(rest, 2_760, 345, 304_141, LATER).over_fen == 1


def test_nothing_owed_takes_nothing() -> None:
    assert pay_off((), 0, 345, 500, LATER).over_fen == 500
