"""Qualifications without HTTP: what one programme's decision does to another, and what Redis hears of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tortoise.context import TortoiseContext
from tortoise.transactions import in_transaction

from server.gateways.grab_gate import GateCode
from server.models.organisations import Qualification
from server.models.rounds import Entitlement
from server.programme.registry import Programmes
from server.rules.lifecycles import QualificationStatus
from server.sealing import Sealer
from server.services.admissions.admissions import Admissions
from server.services.admissions.qualifications import LABELS_CONFIRMED, Qualifications
from server.services.reviews.reviews import Reviews
from server.services.working_days import WorkingDays
from server.units import yuan_to_fen
from tests.factories import OPERATOR, Office, make_budget, make_qualified
from tests.rules.cast import LISHUI, programme, size_standard

LABEL = "newly_above_scale"


@pytest.fixture
async def office(database: TortoiseContext, database_url: str, redis_url: str) -> AsyncIterator[Office]:
    """An office with two programmes that know the same labels."""
    city = programme(LISHUI)
    neighbour = replace(city, identity=replace(city.identity, slug="neighbour"))
    office = Office(Programmes([city, neighbour]), database_url, redis_url)
    yield office
    office.lane.close()
    await office.store.close()


def qualifications_of(office: Office) -> Qualifications:
    reviews = Reviews(office.programmes, office.clocks, WorkingDays(Path("config/holidays")))
    return Qualifications(office.programmes, size_standard(), office.clocks, office.rounds, reviews)


async def test_a_label_taken_away_in_one_programme_counts_in_no_other(office: Office) -> None:
    neighbour = office.programmes.get("neighbour")
    budget = await make_budget(neighbour)
    enterprise = await make_qualified(
        neighbour, labels=(LABEL,), declarations={"fits_industrial_direction": True}
    )
    await office.make_round(budget)
    before = await Entitlement.get(enterprise_id=enterprise.id)
    waiting = await Qualification.create(
        organisation_id=enterprise.id,
        programme_slug=LISHUI,
        programme_version=programme(LISHUI).version,
        status=QualificationStatus.PENDING,
        applied_at=office.now,
        snapshot={},
    )
    admissions = Admissions(qualifications_of(office), Sealer({"test": "a" * 40}))
    async with in_transaction():
        after = await admissions.approve(waiting.id, {LABELS_CONFIRMED: []}, actor=OPERATOR, now=office.now)
    await after()
    after = await Entitlement.get(enterprise_id=enterprise.id)
    assert (before.amount_fen, after.amount_fen) == (yuan_to_fen(20_000), yuan_to_fen(10_000))


async def test_the_gate_hears_at_once_who_may_no_longer_grab(office: Office) -> None:
    city = office.programmes.get(LISHUI)
    budget = await make_budget(city)
    leaving, staying = await make_qualified(city), await make_qualified(city)
    row = await office.make_round(budget)
    qualification = await Qualification.get(organisation_id=leaving.id)
    await qualifications_of(office).revoke(qualification, reason="经营异常", actor=OPERATOR)
    assert (await office.gate_says(row, leaving)).code is GateCode.NOT_ENTITLED
    assert (await office.gate_says(row, staying)).code is GateCode.ADMITTED
