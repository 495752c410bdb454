"""The live feed, on a real Redis that is stopped, frozen and started again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from redis.asyncio import Redis

from server.gateways.live_feed import CHANNEL, EVERYBODY, LONGEST_BACKLOG, LocalFeed, RedisFeed
from tools.embedded import RedisServer


class Worker:
    """What one worker process hears."""

    def __init__(self, feed: RedisFeed | LocalFeed) -> None:
        self.heard: list[str] = []
        self.gaps = 0
        feed.watch(changed=self.heard.append, missed=self.count_gap)

    def count_gap(self) -> None:
        self.gaps += 1


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that happens on its own; the suite's time limit says when to give up."""
    while not condition():  # noqa: ASYNC110 - what is waited for happens in another process
        await asyncio.sleep(0.01)


async def test_a_single_process_hears_itself() -> None:
    feed = LocalFeed()
    worker = Worker(feed)
    await feed.publish("person:12", "staff:3")
    assert worker.heard == ["person:12", "staff:3"]
    assert feed.trusted()


async def test_every_worker_hears_what_one_of_them_says(redis_url: str) -> None:
    async with RedisFeed(redis_url) as speaking, RedisFeed(redis_url) as listening:
        worker = Worker(listening)
        await until(listening.trusted)
        await speaking.publish("person:12", "session:7")
        await until(lambda: len(worker.heard) == 2)
    assert worker.heard == ["person:12", "session:7"]


async def test_the_speaker_hears_itself_before_anybody_else(redis_url: str) -> None:
    feed = RedisFeed(redis_url)
    worker = Worker(feed)
    async with feed:
        sending = asyncio.create_task(feed.publish("person:12"))
        await asyncio.sleep(0)
        assert worker.heard == ["person:12"]
        await sending


async def test_a_feed_is_trusted_only_while_it_runs(redis_url: str) -> None:
    feed = RedisFeed(redis_url)
    assert not feed.trusted()
    async with feed:
        await until(feed.trusted)
    assert not feed.trusted()


async def test_a_frozen_redis_is_not_trusted_and_nothing_is_lost_when_it_thaws(
    own_redis_server: RedisServer,
) -> None:
    url = own_redis_server.url()
    async with RedisFeed(url) as feed:
        worker = Worker(feed)
        await until(feed.trusted)
        own_redis_server.running.freeze()
        await until(lambda: not feed.trusted())
        own_redis_server.running.thaw()
        await until(feed.trusted)
        async with Redis.from_url(url) as another:
            await another.publish(CHANNEL, "person:12")
        await until(lambda: worker.heard == ["person:12"])


async def test_a_redis_that_comes_back_is_reported_as_a_gap(own_redis_server: RedisServer) -> None:
    async with RedisFeed(own_redis_server.url()) as feed:
        worker = Worker(feed)
        await until(feed.trusted)
        gaps = worker.gaps
        own_redis_server.running.kill()
        await until(lambda: not feed.trusted())
        own_redis_server.start()
        await until(feed.trusted)
        assert worker.gaps > gaps


async def test_what_could_not_be_said_is_said_when_redis_is_back(own_redis_server: RedisServer) -> None:
    url = own_redis_server.url()
    async with RedisFeed(url) as speaking:
        await until(speaking.trusted)
        own_redis_server.running.kill()
        await speaking.publish("person:12")
        own_redis_server.start()
        async with RedisFeed(url) as listening:
            worker = Worker(listening)
            await until(lambda: "person:12" in worker.heard or worker.gaps > 0)
            await until(speaking.trusted)
            # Whoever subscribed after the name was said began with an empty memory.
            assert speaking.unsent == 0


async def test_too_much_unsaid_becomes_one_word_for_everybody(own_redis_server: RedisServer) -> None:
    async with RedisFeed(own_redis_server.url()) as feed:
        worker = Worker(feed)
        await until(feed.trusted)
        own_redis_server.running.kill()
        await feed.publish(*(f"person:{number}" for number in range(LONGEST_BACKLOG + 1)))
        assert feed.unsent == 1
        gaps = worker.gaps
        await feed.publish(EVERYBODY)
        assert worker.gaps > gaps
