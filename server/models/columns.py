"""Columns with their guard in the table itself.

Tortoise 1.1.9 silently ignores ``Meta.constraints``; a CHECK that is part of the column's own type is
emitted on both databases, and a test reads each one back and tries to break it.
"""

from __future__ import annotations

from typing import Any

from tortoise import fields


class CheckedBigInt(fields.BigIntField):
    """A 64-bit integer with a CHECK, for example ``CheckedBigInt(check="issued_fen >= 0")``."""

    def __init__(self, *, check: str, **options: Any) -> None:
        super().__init__(**options)
        self.check = check

    @property
    def SQL_TYPE(self) -> str:  # type: ignore[override]  # noqa: N802 - the name is Tortoise's
        return f"BIGINT CHECK ({self.check})"
