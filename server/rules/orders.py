"""An order's life: its states, the moves between them, and what each state still permits."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class OrderStatus(StrEnum):
    """Where an order stands as a whole; which step comes next is another matter."""

    OPEN = "open"
    """Under way: somebody has a step to do."""
    ON_HOLD = "on_hold"
    """The operator looks at it first: the sides may be one (YC-29, NX-35), or the price is unlike others."""
    WAITING = "waiting"
    """Signed by both, and the year's money does not cover it yet: in line (GX-65)."""
    CANCELLING = "cancelling"
    """Somebody asked to cancel it; who else must ask or agree has not yet (LS-53)."""
    DONE = "done"
    """Every step up to the settlement is done."""
    DECLINED = "declined"
    """The provider did not take it on, or never answered."""
    CANCELLED = "cancelled"
    LAPSED = "lapsed"
    """A deadline passed that ends the order."""


class OrderAction(StrEnum):
    """What can be done with an order besides its next step."""

    STEP = "step"
    CANCEL = "cancel"
    SETTLE = "settle"


ORDER_MOVES: Mapping[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.OPEN: frozenset(
        {
            OrderStatus.ON_HOLD,
            OrderStatus.WAITING,
            OrderStatus.CANCELLING,
            OrderStatus.DONE,
            OrderStatus.DECLINED,
            OrderStatus.CANCELLED,
            OrderStatus.LAPSED,
        }
    ),
    OrderStatus.ON_HOLD: frozenset({OrderStatus.OPEN, OrderStatus.DECLINED, OrderStatus.CANCELLED}),
    OrderStatus.WAITING: frozenset({OrderStatus.OPEN, OrderStatus.CANCELLED, OrderStatus.LAPSED}),
    # Refused or taken back, it goes on where it stood.
    OrderStatus.CANCELLING: frozenset({OrderStatus.OPEN, OrderStatus.CANCELLED}),
    # A payment given back opens it again (GZ-101).
    OrderStatus.DONE: frozenset({OrderStatus.OPEN}),
    OrderStatus.DECLINED: frozenset(),
    OrderStatus.CANCELLED: frozenset(),
    OrderStatus.LAPSED: frozenset(),
}

ORDER_MAY: Mapping[OrderStatus, frozenset[OrderAction]] = {
    OrderStatus.OPEN: frozenset({OrderAction.STEP, OrderAction.CANCEL}),
    OrderStatus.ON_HOLD: frozenset({OrderAction.CANCEL}),
    OrderStatus.WAITING: frozenset({OrderAction.CANCEL}),
    OrderStatus.CANCELLING: frozenset({OrderAction.CANCEL}),
    OrderStatus.DONE: frozenset({OrderAction.SETTLE}),
    OrderStatus.DECLINED: frozenset(),
    OrderStatus.CANCELLED: frozenset(),
    OrderStatus.LAPSED: frozenset(),
}
"""A finished order (``done``) is cancelled no more: what was spent is a matter of the settlement."""

LIVE = frozenset({OrderStatus.OPEN, OrderStatus.ON_HOLD, OrderStatus.WAITING, OrderStatus.CANCELLING})
"""What may still come to something: its contract, voucher and project are taken."""
COMING_TO_SOMETHING = frozenset({*LIVE, OrderStatus.DONE})
"""What has not come to nothing: it counts on its contract and its project."""
