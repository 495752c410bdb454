"""Dealing: two approved sides and the steps of their orders, over HTTP, as a phone does them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from itertools import count
from typing import Any

from server.models.organisations import Organisation, Qualification
from server.programme.papers import DocumentKind
from server.programme.vocabulary import Party
from server.rules.deadlines import day_of
from server.rules.lifecycles import QualificationStatus
from server.units import yuan_to_fen
from tests.contracting import ALLOTTED, AREAS, CATEGORY, DRAWN
from tests.ordering import make_listed
from tests.paperwork import a_file
from tests.town import DAY, Answered, Caller, Town

_numbers = count(1)


def refused(told: Answered, status: int, code: str) -> None:
    """Refused in this way, and told why."""
    assert (told.status, told.code) == (status, code), told.body
    assert told.body["detail"]


async def mine(caller: Caller) -> dict[str, Any]:
    """The caller's organisation."""
    body: dict[str, Any] = (await caller.get("organisations/mine")).body
    return body


def declared(town: Town, slug: str) -> dict[str, bool]:
    """A yes to everything a programme asks an enterprise to declare."""
    return {one.code: True for one in town.programmes.get(slug).enterprise.fields if one.kind == "yes_no"}


async def side(town: Town, slug: str, party: Party, name: str) -> Caller:
    """The handler of an organisation that is approved as this party."""
    handler = await town.handler(name=name, area=AREAS[slug], declarations=declared(town, slug))
    await Qualification.create(
        organisation_id=(await mine(handler))["id"],
        party=party,
        programme_slug=slug,
        programme_version=town.programmes.get(slug).version,
        status=QualificationStatus.APPROVED,
        applied_at=town.now,
        snapshot={},
    )
    return handler


async def sides(town: Town, slug: str) -> tuple[Caller, Caller]:
    """An approved enterprise and an approved provider."""
    enterprise = await side(town, slug, Party.ENTERPRISE, "启明机械有限公司")
    return enterprise, await side(town, slug, Party.PROVIDER, "同行咨询有限公司")


async def money(town: Town, slug: str, total_yuan: int = 1_000_000) -> int:
    """A year's money; the budget's id."""
    treasurer = await town.staff("operator", "treasury", "authority")
    opened = await treasurer.post("budgets", programme=slug, year=2026, total_fen=yuan_to_fen(total_yuan))
    assert opened.status == 201, opened.body
    return int(opened.body["id"])


async def period(town: Town, budget_id: int, operator: Caller) -> int:
    """A period of a year's money that takes requests; its id."""
    planned = await operator.post(
        "rounds",
        budget_id=budget_id,
        title="第一期",
        opens_at=town.now.isoformat(),
        closes_at=(town.now + timedelta(days=30)).isoformat(),
        pool_fen=yuan_to_fen(100_000),
        valid_until=(town.now + 60 * DAY).isoformat(),
    )
    assert planned.status == 201, planned.body
    published = await operator.post(f"rounds/{planned.body['id']}/schedule")
    assert published.status == 200, published.body
    return int(planned.body["id"])


async def sketch(
    town: Town, slug: str, enterprise: Caller, provider: Caller, price_yuan: float, **others: Any
) -> dict[str, Any]:
    """An order as the side that begins sends it, but for what ``others`` say."""
    sent: dict[str, Any] = {
        "programme": slug,
        "project": "设备上云",
        "price_fen": yuan_to_fen(price_yuan),
    }
    if slug == ALLOTTED:
        seller = await Organisation.get(id=(await mine(provider))["id"])
        offering = await make_listed(
            town.programmes.get(slug),
            seller,
            category=CATEGORY[slug],
            at=town.now,
            price_from_fen=yuan_to_fen(price_yuan),
            price_to_fen=yuan_to_fen(price_yuan),
        )
        sent |= {"offering_id": offering.id, "kind": "general"}
    else:
        other = enterprise if slug == DRAWN else provider
        sent |= {"other_uscc": (await mine(other))["uscc"], "category": CATEGORY[slug]}
    return {**sent, **others}


async def opened(
    town: Town, slug: str, enterprise: Caller, provider: Caller, price_yuan: float, **others: Any
) -> int:
    """An order, opened by the side that begins; its id."""
    by = provider if slug == DRAWN else enterprise
    told = await by.post("orders", **await sketch(town, slug, enterprise, provider, price_yuan, **others))
    assert told.status == 201, told.body
    return int(told.body["id"])


async def filled(town: Town, caller: Caller, order_id: int, **said: Any) -> dict[str, Any]:
    """What the caller sends with the step asked of it: every field and paper, but for what is ``said``."""
    order = (await caller.get(f"orders/{order_id}")).body
    ask, owner = order["ask"], (await mine(caller))["id"]
    assert ask is not None, order["sentence"]
    values = {
        field["code"]: said.get(field["code"], _value(town, order, field))
        for field in ask["fields"]
        if field["required"] or field["code"] in said
    }
    papers = [
        {
            "code": one["code"],
            "file_ids": [
                (await a_file(owner, DocumentKind(one["kind"]), order["programme"], town.now)).id
                for _ in range(one["minimum"])
            ],
        }
        for one in ask["documents"]
        if one["required"]
    ]
    return {"version": order["version"], "values": values, "papers": papers}


async def step(town: Town, caller: Caller, order_id: int, kind: str, **said: Any) -> Answered:
    """The caller does a step of an order, with all that is asked."""
    return await caller.post(
        f"orders/{order_id}/steps/{kind}", **await filled(town, caller, order_id, **said)
    )


def _value(town: Town, order: Mapping[str, Any], field: Mapping[str, Any]) -> Any:
    known = {
        "contract_number": f"HT-{next(_numbers)}",
        "enterprise_name": order["enterprise"],
        "provider_name": order["provider"],
    }
    if field["code"] in known:
        return known[field["code"]]
    return {
        "date": day_of(town.now).isoformat(),
        "yes_no": True,
        "text": "按约定完成",
        "money": order["price_fen"],
        "count": 1,
        "choice": next(iter(field["choices"]), ""),
    }[field["kind"]]
