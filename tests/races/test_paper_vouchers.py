"""Vouchers without a grab, many at once on PostgreSQL: the last money, the last quota, one project twice.

Each race is run with verbs that are under way together; the control shows that they really are.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from tortoise.context import TortoiseContext
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server.models.contracts import Contract
from server.models.journal import JournalEntry
from server.models.orders import Order, OrderAct, VoucherHold
from server.models.organisations import Organisation
from server.models.rounds import Budget, Round
from server.models.voucher_requests import VoucherRequest
from server.models.vouchers import Voucher
from server.programme.steps import StepKind
from server.programme.vocabulary import Party
from server.rules.contracts import ContractStatus
from server.rules.money import Basis
from server.rules.orders import OrderStatus
from server.services.budgets import budgets
from server.services.orders.order_wishes import Wish
from server.units import yuan_to_fen
from tests.contracting import ALLOTTED, DRAWN, ON_CONTRACT, OPERATOR, Desk, faces, person_of
from tests.races.crowd import together

RIVALS = 5


async def half_signed(
    desk: Desk, enterprise: Organisation, provider: Organisation, price_yuan: float
) -> Order:
    """An order whose electronic contract bears the provider's signature alone."""
    return await desk.step(await desk.opened(ALLOTTED, enterprise, provider, price_yuan), provider)


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
    halves = []
    for _ in range(RIVALS):
        enterprise = await desk.enterprise(ALLOTTED)
        await desk.settle(enterprise)
        halves.append((await half_signed(desk, enterprise, provider, 100_000), enterprise))
    outcomes = await together(*(desk.step(order, enterprise) for order, enterprise in halves))
    assert outcomes == {"done": RIVALS}
    statuses = Counter(await Order.all().values_list("status", flat=True))
    assert statuses == {OrderStatus.OPEN: 2, OrderStatus.WAITING: RIVALS - 2}
    assert (await Budget.get(id=budget.id)).committed_fen == 6_000_000
    # Money for one more: however many look for who waits, the one ahead has it once.
    await budgets.top_up(budget.id, 2_000_000, actor=OPERATOR, now=desk.now, reason="追加")
    await together(*(desk.line.resume() for _ in range(RIVALS)))
    assert (await Budget.get(id=budget.id)).committed_fen == 9_000_000
    assert await Order.filter(status=OrderStatus.WAITING).count() == RIVALS - 3


