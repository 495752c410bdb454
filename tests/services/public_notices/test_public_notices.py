"""Notices of what is gathered: drafted by one, published by another, shown in every channel, objected to by
anybody, withdrawn and put up again; and what is kept of them for good."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta

import pytest
from tortoise.context import TortoiseContext

from server.models.journal import JournalEntry
from server.models.outbox import OutboxMessage
from server.models.public_notices import NoticeLine, NoticeShowing, Objector, PublicNotice
from server.models.reviews import ReviewCase, ReviewObjection
from server.programme.model import Programme
from server.programme.review import ReviewSubject
from server.programme.vocabulary import Actor as Role
from server.rules.public_notices import NoticeStatus
from server.rules.review import CaseStatus, NotYourReview, PutUpByNotice, ReasonMissing, Verdict
from server.services.access import Actor, NotFound
from server.services.open_doors import TooManyFromHere
from server.services.public_notices import notice_reading
from server.services.public_notices.notice_reading import Shown
from server.services.public_notices.objection_answers import ObjectorAnonymous
from server.services.public_notices.objections import NoticeOver, ObjectorRevealed, ObjectorUnnamed, Statement
from server.services.public_notices.public_notices import (
    NoticeEmpty,
    NoticeItemUnusable,
    NoticeMovedOn,
    NoticeNotDraft,
    NoticeOwnDraft,
)
from server.services.public_notices.standing_notices import (
    ChannelDayTooOld,
    ChannelDayUnusable,
    ChannelShown,
    ChannelUnknown,
    NoticeNotStanding,
)
from server.services.reviews import recusals
from server.services.reviews.recusals import Recused
from server.services.reviews.reviewers import OwnReview
from tests.reviewing import APPLICANT, DAY, MONDAY, ReviewOffice, every_programme

S = ReviewSubject
LISHUI, GUANGZHOU, GUANGXI = "lishui-2024", "guangzhou-2020", "guangxi-2024"
ACCOUNT, WEBSITE = "丽水企业之家公众号", "市经信局网站"
URL = "https://example.com/notice/1"
one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What is asked of the words alone; what the rows must hold is asked of both databases."""


def programme(slug: str) -> Programme:
    return every_programme().get(slug)


@pytest.fixture
def office(database: TortoiseContext) -> ReviewOffice:
    """A review office on a Monday, with nothing to do yet."""
    return ReviewOffice(every_programme())


async def recused_from(office: ReviewOffice, case: ReviewCase) -> Actor:
    """Somebody of the authority who keeps out of a case."""
    close = await office.staff("authority")
    await recusals.recuse(case.id, reason="亲属", clocks=office.reviews.clocks, actor=close)
    return close


async def waiting(office: ReviewOffice, slug: str = LISHUI) -> ReviewCase:
    """A settlement that everybody before the notice has let pass, and that waits for one."""
    case = await office.open(programme(slug), S.SETTLEMENT)
    while not office.waits(case):
        case = await office.decide(case)
    return case


async def again(case: ReviewCase) -> ReviewCase:
    return await ReviewCase.get(id=case.id)


async def states(notice: PublicNotice) -> list[str]:
    return [line.state for line in (await notice_reading.shown(notice.id)).lines]


@one_database
async def test_what_is_gathered_waits_and_nobody_decides_it_by_hand(office: ReviewOffice) -> None:
    case = await waiting(office)
    authority = await office.staff("authority")
    assert (case.status, case.turn, case.notice_until) == (CaseStatus.OPEN, Role.AUTHORITY, None)
    for verdict in (Verdict.APPROVED, Verdict.RETURNED, Verdict.REJECTED):
        with pytest.raises(PutUpByNotice):
            await office.decide(case, verdict, by=authority, reason="同意")
    assert (await again(case)).version == case.version
    rows = await office.drafts.waiting(LISHUI, after=0, limit=10, actor=authority)
    assert [row.case_id for row in rows] == [case.id]
    elsewhere = await office.staff("authority", programmes=[GUANGXI])
    with pytest.raises(NotFound):
        await office.drafts.waiting(LISHUI, after=0, limit=10, actor=elsewhere)


