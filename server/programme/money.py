"""What a voucher pays, and what limits it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from server.programme.clause import Clause
from server.programme.vocabulary import ShareBase


class DeductionBase(StrEnum):
    """The amount a subsidy rate applies to."""

    ACTUAL_FEE = "actual_fee"
    """The fee actually incurred, tax included."""
    CONTRACT = "contract"
    ORDER = "order"
    """The actual order amount."""
    INVOICE = "invoice"


class Payee(StrEnum):
    """Who pays a fee or receives a part of a payment."""

    PROVIDER = "provider"
    OPERATOR = "operator"
    VOUCHER_FUND = "voucher_fund"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeductionRule(Clause):
    """How much a voucher pays for a service; every amount is rounded down to the fen."""

    code: str
    """Stable code."""
    categories: tuple[str, ...] = ()
    """The category codes it is for; empty: all others."""
    voucher_kind: str = ""
    """The kind of voucher it is for; empty: all."""
    rate_bp: int
    """The highest part of the base."""
    base: DeductionBase
    """What the rate applies to."""
    project_cap_fen: int | None = None
    """The most for one service project; absent: no cap."""
    contract_cap_fen: int | None = None
    """The most for one contract, all its projects and payments together; absent: no cap."""
    projects_per_contract: int | None = None
    """How many projects one contract may hold; absent: any number."""
    uses_per_project: int | None = None
    """How often one project of one enterprise may use a voucher; absent: any number."""
    vouchers_per_order: int | None = None
    """How many vouchers one order may use; absent: any number."""
    exclude_unrelated: bool = False
    """What the contract holds besides the ordered product is taken out of the base."""
    smaller_of_order_and_actual: bool = False
    """Limited at the order, worked out again at redemption; the smaller counts."""
    prepaid: bool = True
    """False: a subsidy after the fact."""
    refund_if_prepaid: bool = False
    """Where the enterprise has paid in full, the provider pays the voucher's amount back to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderCeiling(Clause):
    """How much one provider may receive in a year; of several, the smallest counts at every moment."""

    code: str
    """Stable code."""
    amount_fen: int | None = None
    """A fixed amount …"""
    share_bp: int | None = None
    """… or a share …"""
    share_of: ShareBase = ShareBase.YEAR_TOTAL
    """… of this."""
    in_principle: bool = False
    """The authority may go beyond, with a reason."""
    blocks_orders: bool = True
    """An order that would pass it is refused; otherwise only its settlement is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FairPrice(Clause):
    """When a price stands so far above others that its reason is asked for (LS-77, GZ-52)."""

    above_list_bp: int
    """How far above the offering's own price it may stand without a reason."""
    above_own_bp: int
    """How far above the median of the provider's other contracts on the same offering."""
    above_category_bp: int
    """How far above the median of other providers' contracts for the same kind of service."""
    least_contracts: int
    """Fewer contracts than this make no median to compare with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnShare(Clause):
    """What the enterprise pays itself, and to whom."""

    paid_to: Payee
    """Who receives it first."""
    on_platform: bool = False
    """Paid through the platform."""
    deposit_bp: int | None = None
    """A deposit (定金), as a part of the contract amount; absent: none."""
    escrow: bool = False
    """The rest is held by the operator (保证金) until the service is settled."""
    effective_when_paid: bool = False
    """The voucher takes effect only when it is paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionFee(Clause):
    """What the operator may take for supervision (NX-36)."""

    rate_min_bp: int
    """The least part of the contract amount."""
    rate_max_bp: int
    """The highest part of the contract amount."""
    paid_by: Payee
    """Who bears it."""
