"""A world with virtual time: every process an event loop of its own, every delay drawn from one seed.

The product's coroutines run on :class:`Loop` unchanged. Within a process callbacks run in the order in
which they were scheduled, as asyncio promises; between processes only messages pass, and each message is
an event of the universe at an instant of its own. So the seed decides every order that a network could.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import random
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from typing import Any

EPOCH_SECONDS = 1_772_000_000.0
"""The instant at which every universe begins, Unix seconds."""


class Violation(Exception):
    """An invariant was broken. The first word of the message is its id in launch.md section 5."""


class Handle:
    """A callback that waits for its turn; what ``call_soon`` and ``call_later`` return."""

    __slots__ = ("arguments", "callback", "context")

    def __init__(self, callback: Callable[..., object], arguments: tuple[Any, ...], context: Any) -> None:
        self.callback: Callable[..., object] | None = callback
        self.arguments = arguments
        self.context = context

    def cancel(self) -> None:
        """Never run it."""
        self.callback = None

    def cancelled(self) -> bool:
        """Whether it was taken back."""
        return self.callback is None


class Loop(asyncio.AbstractEventLoop):
    """The event loop of one simulated process. Once dead, nothing of it ever runs again."""

    def __init__(self, universe: Universe, name: str) -> None:
        self.universe = universe
        self.name = name
        self.ready: deque[Handle] = deque()
        self.tasks: list[asyncio.Task[Any]] = []
        self.dead = False
        self.frozen = False

    def time(self) -> float:
        return self.universe.now

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return self.dead

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """A failed task is seen by its own callback; a killed one has nothing to say."""

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> Handle:  # type: ignore[override]
        handle = Handle(callback, args, contextvars.copy_context() if context is None else context)
        if not self.dead:
            if not self.ready:
                self.universe.busy.append(self)
            self.ready.append(handle)
        return handle

    def call_later(self, delay: float, callback: Any, *args: Any, context: Any = None) -> Handle:  # type: ignore[override]
        return self.call_at(self.universe.now + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> Handle:  # type: ignore[override]
        handle = Handle(callback, args, contextvars.copy_context() if context is None else context)
        self.universe.schedule(when, self, handle)
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, **_: Any) -> asyncio.Task[Any]:  # type: ignore[override]
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self)
        task.add_done_callback(self._look_at)
        self.tasks.append(task)
        return task

    def _look_at(self, task: asyncio.Task[Any]) -> None:
        """A task of the server that dies of an exception takes its work with it."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.universe.fail(f"X1 a task died: {task.get_coro().__qualname__}: {error!r}")

    def run_ready(self) -> None:
        """Run what is ready, and what becomes ready by it."""
        asyncio._set_running_loop(self)
        try:
            while self.ready and not self.dead:
                handle = self.ready.popleft()
                if handle.callback is not None:
                    handle.context.run(handle.callback, *handle.arguments)
        finally:
            asyncio._set_running_loop(None)


class Universe:
    """Time, chance, and everything that is yet to happen."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = 0.0
        self.counts: Counter[str] = Counter()
        self.violation: Violation | None = None
        self.busy: deque[Loop] = deque()
        self.loops: list[Loop] = []
        self._events: list[tuple[float, int, Loop | None, Handle]] = []
        self._number = 0

    def loop(self, name: str) -> Loop:
        """A new process' event loop. Loops are kept, so that nothing is collected before the end."""
        loop = Loop(self, name)
        self.loops.append(loop)
        return loop

    def fail(self, message: str) -> None:
        """Note a broken invariant; the first one ends the run."""
        if self.violation is None:
            self.violation = Violation(message)

    def unix(self) -> float:
        """The true time, Unix seconds."""
        return EPOCH_SECONDS + self.now

    def schedule(self, when: float, loop: Loop | None, handle: Handle) -> None:
        """Let a handle run at an instant: in a process, or outside of all of them."""
        self._number += 1
        heapq.heappush(self._events, (max(when, self.now), self._number, loop, handle))

    def after(self, delay: float, action: Callable[..., object], *arguments: Any) -> None:
        """An event of the world itself: it happens whatever becomes of any process."""
        self.schedule(self.now + delay, None, Handle(action, arguments, None))

    def spawn(self, loop: Loop, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start a coroutine in a process."""
        return loop.create_task(work)

    def kill(self, loop: Loop) -> None:
        """End a process at once: no handler, no ``finally``, nothing."""
        loop.dead = True

    def end(self) -> None:
        """The end of the world: let go of whatever was still under way."""
        for loop in self.loops:
            self.kill(loop)
        for loop in self.loops:
            for task in loop.tasks:
                if not task.done():
                    task.get_coro().close()  # type: ignore[union-attr]

    def freeze(self, loop: Loop, seconds: float) -> None:
        """Stop a process for a while (SIGSTOP); what reaches it meanwhile waits."""
        loop.frozen = True
        self.after(seconds, self._thaw, loop)

    def _thaw(self, loop: Loop) -> None:
        loop.frozen = False
        if loop.ready:
            self.busy.append(loop)

    def run(self, *, until: float, done: Callable[[], bool] | None = None) -> None:
        """Let time pass until an instant, or until ``done``. Raises the first :class:`Violation`."""
        self._drain()
        while self._events and self._events[0][0] <= until and self.violation is None:
            if done is not None and done():
                return
            when, _, loop, handle = heapq.heappop(self._events)
            self.now = when
            if handle.callback is None:
                continue
            if loop is None:
                handle.callback(*handle.arguments)
            elif not loop.dead:
                if not loop.ready:
                    self.busy.append(loop)
                loop.ready.append(handle)
            self._drain()
        if self.violation is not None:
            raise self.violation
        if done is None or not done():
            self.now = max(self.now, until)

    def _drain(self) -> None:
        while self.busy:
            loop = self.busy.popleft()
            if not loop.frozen:
                loop.run_ready()
