"""Day statement: what is signed for a day of the journal, and what its signature is checked against.

One document (``rules/hash_chain.py`` says how it is written) names the day, what it covers, the root over it
and the hash of the statement before it. So nobody can change, drop or move a day without changing every later
one, and one hash kept elsewhere vouches for everything before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from server.rules.hash_chain import canonical, digest

STATEMENT_DOMAIN = "qiquan-day-root-v1"


@dataclass(frozen=True, slots=True)
class Statement:
    """A day and everything under its root. Places count from 1 over everything that was ever sealed."""

    number: int
    day: date
    first_place: int
    last_place: int
    first_entry: int
    last_entry: int
    root: str
    previous: str

    @property
    def count(self) -> int:
        return self.last_place - self.first_place + 1


def statement_document(said: Statement) -> dict[str, Any]:
    """The statement as a document."""
    return {
        "number": said.number,
        "day": said.day.isoformat(),
        "count": said.count,
        "first_place": said.first_place,
        "last_place": said.last_place,
        "first_entry": said.first_entry,
        "last_entry": said.last_entry,
        "root": said.root,
        "previous": said.previous,
    }


def signed_bytes(said: Statement) -> bytes:
    """What the signature is over: the domain, a line feed, the document."""
    return STATEMENT_DOMAIN.encode("ascii") + b"\n" + canonical(statement_document(said))


def statement_hash(said: Statement) -> str:
    """SHA-256 of the same bytes: what is anchored, and what the next day's statement names."""
    return digest(STATEMENT_DOMAIN, canonical(statement_document(said)))
