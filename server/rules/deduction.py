"""Deductions: what a voucher pays on a service, and which clause limits it.

Every limit of a programme is a "not more than"; the amount is the smallest of them, rounded down to
the fen. The answer carries all of them, so that nobody has to take a figure on trust.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server import texts
from server.errors import Refusal, Unmet
from server.programme.model import Programme
from server.programme.money import DeductionBase, DeductionRule
from server.rules.limits import Limit, room, smallest
from server.units import percent, share, yuan


class PriceUnknown(Refusal):
    """No amount is known yet that the subsidy rate could apply to."""

    status, code = 409, "price_unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """The amounts of one service in fen, kept apart; ``None`` is not known yet.

    ``unrelated_fen`` is what the contract holds besides the ordered service.
    """

    order_fen: int | None = None
    contract_fen: int | None = None
    invoice_fen: int | None = None
    actual_fee_fen: int | None = None
    unrelated_fen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What vouchers have paid before, in fen, or how often, on the same project, contract or order."""

    on_project_fen: int = 0
    on_contract_fen: int = 0
    times_on_project: int = 0
    projects_on_contract: int = 0
    vouchers_on_order: int = 0


@dataclass(frozen=True, slots=True)
class Deduction:
    """What a voucher pays: the amount, the clause that limits it, and the whole arithmetic."""

    amount_fen: int
    base_fen: int
    clause: str
    arithmetic: str
    limits: tuple[Limit, ...]


# Before the amount itself is known, an earlier one gives the expectation.
BASES: Mapping[DeductionBase, tuple[str, ...]] = {
    DeductionBase.ACTUAL_FEE: ("actual_fee_fen", "invoice_fen", "contract_fen", "order_fen"),
    DeductionBase.INVOICE: ("invoice_fen", "contract_fen", "order_fen"),
    DeductionBase.CONTRACT: ("contract_fen", "order_fen"),
    DeductionBase.ORDER: ("order_fen", "contract_fen"),
}


def base_fen(rule: DeductionRule, prices: Prices) -> int:
    """The amount the subsidy rate applies to, in fen.

    Unrelated items are taken out where the rule says so (GZ-34); where the order limits and the actual
    amount is worked out again, the smaller counts (LS-30). Raises :class:`PriceUnknown`.
    """
    known = [amount for name in BASES[rule.base] if (amount := getattr(prices, name)) is not None]
    if not known:
        raise PriceUnknown(clause=rule.article)
    base: int = known[0]
    if rule.smaller_of_order_and_actual and prices.actual_fee_fen is not None:
        base = min(base, prices.actual_fee_fen)
    if rule.exclude_unrelated:
        base = max(0, base - prices.unrelated_fen)
    return base


def deduction(
    programme: Programme,
    category: str,
    prices: Prices,
    *,
    used: Used,
    others: Sequence[Limit] = (),
) -> Deduction:
    """What vouchers may pay on one service of a category, at most.

    ``others`` are the limits that come from elsewhere: the voucher's balance, the year's quota, the
    provider's room, the category's room, and what the enterprise wants to spend.
    """
    rule = programme.deduction_for(category)
    base = base_fen(rule, prices)
    part = share(base, rule.rate_bp)
    limits = [
        Limit(
            part,
            rule.article,
            texts.PART.format(rate=percent(rule.rate_bp), base=yuan(base), part=yuan(part)),
        )
    ]
    for cap, before, name in (
        (rule.project_cap_fen, used.on_project_fen, "project_cap"),
        (rule.contract_cap_fen, used.on_contract_fen, "contract_cap"),
    ):
        if cap is not None:
            limits.append(room(cap, before, clause=rule.article, name=texts.LIMITS[name]))
    limits += others
    binding = smallest(limits)
    return Deduction(
        amount_fen=binding.amount_fen,
        base_fen=base,
        clause=binding.clause,
        arithmetic=texts.RESULT.format(
            sums=texts.STEP.join(limit.arithmetic for limit in limits), amount=yuan(binding.amount_fen)
        ),
        limits=tuple(limits),
    )


def balance(left_fen: int) -> Limit:
    """A voucher's balance as a limit."""
    return Limit(left_fen, "", texts.BALANCE.format(amount=yuan(left_fen)))


def wanted(amount_fen: int) -> Limit:
    """What the enterprise itself wants to spend, as a limit."""
    return Limit(amount_fen, "", texts.WANTED.format(amount=yuan(amount_fen)))


def use_unmet(programme: Programme, category: str, used: Used) -> tuple[Unmet, ...]:
    """Every reason why one more voucher may not be used here: too many uses, vouchers or projects."""
    rule = programme.deduction_for(category)
    return tuple(
        Unmet(code, rule.article, texts.USES[code].format(most=most), f"{times} + 1 > {most}")
        for code, most, times in (
            ("uses_per_project", rule.uses_per_project, used.times_on_project),
            ("vouchers_per_order", rule.vouchers_per_order, used.vouchers_on_order),
            ("projects_per_contract", rule.projects_per_contract, used.projects_on_contract),
        )
        if most is not None and times + 1 > most
    )
