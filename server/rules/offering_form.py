"""The offering form: what a provider says and shows of one product, and what is wrong or missing in it.

Every item has a key: the programme's own fields their code, a document ``documents.code``, and what every
programme asks in one way or another ``about.…``. A field that the programme's file says is the name, the
price, the place or the category is asked as that item, under the field's own name and clause.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from server import texts
from server.errors import Unmet
from server.programme.catalogue import OfferingRules
from server.programme.model import Programme
from server.programme.oversight import ConflictKind
from server.programme.papers import Field, FieldKind
from server.rules.eligibility import AREA_SEPARATOR
from server.rules.evidence import Handed, fields_missing, papers_missing
from server.rules.forms import DOCUMENTS, field_faults, fits
from server.rules.scope import scope_unmet
from server.units import yuan

CATEGORY, SERVICE, KINDS = "about.category", "about.service", "about.kinds"
NAME, AREAS, PRICE, COMPARISONS = "about.name", "about.areas", "about.price", "about.comparisons"
LONGEST_TEXT = 3000


@dataclass(frozen=True, slots=True)
class PricePart:
    """What one price of a range buys."""

    content: str
    price_fen: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """A similar product on the market, and its price."""

    name: str
    price_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What an offering says and shows. Prices in fen; one price is a range of itself.

    ``service`` is the matter in the text's own words where it has words for it. ``kinds`` are the kinds of
    service that ask for documents of their own. ``documents`` holds file ids by the document's code.
    """

    category: str = ""
    service: str = ""
    kinds: tuple[str, ...] = ()
    name: str = ""
    areas: tuple[str, ...] = ()
    price_from_fen: int | None = None
    price_to_fen: int | None = None
    price_parts: tuple[PricePart, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    documents: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @property
    def ranged(self) -> bool:
        """Whether it has several parts or a price range: more past services are asked for (GZ-91)."""
        return len(self.price_parts) > 1 or self.price_from_fen != self.price_to_fen


@dataclass(frozen=True, slots=True)
class Item:
    """Something every offering says, as this programme calls it."""

    key: str
    name: str
    clause: str
    required: bool


def columns_of(content: Content) -> dict[str, Any]:
    """The content as plain JSON, by the names of the columns that keep it."""
    return {
        "category": content.category,
        "service": content.service,
        "kinds": list(content.kinds),
        "name": content.name,
        "areas": list(content.areas),
        "price_from_fen": content.price_from_fen,
        "price_to_fen": content.price_to_fen,
        "price_parts": [{"content": one.content, "price_fen": one.price_fen} for one in content.price_parts],
        "comparisons": [{"name": one.name, "price_fen": one.price_fen} for one in content.comparisons],
        "values": dict(content.values),
        "documents": {code: list(ids) for code, ids in content.documents.items()},
    }


def content_of(columns: Mapping[str, Any]) -> Content:
    """The content that :func:`columns_of` made JSON of; what is absent is empty."""
    return Content(
        category=columns.get("category", ""),
        service=columns.get("service", ""),
        kinds=tuple(columns.get("kinds", ())),
        name=columns.get("name", ""),
        areas=tuple(columns.get("areas", ())),
        price_from_fen=columns.get("price_from_fen"),
        price_to_fen=columns.get("price_to_fen"),
        price_parts=tuple(PricePart(**one) for one in columns.get("price_parts", ())),
        comparisons=tuple(Comparison(**one) for one in columns.get("comparisons", ())),
        values=dict(columns.get("values", {})),
        documents={code: tuple(ids) for code, ids in columns.get("documents", {}).items()},
    )


# -- the form itself ---------------------------------------------------------------------------------


def items_of(rules: OfferingRules) -> tuple[Item, ...]:
    """What every offering says, in the order in which it is asked."""
    return (
        _item(rules, CATEGORY, rules.category_field, True),
        _item(rules, SERVICE, "", True),
        _item(rules, KINDS, "", bool(kinds_of(rules))),
        _item(rules, NAME, rules.name_field, True),
        _item(rules, AREAS, rules.area_field, None),
        _item(rules, PRICE, rules.price_field, None),
        _item(rules, COMPARISONS, "", bool(rules.price_comparisons)),
    )


def _item(rules: OfferingRules, key: str, code: str, required: bool | None) -> Item:
    asked = next((one for one in rules.fields if one.code == code), None)
    if asked is None:
        return Item(key, texts.OFFERING_ITEMS[key], rules.article, bool(required))
    return Item(
        key, asked.name, asked.article or rules.article, asked.required if required is None else required
    )


def own_fields(rules: OfferingRules) -> tuple[Field, ...]:
    """The fields that only this programme asks."""
    taken = {rules.category_field, rules.name_field, rules.area_field, rules.price_field}
    return tuple(one for one in rules.fields if one.code not in taken)


def kinds_of(rules: OfferingRules) -> tuple[str, ...]:
    """The kinds of service that ask for documents of their own, in the text's words (GZ-89 to GZ-98)."""
    return tuple(dict.fromkeys(one.for_services for one in rules.documents if one.for_services))


def names_of(rules: OfferingRules) -> Mapping[str, str]:
    """What each item of the form is called, by its key."""
    return {
        **{one.key: one.name for one in items_of(rules)},
        **{one.code: one.name for one in own_fields(rules)},
        **{f"{DOCUMENTS}.{one.code}": one.name for one in rules.documents},
    }


def items_in(content: Content) -> Mapping[str, Any]:
    """What the content says under each key of the form, for telling two contents apart."""
    columns = columns_of(content)
    prices = {key: columns[key] for key in ("price_from_fen", "price_to_fen", "price_parts")}
    return {
        **{
            key: columns[key.partition(".")[2]]
            for key in (CATEGORY, SERVICE, KINDS, NAME, AREAS, COMPARISONS)
        },
        PRICE: prices,
        **columns["values"],
        **{f"{DOCUMENTS}.{code}": ids for code, ids in columns["documents"].items()},
    }


# -- what is still missing ---------------------------------------------------------------------------


def missing(programme: Programme, content: Content) -> tuple[Unmet, ...]:
    """Everything that is still missing to hand an offering in, with its clause, all at once."""
    rules = programme.offering
    there = {
        CATEGORY: content.category,
        SERVICE: content.service,
        KINDS: content.kinds,
        NAME: content.name,
        AREAS: content.areas,
        PRICE: content.price_from_fen,
        COMPARISONS: True,
    }
    return (
        *(
            Unmet(one.key, one.clause, texts.PAPERS["field"].format(name=one.name))
            for one in items_of(rules)
            if one.required and there[one.key] in ("", (), None)
        ),
        *_basis_missing(rules, content),
        *fields_missing(own_fields(rules), frozenset(content.values), clause=rules.article),
        *(
            replace(one, code=f"{DOCUMENTS}.{one.code}", clause=one.clause or rules.article)
            for one in papers_missing(
                rules.documents,
                [Handed(code=code, count=len(ids)) for code, ids in content.documents.items()],
                services=frozenset(content.kinds),
                ranged=content.ranged,
            )
        ),
    )


def _basis_missing(rules: OfferingRules, content: Content) -> Iterator[Unmet]:
    """What a price still has to be explained with (GZ-87, GZ-88)."""
    if rules.price_range_itemised and content.ranged and not content.price_parts:
        clause = _item(rules, PRICE, rules.price_field, None).clause
        arithmetic = f"{yuan(content.price_from_fen or 0)} – {yuan(content.price_to_fen or 0)}"
        yield Unmet(PRICE, clause, texts.OFFERING_FAULTS["not_itemised"], arithmetic)
    least, count = rules.price_comparisons or 0, len(content.comparisons)
    if count < least:
        yield Unmet(COMPARISONS, rules.article, texts.OFFERING_FAULTS["comparisons"], f"{count} < {least}")


# -- what is wrong with what is there ----------------------------------------------------------------


def faults(
    programme: Programme, content: Content, on: date, *, recognised: frozenset[str] = frozenset()
) -> tuple[Unmet, ...]:
    """Everything wrong with what is there already, whatever is still missing.

    ``recognised`` are the kinds of service the provider is recognised for, where a list says so.
    """
    rules = programme.offering
    return (
        *_scope_faults(programme, content),
        *_recognition_faults(programme, content, recognised),
        *(
            Unmet(KINDS, rules.article, texts.OFFERING_FAULTS["kind_unknown"].format(name=kind))
            for kind in content.kinds
            if kind not in kinds_of(rules)
        ),
        *_area_faults(rules, content),
        *_price_faults(rules, content),
        *(
            replace(fault, clause=fault.clause or rules.article)
            for asked in own_fields(rules)
            if asked.code in content.values
            for fault in _value_faults(asked, content.values[asked.code], on)
        ),
    )


def _scope_faults(programme: Programme, content: Content) -> Iterator[Unmet]:
    """Whether the text lets a voucher pay for it: its category, its matter, what is counted out by name."""
    if not content.category:
        return
    matters = [content.service] if content.service else []
    found = scope_unmet(programme, content.category, matters)
    category = programme.category(content.category)
    if category is not None and not found:
        # By name only: a description may well say that something is not part of the service.
        named = next((one for one in category.excludes if one in f"{content.name}\n{content.service}"), None)
        if named is not None:
            found = scope_unmet(programme, content.category, [named])
    for one in found:
        of_the_category = one.code in ("unknown_category", "not_announced")
        yield replace(one, code=CATEGORY if of_the_category else SERVICE)


def _recognition_faults(
    programme: Programme, content: Content, recognised: frozenset[str]
) -> Iterator[Unmet]:
    """Only what a platform was recognised for (GZ-24); a list that says nothing of kinds forbids nothing."""
    rule = next((one for one in programme.conflicts if one.kind is ConflictKind.OUTSIDE_RECOGNITION), None)
    category = programme.category(content.category)
    if rule is None or category is None or not recognised:
        return
    if recognised.isdisjoint({category.name, content.service, *content.kinds}):
        kinds = texts.LIST.join(sorted(recognised))
        arithmetic = texts.OFFERING_FAULTS["recognised_for"].format(kinds=kinds, category=category.name)
        yield Unmet(CATEGORY, rule.article, rule.says, arithmetic)


def _area_faults(rules: OfferingRules, content: Content) -> Iterator[Unmet]:
    clause = _item(rules, AREAS, rules.area_field, None).clause
    for area in content.areas:
        levels = area.split(AREA_SEPARATOR)
        if len(levels) < rules.area_levels or not all(levels):
            message = texts.OFFERING_FAULTS["area"].format(area=area)
            yield Unmet(AREAS, clause, message, f"{len(levels)} < {rules.area_levels}")


def _price_faults(rules: OfferingRules, content: Content) -> Iterator[Unmet]:
    clause = _item(rules, PRICE, rules.price_field, None).clause
    low, high = content.price_from_fen, content.price_to_fen
    if low is None or high is None:
        if low != high or content.price_parts:
            yield Unmet(PRICE, clause, texts.OFFERING_FAULTS["half_a_price"])
        return
    if low <= 0:
        yield Unmet(PRICE, clause, texts.OFFERING_FAULTS["price_zero"])
    elif high < low:
        arithmetic = f"{yuan(high)} < {yuan(low)}"
        yield Unmet(PRICE, clause, texts.OFFERING_FAULTS["price_order"], arithmetic)
    elif content.price_parts:
        prices = [one.price_fen for one in content.price_parts]
        if (min(prices), max(prices)) != (low, high):
            arithmetic = f"{yuan(min(prices))} – {yuan(max(prices))} ≠ {yuan(low)} – {yuan(high)}"
            yield Unmet(PRICE, clause, texts.OFFERING_FAULTS["parts"], arithmetic)


def keeps(asked: Field, value: object) -> bool:
    """Whether a value is of the type its field is kept as; a description may be long."""
    if asked.kind is FieldKind.TEXT:
        return isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT
    return fits(asked.kind, value)


def _value_faults(asked: Field, value: object, on: date) -> tuple[Unmet, ...]:
    is_text = asked.kind is FieldKind.TEXT and keeps(asked, value)
    return () if is_text else field_faults(asked, value, on)
