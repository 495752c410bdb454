"""Steps: what comes next in an order of each programme, whose turn it is, and when money moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from server.programme.steps import Effect, StepKind
from server.programme.vocabulary import Actor
from server.rules.steps import (
    NotYourStep,
    StepOutOfTurn,
    cancellation_unmet,
    may_return_payment,
    open_steps,
    require_step,
)
from tests.rules.cast import GUANGXI, GUANGZHOU, LISHUI, NINGXIA, YINCHUAN, programme

rules = pytest.mark.rules
K = StepKind
ENTERPRISE, PROVIDER, OPERATOR, AUTHORITY = Actor.ENTERPRISE, Actor.PROVIDER, Actor.OPERATOR, Actor.AUTHORITY

# The way of an order through each programme: who does what, in the order of its text.
WAYS = {
    LISHUI: [
        (ENTERPRISE, K.PLACE),
        (PROVIDER, K.CONFIRM),
        (ENTERPRISE, K.SIGN_CONTRACT),
        (PROVIDER, K.DELIVER),
        (PROVIDER, K.INVOICE),
        (ENTERPRISE, K.TRANSFER_RECEIPT),
        (ENTERPRISE, K.ACCEPT),
        (ENTERPRISE, K.RATE),
        (PROVIDER, K.SETTLE),
    ],
    GUANGXI: [
        (PROVIDER, K.SIGN_CONTRACT),
        (ENTERPRISE, K.DEPOSIT),
        (PROVIDER, K.MILESTONE_EVIDENCE),
        (PROVIDER, K.DELIVER),
        (ENTERPRISE, K.BALANCE),
        (ENTERPRISE, K.SERVICE_CONFIRMATION),
        (PROVIDER, K.SETTLE),
    ],
    NINGXIA: [
        (ENTERPRISE, K.SIGN_CONTRACT),
        (ENTERPRISE, K.REQUEST_VOUCHER),
        (OPERATOR, K.ISSUE_VOUCHER),
        (ENTERPRISE, K.ESCROW),
        (PROVIDER, K.DELIVER),
        (ENTERPRISE, K.RATE),
        (PROVIDER, K.SETTLE),
    ],
    GUANGZHOU: [
        (ENTERPRISE, K.PLACE),
        (PROVIDER, K.CONFIRM),
        (ENTERPRISE, K.UPLOAD_CONTRACT),
        (PROVIDER, K.CONFIRM_CONTRACT),
        (PROVIDER, K.DELIVER),
        (ENTERPRISE, K.PAY_VOUCHER),
        (PROVIDER, K.ACCEPT_VOUCHER),
        (PROVIDER, K.SETTLE),
    ],
    YINCHUAN: [
        (PROVIDER, K.UPLOAD_CONTRACT),
        (Actor.SYSTEM, K.REGISTER_USE),
        (PROVIDER, K.DELIVER),
        (PROVIDER, K.SETTLE),
        (AUTHORITY, K.APPROVE_SETTLEMENT),
    ],
}


@pytest.mark.parametrize("slug", list(WAYS))
def test_an_order_goes_its_way_step_by_step_and_no_step_comes_early_or_twice(slug: str) -> None:
    regulation, done = programme(slug), list[StepKind]()
    for actor, kind in WAYS[slug]:
        assert require_step(regulation, done, kind, actor).kind is kind
        done.append(kind)
        for earlier in done:
            with pytest.raises(StepOutOfTurn):
                require_step(regulation, done, earlier, actor)
    assert list(open_steps(regulation, done)) == []


def comes_only_after(slug: str, later: StepKind, earlier: StepKind) -> None:
    """``later`` is refused as long as ``earlier`` is missing, with its name, and open once it is done."""
    kinds = [kind for _, kind in WAYS[slug]]
    actor_of = {kind: actor for actor, kind in WAYS[slug]}
    actor, before = actor_of[later], kinds[: kinds.index(earlier)]
    assert require_step(programme(slug), before, earlier, actor_of[earlier])
    with pytest.raises(StepOutOfTurn) as refused:
        require_step(programme(slug), before, later, actor)
    step = next(step for step in programme(slug).order_steps if step.kind is earlier)
    assert (refused.value.values["next"], refused.value.clause) == (step.name, step.article)
    assert require_step(programme(slug), kinds[: kinds.index(later)], later, actor).kind is later


@pytest.mark.parametrize(
    ("slug", "later", "earlier"),
    [
        pytest.param(NINGXIA, K.REQUEST_VOUCHER, K.SIGN_CONTRACT, marks=rules("NX-18")),
        pytest.param(NINGXIA, K.DELIVER, K.ESCROW, marks=rules("NX-20")),
        pytest.param(NINGXIA, K.SETTLE, K.RATE, marks=rules("NX-21")),
        pytest.param(GUANGXI, K.DEPOSIT, K.SIGN_CONTRACT, marks=rules("GX-52")),
        pytest.param(GUANGXI, K.DELIVER, K.DEPOSIT, marks=rules("GX-53")),
        pytest.param(GUANGXI, K.SERVICE_CONFIRMATION, K.BALANCE, marks=rules("GX-54")),
        pytest.param(GUANGXI, K.SETTLE, K.SERVICE_CONFIRMATION, marks=rules("GX-55")),
        pytest.param(GUANGZHOU, K.ACCEPT_VOUCHER, K.PAY_VOUCHER, marks=rules("GZ-37")),
        pytest.param(YINCHUAN, K.REGISTER_USE, K.UPLOAD_CONTRACT, marks=rules("YC-20")),
        (LISHUI, K.SIGN_CONTRACT, K.PLACE),
    ],
)
def test_a_step_waits_for_the_one_before_it(slug: str, later: StepKind, earlier: StepKind) -> None:
    comes_only_after(slug, later, earlier)


def test_an_optional_step_may_be_left_out_or_done() -> None:
    guangxi, done = programme(GUANGXI), [kind for _, kind in WAYS[GUANGXI]][:-1]
    assert [step.kind for step in open_steps(guangxi, done)] == [K.RATE, K.SETTLE]
    assert require_step(guangxi, [*done, K.RATE], K.SETTLE, PROVIDER)


@rules("GZ-37")
def test_only_the_provider_receives_a_voucher_that_the_enterprise_pays() -> None:
    guangzhou, done = programme(GUANGZHOU), [kind for _, kind in WAYS[GUANGZHOU]]
    paid = done[: done.index(K.ACCEPT_VOUCHER)]
    with pytest.raises(NotYourStep) as refused:
        require_step(guangzhou, paid, K.ACCEPT_VOUCHER, ENTERPRISE)
    assert refused.value.values["actor"] == "服务机构"
    step = require_step(guangzhou, paid, K.ACCEPT_VOUCHER, PROVIDER)
    assert step.returned_to is K.PAY_VOUCHER


@rules("GX-52")
def test_a_guangxi_contract_is_made_on_the_platform_by_both_sides() -> None:
    step = require_step(programme(GUANGXI), [], K.SIGN_CONTRACT, ENTERPRISE)
    assert [one.form for one in step.documents] == ["electronic"] == [programme(GUANGXI).contract.form]
    assert step.actor is Actor.BOTH


@pytest.mark.parametrize("actor", [ENTERPRISE, PROVIDER])
def test_what_both_sides_do_each_may_do_and_nobody_else(actor: Actor) -> None:
    assert require_step(programme(GUANGXI), [], K.SIGN_CONTRACT, actor)
    with pytest.raises(NotYourStep):
        require_step(programme(GUANGXI), [], K.SIGN_CONTRACT, OPERATOR)


@pytest.mark.parametrize(
    ("slug", "reserves", "consumes"),
    [
        (LISHUI, K.PLACE, K.ACCEPT),
        (GUANGXI, K.SIGN_CONTRACT, K.SERVICE_CONFIRMATION),
        (NINGXIA, K.ISSUE_VOUCHER, K.SETTLE),
        (GUANGZHOU, K.PLACE, K.ACCEPT_VOUCHER),
        pytest.param(YINCHUAN, K.SETTLE, K.APPROVE_SETTLEMENT, marks=rules("YC-19")),
    ],
)
def test_money_is_reserved_and_consumed_by_the_steps_the_text_names(
    slug: str, reserves: StepKind, consumes: StepKind
) -> None:
    steps = programme(slug).order_steps
    found = [
        [one.kind for one in steps if one.effect is effect] for effect in (Effect.RESERVE, Effect.CONSUME)
    ]
    assert found == [[reserves], [consumes]]


@rules("YC-19")
def test_claiming_a_yinchuan_voucher_reserves_nothing() -> None:
    assert not programme(YINCHUAN).issuance.reserve_on_issue
    assert programme(LISHUI).issuance.reserve_on_issue


@rules("LS-53")
def test_one_side_alone_does_not_cancel_a_lishui_order() -> None:
    lishui = programme(LISHUI)
    assert cancellation_unmet(lishui, frozenset({ENTERPRISE, PROVIDER})) == ()
    for side, missing in ((ENTERPRISE, "服务机构"), (PROVIDER, "企业")):
        (lacking,) = cancellation_unmet(lishui, frozenset({side}))
        assert lacking.message == f"{missing}尚未提交取消订单申请"
        assert lacking.clause == "三（五）1（5）"
    assert len(cancellation_unmet(lishui, frozenset())) == 2


@rules("GZ-101")
def test_a_guangzhou_provider_gives_a_payment_back_until_the_voucher_expires() -> None:
    guangzhou, expiry = programme(GUANGZHOU), datetime(2020, 11, 30, 16, tzinfo=UTC)
    before = expiry - timedelta(microseconds=1)
    assert may_return_payment(guangzhou, PROVIDER, expiry, before)
    assert not may_return_payment(guangzhou, PROVIDER, expiry, expiry)
    assert not may_return_payment(guangzhou, ENTERPRISE, expiry, before)
    assert not may_return_payment(programme(LISHUI), PROVIDER, expiry, before)


@rules("GX-84")
def test_a_guangxi_contract_that_fails_gives_its_quota_back() -> None:
    assert not programme(GUANGXI).cancellation.burns_quota
    assert programme(GUANGXI).cancellation.keeps_expiry


def test_where_the_provider_alone_asks_its_request_is_enough() -> None:
    assert cancellation_unmet(programme(YINCHUAN), frozenset({PROVIDER})) == ()
    assert len(cancellation_unmet(programme(YINCHUAN), frozenset({ENTERPRISE}))) == 1
