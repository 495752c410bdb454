"""Spoken contacts: a telephone number or an e-mail address in what somebody says, checked."""

from __future__ import annotations

import re
import unicodedata

_MOBILE = re.compile(r"(?<![0-9])(?:(?:\+|00)?86)?(1[3-9][0-9]{9})(?![0-9])")
_LANDLINE = re.compile(r"(?<![0-9])(0[0-9]{2,3}[0-9]{7,8}|[48]00[0-9]{7})(?:转[0-9]{1,6})?(?![0-9])")
_ABROAD = re.compile(r"(?<![0-9])(?:\+|00)(?!86)[1-9][0-9]{6,14}(?![0-9])")
_LOCAL = re.compile(r"(?<![0-9])[2-8][0-9]{6,7}(?![0-9])")
_MAIL = re.compile(
    r"(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,63}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}", re.ASCII
)
_LONG_NUMBER = re.compile(r"[0-9]{6,}")
_BETWEEN = re.compile(r"(?<=[0-9+)）])[ \-\u2010-\u2015()（）]+(?=[0-9(（])")


def contact_in(text: str) -> str:
    """The first telephone number or e-mail address, without what stands between its digits; or ``""``."""
    said = _joined(text)
    for pattern in (_MOBILE, _MAIL, _ABROAD, _LANDLINE, _LOCAL):
        if match := pattern.search(said):
            return match[1] if pattern is _MOBILE else match[0]
    return ""


def digits_short_of_a_number(text: str) -> int:
    """How many digits a number has that is none: to say what may be wrong with it. 0: there is no number."""
    match = _LONG_NUMBER.search(_joined(text))
    return len(match[0]) if match else 0


def _joined(text: str) -> str:
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", text))
