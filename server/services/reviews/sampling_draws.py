"""Draws: a seed committed to, a list locked, a sample drawn, and the cases it concerns moved on.

Nobody can choose: the hash of the seed is public before there is a list, the list is frozen before the seed
is known, and what is drawn follows from both, and from a public number where one was named beforehand
(decision 0030). So whoever draws needs no second pair of eyes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import structlog
from tortoise.exceptions import IntegrityError
from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.reviews import ReviewCase
from server.models.sampling import SamplingDraw, SamplingItem
from server.programme.model import Programme
from server.programme.registry import Programmes, UnknownProgramme
from server.programme.review import ReviewSubject, ReviewWhen, Sampled, Sampling
from server.rules.deadlines import day_of
from server.rules.review import LIVE, CaseStatus, ReasonMissing, Verdict
from server.rules.sampling import (
    DrawNotThere,
    DrawStatus,
    Listed,
    ListFrozen,
    NothingToDraw,
    committed,
    draw,
    hash_of,
    require_share,
    seed_of_lots,
)
from server.sealing import Sealer
from server.services import journal
from server.services.access import CLOCK, Actor, NotFound, require_programme
from server.services.afterwards import together
from server.services.reviews.review_cases import copied
from server.services.reviews.review_passage import Said
from server.services.reviews.reviewers import case_for, require_impartial, reviewer_of
from server.services.reviews.reviews import CaseMovedOn, Reviews
from server.services.reviews.sampling_lists import MOST_LINES, items_of, lines_for, require_drawable
from server.services.reviews.sampling_results import NotYourDraw, close_if_done, settle_gone

log = structlog.get_logger()

SEED_BYTES = 32
AT_ONCE = 500
"""Lines written in one statement."""


class DrawUnusable(Refusal):
    """The check draws from something else, or asks for a period that has days, all of them over."""

    status, code = 422, "draw_unusable"


class DrawUnderWay(Refusal):
    """One list of one kind at a time."""

    status, code = 409, "draw_under_way"


class PublicNumberMissing(Refusal):
    """A public number was named beforehand and is not given, or the other way round."""

    status, code = 422, "public_number_missing"


class NotSampled(Refusal):
    """No check by draw lies before the case any more: to flag it would change nothing."""

    status, code = 409, "not_sampled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What somebody wants drawn: by the programme's check ``code``, over what, how much, of which days."""

    code: str
    over: Sampled
    share_bp: int | None = None
    since: date | None = None
    until: date | None = None
    public_source: str = ""


def sampled_subject(programme: Programme) -> ReviewSubject | None:
    """What is under review in the chain that has a spot check by draw."""
    chains = (one for one in programme.reviews if any(_by_draw(step.when) for step in one.steps))
    return next((one.subject for one in chains), None)


def _by_draw(when: ReviewWhen) -> bool:
    return when is ReviewWhen.SAMPLED


