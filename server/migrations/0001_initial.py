from tortoise import migrations
from tortoise.migrations import operations as ops
from orjson import loads
from server.models.columns import CheckedBigInt
from server.models.deliveries import ConsentKind, DeliveryState
from server.models.exports import ExportFormat, ExportStatus
from server.models.jobs import RunStatus
from server.models.labels import LabelSource
from server.models.organisations import ActivityKind, MemberRole
from server.programme.messages import MessageChannel
from server.programme.monitoring import Anomaly
from server.programme.papers import DocumentKind
from server.programme.review import ReviewKind, ReviewSubject, Sampled
from server.programme.steps import StepKind
from server.programme.vocabulary import Actor, LegalForm, Party
from server.rules.anomalies import ContactKind
from server.rules.chat_messages import MessageKind, WechatAccount
from server.rules.complaints import Channel, Closing, ComplaintStatus, EntryKind, Finding, SubjectKind
from server.rules.contract_checks import CheckVerdict, SharedSource
from server.rules.contracts import ContractStatus
from server.rules.disbursements import (
    AccountStatus,
    BatchStatus,
    FundKind,
    FundStatus,
    HandOverStatus,
    InvoiceStatus,
    LapseStatus,
    PaymentSource,
    TransferStatus,
)
from server.rules.documents import Printed, SignMethod
from server.rules.enquiries import EnquiryStatus
from server.rules.findings import FindingKind, Weight
from server.rules.grabbing import GrabOutcome
from server.rules.invoice_checks import MarkKind
from server.rules.issuance import ApplicationDeed, ApplicationStatus, RankOutcome
from server.rules.lifecycles import QualificationStatus, RegistrationStatus, RoundStatus, VoucherStatus
from server.rules.money import Account, Basis, Movement
from server.rules.offerings import DraftStatus, OfferingStatus
from server.rules.orders import OrderStatus
from server.rules.own_payments import PaymentMethod, PaymentPurpose, PaymentStatus
from server.rules.payment_holds import HoldCause
from server.rules.public_notices import LineOutcome, NoticeKind, NoticeStatus
from server.rules.recoveries import ReceiptKind, RecoveryStatus
from server.rules.removals import RemovalStatus
from server.rules.request_line import RequestStatus
from server.rules.review import CaseStatus, Verdict
from server.rules.sampling import DrawStatus, SampleOutcome
from server.rules.sanction_cases import Effect, SanctionSource, SanctionStatus
from server.rules.settlements import SettlementApplicationStatus, SettlementStatus
from server.rules.supervision import (
    AnomalyStatus,
    AuditKind,
    AuditOpinion,
    CallBackStatus,
    CallMethod,
    CallOutcome,
    CommissionOutcome,
    EntryTone,
    InspectionKind,
    InspectionStatus,
    RectificationStatus,
    ServiceEntryKind,
    VisitStatus,
)
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from uuid import uuid4
from tortoise import fields
from tortoise.indexes import Index


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="AnomalyScan",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("settlement_id", fields.BigIntField(unique=True)),
                (
                    "submitted_at",
                    fields.DatetimeField(
                        description="What was looked at was handed in then",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                ("scanned_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("found", fields.IntField()),
            ],
            options={
                "table": "anomaly_scan",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A settlement was looked through by the rules, as it was handed in then.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ApplicationRequest",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("enterprise_id", fields.BigIntField()),
                (
                    "request_key",
                    fields.CharField(
                        description="128 random bits, hex, made and kept by the phone", max_length=32
                    ),
                ),
                ("round_id", fields.BigIntField()),
                ("person_id", fields.BigIntField()),
                (
                    "deed",
                    fields.CharEnumField(
                        description="APPLY: apply\nCHANGE: change\nWITHDRAW: withdraw",
                        enum_type=ApplicationDeed,
                        max_length=16,
                    ),
                ),
                (
                    "amount_fen",
                    fields.BigIntField(description="What is asked for from now on, 0 where it is withdrawn"),
                ),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "application_request",
                "app": "models",
                "unique_together": (("enterprise_id", "request_key"),),
                "pk_attr": "id",
                "table_description": "One request that changed an application. Append-only, its id counts up in the order of taking.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="AttestedLabel",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("uscc", fields.CharField(null=True, db_index=True, max_length=18)),
                (
                    "name",
                    fields.CharField(
                        default="", db_index=True, description="Full name as the list has it", max_length=200
                    ),
                ),
                ("programme_slug", fields.CharField(null=True, max_length=64)),
                (
                    "code",
                    fields.CharField(description="A label's code, as programmes have it", max_length=64),
                ),
                (
                    "kinds",
                    fields.JSONField(
                        default=list,
                        description="Kinds of service it was recognised for",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("recognised_in", fields.IntField(null=True, description="Year of the recognition")),
                ("valid_until", fields.DateField(null=True, description="Last day, null: no end")),
                (
                    "source",
                    fields.CharEnumField(
                        description="LIST: list\nPAPER: paper", enum_type=LabelSource, max_length=16
                    ),
                ),
                ("list_name", fields.CharField(default="", max_length=200)),
                ("document_number", fields.CharField(default="", max_length=120)),
                ("attested_by", fields.BigIntField(description="The member of staff")),
                ("attested_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("withdrawn_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("withdrawn_by", fields.BigIntField(null=True)),
                ("withdraw_reason", fields.TextField(default="", unique=False)),
                (
                    "lapsed_at",
                    fields.DatetimeField(
                        null=True, description="When its end was settled", auto_now=False, auto_now_add=False
                    ),
                ),
            ],
            options={
                "table": "attested_label",
                "app": "models",
                "indexes": [Index(fields=["code", "list_name"]), Index(fields=["valid_until"])],
                "pk_attr": "id",
                "table_description": "One line of one source: this organisation holds this label. Withdrawn, never changed or deleted.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="BlocklistEntry",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "uscc",
                    fields.CharField(db_index=True, description="The barred organisation", max_length=18),
                ),
                (
                    "programme_slug",
                    fields.CharField(null=True, description="null bars everywhere", max_length=64),
                ),
                ("clause", fields.CharField(max_length=120)),
                ("reason", fields.TextField(unique=False)),
                ("starts_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "ends_at",
                    fields.DatetimeField(
                        null=True, description="null is for good", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "list_name",
                    fields.CharField(
                        default="", db_index=True, description="The imported list, if any", max_length=200
                    ),
                ),
                ("made_by", fields.BigIntField()),
                ("lift_asked_by", fields.BigIntField(null=True, description="The first of two")),
                ("lifted_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("lifted_by", fields.BigIntField(null=True)),
                ("lift_reason", fields.TextField(default="", unique=False)),
            ],
            options={
                "table": "blocklist_entry",
                "app": "models",
                "pk_attr": "id",
                "table_description": "黑名单: who is barred, from what, since when, until when and by which clause.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Budget",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("programme_slug", fields.CharField(max_length=64)),
                ("programme_version", fields.CharField(max_length=32)),
                ("year", fields.IntField()),
                (
                    "total_fen",
                    CheckedBigInt(description="What the year may spend, fen", check="total_fen >= 0"),
                ),
                (
                    "allotted_fen",
                    CheckedBigInt(
                        description="Given to rounds, fen",
                        check="allotted_fen >= 0 AND allotted_fen + committed_fen + on_file_fen + fees_fen <= total_fen + returned_fen",
                    ),
                ),
                (
                    "committed_fen",
                    CheckedBigInt(
                        default=0,
                        description="Taken at signing where quota was promised, fen",
                        check="committed_fen >= 0",
                    ),
                ),
                (
                    "on_file_fen",
                    CheckedBigInt(
                        default=0,
                        description="Taken by complete settlement files, in line, fen",
                        check="on_file_fen >= 0",
                    ),
                ),
                (
                    "fees_fen",
                    CheckedBigInt(
                        default=0,
                        description="Taken by the operator for supervision, fen",
                        check="fees_fen >= 0",
                    ),
                ),
                (
                    "returned_fen",
                    CheckedBigInt(
                        default=0,
                        description="Come back from vouchers for others to have, fen",
                        check="returned_fen >= 0",
                    ),
                ),
                (
                    "issued_count",
                    fields.IntField(default=0, description="Vouchers ever issued without a round"),
                ),
                ("epoch", fields.BigIntField(default=1)),
                ("version", fields.BigIntField(default=0)),
                ("lock_number", fields.BigIntField(default=0)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "budget",
                "app": "models",
                "unique_together": (("programme_slug", "year"),),
                "pk_attr": "id",
                "table_description": "A programme year's money, and the fence of its launches.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="CallBackList",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("number", fields.CharField(unique=True, max_length=24)),
                ("programme_slug", fields.CharField(max_length=64)),
                ("programme_version", fields.CharField(max_length=32)),
                ("year", fields.IntField()),
                ("clause", fields.CharField(default="", max_length=120)),
                ("draw_id", fields.BigIntField(null=True, description="The draw it comes from")),
                (
                    "reason",
                    fields.TextField(
                        default="", description="Why these, where they were named and not drawn", unique=False
                    ),
                ),
                (
                    "script",
                    fields.JSONField(
                        description="What is asked, in its order", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                ("made_by", fields.BigIntField()),
                ("made_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "call_back_list",
                "app": "models",
                "indexes": [Index(fields=["programme_slug", "year", "id"])],
                "pk_attr": "id",
                "table_description": "回访名单: the enterprises of a sample that are asked how they were served.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DayRoot",
            fields=[
                ("number", fields.BigIntField(primary_key=True, unique=True, db_index=True)),
                ("day", fields.DateField(unique=True)),
                ("first_place", fields.BigIntField(unique=True)),
                ("last_place", fields.BigIntField(unique=True)),
                ("first_entry", fields.BigIntField(description="The lowest id among the entries")),
                ("last_entry", fields.BigIntField(description="The highest")),
                (
                    "root",
                    fields.CharField(
                        description="Root of the Merkle tree over the hashes in order, hex", max_length=64
                    ),
                ),
                (
                    "previous",
                    fields.CharField(description="Hash of the statement before it, hex", max_length=64),
                ),
                (
                    "statement",
                    fields.CharField(
                        description="SHA-256 of what is signed: all of the above, hex", max_length=64
                    ),
                ),
                (
                    "signature",
                    fields.CharField(description="Ed25519 over the statement's bytes, hex", max_length=128),
                ),
                ("key_id", fields.CharField(max_length=32)),
                ("signed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "day_root",
                "app": "models",
                "pk_attr": "number",
                "table_description": "Everything sealed on one day, under one signed hash. Days are China's, by the machine's clock.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DayAnchor",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "root",
                    fields.ForeignKeyField(
                        "models.DayRoot",
                        source_field="root_id",
                        db_constraint=True,
                        to_field="number",
                        related_name="anchors",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "anchor",
                    fields.CharField(description="Who keeps it: file, rfc3161, blockchain", max_length=32),
                ),
                ("statement", fields.CharField(description="What was handed over, hex", max_length=64)),
                ("token", fields.TextField(default="", description="What came back, Base64", unique=False)),
                (
                    "stamped_at",
                    fields.DatetimeField(description="As they say", auto_now=False, auto_now_add=False),
                ),
            ],
            options={
                "table": "day_anchor",
                "app": "models",
                "unique_together": (("root_id", "anchor"),),
                "pk_attr": "id",
                "table_description": "What somebody outside gave for a day's statement: a time stamp, a place in a chain.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Delivery",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("outbox_id", fields.BigIntField(null=True)),
                ("addressee", fields.CharField(description="person:12, sender:17", max_length=40)),
                ("topic", fields.CharField(max_length=64)),
                (
                    "programme_slug",
                    fields.CharField(default="", description="Empty: no programme's", max_length=64),
                ),
                (
                    "state",
                    fields.CharEnumField(
                        default=DeliveryState.WAITING,
                        description="WAITING: waiting\nSENT: sent\nKEPT: kept\nHELD: held\nEXPIRED: expired\nDEAD: dead",
                        enum_type=DeliveryState,
                        max_length=16,
                    ),
                ),
                (
                    "channel",
                    fields.CharEnumField(
                        null=True,
                        description="By which it goes, or went",
                        enum_type=MessageChannel,
                        max_length=16,
                    ),
                ),
                (
                    "holds",
                    fields.BooleanField(
                        default=False,
                        description="It has a consent, or a place in the window, of its channel",
                    ),
                ),
                (
                    "uncertain",
                    fields.BooleanField(
                        default=False,
                        description="It was given to its channel, and whether it arrived there is not known",
                    ),
                ),
                (
                    "tried",
                    fields.JSONField(
                        default=list,
                        description="Channels that do not reach them",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("attempts", fields.IntField(default=0)),
                (
                    "next_at",
                    fields.DatetimeField(
                        description="When it is due, while claimed the lease's end",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "claimed_by",
                    fields.CharField(
                        default="", description="The process that has it, for this time", max_length=32
                    ),
                ),
                ("error_code", fields.IntField(null=True, description="WeChat's last code")),
                ("error", fields.CharField(default="", description="What it means, a code", max_length=32)),
                (
                    "message_id",
                    fields.CharField(
                        default="", description="The channel's own name of what it took on", max_length=64
                    ),
                ),
                (
                    "text_sealed",
                    fields.TextField(default="", description="Of a reply of the chat", unique=False),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("settled_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "delivery",
                "app": "models",
                "unique_together": (("outbox_id", "addressee"),),
                "pk_attr": "id",
                "table_description": "One message to one addressee beyond the inbox. Instants are the machine's clock.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="EvidenceObject",
            fields=[
                ("sha256", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("leased_at", fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "evidence_object",
                "app": "models",
                "pk_attr": "sha256",
                "table_description": "Bytes in the evidence store, named by their hash. There before them, and gone after them.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ExportJob",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "number",
                    fields.CharField(unique=True, description="What people read aloud", max_length=24),
                ),
                ("kind", fields.CharField(description="Which list, or what else", max_length=32)),
                (
                    "subject",
                    fields.CharField(
                        default="",
                        description="The case it is of, as the journal names it, empty for a list",
                        max_length=40,
                    ),
                ),
                ("programme_slug", fields.CharField(max_length=64)),
                (
                    "filters",
                    fields.JSONField(
                        default=dict, description="As they were chosen", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                (
                    "areas",
                    fields.JSONField(
                        default=list,
                        description="The areas its asker is bound to",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                (
                    "format",
                    fields.CharEnumField(
                        description="XLSX: xlsx\nCSV: csv\nZIP: zip", enum_type=ExportFormat, max_length=8
                    ),
                ),
                ("revealed", fields.BooleanField(default=False, description="Personal data in clear")),
                (
                    "reason",
                    fields.CharField(
                        default="", description="Why personal data is needed in clear", max_length=500
                    ),
                ),
                ("asked_by", fields.CharField(description="staff:3, person:12", max_length=40)),
                ("organisation_id", fields.BigIntField(null=True, description="Whom a person acted for")),
                ("asked_name", fields.CharField(description="As they were called then", max_length=64)),
                ("asked_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "status",
                    fields.CharEnumField(
                        default=ExportStatus.WAITING,
                        description="WAITING: waiting\nRUNNING: running\nDONE: done\nFAILED: failed\nCANCELLED: cancelled\nEXPIRED: expired",
                        enum_type=ExportStatus,
                        max_length=16,
                    ),
                ),
                ("through_id", fields.BigIntField(null=True, description="The last row it reads")),
                ("resume_after", fields.BigIntField(default=0, description="The last row that is kept")),
                ("rows_total", fields.IntField(null=True, description="Rows, or what else is counted off")),
                ("rows_done", fields.IntField(default=0)),
                ("attempts", fields.IntField(default=0)),
                ("leased_until", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "error",
                    fields.CharField(
                        default="", description="The kind of the last failure, never its text", max_length=120
                    ),
                ),
                ("started_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("finished_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "file",
                    fields.ForeignKeyField(
                        "models.EvidenceObject",
                        source_field="file_id",
                        null=True,
                        db_constraint=True,
                        to_field="sha256",
                        related_name="exports",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "sha256",
                    fields.CharField(
                        default="", description="Of the file, kept when the file is gone", max_length=64
                    ),
                ),
                ("size_bytes", CheckedBigInt(default=0, check="size_bytes >= 0")),
                (
                    "expires_at",
                    fields.DatetimeField(
                        null=True,
                        description="Until then it can be fetched",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                ("downloads", fields.IntField(default=0)),
            ],
            options={
                "table": "export_job",
                "app": "models",
                "indexes": [Index(fields=["asked_by", "id"]), Index(fields=["status", "id"])],
                "pk_attr": "id",
                "table_description": "导出: one list, or one case with its papers, that somebody asked for.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ExportPart",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "job",
                    fields.ForeignKeyField(
                        "models.ExportJob",
                        source_field="job_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="parts",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("place", fields.IntField(description="From 0")),
                ("rows", fields.IntField()),
                (
                    "object",
                    fields.ForeignKeyField(
                        "models.EvidenceObject",
                        source_field="object_id",
                        db_constraint=True,
                        to_field="sha256",
                        related_name="export_parts",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "export_part",
                "app": "models",
                "unique_together": (("job_id", "place"),),
                "pk_attr": "id",
                "table_description": "One page of an export's rows, kept so that nobody reads it twice. Gone when the file is made.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="FundEntry",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "budget",
                    fields.ForeignKeyField(
                        "models.Budget",
                        source_field="budget_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="fund_entries",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("programme_slug", fields.CharField(max_length=64)),
                (
                    "kind",
                    fields.CharEnumField(
                        description="ALLOCATION: allocation\nINTEREST: interest",
                        enum_type=FundKind,
                        max_length=16,
                    ),
                ),
                ("amount_fen", CheckedBigInt(check="amount_fen > 0")),
                ("dated", fields.DateField(description="The day on the bank's statement")),
                (
                    "reference",
                    fields.CharField(
                        description="Of the statement, or of the document that allocates", max_length=64
                    ),
                ),
                (
                    "files",
                    fields.JSONField(description="The bank's statement", encoder=JSON_DUMPS, decoder=loads),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=FundStatus.ENTERED,
                        description="ENTERED: entered\nCONFIRMED: confirmed\nREJECTED: rejected",
                        enum_type=FundStatus,
                        max_length=16,
                    ),
                ),
                ("reason", fields.TextField(default="", unique=False)),
                ("entered_by", fields.BigIntField()),
                ("entered_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("decided_by", fields.BigIntField(null=True)),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "fund_entry",
                "app": "models",
                "indexes": [Index(fields=["budget_id", "id"])],
                "pk_attr": "id",
                "table_description": "专户入账: money that came into the account a year is paid from. It counts when confirmed by another.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="GrabDecision",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("enterprise_id", fields.BigIntField()),
                (
                    "grab_key",
                    fields.CharField(
                        description="128 random bits, hex, made and kept by the phone", max_length=32
                    ),
                ),
                ("round_id", fields.BigIntField()),
                ("person_id", fields.BigIntField()),
                ("epoch", fields.BigIntField()),
                ("place", fields.CharField(max_length=32)),
                (
                    "outcome",
                    fields.CharEnumField(
                        description="GRANTED: granted\nALREADY: already\nSOLD_OUT: sold_out\nCLOSED: closed\nNOT_ELIGIBLE: not_eligible\nQUOTA_USED: quota_used\nKEY_REUSED: key_reused\nPAUSED: paused\nSTALE: stale",
                        enum_type=GrabOutcome,
                        max_length=16,
                    ),
                ),
                ("voucher_id", fields.BigIntField(null=True)),
                ("decided_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "grab_decision",
                "app": "models",
                "unique_together": (("enterprise_id", "grab_key"),),
                "pk_attr": "id",
                "table_description": "One decision per (enterprise, grab key): granted or refused, so that a retry reads the same.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ImportRun",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("kind", fields.CharField(max_length=32)),
                ("programme_slug", fields.CharField(null=True, max_length=64)),
                (
                    "settings",
                    fields.JSONField(
                        description="List, document number, label, mode", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                ("sha256", fields.CharField(description="Of the file", max_length=64)),
                (
                    "counts",
                    fields.JSONField(
                        description="Rows by what was done with them", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                ("done_by", fields.BigIntField()),
                ("done_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "import_run",
                "app": "models",
                "pk_attr": "id",
                "table_description": "One import that was carried out. The file itself is known by its hash.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="InboundMessage",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "key",
                    fields.CharField(
                        unique=True, description="The same for every delivery of one message", max_length=64
                    ),
                ),
                (
                    "sender_index",
                    fields.CharField(
                        description="Blind index of the openid, as of the sender", max_length=64
                    ),
                ),
                (
                    "kind",
                    fields.CharEnumField(
                        description="TEXT: text\nIMAGE: image\nVOICE: voice\nVIDEO: video\nFILE: file\nLOCATION: location\nLINK: link\nSTICKER: sticker\nMENU_TAP: menu_tap\nSUBSCRIBE: subscribe\nUNSUBSCRIBE: unsubscribe\nENTER_SESSION: enter_session\nTEMPLATE_RESULT: template_result\nSUBSCRIBE_RESULT: subscribe_result\nMEDIA_CHECK: media_check\nOTHER: other",
                        enum_type=MessageKind,
                        max_length=24,
                    ),
                ),
                (
                    "body_sealed",
                    fields.TextField(description="The message, empty once it is forgotten", unique=False),
                ),
                ("received_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("worker", fields.CharField(description="The process that works on it", max_length=32)),
                (
                    "worker_until",
                    fields.DatetimeField(
                        description="Afterwards any process may take it over",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                ("attempts", fields.IntField(default=0)),
                ("handled_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "failed",
                    fields.BooleanField(default=False, description="Given up after too many attempts"),
                ),
                (
                    "late",
                    fields.BooleanField(
                        default=False,
                        description="Acknowledged before there was an answer: it went out as a message",
                    ),
                ),
                ("answer_sealed", fields.TextField(default="", unique=False)),
            ],
            options={
                "table": "inbound_message",
                "app": "models",
                "pk_attr": "id",
                "table_description": "One message or event that WeChat delivered, kept before it was acknowledged.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="InboxMark",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("reader", fields.CharField(max_length=40)),
                ("recipient", fields.CharField(max_length=96)),
                ("read_up_to", fields.BigIntField()),
            ],
            options={
                "table": "inbox_mark",
                "app": "models",
                "unique_together": (("reader", "recipient"),),
                "pk_attr": "id",
                "table_description": "How far a reader has read what goes to one recipient: everything up to a message.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="InboxMessage",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("outbox_id", fields.BigIntField(unique=True)),
                (
                    "created_at",
                    fields.DatetimeField(
                        description="When it happened, by the programme's clock",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "delivered_at",
                    fields.DatetimeField(
                        description="By the machine's clock", auto_now=False, auto_now_add=False
                    ),
                ),
                ("topic", fields.CharField(max_length=64)),
                ("recipient", fields.CharField(description="As in the outbox", max_length=96)),
                (
                    "area",
                    fields.CharField(
                        default="", description="Where its organisation is, where data says so", max_length=64
                    ),
                ),
                ("data", fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
            ],
            options={
                "table": "inbox_message",
                "app": "models",
                "indexes": [Index(fields=["recipient", "id"])],
                "pk_attr": "id",
                "table_description": "One delivered message. ``outbox_id`` is unique: nothing is delivered twice.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="InboxRead",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("reader", fields.CharField(description="person:12, staff:3", max_length=40)),
                ("message_id", fields.BigIntField()),
            ],
            options={
                "table": "inbox_read",
                "app": "models",
                "unique_together": (("reader", "message_id"),),
                "pk_attr": "id",
                "table_description": "One reader has read one message that many may read.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Inspection",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "number",
                    fields.CharField(unique=True, description="What people read aloud", max_length=24),
                ),
                ("programme_slug", fields.CharField(max_length=64)),
                ("programme_version", fields.CharField(max_length=32)),
                (
                    "kind",
                    fields.CharEnumField(
                        description="DAILY: daily\nJOINT: joint\nTHIRD_PARTY: third_party\nFOLLOW_UP: follow_up\nCOMMITMENT: commitment",
                        enum_type=InspectionKind,
                        max_length=16,
                    ),
                ),
                ("year", fields.IntField(description="The programme year it counts for")),
                ("title", fields.CharField(max_length=200)),
                (
                    "clause",
                    fields.CharField(default="", description="Empty: the house's own", max_length=120),
                ),
                (
                    "held_by",
                    fields.JSONField(
                        description="The roles that hold it, each signs at its end",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                (
                    "items",
                    fields.JSONField(
                        description="Its checklist: code and words, as it was",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("draw_id", fields.BigIntField(null=True, description="The draw its sample comes from")),
                (
                    "reason",
                    fields.TextField(
                        default="", description="Why these, where they were named and not drawn", unique=False
                    ),
                ),
                (
                    "commissioned",
                    fields.CharField(
                        default="", description="The third party, where one was asked", max_length=200
                    ),
                ),
                ("planned_on", fields.DateField()),
                (
                    "status",
                    fields.CharEnumField(
                        default=InspectionStatus.PLANNED,
                        description="PLANNED: planned\nCLOSED: closed\nCANCELLED: cancelled",
                        enum_type=InspectionStatus,
                        max_length=16,
                    ),
                ),
                ("opinion", fields.TextField(default="", unique=False)),
                ("report_files", fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads)),
                ("made_by", fields.BigIntField(description="The member of staff")),
                ("made_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("closed_by", fields.BigIntField(null=True)),
                ("closed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "version",
                    fields.IntField(default=1, description="Rises with every change: two who press at once"),
                ),
            ],
            options={
                "table": "inspection",
                "app": "models",
                "indexes": [Index(fields=["programme_slug", "year", "kind", "id"])],
                "pk_attr": "id",
                "table_description": "检查: one plan to look at a sample of organisations, and what came of it as a whole.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="InspectionSignature",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "inspection",
                    fields.ForeignKeyField(
                        "models.Inspection",
                        source_field="inspection_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="signatures",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("role", fields.CharField(max_length=24)),
                ("staff_id", fields.BigIntField()),
                ("signed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "inspection_signature",
                "app": "models",
                "unique_together": (("inspection_id", "role"), ("inspection_id", "staff_id")),
                "pk_attr": "id",
                "table_description": "One role that held an inspection signed its result. Never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="JobRun",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("job", fields.CharField(max_length=48)),
                (
                    "programme_slug",
                    fields.CharField(
                        default="", description="Empty: the job is not a programme's", max_length=64
                    ),
                ),
                (
                    "slot",
                    fields.DatetimeField(
                        description="When it was due, by the clock it lives on",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=RunStatus.RUNNING,
                        description="RUNNING: running\nDONE: done\nRETRYING: retrying\nFAILED: failed",
                        enum_type=RunStatus,
                        max_length=16,
                    ),
                ),
                (
                    "worker",
                    fields.CharField(
                        description="Who is at it: a name made at the start of the process", max_length=32
                    ),
                ),
                ("attempts", fields.IntField(default=1)),
                ("started_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "leased_until",
                    fields.DatetimeField(
                        description="After this anybody may take it over", auto_now=False, auto_now_add=False
                    ),
                ),
                ("finished_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("count", fields.IntField(default=0, description="How much there was to do")),
                (
                    "error",
                    fields.CharField(
                        default="", description="The kind of the last failure, never its text", max_length=120
                    ),
                ),
            ],
            options={
                "table": "job_run",
                "app": "models",
                "unique_together": (("job", "programme_slug", "slot"),),
                "pk_attr": "id",
                "table_description": "One slot of one job. Inserting the row is the claim. Instants of work are the machine's clock.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="JournalEntry",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "action",
                    fields.CharField(
                        description="Dotted and global: round.opened, voucher.granted", max_length=64
                    ),
                ),
                ("actor", fields.CharField(description="person:12, staff:3, clock", max_length=40)),
                ("subject", fields.CharField(description="round:7, voucher:1024", max_length=40)),
                ("programme_slug", fields.CharField(default="", max_length=64)),
                ("data", fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
            ],
            options={
                "table": "journal_entry",
                "app": "models",
                "indexes": [Index(fields=["subject", "id"])],
                "pk_attr": "id",
                "table_description": "One deed. Written in the same transaction as the change it tells of.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="JournalSeal",
            fields=[
                ("place", CheckedBigInt(primary_key=True, unique=True, db_index=True, check="place > 0")),
                ("entry_id", fields.BigIntField(unique=True)),
                ("subject", fields.CharField(description="As the entry says it", max_length=40)),
                (
                    "seq",
                    CheckedBigInt(description="Counted without a gap within the subject", check="seq > 0"),
                ),
                (
                    "previous",
                    fields.CharField(
                        description="The hash before it in the subject's chain, hex", max_length=64
                    ),
                ),
                (
                    "hash",
                    fields.CharField(
                        description="SHA-256 of the entry with its place in the chain, hex", max_length=64
                    ),
                ),
                (
                    "late",
                    fields.BooleanField(
                        default=False, description="An entry of a higher id was sealed before"
                    ),
                ),
                (
                    "sealed_at",
                    fields.DatetimeField(
                        description="By the machine's clock", auto_now=False, auto_now_add=False
                    ),
                ),
            ],
            options={
                "table": "journal_seal",
                "app": "models",
                "unique_together": (("subject", "seq"),),
                "pk_attr": "place",
                "table_description": "One entry's link in the chain of its subject, and its leaf in the tree of a day.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="LedgerEntry",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "movement",
                    fields.CharEnumField(
                        description="APPROPRIATE: appropriate\nCUT_BUDGET: cut_budget\nALLOT: allot\nRETURN_ALLOTMENT: return_allotment\nCOMMIT: commit\nUNCOMMIT: uncommit\nISSUE: issue\nPOST_QUOTA: post_quota\nHOLD: hold\nRELEASE: release\nREDEEM: redeem\nTAKE_BACK: take_back\nTAKE_ON_FILE: take_on_file\nLET_GO_ON_FILE: let_go_on_file\nDISALLOW: disallow\nTAKE_FEE: take_fee\nRETURN_FEE: return_fee\nDISBURSE: disburse\nRETURN_DISBURSEMENT: return_disbursement\nPAY_OUT: pay_out\nRETURN_PAID_OUT: return_paid_out\nPOST_INTEREST: post_interest\nCLAW_BACK: claw_back\nCOLLECT_SURCHARGE: collect_surcharge\nRETURN_CLAWED_BACK: return_clawed_back\nRETURN_SURCHARGE: return_surcharge\nEXPIRE: expire\nRECLAIM: reclaim\nHAND_BACK: hand_back\nVOID: void\nRETURN_EXPIRED: return_expired\nRETURN_RECLAIMED: return_reclaimed\nRETURN_HANDED_BACK: return_handed_back\nRETURN_VOIDED: return_voided\nPAY_ESCROW: pay_escrow\nRELEASE_ESCROW: release_escrow\nREFUND_ESCROW: refund_escrow\nTRANSFER_ESCROW: transfer_escrow\nRETURN_ESCROW_TRANSFER: return_escrow_transfer",
                        enum_type=Movement,
                        max_length=32,
                    ),
                ),
                (
                    "debit",
                    fields.CharEnumField(description="Money leaves here", enum_type=Account, max_length=32),
                ),
                (
                    "credit",
                    fields.CharEnumField(description="Money arrives here", enum_type=Account, max_length=32),
                ),
                ("amount_fen", CheckedBigInt(check="amount_fen > 0")),
                ("budget_id", fields.BigIntField()),
                ("round_id", fields.BigIntField(null=True)),
                ("enterprise_id", fields.BigIntField(null=True)),
                ("voucher_id", fields.BigIntField(null=True)),
                ("order_id", fields.BigIntField(null=True)),
                ("provider_id", fields.BigIntField(null=True)),
                ("category", fields.CharField(null=True, max_length=64)),
            ],
            options={
                "table": "ledger_entry",
                "app": "models",
                "indexes": [Index(fields=["round_id", "id"]), Index(fields=["enterprise_id", "id"])],
                "pk_attr": "id",
                "table_description": "One movement between two accounts: debited here, credited there, the same amount.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Listing",
            fields=[
                ("offering_id", fields.BigIntField(primary_key=True, unique=True, db_index=True)),
                ("version_id", fields.BigIntField()),
                ("programme_slug", fields.CharField(max_length=64)),
                (
                    "category_key",
                    fields.CharField(
                        description="programme/category: codes repeat among programmes", max_length=130
                    ),
                ),
                ("service", fields.CharField(default="", max_length=200)),
                ("areas", fields.TextField(description="|path/|path/|, empty: anywhere", unique=False)),
                ("provider_id", fields.BigIntField(db_index=True)),
                ("provider_name", fields.CharField(max_length=200)),
                ("name", fields.CharField(max_length=200)),
                ("price_from_fen", fields.BigIntField(null=True)),
                ("price_to_fen", fields.BigIntField(null=True)),
                (
                    "price_rank",
                    CheckedBigInt(description="price_from_fen, without one the last", check="price_rank > 0"),
                ),
                ("listed_ms", fields.BigIntField(description="When it was first listed, Unix ms")),
                ("sales", fields.BigIntField(default=0, description="Orders that are done")),
                ("votes", fields.BigIntField(default=0)),
                (
                    "points_bp",
                    fields.BigIntField(default=0, description="The sum of all ratings, each 0 to 10000"),
                ),
                ("score_bp", fields.BigIntField(description="With enough votes behind it")),
                ("quality", fields.BigIntField(description="Score, among equals sales")),
                ("title", fields.TextField(unique=False)),
                ("body", fields.TextField(unique=False)),
                ("spelled", fields.TextField(unique=False)),
            ],
            options={
                "table": "listing",
                "app": "models",
                "indexes": [
                    Index(fields=["sales", "offering_id"]),
                    Index(fields=["score_bp", "offering_id"]),
                    Index(fields=["price_rank", "offering_id"]),
                    Index(fields=["listed_ms", "offering_id"]),
                ],
                "pk_attr": "offering_id",
                "table_description": "An offering as the marketplace shows and sorts it. ``title``, ``body``, ``spelled`` are folded.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Office",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("programme_slug", fields.CharField(max_length=64)),
                (
                    "actor",
                    fields.CharEnumField(
                        description="ENTERPRISE: enterprise\nPROVIDER: provider\nBOTH: both\nOPERATOR: operator\nAUTHORITY: authority\nDIVISION: division\nDISTRICT: district\nTREASURY: treasury\nINSPECTOR: inspector\nEXPERT: expert\nOVERSIGHT_BODY: oversight_body\nSYSTEM: system\nANYONE: anyone",
                        enum_type=Actor,
                        max_length=16,
                    ),
                ),
                ("name", fields.CharField(max_length=200)),
                (
                    "uscc",
                    fields.CharField(
                        default="",
                        description="Keeps the operator from being a provider (YC-29)",
                        max_length=18,
                    ),
                ),
                (
                    "area",
                    fields.CharField(
                        default="", description="The area it is there for, empty: all", max_length=64
                    ),
                ),
                (
                    "level",
                    fields.CharField(
                        default="",
                        description="The level it is there for, in the text's words",
                        max_length=64,
                    ),
                ),
                ("phone", fields.CharField(default="", description="Public", max_length=64)),
                ("email", fields.CharField(default="", description="Public", max_length=120)),
                ("address", fields.CharField(default="", max_length=200)),
                ("changed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("closed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "office",
                "app": "models",
                "indexes": [Index(fields=["programme_slug", "closed_at"])],
                "pk_attr": "id",
                "table_description": "An office with a duty in a programme, and how to reach it. ``uscc`` says which organisation it is.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OpenDoor",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("origin_hash", fields.CharField(description="Keyed hash of the address", max_length=64)),
                ("day", fields.DateField(db_index=True)),
                ("count", fields.IntField(default=1)),
            ],
            options={
                "table": "open_door",
                "app": "models",
                "unique_together": (("origin_hash", "day"),),
                "pk_attr": "id",
                "table_description": "How often one address came through an open door on one day. Nothing says what it brought.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OperatorAudit",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("programme_slug", fields.CharField(max_length=64)),
                ("programme_version", fields.CharField(max_length=32)),
                ("year", fields.IntField()),
                ("auditor", fields.CharField(max_length=200)),
                (
                    "opinion",
                    fields.CharEnumField(
                        description="CLEAN: clean\nQUALIFIED: qualified\nADVERSE: adverse",
                        enum_type=AuditOpinion,
                        max_length=16,
                    ),
                ),
                ("words", fields.TextField(unique=False)),
                ("files", fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads)),
                (
                    "figures",
                    fields.JSONField(
                        default=dict,
                        description="By code, fen: the platform's own books",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("recorded_by", fields.BigIntField()),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "consequence",
                    fields.CharEnumField(
                        null=True,
                        description="CONTINUES: continues\nCONDITIONS: conditions\nENDS: ends",
                        enum_type=CommissionOutcome,
                        max_length=16,
                    ),
                ),
                ("reason", fields.TextField(default="", unique=False)),
                ("effective_on", fields.DateField(null=True, description="From when the consequence holds")),
                ("decided_by", fields.BigIntField(null=True)),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "operator_audit",
                "app": "models",
                "unique_together": (("programme_slug", "year"),),
                "pk_attr": "id",
                "table_description": "The yearly audit of the operator, and whether its commission goes on (NX-39).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Organisation",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "uscc",
                    fields.CharField(
                        unique=True, description="统一社会信用代码, check digit verified", max_length=18
                    ),
                ),
                ("name", fields.CharField(max_length=200)),
                (
                    "area",
                    fields.CharField(
                        description="Area of registration, a code that programmes know", max_length=64
                    ),
                ),
                ("industry", fields.CharField(description="GB/T 4754 code", max_length=16)),
                (
                    "legal_form",
                    fields.CharEnumField(
                        null=True,
                        description="LEGAL_PERSON: legal_person\nPUBLIC_INSTITUTION: public_institution\nPARTNERSHIP: partnership\nINDIVIDUAL: individual",
                        enum_type=LegalForm,
                        max_length=32,
                    ),
                ),
                ("legal_person", fields.BooleanField()),
                ("established_on", fields.DateField()),
                ("headcount", fields.IntField()),
                ("revenue_fen", fields.BigIntField(description="Last year's revenue, fen")),
                ("assets_fen", fields.BigIntField(description="Total assets, fen")),
                (
                    "labels",
                    fields.JSONField(
                        default=list,
                        description="Confirmed by an operator",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                (
                    "labels_claimed",
                    fields.JSONField(
                        default=list, description="What it says of itself", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                (
                    "declarations",
                    fields.JSONField(
                        default=dict, description="Declared facts, by code", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("facts_changed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "organisation",
                "app": "models",
                "pk_attr": "id",
                "table_description": "One organisation by its Unified Social Credit Code, the same in every programme.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ActivityRecord",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "organisation",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="organisation_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="activities",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("programme_slug", fields.CharField(max_length=64)),
                (
                    "kind",
                    fields.CharEnumField(
                        description="TRAINING: training\nACTIVITY: activity",
                        enum_type=ActivityKind,
                        max_length=16,
                    ),
                ),
                ("held_on", fields.DateField()),
                ("what", fields.CharField(max_length=500)),
                ("files", fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads)),
                ("recorded_by", fields.BigIntField(description="The person")),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "activity_record",
                "app": "models",
                "indexes": [Index(fields=["organisation_id", "programme_slug", "id"])],
                "pk_attr": "id",
                "table_description": "One training or activity of an organisation, with its proof.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="AnomalyFinding",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("settlement_id", fields.BigIntField()),
                ("order_id", fields.BigIntField()),
                ("programme_slug", fields.CharField(max_length=64)),
                ("programme_version", fields.CharField(max_length=32)),
                (
                    "provider",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="provider_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="anomalies",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "rule",
                    fields.CharEnumField(
                        description="PRICE: price\nCONCENTRATION: concentration\nONE_PERSON: one_person\nSAME_INVOICE: same_invoice\nSHARED_CONTACT: shared_contact\nSHARED_PROVIDER: shared_provider\nYEAR_END_RUSH: year_end_rush\nSAME_INSPECTOR: same_inspector\nAT_CAP: at_cap\nTOO_QUICK: too_quick",
                        enum_type=Anomaly,
                        max_length=32,
                    ),
                ),
                (
                    "clause",
                    fields.CharField(default="", description="Empty: the house's default", max_length=120),
                ),
                ("message", fields.TextField(unique=False)),
                ("arithmetic", fields.TextField(default="", unique=False)),
                ("holds", fields.BooleanField(description="Nothing is paid until it is decided")),
                ("hold_id", fields.BigIntField(null=True, description="The hold it placed")),
                (
                    "status",
                    fields.CharEnumField(
                        default=AnomalyStatus.OPEN,
                        description="OPEN: open\nLIFTED: lifted\nPROPOSED: proposed",
                        enum_type=AnomalyStatus,
                        max_length=16,
                    ),
                ),
                ("found_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("decided_by", fields.BigIntField(null=True)),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("reason", fields.TextField(default="", unique=False)),
                ("sanction_id", fields.BigIntField(null=True, description="What was proposed on it")),
                (
                    "referred_to",
                    fields.CharField(default="", description="Whom the clues were handed to", max_length=120),
                ),
                ("version", fields.IntField(default=1)),
            ],
            options={
                "table": "anomaly_finding",
                "app": "models",
                "unique_together": (("settlement_id", "rule"),),
                "indexes": [
                    Index(fields=["programme_slug", "status", "id"]),
                    Index(fields=["provider_id", "id"]),
                ],
                "pk_attr": "id",
                "table_description": "数据异常: one thing that looked wrong about a settlement, with its arithmetic: a person decides.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="AuditComparison",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("programme_slug", fields.CharField(max_length=64)),
                (
                    "organisation",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="organisation_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="audit_comparisons",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("self_check_id", fields.BigIntField()),
                ("audit_id", fields.BigIntField()),
                (
                    "lines",
                    fields.JSONField(
                        description="By figure: both, the difference, its share",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("serious", fields.BooleanField(description="Beyond what the tolerance allows")),
                ("clause", fields.CharField(default="", max_length=120)),
                ("arithmetic", fields.TextField(default="", unique=False)),
                ("made_by", fields.BigIntField()),
                ("made_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "audit_comparison",
                "app": "models",
                "unique_together": (("self_check_id", "audit_id"),),
                "pk_attr": "id",
                "table_description": "A self-check against an audit, figure by figure (GX-80). Never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="AuditReport",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("programme_slug", fields.CharField(max_length=64)),
                ("programme_version", fields.CharField(max_length=32)),
                ("year", fields.IntField()),
                (
                    "kind",
                    fields.CharEnumField(
                        description="SELF_CHECK: self_check\nAUDIT: audit", enum_type=AuditKind, max_length=16
                    ),
                ),
                (
                    "organisation",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="organisation_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="audit_reports",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "party",
                    fields.CharEnumField(
                        description="ENTERPRISE: enterprise\nPROVIDER: provider",
                        enum_type=Party,
                        max_length=16,
                    ),
                ),
                (
                    "auditor",
                    fields.CharField(
                        default="", description="Who audited, empty for a self-check", max_length=200
                    ),
                ),
                (
                    "figures",
                    fields.JSONField(
                        description="By code: fen, or a count", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                ("words", fields.TextField(default="", unique=False)),
                ("files", fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads)),
                (
                    "made_by",
                    fields.CharField(description="As the journal names who handed it in", max_length=40),
                ),
                ("made_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "audit_report",
                "app": "models",
                "indexes": [Index(fields=["programme_slug", "year", "organisation_id", "kind"])],
                "pk_attr": "id",
                "table_description": "A self-check or an audit, with the figures it gives. Never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="BankAccount",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "organisation",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="organisation_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="bank_accounts",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("programme_slug", fields.CharField(max_length=64)),
                (
                    "holder",
                    fields.CharField(description="The name the account is held under", max_length=200),
                ),
                ("bank", fields.CharField(description="The bank and its branch", max_length=120)),
                (
                    "bank_code",
                    fields.CharField(
                        default="", description="The branch's code between banks", max_length=16
                    ),
                ),
                ("number_sealed", fields.CharField(max_length=400)),
                (
                    "number_index",
                    fields.CharField(
                        db_index=True, description="Keyed hash, to find the same number by", max_length=64
                    ),
                ),
                ("tail", fields.CharField(description="All that is shown of the number", max_length=4)),
                (
                    "proof",
                    fields.JSONField(
                        description="The stored files it was entered with", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=AccountStatus.WAITING,
                        description="WAITING: waiting\nCHECKED: checked\nVERIFIED: verified\nREPLACED: replaced\nREJECTED: rejected\nWITHDRAWN: withdrawn",
                        enum_type=AccountStatus,
                        max_length=16,
                    ),
                ),
                ("entered_by", fields.CharField(max_length=40)),
                ("entered_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("checked_by", fields.BigIntField(null=True)),
                ("checked_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("verified_by", fields.BigIntField(null=True)),
                ("verified_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("reason", fields.TextField(default="", description="Why it was turned down", unique=False)),
                ("version", fields.IntField(default=1)),
            ],
            options={
                "table": "bank_account",
                "app": "models",
                "indexes": [
                    Index(fields=["organisation_id", "id"]),
                    Index(fields=["programme_slug", "status", "id"]),
                ],
                "pk_attr": "id",
                "table_description": "收款账户: where a provider is paid to in one programme. Its number is sealed and never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="CeilingRaise",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "budget",
                    fields.ForeignKeyField(
                        "models.Budget",
                        source_field="budget_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="ceiling_raises",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "provider",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="provider_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="ceiling_raises",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("ceiling", fields.CharField(description="The programme's ceiling", max_length=64)),
                ("clause", fields.CharField(max_length=120)),
                (
                    "most_fen",
                    CheckedBigInt(description="What it may receive in the year, fen", check="most_fen > 0"),
                ),
                ("reason", fields.TextField(unique=False)),
                ("made_by", fields.BigIntField(description="The member of staff")),
                ("made_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "ceiling_raise",
                "app": "models",
                "indexes": [Index(fields=["budget_id", "provider_id", "id"])],
                "pk_attr": "id",
                "table_description": "突破限额: a provider's ceiling in a year, as the authority has raised it. The last one counts.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ChangeReport",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "organisation",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="organisation_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="change_reports",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "facts",
                    fields.JSONField(description="Which facts changed", encoder=JSON_DUMPS, decoder=loads),
                ),
                ("changed_on", fields.DateField(description="When it happened, as the organisation says")),
                ("reported_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("reported_by", fields.BigIntField(description="The person")),
                (
                    "documents",
                    fields.JSONField(default=list, description="File ids", encoder=JSON_DUMPS, decoder=loads),
                ),
                ("late", fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads)),
            ],
            options={
                "table": "change_report",
                "app": "models",
                "indexes": [Index(fields=["organisation_id", "id"])],
                "pk_attr": "id",
                "table_description": "A change of an organisation's facts after an approval, as it was reported. Never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Complaint",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "number",
                    fields.CharField(unique=True, description="What people read aloud", max_length=24),
                ),
                (
                    "programme_slug",
                    fields.CharField(
                        default="", description="Empty: of no programme in particular", max_length=64
                    ),
                ),
                ("programme_version", fields.CharField(default="", max_length=32)),
                (
                    "channel",
                    fields.CharEnumField(
                        description="CHAT: chat\nMINI_PROGRAM: mini_program\nHOTLINE: hotline\nLETTER: letter",
                        enum_type=Channel,
                        max_length=16,
                    ),
                ),
                (
                    "subject",
                    fields.CharEnumField(
                        description="ORDER: order\nPROVIDER: provider\nROUND: round\nOFFICIAL: official\nOTHER: other",
                        enum_type=SubjectKind,
                        max_length=16,
                    ),
                ),
                ("subject_id", fields.BigIntField(null=True)),
                (
                    "accused",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="accused_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="complaints_against",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "accused_as",
                    fields.CharEnumField(
                        null=True, description="Which side the accused plays", enum_type=Party, max_length=16
                    ),
                ),
                ("anonymous", fields.BooleanField(description="Nobody reads whose it is")),
                (
                    "happened_sealed",
                    fields.TextField(description="What happened, in the complainant's words", unique=False),
                ),
                ("since", fields.DateField(null=True)),
                ("wanted_sealed", fields.TextField(description="What is wanted", unique=False)),
                (
                    "status",
                    fields.CharEnumField(
                        default=ComplaintStatus.FILED,
                        description="FILED: filed\nIN_HAND: in_hand\nANSWERED: answered\nCLOSED: closed\nWITHDRAWN: withdrawn",
                        enum_type=ComplaintStatus,
                        max_length=16,
                    ),
                ),
                ("rung", fields.IntField(description="Its place on the ladder, from 0")),
                (
                    "turn",
                    fields.CharEnumField(
                        description="Who works on that rung", enum_type=Actor, max_length=16
                    ),
                ),
                ("sealed", fields.BooleanField(default=False)),
                ("assigned_to", fields.BigIntField(null=True, description="The member of staff who has it")),
                ("assigned_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("answered_by", fields.BigIntField(null=True, description="Who gave the last answer")),
                ("filed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "rung_since",
                    fields.DatetimeField(
                        description="Since when it stands on its rung", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "receipt_due_at",
                    fields.DatetimeField(
                        description="Until it is taken on, exclusive", auto_now=False, auto_now_add=False
                    ),
                ),
                ("half_way_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "answer_due_at",
                    fields.DatetimeField(description="Exclusive", auto_now=False, auto_now_add=False),
                ),
                (
                    "due_provisional",
                    fields.BooleanField(default=False, description="A year's working days were guessed"),
                ),
                (
                    "reminded_at",
                    fields.DatetimeField(
                        null=True,
                        description="Half-way, once on each rung",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "overdue_at",
                    fields.DatetimeField(
                        null=True,
                        description="Seen as overdue on its rung",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                ("urged_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("urge_again_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("urges", fields.IntField(default=0)),
                (
                    "finding",
                    fields.CharEnumField(
                        null=True,
                        description="SUBSTANTIATED: substantiated\nUNSUBSTANTIATED: unsubstantiated",
                        enum_type=Finding,
                        max_length=16,
                    ),
                ),
                ("serious", fields.BooleanField(default=False)),
                ("found_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("answered_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "confirm_until",
                    fields.DatetimeField(
                        null=True, description="Exclusive", auto_now=False, auto_now_add=False
                    ),
                ),
                ("closed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "closed_how",
                    fields.CharEnumField(
                        null=True,
                        description="CONFIRMED: confirmed\nBY_TIME: by_time",
                        enum_type=Closing,
                        max_length=16,
                    ),
                ),
                (
                    "reopen_until",
                    fields.DatetimeField(
                        null=True, description="Exclusive", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "reopened",
                    fields.IntField(default=0, description="How often its complainant was not content"),
                ),
                (
                    "handling",
                    fields.CharField(
                        null=True, description="How its complainant found the handling", max_length=16
                    ),
                ),
                (
                    "version",
                    fields.IntField(default=1, description="Rises with every change: two who press at once"),
                ),
            ],
            options={
                "table": "complaint",
                "app": "models",
                "indexes": [
                    Index(fields=["turn", "status", "answer_due_at", "id"]),
                    Index(fields=["assigned_to", "status", "answer_due_at"]),
                    Index(fields=["accused_id", "id"]),
                    Index(fields=["subject", "subject_id"]),
                ],
                "pk_attr": "id",
                "table_description": "投诉: one case. Nothing in it says whose it is, and its words are sealed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Complainant",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "complaint",
                    fields.OneToOneField(
                        "models.Complaint",
                        source_field="complaint_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="complainant",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("person_id", fields.BigIntField(null=True, db_index=True)),
                ("sender_id", fields.BigIntField(null=True, db_index=True)),
                ("organisation_id", fields.BigIntField(null=True, description="Whom they acted for then")),
                ("name_sealed", fields.CharField(default="", max_length=400)),
                ("contact_sealed", fields.CharField(default="", max_length=400)),
            ],
            options={
                "table": "complainant",
                "app": "models",
                "pk_attr": "id",
                "table_description": "投诉人: whose a case is. Read to bring answers, and by whoever has it in hand, with a reason.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ComplaintEntry",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "complaint",
                    fields.ForeignKeyField(
                        "models.Complaint",
                        source_field="complaint_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="entries",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "kind",
                    fields.CharEnumField(
                        description="FILED: filed\nSUPPLEMENT: supplement\nURGED: urged\nRECEIVED: received\nASSIGNED: assigned\nRELEASED: released\nMESSAGE: message\nREQUEST: request\nSTATEMENT: statement\nMEDIATION: mediation\nNOTE: note\nHELD: held\nHOLD_LIFTED: hold_lifted\nFINDING: finding\nPROPOSED: proposed\nANSWER: answer\nCONFIRMED: confirmed\nREOPENED: reopened\nRATED: rated\nWITHDRAWN: withdrawn\nHANDED_OVER: handed_over\nHALF_WAY: half_way\nOVERDUE: overdue\nCLOSED_BY_TIME: closed_by_time",
                        enum_type=EntryKind,
                        max_length=24,
                    ),
                ),
                (
                    "author",
                    fields.CharField(description="complainant, accused, staff:3, clock", max_length=40),
                ),
                ("rung", fields.IntField(description="The rung it was written on")),
                (
                    "audiences",
                    fields.JSONField(description="Who may read it", encoder=JSON_DUMPS, decoder=loads),
                ),
                ("words_sealed", fields.TextField(default="", unique=False)),
                (
                    "data",
                    fields.JSONField(
                        default=dict,
                        description="Facts of the deed, nobody's identity",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "complaint_entry",
                "app": "models",
                "indexes": [Index(fields=["complaint_id", "id"])],
                "pk_attr": "id",
                "table_description": "One thing said or done in a case, and who may read it. Never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ContactMark",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "organisation",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="organisation_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="contact_marks",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "kind",
                    fields.CharEnumField(
                        description="PHONE: phone\nPERSON: person\nACCOUNT: account",
                        enum_type=ContactKind,
                        max_length=16,
                    ),
                ),
                ("mark", fields.CharField(description="Blind index", max_length=64)),
                ("noted_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "contact_mark",
                "app": "models",
                "unique_together": (("organisation_id", "kind", "mark"),),
                "indexes": [Index(fields=["kind", "mark"])],
                "pk_attr": "id",
                "table_description": "A telephone, account or person of an organisation, as a keyed hash: to be compared, never read.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Contract",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("programme_slug", fields.CharField(max_length=64)),
                ("programme_version", fields.CharField(max_length=32)),
                (
                    "enterprise",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="enterprise_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="contracts",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "enterprise_name",
                    fields.CharField(description="As the contract writes it", max_length=200),
                ),
                (
                    "provider",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="provider_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="contracts_as_provider",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("provider_name", fields.CharField(description="As the contract writes it", max_length=200)),
                (
                    "number",
                    fields.CharField(
                        description="The contract's own number, or the platform's", max_length=64
                    ),
                ),
                ("amount_fen", CheckedBigInt(description="Tax included, fen", check="amount_fen > 0")),
                ("signed_on", fields.DateField(null=True, description="null: not signed by both yet")),
                ("service_starts_on", fields.DateField(null=True)),
                ("acceptance_on", fields.DateField(null=True)),
                (
                    "status",
                    fields.CharEnumField(
                        description="DRAFTED: drafted\nSIGNED: signed\nWITHDRAWN: withdrawn\nFAILED: failed",
                        enum_type=ContractStatus,
                        max_length=16,
                    ),
                ),
                (
                    "made_by_party",
                    fields.CharEnumField(
                        description="ENTERPRISE: enterprise\nPROVIDER: provider",
                        enum_type=Party,
                        max_length=16,
                    ),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("reason", fields.TextField(default="", description="Why it came to nothing", unique=False)),
            ],
            options={
                "table": "contract",
                "app": "models",
                "indexes": [Index(fields=["enterprise_id", "id"]), Index(fields=["provider_id", "id"])],
                "pk_attr": "id",
                "table_description": "服务合同: its parties, amount and days, under the version it was entered under (GX-34).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ContractCheck",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "contract",
                    fields.ForeignKeyField(
                        "models.Contract",
                        source_field="contract_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="checks",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "source",
                    fields.CharEnumField(
                        description="BUSINESS_REGISTER: business_register\nDISHONESTY_LIST: dishonesty_list\nBANK: bank",
                        enum_type=SharedSource,
                        max_length=24,
                    ),
                ),
                (
                    "verdict",
                    fields.CharEnumField(
                        description="LAWFUL: lawful\nDOUBTFUL: doubtful\nUNLAWFUL: unlawful\nUNANSWERED: unanswered",
                        enum_type=CheckVerdict,
                        max_length=16,
                    ),
                ),
                ("says", fields.TextField(default="", unique=False)),
                ("asked_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "contract_check",
                "app": "models",
                "indexes": [Index(fields=["contract_id", "source", "id"])],
                "pk_attr": "id",
                "table_description": "What a source answered about a contract. Never changed: the last answer counts.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Enquiry",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("programme_slug", fields.CharField(max_length=64)),
                ("programme_version", fields.CharField(max_length=32)),
                (
                    "enterprise",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="enterprise_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="enquiries",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=EnquiryStatus.DRAFT,
                        description="DRAFT: draft\nPENDING: pending\nRETURNED: returned\nREFUSED: refused\nSHOWN: shown\nCLOSED: closed",
                        enum_type=EnquiryStatus,
                        max_length=16,
                    ),
                ),
                (
                    "values",
                    fields.JSONField(
                        default=dict,
                        description="By the programme's field codes",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                (
                    "anonymous",
                    fields.BooleanField(default=True, description="Shown without the enterprise's name"),
                ),
                ("version", fields.IntField(default=1, description="Rises with every change")),
                (
                    "reason",
                    fields.TextField(
                        default="", description="Why it was returned, refused or closed", unique=False
                    ),
                ),
                (
                    "returned",
                    fields.JSONField(
                        default=dict, description="Field code to reason", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                ("case_id", fields.BigIntField(null=True, description="Its review case")),
                ("created_by", fields.CharField(description="person:12", max_length=40)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("shown_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("closed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "enquiry",
                "app": "models",
                "indexes": [
                    Index(fields=["enterprise_id", "id"]),
                    Index(fields=["programme_slug", "status", "id"]),
                ],
                "pk_attr": "id",
                "table_description": "需求: what an enterprise looks for, in the programme's fields (GX-50). Money in fen.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="EnquiryAnswer",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "enquiry",
                    fields.ForeignKeyField(
                        "models.Enquiry",
                        source_field="enquiry_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="answers",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "provider",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="provider_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="enquiry_answers",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("offering_id", fields.BigIntField()),
                ("offering_version_id", fields.BigIntField(description="As it was listed then")),
                ("offering_name", fields.CharField(description="As it was called then", max_length=200)),
                ("answered_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "enquiry_answer",
                "app": "models",
                "unique_together": (("enquiry_id", "provider_id"),),
                "indexes": [Index(fields=["provider_id", "id"])],
                "pk_attr": "id",
                "table_description": "One provider's answer with one of its offerings. It begins a thread of its own.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="EnquiryMessage",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "answer",
                    fields.ForeignKeyField(
                        "models.EnquiryAnswer",
                        source_field="answer_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="messages",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "party",
                    fields.CharEnumField(
                        description="ENTERPRISE: enterprise\nPROVIDER: provider",
                        enum_type=Party,
                        max_length=16,
                    ),
                ),
                ("words", fields.TextField(unique=False)),
                ("said_by", fields.CharField(description="person:12", max_length=40)),
                ("said_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "enquiry_message",
                "app": "models",
                "indexes": [Index(fields=["answer_id", "id"])],
                "pk_attr": "id",
                "table_description": "One message of a thread. Never changed: what was said is kept.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Handover",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "organisation",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="organisation_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="handovers",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("from_person", fields.BigIntField(null=True, description="null: there was none")),
                ("to_person", fields.BigIntField()),
                ("letter", fields.BigIntField(description="The file with the new authorisation")),
                ("made_by", fields.BigIntField(description="The person")),
                ("made_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "handover",
                "app": "models",
                "indexes": [Index(fields=["organisation_id", "id"])],
                "pk_attr": "id",
                "table_description": "One handler followed another, on a letter of the legal representative. Never changed (GZ-55).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="InspectionVisit",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "inspection",
                    fields.ForeignKeyField(
                        "models.Inspection",
                        source_field="inspection_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="visits",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "organisation",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="organisation_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="inspections",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "party",
                    fields.CharEnumField(
                        description="ENTERPRISE: enterprise\nPROVIDER: provider",
                        enum_type=Party,
                        max_length=16,
                    ),
                ),
                (
                    "order_id",
                    fields.BigIntField(null=True, description="The order whose performance is looked at"),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=VisitStatus.PLANNED,
                        description="PLANNED: planned\nDONE: done\nREFUSED: refused",
                        enum_type=VisitStatus,
                        max_length=16,
                    ),
                ),
                (
                    "answers",
                    fields.JSONField(
                        default=dict,
                        description="By item: whether it is right, a note",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                (
                    "opinion",
                    fields.TextField(
                        default="", description="Or how the inspection was refused", unique=False
                    ),
                ),
                ("files", fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads)),
                ("visited_on", fields.DateField(null=True)),
                ("inspector_id", fields.BigIntField(null=True, description="The member of staff")),
                ("recorded_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("version", fields.IntField(default=1)),
            ],
            options={
                "table": "inspection_visit",
                "app": "models",
                "indexes": [
                    Index(fields=["inspection_id", "id"]),
                    Index(fields=["organisation_id", "id"]),
                    Index(fields=["order_id", "id"]),
                ],
                "pk_attr": "id",
                "table_description": "One organisation looked at, on site or on paper.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="InspectionFinding",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "visit",
                    fields.ForeignKeyField(
                        "models.InspectionVisit",
                        source_field="visit_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="findings",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("item", fields.CharField(description="Of the checklist", max_length=64)),
                ("says", fields.TextField(unique=False)),
                ("serious", fields.BooleanField(default=False)),
                ("files", fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads)),
                ("found_by", fields.BigIntField(description="The member of staff")),
                ("found_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "inspection_finding",
                "app": "models",
                "indexes": [Index(fields=["visit_id", "id"])],
                "pk_attr": "id",
                "table_description": "Something that was not right, with its pictures. Never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Invitation",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "organisation",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="organisation_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="invitations",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "role",
                    fields.CharEnumField(
                        description="LEGAL_REPRESENTATIVE: legal_representative\nHANDLER: handler\nSTAFF: staff",
                        enum_type=MemberRole,
                        max_length=32,
                    ),
                ),
                ("code_hash", fields.CharField(unique=True, max_length=64)),
                ("created_by", fields.BigIntField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("used_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "invitation",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A one-time code by which a colleague joins. Only its hash is kept.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="NameRecord",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "organisation",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="organisation_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="earlier_names",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("name", fields.CharField(max_length=200)),
                (
                    "until",
                    fields.DatetimeField(
                        description="When it took the next name", auto_now=False, auto_now_add=False
                    ),
                ),
            ],
            options={
                "table": "name_record",
                "app": "models",
                "indexes": [Index(fields=["organisation_id", "until"])],
                "pk_attr": "id",
                "table_description": "A name an organisation once had: its contracts of those days keep it (GZ-64).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Offering",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("programme_slug", fields.CharField(max_length=64)),
                (
                    "provider",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="provider_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="offerings",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=OfferingStatus.UNLISTED,
                        description="UNLISTED: unlisted\nLISTED: listed\nWITHDRAWN: withdrawn\nTAKEN_DOWN: taken_down\nENDED: ended",
                        enum_type=OfferingStatus,
                        max_length=16,
                    ),
                ),
                (
                    "status_reason",
                    fields.TextField(
                        default="", description="Why it was withdrawn or taken down", unique=False
                    ),
                ),
                (
                    "draft_status",
                    fields.CharEnumField(
                        default=DraftStatus.OPEN,
                        description="OPEN: open\nSUBMITTED: submitted\nRETURNED: returned\nREFUSED: refused\nPASSED: passed",
                        enum_type=DraftStatus,
                        max_length=16,
                    ),
                ),
                ("draft", fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
                ("version", fields.IntField(default=0, description="Counts the savings of the draft")),
                (
                    "returned",
                    fields.JSONField(
                        default=dict, description="Item to reason", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                (
                    "reason",
                    fields.TextField(
                        default="", description="Why the draft was returned or refused", unique=False
                    ),
                ),
                (
                    "current_version_id",
                    fields.BigIntField(null=True, description="What is or was listed last"),
                ),
                ("submitted_version_id", fields.BigIntField(null=True, description="What is under review")),
                ("case_id", fields.BigIntField(null=True, description="Its latest review case")),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("saved_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("saved_by", fields.BigIntField(description="The person")),
            ],
            options={
                "table": "offering",
                "app": "models",
                "indexes": [
                    Index(fields=["provider_id", "id"]),
                    Index(fields=["programme_slug", "status", "id"]),
                ],
                "pk_attr": "id",
                "table_description": "服务产品: one product of one provider in one programme, with the form it is written in.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Order",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "number",
                    fields.CharField(unique=True, description="What people read aloud", max_length=24),
                ),
                ("programme_slug", fields.CharField(max_length=64)),
                ("programme_version", fields.CharField(max_length=32)),
                ("notice_year", fields.IntField(null=True, description="The yearly notice it stands under")),
                (
                    "enterprise",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="enterprise_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="orders",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "provider",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="provider_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="orders_as_provider",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("offering_id", fields.BigIntField(null=True)),
                (
                    "offering_version_id",
                    fields.BigIntField(null=True, description="The version it was placed under, for good"),
                ),
                (
                    "contract",
                    fields.ForeignKeyField(
                        "models.Contract",
                        source_field="contract_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="orders",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("category", fields.CharField(max_length=64)),
                (
                    "service",
                    fields.CharField(
                        default="", description="The kind of service, in the text's words", max_length=200
                    ),
                ),
                ("project", fields.CharField(description="What is served", max_length=200)),
                (
                    "project_key",
                    fields.CharField(
                        null=True,
                        description="Where a project uses a voucher once, while this order is that use",
                        max_length=200,
                    ),
                ),
                (
                    "kind",
                    fields.CharField(
                        default="", description="The kind of voucher that pays, if several", max_length=32
                    ),
                ),
                ("list_price_fen", fields.BigIntField(null=True, description="As the offering says, fen")),
                (
                    "price_fen",
                    CheckedBigInt(description="As agreed when it was opened, fen", check="price_fen > 0"),
                ),
                ("contract_fen", fields.BigIntField(null=True)),
                ("invoice_fen", fields.BigIntField(null=True)),
                ("actual_fee_fen", fields.BigIntField(null=True)),
                (
                    "unrelated_fen",
                    CheckedBigInt(
                        default=0,
                        description="In contract and invoice, but not of the service",
                        check="unrelated_fen >= 0",
                    ),
                ),
                (
                    "price_reason",
                    fields.TextField(default="", description="Why the price is unlike others", unique=False),
                ),
                ("budget_id", fields.BigIntField(null=True, description="The year whose money it uses")),
                (
                    "voucher_id",
                    fields.BigIntField(null=True, description="The voucher it names, if it names one"),
                ),
                (
                    "wanted_fen",
                    fields.BigIntField(null=True, description="What the enterprise wants to spend"),
                ),
                ("voucher_fen", CheckedBigInt(default=0, check="voucher_fen >= 0")),
                ("clause", fields.CharField(default="", max_length=200)),
                ("arithmetic", fields.TextField(default="", unique=False)),
                (
                    "status",
                    fields.CharEnumField(
                        default=OrderStatus.OPEN,
                        description="OPEN: open\nON_HOLD: on_hold\nWAITING: waiting\nCANCELLING: cancelling\nDONE: done\nDECLINED: declined\nCANCELLED: cancelled\nLAPSED: lapsed",
                        enum_type=OrderStatus,
                        max_length=16,
                    ),
                ),
                (
                    "step",
                    fields.CharEnumField(
                        null=True,
                        description="What comes next, null when all is done",
                        enum_type=StepKind,
                        max_length=32,
                    ),
                ),
                (
                    "step_since",
                    fields.DatetimeField(
                        description="When it came to be its turn", auto_now=False, auto_now_add=False
                    ),
                ),
                ("step_due_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("reminded_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "opened_by",
                    fields.CharEnumField(
                        description="ENTERPRISE: enterprise\nPROVIDER: provider",
                        enum_type=Party,
                        max_length=16,
                    ),
                ),
                ("placed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "reason",
                    fields.TextField(default="", description="Why it ended without being done", unique=False),
                ),
                (
                    "version",
                    fields.IntField(default=1, description="Rises with every change: two who press at once"),
                ),
            ],
            options={
                "table": "service_order",
                "app": "models",
                "unique_together": (("programme_slug", "provider_id", "enterprise_id", "project_key"),),
                "indexes": [
                    Index(fields=["enterprise_id", "id"]),
                    Index(fields=["provider_id", "id"]),
                    Index(fields=["programme_slug", "status", "step_due_at"]),
                    Index(fields=["contract_id", "id"]),
                    Index(fields=["voucher_id", "status"]),
                ],
                "pk_attr": "id",
                "table_description": "订单: an enterprise's order with a provider, under the terms it was opened on.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="CallBack",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "list",
                    fields.ForeignKeyField(
                        "models.CallBackList",
                        source_field="list_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="calls",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "order",
                    fields.ForeignKeyField(
                        "models.Order",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="call_backs",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("provider_id", fields.BigIntField()),
                (
                    "status",
                    fields.CharEnumField(
                        default=CallBackStatus.WAITING,
                        description="WAITING: waiting\nANSWERED: answered\nDECLINED: declined",
                        enum_type=CallBackStatus,
                        max_length=16,
                    ),
                ),
                ("attempts", fields.IntField(default=0)),
                (
                    "level",
                    fields.CharField(default="", description="One of the programme's scale", max_length=32),
                ),
                ("words", fields.TextField(default="", unique=False)),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "call_back",
                "app": "models",
                "unique_together": (("list_id", "order_id"),),
                "indexes": [Index(fields=["provider_id", "id"])],
                "pk_attr": "id",
                "table_description": "One order of which an enterprise is asked. It stays on the list until it answers or declines.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="CallAttempt",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "call",
                    fields.ForeignKeyField(
                        "models.CallBack",
                        source_field="call_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="tries",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "method",
                    fields.CharEnumField(
                        description="PHONE: phone\nVISIT: visit", enum_type=CallMethod, max_length=16
                    ),
                ),
                (
                    "outcome",
                    fields.CharEnumField(
                        description="ANSWERED: answered\nNO_ANSWER: no_answer\nWRONG_NUMBER: wrong_number\nDECLINED: declined",
                        enum_type=CallOutcome,
                        max_length=16,
                    ),
                ),
                ("note", fields.TextField(default="", unique=False)),
                ("made_by", fields.BigIntField()),
                ("made_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "call_attempt",
                "app": "models",
                "indexes": [Index(fields=["call_id", "id"])],
                "pk_attr": "id",
                "table_description": "One try to reach an enterprise. Never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="CancellationRequest",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "order",
                    fields.ForeignKeyField(
                        "models.Order",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="cancellations",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "party",
                    fields.CharEnumField(
                        description="ENTERPRISE: enterprise\nPROVIDER: provider",
                        enum_type=Party,
                        max_length=16,
                    ),
                ),
                ("actor", fields.CharField(max_length=64)),
                ("reason", fields.TextField(unique=False)),
                (
                    "files",
                    fields.JSONField(
                        description="The written request, where the text asks for one",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("asked_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "taken_back_at",
                    fields.DatetimeField(
                        null=True, description="Or refused", auto_now=False, auto_now_add=False
                    ),
                ),
            ],
            options={
                "table": "cancellation_request",
                "app": "models",
                "indexes": [Index(fields=["order_id", "id"])],
                "pk_attr": "id",
                "table_description": "取消订单申请: one side asks in writing that an order be cancelled (LS-53).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Escrow",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "order",
                    fields.OneToOneField(
                        "models.Order",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="escrow",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("budget_id", fields.BigIntField()),
                ("paid_fen", CheckedBigInt(default=0, check="paid_fen >= 0")),
                ("released_fen", CheckedBigInt(default=0, check="released_fen >= 0")),
                (
                    "refunded_fen",
                    CheckedBigInt(
                        default=0,
                        description="Nobody spends it twice: what is gone is never more than what came",
                        check="refunded_fen >= 0 AND released_fen + refunded_fen <= paid_fen",
                    ),
                ),
            ],
            options={
                "table": "escrow",
                "app": "models",
                "pk_attr": "id",
                "table_description": "What the operator holds of an enterprise's own money for one order. The ledger has its movements.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OrderAct",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "order",
                    fields.ForeignKeyField(
                        "models.Order",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="acts",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "step",
                    fields.CharEnumField(
                        description="PLACE: place\nCONFIRM: confirm\nSIGN_CONTRACT: sign_contract\nUPLOAD_CONTRACT: upload_contract\nCONFIRM_CONTRACT: confirm_contract\nREQUEST_VOUCHER: request_voucher\nISSUE_VOUCHER: issue_voucher\nREGISTER_USE: register_use\nDEPOSIT: deposit\nESCROW: escrow\nMILESTONE_EVIDENCE: milestone_evidence\nDELIVER: deliver\nINVOICE: invoice\nTRANSFER_RECEIPT: transfer_receipt\nBALANCE: balance\nACCEPT: accept\nSERVICE_CONFIRMATION: service_confirmation\nPAY_VOUCHER: pay_voucher\nACCEPT_VOUCHER: accept_voucher\nRATE: rate\nSETTLE: settle\nAPPROVE_SETTLEMENT: approve_settlement",
                        enum_type=StepKind,
                        max_length=32,
                    ),
                ),
                (
                    "party",
                    fields.CharEnumField(
                        null=True,
                        description="null: the platform or an official",
                        enum_type=Party,
                        max_length=16,
                    ),
                ),
                ("actor", fields.CharField(description="As the journal names who did it", max_length=64)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "values",
                    fields.JSONField(
                        description="Its own fields, money in fen", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                ("sent_back_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("sent_back_reason", fields.TextField(default="", unique=False)),
            ],
            options={
                "table": "order_act",
                "app": "models",
                "indexes": [Index(fields=["order_id", "id"])],
                "pk_attr": "id",
                "table_description": "One side did one step: who, when, and what it said. Sent back, it counts no more.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OrderFinding",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "order",
                    fields.ForeignKeyField(
                        "models.Order",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="findings",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "kind",
                    fields.CharEnumField(
                        description="TIE: tie\nPRICE: price", enum_type=FindingKind, max_length=16
                    ),
                ),
                (
                    "weight",
                    fields.CharEnumField(
                        description="FORBIDS: forbids\nHOLDS: holds", enum_type=Weight, max_length=16
                    ),
                ),
                ("code", fields.CharField(max_length=64)),
                ("clause", fields.CharField(default="", max_length=120)),
                ("message", fields.TextField(unique=False)),
                ("arithmetic", fields.TextField(default="", unique=False)),
                ("found_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "order_finding",
                "app": "models",
                "indexes": [Index(fields=["order_id", "id"])],
                "pk_attr": "id",
                "table_description": "What the system found about an order when it was placed or contracted. Never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OrderHold",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "order",
                    fields.ForeignKeyField(
                        "models.Order",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="supervision_holds",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "complaint",
                    fields.ForeignKeyField(
                        "models.Complaint",
                        source_field="complaint_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="order_holds",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "clause",
                    fields.CharField(default="", description="Empty: the house's default", max_length=120),
                ),
                ("placed_by", fields.BigIntField(description="The member of staff")),
                ("placed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("lifted_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("lifted_by", fields.BigIntField(null=True)),
                ("lift_reason", fields.TextField(default="", unique=False)),
            ],
            options={
                "table": "order_hold",
                "app": "models",
                "indexes": [Index(fields=["order_id", "lifted_at"])],
                "pk_attr": "id",
                "table_description": "暂扣: an order that is not settled while a complaint about it is looked into or weighs on it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OrderPaper",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "order",
                    fields.ForeignKeyField(
                        "models.Order",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="papers",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "act",
                    fields.ForeignKeyField(
                        "models.OrderAct",
                        source_field="act_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="papers",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "step",
                    fields.CharEnumField(
                        description="PLACE: place\nCONFIRM: confirm\nSIGN_CONTRACT: sign_contract\nUPLOAD_CONTRACT: upload_contract\nCONFIRM_CONTRACT: confirm_contract\nREQUEST_VOUCHER: request_voucher\nISSUE_VOUCHER: issue_voucher\nREGISTER_USE: register_use\nDEPOSIT: deposit\nESCROW: escrow\nMILESTONE_EVIDENCE: milestone_evidence\nDELIVER: deliver\nINVOICE: invoice\nTRANSFER_RECEIPT: transfer_receipt\nBALANCE: balance\nACCEPT: accept\nSERVICE_CONFIRMATION: service_confirmation\nPAY_VOUCHER: pay_voucher\nACCEPT_VOUCHER: accept_voucher\nRATE: rate\nSETTLE: settle\nAPPROVE_SETTLEMENT: approve_settlement",
                        enum_type=StepKind,
                        max_length=32,
                    ),
                ),
                ("code", fields.CharField(description="Of the programme's document", max_length=64)),
                (
                    "files",
                    fields.JSONField(
                        description="The stored files, in their order", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                (
                    "number",
                    fields.CharField(
                        default="", description="Of an invoice, a receipt, a contract", max_length=64
                    ),
                ),
                ("amount_fen", fields.BigIntField(null=True)),
                ("dated", fields.DateField(null=True)),
                (
                    "payer",
                    fields.CharField(
                        default="", description="Payer or buyer, as the paper names them", max_length=200
                    ),
                ),
                (
                    "payee",
                    fields.CharField(
                        default="", description="Payee or seller, as the paper names them", max_length=200
                    ),
                ),
                ("handed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "withdrawn_at",
                    fields.DatetimeField(
                        null=True, description="Sent back with its act", auto_now=False, auto_now_add=False
                    ),
                ),
            ],
            options={
                "table": "order_paper",
                "app": "models",
                "indexes": [Index(fields=["order_id", "id"])],
                "pk_attr": "id",
                "table_description": "One document handed in with a step. Its files hang on ``order_paper:<id>``.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OutboxCursor",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("through", fields.BigIntField(default=0)),
                ("seen", fields.BigIntField(default=0)),
                ("seen_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "outbox_cursor",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Below ``through`` nothing is left to deliver. ``seen`` is what ``through`` becomes next.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OutboxMessage",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("topic", fields.CharField(max_length=64)),
                (
                    "recipient",
                    fields.CharField(
                        description="organisation:5, person:12, staff:3, role:operator:<programme>",
                        max_length=96,
                    ),
                ),
                ("data", fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
                ("delivered_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "outbox_message",
                "app": "models",
                "pk_attr": "id",
                "table_description": "One message to one recipient. Its id is what a receiver de-duplicates by.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OwnPayment",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "order",
                    fields.ForeignKeyField(
                        "models.Order",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="payments",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("programme_slug", fields.CharField(max_length=64)),
                (
                    "purpose",
                    fields.CharEnumField(
                        description="DEPOSIT: deposit\nBALANCE: balance\nOWN_SHARE: own_share\nESCROW: escrow\nREPAYMENT: repayment",
                        enum_type=PaymentPurpose,
                        max_length=16,
                    ),
                ),
                (
                    "method",
                    fields.CharEnumField(
                        description="TRANSFER: transfer\nONLINE: online",
                        enum_type=PaymentMethod,
                        max_length=16,
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        description="PENDING: pending\nPAID: paid\nCLOSED: closed\nDISPUTED: disputed\nREFUND_DUE: refund_due\nREFUNDED: refunded\nREPLACED: replaced",
                        enum_type=PaymentStatus,
                        max_length=16,
                    ),
                ),
                ("amount_fen", CheckedBigInt(check="amount_fen > 0")),
                ("payer", fields.CharField(max_length=200)),
                ("payee", fields.CharField(max_length=200)),
                (
                    "step",
                    fields.CharEnumField(
                        description="PLACE: place\nCONFIRM: confirm\nSIGN_CONTRACT: sign_contract\nUPLOAD_CONTRACT: upload_contract\nCONFIRM_CONTRACT: confirm_contract\nREQUEST_VOUCHER: request_voucher\nISSUE_VOUCHER: issue_voucher\nREGISTER_USE: register_use\nDEPOSIT: deposit\nESCROW: escrow\nMILESTONE_EVIDENCE: milestone_evidence\nDELIVER: deliver\nINVOICE: invoice\nTRANSFER_RECEIPT: transfer_receipt\nBALANCE: balance\nACCEPT: accept\nSERVICE_CONFIRMATION: service_confirmation\nPAY_VOUCHER: pay_voucher\nACCEPT_VOUCHER: accept_voucher\nRATE: rate\nSETTLE: settle\nAPPROVE_SETTLEMENT: approve_settlement",
                        enum_type=StepKind,
                        max_length=32,
                    ),
                ),
                (
                    "code",
                    fields.CharField(
                        default="", description="The document whose receipt shows it", max_length=64
                    ),
                ),
                ("paid_on", fields.DateField(null=True)),
                ("bank_reference", fields.CharField(default="", max_length=64)),
                ("trade_number", fields.CharField(null=True, unique=True, description="Ours", max_length=32)),
                (
                    "transaction_id",
                    fields.CharField(
                        null=True, unique=True, description="The gateway's, for good", max_length=64
                    ),
                ),
                ("created_by", fields.CharField(max_length=64)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "expires_at",
                    fields.DatetimeField(
                        null=True, description="By the machine's clock", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "asked_at",
                    fields.DatetimeField(
                        null=True,
                        description="When the gateway was asked last",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                ("settled_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "own_payment",
                "app": "models",
                "indexes": [Index(fields=["order_id", "id"]), Index(fields=["status", "asked_at"])],
                "pk_attr": "id",
                "table_description": "One payment of an order: by the bank, as its receipt says, or through the payment gateway.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PaymentBatch",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("number", fields.CharField(unique=True, max_length=24)),
                ("programme_slug", fields.CharField(max_length=64)),
                ("programme_version", fields.CharField(max_length=32)),
                (
                    "budget",
                    fields.ForeignKeyField(
                        "models.Budget",
                        source_field="budget_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="payment_batches",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "source",
                    fields.CharEnumField(
                        default=PaymentSource.BUDGET,
                        description="Whose money it is",
                        enum_type=PaymentSource,
                        max_length=16,
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=BatchStatus.DRAFT,
                        description="DRAFT: draft\nAPPROVED: approved\nSENT: sent\nCLOSED: closed\nDROPPED: dropped",
                        enum_type=BatchStatus,
                        max_length=16,
                    ),
                ),
                ("payments_count", fields.IntField(default=0)),
                ("total_fen", CheckedBigInt(default=0, check="total_fen >= 0")),
                (
                    "kept_fen",
                    CheckedBigInt(
                        default=0,
                        description="Of the total, kept back for claims: the bank is told of the rest",
                        check="kept_fen >= 0 AND kept_fen <= total_fen",
                    ),
                ),
                (
                    "content_sha256",
                    fields.CharField(
                        default="", description="Of the payments as they were approved", max_length=64
                    ),
                ),
                (
                    "reason",
                    fields.TextField(
                        default="", description="Why it was drawn up, approved or dropped", unique=False
                    ),
                ),
                ("drafted_by", fields.BigIntField()),
                ("drafted_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("approved_by", fields.BigIntField(null=True)),
                ("approved_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("sent_by", fields.BigIntField(null=True)),
                ("sent_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "template",
                    fields.CharField(
                        default="", description="Which bank's file it was sent as", max_length=64
                    ),
                ),
                ("csv_sha256", fields.CharField(default="", max_length=64)),
                ("xlsx_sha256", fields.CharField(default="", max_length=64)),
                (
                    "closed_at",
                    fields.DatetimeField(
                        null=True, description="Or dropped", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "archived_at",
                    fields.DatetimeField(
                        null=True, description="Read only from then on", auto_now=False, auto_now_add=False
                    ),
                ),
                ("version", fields.IntField(default=1)),
            ],
            options={
                "table": "payment_batch",
                "app": "models",
                "indexes": [
                    Index(fields=["programme_slug", "status", "id"]),
                    Index(fields=["budget_id", "source", "id"]),
                ],
                "pk_attr": "id",
                "table_description": "付款批次: payments of one programme year that are approved, sent and closed together.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="HandOver",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("number", fields.CharField(unique=True, max_length=24)),
                (
                    "batch",
                    fields.ForeignKeyField(
                        "models.PaymentBatch",
                        source_field="batch_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="hand_overs",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "items",
                    fields.JSONField(
                        description="Each paper with its hash, in order", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                ("sha256", fields.CharField(description="Of the list", max_length=64)),
                (
                    "status",
                    fields.CharEnumField(
                        default=HandOverStatus.HANDED,
                        description="HANDED: handed\nRECEIVED: received\nSENT_BACK: sent_back",
                        enum_type=HandOverStatus,
                        max_length=16,
                    ),
                ),
                ("handed_by", fields.BigIntField()),
                ("handed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("received_by", fields.BigIntField(null=True)),
                ("received_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("remarks", fields.TextField(default="", unique=False)),
            ],
            options={
                "table": "hand_over",
                "app": "models",
                "indexes": [Index(fields=["batch_id", "id"])],
                "pk_attr": "id",
                "table_description": "移交清单: all materials and bank receipts of a paid batch, handed to the archive (GZ-43).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Payment",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "number",
                    fields.CharField(
                        unique=True, description="What the bank is told, and tells us back", max_length=32
                    ),
                ),
                (
                    "batch",
                    fields.ForeignKeyField(
                        "models.PaymentBatch",
                        source_field="batch_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="payments",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "source",
                    fields.CharEnumField(
                        default=PaymentSource.BUDGET,
                        description="Its batch's",
                        enum_type=PaymentSource,
                        max_length=16,
                    ),
                ),
                ("settlement_id", fields.BigIntField()),
                ("order_id", fields.BigIntField(db_index=True)),
                (
                    "provider",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="provider_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="received_payments",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "account",
                    fields.ForeignKeyField(
                        "models.BankAccount",
                        source_field="account_id",
                        null=True,
                        description="Empty: it comes to nothing",
                        db_constraint=True,
                        to_field="id",
                        related_name="payments",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "amount_fen",
                    CheckedBigInt(
                        description="What the settlement comes to, or released of escrow",
                        check="amount_fen >= 0",
                    ),
                ),
                (
                    "kept_fen",
                    CheckedBigInt(
                        default=0,
                        description="Kept back for claims against the payee",
                        check="kept_fen >= 0 AND kept_fen <= amount_fen",
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=TransferStatus.WAITING,
                        description="WAITING: waiting\nPAID: paid\nRETURNED: returned\nDROPPED: dropped",
                        enum_type=TransferStatus,
                        max_length=16,
                    ),
                ),
                (
                    "receipt_number",
                    fields.CharField(
                        default="",
                        description="The bank's own, or the payment's where there was nothing to transfer",
                        max_length=64,
                    ),
                ),
                ("receipt_on", fields.DateField(null=True)),
                (
                    "receipt_file",
                    fields.BigIntField(null=True, description="Its scan, if it was entered singly"),
                ),
                ("returned_on", fields.DateField(null=True, description="The day the bank sent it back")),
                (
                    "return_file",
                    fields.BigIntField(null=True, description="What shows that, if entered singly"),
                ),
                (
                    "reason",
                    fields.TextField(
                        default="", description="Why it came back, or was taken out", unique=False
                    ),
                ),
                (
                    "settled_by",
                    fields.CharField(default="", description="Who entered what the bank said", max_length=40),
                ),
                ("settled_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "payment",
                "app": "models",
                "indexes": [
                    Index(fields=["batch_id", "id"]),
                    Index(fields=["settlement_id", "id"]),
                    Index(fields=["provider_id", "id"]),
                ],
                "pk_attr": "id",
                "table_description": "付款: one attempt to pay one settlement, from one source, to one account.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PaymentHold",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("programme_slug", fields.CharField(max_length=64)),
                (
                    "provider",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="provider_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="payment_holds",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "enterprise",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="enterprise_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="payment_holds_as_enterprise",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "order",
                    fields.ForeignKeyField(
                        "models.Order",
                        source_field="order_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="payment_holds",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "orders_until",
                    fields.DatetimeField(
                        null=True,
                        description="Orders placed later are free, null: every one is held",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "cause",
                    fields.CharEnumField(
                        description="SANCTION: sanction\nANOMALY: anomaly\nINSPECTION: inspection\nCOMPLAINT: complaint",
                        enum_type=HoldCause,
                        max_length=16,
                    ),
                ),
                ("cause_id", fields.BigIntField(description="The row of whatever it rests on")),
                ("clause", fields.CharField(max_length=120)),
                (
                    "reason",
                    fields.TextField(description="What both sides may read, nobody's identity", unique=False),
                ),
                (
                    "placed_by",
                    fields.BigIntField(null=True, description="The member of staff, null: the clock"),
                ),
                ("placed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("lifted_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("lifted_by", fields.BigIntField(null=True)),
                ("lift_reason", fields.TextField(default="", unique=False)),
            ],
            options={
                "table": "payment_hold",
                "app": "models",
                "indexes": [
                    Index(fields=["cause", "cause_id"]),
                    Index(fields=["programme_slug", "lifted_at", "id"]),
                ],
                "pk_attr": "id",
                "table_description": "暂停兑付: nothing of a provider, an enterprise or one order is paid. Lifted, never deleted.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PaymentReturnRequest",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "order",
                    fields.ForeignKeyField(
                        "models.Order",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="payment_returns",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("actor", fields.CharField(max_length=64)),
                ("reason", fields.TextField(unique=False)),
                ("asked_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("granted", fields.BooleanField(null=True)),
            ],
            options={
                "table": "payment_return_request",
                "app": "models",
                "indexes": [Index(fields=["order_id", "id"])],
                "pk_attr": "id",
                "table_description": "退回支付: who received a voucher asks that the payment go back to its payer (GZ-101).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Person",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "account",
                    fields.CharField(
                        unique=True,
                        description="Blind index of WeChat's openid, or the name of a demo account",
                        max_length=64,
                    ),
                ),
                (
                    "openid_sealed",
                    fields.CharField(default="", description="To write to them by WeChat", max_length=400),
                ),
                (
                    "unionid_index",
                    fields.CharField(
                        default="",
                        db_index=True,
                        description="Blind index of the name across the operator's accounts",
                        max_length=64,
                    ),
                ),
                ("name", fields.CharField(default="", max_length=64)),
                (
                    "phone_sealed",
                    fields.CharField(default="", description="As WeChat vouches for it", max_length=400),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("disabled", fields.BooleanField(default=False)),
                (
                    "session_version",
                    fields.IntField(default=1, description="Raised to end every session at once"),
                ),
            ],
            options={
                "table": "person",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Somebody who signs in with WeChat. What they may do follows from their memberships.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ChatSender",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "account",
                    fields.CharEnumField(
                        description="OFFICIAL: official\nMINI: mini", enum_type=WechatAccount, max_length=16
                    ),
                ),
                (
                    "openid_index",
                    fields.CharField(description="Blind index of WeChat's openid", max_length=64),
                ),
                ("openid_sealed", fields.CharField(max_length=400)),
                (
                    "unionid_index",
                    fields.CharField(
                        default="", description="As of a person, once WeChat has said it", max_length=64
                    ),
                ),
                (
                    "person",
                    fields.ForeignKeyField(
                        "models.Person",
                        source_field="person_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="chat_senders",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("first_seen_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "last_tap_at",
                    fields.DatetimeField(
                        null=True,
                        description="Menu, scan or entry: opens the window of a minute",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                ("taps_left", fields.IntField(default=0, description="Messages left in that minute")),
                (
                    "last_message_at",
                    fields.DatetimeField(
                        null=True,
                        description="They wrote: opens the window of 48 hours",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                ("messages_left", fields.IntField(default=0, description="Messages left in those 48 hours")),
                (
                    "unsubscribed_at",
                    fields.DatetimeField(
                        null=True,
                        description="Since then the official account cannot write to them",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
            ],
            options={
                "table": "chat_sender",
                "app": "models",
                "unique_together": (("account", "openid_index"),),
                "indexes": [Index(fields=["person_id"])],
                "pk_attr": "id",
                "table_description": "Somebody who wrote to one of our accounts, signed in or not. An outbox recipient: ``sender:17``.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ConsentBalance",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "person",
                    fields.ForeignKeyField(
                        "models.Person",
                        source_field="person_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="consent_balances",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("template", fields.CharField(max_length=32)),
                ("left_count", CheckedBigInt(default=0, check="left_count >= 0")),
                ("long_term", fields.BooleanField(default=False, description="Consented to for good")),
            ],
            options={
                "table": "consent_balance",
                "app": "models",
                "unique_together": (("person_id", "template"),),
                "pk_attr": "id",
                "table_description": "What is left of a person's consents to one template: the sum of the ledger, and its lock.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ConsentEntry",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "person",
                    fields.ForeignKeyField(
                        "models.Person",
                        source_field="person_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="consent_entries",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("template", fields.CharField(description="Code of the template", max_length=32)),
                (
                    "kind",
                    fields.CharEnumField(
                        description="GIVEN: given\nCONFIRMED: confirmed\nUSED: used\nRETURNED: returned\nREFUSED: refused",
                        enum_type=ConsentKind,
                        max_length=16,
                    ),
                ),
                ("count", fields.IntField(description="By how much what is left changed")),
                ("source", fields.CharField(description="phone, wechat, delivery", max_length=16)),
                ("long_term", fields.BooleanField(default=False)),
                ("delivery_id", fields.BigIntField(null=True)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "consent_entry",
                "app": "models",
                "indexes": [Index(fields=["person_id", "template", "at"])],
                "pk_attr": "id",
                "table_description": "One line of the ledger of consents, never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Conversation",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "sender",
                    fields.ForeignKeyField(
                        "models.ChatSender",
                        source_field="sender_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="conversations",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("state", fields.CharField(description="A state of the chart", max_length=40)),
                (
                    "draft_sealed",
                    fields.TextField(default="", description="What was said so far, JSON", unique=False),
                ),
                ("version", fields.IntField(default=1, description="Rises with every change")),
                ("started_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("touched_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "form_index",
                    fields.CharField(
                        default="",
                        db_index=True,
                        description="Blind index of the link to the form, empty: none is out",
                        max_length=64,
                    ),
                ),
                (
                    "form_until",
                    fields.DatetimeField(
                        null=True, description="The link's end, exclusive", auto_now=False, auto_now_add=False
                    ),
                ),
            ],
            options={
                "table": "conversation",
                "app": "models",
                "indexes": [Index(fields=["sender_id", "id"]), Index(fields=["ended_at", "touched_at"])],
                "pk_attr": "id",
                "table_description": "One conversation and where in the chart it stands. One of a sender's is alive at a time.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DeliveryPreference",
            fields=[
                (
                    "person",
                    fields.OneToOneField(
                        "models.Person",
                        source_field="person_id",
                        primary_key=True,
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="delivery_preference",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "quiet_from_minute",
                    fields.IntField(description="Of the day in China, as the end for never quiet"),
                ),
                ("quiet_until_minute", fields.IntField()),
            ],
            options={
                "table": "delivery_preference",
                "app": "models",
                "pk_attr": "person_id",
                "table_description": "What somebody chose about being disturbed, without a row, the house's own quiet hours.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Membership",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "person",
                    fields.ForeignKeyField(
                        "models.Person",
                        source_field="person_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="memberships",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "organisation",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="organisation_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="memberships",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "role",
                    fields.CharEnumField(
                        description="LEGAL_REPRESENTATIVE: legal_representative\nHANDLER: handler\nSTAFF: staff",
                        enum_type=MemberRole,
                        max_length=32,
                    ),
                ),
                ("active", fields.BooleanField(default=True)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "membership",
                "app": "models",
                "indexes": [
                    Index(fields=["person_id", "active"]),
                    Index(fields=["organisation_id", "active"]),
                ],
                "pk_attr": "id",
                "table_description": "A person acting for an organisation. Ended, never deleted: the journal points here.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PolicyEvaluation",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("programme_slug", fields.CharField(max_length=64)),
                ("programme_version", fields.CharField(max_length=32)),
                ("clause", fields.CharField(default="", max_length=120)),
                ("starts_on", fields.DateField()),
                ("ends_on", fields.DateField(description="Inclusive")),
                (
                    "indicators",
                    fields.JSONField(
                        description="Code, value and how it was worked out", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                ("words", fields.TextField(unique=False)),
                ("files", fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads)),
                (
                    "signed_by",
                    fields.JSONField(
                        description="The roles that have to sign it", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                ("made_by", fields.BigIntField()),
                ("made_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "signed_at",
                    fields.DatetimeField(
                        null=True, description="When the last one signed", auto_now=False, auto_now_add=False
                    ),
                ),
            ],
            options={
                "table": "policy_evaluation",
                "app": "models",
                "indexes": [Index(fields=["programme_slug", "id"])],
                "pk_attr": "id",
                "table_description": "绩效评价: how the money was managed and what it did, by both departments (GX-83).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="EvaluationSignature",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "evaluation",
                    fields.ForeignKeyField(
                        "models.PolicyEvaluation",
                        source_field="evaluation_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="signatures",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("role", fields.CharField(max_length=24)),
                ("staff_id", fields.BigIntField()),
                ("signed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "evaluation_signature",
                "app": "models",
                "unique_together": (("evaluation_id", "role"), ("evaluation_id", "staff_id")),
                "pk_attr": "id",
                "table_description": "One department signed an evaluation. Never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PublicNotice",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "number",
                    fields.CharField(
                        null=True,
                        unique=True,
                        description="What people read aloud, given when it is published",
                        max_length=24,
                    ),
                ),
                ("programme_slug", fields.CharField(max_length=64)),
                ("programme_version", fields.CharField(max_length=32)),
                (
                    "kind",
                    fields.CharEnumField(
                        default=NoticeKind.OBJECTION,
                        description="OBJECTION: objection\nRESULT: result",
                        enum_type=NoticeKind,
                        max_length=16,
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=NoticeStatus.DRAFT,
                        description="DRAFT: draft\nSTANDING: standing\nOVER: over\nWITHDRAWN: withdrawn",
                        enum_type=NoticeStatus,
                        max_length=16,
                    ),
                ),
                ("title", fields.CharField(max_length=200)),
                ("clause", fields.CharField(default="", max_length=120)),
                (
                    "working_days",
                    fields.IntField(description="How long it stands, 0: a result, which nobody objects to"),
                ),
                ("text", fields.TextField(default="", description="Empty while it is a draft", unique=False)),
                ("sha256", fields.CharField(default="", max_length=64)),
                ("drafted_by", fields.BigIntField(null=True, description="Null: it went up by itself")),
                ("drafted_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("published_by", fields.BigIntField(null=True)),
                ("published_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("begins_on", fields.DateField(null=True, description="The day of the last channel")),
                (
                    "ends_at",
                    fields.DatetimeField(
                        null=True, description="Exclusive", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "due_provisional",
                    fields.BooleanField(default=False, description="A year's working days were guessed"),
                ),
                ("reminded_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("over_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("withdrawn_by", fields.BigIntField(null=True)),
                ("withdrawn_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("withdraw_reason", fields.TextField(default="", unique=False)),
                (
                    "replaces",
                    fields.ForeignKeyField(
                        "models.PublicNotice",
                        source_field="replaces_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="replaced_by",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("version", fields.IntField(default=1)),
            ],
            options={
                "table": "public_notice",
                "app": "models",
                "indexes": [
                    Index(fields=["programme_slug", "status", "id"]),
                    Index(fields=["status", "ends_at"]),
                ],
                "pk_attr": "id",
                "table_description": "公示: what is put up for objection, or published as a result. Its text never changes once it is up.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="NoticeShowing",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "notice",
                    fields.ForeignKeyField(
                        "models.PublicNotice",
                        source_field="notice_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="showings",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("channel", fields.CharField(max_length=120)),
                ("on_platform", fields.BooleanField(description="This platform's own page")),
                ("shown_on", fields.DateField(null=True)),
                ("url", fields.CharField(default="", max_length=500)),
                ("recorded_by", fields.BigIntField(null=True, description="Null: the platform's own page")),
                ("recorded_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "notice_showing",
                "app": "models",
                "unique_together": (("notice_id", "channel"),),
                "pk_attr": "id",
                "table_description": "One channel of a notice: when it was shown there, and where.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Qualification",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "organisation",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="organisation_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="qualifications",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "party",
                    fields.CharEnumField(
                        default=Party.ENTERPRISE,
                        description="ENTERPRISE: enterprise\nPROVIDER: provider",
                        enum_type=Party,
                        max_length=16,
                    ),
                ),
                ("programme_slug", fields.CharField(max_length=64)),
                ("programme_version", fields.CharField(max_length=32)),
                (
                    "status",
                    fields.CharEnumField(
                        description="PENDING: pending\nAPPROVED: approved\nREFUSED: refused\nREVOKED: revoked\nEXPIRED: expired\nSUSPENDED: suspended\nDELISTED: delisted",
                        enum_type=QualificationStatus,
                        max_length=32,
                    ),
                ),
                (
                    "valid_until",
                    fields.DatetimeField(
                        null=True, description="null: holds on", auto_now=False, auto_now_add=False
                    ),
                ),
                ("applied_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "snapshot",
                    fields.JSONField(
                        description="The applicant's facts at application", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                (
                    "unmet",
                    fields.JSONField(
                        default=list, description="Conditions not met", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("decided_by", fields.BigIntField(null=True)),
                ("reason", fields.TextField(default="", unique=False)),
            ],
            options={
                "table": "qualification",
                "app": "models",
                "unique_together": (("organisation_id", "programme_slug", "party"),),
                "indexes": [Index(fields=["programme_slug", "status", "id"])],
                "pk_attr": "id",
                "table_description": "Where an organisation stands in one programme as one party, with the facts it was judged on.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ProviderGrade",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "qualification",
                    fields.ForeignKeyField(
                        "models.Qualification",
                        source_field="qualification_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="grades",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("programme_slug", fields.CharField(max_length=64)),
                ("programme_version", fields.CharField(max_length=32)),
                ("year", fields.IntField(description="The programme year that is judged")),
                ("grade", fields.CharField(description="One of the programme's grades", max_length=32)),
                ("place", fields.IntField(description="In the ranking of the year, 1 is the best")),
                ("reason", fields.TextField(unique=False)),
                (
                    "figures",
                    fields.JSONField(
                        description="The provider's figures when it was proposed",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("case_id", fields.BigIntField(null=True, description="Its review, where the text has one")),
                ("proposed_by", fields.BigIntField(description="The member of staff")),
                ("proposed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("published_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "provider_grade",
                "app": "models",
                "indexes": [
                    Index(fields=["qualification_id", "year"]),
                    Index(fields=["programme_slug", "year", "place"]),
                ],
                "pk_attr": "id",
                "table_description": "评级: a grade of a provider for a year, as proposed on its figures, and whether it is published.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RankingEntry",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True,
                        primary_key=True,
                        unique=True,
                        db_index=True,
                        description="The application",
                    ),
                ),
                ("round_id", fields.BigIntField()),
                ("enterprise_id", fields.BigIntField()),
                ("position", fields.IntField(null=True, description="null: excluded")),
                ("name", fields.CharField(description="As it is published", max_length=200)),
                ("priority", fields.BooleanField()),
                (
                    "group_code",
                    fields.CharField(default="", description="Which priority group", max_length=64),
                ),
                ("tier", fields.CharField(default="", max_length=64)),
                ("arrived_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("place", fields.BigIntField()),
                ("asked_fen", fields.BigIntField()),
                ("allowed_fen", fields.BigIntField(description="Of it, what the year's quota left")),
                ("awarded_fen", fields.BigIntField()),
                (
                    "outcome",
                    fields.CharEnumField(
                        description="AWARDED: awarded\nPARTLY: partly\nWAITING: waiting\nUNSUCCESSFUL: unsuccessful\nNOT_QUALIFIED: not_qualified\nBARRED: barred\nQUOTA_USED: quota_used",
                        enum_type=RankOutcome,
                        max_length=16,
                    ),
                ),
            ],
            options={
                "table": "ranking_entry",
                "app": "models",
                "unique_together": (("round_id", "position"),),
                "pk_attr": "id",
                "table_description": "One line of a ranking, as it was made. Append-only, so that the published list stays what it was.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Rating",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "order",
                    fields.OneToOneField(
                        "models.Order",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="rating",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("programme_slug", fields.CharField(max_length=64)),
                ("programme_version", fields.CharField(max_length=32)),
                (
                    "enterprise",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="enterprise_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="ratings",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "provider",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="provider_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="ratings_received",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("offering_id", fields.BigIntField(null=True)),
                ("level", fields.CharField(description="A word of the programme's scale", max_length=32)),
                (
                    "score_bp",
                    CheckedBigInt(
                        description="10000 for the scale's best level, 0 for its worst",
                        check="score_bp BETWEEN 0 AND 10000",
                    ),
                ),
                ("is_low", fields.BooleanField()),
                ("tags", fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads)),
                ("words", fields.TextField(default="", unique=False)),
                ("rated_by", fields.CharField(description="person:12", max_length=40)),
                ("rated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "editable_until",
                    fields.DatetimeField(description="Exclusive", auto_now=False, auto_now_add=False),
                ),
                ("edited_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("version", fields.IntField(default=1, description="Rises with every change")),
                ("answer", fields.TextField(default="", description="The provider's, once", unique=False)),
                ("answered_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "rating",
                "app": "models",
                "indexes": [
                    Index(fields=["provider_id", "programme_slug", "id"]),
                    Index(fields=["offering_id", "id"]),
                    Index(fields=["enterprise_id", "id"]),
                    Index(fields=["programme_slug", "id"]),
                ],
                "pk_attr": "id",
                "table_description": "评价: of one order, once. Who gave it is for the authority's eyes, never the provider's (GX-57).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RatingEdit",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "rating",
                    fields.ForeignKeyField(
                        "models.Rating",
                        source_field="rating_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="former",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("level", fields.CharField(max_length=32)),
                ("tags", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("words", fields.TextField(unique=False)),
                ("replaced_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("replaced_by", fields.CharField(max_length=40)),
            ],
            options={
                "table": "rating_edit",
                "app": "models",
                "indexes": [Index(fields=["rating_id", "id"])],
                "pk_attr": "id",
                "table_description": "What a rating said before it was changed. Never changed itself.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ReceiptImport",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "batch",
                    fields.ForeignKeyField(
                        "models.PaymentBatch",
                        source_field="batch_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="receipt_imports",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("sha256", fields.CharField(max_length=64)),
                ("counts", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("total_fen", CheckedBigInt(check="total_fen >= 0")),
                ("done_by", fields.BigIntField()),
                ("done_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "receipt_import",
                "app": "models",
                "unique_together": (("batch_id", "sha256"),),
                "pk_attr": "id",
                "table_description": "One file of the bank's receipts that was taken in, by its hash: the same file twice does nothing.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RectificationTask",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "finding",
                    fields.OneToOneField(
                        "models.InspectionFinding",
                        source_field="finding_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="task",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "organisation",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="organisation_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="rectifications",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("programme_slug", fields.CharField(max_length=64)),
                ("wanted", fields.TextField(description="What is to be put right", unique=False)),
                ("due_at", fields.DatetimeField(description="Exclusive", auto_now=False, auto_now_add=False)),
                (
                    "status",
                    fields.CharEnumField(
                        default=RectificationStatus.OPEN,
                        description="OPEN: open\nHANDED_IN: handed_in\nACCEPTED: accepted",
                        enum_type=RectificationStatus,
                        max_length=16,
                    ),
                ),
                ("answer", fields.TextField(default="", unique=False)),
                ("files", fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads)),
                ("handed_in_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("decided_by", fields.BigIntField(null=True)),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "reason",
                    fields.TextField(
                        default="", description="Why it was accepted, or sent back last", unique=False
                    ),
                ),
                ("sent_back", fields.IntField(default=0)),
                (
                    "overdue_at",
                    fields.DatetimeField(
                        null=True, description="Told as overdue, once", auto_now=False, auto_now_add=False
                    ),
                ),
                ("version", fields.IntField(default=1)),
            ],
            options={
                "table": "rectification_task",
                "app": "models",
                "indexes": [
                    Index(fields=["organisation_id", "status", "id"]),
                    Index(fields=["programme_slug", "status", "due_at"]),
                ],
                "pk_attr": "id",
                "table_description": "整改任务: a finding to be put right by a day, with proof.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Registration",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "organisation",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="organisation_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="registrations",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "party",
                    fields.CharEnumField(
                        description="ENTERPRISE: enterprise\nPROVIDER: provider",
                        enum_type=Party,
                        max_length=16,
                    ),
                ),
                ("programme_slug", fields.CharField(max_length=64)),
                (
                    "status",
                    fields.CharEnumField(
                        default=RegistrationStatus.DRAFT,
                        description="DRAFT: draft\nSUBMITTED: submitted\nRETURNED: returned\nREFUSED: refused\nAPPROVED: approved",
                        enum_type=RegistrationStatus,
                        max_length=16,
                    ),
                ),
                ("version", fields.IntField(default=0)),
                (
                    "values",
                    fields.JSONField(
                        default=dict, description="By key, money in fen", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                (
                    "sealed",
                    fields.JSONField(
                        default=dict,
                        description="Identity numbers and phones, by key",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                (
                    "documents",
                    fields.JSONField(
                        default=dict, description="File ids by document", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                (
                    "undertakings",
                    fields.JSONField(
                        default=dict,
                        description="By code: hash of the text, who accepted it and when",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                (
                    "returned",
                    fields.JSONField(
                        default=dict,
                        description="Key to reason, alone open then",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("returned_reason", fields.TextField(default="", unique=False)),
                ("case_id", fields.BigIntField(null=True, description="Its latest review case")),
                ("saved_by", fields.BigIntField(description="The person")),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("saved_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "registration",
                "app": "models",
                "unique_together": (("organisation_id", "programme_slug", "party"),),
                "pk_attr": "id",
                "table_description": "The form of one organisation as one party of one programme: a draft until it is handed in.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ReminderSent",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("about", fields.CharField(max_length=32)),
                ("subject", fields.CharField(description="voucher:1024", max_length=40)),
                ("recipient", fields.CharField(max_length=96)),
                ("deadline", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("days_before", fields.IntField()),
                ("sent_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "reminder_sent",
                "app": "models",
                "unique_together": (("about", "subject", "recipient", "deadline", "days_before"),),
                "pk_attr": "id",
                "table_description": "One reminder that was sent: never again for the same matter, deadline and distance.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Removal",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "qualification",
                    fields.ForeignKeyField(
                        "models.Qualification",
                        source_field="qualification_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="removals",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("programme_slug", fields.CharField(max_length=64)),
                ("programme_version", fields.CharField(max_length=32)),
                ("sanction", fields.CharField(description="The programme's sanction", max_length=64)),
                ("ground", fields.CharField(max_length=64)),
                ("clause", fields.CharField(max_length=120)),
                ("reason", fields.TextField(unique=False)),
                (
                    "measures",
                    fields.JSONField(
                        description="What follows, by the sanction", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                (
                    "serious",
                    fields.BooleanField(default=False, description="What follows if it is serious, too"),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        description="PROPOSED: proposed\nDETERMINED: determined\nDISMISSED: dismissed",
                        enum_type=RemovalStatus,
                        max_length=16,
                    ),
                ),
                ("case_id", fields.BigIntField(null=True, description="Its review, where the text has one")),
                ("proposed_by", fields.BigIntField(description="The member of staff")),
                ("proposed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("ban_id", fields.BigIntField(null=True, description="The entry on the blocklist")),
                ("announced", fields.BooleanField(default=False)),
            ],
            options={
                "table": "removal",
                "app": "models",
                "indexes": [
                    Index(fields=["qualification_id", "id"]),
                    Index(fields=["programme_slug", "status", "id"]),
                ],
                "pk_attr": "id",
                "table_description": "清退: a provider proposed for removal on a ground of the text, and what was decided.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ReportEdition",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "number",
                    fields.CharField(unique=True, description="What people read aloud", max_length=24),
                ),
                ("programme_slug", fields.CharField(max_length=64)),
                ("programme_version", fields.CharField(max_length=32)),
                ("code", fields.CharField(description="Of the programme's report", max_length=64)),
                (
                    "subject",
                    fields.CharField(
                        default="", description="What it is about besides its days", max_length=40
                    ),
                ),
                ("period_from", fields.DateField()),
                ("period_to", fields.DateField(description="Its last day, inclusive")),
                ("version", fields.IntField(default=1)),
                ("title", fields.CharField(max_length=200)),
                (
                    "article",
                    fields.CharField(default="", description="Empty: the house's own", max_length=200),
                ),
                (
                    "content",
                    fields.JSONField(
                        description="Every figure, with what it was counted from",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("sha256", fields.CharField(description="Of the content", max_length=64)),
                (
                    "differences",
                    fields.JSONField(
                        default=list,
                        description="Figures that differ from the version before",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("reason", fields.CharField(default="", description="Why it was made anew", max_length=500)),
                ("made_by", fields.CharField(description="staff:3, clock", max_length=40)),
                ("made_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "delivered_to",
                    fields.JSONField(description="The roles it went to", encoder=JSON_DUMPS, decoder=loads),
                ),
                (
                    "page",
                    fields.ForeignKeyField(
                        "models.EvidenceObject",
                        source_field="page_id",
                        db_constraint=True,
                        to_field="sha256",
                        related_name="report_pages",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "sheet",
                    fields.ForeignKeyField(
                        "models.EvidenceObject",
                        source_field="sheet_id",
                        db_constraint=True,
                        to_field="sha256",
                        related_name="report_sheets",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "paper",
                    fields.ForeignKeyField(
                        "models.EvidenceObject",
                        source_field="paper_id",
                        db_constraint=True,
                        to_field="sha256",
                        related_name="report_papers",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "report_edition",
                "app": "models",
                "unique_together": (
                    ("programme_slug", "code", "subject", "period_from", "period_to", "version"),
                ),
                "indexes": [Index(fields=["programme_slug", "id"])],
                "pk_attr": "id",
                "table_description": "报表: one report as it was delivered. Never changed: a correction is the next version.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ResultFiling",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "batch",
                    fields.OneToOneField(
                        "models.PaymentBatch",
                        source_field="batch_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="filing",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("filed_with", fields.CharField(max_length=120)),
                ("reference", fields.CharField(description="Of the letter it was filed with", max_length=64)),
                ("filed_on", fields.DateField()),
                ("files", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("filed_by", fields.BigIntField()),
                ("filed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "result_filing",
                "app": "models",
                "pk_attr": "id",
                "table_description": "结果备案: the result of a batch is filed with a higher body (GZ-41).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ReviewCase",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "subject",
                    fields.CharEnumField(
                        description="ENTERPRISE: enterprise\nPROVIDER: provider\nOFFERING: offering\nENQUIRY: enquiry\nVOUCHER_REQUEST: voucher_request\nCANCELLATION: cancellation\nPAYMENT_RETURN: payment_return\nSETTLEMENT: settlement\nPROVIDER_GRADE: provider_grade\nREMOVAL: removal\nVOIDING: voiding\nCOMPLAINT: complaint",
                        enum_type=ReviewSubject,
                        max_length=32,
                    ),
                ),
                ("subject_id", fields.BigIntField(description="The row that is reviewed, in its own table")),
                ("programme_slug", fields.CharField(max_length=64)),
                ("programme_version", fields.CharField(max_length=32)),
                (
                    "organisation",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="organisation_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="reviews",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("organisation_name", fields.CharField(default="", max_length=200)),
                ("uscc", fields.CharField(default="", max_length=18)),
                ("area", fields.CharField(default="", max_length=64)),
                ("title", fields.CharField(max_length=200)),
                (
                    "chain",
                    fields.JSONField(
                        description="Article and steps, in their order", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                (
                    "circumstances",
                    fields.JSONField(
                        default=list,
                        description="What makes further steps apply",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=CaseStatus.OPEN,
                        description="OPEN: open\nRETURNED: returned\nON_NOTICE: on_notice\nPASSED: passed\nREFUSED: refused\nWITHDRAWN: withdrawn",
                        enum_type=CaseStatus,
                        max_length=16,
                    ),
                ),
                ("place", fields.IntField(null=True, description="The step it stands at, null at its end")),
                (
                    "step_name",
                    fields.CharField(default="", description="What that step is called", max_length=120),
                ),
                (
                    "turn",
                    fields.CharEnumField(
                        null=True, description="Whose turn it is", enum_type=Actor, max_length=16
                    ),
                ),
                (
                    "turn_since",
                    fields.DatetimeField(
                        description="Since when it stands where it stands", auto_now=False, auto_now_add=False
                    ),
                ),
                ("claimed_by", fields.BigIntField(null=True, description="The member of staff who has it")),
                ("claimed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "due_at",
                    fields.DatetimeField(
                        null=True,
                        description="Exclusive, null: no time is set",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "notice_until",
                    fields.DatetimeField(
                        null=True, description="While it is on notice", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "due_provisional",
                    fields.BooleanField(default=False, description="A year's working days were guessed"),
                ),
                (
                    "rank_ms",
                    CheckedBigInt(
                        description="due_at in Unix ms: the order of every list", check="rank_ms > 0"
                    ),
                ),
                (
                    "amount_fen",
                    fields.BigIntField(null=True, description="What is asked for, if it is money"),
                ),
                (
                    "flagged",
                    fields.BooleanField(
                        default=False, description="Always in a sample, as a statement stands in"
                    ),
                ),
                ("draw_id", fields.BigIntField(null=True, description="The draw whose list it is or was on")),
                ("version", fields.IntField(default=1)),
                ("opened_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("opened_by", fields.CharField(description="person:12, staff:3, clock", max_length=40)),
                ("closed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "review_case",
                "app": "models",
                "indexes": [
                    Index(fields=["organisation_id", "id"]),
                    Index(fields=["subject", "subject_id"]),
                    Index(fields=["uscc"]),
                ],
                "pk_attr": "id",
                "table_description": "One thing under review, with its chain as the programme had it when the case was opened.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="InspectionForm",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "case",
                    fields.ForeignKeyField(
                        "models.ReviewCase",
                        source_field="case_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="forms",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("place", fields.IntField(description="The step it was filled in for")),
                ("code", fields.CharField(description="The programme's code of the form", max_length=64)),
                ("sealed_values", fields.TextField(unique=False)),
                ("values_hash", fields.CharField(description="SHA-256 of what was sealed", max_length=64)),
                (
                    "paper_id",
                    fields.BigIntField(null=True, description="The signed paper, as it was uploaded"),
                ),
                (
                    "missing",
                    fields.JSONField(
                        default=list,
                        description="Codes of what is not filled in or signed",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("passes", fields.BooleanField(null=True)),
                ("filled_by", fields.BigIntField(description="The member of staff")),
                ("filled_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "inspection_form",
                "app": "models",
                "indexes": [Index(fields=["case_id", "place", "id"])],
                "pk_attr": "id",
                "table_description": "线下审核情况表: a form as it was filled in once, on the phone or on paper. The last one counts.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="NoticeLine",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("programme_slug", fields.CharField(max_length=64)),
                (
                    "case",
                    fields.ForeignKeyField(
                        "models.ReviewCase",
                        source_field="case_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="notice_lines",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "notice",
                    fields.ForeignKeyField(
                        "models.PublicNotice",
                        source_field="notice_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="lines",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("place", fields.IntField(null=True, description="Its number on the notice, from 1")),
                ("arrived_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "result",
                    fields.BooleanField(
                        default=False, description="A line of a result, not of a notice to object to"
                    ),
                ),
                (
                    "outcome",
                    fields.CharEnumField(
                        null=True,
                        description="OVER: over\nREFUSED: refused\nTAKEN_DOWN: taken_down",
                        enum_type=LineOutcome,
                        max_length=16,
                    ),
                ),
            ],
            options={
                "table": "notice_line",
                "app": "models",
                "indexes": [
                    Index(fields=["programme_slug", "notice_id", "id"]),
                    Index(fields=["notice_id", "place"]),
                    Index(fields=["case_id", "id"]),
                ],
                "pk_attr": "id",
                "table_description": "A case at its notice: waiting for one while ``notice`` is null, then one line of it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ReviewDecision",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "case",
                    fields.ForeignKeyField(
                        "models.ReviewCase",
                        source_field="case_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="decisions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("place", fields.IntField()),
                (
                    "kind",
                    fields.CharEnumField(
                        description="AUTOMATIC: automatic\nPRE_REVIEW: pre_review\nREVIEW: review\nEXPERT_REVIEW: expert_review\nSPOT_CHECK: spot_check\nSITE_INSPECTION: site_inspection\nCOMMITTEE: committee\nDETERMINATION: determination\nPUBLIC_NOTICE: public_notice\nRECONSIDERATION: reconsideration\nFILING: filing\nANNOUNCEMENT: announcement\nMARK: mark\nDISBURSEMENT: disbursement\nARCHIVE: archive",
                        enum_type=ReviewKind,
                        max_length=32,
                    ),
                ),
                ("step_name", fields.CharField(max_length=120)),
                ("clause", fields.CharField(default="", max_length=120)),
                (
                    "verdict",
                    fields.CharEnumField(
                        description="APPROVED: approved\nRETURNED: returned\nREJECTED: rejected\nOPINION: opinion\nANSWERED: answered\nNOT_DRAWN: not_drawn",
                        enum_type=Verdict,
                        max_length=16,
                    ),
                ),
                ("reviewer_id", fields.BigIntField(null=True)),
                (
                    "returns_before",
                    fields.IntField(default=0, description="How often the case had been returned by then"),
                ),
                (
                    "reviewer_name",
                    fields.CharField(default="", description="As it was shown then", max_length=64),
                ),
                (
                    "role",
                    fields.CharEnumField(
                        description="ENTERPRISE: enterprise\nPROVIDER: provider\nBOTH: both\nOPERATOR: operator\nAUTHORITY: authority\nDIVISION: division\nDISTRICT: district\nTREASURY: treasury\nINSPECTOR: inspector\nEXPERT: expert\nOVERSIGHT_BODY: oversight_body\nSYSTEM: system\nANYONE: anyone",
                        enum_type=Actor,
                        max_length=16,
                    ),
                ),
                ("reason", fields.TextField(default="", unique=False)),
                (
                    "fields_returned",
                    fields.JSONField(
                        default=dict, description="Field code to reason", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                ("extras", fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
                ("score", fields.IntField(null=True, description="Out of 100, an expert's")),
                ("held_on", fields.DateField(null=True, description="The day a committee met")),
                (
                    "snapshot",
                    fields.JSONField(
                        description="The applicant as they stood", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                (
                    "checks",
                    fields.JSONField(
                        default=list, description="The system's lines then", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                ("decided_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "review_decision",
                "app": "models",
                "indexes": [Index(fields=["case_id", "id"])],
                "pk_attr": "id",
                "table_description": "One decision, never changed: what was seen, what was said, and on what grounds.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ReviewObjection",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "case",
                    fields.ForeignKeyField(
                        "models.ReviewCase",
                        source_field="case_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="objections",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "notice",
                    fields.ForeignKeyField(
                        "models.PublicNotice",
                        source_field="notice_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="objections",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "made_by",
                    fields.CharField(
                        description="named or anonymous. Who it is stands in another table", max_length=40
                    ),
                ),
                ("reason", fields.TextField(unique=False)),
                ("made_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "due_at",
                    fields.DatetimeField(
                        null=True,
                        description="Until when it is to be answered",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "due_provisional",
                    fields.BooleanField(default=False, description="A year's working days were guessed"),
                ),
                (
                    "by_default",
                    fields.BooleanField(
                        default=False, description="No text names a time: the house's default"
                    ),
                ),
                (
                    "escalated_at",
                    fields.DatetimeField(
                        null=True, description="Told as overdue", auto_now=False, auto_now_add=False
                    ),
                ),
                ("answered_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("answered_by", fields.BigIntField(null=True)),
                ("upheld", fields.BooleanField(null=True)),
                ("answer", fields.TextField(default="", unique=False)),
            ],
            options={
                "table": "review_objection",
                "app": "models",
                "indexes": [Index(fields=["case_id", "answered_at"])],
                "pk_attr": "id",
                "table_description": "What somebody objects to during a public notice. Open until it is answered.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Objector",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "objection",
                    fields.OneToOneField(
                        "models.ReviewObjection",
                        source_field="objection_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="objector",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "person_id",
                    fields.BigIntField(null=True, db_index=True, description="Null: not signed in"),
                ),
                ("name_sealed", fields.CharField(default="", max_length=400)),
                ("contact_sealed", fields.CharField(default="", max_length=400)),
                (
                    "receipt_index",
                    fields.CharField(
                        unique=True, description="Keyed hash of the receipt code", max_length=64
                    ),
                ),
            ],
            options={
                "table": "objector",
                "app": "models",
                "pk_attr": "id",
                "table_description": "异议人: who objected. Read by the authority that answers, with a reason, and by nobody else.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ReviewRecusal",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "case",
                    fields.ForeignKeyField(
                        "models.ReviewCase",
                        source_field="case_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="recusals",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("reviewer_id", fields.BigIntField()),
                ("reason", fields.TextField(unique=False)),
                (
                    "declared_by",
                    fields.CharField(description="Themselves, or who leads the review", max_length=40),
                ),
                ("declared_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "review_recusal",
                "app": "models",
                "unique_together": (("case", "reviewer_id"),),
                "pk_attr": "id",
                "table_description": "回避: somebody has a tie to a case, and has no say in it any more.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Round",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "budget",
                    fields.ForeignKeyField(
                        "models.Budget",
                        source_field="budget_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="rounds",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("title", fields.CharField(max_length=120)),
                (
                    "status",
                    fields.CharEnumField(
                        default=RoundStatus.DRAFT,
                        description="DRAFT: draft\nSCHEDULED: scheduled\nPAUSED: paused\nCLOSED: closed",
                        enum_type=RoundStatus,
                        max_length=32,
                    ),
                ),
                ("opens_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("closes_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("pool_fen", CheckedBigInt(check="pool_fen >= 0")),
                (
                    "issued_fen",
                    CheckedBigInt(
                        default=0,
                        description="Gross, fen",
                        check="issued_fen >= 0 AND issued_fen <= pool_fen",
                    ),
                ),
                (
                    "issued_count",
                    fields.IntField(default=0, description="Vouchers ever issued: numbers the next"),
                ),
                ("order_deadline", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("valid_until", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("created_by", fields.BigIntField()),
            ],
            options={
                "table": "round",
                "app": "models",
                "indexes": [Index(fields=["budget_id", "status"])],
                "pk_attr": "id",
                "table_description": "批次: an issuance round with its window, its pool of money and the terms of its vouchers.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Application",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "round",
                    fields.ForeignKeyField(
                        "models.Round",
                        source_field="round_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="applications",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "enterprise",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="enterprise_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="applications",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=ApplicationStatus.STANDING,
                        description="STANDING: standing\nWITHDRAWN: withdrawn",
                        enum_type=ApplicationStatus,
                        max_length=16,
                    ),
                ),
                ("amount_fen", CheckedBigInt(description="What it asks for, fen", check="amount_fen > 0")),
                (
                    "arrived_at",
                    fields.DatetimeField(
                        description="When it took its place, to the millisecond",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "place",
                    fields.BigIntField(
                        description="Orders those of one millisecond: the request that took the place"
                    ),
                ),
                (
                    "ahead",
                    fields.BooleanField(description="When it arrived, nobody later could come before it"),
                ),
                ("person_id", fields.BigIntField(description="Who sent the latest request")),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("changed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "application",
                "app": "models",
                "unique_together": (("round_id", "enterprise_id"),),
                "indexes": [Index(fields=["enterprise_id", "id"])],
                "pk_attr": "id",
                "table_description": "申领: what one organisation asks for in one round. What it went through, its requests say.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Entitlement",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "round",
                    fields.ForeignKeyField(
                        "models.Round",
                        source_field="round_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="entitlements",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "enterprise",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="enterprise_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="entitlements",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("tier", fields.CharField(max_length=64)),
                ("amount_fen", CheckedBigInt(check="amount_fen > 0")),
                (
                    "quota_fen",
                    CheckedBigInt(description="The year's quota, fen", check="quota_fen >= amount_fen"),
                ),
                ("prepared_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "entitlement",
                "app": "models",
                "unique_together": (("round_id", "enterprise_id"),),
                "pk_attr": "id",
                "table_description": "What one enterprise may be granted in one round, settled before the minute of the launch.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Ranking",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "round",
                    fields.OneToOneField(
                        "models.Round",
                        source_field="round_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="ranking",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("programme_slug", fields.CharField(max_length=64)),
                ("programme_version", fields.CharField(max_length=32)),
                ("ranked_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "closed_at",
                    fields.DatetimeField(
                        description="What the days until the result count from",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "published_at",
                    fields.DatetimeField(
                        description="Nobody sees the list before", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "visible_at",
                    fields.DatetimeField(
                        description="Then every applicant is told in its account",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "provisional",
                    fields.BooleanField(description="These days lie in a year nobody has published yet"),
                ),
                (
                    "told_at",
                    fields.DatetimeField(
                        null=True, description="When everybody was told", auto_now=False, auto_now_add=False
                    ),
                ),
                ("pool_fen", fields.BigIntField(description="What there was to give, fen")),
                ("awarded_fen", fields.BigIntField()),
                ("ranked_count", fields.IntField()),
                ("awarded_count", fields.IntField()),
                ("waiting_count", fields.IntField()),
                ("excluded_count", fields.IntField(description="Applied, and were not to be ranked")),
                (
                    "sha256",
                    fields.CharField(
                        description="Of the canonical list, hex, also in the journal", max_length=64
                    ),
                ),
            ],
            options={
                "table": "ranking",
                "app": "models",
                "pk_attr": "id",
                "table_description": "How a round was ranked: once, in one transaction. The list itself is in its entries.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SamplingDraw",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("programme_slug", fields.CharField(max_length=64)),
                ("programme_version", fields.CharField(max_length=32)),
                ("code", fields.CharField(description="The code of the programme's check", max_length=64)),
                (
                    "name",
                    fields.CharField(description="What is checked, in the text's words", max_length=200),
                ),
                ("clause", fields.CharField(default="", max_length=120)),
                (
                    "over",
                    fields.CharEnumField(
                        description="REVIEW: review\nORDER: order\nPROVIDER: provider\nENTERPRISE: enterprise",
                        enum_type=Sampled,
                        max_length=16,
                    ),
                ),
                (
                    "subject",
                    fields.CharEnumField(
                        null=True, description="Of cases under review", enum_type=ReviewSubject, max_length=32
                    ),
                ),
                ("share_bp", fields.IntField(description="The least share")),
                ("since", fields.DateField(null=True, description="First day of the period looked at")),
                ("until", fields.DateField(null=True, description="Its last day")),
                (
                    "public_source",
                    fields.CharField(
                        default="",
                        description="Which public number is mixed in, named beforehand",
                        max_length=120,
                    ),
                ),
                ("public_number", fields.CharField(default="", max_length=64)),
                (
                    "commitment",
                    fields.CharField(
                        description="SHA-256 of the seed, published before the list is locked", max_length=64
                    ),
                ),
                ("sealed_seed", fields.CharField(max_length=400)),
                (
                    "seed",
                    fields.CharField(default="", description="Published with the result", max_length=64),
                ),
                (
                    "list_hash",
                    fields.CharField(default="", description="SHA-256 of the locked list", max_length=64),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=DrawStatus.ANNOUNCED,
                        description="ANNOUNCED: announced\nLOCKED: locked\nDRAWN: drawn\nCLOSED: closed",
                        enum_type=DrawStatus,
                        max_length=16,
                    ),
                ),
                (
                    "items",
                    CheckedBigInt(default=0, description="How many stand on the list", check="items >= 0"),
                ),
                ("drawn", CheckedBigInt(default=0, description="How many were drawn", check="drawn >= 0")),
                (
                    "open_items",
                    CheckedBigInt(
                        default=0, description="Drawn and not looked at yet", check="open_items >= 0"
                    ),
                ),
                ("announced_by", fields.CharField(max_length=40)),
                ("announced_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("locked_by", fields.CharField(default="", max_length=40)),
                ("locked_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("drawn_by", fields.CharField(default="", max_length=40)),
                ("drawn_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("version", fields.IntField(default=1)),
            ],
            options={
                "table": "sampling_draw",
                "app": "models",
                "indexes": [Index(fields=["programme_slug", "id"])],
                "pk_attr": "id",
                "table_description": "抽查: one draw of one kind. The hash of its seed is published before its list exists.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SamplingItem",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "draw",
                    fields.ForeignKeyField(
                        "models.SamplingDraw",
                        source_field="draw_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="list",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "key",
                    fields.CharField(
                        description="The number by which the public list calls it", max_length=40
                    ),
                ),
                (
                    "row_id",
                    fields.BigIntField(description="The case, order or organisation, in its own table"),
                ),
                ("provider_id", fields.BigIntField(null=True)),
                (
                    "stratum",
                    fields.CharField(
                        description="Provider and band of amount, without a name", max_length=64
                    ),
                ),
                ("flagged", fields.BooleanField(default=False, description="Always in the sample")),
                ("turn", fields.IntField(null=True, description="Its place among those drawn, from 1")),
                (
                    "outcome",
                    fields.CharEnumField(
                        null=True,
                        description="The last that was written",
                        enum_type=SampleOutcome,
                        max_length=16,
                    ),
                ),
            ],
            options={
                "table": "sampling_item",
                "app": "models",
                "unique_together": (("draw", "key"),),
                "indexes": [Index(fields=["draw_id", "turn"]), Index(fields=["row_id", "draw_id"])],
                "pk_attr": "id",
                "table_description": "One line of a draw's list, frozen with it. Only its result is written later.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SampleAnswer",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "item",
                    fields.ForeignKeyField(
                        "models.SamplingItem",
                        source_field="item_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="answers",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "outcome",
                    fields.CharEnumField(
                        description="CLEAN: clean\nFINDING: finding\nNO_ANSWER: no_answer\nGONE: gone",
                        enum_type=SampleOutcome,
                        max_length=16,
                    ),
                ),
                (
                    "method",
                    fields.CharField(default="", description="How, in the text's words", max_length=64),
                ),
                (
                    "satisfaction",
                    fields.CharField(
                        default="", description="One of the programme's words for it", max_length=64
                    ),
                ),
                ("note", fields.TextField(default="", unique=False)),
                ("by", fields.CharField(max_length=40)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "sample_answer",
                "app": "models",
                "indexes": [Index(fields=["item_id", "id"])],
                "pk_attr": "id",
                "table_description": "What came of one attempt at a drawn item. Who did not answer stays on the list.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SanctionCase",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "number",
                    fields.CharField(unique=True, description="What people read aloud", max_length=24),
                ),
                ("programme_slug", fields.CharField(max_length=64)),
                ("programme_version", fields.CharField(max_length=32)),
                ("sanction", fields.CharField(description="The programme's sanction", max_length=64)),
                ("ground", fields.CharField(description="The programme's ground", max_length=64)),
                ("clause", fields.CharField(max_length=120)),
                (
                    "against",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="against_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="sanctions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "party",
                    fields.CharEnumField(
                        description="ENTERPRISE: enterprise\nPROVIDER: provider",
                        enum_type=Party,
                        max_length=16,
                    ),
                ),
                (
                    "source",
                    fields.CharEnumField(
                        description="HAND: hand\nCOMPLAINT: complaint\nINSPECTION: inspection\nANOMALY: anomaly\nFINDING: finding\nAUDIT: audit",
                        enum_type=SanctionSource,
                        max_length=16,
                    ),
                ),
                ("source_id", fields.BigIntField(null=True, description="The row it was proposed from")),
                (
                    "facts",
                    fields.TextField(description="What was found, as the party reads it", unique=False),
                ),
                ("serious", fields.BooleanField(default=False)),
                (
                    "measures",
                    fields.JSONField(
                        description="What follows, by the sanction", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                (
                    "orders",
                    fields.JSONField(
                        null=True,
                        description="Which of the party's are hit, null: every one",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                (
                    "vouchers",
                    fields.JSONField(
                        null=True, description="The same of its vouchers", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                (
                    "reduced_fen",
                    fields.BigIntField(null=True, description="By how much a settlement is reduced"),
                ),
                ("person_name_sealed", fields.CharField(default="", max_length=400)),
                (
                    "person_index",
                    fields.CharField(
                        default="", description="Blind index of the identity number", max_length=64
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=SanctionStatus.PROPOSED,
                        description="PROPOSED: proposed\nDECIDED: decided\nDISMISSED: dismissed\nWITHDRAWN: withdrawn\nLIFTED: lifted\nREVERSED: reversed",
                        enum_type=SanctionStatus,
                        max_length=16,
                    ),
                ),
                ("proposed_by", fields.BigIntField(description="The member of staff")),
                ("proposed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("suspension_id", fields.BigIntField(null=True, description="What was held at once")),
                (
                    "hearing_called_at",
                    fields.DatetimeField(
                        null=True, description="The days run from it", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "hearing_until",
                    fields.DatetimeField(
                        null=True, description="Exclusive", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "hearing_skipped",
                    fields.TextField(default="", description="Why the party was not heard", unique=False),
                ),
                ("hearing_by", fields.BigIntField(null=True)),
                ("decided_by", fields.BigIntField(null=True)),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("reason", fields.TextField(default="", description="Why it was decided so", unique=False)),
                ("preview", fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
                ("starts_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "ends_at",
                    fields.DatetimeField(
                        null=True, description="Exclusive, null: for good", auto_now=False, auto_now_add=False
                    ),
                ),
                ("ban_id", fields.BigIntField(null=True, description="The entry on the blocklist")),
                (
                    "published",
                    fields.BooleanField(default=False, description="Shown to everybody while it is in force"),
                ),
                (
                    "appeal_until",
                    fields.DatetimeField(
                        null=True, description="Exclusive", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "ended_at",
                    fields.DatetimeField(
                        null=True, description="Lifted or reversed", auto_now=False, auto_now_add=False
                    ),
                ),
                ("ended_by", fields.BigIntField(null=True)),
                ("end_reason", fields.TextField(default="", unique=False)),
                (
                    "version",
                    fields.IntField(default=1, description="Rises with every change: two who press at once"),
                ),
            ],
            options={
                "table": "sanction_case",
                "app": "models",
                "indexes": [
                    Index(fields=["programme_slug", "status", "id"]),
                    Index(fields=["against_id", "id"]),
                    Index(fields=["source", "source_id"]),
                ],
                "pk_attr": "id",
                "table_description": "处理案件: somebody is to be sanctioned on a ground of the text, and what became of it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PersonBan",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "case",
                    fields.ForeignKeyField(
                        "models.SanctionCase",
                        source_field="case_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="person_bans",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "person_index",
                    fields.CharField(
                        db_index=True, description="Blind index of the identity number", max_length=64
                    ),
                ),
                ("programme_slug", fields.CharField(max_length=64)),
                ("clause", fields.CharField(max_length=120)),
                ("starts_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "ends_at",
                    fields.DatetimeField(
                        null=True, description="Exclusive, null: for good", auto_now=False, auto_now_add=False
                    ),
                ),
                ("lifted_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "person_ban",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A person responsible for a breach who may not claim again (NX-28), known by a keyed hash alone.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Recovery",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("number", fields.CharField(unique=True, max_length=24)),
                (
                    "case",
                    fields.OneToOneField(
                        "models.SanctionCase",
                        source_field="case_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="recovery",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "debtor",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="debtor_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="recoveries",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("programme_slug", fields.CharField(max_length=64)),
                ("principal_fen", CheckedBigInt(check="principal_fen > 0")),
                (
                    "yearly_bp",
                    CheckedBigInt(description="Surcharge, basis points a year", check="yearly_bp >= 0"),
                ),
                (
                    "rate_rests_on",
                    fields.CharField(
                        description="The clause, or that it is the house's default", max_length=200
                    ),
                ),
                (
                    "may_offset",
                    fields.BooleanField(default=False, description="Later payments may be kept back for it"),
                ),
                (
                    "collected_fen",
                    CheckedBigInt(
                        default=0,
                        description="Of the principal",
                        check="collected_fen >= 0 AND collected_fen <= principal_fen",
                    ),
                ),
                (
                    "surcharge_due_fen",
                    fields.BigIntField(
                        default=0,
                        description="Borne by what came back, and not yet paid. Below 0: paid ahead of principal owed anew",
                    ),
                ),
                (
                    "surcharge_fen",
                    CheckedBigInt(default=0, description="Collected", check="surcharge_fen >= 0"),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=RecoveryStatus.CLAIMED,
                        description="CLAIMED: claimed\nDEMANDED: demanded\nCOLLECTED: collected\nWRITTEN_OFF: written_off\nCANCELLED: cancelled",
                        enum_type=RecoveryStatus,
                        max_length=16,
                    ),
                ),
                ("claimed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("demanded_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("due_on", fields.DateField(null=True)),
                (
                    "due_provisional",
                    fields.BooleanField(default=False, description="A year's working days were guessed"),
                ),
                (
                    "letter",
                    fields.JSONField(
                        default=dict,
                        description="The demand as it was printed",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                (
                    "instalments",
                    fields.JSONField(
                        default=list, description="due_on and amount_fen", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                ("reminded_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("write_off_reason", fields.TextField(default="", unique=False)),
                ("write_off_asked_by", fields.BigIntField(null=True)),
                ("ended_by", fields.BigIntField(null=True)),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("version", fields.IntField(default=1)),
            ],
            options={
                "table": "recovery",
                "app": "models",
                "indexes": [
                    Index(fields=["programme_slug", "status", "id"]),
                    Index(fields=["debtor_id", "status"]),
                ],
                "pk_attr": "id",
                "table_description": "追缴: public money that was paid out and is claimed back, with its surcharge.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PaymentOffset",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "payment",
                    fields.ForeignKeyField(
                        "models.Payment",
                        source_field="payment_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="offsets",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "recovery",
                    fields.ForeignKeyField(
                        "models.Recovery",
                        source_field="recovery_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="offsets",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("amount_fen", CheckedBigInt(check="amount_fen > 0")),
                (
                    "clause",
                    fields.CharField(
                        description="Of the decision that claims the money back", max_length=120
                    ),
                ),
                (
                    "arithmetic",
                    fields.TextField(description="What was owed, what is kept, what is paid", unique=False),
                ),
                (
                    "parts",
                    fields.JSONField(
                        default=list,
                        description="Line of the claim, its principal, what that has borne, in fen",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("receipt_id", fields.BigIntField(null=True, description="The claim's receipt of it")),
            ],
            options={
                "table": "payment_offset",
                "app": "models",
                "unique_together": (("payment_id", "recovery_id"),),
                "indexes": [Index(fields=["recovery_id", "id"])],
                "pk_attr": "id",
                "table_description": "抵扣: what of one payment is kept back for one claim. It counts while its payment waits or is paid.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RecoveryLine",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "recovery",
                    fields.ForeignKeyField(
                        "models.Recovery",
                        source_field="recovery_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="lines",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("budget_id", fields.BigIntField()),
                ("round_id", fields.BigIntField(null=True)),
                ("enterprise_id", fields.BigIntField(null=True)),
                ("provider_id", fields.BigIntField(null=True)),
                ("voucher_id", fields.BigIntField(null=True)),
                ("order_id", fields.BigIntField()),
                ("category", fields.CharField(null=True, max_length=64)),
                ("amount_fen", CheckedBigInt(check="amount_fen > 0")),
                (
                    "collected_fen",
                    CheckedBigInt(default=0, check="collected_fen >= 0 AND collected_fen <= amount_fen"),
                ),
                ("paid_out_on", fields.DateField()),
                (
                    "home_at",
                    fields.DatetimeField(
                        null=True,
                        description="When the bank sent that payment back: it is owed no more",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
            ],
            options={
                "table": "recovery_line",
                "app": "models",
                "indexes": [Index(fields=["recovery_id", "id"]), Index(fields=["order_id"])],
                "pk_attr": "id",
                "table_description": "One payment out that is claimed back: an order's money off one voucher.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RecoveryReceipt",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "recovery",
                    fields.ForeignKeyField(
                        "models.Recovery",
                        source_field="recovery_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="receipts",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "kind",
                    fields.CharEnumField(
                        description="BANK: bank\nOFFSET: offset\nRETURNED: returned",
                        enum_type=ReceiptKind,
                        max_length=16,
                    ),
                ),
                (
                    "reference",
                    fields.CharField(
                        description="The bank's number, or the payment kept back", max_length=64
                    ),
                ),
                ("received_on", fields.DateField()),
                ("amount_fen", CheckedBigInt(check="amount_fen > 0")),
                ("principal_fen", CheckedBigInt(check="principal_fen >= 0")),
                ("surcharge_fen", CheckedBigInt(check="surcharge_fen >= 0")),
                ("arithmetic", fields.TextField(unique=False)),
                ("recorded_by", fields.BigIntField(description="The member of staff")),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "recovery_receipt",
                "app": "models",
                "unique_together": (("kind", "reference"),),
                "pk_attr": "id",
                "table_description": "Money that came back, and what it paid off. Never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RecoveryReturn",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "recovery",
                    fields.ForeignKeyField(
                        "models.Recovery",
                        source_field="recovery_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="returns",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("amount_fen", CheckedBigInt(check="amount_fen > 0")),
                ("surcharge_fen", CheckedBigInt(description="Of the amount", check="surcharge_fen >= 0")),
                (
                    "parts",
                    fields.JSONField(
                        description="Of the principal, by line: its id and fen",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                (
                    "reference",
                    fields.CharField(description="The bank's number of the transfer", max_length=64),
                ),
                ("paid_on", fields.DateField()),
                ("asked_by", fields.BigIntField(description="The member of staff")),
                ("asked_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("agreed", fields.BooleanField(null=True)),
                ("decided_by", fields.BigIntField(null=True)),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "recovery_return",
                "app": "models",
                "indexes": [Index(fields=["recovery_id", "id"])],
                "pk_attr": "id",
                "table_description": "追缴款退还: what was collected on a decision that was reversed, on its way back to who had paid it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SanctionAppeal",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "case",
                    fields.ForeignKeyField(
                        "models.SanctionCase",
                        source_field="case_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="appeals",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("filed_by", fields.CharField(max_length=40)),
                ("words", fields.TextField(unique=False)),
                ("files", fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads)),
                ("filed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("upheld", fields.BooleanField(null=True)),
                ("decided_by", fields.BigIntField(null=True)),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("reason", fields.TextField(default="", unique=False)),
            ],
            options={
                "table": "sanction_appeal",
                "app": "models",
                "indexes": [Index(fields=["case_id", "id"])],
                "pk_attr": "id",
                "table_description": "申诉: the party says that a decision is wrong, and somebody who had no part in it looks.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SanctionEffect",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "case",
                    fields.ForeignKeyField(
                        "models.SanctionCase",
                        source_field="case_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="effects",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "effect",
                    fields.CharEnumField(
                        description="END_STANDING: end_standing\nBAN: ban\nBAN_PERSON: ban_person\nHOLD_PAYMENT: hold_payment\nREFUSE_SETTLEMENT: refuse_settlement\nREDUCE_SETTLEMENT: reduce_settlement\nEND_ORDER: end_order\nVOID_VOUCHER: void_voucher\nRECOVER: recover\nANNOUNCE: announce\nCREDIT_RECORD: credit_record\nREVOKE_TITLE: revoke_title\nREFER: refer\nLIABILITY: liability",
                        enum_type=Effect,
                        max_length=24,
                    ),
                ),
                ("subject", fields.CharField(description="As the journal names it", max_length=48)),
                ("amount_fen", fields.BigIntField(null=True)),
                ("note", fields.TextField(default="", description="What came of it, in words", unique=False)),
                ("planned_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("done_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("undone_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "sanction_effect",
                "app": "models",
                "unique_together": (("case_id", "effect", "subject"),),
                "pk_attr": "id",
                "table_description": "One thing a decision does to one thing: planned with the decision, done, perhaps undone.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SanctionEntry",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "case",
                    fields.ForeignKeyField(
                        "models.SanctionCase",
                        source_field="case_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="entries",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("kind", fields.CharField(description="proposal, statement, note", max_length=16)),
                ("author", fields.CharField(description="As the journal names who wrote it", max_length=40)),
                ("words", fields.TextField(unique=False)),
                (
                    "files",
                    fields.JSONField(
                        default=list,
                        description="Stored files, attached to the case",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "sanction_entry",
                "app": "models",
                "indexes": [Index(fields=["case_id", "id"])],
                "pk_attr": "id",
                "table_description": "One thing said in a case: the proposal, the party's statement, a note. Never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SanctionProposal",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "complaint",
                    fields.OneToOneField(
                        "models.Complaint",
                        source_field="complaint_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="proposal",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("programme_slug", fields.CharField(max_length=64)),
                ("programme_version", fields.CharField(max_length=32)),
                (
                    "against",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="against_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="proposals_against",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "party",
                    fields.CharEnumField(
                        description="ENTERPRISE: enterprise\nPROVIDER: provider",
                        enum_type=Party,
                        max_length=16,
                    ),
                ),
                (
                    "sanction",
                    fields.CharField(
                        default="", description="The programme's, empty: the text names none", max_length=64
                    ),
                ),
                ("ground", fields.CharField(default="", max_length=64)),
                ("clause", fields.CharField(default="", max_length=120)),
                ("measures", fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads)),
                (
                    "decided_by_role",
                    fields.CharEnumField(description="Who decides", enum_type=Actor, max_length=16),
                ),
                (
                    "reason",
                    fields.TextField(
                        description="The finding's reasons, without the complainant", unique=False
                    ),
                ),
                ("proposed_by", fields.BigIntField(description="The member of staff")),
                ("proposed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("case_id", fields.BigIntField(null=True, description="The sanction case made of it")),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("dismissed_by", fields.BigIntField(null=True)),
                (
                    "dismiss_reason",
                    fields.TextField(default="", description="Why no case was made of it", unique=False),
                ),
            ],
            options={
                "table": "sanction_proposal",
                "app": "models",
                "indexes": [
                    Index(fields=["programme_slug", "decided_at", "id"]),
                    Index(fields=["against_id", "id"]),
                ],
                "pk_attr": "id",
                "table_description": "处理建议: a verified serious complaint asks whoever decides to deal with a side (LS-82, GX-79).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SanctionReferral",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "case",
                    fields.ForeignKeyField(
                        "models.SanctionCase",
                        source_field="case_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="referrals",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("referred_to", fields.CharField(max_length=200)),
                ("referred_on", fields.DateField()),
                ("file_number", fields.CharField(description="Of the letter it went with", max_length=100)),
                (
                    "documents",
                    fields.JSONField(
                        description="What was handed over, by name", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                ("files", fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads)),
                ("recorded_by", fields.BigIntField(description="The member of staff")),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "sanction_referral",
                "app": "models",
                "indexes": [Index(fields=["case_id", "id"])],
                "pk_attr": "id",
                "table_description": "移送: a case was handed to another department, for good (YC-39, YC-40, LS-43).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SelectionRound",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("programme_slug", fields.CharField(max_length=64)),
                ("year", fields.IntField(description="The catalogue's programme year")),
                ("number", fields.IntField(description="1 is the year's first")),
                ("title", fields.CharField(max_length=200)),
                ("opens_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("closes_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("opened_by", fields.BigIntField(description="The member of staff")),
                ("closed_by", fields.BigIntField(null=True, description="Who closed it early")),
                ("reason", fields.TextField(default="", description="Why it was closed early", unique=False)),
            ],
            options={
                "table": "selection_round",
                "app": "models",
                "unique_together": (("programme_slug", "year", "number"),),
                "pk_attr": "id",
                "table_description": "A round in which offerings of a programme's catalogue year are handed in and selected (GX-24).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OfferingVersion",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "offering",
                    fields.ForeignKeyField(
                        "models.Offering",
                        source_field="offering_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="versions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("number", fields.IntField(description="1 is the first")),
                ("programme_version", fields.CharField(max_length=32)),
                (
                    "selection",
                    fields.ForeignKeyField(
                        "models.SelectionRound",
                        source_field="selection_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="versions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("category", fields.CharField(max_length=64)),
                (
                    "service",
                    fields.CharField(
                        description="The matter, in the words of the category's list if it can",
                        max_length=200,
                    ),
                ),
                (
                    "kinds",
                    fields.JSONField(
                        default=list,
                        description="Kinds of service that ask for documents",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("name", fields.CharField(max_length=200)),
                (
                    "areas",
                    fields.JSONField(
                        default=list,
                        description="Where it serves, as paths (empty: anywhere)",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("price_from_fen", CheckedBigInt(null=True, check="price_from_fen > 0")),
                ("price_to_fen", CheckedBigInt(null=True, check="price_to_fen >= price_from_fen")),
                (
                    "price_parts",
                    fields.JSONField(
                        default=list, description="content and price_fen", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                (
                    "comparisons",
                    fields.JSONField(
                        default=list,
                        description="Similar products: name, price_fen",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                (
                    "values",
                    fields.JSONField(
                        default=dict,
                        description="By the programme's field codes",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                (
                    "documents",
                    fields.JSONField(
                        default=dict, description="File ids by document", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                ("submitted_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("submitted_by", fields.BigIntField(description="The person")),
                (
                    "listed_at",
                    fields.DatetimeField(
                        null=True, description="When it passed", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "valid_until",
                    fields.DatetimeField(
                        null=True, description="End of its catalogue year", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "ended_at",
                    fields.DatetimeField(
                        null=True,
                        description="When it ceased to be listed",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
            ],
            options={
                "table": "offering_version",
                "app": "models",
                "unique_together": (("offering_id", "number"),),
                "indexes": [Index(fields=["valid_until"])],
                "pk_attr": "id",
                "table_description": "An offering as it was handed in once. What it says never changes, and an order keeps its version.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ServiceFileEntry",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "provider",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="provider_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="service_file",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("programme_slug", fields.CharField(max_length=64)),
                ("year", fields.IntField(description="The programme year it counts for")),
                (
                    "kind",
                    fields.CharEnumField(
                        description="ADMISSION: admission\nORDER: order\nRATING: rating\nINSPECTION: inspection\nRECTIFICATION: rectification\nCALL_BACK: call_back\nCOMPLAINT: complaint\nSANCTION: sanction\nSETTLEMENT: settlement\nANOMALY: anomaly\nCOMMITMENT: commitment\nAUDIT: audit",
                        enum_type=ServiceEntryKind,
                        max_length=16,
                    ),
                ),
                (
                    "source",
                    fields.CharField(description="What made it: order:12, inspection_visit:7", max_length=64),
                ),
                (
                    "tone",
                    fields.CharEnumField(
                        description="GOOD: good\nPLAIN: plain\nBAD: bad", enum_type=EntryTone, max_length=8
                    ),
                ),
                ("clause", fields.CharField(default="", max_length=120)),
                (
                    "data",
                    fields.JSONField(
                        default=dict,
                        description="What its sentence names, nobody's identity",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "service_file_entry",
                "app": "models",
                "unique_together": (("provider_id", "programme_slug", "kind", "source"),),
                "indexes": [
                    Index(fields=["provider_id", "id"]),
                    Index(fields=["programme_slug", "provider_id", "year", "tone"]),
                ],
                "pk_attr": "id",
                "table_description": "服务档案: one line of a provider's file. Never changed: what made it makes it once.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SettlementWindow",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("programme_slug", fields.CharField(max_length=64)),
                ("year", fields.IntField(description="The programme year it is counted in")),
                ("number", fields.IntField(description="Which of the year it is")),
                ("name", fields.CharField(max_length=120)),
                ("opens_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "closes_at",
                    fields.DatetimeField(description="Exclusive", auto_now=False, auto_now_add=False),
                ),
                ("announced_by", fields.BigIntField(description="The member of staff")),
                ("announced_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("told_opened_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "settlement_window",
                "app": "models",
                "unique_together": (("programme_slug", "year", "number"),),
                "pk_attr": "id",
                "table_description": "集中兑付: a span in which settlements are handed in, where the text has such spans (GX-60).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SettlementApplication",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "number",
                    fields.CharField(unique=True, description="What people read aloud", max_length=24),
                ),
                ("programme_slug", fields.CharField(max_length=64)),
                ("programme_version", fields.CharField(max_length=32)),
                (
                    "provider",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="provider_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="settlement_applications",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "window",
                    fields.ForeignKeyField(
                        "models.SettlementWindow",
                        source_field="window_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="applications",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=SettlementApplicationStatus.DRAFT,
                        description="DRAFT: draft\nSUBMITTED: submitted\nWITHDRAWN: withdrawn",
                        enum_type=SettlementApplicationStatus,
                        max_length=16,
                    ),
                ),
                ("actor", fields.CharField(description="As the journal names who opened it", max_length=64)),
                ("opened_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("submitted_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "version",
                    fields.IntField(default=1, description="Rises with every change: two who press at once"),
                ),
            ],
            options={
                "table": "settlement_application",
                "app": "models",
                "indexes": [
                    Index(fields=["provider_id", "id"]),
                    Index(fields=["programme_slug", "status", "id"]),
                ],
                "pk_attr": "id",
                "table_description": "兑付申请: what one provider hands in together: one or several orders, and the forms for all of them.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Settlement",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "number",
                    fields.CharField(unique=True, description="What people read aloud", max_length=24),
                ),
                (
                    "application",
                    fields.ForeignKeyField(
                        "models.SettlementApplication",
                        source_field="application_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="settlements",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "order",
                    fields.ForeignKeyField(
                        "models.Order",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="settlements",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("provider_id", fields.BigIntField()),
                ("enterprise_id", fields.BigIntField()),
                (
                    "budget_id",
                    fields.BigIntField(null=True, description="Whose money it is, once it is known"),
                ),
                ("programme_slug", fields.CharField(max_length=64)),
                ("category", fields.CharField(max_length=64)),
                (
                    "status",
                    fields.CharEnumField(
                        default=SettlementStatus.DRAFT,
                        description="DRAFT: draft\nIN_REVIEW: in_review\nRETURNED: returned\nPAYABLE: payable\nAWAITING_BUDGET: awaiting_budget\nIN_PAYMENT: in_payment\nPAID: paid\nCLOSED: closed\nREFUSED: refused\nWITHDRAWN: withdrawn",
                        enum_type=SettlementStatus,
                        max_length=16,
                    ),
                ),
                ("asked_fen", CheckedBigInt(default=0, check="asked_fen >= 0")),
                ("ledger_fen", CheckedBigInt(default=0, check="ledger_fen >= 0")),
                (
                    "amount_fen",
                    CheckedBigInt(
                        default=0,
                        description="Nobody is paid more than the ledger has of the order",
                        check="amount_fen >= 0 AND amount_fen + reduced_fen <= ledger_fen",
                    ),
                ),
                ("reduced_fen", CheckedBigInt(default=0, check="reduced_fen >= 0")),
                ("reduction_reason", fields.TextField(default="", unique=False)),
                (
                    "escrow_fen",
                    CheckedBigInt(default=0, description="Released to the provider", check="escrow_fen >= 0"),
                ),
                (
                    "escrow_back_fen",
                    CheckedBigInt(
                        default=0, description="Given back to the enterprise", check="escrow_back_fen >= 0"
                    ),
                ),
                (
                    "fee_fen",
                    CheckedBigInt(
                        default=0, description="The operator's supervision fee", check="fee_fen >= 0"
                    ),
                ),
                ("clause", fields.CharField(default="", max_length=200)),
                (
                    "arithmetic",
                    fields.TextField(
                        default="", description="How the amount was worked out, limit by limit", unique=False
                    ),
                ),
                ("result_on", fields.DateField(null=True, description="The day its result was obtained")),
                (
                    "flagged",
                    fields.BooleanField(
                        default=False, description="A paper stood in for another: into the sample"
                    ),
                ),
                ("year", fields.IntField(description="The programme year it was handed in for")),
                (
                    "carried_from_year",
                    fields.IntField(null=True, description="Unpaid then, first now (GX-61)"),
                ),
                (
                    "line_at",
                    fields.DatetimeField(
                        null=True,
                        description="When its file was first complete",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                ("payable_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("paid_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "reason",
                    fields.TextField(
                        default="", description="Why it was returned, refused or withdrawn", unique=False
                    ),
                ),
                ("case_id", fields.BigIntField(null=True, description="Its review, once it was handed in")),
                ("version", fields.IntField(default=1)),
            ],
            options={
                "table": "settlement",
                "app": "models",
                "indexes": [
                    Index(fields=["application_id", "id"]),
                    Index(fields=["provider_id", "id"]),
                    Index(fields=["programme_slug", "status", "line_at", "id"]),
                    Index(fields=["budget_id", "status"]),
                    Index(fields=["case_id"]),
                ],
                "pk_attr": "id",
                "table_description": "兑付: one order's redemption, from the application to the money in the provider's account.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RefundTask",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "settlement",
                    fields.OneToOneField(
                        "models.Settlement",
                        source_field="settlement_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="refund_task",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("order_id", fields.BigIntField(db_index=True)),
                ("provider_id", fields.BigIntField()),
                ("enterprise_id", fields.BigIntField()),
                ("programme_slug", fields.CharField(max_length=64)),
                ("amount_fen", CheckedBigInt(check="amount_fen > 0")),
                ("clause", fields.CharField(default="", max_length=200)),
                ("arithmetic", fields.TextField(default="", unique=False)),
                ("opened_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "done_at",
                    fields.DatetimeField(
                        null=True,
                        description="When a bank's receipt showed it",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
            ],
            options={
                "table": "refund_task",
                "app": "models",
                "indexes": [Index(fields=["provider_id", "id"])],
                "pk_attr": "id",
                "table_description": "退还任务: a provider whose enterprise had paid in full gives the voucher's amount back (GZ-48).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SettlementPaper",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "application",
                    fields.ForeignKeyField(
                        "models.SettlementApplication",
                        source_field="application_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="papers",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "settlement",
                    fields.ForeignKeyField(
                        "models.Settlement",
                        source_field="settlement_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="papers",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("code", fields.CharField(description="Of the programme's document", max_length=64)),
                (
                    "files",
                    fields.JSONField(
                        description="The stored files, in their order", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                (
                    "number",
                    fields.CharField(default="", description="Of an invoice or a receipt", max_length=64),
                ),
                ("amount_fen", fields.BigIntField(null=True)),
                ("dated", fields.DateField(null=True)),
                ("payer", fields.CharField(default="", max_length=200)),
                ("payee", fields.CharField(default="", max_length=200)),
                ("handed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "withdrawn_at",
                    fields.DatetimeField(
                        null=True, description="Another took its place", auto_now=False, auto_now_add=False
                    ),
                ),
            ],
            options={
                "table": "settlement_paper",
                "app": "models",
                "indexes": [Index(fields=["application_id", "id"]), Index(fields=["settlement_id", "id"])],
                "pk_attr": "id",
                "table_description": "One document handed in with an application, for one of its orders or for all.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SharedRecord",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "source",
                    fields.CharEnumField(
                        description="BUSINESS_REGISTER: business_register\nDISHONESTY_LIST: dishonesty_list\nBANK: bank",
                        enum_type=SharedSource,
                        max_length=24,
                    ),
                ),
                ("uscc", fields.CharField(max_length=18)),
                (
                    "verdict",
                    fields.CharEnumField(
                        description="LAWFUL: lawful\nDOUBTFUL: doubtful\nUNLAWFUL: unlawful\nUNANSWERED: unanswered",
                        enum_type=CheckVerdict,
                        max_length=16,
                    ),
                ),
                ("says", fields.TextField(unique=False)),
                ("since", fields.DateField()),
                ("until", fields.DateField(null=True, description="Inclusive, null: still")),
            ],
            options={
                "table": "shared_record",
                "app": "models",
                "indexes": [Index(fields=["uscc", "source"])],
                "pk_attr": "id",
                "table_description": "What a bank or regulator shares of an organisation: the table the stand-in answers from (GX-69).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SignInFailures",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "origin_hash",
                    fields.CharField(
                        unique=True, description="SHA-256 of address and username, hex", max_length=64
                    ),
                ),
                ("failures", fields.IntField()),
                ("last_failed_at", fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "sign_in_failures",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Wrong passwords from one address for one username, known or not.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Signature",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "order",
                    fields.ForeignKeyField(
                        "models.Order",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="signatures",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "document",
                    fields.CharEnumField(
                        description="CONTRACT: contract\nSERVICE_CONFIRMATION: service_confirmation",
                        enum_type=Printed,
                        max_length=32,
                    ),
                ),
                ("version", fields.IntField()),
                (
                    "party",
                    fields.CharEnumField(
                        description="ENTERPRISE: enterprise\nPROVIDER: provider",
                        enum_type=Party,
                        max_length=16,
                    ),
                ),
                (
                    "organisation",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="organisation_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="signatures",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("organisation_name", fields.CharField(description="As it was called then", max_length=200)),
                ("person_id", fields.BigIntField()),
                (
                    "signer",
                    fields.CharField(
                        description="Place in the organisation and account, masked", max_length=64
                    ),
                ),
                (
                    "method",
                    fields.CharEnumField(
                        default=SignMethod.PLATFORM,
                        description="PLATFORM: platform",
                        enum_type=SignMethod,
                        max_length=16,
                    ),
                ),
                (
                    "text",
                    fields.JSONField(
                        description="What was signed, and is printed", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                ("text_sha256", fields.CharField(max_length=64)),
                ("proof", fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
                ("signed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "signature",
                "app": "models",
                "unique_together": (("order_id", "document", "version", "party"),),
                "pk_attr": "id",
                "table_description": "One party's signature under one version of a document. ``text_sha256`` is of what it signed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Staff",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("username", fields.CharField(unique=True, description="Lower case", max_length=32)),
                (
                    "password_hash",
                    fields.CharField(description="argon2id, with its parameters and salt", max_length=160),
                ),
                (
                    "password_expires_at",
                    fields.DatetimeField(
                        null=True,
                        description="Set while the password is an administrator's one-time one: its end",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "totp_sealed",
                    fields.CharField(default="", description="The authenticator's secret", max_length=400),
                ),
                (
                    "totp_confirmed_at",
                    fields.DatetimeField(
                        null=True,
                        description="Since then the second factor is asked for",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "totp_last_step",
                    fields.BigIntField(default=0, description="The half minute whose digits were used last"),
                ),
                ("display_name", fields.CharField(max_length=64)),
                ("roles", fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads)),
                (
                    "programmes",
                    fields.JSONField(
                        default=list,
                        description="Slugs, empty: every programme",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                (
                    "areas",
                    fields.JSONField(
                        default=list,
                        description="Only organisations in or below these, empty: everywhere",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                (
                    "affiliations",
                    fields.JSONField(
                        default=list,
                        description="Codes (USCC) of organisations they may not decide on",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("disabled", fields.BooleanField(default=False)),
                (
                    "session_version",
                    fields.IntField(default=1, description="Raised to end every session at once"),
                ),
            ],
            options={
                "table": "staff",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Somebody of the official side, who signs in with a password and a second factor.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SessionFamily",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "person",
                    fields.ForeignKeyField(
                        "models.Person",
                        source_field="person_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="sessions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "staff",
                    fields.ForeignKeyField(
                        "models.Staff",
                        source_field="staff_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="sessions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("last_used_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "expires_at",
                    fields.DatetimeField(
                        description="The end, however often it is refreshed",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "limited",
                    fields.BooleanField(
                        default=False, description="Holds no role yet: the account is being set up"
                    ),
                ),
                ("revoked_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("revoked_reason", fields.CharField(default="", max_length=32)),
            ],
            options={
                "table": "session_family",
                "app": "models",
                "indexes": [
                    Index(fields=["person_id", "revoked_at"]),
                    Index(fields=["staff_id", "revoked_at"]),
                ],
                "pk_attr": "id",
                "table_description": "One sign-in on one device: every token descended from it, valid and revoked together.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RefreshToken",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "family",
                    fields.ForeignKeyField(
                        "models.SessionFamily",
                        source_field="family_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="refresh_tokens",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("token_hash", fields.CharField(unique=True, description="SHA-256, hex", max_length=64)),
                ("issued_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "used_at",
                    fields.DatetimeField(
                        null=True, description="When it was exchanged", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "successor_salt",
                    fields.CharField(
                        default="", description="With the token, yields its successor, hex", max_length=64
                    ),
                ),
            ],
            options={
                "table": "refresh_token",
                "app": "models",
                "pk_attr": "id",
                "table_description": "One link in a family's chain. The token itself is never stored, only its hash.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="StandIn",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("principal_id", fields.BigIntField()),
                ("deputy_id", fields.BigIntField()),
                (
                    "role",
                    fields.CharEnumField(
                        description="ENTERPRISE: enterprise\nPROVIDER: provider\nBOTH: both\nOPERATOR: operator\nAUTHORITY: authority\nDIVISION: division\nDISTRICT: district\nTREASURY: treasury\nINSPECTOR: inspector\nEXPERT: expert\nOVERSIGHT_BODY: oversight_body\nSYSTEM: system\nANYONE: anyone",
                        enum_type=Actor,
                        max_length=16,
                    ),
                ),
                ("starts_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "ends_at",
                    fields.DatetimeField(description="Exclusive", auto_now=False, auto_now_add=False),
                ),
                (
                    "active",
                    fields.BooleanField(default=False, description="Switched by the clock, day by day"),
                ),
                ("reason", fields.CharField(default="", max_length=200)),
                ("made_by", fields.CharField(max_length=40)),
                ("made_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "ended_at",
                    fields.DatetimeField(
                        null=True, description="Called off before its end", auto_now=False, auto_now_add=False
                    ),
                ),
            ],
            options={
                "table": "stand_in",
                "app": "models",
                "indexes": [Index(fields=["deputy_id", "active"]), Index(fields=["principal_id", "ends_at"])],
                "pk_attr": "id",
                "table_description": "代班: for some days, ``deputy_id`` reviews what ``principal_id`` would have, in one role both have.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="StoredFile",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "organisation",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="organisation_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="files",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("uploaded_by", fields.CharField(description="person:12, staff:3", max_length=40)),
                ("programme_slug", fields.CharField(max_length=64)),
                (
                    "kind",
                    fields.CharEnumField(
                        description="LICENCE: licence\nIDENTITY: identity\nQUALIFICATION: qualification\nFINANCIAL: financial\nTAX: tax\nSOCIAL_INSURANCE: social_insurance\nSTAFF: staff\nPREMISES: premises\nUNDERTAKING: undertaking\nAPPLICATION_FORM: application_form\nCONTRACT: contract\nINVOICE: invoice\nTRANSFER_RECEIPT: transfer_receipt\nPAYMENT_RECEIPT: payment_receipt\nDELIVERABLE: deliverable\nSERVICE_RECORD: service_record\nMILESTONE: milestone\nGOVERNMENT_DOCUMENT: government_document\nSTATEMENT: statement\nSERVICE_CONFIRMATION: service_confirmation\nSETTLEMENT_FORM: settlement_form\nSUMMARY_INVOICE: summary_invoice\nBANK_ACCOUNT: bank_account\nPRICE_BASIS: price_basis\nPAST_SERVICE: past_service\nCANCELLATION_REQUEST: cancellation_request\nOTHER: other",
                        enum_type=DocumentKind,
                        max_length=32,
                    ),
                ),
                ("name", fields.CharField(description="As its owner calls it", max_length=200)),
                (
                    "original",
                    fields.ForeignKeyField(
                        "models.EvidenceObject",
                        source_field="original_id",
                        db_constraint=True,
                        to_field="sha256",
                        related_name="originals",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "shown",
                    fields.ForeignKeyField(
                        "models.EvidenceObject",
                        source_field="shown_id",
                        db_constraint=True,
                        to_field="sha256",
                        related_name="shown",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("size_bytes", CheckedBigInt(check="size_bytes > 0")),
                ("media_type", fields.CharField(description="By its content", max_length=32)),
                ("shown_media_type", fields.CharField(max_length=32)),
                ("extension", fields.CharField(max_length=8)),
                ("pages", fields.IntField()),
                (
                    "hints",
                    fields.JSONField(
                        default=list,
                        description="Codes of photo-quality warnings",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                (
                    "merged_from",
                    fields.JSONField(
                        default=list,
                        description="Files it was merged from, in order",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "stored_file",
                "app": "models",
                "indexes": [Index(fields=["organisation_id", "id"])],
                "pk_attr": "id",
                "table_description": "One file that was checked and taken. Its bytes never change, and the row is never changed either.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ChatMedia",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "sender",
                    fields.ForeignKeyField(
                        "models.ChatSender",
                        source_field="sender_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="media",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "conversation",
                    fields.ForeignKeyField(
                        "models.Conversation",
                        source_field="conversation_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="media",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "kind",
                    fields.CharEnumField(
                        description="TEXT: text\nIMAGE: image\nVOICE: voice\nVIDEO: video\nFILE: file\nLOCATION: location\nLINK: link\nSTICKER: sticker\nMENU_TAP: menu_tap\nSUBSCRIBE: subscribe\nUNSUBSCRIBE: unsubscribe\nENTER_SESSION: enter_session\nTEMPLATE_RESULT: template_result\nSUBSCRIBE_RESULT: subscribe_result\nMEDIA_CHECK: media_check\nOTHER: other",
                        enum_type=MessageKind,
                        max_length=24,
                    ),
                ),
                (
                    "media_id_sealed",
                    fields.TextField(description="WeChat's name for it, good for three days", unique=False),
                ),
                (
                    "status",
                    fields.CharField(
                        default="waiting", description="waiting, kept, expired or refused", max_length=16
                    ),
                ),
                (
                    "reason",
                    fields.CharField(default="", description="Why it was not kept, a code", max_length=64),
                ),
                (
                    "file",
                    fields.ForeignKeyField(
                        "models.StoredFile",
                        source_field="file_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="chat_media",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("complaint_id", fields.BigIntField(null=True, description="The case it is to be added to")),
                (
                    "added_at",
                    fields.DatetimeField(
                        null=True,
                        description="When it was added to the case",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                ("attempts", fields.IntField(default=0)),
                (
                    "next_at",
                    fields.DatetimeField(
                        description="When it is tried next", auto_now=False, auto_now_add=False
                    ),
                ),
                ("received_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("settled_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "chat_media",
                "app": "models",
                "indexes": [
                    Index(fields=["conversation_id", "id"]),
                    Index(fields=["status", "next_at"]),
                    Index(fields=["complaint_id", "added_at"]),
                ],
                "pk_attr": "id",
                "table_description": "A picture, voice, video or file that somebody sent, fetched from WeChat before it expires there.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ComplaintFile",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "entry",
                    fields.ForeignKeyField(
                        "models.ComplaintEntry",
                        source_field="entry_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="files",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "file",
                    fields.ForeignKeyField(
                        "models.StoredFile",
                        source_field="file_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="complaints",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "complaint_file",
                "app": "models",
                "unique_together": (("entry_id", "file_id"),),
                "pk_attr": "id",
                "table_description": "A file handed in with an entry. No other door shows it to staff.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ContentCheck",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "sender",
                    fields.ForeignKeyField(
                        "models.ChatSender",
                        source_field="sender_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="checks",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("complaint_id", fields.BigIntField(null=True, db_index=True)),
                (
                    "file",
                    fields.ForeignKeyField(
                        "models.StoredFile",
                        source_field="file_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="content_checks",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "text_sealed",
                    fields.TextField(default="", description="The text, empty: it is a file", unique=False),
                ),
                (
                    "fetch_index",
                    fields.CharField(
                        default="",
                        db_index=True,
                        description="Blind index of the address WeChat fetches it from",
                        max_length=64,
                    ),
                ),
                (
                    "trace_index",
                    fields.CharField(
                        default="",
                        db_index=True,
                        description="Blind index of WeChat's number of the check",
                        max_length=64,
                    ),
                ),
                (
                    "status",
                    fields.CharField(
                        default="waiting",
                        description="waiting, asked, passed, risky, review or unchecked",
                        max_length=16,
                    ),
                ),
                ("label", fields.IntField(default=0, description="WeChat's word for what is wrong with it")),
                ("attempts", fields.IntField(default=0)),
                (
                    "next_at",
                    fields.DatetimeField(
                        description="When it is asked next, or given up", auto_now=False, auto_now_add=False
                    ),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("settled_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "content_check",
                "app": "models",
                "indexes": [Index(fields=["status", "next_at"]), Index(fields=["file_id", "status"])],
                "pk_attr": "id",
                "table_description": "What WeChat thinks of a text or a picture that is part of a case. It marks, and stops nothing.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="FileAttachment",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "file",
                    fields.ForeignKeyField(
                        "models.StoredFile",
                        source_field="file_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="attachments",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("subject", fields.CharField(description="registration:12", max_length=40)),
                ("document_code", fields.CharField(max_length=64)),
                ("programme_slug", fields.CharField(max_length=64)),
                ("attached_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "file_attachment",
                "app": "models",
                "unique_together": (("file_id", "subject", "document_code"),),
                "indexes": [Index(fields=["subject", "id"])],
                "pk_attr": "id",
                "table_description": "A file handed in with something: a registration, a case. What is attached is kept for good.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ObjectionFile",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "objection",
                    fields.ForeignKeyField(
                        "models.ReviewObjection",
                        source_field="objection_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="files",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "file",
                    fields.ForeignKeyField(
                        "models.StoredFile",
                        source_field="file_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="objections",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "objection_file",
                "app": "models",
                "unique_together": (("objection_id", "file_id"),),
                "pk_attr": "id",
                "table_description": "A file handed in with an objection. No other door shows it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PrintedDocument",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "order",
                    fields.ForeignKeyField(
                        "models.Order",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="printed",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "document",
                    fields.CharEnumField(
                        description="CONTRACT: contract\nSERVICE_CONFIRMATION: service_confirmation",
                        enum_type=Printed,
                        max_length=32,
                    ),
                ),
                ("version", fields.IntField()),
                ("content", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                (
                    "text_sha256",
                    fields.CharField(description="Of the text without its signatures", max_length=64),
                ),
                (
                    "file",
                    fields.ForeignKeyField(
                        "models.StoredFile",
                        source_field="file_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="printed",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("printed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "printed_document",
                "app": "models",
                "unique_together": (("order_id", "document", "version"),),
                "pk_attr": "id",
                "table_description": "One document as it was printed: from ``content`` come the same bytes again.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SettlementForm",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "application",
                    fields.ForeignKeyField(
                        "models.SettlementApplication",
                        source_field="application_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="forms",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("code", fields.CharField(description="Of the programme's document", max_length=64)),
                ("content", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                (
                    "text_sha256",
                    fields.CharField(
                        description="Of what it says: other orders make another form", max_length=64
                    ),
                ),
                (
                    "file",
                    fields.ForeignKeyField(
                        "models.StoredFile",
                        source_field="file_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="settlement_forms",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("printed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "settlement_form",
                "app": "models",
                "unique_together": (("application_id", "code", "text_sha256"),),
                "pk_attr": "id",
                "table_description": "A form the platform filled in for an application, as it was printed, never changed (GZ-40, GX-62).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Submission",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "registration",
                    fields.ForeignKeyField(
                        "models.Registration",
                        source_field="registration_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="submissions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("number", fields.IntField(description="1 is the first")),
                ("programme_version", fields.CharField(max_length=32)),
                ("submitted_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("submitted_by", fields.BigIntField(description="The person")),
                ("facts", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("values", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("sealed", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("documents", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("undertakings", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                (
                    "unmet",
                    fields.JSONField(
                        default=list, description="Conditions not met", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
            ],
            options={
                "table": "submission",
                "app": "models",
                "unique_together": (("registration_id", "number"),),
                "pk_attr": "id",
                "table_description": "What was handed in, never changed: the form, the organisation's facts and what the system found.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SummaryInvoice",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "batch",
                    fields.ForeignKeyField(
                        "models.PaymentBatch",
                        source_field="batch_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="summary_invoices",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "provider",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="provider_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="summary_invoices",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("code", fields.CharField(description="Of the programme's document", max_length=64)),
                ("number", fields.CharField(max_length=64)),
                ("amount_fen", CheckedBigInt(check="amount_fen > 0")),
                ("dated", fields.DateField()),
                ("files", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                (
                    "status",
                    fields.CharEnumField(
                        default=InvoiceStatus.HANDED,
                        description="HANDED: handed\nACCEPTED: accepted\nSENT_BACK: sent_back",
                        enum_type=InvoiceStatus,
                        max_length=16,
                    ),
                ),
                ("handed_by", fields.CharField(max_length=40)),
                ("handed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("decided_by", fields.BigIntField(null=True)),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("reason", fields.TextField(default="", unique=False)),
            ],
            options={
                "table": "summary_invoice",
                "app": "models",
                "indexes": [Index(fields=["batch_id", "provider_id"])],
                "pk_attr": "id",
                "table_description": "汇总发票: a provider's invoice to the authority for its vouchers in a batch (LS-57).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PaperMark",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "kind",
                    fields.CharEnumField(
                        description="INVOICE: invoice\nRECEIPT: receipt", enum_type=MarkKind, max_length=16
                    ),
                ),
                (
                    "mark",
                    fields.CharField(
                        description="The digits of an invoice, the bank's reference of a receipt",
                        max_length=64,
                    ),
                ),
                (
                    "order",
                    fields.ForeignKeyField(
                        "models.Order",
                        source_field="order_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="marks",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "step",
                    fields.CharEnumField(
                        null=True,
                        description="PLACE: place\nCONFIRM: confirm\nSIGN_CONTRACT: sign_contract\nUPLOAD_CONTRACT: upload_contract\nCONFIRM_CONTRACT: confirm_contract\nREQUEST_VOUCHER: request_voucher\nISSUE_VOUCHER: issue_voucher\nREGISTER_USE: register_use\nDEPOSIT: deposit\nESCROW: escrow\nMILESTONE_EVIDENCE: milestone_evidence\nDELIVER: deliver\nINVOICE: invoice\nTRANSFER_RECEIPT: transfer_receipt\nBALANCE: balance\nACCEPT: accept\nSERVICE_CONFIRMATION: service_confirmation\nPAY_VOUCHER: pay_voucher\nACCEPT_VOUCHER: accept_voucher\nRATE: rate\nSETTLE: settle\nAPPROVE_SETTLEMENT: approve_settlement",
                        enum_type=StepKind,
                        max_length=32,
                    ),
                ),
                (
                    "summary_invoice",
                    fields.OneToOneField(
                        "models.SummaryInvoice",
                        source_field="summary_invoice_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="mark",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("code", fields.CharField(max_length=64)),
                ("marked_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "paper_mark",
                "app": "models",
                "unique_together": (("kind", "mark"),),
                "indexes": [Index(fields=["order_id", "step"])],
                "pk_attr": "id",
                "table_description": "The number of an invoice or a bank receipt: it counts once, over all programmes and years.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Suspension",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "qualification",
                    fields.ForeignKeyField(
                        "models.Qualification",
                        source_field="qualification_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="suspensions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("programme_slug", fields.CharField(max_length=64)),
                ("ground", fields.CharField(description="The programme's ground", max_length=64)),
                ("clause", fields.CharField(max_length=120)),
                ("reason", fields.TextField(unique=False)),
                ("since", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "until",
                    fields.DatetimeField(
                        null=True,
                        description="Exclusive, null: until lifted",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                ("made_by", fields.BigIntField(description="The member of staff")),
                ("lifted_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("lifted_by", fields.BigIntField(null=True, description="null: its time was over")),
                ("lift_reason", fields.TextField(default="", unique=False)),
            ],
            options={
                "table": "suspension",
                "app": "models",
                "indexes": [
                    Index(fields=["qualification_id", "id"]),
                    Index(fields=["programme_slug", "until"]),
                ],
                "pk_attr": "id",
                "table_description": "A provider held at once, on a ground of the text. Lifted, never deleted, and one at a time.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="TieDeclaration",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "organisation",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="organisation_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="tie_declarations",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("number", fields.IntField(description="1 is the first")),
                ("representative_sealed", fields.CharField(description="Name", max_length=400)),
                (
                    "representative_id_sealed",
                    fields.CharField(default="", description="Identity number", max_length=400),
                ),
                ("phones_sealed", fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads)),
                (
                    "address_sealed",
                    fields.CharField(default="", description="Where it works", max_length=1200),
                ),
                (
                    "shareholders",
                    fields.JSONField(
                        default=list,
                        description="uscc and name of an organisation, name_sealed and id_sealed of a person, share_bp",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("declared_by", fields.BigIntField(description="The person")),
                ("declared_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "tie_declaration",
                "app": "models",
                "unique_together": (("organisation_id", "number"),),
                "pk_attr": "id",
                "table_description": "Representative, telephones, address and shareholders of an organisation, as it declared them once.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Upload",
            fields=[
                (
                    "id",
                    fields.CharField(
                        primary_key=True,
                        unique=True,
                        db_index=True,
                        description="128 random bits, hex",
                        max_length=32,
                    ),
                ),
                (
                    "organisation",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="organisation_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="uploads",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("uploaded_by", fields.CharField(max_length=40)),
                ("programme_slug", fields.CharField(max_length=64)),
                (
                    "kind",
                    fields.CharEnumField(
                        description="LICENCE: licence\nIDENTITY: identity\nQUALIFICATION: qualification\nFINANCIAL: financial\nTAX: tax\nSOCIAL_INSURANCE: social_insurance\nSTAFF: staff\nPREMISES: premises\nUNDERTAKING: undertaking\nAPPLICATION_FORM: application_form\nCONTRACT: contract\nINVOICE: invoice\nTRANSFER_RECEIPT: transfer_receipt\nPAYMENT_RECEIPT: payment_receipt\nDELIVERABLE: deliverable\nSERVICE_RECORD: service_record\nMILESTONE: milestone\nGOVERNMENT_DOCUMENT: government_document\nSTATEMENT: statement\nSERVICE_CONFIRMATION: service_confirmation\nSETTLEMENT_FORM: settlement_form\nSUMMARY_INVOICE: summary_invoice\nBANK_ACCOUNT: bank_account\nPRICE_BASIS: price_basis\nPAST_SERVICE: past_service\nCANCELLATION_REQUEST: cancellation_request\nOTHER: other",
                        enum_type=DocumentKind,
                        max_length=32,
                    ),
                ),
                ("name", fields.CharField(max_length=200)),
                (
                    "media_type",
                    fields.CharField(
                        default="", description="As the sender declares it, empty: not", max_length=64
                    ),
                ),
                ("size_bytes", CheckedBigInt(description="As announced", check="size_bytes > 0")),
                (
                    "sha256",
                    fields.CharField(default="", description="As announced, empty: not", max_length=64),
                ),
                ("received_bytes", CheckedBigInt(default=0, check="received_bytes >= 0")),
                (
                    "parts",
                    fields.JSONField(
                        default=list,
                        description="Names of the parts received, in order",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("touched_at", fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
                (
                    "file",
                    fields.ForeignKeyField(
                        "models.StoredFile",
                        source_field="file_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="uploads",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
            ],
            options={
                "table": "upload",
                "app": "models",
                "indexes": [Index(fields=["uploaded_by", "file_id"])],
                "pk_attr": "id",
                "table_description": "A file on its way. Its bytes lie in a directory of their own, which exists only beside this row.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Voucher",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "number",
                    fields.CharField(unique=True, description="What people read aloud", max_length=24),
                ),
                (
                    "round",
                    fields.ForeignKeyField(
                        "models.Round",
                        source_field="round_id",
                        null=True,
                        db_constraint=False,
                        to_field="id",
                        related_name="vouchers",
                        on_delete=OnDelete.NO_ACTION,
                    ),
                ),
                (
                    "budget",
                    fields.ForeignKeyField(
                        "models.Budget",
                        source_field="budget_id",
                        db_constraint=False,
                        to_field="id",
                        related_name="vouchers",
                        on_delete=OnDelete.NO_ACTION,
                    ),
                ),
                (
                    "enterprise",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="enterprise_id",
                        db_constraint=False,
                        to_field="id",
                        related_name="vouchers",
                        on_delete=OnDelete.NO_ACTION,
                    ),
                ),
                ("provider_id", fields.BigIntField(null=True, description="Its holder, where a provider is")),
                (
                    "kind",
                    fields.CharField(
                        default="", description="Where a programme has several", db_default="", max_length=32
                    ),
                ),
                (
                    "basis",
                    fields.CharEnumField(
                        default=Basis.MONEY,
                        description="MONEY: money\nQUOTA: quota\nON_FILE: on_file",
                        db_default="money",
                        enum_type=Basis,
                        max_length=16,
                    ),
                ),
                (
                    "serial",
                    fields.IntField(
                        default=1,
                        description="The n-th of this enterprise in its round or, without rounds, its year",
                    ),
                ),
                ("tier", fields.CharField(default="", max_length=64)),
                ("face_value_fen", CheckedBigInt(check="face_value_fen > 0")),
                (
                    "given_back_fen",
                    CheckedBigInt(
                        default=0,
                        description="Of it, what no longer counts against the year's quota, fen",
                        db_default=0,
                        check="given_back_fen >= 0 AND given_back_fen <= face_value_fen",
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=VoucherStatus.ACTIVE,
                        description="ACTIVE: active\nUSED_UP: used_up\nHANDED_BACK: handed_back\nRECLAIMED: reclaimed\nEXPIRED: expired\nVOIDED: voided",
                        enum_type=VoucherStatus,
                        max_length=32,
                    ),
                ),
                ("programme_slug", fields.CharField(max_length=64)),
                ("programme_version", fields.CharField(max_length=32)),
                ("granted_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "reserved_at",
                    fields.DatetimeField(
                        description="When Redis took the money, or when it was applied for",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                ("order_deadline", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("valid_until", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "reclaimed_at",
                    fields.DatetimeField(
                        null=True,
                        description="When what was free of it was taken back for a missed deadline",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                ("epoch", fields.BigIntField(default=0)),
                (
                    "place",
                    fields.CharField(
                        default="",
                        description="Place in the line of this epoch: the intent's id in Redis, or the rank",
                        max_length=32,
                    ),
                ),
            ],
            options={
                "table": "voucher",
                "app": "models",
                "unique_together": (("round_id", "enterprise_id", "serial"),),
                "indexes": [
                    Index(fields=["enterprise_id", "budget_id"]),
                    Index(fields=["budget_id", "status", "valid_until"]),
                ],
                "pk_attr": "id",
                "table_description": "服务券: a named, earmarked credential. Its balance is a sum over the ledger, never a column.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="VoucherHold",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "order",
                    fields.ForeignKeyField(
                        "models.Order",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="holds",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "voucher",
                    fields.ForeignKeyField(
                        "models.Voucher",
                        source_field="voucher_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="holds",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("held_fen", CheckedBigInt(check="held_fen >= 0")),
                ("spent_fen", CheckedBigInt(default=0, check="spent_fen >= 0")),
                ("held_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "voucher_hold",
                "app": "models",
                "unique_together": (("order_id", "voucher_id"),),
                "indexes": [Index(fields=["voucher_id", "id"])],
                "pk_attr": "id",
                "table_description": "What one order has of one voucher: held while it is under way, spent when it is consumed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="VoucherRequest",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "round",
                    fields.ForeignKeyField(
                        "models.Round",
                        source_field="round_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="requests",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "order",
                    fields.ForeignKeyField(
                        "models.Order",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="requests",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "enterprise",
                    fields.ForeignKeyField(
                        "models.Organisation",
                        source_field="enterprise_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="voucher_requests",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        description="PENDING: pending\nRETURNED: returned\nAPPROVED: approved\nISSUED: issued\nREFUSED: refused\nLEFT_OUT: left_out\nWITHDRAWN: withdrawn",
                        enum_type=RequestStatus,
                        max_length=16,
                    ),
                ),
                (
                    "requested_at",
                    fields.DatetimeField(
                        description="By the server's clock: its place in the line",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "labels",
                    fields.JSONField(
                        description="Confirmed labels when it was requested",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                (
                    "expected_fen",
                    CheckedBigInt(description="What the rules gave then, fen", check="expected_fen > 0"),
                ),
                (
                    "amount_fen",
                    fields.BigIntField(null=True, description="What the operator worked out, fen"),
                ),
                ("clause", fields.CharField(default="", max_length=200)),
                ("arithmetic", fields.TextField(default="", unique=False)),
                ("reason", fields.TextField(default="", unique=False)),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("voucher_id", fields.BigIntField(null=True)),
            ],
            options={
                "table": "voucher_request",
                "app": "models",
                "indexes": [Index(fields=["round_id", "status"]), Index(fields=["enterprise_id", "id"])],
                "pk_attr": "id",
                "table_description": "An enterprise's request for a voucher on a signed contract's order, with its place in the line.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="WaitingAward",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("application_id", fields.BigIntField(unique=True)),
                ("round_id", fields.BigIntField(db_index=True)),
                ("voucher_id", fields.BigIntField()),
                ("amount_fen", CheckedBigInt(check="amount_fen > 0")),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "waiting_award",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Money that came back and went down the waiting list of its round. Append-only.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="YearEnd",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("programme_slug", fields.CharField(max_length=64)),
                ("year", fields.IntField()),
                ("budget_id", fields.BigIntField()),
                ("ended_on", fields.DateField(description="The last day of the year")),
                (
                    "figures",
                    fields.JSONField(
                        description="Sums in fen, and counts", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                (
                    "carried",
                    fields.JSONField(
                        description="Approved and unpaid, in their order", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                (
                    "lapsed",
                    fields.JSONField(
                        description="What ends with the year", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                ("taken_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "year_end",
                "app": "models",
                "unique_together": (("programme_slug", "year"),),
                "pk_attr": "id",
                "table_description": "年终结转清单: what a programme year ended with, written once and never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="YearLapse",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "year_end",
                    fields.ForeignKeyField(
                        "models.YearEnd",
                        source_field="year_end_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="lapses",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("programme_slug", fields.CharField(max_length=64)),
                ("year", fields.IntField()),
                (
                    "lines",
                    fields.JSONField(
                        description="What lapses, with clause and reason", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                (
                    "sha256",
                    fields.CharField(
                        description="Of the list as it stood: carried and lapsing", max_length=64
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=LapseStatus.ASKED,
                        description="ASKED: asked\nAGREED: agreed\nDONE: done\nDISMISSED: dismissed\nSTALE: stale",
                        enum_type=LapseStatus,
                        max_length=16,
                    ),
                ),
                ("reason", fields.TextField(unique=False)),
                ("asked_by", fields.BigIntField()),
                ("asked_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("decided_by", fields.BigIntField(null=True)),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("done_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "year_lapse",
                "app": "models",
                "indexes": [Index(fields=["programme_slug", "year", "status"])],
                "pk_attr": "id",
                "table_description": "年度终止: what of a year's list ends, as both who decide it saw it, and how far that is.",
            },
            bases=["Model"],
        ),
    ]
