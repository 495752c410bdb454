"""Monitoring: what looked wrong, figures that were compared, evaluations, and data that others share."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from server.models.contracts import Contract
from server.models.organisations import Organisation
from server.programme.monitoring import Anomaly
from server.programme.vocabulary import Party
from server.rules.anomalies import ContactKind
from server.rules.contract_checks import CheckVerdict, SharedSource
from server.rules.supervision import AnomalyStatus, AuditKind, AuditOpinion, CommissionOutcome


class ContactMark(Model):
    """A telephone, account or person of an organisation, as a keyed hash: to be compared, never read."""

    id = fields.BigIntField(primary_key=True)
    organisation: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="contact_marks", on_delete=fields.RESTRICT
    )
    organisation_id: int
    kind = fields.CharEnumField(ContactKind, max_length=16)
    mark = fields.CharField(64, description="Blind index")
    noted_at: datetime = fields.DatetimeField()

    class Meta:
        table = "contact_mark"
        unique_together = (("organisation_id", "kind", "mark"),)
        indexes = (("kind", "mark"),)


class AnomalyScan(Model):
    """A settlement was looked through by the rules, as it was handed in then."""

    id = fields.BigIntField(primary_key=True)
    settlement_id = fields.BigIntField(unique=True)
    submitted_at: datetime = fields.DatetimeField(description="What was looked at was handed in then")
    scanned_at: datetime = fields.DatetimeField()
    found = fields.IntField()

    class Meta:
        table = "anomaly_scan"


class AnomalyFinding(Model):
    """数据异常: one thing that looked wrong about a settlement, with its arithmetic: a person decides."""

    id = fields.BigIntField(primary_key=True)
    settlement_id = fields.BigIntField()
    order_id = fields.BigIntField()
    programme_slug = fields.CharField(64)
    programme_version = fields.CharField(32)
    provider: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="anomalies", on_delete=fields.RESTRICT
    )
    provider_id: int
    rule = fields.CharEnumField(Anomaly, max_length=32)
    clause = fields.CharField(120, default="", description="Empty: the house's default")
    message = fields.TextField()
    arithmetic = fields.TextField(default="")
    holds = fields.BooleanField(description="Nothing is paid until it is decided")
    hold_id: int | None = fields.BigIntField(null=True, description="The hold it placed")
    status = fields.CharEnumField(AnomalyStatus, max_length=16, default=AnomalyStatus.OPEN)
    found_at: datetime = fields.DatetimeField()
    decided_by: int | None = fields.BigIntField(null=True)
    decided_at: datetime | None = fields.DatetimeField(null=True)
    reason = fields.TextField(default="")
    sanction_id: int | None = fields.BigIntField(null=True, description="What was proposed on it")
    referred_to = fields.CharField(120, default="", description="Whom the clues were handed to")
    version = fields.IntField(default=1)

    class Meta:
        table = "anomaly_finding"
        unique_together = (("settlement_id", "rule"),)
        indexes = (("programme_slug", "status", "id"), ("provider_id", "id"))


class AuditReport(Model):
    """A self-check or an audit, with the figures it gives. Never changed."""

    id = fields.BigIntField(primary_key=True)
    programme_slug = fields.CharField(64)
    programme_version = fields.CharField(32)
    year = fields.IntField()
    kind = fields.CharEnumField(AuditKind, max_length=16)
    organisation: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="audit_reports", on_delete=fields.RESTRICT
    )
    organisation_id: int
    party = fields.CharEnumField(Party, max_length=16)
    auditor = fields.CharField(200, default="", description="Who audited, empty for a self-check")
    figures: dict[str, int] = fields.JSONField(description="By code: fen, or a count")
    words = fields.TextField(default="")
    files: list[int] = fields.JSONField(default=list)
    made_by = fields.CharField(40, description="As the journal names who handed it in")
    made_at: datetime = fields.DatetimeField()

    class Meta:
        table = "audit_report"
        indexes = (("programme_slug", "year", "organisation_id", "kind"),)


class AuditComparison(Model):
    """A self-check against an audit, figure by figure (GX-80). Never changed."""

    id = fields.BigIntField(primary_key=True)
    programme_slug = fields.CharField(64)
    organisation: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="audit_comparisons", on_delete=fields.RESTRICT
    )
    organisation_id: int
    self_check_id = fields.BigIntField()
    audit_id = fields.BigIntField()
    lines: list[dict[str, Any]] = fields.JSONField(description="By figure: both, the difference, its share")
    serious = fields.BooleanField(description="Beyond what the tolerance allows")
    clause = fields.CharField(120, default="")
    arithmetic = fields.TextField(default="")
    made_by = fields.BigIntField()
    made_at: datetime = fields.DatetimeField()

    class Meta:
        table = "audit_comparison"
        unique_together = (("self_check_id", "audit_id"),)


class OperatorAudit(Model):
    """The yearly audit of the operator, and whether its commission goes on (NX-39)."""

    id = fields.BigIntField(primary_key=True)
    programme_slug = fields.CharField(64)
    programme_version = fields.CharField(32)
    year = fields.IntField()
    auditor = fields.CharField(200)
    opinion = fields.CharEnumField(AuditOpinion, max_length=16)
    words = fields.TextField()
    files: list[int] = fields.JSONField(default=list)
    figures: dict[str, int] = fields.JSONField(
        default=dict, description="By code, fen: the platform's own books"
    )
    recorded_by = fields.BigIntField()
    recorded_at: datetime = fields.DatetimeField()
    consequence: CommissionOutcome | None = fields.CharEnumField(  # type: ignore[assignment]
        CommissionOutcome, max_length=16, null=True
    )
    reason = fields.TextField(default="")
    effective_on: date | None = fields.DateField(null=True, description="From when the consequence holds")
    decided_by: int | None = fields.BigIntField(null=True)
    decided_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "operator_audit"
        unique_together = (("programme_slug", "year"),)


class PolicyEvaluation(Model):
    """绩效评价: how the money was managed and what it did, by both departments (GX-83)."""

    id = fields.BigIntField(primary_key=True)
    programme_slug = fields.CharField(64)
    programme_version = fields.CharField(32)
    clause = fields.CharField(120, default="")
    starts_on: date = fields.DateField()
    ends_on: date = fields.DateField(description="Inclusive")
    indicators: list[dict[str, Any]] = fields.JSONField(description="Code, value and how it was worked out")
    words = fields.TextField()
    files: list[int] = fields.JSONField(default=list)
    signed_by: list[str] = fields.JSONField(description="The roles that have to sign it")
    made_by = fields.BigIntField()
    made_at: datetime = fields.DatetimeField()
    signed_at: datetime | None = fields.DatetimeField(null=True, description="When the last one signed")

    class Meta:
        table = "policy_evaluation"
        indexes = (("programme_slug", "id"),)


class EvaluationSignature(Model):
    """One department signed an evaluation. Never changed."""

    id = fields.BigIntField(primary_key=True)
    evaluation: fields.ForeignKeyRelation[PolicyEvaluation] = fields.ForeignKeyField(
        "models.PolicyEvaluation", related_name="signatures", on_delete=fields.RESTRICT
    )
    evaluation_id: int
    role = fields.CharField(24)
    staff_id = fields.BigIntField()
    signed_at: datetime = fields.DatetimeField()

    class Meta:
        table = "evaluation_signature"
        unique_together = (("evaluation_id", "role"), ("evaluation_id", "staff_id"))


class SharedRecord(Model):
    """What a bank or regulator shares of an organisation: the table the stand-in answers from (GX-69)."""

    id = fields.BigIntField(primary_key=True)
    source = fields.CharEnumField(SharedSource, max_length=24)
    uscc = fields.CharField(18)
    verdict = fields.CharEnumField(CheckVerdict, max_length=16)
    says = fields.TextField()
    since: date = fields.DateField()
    until: date | None = fields.DateField(null=True, description="Inclusive, null: still")

    class Meta:
        table = "shared_record"
        indexes = (("uscc", "source"),)


class ContractCheck(Model):
    """What a source answered about a contract. Never changed: the last answer counts."""

    id = fields.BigIntField(primary_key=True)
    contract: fields.ForeignKeyRelation[Contract] = fields.ForeignKeyField(
        "models.Contract", related_name="checks", on_delete=fields.RESTRICT
    )
    contract_id: int
    source = fields.CharEnumField(SharedSource, max_length=24)
    verdict = fields.CharEnumField(CheckVerdict, max_length=16)
    says = fields.TextField(default="")
    asked_at: datetime = fields.DatetimeField()

    class Meta:
        table = "contract_check"
        indexes = (("contract_id", "source", "id"),)
