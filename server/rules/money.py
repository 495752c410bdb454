"""Where money can be, and which movements there are: the chart of accounts of the ledger.

Every movement is a balanced posting between two named accounts (launch.md I12, I13):
appropriation → budget → round → available on a voucher → held on an order → redeemed → disbursed,
and the ways out: expired, reclaimed, handed back, voided. Where a programme promises a quota before it
sets money aside, the promise and the money move side by side: quota → available → held, and
budget → committed. What an enterprise pays itself into the operator's hands is kept apart from all public
money: own money → escrow → owed to the provider → transferred, or given back, order by order
(NX-20, NX-38). Where only a complete settlement file takes money at all, it goes from the year to what its
order holds, and back if it comes to nothing (YC-19). What a settlement is cut by, or refused, is void; where
it was money it is the year's again.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Basis(StrEnum):
    """What stands behind a voucher from the moment it is issued; each has an invariant of its own."""

    MONEY = "money"
    """A round's money was taken: posted as ISSUE, the face value of it."""
    QUOTA = "quota"
    """A quota was promised: posted as POST_QUOTA; money is committed when a contract is signed."""
    ON_FILE = "on_file"
    """Nothing: the first complete redemption file takes the money, and until then nothing is posted."""


class Account(StrEnum):
    """Where money can be. Kept per budget and, where set, per round, enterprise and voucher."""

    APPROPRIATION = "appropriation"
    """财政拨款: the outside world money comes from; its balance is minus what was ever put in."""
    BUDGET = "budget"
    """年度预算: the year's money not yet given to a round."""
    ROUND = "round"
    """批次资金池: a round's money not yet issued."""
    COMMITTED = "committed"
    """签约占用: taken from the year for contracts signed on a promised quota."""
    QUOTA = "quota"
    """配额: where promised quotas come from; its balance is minus what was ever promised."""
    AVAILABLE = "available"
    """可用: on the voucher, free to spend."""
    HELD = "held"
    """冻结: held on an order."""
    REDEEMED = "redeemed"
    """核销: spent on an accepted order, not yet paid out."""
    DISBURSED = "disbursed"
    """拨付: paid to the provider's bank account."""
    EXPIRED = "expired"
    """过期: lapsed by date."""
    RECLAIMED = "reclaimed"
    """收回: taken back for a missed deadline."""
    HANDED_BACK = "handed_back"
    """退回: given back by the holder."""
    VOIDED = "voided"
    """作废: void as a sanction."""
    OWN_MONEY = "own_money"
    """企业自有资金: where escrow comes from and goes back to; its balance is minus what was kept of it."""
    ESCROW = "escrow"
    """保证金: an enterprise's own money that the operator holds for one order (NX-20)."""
    ESCROW_OWED = "escrow_owed"
    """应付保证金: released, so the provider is owed it; still at the bank."""
    ESCROW_TRANSFERRED = "escrow_transferred"
    """保证金到账: with the provider, as the bank's receipt says."""
    PAID_OUT = "paid_out"
    """签约占用已付: committed money that left with the payment of what was promised."""
    INTEREST = "interest"
    """利息: what the account of the year's money has borne; its balance is minus what ever came of it."""
    FEE = "fee"
    """监理服务收益: what the operator took of the fund for supervising settled projects (NX-36)."""
    OFFENDER = "offender"
    """违规单位: where surcharges come from; its balance is minus what was ever collected of them."""
    SURCHARGE = "surcharge"
    """加收利息: collected beside public money that was claimed back."""


