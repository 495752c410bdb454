"""Payment batches: drawn up by one and approved by another; what was approved is all that is sent.

A draft gathers what is payable in the order the text gives, as far as the year's money goes; what is held,
has no account or was sent back from the present one is left out with its reason. What was approved is known
by its hash.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.disbursements import BankAccount, Payment, PaymentBatch
from server.models.organisations import Organisation
from server.models.rounds import Budget
from server.models.settlements import Settlement
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.rules.deadlines import day_of
from server.rules.disbursements import (
    AccountStatus,
    BatchStatus,
    Gathered,
    TransferStatus,
    gather,
    masked,
)
from server.rules.settlements import SettlementStatus
from server.services import (
    bank_accounts,
    budgets,
    disbursement_book,
    offsets,
    order_purse,
    outbox,
    settlement_book,
    summary_invoices,
    year_money,
)
from server.services.access import Actor
from server.services.clocks import ProgrammeClocks
from server.services.disbursement_book import (
    makers,
    paying,
    payments_of,
    require_impartial,
    require_other_hands,
    require_reason,
)
from server.services.payment_plan import LeftOut, Plan, content_hash, in_line
from server.units import yuan

WAITING = (SettlementStatus.PAYABLE, SettlementStatus.AWAITING_BUDGET)
MOST_IN_A_BATCH = 2000

Look = Callable[[Collection[int]], Awaitable[None]]
"""Looks through settlements for what is wrong with them, and holds what must be held (YC-40)."""


class NothingPayable(Refusal):
    """Nothing of the year is payable now; ``reasons`` says what stands in the way of what there is."""

    status, code = 409, "nothing_payable"


class BatchUnderWay(Refusal):
    """The same settlement is being put into another batch at this moment."""

    status, code = 409, "batch_under_way"


class AccountsChanged(Refusal):
    """Accounts were changed since the batch was drawn up: it is drawn up anew."""

    status, code = 409, "accounts_changed"


class SettlementsHeld(Refusal):
    """Somebody has put a hold on what the batch would pay."""

    status, code = 409, "settlements_held"


class PaymentNotInDraft(Refusal):
    """Only a payment of a draft is taken out."""

    status, code = 409, "payment_not_in_draft"


class PaymentBatches:
    """The verbs on batches. Instants are those of the programme's clock."""

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks, look: Look) -> None:
        self.programmes = programmes
        self.clocks = clocks
        self._look = look

    async def preview(self, slug: str, year: int, *, leave_out: Mapping[int, str], actor: Actor) -> Plan:
        """What a batch drawn up now would hold; nothing is written."""
        programme = self.programmes.get(slug)
        await paying(actor, programme, *makers(programme))
        budget = await order_purse.year_budget(slug, year)
        rows = await Settlement.filter(budget_id=budget.id, status__in=WAITING).select_related("order")
        return await self._plan(programme, budget, rows, leave_out)

    async def draft(
        self, slug: str, year: int, *, leave_out: Mapping[int, str], reason: str, actor: Actor
    ) -> tuple[PaymentBatch, Plan]:
        """Draw up a batch of everything payable in a year; ``leave_out`` names what is not, with reasons.

        What the year's money does not reach waits for money, first in line (GX-61). Raises ``YearNotOpen``,
        ``NotYourDisbursement``, ``ReasonMissing``, ``OwnReview``, :class:`NothingPayable`.
        """
        programme, reason = self.programmes.get(slug), require_reason(reason)
        reviewer = await paying(actor, programme, *makers(programme))
        year_row, now = await order_purse.year_budget(slug, year), self.clocks.now(slug)
        seen = await Settlement.filter(budget_id=year_row.id, status__in=WAITING).order_by("id")
        # In transactions of its own, and before: what it finds stays found, whatever becomes of the draft.
        await self._look([one.id for one in seen])
        try:
            async with in_transaction() as connection:
                rows = await disbursement_book.lock(seen, connection)
                await offsets.lock({one.provider_id for one in rows}, slug)
                async with budgets.locked(year_row.id) as budget:
                    plan = await self._plan(programme, budget, rows, leave_out)
                    require_impartial(reviewer, await _providers(plan))
                    await self._await_money(plan, now=now)
                    if not plan.chosen:
                        raise _nothing(plan, programme)
                    batch = await self._create(programme, budget, plan, reason, actor, now)
        except IntegrityError:
            raise BatchUnderWay() from None
        return batch, plan

    async def _plan(
        self,
        programme: Programme,
        budget: Budget,
        rows: Sequence[Settlement],
        leave_out: Mapping[int, str],
    ) -> Plan:
        money = await year_money.of(budget)
        waiting = [one for one in rows if one.status in WAITING and one.budget_id == budget.id]
        accounts = await bank_accounts.verified([one.provider_id for one in waiting], programme.slug)
        returned = await _returned_from([one.id for one in waiting])
        held = await disbursement_book.held(waiting)
        fit: list[Settlement] = []
        left: list[LeftOut] = []
        for one in in_line(programme, budget.year, waiting):
            account, failed = accounts.get(one.provider_id), returned.get(one.id, set())
            why = _in_the_way(one, leave_out, held[one.id], account, failed)
            if why is None:
                fit.append(one)
            else:
                left.append(LeftOut(one, *why))
        found = gather(fit, money.payable_left_fen, key=lambda one: one.id, amount=lambda one: one.amount_fen)
        by_id = {one.id: one for one in fit}
        covered = found.covered[:MOST_IN_A_BATCH]
        left += [
            LeftOut(by_id[one], "money", texts.LEFT_OUT["money"].format(arithmetic=_short(found, by_id, one)))
            for one in found.uncovered
        ]
        left += [
            LeftOut(by_id[one], "full", texts.LEFT_OUT["full"].format(most=MOST_IN_A_BATCH))
            for one in found.covered[MOST_IN_A_BATCH:]
        ]
        chosen = tuple(
            (by_id[one], accounts.get(by_id[one].provider_id) if by_id[one].amount_fen else None)
            for one in covered
        )
        today = day_of(self.clocks.now(programme.slug))
        kept = await offsets.plan([one for one, _ in chosen], programme.slug, today)
        return Plan(chosen, tuple(left), money, kept)

    async def _await_money(self, plan: Plan, *, now: datetime) -> None:
        """What the money does not reach waits for more, and its provider hears of it once."""
        for one in plan.left_out:
            if one.code == "money" and one.settlement.status is SettlementStatus.PAYABLE:
                await settlement_book.change(one.settlement, status=SettlementStatus.AWAITING_BUDGET)
                await settlement_book.tell(
                    "disbursement.awaiting", one.settlement, [one.settlement.provider_id], now=now
                )

    async def _create(
        self, programme: Programme, budget: Budget, plan: Plan, reason: str, actor: Actor, now: datetime
    ) -> PaymentBatch:
        batch = await PaymentBatch.create(
            number=await _number(budget),
            programme_slug=programme.slug,
            programme_version=programme.version,
            budget_id=budget.id,
            payments_count=len(plan.chosen),
            total_fen=plan.total_fen,
            kept_fen=plan.kept_fen,
            reason=reason,
            drafted_by=actor.id,
            drafted_at=now,
        )
        for line, (settlement, account) in enumerate(plan.chosen, 1):
            await settlement_book.change(settlement, status=SettlementStatus.IN_PAYMENT)
            payment = await Payment.create(
                number=f"{batch.number}-{line:04d}",
                batch_id=batch.id,
                settlement_id=settlement.id,
                order_id=settlement.order_id,
                provider_id=settlement.provider_id,
                account_id=None if account is None else account.id,
                amount_fen=settlement.amount_fen,
                kept_fen=plan.kept_of(settlement),
            )
            await offsets.create(payment, plan.offsets.get(settlement.id, ()))
        await disbursement_book.note(
            "disbursement.drafted", batch, actor, now, total_fen=batch.total_fen,
            payments=batch.payments_count, kept_fen=batch.kept_fen, reason=reason,
            left_out={str(one.settlement.id): one.code for one in plan.left_out},
        )  # fmt: skip
        await summary_invoices.ask(batch, programme, now=now)
        return batch

    async def take_out(self, payment_id: int, *, version: int, reason: str, actor: Actor) -> PaymentBatch:
        """Take one payment out of a draft; its settlement is payable again.

        Raises :class:`PaymentNotInDraft`, ``BatchMovedOn``.
        """
        reason = require_reason(reason)
        payment = await disbursement_book.payment_for(actor, payment_id)
        batch: PaymentBatch = payment.batch
        programme = self.programmes.version(batch.programme_slug, batch.programme_version)
        await paying(actor, programme, *makers(programme))
        now = self.clocks.now(programme.slug)
        async with in_transaction() as connection:
            settlement = await Settlement.get(id=payment.settlement_id)
            (settlement,) = await disbursement_book.lock([settlement], connection)
            if batch.status is not BatchStatus.DRAFT or payment.status is not TransferStatus.WAITING:
                raise PaymentNotInDraft(number=payment.number)
            await disbursement_book.guarded(
                batch, version,
                total_fen=batch.total_fen - payment.amount_fen, payments_count=batch.payments_count - 1,
                kept_fen=batch.kept_fen - payment.kept_fen,
            )  # fmt: skip
            await self._let_go(payment, settlement, reason)
            await disbursement_book.note(
                "disbursement.taken_out", batch, actor, now, payment=payment.number, reason=reason
            )
        return await PaymentBatch.get(id=batch.id).select_related("budget")

    async def drop(self, batch_id: int, *, version: int, reason: str, actor: Actor) -> PaymentBatch:
        """Drop a batch that no bank has seen; everything in it is payable again.

        Its makers may, and whoever approves, who sends it back so. Raises ``IllegalMove``, ``BatchMovedOn``.
        """
        reason = require_reason(reason)
        batch, programme = await self._batch(actor, batch_id)
        await paying(actor, programme, *makers(programme), programme.disbursement.approved_by)
        now = self.clocks.now(programme.slug)
        async with in_transaction() as connection:
            payments = await payments_of(batch.id, TransferStatus.WAITING)
            ids = [one.settlement_id for one in payments]
            seen = await Settlement.filter(id__in=ids).order_by("id")
            rows = {one.id: one for one in await disbursement_book.lock(seen, connection)}
            await disbursement_book.move(
                batch, BatchStatus.DROPPED, version, closed_at=now, total_fen=0, kept_fen=0, payments_count=0
            )
            for payment in payments:
                await self._let_go(payment, rows[payment.settlement_id], reason)
            await summary_invoices.let_go(batch, reason, actor=actor, now=now)
            await disbursement_book.note("disbursement.dropped", batch, actor, now, reason=reason)
            await self._tell_makers("disbursement.batch_dropped", batch, now, reason=reason)
        return await PaymentBatch.get(id=batch.id).select_related("budget")

    async def approve(self, batch_id: int, *, version: int, reason: str, actor: Actor) -> PaymentBatch:
        """Approve a draft as it was seen: the one who alone may, and nobody who drew it up.

        Raises ``NotYourDisbursement``, ``SameHands``, ``OwnReview``, ``BatchMovedOn``, ``IllegalMove``,
        :class:`AccountsChanged`, :class:`SettlementsHeld`, ``OffsetsChanged``, ``SummaryInvoiceMissing``,
        ``BudgetTooSmall``.
        """
        reason = require_reason(reason)
        batch, programme = await self._batch(actor, batch_id)
        rules, now = programme.disbursement, self.clocks.now(programme.slug)
        reviewer = await paying(actor, programme, rules.approved_by)
        require_other_hands(actor, [batch.drafted_by], clause=rules.article, what="batch")
        await self.look_again(batch)
        async with in_transaction() as connection:
            payments = await payments_of(batch.id, TransferStatus.WAITING)
            if not payments:
                raise NothingPayable(clause=rules.article, arithmetic="", reasons=texts.LEFT_OUT["none"])
            require_impartial(reviewer, [one.provider for one in payments])
            await self._still_fit(payments, programme, connection)
            await offsets.require_current(batch, payments, programme)
            await summary_invoices.require_all(batch, programme, payments)
            async with budgets.locked(batch.budget_id) as budget:
                money = await year_money.of(budget)
                # The batch itself stands in what is on its way.
                if money.paid_fen + money.paying_fen > money.most_fen:
                    raise budgets.too_small(money.most_fen - money.paid_fen, money.paying_fen)
                await disbursement_book.move(
                    batch, BatchStatus.APPROVED, version, approved_by=actor.id, approved_at=now,
                    content_sha256=content_hash(payments),
                )  # fmt: skip
            await disbursement_book.note(
                "disbursement.approved", batch, actor, now, total_fen=batch.total_fen,
                kept_fen=batch.kept_fen, reason=reason,
                content=content_hash(payments),
            )  # fmt: skip
            await self._tell_makers("disbursement.batch_approved", batch, now)
        return await PaymentBatch.get(id=batch.id).select_related("budget")

    async def look_again(self, batch: PaymentBatch) -> None:
        """Look through exactly what a batch would pay, so that what must not be paid is held."""
        await self._look([one.settlement_id for one in await payments_of(batch.id, TransferStatus.WAITING)])

    async def still_fit(self, batch: PaymentBatch, programme: Programme) -> list[Payment]:
        """A batch's payments, locked, to be sent. Raises :class:`SettlementsHeld`, ``OffsetsChanged``."""
        async with in_transaction() as connection:
            payments = await payments_of(batch.id, TransferStatus.WAITING)
            await self._still_fit(payments, programme, connection, accounts=False)
            await offsets.require_owed(payments, programme)
        return payments

    async def _still_fit(
        self, payments: Sequence[Payment], programme: Programme, connection: object, *, accounts: bool = True
    ) -> None:
        seen = await Settlement.filter(id__in=[one.settlement_id for one in payments]).order_by("id")
        rows = await disbursement_book.lock(seen, connection)  # type: ignore[arg-type]
        reasons = await disbursement_book.held(rows)
        held = [one.number for one in rows if reasons[one.id]]
        if held:
            raise SettlementsHeld(clause=programme.disbursement.article, numbers=texts.LIST.join(held))
        changed = [
            one.number
            for one in payments
            if one.account is not None and one.account.status is not AccountStatus.VERIFIED
        ]
        if accounts and changed:
            raise AccountsChanged(clause=programme.disbursement.article, numbers=texts.LIST.join(changed))

    async def _let_go(self, payment: Payment, settlement: Settlement, reason: str) -> None:
        await Payment.filter(id=payment.id).update(status=TransferStatus.DROPPED, reason=reason)
        await settlement_book.change(settlement, status=SettlementStatus.PAYABLE)

    async def _batch(self, actor: Actor, batch_id: int) -> tuple[PaymentBatch, Programme]:
        batch = await disbursement_book.batch_for(actor, batch_id)
        return batch, self.programmes.version(batch.programme_slug, batch.programme_version)

    async def _tell_makers(self, topic: str, batch: PaymentBatch, now: datetime, **data: str) -> None:
        await outbox.tell(
            f"staff:{batch.drafted_by}", topic, at=now, batch=batch.id, number=batch.number,
            programme=batch.programme_slug, amount=yuan(batch.total_fen), **data,
        )  # fmt: skip


