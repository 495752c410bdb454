"""Lives: every state a thing can be in, the moves between them, and what each state allows.

A move table answers "may this become that"; a capability table answers "what does this state
still permit", so that a word such as *paused* is explained in one place and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from server.errors import Refusal

State = TypeVar("State", bound=StrEnum)
Act = TypeVar("Act", bound=StrEnum)


class IllegalMove(Refusal):
    """The thing is in a state from which it cannot go where it was asked to."""

    status, code = 409, "illegal_move"


class NotPermittedNow(Refusal):
    """The thing is in a state that does not permit this act."""

    status, code = 409, "not_permitted_now"


class RoundStatus(StrEnum):
    """A round's state as decided by people; whether it is open is a matter of the instant, too."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    PAUSED = "paused"
    CLOSED = "closed"


class RoundAct(StrEnum):
    """What can be done with a round."""

    EDIT = "edit"
    GRANT = "grant"
    TOP_UP = "top_up"
    CUT = "cut"


class VoucherStatus(StrEnum):
    """A voucher's state. Only an active one pays."""

    ACTIVE = "active"
    USED_UP = "used_up"
    HANDED_BACK = "handed_back"
    RECLAIMED = "reclaimed"
    EXPIRED = "expired"
    VOIDED = "voided"


class VoucherAct(StrEnum):
    """What the holder can do with a voucher."""

    PAY = "pay"
    HAND_BACK = "hand_back"
    TAKE_PAYMENT_BACK = "take_payment_back"


class QualificationStatus(StrEnum):
    """The state of a party's qualification under one programme."""

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    REVOKED = "revoked"
    EXPIRED = "expired"
    """Its time is over: nothing new, until it is renewed."""
    SUSPENDED = "suspended"
    """A provider held at once, until the suspension is lifted or something is decided."""
    DELISTED = "delisted"
    """A provider removed by a decision. Whether it may ever come back, the blocklist says."""


