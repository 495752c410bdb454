"""The journal's arithmetic: documents written in one way, chains, trees and what is signed for a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from server.rules import merkle
from server.rules.day_statements import Statement, signed_bytes, statement_hash
from server.rules.hash_chain import GENESIS, Deed, canonical, chain, digest, link
from server.rules.personal_data import without_numbers
from tools import verify_case

AT = datetime(2026, 3, 1, 2, 3, 4, 5, UTC)
DEED = Deed(7, AT, "order.moved", "staff:3", "order:1", "p", {"理由": 'a"\n'})
LEAVES = [sha256(str(number).encode()).hexdigest() for number in range(40)]

pytestmark = pytest.mark.rules("GX-70")


def test_a_document_is_written_in_one_way_that_any_language_can_repeat() -> None:
    written = canonical({"b": [1, True, None, 1.5], "a": "é\u7406\U0001f600\x7f\t"})
    assert written == rb'{"a":"\u00e9\u7406\ud83d\ude00\u007f\t","b":[1,true,null,1.5]}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical(float("nan"))


def test_the_hash_of_a_link_is_this_for_good() -> None:
    # What was sealed years ago must verify: a change of how it is written shows here.
    first = link(DEED, 1, GENESIS)
    document = (
        b'{"action":"order.moved","actor":"staff:3","at":"2026-03-01T02:03:04.000005Z",'
        b'"data":{"\\u7406\\u7531":"a\\"\\n"},"id":7,"previous":"' + b"0" * 64 + b'","programme":"p",'
        b'"seq":1,"subject":"order:1"}'
    )
    assert first.hash == sha256(b"qiquan-journal-link-v1\n" + document).hexdigest()
    assert first.hash != digest("qiquan-day-root-v1", document)


@pytest.mark.parametrize(
    "other",
    [
        {"id": 8},
        {"at": datetime(2026, 3, 1, 2, 3, 4, 6, UTC)},
        {"action": "order.moves"},
        {"actor": "staff:4"},
        {"subject": "order:2"},
        {"programme_slug": "q"},
        {"data": {"理由": 'a"'}},
    ],
    ids=str,
)
def test_every_part_of_a_deed_is_in_its_hash(other: dict[str, Any]) -> None:
    assert link(replace(DEED, **other), 1, GENESIS).hash != link(DEED, 1, GENESIS).hash


def test_each_subject_is_chained_by_itself_and_goes_on_where_it_was() -> None:
    deeds = [replace(DEED, id=number, subject=f"order:{number % 2}") for number in range(4)]
    whole = chain(deeds, {})
    assert [one.seq for one in whole] == [1, 1, 2, 2]
    assert [one.previous for one in whole[2:]] == [whole[0].hash, whole[1].hash]
    heads = {"order:0": whole[0], "order:1": whole[1]}
    assert chain(deeds[2:], heads) == whole[2:]


def test_a_tree_is_that_of_the_standard() -> None:
    # RFC 6962, 2.1.3: a tree of seven leaves, split at the largest power of two below.
    level = [merkle.leaf(one) for one in LEAVES[:7]]
    g, h, i = (merkle.node(level[at], level[at + 1]) for at in (0, 2, 4))
    k, m = merkle.node(g, h), merkle.node(i, level[6])
    assert merkle.root(LEAVES[:7]) == merkle.node(k, m).hex()
    assert merkle.root([]) == sha256(b"").hexdigest()
    assert merkle.paths(LEAVES[:7], [6]) == [[i.hex(), k.hex()]]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 33])
def test_every_leaf_proves_its_place_and_no_other(size: int) -> None:
    root = merkle.root(LEAVES[:size])
    for place, path in enumerate(merkle.paths(LEAVES[:size], range(size))):
        assert verify_case.root_through(LEAVES[place], place, size, path) == root
        assert verify_case.root_through(LEAVES[39], place, size, path) != root
        assert verify_case.root_through(LEAVES[place], place, size, [*path, GENESIS]) is None
        assert size == 1 or verify_case.root_through(LEAVES[place], place, size, path[:-1]) != root
        assert size == 1 or verify_case.root_through(LEAVES[place], place ^ 1, size, path) != root
    assert verify_case.root_through(LEAVES[0], size, size, []) is None
    with pytest.raises(IndexError):
        merkle.paths(LEAVES[:size], [size])


def test_a_statement_names_everything_it_is_signed_for() -> None:
    said = Statement(2, date(2026, 3, 1), 11, 20, 101, 140, LEAVES[0], LEAVES[1])
    assert said.count == 10
    assert sha256(signed_bytes(said)).hexdigest() == statement_hash(said)
    for other in ({"number": 3}, {"day": date(2026, 3, 2)}, {"root": LEAVES[2]}, {"previous": LEAVES[2]}):
        assert statement_hash(replace(said, **other)) != statement_hash(said)


@settings(max_examples=12, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=200), at=st.integers(0, 511))
def test_the_verifier_s_ed25519_agrees_with_the_library(seed: bytes, message: bytes, at: int) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert verify_case.signed(public, signature, message)
    flipped = bytearray(signature)
    flipped[at // 8] ^= 1 << at % 8
    assert not verify_case.signed(public, bytes(flipped), message)
    assert not verify_case.signed(public, signature, message + b"!")
    # The same point under a larger number would be a second signature of the same bytes.
    s = int.from_bytes(signature[32:], "little") + verify_case.ORDER
    assert not verify_case.signed(public, signature[:32] + s.to_bytes(33, "little")[:32], message)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("电话13812345678", "电话***"),
        ("身份证330106199001011234。", "身份证***。"),
        ("33010619900101123x", "***"),
        ("发票号20138123456780", "发票号20138123456780"),
        ("代码91330100MA27ABCD0X", "代码91330100MA27ABCD0X"),
    ],
)
def test_numbers_that_name_somebody_are_masked_and_others_left(text: str, masked: str) -> None:
    assert without_numbers(text) == masked
