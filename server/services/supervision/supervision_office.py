"""The office of supervision: its services, put together once."""

from __future__ import annotations

from server.gateways.contract_checks import ContractChecks
from server.programme.registry import Programmes
from server.programme.supervision import AnomalyDefaults, SupervisionDefaults
from server.sealing import Sealer
from server.services.admissions.related_parties import RelatedParties
from server.services.clocks import ProgrammeClocks
from server.services.sanctions.sanctions import Sanctions
from server.services.supervision.anomalies import Anomalies
from server.services.supervision.call_backs import CallBacks
from server.services.supervision.contact_marks import ContactMarks
from server.services.supervision.data_services import DataServices
from server.services.supervision.evaluations import Evaluations
from server.services.supervision.fund_audits import FundAudits
from server.services.supervision.inspection_visits import InspectionVisits
from server.services.supervision.inspections import Inspections
from server.services.supervision.rectifications import Rectifications
from server.services.supervision.supervision_book import SupervisionBook
from server.services.supervision.supervision_proposals import proposing


class SupervisionOffice:
    """Everything that supervises, each part under its own name."""

    def __init__(
        self,
        programmes: Programmes,
        clocks: ProgrammeClocks,
        *,
        defaults: SupervisionDefaults,
        thresholds: AnomalyDefaults,
        sealer: Sealer,
        related: RelatedParties,
        checks: ContractChecks,
        sanctions: Sanctions,
    ) -> None:
        self.defaults = defaults
        self.book = SupervisionBook(programmes, clocks)
        self.inspections = Inspections(self.book, defaults)
        self.visits = InspectionVisits(self.inspections)
        self.rectifications = Rectifications(self.book)
        self.call_backs = CallBacks(self.book, defaults)
        self.anomalies = Anomalies(self.book, thresholds, ContactMarks(related, sealer), proposing(sanctions))
        self.audits = FundAudits(self.book, defaults)
        self.evaluations = Evaluations(self.book)
        self.data = DataServices(self.book, checks)

    async def mind(self, slug: str) -> int:
        """What a day brings in one programme: what is overdue, and what the year still owes."""
        return await self.rectifications.tell_overdue(slug) + await self.inspections.remind(slug)
