"""Reviews: chains of decisions, samples, public notices, settlement and payment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from server.programme.clause import Clause
from server.programme.papers import Document, Field
from server.programme.vocabulary import Actor


class ReviewSubject(StrEnum):
    """What is reviewed."""

    ENTERPRISE = "enterprise"
    PROVIDER = "provider"
    OFFERING = "offering"
    ENQUIRY = "enquiry"
    VOUCHER_REQUEST = "voucher_request"
    CANCELLATION = "cancellation"
    PAYMENT_RETURN = "payment_return"
    SETTLEMENT = "settlement"
    PROVIDER_GRADE = "provider_grade"
    REMOVAL = "removal"
    VOIDING = "voiding"
    COMPLAINT = "complaint"


class ReviewKind(StrEnum):
    """The steps a review chain can be made of."""

    AUTOMATIC = "automatic"
    """The software checks conditions and documents by itself."""
    PRE_REVIEW = "pre_review"
    REVIEW = "review"
    EXPERT_REVIEW = "expert_review"
    SPOT_CHECK = "spot_check"
    SITE_INSPECTION = "site_inspection"
    COMMITTEE = "committee"
    DETERMINATION = "determination"
    PUBLIC_NOTICE = "public_notice"
    RECONSIDERATION = "reconsideration"
    FILING = "filing"
    """A higher or other body is told and keeps it on file."""
    ANNOUNCEMENT = "announcement"
    MARK = "mark"
    """Marked as confirmed on the platform."""
    DISBURSEMENT = "disbursement"
    ARCHIVE = "archive"


class ReviewWhen(StrEnum):
    """When a review step applies."""

    ALWAYS = "always"
    EVIDENCE_INCOMPLETE = "evidence_incomplete"
    """Only where the file is no closed loop of proof."""
    SAMPLED = "sampled"
    """Only for the items drawn."""
    OBJECTION = "objection"
    """Only after an objection."""
    ON_REQUEST = "on_request"
    """Where the reviewer of the step before asks for it."""
    SERIOUS = "serious"
    """Only where the matter is true and its effect serious."""


class Sampled(StrEnum):
    """What the lines of a sample are."""

    REVIEW = "review"
    """Cases that have come to the spot check of their chain."""
    ORDER = "order"
    PROVIDER = "provider"
    ENTERPRISE = "enterprise"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewStep(Clause):
    """One decision of a chain."""

    kind: ReviewKind
    """What is done."""
    name: str
    """What it is called in the text."""
    by: Actor
    """Whose turn it is."""
    when: ReviewWhen = ReviewWhen.ALWAYS
    """When it applies."""
    working_days: int | None = None
    """How long it may take; absent: the text names no time."""
    share_bp: int | None = None
    """The least share of items drawn, for `spot_check`; rounded up, at least one."""
    decides: bool = True
    """False: an opinion or a record, no decision."""
    panel_min: int | None = None
    """How many experts give their opinion before the panel concludes, at least; for `expert_review`."""
    form: str = ""
    """The code of the form that is filled in."""
    looks_at: tuple[str, ...] = ()
    """What is examined, in the text's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewChain(Clause):
    """How one kind of thing is reviewed. Nobody decides twice in one chain."""

    subject: ReviewSubject
    """What is reviewed."""
    steps: tuple[ReviewStep, ...]
    """The decisions in their order."""
    batched: bool = False
    """What has passed the first step is collected and decided together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form(Clause):
    """A form a reviewer fills in; incomplete or unsigned it supports no pass (YC-42 to YC-45)."""

    code: str
    """Stable code."""
    name: str
    """What it is called."""
    other_names: tuple[str, ...] = ()
    """Other titles the text gives it."""
    fields: tuple[Field, ...]
    """Its fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling(Clause):
    """A check on a sample; drawn with a recorded seed, so that it can be drawn again."""

    code: str
    """Stable code."""
    of: str
    """What is sampled, in the text's words."""
    over: tuple[Sampled, ...]
    """What is drawn from; of several the one who draws chooses."""
    by: tuple[Actor, ...]
    """Who draws and looks."""
    share_bp: int | None = None
    """The least share; absent: the text names none."""
    times_per_year: int | None = None
    """How often a year at least; absent: from time to time."""
    to_service_file: bool = False
    """The result goes into the provider's service file and counts for admission and settlement."""
    methods: tuple[str, ...] = ()
    """How, in the text's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicNotice(Clause):
    """What is put up for objection, where and how long."""

    required_for: frozenset[ReviewSubject]
    """Chains that need it."""
    channels: tuple[str, ...]
    """Where it is shown; all of them."""
    on_platform: tuple[str, ...] = ()
    """Those of the channels that are this platform itself: publishing a notice shows it there. Of the others
    somebody says when and where it was shown, and the days count from the last of them."""
    working_days: int
    """How long it stands."""
    objections_by: Actor
    """Who may object."""
    objection_holds_item: bool = True
    """An open objection holds the payment of its item."""
    reply_working_days: int | None = None
    """How long an answer may take; absent: the text names no time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement(Clause):
    """How providers ask for the money."""

    claimed_by: Actor
    """Who asks."""
    any_time: bool = False
    """Accepted at any time; the papers pile up until the next payment."""
    windows_per_year_min: int | None = None
    """Settlement windows a year, at least; absent: none are set."""
    windows_per_year_max: int | None = None
    """… and at most."""
    result_same_year: bool = False
    """The result relied on was obtained in the year of the redemption."""
    documents: tuple[Document, ...]
    """What is handed in, order by order or for all of it."""
    adjustable: bool = False
    """Poor performance or an unhappy enterprise may reduce the amount, by the contract."""
    rating_required: bool = False
    """Only orders that the enterprise has rated."""
    recomputed: bool = True
    """Every amount is worked out again and must equal the ledger."""
    platform_generates: bool = False
    """The platform may put the papers together by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disbursement(Clause):
    """The bank transfer at the end."""

    paid_by: Actor
    """Who pays."""
    approved_by: Actor
    """Who alone may approve it."""
    collective: bool = False
    """Many settlements are paid together."""
    documents: tuple[Document, ...] = ()
    """What the provider hands in for it."""
    filed_with: str = ""
    """Who is told of the result."""
    archive_to: Actor | None = None
    """Who receives all papers and bank receipts afterwards."""
    result_published: str = ""
    """Where the result is published."""
    audit_duty: bool = True
    """Who got money accepts financial, audit and supervisory checks."""
