"""Sanctions: cases, what was said in them, what they did, appeals, referrals, bans of persons, recoveries."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from server.models.columns import CheckedBigInt
from server.models.organisations import Organisation
from server.programme.vocabulary import Party
from server.rules.recoveries import ReceiptKind, RecoveryStatus
from server.rules.sanction_cases import Effect, SanctionSource, SanctionStatus
from server.sealing import SEALED_LENGTH


class SanctionCase(Model):
    """处理案件: somebody is to be sanctioned on a ground of the text, and what became of it.

    ``orders`` and ``vouchers`` bound what is hit; without them everything of the party in the programme is.
    ``preview`` is what the person who decided was shown, and decided on.
    """

    id = fields.BigIntField(primary_key=True)
    number = fields.CharField(24, unique=True, description="What people read aloud")
    programme_slug = fields.CharField(64)
    programme_version = fields.CharField(32)
    sanction = fields.CharField(64, description="The programme's sanction")
    ground = fields.CharField(64, description="The programme's ground")
    clause = fields.CharField(120)
    against: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="sanctions", on_delete=fields.RESTRICT
    )
    against_id: int
    party = fields.CharEnumField(Party, max_length=16)
    source = fields.CharEnumField(SanctionSource, max_length=16)
    source_id: int | None = fields.BigIntField(null=True, description="The row it was proposed from")
    facts = fields.TextField(description="What was found, as the party reads it")
    serious = fields.BooleanField(default=False)
    measures: list[str] = fields.JSONField(description="What follows, by the sanction")
    orders: list[int] | None = fields.JSONField(
        null=True, description="Which of the party's are hit, null: every one"
    )
    vouchers: list[int] | None = fields.JSONField(null=True, description="The same of its vouchers")
    reduced_fen: int | None = fields.BigIntField(null=True, description="By how much a settlement is reduced")
    person_name_sealed = fields.CharField(SEALED_LENGTH, default="")
    person_index = fields.CharField(64, default="", description="Blind index of the identity number")
    status = fields.CharEnumField(SanctionStatus, max_length=16, default=SanctionStatus.PROPOSED)
    proposed_by = fields.BigIntField(description="The member of staff")
    proposed_at: datetime = fields.DatetimeField()
    suspension_id: int | None = fields.BigIntField(null=True, description="What was held at once")
    hearing_called_at: datetime | None = fields.DatetimeField(null=True, description="The days run from it")
    hearing_until: datetime | None = fields.DatetimeField(null=True, description="Exclusive")
    hearing_skipped = fields.TextField(default="", description="Why the party was not heard")
    hearing_by: int | None = fields.BigIntField(null=True)
    decided_by: int | None = fields.BigIntField(null=True)
    decided_at: datetime | None = fields.DatetimeField(null=True)
    reason = fields.TextField(default="", description="Why it was decided so")
    preview: dict[str, Any] = fields.JSONField(default=dict)
    starts_at: datetime | None = fields.DatetimeField(null=True)
    ends_at: datetime | None = fields.DatetimeField(null=True, description="Exclusive, null: for good")
    ban_id: int | None = fields.BigIntField(null=True, description="The entry on the blocklist")
    published = fields.BooleanField(default=False, description="Shown to everybody while it is in force")
    appeal_until: datetime | None = fields.DatetimeField(null=True, description="Exclusive")
    ended_at: datetime | None = fields.DatetimeField(null=True, description="Lifted or reversed")
    ended_by: int | None = fields.BigIntField(null=True)
    end_reason = fields.TextField(default="")
    version = fields.IntField(default=1, description="Rises with every change: two who press at once")

    class Meta:
        table = "sanction_case"
        indexes = (("programme_slug", "status", "id"), ("against_id", "id"), ("source", "source_id"))


class SanctionEntry(Model):
    """One thing said in a case: the proposal, the party's statement, a note. Never changed."""

    id = fields.BigIntField(primary_key=True)
    case: fields.ForeignKeyRelation[SanctionCase] = fields.ForeignKeyField(
        "models.SanctionCase", related_name="entries", on_delete=fields.RESTRICT
    )
    case_id: int
    kind = fields.CharField(16, description="proposal, statement, note")
    author = fields.CharField(40, description="As the journal names who wrote it")
    words = fields.TextField()
    files: list[int] = fields.JSONField(default=list, description="Stored files, attached to the case")
    at: datetime = fields.DatetimeField()

    class Meta:
        table = "sanction_entry"
        indexes = (("case_id", "id"),)


