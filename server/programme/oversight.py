"""Oversight: ratings, complaints, sanctions, conflicts of interest, reports, records, reminders."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from server.programme.clause import Clause
from server.programme.vocabulary import Actor, Party


class Measure(StrEnum):
    """What a sanction does."""

    VOID_VOUCHERS = "void_vouchers"
    NO_SETTLEMENT = "no_settlement"
    REDUCE_SETTLEMENT = "reduce_settlement"
    HOLD_SETTLEMENT = "hold_settlement"
    STOP_TRANSACTION = "stop_transaction"
    RECLAIM_VOUCHERS = "reclaim_vouchers"
    CLAW_BACK = "claw_back"
    CANCEL_ELIGIBILITY = "cancel_eligibility"
    """The enterprise may no longer claim or use vouchers."""
    CANCEL_ADMISSION = "cancel_admission"
    """The provider may no longer take orders or vouchers."""
    REVOKE_TITLE = "revoke_title"
    BAR = "bar"
    """May not claim or be admitted again while the ban runs."""
    BAR_PERSON = "bar_person"
    """The responsible person is barred too."""
    BLOCKLIST = "blocklist"
    WIDER_BAN = "wider_ban"
    """Barred from other support of the authority as well."""
    ANNOUNCE = "announce"
    BAD_CREDIT_RECORD = "bad_credit_record"
    REFER = "refer"
    """The clues go to the competent departments."""
    LEGAL_LIABILITY = "legal_liability"


class ReportCadence(StrEnum):
    """How often a report is due."""

    LIVE = "live"
    MONTHLY = "monthly"
    PERIODIC = "periodic"
    YEARLY = "yearly"
    AFTER_ROUND = "after_round"
    AFTER_SETTLEMENT = "after_settlement"
    ON_FINDING = "on_finding"


class ReportSection(StrEnum):
    """What the platform counts for a report."""

    ISSUANCE = "issuance"
    """Vouchers issued, and what ended unused."""
    PROVIDERS = "providers"
    """How each provider performed."""
    EFFECT = "effect"
    """Enterprises served, services done, what the vouchers moved."""
    TRANSACTIONS = "transactions"
    """Orders, and what was redeemed on them."""
    PAYMENTS = "payments"
    """What enterprises paid themselves, and escrow."""
    SETTLEMENTS = "settlements"
    """What was handed in, settled, paid and paid back."""
    SATISFACTION = "satisfaction"
    COMPLAINTS = "complaints"
    OVERDUE = "overdue"
    """What is late, and with whom it lies."""
    BUDGET = "budget"
    """Where the year's money is."""
    CATEGORY_SHARES = "category_shares"
    """What each category took, against its ceiling and the floors."""
    DISTRICTS = "districts"
    """Use by the area of the enterprise."""
    SIZE_CLASSES = "size_classes"
    """Use by the size of the enterprise."""
    BREACHES = "breaches"
    """Breaches that were proposed for a sanction or decided on."""
    SAMPLING = "sampling"
    """What was drawn by lot, what came of it, and what is still to be looked at."""
    RESULTS = "results"
    """Who was paid what."""


class Reminded(StrEnum):
    """What a reminder is about."""

    ORDER_DEADLINE = "order_deadline"
    CONTRACT_DEADLINE = "contract_deadline"
    VOUCHER_EXPIRY = "voucher_expiry"
    QUALIFIED = "qualified"
    ADMITTED = "admitted"
    RESULT = "result"
    ROUND_OPENS = "round_opens"
    PRE_REVIEW_OPINION = "pre_review_opinion"
    BUDGET_PAUSE = "budget_pause"
    SETTLEMENT_RESULT = "settlement_result"
    QUALIFICATION_EXPIRY = "qualification_expiry"


