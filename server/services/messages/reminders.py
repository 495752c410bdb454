"""Reminders: seven, three and one days before a deadline, and when the programme's text asks (GZ-99).

Each is sent once for one matter, deadline and distance: a deadline that moves is reminded of anew. After an
outage only the nearest one is sent, not those that were missed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tortoise.expressions import Q
from tortoise.transactions import in_transaction

from server.models.applications import Ranking
from server.models.inbox import ReminderSent
from server.models.orders import Order
from server.models.organisations import Qualification
from server.models.reviews import ReviewCase
from server.models.rounds import Budget, Round
from server.models.stand_ins import StandIn
from server.models.vouchers import Voucher
from server.programme.model import Programme
from server.programme.oversight import Reminded
from server.programme.vocabulary import Actor as Role
from server.programme.vocabulary import Party
from server.rules.deadlines import day_of
from server.rules.lifecycles import QualificationStatus, RoundStatus, VoucherStatus
from server.rules.orders import OrderStatus
from server.rules.review import CaseStatus
from server.services import outbox
from server.services.outbox import Message
from server.services.reviews.review_cases import number_of, step_of

DISTANCES = (7, 3, 1)
"""Days before any deadline; what a programme's text asks for comes on top."""
WINDOW, INVOICE, ACCOUNT = "settlement_window", "summary_invoice", "bank_account"
REVIEW_OVERDUE = "review.overdue"
CORRECTION, REVIEW, STEP = "review.correction_due", "review.due", Reminded.CONTRACT_DEADLINE
TOPICS: Mapping[str, str] = {
    Reminded.VOUCHER_EXPIRY: "reminder.voucher_expiry",
    Reminded.ORDER_DEADLINE: "reminder.order_deadline",
    Reminded.QUALIFICATION_EXPIRY: "reminder.qualification_expiry",
    Reminded.ROUND_OPENS: "reminder.round_opens",
    CORRECTION: "review.correction_due",
    REVIEW: "review.due",
    REVIEW_OVERDUE: "review.overdue",
    STEP: "reminder.order_step",
    WINDOW: "reminder.settlement_window",
    INVOICE: "reminder.summary_invoice",
    ACCOUNT: "reminder.bank_account",
}
"""The topic of a reminder, by what it is about."""
GROUP = 300
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Matter:
    """Something that ends at an instant (exclusive), whom it concerns, and what they are told of it."""

    about: str
    subject: str
    recipients: tuple[str, ...]
    deadline: datetime
    data: Mapping[str, Any]


async def send_due(programme: Programme, *, now: datetime) -> int:
    """Send every reminder of a programme that is due on the day of ``now``; returns how many."""
    sent = 0
    for source in (_vouchers_ending, _orders_due, _steps_due, _qualifications_ending, _reviews_due):
        async for group in source(programme, now):
            sent += await send(group, now, lambda matter: _distance(programme, matter, now))
    if any(one.about is Reminded.ROUND_OPENS for one in programme.reminders):
        async for group in _rounds_opening(programme, now):
            sent += await send(group, now, lambda _: 0)
    return sent


def distances(programme: Programme, about: str) -> tuple[int, ...]:
    """How many days before a deadline of this kind reminders are due, nearest first."""
    asked = {one.days_before for one in programme.reminders if one.about == about and one.days_before}
    return tuple(sorted({*DISTANCES, *asked}))


def _distance(programme: Programme, matter: Matter, now: datetime) -> int | None:
    """The reminder that is due today; ``None``: none yet."""
    left = days_left(matter.deadline, now)
    return next((days for days in distances(programme, matter.about) if left <= days), None)


def days_left(deadline: datetime, now: datetime) -> int:
    """Days from the day of ``now`` to the last day of a deadline; 0 on that day itself."""
    return (day_of(deadline - timedelta.resolution) - day_of(now)).days