async def test_one_drafts_and_another_publishes_what_was_previewed(office: ReviewOffice) -> None:
    cases = [await waiting(office), await waiting(office)]
    drafter, second = await office.staff("authority"), await office.staff("authority")
    with pytest.raises(NotYourReview):
        await office.draft(cases[0], by=await office.staff("operator"))
    with pytest.raises(NotYourReview):
        by = await office.staff("operator")
        await office.drafts.draft(LISHUI, title="", line_ids=None, actor=by)
    notice = await office.draft(*cases, by=drafter)
    # What is on a draft waits for nobody else's.
    with pytest.raises(NoticeEmpty):
        await office.drafts.draft(LISHUI, title="", line_ids=None, actor=second)
    lines = await NoticeLine.filter(notice_id=notice.id).values_list("id", flat=True)
    with pytest.raises(NoticeItemUnusable):
        await office.drafts.draft(LISHUI, title="", line_ids=list(lines), actor=second)

    with pytest.raises(NoticeOwnDraft):
        await office.publish(notice, by=drafter)
    with pytest.raises(NoticeMovedOn):
        await office.drafts.publish(notice.id, version=notice.version, sha256="0" * 64, actor=second)
    with pytest.raises(NoticeMovedOn):
        seen = await office.drafts.preview(notice.id, actor=second)
        await office.drafts.publish(notice.id, version=9, sha256=seen.sha256, actor=second)
    assert (await again(cases[0])).status is CaseStatus.OPEN

    published = await office.publish(notice, by=second)
    assert (published.status, published.published_by) == (NoticeStatus.STANDING, second.id)
    assert [(await again(case)).status for case in cases] == [CaseStatus.ON_NOTICE] * 2
    with pytest.raises(NoticeNotDraft):
        await office.publish(notice, by=second)
    with pytest.raises(NoticeNotDraft):
        await office.drafts.discard(notice.id, version=published.version, actor=second)


@one_database
async def test_a_draft_that_is_given_up_lets_its_cases_wait_again(office: ReviewOffice) -> None:
    case = await waiting(office)
    authority = await office.staff("authority")
    notice = await office.draft(case, by=authority)
    await office.drafts.discard(notice.id, version=notice.version, actor=authority)
    anew = await office.drafts.draft(LISHUI, title="第二批兑付公示", line_ids=None, actor=authority)
    assert (anew.title, await NoticeLine.filter(notice_id=anew.id).count()) == ("第二批兑付公示", 1)


@one_database
async def test_who_is_recused_or_affiliated_with_either_side_puts_nothing_up(office: ReviewOffice) -> None:
    case = await waiting(office)
    close = await recused_from(office, case)
    with pytest.raises(Recused):
        await office.draft(case, by=close)
    with pytest.raises(NoticeEmpty):
        await office.draft(case, by=close, line_ids=None)
    notice = await office.draft(case)
    office.thing.others = frozenset({"91330000MA2H4R5T6U"})
    with pytest.raises(OwnReview):
        other_side = await office.staff("authority", affiliations=["91330000MA2H4R5T6U"])
        await office.publish(notice, by=other_side)
    with pytest.raises(Recused):
        await office.publish(notice, by=close)


async def test_who_is_affiliated_puts_nothing_up(office: ReviewOffice) -> None:
    case, other = await waiting(office), await waiting(office)
    close = await office.staff("authority", affiliations=[case.uscc])
    with pytest.raises(OwnReview):
        await office.draft(case, by=close)
    # Of all that wait, only what is theirs to put up.
    everything = await office.drafts.draft(LISHUI, title="", line_ids=None, actor=close)
    assert [one.case_id for one in await NoticeLine.filter(notice_id=everything.id)] == [other.id]
    notice = await office.draft(case)
    with pytest.raises(OwnReview):
        await office.publish(notice, by=close)


