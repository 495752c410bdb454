"""Sanctions: each ground leads to its measures, and each ban runs as long as its text says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from server.programme.oversight import Measure, Sanction
from server.programme.vocabulary import Actor, Party
from server.rules.eligibility import provider_unmet, unmet
from server.rules.lifecycles import VoucherAct
from server.rules.sanctions import ban, sanction_of, voids_vouchers
from tests.rules.cast import (
    GUANGXI,
    GUANGZHOU,
    LISHUI,
    NINGXIA,
    YINCHUAN,
    admissible_provider,
    eligible_enterprise,
    programme,
    size_standard,
)

rules = pytest.mark.rules
DECIDED = date(2026, 5, 18)


def sanction(slug: str, says: str) -> Sanction:
    """The sanction whose ground says this, as each party it can hit finds it."""
    found = next(
        (one, ground.code)
        for one in programme(slug).sanctions
        for ground in one.grounds
        if says in ground.says
    )
    assert all(sanction_of(programme(slug), found[1], party) is found[0] for party in found[0].against)
    return found[0]


def barred_days(slug: str, says: str, party: Party) -> list[bool]:
    """Whether a party is turned away: the day before, on the day, after three years less a day, and later."""
    entry = ban(sanction(slug, says), DECIDED)
    days = (date(2026, 5, 17), DECIDED, date(2029, 5, 17), date(2029, 5, 18), date(2099, 1, 1))
    entries = () if entry is None else (entry,)
    if party is Party.ENTERPRISE:
        enterprise = replace(eligible_enterprise(slug), barred=entries)
        return [bool(unmet(programme(slug), enterprise, day, size_standard())) for day in days]
    provider = replace(admissible_provider(slug), barred=entries)
    return [
        any(
            one.code == "blocklist" for one in provider_unmet(programme(slug), provider, day, size_standard())
        )
        for day in days
    ]


FOR_GOOD = [False, True, True, True, True]
THREE_YEARS = [False, True, True, False, False]


@pytest.mark.parametrize(
    ("slug", "says", "party", "barred"),
    [
        pytest.param(YINCHUAN, "虚构服务合同", Party.PROVIDER, THREE_YEARS, marks=rules("YC-37", "YC-38")),
        pytest.param(YINCHUAN, "虚增服务价格", Party.ENTERPRISE, THREE_YEARS, marks=rules("YC-37", "YC-38")),
        pytest.param(YINCHUAN, "提供虚假申请材料", Party.PROVIDER, FOR_GOOD, marks=rules("YC-31", "YC-32")),
        pytest.param(YINCHUAN, "不一致", Party.PROVIDER, FOR_GOOD, marks=rules("YC-33")),
        pytest.param(YINCHUAN, "第八条", Party.PROVIDER, FOR_GOOD, marks=rules("YC-34")),
        pytest.param(YINCHUAN, "第九条", Party.PROVIDER, FOR_GOOD, marks=rules("YC-34")),
        pytest.param(YINCHUAN, "重复使用", Party.PROVIDER, FOR_GOOD, marks=rules("YC-35")),
        pytest.param(YINCHUAN, "不配合监督", Party.PROVIDER, FOR_GOOD, marks=rules("YC-36")),
        pytest.param(YINCHUAN, "核销数据异常", Party.PROVIDER, [False] * 5, marks=rules("YC-40")),
        pytest.param(GUANGXI, "瞒报", Party.PROVIDER, FOR_GOOD, marks=rules("GX-46")),
        pytest.param(GUANGXI, "转让、赠送", Party.ENTERPRISE, FOR_GOOD, marks=rules("GX-75", "GX-76")),
        pytest.param(GUANGXI, "转包、分包", Party.PROVIDER, FOR_GOOD, marks=rules("GX-75", "GX-77")),
        pytest.param(GUANGXI, "串通套现", Party.ENTERPRISE, FOR_GOOD, marks=rules("GX-75", "GX-78")),
        pytest.param(GUANGXI, "投诉", Party.PROVIDER, FOR_GOOD, marks=rules("GX-79")),
        pytest.param(GUANGXI, "自查报告", Party.PROVIDER, FOR_GOOD, marks=rules("GX-80")),
        pytest.param(GUANGXI, "不配合监督", Party.ENTERPRISE, FOR_GOOD, marks=rules("GX-81")),
        pytest.param(NINGXIA, "恶意串通", Party.ENTERPRISE, FOR_GOOD, marks=rules("NX-27", "NX-28")),
        pytest.param(NINGXIA, "弄虚作假", Party.PROVIDER, FOR_GOOD, marks=rules("NX-27")),
        pytest.param(NINGXIA, "企业不满意", Party.PROVIDER, [False] * 5, marks=rules("NX-26")),
        pytest.param(LISHUI, "骗取财政资金", Party.ENTERPRISE, FOR_GOOD, marks=rules("LS-79")),
        (LISHUI, "转让、买卖、质押", Party.ENTERPRISE, FOR_GOOD),
        pytest.param(LISHUI, "不能满足基本条件", Party.PROVIDER, FOR_GOOD, marks=rules("LS-43")),
        pytest.param(LISHUI, "拒收服务券", Party.PROVIDER, FOR_GOOD, marks=rules("LS-76")),
        pytest.param(GUANGZHOU, "提供虚假材料", Party.PROVIDER, FOR_GOOD, marks=rules("GZ-52")),
        pytest.param(GUANGZHOU, "价格明显虚高", Party.PROVIDER, FOR_GOOD, marks=rules("GZ-52")),
        pytest.param(GUANGZHOU, "与合同严重不符", Party.PROVIDER, FOR_GOOD, marks=rules("GZ-52")),
        pytest.param(GUANGZHOU, "恶意串通", Party.PROVIDER, FOR_GOOD, marks=rules("GZ-52")),
        pytest.param(GUANGZHOU, "弄虚作假", Party.ENTERPRISE, FOR_GOOD, marks=rules("GZ-56")),
    ],
)
def test_a_ground_bars_as_long_as_its_text_says(
    slug: str, says: str, party: Party, barred: list[bool]
) -> None:
    assert party in sanction(slug, says).against
    assert barred_days(slug, says, party) == barred


@pytest.mark.parametrize(
    ("slug", "says", "voids", "stops"),
    [
        pytest.param(YINCHUAN, "提供虚假申请材料", True, True, marks=rules("YC-31")),
        pytest.param(NINGXIA, "恶意串通", True, True, marks=rules("NX-29")),
        pytest.param(LISHUI, "15日内提交佐证材料", True, False, marks=rules("LS-63")),
        pytest.param(GUANGXI, "不能履约", False, True, marks=rules("GX-84")),
        pytest.param(LISHUI, "不配合监督", False, False),
    ],
)
def test_a_sanction_voids_vouchers_or_stops_the_settlement_as_its_text_says(
    slug: str, says: str, voids: bool, stops: bool
) -> None:
    found = sanction(slug, says)
    assert (voids_vouchers(found), Measure.NO_SETTLEMENT in found.measures) == (voids, stops)


@rules("YC-31", "LS-43")
@pytest.mark.parametrize(("slug", "says"), [(YINCHUAN, "不配合监督"), (LISHUI, "不配合监督")])
def test_the_operator_reports_and_the_authority_decides(slug: str, says: str) -> None:
    found = sanction(slug, says)
    assert (found.proposed_by, found.decided_by) == (Actor.OPERATOR, Actor.AUTHORITY)


M = Measure


@pytest.mark.parametrize(
    ("slug", "says", "measures"),
    [
        pytest.param(
            YINCHUAN,
            "虚构服务合同",
            {
                M.CANCEL_ELIGIBILITY,
                M.CANCEL_ADMISSION,
                M.NO_SETTLEMENT,
                M.BLOCKLIST,
                M.WIDER_BAN,
                M.ANNOUNCE,
            },
            marks=rules("YC-37"),
        ),
        pytest.param(YINCHUAN, "不配合监督", {M.VOID_VOUCHERS, M.NO_SETTLEMENT, M.BAR}, marks=rules("YC-31")),
        pytest.param(
            GUANGXI,
            "串通套现",
            {
                M.STOP_TRANSACTION,
                M.CLAW_BACK,
                M.CANCEL_ELIGIBILITY,
                M.CANCEL_ADMISSION,
                M.BAD_CREDIT_RECORD,
            },
            marks=rules("GX-75"),
        ),
        pytest.param(GUANGXI, "瞒报", {M.CANCEL_ADMISSION, M.BAR}, marks=rules("GX-46")),
        pytest.param(NINGXIA, "企业不满意", {M.REDUCE_SETTLEMENT}, marks=rules("NX-26")),
        pytest.param(
            NINGXIA,
            "恶意串通",
            {
                M.CANCEL_ELIGIBILITY,
                M.CANCEL_ADMISSION,
                M.VOID_VOUCHERS,
                M.NO_SETTLEMENT,
                M.BAD_CREDIT_RECORD,
                M.BAR,
                M.BAR_PERSON,
            },
            marks=rules("NX-27", "NX-28", "NX-29"),
        ),
        pytest.param(LISHUI, "不配合监督", {M.CANCEL_ADMISSION, M.ANNOUNCE, M.REFER}, marks=rules("LS-43")),
        pytest.param(LISHUI, "骗取财政资金", {M.CLAW_BACK, M.NO_SETTLEMENT, M.BAR}, marks=rules("LS-79")),
        pytest.param(
            LISHUI,
            "15日内提交佐证材料",
            {M.CANCEL_ELIGIBILITY, M.VOID_VOUCHERS},
            marks=rules("LS-63"),
        ),
        pytest.param(
            GUANGZHOU,
            "与合同严重不符",
            {M.CANCEL_ADMISSION, M.REVOKE_TITLE, M.CLAW_BACK, M.RECLAIM_VOUCHERS, M.LEGAL_LIABILITY},
            marks=rules("GZ-52"),
        ),
        pytest.param(
            GUANGZHOU,
            "弄虚作假",
            {M.CLAW_BACK, M.CANCEL_ELIGIBILITY, M.BAR, M.LEGAL_LIABILITY},
            marks=rules("GZ-56"),
        ),
    ],
)
def test_a_ground_leads_to_exactly_the_measures_of_its_text(
    slug: str, says: str, measures: set[Measure]
) -> None:
    assert sanction(slug, says).measures == measures


@rules("NX-26")
def test_ningxia_may_settle_less_than_was_asked_for() -> None:
    assert programme(NINGXIA).settlement.adjustable


@rules("YC-38")
def test_the_wider_ban_of_yinchuan_says_what_it_covers() -> None:
    assert "申报市级工业项目、荣誉及政策支持" in sanction(YINCHUAN, "虚构服务合同").ban_scope


@rules("YC-40")
def test_abnormal_data_holds_the_payment_and_passes_the_clues_on() -> None:
    assert sanction(YINCHUAN, "核销数据异常").measures == {Measure.HOLD_SETTLEMENT, Measure.REFER}


@rules("NX-28")
def test_the_responsible_person_is_barred_with_the_enterprise_in_ningxia() -> None:
    assert Measure.BAR_PERSON in sanction(NINGXIA, "恶意串通").measures


def test_a_ground_nobody_named_leads_to_no_sanction() -> None:
    assert sanction_of(programme(LISHUI), "never_heard_of", Party.ENTERPRISE) is None


@pytest.mark.parametrize(
    ("slug", "forbidden"),
    [
        (YINCHUAN, {"转让", "流通", "挪作他用"}),
        (GUANGXI, {"转让", "流通", "挪作他用", "赠送", "买卖"}),
        (NINGXIA, {"转让", "流通", "挪作他用"}),
        (LISHUI, {"转让", "买卖", "质押", "流通", "挪作他用"}),
        (GUANGZHOU, {"转让", "赠送", "质押", "重复使用"}),
    ],
)
def test_a_voucher_is_named_never_changes_hands_and_never_becomes_money(
    slug: str, forbidden: set[str]
) -> None:
    voucher = programme(slug).voucher
    assert set(voucher.forbidden) == forbidden
    assert (voucher.named, voucher.transferable, voucher.change_given) == (True, False, False)
    # There is no way to give one away: what a holder can do is pay, hand back, take a payment back.
    assert {act.value for act in VoucherAct} == {"pay", "hand_back", "take_payment_back"}
