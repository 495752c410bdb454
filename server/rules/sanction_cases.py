"""Sanction cases: the states a case can be in, and what each measure of the text does in the house.

A measure is a word of the regulation; an effect is something the software does to one thing. What is done at
once, in the transaction of the decision, cuts off what could still happen; what has to be done to many things
follows one by one, and can be taken up again where it stopped.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

from server.programme.oversight import Measure, Sanction
from server.programme.vocabulary import Party
from server.rules.sanctions import BARRING


class SanctionSource(StrEnum):
    """What a case was proposed from."""

    HAND = "hand"
    COMPLAINT = "complaint"
    INSPECTION = "inspection"
    ANOMALY = "anomaly"
    FINDING = "finding"
    AUDIT = "audit"


class SanctionStatus(StrEnum):
    """Where a case stands."""

    PROPOSED = "proposed"
    """Somebody proposed it; the party is to be heard, and somebody else decides."""
    DECIDED = "decided"
    """In force, or over by its own date; what it barred says the blocklist."""
    DISMISSED = "dismissed"
    """Turned down: nothing follows."""
    WITHDRAWN = "withdrawn"
    """Whoever proposed it took it back."""
    LIFTED = "lifted"
    """Decided, and ended by the authority with a reason, from then on."""
    REVERSED = "reversed"
    """Decided, and found wrong on appeal: as far as possible as if it had never been."""


class SanctionAct(StrEnum):
    """What may be done with a case."""

    HEAR = "hear"
    STATE = "state"
    DECIDE = "decide"
    WITHDRAW = "withdraw"
    REFER = "refer"
    APPEAL = "appeal"
    LIFT = "lift"


SANCTION_MOVES: Mapping[SanctionStatus, frozenset[SanctionStatus]] = {
    SanctionStatus.PROPOSED: frozenset(
        {SanctionStatus.DECIDED, SanctionStatus.DISMISSED, SanctionStatus.WITHDRAWN}
    ),
    SanctionStatus.DECIDED: frozenset({SanctionStatus.LIFTED, SanctionStatus.REVERSED}),
    SanctionStatus.DISMISSED: frozenset(),
    SanctionStatus.WITHDRAWN: frozenset(),
    SanctionStatus.LIFTED: frozenset(),
    SanctionStatus.REVERSED: frozenset(),
}

SANCTION_MAY: Mapping[SanctionStatus, frozenset[SanctionAct]] = {
    SanctionStatus.PROPOSED: frozenset(
        {SanctionAct.HEAR, SanctionAct.STATE, SanctionAct.DECIDE, SanctionAct.WITHDRAW}
    ),
    SanctionStatus.DECIDED: frozenset({SanctionAct.REFER, SanctionAct.APPEAL, SanctionAct.LIFT}),
    SanctionStatus.DISMISSED: frozenset(),
    SanctionStatus.WITHDRAWN: frozenset(),
    SanctionStatus.LIFTED: frozenset({SanctionAct.REFER}),
    SanctionStatus.REVERSED: frozenset(),
}


class Effect(StrEnum):
    """What a decision does to one thing."""

    END_STANDING = "end_standing"
    """A qualification ends: an enterprise's is revoked, a provider is removed."""
    BAN = "ban"
    """An entry on the blocklist, with start, end and clause."""
    BAN_PERSON = "ban_person"
    """The same for the person responsible, found by nothing but a keyed hash."""
    HOLD_PAYMENT = "hold_payment"
    """Nothing is paid until it is lifted."""
    REFUSE_SETTLEMENT = "refuse_settlement"
    """Nothing of these orders is paid any more."""
    REDUCE_SETTLEMENT = "reduce_settlement"
    END_ORDER = "end_order"
    VOID_VOUCHER = "void_voucher"
    RECOVER = "recover"
    ANNOUNCE = "announce"
    CREDIT_RECORD = "credit_record"
    REVOKE_TITLE = "revoke_title"
    REFER = "refer"
    LIABILITY = "liability"