@pytest.mark.rules("LS-56")
async def test_the_days_count_from_the_last_of_two_channels(office: ReviewOffice) -> None:
    case = await waiting(office)
    notice = await office.draft(case)
    authority = await office.staff("authority")
    notice = await office.publish(notice, by=authority)
    channels = (
        await NoticeShowing.filter(notice_id=notice.id).order_by("id").values_list("channel", flat=True)
    )
    assert (list(channels), notice.ends_at) == ([ACCOUNT, WEBSITE], None)

    async def show(channel: str, day: date, url: str = URL) -> PublicNotice:
        return await office.standing.show(notice.id, channel, shown_on=day, url=url, actor=authority)

    with pytest.raises(ChannelUnknown):
        await show("公告栏", office.today)
    for impossible in (office.today - DAY, office.today + DAY):
        with pytest.raises(ChannelDayUnusable):
            await show(ACCOUNT, impossible)
    notice = await show(ACCOUNT, office.today)
    assert notice.ends_at is None
    with pytest.raises(ChannelShown):
        await show(ACCOUNT, office.today)
    # A fortnight later nobody has put it on the website: nothing ends.
    office.clock.at += 14 * DAY
    assert await office.notices.close_due() == 0
    with pytest.raises(ChannelDayTooOld):
        await show(WEBSITE, office.today - 14 * DAY)
    notice = await show(WEBSITE, office.today - DAY)
    # Five working days from Sunday: Friday is the last of them.
    assert (notice.begins_on, notice.ends_at) == (date(2026, 5, 31), datetime(2026, 6, 5, 16, 0, tzinfo=UTC))
    assert (await again(case)).notice_until == notice.ends_at

    office.clock.at = notice.ends_at - timedelta(microseconds=1)
    assert await office.notices.close_due() == 0
    case = await office.time_is_over(case)
    # Without an objection it is paid.
    assert case.step_name == "资金拨付"
    assert (await PublicNotice.get(id=notice.id)).status is NoticeStatus.OVER
    assert await states(notice) == ["over"]


async def test_only_the_line_that_was_objected_to_is_held(office: ReviewOffice) -> None:
    cases = [await waiting(office) for _ in range(3)]
    notice = await office.put_up(*cases)
    objection = await office.object(cases[1])
    assert await states(notice) == ["standing", "objected", "standing"]
    assert notice.ends_at is not None
    office.clock.at = notice.ends_at
    assert await office.notices.close_due() == 2
    assert [(await again(case)).step_name for case in cases] == ["资金拨付", "公示", "资金拨付"]
    authority = await office.staff("authority")
    await office.answers.answer(objection, upheld=True, answer="经核实属实", actor=authority)
    assert (await again(cases[1])).status is CaseStatus.REFUSED
    assert await states(notice) == ["over", "upheld", "over"]
    told = await OutboxMessage.filter(recipient=f"person:{APPLICANT.id}", topic="objection.answered")
    assert [(one.data["upheld"], one.data["answer"]) for one in told] == [(True, "经核实属实")]
    assert await OutboxMessage.exists(
        recipient=f"organisation:{cases[1].organisation_id}", topic="review.refused"
    )


@one_database
@pytest.mark.rules("GZ-42")
async def test_where_the_chain_reconsiders_the_notice_ends_and_the_line_waits_for_it(
    office: ReviewOffice,
) -> None:
    cases = [await waiting(office, GUANGZHOU) for _ in range(3)]
    notice = await office.put_up(*cases)
    assert notice.ends_at == datetime(2026, 5, 25, 16, 0, tzinfo=UTC)
    for case in cases[:2]:
        await office.object(case, by=None)
    office.clock.at = notice.ends_at
    assert await office.notices.close_due() == 3
    assert [(await again(case)).step_name for case in cases] == ["异议复核", "异议复核", "兑现结算"]
    assert await states(notice) == ["objected", "objected", "over"]
    await office.decide(await again(cases[0]), reason="经复核，异议不成立")
    await office.decide(await again(cases[1]), Verdict.REJECTED, reason="经复核，异议成立")
    assert await states(notice) == ["not_upheld", "upheld", "over"]
    assert (await again(cases[1])).status is CaseStatus.REFUSED


