"""The accidents: what is killed, lost, cut off and frozen, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.network import Weather

if TYPE_CHECKING:
    from tests.simulation.world import World

FAULTS = (
    "process killed",
    "process frozen",
    "handler cancelled",
    "request lost",
    "answer lost",
    "sent twice at once",
    "one key for two rounds",
    "redis request lost",
    "redis reply lost",
    "redis script ran after its link broke",
    "redis lost its memory",
    "redis fell back to an older state",
    "redis split from its successor",
    "redis cut off from a process",
    "redis frozen",
    "database away",
    "transaction terminated",
    "commit lost, applied",
    "commit lost, not applied",
    "commit in doubt, later applied",
    "commit in doubt, later dropped",
    "administrator died before telling Redis",
)
"""Every kind of fault; a campaign in which one never occurred proves too little."""


class Accidents:
    """Draws a mix of faults for each seed: some seeds have all, most a few, some none."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.random = world.random
        strikes = {
            "kill": self._kill,
            "freeze": self._freeze,
            "lose": self._lose,
            "fall back": self._fall_back,
            "split": self._split,
            "cut off": self._cut_off,
            "freeze redis": self._freeze_redis,
            "database": self._database_away,
        }
        calm = self.random.random() < 0.1
        self.strikes = [] if calm else self.random.sample(list(strikes.values()), self.random.randint(0, 4))
        self.mean_seconds = self.random.choice((0.15, 0.5, 1.5))
        if not calm:
            self._draw_weather(world.weather)

    def _draw_weather(self, weather: Weather) -> None:
        def perhaps(*values: float) -> float:
            return self.random.choice(values) if self.random.random() < 0.4 else 0.0

        weather.redis_delay = self.random.choice((0.0005, 0.0005, 0.005, 0.03))
        weather.database_delay = self.random.choice((0.002, 0.002, 0.01, 0.05))
        weather.slow = perhaps(0.01, 0.05)
        weather.request_lost = perhaps(0.01, 0.05)
        weather.reply_lost = perhaps(0.02, 0.1, 0.3)
        weather.runs_late = perhaps(0.01, 0.05)
        weather.terminated = perhaps(0.02, 0.1)
        weather.commit_doubt = perhaps(0.1, 0.4)
        weather.answer_lost = perhaps(0.1, 0.4)
        weather.cancelled = perhaps(0.05)
        weather.admin_dies = perhaps(0.2, 0.5)

    def begin(self, until: float) -> None:
        """Strike now and then until an instant."""
        if self.strikes:
            delay = self.random.expovariate(1 / self.mean_seconds)
            if self.world.universe.now + delay < until:
                self.world.universe.after(delay, self.random.choice(self.strikes))
                self.world.universe.after(delay, self.begin, until)

    def heal(self) -> None:
        """Every fault ends; what was begun may still take its time."""
        world = self.world
        world.weather.calm()
        world.redis.cut_off.clear()
        world.outage.now = False
        for redis in world.redis.processes:
            redis.frozen_until = 0.0
        if world.redis.up is None:
            world.redis.start(None)
        for name, process in list(world.processes.items()):
            if process.loop.dead:
                world.start(name)

    def _count(self, fault: str) -> None:
        self.world.universe.counts[fault] += 1

    def _kill(self) -> None:
        process = self.world.process()
        if process.loop.dead:
            return
        self._count("process killed")
        process.kill()
        self.world.universe.after(self.random.uniform(0.05, 1.0), self._restart, process.name)

    def _restart(self, name: str) -> None:
        if self.world.processes[name].loop.dead:
            self.world.start(name)

    def _freeze(self) -> None:
        process = self.world.process()
        if not process.loop.frozen and not process.loop.dead:
            self._count("process frozen")
            self.world.universe.freeze(process.loop, self.random.choice((0.2, 1.0, 3.0)))

    def _lose(self) -> None:
        self._replace("redis lost its memory", None, 0.0)

    def _fall_back(self) -> None:
        self._replace("redis fell back to an older state", self.random.randrange(8), 0.0)

    def _split(self) -> None:
        older = self.random.choice((None, self.random.randrange(8)))
        self._replace("redis split from its successor", older, self.random.uniform(0.2, 3.0))

    def _replace(self, fault: str, fallen_back_to: int | None, links_live_on: float) -> None:
        redis = self.world.redis
        if redis.up is None:
            return
        self._count(fault)
        redis.stop(links_live_on=links_live_on)
        delay = self.random.choice((0.0, 0.05, 0.8))
        self.world.universe.after(delay, self._start_redis, fallen_back_to)

    def _start_redis(self, fallen_back_to: int | None) -> None:
        if self.world.redis.up is None:
            self.world.redis.start(fallen_back_to)

    def _cut_off(self) -> None:
        name = self.random.choice(list(self.world.processes))
        if name not in self.world.redis.cut_off:
            self._count("redis cut off from a process")
            self.world.redis.cut_off.add(name)
            self.world.universe.after(
                self.random.choice((0.1, 1.0, 3.0)), self.world.redis.cut_off.discard, name
            )

    def _freeze_redis(self) -> None:
        redis = self.world.redis.up
        if redis is not None and redis.frozen_until <= self.world.universe.now:
            self._count("redis frozen")
            redis.frozen_until = self.world.universe.now + self.random.choice((0.1, 0.5, 2.5))

    def _database_away(self) -> None:
        if not self.world.outage.now:
            self._count("database away")
            self.world.outage.begin(self.random.choice((0.1, 0.5, 2.0)))
