"""The rule map itself: complete, honest, and able to notice a test that proves nothing."""

from __future__ import annotations

import ast
import re
import shutil
import tomllib
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from tools.rules import catalogue, check, evidence, mutations, pages, table, verdict
from tools.rules.catalogue import BrokenCatalogue, Status
from tools.rules.evidence import Evidence, Proof
from tools.rules.programmes import shown_in
from tools.rules.references import Reference, Unresolved, resolve
from tools.rules.toml_text import dump

ROOT = Path(__file__).resolve().parents[1]
RULES = catalogue.load(ROOT / "docs" / "rules")


@cache
def rules_named_by_tests() -> frozenset[str]:
    """Every rule id that stands as a text in a test file, in a ``rules`` mark or a table that feeds one."""
    rule_id = re.compile(rf"({'|'.join(regulation.prefix for regulation in RULES.regulations)})-\d+")
    return frozenset(
        str(node.value)
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and rule_id.fullmatch(str(node.value))
    )


# The real catalogue.


def test_the_catalogue_holds_every_rule_of_the_five_regulations() -> None:
    counts = {regulation.prefix: len(regulation.rules) for regulation in RULES.regulations}

    assert counts == {"YC": 45, "GX": 85, "NX": 39, "LS": 83, "GZ": 104}
    assert len(RULES) == 356


def test_every_catalogue_belongs_to_a_programme_file() -> None:
    programmes = {path.stem for path in (ROOT / "config" / "programmes").glob("*.toml")}

    assert {regulation.programme for regulation in RULES.regulations} <= programmes


def test_what_is_no_software_has_a_reason_and_neither_amount_nor_deadline() -> None:
    rows = [rule for rule in RULES if rule.status is Status.NOT_SOFTWARE]

    assert all(rule.reason for rule in rows)
    assert not [rule.id for rule in rows if any(character.isdigit() for character in rule.line)]


def test_tests_name_only_rules_that_exist() -> None:
    assert set(rules_named_by_tests()) - set(RULES.by_id) == set()


def test_everything_a_rule_rests_on_is_there() -> None:
    for rule in RULES:
        for reference in rule.rests_on:
            assert resolve(reference, ROOT) is not None


def test_every_tested_rule_is_named_somewhere() -> None:
    tested = {rule.id for rule in RULES if rule.status is Status.TESTED}
    sums = (ROOT / "tests" / "rules" / "worked_sums.toml").read_text(encoding="utf-8")
    named = set(rules_named_by_tests()) | set(re.findall(r'"([A-Z]{2}-\d+)"', sums))

    assert tested - named == set()


@pytest.mark.parametrize("regulation", RULES.regulations, ids=lambda regulation: regulation.programme)
def test_programme_check_shows_every_rule_that_is_only_data(regulation: catalogue.Regulation) -> None:
    shown = shown_in(ROOT)
    data = [rule for rule in regulation.rules if rule.status is Status.DATA]

    assert [reference for rule in data for reference in rule.rests_on if not shown(reference)] == []


def test_programme_check_shows_no_value_that_is_not_there() -> None:
    shown = shown_in(ROOT)

    assert shown(Reference("config/programmes/lishui-2024.toml", "identity.basis"))
    assert not shown(Reference("config/programmes/lishui-2024.toml", "demo.today"))


# Reading a catalogue.

GOOD_RULE = """
[[rule]]
id = "XX-01"
clause = "第一条"
line = "At least two tokens are needed."
capability = ["quota"]
status = "tested"
rests_on = ["server/rules/tokens.py:enough"]
"""


