"""The verdict on a launch, from what the phones were told and what stands in the database, and nothing else.

``python -m bench.verdict --database URL --round ID --phones N --receipt-key KEY ANSWERS…`` reads the lines
that ``bench/phones.py`` wrote and asks PostgreSQL by SQL. It imports nothing of the server. It prints one
JSON object: counts, times, and every broken promise as a sentence.

Words: a *promise* is ``granted`` or ``already``; a *refusal* is any other final answer. Money is fen.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hmac
import json
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg

PROMISES = frozenset({"granted", "already"})
REFUSALS = frozenset({"sold_out", "not_eligible", "closed", "quota_used", "key_reused"})
FINAL = PROMISES | REFUSALS
PASSING = frozenset(
    {"pending", "not_open", "try_again", "too_many_requests", "service_unavailable", "paused"}
)
CLOCK_MS = 5
"""Instants are compared over three clocks of one machine, each read to the millisecond."""
SHOWN = 20

ROUND = """
SELECT r.id, r.budget_id, r.opens_at, r.pool_fen, r.issued_fen, r.issued_count, b.total_fen, b.allotted_fen
FROM round r JOIN budget b ON b.id = r.budget_id WHERE r.id = $1"""
VOUCHERS = """
SELECT id, enterprise_id, face_value_fen, granted_at, reserved_at FROM voucher
WHERE round_id = $1 ORDER BY id"""
ENTITLED = "SELECT enterprise_id, amount_fen FROM entitlement WHERE round_id = $1"
DECISIONS = "SELECT enterprise_id, grab_key, outcome, voucher_id FROM grab_decision WHERE round_id = $1"
ISSUED = """
SELECT voucher_id, sum(amount_fen)::bigint AS amount_fen, count(*) AS entries FROM ledger_entry
WHERE round_id = $1 AND movement = 'issue' AND debit = 'round' AND credit = 'available' GROUP BY voucher_id"""
BALANCE = """
SELECT coalesce(sum(CASE WHEN credit = $2 THEN amount_fen ELSE -amount_fen END), 0)::bigint FROM ledger_entry
WHERE budget_id = $1 AND (credit = $2 OR debit = $2) AND (credit <> debit)"""
NOTED = """
SELECT (SELECT count(*) FROM journal_entry WHERE action = 'voucher.granted') AS journal,
       (SELECT count(*) FROM outbox_message WHERE topic = 'voucher.granted') AS outbox"""


@dataclass(frozen=True, slots=True)
class Rows:
    """What the database says."""

    round: asyncpg.Record
    vouchers: list[asyncpg.Record]
    entitled: dict[int, int]
    decisions: dict[tuple[int, str], asyncpg.Record]
    issued: dict[int, tuple[int, int]]
    round_account_fen: int
    budget_account_fen: int
    noted: tuple[int, int]


@dataclass(slots=True)
class Verdict:
    """What was found; ``faults`` are sentences, and one is enough for the run to have failed."""

    oversold: int = 0
    undersold: int = 0
    lost: int = 0
    contradictory: int = 0
    excepted: int = 0
    """Refused while another copy of the same request was still under way: launch.md section 4."""
    early_refusals: int = 0
    faults: list[str] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)

    def fault(self, sentence: str) -> None:
        self.faults.append(sentence)


async def read_rows(url: str, round_id: int) -> Rows:
    """Everything the verdict needs of one round, read in one snapshot."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            row = await connection.fetchrow(ROUND, round_id)
            return Rows(
                row,
                await connection.fetch(VOUCHERS, round_id),
                dict(await connection.fetch(ENTITLED, round_id)),
                {
                    (one["enterprise_id"], one["grab_key"]): one
                    for one in await connection.fetch(DECISIONS, round_id)
                },
                {
                    one["voucher_id"]: (one["amount_fen"], one["entries"])
                    for one in await connection.fetch(ISSUED, round_id)
                },
                await connection.fetchval(BALANCE, row["budget_id"], "round"),
                await connection.fetchval(BALANCE, row["budget_id"], "budget"),
                tuple(await connection.fetchrow(NOTED)),
            )
    finally:
        await connection.close()


