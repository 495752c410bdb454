"""The latch: a sold-out round is refused in the process, without asking Redis.

Armed only by one look at Redis that saw, at one instant, less money than the smallest grant, nobody
undecided, and who the winners are. It refuses first attempts only, never a winner, for half a second;
then one caller looks again while the others keep the old answer a moment longer (launch.md C24). Nor does
it refuse anybody who is not entitled: they are told why, the same to every retry.
"""

from __future__ import annotations

from dataclasses import dataclass

from server.gateways.grab_gate import GateAnswer, Winners

HOLDS_SECONDS = 0.5
LOOKING_SECONDS = 0.1


@dataclass(slots=True)
class _Armed:
    winners: frozenset[int]
    entitled: frozenset[int]
    epoch: int
    until: float


class Latch:
    """One per process. Instants are event-loop seconds."""

    def __init__(self) -> None:
        self._armed: dict[int, _Armed] = {}
        self._looking_until: dict[int, float] = {}
        self._fetching_until: dict[int, float] = {}

    def refuses(self, round_id: int, enterprise_id: int, *, attempt: int, now: float) -> bool:
        """Whether this first attempt can be told "sold out" right here."""
        armed = self._armed.get(round_id)
        if armed is None or attempt != 1 or enterprise_id in armed.winners:
            return False
        if enterprise_id not in armed.entitled:
            return False
        if now < armed.until:
            return True
        # Expired: this caller goes and looks; for a moment the others still take the old answer.
        if now < armed.until + LOOKING_SECONDS and now < self._looking_until.get(round_id, 0.0):
            return True
        self._looking_until[round_id] = now + LOOKING_SECONDS
        return False

    def saw(self, round_id: int, epoch: int, seen: GateAnswer, *, now: float) -> bool:
        """Take in a "sold out" that Redis answered; true when the winners should be fetched.

        The same number of winners in the same epoch are the same winners: within an epoch a voucher is
        never taken back. Then only the expiry moves.
        """
        if seen.undecided or seen.remaining_fen >= seen.smallest_fen:
            return False
        armed = self._armed.get(round_id)
        if armed is not None and armed.epoch == epoch and len(armed.winners) == seen.holders:
            armed.until = now + HOLDS_SECONDS
            return False
        if self._fetching_until.get(round_id, 0.0) > now:
            return False
        self._fetching_until[round_id] = now + LOOKING_SECONDS
        return True

    def arm(self, round_id: int, winners: Winners, *, now: float) -> None:
        """Arm from one look at Redis, if that very look proves that the round is out."""
        if winners.remaining_fen < winners.smallest_fen and winners.undecided == 0:
            until = now + HOLDS_SECONDS
            self._armed[round_id] = _Armed(winners.enterprises, winners.entitled, winners.epoch, until)
