"""The house rules that a machine can see, each a function over one parsed module.

A lint yields one sentence for each breach. ``test_architecture.py`` runs them all over ``server/`` and
shows for each that it can fail.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

# Higher rows may import lower ones. Parts of one row never import each other; a part may import itself.
ROWS: tuple[tuple[frozenset[str], ...], ...] = (
    (
        frozenset(
            {
                *("app", "contexts", "wiring", "__main__", "startup", "workers"),
                *("demo", "demo_forms", "demo_offerings", "demo_orders", "demo_complaints"),
                *("demo_officials", "demo_rounds", "demo_settlements", "demo_payments"),
            }
        ),
    ),
    (
        frozenset({"handlers", "middlewares"}),
        frozenset({"commands"}),
        frozenset({"chat"}),
        frozenset({"jobs"}),
    ),
    (frozenset({"keys"}),),
    (frozenset({"services"}),),
    (frozenset({"models", "migrations", "database", "sqlite"}), frozenset({"gateways"})),
    (frozenset({"rules"}),),
    (frozenset({"programme"}),),
    (frozenset({"errors", "units", "clock", "texts", "settings", "logs", "metrics", "sealing"}),),
)
# The packages of services, each a capability; higher rows may import lower ones, none imports its neighbour.
# What stands in services/ itself is the ground of all of them and imports none.
CAPABILITIES: tuple[frozenset[str], ...] = (
    frozenset({"data_protection", "disbursements", "imports", "proof"}),
    frozenset({"supervision"}),
    frozenset({"sanctions"}),
    frozenset({"settlements"}),
    frozenset({"orders", "chat"}),
    frozenset({"marketplace", "complaints"}),
    frozenset({"payments", "providers", "programmes"}),
    frozenset({"vouchers", "accounts", "reports"}),
    frozenset({"admissions", "messages", "public_notices"}),
    frozenset({"reviews", "holds"}),
    frozenset({"organisations", "rounds", "documents", "exports"}),
    frozenset({"budgets", "files"}),
    frozenset({"tables"}),
)
LONGEST_FILE = 450
# A file of tests is mostly tables, and is read one test at a time.
LONGEST_TEST_FILE = 600
LAB = ("server", "gateways", "lab")
"""It knows no rows: what it saves are pictures and papers."""
OUTSIDE_WORLD = frozenset(
    {"tortoise", "redis", "asyncpg", "aiohttp", "asyncio", "wechatpy", "requests", "time"}
)
SQL_VERBS = ("SELECT ", "INSERT ", "UPDATE ", "DELETE ", "CREATE ", "DROP ", "ALTER ", "TRUNCATE ", "WITH ")
SQL_PARTS = frozenset({"table", "columns", "places"})
CLOCK_READERS = frozenset({"now", "utcnow", "today", "time", "time_ns"})
DATE_TYPES = frozenset({"datetime", "date", "time"})


@dataclass(frozen=True)
class Source:
    """One Python file of ours, its path relative to the root of the project."""

    path: Path
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Everything in it: a dozen lints look at all of it."""
        return tuple(ast.walk(self.tree))

    @property
    def part(self) -> str:
        """Which room of ``server/`` it stands in: ``services``, ``app``, … or "" outside of it."""
        inside = self.path.parts
        if inside[0] != "server" or inside == ("server", "__init__.py"):
            return ""
        return inside[1].removesuffix(".py")

    def at(self, node: ast.AST, message: str) -> str:
        """One breach, with the place it stands at."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}: {message}"


Lint = Callable[[Source], Iterator[str]]


@cache
def sources(root: Path, *folders: str) -> tuple[Source, ...]:
    """Every Python file in these folders, read and parsed once."""
    files = sorted(file for folder in folders for file in (root / folder).rglob("*.py"))
    return tuple(Source(file.relative_to(root), file.read_text(encoding="utf-8")) for file in files)


def _row_and_part(name: str) -> tuple[int, frozenset[str]] | None:
    for number, row in enumerate(ROWS):
        for part in row:
            if name in part:
                return number, part
    return None


def _server_imports(source: Source) -> Iterator[tuple[ast.AST, str]]:
    """Every import of a part of ``server``, as (node, part).

    ``keys`` gives names to what the application keeps, so it may name types of any row as types.
    """
    only_types = {
        id(inner)
        for node in source.nodes
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in node.body
        if source.part == "keys"
    }
    for node in source.nodes:
        if id(node) in only_types:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "server":
            names = [f"server.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        for name in names:
            if name.startswith("server."):
                yield node, name.split(".")[1]


def imports_point_down(source: Source) -> Iterator[str]:
    """Imports go to lower rows only, and never sideways between two parts of a row."""
    own = _row_and_part(source.part)
    if own is None:
        if source.part:
            yield source.at(source.tree, f"{source.part} has no place in the dependency rule")
        return
    for node, name in _server_imports(source):
        other = _row_and_part(name)
        if other is None:
            yield source.at(node, f"{name} has no place in the dependency rule")
        elif other[0] < own[0]:
            yield source.at(node, f"{source.part} imports {name}, which stands above it")
        elif other[0] == own[0] and other[1] != own[1]:
            yield source.at(node, f"{source.part} imports {name}, which stands beside it")


def _capability(module: str) -> tuple[str, int] | None:
    """The package of services that a module stands in, and its row; the ground is the last row of all."""
    steps = module.split(".")
    if steps[:2] != ["server", "services"]:
        return None
    for row, packages in enumerate(CAPABILITIES):
        if len(steps) > 2 and steps[2] in packages:
            return steps[2], row
    return "", len(CAPABILITIES)


def capabilities_point_down(source: Source) -> Iterator[str]:
    """A package of services imports packages of lower rows only; a new one finds its place in the rows."""
    own = _capability(".".join(source.path.with_suffix("").parts))
    if own is None:
        return
    if len(source.path.parts) > 3 and not own[0]:
        yield source.at(source.tree, f"{source.path.parts[2]} has no place among the capabilities")
        return
    for node in source.nodes:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "server.services":
            names = [f"server.services.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        for name in names:
            other = _capability(name)
            if other is None or other[0] == own[0] or other[1] > own[1]:
                continue
            where = "beside" if other[1] == own[1] else "above"
            yield source.at(node, f"{own[0] or 'the ground'} imports {other[0]}, which stands {where} it")


def imports_are_absolute(source: Source) -> Iterator[str]:
    """Relative imports would walk around the dependency rule."""
    for node in source.nodes:
        if isinstance(node, ast.ImportFrom) and node.level:
            yield source.at(node, "a relative import")


def rules_are_pure(source: Source) -> Iterator[str]:
    """Rules and programmes never wait, and know neither database nor network nor clock."""
    if source.part not in {"rules", "programme"}:
        return
    for node in source.nodes:
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield source.at(node, "waits for something")
        elif isinstance(node, ast.Import | ast.ImportFrom):
            named = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            for name in named:
                if name.split(".")[0] in OUTSIDE_WORLD:
                    yield source.at(node, f"imports {name}")


def time_comes_from_the_clock(source: Source) -> Iterator[str]:
    """The machine's time is read in ``server/clock.py``; everybody else is given the instant."""
    if source.path == Path("server/clock.py"):
        return
    for node in source.nodes:
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in CLOCK_READERS
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in DATE_TYPES
        ):
            yield source.at(node, f"reads the clock by {node.func.value.id}.{node.func.attr}()")


