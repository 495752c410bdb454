"""Outages: telling a database or Redis that is away from a mistake of ours."""

from __future__ import annotations

import sqlite3

import asyncpg
import redis.exceptions
from tortoise.exceptions import DBConnectionError, OperationalError

from server.gateways.grab_store import OutcomeUnknown
from server.gateways.redis_lane import LaneBroken

GAVE_WAY = (asyncpg.DeadlockDetectedError,)
"""Two waited for each other, and the database chose whose transaction never was."""

_AWAY: tuple[type[Exception], ...] = (
    OutcomeUnknown,
    LaneBroken,
    ConnectionError,
    TimeoutError,
    DBConnectionError,
    redis.exceptions.ConnectionError,
    redis.exceptions.TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    # Deadlocks, serialization failures and lock timeouts pass: nothing was done, asking again helps.
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    # "cannot switch to state 12": how asyncpg may report a connection that was cut between two messages.
    asyncpg.InternalClientError,
)
_SQLITE_AWAY = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY,
    }
)


def is_outage(fault: BaseException) -> bool:
    """Whether asking again a little later may help, because a server behind us did not answer."""
    if isinstance(fault, _AWAY):
        return True
    if isinstance(fault, OperationalError):
        # Tortoise wraps what SQLite said; its extended codes keep the kind in the lowest byte.
        inner = fault.args[0] if fault.args else None
        code = getattr(inner, "sqlite_errorcode", None)
        return code is not None and code & 0xFF in _SQLITE_AWAY
    if isinstance(fault, asyncpg.InterfaceError):
        return any(word in str(fault) for word in ("closed", "closing", "released"))
    # asyncio sums up refused connections to several addresses in a plain OSError.
    return type(fault) is OSError and "Connect call failed" in str(fault)
