"""A batch: the town on a day of a programme that ranks, with a round and whoever applies in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from server.keys import PROGRAMMES, RANKED
from server.models.organisations import MemberRole, Membership, Organisation
from server.models.people import Person, Staff
from server.models.rounds import Budget
from server.units import yuan_to_fen
from tests.factories import make_qualified
from tests.town import Answered, Caller, Town, grab_key

PROGRAMME = "guangzhou-2020"
MONDAY = datetime(2020, 6, 22, 2, 0, tzinfo=UTC)
"""10:00 in China. Thursday and Friday of this week are holidays, Sunday is worked."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MILLISECOND = timedelta(milliseconds=1)
FIRST = ("sme_monitoring",)
"""A label that comes first."""


class Applicant:
    """An organisation with its handler, who signs in anew whenever the clock has moved."""

    def __init__(self, town: Town, person_id: int, organisation: Organisation) -> None:
        self.town = town
        self.person_id = person_id
        self.organisation = organisation

    async def caller(self) -> Caller:
        """The handler, signed in at this instant."""
        return await self.town.signed_in(await Person.get(id=self.person_id))

    async def ask(self, round_id: int, yuan: float, *, key: str = "") -> Answered:
        """Apply for so many yuan, as the phone does."""
        headers = {"Idempotency-Key": key or grab_key()}
        body = {"amount_fen": yuan_to_fen(yuan)}
        return await (await self.caller())._call("PUT", f"rounds/{round_id}/application", body, headers)

    async def withdraw(self, round_id: int, *, key: str = "") -> Answered:
        """Take the application back."""
        headers = {"Idempotency-Key": key or grab_key()}
        return await (await self.caller())._call("DELETE", f"rounds/{round_id}/application", None, headers)

    async def sees(self, round_id: int) -> Answered:
        """Its own application."""
        return await (await self.caller()).get(f"rounds/{round_id}/application")


class Batch:
    """The town, its operator, and a round open from now until six in the evening."""

    def __init__(self, town: Town, operator_id: int) -> None:
        self.town = town
        self.operator_id = operator_id
        self.round_id = 0

    async def operator(self) -> Caller:
        """The operator, signed in at this instant."""
        return await self.town.signed_in(await Staff.get(id=self.operator_id))

    @property
    def closes_at(self) -> datetime:
        """When the window closes."""
        return MONDAY + 8 * HOUR

    async def applicant(self, *, labels: tuple[str, ...] = (), **facts: Any) -> Applicant:
        """A qualified enterprise of the city and its handler, signed in."""
        programme = self.town.app[PROGRAMMES].get(PROGRAMME)
        named = {"area": "广东省/广州市/天河区", **facts}
        organisation = await make_qualified(programme, labels=labels, at=self.town.clock.at, **named)
        handler = await self.town.person()
        await Membership.create(
            person_id=handler.id,
            organisation_id=organisation.id,
            role=MemberRole.HANDLER,
            created_at=self.town.clock.at,
        )
        return Applicant(self.town, handler.id, organisation)

    async def asked(
        self, yuan: float, *, labels: tuple[str, ...] = (), after: timedelta = MILLISECOND, **facts: Any
    ) -> Applicant:
        """A new enterprise that applies for so much, a moment after whoever came before."""
        applicant = await self.applicant(labels=labels, **facts)
        self.town.clock.advance(after)
        asked = await applicant.ask(self.round_id, yuan)
        assert asked.status == 200, asked.body
        return applicant

    async def another_round(self, *, pool_yuan: int) -> int:
        """A published round of this year with the same window; its id."""
        budget = await Budget.get(programme_slug=PROGRAMME)
        operator = await self.operator()
        planned = await operator.post(
            "rounds",
            budget_id=budget.id,
            title="2020年第一批",
            opens_at=MONDAY.isoformat(),
            closes_at=self.closes_at.isoformat(),
            pool_fen=yuan_to_fen(pool_yuan),
            valid_until=(MONDAY + 120 * DAY).isoformat(),
        )
        assert planned.status == 201, planned.body
        published = await operator.post(f"rounds/{planned.body['id']}/schedule", reason="公告已发布")
        assert published.status == 200, published.body
        return int(planned.body["id"])

    async def run(self, at: datetime) -> None:
        """Move the clock and let every job run that is due: closing, then ranking, then telling."""
        self.town.clock.at = at
        for _ in range(2):
            await self.town.run_jobs()

    async def rank(self) -> None:
        """The window closes, and the round is ranked."""
        await self.run(self.closes_at)

    @property
    def ranked(self) -> Any:
        return self.town.app[RANKED]


async def a_batch(town: Town, *, pool_yuan: int = 100_000) -> Batch:
    """The town on that Monday, with this year's money and an open round of so much."""
    town.clock.at = MONDAY
    operator = await town.operator()
    batch = Batch(town, operator.id)
    budget = await operator.post("budgets", programme=PROGRAMME, year=2020, total_fen=yuan_to_fen(6_000_000))
    assert budget.status == 201, budget.body
    batch.round_id = await batch.another_round(pool_yuan=pool_yuan)
    return batch
