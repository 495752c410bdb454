"""Related parties: what ties an enterprise to the provider it orders from, gathered and judged.

Gathered from what both sides declared, from the last forms each handed in anywhere, and from the accounts
that act for them. Personal numbers are opened to be compared, and go no further than that.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from server.models.offerings import OfferingVersion
from server.models.orders import Order
from server.models.organisations import MemberRole, Membership, Organisation
from server.models.registrations import Submission
from server.models.relations import OrderFinding
from server.programme.model import Programme
from server.programme.people import ConditionKind
from server.programme.vocabulary import Actor as Role
from server.rules.deadlines import day_of, start_of, year_bounds
from server.rules.eligibility import label_valid
from server.rules.findings import FindingKind, Findings, Weight
from server.rules.forms import OF_PERSON
from server.rules.orders import LIVE, OrderStatus
from server.rules.related_parties import Behind, Known, Who, address, findings_of, person, phone, ties
from server.sealing import Sealer
from server.services.admissions import attestations
from server.services.admissions.assessments import operator_codes
from server.services.admissions.recognitions import recognised_kinds
from server.services.organisations import tie_declarations

REPRESENTATIVE = MemberRole.LEGAL_REPRESENTATIVE.value
"""How the forms of all programmes call the legal representative."""
COUNTS = frozenset({*LIVE, OrderStatus.DONE})
"""Orders that use, or used, public money."""


class RelatedParties:
    """Asks what ties two sides. ``sealer`` opens what must be compared."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    async def findings(
        self,
        programme: Programme,
        enterprise: Organisation,
        provider: Organisation,
        *,
        category: str,
        service: str,
        offering_version: OfferingVersion | None = None,
        other_public_money: bool = False,
        now: datetime,
    ) -> Findings:
        """What the programme forbids between these two, and what its operator is to look at.

        ``other_public_money`` is what the enterprise says itself (LS-78, GZ-56).
        """
        behind = await self.behind([enterprise.id, provider.id])
        before, elsewhere = await _ordered_before(programme, enterprise, provider, offering_version, now)
        recognised = await recognised_kinds(programme, provider, now=now)
        kinds = {service, _category_name(programme, category)}
        kinds |= set() if offering_version is None else set(offering_version.kinds)
        return findings_of(
            programme,
            Known(
                enterprise_area=enterprise.area,
                provider_labels=await _recognitions(programme, provider, now),
                provider_is_operator=await _runs(programme, provider),
                subsidised_before=before,
                other_public_money=other_public_money,
                ordered_elsewhere=elsewhere,
                # A list that says nothing of kinds forbids nothing.
                within_recognition=not recognised or not recognised.isdisjoint(kinds),
                ties=ties(behind[enterprise.id], behind[provider.id]),
            ),
        )

    async def behind(self, organisation_ids: Collection[int]) -> Mapping[int, Behind]:
        """Who stands behind each, by everything that anybody said."""
        ids = sorted(set(organisation_ids))
        forms: dict[int, Submission] = {}
        handed_in = Submission.filter(registration__organisation_id__in=ids)
        for one in await handed_in.select_related("registration").order_by("number"):
            forms[one.registration_id] = one
        members = await Membership.filter(organisation_id__in=ids).select_related("person")
        behind = {}
        for organisation in await Organisation.filter(id__in=ids):
            own = [one for one in forms.values() if one.registration.organisation_id == organisation.id]
            acting = [one for one in members if one.organisation_id == organisation.id]
            declared = await tie_declarations.latest(organisation.id)
            said = None if declared is None else tie_declarations.opened(declared, self._sealer)
            representatives, phones = self._from_forms(own)
            phones |= {
                self._sealer.open(one.person.phone_sealed)
                for one in acting
                if one.active and one.person.phone_sealed
            }
            people: frozenset[Who] = frozenset()
            firms: frozenset[Who] = frozenset()
            if said is not None:
                representatives.add(person(said.representative, said.representative_id))
                phones |= set(said.phones)
                holders = said.shareholders
                people = frozenset(person(one.name, one.number) for one in holders if one.is_person)
                firms = frozenset(person(one.name, one.number) for one in holders if not one.is_person)
            behind[organisation.id] = Behind(
                uscc=organisation.uscc,
                name=organisation.name,
                representatives=frozenset(representatives),
                people_holding=people,
                firms_holding=firms,
                members=frozenset(one.person_id for one in acting),
                phones=frozenset(filter(None, map(phone, phones))),
                addresses=frozenset(filter(None, [address(said.address)] if said else [])),
            )
        return behind

    def _from_forms(self, forms: Collection[Submission]) -> tuple[set[Who], set[str]]:
        """Representatives and telephones of the forms that were handed in."""
        representatives, phones = set(), set()
        for form in forms:
            for key, sealed in form.sealed.items():
                code = key.rpartition(".")[2]
                if not code.endswith(OF_PERSON):
                    phones.add(self._sealer.open(sealed))
                elif code == REPRESENTATIVE + OF_PERSON:
                    name = str(form.values.get(key.removesuffix(OF_PERSON), ""))
                    representatives.add(person(name, self._sealer.open(sealed)))
        return representatives, phones


