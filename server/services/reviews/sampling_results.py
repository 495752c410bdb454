"""What came of a sample: every attempt is kept, and who did not answer stays on the list, and open.

Whoever looks writes it down here, or records the visit or the call-back that the line was drawn for: then the
line knows it in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tortoise.expressions import F, Q
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.reviews import ReviewCase
from server.models.sampling import SampleAnswer, SamplingDraw, SamplingItem
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.programme.review import Sampled, Sampling
from server.rules.review import CaseStatus
from server.rules.sampling import LOOKED_AT, DrawNotThere, DrawStatus, SampleOutcome
from server.rules.supervision import EntryTone, ServiceEntryKind
from server.services import journal
from server.services.access import Actor, NotFound, require_area, require_programme
from server.services.clocks import ProgrammeClocks
from server.services.organisations import service_files
from server.services.reviews.sampling_lists import areas_of

OUTSTANDING = Q(outcome__isnull=True) | Q(outcome=SampleOutcome.NO_ANSWER)
"""Drawn lines at which somebody has still to look."""
_GIVES_WAY: Mapping[SampleOutcome, Q] = {
    SampleOutcome.NO_ANSWER: Q(outcome__isnull=True),
    SampleOutcome.CLEAN: OUTSTANDING,
    SampleOutcome.FINDING: OUTSTANDING | Q(outcome=SampleOutcome.CLEAN),
}
"""What an outcome replaces on a line at which several look: a finding stays, however it goes elsewhere."""


class ResultByReview(Refusal):
    """What came of a case is what its review says, and is written by nobody else."""

    status, code = 409, "result_by_review"


class SampleLookedAt(Refusal):
    """What was found is written down already."""

    status, code = 409, "sample_looked_at"


class SampleWordUnknown(Refusal):
    """A method or a word for satisfaction that the programme does not have."""

    status, code = 422, "sample_word_unknown"


class NotYourDraw(Refusal):
    """The text names who draws and looks at this sample."""

    status, code = 403, "not_your_draw"


class FindingMissing(Refusal):
    """A finding says what was found."""

    status, code = 422, "finding_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What one attempt came to. ``method`` and ``satisfaction`` are words of the programme, or empty."""

    outcome: SampleOutcome
    method: str = ""
    satisfaction: str = ""
    note: str = ""


async def answer(
    item_id: int, said: Answered, *, programmes: Programmes, clocks: ProgrammeClocks, actor: Actor
) -> SamplingItem:
    """Write down what came of looking at a drawn line; ``NO_ANSWER`` leaves it on the list, for another try.

    Raises ``NotFound``, :class:`NotYourDraw`, ``DrawNotThere`` for what was not drawn,
    :class:`ResultByReview`, :class:`SampleLookedAt`, :class:`SampleWordUnknown` and :class:`FindingMissing`.
    """
    item = await SamplingItem.get_or_none(id=item_id).select_related("draw")
    if item is None:
        raise NotFound()
    draw = item.draw
    require_programme(actor, draw.programme_slug)
    require_area(actor, (await areas_of(draw, [item]))[item.row_id])
    programme = programmes.version(draw.programme_slug, draw.programme_version)
    check = next(one for one in programme.samplings if one.code == draw.code)
    if actor.roles.isdisjoint(role.value for role in check.by):
        names = texts.LIST.join(texts.ACTORS[role] for role in check.by)
        raise NotYourDraw(clause=check.article, names=names)
    if draw.over is Sampled.REVIEW:
        raise ResultByReview(clause=draw.clause)
    if item.turn is None or draw.status not in (DrawStatus.DRAWN, DrawStatus.CLOSED):
        raise DrawNotThere(clause=draw.clause, state=texts.DRAW_STATES[draw.status])
    _require_words(said, check, programme.rating.scale)
    now = clocks.now(draw.programme_slug)
    async with in_transaction():
        if not await SamplingItem.filter(OUTSTANDING, id=item.id).update(outcome=said.outcome):
            raise SampleLookedAt(clause=draw.clause)
        made = await _keep(item, said, actor, now)
        await _note(draw, item, made, actor)
        if check.to_service_file and item.provider_id is not None and said.outcome in LOOKED_AT:
            await _to_file(item.provider_id, draw, made, programme)
        await close_if_done(draw.id)
    return await SamplingItem.get(id=item.id)


async def write_back(
    draw_id: int | None, rows: Mapping[Sampled, int | None], said: Answered, *, actor: Actor, now: datetime
) -> None:
    """What a visit or a call-back came to, as the result of the line it was drawn for; in its transaction.

    ``rows`` says what was looked at, by what draws are made over. Nothing happens where it was named and not
    drawn. Who did not answer stays on the list.
    """
    draw = None if draw_id is None else await SamplingDraw.get(id=draw_id)
    if draw is None or (row_id := rows.get(draw.over)) is None:
        return
    item = await SamplingItem.get_or_none(draw_id=draw.id, row_id=row_id, turn__isnull=False)
    if item is None:
        return
    await SamplingItem.filter(_GIVES_WAY[said.outcome], id=item.id).update(outcome=said.outcome)
    made = await _keep(item, said, actor, now)
    await _note(draw, item, made, actor)
    await close_if_done(draw.id)


