"""Export sources: the lists of our own tables. Others hook theirs in where they stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
from server.services.export_kinds import Cell, ExportColumn, ExportSource, Rows, Scope, TableSource

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


def _column(name: str, **others: Any) -> ExportColumn:
    return ExportColumn(texts.EXPORT_COLUMNS[name], **others)


def _money(name: str) -> ExportColumn:
    return _column(name, kind="fen", width=16, total=True)


def _instant(name: str) -> ExportColumn:
    return _column(name, kind="instant", width=20)


def _read(*cells: str | Reading) -> Rows:
    """Cells of a row that need nothing but the row: a column's name, or what to make of it."""

    async def rows(found: Sequence[Mapping[str, Any]], _: Scope) -> Sequence[Sequence[Cell]]:
        return [[one[cell] if isinstance(cell, str) else cell(one) for cell in cells] for one in found]

    return rows


def _named(words: Mapping[str, str], column: str) -> Reading:
    """What a code is called."""
    return lambda row: words.get(str(row[column]), str(row[column] or ""))


def _category(programmes: Programmes) -> Reading:
    def name(row: Mapping[str, Any]) -> Cell:
        code = str(row["category"])
        known = programmes.get(row["programme_slug"]).category(code)
        return known.name if known else code

    return name


def _orders(programmes: Programmes) -> TableSource:
    parties = ("enterprise__name", "enterprise__uscc", "enterprise__area", "provider__name", "provider__uscc")
    money = ("price_fen", "contract_fen", "invoice_fen", "voucher_fen")
    return TableSource(
        title=texts.EXPORT_KINDS["orders"],
        model=Order,
        columns=(
            _column("number"),
            _column("enterprise", width=32),
            _column("enterprise_uscc", width=22),
            _column("area", width=28),
            _column("provider", width=32),
            _column("provider_uscc", width=22),
            _column("category"),
            _column("service"),
            _column("project", width=32),
            _column("status", width=12),
            _money("price"),
            _money("contract"),
            _money("invoice"),
            _money("voucher"),
            _instant("placed"),
            _instant("ended"),
        ),
        reads=(
            *("programme_slug", "number", "category", "service", "project", "status"),
            *(*parties, *money, "placed_at", "ended_at"),
        ),
        rows=_read(
            "number",
            *parties,
            _category(programmes),
            *("service", "project"),
            _named(texts.ORDER_STATUSES, "status"),
            *(*money, "placed_at", "ended_at"),
        ),
        on={
            "programme": "programme_slug",
            "at": "placed_at",
            "status": "status",
            "category": "category",
            "area": "enterprise__area",
        },
        readers=DESK | MONEY,
    )


