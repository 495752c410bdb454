"""Contract watch: contracts that are behind schedule or at risk, each with its reasons (LS-71, GX-57)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from server import texts
from server.errors import Unmet
from server.models.complaints import Complaint
from server.models.orders import Order
from server.models.organisations import Qualification
from server.models.supervision import RectificationTask
from server.programme.model import Programme
from server.programme.supervision import SupervisionDefaults
from server.programme.vocabulary import Party
from server.rules.complaints import ComplaintStatus, SubjectKind
from server.rules.deadlines import day_of, told
from server.rules.lifecycles import QualificationStatus
from server.rules.orders import LIVE
from server.rules.supervision import RectificationStatus

MOST = 1000
PAGE = 50
OVER = (QualificationStatus.SUSPENDED, QualificationStatus.DELISTED, QualificationStatus.REVOKED)


@dataclass(slots=True, kw_only=True)
class Watched:
    """An order whose contract somebody should look after. ``behind``: a date has passed already."""

    order: Order
    behind: bool = False
    reasons: list[Unmet] = field(default_factory=list)


async def watched(
    programme: Programme, defaults: SupervisionDefaults, *, now: datetime, after: int = 0
) -> list[Watched]:
    """Orders under way that are behind or at risk, by id, one page and one more.

    Behind: a step's deadline or the day of acceptance is over. At risk: it comes near, the provider is held,
    a complaint is open, something is to be put right.
    """
    soon = now + timedelta(days=defaults.at_risk_natural_days)
    orders = (
        await Order.filter(programme_slug=programme.slug, status__in=list(LIVE), id__gt=after)
        .select_related("contract", "enterprise", "provider")
        .order_by("id")
        .limit(MOST)
    )
    complained = {
        one.subject_id
        for one in await Complaint.filter(
            sealed=False,
            programme_slug=programme.slug,
            subject=SubjectKind.ORDER,
            subject_id__in=[one.id for one in orders],
            status__in=[ComplaintStatus.FILED, ComplaintStatus.IN_HAND],
        )
    }
    providers = {one.provider_id for one in orders}
    held = {
        one.organisation_id
        for one in await Qualification.filter(
            organisation_id__in=list(providers),
            programme_slug=programme.slug,
            party=Party.PROVIDER,
            status__in=list(OVER),
        )
    }
    to_rectify: dict[int, int] = defaultdict(int)
    for one in await RectificationTask.filter(
        organisation_id__in=list(providers),
        programme_slug=programme.slug,
        status=RectificationStatus.OPEN,
        due_at__lte=now,
    ):
        to_rectify[one.organisation_id] += 1
    found = []
    for order in orders:
        row = Watched(order=order)
        _dates(row, soon, now)
        if order.id in complained:
            row.reasons.append(_reason("complaint"))
        if order.provider_id in held:
            row.reasons.append(_reason("provider_held"))
        if to_rectify[order.provider_id]:
            row.reasons.append(_reason("rectification", count=to_rectify[order.provider_id]))
        if row.reasons:
            found.append(row)
        if len(found) > PAGE:
            break
    return found


def _dates(row: Watched, soon: datetime, now: datetime) -> None:
    order, today = row.order, day_of(now)
    due = order.step_due_at
    if due is not None and due <= soon:
        code = "step_late" if due <= now else "step_soon"
        row.behind |= due <= now
        row.reasons.append(_reason(code, due=told(due)))
    accepted_by = None if order.contract is None else order.contract.acceptance_on
    if accepted_by is not None and accepted_by <= day_of(soon):
        late = accepted_by < today
        row.behind |= late
        row.reasons.append(_reason("contract_late" if late else "contract_soon", due=accepted_by.isoformat()))


def _reason(code: str, **values: object) -> Unmet:
    return Unmet(code, "", texts.WATCH_REASONS[code].format(**values))
