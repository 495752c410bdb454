"""Paging: every list is read one row further than it is shown, and that row says whether there is more.

Pages are cut at an id that was seen, never counted: what is added or taken away meanwhile moves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Annotated, Any, TypeVar

from pydantic import Field

from server.handlers.parsing import LARGEST_WHOLE

Row = TypeVar("Row")

AfterId = Annotated[int, Field(ge=0, le=LARGEST_WHOLE, description="After this id. | 从该编号之后开始。")]
"""What a query for the next page brings: the id that the last one ended with; 0 is the beginning."""

NextPage = Annotated[int | None, Field(description="Where the next page starts. | 下一页起点，无则为空。")]
"""What a page says of the next one."""


def next_page(rows: Sequence[Row], size: int, id_of: Callable[[Row], Any] = attrgetter("id")) -> int | None:
    """Where the page after these ``size`` rows starts; ``None`` where not one row more was found."""
    return int(id_of(rows[size - 1])) if len(rows) > size else None
