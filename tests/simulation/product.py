"""The product under simulation: the modules the server runs, or a copy of them with a bug planted.

A planted bug is an exact replacement in the text of a shipped module or script. The old text must occur
exactly once, so that no bug can silently stop being one when the product changes.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[2]
LUA = "server/gateways/lua/"
MODULES = {
    "grabbing": "server.rules.grabbing",
    "redis_lane": "server.gateways.redis_lane",
    "grab_gate": "server.gateways.grab_gate",
    "grab_store": "server.gateways.grab_store",
    "grab_commit": "server.services.rounds.grab_commit",
    "latch": "server.services.rounds.latch",
    "launch": "server.services.rounds.launch",
    "grabs": "server.services.rounds.grabs",
    "memory_store": "tests.simulation.memory_store",
}


@dataclass(frozen=True)
class Patch:
    """One replacement: ``file`` from the root of the house, the text that stands there, the text instead."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Product:
    """The modules of one variant. Their classes are not those of another variant."""

    grabbing: Any
    redis_lane: Any
    grab_gate: Any
    grab_store: Any
    grab_commit: Any
    latch: Any
    launch: Any
    grabs: Any
    memory_store: Any


def shipped() -> Product:
    """The very modules that the server runs."""
    return Product(**{field: importlib.import_module(name) for field, name in MODULES.items()})


def planted(patches: Sequence[Patch]) -> Product:
    """A copy of the product with these patches, in modules of its own."""
    texts = patched_texts(patches)
    finder = _Planter(texts)
    with _apart(finder):
        modules = {field: importlib.import_module(name) for field, name in MODULES.items()}
    assert not texts.keys() - finder.used, f"never loaded: {sorted(texts.keys() - finder.used)}"
    return Product(**modules)


def patched_texts(patches: Sequence[Patch]) -> dict[str, str]:
    """The patched files by path. Raises ``ValueError`` where an old text does not occur exactly once."""
    texts: dict[str, str] = {}
    for patch in patches:
        text = texts.get(patch.file) or (ROOT / patch.file).read_text(encoding="utf-8")
        if text.count(patch.old) != 1:
            raise ValueError(f"{patch.file} has {text.count(patch.old)} times, not once:\n{patch.old}")
        texts[patch.file] = text.replace(patch.old, patch.new)
    return texts


class _Planter(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads the modules of the product from patched texts."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts
        self.used: set[str] = set()

    def find_spec(self, name: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if name not in MODULES.values():
            return None
        return importlib.util.spec_from_file_location(name, self._file(name), loader=self)

    def _file(self, name: str) -> Path:
        return ROOT / (name.replace(".", "/") + ".py")

    def create_module(self, spec: Any) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        file = self._file(module.__name__)
        where = file.relative_to(ROOT).as_posix()
        self.used.add(where)
        text = self.texts.get(where) or file.read_text(encoding="utf-8")
        exec(compile(text, str(file), "exec"), module.__dict__)
        if module.__name__ == MODULES["redis_lane"]:
            self._plant_scripts(module)

    def _plant_scripts(self, lane: Any) -> None:
        shipped_named = lane.Script.named

        def named(name: str) -> Any:
            where = f"{LUA}{name}.lua"
            self.used.add(where)
            return lane.Script(self.texts[where]) if where in self.texts else shipped_named(name)

        lane.Script.named = named


@contextmanager
def _apart(finder: _Planter) -> Iterator[None]:
    """Import the product's modules anew in here, and leave everybody else's as they were."""
    for name in MODULES.values():
        importlib.import_module(name)
    kept = {name: sys.modules.pop(name) for name in MODULES.values()}
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name, module in kept.items():
            sys.modules[name] = module
            parent, _, child = name.rpartition(".")
            setattr(sys.modules[parent], child, module)
