"""Prepared statements: what is asked and written at every step of an order, its SQL put together once.

To build such a query costs the ORM several times what the database needs to answer it. The text is still the
ORM's own, of a sample with the same shape, kept for each dialect.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connections
from tortoise.models import Model
from tortoise.queryset import QuerySet

M = TypeVar("M", bound=Model)


def read(model: type[M], row: dict[str, Any]) -> M:
    """The instance a row of the database stands for, as the ORM itself would read it."""
    return model._init_from_db(**row)


class Prepared(Generic[M]):
    """One query. ``sample`` builds it with any values; ``fetch`` takes the real ones in the same order.

    Conditions on ``None`` are part of the shape and take no value.
    """

    def __init__(self, model: type[M], sample: Callable[[], QuerySet[M]]) -> None:
        self._model = model
        self._sample = sample
        self._texts: dict[str, str] = {}

    async def fetch(self, *values: Any) -> list[M]:
        """The rows for these values, in the transaction of whoever asks."""
        connection = self._connection()
        dialect = connection.capabilities.dialect
        if (text := self._texts.get(dialect)) is None:
            text = self._texts[dialect] = self._sample().sql()
        rows = await connection.execute_query_dict(text, list(values))
        return [read(self._model, row) for row in rows]

    async def first(self, *values: Any) -> M | None:
        """The first of them, if there is one."""
        return next(iter(await self.fetch(*values)), None)

    def _connection(self) -> BaseDBAsyncClient:
        return get_connections().get(self._model._meta.db.connection_name)


_PLACE = re.compile(r"\$(\d+)")
_TOGETHER: dict[tuple[type[Model], ...], str] = {}


def _moved_by(places: int, text: str) -> str:
    """A statement whose parameters come after so many others."""
    return _PLACE.sub(lambda found: f"${int(found[1]) + places}", text)


async def insert_together(*instances: Model) -> None:
    """Write new rows, of one table each, on the way to the database once; the first one learns its id.

    Where the dialect inserts one table in a statement only, they follow each other.
    """
    first = instances[0]
    connection: BaseDBAsyncClient = get_connections().get(first._meta.db.connection_name)
    if connection.capabilities.dialect != "postgres":
        for each in instances:
            await each.save(force_create=True)
        return
    executors = [connection.executor_class(model=type(each), db=connection) for each in instances]
    kinds = tuple(type(each) for each in instances)
    if (text := _TOGETHER.get(kinds)) is None:
        parts, taken = [], 0
        for place, executor in enumerate(executors):
            parts.append(f"row{place} AS ({_moved_by(taken, executor.insert_query)})")
            taken += len(executor.regular_columns)
        text = _TOGETHER[kinds] = " ".join(("WITH", ", ".join(parts), "SELECT * FROM row0"))
    values = [
        each._meta.fields_map[name].to_db_value(getattr(each, name), each)
        for each, executor in zip(instances, executors, strict=True)
        for name in executor.regular_columns
    ]
    rows = await connection.execute_query_dict(text, values)
    for name, value in rows[0].items():
        setattr(first, name, value)
    first._saved_in_db = True
