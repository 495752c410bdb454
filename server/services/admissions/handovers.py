"""Handovers: one handler follows another, and a legal representative proves to be one.

An organisation has one handler at a time (GZ-03, GZ-55). The old one's place and sessions end in the
transaction in which the new one's begins; what the organisation holds stays where it is.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from stdnum.cn import ric
from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server.clock import Clock
from server.errors import Refusal
from server.gateways.live_feed import LiveFeed
from server.models.journal import JournalEntry
from server.models.organisations import Handover, Invitation, MemberRole, Membership, Organisation
from server.models.people import Person, SessionFamily
from server.models.registrations import Submission
from server.programme.registry import Programmes
from server.rules.forms import OF_PERSON
from server.rules.uscc import checked_uscc
from server.sealing import Sealer
from server.services import access, journal, outbox, shared_clauses
from server.services.access import Actor
from server.services.admissions.admissions import open_values
from server.services.files import files
from server.services.organisations.memberships import lock, require_free, take_place

ATTEMPTS, ATTEMPTS_WITHIN = 5, timedelta(days=1)
UNPROVEN = "representative.unproven"
AUTHORISATION = "authorisation"
REPRESENTATIVE_ID = MemberRole.LEGAL_REPRESENTATIVE.value + OF_PERSON
"""How the forms of all programmes call the number of the legal representative."""


class NotACandidate(Refusal):
    """Only a colleague without another duty becomes the handler: the others have theirs."""

    status, code = 409, "not_a_candidate"


class RepresentativeUnproven(Refusal):
    """Nothing that the organisation handed in names this person with this number; nobody is told more."""

    status, code = 422, "representative_unproven"


class TooManyProofs(Refusal):
    """Too many wrong names and numbers today."""

    status, code = 429, "too_many_proofs"


class Handovers:
    """The verbs on who is handler and who is legal representative."""

    def __init__(self, programmes: Programmes, clock: Clock, feed: LiveFeed, sealer: Sealer) -> None:
        self._programmes = programmes
        self._clock = clock
        self._feed = feed
        self._sealer = sealer

    async def hand_over(self, membership_id: int, letter: int, *, actor: Actor) -> Handover:
        """Make a colleague the handler on a new letter of authorisation, a file of the organisation.

        Raises ``NotFound`` for another organisation's colleague, ``FilesUnknown``, ``FileUnacceptable``
        and :class:`NotACandidate`.
        """
        now = self._clock.now()
        async with in_transaction():
            organisation = await lock(access.organisation_id_of(actor))
            colleague = await access.membership_for(actor, membership_id)
            if colleague.role is not MemberRole.STAFF:
                raise NotACandidate()
            rows = await files.require_own([letter], organisation.id, by=actor.name)
            former = await Membership.get_or_none(
                organisation_id=organisation.id, active=True, role=MemberRole.HANDLER
            )
            if former is not None:
                await self._end(former, now=now)
                await _end_sessions(former.person_id, now=now)
                await outbox.tell(f"person:{former.person_id}", "membership.handed_over", at=now)
            await self._end(colleague, now=now)
            successor = Actor("person", colleague.person_id, "", None, frozenset())
            await take_place(organisation, MemberRole.HANDLER, actor=successor, now=now)
            handover = await Handover.create(
                organisation=organisation,
                from_person=None if former is None else former.person_id,
                to_person=colleague.person_id,
                letter=letter,
                made_by=actor.id,
                made_at=now,
            )
            programme = self._programmes.get(rows[0].programme_slug)
            await files.attach(rows, f"handover:{handover.id}", AUTHORISATION, programme=programme, now=now)
            await journal.record(
                "organisation.handler_changed",
                f"organisation:{organisation.id}",
                actor=actor.name,
                at=now,
                handover=handover.id,
                successor=colleague.person_id,
            )
            await outbox.tell(f"organisation:{organisation.id}", "organisation.handler_changed", at=now)
        concerned = [f"person:{colleague.person_id}"]
        if former is not None:
            concerned.append(f"person:{former.person_id}")
        await self._feed.publish(*concerned)
        return handover

    async def represent(self, uscc: str, name: str, id_number: str, *, actor: Actor) -> Membership:
        """Take the legal representative's place, as the organisation's own declaration names them.

        Raises ``UsccInvalid``, ``AlreadyMember``, ``LegalRepresentativeTaken``,
        :class:`RepresentativeUnproven` and, after five tries a day, :class:`TooManyProofs`.
        """
        uscc, now = checked_uscc(uscc), self._clock.now()
        organisation = await Organisation.get_or_none(uscc=uscc)
        subjects = [actor.name, *([] if organisation is None else [f"organisation:{organisation.id}"])]
        membership = None
        async with in_transaction():
            # Their locks: who guesses several times at once is counted one after the other.
            if organisation is not None:
                organisation = await lock(organisation.id)
            await Person.select_for_update(no_key=True).get(id=actor.id)
            for subject in subjects:
                tried = JournalEntry.filter(subject=subject, action=UNPROVEN, at__gt=now - ATTEMPTS_WITHIN)
                if await tried.count() >= ATTEMPTS:
                    raise TooManyProofs(retry_after=int(ATTEMPTS_WITHIN.total_seconds()))
            if organisation is not None and await self._is_named(organisation, name, id_number):
                await require_free(actor)
                membership = await take_place(
                    organisation, MemberRole.LEGAL_REPRESENTATIVE, actor=actor, now=now
                )
                await Person.filter(id=actor.id, name="").update(name=name.strip())
            else:
                for subject in subjects:
                    await journal.record(UNPROVEN, subject, actor=actor.name, at=now)
        if membership is None:
            raise RepresentativeUnproven(
                clause=shared_clauses.of_identity(self._programmes, REPRESENTATIVE_ID)
            )
        await self._feed.publish(actor.name)
        return membership

    async def _is_named(self, organisation: Organisation, name: str, id_number: str) -> bool:
        """Whether the last of what was handed in, in any programme, names this person."""
        latest: dict[int, Submission] = {}
        for one in await Submission.filter(registration__organisation_id=organisation.id).order_by("number"):
            latest[one.registration_id] = one
        stated = set()
        for one in latest.values():
            values = open_values(one, self._sealer)
            stated |= {
                (str(values.get(key.removesuffix(OF_PERSON), "")).strip(), ric.compact(str(value)))
                for key, value in values.items()
                if key.rpartition(".")[2] == REPRESENTATIVE_ID
            }
        return (name.strip(), ric.compact(id_number)) in stated

    async def _end(self, membership: Membership, *, now: datetime) -> None:
        """End a place, and the invitations that its owner made."""
        await Membership.filter(id=membership.id, active=True).update(active=False, ended_at=now)
        await Invitation.filter(created_by=membership.person_id, used_at=None, expires_at__gt=now).update(
            expires_at=now
        )


async def history(organisation_id: int) -> list[Handover]:
    """Who followed whom, newest first."""
    return await Handover.filter(organisation_id=organisation_id).order_by("-id").limit(100)


async def _end_sessions(person_id: int, *, now: datetime) -> None:
    """End every session of a person, inside the caller's transaction; the caller publishes the name."""
    await Person.filter(id=person_id).update(session_version=F("session_version") + 1)
    await SessionFamily.filter(person_id=person_id, revoked_at=None).update(
        revoked_at=now, revoked_reason="handed_over"
    )
