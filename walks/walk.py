"""`make walk`: every programme from registration to money in the bank and a closed archive, by the API alone.

`PROGRAMME=file.toml` walks one programme of one's own, any file the loader accepts. Each step is done by
whoever the programme names, and what comes next is read from the order itself. Exits 1 when an order does
not get to its last step before settlement, is not rated where the programme rates, its money does not arrive,
the books do not balance or the journal is not what was sealed.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

from aiohttp import ClientSession, TCPConnector

from server.programme.issuance import IssuanceMode
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.programme.steps import StepKind
from server.programme.vocabulary import Party
from tools.processes import ProcessFailed
from walks import issuing, selling
from walks.callers import WalkFailed
from walks.cast import Part, cast
from walks.issue import NOTICE_DAYS, PROGRAMMES, RESULT_DAYS, now_of, settled, show_end, until
from walks.issuing import Stage
from walks.joining import Joining
from walks.officials import publish_lists, staff_up
from walks.ordering import Deal, open_order, walk_order
from walks.settling import Settling
from walks.world import World, a_world


@dataclass(frozen=True, slots=True)
class Proof:
    """What is verified by command when a programme has been walked."""

    name: str
    commands: tuple[tuple[str, ...], ...]


BOOKS = Proof("books", (("ledger", "verify"),))
JOURNAL = Proof("journal", (("journal", "seal"), ("journal", "verify")))
OF_EACH = 2
"""How many of each side take part."""
FEW = 12


async def walk(world: World, programme: Programme) -> dict[str, Any]:
    """One programme, from its empty database to one order whose money was paid; that order."""
    world.command("staff", "create", "administrator", "--role", "administrator")
    # A connection of an earlier server is no use with the next one.
    async with ClientSession(connector=TCPConnector(force_close=True)) as http:
        days = 0
        with world.serving():
            now = await now_of(http, world, programme)
            officials = await staff_up(http, world, programme)
            budget_id = await issuing.open_year(officials, programme, now)
            parts = _few(cast(programme, now.date(), FEW))
            await publish_lists(officials, programme, parts)
            joining = Joining(http, world, programme, officials, now.date())
            everybody = await joining.register(parts)
            waiting = await joining.review(everybody)
        if waiting:
            days += NOTICE_DAYS
            with world.serving(days=days):
                await settled(http, world, programme)
                await until(lambda: joining.review(everybody), "the public notices do not end")
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
            round_id = await _vouchers(stage, budget_id)
        if round_id:
            days += RESULT_DAYS
        with world.serving(days=days):
            await settled(http, world, programme)
            if round_id:
                await until(lambda: issuing.unpublished(stage, round_id), "the ranking is not published")
            if programme.issuance.mode in (IssuanceMode.RANKED_BATCH, IssuanceMode.ALLOTMENT):
                await until(lambda: issuing.empty_handed(stage), "nobody holds a voucher")
            now = await now_of(http, world, programme)
            deal = Deal(programme, stage.enterprises[0], stage.providers[0], now)
            order_id = await open_order(deal, offering_id, selling.PRICE_FEN)
            order = await walk_order(deal, order_id, officials)
            await _require_done(deal, order)
            settling = Settling(deal, officials, order)
            await settling.apply()
            on_notice = await settling.decide()
        if on_notice:
            days += NOTICE_DAYS
        with world.serving(days=days):
            await settled(http, world, programme)
            settling.deal = replace(deal, now=await now_of(http, world, programme))
            if on_notice:
                await until(settling.decide, "the settlement's notice does not end")
            await settling.pay()
            settlement = await settling.close()
    return {**order, "paid_fen": settlement["amount_fen"]}


async def _vouchers(stage: Stage, budget_id: int) -> int:
    """Vouchers come to their holders, or may be asked for; the round that is ranked later, or 0."""
    match stage.programme.issuance.mode:
        case IssuanceMode.GRAB:
            await issuing.grab(stage, budget_id)
        case IssuanceMode.RANKED_BATCH:
            return await issuing.apply_for(stage, budget_id)
        case IssuanceMode.ON_CONTRACT:
            await issuing.plan_round(stage, budget_id)
        case _:
            pass  # A quota comes by itself; a provider draws within its order.
    return 0


async def _require_done(deal: Deal, order: dict[str, Any]) -> None:
    """The order stands before its settlement, and is rated where the programme rates on the platform."""
    if order["status"] != "done":
        raise WalkFailed(f"the order ends {order['status']}: {order['sentence']}")
    kinds = {step.kind for step in deal.programme.order_steps}
    if StepKind.RATE in kinds or deal.programme.rating.required_for_payment:
        rated = await deal.enterprise.caller.get(f"orders/{order['id']}/rating")
        rated.must(200, "the order is rated")


def _few(parts: list[Part]) -> list[Part]:
    """Some of each side that meet every condition and stumble over nothing."""
    fit = [part for part in parts if not part.breaks and not part.stopped]
    few: list[Part] = []
    for party in Party:
        few += [part for part in fit if part.party is party][:OF_EACH]
    for part in few:
        part.turn = ""
    return few


async def main(file: str) -> int:
    """Walk through every programme, or one; the closing line says what was found."""
    done, faulty = 0, set[Proof]()
    programmes = list(Programmes.load(PROGRAMMES))
    with tempfile.TemporaryDirectory(prefix="walk-programme-") as own:
        directory = None
        if file:
            directory = Path(own)
            shutil.copy(file, directory)
            programmes = list(Programmes.load(directory))
        for programme in programmes:
            began = time.monotonic()
            with (
                tempfile.TemporaryDirectory(prefix="walk-") as place,
                a_world(Path(place), programmes=directory) as world,
            ):
                try:
                    order = await walk(world, programme)
                except (WalkFailed, ProcessFailed, CalledProcessError) as fault:
                    print(f"  {programme.slug:16} FAILED: {fault}")
                    show_end(world)
                    continue
                for what in (BOOKS, JOURNAL):
                    try:
                        for words in what.commands:
                            world.command(*words)
                    except CalledProcessError as fault:
                        faulty.add(what)
                        print(f"  {programme.slug:16} {what.name}: {fault.stdout}{fault.stderr}")
            done += 1
            steps = sum(step["state"] == "done" for step in order["steps"])
            print(
                f"  {programme.slug:16} {steps} of {len(order['steps'])} steps,"
                f" voucher {order['voucher_fen'] / 100:.2f} of {order['price_fen'] / 100:.2f} yuan,"
                f" paid {order['paid_fen'] / 100:.2f},"
                f" {timedelta(seconds=round(time.monotonic() - began))}",
                flush=True,
            )
    print(
        f"walk: {done}/{len(programmes)} programmes from registration to disbursement and archive,"
        f" books {'NOT ' if BOOKS in faulty else ''}balanced,"
        f" journal {'NOT ' if JOURNAL in faulty else ''}verified"
    )
    return 0 if not faulty and done == len(programmes) else 1


if __name__ == "__main__":
    chosen = argparse.ArgumentParser(description=__doc__)
    chosen.add_argument("--programme", default="", help="a programme's file instead of the house's own")
    sys.exit(asyncio.run(main(chosen.parse_args().programme)))
