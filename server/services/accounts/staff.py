"""Staff: accounts of people of the official side, and what each of them is there for.

Powers stand apart (三权分立): who administers accounts decides nothing, who audits does nothing else, and
nobody changes their own account's duties. Whatever takes something away ends the sessions at once.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server.clock import Clock
from server.errors import Refusal
from server.models.people import Staff
from server.programme.registry import Programmes
from server.rules.eligibility import AREA_SEPARATOR
from server.rules.uscc import checked_uscc
from server.services import journal
from server.services.access import Actor, NotAllowed, NotFound, StaffRole
from server.services.accounts.passwords import PASSWORDS, one_time_password, require_strong
from server.services.accounts.sessions import SYSTEM, Sessions
from server.services.reviews import review_claims

ONE_TIME_PASSWORD_LASTS = timedelta(days=3)
ALONE = frozenset({StaffRole.ADMINISTRATOR, StaffRole.AUDITOR, StaffRole.OVERSIGHT_BODY})
"""Roles that go with no other."""

_USERNAME = re.compile(r"[a-z][a-z0-9._-]{2,31}")


class UsernameUnusable(Refusal):
    """A username is 3 to 32 of ``a-z 0-9 . _ -`` and begins with a letter."""

    status, code = 422, "username_unusable"


class UsernameTaken(Refusal):
    """Somebody has this username."""

    status, code = 409, "username_taken"


class StaffRoleUnknown(Refusal):
    """No such role."""

    status, code = 422, "staff_role_unknown"


class DutiesIncompatible(Refusal):
    """An administrator or an auditor holds no other role: powers stand apart."""

    status, code = 422, "duties_incompatible"


class DistrictWithoutArea(Refusal):
    """A district department sees its own enterprises: say which areas are its own."""

    status, code = 422, "district_without_area"


class AreaUnknown(Refusal):
    """An area is written from the province down, and lies in a province of one of our programmes."""

    status, code = 422, "area_unknown"


class OwnAccount(NotAllowed):
    """Nobody gives or takes their own duties: another administrator does."""

    status, code = 403, "own_account"


class LastAdministrator(Refusal):
    """Without this account nobody could administer accounts any more."""

    status, code = 409, "last_administrator"


class AccountUnchanged(Refusal):
    """The account is so already."""

    status, code = 409, "account_unchanged"


@dataclass(frozen=True, slots=True)
class Duties:
    """What a member of staff is there for.

    ``programmes`` are slugs, empty: every programme. ``areas`` bound what is seen to organisations in or
    below them, empty: everywhere. ``affiliations`` are the codes (USCC) of organisations that the person
    is close to and may not decide on.
    """

    roles: Collection[str]
    programmes: Collection[str] = ()
    areas: Collection[str] = ()
    affiliations: Collection[str] = ()


class StaffAccounts:
    """The administrator's verbs on accounts."""

    def __init__(self, programmes: Programmes, sessions: Sessions, clock: Clock) -> None:
        self._programmes = programmes
        self._sessions = sessions
        self._clock = clock

    async def create(
        self, username: str, display_name: str, duties: Duties, *, actor: Actor
    ) -> tuple[Staff, str]:
        """A new account and its one-time password, which is shown this once.

        Raises :class:`UsernameUnusable`, :class:`UsernameTaken` or what :meth:`change_duties` raises of
        the duties.
        """
        usable = self._usable(duties)
        password, now = one_time_password(), self._clock.now()
        staff = await create_staff(
            username,
            password,
            usable.roles,
            now,
            programmes=usable.programmes,
            areas=usable.areas,
            affiliations=usable.affiliations,
            display_name=display_name,
            password_expires_at=now + ONE_TIME_PASSWORD_LASTS,
            by=actor.name,
        )
        return staff, password

    async def change_duties(self, staff_id: int, duties: Duties, *, actor: Actor) -> Staff:
        """Give an account other duties; its sessions end.

        Raises ``NotFound``, :class:`OwnAccount`, :class:`LastAdministrator`, :class:`StaffRoleUnknown`,
        :class:`DutiesIncompatible`, :class:`DistrictWithoutArea`, :class:`AreaUnknown`,
        ``UnknownProgramme`` or ``UsccInvalid``.
        """
        usable = self._usable(duties)
        now = self._clock.now()
        async with in_transaction():
            await _lock_another(staff_id, actor)
            changes = {field: getattr(usable, field) for field in Duties.__dataclass_fields__}
            await Staff.filter(id=staff_id).update(**changes)
            await _require_an_administrator()
            await review_claims.give_up(staff_id, actor=actor, now=now)
            await self._cut_off(staff_id, "duties_changed", actor=actor, now=now, **changes)
        await self._sessions.announce(f"staff:{staff_id}")
        return await Staff.get(id=staff_id)

    async def disable(self, staff_id: int, reason: str, *, actor: Actor) -> Staff:
        """Bar an account; its sessions end. Raises ``NotFound``, :class:`OwnAccount`,
        :class:`LastAdministrator` or :class:`AccountUnchanged`."""
        now = self._clock.now()
        async with in_transaction():
            await _lock_another(staff_id, actor)
            if not await Staff.filter(id=staff_id, disabled=False).update(disabled=True):
                raise AccountUnchanged()
            await _require_an_administrator()
            await review_claims.give_up(staff_id, actor=actor, now=now)
            await self._cut_off(staff_id, "disabled", actor=actor, now=now, reason=reason)
        await self._sessions.announce(f"staff:{staff_id}")
        return await Staff.get(id=staff_id)

    async def enable(self, staff_id: int, reason: str, *, actor: Actor) -> Staff:
        """Let a barred account in again. Raises ``NotFound``, :class:`OwnAccount` or
        :class:`AccountUnchanged`."""
        async with in_transaction():
            await _lock_another(staff_id, actor)
            if not await Staff.filter(id=staff_id, disabled=True).update(disabled=False):
                raise AccountUnchanged()
            await _note("enabled", staff_id, actor.name, self._clock.now(), reason=reason)
        return await Staff.get(id=staff_id)

    async def reset_password(self, staff_id: int, reason: str, *, actor: Actor) -> tuple[Staff, str]:
        """A one-time password instead of the forgotten one; sessions end. Raises ``NotFound`` or
        :class:`OwnAccount`."""
        password, now = one_time_password(), self._clock.now()
        password_hash = await PASSWORDS.hash(password)
        async with in_transaction():
            await _lock_another(staff_id, actor)
            await Staff.filter(id=staff_id).update(
                password_hash=password_hash, password_expires_at=now + ONE_TIME_PASSWORD_LASTS
            )
            await self._cut_off(staff_id, "password_reset", actor=actor, now=now, reason=reason)
        await self._sessions.announce(f"staff:{staff_id}")
        return await Staff.get(id=staff_id), password

    async def reset_second_factor(self, staff_id: int, reason: str, *, actor: Actor) -> Staff:
        """Take a lost authenticator off an account; sessions end. Raises ``NotFound`` or
        :class:`OwnAccount`."""
        now = self._clock.now()
        async with in_transaction():
            await _lock_another(staff_id, actor)
            await forget_second_factor(staff_id)
            await self._cut_off(staff_id, "second_factor_reset", actor=actor, now=now, reason=reason)
        await self._sessions.announce(f"staff:{staff_id}")
        return await Staff.get(id=staff_id)

    def _usable(self, duties: Duties) -> Duties:
        """The duties in one spelling each, or the refusal of the first that cannot be."""
        require_compatible(duties)
        for slug in duties.programmes:
            self._programmes.get(slug)
        known = {place.partition(AREA_SEPARATOR)[0] for one in self._programmes for place in one.areas}
        for area in duties.areas:
            if area.partition(AREA_SEPARATOR)[0] not in known:
                raise AreaUnknown(area=area)
        return Duties(
            roles=sorted(set(duties.roles)),
            programmes=sorted(set(duties.programmes)),
            areas=sorted(set(duties.areas)),
            affiliations=sorted({checked_uscc(uscc) for uscc in duties.affiliations}),
        )

    async def _cut_off(self, staff_id: int, deed: str, *, actor: Actor, now: datetime, **data: Any) -> None:
        """End every session of an account, inside the transaction that changed it."""
        await self._sessions.end_all_of_staff(staff_id, reason=deed, now=now)
        await _note(deed, staff_id, actor.name, now, **data)


