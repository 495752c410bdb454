"""Recoveries: how much public money is claimed back, with what surcharge, and what a receipt pays off.

A receipt pays principal first, the oldest payment out first: what is paid off bears no surcharge any longer.
The surcharge of a part is worked out on the day it comes back, for the days since it was paid out, rounded
down to the fen (rules.md section 3: in favour of whoever pays).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

DAYS_A_YEAR = 365
WHOLE_BP = 10_000


class RecoveryStatus(StrEnum):
    """Where a claim stands."""

    CLAIMED = "claimed"
    """Decided; the demand is not out yet."""
    DEMANDED = "demanded"
    COLLECTED = "collected"
    WRITTEN_OFF = "written_off"
    CANCELLED = "cancelled"
    """The decision it rests on was reversed."""


OWED = frozenset({RecoveryStatus.CLAIMED, RecoveryStatus.DEMANDED})
"""Something is still to come."""


class ReceiptKind(StrEnum):
    """How money came back."""

    BANK = "bank"
    OFFSET = "offset"
    """Kept back from a later payment to the same organisation, where that was decided."""


@dataclass(frozen=True, slots=True)
class Owed:
    """One payment out that is claimed back, as far as it is still open."""

    line_id: int
    open_fen: int
    paid_out_on: date


@dataclass(frozen=True, slots=True)
class Part:
    """What a receipt pays off of one payment out."""

    line_id: int
    principal_fen: int
    days: int
    surcharge_fen: int
    """What the part has borne until the day it came back."""


@dataclass(frozen=True, slots=True)
class Paid:
    """What one receipt comes to."""

    parts: tuple[Part, ...]
    principal_fen: int
    surcharge_fen: int
    """Of the receipt, towards surcharge."""
    borne_fen: int
    """Surcharge that this receipt's principal added to what is due."""
    over_fen: int
    """More than is owed."""


def surcharge_fen(principal_fen: int, yearly_bp: int, paid_out_on: date, until: date) -> int:
    """What principal bears between two days, fen, rounded down."""
    days = max(0, (until - paid_out_on).days)
    return principal_fen * yearly_bp * days // (WHOLE_BP * DAYS_A_YEAR)


def outstanding(lines: Sequence[Owed], due_surcharge_fen: int, yearly_bp: int, on: date) -> tuple[int, int]:
    """Principal and surcharge still owed if all of it is paid on a day, fen."""
    borne_fen = sum(surcharge_fen(one.open_fen, yearly_bp, one.paid_out_on, on) for one in lines)
    return sum(one.open_fen for one in lines), due_surcharge_fen + borne_fen


def pay_off(lines: Sequence[Owed], due_surcharge_fen: int, yearly_bp: int, amount_fen: int, on: date) -> Paid:
    """What a receipt of this amount on this day pays off: principal, then surcharge; the rest is over."""
    left_fen, parts = amount_fen, []
    for one in sorted(lines, key=lambda line: (line.paid_out_on, line.line_id)):
        part_fen = min(left_fen, one.open_fen)
        if part_fen <= 0:
            continue
        left_fen -= part_fen
        days = max(0, (on - one.paid_out_on).days)
        parts.append(
            Part(one.line_id, part_fen, days, surcharge_fen(part_fen, yearly_bp, one.paid_out_on, on))
        )
    borne_fen = sum(part.surcharge_fen for part in parts)
    charged_fen = min(left_fen, due_surcharge_fen + borne_fen)
    return Paid(
        parts=tuple(parts),
        principal_fen=sum(part.principal_fen for part in parts),
        surcharge_fen=charged_fen,
        borne_fen=borne_fen,
        over_fen=left_fen - charged_fen,
    )