@one_database
async def test_somebody_without_an_account_objects_and_follows_it_by_a_receipt(office: ReviewOffice) -> None:
    case = await waiting(office)
    notice = await office.put_up(case)
    said = Statement(reason="发票重复使用", anonymous=False, name="王芳", contact="13900001111")
    made, receipt = await office.objections.make(notice.id, 1, said, actor=None, address="192.0.2.7")
    # Five working days by the house's default: the text names none.
    assert (made.due_at, made.by_default) == (datetime(2026, 5, 25, 16, 0, tzinfo=UTC), True)
    followed = await office.objections.follow(f" {receipt.lower()} ")
    assert (followed.place, followed.objection.answered_at) == (1, None)
    with pytest.raises(NotFound):
        await office.objections.follow("0" * 20)
    await office.answers.answer(
        made.id, upheld=False, answer="经核实不属实", actor=await office.staff("authority")
    )
    followed = await office.objections.follow(receipt)
    assert (followed.objection.upheld, followed.objection.answer) == (False, "经核实不属实")


@one_database
@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        (Statement(reason="不实", anonymous=False), ObjectorUnnamed),
        (Statement(reason="不实", anonymous=False, name="王芳"), ObjectorUnnamed),
        (Statement(reason="我是王芳", anonymous=False, name="王芳", contact="13900001111"), ObjectorRevealed),
        (Statement(reason="  ", anonymous=True), ReasonMissing),
    ],
)
async def test_an_objection_says_who_makes_it_or_that_nobody_does(
    office: ReviewOffice, said: Statement, refusal: type[Exception]
) -> None:
    notice = await office.put_up(await waiting(office))
    with pytest.raises(refusal):
        await office.objections.make(notice.id, 1, said, actor=None, address="192.0.2.7")
    assert await ReviewObjection.all().count() == 0


async def test_one_address_brings_so_many_objections_a_day(office: ReviewOffice) -> None:
    notice = await office.put_up(await waiting(office))
    said = Statement(reason="材料不实", anonymous=True)

    async def object_from(address: str) -> None:
        await office.objections.make(notice.id, 1, said, actor=None, address=address)

    for _ in range(10):
        await object_from("192.0.2.7")
    with pytest.raises(TooManyFromHere):
        await object_from("192.0.2.7")
    await object_from("192.0.2.8")
    office.clock.at += DAY
    await object_from("192.0.2.7")


@one_database
async def test_whose_an_objection_is_only_the_authority_that_answers_learns_and_it_is_kept(
    office: ReviewOffice,
) -> None:
    case = await waiting(office)
    notice = await office.put_up(case)
    named = Statement(reason="发票重复使用", anonymous=False, name="王芳", contact="13900001111")
    made, _ = await office.objections.make(notice.id, 1, named, actor=None, address="192.0.2.7")
    hidden, _ = await office.objections.make(
        notice.id, 1, Statement(reason="不实", anonymous=True, name="李四"), actor=None, address="192.0.2.7"
    )
    authority = await office.staff("authority")
    with pytest.raises(NotYourReview):
        await office.answers.reveal(made.id, why="核实", actor=await office.staff("operator"))
    with pytest.raises(OwnReview):
        close = await office.staff("authority", affiliations=[case.uscc])
        await office.answers.reveal(made.id, why="核实", actor=close)
    with pytest.raises(NotFound):
        stranger = await office.staff("authority", programmes=[GUANGXI])
        await office.answers.reveal(made.id, why="核实", actor=stranger)
    with pytest.raises(Recused):
        await office.answers.reveal(made.id, why="核实", actor=await recused_from(office, case))
    with pytest.raises(ReasonMissing):
        await office.answers.reveal(made.id, why=" ", actor=authority)
    with pytest.raises(ObjectorAnonymous):
        await office.answers.reveal(hidden.id, why="核实", actor=authority)
    assert not await JournalEntry.exists(action="objection.revealed")
    assert await office.answers.reveal(made.id, why="电话核实", actor=authority) == ("王芳", "13900001111")
    entry = await JournalEntry.get(action="objection.revealed")
    assert (entry.actor, entry.data["why"]) == (authority.name, "电话核实")
    # Nothing that anybody else reads says who it was.
    written = [str(one.data) for one in await JournalEntry.all()] + [
        str(one.data) for one in await OutboxMessage.all()
    ]
    assert not any("王芳" in one or "13900001111" in one for one in written)
    assert {one.actor for one in await JournalEntry.filter(action="review.objected")} == {"objector"}
    whose = await Objector.all().order_by("id")
    assert "王芳" not in whose[0].name_sealed
    assert whose[1].name_sealed == whose[1].contact_sealed == ""


