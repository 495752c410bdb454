"""Policy trials: last year's orders under a programme file that somebody would change (政策试算).

The programme as it stood and the changed one both go through the same orders, so that every difference is
the file's alone. Enterprises are judged by what is on record of them today: what they were a year ago,
nobody kept. Nothing is written but that somebody tried.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from server import texts
from server.errors import Refusal
from server.models.orders import Order
from server.models.organisations import Organisation
from server.models.rounds import Budget
from server.programme.faults import ProgrammeError
from server.programme.loader import parse_programme
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.programme.size_classes import SizeStandard
from server.programme.vocabulary import Party
from server.rules import trials
from server.rules.deadlines import day_of, end_of, start_of, year_bounds
from server.rules.orders import COMING_TO_SOMETHING
from server.rules.trials import Bound, Holder, PastOrder, Trial
from server.services import access, journal
from server.services.access import Actor
from server.services.admissions.assessments import assess
from server.services.budgets.annual_notices import AnnualNotices, KindNotAnnounced, KindUnknown
from server.services.clocks import ProgrammeClocks
from server.services.programmes import programme_faults
from server.services.vouchers.order_purse import prices_of, project_key
from server.units import yuan

MOST_ORDERS = 100_000
FIRST_YEAR, LAST_YEAR = 2000, 2200
"""Nobody ordered anything in another: a day of it may be none that there is."""
AT_ONCE = 500
CHANGED = Path("changed.toml")
"""What a file is called that somebody sent."""


class ProgrammeFaulty(Refusal):
    """The changed programme cannot be read; line, key, what was found and what was expected are named."""

    status, code = 422, "programme_faulty"


class OtherProgrammesFile(Refusal):
    """The file is another programme's: its slug says so."""

    status, code = 422, "other_programmes_file"


class NothingToTry(Refusal):
    """Nobody ordered anything in that year."""

    status, code = 409, "nothing_to_try"


class TooMuchToTry(Refusal):
    """More orders than a trial goes through while somebody waits; the command line has no such limit."""

    status, code = 409, "too_much_to_try"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A year twice: under the programme as it stood, and as it would be. Money in fen."""

    programme: Programme
    year: int
    really_fen: int
    """What vouchers paid or are to pay on these orders."""
    before: Trial
    after: Trial
    names: dict[int, str]
    """Of every enterprise and provider."""

    @property
    def by_enterprise(self) -> tuple[trials.Change, ...]:
        return trials.changes(self.before.by_enterprise, self.after.by_enterprise)

    @property
    def by_provider(self) -> tuple[trials.Change, ...]:
        return trials.changes(self.before.by_provider, self.after.by_provider)


class PolicyTrials:
    """The one verb: try a changed programme."""

    def __init__(
        self, programmes: Programmes, clocks: ProgrammeClocks, notices: AnnualNotices, sizes: SizeStandard
    ) -> None:
        self.programmes, self.clocks, self.notices, self.sizes = programmes, clocks, notices, sizes

    async def compare(
        self,
        slug: str,
        text: str,
        *,
        year: int,
        total_fen: int | None = None,
        actor: Actor,
        most: int | None = MOST_ORDERS,
    ) -> Comparison:
        """Run a programme's file, as TOML, over the orders of a programme year.

        ``total_fen`` is the year's money under the changed file; left out, what the year had. Raises
        ``UnknownProgramme``, ``NotFound`` for a programme that is not the actor's, :class:`ProgrammeFaulty`,
        :class:`OtherProgrammesFile`, :class:`NothingToTry` or :class:`TooMuchToTry`.
        """
        access.require_programme(actor, slug)
        present = self.programmes.get(slug)
        changed = await asyncio.to_thread(parsed, text)
        if changed.slug != slug:
            raise OtherProgrammesFile(given=changed.slug, wanted=slug)
        orders = await self._orders(present, year, most)
        budget = await Budget.get_or_none(programme_slug=slug, year=year)
        had_fen = sum(one.voucher_fen for one in orders) if budget is None else budget.total_fen
        before = await self._trial(present, orders, had_fen)
        after = await self._trial(changed, orders, had_fen if total_fen is None else total_fen)
        await journal.record(
            "programme.tried",
            f"programme:{slug}",
            actor=actor.name,
            at=self.clocks.now(slug),
            programme_slug=slug,
            version=changed.version,
            year=year,
            orders=len(orders),
        )
        return Comparison(
            present, year, sum(one.voucher_fen for one in orders), before, after, await _names(orders)
        )

    async def _orders(self, programme: Programme, year: int, most: int | None) -> list[Order]:
        """What came to something of that year's orders."""
        first, last = _bounds(programme, year)
        found = Order.filter(
            programme_slug=programme.slug,
            status__in=COMING_TO_SOMETHING,
            placed_at__gte=start_of(first),
            placed_at__lt=end_of(last),
        )
        count = await found.count()
        if not count:
            raise NothingToTry(year=year)
        if most is not None and count > most:
            raise TooMuchToTry(year=year, count=count, most=most)
        return await found.order_by("id")

    async def _trial(self, programme: Programme, orders: Sequence[Order], total_fen: int) -> Trial:
        holders: dict[int, Holder] = {}
        now = self.clocks.now(programme.slug)
        ids = sorted({order.enterprise_id for order in orders})
        for start in range(0, len(ids), AT_ONCE):
            for enterprise in await Organisation.filter(id__in=ids[start : start + AT_ONCE]):
                found = await assess(programme, enterprise, Party.ENTERPRISE, self.sizes, now=now)
                holders[enterprise.id] = Holder(found.tier, found.unmet)
        past = [_past(order) for order in orders]
        terms = self._terms(programme, orders)
        return await asyncio.to_thread(trials.run, terms, past, holders, total_fen=total_fen)

    def _terms(self, programme: Programme, orders: Sequence[Order]) -> dict[str, Programme]:
        """The programme's terms by kind of voucher, with the notice of the day the first of each came."""
        terms: dict[str, Programme] = {}
        for order in orders:
            if order.kind in terms:
                continue
            try:
                known = self.notices.terms(programme, order.kind, day_of(order.placed_at))
                terms[order.kind] = known.programme
            except (KindUnknown, KindNotAnnounced):
                continue
        return terms


