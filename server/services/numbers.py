"""Numbers that people read aloud and codes they type: letters that cannot be mistaken for one another."""

from __future__ import annotations

import secrets

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Digits and capitals but for I, L, O and U: five random bits each."""
_LENGTH = 10


def new_number(kind: str) -> str:
    """A number nobody can guess: what it is of in a letter or two, and ten letters, 50 random bits."""
    return kind + new_code(_LENGTH)


def new_code(length: int) -> str:
    """So many letters, five random bits each."""
    return "".join(secrets.choice(LETTERS) for _ in range(length))
