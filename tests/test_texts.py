"""Texts: every refusal of the server has its Chinese sentence, and no sentence is left over."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import string
from collections import Counter
from pathlib import Path

import pytest

import server
from server import texts
from server.errors import refusal_classes


def test_every_refusal_has_its_sentence_and_every_sentence_its_refusal() -> None:
    for module in pkgutil.walk_packages(server.__path__, "server."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    # Other tests declare refusals of their own.
    texts.check_complete(one for one in refusal_classes() if one.__module__.startswith("server."))


def test_every_sentence_is_a_template_that_names_its_values() -> None:
    for code, sentence in {**texts.REFUSALS, **texts.FAULTS}.items():
        names = [name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None]
        assert all(name.isidentifier() for name in names), code


def test_every_name_of_the_texts_stands_in_one_module_and_can_be_read_from_the_package() -> None:
    own: Counter[str] = Counter()
    for file in Path(texts.__file__).parent.glob("*.py"):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                own.update(target.id for target in targets if isinstance(target, ast.Name))
    assert {name for name, times in own.items() if times > 1} == set()
    parts = {name for name in own if name.endswith("_REFUSALS")}
    assert {name for name in own - Counter(parts) if not hasattr(texts, name)} == set()


def test_a_code_that_stands_in_two_parts_is_refused() -> None:
    assert texts.merged({"here": "一"}, {"there": "二"}) == {"here": "一", "there": "二"}
    with pytest.raises(texts.TextsIncomplete, match="here"):
        texts.merged({"here": "一"}, {"here": "一"})
