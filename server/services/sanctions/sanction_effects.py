"""What a decision does: at once what cuts off, afterwards one by one what concerns many things.

Each effect is a row of its case, planned with the decision. What is left is taken up by whoever comes by: the
call that decided, or the schedule after a server died. Each is done in a transaction of its own, and once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from tortoise.expressions import Q
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.labels import AttestedLabel
from server.models.orders import Order
from server.models.organisations import BlocklistEntry, Organisation, Qualification
from server.models.payment_holds import PaymentHold
from server.models.provider_standing import Suspension
from server.models.sanctions import PersonBan, SanctionCase, SanctionEffect
from server.models.settlements import Settlement
from server.models.vouchers import Voucher
from server.programme.oversight import Measure
from server.programme.vocabulary import Party
from server.rules.lifecycles import QUALIFICATION_MOVES, QualificationStatus, VoucherStatus
from server.rules.orders import LIVE, OrderStatus
from server.rules.payment_holds import HoldCause
from server.rules.removals import Charge
from server.rules.sanction_cases import Effect, effects_of
from server.rules.settlements import STOPPABLE, SettlementStatus
from server.services.access import CLOCK, Actor
from server.services.admissions import attestations
from server.services.admissions.labels import Labels
from server.services.admissions.qualifications import Qualifications, move
from server.services.afterwards import After, nothing
from server.services.holds import payment_holds
from server.services.orders.order_ends import OrderEnds
from server.services.orders.order_wishes import OrderMovedOn
from server.services.organisations.memberships import lock, lock_all
from server.services.rounds.rounds import StandingChange
from server.services.sanctions import renewed_claims
from server.services.sanctions.blocklist import Ban, Blocklist
from server.services.sanctions.recoveries import Recoveries, RecoveryMovedOn
from server.services.sanctions.removals import Removals
from server.services.sanctions.sanction_book import SanctionBook
from server.services.sanctions.sanction_preview import Preview, come_under, planned, with_more
from server.services.sanctions.sanctions import Sanctions
from server.services.settlements import settlement_book
from server.services.settlements.settlement_book import SettlementMovedOn
from server.services.vouchers.vouchers import VoucherMovedOn
from server.units import yuan

RECORDS = (Effect.ANNOUNCE, Effect.CREDIT_RECORD, Effect.LIABILITY)
"""Nothing moves: that it was decided is what is kept and shown."""
HELD_ON = frozenset({Effect.HOLD_PAYMENT, Effect.REFUSE_SETTLEMENT})
"""What holds payments until it is lifted, or for good."""
AT_ONCE = 200
"""So many effects the call that decides does itself; the schedule does the rest."""
NOT_DONE = texts.SANCTION_NOT_DONE.format(reason="")
TRIED_AGAIN_AFTER = timedelta(days=1)
"""The schedule comes by each minute; what stood in the way of an effect seldom goes away as soon."""


class SettlementStop(Protocol):
    """What stops the money of an order, inside the caller's transaction."""

    async def __call__(self, settlement: Settlement, case: SanctionCase, now: datetime) -> After:
        """Refuse or reduce one settlement."""

    async def unclaimed(self, order_id: int, case: SanctionCase, now: datetime) -> int:
        """Void what was spent on an order whose settlement nobody has handed in; how much, fen."""


