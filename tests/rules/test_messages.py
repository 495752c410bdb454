"""Messages: the file says for every topic where it goes, and a fault of it is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from server import texts
from server.programme.messages import MessageChannel, Messages, MessagesFaulty, load_messages
from server.services.messages.delivery_plan import known_topics

FILE = Path("config/messages.toml")
GOOD = """
order = ["subscribe", "template", "custom", "sms"]
quiet_from = "22:00"
quiet_until = "08:00"
urgent = []
expiring = []
inbox_only = ["staff.*", "order.quiet"]
[template.one]
title = "进度"
page = "pages/a"
subscribe_id = "demo-1"
official_id = "real-2"
fields = { thing1 = "{title}", time2 = "{deadline}" }
[topic]
"order.*" = "one"
"""
TOPICS = ("order.placed", "order.quiet", "staff.wanted")


def read(tmp_path: Path, text: str, *, demo: bool = True) -> Messages:
    file = tmp_path / "messages.toml"
    file.write_text(text, encoding="utf-8")
    return load_messages(file, TOPICS, demo=demo)


def test_the_shipped_file_knows_every_topic() -> None:
    messages = load_messages(FILE, known_topics(), demo=True)
    assert messages.topics.keys() <= known_topics()
    assert {one.code for one in messages.templates.values()} == set(messages.topics.values())
    # Whatever is dropped at a moment says which.
    assert all("{until}" in texts.NOTICES[topic][1] for topic in messages.expiring)


def test_the_shipped_ids_stand_for_nothing_in_production() -> None:
    messages = load_messages(FILE, known_topics(), demo=False)
    for template in messages.templates.values():
        assert template.channels == {MessageChannel.CUSTOM}


def test_a_topic_named_itself_comes_before_the_line_for_its_noun(tmp_path: Path) -> None:
    messages = read(tmp_path, GOOD)
    assert dict(messages.topics) == {"order.placed": "one"}
    assert messages.template_of("order.quiet") is None
    assert read(tmp_path, GOOD, demo=False).templates["one"].channels == {
        MessageChannel.CUSTOM,
        MessageChannel.TEMPLATE,
    }


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"order.*" = "one"', '"order.plaecd" = "one"', "there is no topic order.plaecd"),
        ('"order.*" = "one"', '"orders.*" = "one"', "topic order.placed has neither"),
        ('"staff.*", ', "", "topic staff.wanted has neither"),
        ('"order.*" = "one"', '"order.*" = "two"', "the template two"),
        ("urgent = []", 'urgent = ["order.quiet"]', "urgent names order.quiet"),
        ("expiring = []", 'expiring = ["staff.wanted"]', "expiring names staff.wanted"),
        ("thing1", "thingy1", "thingy1 is no kind of field"),
        ("{title}", "{tilte}", "names tilte"),
        ("{title}", "{title", "names"),
        ('"sms"]', "]", "order must name"),
        ('"08:00"', '"8"', "quiet_until is no time"),
        ("page =", "pgae =", "template.one.pgae is unknown"),
        ("urgent", "urgnet", "urgnet is unknown"),
        ("[template.one]", "[template.One]", "no table with a plain name"),
        ("order =", "order ==", "cannot be read"),
        ('"order.quiet"]', '"order.*"]', "order.* is in inbox_only and has a template"),
        ('title = "进度"', 'title = "进度"\nlong_term = 1', "long_term is neither"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert old in GOOD
    with pytest.raises(MessagesFaulty, match=fault.replace("*", r"\*")):
        read(tmp_path, GOOD.replace(old, new, 1))
