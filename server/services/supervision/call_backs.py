"""Call-backs (满意度回访): enterprises of a sample are asked how they were served (LS-74, NX-25, GX-57).

Whoever is not reached stays on the list, with every try. What was answered counts in the provider's service
file; the provider is told neither who was asked nor which order it was about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.orders import Order
from server.models.organisations import Organisation
from server.models.supervision import CallAttempt, CallBack, CallBackList
from server.programme.model import Programme
from server.programme.review import Sampled
from server.programme.supervision import SupervisionDefaults
from server.rules.ratings import is_low, score_bp
from server.rules.sampling import SampleOutcome
from server.rules.supervision import (
    CallBackStatus,
    CallMethod,
    CallOutcome,
    EntryTone,
    ServiceEntryKind,
)
from server.services import access
from server.services.access import Actor, NotAllowed, NotFound, StaffRole
from server.services.numbers import new_number
from server.services.organisations import service_files
from server.services.reviews.sampling_results import Answered, write_back
from server.services.supervision.supervision_book import (
    SUPERVISORS,
    SupervisionBook,
    note,
    require_impartial,
    require_words,
)
from server.services.supervision.supervision_samples import drawn
from server.units import BASIS_POINTS

MOST_CALLS = 2000
PAGE = 50
_ENDS: Mapping[CallOutcome, CallBackStatus] = {
    CallOutcome.ANSWERED: CallBackStatus.ANSWERED,
    CallOutcome.DECLINED: CallBackStatus.DECLINED,
}


class CallListUnusable(Refusal):
    """No orders, too many, one twice, or one that was not drawn."""

    status, code = 422, "call_list_unusable"


class CallOver(Refusal):
    """The enterprise has answered or declined; what it said stands."""

    status, code = 409, "call_over"


class CallAnswerUnusable(Refusal):
    """An answer without a level of the programme's scale, or a level without an answer."""

    status, code = 422, "call_answer_unusable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a list came to. ``average_bp``: 10,000 is the best, ``None`` before anybody answered."""

    asked: int
    answered: int
    declined: int
    waiting: int
    attempts: int
    by_level: Mapping[str, int]
    average_bp: int | None


