"""Notices: every topic that anybody writes into the outbox has its words, and the data to fill them in.

The topics are found by reading the code: ``outbox.tell`` and whatever hands a topic on to it, messages
that are made as rows, and the SQL of the stores.
"""

from __future__ import annotations

import ast
import re
import string
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from server import texts
from server.programme.review import ReviewSubject
from server.rules.issuance import RankOutcome
from server.rules.orders import ORDER_MOVES, OrderStatus
from server.rules.voucher_ends import Ending
from server.services.messages.notices import LINKS, notice, words_of

ROOT = Path(__file__).parent.parent
BUILT: Mapping[str, frozenset[str]] = {
    "voucher.": frozenset(f"voucher.{ending}" for ending in Ending),
    "review.": frozenset({"review.passed", "review.refused"}),
    "order.": frozenset(f"order.{status}" for status in OrderStatus if not ORDER_MOVES[status]),
    "application.": frozenset(
        f"application.{outcome}"
        for outcome in RankOutcome
        if outcome not in {RankOutcome.AWARDED, RankOutcome.PARTLY}
    ),
}
"""Topics that code puts together from a part and a word that it does not spell out."""


@dataclass(frozen=True)
class Told:
    """A place in the code that tells somebody something, and the names of the data it gives."""

    topic: str
    names: frozenset[str]
    where: str


@dataclass(frozen=True)
class Writer:
    """A function that is given a topic: which argument it is, and the data it adds of its own."""

    module: str
    name: str
    argument: int
    keyword: str
    names: frozenset[str]


class Reading:
    """What is read from one module; its tree is walked once, for all who look for something in it."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.tree = ast.parse(text)
        self.calls: defaultdict[str, list[ast.Call]] = defaultdict(list)
        """By the last name of what is called."""
        self.imported: set[tuple[str, str]] = set()
        """The last part of a module's name, and what is imported from it."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                self.calls[_last_name(node.func)].append(node)
            elif isinstance(node, ast.ImportFrom):
                module = (node.module or "").rpartition(".")[2]
                self.imported |= {(module, alias.name) for alias in node.names}

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    def function_of(self, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        while (node := self.parents.get(node, self.tree)) is not self.tree:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                return node
        return None


def _last_name(called: ast.expr) -> str:
    return called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")


def readings() -> list[Reading]:
    files = [
        path for part in ("services", "gateways", "jobs") for path in (ROOT / "server" / part).rglob("*.py")
    ]
    return [
        Reading(path.relative_to(ROOT), path.read_text(encoding="utf-8"))
        for path in sorted(files)
        if path.name != "outbox.py"
    ]


def topics_told(modules: list[Reading]) -> list[Told]:
    """Every topic that these modules write, with the data that comes with it."""
    told: list[Told] = []
    writers = [
        Writer("outbox", "tell", 1, "topic", frozenset()),
        Writer("outbox", "Message", 1, "topic", frozenset()),
        Writer("outbox", "OutboxMessage", -1, "topic", frozenset()),
    ]
    for writer in writers:  # grows while it is read
        for module in modules:
            for call in module.calls[writer.name]:
                if not _calls(call, writer, module):
                    continue
                topic, names = _topic_of(call, writer), writer.names | _names(call)
                function = module.function_of(call)
                parameters = [] if function is None else [one.arg for one in function.args.args]
                if isinstance(topic, ast.Name) and function is not None and topic.id in parameters:
                    place = parameters.index(topic.id) - (parameters[0] == "self")
                    writers.append(Writer(module.path.stem, function.name, place, topic.id, names))
                else:
                    where = f"{module.path}:{call.lineno}"
                    told += [Told(one, names, where) for one in _values(topic, module, where)]
    return told


def _calls(call: ast.Call, writer: Writer, module: Reading) -> bool:
    """Whether a call of its name is one of the writer: by its own module, by import, or on an object."""
    called, own = call.func, module.path.stem == writer.module
    if isinstance(called, ast.Name):
        return own or not module.imported.isdisjoint({(writer.module, writer.name), ("outbox", writer.name)})
    assert isinstance(called, ast.Attribute)
    value = called.value
    of = value.id if isinstance(value, ast.Name) else value.attr if isinstance(value, ast.Attribute) else ""
    if writer.name.startswith("_"):
        return own
    return of == writer.module or (writer.name != "tell" and of not in {"self", ""}) or (own and of == "self")


def _topic_of(call: ast.Call, writer: Writer) -> ast.expr:
    named = [one.value for one in call.keywords if one.arg == writer.keyword]
    return named[0] if named else call.args[writer.argument]


def _names(call: ast.Call) -> frozenset[str]:
    """The names of the data: keywords, and the keys of any dict that is written out."""
    keywords = {one.arg for one in call.keywords if one.arg}
    keys = {
        str(key.value)
        for node in ast.walk(call)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant)
    }
    return frozenset(keywords | keys)


