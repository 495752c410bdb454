"""The verdict on a launch can find fault: every kind of broken promise is planted and must be found.

The launch here is the smallest there is: money for one voucher, a winner who asked twice, a loser, and
one who is not entitled. Its answers and rows are written down by hand.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bench.verdict import Rows, Verdict, judge

KEY = b"a-key-for-the-receipts-of-this-test"
OPENS = datetime(2026, 5, 18, 2, 0, tzinfo=UTC)
ROUND, FACE_FEN = 7, 1_000_000
WINNER, LOSER, STRANGER = 1, 2, 3
Records = list[dict[str, Any]]


def after(seconds: float) -> datetime:
    return OPENS + timedelta(seconds=seconds)


def said(enterprise: int, answer: str, at: float, *, key: str = "", **document: Any) -> dict[str, Any]:
    """One sending of the phone of the same number, answered a tenth of a second later."""
    key = key or f"{enterprise:032x}"
    facts = f"q1.{ROUND}.{enterprise}.{key}.{answer}.0..0"
    mac = base64.urlsafe_b64encode(hmac.digest(KEY, facts.encode(), "sha256")[:16]).decode().rstrip("=")
    return {
        "kind": "grab",
        "phone": enterprise,
        "enterprise": enterprise,
        "copy": 0,
        "attempt": 1,
        "key": key,
        "pressed": at,
        "sent": at,
        "answered": at + 0.1,
        "status": 200,
        "answer": answer,
        "document": {"told_at": after(at + 0.05).isoformat(), "receipt": f"{facts}.{mac}", **document},
    }


def granted(answer: str, at: float, *, voucher: int = 1) -> dict[str, Any]:
    return said(WINNER, answer, at, voucher={"id": voucher, "face_value_fen": FACE_FEN})


def wallet(enterprise: int, *vouchers: int) -> dict[str, Any]:
    one = said(enterprise, "", 5.0)
    return {**one, "kind": "wallet", "document": {"vouchers": [{"id": each} for each in vouchers]}}


def launch() -> tuple[Records, Rows]:
    """A launch in which everything went as it should."""
    records = [
        said(LOSER, "not_open", -0.5, key="e" * 32, retry_after=1),
        granted("granted", 0.1),
        said(LOSER, "sold_out", 0.4),
        said(STRANGER, "not_eligible", 0.4, unmet=[{"code": "not_qualified"}]),
        granted("granted", 1.0),
        wallet(WINNER, 1),
    ]
    voucher = {
        "id": 1,
        "enterprise_id": WINNER,
        "face_value_fen": FACE_FEN,
        "granted_at": after(0.15),
        "reserved_at": after(0.12),
    }
    decision = {"enterprise_id": WINNER, "grab_key": f"{WINNER:032x}", "outcome": "granted", "voucher_id": 1}
    row: Any = {
        "id": ROUND,
        "budget_id": 1,
        "opens_at": OPENS,
        "pool_fen": FACE_FEN,
        "issued_fen": FACE_FEN,
        "issued_count": 1,
        "total_fen": 2 * FACE_FEN,
        "allotted_fen": FACE_FEN,
    }
    decisions: Any = {(WINNER, decision["grab_key"]): decision}
    vouchers: Any = [voucher]
    entitled = {WINNER: FACE_FEN, LOSER: FACE_FEN}
    return records, Rows(row, vouchers, entitled, decisions, {1: (FACE_FEN, 1)}, 0, FACE_FEN, (1, 1))


def verdict_on(records: Records, rows: Rows) -> Verdict:
    return judge(records, rows, 3, KEY)


def is_clean(verdict: Verdict) -> bool:
    counts = (
        verdict.oversold,
        verdict.undersold,
        verdict.lost,
        verdict.contradictory,
        verdict.early_refusals,
    )
    return not any(counts) and not verdict.faults


def test_control_a_launch_that_went_well_is_found_to_have_gone_well() -> None:
    verdict = verdict_on(*launch())
    assert is_clean(verdict), verdict.faults
    assert verdict.more["granted"] == 1
    assert verdict.more["answers"] == {"granted": 2, "not_open": 1, "sold_out": 1, "not_eligible": 1}


Planted = Callable[[Records, Rows], Rows]


def a_second_voucher(records: Records, rows: Rows) -> Rows:
    other: Any = {**rows.vouchers[0], "id": 2, "enterprise_id": LOSER}
    return replace(rows, vouchers=[*rows.vouchers, other])


def none_granted(records: Records, rows: Rows) -> Rows:
    records[:] = [one for one in records if one["enterprise"] != WINNER or one["kind"] == "wallet"]
    return replace(rows, vouchers=[])


def nobody_knows(records: Records, rows: Rows) -> Rows:
    records[:] = [one for one in records if one["enterprise"] != WINNER]
    return rows


def two_minds(records: Records, rows: Rows) -> Rows:
    records.append(said(WINNER, "sold_out", 2.0))
    return rows


def two_reasons(records: Records, rows: Rows) -> Rows:
    records.append(said(STRANGER, "sold_out", 2.0))
    return rows


def told_no_stored_yes(records: Records, rows: Rows) -> Rows:
    records[:] = [said(WINNER, "sold_out", 0.4), *(one for one in records if one["enterprise"] != WINNER)]
    return rows


def sold_out_too_soon(records: Records, rows: Rows) -> Rows:
    records.append(said(LOSER, "sold_out", 0.01, key="f" * 32))
    return rows


COUNTED: dict[str, tuple[Planted, str]] = {
    "a voucher too many": (a_second_voucher, "oversold"),
    "a voucher too few": (none_granted, "undersold"),
    "a voucher nobody knows of": (nobody_knows, "lost"),
    "granted, then refused": (two_minds, "contradictory"),
    "refused for two reasons": (two_reasons, "contradictory"),
    "refused, and stored as granted": (told_no_stored_yes, "contradictory"),
    "refused while there was money": (sold_out_too_soon, "early_refusals"),
}


@pytest.mark.parametrize("planted", COUNTED)
def test_the_verdict_counts(planted: str) -> None:
    plant, counter = COUNTED[planted]
    records, rows = launch()
    rows = plant(records, rows)
    assert getattr(verdict_on(records, rows), counter) == 1


def changed_row(**values: Any) -> Planted:
    def plant(records: Records, rows: Rows) -> Rows:
        row: Any = {**rows.round, **values}
        return replace(rows, round=row)

    return plant


def changed_answer(number: int, **values: Any) -> Planted:
    def plant(records: Records, rows: Rows) -> Rows:
        records[number] = {**records[number], **values}
        return rows

    return plant


def changed_document(number: int, **values: Any) -> Planted:
    def plant(records: Records, rows: Rows) -> Rows:
        records[number]["document"] |= values
        return rows

    return plant


def reserved_before_the_opening(records: Records, rows: Rows) -> Rows:
    early: Any = [{**rows.vouchers[0], "reserved_at": after(-0.01)}]
    return replace(rows, vouchers=early)


FAULTS: dict[str, tuple[Planted, str]] = {
    "a promise without a row": (changed_document(1, voucher={"id": 9, "face_value_fen": 1}), "not its own"),
    "another face value": (changed_document(1, voucher={"id": 1, "face_value_fen": 1}), "another face value"),
    "granted to another key": (changed_answer(4, key="d" * 32), "not what is stored"),
    "a forged receipt": (changed_document(2, receipt="q1.7.2.x.sold_out.0..0.AAAA"), "receipt"),
    "no receipt": (changed_document(2, receipt=""), "receipt"),
    "never answered": (changed_answer(2, answered=None), "never got a final answer"),
    "an error": (changed_answer(2, status=500, answer="internal_error"), "heard 500"),
    "no reason": (changed_document(3, unmet=[]), "without a reason"),
    "a wrong wait": (changed_document(0, retry_after=3), "told to wait"),
    "a head start": (reserved_before_the_opening, "before the opening"),
    "no voucher in the wallet": (changed_document(5, vouchers=[]), "in nobody's wallet"),
    "a counter of the round": (changed_row(issued_fen=2 * FACE_FEN), "books: the round's issued money"),
    "a number of the round": (changed_row(issued_count=2), "books: the round's count"),
    "a year that has other money": (changed_row(total_fen=FACE_FEN), "books: the budget's account"),
    "no entry in the ledger": (lambda _, rows: replace(rows, issued={}), "books: money issued"),
    "two entries": (lambda _, rows: replace(rows, issued={1: (FACE_FEN, 2)}), "exactly once"),
    "an account that is not empty": (lambda _, rows: replace(rows, round_account_fen=1), "round's account"),
    "no word in the journal": (lambda _, rows: replace(rows, noted=(0, 1)), "books: vouchers in the journal"),
    "nothing in the outbox": (lambda _, rows: replace(rows, noted=(1, 0)), "books: vouchers in the outbox"),
}


@pytest.mark.parametrize("planted", FAULTS)
def test_the_verdict_names(planted: str) -> None:
    plant, words = FAULTS[planted]
    records, rows = launch()
    rows = plant(records, rows)
    assert any(words in fault for fault in verdict_on(records, rows).faults)


def test_a_refusal_beside_a_copy_that_was_still_under_way_is_counted_apart() -> None:
    """The one exception of launch.md section 4: a duplicate of the same request wins a moment later."""
    records, rows = launch()
    records[1] = {**records[1], "answered": 0.9}
    records.append({**said(WINNER, "sold_out", 0.5), "copy": 1})
    verdict = verdict_on(records, rows)
    assert (verdict.contradictory, verdict.excepted) == (0, 1)
