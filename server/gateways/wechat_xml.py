"""The XML of WeChat's callbacks, read as if a stranger wrote it, and written so that nobody breaks out.

A bounded number of plain elements, in UTF-8, and nothing else: no DOCTYPE, so no entity but the five that
XML has itself. wechatpy's replies put a person's ``]]>`` into the document as it is; ours do not.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element, ParseError, XMLParser

MOST_ELEMENTS = 500
DEEPEST = 8


class XmlUnusable(Exception):
    """Not the XML of a callback; nobody is told why."""


Fields = dict[str, Any]
"""Names to texts, to the fields of an element that has elements, or to a list where a name stands twice."""


_OPENING = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^<>]*\?>\s*)?<xml>")
"""A DOCTYPE can stand before the root element and nowhere else: with this beginning there is none."""


def parse(document: bytes) -> Fields:
    """The fields of an ``<xml>`` document. Raises :class:`XmlUnusable`.

    The caller bounds the length: this takes time in proportion to it.
    """
    if not _OPENING.match(document):
        raise XmlUnusable
    # Told the encoding, the parser ignores the one that the document claims.
    parser = XMLParser(encoding="utf-8")
    try:
        parser.feed(document)
        root = parser.close()
    except (ParseError, ValueError):
        raise XmlUnusable from None
    if sum(1 for _ in root.iter()) > MOST_ELEMENTS:
        raise XmlUnusable
    return _fields(root, DEEPEST)


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


def _fields(element: Element, depth: int) -> Fields:
    if not depth:
        raise XmlUnusable
    fields: Fields = {}
    for child in element:
        name, value = child.tag, _fields(child, depth - 1) if len(child) else child.text or ""
        if name not in fields:
            fields[name] = value
        elif isinstance(fields[name], list):
            fields[name].append(value)
        else:
            fields[name] = [fields[name], value]
    return fields