class RegistrationStatus(StrEnum):
    """The state of a registration form. Only a form under review is shut."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    """Only what was returned is open."""
    REFUSED = "refused"
    APPROVED = "approved"
    """The next one, for a renewal, begins with what was approved."""


class QualificationAct(StrEnum):
    """What a qualification lets its party do."""

    OBTAIN_VOUCHERS = "obtain_vouchers"
    USE_VOUCHERS = "use_vouchers"


class ProviderAct(StrEnum):
    """What a provider does on the platform."""

    PUBLISH = "publish"
    """Hand in offerings, and have them shown."""
    TAKE_ORDERS = "take_orders"
    """Be ordered from, confirm, sign."""
    FINISH_ORDERS = "finish_orders"
    """Go on with what was signed before."""
    SETTLE = "settle"
    """Ask for the money of what was delivered."""


ROUND_MOVES: Mapping[RoundStatus, frozenset[RoundStatus]] = {
    RoundStatus.DRAFT: frozenset({RoundStatus.SCHEDULED}),
    RoundStatus.SCHEDULED: frozenset({RoundStatus.PAUSED, RoundStatus.CLOSED}),
    RoundStatus.PAUSED: frozenset({RoundStatus.SCHEDULED, RoundStatus.CLOSED}),
    # Reopening: what was handed back may be issued again.
    RoundStatus.CLOSED: frozenset({RoundStatus.SCHEDULED}),
}

ROUND_MAY: Mapping[RoundStatus, frozenset[RoundAct]] = {
    RoundStatus.DRAFT: frozenset({RoundAct.EDIT, RoundAct.TOP_UP, RoundAct.CUT}),
    RoundStatus.SCHEDULED: frozenset({RoundAct.GRANT, RoundAct.TOP_UP, RoundAct.CUT}),
    RoundStatus.PAUSED: frozenset({RoundAct.TOP_UP, RoundAct.CUT}),
    # What a round that is over did not issue goes back into the year.
    RoundStatus.CLOSED: frozenset({RoundAct.CUT}),
}

VOUCHER_MOVES: Mapping[VoucherStatus, frozenset[VoucherStatus]] = {
    VoucherStatus.ACTIVE: frozenset(
        {
            VoucherStatus.USED_UP,
            VoucherStatus.HANDED_BACK,
            VoucherStatus.RECLAIMED,
            VoucherStatus.EXPIRED,
            VoucherStatus.VOIDED,
        }
    ),
    # A payment given back makes the voucher usable again; a fraud found later voids it.
    VoucherStatus.USED_UP: frozenset({VoucherStatus.ACTIVE, VoucherStatus.VOIDED}),
    VoucherStatus.HANDED_BACK: frozenset(),
    VoucherStatus.RECLAIMED: frozenset(),
    VoucherStatus.EXPIRED: frozenset(),
    VoucherStatus.VOIDED: frozenset(),
}

VOUCHER_MAY: Mapping[VoucherStatus, frozenset[VoucherAct]] = {
    VoucherStatus.ACTIVE: frozenset({VoucherAct.PAY, VoucherAct.HAND_BACK, VoucherAct.TAKE_PAYMENT_BACK}),
    VoucherStatus.USED_UP: frozenset({VoucherAct.TAKE_PAYMENT_BACK}),
    VoucherStatus.HANDED_BACK: frozenset(),
    VoucherStatus.RECLAIMED: frozenset(),
    # Once expired, a payment cannot be taken back either (GZ-101).
    VoucherStatus.EXPIRED: frozenset(),
    VoucherStatus.VOIDED: frozenset(),
}

QUALIFICATION_MOVES: Mapping[QualificationStatus, frozenset[QualificationStatus]] = {
    QualificationStatus.PENDING: frozenset(
        {QualificationStatus.APPROVED, QualificationStatus.REFUSED, QualificationStatus.DELISTED}
    ),
    # A major change of the enterprise sends an approved qualification back to review.
    QualificationStatus.APPROVED: frozenset(
        {
            QualificationStatus.REVOKED,
            QualificationStatus.PENDING,
            QualificationStatus.EXPIRED,
            QualificationStatus.SUSPENDED,
            QualificationStatus.DELISTED,
        }
    ),
    # A renewal that was handed in in time may be decided after the end; what was done before may come out.
    QualificationStatus.EXPIRED: frozenset(
        {QualificationStatus.PENDING, QualificationStatus.APPROVED, QualificationStatus.DELISTED}
    ),
    QualificationStatus.REFUSED: frozenset({QualificationStatus.PENDING}),
    # Withdrawn is not barred: who may never come back stands on the blocklist.
    QualificationStatus.REVOKED: frozenset({QualificationStatus.PENDING, QualificationStatus.DELISTED}),
    # Lifted, it stands as it would stand without: its time may be over, its facts may be others.
    QualificationStatus.SUSPENDED: frozenset(
        {
            QualificationStatus.APPROVED,
            QualificationStatus.EXPIRED,
            QualificationStatus.PENDING,
            QualificationStatus.REVOKED,
            QualificationStatus.DELISTED,
        }
    ),
    QualificationStatus.DELISTED: frozenset({QualificationStatus.PENDING}),
}

QUALIFICATION_MAY: Mapping[QualificationStatus, frozenset[QualificationAct]] = {
    QualificationStatus.PENDING: frozenset(),
    QualificationStatus.APPROVED: frozenset(
        {QualificationAct.OBTAIN_VOUCHERS, QualificationAct.USE_VOUCHERS}
    ),
    QualificationStatus.REFUSED: frozenset(),
    QualificationStatus.REVOKED: frozenset(),
    QualificationStatus.EXPIRED: frozenset(),
    QualificationStatus.SUSPENDED: frozenset(),
    QualificationStatus.DELISTED: frozenset(),
}

_WHAT_WAS_SIGNED = frozenset({ProviderAct.FINISH_ORDERS, ProviderAct.SETTLE})

PROVIDER_MAY: Mapping[QualificationStatus, frozenset[ProviderAct]] = {
    QualificationStatus.APPROVED: frozenset(ProviderAct),
    # Sent back to review, turned down, withdrawn or run out: nothing new, but a signed contract was
    # signed in good standing (GX-43). A programme may say otherwise of what ran out: `finish_signed`.
    QualificationStatus.PENDING: _WHAT_WAS_SIGNED,
    QualificationStatus.REFUSED: _WHAT_WAS_SIGNED,
    QualificationStatus.REVOKED: _WHAT_WAS_SIGNED,
    QualificationStatus.EXPIRED: _WHAT_WAS_SIGNED,
    # Who bought gets what was bought; public money waits until somebody has decided.
    QualificationStatus.SUSPENDED: frozenset({ProviderAct.FINISH_ORDERS}),
    QualificationStatus.DELISTED: frozenset({ProviderAct.FINISH_ORDERS}),
}
"""What each standing still lets a provider do (docs/providers.md)."""

BARRED_PROVIDER_MAY = frozenset({ProviderAct.FINISH_ORDERS})
"""What is left to a provider on the blocklist, whatever its standing."""


def require_move(moves: Mapping[State, frozenset[State]], current: State, target: State) -> None:
    """Raise :class:`IllegalMove` unless the table lets ``current`` become ``target``."""
    if target not in moves[current]:
        raise IllegalMove(current=current.value, target=target.value)


def require_act(may: Mapping[State, frozenset[Act]], current: State, act: Act) -> None:
    """Raise :class:`NotPermittedNow` unless ``current`` permits ``act``."""
    if act not in may[current]:
        raise NotPermittedNow(current=current.value, act=act.value)
