"""Recoveries: money that was paid out is claimed back, demanded, collected, and nobody forgets it alone.

A claim is made with the decision it rests on, line by line from the ledger. What comes back is posted when
its receipt is matched: principal out of what was disbursed, surcharge on an account of its own. It is written
off by two people with a reason, or cancelled when the decision is reversed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.disbursements import PaymentOffset
from server.models.sanctions import Recovery, RecoveryLine, RecoveryReturn, SanctionCase
from server.rules.deadlines import day_of, working_days_after
from server.rules.disbursements import TransferStatus
from server.rules.recoveries import OWED, Owed, RecoveryStatus, outstanding
from server.rules.review import ReasonMissing
from server.services import access, journal, outbox
from server.services.access import Actor, NotFound, StaffRole
from server.services.numbers import new_number
from server.services.reviews.reviewers import OwnReview
from server.services.sanctions.recovery_letters import NotDemanded
from server.services.sanctions.sanction_book import READERS, SanctionBook, require_impartial
from server.services.sanctions.sanction_preview import PaidOut, rate_said
from server.units import yuan

COLLECTORS = frozenset({StaffRole.OPERATOR, StaffRole.AUTHORITY, StaffRole.TREASURY})
"""Who demands and takes in what is owed."""
ONE_YEAR_OF_INSTALMENTS = 60
"""A plan has at most so many."""


class RecoveryMovedOn(Refusal):
    """Somebody did something else with the claim a moment earlier."""

    status, code = 409, "recovery_moved_on"


class RecoveryOver(Refusal):
    """Nothing is owed any more: it was collected, written off or cancelled."""

    status, code = 409, "recovery_over"


class RecoveryKeptBack(Refusal):
    """A payment under way keeps it back for this claim: it comes in with that payment's receipt."""

    status, code = 409, "recovery_kept_back"


class InstalmentsUneven(Refusal):
    """The instalments are not the principal still owed, or their days do not follow each other."""

    status, code = 422, "recovery_instalments_uneven"


class WriteOffNotAsked(Refusal):
    """Nobody has asked to write this claim off; or somebody has, and a second person agrees or does not."""

    status, code = 409, "recovery_write_off_state"


@dataclass(frozen=True, slots=True)
class Balance:
    """What is still owed if it is paid on a day, fen."""

    principal_fen: int
    surcharge_fen: int
    arithmetic: str


