"""Contact marks: telephones, persons and accounts of organisations, so that they can be compared unread.

Only keyed hashes are kept. Whoever has a settlement looked through is marked then, both sides: of two
organisations that share something, whichever comes second finds the first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from server.models.disbursements import BankAccount
from server.models.monitoring import ContactMark
from server.models.organisations import Qualification
from server.programme.vocabulary import Party
from server.rules.anomalies import ContactKind
from server.rules.related_parties import Behind
from server.sealing import Sealer
from server.services.admissions.related_parties import RelatedParties

Marks = Mapping[int, frozenset[tuple[ContactKind, str]]]


class ContactMarks:
    """Writes and compares marks."""

    def __init__(self, related: RelatedParties, sealer: Sealer) -> None:
        self._related = related
        self._sealer = sealer

    async def renew(self, organisation_ids: Collection[int], *, now: datetime) -> Marks:
        """Mark these organisations by everything that anybody has said of them by now."""
        behind = await self._related.behind(organisation_ids)
        accounts: dict[int, set[str]] = defaultdict(set)
        for one in await BankAccount.filter(organisation_id__in=list(organisation_ids)):
            accounts[one.organisation_id].add(one.number_index)
        marks: dict[int, frozenset[tuple[ContactKind, str]]] = {}
        for organisation_id, known in behind.items():
            marks[organisation_id] = frozenset(self._of(known)) | frozenset(
                (ContactKind.ACCOUNT, index) for index in accounts[organisation_id]
            )
            await ContactMark.bulk_create(
                [
                    ContactMark(organisation_id=organisation_id, kind=kind, mark=mark, noted_at=now)
                    for kind, mark in sorted(marks[organisation_id])
                ],
                ignore_conflicts=True,
            )
        return marks

    async def providers_sharing(
        self, marks: Collection[tuple[ContactKind, str]], slug: str, *, but: Collection[int]
    ) -> Mapping[str, frozenset[ContactKind]]:
        """Other providers of a programme that have one of these marks, by name, with what they share."""
        if not marks:
            return {}
        rows = (
            await ContactMark.filter(mark__in=[mark for _, mark in marks])
            .exclude(organisation_id__in=list(but))
            .select_related("organisation")
        )
        same = [one for one in rows if (one.kind, one.mark) in marks]
        providers = {
            one.organisation_id
            for one in await Qualification.filter(
                organisation_id__in=[one.organisation_id for one in same],
                programme_slug=slug,
                party=Party.PROVIDER,
            )
        }
        found: dict[str, set[ContactKind]] = defaultdict(set)
        for one in same:
            if one.organisation_id in providers:
                found[one.organisation.name].add(one.kind)
        return {name: frozenset(kinds) for name, kinds in found.items()}

    async def persons_of(self, organisation_ids: Collection[int]) -> Mapping[int, frozenset[str]]:
        """The persons marked for each organisation."""
        persons: dict[int, set[str]] = defaultdict(set)
        rows = ContactMark.filter(organisation_id__in=list(organisation_ids), kind=ContactKind.PERSON)
        for one in await rows:
            persons[one.organisation_id].add(one.mark)
        return {key: frozenset(value) for key, value in persons.items()}

    def _of(self, known: Behind) -> list[tuple[ContactKind, str]]:
        # A name alone is no mark: many people have it.
        persons = [one.number for one in known.representatives if one.number]
        return [
            *((ContactKind.PHONE, self._sealer.blind(f"phone:{one}")) for one in known.phones),
            *((ContactKind.PERSON, self._sealer.blind(f"person:{one}")) for one in persons),
        ]
