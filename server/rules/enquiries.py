"""Enquiries: an enterprise says what it needs; its life, and what is wrong with what it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum

from server import texts
from server.errors import Unmet
from server.programme.catalogue import EnquiryRules
from server.programme.papers import FieldKind
from server.rules.forms import field_faults

LONGEST_MESSAGE = 1_000
FROM, TO = "_from", "_to"
"""What two fields of money add to one name when they are the ends of one range."""


class EnquiryStatus(StrEnum):
    """Where an enquiry stands."""

    DRAFT = "draft"
    PENDING = "pending"
    """Under review."""
    RETURNED = "returned"
    """Sent back for correction."""
    REFUSED = "refused"
    """Not shown, for good."""
    SHOWN = "shown"
    """Everybody sees it, admitted providers answer it."""
    CLOSED = "closed"
    """Its enterprise has ended it; what was said stays."""


class EnquiryAct(StrEnum):
    """What can be done with an enquiry."""

    EDIT = "edit"
    ANSWER = "answer"
    TALK = "talk"
    """Go on in a thread that an answer has begun."""


ENQUIRY_MOVES: Mapping[EnquiryStatus, frozenset[EnquiryStatus]] = {
    # Where the programme reviews nothing, it is shown at once.
    EnquiryStatus.DRAFT: frozenset({EnquiryStatus.PENDING, EnquiryStatus.SHOWN, EnquiryStatus.CLOSED}),
    EnquiryStatus.PENDING: frozenset(
        {EnquiryStatus.SHOWN, EnquiryStatus.REFUSED, EnquiryStatus.RETURNED, EnquiryStatus.CLOSED}
    ),
    EnquiryStatus.RETURNED: frozenset({EnquiryStatus.PENDING, EnquiryStatus.CLOSED}),
    EnquiryStatus.REFUSED: frozenset(),
    EnquiryStatus.SHOWN: frozenset({EnquiryStatus.CLOSED}),
    EnquiryStatus.CLOSED: frozenset(),
}

ENQUIRY_MAY: Mapping[EnquiryStatus, frozenset[EnquiryAct]] = {
    EnquiryStatus.DRAFT: frozenset({EnquiryAct.EDIT}),
    EnquiryStatus.PENDING: frozenset(),
    EnquiryStatus.RETURNED: frozenset({EnquiryAct.EDIT}),
    EnquiryStatus.REFUSED: frozenset(),
    EnquiryStatus.SHOWN: frozenset({EnquiryAct.ANSWER, EnquiryAct.TALK}),
    EnquiryStatus.CLOSED: frozenset(),
}


def enquiry_faults(rules: EnquiryRules, values: Mapping[str, object], on: date) -> tuple[Unmet, ...]:
    """Everything wrong with an enquiry: fields the programme does not ask, and values that do not fit."""
    return tuple(_faults(rules, values, on))


def _faults(rules: EnquiryRules, values: Mapping[str, object], on: date) -> Iterator[Unmet]:
    asked = {field.code: field for field in rules.fields}
    for code in values:
        if code not in asked:
            yield Unmet(code[:60], rules.article, texts.ENQUIRY_FAULTS["unknown"])
    for code, field in asked.items():
        if code in values:
            yield from field_faults(field, values[code], on)
        elif field.required:
            yield Unmet(code, field.article or rules.article, texts.PAPERS["field"].format(name=field.name))
        if field.kind is FieldKind.MONEY and type(low := values.get(code)) is int:
            if low < 0:
                yield Unmet(code, rules.article, texts.FORM_FAULTS["negative"].format(name=field.name))
            other = code.removesuffix(FROM) + TO if code.endswith(FROM) else ""
            if other in asked and type(high := values.get(other)) is int and low > high:
                message = texts.ENQUIRY_FAULTS["range"].format(name=field.name, other=asked[other].name)
                yield Unmet(code, rules.article, message, f"{low} > {high}")
