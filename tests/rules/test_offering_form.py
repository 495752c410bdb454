"""The offering form: what every programme asks of a product, and each thing that can be wrong with one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from server.programme.loader import load_programme
from server.programme.model import Programme
from server.rules.offering_form import (
    Comparison,
    Content,
    PricePart,
    columns_of,
    content_of,
    faults,
    items_in,
    items_of,
    kinds_of,
    missing,
    names_of,
    own_fields,
)
from server.rules.offerings import is_selected, price_unmet
from server.units import yuan_to_fen
from tests import stall
from tests.rules.cast import GUANGXI, GUANGZHOU, LISHUI, NINGXIA, YINCHUAN, programme

INVENTED = Path("tests/programmes/invented")
rules = pytest.mark.rules
TRAINING = "培训服务"


def complete(slug: str, kind: str = "", *, category: str = "", ranged: bool = False) -> Content:
    """An offering with nothing missing and nothing wrong."""
    text = programme(slug)
    sent = stall.said(text, kind=kind, category=code_of(text, category))
    content = content_of(sent)
    if ranged:
        content = replace(
            content,
            price_to_fen=stall.PRICE * 2,
            price_parts=(PricePart("基础", stall.PRICE), PricePart("全面", stall.PRICE * 2)),
        )
    papers = stall.asked(text, content.kinds, ranged=ranged)
    return replace(content, documents={one.code: tuple(range(1, count + 1)) for one, count in papers})


def code_of(text: Programme, name: str) -> str:
    return next((one.code for one in text.categories if one.name == name), "")


@pytest.mark.parametrize("name", ["northport-2031", "hillside-2032"])
def test_an_invented_programme_is_offered_in_without_a_word_of_python(name: str) -> None:
    text = load_programme(INVENTED / f"{name}.toml")
    content = content_of(stall.said(text))
    assert (missing(text, content), faults(text, content, text.demo_today)) == ((), ())
    assert {one.code for one in missing(text, Content())} >= {"about.category", "about.name"}


def owed(slug: str, content: Content) -> dict[str, str]:
    """What is missing, by key, with its arithmetic; each has its clause."""
    found = missing(programme(slug), content)
    assert all(one.clause for one in found)
    return {one.code: one.arithmetic for one in found}


def wrong(slug: str, content: Content, **known: frozenset[str]) -> dict[str, str]:
    text = programme(slug)
    found = faults(text, content, text.demo_today, **known)
    assert all(one.clause for one in found)
    return {one.code: one.arithmetic for one in found}


@pytest.mark.parametrize("slug", [LISHUI, GUANGZHOU, GUANGXI, NINGXIA, YINCHUAN])
def test_a_complete_offering_lacks_nothing_and_is_kept_as_it_was_written(slug: str) -> None:
    content = complete(slug)
    assert (owed(slug, content), wrong(slug, content)) == ({}, {})
    assert columns_of(content_of(columns_of(content))) == columns_of(content)
    assert set(items_in(content)) <= set(names_of(programme(slug).offering))


@pytest.mark.parametrize(
    ("slug", "key", "without"),
    [
        pytest.param(LISHUI, "about.areas", {"areas": ()}, marks=rules("LS-42"), id="LS area"),
        pytest.param(LISHUI, "about.name", {"name": ""}, marks=rules("LS-42"), id="LS name"),
        pytest.param(LISHUI, "content", {"values": {}}, marks=rules("LS-42"), id="LS content"),
        pytest.param(LISHUI, "period", {"values": {}}, marks=rules("LS-42"), id="LS period"),
        pytest.param(LISHUI, "fee_standard", {"values": {}}, marks=rules("LS-42"), id="LS fee"),
        pytest.param(GUANGZHOU, "about.name", {"name": ""}, marks=rules("GZ-85"), id="GZ name"),
        pytest.param(GUANGZHOU, "about.areas", {"areas": ()}, marks=rules("GZ-86"), id="GZ area"),
        *(
            pytest.param(GUANGZHOU, code, {"values": {}}, marks=rules("GZ-86"), id=f"GZ {code}")
            for code in ("customers", "overview", "flow", "cycle", "results", "acceptance")
        ),
        pytest.param(
            GUANGZHOU,
            "about.price",
            {"price_from_fen": None, "price_to_fen": None},
            marks=rules("GZ-87"),
            id="GZ price",
        ),
        pytest.param(GUANGXI, "purpose", {"values": {}}, marks=rules("GX-23"), id="GX purpose"),
        pytest.param(GUANGXI, "content", {"values": {}}, marks=rules("GX-23"), id="GX content"),
        pytest.param(GUANGXI, "core_indicators", {"values": {}}, marks=rules("GX-23"), id="GX indicators"),
        pytest.param(
            GUANGXI,
            "about.price",
            {"price_from_fen": None, "price_to_fen": None},
            marks=rules("GX-23"),
            id="GX price",
        ),
        pytest.param(YINCHUAN, "about.category", {"category": ""}, marks=rules("YC-12"), id="YC category"),
        pytest.param(GUANGZHOU, "about.kinds", {"kinds": ()}, id="GZ kinds"),
        pytest.param(NINGXIA, "about.service", {"service": ""}, id="NX matter"),
    ],
)
def test_everything_the_text_asks_is_asked(slug: str, key: str, without: dict[str, object]) -> None:
    content = complete(slug)
    assert key not in owed(slug, content)
    assert key in owed(slug, replace(content, **without))  # type: ignore[arg-type]


@rules("GZ-87")
def test_a_price_range_lists_what_each_price_buys() -> None:
    ranged = complete(GUANGZHOU, ranged=True)
    assert owed(GUANGZHOU, ranged) == {}
    assert owed(GUANGZHOU, replace(ranged, price_parts=()))["about.price"] == "20,000.00 – 40,000.00"
    # Where the text does not ask for it, a range may stand alone.
    assert owed(LISHUI, replace(complete(LISHUI), price_to_fen=stall.PRICE * 2)) == {}


@rules("GZ-88")
def test_a_price_is_compared_with_two_similar_products_and_explained_from_within() -> None:
    content = complete(GUANGZHOU)
    one = replace(content, comparisons=content.comparisons[:1])
    assert owed(GUANGZHOU, one) == {"about.comparisons": "1 < 2"}
    papers = {**content.documents, "comparisons": (1,), "internal_basis": ()}
    lacking = owed(GUANGZHOU, replace(content, documents=papers))
    assert lacking == {"documents.comparisons": "1 < 2", "documents.internal_basis": "0 < 1"}


@rules("GZ-91")
@pytest.mark.parametrize(
    ("ranged", "sets", "found"),
    [
        (False, 0, "0 < 1"),
        (False, 1, None),
        (True, 2, "2 < 3"),
        (True, 3, None),
        (True, 5, None),
        (True, 6, "6 > 5"),
        (False, 6, "6 > 5"),
    ],
)
def test_several_parts_or_a_range_show_three_to_five_past_services(
    ranged: bool, sets: int, found: str | None
) -> None:
    content = complete(GUANGZHOU, ranged=ranged)
    handed = replace(content, documents={**content.documents, "past_sets": tuple(range(sets))})
    assert owed(GUANGZHOU, handed).get("documents.past_sets") == found


@pytest.mark.parametrize(
    ("kind", "documents"),
    [
        pytest.param("信息的查询、查看、下载服务", {"source_proof"}, marks=rules("GZ-89")),
        pytest.param("个性化在线咨询服务", {"consultants"}, marks=rules("GZ-90")),
        pytest.param("需要资质的其他服务", {"other_qualification"}, marks=rules("GZ-50", "GZ-90")),
        pytest.param("专项报告服务及专项咨询（顾问）服务", {"reports"}, marks=rules("GZ-92")),
        pytest.param("日常服务", {"daily"}, marks=rules("GZ-93")),
        pytest.param("信息系统建设类服务", {"system_building"}, marks=rules("GZ-94")),
        pytest.param("信息应用类服务", {"information_use"}, marks=rules("GZ-95")),
        pytest.param("知识产权代理服务", {"ip_acceptance"}, marks=rules("GZ-96")),
        pytest.param(
            TRAINING,
            {"training_plan", "training_outline", "courseware", "photos", "training_notice", "sign_in_sheet"},
            marks=rules("GZ-97"),
        ),
        pytest.param("上述以外的服务", set(), marks=rules("GZ-98")),
    ],
)
def test_each_kind_of_service_shows_its_own_papers(kind: str, documents: set[str]) -> None:
    content = replace(complete(GUANGZHOU), kinds=(kind,), documents={})
    always = {"documents.comparisons", "documents.internal_basis", "documents.past_sets"}
    assert set(owed(GUANGZHOU, content)) == always | {f"documents.{code}" for code in documents}
    assert owed(GUANGZHOU, complete(GUANGZHOU, kind)) == {}


# -- what is wrong ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slug", "category", "service"),
    [
        pytest.param(GUANGXI, "高阶检验检测验证服务", "强制检验项目", marks=rules("GX-20")),
        pytest.param(GUANGXI, "高阶检验检测验证服务", "常规通用检验项目", marks=rules("GX-20")),
        pytest.param(NINGXIA, "法律服务", "诉讼服务", marks=rules("NX-14")),
    ],
)
def test_what_the_text_counts_out_is_offered_under_no_name(slug: str, category: str, service: str) -> None:
    content = complete(slug, category=category)
    assert wrong(slug, content) == {}
    assert set(wrong(slug, replace(content, service=service))) == {"about.service"}
    assert set(wrong(slug, replace(content, name=f"优惠{service}（全年）"))) == {"about.service"}
    # Saying that it is not part of the service is no offer of it.
    values = dict.fromkeys(content.values, f"不含{service}")
    assert wrong(slug, replace(content, values=values)) == {}


@rules("LS-14", "GZ-17", "YC-12")
@pytest.mark.parametrize("slug", [LISHUI, GUANGZHOU, NINGXIA, YINCHUAN])
def test_a_matter_of_one_category_is_not_offered_under_another(slug: str) -> None:
    first, second = programme(slug).categories[:2]
    content = replace(complete(slug), category=second.code, service=first.covers[0])
    assert set(wrong(slug, content)) == {"about.service"}
    assert set(wrong(slug, replace(content, category="nothing"))) == {"about.category"}


@rules("GZ-24", "GZ-50")
def test_a_platform_offers_only_what_it_was_recognised_for() -> None:
    content = complete(GUANGZHOU, category="技术服务")
    assert wrong(GUANGZHOU, content, recognised=frozenset()) == {}
    assert wrong(GUANGZHOU, content, recognised=frozenset({"技术服务", "培训服务"})) == {}
    assert wrong(GUANGZHOU, content, recognised=frozenset({"培训服务"})) == {
        "about.category": "被认定的服务类型：培训服务；申报的类别：技术服务"
    }
    # A text that says nothing of recognition forbids nothing.
    assert wrong(LISHUI, complete(LISHUI), recognised=frozenset({"培训服务"})) == {}


@rules("GZ-86")
def test_an_area_is_named_down_to_the_city_where_the_text_says_so() -> None:
    province = replace(complete(GUANGZHOU), areas=("广东省/广州市", "广东省"))
    assert wrong(GUANGZHOU, province) == {"about.areas": "1 < 2"}
    assert wrong(LISHUI, replace(complete(LISHUI), areas=("浙江省",))) == {}


@pytest.mark.parametrize(
    ("price", "arithmetic"),
    [
        ({"price_from_fen": 0, "price_to_fen": 0}, ""),
        ({"price_from_fen": None}, ""),
        ({"price_to_fen": None}, ""),
        ({"price_from_fen": None, "price_to_fen": None, "price_parts": (PricePart("甲", 1),)}, ""),
        ({"price_to_fen": stall.PRICE - 1}, "19,999.99 < 20,000.00"),
        (
            {"price_parts": (PricePart("甲", stall.PRICE), PricePart("乙", stall.PRICE + 1))},
            "20,000.00 – 20,000.01 ≠ 20,000.00 – 20,000.00",
        ),
    ],
)
def test_a_price_that_cannot_be_is_said_with_its_sum(price: dict[str, object], arithmetic: str) -> None:
    content = complete(LISHUI)
    assert wrong(LISHUI, replace(content, **price)) == {"about.price": arithmetic}  # type: ignore[arg-type]


def test_values_that_do_not_fit_their_field_and_kinds_that_do_not_exist_are_named() -> None:
    content = complete(LISHUI)
    values = {**content.values, "content": "", "period": "长" * 3000}
    assert set(wrong(LISHUI, replace(content, values=values))) == {"content"}
    assert set(wrong(LISHUI, replace(content, kinds=(TRAINING,)))) == {"about.kinds"}


# -- the form and the catalogue -----------------------------------------------------------------------


def test_a_field_that_is_the_name_or_the_price_is_asked_once_under_its_own_words() -> None:
    offering = programme(GUANGZHOU).offering
    called = {one.key: one for one in items_of(offering)}
    assert called["about.name"].name == "产品名称"
    assert called["about.name"].clause == "机构手册（二）1"
    assert {"name", "price", "area"}.isdisjoint(one.code for one in own_fields(offering))
    assert kinds_of(offering)[-1] == "上述以外的服务"
    assert kinds_of(programme(LISHUI).offering) == ()


@rules("GX-24")
def test_only_a_text_that_selects_takes_offerings_in_rounds() -> None:
    assert is_selected(programme(GUANGXI).offering)
    assert not any(is_selected(programme(slug).offering) for slug in (LISHUI, GUANGZHOU, NINGXIA, YINCHUAN))


@rules("GX-23")
def test_a_negotiated_price_stays_at_or_below_the_catalogues_where_the_text_binds_it() -> None:
    catalogue = yuan_to_fen(20_000)
    assert price_unmet(programme(GUANGXI), catalogue, catalogue) == ()
    assert price_unmet(programme(GUANGXI), None, catalogue) == ()
    (above,) = price_unmet(programme(GUANGXI), catalogue, catalogue + 1)
    assert (above.arithmetic, bool(above.clause)) == ("20,000.01 > 20,000.00", True)
    assert price_unmet(programme(LISHUI), catalogue, catalogue + 1) == ()


def test_a_content_without_anything_owes_everything_and_nothing_in_it_is_wrong() -> None:
    assert wrong(GUANGZHOU, Content()) == {}
    assert len(owed(GUANGZHOU, Content())) > 10
    compared = replace(Content(), comparisons=(Comparison("同行产品", 1),))
    assert owed(GUANGZHOU, compared)["about.comparisons"] == "1 < 2"
