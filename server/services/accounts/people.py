"""People: what somebody signed in may see and change of themselves."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from tortoise.transactions import in_transaction

from server.gateways.wechat import Wechat
from server.models.people import Person, Staff
from server.sealing import Sealer
from server.services import journal
from server.services.access import Actor


@dataclass(frozen=True, slots=True)
class Profile:
    """A name to greet somebody by, and enough of their phone number to recognise it."""

    name: str
    masked_phone: str


async def profile(actor: Actor, *, sealer: Sealer) -> Profile:
    """What is known of whoever asks."""
    if actor.kind == "staff":
        staff = await Staff.get(id=actor.id)
        return Profile(staff.display_name, "")
    person = await Person.get(id=actor.id)
    return Profile(person.name, mask(sealer.open(person.phone_sealed)))


async def bind_phone(actor: Actor, code: str, *, wechat: Wechat, sealer: Sealer, now: datetime) -> Profile:
    """Keep the phone number that a person shares by a WeChat phone code.

    Raises what :meth:`Wechat.phone_number` raises.
    """
    phone = await wechat.phone_number(code)
    async with in_transaction():
        await Person.filter(id=actor.id).update(phone_sealed=sealer.seal(phone))
        await journal.record("person.phone_bound", actor.name, actor=actor.name, at=now)
    return await profile(actor, sealer=sealer)


def mask(phone: str) -> str:
    """``19900001234`` as ``199****1234``; what is too short to hide anything is hidden whole."""
    if len(phone) < 8:
        return "*" * len(phone)
    return phone[:3] + "*" * (len(phone) - 7) + phone[-4:]


async def names(ids: Collection[int | None]) -> dict[int, str]:
    """What people are called, by id; nothing for who has not said it yet."""
    wanted = {one for one in ids if one is not None}
    return {row.id: row.name for row in await Person.filter(id__in=wanted).only("id", "name")}
