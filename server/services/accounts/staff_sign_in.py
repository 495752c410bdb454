"""Signing in as staff: a password, a second factor, and setting one's own account up.

Wrong attempts are counted by address and username together. An attacker is slowed to a few tries an
hour, and cannot lock anybody out from another address. An attempt is counted before the password is
looked at and forgiven when all of it was right, so a thousand at once are a thousand, not one.

Whoever still owes a password of their own, or a second factor that their roles ask for, gets a limited
session: it holds no role, and is good for making that up alone.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.models.people import SessionFamily, SignInFailures, Staff
from server.sealing import Sealer
from server.services import journal
from server.services.access import DECIDERS, Actor, NotSignedIn, StaffRole
from server.services.accounts import second_factor
from server.services.accounts.identities import session_name
from server.services.accounts.passwords import PASSWORDS, require_strong
from server.services.accounts.second_factor import Enrolment, SecondFactorNeeded, SecondFactorWrong
from server.services.accounts.sessions import AccountDisabled, Sessions, SignedIn

FREE_FAILURES = 5
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)
FAILURES_FORGOTTEN_AFTER = timedelta(days=1)

NEEDS_SECOND_FACTOR = DECIDERS | {StaffRole.ADMINISTRATOR}
"""Everybody who decides, and the administrators who say who decides."""


class WrongPassword(NotSignedIn):
    """No such username, or not its password; nobody is told which."""

    status, code = 401, "wrong_password"


class TooManyWrongPasswords(Refusal):
    """This address has got this username's password or second factor wrong too often: wait."""

    status, code = 429, "too_many_wrong_passwords"


class OneTimePasswordOver(NotSignedIn):
    """The password that an administrator gave out was not used in time."""

    status, code = 401, "one_time_password_over"


class CurrentPasswordWrong(Refusal):
    """Whoever changes a password knows the present one."""

    status, code = 422, "current_password_wrong"


class SamePassword(Refusal):
    """The new password is the present one."""

    status, code = 422, "same_password"


class SecondFactorEnrolled(Refusal):
    """There is a second factor already; an administrator takes it off the account."""

    status, code = 409, "second_factor_enrolled"


class SecondFactorNotBegun(Refusal):
    """Nothing to confirm: ask for a secret first."""

    status, code = 409, "second_factor_not_begun"


class Owed(StrEnum):
    """What somebody has to make up before their roles count."""

    PASSWORD = "change_password"
    SECOND_FACTOR = "enrol_second_factor"


