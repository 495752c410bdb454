"""Hash chain: one deed of the journal as bytes, and the hash that binds it to the deed before it.

The bytes of anything that is hashed or signed here
----------------------------------------------------
A *document* is JSON written in one way only, so that it can be made again in any language:

- UTF-8, which is ASCII here: every character outside of space … ``~`` and every ``"`` and ``\\`` is escaped:
  ``\\"``, ``\\\\``, ``\\n``, ``\\r``, ``\\t``, ``\\f``, ``\\b``, any other as ``\\u`` and four lower-case
  hexadecimal digits for each of its UTF-16 units.
- Names of an object in the order of their code points, each once; no white space anywhere.
- Whole numbers as plain decimal digits. A number with a fraction as the shortest decimal that reads back as
  the same double, as Python and ECMAScript write it. No ``NaN``, no infinity.
- Instants are texts in UTC with six digits: ``2026-03-01T02:03:04.000005Z``.

A *hash* is SHA-256 over a line that says what is hashed (its domain), a line feed, and the document; so no
link can be passed off as the root of a day, or the other way round.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

LINK_DOMAIN = "qiquan-journal-link-v1"
GENESIS = "0" * 64
"""What stands before the first link."""


@dataclass(frozen=True, slots=True)
class Deed:
    """A journal entry as it is sealed: all of it."""

    id: int
    at: datetime
    action: str
    actor: str
    subject: str
    programme_slug: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Link:
    """A deed's place in the chain of its subject."""

    seq: int
    previous: str
    hash: str


def canonical(value: Any) -> bytes:
    """A document's bytes. Raises ``ValueError`` for what JSON cannot say."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    ).encode("ascii")


def instant(at: datetime) -> str:
    """An instant as documents write it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def digest(domain: str, document: bytes) -> str:
    """The hash of a document under its domain: 64 hexadecimal digits."""
    return sha256(domain.encode("ascii") + b"\n" + document).hexdigest()


def link_document(deed: Deed, seq: int, previous: str) -> dict[str, Any]:
    """What is hashed for a link: the deed, where it stands, and the hash before it."""
    return {
        "id": deed.id,
        "at": instant(deed.at),
        "action": deed.action,
        "actor": deed.actor,
        "subject": deed.subject,
        "programme": deed.programme_slug,
        "data": deed.data,
        "seq": seq,
        "previous": previous,
    }


def link(deed: Deed, seq: int, previous: str) -> Link:
    """Chain one deed after ``previous`` (:data:`GENESIS` for a subject's first)."""
    return Link(seq, previous, digest(LINK_DOMAIN, canonical(link_document(deed, seq, previous))))


def chain(deeds: Iterable[Deed], heads: Mapping[str, Link]) -> list[Link]:
    """Chain deeds in the order given, each after the last of its subject; ``heads`` are the last so far."""
    last = dict(heads)
    links: list[Link] = []
    for deed in deeds:
        head = last.get(deed.subject)
        made = link(deed, head.seq + 1 if head else 1, head.hash if head else GENESIS)
        last[deed.subject] = made
        links.append(made)
    return links
