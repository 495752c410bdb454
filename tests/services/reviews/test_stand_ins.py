"""Stand-ins and recusals: who may go on with a colleague's work, and who keeps out of a case."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tortoise.context import TortoiseContext

from server.gateways.live_feed import LocalFeed
from server.models.journal import JournalEntry
from server.models.people import Staff
from server.models.reviews import ReviewCase, ReviewDecision
from server.programme.model import Programme
from server.programme.review import ReviewSubject, ReviewWhen
from server.programme.vocabulary import Actor as Role
from server.rules.review import (
    DecidedBefore,
    NotYourReview,
    PanelTooSmall,
    ReasonMissing,
    Record,
    ReviewOver,
    Verdict,
)
from server.services.access import Actor, NotAllowed, NotFound
from server.services.accounts.sessions import Sessions
from server.services.accounts.staff import Duties, StaffAccounts
from server.services.accounts.tokens import AccessTokens
from server.services.reviews import recusals, review_claims, review_files, stand_ins
from server.services.reviews.recusals import Recused, RecusedBefore
from server.services.reviews.review_files import Deed
from server.services.reviews.review_inbox import Cursor
from server.services.reviews.review_ranges import Queue, Wanted
from server.services.reviews.reviews import ReviewClaimed
from server.services.reviews.stand_ins import StandInNamed, StandInUnusable
from tests.factories import make_enterprise
from tests.reviewing import DAY, ReviewOffice, every_programme

S = ReviewSubject
TOKENS = AccessTokens({"2026a": "a signing secret of this test, long enough"}, issuer="q", audience="q-api")
LISHUI, GUANGXI, GUANGZHOU = "lishui-2024", "guangxi-2024", "guangzhou-2020"


def programme(slug: str) -> Programme:
    return every_programme().get(slug)


@pytest.fixture
def office(database: TortoiseContext) -> ReviewOffice:
    return ReviewOffice(every_programme())


async def name(
    office: ReviewOffice,
    principal: Actor,
    deputy: Actor,
    *,
    role: Role = Role.OPERATOR,
    days: int = 3,
    after: int = 0,
) -> int:
    row = await stand_ins.name(
        deputy.id,
        role,
        first_day=office.today + after * DAY,
        last_day=office.today + (after + days - 1) * DAY,
        reason="休假",
        actor=principal,
        now=office.now,
    )
    return row.id


async def test_a_stand_in_goes_on_with_what_was_taken_on_and_sees_what_the_other_would(
    office: ReviewOffice,
) -> None:
    here = await make_enterprise(area="浙江省/丽水市/莲都区")
    case = await office.open(programme(LISHUI), S.SETTLEMENT, organisation=here)
    principal = await office.staff("operator", areas=["浙江省/丽水市/莲都区"])
    deputy = await office.staff("operator", areas=["浙江省/丽水市/青田县"], programmes=[LISHUI])
    await review_claims.claim(office.reviews, case.id, actor=principal)
    with pytest.raises(NotFound):
        await office.decide(case, by=deputy)

    await name(office, principal, deputy)

    page = await review_files.inbox(
        office.reviews, Wanted(Queue.MINE), after=Cursor(), limit=10, actor=deputy
    )
    assert [row["id"] for row in page.rows] == [case.id]
    may = (await review_files.for_reviewer(office.reviews, case.id, actor=deputy)).may
    assert (Deed.CLAIM in may, Deed.RELEASE in may) == (True, False)
    case = await office.decide(case, by=deputy)
    decided = await ReviewDecision.get(case_id=case.id)
    assert decided.reviewer_id == deputy.id
    # Two people: the other may not decide what the stand-in decided for, nor the stand-in twice.
    with pytest.raises(DecidedBefore):
        both = Actor("staff", deputy.id, "", None, frozenset({"operator", "authority"}))
        await Staff.filter(id=deputy.id).update(roles=["operator", "authority"], areas=[])
        await office.decide(case, by=both)


async def test_who_stands_in_has_the_others_bounds_in_that_role_and_in_no_other(office: ReviewOffice) -> None:
    principal = await office.staff("operator", "authority")
    deputy = await office.staff("operator", "authority", programmes=[GUANGXI])
    await name(office, principal, deputy)
    case = await office.decide(await office.open(programme(LISHUI), S.SETTLEMENT))
    assert case.turn is Role.AUTHORITY
    with pytest.raises(NotYourReview):
        await office.decide(case, by=deputy)
    with pytest.raises(NotYourReview):
        await review_claims.claim(office.reviews, case.id, actor=deputy)
    page = await review_files.inbox(
        office.reviews, Wanted(Queue.TEAM), after=Cursor(), limit=10, actor=deputy
    )
    assert page.rows == []
    file = await review_files.for_reviewer(office.reviews, case.id, actor=deputy)
    assert not file.may
    # Every role in which somebody stands in for one colleague counts.
    await name(office, principal, deputy, role=Role.AUTHORITY)
    assert (await office.decide(case, by=deputy)).place == 2


async def test_a_stand_in_ends_with_its_days_or_when_it_is_called_off(office: ReviewOffice) -> None:
    case = await office.open(programme(LISHUI), S.SETTLEMENT)
    principal, deputy = await office.staff("operator"), await office.staff("operator")
    await review_claims.claim(office.reviews, case.id, actor=principal)
    made = await name(office, principal, deputy, days=1)
    with pytest.raises(NotFound):
        await stand_ins.end(made, actor=deputy, now=office.now)
    await stand_ins.end(made, actor=principal, now=office.now)
    with pytest.raises(ReviewClaimed):
        await office.decide(case, by=deputy)
    await name(office, principal, deputy, days=2, after=1)
    with pytest.raises(ReviewClaimed):
        await office.decide(case, by=deputy)
    assert await stand_ins.turn_due(office.now + DAY) == 1
    assert [row.active for row in await stand_ins.own(deputy)] == [True]
    assert await stand_ins.turn_due(office.now + 3 * DAY) == 1
    assert await stand_ins.own(deputy) == []


async def test_a_stand_in_is_a_colleague_of_the_same_role_on_days_that_are_free(office: ReviewOffice) -> None:
    principal, deputy = await office.staff("operator"), await office.staff("operator")
    expert = await office.staff("expert")
    for other, days, after in (
        (expert, 1, 0),
        (principal, 1, 0),
        (deputy, 0, 0),
        (deputy, 61, 0),
        (deputy, 2, -1),
    ):
        with pytest.raises(StandInUnusable):
            await name(office, principal, other, days=days, after=after)
    await name(office, principal, deputy, days=3)
    with pytest.raises(StandInNamed):
        await name(office, principal, deputy, days=1, after=2)


@pytest.mark.parametrize("away", ["recused", "disabled"])
async def test_what_comes_back_corrected_waits_for_nobody_who_is_not_there_any_more(
    office: ReviewOffice, away: str
) -> None:
    case = await office.open(programme(LISHUI), S.SETTLEMENT)
    first = await office.staff("operator")
    case = await office.decide(case, Verdict.RETURNED, by=first)
    if away == "recused":
        await recusals.recuse(case.id, reason="亲属", clocks=office.reviews.clocks, actor=first)
    else:
        await Staff.filter(id=first.id).update(disabled=True)
    await office.reviews.resume(case, actor=first, now=office.now)
    assert (await office.decide(await ReviewCase.get(id=case.id))).place == 1


@pytest.mark.rules("GZ-27")
async def test_an_expert_with_a_tie_has_no_say_and_is_not_counted(office: ReviewOffice) -> None:
    case = await office.open(programme(GUANGZHOU), S.SETTLEMENT)
    case = await office.decide(case, ask_for=[ReviewWhen.ON_REQUEST])
    assert case.turn is Role.EXPERT
    tied, operator = await office.staff("expert"), await office.staff("operator")
    said = {"version": case.version, "record": Record(score=90), "reason": "可行"}
    await office.reviews.opine(case.id, actor=tied, **said)
    clocks = office.reviews.clocks
    with pytest.raises(ReasonMissing):
        await recusals.recuse(case.id, reason=" ", clocks=clocks, actor=tied)
    with pytest.raises(NotAllowed):
        await recusals.recuse(case.id, reason="关联", reviewer_id=operator.id, clocks=clocks, actor=tied)
    # Who is commissioned keeps nobody of those out who decide on their commission.
    official = await office.staff("authority")
    with pytest.raises(NotAllowed):
        await recusals.recuse(case.id, reason="关联", reviewer_id=official.id, clocks=clocks, actor=operator)
    await recusals.recuse(
        case.id, reason="与申请单位有关联", reviewer_id=tied.id, clocks=clocks, actor=operator
    )
    with pytest.raises(RecusedBefore):
        await recusals.recuse(case.id, reason="关联", clocks=clocks, actor=tied)
    with pytest.raises(Recused):
        await office.reviews.opine(case.id, actor=tied, **said)
    with pytest.raises(Recused):
        await office.decide(case, by=tied)
    with pytest.raises(Recused):
        await review_claims.claim(office.reviews, case.id, actor=tied)
    assert not (await review_files.for_reviewer(office.reviews, case.id, actor=tied)).may

    await office.decide(case)
    decider = await ReviewDecision.filter(case_id=case.id, verdict=Verdict.APPROVED).order_by("-id").first()
    assert decider is not None and decider.reviewer_id is not None
    with pytest.raises(DecidedBefore):
        await recusals.recuse(
            case.id, reason="晚了", reviewer_id=decider.reviewer_id, clocks=clocks, actor=operator
        )


async def test_a_panel_is_too_small_without_the_recused(office: ReviewOffice) -> None:
    text = programme(GUANGXI)
    chain = text.review(S.PROVIDER)
    assert chain is not None
    steps = tuple(replace(one, panel_min=3) if one.by is Role.EXPERT else one for one in chain.steps)
    wanting = replace(text, reviews=(replace(chain, steps=steps),))
    case = await office.decide(await office.open(wanting, S.PROVIDER))
    experts = [await office.staff("expert") for _ in range(3)]
    said = {"version": case.version, "record": Record(score=80), "reason": "可行"}
    for expert in experts[:2]:
        await office.reviews.opine(case.id, actor=expert, **said)
    await recusals.recuse(case.id, reason="关联", clocks=office.reviews.clocks, actor=experts[0])
    with pytest.raises(PanelTooSmall):
        await office.decide(case, by=experts[2])
    over = await office.decide(await office.open(programme(LISHUI), S.ENTERPRISE))
    with pytest.raises(ReviewOver):
        await recusals.recuse(over.id, reason="晚了", clocks=office.reviews.clocks, actor=experts[1])


async def test_what_somebody_had_taken_on_is_their_teams_again_when_they_leave(office: ReviewOffice) -> None:
    cases = [await office.open(programme(LISHUI), S.SETTLEMENT) for _ in range(2)]
    left, moved, here = [await office.staff("operator") for _ in range(3)]
    administrator = await office.staff("administrator")
    await office.staff("administrator")
    for case, holder in zip(cases, (left, moved), strict=True):
        await review_claims.claim(office.reviews, case.id, actor=holder)

    async def waiting() -> list[int]:
        team = Wanted(Queue.TEAM)
        page = await review_files.inbox(office.reviews, team, after=Cursor(), limit=10, actor=here)
        return sorted(row["id"] for row in page.rows)

    assert await waiting() == []
    accounts = StaffAccounts(office.programmes, Sessions(TOKENS, LocalFeed()), office.clock)
    await accounts.disable(left.id, "离职", actor=administrator)
    assert await waiting() == [cases[0].id]
    await accounts.change_duties(moved.id, Duties(roles=["treasury"]), actor=administrator)
    assert await waiting() == [case.id for case in cases]
    entries = await JournalEntry.filter(action="review.released", actor=administrator.name).order_by("id")
    assert [one.data["of"] for one in entries] == [left.name, moved.name]


async def test_what_was_corrected_goes_back_to_nobody_whose_duties_it_is_no_more(
    office: ReviewOffice,
) -> None:
    administrator = await office.staff("administrator")
    accounts = StaffAccounts(office.programmes, Sessions(TOKENS, LocalFeed()), office.clock)
    elsewhere = Duties(roles=["operator"], programmes=[GUANGXI])
    for duties, holds in ((None, True), (Duties(roles=["treasury"]), False), (elsewhere, False)):
        operator = await office.staff("operator")
        case = await office.open(programme(LISHUI), S.ENTERPRISE)
        await office.decide(case, Verdict.RETURNED, by=operator, fields={"licence": "执照不清晰"})
        if duties is not None:
            await accounts.change_duties(operator.id, duties, actor=administrator)
        await office.reviews.resume(case, actor=operator, now=office.now)
        assert (await ReviewCase.get(id=case.id)).claimed_by == (operator.id if holds else None)