@one_database
async def test_an_objection_after_the_last_day_is_refused_with_the_clause(office: ReviewOffice) -> None:
    notice = await office.put_up(await waiting(office))
    assert notice.ends_at is not None
    office.clock.at = notice.ends_at
    said = Statement(reason="材料不实", anonymous=True)
    for _ in ("before the clock was asked", "after it"):
        with pytest.raises(NoticeOver) as refused:
            await office.objections.make(notice.id, 1, said, actor=None, address="192.0.2.7")
        assert refused.value.clause == "三（五）3"
        await office.notices.close_due()
    for nowhere in (2, 99):
        with pytest.raises(NotFound):
            await office.objections.make(notice.id, nowhere, said, actor=None, address="192.0.2.7")


async def test_what_was_published_never_changes_and_proves_it(office: ReviewOffice) -> None:
    case = await waiting(office)
    notice = await office.put_up(case)
    said = json.loads(notice.text)
    assert hashlib.sha256(notice.text.encode()).hexdigest() == notice.sha256
    line = said["lines"][0]["values"]
    assert line["单位名称"] == case.organisation_name
    assert line["统一社会信用代码"] == f"{case.uscc[:4]}**********{case.uscc[-4:]}"
    await ReviewCase.filter(id=case.id).update(title="改过的标题", organisation_name="改名公司")
    shown: Shown = await notice_reading.shown(notice.id)
    assert dict(shown.lines[0].values) == line
    for change in ({"text": "{}"}, {"title": "别的标题"}, {"sha256": "0" * 64}):
        with pytest.raises(Exception, match="kept"):
            await PublicNotice.filter(id=notice.id).update(**change)
    with pytest.raises(Exception, match="kept"):
        await NoticeLine.filter(notice_id=notice.id).update(place=7)
    with pytest.raises(Exception, match="kept"):
        await NoticeLine.filter(notice_id=notice.id).delete()


async def test_a_notice_is_withdrawn_with_a_reason_and_put_up_again(office: ReviewOffice) -> None:
    cases = [await waiting(office), await waiting(office)]
    first = await office.put_up(*cases)
    objection = await office.object(cases[0])
    authority = await office.staff("authority")
    with pytest.raises(ReasonMissing):
        await office.standing.withdraw(first.id, reason=" ", actor=authority)
    with pytest.raises(NotYourReview):
        await office.standing.withdraw(first.id, reason="金额有误", actor=await office.staff("operator"))
    await office.standing.withdraw(first.id, reason="金额有误", actor=authority)
    with pytest.raises(NoticeNotStanding):
        await office.standing.withdraw(first.id, reason="金额有误", actor=authority)
    assert [(await again(case)).status for case in cases] == [CaseStatus.OPEN] * 2
    assert await states(first) == ["taken_down", "taken_down"]
    with pytest.raises(NoticeOver):
        await office.objections.make(
            first.id, 2, Statement(reason="不实", anonymous=True), actor=None, address="192.0.2.7"
        )

    second = await office.put_up(*[await again(case) for case in cases])
    assert second.replaces_id is None
    # What was objected to before is still to be answered.
    held = await again(cases[0])
    assert (held.status, held.turn) == (CaseStatus.ON_NOTICE, Role.AUTHORITY)
    assert second.ends_at is not None
    office.clock.at = second.ends_at
    assert await office.notices.close_due() == 1
    await office.answers.answer(objection, upheld=False, answer="不属实", actor=authority)
    assert (await again(cases[0])).step_name == "资金拨付"
    assert [one.id for one in await notice_reading.page(LISHUI, limit=5)] == [second.id, first.id]