class SanctionEffects:
    """The verbs that carry a decision out."""

    def __init__(
        self,
        sanctions: Sanctions,
        qualifications: Qualifications,
        removals: Removals,
        blocklist: Blocklist,
        labels: Labels,
        ends: OrderEnds,
        recoveries: Recoveries,
    ) -> None:
        self.sanctions = sanctions
        self.book: SanctionBook = sanctions.book
        self.qualifications = qualifications
        self.removals = removals
        self.blocklist = blocklist
        self.labels = labels
        self.ends = ends
        self.recoveries = recoveries
        self.stops: list[SettlementStop] = []

    async def at_once(
        self, case: SanctionCase, shown: Preview, *, may_offset: bool, actor: Actor, now: datetime
    ) -> After:
        """What must not wait, inside the transaction of the decision. Raises ``RemovalUnderWay``."""
        effects = {Effect(one) for one in shown.effects}
        done: list[After] = [await self._end_suspension(case, effects, actor, now)]
        done.append(await self._end_standing(case, effects, actor, now))
        if Effect.BAN in effects:
            done.append(await self._bar(case, actor))
        if Effect.BAN_PERSON in effects and case.person_index:
            await self._bar_person(case, now)
        if Effect.REVOKE_TITLE in effects:
            done.append(await self._strike_titles(case, actor, now))
        if effects & HELD_ON:
            await self._hold(case, effects & HELD_ON, actor, now)
        elif Effect.REDUCE_SETTLEMENT in effects and shown.settlements:
            # No batch that has it already pays all of it: it stops until that is done.
            await self._hold(case, {Effect.REDUCE_SETTLEMENT}, actor, now)
        if shown.paid_out:
            claim = await self.recoveries.claim(
                case, shown.paid_out, may_offset=may_offset, actor=actor, now=now
            )
            await self._keep(
                case, Effect.RECOVER, f"recovery:{claim.id}", now, amount_fen=claim.principal_fen
            )
        for effect in RECORDS:
            if effect in effects:
                await self._keep(case, effect, f"organisation:{case.against_id}", now)
        if Effect.REFER in effects:
            # Done when somebody has recorded to whom, when and under which number.
            await self._plan(case, Effect.REFER, f"organisation:{case.against_id}", None, now)
        for effect, subject, amount_fen in planned(shown):
            await self._plan(case, effect, subject, amount_fen, now)

        async def told() -> None:
            for after in done:
                await after()

        return told

    async def carry_on(self, case_id: int, *, most: int = AT_ONCE) -> int:
        """Do what is still to be done of a decided case; returns how much was done."""
        case = await SanctionCase.get(id=case_id).select_related("against")
        left = SanctionEffect.filter(case_id=case_id, done_at=None).exclude(effect=Effect.REFER)
        done = 0
        for effect in await left.order_by("id").limit(most):
            done += await self._do(case, effect)
        return done

    async def carry_on_all(self) -> int:
        """The same for every case that has something left: the schedule's."""
        await self._take_up()
        waiting = SanctionEffect.filter(done_at=None).exclude(effect=Effect.REFER)
        rows = await waiting.distinct().order_by("case_id").limit(100).values("case_id")
        return sum([await self.carry_on(row["case_id"]) for row in rows])

    async def _take_up(self) -> None:
        """Plan what has come under a refusing decision since: otherwise it would be held for good.

        A payment that the bank sent back, or a settlement that its provider took back before the decision.
        What could not be done is tried again a day later.
        """
        for case_id in await with_more():
            case = await SanctionCase.get(id=case_id)
            if case.decided_at is None:
                continue
            now = self.book.now(case)
            async with in_transaction():
                # A reversal takes this lock, too: it lifted the hold before, or ends what is planned here.
                await lock(case.against_id)
                if not await PaymentHold.exists(cause=HoldCause.SANCTION, cause_id=case.id, lifted_at=None):
                    continue
                for effect, subject, amount_fen in await come_under(case):
                    known = SanctionEffect.filter(case_id=case.id, effect=effect, subject=subject)
                    if await known.exists():
                        waits = Q(note__startswith=NOT_DONE, done_at__gt=now - TRIED_AGAIN_AFTER)
                        done = known.filter(done_at__not_isnull=True).exclude(waits)
                        await done.update(done_at=None, note="")
                    else:
                        await self._plan(case, effect, subject, amount_fen, now)

    # -- at once -------------------------------------------------------------------------------------

    async def _end_suspension(
        self, case: SanctionCase, effects: set[Effect], actor: Actor, now: datetime
    ) -> After:
        """What stood until the decision ends with it; a provider that is removed stays where it is."""
        await payment_holds.lift(
            HoldCause.SANCTION, case.id, reason=texts.SANCTION_IS_DECIDED, actor=actor, now=now
        )
        held = await Suspension.get_or_none(id=case.suspension_id, lifted_at=None)
        if held is None or Effect.END_STANDING in effects:
            return nothing
        changes = await self.sanctions.suspensions.release(
            held, reason=texts.SANCTION_IS_DECIDED, actor=actor
        )
        return self.qualifications.telling(changes)

    async def _end_standing(
        self, case: SanctionCase, effects: set[Effect], actor: Actor, now: datetime
    ) -> After:
        """A provider is removed, by the one function that removes; an enterprise's approval is revoked."""
        row = await Qualification.get_or_none(
            organisation_id=case.against_id, party=case.party, programme_slug=case.programme_slug
        ).select_related("organisation")
        if Effect.END_STANDING not in effects or row is None:
            return nothing
        subject, reason = f"qualification:{row.id}", self.reason_of(case)
        if case.party is Party.PROVIDER:
            if QualificationStatus.DELISTED not in QUALIFICATION_MOVES[row.status]:
                return nothing
            charge = Charge(self.book.sanction_of(case), self.book.ground_of(case))
            _, after = await self.removals.carry_out(
                row, charge, reason, serious=case.serious, actor=actor, now=now
            )
            await self._keep(case, Effect.END_STANDING, subject, now)
            return after
        if QualificationStatus.REVOKED not in QUALIFICATION_MOVES[row.status]:
            return nothing
        row = await move(row, QualificationStatus.REVOKED, decided_at=now, decided_by=actor.id, reason=reason)
        await self.qualifications.told("qualification.revoked", row, actor=actor, now=now)
        await self._keep(case, Effect.END_STANDING, subject, now)
        organisation = await Organisation.get(id=case.against_id)
        return self.qualifications.telling(
            await self.qualifications.settle(organisation, {case.programme_slug})
        )

    async def _bar(self, case: SanctionCase, actor: Actor) -> After:
        """The entry on the blocklist, unless the removal has made it in this very transaction."""
        uscc, slug = case.against.uscc, case.programme_slug
        made = BlocklistEntry.filter(
            uscc=uscc, programme_slug=slug, starts_at=case.starts_at, clause=self._clause(case)
        )
        changes: Sequence[StandingChange] = ()
        if not await made.exists():
            ban = Ban(uscc, self._clause(case), self.reason_of(case), case.starts_at, case.ends_at)
            changes = await self.blocklist.take_in([ban], [], slug=slug, list_name="", actor=actor)
        entry = await made.order_by("-id").first()
        assert entry is not None
        await SanctionCase.filter(id=case.id).update(ban_id=entry.id)
        assert case.starts_at is not None
        await self._keep(case, Effect.BAN, f"ban:{entry.id}", case.starts_at)
        return self.qualifications.telling(changes)

    async def _bar_person(self, case: SanctionCase, now: datetime) -> None:
        assert case.starts_at is not None
        made = await PersonBan.create(
            case_id=case.id,
            person_index=case.person_index,
            programme_slug=case.programme_slug,
            clause=case.clause,
            starts_at=case.starts_at,
            ends_at=case.ends_at,
        )
        await self._keep(case, Effect.BAN_PERSON, f"person_ban:{made.id}", now)

    async def _strike_titles(self, case: SanctionCase, actor: Actor, now: datetime) -> After:
        """The titles that admit a provider here count no more (GZ-52)."""
        conditions = self.book.programme_of(case).provider.conditions
        codes = sorted({code for one in conditions for code in one.labels})
        rows = AttestedLabel.filter(uscc=case.against.uscc, code__in=codes, withdrawn_at=None)
        ids = [row.id for row in await rows]
        await attestations.withdraw_rows(ids, reason=self.reason_of(case), actor=actor, now=now)
        note = texts.LIST.join(str(one) for one in ids)
        await self._keep(case, Effect.REVOKE_TITLE, f"organisation:{case.against_id}", now, note=note)
        organisation = await Organisation.get(id=case.against_id)
        return self.qualifications.telling(await self.labels.settle([organisation], actor=actor))

    async def _hold(self, case: SanctionCase, kinds: set[Effect], actor: Actor, now: datetime) -> None:
        """Nothing is paid of what the case hits: until it is lifted, or reduced, or any more."""
        side = {
            "provider_id": case.against_id if case.party is Party.PROVIDER else None,
            "enterprise_id": case.against_id if case.party is Party.ENTERPRISE else None,
        }
        for order_id in [None] if case.orders is None else case.orders:
            hold = await payment_holds.place(
                HoldCause.SANCTION,
                case.id,
                programme_slug=case.programme_slug,
                clause=case.clause,
                reason=self.reason_of(case),
                actor=actor,
                now=now,
                order_id=order_id,
                # What is ordered once a ban is over is another matter.
                orders_until=None if Effect.HOLD_PAYMENT in kinds else now,
                **side,
            )
            for kind in sorted(kinds):
                await self._keep(case, kind, f"payment_hold:{hold.id}", now)

    # -- one by one ----------------------------------------------------------------------------------

    async def _do(self, case: SanctionCase, effect: SanctionEffect) -> bool:
        """Do one effect in a transaction of its own; what cannot be done any more is kept with the reason."""
        now, number = self.book.now(case), int(effect.subject.partition(":")[2])
        after: After = nothing
        try:
            async with in_transaction() as connection:
                # Both sides first, as whoever reverses the decision, who ends what is still planned.
                await lock_all(await _sides(case, effect), connection)
                # The WHERE clause is the lock: of two who come by one does it.
                mine = await SanctionEffect.filter(id=effect.id, done_at=None).update(done_at=now)
                if not mine:
                    return False
                if effect.effect is Effect.END_ORDER:
                    note = await self._end_order(case, number, now)
                elif effect.effect is Effect.VOID_VOUCHER:
                    note, after = await self._void(case, number)
                elif effect.subject.startswith("order:"):
                    note = await self._forgo(case, number, now)
                else:
                    note, after = await self._stop(case, number, now)
                await SanctionEffect.filter(id=effect.id).update(note=note)
        except (OrderMovedOn, VoucherMovedOn, SettlementMovedOn, RecoveryMovedOn):
            # Somebody did something with it at this very moment, or a batch has it: whoever comes by next.
            return False
        except Refusal as refusal:
            # The world has moved on since: the case says so, and the rest goes on.
            note = texts.SANCTION_NOT_DONE.format(reason=texts.sentence(refusal))
            await SanctionEffect.filter(id=effect.id, done_at=None).update(done_at=now, note=note)
        await after()
        return True

    async def _end_order(self, case: SanctionCase, order_id: int, now: datetime) -> str:
        """End an order; what it held goes back to where its text says."""
        order = await Order.get(id=order_id)
        async with self.ends.orders.held(order, version=order.version, budget_id=order.budget_id) as order:
            if order.status not in LIVE:
                return texts.SANCTION_ENDED_BEFORE
            await self.ends.end(
                order,
                OrderStatus.CANCELLED,
                reason=self.reason_of(case),
                actor=CLOCK,
                now=now,
                days_lost=case.party is Party.PROVIDER,
            )
        return texts.SANCTION_ORDER_ENDED

    async def _void(self, case: SanctionCase, voucher_id: int) -> tuple[str, After]:
        row = await Voucher.get(id=voucher_id)
        if row.status is not VoucherStatus.ACTIVE:
            return texts.SANCTION_ENDED_BEFORE, nothing
        after = await self.ends.vouchers.void(
            row, actor=CLOCK, reason=self.reason_of(case), clause=case.clause
        )
        return texts.SANCTION_VOUCHER_VOID, after

    async def _stop(self, case: SanctionCase, settlement_id: int, now: datetime) -> tuple[str, After]:
        row = await Settlement.get(id=settlement_id)
        if row.status is SettlementStatus.IN_PAYMENT:
            raise await settlement_book.moved_on(row)
        afters = [await stop(row, case, now) for stop in self.stops]
        effects = effects_of([Measure(one) for one in case.measures])
        if HELD_ON.isdisjoint(effects):
            why = texts.SANCTION_IS_DECIDED  # It is reduced: what is left of it may be paid.
            await payment_holds.lift(HoldCause.SANCTION, case.id, reason=why, actor=CLOCK, now=now)

        async def told() -> None:
            for after in afters:
                await after()

        if row.status in STOPPABLE:
            amount = yuan(row.amount_fen or row.asked_fen)
            return texts.SANCTION_SETTLEMENT_STOPPED.format(amount=amount), told
        paid = row.status in (SettlementStatus.PAID, SettlementStatus.CLOSED)
        if paid and Effect.RECOVER in effects:
            await renewed_claims.claim_paid_since(case, row.order_id, self.recoveries, now)
        return texts.SANCTION_PAID_BEFORE if paid else texts.SANCTION_ENDED_BEFORE, told

    async def _forgo(self, case: SanctionCase, order_id: int, now: datetime) -> str:
        voided_fen = sum([await stop.unclaimed(order_id, case, now) for stop in self.stops])
        if not voided_fen:
            return texts.SANCTION_ENDED_BEFORE
        return texts.SANCTION_SETTLEMENT_STOPPED.format(amount=yuan(voided_fen))

    # ------------------------------------------------------------------------------------------------

    async def _plan(
        self, case: SanctionCase, effect: Effect, subject: str, amount_fen: int | None, now: datetime
    ) -> None:
        await SanctionEffect.create(
            case_id=case.id, effect=effect, subject=subject, amount_fen=amount_fen, planned_at=now
        )

    async def _keep(
        self,
        case: SanctionCase,
        effect: Effect,
        subject: str,
        now: datetime,
        *,
        amount_fen: int | None = None,
        note: str = "",
    ) -> None:
        await SanctionEffect.create(
            case_id=case.id,
            effect=effect,
            subject=subject,
            amount_fen=amount_fen,
            note=note,
            planned_at=now,
            done_at=now,
        )

    def reason_of(self, case: SanctionCase) -> str:
        """What both sides and the journal read as the reason: the sanction, its ground and its number."""
        return texts.SANCTION_REASON.format(
            name=self.book.sanction_of(case).name, ground=self.book.ground_of(case).says, number=case.number
        )

    def _clause(self, case: SanctionCase) -> str:
        """A ban rests on the sanction's own article, as a removal's does."""
        return self.book.sanction_of(case).article


async def _sides(case: SanctionCase, effect: SanctionEffect) -> set[int]:
    """Whose locks an effect is done under: the party's, and both of an order or a settlement."""
    kind, _, number = effect.subject.partition(":")
    sides = {case.against_id}
    if kind == "order":
        order = await Order.get(id=int(number))
        sides |= {order.provider_id, order.enterprise_id}
    elif kind == "settlement":
        settlement = await Settlement.get(id=int(number))
        sides |= {settlement.provider_id, settlement.enterprise_id}
    return sides
