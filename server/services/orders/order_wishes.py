"""What somebody wants to do with an order, what a step asks of them, and how they are refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from server.errors import Refusal, Unmet
from server.programme.papers import Document, Field
from server.programme.steps import OrderStep
from server.rules.invoice_checks import Wanted
from server.services.orders.order_papers import HandIn


class OrderMovedOn(Refusal):
    """Somebody else did something on the order a moment earlier; nothing of this was done."""

    status, code = 409, "order_moved_on"


class StepUnmet(Refusal):
    """Something is missing or wrong; ``unmet`` names all of it, and nothing was done."""

    status, code = 422, "step_unmet"


class NothingToSendBack(Refusal):
    """The order is at no step from which this side may send it back."""

    status, code = 409, "nothing_to_send_back"


@dataclass(frozen=True, slots=True)
class Wish:
    """What one side wants to do with a step: the values of its fields, and its papers."""

    values: Mapping[str, object] = field(default_factory=dict)
    papers: Sequence[HandIn] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """What a step asks of one side now."""

    step: OrderStep
    fields: tuple[Field, ...]
    documents: tuple[Document, ...]
    terms: Mapping[str, Wanted] = field(default_factory=dict)
    """What the invoices and receipts among them have to show."""


def require_met(step: OrderStep, unmet: Sequence[Unmet]) -> None:
    """Raise :class:`StepUnmet` with everything that stands against a step, if anything does."""
    if not unmet:
        return
    raise StepUnmet(
        clause=next((one.clause for one in unmet if one.clause), step.article),
        arithmetic=next((one.arithmetic for one in unmet if one.arithmetic), ""),
        unmet=tuple(unmet),
        step=step.name,
        count=len(unmet),
        first=unmet[0].message,
    )
