"""The ranking of a round as the database does it: whole sets in a few statements, not row by row.

The same statements serve both databases, but for a few words. What they mean is ``rules/issuance.py``'s:
what a holder's labels make of it is asked there, once for each set of labels, and handed in; that order and
awards come out as ``award`` says, a test compares.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient

from server.programme.issuance import RankKey
from server.programme.vocabulary import LegalForm, Party
from server.rules.issuance import ApplicationStatus, RankOutcome
from server.rules.ranking_list import ListHead, head_line, line_of

LINES = 5_000
"""How many lines of a list are read at once."""
WORK_MEMORY = "SET LOCAL work_mem = '64MB'"
"""So that a great round is sorted and joined in memory."""

LABEL_SETS = """
SELECT DISTINCT text(o.labels) AS labels FROM application a JOIN organisation o ON o.id = a.enterprise_id
WHERE a.round_id = $1 AND a.status = $2"""

# One pass: who is not to be ranked sorts last and takes no money. Fine print:
# - the rules are MATERIALIZED, or their JSON would be read anew for every application;
# - the money that is left for somebody is the pool less what everybody before asked for.
RANK = """
INSERT INTO ranking_entry (id, round_id, enterprise_id, position, name, priority, group_code, tier,
                           arrived_at, place, asked_fen, allowed_fen, awarded_fen, outcome)
WITH rule AS MATERIALIZED (rules($2)),
taken AS (
    SELECT enterprise_id, CAST(sum(face_value_fen - given_back_fen) AS BIGINT) AS taken_fen
    FROM voucher WHERE budget_id = $3 GROUP BY enterprise_id
), barred AS (
    SELECT DISTINCT uscc FROM blocklist_entry
    WHERE (programme_slug = $4 OR programme_slug IS NULL) AND lifted_at IS NULL
      AND starts_at <= $5 AND (ends_at > $5 OR ends_at IS NULL)
), judged AS (
    SELECT a.id, a.enterprise_id, a.arrived_at, a.place, a.amount_fen AS asked_fen,
           CASE WHEN o.legal_form = $6 THEN substr(o.name, 1, 1) || '**' ELSE o.name END AS name,
           r.is_first, r.group_code, r.tier,
           LEAST(a.amount_fen, r.most_fen, r.quota_fen - coalesce(t.taken_fen, 0)) AS allowed_fen,
           CASE WHEN q.id IS NULL OR r.most_fen = 0 THEN $7 WHEN b.uscc IS NOT NULL THEN $8
                WHEN r.quota_fen <= coalesce(t.taken_fen, 0) THEN $9 END AS fault
    FROM application a
    JOIN organisation o ON o.id = a.enterprise_id
    JOIN rule r ON r.labels = text(o.labels)
    LEFT JOIN qualification q
      ON q.organisation_id = a.enterprise_id AND q.programme_slug = $4 AND q.party = $10
     AND q.status IN (SELECT value FROM each($11)) AND (q.valid_until > $5 OR q.valid_until IS NULL)
    LEFT JOIN barred b ON b.uscc = o.uscc
    LEFT JOIN taken t ON t.enterprise_id = a.enterprise_id
    WHERE a.round_id = $1 AND a.status = $12
), ranked AS (
    SELECT j.*, row_number() OVER line AS number,
           CAST(sum(CASE WHEN fault IS NULL THEN allowed_fen ELSE 0 END) OVER line AS BIGINT) AS through_fen
    FROM judged j WINDOW line AS (ORDER BY {order}, place ROWS UNBOUNDED PRECEDING)
), served AS (
    SELECT r.*, CASE WHEN fault IS NULL
                     THEN GREATEST(0, LEAST(allowed_fen, CAST($13 AS BIGINT) - through_fen + allowed_fen))
                     ELSE 0 END AS awarded_fen
    FROM ranked r
)
SELECT id, $1, enterprise_id, CASE WHEN fault IS NULL THEN number END, name, is_first, group_code, tier,
       arrived_at, place, asked_fen, GREATEST(0, allowed_fen), awarded_fen,
       CASE WHEN fault IS NOT NULL THEN fault WHEN awarded_fen = allowed_fen THEN $14
            WHEN awarded_fen > 0 THEN $15 ELSE $16 END
