"""Size class: micro, small, medium or large, with the arithmetic that led there (企业规模自测).

Source: 工信部联企业〔2011〕300号. 以上 includes the figure, 以下 excludes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from string import ascii_uppercase

from server import texts
from server.errors import Refusal
from server.programme.size_classes import (
    YUAN_PER_WAN,
    Figures,
    SizeIndustry,
    SizeStandard,
)
from server.programme.vocabulary import SizeClass
from server.units import FEN_PER_YUAN

DIVISION_DIGITS = 2
CLASS_DIGITS = 4
FEN_PER_WAN = FEN_PER_YUAN * YUAN_PER_WAN


class UnknownIndustry(Refusal):
    """A code that GB/T 4754 does not have, or that the size standard leaves out (finance)."""

    status, code = 422, "unknown_industry"


class FigureMissing(Refusal):
    """The industry's lines look at a figure that was not given."""

    status, code = 422, "figure_missing"


@dataclass(frozen=True, slots=True)
class SizeResult:
    """A size class, the industry it was judged by, and the comparisons in Chinese, in order."""

    size_class: SizeClass
    industry: SizeIndustry
    steps: tuple[str, ...]


def industry_of(standard: SizeStandard, code: str) -> SizeIndustry:
    """The industry of a GB/T 4754 code such as ``C``, ``I65``, ``2652`` or ``K7010``.

    Raises :class:`UnknownIndustry` for a code that does not exist, for a letter that does not belong
    to its number, and for a section so wide that only its divisions say which industry it is.
    """
    section, digits = section_and_digits(standard, code)
    prefixes = [digits[:length] for length in range(len(digits), DIVISION_DIGITS - 1, -1)]
    for prefix in [*prefixes, section]:
        if prefix in standard.by_gbt4754:
            return standard.by_gbt4754[prefix]
    raise UnknownIndustry(code=code)


def lies_in(standard: SizeStandard, code: str, industries: Iterable[str]) -> bool:
    """Whether a GB/T 4754 code lies in one of some sections (letters), divisions, groups or classes.

    Raises :class:`UnknownIndustry` for a code that does not exist.
    """
    section, digits = section_and_digits(standard, code)
    return any(
        industry == section if industry.isalpha() else digits.startswith(industry.lstrip(ascii_uppercase))
        for industry in industries
    )


def section_and_digits(standard: SizeStandard, code: str) -> tuple[str, str]:
    """A code taken apart: ``2652`` and ``C2652`` are both ``("C", "2652")``."""
    letter, digits = (code[:1], code[1:]) if code[:1] in standard.sections else ("", code)
    if letter and not digits:
        return letter, ""
    if not (digits.isascii() and digits.isdigit() and DIVISION_DIGITS <= len(digits) <= CLASS_DIGITS):
        raise UnknownIndustry(code=code)
    division = int(digits[:DIVISION_DIGITS])
    for section, (first, last) in standard.sections.items():
        if first <= division <= last and letter in ("", section):
            return section, digits
    raise UnknownIndustry(code=code)


def classify(
    standard: SizeStandard,
    industry_code: str,
    *,
    headcount: int,
    revenue_fen: int | None,
    assets_fen: int | None,
) -> SizeResult:
    """The size class of an enterprise from last year's figures (persons and fen).

    Raises :class:`UnknownIndustry`, and :class:`FigureMissing` when the industry's lines need a
    figure that is ``None``.
    """
    industry = industry_of(standard, industry_code)
    own = Figures(headcount=headcount, revenue_fen=revenue_fen, assets_fen=assets_fen)
    steps = [texts.SIZE_INDUSTRY.format(code=industry_code, industry=industry.name, article=industry.article)]
    large, comparison = _reaches(own, industry.sme_below, industry)
    steps.append(texts.SIZE_LINE.format(line=texts.SIZE_CLASSES["large"], comparison=comparison))
    if large:
        return SizeResult(SizeClass.LARGE, industry, (*steps, _conclusion(SizeClass.LARGE)))
    for size, line in (
        (SizeClass.MEDIUM, industry.medium_from),
        (SizeClass.SMALL, industry.small_from),
    ):
        reached, comparison = _reaches(own, line, industry)
        steps.append(texts.SIZE_LINE.format(line=texts.SIZE_CLASSES[size], comparison=comparison))
        if reached:
            return SizeResult(size, industry, (*steps, _conclusion(size)))
    return SizeResult(SizeClass.MICRO, industry, (*steps, _conclusion(SizeClass.MICRO)))


def _reaches(own: Figures, line: Figures, industry: SizeIndustry) -> tuple[bool, str]:
    """Whether every figure the line names is reached, and the comparisons as text."""
    reached, parts = True, []
    for figure, unit, per_unit in (
        ("headcount", texts.UNIT_PERSONS, 1),
        ("revenue_fen", texts.UNIT_WAN, FEN_PER_WAN),
        ("assets_fen", texts.UNIT_WAN, FEN_PER_WAN),
    ):
        floor: int | None = getattr(line, figure)
        if floor is None:
            continue
        name = texts.FIGURES[figure.removesuffix("_fen")]
        value: int | None = getattr(own, figure)
        if value is None:
            raise FigureMissing(industry=industry.name, figure=name)
        sign = "≥" if value >= floor else "<"
        parts.append(f"{name} {_number(value, per_unit)} {unit} {sign} {_number(floor, per_unit)} {unit}")
        reached = reached and value >= floor
    return reached, texts.AND.join(parts)


def _number(value: int, per_unit: int) -> str:
    """A figure in its own unit, exact: ``1999.999999`` 万元 is one fen short of 2,000."""
    whole, rest = divmod(value, per_unit)
    if not rest:
        return f"{whole:,}"
    digits = len(str(per_unit)) - 1
    return f"{whole:,}." + f"{rest:0{digits}d}".rstrip("0")


def _conclusion(size: SizeClass) -> str:
    return texts.SIZE_CONCLUSION.format(size=texts.SIZE_CLASSES[size])
