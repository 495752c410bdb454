"""Payments: what the enterprise pays itself and to whom, what the papers must show, what a fee may be."""

from __future__ import annotations

from dataclasses import dataclass

from server import texts
from server.errors import Refusal, Unmet
from server.programme.model import Programme
from server.programme.money import OwnShare, SupervisionFee
from server.programme.papers import AmountRule, Document
from server.units import percent, share, share_up, yuan


class FeeOutOfBounds(Refusal):
    """A supervision fee below or above what the text allows."""

    status, code = 409, "fee_out_of_bounds"


@dataclass(frozen=True, slots=True)
class Payments:
    """How a price is paid, in fen: ``voucher + deposit + escrow + rest`` is the price.

    ``deposit_fen``  定金, at the signing of the contract
    ``escrow_fen``   保证金, held by the operator until settlement
    ``rest_fen``     paid to the provider at the end
    """

    price_fen: int
    voucher_fen: int
    deposit_fen: int
    escrow_fen: int
    rest_fen: int
    arithmetic: str

    @property
    def own_share_fen(self) -> int:
        """The enterprise's own share."""
        return self.price_fen - self.voucher_fen


def payments(rules: OwnShare, price_fen: int, voucher_fen: int) -> Payments:
    """Divide a price, given what the voucher pays (at most the price)."""
    own = price_fen - voucher_fen
    # Never more than is left to pay: 20 % deposit and 80 % voucher leave a balance of nothing (GX-54).
    deposit = 0 if rules.deposit_bp is None else min(own, share_up(price_fen, rules.deposit_bp))
    escrow = own - deposit if rules.escrow else 0
    rest = own - deposit - escrow
    parts = [texts.PAID_BY_VOUCHER.format(amount=yuan(voucher_fen))]
    if rules.deposit_bp is not None:
        parts.append(texts.DEPOSIT.format(rate=percent(rules.deposit_bp), amount=yuan(deposit)))
    if rules.escrow:
        parts.append(texts.ESCROW.format(amount=yuan(escrow)))
    parts.append(texts.REST.format(amount=yuan(rest)))
    return Payments(
        price_fen,
        voucher_fen,
        deposit,
        escrow,
        rest,
        texts.DIVIDED.format(price=yuan(price_fen), parts=texts.LIST.join(parts)),
    )


def refund_due_fen(
    programme: Programme, category: str, invoice_fen: int, paid_fen: int, voucher_fen: int
) -> int:
    """What the provider owes back to an enterprise that has paid more than its own share (GZ-48)."""
    if not programme.deduction_for(category).refund_if_prepaid:
        return 0
    return max(0, paid_fen + voucher_fen - invoice_fen)


def supervision_fee_bounds(fee: SupervisionFee, contract_fen: int) -> tuple[int, int]:
    """The least and the highest supervision fee on a contract, in fen (NX-36)."""
    return share_up(contract_fen, fee.rate_min_bp), share(contract_fen, fee.rate_max_bp)


def require_fee(fee: SupervisionFee, contract_fen: int, fee_fen: int) -> None:
    """Raise :class:`FeeOutOfBounds` unless a supervision fee lies within its bounds, both included."""
    least, most = supervision_fee_bounds(fee, contract_fen)
    if not least <= fee_fen <= most:
        raise FeeOutOfBounds(
            clause=fee.article,
            arithmetic=texts.FEE_BOUNDS.format(
                low=percent(fee.rate_min_bp),
                high=percent(fee.rate_max_bp),
                contract=yuan(contract_fen),
                least=yuan(least),
                most=yuan(most),
            ),
            asked=yuan(fee_fen),
        )


def own_share_at_least(document: Document, price_fen: int, voucher_fen: int) -> int:
    """The least a transfer shows, fen: the own part is covered whatever share the text asks for at least."""
    return max(share_up(price_fen, document.minimum_bp or 0), price_fen - voucher_fen)


def amount_unmet(
    document: Document,
    shown_fen: int,
    *,
    price_fen: int,
    voucher_fen: int,
    vouchers_fen: int = 0,
) -> Unmet | None:
    """What is wrong with the amount a document shows, or ``None``.

    ``price_fen`` is the invoiced (or contract) price of the one service, ``voucher_fen`` what vouchers
    pay of it, ``vouchers_fen`` the sum of all vouchers in the settlement, for a summary invoice.
    """
    if document.amount is None:
        return None
    if document.amount is AmountRule.OWN_SHARE_AT_LEAST:
        expected = own_share_at_least(document, price_fen, voucher_fen)
        fits, sign = shown_fen >= expected, "<"
    else:
        expected = {
            AmountRule.FULL_PRICE: price_fen,
            AmountRule.OWN_SHARE: price_fen - voucher_fen,
            AmountRule.VOUCHER_SUM: vouchers_fen,
        }[document.amount]
        fits, sign = shown_fen == expected, "≠"
    if fits:
        return None
    return Unmet(
        document.code,
        document.article,
        texts.AMOUNTS[document.amount].format(name=document.name),
        f"{yuan(shown_fen)} {sign} {yuan(expected)}",
    )
