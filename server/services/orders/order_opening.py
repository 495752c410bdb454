"""Opening an order: who may with whom, on which offering, and the step it begins with.

Where the programme begins with the order itself, opening it is that step, and the voucher's money is held
at once; where a contract or its upload comes first, the order is the file that everything after it hangs on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal, Unmet
from server.models.offerings import OfferingVersion
from server.models.orders import Order
from server.models.organisations import Organisation
from server.programme.model import Programme
from server.programme.size_classes import SizeStandard
from server.programme.steps import StepKind
from server.programme.vocabulary import Actor as ProgrammeActor
from server.programme.vocabulary import Party
from server.rules.deadlines import day_of
from server.rules.eligibility import category_unmet
from server.rules.fair_price import require_reason
from server.rules.findings import FindingKind, Findings
from server.rules.lifecycles import ProviderAct, QualificationAct
from server.rules.order_walk import sides
from server.rules.orders import OrderStatus
from server.rules.scope import scope_unmet
from server.services import access, allowances
from server.services.access import Actor, NotFound
from server.services.admissions import related_parties
from server.services.admissions.applicants import facts_of
from server.services.admissions.qualifications import ProgrammeNotRunning
from server.services.admissions.related_parties import RelatedParties
from server.services.admissions.standings import require_standing
from server.services.budgets.annual_notices import Terms
from server.services.marketplace import offering_book
from server.services.numbers import new_number
from server.services.orders import order_book
from server.services.orders.fair_price import price_findings
from server.services.orders.order_wishes import Wish
from server.services.orders.orders import Orders
from server.services.organisations.memberships import lock_all
from server.services.providers.provider_standing import require_provider


class NotYoursToOpen(Refusal):
    """In this programme the other side begins."""

    status, code = 403, "not_yours_to_open"


class OfferingNeeded(Refusal):
    """Here an order names the offering it is for."""

    status, code = 422, "offering_needed"


class OtherSideUnknown(Refusal):
    """Whoever is named as the other side is not registered here."""

    status, code = 422, "other_side_unknown"


class OutOfScope(Refusal):
    """The service is not one this enterprise may buy with a voucher; ``unmet`` names every reason."""

    status, code = 409, "out_of_scope"


class DealForbidden(Refusal):
    """These two may not deal with each other in this way; ``unmet`` names every reason (GZ-47, YC-29)."""

    status, code = 409, "deal_forbidden"


class OrderUnusable(Refusal):
    """What is said of the order does not fit together; ``unmet`` names everything."""

    status, code = 422, "order_unusable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """An order as somebody opens it. Money in fen.

    ``offering_id``   the offering it is for; where a text lets a contract come without one, ``None``
    ``other_uscc``    the other side, where the offering does not name it
    ``party``         which side the asker is, where both may begin and no offering says it
    ``price_fen``     the agreed price; left out, the offering's one price
    ``wanted_fen``    the most the enterprise wants its vouchers to pay; left out, as much as they may
    ``voucher_id``    the voucher to use; left out, those that lapse first
    ``other_public_money``  the enterprise says that other public money pays for the same (LS-78, GZ-56)
    """

    offering_id: int | None = None
    other_uscc: str = ""
    party: Party | None = None
    category: str = ""
    project: str = ""
    price_fen: int | None = None
    kind: str = ""
    wanted_fen: int | None = None
    voucher_id: int | None = None
    price_reason: str = ""
    other_public_money: bool = False


class OrderOpening:
    """The verb that opens an order."""

    def __init__(self, orders: Orders, sizes: SizeStandard, related: RelatedParties) -> None:
        self.orders = orders
        self.sizes = sizes
        self.related = related

    async def open(self, slug: str, sketch: Sketch, wish: Wish, *, actor: Actor) -> Order:
        """Open an order, and do the step it begins with where that is the order itself.

        Raises ``ProgrammeNotRunning``, :class:`NotYoursToOpen`, :class:`OfferingNeeded`,
        ``OfferingNotListed``, :class:`OtherSideUnknown`, ``NotInStanding``, :class:`OutOfScope`,
        :class:`OrderUnusable`, ``KindUnknown``, ``KindNotAnnounced``, ``KindNotNow``, ``TooManyToday``,
        :class:`DealForbidden`, ``PriceReasonMissing``, and what the first step refuses.
        """
        programme, now = self.orders.programmes.get(slug), self.orders.clocks.now(slug)
        if not programme.covers(day_of(now)):
            raise ProgrammeNotRunning(clause=programme.validity.article, programme=programme.name)
        terms = self.orders.notices.terms(programme, sketch.kind, day_of(now))
        terms.require_open(day_of(now))
        mine = await access.organisation_of(actor)
        version = await self._version(programme, sketch, now)
        enterprise, provider, party = await _sides(programme, sketch, version, mine)
        _require_begins(programme, party)
        async with in_transaction() as connection:
            await lock_all((enterprise.id, provider.id), connection)
            made = Order.filter(**{"opened_by": party, f"{party.value}_id": mine.id})
            await allowances.require(made, "placed_at", allowances.ORDERS, now=now)
            await self._require_standing(programme, enterprise, provider, now)
            columns = _columns(programme, sketch, version)
            await self._require_scope(terms.programme, enterprise, columns["category"], version, now)
            order = await Order.create(
                number=new_number("D"),
                programme_slug=slug,
                programme_version=programme.version,
                notice_year=terms.notice_year,
                enterprise_id=enterprise.id,
                provider_id=provider.id,
                kind=sketch.kind,
                # Which voucher, and how much of it, is the enterprise's to say.
                wanted_fen=sketch.wanted_fen if party is Party.ENTERPRISE else None,
                voucher_id=sketch.voucher_id if party is Party.ENTERPRISE else None,
                price_reason=sketch.price_reason,
                step=programme.order_steps[0].kind,
                step_since=now,
                opened_by=party,
                placed_at=now,
                **columns,
            )
            await order_book.note(
                "order.opened", order, actor, now, offering=order.offering_id, price_fen=order.price_fen
            )
            ties = await self.related.findings(
                programme,
                enterprise,
                provider,
                category=order.category,
                service=order.service,
                offering_version=version,
                other_public_money=sketch.other_public_money,
                now=now,
            )
            if ties.forbidden:
                first = ties.forbidden[0]
                raise DealForbidden(
                    clause=first.clause,
                    arithmetic=first.arithmetic,
                    unmet=ties.forbidden,
                    first=first.message,
                )
            prices = await price_findings(programme, order, order.price_fen)
            require_reason(prices, sketch.price_reason)
            await related_parties.keep(order.id, FindingKind.TIE, ties, now=now)
            await related_parties.keep(order.id, FindingKind.PRICE, Findings(warned=prices), now=now)
            order = await self._begin(order, terms, wish, party, actor=actor, now=now)
            if ties.warned:
                order = await order_book.hold_back(order, actor=actor, now=now)
            return order

    async def _begin(
        self, order: Order, terms: Terms, wish: Wish, party: Party, *, actor: Actor, now: datetime
    ) -> Order:
        if terms.programme.order_steps[0].kind is StepKind.PLACE:
            return await self.orders.first_step(order, wish, party, actor=actor, now=now)
        if wish.values or wish.papers:
            raise OrderUnusable(
                unmet=(Unmet("values", "", texts.ORDER_FAULTS["values_later"]),),
                count=1,
                first=texts.ORDER_FAULTS["values_later"],
            )
        other = order.provider_id if party is Party.ENTERPRISE else order.enterprise_id
        await order_book.tell("order.opened", order, other, now=now)
        return order

    async def _version(self, programme: Programme, sketch: Sketch, now: datetime) -> OfferingVersion | None:
        if sketch.offering_id is not None:
            version = await offering_book.listed(sketch.offering_id, now=now)
            if version.offering.programme_slug != programme.slug:
                raise NotFound()
            return version
        begins = programme.order_steps[0].kind
        if begins is StepKind.PLACE or programme.contract.matches_offering:
            raise OfferingNeeded(clause=programme.offering.article)
        return None

    async def _require_standing(
        self, programme: Programme, enterprise: Organisation, provider: Organisation, now: datetime
    ) -> None:
        """Both sides may deal now. An enterprise that is served and holds nothing is judged later (YC-11)."""
        if programme.voucher.holder is Party.ENTERPRISE:
            await require_standing(
                programme, enterprise, Party.ENTERPRISE, QualificationAct.USE_VOUCHERS, now=now
            )
        await require_provider(programme, provider, ProviderAct.TAKE_ORDERS, now=now)

    async def _require_scope(
        self,
        programme: Programme,
        enterprise: Organisation,
        code: str,
        version: OfferingVersion | None,
        now: datetime,
    ) -> None:
        matters = [version.service] if version is not None and version.service else []
        unmet = list(scope_unmet(programme, code, matters))
        category = programme.category(code)
        if category is not None:
            facts = await facts_of(enterprise, programme, now=now)
            unmet += category_unmet(programme, category, facts, day_of(now), self.sizes)
        if unmet:
            raise OutOfScope(clause=unmet[0].clause, unmet=unmet, first=unmet[0].message)


async def _sides(
    programme: Programme, sketch: Sketch, version: OfferingVersion | None, mine: Organisation
) -> tuple[Organisation, Organisation, Party]:
    """Enterprise, provider, and which of the two opens the order."""
    if version is not None:
        provider = await Organisation.get(id=version.offering.provider_id)
        if provider.id != mine.id:
            return mine, provider, Party.ENTERPRISE
    other = await Organisation.get_or_none(uscc=sketch.other_uscc) if sketch.other_uscc else None
    if other is None:
        raise OtherSideUnknown(uscc=sketch.other_uscc)
    if other.id == mine.id:
        raise OrderUnusable(
            unmet=(Unmet("other_uscc", "", texts.CONTRACT["same_party"]),),
            count=1,
            first=texts.CONTRACT["same_party"],
        )
    if version is not None or _side_of(programme, sketch) is Party.PROVIDER:
        return other, mine, Party.PROVIDER
    return mine, other, Party.ENTERPRISE


def _side_of(programme: Programme, sketch: Sketch) -> Party:
    """Without an offering: the side the asker says it is, else the one with which the programme begins."""
    beginning = sides(programme.order_steps[0])
    if sketch.party is not None:
        return sketch.party
    return Party.PROVIDER if beginning == {Party.PROVIDER} else Party.ENTERPRISE


def _require_begins(programme: Programme, party: Party) -> None:
    """Raise :class:`NotYoursToOpen` unless the first step is this side's."""
    first = programme.order_steps[0]
    if party not in sides(first):
        raise NotYoursToOpen(clause=first.article, by=texts.ACTORS[ProgrammeActor(first.actor.value)])


