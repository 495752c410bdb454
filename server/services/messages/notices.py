"""Notices: a message as it is read, from its topic's sentence and the data that came with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server import texts
from server.clock import CHINA
from server.rules.deadlines import told_until
from server.units import yuan

LINKS = (
    "voucher",
    "review",
    "registration",
    "qualification",
    "application",
    "offering",
    "round",
    "ban",
    "settlement",
    "settlement_window",
    "programme",
    "rating",
    "enquiry",
    "export",
    "report",
    "complaint",
    "accusation",
    "sanction",
    "recovery",
    "notice",
    "objection",
    "inspection",
    "rectification",
)
"""What a message may be about, the nearest first: the first of them that the data names is linked."""
DEADLINES = ("until", "due_at", "deadline")
"""Under which names data gives the instant (exclusive) until which somebody must act."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A message in words, what it is about, and until when somebody must act."""

    title: str
    sentence: str
    link_kind: str
    link_id: str
    deadline: datetime | None
    deadline_text: str
    """As people say it: a day's end is said as 24:00, a guessed day as provisional."""


def notice(topic: str, data: Mapping[str, Any], *, programme_name: Callable[[str], str]) -> Notice:
    """A message of ``topic`` in Chinese. What the data lacks is shown as a dash, never as an error."""
    title, sentence = texts.NOTICES.get(topic, texts.NOTICE_OF_ANYTHING)
    said = _Words(_words(data, programme_name))
    kind = next((one for one in LINKS if data.get(one) is not None), "")
    deadline = next((_instant(data.get(name)) for name in DEADLINES if data.get(name) is not None), None)
    return Notice(
        title=title.format_map(said),
        sentence=sentence.format_map(said),
        link_kind=kind,
        link_id=str(data[kind]) if kind else "",
        deadline=deadline,
        deadline_text="" if deadline is None else _said_until(deadline, data),
    )


def words_of(name: str) -> set[str]:
    """The placeholders that a sentence may use when something comes in the data under this name."""
    if name.endswith("_fen"):
        return {name.removesuffix("_fen")}
    return {name, name.removesuffix("_at")} | ({"next"} if name == "party" else set())


class _Words(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return texts.NOTICE_UNKNOWN


def _words(data: Mapping[str, Any], programme_name: Callable[[str], str]) -> dict[str, str]:
    words: dict[str, str] = {}
    for name, value in data.items():
        if value is None or value == "":
            continue
        if name.endswith("_fen") and isinstance(value, int):
            words[name.removesuffix("_fen")] = yuan(value)
        elif name == "programme":
            words[name] = programme_name(str(value))
        elif name == "party" and value in texts.STANDINGS:
            words["party"], words["next"] = texts.STANDINGS[value], texts.NEXT_STEPS[value]
        elif name == "days" and isinstance(value, int):
            words[name] = texts.DAYS_LEFT.format(days=value) if value else texts.LAST_DAY
        elif name == "unmet" and isinstance(value, list):
            words[name] = texts.STEP.join(str(one.get("message", "")) for one in value)
        elif isinstance(value, list):
            words[name] = texts.LIST.join(str(one) for one in value)
        elif name in DEADLINES and (instant := _instant(value)) is not None:
            words[name.removesuffix("_at")] = words[name] = _said_until(instant, data)
        elif name.endswith("_at") and (instant := _instant(value)) is not None:
            words[name.removesuffix("_at")] = words[name] = texts.INSTANT.format(at=instant.astimezone(CHINA))
        else:
            words[name] = str(value)
    return words


def _said_until(end: datetime, data: Mapping[str, Any]) -> str:
    said = told_until(end)
    return texts.PROVISIONAL.format(day=said) if data.get("provisional") else said


def _instant(value: Any) -> datetime | None:
    try:
        instant = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return instant if instant.tzinfo is not None else None
