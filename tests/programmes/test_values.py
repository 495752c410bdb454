"""The loaded values are those of the regulations, rule by rule (``values.toml``).

These tests carry no ``rules`` mark: a value written down twice shows that it was copied rightly, and
proves nothing about what is done with it. The ids in the table say where to look in the texts.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.programme.registry import Programmes

VALUES = tomllib.loads((Path(__file__).parent / "values.toml").read_text(encoding="utf-8"))
STEP = re.compile(r"(?P<attribute>\w+)(?:\[(?P<name>\w+|\*)(?:=(?P<value>[^\]]+))?\])?")


def rows() -> Iterator[Any]:
    """One case for each row."""
    for slug, values in VALUES.items():
        for key, expected in values.items():
            _, path = key.split(" ", 1)
            yield pytest.param(slug, path, expected, id=key)


def look_up(thing: Any, path: str) -> Any:
    """The value at a path of attributes; ``[code=x]`` picks from a list, ``[*]`` goes on with all of it."""
    for place, step in enumerate(steps := path.split(".")):
        part = STEP.fullmatch(step)
        assert part, step
        thing = getattr(thing, part["attribute"])
        if part["name"] == "*":
            rest = ".".join(steps[place + 1 :])
            return [look_up(one, rest) for one in thing]
        if part["name"]:
            (thing,) = (one for one in thing if getattr(one, part["name"]) == part["value"])
    return plain(thing)


def plain(value: Any) -> Any:
    """As TOML writes it."""
    if value is None:
        return "nothing"
    if isinstance(value, frozenset):
        return sorted(value)
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize(("slug", "path", "expected"), list(rows()))
def test_the_programme_says_what_the_regulation_says(
    programmes: Programmes, slug: str, path: str, expected: Any
) -> None:
    assert look_up(programmes.get(slug), path) == expected


# how many there are: a rule that lists things is broken by one too many as well
COUNTS = [
    ("YC-12", "yinchuan-2024", "categories", 4),
    ("YC-42", "yinchuan-2024", "forms[code=offline_review].fields", 20),
    ("GX-10", "guangxi-2024", "voucher_kinds", 2),
    ("GX-22", "guangxi-2024", "categories", 7),
    ("NX-15", "ningxia-2016", "categories", 7),
    ("LS-22", "lishui-2024", "categories", 9),
    ("GZ-17", "guangzhou-2020", "categories", 5),
    ("GZ-97", "guangzhou-2020", "offering.documents", 18),
]


@pytest.mark.parametrize(
    ("slug", "path", "count"),
    [pytest.param(*row[1:], id=row[0]) for row in COUNTS],
)
def test_the_programme_lists_as_many_as_the_regulation(
    programmes: Programmes, slug: str, path: str, count: int
) -> None:
    assert len(look_up(programmes.get(slug), path)) == count


def test_the_floor_names_the_three_key_categories(programmes: Programmes) -> None:
    lishui = programmes.get("lishui-2024")
    (floor,) = lishui.category_floors
    named = [category.name for category in lishui.categories if category.code in floor.categories]
    assert named == ["技术创新服务", "知识产权服务", "智能化数字化服务"]


@pytest.mark.rules("GX-30", "GX-31")
def test_a_diagnosis_is_paid_by_its_own_rule_and_everything_else_by_the_other(programmes: Programmes) -> None:
    guangxi = programmes.get("guangxi-2024")
    rules = {category.code: guangxi.deduction_for(category.code).code for category in guangxi.categories}
    assert rules.pop("diagnosis_services") == "diagnosis"
    assert set(rules.values()) == {"other"}
