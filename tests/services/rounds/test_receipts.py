"""Receipts: what was told can be shown and checked, and nothing in it can be changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from server.services.rounds.receipts import Receipt, ReceiptInvalid, Receipts

KEY = b"a receipt key of this test, long enough"
FACTS: dict[str, Any] = {
    "round_id": 12,
    "enterprise_id": 345,
    "grab_key": "9f" * 16,
    "answer": "sold_out",
    "told_ms": 1_779_069_600_123,
    "place": "1779069600120-0",
    "position": 17,
}
TOLD = Receipt(**FACTS)
OTHER: dict[str, Any] = {
    "round_id": 13,
    "enterprise_id": 346,
    "grab_key": "9e" * 16,
    "answer": "granted",
    "told_ms": 1_779_069_600_124,
    "place": "1779069600120-1",
    "position": 16,
}


def test_a_receipt_says_what_was_told_and_when() -> None:
    receipts = Receipts(KEY)
    assert receipts.check(receipts.write(TOLD)) == TOLD
    assert TOLD.told_at == datetime(2026, 5, 18, 2, 0, 0, 123_000, tzinfo=UTC)
    nowhere = Receipt(**FACTS | {"place": "", "position": 0})
    assert receipts.check(receipts.write(nowhere)) == nowhere


def test_every_field_of_a_receipt_is_under_its_hash() -> None:
    receipts = Receipts(KEY)
    text = receipts.write(TOLD)
    assert OTHER.keys() == FACTS.keys() == Receipt.__annotations__.keys()
    for name, value in OTHER.items():
        forged = receipts.write(Receipt(**FACTS | {name: value})).rpartition(".")[0]
        with pytest.raises(ReceiptInvalid):
            receipts.check(f"{forged}.{text.rpartition('.')[2]}")


def test_no_character_of_a_receipt_can_be_changed() -> None:
    receipts = Receipts(KEY)
    text = receipts.write(TOLD)
    for place, letter in enumerate(text):
        changed = text[:place] + ("x" if letter != "x" else "y") + text[place + 1 :]
        with pytest.raises(ReceiptInvalid):
            receipts.check(changed)


@pytest.mark.parametrize(
    "text", ["", ".", "q1", "q1.1.2.3.4.5.6.7", "一二三", "q1.." + "9" * 290, "\x00", "a" * 22, "." * 9]
)
def test_what_was_never_a_receipt_is_refused(text: str) -> None:
    with pytest.raises(ReceiptInvalid):
        Receipts(KEY).check(text)


def test_a_receipt_of_another_key_is_refused() -> None:
    with pytest.raises(ReceiptInvalid):
        Receipts(KEY).check(Receipts(KEY + b"!").write(TOLD))
