"""Bank files: the tables that banks take payments from, each a template read from ``config/bank_files``.

A bank wants its own columns, in its own order and encoding. What a column holds is named here; a new bank is
a new file and no code. A faulty template stops the server's start.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any


class BankValue(StrEnum):
    """What a column of a bank's file can hold."""

    LINE = "line"
    """序号, from 1."""
    PAYMENT = "payment"
    """付款编号: what the bank's receipt names back."""
    HOLDER = "holder"
    """收款人户名."""
    ACCOUNT = "account"
    """收款账号."""
    BANK = "bank"
    """开户行."""
    BANK_CODE = "bank_code"
    """联行号."""
    USCC = "uscc"
    """统一社会信用代码 of the payee."""
    AMOUNT = "amount"
    """金额, in yuan with two decimals."""
    PURPOSE = "purpose"
    """用途, as the template words it."""
    BATCH = "batch"
    """批次号."""
    SETTLEMENT = "settlement"
    """兑付编号."""


class BankEncoding(StrEnum):
    """How the bank reads a CSV."""

    UTF_8 = "utf-8"
    GB18030 = "gb18030"


NEEDED = frozenset({BankValue.PAYMENT, BankValue.HOLDER, BankValue.ACCOUNT, BankValue.AMOUNT})
"""Without these no bank pays, and no receipt is matched."""
TEXT_MARKS = frozenset({"", "\t"})
"""What may stand before a long number in a CSV, so that a spreadsheet leaves it a text."""
_CODE = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_KEYS = {"code", "name", "encoding", "totals", "text_mark", "purpose", "column"}
_PLACEHOLDERS = {"programme": "", "year": 0, "batch": ""}


class BankFilesFaulty(Exception):
    """A template cannot be used; the message names file and fault."""


@dataclass(frozen=True, slots=True)
class BankColumn:
    """One column: its header and what it holds."""

    title: str
    holds: BankValue


@dataclass(frozen=True, slots=True)
class BankTemplate:
    """How one bank takes payments. ``totals``: a last line with count and sum follows."""

    code: str
    name: str
    columns: tuple[BankColumn, ...]
    encoding: BankEncoding
    purpose: str
    totals: bool
    text_mark: str

    def purpose_for(self, *, programme: str, year: int, batch: str) -> str:
        """What the payee reads on its statement."""
        return self.purpose.format(programme=programme, year=year, batch=batch)


def load_bank_templates(directory: Path) -> Mapping[str, BankTemplate]:
    """Every ``*.toml`` of a directory, by code. Raises :class:`BankFilesFaulty` on the first fault."""
    found: dict[str, BankTemplate] = {}
    for file in sorted(directory.glob("*.toml")):
        try:
            template = _template(tomllib.loads(file.read_text("utf-8")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValueError, TypeError, LookupError) as fault:
            raise BankFilesFaulty(f"{file.name}: {fault}") from fault
        if template.code in found:
            raise BankFilesFaulty(f"{file.name}: {template.code} is another template's code")
        found[template.code] = template
    if not found:
        raise BankFilesFaulty(f"{directory}: no template")
    return found


def _template(table: Mapping[str, Any]) -> BankTemplate:
    if unknown := sorted(table.keys() - _KEYS):
        raise ValueError(f"unknown keys {', '.join(unknown)}")
    code, name, purpose = (str(table[key]) for key in ("code", "name", "purpose"))
    if not _CODE.fullmatch(code) or not name:
        raise ValueError("a code in small letters and a name are needed")
    purpose.format(**_PLACEHOLDERS)
    columns = tuple(_column(one) for one in table["column"])
    held = [one.holds for one in columns]
    if missing := sorted(NEEDED - set(held)):
        raise ValueError(f"no column holds {', '.join(missing)}")
    if len(set(held)) != len(held) or len({one.title for one in columns}) != len(columns):
        raise ValueError("a column is there twice")
    text_mark = str(table.get("text_mark", ""))
    if text_mark not in TEXT_MARKS:
        raise ValueError("text_mark is nothing or a tab")
    totals = table.get("totals", False)
    if not isinstance(totals, bool):
        raise TypeError("totals is true or false")
    encoding = BankEncoding(table.get("encoding", BankEncoding.UTF_8.value))
    return BankTemplate(code, name, columns, encoding, purpose, totals, text_mark)


def _column(table: Mapping[str, Any]) -> BankColumn:
    if table.keys() != {"title", "holds"} or not str(table["title"]).strip():
        raise ValueError("a column has a title and what it holds")
    return BankColumn(str(table["title"]), BankValue(table["holds"]))
