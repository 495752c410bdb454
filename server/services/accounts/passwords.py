"""Passwords: what one must be, how it is kept, and how it is compared without slowing anybody down."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server import texts
from server.errors import Refusal, Unmet

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 128
MOST_WAITING = 50

_CHARACTER_CLASSES = (str.isupper, str.islower, str.isdigit, lambda letter: not letter.isalnum())
# Nothing that is misread aloud or by hand: no 0 and O, no 1, I and l.
_ALPHABETS = ("ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnopqrstuvwxyz", "23456789")
_ONE_TIME_GROUPS, _ONE_TIME_GROUP = 4, 4

Result = TypeVar("Result")


class SignInBusy(Refusal):
    """More passwords are waiting to be checked than can be checked soon."""

    status, code = 503, "sign_in_busy"


class WeakPassword(Refusal):
    """``unmet`` lists everything the password lacks."""

    status, code = 422, "weak_password"


def require_strong(username: str, password: str) -> None:
    """Raise :class:`WeakPassword` for a password that lacks anything."""
    unmet = password_faults(username, password)
    if unmet:
        raise WeakPassword(unmet=unmet)


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


def one_time_password() -> str:
    """A new password to read to a colleague, in four groups: over 90 random bits, all three classes."""
    while True:
        letters = "".join(_ALPHABETS)
        groups = (
            "".join(secrets.choice(letters) for _ in range(_ONE_TIME_GROUP)) for _ in range(_ONE_TIME_GROUPS)
        )
        password = "-".join(groups)
        if all(any(letter in alphabet for letter in password) for alphabet in _ALPHABETS):
            return password


class Passwords:
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


PASSWORDS = Passwords()
"""The one thread of this process that computes argon2."""
