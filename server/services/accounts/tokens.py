"""Access tokens: short-lived, signed, and accepted only if we could have written them ourselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Any
from uuid import UUID

import jwt

from server.services.access import NotSignedIn

ALGORITHM = "HS256"
TOKEN_TYPE = "at+jwt"
LIFETIME = timedelta(minutes=30)
LONGEST_TOKEN = 4096
SHORTEST_SECRET = 32

# Two workers' clocks may differ this much before a token looks as if it came from the future.
CLOCK_SKEW = timedelta(seconds=30)

_SUBJECT = re.compile(r"(?:person|staff):[1-9][0-9]{0,17}")


class AccessTokenExpired(NotSignedIn):
    """A token of ours whose time is over: exchange the refresh token for a new one."""

    status, code = 401, "access_token_expired"


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What a genuine token says: who, which session, which version of their sessions, until when."""

    subject: str
    session_id: UUID
    version: int
    issued_at: datetime
    expires_at: datetime


class AccessTokens:
    """Writes and reads access tokens of one issuer for one audience.

    ``keys`` maps a key's ``kid`` to its secret. The first one signs, all of them verify: to rotate,
    put the new key first and drop the old one half an hour later. Raises ``ValueError`` for no key or a
    short one.
    """

    def __init__(self, keys: Mapping[str, str], *, issuer: str, audience: str) -> None:
        if not keys:
            raise ValueError("at least one signing key is needed")
        self._keys = {kid: secret.encode() for kid, secret in keys.items()}
        if any(len(secret) < SHORTEST_SECRET for secret in self._keys.values()):
            raise ValueError(f"a signing key needs at least {SHORTEST_SECRET} bytes")
        self._signing_kid = next(iter(keys))
        self._issuer = issuer
        self._audience = audience

    def issue(
        self,
        subject: str,
        *,
        session_id: UUID,
        version: int,
        now: datetime,
        not_after: datetime | None = None,
    ) -> tuple[str, datetime]:
        """A new token for ``person:12`` or ``staff:3``, and the instant it expires.

        It lives half an hour, or until ``not_after`` if that comes sooner.
        """
        issued_at = now.replace(microsecond=0)
        expires_at = issued_at + LIFETIME
        if not_after is not None:
            expires_at = min(expires_at, not_after.replace(microsecond=0))
        claims = AccessClaims(subject, session_id, version, issued_at, expires_at)
        return self._write(claims, self._signing_kid), expires_at

    def verify(self, token: str, *, now: datetime) -> AccessClaims:
        """What the token says, if it is genuine and alive.

        Raises :class:`AccessTokenExpired` for a genuine one whose time is over and
        :class:`NotSignedIn` for everything else.
        """
        if len(token) > LONGEST_TOKEN:
            raise NotSignedIn()
        try:
            kid = self._kid_of(token)
            payload = jwt.decode(
                token,
                self._keys[kid],
                algorithms=[ALGORITHM],
                audience=self._audience,
                issuer=self._issuer,
                # Time is compared below, with the clock that is passed in.
                options={
                    "require": ["iss", "aud", "sub", "sid", "ver", "iat", "exp"],
                    "strict_aud": True,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            claims = _claims(payload)
        # A header or payload nested a thousand deep overflows the JSON reader.
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise NotSignedIn() from None
        # Duplicate or additional claims, another header, another spelling of the same bytes: none of
        # them survives being written anew.
        if not compare_digest(self._write(claims, kid).encode(), token.encode()):
            raise NotSignedIn()
        if claims.expires_at - claims.issued_at > LIFETIME or claims.issued_at > now + CLOCK_SKEW:
            raise NotSignedIn()
        if claims.expires_at <= now:
            raise AccessTokenExpired()
        return claims

    def _kid_of(self, token: str) -> str:
        kid = jwt.get_unverified_header(token).get("kid")
        if not isinstance(kid, str) or kid not in self._keys:
            raise ValueError("unknown kid")
        return kid

    def _write(self, claims: AccessClaims, kid: str) -> str:
        payload = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": claims.subject,
            "sid": str(claims.session_id),
            "ver": claims.version,
            "iat": int(claims.issued_at.timestamp()),
            "exp": int(claims.expires_at.timestamp()),
        }
        headers = {"kid": kid, "typ": TOKEN_TYPE}
        return jwt.encode(payload, self._keys[kid], algorithm=ALGORITHM, headers=headers)


def _claims(payload: dict[str, Any]) -> AccessClaims:
    """The claims in their exact types; ``ValueError`` otherwise."""
    subject, session_id = payload["sub"], payload["sid"]
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject) or not isinstance(session_id, str):
        raise ValueError("malformed subject or session")
    return AccessClaims(
        subject=subject,
        session_id=UUID(session_id),
        version=_integer(payload["ver"]),
        issued_at=_instant(payload["iat"]),
        expires_at=_instant(payload["exp"]),
    )


def _integer(value: object) -> int:
    # bool is an int to Python, and "1893456000" is one to PyJWT.
    if type(value) is not int:
        raise ValueError("not an integer")
    return value


def _instant(value: object) -> datetime:
    try:
        return datetime.fromtimestamp(_integer(value), UTC)
    except (OverflowError, OSError) as outside:
        raise ValueError("not an instant of this era") from outside
