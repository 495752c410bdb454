"""The command line: serve, migrate, and what an operator does by hand.

python -m server serve                       answer HTTP until told to stop
python -m server migrate                     bring the database up to date
python -m server staff create NAME --role administrator
python -m server staff recover NAME          a lost authenticator, where nobody else can take it off
python -m server ledger verify               exit 1 if the books do not balance
python -m server files verify                exit 1 if a file is not what was handed in
python -m server journal seal                chain what was written, sign the days that are over
python -m server journal verify              exit 1 if anything in the journal was tampered with
python -m server journal rotate              sign with a new key from now on
python -m server data-keys reseal            seal personal data anew with the newest key
python -m server launch restored             after restoring a backup: fence everything older
python -m server sampling redraw FILE        draw again from a published list, exit 1 if it differs
python -m server jobs                        what runs when, what ran last and what came of it
python -m server chat menu compare           the official account's menu beside config/chat_menu.toml
python -m server chat menu create            make WeChat show it
python -m server programme try FILE --year N a changed programme over a year's orders
python -m server demo seed                   demo data of every programme, once
"""

from __future__ import annotations

import gc

if __name__ == "__main__":
    # What is made while importing stays: looking for garbage in it took a third of every start.
    gc.disable()

import argparse
import asyncio
import fcntl
import getpass
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import uvloop
from aiohttp import web
from redis.asyncio import Redis
from tortoise.expressions import F

from server import keys, logs, texts
from server.app import CHAT_MENU, create_app
from server.clock import CHINA, SystemClock
from server.commands import data_keys, journal, sampling
from server.database import OtherSchema, close_database, is_sqlite, migrate, open_database, sqlite_file
from server.demo import seed
from server.errors import Refusal
from server.gateways.evidence_store import EvidenceStore
from server.gateways.wechat_calls import WechatCalls, WechatRefused, tokens_of
from server.gateways.wechat_http import WechatHttp
from server.jobs.table import rendered
from server.middlewares import runner_options
from server.models.jobs import RunStatus
from server.models.rounds import Budget
from server.programme.chart import load_chart
from server.programme.chat_menu import MenuFaulty, load_menu
from server.programme.faults import ProgrammeError
from server.programme.registry import Programmes
from server.sealing import Sealer
from server.services import job_runs
from server.services.access import CLOCK, StaffRole
from server.services.accounts.staff import create_staff, recover
from server.services.budgets import ledger
from server.services.chat import chat_menu
from server.services.files.evidence import Evidence
from server.services.programmes import policy_trials
from server.settings import STAFF_PASSWORD_VARIABLE, Settings, SettingsError, load, refuse_unsafe
from server.startup import unfit
from server.texts import sentence
from server.units import yuan_to_fen
from server.wiring import CHAT
from server.workers import serve_with_workers

RESTORED_EPOCHS = 1_000_000
"""Above every epoch that Redis can have seen since the backup (launch.md C33)."""
GRACE_SECONDS = 10.0
BACKLOG = 4096
"""Connections that may wait to be accepted, up to the system's own limit. With aiohttp's 128 the phones of
a server that died knock in vain at the next one, and their systems try again only after 1, 3, 7 seconds."""


def main(arguments: list[str]) -> int:
    """Run one command; the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        settings = load(os.environ)
        # Drawing again is anybody's to do: it needs a file, and none of our secrets.
        faults = [] if chosen.command is sampling.redraw else refuse_unsafe(settings)
    except SettingsError as fault:
        faults = [str(fault)]
    if faults:
        print("\n".join(faults), file=sys.stderr)
        return 1
    command: Callable[[Settings, argparse.Namespace], Coroutine[Any, Any, int]] = chosen.command
    try:
        if command is _serve and settings.workers > 1:
            # Asked once, here: a worker that is refused would only be started again.
            uvloop.run(_require_fit(settings))
            return serve_with_workers(settings.workers)
        return uvloop.run(command(settings, chosen))
    except (ProgrammeError, MenuFaulty, CannotServe) as fault:
        print(fault, file=sys.stderr)
        return 1
    except Refusal as refusal:
        print(sentence(refusal), file=sys.stderr)
        for one in refusal.unmet:
            print(f"- {one.message}", file=sys.stderr)
        return 1


class CannotServe(Exception):
    """Why not, in one sentence."""


async def _require_fit(settings: Settings) -> None:
    faults = await unfit(settings, SystemClock().now().astimezone(CHINA).date())
    if faults:
        raise CannotServe("\n".join(faults))


async def _serve(settings: Settings, _: argparse.Namespace) -> int:
    logs.configure()
    await _require_fit(settings)
    with _alone_on_sqlite(settings):
        app = create_app(settings)
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        runner = web.AppRunner(app, shutdown_timeout=GRACE_SECONDS, **runner_options(settings))
        await runner.setup()
        _spare_the_collector()
        try:
            site = web.TCPSite(
                runner,
                settings.host,
                settings.port,
                backlog=BACKLOG,
                reuse_port=settings.reuse_port or None,
            )
            await site.start()
            await stop.wait()
        except OSError as error:
            where = f"{settings.host}:{settings.port}"
            # asyncio wraps the system's words in its own; a name that does not resolve has only its own.
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
            raise CannotServe(f"Cannot listen on {where}: {reason}.") from None
        finally:
            # No new connections; requests under way are answered, and what they queued is committed.
            await runner.cleanup()
    return 0


def _spare_the_collector() -> None:
    """Keep the cyclic collector from walking over everything that is remembered, in the rush of all times.

    With Python's own thresholds a crowd of new tokens sets off full passes that stop a process for a
    third of a second each (docs/decisions/0003). What is here at the start stays; of what comes, the
    young are looked through as before, all of it only after two million new objects.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 10)


