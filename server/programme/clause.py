"""What every table of a programme shares: the clause it rests on, and honesty about gaps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A table that states values. It names its clause, or says that it is an assumption."""

    article: str = ""
    """The clause in the text's own numbering; refusals quote it back."""
    assumed: bool = False
    """The text is silent: the whole table is a reading of ours."""
    assumed_keys: tuple[str, ...] = ()
    """The text is silent on these keys of the table only; a key that is absent (unlimited) may be named."""
    why: str = ""
    """Why the reading is what it is."""
