"""Lists of sanctions: for staff, for the party, what complaints proposed, and what everybody may read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tortoise.expressions import Q

from server.models.complaints import SanctionProposal
from server.models.sanctions import (
    Recovery,
    RecoveryLine,
    RecoveryReceipt,
    SanctionAppeal,
    SanctionCase,
    SanctionEffect,
    SanctionEntry,
    SanctionReferral,
)
from server.rules.recoveries import RecoveryStatus
from server.rules.sanction_cases import SanctionStatus
from server.sealing import Sealer
from server.services import access
from server.services.access import Actor
from server.services.sanctions.sanction_book import READERS, case_for

PAGE = 50


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case with everything in it, oldest first."""

    case: SanctionCase
    entries: Sequence[SanctionEntry]
    effects: Sequence[SanctionEffect]
    referrals: Sequence[SanctionReferral]
    appeals: Sequence[SanctionAppeal]
    recovery: Recovery | None


@dataclass(frozen=True, slots=True)
class Announced:
    """An entry in force, as everybody reads it."""

    case: SanctionCase
    name: str
    uscc: str
    person: str
    """Who was responsible, masked to the family name; empty: nobody is barred as a person."""


async def page(
    actor: Actor, *, slug: str | None, status: SanctionStatus | None, after: int
) -> list[SanctionCase]:
    """The next cases after an id, of the programmes and areas of who asks; one more than a page."""
    if READERS.isdisjoint(actor.roles):
        return []
    wanted = SanctionCase.filter(
        access.within_programmes(actor, "programme_slug"),
        access.within_areas(actor, "against__area"),
        id__gt=after,
    )
    if slug is not None:
        wanted = wanted.filter(programme_slug=slug)
    if status is not None:
        wanted = wanted.filter(status=status)
    return await wanted.select_related("against").order_by("id").limit(PAGE + 1)


async def own_page(actor: Actor, *, after: int) -> list[SanctionCase]:
    """The next cases against the actor's organisation that it was told of; one more than a page."""
    known = Q(hearing_until__not_isnull=True) | Q(decided_at__not_isnull=True)
    mine = SanctionCase.filter(known, against_id=access.organisation_id_of(actor), id__gt=after)
    return await mine.select_related("against").order_by("id").limit(PAGE + 1)


async def file_of(case: SanctionCase) -> CaseFile:
    """Everything in a case."""
    return CaseFile(
        case,
        await SanctionEntry.filter(case_id=case.id).order_by("id"),
        await SanctionEffect.filter(case_id=case.id).order_by("id"),
        await SanctionReferral.filter(case_id=case.id).order_by("id"),
        await SanctionAppeal.filter(case_id=case.id).order_by("id"),
        await Recovery.get_or_none(case_id=case.id).select_related("debtor"),
    )


async def latest(case_id: int) -> CaseFile:
    """A case as it stands now, for whoever has just changed it."""
    return await file_of(await SanctionCase.get(id=case_id).select_related("against"))


async def seen_by_staff(actor: Actor, case_id: int) -> CaseFile:
    """A case of the programmes and areas of who asks. Raises ``NotFound``."""
    return await file_of(await case_for(actor, case_id))


async def proposals(actor: Actor, *, after: int) -> list[SanctionProposal]:
    """What complaints proposed and nobody has taken up, of who asks; one more than a page."""
    return await (
        SanctionProposal.filter(
            access.within_programmes(actor, "programme_slug"),
            access.within_areas(actor, "against__area"),
            id__gt=after,
            decided_at=None,
            case_id=None,
        )
        .select_related("against", "complaint")
        .order_by("id")
        .limit(PAGE + 1)
    )


async def recoveries(actor: Actor, *, status: RecoveryStatus | None, after: int) -> list[Recovery]:
    """The next claims after an id: a person's organisation's, or of the programmes one works on."""
    wanted = Recovery.filter(id__gt=after)
    if actor.kind == "person":
        wanted = wanted.filter(debtor_id=access.organisation_id_of(actor))
    else:
        if READERS.isdisjoint(actor.roles):
            return []
        wanted = wanted.filter(
            access.within_programmes(actor, "programme_slug"), access.within_areas(actor, "debtor__area")
        )
    if status is not None:
        wanted = wanted.filter(status=status)
    return await wanted.select_related("debtor").order_by("id").limit(PAGE + 1)


async def receipts_of(claim: Recovery) -> list[RecoveryReceipt]:
    """What came back of a claim, oldest first."""
    return await RecoveryReceipt.filter(recovery_id=claim.id).order_by("id")


async def lines_of(claim: Recovery) -> list[RecoveryLine]:
    """What a claim consists of, oldest payment first."""
    return await RecoveryLine.filter(recovery_id=claim.id).order_by("paid_out_on", "id")


async def announced(slug: str, sealer: Sealer, *, after: int, now: datetime) -> list[Announced]:
    """The entries in force after an id; one more than a page. What is over is gone from here."""
    rows = await (
        SanctionCase.filter(
            Q(ends_at__isnull=True) | Q(ends_at__gt=now),
            programme_slug=slug,
            status=SanctionStatus.DECIDED,
            published=True,
            starts_at__lte=now,
            id__gt=after,
        )
        .select_related("against")
        .order_by("id")
        .limit(PAGE + 1)
    )
    return [
        Announced(row, row.against.name, row.against.uscc, masked(sealer.open(row.person_name_sealed)))
        for row in rows
    ]


def masked(name: str) -> str:
    """A person's name as strangers read it: the family name, and a star for each other character."""
    return name[:1] + "*" * (len(name) - 1) if name else ""
