"""Sealing: what is sealed cannot be read or changed without the key, and can be found by its blind index."""

from __future__ import annotations

from base64 import urlsafe_b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.sealing import SEALED_LENGTH, NotSealedByUs, Sealer

OLD, NEW = "the old secret of this test, long enough", "the new secret of this test, long enough"
SEALER = Sealer({"2026a": OLD})
PHONE = "13812345678"


@given(st.text(max_size=200))
def test_what_was_sealed_is_opened_again(text: str) -> None:
    assert SEALER.open(SEALER.seal(text)) == text


def test_what_is_sealed_shows_nothing_and_is_never_the_same_twice() -> None:
    first, second = SEALER.seal(PHONE), SEALER.seal(PHONE)
    assert first != second
    assert PHONE not in first and PHONE.encode() not in urlsafe_b64decode(first.partition(".")[2])


def test_a_column_is_long_enough_for_what_people_write() -> None:
    assert len(Sealer({"k" * 32: OLD}).seal("字" * 80)) <= SEALED_LENGTH


def test_every_single_altered_letter_is_noticed() -> None:
    sealed = SEALER.seal(PHONE)
    for place in range(len("2026a."), len(sealed)):
        other = "A" if sealed[place] > "A" else "z"
        with pytest.raises(NotSealedByUs):
            SEALER.open(sealed[:place] + other + sealed[place + 1 :])


@pytest.mark.parametrize("sealed", ["2026a", "2026a.", "2026a.AAAA", "2026b.AAAA", "no dot", "2026a.字", "."])
def test_what_we_did_not_seal_is_not_opened(sealed: str) -> None:
    with pytest.raises(NotSealedByUs):
        SEALER.open(sealed)


def test_a_failure_to_open_shows_neither_the_key_nor_the_text() -> None:
    with pytest.raises(NotSealedByUs) as refused:
        Sealer({"2026a": NEW}).open(SEALER.seal(PHONE))
    assert refused.value.__cause__ is None
    assert not any(secret in repr(refused.value) for secret in (PHONE, OLD, NEW))


def test_a_key_is_changed_by_putting_a_new_one_first() -> None:
    sealed, blind = SEALER.seal(PHONE), SEALER.blind(PHONE)
    both = Sealer({"2026b": NEW, "2026a": OLD})
    assert both.open(sealed) == PHONE
    assert both.seal(PHONE).startswith("2026b.")
    assert both.blinds(PHONE) == [both.blind(PHONE), blind]
    with pytest.raises(NotSealedByUs):
        Sealer({"2026b": NEW}).open(sealed)


def test_a_sealed_text_cannot_be_passed_off_as_another_keys() -> None:
    twins = Sealer({"a": OLD, "b": OLD})
    sealed = twins.seal(PHONE)
    with pytest.raises(NotSealedByUs):
        twins.open("b." + sealed.partition(".")[2])


def test_the_blind_index_finds_what_is_equal_and_needs_the_key() -> None:
    assert SEALER.blind(PHONE) == SEALER.blind(PHONE) != SEALER.blind(PHONE + "0")
    assert len(SEALER.blind(PHONE)) == 64
    assert Sealer({"2026a": NEW}).blind(PHONE) != SEALER.blind(PHONE)


@pytest.mark.parametrize("keys", [{}, {"a": "short"}, {"": OLD}, {"a.b": OLD}, {"k" * 33: OLD}])
def test_unusable_keys_are_refused(keys: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        Sealer(keys)
