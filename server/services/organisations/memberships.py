"""Memberships: who acts for an organisation, who joins, who leaves.

One place at a time for a person, one handler and one legal representative at a time for an organisation:
the first two are guarded by the table itself, the third by the organisation's lock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server.clock import Clock
from server.errors import Refusal
from server.gateways.live_feed import LiveFeed
from server.models.organisations import Invitation, MemberRole, Membership, Organisation
from server.programme.registry import Programmes
from server.services import access, allowances, journal, outbox, shared_clauses
from server.services.access import Actor, NotAllowed
from server.services.numbers import new_code

INVITATION_LASTS = timedelta(hours=48)

IN_CHARGE = frozenset({MemberRole.LEGAL_REPRESENTATIVE, MemberRole.HANDLER})
"""Who may invite, apply and change facts; an organisation always keeps one of them."""

MAY_END: dict[MemberRole, frozenset[MemberRole]] = {
    MemberRole.LEGAL_REPRESENTATIVE: frozenset(MemberRole),
    MemberRole.HANDLER: frozenset({MemberRole.STAFF}),
    MemberRole.STAFF: frozenset(),
}
"""Whose membership each role may end, besides its own."""

_LOCK_ALL = "SELECT id FROM organisation WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE"

# Crockford's alphabet: no I, L, O or U, so what is read aloud is written down right.
_CODE_LENGTH = 16
_GROUP = 4


class AlreadyMember(Refusal):
    """The person acts for an organisation already; one at a time."""

    status, code = 409, "already_member"


class HandlerTaken(Refusal):
    """The organisation has a handler already; one at a time (GZ-03, GZ-55)."""

    status, code = 409, "handler_taken"


class LegalRepresentativeTaken(Refusal):
    """The organisation's legal representative has joined already."""

    status, code = 409, "legal_representative_taken"


class InvitationUnusable(Refusal):
    """No such code, or it was used, or its time is over; nobody is told which."""

    status, code = 410, "invitation_unusable"


class LastInCharge(Refusal):
    """Without this person nobody could act for the organisation any more."""

    status, code = 409, "last_in_charge"


class Memberships:
    """The verbs on memberships. ``feed`` tells every worker at once whose rights have changed."""

    def __init__(self, programmes: Programmes, clock: Clock, feed: LiveFeed) -> None:
        self._one_handler = shared_clauses.of_one_handler(programmes)
        self._clock = clock
        self._feed = feed

    async def invite(self, role: MemberRole, *, actor: Actor) -> tuple[Invitation, str]:
        """An invitation into the actor's organisation and its one-time code, which is never shown again.

        Raises ``TooManyToday``.
        """
        organisation_id, now = access.organisation_id_of(actor), self._clock.now()
        code = _new_code()
        async with in_transaction():
            await lock(organisation_id)
            await allowances.require(
                Invitation.filter(organisation_id=organisation_id),
                "created_at",
                allowances.INVITATIONS,
                now=now,
            )
            invitation = await Invitation.create(
                organisation_id=organisation_id,
                role=role,
                code_hash=_hash(code),
                created_by=actor.id,
                created_at=now,
                expires_at=now + INVITATION_LASTS,
            )
            await journal.record(
                "invitation.made",
                f"organisation:{organisation_id}",
                actor=actor.name,
                at=now,
                invitation=invitation.id,
                role=role.value,
            )
        return invitation, code

    async def join(self, code: str, *, actor: Actor) -> Membership:
        """Take the place that an invitation offers.

        Raises :class:`InvitationUnusable`, :class:`AlreadyMember`, :class:`HandlerTaken` or
        :class:`LegalRepresentativeTaken`; the invitation is spent only if the place was taken.
        """
        now = self._clock.now()
        async with in_transaction():
            invitation = await Invitation.get_or_none(code_hash=_hash(code))
            if invitation is None:
                raise InvitationUnusable()
            organisation = await lock(invitation.organisation_id)
            # The WHERE clause is the lock: of two people with one code exactly one spends it.
            spent = await Invitation.filter(id=invitation.id, used_at=None, expires_at__gt=now).update(
                used_at=now
            )
            if not spent:
                raise InvitationUnusable()
            membership = await take_place(
                organisation, invitation.role, actor=actor, now=now, one_handler=self._one_handler
            )
        await self._feed.publish(actor.name)
        return membership

    async def end(self, membership_id: int, *, actor: Actor) -> None:
        """End a colleague's membership, or one's own; their sessions lose the organisation at once.

        Raises ``NotFound`` for another organisation's, ``NotAllowed`` for a role that is not the actor's
        to end, :class:`LastInCharge`. Invitations that the leaver made end too.
        """
        now = self._clock.now()
        async with in_transaction():
            await lock(access.organisation_id_of(actor))
            membership = await access.membership_for(actor, membership_id)
            person_id: int = membership.person_id
            if person_id != actor.id and not any(
                membership.role in MAY_END[MemberRole(role)] for role in actor.roles
            ):
                raise NotAllowed()
            colleagues = Membership.filter(
                organisation_id=actor.organisation_id, active=True, role__in=IN_CHARGE
            )
            if not await colleagues.exclude(id=membership.id).exists():
                raise LastInCharge()
            await Membership.filter(id=membership.id, active=True).update(active=False, ended_at=now)
            await Invitation.filter(created_by=person_id, used_at=None, expires_at__gt=now).update(
                expires_at=now
            )
            await _note("membership.ended", membership, actor=actor, now=now)
            await outbox.tell(f"person:{person_id}", "membership.ended", at=now)
        await self._feed.publish(f"person:{person_id}")