class Draws:
    """The verbs on draws. ``new_seed`` makes 64 hexadecimal digits nobody can guess."""

    def __init__(
        self,
        programmes: Programmes,
        reviews: Reviews,
        sealer: Sealer,
        *,
        new_seed: Callable[[], str] = lambda: secrets.token_hex(SEED_BYTES),
        most_lines: int = MOST_LINES,
    ) -> None:
        self.programmes = programmes
        self.reviews = reviews
        self.clocks = reviews.clocks
        self.sealer = sealer
        self.new_seed = new_seed
        self.most_lines = most_lines

    async def announce(self, slug: str, plan: Plan, *, actor: Actor) -> SamplingDraw:
        """Commit to a seed: from now on its hash is public, and there is no list yet.

        Raises ``NotFound``, ``NotYourDraw``, :class:`DrawUnusable`, ``ShareTooSmall``, ``ListTooLong``,
        ``NothingToDraw`` and :class:`DrawUnderWay`.
        """
        programme = self._programme(slug, actor)
        now = self.clocks.now(slug)
        check = _check(programme, plan.code, actor)
        subject = sampled_subject(programme) if plan.over is Sampled.REVIEW else None
        _require_usable(plan, check, subject, day_of(now))
        share_bp = check.share_bp if plan.share_bp is None else plan.share_bp
        require_share(share_bp or 0, check.share_bp or 1, check.article)
        seed = self.new_seed()
        made = SamplingDraw(
            programme_slug=slug,
            programme_version=programme.version,
            code=check.code,
            name=check.of,
            clause=check.article,
            over=plan.over,
            subject=subject,
            share_bp=share_bp,
            since=plan.since,
            until=plan.until,
            public_source=plan.public_source.strip(),
            commitment=committed(seed),
            sealed_seed=self.sealer.seal(seed),
            announced_by=actor.name,
            announced_at=now,
        )
        # Before anything is published: what is announced has to be drawn before the next one.
        await require_drawable(made, self.most_lines)
        try:
            async with in_transaction():
                await made.save(force_create=True)
                # Everything the draw follows from: none of it can be chosen once the list is known.
                await self._note(
                    made,
                    "sampling.announced",
                    actor,
                    commitment=made.commitment,
                    code=made.code,
                    over=made.over.value,
                    share_bp=made.share_bp,
                    since=None if made.since is None else made.since.isoformat(),
                    until=None if made.until is None else made.until.isoformat(),
                    public_source=made.public_source,
                )
        except IntegrityError:
            raise DrawUnderWay(clause=check.article) from None
        return made

    async def lock(self, draw_id: int, *, version: int, actor: Actor) -> SamplingDraw:
        """Freeze the list: what is there at this instant stands on it, what comes later waits.

        Raises ``NotFound``, ``NotYourDraw``, ``DrawNotThere`` and ``NothingToDraw``.
        """
        row = await self._own(draw_id, actor)
        now = self.clocks.now(row.programme_slug)
        async with in_transaction():
            await self._step(row, version, DrawStatus.ANNOUNCED)
            items = items_of(row, await lines_for(row, self.most_lines))
            if not items:
                raise NothingToDraw(clause=row.clause)
            for start in range(0, len(items), AT_ONCE):
                await SamplingItem.bulk_create(items[start : start + AT_ONCE])
            list_hash = hash_of([_listed(item) for item in items])
            await SamplingDraw.filter(id=row.id).update(
                status=DrawStatus.LOCKED,
                items=len(items),
                list_hash=list_hash,
                locked_by=actor.name,
                locked_at=now,
            )
            await self._note(row, "sampling.locked", actor, items=len(items), list_hash=list_hash)
        return await SamplingDraw.get(id=row.id)

    async def draw(
        self, draw_id: int, *, version: int, public_number: str = "", actor: Actor
    ) -> SamplingDraw:
        """Draw, and publish the seed; then move the cases the draw is about.

        Raises ``NotFound``, ``NotYourDraw``, ``DrawNotThere`` and :class:`PublicNumberMissing`.
        """
        row = await self._own(draw_id, actor)
        number = public_number.strip()
        if bool(number) != bool(row.public_source):
            raise PublicNumberMissing(clause=row.clause, source=row.public_source or texts.DRAW_NO_SOURCE)
        now = self.clocks.now(row.programme_slug)
        async with in_transaction():
            await self._step(row, version, DrawStatus.LOCKED)
            items = {item.key: item for item in await SamplingItem.filter(draw_id=row.id)}
            seed = self.sealer.open(row.sealed_seed)
            lots = seed_of_lots(seed, row.list_hash, number)
            drawn = draw([_listed(item) for item in items.values()], row.share_bp, lots)
            for turn, key in enumerate(drawn, start=1):
                await SamplingItem.filter(id=items[key].id).update(turn=turn)
            await SamplingDraw.filter(id=row.id).update(
                status=DrawStatus.DRAWN,
                seed=seed,
                public_number=number,
                drawn=len(drawn),
                open_items=len(drawn),
                drawn_by=actor.name,
                drawn_at=now,
            )
            await self._note(
                row,
                "sampling.drawn",
                actor,
                seed=seed,
                public_number=number,
                list_hash=row.list_hash,
                items=len(items),
                drawn=len(drawn),
            )
        await self.move(row.id)
        return await SamplingDraw.get(id=row.id)

    async def move(self, draw_id: int) -> int:
        """Move every case a draw was about that still waits, each by itself; how many.

        Repeated by a job until none waits: a draw is whole however its cases fare.
        """
        row = await SamplingDraw.get(id=draw_id)
        if row.over is not Sampled.REVIEW or row.status is not DrawStatus.DRAWN:
            return 0
        turns = dict(await SamplingItem.filter(draw_id=draw_id).values_list("row_id", "turn"))
        waiting = ReviewCase.filter(draw_id=draw_id, status=CaseStatus.OPEN, turn__isnull=True)
        moved = 0
        for case in await waiting.order_by("id"):
            moved += await self._move(case, row, turns.get(case.id))
        await settle_gone(row)
        await close_if_done(row.id)
        return moved

    async def move_due(self) -> int:
        """Go on with every draw whose cases wait; how many cases were moved."""
        rows = await SamplingDraw.filter(over=Sampled.REVIEW, status=DrawStatus.DRAWN).order_by("id")
        return sum([await self.move(row.id) for row in rows])

    async def flag(self, case_id: int, *, reason: str, actor: Actor) -> ReviewCase:
        """See to it that a case is in the sample, whatever is drawn; before its list is locked.

        Raises ``NotFound``, ``OwnReview``, ``ReasonMissing``, :class:`NotSampled` and ``ListFrozen``.
        """
        if not reason.strip():
            raise ReasonMissing()
        reviewer = await reviewer_of(actor)
        case = await case_for(reviewer, case_id)
        await require_impartial(reviewer, case, self.reviews.reviewed(case))
        chain = copied(case).chain
        ahead = () if case.place is None else chain.steps[case.place :]
        if not any(_by_draw(step.when) for step in ahead):
            raise NotSampled(clause=chain.article)
        async with in_transaction():
            flagged = await ReviewCase.filter(
                id=case.id, draw_id__isnull=True, status__in=sorted(LIVE)
            ).update(flagged=True)
            if not flagged:
                raise ListFrozen(step=case.step_name)
            await journal.record(
                "review.flagged",
                f"review:{case.id}",
                actor=actor.name,
                at=self.clocks.now(case.programme_slug),
                programme_slug=case.programme_slug,
                reason=reason.strip(),
            )
        return await ReviewCase.get(id=case.id)

    async def _move(self, case: ReviewCase, row: SamplingDraw, turn: int | None) -> bool:
        try:
            async with in_transaction():
                passage = await self.reviews.take(case.id, case.version, None, actor=CLOCK)
                place = passage.case.place
                if place is None or passage.case.status is not CaseStatus.OPEN:
                    return False
                if turn is None:
                    reason = texts.NOT_DRAWN.format(draw=row.id, items=row.items, drawn=row.drawn)
                    await passage.put_down(place, Said(verdict=Verdict.NOT_DRAWN, reason=reason))
                    await passage.note("review.not_drawn", place=place, draw=row.id)
                else:
                    await passage.state_further({ReviewWhen.SAMPLED})
                    await passage.note("review.drawn", place=place, draw=row.id, turn=turn)
                await passage.go_on()
        except CaseMovedOn:
            return False
        except Refusal as refusal:
            # What follows from going on cannot be just now; the others go on all the same.
            log.warning("sampling.not_moved", review=case.id, code=refusal.code)
            return False
        await together(passage.afters)()
        return True

    def _programme(self, slug: str, actor: Actor) -> Programme:
        require_programme(actor, slug)
        try:
            return self.programmes.get(slug)
        except UnknownProgramme:
            raise NotFound() from None

    async def _own(self, draw_id: int, actor: Actor) -> SamplingDraw:
        """A draw of the actor's programmes that they may make. Raises ``NotFound``, ``NotYourDraw``."""
        row = await SamplingDraw.get_or_none(id=draw_id)
        if row is None:
            raise NotFound()
        _check(self._programme(row.programme_slug, actor), row.code, actor)
        return row

    async def _step(self, row: SamplingDraw, version: int, at: DrawStatus) -> None:
        """Take a draw's lock: of two who press at once one is told where it stands."""
        taken = await SamplingDraw.filter(id=row.id, version=version, status=at).update(
            version=F("version") + 1
        )
        if not taken:
            now = await SamplingDraw.get(id=row.id)
            raise DrawNotThere(clause=row.clause, state=texts.DRAW_STATES[now.status])

    async def _note(self, row: SamplingDraw, action: str, actor: Actor, **data: object) -> None:
        await journal.record(
            action,
            f"draw:{row.id}",
            actor=actor.name,
            at=self.clocks.now(row.programme_slug),
            programme_slug=row.programme_slug,
            **data,
        )


def _check(programme: Programme, code: str, actor: Actor) -> Sampling:
    check = next((one for one in programme.samplings if one.code == code), None)
    if check is None:
        raise NotFound()
    if actor.roles.isdisjoint(role.value for role in check.by):
        names = texts.LIST.join(texts.ACTORS[role] for role in check.by)
        raise NotYourDraw(clause=check.article, names=names)
    return check


def _require_usable(plan: Plan, check: Sampling, subject: ReviewSubject | None, today: date) -> None:
    """Raise :class:`DrawUnusable` for what the check does not draw from, or a period that is none.

    Its last day is over: what was done on it after the locking would be on no list.
    """
    period = (plan.since, plan.until)
    usable = plan.over in check.over
    if plan.over is Sampled.REVIEW:
        usable &= subject is not None and period == (None, None)
    elif plan.over is Sampled.ORDER:
        usable &= None not in period
    if plan.since is not None or plan.until is not None:
        usable &= plan.since is not None and plan.until is not None and plan.since <= plan.until < today
    if not usable:
        raise DrawUnusable(clause=check.article)


def _listed(item: SamplingItem) -> Listed:
    return Listed(item.key, item.stratum, item.flagged)
