"""What every test may ask for: real servers, and a freshly migrated database of its own.

``redis_url``     an emptied Redis of this test's own.
``database_url``  a migrated, empty database, once on SQLite and once on PostgreSQL.
``postgres_url``  the same on PostgreSQL alone: for races, where SQLite proves nothing.
``sqlite_url``    the same on SQLite alone.
``database``      ``database_url``, opened for the ORM.
``written``       every line that is logged meanwhile.

Servers start when the first test asks for them and once per worker. Nothing here ever skips.
"""

from __future__ import annotations

import gc
import io
import logging
import os
import shutil
import tomllib
from collections.abc import AsyncIterator, Generator, Iterator
from copy import copy
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import settings
from tortoise.apps import Apps
from tortoise.context import TortoiseContext

from server import app, logs
from server.database import close_database, migrate, open_database
from server.gateways.file_lab import FileLab
from server.programme import loader
from tests.servers import PostgresServer, emptied_redis
from tests.servers import postgres_server as a_postgres_server
from tests.servers import redis_address as a_redis_address
from tests.servers import redis_server as a_redis_server
from tools.embedded import RedisServer

# Until all is imported and collected there is no garbage.
gc.disable()
# The same examples on every run, and no verdict that depends on how fast the machine is.
settings.register_profile("house", deadline=None, derandomize=True, database=None)
settings.load_profile("house")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that skips has proved nothing, so it fails."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
    return report


def pytest_collection_finish() -> None:
    """Thousands of collected tests are nobody's garbage: who looks for some need not look at them again."""
    gc.collect()
    gc.freeze()
    gc.enable()


FINISHED = (
    *("fields", "db_fields", "fetch_fields", "fields_db_projection_reverse", "_ordering_validated"),
    *("generated_db_fields", "db_default_db_columns", "filters"),
    *("db_native_fields", "db_default_fields", "db_complex_fields"),
    *("basetable", "basequery", "basequery_all_fields"),
)
"""What the ORM works out of a model when a database is opened; some of it differs between dialects."""
_numbers = count(1)


def _fresh(value: Any) -> Any:
    """What a file says, in dictionaries and lists that nobody else has."""
    if isinstance(value, dict):
        return {key: _fresh(inner) for key, inner in value.items()}
    return [_fresh(inner) for inner in value] if isinstance(value, list) else value


@pytest.fixture(scope="session", autouse=True)
def tables_read_once() -> Iterator[None]:
    """The same text is read once: programmes and other tables are frozen, and every server has them all."""
    read, parse = loader.parse_table, lru_cache(200)(tomllib.loads)
    known: dict[object, Any] = {}

    def remembered(text: str, file: Path, shape: type[Any], faults: Any) -> Any:
        # What looks for faults with more than the table looks again.
        is_settled = faults.__closure__ is None
        key = text, shape, faults if is_settled else None
        if key not in known or not (is_settled or next(faults(known[key]), None) is None):
            if len(known) == 200:
                known.clear()
            known[key] = read(text, file, shape, faults)
        return known[key]

    def parsed(text: str, **options: Any) -> dict[str, Any]:
        return {key: _fresh(value) for key, value in parse(text, **options).items()}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loader, "parse_table", remembered)
        patch.setattr(tomllib, "loads", parsed)
        yield


@pytest.fixture(scope="session", autouse=True)
def models_finished_once() -> Iterator[None]:
    """What the ORM works out of the models when a database is opened is worked out once for each dialect."""
    finish = Apps._build_initial_querysets
    known: dict[object, list[dict[str, Any]]] = {}

    def remembered(apps: Apps) -> None:
        metas = [model._meta for model in apps.get_models_iterable()]
        key = tuple((meta._model, meta.default_connection) for meta in metas)
        if key in known:
            for meta, facts in zip(metas, known[key], strict=True):
                for name, value in facts.items():
                    setattr(meta, name, value)
            return
        # It works in place: on copies, or what was worked out for the other dialect would change with it.
        for meta in metas:
            for name in FINISHED:
                setattr(meta, name, copy(getattr(meta, name)))
        finish(apps)
        known[key] = [{name: getattr(meta, name) for name in FINISHED} for meta in metas]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Apps, "_build_initial_querysets", remembered)
        yield


class _Lab(FileLab):
    """A lab that outlives the servers it works for."""

    async def close(self) -> None:
        """Not yet."""


@pytest.fixture(scope="session", autouse=True)
async def lab() -> AsyncIterator[FileLab]:
    """The lab of all these tests: starting one takes longer than most files.

    Every server started here shares it. How a lab starts, dies and ends is proven on labs of their own.
    """
    shared = _Lab()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "FileLab", lambda: shared)
        yield shared
    await FileLab.close(shared)


@pytest.fixture(scope="session")
def redis_address() -> Iterator[str]:
    """A running Redis or Valkey: its address without a database number."""
    with a_redis_address() as address:
        yield address


@pytest.fixture
async def redis_url(redis_address: str) -> str:
    """An empty Redis database that nobody else uses during this test."""
    return await emptied_redis(redis_address)


@pytest.fixture
def own_redis_server() -> Iterator[RedisServer]:
    """A Redis of this test alone, to stop, kill or freeze."""
    with a_redis_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running PostgreSQL."""
    with a_postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
async def postgres_template(postgres_server: PostgresServer) -> str:
    """The name of a migrated PostgreSQL database to copy."""
    name = f"qiquan_template_{os.getpid()}"
    await migrate(await postgres_server.create(name))
    return name


@pytest.fixture(scope="session")
async def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    file = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    await migrate(f"sqlite://{file}")
    return file


@pytest.fixture(scope="session")
async def postgres_shelf(postgres_server: PostgresServer) -> AsyncIterator[list[str]]:
    """Migrated databases that a test has left as empty as it found them."""
    yield []
    await postgres_server.unwatched()


@pytest.fixture
async def postgres_url(
    postgres_server: PostgresServer, postgres_template: str, postgres_shelf: list[str]
) -> AsyncIterator[str]:
    """A migrated PostgreSQL database of this test alone, empty.

    Making one takes longer than most tests: it is emptied and used again, unless its schema was touched.
    """
    if postgres_shelf:
        name = postgres_shelf.pop()
    else:
        name = f"qiquan_{os.getpid()}_{next(_numbers)}"
        await postgres_server.create(name, template=postgres_template)
    yield postgres_server.url(name)
    if await postgres_server.emptied(name, like=postgres_template):
        postgres_shelf.append(name)
    else:
        await postgres_server.drop(name)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> Iterator[str]:
    """A migrated SQLite database of this test alone."""
    file = tmp_path / "qiquan.sqlite3"
    shutil.copyfile(sqlite_template, file)
    yield f"sqlite://{file}"
    # Thousands of them are gigabytes, which nobody should wait for to be written.
    file.unlink(missing_ok=True)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of this test alone: the test runs once on each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[TortoiseContext]:
    """The database, opened for the ORM in this process."""
    context = await open_database(database_url)
    yield context
    await close_database(context)


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Every line that is logged meanwhile, as the server writes it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure(stream=stream, level=logging.DEBUG)
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
