"""Draws over cases under review and over orders: committed, locked, drawn, looked at, drawn again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from tortoise.context import TortoiseContext

from server import texts
from server.models.journal import JournalEntry
from server.models.orders import Order
from server.models.organisations import Qualification
from server.models.reviews import ReviewCase, ReviewDecision
from server.models.sampling import SampleAnswer, SamplingDraw, SamplingItem
from server.models.supervision import ServiceFileEntry
from server.programme.model import Programme
from server.programme.review import ReviewSubject, Sampled
from server.programme.vocabulary import Party
from server.rules.review import Verdict
from server.rules.sampling import (
    DrawNotThere,
    DrawOutstanding,
    DrawStatus,
    ListFrozen,
    NothingToDraw,
    SampleOutcome,
    ShareTooSmall,
    committed,
    faults_of,
    sample_size,
)
from server.rules.supervision import EntryTone
from server.sealing import Sealer
from server.services.access import Actor, NotFound
from server.services.clocks import ProgrammeClocks
from server.services.organisations import service_files
from server.services.reviews import review_claims, sampling_pages, sampling_results
from server.services.reviews.sampling_draws import (
    Draws,
    DrawUnderWay,
    DrawUnusable,
    NotSampled,
    Plan,
    PublicNumberMissing,
)
from server.services.reviews.sampling_lists import ListTooLong
from server.services.reviews.sampling_results import (
    Answered,
    FindingMissing,
    NotYourDraw,
    ResultByReview,
    SampleLookedAt,
    SampleWordUnknown,
)
from tests.factories import make_enterprise, make_qualified
from tests.ordering import make_order
from tests.reporting import Trade
from tests.reviewing import APPLICANT, DAY, ReviewOffice, every_programme

YINCHUAN, LISHUI = "yinchuan-2024", "lishui-2024"
SEED = "5eed" * 16
RECHECK = Plan(code="settlement_recheck", over=Sampled.REVIEW)


def programme(slug: str) -> Programme:
    return every_programme().get(slug)


class Sample:
    """A review office with draws whose seed is known to the test alone."""

    def __init__(self, office: ReviewOffice) -> None:
        self.office = office
        sealer = Sealer({"k1": "a secret of at least thirty-two bytes"})
        self.draws = Draws(office.programmes, office.reviews, sealer, new_seed=lambda: SEED)

    async def waiting(self, **terms: Any) -> ReviewCase:
        """A settlement that the operator has passed, and that waits for its draw."""
        case, after = await self.office.reviews.open(
            ReviewSubject.SETTLEMENT,
            terms.pop("number"),
            programme=programme(YINCHUAN),
            organisation=await make_enterprise(),
            title="兑付申请",
            actor=APPLICANT,
            now=self.office.now,
            **terms,
        )
        await after()
        return await self.office.decide(case)

    async def drawn(self, plan: Plan = RECHECK, slug: str = YINCHUAN, **drawing: Any) -> SamplingDraw:
        """A draw from its announcement to its result, by one of the right people."""
        row = await self.draws.announce(slug, plan, actor=(by := await self.official()))
        row = await self.draws.lock(row.id, version=row.version, actor=by)
        return await self.draws.draw(row.id, version=row.version, actor=by, **drawing)

    async def official(self) -> Actor:
        return await self.office.staff("authority", "operator")

    async def look(
        self, item: SamplingItem, outcome: SampleOutcome, by: Actor | None = None, **said: Any
    ) -> SamplingItem:
        return await sampling_results.answer(
            item.id,
            Answered(outcome=outcome, **said),
            programmes=self.office.programmes,
            clocks=ProgrammeClocks(self.office.clock),
            actor=by or await self.official(),
        )


@pytest.fixture
def sample(database: TortoiseContext) -> Sample:
    return Sample(ReviewOffice(every_programme()))


@pytest.mark.rules("YC-09", "YC-24")
async def test_what_passed_waits_for_the_draw_and_goes_its_way_by_it(sample: Sample) -> None:
    office = sample.office
    cases = [await sample.waiting(number=one, amount_fen=one * 1_000_000) for one in range(1, 12)]
    bureau = await sample.official()
    for verdict in (Verdict.APPROVED, Verdict.REJECTED):
        with pytest.raises(DrawOutstanding):
            await office.decide(cases[0], verdict, by=bureau, reason="不抽了")
    with pytest.raises(DrawOutstanding):
        await review_claims.claim(office.reviews, cases[0].id, actor=bureau)

    draw = await sample.draws.announce(YINCHUAN, RECHECK, actor=bureau)
    assert (draw.commitment, draw.seed, SEED in draw.sealed_seed) == (committed(SEED), "", False)
    with pytest.raises(NotFound):
        await sampling_pages.published(draw.id)
    draw = await sample.draws.lock(draw.id, version=draw.version, actor=bureau)
    # What comes after the list is locked waits for the next one.
    late = await sample.waiting(number=12)
    with pytest.raises(ListFrozen):
        await office.decide(await ReviewCase.get(id=cases[0].id), by=bureau)
    with pytest.raises(ListFrozen):
        await sample.draws.flag(cases[0].id, reason="可疑", actor=bureau)
    assert await ReviewDecision.filter(case_id=cases[0].id).count() == 1
    assert (await sampling_pages.published(draw.id))["seed"] == ""

    draw = await sample.draws.draw(draw.id, version=draw.version, actor=bureau)

    assert (draw.items, draw.drawn, draw.seed) == (11, sample_size(11, 2_000), SEED)
    turns = dict(await SamplingItem.filter(draw_id=draw.id).values_list("row_id", "turn"))
    for case in cases:
        case = await ReviewCase.get(id=case.id)
        expected = "局务会" if turns[case.id] is None else "随机抽查复核"
        assert (case.step_name, case.turn) == (expected, "authority")
    last = await ReviewDecision.get(case_id=next(one for one, turn in turns.items() if not turn), place=1)
    assert (last.verdict, last.reviewer_id) == (Verdict.NOT_DRAWN, None)
    assert (await ReviewCase.get(id=late.id)).turn is None
    promised = await JournalEntry.get(action="sampling.announced")
    assert promised.data == {
        "commitment": draw.commitment,
        "code": "settlement_recheck",
        "over": "review",
        "share_bp": 2_000,
        "since": None,
        "until": None,
        "public_source": "",
    }
    entry = await JournalEntry.get(action="sampling.drawn")
    assert entry.data["seed"] == SEED
    published = await sampling_pages.published(draw.id)
    assert not list(faults_of(published))
    assert list(faults_of({**published, "drawn": published["drawn"][1:]})) == ["drawn"]


@pytest.mark.rules("YC-22", "YC-24")
async def test_what_is_flagged_is_in_every_sample_and_its_review_is_its_result(sample: Sample) -> None:
    office = sample.office
    flagged = await sample.waiting(number=1, flagged=True)
    noted = await sample.waiting(number=2)
    await sample.draws.flag(noted.id, reason="情况说明不清楚", actor=await sample.official())
    gone = await sample.waiting(number=3, flagged=True)
    # What no draw is made of is not said to be in the sample.
    other = await office.open(programme(LISHUI), ReviewSubject.PROVIDER)
    with pytest.raises(NotSampled):
        await sample.draws.flag(other.id, reason="情况说明不清楚", actor=await sample.official())

    draw = await sample.drawn()

    assert (draw.drawn, draw.open_items) == (3, 3)
    await office.reviews.withdraw(
        await ReviewCase.get(id=gone.id), reason="", actor=APPLICANT, now=office.now
    )
    items = {item.row_id: item for item in await SamplingItem.filter(draw_id=draw.id)}
    with pytest.raises(ResultByReview):
        await sample.look(items[flagged.id], SampleOutcome.CLEAN)
    await office.decide(await ReviewCase.get(id=flagged.id))
    await office.decide(await ReviewCase.get(id=noted.id), Verdict.REJECTED, reason="成果不实")
    assert await sample.draws.move_due() == 0
    outcomes = dict(await SamplingItem.filter(draw_id=draw.id).values_list("row_id", "outcome"))
    assert outcomes == {flagged.id: "clean", noted.id: "finding", gone.id: "gone"}
    assert (await SamplingDraw.get(id=draw.id)).status is DrawStatus.CLOSED


async def test_a_server_that_died_after_the_draw_leaves_nothing_undone(sample: Sample) -> None:
    case = await sample.waiting(number=1)
    moved, sample.draws.move = sample.draws.move, _died  # type: ignore[method-assign]
    with pytest.raises(ConnectionError):
        await sample.drawn()
    assert (await SamplingDraw.get()).status is DrawStatus.DRAWN
    sample.draws.move = moved  # type: ignore[method-assign]
    assert await sample.draws.move_due() == 1
    assert (await ReviewCase.get(id=case.id)).turn == "authority"


async def _died(draw_id: int) -> int:
    raise ConnectionError


async def test_a_draw_is_made_once_in_its_order_by_whom_the_text_names(sample: Sample) -> None:
    bureau, operator = await sample.official(), await sample.office.staff("operator")
    with pytest.raises(NotYourDraw):
        await sample.draws.announce(YINCHUAN, RECHECK, actor=operator)
    for plan, fault in (
        (Plan(code="settlement_recheck", over=Sampled.REVIEW, share_bp=1_999), ShareTooSmall),
        (Plan(code="settlement_recheck", over=Sampled.ORDER), DrawUnusable),
        (Plan(code="settlement_recheck", over=Sampled.REVIEW, since=sample.office.today), DrawUnusable),
        (Plan(code="nothing", over=Sampled.REVIEW), NotFound),
    ):
        with pytest.raises(fault):
            await sample.draws.announce(YINCHUAN, plan, actor=bureau)
    first = await sample.draws.announce(YINCHUAN, RECHECK, actor=bureau)
    with pytest.raises(DrawUnderWay):
        await sample.draws.announce(YINCHUAN, RECHECK, actor=bureau)
    with pytest.raises(DrawNotThere):
        await sample.draws.draw(first.id, version=first.version, actor=bureau)
    with pytest.raises(NothingToDraw):
        await sample.draws.lock(first.id, version=first.version, actor=bureau)
    await sample.waiting(number=1)
    locked = await sample.draws.lock(first.id, version=first.version, actor=bureau)
    with pytest.raises(DrawNotThere):
        await sample.draws.lock(first.id, version=locked.version, actor=bureau)
    with pytest.raises(DrawNotThere):
        await sample.draws.draw(first.id, version=first.version, actor=bureau)
    with pytest.raises(PublicNumberMissing):
        await sample.draws.draw(first.id, version=locked.version, public_number="547", actor=bureau)
    assert (await SamplingDraw.get(id=first.id)).seed == ""
    elsewhere = await sample.office.staff("authority", programmes=[LISHUI])
    elsewhere = Actor("staff", elsewhere.id, "", None, elsewhere.roles, programmes=frozenset({LISHUI}))
    with pytest.raises(NotFound):
        await sample.draws.draw(first.id, version=locked.version, actor=elsewhere)


async def test_a_list_that_one_draw_cannot_take_is_refused_before_it_is_announced(sample: Sample) -> None:
    trade = await Trade.begun(LISHUI)
    for _ in range(3):
        await make_order(trade.programme, trade.enterprise, trade.provider, at=sample.office.now)
    today, whole = sample.office.today, {"status": "done", "step_since": sample.office.now}
    await Order.all().update(**whole)
    check = next(one for one in programme(LISHUI).samplings if Sampled.ORDER in one.over)
    plan = Plan(code=check.code, over=Sampled.ORDER, share_bp=10_000, since=today, until=today)
    by = await sample.office.staff(*(role.value for role in check.by))
    with pytest.raises(DrawUnusable):  # What is done later today would be on no list.
        await sample.draws.announce(LISHUI, plan, actor=by)
    sample.office.clock.advance(DAY)
    sample.draws.most_lines = 2
    with pytest.raises(ListTooLong) as refused:
        await sample.draws.announce(LISHUI, plan, actor=by)
    assert "2 条" in texts.sentence(refused.value)
    # One that nothing was done in could never be locked, and would stand in the way of every other.
    with pytest.raises(NothingToDraw):
        await sample.draws.announce(LISHUI, replace(plan, since=today - DAY, until=today - DAY), actor=by)
    assert not await SamplingDraw.exists()
    sample.draws.most_lines = 3
    row = await sample.draws.announce(LISHUI, plan, actor=by)
    # What is done between the announcement and the locking is on the list, whatever the limit was.
    await make_order(trade.programme, trade.enterprise, trade.provider, at=sample.office.now)
    await Order.all().update(**whole)
    locked = await sample.draws.lock(row.id, version=row.version, actor=by)
    assert locked.items == await SamplingItem.filter(draw_id=row.id).count() == 4


async def test_cases_beyond_what_one_draw_takes_wait_for_the_next(sample: Sample) -> None:
    cases = [await sample.waiting(number=one) for one in range(1, 4)]
    sample.draws.most_lines = 2
    assert (await sample.drawn()).items == 2
    assert (await ReviewCase.get(id=cases[2].id)).draw_id is None
    assert (await sample.drawn()).items == 1


async def test_nothing_on_a_frozen_list_can_be_changed_added_or_taken_off(sample: Sample) -> None:
    await sample.waiting(number=1)
    draw = await sample.drawn()
    (item,) = await SamplingItem.filter(draw_id=draw.id)
    changes: tuple[Mapping[str, Any], ...] = ({"key": "x"}, {"flagged": True}, {"stratum": "x"}, {"turn": 2})
    for change in changes:
        with pytest.raises(Exception, match="frozen"):
            await SamplingItem.filter(id=item.id).update(**change)
    with pytest.raises(Exception, match="frozen"):
        await item.delete()
    with pytest.raises(Exception, match="frozen"):
        await SamplingItem.create(draw_id=draw.id, key="y", row_id=2, stratum="")


@pytest.mark.rules("LS-72", "LS-74", "GX-72")
async def test_who_does_not_answer_stays_on_the_list_and_open(sample: Sample) -> None:
    check = next(one for one in programme(LISHUI).samplings if one.code == "satisfaction")
    assert (check.over, {role.value for role in check.by}) == ((Sampled.ENTERPRISE,), {"operator"})
    for _ in range(3):
        await make_qualified(programme(LISHUI))
    plan = Plan(code="satisfaction", over=Sampled.ENTERPRISE, share_bp=5_000, public_source="福彩3D")
    draw = await sample.drawn(plan, LISHUI, public_number="547")
    assert (draw.items, draw.drawn) == (3, 2)
    silent, heard = await SamplingItem.filter(draw_id=draw.id, turn__isnull=False).order_by("turn")
    left_out = await SamplingItem.get(draw_id=draw.id, turn__isnull=True)
    # Neither can anybody say that somebody is gone, nor see or answer lines beyond their areas.
    with pytest.raises(SampleWordUnknown):
        await sample.look(heard, SampleOutcome.GONE)
    elsewhere = await sample.office.staff("operator", areas=["江苏省"])
    elsewhere = replace(elsewhere, areas=frozenset({"江苏省"}))
    assert (await sampling_pages.drawn(draw.id, after=0, actor=elsewhere)).lines == []
    with pytest.raises(NotFound):
        await sample.look(heard, SampleOutcome.CLEAN, by=elsewhere)

    await sample.look(silent, SampleOutcome.NO_ANSWER, method="电话回访")
    with pytest.raises(SampleWordUnknown):
        await sample.look(heard, SampleOutcome.CLEAN, method="猜测")
    with pytest.raises(FindingMissing):
        await sample.look(heard, SampleOutcome.FINDING, method="上门走访")
    with pytest.raises(DrawNotThere):
        await sample.look(left_out, SampleOutcome.CLEAN)
    await sample.look(heard, SampleOutcome.CLEAN, method="上门走访", note="满意")
    with pytest.raises(SampleLookedAt):
        await sample.look(heard, SampleOutcome.FINDING, note="又不满意了")

    draw = await SamplingDraw.get(id=draw.id)
    assert (draw.status, draw.open_items, draw.drawn) == (DrawStatus.DRAWN, 1, 2)
    await sample.look(silent, SampleOutcome.FINDING, method="电话回访", note="未收到服务")
    assert (await SamplingDraw.get(id=draw.id)).status is DrawStatus.CLOSED
    attempts = await SampleAnswer.filter(item_id=silent.id).order_by("id")
    assert [one.outcome for one in attempts] == [SampleOutcome.NO_ANSWER, SampleOutcome.FINDING]
    assert not list(faults_of(await sampling_pages.published(draw.id)))


@pytest.mark.rules("LS-72")
async def test_what_was_found_of_a_provider_stands_in_its_service_file_where_its_text_says_so(
    sample: Sample,
) -> None:
    provider = await make_qualified(programme(LISHUI))
    await Qualification.filter(organisation_id=provider.id).update(party=Party.PROVIDER)
    # Its text does not send daily inspections there; the authorities' check does.
    for code, lines in (("daily_inspection", 0), ("authority_check", 1)):
        draw = await sample.drawn(Plan(code="daily_inspection", over=Sampled.PROVIDER, share_bp=1), LISHUI)
        (item,) = await SamplingItem.filter(draw_id=draw.id)
        assert item.row_id == provider.id
        await SamplingDraw.filter(id=draw.id).update(code=code)
        await sample.look(item, SampleOutcome.NO_ANSWER)
        await sample.look(item, SampleOutcome.FINDING, note="台账不全")
        filed = await ServiceFileEntry.filter(provider_id=provider.id)
        assert len(filed) == lines
    assert filed[0].tone is EntryTone.BAD and "发现问题" in service_files.says(filed[0])
