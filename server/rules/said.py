"""Said: what the chat answers, first as keys and values, then as one text that WeChat takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from server import texts
from server.programme.chart import LONGEST_ANSWER_BYTES
from server.rules.chat_draft import Draft

LONGEST_LABEL, LONGEST_ECHO = 36, 60
"""How much of somebody's own words is said back; all of it is kept."""
BETWEEN = "\n\n"
MORE = "…"
LINK, SHORTEST_LINE = "<a ", 40


@dataclass(frozen=True, slots=True)
class Say:
    """One sentence by its key in ``texts.CHAT``, the values it names, and numbered lines below it."""

    key: str
    values: Mapping[str, str] = field(default_factory=dict)
    lines: tuple[str, ...] = ()


def written(said: Sequence[Say], facts: Mapping[str, str] | None = None) -> str:
    """One passive answer that carries everything, at most 2,048 bytes.

    ``facts`` are values that only the caller knows (a number, a link). Raises ``KeyError`` for a value
    that nobody gave.
    """
    blocks = []
    for one in said:
        text = texts.CHAT[one.key].format_map({**(facts or {}), **one.values})
        blocks.append("\n".join((text, *one.lines)))
    return fitted(BETWEEN.join(block for block in blocks if block))


def fitted(text: str) -> str:
    """The text in as many bytes as WeChat takes: the longest lines are shortened, no link and no question.

    What is shortened so are somebody's own words as they are said back; all of them are kept.
    """
    lines = text.split("\n")
    while len("\n".join(lines).encode()) > LONGEST_ANSWER_BYTES:
        places = [place for place, line in enumerate(lines) if LINK not in line]
        longest = max(places, key=lambda place: len(lines[place]), default=0)
        if len(lines[longest]) <= SHORTEST_LINE:
            break
        lines[longest] = lines[longest][: len(lines[longest]) // 2] + MORE
    return cut("\n".join(lines))


def cut(text: str, most: int = LONGEST_ANSWER_BYTES) -> str:
    """The text, shortened at a letter if it is longer than WeChat takes."""
    raw = text.encode()
    if len(raw) <= most:
        return text
    return raw[: most - len(MORE.encode())].decode(errors="ignore") + MORE


def echoed(words: str, most: int = LONGEST_ECHO) -> str:
    """Somebody's own words as they are said back: one line, no mark-up, and how much there is of them."""
    line = " ".join(words.split()).replace("<", "＜").replace(">", "＞")
    if len(line) <= most:
        return line
    return texts.CHAT_WORDS["shortened"].format(start=line[:most], count=len(words))


def labelled(label: str) -> str:
    """The name of an offer, on one line."""
    line = " ".join(label.split()).replace("<", "＜").replace(">", "＞")
    return line if len(line) <= LONGEST_LABEL else line[: LONGEST_LABEL - 1] + MORE


def ago(silence: timedelta) -> str:
    """How long somebody was silent, in words."""
    days = silence.days
    return texts.CHAT_WORDS["days_ago"].format(count=days) if days else texts.CHAT_WORDS["hours_ago"]


def story(draft: Draft, about: str = "") -> str:
    """What happened, in the person's own words and all of them; ``about`` names what we found no row of."""
    words = texts.CHAT_WORDS
    pieces = [words["story_subject"].format(subject=about)] if about else []
    pieces.append(draft.get("happened"))
    if draft.get("since_said"):
        pieces.append(words["story_since"].format(said=draft.get("since_said")))
    if draft.remarks:
        pieces.append(words["story_remarks"].format(said="\n".join(draft.remarks)))
    return "\n".join(piece for piece in pieces if piece)


def summary(draft: Draft, kinds: Mapping[str, str]) -> str:
    """The read-back: what will be filed, line by line; ``kinds`` names what it may be about."""
    words = texts.CHAT_WORDS
    about = kinds.get(draft.get("kind"), words["not_said"])
    if draft.get("subject"):
        about = words["about_this"].format(kind=about, subject=echoed(draft.get("subject"), LONGEST_LABEL))
    named = draft.get("naming") == "named"
    lines = [
        ("about", about),
        ("programme", labelled(draft.get("programme_name"))),
        ("happened", echoed(draft.get("happened"))),
        ("remarks", echoed(" / ".join(draft.remarks))),
        ("since", echoed(draft.get("since_said") or draft.get("since"), LONGEST_LABEL)),
        ("since_day", draft.get("since") if draft.get("since_said") else ""),
        ("wanted", echoed(draft.get("wanted"))),
        ("media", words["pieces"].format(count=len(draft.media)) if draft.media else ""),
        ("naming", echoed(draft.get("name")) if named else words["anonymous"]),
        ("contact", (echoed(draft.get("contact")) or words["no_contact"]) if named else ""),
    ]
    shown = (words[f"line_{name}"].format(value=value) for name, value in lines if value)
    return "\n".join(shown)