class SanctionEffect(Model):
    """One thing a decision does to one thing: planned with the decision, done, perhaps undone."""

    id = fields.BigIntField(primary_key=True)
    case: fields.ForeignKeyRelation[SanctionCase] = fields.ForeignKeyField(
        "models.SanctionCase", related_name="effects", on_delete=fields.RESTRICT
    )
    case_id: int
    effect = fields.CharEnumField(Effect, max_length=24)
    subject = fields.CharField(48, description="As the journal names it")
    amount_fen: int | None = fields.BigIntField(null=True)
    note = fields.TextField(default="", description="What came of it, in words")
    planned_at: datetime = fields.DatetimeField()
    done_at: datetime | None = fields.DatetimeField(null=True)
    undone_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "sanction_effect"
        unique_together = (("case_id", "effect", "subject"),)


class PersonBan(Model):
    """A person responsible for a breach who may not claim again (NX-28), known by a keyed hash alone."""

    id = fields.BigIntField(primary_key=True)
    case: fields.ForeignKeyRelation[SanctionCase] = fields.ForeignKeyField(
        "models.SanctionCase", related_name="person_bans", on_delete=fields.RESTRICT
    )
    case_id: int
    person_index = fields.CharField(64, db_index=True, description="Blind index of the identity number")
    programme_slug = fields.CharField(64)
    clause = fields.CharField(120)
    starts_at: datetime = fields.DatetimeField()
    ends_at: datetime | None = fields.DatetimeField(null=True, description="Exclusive, null: for good")
    lifted_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "person_ban"


class SanctionReferral(Model):
    """移送: a case was handed to another department, for good (YC-39, YC-40, LS-43)."""

    id = fields.BigIntField(primary_key=True)
    case: fields.ForeignKeyRelation[SanctionCase] = fields.ForeignKeyField(
        "models.SanctionCase", related_name="referrals", on_delete=fields.RESTRICT
    )
    case_id: int
    referred_to = fields.CharField(200)
    referred_on: date = fields.DateField()
    file_number = fields.CharField(100, description="Of the letter it went with")
    documents: list[str] = fields.JSONField(description="What was handed over, by name")
    files: list[int] = fields.JSONField(default=list)
    recorded_by = fields.BigIntField(description="The member of staff")
    recorded_at: datetime = fields.DatetimeField()

    class Meta:
        table = "sanction_referral"
        indexes = (("case_id", "id"),)


class SanctionAppeal(Model):
    """申诉: the party says that a decision is wrong, and somebody who had no part in it looks."""

    id = fields.BigIntField(primary_key=True)
    case: fields.ForeignKeyRelation[SanctionCase] = fields.ForeignKeyField(
        "models.SanctionCase", related_name="appeals", on_delete=fields.RESTRICT
    )
    case_id: int
    filed_by = fields.CharField(40)
    words = fields.TextField()
    files: list[int] = fields.JSONField(default=list)
    filed_at: datetime = fields.DatetimeField()
    upheld: bool | None = fields.BooleanField(null=True)  # type: ignore[assignment]
    decided_by: int | None = fields.BigIntField(null=True)
    decided_at: datetime | None = fields.DatetimeField(null=True)
    reason = fields.TextField(default="")

    class Meta:
        table = "sanction_appeal"
        indexes = (("case_id", "id"),)


class Recovery(Model):
    """追缴: public money that was paid out and is claimed back, with its surcharge."""

    id = fields.BigIntField(primary_key=True)
    number = fields.CharField(24, unique=True)
    case: fields.OneToOneRelation[SanctionCase] = fields.OneToOneField(
        "models.SanctionCase", related_name="recovery", on_delete=fields.RESTRICT
    )
    case_id: int
    debtor: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="recoveries", on_delete=fields.RESTRICT
    )
    debtor_id: int
    programme_slug = fields.CharField(64)
    principal_fen = CheckedBigInt(check="principal_fen > 0")
    yearly_bp = CheckedBigInt(check="yearly_bp >= 0", description="Surcharge, basis points a year")
    rate_rests_on = fields.CharField(200, description="The clause, or that it is the house's default")
    may_offset = fields.BooleanField(default=False, description="Later payments may be kept back for it")
    collected_fen = CheckedBigInt(
        check="collected_fen >= 0 AND collected_fen <= principal_fen",
        default=0,
        description="Of the principal",
    )
    surcharge_due_fen = fields.BigIntField(
        default=0,
        description="Borne by what came back, and not yet paid. Below 0: paid ahead of principal owed anew",
    )
    surcharge_fen = CheckedBigInt(check="surcharge_fen >= 0", default=0, description="Collected")
    status = fields.CharEnumField(RecoveryStatus, max_length=16, default=RecoveryStatus.CLAIMED)
    claimed_at: datetime = fields.DatetimeField()
    demanded_at: datetime | None = fields.DatetimeField(null=True)
    due_on: date | None = fields.DateField(null=True)
    due_provisional = fields.BooleanField(default=False, description="A year's working days were guessed")
    letter: dict[str, Any] = fields.JSONField(default=dict, description="The demand as it was printed")
    instalments: list[dict[str, Any]] = fields.JSONField(default=list, description="due_on and amount_fen")
    reminded_at: datetime | None = fields.DatetimeField(null=True)
    write_off_reason = fields.TextField(default="")
    write_off_asked_by: int | None = fields.BigIntField(null=True)
    ended_by: int | None = fields.BigIntField(null=True)
    ended_at: datetime | None = fields.DatetimeField(null=True)
    version = fields.IntField(default=1)

    class Meta:
        table = "recovery"
        indexes = (("programme_slug", "status", "id"), ("debtor_id", "status"))