def _columns(programme: Programme, sketch: Sketch, version: OfferingVersion | None) -> Mapping[str, Any]:
    """What the order is for and what it costs. Raises :class:`OrderUnusable`."""
    price_fen, faults = sketch.price_fen, []
    if version is not None:
        one_price = version.price_from_fen if version.price_from_fen == version.price_to_fen else None
        price_fen = price_fen or one_price
    if price_fen is None:
        faults.append(Unmet("price_fen", programme.offering.article, texts.ORDER_FAULTS["price"]))
    if version is None and not sketch.project.strip():
        faults.append(Unmet("project", programme.contract.article, texts.ORDER_FAULTS["project"]))
    if version is None and not sketch.category:
        faults.append(Unmet("category", programme.contract.article, texts.ORDER_FAULTS["category"]))
    if faults:
        raise OrderUnusable(
            clause=faults[0].clause, unmet=tuple(faults), count=len(faults), first=faults[0].message
        )
    return {
        "offering_id": None if version is None else version.offering_id,
        "offering_version_id": None if version is None else version.id,
        "category": sketch.category if version is None else version.category,
        "service": "" if version is None else version.service,
        "project": sketch.project.strip() or (version.name if version is not None else ""),
        "price_fen": price_fen,
        "list_price_fen": None if version is None else version.price_to_fen,
        "status": OrderStatus.OPEN,
    }