async def _migrate(settings: Settings, _: argparse.Namespace) -> int:
    if is_sqlite(settings.database_url):
        sqlite_file(settings.database_url).parent.mkdir(parents=True, exist_ok=True)
    try:
        await migrate(settings.database_url)
    except OtherSchema as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


async def _create_staff(settings: Settings, chosen: argparse.Namespace) -> int:
    password = os.environ.get(STAFF_PASSWORD_VARIABLE) or getpass.getpass("Password: ")
    for slug in chosen.programme:
        Programmes.load(settings.programmes_dir).get(slug)
    context = await open_database(settings.database_url)
    try:
        created = await create_staff(
            chosen.name,
            password,
            chosen.role,
            SystemClock().now(),
            programmes=chosen.programme,
            areas=chosen.area,
        )
    finally:
        await close_database(context)
    print(f"{created.username} may now sign in as {', '.join(chosen.role)}.")
    return 0


async def _recover_staff(settings: Settings, chosen: argparse.Namespace) -> int:
    context = await open_database(settings.database_url)
    try:
        await recover(chosen.name, now=SystemClock().now())
    finally:
        await close_database(context)
    print(f"{chosen.name} signs in with the password alone, to enrol another authenticator.")
    return 0


async def _verify_ledger(settings: Settings, _: argparse.Namespace) -> int:
    context = await open_database(settings.database_url)
    try:
        faults = await ledger.verify()
    finally:
        await close_database(context)
    for fault in faults:
        print(fault)
    print(f"ledger: {len(faults)} faults, books {'do not balance' if faults else 'balanced'}")
    return 1 if faults else 0


async def _verify_files(settings: Settings, _: argparse.Namespace) -> int:
    evidence = Evidence(EvidenceStore(settings.evidence_dir, settings.evidence_url))
    context = await open_database(settings.database_url)
    try:
        faults = await evidence.verify()
    finally:
        await close_database(context)
    for fault in faults:
        print(fault)
    print(f"files: {len(faults)} faults")
    return 1 if faults else 0


async def _reseal(settings: Settings, chosen: argparse.Namespace) -> int:
    # On SQLite nobody may change a row between our reading it and our writing it.
    with _alone_on_sqlite(settings):
        return await data_keys.reseal(settings, chosen)


async def _restored(settings: Settings, _: argparse.Namespace) -> int:
    context = await open_database(settings.database_url)
    try:
        raised = await Budget.all().update(epoch=F("epoch") + RESTORED_EPOCHS)
    finally:
        await close_database(context)
    print(f"launch: {raised} budgets fenced against everything that Redis remembers")
    return 0


async def _jobs(settings: Settings, _: argparse.Namespace) -> int:
    app = create_app(settings)
    slugs = sorted(programme.slug for programme in app[keys.PROGRAMMES])
    context = await open_database(settings.database_url)
    try:
        plans = app[keys.JOB_PLANS]
        standings = await job_runs.standings(plans, slugs, app[keys.CLOCKS])
    finally:
        await close_database(context)
    print(rendered(standings))
    failed = [one for one in standings if one.last is not None and one.last.status is RunStatus.FAILED]
    return 1 if failed else 0


async def _menu(settings: Settings, chosen: argparse.Namespace) -> int:
    logs.configure(stream=sys.stderr)  # what is printed is the comparison alone
    chart = load_chart(CHAT, texts.CHAT, texts.SPOKEN)
    menu = load_menu(CHAT_MENU, keys=frozenset(key for entry in chart.entries for key in entry.menu_keys))
    if not settings.wechat_oa_appid:
        raise CannotServe("wechat_oa_appid is empty: there is no official account to have a menu.")
    redis, wechat = Redis.from_url(settings.redis_url), WechatHttp(settings.wechat_base_url)
    tokens = tokens_of(settings, wechat, redis, Sealer(settings.data_keys), SystemClock())
    calls, mini_appid = WechatCalls(wechat, tokens), settings.wechat_appid
    async with redis, wechat:
        try:
            if chosen.verb == "create":
                await chat_menu.create(menu, mini_appid=mini_appid, calls=calls)
            differences = await chat_menu.compare(menu, mini_appid=mini_appid, calls=calls)
        except WechatRefused as refused:
            raise CannotServe(f"{refused}; WeChat's documents say what that means.") from None
    print("\n".join(differences or ["The menu is as it should be."]))
    return 1 if differences else 0