def draws_come_from_a_generator(source: Source) -> Iterator[str]:
    """A draw comes from a ``Random`` that a test can seed; what must not be guessed, from ``secrets``."""
    imports_random = any(
        isinstance(node, ast.Import) and any(alias.name == "random" for alias in node.names)
        for node in source.nodes
    )
    for node in source.nodes:
        if isinstance(node, ast.ImportFrom) and node.module == "random":
            for alias in node.names:
                if alias.name != "Random":
                    yield source.at(node, f"random.{alias.name} draws from the shared generator")
        elif not isinstance(node, ast.Call):
            continue
        elif (
            imports_random
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "random"
            and node.func.attr != "Random"
        ):
            yield source.at(node, f"random.{node.func.attr} draws from the shared generator")


def sql_takes_parameters(source: Source) -> Iterator[str]:
    """No value is written into SQL.

    A NAMED_CONSTANT may be, and what is called ``table``, ``columns`` or ``places`` (of parameters).
    Migrations have no users.
    """
    if source.part == "migrations":
        return
    for node in source.nodes:
        if isinstance(node, ast.JoinedStr):
            first, inserted = node.values[0] if node.values else None, _inserted(node)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
            first, inserted = node.left, [node.right]
        elif (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"
        ):
            first, inserted = node.func.value, [*node.args, *(keyword.value for keyword in node.keywords)]
        else:
            continue
        if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
            continue
        if first.value.lstrip().startswith(SQL_VERBS) and not all(map(_is_constant, inserted)):
            yield source.at(node, "SQL with a value written into it")


