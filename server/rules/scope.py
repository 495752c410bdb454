"""Scope: whether what somebody wants to buy is what the text lets a voucher pay for.

A text lists matters under each category, open-ended, and counts some out by name. What another category
lists may not be bought under this one: shares and floors of categories would mean nothing otherwise.
A matter that no list names is for a reviewer to judge, and passes here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from server import texts
from server.errors import Unmet
from server.programme.catalogue import Category
from server.programme.model import Programme


def scope_unmet(programme: Programme, category: str, matters: Iterable[str]) -> tuple[Unmet, ...]:
    """Everything that keeps matters, in the text's own words, from being bought under a category."""
    chosen = programme.category(category)
    if chosen is None:
        names = texts.LIST.join(known.name for known in programme.categories)
        message = texts.SCOPE["unknown_category"].format(names=names)
        return (Unmet("unknown_category", programme.categories[0].article, message),)
    if chosen.by_notice:
        message = texts.SCOPE["not_announced"].format(name=chosen.name)
        return (Unmet("not_announced", chosen.article, message),)
    return tuple(unmet for matter in matters for unmet in _matter_unmet(programme, chosen, matter))


def _matter_unmet(programme: Programme, chosen: Category, matter: str) -> Iterator[Unmet]:
    if matter in chosen.excludes:
        message = texts.SCOPE["counted_out"].format(matter=matter, name=chosen.name)
        yield Unmet("counted_out", chosen.article, message)
    elif matter not in chosen.covers:
        for other in programme.categories:
            if matter in other.covers:
                message = texts.SCOPE["other_category"].format(matter=matter, name=other.name)
                yield Unmet("other_category", other.article, message)
