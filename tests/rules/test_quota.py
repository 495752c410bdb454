"""Quotas: whose tier is which, what a year leaves, and what room a provider has."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.programme.issuance import QuotaEvent
from server.programme.vocabulary import ShareBase
from server.rules.quota import (
    QuotaExceeded,
    counted_fen,
    grantable,
    provider_room,
    quota_left,
    require_grantable,
    tier_for_year,
    tier_of,
)
from server.units import yuan_to_fen
from tests.rules.cast import GUANGXI, GUANGZHOU, LISHUI, NINGXIA, YINCHUAN, programme

rules = pytest.mark.rules


def quota_yuan(slug: str, *labels: str) -> float:
    """The year's quota of a holder of these labels who was granted nothing yet."""
    left = quota_left(programme(slug), tier_of(programme(slug), frozenset(labels)), 0, {})
    assert left is not None
    return left.amount_fen / 100


@rules("LS-27")
def test_a_lishui_enterprise_without_labels_has_ten_thousand() -> None:
    assert quota_yuan(LISHUI) == 10_000
    assert quota_yuan(LISHUI, "some_other_title") == 10_000


@rules("LS-28")
def test_newly_above_scale_has_twenty_thousand_in_lishui_even_with_other_titles() -> None:
    assert quota_yuan(LISHUI, "newly_above_scale") == 20_000
    assert quota_yuan(LISHUI, "seedling_library", "newly_above_scale") == 20_000


@rules("LS-29")
def test_the_seedling_library_is_a_tier_of_its_own_with_ten_thousand() -> None:
    tier = tier_of(programme(LISHUI), frozenset({"seedling_library"}))
    assert tier is not None
    assert tier.any_of == ("seedling_library",)
    assert quota_yuan(LISHUI, "seedling_library") == 10_000


@rules("GX-26")
def test_an_ordinary_guangxi_manufacturer_has_fifty_thousand() -> None:
    assert quota_yuan(GUANGXI) == 50_000
    assert quota_yuan(GUANGXI, "above_designated_size") == 50_000


@pytest.mark.parametrize(
    ("label", "quota"),
    [
        *(
            pytest.param(label, 100_000, marks=rules("GX-27"))
            for label in (
                "regional_digital_workshop",
                "integration_standard_assessed",
                "digital_maturity_3",
                "srdi_board",
                "innovative_sme",
                "newly_listed_two_years",
            )
        ),
        *(
            pytest.param(label, 200_000, marks=rules("GX-28"))
            for label in (
                "regional_single_champion",
                "regional_srdi",
                "regional_smart_factory",
                "regional_innovation_model",
                "regional_quality_benchmark",
            )
        ),
        *(
            pytest.param(label, 300_000, marks=rules("GX-29"))
            for label in ("national_single_champion", "national_little_giant")
        ),
    ],
)
def test_a_guangxi_label_leads_to_its_tier(label: str, quota: int) -> None:
    assert quota_yuan(GUANGXI, label) == quota


@rules("GX-26", "GX-27", "GX-28", "GX-29")
def test_of_several_tiers_the_highest_counts_and_never_their_sum() -> None:
    assert quota_yuan(GUANGXI, "innovative_sme", "regional_srdi") == 200_000
    assert quota_yuan(GUANGXI, "innovative_sme", "regional_srdi", "national_little_giant") == 300_000


@rules("GX-25")
def test_the_quota_follows_from_the_labels_alone_without_anybody_choosing() -> None:
    assert programme(GUANGXI).issuance.mode == "allotment"
    assert quota_yuan(GUANGXI, "digital_maturity_3") == 100_000


def test_a_label_gained_in_mid_year_raises_the_quota_and_one_lost_takes_nothing_back() -> None:
    guangxi = programme(GUANGXI)
    ordinary, growing = (tier_of(guangxi, frozenset(labels)) for labels in ((), ("innovative_sme",)))
    assert tier_for_year(guangxi, ordinary, growing) is growing
    assert tier_for_year(guangxi, growing, ordinary) is growing
    assert tier_for_year(guangxi, None, ordinary) is ordinary
    assert tier_for_year(guangxi, growing, None) is growing


def test_elsewhere_the_year_keeps_the_tier_it_began_with() -> None:
    lishui = programme(LISHUI)
    first, today = (tier_of(lishui, frozenset(labels)) for labels in ((), ("newly_above_scale",)))
    assert tier_for_year(lishui, first, today) is first


@rules("GX-56")
@pytest.mark.parametrize(("granted", "left"), [(49_999.99, 0.01), (50_000, 0), (50_000.01, 0)])
def test_no_guangxi_enterprise_uses_more_than_its_quota(granted: float, left: float) -> None:
    room = quota_left(programme(GUANGXI), tier_of(programme(GUANGXI), frozenset()), yuan_to_fen(granted), {})
    assert room is not None
    assert room.amount_fen == yuan_to_fen(left)


