"""Settlement drafts: which orders an application is for, its papers, and its forms, until it is handed in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from tortoise.exceptions import IntegrityError
from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.orders import Order
from server.models.settlements import Settlement, SettlementApplication, SettlementForm
from server.programme.model import Programme
from server.programme.vocabulary import Party
from server.rules.deadlines import day_of
from server.rules.orders import OrderStatus
from server.rules.settlements import SettlementApplicationStatus, SettlementStatus
from server.services import access
from server.services.access import Actor, NotAllowed, NotFound
from server.services.numbers import new_number
from server.services.orders.orders import Orders
from server.services.settlements import settlement_book, settlement_papers
from server.services.settlements.settlement_forms import SettlementForms
from server.services.settlements.settlement_papers import ForOrder

MOST_ORDERS = 200
"""So many orders in one application at most."""


class SettlementOrdersUnknown(NotFound):
    """No such orders, or none of the provider's own; ``ids`` names them."""

    status, code = 404, "settlement_orders_unknown"


class OrderNotFinished(Refusal):
    """The order has steps to do before its money is asked for."""

    status, code = 409, "order_not_finished"


class SettledAlready(Refusal):
    """The order's money has been asked for, in this application or another."""

    status, code = 409, "settled_already"


class OrdersMixed(Refusal):
    """Orders of several programmes, or of several providers, in one application."""

    status, code = 422, "settlement_orders_mixed"


class NothingToSettle(Refusal):
    """The application holds no order."""

    status, code = 409, "nothing_to_settle"


