"""Case pages: one section of a case's file as people read it, in the words of the house."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from server import texts
from server.clock import CHINA
from server.programme.registry import Programmes
from server.services.proof.case_scope import CaseScope
from server.units import yuan

MOST_PRINTED = 60
"""So many rows of a table are printed; all of them stand in the records."""
LONGEST_TEXT = 1_200


@dataclass(slots=True)
class Pages:
    """A section while its rows go by: what is printed is kept, the rest is counted."""

    title: str
    records: str
    printed: dict[str, list[list[list[str]]]] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)

    def take(self, table: str, row: Mapping[str, Any]) -> None:
        """One row of a table."""
        self.counted[table] = self.counted.get(table, 0) + 1
        kept = self.printed.setdefault(table, [])
        if len(kept) < MOST_PRINTED:
            kept.append(
                [
                    [texts.CASE_COLUMNS[column], _shown(column, value)]
                    for column, value in row.items()
                    if column in texts.CASE_COLUMNS and value not in (None, "", [], {})
                ]
            )

    def summary(self) -> str:
        """The section's line of the cover."""
        return f"{self.title} {texts.CASE_ROWS.format(count=sum(self.counted.values()))}"

    def content(self, programmes: Programmes, scope: CaseScope) -> dict[str, Any]:
        """What the template is filled with."""
        return {
            "title": self.title,
            "programme": programmes.name_of(scope.programme_slug) if scope.programme_slug else "",
            "number": texts.CASE_NUMBERED.format(name=scope.name, number=scope.number),
            "footnote": texts.CASE_FOOTNOTE,
            "draft": False,
            "lines": [self.summary()],
            "tables": [
                {"title": texts.CASE_TABLES[table], "note": self._note(table), "rows": rows}
                for table, rows in self.printed.items()
            ],
        }

    def _note(self, table: str) -> str:
        count, printed = self.counted[table], len(self.printed[table])
        if count == printed:
            return texts.CASE_ROWS.format(count=count)
        return texts.CASE_MORE.format(count=count, printed=printed, path=self.records)


def pages_of(title: str, records: str) -> Pages:
    """An empty section. ``records`` is where all of its rows stand."""
    return Pages(title, records)


def _shown(column: str, value: Any) -> str:
    said = _said(column, value)
    return said if len(said) <= LONGEST_TEXT else f"{said[:LONGEST_TEXT]}…"


def _said(column: str, value: Any) -> str:
    if isinstance(value, bool):
        return texts.CASE_YES if value else texts.CASE_NO
    if isinstance(value, int) and column.endswith("_fen"):
        return yuan(value)
    if isinstance(value, Mapping):
        pairs = [(str(name), _said(str(name), inner)) for name, inner in value.items()]
        return texts.CASE_PAIRS.join(texts.CASE_PAIR.format(name=name, value=said) for name, said in pairs)
    if isinstance(value, list):
        return texts.CASE_LIST.join(_said(column, inner) for inner in value)
    if isinstance(value, str) and value.endswith("Z") and column.endswith(("_at", "at", "_until")):
        try:
            return f"{datetime.fromisoformat(value).astimezone(CHINA):%Y-%m-%d %H:%M:%S}"
        except ValueError:
            return value
    return str(value)
