"""Documents made and signed on the platform: each side signs the same text, and what both signed is printed.

Printing takes a while and never happens under a lock: a step only records the signatures, and the paper is
made once its transaction is in, by whoever asked or, had that process died, by a job.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from server.models.contracts import Contract
from server.models.documents import PrintedDocument, Signature
from server.models.orders import Order, OrderAct
from server.programme.model import Programme
from server.programme.papers import DocumentForm, Field
from server.programme.steps import OrderStep, StepKind
from server.programme.vocabulary import Party
from server.rules.documents import Printed
from server.services.documents import documents
from server.services.documents.documents import Documents
from server.services.orders import order_book
from server.services.orders.contract_steps import MakeContract
from server.services.orders.orders import Orders
from server.services.step_work import Move, NothingMore, StepWork

GROUP = 20
SIGNED_HERE: Mapping[StepKind, Printed] = {
    StepKind.SIGN_CONTRACT: Printed.CONTRACT,
    StepKind.SERVICE_CONFIRMATION: Printed.SERVICE_CONFIRMATION,
}
BOTH = len(Party)
PERSON = "person:"


class Signing(NothingMore):
    """Another step's work, and a signature with it where the programme has the document made here."""

    def __init__(self, inner: StepWork, desk: Documents, printing: Printing) -> None:
        self._inner = inner
        self._desk = desk
        self._printing = printing

    def form(
        self, programme: Programme, step: OrderStep, order: Order, party: Party | None
    ) -> Sequence[Field]:
        return self._inner.form(programme, step, order, party)

    async def unmet(self, move: Move) -> Sequence[Any]:
        return await self._inner.unmet(move)

    async def do(self, move: Move) -> Mapping[str, Any]:
        """The step itself; then the side's signature, under what it says now."""
        changes = await self._inner.do(move)
        order = await order_book.change(move.order, **changes)
        if made_here(move.step):
            version = await version_of(order.id, move.step.kind)
            # By the book: what was signed while the year's money was short takes effect without anybody
            # being there.
            for act in await _signing(order.id, move.step.kind):
                await self._desk.sign(
                    order,
                    SIGNED_HERE[move.step.kind],
                    version,
                    Party(str(act.party)),
                    int(act.actor.removeprefix(PERSON)),
                    now=act.at,
                    programme=move.programme,
                )
            if move.completes:
                order_id = order.id
                move.afters.append(lambda: self._printing.print_of(order_id))
        return changes

    async def undo(self, order: Order, *, now: datetime) -> None:
        await self._inner.undo(order, now=now)


class Printing:
    """Makes the papers of what both sides have signed."""

    def __init__(self, orders: Orders, desk: Documents) -> None:
        self.orders = orders
        self.desk = desk

    async def print_due(self) -> int:
        """Print whatever both have signed and nobody has printed yet; returns how many papers."""
        signed = (
            await Signature.all().order_by("-id").limit(GROUP * BOTH * 10).values_list("order_id", flat=True)
        )
        made = 0
        for order_id in list(dict.fromkeys(signed)):
            made += await self._print(int(str(order_id)))
            if made >= GROUP:
                break
        return made

    async def print_of(self, order_id: int) -> None:
        """Print what is due of one order."""
        await self._print(order_id)

    async def _print(self, order_id: int) -> int:
        order = await Order.get(id=order_id)
        now = self.orders.clocks.now(order.programme_slug)
        made = 0
        for kind, document in SIGNED_HERE.items():
            version = await version_of(order_id, kind)
            signatures = await documents.signatures_of(order_id, document, version)
            if len(signatures) < BOTH or order.step is kind:
                continue  # Not signed by both, or in line for the year's money.
            if await PrintedDocument.exists(order_id=order_id, document=document, version=version):
                continue
            if document is Printed.CONTRACT:
                contract = await Contract.get(id=order.contract_id)
                await self.desk.contract_pdf(order, contract, version, signatures, now=now)
            else:
                await self.desk.confirmation_pdf(order, version, signatures, now=now)
            made += 1
        return made


def made_here(step: OrderStep) -> bool:
    """Whether a step's document is made and signed on the platform."""
    return any(one.form is DocumentForm.ELECTRONIC for one in step.documents)


async def _signing(order_id: int, kind: StepKind) -> list[OrderAct]:
    """Who has done a signing step, as it counts."""
    acts = OrderAct.filter(order_id=order_id, step=kind, sent_back_at=None, party__isnull=False)
    return await acts.filter(actor__startswith=PERSON).order_by("id")


async def version_of(order_id: int, kind: StepKind) -> int:
    """Which attempt at a document this is: each that was sent back was one."""
    return await OrderAct.filter(order_id=order_id, step=kind, sent_back_at__isnull=False).count() + 1


def signing_works(desk: Documents, printing: Printing) -> dict[StepKind, StepWork]:
    """The works of the steps in which something is signed."""
    return {
        StepKind.SIGN_CONTRACT: Signing(MakeContract(), desk, printing),
        StepKind.SERVICE_CONFIRMATION: Signing(NothingMore(), desk, printing),
    }
