"""Reading contract references, and finding the names their parties bore on a day."""

from __future__ import annotations

from datetime import date

from tortoise.expressions import Q

from server.models.contracts import Contract
from server.models.organisations import NameRecord, Organisation
from server.programme.vocabulary import Party
from server.rules.deadlines import end_of, start_of
from server.services import access
from server.services.access import Actor, NotFound

PAPER = "contract"
"""As which document the pages of a contract are handed in."""


def subject_of(contract: Contract) -> str:
    """As what the journal and the files know a contract."""
    return f"contract:{contract.id}"


async def of_party(contract_id: int, *, actor: Actor) -> tuple[Contract, Party]:
    """A contract of the actor's own organisation, and which side that is. Raises ``NotFound``."""
    organisation_id = access.organisation_id_of(actor)
    contract = await Contract.get_or_none(id=contract_id)
    if contract is not None and contract.enterprise_id == organisation_id:
        return contract, Party.ENTERPRISE
    if contract is not None and contract.provider_id == organisation_id:
        return contract, Party.PROVIDER
    raise NotFound()


async def one(contract_id: int, *, actor: Actor) -> Contract:
    """A contract, for staff of its programme and of its enterprise's area. Raises ``NotFound``."""
    contract = await Contract.get_or_none(id=contract_id).select_related("enterprise")
    if contract is None:
        raise NotFound()
    access.require_programme(actor, contract.programme_slug)
    access.require_area(actor, contract.enterprise.area)
    return contract


async def page(*, actor: Actor, after: int, limit: int) -> list[Contract]:
    """The next ``limit`` contracts after an id: a person's own organisation's, a member of staff's all."""
    wanted = Contract.filter(id__gt=after)
    if actor.kind == "person":
        mine = access.organisation_id_of(actor)
        wanted = wanted.filter(Q(enterprise_id=mine) | Q(provider_id=mine))
    else:
        wanted = wanted.filter(
            access.within_programmes(actor, "programme_slug"), access.within_areas(actor, "enterprise__area")
        )
    return await wanted.order_by("id").limit(limit)


async def names_on(organisation: Organisation, day: date) -> frozenset[str]:
    """Every name an organisation bore at some instant of a day; a contract may carry any of them (GZ-64)."""
    later = NameRecord.filter(organisation_id=organisation.id, until__gt=start_of(day))
    borne: set[str] = set()
    for record in await later.order_by("until"):
        borne.add(record.name)
        if record.until >= end_of(day):
            return frozenset(borne)
    return frozenset({*borne, organisation.name})
