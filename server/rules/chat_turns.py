"""Turns: what the conversation is handed, and what it hands back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from server.programme.chart import Act, Shelf
from server.rules.chat_draft import Draft
from server.rules.chat_messages import MessageKind
from server.rules.said import Say


@dataclass(frozen=True, slots=True)
class Heard:
    """One message as the conversation takes it. ``media`` is the row of what was sent; 0: none came."""

    kind: MessageKind
    text: str = ""
    menu_key: str = ""
    media: int = 0


@dataclass(frozen=True, slots=True)
class Offer:
    """One numbered thing that may be chosen. ``key`` also names it when it is all that is said."""

    id: int
    label: str
    key: str = ""
    programme: str = ""
    standing: str = ""
    deeds: frozenset[str] = frozenset()


Offers = Mapping[Shelf, tuple[Offer, ...]]


@dataclass(frozen=True, slots=True)
class Turn:
    """Where the conversation stands after a step, what is said, and what is to be done.

    ``acted`` is the draft that ``act`` is done on; if it cannot be done, the conversation goes on at
    ``refused`` with that draft.
    """

    state: str
    draft: Draft
    says: tuple[Say, ...]
    act: Act | None = None
    acted: Draft = field(default_factory=Draft)
    refused: str = ""
    ended: bool = False
    wants_form: bool = False
    looked: frozenset[Shelf] = frozenset()
    """Which offers it depended on: whoever did not hand them over gets them and takes the step again."""
