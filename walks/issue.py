"""`make issue`: every programme from an empty database to vouchers in wallets, through the public API alone.

For each programme, forty organisations of all kinds register, hand in their papers, are reviewed along the
programme's own chains and approved or refused with clauses; then vouchers are issued in its own way. Exits 1
when anything is not as the programme's file says.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

from aiohttp import ClientSession, TCPConnector

from server.clock import CHINA
from server.programme.issuance import IssuanceMode
from server.programme.model import Programme
from server.programme.registry import Programmes
from tools.processes import ProcessFailed
from walks import contracting, issuing, selling
from walks.callers import Caller, WalkFailed, member_of_staff
from walks.cast import cast
from walks.issuing import Stage
from walks.joining import Joining
from walks.officials import publish_lists, staff_up
from walks.world import World, a_world

PROGRAMMES = Path("config/programmes")
ORGANISATIONS = 40
NOTICE_DAYS = 12
"""Days that let every public notice of five working days end, whatever holidays lie between."""
PATIENCE_SECONDS = 90.0
RESULT_DAYS = 4
"""Days after which a ranking is published and seen by everybody."""


@dataclass(slots=True)
class Figures:
    """What came of one programme."""

    organisations: int = 0
    refused: int = 0
    vouchers: int = 0


async def walk(world: World, programme: Programme, size: int) -> Figures:
    """One programme, from its empty database on."""
    world.command("staff", "create", "administrator", "--role", "administrator")
    # A connection of an earlier server is no use with the next one.
    async with ClientSession(connector=TCPConnector(force_close=True)) as http:
        with world.serving():
            now = await now_of(http, world, programme)
            officials = await staff_up(http, world, programme)
            budget_id = await issuing.open_year(officials, programme, now)
            parts = cast(programme, now.date(), size)
            await publish_lists(officials, programme, parts)
            joining = Joining(http, world, programme, officials, now.date())
            everybody = await joining.register(parts)
            waiting = await joining.review(everybody)
        days = 0
        if waiting:
            days += NOTICE_DAYS
            with world.serving(days=days):
                await settled(http, world, programme)
                await until(lambda: joining.review(everybody), "the public notices do not end")
        offering_id = 0
        if programme.issuance.mode in contracting.BY_CONTRACT:
            with world.serving(days=days):
                stage = Stage(world, programme, officials, await now_of(http, world, programme), everybody)
                offering_id = await selling.publish(stage, stage.providers[0])
                waiting = await selling.unlisted(stage, offering_id)
            if waiting:
                days += NOTICE_DAYS
                with world.serving(days=days):
                    await settled(http, world, programme)
                    await until(lambda: selling.unlisted(stage, offering_id), "the offering is not listed")
        with world.serving(days=days):
            stage = Stage(world, programme, officials, await now_of(http, world, programme), everybody)
            await settled(http, world, programme)
            round_id = await _issue(stage, budget_id, offering_id)
        if round_id:
            days += RESULT_DAYS
            with world.serving(days=days):
                await settled(http, world, programme)
                await until(lambda: issuing.unpublished(stage, round_id), "the ranking is not published")
                said = await issuing.recompute(stage, round_id, world.directory)
                print(f"  {programme.slug:16} the published ranking, recomputed: {said}")
        with world.serving(days=days):
            await settled(http, world, programme)
            await until(lambda: issuing.empty_handed(stage), "nobody holds a voucher")
            if programme.issuance.waiting_list:
                await issuing.pass_on(stage)
            if programme.issuance.upgrade_by_difference:
                await issuing.rise(stage)
            held = await issuing.vouchers(stage)
    return Figures(len(everybody), joining.refusals, held)


async def _issue(stage: Stage, budget_id: int, offering_id: int) -> int:
    """Issue in the programme's own way; the round whose ranking is published later, or 0."""
    match stage.programme.issuance.mode:
        case IssuanceMode.GRAB:
            await issuing.grab(stage, budget_id)
        case IssuanceMode.RANKED_BATCH:
            return await issuing.apply_for(stage, budget_id)
        case IssuanceMode.ALLOTMENT:
            await contracting.sign_on_quota(stage, offering_id)
        case IssuanceMode.ON_CONTRACT:
            await contracting.request(stage, budget_id, offering_id)
        case IssuanceMode.PROVIDER_DRAW:
            await contracting.draw(stage, offering_id)
    return 0


async def now_of(http: ClientSession, world: World, programme: Programme) -> datetime:
    """What time it is in the programme, as its clock says to anybody."""
    said = await Caller(http, world.url).get("clock", programme=programme.slug)
    return datetime.fromisoformat(said.must(200, "the clock is read")["now"]).astimezone(CHINA)


async def settled(http: ClientSession, world: World, programme: Programme) -> None:
    """Wait until the jobs of the days that passed have run."""
    desk = await member_of_staff(http, world, "administrator")
    give_up = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up:
        jobs = (await desk.get("jobs")).must(200, "the jobs are listed")["jobs"]
        now = await now_of(http, world, programme)
        if all(_has_caught_up(one, now) for one in jobs if one["programme"] == programme.slug):
            return
        await asyncio.sleep(0.5)
    raise WalkFailed("the jobs do not catch up")


async def until(waiting: Callable[[], Awaitable[int]], otherwise: str) -> None:
    """Ask again until nothing waits any more."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while await waiting():
        if time.monotonic() > give_up:
            raise WalkFailed(otherwise)
        await asyncio.sleep(0.5)


def _has_caught_up(job: dict[str, Any], now: datetime) -> bool:
    ran = job["last"] is not None and job["last"]["status"] == "done"
    return ran and datetime.fromisoformat(job["next_slot"]) > now


async def main(size: int, only: str = "") -> int:
    """Walk through every programme; the closing line says what was found."""
    totals, done, balanced = Figures(), 0, True
    programmes = [one for one in Programmes.load(PROGRAMMES) if only in one.slug]
    for programme in programmes:
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="walk-") as directory, a_world(Path(directory)) as world:
            try:
                figures = await walk(world, programme, size)
            except (WalkFailed, ProcessFailed, CalledProcessError) as fault:
                print(f"  {programme.slug:16} FAILED: {fault}")
                show_end(world)
                continue
            try:
                world.command("ledger", "verify")
            except CalledProcessError as fault:
                balanced = False
                print(f"  {programme.slug:16} books: {fault.stdout}{fault.stderr}")
        done += 1
        totals.organisations += figures.organisations
        totals.refused += figures.refused
        totals.vouchers += figures.vouchers
        print(
            f"  {programme.slug:16} {programme.issuance.mode:14} {figures.organisations} organisations,"
            f" {figures.refused} refused, {figures.vouchers} vouchers,"
            f" {timedelta(seconds=round(time.monotonic() - began))}",
            flush=True,
        )
    print(
        f"issue: {done}/{len(programmes)} programmes, {totals.organisations} organisations,"
        f" {totals.refused} refused with clauses, {totals.vouchers} vouchers,"
        f" books {'balanced' if balanced else 'NOT balanced'}"
    )
    return 0 if balanced and done == len(programmes) else 1


def show_end(world: World) -> None:
    log = world.directory / "server.log"
    if log.exists():
        print("\n".join(log.read_text(errors="replace").splitlines()[-8:]))


if __name__ == "__main__":
    chosen = argparse.ArgumentParser(description=__doc__)
    chosen.add_argument("--organisations", type=int, default=ORGANISATIONS)
    chosen.add_argument("--only", default="", help="programmes whose slug holds this")
    told = chosen.parse_args()
    sys.exit(asyncio.run(main(told.organisations, told.only)))
