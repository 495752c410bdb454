"""Refusals: every expected "no" this system can say.

A refusal is a fact about the world. Its class holds the HTTP status and the stable machine code;
its Chinese sentence stands in ``server/texts/`` under the same code (checked complete at start).
What varies from case to case is given when it is raised: the clause it rests on, the arithmetic,
and the values that the sentence names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Unmet:
    """One condition that is not met, with the clause that asks for it.

    ``arithmetic`` shows the comparison in the regulation's own units, for example
    ``成立 7 个月 < 12 个月``; empty where there is nothing to compute.
    """

    code: str
    clause: str
    message: str
    arithmetic: str = ""


class Refusal(Exception):
    """An expected "no". Subclasses set ``status`` and ``code`` once, as facts.

    ``clause``      the provision it rests on, in the regulation's own numbering ("二（三）1"), or "".
    ``arithmetic``  the sum behind it ("70% × 8,000.00 = 5,600.00"), or "".
    ``retry_after`` seconds until asking again makes sense, or ``None``.
    ``unmet``       every condition not met, not just the first.
    ``values``      what the Chinese sentence interpolates; also returned to the caller.
    """

    status: ClassVar[int]
    code: ClassVar[str]

    def __init__(
        self,
        *,
        clause: str = "",
        arithmetic: str = "",
        retry_after: int | None = None,
        unmet: Sequence[Unmet] = (),
        **values: Any,
    ) -> None:
        super().__init__(self.code)
        self.clause = clause
        self.arithmetic = arithmetic
        self.retry_after = retry_after
        self.unmet = tuple(unmet)
        self.values = values


def refusal_classes(root: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    """Every refusal class that states a code, parents before children."""
    for child in root.__subclasses__():
        if "code" in child.__dict__:
            yield child
        yield from refusal_classes(child)