def judge(records: list[dict[str, Any]], rows: Rows, phones: int, receipt_key: bytes) -> Verdict:
    """Hold every answer against the rows, and the rows against each other."""
    verdict = Verdict()
    grabs = [one for one in records if one["kind"] in ("grab", "ask")]
    told = [one for one in grabs if one["answered"] is not None]
    _money(rows, verdict)
    _books(rows, verdict)
    _promises(told, rows, verdict)
    _refusals(told, rows, verdict)
    _windows(told, rows, verdict)
    _one_answer_a_key(grabs, rows, verdict)
    _nothing_lost(records, told, rows, verdict)
    _receipts(told, rows, receipt_key, verdict)
    _everybody_answered(grabs, told, phones, verdict)
    _readiness(records, rows, verdict)
    verdict.more |= _figures(grabs, told, rows)
    return verdict


def _money(rows: Rows, verdict: Verdict) -> None:
    """Not a voucher too many, not one too few."""
    pool_fen = rows.round["pool_fen"]
    faces = sorted(set(rows.entitled.values()))
    issued_fen = sum(one["face_value_fen"] for one in rows.vouchers)
    per_enterprise = Counter(one["enterprise_id"] for one in rows.vouchers)
    second_ones = sum(count - 1 for count in per_enterprise.values())
    beyond_fen = max(0, issued_fen - pool_fen)
    verdict.oversold = max(second_ones, math.ceil(beyond_fen / faces[0]))
    left_fen = pool_fen - issued_fen
    waiting = sorted(fen for enterprise, fen in rows.entitled.items() if enterprise not in per_enterprise)
    while waiting and waiting[0] <= left_fen:
        left_fen -= waiting.pop(0)
        verdict.undersold += 1
    for one in rows.vouchers:
        if rows.entitled.get(one["enterprise_id"]) != one["face_value_fen"]:
            verdict.fault(f"voucher {one['id']} is not what enterprise {one['enterprise_id']} is entitled to")


def _books(rows: Rows, verdict: Verdict) -> None:
    """Round, vouchers, ledger, journal and outbox say the same."""
    issued_fen = sum(one["face_value_fen"] for one in rows.vouchers)
    ledger_fen = sum(amount for amount, _ in rows.issued.values())
    pool_fen, round_fen = rows.round["pool_fen"], rows.round["issued_fen"]
    for what, have, should in (
        ("the round's issued money", round_fen, issued_fen),
        ("the round's count", rows.round["issued_count"], len(rows.vouchers)),
        ("money issued in the ledger", ledger_fen, issued_fen),
        ("the round's account", rows.round_account_fen, pool_fen - issued_fen),
        (
            "the budget's account",
            rows.budget_account_fen,
            rows.round["total_fen"] - rows.round["allotted_fen"],
        ),
        ("vouchers in the journal", rows.noted[0], len(rows.vouchers)),
        ("vouchers in the outbox", rows.noted[1], len(rows.vouchers)),
    ):
        if have != should:
            verdict.fault(f"books: {what}: {have} is not {should}")
    for one in rows.vouchers:
        if rows.issued.get(one["id"]) != (one["face_value_fen"], 1):
            verdict.fault(f"books: voucher {one['id']} is not issued exactly once in the ledger")


def _promises(told: list[dict[str, Any]], rows: Rows, verdict: Verdict) -> None:
    """Every promise names a row of that very enterprise, and a grant the key that won it."""
    owners = {one["id"]: one for one in rows.vouchers}
    for one in told:
        if one["answer"] not in PROMISES:
            continue
        voucher = one["document"]["voucher"]
        row = owners.get(voucher["id"])
        if row is None or row["enterprise_id"] != one["enterprise"]:
            verdict.fault(f"phone {one['phone']} was promised voucher {voucher['id']}, which is not its own")
        elif row["face_value_fen"] != voucher["face_value_fen"]:
            verdict.fault(
                f"phone {one['phone']} was told another face value than voucher {voucher['id']} has"
            )
        decision = rows.decisions.get((one["enterprise"], one["key"]))
        if one["answer"] == "granted" and (decision is None or decision["outcome"] != "granted"):
            verdict.fault(
                f"phone {one['phone']}: {one['key']} was told granted, and that is not what is stored"
            )


