"""Yearly notices (年度申报通知): what an authority sets anew for one year, where its programme allows it.

One file a programme year, ``<slug>-<year>.toml``, read as strictly as a programme and written like one: the
officials' units, and for every value the clause of the notice it rests on. What a notice leaves out stays as
the regulation says; of a kind of voucher that is the notice's alone (``by_notice``), it says everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from server.programme.clause import Clause
from server.programme.faults import Fault, ProgrammeError
from server.programme.issuance import Tier, VoucherKind
from server.programme.loader import load_table
from server.programme.model import Programme
from server.programme.money import DeductionRule
from server.programme.people import Condition
from server.programme.policy import NoticeOverride
from server.programme.registry import Programmes

CAPS = ("project_cap_fen", "contract_cap_fen")


@dataclass(frozen=True, slots=True, kw_only=True)
class KindTerms(Clause):
    """What a notice sets for one kind of voucher in its year."""

    code: str = ""
    """The kind's code in the programme; absent: its only kind."""
    direction: str = ""
    """What it is given for this year (direction)."""
    conditions: tuple[Condition, ...] = ()
    """What an enterprise must be, besides the programme's conditions (conditions)."""
    tiers: tuple[Tier, ...] = ()
    """This year's tiers instead of the programme's, most specific first (quota)."""
    deduction: tuple[DeductionRule, ...] = ()
    """What it pays this year; a rule with the code of one of the programme's replaces it (rate, caps)."""
    categories: tuple[str, ...] = ()
    """The only categories it is for this year; absent: all (scope)."""
    process: tuple[str, ...] = ()
    """How it is used, in the notice's words (process)."""
    budget_fen: int | None = None
    """The most of the year's money that contracts may take on it; absent: no such limit (budget)."""
    opens_on: date | None = None
    """First day on which it is issued; absent: from the notice's own day (windows)."""
    closes_on: date | None = None
    """Last day on which it is issued and a contract is signed on it; absent: the year's (windows)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryScope(Clause):
    """What a notice counts in, in its year, under one of the programme's categories (scope)."""

    code: str
    """The category's code in the programme."""
    covers: tuple[str, ...]
    """What is counted in besides; of a category that is the notice's alone, everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One year's notice of one programme."""

    programme: str
    """The programme's slug."""
    year: int
    """The programme year it is for."""
    name: str
    """Its full title."""
    document_number: str = ""
    """The number of the document, if it has one."""
    issued_on: date
    """The day it is dated; nothing rests on it before."""
    kinds: tuple[KindTerms, ...]
    """What it sets, kind by kind."""
    categories: tuple[CategoryScope, ...] = ()
    """What it counts in, category by category."""

    def terms(self, kind: str) -> KindTerms | None:
        """What it sets for a kind; ``None``: nothing."""
        return next((terms for terms in self.kinds if terms.code == kind), None)


class YearlyNotices:
    """Every notice the server knows, by programme and year."""

    def __init__(self, notices: Iterable[Notice] = ()) -> None:
        self._notices = {(one.programme, one.year): one for one in notices}

    @classmethod
    def load(cls, directory: Path, programmes: Programmes) -> YearlyNotices:
        """Read every ``*.toml`` of a directory; there may be none. Raises :class:`ProgrammeError`."""
        return cls(load_notice(file, programmes) for file in sorted(directory.glob("*.toml")))

    def get(self, slug: str, year: int) -> Notice | None:
        """The notice of a programme year, if it has been issued."""
        return self._notices.get((slug, year))


def load_notice(file: Path, programmes: Programmes) -> Notice:
    """Read one notice of a known programme. Raises :class:`ProgrammeError` on the first fault."""

    def faults(notice: Notice) -> Iterator[Fault]:
        if notice.programme not in programmes:
            yield Fault("programme", f'"{notice.programme}"', "the slug of a programme")
            return
        yield from notice_faults(notice, programmes.get(notice.programme))

    notice = load_table(file, Notice, faults)
    named = f"{notice.programme}-{notice.year}.toml"
    if file.name != named:
        raise ProgrammeError(file, 0, "", f'the file name "{file.name}"', f'"{named}"')
    return notice


def scoped(programme: Programme, notice: Notice | None) -> Programme:
    """The programme with what the notice of a year counts in under its categories (GX-22)."""
    if notice is None or not notice.categories:
        return programme
    added = {one.code: one.covers for one in notice.categories}
    return replace(
        programme,
        categories=tuple(
            replace(
                one,
                covers=(*(() if one.by_notice else one.covers), *added[one.code]),
                by_notice=False,
            )
            if one.code in added
            else one
            for one in programme.categories
        ),
    )


def terms_of(programme: Programme, kind: str, notice: Notice | None) -> Programme:
    """The programme as it stands for one kind of voucher in the notice's year.

    Its version stays the programme's own: that and the notice's year say what something was made under.
    A kind that the notice alone decides about has no tiers, and pays nothing, without one (GX-15).
    """
    terms = notice.terms(kind) if notice is not None else None
    programme = scoped(programme, notice)
    known = voucher_kind(programme, kind)
    own = () if known is not None and known.by_notice else programme.issuance.tiers
    deduction = tuple(rule for rule in programme.deduction if rule.voucher_kind in ("", kind))
    if terms is None and (own, deduction) == (programme.issuance.tiers, programme.deduction):
        return programme
    if terms is None:
        return replace(programme, issuance=replace(programme.issuance, tiers=own), deduction=deduction)
    replaced = {rule.code: rule for rule in terms.deduction}
    kept = tuple(replaced.pop(rule.code, rule) for rule in deduction)
    return replace(
        programme,
        enterprise=replace(
            programme.enterprise, conditions=(*programme.enterprise.conditions, *terms.conditions)
        ),
        categories=tuple(
            one for one in programme.categories if not terms.categories or one.code in terms.categories
        ),
        issuance=replace(programme.issuance, tiers=terms.tiers or own),
        deduction=(*replaced.values(), *kept),
    )


