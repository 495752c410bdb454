"""Contexts: what is opened when the application starts, and closed in the opposite order when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

from aiohttp import ClientSession, web
from redis.asyncio import Redis

from server import keys
from server.database import close_database, connection_name, open_database, pending_migrations
from server.gateways.anchors import anchors_of
from server.gateways.file_lab import FileLab
from server.gateways.grab_store_postgres import PostgresGrabStore
from server.gateways.grab_store_sqlite import SqliteGrabStore
from server.gateways.live_feed import RedisFeed
from server.gateways.redis_lane import RedisLane
from server.gateways.sms import HttpSms
from server.gateways.wechat_http import WechatHttp
from server.gateways.wechat_pay import WechatPay, merchant_of
from server.handlers.health import Probe
from server.jobs.runner import Runner
from server.services.accounts.identities import Identities
from server.services.chat.chat_door import ChatDoor
from server.services.messages.carriers import Carriers
from server.services.payments.own_payments import OwnPayments
from server.services.proof.journal_seals import JournalSeals
from server.services.rounds.grab_commit import GrabCommitter
from server.services.rounds.launch import LaunchDesk
from server.services.working_days import WorkingDays
from server.settings import Settings

Context = Callable[[web.Application], AsyncIterator[None]]
DRAIN_SECONDS = 10.0
"""How long a stop waits for a database that is away; what is left then, another process commits."""


def database(settings: Settings) -> Context:
    """The database, opened for the ORM; it is asked whether it answers and is migrated."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        opened = await open_database(settings.database_url)
        connection = opened.connections.get(connection_name(settings.database_url))

        async def migrated() -> None:
            pending = await pending_migrations(opened, settings.database_url)
            if pending:
                raise RuntimeError(f"migrations to run: {', '.join(pending)}")

        async def answers() -> None:
            await connection.execute_query("SELECT 1")

        app[keys.PROBES].append(Probe("database", answers))
        app[keys.PROBES].append(Probe("migrations", migrated))
        yield
        await close_database(opened)

    return context


def redis_probe(settings: Settings) -> Context:
    """Redis as ``/readyz`` asks for it."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        redis = Redis.from_url(settings.redis_url, socket_timeout=1, socket_connect_timeout=1)
        ping: Callable[[], Awaitable[object]] = redis.ping
        app[keys.PROBES].append(Probe("redis", ping, essential=False))
        yield
        await redis.aclose()

    return context


def wechat_accounts(
    settings: Settings, wechat: WechatHttp, redis: Redis, own_payments: OwnPayments
) -> Context:
    """The way to WeChat, and to WeChat Pay where the operator has a merchant's account."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        async with redis, wechat, ClientSession() as http:
            if settings.wechat_pay_mchid:
                merchant = await asyncio.to_thread(merchant_of, settings)
                own_payments.gateway = WechatPay(http, merchant, base_url=settings.wechat_pay_base_url)
            yield
            own_payments.gateway = None

    return context


def sms_sender(settings: Settings, carriers: Carriers) -> Context:
    """Whoever sends SMS, where the operator has somebody."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        async with ClientSession() as http:
            if settings.sms_url:
                carriers.sms = HttpSms(http, base_url=settings.sms_url, key=settings.sms_key)
            yield
            carriers.sms = None

    return context


def live_feed(feed: RedisFeed) -> Context:
    """The live feed between processes."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        async with feed:
            yield

    return context


def launch_desk(
    lane: RedisLane, store: PostgresGrabStore | SqliteGrabStore, desk: LaunchDesk, committer: GrabCommitter
) -> Context:
    """The launch desk; what was admitted is committed before the process ends."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        reconciling = asyncio.create_task(desk.run(), name="launch desk")
        yield
        # Requests are over by now; what they queued is still committed (launch.md C34).
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                await committer.drain()
        await _end(reconciling)
        lane.close()
        await store.close()

    return context


def file_lab(lab: FileLab) -> Context:
    """The process that opens files."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        yield
        await lab.close()

    return context


def outside_anchors(settings: Settings, seals: JournalSeals) -> Context:
    """Whoever keeps the hash of a day outside of the database."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        async with anchors_of(settings) as anchors:
            seals.anchors[:] = anchors
            yield
            seals.anchors.clear()

    return context


def rechecking(identities: Identities) -> Context:
    """Tokens are checked again while the live feed cannot be trusted."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        rechecking = asyncio.create_task(identities.keep_rechecking(), name="identities")
        yield
        await _end(rechecking)

    return context


def reloading(days: WorkingDays) -> Context:
    """Published holidays are read anew."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        reloading = asyncio.create_task(days.keep_reloading(), name="working days")
        yield
        await _end(reloading)

    return context


def running_jobs(runner: Runner, settings: Settings) -> Context:
    """The jobs, each a task of its own, where this process runs them."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        running = [
            asyncio.create_task(runner.keep_running(job), name=f"job {job.plan.name}")
            for job in (runner.jobs if settings.run_jobs else ())
        ]
        yield
        for task in running:
            await _end(task)

    return context


def chat(door: ChatDoor, settings: Settings) -> Context:
    """What WeChat delivered is heard, also what another process left; on the way out, what was begun."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        if not settings.wechat_callback_token:
            yield
            return
        sweeping = asyncio.create_task(door.keep_sweeping(), name="chat door")
        yield
        await _end(sweeping)
        await door.drain()

    return context


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
