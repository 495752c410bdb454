"""Deciding grabs: what each claim comes to, once the budget's row is locked.

Pure: the caller has taken the lock, read the rows, and will write what is decided here in the same
transaction. Whatever Redis promised, this is the decision (launch.md section 4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from server.rules.lifecycles import RoundStatus


class GrabOutcome(StrEnum):
    """What an admitted grab came to. Granted and already are promises; the rest is final as of then."""

    GRANTED = "granted"
    ALREADY = "already"
    SOLD_OUT = "sold_out"
    CLOSED = "closed"
    NOT_ELIGIBLE = "not_eligible"
    QUOTA_USED = "quota_used"
    KEY_REUSED = "key_reused"
    """The key was used for another round before. Told, never stored: the first decision stands."""

    PAUSED = "paused"
    """The round is halted. Told, never stored: an admitted grab keeps its place until the round goes on."""

    STALE = "stale"
    """Reserved for another amount than it is entitled to now. Never stored: it is asked again."""


UNSTORED = frozenset({GrabOutcome.KEY_REUSED, GrabOutcome.PAUSED, GrabOutcome.STALE})
PROMISES = frozenset({GrabOutcome.GRANTED, GrabOutcome.ALREADY})


class Claim(NamedTuple):
    """One admitted grab, waiting for its decision.

    ``place`` is its id in the line of its epoch; empty where no line was kept (Redis is away).
    ``amount_fen`` is what was set aside for it; ``None`` takes whatever the enterprise is entitled to.
    """

    round_id: int
    enterprise_id: int
    person_id: int
    grab_key: str
    amount_fen: int | None
    place: str
    reserved_at: datetime


@dataclass(frozen=True, slots=True)
class RoundState:
    """A round as the lock found it; money in fen."""

    status: RoundStatus
    pool_fen: int
    issued_fen: int
    issued_count: int
    opens_at: datetime
    closes_at: datetime


class Entitled(NamedTuple):
    """What an enterprise may be granted in a round; fen. ``quota_fen`` is its year's quota."""

    tier: str
    amount_fen: int
    quota_fen: int


class Decision(NamedTuple):
    """What a claim came to. For a grant: its tier, its face value and its number within the round."""

    claim: Claim
    outcome: GrabOutcome
    voucher_id: int | None = None
    tier: str = ""
    amount_fen: int = 0
    number: int = 0
    stored: bool = False
    """True when this very request was decided before; nothing is to be written."""


class Earlier(NamedTuple):
    """The stored decision of a request."""

    round_id: int
    outcome: GrabOutcome
    voucher_id: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rows say about the enterprises of a group of claims, read under the lock.

    ``entitled`` holds only enterprises that are qualified and not barred at this instant;
    ``taken_fen`` is what each was granted this year and still counts against its quota.
    """

    rounds: Mapping[int, RoundState]
    earlier: Mapping[tuple[int, str], Earlier] = field(default_factory=dict)
    vouchers: Mapping[tuple[int, int], int] = field(default_factory=dict)
    entitled: Mapping[tuple[int, int], Entitled] = field(default_factory=dict)
    taken_fen: Mapping[int, int] = field(default_factory=dict)


def decide(claims: Sequence[Claim], standing: Standing) -> list[Decision]:
    """Decide a group in its order of arrival. Each decision takes the earlier ones into account."""
    decisions: list[Decision] = []
    free = {round_id: state.pool_fen - state.issued_fen for round_id, state in standing.rounds.items()}
    count = {round_id: state.issued_count for round_id, state in standing.rounds.items()}
    taken = dict(standing.taken_fen)
    won: set[tuple[int, int]] = set()
    now_decided: dict[tuple[int, str], Decision] = {}

    for claim in claims:
        key = (claim.enterprise_id, claim.grab_key)
        seat = (claim.round_id, claim.enterprise_id)
        earlier = standing.earlier.get(key)
        if earlier is not None:
            reused = earlier.round_id != claim.round_id
            outcome = GrabOutcome.KEY_REUSED if reused else earlier.outcome
            voucher_id = None if reused else earlier.voucher_id
            decisions.append(Decision(claim, outcome, voucher_id, stored=True))
            continue
        if key in now_decided:
            first = now_decided[key]
            reused = first.claim.round_id != claim.round_id
            outcome = GrabOutcome.KEY_REUSED if reused else first.outcome
            decisions.append(Decision(claim, outcome, None if reused else first.voucher_id, stored=True))
            continue

        entitled = standing.entitled.get(seat)
        if seat in standing.vouchers:
            decision = Decision(claim, GrabOutcome.ALREADY, standing.vouchers[seat])
        elif seat in won:
            # Won a moment ago in this very group; the voucher's id is known only after the insert.
            decision = Decision(claim, GrabOutcome.ALREADY)
        else:
            outcome = _verdict(claim, standing.rounds[claim.round_id], entitled, free, taken)
            decision = Decision(claim, outcome)
            if outcome is GrabOutcome.GRANTED and entitled is not None:
                amount = entitled.amount_fen
                count[claim.round_id] += 1
                free[claim.round_id] -= amount
                taken[claim.enterprise_id] = taken.get(claim.enterprise_id, 0) + amount
                won.add(seat)
                number = count[claim.round_id]
                decision = Decision(claim, outcome, tier=entitled.tier, amount_fen=amount, number=number)
        now_decided[key] = decision
        decisions.append(decision)
    return decisions


def _verdict(
    claim: Claim,
    state: RoundState,
    entitled: Entitled | None,
    free_fen: Mapping[int, int],
    taken_fen: Mapping[int, int],
) -> GrabOutcome:
    """The rules of one fresh claim, in the order in which a refusal is fair to tell."""
    if state.status is RoundStatus.PAUSED:
        return GrabOutcome.PAUSED
    if state.status is not RoundStatus.SCHEDULED:
        return GrabOutcome.CLOSED
    # A reservation made in time counts even if it is committed late; one made outside never does (I4).
    if not state.opens_at <= claim.reserved_at < state.closes_at:
        return GrabOutcome.CLOSED
    if entitled is None:
        return GrabOutcome.NOT_ELIGIBLE
    if claim.amount_fen is not None and claim.amount_fen != entitled.amount_fen:
        return GrabOutcome.STALE
    if taken_fen.get(claim.enterprise_id, 0) + entitled.amount_fen > entitled.quota_fen:
        return GrabOutcome.QUOTA_USED
    if entitled.amount_fen > free_fen[claim.round_id]:
        return GrabOutcome.SOLD_OUT
    return GrabOutcome.GRANTED