class StaffSignIn:
    """The verbs of a member of staff on their own account."""

    def __init__(self, sessions: Sessions, sealer: Sealer, *, second_factor_required: bool) -> None:
        self._sessions = sessions
        self._sealer = sealer
        self._required = second_factor_required

    async def sign_in(
        self, username: str, password: str, digits: str | None, *, address: str, now: datetime
    ) -> SignedIn:
        """Sign a member of staff in from ``address``; ``digits`` are the authenticator's.

        Takes as long for an unknown username as for a known one. Raises :class:`WrongPassword`,
        :class:`SecondFactorNeeded`, :class:`SecondFactorWrong`, :class:`TooManyWrongPasswords`,
        :class:`OneTimePasswordOver`, ``SignInBusy`` or ``AccountDisabled``.
        """
        username = username.lower()
        origin = _origin(address, username)
        await _charge(origin, now)
        staff = await Staff.get_or_none(username=username)
        if not await PASSWORDS.match(staff.password_hash if staff else None, password) or staff is None:
            raise WrongPassword()
        if staff.disabled:
            raise AccountDisabled()
        if staff.password_expires_at is not None and staff.password_expires_at <= now:
            raise OneTimePasswordOver()
        # A right password alone forgives nothing: else each would buy five more guesses of the digits.
        await self._spend(staff, digits, now)
        await SignInFailures.filter(origin_hash=origin).delete()
        return await self._sessions.start(staff, limited=bool(self.owed(staff)), now=now)

    def owed(self, staff: Staff) -> tuple[Owed, ...]:
        """What is missing before this account may work."""
        owed = []
        if staff.password_expires_at is not None:
            owed.append(Owed.PASSWORD)
        if (
            self._required
            and staff.totp_confirmed_at is None
            and not NEEDS_SECOND_FACTOR.isdisjoint(staff.roles)
        ):
            owed.append(Owed.SECOND_FACTOR)
        return tuple(owed)

    async def owed_in(self, actor: Actor) -> tuple[Owed, ...]:
        """What the actor has to make up before this session holds their roles; nothing if it does."""
        if not await SessionFamily.exists(id=actor.session_id, limited=True):
            return ()
        return self.owed(await Staff.get(id=actor.id))

    async def change_password(
        self, current: str, new: str, *, actor: Actor, address: str, now: datetime
    ) -> None:
        """Set the actor's own password; their other sessions end.

        Raises :class:`CurrentPasswordWrong`, :class:`SamePassword`, :class:`TooManyWrongPasswords`,
        ``WeakPassword`` or ``SignInBusy``.
        """
        staff = await Staff.get(id=actor.id)
        require_strong(staff.username, new)
        origin = _origin(address, staff.username)
        await _charge(origin, now)
        if not await PASSWORDS.match(staff.password_hash, current):
            raise CurrentPasswordWrong()
        if new == current:
            raise SamePassword()
        password_hash = await PASSWORDS.hash(new)
        async with in_transaction():
            # The WHERE clause is the lock: a password reset in the meantime is not undone.
            changed = await Staff.filter(id=staff.id, password_hash=staff.password_hash).update(
                password_hash=password_hash, password_expires_at=None
            )
            if not changed:
                raise CurrentPasswordWrong()
            await SignInFailures.filter(origin_hash=origin).delete()
            ended = await self._sessions.end_others(actor, reason="password_changed", now=now)
            await journal.record("staff.password_changed", actor.name, actor=actor.name, at=now)
            await self._lift_limit(actor)
        await self._sessions.announce(*ended, session_name(actor.session_id))

    async def enrol(self, *, actor: Actor, now: datetime) -> Enrolment:
        """A new secret for the actor's authenticator; it counts once :meth:`confirm` has seen its digits.

        Raises :class:`SecondFactorEnrolled`.
        """
        enrolment = second_factor.enrolment((await Staff.get(id=actor.id)).username)
        async with in_transaction():
            begun = await Staff.filter(id=actor.id, totp_confirmed_at=None).update(
                totp_sealed=self._sealer.seal(enrolment.secret)
            )
            if not begun:
                raise SecondFactorEnrolled()
            await journal.record("staff.second_factor_begun", actor.name, actor=actor.name, at=now)
        return enrolment

    async def confirm(self, digits: str, *, actor: Actor, now: datetime) -> None:
        """Begin to ask for the second factor, now that its first digits are right.

        Raises :class:`SecondFactorWrong`, :class:`SecondFactorEnrolled` or :class:`SecondFactorNotBegun`.
        """
        staff = await Staff.get(id=actor.id)
        if staff.totp_confirmed_at is not None:
            raise SecondFactorEnrolled()
        if not staff.totp_sealed:
            raise SecondFactorNotBegun()
        step = second_factor.step_of(self._sealer.open(staff.totp_sealed), digits, after=0, now=now)
        async with in_transaction():
            confirmed = await Staff.filter(
                id=staff.id, totp_confirmed_at=None, totp_sealed=staff.totp_sealed
            ).update(totp_confirmed_at=now, totp_last_step=step)
            if not confirmed:
                raise SecondFactorWrong()
            await journal.record("staff.second_factor_enrolled", actor.name, actor=actor.name, at=now)
            await self._lift_limit(actor)
        await self._sessions.announce(session_name(actor.session_id))

    async def _spend(self, staff: Staff, digits: str | None, now: datetime) -> None:
        """Use the digits up, where the account has a second factor."""
        if staff.totp_confirmed_at is None:
            return
        if digits is None:
            raise SecondFactorNeeded()
        secret = self._sealer.open(staff.totp_sealed)
        step = second_factor.step_of(secret, digits, after=staff.totp_last_step, now=now)
        # The WHERE clause is the lock: of two sign-ins with the same digits exactly one matches the row.
        spent = await Staff.filter(id=staff.id, totp_last_step__lt=step).update(totp_last_step=step)
        if not spent:
            raise SecondFactorWrong()

    async def _lift_limit(self, actor: Actor) -> None:
        """Inside a transaction: the session holds the actor's roles, if nothing is owed any more."""
        if not self.owed(await Staff.get(id=actor.id)):
            await SessionFamily.filter(id=actor.session_id).update(limited=False)


def _origin(address: str, username: str) -> str:
    return hashlib.sha256(f"{address}\n{username}".encode()).hexdigest()


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