class Recoveries:
    """The verbs on claims. All but :meth:`claim` raise ``NotFound`` and :class:`RecoveryMovedOn`."""

    def __init__(self, book: SanctionBook) -> None:
        self.book = book

    async def claim(
        self,
        case: SanctionCase,
        lines: Sequence[PaidOut],
        *,
        may_offset: bool,
        actor: Actor,
        now: datetime,
    ) -> Recovery:
        """Claim back what the preview showed, inside the transaction of the decision."""
        made = await Recovery.create(
            number=new_number("R"),
            case_id=case.id,
            debtor_id=case.against_id,
            programme_slug=case.programme_slug,
            principal_fen=sum(one.amount_fen for one in lines),
            yearly_bp=self.book.defaults.surcharge_yearly_bp,
            rate_rests_on=self.book.defaults.says,
            may_offset=may_offset,
            claimed_at=now,
        )
        await add_lines(made, lines)
        await note("recovery.claimed", made, actor, now, principal_fen=made.principal_fen)
        return made

    async def demand(self, recovery_id: int, *, version: int, actor: Actor) -> Recovery:
        """Demand it: the letter is made out, with what is owed on its day and until when.

        Raises :class:`RecoveryOver`.
        """
        claim = await self.owed(recovery_id, version, actor)
        now = self.book.clocks.now(claim.programme_slug)
        due = working_days_after(
            self.book.working_days.calendar, day_of(now), self.book.defaults.demand_working_days
        )
        last_day = due.last_day
        balance = await self.balance(claim, day_of(now))
        lines = await RecoveryLine.filter(recovery_id=claim.id).order_by("paid_out_on", "id")
        letter = {
            "day": day_of(now).isoformat(),
            "due_on": last_day.isoformat(),
            "provisional": due.provisional,
            "principal_fen": balance.principal_fen,
            "surcharge_fen": balance.surcharge_fen,
            "lines": [
                [one.order_id, open_fen(one), one.paid_out_on.isoformat()] for one in lines if open_fen(one)
            ],
        }
        async with in_transaction():
            claim = await self.change(
                claim,
                status=RecoveryStatus.DEMANDED,
                demanded_at=now,
                due_on=last_day,
                due_provisional=due.provisional,
                letter=letter,
                # All of it by the letter's day: what was agreed on before is over.
                instalments=[],
                reminded_at=None,
            )
            await note("recovery.demanded", claim, actor, now, **letter)
            await tell("recovery.demanded", claim, now, amount_fen=balance.principal_fen)
        return claim

    async def plan(
        self, recovery_id: int, instalments: Sequence[tuple[date, int]], *, version: int, actor: Actor
    ) -> Recovery:
        """Agree on instalments of the principal that was demanded, as far as it is still owed.

        Raises :class:`InstalmentsUneven`, ``NotDemanded`` and :class:`RecoveryOver`.
        """
        claim = await self.owed(recovery_id, version, actor)
        if claim.status is not RecoveryStatus.DEMANDED:
            raise NotDemanded(number=claim.number)
        now = self.book.clocks.now(claim.programme_slug)
        left_fen = claim.principal_fen - claim.collected_fen
        days = [day for day, _ in instalments]
        asked_fen = sum(amount for _, amount in instalments)
        even = asked_fen == left_fen and all(amount > 0 for _, amount in instalments)
        in_order = days == sorted(set(days)) and bool(days) and days[0] >= day_of(now)
        if not even or not in_order or len(days) > ONE_YEAR_OF_INSTALMENTS:
            raise InstalmentsUneven(owed=yuan(left_fen), asked=yuan(asked_fen))
        said = [{"due_on": day.isoformat(), "amount_fen": amount} for day, amount in instalments]
        async with in_transaction():
            claim = await self.change(
                claim, instalments=said, due_on=days[-1], due_provisional=False, reminded_at=None
            )
            await note("recovery.planned", claim, actor, now, instalments=said)
            await tell("recovery.planned", claim, now, amount_fen=left_fen)
        return claim

    async def ask_write_off(self, recovery_id: int, reason: str, *, version: int, actor: Actor) -> Recovery:
        """Ask that a claim be written off.

        Raises ``ReasonMissing``, :class:`WriteOffNotAsked`, :class:`RecoveryKeptBack`.
        """
        claim = await self.owed(recovery_id, version, actor)
        if claim.write_off_asked_by is not None:
            raise WriteOffNotAsked(number=claim.number)
        if not reason.strip():
            raise ReasonMissing()
        await _require_nothing_kept(claim)
        now = self.book.clocks.now(claim.programme_slug)
        async with in_transaction():
            claim = await self.change(claim, write_off_reason=reason.strip(), write_off_asked_by=actor.id)
            await note("recovery.write_off_asked", claim, actor, now, reason=reason.strip())
        return claim

    async def write_off(self, recovery_id: int, *, agreed: bool, version: int, actor: Actor) -> Recovery:
        """Somebody else agrees to it, or does not. Raises ``OwnReview`` and :class:`WriteOffNotAsked`."""
        claim = await self.owed(recovery_id, version, actor)
        access.require_role(actor, StaffRole.AUTHORITY, StaffRole.TREASURY)
        if claim.write_off_asked_by is None:
            raise WriteOffNotAsked(number=claim.number)
        if claim.write_off_asked_by == actor.id:
            raise OwnReview()
        await _require_nothing_kept(claim)
        now = self.book.clocks.now(claim.programme_slug)
        ended: dict[str, Any] = {"write_off_reason": "", "write_off_asked_by": None}
        if agreed:
            ended = {"status": RecoveryStatus.WRITTEN_OFF, "ended_by": actor.id, "ended_at": now}
        action = "recovery.written_off" if agreed else "recovery.write_off_refused"
        reason, left_fen = claim.write_off_reason, claim.principal_fen - claim.collected_fen
        async with in_transaction():
            claim = await self.change(claim, **ended)
            await note(action, claim, actor, now, reason=reason, principal_fen=left_fen)
        return claim

    async def cancel(self, case: SanctionCase, *, actor: Actor, now: datetime) -> int:
        """The decision was reversed: nothing is owed; returns what was collected and is owed back, fen."""
        claim = await Recovery.get_or_none(case_id=case.id)
        if claim is None or claim.status is RecoveryStatus.CANCELLED:
            return 0
        claim = await self.change(claim, status=RecoveryStatus.CANCELLED, ended_by=actor.id, ended_at=now)
        # What the bank had brought home before may have been given back by now.
        back = await RecoveryReturn.filter(recovery_id=claim.id, agreed=True)
        back_fen = sum(one.amount_fen for one in back)
        owed_fen = max(0, int(claim.collected_fen + claim.surcharge_fen - back_fen))
        await note("recovery.cancelled", claim, actor, now, owed_back_fen=owed_fen)
        return owed_fen

    async def remind_due(self) -> int:
        """Remind who is late, once for each day that passed by; returns how many were."""
        reminded = 0
        for slug in sorted(programme.slug for programme in self.book.programmes):
            now = self.book.clocks.now(slug)
            late = Recovery.filter(
                programme_slug=slug,
                status=RecoveryStatus.DEMANDED,
                due_on__lt=day_of(now),
                due_provisional=False,
                reminded_at=None,
            )
            for claim in await late.order_by("id").limit(200):
                async with in_transaction():
                    # The WHERE clause is the lock: two workers remind once.
                    if not await Recovery.filter(id=claim.id, reminded_at=None).update(reminded_at=now):
                        continue
                    left_fen = claim.principal_fen - claim.collected_fen
                    await tell("recovery.overdue", claim, now, amount_fen=left_fen)
                    await outbox.tell(
                        outbox.team(StaffRole.AUTHORITY, slug),
                        "recovery.not_paid",
                        at=now,
                        recovery=claim.id,
                        number=claim.number,
                        programme=slug,
                        amount_fen=left_fen,
                    )
                reminded += 1
        return reminded

    async def recount(self) -> int:
        """Compute guessed last days anew, because a year was published; returns how many changed.

        The letter stays as it was printed. Who has longer is told; nobody has less than the letter says.
        """
        changed = 0
        days = self.book.defaults.demand_working_days
        guessed = Recovery.filter(due_provisional=True, status=RecoveryStatus.DEMANDED)
        for claim in await guessed.order_by("id").select_related("debtor"):
            if claim.demanded_at is None or claim.due_on is None:
                continue
            due = working_days_after(self.book.working_days.calendar, day_of(claim.demanded_at), days)
            last_day = max(claim.due_on, due.last_day)
            if due.provisional and last_day == claim.due_on:
                continue
            now, longer = self.book.clocks.now(claim.programme_slug), last_day > claim.due_on
            async with in_transaction():
                # The WHERE clause is the lock: who demands or plans anew meanwhile says another day.
                if not await Recovery.filter(id=claim.id, version=claim.version, due_provisional=True).update(
                    due_on=last_day, due_provisional=due.provisional, version=F("version") + 1
                ):
                    continue
                claim.due_on, claim.due_provisional = last_day, due.provisional
                if longer:
                    left_fen = claim.principal_fen - claim.collected_fen
                    await tell("recovery.demanded", claim, now, amount_fen=left_fen)
            changed += 1
        return changed

    async def today(self, claim: Recovery) -> Balance:
        """What is still owed if all of it is paid on the programme's day."""
        return await self.balance(claim, day_of(self.book.clocks.now(claim.programme_slug)))

    async def balance(self, claim: Recovery, on: date) -> Balance:
        """What is still owed if all of it is paid on a day; nothing of a claim that has ended."""
        if claim.status not in OWED:
            return Balance(0, 0, texts.RECOVERY_NOTHING_OWED)
        lines = await RecoveryLine.filter(recovery_id=claim.id).order_by("id")
        principal_fen, charged_fen = outstanding(
            open_lines(lines), claim.surcharge_due_fen, claim.yearly_bp, on
        )
        said = texts.RECOVERY_BALANCE.format(
            principal=yuan(principal_fen), rate=rate_said(claim.yearly_bp), surcharge=yuan(charged_fen)
        )
        return Balance(principal_fen, charged_fen, said)

    # ------------------------------------------------------------------------------------------------

    async def owed(self, recovery_id: int, version: int, actor: Actor) -> Recovery:
        """A claim on which something is owed, for whoever collects. Raises :class:`RecoveryOver` too."""
        claim = await recovery_for(actor, recovery_id)
        access.require_role(actor, *COLLECTORS)
        await require_impartial(actor, claim.debtor)
        if claim.version != version:
            raise RecoveryMovedOn(number=claim.number)
        if claim.status not in OWED:
            raise RecoveryOver(number=claim.number)
        return claim

    async def change(self, claim: Recovery, **columns: Any) -> Recovery:
        """Change a claim that is as it was read. Raises :class:`RecoveryMovedOn`."""
        # The WHERE clause is the lock: of two who press at once exactly one matches the version.
        changed = await Recovery.filter(id=claim.id, version=claim.version).update(
            version=F("version") + 1, **columns
        )
        if not changed:
            raise RecoveryMovedOn(number=claim.number)
        return await Recovery.get(id=claim.id).select_related("debtor")


