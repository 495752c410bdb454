"""Who owns and who is a stranger: two organisations of one town, and what it means to be hidden."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from tortoise.exceptions import IntegrityError, MultipleObjectsReturned

from server.models.organisations import Membership
from tests.town import Caller, Town

ANOTHER_PROGRAMME = "guangxi-2024"
ANOTHER_AREA = "浙江省/丽水市/市直"


@dataclass
class Stage:
    """A town with one organisation, whose objects are asked for, and another, which asks for them."""

    town: Town
    operator: Caller
    owners: Mapping[str, Caller]
    """Everybody of the one organisation, by their place in it."""
    strangers: Mapping[str, Caller]
    """Everybody of the other."""
    organisation_id: int

    @property
    def owner(self) -> Caller:
        """The handler of the organisation."""
        return self.owners["handler"]


async def a_stage(town: Town) -> Stage:
    """Both organisations are qualified, so that nothing but ownership can stand in the way."""
    operator = await town.operator()
    people = []
    for _ in range(2):
        handler = await town.qualified(operator)
        others = {role: await town.joined(handler, role) for role in ("legal_representative", "staff")}
        people.append({"handler": handler, **others})
    place = await Membership.get(person_id=people[0]["handler"].id, active=True)
    return Stage(town, operator, people[0], people[1], place.organisation_id)


Make = Callable[[Stage], Awaitable[int | str]]


@dataclass(frozen=True)
class Owned:
    """How an object is made, and from whom it is hidden.

    ``persons``: from other organisations. ``programmes``: from staff of other programmes. ``areas``: from
    staff of other areas.
    """

    make: Make
    persons: bool = True
    programmes: bool = True
    areas: bool = False


class Objects:
    """Objects by the variables that name them, each made once on a stage as long as nothing was changed."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._stage: Stage | None = None
        self._made: dict[str, int | str] = {}

    async def of(self, makers: Mapping[str, Make]) -> tuple[Stage, Mapping[str, int | str]]:
        """The stage and these objects on it; a new one where they cannot be made beside the others."""
        if self._stage is not None:
            try:
                return self._stage, await self._on(self._stage, makers)
            except (AssertionError, MultipleObjectsReturned, IntegrityError):
                self.forget()
        self._stage = await a_stage(self._town)
        return self._stage, await self._on(self._stage, makers)

    def forget(self) -> None:
        """Something was changed: what comes next is asked of a new stage."""
        self._stage, self._made = None, {}

    async def _on(self, stage: Stage, makers: Mapping[str, Make]) -> Mapping[str, int | str]:
        for name, make in makers.items():
            if name not in self._made:
                self._made[name] = await make(stage)
        return {name: self._made[name] for name in makers}
