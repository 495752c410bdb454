"""Identities: whose token this is, answered from memory without ever trusting memory too long.

Verifying a signature and reading three tables costs a thousand times what the answer to a sold-out
grab costs, so the answer is remembered per token. Tokens not seen before are looked up in groups:
whatever arrives while the database answers goes into the next question together. Rights still end at
once: the live feed drops what has changed; while the feed itself cannot be trusted every token is looked
up; and whatever is remembered is read again in groups, about every half minute, should a worker have
died between its commit and its word to the others.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict, deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from server.clock import Clock
from server.gateways.live_feed import LiveFeed
from server.models.organisations import Membership
from server.models.people import SessionFamily
from server.services.access import Actor, SessionEnded
from server.services.accounts.tokens import AccessClaims, AccessTokens

RECHECK_EVERY_SECONDS = 30.0
RECHECK_GROUP = 50
RECHECK_SHARE = 0.05
"""How much of the process' time rechecking may take."""
LOOK_UP_GROUP = 500

log = structlog.get_logger()


def session_name(session_id: UUID | str) -> str:
    """A session as the live feed calls it."""
    return f"session:{session_id}"


@dataclass(frozen=True, slots=True)
class _Known:
    claims: AccessClaims
    actor: Actor

    @property
    def names(self) -> tuple[str, str]:
        """The names whose change ends what we know here."""
        return self.claims.subject, session_name(self.claims.session_id)


