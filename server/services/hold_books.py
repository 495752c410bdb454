"""The books of contracts: what each holds of its vouchers and has taken of its year, against the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from server.models.contracts import Contract, VoucherHold
from server.models.rounds import Budget
from server.rules.contracts import ContractStatus
from server.units import yuan


async def faults(held_fen: Mapping[int, int]) -> list[str]:
    """Every contradiction, each as a sentence with its sums; ``held_fen`` is what each voucher has held.

    A signed contract holds exactly what it says its vouchers pay, any other nothing; a voucher holds at
    least what contracts hold of it; and a year has committed exactly what its signed contracts took (GX-65).
    """
    of_contract: dict[int, int] = defaultdict(int)
    of_voucher: dict[int, int] = defaultdict(int)
    for hold in await VoucherHold.filter(released_at=None):
        of_contract[hold.contract_id] += hold.amount_fen
        of_voucher[hold.voucher_id] += hold.amount_fen
    found = [
        f"voucher {voucher_id}: contracts hold {yuan(fen)}, the ledger {yuan(held_fen.get(voucher_id, 0))}"
        for voucher_id, fen in of_voucher.items()
        if fen > held_fen.get(voucher_id, 0)
    ]
    committed: dict[int, int] = defaultdict(int)
    for contract in await Contract.filter(budget_id__isnull=False):
        signed = contract.status is ContractStatus.SIGNED
        wanted_fen = contract.voucher_fen if signed else 0
        if of_contract[contract.id] != wanted_fen:
            found.append(
                f"contract {contract.id}: holds {yuan(of_contract[contract.id])}, not {yuan(wanted_fen)}"
            )
        committed[contract.budget_id or 0] += wanted_fen
    for budget in await Budget.all():
        if budget.committed_fen != committed[budget.id]:
            found.append(
                f"budget {budget.id}: committed {yuan(budget.committed_fen)},"
                f" its contracts {yuan(committed[budget.id])}"
            )
    return sorted(found)
