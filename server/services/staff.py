"""Staff: people with a username and a password, and how many wrong ones may be tried.

Wrong passwords are counted by address and username together. An attacker is slowed to a few tries an
hour, and cannot lock anybody out from another address. An attempt is counted before the password is
looked at and forgiven when it was right, so a thousand at once are a thousand, not one.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import cached_property
from math import ceil
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal, Unmet
from server.models.people import SignInFailures, Staff
from server.services import journal
from server.services.access import NotSignedIn, StaffRole
from server.services.sessions import SYSTEM, Sessions, SignedIn

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 128
FREE_FAILURES = 5
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)
FAILURES_FORGOTTEN_AFTER = timedelta(days=1)
MOST_WAITING = 50

_USERNAME = re.compile(r"[a-z][a-z0-9._-]{2,31}")
_CHARACTER_CLASSES = (str.isupper, str.islower, str.isdigit, lambda letter: not letter.isalnum())

Result = TypeVar("Result")


class WrongPassword(NotSignedIn):
    """No such username, or not its password; nobody is told which."""

    status, code = 401, "wrong_password"


class TooManyWrongPasswords(Refusal):
    """This address has got this username's password wrong too often: wait."""

    status, code = 429, "too_many_wrong_passwords"


class SignInBusy(Refusal):
    """More passwords are waiting to be checked than can be checked soon."""

    status, code = 503, "sign_in_busy"


class UsernameUnusable(Refusal):
    """A username is 3 to 32 of ``a-z 0-9 . _ -`` and begins with a letter."""

    status, code = 422, "username_unusable"


class UsernameTaken(Refusal):
    """Somebody has this username."""

    status, code = 409, "username_taken"


class StaffRoleUnknown(Refusal):
    """No such role."""

    status, code = 422, "staff_role_unknown"


class WeakPassword(Refusal):
    """``unmet`` lists everything the password lacks."""

    status, code = 422, "weak_password"


async def create_staff(username: str, password: str, roles: Collection[str], now: datetime) -> Staff:
    """A new member of staff.

    Raises :class:`UsernameUnusable`, :class:`UsernameTaken`, :class:`StaffRoleUnknown` or
    :class:`WeakPassword`.
    """
    if not _USERNAME.fullmatch(username):
        raise UsernameUnusable()
    for role in roles:
        if role not in set(StaffRole):
            raise StaffRoleUnknown(role=role)
    unmet = password_faults(username, password)
    if unmet:
        raise WeakPassword(unmet=unmet)
    password_hash = await _passwords.hash(password)
    try:
        async with in_transaction():
            staff = await Staff.create(
                username=username,
                password_hash=password_hash,
                display_name=username,
                roles=sorted(set(roles)),
                created_at=now,
            )
            await journal.record(
                "staff.created", f"staff:{staff.id}", actor=SYSTEM, at=now, roles=staff.roles
            )
    except IntegrityError:
        raise UsernameTaken(username=username) from None
    return staff


def password_faults(username: str, password: str) -> list[Unmet]:
    """Everything the password lacks; empty when it will do."""
    faults = []
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        faults.append("password_length")
    if sum(any(map(belongs, password)) for belongs in _CHARACTER_CLASSES) < 3:
        faults.append("password_variety")
    if username.lower() in password.lower():
        faults.append("password_holds_username")
    return [Unmet(code, "", texts.PASSWORD_RULES[code]) for code in faults]


async def sign_in(
    username: str, password: str, *, address: str, sessions: Sessions, now: datetime
) -> SignedIn:
    """Sign a member of staff in from ``address``.

    Takes as long for an unknown username as for a known one. Raises :class:`WrongPassword`,
    :class:`TooManyWrongPasswords`, :class:`SignInBusy` or ``AccountDisabled``.
    """
    username = username.lower()
    origin = hashlib.sha256(f"{address}\n{username}".encode()).hexdigest()
    await _charge(origin, now)
    staff = await Staff.get_or_none(username=username)
    if not await _passwords.match(staff.password_hash if staff else None, password) or staff is None:
        raise WrongPassword()
    await SignInFailures.filter(origin_hash=origin).delete()
    return await sessions.start(staff, now=now)


async def _charge(origin: str, now: datetime) -> None:
    """Count one failure more, or raise :class:`TooManyWrongPasswords` while its pause lasts."""
    await SignInFailures.filter(last_failed_at__lt=now - FAILURES_FORGOTTEN_AFTER).delete()
    counted = await SignInFailures.get_or_none(origin_hash=origin)
    if counted is None:
        try:
            await SignInFailures.create(origin_hash=origin, failures=1, last_failed_at=now)
        except IntegrityError:
            raise TooManyWrongPasswords(retry_after=1) from None
        return
    waiting = counted.last_failed_at + _pause(counted.failures) - now
    if waiting > timedelta():
        raise TooManyWrongPasswords(retry_after=ceil(waiting.total_seconds()))
    # The WHERE clause is the lock: of several attempts at once one goes on, the others come again.
    counted_on = await SignInFailures.filter(id=counted.id, failures=counted.failures).update(
        failures=counted.failures + 1, last_failed_at=now
    )
    if not counted_on:
        raise TooManyWrongPasswords(retry_after=1)


def _pause(failures: int) -> timedelta:
    """How long after so many failures the next attempt may come: none, 30 s, 1 min, … 15 min."""
    if failures < FREE_FAILURES:
        return timedelta()
    # Beyond the tenth doubling the longest pause has long been reached.
    doublings = min(failures - FREE_FAILURES, 10)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


class _Passwords:
    """Argon2 beside the event loop, one at a time: a crowd signing in must not slow a launch down."""

    def __init__(self) -> None:
        # OWASP's argon2id for servers that need their memory for other work: 19 MiB, two passes.
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="argon2")
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """What is stored; raises :class:`SignInBusy`."""
        return await self._run(lambda: self._hasher.hash(password))

    async def match(self, stored: str | None, password: str) -> bool:
        """Whether it is the password; as slow for nobody's (``None``). Raises :class:`SignInBusy`."""
        return await self._run(lambda: self._matches(stored or self._nobodys, password))

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    @cached_property
    def _nobodys(self) -> str:
        return self._hasher.hash(secrets.token_hex())

    async def _run(self, work: Callable[[], Result]) -> Result:
        if self._waiting >= MOST_WAITING:
            raise SignInBusy(retry_after=2)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1


_passwords = _Passwords()
