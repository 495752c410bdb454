"""Demo officials: an account for every role, and as many of a role as a chain asks for by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiohttp import web

from server import keys
from server.models.people import Staff
from server.services.access import Actor, StaffRole
from server.services.accounts.staff import create_staff

PASSWORD = "Try-the-console-2026"
SEVERAL: Mapping[StaffRole, int] = {StaffRole.OPERATOR: 2, StaffRole.AUTHORITY: 3}
"""Nobody decides twice in one chain, and money is approved by other hands than those that drew it up."""


class Officials:
    """Everybody of the official side, by role."""

    def __init__(self, desks: Mapping[str, Sequence[Actor]]) -> None:
        self._desks = desks

    def first(self, role: str) -> Actor:
        """Whoever does what is no review."""
        return self._desks[role][0]

    def other(self, role: str, *hands: int | None) -> Actor:
        """Somebody of the role who is none of these; where there is nobody else, the first."""
        free = (one for one in self._desks[role] if one.id not in hands)
        return next(free, self._desks[role][0])


def username(role: StaffRole, number: int = 1) -> str:
    """What a demo account of a role is called; the first has no number."""
    name = f"demo-{role.value.replace('_', '-')}"
    return name if number == 1 else f"{name}-{number}"


def usernames() -> list[str]:
    """Every account, role by role."""
    return [username(role, number) for role in StaffRole for number in range(1, SEVERAL.get(role, 1) + 1)]


async def officials_of(app: web.Application) -> Officials:
    """The accounts, made where they are missing. The district department has the first area of everything."""
    areas = sorted({programme.areas[0] for programme in app[keys.PROGRAMMES]})
    desks: dict[str, list[Actor]] = {}
    for role in StaffRole:
        bounds = areas if role is StaffRole.DISTRICT else ()
        desks[role.value] = [
            await _account(app, role, number, bounds) for number in range(1, SEVERAL.get(role, 1) + 1)
        ]
    return Officials(desks)


async def _account(app: web.Application, role: StaffRole, number: int, areas: Sequence[str]) -> Actor:
    name, now = username(role, number), app[keys.CLOCK].now()
    staff = await Staff.get_or_none(username=name) or await create_staff(
        name, PASSWORD, [role.value], now, areas=areas
    )
    return Actor("staff", staff.id, "", None, frozenset({role.value}), areas=frozenset(areas))
