"""Listings: the marketplace's derived rows, written anew whenever something they are made of has changed.

Whoever lists or withdraws an offering calls :meth:`Listings.refresh` in the same transaction, whoever rates
or sells it :meth:`Listings.recount`; a provider's standing settles with :meth:`Listings.settle`. What only
time changes, :meth:`Listings.recheck` finds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tortoise.connection import get_connections
from tortoise.functions import Count, Sum
from tortoise.transactions import in_transaction

from server.gateways.offering_search import forget_moves
from server.gateways.offering_search_postgres import PostgresTerms
from server.gateways.offering_search_sqlite import SqliteTerms
from server.gateways.offering_sought import TermIndex, areas_column, marks_of
from server.models.marketplace import NO_PRICE_FEN, Listing
from server.models.offerings import Offering, OfferingVersion
from server.models.orders import Order
from server.models.organisations import Organisation
from server.models.ratings import Rating
from server.programme.model import Programme
from server.programme.papers import FieldKind
from server.programme.registry import Programmes
from server.rules.chinese_search import written
from server.rules.lifecycles import ProviderAct
from server.rules.offerings import OfferingStatus
from server.rules.orders import OrderStatus
from server.rules.reputation import quality, score_bp
from server.services.clocks import ProgrammeClocks
from server.services.providers.provider_standing import able

READ_ALOUD = frozenset({FieldKind.TEXT, FieldKind.CHOICE})
"""What of a form is words to be found by; the rest are figures, and what is personal."""


def connection_of() -> Any:
    """The connection of this task: a transaction's, inside of one."""
    return get_connections().get(Listing._meta.db.connection_name)


def term_index(connection: Any) -> TermIndex:
    """The full-text index of the database that is open."""
    return PostgresTerms() if connection.capabilities.dialect == "postgres" else SqliteTerms()


def category_key(slug: str, category: str) -> str:
    """A category among those of all programmes."""
    return f"{slug}/{category}"


