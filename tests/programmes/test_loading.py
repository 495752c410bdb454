"""Seven programmes load; versions, validity and fitness for production."""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path

import pytest

from server.programme.faults import ProgrammeError
from server.programme.issuance import IssuanceMode
from server.programme.loader import load_programme
from server.programme.model import Programme
from server.programme.registry import Programmes, UnknownProgramme
from server.programme.schema import keys_of, meanings_of, tables_of, words_of
from tests.programmes.conftest import INVENTED, REAL

FILES = sorted([*REAL.glob("*.toml"), *INVENTED.glob("*.toml")])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_programme_loads_and_is_named_after_its_file(file: Path) -> None:
    assert load_programme(file).slug == file.stem


def test_there_are_five_programmes_and_two_invented_ones(
    programmes: Programmes, invented: Programmes
) -> None:
    assert [programme.slug for programme in programmes] == [
        "guangxi-2024", "guangzhou-2020", "lishui-2024", "ningxia-2016", "yinchuan-2024",
    ]  # fmt: skip
    assert {programme.slug for programme in invented} == {"hillside-2032", "northport-2031"}


def test_the_five_use_each_mode_of_issuing_once(programmes: Programmes) -> None:
    assert {programme.issuance.mode for programme in programmes} == set(IssuanceMode)
    assert len(programmes) == len(IssuanceMode)


def test_the_invented_programmes_combine_what_no_real_one_combines(
    programmes: Programmes, invented: Programmes
) -> None:
    def combination(programme: Programme) -> tuple[object, ...]:
        return (programme.issuance.mode, programme.own_share.escrow, programme.own_share.deposit_bp is None)

    assert not {combination(one) for one in programmes} & {combination(one) for one in invented}
    north = invented.get("northport-2031")
    assert north.issuance.tiers[0].all_of == ("green_factory", "export_champion")
    assert north.issuance.tiers[0].face_value_fen == 4_000_050
    assert north.deduction_for("packaging_design").rate_bp == 3333
    assert north.deduction_for("product_design").rate_bp == 2500


def test_in_force_includes_the_first_and_the_last_day(programmes: Programmes) -> None:
    lishui = programmes.get("lishui-2024")
    days = [date(2024, 8, 8), date(2024, 8, 9), date(2026, 12, 31), date(2027, 1, 1)]
    assert [lishui.in_force(day) for day in days] == [False, True, True, False]


@pytest.mark.rules("YC-01", "NX-02", "GZ-01")
def test_a_draft_is_never_in_force_and_an_open_end_does_not_end(programmes: Programmes) -> None:
    assert not programmes.get("yinchuan-2024").in_force(date(2026, 5, 1))
    assert programmes.get("yinchuan-2024").covers(date(2026, 5, 1))
    assert programmes.get("ningxia-2016").in_force(date(2099, 1, 1))
    assert not programmes.get("guangzhou-2020").in_force(date(2021, 1, 1))


def test_production_refuses_what_is_draft_expired_over_or_not_yet(
    programmes: Programmes, invented: Programmes
) -> None:
    assert programmes.unfit_for_production(date(2026, 5, 1)) == (
        "guangzhou-2020 2020: its validity ended on 2020-12-31",
        "yinchuan-2024 2024-draft: its status is draft",
    )
    assert invented.unfit_for_production(date(2031, 3, 31)) == (
        "hillside-2032 b: its status is expired",
        "northport-2031 1: in force only from 2031-04-01",
    )
    lishui = Programmes([programmes.get("lishui-2024")])
    assert lishui.unfit_for_production(date(2026, 5, 1)) == ()