async def add_lines(claim: Recovery, lines: Sequence[PaidOut]) -> None:
    """Keep what is claimed back, one row for the money of one order off one voucher."""
    await RecoveryLine.bulk_create(
        [
            RecoveryLine(
                recovery_id=claim.id,
                budget_id=one.budget,
                round_id=one.round,
                enterprise_id=one.enterprise,
                provider_id=one.provider,
                voucher_id=one.voucher,
                order_id=one.order,
                category=one.category,
                amount_fen=one.amount_fen,
                paid_out_on=one.paid_out_on,
            )
            for one in lines
        ]
    )


async def recovery_for(actor: Actor, recovery_id: int) -> Recovery:
    """A claim, with its debtor: one's own, or of a programme one works on. Raises ``NotFound``."""
    claim = await Recovery.get_or_none(id=recovery_id).select_related("debtor")
    if claim is None:
        raise NotFound()
    if actor.kind == "person":
        if claim.debtor_id != access.organisation_id_of(actor):
            raise NotFound()
        return claim
    if READERS.isdisjoint(actor.roles):
        raise NotFound()
    access.require_programme(actor, claim.programme_slug)
    access.require_area(actor, claim.debtor.area)
    return claim


async def note(action: str, claim: Recovery, actor: Actor, now: datetime, **data: Any) -> None:
    """Write a deed into the journal of the claim."""
    await journal.record(
        action,
        f"recovery:{claim.id}",
        actor=actor.name,
        at=now,
        programme_slug=claim.programme_slug,
        sanction=claim.case_id,
        **data,
    )