class RecoveryLine(Model):
    """One payment out that is claimed back: an order's money off one voucher."""

    id = fields.BigIntField(primary_key=True)
    recovery: fields.ForeignKeyRelation[Recovery] = fields.ForeignKeyField(
        "models.Recovery", related_name="lines", on_delete=fields.RESTRICT
    )
    recovery_id: int
    budget_id = fields.BigIntField()
    round_id: int | None = fields.BigIntField(null=True)
    enterprise_id: int | None = fields.BigIntField(null=True)
    provider_id: int | None = fields.BigIntField(null=True)
    voucher_id: int | None = fields.BigIntField(null=True)
    order_id = fields.BigIntField()
    category = fields.CharField(64, null=True)
    amount_fen = CheckedBigInt(check="amount_fen > 0")
    collected_fen = CheckedBigInt(check="collected_fen >= 0 AND collected_fen <= amount_fen", default=0)
    paid_out_on: date = fields.DateField()
    home_at: datetime | None = fields.DatetimeField(
        null=True, description="When the bank sent that payment back: it is owed no more"
    )

    class Meta:
        table = "recovery_line"
        indexes = (("recovery_id", "id"), ("order_id",))


class RecoveryReceipt(Model):
    """Money that came back, and what it paid off. Never changed."""

    id = fields.BigIntField(primary_key=True)
    recovery: fields.ForeignKeyRelation[Recovery] = fields.ForeignKeyField(
        "models.Recovery", related_name="receipts", on_delete=fields.RESTRICT
    )
    recovery_id: int
    kind = fields.CharEnumField(ReceiptKind, max_length=16)
    reference = fields.CharField(64, description="The bank's number, or the payment kept back")
    received_on: date = fields.DateField()
    amount_fen = CheckedBigInt(check="amount_fen > 0")
    principal_fen = CheckedBigInt(check="principal_fen >= 0")
    surcharge_fen = CheckedBigInt(check="surcharge_fen >= 0")
    arithmetic = fields.TextField()
    recorded_by = fields.BigIntField(description="The member of staff")
    recorded_at: datetime = fields.DatetimeField()

    class Meta:
        table = "recovery_receipt"
        unique_together = (("kind", "reference"),)


class RecoveryReturn(Model):
    """追缴款退还: what was collected on a decision that was reversed, on its way back to who had paid it."""

    id = fields.BigIntField(primary_key=True)
    recovery: fields.ForeignKeyRelation[Recovery] = fields.ForeignKeyField(
        "models.Recovery", related_name="returns", on_delete=fields.RESTRICT
    )
    recovery_id: int
    amount_fen = CheckedBigInt(check="amount_fen > 0")
    surcharge_fen = CheckedBigInt(check="surcharge_fen >= 0", description="Of the amount")
    parts: list[list[int]] = fields.JSONField(description="Of the principal, by line: its id and fen")
    reference = fields.CharField(64, description="The bank's number of the transfer")
    paid_on: date = fields.DateField()
    asked_by = fields.BigIntField(description="The member of staff")
    asked_at: datetime = fields.DatetimeField()
    agreed: bool | None = fields.BooleanField(null=True)  # type: ignore[assignment]
    decided_by: int | None = fields.BigIntField(null=True)
    decided_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "recovery_return"
        indexes = (("recovery_id", "id"),)