def _values(topic: ast.expr, module: Reading, where: str) -> Iterator[str]:
    """What a topic may be."""
    if isinstance(topic, ast.Constant):
        yield str(topic.value)
    elif isinstance(topic, ast.IfExp):
        yield from _values(topic.body, module, where)
        yield from _values(topic.orelse, module, where)
    elif isinstance(topic, ast.JoinedStr):
        yield from sorted(BUILT[str(getattr(topic.values[0], "value", ""))])
    elif isinstance(topic, ast.Subscript) and isinstance(topic.value, ast.Name):
        yield from _table(topic.value.id, module)
    else:
        yield f"unreadable topic at {where}"


def _table(name: str, module: Reading) -> Iterator[str]:
    for node in module.tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            assert isinstance(node.value, ast.Dict)
            for value in node.value.values:
                assert isinstance(value, ast.Constant)
                yield str(value.value)


def topics_in_sql(path: Path, text: str) -> Iterator[Told]:
    """Topics in statements that insert into the outbox, with the names that stand near them."""
    for statement in re.finditer(
        r"INSERT INTO outbox_message.*?(?=\"\"\"|\n\n)|\"outbox_message\",.*?\)\n", text, re.S
    ):
        near = text[max(0, statement.start() - 300) : statement.end()]
        names = frozenset(re.findall(r"['\"]([a-z_]+)['\"]", near))
        where = f"{path}:{text[: statement.start()].count(chr(10)) + 1}"
        for topic, built in re.findall(r"['\"]([a-z_]+\.)([a-z_]*)['\"]", statement[0]):
            yield from (
                Told(one, names, where) for one in ([topic + built] if built else sorted(BUILT[topic]))
            )


def everything_told() -> list[Told]:
    modules = readings()
    in_sql = [
        told
        for module in modules
        if "outbox_message" in (text := (ROOT / module.path).read_text(encoding="utf-8"))
        for told in topics_in_sql(module.path, text)
    ]
    # Reminders add the data of their matter to a dict that is built elsewhere.
    return topics_told(modules) + in_sql


TOLD = everything_told()
REMINDERS = Path("server/services/messages/reminders.py")
OF_PAYMENTS = Path("server/services/disbursements/disbursement_reminders.py")
OF_WINDOWS = Path("server/services/settlements/settlement_windows.py")
OF_REVIEWS = Path("server/services/messages/escalations.py")


def placeholders(topic: str) -> set[str]:
    title, sentence = texts.NOTICES[topic]
    return {name for text in (title, sentence) for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_topic_that_is_told_has_its_words() -> None:
    assert {told.topic for told in TOLD} - texts.NOTICES.keys() == set()


def test_no_words_are_left_over() -> None:
    assert texts.NOTICES.keys() - {told.topic for told in TOLD} == set()


@pytest.mark.parametrize("told", TOLD, ids=lambda told: f"{told.topic} {Path(told.where).name}")
def test_what_a_message_says_is_in_its_data(told: Told) -> None:
    given = {word for name in told.names for word in words_of(name)}
    if told.where.startswith(str(REMINDERS)):
        # Its matters write their data themselves; the whole files are read for it.
        for path in (REMINDERS, OF_PAYMENTS, OF_WINDOWS, OF_REVIEWS):
            tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
            keys = (key for node in ast.walk(tree) if isinstance(node, ast.Dict) for key in node.keys)
            given |= {str(key.value) for key in keys if isinstance(key, ast.Constant)}
    assert placeholders(told.topic) - given == set()


@pytest.mark.parametrize("topic", sorted(texts.NOTICES))
def test_no_message_names_a_person(topic: str) -> None:
    forbidden = {"person", "person_name", "contact", "handler", "phone", "id_number", "account", "openid"}
    assert not forbidden & {name for told in TOLD if told.topic == topic for name in told.names}


def test_the_reader_of_the_code_finds_what_is_handed_on() -> None:
    module = Reading(
        Path("server/services/x.py"),
        "async def _tell(topic, **data):\n    await outbox.tell('staff:1', topic, at=now, base=1, **data)\n"
        "async def f():\n    await _tell('a.b' if late else 'a.c', more=2)\n"
        "    await outbox.tell(who, topic='a.d', at=now)\n",
    )
    found = {told.topic: told.names for told in topics_told([module])}
    assert found == {
        "a.b": {"at", "base", "more"},
        "a.c": {"at", "base", "more"},
        "a.d": {"at", "topic"},
    }


def test_the_reader_of_the_code_finds_topics_in_sql() -> None:
    text = 'X = """\nINSERT INTO outbox_message (topic) SELECT \'a.b\', object(\'number\', 1)"""\n'
    assert [(told.topic, "number" in told.names) for told in topics_in_sql(Path("x.py"), text)] == [
        ("a.b", True)
    ]


def test_every_kind_of_review_is_called_something() -> None:
    said = notice("review.arrived", {"review": 3, "subject": ReviewSubject.ENTERPRISE}, programme_name=str)
    assert (said.link_kind, said.link_id) == ("review", "3")
    assert len(set(LINKS)) == len(LINKS)
