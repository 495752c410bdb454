"""Anomaly facts: everything the rules look at about one settlement, gathered from the books."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from server.models.files import FileAttachment
from server.models.orders import Order
from server.models.organisations import Organisation
from server.models.reviews import ReviewDecision
from server.models.settlements import Settlement
from server.models.supervision import InspectionVisit
from server.programme.model import Programme
from server.programme.review import ReviewKind
from server.rules.anomalies import Deal, Facts
from server.rules.deadlines import day_of, year_bounds
from server.rules.invoice_checks import CHECKED
from server.rules.settlements import SettlementStatus
from server.services.orders.fair_price import prices_of
from server.services.supervision.contact_marks import ContactMarks

OUT = (SettlementStatus.DRAFT, SettlementStatus.WITHDRAWN, SettlementStatus.REFUSED)
"""What was not handed in, or came to nothing, is no part of a provider's year."""
LOOKED = (ReviewKind.SITE_INSPECTION, ReviewKind.SPOT_CHECK)
"""Steps in which somebody looks at the service itself."""
MOST = 2000
"""So many of the newest settlements of a provider's year are looked at."""


async def facts_of(
    settlements: Sequence[Settlement], programme: Programme, marks: ContactMarks, *, now: datetime
) -> Mapping[int, Facts]:
    """The facts of settlements of one provider and year, as they stand; their sides are marked on the way."""
    orders = {one.id: one for one in await Order.filter(id__in=[one.order_id for one in settlements])}
    sides = {side for one in orders.values() for side in (one.enterprise_id, one.provider_id)}
    marked = await marks.renew(sorted(sides), now=now)
    year = await _year(settlements, programme, marks)
    inspectors = await _inspectors(settlements[0].provider_id, programme.slug)
    found: dict[int, Facts] = {}
    for settlement in settlements:
        order = orders[settlement.order_id]
        ours = marked.get(order.provider_id, frozenset())
        prices = await prices_of(programme, order)
        found[settlement.id] = Facts(
            deal=year[settlement.id],
            year_ends=year_bounds(programme, day_of(now))[1],
            year=list(year.values()),
            own_fen=prices.own,
            peers_fen=prices.category,
            same_files=await _same_files(order),
            shared={kind for kind, _ in ours & marked.get(order.enterprise_id, frozenset())},
            sharing=await marks.providers_sharing(
                ours, programme.slug, but=[order.provider_id, order.enterprise_id]
            ),
            inspectors=inspectors,
        )
    return found


async def _year(
    settlements: Sequence[Settlement], programme: Programme, marks: ContactMarks
) -> Mapping[int, Deal]:
    one, ids = settlements[0], [each.id for each in settlements]
    of_year = (
        Settlement.filter(programme_slug=programme.slug, provider_id=one.provider_id, year=one.year)
        .exclude(status__in=list(OUT))
        .select_related("order", "application")
    )
    newest = await of_year.order_by("-id").limit(MOST)
    # However many came after them, those that are looked at are among them.
    rows = [*newest, *await of_year.filter(id__in=set(ids) - {row.id for row in newest})]
    enterprises = {row.enterprise_id for row in rows}
    names = dict(await Organisation.filter(id__in=list(enterprises)).values_list("id", "name"))
    persons = await marks.persons_of(enterprises)
    return {
        row.id: Deal(
            number=row.order.number,
            enterprise_id=row.enterprise_id,
            enterprise=names[row.enterprise_id],
            persons=persons.get(row.enterprise_id, frozenset()),
            price_fen=row.order.contract_fen or row.order.price_fen,
            amount_fen=row.amount_fen or row.ledger_fen,
            cap_fen=_cap(programme, row.category),
            placed_on=day_of(row.order.placed_at),
            submitted_on=day_of(row.application.submitted_at or row.order.placed_at),
        )
        for row in rows
    }


def _cap(programme: Programme, category: str) -> int | None:
    rule = programme.deduction_for(category)
    caps = [one for one in (rule.project_cap_fen, rule.contract_cap_fen) if one is not None]
    return min(caps) if caps else None


async def _same_files(order: Order) -> Collection[str]:
    """Other orders for which the very bytes of one of this order's invoices or receipts were handed in."""
    own = FileAttachment.filter(subject=f"order:{order.id}", file__kind__in=list(CHECKED))
    hashes = set(await own.values_list("file__original_id", flat=True))
    if not hashes:
        return ()
    others = FileAttachment.filter(file__original_id__in=list(hashes), subject__startswith="order:")
    subjects = set(await others.exclude(subject=f"order:{order.id}").values_list("subject", flat=True))
    ids = [int(str(one).removeprefix("order:")) for one in subjects]
    return [str(one) for one in await Order.filter(id__in=ids).values_list("number", flat=True)]


async def _inspectors(provider_id: int, slug: str) -> list[int]:
    """Who looked at a provider's cases, on site or in a sample, newest first."""
    cases = Settlement.filter(provider_id=provider_id, programme_slug=slug, case_id__not_isnull=True)
    ids = await cases.order_by("-id").limit(MOST).values_list("case_id", flat=True)
    decided = ReviewDecision.filter(
        case_id__in=list(ids), kind__in=list(LOOKED), reviewer_id__not_isnull=True
    )
    reviewers = await decided.order_by("-id").values_list("reviewer_id", flat=True)
    visits = InspectionVisit.filter(
        organisation_id=provider_id, inspection__programme_slug=slug, inspector_id__not_isnull=True
    )
    visitors = await visits.order_by("-id").values_list("inspector_id", flat=True)
    return [int(str(one)) for one in (*reviewers, *visitors)]
