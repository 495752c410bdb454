"""Payment plans: what a batch would hold in the order of the text, leave out, and keep back for claims."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.models.disbursements import BankAccount, Payment
from server.models.settlements import Settlement
from server.programme.model import Programme
from server.rules.budgets import Claim, payment_order
from server.rules.disbursements import YearMoney
from server.services.disbursements.offsets import Planned


@dataclass(frozen=True, slots=True)
class Chosen:
    """A settlement in the batch, and what it is paid, fen; what comes to nothing has no account."""

    settlement: Settlement
    amount_fen: int
    account: BankAccount | None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A settlement that waits for its money and is not in the batch, and why, in Chinese."""

    settlement: Settlement
    amount_fen: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a batch would hold: the settlements in their order, what is left out, and the money there is.

    ``money`` is empty where what is due is there. ``offsets`` is what of each settlement's payment is kept
    back for claims against its provider.
    """

    chosen: tuple[Chosen, ...]
    left_out: tuple[LeftOut, ...]
    money: YearMoney | None
    offsets: Mapping[int, Sequence[Planned]]

    @property
    def total_fen(self) -> int:
        return sum(one.amount_fen for one in self.chosen)

    @property
    def kept_fen(self) -> int:
        return sum(self.kept_of(one.settlement) for one in self.chosen)

    def kept_of(self, settlement: Settlement) -> int:
        """What of one settlement's payment is kept back, fen."""
        return sum(one.amount_fen for one in self.offsets.get(settlement.id, ()))


def in_line(programme: Programme, year: int, rows: Sequence[Settlement]) -> list[Settlement]:
    """Who is paid before whom: what an earlier year left unpaid first, then as they were approved (GX-61)."""
    approved = sorted(rows, key=lambda one: (one.payable_at or one.order.placed_at, one.id))
    claims = [
        Claim(id=place, year=one.carried_from_year or year, amount_fen=one.amount_fen)
        for place, one in enumerate(approved)
    ]
    return [approved[claim.id] for claim in payment_order(programme, claims, year)]


def content_hash(payments: Sequence[Payment]) -> str:
    """What was approved, by its hash: who is paid how much for what, to which account, less what is kept."""
    lines = [
        [one.number, one.settlement_id, one.provider_id, one.account_id, one.amount_fen, one.kept_fen]
        for one in payments
    ]
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()
