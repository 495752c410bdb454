"""Vouchers without a grab, many at once on PostgreSQL: the last money, the last quota, one project twice.

Each race is run with verbs that are under way together; the control shows that they really are.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable

import pytest
from tortoise.context import TortoiseContext
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server.database import close_database, open_database
from server.errors import Refusal
from server.models.contracts import Contract, Draw, VoucherHold, VoucherRequest
from server.models.rounds import Budget, Round
from server.models.vouchers import Voucher
from server.rules.contracts import ContractStatus
from server.rules.money import Basis
from server.services import ledger
from tests.contracting import ALLOTTED, DRAWN, ON_CONTRACT, OPERATOR, Desk, faces, person_of

RIVALS = 5


@pytest.fixture
async def desk(postgres_url: str) -> AsyncIterator[Desk]:
    """Contracts, quotas, requests and draws on PostgreSQL; whatever a race does, the books balance."""
    context = await open_database(postgres_url)
    yield Desk()
    assert await ledger.verify() == []
    await close_database(context)


async def together(*verbs: Awaitable[object]) -> Counter[str]:
    """What became of verbs that were begun at once: ``done``, or the code of the refusal."""

    async def outcome(verb: Awaitable[object]) -> str:
        try:
            await verb
        except Refusal as refusal:
            return refusal.code
        return "done"

    return Counter(await asyncio.gather(*(outcome(verb) for verb in verbs)))


async def test_control_two_who_look_without_the_lock_both_promise_the_same_quota(desk: Desk) -> None:
    """Without the budget's lock and the guard on the serial this is what the races below would come to."""
    budget = await desk.budget(ALLOTTED)
    enterprise = await desk.enterprise(ALLOTTED)
    both_looked = asyncio.Barrier(2)

    async def promise(serial: int) -> None:
        async with in_transaction():
            if await Voucher.exists(enterprise_id=enterprise.id):
                return
            async with asyncio.timeout(10):
                await both_looked.wait()
            await Voucher.create(
                number=f"control-{serial}",
                budget_id=budget.id,
                enterprise_id=enterprise.id,
                basis=Basis.ON_FILE,
                serial=serial,
                face_value_fen=5_000_000,
                programme_slug=ALLOTTED,
                programme_version="2024",
                granted_at=desk.now,
                reserved_at=desk.now,
                valid_until=desk.now,
            )

    await asyncio.gather(promise(1), promise(2))
    assert await Voucher.filter(enterprise_id=enterprise.id).count() == 2


