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
from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.gateways.live_feed import LiveFeed
from server.gateways.wechat import Wechat
from server.models.people import Person, RefreshToken, SessionFamily, Staff
from server.services import journal
from server.services.access import Actor, NotFound, NotSignedIn, SessionEnded
from server.services.identities import session_name
from server.services.tokens import AccessTokens

PERSON_SESSION = timedelta(days=30)
STAFF_SESSION = timedelta(hours=12)

# wx.request gives up after sixty seconds; the retry after that must still count as the same exchange.
RETRY_WINDOW = timedelta(minutes=2)

DEMO_PREFIX = "demo-"
"""Every demo account's openid or username begins with this; no real openid does."""

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

    async def start(self, owner: Person | Staff, *, now: datetime) -> SignedIn:
        """A new session for somebody who has shown who they are; :class:`AccountDisabled` if barred."""
        if owner.disabled:
            raise AccountDisabled()
        token = secrets.token_urlsafe(32)
        async with in_transaction():
            family = await SessionFamily.create(
                id=uuid4(),
                person=owner if isinstance(owner, Person) else None,
                staff=owner if isinstance(owner, Staff) else None,
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
                families = SessionFamily.filter(person_id=actor.id)
            else:
                await Staff.filter(id=actor.id).update(session_version=F("session_version") + 1)
                families = SessionFamily.filter(staff_id=actor.id)
            await families.filter(revoked_at=None).update(revoked_at=now, revoked_reason="all_ended")
            await journal.record("session.all_ended", actor.name, actor=actor.name, at=now)
        await self._feed.publish(actor.name)

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


async def sign_in_with_wechat(code: str, *, wechat: Wechat, sessions: Sessions, now: datetime) -> SignedIn:
    """Sign in with a ``wx.login`` code; whoever comes for the first time is registered by it.

    Raises what :meth:`Wechat.code_to_session` and :meth:`Sessions.start` raise.
    """
    identity = await wechat.code_to_session(code)
    async with in_transaction():
        person, is_new = await Person.get_or_create(defaults={"created_at": now}, openid=identity.openid)
        if is_new:
            await journal.record("person.registered", _name(person), actor=_name(person), at=now)
    return await sessions.start(person, now=now)


async def sign_in_for_demo(account: str, *, sessions: Sessions, now: datetime) -> SignedIn:
    """Sign in as a demo account, without any proof; raises :class:`DemoAccountUnknown`."""
    if not account.startswith(DEMO_PREFIX):
        raise DemoAccountUnknown()
    owner = await Person.get_or_none(openid=account) or await Staff.get_or_none(username=account)
    if owner is None:
        raise DemoAccountUnknown()
    return await sessions.start(owner, now=now)


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
