"""Workers: several server processes on one address, started and ended together.

The kernel spreads connections over them (``SO_REUSEPORT``). A worker that dies is started again; its
undecided grabs are finished by the others meanwhile.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

RESTART_PAUSE_SECONDS = 1.0
STOP_SECONDS = 20.0


def serve_with_workers(count: int) -> int:
    """Run ``count`` workers until told to stop; the exit status."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    workers = [_start() for _ in range(count)]
    while not stop.wait(RESTART_PAUSE_SECONDS):
        workers = [worker if worker.poll() is None else _start() for worker in workers]
    for worker in workers:
        worker.terminate()
    for worker in workers:
        try:
            worker.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            worker.kill()
    return 0


def _start() -> subprocess.Popen[bytes]:
    environment = {**os.environ, "QIQUAN_WORKERS": "1", "QIQUAN_REUSE_PORT": "true"}
    # A session of its own: Ctrl-C reaches the parent alone, which then ends its workers in good order.
    return subprocess.Popen(
        [sys.executable, "-m", "server", "serve"], env=environment, start_new_session=True
    )
