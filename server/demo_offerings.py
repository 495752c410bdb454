"""Demo offerings: what the providers of the demonstration sell, and one product that waits for its review."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from tortoise.transactions import in_transaction

from server import keys
from server.demo_forms import scan
from server.models.offerings import Offering
from server.programme.catalogue import Category
from server.programme.model import Programme
from server.programme.papers import Field, FieldKind
from server.programme.review import ReviewSubject
from server.rules.deadlines import day_of
from server.rules.forms import DOCUMENTS
from server.rules.offering_form import kinds_of, own_fields
from server.rules.offerings import is_selected
from server.services.access import Actor
from server.services.marketplace.offering_book import keep, put_up
from server.services.marketplace.offering_drafts import OfferingDraft, Writing
from server.services.marketplace.selections import catalogue_ends
from server.services.organisations.memberships import lock
from server.texts import DEMO, DEMO_OFFERINGS, STEP

PRICE_FEN = 600_000
LISTED = (3, 2)
"""How many products of each provider are listed."""


async def open_selection(app: web.Application, programme: Programme, authority: Actor, now: datetime) -> None:
    """Where the programme selects, a round of it takes offerings for a month."""
    if is_selected(programme.offering):
        ends = catalogue_ends(programme, programme.year_of(now))
        await app[keys.SELECTIONS].open(
            programme.slug,
            title=DEMO["selection"],
            opens_at=now,
            closes_at=min(now + timedelta(days=30), ends),
            actor=authority,
        )


async def list_offerings(
    app: web.Application, programme: Programme, place: int, person: Actor, now: datetime
) -> None:
    """What the provider in this place sells, listed without its paperwork, each in another category."""
    offered = [one for one in programme.categories if not one.by_notice]
    for number in range(LISTED[place]):
        category = offered[(place + number) % len(offered)]
        draft = await app[keys.OFFERINGS].drafts.begin(
            programme.slug, writing(programme, category, place * 10 + number, now), actor=person
        )
        async with in_transaction():
            await lock(draft.offering.provider_id)
            ends = catalogue_ends(programme, programme.year_of(now))
            offering, row = await keep(
                draft.offering,
                programme,
                selection_id=None,
                valid_until=ends if is_selected(programme.offering) else None,
                actor=person,
                now=now,
            )
            await put_up(offering, row, actor=person, now=now, clause=programme.offering.article)
            await app[keys.LISTINGS].refresh(offering.id)


async def hand_in_one(
    app: web.Application, programme: Programme, person: Actor, now: datetime
) -> Offering | None:
    """One product with all its papers, for whoever reviews it; none where nobody does."""
    if programme.review(ReviewSubject.OFFERING) is None:
        return None
    offerings = app[keys.OFFERINGS]
    draft: OfferingDraft = await offerings.drafts.begin(
        programme.slug, writing(programme, programme.categories[0], 6, now), actor=person
    )
    documents = {}
    for document in programme.offering.documents:
        count = (
            document.minimum if f"{DOCUMENTS}.{document.code}" in {one.code for one in draft.missing} else 0
        )
        title = f"{draft.offering.id} {document.code}"
        documents[document.code] = [
            await scan(app, programme, document, f"{title} {number}", person) for number in range(count)
        ]
    draft = await offerings.drafts.write(
        draft.offering.id, Writing(documents=documents), version=draft.offering.version, actor=person
    )
    handed_in = await offerings.submit(draft.offering.id, version=draft.offering.version, actor=person)
    return handed_in.offering


def writing(programme: Programme, category: Category, number: int, now: datetime) -> Writing:
    """Everything the programme asks, but for papers; every third product has two prices.

    By turns they are the first and the last matter of their category: what people look for is among them.
    """
    rules, service = programme.offering, category.covers[-(number % 2)]
    price_fen = PRICE_FEN * (1 + number % 5)
    names = DEMO_OFFERINGS[number % len(DEMO_OFFERINGS)], service
    prices: dict[str, Any] = {"price_from_fen": price_fen, "price_to_fen": price_fen}
    if number % 3 == 1:
        prices["price_to_fen"] = price_fen * 2
        prices["price_parts"] = [
            {"content": DEMO["basic"].format(service=service), "price_fen": price_fen},
            {"content": DEMO["full"].format(service=service), "price_fen": price_fen * 2},
        ]
    area = programme.areas[0]
    missing = rules.area_levels - 1 - area.count("/")
    return Writing(
        about={
            "category": category.code,
            "service": service,
            "kinds": list(kinds_of(rules)[-1:]),
            "name": names[0].format(service=names[1]),
            "areas": ["/".join([area, *[DEMO["all_of_it"]] * missing])],
            **prices,
            "comparisons": [
                {
                    "name": DEMO["similar"].format(number=place + 1),
                    "price_fen": price_fen + 20_000 * (place + 1),
                }
                for place in range(rules.price_comparisons or 0)
            ],
        },
        values={one.code: _said(one, service, price_fen, now) for one in own_fields(rules) if one.required},
    )


def _said(asked: Field, service: str, price_fen: int, now: datetime) -> bool | int | str:
    match asked.kind:
        case FieldKind.YES_NO:
            return True
        case FieldKind.COUNT:
            return 1
        case FieldKind.MONEY:
            return price_fen
        case FieldKind.DATE:
            return day_of(now).isoformat()
        case FieldKind.CHOICE:
            return asked.choices[0]
        case _:
            return STEP.join((DEMO["said"].format(name=asked.name, service=service), DEMO["kept"]))
