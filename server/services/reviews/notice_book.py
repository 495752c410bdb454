"""The book of notices: what everything that puts a case on notice writes alike.

Inside the caller's transaction, under the case's lock. A text is frozen here once, with its hash; a period
begins here, when the last channel of a notice has shown it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from tortoise.expressions import F

from server import texts
from server.models.public_notices import NoticeLine, NoticeShowing, Objector, PublicNotice
from server.models.reviews import ReviewCase, ReviewObjection
from server.programme.holidays import WorkingCalendar
from server.programme.review import PublicNotice as Terms
from server.programme.review import ReviewStep
from server.rules.deadlines import DueBy, day_of, working_days_after
from server.rules.public_notices import (
    LineOutcome,
    NoticeStatus,
    begins_on,
    canonical,
    hash_of,
    masked_code,
)
from server.rules.review import CaseStatus
from server.services import journal, outbox
from server.services.reviews.review_cases import number_of as case_number

NUMBER_DIGITS = 8
OBJECTOR = "objector"
"""Whoever objected, as the journal writes them: it has no other name of them."""


def number_of(notice: PublicNotice) -> str:
    """The number of a notice, as people read it aloud."""
    return f"G{notice.id:0{NUMBER_DIGITS}d}"


def plain_line(case: ReviewCase) -> dict[str, str]:
    """What a notice shows of any case: who, with the middle of the code hidden, and what about."""
    words = texts.NOTICE_LINE
    return {
        words["organisation"]: case.organisation_name,
        words["uscc"]: masked_code(case.uscc),
        words["matter"]: case.title,
    }


def text_of(notice: PublicNotice, number: str, lines: Sequence[Mapping[str, str]]) -> str:
    """What a notice says, in the one form that its hash is of."""
    return canonical(
        {
            "number": number,
            "kind": notice.kind.value,
            "programme": notice.programme_slug,
            "version": notice.programme_version,
            "title": notice.title,
            "clause": notice.clause,
            "working_days": notice.working_days,
            "lines": [{"place": place, "values": dict(line)} for place, line in enumerate(lines, start=1)],
        }
    )


async def await_notice(case: ReviewCase, *, now: datetime) -> NoticeLine:
    """A case has come to its notice and waits for one."""
    return await NoticeLine.create(programme_slug=case.programme_slug, case_id=case.id, arrived_at=now)


async def put_up_alone(
    case: ReviewCase, step: ReviewStep, terms: Terms, *, now: datetime, calendar: WorkingCalendar
) -> PublicNotice:
    """A notice of this one case, published by itself; its period has begun unless a channel is missing."""
    subject = texts.NOTICE_SUBJECTS[case.subject]
    notice = await PublicNotice.create(
        programme_slug=case.programme_slug,
        programme_version=case.programme_version,
        title=texts.NOTICE_TITLE_OF_ONE.format(organisation=case.organisation_name, subject=subject)[:200],
        clause=terms.article or step.article,
        working_days=terms.working_days,
        drafted_at=now,
    )
    line = await await_notice(case, now=now)
    await freeze(notice, [line], [plain_line(case)], published_by=None, now=now)
    await open_channels(notice, terms, now=now)
    return await begin(await PublicNotice.get(id=notice.id), calendar=calendar, now=now)


async def freeze(
    notice: PublicNotice,
    lines: Sequence[NoticeLine],
    shown: Sequence[Mapping[str, str]],
    *,
    published_by: int | None,
    now: datetime,
    status: NoticeStatus = NoticeStatus.STANDING,
) -> None:
    """Number a notice, write its text down for good, and put these lines on it in this order."""
    number = number_of(notice)
    text = text_of(notice, number, shown)
    # The text goes in last: from then on the row's trigger keeps it.
    for place, line in enumerate(lines, start=1):
        await NoticeLine.filter(id=line.id).update(notice_id=notice.id, place=place)
    await PublicNotice.filter(id=notice.id).update(
        number=number,
        status=status,
        text=text,
        sha256=hash_of(text),
        published_by=published_by,
        published_at=now,
        version=F("version") + 1,
    )


async def open_channels(notice: PublicNotice, terms: Terms, *, now: datetime) -> None:
    """A row for each channel; those that are this platform have shown it from now on."""
    for channel in terms.channels:
        own = channel in terms.on_platform
        await NoticeShowing.create(
            notice_id=notice.id,
            channel=channel,
            on_platform=own,
            shown_on=day_of(now) if own else None,
            recorded_at=now if own else None,
        )


def period_of(notice: PublicNotice, first: date, calendar: WorkingCalendar) -> DueBy:
    """Until when a notice stands that its last channel showed on ``first``."""
    return working_days_after(calendar, first, notice.working_days)


async def begin(notice: PublicNotice, *, calendar: WorkingCalendar, now: datetime) -> PublicNotice:
    """Begin the period of a notice if every channel has shown it."""
    showings = await NoticeShowing.filter(notice_id=notice.id)
    first = begins_on(one.shown_on for one in showings)
    if first is None:
        return notice
    end = period_of(notice, first, calendar)
    await PublicNotice.filter(id=notice.id).update(
        begins_on=first, ends_at=end.ends_at, due_provisional=end.provisional, version=F("version") + 1
    )
    await set_ends(notice.id, end)
    notice = await PublicNotice.get(id=notice.id)
    await _tell_begun(notice, now=now)
    return notice


async def set_ends(notice_id: int, end: DueBy) -> None:
    """Tell the cases on a notice until when they stand on it; a date for an answer stays."""
    on_it = NoticeLine.filter(notice_id=notice_id, outcome=None)
    ids = list(await on_it.values_list("case_id", flat=True))
    standing = ReviewCase.filter(id__in=ids, status=CaseStatus.ON_NOTICE)
    await standing.update(notice_until=end.ends_at)
    await standing.filter(turn=None).update(due_at=end.ends_at, due_provisional=end.provisional)


async def cases_of(notice_id: int) -> list[ReviewCase]:
    """The cases that stand on a notice, in the order of its lines."""
    lines = NoticeLine.filter(notice_id=notice_id, outcome=None).select_related("case").order_by("place")
    return [one.case for one in await lines if one.case.status is CaseStatus.ON_NOTICE]


def applicant_of(case: ReviewCase) -> str:
    """Whom a case is told to: its organisation, or whoever opened it; empty where that is staff."""
    if case.organisation_id is not None:
        return f"organisation:{case.organisation_id}"
    return "" if case.opened_by.startswith("staff:") else case.opened_by


async def _tell_begun(notice: PublicNotice, *, now: datetime) -> None:
    assert notice.ends_at is not None, "its period has begun"
    for case in await cases_of(notice.id):
        if recipient := applicant_of(case):
            await outbox.tell(
                recipient,
                "review.put_up",
                at=now,
                review=case.id,
                number=case_number(case),
                subject=case.subject.value,
                programme=case.programme_slug,
                title=case.title,
                area=case.area,
                provisional=notice.due_provisional,
                step=case.step_name,
                clause=notice.clause,
                until=notice.ends_at.isoformat(),
            )


async def line_on_notice(case_id: int) -> NoticeLine | None:
    """The line that a case has on a notice at this moment."""
    return await NoticeLine.filter(case_id=case_id, outcome=None, notice_id__not_isnull=True).first()


async def settle_line(case_id: int, outcome: LineOutcome) -> None:
    """Write down what became of the line of a case."""
    await NoticeLine.filter(case_id=case_id, outcome=None, result=False).update(outcome=outcome)


async def tell_objectors(case: ReviewCase, objections: Sequence[ReviewObjection], *, now: datetime) -> None:
    """Tell everybody who objected and is known to us what was answered; the others ask with their receipt."""
    people = Objector.filter(
        objection_id__in=[one.id for one in objections], person_id__not_isnull=True
    ).select_related("objection__notice")
    for whose in await people:
        objection: Any = whose.objection
        await outbox.tell(
            f"person:{whose.person_id}",
            "objection.answered",
            at=now,
            objection=objection.id,
            number="" if objection.notice is None else objection.notice.number,
            programme=case.programme_slug,
            title=case.title,
            answer=objection.answer,
            upheld=bool(objection.upheld),
        )


async def note(action: str, notice: PublicNotice, *, actor: str, at: datetime, **data: Any) -> None:
    """Say in the journal what was done with a notice."""
    await journal.record(
        f"notice.{action}",
        f"notice:{notice.id}",
        actor=actor,
        at=at,
        programme_slug=notice.programme_slug,
        **data,
    )
