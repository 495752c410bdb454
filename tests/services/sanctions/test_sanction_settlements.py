"""What a sanction does to settlements and to what was announced, and what is left of it when it was wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tortoise.transactions import in_transaction

from server.models.orders import Order
from server.models.outbox import OutboxMessage
from server.models.sanctions import Recovery, RecoveryLine, SanctionCase, SanctionEffect
from server.models.settlements import Settlement
from server.programme.vocabulary import Party
from server.rules.money import Account, Movement
from server.rules.orders import OrderStatus
from server.rules.recoveries import RecoveryStatus
from server.rules.sanction_cases import Effect
from server.rules.settlements import SettlementStatus
from server.services.access import CLOCK
from server.services.budgets import ledger
from server.services.holds import payment_holds
from server.services.holds.payment_holds import PaymentHeld
from server.services.payments.escrows import EscrowShort
from server.services.sanctions import recovery_returns, removals, sanction_effects
from server.services.sanctions.sanction_book import SanctionMovedOn
from server.services.settlements import settlement_end
from tests.contracting import ALLOTTED, DRAWN, GRABBED, ON_CONTRACT, RANKED, person_of
from tests.sanctioning import Court


@pytest.mark.rules("LS-79")
async def test_what_is_under_review_is_refused_and_its_money_is_the_years_again(court: Court) -> None:
    enterprise, provider = await court.enterprise(GRABBED), await court.provider(GRABBED)
    order, voucher = await court.accepted(GRABBED, enterprise, provider)
    settlement = await court.settling(order)
    case = await court.sanctioned(GRABBED, provider, Party.PROVIDER, "fraud", orders=[order.id])
    (hit,) = case.preview["settlements"]
    assert (hit["settlement"], hit["amount_fen"]) == (settlement.id, order.voucher_fen)
    row = await Settlement.get(id=settlement.id)
    assert (row.status, row.amount_fen, case.number in row.reason) == (SettlementStatus.REFUSED, 0, True)
    assert (await ledger.balances(voucher_id=voucher.id))[Account.REDEEMED] == 0
    with pytest.raises(PaymentHeld):
        await payment_holds.require_free(row)
    done = await SanctionEffect.get(effect=Effect.REFUSE_SETTLEMENT, subject=f"settlement:{row.id}")
    assert done.note.startswith("兑付金额 6,000.00 元")
    assert await ledger.verify() == []


@pytest.mark.rules("NX-26")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_is_payable_pays_so_much_less(court: Court) -> None:
    enterprise, provider = await court.enterprise(GRABBED), await court.provider(ON_CONTRACT)
    order, voucher = await court.accepted(ON_CONTRACT, enterprise, provider)
    settlement = await court.settling(order, SettlementStatus.PAYABLE)
    await court.sanctioned(
        ON_CONTRACT, provider, Party.PROVIDER, "not_performed", orders=[order.id], reduced_fen=150_000
    )
    row = await Settlement.get(id=settlement.id)
    assert (row.status, row.amount_fen, row.reduced_fen) == (SettlementStatus.PAYABLE, 450_000, 150_000)
    assert (await ledger.balances(voucher_id=voucher.id))[Account.REDEEMED] == 450_000
    assert await ledger.verify() == []


@pytest.mark.rules("NX-26")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_batch_that_has_it_already_does_not_pay_all_of_it(court: Court) -> None:
    enterprise, provider = await court.enterprise(GRABBED), await court.provider(ON_CONTRACT)
    order, _ = await court.accepted(ON_CONTRACT, enterprise, provider)
    settlement = await court.settling(order, SettlementStatus.IN_PAYMENT)
    case = await court.sanctioned(
        ON_CONTRACT, provider, Party.PROVIDER, "not_performed", orders=[order.id], reduced_fen=150_000
    )
    with pytest.raises(PaymentHeld):
        await payment_holds.require_free(settlement)
    assert (await SanctionEffect.get(case_id=case.id, subject=f"settlement:{settlement.id}")).done_at is None
    # Its maker takes it out of the batch.
    await Settlement.filter(id=settlement.id).update(status=SettlementStatus.PAYABLE)
    assert await court.sanctions.effects.carry_on_all() == 1
    row = await Settlement.get(id=settlement.id)
    assert (row.amount_fen, row.reduced_fen) == (450_000, 150_000)
    await payment_holds.require_free(settlement)
    assert await ledger.verify() == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_is_not_determined_yet_is_shown_by_what_it_asks_and_what_was_paid_is_said_so(
    court: Court,
) -> None:
    enterprise, provider = await court.enterprise(GRABBED), await court.provider(GRABBED)
    order, _ = await court.accepted(GRABBED, enterprise, provider)
    other, _ = await court.accepted(GRABBED, enterprise, provider)
    settlement, sent = await court.settling(order), await court.settling(other, SettlementStatus.IN_PAYMENT)
    await Settlement.filter(id=settlement.id).update(amount_fen=0)
    case = await court.sanctioned(GRABBED, provider, Party.PROVIDER, "fraud")
    assert [one["amount_fen"] for one in case.preview["settlements"]] == [600_000, 600_000]
    await Settlement.filter(id=sent.id).update(status=SettlementStatus.PAID)
    await court.sanctions.effects.carry_on_all()
    rows = SanctionEffect.filter(case_id=case.id, subject__startswith="settlement:").order_by("id")
    assert [row.note for row in await rows] == [
        "兑付金额 6,000.00 元已停止或核减",
        "款项此前已付出，未能停止或核减",
    ]


@pytest.mark.rules("LS-79")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_money_that_is_claimed_back_from_one_side_is_not_claimed_from_the_other(court: Court) -> None:
    enterprise, provider = await court.enterprise(GRABBED), await court.provider(GRABBED)
    order, _ = await court.paid(GRABBED, enterprise, provider)
    await court.sanctioned(GRABBED, provider, Party.PROVIDER, "fraud", orders=[order.id])
    case = await court.sanctioned(GRABBED, enterprise, Party.ENTERPRISE, "fraud", orders=[order.id])
    assert case.preview["principal_fen"] == 0
    assert [one.principal_fen for one in await Recovery.all()] == [600_000]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_refused_settlement_stays_refused_and_the_case_says_so(court: Court) -> None:
    enterprise, provider = await court.enterprise(GRABBED), await court.provider(GRABBED)
    order, _ = await court.accepted(GRABBED, enterprise, provider)
    settlement = await court.settling(order)
    case = await court.sanctioned(GRABBED, provider, Party.PROVIDER, "fraud", orders=[order.id])
    assert Effect.REFUSE_SETTLEMENT in case.preview["lasting"]
    await court.sanctions.appeals.appeal(case.id, "合同并非我方签署。", actor=person_of(provider))
    case = await court.sanctions.appeals.answer(
        case.id, upheld=True, reason="签字不实", version=case.version, actor=await court.staff("authority")
    )
    undone = {row.subject.partition(":")[0]: row.undone_at for row in await SanctionEffect.filter()}
    assert (undone["settlement"] is None, undone["payment_hold"] is None) == (True, False)
    assert (await Settlement.get(id=settlement.id)).status is SettlementStatus.REFUSED


@pytest.mark.rules("YC-37")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_who_is_on_the_blocklist_redeems_nothing_that_was_approved_before(court: Court) -> None:
    enterprise, provider = await court.enterprise(GRABBED), await court.provider(DRAWN)
    order, _ = await court.accepted(DRAWN, enterprise, provider)
    settlement = await court.settling(order, SettlementStatus.PAYABLE)
    await court.sanctioned(DRAWN, provider, Party.PROVIDER, "inflated_price")
    assert (await Settlement.get(id=settlement.id)).status is SettlementStatus.REFUSED
    with pytest.raises(PaymentHeld):
        await payment_holds.require_free(settlement)
    assert await ledger.verify() == []


@pytest.mark.rules("LS-43")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_was_wrongly_announced_is_announced_no_more(court: Court) -> None:
    provider = await court.provider(GRABBED)
    case = await court.sanctioned(GRABBED, provider, Party.PROVIDER, "refuses_supervision")
    assert len(await removals.page(GRABBED, after=0, limit=9)) == 1
    await court.sanctions.appeals.appeal(case.id, "我方一直配合检查。", actor=person_of(provider))
    await court.sanctions.appeals.answer(
        case.id, upheld=True, reason="查无此事", version=case.version, actor=await court.staff("authority")
    )
    assert await removals.page(GRABBED, after=0, limit=9) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_who_was_told_of_a_charge_is_told_that_it_was_taken_back(court: Court) -> None:
    provider, operator = await court.provider(GRABBED), await court.staff("operator")
    case = await court.proposed(GRABBED, provider, Party.PROVIDER, "refuses_supervision", actor=operator)
    case = await court.sanctions.hearings.call(case.id, version=case.version, actor=operator)
    await court.sanctions.cases.withdraw(case.id, "系误报", version=case.version, actor=operator)
    told = OutboxMessage.filter(recipient=f"organisation:{provider.id}", topic="sanction.dismissed")
    assert (await told.get()).data["reason"] == "系误报"


@pytest.mark.rules("GZ-52")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_who_has_to_give_received_vouchers_back_is_paid_none_of_them(court: Court) -> None:
    enterprise, provider = await court.enterprise(RANKED), await court.provider(RANKED)
    order, voucher = await court.accepted(RANKED, enterprise, provider)
    await Order.filter(id=order.id).update(status=OrderStatus.DONE)
    settlement = await court.settling(order, SettlementStatus.PAYABLE)
    case = await court.sanctioned(RANKED, provider, Party.PROVIDER, "false_materials")
    assert [one["settlement"] for one in case.preview["settlements"]] == [settlement.id]
    assert (await Settlement.get(id=settlement.id)).status is SettlementStatus.REFUSED
    assert (await ledger.balances(voucher_id=voucher.id))[Account.REDEEMED] == 0
    assert await ledger.verify() == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("slug", "party", "ground"),
    [
        pytest.param(ALLOTTED, Party.PROVIDER, "collusion", marks=pytest.mark.rules("GX-75")),
        pytest.param(ALLOTTED, Party.ENTERPRISE, "collusion", marks=pytest.mark.rules("GX-75")),
        pytest.param(RANKED, Party.ENTERPRISE, "fraud", marks=pytest.mark.rules("GZ-56")),
    ],
)
async def test_who_has_to_give_money_back_is_not_paid_it_first(
    court: Court, slug: str, party: Party, ground: str
) -> None:
    enterprise, provider = await court.enterprise(slug), await court.provider(slug)
    order, voucher = await court.accepted(slug, enterprise, provider)
    other, _ = await court.accepted(slug, enterprise, provider)
    settlement = await court.settling(order, SettlementStatus.PAYABLE)
    untouched = await court.settling(other, SettlementStatus.PAYABLE)
    against = provider if party is Party.PROVIDER else enterprise
    case = await court.sanctioned(slug, against, party, ground, orders=[order.id])
    assert [one["settlement"] for one in case.preview["settlements"]] == [settlement.id]
    assert (await Settlement.get(id=settlement.id)).status is SettlementStatus.REFUSED
    assert (await ledger.balances(voucher_id=voucher.id))[Account.REDEEMED] == 0
    assert (await Settlement.get(id=untouched.id)).status is SettlementStatus.PAYABLE
    await payment_holds.require_free(untouched)
    assert await ledger.verify() == []


@pytest.mark.rules("LS-79")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("owing", "home"), [(False, False), (True, False), (True, True)])
async def test_what_a_reversed_decision_claimed_is_claimed_by_the_other_that_left_it(
    court: Court, owing: bool, home: bool
) -> None:
    enterprise, provider = await court.enterprise(GRABBED), await court.provider(GRABBED)
    order, _ = await court.paid(GRABBED, enterprise, provider)
    orders = [order.id]
    if owing:
        orders += [(await court.paid(GRABBED, enterprise, await court.provider(GRABBED)))[0].id]
    first = await court.sanctioned(GRABBED, provider, Party.PROVIDER, "fraud", orders=[order.id])
    second = await court.sanctioned(GRABBED, enterprise, Party.ENTERPRISE, "fraud", orders=orders)
    own_fen = 600_000 if owing else 0
    assert second.preview["principal_fen"] == own_fen
    if home:  # The bank sends back what it claimed of its own, and nothing is left of it.
        async with in_transaction():
            await recovery_returns.came_home(orders[1], actor=CLOCK, now=court.now)
        assert (await Recovery.get(case_id=second.id)).status is RecoveryStatus.CANCELLED
        own_fen = 0
    await court.sanctions.appeals.appeal(first.id, "款项与我方无关。", actor=person_of(provider))
    await court.sanctions.appeals.answer(
        first.id, upheld=True, reason="查实", version=first.version, actor=await court.staff("authority")
    )
    claim = await Recovery.get(case_id=second.id)
    assert (claim.status, claim.debtor_id) == (RecoveryStatus.CLAIMED, enterprise.id)
    assert claim.principal_fen == own_fen + 600_000
    lines = await RecoveryLine.filter(recovery_id=claim.id)
    assert sorted(one.order_id for one in lines) == sorted(orders)
    effect = await SanctionEffect.get(case_id=second.id, effect=Effect.RECOVER)
    assert (effect.amount_fen, first.number in effect.note) == (claim.principal_fen, True)
    told = await OutboxMessage.get(topic="recovery.renewed")
    assert (told.recipient, told.data["amount_fen"]) == (f"organisation:{enterprise.id}", 600_000)
    assert await ledger.verify() == []


@pytest.mark.rules("LS-79")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_decision_made_in_the_moment_of_a_reversal_leaves_its_money_to_no_claim_that_falls_away(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    enterprise, provider = await court.enterprise(GRABBED), await court.provider(GRABBED)
    order, _ = await court.paid(GRABBED, enterprise, provider)
    first = await court.sanctioned(GRABBED, provider, Party.PROVIDER, "fraud", orders=[order.id])
    await court.sanctions.appeals.appeal(first.id, "款项与我方无关。", actor=person_of(provider))
    authority = await court.staff("authority")
    said: dict[str, Any] = {"upheld": True, "reason": "查实", "version": first.version, "actor": authority}
    concerned = court.sanctions.appeals._concerned

    async def overtaken(case: SanctionCase) -> set[int]:
        """Between what was read and the locks, another decides against the other side."""
        monkeypatch.setattr(court.sanctions.appeals, "_concerned", concerned)
        known = await concerned(case)
        await court.sanctioned(GRABBED, enterprise, Party.ENTERPRISE, "fraud", orders=[order.id])
        return known

    monkeypatch.setattr(court.sanctions.appeals, "_concerned", overtaken)
    with pytest.raises(SanctionMovedOn):
        await court.sanctions.appeals.answer(first.id, **said)
    await court.sanctions.appeals.answer(first.id, **said)
    owed = await Recovery.filter(status=RecoveryStatus.CLAIMED)
    assert [(one.debtor_id, one.principal_fen) for one in owed] == [(enterprise.id, 600_000)]


@pytest.mark.rules("LS-79")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_was_accepted_and_never_handed_in_is_void_with_the_rest(court: Court) -> None:
    enterprise, provider = await court.enterprise(GRABBED), await court.provider(GRABBED)
    order, voucher = await court.accepted(GRABBED, enterprise, provider)
    await Order.filter(id=order.id).update(status=OrderStatus.DONE)
    draft = await court.settling(order, SettlementStatus.DRAFT)
    await Settlement.filter(id=draft.id).update(amount_fen=0, asked_fen=0)
    running, other = await court.running(GRABBED, enterprise, provider)
    case = await court.sanctioned(GRABBED, provider, Party.PROVIDER, "fraud")
    assert [one["order"] for one in case.preview["unclaimed"]] == [order.id]
    assert case.preview["settlements"] == []
    # What its provider can never be paid for is neither held nor gone on with.
    assert (await Order.get(id=running.id)).status is OrderStatus.CANCELLED
    assert (await ledger.balances(voucher_id=other.id))[Account.AVAILABLE] == other.face_value_fen
    assert (await ledger.balances(voucher_id=voucher.id))[Account.REDEEMED] == 0
    assert (await Settlement.get(id=draft.id)).status is SettlementStatus.WITHDRAWN
    told = await OutboxMessage.filter(topic="order.not_settled").order_by("id")
    assert [one.data["amount_fen"] for one in told] == [order.voucher_fen] * 2
    assert await ledger.verify() == []


@pytest.mark.rules("LS-79")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_the_bank_sends_back_after_a_decision_is_refused_then(court: Court) -> None:
    enterprise, provider = await court.enterprise(GRABBED), await court.provider(GRABBED)
    order, _ = await court.accepted(GRABBED, enterprise, provider)
    settlement = await court.settling(order, SettlementStatus.PAID)
    await court.sanctioned(GRABBED, provider, Party.PROVIDER, "fraud")
    assert await court.sanctions.effects.carry_on_all() == 0
    await Settlement.filter(id=settlement.id).update(status=SettlementStatus.PAYABLE)
    assert await court.sanctions.effects.carry_on_all() == 1
    assert (await Settlement.get(id=settlement.id)).status is SettlementStatus.REFUSED
    assert await court.sanctions.effects.carry_on_all() == 0
    assert await ledger.verify() == []


@pytest.mark.rules("LS-79")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_cannot_be_refused_is_tried_again_a_day_later_and_not_each_minute(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    enterprise, provider = await court.enterprise(GRABBED), await court.provider(GRABBED)
    order, _ = await court.accepted(GRABBED, enterprise, provider)
    settlement, tried = await court.settling(order, SettlementStatus.PAYABLE), []

    async def stuck(*_: object, **__: object) -> Settlement:
        tried.append(court.now)
        raise EscrowShort(arithmetic="-", held="-", asked="-")

    with monkeypatch.context() as patch:
        patch.setattr(settlement_end, "refuse", stuck)
        case = await court.sanctioned(GRABBED, provider, Party.PROVIDER, "fraud")
        effect = SanctionEffect.filter(case_id=case.id, subject=f"settlement:{settlement.id}")
        for _ in range(2):
            assert await court.sanctions.effects.carry_on_all() == 0
        assert len(tried) == 1 and (await effect.get()).note.startswith("未执行")
        court.clock.advance(timedelta(days=1, minutes=1))
        assert await court.sanctions.effects.carry_on_all() == 1
    assert len(tried) == 2
    court.clock.advance(timedelta(days=1, minutes=1))
    assert await court.sanctions.effects.carry_on_all() == 1
    assert (await Settlement.get(id=settlement.id)).status is SettlementStatus.REFUSED
    assert await court.sanctions.effects.carry_on_all() == 0


@pytest.mark.rules("LS-79")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_decision_under_which_nothing_more_has_come_is_not_looked_through_again(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    enterprise, provider = await court.enterprise(GRABBED), await court.provider(GRABBED)
    await court.paid(GRABBED, enterprise, provider)
    order, _ = await court.accepted(GRABBED, enterprise, provider)
    settlement = await court.settling(order, SettlementStatus.PAID)
    case = await court.sanctioned(GRABBED, provider, Party.PROVIDER, "fraud", orders=[order.id])
    looked = []
    come_under = sanction_effects.come_under

    async def counted(case: SanctionCase) -> list[tuple[Effect, str, int | None]]:
        looked.append(case.id)
        return await come_under(case)

    monkeypatch.setattr(sanction_effects, "come_under", counted)
    await court.sanctions.effects.carry_on_all()
    assert looked == []
    await Settlement.filter(id=settlement.id).update(status=SettlementStatus.PAYABLE)
    assert await court.sanctions.effects.carry_on_all() == 1
    assert looked == [case.id]


@pytest.mark.rules("LS-79")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_comes_under_a_decision_in_the_moment_of_its_reversal_is_paid(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    enterprise, provider = await court.enterprise(GRABBED), await court.provider(GRABBED)
    order, _ = await court.accepted(GRABBED, enterprise, provider)
    settlement = await court.settling(order, SettlementStatus.PAID)
    case = await court.sanctioned(GRABBED, provider, Party.PROVIDER, "fraud")
    await court.sanctions.appeals.appeal(case.id, "合同并非我方签署。", actor=person_of(provider))
    await Settlement.filter(id=settlement.id).update(status=SettlementStatus.PAYABLE)
    authority, with_more = await court.staff("authority"), sanction_effects.with_more

    async def overtaken() -> list[int]:
        """Between what was found and the lock, the appeal is upheld."""
        found = await with_more()
        await court.sanctions.appeals.answer(
            case.id, upheld=True, reason="查实", version=case.version, actor=authority
        )
        return found

    monkeypatch.setattr(sanction_effects, "with_more", overtaken)
    await court.sanctions.effects.carry_on_all()
    row = await Settlement.get(id=settlement.id)
    assert row.status is SettlementStatus.PAYABLE
    await payment_holds.require_free(row)


@pytest.mark.rules("LS-79")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("claimed", [False, True])
async def test_what_the_bank_pays_after_a_decision_that_claims_back_is_claimed_back_then(
    court: Court, claimed: bool
) -> None:
    enterprise, provider = await court.enterprise(GRABBED), await court.provider(GRABBED)
    before_fen = (await court.paid(GRABBED, enterprise, provider))[0].voucher_fen if claimed else 0
    order, voucher = await court.accepted(GRABBED, enterprise, provider)
    settlement = await court.settling(order, SettlementStatus.IN_PAYMENT)
    case = await court.sanctioned(GRABBED, provider, Party.PROVIDER, "fraud")
    assert case.preview["principal_fen"] == before_fen
    where = court._where(order, voucher)
    await ledger.post(Movement.DISBURSE, order.voucher_fen, where, at=court.now)
    await Settlement.filter(id=settlement.id).update(status=SettlementStatus.PAID)
    assert await court.sanctions.effects.carry_on_all() == 1
    claim = await Recovery.get(case_id=case.id)
    assert (claim.debtor_id, claim.principal_fen) == (provider.id, before_fen + order.voucher_fen)
    effects = SanctionEffect.filter(case_id=case.id)
    assert (await effects.get(effect=Effect.RECOVER)).amount_fen == claim.principal_fen
    told = await OutboxMessage.filter(topic__in=["recovery.added", "recovery.to_demand"]).order_by("id")
    assert [one.data["amount_fen"] for one in told] == [order.voucher_fen] * 2
    assert await court.sanctions.effects.carry_on_all() == 0


@pytest.mark.rules("YC-38", "LS-13")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_is_ordered_once_a_ban_is_over_is_paid(court: Court) -> None:
    enterprise, provider = await court.enterprise(GRABBED), await court.provider(GRABBED)
    before, _ = await court.accepted(GRABBED, enterprise, provider)
    settlement = await court.settling(before)
    case = await court.sanctioned(GRABBED, provider, Party.PROVIDER, "fraud")
    authority = await court.staff("authority")
    await court.sanctions.appeals.lift(case.id, "已整改", version=case.version, actor=authority)
    court.clock.at = court.now + timedelta(days=1)
    after, _ = await court.accepted(GRABBED, enterprise, provider)
    await payment_holds.require_free(await court.settling(after))
    with pytest.raises(PaymentHeld):
        await payment_holds.require_free(settlement)