async def send(matters: Sequence[Matter], now: datetime, distance: Callable[[Matter], int | None]) -> int:
    """Send what is due of these matters, each once at its distance (``None``: not due); how many."""
    due = [
        ReminderSent(
            about=matter.about,
            subject=matter.subject,
            recipient=recipient,
            deadline=matter.deadline,
            days_before=days,
            sent_at=now,
        )
        for matter in matters
        if (days := distance(matter)) is not None
        for recipient in matter.recipients
    ]
    data = {matter.subject: matter.data for matter in matters}
    async with in_transaction():
        earlier = {
            _key(row)
            for row in await ReminderSent.filter(
                about__in={row.about for row in due},
                subject__in={row.subject for row in due},
                recipient__in={row.recipient for row in due},
            )
        }
        rows = [row for row in due if _key(row) not in earlier]
        if not rows:
            return 0
        # The unique key lets one of two that remind at once fail as a whole; it finds all sent next time.
        await ReminderSent.bulk_create(rows)
        await outbox.tell_all([_message(row, data[row.subject], now) for row in rows], at=now)
    return len(rows)


def _key(row: ReminderSent) -> tuple[str, str, str, datetime, int]:
    return row.about, row.subject, row.recipient, row.deadline, row.days_before


def _message(row: ReminderSent, data: Mapping[str, Any], now: datetime) -> Message:
    left = {"until": row.deadline.isoformat(), "days": days_left(row.deadline, now)}
    return Message(row.recipient, TOPICS[row.about], {**data, **left})


Groups = AsyncIterator[list[Matter]]


def _horizon(programme: Programme, about: str, now: datetime) -> datetime:
    return now + (max(distances(programme, about)) + 1) * ONE_DAY


async def _vouchers_ending(programme: Programme, now: datetime) -> Groups:
    until = _horizon(programme, Reminded.VOUCHER_EXPIRY, now)
    async for rows in _vouchers(programme, valid_until__gt=now, valid_until__lte=until):
        yield [_of_voucher(Reminded.VOUCHER_EXPIRY, row, row.valid_until) for row in rows]


async def _orders_due(programme: Programme, now: datetime) -> Groups:
    until = _horizon(programme, Reminded.ORDER_DEADLINE, now)
    missing = {"order_deadline__gt": now, "order_deadline__lte": until, "reclaimed_at__isnull": True}
    # Counted from a result whose day was guessed: shown as provisional, and nothing is taken by it.
    guessed: set[object] = set(
        await Ranking.filter(programme_slug=programme.slug, provisional=True).values_list(
            "round_id", flat=True
        )
    )
    async for rows in _vouchers(programme, **missing):
        yield [
            _of_voucher(Reminded.ORDER_DEADLINE, row, row.order_deadline, provisional=row.round_id in guessed)
            for row in rows
            if row.order_deadline is not None
        ]


async def _steps_due(programme: Programme, now: datetime) -> Groups:
    """The step an order waits for: both sides hear of its deadline, whosever turn it is (GZ-99)."""
    names = {step.kind: step.name for step in programme.order_steps}
    wanted = Order.filter(
        programme_slug=programme.slug,
        status=OrderStatus.OPEN,
        step_due_at__gt=now,
        step_due_at__lte=_horizon(programme, STEP, now),
    )
    last = 0
    while rows := await wanted.filter(id__gt=last).order_by("id").limit(GROUP):
        yield [
            Matter(
                about=STEP,
                subject=f"order:{row.id}:{row.step}",
                recipients=(f"organisation:{row.enterprise_id}", f"organisation:{row.provider_id}"),
                deadline=row.step_due_at,
                data={
                    "order": row.id,
                    "number": row.number,
                    "project": row.project,
                    "programme": row.programme_slug,
                    "step": names[row.step],
                },
            )
            for row in rows
            if row.step_due_at is not None and row.step is not None
        ]
        last = rows[-1].id


async def _vouchers(programme: Programme, **conditions: Any) -> AsyncIterator[list[Voucher]]:
    budgets = await Budget.filter(programme_slug=programme.slug).values_list("id", flat=True)
    wanted = Voucher.filter(budget_id__in=budgets, status=VoucherStatus.ACTIVE, **conditions)
    last = 0
    while rows := await wanted.filter(id__gt=last).order_by("id").limit(GROUP):
        yield rows
        last = rows[-1].id


def _of_voucher(about: Reminded, row: Voucher, deadline: datetime, *, provisional: bool = False) -> Matter:
    # Both sides are reminded, as far as both are known (GZ-99).
    sides = (row.enterprise_id, *(() if row.provider_id is None else (row.provider_id,)))
    return Matter(
        about=about,
        subject=f"voucher:{row.id}",
        recipients=tuple(f"organisation:{side}" for side in dict.fromkeys(sides)),
        deadline=deadline,
        data={
            "voucher": row.id,
            "number": row.number,
            "programme": row.programme_slug,
            "provisional": provisional,
        },
    )


