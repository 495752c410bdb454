"""The size self-test (企业规模自测, GZ-60): which size class some figures make, with every threshold.

Anybody may ask; nothing is stored.
"""

from __future__ import annotations

from dataclasses import dataclass

from server.errors import Refusal
from server.programme.size_classes import Figures, SizeIndustry, SizeStandard
from server.programme.vocabulary import SizeClass
from server.rules.size_class import classify
from server.services.tables.cells import plain

FIGURES = ("headcount", "revenue_fen", "assets_fen")


class IndustryUnclear(Refusal):
    """A name that no industry of the standard has, or that several could have."""

    status, code = 422, "industry_unclear"


@dataclass(frozen=True, slots=True)
class Threshold:
    """One figure of one line: what the line asks, what there is. Persons, or fen."""

    figure: str
    at_least: int
    own: int
    reached: bool


@dataclass(frozen=True, slots=True)
class SizeLine:
    """From this line on an enterprise is of ``size``, when every threshold is reached."""

    size: SizeClass
    thresholds: tuple[Threshold, ...]

    @property
    def reached(self) -> bool:
        return all(one.reached for one in self.thresholds)


@dataclass(frozen=True, slots=True)
class SelfTest:
    """A size class, the industry it was judged by, the comparisons in words and as figures."""

    size: SizeClass
    industry: SizeIndustry
    code: str
    source: str
    steps: tuple[str, ...]
    lines: tuple[SizeLine, ...]


def self_test(
    standard: SizeStandard,
    industry: str,
    *,
    headcount: int,
    revenue_fen: int | None,
    assets_fen: int | None,
) -> SelfTest:
    """The size class by 工信部联企业〔2011〕300号 of last year's figures (persons and fen).

    ``industry`` is a code of GB/T 4754 (``C2652``) or the name of an industry of the standard
    (``零售业``). Raises :class:`IndustryUnclear`, ``UnknownIndustry``, ``FigureMissing``.
    """
    code = code_of(standard, industry)
    result = classify(standard, code, headcount=headcount, revenue_fen=revenue_fen, assets_fen=assets_fen)
    own = Figures(headcount=headcount, revenue_fen=revenue_fen, assets_fen=assets_fen)
    return SelfTest(
        result.size_class,
        result.industry,
        code,
        standard.source,
        result.steps,
        tuple(_line(size, wanted, own) for size, wanted in lines_of(result.industry)),
    )


def lines_of(industry: SizeIndustry) -> tuple[tuple[SizeClass, Figures], ...]:
    """From which figures on an enterprise of an industry is large, medium, small; below: micro."""
    return (
        (SizeClass.LARGE, industry.sme_below),
        (SizeClass.MEDIUM, industry.medium_from),
        (SizeClass.SMALL, industry.small_from),
    )


def figures_needed(industry: SizeIndustry) -> tuple[str, ...]:
    """Which figures the lines of an industry look at; the others may be left out."""
    lines = [figures for _, figures in lines_of(industry)]
    return tuple(name for name in FIGURES if any(getattr(line, name) is not None for line in lines))


def code_of(standard: SizeStandard, industry: str) -> str:
    """The code that somebody means: a code stands for itself, a name for the industry's first code.

    Raises :class:`IndustryUnclear` for a name that fits none or several.
    """
    text = plain(industry)
    if text.isascii():
        return text.upper()
    exact = [one for one in standard.industries if plain(one.name) == text]
    found = exact or [one for one in standard.industries if text in plain(one.name)]
    if len(found) != 1:
        raise IndustryUnclear(text=text)
    return found[0].gbt4754[0]


def _line(size: SizeClass, wanted: Figures, own: Figures) -> SizeLine:
    thresholds = []
    for name in FIGURES:
        at_least: int | None = getattr(wanted, name)
        if at_least is not None:
            # Whatever a line asks for, classify() has made sure of.
            value: int = getattr(own, name)
            thresholds.append(Threshold(name, at_least, value, value >= at_least))
    return SizeLine(size, tuple(thresholds))