def test_a_year_is_the_calendars_the_programmes_or_the_whole_validity(
    programmes: Programmes, invented: Programmes
) -> None:
    lishui, north, hill = (
        programmes.get("lishui-2024"), invented.get("northport-2031"), invented.get("hillside-2032"),
    )  # fmt: skip
    assert (lishui.year_of(date(2025, 12, 31)), lishui.year_of(date(2026, 1, 1))) == (2025, 2026)
    assert (north.year_of(date(2032, 3, 31)), north.year_of(date(2032, 4, 1))) == (2031, 2032)
    assert (hill.year_of(date(2032, 7, 15)), hill.year_of(date(2033, 7, 14))) == (2032, 2032)


def test_the_year_of_an_instant_is_the_one_in_china(programmes: Programmes) -> None:
    new_year_in_china = datetime(2025, 12, 31, 16, 0, tzinfo=UTC)
    assert programmes.get("lishui-2024").year_of(new_year_in_china) == 2026


def test_demo_days_lie_inside_the_validity(programmes: Programmes) -> None:
    assert all(programme.covers(programme.demo_today) for programme in programmes)


def _copy(directory: Path, file: str, version: str, valid_from: str) -> None:
    text = (REAL / "lishui-2024.toml").read_text(encoding="utf-8")
    text = text.replace('version = "2024"', f'version = "{version}"')
    text = text.replace("valid_from = 2024-08-09", f"valid_from = {valid_from}")
    (directory / file).write_text(text, encoding="utf-8")


def test_several_versions_of_a_programme_live_side_by_side(tmp_path: Path) -> None:
    _copy(tmp_path, "new.toml", "2026", "2026-01-01")
    _copy(tmp_path, "old.toml", "2024", "2024-08-09")
    both = Programmes.load(tmp_path)
    assert both.get("lishui-2024").version == "2026"
    assert both.version("lishui-2024", "2024").valid_from == date(2024, 8, 9)
    assert [one.version for one in both.versions("lishui-2024")] == ["2024", "2026"]
    assert [one.version for one in both.in_force(date(2025, 6, 1))] == ["2024"]
    assert [one.version for one in both.in_force(date(2026, 6, 1))] == ["2026"]


def test_the_same_version_twice_is_refused(tmp_path: Path) -> None:
    _copy(tmp_path, "a.toml", "2024", "2024-08-09")
    _copy(tmp_path, "b.toml", "2024", "2025-08-09")
    with pytest.raises(
        ProgrammeError, match=r"b\.toml: identity\.version: .*another version than in a\.toml"
    ):
        Programmes.load(tmp_path)


def test_a_directory_without_programmes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProgrammeError, match="no programme"):
        Programmes.load(tmp_path)


def test_an_unknown_programme_or_version_is_a_refusal(programmes: Programmes) -> None:
    with pytest.raises(UnknownProgramme):
        programmes.get("atlantis-2024")
    with pytest.raises(UnknownProgramme):
        programmes.version("lishui-2024", "1999")


def test_every_table_key_and_word_says_what_it_means() -> None:
    silent = [
        f"{table.__name__}.{key.name}"
        for table in (Programme, *tables_of(Programme))
        for key in keys_of(table)
        if not key.meaning
    ]
    assert not silent
    assert all(words.__doc__ for words in words_of(Programme))


def test_every_word_of_the_vocabulary_is_used_by_one_of_the_seven(
    programmes: Programmes, invented: Programmes
) -> None:
    used: set[StrEnum] = set()
    for programme in (*programmes, *invented):
        _words_in(programme, used)
    unused = {
        f"{words.__name__}.{word}" for words in words_of(Programme) for word in words if word not in used
    }
    assert not unused


def _words_in(table: object, used: set[StrEnum]) -> None:
    shape: type = type(table)
    for key in keys_of(shape):
        value = getattr(table, key.attribute)
        for one in value if key.many else () if value is None else (value,):
            if key.is_table:
                _words_in(one, used)
            elif isinstance(one, StrEnum):
                # Words of different vocabularies may be spelled alike.
                used.add(one)


def test_meanings_of_words_are_read_from_the_code() -> None:
    assert meanings_of(IssuanceMode)["GRAB"].startswith("Who arrives first")
