"""Start-up: what must be true of the world, not only of the settings, before real money moves."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from redis.asyncio import Redis
from redis.exceptions import RedisError
from tortoise.exceptions import DBConnectionError

from server.database import is_sqlite, migrations_to_run, sqlite_file
from server.programme.registry import Programmes
from server.settings import Settings

MIGRATE = "run `python -m server migrate` first."
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


async def unfit(settings: Settings, today: date) -> list[str]:
    """One sentence for each thing that forbids production to start; empty when it may."""
    if not settings.is_production:
        return []
    return [
        *Programmes.load(settings.programmes_dir).unfit_for_production(today),
        *await _database(settings.database_url),
        *await _evicting(settings.redis_url),
    ]


async def _database(url: str) -> list[str]:
    if is_sqlite(url):
        file = sqlite_file(url)
        return await _not_migrated(url) if file.exists() else [f"There is no database at {file}: {MIGRATE}"]
    try:
        return await _not_durable(url) + await _not_migrated(url)
    except (OSError, TimeoutError, asyncpg.PostgresError, DBConnectionError):
        return ["The database does not answer."]


async def _not_migrated(url: str) -> list[str]:
    """A server that meets an older schema would fail in the middle of whatever needs the newer one."""
    pending = await migrations_to_run(url)
    return [f"The database has migrations to run ({', '.join(pending)}): {MIGRATE}"] if pending else []


async def _not_durable(url: str) -> list[str]:
    """A voucher that was promised must survive a power cut."""
    connection = await asyncpg.connect(urlunsplit(urlsplit(url)._replace(query="")), timeout=5)
    try:
        values = {name: await connection.fetchval(f"SHOW {name}") for name in DURABLE}
    finally:
        await connection.close()
    off = [name for name, value in values.items() if value == "off"]
    return [f"PostgreSQL runs with {name} = off: a promise could be lost." for name in off]


async def _evicting(url: str) -> list[str]:
    """A Redis that drops keys when memory is short would forget a round in the middle of its launch."""
    redis = Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2, decode_responses=True)
    try:
        policy = (await redis.config_get("maxmemory-policy"))["maxmemory-policy"]
    except RedisError:
        # Redis may be away: grabs then take the database's path.
        return []
    finally:
        await redis.aclose()
    if policy == "noeviction":
        return []
    return [f"Redis runs with maxmemory-policy {policy}: it must be noeviction."]
