"""Allowances: how often an organisation may put something down in a day, far above what anybody needs.

Each is counted in the table that it keeps small, so that it holds whichever worker answers.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tortoise.queryset import QuerySet

from server.errors import Refusal

A_DAY = timedelta(days=1)
ORDERS, ACTIVITIES, FACT_CHANGES, INVITATIONS, DECLARATIONS = 200, 50, 50, 50, 20
"""The most of each that one organisation makes within 24 hours."""
SAVINGS, SUBMISSIONS, APPLICATIONS, VOUCHER_REQUESTS = 500, 20, 100, 50
"""The same: the first two of one form, the third with every change of an application."""
OFFERINGS = 100
"""What a provider begins; an offering is saved and handed in as often as a form."""
ENQUIRIES, ENQUIRY_ANSWERS, MESSAGES = 50, 100, 200
"""What an enterprise asks, what a provider answers, and what is said in one thread by both."""
COMPLAINTS, SUPPLEMENTS = 20, 50
"""What one complainant files, and adds to one case."""
REVEALING_TEXTS = 3
"""Texts of handlers to the accused side that were refused in one case for naming who stays anonymous."""


class TooManyToday(Refusal):
    """The day's allowance is used up; ``most`` says how large it is."""

    status, code = 429, "too_many_today"


async def require(rows: QuerySet[Any], column: str, most: int, *, now: datetime) -> None:
    """Raise :class:`TooManyToday` if ``most`` of the rows are of the last 24 hours by their ``column``."""
    made = rows.filter(**{f"{column}__gt": now - A_DAY})
    if await made.count() >= most:
        raise TooManyToday(retry_after=int(A_DAY.total_seconds()), most=most)
