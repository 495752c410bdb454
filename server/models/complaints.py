"""Complaints: the case, whose it is (apart), what was said in it, the orders it holds, what it proposes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from server.models.files import StoredFile
from server.models.orders import Order
from server.models.organisations import Organisation
from server.programme.vocabulary import Actor, Party
from server.rules.complaints import Channel, Closing, ComplaintStatus, EntryKind, Finding, SubjectKind
from server.sealing import SEALED_LENGTH

COMPLAINANT = "complainant"
"""The author of what whoever complained says: in thread and journal they have no other name."""


class Complaint(Model):
    """投诉: one case. Nothing in it says whose it is, and its words are sealed.

    ``sealed``: it stands in the mailbox, and nobody of another rung knows of it.
    """

    id = fields.BigIntField(primary_key=True)
    number = fields.CharField(24, unique=True, description="What people read aloud")
    programme_slug = fields.CharField(64, default="", description="Empty: of no programme in particular")
    programme_version = fields.CharField(32, default="")
    channel = fields.CharEnumField(Channel, max_length=16)
    subject = fields.CharEnumField(SubjectKind, max_length=16)
    subject_id: int | None = fields.BigIntField(null=True)
    accused: fields.ForeignKeyNullableRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="complaints_against", null=True, on_delete=fields.RESTRICT
    )
    accused_id: int | None
    accused_as: Party | None = fields.CharEnumField(  # type: ignore[assignment]
        Party, max_length=16, null=True, description="Which side the accused plays"
    )
    anonymous = fields.BooleanField(description="Nobody reads whose it is")
    happened_sealed = fields.TextField(description="What happened, in the complainant's words")
    since: date | None = fields.DateField(null=True)
    wanted_sealed = fields.TextField(description="What is wanted")
    status = fields.CharEnumField(ComplaintStatus, max_length=16, default=ComplaintStatus.FILED)
    rung = fields.IntField(description="Its place on the ladder, from 0")
    turn = fields.CharEnumField(Actor, max_length=16, description="Who works on that rung")
    sealed = fields.BooleanField(default=False)
    assigned_to: int | None = fields.BigIntField(null=True, description="The member of staff who has it")
    assigned_at: datetime | None = fields.DatetimeField(null=True)
    answered_by: int | None = fields.BigIntField(null=True, description="Who gave the last answer")
    filed_at: datetime = fields.DatetimeField()
    rung_since: datetime = fields.DatetimeField(description="Since when it stands on its rung")
    receipt_due_at: datetime = fields.DatetimeField(description="Until it is taken on, exclusive")
    half_way_at: datetime = fields.DatetimeField()
    answer_due_at: datetime = fields.DatetimeField(description="Exclusive")
    due_provisional = fields.BooleanField(default=False, description="A year's working days were guessed")
    reminded_at: datetime | None = fields.DatetimeField(null=True, description="Half-way, once on each rung")
    overdue_at: datetime | None = fields.DatetimeField(null=True, description="Seen as overdue on its rung")
    urged_at: datetime | None = fields.DatetimeField(null=True)
    urge_again_at: datetime | None = fields.DatetimeField(null=True)
    urges = fields.IntField(default=0)
    finding: Finding | None = fields.CharEnumField(  # type: ignore[assignment]
        Finding, max_length=16, null=True
    )
    serious = fields.BooleanField(default=False)
    found_at: datetime | None = fields.DatetimeField(null=True)
    answered_at: datetime | None = fields.DatetimeField(null=True)
    confirm_until: datetime | None = fields.DatetimeField(null=True, description="Exclusive")
    closed_at: datetime | None = fields.DatetimeField(null=True)
    closed_how: Closing | None = fields.CharEnumField(  # type: ignore[assignment]
        Closing, max_length=16, null=True
    )
    reopen_until: datetime | None = fields.DatetimeField(null=True, description="Exclusive")
    reopened = fields.IntField(default=0, description="How often its complainant was not content")
    handling: str | None = fields.CharField(  # type: ignore[assignment]
        16, null=True, description="How its complainant found the handling"
    )
    version = fields.IntField(default=1, description="Rises with every change: two who press at once")

    class Meta:
        table = "complaint"
        indexes = (
            ("turn", "status", "answer_due_at", "id"),
            ("assigned_to", "status", "answer_due_at"),
            ("accused_id", "id"),
            ("subject", "subject_id"),
        )


class Complainant(Model):
    """投诉人: whose a case is. Read to bring answers, and by whoever has it in hand, with a reason."""

    id = fields.BigIntField(primary_key=True)
    complaint: fields.OneToOneRelation[Complaint] = fields.OneToOneField(
        "models.Complaint", related_name="complainant", on_delete=fields.RESTRICT
    )
    complaint_id: int
    person_id: int | None = fields.BigIntField(null=True, db_index=True)
    sender_id: int | None = fields.BigIntField(null=True, db_index=True)
    organisation_id: int | None = fields.BigIntField(null=True, description="Whom they acted for then")
    name_sealed = fields.CharField(SEALED_LENGTH, default="")
    contact_sealed = fields.CharField(SEALED_LENGTH, default="")

    class Meta:
        table = "complainant"


class ComplaintEntry(Model):
    """One thing said or done in a case, and who may read it. Never changed."""

    id = fields.BigIntField(primary_key=True)
    complaint: fields.ForeignKeyRelation[Complaint] = fields.ForeignKeyField(
        "models.Complaint", related_name="entries", on_delete=fields.RESTRICT
    )
    complaint_id: int
    kind = fields.CharEnumField(EntryKind, max_length=24)
    author = fields.CharField(40, description="complainant, accused, staff:3, clock")
    rung = fields.IntField(description="The rung it was written on")
    audiences: list[str] = fields.JSONField(description="Who may read it")
    words_sealed = fields.TextField(default="")
    data: dict[str, Any] = fields.JSONField(default=dict, description="Facts of the deed, nobody's identity")
    at: datetime = fields.DatetimeField()

    class Meta:
        table = "complaint_entry"
        indexes = (("complaint_id", "id"),)


class ComplaintFile(Model):
    """A file handed in with an entry. No other door shows it to staff."""

    id = fields.BigIntField(primary_key=True)
    entry: fields.ForeignKeyRelation[ComplaintEntry] = fields.ForeignKeyField(
        "models.ComplaintEntry", related_name="files", on_delete=fields.RESTRICT
    )
    entry_id: int
    file: fields.ForeignKeyRelation[StoredFile] = fields.ForeignKeyField(
        "models.StoredFile", related_name="complaints", on_delete=fields.RESTRICT
    )
    file_id: int

    class Meta:
        table = "complaint_file"
        unique_together = (("entry_id", "file_id"),)


class OrderHold(Model):
    """暂扣: an order that is not settled while a complaint about it is looked into or weighs on it."""

    id = fields.BigIntField(primary_key=True)
    order: fields.ForeignKeyRelation[Order] = fields.ForeignKeyField(
        "models.Order", related_name="supervision_holds", on_delete=fields.RESTRICT
    )
    order_id: int
    complaint: fields.ForeignKeyRelation[Complaint] = fields.ForeignKeyField(
        "models.Complaint", related_name="order_holds", on_delete=fields.RESTRICT
    )
    complaint_id: int
    clause = fields.CharField(120, default="", description="Empty: the house's default")
    placed_by = fields.BigIntField(description="The member of staff")
    placed_at: datetime = fields.DatetimeField()
    lifted_at: datetime | None = fields.DatetimeField(null=True)
    lifted_by: int | None = fields.BigIntField(null=True)
    lift_reason = fields.TextField(default="")

    class Meta:
        table = "order_hold"
        indexes = (("order_id", "lifted_at"),)


class SanctionProposal(Model):
    """处理建议: a verified serious complaint asks whoever decides to deal with a side (LS-82, GX-79)."""

    id = fields.BigIntField(primary_key=True)
    complaint: fields.OneToOneRelation[Complaint] = fields.OneToOneField(
        "models.Complaint", related_name="proposal", on_delete=fields.RESTRICT
    )
    complaint_id: int
    programme_slug = fields.CharField(64)
    programme_version = fields.CharField(32)
    against: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="proposals_against", on_delete=fields.RESTRICT
    )
    against_id: int
    party = fields.CharEnumField(Party, max_length=16)
    sanction = fields.CharField(64, default="", description="The programme's, empty: the text names none")
    ground = fields.CharField(64, default="")
    clause = fields.CharField(120, default="")
    measures: list[str] = fields.JSONField(default=list)
    decided_by_role = fields.CharEnumField(Actor, max_length=16, description="Who decides")
    reason = fields.TextField(description="The finding's reasons, without the complainant")
    proposed_by = fields.BigIntField(description="The member of staff")
    proposed_at: datetime = fields.DatetimeField()
    case_id: int | None = fields.BigIntField(null=True, description="The sanction case made of it")
    decided_at: datetime | None = fields.DatetimeField(null=True)
    dismissed_by: int | None = fields.BigIntField(null=True)
    dismiss_reason = fields.TextField(default="", description="Why no case was made of it")

    class Meta:
        table = "sanction_proposal"
        indexes = (("programme_slug", "decided_at", "id"), ("against_id", "id"))
