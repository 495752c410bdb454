"""Public notices: what waits for one, from which day its working days count, and what of a line is shown.

A notice is shown in every channel that its programme names, and counts from the last of them. What it said is
frozen with a hash, so that anybody can prove years later what stood on it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any

from server.programme.review import ReviewSubject

GATHERED = frozenset({ReviewSubject.SETTLEMENT})
"""What is put up together: its cases wait at the notice until somebody publishes one with them. Everything
else goes up by itself, one case a notice."""

HIDDEN = "*"
SHOWN_HEAD, SHOWN_TAIL = 4, 4


class NoticeKind(StrEnum):
    """What a notice is there for."""

    OBJECTION = "objection"
    """Before anything is decided for good: whoever may object, can."""
    RESULT = "result"
    """Afterwards: what was paid is published, and nobody is asked."""


class NoticeStatus(StrEnum):
    """The state of a notice."""

    DRAFT = "draft"
    STANDING = "standing"
    """Published; its days run, or begin with the last of its channels."""
    OVER = "over"
    """Its days are over. It stays to be read."""
    WITHDRAWN = "withdrawn"
    """Taken down before its end, with a reason. It stays to be read."""


class LineOutcome(StrEnum):
    """What became of one line of a notice."""

    OVER = "over"
    """The days went by."""
    REFUSED = "refused"
    """An objection was upheld."""
    TAKEN_DOWN = "taken_down"
    """The notice was withdrawn, and the case waits for another."""


def masked_code(code: str) -> str:
    """A Unified Social Credit Code with its middle hidden: enough to tell two of one name apart."""
    hidden = len(code) - SHOWN_HEAD - SHOWN_TAIL
    if hidden <= 0:
        return HIDDEN * len(code)
    return code[:SHOWN_HEAD] + HIDDEN * hidden + code[-SHOWN_TAIL:]


def canonical(value: Mapping[str, Any]) -> str:
    """The one way to write a notice down as JSON: what its hash is of."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def hash_of(text: str) -> str:
    """SHA-256 of a notice's text in UTF-8, in hex: ``sha256sum`` gives the same."""
    return hashlib.sha256(text.encode()).hexdigest()


def begins_on(shown: Iterable[date | None]) -> date | None:
    """The day a notice counts from: the last on which one of its channels showed it (LS-56).

    ``None`` while one of them has not.
    """
    days = list(shown)
    return None if not days or None in days else max(day for day in days if day is not None)


def columns_of(lines: Sequence[Mapping[str, str]]) -> list[str]:
    """The headings of a table that holds all lines, in the order in which they first come."""
    return list(dict.fromkeys(name for line in lines for name in line))