@rules("NX-10")
def test_five_thousand_a_year_is_the_ningxia_quota() -> None:
    assert quota_yuan(NINGXIA) == 5_000


@rules("GZ-21")
def test_twenty_thousand_a_year_is_the_guangzhou_quota() -> None:
    assert quota_yuan(GUANGZHOU) == 20_000


def test_yinchuan_has_no_quota_for_enterprises() -> None:
    yinchuan = programme(YINCHUAN)
    assert quota_left(yinchuan, tier_of(yinchuan, frozenset()), yuan_to_fen(10_000_000), {}) is None
    assert grantable(yinchuan, None, None) is None
    require_grantable(10**12, None)


@pytest.mark.parametrize(
    ("slug", "event", "counts"),
    [
        pytest.param(GUANGZHOU, QuotaEvent.EXPIRED, True, marks=rules("GZ-38")),
        pytest.param(GUANGZHOU, QuotaEvent.RECLAIMED, True, marks=rules("GZ-38")),
        pytest.param(GUANGZHOU, QuotaEvent.HANDED_BACK, False, marks=rules("GZ-39")),
        pytest.param(LISHUI, QuotaEvent.EXPIRED, True, marks=rules("LS-68")),
        pytest.param(GUANGXI, QuotaEvent.EXPIRED, True, marks=rules("GX-59")),
        pytest.param(GUANGXI, QuotaEvent.HANDED_BACK, False),
        pytest.param(NINGXIA, QuotaEvent.EXPIRED, True, marks=rules("NX-33")),
    ],
)
def test_what_ends_unused_burns_the_quota_or_gives_it_back(
    slug: str, event: QuotaEvent, counts: bool
) -> None:
    assert counted_fen(programme(slug), 1_000, {event: 400}) == (1_000 if counts else 600)


@pytest.mark.parametrize(
    ("slug", "burns"),
    [
        pytest.param(LISHUI, {"used", "expired", "reclaimed", "voided"}, marks=rules("LS-68")),
        pytest.param(GUANGXI, {"used", "expired", "voided"}, marks=rules("GX-59")),
        pytest.param(GUANGZHOU, {"used", "expired", "reclaimed", "voided"}, marks=rules("GZ-38", "GZ-39")),
        pytest.param(NINGXIA, {"used", "expired", "voided"}, marks=rules("NX-33")),
    ],
)
def test_a_text_says_in_full_what_uses_a_quota_up(slug: str, burns: set[str]) -> None:
    assert programme(slug).burns_quota == burns


def test_what_is_left_of_a_quota_shows_its_arithmetic_and_its_clause() -> None:
    lishui = programme(LISHUI)
    left = quota_left(lishui, tier_of(lishui, frozenset()), 400_000, {QuotaEvent.HANDED_BACK: 100_000})
    assert left is not None
    assert (left.clause, left.arithmetic) == ("二（三）1", "年度额度 10,000.00 − 已用 3,000.00 = 7,000.00")


@rules("LS-27", "LS-28")
@pytest.mark.parametrize(
    ("labels", "granted", "most"),
    [
        ((), 0, 10_000),
        ((), 10_000, 0),
        (("newly_above_scale",), 0, 20_000),
        (("newly_above_scale",), 19_999.99, 0.01),
    ],
)
def test_one_grab_is_worth_the_face_value_and_never_more_than_the_year_leaves(
    labels: tuple[str, ...], granted: float, most: float
) -> None:
    lishui = programme(LISHUI)
    tier = tier_of(lishui, frozenset(labels))
    limit = grantable(lishui, tier, quota_left(lishui, tier, yuan_to_fen(granted), {}))
    assert limit is not None
    assert limit.amount_fen == yuan_to_fen(most)


def test_a_round_may_limit_what_one_holder_gets_at_once() -> None:
    guangzhou = programme(GUANGZHOU)
    limited = replace(guangzhou, issuance=replace(guangzhou.issuance, per_round_limit_fen=500_000))
    limit = grantable(limited, None, quota_left(limited, None, 0, {}))
    assert limit is not None
    assert (limit.amount_fen, limit.arithmetic) == (500_000, "单批次上限 5,000.00 − 已用 0.00 = 5,000.00")


@rules("GZ-29")
@pytest.mark.parametrize(("asked", "allowed"), [(4_999.99, True), (5_000, True), (5_000.01, False)])
def test_a_guangzhou_enterprise_enters_any_amount_up_to_what_its_year_leaves(
    asked: float, allowed: bool
) -> None:
    guangzhou = programme(GUANGZHOU)
    assert guangzhou.issuance.amount_entered
    limit = grantable(guangzhou, None, quota_left(guangzhou, None, yuan_to_fen(15_000), {}))
    if allowed:
        require_grantable(yuan_to_fen(asked), limit)
        return
    with pytest.raises(QuotaExceeded) as refused:
        require_grantable(yuan_to_fen(asked), limit)
    assert refused.value.arithmetic == "年度额度 20,000.00 − 已用 15,000.00 = 5,000.00"
    assert refused.value.values == {"asked": "5,000.01", "most": "5,000.00"}


