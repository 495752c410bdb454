"""Export sources: the lists of our own tables. Others hook theirs in where they stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tortoise.expressions import Q, Subquery

from server import texts
from server.models.complaints import Complaint
from server.models.disbursements import Payment
from server.models.ledger import LedgerEntry
from server.models.orders import Order
from server.models.organisations import MemberRole, Membership, Organisation, Qualification
from server.models.rounds import Budget
from server.models.settlements import Settlement
from server.models.vouchers import Voucher
from server.programme.registry import Programmes
from server.rules.documents import masked_name
from server.rules.forms import mask
from server.sealing import Sealer
from server.services.access import StaffRole
from server.services.exports.export_kinds import Cell, ExportColumn, ExportSource, Rows, Scope, TableSource

DESK = frozenset({StaffRole.OPERATOR, StaffRole.AUTHORITY, StaffRole.DIVISION, StaffRole.DISTRICT})
MONEY = frozenset({StaffRole.OPERATOR, StaffRole.AUTHORITY, StaffRole.DIVISION, StaffRole.TREASURY})
HEARING = frozenset({StaffRole.AUTHORITY, StaffRole.OVERSIGHT_BODY})

Reading = Callable[[Mapping[str, Any]], Cell]


def own_sources(programmes: Programmes, sealer: Sealer) -> Mapping[str, ExportSource]:
    """Every list of the house by its kind."""
    return {
        "orders": _orders(programmes),
        "vouchers": _vouchers(programmes),
        "ledger": _ledger(programmes),
        "organisations": _organisations(sealer),
        "settlements": _settlements(programmes),
        "payments": _payments(),
        "complaints": _complaints(),
    }


@dataclass(frozen=True, slots=True)
class _Listed:
    """A column of a list: what is read for it, and what its cell is made of; at first what is read."""

    column: ExportColumn
    reads: tuple[str, ...]
    cell: Reading | None = None

    def of(self, row: Mapping[str, Any]) -> Cell:
        """Its cell of a row."""
        if self.cell is not None:
            return self.cell(row)
        known: Cell = row[self.reads[0]]
        return known


def _column(name: str, *reads: str, cell: Reading | None = None, **others: Any) -> _Listed:
    return _Listed(ExportColumn(texts.EXPORT_COLUMNS[name], **others), reads, cell)


def _money(name: str, *reads: str) -> _Listed:
    return _column(name, *(reads or (f"{name}_fen",)), kind="fen", width=16, total=True)


def _instant(name: str, *reads: str) -> _Listed:
    return _column(name, *(reads or (f"{name}_at",)), kind="instant", width=20)


def _side(name: str, path: str) -> tuple[_Listed, _Listed]:
    """An organisation by its name and its code."""
    return (
        _column(name, f"{path}__name", width=32),
        _column(f"{name}_uscc", f"{path}__uscc", width=22),
    )


def _named(words: Mapping[str, str], column: str, *, width: int = 12) -> _Listed:
    """What a code is called."""
    return _column(
        column,
        column,
        cell=lambda row: words.get(str(row[column]), str(row[column] or "")),
        width=width,
    )


def _category(programmes: Programmes) -> _Listed:
    def name(row: Mapping[str, Any]) -> Cell:
        code = str(row["category"])
        known = programmes.get(row["programme_slug"]).category(code)
        return known.name if known else code

    return _column("category", "category", "programme_slug", cell=name)


def _source(kind: str, listed: Sequence[_Listed], *, rows: Rows | None = None, **others: Any) -> TableSource:
    """A list of these columns. ``rows`` makes its cells where that takes more than the row."""

    async def plain(found: Sequence[Mapping[str, Any]], _: Scope) -> Sequence[Sequence[Cell]]:
        return [[one.of(row) for one in listed] for row in found]

    return TableSource(
        title=texts.EXPORT_KINDS[kind],
        columns=[one.column for one in listed],
        reads=list(dict.fromkeys(name for one in listed for name in one.reads)),
        rows=rows or plain,
        **others,
    )


def _orders(programmes: Programmes) -> TableSource:
    return _source(
        "orders",
        (
            _column("number", "number"),
            *_side("enterprise", "enterprise"),
            _column("area", "enterprise__area", width=28),
            *_side("provider", "provider"),
            _category(programmes),
            _column("service", "service"),
            _column("project", "project", width=32),
            _named(texts.ORDER_STATUSES, "status"),
            _money("price"),
            _money("contract"),
            _money("invoice"),
            _money("voucher"),
            _instant("placed"),
            _instant("ended"),
        ),
        model=Order,
        on={
            "programme": "programme_slug",
            "at": "placed_at",
            "status": "status",
            "category": "category",
            "area": "enterprise__area",
        },
        statuses=texts.ORDER_STATUSES,
        readers=DESK | MONEY,
    )


def _vouchers(programmes: Programmes) -> TableSource:
    def kind(row: Mapping[str, Any]) -> Cell:
        return programmes.get(row["programme_slug"]).voucher_kind_name(row["kind"])

    def tier(row: Mapping[str, Any]) -> Cell:
        return programmes.get(row["programme_slug"]).tier_name(row["tier"])

    return _source(
        "vouchers",
        (
            _column("number", "number"),
            *_side("enterprise", "enterprise"),
            _column("area", "enterprise__area", width=28),
            _column("kind", "kind", "programme_slug", cell=kind, width=12),
            _column("tier", "tier", "programme_slug", cell=tier, width=12),
            _named(texts.EXPORT_WORDS["voucher"], "status"),
            _money("face", "face_value_fen"),
            _money("given_back"),
            _instant("granted"),
            _instant("valid_until", "valid_until"),
        ),
        model=Voucher,
        on={
            "programme": "programme_slug",
            "at": "granted_at",
            "status": "status",
            "year": "budget__year",
            "area": "enterprise__area",
        },
        statuses=texts.EXPORT_WORDS["voucher"],
        readers=DESK | MONEY,
    )


def _ledger(programmes: Programmes) -> TableSource:
    async def rows(found: Sequence[Mapping[str, Any]], scope: Scope) -> Sequence[Sequence[Cell]]:
        categories = {one.code: one.name for one in programmes.get(scope.programme_slug).categories}
        sides = {one[side] for one in found for side in ("enterprise_id", "provider_id")} - {None}
        known = {row.id: row.name for row in await Organisation.filter(id__in=sides).only("id", "name")}
        return [
            [
                one["at"],
                texts.LEDGER_MOVEMENTS.get(str(one["movement"]), str(one["movement"])),
                *(texts.REPORT_ACCOUNTS[str(one[side])] for side in ("debit", "credit")),
                one["amount_fen"],
                known.get(one["enterprise_id"], ""),
                known.get(one["provider_id"], ""),
                *(str(one["voucher_id"] or ""), str(one["order_id"] or "")),
                categories.get(one["category"], one["category"] or ""),
            ]
            for one in found
        ]

    return _source(
        "ledger",
        (
            _instant("at", "at"),
            _column("movement", "movement"),
            _column("debit", "debit"),
            _column("credit", "credit"),
            _money("amount"),
            _column("enterprise", "enterprise_id", width=32),
            _column("provider", "provider_id", width=32),
            _column("voucher_id", "voucher_id", width=12),
            _column("order_id", "order_id", width=12),
            _column("category", "category"),
        ),
        rows=rows,
        model=LedgerEntry,
        on={"programme": "budget_id__in", "at": "at", "category": "category"},
        belongs=lambda slug: Subquery(Budget.filter(programme_slug=slug).values("id")),
        readers=MONEY,
    )


def _organisations(sealer: Sealer) -> TableSource:
    async def rows(found: Sequence[Mapping[str, Any]], _: Scope) -> Sequence[Sequence[Cell]]:
        ids = {one["organisation_id"] for one in found}
        acting = Membership.filter(organisation_id__in=ids, active=True, role=MemberRole.HANDLER)
        handlers = {one.organisation_id: one.person for one in await acting.select_related("person")}
        lines: list[list[Cell]] = []
        for one in found:
            person = handlers.get(one["organisation_id"])
            lines.append(
                [
                    *(one["organisation__name"], one["organisation__uscc"], one["organisation__area"]),
                    texts.EXPORT_PARTIES[str(one["party"])],
                    texts.EXPORT_WORDS["standing"][one["status"]],
                    *(one["applied_at"], one["decided_at"], one["valid_until"]),
                    person.name if person else "",
                    sealer.open(person.phone_sealed) if person else "",
                ]
            )
        return lines

    return _source(
        "organisations",
        (
            _column("name", "organisation__name", width=32),
            _column("uscc", "organisation__uscc", width=22),
            _column("area", "organisation__area", width=28),
            _column("party", "party", width=12),
            _column("status", "status", width=12),
            _instant("applied"),
            _instant("decided"),
            _instant("valid_until", "valid_until"),
            _column("contact", "organisation_id", width=12, mask=_masked_name),
            _column("phone", "organisation_id", width=16, mask=mask),
        ),
        rows=rows,
        model=Qualification,
        on={
            "programme": "programme_slug",
            "at": "applied_at",
            "status": "status",
            "area": "organisation__area",
        },
        statuses=texts.EXPORT_WORDS["standing"],
        readers=DESK,
        revealers=frozenset({StaffRole.OPERATOR, StaffRole.AUTHORITY}),
    )


def _settlements(programmes: Programmes) -> TableSource:
    return _source(
        "settlements",
        (
            _column("number", "number"),
            _column("order", "order__number"),
            *_side("enterprise", "order__enterprise"),
            *_side("provider", "order__provider"),
            _category(programmes),
            _named(texts.SETTLEMENT_STATUSES, "status"),
            _money("asked"),
            _money("reduced"),
            _money("settled", "amount_fen"),
            _column("year", "year", kind="number", width=8),
            _instant("paid"),
        ),
        model=Settlement,
        on={
            "programme": "programme_slug",
            "at": "line_at",
            "status": "status",
            "category": "category",
            "year": "year",
            "area": "order__enterprise__area",
        },
        statuses=texts.SETTLEMENT_STATUSES,
        readers=DESK | MONEY,
    )


def _payments() -> TableSource:
    return _source(
        "payments",
        (
            _column("number", "number"),
            _column("batch", "batch__number"),
            *_side("provider", "provider"),
            _column("tail", "account__tail", width=12),
            _named(texts.PAYMENT_SOURCES, "source"),
            _named(texts.EXPORT_WORDS["payment"], "status"),
            _money("amount"),
            _column("receipt", "receipt_number", width=22),
            _column("receipt_on", "receipt_on", kind="day", width=12),
            _instant("settled_at", "settled_at"),
        ),
        model=Payment,
        on={"programme": "batch__programme_slug", "at": "settled_at", "status": "status"},
        statuses=texts.EXPORT_WORDS["payment"],
        readers=MONEY,
    )


def _complaints() -> TableSource:
    return _source(
        "complaints",
        (
            _column("number", "number"),
            _named(texts.EXPORT_WORDS["channel"], "channel"),
            _column("accused", "accused__name", width=32),
            _named(texts.COMPLAINT_STATUSES, "status"),
            _named(texts.EXPORT_WORDS["finding"], "finding", width=16),
            _instant("filed"),
            _instant("due", "answer_due_at"),
            _instant("closed"),
        ),
        model=Complaint,
        on={"programme": "programme_slug", "at": "filed_at", "status": "status"},
        # The mailbox is nobody's list. Whose a case is stands in no list at all.
        narrowed=Q(sealed=False),
        statuses=texts.COMPLAINT_STATUSES,
        readers=HEARING,
    )


def _masked_name(name: str) -> str:
    return masked_name(name) if name else ""
