"""The complaints office: its services put together, once for each process."""

from __future__ import annotations

from server.programme.complaints import ComplaintDefaults
from server.programme.registry import Programmes
from server.sealing import Sealer
from server.services.clocks import ProgrammeClocks
from server.services.complaints.accusations import Accusations
from server.services.complaints.complaint_book import ComplaintBook
from server.services.complaints.complaint_clock import ComplaintClock
from server.services.complaints.complaint_desk import ComplaintDesk
from server.services.complaints.complaint_files import ComplaintFiles
from server.services.complaints.complaint_handling import ComplaintHandling
from server.services.complaints.complaints import Complaints
from server.services.files.evidence import Evidence
from server.services.working_days import WorkingDays


class ComplaintOffice:
    """Everything there is to do with complaints, each part under its name."""

    def __init__(
        self,
        programmes: Programmes,
        clocks: ProgrammeClocks,
        working_days: WorkingDays,
        *,
        defaults: ComplaintDefaults,
        sealer: Sealer,
        evidence: Evidence,
    ) -> None:
        self.book = ComplaintBook(programmes, clocks, working_days, defaults, sealer)
        self.complaints = Complaints(self.book)
        self.desk = ComplaintDesk(self.complaints)
        self.handling = ComplaintHandling(self.desk)
        self.clock = ComplaintClock(self.handling)
        self.accusations = Accusations(self.book)
        self.evidence = evidence
        self.files = ComplaintFiles(self.book, self.complaints, evidence)