async def _try(settings: Settings, chosen: argparse.Namespace) -> int:
    logs.configure(stream=sys.stderr)  # what is printed is the comparison alone
    app = create_app(settings)
    try:
        text = chosen.file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise CannotServe(f"{chosen.file} cannot be read: {fault}") from None
    slug = policy_trials.parsed(text).slug
    context = await open_database(settings.database_url)
    try:
        found = await app[keys.POLICY_TRIALS].compare(
            slug, text, year=chosen.year, total_fen=chosen.total_yuan, actor=CLOCK, most=None
        )
    finally:
        await close_database(context)
    print("\n".join(policy_trials.told(found)))
    return 0


def _fen(text: str) -> int:
    return yuan_to_fen(Decimal(text))


async def _seed(settings: Settings, _: argparse.Namespace) -> int:
    logs.configure(stream=sys.stderr)  # what is printed is the guide alone
    if settings.mode != "demo":
        raise CannotServe("Demo data belongs into demo mode only: set QIQUAN_MODE=demo.")
    with _alone_on_sqlite(settings):
        print(await seed(settings))
    return 0


@contextmanager
def _alone_on_sqlite(settings: Settings) -> Iterator[None]:
    """One process serves an SQLite file; a second one is refused (launch.md C35)."""
    if not is_sqlite(settings.database_url):
        yield
        return
    with Path(f"{sqlite_file(settings.database_url)}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotServe("Another server uses this SQLite file; SQLite serves one process.") from None
        yield


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m server", description="Qiquan 企券")
    nouns = parser.add_subparsers(required=True, metavar="command")
    nouns.add_parser("serve", help="answer HTTP").set_defaults(command=_serve)
    nouns.add_parser("migrate", help="bring the database up to date").set_defaults(command=_migrate)

    staff = nouns.add_parser("staff", help="members of staff").add_subparsers(required=True)
    create = staff.add_parser(
        "create", help=f"create one; asks for the password, or {STAFF_PASSWORD_VARIABLE}"
    )
    create.add_argument("name")
    create.add_argument("--role", action="append", required=True, choices=[role.value for role in StaffRole])
    create.add_argument("--programme", action="append", default=[], help="only this one; may be repeated")
    create.add_argument("--area", action="append", default=[], help="only what lies in it; may be repeated")
    create.set_defaults(command=_create_staff)
    recovery = staff.add_parser("recover", help="take a lost authenticator off an account")
    recovery.add_argument("name")
    recovery.set_defaults(command=_recover_staff)

    books = nouns.add_parser("ledger", help="the books").add_subparsers(required=True)
    books.add_parser("verify", help="check that they balance").set_defaults(command=_verify_ledger)

    evidence = nouns.add_parser("files", help="the evidence").add_subparsers(required=True)
    evidence.add_parser("verify", help="read every file and compare its hash").set_defaults(
        command=_verify_files
    )

    journal.add_commands(nouns)
    data_keys.add_commands(nouns).set_defaults(command=_reseal)

    launch = nouns.add_parser("launch", help="the fence of launches").add_subparsers(required=True)
    launch.add_parser("restored", help="after restoring a backup").set_defaults(command=_restored)

    nouns.add_parser("jobs", help="what runs when, and how it went").set_defaults(command=_jobs)

    draws = nouns.add_parser("sampling", help="draws").add_subparsers(required=True)
    again = draws.add_parser("redraw", help="draw again from a published list")
    again.add_argument("file", help="the file, or - for standard input")
    again.set_defaults(command=sampling.redraw)

    chat = nouns.add_parser("chat", help="the official account").add_subparsers(required=True)
    verbs = chat.add_parser("menu", help="its menu").add_subparsers(required=True, dest="verb")
    verbs.add_parser("compare", help="what WeChat shows beside the file").set_defaults(command=_menu)
    verbs.add_parser("create", help="make WeChat show the file").set_defaults(command=_menu)

    policy = nouns.add_parser("programme", help="programmes as data").add_subparsers(required=True)
    trial = policy.add_parser("try", help="a changed file over a year's orders")
    trial.add_argument("file", type=Path)
    trial.add_argument("--year", type=int, required=True)
    trial.add_argument("--total-yuan", type=_fen, default=None, help="the year's money under it")
    trial.set_defaults(command=_try)

    demo = nouns.add_parser("demo", help="demo data").add_subparsers(required=True)
    demo.add_parser("seed", help="write it once").set_defaults(command=_seed)
    return parser


if __name__ == "__main__":
    gc.freeze()
    gc.enable()
    sys.exit(main(sys.argv[1:]))
