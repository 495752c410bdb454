"""Related parties: what two organisations share, and what each text makes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from server.rules.related_parties import (
    CERTAIN,
    Behind,
    Known,
    TieKind,
    Who,
    address,
    findings_of,
    person,
    phone,
    ties,
)
from tests.rules.cast import AREAS, GUANGXI, GUANGZHOU, LISHUI, NINGXIA, YINCHUAN, programme

rules = pytest.mark.rules
EVERYWHERE = (LISHUI, GUANGXI, GUANGZHOU, NINGXIA, YINCHUAN)
LI = person("李明", "360426199101010071")
WANG = person("王芳", "330102198506150016")
OURS = Behind(uscc="A", name="晨光精密机械有限公司", representatives=frozenset({LI}))
THEIRS = Behind(uscc="B", name="远山咨询有限公司", representatives=frozenset({WANG}))
FUND = Who(name="共同投资有限公司", number="F")


def some(**facts: object) -> Behind:
    """The other side, but for these facts."""
    return replace(THEIRS, **{key: frozenset({value}) for key, value in facts.items()})  # type: ignore[arg-type]


def test_strangers_share_nothing_even_where_nothing_is_known_of_either() -> None:
    assert ties(OURS, THEIRS) == ()
    assert ties(Behind(uscc="A", name="甲"), Behind(uscc="B", name="乙")) == ()


@rules("GZ-47")
@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        (OURS, replace(THEIRS, uscc="A"), ("same",)),
        (OURS, some(firms_holding=Who(name="晨光", number="A")), ("shareholder",)),
        (OURS, some(firms_holding=Who(name="晨光 精密机械有限公司")), ("shareholder",)),
        (
            replace(OURS, firms_holding=frozenset({FUND})),
            some(firms_holding=FUND),
            ("common_shareholder",),
        ),
        (
            replace(OURS, people_holding=frozenset({WANG})),
            replace(THEIRS, people_holding=frozenset({WANG}), representatives=frozenset()),
            ("common_shareholder",),
        ),
        (OURS, some(representatives=LI), ("representative",)),
        (OURS, some(people_holding=LI), ("person_behind",)),
        (OURS, some(representatives=person("李明")), ("namesake",)),
        # Two people of one name, whose numbers are known, are two people.
        (OURS, some(representatives=person("李明", "360426198209060041")), ()),
        (replace(OURS, members=frozenset({7})), some(members=7), ("member",)),
        (replace(OURS, phones=frozenset({"13800000000"})), some(phones="13800000000"), ("phone",)),
        (replace(OURS, addresses=frozenset({"路8号"})), some(addresses="路8号"), ("address",)),
    ],
)
def test_each_tie_is_found_by_what_it_rests_on_from_either_side(
    ours: Behind, theirs: Behind, found: tuple[str, ...]
) -> None:
    assert ties(ours, theirs) == ties(theirs, ours) == found


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("+86 138-0000-0000", "13800000000"),
        ("１３８００００００００", "13800000000"),
        ("0578-2091234", "05782091234"),
        ("", ""),
    ],
)
def test_a_telephone_is_the_same_however_it_is_written(written: str, compared: str) -> None:
    assert phone(written) == compared


def test_an_address_is_the_same_however_it_is_spaced_and_dotted() -> None:
    assert (
        address("丽水市 莲都区，中山街（8号）") == address("丽水市莲都区中山街(8号)") != address("中山街9号")
    )


def known(slug: str, **facts: object) -> Known:
    return replace(Known(enterprise_area=AREAS[slug]), **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize("slug", EVERYWHERE)
def test_a_deal_of_strangers_has_no_findings(slug: str) -> None:
    assert not findings_of(programme(slug), known(slug))


@rules("GZ-47")
@pytest.mark.parametrize("tie", sorted(CERTAIN))
def test_guangzhou_forbids_every_certain_tie_and_says_which(tie: TieKind) -> None:
    found = findings_of(programme(GUANGZHOU), known(GUANGZHOU, ties=(tie,)))
    assert [(one.code, one.clause) for one in found.forbidden] == [
        ("related_parties", "承诺书1、企业手册（四）2（1）")
    ]
    assert found.forbidden[0].arithmetic
    assert found.warned == ()


@pytest.mark.parametrize("slug", EVERYWHERE)
@pytest.mark.parametrize("tie", sorted(set(TieKind) - CERTAIN))
def test_a_hint_forbids_nothing_anywhere_and_is_looked_at_everywhere(slug: str, tie: TieKind) -> None:
    found = findings_of(programme(slug), known(slug, ties=(tie,)))
    assert (found.forbidden, [one.code for one in found.warned]) == ((), [tie])


@pytest.mark.parametrize("slug", [LISHUI, GUANGXI, NINGXIA, YINCHUAN])
def test_where_the_text_is_silent_about_relatives_the_operator_looks_and_nobody_buys_from_itself(
    slug: str,
) -> None:
    shared = findings_of(programme(slug), known(slug, ties=(TieKind.REPRESENTATIVE,)))
    assert (shared.forbidden, [one.code for one in shared.warned]) == ((), ["representative"])
    itself = findings_of(programme(slug), known(slug, ties=(TieKind.SAME,)))
    assert ([one.code for one in itself.forbidden], itself.warned) == (["same"], ())


@pytest.mark.parametrize(
    ("slug", "fact", "value", "code"),
    [
        pytest.param(YINCHUAN, "provider_is_operator", True, "operator_as_provider", marks=rules("YC-29")),
        pytest.param(NINGXIA, "provider_is_operator", True, "operator_as_provider", marks=rules("NX-35")),
        pytest.param(LISHUI, "provider_is_operator", True, "operator_as_provider"),
        pytest.param(GUANGXI, "provider_is_operator", True, "operator_as_provider"),
        pytest.param(GUANGZHOU, "provider_is_operator", True, "operator_as_provider"),
        pytest.param(LISHUI, "other_public_money", True, "stacking", marks=rules("LS-78")),
        pytest.param(GUANGZHOU, "subsidised_before", True, "stacking", marks=rules("GZ-56")),
        pytest.param(GUANGZHOU, "within_recognition", False, "outside_recognition", marks=rules("GZ-24")),
    ],
)
def test_what_the_text_forbids_leaves_no_order(slug: str, fact: str, value: bool, code: str) -> None:
    found = findings_of(programme(slug), known(slug, **{fact: value}))
    assert [one.code for one in found.forbidden] == [code]


@rules("GZ-23")
@pytest.mark.parametrize(
    ("labels", "refused"),
    [({"city_platform"}, True), ({"city_platform", "national_platform"}, False), (set(), False)],
)
def test_a_higher_recognition_opens_what_a_lower_one_shuts(labels: set[str], refused: bool) -> None:
    facts = known(GUANGZHOU, enterprise_area="广东省/佛山市", provider_labels=frozenset(labels))
    found = findings_of(programme(GUANGZHOU), facts)
    assert bool(found.forbidden) is refused


@rules("LS-78")
def test_the_same_service_ordered_under_another_programme_is_looked_at() -> None:
    found = findings_of(programme(LISHUI), known(LISHUI, ordered_elsewhere=True))
    assert [(one.code, one.clause) for one in found.warned] == [("ordered_elsewhere", "五（二）")]
