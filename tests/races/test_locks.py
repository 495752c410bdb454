"""Whoever locks an organisation does so first: what it would lock next is still free while it waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest
from tortoise.context import TortoiseContext
from tortoise.transactions import in_transaction

from server.models.complaints import SanctionProposal
from server.models.organisations import BlocklistEntry, Organisation
from server.models.sanctions import Recovery, SanctionEffect
from server.models.settlements import Settlement
from server.programme.vocabulary import Party
from server.rules.complaints import Finding
from server.rules.settlements import SettlementStatus
from server.services.budgets import ledger
from server.services.organisations import memberships
from server.services.sanctions.sanctions import Proposal
from tests.claiming import overdue, receipts_of
from tests.contracting import ALLOTTED, GRABBED, ON_CONTRACT
from tests.disbursing import Till
from tests.races.crowd import all_wait, outcome
from tests.sanctioning import FACTS, Court


@pytest.fixture
async def till(postgres: TortoiseContext) -> AsyncIterator[Till]:
    """The till on PostgreSQL; the books balance."""
    yield Till()
    assert await ledger.verify() == []


async def waits_with_free_hands(
    postgres_url: str, organisation_id: int, table: str, row_id: int, verb: Callable[[], Awaitable[object]]
) -> str:
    """What became of a verb that came to stand before an organisation and held no row of ``table``."""
    begin = asyncio.Event()

    async def run() -> str:
        await begin.wait()
        return await outcome(verb())

    # Begun outside of the transaction, or it would share its connection.
    running, watcher = asyncio.create_task(run()), await asyncpg.connect(postgres_url)
    try:
        async with in_transaction():
            await memberships.lock(organisation_id)
            begin.set()
            await all_wait(postgres_url, running)
            await watcher.execute(f'SELECT 1 FROM "{table}" WHERE id = $1 FOR UPDATE NOWAIT', row_id)
    finally:
        await watcher.close()
    return await running


async def test_who_enters_what_a_debtor_gave_back_waits_for_a_reversal_without_the_claim(
    till: Till, postgres_url: str
) -> None:
    budget = await till.budget(ON_CONTRACT)
    first = await till.payable(ON_CONTRACT, budget=budget, provider=await till.provider(ON_CONTRACT))
    await till.with_account(first)
    await till.paid(await till.drafted(ON_CONTRACT, budget.year))
    claim: Recovery = await overdue(till, first, first.amount_fen)
    operator, day = await till.staff("operator"), till.today(ON_CONTRACT)
    receipts = receipts_of(till)
    assert (
        await waits_with_free_hands(
            postgres_url,
            claim.debtor_id,
            "recovery",
            claim.id,
            lambda: receipts.receive(
                claim.id, "2026051800001", 100, day, version=claim.version, actor=operator
            ),
        )
        == "done"
    )


async def test_who_asks_for_a_ban_to_be_lifted_and_who_makes_a_case_of_a_proposal_wait_first(
    postgres: TortoiseContext, postgres_url: str
) -> None:
    court = Court()
    order = await court.order(ALLOTTED)
    filed = await court.complained(ALLOTTED, order)
    await court.answered(filed, finding=Finding.SUBSTANTIATED, serious=True)
    row, division = await SanctionProposal.get(complaint_id=filed.id), await court.staff("division")
    against = await Organisation.get(id=row.against_id)
    ban = await BlocklistEntry.create(
        uscc=against.uscc, clause="第六条", reason="-", starts_at=court.now, made_by=division.id
    )
    authority = await court.staff("authority")
    about = Proposal(
        programme_slug="",
        organisation_id=0,
        party=row.party,
        ground="complaint",
        facts=FACTS,
        orders=[],
        vouchers=[],
    )
    for table, row_id, verb in (
        ("blocklist_entry", ban.id, lambda: court.blocklist.lift(ban.id, reason="更正", actor=authority)),
        (
            "sanction_proposal",
            row.id,
            lambda: court.sanctions.cases.from_complaint(row.id, about, actor=division),
        ),
    ):
        told = await waits_with_free_hands(postgres_url, against.id, table, row_id, verb)
        assert told == "done", (table, told)


async def test_who_carries_a_decision_out_waits_for_both_sides_before_it_holds_the_effect(
    postgres: TortoiseContext, postgres_url: str
) -> None:
    court = Court()
    enterprise, provider = await court.enterprise(GRABBED), await court.provider(GRABBED)
    order, _ = await court.accepted(GRABBED, enterprise, provider)
    settlement = await court.settling(order, SettlementStatus.IN_PAYMENT)
    case = await court.sanctioned(GRABBED, provider, Party.PROVIDER, "fraud")
    effect = await SanctionEffect.get(case_id=case.id, subject=f"settlement:{settlement.id}")
    assert effect.done_at is None
    await Settlement.filter(id=settlement.id).update(status=SettlementStatus.PAYABLE)
    carry_on = court.sanctions.effects.carry_on
    told = await waits_with_free_hands(
        postgres_url, provider.id, "sanction_effect", effect.id, lambda: carry_on(case.id)
    )
    assert (told, (await Settlement.get(id=settlement.id)).status) == ("done", SettlementStatus.REFUSED)