class CallBacks:
    """The verbs on call-backs."""

    def __init__(self, book: SupervisionBook, defaults: SupervisionDefaults) -> None:
        self.book = book
        self.defaults = defaults

    async def make(
        self,
        slug: str,
        order_ids: Sequence[int],
        *,
        draw_id: int | None = None,
        reason: str = "",
        script: Sequence[str] = (),
        actor: Actor,
    ) -> CallBackList:
        """Make a list of orders whose enterprises are asked: drawn, or named with a reason.

        Raises ``NotFound``, ``NotAllowed``, :class:`CallListUnusable`, ``SampleNotDrawn``, ``WordsMissing``.
        """
        programme = self.book.programme(slug, actor)
        why = reason.strip() if draw_id is not None else require_words(reason)
        orders = await self._sample(programme, order_ids, draw_id)
        now = self.book.now(slug)
        clause = next(
            (one.article for one in programme.samplings if one.methods and set(one.by) & actor.roles),
            programme.rating.article,
        )
        async with in_transaction():
            made = await CallBackList.create(
                number=new_number("H"),
                programme_slug=slug,
                programme_version=programme.version,
                year=programme.year_of(now),
                clause=clause,
                draw_id=draw_id,
                reason=why,
                script=[one.strip() for one in script if one.strip()] or list(self.defaults.script),
                made_by=actor.id,
                made_at=now,
            )
            await CallBack.bulk_create(
                [CallBack(list_id=made.id, order_id=one.id, provider_id=one.provider_id) for one in orders]
            )
            await note(
                "call_backs.listed",
                f"call_back_list:{made.id}",
                actor=actor,
                now=now,
                programme_slug=slug,
                orders=len(orders),
                draw=draw_id,
            )
        return made

    async def attempt(
        self,
        call_id: int,
        outcome: CallOutcome,
        *,
        method: CallMethod,
        level: str = "",
        words: str = "",
        remark: str = "",
        actor: Actor,
    ) -> CallBack:
        """Put down one try. Only an answer or a refusal takes an enterprise off the list.

        Raises ``NotFound``, ``NotAllowed``, ``OwnReview``, :class:`CallOver`, :class:`CallAnswerUnusable`.
        """
        call = await CallBack.get_or_none(id=call_id).select_related("list", "order")
        if call is None:
            raise NotFound()
        programme = self.programme(call.list, actor)
        sides = await Organisation.filter(id__in=[call.order.enterprise_id, call.order.provider_id])
        await require_impartial(actor, sides)
        scale, answered = programme.rating.scale, outcome is CallOutcome.ANSWERED
        if answered != bool(level) or (level and level not in scale):
            raise CallAnswerUnusable(clause=programme.rating.article, scale=texts.LIST.join(scale))
        now = self.book.now(programme.slug)
        async with in_transaction():
            # The WHERE clause is the lock: of two who call at once one is told that it was answered.
            changes = {"status": _ENDS[outcome], "ended_at": now} if outcome in _ENDS else {}
            changed = await CallBack.filter(
                id=call.id, status=CallBackStatus.WAITING, attempts=call.attempts
            ).update(attempts=call.attempts + 1, level=level, words=words.strip(), **changes)
            if not changed:
                raise CallOver()
            await CallAttempt.create(
                call_id=call.id,
                method=method,
                outcome=outcome,
                note=remark.strip(),
                made_by=actor.id,
                made_at=now,
            )
            if answered:
                await self._to_file(call, programme, level, now=now)
            await self._write_back(call, outcome, method, level, words, scale, actor=actor, now=now)
            await note(
                "call_back.tried",
                f"order:{call.order_id}",
                actor=actor,
                now=now,
                programme_slug=programme.slug,
                call=call.id,
                outcome=outcome.value,
            )
        return await CallBack.get(id=call.id)

    def programme(self, made: CallBackList, actor: Actor) -> Programme:
        """The programme version a list was made under, for whoever works on it."""
        self.book.programme(made.programme_slug, actor)
        return self.book.programmes.version(made.programme_slug, made.programme_version)

    async def summary(self, made: CallBackList) -> Summary:
        """What a list has come to so far."""
        programme = self.book.programmes.version(made.programme_slug, made.programme_version)
        calls = await CallBack.filter(list_id=made.id).only("id", "status", "attempts", "level")
        by_status = dict.fromkeys(CallBackStatus, 0)
        by_level = dict.fromkeys(programme.rating.scale, 0)
        for call in calls:
            by_status[call.status] += 1
            if call.level in by_level:
                by_level[call.level] += 1
        answered = by_status[CallBackStatus.ANSWERED]
        total_bp = sum(score_bp(programme.rating.scale, level) * many for level, many in by_level.items())
        return Summary(
            asked=len(calls),
            answered=answered,
            declined=by_status[CallBackStatus.DECLINED],
            waiting=by_status[CallBackStatus.WAITING],
            attempts=sum(call.attempts for call in calls),
            by_level=by_level,
            average_bp=total_bp // answered if answered else None,
        )

    async def _sample(
        self, programme: Programme, order_ids: Sequence[int], draw_id: int | None
    ) -> list[Order]:
        if not order_ids or len(order_ids) > MOST_CALLS or len(set(order_ids)) != len(order_ids):
            raise CallListUnusable(most=MOST_CALLS, names="")
        orders = await Order.filter(id__in=list(order_ids), programme_slug=programme.slug).order_by("id")
        if len(orders) != len(order_ids):
            raise NotFound()
        if draw_id is not None:
            sample = await drawn(draw_id, programme.slug)
            strangers = [
                one.number
                for one in orders
                if not sample.holds(order_id=one.id, organisation_ids=[one.enterprise_id, one.provider_id])
            ]
            if strangers:
                raise CallListUnusable(most=MOST_CALLS, names=texts.LIST.join(strangers))
        return orders

    async def _write_back(
        self,
        call: CallBack,
        outcome: CallOutcome,
        method: CallMethod,
        level: str,
        words: str,
        scale: Sequence[str],
        *,
        actor: Actor,
        now: datetime,
    ) -> None:
        """The drawn line knows what became of it; whoever was not reached, or would not say, stays open."""
        result = SampleOutcome.NO_ANSWER
        if outcome is CallOutcome.ANSWERED:
            result = SampleOutcome.FINDING if is_low(scale, level) else SampleOutcome.CLEAN
        rows = {
            Sampled.ORDER: call.order_id,
            Sampled.ENTERPRISE: call.order.enterprise_id,
            Sampled.PROVIDER: call.order.provider_id,
        }
        note = texts.CALL_NOTED[outcome].format(number=call.list.number, words=words.strip()).strip()
        said = Answered(outcome=result, method=texts.CALL_METHODS[method], satisfaction=level, note=note)
        await write_back(call.list.draw_id, rows, said, actor=actor, now=now)

    async def _to_file(self, call: CallBack, programme: Programme, level: str, *, now: datetime) -> None:
        scale = programme.rating.scale
        low = is_low(scale, level)
        best = score_bp(scale, level) == BASIS_POINTS
        await service_files.note(
            ServiceEntryKind.CALL_BACK,
            "called",
            f"call_back:{call.id}",
            provider_id=call.provider_id,
            programme=programme,
            tone=EntryTone.BAD if low else EntryTone.GOOD if best else EntryTone.PLAIN,
            at=now,
            clause=call.list.clause,
            level=level,
        )


async def list_for(actor: Actor, list_id: int) -> CallBackList:
    """A list of a programme the actor works on. Raises ``NotFound``."""
    made = await CallBackList.get_or_none(id=list_id)
    if made is None or actor.roles.isdisjoint(SUPERVISORS | {StaffRole.AUDITOR}):
        raise NotFound()
    access.require_programme(actor, made.programme_slug)
    return made


async def listed(actor: Actor, *, programme: str = "", before: int | None = None) -> list[CallBackList]:
    """Lists of the actor's programmes, newest first, one page and one more."""
    if actor.roles.isdisjoint(SUPERVISORS | {StaffRole.AUDITOR}):
        raise NotAllowed()
    rows = CallBackList.filter(access.within_programmes(actor, "programme_slug"))
    if programme:
        rows = rows.filter(programme_slug=programme)
    if before is not None:
        rows = rows.filter(id__lt=before)
    return await rows.order_by("-id").limit(PAGE + 1)


async def calls_of(list_id: int, *, status: CallBackStatus | None = None, after: int = 0) -> list[CallBack]:
    """The calls of a list by id, those that wait first seen as such, one page and one more."""
    rows = CallBack.filter(list_id=list_id, id__gt=after)
    if status is not None:
        rows = rows.filter(status=status)
    return await rows.select_related("order__enterprise").order_by("id").limit(PAGE + 1)
