"""Channels: which one reaches somebody next, when it may, and what an answer of WeChat's means for it.

Nothing here is a policy of a programme: the order of the channels and the quiet hours are the house's own
(``config/messages.toml``), the windows and codes are WeChat's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from random import Random

from server.clock import CHINA
from server.programme.messages import MessageChannel

MESSAGE_WINDOW = timedelta(hours=48)
MESSAGES_A_WINDOW = 5
TAP_WINDOW = timedelta(minutes=1)
MESSAGES_A_TAP = 3
MOST_ATTEMPTS = 10
"""After so many without an end a delivery is a dead letter: about four hours."""
FIRST_BACK_OFF = timedelta(seconds=30)
LONGEST_BACK_OFF = timedelta(hours=1)
MINUTE_QUOTA = timedelta(seconds=60)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Window:
    """What may still be written to somebody as a customer-service message."""

    last_tap_at: datetime | None = None
    taps_left: int = 0
    last_message_at: datetime | None = None
    messages_left: int = 0

    def by_tap(self, now: datetime) -> bool:
        """Whether a menu tap still lets something through."""
        return self.taps_left > 0 and self.last_tap_at is not None and now < self.last_tap_at + TAP_WINDOW

    def by_message(self, now: datetime) -> bool:
        """Whether what they wrote still lets something through."""
        return (
            self.messages_left > 0
            and self.last_message_at is not None
            and now < self.last_message_at + MESSAGE_WINDOW
        )

    def is_open(self, now: datetime) -> bool:
        """Whether one more message goes through."""
        return self.by_tap(now) or self.by_message(now)


@dataclass(frozen=True, slots=True)
class Reach:
    """By what somebody can be reached at all."""

    mini_program: bool = False
    """Their openid in the mini-program is known."""
    consents: Mapping[str, int] = field(default_factory=dict)
    """Template to how many messages they consented to and have not had yet."""
    long_term: Collection[str] = ()
    """Templates they consented to for good."""
    follows: bool = False
    """They follow the official account."""
    window: Window = Window()
    phone: bool = False

    def consented(self, template: str) -> bool:
        """Whether one more message by this template is consented to."""
        return template in self.long_term or self.consents.get(template, 0) > 0


def next_channel(
    order: Sequence[MessageChannel],
    reach: Reach,
    template: str,
    *,
    usable: Collection[MessageChannel],
    tried: Collection[str],
    now: datetime,
) -> MessageChannel:
    """The channel to take next: the first of ``order`` that is usable, open to them and not tried yet.

    ``usable`` are the channels that are set up for this message. The inbox is what is left.
    """
    open_to_them = {
        MessageChannel.SUBSCRIBE: reach.mini_program and reach.consented(template),
        MessageChannel.TEMPLATE: reach.follows,
        MessageChannel.CUSTOM: reach.window.is_open(now),
        MessageChannel.SMS: reach.phone,
    }
    for channel in order:
        if channel in usable and channel not in tried and open_to_them[channel]:
            return channel
    return MessageChannel.INBOX


@dataclass(frozen=True, slots=True)
class Quiet:
    """A time of each day, in China, in which nobody is disturbed; the same time twice: none."""

    begins: time
    ends: time

    def until(self, now: datetime) -> datetime | None:
        """When the quiet hours end that ``now`` lies in; ``None`` outside of them."""
        local = now.astimezone(CHINA)
        clock = local.time()
        end = local.replace(
            hour=self.ends.hour, minute=self.ends.minute, second=self.ends.second, microsecond=0
        )
        if self.begins <= self.ends:
            return end.astimezone(now.tzinfo) if self.begins <= clock < self.ends else None
        if clock >= self.begins:
            return (end + _DAY).astimezone(now.tzinfo)
        return end.astimezone(now.tzinfo) if clock < self.ends else None


class Meaning(StrEnum):
    """What an answer of WeChat's means for a delivery."""

    CONSENT_SPENT = "consent_spent"
    """The person refused, or the consent was used up: the next channel."""
    UNSUBSCRIBED = "unsubscribed"
    """They do not follow the official account, or blocked it: the next channel."""
    WINDOW_CLOSED = "window_closed"
    """No customer-service message goes through now: the next channel."""
    UNUSABLE = "unusable"
    """WeChat does not know this person by this openid: the next channel."""
    TOKEN = "token"
    """The access token was not taken, even a fresh one: later."""
    MINUTE_QUOTA = "minute_quota"
    """Too much in a minute: later, and everything else by this channel too."""
    DAY_QUOTA = "day_quota"
    """Too much in a day: after midnight, and everything else by this channel too."""
    BUSY = "busy"
    """Later."""
    FAULTY = "faulty"
    """Our own fault: the same message can never go through, so somebody has to look."""
    UNKNOWN = "unknown"
    """A code that we do not know: later, and a dead letter in the end."""


MEANINGS: Mapping[int, Meaning] = {
    -1: Meaning.BUSY,
    40001: Meaning.TOKEN,
    40014: Meaning.TOKEN,
    42001: Meaning.TOKEN,
    40003: Meaning.UNUSABLE,
    43004: Meaning.UNSUBSCRIBED,
    43019: Meaning.UNSUBSCRIBED,
    43101: Meaning.CONSENT_SPENT,
    # Another message is on its way to the same person.
    43108: Meaning.BUSY,
    45009: Meaning.DAY_QUOTA,
    45011: Meaning.MINUTE_QUOTA,
    45015: Meaning.WINDOW_CLOSED,
    45047: Meaning.WINDOW_CLOSED,
    50002: Meaning.UNUSABLE,
    40013: Meaning.FAULTY,
    40037: Meaning.FAULTY,
    40165: Meaning.FAULTY,
    41028: Meaning.FAULTY,
    41029: Meaning.FAULTY,
    41030: Meaning.FAULTY,
    47001: Meaning.FAULTY,
    47003: Meaning.FAULTY,
    45002: Meaning.FAULTY,
    # The account or the template may not send: WeChat's console says why.
    43107: Meaning.FAULTY,
    43116: Meaning.FAULTY,
    48001: Meaning.FAULTY,
    48004: Meaning.FAULTY,
}
"""WeChat's error codes by what they mean for a message that was to be sent."""
NEXT_CHANNEL = frozenset(
    {Meaning.CONSENT_SPENT, Meaning.UNSUBSCRIBED, Meaning.WINDOW_CLOSED, Meaning.UNUSABLE}
)
"""After these another channel is tried at once."""
WHOLE_CHANNEL = frozenset({Meaning.MINUTE_QUOTA, Meaning.DAY_QUOTA})
"""These hold for everybody: the channel rests, and no attempt is counted."""


def meaning_of(errcode: int) -> Meaning:
    """What a code means; one that is not known is tried again."""
    return MEANINGS.get(errcode, Meaning.UNKNOWN)


def back_off(attempts: int, random: Random) -> timedelta:
    """How long to wait after so many attempts: doubled each time, up to an hour, and half of it a draw.

    The draw keeps thousands that failed together from coming back together.
    """
    whole = min(FIRST_BACK_OFF * int(2 ** min(attempts - 1, 10)), LONGEST_BACK_OFF)
    return whole / 2 + whole / 2 * random.random()


def rest_after(meaning: Meaning, now: datetime, random: Random) -> datetime:
    """Until when a channel rests whose quota is used up: a minute, or until WeChat counts a new day."""
    if meaning is Meaning.DAY_QUOTA:
        midnight = now.astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
        return midnight.astimezone(now.tzinfo) + MINUTE_QUOTA * (1 + random.random())
    return now + MINUTE_QUOTA * (1 + random.random())