BULK = frozenset({Effect.END_ORDER, Effect.VOID_VOUCHER})
"""Done one by one after the decision, each in a transaction of its own."""

LASTING = frozenset(
    {
        Effect.END_ORDER,
        Effect.VOID_VOUCHER,
        Effect.END_STANDING,
        Effect.REFER,
        Effect.REFUSE_SETTLEMENT,
        Effect.REDUCE_SETTLEMENT,
    }
)
"""Cannot be undone: its money went on, a standing is applied for anew, what was told was told."""

_EFFECTS: Mapping[Measure, frozenset[Effect]] = {
    Measure.VOID_VOUCHERS: frozenset({Effect.END_ORDER, Effect.VOID_VOUCHER}),
    # Received and not paid out yet, they are given back by not being paid (GZ-52).
    Measure.RECLAIM_VOUCHERS: frozenset({Effect.END_ORDER, Effect.REFUSE_SETTLEMENT}),
    Measure.STOP_TRANSACTION: frozenset({Effect.END_ORDER}),
    # What can never be settled is not gone on with (GX-84).
    Measure.NO_SETTLEMENT: frozenset({Effect.END_ORDER, Effect.REFUSE_SETTLEMENT}),
    Measure.REDUCE_SETTLEMENT: frozenset({Effect.REDUCE_SETTLEMENT}),
    Measure.HOLD_SETTLEMENT: frozenset({Effect.HOLD_PAYMENT}),
    # What would have to be given back at once is not paid first (GX-75, GZ-56).
    Measure.CLAW_BACK: frozenset({Effect.RECOVER, Effect.END_ORDER, Effect.REFUSE_SETTLEMENT}),
    Measure.CANCEL_ELIGIBILITY: frozenset({Effect.END_STANDING, Effect.BAN, Effect.END_ORDER}),
    Measure.CANCEL_ADMISSION: frozenset({Effect.END_STANDING, Effect.BAN, Effect.END_ORDER}),
    Measure.REVOKE_TITLE: frozenset({Effect.REVOKE_TITLE}),
    Measure.BAR: frozenset({Effect.BAN, Effect.END_STANDING}),
    Measure.BAR_PERSON: frozenset({Effect.BAN, Effect.BAN_PERSON}),
    Measure.BLOCKLIST: frozenset({Effect.BAN, Effect.END_STANDING, Effect.ANNOUNCE}),
    Measure.WIDER_BAN: frozenset({Effect.BAN}),
    Measure.ANNOUNCE: frozenset({Effect.ANNOUNCE}),
    Measure.BAD_CREDIT_RECORD: frozenset({Effect.CREDIT_RECORD}),
    Measure.REFER: frozenset({Effect.REFER}),
    Measure.LEGAL_LIABILITY: frozenset({Effect.LIABILITY}),
}
_OF_ONE_SIDE: Mapping[Measure, Party] = {
    Measure.CANCEL_ELIGIBILITY: Party.ENTERPRISE,
    Measure.CANCEL_ADMISSION: Party.PROVIDER,
    Measure.REVOKE_TITLE: Party.PROVIDER,
    Measure.RECLAIM_VOUCHERS: Party.PROVIDER,
}


def measures_against(sanction: Sanction, party: Party, *, serious: bool) -> frozenset[Measure]:
    """What follows for one side: of measures that only one side can suffer, its own."""
    every = sanction.measures | sanction.if_serious if serious else sanction.measures
    return frozenset(one for one in every if _OF_ONE_SIDE.get(one, party) is party)


def effects_of(measures: Collection[Measure]) -> frozenset[Effect]:
    """What the house does for these measures."""
    return frozenset(effect for measure in measures for effect in _EFFECTS[measure])


def published(measures: Collection[Measure]) -> bool:
    """Whether the decision is shown to everybody while it is in force (YC-37, LS-43)."""
    return not {Measure.ANNOUNCE, Measure.BLOCKLIST}.isdisjoint(measures)


def bars(measures: Collection[Measure]) -> bool:
    """Whether a ban follows from these measures."""
    return not BARRING.isdisjoint(measures)
