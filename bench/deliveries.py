"""Ten thousand deliveries with a WeChat that takes 200 ms to answer: memory, and none lost or doubled.

Two processes send; one of them is killed half-way, with messages on their way. When the other has nothing
left to do, a third with its clock past every lease goes on with what the dead one had. Then the stand-in
tells what arrived: everybody has one message, half of them by a consent that is good for one, half by a
template message under a name of its own. Memory is the peak of a process that sends ten thousand over that
of one that sends a thousand.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from bench.ratios import Finding
from bench.stage import Stage, a_stage
from server.database import close_database, migrate, open_database
from server.models.chat import ChatSender
from server.models.deliveries import ConsentBalance, ConsentEntry, ConsentKind, Delivery
from server.models.people import Person
from server.rules.chat_messages import WechatAccount
from server.sealing import Sealer
from server.services import outbox
from server.services.messages import consents
from server.services.messages.deliveries import LEASE
from server.services.outbox import Message
from server.settings import load
from standin.wechat import DEMO_APPID, DEMO_OA_APPID, DEMO_OA_SECRET, DEMO_SECRET
from tools.processes import Child, accepts_connections, free_port, stopping

FEW, MANY = 1_000, 10_000
DELAY_MS = 200
TOPIC, TEMPLATE, TEMPLATE_ID = "round.opens_soon", "round", "demo-subscribe-round"
"""A topic that does not wait for the morning."""
BATCH = 1_000
PATIENCE_SECONDS = 600.0
LOOK_AGAIN_SECONDS = 0.1
PAST_EVERY_LEASE = (LEASE + timedelta(seconds=10)).total_seconds()

Post = Callable[[str, Mapping[str, Any]], Awaitable[None]]


async def measure() -> list[Finding]:
    """Both figures."""
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(a_stage())
        few, _ = await _run(stage, FEW)
        many, wrong = await _run(stage, MANY)
    print(f"  peak memory of a sender: {few / 1024:.0f} MiB at {FEW:,}, {many / 1024:.0f} MiB at {MANY:,}")
    memory = Finding(
        f"memory of {MANY:,} deliveries / of {FEW:,}", many / few, 1.3, 1.1, "×", lower_is_better=True
    )
    lost = Finding("deliveries lost or doubled, one sender killed", wrong, 0, 0, lower_is_better=True)
    return [memory, lost]


async def _run(stage: Stage, number: int) -> tuple[float, int]:
    """So many deliveries on a database of their own: the peak memory in KiB, and how many went wrong."""
    url = await stage.postgres.create(f"bench_deliveries_{number}")
    await migrate(url)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "standin.wechat", "--port", str(port)]
    wechat = Child("WeChat stand-in", command, log=stage.directory / f"wechat-{number}.log")
    environment = sender_environment(stage.environment, url, stage.redis.url(number % 7), address)
    async with aiohttp.ClientSession(address, raise_for_status=True) as http:
        with stopping(wechat) as child:
            child.wait_until(lambda: accepts_connections(port))

            async def post(path: str, body: Mapping[str, Any]) -> None:
                await (await http.post(path, json=body)).release()

            async def told(after: int = 0) -> dict[str, Any]:
                async with http.get(f"/standin/sends?after={after}") as answer:
                    found: dict[str, Any] = await answer.json()
                    return found

            people = await seed(environment, number, post)
            await post("/standin/switches", {"delay_ms": DELAY_MS, "consents": True})

            async def half_way() -> None:
                while True:
                    if (await told())["total"] >= number / 2:
                        return
                    await asyncio.sleep(LOOK_AGAIN_SECONDS)

            peaks = await send_through_a_death(stage.directory, environment, half_way)
            sends: list[dict[str, Any]] = []
            while page := (await told(sends[-1]["number"] if sends else 0))["sends"]:
                sends += page
    return max(peaks), await gone_wrong(environment, people, [one["openid"] for one in sends])


def sender_environment(base: Mapping[str, str], database: str, redis: str, wechat: str) -> dict[str, str]:
    """What a process that sends is told."""
    return {
        **base,
        "QIQUAN_MODE": "test",
        "QIQUAN_DATABASE_URL": database,
        "QIQUAN_REDIS_URL": redis,
        "QIQUAN_WECHAT_BASE_URL": wechat,
        "QIQUAN_WECHAT_APPID": DEMO_APPID,
        "QIQUAN_WECHAT_SECRET": DEMO_SECRET,
        "QIQUAN_WECHAT_OA_APPID": DEMO_OA_APPID,
        "QIQUAN_WECHAT_OA_SECRET": DEMO_OA_SECRET,
    }


async def seed(environment: Mapping[str, str], number: int, post: Post) -> list[str]:
    """So many people with a message each: the openid by which each of them is written to.

    Every other one follows the official account; the others consented to one message.
    """
    settings = load(environment)
    sealer, now = Sealer(settings.data_keys), datetime.now(UTC)
    opened = await open_database(settings.database_url)
    try:
        openids = [f"{'official' if one % 2 else 'mini'}-{one}" for one in range(number)]
        for start in range(0, number, BATCH):
            group = openids[start : start + BATCH]
            await Person.bulk_create(
                [
                    Person(account=sealer.blind(one), openid_sealed=sealer.seal(one), created_at=now)
                    for one in group
                ]
            )
        ids = await Person.all().order_by("id").values_list("id", flat=True)
        known = list(zip(ids, openids, strict=True))
        for start in range(0, number, BATCH):
            await _write(known[start : start + BATCH], sealer, now)
        for openid in openids[::2]:
            await post("/standin/consents", {"openid": openid, "template_id": TEMPLATE_ID, "count": 1})
    finally:
        await close_database(opened)
    return openids


async def _write(group: list[tuple[Any, str]], sealer: Sealer, now: datetime) -> None:
    follow = [(person, openid) for person, openid in group if openid.startswith("official")]
    consented = [person for person, openid in group if openid.startswith("mini")]
    await ChatSender.bulk_create(
        [
            ChatSender(
                account=WechatAccount.OFFICIAL,
                openid_index=sealer.blind(openid),
                openid_sealed=sealer.seal(openid),
                person_id=person,
                first_seen_at=now,
            )
            for person, openid in follow
        ]
    )
    await ConsentBalance.bulk_create(
        [ConsentBalance(person_id=person, template=TEMPLATE, left_count=1) for person in consented]
    )
    await ConsentEntry.bulk_create(
        [
            ConsentEntry(
                person_id=person,
                template=TEMPLATE,
                kind=ConsentKind.GIVEN,
                count=1,
                source=consents.PHONE,
                at=now,
            )
            for person in consented
        ]
    )
    until = (now + timedelta(hours=2)).isoformat()
    await outbox.tell_all(
        [
            Message(f"person:{person}", TOPIC, {"title": "第一批", "programme": "x", "until": until})
            for person, _ in group
        ],
        at=now,
    )


async def send_through_a_death(
    directory: Path, environment: Mapping[str, str], half_way: Callable[[], Awaitable[None]]
) -> list[float]:
    """Two processes send, one is killed half-way, a third picks up what it had; the peaks of the living."""

    def sender(name: str, *more: str) -> Child:
        answer = directory / f"{name}.json"
        answer.unlink(missing_ok=True)
        command = [sys.executable, "-m", "bench.sending", *more]
        return Child(name, command, log=directory / f"{name}.log", answer=answer, environment=environment)

    with stopping(sender("first")) as first, stopping(sender("second")) as second:
        await half_way()
        first.kill()
        peaks = [await _peak(second, directory / "second.json")]
    with stopping(sender("third", "--ahead", str(PAST_EVERY_LEASE))) as third:
        return [*peaks, await _peak(third, directory / "third.json")]


async def _peak(child: Child, answer: Path) -> float:
    """The most memory that a sender had, in KiB, once it has ended."""
    status = await asyncio.to_thread(child.process.wait, PATIENCE_SECONDS)
    if status:
        raise RuntimeError(f"{child.name} failed:\n{child.last_lines()}")
    # Above it stands what the process logged.
    told = json.loads((await asyncio.to_thread(answer.read_text)).splitlines()[-1])
    print(f"  {child.name} sender: {told['taken']:,} deliveries in {told['seconds']:.1f} s")
    return float(told["peak_kib"])


async def gone_wrong(environment: Mapping[str, str], people: list[str], arrived: list[str]) -> int:
    """How many got nothing, or more than one message, or are not known to have got theirs."""
    opened = await open_database(load(environment).database_url)
    try:
        unsettled = await Delivery.exclude(state="sent").count()
    finally:
        await close_database(opened)
    counts = Counter(arrived)
    return sum(counts[one] != 1 for one in people) + len(counts.keys() - set(people)) + unsettled