class Movement(StrEnum):
    """Why money moved."""

    APPROPRIATE = "appropriate"
    CUT_BUDGET = "cut_budget"
    ALLOT = "allot"
    RETURN_ALLOTMENT = "return_allotment"
    COMMIT = "commit"
    UNCOMMIT = "uncommit"
    ISSUE = "issue"
    POST_QUOTA = "post_quota"
    HOLD = "hold"
    RELEASE = "release"
    REDEEM = "redeem"
    TAKE_BACK = "take_back"
    """退回支付: a payment goes back to what its order holds (GZ-101)."""
    TAKE_ON_FILE = "take_on_file"
    """按完整材料占用: a complete settlement file takes its money, in the order of the line (YC-19)."""
    LET_GO_ON_FILE = "let_go_on_file"
    """It came to nothing: the money is the year's again."""
    DISALLOW = "disallow"
    """核减、不予兑付: spent on an order, and not to be paid out (NX-26)."""
    TAKE_FEE = "take_fee"
    RETURN_FEE = "return_fee"
    """监理服务收益退回: what was refused after all is no settled project (NX-36)."""
    DISBURSE = "disburse"
    RETURN_DISBURSEMENT = "return_disbursement"
    """退汇: the bank sent the money back."""
    PAY_OUT = "pay_out"
    """The money behind a promise leaves the year, side by side with DISBURSE."""
    RETURN_PAID_OUT = "return_paid_out"
    POST_INTEREST = "post_interest"
    """利息转入: rolls into the year's money (NX-38)."""
    CLAW_BACK = "claw_back"
    """追缴: public money that was paid out wrongly comes back to where it came from."""
    COLLECT_SURCHARGE = "collect_surcharge"
    RETURN_CLAWED_BACK = "return_clawed_back"
    """抵扣退回: the payment that principal was kept back from came back, and it is owed again."""
    RETURN_SURCHARGE = "return_surcharge"
    EXPIRE = "expire"
    RECLAIM = "reclaim"
    HAND_BACK = "hand_back"
    VOID = "void"
    RETURN_EXPIRED = "return_expired"
    RETURN_RECLAIMED = "return_reclaimed"
    RETURN_HANDED_BACK = "return_handed_back"
    RETURN_VOIDED = "return_voided"
    PAY_ESCROW = "pay_escrow"
    RELEASE_ESCROW = "release_escrow"
    REFUND_ESCROW = "refund_escrow"
    TRANSFER_ESCROW = "transfer_escrow"
    """划付到账: the bank's receipt of what was released."""
    RETURN_ESCROW_TRANSFER = "return_escrow_transfer"


