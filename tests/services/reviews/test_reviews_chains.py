"""Every chain of every programme, walked to its end by the right people, and by nobody else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator

import pytest
from _pytest.mark import ParameterSet
from tortoise.context import TortoiseContext

from server.database import close_database, open_database
from server.models.journal import JournalEntry
from server.models.reviews import ReviewCase, ReviewDecision
from server.programme.model import Programme
from server.programme.review import ReviewChain, ReviewKind, ReviewStep, ReviewSubject, ReviewWhen
from server.programme.vocabulary import Actor as Role
from server.rules.deadlines import start_of
from server.rules.review import CaseStatus, NotYourReview, Verdict
from server.rules.sampling import DrawOutstanding
from server.services.reviews.review_cases import copied, copy_of
from server.services.reviews.reviews import ReviewNotOpen
from tests.reviewing import RED, ReviewOffice, every_programme, others

S = ReviewSubject
BY_NO_HAND = (ReviewKind.AUTOMATIC, ReviewKind.PUBLIC_NOTICE, ReviewKind.DISBURSEMENT)
PROVES = {
    ("yinchuan-2024", S.PROVIDER): ("YC-18",),
    ("yinchuan-2024", S.SETTLEMENT): ("YC-08", "YC-27"),
    ("guangxi-2024", S.PROVIDER): ("GX-42",),
    ("guangxi-2024", S.SETTLEMENT): ("GX-09", "GX-63"),
    ("ningxia-2016", S.PROVIDER): ("NX-17",),
    ("ningxia-2016", S.VOUCHER_REQUEST): ("NX-19",),
    ("lishui-2024", S.PROVIDER): ("LS-38",),
    ("lishui-2024", S.ENTERPRISE): ("LS-60",),
    ("guangzhou-2020", S.ENTERPRISE): ("GZ-05",),
    ("guangzhou-2020", S.SETTLEMENT): ("GZ-27", "GZ-41"),
}


def _chains() -> Iterator[ParameterSet]:
    """Every chain, as the text has it and with every further step that may apply."""
    for programme in every_programme():
        for chain in programme.reviews:
            conditional = sorted({step.when for step in chain.steps} - {ReviewWhen.ALWAYS})
            marks = [pytest.mark.rules(*PROVES.get((programme.slug, chain.subject), ()))]
            for stated in ([], conditional) if conditional else ([],):
                name = f"{programme.slug}-{chain.subject}{'-' if stated else ''}{'-'.join(stated)}"
                rules = marks if (programme.slug, chain.subject) in PROVES else []
                yield pytest.param(programme, chain, tuple(stated), id=name, marks=rules)


CHAINS = list(_chains())


@pytest.fixture
async def one_database(sqlite_url: str) -> AsyncIterator[TortoiseContext]:
    """SQLite alone: what is asked of it was asked of both databases by the walk."""
    context = await open_database(sqlite_url)
    yield context
    await close_database(context)


def an_office(programme: Programme) -> ReviewOffice:
    """The office on the programme's own day, at ten in the morning."""
    office = ReviewOffice(every_programme())
    office.clock.at = start_of(programme.demo_today) + (office.now - start_of(office.today))
    return office


def applying(chain: ReviewChain, stated: tuple[ReviewWhen, ...]) -> list[tuple[int, Role]]:
    """What the chain of the text comes to: each place and who decides there."""
    return [
        (place, Role.SYSTEM if is_drawn(step, stated) else step.by)
        for place, step in enumerate(chain.steps)
        if step.when is ReviewWhen.ALWAYS or step.when in stated or is_drawn(step, stated)
    ]


def is_drawn(step: ReviewStep, stated: tuple[ReviewWhen, ...]) -> bool:
    """Whether a draw has to say if the step applies, and says no."""
    return step.when is ReviewWhen.SAMPLED and ReviewWhen.SAMPLED not in stated