FROM served"""

ORDER = {RankKey.PRIORITY: "is_first DESC", RankKey.ARRIVAL: "arrived_at"}
LAST = "(fault IS NOT NULL)"
"""What comes before all keys: who is not to be ranked stands behind everybody."""

TOTALS = """
SELECT (SELECT count(*) FROM application a WHERE a.round_id = $1 AND a.status = $3) AS applied,
       count(position) AS ranked, count(*) - count(position) AS excluded,
       count(CASE WHEN awarded_fen > 0 THEN 1 END) AS awarded,
       count(CASE WHEN outcome = $2 THEN 1 END) AS waiting,
       CAST(coalesce(sum(awarded_fen), 0) AS BIGINT) AS awarded_fen
FROM ranking_entry WHERE round_id = $1"""

# What services/vouchers/issuing.py writes for each voucher, for all of a list at once; a test compares.
VOUCHERS = """
INSERT INTO voucher (number, round_id, budget_id, enterprise_id, kind, basis, serial, tier, face_value_fen,
                     status, given_back_fen, programme_slug, programme_version, granted_at, reserved_at,
                     order_deadline, valid_until, epoch, place)
SELECT number(r.id, $2 + e.position), r.id, r.budget_id, e.enterprise_id, '', 'money', 1, e.tier,
       e.awarded_fen, 'active', 0, b.programme_slug, b.programme_version, $3, e.arrived_at, $4, $5, b.epoch,
       string(e.position)
FROM ranking_entry e JOIN round r ON r.id = e.round_id JOIN budget b ON b.id = r.budget_id
WHERE e.round_id = $1 AND e.awarded_fen > 0 ORDER BY e.position"""
LEDGER = """
INSERT INTO ledger_entry (at, movement, debit, credit, amount_fen, budget_id, round_id, enterprise_id,
                          voucher_id)
SELECT $2, 'issue', 'round', 'available', face_value_fen, budget_id, round_id, enterprise_id, id
FROM voucher WHERE round_id = $1"""
JOURNAL = """
INSERT INTO journal_entry (at, action, actor, subject, programme_slug, data)
SELECT $2, 'voucher.granted', $3, 'voucher:' || id, programme_slug,
       object('round', round_id, 'enterprise', enterprise_id, 'number', number,
              'amount_fen', face_value_fen, 'place', place)
FROM voucher WHERE round_id = $1"""

TELL_HOLDERS = """
INSERT INTO outbox_message (created_at, topic, recipient, data)
SELECT $2, 'voucher.granted', 'organisation:' || e.enterprise_id,
       object('voucher', v.id, 'number', v.number, 'amount_fen', v.face_value_fen)
FROM ranking_entry e JOIN voucher v ON v.round_id = e.round_id AND v.enterprise_id = e.enterprise_id
WHERE e.round_id = $1 AND e.awarded_fen > 0 ORDER BY e.position"""
TELL_OTHERS = """
INSERT INTO outbox_message (created_at, topic, recipient, data)
SELECT $2, 'application.' || e.outcome, 'organisation:' || e.enterprise_id,
       object('round', e.round_id, 'title', r.title, 'position', e.position, 'ranked', k.ranked_count,
              'amount_fen', e.asked_fen, 'clause', string($3))
