"""Ordering: orders as the database keeps them, for tests of what follows from one."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from typing import Any

from server.models.offerings import Offering, OfferingVersion
from server.models.orders import Order
from server.models.organisations import Organisation, Qualification
from server.programme.model import Programme
from server.programme.steps import StepKind
from server.programme.vocabulary import Party
from server.rules.lifecycles import QualificationStatus
from server.rules.offerings import DraftStatus, OfferingStatus
from server.rules.orders import OrderStatus
from server.units import yuan_to_fen
from tests.town import Caller, Town

_numbers = count(1)


async def organisation_of(caller: Caller) -> Organisation:
    """Whom somebody acts for."""
    mine = await caller.get("organisations/mine")
    return await Organisation.get(id=mine.body["id"])


async def admit(organisation: Organisation, programme: Programme, party: Party, at: datetime) -> None:
    """Approve an organisation in a programme, whatever its conditions say."""
    await Qualification.create(
        organisation_id=organisation.id,
        party=party,
        programme_slug=programme.slug,
        programme_version=programme.version,
        status=QualificationStatus.APPROVED,
        applied_at=at,
        decided_at=at,
        decided_by=1,
        snapshot={},
    )


async def make_order(
    programme: Programme,
    enterprise: Organisation,
    provider: Organisation,
    *,
    at: datetime,
    step: StepKind | None = StepKind.RATE,
    **others: Any,
) -> Order:
    """An open order between two organisations that has come to this step."""
    number = next(_numbers)
    known: dict[str, Any] = {
        "number": f"T{number:09d}",
        "programme_slug": programme.slug,
        "programme_version": programme.version,
        "enterprise_id": enterprise.id,
        "provider_id": provider.id,
        "category": programme.categories[0].code,
        "service": programme.categories[0].covers[0] if programme.categories[0].covers else "",
        "project": f"第{number}号数字化诊断",
        "kind": programme.voucher_kinds[0].code if len(programme.voucher_kinds) > 1 else "",
        "price_fen": yuan_to_fen(100_000),
        "voucher_fen": yuan_to_fen(30_000),
        "status": OrderStatus.OPEN,
        "step": step,
        "step_since": at,
        "opened_by": Party.ENTERPRISE,
        "placed_at": at,
    }
    return await Order.create(**{**known, **others})


async def make_listed(
    programme: Programme, provider: Organisation, *, category: str, at: datetime, **others: Any
) -> Offering:
    """An offering of a provider as it stands in the marketplace, reviewed or not."""
    offering = await Offering.create(
        programme_slug=programme.slug,
        provider_id=provider.id,
        status=OfferingStatus.LISTED,
        draft_status=DraftStatus.PASSED,
        created_at=at,
        saved_at=at,
        saved_by=1,
    )
    known: dict[str, Any] = {
        "number": 1,
        "programme_version": programme.version,
        "category": category,
        "service": "",
        "name": "精益管理咨询",
        "submitted_at": at,
        "submitted_by": 1,
        "listed_at": at,
    }
    version = await OfferingVersion.create(offering_id=offering.id, **{**known, **others})
    await Offering.filter(id=offering.id).update(current_version_id=version.id)
    return await Offering.get(id=offering.id)


async def two_sides(town: Town, slug: str) -> tuple[Caller, Caller]:
    """The handlers of an admitted enterprise and an admitted provider of a programme."""
    programme = town.programmes.get(slug)
    callers = (
        await town.handler(name="晨光精密机械有限公司"),
        await town.handler(name="远山数字技术有限公司"),
    )
    for caller, party in zip(callers, Party, strict=True):
        await admit(await organisation_of(caller), programme, party, town.now)
    return callers
