"""Settlements: what a provider does to get its money: choose orders, hand in, correct, take back.

An application is the envelope; each order in it becomes one settlement with one review case. Handing in locks
both sides and the orders, lays all evidence beside what the text asks, and refuses with everything that is
missing at once; then what a complete file takes is taken, in the order in which files come (YC-19).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.expressions import F, Q
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal, Unmet
from server.models.orders import Order
from server.models.organisations import Organisation
from server.models.reviews import ReviewCase
from server.models.settlements import Settlement, SettlementApplication
from server.programme.model import Programme
from server.programme.review import ReviewSubject
from server.programme.size_classes import SizeStandard
from server.programme.steps import StepKind
from server.programme.vocabulary import Party
from server.rules.deadlines import day_of
from server.rules.order_walk import require_in_time
from server.rules.settlements import (
    UNDER_REVIEW,
    SettlementApplicationStatus,
    SettlementStatus,
    asked_documents,
    settle_step,
)
from server.services.access import Actor, NotFound
from server.services.afterwards import After, together
from server.services.orders import order_book
from server.services.organisations.memberships import lock_all
from server.services.reviews.reviews import Reviews
from server.services.settlements import (
    settlement_book,
    settlement_end,
    settlement_evidence,
    settlement_forms,
    settlement_money,
    settlement_papers,
)
from server.services.settlements.settlement_drafts import NothingToSettle, SettlementDrafts, require_claimant
from server.services.settlements.settlement_evidence import MONEY_LEFT, Evidence
from server.services.settlements.settlement_windows import SettlementWindows


class SettlementUnmet(Refusal):
    """Something is missing or wrong; ``unmet`` names all of it, and nothing was done."""

    status, code = 422, "settlement_unmet"


class SettlementDecided(Refusal):
    """What was determined is taken back no more."""

    status, code = 409, "settlement_decided"


@dataclass(frozen=True, slots=True)
class Checklist:
    """What an application has and lacks, before it is handed in."""

    application: SettlementApplication
    programme: Programme
    settlements: Sequence[Evidence]
    unmet: tuple[Unmet, ...]
    """Of the papers for all its orders."""


class Settlements:
    """The verbs of whoever asks for money. Instants are those of the programme's clock."""

    def __init__(
        self, drafts: SettlementDrafts, reviews: Reviews, sizes: SizeStandard, windows: SettlementWindows
    ) -> None:
        self.orders = orders = drafts.orders
        self.reviews = reviews
        self.sizes = sizes
        self.windows = windows
        self.drafts = drafts
        self.programmes = orders.programmes
        self.clocks = orders.clocks

    def terms_of(self, order: Order) -> Programme:
        """The programme as it stood when the order was opened."""
        return self.orders.terms_of(order).programme

    async def checklist(self, application_id: int, *, actor: Actor) -> Checklist:
        """Everything that would stand against an application, without handing it in. Raises ``NotFound``."""
        application = await settlement_book.application_for(application_id, actor=actor)
        programme = self.drafts.programme_of(application)
        settlements = await settlement_book.of_application(application.id)
        return Checklist(
            application,
            programme,
            [await self.examine(one) for one in settlements],
            await settlement_forms.unmet(application, settlements, programme),
        )

    async def examine(self, settlement: Settlement) -> Evidence:
        """A settlement's evidence as it stands now."""
        order = await Order.get(id=settlement.order_id)
        now = self.clocks.now(settlement.programme_slug)
        return await settlement_evidence.examine(settlement, order, self.terms_of(order), self.sizes, now=now)

    # -- handing in ----------------------------------------------------------------------------------

    async def submit(self, application_id: int, *, version: int, actor: Actor) -> SettlementApplication:
        """Hand an application in: every order of it, or none.

        Raises ``NotFound``, ``SettlementMovedOn``, :class:`NothingToSettle`, ``WindowClosed``,
        ``StepTooLate``, ``OrderHeld``, ``PaymentHeld``, :class:`SettlementUnmet`, ``YearMoneyGone``,
        ``NothingToPay``, ``FileUnacceptable``, ``PaperUsedBefore``.
        """
        seen = await self.drafts.own(application_id, actor)
        programme, now = self.drafts.programme_of(seen), self.clocks.now(seen.programme_slug)
        afters: list[After] = []
        async with in_transaction() as connection:
            settlements = await settlement_book.of_application(seen.id)
            await _lock_sides(settlements, connection)
            application = await self.drafts.claim(seen, version, SettlementApplicationStatus.DRAFT)
            if not settlements:
                raise NothingToSettle(clause=programme.settlement.article)
            window = await self.windows.require_open(programme, now)
            unmet = list(await settlement_forms.unmet(application, settlements, programme))
            examined = []
            for settlement in settlements:
                evidence = await self._look_at(settlement, now)
                unmet += _of_order(evidence, several=len(settlements) > 1)
                examined.append(evidence)
            _require(programme, unmet)
            common = await settlement_papers.of(application.id, None)
            subject = f"settlement_application:{application.id}"
            await settlement_papers.attach(common, subject, programme, now=now)
            year = programme.year_of(day_of(now)) if window is None else window.year
            for evidence in examined:
                afters.append(await self._hand_in(evidence, year, actor, now))
            await SettlementApplication.filter(id=application.id).update(
                status=SettlementApplicationStatus.SUBMITTED,
                submitted_at=now,
                window_id=None if window is None else window.id,
            )
        await together(afters)()
        return await SettlementApplication.get(id=seen.id)

    async def resubmit(self, settlement_id: int, *, version: int, actor: Actor) -> Settlement:
        """Hand in again what was returned for correction; it keeps its place in the line.

        Raises what :meth:`submit` raises; what was not returned is ``SettlementMovedOn``.
        """
        seen = await self._own_settlement(settlement_id, actor)
        now = self.clocks.now(seen.programme_slug)
        async with in_transaction() as connection:
            await _lock_sides([seen], connection)
            settlement = await self._claim_one(seen, version)
            if settlement.status is not SettlementStatus.RETURNED:
                raise await settlement_book.moved_on(settlement)
            application = await SettlementApplication.get(id=settlement.application_id)
            programme = self.drafts.programme_of(application)
            evidence = await self._look_at(settlement, now)
            together_with = await settlement_book.of_application(application.id)
            missing = await settlement_forms.unmet(application, together_with, programme)
            _require(programme, [*missing, *_of_order(evidence, several=False)])
            common = await settlement_papers.of(application.id, None)
            subject = f"settlement_application:{application.id}"
            await settlement_papers.attach(common, subject, programme, now=now)
            await _tell_case(await self._take_in(evidence, settlement.year, actor, now))
            case = await ReviewCase.get(id=settlement.case_id)
            after = await self.reviews.resume(case, actor=actor, now=now)
            await settlement_book.note("settlement.resubmitted", settlement, actor, now)
        await after()
        return await Settlement.get(id=settlement_id)

    async def withdraw(self, settlement_id: int, *, reason: str, version: int, actor: Actor) -> Settlement:
        """Take one order's settlement back before it is determined; what its file took is free again.

        Raises ``NotFound``, ``SettlementMovedOn``, ``IllegalMove``, :class:`SettlementDecided`.
        """
        seen = await self._own_settlement(settlement_id, actor)
        async with in_transaction() as connection:
            await _lock_sides([seen], connection)
            settlement = await self._claim_one(seen, version)
            await self._take_back(settlement, reason, actor)
        return await Settlement.get(id=settlement_id)

    async def withdraw_all(
        self, application_id: int, *, reason: str, version: int, actor: Actor
    ) -> SettlementApplication:
        """Take a whole application back, drafted or handed in, as long as nothing of it is determined."""
        seen = await self.drafts.own(application_id, actor)
        async with in_transaction() as connection:
            settlements = await settlement_book.of_application(seen.id)
            await _lock_sides(settlements, connection)
            await self.drafts.claim(seen, version)
            for settlement in settlements:
                await self._take_back(await settlement_book.locked(settlement.id), reason, actor)
            await SettlementApplication.filter(id=seen.id).update(
                status=SettlementApplicationStatus.WITHDRAWN
            )
        return await SettlementApplication.get(id=seen.id)

    async def end_draft(self, settlement: Settlement, *, reason: str, actor: Actor) -> None:
        """End a draft that can never be handed in any more; in a transaction with the locks of both sides."""
        await self._take_back(settlement, reason, actor)

    # -- inside ----------------------------------------------------------------------------------------

    async def _own_settlement(self, settlement_id: int, actor: Actor) -> Settlement:
        settlement = await settlement_book.settlement_for(settlement_id, actor=actor)
        if actor.kind == "person" and settlement.provider_id != actor.organisation_id:
            raise NotFound()
        require_claimant(self.terms_of(settlement.order), actor)
        return settlement

    async def _claim_one(self, seen: Settlement, version: int) -> Settlement:
        if not await Settlement.filter(id=seen.id, version=version).update(version=F("version") + 1):
            raise await settlement_book.moved_on(seen)
        return await Settlement.get(id=seen.id).select_related("order")

    async def _look_at(self, settlement: Settlement, now: datetime) -> Evidence:
        """The evidence of an order that stands still: its row is locked, after both its sides."""
        await Order.filter(id=settlement.order_id).update(version=F("version") + 1)
        order = await Order.get(id=settlement.order_id)
        terms = self.terms_of(order)
        await settlement_book.require_free(settlement)
        step = settle_step(terms)
        if step is not None:
            acts, calendar = await order_book.acts_of(order.id), self.orders.working_days.calendar
            due = await order_book.due_of(order, step, terms, calendar, acts)
            require_in_time(step, None if due.provisional else due.ends_at, now)
        return await settlement_evidence.examine(settlement, order, terms, self.sizes, now=now)

    async def _take_in(self, evidence: Evidence, year: int, actor: Actor, now: datetime) -> Settlement:
        """Keep its papers, take its money, and let it be under review."""
        order, programme, settlement = evidence.order, evidence.programme, evidence.settlement
        await settlement_papers.attach(evidence.own, order_book.subject_of(order), programme, now=now)
        await settlement_papers.count_numbers(
            order, programme, evidence.own, asked_documents(programme), actor=actor, now=now
        )
        if evidence.drawn is not None:
            order = await settlement_money.take_on_file(order, programme, evidence.drawn, now=now)
        ledger_fen = (await settlement_money.standing(order)).total_fen
        worked = evidence.worked
        return await settlement_book.change(
            settlement,
            status=SettlementStatus.IN_REVIEW,
            asked_fen=ledger_fen,
            ledger_fen=ledger_fen,
            amount_fen=0,
            reduced_fen=0,
            clause=order.clause if worked is None else worked.clause,
            arithmetic=order.arithmetic if worked is None else worked.arithmetic,
            result_on=evidence.result_on,
            flagged=evidence.flagged,
            year=year,
            budget_id=order.budget_id,
            line_at=settlement.line_at or now,
            reason="",
        )

    async def _hand_in(self, evidence: Evidence, year: int, actor: Actor, now: datetime) -> After:
        settlement = await self._take_in(evidence, year, actor, now)
        order, programme = evidence.order, evidence.programme
        if settle_step(programme) is not None:
            said = {"settlement": settlement.number, "amount_fen": settlement.asked_fen}
            await order_book.record(order, StepKind.SETTLE, Party.PROVIDER, actor=actor, now=now, values=said)
            await self.orders.advance(order, self.orders.terms_of(order), actor=actor, now=now)
        await settlement_book.note(
            "settlement.submitted", settlement, actor, now, amount_fen=settlement.asked_fen
        )
        await settlement_book.tell(
            "settlement.submitted",
            settlement,
            [settlement.enterprise_id],
            now=now,
            order_number=order.number,
            asked_fen=settlement.asked_fen,
        )
        subject = ReviewSubject.SETTLEMENT
        if programme.review(subject) is None:
            await settlement_end.determine(self, settlement, actor=actor, now=now)
            await settlement_end.make_payable(self, settlement, actor=actor, now=now)
            return _nothing
        case, after = await self.reviews.open(
            subject,
            settlement.id,
            programme=programme,
            organisation=await Organisation.get(id=settlement.provider_id),
            title=texts.SETTLEMENT_TITLE.format(project=order.project, number=order.number),
            actor=actor,
            now=now,
            amount_fen=settlement.asked_fen,
            # Where a paper stands in for another, the case is in every sample (YC-22).
            flagged=settlement.flagged or await _was_on_a_list(order.id),
        )
        await Settlement.filter(id=settlement.id).update(case_id=case.id)
        return after

    async def _take_back(self, settlement: Settlement, reason: str, actor: Actor) -> None:
        """Undo what handing in did; under the locks of both sides."""
        now, under_review = self.clocks.now(settlement.programme_slug), settlement.status in UNDER_REVIEW
        if settlement.amount_fen:
            order = await Order.get(id=settlement.order_id)
            raise SettlementDecided(clause=self.terms_of(order).settlement.article, number=settlement.number)
        await settlement_book.change(
            settlement, status=SettlementStatus.WITHDRAWN, reason=reason, ended_at=now
        )
        await settlement_book.note("settlement.withdrawn", settlement, actor, now, reason=reason)
        if under_review:
            await settlement_end.undo(self, settlement, reason=reason, actor=actor, now=now)
        left = await settlement_book.of_application(settlement.application_id)
        if not left:
            await SettlementApplication.filter(id=settlement.application_id).update(
                status=SettlementApplicationStatus.WITHDRAWN
            )


