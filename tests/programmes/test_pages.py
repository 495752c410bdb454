"""The handbook is current, and the page for officials shows every value, assumption and gap."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path

import pytest

from server.programme.check import main
from server.programme.loader import load_programme
from server.programme.model import Programme
from server.programme.page import page, uncovered, values_of
from server.programme.reference import reference
from server.programme.registry import Programmes
from server.programme.schema import keys_of, tables_of, words_of
from tests.programmes.conftest import REAL


def test_the_handbook_is_what_the_schema_says() -> None:
    written = (REAL / "README.md").read_text(encoding="utf-8")
    assert written == reference(REAL), "run: python -m server.programme.reference"


def test_the_handbook_names_every_table_key_and_word() -> None:
    handbook = reference(REAL)
    for table, headers in tables_of(Programme).items():
        assert f"`{headers[0]}`" in handbook
        assert all(f"| `{key.name}` |" in handbook for key in keys_of(table))
    assert all(f"| `{word}` |" in handbook for words in words_of(Programme) for word in words)


@pytest.mark.parametrize("file", sorted(REAL.glob("*.toml")), ids=lambda file: file.stem)
def test_the_page_prints_every_assumption_with_its_reason(file: Path) -> None:
    text = "\n".join(page(load_programme(file)))
    reasons = set(_reasons(tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)))
    assert reasons
    assert not [reason for reason in reasons if reason not in text]


def _reasons(raw: object) -> list[str]:
    """Every ``why`` of a file."""
    if isinstance(raw, list):
        return [reason for one in raw for reason in _reasons(one)]
    if isinstance(raw, dict):
        own = [raw["why"]] if "why" in raw else []
        return own + [reason for one in raw.values() for reason in _reasons(one)]
    return []


def test_every_value_rests_on_a_clause_or_is_assumed(programmes: Programmes, invented: Programmes) -> None:
    for programme in (*programmes, *invented):
        assert not [value for value in values_of(programme) if not (value.article or value.assumed)]


def test_an_assumption_has_a_reason(programmes: Programmes) -> None:
    for programme in programmes:
        assert not [value.key for value in values_of(programme) if value.assumed and not value.why]


def test_values_are_shown_in_the_officials_units(programmes: Programmes) -> None:
    shown = {value.key: value for value in values_of(programmes.get("lishui-2024"))}
    assert shown["issuance.tier[0].face_value_yuan"].shown == "20,000.00 元"
    assert shown["issuance.tier[0].face_value_yuan"].article == "二（三）1"
    assert shown["deduction[0].rate_percent"].shown == "70%"
    assert shown["public_notice.working_days"].assumed
    assert not shown["public_notice.channels"].assumed


def test_an_assumed_table_inside_assumes_all_of_it(programmes: Programmes) -> None:
    shown = {value.key: value for value in values_of(programmes.get("guangzhou-2020"))}
    assert shown["order_step[0].deadline.natural_days"].assumed
    assert not shown["order_step[0].on_lapse"].assumed


def test_the_page_names_the_parts_that_no_clause_covers(programmes: Programmes) -> None:
    yinchuan = uncovered(programmes.get("yinchuan-2024"))
    assert {"complaints", "files", "cancellation", "provider_ceiling", "enquiry"} <= set(yinchuan)
    assert "deduction" not in yinchuan
    assert "complaints" not in uncovered(programmes.get("lishui-2024"))


def test_the_check_closes_with_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    words = last.removeprefix("programme-check: ").split(", ")
    figures = {what: int(count) for count, what in (word.split(" ", 1) for word in words)}
    assert (figures["programmes"], figures["errors"]) == (5, 0)
    assert figures["values"] == figures["with a clause"] + figures["assumed"]
    assert figures["assumed"] > 0


def test_the_check_fails_on_a_table_without_clause_or_assumption(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bare.toml"
    text = (REAL / "lishui-2024.toml").read_text(encoding="utf-8")
    file.write_text(text.replace('article = "六"\n', "", 1), encoding="utf-8")
    assert main([str(file)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "validity: found neither `article` nor `assumed`" in lines[0]
    assert lines[-1] == "programme-check: 0 programmes, 0 values, 0 with a clause, 0 assumed, 1 errors"


def test_the_check_fails_on_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nowhere.toml"]) == 1
    assert "1 errors" in capsys.readouterr().out
