"""The journal by hand: seal it now, check all of it, change the key that signs it.

``verify`` ends with 0 where everything agrees, with 1 where something does not, and with 2 where it could not
look: a key or an anchor that cannot be read, a case of which there is no entry.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta

from server import logs
from server.clock import CHINA, SystemClock
from server.database import close_database, open_database
from server.gateways.anchoring import AnchorAway
from server.gateways.anchors import anchors_of
from server.gateways.seal_keys import SealKeys, SealKeyUnusable
from server.services.proof.journal_seals import HORIZON, JournalSeals
from server.services.proof.journal_verification import JournalVerification
from server.settings import Settings

FAULTY, CANNOT_LOOK = 1, 2


async def seal(settings: Settings, chosen: argparse.Namespace) -> int:
    """Chain everything written until now, close the days that are over, have them kept."""
    logs.configure(stream=sys.stderr)  # what is printed is the result alone
    async with _opened(settings) as (seals, _):
        upto = await seals.newest_entry()
        if not chosen.at_once:
            # An entry of a lower id may still be on its way to the disk.
            await asyncio.sleep(HORIZON.total_seconds())
        sealed = await seals.seal_all(upto)
        today = SystemClock().now().astimezone(CHINA).date()
        closed = await seals.close_days(before=today + timedelta(days=1) if chosen.close_day else today)
        kept = await seals.keep_days()
    _say(f"journal: {sealed} entries chained, {closed} days signed, {kept} hashes kept outside")
    return 0


async def verify(settings: Settings, chosen: argparse.Namespace) -> int:
    """Recompute everything and name what is wrong."""
    try:
        async with _opened(settings) as (seals, keys):
            verification = JournalVerification(keys, seals.anchors)
            found = await verification.verify(
                since=chosen.since, subject=chosen.case, stamped_since=chosen.stamped_since
            )
    except (SealKeyUnusable, AnchorAway) as fault:
        sys.stderr.write(f"{fault}\n")
        return CANNOT_LOOK
    for fault_found in found.faults:
        _say(fault_found)
    if chosen.case and not (found.sealed or found.waiting or found.faults):
        sys.stderr.write(f"the journal has no entry of {chosen.case}: cases are named as settlement:5\n")
        return CANNOT_LOOK
    _say(found.summary())
    return FAULTY if found.faults else 0


async def rotate(settings: Settings, _: argparse.Namespace) -> int:
    """Sign with a new key from now on; the old secret is destroyed, its public half kept."""
    today = SystemClock().now().astimezone(CHINA).date()
    key_id = await asyncio.to_thread(SealKeys(settings.seal_keys_dir).rotate, today=today)
    _say(f"journal: {key_id} signs from now on")
    return 0


def add_commands(nouns: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``journal seal``, ``journal verify``, ``journal rotate``."""
    verbs = nouns.add_parser("journal", help="the journal's proof").add_subparsers(required=True)
    sealing = verbs.add_parser("seal", help="chain what was written, sign the days that are over")
    sealing.add_argument("--at-once", action="store_true", help="nobody writes now: wait for nothing")
    sealing.add_argument("--close-day", action="store_true", help="sign today as well, as far as it is")
    sealing.set_defaults(command=seal)
    checking = verbs.add_parser("verify", help="recompute everything; exit 1 if anything is wrong")
    checking.add_argument("--since", type=date.fromisoformat, help="only from this day on (2026-03-01)")
    checking.add_argument("--case", metavar="SUBJECT", help="only one, as in settlement:5")
    checking.add_argument(
        "--stamped-since",
        type=date.fromisoformat,
        help="the first day the time-stamp authority was asked for: earlier ones may be stamped late",
    )
    checking.set_defaults(command=verify)
    verbs.add_parser("rotate", help="sign with a new key from now on").set_defaults(command=rotate)


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple[JournalSeals, SealKeys]]:
    keys = SealKeys(settings.seal_keys_dir)
    context = await open_database(settings.database_url)
    try:
        async with anchors_of(settings) as anchors:
            yield JournalSeals(SystemClock(), keys, anchors), keys
    finally:
        await close_database(context)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
