"""Draws: the approved provider draws, registers the use, and reserves nothing."""

from __future__ import annotations

from typing import Any

import pytest

from server.models.contracts import Contract, Draw
from server.models.journal import JournalEntry
from server.models.ledger import LedgerEntry
from server.models.organisations import BlocklistEntry, Organisation, Qualification
from server.models.outbox import OutboxMessage
from server.models.rounds import Budget
from server.models.vouchers import Voucher
from server.rules.lifecycles import QualificationStatus
from server.rules.money import Basis
from server.services import draws, wallet
from server.services.access import NotFound
from server.services.contract_sketches import ContractUnusable
from server.services.draws import (
    ContractNotSigned,
    EnterpriseNotServed,
    FeesBeyondContract,
    NotDrawnHere,
    ProjectDrawnBefore,
)
from server.services.standings import NotInStanding
from server.services.voucher_holds import NothingToPay, YearNotOpen
from tests.contracting import DAY, DRAWN, ON_CONTRACT, OPERATOR, Desk, person_of


async def served(
    desk: Desk, amount_yuan: float = 200_000, **facts: Any
) -> tuple[Organisation, Organisation, Contract]:
    """An enterprise, an approved provider and their contract, in a year with money."""
    if not await Budget.exists(programme_slug=DRAWN):
        await desk.budget(DRAWN)
    enterprise, provider = await desk.organisation(DRAWN, **facts), await desk.provider(DRAWN)
    return enterprise, provider, await desk.entered(DRAWN, enterprise, provider, amount_yuan)


@pytest.mark.rules("YC-04", "YC-05", "YC-19")
async def test_a_draw_gives_the_provider_a_voucher_registers_its_use_and_takes_no_money(desk: Desk) -> None:
    enterprise, provider, contract = await served(desk)
    before = await LedgerEntry.all().count()
    drawn = await desk.drawn(contract, provider, "设备上云", 100_000)
    voucher = await Voucher.get(id=drawn.voucher.id)
    assert (voucher.provider_id, voucher.enterprise_id) == (provider.id, enterprise.id)
    assert (voucher.basis, voucher.face_value_fen) == (Basis.ON_FILE, 3_000_000)
    assert await LedgerEntry.all().count() == before
    assert (await desk.draws.money_left(drawn)).amount_fen == 100_000_000
    use = await JournalEntry.get(action="voucher.use_registered")
    assert (use.data["enterprise"], use.data["contract"]) == (enterprise.id, contract.id)
    draw = await Draw.get(id=drawn.draw.id)
    assert (draw.project, draw.fee_fen, draw.clause) == ("设备上云", 10_000_000, "第十条")
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
        assert [one.draw.id for one in await draws.page(actor=person_of(side), after=0, limit=9)] == [draw.id]


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
    _, provider, contract = await served(desk, 300_000)
    drawn = [
        await desk.drawn(contract, provider, f"项目{number}", fee)
        for number, fee in enumerate(fees_yuan, start=1)
    ]
    assert tuple(one.voucher.face_value_fen for one in drawn) == vouchers_fen


@pytest.mark.rules("YC-15")
async def test_a_contract_at_its_cap_gives_no_more(desk: Desk) -> None:
    _, provider, contract = await served(desk, 300_000)
    await desk.drawn(contract, provider, "项目一", 200_000)
    with pytest.raises(NothingToPay) as refused:
        await desk.drawn(contract, provider, "项目二", 100_000)
    assert "单个合同累计上限 50,000.00 − 已用 50,000.00 = 0.00" in refused.value.arithmetic
    assert refused.value.clause == "第十条"


@pytest.mark.rules("YC-13", "YC-35")
async def test_one_project_of_an_enterprise_is_drawn_for_once_however_it_is_written(desk: Desk) -> None:
    enterprise, provider, contract = await served(desk)
    await desk.drawn(contract, provider, "ERP 上云", 10_000)
    other = await desk.entered(DRAWN, enterprise, provider, 90_000)
    for written in ("ERP 上云", "erp上云", " ERP　上云 "):
        for place in (contract, other):
            with pytest.raises(ProjectDrawnBefore) as refused:
                await desk.drawn(place, provider, written, 10_000)
            assert refused.value.clause == "第十条"
            assert refused.value.unmet[0].arithmetic == "1 + 1 > 1"
    assert await Voucher.all().count() == 1
    # Another enterprise, or another provider, has a project of its own.
    _, _, elsewhere = await served(desk)
    another = await Organisation.get(id=elsewhere.provider_id)
    assert await desk.drawn(elsewhere, another, "ERP 上云", 10_000)


