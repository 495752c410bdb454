"""Cells of imported tables: one spelling for what people type, and a reason for what cannot be read."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest

from server.rules.spreadsheets import neutral
from server.services.tables.cells import (
    Cell,
    CellFault,
    day_of,
    last_day_of,
    name_of,
    plain,
    uscc_of,
    year_of,
)

CODE = "91110000600037341L"


@pytest.mark.parametrize(
    "written",
    [
        "2024-05-31",
        "2024/5/31",
        "2024.05.31",
        "２０２４－０５－３１",
        "2024年5月31日",
        "2024 年 5 月 31 日",
        "20240531",
        "二〇二四年五月三十一日",
        "二零二四年五月三十一日",
        "2024年5月31号",
        "\u200b2024-05-31 ",
        datetime.combine(date(2024, 5, 31), time()),
        date(2024, 5, 31),
    ],
)
def test_a_day_is_the_same_day_however_it_is_written(written: Cell) -> None:
    assert day_of(plain(written)) == date(2024, 5, 31)


@pytest.mark.parametrize(
    "written", ["2024年5月", "2023-02-29", "1/2/2024", "十月", "百十年", "0024-05-31", "2024-13-01", ""]
)
def test_what_is_no_day_says_so(written: str) -> None:
    with pytest.raises(CellFault, match="不是有效日期"):
        day_of(plain(written))


def test_tens_are_counted_and_digits_are_read() -> None:
    assert day_of("二〇二四年十月二十日") == date(2024, 10, 20)
    assert day_of("二〇二四年十二月十一日") == date(2024, 12, 11)


@pytest.mark.parametrize("written", ["", "长期", "永久", "无", "—"])
def test_a_validity_may_have_no_end(written: str) -> None:
    assert last_day_of(plain(written)) is None


@pytest.mark.parametrize("written", ["2017", "2017年", "2017年度", "２０１７", "二〇一七年", 2017, 2017.0])
def test_a_year_is_the_same_year_however_it_is_written(written: Cell) -> None:
    assert year_of(plain(written)) == 2017


@pytest.mark.parametrize("written", ["17", "20171", "1840", "去年"])
def test_what_is_no_year_says_so(written: str) -> None:
    with pytest.raises(CellFault, match="不是有效年份"):
        year_of(written)


@pytest.mark.parametrize(
    "written",
    [
        CODE,
        CODE.lower(),
        f" {CODE} ",
        "９１１１００００６０００３７３４１Ｌ",
        "9111 0000 6000 3734 1L",
        f"{CODE}\u200b",
    ],
)
def test_a_code_survives_full_width_digits_and_stray_spaces(written: str) -> None:
    assert uscc_of(plain(written)) == CODE


def test_a_code_with_a_wrong_check_digit_says_which_it_should_be() -> None:
    with pytest.raises(CellFault, match="末位应为 L"):
        uscc_of("911100006000373410")


@pytest.mark.parametrize("written", [91110000600037341 * 10, 9.11e17, float("nan"), float("inf")])
def test_a_number_too_long_for_a_spreadsheet_is_not_believed(written: Cell) -> None:
    with pytest.raises(CellFault, match="文本格式"):
        plain(written)


def test_shorter_numbers_are_texts_as_they_stand() -> None:
    assert (plain(42), plain(42.0), plain(0.5), plain(True), plain(None)) == ("42", "42", "0.5", "是", "")


@pytest.mark.parametrize("written", ["x" * 501, "a\x00b", "a\x07b", "\ud83d"])
def test_a_text_that_cannot_be_kept_is_a_fault(written: str) -> None:
    with pytest.raises(CellFault):
        plain(written)


def test_a_name_has_one_spelling_of_its_brackets() -> None:
    names = {
        name_of(plain(name))
        for name in ("某（广州）公司", "某(广州)公司", " 某 （广州） 公司", "某（广州)公司")
    }
    assert names == {"某（广州）公司"}


@pytest.mark.parametrize("text", ["=1+1", "+86", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1＋1", "　－1"])
def test_no_text_of_ours_is_taken_for_a_formula(text: str) -> None:
    assert neutral(text) == f"'{text}"
    assert neutral("丽水") == "丽水"


def test_the_mark_against_formulas_comes_off_again() -> None:
    assert plain(neutral("-1")) == "-1"
    assert plain("'引号") == "'引号"
