"""Consents: what people allowed us to send them as subscription messages. One consent is one message.

The ledger tells the story; what is left stands in one row for each person and template, which is its lock.
A consent is told twice, by the phone and by WeChat: it is counted once.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tortoise.expressions import F
from tortoise.queryset import QuerySet
from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.models.deliveries import ConsentBalance, ConsentEntry, ConsentKind

SAME = timedelta(minutes=5)
"""Within this time the phone and WeChat tell of the same consent."""
MOST_LEFT = 50
"""Nobody consents more often ahead: what a phone tells beyond is not believed."""
PHONE, WECHAT, DELIVERY = "phone", "wechat", "delivery"


class TemplateUnknown(Refusal):
    """No template of ours has this id."""

    status, code = 422, "template_unknown"


async def given(person_id: int, template: str, *, source: str, long_term: bool, now: datetime) -> None:
    """Somebody consented to one message, or with ``long_term`` to all of a template."""
    async with in_transaction():
        left, for_good = await _locked(person_id, template)
        if long_term:
            if not for_good:
                await _balance(person_id, template).update(long_term=True)
                await _enter(person_id, template, ConsentKind.GIVEN, 0, source, now, long_term=True)
            return
        told = await ConsentEntry.filter(
            person_id=person_id,
            template=template,
            at__gt=now - SAME,
            kind__in=[ConsentKind.GIVEN, ConsentKind.CONFIRMED],
        )
        own = sum(one.source == source for one in told)
        if own < len(told) - own:
            await _enter(person_id, template, ConsentKind.CONFIRMED, 0, source, now)
        elif left < MOST_LEFT:
            await _balance(person_id, template).update(left_count=F("left_count") + 1)
            await _enter(person_id, template, ConsentKind.GIVEN, 1, source, now)


async def refused(person_id: int, template: str, *, source: str, now: datetime, for_good: bool) -> None:
    """Somebody said no this once, or with ``for_good`` to everything by this template."""
    async with in_transaction():
        left, _ = await _locked(person_id, template)
        gone = left if for_good else 0
        if for_good:
            await _balance(person_id, template).update(left_count=0, long_term=False)
        await _enter(person_id, template, ConsentKind.REFUSED, -gone, source, now)


async def take(person_id: int, template: str, *, delivery_id: int, now: datetime) -> bool | None:
    """Set one consent aside for a delivery, inside the caller's transaction.

    True: one is set aside. False: none is needed, they consented for good. ``None``: there is none.
    """
    known = _balance(person_id, template)
    # The WHERE clause is the lock: two deliveries never take the same consent.
    if await known.filter(left_count__gt=0, long_term=False).update(left_count=F("left_count") - 1):
        await _enter(person_id, template, ConsentKind.USED, -1, DELIVERY, now, delivery_id=delivery_id)
        return True
    return False if await known.filter(long_term=True).exists() else None


async def give_back(person_id: int, template: str, *, delivery_id: int, now: datetime) -> None:
    """A consent that was set aside was not used after all. Inside the caller's transaction."""
    await _balance(person_id, template).update(left_count=F("left_count") + 1)
    await _enter(person_id, template, ConsentKind.RETURNED, 1, DELIVERY, now, delivery_id=delivery_id)


async def spent(person_id: int, template: str, *, delivery_id: int, now: datetime) -> None:
    """WeChat says that there is no consent: nothing is left. Inside the caller's transaction."""
    left, _ = await _locked(person_id, template)
    await _balance(person_id, template).update(left_count=0, long_term=False)
    await _enter(person_id, template, ConsentKind.REFUSED, -left, WECHAT, now, delivery_id=delivery_id)


def _balance(person_id: int, template: str) -> QuerySet[ConsentBalance]:
    return ConsentBalance.filter(person_id=person_id, template=template)


async def _locked(person_id: int, template: str) -> tuple[int, bool]:
    """What is left, and whether for good; nobody else changes it until the transaction ends."""
    await ConsentBalance.bulk_create(
        [ConsentBalance(person_id=person_id, template=template)], ignore_conflicts=True
    )
    # A write takes the lock on both databases.
    await _balance(person_id, template).update(left_count=F("left_count"))
    row = await ConsentBalance.get(person_id=person_id, template=template)
    return row.left_count, row.long_term


async def _enter(
    person_id: int,
    template: str,
    kind: ConsentKind,
    count: int,
    source: str,
    now: datetime,
    *,
    long_term: bool = False,
    delivery_id: int | None = None,
) -> None:
    await ConsentEntry.create(
        person_id=person_id,
        template=template,
        kind=kind,
        count=count,
        source=source,
        long_term=long_term,
        delivery_id=delivery_id,
        at=now,
    )
