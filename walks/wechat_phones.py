"""WeChat's side of the chat, as a process of its own: signs, encrypts and delivers, and reads the answers.

Written from WeChat's published description of callbacks in secure mode and from nothing of the server, so
that a misreading of ours cannot hide on both sides. Commands come as lines of JSON on the standard input,
results go out the same way, each under its command's ``id``::

    {"id": 1, "openid": "o-1", "account": "official", "items": {"MsgType": "text", "Content": "你好"}}
    {"id": 1, "answers": ["…"]}

``deliveries`` says how often WeChat delivers the same message, ``together`` at the same moment or one after
the other, each to any of the addresses; every delivery is signed and encrypted anew, as WeChat does. ``cut``
hangs up before the answer is read. An answer is a text, ``""`` for an acknowledgement without words, or ``!``
and a status or fault.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import itertools
import json
import os
import secrets
import struct
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

PATIENCE_SECONDS = 5.0
"""WeChat waits so long for an answer, and then delivers again."""
CUT_SECONDS = 0.02
BLOCK = 32
HEAD = 20
"""Sixteen random bytes, then the length of the message in four, the highest first."""


class Letterbox:
    """One account's secure channel: its token, its key, and the appid that every message ends with."""

    def __init__(self, token: str, encoding_key: str, appid: str) -> None:
        self._token = token
        self._key = base64.b64decode(encoding_key + "=")
        self._appid = appid.encode()

    def seal(self, message: bytes) -> str:
        """The message encrypted: AES-256 in CBC mode, padded to blocks of 32 bytes."""
        plain = os.urandom(16) + struct.pack(">I", len(message)) + message + self._appid
        missing = BLOCK - len(plain) % BLOCK
        lock = self._cipher().encryptor()
        return base64.b64encode(lock.update(plain + bytes([missing]) * missing) + lock.finalize()).decode()

    def open(self, sealed: str) -> str:
        """What an answer says; ``ValueError`` if it is not for this account."""
        lock = self._cipher().decryptor()
        plain = lock.update(base64.b64decode(sealed)) + lock.finalize()
        plain = plain[: -plain[-1]]
        (length,) = struct.unpack(">I", plain[16:HEAD])
        if plain[HEAD + length :] != self._appid:
            raise ValueError("an answer for another account")
        return plain[HEAD : HEAD + length].decode()

    def signature(self, *parts: str) -> str:
        """SHA-1 over the token and the parts, sorted as texts and joined without anything between."""
        return hashlib.sha1("".join(sorted((self._token, *parts))).encode()).hexdigest()  # As WeChat does.

    def _cipher(self) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES(self._key), modes.CBC(self._key[:16]))


class Phones:
    """Everybody who writes to the operator's accounts, and WeChat between them and the server."""

    def __init__(
        self,
        http: ClientSession,
        urls: Sequence[str],
        boxes: Mapping[str, Letterbox],
        original: str,
        random: Random,
    ) -> None:
        self._http = http
        self._urls = urls
        self._random = random
        self._boxes = boxes
        self._original = original
        self._msg_ids = itertools.count(secrets.randbelow(10**9) * 10**6)

    async def say(self, command: Mapping[str, Any]) -> list[str]:
        """Deliver one message, as often as asked; the answer to each delivery."""
        box = self._boxes[command["account"]]
        items = dict(command["items"])
        if items["MsgType"] != "event":
            items.setdefault("MsgId", str(next(self._msg_ids)))
        message = self._message(command["openid"], items)
        times = int(command.get("deliveries", 1))
        cut = bool(command.get("cut"))
        if command.get("together"):
            one_by_one = (self._deliver(box, command["openid"], message, cut) for _ in range(times))
            return list(await asyncio.gather(*one_by_one))
        return [await self._deliver(box, command["openid"], message, cut) for _ in range(times)]

    def _message(self, openid: str, items: Mapping[str, str]) -> bytes:
        root = ElementTree.Element("xml")
        head = {
            "ToUserName": self._original,
            "FromUserName": openid,
            "CreateTime": str(int(time.time())),
        }
        for name, text in {**head, **items}.items():
            ElementTree.SubElement(root, name).text = text
        return bytes(ElementTree.tostring(root, encoding="utf-8"))

    async def _deliver(self, box: Letterbox, openid: str, message: bytes, cut: bool) -> str:
        sealed = box.seal(message)
        stamp, nonce = str(int(time.time())), str(secrets.randbelow(10**10))
        query = {
            "signature": box.signature(stamp, nonce),
            "timestamp": stamp,
            "nonce": nonce,
            "openid": openid,
            "encrypt_type": "aes",
            "msg_signature": box.signature(stamp, nonce, sealed),
        }
        body = (
            f"<xml><ToUserName><![CDATA[{self._original}]]></ToUserName>"
            f"<Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
        )
        patience = CUT_SECONDS if cut else PATIENCE_SECONDS
        try:
            async with self._http.post(
                self._random.choice(self._urls),
                params=query,
                data=body.encode(),
                headers={"Content-Type": "text/xml"},
                timeout=ClientTimeout(total=patience),
            ) as answer:
                said = await answer.text()
                return self._read(box, said) if answer.status == 200 else f"!{answer.status}"
        except TimeoutError:
            return "!late"
        except ClientError as fault:
            return f"!{type(fault).__name__}"

    def _read(self, box: Letterbox, said: str) -> str:
        if said in ("", "success"):
            return ""
        outer = ElementTree.fromstring(said)  # our own server's answer
        sealed = outer.findtext("Encrypt", "")
        stamp, nonce = outer.findtext("TimeStamp", ""), outer.findtext("Nonce", "")
        if outer.findtext("MsgSignature") != box.signature(stamp, nonce, sealed):
            return "!signature"
        inner = ElementTree.fromstring(box.open(sealed))
        return inner.findtext("Content", "")


async def serve(options: argparse.Namespace) -> None:
    """Carry out commands until the standard input ends; several at a time."""
    boxes = {
        "official": Letterbox(options.token, options.key, options.official),
        "mini": Letterbox(options.token, options.key, options.mini),
    }
    loop = asyncio.get_running_loop()
    lines: asyncio.StreamReader = asyncio.StreamReader(limit=2**22)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with ClientSession(connector=TCPConnector(limit=50, force_close=True)) as http:
        phones = Phones(http, options.url, boxes, options.original, Random(options.seed))
        async with asyncio.TaskGroup() as group:
            async for line in lines:
                group.create_task(_answer(phones, json.loads(line)))


async def _answer(phones: Phones, command: dict[str, Any]) -> None:
    answers = await phones.say(command)
    print(json.dumps({"id": command["id"], "answers": answers}, ensure_ascii=False), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--url", required=True, action="append")
    for name in ("token", "key", "official", "mini"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--original", default="gh_qiquan")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