class ConflictKind(StrEnum):
    """Who may not deal with whom, or how."""

    OPERATOR_AS_PROVIDER = "operator_as_provider"
    RELATED_PARTIES = "related_parties"
    """Investment or ownership ties between enterprise and provider."""
    SUBCONTRACTING = "subcontracting"
    STACKING = "stacking"
    """The same service has, or gets, other public money."""
    REFUSING_VOUCHERS = "refusing_vouchers"
    PRICE_ABOVE_MARKET = "price_above_market"
    OTHER_JURISDICTION = "other_jurisdiction"
    """Serving or claiming outside what the party's level allows."""
    OUTSIDE_RECOGNITION = "outside_recognition"
    """Serving outside the kinds of service a provider is recognised for."""
    OFFICIAL_DISCRETION = "official_discretion"
    """An official grants beyond conditions, scope or standard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating(Clause):
    """The enterprise's satisfaction."""

    scale: tuple[str, ...]
    """The choices, best first."""
    where: str
    """At which point it is asked, in the text's words."""
    required_for_settlement: bool = False
    """No settlement without it."""
    required_for_payment: bool = False
    """The voucher's payment is final only with it."""
    editable_natural_days: int = 0
    """Natural days in which the enterprise may change it; 0: given is given."""
    provider_grades: bool = False
    """Providers are graded by it and by the reviews; the grades are published."""
    grades: tuple[str, ...] = ()
    """The grades, best first; for `provider_grades`."""
    surveys: bool = False
    """Besides, a sample of enterprises is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung(Clause):
    """One rung of the complaint ladder."""

    handled_by: Actor
    """Who handles it."""
    name: str
    """What it is called."""
    when: str = ""
    """When a complaint comes here; empty: from the beginning."""
    methods: tuple[str, ...] = ()
    """How it is looked into."""
    answer_working_days: int | None = None
    """How long an answer may take; absent: the text names no time."""
    bypasses_operator: bool = False
    """The rungs below see neither content nor complainant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaints(Clause):
    """Who may complain, how, and who answers."""

    by: Actor
    """Who may complain."""
    channels: tuple[str, ...]
    """How."""
    rungs: tuple[Rung, ...]
    """From the first to the last instance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground(Clause):
    """One ground of a sanction."""

    code: str
    """Stable code; the decision carries it."""
    says: str
    """The ground in the text's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sanction(Clause):
    """A set of grounds and what follows from each of them."""

    code: str
    """Stable code."""
    name: str
    """What it is called."""
    against: tuple[Party, ...]
    """Whom it can hit."""
    grounds: tuple[Ground, ...]
    """Each is enough."""
    measures: frozenset[Measure]
    """What follows."""
    if_serious: frozenset[Measure] = frozenset()
    """What follows besides, if it is serious or a crime is suspected."""
    ban_years: int | None = None
    """How long a ban runs from the decision; absent: for good."""
    ban_scope: str = ""
    """What a wider ban covers."""
    proposed_by: Actor | None = None
    """Who reports it, for a decision in two steps."""
    decided_by: Actor
    """Who decides."""
    immediate_hold: bool = False
    """The proposer may suspend at once, until the decision."""
    announced_where: str = ""
    """Where it is announced."""
    referred_to: str = ""
    """Whom the clues or a suspected crime go to."""
    liftable: bool = False
    """The authority may lift it, with a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict(Clause):
    """Who may not deal with whom, or how."""

    kind: ConflictKind
    """What is forbidden."""
    says: str
    """The sentence somebody reads who tries."""
    sanction: str = ""
    """The code of the sanction it leads to."""
    per_product: bool = False
    """Looked at by enterprise and product, over all years."""
    labels: tuple[str, ...] = ()
    """The labels of those it holds for; empty: everybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Clause):
    """What somebody owes somebody else in reports."""

    code: str
    """Stable code."""
    by: Actor
    """Who reports."""
    to: tuple[Actor, ...]
    """To whom."""
    cadence: ReportCadence
    """How often."""
    content: tuple[str, ...]
    """What it says, in the text's words."""
    sections: tuple[ReportSection, ...] = ()
    """What the platform counts for it; absent: people write it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records(Clause):
    """What is kept, by whom, and what the platform must be able to do with it."""

    kept_by: tuple[Actor, ...]
    """Who keeps files."""
    content: tuple[str, ...]
    """What is kept."""
    exportable: bool = False
    """Complete and exportable for audits."""
    every_transaction: bool = False
    """A trace of every contract transaction."""
    platform_duties: tuple[str, ...] = ()
    """What the platform must be able to do, in the text's words."""
    audited_yearly: bool = False
    """The operator is audited every year; the result decides about its commission."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder(Clause):
    """What the system reminds people of."""

    about: Reminded
    """What about."""
    to: Actor
    """Whom."""
    days_before: int | None = None
    """Natural days before it; absent: at once."""
    by_provider: bool = False
    """The provider owes the reminder too."""
