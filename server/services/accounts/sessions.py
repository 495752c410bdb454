"""Sessions: signing in on a device, staying signed in, and ending it so that it is over at once.

A session is a family of tokens: short access tokens, and a chain of refresh tokens each of which is
exchanged once. Presenting an exchanged one again is either a phone that never got the answer or a
thief; docs/decisions/0005-refresh-rotation.md says how the two are told apart.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import structlog
from tortoise.expressions import F, Q
from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.gateways.live_feed import LiveFeed
from server.gateways.wechat import Wechat
from server.models.people import Person, RefreshToken, SessionFamily, Staff
from server.sealing import Sealer
from server.services import journal
from server.services.access import Actor, NotFound, NotSignedIn, SessionEnded
from server.services.accounts.identities import session_name
from server.services.accounts.tokens import AccessTokens
from server.services.messages import chat_senders

PERSON_SESSION = timedelta(days=30)
STAFF_SESSION = timedelta(hours=12)

# wx.request gives up after sixty seconds; the retry after that must still count as the same exchange.
RETRY_WINDOW = timedelta(minutes=2)

DEMO_PREFIX = "demo-"
"""Every demo account's openid or username begins with this; no blind index does."""

DEAD_KEPT = timedelta(days=30)
"""How long a session that is over still answers that it is over, before it is forgotten."""
FORGET_GROUP = 500

SYSTEM = "system"

log = structlog.get_logger()


class RefreshTokenUnknown(NotSignedIn):
    """Not a refresh token of ours."""

    status, code = 401, "refresh_token_unknown"


class RefreshTokenReused(NotSignedIn):
    """The token was exchanged before and its successor is in use: the session is revoked."""

    status, code = 401, "refresh_token_reused"


class AccountDisabled(Refusal):
    """Known, and not admitted any more."""

    status, code = 403, "account_disabled"