@rules("GX-32")
@pytest.mark.parametrize(
    ("received", "left"), [(0, 5_000_000), (4_999_999.99, 0.01), (5_000_000, 0), (5_000_000.01, 0)]
)
def test_a_guangxi_provider_settles_five_million_a_year_in_principle(received: float, left: float) -> None:
    room = provider_room(
        programme(GUANGXI), received_fen=yuan_to_fen(received), year_total_fen=0, year_issued_fen=0
    )
    assert room is not None
    assert room.limit.amount_fen == yuan_to_fen(left)
    assert room.ceiling.in_principle
    assert not room.ceiling.blocks_orders


@rules("GZ-25", "GZ-26")
def test_of_two_ceilings_the_smaller_counts_and_says_which_it_was() -> None:
    def room(total: int) -> tuple[str, str]:
        left = provider_room(
            programme(GUANGZHOU), received_fen=100, year_total_fen=yuan_to_fen(total), year_issued_fen=0
        )
        assert left is not None
        assert left.ceiling.blocks_orders
        return left.limit.clause, left.limit.arithmetic

    assert room(6_000_000) == ("方案四（三）", "服务机构收券上限 500,000.00 − 已用 1.00 = 499,999.00")
    assert room(4_000_000) == (
        "机构手册（三）",
        "服务机构收券上限（年度总额 4,000,000.00 × 10%） 400,000.00 − 已用 1.00 = 399,999.00",
    )


@rules("GX-32")
@pytest.mark.parametrize(("raised", "left"), [(6_000_000, 1_500_000), (4_000_000, 500_000)])
def test_what_the_authority_has_raised_counts_where_it_is_more_and_says_so(raised: int, left: int) -> None:
    room = provider_room(
        programme(GUANGXI),
        received_fen=yuan_to_fen(4_500_000),
        year_total_fen=0,
        year_issued_fen=0,
        raised_fen={"service_year": yuan_to_fen(raised)},
    )
    assert room is not None
    assert room.limit.amount_fen == yuan_to_fen(left)
    assert ("经批准" in room.limit.arithmetic) is (raised > 5_000_000)


def test_a_ceiling_without_exception_is_raised_by_nobody() -> None:
    (first, *_) = programme(GUANGZHOU).provider_ceilings
    room = provider_room(
        programme(GUANGZHOU),
        received_fen=0,
        year_total_fen=yuan_to_fen(100_000_000),
        year_issued_fen=0,
        raised_fen={first.code: yuan_to_fen(9_000_000)},
    )
    assert room is not None
    assert room.limit.amount_fen == yuan_to_fen(500_000)


def test_a_ceiling_that_holds_at_the_settlement_alone_hides_none_that_refuses_an_order() -> None:
    rules = programme(GUANGZHOU)
    smaller, larger = sorted(rules.provider_ceilings, key=lambda one: one.amount_fen or 0)
    ceilings = (replace(smaller, blocks_orders=False), larger)
    left = provider_room(
        replace(rules, provider_ceilings=ceilings),
        received_fen=0,
        year_total_fen=yuan_to_fen(4_000_000),
        year_issued_fen=0,
    )
    assert left is not None
    assert left.limit.amount_fen == yuan_to_fen(400_000)
    assert left.for_orders is not None
    assert left.for_orders.amount_fen == yuan_to_fen(500_000)


@rules("GZ-26")
def test_the_share_is_of_the_planned_total_never_of_what_is_issued_so_far() -> None:
    share = next(ceiling for ceiling in programme(GUANGZHOU).provider_ceilings if ceiling.share_bp)
    assert (share.share_bp, share.share_of) == (1_000, ShareBase.YEAR_TOTAL)


@pytest.mark.parametrize("slug", [LISHUI, NINGXIA, YINCHUAN])
def test_where_the_text_sets_no_ceiling_a_provider_has_none(slug: str) -> None:
    assert provider_room(programme(slug), received_fen=10**12, year_total_fen=0, year_issued_fen=0) is None


FEN = st.integers(0, 10_000_000)


@given(granted=FEN, ended=st.dictionaries(st.sampled_from(list(QuotaEvent)), FEN))
def test_what_is_left_is_never_negative_and_never_above_the_quota(
    granted: int, ended: dict[QuotaEvent, int]
) -> None:
    # Nobody's voucher ends twice: what ended is part of what was granted.
    granted += sum(ended.values())
    for slug in (GUANGZHOU, NINGXIA):
        left = quota_left(programme(slug), None, granted, ended)
        assert left is not None
        assert 0 <= left.amount_fen <= (programme(slug).issuance.annual_quota_fen or 0)
