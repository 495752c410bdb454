"""Payment batches: drawn up by one and approved by another; what was approved is all that is sent.

A draft gathers what waits for one source of money (``payables.py``), in its order and as far as the money
goes. What is held, has no account or was sent back from the present one is left out with its reason. What
was approved is known by its hash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    PaymentSource,
    TransferStatus,
    gather,
    masked,
)
from server.services import outbox
from server.services.access import Actor
from server.services.budgets import budgets
from server.services.clocks import ProgrammeClocks
from server.services.disbursements import bank_accounts, disbursement_book, offsets, summary_invoices
from server.services.disbursements.disbursement_book import (
    makers,
    paying,
    payments_of,
    require_impartial,
    require_other_hands,
    require_reason,
)
from server.services.disbursements.payables import Payable, Payables
from server.services.disbursements.payment_plan import Chosen, LeftOut, Plan, content_hash
from server.services.vouchers import order_purse
from server.units import yuan

MOST_IN_A_BATCH = 2000
NUMBERS: Mapping[PaymentSource, str] = {PaymentSource.BUDGET: "PB", PaymentSource.ESCROW: "EB"}
"""How the numbers of batches begin."""


class NothingPayable(Refusal):
    """Nothing is to be paid now; ``reasons`` says what stands in the way of what there is."""

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

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks, payables: Payables) -> None:
        self.programmes = programmes
        self.clocks = clocks
        self.payables = payables

    async def preview(
        self, slug: str, year: int, source: PaymentSource, *, leave_out: Mapping[int, str], actor: Actor
    ) -> Plan:
        """What a batch drawn up now would hold; nothing is written."""
        programme, payable = self.programmes.get(slug), self.payables[source]
        await paying(actor, programme, *makers(programme))
        budget = await order_purse.year_budget(slug, year)
        return await self._plan(payable, programme, budget, await payable.waiting(budget), leave_out)

    async def draft(
        self,
        slug: str,
        year: int,
        source: PaymentSource,
        *,
        leave_out: Mapping[int, str],
        reason: str,
        actor: Actor,
    ) -> tuple[PaymentBatch, Plan]:
        """Draw up a batch of all that waits in a year; ``leave_out`` names what is not paid, with reasons.

        What the year's money does not reach waits for money, first in line (GX-61). Raises ``YearNotOpen``,
        ``NotYourDisbursement``, ``ReasonMissing``, ``OwnReview``, :class:`NothingPayable`.
        """
        programme, payable, reason = self.programmes.get(slug), self.payables[source], require_reason(reason)
        reviewer = await paying(actor, programme, *makers(programme))
        year_row, now = await order_purse.year_budget(slug, year), self.clocks.now(slug)
        seen = await payable.waiting(year_row)
        # In transactions of its own, and before: what it finds stays found, whatever becomes of the draft.
        await payable.look([one.id for one in seen])
        try:
            async with in_transaction() as connection:
                rows = await disbursement_book.lock(seen, connection)
                await offsets.lock({one.provider_id for one in rows}, slug)
                async with budgets.locked(year_row.id) as budget:
                    plan = await self._plan(payable, programme, budget, rows, leave_out)
                    require_impartial(reviewer, await _providers(plan))
                    for one in plan.left_out:
                        if one.code == "money":
                            await payable.short(one.settlement, now)
                    if not plan.chosen:
                        raise _nothing(plan, programme)
                    batch = await self._create(payable, programme, budget, plan, reason, actor, now)
        except IntegrityError:
            raise BatchUnderWay() from None
        return batch, plan

    async def _plan(
        self,
        payable: Payable,
        programme: Programme,
        budget: Budget,
        rows: Sequence[Settlement],
        leave_out: Mapping[int, str],
    ) -> Plan:
        money = await payable.money(budget)
        waiting = await payable.in_line(rows, programme, budget)
        due_fen = {one.id: payable.due_fen(one) for one in waiting}
        accounts = await bank_accounts.verified([one.provider_id for one in waiting], programme.slug)
        returned = await _returned_from([one.id for one in waiting])
        held = await disbursement_book.held(waiting)
        fit: list[Settlement] = []
        left: list[LeftOut] = []
        for one in waiting:
            account, failed = accounts.get(one.provider_id), returned.get(one.id, set())
            why = _in_the_way(one, due_fen[one.id], leave_out, held[one.id], account, failed)
            if why is None:
                fit.append(one)
            else:
                left.append(LeftOut(one, due_fen[one.id], *why))
        most_fen = sum(due_fen.values()) if money is None else money.payable_left_fen
        found = gather(fit, most_fen, key=lambda one: one.id, amount=lambda one: due_fen[one.id])
        by_id = {one.id: one for one in fit}
        left += [
            _over(by_id[one], due_fen[one], "money", arithmetic=_short(found, due_fen[one]))
            for one in found.uncovered
        ]
        left += [
            _over(by_id[one], due_fen[one], "full", most=MOST_IN_A_BATCH)
            for one in found.covered[MOST_IN_A_BATCH:]
        ]
        chosen = tuple(
            Chosen(by_id[one], due_fen[one], accounts.get(by_id[one].provider_id) if due_fen[one] else None)
            for one in found.covered[:MOST_IN_A_BATCH]
        )
        today = day_of(self.clocks.now(programme.slug))
        kept = await payable.kept_back([one.settlement for one in chosen], programme.slug, today)
        return Plan(chosen, tuple(left), money, kept)

    async def _create(
        self,
        payable: Payable,
        programme: Programme,
        budget: Budget,
        plan: Plan,
        reason: str,
        actor: Actor,
        now: datetime,
    ) -> PaymentBatch:
        batch = await PaymentBatch.create(
            number=await _number(budget, payable.source),
            programme_slug=programme.slug,
            programme_version=programme.version,
            budget_id=budget.id,
            source=payable.source,
            payments_count=len(plan.chosen),
            total_fen=plan.total_fen,
            kept_fen=plan.kept_fen,
            reason=reason,
            drafted_by=actor.id,
            drafted_at=now,
        )
        for line, one in enumerate(plan.chosen, 1):
            await payable.taken(one.settlement)
            payment = await Payment.create(
                number=f"{batch.number}-{line:04d}",
                batch_id=batch.id,
                source=payable.source,
                settlement_id=one.settlement.id,
                order_id=one.settlement.order_id,
                provider_id=one.settlement.provider_id,
                account_id=None if one.account is None else one.account.id,
                amount_fen=one.amount_fen,
                kept_fen=plan.kept_of(one.settlement),
            )
            await offsets.create(payment, plan.offsets.get(one.settlement.id, ()))
        await disbursement_book.note(
            "disbursement.drafted", batch, actor, now, source=batch.source.value, total_fen=batch.total_fen,
            payments=batch.payments_count, kept_fen=batch.kept_fen, reason=reason,
            left_out={str(one.settlement.id): one.code for one in plan.left_out},
        )  # fmt: skip
        await summary_invoices.ask(batch, programme, now=now)
        return batch

    async def take_out(self, payment_id: int, *, version: int, reason: str, actor: Actor) -> PaymentBatch:
        """Take one payment out of a draft; its settlement waits again.

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
            await self._let_go(batch, payment, settlement, reason)
            await disbursement_book.note(
                "disbursement.taken_out", batch, actor, now, payment=payment.number, reason=reason
            )
        return await PaymentBatch.get(id=batch.id).select_related("budget")

    async def drop(self, batch_id: int, *, version: int, reason: str, actor: Actor) -> PaymentBatch:
        """Drop a batch that no bank has seen; everything in it waits again.

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
                await self._let_go(batch, payment, rows[payment.settlement_id], reason)
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
        payable = self.payables[batch.source]
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
            await offsets.require_current(batch, payments, programme, payable.kept_back)
            await summary_invoices.require_all(batch, programme, payments)
            async with budgets.locked(batch.budget_id) as budget:
                money = await payable.money(budget)
                # The batch itself stands in what is on its way.
                if money is not None and money.paid_fen + money.paying_fen > money.most_fen:
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
        payments = await payments_of(batch.id, TransferStatus.WAITING)
        await self.payables[batch.source].look([one.settlement_id for one in payments])

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

    async def _let_go(
        self, batch: PaymentBatch, payment: Payment, settlement: Settlement, reason: str
    ) -> None:
        await Payment.filter(id=payment.id).update(status=TransferStatus.DROPPED, reason=reason)
        await self.payables[batch.source].let_go(settlement)

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
    due_fen: int,
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
    if not due_fen:
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
    return await Organisation.filter(id__in={one.settlement.provider_id for one in plan.chosen})


async def _number(budget: Budget, source: PaymentSource) -> str:
    """The next number of the year's batches from a source; drawn under its lock."""
    made = await PaymentBatch.filter(budget_id=budget.id, source=source).count()
    return f"{NUMBERS[source]}{budget.year}{budget.id:05d}{made + 1:04d}"


def _over(settlement: Settlement, due_fen: int, code: str, **said: object) -> LeftOut:
    return LeftOut(settlement, due_fen, code, texts.LEFT_OUT[code].format(**said))


def _short(found: Gathered, due_fen: int) -> str:
    return f"{yuan(due_fen)} > {yuan(found.left_fen)}"


def _nothing(plan: Plan, programme: Programme) -> NothingPayable:
    reasons = dict.fromkeys(one.reason for one in plan.left_out)
    return NothingPayable(
        clause=programme.disbursement.article,
        arithmetic="" if plan.money is None else plan.money.arithmetic,
        reasons=texts.LIST.join(reasons) or texts.LEFT_OUT["none"],
    )