def _refusals(told: list[dict[str, Any]], rows: Rows, verdict: Verdict) -> None:
    """Nobody is told "sold out" while there is money, nor "not eligible" without reason."""
    granted = sorted((_ms(one["granted_at"]), one["face_value_fen"]) for one in rows.vouchers)
    left_fen, sold = rows.round["pool_fen"], 0
    refusals = [one for one in told if one["answer"] == "sold_out"]
    for one in sorted(refusals, key=lambda one: _ms(one["document"]["told_at"])):
        told_ms = _ms(one["document"]["told_at"]) + CLOCK_MS
        while sold < len(granted) and granted[sold][0] <= told_ms:
            left_fen -= granted[sold][1]
            sold += 1
        amount_fen = rows.entitled.get(one["enterprise"])
        if amount_fen is not None and left_fen >= amount_fen:
            verdict.early_refusals += 1
    for one in told:
        entitled = one["enterprise"] in rows.entitled
        if one["answer"] == "not_eligible":
            if entitled:
                verdict.fault(f"phone {one['phone']} is entitled and was told it is not")
            elif not one["document"].get("unmet"):
                verdict.fault(f"phone {one['phone']} was told it is not eligible, without a reason")


def _windows(told: list[dict[str, Any]], rows: Rows, verdict: Verdict) -> None:
    """Nothing before the opening, and "not open" only then, with the seconds that are left."""
    opens_ms = _ms(rows.round["opens_at"])
    for one in rows.vouchers:
        if _ms(one["reserved_at"]) < opens_ms:
            verdict.fault(f"voucher {one['id']} was reserved before the opening")
    for one in told:
        if one["answer"] == "not_open":
            left_ms = opens_ms - _ms(one["document"]["told_at"])
            seconds = one["document"]["retry_after"]
            if left_ms <= 0 or not left_ms <= seconds * 1000 < left_ms + 1001:
                verdict.fault(f"phone {one['phone']} was told to wait {seconds} s with {left_ms} ms left")


def _one_answer_a_key(grabs: list[dict[str, Any]], rows: Rows, verdict: Verdict) -> None:
    """One key, one final answer: over all its sendings, and against what is stored under it."""
    sendings: dict[tuple[int, str], list[dict[str, Any]]] = defaultdict(list)
    for one in grabs:
        sendings[one["enterprise"], one["key"]].append(one)
    for (enterprise, key), sent in sendings.items():
        final = [one for one in sent if one["answered"] is not None and one["answer"] in FINAL]
        promised = {one["document"]["voucher"]["id"] for one in final if one["answer"] in PROMISES}
        refused = [one for one in final if one["answer"] in REFUSALS]
        stored = rows.decisions.get((enterprise, key))
        if stored is not None and stored["voucher_id"] is not None:
            promised.add(stored["voucher_id"])
        if len(promised) > 1 or len({one["answer"] for one in refused}) > 1:
            verdict.contradictory += 1
        elif promised and refused:
            if all(_another_was_under_way(one, sent) for one in refused):
                verdict.excepted += 1
            else:
                verdict.contradictory += 1


def _another_was_under_way(refused: dict[str, Any], sent: Iterable[dict[str, Any]]) -> bool:
    """Whether another sending of the same key had left and was not answered when this was refused.

    One whose answer never came may be under way for as long as it likes.
    """
    return any(
        one is not refused
        and one["sent"] < refused["answered"]
        and (one["answered"] is None or one["answered"] > refused["answered"])
        for one in sent
    )


def _nothing_lost(
    records: list[dict[str, Any]], told: list[dict[str, Any]], rows: Rows, verdict: Verdict
) -> None:
    """Every row was told to somebody, or is found by asking: with the same key, or in the wallet."""
    known = {one["document"]["voucher"]["id"] for one in told if one["answer"] in PROMISES}
    in_wallets = {
        voucher["id"]
        for one in records
        if one["kind"] == "wallet" and one["answered"] is not None and one["status"] == 200
        for voucher in one["document"]["vouchers"]
    }
    rows_there = {one["id"] for one in rows.vouchers}
    verdict.lost = len(rows_there - known - in_wallets)
    verdict.more["found only by asking"] = len((rows_there - known) & in_wallets)
    if not rows_there <= in_wallets:
        verdict.fault(f"{len(rows_there - in_wallets)} vouchers are in nobody's wallet")


def _receipts(told: list[dict[str, Any]], rows: Rows, receipt_key: bytes, verdict: Verdict) -> None:
    """Every answer to a grab carries a receipt that says the same and that we really wrote."""
    checked = 0
    for one in told:
        if one["answer"] not in FINAL | {"pending", "not_open", "try_again"}:
            continue
        receipt = one["document"].get("receipt", "")
        facts, _, mac = receipt.rpartition(".")
        digest = hmac.digest(receipt_key, facts.encode(), "sha256")[:16]
        genuine = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        prefix = f"q1.{rows.round['id']}.{one['enterprise']}.{one['key']}.{one['answer']}."
        if mac != genuine or not facts.startswith(prefix):
            verdict.fault(f"phone {one['phone']} has a receipt that does not fit its answer {one['answer']}")
        checked += 1
    verdict.more["receipts checked"] = checked


