"""Step work: what a kind of step asks, checks and does beyond the walk every step takes.

The engine (``orders``) knows whose turn it is, until when, which papers are asked for and what the
step does to the money; it reads all that from the programme. A kind of step that needs more brings one
:class:`StepWork`, registered under its :class:`StepKind`. A kind without one asks and does nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from server.errors import Unmet
from server.models.files import StoredFile
from server.models.orders import Order
from server.programme.model import Programme
from server.programme.papers import Field
from server.programme.steps import OrderStep
from server.programme.vocabulary import Party
from server.services.access import Actor
from server.services.afterwards import After


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """One document as it is handed in: its files, and what it shows. Money in fen."""

    code: str
    files: tuple[StoredFile, ...]
    number: str = ""
    amount_fen: int | None = None
    dated: date | None = None
    payer: str = ""
    payee: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Somebody does one step of one order, inside the one transaction of it.

    ``programme`` stands as it stood when the order was opened, yearly notice included. ``party`` is
    ``None`` where the platform or an official does the step. ``values`` are the step's own fields, already
    read by their kinds (money in fen, days as ``date``). ``completes`` is false while the other side of a
    step that both do has not done its part: work that counts is done by the act that completes the step.
    """

    order: Order
    step: OrderStep
    programme: Programme
    party: Party | None
    actor: Actor
    now: datetime
    values: Mapping[str, Any] = field(default_factory=dict)
    papers: Mapping[str, tuple[Paper, ...]] = field(default_factory=dict)
    """By the document's code."""
    completes: bool = True
    afters: list[After] = field(default_factory=list)
    """What the work wants done once the transaction is in: telling other workers, Redis."""


class StepWork(Protocol):
    """What one kind of step needs besides papers, turn, deadline and effect."""

    def form(
        self, programme: Programme, step: OrderStep, order: Order, party: Party | None
    ) -> Sequence[Field]:
        """The fields this side fills in, in the order they are shown; required ones are checked."""

    async def unmet(self, move: Move) -> Sequence[Unmet]:
        """Everything that stands against the step now; the engine refuses with all of it at once."""

    async def do(self, move: Move) -> Mapping[str, Any]:
        """Do it, in the transaction; returns the columns of the order that change with it.

        May raise a ``Refusal``: then nothing was done.
        """

    async def undo(self, order: Order, *, now: datetime) -> None:
        """Take back what it did besides, when the order is sent back to this step or one before it."""


class NothingMore:
    """A step that is done by being done; works that need less than all of it begin here."""

    def form(
        self, programme: Programme, step: OrderStep, order: Order, party: Party | None
    ) -> Sequence[Field]:
        return ()

    async def unmet(self, move: Move) -> Sequence[Unmet]:
        return ()

    async def do(self, move: Move) -> Mapping[str, Any]:
        return {}

    async def undo(self, order: Order, *, now: datetime) -> None:
        return None
