"""Samples under supervision: whom a draw drew is visited or asked, and the line knows what came of it."""

from __future__ import annotations

import pytest
from tortoise.context import TortoiseContext

from server.models.outbox import OutboxMessage
from server.models.people import Staff
from server.models.registrations import Registration, Submission
from server.models.sampling import SampleAnswer, SamplingDraw
from server.models.supervision import (
    CallBack,
    InspectionVisit,
    ServiceFileEntry,
)
from server.programme.review import Sampled
from server.programme.vocabulary import Party
from server.rules.lifecycles import RegistrationStatus
from server.rules.sampling import DrawStatus
from server.rules.supervision import (
    CallBackStatus,
    CallMethod,
    CallOutcome,
    EntryTone,
    InspectionKind,
    ServiceEntryKind,
)
from server.services.access import NotFound
from server.services.organisations import service_files
from server.services.reports.figures import Scope
from server.services.reports.samples import samples
from server.services.reviews import sampling_pages
from server.services.reviews.reviewers import OwnReview
from server.services.supervision.call_backs import CallAnswerUnusable, CallListUnusable, CallOver
from server.services.supervision.inspection_lists import visits_of
from server.services.supervision.inspection_visits import Seen
from server.services.supervision.inspections import SampleUnusable, Subject
from server.services.supervision.supervision_book import WordsMissing
from server.services.supervision.supervision_samples import SampleNotDrawn
from tests.contracting import ALLOTTED, GRABBED, ON_CONTRACT, person_of
from tests.factories import make_enterprise
from tests.ordering import make_order
from tests.supervising import WRONG, Watch, a_draw, all_right, outcomes, planned

rules = pytest.mark.rules


@pytest.fixture
def watch(database: TortoiseContext) -> Watch:
    """Everybody who supervises, once on each kind of database."""
    return Watch()


async def test_a_sample_is_drawn_or_named_with_a_reason_and_holds_nobody_twice(watch: Watch) -> None:
    provider, other = await watch.serving(GRABBED), await watch.serving(GRABBED)
    daily = InspectionKind.DAILY
    with pytest.raises(WordsMissing):
        await planned(watch, GRABBED, daily, provider, "operator", reason="")
    twice = [Subject(organisation_id=provider.id, party=Party.PROVIDER)] * 2
    with pytest.raises(SampleUnusable):
        await planned(watch, GRABBED, daily, provider, "operator", subjects=twice)
    draw = await a_draw(watch, GRABBED, Sampled.PROVIDER, [provider.id], status=DrawStatus.LOCKED)
    with pytest.raises(SampleNotDrawn):
        await planned(watch, GRABBED, daily, provider, "operator", draw_id=draw)
    await SamplingDraw.filter(id=draw).update(status=DrawStatus.DRAWN)
    with pytest.raises(SampleUnusable):
        await planned(watch, GRABBED, daily, other, "operator", draw_id=draw)
    made, operator, _ = await planned(watch, GRABBED, daily, provider, "operator", draw_id=draw)
    assert made.draw_id == draw
    operator_again = await watch.staff("operator")
    await Staff.filter(id=operator.id).update(affiliations=[provider.uscc])
    visit = await InspectionVisit.get(inspection_id=made.id)
    with pytest.raises(OwnReview):
        await all_right(watch, made, visit, operator)
    assert await outcomes(draw) == [None], "what was refused is written down nowhere"
    seen = [Seen(item="ledger", says="台账缺五月")]
    await all_right(watch, made, visit, operator_again, answers={"ledger": WRONG}, seen=seen)
    assert await outcomes(draw) == ["finding"]
    said = await SampleAnswer.get(item__draw_id=draw)
    assert said.note == f"检查 {made.number}：台账缺五月"
    assert (await SamplingDraw.get(id=draw)).status is DrawStatus.CLOSED
    # Named and not drawn, or looked at once more with nothing found, a visit leaves the line as it is.
    for again in (draw, None):
        made, operator, visit = await planned(watch, GRABBED, daily, provider, "operator", draw_id=again)
        await all_right(watch, made, visit, operator)
    assert await outcomes(draw) == ["finding"]
    assert await SampleAnswer.filter(item__draw_id=draw).count() == 2


