"""Draws: the approved provider draws for a project, registers the use, and reserves nothing."""

from __future__ import annotations

from typing import Any

import pytest

from server.models.contracts import Contract
from server.models.journal import JournalEntry
from server.models.ledger import LedgerEntry
from server.models.orders import Order, OrderAct
from server.models.organisations import BlocklistEntry, Organisation, Qualification
from server.models.outbox import OutboxMessage
from server.models.rounds import Budget
from server.models.vouchers import Voucher
from server.programme.steps import StepKind
from server.rules.contracts import ContractStatus
from server.rules.lifecycles import NotPermittedNow, QualificationStatus, VoucherStatus
from server.rules.money import Basis
from server.rules.orders import OrderStatus
from server.rules.steps import NotYourStep
from server.services.access import NotFound
from server.services.admissions.standings import NotInStanding
from server.services.orders import order_lists
from server.services.orders.order_opening import OutOfScope
from server.services.orders.order_wishes import StepUnmet, Wish
from server.services.vouchers import wallet
from server.services.vouchers.order_purse import NothingToPay, UsedTooOften, YearNotOpen
from server.units import yuan_to_fen
from tests.contracting import DAY, DRAWN, ON_CONTRACT, OPERATOR, Desk, person_of

CONTRACT = {"contract_number": "HT-1", "amount_fen": yuan_to_fen(200_000)}


async def served(desk: Desk, **facts: Any) -> tuple[Organisation, Organisation]:
    """An enterprise and an approved provider, in a year with money."""
    if not await Budget.exists(programme_slug=DRAWN):
        await desk.budget(DRAWN)
    return await desk.organisation(DRAWN, **facts), await desk.provider(DRAWN)


@pytest.mark.rules("YC-04", "YC-05", "YC-19")
async def test_a_draw_gives_the_provider_a_voucher_registers_its_use_and_takes_no_money(desk: Desk) -> None:
    enterprise, provider = await served(desk)
    before = await LedgerEntry.all().count()
    order = await desk.drawn(enterprise, provider, 100_000, project="设备上云", contract=CONTRACT)
    voucher = await Voucher.get(id=order.voucher_id)
    assert (voucher.provider_id, voucher.enterprise_id) == (provider.id, enterprise.id)
    assert (voucher.basis, voucher.face_value_fen) == (Basis.ON_FILE, 3_000_000)
    assert await LedgerEntry.all().count() == before
    assert (await Budget.get(programme_slug=DRAWN)).free_fen == 1_000_000_000
    use = await JournalEntry.get(action="voucher.use_registered")
    assert (use.data["enterprise"], use.data["contract"]) == (enterprise.id, order.contract_id)
    assert use.data["facts"]["name"] == enterprise.name
    assert (order.project, order.price_fen, order.clause) == ("设备上云", 10_000_000, "第十条")
    # The platform itself registered the use, in the moment the contract was there.
    assert await OrderAct.filter(order_id=order.id, step=StepKind.REGISTER_USE, party=None).count() == 1
    assert (await OutboxMessage.get(topic="voucher.granted")).recipient == f"organisation:{provider.id}"
    # The holder is the provider; the enterprise is named on it.
    held = await wallet.vouchers(before=None, limit=9, actor=person_of(provider))
    assert [one.voucher.id for one in held] == [voucher.id]
    assert await wallet.vouchers(before=None, limit=9, actor=person_of(enterprise)) == []
    with pytest.raises(NotFound):
        await wallet.voucher(voucher.id, actor=person_of(enterprise))
    shown = await wallet.voucher(voucher.id, actor=person_of(provider))
    assert [line.says for line in await wallet.history(shown)]
    for side in (enterprise, provider):
        assert [one.id for one in await order_lists.page(actor=person_of(side), after=0, limit=9)] == [
            order.id
        ]


@pytest.mark.rules("YC-14", "YC-15")
@pytest.mark.parametrize(
    ("fees_yuan", "vouchers_fen"),
    [
        # Worked sums 1 to 3.
        ((100_000,), (3_000_000,)),
        ((166_666.67,), (5_000_000,)),
        ((166_666.66,), (4_999_999,)),
        ((200_000,), (5_000_000,)),
        ((100_000, 100_000), (3_000_000, 2_000_000)),
    ],
)
async def test_the_worked_sums_of_a_draw(
    desk: Desk, fees_yuan: tuple[float, ...], vouchers_fen: tuple[int, ...]
) -> None:
    enterprise, provider = await served(desk)
    drawn = [
        await desk.drawn(enterprise, provider, fee, project=f"项目{number}", contract=CONTRACT)
        for number, fee in enumerate(fees_yuan, start=1)
    ]
    assert tuple(one.voucher_fen for one in drawn) == vouchers_fen
    assert [(await Voucher.get(id=one.voucher_id)).face_value_fen for one in drawn] == list(vouchers_fen)
    assert len({one.contract_id for one in drawn}) == 1


