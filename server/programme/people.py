"""The people of a programme: the enterprise that is served and the provider that serves it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from server.programme.clause import Clause
from server.programme.papers import Document, Field, Undertaking
from server.programme.vocabulary import Actor, LegalForm, Party, SizeClass


class ConditionKind(StrEnum):
    """How a condition is decided; each kind names the keys it needs."""

    REGISTERED_IN = "registered_in"
    """Registered in one of the areas and in none of the excluded ones (the programme's, or `areas`)."""
    LEGAL_PERSON = "legal_person"
    """Is an independent legal person."""
    LEGAL_FORM_IN = "legal_form_in"
    """Its legal form is one of `legal_forms`."""
    INDUSTRY_IN = "industry_in"
    """Its GB/T 4754 code lies in one of `industries`, or it holds one of `labels`."""
    SIZE_CLASS_IN = "size_class_in"
    """Size class is one of `sizes`."""
    MONTHS_ESTABLISHED_AT_LEAST = "months_established_at_least"
    """Whole months since establishment are at least `months`, measured at `measured_at`."""
    MONTHS_ESTABLISHED_AT_MOST = "months_established_at_most"
    """Established no more than `months` ago, measured at `measured_at`."""
    LABEL_REQUIRED = "label_required"
    """Holds at least one of `labels`, within its validity."""
    LABEL_EXCLUDED = "label_excluded"
    """Holds none of `labels`."""
    DECLARED = "declared"
    """The yes/no fact `fact` is `expected`."""
    AT_LEAST = "at_least"
    """The figure `fact` is at least `minimum` (or `minimum_yuan`)."""
    NOT_BLOCKLISTED = "not_blocklisted"
    """On no blocklist entry that covers the day."""
    NO_PAST_VIOLATION = "no_past_violation"
    """No recorded violation of vouchers in any year."""
    NOT_OPERATOR = "not_operator"
    """Is not the programme operator itself."""


class MeasuredAt(StrEnum):
    """The day a condition looks at."""

    TODAY = "today"
    """The day the question is asked."""
    APPLICATION = "application"
    """The day the party applied to join."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label(Clause):
    """A title or status a party holds, as an official list says."""

    code: str
    """Stable code."""
    name: str
    """What it is called in the text."""
    of: Party
    """Who can hold it."""
    attested_by: Actor
    """Who says that it is held."""
    evidence: str
    """What it is proven by: the official list or the paper."""
    level: str = ""
    """The administrative level it is given at, where the text tells levels apart."""
    extended_for: int | None = None
    """Recognitions of this year are held valid longer …"""
    extended_until: date | None = None
    """… until this day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition(Clause):
    """One condition. The pure rules return every condition not met, with its clause and sentence."""

    code: str
    """Stable code; the refusal carries it."""
    kind: ConditionKind
    """How it is decided."""
    says: str
    """The sentence somebody reads who does not meet it."""
    areas: tuple[str, ...] = ()
    """For `registered_in`, as paths; empty: the programme's own."""
    excluded_areas: tuple[str, ...] = ()
    """For `registered_in`."""
    legal_forms: frozenset[LegalForm] = frozenset()
    """For `legal_form_in`."""
    industries: tuple[str, ...] = ()
    """For `industry_in`: sections (letters) or the beginnings of GB/T 4754 codes."""
    sizes: frozenset[SizeClass] = frozenset()
    """For `size_class_in`."""
    months: int | None = None
    """For `months_established_…`."""
    measured_at: MeasuredAt = MeasuredAt.TODAY
    """For `months_established_…`: the day that counts."""
    labels: tuple[str, ...] = ()
    """For `label_required` (one is enough), `label_excluded` and `industry_in`."""
    fact: str = ""
    """For `declared` and `at_least`: the code of a field of the party."""
    expected: bool = True
    """For `declared`: the answer that admits."""
    minimum: int | None = None
    """For `at_least`, for counts."""
    minimum_fen: int | None = None
    """For `at_least`, for money."""
    parent_counts: bool = False
    """The parent company's figure counts for a newly registered local subsidiary."""
    parent_counts_below_months: int | None = None
    """… only while the subsidiary is younger than this; absent: always."""
    if_labels: tuple[str, ...] = ()
    """The condition is asked only of holders of one of these labels; empty: of everybody."""
    replaced_for: frozenset[LegalForm] = frozenset()
    """Not asked of these legal forms: other papers stand in for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal(Clause):
    """How long an approval holds."""

    months: int | None = None
    """Months after the approval; absent: it holds on."""
    end_of_year: bool = False
    """It ends with the programme year."""
    finish_signed: bool = True
    """What is signed may be finished and settled after the approval has ended."""
    approved_by_default: bool = False
    """Approved in past years, no major change, good use: holds without new papers."""
    assessed_yearly: bool = False
    """The yearly assessment feeds the next approval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeOffice(Clause):
    """Which operator's office takes the changes of parties of some levels (GZ-84)."""

    level: str
    """The office's level, as the office is entered."""
    takes: tuple[str, ...]
    """The levels of the labels of those who turn to it; of several, the first office that takes one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeReport(Clause):
    """What a party owes when it changes."""

    natural_days: int | None = None
    """Natural days to report a major change; absent: no deadline."""
    documents: tuple[str, ...] = ()
    """The papers that go with it, in the text's words."""
    late_may_suspend: bool = False
    """The operator may suspend at once who reports late."""
    late_may_void: bool = False
    """Vouchers claimed by who reports late may be voided."""
    changed_at: str = ""
    """Where data are changed, if not on the platform."""
    by_level: bool = False
    """The change goes to the operator of the party's own level."""
    offices: tuple[ChangeOffice, ...] = ()
    """Which office that is, for `by_level`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(Clause):
    """How a party signs in (YC-05, GX-48, GZ-03)."""

    real_name: bool = False
    """Verified real name."""
    handlers: int | None = None
    """How many people may act for it; absent: no limit."""
    fixed_account: bool = False
    """Always the same legal-person account."""
    identity_level: str = ""
    """The least trust level of that account."""
    dedicated_contact: bool = False
    """Names a responsible, trained contact."""
    listed_before_registering: bool = False
    """The full name is looked up in the official list before registration goes on."""
    both_sides_confirmed: bool = False
    """The identity of both sides is confirmed before they contract."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyRules(Clause):
    """Everything a party must be, say and hand in."""

    definition: str
    """Who is meant, in the text's words."""
    account: Account
    """How it signs in."""
    conditions: tuple[Condition, ...]
    """All are asked; everything unmet is named."""
    fields: tuple[Field, ...] = ()
    """What is filled in at registration."""
    documents: tuple[Document, ...] = ()
    """What is handed in at registration."""
    undertakings: tuple[Undertaking, ...] = ()
    """What is promised at registration."""
    renewal: Renewal
    """How long an approval holds."""
    change_report: ChangeReport
    """What it owes when it changes."""
    preferred: tuple[str, ...] = ()
    """Whom the text encourages to join; a preference, not a condition."""
    self_test: bool = False
    """Offers a size self-test."""
    duties: tuple[str, ...] = ()
    """Its standing duties in the text's words."""