async def members(organisation_id: int) -> list[Membership]:
    """Everybody who acts for an organisation, with their person, oldest first."""
    return await (
        Membership.filter(organisation_id=organisation_id, active=True)
        .select_related("person")
        .order_by("id")
    )


async def lock(organisation_id: int) -> Organisation:
    """The organisation, locked until the transaction ends: its facts, people and standing stand still.

    Always taken before a budget's lock. A weak lock, because whoever holds a budget's may insert rows
    that refer to the organisation.
    """
    return await Organisation.select_for_update(no_key=True).get(id=organisation_id)


async def lock_all(organisation_ids: Iterable[int], connection: BaseDBAsyncClient) -> None:
    """Lock several organisations in the order of their ids, as everywhere, so that nobody waits in a ring."""
    if connection.capabilities.dialect == "postgres":  # On SQLite a transaction has the database to itself.
        await connection.execute_query(_LOCK_ALL, [sorted(set(organisation_ids))])


async def require_free(actor: Actor) -> None:
    """Raise :class:`AlreadyMember` if the actor acts for one already; the table's guard decides a race."""
    if await Membership.exists(person_id=actor.id, active=True):
        raise AlreadyMember()


async def take_place(
    organisation: Organisation, role: MemberRole, *, actor: Actor, now: datetime, one_handler: str = ""
) -> Membership:
    """Make the actor a member, inside the caller's transaction and under the organisation's lock.

    ``one_handler`` is the clause of :class:`HandlerTaken`, for who may meet with it. Raises that,
    :class:`AlreadyMember` or :class:`LegalRepresentativeTaken`. The caller publishes the actor's name after
    the commit.
    """
    if role is MemberRole.LEGAL_REPRESENTATIVE and await _taken(organisation, role):
        raise LegalRepresentativeTaken()
    try:
        async with in_transaction():  # A savepoint: the refusal must still be able to ask which guard it was.
            membership = await Membership.create(
                person_id=actor.id, organisation_id=organisation.id, role=role, active=True, created_at=now
            )
    except IntegrityError:
        await require_free(actor)
        raise HandlerTaken(clause=one_handler) from None
    await _note("membership.begun", membership, actor=actor, now=now)
    return membership


async def _taken(organisation: Organisation, role: MemberRole) -> bool:
    return await Membership.exists(organisation_id=organisation.id, active=True, role=role)


async def _note(action: str, membership: Membership, *, actor: Actor, now: datetime) -> None:
    await journal.record(
        action,
        f"organisation:{membership.organisation_id}",
        actor=actor.name,
        at=now,
        membership=membership.id,
        person=membership.person_id,
        role=membership.role.value,
    )


def _new_code() -> str:
    """Sixteen letters in groups of four: 80 random bits."""
    letters = new_code(_CODE_LENGTH)
    return "-".join(letters[start : start + _GROUP] for start in range(0, _CODE_LENGTH, _GROUP))


def _hash(code: str) -> str:
    """What is stored of a code, however it was typed: case, spaces and dashes do not matter."""
    typed = "".join(letter for letter in code.upper() if letter.isalnum())
    return hashlib.sha256(typed.encode()).hexdigest()
