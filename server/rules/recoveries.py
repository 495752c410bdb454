"""Recoveries: how much public money is claimed back, with what surcharge, and what a receipt pays off.

A receipt pays principal first, the oldest payment out first: what is paid off bears no surcharge any longer.
The surcharge of a part is worked out on the day it comes back, for the days since it was paid out, rounded
down to the fen (rules.md section 3: in favour of whoever pays).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """The decision it rests on was reversed, or the bank has brought all of it home."""


OWED = frozenset({RecoveryStatus.CLAIMED, RecoveryStatus.DEMANDED})
"""Something is still to come."""


class ReceiptKind(StrEnum):
    """How money came back."""

    BANK = "bank"
    OFFSET = "offset"
    """Kept back from a later payment to the same organisation, where that was decided."""
    RETURNED = "returned"
    """The payment it was kept back from came back: what an OFFSET paid off is owed again."""


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
    return sum(one.open_fen for one in lines), max(0, due_surcharge_fen + borne_fen)


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
    charged_fen = min(left_fen, max(0, due_surcharge_fen + borne_fen))
    return Paid(
        parts=tuple(parts),
        principal_fen=sum(part.principal_fen for part in parts),
        surcharge_fen=charged_fen,
        borne_fen=borne_fen,
        over_fen=left_fen - charged_fen,
    )


@dataclass(frozen=True, slots=True)
class Due:
    """A claim of which something may be kept back from a payment on a day.

    ``surcharge_fen`` is what is borne already and unpaid; ``kept_fen`` what payments under way keep back.
    """

    recovery_id: int
    lines: tuple[Owed, ...]
    surcharge_fen: int
    yearly_bp: int
    later_fen: int = 0
    """Principal of instalments whose day has not passed: it is not kept back before."""
    kept_fen: int = 0

    def most_fen(self, on: date) -> int:
        """What may be kept back for it on a day: all that is owed, less what is not due and what is kept."""
        principal_fen, charged_fen = outstanding(self.lines, self.surcharge_fen, self.yearly_bp, on)
        # With an instalment still to come the surcharge waits for it, as principal is paid before surcharge.
        due_fen = principal_fen - self.later_fen if self.later_fen else principal_fen + charged_fen
        return max(0, due_fen - self.kept_fen)


@dataclass(frozen=True, slots=True)
class Kept:
    """What of one payment is kept back for one claim."""

    recovery_id: int
    amount_fen: int
    owed_fen: int
    """What the claim asked for at that moment."""


def keep_back(payments_fen: Mapping[int, int], claims: Sequence[Due], on: date) -> dict[int, list[Kept]]:
    """What of each payment (by its key, in order) is kept back, for the oldest claim first."""
    left = {claim.recovery_id: claim.most_fen(on) for claim in claims}
    kept: dict[int, list[Kept]] = {}
    for key, amount_fen in payments_fen.items():
        rest_fen = amount_fen
        for claim in claims:
            owed_fen = left[claim.recovery_id]
            part_fen = min(rest_fen, owed_fen)
            if part_fen <= 0:
                continue
            kept.setdefault(key, []).append(Kept(claim.recovery_id, part_fen, owed_fen))
            left[claim.recovery_id] -= part_fen
            rest_fen -= part_fen
    return kept
