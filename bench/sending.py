"""One process that sends what is due and ends: ``python -m bench.sending [--ahead SECONDS]``.

Settings come from the environment, as for a server. It prints one JSON object: how many deliveries it took
up, how long that took, and the most memory it ever had. ``--ahead`` lets its clock run ahead of every lease.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from random import Random

from redis.asyncio import Redis

from server.clock import OffsetClock, SystemClock
from server.database import close_database, open_database
from server.gateways.wechat_calls import WechatCalls, tokens_of
from server.gateways.wechat_http import WechatHttp
from server.programme.messages import load_messages
from server.sealing import Sealer
from server.services import outbox
from server.services.messages.carriers import Carriers
from server.services.messages.deliveries import Deliveries
from server.services.messages.delivery_plan import known_topics
from server.settings import Settings, load

MESSAGES = Path("config/messages.toml")


@asynccontextmanager
async def sending(settings: Settings, ahead: timedelta) -> AsyncIterator[tuple[Deliveries, OffsetClock]]:
    """The part of a server that sends, on a database that is there."""
    clock, sealer = OffsetClock(SystemClock(), ahead), Sealer(settings.data_keys)
    opened = await open_database(settings.database_url)
    redis, wechat = Redis.from_url(settings.redis_url), WechatHttp(settings.wechat_base_url)
    carriers = Carriers(mini_appid=settings.wechat_appid)
    carriers.calls = WechatCalls(wechat, tokens_of(settings, wechat, redis, sealer, clock))
    messages = load_messages(MESSAGES, known_topics(), demo=True)
    try:
        async with redis, wechat:
            yield (
                Deliveries(
                    messages,
                    carriers,
                    sealer,
                    clock,
                    programme_name=str,
                    programme_now=lambda _: clock.now(),
                    random=Random(os.getpid()),
                ),
                clock,
            )
    finally:
        await close_database(opened)


async def send_all(settings: Settings, ahead: timedelta) -> dict[str, float]:
    """Send until nothing is due any more."""
    began, taken = time.perf_counter(), 0
    async with sending(settings, ahead) as (deliveries, clock):
        while True:
            moved = await outbox.deliver(clock.now(), plan=deliveries.plan)
            sent = await deliveries.send_due()
            taken += sent
            if not moved and not sent:
                break
    return {
        "taken": taken,
        "seconds": time.perf_counter() - began,
        "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.sending", description=__doc__)
    parser.add_argument("--ahead", type=float, default=0.0)
    chosen = parser.parse_args()
    print(json.dumps(asyncio.run(send_all(load(os.environ), timedelta(seconds=chosen.ahead)))))
