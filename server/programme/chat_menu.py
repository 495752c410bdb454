"""The menu of the official account, as data: what it shows and what a tap on it means.

Read from ``config/chat_menu.toml``, strictly, and with WeChat's own limits: what WeChat would refuse is
refused here, where the reason can be read.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOST_BUTTONS, MOST_BELOW = 3, 5
LONGEST_NAME, LONGEST_NAME_BELOW, LONGEST_KEY = 16, 60, 128
"""Bytes of UTF-8."""
_TAP, _OPEN, _UNFOLD = {"name", "key"}, {"name", "page", "url"}, {"name", "below"}


class MenuFaulty(Exception):
    """The file cannot be used; the message names every fault, one a line."""


@dataclass(frozen=True, slots=True)
class Button:
    """A button: a tap that the chat hears, a page of the mini-program, or what unfolds below it."""

    name: str
    key: str = ""
    page: str = ""
    url: str = ""
    below: tuple[Button, ...] = ()

    def as_wechat(self, mini_appid: str) -> dict[str, Any]:
        """As WeChat's API names it."""
        if self.below:
            return {"name": self.name, "sub_button": [one.as_wechat(mini_appid) for one in self.below]}
        if self.key:
            return {"type": "click", "name": self.name, "key": self.key}
        return {
            "type": "miniprogram",
            "name": self.name,
            "url": self.url,
            "appid": mini_appid,
            "pagepath": self.page,
        }


def load_menu(file: Path, *, keys: frozenset[str]) -> tuple[Button, ...]:
    """The buttons of a file; ``keys`` are what the chart hears. Raises :class:`MenuFaulty`."""
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise MenuFaulty(f"{file} cannot be read: {fault}") from None
    given = table.get("button")
    faults = [f"{file}: {name} is not known, only [[button]]." for name in table if name != "button"]
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_BUTTONS:
        faults.append(f"{file}: a menu has one to {MOST_BUTTONS} buttons.")
        given = []
    for one in given:
        faults += (f"{file}: {fault}" for fault in _faults(one, keys, LONGEST_NAME))
    if faults:
        raise MenuFaulty("\n".join(faults))
    return tuple(_button(one) for one in given)


def _faults(given: Any, keys: frozenset[str], longest: int) -> Iterator[str]:
    name = given.get("name") if isinstance(given, dict) else None
    if not isinstance(name, str) or not 0 < len(name.encode()) <= longest:
        yield f"a button's name has 1 to {longest} bytes: {name!r}"
        return
    if set(given) == _UNFOLD and longest == LONGEST_NAME:
        below = given["below"]
        if not isinstance(below, list) or not 1 <= len(below) <= MOST_BELOW:
            yield f"{name}: one to {MOST_BELOW} buttons stand below another."
            return
        for one in below:
            yield from _faults(one, keys, LONGEST_NAME_BELOW)
    elif set(given) == _TAP:
        if given["key"] not in keys:
            known = ", ".join(sorted(keys))
            yield f"{name}: no entry of the chart is called {given['key']!r}; there are {known}."
        elif len(given["key"].encode()) > LONGEST_KEY:
            yield f"{name}: its key has more than {LONGEST_KEY} bytes."
    elif set(given) != _OPEN or not all(isinstance(given[one], str) and given[one] for one in _OPEN):
        yield f"{name}: a button has a key, or a page with its url, or buttons below."


def _button(given: Mapping[str, Any]) -> Button:
    return Button(
        name=given["name"],
        key=given.get("key", ""),
        page=given.get("page", ""),
        url=given.get("url", ""),
        below=tuple(_button(one) for one in given.get("below", ())),
    )
