"""Open doors: what anybody may do without an account, so often a day from one address.

Counted in the database, so that it holds whichever worker answers, under a keyed hash of the address that
says nothing of what was brought. Old days are forgotten.
"""

from __future__ import annotations

from datetime import date, datetime

from tortoise.exceptions import IntegrityError
from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.models.public_notices import OpenDoor
from server.rules.deadlines import day_of
from server.sealing import Sealer

A_DAY = 86_400


class TooManyFromHere(Refusal):
    """So many came from this address today that no more is taken."""

    status, code = 429, "too_many_from_here"


class OpenDoors:
    """Counts who comes in."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    async def enter(self, door: str, address: str, *, most: int, now: datetime) -> None:
        """Count one more through ``door`` on the day of ``now``, the machine's instant.

        Raises :class:`TooManyFromHere` above ``most``.
        """
        day, origin = day_of(now), self._sealer.blind(f"{door}\n{address}")
        await OpenDoor.filter(day__lt=day).delete()
        if not await self._counted(origin, day, most):
            raise TooManyFromHere(retry_after=A_DAY)

    async def _counted(self, origin: str, day: date, most: int) -> bool:
        try:
            async with in_transaction():  # A savepoint: the row may have come to be a moment ago.
                await OpenDoor.create(origin_hash=origin, day=day)
        except IntegrityError:
            # The WHERE clause is the lock: of two at the last place exactly one is counted.
            known = OpenDoor.filter(origin_hash=origin, day=day, count__lt=most)
            return bool(await known.update(count=F("count") + 1))
        return True
