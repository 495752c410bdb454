"""Budgets: what the year's money still allows, and who is paid first when it runs short."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from server import texts
from server.errors import Refusal
from server.programme.model import Programme
from server.programme.policy import BudgetKind, Shortage
from server.rules.limits import Limit, room
from server.units import yuan


class ContractsPaused(Refusal):
    """The year's money does not cover one more contract; signing goes on when money is found."""

    status, code = 409, "contracts_paused"


class BudgetBelowFloor(Refusal):
    """A year's total below what the text says must be issued at least."""

    status, code = 409, "budget_below_floor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A settlement that waits for money. ``year`` is the programme year in which it was approved."""

    id: int
    year: int
    amount_fen: int


def contract_room(programme: Programme, *, total_fen: int, settled_fen: int, signed_fen: int) -> Limit:
    """What the year's money still covers: total, less what is settled, less what is signed and is not."""
    return room(
        total_fen, settled_fen + signed_fen, clause=programme.budget.article, name=texts.LIMITS["budget"]
    )


def require_contract_room(programme: Programme, left: Limit, voucher_fen: int) -> None:
    """Raise :class:`ContractsPaused` when a contract would need more than the money left (GX-65)."""
    if programme.budget.on_shortage is Shortage.PAUSE_CONTRACTS and voucher_fen > left.amount_fen:
        raise ContractsPaused(clause=left.clause, arithmetic=f"{left.arithmetic} < {yuan(voucher_fen)}")


def require_total(programme: Programme, total_fen: int) -> None:
    """Raise :class:`BudgetBelowFloor` when a year's total is below the least the text names (GZ-10)."""
    budget = programme.budget
    if budget.kind is BudgetKind.FLOOR and total_fen < (budget.least_total_fen or 0):
        raise BudgetBelowFloor(
            clause=budget.article,
            arithmetic=texts.LESS.format(own=yuan(total_fen), wanted=yuan(budget.least_total_fen or 0)),
        )


def payment_order(programme: Programme, claims: Iterable[Claim], year: int) -> tuple[Claim, ...]:
    """In which order claims are paid from a year's money.

    Where the text says so, what an earlier year could not pay comes first (GX-61); then in the order
    of their approval.
    """

    def place(claim: Claim) -> tuple[bool, int]:
        first = programme.budget.unpaid_first_next_year and claim.year < year
        return not first, claim.id

    return tuple(sorted(claims, key=place))
