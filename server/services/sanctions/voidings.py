"""Voidings: a voucher is voided on a clause and with a reason, by whom the programme names.

Where the text has a chain for it, whoever reports it opens a case and takes its first step, and the
voucher is void when the last has agreed (YC-31); elsewhere it is proposed and decided as a sanction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.organisations import Organisation
from server.models.reviews import ReviewCase
from server.models.vouchers import Voucher
from server.programme.model import Programme
from server.programme.review import ReviewSubject
from server.rules.lifecycles import VOUCHER_MOVES, VoucherStatus, require_move
from server.rules.review import Check, ReasonMissing, Verdict
from server.rules.sanctions import grounds_of_voiding
from server.services import access, journal
from server.services.access import Actor, NotFound, StaffRole
from server.services.afterwards import After, nothing
from server.services.budgets import ledger
from server.services.organisations.memberships import lock
from server.services.reviews.review_cases import decisions_on
from server.services.reviews.reviewed import ArrivesQuietly
from server.services.reviews.reviews import Reviews
from server.services.sanctions.removals import DecidedBySanction
from server.services.vouchers.vouchers import Vouchers
from server.services.vouchers.wallet import ON_A_VOUCHER
from server.units import yuan


class VoidingClauseUnknown(Refusal):
    """The programme voids vouchers on other clauses than this."""

    status, code = 422, "voiding_clause_unknown"


class VoidingNotReturnable(Refusal):
    """A report is agreed to or turned down; who can report it better reports it anew."""

    status, code = 409, "voiding_not_returnable"


class Voidings(ArrivesQuietly):
    """The verb that voids a voucher, and voidings as the review engine knows them."""

    def __init__(self, vouchers: Vouchers, reviews: Reviews) -> None:
        self.vouchers = vouchers
        self.programmes = vouchers.rounds.programmes
        self.clocks = vouchers.clocks
        self.reviews = reviews

    async def void(
        self, voucher_id: int, *, clause: str, reason: str, actor: Actor
    ) -> tuple[Voucher, ReviewCase]:
        """Report a voucher to who has to agree that it is void.

        Raises ``NotFound``, ``NotAllowed``, :class:`VoidingClauseUnknown`, ``ReasonMissing``,
        ``IllegalMove``, ``ReviewUnderWay``, ``NotYourReview``, ``OwnReview``, and ``DecidedBySanction``
        where the text has no chain for it.
        """
        row = await Voucher.get_or_none(id=voucher_id)
        if row is None:
            raise NotFound()
        access.require_programme(actor, row.programme_slug)
        holder = await Organisation.get(id=row.provider_id or row.enterprise_id)
        access.require_area(actor, holder.area)
        programme = self._programme(row)
        grounds = grounds_of_voiding(programme)
        if grounds and clause not in grounds:
            known = texts.LIST.join(grounds)
            raise VoidingClauseUnknown(known=known, given=clause)
        if not reason.strip():
            raise ReasonMissing()
        if programme.review(ReviewSubject.VOIDING) is None:
            access.require_role(actor, StaffRole.AUTHORITY, *([grounds[clause].value] if grounds else ()))
            raise DecidedBySanction(clause=clause if grounds else "")
        case = await self._report(row, programme, holder, clause, reason, actor)
        return await Voucher.get(id=row.id), case

    async def _report(
        self,
        row: Voucher,
        programme: Programme,
        holder: Organisation,
        clause: str,
        reason: str,
        actor: Actor,
    ) -> ReviewCase:
        """Open the case, and take its first step with the report: both, or nothing is reported."""
        now = self.clocks.now(programme.slug)
        async with in_transaction():
            holder = await lock(holder.id)
            row = await Voucher.get(id=row.id)
            require_move(VOUCHER_MOVES, row.status, VoucherStatus.VOIDED)
            case, after = await self.reviews.open(
                ReviewSubject.VOIDING,
                row.id,
                programme=programme,
                organisation=holder,
                title=texts.VOIDING_TITLE.format(number=row.number),
                # Nobody decides on a case they opened; the report is its first decision.
                actor=access.CLOCK,
                now=now,
            )
            case = await self.reviews.decide(
                case.id,
                Verdict.APPROVED,
                version=case.version,
                reason=reason,
                extras={"voiding_clause": clause, "voiding_reason": reason},
                actor=actor,
            )
        await after()
        return case

    async def snapshot(self, case: ReviewCase) -> dict[str, Any]:
        """The voucher, and where its money is."""
        row = await Voucher.get(id=case.subject_id)
        balances = (await ledger.balances_of_vouchers([row.enterprise_id], [row.id]))[row.id]
        return {
            "voucher": row.id,
            "number": row.number,
            "status": row.status.value,
            "enterprise": row.enterprise_id,
            "provider": row.provider_id,
            "face_value_fen": row.face_value_fen,
            **{name: balances[place] for name, place in ON_A_VOUCHER.items()},
        }

    async def checks(self, case: ReviewCase, *, now: datetime) -> Sequence[Check]:
        """Whether there is still something to void."""
        row = await Voucher.get(id=case.subject_id)
        says = texts.VOIDING_CHECK.format(number=row.number, amount=yuan(row.face_value_fen))
        voidable = VoucherStatus.VOIDED in VOUCHER_MOVES[row.status]
        return (Check("voidable", self._programme(row).voucher.article, says, voidable),)

    async def passed(
        self, case: ReviewCase, *, extras: Mapping[str, Any], actor: Actor, now: datetime
    ) -> After:
        """Determined: the voucher is void on the clause, and for the reason, that were reported.

        Raises ``IllegalMove`` for a voucher that has ended meanwhile.
        """
        row = await Voucher.get(id=case.subject_id)
        # The report is the first decision; nobody after it says on what else the voucher is void.
        report = (await decisions_on(case.id))[0].extras
        return await self.vouchers.void(
            row, actor=actor, reason=report["voiding_reason"], clause=report["voiding_clause"]
        )

    async def refused(self, case: ReviewCase, *, reason: str, actor: Actor, now: datetime) -> After:
        """Not determined: the voucher stays as it is."""
        await journal.record(
            "voucher.not_voided",
            f"voucher:{case.subject_id}",
            actor=actor.name,
            at=now,
            programme_slug=case.programme_slug,
            reason=reason,
        )
        return nothing

    async def returned(
        self, case: ReviewCase, *, fields: Mapping[str, str], reason: str, actor: Actor, now: datetime
    ) -> After:
        """Raises :class:`VoidingNotReturnable`: there is no form to correct."""
        raise VoidingNotReturnable()

    def _programme(self, row: Voucher) -> Programme:
        return self.programmes.version(row.programme_slug, row.programme_version)
