"""The plain way: the same server, with one guarded transaction a request on the round's row.

What one would write first, and correct: the row's condition forbids over-issuing, and the voucher, its
ledger, journal and outbox rows are committed before the answer. Everything around it is the product's
own: token, buckets, middleware, answers. Settings come from the environment, as for ``python -m server``.

python -m bench.plain POOL_SIZE
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import uvloop
from aiohttp import web

from server import logs
from server.app import create_app
from server.gateways.grab_store import VoucherFacts, milliseconds
from server.keys import GRAB_DOOR
from server.middlewares import runner_options
from server.services.rounds.grabs import GrabAsk, GrabCode, GrabReply, RoundCard
from server.settings import load

ENTITLED = "SELECT tier, amount_fen FROM entitlement WHERE round_id = $1 AND enterprise_id = $2"
TAKE = """
UPDATE round SET issued_fen = issued_fen + $2, issued_count = issued_count + 1
WHERE id = $1 AND issued_fen + $2 <= pool_fen AND status = 'scheduled' AND $3 >= opens_at AND $3 < closes_at
RETURNING issued_count, budget_id, order_deadline, valid_until"""
VOUCHER = """
INSERT INTO voucher (number, round_id, budget_id, enterprise_id, serial, tier, face_value_fen, status,
                     programme_slug, programme_version, granted_at, reserved_at, order_deadline, valid_until,
                     epoch, place)
SELECT $1, $2, b.id, $3, 1, $4, $5, 'active', b.programme_slug, b.programme_version, $6, $6, $7, $8, 0, ''
FROM budget b WHERE b.id = $9 RETURNING id"""
LEDGER = """
INSERT INTO ledger_entry (at, movement, debit, credit, amount_fen, budget_id, round_id,
                          enterprise_id, voucher_id)
VALUES ($1, 'issue', 'round', 'available', $2, $3, $4, $5, $6)"""
JOURNAL = """
INSERT INTO journal_entry (at, action, actor, subject, programme_slug, data)
VALUES ($1, 'voucher.granted', $2, $3, '', $4)"""
OUTBOX = """
INSERT INTO outbox_message (created_at, topic, recipient, data) VALUES ($1, 'voucher.granted', $2, $3)"""


class PlainGrabs:
    """In place of the launch: a transaction a request."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self.pool = pool

    async def grab(self, card: RoundCard, ask: GrabAsk) -> GrabReply:
        """Answer one request. A second one of the same enterprise fails on the voucher's unique key."""
        now = card.terms.now()
        async with self.pool.acquire() as connection, connection.transaction():
            voucher = await self._transaction(connection, card, ask, now)
        code = GrabCode.GRANTED if voucher else GrabCode.SOLD_OUT
        return GrabReply(code, milliseconds(now), voucher)

    async def _transaction(
        self,
        connection: asyncpg.pool.PoolConnectionProxy[asyncpg.Record],
        card: RoundCard,
        ask: GrabAsk,
        now: datetime,
    ) -> VoucherFacts | None:
        entitled = await connection.fetchrow(ENTITLED, card.round_id, ask.enterprise_id)
        if entitled is None:
            return None
        tier, amount_fen = entitled
        taken = await connection.fetchrow(TAKE, card.round_id, amount_fen, now)
        if taken is None:
            return None
        count, budget_id, deadline, until = taken
        number = f"{card.round_id}-{count:06d}"
        voucher_id = await connection.fetchval(
            VOUCHER,
            number,
            card.round_id,
            ask.enterprise_id,
            tier,
            amount_fen,
            now,
            deadline,
            until,
            budget_id,
        )
        await connection.execute(
            LEDGER, now, amount_fen, budget_id, card.round_id, ask.enterprise_id, voucher_id
        )
        data = json.dumps({"round": card.round_id, "number": number, "amount_fen": amount_fen})
        await connection.execute(JOURNAL, now, f"person:{ask.person_id}", f"voucher:{voucher_id}", data)
        await connection.execute(OUTBOX, now, f"organisation:{ask.enterprise_id}", data)
        return VoucherFacts(voucher_id, number, amount_fen, until, deadline)


async def serve(pool_size: int) -> None:
    """Answer until ended."""
    logs.configure()
    settings = load(os.environ)
    app = create_app(settings)
    url = urlunsplit(urlsplit(settings.database_url)._replace(query=""))

    async def plainly(app: web.Application) -> AsyncIterator[None]:
        async with asyncpg.create_pool(url, min_size=pool_size, max_size=pool_size) as pool:
            app[GRAB_DOOR].grabs = PlainGrabs(pool)  # type: ignore[assignment]
            yield

    app.cleanup_ctx.append(plainly)
    runner = web.AppRunner(app, **runner_options(settings))
    await runner.setup()
    await web.TCPSite(runner, settings.host, settings.port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