def _inserted(node: ast.JoinedStr) -> list[ast.expr]:
    return [part.value for part in node.values if isinstance(part, ast.FormattedValue)]


def _is_constant(node: ast.expr) -> bool:
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return isinstance(node, ast.Constant) or (name != "" and name == name.upper()) or name in SQL_PARTS


def rows_are_never_saved_whole(source: Source) -> Iterator[str]:
    """A row changes by a guarded UPDATE: ``save()`` writes back what somebody else has changed since.

    Named columns of a row that is held may be saved, and a new row.
    """
    if source.path.parts[: len(LAB)] == LAB:
        return
    narrow = {
        node.func
        for node in source.nodes
        if isinstance(node, ast.Call)
        and {keyword.arg for keyword in node.keywords} & {"update_fields", "force_create"}
    }
    for node in source.nodes:
        if not isinstance(node, ast.Attribute) or node in narrow:
            continue
        if node.attr in {"save", "update_from_dict", "bulk_update"}:
            yield source.at(node, f".{node.attr}() writes a whole row back")


def handlers_leave_rows_alone(source: Source) -> Iterator[str]:
    """Handlers name models as types; reading and changing rows is a service's work."""
    if source.part not in {"handlers", "middlewares"}:
        return
    models = {
        alias.asname or alias.name
        for node in source.nodes
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("server.models")
        for alias in node.names
    }
    queries = {"filter", "get", "get_or_none", "all", "create", "first", "exclude", "raw", "bulk_create"}
    for node in source.nodes:
        if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)):
            continue
        if node.value.id in models and node.attr in queries:
            yield source.at(node, f"asks the database by {node.value.id}.{node.attr}")


def exceptions_are_named(source: Source) -> Iterator[str]:
    """No bare ``except``: it would swallow a cancellation."""
    for node in source.nodes:
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield source.at(node, "a bare except")


def nothing_is_printed(source: Source) -> Iterator[str]:
    """A server logs; only what a person starts by hand prints."""
    if source.path.name == "__main__.py" or source.path == Path("server/programme/check.py"):
        return
    for node in source.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield source.at(node, "prints")


def what_is_public_is_explained(source: Source) -> Iterator[str]:
    """Every module, and every public function and class of a module, says what it means."""
    if source.part == "migrations":
        return
    if source.text.strip() and ast.get_docstring(source.tree) is None:
        yield source.at(source.tree, "the module says nothing about itself")
    for node in source.tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if not node.name.startswith("_") and not _is_explained(node):
            yield source.at(node, f"{node.name} says nothing about itself")


def _is_explained(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """By its docstring, or as a route by the summary that the API document shows."""
    summaries = (
        keyword
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call)
        for keyword in decorator.keywords
        if keyword.arg == "summary"
    )
    return ast.get_docstring(node) is not None or any(summaries)


def files_are_short(source: Source) -> Iterator[str]:
    """One noun, one reason to change: a second noun gets a second file."""
    count = len(source.text.splitlines())
    longest = LONGEST_TEST_FILE if source.path.parts[0] == "tests" else LONGEST_FILE
    if count > longest and source.part != "migrations":
        yield source.at(source.tree, f"{count} lines, more than {longest}")


def nothing_is_left_undone(source: Source) -> Iterator[str]:
    """No stub stands in for work."""
    for number, line in enumerate(source.text.splitlines(), 1):
        if any(mark in line for mark in ("TODO", "FIXME", "XXX", "NotImplementedError")):
            yield f"{source.path}:{number}: work left undone"


EVERYWHERE: tuple[Lint, ...] = (exceptions_are_named, files_are_short, nothing_is_left_undone)
SERVER: tuple[Lint, ...] = (
    imports_point_down,
    capabilities_point_down,
    imports_are_absolute,
    rules_are_pure,
    time_comes_from_the_clock,
    draws_come_from_a_generator,
    sql_takes_parameters,
    rows_are_never_saved_whole,
    handlers_leave_rows_alone,
    nothing_is_printed,
    what_is_public_is_explained,
)
