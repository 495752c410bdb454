"""The people of a launch: enterprises, those who act for them, and a signed-in phone for each.

Written in bulk straight into the tables, as a year of onboarding would have left them. Everything that
the launch itself is about (budget, round, entitlements) is made afterwards through the API.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from stdnum.cn import uscc as standard_uscc

from server.app import AUDIENCE, ISSUER
from server.database import close_database, open_database
from server.models.organisations import MemberRole, Membership, Organisation, Qualification
from server.models.people import Person, SessionFamily, Staff
from server.programme.model import Programme
from server.rules.lifecycles import QualificationStatus
from server.services.access import StaffRole
from server.services.accounts.tokens import AccessTokens

BATCH = 500
TWO_OF_ONE_ENTERPRISE = 0.1
"""Share of the phones whose owner has a colleague pressing at the same time."""
NOT_QUALIFIED = 0.05
LARGER_FACE = 0.25


@dataclass(frozen=True, slots=True)
class Phone:
    """Somebody signed in, and the enterprise they act for."""

    id: int
    enterprise_id: int
    token: str


@dataclass(frozen=True, slots=True)
class Crowd:
    """Everybody who will press, and the operator's token."""

    phones: tuple[Phone, ...]
    operator_token: str

    def as_json(self) -> list[dict[str, Any]]:
        """The phones in plain values, for the process that plays them."""
        return [asdict(phone) for phone in self.phones]


async def seed(
    url: str,
    programme: Programme,
    *,
    phones: int,
    mixed: bool,
    keys: dict[str, str],
    now: datetime,
    random: Random,
) -> Crowd:
    """Fill a migrated database with so many phones; ``mixed`` gives a quarter the larger face value."""
    context = await open_database(url)
    try:
        tokens = AccessTokens(keys, issuer=ISSUER, audience=AUDIENCE)
        pairs = int(phones * TWO_OF_ONE_ENTERPRISE / 2)
        enterprises = await _enterprises(programme, phones - pairs, mixed, now, random)
        acting_for = enterprises + enterprises[:pairs]
        return await _people(acting_for, pairs, tokens, now, random)
    finally:
        await close_database(context)


async def _enterprises(
    programme: Programme, count: int, mixed: bool, now: datetime, random: Random
) -> list[int]:
    tiers = sorted(programme.issuance.tiers, key=lambda tier: tier.face_value_fen)
    larger = sorted(tiers[-1].any_of)[:1]
    rows = []
    for number in range(1, count + 1):
        code = f"91999999MA{number:07d}"
        rows.append(
            Organisation(
                uscc=code + standard_uscc.calc_check_digit(code),
                name=f"Organisation {number}",
                area=programme.areas[0],
                industry="C",
                legal_person=True,
                established_on=date(2015, 1, 1),
                headcount=60,
                revenue_fen=1_000_000_000,
                assets_fen=800_000_000,
                labels=larger if mixed and random.random() < LARGER_FACE else [],
                created_at=now,
                facts_changed_at=now,
            )
        )
    await Organisation.bulk_create(rows, batch_size=BATCH)
    ids: list[int] = await Organisation.all().order_by("id").values_list("id", flat=True)  # type: ignore[assignment]
    refused = frozenset(random.sample(ids, int(count * NOT_QUALIFIED)))
    await Qualification.bulk_create(
        [
            Qualification(
                organisation_id=enterprise_id,
                programme_slug=programme.slug,
                programme_version=programme.version,
                status=QualificationStatus.REFUSED
                if enterprise_id in refused
                else QualificationStatus.APPROVED,
                applied_at=now,
                snapshot={},
                unmet=[],
                decided_at=now,
            )
            for enterprise_id in ids
        ],
        batch_size=BATCH,
    )
    return ids


async def _people(
    acting_for: list[int], pairs: int, tokens: AccessTokens, now: datetime, random: Random
) -> Crowd:
    """One person for each entry; the last ``pairs`` are colleagues of the first."""
    await Person.bulk_create(
        [Person(account=f"launch-{number}", created_at=now) for number in range(len(acting_for))],
        batch_size=BATCH,
    )
    people: list[int] = await Person.all().order_by("id").values_list("id", flat=True)  # type: ignore[assignment]
    first_colleague = len(acting_for) - pairs
    await Membership.bulk_create(
        [
            Membership(
                person_id=person_id,
                organisation_id=enterprise_id,
                role=MemberRole.HANDLER if number < first_colleague else MemberRole.STAFF,
                created_at=now,
            )
            for number, (person_id, enterprise_id) in enumerate(zip(people, acting_for, strict=True))
        ],
        batch_size=BATCH,
    )
    operator = await Staff.create(
        username="launch",
        password_hash="",
        display_name="Launch",
        roles=[StaffRole.OPERATOR.value],
        created_at=now,
    )
    families = {person_id: UUID(int=random.getrandbits(128)) for person_id in [*people, -operator.id]}
    await SessionFamily.bulk_create(
        [
            SessionFamily(
                id=family,
                person_id=owner if owner > 0 else None,
                staff_id=None if owner > 0 else operator.id,
                created_at=now,
                last_used_at=now,
                expires_at=now + timedelta(days=1),
            )
            for owner, family in families.items()
        ],
        batch_size=BATCH,
    )

    def token(subject: str, owner: int) -> str:
        written, _ = tokens.issue(subject, session_id=families[owner], version=1, now=datetime.now(UTC))
        return written

    return Crowd(
        tuple(
            Phone(person_id, enterprise_id, token(f"person:{person_id}", person_id))
            for person_id, enterprise_id in zip(people, acting_for, strict=True)
        ),
        token(f"staff:{operator.id}", -operator.id),
    )
