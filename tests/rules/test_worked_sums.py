"""The worked sums of the five regulations, as data: each at its figures and one fen either side.

``worked_sums.toml`` holds them in yuan and in the words of the texts; the programmes come from their
own files, so that a changed value of a regulation changes the answer here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from server.programme.issuance import QuotaEvent
from server.programme.model import Programme
from server.programme.steps import Event
from server.rules.categories import YearMoney, category_room
from server.rules.deadlines import due_by
from server.rules.deduction import Prices, Used, balance, base_fen, deduction
from server.rules.limits import Limit
from server.rules.payments import FeeOutOfBounds, amount_unmet, payments, require_fee, supervision_fee_bounds
from server.rules.quota import grantable, provider_room, quota_left, tier_of
from server.units import yuan_to_fen
from tests.rules.cast import programme, working_calendar

FILE = Path(__file__).with_name("worked_sums.toml")
Case = Mapping[str, Any]
Answers = dict[str, Any]


def fen(case: Case, key: str) -> int:
    return yuan_to_fen(case.get(key, 0))


def fen_if_given(case: Case, key: str) -> int | None:
    return yuan_to_fen(case[key]) if key in case else None


def quota_of(rules: Programme, case: Case) -> tuple[Limit | None, Limit | None]:
    """What the year's quota leaves, and what may be granted at once."""
    tier = tier_of(rules, frozenset(case.get("labels", ())))
    ended = {QuotaEvent(event): fen(case, event) for event in ("reclaimed", "handed_back") if event in case}
    left = quota_left(rules, tier, fen(case, "granted"), ended)
    return left, grantable(rules, tier, left)


def pays(rules: Programme, case: Case) -> Answers:
    """What the voucher pays, and how the rest of the price is paid."""
    left, most = quota_of(rules, case)
    others = []
    if "balance" in case:
        others.append(balance(fen(case, "balance")))
    elif case.get("whole_grant"):
        assert most is not None
        others.append(balance(most.amount_fen))
    if left is not None:
        others.append(left)
    prices = Prices(
        order_fen=fen_if_given(case, "order"),
        contract_fen=fen_if_given(case, "contract"),
        invoice_fen=fen_if_given(case, "invoice"),
        actual_fee_fen=fen_if_given(case, "fee"),
        unrelated_fen=fen(case, "unrelated"),
    )
    category = case.get("category", rules.categories[0].code)
    paid = deduction(
        rules, category, prices, used=Used(on_contract_fen=fen(case, "on_contract")), others=others
    )
    base = base_fen(rules.deduction_for(category), prices)
    parts = payments(rules.own_share, base, paid.amount_fen)
    return {
        "voucher": paid.amount_fen,
        "base": base,
        "balance_left": fen(case, "balance") - paid.amount_fen,
        "own_share": parts.own_share_fen,
        "deposit": parts.deposit_fen,
        "escrow": parts.escrow_fen,
        "rest": parts.rest_fen,
    }


def quota(rules: Programme, case: Case) -> Answers:
    """What the year's quota is, and what may still be granted."""
    left, _ = quota_of(rules, case)
    assert left is not None
    return {"left": left.amount_fen}


def fee(rules: Programme, case: Case) -> Answers:
    """The bounds of the supervision fee, and whether one lies within."""
    assert rules.supervision_fee is not None
    least, most = supervision_fee_bounds(rules.supervision_fee, fen(case, "contract"))
    try:
        require_fee(rules.supervision_fee, fen(case, "contract"), fen(case, "fee"))
        allowed = True
    except FeeOutOfBounds:
        allowed = False
    return {"least": least, "most": most, "allowed": allowed}


def category(rules: Programme, case: Case) -> Answers:
    """What a category may still take."""
    used = {code: yuan_to_fen(amount) for code, amount in case.get("used", {}).items()}
    year = YearMoney(fen(case, "total"), sum(used.values()), used)
    left = category_room(rules, case["category"], year)
    assert left is not None
    return {"left": left.amount_fen}


def papers(rules: Programme, case: Case) -> Answers:
    """Whether the amount on a document is right."""
    documents = [*rules.disbursement.documents, *rules.settlement.documents]
    documents += [document for step in rules.order_steps for document in step.documents]
    found = [document for document in documents if document.code == case["document"] and document.amount]
    assert found, case["document"]
    wrong = [
        amount_unmet(
            document,
            fen(case, "shown"),
            price_fen=fen(case, "price"),
            voucher_fen=fen(case, "voucher"),
            vouchers_fen=fen(case, "vouchers"),
        )
        for document in found
    ]
    return {"fits": wrong == [None] * len(found)}


def provider(rules: Programme, case: Case) -> Answers:
    """What a provider may still receive."""
    left = provider_room(
        rules,
        received_fen=fen(case, "received"),
        year_total_fen=fen(case, "total"),
        year_issued_fen=fen(case, "issued"),
    )
    assert left is not None
    return {"left": left.limit.amount_fen}


def last_day(rules: Programme, case: Case) -> Answers:
    """The last day of a step's deadline, for a batch that closes and is published on the same day."""
    step = next(step for step in rules.order_steps if step.kind == case["step"])
    assert step.deadline is not None
    happened = {Event.ROUND_CLOSED: case["closes"], Event.RESULTS_PUBLISHED: case["closes"]}
    due = due_by(rules, step.deadline, happened, calendar=working_calendar())
    assert due is not None
    return {"last_day": due.last_day}


ASKS: Mapping[str, Callable[[Programme, Case], Answers]] = {
    "pays": pays,
    "quota": quota,
    "fee": fee,
    "category": category,
    "papers": papers,
    "provider": provider,
    "last_day": last_day,
}
SUMS = tomllib.loads(FILE.read_text(encoding="utf-8"))["sum"]


def expected(value: Any) -> Any:
    return value if isinstance(value, bool | date) else yuan_to_fen(value)


@pytest.mark.parametrize(
    ("worked", "case"),
    [
        pytest.param(
            worked,
            case,
            id=f"{worked['number']}-{worked['programme']}-{place}",
            marks=pytest.mark.rules(*worked["rules"]),
        )
        for worked in SUMS
        for place, case in enumerate(worked["case"])
    ],
)
def test_the_worked_sum_comes_out(worked: Mapping[str, Any], case: Mapping[str, Any]) -> None:
    answers = ASKS[worked["asks"]](programme(worked["programme"]), {**worked.get("given", {}), **case})
    assert {key: answers[key] for key in case["expect"]} == {
        key: expected(value) for key, value in case["expect"].items()
    }


def test_all_twenty_four_sums_are_there() -> None:
    assert sorted({worked["number"] for worked in SUMS}) == list(range(1, 25))
