"""Reviews: every chain of the texts, step by step, and what turns a case down or holds it back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from server.programme.review import ReviewChain, ReviewKind, ReviewStep, ReviewSubject, ReviewWhen
from server.programme.vocabulary import Actor
from server.rules.review import (
    Case,
    DecidedBefore,
    Decision,
    NotYourReview,
    PanelTooSmall,
    Record,
    ReviewNotReturnable,
    ReviewOver,
    ReviewRecordIncomplete,
    awaits_draw,
    differences,
    due_by,
    is_refused,
    may_ask_for,
    next_place,
    require_panel,
    require_record,
    require_returnable,
    require_turn,
)
from tests.rules.cast import GUANGXI, GUANGZHOU, LISHUI, NINGXIA, YINCHUAN, programme, working_calendar

rules = pytest.mark.rules
S, W = ReviewSubject, ReviewWhen


def chain_of(slug: str, subject: ReviewSubject) -> ReviewChain:
    chain = programme(slug).review(subject)
    assert chain is not None
    return chain


def walked(chain: ReviewChain, *circumstances: ReviewWhen) -> list[str]:
    """The steps a case goes through when everybody lets it pass, with who decides each."""
    case, steps = Case(circumstances=frozenset(circumstances)), []
    while (place := next_place(chain, case)) is not None:
        step = chain.steps[place]
        if awaits_draw(step, case):
            # The draw passes it over.
            case = replace(case, decisions=(*case.decisions, Decision(place, "")))
            continue
        require_turn(chain, case, step.by, f"reviewer {place}")
        steps.append(f"{step.by}: {step.kind}")
        case = replace(case, decisions=(*case.decisions, Decision(place, f"reviewer {place}")))
    return steps


@pytest.mark.parametrize(
    ("slug", "subject", "circumstances", "steps"),
    [
        pytest.param(
            YINCHUAN,
            S.SETTLEMENT,
            [],
            "operator: review/authority: committee/authority: committee/authority: public_notice/"
            "authority: disbursement",
            marks=rules("YC-23", "YC-27"),
        ),
        pytest.param(
            YINCHUAN,
            S.SETTLEMENT,
            [W.SAMPLED, W.EVIDENCE_INCOMPLETE],
            "operator: review/authority: spot_check/inspector: site_inspection/authority: committee/"
            "authority: committee/authority: public_notice/authority: disbursement",
            marks=rules("YC-25"),
        ),
        pytest.param(
            YINCHUAN,
            S.VOIDING,
            [],
            "operator: pre_review/authority: determination",
            marks=rules("YC-31"),
        ),
        pytest.param(
            GUANGXI, S.OFFERING, [], "expert: expert_review/authority: determination/authority: public_notice"
        ),
        pytest.param(
            GUANGXI,
            S.PROVIDER,
            [],
            "division: pre_review/expert: expert_review/authority: determination/authority: public_notice",
            marks=rules("GX-42"),
        ),
        pytest.param(
            GUANGXI,
            S.SETTLEMENT,
            [],
            "operator: pre_review/division: review/authority: determination/authority: public_notice/"
            "operator: mark/treasury: disbursement",
            marks=rules("GX-63"),
        ),
        pytest.param(
            NINGXIA,
            S.PROVIDER,
            [],
            "operator: review/expert: expert_review/authority: filing/operator: announcement",
            marks=rules("NX-17"),
        ),
        pytest.param(
            NINGXIA, S.SETTLEMENT, [], "operator: review/operator: disbursement", marks=rules("NX-23")
        ),
        pytest.param(
            NINGXIA, S.PROVIDER_GRADE, [], "operator: pre_review/authority: review/operator: public_notice"
        ),
        pytest.param(LISHUI, S.OFFERING, [], "operator: pre_review/authority: review"),
        pytest.param(LISHUI, S.PROVIDER, [], "operator: pre_review/authority: review", marks=rules("LS-38")),
        pytest.param(
            LISHUI,
            S.REMOVAL,
            [],
            "operator: pre_review/authority: determination/authority: announcement",
            marks=rules("LS-43"),
        ),
        pytest.param(
            LISHUI,
            S.SETTLEMENT,
            [],
            "operator: pre_review/authority: review/authority: public_notice/operator: disbursement",
        ),
        pytest.param(LISHUI, S.COMPLAINT, [], "operator: review"),
        pytest.param(
            GUANGZHOU,
            S.SETTLEMENT,
            [W.OBJECTION],
            "operator: pre_review/authority: determination/authority: public_notice/"
            "authority: reconsideration/operator: disbursement/authority: filing/operator: archive",
            marks=rules("GZ-41", "GZ-42"),
        ),
    ],
)
def test_a_case_goes_through_the_chain_of_its_text(
    slug: str, subject: ReviewSubject, circumstances: list[ReviewWhen], steps: str
) -> None:
    assert walked(chain_of(slug, subject), *circumstances) == steps.split("/")


SETTLEMENTS = [
    pytest.param(YINCHUAN, marks=rules("YC-27")),
    pytest.param(GUANGXI, marks=rules("GX-63")),
    pytest.param(NINGXIA, marks=rules("NX-23")),
    LISHUI,
    pytest.param(GUANGZHOU, marks=rules("GZ-41")),
]


def before_payment(chain: ReviewChain) -> Case:
    """A case that everybody before the payment has let pass."""
    places = [place for place, step in enumerate(chain.steps) if step.when in (W.ALWAYS, W.SAMPLED)]
    paid = next(place for place in places if chain.steps[place].kind == "disbursement")
    return Case(decisions=tuple(Decision(place, f"r{place}") for place in places if place < paid))


def comes_to_its_payment(chain: ReviewChain, case: Case) -> bool:
    place = next_place(chain, case)
    return place is not None and chain.steps[place].kind == "disbursement"


@pytest.mark.parametrize("slug", SETTLEMENTS)
def test_nothing_is_paid_before_the_last_decision_and_nothing_once_one_turned_it_down(slug: str) -> None:
    chain = chain_of(slug, S.SETTLEMENT)
    whole = before_payment(chain)

    assert comes_to_its_payment(chain, whole)
    for missing in range(len(whole.decisions)):
        rest = whole.decisions[:missing] + whole.decisions[missing + 1 :]
        assert not comes_to_its_payment(chain, replace(whole, decisions=rest))
        no = replace(whole.decisions[missing], passed=False)
        refused = (*whole.decisions[:missing], no, *whole.decisions[missing + 1 :])
        only_an_opinion = not chain.steps[no.place].decides
        assert comes_to_its_payment(chain, replace(whole, decisions=refused)) is only_an_opinion


@rules("YC-25")
def test_a_case_that_fails_offline_is_over() -> None:
    chain = chain_of(YINCHUAN, S.SETTLEMENT)
    offline = next(place for place, step in enumerate(chain.steps) if step.kind == "site_inspection")
    passed = (Decision(0, "a"), Decision(1, ""))
    incomplete = Case(decisions=passed, circumstances=frozenset({W.EVIDENCE_INCOMPLETE}))
    assert next_place(chain, incomplete) == offline

    failed = replace(incomplete, decisions=(*incomplete.decisions, Decision(offline, "b", passed=False)))

    assert is_refused(chain, failed)
    with pytest.raises(ReviewOver):
        require_turn(chain, failed, Actor.AUTHORITY, "c")


@rules("LS-82")
def test_only_a_serious_complaint_goes_on_to_the_authority() -> None:
    chain = chain_of(LISHUI, S.COMPLAINT)

    assert walked(chain, W.SERIOUS) == ["operator: review", "authority: determination"]


@rules("LS-38")
def test_a_decision_belongs_to_one_role_and_nobody_decides_twice() -> None:
    chain, passed = chain_of(LISHUI, S.PROVIDER), Case(decisions=(Decision(0, "Li"),))

    with pytest.raises(NotYourReview) as refused:
        require_turn(chain, passed, Actor.OPERATOR, "Wang")
    assert refused.value.values["actor"] == "主管部门"
    with pytest.raises(DecidedBefore):
        require_turn(chain, passed, Actor.AUTHORITY, "Li")
    assert require_turn(chain, passed, Actor.AUTHORITY, "Wang") is chain.steps[1]


@rules("YC-31")
def test_an_opinion_against_decides_nothing() -> None:
    chain = chain_of(YINCHUAN, S.VOIDING)

    assert next_place(chain, Case(decisions=(Decision(0, "operator", passed=False),))) == 1
    assert is_refused(chain, Case(decisions=(Decision(0, "a"), Decision(1, "b", passed=False))))


def test_who_had_a_hand_in_it_at_another_place_decides_no_more_and_at_this_one_goes_on() -> None:
    chain = chain_of(LISHUI, S.PROVIDER)
    passed = Case(decisions=(Decision(0, "Li"),))

    with pytest.raises(DecidedBefore):
        require_turn(chain, replace(passed, hands=frozenset({(0, "Wang")})), Actor.AUTHORITY, "Wang")
    here = replace(passed, hands=frozenset({(1, "Wang")}))
    assert require_turn(chain, here, Actor.AUTHORITY, "Wang") is chain.steps[1]


TODAY = date(2026, 5, 18)


def a_step(kind: ReviewKind, **others: object) -> ReviewStep:
    return ReviewStep(kind=kind, name="评审", by=Actor.EXPERT, **others)  # type: ignore[arg-type]


@pytest.mark.parametrize("score", [0, 100])
def test_an_expert_gives_a_score_out_of_a_hundred(score: int) -> None:
    step = a_step(ReviewKind.EXPERT_REVIEW)
    require_record(step, Record(score=score), TODAY)
    for wrong in (None, -1, 101):
        with pytest.raises(ReviewRecordIncomplete):
            require_record(step, Record(score=wrong), TODAY)


def test_a_panel_concludes_when_enough_experts_have_had_their_say_the_last_among_them() -> None:
    step = a_step(ReviewKind.EXPERT_REVIEW, panel_min=3)
    two = Case(voices=frozenset({(1, "Li"), (1, "Wang"), (0, "Zhao")}))
    require_panel(step, two, 1, "Qian")
    for few in (replace(two, voices=frozenset({(1, "Li"), (0, "Zhao")})), Case(hands=two.voices)):
        with pytest.raises(PanelTooSmall):
            require_panel(step, few, 1, "Qian")
    with pytest.raises(PanelTooSmall) as refused:
        require_panel(step, two, 1, "Wang")
    assert refused.value.values == {"given": 2, "wanted": 3}
    require_panel(a_step(ReviewKind.EXPERT_REVIEW), Case(), 1, "Qian")


@rules("YC-27")
def test_a_committee_met_on_a_day_that_has_come() -> None:
    step = a_step(ReviewKind.COMMITTEE)
    require_record(step, Record(held_on=TODAY), TODAY)
    for wrong in (None, TODAY + timedelta(days=1)):
        with pytest.raises(ReviewRecordIncomplete):
            require_record(step, Record(held_on=wrong), TODAY)


@pytest.mark.parametrize("kind", list(ReviewKind))
def test_other_steps_ask_for_no_record(kind: ReviewKind) -> None:
    if kind not in (ReviewKind.EXPERT_REVIEW, ReviewKind.COMMITTEE):
        require_record(a_step(kind), Record(), TODAY)


def test_what_is_only_put_on_record_is_not_sent_back() -> None:
    require_returnable(a_step(ReviewKind.DETERMINATION))
    for kind in (ReviewKind.FILING, ReviewKind.MARK, ReviewKind.ANNOUNCEMENT, ReviewKind.ARCHIVE):
        with pytest.raises(ReviewNotReturnable):
            require_returnable(a_step(kind))


@pytest.mark.parametrize(
    ("slug", "subject", "place", "stated"),
    [
        (GUANGZHOU, S.SETTLEMENT, 0, {W.ON_REQUEST}),
        (GUANGZHOU, S.SETTLEMENT, 1, set()),
        (YINCHUAN, S.SETTLEMENT, 0, {W.EVIDENCE_INCOMPLETE}),
        (LISHUI, S.COMPLAINT, 0, {W.SERIOUS}),
        (LISHUI, S.PROVIDER, 0, set()),
    ],
)
def test_a_reviewer_states_what_makes_a_later_step_apply_but_no_draw_and_no_objection(
    slug: str, subject: ReviewSubject, place: int, stated: set[ReviewWhen]
) -> None:
    assert may_ask_for(chain_of(slug, subject), place) == stated


def test_a_step_is_due_after_its_working_days_or_never() -> None:
    # 19 June 2026 is the Dragon Boat Festival.
    timed = due_by(a_step(ReviewKind.REVIEW, working_days=2), date(2026, 6, 17), working_calendar())
    assert timed is not None
    assert timed.last_day == date(2026, 6, 22)
    assert due_by(a_step(ReviewKind.REVIEW), date(2026, 6, 17), working_calendar()) is None


def test_two_snapshots_differ_where_a_value_came_went_or_changed() -> None:
    before = {"name": "甲", "figures": {"headcount": 42, "revenue": 1}, "papers": ["a"], "gone": 1}
    after = {"name": "甲", "figures": {"headcount": 43, "revenue": 1}, "papers": ["a", "b"], "new": True}

    assert differences(before, after) == (
        ("figures.headcount", 42, 43),
        ("papers", ["a"], ["a", "b"]),
        ("gone", 1, None),
        ("new", None, True),
    )
    assert differences(before, before) == ()
