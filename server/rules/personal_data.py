"""Personal data in words that people wrote: numbers that name somebody are masked, whatever the words are."""

from __future__ import annotations

import re

MASK = "***"
MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
IDENTITY = re.compile(
    r"(?<![0-9A-Za-z])\d{6}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![0-9A-Za-z])"
)


def without_numbers(text: str) -> str:
    """The text with every mobile and identity number in it masked."""
    return MOBILE.sub(MASK, IDENTITY.sub(MASK, text))
