"""Supervision: inspections and what they found, call-backs, and the service file of each provider."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from server.models.orders import Order
from server.models.organisations import Organisation
from server.programme.vocabulary import Party
from server.rules.supervision import (
    CallBackStatus,
    CallMethod,
    CallOutcome,
    EntryTone,
    InspectionKind,
    InspectionStatus,
    RectificationStatus,
    ServiceEntryKind,
    VisitStatus,
)


class Inspection(Model):
    """检查: one plan to look at a sample of organisations, and what came of it as a whole."""

    id = fields.BigIntField(primary_key=True)
    number = fields.CharField(24, unique=True, description="What people read aloud")
    programme_slug = fields.CharField(64)
    programme_version = fields.CharField(32)
    kind = fields.CharEnumField(InspectionKind, max_length=16)
    year = fields.IntField(description="The programme year it counts for")
    title = fields.CharField(200)
    clause = fields.CharField(120, default="", description="Empty: the house's own")
    held_by: list[str] = fields.JSONField(description="The roles that hold it, each signs at its end")
    items: list[dict[str, str]] = fields.JSONField(description="Its checklist: code and words, as it was")
    draw_id: int | None = fields.BigIntField(null=True, description="The draw its sample comes from")
    reason = fields.TextField(default="", description="Why these, where they were named and not drawn")
    commissioned = fields.CharField(200, default="", description="The third party, where one was asked")
    planned_on: date = fields.DateField()
    status = fields.CharEnumField(InspectionStatus, max_length=16, default=InspectionStatus.PLANNED)
    opinion = fields.TextField(default="")
    report_files: list[int] = fields.JSONField(default=list)
    made_by = fields.BigIntField(description="The member of staff")
    made_at: datetime = fields.DatetimeField()
    closed_by: int | None = fields.BigIntField(null=True)
    closed_at: datetime | None = fields.DatetimeField(null=True)
    version = fields.IntField(default=1, description="Rises with every change: two who press at once")

    class Meta:
        table = "inspection"
        indexes = (("programme_slug", "year", "kind", "id"),)


class InspectionSignature(Model):
    """One role that held an inspection signed its result. Never changed."""

    id = fields.BigIntField(primary_key=True)
    inspection: fields.ForeignKeyRelation[Inspection] = fields.ForeignKeyField(
        "models.Inspection", related_name="signatures", on_delete=fields.RESTRICT
    )
    inspection_id: int
    role = fields.CharField(24)
    staff_id = fields.BigIntField()
    signed_at: datetime = fields.DatetimeField()

    class Meta:
        table = "inspection_signature"
        unique_together = (("inspection_id", "role"), ("inspection_id", "staff_id"))


class InspectionVisit(Model):
    """One organisation looked at, on site or on paper."""

    id = fields.BigIntField(primary_key=True)
    inspection: fields.ForeignKeyRelation[Inspection] = fields.ForeignKeyField(
        "models.Inspection", related_name="visits", on_delete=fields.RESTRICT
    )
    inspection_id: int
    organisation: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="inspections", on_delete=fields.RESTRICT
    )
    organisation_id: int
    party = fields.CharEnumField(Party, max_length=16)
    order_id: int | None = fields.BigIntField(
        null=True, description="The order whose performance is looked at"
    )
    status = fields.CharEnumField(VisitStatus, max_length=16, default=VisitStatus.PLANNED)
    answers: dict[str, Any] = fields.JSONField(
        default=dict, description="By item: whether it is right, a note"
    )
    opinion = fields.TextField(default="", description="Or how the inspection was refused")
    files: list[int] = fields.JSONField(default=list)
    visited_on: date | None = fields.DateField(null=True)
    inspector_id: int | None = fields.BigIntField(null=True, description="The member of staff")
    recorded_at: datetime | None = fields.DatetimeField(null=True)
    version = fields.IntField(default=1)

    class Meta:
        table = "inspection_visit"
        indexes = (("inspection_id", "id"), ("organisation_id", "id"), ("order_id", "id"))


class InspectionFinding(Model):
    """Something that was not right, with its pictures. Never changed."""

    id = fields.BigIntField(primary_key=True)
    visit: fields.ForeignKeyRelation[InspectionVisit] = fields.ForeignKeyField(
        "models.InspectionVisit", related_name="findings", on_delete=fields.RESTRICT
    )
    visit_id: int
    item = fields.CharField(64, description="Of the checklist")
    says = fields.TextField()
    serious = fields.BooleanField(default=False)
    files: list[int] = fields.JSONField(default=list)
    found_by = fields.BigIntField(description="The member of staff")
    found_at: datetime = fields.DatetimeField()

    class Meta:
        table = "inspection_finding"
        indexes = (("visit_id", "id"),)


class RectificationTask(Model):
    """整改任务: a finding to be put right by a day, with proof."""

    id = fields.BigIntField(primary_key=True)
    finding: fields.OneToOneRelation[InspectionFinding] = fields.OneToOneField(
        "models.InspectionFinding", related_name="task", on_delete=fields.RESTRICT
    )
    finding_id: int
    organisation: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="rectifications", on_delete=fields.RESTRICT
    )
    organisation_id: int
    programme_slug = fields.CharField(64)
    wanted = fields.TextField(description="What is to be put right")
    due_at: datetime = fields.DatetimeField(description="Exclusive")
    status = fields.CharEnumField(RectificationStatus, max_length=16, default=RectificationStatus.OPEN)
    answer = fields.TextField(default="")
    files: list[int] = fields.JSONField(default=list)
    handed_in_at: datetime | None = fields.DatetimeField(null=True)
    decided_by: int | None = fields.BigIntField(null=True)
    decided_at: datetime | None = fields.DatetimeField(null=True)
    reason = fields.TextField(default="", description="Why it was accepted, or sent back last")
    sent_back = fields.IntField(default=0)
    overdue_at: datetime | None = fields.DatetimeField(null=True, description="Told as overdue, once")
    version = fields.IntField(default=1)

    class Meta:
        table = "rectification_task"
        indexes = (("organisation_id", "status", "id"), ("programme_slug", "status", "due_at"))


class CallBackList(Model):
    """回访名单: the enterprises of a sample that are asked how they were served."""

    id = fields.BigIntField(primary_key=True)
    number = fields.CharField(24, unique=True)
    programme_slug = fields.CharField(64)
    programme_version = fields.CharField(32)
    year = fields.IntField()
    clause = fields.CharField(120, default="")
    draw_id: int | None = fields.BigIntField(null=True, description="The draw it comes from")
    reason = fields.TextField(default="", description="Why these, where they were named and not drawn")
    script: list[str] = fields.JSONField(description="What is asked, in its order")
    made_by = fields.BigIntField()
    made_at: datetime = fields.DatetimeField()

    class Meta:
        table = "call_back_list"
        indexes = (("programme_slug", "year", "id"),)


class CallBack(Model):
    """One order of which an enterprise is asked. It stays on the list until it answers or declines."""

    id = fields.BigIntField(primary_key=True)
    list: fields.ForeignKeyRelation[CallBackList] = fields.ForeignKeyField(
        "models.CallBackList", related_name="calls", on_delete=fields.RESTRICT
    )
    list_id: int
    order: fields.ForeignKeyRelation[Order] = fields.ForeignKeyField(
        "models.Order", related_name="call_backs", on_delete=fields.RESTRICT
    )
    order_id: int
    provider_id = fields.BigIntField()
    status = fields.CharEnumField(CallBackStatus, max_length=16, default=CallBackStatus.WAITING)
    attempts = fields.IntField(default=0)
    level = fields.CharField(32, default="", description="One of the programme's scale")
    words = fields.TextField(default="")
    ended_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "call_back"
        unique_together = (("list_id", "order_id"),)
        indexes = (("provider_id", "id"),)


class CallAttempt(Model):
    """One try to reach an enterprise. Never changed."""

    id = fields.BigIntField(primary_key=True)
    call: fields.ForeignKeyRelation[CallBack] = fields.ForeignKeyField(
        "models.CallBack", related_name="tries", on_delete=fields.RESTRICT
    )
    call_id: int
    method = fields.CharEnumField(CallMethod, max_length=16)
    outcome = fields.CharEnumField(CallOutcome, max_length=16)
    note = fields.TextField(default="")
    made_by = fields.BigIntField()
    made_at: datetime = fields.DatetimeField()

    class Meta:
        table = "call_attempt"
        indexes = (("call_id", "id"),)


class ServiceFileEntry(Model):
    """服务档案: one line of a provider's file. Never changed: what made it makes it once."""

    id = fields.BigIntField(primary_key=True)
    provider: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="service_file", on_delete=fields.RESTRICT
    )
    provider_id: int
    programme_slug = fields.CharField(64)
    year = fields.IntField(description="The programme year it counts for")
    kind = fields.CharEnumField(ServiceEntryKind, max_length=16)
    source = fields.CharField(64, description="What made it: order:12, inspection_visit:7")
    tone = fields.CharEnumField(EntryTone, max_length=8)
    clause = fields.CharField(120, default="")
    data: dict[str, Any] = fields.JSONField(
        default=dict, description="What its sentence names, nobody's identity"
    )
    at: datetime = fields.DatetimeField()

    class Meta:
        table = "service_file_entry"
        unique_together = (("provider_id", "programme_slug", "kind", "source"),)
        indexes = (("provider_id", "id"), ("programme_slug", "provider_id", "year", "tone"))
