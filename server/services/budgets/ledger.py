"""The ledger: the one way money is posted, and every balance as a sum.

``verify`` checks, for the whole database, what must hold at any instant (launch.md I0, I1, I12, I13):
money moved along its routes only, issued money is always somewhere, nothing is negative, and the counters
that the launch keeps in rows equal the sums of the entries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from tortoise.functions import Count, Sum

from server.models.ledger import LedgerEntry
from server.models.rounds import Budget, Round
from server.models.vouchers import Voucher
from server.rules.lifecycles import VoucherStatus
from server.rules.money import ISSUES, OF_A_VOUCHER, RETURNS, ROUTES, Account, Basis, Movement
from server.services.budgets import escrow_books, hold_books, payment_books
from server.units import yuan


@dataclass(frozen=True, slots=True)
class Where:
    """Which money: the dimensions an entry is kept by. A budget always, the rest as far as known."""

    budget_id: int
    round_id: int | None = None
    enterprise_id: int | None = None
    voucher_id: int | None = None
    order_id: int | None = None
    provider_id: int | None = None
    category: str | None = None


async def post(movement: Movement, amount_fen: int, where: Where, *, at: datetime) -> LedgerEntry:
    """Move money along the movement's one route. Call it inside the transaction of the change."""
    debit, credit = ROUTES[movement]
    return await LedgerEntry.create(
        at=at,
        movement=movement,
        debit=debit,
        credit=credit,
        amount_fen=amount_fen,
        budget_id=where.budget_id,
        round_id=where.round_id,
        enterprise_id=where.enterprise_id,
        voucher_id=where.voucher_id,
        order_id=where.order_id,
        provider_id=where.provider_id,
        category=where.category,
    )


Balances = Mapping[Account, int]
"""Fen per account; an account without entries is 0."""


async def balances(**dimensions: int | str | None) -> Balances:
    """The balance of every account over the entries with these dimensions, fen.

    For example ``balances(voucher_id=7, enterprise_id=3)``: a voucher's entries are found fastest through
    its enterprise.
    """
    totals: dict[Account, int] = defaultdict(int)
    for side, sign in (("debit", -1), ("credit", 1)):
        rows = await (
            LedgerEntry.filter(**dimensions)
            .annotate(total_fen=Sum("amount_fen"))
            .group_by(side)
            .values(side, "total_fen")
        )
        for row in rows:
            totals[Account(row[side])] += sign * int(row["total_fen"])
    return totals


async def balances_of_vouchers(
    enterprise_ids: Collection[int], voucher_ids: Collection[int]
) -> Mapping[int, Balances]:
    """The balances of several vouchers, by voucher, fen; found through the enterprises they belong to."""
    totals: dict[int, dict[Account, int]] = {voucher_id: defaultdict(int) for voucher_id in voucher_ids}
    for side, sign in (("debit", -1), ("credit", 1)):
        rows = await (
            LedgerEntry.filter(enterprise_id__in=list(enterprise_ids), voucher_id__in=list(voucher_ids))
            .annotate(total_fen=Sum("amount_fen"))
            .group_by("voucher_id", side)
            .values("voucher_id", side, "total_fen")
        )
        for row in rows:
            totals[row["voucher_id"]][Account(row[side])] += sign * int(row["total_fen"])
    return totals


SPENDABLE = (VoucherStatus.ACTIVE, VoucherStatus.USED_UP)
"""Of any other voucher nothing is free: what comes back to it ends at once."""
ON_FILE = (Movement.TAKE_ON_FILE, Movement.LET_GO_ON_FILE)
FEES = (Movement.TAKE_FEE, Movement.RETURN_FEE)
ENDINGS = (Movement.EXPIRE, Movement.RECLAIM, Movement.HAND_BACK, Movement.VOID)


async def verify() -> list[str]:
    """Every contradiction in the books, each as a sentence with its sums; empty when they balance."""
    faults = await _route_faults() + await _voucher_faults()
    for each in await Round.all().order_by("id"):
        faults += await _round_faults(each)
    for budget in await Budget.all().order_by("id"):
        faults += await _budget_faults(budget)
    return faults + await escrow_books.faults() + await payment_books.faults()