def _in_the_way(
    settlement: Settlement,
    leave_out: Mapping[int, str],
    held: Sequence[str],
    account: BankAccount | None,
    failed: set[int],
) -> tuple[str, str] | None:
    """Why a settlement is not paid now, as a code and a sentence; ``None``: nothing is in the way."""
    if settlement.id in leave_out:
        return "asked", texts.LEFT_OUT["asked"].format(reason=require_reason(leave_out[settlement.id]))
    if held:
        return "held", texts.LEFT_OUT["held"].format(reason=texts.LIST.join(held))
    if not settlement.amount_fen:
        return None  # No bank transfers nothing.
    if account is None:
        return "account", texts.LEFT_OUT["account"]
    if account.id in failed:
        return "returned", texts.LEFT_OUT["returned"].format(account=masked(account.tail))
    return None


async def _returned_from(settlement_ids: Sequence[int]) -> dict[int, set[int]]:
    """From which accounts the money for each of these came back."""
    rows = Payment.filter(settlement_id__in=list(settlement_ids), status=TransferStatus.RETURNED)
    found: dict[int, set[int]] = {}
    for settlement_id, account_id in await rows.values_list("settlement_id", "account_id"):
        found.setdefault(settlement_id, set()).add(account_id)
    return found


async def _providers(plan: Plan) -> list[Organisation]:
    return await Organisation.filter(id__in={settlement.provider_id for settlement, _ in plan.chosen})


async def _number(budget: Budget) -> str:
    """The next number of the year's batches; drawn under its lock."""
    made = await PaymentBatch.filter(budget_id=budget.id).count()
    return f"PB{budget.year}{budget.id:05d}{made + 1:04d}"


def _short(found: Gathered, by_id: Mapping[int, Settlement], settlement_id: int) -> str:
    return f"{yuan(by_id[settlement_id].amount_fen)} > {yuan(found.left_fen)}"


def _nothing(plan: Plan, programme: Programme) -> NothingPayable:
    reasons = dict.fromkeys(one.reason for one in plan.left_out)
    return NothingPayable(
        clause=programme.disbursement.article,
        arithmetic=plan.money.arithmetic,
        reasons=texts.LIST.join(reasons) or texts.LEFT_OUT["none"],
    )
