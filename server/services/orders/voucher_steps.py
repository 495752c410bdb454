"""Vouchers that come to be inside an order: asked for on its contract, or drawn by its provider.

Elsewhere an order uses a voucher its enterprise already holds, and nothing here is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server.errors import Unmet
from server.models.orders import Order
from server.models.organisations import Organisation
from server.models.vouchers import Voucher
from server.programme.model import Programme
from server.programme.papers import Field, FieldKind
from server.programme.size_classes import SizeStandard
from server.programme.steps import OrderStep
from server.programme.vocabulary import Party
from server.rules.deadlines import day_of
from server.rules.eligibility import category_unmet
from server.rules.eligibility import unmet as conditions_unmet
from server.rules.lifecycles import VoucherStatus
from server.rules.money import Basis
from server.rules.order_forms import field_of
from server.rules.scope import scope_unmet
from server.services import journal
from server.services.admissions.applicants import facts_of, snapshot
from server.services.budgets import budgets
from server.services.orders import order_book
from server.services.orders.voucher_requests import VoucherRequests
from server.services.step_work import Move, NothingMore
from server.services.vouchers import issuing, order_purse
from server.services.vouchers.issuing import Grant
from server.services.vouchers.order_purse import UsedTooOften, project_key


class RequestVoucher(NothingMore):
    """REQUEST_VOUCHER: the enterprise asks a period for a voucher on its signed contract (NX-18)."""

    def __init__(self, requests: VoucherRequests) -> None:
        self.requests = requests

    def form(
        self, programme: Programme, step: OrderStep, order: Order, party: Party | None
    ) -> Sequence[Field]:
        return (field_of("round_id", FieldKind.COUNT, required=False, clause=programme.issuance.article),)

    async def do(self, move: Move) -> Mapping[str, Any]:
        """Take a place in the line of the period named, or of the one that is open."""
        await self.requests.ask(
            move.order, move.values.get("round_id"), move.programme, actor=move.actor, now=move.now
        )
        move.afters.append(await self.requests.begin_review(move.order, actor=move.actor, now=move.now))
        return {}

    async def undo(self, order: Order, *, now: datetime) -> None:
        """The request itself was sent back or refused by the review, which has said so."""
        return


class RegisterUse(NothingMore):
    """REGISTER_USE: a voucher is drawn under the provider's name for this project, and its use registered.

    Which enterprise, which contract, which project (YC-05). Nothing is reserved: whoever hands in a complete
    file first is paid (YC-19).
    """

    def __init__(self, sizes: SizeStandard) -> None:
        self.sizes = sizes

    async def unmet(self, move: Move) -> Sequence[Unmet]:
        """The enterprise and what it buys lie within what the text supports (YC-11, YC-12)."""
        order, programme, today = move.order, move.programme, day_of(move.now)
        enterprise = await Organisation.get(id=order.enterprise_id)
        facts = await facts_of(enterprise, programme, now=move.now)
        unmet = list(conditions_unmet(programme, facts, today, self.sizes))
        unmet += scope_unmet(programme, order.category, [order.service] if order.service else [])
        category = programme.category(order.category)
        if category is not None:
            unmet += category_unmet(programme, category, facts, today, self.sizes)
        return unmet

    async def do(self, move: Move) -> Mapping[str, Any]:
        """Draw the voucher. Raises ``UsedTooOften`` for a project drawn before (YC-13), ``NothingToPay``."""
        order, programme, now = move.order, move.programme, move.now
        year = await order_purse.year_budget(programme.slug, programme.year_of(now))
        async with budgets.locked(year.id) as budget:
            paid = await order_purse.payable(programme, order, None)
            if not paid.amount_fen:
                raise order_purse.NothingToPay(clause=paid.clause, arithmetic=paid.arithmetic)
            key = await self._take_project(order, programme)
            serial = await Voucher.filter(budget_id=budget.id, enterprise_id=order.enterprise_id).count() + 1
            grant = Grant(
                enterprise_id=order.enterprise_id,
                provider_id=order.provider_id,
                amount_fen=paid.amount_fen,
                asked_at=now,
                serial=serial,
            )
            (voucher,) = await issuing.issue(
                budget, programme, [grant], basis=Basis.ON_FILE, actor=move.actor.name, now=now
            )
        enterprise = await Organisation.get(id=order.enterprise_id)
        await journal.record(
            "voucher.use_registered",
            f"voucher:{voucher.id}",
            actor=move.actor.name,
            at=now,
            programme_slug=programme.slug,
            order=order.id,
            contract=order.contract_id,
            enterprise=order.enterprise_id,
            provider=order.provider_id,
            amount_fen=paid.amount_fen,
            facts=snapshot(enterprise),
        )
        return {
            "project_key": key,
            "budget_id": year.id,
            "voucher_id": voucher.id,
            "voucher_fen": paid.amount_fen,
            "clause": paid.clause,
            "arithmetic": paid.arithmetic,
        }

    async def _take_project(self, order: Order, programme: Programme) -> str | None:
        """The project's one use is this order's; the table itself decides a race."""
        rule = programme.deduction_for(order.category)
        if rule.uses_per_project is None:
            return None
        key = project_key(order.project)
        try:
            async with in_transaction():  # A savepoint.
                await order_book.change(order, project_key=key)
        except IntegrityError:
            raise UsedTooOften(clause=rule.article, project=order.project) from None
        return key


async def give_up_draw(order: Order, *, now: datetime) -> None:
    """An order that ends lets go of its project, and of the voucher drawn for it."""
    if order.project_key is None:
        return
    await order_book.change(order, project_key=None)
    await Voucher.filter(id=order.voucher_id, basis=Basis.ON_FILE, status=VoucherStatus.ACTIVE).update(
        status=VoucherStatus.HANDED_BACK
    )
