"""Filling in a registration form over days and devices, and handing it in."""

from __future__ import annotations

from tests.town import PROGRAMME, Town


async def test_a_complete_form_is_handed_in_and_approved(town: Town) -> None:
    operator, handler = await town.operator(), await town.handler()
    applied = await town.applied(handler)
    assert (applied.status, applied.body["status"], applied.body["unmet"]) == (201, "pending", [])
    decided = await town.decide(operator, applied)
    assert decided.status == 200, decided.body
    mine = (await handler.get("organisations/mine/qualifications")).body["qualifications"][0]
    assert (mine["status"], mine["programme"]) == ("approved", PROGRAMME)
