"""The wallet: the vouchers an organisation holds, what is on them, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tortoise.expressions import Q

from server import texts
from server.models.ledger import LedgerEntry
from server.models.vouchers import Voucher
from server.rules.money import Account
from server.services import access, journal
from server.services.access import Actor, NotFound
from server.services.budgets import ledger
from server.services.budgets.ledger import Balances
from server.services.vouchers import ranking_lists
from server.units import yuan

ON_A_VOUCHER: Mapping[str, Account] = {
    "available_fen": Account.AVAILABLE,
    "held_fen": Account.HELD,
    "redeemed_fen": Account.REDEEMED,
    "disbursed_fen": Account.DISBURSED,
    "expired_fen": Account.EXPIRED,
    "reclaimed_fen": Account.RECLAIMED,
    "handed_back_fen": Account.HANDED_BACK,
    "voided_fen": Account.VOIDED,
}
"""Where issued money can be, by the name it is shown under."""


@dataclass(frozen=True, slots=True)
class HeldVoucher:
    """A voucher with its balances, fen per account."""

    voucher: Voucher
    balances: Balances


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a voucher's history, as it is read. ``amount_fen`` is what moved, 0 if nothing did."""

    at: datetime
    says: str
    amount_fen: int


async def vouchers(*, before: int | None, limit: int, actor: Actor) -> list[HeldVoucher]:
    """The next ``limit`` vouchers that the actor's organisation holds, older than one id, newest first."""
    wanted = Voucher.filter(await _shown(), access.held_by(access.organisation_id_of(actor)))
    if before is not None:
        wanted = wanted.filter(id__lt=before)
    rows = await wanted.select_related("round").order_by("-id").limit(limit)
    balances = await ledger.balances_of_vouchers(
        {row.enterprise_id for row in rows}, [row.id for row in rows]
    )
    return [HeldVoucher(row, balances[row.id]) for row in rows]


async def voucher(voucher_id: int, *, actor: Actor) -> HeldVoucher:
    """One voucher that the actor's organisation holds. Raises ``NotFound`` for anybody else's."""
    row = await access.voucher_for(actor, voucher_id)
    if row.round_id in await ranking_lists.untold_rounds():
        raise NotFound()
    balances = await ledger.balances_of_vouchers([row.enterprise_id], [row.id])
    return HeldVoucher(row, balances[row.id])


async def _shown() -> Q:
    """Every voucher but those of a result that nobody has been told yet (GZ-31)."""
    untold = await ranking_lists.untold_rounds()
    return Q(round_id__isnull=True) | Q(round_id__not_in=untold) if untold else Q()


async def history(held: HeldVoucher) -> Sequence[Happening]:
    """Everything that happened to a voucher, oldest first.

    The ledger tells what moved; the journal tells the rest, and who did what both of them know of.
    """
    row = held.voucher
    entries = await LedgerEntry.filter(enterprise_id=row.enterprise_id, voucher_id=row.id).order_by("id")
    title = row.round.title if row.round else ""
    lines = [
        Happening(
            entry.at,
            texts.MOVEMENTS[entry.movement].format(amount=yuan(entry.amount_fen), round=title),
            entry.amount_fen,
        )
        for entry in entries
    ]
    for deed in await journal.history(f"voucher:{row.id}"):
        if deed.action in texts.VOUCHER_DEEDS:
            who = texts.WHO[deed.actor.partition(":")[0]]
            lines.append(
                Happening(deed.at, texts.VOUCHER_DEEDS[deed.action].format(who=who, number=row.number), 0)
            )
    return sorted(lines, key=lambda line: line.at)
