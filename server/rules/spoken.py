"""Spoken: what a short message of the chat says, whatever width, script or punctuation it is typed in.

Everything here matches whole messages. "12" is not "1", and a sentence that holds a command is none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from server.rules.traditional import SIMPLIFIED

_EDGES = " \t\r\n.。,，、!！?？:：;；~～\"'“”‘’「」【】()（）[]<>《》·…-—"
_DIGITS = {letter: number for number, letter in enumerate("零一二三四五六七八九")}
_NUMBER = re.compile(
    r"(?:第|选择?|回复)?(?P<digits>[0-9]{1,3}|[一二三四五六七八九]?十[一二三四五六七八九]?|[一二三四五六七八九])"
    r"(?:个|项|条|号|吧)?"
)
_UNSEEN = frozenset({"Mn", "Me", "Cf"})
_FACE = re.compile(r"\[[^\[\]\s]{1,8}\]|/::?.{1,3}|/[\u4e00-\u9fff]{1,3}")
"""How WeChat writes its own faces where they arrive as text."""


def cleaned(text: str) -> str:
    """A message without what no text holds: broken halves of letters, and controls but the end of a line."""
    whole = text.encode(errors="ignore").decode()
    return "".join(one for one in whole if one in "\n\t" or unicodedata.category(one) != "Cc")


def plain(text: str) -> str:
    """A message as it is compared: one width, one script, no case, nothing around it."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(SIMPLIFIED)
    folded = "".join(letter for letter in folded if unicodedata.category(letter) not in _UNSEEN)
    return " ".join(folded.split()).strip(_EDGES)


def says(text: str, words: Collection[str]) -> bool:
    """Whether the message is one of these words and nothing else."""
    said = plain(text)
    return bool(said) and any(said == plain(word) for word in words)


def number_of(text: str) -> int | None:
    """The number a message is, 1 to 999; ``None`` where it says anything else."""
    match = _NUMBER.fullmatch(plain(text))
    if match is None:
        return None
    digits = match["digits"]
    number = int(digits) if digits.isascii() else chinese_number(digits)
    return number or None


def chinese_number(numeral: str) -> int:
    """一 to 九十九 as a number. Raises ``KeyError`` for anything that is no numeral."""
    tens, ten, ones = numeral.rpartition("十")
    if not ten:
        return _DIGITS[numeral]
    return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)


def is_mute(text: str) -> bool:
    """Whether a message has no word in it: faces, signs, blanks."""
    rest = _FACE.sub("", text)
    return not any(unicodedata.category(letter)[0] in "LN" for letter in rest)