@pytest.mark.rules("GX-56")
async def test_one_quota_is_not_frozen_twice_by_two_contracts(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    provider, enterprise = await desk.provider(ALLOTTED), await desk.enterprise(ALLOTTED)
    await desk.settle(enterprise)
    halves = [await half_signed(desk, enterprise, provider, 100_000) for _ in range(3)]
    outcomes = await together(*(desk.step(order, enterprise) for order in halves))
    assert outcomes == {"done": 2, "nothing_to_pay": 1}
    taken = await Order.all().order_by("voucher_fen").values_list("voucher_fen", flat=True)
    assert list(taken) == [0, 2_000_000, 3_000_000]


@pytest.mark.rules("GX-52")
async def test_both_sides_sign_at_once_and_the_contract_is_concluded_once(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    provider, enterprise = await desk.provider(ALLOTTED), await desk.enterprise(ALLOTTED)
    await desk.settle(enterprise)
    order = await desk.opened(ALLOTTED, enterprise, provider, 40_000)
    wish = await desk.wish(order, enterprise)
    turns = [(side, order.version) for side in (enterprise, provider, enterprise, provider)]

    async def sign(side: Organisation, version: int) -> Order:
        return await desk.orders.take(
            order.id, StepKind.SIGN_CONTRACT, wish, version=version, actor=person_of(side)
        )

    # Who saw the order as it was is told that it has moved, and who signed first.
    assert await together(*(sign(*turn) for turn in turns)) == {"done": 1, "order_moved_on": 3}
    half = await Order.get(id=order.id)
    (act,) = await OrderAct.filter(order_id=order.id)
    other = provider if act.party is Party.ENTERPRISE else enterprise
    outcomes = await together(*(desk.step(half, other) for _ in range(RIVALS)))
    assert outcomes["done"] == 1
    assert set(outcomes) <= {"done", "order_moved_on", "step_out_of_turn"}
    assert (await Contract.get(id=half.contract_id)).status is ContractStatus.SIGNED
    assert await VoucherHold.filter(order_id=order.id).count() == 1
    assert await OrderAct.filter(order_id=order.id).count() == 2


@pytest.mark.rules("GX-84")
async def test_a_contract_fails_once_however_many_say_so(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    provider, enterprise = await desk.provider(ALLOTTED), await desk.enterprise(ALLOTTED)
    await desk.settle(enterprise)
    signed = await desk.signed(enterprise, provider, 40_000)
    outcomes = await together(
        *(desk.ends.terminate(signed.id, reason="不能履约", actor=OPERATOR) for _ in range(RIVALS))
    )
    assert outcomes["done"] == 1
    assert set(outcomes) <= {"done", "order_moved_on", "not_permitted_now"}
    assert (await Contract.get(id=signed.contract_id)).status is ContractStatus.FAILED
    assert await faces(enterprise) == [50_000]


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
    order = await desk.opened(ON_CONTRACT, enterprise, provider, 6_000)
    order = await desk.walk(order, until=StepKind.REQUEST_VOUCHER)
    wish = Wish({"round_id": period.id})

    async def ask() -> Order:
        return await desk.orders.take(
            order.id, StepKind.REQUEST_VOUCHER, wish, version=order.version, actor=person_of(enterprise)
        )

    outcomes = await together(*(ask() for _ in range(RIVALS)))
    assert outcomes == {"done": 1, "order_moved_on": RIVALS - 1}
    assert await VoucherRequest.all().count() == 1


@pytest.mark.rules("YC-13", "YC-35")
async def test_one_project_is_drawn_for_once_by_many_at_once(desk: Desk) -> None:
    await desk.budget(DRAWN)
    enterprise, provider = await desk.organisation(DRAWN), await desk.provider(DRAWN)
    orders = [
        await desk.opened(DRAWN, enterprise, provider, 10_000, project="设备上云") for _ in range(RIVALS)
    ]
    outcomes = await together(*(desk.step(order, provider) for order in orders))
    assert outcomes == {"done": 1, "used_too_often": RIVALS - 1}
    assert await Voucher.all().count() == 1
    assert await Order.filter(project_key__isnull=False).count() == 1


@pytest.mark.rules("YC-15")
async def test_many_draws_on_one_contract_keep_under_its_cap(desk: Desk) -> None:
    await desk.budget(DRAWN)
    enterprise, provider = await desk.organisation(DRAWN), await desk.provider(DRAWN)
    contract = {"contract_number": "HT-1", "amount_fen": yuan_to_fen(900_000)}
    orders = [
        await desk.opened(DRAWN, enterprise, provider, 80_000, project=f"项目{number}")
        for number in range(RIVALS)
    ]
    outcomes = await together(*(desk.step(order, provider, **contract) for order in orders))
    assert outcomes == {"done": 3, "nothing_to_pay": RIVALS - 3}
    assert await faces(enterprise) == [24_000, 24_000, 2_000]
    assert await Contract.all().count() == 1


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
    drawn = await desk.drawn(enterprise, provider, 10_000, project="设备上云")
    maker = await desk.enterprise(ALLOTTED)
    await desk.settle(maker)
    quota = await Voucher.get(enterprise_id=maker.id)
    small, partner = await desk.enterprise(ON_CONTRACT), await desk.provider(ON_CONTRACT)
    request = await desk.asked(await desk.period(budget, 9_000), small, partner, 6_000)
    for row, changes in (
        (drawn, {"number": "copy"}),
        (quota, {"number": "copy"}),
        (request, {}),
        (await Contract.get(id=drawn.contract_id), {}),
    ):
        copy = row.clone(pk=None)
        copy.update_from_dict(changes)
        with pytest.raises(IntegrityError):
            async with in_transaction():
                await copy.save(force_create=True)
    # What a voucher was drawn for stands in the journal, which nobody rewrites.
    written = JournalEntry.filter(action="voucher.use_registered")
    for change in (written.update(actor="somebody"), written.delete()):
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
    assert set(outcomes) <= {"done", "illegal_move", "order_moved_on"}, outcomes
    for request in await VoucherRequest.all():
        assert (request.status == "issued") is (request.voucher_id is not None)
    issued = await VoucherRequest.filter(status="issued").count()
    assert await Voucher.all().count() == issued
