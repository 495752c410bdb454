"""The database: opening it, migrating it, and the traps of the ORM that are handled once, here."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from tortoise import Tortoise
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.backends.base.config_generator import expand_db_url
from tortoise.context import TortoiseContext
from tortoise.migrations.executor import MigrationExecutor, MigrationTarget
from tortoise.migrations.graph import MigrationKey
from tortoise.migrations.operations import CreateModel, RunSQL
from tortoise.migrations.schema_generator.state import State

from server import sqlite
from server.models import MODULES

APP = "models"
MIGRATIONS = "server.migrations"
POOL_SIZE = 16
INITIAL = Path(__file__).parent / "migrations" / "0001_initial.py"
SCHEMA = "ledger_entry"
"""A table that every schema of ours has had."""
COMPARES_NOTHING = (CreateModel, RunSQL)
"""Operations that look at the schema as it is after them, and never at what it was before."""
STAMP = {
    "sqlite": "INSERT INTO schema_stamp VALUES (?)",
    "postgres": "INSERT INTO schema_stamp VALUES ($1) RETURNING 0",
}
OTHER_SCHEMA = (
    "This database was made by an earlier, unreleased schema, and there is no way forward from it: "
    "keep it aside or remove it (for `make run`, var/qiquan.sqlite3), and start again."
)


class PooledConnection(asyncpg.Connection):
    """A connection of the ORM's pool that is not reset between two queries.

    A reset is a second round trip for every query, and there is nothing to reset: the house holds no
    advisory lock, listens to nothing, and sets nothing that outlives a transaction (``SET LOCAL``).
    """

    def get_reset_query(self) -> str:
        """Nothing. A transaction left open is rolled back all the same."""
        return ""


def is_sqlite(url: str) -> bool:
    """Whether the address names an SQLite file: then one process serves, and no second may start."""
    return urlsplit(url).scheme == "sqlite"


def sqlite_file(url: str) -> Path:
    """The file that an SQLite address names."""
    address = urlsplit(url)
    return Path(address.netloc + address.path)


def connection_name(url: str) -> str:
    """A name per dialect: Tortoise caches SQL under the connection's name, placeholders included."""
    return "sqlite" if is_sqlite(url) else "postgres"


def tortoise_config(url: str) -> dict[str, Any]:
    """Tortoise's configuration for one database address."""
    name = connection_name(url)
    connection = expand_db_url(url)
    if name == "postgres":
        connection["credentials"].setdefault("maxsize", POOL_SIZE)
        connection["credentials"].setdefault("connection_class", PooledConnection)
    else:
        connection["engine"] = sqlite.ENGINE
    return {
        "connections": {name: connection},
        "apps": {APP: {"models": list(MODULES), "migrations": MIGRATIONS, "default_connection": name}},
        "use_tz": True,
        "timezone": "UTC",
    }


async def open_database(url: str) -> TortoiseContext:
    """Open the database for this process; close it with :func:`close_database`."""
    return await Tortoise.init(config=tortoise_config(url), _enable_global_fallback=True)


async def close_database(context: TortoiseContext) -> None:
    """Close through the context that was opened: closing elsewhere leaves SQLite's thread alive."""
    await context.connections.close_all()
    await context.close_connections()


class OtherSchema(Exception):
    """The database was made by an unreleased schema that is not ours; the message is one sentence."""


async def migrate(url: str) -> None:
    """Bring the schema up to date. Run once, before the workers: Tortoise takes no lock for it.

    Raises :class:`OtherSchema`: until the first release the initial migration is written anew with the
    models (docs/decisions/0010), and a database of an earlier one has no way forward.
    """
    fingerprint = hashlib.sha256(INITIAL.read_bytes()).hexdigest()
    async with TortoiseContext() as context:
        await context.init(config=tortoise_config(url))
        connection = context.connections.get(connection_name(url))
        await connection.execute_script("CREATE TABLE IF NOT EXISTS schema_stamp (fingerprint VARCHAR(64))")
        is_new = SCHEMA not in await _tables(connection)
        stamps = [row["fingerprint"] for row in await _rows(connection, "SELECT * FROM schema_stamp")]
    if not is_new and stamps != [fingerprint]:
        raise OtherSchema(OTHER_SCHEMA)
    async with TortoiseContext() as context:
        config = tortoise_config(url)
        await context.init(config=config)
        await _Executor(context.connections.get(connection_name(url)), config["apps"]).migrate()
    if is_new:
        async with TortoiseContext() as context:
            await context.init(config=tortoise_config(url))
            connection = context.connections.get(connection_name(url))
            await connection.execute_insert(STAMP[connection.capabilities.dialect], [fingerprint])


class _OneState(State):
    """The models as operations find them, without a copy of what they were before each."""

    def clone(self) -> State:
        """Itself."""
        return self

    def _reload(self, models_to_reload: set[tuple[str, str]]) -> None:
        """Make the models that are new. One that is there already stays: nothing changes a created model."""
        for app, name in sorted(models_to_reload):
            if name not in self.apps.apps.get(app, {}):
                self.apps.register_model(app, self.models[app, name].render(self.apps))
        self.apps._init_relations()
        for app, name in models_to_reload:
            model = self.apps.get_model(app, name)
            if model._meta._inited and not model._meta.db_fields:
                model._meta.finalise_model()


class _Executor(MigrationExecutor):
    """Runs migrations in time that grows with their operations, not with the square.

    Before each operation Tortoise makes every model anew, for whoever compares before and after. Creating a
    model compares nothing, nor does plain SQL; as long as nothing else is to be run, nothing is copied.
    """

    async def _project_state(self, applied: set[MigrationKey], *, upto: MigrationKey | None = None) -> State:
        state: State = await super()._project_state(applied, upto=upto)
        to_run = self._migration_plan(None, applied, self.loader.graph)
        operations = (operation for step in to_run for operation in step.migration.operations)
        if all(isinstance(operation, COMPARES_NOTHING) for operation in operations):
            return _OneState(models=state.models, apps=state.apps)
        return state


async def _tables(connection: BaseDBAsyncClient) -> set[str]:
    names = "SELECT name FROM sqlite_master WHERE type = 'table'"
    if connection.capabilities.dialect == "postgres":
        names = "SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()"
    return {row["name"] for row in await _rows(connection, names)}


async def _rows(connection: BaseDBAsyncClient, statement: str) -> list[dict[str, Any]]:
    return list(await connection.execute_query_dict(statement))


async def pending_migrations(context: TortoiseContext, url: str) -> list[str]:
    """The names of migrations that this database has not seen; empty when it is up to date."""
    config = tortoise_config(url)
    connection = context.connections.get(connection_name(url))
    executor = MigrationExecutor(connection, config["apps"])
    plan = await executor.plan([MigrationTarget(app_label=APP, name="__latest__")])
    return [step.migration.name for step in plan]


async def migrations_to_run(url: str) -> list[str]:
    """The same for a database that is not open yet; leaves it closed."""
    async with TortoiseContext() as context:
        await context.init(config=tortoise_config(url))
        return await pending_migrations(context, url)
