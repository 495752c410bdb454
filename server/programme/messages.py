"""Messages: which topic goes out by which template, and what each field of a template holds.

Read from ``config/messages.toml``, strictly: every topic either has a template or is explicitly for the inbox
alone, and a field's name says what WeChat lets it hold (``thing1``: twenty characters).
"""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any


class MessageChannel(StrEnum):
    """A way to reach somebody."""

    SUBSCRIBE = "subscribe"
    """A subscription message of the mini-program: one consent is one message."""
    TEMPLATE = "template"
    """A template message of the official account, to those who follow it."""
    CUSTOM = "custom"
    """A customer-service message, in the time after somebody wrote or tapped."""
    SMS = "sms"
    INBOX = "inbox"
    """The inbox of the mini-program: always."""


class FieldKind(StrEnum):
    """What WeChat lets a field of a template hold; its name is the kind and a number."""

    THING = "thing"
    NUMBER = "number"
    CHARACTER_STRING = "character_string"
    TIME = "time"
    DATE = "date"
    AMOUNT = "amount"
    PHRASE = "phrase"


PLACEHOLDERS = frozenset({"title", "sentence", "at", "deadline", "number", "programme"})
"""What a field may be made of; a message that has none of it shows a dash, or the day it was written."""
DEMO_MARK = "demo-"
"""Ids that begin so are examples, and stand for nothing outside of a demonstration."""
_FIELD = re.compile(rf"({'|'.join(FieldKind)})[0-9]{{1,2}}")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,31}")
_IDS = ("subscribe_id", "official_id", "sms_code")
_TEMPLATE_KEYS = {*_IDS, "title", "fields", "official_fields", "sms_fields", "page", "long_term"}
_TOP_KEYS = {"order", "quiet_from", "quiet_until", "urgent", "inbox_only", "expiring", "template", "topic"}
_LONGEST_ID = 64


class MessagesFaulty(Exception):
    """The file cannot be used; the message names every fault, one a line."""


@dataclass(frozen=True, slots=True)
class Template:
    """One template as it is set up with WeChat and with the sender of SMS. An empty id: there is none."""

    code: str
    title: str
    page: str
    subscribe_id: str
    official_id: str
    sms_code: str
    fields: Mapping[str, str]
    """Of the subscription message: field to a text with placeholders."""
    official_fields: Mapping[str, str]
    sms_fields: Mapping[str, str]
    long_term: bool = False
    """A consent to it holds for good (长期订阅, for government services)."""

    @property
    def channels(self) -> frozenset[MessageChannel]:
        """What this template can go out by; a customer-service message needs none."""
        set_up = {
            MessageChannel.SUBSCRIBE: self.subscribe_id,
            MessageChannel.TEMPLATE: self.official_id,
            MessageChannel.SMS: self.sms_code,
        }
        return frozenset({MessageChannel.CUSTOM, *(channel for channel, known in set_up.items() if known)})


@dataclass(frozen=True, slots=True)
class Messages:
    """The whole file."""

    order: tuple[MessageChannel, ...]
    """The first channel that can reach somebody is taken."""
    quiet_from: time
    quiet_until: time
    urgent: frozenset[str]
    """Topics that do not wait for the end of the quiet hours."""
    expiring: frozenset[str]
    """Topics that are not sent any more once the moment has come that they tell of."""
    templates: Mapping[str, Template] = field(default_factory=dict)
    topics: Mapping[str, str] = field(default_factory=dict)
    """Topic to the code of its template; a topic that is missing is for the inbox alone."""

    def template_of(self, topic: str) -> Template | None:
        """What a topic goes out by; ``None``: the inbox alone."""
        code = self.topics.get(topic)
        return None if code is None else self.templates[code]

    def by_subscribe_id(self, template_id: str) -> Template | None:
        """The template that WeChat knows under this id in the mini-program."""
        known = (one for one in self.templates.values() if one.subscribe_id == template_id)
        return next(known, None) if template_id else None


def load_messages(file: Path, topics: Iterable[str], *, demo: bool) -> Messages:
    """The file, checked against every topic there is. Raises :class:`MessagesFaulty`.

    Outside of a demonstration the ids of the shipped file count as not set up.
    """
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise MessagesFaulty(f"{file} cannot be read: {fault}") from None
    reading = _Reading(raw, frozenset(topics), demo)
    messages = reading.messages()
    if reading.faults:
        raise MessagesFaulty("\n".join(f"{file}: {fault}" for fault in reading.faults))
    return messages