@one_database
async def test_a_notice_put_up_again_names_the_one_it_replaces(office: ReviewOffice) -> None:
    case = await waiting(office)
    authority = await office.staff("authority")
    first = await office.put_up(case)
    with pytest.raises(NotFound):
        await office.drafts.draft(LISHUI, title="", line_ids=None, replaces=first.id, actor=authority)
    await office.standing.withdraw(first.id, reason="金额有误", actor=authority)
    # An objection that is answered while nothing is up lets the case wait all the same.
    anew = await office.draft(await again(case), replaces=first.id)
    await office.publish(anew, by=authority)
    replaced = (await notice_reading.shown(first.id)).replaced_by
    assert replaced is not None and replaced.id == anew.id


@one_database
async def test_what_goes_up_by_itself_has_a_notice_too_and_may_be_put_up_again(office: ReviewOffice) -> None:
    case = await office.open(programme(GUANGXI), S.PROVIDER)
    while case.status is CaseStatus.OPEN:
        case = await office.decide(case)
    notice = await PublicNotice.get(programme_slug=GUANGXI)
    assert (notice.drafted_by, notice.published_by, notice.ends_at) == (None, None, case.notice_until)
    await office.standing.withdraw(notice.id, reason="名称有误", actor=await office.staff("authority"))
    anew = await office.put_up(await again(case))
    office.clock.at = anew.ends_at or office.now
    assert await office.notices.close_due() == 1
    assert (await again(case)).status is CaseStatus.PASSED


@one_database
async def test_the_authority_is_reminded_once_before_the_last_day_is_over(office: ReviewOffice) -> None:
    notice = await office.put_up(await waiting(office))
    assert notice.ends_at is not None
    assert await office.standing.remind_due(LISHUI) == 0
    office.clock.at = notice.ends_at - 2 * DAY
    assert await office.standing.remind_due(LISHUI) == 1
    assert await office.standing.remind_due(LISHUI) == 0
    assert (
        await OutboxMessage.filter(topic="notice.ending", recipient=f"role:authority:{LISHUI}").count() == 1
    )


@one_database
async def test_an_answer_that_is_late_is_told_once_to_those_who_owe_it_and_above_them(
    office: ReviewOffice,
) -> None:
    case = await waiting(office)
    await office.put_up(case)
    await office.object(case)
    assert await office.answers.escalate_due() == 0
    office.clock.at = MONDAY + 8 * DAY
    assert await office.answers.escalate_due() == 1
    assert await office.answers.escalate_due() == 0
    told = await OutboxMessage.filter(topic="objection.overdue").values_list("recipient", flat=True)
    assert sorted(told) == [f"role:authority:{LISHUI}", f"role:oversight_body:{LISHUI}"]


@one_database
async def test_a_case_taken_back_meanwhile_keeps_its_draft_from_being_published(office: ReviewOffice) -> None:
    case, other = await waiting(office), await waiting(office)
    notice = await office.draft(case, other)
    await office.reviews.withdraw(case, reason="撤回", actor=APPLICANT, now=office.now)
    with pytest.raises(NoticeItemUnusable):
        await office.publish(notice, by=await office.staff("authority"))
    assert (await again(other)).status is CaseStatus.OPEN
