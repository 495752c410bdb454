"""Yearly notices at work: on which terms a kind of voucher stands on a day, or why it does not exist yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from server.errors import Refusal
from server.programme.model import Programme
from server.programme.notices import (
    KindTerms,
    Notice,
    YearlyNotices,
    kinds_of,
    scoped,
    terms_of,
    voucher_kind,
)
from server.rules.deadlines import year_bounds


class KindUnknown(Refusal):
    """The programme has no such kind of voucher, or several of which none was named."""

    status, code = 422, "kind_unknown"


class KindNotAnnounced(Refusal):
    """Everything about this kind is set by the yearly notice, and there is none for this year (GX-15)."""

    status, code = 409, "kind_not_announced"


class KindNotNow(Refusal):
    """The notice opens this kind on other days."""

    status, code = 409, "kind_not_now"


@dataclass(frozen=True, slots=True)
class Terms:
    """A programme as it stands for one kind of voucher, and the notice that sets it so."""

    programme: Programme
    kind: str
    notice: Notice | None = None

    @property
    def set_by(self) -> KindTerms | None:
        """What the notice says of this kind."""
        return None if self.notice is None else self.notice.terms(self.kind)

    @property
    def notice_year(self) -> int | None:
        """What is to be remembered of the notice; ``None``: the regulation alone."""
        return None if self.set_by is None or self.notice is None else self.notice.year

    @property
    def budget_fen(self) -> int | None:
        """The most of the year's money that contracts may take on this kind."""
        return None if self.set_by is None else self.set_by.budget_fen

    def require_open(self, on: date) -> None:
        """Raise :class:`KindNotNow` on a day on which it is neither issued nor signed on."""
        if not self.is_open(on):
            first, last = self.window(on)
            raise KindNotNow(
                clause=self.set_by.article if self.set_by else "",
                arithmetic=f"{on}: {first} – {last}",
                first=str(first),
                last=str(last),
            )

    def is_open(self, on: date) -> bool:
        """Whether it is issued and signed on, on a day; both ends of its window are in it."""
        first, last = self.window(on)
        return first <= on <= last

    def window(self, on: date) -> tuple[date, date]:
        """First and last day of its window, in the programme year of a day."""
        first, last = year_bounds(self.programme, on)
        if self.set_by is None or self.notice is None:
            return first, last
        return self.set_by.opens_on or max(first, self.notice.issued_on), self.set_by.closes_on or last


class AnnualNotices:
    """The notices of every year, as the other services ask them."""

    def __init__(self, notices: YearlyNotices) -> None:
        self._notices = notices

    def terms(self, programme: Programme, kind: str, on: date) -> Terms:
        """The terms of a kind on a day.

        Raises :class:`KindUnknown` and, where the notice alone sets them, :class:`KindNotAnnounced`.
        """
        if kind not in kinds_of(programme):
            raise KindUnknown(kinds=[one.code for one in programme.voucher_kinds])
        year, notice = programme.year_of(on), self._notice(programme, on)
        known = voucher_kind(programme, kind)
        set_by = None if notice is None else notice.terms(kind)
        if known is not None and known.by_notice and set_by is None:
            raise KindNotAnnounced(clause=known.article, kind=known.name, year=year)
        return Terms(terms_of(programme, kind, notice), kind, notice)

    def scoped(self, programme: Programme, on: date) -> Programme:
        """The programme with what the notice of a day counts in under its categories (GX-22)."""
        return scoped(programme, self._notice(programme, on))

    def _notice(self, programme: Programme, on: date) -> Notice | None:
        notice = self._notices.get(programme.slug, programme.year_of(on))
        return None if notice is None or notice.issued_on > on else notice

    def announced(self, programme: Programme, on: date) -> tuple[Terms, ...]:
        """The terms of every kind that exists on a day, in the programme's order."""
        found = []
        for kind in kinds_of(programme):
            try:
                found.append(self.terms(programme, kind, on))
            except KindNotAnnounced:
                continue
        return tuple(found)
