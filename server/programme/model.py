"""A programme: one regulation as frozen data.

The parts stand in small modules beside this one; here they are put together. A TOML file has the same
shape: a table for each part, ``[[…]]`` in the singular where there are several, the officials' units
(``_yuan``, ``_percent``) where Python says ``_fen`` and ``_bp``. ``config/programmes/README.md`` lists
every key.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from server.clock import CHINA
from server.programme.catalogue import Category, CategoryFloor, EnquiryRules, OfferingRules
from server.programme.issuance import Issuance, QuotaEvent, VoucherKind, VoucherRules
from server.programme.money import DeductionRule, FairPrice, OwnShare, ProviderCeiling, SupervisionFee
from server.programme.monitoring import Monitoring
from server.programme.oversight import Complaints, Conflict, Rating, Records, Reminder, Report, Sanction
from server.programme.papers import FileRules
from server.programme.people import Condition, Label, PartyRules
from server.programme.policy import (
    AnnualNotice,
    Budget,
    Demo,
    Identity,
    Jurisdiction,
    ProgrammeStatus,
    Role,
    Validity,
    YearRule,
)
from server.programme.review import (
    Disbursement,
    Form,
    PublicNotice,
    ReviewChain,
    ReviewSubject,
    Sampling,
    Settlement,
)
from server.programme.steps import Cancellation, ContractRules, OrderStep, PaymentReturn
from server.programme.vocabulary import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """One version of one regulation."""

    identity: Identity
    """What it is called and what it rests on."""
    validity: Validity
    """When it holds."""
    demo: Demo
    """For demonstrations only."""
    jurisdiction: Jurisdiction
    """Where it holds."""
    roles: tuple[Role, ...]
    """Who has which duty."""
    budget: Budget
    """The year's money."""
    annual_notice: AnnualNotice | None = None
    """What a yearly notice may set anew; absent: nothing."""
    labels: tuple[Label, ...] = ()
    """Titles and statuses that tiers, priorities and conditions speak of."""
    enterprise: PartyRules
    """What an enterprise must be, say and hand in."""
    provider: PartyRules
    """What a provider must be, say and hand in."""
    categories: tuple[Category, ...]
    """What may be bought."""
    category_floors: tuple[CategoryFloor, ...] = ()
    """Shares that several categories must reach together."""
    offering: OfferingRules
    """What it takes to publish an offering."""
    enquiry: EnquiryRules | None = None
    """Publishing what one needs; absent: not provided for."""
    voucher_kinds: tuple[VoucherKind, ...] = ()
    """Kinds of voucher; empty: one kind only."""
    voucher: VoucherRules
    """What a voucher is."""
    issuance: Issuance
    """How vouchers come to their holders."""
    deduction: tuple[DeductionRule, ...]
    """What a voucher pays; a rule for named categories comes before the one for all others."""
    provider_ceilings: tuple[ProviderCeiling, ...] = ()
    """How much one provider may receive in a year."""
    fair_price: FairPrice | None = None
    """When a price asks for its reason; absent: prices are not compared."""
    own_share: OwnShare
    """What the enterprise pays itself, and to whom."""
    supervision_fee: SupervisionFee | None = None
    """What the operator may take; absent: nothing."""
    order_steps: tuple[OrderStep, ...]
    """The steps of an order."""
    contract: ContractRules
    """What a contract must be like."""
    cancellation: Cancellation
    """A contract that cannot be performed."""
    payment_return: PaymentReturn | None = None
    """A paid voucher going back; absent: not provided for."""
    reviews: tuple[ReviewChain, ...]
    """How each kind of thing is reviewed."""
    forms: tuple[Form, ...] = ()
    """Forms that reviewers fill in."""
    samplings: tuple[Sampling, ...] = ()
    """Checks on samples."""
    public_notice: PublicNotice
    """What is put up for objection."""
    settlement: Settlement
    """How providers ask for the money."""
    disbursement: Disbursement
    """The bank transfer at the end."""
    rating: Rating
    """The enterprise's satisfaction."""
    complaints: Complaints | None = None
    """Who may complain, how, and who answers; absent: the house's defaults, which are nobody's clause."""
    sanctions: tuple[Sanction, ...]
    """What follows from breaches."""
    conflicts: tuple[Conflict, ...] = ()
    """Who may not deal with whom, or how."""
    files: FileRules
    """What an uploaded file must be like."""
    reports: tuple[Report, ...] = ()
    """Who owes whom which report."""
    records: Records
    """What is kept."""
    reminders: tuple[Reminder, ...] = ()
    """What the system reminds people of."""
    monitoring: Monitoring | None = None
    """How it is watched, where the text says more than the house's own defaults."""

    @property
    def slug(self) -> str:
        return self.identity.slug

    @property
    def version(self) -> str:
        return self.identity.version

    @property
    def name(self) -> str:
        return self.identity.name

    @property
    def status(self) -> ProgrammeStatus:
        """What the text itself says; for a day, ask :meth:`in_force`."""
        return self.validity.status

    @property
    def valid_from(self) -> date:
        return self.validity.valid_from

    @property
    def valid_until(self) -> date | None:
        return self.validity.valid_until

    @property
    def demo_today(self) -> date:
        return self.demo.today

    @property
    def areas(self) -> tuple[str, ...]:
        """Where an enterprise must be registered, as paths; whatever lies below one is in it."""
        return self.jurisdiction.areas

    @property
    def excluded_areas(self) -> tuple[str, ...]:
        """What is not meant, although it lies in one of the areas."""
        return self.jurisdiction.excluded_areas

    @property
    def authority_name(self) -> str:
        return self.role(Actor.AUTHORITY).name

    @property
    def enterprise_conditions(self) -> tuple[Condition, ...]:
        return self.enterprise.conditions

    @property
    def provider_conditions(self) -> tuple[Condition, ...]:
        return self.provider.conditions

    @property
    def burns_quota(self) -> frozenset[QuotaEvent]:
        return self.issuance.burns_quota

    def role(self, actor: Actor) -> Role:
        """Who has this role; the loader has made sure that operator and authority exist."""
        return next(role for role in self.roles if role.actor is actor)

    def label(self, code: str) -> Label:
        """The label with this code; the loader has made sure that every named code exists."""
        return next(label for label in self.labels if label.code == code)

    def category(self, code: str) -> Category | None:
        """The category with this code, or ``None``."""
        return next((category for category in self.categories if category.code == code), None)

    def voucher_kind_name(self, code: str) -> str:
        """What a kind of voucher is called; a code of another version of the text is all there is of it."""
        return next((one.name for one in self.voucher_kinds if one.code == code), code)

    def tier_name(self, code: str) -> str:
        """What a tier is called, likewise."""
        return next((one.name for one in self.issuance.tiers if one.code == code), code)

    def review(self, subject: ReviewSubject) -> ReviewChain | None:
        """The chain that reviews this kind of thing, or ``None`` where the text has none."""
        return next((chain for chain in self.reviews if chain.subject is subject), None)

    def deduction_for(self, category: str) -> DeductionRule:
        """The rule that pays for a category: the one that names it, else the one for all others."""
        named = (rule for rule in self.deduction if category in rule.categories)
        others = (rule for rule in self.deduction if not rule.categories)
        return next(named, None) or next(others)

    def in_force(self, on: date) -> bool:
        """Whether it may be used on a day: issued, and within its validity (both days included)."""
        return self.status is ProgrammeStatus.IN_FORCE and self.covers(on)

    def covers(self, on: date) -> bool:
        """Whether a day lies within the validity, whatever the status."""
        return self.valid_from <= on and (self.valid_until is None or on <= self.valid_until)

    def year_of(self, on: date | datetime) -> int:
        """The programme year a day (or an instant, seen in China) belongs to."""
        day = on.astimezone(CHINA).date() if isinstance(on, datetime) else on
        if self.validity.year is YearRule.WHOLE:
            return self.valid_from.year
        if self.validity.year is YearRule.PROGRAMME:
            month, day_of_month = (int(part) for part in self.validity.year_starts.split("-"))
            return day.year if (day.month, day.day) >= (month, day_of_month) else day.year - 1
        return day.year
