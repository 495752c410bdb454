"""Sanctions: what a decision does to a party's right to take part, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from server.programme.model import Programme
from server.programme.oversight import Measure, Sanction
from server.programme.vocabulary import Actor, Party
from server.rules.deadlines import MONTHS, add_months
from server.rules.facts import Barred

BARRING = frozenset(
    {
        Measure.BAR,
        Measure.BAR_PERSON,
        Measure.BLOCKLIST,
        Measure.WIDER_BAN,
        Measure.CANCEL_ELIGIBILITY,
        Measure.CANCEL_ADMISSION,
    }
)
"""Measures after which a party may not claim, use or be admitted."""


def sanction_of(programme: Programme, ground: str, party: Party) -> Sanction | None:
    """The first sanction against a party that names a ground, or ``None``."""
    return next(
        (
            one
            for one in programme.sanctions
            if party in one.against and any(known.code == ground for known in one.grounds)
        ),
        None,
    )


def ban(sanction: Sanction, decided_on: date) -> Barred | None:
    """The blocklist entry that follows from a decision, or ``None`` where it bars nobody.

    It runs from the day of the decision: for the years the text names (YC-38), else for good
    (YC-31, GX-46, NX-28, GZ-56).
    """
    if BARRING.isdisjoint(sanction.measures):
        return None
    ends_on = None
    if sanction.ban_years is not None:
        ends_on = add_months(decided_on, sanction.ban_years * MONTHS) - timedelta(days=1)
    return Barred(clause=sanction.article, starts_on=decided_on, ends_on=ends_on)


def voids_vouchers(sanction: Sanction) -> bool:
    """Whether vouchers already issued become void (YC-31, NX-29)."""
    return Measure.VOID_VOUCHERS in sanction.measures


def grounds_of_voiding(programme: Programme) -> Mapping[str, Actor]:
    """The clauses on which a voucher is voided, each with who decides; empty where the text names none."""
    return {
        ground.article or sanction.article: sanction.decided_by
        for sanction in programme.sanctions
        if voids_vouchers(sanction)
        for ground in sanction.grounds
    }
