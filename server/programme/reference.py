"""``python -m server.programme.reference``: write config/programmes/README.md from the schema.

What a key means stands beside it in the code, what it looks like is taken from the programmes that are
there; so the page is never behind either. A test holds the file to :func:`reference`.
"""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

from server.programme.clause import Clause
from server.programme.model import Programme
from server.programme.schema import Key, keys_of, meanings_of, tables_of, words_of
from server.units import percent, yuan

DIRECTORY = Path("config/programmes")

Examples = Mapping[tuple[type, str], str]
"""What stands in the programmes, by table and key."""

INTRODUCTION = """\
# How to write a programme

A programme is one regulation as data: one TOML file in this directory. A sixth regulation is a sixth
file; only a new *mode*, a new word of the vocabulary below, is a reason for new Python.

This page is written by `python -m server.programme.reference` from the schema the loader reads with;
the examples are taken from the programmes beside it.

## In five steps

1. Copy the programme that is nearest to yours and give it its own `slug` and `version`.
2. Go through your text clause by clause; for each, change a value and its `article`.
3. Where the text says nothing and a value is needed, keep the value and mark it assumed, with a `why`.
4. `python -m server.programme.check config/programmes/yours.toml` prints the page that the authors of
   the text can review: every value, its clause, every assumption, and the parts no clause covers.
5. The server reads all files at start. It takes a file completely, or stops with one sentence that
   names file, line, key, what was found and what was expected.

## Conventions

- **Their units.** `_yuan` is yuan, `_percent` is percent, both with at most two decimals (half a fen is
  refused); `_days`, `_months`, `_years` and `_bytes` are whole numbers. `working_days` are working days
  of the calendar in `config/holidays/`, `natural_days` are natural days.
- **Their words.** What people read stands in the file as the text says it. Codes are for machines:
  lower case, English, stable, and found nowhere in the server's own code.
- **Their clause.** Every table names the clause it rests on; a table inside another one that names none
  rests on the clause around it. Refusals quote it.
- **Honest gaps.** `assumed = true` says that a whole table is a reading of ours, `assumed_keys` that
  some of its keys are. A key that is left out because the text sets no limit can be named, too.
- **Sequence is preference.** The first tier that admits an enterprise wins; the first rule that names a
  category pays for it; order steps and review steps happen in the order they are written in.
- **Several tables** of a kind are written `[[in.double.brackets]]`, or as a list of `{ … }` in one key.
- **Versions.** A changed text is a new file with the same `slug` and another `version`. What was granted
  under the old one keeps it.

These four keys are allowed in every table that says so with *clause*:

"""


def reference(directory: Path) -> str:
    """The whole page; examples come from the ``*.toml`` in ``directory``."""
    examples = _examples(directory)
    return "\n".join(_page(examples)) + "\n"


def _page(examples: Examples) -> Iterator[str]:
    yield INTRODUCTION + "\n".join(_keys(Clause, keys_of(Clause), examples))
    shared = {key.attribute for key in keys_of(Clause)}
    for table, headers in tables_of(Programme).items():
        yield f"\n## `{headers[0]}`\n"
        yield _first_paragraph(table) + (" *(clause)*" if issubclass(table, Clause) else "")
        if len(headers) > 1:
            yield "\nAlso " + ", ".join(f"`{header}`" for header in headers[1:]) + "."
        needed = [key for key in keys_of(Programme) if key.type is table]
        if needed:
            yield f"\n{'Needed' if needed[0].required else 'May be left out'}: {needed[0].meaning}"
        yield ""
        own = [key for key in keys_of(table) if not (issubclass(table, Clause) and key.attribute in shared)]
        yield from _keys(table, own, examples)
    yield "\n# The vocabulary\n\nEach word is behaviour that the server knows."
    for words in words_of(Programme):
        yield f"\n## {words.__name__}\n\n{_first_paragraph(words)}\n"
        yield from _words(words)


def _keys(
    table: type, keys: tuple[Key, ...] | list[Key], examples: Mapping[tuple[type, str], str]
) -> Iterator[str]:
    yield "| key | what | if left out | meaning | example |"
    yield "|---|---|---|---|---|"
    for key in keys:
        example = examples.get((table, key.name), "")
        shown = f"`{example}`" if example else ""
        yield f"| `{key.name}` | {_what(key)} | {_default(key)} | {_cell(key.meaning)} | {_cell(shown)} |"


def _what(key: Key) -> str:
    if key.is_table:
        header = tables_of(Programme)[key.type][0]
        one = f"[`{header}`](#{_anchor(header)})"
        return f"tables {one}" if key.many else f"table {one}"
    one = key.unit or _TYPES.get(key.type, "")
    if issubclass(key.type, StrEnum):
        one = f"[{key.type.__name__}](#{key.type.__name__.lower()})"
    return {"": one, "list": f"list of {one}", "set": f"set of {one}"}[key.many]


_TYPES: Mapping[type, str] = {str: "text", int: "whole number", bool: "true or false", date: "date"}


def _default(key: Key) -> str:
    if key.required:
        return "**required**"
    if key.default is None or key.default in ((), frozenset(), ""):
        return "nothing"
    if key.is_money:
        return yuan(key.default)
    if key.is_rate:
        return percent(key.default)
    return str(key.default).lower() if isinstance(key.default, bool) else f"`{key.default}`"


def _words(words: type[StrEnum]) -> Iterator[str]:
    meanings = meanings_of(words)
    yield "| word | meaning |"
    yield "|---|---|"
    for word in words:
        yield f"| `{word.value}` | {_cell(meanings.get(word.name, ''))} |"


def _first_paragraph(cls: type) -> str:
    return " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _anchor(header: str) -> str:
    return header.strip("[]").replace(".", "")


def _examples(directory: Path) -> Examples:
    """The first value of each key in the files of a directory, as it is written there."""
    found: dict[tuple[type, str], str] = {}
    for file in sorted(directory.glob("*.toml")):
        _collect(Programme, tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal), found)
    return found


def _collect(table: type, raw: Mapping[str, Any], found: dict[tuple[type, str], str]) -> None:
    keys = {key.name: key for key in keys_of(table)}
    for name, value in raw.items():
        key = keys[name]
        if key.is_table:
            for inner in value if isinstance(value, list) else [value]:
                _collect(key.type, inner, found)
            continue
        for owner in (table, Clause) if issubclass(table, Clause) else (table,):
            found.setdefault((owner, name), _written(value))


def _written(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        shown = ", ".join(_written(item) for item in value[:2])
        return f"[{shown}, …]" if len(value) > 2 else f"[{shown}]"
    return str(value)


if __name__ == "__main__":
    (DIRECTORY / "README.md").write_text(reference(DIRECTORY), encoding="utf-8")