@pytest.mark.rules("YC-15")
async def test_a_contract_at_its_cap_gives_no_more(desk: Desk) -> None:
    enterprise, provider = await served(desk)
    contract = {**CONTRACT, "amount_fen": yuan_to_fen(300_000)}
    await desk.drawn(enterprise, provider, 200_000, project="项目一", contract=contract)
    with pytest.raises(NothingToPay) as refused:
        await desk.drawn(enterprise, provider, 100_000, project="项目二", contract=contract)
    assert "单个合同累计上限 50,000.00 − 已用 50,000.00 = 0.00" in refused.value.arithmetic
    assert refused.value.clause == "第十条"


@pytest.mark.rules("YC-13", "YC-35")
async def test_one_project_of_an_enterprise_is_drawn_for_once_however_it_is_written(desk: Desk) -> None:
    enterprise, provider = await served(desk)
    await desk.drawn(enterprise, provider, 10_000, project="ERP 上云", contract=CONTRACT)
    for written in ("ERP 上云", "erp上云", " ERP　上云 "):
        for contract in (CONTRACT, {}):
            with pytest.raises(UsedTooOften) as refused:
                await desk.drawn(enterprise, provider, 10_000, project=written, contract=contract)
            assert refused.value.clause == "第十条"
            assert refused.value.unmet[0].arithmetic == "1 + 1 > 1"
    assert await Voucher.all().count() == 1
    # Another enterprise, or another provider, has a project of its own.
    other, another = await served(desk)
    assert await desk.drawn(other, provider, 10_000, project="ERP 上云")
    assert await desk.drawn(enterprise, another, 10_000, project="ERP 上云")


@pytest.mark.rules("YC-13")
async def test_a_project_that_came_to_nothing_may_be_drawn_for_again(desk: Desk) -> None:
    enterprise, provider = await served(desk)
    order = await desk.drawn(enterprise, provider, 10_000, project="ERP 上云")
    await desk.ends.terminate(order.id, reason="双方协商终止", actor=OPERATOR)
    assert (await Voucher.get(id=order.voucher_id)).status is VoucherStatus.HANDED_BACK
    again = await desk.drawn(enterprise, provider, 10_000, project="ERP 上云")
    assert again.voucher_id != order.voucher_id


@pytest.mark.rules("YC-18")
@pytest.mark.parametrize("status", [None, QualificationStatus.PENDING, QualificationStatus.REVOKED])
async def test_a_provider_draws_only_while_it_is_approved(
    desk: Desk, status: QualificationStatus | None
) -> None:
    enterprise, provider = await served(desk)
    order = await desk.opened(DRAWN, enterprise, provider, 10_000)
    if status is None:
        await Qualification.all().delete()
    else:
        await Qualification.all().update(status=status)
    with pytest.raises(StepUnmet) as refused:
        await desk.step(order, provider)
    code = "not_qualified" if status is None else f"provider_{status}"
    assert [one.code for one in refused.value.unmet] == [code]
    with pytest.raises(NotInStanding) as opening:
        await desk.opened(DRAWN, enterprise, provider, 10_000)
    assert [one.code for one in opening.value.unmet] == [code]
    assert await Contract.all().count() == await Voucher.all().count() == 0


async def test_a_barred_provider_draws_nothing(desk: Desk) -> None:
    enterprise, provider = await served(desk)
    order = await desk.opened(DRAWN, enterprise, provider, 10_000)
    ban = await BlocklistEntry.create(
        uscc=provider.uscc, clause="第十五条", reason="重复使用", starts_at=desk.now - DAY, made_by=1
    )
    with pytest.raises(StepUnmet) as refused:
        await desk.step(order, provider)
    assert [(one.code, one.clause) for one in refused.value.unmet] == [("barred", "第十五条")]
    await BlocklistEntry.filter(id=ban.id).update(lifted_at=desk.now)
    assert (await desk.step(order, provider)).voucher_id