async def create_staff(
    username: str,
    password: str,
    roles: Collection[str],
    now: datetime,
    *,
    programmes: Collection[str] = (),
    areas: Collection[str] = (),
    affiliations: Collection[str] = (),
    display_name: str = "",
    password_expires_at: datetime | None = None,
    by: str = SYSTEM,
) -> Staff:
    """A new member of staff; the bounds are those of :class:`Duties` and are not looked up here.

    ``password_expires_at`` makes the password a one-time one. Raises :class:`UsernameUnusable`,
    :class:`UsernameTaken`, :class:`StaffRoleUnknown`, :class:`DutiesIncompatible`,
    :class:`DistrictWithoutArea` or ``WeakPassword``.
    """
    if not _USERNAME.fullmatch(username):
        raise UsernameUnusable()
    require_compatible(Duties(roles, areas=areas))
    require_strong(username, password)
    password_hash = await PASSWORDS.hash(password)
    try:
        async with in_transaction():
            staff = await Staff.create(
                username=username,
                password_hash=password_hash,
                password_expires_at=password_expires_at,
                display_name=display_name or username,
                roles=sorted(set(roles)),
                programmes=list(programmes),
                areas=list(areas),
                affiliations=list(affiliations),
                created_at=now,
            )
            await _note("created", staff.id, by, now, roles=staff.roles)
    except IntegrityError:
        raise UsernameTaken(username=username) from None
    return staff


