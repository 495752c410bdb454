"""The lab's own process: it loads the parsers once, then forks a child with hard limits for each order.

Orders arrive as sockets over the one that standard input is; each carries a line of JSON and takes one
back. When the server goes away, the socket closes and this process ends.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import sys
import warnings
from pathlib import Path

from server.gateways.lab import work

MEGABYTE = 1_048_576
MEMORY_BYTES = 512 * MEGABYTE
"""On top of what the parsers themselves take before the first order."""
CPU_SECONDS = {"examine": 5, "merge": 40}
WALL_SECONDS = {"examine": 20, "merge": 90}
LARGEST_WRITTEN = 64 * MEGABYTE
LONGEST_ORDER = 65_536


def main() -> int:
    """Fork a child for every socket that arrives, until the server is gone."""
    # What a child leaves behind is taken away by the kernel.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # Ctrl-C on the terminal is the server's to hear.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")
    with socket.socket(fileno=os.dup(sys.stdin.fileno())) as orders:
        while True:
            message, descriptors, _, _ = socket.recv_fds(orders, 1, 1)
            if not message:
                return 0
            with socket.socket(fileno=descriptors[0]) as order:
                if os.fork() == 0:
                    orders.close()
                    _serve(order)


def _serve(order: socket.socket) -> None:
    """Do one order in this child and end it, whatever happens."""
    try:
        with order.makefile("rwb") as stream:
            asked = json.loads(stream.readline(LONGEST_ORDER))
            _limit(asked["job"])
            stream.write(json.dumps(work.done(asked)).encode("ascii") + b"\n")
            stream.flush()
    finally:
        os._exit(0)


def _limit(job: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # The alarm's default ends the process: a parser may wait as well as compute.
    signal.alarm(WALL_SECONDS[job])
    for limit, amount in (
        (resource.RLIMIT_AS, _own_bytes() + MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS[job]),
        (resource.RLIMIT_FSIZE, LARGEST_WRITTEN),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (amount, amount))


def _own_bytes() -> int:
    """Address space this child was born with: mapped libraries, most of which it shares."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[0]) * resource.getpagesize() if statm.exists() else 0


if __name__ == "__main__":
    sys.exit(main())
