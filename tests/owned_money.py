"""How to make what belongs to somebody: settlements, payments, accounts, batches and their papers."""

from __future__ import annotations

from server.keys import SEALER
from server.models.disbursements import (
    BankAccount,
    FundEntry,
    HandOver,
    Payment,
    PaymentBatch,
    SummaryInvoice,
)
from server.models.organisations import Organisation
from server.models.payments import OwnPayment
from server.models.settlements import Settlement, SettlementApplication
from server.programme.steps import StepKind
from server.rules.disbursements import FundKind
from server.rules.orders import OrderStatus
from server.rules.own_payments import PaymentMethod, PaymentPurpose, PaymentStatus
from tests import owned_basics
from tests.factories import make_enterprise
from tests.ordering import make_order
from tests.ownership_stage import Stage
from tests.town import PROGRAMME, grab_key


async def settlement_application(stage: Stage) -> int:
    """A draft of the organisation's, as a provider, for one finished order."""
    programme = stage.town.programmes.get(PROGRAMME)
    owner, enterprise = await Organisation.get(id=stage.organisation_id), await make_enterprise()
    order = await make_order(
        programme, enterprise, owner, at=stage.town.now, status=OrderStatus.DONE, step=StepKind.SETTLE
    )
    application = await SettlementApplication.create(
        number=grab_key()[-20:],
        programme_slug=programme.slug,
        programme_version=programme.version,
        provider_id=owner.id,
        actor=f"person:{stage.owner.id}",
        opened_at=stage.town.now,
    )
    await Settlement.create(
        number=grab_key()[-20:],
        application_id=application.id,
        order_id=order.id,
        provider_id=owner.id,
        enterprise_id=enterprise.id,
        programme_slug=programme.slug,
        category=order.category,
        year=2026,
    )
    return int(application.id)


async def settlement(stage: Stage) -> int:
    return int((await Settlement.get(application_id=await settlement_application(stage))).id)


async def payment(stage: Stage) -> int:
    """A payment that the operator has to give back by the bank."""
    made = await OwnPayment.create(
        order_id=await owned_basics.order(stage),
        programme_slug=PROGRAMME,
        purpose=PaymentPurpose.ESCROW,
        method=PaymentMethod.TRANSFER,
        status=PaymentStatus.REFUND_DUE,
        amount_fen=100,
        payer="一家企业",
        payee="运营单位",
        step=StepKind.ESCROW,
        created_by=f"person:{stage.owner.id}",
        created_at=stage.town.now,
    )
    return int(made.id)


async def bank_account(stage: Stage) -> int:
    """An account that the organisation entered."""
    made = await BankAccount.create(
        organisation_id=stage.organisation_id,
        programme_slug=PROGRAMME,
        holder="晨光精密机械有限公司",
        bank="中国银行",
        number_sealed=stage.town.app[SEALER].seal("6222020000008888"),
        number_index="",
        tail="8888",
        proof=[],
        entered_by=f"person:{stage.owner.id}",
        entered_at=stage.town.now,
    )
    return int(made.id)


async def payment_batch(stage: Stage) -> int:
    made = await PaymentBatch.create(
        number=f"PB{int(grab_key(), 16)}",
        programme_slug=PROGRAMME,
        programme_version=stage.town.programmes.get(PROGRAMME).version,
        budget_id=await owned_basics.budget(stage),
        payments_count=1,
        total_fen=1,
        drafted_by=0,
        drafted_at=stage.town.now,
    )
    return int(made.id)


async def transfer(stage: Stage) -> int:
    """A payment to the organisation."""
    batch_id = await payment_batch(stage)
    made = await Payment.create(
        number=f"PB{batch_id}-0001",
        batch_id=batch_id,
        settlement_id=await settlement(stage),
        order_id=1,
        provider_id=stage.organisation_id,
        account_id=await bank_account(stage),
        amount_fen=1,
    )
    return int(made.id)


async def summary_invoice(stage: Stage) -> int:
    made = await SummaryInvoice.create(
        batch_id=await payment_batch(stage),
        provider_id=stage.organisation_id,
        code="summary_invoice",
        number=f"{int(grab_key(), 16):020d}",
        amount_fen=1,
        dated=stage.town.now.date(),
        files=[],
        handed_by=f"person:{stage.owner.id}",
        handed_at=stage.town.now,
    )
    return int(made.id)


async def fund_entry(stage: Stage) -> int:
    made = await FundEntry.create(
        budget_id=await owned_basics.budget(stage),
        programme_slug=PROGRAMME,
        kind=FundKind.ALLOCATION,
        amount_fen=1,
        dated=stage.town.now.date(),
        reference=grab_key(),
        files=[],
        entered_by=0,
        entered_at=stage.town.now,
    )
    return int(made.id)


async def hand_over(stage: Stage) -> int:
    batch_id = await payment_batch(stage)
    made = await HandOver.create(
        number=f"HO{batch_id}",
        batch_id=batch_id,
        items=[],
        sha256="",
        handed_by=0,
        handed_at=stage.town.now,
    )
    return int(made.id)