class SettlementDrafts:
    """The verbs before handing in. Instants are those of the programme's clock."""

    def __init__(self, orders: Orders, forms: SettlementForms) -> None:
        self.orders = orders
        self.forms = forms
        self.programmes = orders.programmes
        self.clocks = orders.clocks

    def terms_of(self, order: Order) -> Programme:
        """The programme as it stood when the order was opened."""
        return self.orders.terms_of(order).programme

    # -- the draft -----------------------------------------------------------------------------------

    async def open(self, order_ids: Sequence[int], *, actor: Actor) -> SettlementApplication:
        """Begin an application for these orders. Nothing is handed in yet.

        Raises :class:`SettlementOrdersUnknown`, ``NotAllowed``, :class:`OrdersMixed`,
        :class:`OrderNotFinished`, :class:`SettledAlready`.
        """
        found = await self._choosable(order_ids, actor)
        programme = self.programmes.get(found[0].programme_slug)
        now = self.clocks.now(programme.slug)
        async with in_transaction():
            application = await SettlementApplication.create(
                number=new_number("A"),
                programme_slug=programme.slug,
                programme_version=programme.version,
                provider_id=found[0].provider_id,
                actor=actor.name,
                opened_at=now,
            )
            await self._put_in(application, found, now)
        return application

    async def choose(
        self, application_id: int, order_ids: Sequence[int], *, version: int, actor: Actor
    ) -> SettlementApplication:
        """Let a draft be for these orders, and no others.

        Raises what :meth:`open` raises, and ``SettlementMovedOn``.
        """
        seen = await self.own(application_id, actor)
        found = await self._choosable(order_ids, actor, within=seen)
        now = self.clocks.now(seen.programme_slug)
        async with in_transaction():
            application = await self.claim(seen, version, SettlementApplicationStatus.DRAFT)
            known = {one.order_id: one for one in await settlement_book.of_application(seen.id)}
            chosen = {one.id for one in found}
            for order_id, settlement in known.items():
                if order_id not in chosen:
                    await settlement_book.change(settlement, status=SettlementStatus.WITHDRAWN, ended_at=now)
            await self._put_in(application, [one for one in found if one.id not in known], now)
        return application

    async def hand_in_papers(
        self, application_id: int, papers: Sequence[ForOrder], *, version: int, actor: Actor
    ) -> SettlementApplication:
        """Keep papers with an application: of a draft, or of what was returned for correction.

        Raises ``NotFound``, ``SettlementMovedOn``, ``PaperNotAsked``, ``FilesUnknown``.
        """
        seen = await self.own(application_id, actor)
        programme = self.programme_of(seen)
        now = self.clocks.now(seen.programme_slug)
        async with in_transaction():
            application = await self.claim(seen, version)
            rows = await settlement_book.of_application(seen.id)
            open_ = {SettlementStatus.DRAFT, SettlementStatus.RETURNED}
            changeable = {
                one.order_id: (one, self.terms_of(one.order)) for one in rows if one.status in open_
            }
            if not changeable:
                raise await self.moved_on(seen)
            await settlement_papers.keep(application, changeable, programme, papers, actor=actor, now=now)
        return application

    async def print_forms(self, application_id: int, *, actor: Actor) -> list[SettlementForm]:
        """Fill in and print the forms of an application as it stands (GZ-40, GX-62).

        Raises ``NotFound``, :class:`NothingToSettle`, ``NoSettlementForms``.
        """
        application = await self.own(application_id, actor)
        settlements = await settlement_book.of_application(application.id)
        programme = self.programme_of(application)
        if not settlements:
            raise NothingToSettle(clause=programme.settlement.article)
        now = self.clocks.now(programme.slug)
        return await self.forms.print_all(application, settlements, programme, actor=actor, now=now)

    # -- inside ----------------------------------------------------------------------------------------

    async def own(self, application_id: int, actor: Actor) -> SettlementApplication:
        """An application that the actor may change. Raises ``NotFound``, ``NotAllowed``."""
        application = await settlement_book.application_for(application_id, actor=actor)
        require_claimant(self.programme_of(application), actor)
        return application

    def programme_of(self, application: SettlementApplication) -> Programme:
        """The programme as it stood when the application was begun."""
        return self.programmes.version(application.programme_slug, application.programme_version)

    async def _choosable(
        self, order_ids: Sequence[int], actor: Actor, *, within: SettlementApplication | None = None
    ) -> list[Order]:
        """The orders somebody wants to put into one application, in their order."""
        wanted = Order.filter(id__in=list(order_ids))
        if actor.kind == "person":
            wanted = wanted.filter(provider_id=access.organisation_id_of(actor))
        else:
            wanted = wanted.filter(
                access.within_programmes(actor, "programme_slug"),
                access.within_areas(actor, "provider__area"),
            )
        found = await wanted.order_by("id")
        unknown = sorted(set(order_ids) - {one.id for one in found})
        if unknown or not found:
            raise SettlementOrdersUnknown(ids=texts.LIST.join(str(one) for one in unknown))
        kinds = {(one.programme_slug, one.provider_id) for one in found}
        if within is not None:
            kinds.add((within.programme_slug, within.provider_id))
        programme = self.terms_of(found[0])
        if len(kinds) > 1:
            raise OrdersMixed(clause=programme.settlement.article)
        require_claimant(programme, actor)
        for order in found:
            if order.status is not OrderStatus.DONE:
                stands = texts.ORDER_STATUSES[order.status]
                raise OrderNotFinished(clause=programme.settlement.article, number=order.number, what=stands)
        return found

    async def _put_in(
        self, application: SettlementApplication, found: Iterable[Order], now: datetime
    ) -> None:
        for order in found:
            try:
                async with in_transaction():  # A savepoint: an order is settled once.
                    await Settlement.create(
                        number=new_number("S"),
                        application_id=application.id,
                        order_id=order.id,
                        provider_id=order.provider_id,
                        enterprise_id=order.enterprise_id,
                        budget_id=order.budget_id,
                        programme_slug=order.programme_slug,
                        category=order.category,
                        year=self.programmes.get(order.programme_slug).year_of(day_of(now)),
                    )
            except IntegrityError:
                raise SettledAlready(
                    clause=self.terms_of(order).settlement.article, number=order.number
                ) from None

    async def claim(
        self,
        seen: SettlementApplication,
        version: int,
        status: SettlementApplicationStatus | None = None,
    ) -> SettlementApplication:
        """The application as it stands, numbered on. Raises ``SettlementMovedOn``."""
        held = SettlementApplication.filter(id=seen.id, version=version)
        if status is not None:
            held = held.filter(status=status)
        if not await held.update(version=F("version") + 1):
            raise await self.moved_on(seen)
        return await SettlementApplication.get(id=seen.id)

    async def moved_on(self, seen: SettlementApplication) -> settlement_book.SettlementMovedOn:
        """What somebody is told whose screen is out of date."""
        stands = (await SettlementApplication.get(id=seen.id)).status
        return settlement_book.SettlementMovedOn(
            number=seen.number, what=texts.SETTLEMENT_APPLICATION_STATUSES[stands]
        )


def require_claimant(programme: Programme, actor: Actor) -> None:
    """The text says who asks for the money: the provider, or somebody of the official side for it."""
    claimant = programme.settlement.claimed_by
    fits = actor.kind == "person" if claimant.value == Party.PROVIDER.value else claimant.value in actor.roles
    if not fits:
        raise NotAllowed(clause=programme.settlement.article)
