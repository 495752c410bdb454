"""Redis or the database away: a clear 503 with a time to come back, and service when they are back."""

from __future__ import annotations

from typing import Any

import asyncpg
from aiohttp import web
from redis.asyncio import Redis
from tortoise.connection import get_connection

from server.database import close_database, connection_name, open_database
from server.handlers.api import PUBLIC, Answer, Routes
from tests.handlers.platform import small_app
from tests.servers import postgres_server
from tools.embedded import RedisServer


class Said(Answer):
    """Whatever came back."""

    value: str


def asking(question: Any) -> web.Application:
    """An application with one route that needs the server in question."""
    routes = Routes("asking")

    @routes.get("/ask", summary="Ask. | 询问。", access=PUBLIC, answers={200: Said})
    async def ask(request: web.Request) -> Said:
        return Said(value=str(await question()))

    return small_app(routes)


async def outcome(client: Any) -> tuple[int, str | None, bool]:
    """Status, problem code, and whether there is a time to come back."""
    response = await client.get("/ask")
    told = await response.json(content_type=None)
    return response.status, told.get("code"), response.headers.get("Retry-After", "").isdigit()


SERVED = (200, None, False)
AWAY = (503, "service_unavailable", True)


async def test_redis_away_is_503_and_served_again_when_it_is_back(
    aiohttp_client: Any, own_redis_server: RedisServer
) -> None:
    async with Redis.from_url(own_redis_server.url()) as redis:
        client = await aiohttp_client(asking(redis.ping))
        assert await outcome(client) == SERVED
        own_redis_server.running.kill()
        assert await outcome(client) == AWAY
        own_redis_server.start()
        assert await outcome(client) == SERVED


async def test_postgresql_away_is_503_in_the_orm_and_beside_it(aiohttp_client: Any) -> None:
    with postgres_server() as server:
        url = server.url("postgres")
        context = await open_database(url)
        pool = await asyncpg.create_pool(url, min_size=1, max_size=1)
        try:

            async def through_the_orm() -> Any:
                return await get_connection(connection_name(url)).execute_query_dict("SELECT 1 AS one")

            clients = [
                await aiohttp_client(asking(through_the_orm)),
                await aiohttp_client(asking(lambda: pool.fetchval("SELECT 1"))),
            ]
            assert [await outcome(client) for client in clients] == [SERVED, SERVED]
            server.running.kill()
            # A backend answers until it notices that its server was killed.
            for client in clients:
                while await outcome(client) == SERVED:
                    pass
            # The first question found a broken connection, the next ones find none to be had.
            for _ in range(2):
                assert [await outcome(client) for client in clients] == [AWAY, AWAY]
        finally:
            pool.terminate()
            await close_database(context)


async def test_a_mistake_in_our_own_sql_is_not_called_an_outage(
    aiohttp_client: Any, database_url: str
) -> None:
    context = await open_database(database_url)
    try:

        async def mistaken() -> Any:
            return await get_connection(connection_name(database_url)).execute_query("SELECT nonsense")

        client = await aiohttp_client(asking(mistaken))
        assert await outcome(client) == (500, "internal_error", False)
    finally:
        await close_database(context)