def parsed(text: str) -> Programme:
    """A programme file. Raises :class:`ProgrammeFaulty`."""
    try:
        return parse_programme(text, CHANGED)
    except ProgrammeError as fault:
        raise ProgrammeFaulty(
            where=programme_faults.where(fault),
            found=programme_faults.found(fault),
            expected=programme_faults.expected(fault),
        ) from None


def told(found: Comparison) -> list[str]:
    """A comparison in lines to read: totals, what ran out and what was capped, who gets something else."""
    before, after = found.before, found.after
    lines = [
        texts.TRIAL_HEAD.format(
            name=found.programme.name,
            year=found.year,
            orders=len(before.results),
            paid=yuan(found.really_fen),
        ),
        texts.TRIAL_TOTALS.format(before=yuan(before.paid_fen), after=yuan(after.paid_fen)),
    ]
    if after.out_at is not None:
        lines.append(texts.TRIAL_OUT.format(day=day_of(after.out_at)))
    for code, at in after.capped_at.items():
        category = found.programme.category(code)
        name = code if category is None else category.name
        lines.append(
            texts.TRIAL_CAPPED.format(name=name, day=day_of(at), amount=yuan(after.capped_fen[code]))
        )
    lines += [
        texts.TRIAL_BOUND.format(
            name=texts.TRIAL_BOUNDS[bound], before=before.bounds[bound], after=after.bounds[bound]
        )
        for bound in Bound
        if before.bounds[bound] or after.bounds[bound]
    ]
    for side, changed in (("enterprises", found.by_enterprise), ("providers", found.by_provider)):
        if changed:
            lines.append(texts.TRIAL_SIDES[side].format(count=len(changed)))
        lines += [
            texts.TRIAL_CHANGE.format(
                name=found.names[one.key], before=yuan(one.before_fen), after=yuan(one.after_fen)
            )
            for one in changed
        ]
    return lines


def _bounds(programme: Programme, year: int) -> tuple[date, date]:
    """First and last day of a programme year, by a day that lies in it."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise NothingToTry(year=year)
    day = next(
        (
            one
            for month in range(1, 13)
            for one in (date(year, month, 1), date(year, month, 28))
            if programme.year_of(one) == year
        ),
        None,
    )
    if day is None:
        raise NothingToTry(year=year)
    return year_bounds(programme, day)


def _past(order: Order) -> PastOrder:
    return PastOrder(
        id=order.id,
        at=order.placed_at,
        enterprise_id=order.enterprise_id,
        provider_id=order.provider_id,
        category=order.category,
        prices=prices_of(order),
        project=project_key(order.project),
        contract_id=order.contract_id,
        kind=order.kind,
        wanted_fen=order.wanted_fen,
    )


async def _names(orders: Sequence[Order]) -> dict[int, str]:
    ids = sorted({side for order in orders for side in (order.enterprise_id, order.provider_id)})
    names: dict[int, str] = {}
    for start in range(0, len(ids), AT_ONCE):
        rows = await Organisation.filter(id__in=ids[start : start + AT_ONCE]).values_list("id", "name")
        names.update({int(number): str(name) for number, name in rows})
    return names
