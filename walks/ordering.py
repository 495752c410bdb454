"""Ordering: an order from its opening to its last step before settlement, as the order itself asks for it.

Nothing here knows what comes next in any programme: ``GET /orders/{id}`` says to each side what is asked of
it, and whoever is asked fills in what is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

from server.programme.model import Programme
from server.programme.vocabulary import Actor
from walks.callers import WalkFailed
from walks.joining import Joined
from walks.officials import Officials
from walks.paperwork import scan

LONGEST = 60
"""Steps after which an order is thought to go round in a circle."""
TO_THE_OPERATOR = frozenset({"escrow"})
PAYING = frozenset({"deposit", "balance", "escrow", "transfer_receipt"})

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Deal:
    """Two sides of an order in one programme, and the day it is there."""

    programme: Programme
    enterprise: Joined
    provider: Joined
    now: datetime


async def open_order(deal: Deal, offering_id: int, price_fen: int) -> int:
    """Open an order on an offering, by the side the programme begins with; its id."""
    programme = deal.programme
    first = programme.order_steps[0]
    by_provider = first.actor is Actor.PROVIDER
    opener = deal.provider if by_provider else deal.enterprise
    said = await opener.caller.post(
        "orders",
        programme=programme.slug,
        offering_id=offering_id,
        other_uscc=deal.enterprise.part.uscc if by_provider else "",
        price_fen=price_fen,
        kind=next((kind.code for kind in programme.voucher_kinds if not kind.by_notice), ""),
    )
    return int(said.must(201, f"{opener.part.name} opens an order")["id"])


async def walk_order(deal: Deal, order_id: int, officials: Officials, *, until: str = "") -> dict[str, Any]:
    """Let each side do what it is asked, and officials decide; the order when nobody is asked any more.

    Stops before the step ``until``, if one is named.
    """
    for _ in range(LONGEST):
        asked = await _asked(deal, order_id)
        if asked is None:
            if not await _decided(officials):
                break
            continue
        side, view = asked
        if view["ask"]["kind"] == until:
            break
        await take(deal, side, view)
    else:
        raise WalkFailed(f"order {order_id} does not end")
    seen = await deal.enterprise.caller.get(f"orders/{order_id}")
    order: dict[str, Any] = seen.must(200, "the enterprise looks at its order")
    return order


async def take(deal: Deal, side: Joined, view: Mapping[str, Any], **others: Any) -> dict[str, Any]:
    """One side does the step it is asked for."""
    kind = view["ask"]["kind"]
    body = {**await fill(deal, side, view), **others}
    said = await side.caller.post(f"orders/{view['id']}/steps/{kind}", **body)
    taken: dict[str, Any] = said.must(200, f"{side.part.name}: {view['ask']['name']} ({kind})")
    return taken


async def fill(deal: Deal, side: Joined, view: Mapping[str, Any]) -> dict[str, Any]:
    """What one side sends with the step it is asked for: every field and paper, as they must be."""
    ask = view["ask"]
    due_fen = _due_fen(view)
    values = {one["code"]: _value(deal, view, one, due_fen) for one in ask["fields"] if one["required"]}
    papers, groups = [], set[str]()
    for document in ask["documents"]:
        owed = document["required"] or (ask["kind"] in PAYING and due_fen > 0)
        forms = document["legal_forms"]
        if not owed or (forms and side.part.facts["legal_form"] not in forms):
            continue
        if document["groups"] and groups.issuperset(document["groups"]):
            continue
        groups |= set(document["groups"])
        papers.append(await _paper(deal, side, view, document, due_fen))
    return {"version": view["version"], "values": values, "papers": papers}


async def _asked(deal: Deal, order_id: int) -> tuple[Joined, dict[str, Any]] | None:
    """Who is asked for something now, and the order as that side sees it."""
    for side in (deal.enterprise, deal.provider):
        seen = (await side.caller.get(f"orders/{order_id}")).must(200, f"{side.part.name} opens its order")
        if seen["ask"] is not None and seen["ask"]["kind"] != "settle":
            return side, seen
    return None


async def _decided(officials: Officials) -> bool:
    """Whether officials had something of an order to decide, and have decided it."""
    desk = officials.first(Actor.OPERATOR)
    inbox = await desk.get("reviews", queue="all", subject="voucher_request", limit=100)
    cases = [one["id"] for one in inbox.must(200, "the operator opens the inbox")["reviews"]]
    done = False
    for case_id in cases:
        while (await officials.look(case_id))["status"] == "open":
            (await officials.decide(case_id, "approve")).must(200, f"case {case_id} is approved")
            done = True
    return done


def _due_fen(view: Mapping[str, Any]) -> int:
    """What the step asks the enterprise to pay now, fen."""
    own = int(view["own_share_fen"])
    return {
        "deposit": int(view["deposit_fen"]),
        "escrow": int(view["escrow_fen"]),
        "balance": own - int(view["deposit_fen"]) - int(view["escrow_fen"]),
    }.get(view["ask"]["kind"], own)


def _price_fen(view: Mapping[str, Any]) -> int:
    return int(view["actual_fee_fen"] or view["contract_fen"] or view["price_fen"])


def _value(deal: Deal, view: Mapping[str, Any], field: Mapping[str, Any], due_fen: int) -> Any:
    """A value for a field, as an honest party would fill it in."""
    today = deal.now.date().isoformat()
    known = {
        "amount_fen": view["price_fen"],
        "contract_number": f"合同-{next(_numbers):06d}",
        "enterprise_name": deal.enterprise.part.name,
        "provider_name": deal.provider.part.name,
        "actual_fee_fen": _price_fen(view),
        "number": f"{next(_numbers):020d}",
        "amount": due_fen if view["ask"]["kind"] in PAYING else _price_fen(view),
        "payer": deal.enterprise.part.name,
        "payee": _payee(deal, view),
    }
    if field["code"] in known:
        return known[field["code"]]
    return {
        "text": "按约定办理",
        "yes_no": True,
        "count": 1,
        "money": _price_fen(view),
        "date": today,
        "choice": next(iter(field["choices"]), ""),
    }[field["kind"]]


def _payee(deal: Deal, view: Mapping[str, Any]) -> str:
    if view["ask"]["kind"] in TO_THE_OPERATOR:
        return deal.programme.role(Actor.OPERATOR).name
    return deal.provider.part.name


async def _paper(
    deal: Deal, side: Joined, view: Mapping[str, Any], document: Mapping[str, Any], due_fen: int
) -> dict[str, Any]:
    price_fen, own_fen = _price_fen(view), int(view["own_share_fen"])
    amounts = {
        "full_price": price_fen,
        "own_share": own_fen,
        "own_share_at_least": max(own_fen, -(-price_fen * int(document["minimum_bp"] or 0) // 10_000)),
    }
    files = [await _upload(deal, side, document, number) for number in range(document["minimum"])]
    return {
        "code": document["code"],
        "file_ids": files,
        "number": f"{next(_numbers):020d}",
        "amount_fen": amounts.get(document["amount"], due_fen),
        "dated": deal.now.date().isoformat(),
        "payer": deal.enterprise.part.name,
        "payee": _payee(deal, view),
    }


async def _upload(deal: Deal, side: Joined, document: Mapping[str, Any], number: int) -> int:
    said = await side.caller.send(
        "files",
        scan(f"{side.part.uscc} {document['code']} {next(_numbers)} {number}"),
        "application/pdf",
        programme=deal.programme.slug,
        kind=document["kind"],
        name=f"{document['code']}-{number + 1}.pdf",
    )
    return int(said.must(201, f"{side.part.name} uploads {document['name']}")["id"])
