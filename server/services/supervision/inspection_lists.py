"""Inspection lists: an inspection with its visits, what they found, and who signed."""

from __future__ import annotations

from dataclasses import dataclass

from server.models.supervision import (
    Inspection,
    InspectionFinding,
    InspectionSignature,
    InspectionVisit,
)
from server.programme.model import Programme
from server.rules.supervision import InspectionKind
from server.services.admissions.commitments import Commitment, commitments_of


@dataclass(frozen=True, slots=True)
class VisitShown:
    """A visit, with its organisation, what it found, and what was promised where that is looked at."""

    row: InspectionVisit
    findings: list[InspectionFinding]
    commitments: tuple[Commitment, ...] = ()


async def visit_shown(visit_id: int) -> VisitShown:
    """One visit as it stands."""
    row = await InspectionVisit.get(id=visit_id).select_related("organisation")
    return VisitShown(row, await InspectionFinding.filter(visit_id=row.id).order_by("id"))


async def visits_of(inspection: Inspection, programme: Programme) -> list[VisitShown]:
    """Every visit of an inspection, in the order of its plan."""
    found: dict[int, list[InspectionFinding]] = {}
    for one in await InspectionFinding.filter(visit__inspection_id=inspection.id).order_by("id"):
        found.setdefault(one.visit_id, []).append(one)
    rows = InspectionVisit.filter(inspection_id=inspection.id).select_related("organisation")
    promised = inspection.kind is InspectionKind.COMMITMENT
    return [
        VisitShown(
            row,
            found.get(row.id, []),
            await commitments_of(programme, row.organisation_id, row.party) if promised else (),
        )
        for row in await rows.order_by("id")
    ]


async def signatures_of(inspection: Inspection) -> list[InspectionSignature]:
    """Who signed it, in their order."""
    return await InspectionSignature.filter(inspection_id=inspection.id).order_by("id")