async def _route_faults() -> list[str]:
    """Every entry took its movement's one route; then what left one account has arrived in another (I13)."""
    taken = await (
        LedgerEntry.all()
        .annotate(times=Count("id"))
        .group_by("movement", "debit", "credit")
        .values("movement", "debit", "credit", "times")
    )
    faults = []
    for row in taken:
        debit, credit = ROUTES[Movement(row["movement"])]
        if (row["debit"], row["credit"]) != (debit, credit):
            faults.append(
                f"ledger: {row['movement']} went from {row['debit']} to {row['credit']} {row['times']} times;"
                f" its route is {debit} to {credit}"
            )
    return sorted(faults)


async def _voucher_faults() -> list[str]:
    """Per voucher: what stands behind it was posted, and is in exactly one place, none below zero (I12).

    Each basis has its own invariant: MONEY was issued out of a round, QUOTA was promised, and ON_FILE
    has nothing posted but what complete settlement files took of the year.
    """
    held: dict[int, dict[Account, int]] = defaultdict(lambda: defaultdict(int))
    posted: dict[int, dict[Movement, int]] = defaultdict(lambda: defaultdict(int))
    for side, sign in (("debit", -1), ("credit", 1)):
        rows = await (
            LedgerEntry.filter(voucher_id__isnull=False)
            .annotate(total_fen=Sum("amount_fen"))
            .group_by("voucher_id", side, "movement")
            .values("voucher_id", side, "movement", "total_fen")
        )
        for row in rows:
            account, amount_fen = Account(row[side]), int(row["total_fen"])
            if account in OF_A_VOUCHER:
                held[row["voucher_id"]][account] += sign * amount_fen
            if side == "credit":
                posted[row["voucher_id"]][Movement(row["movement"])] += amount_fen
    faults = [
        f"voucher {voucher_id}: {account} is {yuan(amount_fen)}"
        for voucher_id, accounts in held.items()
        for account, amount_fen in accounts.items()
        if amount_fen < 0
    ]
    strays = await _stray_entries()
    known: set[int] = set()
    columns = ("id", "face_value_fen", "basis", "status", "given_back_fen")
    for voucher_id, face_fen, basis, status, back_fen in await Voucher.all().values_list(*columns):
        known.add(voucher_id)
        faults += _basis_faults(voucher_id, face_fen, Basis(basis), posted[voucher_id])
        free_fen = held[voucher_id][Account.AVAILABLE]
        if status not in SPENDABLE and free_fen > 0:
            faults.append(f"voucher {voucher_id}: {yuan(free_fen)} is free, though it is {status}")
        ended_fen = sum(posted[voucher_id][one] for one in ENDINGS)
        if back_fen > ended_fen:
            faults.append(
                f"voucher {voucher_id}: {yuan(back_fen)} of its quota is back, of {yuan(ended_fen)} ended"
            )
        if voucher_id in strays:
            faults.append(f"voucher {voucher_id}: {strays[voucher_id]} entries are another's")
        returned_fen = sum(posted[voucher_id][one] for one in (*RETURNS.values(), Movement.CLAW_BACK))
        returned_fen -= posted[voucher_id][Movement.RETURN_CLAWED_BACK]
        issued_fen = sum(posted[voucher_id][one] for one in ISSUES.values()) + _on_file(posted[voucher_id])
        somewhere_fen = sum(held[voucher_id].values()) + returned_fen
        if somewhere_fen != issued_fen:
            faults.append(
                f"voucher {voucher_id}: issued {yuan(issued_fen)}, but {yuan(somewhere_fen)} is somewhere"
            )
    faults += [f"voucher {voucher_id}: in the ledger and nowhere else" for voucher_id in held.keys() - known]
    faults += await hold_books.faults({each: accounts[Account.HELD] for each, accounts in held.items()})
    return sorted(faults)


