"""Resealing: what older data keys sealed, sealed anew with the newest, so that an old key may go.

A row is one short transaction, so that nobody who holds one row and waits for another ever waits for us. Rows
that the newest key sealed are left alone: a run that was cut short is simply started again, and one that
finds nothing says that nothing rests on the old keys. Keyed hashes are computed anew where the row holds what
they were made of; the others are counted and named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from importlib import import_module
from inspect import getmembers, isclass
from operator import or_
from typing import Any

from tortoise import fields
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.expressions import Q
from tortoise.models import Model
from tortoise.transactions import in_transaction

from server.models import MODULES
from server.models.chat import ChatSender
from server.models.disbursements import BankAccount
from server.models.monitoring import ContactMark
from server.models.people import Person
from server.models.public_notices import Objector
from server.models.relations import TieDeclaration
from server.models.sanctions import PersonBan, SanctionCase
from server.rules.anomalies import ContactKind
from server.sealing import NotSealedByUs, Sealer
from server.services import journal
from server.services.access import CLOCK
from server.services.admissions.related_parties import RelatedParties
from server.services.supervision.contact_marks import ContactMarks

PAGE = 200
WITHIN: Mapping[type[Model], tuple[str, ...]] = {TieDeclaration: ("shareholders",)}
"""Columns that hold sealed texts among others, under names that do not say so."""
INDEXED: Mapping[tuple[type[Model], str], str] = {
    (Person, "openid_sealed"): "account",
    (ChatSender, "openid_sealed"): "openid_index",
    (BankAccount, "number_sealed"): "number_index",
}
"""A sealed column, and the keyed hash beside it that is made of the same text."""
ONE_OF_EACH: Mapping[type[Model], tuple[str, ...]] = {Person: (), ChatSender: ("account",)}
"""Where one row alone has a hash, among those that are alike in these columns."""
HASHES: Mapping[type[Model], str] = {
    Person: "unionid_index",
    ChatSender: "unionid_index",
    Objector: "receipt_index",
    SanctionCase: "person_index",
    PersonBan: "person_index",
}
"""Keyed hashes of what is kept nowhere: they are found by the key that made them, and by no other."""
# Some rows are written once. Their guard lets a transaction that says so change what is sealed in them, and
# nothing else (server/migrations/0002_guards.py); SQLite has no such word, so there the guard steps aside.
_LIFT_POSTGRES = "SELECT set_config('qiquan.sealing_anew', $1, true)"
_GUARD_SQLITE = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = ?"


@dataclass(slots=True)
class Resealed:
    """What a run did."""

    texts: Counter[str] = field(default_factory=Counter)
    """Texts sealed anew, by table."""
    unreadable: Counter[str] = field(default_factory=Counter)
    """Texts that the key they name does not open, or that name a key we have not, by that name."""
    doubles: Counter[str] = field(default_factory=Counter)
    """Rows left as they are, by table: another one has the newest key's hash of the same text."""
    hashes: dict[str, int] = field(default_factory=dict)
    """Keyed hashes that were not made anew, by table: some of them may be an old key's."""


Told = Callable[[str, int], None]
"""Hears of progress: a table, and how many of its texts were sealed anew so far."""


def sealed_columns() -> Mapping[type[Model], tuple[str, ...]]:
    """Every column that holds what is sealed, by its model: by its name, so that none is forgotten."""
    found = {}
    for model in _models():
        columns = [
            name
            for name, column in model._meta.fields_map.items()
            if (name.endswith("_sealed") or name.startswith("sealed"))
            and isinstance(column, fields.CharField | fields.TextField | fields.JSONField)
        ]
        columns += WITHIN.get(model, ())
        if columns:
            found[model] = tuple(columns)
    return found


async def reseal(sealer: Sealer, *, now: datetime, told: Told = lambda *_: None) -> Resealed:
    """Seal everything anew that the newest key did not seal. ``now`` is the machine's clock."""
    done = Resealed()
    for model, columns in sealed_columns().items():
        renewing, last = _Renewing(sealer, done, model._meta.db_table, WITHIN.get(model, ())), 0
        while rows := await _next(model, columns, sealer, last):
            for row in rows:
                if any(renewing.is_older(one, row[one]) for one in columns):
                    async with in_transaction() as connection:
                        await _reseal_row(connection, model, columns, row["id"], renewing)
            last = rows[-1]["id"]
            told(model._meta.db_table, done.texts[model._meta.db_table])
    if sealer.older:
        await _renew_marks(sealer, now)
    for model, column in HASHES.items():
        if count := await model.exclude(**{column: ""}).count():
            done.hashes[model._meta.db_table] = count
    if done.texts.total():
        async with in_transaction():
            await journal.record(
                "data_key.resealed",
                f"data_key:{sealer.newest}",
                actor=CLOCK.name,
                at=now,
                texts=dict(+done.texts),
                unreadable=dict(done.unreadable),
            )
    return done


async def _next(
    model: type[Model], columns: Sequence[str], sealer: Sealer, last: int
) -> list[dict[str, Any]]:
    """The next page of rows that may hold something older; with JSON in them, simply the next rows."""
    rows = model.filter(id__gt=last)
    if not any(isinstance(model._meta.fields_map[one], fields.JSONField) for one in columns):
        newest = f"{sealer.newest}."
        older = [~Q(**{one: ""}) & ~Q(**{f"{one}__startswith": newest}) for one in columns]
        rows = rows.filter(reduce(or_, older))
    found: list[dict[str, Any]] = await rows.order_by("id").limit(PAGE).values("id", *columns)
    return found