def _everybody_answered(
    grabs: list[dict[str, Any]], told: list[dict[str, Any]], phones: int, verdict: Verdict
) -> None:
    """Every copy that every phone sent came to something final, and nobody heard anything unheard-of."""
    pressed = {(one["phone"], one["copy"]) for one in grabs}
    answered = {(one["phone"], one["copy"]) for one in told if one["answer"] in FINAL}
    if len({phone for phone, _ in pressed}) != phones:
        verdict.fault(f"{len({phone for phone, _ in pressed})} phones pressed, not {phones}")
    if pressed - answered:
        verdict.fault(f"{len(pressed - answered)} phones never got a final answer")
    for one in told:
        if one["answer"] not in FINAL | PASSING:
            verdict.fault(f"phone {one['phone']} heard {one['status']} {one['answer']}")


def _readiness(records: list[dict[str, Any]], rows: Rows, verdict: Verdict) -> None:
    """What a phone was told beforehand is what counted in the minute."""
    for one in records:
        if one["kind"] == "readiness" and one["answered"] is not None:
            ready = one["status"] == 200 and one["document"]["ready"]
            if ready != (one["enterprise"] in rows.entitled):
                verdict.fault(f"phone {one['phone']} was told ready={ready} beforehand, which was not so")


def _figures(grabs: list[dict[str, Any]], told: list[dict[str, Any]], rows: Rows) -> dict[str, Any]:
    waits = sorted(one["answered"] - one["sent"] for one in told if one["kind"] == "grab")
    finals: dict[tuple[int, int], float] = {}
    for one in told:
        if one["answer"] in FINAL:
            finals.setdefault((one["phone"], one["copy"]), one["answered"])
    firsts: dict[tuple[int, int], float] = {}
    for one in grabs:
        firsts.setdefault((one["phone"], one["copy"]), one["pressed"])
    until_final = sorted(at - firsts[who] for who, at in finals.items())
    return {
        "granted": len(rows.vouchers),
        "granted_fen": sum(one["face_value_fen"] for one in rows.vouchers),
        "requests": len(grabs),
        "unanswered": len(grabs) - len(told),
        "answers": dict(Counter(one["answer"] for one in told).most_common()),
        "p50": _part(waits, 0.5),
        "p99": _part(waits, 0.99),
        "slowest": _part(waits, 1.0),
        "final_p50": _part(until_final, 0.5),
        "final_p99": _part(until_final, 0.99),
        "final_slowest": _part(until_final, 1.0),
        "last_final": max(finals.values(), default=0.0),
    }


def _part(ordered: list[float], share: float) -> float:
    """The value below which this share of the sorted values lies; seconds."""
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def _ms(at: datetime | str) -> int:
    instant = datetime.fromisoformat(at) if isinstance(at, str) else at
    return math.floor(instant.timestamp() * 1000)


def _lines(files: Iterable[Path]) -> Iterator[dict[str, Any]]:
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def main() -> int:
    """Judge one run; exit status 1 when anything is wrong with it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--round", type=int, required=True)
    parser.add_argument("--phones", type=int, required=True)
    parser.add_argument("--receipt-key", required=True)
    parser.add_argument("answers", nargs="+", type=Path)
    chosen = parser.parse_args()
    rows = asyncio.run(read_rows(chosen.database, chosen.round))
    verdict = judge(list(_lines(chosen.answers)), rows, chosen.phones, chosen.receipt_key.encode())
    faults = verdict.faults[:SHOWN]
    if verdict.early_refusals:
        faults.append(f"{verdict.early_refusals} were told sold out while there was money for them")
    passed = not (verdict.faults or verdict.early_refusals) and not (
        verdict.oversold or verdict.undersold or verdict.lost or verdict.contradictory
    )
    found = {
        "passed": passed,
        "oversold": verdict.oversold,
        "undersold": verdict.undersold,
        "lost": verdict.lost,
        "contradictory": verdict.contradictory,
        "excepted": verdict.excepted,
        "books": not any(fault.startswith("books:") for fault in verdict.faults),
        "faults": faults,
        **verdict.more,
    }
    print(json.dumps(found))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
