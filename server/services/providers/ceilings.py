"""Ceilings of providers that hold in principle (原则上): the authority raises one, with a reason (GX-32).

What it may receive from then on is said in full, not by how much more: whoever presses twice raises it once.
"""

from __future__ import annotations

from server.errors import Refusal
from server.models.ceilings import CeilingRaise
from server.models.rounds import Budget
from server.programme.registry import Programmes
from server.rules.deadlines import day_of
from server.rules.quota import ProviderRoom
from server.rules.review import ReasonMissing
from server.services import journal, outbox
from server.services.access import Actor
from server.services.budgets import budgets, rooms
from server.services.clocks import ProgrammeClocks
from server.services.providers.suspensions import provider_for, require_impartial
from server.services.vouchers import order_purse
from server.units import yuan


class CeilingHolds(Refusal):
    """The text sets no such ceiling, or sets it without exception."""

    status, code = 409, "ceiling_holds"


class CeilingNotRaised(Refusal):
    """The amount is not above what the provider may receive anyway."""

    status, code = 422, "ceiling_not_raised"


async def raise_for(
    programmes: Programmes,
    clocks: ProgrammeClocks,
    qualification_id: int,
    code: str,
    most_fen: int,
    *,
    reason: str,
    actor: Actor,
) -> CeilingRaise:
    """Let a provider receive up to ``most_fen`` in the present year, whatever the ceiling says.

    Raises ``NotFound``, ``OwnReview``, ``ReasonMissing``, :class:`CeilingHolds`, :class:`CeilingNotRaised`,
    ``YearNotOpen``.
    """
    row = await provider_for(actor, qualification_id)
    await require_impartial(actor, row.organisation)
    if not reason.strip():
        raise ReasonMissing()
    programme, now = programmes.get(row.programme_slug), clocks.now(row.programme_slug)
    ceiling = next((one for one in programme.provider_ceilings if one.code == code), None)
    if ceiling is None or not ceiling.in_principle:
        raise CeilingHolds(clause=programme.issuance.article if ceiling is None else ceiling.article)
    year = await order_purse.year_budget(programme.slug, programme.year_of(day_of(now)))
    async with budgets.locked(year.id) as budget:
        anybody_fen = await rooms.ceiling_fen(ceiling, budget)
        if most_fen <= anybody_fen:
            raise CeilingNotRaised(
                clause=ceiling.article,
                arithmetic=f"{yuan(most_fen)} ≤ {yuan(anybody_fen)}",
                asked=yuan(most_fen),
                most=yuan(anybody_fen),
            )
        raised = await CeilingRaise.create(
            budget_id=budget.id,
            provider_id=row.organisation_id,
            ceiling=code,
            clause=ceiling.article,
            most_fen=most_fen,
            reason=reason.strip(),
            made_by=actor.id,
            made_at=now,
        )
        await journal.record(
            "provider.ceiling_raised",
            f"organisation:{row.organisation_id}",
            actor=actor.name,
            at=now,
            programme_slug=programme.slug,
            ceiling=code,
            clause=ceiling.article,
            amount_fen=most_fen,
            reason=raised.reason,
        )
        await outbox.tell(
            f"organisation:{row.organisation_id}",
            "provider.ceiling_raised",
            at=now,
            qualification=row.id,
            programme=programme.name,
            amount_fen=most_fen,
            clause=ceiling.article,
            reason=raised.reason,
        )
    return raised


async def shown(
    programmes: Programmes, clocks: ProgrammeClocks, qualification_id: int, *, actor: Actor
) -> tuple[ProviderRoom | None, list[CeilingRaise]]:
    """What a provider may still receive in the present year, and how its ceilings were raised in it.

    Newest first; nothing before the year is open. Raises ``NotFound``.
    """
    row = await provider_for(actor, qualification_id)
    programme, now = programmes.get(row.programme_slug), clocks.now(row.programme_slug)
    year = programme.year_of(day_of(now))
    budget = await Budget.get_or_none(programme_slug=programme.slug, year=year)
    if budget is None:
        return None, []
    made = CeilingRaise.filter(budget_id=budget.id, provider_id=row.organisation_id).order_by("-id")
    return await rooms.provider_room(programme, row.organisation_id, budget), await made
