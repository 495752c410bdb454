"""The texts of what the platform prints of an order: plain data, from what its rows say.

A text says the same as long as what was agreed stays the same: nothing in it depends on the hour, nor on
what is worked out at the signing. So both sides sign one text, and its hash proves it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from server import texts
from server.models.contracts import Contract
from server.models.offerings import OfferingVersion
from server.models.orders import Order, OrderPaper
from server.models.organisations import Organisation
from server.programme.model import Programme
from server.programme.papers import Field, FieldKind
from server.rules.documents import Printed
from server.rules.forms import SEALED_KINDS
from server.rules.payments import payments
from server.units import percent, yuan

Row = tuple[str, str]


async def contract_text(programme: Programme, order: Order, contract: Contract) -> dict[str, Any]:
    """What a contract says."""
    says, amount_fen = texts.PRINTED, contract.amount_fen
    return {
        **await _head(programme, order, Printed.CONTRACT, contract),
        "service": _rows(
            (says["contract"], contract.number),
            *(await _service(programme, order)),
        ),
        "price": _rows(
            (says["contract_fen"], _money(amount_fen)),
            (says["list_price"], "" if order.list_price_fen is None else _money(order.list_price_fen)),
        ),
        "period": _rows(
            (says["starts_on"], _day(contract.service_starts_on) or says["agreed"]),
            (says["acceptance_on"], _day(contract.acceptance_on) or says["agreed"]),
        ),
        "terms": {"payment": _payment(programme, amount_fen), "ending": _ending(programme)},
    }


async def confirmation_text(programme: Programme, order: Order, contract: Contract | None) -> dict[str, Any]:
    """What a service confirmation says."""
    says = texts.PRINTED
    papers = await OrderPaper.filter(order_id=order.id, withdrawn_at=None).order_by("id")
    names = {document.code: document.name for step in programme.order_steps for document in step.documents}
    return {
        **await _head(programme, order, Printed.SERVICE_CONFIRMATION, contract),
        "service": _rows(
            (says["order"], order.number),
            (says["contract"], "" if contract is None else contract.number),
            (says["signed_on"], "" if contract is None else _day(contract.signed_on)),
            *(await _service(programme, order)),
        ),
        "price": _rows(
            *(
                (says[name], "" if fen is None else _money(fen))
                for name, fen in (
                    ("contract_fen", order.contract_fen or order.price_fen),
                    ("invoice_fen", order.invoice_fen),
                    ("actual_fee_fen", order.actual_fee_fen),
                )
            )
        ),
        "papers": [
            {"name": names.get(one.code, one.code), "number": one.number, "dated": _day(one.dated)}
            for one in papers
        ],
    }


def voucher_rows(order: Order, price_fen: int) -> list[Row]:
    """What was worked out when it was signed: what the voucher pays, and what is left to pay."""
    if not order.voucher_fen:
        return []
    says = texts.PRINTED
    return _rows(
        (says["voucher"], _money(order.voucher_fen)),
        (says["own"], _money(price_fen - order.voucher_fen)),
        (says["clause"], order.clause),
        (says["arithmetic"], order.arithmetic),
    )


async def _head(
    programme: Programme, order: Order, document: Printed, contract: Contract | None
) -> dict[str, Any]:
    sides = {}
    for side, organisation_id in (("enterprise", order.enterprise_id), ("provider", order.provider_id)):
        organisation = await Organisation.get(id=organisation_id)
        written = None if contract is None else getattr(contract, f"{side}_name")
        sides[side] = {"name": written or organisation.name, "uscc": organisation.uscc}
    return {
        "title": texts.PRINTED_TITLES[document],
        "number": order.number,
        "programme": programme.name,
        "clause": programme.contract.article,
        "parties": sides,
    }


async def _service(programme: Programme, order: Order) -> list[Row]:
    says = texts.PRINTED
    category = next((one.name for one in programme.categories if one.code == order.category), order.category)
    rows: list[Row] = [
        (says["category"], category),
        (says["service"], order.service),
        (says["project"], order.project),
    ]
    if order.offering_version_id is not None:
        offered = await OfferingVersion.get(id=order.offering_version_id)
        rows.append((says["offering"], offered.name))
        rows += filled(programme.offering.fields, offered.values)
    return rows


def filled(fields: Iterable[Field], values: dict[str, Any]) -> list[Row]:
    """What was filled in, by the names of the fields; nothing personal."""
    return [
        (field.name, shown(field, values[field.code]))
        for field in fields
        if field.code in values and field.kind not in SEALED_KINDS
    ]


def shown(field: Field, value: object) -> str:
    """A value as people read it."""
    if field.kind is FieldKind.MONEY and isinstance(value, int):
        return _money(value)
    if field.kind is FieldKind.DATE and isinstance(value, str):
        return _day(date.fromisoformat(value))
    return texts.YES_NO[value] if isinstance(value, bool) else str(value)


def _payment(programme: Programme, amount_fen: int) -> list[str]:
    says, own = texts.PRINTED, programme.own_share
    lines = []
    if own.deposit_bp is not None:
        deposit = payments(own, amount_fen, 0).deposit_fen
        lines.append(says["deposit"].format(rate=percent(own.deposit_bp), amount=yuan(deposit)))
    lines.append(says["escrow"] if own.escrow else says["rest"])
    return lines


def _ending(programme: Programme) -> list[str]:
    rules, says = programme.cancellation, texts.PRINTED
    approver = rules.approved_by
    lines = [
        says["ending"].format(
            who=texts.ACTORS[rules.requested_by],
            written=says["written" if rules.written else "unwritten"],
            approved="" if approver is None else says["approved"].format(who=texts.ACTORS[approver]),
        )
    ]
    return [*lines, says["losses"]] if rules.losses_between_parties else lines


def _rows(*rows: Row) -> list[Row]:
    return [(name, value) for name, value in rows if value]


def _money(amount_fen: int) -> str:
    return texts.PRINTED["money"].format(amount=yuan(amount_fen))


def _day(day: date | None) -> str:
    return "" if day is None else texts.PRINTED["day"].format(day=day)
