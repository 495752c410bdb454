"""The book of sanctions: what everybody who works on a case shares. It guards the row and tells the party."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tortoise.expressions import F

from server.errors import Refusal
from server.models.files import StoredFile
from server.models.organisations import Organisation
from server.models.sanctions import SanctionCase, SanctionEntry
from server.programme.model import Programme
from server.programme.oversight import Ground, Sanction
from server.programme.registry import Programmes
from server.programme.sanctions import SanctionDefaults
from server.rules.deadlines import day_of, is_final, working_days_after
from server.rules.lifecycles import require_act, require_move
from server.rules.sanction_cases import SANCTION_MAY, SANCTION_MOVES, SanctionAct, SanctionStatus
from server.sealing import Sealer
from server.services import access, journal, outbox
from server.services.access import IN_THE_FILES, Actor, NotFound
from server.services.clocks import ProgrammeClocks
from server.services.files import files
from server.services.reviews.reviewers import OwnReview, reviewer_of
from server.services.working_days import WorkingDays

READERS = frozenset({*IN_THE_FILES, "inspector", "treasury"})
"""Who reads cases of their programmes and areas."""


class SanctionMovedOn(Refusal):
    """Somebody did something else with the case a moment earlier."""

    status, code = 409, "sanction_moved_on"


class SanctionBook:
    """What the services on sanctions share."""

    def __init__(
        self,
        programmes: Programmes,
        clocks: ProgrammeClocks,
        working_days: WorkingDays,
        defaults: SanctionDefaults,
        sealer: Sealer,
    ) -> None:
        self.programmes = programmes
        self.clocks = clocks
        self.working_days = working_days
        self.defaults = defaults
        self.sealer = sealer

    def now(self, case: SanctionCase) -> datetime:
        """The instant of the case's programme."""
        return self.clocks.now(case.programme_slug)

    def is_over(
        self, since: datetime | None, working_days: int, told: datetime | None, now: datetime
    ) -> bool:
        """Whether so many working days are over for certain: no day that was guessed takes anything.

        What was ``told`` stands, even where the calendar that came out later makes it shorter.
        """
        if since is None or told is None:
            return False
        due = working_days_after(self.working_days.calendar, day_of(since), working_days)
        return is_final(due) and due.is_over(now) and now >= told

    def programme_of(self, case: SanctionCase) -> Programme:
        """The text it was proposed under."""
        return self.programmes.version(case.programme_slug, case.programme_version)

    def sanction_of(self, case: SanctionCase) -> Sanction:
        """The sanction of that text."""
        return next(one for one in self.programme_of(case).sanctions if one.code == case.sanction)

    def ground_of(self, case: SanctionCase) -> Ground:
        """The ground it rests on."""
        return next(one for one in self.sanction_of(case).grounds if one.code == case.ground)

    async def change(self, case: SanctionCase, act: SanctionAct | None, **columns: Any) -> SanctionCase:
        """Change a case that is as it was read. Raises ``NotPermittedNow`` and :class:`SanctionMovedOn`."""
        if act is not None:
            require_act(SANCTION_MAY, case.status, act)
        # The WHERE clause is the lock: of two who press at once exactly one matches the version.
        changed = await SanctionCase.filter(id=case.id, version=case.version).update(
            version=F("version") + 1, **columns
        )
        if not changed:
            raise SanctionMovedOn(number=case.number)
        return await SanctionCase.get(id=case.id).select_related("against")

    async def move(
        self, case: SanctionCase, act: SanctionAct, to: SanctionStatus, **columns: Any
    ) -> SanctionCase:
        """The same, to another status. Raises ``IllegalMove`` too."""
        require_act(SANCTION_MAY, case.status, act)
        require_move(SANCTION_MOVES, case.status, to)
        return await self.change(case, act, status=to, **columns)

    async def write(
        self,
        case: SanctionCase,
        kind: str,
        words: str,
        *,
        author: str,
        attached: Sequence[StoredFile] = (),
        now: datetime,
    ) -> SanctionEntry:
        """Keep what was said, with its files, inside the caller's transaction."""
        programme = self.programme_of(case)
        for place, file in enumerate(attached, start=1):
            # Each a material of its own: evidence is not one paper of several pages.
            await files.attach([file], subject_of(case), f"{kind}_{place}", programme=programme, now=now)
        return await SanctionEntry.create(
            case_id=case.id,
            kind=kind,
            author=author,
            words=words,
            files=[file.id for file in attached],
            at=now,
        )

    async def note(self, action: str, case: SanctionCase, actor: Actor, now: datetime, **data: Any) -> None:
        """Write a deed into the journal of the case."""
        await journal.record(
            action,
            subject_of(case),
            actor=actor.name,
            at=now,
            programme_slug=case.programme_slug,
            sanction=case.sanction,
            ground=case.ground,
            clause=case.clause,
            **data,
        )

    async def tell_party(self, topic: str, case: SanctionCase, *, now: datetime, **data: Any) -> None:
        """Tell whoever acts for the party."""
        await outbox.tell(
            f"organisation:{case.against_id}",
            topic,
            at=now,
            sanction=case.id,
            number=case.number,
            programme=case.programme_slug,
            clause=case.clause,
            **data,
        )

    async def tell_deciders(self, topic: str, case: SanctionCase, *, now: datetime, **data: Any) -> None:
        """Tell whoever may decide on the case."""
        organisation = await Organisation.get(id=case.against_id)
        await outbox.tell(
            outbox.team(self.sanction_of(case).decided_by.value, case.programme_slug),
            topic,
            at=now,
            sanction=case.id,
            number=case.number,
            programme=case.programme_slug,
            clause=case.clause,
            name=organisation.name,
            area=organisation.area,
            **data,
        )


def subject_of(case: SanctionCase) -> str:
    """The case as journal and files name it."""
    return f"sanction:{case.id}"


async def case_for(actor: Actor, case_id: int) -> SanctionCase:
    """A case, with its party, of the programmes and areas of a member of staff. Raises ``NotFound``."""
    case = await SanctionCase.get_or_none(id=case_id).select_related("against")
    if case is None or actor.kind != "staff" or READERS.isdisjoint(actor.roles):
        raise NotFound()
    access.require_programme(actor, case.programme_slug)
    access.require_area(actor, case.against.area)
    return case


async def own_case(actor: Actor, case_id: int) -> SanctionCase:
    """A case against the actor's own organisation, of which it was told. Raises ``NotFound``."""
    case = await SanctionCase.get_or_none(
        id=case_id, against_id=access.organisation_id_of(actor)
    ).select_related("against")
    if case is None or not told(case):
        raise NotFound()
    return case


def told(case: SanctionCase) -> bool:
    """Whether the party knows of a case: from its hearing on, or from the decision."""
    return case.hearing_until is not None or case.decided_at is not None


async def require_impartial(actor: Actor, organisation: Organisation, *had_part: int | None) -> None:
    """Raise ``OwnReview`` for an affiliated organisation, or for whoever had a part in the case before."""
    if actor.id in had_part or organisation.uscc in (await reviewer_of(actor)).affiliations:
        raise OwnReview()


def require_version(case: SanctionCase, version: int) -> None:
    """Raise :class:`SanctionMovedOn` for a screen that is older than the case."""
    if case.version != version:
        raise SanctionMovedOn(number=case.number)
