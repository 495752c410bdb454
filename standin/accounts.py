"""What the WeChat stand-in remembers: people, login codes, access tokens, and how often each was asked.

Everything follows from a seed and the order of the questions; every memory is bounded; the instant is
passed in. No HTTP here.
"""

from __future__ import annotations

import base64
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

CODE_LIFETIME = timedelta(minutes=5)
TOKEN_LIFETIME = timedelta(seconds=7_200)
OLD_TOKEN_LIFETIME = timedelta(minutes=5)
STABLE_TOKEN_RENEWED_BEFORE_END = timedelta(minutes=5)
MINUTE = timedelta(minutes=1)
MOST_REMEMBERED = 20_000

INVALID_CREDENTIAL = 40001
INVALID_CODE = 40029
CODE_USED = 40163
TOKEN_EXPIRED = 42001
TOO_MANY_CALLS_TODAY = 45009
TOO_MANY_CALLS_A_MINUTE = 45011


class Refused(Exception):
    """An error as WeChat words it: ``errcode`` and ``errmsg``."""

    def __init__(self, errcode: int, errmsg: str) -> None:
        super().__init__(errmsg)
        self.errcode = errcode
        self.errmsg = errmsg


@dataclass(frozen=True, slots=True)
class Login:
    """What a login code is exchanged for."""

    openid: str
    unionid: str
    session_key: str


@dataclass(slots=True)
class _Code:
    owner: str
    expires_at: datetime
    used: bool = False


class Accounts:
    """The state of one mini-program at WeChat."""

    def __init__(
        self, appid: str, *, seed: int = 0, logins_a_minute: int = 100, tokens_a_day: int = 2_000
    ) -> None:
        self._appid = appid
        self._seed = seed
        self._logins_a_minute = logins_a_minute
        self._tokens_a_day = tokens_a_day
        self._made = 0
        self._codes: OrderedDict[str, _Code] = OrderedDict()
        self._tokens: OrderedDict[str, datetime] = OrderedDict()
        self._latest_token = ""
        self._stable_token = ""
        self._asked: OrderedDict[tuple[str, int], int] = OrderedDict()
        self._people: OrderedDict[str, str] = OrderedDict()

    def mint_code(self, kind: str, owner: str, now: datetime) -> str:
        """A code as the phone would get it: ``kind`` is ``login`` or ``phone``."""
        code = self._next(f"{kind} code")
        self._codes[code] = _Code(owner=f"{kind}:{owner}", expires_at=now + CODE_LIFETIME)
        _forget_oldest(self._codes)
        return code

    def log_in(self, code: str, now: datetime) -> Login:
        """Spend a login code; raises :class:`Refused` 40029, 40163 or 45011."""
        known = self._codes.get(code)
        if known is not None and known.owner.startswith("login:"):
            self._count(f"log in:{known.owner}", now, MINUTE, self._logins_a_minute, TOO_MANY_CALLS_A_MINUTE)
        owner = self._spend(code, "login", now)
        return Login(
            openid=self.openid(owner),
            unionid=self._unionid(owner),
            session_key=base64.b64encode(self._digest("session key", code)[:16]).decode(),
        )

    def openid(self, owner: str) -> str:
        """What this account calls a person; another account calls them otherwise."""
        openid = "o" + self._fixed("openid", owner)[:27]
        self._people[openid] = owner
        _forget_oldest(self._people)
        return openid

    def unionid(self, openid: str) -> str:
        """What all accounts call somebody; nothing for who never wrote here."""
        owner = self._people.get(openid)
        return self._unionid(owner) if owner is not None else ""

    def phone_number(self, code: str, now: datetime) -> str:
        """Spend a phone code; raises :class:`Refused` 40029 or 40163."""
        owner = self._spend(code, "phone", now)
        return f"1990000{int.from_bytes(self._digest('phone', owner)[:4]) % 10_000:04d}"

    def new_token(self, now: datetime) -> tuple[str, int]:
        """A new access token and its seconds; the one before it lives five minutes more."""
        self._count("token", now, timedelta(days=1), self._tokens_a_day, TOO_MANY_CALLS_TODAY)
        if self._latest_token in self._tokens:
            end = self._tokens[self._latest_token]
            self._tokens[self._latest_token] = min(end, now + OLD_TOKEN_LIFETIME)
        self._latest_token = self._issue_token(now)
        return self._latest_token, int(TOKEN_LIFETIME.total_seconds())

    def stable_token(self, now: datetime, *, force: bool) -> tuple[str, int]:
        """The same access token until shortly before its end, or a new one that ends it at once."""
        end = self._tokens.get(self._stable_token, now)
        if force:
            self._tokens.pop(self._stable_token, None)
            end = now
        if end - now <= STABLE_TOKEN_RENEWED_BEFORE_END:
            self._stable_token = self._issue_token(now)
            end = now + TOKEN_LIFETIME
        return self._stable_token, int((end - now).total_seconds())

    def require_token(self, token: str, now: datetime) -> None:
        """Raise :class:`Refused` 40001 for a token never issued, 42001 for one whose time is over."""
        end = self._tokens.get(token)
        if end is None:
            raise Refused(INVALID_CREDENTIAL, "invalid credential, access_token is invalid or not latest")
        if end <= now:
            raise Refused(TOKEN_EXPIRED, "access_token expired")

    def _spend(self, code: str, kind: str, now: datetime) -> str:
        known = self._codes.get(code)
        if known is None or known.expires_at <= now or not known.owner.startswith(f"{kind}:"):
            raise Refused(INVALID_CODE, "invalid code")
        if known.used:
            raise Refused(CODE_USED, "code been used")
        known.used = True
        return known.owner.partition(":")[2]

    def _count(self, what: str, now: datetime, window: timedelta, limit: int, errcode: int) -> None:
        key = what, int(now.timestamp() // window.total_seconds())
        self._asked[key] = self._asked.get(key, 0) + 1
        _forget_oldest(self._asked)
        if self._asked[key] > limit:
            raise Refused(
                errcode,
                "api minute-quota reach limit" if window == MINUTE else "reach max api daily quota limit",
            )

    def _issue_token(self, now: datetime) -> str:
        token = self._next("access token") * 4
        self._tokens[token] = now + TOKEN_LIFETIME
        _forget_oldest(self._tokens)
        return token

    def _next(self, what: str) -> str:
        self._made += 1
        return self._fixed(what, str(self._made))[:32]

    def _unionid(self, owner: str) -> str:
        digest = hashlib.sha256(f"{self._seed}|unionid|{owner}".encode()).digest()
        return "u" + base64.urlsafe_b64encode(digest).decode()[:27]

    def _fixed(self, what: str, of: str) -> str:
        return base64.urlsafe_b64encode(self._digest(what, of)).decode().rstrip("=")

    def _digest(self, what: str, of: str) -> bytes:
        return hashlib.sha256(f"{self._seed}|{self._appid}|{what}|{of}".encode()).digest()


def _forget_oldest(memory: OrderedDict[Any, Any]) -> None:
    if len(memory) > MOST_REMEMBERED:
        memory.popitem(last=False)