def _vouchers(programmes: Programmes) -> TableSource:
    holder = ("enterprise__name", "enterprise__uscc", "enterprise__area")
    facts = ("face_value_fen", "given_back_fen", "granted_at", "valid_until")

    def kind(row: Mapping[str, Any]) -> Cell:
        return programmes.get(row["programme_slug"]).voucher_kind_name(row["kind"])

    def tier(row: Mapping[str, Any]) -> Cell:
        return programmes.get(row["programme_slug"]).tier_name(row["tier"])

    return TableSource(
        title=texts.EXPORT_KINDS["vouchers"],
        model=Voucher,
        columns=(
            _column("number"),
            _column("enterprise", width=32),
            _column("enterprise_uscc", width=22),
            _column("area", width=28),
            _column("kind", width=12),
            _column("tier", width=12),
            _column("status", width=12),
            _money("face"),
            _money("given_back"),
            _instant("granted"),
            _instant("valid_until"),
        ),
        reads=("programme_slug", "number", *holder, "kind", "tier", "status", *facts),
        rows=_read("number", *holder, kind, tier, _named(texts.EXPORT_WORDS["voucher"], "status"), *facts),
        on={
            "programme": "programme_slug",
            "at": "granted_at",
            "status": "status",
            "year": "budget__year",
            "area": "enterprise__area",
        },
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

    sides = ("enterprise_id", "provider_id")
    return TableSource(
        title=texts.EXPORT_KINDS["ledger"],
        model=LedgerEntry,
        columns=(
            _instant("at"),
            _column("movement"),
            _column("debit"),
            _column("credit"),
            _money("amount"),
            _column("enterprise", width=32),
            _column("provider", width=32),
            _column("voucher_id", width=12),
            _column("order_id", width=12),
            _column("category"),
        ),
        reads=(
            "at",
            "movement",
            "debit",
            "credit",
            "amount_fen",
            *sides,
            "voucher_id",
            "order_id",
            "category",
        ),
        rows=rows,
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

    facts = ("party", "status", "applied_at", "decided_at", "valid_until")
    return TableSource(
        title=texts.EXPORT_KINDS["organisations"],
        model=Qualification,
        columns=(
            _column("name", width=32),
            _column("uscc", width=22),
            _column("area", width=28),
            _column("party", width=12),
            _column("status", width=12),
            _instant("applied"),
            _instant("decided"),
            _instant("valid_until"),
            _column("contact", width=12, mask=_masked_name),
            _column("phone", width=16, mask=mask),
        ),
        reads=("organisation_id", "organisation__name", "organisation__uscc", "organisation__area", *facts),
        rows=rows,
        on={
            "programme": "programme_slug",
            "at": "applied_at",
            "status": "status",
            "area": "organisation__area",
        },
        readers=DESK,
        revealers=frozenset({StaffRole.OPERATOR, StaffRole.AUTHORITY}),
    )


def _settlements(programmes: Programmes) -> TableSource:
    parties = (
        *("order__enterprise__name", "order__enterprise__uscc"),
        *("order__provider__name", "order__provider__uscc"),
    )
    money = ("asked_fen", "reduced_fen", "amount_fen")
    return TableSource(
        title=texts.EXPORT_KINDS["settlements"],
        model=Settlement,
        columns=(
            _column("number"),
            _column("order"),
            _column("enterprise", width=32),
            _column("enterprise_uscc", width=22),
            _column("provider", width=32),
            _column("provider_uscc", width=22),
            _column("category"),
            _column("status", width=12),
            _money("asked"),
            _money("reduced"),
            _money("settled"),
            _column("year", kind="number", width=8),
            _instant("paid"),
        ),
        reads=(
            "programme_slug",
            "category",
            "number",
            "order__number",
            *parties,
            "status",
            *money,
            "year",
            "paid_at",
        ),
        rows=_read(
            *("number", "order__number", *parties),
            _category(programmes),
            _named(texts.SETTLEMENT_STATUSES, "status"),
            *(*money, "year", "paid_at"),
        ),
        on={
            "programme": "programme_slug",
            "at": "line_at",
            "status": "status",
            "category": "category",
            "year": "year",
            "area": "order__enterprise__area",
        },
        readers=DESK | MONEY,
    )


def _payments() -> TableSource:
    paid_to = ("number", "batch__number", "provider__name", "provider__uscc", "account__tail")
    facts = ("amount_fen", "receipt_number", "receipt_on", "settled_at")
    return TableSource(
        title=texts.EXPORT_KINDS["payments"],
        model=Payment,
        columns=(
            _column("number"),
            _column("batch"),
            _column("provider", width=32),
            _column("provider_uscc", width=22),
            _column("tail", width=12),
            _column("status", width=12),
            _money("amount"),
            _column("receipt", width=22),
            _column("receipt_on", kind="day", width=12),
            _instant("settled_at"),
        ),
        reads=(*paid_to, "status", *facts),
        rows=_read(*paid_to, _named(texts.EXPORT_WORDS["payment"], "status"), *facts),
        on={"programme": "batch__programme_slug", "at": "settled_at", "status": "status"},
        readers=MONEY,
    )


def _complaints() -> TableSource:
    return TableSource(
        title=texts.EXPORT_KINDS["complaints"],
        model=Complaint,
        columns=(
            _column("number"),
            _column("channel", width=12),
            _column("accused", width=32),
            _column("status", width=12),
            _column("finding", width=16),
            _instant("filed"),
            _instant("due"),
            _instant("closed"),
        ),
        reads=(
            "number",
            "channel",
            "accused__name",
            "status",
            "finding",
            "filed_at",
            "answer_due_at",
            "closed_at",
        ),
        rows=_read(
            *("number", _named(texts.EXPORT_WORDS["channel"], "channel"), "accused__name"),
            _named(texts.COMPLAINT_STATUSES, "status"),
            _named(texts.EXPORT_WORDS["finding"], "finding"),
            *("filed_at", "answer_due_at", "closed_at"),
        ),
        on={"programme": "programme_slug", "at": "filed_at", "status": "status"},
        # The mailbox is nobody's list. Whose a case is stands in no list at all.
        narrowed=Q(sealed=False),
        readers=HEARING,
    )


def _masked_name(name: str) -> str:
    return masked_name(name) if name else ""
