"""Issuing: how vouchers come to their holders out of rounds and by promise, through the public doors."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from server.programme.model import Programme
from server.programme.vocabulary import Actor, Party
from server.rules.deadlines import year_bounds
from walks.callers import WalkFailed
from walks.joining import Joined
from walks.officials import Officials, publish_label
from walks.world import World

YEAR_FEN = 1_000_000_000
POOL_FEN = 20_000_000
ASKED_FEN = 2_000_000


@dataclass(frozen=True, slots=True)
class Stage:
    """What issuing needs: the programme, who is in it, and what day it is there."""

    world: World
    programme: Programme
    officials: Officials
    now: datetime
    everybody: Sequence[Joined]

    @property
    def enterprises(self) -> list[Joined]:
        return [one for one in self.everybody if one.is_approved and one.part.party is Party.ENTERPRISE]

    @property
    def providers(self) -> list[Joined]:
        return [one for one in self.everybody if one.is_approved and one.part.party is Party.PROVIDER]


async def open_year(officials: Officials, programme: Programme, now: datetime) -> int:
    """Put the year's money in; the budget's id."""
    said = await officials.first(Actor.OPERATOR).post(
        "budgets", programme=programme.slug, year=programme.year_of(now), total_fen=YEAR_FEN
    )
    return int(said.must(201, "the year's budget is opened")["id"])


async def plan_round(stage: Stage, budget_id: int, *, pool_fen: int = POOL_FEN) -> int:
    """A published round that is open now; its id."""
    desk = stage.officials.first(Actor.OPERATOR)
    # Within the programme's own year, which need not be the calendar's.
    last_day = year_bounds(stage.programme, stage.now.date())[1]
    year_end = datetime.combine(last_day, datetime.min.time(), stage.now.tzinfo)
    last = stage.programme.validity.service_until or stage.programme.valid_until
    if last is not None:
        year_end = min(year_end, datetime.combine(last, datetime.min.time(), stage.now.tzinfo))
    said = await desk.post(
        "rounds",
        budget_id=budget_id,
        title="第一批",
        opens_at=(stage.now - timedelta(minutes=1)).isoformat(),
        closes_at=(stage.now + timedelta(days=20)).isoformat(),
        pool_fen=pool_fen,
        valid_until=year_end.isoformat(),
    )
    round_id = int(said.must(201, "a round is planned")["id"])
    (await desk.post(f"rounds/{round_id}/schedule", reason="公告已发布")).must(200, "it is published")
    return round_id


async def grab(stage: Stage, budget_id: int) -> None:
    """Everybody grabs; who is approved gets one while there is money."""
    round_id = await plan_round(stage, budget_id)
    for one in stage.everybody:
        if one.part.party is not Party.ENTERPRISE or one.status == "stopped":
            continue
        key = {"Idempotency-Key": secrets.token_hex(16)}
        said = await one.caller.call("POST", f"rounds/{round_id}/grabs", headers=key)
        if (said.status == 201) is not one.is_approved:
            raise WalkFailed(f"{one.part.name} ({one.status}) grabs: {said.status} {said.body}")


async def apply_for(stage: Stage, budget_id: int) -> int:
    """Everybody who is approved applies, the last ones first; then the round is closed. Its id.

    The money covers every group that comes first and one more: the others wait.
    """
    first = {label for group in stage.programme.issuance.priorities for label in group.any_of}
    ahead = [one for one in stage.enterprises if not first.isdisjoint(one.part.labels)]
    round_id = await plan_round(stage, budget_id, pool_fen=(len(ahead) + 1) * ASKED_FEN)
    for one in reversed(stage.everybody):
        if one.part.party is not Party.ENTERPRISE or one.status == "stopped":
            continue
        key = {"Idempotency-Key": secrets.token_hex(16)}
        said = await one.caller.call(
            "PUT", f"rounds/{round_id}/application", body={"amount_fen": ASKED_FEN}, headers=key
        )
        if (said.status == 200) is not one.is_approved:
            raise WalkFailed(f"{one.part.name} ({one.status}) applies: {said.status} {said.body}")
    closed = await stage.officials.first(Actor.OPERATOR).post(f"rounds/{round_id}/close", reason="申领截止")
    closed.must(200, "the round is closed")
    return round_id


async def unpublished(stage: Stage, round_id: int) -> int:
    """1 while the ranking is not there, 0 once it is."""
    said = await stage.officials.anybody.get(f"rounds/{round_id}/ranking")
    return int(said.status != 200)


async def recompute(stage: Stage, round_id: int, directory: Path) -> str:
    """Anybody takes the published list and works it out again with the small script; what that says."""
    said = await stage.officials.anybody.get(f"rounds/{round_id}/ranking.json")
    published = said.must(200, "the ranking is published")
    file = directory / "ranking.json"
    file.write_text(json.dumps(published, ensure_ascii=False))
    script = await asyncio.create_subprocess_exec(
        sys.executable, "tools/recompute_ranking.py", str(file), stdout=PIPE, stderr=STDOUT
    )
    words = (await script.communicate())[0].decode()
    if script.returncode:
        raise WalkFailed(f"the published ranking does not follow from its rules: {words}")
    return words.strip().splitlines()[-1]


async def pass_on(stage: Stage) -> None:
    """One holder hands its voucher back, and the first who waits has one."""
    held = {one.part.uscc: await _held(one) for one in stage.enterprises}
    waiting = [one for one in stage.enterprises if not held[one.part.uscc]]
    giver = next(one for one in stage.enterprises if held[one.part.uscc])
    (voucher,) = held[giver.part.uscc]
    back = await giver.caller.post(f"vouchers/{voucher['id']}/hand-back", reason="项目取消")
    back.must(200, f"{giver.part.name} hands its voucher back")
    served = [one for one in waiting if await _held(one)]
    if waiting and len(served) != 1:
        raise WalkFailed(f"one voucher came back, and {len(served)} of {len(waiting)} who waited have one")


async def rise(stage: Stage) -> None:
    """A label gained in mid-year adds the difference to the quota; the operator imports the list."""
    tiers = stage.programme.issuance.tiers
    best, least = tiers[0], tiers[-1]
    riser = next(one for one in stage.enterprises if best.any_of[0] not in one.part.labels)
    before = sum(one["face_value_fen"] for one in await _held(riser))
    riser.part.labels = (*riser.part.labels, best.any_of[0])
    await publish_label(stage.officials, stage.programme, best.any_of[0], riser.part)
    after = sum(one["face_value_fen"] for one in await _held(riser))
    if not (before < after == best.face_value_fen) or before < least.face_value_fen:
        raise WalkFailed(f"{riser.part.name} rose from {before} to {after} fen, not to {best.face_value_fen}")


async def _held(one: Joined) -> list[dict[str, Any]]:
    wallet = await one.caller.get("vouchers")
    return [
        voucher
        for voucher in wallet.must(200, f"{one.part.name} opens its wallet")["vouchers"]
        if voucher["status"] == "active"
    ]


async def empty_handed(stage: Stage) -> int:
    """1 while nobody holds a voucher: what the clock brings takes a moment."""
    return int(not await vouchers(stage))


async def vouchers(stage: Stage) -> int:
    """How many vouchers everybody finds in their wallets."""
    found = 0
    for one in stage.everybody:
        wallet = await one.caller.get("vouchers")
        held = len(wallet.must(200, f"{one.part.name} opens its wallet")["vouchers"])
        if held and not one.is_approved:
            raise WalkFailed(f"{one.part.name} ({one.status}) holds {held} vouchers")
        found += held
    return found
