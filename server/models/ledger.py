"""The ledger: append-only, double entry. A balance is a sum, never a number somebody edits."""

from __future__ import annotations

from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from server.models.columns import CheckedBigInt
from server.rules.money import Account, Movement


class LedgerEntry(Model):
    """One movement between two accounts: debited here, credited there, the same amount.

    Both sides stand in one row, so an unbalanced entry cannot be written (docs/decisions/0004).
    Entries are never changed or deleted; triggers refuse it on both databases.
    """

    id = fields.BigIntField(primary_key=True)
    at: datetime = fields.DatetimeField()
    movement = fields.CharEnumField(Movement, max_length=32)
    debit = fields.CharEnumField(Account, max_length=32, description="Money leaves here")
    credit = fields.CharEnumField(Account, max_length=32, description="Money arrives here")
    amount_fen = CheckedBigInt(check="amount_fen > 0")
    budget_id = fields.BigIntField()
    round_id: int | None = fields.BigIntField(null=True)
    enterprise_id: int | None = fields.BigIntField(null=True)
    voucher_id: int | None = fields.BigIntField(null=True)
    order_id: int | None = fields.BigIntField(null=True)
    provider_id: int | None = fields.BigIntField(null=True)
    category = fields.CharField(64, null=True)

    class Meta:
        table = "ledger_entry"
        # A voucher's entries are found among its enterprise's, a budget's through its rounds: every index
        # costs each grant of a launch.
        indexes = (("round_id", "id"), ("enterprise_id", "id"))