async def tell(topic: str, claim: Recovery, now: datetime, *, amount_fen: int) -> None:
    """Tell the debtor."""
    day = "" if claim.due_on is None else claim.due_on.isoformat()
    await outbox.tell(
        f"organisation:{claim.debtor_id}",
        topic,
        at=now,
        recovery=claim.id,
        number=claim.number,
        programme=claim.programme_slug,
        amount_fen=amount_fen,
        day=texts.PROVISIONAL.format(day=day) if claim.due_provisional else day,
    )


async def kept_back_fen(recovery_ids: Collection[int], *, but_batch: int | None = None) -> dict[int, int]:
    """What payments under way keep back for these claims, fen; those of one batch left out where asked."""
    waiting = PaymentOffset.filter(
        recovery_id__in=list(recovery_ids), payment__status=TransferStatus.WAITING
    ).exclude(payment__batch_id=but_batch or 0)
    kept: dict[int, int] = {}
    for recovery_id, amount_fen in await waiting.values_list("recovery_id", "amount_fen"):
        kept[recovery_id] = kept.get(recovery_id, 0) + amount_fen
    return kept


def open_lines(lines: Sequence[RecoveryLine]) -> list[Owed]:
    """The lines as far as they are still owed."""
    return [Owed(line.id, open_fen(line), line.paid_out_on) for line in lines]


def open_fen(line: RecoveryLine) -> int:
    """What of a line is still to come; nothing once the bank has brought its payment home."""
    return 0 if line.home_at is not None else int(line.amount_fen - line.collected_fen)


async def _require_nothing_kept(claim: Recovery) -> None:
    kept_fen = (await kept_back_fen([claim.id])).get(claim.id, 0)
    if kept_fen:
        raise RecoveryKeptBack(number=claim.number, kept=yuan(kept_fen), arithmetic=yuan(kept_fen))
