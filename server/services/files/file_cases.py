"""Cases of files: whoever may see the case that a file was handed in with sees the file, whoever uploaded it.

What an inspector photographed, the treasury that holds the inspection with others reads too, and the auditor
after them. The case says who: by role, and by the area of the organisation that it is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from server.models.organisations import Organisation
from server.models.reviews import ReviewCase
from server.models.sanctions import SanctionCase
from server.models.supervision import InspectionVisit, RectificationTask
from server.programme.registry import Programmes
from server.rules.eligibility import lies_within
from server.services.access import IN_THE_FILES, SUPERVISORS, Actor, StaffRole

SUPERVISING = SUPERVISORS | {StaffRole.AUDITOR, StaffRole.OVERSIGHT_BODY}
"""Who reads what supervision found; a district department has no part in it."""
PAYING = IN_THE_FILES | {StaffRole.TREASURY}
"""Who reads what the bank and the fund's keeper said."""
DECIDING = IN_THE_FILES | {StaffRole.TREASURY, StaffRole.INSPECTOR}
READERS: Mapping[str, frozenset[str]] = {
    "inspection": SUPERVISING,
    "inspection_visit": SUPERVISING,
    "rectification": SUPERVISING,
    "evaluation": SUPERVISING,
    "operator_audit": SUPERVISING,
    "audit_report": SUPERVISING,
    "payment": PAYING,
    "payment_batch": PAYING,
    "fund_entry": PAYING,
    "sanction": DECIDING,
}
"""By the noun of a subject (``inspection_visit:7``). The areas of three of them are looked up."""


@dataclass(frozen=True, slots=True)
class FileCase:
    """Who reads a case, and in which area it lies; without one, it is everybody's of the programme."""

    readers: frozenset[str]
    area: str | None = None

    def seen_by(self, actor: Actor) -> bool:
        """Whether a member of staff of its programme may see it."""
        within = self.area is None or not actor.areas or lies_within(self.area, actor.areas)
        return within and not actor.roles.isdisjoint(self.readers)


async def case_of(subject: str, slug: str, programmes: Programmes) -> FileCase | None:
    """The case that a file is attached to; ``None`` where who sees it follows from something else."""
    noun, _, number = subject.partition(":")
    if noun == "review":
        case = await ReviewCase.get_or_none(id=int(number))
        chain = None if case is None else programmes.get(slug).review(case.subject)
        steps = frozenset() if chain is None else frozenset(step.by.value for step in chain.steps)
        return FileCase(IN_THE_FILES | steps, await _area(None if case is None else case.organisation_id))
    readers = READERS.get(noun)
    return None if readers is None else FileCase(readers, await _area(await _concerned(noun, int(number))))


async def _concerned(noun: str, row_id: int) -> int | None:
    """The organisation that a case is about, where it is about one."""
    if noun == "inspection_visit":
        visit = await InspectionVisit.get_or_none(id=row_id)
        return None if visit is None else visit.organisation_id
    if noun == "rectification":
        task = await RectificationTask.get_or_none(id=row_id)
        return None if task is None else task.organisation_id
    if noun == "sanction":
        case = await SanctionCase.get_or_none(id=row_id)
        return None if case is None else case.against_id
    return None


async def _area(organisation_id: int | None) -> str | None:
    organisation = await Organisation.get_or_none(id=organisation_id) if organisation_id else None
    return None if organisation is None else organisation.area