async def keep(order_id: int, kind: FindingKind, findings: Findings, *, now: datetime) -> None:
    """Keep what was found about an order with it, inside the transaction that places or changes it."""
    weighed = [(Weight.FORBIDS, one) for one in findings.forbidden]
    weighed += [(Weight.HOLDS, one) for one in findings.warned]
    await OrderFinding.bulk_create(
        [
            OrderFinding(
                order_id=order_id,
                kind=kind,
                weight=weight,
                code=one.code,
                clause=one.clause,
                message=one.message,
                arithmetic=one.arithmetic,
                found_at=now,
            )
            for weight, one in weighed
        ]
    )


async def of_order(order_id: int) -> list[OrderFinding]:
    """Everything that was found about an order, oldest first."""
    return await OrderFinding.filter(order_id=order_id).order_by("id")


async def _ordered_before(
    programme: Programme,
    enterprise: Organisation,
    provider: Organisation,
    version: OfferingVersion | None,
    now: datetime,
) -> tuple[bool, bool]:
    """Whether the enterprise bought this product with a voucher in an earlier year, or elsewhere in this one.

    The product is the offering, or one of the same name of the same provider; without one there is nothing
    to compare.
    """
    if version is None:
        return False, False
    rows = await Order.filter(
        enterprise_id=enterprise.id, provider_id=provider.id, status__in=list(COUNTS), voucher_fen__gt=0
    )
    named = await OfferingVersion.filter(
        id__in=[row.offering_version_id for row in rows if row.offering_version_id is not None],
        name=version.name,
    ).only("id")
    of_one_name = {one.id for one in named}
    same = [
        row
        for row in rows
        if row.offering_id == version.offering_id or row.offering_version_id in of_one_name
    ]
    year_begins = start_of(year_bounds(programme, day_of(now))[0])
    before = any(row.placed_at < year_begins for row in same)
    return before, any(row.placed_at >= year_begins and row.programme_slug != programme.slug for row in same)


async def _recognitions(programme: Programme, provider: Organisation, now: datetime) -> frozenset[str]:
    """The recognitions by which the programme admits a provider, those that count today."""
    wanted = {
        code
        for condition in programme.provider_conditions
        if condition.kind is ConditionKind.LABEL_REQUIRED
        for code in condition.labels
    }
    if not wanted:
        return frozenset()
    held = await attestations.labels_of(provider)
    return frozenset(
        one.code for one in held if one.code in wanted and label_valid(programme, one, day_of(now))
    )


async def _runs(programme: Programme, provider: Organisation) -> bool:
    """Whether the provider is the organisation that runs the programme (YC-29, NX-35)."""
    if address(provider.name) == address(programme.role(Role.OPERATOR).name):
        return True
    return provider.uscc in await operator_codes(programme.slug)


def _category_name(programme: Programme, code: str) -> str:
    category = programme.category(code)
    return code if category is None else category.name