@pytest.mark.rules("YC-11", "YC-34")
@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"area": "宁夏回族自治区/银川市/宁东"}, "area"),
        ({"area": "宁夏回族自治区/吴忠市"}, "area"),
        ({"legal_person": False}, "legal_person"),
        ({"declarations": {"operating_normally": False}}, "operating"),
        ({"industry": "I6510"}, "industry"),
    ],
)
async def test_an_enterprise_that_the_text_does_not_support_is_drawn_for_by_nobody(
    desk: Desk, facts: dict[str, Any], code: str
) -> None:
    enterprise, provider = await served(desk, **facts)
    with pytest.raises(StepUnmet) as refused:
        await desk.drawn(enterprise, provider, 10_000)
    assert [one.code for one in refused.value.unmet] == [code]
    assert refused.value.unmet[0].clause == "第八条"
    assert await Voucher.all().count() == 0


@pytest.mark.rules("YC-12", "YC-34")
async def test_a_matter_outside_the_four_fields_is_no_order_here(desk: Desk) -> None:
    enterprise, provider = await served(desk)
    with pytest.raises(OutOfScope) as refused:
        await desk.opened(DRAWN, enterprise, provider, 10_000, category="gardening")
    assert [(one.code, one.clause) for one in refused.value.unmet] == [("unknown_category", "第九条")]


async def test_the_projects_of_a_contract_cost_no_more_than_the_contract(desk: Desk) -> None:
    enterprise, provider = await served(desk)
    contract = {**CONTRACT, "amount_fen": yuan_to_fen(100_000)}
    await desk.drawn(enterprise, provider, 60_000, project="项目一", contract=contract)
    with pytest.raises(StepUnmet) as refused:
        await desk.drawn(enterprise, provider, 40_000.01, project="项目二", contract=contract)
    assert refused.value.arithmetic == "60,000.00 + 40,000.01 > 100,000.00"
    # Nor does a contract cost more because somebody writes it down again.
    with pytest.raises(StepUnmet) as refused:
        await desk.drawn(enterprise, provider, 40_000, project="项目二", contract=CONTRACT)
    assert refused.value.arithmetic == "200,000.00 ≠ 100,000.00"
    assert await desk.drawn(enterprise, provider, 40_000, project="项目二", contract=contract)


async def test_only_the_provider_draws_and_only_while_the_order_stands(desk: Desk) -> None:
    enterprise, provider = await served(desk)
    order = await desk.opened(DRAWN, enterprise, provider, 10_000)
    wish = await desk.wish(order, provider)
    stranger = await desk.provider(DRAWN)
    for asker, refusal in ((enterprise, NotYourStep), (stranger, NotFound)):
        with pytest.raises(refusal):
            await desk.orders.take(
                order.id, StepKind.UPLOAD_CONTRACT, Wish(), version=order.version, actor=person_of(asker)
            )
    await desk.ends.terminate(order.id, reason="双方协商终止", actor=OPERATOR)
    order = await Order.get(id=order.id)
    assert order.status is OrderStatus.CANCELLED
    with pytest.raises(NotPermittedNow):
        await desk.orders.take(
            order.id, StepKind.UPLOAD_CONTRACT, wish, version=order.version, actor=person_of(provider)
        )


async def test_a_contract_ends_with_the_last_project_on_it(desk: Desk) -> None:
    enterprise, provider = await served(desk)
    one = await desk.drawn(enterprise, provider, 60_000, project="项目一", contract=CONTRACT)
    other = await desk.drawn(enterprise, provider, 40_000, project="项目二", contract=CONTRACT)
    await desk.ends.terminate(one.id, reason="双方协商终止", actor=OPERATOR)
    assert (await Contract.get(id=one.contract_id)).status is ContractStatus.SIGNED
    await desk.ends.terminate(other.id, reason="双方协商终止", actor=OPERATOR)
    assert (await Contract.get(id=one.contract_id)).status is ContractStatus.FAILED


async def test_where_nobody_draws_no_use_is_registered_and_without_money_none_either(desk: Desk) -> None:
    kinds = [step.kind for step in desk.programme(ON_CONTRACT).order_steps]
    assert StepKind.REGISTER_USE not in kinds
    enterprise, provider = await desk.organisation(DRAWN), await desk.provider(DRAWN)
    with pytest.raises(YearNotOpen):
        await desk.drawn(enterprise, provider, 6_000)
    assert await Contract.all().count() == await Voucher.all().count() == 0


@pytest.mark.rules("YC-19")
async def test_far_more_is_drawn_than_the_year_holds(desk: Desk) -> None:
    budget = await desk.budget(DRAWN, 10_000)
    for _ in range(3):
        enterprise, provider = await served(desk)
        assert await desk.drawn(enterprise, provider, 100_000)
    assert (await Budget.get(id=budget.id)).free_fen == 1_000_000
