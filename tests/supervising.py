"""Supervising: the court, and the office of supervision beside it, without HTTP."""

from __future__ import annotations

from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

from server.models.organisations import Organisation, Qualification
from server.models.sampling import SamplingDraw, SamplingItem
from server.models.settlements import Settlement, SettlementApplication
from server.models.supervision import InspectionVisit
from server.programme.review import Sampled
from server.programme.supervision import load_anomaly_defaults, load_supervision_defaults
from server.programme.vocabulary import Party
from server.rules.lifecycles import QualificationStatus
from server.rules.orders import OrderStatus
from server.rules.sampling import DrawStatus
from server.rules.settlements import SettlementApplicationStatus, SettlementStatus
from server.rules.supervision import InspectionKind
from server.services.admissions.related_parties import RelatedParties
from server.services.supervision.inspection_visits import Answer
from server.services.supervision.inspections import Subject
from server.services.supervision.shared_table import TableChecks
from server.services.supervision.supervision_office import SupervisionOffice
from server.units import yuan_to_fen
from tests.contracting import SEALER
from tests.factories import make_enterprise
from tests.ordering import make_order
from tests.sanctioning import Court

_numbers = count(1)
RIGHT, WRONG = Answer(right=True), Answer(right=False, note="不全")


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


async def planned(
    watch: Watch, slug: str, kind: InspectionKind, provider: Organisation, role: str, **more: Any
) -> tuple[Any, Any, InspectionVisit]:
    """A plan with one visit, and who made it."""
    actor = await watch.staff(role)
    plan = {
        "title": "走访服务机构",
        "planned_on": date(2026, 5, 18),
        "subjects": [Subject(organisation_id=provider.id, party=Party.PROVIDER)],
        "reason": "日常走访",
        **more,
    }
    made = await watch.office.inspections.plan(slug, kind, actor=actor, **plan)
    return made, actor, await InspectionVisit.filter(inspection_id=made.id).order_by("id").first()  # type: ignore[return-value]


async def all_right(watch: Watch, made: Any, visit: InspectionVisit, actor: Any, **more: Any) -> Any:
    """The visit recorded with nothing wrong."""
    return await watch.office.visits.record(
        visit.id,
        answers={one["code"]: RIGHT for one in made.items} | more.pop("answers", {}),
        seen=more.pop("seen", ()),
        opinion="情况属实",
        visited_on=more.pop("visited_on", date(2026, 5, 18)),
        version=visit.version,
        actor=actor,
    )


async def a_draw(
    watch: Watch, slug: str, over: Sampled, drawn: list[int], *, status: DrawStatus = DrawStatus.DRAWN
) -> int:
    """A draw of the programme's that drew these rows."""
    draw = await SamplingDraw.create(
        programme_slug=slug,
        programme_version=watch.programme(slug).version,
        code="satisfaction",
        name="抽查",
        over=over,
        share_bp=1_000,
        commitment="0" * 64,
        sealed_seed="",
        status=DrawStatus.ANNOUNCED,
        items=len(drawn),
        drawn=len(drawn),
        announced_by="staff:1",
        announced_at=watch.at(slug),
        drawn_at=watch.at(slug),
    )
    for turn, row in enumerate(drawn, start=1):
        await SamplingItem.create(draw_id=draw.id, key=f"{row:08d}", row_id=row, stratum="1-0", turn=turn)
    await SamplingDraw.filter(id=draw.id).update(status=status)
    return int(draw.id)


async def outcomes(draw: int) -> list[str | None]:
    """What the lines of a draw know of what came of them."""
    return list(await SamplingItem.filter(draw_id=draw).order_by("turn").values_list("outcome", flat=True))  # type: ignore[arg-type]
