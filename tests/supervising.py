"""Supervising: the court, and the office of supervision beside it, without HTTP."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

from server.models.organisations import Organisation, Qualification
from server.models.settlements import Settlement, SettlementApplication
from server.programme.supervision import load_anomaly_defaults, load_supervision_defaults
from server.programme.vocabulary import Party
from server.rules.lifecycles import QualificationStatus
from server.rules.orders import OrderStatus
from server.rules.settlements import SettlementApplicationStatus, SettlementStatus
from server.services.related_parties import RelatedParties
from server.services.shared_table import TableChecks
from server.services.supervision_office import SupervisionOffice
from server.units import yuan_to_fen
from tests.contracting import SEALER
from tests.factories import make_enterprise
from tests.ordering import make_order
from tests.sanctioning import Court

_numbers = count(1)


class Watch(Court):
    """Everybody who supervises, and orders that were handed in."""

    def __init__(self) -> None:
        super().__init__()
        self.office = SupervisionOffice(
            self.programmes,
            self.clocks,
            defaults=load_supervision_defaults(Path("config/supervision.toml")),
            thresholds=load_anomaly_defaults(Path("config/anomalies.toml")),
            sealer=SEALER,
            related=RelatedParties(SEALER),
            checks=TableChecks(),
            sanctions=self.sanctions.cases,
        )

    async def serving(self, slug: str, **facts: Any) -> Organisation:
        """A provider that is admitted."""
        provider = await make_enterprise(**facts)
        await Qualification.create(
            organisation_id=provider.id,
            party=Party.PROVIDER,
            programme_slug=slug,
            programme_version=self.programme(slug).version,
            status=QualificationStatus.APPROVED,
            applied_at=self.at(slug),
            decided_at=self.at(slug),
            decided_by=1,
            snapshot={},
        )
        return provider

    def at(self, slug: str) -> Any:
        """The instant of a programme."""
        return self.clocks.now(slug)

    async def handed_in(
        self, slug: str, provider: Organisation, enterprise: Organisation | None = None, **order: Any
    ) -> Settlement:
        """A settlement under review of a finished order, as the database keeps it."""
        programme, now = self.programme(slug), self.at(slug)
        enterprise = enterprise or await make_enterprise()
        made = await make_order(
            programme, enterprise, provider, at=now, step=None, status=OrderStatus.DONE, **order
        )
        number = next(_numbers)
        application = await SettlementApplication.create(
            number=f"SA{number}",
            programme_slug=slug,
            programme_version=programme.version,
            provider_id=provider.id,
            status=SettlementApplicationStatus.SUBMITTED,
            actor="person:1",
            opened_at=now,
            submitted_at=now,
        )
        return await Settlement.create(
            number=f"S{number}",
            application_id=application.id,
            order_id=made.id,
            provider_id=provider.id,
            enterprise_id=enterprise.id,
            programme_slug=slug,
            category=made.category,
            status=SettlementStatus.IN_REVIEW,
            asked_fen=yuan_to_fen(3_000),
            ledger_fen=yuan_to_fen(3_000),
            amount_fen=yuan_to_fen(3_000),
            year=programme.year_of(now),
            line_at=now,
        )
