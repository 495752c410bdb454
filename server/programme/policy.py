"""The policy as a whole: what it is called, when and where it holds, who answers for it, its money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from server.programme.clause import Clause
from server.programme.vocabulary import Actor


class ProgrammeStatus(StrEnum):
    """What the text itself says about its force; the dates say the rest."""

    DRAFT = "draft"
    """Published for comment; may be tried out, never used for real money."""
    IN_FORCE = "in_force"
    """Issued; in force on the days of its validity."""
    EXPIRED = "expired"
    """Over; kept so that its vouchers, orders and settlements stay readable."""


class YearRule(StrEnum):
    """Which year a quota, a cap or a deadline means."""

    CALENDAR = "calendar"
    """1 January to 31 December."""
    PROGRAMME = "programme"
    """Twelve months from `year_starts`, named after the calendar year they begin in."""
    WHOLE = "whole"
    """The whole validity is one year, named after `year`."""


class BudgetKind(StrEnum):
    """What the year's total is."""

    CEILING = "ceiling"
    """Never more than the year's budget row says."""
    FLOOR = "floor"
    """The text names a least amount; the budget row says the ceiling."""


class Shortage(StrEnum):
    """What happens when the money runs short."""

    STOP = "stop"
    """Issuing stops; who comes late gets nothing."""
    PAUSE_CONTRACTS = "pause_contracts"
    """Signing of contracts pauses, both sides are told, until money is found."""


class NoticeOverride(StrEnum):
    """What a yearly notice may set anew."""

    DIRECTION = "direction"
    CONDITIONS = "conditions"
    QUOTA = "quota"
    RATE = "rate"
    CAPS = "caps"
    SCOPE = "scope"
    PROCESS = "process"
    BUDGET = "budget"
    WINDOWS = "windows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity(Clause):
    """What the programme is called and what it rests on (YC-02, GX-01, NX-01, LS-01, GZ-01)."""

    slug: str
    """Stable short name; the same over all versions."""
    version: str
    """Tells the versions of one slug apart; vouchers, orders and settlements remember theirs."""
    name: str
    """The full title."""
    document_number: str = ""
    """The number of the document, if it has one."""
    issued_on: date | None = None
    """The day the document is dated."""
    basis: tuple[str, ...]
    """The documents it rests on."""
    purpose: str
    """What it is for, in one sentence."""
    voucher_name: str
    """What the voucher is called."""
    portal: str = ""
    """The platform everything runs on."""
    whole_process_online: bool = False
    """Claim, use and review all run on the platform."""
    principles: tuple[str, ...] = ()
    """The principles the text names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity(Clause):
    """When it holds (YC-01, GX-02, NX-02, LS-02, GZ-35)."""

    status: ProgrammeStatus
    """What the text itself says about its force."""
    valid_from: date
    """First day."""
    valid_until: date | None = None
    """Last day; absent: open-ended."""
    service_from: date | None = None
    """First day of the service window: services, invoices and transfers must lie inside."""
    service_until: date | None = None
    """Last day of the service window."""
    year: YearRule
    """Which year quotas and shares mean."""
    year_starts: str = "01-01"
    """Month and day the programme year begins, for `year = "programme"`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """For demonstrations only; no value of the regulation."""

    today: date
    """A day inside the validity that a demonstration calls today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jurisdiction(Clause):
    """Where it holds (YC-11, GX-12, NX-07, LS-10, GZ-11)."""

    areas: tuple[str, ...]
    """Administrative areas as paths from the largest unit down; whatever lies below one is in it."""
    excluded_areas: tuple[str, ...] = ()
    """Areas below them that are not meant."""
    sharing: tuple[str, ...] = ()
    """Other jurisdictions on the same system; their enterprises use their own programme."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role(Clause):
    """Who has which duty."""

    actor: Actor
    """The role."""
    name: str
    """Its name in the text."""
    duties: tuple[str, ...]
    """Its duties in the text's words."""
    interprets: bool = False
    """The text is interpreted by it."""
    commissioned: bool = False
    """It acts on behalf of the authority, which may end the commission."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget(Clause):
    """The year's money. The amount itself is the authority's budget row, not the regulation's."""

    kind: BudgetKind
    """What the year's total is."""
    least_total_fen: int | None = None
    """What must be issued in the year at least, for `kind = "floor"`."""
    source: str
    """Where the money comes from."""
    on_shortage: Shortage
    """What happens when the money runs short."""
    unpaid_first_next_year: bool = False
    """What could not be paid is paid first from the next year's budget."""
    live_balance: bool = False
    """The remaining money is shown as it changes."""
    dedicated_account: bool = False
    """The money lies on an account of its own with the operator."""
    interest_joins_fund: bool = False
    """Interest rolls into the fund."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnualNotice(Clause):
    """What a yearly notice may set anew; contracts keep the version they were signed under."""

    may_change: frozenset[NoticeOverride]
    """What it may set."""
    voucher_kinds: tuple[str, ...] = ()
    """The kinds of voucher it decides about; empty: all."""
