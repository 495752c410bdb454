"""Records: what others say of an organisation, and what it filled in last, read in one statement.

A programme's conditions are asked on every screen of an applicant, so this is one round trip in plain
SQL: as four queries of the ORM it cost several times as much as everything that is judged by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient

from server.clock import CHINA
from server.models.labels import AttestedLabel
from server.models.organisations import Organisation
from server.programme.model import Programme
from server.programme.vocabulary import Party
from server.rules.facts import Barred, HeldLabel
from server.rules.lifecycles import RegistrationStatus
from server.rules.sanction_cases import SanctionStatus
from server.services.tables.cells import name_of, plain

INSTANT = timedelta(microseconds=1)
BAN, LABEL, FORM, SANCTION = 0, 1, 2, 3
"""What a row of the statement is."""

# An approved party's next draft counts only once it has been handed in.
GATHER = """
SELECT 0 AS kind, programme_slug AS text, clause AS more, starts_at, ends_at,
       NULL AS valid_until, NULL AS recognised_in, id
FROM blocklist_entry
WHERE uscc = $1 AND lifted_at IS NULL AND (programme_slug = $2 OR programme_slug IS NULL)
UNION ALL
SELECT 1, code, NULL, NULL, NULL, valid_until, recognised_in, id
FROM attested_label WHERE uscc = $1 AND withdrawn_at IS NULL
UNION ALL
SELECT 1, code, NULL, NULL, NULL, valid_until, recognised_in, id
FROM attested_label WHERE name = $3 AND uscc IS NULL AND withdrawn_at IS NULL
UNION ALL
SELECT 2, CAST(CASE WHEN status = $6 THEN COALESCE(
           (SELECT submission."values" FROM submission WHERE registration_id = registration.id
            ORDER BY number DESC LIMIT 1), "values") ELSE "values" END AS TEXT),
       NULL, NULL, NULL, NULL, NULL, id
FROM registration WHERE organisation_id = $4 AND programme_slug = $2 AND party = $5
UNION ALL
SELECT 3, programme_slug, NULL, starts_at, NULL, NULL, NULL, id
FROM sanction_case WHERE against_id = $4 AND programme_slug = $2 AND party = $5 AND status = $7
"""


@dataclass(frozen=True, slots=True)
class Record:
    """Bans that cover the programme, violations under it, attested labels, and the form's values."""

    barred: tuple[Barred, ...]
    violation_years: tuple[int, ...]
    labels: tuple[HeldLabel, ...]
    values: Mapping[str, Any]


async def record_of(
    organisation: Organisation, programme: Programme, party: Party, *, now: datetime
) -> Record:
    """Everything that is on record about an organisation as one party of a programme.

    Every unlifted ban counts as a bar while it lasts. A sanction against this very party, and an unlifted
    ban under this very programme, is a recorded violation of its year for ever, until somebody lifts it or
    an appeal undoes it (LS-13). Labels that have run out are among the labels.
    """
    connection: BaseDBAsyncClient = AttestedLabel._meta.db
    rows = await connection.execute_query_dict(
        in_its_words(connection),
        [
            organisation.uscc,
            programme.slug,
            name_of(plain(organisation.name)),
            organisation.id,
            party.value,
            RegistrationStatus.APPROVED.value,
            SanctionStatus.DECIDED.value,
        ],
    )
    bans = [row for row in rows if row["kind"] == BAN]
    sanctions = [row for row in rows if row["kind"] == SANCTION]
    forms = [row["text"] for row in rows if row["kind"] == FORM]
    return Record(
        barred=tuple(_barred(row) for row in sorted(bans, key=lambda row: int(row["id"]))),
        violation_years=tuple(sorted(_violations([*bans, *sanctions], programme, now))),
        labels=tuple(
            HeldLabel(
                code=row["text"],
                recognised_in=row["recognised_in"],
                valid_until=None if row["valid_until"] is None else _day(row["valid_until"]),
            )
            for row in rows
            if row["kind"] == LABEL
        ),
        values=orjson.loads(forms[0]) if forms else {},
    )


def in_its_words(connection: BaseDBAsyncClient) -> str:
    """The statement as a database numbers its parameters."""
    return _FOR_SQLITE if connection.capabilities.dialect == "sqlite" else GATHER


_FOR_SQLITE = GATHER.replace("$", "?")


def _barred(row: Mapping[str, Any]) -> Barred:
    ends_at = row["ends_at"]
    return Barred(
        clause=row["more"],
        starts_on=_china_day(row["starts_at"]),
        # The end is exclusive: a ban until midnight ends with the day before.
        ends_on=None if ends_at is None else _china_day(_instant(ends_at) - INSTANT),
    )


def _violations(rows: Iterable[Mapping[str, Any]], programme: Programme, now: datetime) -> set[int]:
    return {
        _china_day(row["starts_at"]).year
        for row in rows
        if row["text"] == programme.slug and _instant(row["starts_at"]) <= now
    }


def _china_day(at: datetime | str) -> date:
    return _instant(at).astimezone(CHINA).date()


def _instant(at: datetime | str) -> datetime:
    """SQLite keeps instants as texts."""
    return datetime.fromisoformat(at) if isinstance(at, str) else at


def _day(on: date | str) -> date:
    return date.fromisoformat(on) if isinstance(on, str) else on
