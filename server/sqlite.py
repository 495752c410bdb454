"""SQLite as two processes can share it: a transaction asks for the right to write before it reads.

Tortoise begins transactions deferred, so of two that read and then write, one fails at once with
"database is locked", however long it would wait. Begun immediately, the second waits its turn.
"""

from __future__ import annotations

import sqlite3

from tortoise.backends.base.client import TransactionalDBClient, TransactionContext
from tortoise.backends.sqlite.client import (
    SqliteClient,
    SqliteTransactionContext,
    SqliteTransactionWrapper,
)
from tortoise.connection import get_connections
from tortoise.exceptions import OperationalError

ENGINE = __name__
"""The name under which a connection's configuration asks for this client."""


class ImmediateTransaction(SqliteTransactionWrapper):
    """A transaction that may write from its first moment."""

    async def begin(self) -> None:
        """Wait for the right to write; raises ``OperationalError`` after SQLite's busy timeout (5 s)."""
        try:
            await self._connection.commit()
            await self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as refused:
            raise OperationalError(refused) from refused


class ImmediateTransactionContext(SqliteTransactionContext):
    """Gives the connection back when the transaction cannot begin; Tortoise's own keeps it for ever."""

    async def __aenter__(self) -> TransactionalDBClient:
        await self._trxlock.acquire()
        try:
            await self.ensure_connection()
            await self.connection.begin()
        except BaseException:
            self._trxlock.release()
            raise
        self.token = get_connections().set(self.connection_name, self.connection)
        transaction: TransactionalDBClient = self.connection
        return transaction


class SharedSqliteClient(SqliteClient):
    """Tortoise's client, with immediate transactions."""

    def _in_transaction(self) -> TransactionContext:
        return ImmediateTransactionContext(ImmediateTransaction(self), self._lock)


client_class = SharedSqliteClient
