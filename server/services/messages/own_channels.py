"""Own channels: which of them reaches a person next, what they consented to, and when they want quiet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from server.models.deliveries import DeliveryPreference
from server.programme.messages import MessageChannel, Messages, Template
from server.rules.channels import Quiet, next_channel
from server.sealing import Sealer
from server.services.access import Actor
from server.services.messages import consents
from server.services.messages.carriers import Carriers
from server.services.messages.consents import TemplateUnknown
from server.services.messages.reachable import contacts


@dataclass(frozen=True, slots=True)
class Next:
    """What reaches a person next with a message of one template."""

    template: Template
    channel: MessageChannel
    consents_left: int
    long_term: bool


@dataclass(frozen=True, slots=True)
class OwnChannels:
    """How a person stands."""

    follows: bool
    phone: bool
    window_open: bool
    quiet: Quiet
    next: tuple[Next, ...]


async def own_channels(
    actor: Actor, *, messages: Messages, carriers: Carriers, sealer: Sealer, now: datetime
) -> OwnChannels:
    """What reaches the person next, by every template there is."""
    contact = (await contacts({actor.name}, sealer=sealer, messages=messages, now=now))[actor.name]
    reach = contact.reach

    def by(template: Template) -> Next:
        usable = carriers.usable(template)
        channel = next_channel(messages.order, reach, template.code, usable=usable, tried=(), now=now)
        left = reach.consents.get(template.code, 0)
        return Next(template, channel, left, template.code in reach.long_term)

    return OwnChannels(
        follows=reach.follows,
        phone=reach.phone,
        window_open=reach.window.is_open(now),
        quiet=contact.quiet,
        next=tuple(by(one) for one in messages.templates.values()),
    )


async def tell_consents(
    actor: Actor, answers: Mapping[str, str], *, messages: Messages, now: datetime
) -> None:
    """What ``wx.requestSubscribeMessage`` answered the phone, by WeChat's id of each template.

    ``accept`` is one consent; ``reject`` none; whatever else WeChat says is no word of the person's. Raises
    :class:`TemplateUnknown` before anything is written.
    """
    known: dict[str, Template] = {}
    for template_id in answers:
        template = messages.by_subscribe_id(template_id)
        if template is None:
            raise TemplateUnknown(template_id=template_id)
        known[template_id] = template
    for template_id, template in sorted(known.items()):
        answer = answers[template_id]
        if answer == "accept":
            await consents.given(
                actor.id, template.code, source=consents.PHONE, long_term=template.long_term, now=now
            )
        elif answer == "reject":
            await consents.refused(actor.id, template.code, source=consents.PHONE, now=now, for_good=False)


async def choose_quiet(actor: Actor, *, from_minute: int, until_minute: int) -> None:
    """Be left in peace between these minutes of each day in China; the same twice: never quiet."""
    chosen = {"quiet_from_minute": from_minute, "quiet_until_minute": until_minute}
    await DeliveryPreference.update_or_create(person_id=actor.id, defaults=chosen)