async def note_review(case: ReviewCase, *, passed: bool, reason: str, actor: Actor, now: datetime) -> None:
    """The spot check of a drawn case was decided, inside that transaction: this is the result of its line."""
    item = await SamplingItem.get_or_none(draw_id=case.draw_id, row_id=case.id) if case.draw_id else None
    if item is None:
        return
    outcome = SampleOutcome.CLEAN if passed else SampleOutcome.FINDING
    await SamplingItem.filter(id=item.id).update(outcome=outcome)
    await SampleAnswer.create(item_id=item.id, outcome=outcome, note=reason, by=actor.name, at=now)
    await close_if_done(item.draw_id)


async def settle_gone(draw: SamplingDraw) -> int:
    """Drawn cases that ended before anybody looked: there is nothing left to look at; how many."""
    pending = await SamplingItem.filter(
        draw_id=draw.id, turn__isnull=False, outcome__isnull=True
    ).values_list("row_id", flat=True)
    over = [CaseStatus.WITHDRAWN, CaseStatus.REFUSED, CaseStatus.PASSED]
    ended = await ReviewCase.filter(id__in=pending, status__in=over).values_list("id", flat=True)
    return await SamplingItem.filter(draw_id=draw.id, row_id__in=ended, outcome__isnull=True).update(
        outcome=SampleOutcome.GONE
    )


async def close_if_done(draw_id: int) -> None:
    """Count what of a sample is still to be looked at, and close it with the last."""
    # A write, and first: of the two who look at the last lines at once, the second counts with the first.
    await SamplingDraw.filter(id=draw_id).update(open_items=F("open_items"))
    drawn = SamplingItem.filter(draw_id=draw_id, turn__isnull=False)
    done = await drawn.filter(outcome__in=sorted(LOOKED_AT)).count()
    still = await drawn.count() - done
    running = SamplingDraw.filter(id=draw_id, status=DrawStatus.DRAWN)
    await running.update(open_items=still, **({} if still else {"status": DrawStatus.CLOSED}))


async def answers_to(items: Sequence[SamplingItem]) -> Mapping[int, list[SampleAnswer]]:
    """Every attempt at each of these lines, oldest first."""
    found: dict[int, list[SampleAnswer]] = {item.id: [] for item in items}
    for row in await SampleAnswer.filter(item_id__in=list(found)).order_by("id"):
        found[row.item_id].append(row)
    return found


async def _keep(item: SamplingItem, said: Answered, actor: Actor, now: datetime) -> SampleAnswer:
    return await SampleAnswer.create(
        item_id=item.id,
        outcome=said.outcome,
        method=said.method,
        satisfaction=said.satisfaction,
        note=said.note.strip(),
        by=actor.name,
        at=now,
    )


async def _note(draw: SamplingDraw, item: SamplingItem, made: SampleAnswer, actor: Actor) -> None:
    await journal.record(
        "sampling.answered",
        f"draw:{draw.id}",
        actor=actor.name,
        at=made.at,
        programme_slug=draw.programme_slug,
        key=item.key,
        outcome=made.outcome.value,
        answer=made.id,
    )


async def _to_file(provider_id: int, draw: SamplingDraw, made: SampleAnswer, programme: Programme) -> None:
    """Where the text says so, the result stands in the provider's service file (GX-57, NX-25)."""
    is_finding = made.outcome is SampleOutcome.FINDING
    await service_files.note(
        ServiceEntryKind.INSPECTION,
        "sampled",
        f"sample_answer:{made.id}",
        provider_id=provider_id,
        programme=programme,
        tone=EntryTone.BAD if is_finding else EntryTone.GOOD,
        at=made.at,
        clause=draw.clause,
        title=draw.name,
        result=texts.DRAW_OUTCOMES[made.outcome],
    )


def _require_words(said: Answered, check: Sampling, scale: Sequence[str]) -> None:
    if said.outcome is SampleOutcome.FINDING and not said.note.strip():
        raise FindingMissing(clause=check.article)
    if said.outcome is SampleOutcome.GONE:
        # That a case ended is seen from the case: nobody takes a line off the list by saying so.
        sayable = (texts.DRAW_OUTCOMES[one] for one in SampleOutcome if one is not SampleOutcome.GONE)
        word = texts.DRAW_OUTCOMES[said.outcome]
        raise SampleWordUnknown(clause=check.article, word=word, known=texts.LIST.join(sayable))
    for word, known in ((said.method, check.methods), (said.satisfaction, scale)):
        if word and word not in known:
            raise SampleWordUnknown(clause=check.article, word=word, known=texts.LIST.join(known))
