"""Contracting: the vouchers that come with an order's contract, asked for, frozen or drawn."""

from __future__ import annotations

from typing import Any

from server.programme.issuance import IssuanceMode
from server.programme.vocabulary import Actor
from walks.callers import WalkFailed
from walks.issuing import Stage, plan_round
from walks.joining import Joined
from walks.ordering import Deal, fill, open_order, take, walk_order
from walks.selling import PRICE_FEN

BY_CONTRACT = frozenset({IssuanceMode.ALLOTMENT, IssuanceMode.ON_CONTRACT, IssuanceMode.PROVIDER_DRAW})
"""Where somebody has to sell something before a voucher is of use."""
CONTRACTS = 6
"""How many contracts are made where vouchers follow contracts."""


async def sign_on_quota(stage: Stage, offering_id: int) -> None:
    """Both sides sign: the quota that was allotted is frozen, and the year's money taken."""
    for deal in _deals(stage):
        order_id = await open_order(deal, offering_id, PRICE_FEN)
        for side in (deal.enterprise, deal.provider):
            signed = await _take(deal, side, order_id)
        if not signed["voucher_fen"]:
            raise WalkFailed(f"order {order_id} froze nothing: {signed}")


async def request(stage: Stage, budget_id: int, offering_id: int) -> None:
    """A voucher for each signed contract, in the programme's order, once the operator has looked."""
    await plan_round(stage, budget_id)
    for deal in _deals(stage):
        order_id = await open_order(deal, offering_id, PRICE_FEN)
        step = "request_voucher"
        await walk_order(deal, order_id, stage.officials, until=step)
        asked = await _take(deal, deal.enterprise, order_id)
        again = await deal.enterprise.caller.post(f"orders/{order_id}/steps/{step}", version=asked["version"])
        again.must(409, f"{deal.enterprise.part.name} asks twice for one contract")
    desk = stage.officials.first(Actor.OPERATOR)
    inbox = await desk.get("reviews", queue="all", subject="voucher_request", limit=100)
    for case in inbox.must(200, "the operator opens the inbox")["reviews"]:
        while (await stage.officials.look(case["id"]))["status"] == "open":
            said = await stage.officials.decide(case["id"], "approve")
            said.must(200, f"request {case['id']} is approved")


async def draw(stage: Stage, offering_id: int) -> None:
    """The provider draws for the projects of its contracts, each project once."""
    for deal in _deals(stage):
        order_id = await open_order(deal, offering_id, PRICE_FEN)
        drawn = await _take(deal, deal.provider, order_id)
        if not drawn["voucher_id"]:
            raise WalkFailed(f"order {order_id} drew nothing: {drawn}")
        await _drawn_for_once(deal, offering_id)


async def _drawn_for_once(deal: Deal, offering_id: int) -> None:
    again = await open_order(deal, offering_id, PRICE_FEN)
    view = (await deal.provider.caller.get(f"orders/{again}")).must(200, "the order is opened")
    body = await fill(deal, deal.provider, view)
    twice = await deal.provider.caller.post(f"orders/{again}/steps/{view['ask']['kind']}", **body)
    twice.must(409, "a project is drawn for once")
    if not twice.clauses:
        raise WalkFailed(f"the second draw is refused without a clause: {twice.body}")


def _deals(stage: Stage) -> list[Deal]:
    """The enterprises that contract, with whoever sells."""
    seller = stage.providers[0]
    return [Deal(stage.programme, one, seller, stage.now) for one in stage.enterprises[:CONTRACTS]]


async def _take(deal: Deal, side: Joined, order_id: int) -> dict[str, Any]:
    view = (await side.caller.get(f"orders/{order_id}")).must(200, f"{side.part.name} opens its order")
    if view["ask"] is None:
        raise WalkFailed(f"order {order_id} asks nothing of {side.part.name}: {view['sentence']}")
    return await take(deal, side, view)