class Listings:
    """Writing the rows that the marketplace is searched by."""

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks) -> None:
        self.programmes = programmes
        self.clocks = clocks

    async def refresh(self, offering_id: int) -> None:
        """Make the row of an offering what it is to be now; none, where it cannot be ordered.

        Call it in the transaction of the change, after the change.
        """
        await _lock(offering_id)
        offering = await Offering.get_or_none(id=offering_id).select_related("provider")
        version = await self._shown_version(offering)
        connection = connection_of()
        index = term_index(connection)
        if offering is None or version is None:
            if await Listing.filter(offering_id=offering_id).delete():
                await index.remove(connection, offering_id)
            return
        row, terms = await self._row(offering, version)
        await Listing.bulk_create(
            [row],
            on_conflict=["offering_id"],
            update_fields=[name for name in _COLUMNS if name != "offering_id"],
        )
        await index.write(connection, offering_id, terms)

    async def settle(self, provider: Organisation, slug: str) -> None:
        """The same for everything that a provider offers in a programme, when its standing has changed."""
        offered = Offering.filter(provider_id=provider.id, programme_slug=slug, status=OfferingStatus.LISTED)
        shown = Listing.filter(provider_id=provider.id, programme_slug=slug)
        ids = {*await _ids(offered, "id"), *await _ids(shown, "offering_id")}
        for offering_id in sorted(ids):
            await self.refresh(offering_id)

    async def recount(self, offering_id: int) -> None:
        """An order of an offering was done, or a rating given or changed: no more than its figures change.

        Call it in the transaction of the change, after the change.
        """
        await _lock(offering_id)
        figures = await _figures(offering_id)
        await Listing.filter(offering_id=offering_id).update(**figures)

    async def recheck(self, slug: str) -> int:
        """Set right what time alone has changed: standings that ran out, bans that began, names.

        Returns how many rows were looked at again.
        """
        shown = {
            row["offering_id"]: row
            for row in await Listing.filter(programme_slug=slug).values(
                "offering_id", "provider_id", "provider_name", "version_id"
            )
        }
        offered = {
            row["id"]: row
            for row in await Offering.filter(programme_slug=slug, status=OfferingStatus.LISTED).values(
                "id", "provider_id", "provider__name", "current_version_id"
            )
        }
        await forget_moves(connection_of())
        programme, now = self.programmes.get(slug), self.clocks.now(slug)
        providers = {row["provider_id"] for row in (*shown.values(), *offered.values())}
        may = await able(programme, providers, ProviderAct.TAKE_ORDERS, now=now) if providers else frozenset()
        wanted = {
            offering_id: (row["current_version_id"], row["provider__name"])
            for offering_id, row in offered.items()
            if row["provider_id"] in may
        }
        have = {offering_id: (row["version_id"], row["provider_name"]) for offering_id, row in shown.items()}
        stale = {one for one in {*wanted, *have} if wanted.get(one) != have.get(one)}
        for offering_id in sorted(stale):
            async with in_transaction():
                await self.refresh(offering_id)
        return len(stale)

    # ------------------------------------------------------------------------------------------------

    async def _shown_version(self, offering: Offering | None) -> OfferingVersion | None:
        """What of an offering can be ordered now: listed, not over, of a provider that may take orders."""
        if offering is None or offering.status is not OfferingStatus.LISTED:
            return None
        programme = self.programmes.get(offering.programme_slug)
        now = self.clocks.now(offering.programme_slug)
        version = await OfferingVersion.get_or_none(id=offering.current_version_id)
        if version is None or (version.valid_until is not None and version.valid_until <= now):
            return None
        may = await able(programme, [offering.provider_id], ProviderAct.TAKE_ORDERS, now=now)
        return version if offering.provider_id in may else None

    async def _row(self, offering: Offering, version: OfferingVersion) -> tuple[Listing, frozenset[str]]:
        provider: Organisation = offering.provider
        key = category_key(offering.programme_slug, version.category)
        kept = written(
            [version.name, version.service],
            [provider.name],
            _words(self.programmes.get(offering.programme_slug), version),
            marks_of(
                offering.programme_slug,
                key,
                version.service,
                version.areas,
                version.price_from_fen,
                version.price_to_fen,
            ),
        )
        first = (
            await OfferingVersion.filter(offering_id=offering.id, listed_at__not_isnull=True)
            .order_by("number")
            .first()
        )
        listed_at = (first or version).listed_at or version.submitted_at
        row = Listing(
            offering_id=offering.id,
            version_id=version.id,
            programme_slug=offering.programme_slug,
            category_key=key,
            service=version.service,
            areas=areas_column(version.areas),
            provider_id=provider.id,
            provider_name=provider.name,
            name=version.name,
            price_from_fen=version.price_from_fen,
            price_to_fen=version.price_to_fen,
            price_rank=version.price_from_fen or NO_PRICE_FEN,
            listed_ms=round(listed_at.timestamp() * 1000),
            **await _figures(offering.id),
            title=kept.title,
            body=kept.body,
            spelled=kept.spelled,
        )
        return row, kept.terms


_COLUMNS = tuple(Listing._meta.fields_map)


async def _ids(rows: Any, column: str) -> list[int]:
    return [int(one) for one in await rows.values_list(column, flat=True)]


async def _lock(offering_id: int) -> None:
    """Of two who count at once, the second counts what the first has done."""
    # Tortoise forgets FOR UPDATE where only values are asked for.
    await Listing.filter(offering_id=offering_id).select_for_update().only("offering_id").first()


async def _figures(offering_id: int) -> dict[str, int]:
    """What orders and ratings say of an offering, by the columns that keep it."""
    sales = await Order.filter(offering_id=offering_id, status=OrderStatus.DONE).count()
    (rated,) = await (
        Rating.filter(offering_id=offering_id)
        .annotate(votes=Count("id"), points_bp=Sum("score_bp"))
        .values("votes", "points_bp")
    )
    votes, points_bp = int(rated["votes"] or 0), int(rated["points_bp"] or 0)
    score = score_bp(points_bp, votes)
    return {
        "sales": sales,
        "votes": votes,
        "points_bp": points_bp,
        "score_bp": score,
        "quality": quality(score, sales),
    }


def _words(programme: Programme, version: OfferingVersion) -> Iterable[str]:
    """What else an offering says of itself, in words."""
    for field in programme.offering.fields:
        value = version.values.get(field.code)
        if field.kind in READ_ALOUD and isinstance(value, str):
            yield value
    for part in version.price_parts:
        yield str(part["content"])
    yield from version.kinds
