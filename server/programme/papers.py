"""Papers: the fields of a form, the documents somebody hands in, and what a file must be like."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from server.programme.clause import Clause
from server.programme.vocabulary import Actor, LegalForm


class FieldKind(StrEnum):
    """What a field of a form holds."""

    TEXT = "text"
    YES_NO = "yes_no"
    COUNT = "count"
    MONEY = "money"
    DATE = "date"
    CHOICE = "choice"
    PHONE = "phone"
    ID_NUMBER = "id_number"
    SIGNATURE = "signature"
    SEAL = "seal"


class DocumentKind(StrEnum):
    """What a document is evidence of."""

    LICENCE = "licence"
    IDENTITY = "identity"
    QUALIFICATION = "qualification"
    FINANCIAL = "financial"
    TAX = "tax"
    SOCIAL_INSURANCE = "social_insurance"
    STAFF = "staff"
    PREMISES = "premises"
    UNDERTAKING = "undertaking"
    APPLICATION_FORM = "application_form"
    CONTRACT = "contract"
    INVOICE = "invoice"
    TRANSFER_RECEIPT = "transfer_receipt"
    PAYMENT_RECEIPT = "payment_receipt"
    DELIVERABLE = "deliverable"
    SERVICE_RECORD = "service_record"
    MILESTONE = "milestone"
    """Proof at a key point: picture, video, third-party proof."""
    GOVERNMENT_DOCUMENT = "government_document"
    STATEMENT = "statement"
    """An explanation in the party's own words."""
    SERVICE_CONFIRMATION = "service_confirmation"
    SETTLEMENT_FORM = "settlement_form"
    SUMMARY_INVOICE = "summary_invoice"
    BANK_ACCOUNT = "bank_account"
    PRICE_BASIS = "price_basis"
    PAST_SERVICE = "past_service"
    CANCELLATION_REQUEST = "cancellation_request"
    OTHER = "other"


class DocumentForm(StrEnum):
    """In which form a document is handed in."""

    UPLOAD = "upload"
    """Any file the file rules allow."""
    SCAN = "scan"
    ORIGINAL = "original"
    ELECTRONIC = "electronic"
    """Made and signed on the platform itself."""
    SYSTEM_FORM = "system_form"
    """Filled in here, exported, printed, stamped and uploaded again."""


class AmountRule(StrEnum):
    """What the amount on a document must equal or reach."""

    FULL_PRICE = "full_price"
    """Own share plus voucher."""
    OWN_SHARE = "own_share"
    """Price less voucher, exactly."""
    VOUCHER_SUM = "voucher_sum"
    """The sum of the vouchers in the settlement."""
    OWN_SHARE_AT_LEAST = "own_share_at_least"
    """At least `minimum_percent` of the invoice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field(Clause):
    """One field of a form. Conditions speak of fields by their `code`."""

    code: str
    """Stable code."""
    name: str
    """What it is called in the form."""
    kind: FieldKind
    """What it holds."""
    required: bool = True
    """Must be filled in."""
    choices: tuple[str, ...] = ()
    """The choices, for `kind = "choice"`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(Clause):
    """A document somebody hands in."""

    code: str
    """Stable code; unique in its list."""
    name: str
    """What it is called in the text."""
    kind: DocumentKind
    """What it is evidence of."""
    required: bool = True
    """Must be there; of a group, one is enough."""
    groups: tuple[str, ...] = ()
    """Documents of one group stand in for each other: one of them is enough for the group."""
    flags_sample: bool = False
    """Where it stands in for another, the item is marked for the spot check."""
    by: Actor | None = None
    """Who hands it in; absent: whoever does the step."""
    form: DocumentForm = DocumentForm.UPLOAD
    """In which form."""
    minimum: int = 1
    """How many at least."""
    maximum: int | None = None
    """How many at most; absent: no limit."""
    minimum_ranged: int | None = None
    """How many at least where the offering has several parts or a price range."""
    for_services: str = ""
    """The kind of service it is asked for, in the text's words; empty: all."""
    legal_forms: frozenset[LegalForm] = frozenset()
    """Asked of these legal forms only; empty: all."""
    amount: AmountRule | None = None
    """What the amount on it must be."""
    minimum_bp: int | None = None
    """The least part of the invoice, for `amount = "own_share_at_least"`."""
    sealed: bool = False
    """Bears a clear seal."""
    hand_signed: bool = False
    """Signed by hand; a signature stamp does not do."""
    dated_this_year: bool = False
    """Bears a date of the current year."""
    in_service_window: bool = False
    """Its date lies in the service window."""
    names_match: bool = False
    """The names on it equal the contract's parties and seals."""
    template: bool = False
    """A template can be downloaded."""
    carried_over: bool = False
    """Taken over from an earlier step; not handed in again."""
    fields: tuple[Field, ...] = ()
    """The fields it must show."""
    checks: tuple[str, ...] = ()
    """What a reviewer looks at, in the text's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undertaking(Clause):
    """A promise a party gives when it joins; the register keeps the text it agreed to."""

    code: str
    """Stable code."""
    name: str
    """What it is called."""
    promises: tuple[str, ...]
    """What is promised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRules(Clause):
    """What an uploaded file must be like (GZ-75 to GZ-79)."""

    max_bytes: int
    """Largest size of one kind of material, in bytes, inclusive."""
    extensions: frozenset[str]
    """Accepted formats."""
    single_pdf: bool = False
    """Several pages are merged, in order, into one PDF."""
    colour: bool = False
    """In colour, clear, complete, all four edges visible."""
    scan_preferred: bool = False
    """A scan is preferred to a photograph."""
    content_must_match: bool = False
    """What is filled in agrees with what the papers say."""
    unrelated_content_removed: bool = False
    """Nothing unrelated to the programme may be published."""
