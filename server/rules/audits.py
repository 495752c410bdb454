"""Audits: a self-check and an audit set side by side, figure by figure (GX-80)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server import texts
from server.units import BASIS_POINTS, percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure, as each side gives it. ``apart_bp``: the difference, of what was audited."""

    code: str
    said: int | None
    audited: int | None
    apart_bp: int
    serious: bool

    @property
    def difference(self) -> int:
        return (self.said or 0) - (self.audited or 0)


def compared(said: Mapping[str, int], audited: Mapping[str, int], tolerance_bp: int) -> tuple[Line, ...]:
    """Every figure that either gives, in order. A figure that only one gives is apart by all of it."""
    return tuple(
        _line(code, said.get(code), audited.get(code), tolerance_bp) for code in sorted({*said, *audited})
    )


def _line(code: str, said: int | None, audited: int | None, tolerance_bp: int) -> Line:
    difference = abs((said or 0) - (audited or 0))
    base = abs(audited or 0)
    # Rounded up: what is a hair beyond the tolerance is beyond it.
    apart_bp = -(-difference * BASIS_POINTS // base) if base else (BASIS_POINTS if difference else 0)
    missing = (said is None) != (audited is None)
    return Line(
        code=code,
        said=said,
        audited=audited,
        apart_bp=apart_bp,
        serious=apart_bp > tolerance_bp or (missing and difference > 0),
    )


def arithmetic(lines: Sequence[Line], tolerance_bp: int) -> str:
    """The serious differences in words, with the tolerance; empty where there is none."""
    return texts.STEP.join(
        texts.AUDIT_LINE.format(
            code=line.code,
            said="—" if line.said is None else line.said,
            audited="—" if line.audited is None else line.audited,
            difference=abs(line.difference),
            apart=percent(line.apart_bp),
            limit=percent(tolerance_bp),
        )
        for line in lines
        if line.serious
    )