@pytest.mark.rules("GX-25")
async def test_the_job_and_a_label_gained_promise_an_enterprise_its_quota_once(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprises = [await desk.enterprise(ALLOTTED) for _ in range(RIVALS)]

    async def gain(number: int) -> None:
        await desk.label(enterprises[number], "national_little_giant")
        await desk.settle(enterprises[number])

    await together(
        desk.allotments.allot_due(),
        *(gain(number) for number in range(RIVALS)),
        desk.allotments.allot_due(),
        *(desk.settle(one) for one in enterprises),
    )
    for enterprise in enterprises:
        promised = await faces(enterprise)
        # Whoever was first: the highest tier once, or the lowest and the difference.
        assert promised in ([300_000], [50_000, 250_000])
        vouchers = await Voucher.filter(enterprise_id=enterprise.id).order_by("id")
        assert [one.serial for one in vouchers] == list(range(1, len(promised) + 1))


@pytest.mark.rules("GX-56", "GX-65")
async def test_many_who_sign_at_once_never_take_more_than_the_year_has(desk: Desk) -> None:
    budget = await desk.budget(ALLOTTED, 70_000)
    provider = await desk.provider(ALLOTTED)
    drafts = []
    for _ in range(RIVALS):
        enterprise = await desk.enterprise(ALLOTTED)
        await desk.settle(enterprise)
        drafted = await desk.entered(ALLOTTED, enterprise, provider, 100_000)
        await desk.contracts.sign(drafted.id, actor=person_of(provider))
        drafts.append((drafted, enterprise))
    outcomes = await together(
        *(desk.contracts.sign(drafted.id, actor=person_of(enterprise)) for drafted, enterprise in drafts)
    )
    assert outcomes == {"done": 2, "contracts_paused": RIVALS - 2}
    assert (await Budget.get(id=budget.id)).committed_fen == 6_000_000


@pytest.mark.rules("GX-56")
async def test_one_quota_is_not_frozen_twice_by_two_contracts(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    provider, enterprise = await desk.provider(ALLOTTED), await desk.enterprise(ALLOTTED)
    await desk.settle(enterprise)
    drafts = [await desk.entered(ALLOTTED, enterprise, provider, 100_000) for _ in range(3)]
    for drafted in drafts:
        await desk.contracts.sign(drafted.id, actor=person_of(provider))
    outcomes = await together(
        *(desk.contracts.sign(drafted.id, actor=person_of(enterprise)) for drafted in drafts)
    )
    assert outcomes == {"done": 2, "nothing_to_pay": 1}
    taken = await Contract.all().order_by("voucher_fen").values_list("voucher_fen", flat=True)
    assert list(taken) == [0, 2_000_000, 3_000_000]


@pytest.mark.rules("GX-52")
async def test_both_sides_sign_at_once_and_the_contract_is_concluded_once(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    provider, enterprise = await desk.provider(ALLOTTED), await desk.enterprise(ALLOTTED)
    await desk.settle(enterprise)
    drafted = await desk.entered(ALLOTTED, enterprise, provider, 40_000)
    outcomes = await together(
        *(
            desk.contracts.sign(drafted.id, actor=person_of(side))
            for side in (enterprise, provider, enterprise, provider)
        )
    )
    assert outcomes["done"] == 2
    assert set(outcomes) <= {"done", "signed_already", "illegal_move"}
    assert (await Contract.get(id=drafted.id)).status is ContractStatus.SIGNED
    assert await VoucherHold.filter(contract_id=drafted.id).count() == 1


@pytest.mark.rules("GX-84")
async def test_a_contract_fails_once_however_many_say_so(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    provider, enterprise = await desk.provider(ALLOTTED), await desk.enterprise(ALLOTTED)
    await desk.settle(enterprise)
    signed = await desk.signed(enterprise, provider, 40_000)
    outcomes = await together(
        *(desk.contracts.fail(signed.id, reason="不能履约", actor=OPERATOR) for _ in range(RIVALS))
    )
    assert outcomes["done"] == 1
    assert set(outcomes) <= {"done", "signed_already", "illegal_move"}


@pytest.mark.rules("NX-31")
async def test_requests_decided_at_once_share_the_last_money_in_the_order_of_the_line(desk: Desk) -> None:
    budget = await desk.budget(ON_CONTRACT)
    period, provider = await desk.period(budget, 7_000), await desk.provider(ON_CONTRACT)
    requests = [
        await desk.asked(period, await desk.enterprise(ON_CONTRACT), provider, 6_000) for _ in range(RIVALS)
    ]
    outcomes = await together(*(desk.decide(one) for one in reversed(requests)))
    assert outcomes == {"done": RIVALS}
    rows = await VoucherRequest.all().order_by("id")
    assert [row.status.value for row in rows] == ["issued"] * 3 + ["left_out"] * 2
    assert [row.amount_fen for row in rows[:3]] == [300_000, 300_000, 100_000]
    assert (await Round.get(id=period.id)).issued_fen == 700_000


@pytest.mark.rules("NX-10")
async def test_one_enterprise_never_passes_its_year_by_asking_many_times_at_once(desk: Desk) -> None:
    budget = await desk.budget(ON_CONTRACT)
    period, provider = await desk.period(budget, 70_000), await desk.provider(ON_CONTRACT)
    enterprise = await desk.enterprise(ON_CONTRACT)
    requests = [await desk.asked(period, enterprise, provider, 10_000) for _ in range(RIVALS)]
    outcomes = await together(*(desk.decide(one) for one in requests))
    assert outcomes == {"done": 2, "nothing_to_pay": RIVALS - 2}
    assert await faces(enterprise) == [3_000, 2_000]


@pytest.mark.rules("NX-18")
async def test_one_contract_is_asked_on_once_by_many_at_once(desk: Desk) -> None:
    budget = await desk.budget(ON_CONTRACT)
    period, provider = await desk.period(budget, 70_000), await desk.provider(ON_CONTRACT)
    enterprise = await desk.enterprise(ON_CONTRACT)
    contract = await desk.entered(ON_CONTRACT, enterprise, provider, 6_000)
    outcomes = await together(
        *(desk.requests.ask(period.id, contract.id, actor=person_of(enterprise)) for _ in range(RIVALS))
    )
    assert outcomes == {"done": 1, "requested_already": RIVALS - 1}


@pytest.mark.rules("YC-13", "YC-35")
async def test_one_project_is_drawn_for_once_by_many_at_once(desk: Desk) -> None:
    await desk.budget(DRAWN)
    enterprise, provider = await desk.organisation(DRAWN), await desk.provider(DRAWN)
    contracts = [await desk.entered(DRAWN, enterprise, provider, 100_000) for _ in range(RIVALS)]
    outcomes = await together(*(desk.drawn(one, provider, "设备上云", 10_000) for one in contracts))
    assert outcomes == {"done": 1, "project_drawn_before": RIVALS - 1}
    assert await Draw.all().count() == await Voucher.all().count() == 1


@pytest.mark.rules("YC-15")
async def test_many_draws_on_one_contract_keep_under_its_cap(desk: Desk) -> None:
    await desk.budget(DRAWN)
    enterprise, provider = await desk.organisation(DRAWN), await desk.provider(DRAWN)
    contract = await desk.entered(DRAWN, enterprise, provider, 900_000)
    outcomes = await together(
        *(desk.drawn(contract, provider, f"项目{number}", 80_000) for number in range(RIVALS))
    )
    assert outcomes == {"done": 3, "nothing_to_pay": RIVALS - 3}
    assert await faces(enterprise) == [24_000, 24_000, 2_000]


# -- what the database itself refuses, on both -------------------------------------------------------


@pytest.fixture
async def guarded(database: TortoiseContext) -> Desk:
    """On each kind of database."""
    return Desk()


async def test_the_database_keeps_a_use_one_request_one_serial_and_one_contract(guarded: Desk) -> None:
    desk = guarded
    await desk.budget(DRAWN)
    await desk.budget(ALLOTTED)
    budget = await desk.budget(ON_CONTRACT)
    enterprise, provider = await desk.organisation(DRAWN), await desk.provider(DRAWN)
    contract = await desk.entered(DRAWN, enterprise, provider, 100_000)
    drawn = await desk.drawn(contract, provider, "设备上云", 10_000)
    maker = await desk.enterprise(ALLOTTED)
    await desk.settle(maker)
    quota = await Voucher.get(enterprise_id=maker.id)
    small, partner = await desk.enterprise(ON_CONTRACT), await desk.provider(ON_CONTRACT)
    request = await desk.asked(await desk.period(budget, 9_000), small, partner, 6_000)
    for row, changes in (
        (drawn.draw, {"voucher_id": 10**6}),
        (quota, {"number": "copy"}),
        (request, {}),
        (contract, {}),
    ):
        copy = row.clone(pk=None)
        copy.update_from_dict(changes)
        with pytest.raises(IntegrityError):
            async with in_transaction():
                await copy.save(force_create=True)
    written = Draw.filter(id=drawn.draw.id)
    for change in (written.update(project="别的"), written.delete()):
        with pytest.raises(Exception, match="append-only"):
            await change


async def test_who_withdraws_while_others_are_issued_waits_for_nobody_who_waits_for_them(desk: Desk) -> None:
    period = await desk.period(await desk.budget(ON_CONTRACT), 100_000)
    provider = await desk.provider(ON_CONTRACT)
    requests = [
        await desk.asked(period, await desk.enterprise(ON_CONTRACT), provider, 6_000)
        for _ in range(RIVALS + 1)
    ]
    first, waiting = requests[0], requests[1:]
    await Round.filter(id=period.id).update(status="paused")
    for request in waiting:
        await desk.decide(request)
    await Round.filter(id=period.id).update(status="scheduled")
    outcomes = await together(
        desk.decide(first),
        desk.requests.issue_due(),
        *(
            desk.requests.withdraw(one.id, reason="不再需要", actor=person_of(one.enterprise))
            for one in await VoucherRequest.filter(id__in=[one.id for one in waiting]).select_related(
                "enterprise"
            )
        ),
    )
    assert set(outcomes) <= {"done", "illegal_move"}, outcomes
    for request in await VoucherRequest.all():
        assert (request.status == "issued") is (request.voucher_id is not None)
    issued = await VoucherRequest.filter(status="issued").count()
    assert await Voucher.all().count() == issued
