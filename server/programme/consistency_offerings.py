"""What cannot be in the rules of offerings."""

from __future__ import annotations

from collections.abc import Iterator

from server.programme.faults import Fault
from server.programme.model import Programme
from server.programme.papers import FieldKind
from server.programme.policy import NoticeOverride

PRIVATE = frozenset({FieldKind.PHONE, FieldKind.ID_NUMBER, FieldKind.SIGNATURE, FieldKind.SEAL})
"""What no offering says: everybody reads it."""
MEANINGS = {
    "name_field": FieldKind.TEXT,
    "price_field": FieldKind.MONEY,
    "area_field": FieldKind.TEXT,
    "category_field": FieldKind.CHOICE,
}
"""The keys that say what a field means, and what kind it then is."""


def offering_faults(programme: Programme) -> Iterator[Fault]:
    """Everything about offerings that cannot be."""
    rules = programme.offering
    kinds = {field.code: field.kind for field in rules.fields}
    for place, field in enumerate(rules.fields):
        if field.kind in PRIVATE:
            yield Fault(f"offering.field[{place}].kind", f'"{field.kind}"', "nothing personal: it is public")
    for key, kind in MEANINGS.items():
        code = getattr(rules, key)
        if code and kinds.get(code) is not kind:
            yield Fault(f"offering.{key}", f'"{code}"', f'the code of a field of kind "{kind}"')
    if rules.category_field in kinds:
        choices = next(field.choices for field in rules.fields if field.code == rules.category_field)
        if set(choices) != {category.name for category in programme.categories}:
            yield Fault("offering.category_field", "other choices", "the names of the categories")
    notice = programme.annual_notice
    for place, category in enumerate(programme.categories):
        if category.by_notice and (notice is None or NoticeOverride.SCOPE not in notice.may_change):
            yield Fault(f"category[{place}].by_notice", "true", "a yearly notice that may set the scope")
    if rules.area_levels < 1:
        yield Fault("offering.area_levels", str(rules.area_levels), "1 or more")
    least, most = rules.selections_per_year_min, rules.selections_per_year_max
    if most is not None and most < max(least or 0, 1):
        yield Fault("offering.selections_per_year_max", str(most), f"at least {max(least or 0, 1)}")