def written_catalogue(directory: Path, rules: str, count: int = 1) -> Path:
    path = directory / "invented.toml"
    head = f'programme = "invented"\ntitle = "An invented regulation"\nprefix = "XX"\ncount = {count}\n'
    path.write_text(head + rules, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('status = "tested"', 'status = "done"', "status must be one of"),
        ('status = "tested"', 'status = "later"', "exactly the keys"),
        ('status = "tested"', 'status = "not_software"', "exactly the keys"),
        ('rests_on = ["server/rules/tokens.py:enough"]', "", "exactly the keys"),
        ('rests_on = ["server/rules/tokens.py:enough"]', "rests_on = []", "must not be empty"),
        ('line = "At least two tokens are needed."', 'line = ""', "must not be empty"),
        ('id = "XX-01"', 'id = "XX-02"', "without a gap"),
        ('id = "XX-01"', 'id = "YY-01"', "without a gap"),
    ],
)
def test_a_broken_catalogue_says_what_is_wrong(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert catalogue.read(written_catalogue(tmp_path, GOOD_RULE)).rules[0].id == "XX-01"

    with pytest.raises(BrokenCatalogue, match=told):
        catalogue.read(written_catalogue(tmp_path, GOOD_RULE.replace(old, new)))


def test_a_missing_row_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(BrokenCatalogue, match="XX-01 to XX-2"):
        catalogue.read(written_catalogue(tmp_path, GOOD_RULE, count=2))


def test_what_comes_later_names_a_part_of_the_product(tmp_path: Path) -> None:
    later = GOOD_RULE.replace('"tested"', '"later"').replace("rests_on = [", "later = [")

    with pytest.raises(BrokenCatalogue, match="later must be one of paperwork"):
        catalogue.read(written_catalogue(tmp_path, later))


# References.


def tiny_tree(tmp_path: Path) -> Path:
    """One value, one function, a test that notices changes of both, one that notices none, one that fails."""
    (tmp_path / "config" / "programmes").mkdir(parents=True)
    (tmp_path / "config" / "programmes" / "invented.toml").write_text(
        '[quota]\nleast = 2\n\n[[tier]]\ncode = "small"\nface_value_yuan = 1.5\n'
    )
    (tmp_path / "server" / "rules").mkdir(parents=True)
    (tmp_path / "server" / "rules" / "tokens.py").write_text(
        '"""Tokens."""\n\n\ndef enough(held: int, least: int) -> bool:\n    """Whether."""\n'
        "    return held >= least\n\n\n"
        "class Purse:\n    def empty(self) -> bool:\n        return True\n"
    )
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_tokens.py").write_text(
        "import tomllib\nfrom pathlib import Path\n\nimport pytest\n\n"
        "from server.rules.tokens import enough\n\n"
        'FILE = Path(__file__).parents[1] / "config/programmes/invented.toml"\n\n\n'
        '@pytest.mark.rules("XX-01")\ndef test_the_line_is_kept():\n'
        '    least = tomllib.loads(FILE.read_text())["quota"]["least"]\n'
        "    assert enough(2, least) and not enough(1, least)\n\n\n"
        '@pytest.mark.rules("XX-02")\ndef test_nothing_at_all():\n    assert enough(9, 1)\n\n\n'
        '@pytest.mark.rules("XX-03")\ndef test_that_fails():\n    assert not enough(9, 1)\n'
    )
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "__init__.py").touch()
    shutil.copytree(ROOT / "tools" / "rules", tmp_path / "tools" / "rules")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "invented"\n')
    return tmp_path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tiny tree to look at and to change."""
    return tiny_tree(tmp_path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("config/programmes/invented.toml:quota.least", 2),
        ("config/programmes/invented.toml:tier[0].code", "small"),
        ("config/programmes/invented.toml:tier[code=small].face_value_yuan", 1.5),
    ],
)
def test_a_value_is_found_by_key_position_or_code(tree: Path, text: str, value: object) -> None:
    assert resolve(Reference.parse(text), tree) == value


def test_a_function_or_method_is_found_by_name(tree: Path) -> None:
    assert "held >= least" in resolve(Reference.parse("server/rules/tokens.py:enough"), tree)
    assert "return True" in resolve(Reference.parse("server/rules/tokens.py:Purse.empty"), tree)


@pytest.mark.parametrize(
    "text",
    [
        "config/programmes/invented.toml:quota.most",
        "config/programmes/invented.toml:tier[1].code",
        "config/programmes/invented.toml:tier[code=large].face_value_yuan",
        "config/programmes/absent.toml:quota.least",
        "server/rules/tokens.py:few",
        "server/rules/tokens.py:Bag.empty",
        "server/rules/tokens.py",
        "tokens.txt:few",
    ],
)
def test_a_reference_that_leads_nowhere_is_refused(tree: Path, text: str) -> None:
    with pytest.raises(Unresolved):
        resolve(Reference.parse(text), tree)


# The verdict.

TESTED = GOOD_RULE
DATA = """
[[rule]]
id = "XX-02"
clause = "第二条"
line = "The least number is on show."
capability = ["programme policy"]
status = "data"
rests_on = ["config/programmes/invented.toml:quota.least"]
"""
LEAST = "config/programmes/invented.toml:quota.least"
LATER = """
[[rule]]
id = "XX-03"
clause = "第三条"
line = "Somebody complains."
capability = ["complaints"]
status = "later"
later = "chat"
"""


def passed(*rules: str) -> Proof:
    return Proof("tests/test_tokens.py::test_the_line_is_kept", "passed", rules)


@pytest.mark.parametrize(
    ("proofs", "exit_code", "is_shown", "told"),
    [
        ((passed("XX-01"),), 0, True, []),
        ((), 0, True, ["XX-01 is said to be tested, and no passing test names it"]),
        (
            (Proof("tests/test_tokens.py::test_x", "failed", ("XX-01",)),),
            1,
            True,
            [
                "tests/test_tokens.py::test_x names XX-01 and did not pass (failed)",
                "XX-01 is said to be tested, and no passing test names it",
            ],
        ),
        (
            (Proof("tests/test_tokens.py::test_x", "xfailed", ("XX-01",)),),
            0,
            True,
            [
                "tests/test_tokens.py::test_x names XX-01 and did not pass (xfailed)",
                "XX-01 is said to be tested, and no passing test names it",
            ],
        ),
        (
            (passed("XX-01", "XX-99"),),
            0,
            True,
            ["tests/test_tokens.py::test_the_line_is_kept names XX-99, which no catalogue has"],
        ),
        (
            (passed("XX-01"), passed("XX-03")),
            0,
            True,
            ["XX-03 is said to be later, and 1 passing tests name it: make it tested"],
        ),
        (
            (passed("XX-01"),),
            0,
            False,
            [f"XX-02 is said to be data, and programme-check does not show {LEAST}"],
        ),
        (
            (passed("XX-01"),),
            4,
            True,
            ["the tests did not run (pytest says 4): "],
        ),
    ],
)
def test_a_claim_that_nothing_covers_is_a_fault(
    tree: Path, proofs: tuple[Proof, ...], exit_code: int, is_shown: bool, told: list[str]
) -> None:
    rules = catalogue.Catalogue((catalogue.read(written_catalogue(tree, TESTED + DATA + LATER, count=3)),))

    assert verdict.faults(rules, Evidence(exit_code, proofs), tree, lambda _: is_shown) == told


def test_a_reference_that_went_away_is_a_fault(tree: Path) -> None:
    rules = catalogue.Catalogue((catalogue.read(written_catalogue(tree, TESTED)),))
    (tree / "server" / "rules" / "tokens.py").unlink()

    [fault] = verdict.faults(rules, Evidence(0, (passed("XX-01"),)), tree, lambda _: True)

    assert fault.startswith("XX-01 rests on nothing")


def test_the_closing_line_counts_every_status(tmp_path: Path) -> None:
    rules = catalogue.Catalogue(
        (catalogue.read(written_catalogue(tmp_path, TESTED + DATA + LATER, count=3)),)
    )

    assert verdict.closing(rules) == "rules: 1 tested, 1 data, 1 later, 0 not software, of 3"


def test_the_table_and_the_page_name_rule_status_and_tests(tmp_path: Path) -> None:
    rules = catalogue.Catalogue(
        (catalogue.read(written_catalogue(tmp_path, TESTED + DATA + LATER, count=3)),)
    )
    passing = Evidence(0, (passed("XX-01"),)).passing()
    directory = tmp_path / "pages"

    wanted = pages.pages(rules, passing, directory)

    assert "later: chat" in list(table.lines(rules, passing))[-1]
    assert "| XX-01 | 第一条 |" in wanted[directory / "invented.md"]
    assert "`tests/test_tokens.py::test_the_line_is_kept`" in wanted[directory / "invented.md"]
    assert pages.stale(wanted) == [
        "docs/regulations/invented.md is out of date: python -m tools.rules --write"
    ]


# Mutations.


def test_a_changed_value_is_one_smallest_unit_away(tree: Path) -> None:
    def first(place: str) -> object:
        reference = Reference("config/programmes/invented.toml", place)
        mutation = next(mutations.of(reference, tree, seed=1))
        (tree / "changed.toml").write_text(mutation.text)
        return resolve(Reference("changed.toml", place), tree)

    assert first("quota.least") == 3
    assert first("tier[code=small].face_value_yuan") == 1.51


def test_a_changed_document_reads_back_with_every_other_value() -> None:
    document = {
        "name": '服务券 "x"\n',
        "until": date(2026, 12, 31),
        "open": True,
        "rate": 12.5,
        "list": [{"a-b": 1, "ключ": [1, 2]}],
    }

    assert tomllib.loads(dump(document)) == document


def test_every_mutation_of_a_function_is_python_and_changes_it(tree: Path) -> None:
    source = (tree / "server" / "rules" / "tokens.py").read_text()
    found = list(mutations.of(Reference("server/rules/tokens.py", "enough"), tree, seed=1))

    assert [mutation.change for mutation in found] == [
        "line 6: GtE became Gt",
        "line 6: what is returned was negated",
    ]
    assert all(ast.unparse(ast.parse(mutation.text)) != ast.unparse(ast.parse(source)) for mutation in found)


# The check of the map, on the tiny tree.

RESTS_ON = {
    "XX-01": "config/programmes/invented.toml:quota.least",
    "XX-02": "server/rules/tokens.py:Purse.empty",
    "XX-03": "server/rules/tokens.py:enough",
}


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> dict[str, check.Trial]:
    """One trial for each rule of a tiny tree."""
    tree = tiny_tree(tmp_path_factory.mktemp("tree"))
    found = evidence.run(tree, tree / "var" / "evidence.json", ("-m", "rules", "tests"), seconds=60)
    named = {rule: [proof] for proof in found.proofs for rule in proof.rules}
    drawn = [
        (
            catalogue.Rule(rule, "第一条", "A line.", ("quota",), Status.TESTED, (Reference.parse(text),)),
            Reference.parse(text),
        )
        for rule, text in RESTS_ON.items()
    ]
    overlay = check.Overlay(tree, tmp_path_factory.mktemp("overlay"))
    return {trial.rule: trial for trial in check.trials(drawn, named, overlay, seed=1, loads=lambda _: True)}


def test_a_change_is_caught_by_a_test_that_proves_the_rule_and_by_no_other(
    trials: dict[str, check.Trial],
) -> None:
    assert trials["XX-01"].caught_by == "tests/test_tokens.py::test_the_line_is_kept"
    assert trials["XX-01"].change == "2 became 3"
    assert trials["XX-02"].caught_by is None
    assert "NOT CAUGHT" in trials["XX-02"].line


def test_a_test_that_fails_anyway_catches_nothing(trials: dict[str, check.Trial]) -> None:
    assert trials["XX-03"].caught_by is None
    assert "fail unchanged" in trials["XX-03"].line


def test_which_test_names_what_is_known_before_any_has_run(tree: Path) -> None:
    (tree / "tests" / "test_traces.py").write_text(
        'from pathlib import Path\n\nimport pytest\n\n\n@pytest.mark.rules("XX-02")\ndef test_x():\n'
        '    Path("trace").touch()\n'
    )

    found = evidence.foreseen(tree, tree / "var" / "foreseen.json", seconds=60)

    assert found.exit == 0
    assert {rule: pages.functions(proofs) for rule, proofs in found.passing().items()} == {
        "XX-01": ["tests/test_tokens.py::test_the_line_is_kept"],
        "XX-02": ["tests/test_tokens.py::test_nothing_at_all", "tests/test_traces.py::test_x"],
        # It will fail, and then the page is wrong and the verdict says so.
        "XX-03": ["tests/test_tokens.py::test_that_fails"],
    }
    assert not (tree / "trace").exists()


def test_evidence_is_kept_while_the_tree_is_the_same(tree: Path) -> None:
    results = tree / "var" / "evidence.json"
    (tree / "tests" / "test_tokens.py").write_text(
        'import pytest\n\n\n@pytest.mark.rules("XX-01")\ndef test_x():\n    pass\n'
    )

    first = evidence.gather(tree, results, seconds=60, at_once=0)
    results.write_text(results.read_text().replace("XX-01", "XX-02"))
    kept = evidence.gather(tree, results, seconds=60, at_once=0)
    (tree / "server" / "rules" / "tokens.py").write_text("\n")
    again = evidence.gather(tree, results, seconds=60, at_once=0)

    assert [proof.rules for found in (first, kept, again) for proof in found.proofs] == [
        ("XX-01",),
        ("XX-02",),
        ("XX-01",),
    ]
