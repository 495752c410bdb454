"""Selling: a provider writes an offering, hands it in, and it is reviewed until everybody can find it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from server.programme.model import Programme
from server.programme.papers import Document, Field, FieldKind
from server.programme.vocabulary import Actor
from walks.callers import WalkFailed
from walks.issuing import Stage
from walks.joining import Joined
from walks.paperwork import scan

PRICE_FEN = 600_000


async def publish(stage: Stage, provider: Joined) -> int:
    """Write an offering of the programme's first category and hand it in; its id."""
    programme = stage.programme
    if programme.offering.selections_per_year_max is not None:
        await _open_selection(stage)
    category = programme.categories[0]
    kinds = {next((one.for_services for one in programme.offering.documents if one.for_services), "")} - {""}
    begun = await provider.caller.post(
        "offering-drafts",
        programme=programme.slug,
        category=category.code,
        service=next(iter(category.covers), category.name),
        kinds=sorted(kinds),
        name="企业管理提升服务",
        areas=[programme.areas[0]],
        price_from_fen=PRICE_FEN,
        price_to_fen=PRICE_FEN,
        comparisons=[
            {"name": f"同类产品{number}", "price_fen": PRICE_FEN + number}
            for number in range(1, 1 + (programme.offering.price_comparisons or 0))
        ],
        values=_values(programme),
    )
    draft = begun.must(201, f"{provider.part.name} writes an offering")
    documents = {
        one.code: await _hand_in(stage, provider, one)
        for one in programme.offering.documents
        if one.required and one.minimum and (not one.for_services or one.for_services in kinds)
    }
    path = f"offering-drafts/{draft['id']}"
    saved = await provider.caller.patch(path, version=draft["version"], documents=documents)
    draft = saved.must(200, f"{provider.part.name} adds its papers")
    if draft["missing"] or draft["faults"]:
        raise WalkFailed(f"the offering lacks {draft['missing']}, and has faults {draft['faults']}")
    handed = await provider.caller.post(f"{path}/submissions", version=draft["version"])
    return int(handed.must(201, f"{provider.part.name} hands its offering in")["id"])


async def unlisted(stage: Stage, offering_id: int) -> int:
    """Decide on the offering as far as it goes today; 1 while it is not listed."""
    desk = stage.officials.first(Actor.OPERATOR)
    inbox = await desk.get("reviews", queue="all", subject="offering", limit=100)
    for case in inbox.must(200, "the operator opens the inbox")["reviews"]:
        while (await stage.officials.look(case["id"]))["status"] == "open":
            said = await stage.officials.decide(case["id"], "approve")
            said.must(200, f"offering case {case['id']} is approved")
    shown = await stage.officials.anybody.get(f"marketplace/offerings/{offering_id}")
    return int(shown.status != 200)


async def _open_selection(stage: Stage) -> None:
    said = await stage.officials.first(Actor.AUTHORITY).post(
        "selection-rounds",
        programme=stage.programme.slug,
        title="第一次服务产品征集",
        opens_at=(stage.now - timedelta(minutes=1)).isoformat(),
        closes_at=(stage.now + timedelta(days=20)).isoformat(),
    )
    said.must(201, "the authority calls for offerings")


async def _hand_in(stage: Stage, provider: Joined, document: Document) -> list[int]:
    ids = []
    for number in range(document.minimum):
        said = await provider.caller.send(
            "files",
            scan(f"{provider.part.uscc} offering {document.code} {number}"),
            "application/pdf",
            programme=stage.programme.slug,
            kind=document.kind.value,
            name=f"{document.code}-{number + 1}.pdf",
        )
        ids.append(int(said.must(201, f"{provider.part.name} uploads {document.name}")["id"]))
    return ids


def _values(programme: Programme) -> dict[str, Any]:
    """A value for every field that must be filled in, but for those that have a place of their own."""
    rules = programme.offering
    own = {rules.name_field, rules.price_field, rules.area_field, rules.category_field}
    return {one.code: _value(one) for one in rules.fields if one.required and one.code not in own}


def _value(field: Field) -> Any:
    return {
        FieldKind.MONEY: PRICE_FEN,
        FieldKind.COUNT: 1,
        FieldKind.YES_NO: True,
        FieldKind.CHOICE: next(iter(field.choices), ""),
    }.get(field.kind, "企业管理提升服务")
