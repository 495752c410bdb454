"""Eligibility: who meets everything lacks nothing, and every clause not met is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from server.rules.eligibility import unmet
from server.rules.facts import held
from tests.rules.cast import (
    GUANGXI,
    GUANGZHOU,
    LISHUI,
    NINGXIA,
    YINCHUAN,
    eligible_enterprise,
    enterprise_lacks,
    programme,
    provider_lacks,
    size_standard,
)

SLUGS = (LISHUI, GUANGXI, GUANGZHOU, NINGXIA, YINCHUAN)


@pytest.mark.parametrize("slug", SLUGS)
def test_who_meets_everything_lacks_nothing(slug: str) -> None:
    assert enterprise_lacks(slug) == {}
    assert provider_lacks(slug) == {}


def test_every_clause_not_met_is_named_not_just_the_first() -> None:
    found = unmet(
        programme(LISHUI),
        replace(
            eligible_enterprise(LISHUI),
            area="浙江省/杭州市",
            legal_person=False,
            labels=held(["per_mu_rated_d"]),
            established_on=date(2026, 1, 1),
            violation_years=(2025, 2024),
        ),
        date(2026, 5, 18),
        size_standard(),
    )
    assert [(one.code, one.clause, one.arithmetic) for one in found] == [
        (
            "area",
            "二（一）",
            "注册地为浙江省/杭州市，须为浙江省/丽水市/市直、浙江省/丽水市/莲都区、浙江省/丽水市/丽水经开区",
        ),
        ("legal_person", "二（一）", "填报为“否”，须为“是”"),
        ("performance", "二（一）1", "现有：绩效综合评价（亩均论英雄）D类"),
        ("established", "二（一）2", "成立 4 个月 < 12 个月（2027-01-01 起满足）"),
        ("past_violation", "二（一）3", "违规年度：2024、2025"),
    ]
    assert found[3].message == "申请入驻平台时成立时间不足12个月的企业不列入发放范围"
