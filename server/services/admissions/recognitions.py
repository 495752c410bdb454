"""Recognitions: for which kinds of service a provider was recognised, as the official lists say (GZ-24)."""

from __future__ import annotations

from datetime import datetime

from server.models.labels import AttestedLabel
from server.models.organisations import Organisation
from server.programme.model import Programme
from server.programme.oversight import ConflictKind
from server.programme.vocabulary import Party
from server.rules.deadlines import day_of
from server.rules.eligibility import label_valid
from server.rules.facts import HeldLabel
from server.services.admissions.attestations import naming


async def recognised_kinds(programme: Programme, provider: Organisation, *, now: datetime) -> frozenset[str]:
    """The kinds that recognitions which count today name; empty where no list says any."""
    rule = next((one for one in programme.conflicts if one.kind is ConflictKind.OUTSIDE_RECOGNITION), None)
    if rule is None:
        return frozenset()
    codes = rule.labels or tuple(label.code for label in programme.labels if label.of is Party.PROVIDER)
    rows = await AttestedLabel.filter(naming(provider), code__in=list(codes))
    return frozenset(
        kind
        for row in rows
        if label_valid(
            programme,
            HeldLabel(code=row.code, recognised_in=row.recognised_in, valid_until=row.valid_until),
            day_of(now),
        )
        for kind in row.kinds
    )