async def _stray_entries() -> dict[int, int]:
    """How many entries of each voucher name another holder, year or round than the voucher does.

    Balances are looked up through the enterprise, so that such an entry would be missed there.
    """
    places = {
        voucher_id: tuple(place)
        for voucher_id, *place in await Voucher.all().values_list(
            "id", "enterprise_id", "budget_id", "round_id"
        )
    }
    rows = await (
        LedgerEntry.filter(voucher_id__isnull=False)
        .annotate(times=Count("id"))
        .group_by("voucher_id", "enterprise_id", "budget_id", "round_id")
        .values("voucher_id", "enterprise_id", "budget_id", "round_id", "times")
    )
    strays: dict[int, int] = defaultdict(int)
    for row in rows:
        place = (row["enterprise_id"], row["budget_id"], row["round_id"])
        if places.get(row["voucher_id"], place) != place:
            strays[row["voucher_id"]] += int(row["times"])
    return strays


def _basis_faults(voucher_id: int, face_fen: int, basis: Basis, posted: Mapping[Movement, int]) -> list[str]:
    """What a voucher's face value must have been posted as, and as nothing else."""
    wanted = dict.fromkeys(ISSUES.values(), 0)
    if basis in ISSUES:
        wanted[ISSUES[basis]] = face_fen
    faults = [
        f"voucher {voucher_id} ({basis}): {movement} in the ledger is {yuan(posted[movement])},"
        f" not {yuan(fen)}"
        for movement, fen in wanted.items()
        if posted[movement] != fen
    ]
    if basis is not Basis.ON_FILE and posted[Movement.TAKE_ON_FILE]:
        taken = yuan(posted[Movement.TAKE_ON_FILE])
        faults.append(f"voucher {voucher_id} ({basis}): {taken} taken on a file, with money behind it")
    return faults


def _on_file(posted: Mapping[Movement, int]) -> int:
    """What complete settlement files took of the year, less what they let go again, fen (YC-19)."""
    return posted[Movement.TAKE_ON_FILE] - posted[Movement.LET_GO_ON_FILE]


async def _round_faults(each: Round) -> list[str]:
    """I0 and I1: the round's counters are the sums of its vouchers and of its entries."""
    sums = await balances(round_id=each.id)
    faces = await Voucher.filter(round_id=each.id).values("face_value_fen")
    vouchers_fen = sum(row["face_value_fen"] for row in faces)
    issued_fen = await _moved(Movement.ISSUE, round_id=each.id)
    checks = (
        ("issued, against its vouchers", each.issued_fen, vouchers_fen),
        ("issued, against the ledger", each.issued_fen, issued_fen),
        ("left in the pool, against the ledger", each.pool_fen - each.issued_fen, sums[Account.ROUND]),
    )
    return [
        f"round {each.id}: {what}: {yuan(have)} is not {yuan(ledger)}"
        for what, have, ledger in checks
        if have != ledger
    ]


async def _budget_faults(budget: Budget) -> list[str]:
    """The year's money is what was put in, less what its rounds hold; rounds never hold more (I1)."""
    sums = await balances(budget_id=budget.id)
    pools_fen = sum(row["pool_fen"] for row in await Round.filter(budget_id=budget.id).values("pool_fen"))
    returned_fen = sum([await _moved(one, budget_id=budget.id) for one in RETURNS.values()])
    moved = {one: await _moved(one, budget_id=budget.id) for one in (*ON_FILE, *FEES)}
    checks = (
        ("allotted, against its rounds", budget.allotted_fen, pools_fen),
        ("on file, against the ledger", budget.on_file_fen, _on_file(moved)),
        ("fees, against the ledger", budget.fees_fen, moved[Movement.TAKE_FEE] - moved[Movement.RETURN_FEE]),
        (
            "committed, against the ledger",
            budget.committed_fen,
            sums[Account.COMMITTED] + sums[Account.PAID_OUT],
        ),
        ("returned, against the ledger", budget.returned_fen, returned_fen),
        ("free, against the ledger", budget.free_fen, sums[Account.BUDGET]),
    )
    return [
        f"budget {budget.id}: {what}: {yuan(have)} is not {yuan(ledger)}"
        for what, have, ledger in checks
        if have != ledger
    ]


async def _moved(movement: Movement, **dimensions: int) -> int:
    rows = await (
        LedgerEntry.filter(movement=movement, **dimensions)
        .annotate(total_fen=Sum("amount_fen"))
        .values("total_fen")
    )
    return int(rows[0]["total_fen"] or 0) if rows else 0
