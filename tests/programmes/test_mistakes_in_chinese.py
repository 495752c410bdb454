"""What is wrong with a file that somebody sent is said in Chinese, whatever the loader finds."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from server import texts
from server.programme import loader, schema
from server.services.programmes.policy_trials import ProgrammeFaulty, parsed
from server.services.programmes.programme_faults import in_chinese
from tests.programmes.conftest import REAL
from tests.programmes.test_mistakes import english_in

MODULES = ("loader", "consistency", "consistency_orders", "consistency_offerings")


def phrases_of(tree: ast.Module) -> Iterator[str]:
    """What stands in a fault's last two places, or in a name for it; ``{}`` for what is filled in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Fault":
            for said in node.args[1:3]:
                yield from phrases_in(said)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("found", "expected"):
            yield from phrases_in(node.value)
        if isinstance(node, ast.FunctionDef) and node.name in ("_suggestion", "_shown"):
            for each in ast.walk(node):
                if isinstance(each, ast.Return) and each.value is not None:
                    yield from phrases_in(each.value)


def phrases_in(said: ast.expr) -> Iterator[str]:
    match said:
        case ast.Constant(value=str(words)):
            yield words
        case ast.JoinedStr(values=parts):
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in parts)
        case ast.BinOp(left=ast.Constant(value=str(words))):
            yield f"{words}{{}}"
        case ast.IfExp(body=one, orelse=other):
            yield from phrases_in(one)
            yield from phrases_in(other)


def every_phrase() -> set[str]:
    """Everything that the loader and its rules can say."""
    said = set(loader._TYPES.values())
    for name in MODULES:
        said |= set(phrases_of(ast.parse(Path(f"server/programme/{name}.py").read_text(encoding="utf-8"))))
    return said - {"{}"}


def test_every_phrase_of_the_loader_is_said_in_chinese() -> None:
    known = every_phrase()
    assert {"an earlier step", "one of {}", "a date such as 2024-08-09", "at least {}"} <= known
    for phrase in known:
        # What is filled in is somebody's own word, or one of ours in another place.
        whole = phrase.replace("{}", "1")
        assert not english_in(in_chinese(whole)), phrase
    units = {words for _, words in schema.UNITS.values()} | {"fen", "hundredths of a percent"}
    for word in (*units, "enterprise", "provider", "category", "kind of voucher"):
        assert not english_in(texts.PROGRAMME_FAULT_WORDS[word]), word
    unsaid = set(texts.PROGRAMME_FAULTS) - known
    assert unsaid <= {"TOML", "bytes that are not UTF-8", "a UTF-8 text"}, unsaid


def test_a_faulty_file_is_answered_with_one_chinese_sentence() -> None:
    text = (REAL / "lishui-2024.toml").read_text(encoding="utf-8")
    for broken, says in (
        (
            text.replace("rate_percent = 70", "rate = 0.7"),
            "“deduction[0].rate”有误：现为不认识的键，应为“rate_percent”",
        ),
        (
            text.replace("face_value_yuan = 20000", "face_value_yuan = -1", 1),
            "“issuance.tier[0].face_value_yuan”有误：现为-1，应为零或正数",
        ),
        (f"slug\n{text}", "规则文件第 1 行有误：现为第 5 列处不合语法的写法，应为TOML 语法"),
    ):
        with pytest.raises(ProgrammeFaulty) as faulty:
            parsed(broken)
        sentence = texts.sentence(faulty.value)
        assert sentence.startswith("规则文件第 ") and says in sentence