async def _tell_case(settlement: Settlement) -> None:
    """Let the case of what is handed in again say what is asked for now; once in the sample, always."""
    columns: dict[str, Any] = {"amount_fen": settlement.asked_fen}
    if settlement.flagged:
        columns["flagged"] = True
    await ReviewCase.filter(id=settlement.case_id).update(**columns)


async def _was_on_a_list(order_id: int) -> bool:
    """Whether an earlier settlement of an order stood on a draw's list, or was meant to be in the sample.

    Otherwise whoever is drawn would take it back, hand it in again, and be lucky the next time (YC-24).
    """
    before = await Settlement.filter(order_id=order_id, case_id__not_isnull=True).values_list(
        "case_id", flat=True
    )
    return await ReviewCase.filter(Q(flagged=True) | Q(draw_id__not_isnull=True), id__in=before).exists()


async def _nothing() -> None:
    """Nothing is left to tell."""


async def _lock_sides(settlements: Sequence[Settlement], connection: BaseDBAsyncClient) -> None:
    sides = {one.provider_id for one in settlements} | {one.enterprise_id for one in settlements}
    await lock_all(sides, connection)


def _of_order(evidence: Evidence, *, several: bool) -> list[Unmet]:
    """What stands against one order, named where there are several.

    Whether the year has the money is said when it is taken, under its lock.
    """
    unmet = [one for one in evidence.unmet if one.code != MONEY_LEFT]
    if not several:
        return unmet
    says, number = texts.SETTLEMENT_CHECKS["for_order"], evidence.order.number
    return [
        Unmet(one.code, one.clause, says.format(number=number, message=one.message), one.arithmetic)
        for one in unmet
    ]


def _require(programme: Programme, unmet: Sequence[Unmet]) -> None:
    if unmet:
        raise SettlementUnmet(
            clause=next((one.clause for one in unmet if one.clause), programme.settlement.article),
            arithmetic=next((one.arithmetic for one in unmet if one.arithmetic), ""),
            unmet=tuple(unmet),
            count=len(unmet),
            first=unmet[0].message,
        )
