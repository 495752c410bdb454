"""TOML as text: enough to write a programme file back after one value was changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case datetime() | date() | time():
            return value.isoformat()
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case list():
            return "[" + ", ".join(_value(element) for element in value) + "]"
        case dict():
            return "{" + ", ".join(f"{_key(key)} = {_value(element)}" for key, element in value.items()) + "}"
    raise TypeError(f"{value!r} has no place in a TOML file")


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else json.dumps(key)


def dump(document: Mapping[str, Any]) -> str:
    """The document with every table inline: not pretty, but it reads back as the same values."""
    return "".join(f"{_key(key)} = {_value(value)}\n" for key, value in document.items())