async def page(*, role: str | None, after: int, limit: int) -> list[Staff]:
    """Accounts by id, disabled ones too; ``role`` keeps those that hold it."""
    found: list[Staff] = []
    # Which roles an account holds stands in a JSON list, which the two databases search differently.
    while len(found) < limit:
        rows = await Staff.filter(id__gt=after).order_by("id").limit(limit)
        found += [row for row in rows if role is None or role in row.roles]
        if len(rows) < limit:
            break
        after = rows[-1].id
    return found[:limit]


async def one(staff_id: int) -> Staff:
    """An account. Raises ``NotFound``."""
    staff = await Staff.get_or_none(id=staff_id)
    if staff is None:
        raise NotFound()
    return staff


async def forget_second_factor(staff_id: int) -> None:
    """Take the second factor off an account, inside the caller's transaction."""
    await Staff.filter(id=staff_id).update(totp_sealed="", totp_confirmed_at=None)


async def recover(username: str, *, now: datetime) -> None:
    """Take a lost authenticator off an account by hand, where no other administrator is there to do it.

    Raises ``NotFound``. Sessions of the account end when their access tokens are next read from the
    database, within half a minute.
    """
    async with in_transaction():
        staff = await Staff.get_or_none(username=username)
        if staff is None:
            raise NotFound()
        await forget_second_factor(staff.id)
        await Staff.filter(id=staff.id).update(session_version=F("session_version") + 1)
        await _note("second_factor_reset", staff.id, SYSTEM, now)


def require_compatible(duties: Duties) -> None:
    """Raise :class:`StaffRoleUnknown`, :class:`DutiesIncompatible` for powers that stand apart, or
    :class:`DistrictWithoutArea`."""
    for role in duties.roles:
        if role not in set(StaffRole):
            raise StaffRoleUnknown(role=role)
    alone = sorted(ALONE.intersection(duties.roles))
    if alone and len(set(duties.roles)) > 1:
        raise DutiesIncompatible(role=alone[0])
    if StaffRole.DISTRICT in duties.roles and not duties.areas:
        raise DistrictWithoutArea()


async def _lock_another(staff_id: int, actor: Actor) -> None:
    """Lock all accounts, so that two administrators cannot take each other's last colleague away."""
    if staff_id == actor.id:
        raise OwnAccount()
    everybody = await Staff.select_for_update().order_by("id")
    if all(staff.id != staff_id for staff in everybody):
        raise NotFound()


async def _require_an_administrator() -> None:
    """After a change: raise :class:`LastAdministrator` if nobody is left who administers."""
    enabled = await Staff.filter(disabled=False)
    if not any(StaffRole.ADMINISTRATOR in staff.roles for staff in enabled):
        raise LastAdministrator()


async def _note(deed: str, staff_id: int, by: str, now: datetime, **data: Any) -> None:
    await journal.record(f"staff.{deed}", f"staff:{staff_id}", actor=by, at=now, **data)