@pytest.mark.parametrize(("programme", "chain", "stated"), CHAINS)
async def test_a_chain_is_walked_to_its_end_by_the_right_people_alone(
    database: TortoiseContext, programme: Programme, chain: ReviewChain, stated: tuple[ReviewWhen, ...]
) -> None:
    office = an_office(programme)
    objecting = ReviewWhen.OBJECTION in stated
    opening = [one for one in stated if one is not ReviewWhen.OBJECTION]
    case = await office.open(programme, chain.subject, circumstances=opening)

    while case.status in (CaseStatus.OPEN, CaseStatus.ON_NOTICE):
        assert case.place is not None
        step = chain.steps[case.place]
        if case.turn is None and case.status is CaseStatus.OPEN:
            with pytest.raises(DrawOutstanding):
                await office.decide(case, by=await office.staff(step.by.value))
            case = await office.not_drawn(case)
            continue
        if case.status is CaseStatus.ON_NOTICE:
            with pytest.raises(ReviewNotOpen):
                await office.decide(case, by=await office.staff(step.by.value))
            if objecting:
                await office.object(case)
            case = await office.time_is_over(case)
            continue
        for role in others(step.by):
            with pytest.raises(NotYourReview):
                await office.decide(case, by=await office.staff(role.value))
        assert (case.turn, case.step_name) == (step.by, step.name)
        case = await office.decide(case)

    assert case.status is CaseStatus.PASSED
    assert [what for what, _ in office.thing.told] == ["passed"]
    assert office.thing.awaited == 1
    rows = await ReviewDecision.filter(case_id=case.id).order_by("id")
    itself = {ReviewKind.AUTOMATIC, ReviewKind.PUBLIC_NOTICE}
    assert [(row.place, row.role) for row in rows] == [
        (place, Role.SYSTEM if chain.steps[place].kind in itself else by)
        for place, by in applying(chain, stated)
    ]
    assert all(row.snapshot and row.checks for row in rows)
    deeds = JournalEntry.filter(subject=f"review:{case.id}")
    assert await deeds.filter(action="review.passed").count() == 1


@pytest.mark.parametrize(("programme", "chain", "stated"), CHAINS)
async def test_whoever_decides_can_turn_a_case_down_and_whoever_gives_an_opinion_cannot(
    one_database: TortoiseContext, programme: Programme, chain: ReviewChain, stated: tuple[ReviewWhen, ...]
) -> None:
    office = an_office(programme)
    opening = [one for one in stated if one is not ReviewWhen.OBJECTION]
    deciding = [
        place
        for place, by in applying(chain, tuple(opening))
        if chain.steps[place].kind not in BY_NO_HAND and by is not Role.SYSTEM
    ]
    for no in deciding:
        case = await office.open(programme, chain.subject, circumstances=opening)
        office.thing.told.clear()
        while case.status in (CaseStatus.OPEN, CaseStatus.ON_NOTICE):
            if case.status is CaseStatus.ON_NOTICE:
                case = await office.time_is_over(case)
            elif case.turn is None:
                case = await office.not_drawn(case)
            else:
                case = await office.decide(
                    case, Verdict.REJECTED if case.place == no else Verdict.APPROVED, reason="不同意"
                )
        refused = chain.steps[no].decides
        assert case.status is (CaseStatus.REFUSED if refused else CaseStatus.PASSED)
        assert office.thing.told[0] == (("refused", "不同意") if refused else ("passed", {}))


@pytest.mark.parametrize("programme", list(every_programme()), ids=lambda one: one.slug)
def test_a_case_keeps_its_chain_and_the_terms_of_its_notice_whole(programme: Programme) -> None:
    for chain in programme.reviews:
        kept = copied(ReviewCase(chain=json.loads(json.dumps(copy_of(programme, chain)))))
        assert (kept.chain, kept.notice) == (chain, programme.public_notice)


AUTOMATIC = [
    pytest.param(programme, chain, id=f"{programme.slug}-{chain.subject}")
    for programme in every_programme()
    for chain in programme.reviews
    if chain.steps[0].kind is ReviewKind.AUTOMATIC
]


@pytest.mark.parametrize(("programme", "chain"), AUTOMATIC)
async def test_a_red_line_turns_a_case_down_where_the_software_decides(
    one_database: TortoiseContext, programme: Programme, chain: ReviewChain
) -> None:
    office = an_office(programme)
    office.thing.found = (RED,)
    case = await office.open(programme, chain.subject)

    assert case.status is CaseStatus.REFUSED
    assert office.thing.told == [("refused", RED.message)]
    (decision,) = await ReviewDecision.filter(case_id=case.id)
    assert (decision.verdict, decision.reviewer_id) == (Verdict.REJECTED, None)
    assert decision.checks[0]["arithmetic"] == RED.arithmetic
