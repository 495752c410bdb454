"""Forms: what a party fills in to join a programme, made from its data, and what is wrong with it.

Every item has a key: a field of the party its code (``well_run``), a field that a document must show
``document.field``, the parent company's ``parent.field``, the responsible contact's ``contact.field``. A text
field ``x`` and an identity number ``x_id`` of one document speak of the same person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from server import texts
from server.clock import EARLIEST, LATEST
from server.errors import Unmet
from server.programme.model import Programme
from server.programme.papers import Document, Field, FieldKind, Undertaking
from server.programme.people import ConditionKind, PartyRules
from server.programme.vocabulary import LegalForm, SizeClass
from server.rules.evidence import Handed, fields_missing, paper_faults, papers_missing

CONTACT, PARENT = "contact", "parent"
DOCUMENTS, UNDERTAKINGS = "documents", "undertakings"
NAME, PHONE, ESTABLISHED = "name", "phone", "established_on"
OF_PERSON = "_id"
"""What an identity number's code adds to the code of the name it belongs to."""
LONGEST_TEXT = 500
LARGEST_FIGURE = 10**15
ID_LENGTH = 18
SEALED_KINDS = frozenset({FieldKind.ID_NUMBER, FieldKind.PHONE})
"""What is personal: sealed at rest and masked in every answer."""
_PHONE = re.compile(r"(?:\+?86)?1[3-9]\d{9}|0\d{2,3}-?\d{7,8}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of the form; ``document`` is the code of the document that must show it, or empty."""

    key: str
    field: Field
    document: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is registered of the party already, and must not be contradicted by its papers. Money in fen."""

    name: str
    headcount: int
    revenue_fen: int
    assets_fen: int
    legal_form: LegalForm | None = None
    size_class: SizeClass | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What has been filled in: values by key, how many files each document has, undertakings accepted."""

    values: Mapping[str, object] = field(default_factory=dict)
    documents: Mapping[str, int] = field(default_factory=dict)
    undertakings: frozenset[str] = frozenset()


def form_fields(rules: PartyRules) -> tuple[FormField, ...]:
    """Every field of a party's form: its own, those inside its documents, parent company and contact."""
    return (
        *(FormField(one.code, one) for one in rules.fields),
        *(
            FormField(f"{document.code}.{one.code}", one, document.code)
            for document in rules.documents
            for one in document.fields
        ),
        *_parent_fields(rules),
        *_contact_fields(rules),
    )


def _parent_fields(rules: PartyRules) -> Iterator[FormField]:
    """Asked where the parent company's figures may stand in for a young subsidiary's (GX-37, GX-38)."""
    counting = [one for one in rules.conditions if one.parent_counts]
    if not counting:
        return
    clause = counting[0].article
    yield _extra(PARENT, NAME, FieldKind.TEXT, clause, required=False)
    yield _extra(PARENT, ESTABLISHED, FieldKind.DATE, clause, required=False)
    own = {one.code: one for one in rules.fields}
    for condition in counting:
        if condition.kind is ConditionKind.AT_LEAST and condition.fact in own:
            figure = replace(own[condition.fact], required=False)
            yield FormField(f"{PARENT}.{condition.fact}", figure)


def _contact_fields(rules: PartyRules) -> Iterator[FormField]:
    account = rules.account
    for code, kind in ((NAME, FieldKind.TEXT), (PHONE, FieldKind.PHONE)):
        yield _extra(CONTACT, code, kind, account.article, required=account.dedicated_contact)


def _extra(section: str, code: str, kind: FieldKind, clause: str, *, required: bool) -> FormField:
    name = texts.FORM_FIELDS[f"{section}.{code}"]
    return FormField(
        f"{section}.{code}", Field(code=code, name=name, kind=kind, required=required, article=clause)
    )


def keys_of(rules: PartyRules) -> frozenset[str]:
    """Everything of a form that can be filled in, handed in or accepted, by the key a return names."""
    return frozenset(
        {
            *(one.key for one in form_fields(rules)),
            *(f"{DOCUMENTS}.{one.code}" for one in rules.documents),
            *(f"{UNDERTAKINGS}.{one.code}" for one in rules.undertakings),
        }
    )


def names_of(rules: PartyRules) -> Mapping[str, str]:
    """What each key of :func:`keys_of` is called."""
    return {
        **{one.key: one.field.name for one in form_fields(rules)},
        **{f"{DOCUMENTS}.{one.code}": one.name for one in rules.documents},
        **{f"{UNDERTAKINGS}.{one.code}": one.name for one in rules.undertakings},
    }


def text_of(undertaking: Undertaking) -> str:
    """The text that somebody agrees to, letter by letter the same for everybody."""
    return "\n".join((undertaking.name, *undertaking.promises))


# -- what is wrong with what has been filled in -----------------------------------------------------


def value_faults(rules: PartyRules, filled: Filled, known: Known, on: date) -> tuple[Unmet, ...]:
    """Everything wrong with what is there already, whatever is still missing.

    Kinds, choices, check digits and dates of each field by itself; then what contradicts another field or
    what is registered: an identity number of somebody else, another name, another size class (GZ-54).
    """
    there = [one for one in form_fields(rules) if one.key in filled.values]
    wrong = [
        Unmet(one.key, one.field.article, texts.FORM_FAULTS[fault].format(name=one.field.name), arithmetic)
        for one in there
        for fault, arithmetic in _wrong(one.field, filled.values[one.key], on)
    ]
    return (*wrong, *_persons(there, filled.values), *_contradictions(there, filled.values, known))


def missing(
    programme: Programme, rules: PartyRules, filled: Filled, known: Known, on: date
) -> tuple[Unmet, ...]:
    """Everything that is still missing to hand the form in on a day, with its clause, all at once."""
    return (
        *fields_missing(rules.fields, frozenset(filled.values), clause=rules.article),
        *_extras_missing(rules, filled.values),
        *(
            replace(one, code=f"{DOCUMENTS}.{one.code}")
            for one in papers_missing(
                rules.documents,
                [Handed(code=code, count=count) for code, count in filled.documents.items()],
                legal_form=known.legal_form,
            )
        ),
        *_papers_incomplete(programme, rules, filled, known, on),
        *(
            Unmet(
                f"{UNDERTAKINGS}.{one.code}",
                one.article,
                texts.FORM_FAULTS["undertaking"].format(name=one.name),
            )
            for one in rules.undertakings
            if one.code not in filled.undertakings
        ),
    )


def _extras_missing(rules: PartyRules, values: Mapping[str, object]) -> Iterator[Unmet]:
    has_parent = any(key.startswith(f"{PARENT}.") for key in values)
    needed = {f"{PARENT}.{NAME}", f"{PARENT}.{ESTABLISHED}"} if has_parent else set()
    for one in form_fields(rules):
        section = one.key.partition(".")[0]
        if one.document or section not in (CONTACT, PARENT) or one.key in values:
            continue
        if one.field.required or one.key in needed:
            yield Unmet(one.key, one.field.article, texts.PAPERS["field"].format(name=one.field.name))


def _papers_incomplete(
    programme: Programme, rules: PartyRules, filled: Filled, known: Known, on: date
) -> Iterator[Unmet]:
    """What the documents do not show that they must; a document nobody owes is asked only if it is there."""
    for document in rules.documents:
        owed = document.required and not document.groups
        if not (owed or filled.documents.get(document.code)):
            continue
        handed = _handed(document, filled, known)
        for fault in paper_faults(programme, document, handed, on):
            yield replace(fault, code=f"{document.code}.{fault.code}")


def _handed(document: Document, filled: Filled, known: Known) -> Handed:
    """The document as the form describes it. What the form does not ask, only a reviewer can see."""
    values = {
        one.code: filled.values[f"{document.code}.{one.code}"]
        for one in document.fields
        if f"{document.code}.{one.code}" in filled.values
    }

    def all_there(kind: FieldKind) -> bool:
        return all(values.get(one.code) is True for one in document.fields if one.kind is kind)

    dates = [values.get(one.code) for one in document.fields if one.kind is FieldKind.DATE]
    return Handed(
        code=document.code,
        count=filled.documents.get(document.code, 0),
        dated=next((_day(one) for one in dates if _day(one) is not None), None),
        sealed=all_there(FieldKind.SEAL),
        hand_signed=all_there(FieldKind.SIGNATURE),
        names_match=values.get(NAME, known.name) == known.name,
        filled=frozenset(code for code, value in values.items() if value is not False),
    )


def fits(kind: FieldKind, value: object) -> bool:
    """Whether a value is of the type a kind is kept as: money in whole fen, a date as ``2024-05-31``."""
    match kind:
        case FieldKind.YES_NO | FieldKind.SEAL | FieldKind.SIGNATURE:
            return isinstance(value, bool)
        case FieldKind.COUNT | FieldKind.MONEY:
            return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_FIGURE
        case _:
            return isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT


def field_faults(asked: Field, value: object, on: date) -> tuple[Unmet, ...]:
    """Everything wrong with the value of one field by itself, named by the field's code."""
    return tuple(
        Unmet(asked.code, asked.article, texts.FORM_FAULTS[fault].format(name=asked.name), arithmetic)
        for fault, arithmetic in _wrong(asked, value, on)
    )


def _wrong(asked: Field, value: object, on: date) -> Iterator[tuple[str, str]]:
    """The faults of one value by itself, each with its arithmetic."""
    if not fits(asked.kind, value):
        yield "kind", ""
    elif asked.kind is FieldKind.COUNT and isinstance(value, int) and value < 0:
        yield "negative", ""
    elif asked.kind is FieldKind.CHOICE and value not in asked.choices:
        yield "choice", texts.LIST.join(asked.choices)
    elif asked.kind is FieldKind.DATE and _day(value) is None:
        yield "date", ""
    elif asked.kind is FieldKind.PHONE and not is_phone(str(value)):
        yield "phone", ""
    elif asked.kind is FieldKind.ID_NUMBER:
        yield from id_faults(str(value), on)


def is_phone(number: str) -> bool:
    """Whether a text is a telephone number of China."""
    return _PHONE.fullmatch(number) is not None


def id_faults(number: str, on: date) -> Iterator[tuple[str, str]]:
    """GB 11643: eighteen characters, a birthday that has been, and a check digit.

    Yields the code of the sentence in ``texts.FORM_FAULTS``, and the comparison.
    """
    number = ric.compact(number)
    if len(number) != ID_LENGTH:
        yield "id_length", f"{len(number)} ≠ {ID_LENGTH}"
    elif not number[:-1].isdecimal() or not number.isascii():
        yield "id_letters", ""
    # Neither digit is said: an answer must not help to guess somebody's number.
    elif number[-1] != ric.calc_check_digit(number):
        yield "id_check", ""
    else:
        try:
            born = ric.get_birth_date(number)
        except ValidationError:
            born = date.max
        if born > on:
            yield "id_birthday", ""


def _persons(there: Sequence[FormField], values: Mapping[str, object]) -> Iterator[Unmet]:
    """One number belongs to one person, and one person has one number: else it is somebody else's."""
    seen: dict[str, tuple[object, str]] = {}
    owners: dict[object, str] = {}
    for one in there:
        if one.field.kind is not FieldKind.ID_NUMBER or not one.key.endswith(OF_PERSON):
            continue
        name, number = values.get(one.key.removesuffix(OF_PERSON)), values[one.key]
        if not (isinstance(name, str) and isinstance(number, str)):
            continue
        number = ric.compact(number)
        other, first = seen.setdefault(number, (name, one.field.name))
        twice = owners.setdefault(name, number) != number
        if other != name or twice:
            fault = "id_of_another" if other != name else "two_ids"
            message = texts.FORM_FAULTS[fault].format(name=one.field.name, other=first)
            yield Unmet(one.key, one.field.article, message)


def _contradictions(
    there: Sequence[FormField], values: Mapping[str, object], known: Known
) -> Iterator[Unmet]:
    """What a paper says of the party is what is registered of it."""
    registered: Mapping[tuple[str, FieldKind], object] = {
        (NAME, FieldKind.TEXT): known.name,
        ("headcount", FieldKind.COUNT): known.headcount,
        ("revenue", FieldKind.MONEY): known.revenue_fen,
        ("assets", FieldKind.MONEY): known.assets_fen,
    }
    for one in there:
        if not one.document:
            continue
        said = values[one.key]
        wanted = registered.get((one.field.code, one.field.kind), said)
        if said != wanted:
            message = texts.FORM_FAULTS["differs"].format(name=one.field.name)
            yield Unmet(one.key, one.field.article, message, f"{said} ≠ {wanted}")
        if one.field.code == "size_class" and one.field.kind is FieldKind.CHOICE and known.size_class:
            computed = texts.SIZE_CLASSES[known.size_class]
            if said != computed:
                message = texts.FORM_FAULTS["size_class"].format(name=one.field.name)
                yield Unmet(one.key, one.field.article, message, f"{said} ≠ {computed}")


def _day(value: object) -> date | None:
    if not isinstance(value, str):
        return None
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return None
    return day if day.isoformat() == value and EARLIEST <= day <= LATEST else None


# -- the party's figures as the rules ask for them --------------------------------------------------


def own_values(rules: PartyRules, values: Mapping[str, object]) -> dict[str, object]:
    """What the party says of itself, by the code of the field: what conditions ask for."""
    own = {one.code for one in rules.fields}
    return {code: value for code, value in values.items() if code in own}


def parent_values(values: Mapping[str, object]) -> dict[str, object]:
    """What is said of the parent company, by the code of the field."""
    start = f"{PARENT}."
    return {key.removeprefix(start): value for key, value in values.items() if key.startswith(start)}


def mask(value: str) -> str:
    """Enough of a number to recognise it: ``360426199101010071`` as ``360***********0071``."""
    if len(value) < 8:
        return "*" * len(value)
    return value[:3] + "*" * (len(value) - 7) + value[-4:]


def changed_keys(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[str, ...]:
    """The keys whose value differs, in the order in which they stand in both."""
    keys: Iterable[str] = dict.fromkeys((*before, *after))
    return tuple(key for key in keys if before.get(key) != after.get(key))
