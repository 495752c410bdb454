"""Spreadsheets: what they do to a text or a number unless one takes care."""

from __future__ import annotations

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""What makes a spreadsheet take a text for a formula (also behind the marks that mean "text").

Those of full width count where a keyboard types them: there a spreadsheet reads both alike.
"""
LARGEST_EXACT = 10**15
"""Spreadsheets keep numbers as binary fractions: from sixteen digits on the last ones are made up."""
LAST_ROW = 1_048_576
"""A worksheet has no more."""


def neutral(text: str) -> str:
    """A text that no spreadsheet takes for a formula: a mark before it says that it is text."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) or text.lstrip().startswith(FORMULA_STARTS) else text