class _Reading:
    """One reading of the file; faults are collected, so that all of them come back together."""

    def __init__(self, raw: Mapping[str, Any], topics: frozenset[str], demo: bool) -> None:
        self.raw = raw
        self.known = topics
        self.demo = demo
        self.faults: list[str] = []

    def messages(self) -> Messages:
        self._unknown(self.raw, _TOP_KEYS, "")
        templates = {code: self._template(code, one) for code, one in self._table("template").items()}
        topics = self._topics(templates)
        used = {one.subscribe_id for one in templates.values()} - {""}
        if len(used) < sum(bool(one.subscribe_id) for one in templates.values()):
            self.faults.append("two templates have the same subscribe_id")
        urgent = frozenset(self._texts("urgent"))
        self.faults += [f"urgent names {one}, which goes nowhere" for one in sorted(urgent - topics.keys())]
        expiring = frozenset(self._texts("expiring"))
        self.faults += [
            f"expiring names {one}, which goes nowhere" for one in sorted(expiring - topics.keys())
        ]
        return Messages(
            order=self._order(),
            quiet_from=self._time("quiet_from"),
            quiet_until=self._time("quiet_until"),
            urgent=urgent,
            expiring=expiring,
            templates=MappingProxyType(templates),
            topics=MappingProxyType(topics),
        )

    def _topics(self, templates: Mapping[str, Template]) -> dict[str, str]:
        """Topic to template. A line for ``order.*`` speaks for the topics of its noun that have none."""
        lines = {topic: str(code) for topic, code in self._table("topic").items()}
        silent = frozenset(self._texts("inbox_only"))
        for topic in sorted(lines.keys() & silent):
            self.faults.append(f"topic {topic} is in inbox_only and has a template")
        for topic in sorted(lines.keys() | silent):
            # A noun that is misspelt leaves its topics without a line, and is found by that.
            if topic not in self.known and not topic.endswith(".*"):
                self.faults.append(f"there is no topic {topic}")
        for topic, code in sorted(lines.items()):
            if code not in templates:
                self.faults.append(f"topic {topic} names the template {code}, which there is not")
        found: dict[str, str] = {}
        for topic in sorted(self.known):
            noun = topic.partition(".")[0] + ".*"
            if topic in lines:
                found[topic] = lines[topic]
            elif topic not in silent and noun in lines:
                found[topic] = lines[noun]
            elif topic not in silent and noun not in silent:
                self.faults.append(f"topic {topic} has neither a template nor a place in inbox_only")
        return {topic: code for topic, code in found.items() if code in templates}

    def _template(self, code: str, raw: Any) -> Template:
        if not isinstance(raw, dict) or not _CODE.fullmatch(code):
            self.faults.append(f"template.{code} is no table with a plain name")
            raw = {}
        self._unknown(raw, _TEMPLATE_KEYS, f"template.{code}.")
        ids = {name: self._id(raw.get(name, ""), f"template.{code}.{name}") for name in _IDS}
        fields = self._fields(raw.get("fields", {}), f"template.{code}.fields")
        if not isinstance(raw.get("long_term", False), bool):
            self.faults.append(f"template.{code}.long_term is neither true nor false")
        official = raw.get("official_fields")
        return Template(
            code=code,
            title=self._text(raw.get("title"), f"template.{code}.title"),
            page=self._text(raw.get("page"), f"template.{code}.page"),
            **ids,
            long_term=raw.get("long_term") is True,
            fields=fields,
            official_fields=fields
            if official is None
            else self._fields(official, f"template.{code}.official_fields"),
            sms_fields=self._fields(
                raw.get("sms_fields", {}),
                f"template.{code}.sms_fields",
                kinds=False,
                needed=bool(ids["sms_code"]),
            ),
        )

    def _id(self, value: Any, where: str) -> str:
        if not isinstance(value, str) or len(value) > _LONGEST_ID:
            self.faults.append(f"{where} is no text of at most {_LONGEST_ID} characters")
            return ""
        return "" if value.startswith(DEMO_MARK) and not self.demo else value

    def _fields(self, raw: Any, where: str, *, kinds: bool = True, needed: bool = True) -> Mapping[str, str]:
        if not isinstance(raw, dict) or (needed and not raw):
            self.faults.append(f"{where} is missing")
            return {}
        for name, text in raw.items():
            if kinds and not _FIELD.fullmatch(name):
                self.faults.append(f"{where}.{name} is no kind of field and a number")
            if not isinstance(text, str) or not text:
                self.faults.append(f"{where}.{name} is no text")
                continue
            try:
                used = {part for _, part, _, _ in string.Formatter().parse(text) if part is not None}
            except ValueError:
                used = {text}
            if used - PLACEHOLDERS:
                self.faults.append(f"{where}.{name} names {', '.join(sorted(used - PLACEHOLDERS))}")
        return MappingProxyType({str(name): str(text) for name, text in raw.items()})

    def _order(self) -> tuple[MessageChannel, ...]:
        named = self._texts("order")
        outer = {channel.value for channel in MessageChannel} - {MessageChannel.INBOX}
        if sorted(named) != sorted(outer):
            self.faults.append(f"order must name each of {', '.join(sorted(outer))} once")
            return ()
        return tuple(MessageChannel(name) for name in named)

    def _time(self, name: str) -> time:
        try:
            return time.fromisoformat(self.raw[name])
        except (KeyError, TypeError, ValueError):
            self.faults.append(f'{name} is no time of day, as in "22:00"')
            return time()

    def _table(self, name: str) -> dict[str, Any]:
        found = self.raw.get(name)
        if isinstance(found, dict):
            return found
        self.faults.append(f"{name} is missing")
        return {}

    def _texts(self, name: str) -> list[str]:
        found = self.raw.get(name)
        if isinstance(found, list) and all(isinstance(one, str) for one in found):
            if len(set(found)) < len(found):
                self.faults.append(f"{name} names something twice")
            return found
        self.faults.append(f"{name} is no list of texts")
        return []

    def _text(self, value: Any, where: str) -> str:
        if isinstance(value, str) and value:
            return value
        self.faults.append(f"{where} is missing")
        return ""

    def _unknown(self, table: Mapping[str, Any], known: set[str], where: str) -> None:
        self.faults += [f"{where}{name} is unknown" for name in sorted(table.keys() - known)]