class Identities:
    """Turns tokens into actors. One per process; ``capacity`` bounds how many it remembers."""

    def __init__(self, tokens: AccessTokens, feed: LiveFeed, clock: Clock, *, capacity: int = 50_000) -> None:
        self._tokens = tokens
        self._feed = feed
        self._clock = clock
        self._capacity = capacity
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._tokens_of: defaultdict[str, set[str]] = defaultdict(set)
        self._changes = 0
        self._asking: deque[tuple[AccessClaims, asyncio.Future[Actor | None]]] = deque()
        self._looking: asyncio.Task[None] | None = None
        feed.watch(changed=self._forget, missed=self._forget_all)

    def __len__(self) -> int:
        return len(self._known)

    def cached(self, token: str) -> Actor | None:
        """Whose token this is, if that can be said without waiting; about a microsecond."""
        known = self._known.get(token)
        if known is None or not self._feed.trusted() or known.claims.expires_at <= self._clock.now():
            return None
        self._known.move_to_end(token)
        return known.actor

    async def identify(self, token: str) -> Actor:
        """Whose token this is.

        Raises :class:`NotSignedIn` for a token we did not write, ``AccessTokenExpired`` for one whose
        time is over, :class:`SessionEnded` for one we no longer stand by.
        """
        actor = self.cached(token)
        if actor is not None:
            return actor
        claims = self._tokens.verify(token, now=self._clock.now())
        changes = self._changes
        actor = await self._looked_up(claims)
        if actor is None:
            self._drop(token)
            raise SessionEnded()
        # Whatever changed while the database answered may have changed this answer.
        if changes == self._changes:
            self._remember(token, _Known(claims, actor))
        return actor

    def _looked_up(self, claims: AccessClaims) -> asyncio.Future[Actor | None]:
        """What the database says of these claims; the question is asked after this call, never before."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Actor | None] = loop.create_future()
        self._asking.append((claims, future))
        if self._looking is None or self._looking.done():
            self._looking = loop.create_task(self._look_up())
        return future

    async def _look_up(self) -> None:
        while self._asking:
            group = [self._asking.popleft() for _ in range(min(LOOK_UP_GROUP, len(self._asking)))]
            try:
                actors = await _actors({claims for claims, _ in group})
            # Whatever the database raises is told to everybody who asked.
            except Exception as fault:  # noqa: BLE001
                for _, future in group:
                    if not future.done():
                        future.set_exception(fault)
                continue
            for claims, future in group:
                if not future.done():
                    future.set_result(actors.get(claims))

    async def keep_rechecking(self) -> None:
        """Read again what is remembered, half a minute after the last time, until cancelled."""
        while True:
            await asyncio.sleep(RECHECK_EVERY_SECONDS)
            try:
                await self.recheck()
            # An absent database must not end the rechecking: the next round tries again.
            except Exception as fault:  # noqa: BLE001
                log.warning("identities.not_rechecked", fault=type(fault).__name__)

    async def recheck(self) -> None:
        """Drop every remembered token that the database no longer says the same of.

        A little at a time: ten thousand at once would stop the process for a second.
        """
        loop = asyncio.get_running_loop()
        remembered = list(self._known.items())
        for start in range(0, len(remembered), RECHECK_GROUP):
            began = loop.time()
            group = remembered[start : start + RECHECK_GROUP]
            actors = await _actors([known.claims for _, known in group])
            for token, known in group:
                if actors.get(known.claims) != known.actor:
                    self._drop(token)
            await asyncio.sleep((loop.time() - began) * (1 / RECHECK_SHARE - 1))

    def _remember(self, token: str, known: _Known) -> None:
        self._drop(token)
        self._known[token] = known
        for name in known.names:
            self._tokens_of[name].add(token)
        if len(self._known) > self._capacity:
            self._drop(next(iter(self._known)))

    def _drop(self, token: str) -> None:
        known = self._known.pop(token, None)
        if known is None:
            return
        for name in known.names:
            tokens = self._tokens_of[name]
            tokens.discard(token)
            if not tokens:
                del self._tokens_of[name]

    def _forget(self, name: str) -> None:
        self._changes += 1
        for token in tuple(self._tokens_of.get(name, ())):
            self._drop(token)

    def _forget_all(self) -> None:
        self._changes += 1
        self._known.clear()
        self._tokens_of.clear()


async def _actors(claims: Collection[AccessClaims]) -> dict[AccessClaims, Actor]:
    """Who the claims speak for, in two queries; those we no longer stand by are left out."""
    rows = await SessionFamily.filter(id__in=[claim.session_id for claim in claims], revoked_at=None).values(
        "id",
        "person_id",
        "staff_id",
        "person__session_version",
        "staff__session_version",
        "staff__roles",
        "staff__programmes",
        "staff__areas",
        "limited",
        disabled_person="person__disabled",
        disabled_staff="staff__disabled",
    )
    sessions = {row["id"]: row for row in rows}
    memberships = await _memberships([row["person_id"] for row in rows if row["person_id"]])
    actors = {}
    for claim in claims:
        row = sessions.get(claim.session_id)
        if row is None or row["disabled_person"] or row["disabled_staff"]:
            continue
        if row["person_id"]:
            organisation_id, roles = memberships.get(row["person_id"], (None, frozenset()))
            actor = Actor("person", row["person_id"], str(claim.session_id), organisation_id, roles)
            version = row["person__session_version"]
        else:
            actor = _of_staff(row, str(claim.session_id))
            version = row["staff__session_version"]
        if actor.name == claim.subject and version == claim.version:
            actors[claim] = actor
    return actors


def _of_staff(row: Mapping[str, Any], session_id: str) -> Actor:
    """A member of staff; in a limited session, somebody without any role."""
    return Actor(
        "staff",
        row["staff_id"],
        session_id,
        None,
        frozenset(() if row["limited"] else row["staff__roles"]),
        frozenset(row["staff__programmes"]),
        frozenset(row["staff__areas"]),
    )


async def _memberships(person_ids: Collection[int]) -> dict[int, tuple[int, frozenset[str]]]:
    """The organisation each person acts for and their role in it; one at a time, as a guard sees to."""
    if not person_ids:
        return {}
    rows = await Membership.filter(person_id__in=person_ids, active=True).values_list(
        "person_id", "organisation_id", "role"
    )
    return {person_id: (organisation_id, frozenset({str(role)})) for person_id, organisation_id, role in rows}
