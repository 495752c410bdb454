"""The line to WeChat: the process that signs and delivers, and the stand-in's record of what was sent."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import ClientSession

from walks.callers import WalkFailed

LATE_SECONDS = 20.0
LOOK_AGAIN_SECONDS = 0.1


class PhoneLine:
    """Hands messages to the phones' process, each with its number, and waits for their answers."""

    def __init__(self, process: Process, http: ClientSession, wechat_url: str) -> None:
        self._process = process
        self._http = http
        self._wechat_url = wechat_url
        self._numbers = itertools.count(1)
        self._ids = itertools.count(int(time.time()) * 10**6)
        self._seconds: dict[str, int] = {}
        self._waiting: dict[int, asyncio.Future[list[str]]] = {}
        self._reading = asyncio.create_task(self._read())
        self._heard: dict[str, int] = {}
        self._sent: dict[str, list[str]] = {}
        self._read_up_to = 0
        self._catching_up = asyncio.Lock()
        self.said = 0

    @classmethod
    async def open(
        cls,
        http: ClientSession,
        *,
        urls: Sequence[str],
        wechat_url: str,
        token: str,
        key: str,
        official: str,
        mini: str,
        seed: int,
    ) -> PhoneLine:
        """Start the phones' process."""
        told = [word for url in urls for word in ("--url", url)]
        told += ["--token", token, "--key", key, "--official", official, "--mini", mini, "--seed", str(seed)]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "walks.wechat_phones", *told, stdin=PIPE, stdout=PIPE, limit=2**22
        )
        return cls(process, http, wechat_url)

    async def close(self) -> None:
        """End it by closing its ears."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._process.wait()
        await self._reading

    async def say(self, **command: Any) -> list[str]:
        """Have one message delivered; the answer to each delivery."""
        number = next(self._numbers)
        answered: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answered
        line = json.dumps({"id": number, **command}, ensure_ascii=False) + "\n"
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode())
        await self._process.stdin.drain()
        self.said += 1
        return await answered

    async def late_answer(self, openid: str) -> str:
        """What was said afterwards, as a customer-service message; ``""`` if nothing comes."""
        seen = self._heard.get(openid, 0)
        for _ in range(int(LATE_SECONDS / LOOK_AGAIN_SECONDS)):
            await self._catch_up()
            sent = self._sent.get(openid, [])
            if len(sent) > seen:
                self._heard[openid] = len(sent)
                return sent[-1]
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        return ""

    async def _catch_up(self) -> None:
        """Read what the stand-in took on since we looked last."""
        async with self._catching_up:
            address = f"{self._wechat_url}/standin/sends"
            async with self._http.get(address, params={"after": str(self._read_up_to)}) as answer:
                sends = (await answer.json())["sends"]
            for one in sends:
                self._read_up_to = one["number"]
                if one.get("text"):
                    self._sent.setdefault(one["openid"], []).append(one["text"])

    def next_id(self) -> str:
        """A MsgId that no other message has."""
        return str(next(self._ids))

    def next_time(self, openid: str) -> str:
        """WeChat's second, another one for each message of one sender: an event is known by nothing else."""
        self._seconds[openid] = max(self._seconds.get(openid, 0) + 1, int(time.time()))
        return str(self._seconds[openid])

    async def image(self, picture: bytes) -> Mapping[str, str]:
        """A picture that WeChat keeps for us."""
        headers = {"Content-Type": "image/png"}
        async with self._http.post(
            f"{self._wechat_url}/standin/media", data=picture, headers=headers
        ) as answer:
            media_id = (await answer.json())["media_id"]
        return {"MsgType": "image", "PicUrl": "http://127.0.0.1/none", "MediaId": media_id}

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = json.loads(line)
            waiting = self._waiting.pop(told["id"])
            if not waiting.done():  # Nobody waits any more where the walk was broken off.
                waiting.set_result(told["answers"])
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(WalkFailed("the phones' process ended"))
