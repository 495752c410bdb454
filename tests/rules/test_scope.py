"""Scope: every matter a text lists is bought under its own category, and what it counts out is not."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from server.rules.scope import scope_unmet
from tests.rules.cast import LISHUI, YINCHUAN, programme


class Listed(NamedTuple):
    """What the text lists under one category, written down a second time from the text."""

    rule: str
    slug: str
    category: str
    matters: str


LISTS = [
    Listed(
        "LS-14",
        LISHUI,
        "人力资源服务",
        "人力资源招聘、人力资源派遣、人力资源规划、薪酬管理、员工关系管理、绩效管理、高级人才寻访（猎头服务）",
    ),
    Listed(
        "LS-15",
        LISHUI,
        "技术创新服务",
        "项目申报代理服务、技术咨询、技术开发、技术转让、技术服务、科技成果转化、工业设计",
    ),
    Listed(
        "LS-16",
        LISHUI,
        "财税审计服务",
        "税务咨询、资产评估、代理记账、汇算清缴、财务审计、财税顾问",
    ),
    Listed(
        "LS-17",
        LISHUI,
        "法律维权服务",
        "合规建设、法律咨询、法律诉讼、法律顾问、法律文书代理、公证服务、仲裁服务、法律风险预防",
    ),
    Listed("LS-18", LISHUI, "管理咨询服务", "企业经营诊断、发展战略、市场开拓、品牌推广、征信服务"),
    Listed(
        "LS-19",
        LISHUI,
        "检验检测认证",
        "产品检验检测、环境监测、技术改造可行性研究、安全生产社会化管理、风险评估、能源评价、环境评价、安全评价、"
        "质量管理体系认证、环境管理体系认证、职业健康卫生与安全体系认证、国内外产品认证",
    ),
    Listed("LS-20", LISHUI, "知识产权服务", "专利代理、专利维权、商标代理、知识产权贯标"),
    Listed(
        "LS-21",
        LISHUI,
        "智能化数字化服务",
        "研发、生产、管理和服务的信息化/智能管理和智能服务/智能制造技术咨询/两化融合管理体系贯标服务/信息安全服务",
    ),
    Listed(
        "LS-22",
        LISHUI,
        "职业技能服务",
        "职工上岗考证、职业技能提升培训、产业紧缺人才技能培训、安全技能提升培训、通用职业素质和数字技能普及性培训",
    ),
]
MATTERS = [
    pytest.param(row, id=f"{row.slug}/{row.category}", marks=pytest.mark.rules(row.rule)) for row in LISTS
]


def code_of(slug: str, name: str) -> str:
    """The code of a category, from its name in the text."""
    return next(category.code for category in programme(slug).categories if category.name == name)


def matters_of(row: Listed) -> list[str]:
    """A slash parts matters that have the Chinese comma in their own name."""
    return row.matters.split("/" if "/" in row.matters else "、")


@pytest.mark.parametrize("row", MATTERS)
def test_every_matter_of_the_text_is_bought_under_its_own_category_and_no_other(row: Listed) -> None:
    rules = programme(row.slug)

    assert scope_unmet(rules, code_of(row.slug, row.category), matters_of(row)) == ()

    other = next(category.code for category in rules.categories if category.name != row.category)
    refused = scope_unmet(rules, other, matters_of(row))
    assert [unmet.code for unmet in refused] == ["other_category"] * len(matters_of(row))


@pytest.mark.parametrize("slug", sorted({row.slug for row in LISTS}))
def test_a_matter_that_no_list_names_is_left_to_the_reviewer(slug: str) -> None:
    rules = programme(slug)

    assert scope_unmet(rules, rules.categories[0].code, ["一项从未有人想到的服务"]) == ()


@pytest.mark.rules("YC-12")
def test_yinchuan_supports_four_fields_and_no_fifth() -> None:
    rules = programme(YINCHUAN)
    fields = ["技术创新", "上云用云", "品牌建设", "项目审批"]

    assert [scope_unmet(rules, code_of(YINCHUAN, name), []) for name in fields] == [(), (), (), ()]

    [unmet] = scope_unmet(rules, "canteen", [])
    assert (unmet.code, unmet.clause) == ("unknown_category", "第九条")
    assert unmet.message == "服务类别须为其一：技术创新、上云用云、品牌建设、项目审批"
