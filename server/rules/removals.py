"""Removals: on which grounds a provider is suspended or removed, by whom, and what follows.

A sanction of the programme that takes a provider's admission, or bars it, removes it. Who decides on it may
hold the provider meanwhile; who only proposes it may where the text lets the proposer act at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from server.programme.model import Programme
from server.programme.oversight import Ground, Measure, Sanction
from server.programme.vocabulary import Actor, Party

REMOVING = frozenset({Measure.CANCEL_ADMISSION, Measure.BAR, Measure.BLOCKLIST})
"""Measures that end a provider's standing."""
HOLDING = REMOVING | {Measure.STOP_TRANSACTION}
"""Measures that somebody may hold a provider for."""


class RemovalStatus(StrEnum):
    """What became of a proposal to remove a provider."""

    PROPOSED = "proposed"
    DETERMINED = "determined"
    """The provider is removed."""
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class Charge:
    """One ground against a provider, and the sanction it leads to."""

    sanction: Sanction
    ground: Ground

    @property
    def clause(self) -> str:
        """The provision it rests on."""
        return self.ground.article or self.sanction.article

    def may_suspend(self, roles: frozenset[str]) -> bool:
        """Whether somebody with these roles may hold the provider at once (LS-41, GZ-44)."""
        if self.sanction.decided_by in roles:
            return True
        return self.sanction.immediate_hold and self.sanction.proposed_by in roles

    @property
    def holders(self) -> tuple[Actor, ...]:
        """Who may hold the provider at once."""
        proposer = self.sanction.proposed_by
        if proposer is not None and self.sanction.immediate_hold:
            return (proposer, self.sanction.decided_by)
        return (self.sanction.decided_by,)


def removal_grounds(programme: Programme) -> Mapping[str, Charge]:
    """The grounds on which a provider is removed, by their codes; the first sanction that names one."""
    return _grounds(programme, REMOVING)


def suspension_grounds(programme: Programme) -> Mapping[str, Charge]:
    """The grounds on which a provider may be suspended, by their codes."""
    return _grounds(programme, HOLDING)


def measures_of(sanction: Sanction, *, serious: bool) -> frozenset[Measure]:
    """What follows from a sanction."""
    return sanction.measures | sanction.if_serious if serious else sanction.measures


def _grounds(programme: Programme, wanted: frozenset[Measure]) -> Mapping[str, Charge]:
    found: dict[str, Charge] = {}
    for sanction in programme.sanctions:
        if Party.PROVIDER in sanction.against and not wanted.isdisjoint(sanction.measures):
            for ground in sanction.grounds:
                found.setdefault(ground.code, Charge(sanction, ground))
    return found
