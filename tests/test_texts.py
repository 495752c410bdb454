"""Texts: every refusal of the server has its Chinese sentence, and no sentence is left over."""

from __future__ import annotations

import importlib
import pkgutil
import string

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
