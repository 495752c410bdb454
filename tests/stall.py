"""The stall: a provider and what it offers, filled in from a programme's data with nothing missing.

What is filled in follows from the programme's file; a test changes what it is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from server.keys import CLOCKS, PUBLIC_NOTICES
from server.models.reviews import ReviewCase
from server.programme.model import Programme
from server.programme.papers import Document, FieldKind
from server.programme.review import ReviewKind
from server.programme.vocabulary import Party
from server.rules.offering_form import kinds_of, own_fields
from server.rules.offerings import is_selected
from server.rules.review import CaseStatus
from server.services.reviews.review_cases import copied
from server.units import yuan_to_fen
from tests.ordering import admit, organisation_of
from tests.paperwork import a_file
from tests.town import PROGRAMME, Answered, Caller, Town

PRICE = yuan_to_fen(20_000)


async def a_provider(town: Town, slug: str = PROGRAMME, **facts: Any) -> Caller:
    """The handler of a provider that the programme has admitted."""
    handler = await town.handler(**facts)
    programme = town.programmes.get(slug)
    await admit(await organisation_of(handler), programme, Party.PROVIDER, town.app[CLOCKS].now(slug))
    return handler


def said(programme: Programme, *, category: str = "", kind: str = "") -> dict[str, Any]:
    """What an offering says, as it is sent, but for its documents."""
    rules = programme.offering
    chosen = programme.category(category) or programme.categories[0]
    kinds = [kind] if kind else list(kinds_of(rules)[-1:])
    area = programme.jurisdiction.areas[0]
    deeper = [f"第{level}级" for level in range(area.count("/") + 1, rules.area_levels)]
    return {
        "category": chosen.code,
        "service": chosen.covers[0],
        "kinds": kinds,
        "name": f"{chosen.covers[0]}标准服务",
        "areas": ["/".join([area, *deeper])],
        "price_from_fen": PRICE,
        "price_to_fen": PRICE,
        "comparisons": [
            {"name": f"同行产品{number}", "price_fen": PRICE + number}
            for number in range(rules.price_comparisons or 0)
        ],
        "values": {
            one.code: {
                FieldKind.TEXT: f"{one.name}如下",
                FieldKind.YES_NO: True,
                FieldKind.COUNT: 1,
                FieldKind.MONEY: PRICE,
                FieldKind.DATE: programme.valid_from.isoformat(),
                FieldKind.CHOICE: one.choices[0] if one.choices else "",
            }[one.kind]
            for one in own_fields(rules)
            if one.required
        },
    }


def asked(programme: Programme, kinds: Sequence[str], *, ranged: bool = False) -> list[tuple[Document, int]]:
    """The documents an offering owes, and how many of each."""
    return [
        (one, one.minimum_ranged if ranged and one.minimum_ranged else one.minimum)
        for one in programme.offering.documents
        if one.required and (not one.for_services or one.for_services in kinds)
    ]


async def shown(
    town: Town, provider: Caller, programme: Programme, kinds: Sequence[str], *, ranged: bool = False
) -> dict[str, list[int]]:
    """Those documents, as files of the provider."""
    owner, now = await organisation_of(provider), town.app[CLOCKS].now(programme.slug)
    return {
        one.code: [(await a_file(owner.id, one.kind, programme.slug, now)).id for _ in range(count)]
        for one, count in asked(programme, kinds, ranged=ranged)
    }


async def drafted(
    town: Town, provider: Caller, slug: str = PROGRAMME, *, category: str = "", kind: str = "", **others: Any
) -> Answered:
    """A draft with nothing missing or wrong, but for what ``others`` say."""
    programme = town.programmes.get(slug)
    content = {**said(programme, category=category, kind=kind), **others}
    ranged = content["price_from_fen"] != content["price_to_fen"] or len(content.get("price_parts", ())) > 1
    documents = await shown(town, provider, programme, content["kinds"], ranged=ranged)
    begun = await provider.post("offering-drafts", **{"programme": slug, "documents": documents, **content})
    assert begun.status == 201, begun.body
    return begun


async def submitted(town: Town, provider: Caller, draft: Answered) -> Answered:
    """The draft handed in as it was last seen."""
    return await provider.post(
        f"offering-drafts/{draft.body['id']}/submissions", version=draft.body["version"]
    )


async def selecting(town: Town, slug: str) -> None:
    """Where the programme selects, a round is open now."""
    if not is_selected(town.programmes.get(slug).offering):
        return
    now = town.app[CLOCKS].now(slug)
    authority = await town.staff("authority")
    opened = await authority.post(
        "selection-rounds",
        programme=slug,
        title="服务产品征集",
        opens_at=(now - timedelta(hours=1)).isoformat(),
        closes_at=(now + timedelta(days=30)).isoformat(),
    )
    assert opened.status == 201, opened.body


async def decide(
    town: Town, case_id: int, decision: str = "approve", *, by: Caller | None = None, **said: Any
) -> Answered:
    """Decide on a case at its step, by somebody new of the role whose turn it is unless named."""
    case = await ReviewCase.get(id=case_id)
    assert case.turn is not None and case.place is not None, case.status
    kind = copied(case).chain.steps[case.place].kind
    score = {"score": 100} if kind is ReviewKind.EXPERT_REVIEW else {}
    decided = await (by or await town.staff(case.turn.value)).post(
        f"reviews/{case_id}/decision", **{"decision": decision, "version": case.version, **score, **said}
    )
    assert decided.status == 200, decided.body
    return decided


async def passed(town: Town, case_id: int | None) -> None:
    """Every step of a review gone through, and its notice run out."""
    while case_id is not None:
        case = await ReviewCase.get(id=case_id)
        if case.status is CaseStatus.PASSED:
            return
        if case.status is CaseStatus.ON_NOTICE:
            assert case.notice_until is not None
            offset = town.app[CLOCKS].offset(case.programme_slug)
            town.clock.at = case.notice_until - offset
            await town.app[PUBLIC_NOTICES].close_due()
        else:
            await decide(town, case_id)


async def listed(town: Town, provider: Caller, slug: str = PROGRAMME, **content: Any) -> int:
    """An offering that went through the programme's own review; its id."""
    await selecting(town, slug)
    handed_in = await submitted(town, provider, await drafted(town, provider, slug, **content))
    assert handed_in.status == 201, handed_in.body
    await passed(town, handed_in.body["case_id"])
    return int(handed_in.body["id"])
