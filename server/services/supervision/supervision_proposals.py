"""Supervision's proposals: a finding of the monitoring becomes a case of the sanctions (YC-40)."""

from __future__ import annotations

from server.models.monitoring import AnomalyFinding
from server.models.sanctions import SanctionCase
from server.programme.vocabulary import Party
from server.rules.sanction_cases import SanctionSource
from server.services.access import Actor
from server.services.sanctions.sanctions import Proposal, Sanctions
from server.services.supervision.anomalies import ProposeSanction


def proposing(sanctions: Sanctions) -> ProposeSanction:
    """How a sanction is proposed on a finding: of its provider, and of its order alone."""

    async def propose(
        finding: AnomalyFinding, ground: str, facts: str, serious: bool, actor: Actor
    ) -> SanctionCase:
        return await sanctions.propose(
            Proposal(
                programme_slug=finding.programme_slug,
                organisation_id=finding.provider_id,
                party=Party.PROVIDER,
                ground=ground,
                facts=facts,
                orders=[finding.order_id],
                vouchers=None,
                serious=serious,
                source=SanctionSource.ANOMALY,
                source_id=finding.id,
            ),
            actor=actor,
        )

    return propose