def voucher_kind(programme: Programme, code: str) -> VoucherKind | None:
    """The kind with this code; ``None``: no such kind, or a programme with one kind only."""
    return next((kind for kind in programme.voucher_kinds if kind.code == code), None)


def kinds_of(programme: Programme) -> tuple[str, ...]:
    """The codes of a programme's kinds of voucher; one empty code where there is one kind only."""
    return tuple(kind.code for kind in programme.voucher_kinds) or ("",)


# -- what cannot be ----------------------------------------------------------------------------------


def notice_faults(notice: Notice, programme: Programme) -> Iterator[Fault]:
    """Everything in a notice that its programme does not let it set, in the order of the file."""
    allowed = programme.annual_notice
    if allowed is None:
        yield Fault("programme", f'"{notice.programme}"', "a programme whose text speaks of a yearly notice")
        return
    if not notice.kinds:
        yield Fault("kind", "nothing", "at least one [[kind]]")
    for place, terms in enumerate(notice.kinds):
        path = f"kind[{place}]"
        if terms.code not in kinds_of(programme):
            yield Fault(f"{path}.code", f'"{terms.code}"', f"one of {', '.join(kinds_of(programme))}")
            continue
        if allowed.voucher_kinds and terms.code not in allowed.voucher_kinds:
            yield Fault(f"{path}.code", f'"{terms.code}"', f"one of {', '.join(allowed.voucher_kinds)}")
        yield from _beyond(programme, terms, path, allowed.may_change)
        yield from _incomplete(programme, terms, path)
        yield from _unknown(programme, terms, path)
    codes = {category.code for category in programme.categories}
    for place, scope in enumerate(notice.categories):
        if NoticeOverride.SCOPE not in allowed.may_change:
            yield Fault(f"category[{place}]", '"scope"', "only " + ", ".join(sorted(allowed.may_change)))
        if scope.code not in codes:
            yield Fault(f"category[{place}].code", f'"{scope.code}"', "a category of the programme")
        if not scope.covers:
            yield Fault(f"category[{place}].covers", "nothing", "what is counted in")


SETS: Mapping[str, NoticeOverride] = {
    "direction": NoticeOverride.DIRECTION,
    "conditions": NoticeOverride.CONDITIONS,
    "tiers": NoticeOverride.QUOTA,
    "deduction": NoticeOverride.RATE,
    "categories": NoticeOverride.SCOPE,
    "process": NoticeOverride.PROCESS,
    "budget_fen": NoticeOverride.BUDGET,
    "opens_on": NoticeOverride.WINDOWS,
    "closes_on": NoticeOverride.WINDOWS,
}
"""What each value of a notice sets anew."""


def _beyond(
    programme: Programme, terms: KindTerms, path: str, may_change: frozenset[NoticeOverride]
) -> Iterator[Fault]:
    only = "only " + ", ".join(sorted(may_change))
    for name, override in SETS.items():
        if getattr(terms, name) not in ((), "", None) and override not in may_change:
            yield Fault(f"{path}.{name}", f'"{override}"', only)
    if NoticeOverride.CAPS in may_change:
        return
    own = {rule.code: rule for rule in programme.deduction}
    for place, rule in enumerate(terms.deduction):
        before = own.get(rule.code)
        if before is None or any(getattr(rule, cap) != getattr(before, cap) for cap in CAPS):
            yield Fault(f"{path}.deduction[{place}]", '"caps"', only)


def _incomplete(programme: Programme, terms: KindTerms, path: str) -> Iterator[Fault]:
    kind = voucher_kind(programme, terms.code)
    if kind is None or not kind.by_notice:
        return
    for name, key in (("direction", "direction"), ("tiers", "tier"), ("deduction", "deduction")):
        if not getattr(terms, name):
            yield Fault(f"{path}.{key}", "nothing", "everything about a kind that the notice alone sets")
    if terms.deduction and all(rule.categories for rule in terms.deduction):
        yield Fault(f"{path}.deduction", "rules for named categories", "one rule for all others")


def _unknown(programme: Programme, terms: KindTerms, path: str) -> Iterator[Fault]:
    categories = {category.code for category in programme.categories}
    labels = {label.code for label in programme.labels}
    for place, code in enumerate(terms.categories):
        if code not in categories:
            yield Fault(f"{path}.categories[{place}]", f'"{code}"', "a category of the programme")
    for place, rule in enumerate(terms.deduction):
        if not categories.issuperset(rule.categories):
            yield Fault(f"{path}.deduction[{place}]", "an unknown category", "categories of the programme")
        if rule.voucher_kind not in ("", terms.code):
            yield Fault(
                f"{path}.deduction[{place}].voucher_kind", f'"{rule.voucher_kind}"', f'"{terms.code}"'
            )
    named = [(f"tier[{place}]", {*tier.any_of, *tier.all_of}) for place, tier in enumerate(terms.tiers)]
    named += [(f"condition[{place}]", set(one.labels)) for place, one in enumerate(terms.conditions)]
    for where, codes in named:
        if not labels.issuperset(codes):
            yield Fault(f"{path}.{where}", "an unknown label", "labels of the programme")
    if terms.opens_on and terms.closes_on and terms.closes_on < terms.opens_on:
        yield Fault(f"{path}.closes_on", str(terms.closes_on), f"{terms.opens_on} or later")
