"""Ranking in SQL is ranking by the rules: the same order, the same awards, the same list, to the byte."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tortoise.context import TortoiseContext
from tortoise.transactions import in_transaction

from server.gateways import ranking
from server.gateways.ranking import LabelRule, RankTerms
from server.models.applications import Application, RankingEntry
from server.models.organisations import BlocklistEntry, Organisation, Qualification
from server.models.rounds import Budget, Round
from server.models.vouchers import Voucher
from server.programme.issuance import RankKey
from server.rules import issuance
from server.rules.issuance import RankOutcome
from server.rules.lifecycles import QualificationStatus
from server.rules.ranking_list import ListHead, head_line, line_of
from tests.batch import FIRST, MONDAY, PROGRAMME
from tests.factories import make_enterprise
from tests.rules.cast import programme

rules = pytest.mark.rules
QUOTA = 2_000
MOST = 1_500
LABELS: tuple[tuple[str, ...], ...] = ((), FIRST, ("key_below_scale", "srdi_or_little_giant"))
QUALIFIED = [QualificationStatus.APPROVED.value]


@dataclass(frozen=True)
class Case:
    """One applicant as it is drawn; amounts in fen, arrival in ms."""

    arrived: int
    labels: tuple[str, ...]
    asked: int
    taken: int
    qualified: bool
    barred: bool


CASES = st.lists(
    st.builds(
        Case,
        arrived=st.integers(0, 5),
        labels=st.sampled_from(LABELS),
        asked=st.sampled_from([1, 100, 1_300, MOST, MOST + 1, 2_500]),
        taken=st.sampled_from([0, 0, 0, 700, QUOTA]),
        qualified=st.sampled_from([True, True, True, False]),
        barred=st.sampled_from([False, False, False, True]),
    ),
    max_size=12,
)


EVERY_KIND = [
    Case(3, (), 2_500, 0, True, False),
    Case(3, (), 2_500, 700, True, False),
    Case(1, (), 100, QUOTA, True, False),
    Case(5, LABELS[1], MOST + 1, 0, True, False),
    Case(4, LABELS[2], 1, 0, True, False),
    Case(0, LABELS[1], 100, 0, False, False),
    Case(0, LABELS[1], 100, 0, False, False),
    Case(0, LABELS[1], 100, 0, False, False),
    Case(0, (), 100, 0, True, True),
]


class Rolled(Exception):
    """Ends a transaction so that nothing of it stays."""


async def _scene(cases: list[Case], pool: int) -> tuple[Budget, Round]:
    budget = await Budget.create(
        programme_slug=PROGRAMME,
        programme_version="2020",
        year=2020,
        total_fen=10**9,
        allotted_fen=0,
        created_at=MONDAY,
    )
    terms = {"budget_id": budget.id, "title": "t", "opens_at": MONDAY, "closes_at": MONDAY}
    terms |= {"valid_until": MONDAY, "created_at": MONDAY, "created_by": 1}
    earlier = await Round.create(**terms, pool_fen=10**6)
    row = await Round.create(**terms, pool_fen=pool)
    for number, case in enumerate(cases):
        who = await make_enterprise(labels=case.labels, name=f"第{number}|\n有限公司")
        # Who is not qualified never applied to be, was revoked, or let it lapse, in turn.
        if case.qualified or number % 3:
            held_on = case.qualified or number % 3 == 1
            await Qualification.create(
                organisation_id=who.id,
                programme_slug=PROGRAMME,
                programme_version="2020",
                status=QualificationStatus.APPROVED if held_on else QualificationStatus.REVOKED,
                valid_until=MONDAY if held_on and not case.qualified else None,
                applied_at=MONDAY,
                snapshot={},
            )
        if case.barred:
            await BlocklistEntry.create(uscc=who.uscc, clause="一", reason="二", starts_at=MONDAY, made_by=1)
        if case.taken:
            await Voucher.create(
                number=f"T-{who.id}",
                round_id=earlier.id,
                budget_id=budget.id,
                enterprise_id=who.id,
                face_value_fen=case.taken + 100,
                given_back_fen=100,
                programme_slug=PROGRAMME,
                programme_version="2020",
                granted_at=MONDAY,
                reserved_at=MONDAY,
                valid_until=MONDAY,
            )
        await Application.create(
            round_id=row.id,
            enterprise_id=who.id,
            amount_fen=case.asked,
            arrived_at=MONDAY + timedelta(milliseconds=case.arrived),
            # Later ids come earlier among equals: only the place may decide.
            place=1000 - number,
            ahead=False,
            person_id=1,
            created_at=MONDAY,
            changed_at=MONDAY,
        )
    return budget, row


def _by_the_rules(cases: list[Case], pool: int, order: tuple[RankKey, ...]) -> tuple[Any, dict[int, str]]:
    """What ``rules/issuance.py`` makes of the cases, and why the others are not ranked; by number."""
    guangzhou = programme(PROGRAMME)
    faults: dict[int, str] = {}
    counted = []
    for number, case in enumerate(cases):
        left = QUOTA - case.taken
        fault = "not_qualified" if not case.qualified else "barred" if case.barred else ""
        fault = fault or ("quota_used" if left <= 0 else "")
        if fault:
            faults[number] = fault
            continue
        counted.append(
            issuance.Application(
                id=1000 - number,
                labels=frozenset(case.labels),
                applied_at=MONDAY + timedelta(milliseconds=case.arrived),
                amount_fen=min(case.asked, left, MOST),
            )
        )
    assert guangzhou.issuance.ranking == order
    return issuance.award(guangzhou, counted, pool), faults


async def _in_sql(budget: Budget, row: Round, pool: int, order: tuple[RankKey, ...], connection: Any) -> Any:
    sets = await ranking.label_sets(connection, row.id)
    guangzhou = programme(PROGRAMME)
    held = {one: frozenset(labels) for one in sets for labels in LABELS if one == _written(labels, sets)}
    assert set(held) == set(sets)
    made = [
        LabelRule(
            one,
            issuance.has_priority(guangzhou, labels),
            group.code if (group := issuance.group_of(guangzhou, labels)) else "",
            "",
            MOST,
            QUOTA,
        )
        for one, labels in held.items()
    ]
    terms = RankTerms(row.id, budget.id, PROGRAMME, MONDAY, pool, order, QUALIFIED, made, RankOutcome.WAITING)
    return await ranking.rank(connection, terms)


def _written(labels: tuple[str, ...], sets: list[str]) -> str:
    return next((one for one in sets if tuple(json.loads(one)) == labels), "")


@rules("GZ-12", "GZ-30")
@given(cases=CASES, pool=st.sampled_from([0, 99, 1_300, 3_000, 8_000, 10**6]))
@example(cases=EVERY_KIND, pool=10**6)
@example(cases=EVERY_KIND, pool=4_000)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_sql_ranks_and_awards_as_the_rules_do(
    database: TortoiseContext, cases: list[Case], pool: int
) -> None:
    order = (RankKey.PRIORITY, RankKey.ARRIVAL)
    with pytest.raises(Rolled):
        async with in_transaction() as connection:
            budget, row = await _scene(cases, pool)
            totals = await _in_sql(budget, row, pool, order, connection)
            outcome, faults = _by_the_rules(cases, pool, order)
            entries = await RankingEntry.filter(round_id=row.id)
            listed = sorted((one for one in entries if one.position), key=lambda one: one.position or 0)
            wanted = [(one.application.id, one.amount_fen) for one in outcome.awards]
            wanted += [(one.id, 0) for one in outcome.waiting]
            assert [(one.place, one.awarded_fen) for one in listed] == wanted
            assert [one.position for one in listed] == list(range(1, len(listed) + 1))
            assert {1000 - one.place: one.outcome for one in entries if not one.position} == faults
            assert totals.awarded_fen == sum(amount for _, amount in wanted)
            assert (totals.ranked, totals.excluded) == (len(wanted), len(faults))
            assert (totals.awarded, totals.waiting) == (len(outcome.awards), len(outcome.waiting))
            head = ListHead(row.id, PROGRAMME, "2020", pool, order)
            lines = await ranking.lines(connection, row.id, after=0, limit=100)
            text = head_line(head) + "".join(map(line_of, lines))
            assert await ranking.fingerprint(connection, head) == hashlib.sha256(text.encode()).hexdigest()
            raise Rolled()


async def test_the_name_of_a_person_in_business_is_masked_and_a_companys_is_not(
    database: TortoiseContext,
) -> None:
    cases = [Case(0, (), 100, 0, True, False), Case(1, (), 100, 0, True, False)]
    budget, row = await _scene(cases, 1_000)
    first = await Organisation.all().order_by("id").first()
    assert first is not None
    await Organisation.filter(id=first.id).update(name="张三烟酒店", legal_form="individual")
    async with in_transaction() as connection:
        await _in_sql(budget, row, 1_000, (RankKey.PRIORITY, RankKey.ARRIVAL), connection)
        lines = await ranking.lines(connection, row.id, after=0, limit=100)
    assert [line["name"] for line in lines] == ["张**", "第1|\n有限公司"]
