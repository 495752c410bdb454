"""Categories: how much of the year's money each kind of service may still take.

A floor of several categories together is kept by its complement: all the others may take at most the
rest of the year's total (LS-26).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from server import texts
from server.programme.catalogue import CategoryFloor
from server.programme.model import Programme
from server.programme.vocabulary import ShareBase
from server.rules.limits import Limit, room, smallest
from server.units import percent, share, share_up, yuan


@dataclass(frozen=True, slots=True)
class YearMoney:
    """A programme year's money in fen: planned, issued so far, and used per category code."""

    total_fen: int
    issued_fen: int
    used_fen: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FloorStanding:
    """How far several categories have come towards the share they must reach together, in fen."""

    floor: CategoryFloor
    reached_fen: int
    least_fen: int

    @property
    def is_met(self) -> bool:
        return self.reached_fen >= self.least_fen


def category_room(programme: Programme, code: str, year: YearMoney) -> Limit | None:
    """What a category may still take this year; ``None`` where nothing limits it."""
    limits = []
    category = programme.category(code)
    if category is not None and category.max_share_bp is not None:
        total = _total(category.share_of, year)
        limits.append(
            room(
                share(total, category.max_share_bp),
                year.used_fen.get(code, 0),
                clause=category.article,
                name=_share_name(category.name, category.max_share_bp, category.share_of, total),
            )
        )
    for floor in programme.category_floors:
        if code in floor.categories or floor.others_max_share_bp is None:
            continue
        others = sum(used for other, used in year.used_fen.items() if other not in floor.categories)
        name = _share_name(
            texts.LIMITS["other_categories"], floor.others_max_share_bp, ShareBase.YEAR_TOTAL, year.total_fen
        )
        most = share(year.total_fen, floor.others_max_share_bp)
        limits.append(room(most, others, clause=floor.article, name=name))
    return smallest(limits) if limits else None


def floor_standings(programme: Programme, year: YearMoney) -> tuple[FloorStanding, ...]:
    """Each floor of the programme: what its categories have taken and what they must reach."""
    return tuple(
        FloorStanding(
            floor,
            reached_fen=sum(year.used_fen.get(code, 0) for code in floor.categories),
            least_fen=share_up(_total(floor.share_of, year), floor.min_share_bp),
        )
        for floor in programme.category_floors
    )


def _total(base: ShareBase, year: YearMoney) -> int:
    return year.total_fen if base is ShareBase.YEAR_TOTAL else year.issued_fen


def _share_name(name: str, rate_bp: int, base: ShareBase, total_fen: int) -> str:
    return texts.SHARE_OF.format(
        name=name, rate=percent(rate_bp), of=texts.SHARE_BASES[base], total=yuan(total_fen)
    )
