"""The steps of an order: who does what, with which evidence, until when, and what it does to the money."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from server.programme.clause import Clause
from server.programme.papers import Document
from server.programme.vocabulary import Actor


class StepKind(StrEnum):
    """The steps an order can be made of."""

    PLACE = "place"
    CONFIRM = "confirm"
    """The provider takes the order on."""
    SIGN_CONTRACT = "sign_contract"
    UPLOAD_CONTRACT = "upload_contract"
    CONFIRM_CONTRACT = "confirm_contract"
    REQUEST_VOUCHER = "request_voucher"
    ISSUE_VOUCHER = "issue_voucher"
    REGISTER_USE = "register_use"
    """The use is registered against contract, enterprise and service item."""
    DEPOSIT = "deposit"
    ESCROW = "escrow"
    MILESTONE_EVIDENCE = "milestone_evidence"
    DELIVER = "deliver"
    INVOICE = "invoice"
    TRANSFER_RECEIPT = "transfer_receipt"
    BALANCE = "balance"
    ACCEPT = "accept"
    SERVICE_CONFIRMATION = "service_confirmation"
    PAY_VOUCHER = "pay_voucher"
    ACCEPT_VOUCHER = "accept_voucher"
    RATE = "rate"
    SETTLE = "settle"
    """The provider asks for the money."""
    APPROVE_SETTLEMENT = "approve_settlement"


class Effect(StrEnum):
    """What a step does to the voucher's money."""

    NONE = "none"
    RESERVE = "reserve"
    CONSUME = "consume"


class Lapse(StrEnum):
    """What a missed deadline brings."""

    REFUSE = "refuse"
    """The step can no longer be done."""
    CANCEL = "cancel"
    """The order lapses; its money returns to the holder."""
    DECLINE = "decline"
    """The provider kept silent: as if it had declined, and the enterprise loses no day by it."""
    RECLAIM = "reclaim"
    """The voucher is taken back; `burns_quota` says whether the quota is gone."""


class Event(StrEnum):
    """What a deadline can be counted from, besides a step."""

    ROUND_CLOSED = "round_closed"
    RESULTS_PUBLISHED = "results_published"
    VOUCHER_ISSUED = "voucher_issued"


class DeadlineRule(StrEnum):
    """A deadline that the calendar sets."""

    SAME_YEAR = "same_year"
    """In the programme year of the voucher (of the result, where the provider holds it)."""
    SERVICE_WINDOW = "service_window"
    """Within the service window."""
    VOUCHER_VALIDITY = "voucher_validity"
    """While the voucher is valid."""


class ContractForm(StrEnum):
    """How a contract is made."""

    ELECTRONIC = "electronic"
    """Signed on the platform by both sides."""
    UPLOADED = "uploaded"
    """Signed elsewhere, uploaded as a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """Until when. Either a number of days counted from something, or a rule of the calendar."""

    natural_days: int | None = None
    """Natural days; the last one counts to its end."""
    working_days: int | None = None
    """Working days."""
    from_event: Event | None = None
    """What the days are counted from …"""
    from_step: StepKind | None = None
    """… or which earlier step."""
    rule: DeadlineRule | None = None
    """A rule of the calendar instead of days."""

    @property
    def by_voucher(self) -> bool:
        """Whether what it counts from or runs to is known by the vouchers."""
        return self.from_event is not None or self.rule in (
            DeadlineRule.SAME_YEAR,
            DeadlineRule.VOUCHER_VALIDITY,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStep(Clause):
    """One step. Steps are done in the order they are written in."""

    kind: StepKind
    """What is done."""
    name: str
    """What it is called."""
    actor: Actor
    """Who does it; with `both`, each side does it for itself."""
    optional: bool = False
    """May be left out."""
    documents: tuple[Document, ...] = ()
    """What is handed in with it."""
    deadline: Deadline | None = None
    """Until when; absent: no deadline of its own."""
    effect: Effect = Effect.NONE
    """What it does to the voucher's money."""
    on_lapse: Lapse = Lapse.REFUSE
    """What a missed deadline brings."""
    returned_to: StepKind | None = None
    """Where the order goes back to when the actor finds the papers wanting."""
    checks: tuple[str, ...] = ()
    """What must hold, in the text's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractRules(Clause):
    """What a contract must be like."""

    form: ContractForm
    """How it is made."""
    signed_this_year: bool = False
    """Signed in the current calendar year."""
    may_precede_order: bool = False
    """May be older than the order."""
    in_service_window: bool = False
    """Start and acceptance lie in the service window."""
    names_match: bool = False
    """The parties' names equal the registered ones, at the contract's date."""
    matches_offering: bool = False
    """Service name and content match the ordered offering."""
    consistent_with_past: bool = False
    """Form and price basis agree with the provider's past contracts or its template."""
    names_price_parts: bool = False
    """Shows price, subsidy and net price."""
    legality_checked: bool = False
    """Read and checked for legality with shared data."""
    every_transaction_traced: bool = False
    """Every transaction on it leaves a trace kept as evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation(Clause):
    """A contract that cannot be performed."""

    requested_by: Actor
    """Who must ask; with `both`, one side alone does not cancel."""
    approved_by: Actor | None = None
    """Who approves; absent: nobody needs to."""
    written: bool = False
    """In writing, each side for itself."""
    keeps_expiry: bool = True
    """The amount comes back with its original expiry; otherwise the days it was held are added to it, within
    the year. What has run out meanwhile goes to the pool in either case."""
    burns_quota: bool = False
    """The amount counts as used: no voucher has it back."""
    documents: tuple[Document, ...] = ()
    """What is handed in with the request; `by` says who, each for itself with `both`."""
    losses_between_parties: bool = False
    """Costs and losses are settled between the two sides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentReturn(Clause):
    """A voucher paid by mistake goes back to the enterprise (GZ-101)."""

    requested_by: Actor
    """Who asks."""
    approved_by: Actor
    """Who decides."""
    before_expiry: bool
    """Impossible once the voucher has expired."""
