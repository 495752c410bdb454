"""The inbox: what somebody was told, for themselves, for their organisation or for their team.

A message to an organisation or a team is one row that all of its people see; each of them reads it for
themselves. Read is what was marked one by one, or lies at or below the reader's mark for its recipient.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tortoise.exceptions import IntegrityError
from tortoise.expressions import Q, Subquery
from tortoise.queryset import QuerySet
from tortoise.transactions import in_transaction

from server.models.inbox import InboxMark, InboxMessage, InboxRead
from server.services import outbox
from server.services.access import Actor, NotFound, within_areas

COUNTED = 100
"""Unread messages are counted up to here: "99+"."""


class InboxOrder(StrEnum):
    """How a list of messages is ordered; the newest come first in both."""

    TIME = "time"
    UNREAD_FIRST = "unread_first"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: after this message, among the unread or among all the others."""

    id: int
    unread: bool


@dataclass(frozen=True, slots=True)
class Item:
    """One message and whether its reader has read it."""

    message: InboxMessage
    read: bool


class Inbox:
    """One reader's inbox."""

    def __init__(self, actor: Actor, slugs: Iterable[str]) -> None:
        """``slugs`` are all programmes: a member of staff without a bound works on each of them."""
        self._actor = actor
        self.reader = actor.name
        self.recipients = _recipients(actor, slugs)

    async def page(
        self, order: InboxOrder, *, after: Place | None, limit: int, unread_only: bool = False
    ) -> list[Item]:
        """The next ``limit`` messages after a place, newest first."""
        if order is InboxOrder.TIME and not unread_only:
            return await self._with_read(await _slice(self._mine(), after, limit))
        items: list[Item] = []
        if after is None or after.unread:
            rows = await _slice((await self._unread()), after, limit)
            items = [Item(row, read=False) for row in rows]
            after = None
        if unread_only or len(items) == limit:
            return items
        rows = await _slice(self._mine().filter(await self._is_read()), after, limit - len(items))
        return items + [Item(row, read=True) for row in rows]

    async def unread_count(self) -> int:
        """How many messages are unread, at most :data:`COUNTED`."""
        return len(await (await self._unread()).limit(COUNTED).values_list("id", flat=True))

    async def read(self, message_id: int) -> None:
        """Mark one message as read; again is no fault. Raises :class:`NotFound` for anybody else's."""
        if not await self._mine().filter(id=message_id).exists():
            raise NotFound()
        try:
            async with in_transaction():
                await InboxRead.create(reader=self.reader, message_id=message_id)
        except IntegrityError:
            return

    async def read_all(self, up_to: int) -> None:
        """Mark everything up to and including a message as read, newer ones stay unread.

        Raises :class:`NotFound` if the reader has no such message.
        """
        if not await self._mine().filter(id=up_to).exists():
            raise NotFound()
        async with in_transaction():
            for recipient in self.recipients:
                raised = await InboxMark.filter(
                    reader=self.reader, recipient=recipient, read_up_to__lt=up_to
                ).update(read_up_to=up_to)
                if not raised:
                    await InboxMark.get_or_create(
                        reader=self.reader, recipient=recipient, defaults={"read_up_to": up_to}
                    )

    def _mine(self) -> QuerySet[InboxMessage]:
        mine = InboxMessage.filter(recipient__in=self.recipients)
        if self._actor.areas:
            mine = mine.filter(Q(area="") | within_areas(self._actor, "area"))
        return mine

    async def _unread(self) -> QuerySet[InboxMessage]:
        return self._mine().filter(~await self._is_read()).order_by("-id")

    async def _is_read(self) -> Q:
        marks = await InboxMark.filter(reader=self.reader, recipient__in=self.recipients)
        one_by_one = Q(id__in=Subquery(InboxRead.filter(reader=self.reader).values("message_id")))
        below = [Q(recipient=mark.recipient, id__lte=mark.read_up_to) for mark in marks]
        return Q(one_by_one, *below, join_type=Q.OR)

    async def _with_read(self, rows: Sequence[InboxMessage]) -> list[Item]:
        seen = InboxMessage.filter(id__in=[row.id for row in rows]).filter(await self._is_read())
        read = set(await seen.values_list("id", flat=True))
        return [Item(row, row.id in read) for row in rows]


async def _slice(rows: QuerySet[InboxMessage], after: Place | None, limit: int) -> list[InboxMessage]:
    if after is not None:
        rows = rows.filter(id__lt=after.id)
    return await rows.order_by("-id").limit(limit)


def _recipients(actor: Actor, slugs: Iterable[str]) -> tuple[str, ...]:
    """Every recipient whose messages the actor sees."""
    own = [actor.name]
    if actor.organisation_id is not None:
        own.append(f"organisation:{actor.organisation_id}")
    if actor.kind == "staff":
        bounds = {"", *(actor.programmes or slugs)}
        own += [outbox.team(role, slug) for role in sorted(actor.roles) for slug in sorted(bounds)]
    return tuple(own)
