"""How vouchers come to their holders, what they are, and what burns a quota."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from server.programme.clause import Clause
from server.programme.vocabulary import Party


class IssuanceMode(StrEnum):
    """How vouchers reach their holders."""

    GRAB = "grab"
    """Who arrives first, at the opening instant, takes a voucher."""
    RANKED_BATCH = "ranked_batch"
    """Applications are collected, ranked at closing and issued at once."""
    ALLOTMENT = "allotment"
    """Every admitted enterprise gets its yearly quota by itself."""
    ON_CONTRACT = "on_contract"
    """A signed contract comes first; the voucher is issued for it, in order of application."""
    PROVIDER_DRAW = "provider_draw"
    """The provider draws the voucher; money goes to who hands in a complete file first."""

    @property
    def is_by_round(self) -> bool:
        """Whether issuing takes the money of a round."""
        return self in {IssuanceMode.GRAB, IssuanceMode.RANKED_BATCH, IssuanceMode.ON_CONTRACT}


class RankKey(StrEnum):
    """What applications are sorted by, most important first."""

    PRIORITY = "priority"
    ARRIVAL = "arrival"


class QuotaEvent(StrEnum):
    """What can happen to granted money; those that burn quota do not give it back."""

    USED = "used"
    EXPIRED = "expired"
    RECLAIMED = "reclaimed"
    HANDED_BACK = "handed_back"
    VOIDED = "voided"


class Reissue(StrEnum):
    """What becomes of money that comes back unused within the year."""

    NONE = "none"
    """It stays in the budget, unissued."""
    NEW_ROUND = "new_round"
    """It returns to the pool; the authority may issue it again in a new round, to others."""
    WAITING_LIST = "waiting_list"
    """It goes down the waiting list of its own round."""


class VoucherValidity(StrEnum):
    """Until when a voucher may be used; never beyond the programme's validity or service window."""

    ROUND = "round"
    """Until the instant its round names."""
    YEAR_END = "year_end"
    """Until the last day of the programme year it was issued in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherKind(Clause):
    """A kind of voucher (GX-10)."""

    code: str
    """Stable code."""
    name: str
    """What it is called."""
    purpose: str
    """What it is for."""
    by_notice: bool = False
    """Everything about it is set by the yearly notice; nothing is issued before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherRules(Clause):
    """What a voucher is."""

    holder: Party
    """Who holds it and whose quota it is."""
    named: bool
    """Bound to one verified holder."""
    transferable: bool
    """May change its holder."""
    forbidden: tuple[str, ...]
    """What may not be done with it, in the text's words."""
    balance: bool
    """It has a balance: several orders may draw on it, one after the other."""
    change_given: bool
    """A remainder is paid out in money."""
    validity: VoucherValidity
    """Until when it may be used."""
    carry_over: bool
    """What is left moves to the next year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier(Clause):
    """A quota tier. The first that admits the enterprise wins: most specific first."""

    code: str
    """Stable code."""
    name: str
    """What it is called."""
    face_value_fen: int
    """What one voucher of this tier is worth; with `quota_by_tier`, also the year's quota."""
    any_of: tuple[str, ...] = ()
    """Label codes of which one is enough; empty (and `all_of` empty): everybody."""
    all_of: tuple[str, ...] = ()
    """Label codes of which all are needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Priority(Clause):
    """A group that comes before the others among applications not yet issued."""

    code: str
    """Stable code."""
    name: str
    """What it is called."""
    any_of: tuple[str, ...]
    """Label codes of which one is enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuance(Clause):
    """How vouchers come to their holders."""

    mode: IssuanceMode
    """How."""
    tiers: tuple[Tier, ...] = ()
    """Tiers, most specific first; empty: no fixed face value."""
    quota_by_tier: bool = False
    """The year's quota is the tier's face value."""
    annual_quota_fen: int | None = None
    """The year's quota of every holder; absent: by tier, or unlimited."""
    per_round_limit_fen: int | None = None
    """What one holder may get in one round; absent: the quota alone limits."""
    amount_entered: bool = False
    """The holder enters the amount it needs, up to what its quota leaves."""
    amount_determined: bool = False
    """The operator works the amount out from the contract."""
    rounds: bool = False
    """Issued in rounds, announced beforehand."""
    ranking: tuple[RankKey, ...]
    """What is sorted by, most important first."""
    priorities: tuple[Priority, ...] = ()
    """The groups that come first, for `ranking` by priority; they are equal among each other."""
    result_working_days: int | None = None
    """Working days after closing until the result is published."""
    result_visible_working_days: int | None = None
    """Working days after closing until every holder sees it in its account."""
    close_when_full: bool = False
    """Closes as soon as nobody later could still get something."""
    waiting_list: bool = False
    """Who was ranked and got nothing waits for what comes back."""
    burns_quota: frozenset[QuotaEvent]
    """What uses up the year's quota for good; everything else gives it back."""
    reissue: Reissue
    """What becomes of money that comes back unused within the year."""
    same_holder_again: bool = False
    """Who let a voucher lapse may be issued its money again."""
    hand_back: bool = False
    """The holder may hand a voucher back."""
    contract_first: bool = False
    """Only for a contract that is signed."""
    outlives_order: bool = False
    """A voucher issued for a contract stays its holder's when that contract comes to nothing; otherwise it
    ends with it, and counts against no quota."""
    reserve_on_issue: bool = True
    """Issuing takes money from the budget; otherwise the first complete redemption file does."""
    upgrade_by_difference: bool = False
    """A label gained in mid-year raises the quota by the difference; one lost takes nothing back."""

    def quota_fen(self, tier: Tier | None) -> int | None:
        """The year's quota in fen of a holder in ``tier``; ``None`` is unlimited."""
        if self.quota_by_tier and tier is not None:
            return tier.face_value_fen
        return self.annual_quota_fen
