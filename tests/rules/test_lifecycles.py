"""Lives: which moves exist, and what each state still permits."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from server.rules.lifecycles import (
    BARRED_PROVIDER_MAY,
    PROVIDER_MAY,
    QUALIFICATION_MAY,
    QUALIFICATION_MOVES,
    ROUND_MAY,
    ROUND_MOVES,
    VOUCHER_MAY,
    VOUCHER_MOVES,
    IllegalMove,
    NotPermittedNow,
    ProviderAct,
    QualificationAct,
    QualificationStatus,
    RoundAct,
    RoundStatus,
    VoucherAct,
    VoucherStatus,
    require_act,
    require_move,
)

MOVES: list[tuple[Mapping[Any, frozenset[Any]], set[tuple[str, str]]]] = [
    (
        ROUND_MOVES,
        {
            ("draft", "scheduled"),
            ("scheduled", "paused"),
            ("scheduled", "closed"),
            ("paused", "scheduled"),
            ("paused", "closed"),
            ("closed", "scheduled"),
        },
    ),
    (
        VOUCHER_MOVES,
        {
            ("active", "used_up"),
            ("active", "handed_back"),
            ("active", "reclaimed"),
            ("active", "expired"),
            ("active", "voided"),
            ("used_up", "active"),
            ("used_up", "voided"),
        },
    ),
    (
        QUALIFICATION_MOVES,
        {
            ("pending", "approved"),
            ("pending", "refused"),
            ("approved", "revoked"),
            ("approved", "pending"),
            ("approved", "expired"),
            ("expired", "pending"),
            ("expired", "approved"),
            ("refused", "pending"),
            ("revoked", "pending"),
            ("approved", "suspended"),
            *(("suspended", target) for target in ("approved", "expired", "pending", "revoked", "delisted")),
            *((held, "delisted") for held in ("approved", "pending", "expired", "revoked")),
            ("delisted", "pending"),
        },
    ),
]


@pytest.mark.parametrize(("table", "legal"), MOVES, ids=["round", "voucher", "qualification"])
def test_every_pair_of_states_moves_or_is_refused_as_the_table_says(
    table: Mapping[Any, frozenset[Any]], legal: set[tuple[str, str]]
) -> None:
    states: list[StrEnum] = list(type(next(iter(table))))
    assert set(table) == set(states), "every state has a row"
    for current in states:
        for target in states:
            if (current.value, target.value) in legal:
                require_move(table, current, target)
            else:
                with pytest.raises(IllegalMove) as refused:
                    require_move(table, current, target)
                assert refused.value.values == {
                    "current": current.value,
                    "target": target.value,
                }


def test_a_paused_round_grants_nothing_but_can_be_topped_up() -> None:
    require_act(ROUND_MAY, RoundStatus.SCHEDULED, RoundAct.GRANT)
    require_act(ROUND_MAY, RoundStatus.PAUSED, RoundAct.TOP_UP)
    with pytest.raises(NotPermittedNow):
        require_act(ROUND_MAY, RoundStatus.PAUSED, RoundAct.GRANT)


def test_only_a_draft_round_can_be_edited_and_a_closed_one_only_gives_money_back() -> None:
    assert [status for status in RoundStatus if RoundAct.EDIT in ROUND_MAY[status]] == [RoundStatus.DRAFT]
    assert ROUND_MAY[RoundStatus.CLOSED] == {RoundAct.CUT}


@pytest.mark.rules("LS-07", "LS-68", "GX-59", "NX-33")
def test_an_expired_voucher_pays_nothing_and_never_comes_back() -> None:
    require_act(VOUCHER_MAY, VoucherStatus.ACTIVE, VoucherAct.PAY)
    with pytest.raises(NotPermittedNow):
        require_act(VOUCHER_MAY, VoucherStatus.EXPIRED, VoucherAct.PAY)
    assert VOUCHER_MOVES[VoucherStatus.EXPIRED] == frozenset()


@pytest.mark.rules("NX-29")
def test_a_voucher_voided_for_a_breach_pays_nothing_even_if_it_had_been_used() -> None:
    require_move(VOUCHER_MOVES, VoucherStatus.ACTIVE, VoucherStatus.VOIDED)
    require_move(VOUCHER_MOVES, VoucherStatus.USED_UP, VoucherStatus.VOIDED)
    with pytest.raises(NotPermittedNow):
        require_act(VOUCHER_MAY, VoucherStatus.VOIDED, VoucherAct.PAY)


@pytest.mark.rules("GZ-101")
def test_a_payment_can_be_taken_back_until_the_voucher_expires() -> None:
    require_act(VOUCHER_MAY, VoucherStatus.USED_UP, VoucherAct.TAKE_PAYMENT_BACK)
    require_move(VOUCHER_MOVES, VoucherStatus.USED_UP, VoucherStatus.ACTIVE)
    with pytest.raises(NotPermittedNow):
        require_act(VOUCHER_MAY, VoucherStatus.EXPIRED, VoucherAct.TAKE_PAYMENT_BACK)


@pytest.mark.rules("GZ-39")
def test_an_active_voucher_can_be_handed_back_and_a_used_one_cannot() -> None:
    require_act(VOUCHER_MAY, VoucherStatus.ACTIVE, VoucherAct.HAND_BACK)
    with pytest.raises(NotPermittedNow):
        require_act(VOUCHER_MAY, VoucherStatus.USED_UP, VoucherAct.HAND_BACK)


@pytest.mark.rules("LS-60", "YC-18", "GZ-05")
@pytest.mark.parametrize("act", list(QualificationAct))
def test_only_an_approved_qualification_lets_a_party_obtain_and_use_vouchers(
    act: QualificationAct,
) -> None:
    require_act(QUALIFICATION_MAY, QualificationStatus.APPROVED, act)
    for status in set(QualificationStatus) - {QualificationStatus.APPROVED}:
        with pytest.raises(NotPermittedNow):
            require_act(QUALIFICATION_MAY, status, act)


@pytest.mark.rules("GX-43", "LS-40")
def test_a_provider_takes_on_something_new_only_while_it_is_approved() -> None:
    for act in (ProviderAct.PUBLISH, ProviderAct.TAKE_ORDERS):
        require_act(PROVIDER_MAY, QualificationStatus.APPROVED, act)
        for status in set(QualificationStatus) - {QualificationStatus.APPROVED}:
            with pytest.raises(NotPermittedNow):
                require_act(PROVIDER_MAY, status, act)


@pytest.mark.parametrize("status", list(QualificationStatus))
def test_whoever_bought_gets_what_was_bought_whatever_became_of_the_provider(
    status: QualificationStatus,
) -> None:
    require_act(PROVIDER_MAY, status, ProviderAct.FINISH_ORDERS)


def test_the_documentation_shows_the_table_as_it_is() -> None:
    shown = {
        line.split("|")[1].strip(): [cell.strip() == "yes" for cell in line.split("|")[2:6]]
        for line in Path("docs/providers.md").read_text("utf-8").splitlines()
        if line.startswith("| ") and line.count("|") == 6
    }
    rows = {**PROVIDER_MAY, "barred": BARRED_PROVIDER_MAY}
    for standing, may in rows.items():
        assert shown[standing] == [act in may for act in ProviderAct], standing


def test_public_money_waits_while_a_provider_is_suspended_or_removed() -> None:
    waiting = {status for status in QualificationStatus if ProviderAct.SETTLE not in PROVIDER_MAY[status]}
    assert waiting == {QualificationStatus.SUSPENDED, QualificationStatus.DELISTED}
