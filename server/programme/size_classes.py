"""The size standard 工信部联企业〔2011〕300号 as data, and the strict reading of its file.

Figures keep the standard's units: headcount in persons, money in fen after an exact conversion from
万元. Nothing here decides a size; ``server/rules/size_class.py`` does.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.units import yuan_to_fen

YUAN_PER_WAN = 10_000


class SizeStandardError(ValueError):
    """The file of the size standard is not what it must be; the message names the place."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Some of the three figures; ``None`` where the standard does not look at one."""

    headcount: int | None = None
    revenue_fen: int | None = None
    assets_fen: int | None = None


@dataclass(frozen=True, slots=True)
class SizeIndustry:
    """One of the sixteen industries with its three lines.

    ``sme_below``    below ANY of these an enterprise is at most medium, otherwise it is large
    ``medium_from``  from ALL of these on it is medium
    ``small_from``   from ALL of these on it is small, otherwise micro
    """

    code: str
    name: str
    article: str
    gbt4754: tuple[str, ...]
    sme_below: Figures
    medium_from: Figures
    small_from: Figures


@dataclass(frozen=True, slots=True)
class SizeStandard:
    """The whole standard: its industries, and how codes of GB/T 4754 lead to them."""

    source: str
    classification: str
    industries: tuple[SizeIndustry, ...]
    sections: Mapping[str, tuple[int, int]]
    """First and last division of each section, by its letter."""
    by_gbt4754: Mapping[str, SizeIndustry]
    """Industry by section letter, division, group or class; the longest that fits decides."""


def load_size_standard(path: Path) -> SizeStandard:
    """Read the file; anything unknown, missing or contradictory raises :class:`SizeStandardError`."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as fault:
        raise SizeStandardError(f"{path.name}: {fault}") from fault
    _exact_keys(data, {"source", "classification", "industry", "sections"}, path.name)
    industries = tuple(
        _industry(entry, f"{path.name}: industry {entry.get('code')}") for entry in data["industry"]
    )
    by_code: dict[str, SizeIndustry] = {}
    for industry in industries:
        for code in industry.gbt4754:
            if code in by_code:
                raise SizeStandardError(
                    f"{path.name}: {code} leads to {by_code[code].code} and {industry.code}"
                )
            by_code[code] = industry
    sections = {letter: (int(first), int(last)) for letter, (first, last) in data["sections"].items()}
    unknown = {code for code in by_code if code.isalpha() and code not in sections}
    if unknown:
        raise SizeStandardError(f"{path.name}: no such section: {sorted(unknown)}")
    return SizeStandard(
        source=data["source"],
        classification=data["classification"],
        industries=industries,
        sections=sections,
        by_gbt4754=by_code,
    )


def _industry(entry: Mapping[str, Any], where: str) -> SizeIndustry:
    lines = {"sme_below", "medium_from", "small_from"}
    _exact_keys(entry, {"code", "name", "article", "gbt4754"} | lines, where)
    return SizeIndustry(
        code=entry["code"],
        name=entry["name"],
        article=entry["article"],
        gbt4754=tuple(entry["gbt4754"]),
        **{line: _figures(entry[line], f"{where}, {line}") for line in lines},
    )


def _figures(entry: Mapping[str, Any], where: str) -> Figures:
    unknown = set(entry) - {"headcount", "revenue_wan", "assets_wan"}
    if unknown or not entry:
        raise SizeStandardError(
            f"{where}: expected headcount, revenue_wan or assets_wan, got {sorted(entry)}"
        )
    for key, value in entry.items():
        if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
            raise SizeStandardError(f"{where}: {key} must be a whole number above 0, got {value!r}")
    return Figures(
        headcount=entry.get("headcount"),
        revenue_fen=_wan_to_fen(entry.get("revenue_wan")),
        assets_fen=_wan_to_fen(entry.get("assets_wan")),
    )


def _wan_to_fen(wan: int | None) -> int | None:
    return None if wan is None else yuan_to_fen(wan * YUAN_PER_WAN)


def _exact_keys(entry: Mapping[str, Any], expected: set[str], where: str) -> None:
    if set(entry) != expected:
        missing, unknown = sorted(expected - set(entry)), sorted(set(entry) - expected)
        raise SizeStandardError(f"{where}: missing keys {missing}, unknown keys {unknown}")
