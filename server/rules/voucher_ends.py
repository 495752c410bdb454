"""How a voucher ends: what its money does, what its holder's quota does, and who may have it after that.

A voucher lapses by date, is taken back for a missed deadline or with the order it was issued for, is handed
back by its holder, or is voided as a sanction. The programme says which of these burn the year's quota
(GZ-38, GZ-39) and what becomes of the money (LS-32, LS-68, GX-59).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from server.errors import Refusal
from server.programme.issuance import QuotaEvent, Reissue
from server.programme.model import Programme
from server.rules.lifecycles import VoucherStatus
from server.rules.money import RETURNS, ROUTES, Basis, Movement


class NotHandedBack(Refusal):
    """The programme's vouchers cannot be handed back."""

    status, code = 409, "not_handed_back"


class Ending(StrEnum):
    """How a voucher comes to its end."""

    EXPIRY = "expiry"
    RECLAIM = "reclaim"
    HAND_BACK = "hand_back"
    VOIDING = "voiding"
    ORDER_ENDED = "order_ended"
    """Issued for one order alone, it ends with it: as if it had never been issued (NX-18, NX-19)."""


@dataclass(frozen=True, slots=True)
class _Terms:
    status: VoucherStatus
    movement: Movement
    event: QuotaEvent | None
    """``None``: it counts against no quota, whatever the programme burns."""


_TERMS: Mapping[Ending, _Terms] = {
    Ending.EXPIRY: _Terms(VoucherStatus.EXPIRED, Movement.EXPIRE, QuotaEvent.EXPIRED),
    Ending.RECLAIM: _Terms(VoucherStatus.RECLAIMED, Movement.RECLAIM, QuotaEvent.RECLAIMED),
    Ending.HAND_BACK: _Terms(VoucherStatus.HANDED_BACK, Movement.HAND_BACK, QuotaEvent.HANDED_BACK),
    Ending.VOIDING: _Terms(VoucherStatus.VOIDED, Movement.VOID, QuotaEvent.VOIDED),
    Ending.ORDER_ENDED: _Terms(VoucherStatus.RECLAIMED, Movement.RECLAIM, None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """What an ending does to one voucher. Money in fen.

    ``status``        what the voucher becomes; ``None`` while money of it is still held on an order
    ``movement``      how what was free of it moves; ``None`` where nothing was ever posted
    ``given_back``    whether it counts against the year's quota no more
    ``returns``       how the money then returns to its year; ``None``: it stays where it is
    ``down_the_list`` it goes to who waits in the same round
    """

    status: VoucherStatus | None
    movement: Movement | None
    given_back: bool
    returns: Movement | None
    down_the_list: bool


def end_of_voucher(
    programme: Programme, ending: Ending, basis: Basis, *, held_fen: int, spent_fen: int, same_year: bool
) -> End:
    """What happens when a voucher ends so. ``same_year``: within the programme year of its money.

    Expiry and voiding are final even while an order holds some of it; what the order gives back later
    follows it. A reclaim or a hand-back takes only what is free: the voucher lives on while an order holds
    the rest, and is used up when the rest is spent. What ends with its order goes back to the year even where
    nothing else is issued again.
    """
    terms = _TERMS[ending]
    status: VoucherStatus | None = terms.status
    if ending not in (Ending.EXPIRY, Ending.VOIDING) and (held_fen or spent_fen):
        status = None if held_fen else VoucherStatus.USED_UP
    # Money of an earlier year is nobody's to give out again; a promised quota was never money.
    again = ending is Ending.ORDER_ENDED or programme.issuance.reissue is not Reissue.NONE
    reissued = basis is Basis.MONEY and same_year and again
    arrived = ROUTES[terms.movement][1]
    return End(
        status=status,
        movement=None if basis is Basis.ON_FILE else terms.movement,
        given_back=terms.event not in programme.issuance.burns_quota,
        returns=RETURNS[arrived] if reissued else None,
        down_the_list=reissued and programme.issuance.reissue is Reissue.WAITING_LIST,
    )


def require_hand_back(programme: Programme) -> None:
    """Raise :class:`NotHandedBack` where the programme knows no hand-back."""
    if not programme.issuance.hand_back:
        raise NotHandedBack(clause=programme.issuance.article)
