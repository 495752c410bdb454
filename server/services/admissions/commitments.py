"""Credit commitments (信用承诺): what each party promised when it joined, for whoever samples it (GX-72)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from server.models.registrations import Submission
from server.programme.model import Programme
from server.programme.people import PartyRules
from server.programme.vocabulary import Party


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """One promise of the text, and whether and when it was given. ``sha256`` is of what was agreed to."""

    code: str
    name: str
    clause: str
    given_at: str = ""
    sha256: str = ""

    @property
    def given(self) -> bool:
        return bool(self.given_at)


async def commitments_of(programme: Programme, organisation_id: int, party: Party) -> tuple[Commitment, ...]:
    """Every promise the programme asks of a party, as the organisation last gave it."""
    rules: PartyRules = programme.enterprise if party is Party.ENTERPRISE else programme.provider
    last = (
        await Submission.filter(
            registration__organisation_id=organisation_id,
            registration__programme_slug=programme.slug,
            registration__party=party,
        )
        .order_by("-id")
        .first()
    )
    given: dict[str, dict[str, Any]] = {} if last is None else last.undertakings
    return tuple(
        Commitment(
            code=one.code,
            name=one.name,
            clause=one.article,
            given_at=str(given.get(one.code, {}).get("at", "")),
            sha256=str(given.get(one.code, {}).get("hash", "")),
        )
        for one in rules.undertakings
    )
