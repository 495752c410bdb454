"""Fair price: which orders a price is compared with, and a reason where one is asked for."""

from __future__ import annotations

from itertools import count

import pytest
from tortoise.context import TortoiseContext

from server.models.offerings import Offering, OfferingVersion
from server.models.orders import Order
from server.models.organisations import Organisation
from server.programme.vocabulary import Party
from server.rules.fair_price import PriceReasonMissing, require_reason
from server.rules.orders import OrderStatus
from server.services.orders.fair_price import price_findings
from tests.factories import MORNING, make_enterprise
from tests.rules.cast import LISHUI, programme

_numbers = count(1)
TEXT = programme(LISHUI)
CATEGORY, OTHER = TEXT.categories[0], TEXT.categories[1]


async def offered(provider: Organisation, price_fen: int | None = None) -> OfferingVersion:
    offering = await Offering.create(
        programme_slug=LISHUI, provider_id=provider.id, created_at=MORNING, saved_at=MORNING, saved_by=1
    )
    return await OfferingVersion.create(
        offering_id=offering.id,
        number=1,
        programme_version=TEXT.version,
        category=CATEGORY.code,
        service=CATEGORY.covers[0],
        name="精益诊断",
        price_from_fen=price_fen,
        price_to_fen=price_fen,
        submitted_at=MORNING,
        submitted_by=1,
    )


def an_order(enterprise: Organisation, provider: Organisation, price_fen: int, **others: object) -> Order:
    """An order that is not kept yet."""
    number = next(_numbers)
    return Order(
        number=f"N{number}",
        enterprise_id=enterprise.id,
        provider_id=provider.id,
        project="诊断",
        price_fen=price_fen,
        step_since=MORNING,
        opened_by=Party.ENTERPRISE,
        placed_at=MORNING,
        programme_version=TEXT.version,
        **{
            "programme_slug": LISHUI,
            "category": CATEGORY.code,
            "service": CATEGORY.covers[0],
            "status": OrderStatus.OPEN,
            **others,
        },
    )


async def codes(order: Order) -> list[str]:
    return [one.code for one in await price_findings(TEXT, order, order.price_fen)]


async def test_a_price_is_compared_with_the_offering_as_it_was_ordered(database: TortoiseContext) -> None:
    enterprise, provider = await make_enterprise(), await make_enterprise()
    version = await offered(provider, 100_000)
    within = an_order(enterprise, provider, 100_000, offering_version_id=version.id)
    above = an_order(enterprise, provider, 100_001, offering_version_id=version.id)
    assert (await codes(within), await codes(above)) == ([], ["above_list"])
    agreed = await offered(provider)
    free = an_order(enterprise, provider, 10**9, offering_version_id=agreed.id, list_price_fen=None)
    assert await codes(free) == []


async def test_a_price_is_compared_with_the_contracts_on_the_same_offering_that_count(
    database: TortoiseContext,
) -> None:
    enterprise, provider = await make_enterprise(), await make_enterprise()
    version, another = await offered(provider), await offered(provider)
    same = {"offering_id": version.offering_id, "offering_version_id": version.id}
    asked = an_order(enterprise, provider, 200_000, **same)
    for number in range(5):
        # The contract's price counts, not what was asked first.
        contracted = {"contract_fen": 100_000} if number else {}
        await an_order(enterprise, provider, 100_000 if not number else 900_000, **same, **contracted).save()
        ended = OrderStatus.CANCELLED if number % 2 else OrderStatus.DECLINED
        await an_order(enterprise, provider, 300_000, **same, status=ended).save()
        await an_order(enterprise, provider, 300_000, offering_id=another.offering_id).save()
    assert await codes(asked) == ["above_own"]
    await asked.save()
    assert await codes(asked) == ["above_own"], "it is not compared with itself"
    await Order.filter(offering_id=version.offering_id, contract_fen=100_000).update(
        status=OrderStatus.LAPSED
    )
    assert await codes(asked) == []


@pytest.mark.rules("LS-77")
async def test_a_price_is_compared_with_others_of_the_same_matter_before_the_whole_category(
    database: TortoiseContext,
) -> None:
    enterprise, provider = await make_enterprise(), await make_enterprise()
    others = [await make_enterprise() for _ in range(5)]
    asked = an_order(enterprise, provider, 150_000)
    for other in others:
        await an_order(enterprise, other, 900_000, service=CATEGORY.covers[1]).save()
        await an_order(enterprise, other, 1, category=OTHER.code).save()
        await an_order(enterprise, other, 1, programme_slug="guangxi-2024").save()
        await an_order(enterprise, provider, 1).save()
    assert await codes(asked) == []
    for other in others:
        await an_order(enterprise, other, 100_000).save()
    assert await codes(asked) == ["above_category"]


async def test_a_reason_is_asked_for_once_and_words_are_enough(database: TortoiseContext) -> None:
    enterprise, provider = await make_enterprise(), await make_enterprise()
    version = await offered(provider, 100_000)
    found = await price_findings(
        TEXT, an_order(enterprise, provider, 100_001, offering_version_id=version.id), 100_001
    )
    with pytest.raises(PriceReasonMissing) as refused:
        require_reason(found, "  ")
    assert refused.value.arithmetic.startswith("1,000.01 > 1,000.00")
    require_reason(found, "加急，两周内完成")
    require_reason((), "")