@rules("GX-72")
async def test_sampled_commitments_are_looked_at_unannounced_beside_what_was_signed(watch: Watch) -> None:
    provider, programme = await watch.serving(ALLOTTED), watch.programme(ALLOTTED)
    promise = programme.provider.undertakings[0]
    form = await Registration.create(
        organisation_id=provider.id,
        programme_slug=ALLOTTED,
        party=Party.PROVIDER,
        status=RegistrationStatus.APPROVED,
        saved_by=1,
        saved_at=watch.at(ALLOTTED),
        created_at=watch.at(ALLOTTED),
    )
    await Submission.create(
        registration_id=form.id,
        number=1,
        programme_version=programme.version,
        facts={},
        values={},
        sealed={},
        documents={},
        undertakings={promise.code: {"hash": "a" * 64, "person": 1, "at": "2026-05-01T00:00:00+00:00"}},
        submitted_by=1,
        submitted_at=watch.at(ALLOTTED),
    )
    draw = await a_draw(watch, ALLOTTED, Sampled.PROVIDER, [provider.id])
    made, operator, visit = await planned(
        watch, ALLOTTED, InspectionKind.COMMITMENT, provider, "operator", draw_id=draw
    )
    assert not await OutboxMessage.exists(topic="inspection.planned")
    (shown,) = await visits_of(made, programme)
    (signed,) = [one for one in shown.commitments if one.code == promise.code]
    assert signed.given and signed.sha256 == "a" * 64
    seen = [Seen(item="kept", says="材料与事实不符", serious=True)]
    await all_right(watch, made, visit, operator, answers={"kept": WRONG}, seen=seen)
    entry = await ServiceFileEntry.get(provider_id=provider.id)
    assert (entry.kind, entry.tone) == (ServiceEntryKind.COMMITMENT, EntryTone.BAD)


@rules("LS-74", "NX-25", "GX-57")
async def test_who_does_not_answer_stays_on_the_list_and_who_does_counts_in_the_service_file(
    watch: Watch,
) -> None:
    provider, programme = await watch.serving(ON_CONTRACT), watch.programme(ON_CONTRACT)
    orders = [
        await make_order(programme, await make_enterprise(), provider, at=watch.at(ON_CONTRACT))
        for _ in range(3)
    ]
    draw = await a_draw(watch, ON_CONTRACT, Sampled.ORDER, [one.id for one in orders[:2]])
    operator, calls = await watch.staff("operator"), watch.office.call_backs
    with pytest.raises(CallListUnusable):
        await calls.make(ON_CONTRACT, [one.id for one in orders], draw_id=draw, actor=operator)
    made = await calls.make(ON_CONTRACT, [one.id for one in orders[:2]], draw_id=draw, actor=operator)
    assert len(made.script) == 4
    one, two = await CallBack.filter(list_id=made.id).order_by("id")
    phone = {"method": CallMethod.PHONE, "actor": operator}
    for _ in range(2):
        one = await calls.attempt(one.id, CallOutcome.NO_ANSWER, **phone)
    assert (one.status, one.attempts) == (CallBackStatus.WAITING, 2)
    with pytest.raises(CallAnswerUnusable):
        await calls.attempt(two.id, CallOutcome.ANSWERED, level="还行", **phone)
    with pytest.raises(CallAnswerUnusable):
        await calls.attempt(two.id, CallOutcome.NO_ANSWER, level=programme.rating.scale[0], **phone)
    await calls.attempt(two.id, CallOutcome.ANSWERED, level=programme.rating.scale[-1], **phone)
    with pytest.raises(CallOver):
        await calls.attempt(two.id, CallOutcome.NO_ANSWER, **phone)
    assert await outcomes(draw) == ["no_answer", "finding"]
    far = await sampling_pages.drawn(draw, after=0, only_outstanding=True, actor=operator)
    assert (far.progress.drawn, far.progress.looked_at, far.progress.outstanding) == (2, 1, 1)
    (line,) = far.lines
    assert (line.item.row_id, [one.method for one in line.answers]) == (orders[0].id, ["电话回访"] * 2)
    assert (await SamplingDraw.get(id=draw)).open_items == 1
    today = watch.at(ON_CONTRACT).date()
    told = await samples(Scope(programme, today, today))
    assert {one.code: one.value for one in told.figures} == {
        "draws_made": 1, "sample_drawn": 2, "sample_attempts": 3, "sample_findings": 1,
        "sample_untried": 0, "sample_silent": 1,
    }  # fmt: skip
    by_draw, outstanding = told.tables
    assert [row.cells[2:] for row in by_draw.rows] == [[2, 1, 1, 1]]
    assert [row.cells[1:3] for row in outstanding.rows] == [[f"{orders[0].id:08d}", orders[0].project]]
    summary = await calls.summary(made)
    assert (summary.asked, summary.waiting, summary.answered, summary.attempts) == (2, 1, 1, 3)
    assert summary.average_bp == 0
    entry = await ServiceFileEntry.get(provider_id=provider.id)
    assert (entry.kind, entry.tone) == (ServiceEntryKind.CALL_BACK, EntryTone.BAD)
    page = await service_files.page(provider.id, actor=person_of(provider))
    assert page.own and len(page.rows) == 1
    with pytest.raises(NotFound):
        await service_files.page(provider.id, actor=person_of(await make_enterprise()))
    await calls.attempt(one.id, CallOutcome.ANSWERED, level=programme.rating.scale[0], **phone)
    assert await outcomes(draw) == ["clean", "finding"]
    assert (await SamplingDraw.get(id=draw)).status is DrawStatus.CLOSED