async def _reseal_row(
    connection: BaseDBAsyncClient,
    model: type[Model],
    columns: Sequence[str],
    row_id: int,
    renewing: _Renewing,
) -> None:
    # Nobody changes it until the transaction ends. The strongest lock at once: a unique hash may change, and
    # none has to be raised then. On SQLite we are alone (``python -m server``).
    row: Any = await model.filter(id=row_id).select_for_update().first()
    if row is None:
        return
    before = {one: getattr(row, one) for one in columns}
    changes = {one: value for one, old in before.items() if (value := renewing.renewed(one, old)) != old}
    for one in [one for one in changes if (model, one) in INDEXED]:
        text = renewing.sealer.open(changes[one])
        if not await _reindex(row, INDEXED[model, one], text, renewing.sealer, changes):
            # It keeps what it was sealed with, so that the old key is not said to be needed no more.
            del changes[one]
            renewing.done.texts[renewing.table] -= 1
            renewing.done.doubles[renewing.table] += 1
    if changes:
        async with _let_through(connection, model._meta.db_table):
            await model.filter(id=row_id).update(**changes)


@dataclass(frozen=True, slots=True)
class _Renewing:
    sealer: Sealer
    done: Resealed
    table: str
    others: Sequence[str]
    """Columns in which only what stands under a name that ends in ``_sealed`` is sealed."""

    def is_older(self, column: str, value: Any) -> bool:
        """Whether something in a column's value is not the newest key's."""
        found: list[str] = []
        self._changed(value, found.append, all_of_it=column not in self.others)
        return bool(found)

    def renewed(self, column: str, value: Any) -> Any:
        """A column's value with every sealed text in it sealed by the newest key."""
        return self._changed(value, self._sealed_anew, all_of_it=column not in self.others)

    def _changed(self, value: Any, change: Callable[[str], Any], *, all_of_it: bool) -> Any:
        if isinstance(value, Mapping):
            return {
                key: self._changed(one, change, all_of_it=all_of_it)
                if all_of_it or key.endswith("_sealed")
                else one
                for key, one in value.items()
            }
        if isinstance(value, list):
            return [self._changed(one, change, all_of_it=all_of_it) for one in value]
        is_older = isinstance(value, str) and value and _key_of(value) != self.sealer.newest
        return change(value) if is_older else value

    def _sealed_anew(self, text: str) -> str:
        try:
            renewed = self.sealer.seal(self.sealer.open(text))
        except NotSealedByUs:
            self.done.unreadable[_key_of(text)] += 1
            return text
        self.done.texts[self.table] += 1
        return renewed


def _key_of(sealed: str) -> str:
    """The id of the key that a text names."""
    return sealed.partition(".")[0]


async def _reindex(row: Any, column: str, text: str, sealer: Sealer, changes: dict[str, Any]) -> bool:
    """Put the hash of the newest key beside the text, where the one that is there was made of it.

    Not where another row has it already: servers that did not all have both keys took one for two.
    """
    old, new = getattr(row, column), sealer.blind(text)
    if old == new or old not in sealer.blinds(text):
        return True
    if (alike := ONE_OF_EACH.get(type(row))) is not None:
        twins = type(row).filter(**{one: getattr(row, one) for one in alike}, **{column: new})
        if await twins.exists():
            return False
    changes[column] = new
    if isinstance(row, BankAccount):
        # An organisation's mark by its account is the same hash.
        marks = ContactMark.filter(kind=ContactKind.ACCOUNT, mark=old)
        moved = [
            ContactMark(organisation_id=one.organisation_id, kind=one.kind, mark=new, noted_at=one.noted_at)
            for one in await marks
        ]
        await ContactMark.bulk_create(moved, ignore_conflicts=True)
        await marks.delete()
    return True


async def _renew_marks(sealer: Sealer, now: datetime) -> None:
    """Mark organisations by the newest key's hashes, or two that share a number would not be found."""
    marks, last = ContactMarks(RelatedParties(sealer), sealer), 0
    while True:
        marked = ContactMark.filter(organisation_id__gt=last).order_by("organisation_id").distinct()
        ids: list[Any] = await marked.limit(PAGE).values_list("organisation_id", flat=True)
        if not ids:
            return
        async with in_transaction():
            await marks.renew(ids, now=now)
        last = ids[-1]


@asynccontextmanager
async def _let_through(connection: BaseDBAsyncClient, table: str) -> AsyncIterator[None]:
    """Let sealed columns of a table change until the transaction ends, where its rows are written once."""
    if connection.capabilities.dialect == "postgres":
        await connection.execute_query(_LIFT_POSTGRES, [table])
        yield
        return
    guards = await connection.execute_query_dict(_GUARD_SQLITE, [f"{table}_no_UPDATE"])
    if guards:
        await connection.execute_query(f"DROP TRIGGER {table}_no_UPDATE")
    yield
    for guard in guards:
        await connection.execute_query(guard["sql"])


def _models() -> Iterator[type[Model]]:
    for name in MODULES:
        for _, model in getmembers(import_module(name), isclass):
            if issubclass(model, Model) and model.__module__ == name:
                yield model
