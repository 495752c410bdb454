"""Signing in an order: by the book of its steps, printed once it takes effect, and anew when sent back."""

from __future__ import annotations

import pytest

from server.models.contracts import Contract
from server.models.documents import PrintedDocument, Signature
from server.models.orders import Order
from server.models.organisations import Organisation
from server.programme.steps import StepKind
from server.programme.vocabulary import Party
from server.rules.documents import Printed
from server.rules.orders import OrderStatus
from server.services.budgets import budgets
from server.services.orders.signing_steps import Printing
from server.units import yuan_to_fen
from tests.contracting import ALLOTTED, OPERATOR, Desk, person_of


async def sides(desk: Desk) -> tuple[Organisation, Organisation]:
    enterprise, provider = await desk.enterprise(ALLOTTED), await desk.provider(ALLOTTED)
    await desk.settle(enterprise)
    return enterprise, provider


async def printed(order: Order) -> list[tuple[Printed, int]]:
    found = await PrintedDocument.filter(order_id=order.id).order_by("id")
    return [(one.document, one.version) for one in found]


@pytest.mark.rules("GX-52")
async def test_a_contract_is_printed_when_both_have_signed_and_not_before(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    order = await desk.opened(ALLOTTED, enterprise, provider, 40_000)
    order = await desk.walk(order, until=StepKind.SIGN_CONTRACT)
    await desk.step(order, enterprise, StepKind.SIGN_CONTRACT)
    assert [one.party for one in await Signature.filter(order_id=order.id)] == [Party.ENTERPRISE]
    assert await printed(order) == []
    await desk.step(order, provider, StepKind.SIGN_CONTRACT)
    assert await printed(order) == [(Printed.CONTRACT, 1)]
    made = await PrintedDocument.get(order_id=order.id)
    assert made.content["voucher"][0] == ["服务券抵扣", "20,000.00 元"]
    signed = await Signature.filter(order_id=order.id).order_by("id")
    assert [(one.party, one.person_id) for one in signed] == [
        (Party.ENTERPRISE, person_of(enterprise).id),
        (Party.PROVIDER, person_of(provider).id),
    ]
    assert {one.text_sha256 for one in signed} == {made.text_sha256}


@pytest.mark.rules("GX-52", "GX-65")
async def test_what_waited_for_money_is_signed_and_printed_when_it_takes_effect(desk: Desk) -> None:
    budget = await desk.budget(ALLOTTED, total_yuan=10_000)
    enterprise, provider = await sides(desk)
    order = await desk.signed(enterprise, provider, 40_000)
    assert order.status is OrderStatus.WAITING
    assert await printed(order) == []
    assert await Printing(desk.orders, desk.documents).print_due() == 0
    await budgets.top_up(budget.id, yuan_to_fen(50_000), reason="追加", actor=OPERATOR, now=desk.now)
    assert await desk.line.resume() == 1
    assert await Printing(desk.orders, desk.documents).print_due() == 1
    assert await printed(order) == [(Printed.CONTRACT, 1)]
    assert {one.party for one in await Signature.filter(order_id=order.id)} == set(Party)
    assert await Printing(desk.orders, desk.documents).print_due() == 0


@pytest.mark.rules("GX-55")
async def test_the_confirmation_is_signed_by_both_before_the_order_is_done(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    order = await desk.walk(await desk.signed(enterprise, provider, 40_000))
    assert order.status is OrderStatus.DONE
    assert await printed(order) == [(Printed.CONTRACT, 1), (Printed.SERVICE_CONFIRMATION, 1)]


async def test_what_was_sent_back_is_signed_anew_as_another_version(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    order = await desk.opened(ALLOTTED, enterprise, provider, 40_000)
    order = await desk.walk(order, until=StepKind.SIGN_CONTRACT)
    order = await desk.step(order, enterprise, StepKind.SIGN_CONTRACT)
    order = await desk.orders.send_back(
        order.id, reason="金额有误", version=order.version, actor=person_of(provider)
    )
    assert order.step is StepKind.SIGN_CONTRACT
    order = await desk.walk(order, until=StepKind.DEPOSIT)
    assert await printed(order) == [(Printed.CONTRACT, 2)]
    assert (await Contract.get(id=order.contract_id)).amount_fen == yuan_to_fen(40_000)
    versions = [one.version for one in await Signature.filter(order_id=order.id).order_by("id")]
    assert versions == [1, 2, 2]
