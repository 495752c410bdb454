"""Message fields: a text made to fit what WeChat lets a field of a template hold.

What does not fit is refused by WeChat with 47003, and then nothing arrives: a shortened text is better.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from server import texts
from server.clock import CHINA
from server.programme.messages import FieldKind

NOTHING = "-"
CUT = "…"
LONGEST: Mapping[FieldKind, int] = {
    FieldKind.THING: 20,
    FieldKind.NUMBER: 32,
    FieldKind.CHARACTER_STRING: 32,
    FieldKind.PHRASE: 5,
}
"""Characters, by WeChat's document of 参数限制. An amount has ten digits."""
LONGEST_AMOUNT = 10_000_000_000
LONGEST_CUSTOM_BYTES = 2048
"""Of a customer-service message, in UTF-8."""
_KEPT: Mapping[FieldKind, str] = {
    FieldKind.NUMBER: r"[^0-9.]",
    FieldKind.CHARACTER_STRING: r"[^\x21-\x7e]",
    FieldKind.PHRASE: r"[^\u4e00-\u9fff]",
}
_SPACE = re.compile(r"\s+")
_TIMES: Mapping[FieldKind, str] = {FieldKind.TIME: "%Y-%m-%d %H:%M", FieldKind.DATE: "%Y-%m-%d"}


def kind_of(name: str) -> FieldKind:
    """The kind of a field by its name: ``thing12``."""
    return FieldKind(name.rstrip("0123456789"))


def fitted(name: str, text: str, *, at: datetime) -> str:
    """``text`` as the field ``name`` can hold it; never empty.

    A field for a time or a date holds ``at``, whatever the text: only an instant has a form to rely on.
    """
    kind = kind_of(name)
    if kind in _TIMES:
        return at.astimezone(CHINA).strftime(_TIMES[kind])
    if kind is FieldKind.AMOUNT:
        return _amount(text)
    plain = _SPACE.sub(" ", text).strip()
    if kind in _KEPT:
        plain = re.sub(_KEPT[kind], "", plain)
    longest = LONGEST[kind]
    if len(plain) > longest:
        plain = plain[: longest - 1] + CUT if kind is FieldKind.THING else plain[:longest]
    return plain or {FieldKind.PHRASE: texts.FIELD_EMPTY, FieldKind.NUMBER: "0"}.get(kind, NOTHING)


def _amount(text: str) -> str:
    found = re.search(r"[0-9]+(\.[0-9]{1,2})?", text.replace(",", ""))
    if found is None or float(found[0]) >= LONGEST_AMOUNT:
        return "0"
    return found[0]


def parts(text: str, *, longest: int = LONGEST_CUSTOM_BYTES) -> list[str]:
    """A text as customer-service messages: cut between lines where that is possible, at most ``longest``
    bytes each, nothing left out but the line ends at the cuts."""
    found: list[str] = []
    begun = ""
    for line in text.split("\n"):
        joined = f"{begun}\n{line}" if begun else line
        if _bytes(joined) <= longest:
            begun = joined
            continue
        if begun:
            found.append(begun)
        begun = line
        while _bytes(begun) > longest:
            cut = _cut(begun, longest)
            found.append(begun[:cut])
            begun = begun[cut:]
    return [part for part in [*found, begun] if part.strip()]


def _cut(text: str, longest: int) -> int:
    """How many characters fit."""
    kept = text.encode()[:longest].decode(errors="ignore")
    return len(kept)


def _bytes(text: str) -> int:
    return len(text.encode())
