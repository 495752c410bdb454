"""The data keys by hand: seal everything anew with the newest one, and say what still rests on older ones.

``reseal`` ends with 0 where every sealed text is the newest key's, with 1 where some could not be opened
or somebody is there twice.
"""

from __future__ import annotations

import argparse
import sys

from server import logs
from server.clock import SystemClock
from server.database import close_database, open_database
from server.sealing import Sealer
from server.services.data_protection import resealing
from server.settings import Settings

FAULTY = 1


async def reseal(settings: Settings, _: argparse.Namespace) -> int:
    """Seal anew what older keys sealed; may be stopped and started again at any moment."""
    logs.configure(stream=sys.stderr)  # what is printed is the result alone
    sealer = Sealer(settings.data_keys)
    context = await open_database(settings.database_url)
    try:
        done = await resealing.reseal(sealer, now=SystemClock().now(), told=_told)
    finally:
        await close_database(context)
    for table, count in sorted((+done.texts).items()):
        _say(f"{table}: {count} texts sealed anew with {sealer.newest}")
    for key_id, count in sorted(done.unreadable.items()):
        _say(f"{key_id}: {count} texts that no key here opens, left as they are")
    for table, count in sorted(done.doubles.items()):
        _say(f"{table}: {count} are there twice, by an old key and by {sealer.newest}, left as they are")
    if sealer.older and done.hashes:
        counts = ", ".join(f"{table} {count}" for table, count in sorted(done.hashes.items()))
        _say(f"keyed hashes of what is kept nowhere, each found by the key that made it: {counts}")
    for key_id in sealer.older:
        if done.texts.total():
            _say(f"{key_id}: run this again, once every server was started with {sealer.newest} first")
        elif not done.unreadable[key_id] and not done.doubles:
            _say(f"{key_id}: seals nothing")
    return FAULTY if done.unreadable or done.doubles else 0


def add_commands(nouns: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """``data-keys reseal``; its caller says how it is run."""
    verbs = nouns.add_parser("data-keys", help="what personal data is sealed with").add_subparsers(
        required=True
    )
    return verbs.add_parser("reseal", help="seal everything anew with the newest key")


def _told(table: str, count: int) -> None:
    sys.stderr.write(f"{table}: {count}\n")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