FROM ranking_entry e JOIN round r ON r.id = e.round_id JOIN ranking k ON k.round_id = e.round_id
WHERE e.round_id = $1 AND e.awarded_fen = 0"""

FINGERPRINT = """
SELECT encode(sha256(convert_to($2 || coalesce(string_agg(
    e.position || '|' || CAST(e.priority AS INT) || '|' || e.group_code || '|'
    || to_char(e.arrived_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '|' || e.place || '|'
    || e.asked_fen || '|' || e.allowed_fen || '|' || e.awarded_fen || '|' || e.outcome || '|'
    || translate(e.name, E'\\n\\r', '  ') || E'\\n', '' ORDER BY e.position), ''), 'UTF8')), 'hex') AS sha256
FROM ranking_entry e WHERE e.round_id = $1 AND e.position IS NOT NULL"""
LIST = """
SELECT position, priority, group_code, arrived_at, place, asked_fen, allowed_fen, awarded_fen, outcome, name
FROM ranking_entry WHERE round_id = $1 AND position > $2 ORDER BY position LIMIT $3"""

_RULES_POSTGRES = (
    "SELECT * FROM json_to_recordset($2::json) AS r"
    " (labels text, is_first bool, group_code text, tier text, most_fen bigint, quota_fen bigint)"
)
# Whole groups put off by centuries: one key that tells nearly all apart. Sorted by two flags before the
# instant, every comparison of two rows would have to take three columns out of both (a fifth of the ranking).
_LINE_POSTGRES = (
    "arrived_at + CASE WHEN fault IS NOT NULL THEN interval '2000000 hours'"
    " WHEN is_first THEN interval '0' ELSE interval '1000000 hours' END"
)
_RULES_SQLITE = (
    "SELECT value ->> 'labels' AS labels, value ->> 'is_first' AS is_first,"
    " value ->> 'group_code' AS group_code, value ->> 'tier' AS tier,"
    " value ->> 'most_fen' AS most_fen, value ->> 'quota_fen' AS quota_fen FROM json_each(?2)"
)
# Words that the statements above use and neither database knows, with what each says instead.
_POSTGRES = (
    (r"rules\(\$2\)", _RULES_POSTGRES),
    (r"\(fault IS NOT NULL\), is_first DESC, arrived_at\b", _LINE_POSTGRES),
    (r"each\((\$\d+)\)", r"json_array_elements_text(\1::json) AS each(value)"),
    (r"text\((o\.labels)\)", r"CAST(\1 AS TEXT)"),
    (r"string\(([\w.$]+)\)", r"CAST(\1 AS TEXT)"),
    (r"object\(", "jsonb_build_object("),
    (
        r"number\((r\.id), (\$2 \+ e\.position)\)",
        r"\1 || '-' || lpad((\2)::text, greatest(6, length((\2)::text)), '0')",
    ),
)
_SQLITE = (
    (r"rules\(\$2\)", _RULES_SQLITE),
    (r"each\((\$\d+)\)", r"json_each(\1)"),
    (r"text\((o\.labels)\)", r"\1"),
    (r"string\(([\w.$]+)\)", r"CAST(\1 AS TEXT)"),
    (r"object\(", "json_object("),
    (r"number\((r\.id), (\$2 \+ e\.position)\)", r"\1 || '-' || printf('%06d', \2)"),
    (r"\bLEAST\(", "min("),
    (r"\bGREATEST\(", "max("),
    (r"\$(\d+)", r"?\1"),
)


@dataclass(frozen=True, slots=True)
class LabelRule:
    """What holders of one set of labels are: the first of a round, and how much one may have of it (fen).

    ``labels`` is the set as the database writes it.
    """

    labels: str
    is_first: bool
    group_code: str
    tier: str
    most_fen: int
    quota_fen: int


@dataclass(frozen=True, slots=True)
class RankTerms:
    """How a round is to be ranked. ``left_over`` is the outcome of who is ranked and gets nothing."""

    round_id: int
    budget_id: int
    slug: str
    now: datetime
    pool_fen: int
    order: tuple[RankKey, ...]
    qualified: Sequence[str]
    rules: Sequence[LabelRule]
    left_over: RankOutcome


@dataclass(frozen=True, slots=True)
class Totals:
    """What a ranking came to; money in fen."""

    ranked: int
    excluded: int
    awarded: int
    waiting: int
    awarded_fen: int


class LabelsMoved(Exception):
    """An applicant's labels changed after the rules for each set of labels were asked: it has no line."""


async def label_sets(connection: BaseDBAsyncClient, round_id: int) -> list[str]:
    """The different sets of labels among a round's applicants, as the database writes them."""
    rows = await _ask(connection, LABEL_SETS, round_id, ApplicationStatus.STANDING.value)
    return [row["labels"] for row in rows]


async def rank(connection: BaseDBAsyncClient, terms: RankTerms) -> Totals:
    """Write the list of a round into ``ranking_entry``. Call it under the lock, once.

    Raises :class:`LabelsMoved`: the transaction is to be rolled back and begun anew.
    """
    if connection.capabilities.dialect == "postgres":
        await connection.execute_query(WORK_MEMORY)
    order = ", ".join((LAST, *(ORDER[key] for key in terms.order)))
    await _do(
        connection,
        RANK.replace("{order}", order),
        terms.round_id,
        json.dumps([asdict(one) for one in terms.rules], ensure_ascii=False),
        terms.budget_id,
        terms.slug,
        terms.now,
        LegalForm.INDIVIDUAL.value,
        RankOutcome.NOT_QUALIFIED.value,
        RankOutcome.BARRED.value,
        RankOutcome.QUOTA_USED.value,
        Party.ENTERPRISE.value,
        json.dumps(list(terms.qualified)),
        ApplicationStatus.STANDING.value,
        terms.pool_fen,
        RankOutcome.AWARDED.value,
        RankOutcome.PARTLY.value,
        terms.left_over.value,
    )
    (row,) = await _ask(
        connection, TOTALS, terms.round_id, RankOutcome.WAITING.value, ApplicationStatus.STANDING.value
    )
    if row["applied"] != row["ranked"] + row["excluded"]:
        raise LabelsMoved()
    return Totals(row["ranked"], row["excluded"], row["awarded"], row["waiting"], row["awarded_fen"])


async def issue(
    connection: BaseDBAsyncClient,
    round_id: int,
    *,
    numbers_after: int,
    actor: str,
    now: datetime,
    order_deadline: datetime | None,
    valid_until: datetime,
) -> None:
    """Write vouchers, ledger and journal for everybody on the list who was awarded something."""
    await _do(connection, VOUCHERS, round_id, numbers_after, now, order_deadline, valid_until)
    await _do(connection, LEDGER, round_id, now)
    await _do(connection, JOURNAL, round_id, now, actor)


async def tell(connection: BaseDBAsyncClient, round_id: int, *, now: datetime, clause: str) -> None:
    """Put a message for every applicant of a ranked round into the outbox."""
    await _do(connection, TELL_HOLDERS, round_id, now)
    await _do(connection, TELL_OTHERS, round_id, now, clause)


async def fingerprint(connection: BaseDBAsyncClient, head: ListHead) -> str:
    """The SHA-256 of a list in its canonical form (``rules/ranking_list.py``), hex."""
    if connection.capabilities.dialect == "postgres":
        (row,) = await _ask(connection, FINGERPRINT, head.round_id, head_line(head))
        return str(row["sha256"])
    digest, after = hashlib.sha256(head_line(head).encode()), 0
    while rows := await lines(connection, head.round_id, after=after, limit=LINES):
        digest.update("".join(map(line_of, rows)).encode())
        after = rows[-1]["position"]
    return digest.hexdigest()


async def lines(
    connection: BaseDBAsyncClient, round_id: int, *, after: int, limit: int
) -> list[dict[str, Any]]:
    """The next ``limit`` lines of a published list after a position, in order."""
    rows = await _ask(connection, LIST, round_id, after, limit)
    for row in rows:
        if isinstance(row["arrived_at"], str):
            row["arrived_at"] = datetime.fromisoformat(row["arrived_at"])
        row["priority"] = bool(row["priority"])
    return rows


async def _ask(connection: BaseDBAsyncClient, statement: str, *values: Any) -> list[dict[str, Any]]:
    return list(await connection.execute_query_dict(*_in_its_words(connection, statement, values)))


async def _do(connection: BaseDBAsyncClient, statement: str, *values: Any) -> None:
    await connection.execute_query(*_in_its_words(connection, statement, values))


def _in_its_words(
    connection: BaseDBAsyncClient, statement: str, values: Iterable[Any]
) -> tuple[str, list[Any]]:
    postgres = connection.capabilities.dialect == "postgres"
    for pattern, words in _POSTGRES if postgres else _SQLITE:
        statement = re.sub(pattern, words, statement)
    if postgres:
        return statement, list(values)
    # Instants as Tortoise writes them to SQLite.
    return statement, [str(one.astimezone(UTC)) if isinstance(one, datetime) else one for one in values]
