"""Selections: the rounds in which a programme's offerings are handed in for its yearly catalogue (GX-24).

The authority opens a round, once or twice a year as the text says, and may close it early. What was handed
in meanwhile is reviewed at its own pace, and holds until the end of the round's catalogue year.
"""

from __future__ import annotations

from datetime import date, datetime

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.models.offerings import SelectionRound
from server.models.organisations import Qualification
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.programme.vocabulary import Party
from server.rules.deadlines import end_of, year_bounds
from server.rules.lifecycles import QualificationStatus
from server.rules.offerings import is_selected
from server.rules.review import ReasonMissing
from server.services import access, journal, outbox
from server.services.access import Actor, NotFound
from server.services.clocks import ProgrammeClocks
from server.services.outbox import Message


class NothingSelected(Refusal):
    """In this programme offerings are taken all year round."""

    status, code = 409, "nothing_selected"


class SelectionTimesWrong(Refusal):
    """A round ends after it begins and after now, and before its catalogue year does."""

    status, code = 422, "selection_times_wrong"


class SelectionRunning(Refusal):
    """Another round of the programme is open in that time."""

    status, code = 409, "selection_running"


class SelectionsUsedUp(Refusal):
    """The year has had as many rounds as the text allows."""

    status, code = 409, "selections_used_up"


class SelectionOver(Refusal):
    """The round is over already."""

    status, code = 409, "selection_over"


class SelectionNotOpen(Refusal):
    """No round takes offerings at this instant."""

    status, code = 409, "selection_not_open"


async def open_round(programme: Programme, now: datetime) -> SelectionRound | None:
    """The round that takes offerings at an instant."""
    return await SelectionRound.filter(
        programme_slug=programme.slug, opens_at__lte=now, closes_at__gt=now
    ).first()


async def require_open(programme: Programme, now: datetime) -> SelectionRound | None:
    """The open round of a programme that selects; ``None`` where offerings are taken all year round.

    Raises :class:`SelectionNotOpen`.
    """
    if not is_selected(programme.offering):
        return None
    current = await open_round(programme, now)
    if current is None:
        raise SelectionNotOpen(clause=programme.offering.article, programme=programme.name)
    return current


def catalogue_ends(programme: Programme, year: int) -> datetime:
    """The instant (UTC) at which the catalogue of a programme year is over."""
    # The last day of a calendar year lies in the programme year that is named after it, however it begins.
    return end_of(year_bounds(programme, date(year, 12, 31))[1])


class Selections:
    """The verbs on rounds of selection. Instants are those of the programme's clock."""

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks) -> None:
        self.programmes = programmes
        self.clocks = clocks

    async def open(
        self, slug: str, *, title: str, opens_at: datetime, closes_at: datetime, actor: Actor
    ) -> SelectionRound:
        """Announce a round of the catalogue of the programme year in which it opens; providers are told.

        Raises ``UnknownProgramme``, ``NotFound``, :class:`NothingSelected`, :class:`SelectionTimesWrong`,
        :class:`SelectionRunning`, :class:`SelectionsUsedUp`.
        """
        programme, now = self.programmes.get(slug), self.clocks.now(slug)
        access.require_programme(actor, slug)
        rules, year = programme.offering, programme.year_of(opens_at)
        if not is_selected(rules):
            raise NothingSelected(clause=rules.article, programme=programme.name)
        if closes_at <= max(opens_at, now) or closes_at > catalogue_ends(programme, year):
            raise SelectionTimesWrong()
        try:
            async with in_transaction():
                earlier = await SelectionRound.filter(programme_slug=slug).order_by("number")
                if any(one.opens_at < closes_at and opens_at < one.closes_at for one in earlier):
                    raise SelectionRunning()
                number = 1 + sum(one.year == year for one in earlier)
                if rules.selections_per_year_max is not None and number > rules.selections_per_year_max:
                    raise SelectionsUsedUp(
                        clause=rules.article,
                        arithmetic=f"{number} > {rules.selections_per_year_max}",
                        year=year,
                        most=rules.selections_per_year_max,
                    )
                row = await SelectionRound.create(
                    programme_slug=slug,
                    year=year,
                    number=number,
                    title=title,
                    opens_at=opens_at,
                    closes_at=closes_at,
                    opened_by=actor.id,
                )
                await _note("selection_round.opened", row, actor, now, year=year, number=number)
                await _tell_providers(row, now)
        except IntegrityError:
            # Of two who open at once, the number of the round lets one through.
            raise SelectionRunning() from None
        return row

    async def close(self, selection_id: int, *, reason: str, actor: Actor) -> SelectionRound:
        """End a round early. Raises ``NotFound``, ``ReasonMissing``, :class:`SelectionOver`."""
        row = await SelectionRound.get_or_none(id=selection_id)
        if row is None:
            raise NotFound()
        access.require_programme(actor, row.programme_slug)
        if not reason.strip():
            raise ReasonMissing()
        now = self.clocks.now(row.programme_slug)
        async with in_transaction():
            # The WHERE clause is the lock: of two who close it exactly one matches.
            closed = await SelectionRound.filter(id=row.id, closes_at__gt=now).update(
                closes_at=now, closed_by=actor.id, reason=reason.strip()
            )
            if not closed:
                raise SelectionOver(title=row.title)
            await _note("selection_round.closed", row, actor, now, reason=reason.strip())
        return await SelectionRound.get(id=row.id)

    async def all(self, slug: str) -> list[SelectionRound]:
        """Every round of a programme, the newest first. Raises ``UnknownProgramme``."""
        self.programmes.get(slug)
        return await SelectionRound.filter(programme_slug=slug).order_by("-id")


async def _note(action: str, row: SelectionRound, actor: Actor, now: datetime, **data: object) -> None:
    await journal.record(
        action,
        f"selection_round:{row.id}",
        actor=actor.name,
        at=now,
        programme_slug=row.programme_slug,
        **data,
    )


async def _tell_providers(row: SelectionRound, now: datetime) -> None:
    """Solicited publicly: whoever is admitted is told, until when it takes offerings."""
    admitted = await Qualification.filter(
        programme_slug=row.programme_slug, party=Party.PROVIDER, status=QualificationStatus.APPROVED
    ).values_list("organisation_id", flat=True)
    await outbox.tell_all(
        (
            Message(
                f"organisation:{one}",
                "selection.opened",
                {
                    "programme": row.programme_slug,
                    "title": row.title,
                    "opens_at": row.opens_at.isoformat(),
                    "until": row.closes_at.isoformat(),
                },
            )
            for one in admitted
        ),
        at=now,
    )
