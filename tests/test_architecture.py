"""The architecture, held by reading the code: imports point down, Python knows no place names.

Each lint has an example that it must find fault with, so that none can go blind unnoticed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import lints
from tests.lints import Lint, Source, sources

ROOT = Path(__file__).parent.parent
PROGRAMMES = sorted((ROOT / "config/programmes").glob("*.toml"))


@pytest.mark.parametrize("lint", lints.SERVER, ids=lambda lint: lint.__name__)
def test_the_server_keeps(lint: Lint) -> None:
    assert [breach for source in sources(ROOT, "server") for breach in lint(source)] == []


@pytest.mark.parametrize("lint", lints.EVERYWHERE, ids=lambda lint: lint.__name__)
def test_all_our_code_keeps(lint: Lint) -> None:
    # The file that looks for a mark has to name it.
    ours = sources(ROOT, "server", "standin", "tools", "bench", "tests")
    seen = [source for source in ours if source.path.name not in {"lints.py", "test_architecture.py"}]
    assert [breach for source in seen for breach in lint(source)] == []


BREACHES: list[tuple[Lint, str, str]] = [
    (lints.imports_point_down, "server/rules/quota.py", "from server.services import grabs"),
    (lints.imports_point_down, "server/rules/quota.py", "import server.models.rounds"),
    (lints.imports_point_down, "server/models/rounds.py", "from server.gateways.wechat import Wechat"),
    (lints.imports_point_down, "server/handlers/rounds.py", "from server.jobs import schedule"),
    (lints.imports_point_down, "server/errors.py", "from server import programme"),
    (lints.imports_point_down, "server/attic.py", "x = 1"),
    (lints.imports_point_down, "server/keys.py", "from server.handlers.api import Route"),
    (
        lints.capabilities_point_down,
        "server/services/orders/orders.py",
        "from server.services.settlements import settlement_book",
    ),
    (
        lints.capabilities_point_down,
        "server/services/sanctions/recoveries.py",
        "from server.services.disbursements.offsets import Offsets",
    ),
    (lints.capabilities_point_down, "server/services/outbox.py", "from server.services import reviews"),
    (
        lints.capabilities_point_down,
        "server/services/orders/orders.py",
        "import server.services.chat.conversations",
    ),
    (lints.capabilities_point_down, "server/services/attic/x.py", "x = 1"),
    (lints.imports_are_absolute, "server/rules/quota.py", "from ..services import grabs"),
    (lints.rules_are_pure, "server/rules/quota.py", "async def left(): ..."),
    (lints.rules_are_pure, "server/rules/quota.py", "from tortoise import fields"),
    (lints.time_comes_from_the_clock, "server/services/rounds/grabs.py", "x = datetime.now(UTC)"),
    (lints.time_comes_from_the_clock, "server/rules/quota.py", "x = date.today()"),
    (lints.time_comes_from_the_clock, "server/jobs/expire.py", "x = time.time()"),
    (
        lints.draws_come_from_a_generator,
        "server/rules/sampling.py",
        "import random\nx = random.choice(orders)",
    ),
    (lints.draws_come_from_a_generator, "server/rules/sampling.py", "from random import choice"),
    (lints.sql_takes_parameters, "server/services/x.py", "f'SELECT * FROM voucher WHERE number = {number}'"),
    (lints.sql_takes_parameters, "server/services/x.py", "'DELETE FROM voucher WHERE id = %s' % voucher_id"),
    (lints.sql_takes_parameters, "server/services/x.py", "'SELECT 1 WHERE name = ' + name"),
    (lints.sql_takes_parameters, "server/services/x.py", "'UPDATE round SET a = {}'.format(amount)"),
    (lints.rows_are_never_saved_whole, "server/services/rounds/rounds.py", "await round_.save()"),
    (
        lints.handlers_leave_rows_alone,
        "server/handlers/x.py",
        "from server.models.x import R\nR.filter(id=1)",
    ),
    (lints.exceptions_are_named, "server/app.py", "try:\n    x()\nexcept:\n    pass"),
    (lints.nothing_is_printed, "server/services/rounds/grabs.py", "print(voucher)"),
    (lints.what_is_public_is_explained, "server/units.py", '"""Units."""\ndef share(): ...'),
    (lints.what_is_public_is_explained, "server/units.py", "x = 1"),
    (lints.files_are_short, "server/units.py", "x = 1\n" * 451),
    (lints.nothing_is_left_undone, "server/units.py", "raise NotImplementedError"),
]


@pytest.mark.parametrize(
    ("lint", "path", "text"), BREACHES, ids=lambda value: getattr(value, "__name__", None)
)
def test_each_lint_finds_a_breach(lint: Lint, path: str, text: str) -> None:
    assert len(list(lint(Source(Path(path), text)))) == 1


def test_every_lint_has_an_example_of_a_breach() -> None:
    assert {lint for lint, _, _ in BREACHES} == {*lints.SERVER, *lints.EVERYWHERE}


ROUTE = '"Doors." \n@routes.get("/", summary="A door.")\ndef door(): ...'
ALLOWED: list[tuple[Lint, str, str]] = [
    (lints.imports_point_down, "server/handlers/x.py", "from server.services.rounds.grabs import grab"),
    (lints.imports_point_down, "server/handlers/x.py", "from server.handlers.api import route"),
    (lints.imports_point_down, "server/migrations/0001_x.py", "from server.models.columns import Checked"),
    (
        lints.imports_point_down,
        "server/keys.py",
        "if TYPE_CHECKING:\n    from server.handlers.api import Route",
    ),
    (
        lints.capabilities_point_down,
        "server/services/settlements/settlements.py",
        "from server.services import access\nfrom server.services.orders import order_book",
    ),
    (lints.time_comes_from_the_clock, "server/services/x.py", "now = clock.now()"),
    (lints.draws_come_from_a_generator, "server/rules/sampling.py", "import random\nx = random.Random(seed)"),
    (
        lints.draws_come_from_a_generator,
        "server/rules/sampling.py",
        "def draw(random): return random.choice(x)",
    ),
    (lints.sql_takes_parameters, "server/services/x.py", "f'SELECT {COLUMNS} FROM voucher WHERE id = $1'"),
    (lints.sql_takes_parameters, "server/gateways/x.py", "f'INSERT INTO {table} VALUES ({places})'"),
    (
        lints.handlers_leave_rows_alone,
        "server/handlers/x.py",
        "from server.models.x import R\ndef f(r: R): ...",
    ),
    (lints.what_is_public_is_explained, "server/handlers/x.py", ROUTE),
    (lints.nothing_is_printed, "server/__main__.py", "print(address)"),
]


@pytest.mark.parametrize(
    ("lint", "path", "text"), ALLOWED, ids=lambda value: getattr(value, "__name__", None)
)
def test_no_lint_minds_what_is_allowed(lint: Lint, path: str, text: str) -> None:
    assert list(lint(Source(Path(path), text))) == []


# -- no place names, and no code that a programme file defines -------------------------------------

PLACE_KEYS = frozenset({"areas", "parts", "excluded_areas", "sharing"})
# 市直 is the part of any city that stands under the city itself.
EVERYWHERE_THE_SAME = frozenset({"市直"})
CODED_TABLES = frozenset({"category", "tier", "label"})
RULE_ID = re.compile(r"\b(?:YC|GX|NX|LS|GZ)-\d+\b")


@dataclass(frozen=True)
class Vocabulary:
    """The words that belong to one programme file alone."""

    places: frozenset[str]
    codes: frozenset[str]


def _tables(value: Any, key: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        yield key, value
        for name, inner in value.items():
            yield from _tables(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _tables(inner, key)


def _place_words(name: str) -> set[str]:
    """A place as it is written, and its bare name: 宁夏回族自治区 is also 宁夏, 丽水市 is also 丽水."""
    chinese = re.sub(r"(?:[\u4e00-\u9fff]族)?(?:省|自治区|自治州|市|县|区)$", "", name)
    return {name, chinese if len(chinese) > 1 else name}


def _vocabulary(file: Path) -> Vocabulary:
    places: set[str] = set()
    codes: set[str] = set()
    for key, table in _tables(tomllib.loads(file.read_text(encoding="utf-8"))):
        if "slug" in table:
            places |= {table["slug"], table["slug"].rsplit("-", 1)[0]}
        for name in PLACE_KEYS & table.keys():
            steps = {step for place in table[name] for step in place.split("/")}
            places |= {word for step in steps - EVERYWHERE_THE_SAME for word in _place_words(step)}
        if key in CODED_TABLES and "code" in table:
            codes.add(table["code"])
    return Vocabulary(frozenset(places), frozenset(codes))


def _place_breaches(path: Path, text: str, vocabulary: Vocabulary) -> list[str]:
    text = RULE_ID.sub("", text)
    spoken = [place for place in vocabulary.places if place.lower() in text.lower()]
    coded = vocabulary.codes.intersection(re.findall(r"\w+", text))
    return [f"{path}: {word}" for word in sorted([*spoken, *coded])]


@pytest.mark.parametrize("file", PROGRAMMES, ids=lambda file: file.stem)
def test_the_server_knows_no_word_of(file: Path) -> None:
    vocabulary = _vocabulary(file)
    assert file.stem in vocabulary.places
    assert len(vocabulary.places) >= 3, "the places of this programme were not found"
    assert vocabulary.codes, "the codes of this programme were not found"
    code = [path for kind in ("py", "lua", "html") for path in sorted((ROOT / "server").rglob(f"*.{kind}"))]
    assert [
        breach
        for path in code
        for breach in _place_breaches(path.relative_to(ROOT), path.read_text(encoding="utf-8"), vocabulary)
    ] == []


def test_all_five_programmes_are_looked_at() -> None:
    assert len(PROGRAMMES) >= 5


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("server/x.py", "# as in Erewhon"),
        ("server/x.py", '"""某城 has this."""'),
        ("server/x.py", 'if tier == "newcomer": ...'),
        ("server/x.py", "tiers.newcomer"),
        ("server/x.py", '"""As a newcomer does."""'),
        ("server/x.py", 'query = "tier = newcomer"'),
        ("server/x.lua", "if tier == 'newcomer' then"),
        ("server/x.html", "<p>某城</p>"),
    ],
)
def test_a_place_name_or_a_programme_code_is_found(path: str, text: str) -> None:
    vocabulary = Vocabulary(frozenset({"erewhon", "某城"}), frozenset({"newcomer"}))
    assert len(_place_breaches(Path(path), text, vocabulary)) == 1


def test_a_rule_id_is_no_place_name() -> None:
    vocabulary = Vocabulary(frozenset({"ls-30"}), frozenset())
    assert _place_breaches(Path("server/x.py"), '"""What LS-30 asks."""', vocabulary) == []