async def _qualifications_ending(programme: Programme, now: datetime) -> Groups:
    until = _horizon(programme, Reminded.QUALIFICATION_EXPIRY, now)
    wanted = Qualification.filter(
        programme_slug=programme.slug,
        status=QualificationStatus.APPROVED,
        valid_until__gt=now,
        valid_until__lte=until,
    )
    last = 0
    while rows := await wanted.filter(id__gt=last).order_by("id").limit(GROUP):
        yield [
            Matter(
                about=Reminded.QUALIFICATION_EXPIRY,
                subject=f"qualification:{row.id}",
                recipients=(f"organisation:{row.organisation_id}",),
                deadline=row.valid_until,
                data={"qualification": row.id, "programme": row.programme_slug},
            )
            for row in rows
            if row.valid_until is not None
        ]
        last = rows[-1].id


async def _reviews_due(programme: Programme, now: datetime) -> Groups:
    """What waits for its applicant to correct it, to be decided, or for the answer to an objection."""
    objected_to = Q(status=CaseStatus.ON_NOTICE, turn__isnull=False)
    wanted = ReviewCase.filter(
        Q(Q(status__in=[CaseStatus.RETURNED, CaseStatus.OPEN]), objected_to, join_type=Q.OR),
        programme_slug=programme.slug,
        due_at__gt=now,
        due_at__lte=_horizon(programme, REVIEW, now),
    )
    last = 0
    while rows := await wanted.filter(id__gt=last).order_by("id").limit(GROUP):
        covers = await _deputies({row.claimed_by for row in rows if row.claimed_by is not None})
        matters = (_of_review(row, covers) for row in rows)
        yield [one for one in matters if one is not None]
        last = rows[-1].id


async def _deputies(principals: Collection[int]) -> Mapping[tuple[int, Role], str]:
    """Who goes on at this instant with what somebody has taken on in a role, and is away."""
    rows = await StandIn.filter(principal_id__in=list(principals), active=True) if principals else []
    return {(row.principal_id, row.role): f"staff:{row.deputy_id}" for row in rows}


def _of_review(row: ReviewCase, covers: Mapping[tuple[int, Role], str]) -> Matter | None:
    returned, step = row.status is CaseStatus.RETURNED, step_of(row)
    to: tuple[str, ...] = ()
    if returned:
        to = () if row.organisation_id is None else (f"organisation:{row.organisation_id}",)
    elif row.claimed_by is not None:
        deputy = None if row.turn is None else covers.get((row.claimed_by, row.turn))
        to = (f"staff:{row.claimed_by}", *(() if deputy is None else (deputy,)))
    elif step is not None:
        to = (outbox.team(step.by, row.programme_slug),)
    if not to or row.due_at is None:
        return None
    data = {**of_case(row), "provisional": row.due_provisional}
    return Matter(CORRECTION if returned else REVIEW, f"review:{row.id}", to, row.due_at, data)


def of_case(row: ReviewCase) -> Mapping[str, Any]:
    """What somebody is told of a case, whatever it is that they are told."""
    step = step_of(row)
    return {
        "review": row.id,
        "number": number_of(row),
        "title": row.title,
        "step": "" if step is None else step.name,
        "programme": row.programme_slug,
        "area": row.area,
    }


async def _rounds_opening(programme: Programme, now: datetime) -> Groups:
    """A round that is announced, for everybody who may take part in the programme."""
    rounds = Round.filter(
        budget__programme_slug=programme.slug, status=RoundStatus.SCHEDULED, opens_at__gt=now
    )
    for row in await rounds.order_by("id"):
        wanted = Qualification.filter(
            programme_slug=programme.slug, party=Party.ENTERPRISE, status=QualificationStatus.APPROVED
        )
        last = 0
        while found := await wanted.filter(id__gt=last).order_by("id").limit(GROUP):
            yield [
                Matter(
                    about=Reminded.ROUND_OPENS,
                    subject=f"round:{row.id}",
                    recipients=tuple(f"organisation:{one.organisation_id}" for one in found),
                    deadline=row.opens_at,
                    data={"round": row.id, "title": row.title, "programme": programme.slug},
                )
            ]
            last = found[-1].id
