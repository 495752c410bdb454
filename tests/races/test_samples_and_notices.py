"""Draws and notices, several hands at once on PostgreSQL: one list, one draft, one publication, one end."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from tortoise.context import TortoiseContext
from tortoise.transactions import in_transaction

from server.models.journal import JournalEntry
from server.models.public_notices import NoticeLine, PublicNotice
from server.models.reviews import ReviewCase, ReviewObjection
from server.models.sampling import SamplingDraw, SamplingItem
from server.programme.review import ReviewSubject, Sampled
from server.rules.public_notices import NoticeStatus
from server.rules.review import CaseStatus
from server.rules.sampling import DrawStatus, SampleOutcome, faults_of
from server.sealing import Sealer
from server.services.access import Actor
from server.services.organisations import memberships
from server.services.reviews import sampling_pages, sampling_results
from server.services.reviews.sampling_draws import Draws, Plan
from server.services.reviews.sampling_results import Answered
from tests.factories import make_enterprise
from tests.races.crowd import all_wait, outcome, together
from tests.reviewing import APPLICANT, ReviewOffice, every_programme

RIVALS = 4
LISHUI, YINCHUAN = "lishui-2024", "yinchuan-2024"
RECHECK = Plan(code="settlement_recheck", over=Sampled.REVIEW)


@pytest.fixture
def office(postgres: TortoiseContext) -> ReviewOffice:
    """A review office on PostgreSQL."""
    return ReviewOffice(every_programme())


async def waiting(office: ReviewOffice) -> ReviewCase:
    """A settlement that waits for a notice."""
    case = await office.open(office.programmes.get(LISHUI), ReviewSubject.SETTLEMENT)
    while not office.waits(case):
        case = await office.decide(case)
    return case


async def undrawn(office: ReviewOffice, number: int) -> ReviewCase:
    """A settlement that waits for a draw."""
    case, after = await office.reviews.open(
        ReviewSubject.SETTLEMENT, number, programme=office.programmes.get(YINCHUAN),
        organisation=await make_enterprise(), title="兑付申请", actor=APPLICANT, now=office.now,
    )  # fmt: skip
    await after()
    return await office.decide(case)


def drawing(office: ReviewOffice) -> Draws:
    return Draws(office.programmes, office.reviews, Sealer({"k1": "a secret of at least thirty-two bytes"}))


# -- notices -------------------------------------------------------------------------------------------


async def test_control_two_who_look_at_what_waits_see_the_same_case(office: ReviewOffice) -> None:
    """Without the WHERE clause that takes the lines, both would put it on a notice."""
    await waiting(office)
    both_looked = asyncio.Barrier(2)

    async def look() -> int:
        async with in_transaction():
            seen = await NoticeLine.filter(notice_id=None, outcome=None).count()
            async with asyncio.timeout(10):
                await both_looked.wait()
        return seen

    assert await asyncio.gather(look(), look()) == [1, 1]


async def test_of_drafts_over_the_same_cases_one_is_made_and_the_others_leave_nothing(
    office: ReviewOffice,
) -> None:
    shared, *own = [await waiting(office) for _ in range(RIVALS + 1)]
    officials = [await office.staff("authority") for _ in range(RIVALS)]
    told = await together(
        *(office.draft(shared, case, by=by) for case, by in zip(own, officials, strict=True))
    )
    assert told == {"done": 1, "notice_item_unusable": RIVALS - 1}
    notice = await PublicNotice.get()
    lines = await NoticeLine.filter(notice_id=notice.id).values_list("case_id", flat=True)
    assert shared.id in lines and len(lines) == 2
    # What the others would have put up besides waits as before.
    assert await NoticeLine.filter(notice_id=None, outcome=None).count() == RIVALS - 1


async def test_a_draft_is_published_once_however_many_press_and_never_after_it_was_discarded(
    office: ReviewOffice, postgres_url: str
) -> None:
    cases = [await waiting(office) for _ in range(2)]
    maker = await office.staff("authority")
    notice = await office.draft(*cases, by=maker)
    officials = [await office.staff("authority") for _ in range(RIVALS)]
    seen = await office.drafts.preview(notice.id, actor=officials[0])
    held = asyncio.Event()

    async def publish(by: Actor) -> str:
        await held.wait()
        return await outcome(
            office.drafts.publish(notice.id, version=notice.version, sha256=seen.sha256, actor=by)
        )

    publishing = [asyncio.create_task(publish(by)) for by in officials]
    assert cases[0].organisation_id is not None
    async with in_transaction():
        await memberships.lock(cases[0].organisation_id)
        held.set()
        await all_wait(postgres_url, *publishing)
    assert Counter(await asyncio.gather(*publishing)) == {"done": 1, "notice_moved_on": RIVALS - 1}
    discarded = await outcome(office.drafts.discard(notice.id, version=notice.version, actor=maker))
    assert discarded == "notice_not_draft"
    standing = await PublicNotice.get()
    assert (standing.status, standing.number is not None) == (NoticeStatus.STANDING, True)
    assert await JournalEntry.filter(action="review.put_up").count() == len(cases)
    assert await ReviewCase.filter(status=CaseStatus.ON_NOTICE).count() == len(cases)


@pytest.mark.parametrize("first", ["publish", "discard"])
async def test_a_draft_that_is_discarded_and_published_at_once_is_one_of_them_whole(
    office: ReviewOffice, postgres_url: str, first: str
) -> None:
    case, maker = await waiting(office), await office.staff("authority")
    notice = await office.draft(case, by=maker)
    second = await office.staff("authority")
    seen = await office.drafts.preview(notice.id, actor=second)
    verbs = {
        "publish": lambda: office.drafts.publish(notice.id, version=1, sha256=seen.sha256, actor=second),
        "discard": lambda: office.drafts.discard(notice.id, version=1, actor=maker),
    }
    turns = {name: asyncio.Event() for name in verbs}

    async def press(name: str) -> str:
        await turns[name].wait()
        return await outcome(verbs[name]())

    begun = {name: asyncio.create_task(press(name)) for name in verbs}
    async with in_transaction():
        await PublicNotice.select_for_update().get(id=notice.id)
        waiting_already: list[asyncio.Task[str]] = []
        for name in sorted(verbs, key=lambda name: name != first):
            turns[name].set()
            waiting_already.append(begun[name])
            await all_wait(postgres_url, *waiting_already)
    published, discarded = await begun["publish"], await begun["discard"]
    assert (published == "done", discarded == "done") == (first == "publish", first == "discard")
    line, case = await NoticeLine.get(case_id=case.id), await ReviewCase.get(id=case.id)
    if first == "publish":
        assert (line.notice_id, case.status) == (notice.id, CaseStatus.ON_NOTICE)
    else:
        assert (line.notice_id, case.status) == (None, CaseStatus.OPEN)


async def test_of_two_on_one_notice_the_one_that_is_objected_to_as_it_ends_holds_nobody_else_up(
    office: ReviewOffice,
) -> None:
    cases = [await waiting(office) for _ in range(2)]
    await office.put_up(*cases)
    until = (await ReviewCase.get(id=cases[0].id)).notice_until
    assert until is not None
    later = ReviewOffice(every_programme(), until)
    made, ended = await asyncio.gather(outcome(office.object(cases[0])), later.notices.close_due())
    first, second = [await ReviewCase.get(id=case.id) for case in cases]
    objections = await ReviewObjection.filter(case_id=first.id).count()
    assert (made, ended, objections) in {("done", 2, 1), ("notice_over", 2, 0), ("done", 1, 1)}
    # Whatever came first: nobody is paid over an objection that was taken.
    assert second.step_name != cases[1].step_name and second.status is CaseStatus.OPEN
    if made == "done":
        assert first.step_name != second.step_name or first.status is CaseStatus.ON_NOTICE
    else:
        assert first.step_name == second.step_name


# -- draws ---------------------------------------------------------------------------------------------


async def test_over_one_population_one_draw_is_announced_locked_and_drawn(office: ReviewOffice) -> None:
    for number in range(1, 8):
        await undrawn(office, number)
    draws, officials = drawing(office), [await office.staff("authority") for _ in range(RIVALS)]
    told = await together(*(draws.announce(YINCHUAN, RECHECK, actor=by) for by in officials))
    assert told == {"done": 1, "draw_under_way": RIVALS - 1}
    row = await SamplingDraw.get()
    told = await together(*(draws.lock(row.id, version=row.version, actor=by) for by in officials))
    assert told == {"done": 1, "draw_not_there": RIVALS - 1}
    assert await SamplingItem.filter(draw_id=row.id).count() == 7
    row = await SamplingDraw.get()
    told = await together(*(draws.draw(row.id, version=row.version, actor=by) for by in officials))
    assert told == {"done": 1, "draw_not_there": RIVALS - 1}
    assert await JournalEntry.filter(action="sampling.drawn").count() == 1
    assert not list(faults_of(await sampling_pages.published(row.id)))
    # The same cases are moved by whoever comes by, each of them once.
    assert sum(await asyncio.gather(*(draws.move(row.id) for _ in range(RIVALS)))) == 0
    assert await JournalEntry.filter(action__in=["review.drawn", "review.not_drawn"]).count() == 7


async def test_a_case_that_leaves_as_the_list_is_locked_is_on_it_or_is_not(office: ReviewOffice) -> None:
    cases = [await undrawn(office, number) for number in range(1, 13)]
    draws, by = drawing(office), await office.staff("authority")
    row = await draws.announce(YINCHUAN, RECHECK, actor=by)

    async def leave(case: ReviewCase) -> None:
        async with in_transaction():
            await office.reviews.withdraw(case, reason="撤回", actor=APPLICANT, now=office.now)

    await asyncio.gather(
        *(leave(case) for case in cases[:4]), draws.lock(row.id, version=row.version, actor=by),
        *(leave(case) for case in cases[4:8]),
    )  # fmt: skip
    listed = set(await SamplingItem.filter(draw_id=row.id).values_list("row_id", flat=True))
    marked = set(await ReviewCase.filter(draw_id=row.id).values_list("id", flat=True))
    assert listed == marked >= {case.id for case in cases[8:]}
    assert await ReviewCase.filter(status=CaseStatus.WITHDRAWN).count() == 8
    row = await draws.draw(row.id, version=row.version + 1, actor=by)
    assert row.items == len(listed) and not list(faults_of(await sampling_pages.published(row.id)))
    # Whoever left and was drawn is gone, and is waited for by nobody.
    drawn = await SamplingItem.filter(draw_id=row.id, turn__isnull=False)
    gone = {item.row_id for item in drawn} & {case.id for case in cases[:8]}
    assert {item.row_id for item in drawn if item.outcome is SampleOutcome.GONE} == gone
    assert row.open_items == len(drawn) - len(gone)


async def test_the_last_two_who_look_at_a_sample_at_once_close_it(office: ReviewOffice) -> None:
    plan = Plan(code="satisfaction", over=Sampled.ENTERPRISE, share_bp=10_000)
    by = await office.staff("operator")
    draw = await SamplingDraw.create(
        programme_slug=LISHUI, programme_version=office.programmes.get(LISHUI).version, code=plan.code,
        name="满意度", over=plan.over, share_bp=10_000, commitment="0" * 64, sealed_seed="",
        announced_by=by.name, announced_at=office.now,
    )  # fmt: skip
    asked = [await make_enterprise() for _ in range(RIVALS)]
    items = [
        await SamplingItem.create(
            draw_id=draw.id, key=f"{one.id:08d}", row_id=one.id, stratum="00000-0", turn=turn
        )
        for turn, one in enumerate(asked, start=1)
    ]
    await SamplingDraw.filter(id=draw.id).update(status=DrawStatus.DRAWN, open_items=RIVALS)
    said = Answered(outcome=SampleOutcome.CLEAN)
    told = await together(
        *(
            sampling_results.answer(
                item.id, said, programmes=office.programmes, clocks=office.reviews.clocks, actor=by
            )
            for item in items
        )
    )
    assert told == {"done": RIVALS}
    draw = await SamplingDraw.get(id=draw.id)
    assert (draw.status, draw.open_items) == (DrawStatus.CLOSED, 0)
