"""The bare handler: what aiohttp can do at best, and what the ratios are measured against.

A route for each part, an answer of a given size, no middleware, no access log, on uvloop.

python -m bench.bare PORT BODY_BYTES
"""

from __future__ import annotations

import asyncio
import sys

import uvloop
from aiohttp import web


async def serve(port: int, body_bytes: int) -> None:
    """Answer until ended."""
    body = b"." * body_bytes

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_post("/api/v1/rounds/{round_id}/grabs", answer)
    app.router.add_post("/api/v1/wechat/callback", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2])))