ROUTES: Mapping[Movement, tuple[Account, Account]] = {
    Movement.APPROPRIATE: (Account.APPROPRIATION, Account.BUDGET),
    Movement.CUT_BUDGET: (Account.BUDGET, Account.APPROPRIATION),
    Movement.ALLOT: (Account.BUDGET, Account.ROUND),
    Movement.RETURN_ALLOTMENT: (Account.ROUND, Account.BUDGET),
    Movement.COMMIT: (Account.BUDGET, Account.COMMITTED),
    Movement.UNCOMMIT: (Account.COMMITTED, Account.BUDGET),
    Movement.ISSUE: (Account.ROUND, Account.AVAILABLE),
    Movement.POST_QUOTA: (Account.QUOTA, Account.AVAILABLE),
    Movement.HOLD: (Account.AVAILABLE, Account.HELD),
    Movement.RELEASE: (Account.HELD, Account.AVAILABLE),
    Movement.REDEEM: (Account.HELD, Account.REDEEMED),
    Movement.TAKE_BACK: (Account.REDEEMED, Account.HELD),
    Movement.TAKE_ON_FILE: (Account.BUDGET, Account.HELD),
    Movement.LET_GO_ON_FILE: (Account.HELD, Account.BUDGET),
    Movement.DISALLOW: (Account.REDEEMED, Account.VOIDED),
    Movement.TAKE_FEE: (Account.BUDGET, Account.FEE),
    Movement.RETURN_FEE: (Account.FEE, Account.BUDGET),
    Movement.DISBURSE: (Account.REDEEMED, Account.DISBURSED),
    Movement.RETURN_DISBURSEMENT: (Account.DISBURSED, Account.REDEEMED),
    Movement.PAY_OUT: (Account.COMMITTED, Account.PAID_OUT),
    Movement.RETURN_PAID_OUT: (Account.PAID_OUT, Account.COMMITTED),
    Movement.POST_INTEREST: (Account.INTEREST, Account.BUDGET),
    Movement.CLAW_BACK: (Account.DISBURSED, Account.APPROPRIATION),
    Movement.COLLECT_SURCHARGE: (Account.OFFENDER, Account.SURCHARGE),
    Movement.RETURN_CLAWED_BACK: (Account.APPROPRIATION, Account.DISBURSED),
    Movement.RETURN_SURCHARGE: (Account.SURCHARGE, Account.OFFENDER),
    Movement.EXPIRE: (Account.AVAILABLE, Account.EXPIRED),
    Movement.RECLAIM: (Account.AVAILABLE, Account.RECLAIMED),
    Movement.HAND_BACK: (Account.AVAILABLE, Account.HANDED_BACK),
    Movement.VOID: (Account.AVAILABLE, Account.VOIDED),
    Movement.RETURN_EXPIRED: (Account.EXPIRED, Account.BUDGET),
    Movement.RETURN_RECLAIMED: (Account.RECLAIMED, Account.BUDGET),
    Movement.RETURN_HANDED_BACK: (Account.HANDED_BACK, Account.BUDGET),
    Movement.RETURN_VOIDED: (Account.VOIDED, Account.BUDGET),
    Movement.PAY_ESCROW: (Account.OWN_MONEY, Account.ESCROW),
    Movement.RELEASE_ESCROW: (Account.ESCROW, Account.ESCROW_OWED),
    Movement.REFUND_ESCROW: (Account.ESCROW, Account.OWN_MONEY),
    Movement.TRANSFER_ESCROW: (Account.ESCROW_OWED, Account.ESCROW_TRANSFERRED),
    Movement.RETURN_ESCROW_TRANSFER: (Account.ESCROW_TRANSFERRED, Account.ESCROW_OWED),
}
"""Each movement leaves one account and arrives in one other; nothing else can be posted."""

OF_A_VOUCHER = frozenset(
    {
        Account.AVAILABLE,
        Account.HELD,
        Account.REDEEMED,
        Account.DISBURSED,
        Account.EXPIRED,
        Account.RECLAIMED,
        Account.HANDED_BACK,
        Account.VOIDED,
    }
)
"""Issued money is always in exactly one of these, or has returned to its year (I12)."""

RETURNS: Mapping[Account, Movement] = {
    Account.EXPIRED: Movement.RETURN_EXPIRED,
    Account.RECLAIMED: Movement.RETURN_RECLAIMED,
    Account.HANDED_BACK: Movement.RETURN_HANDED_BACK,
    Account.VOIDED: Movement.RETURN_VOIDED,
}
"""How money that came back unused returns to its year, where the text lets others have it (LS-32)."""

ISSUES: Mapping[Basis, Movement] = {Basis.MONEY: Movement.ISSUE, Basis.QUOTA: Movement.POST_QUOTA}
"""How a voucher's face value is posted when it is issued; ``ON_FILE`` posts nothing then, and takes money
by :attr:`Movement.TAKE_ON_FILE` when its settlement file is complete."""

PAID_OUT: Mapping[Movement, int] = {Movement.PAY_OUT: 1, Movement.RETURN_PAID_OUT: -1}
"""What takes committed money out of the year, and brings it back; by which sign it counts."""

OF_ESCROW = frozenset(
    {
        Movement.PAY_ESCROW,
        Movement.RELEASE_ESCROW,
        Movement.REFUND_ESCROW,
        Movement.TRANSFER_ESCROW,
        Movement.RETURN_ESCROW_TRANSFER,
    }
)
"""The movements of an enterprise's own money; they touch no account of public money."""
