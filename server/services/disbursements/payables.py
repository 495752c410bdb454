"""Payables: what a batch takes to the bank, by the source it comes from.

Drawn up, approved, sent, paid, returned: those verbs are one for every source, and ask here for what differs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from server.models.disbursements import Payment
from server.models.rounds import Budget
from server.models.settlements import Settlement
from server.programme.model import Programme
from server.rules.disbursements import PaymentSource, Receipt, YearMoney
from server.services.access import Actor
from server.services.afterwards import After
from server.services.disbursements.offsets import Planned


class Payable(Protocol):
    """One source of money: which settlements wait for it, how much each, and what the bank's word does.

    Everything but :meth:`look`, :meth:`waiting` and :meth:`money` stands in the transaction of the verb,
    under the locks of ``disbursement_book.lock``.
    """

    source: PaymentSource
    ends_review: bool
    """Whether the review of a settlement waits for its payment, its filing and its archive."""

    async def look(self, settlement_ids: Collection[int]) -> None:
        """Look through what would be paid, and hold what must be held; in transactions of its own."""

    async def waiting(self, budget: Budget) -> list[Settlement]:
        """What waits to be paid in the books of a year, with its order, by id."""

    async def in_line(
        self, rows: Sequence[Settlement], programme: Programme, budget: Budget
    ) -> list[Settlement]:
        """Those of these that wait still, in the order in which they are paid."""

    def due_fen(self, settlement: Settlement) -> int:
        """What one settlement is to be paid of it, fen."""

    async def money(self, budget: Budget) -> YearMoney | None:
        """What there is to pay from; ``None``: what is due is there."""

    async def kept_back(
        self, chosen: Sequence[Settlement], slug: str, on: date, *, but_batch: int | None = None
    ) -> Mapping[int, Sequence[Planned]]:
        """What of these is kept back for claims on a day, by settlement; as if that batch kept nothing."""

    async def short(self, settlement: Settlement, now: datetime) -> None:
        """The money did not reach it."""

    async def taken(self, settlement: Settlement) -> None:
        """It stands in a batch."""

    async def let_go(self, settlement: Settlement) -> None:
        """It stands in no batch any more, and nothing was paid."""

    async def paid(
        self,
        payment: Payment,
        settlement: Settlement,
        receipt: Receipt,
        programme: Programme,
        actor: Actor,
        now: datetime,
    ) -> After:
        """The bank has paid: what becomes of the settlement, and who hears of it."""

    async def returned(
        self, payment: Payment, settlement: Settlement, receipt: Receipt, actor: Actor, now: datetime
    ) -> None:
        """The bank has sent it back: it waits again."""

    async def post(
        self, payment: Payment, settlement: Settlement, receipt: Receipt, actor: Actor, now: datetime
    ) -> None:
        """Post what was paid, or what came back after it was; ``payment`` as it stood before the word."""


Payables = Mapping[PaymentSource, Payable]