@pytest.mark.rules("YC-18")
@pytest.mark.parametrize("status", [None, QualificationStatus.PENDING, QualificationStatus.REVOKED])
async def test_a_provider_draws_only_while_it_is_approved(
    desk: Desk, status: QualificationStatus | None
) -> None:
    _, provider, contract = await served(desk)
    if status is None:
        await Qualification.all().delete()
    else:
        await Qualification.all().update(status=status)
    with pytest.raises(NotInStanding) as refused:
        await desk.drawn(contract, provider, "设备上云", 10_000)
    code = "not_qualified" if status is None else f"qualification_{status}"
    assert [one.code for one in refused.value.unmet] == [code]
    assert await Draw.all().count() == await Voucher.all().count() == 0


async def test_a_barred_provider_draws_nothing(desk: Desk) -> None:
    _, provider, contract = await served(desk)
    ban = await BlocklistEntry.create(
        uscc=provider.uscc, clause="第十五条", reason="重复使用", starts_at=desk.now - DAY, made_by=1
    )
    with pytest.raises(NotInStanding) as refused:
        await desk.drawn(contract, provider, "设备上云", 10_000)
    assert [(one.code, one.clause) for one in refused.value.unmet] == [("barred", "第十五条")]
    await BlocklistEntry.filter(id=ban.id).update(lifted_at=desk.now)
    assert await desk.drawn(contract, provider, "设备上云", 10_000)


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
    _, provider, contract = await served(desk, **facts)
    with pytest.raises(EnterpriseNotServed) as refused:
        await desk.drawn(contract, provider, "设备上云", 10_000)
    assert [one.code for one in refused.value.unmet] == [code]
    assert refused.value.unmet[0].clause == "第八条"


@pytest.mark.rules("YC-12", "YC-34")
async def test_a_matter_outside_the_four_fields_is_no_contract_here(desk: Desk) -> None:
    enterprise, provider, _ = await served(desk)
    with pytest.raises(ContractUnusable) as refused:
        await desk.entered(DRAWN, enterprise, provider, 10_000, category="gardening")
    assert [(one.code, one.clause) for one in refused.value.unmet] == [("unknown_category", "第九条")]


async def test_the_projects_of_a_contract_cost_no_more_than_the_contract(desk: Desk) -> None:
    _, provider, contract = await served(desk, 100_000)
    await desk.drawn(contract, provider, "项目一", 60_000)
    with pytest.raises(FeesBeyondContract) as refused:
        await desk.drawn(contract, provider, "项目二", 40_000.01)
    assert refused.value.arithmetic == "60,000.00 + 40,000.01 > 100,000.00"
    assert await desk.drawn(contract, provider, "项目二", 40_000)


async def test_only_the_provider_of_a_signed_contract_draws_on_it(desk: Desk) -> None:
    enterprise, provider, contract = await served(desk)
    stranger = await desk.provider(DRAWN)
    for asker in (enterprise, stranger):
        with pytest.raises(NotFound):
            await desk.drawn(contract, asker, "设备上云", 10_000)
    await desk.contracts.fail(contract.id, reason="双方协商终止", actor=OPERATOR)
    with pytest.raises(ContractNotSigned):
        await desk.drawn(contract, provider, "设备上云", 10_000)


async def test_where_nobody_draws_and_where_the_year_has_no_money_a_draw_is_refused(desk: Desk) -> None:
    enterprise, provider = await desk.enterprise(ON_CONTRACT), await desk.provider(ON_CONTRACT)
    contract = await desk.entered(ON_CONTRACT, enterprise, provider, 6_000)
    with pytest.raises(NotDrawnHere):
        await desk.drawn(contract, provider, "咨询", 6_000)
    enterprise, provider = await desk.organisation(DRAWN), await desk.provider(DRAWN)
    contract = await desk.entered(DRAWN, enterprise, provider, 6_000)
    with pytest.raises(YearNotOpen):
        await desk.drawn(contract, provider, "设备上云", 6_000)


@pytest.mark.rules("YC-19")
async def test_far_more_is_drawn_than_the_year_holds(desk: Desk) -> None:
    budget = await desk.budget(DRAWN, 10_000)
    for _ in range(3):
        _, provider, contract = await served(desk)
        assert await desk.drawn(contract, provider, "设备上云", 100_000)
    assert (await Budget.get(id=budget.id)).free_fen == 1_000_000
