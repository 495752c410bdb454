"""The line of contracts that both sides have signed and the year's money does not cover yet (GX-65)."""

from __future__ import annotations

from datetime import datetime

from server.errors import Refusal
from server.models.orders import Order, OrderAct
from server.programme.steps import OrderStep
from server.rules.budgets import ContractsPaused
from server.rules.order_forms import read
from server.rules.orders import OrderStatus
from server.services.access import CLOCK
from server.services.budgets.annual_notices import Terms
from server.services.orders import order_book
from server.services.orders.orders import Orders
from server.services.step_work import Move


class WaitingLine:
    """Lets contracts take effect in the order they were signed, as money comes."""

    def __init__(self, orders: Orders) -> None:
        self.orders = orders

    async def resume(self) -> int:
        """Conclude the contracts that waited for a year's money, in the order they were signed (GX-65).

        The first that is not covered keeps all behind it waiting: those of its programme and kind of
        voucher. One that something else stands against by now, a quota used up or lapsed, holds nobody up;
        its sides may give it up. Returns how many went on.
        """
        resumed, stuck = 0, set()
        for order in await Order.filter(status=OrderStatus.WAITING).order_by("step_since", "id"):
            line = (order.programme_slug, order.kind)
            if line in stuck:
                continue
            try:
                resumed += await self._resume(order)
            except ContractsPaused:
                stuck.add(line)
            except Refusal:
                continue
        return resumed

    async def _resume(self, order: Order) -> int:
        """1 when the order went on. Raises whatever keeps it from it, and then nothing was done."""
        terms, now = self.orders.terms_of(order), self.orders.clocks.now(order.programme_slug)
        async with self.orders.held(order, version=order.version) as order:
            if order.status is not OrderStatus.WAITING or order.step is None:
                return 0
            step = next(one for one in terms.programme.order_steps if one.kind is order.step)
            order = await order_book.move(order, OrderStatus.OPEN)
            order = await self.orders.take_effect(await self._as_signed(order, step, terms, now), terms)
            await order_book.tell_both("order.resumed", order, now=now, step=step.name)
            await self.orders.advance(order, terms, actor=CLOCK, now=now)
        return 1

    async def _as_signed(self, order: Order, step: OrderStep, terms: Terms, now: datetime) -> Move:
        """The move that completed a step and has not taken effect, with what was said in it."""
        act = (await OrderAct.filter(order_id=order.id, step=step.kind, sent_back_at=None).order_by("id"))[-1]
        fields = self.orders.work(step.kind).form(terms.programme, step, order, act.party)
        return Move(
            order=order,
            step=step,
            programme=terms.programme,
            party=act.party,
            actor=CLOCK,
            now=now,
            values=read(fields, act.values)[0],
        )
