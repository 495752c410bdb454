"""Scope: every matter a text lists is bought under its own category, and what it counts out is not."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from server.rules.deduction import Prices, Used, deduction, use_unmet
from server.rules.quota import quota_left, tier_of
from server.rules.scope import scope_unmet
from server.units import yuan_to_fen
from tests.rules.cast import GUANGXI, GUANGZHOU, LISHUI, NINGXIA, YINCHUAN, programme


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
    Listed(
        "GX-16",
        GUANGXI,
        "企业诊断服务",
        "数字化转型诊断、研发设计诊断、知识产权诊断、绿色节能诊断、融资诊断、股权诊断、安全生产诊断、数据安全评估诊断、技术改造诊断、企业高管深修、标杆研学",
    ),
    Listed(
        "GX-17",
        GUANGXI,
        "数字化转型服务",
        "企业标识解析应用/网络安全建设/企业上云/数字化智能化改造/人工智能大模型及算力服务/软件应用和系统解决方案/网络和数据安全检测、认证、评估管理/分类分级保护/数据资产入表",
    ),
    Listed(
        "GX-18",
        GUANGXI,
        "技术创新服务",
        "技术研发、技术咨询、工业设计、新产品新技术新工艺的研发和应用、技术成果转化、科技成果评价、质量体系认证、标准化建设、科研设备设施共享、产学研用",
    ),
    Listed(
        "GX-19",
        GUANGXI,
        "融资服务",
        "经营风险评估、信用评级、资产评估、融资质押抵押评估、融资方案设计、融资辅导、上市调研策划、上市培训辅导、上市主体设计、上市顾问、股权投资咨询",
    ),
    Listed(
        "GX-20",
        GUANGXI,
        "高阶检验检测验证服务",
        "以定制化智能制造、数字测量等高精尖技术为支撑的检验检测服务或解决方案/",
    ),
    Listed(
        "GX-21", GUANGXI, "中高端市场开拓服务", "品牌营销策划、主流媒体宣传、电子商务运营、大宗销售渠道合作"
    ),
    Listed("NX-11", NINGXIA, "信息化服务", "软件定制开发、信息技术、财务信息化"),
    Listed(
        "NX-12",
        NINGXIA,
        "技术创新和质量服务",
        "研发设计、试验试制、检验检测、产品认证、管理认证、设备共享、质量管理、技术推广",
    ),
    Listed(
        "NX-13",
        NINGXIA,
        "管理咨询服务",
        "财务代理、税务代理、财务审计、税务审计、资产评估、环境评价、节能评估、项目申报",
    ),
    Listed("NX-14", NINGXIA, "法律服务", "企业治理结构法律顾问、企业合同风险防范体系、企业知识产权保护体系"),
    Listed("NX-15", NINGXIA, "知识产权服务", "商标、专利代理、版权代理、技术成果转化"),
    Listed("NX-15", NINGXIA, "信用服务", "信用征集与评价"),
    Listed("NX-15", NINGXIA, "企业迫切需要的其他服务", "企业迫切需要的其他服务"),
    Listed("GZ-14", GUANGZHOU, "信息服务", "法律法规、政策、技术、质量、标准、人才、市场、物流、管理、财税"),
    Listed(
        "GZ-15",
        GUANGZHOU,
        "技术服务",
        "工业设计、解决方案、检验检测、质量控制和技术评价、技术开发、技术转移、信息化应用、设备共享、知识产权、"
        "品牌建设、产品创新、技术创新、智能制造、创新资源共享、技术成果转化、创新成果推广",
    ),
    Listed("GZ-16", GUANGZHOU, "创业服务", "创业辅导、项目策划、政务代理、创业场地"),
    Listed("GZ-17", GUANGZHOU, "培训服务", "经营管理、市场营销、风险防范、技术和创业"),
    Listed("GZ-17", GUANGZHOU, "融资服务", "融资信息、组织开展投融资推介和对接、信用征集与评价"),
]
MATTERS = [
    pytest.param(row, id=f"{row.slug}/{row.category}", marks=pytest.mark.rules(row.rule)) for row in LISTS
]


def code_of(slug: str, name: str) -> str:
    """The code of a category, from its name in the text."""
    return next(category.code for category in programme(slug).categories if category.name == name)


def matters_of(row: Listed) -> list[str]:
    """A slash parts matters that have the Chinese comma in their own name."""
    parts = row.matters.split("/" if "/" in row.matters else "、")
    return [part for part in parts if part]


@pytest.mark.parametrize("row", MATTERS)
def test_every_matter_of_the_text_is_bought_under_its_own_category_and_no_other(row: Listed) -> None:
    rules = programme(row.slug)

    assert scope_unmet(rules, code_of(row.slug, row.category), matters_of(row)) == ()

    other = next(category.code for category in rules.categories if category.name != row.category)
    refused = scope_unmet(rules, other, matters_of(row))
    assert [unmet.code for unmet in refused] == ["other_category"] * len(matters_of(row))


@pytest.mark.parametrize(
    ("slug", "category", "matter"),
    [
        pytest.param(
            GUANGXI, "高阶检验检测验证服务", "常规通用检验项目", marks=pytest.mark.rules("GX-20"), id="common"
        ),
        pytest.param(
            GUANGXI, "高阶检验检测验证服务", "强制检验项目", marks=pytest.mark.rules("GX-20"), id="compulsory"
        ),
        pytest.param(NINGXIA, "法律服务", "诉讼服务", marks=pytest.mark.rules("NX-14"), id="litigation"),
    ],
)
def test_what_a_text_counts_out_is_not_bought(slug: str, category: str, matter: str) -> None:
    rules = programme(slug)

    [unmet] = scope_unmet(rules, code_of(slug, category), [matter])

    assert unmet.code == "counted_out"
    assert unmet.message == f"“{matter}”不在{category}的支持范围内"


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


@pytest.mark.rules("GX-58")
def test_a_guangxi_quota_is_spread_over_products_as_the_enterprise_likes() -> None:
    rules = programme(GUANGXI)
    ordinary = tier_of(rules, frozenset())
    bought = [("融资服务", 40_000), ("数字化转型服务", 100_000), ("企业诊断服务", 5_000)]
    paid: list[int] = []

    for name, price in bought:
        left = quota_left(rules, ordinary, sum(paid), {})
        assert left is not None
        code, prices = code_of(GUANGXI, name), Prices(contract_fen=yuan_to_fen(price))
        assert use_unmet(rules, code, Used(vouchers_on_order=len(paid))) == ()
        paid.append(deduction(rules, code, prices, used=Used(), others=[left]).amount_fen)

    assert paid == [yuan_to_fen(amount) for amount in (20_000, 30_000, 0)]
