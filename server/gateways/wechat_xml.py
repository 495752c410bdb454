"""The XML of WeChat's callbacks, read as if a stranger wrote it, and written so that nobody breaks out.

A bounded number of plain elements, in UTF-8, and nothing else: no DOCTYPE, so no entity but the five that
XML has itself. wechatpy's replies put a person's ``]]>`` into the document as it is; ours do not.
"""

from __future__ import annotations

from typing import Any
from xml.parsers.expat import ExpatError, ParserCreate

MOST_ELEMENTS = 500
DEEPEST = 8


class XmlUnusable(Exception):
    """Not the XML of a callback; nobody is told why."""


Fields = dict[str, Any]
"""Names to texts, to the fields of an element that has elements, or to a list where a name stands twice."""


def parse(document: bytes) -> Fields:
    """The fields of an ``<xml>`` document. Raises :class:`XmlUnusable`.

    The caller bounds the length: this takes time in proportion to it.
    """
    root: Fields = {}
    open_fields: list[Fields] = []
    names: list[str] = []
    texts: list[list[str]] = []
    count = 0

    def start(name: str, _: Any) -> None:
        nonlocal count
        count += 1
        if count > MOST_ELEMENTS or len(names) >= DEEPEST or (not names and name != "xml"):
            raise XmlUnusable
        names.append(name)
        open_fields.append({})
        texts.append([])

    def end(name: str) -> None:
        names.pop()
        fields, text = open_fields.pop(), "".join(texts.pop())
        if not open_fields:
            root.update(fields)
            return
        _add(open_fields[-1], name, fields or text)

    def characters(data: str) -> None:
        if texts:
            texts[-1].append(data)

    def refuse(*_: Any) -> None:
        raise XmlUnusable

    # Told the encoding, expat ignores the one that the document claims.
    parser = ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(document, True)
    except (ExpatError, ValueError):
        raise XmlUnusable from None
    return root


def text_of(fields: Fields, name: str) -> str:
    """The text of an element that stands once; ``""`` if it is absent. Raises :class:`XmlUnusable`."""
    found = fields.get(name, "")
    if not isinstance(found, str):
        raise XmlUnusable
    return found


def quoted(text: str) -> str:
    """Any text as character data. What XML cannot hold at all is left out."""
    kept = "".join(letter for letter in text if letter >= " " or letter in "\n\t")
    kept = kept.encode("utf-8", "ignore").decode().replace("\ufffe", "").replace("\uffff", "")
    return "<![CDATA[" + kept.replace("]]>", "]]]]><![CDATA[>") + "]]>"


def _add(fields: Fields, name: str, value: Any) -> None:
    if name not in fields:
        fields[name] = value
    elif isinstance(fields[name], list):
        fields[name].append(value)
    else:
        fields[name] = [fields[name], value]