class DemoAccountUnknown(NotFound):
    """No such demo account."""

    status, code = 404, "demo_account_unknown"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a device keeps. ``session_expires_at`` is the end, however often it is refreshed."""

    access_token: str
    access_expires_at: datetime
    refresh_token: str
    session_expires_at: datetime


class Sessions:
    """Starts, refreshes and ends sessions, and tells every worker when one is over."""

    def __init__(self, tokens: AccessTokens, feed: LiveFeed) -> None:
        self._tokens = tokens
        self._feed = feed

    async def start(self, owner: Person | Staff, *, limited: bool = False, now: datetime) -> SignedIn:
        """A new session for somebody who has shown who they are; :class:`AccountDisabled` if barred.

        A ``limited`` one holds none of its owner's roles until it is lifted.
        """
        if owner.disabled:
            raise AccountDisabled()
        token = secrets.token_urlsafe(32)
        async with in_transaction():
            family = await SessionFamily.create(
                id=uuid4(),
                person=owner if isinstance(owner, Person) else None,
                staff=owner if isinstance(owner, Staff) else None,
                limited=limited,
                created_at=now,
                last_used_at=now,
                expires_at=now + (PERSON_SESSION if isinstance(owner, Person) else STAFF_SESSION),
            )
            await RefreshToken.create(family=family, token_hash=_hash(token), issued_at=now)
            name = _name(owner)
            await journal.record("session.started", name, actor=name, at=now, session=str(family.id))
        return self._signed_in(family, owner, token, now)

    async def refresh(self, token: str, *, now: datetime) -> SignedIn:
        """Exchange a refresh token for its successor and a new access token.

        The same question within two minutes gets the same successor, as long as that one is unused.
        Raises :class:`RefreshTokenUnknown`, :class:`RefreshTokenReused` (the session is then revoked),
        :class:`SessionEnded` or :class:`AccountDisabled`.
        """
        link = await _link(token)
        family, owner = link.family, _owner(link.family)
        if family.revoked_at is not None or family.expires_at <= now:
            raise SessionEnded()
        if owner.disabled:
            raise AccountDisabled()
        if link.used_at is None:
            successor = await _exchange(token, link, now)
            if successor is not None:
                return self._signed_in(family, owner, successor, now)
            # Of two exchanges at once the other one won; this is now a retry.
            link = await _link(token)
        successor = await _repeated(token, link, now)
        if successor is None:
            await self._revoke(family.id, "refresh_token_reused", owner=_name(owner), by=SYSTEM, now=now)
            log.warning("session.refresh_token_reused", session=str(family.id))
            raise RefreshTokenReused()
        return self._signed_in(family, owner, successor, now)

    async def end(self, actor: Actor, *, now: datetime) -> None:
        """Sign out on this device. Whoever did so before is signed out all the same."""
        await self._revoke(UUID(actor.session_id), "signed_out", owner=actor.name, by=actor.name, now=now)

    async def end_all(self, actor: Actor, *, now: datetime) -> None:
        """Sign out on every device, this one included."""
        async with in_transaction():
            if actor.kind == "person":
                await Person.filter(id=actor.id).update(session_version=F("session_version") + 1)
                await SessionFamily.filter(person_id=actor.id, revoked_at=None).update(
                    revoked_at=now, revoked_reason="all_ended"
                )
            else:
                await self.end_all_of_staff(actor.id, reason="all_ended", now=now)
            await journal.record("session.all_ended", actor.name, actor=actor.name, at=now)
        await self._feed.publish(actor.name)

    async def end_others(self, actor: Actor, *, reason: str, now: datetime) -> list[str]:
        """End a member of staff's sessions but this one, inside the caller's transaction.

        What is returned is to be announced after the commit.
        """
        others = SessionFamily.filter(staff_id=actor.id, revoked_at=None).exclude(id=actor.session_id)
        names = [session_name(one.id) for one in await others]
        await others.update(revoked_at=now, revoked_reason=reason)
        return names

    async def end_all_of_staff(self, staff_id: int, *, reason: str, now: datetime) -> None:
        """End every session of a member of staff, inside the caller's transaction.

        The caller announces ``staff:<id>`` after the commit.
        """
        await Staff.filter(id=staff_id).update(session_version=F("session_version") + 1)
        await SessionFamily.filter(staff_id=staff_id, revoked_at=None).update(
            revoked_at=now, revoked_reason=reason
        )

    async def announce(self, *names: str) -> None:
        """Tell every worker that what it remembers under these names is over; after the commit."""
        await self._feed.publish(*names)

    async def _revoke(self, family_id: UUID, reason: str, *, owner: str, by: str, now: datetime) -> None:
        async with in_transaction():
            revoked = await SessionFamily.filter(id=family_id, revoked_at=None).update(
                revoked_at=now, revoked_reason=reason
            )
            if revoked:
                await journal.record(
                    "session.ended", owner, actor=by, at=now, session=str(family_id), reason=reason
                )
        await self._feed.publish(session_name(family_id))

    def _signed_in(
        self, family: SessionFamily, owner: Person | Staff, refresh_token: str, now: datetime
    ) -> SignedIn:
        access_token, access_expires_at = self._tokens.issue(
            _name(owner),
            session_id=family.id,
            version=owner.session_version,
            now=now,
            not_after=family.expires_at,
        )
        return SignedIn(access_token, access_expires_at, refresh_token, family.expires_at)


async def sign_in_with_wechat(
    code: str, *, wechat: Wechat, sessions: Sessions, sealer: Sealer, now: datetime
) -> SignedIn:
    """Sign in with a ``wx.login`` code; whoever comes for the first time is registered by it.

    Raises what :meth:`Wechat.code_to_session` and :meth:`Sessions.start` raise.
    """
    identity = await wechat.code_to_session(code)
    is_new = False
    async with in_transaction():
        # Whoever is there twice (``data-keys reseal`` names them) is who was there first.
        known = Person.filter(account__in=sealer.blinds(identity.openid))
        person = await known.order_by("id").first()
        if person is None:
            person, is_new = await Person.get_or_create(
                account=sealer.blind(identity.openid),
                defaults={"created_at": now, "openid_sealed": sealer.seal(identity.openid)},
            )
        await chat_senders.know(person, identity.unionid, sealer=sealer)
        if is_new:
            await journal.record("person.registered", _name(person), actor=_name(person), at=now)
    return await sessions.start(person, now=now)


async def sign_in_for_demo(account: str, *, sessions: Sessions, now: datetime) -> SignedIn:
    """Sign in as a demo account, without any proof; raises :class:`DemoAccountUnknown`."""
    if not account.startswith(DEMO_PREFIX):
        raise DemoAccountUnknown()
    owner = await Person.get_or_none(account=account) or await Staff.get_or_none(username=account)
    if owner is None:
        raise DemoAccountUnknown()
    return await sessions.start(owner, now=now)


async def forget_dead(now: datetime) -> int:
    """Delete sessions that ended a month ago, with their refresh tokens; how many sessions.

    What happened in them stays in the journal. A reused token of such a session is told that it is
    unknown. A living session keeps its whole chain: an old link in it is how a thief is found out.
    """
    before, forgotten = now - DEAD_KEPT, 0
    over = Q(expires_at__lt=before) | Q(revoked_at__lt=before)
    while True:
        dead = await SessionFamily.filter(over).limit(FORGET_GROUP).values_list("id", flat=True)
        if not dead:
            return forgotten
        # A group at a time: nobody who signs in meanwhile waits for a long transaction.
        async with in_transaction():
            await RefreshToken.filter(family_id__in=dead).delete()
            forgotten += await SessionFamily.filter(id__in=dead).delete()


# -- the chain of refresh tokens -------------------------------------------------------------------


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _successor(token: str, salt: str) -> str:
    """The token that follows. It takes the token and the salt: neither the phone nor the database alone."""
    digest = hmac.digest(bytes.fromhex(salt), token.encode(), "sha256")
    return urlsafe_b64encode(digest).decode().rstrip("=")


async def _link(token: str) -> RefreshToken:
    link = (
        await RefreshToken.filter(token_hash=_hash(token))
        .select_related("family__person", "family__staff")
        .first()
    )
    if link is None:
        raise RefreshTokenUnknown()
    return link


def _name(owner: Person | Staff) -> str:
    """As :attr:`Actor.name` has it."""
    return f"person:{owner.id}" if isinstance(owner, Person) else f"staff:{owner.id}"


def _owner(family: SessionFamily) -> Person | Staff:
    owner = family.person or family.staff
    assert owner is not None, "a session belongs to somebody"
    return owner


async def _exchange(token: str, link: RefreshToken, now: datetime) -> str | None:
    """Spend the token; its successor, or ``None`` if somebody else spent it first."""
    salt = secrets.token_hex(32)
    successor = _successor(token, salt)
    async with in_transaction():
        # The WHERE clause is the lock: of two racing exchanges exactly one matches the row.
        spent = await RefreshToken.filter(id=link.id, used_at=None).update(used_at=now, successor_salt=salt)
        if not spent:
            return None
        await RefreshToken.create(family_id=link.family.id, token_hash=_hash(successor), issued_at=now)
        await SessionFamily.filter(id=link.family.id).update(last_used_at=now)
    return successor


async def _repeated(token: str, link: RefreshToken, now: datetime) -> str | None:
    """The successor once more, for a phone that never got it; ``None`` if this cannot be one."""
    if link.used_at is None or now - link.used_at > RETRY_WINDOW:
        return None
    successor = _successor(token, link.successor_salt)
    untouched = await RefreshToken.filter(token_hash=_hash(successor), used_at=None).exists()
    return successor if untouched else None
