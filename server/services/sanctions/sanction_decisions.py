"""Deciding on a sanction: the party was heard, somebody else decides, and what it does is cut off at once.

In the transaction of the decision stands everything that must not wait: the standing, the bans, the payments.
What concerns many things one by one is planned there and done afterwards (``sanction_effects``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from tortoise.expressions import Q
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.complaints import SanctionProposal
from server.models.orders import Order
from server.models.organisations import Organisation
from server.models.sanctions import SanctionCase, SanctionEntry
from server.programme.oversight import Measure
from server.programme.vocabulary import Party
from server.rules.deadlines import day_of, start_of, working_days_after
from server.rules.lifecycles import require_act
from server.rules.review import ReasonMissing
from server.rules.sanction_cases import SANCTION_MAY, SanctionAct, SanctionStatus, published
from server.rules.supervision import EntryTone, ServiceEntryKind
from server.services.access import Actor
from server.services.organisations import service_files
from server.services.organisations.memberships import lock_all
from server.services.sanctions.sanction_book import SanctionBook, case_for, require_impartial, require_version
from server.services.sanctions.sanction_effects import SanctionEffects
from server.services.sanctions.sanction_preview import Preview, as_json, hit_orders, preview
from server.services.sanctions.sanctions import Sanctions

STATEMENT = "statement"


class NotYoursToDecide(Refusal):
    """The text names somebody else to decide on this."""

    status, code = 403, "not_yours_to_decide"


class HearingOutstanding(Refusal):
    """The party was not heard: not called, or its time to speak is not over and it has said nothing."""

    status, code = 409, "sanction_hearing_outstanding"


class PreviewStale(Refusal):
    """Something else would be hit by now than what was shown: look again."""

    status, code = 409, "sanction_preview_stale"


class OffsetNotAllowed(Refusal):
    """The house does not keep claims back from later payments."""

    status, code = 422, "recovery_offset_not_allowed"


class SanctionDecisions:
    """The verbs of whoever decides. All of them raise ``NotFound`` and ``SanctionMovedOn``."""

    def __init__(self, sanctions: Sanctions, effects: SanctionEffects) -> None:
        self.book: SanctionBook = sanctions.book
        self.sanctions = sanctions
        self.effects = effects

    async def preview(self, case_id: int, *, actor: Actor) -> Preview:
        """What a decision would do now; of a decided case, what was decided on stands in the case."""
        case = await case_for(actor, case_id)
        return await preview(case, self.book, now=self.book.now(case))

    async def decide(
        self,
        case_id: int,
        *,
        version: int,
        digest: str,
        reason: str,
        may_offset: bool = False,
        actor: Actor,
    ) -> SanctionCase:
        """Decide that it is so, on what the preview with this ``digest`` showed.

        Raises :class:`NotYoursToDecide`, ``OwnReview``, ``ReasonMissing``, ``NotPermittedNow``,
        :class:`HearingOutstanding`, :class:`PreviewStale`, :class:`OffsetNotAllowed`, ``RemovalUnderWay``.
        """
        case = await self._deciding(case_id, version, reason, actor)
        if may_offset and not self.book.defaults.keeps_back:
            raise OffsetNotAllowed()
        now = self.book.now(case)
        await self._require_heard(case, now)
        async with in_transaction() as connection:
            # Both sides of everything that is hit, in the order of their ids, before anything else.
            orders = await Order.filter(hit_orders(case)).values_list("enterprise_id", "provider_id")
            await lock_all([case.against_id, *(side for both in orders for side in both)], connection)
            shown = await preview(case, self.book, now=now)
            if shown.digest != digest:
                raise PreviewStale(number=case.number)
            case = await self.book.move(
                case,
                SanctionAct.DECIDE,
                SanctionStatus.DECIDED,
                **self._decided(case, shown, reason.strip(), actor, now),
            )
            after = await self.effects.at_once(case, shown, may_offset=may_offset, actor=actor, now=now)
            await SanctionProposal.filter(case_id=case.id, decided_at=None).update(decided_at=now)
            await self._tell(case, shown, actor, now)
        await after()
        await self.effects.carry_on(case.id)
        return await SanctionCase.get(id=case.id).select_related("against")

    async def dismiss(self, case_id: int, *, version: int, reason: str, actor: Actor) -> SanctionCase:
        """Decide that nothing follows; what was held at once is let go.

        Raises :class:`NotYoursToDecide`, ``OwnReview``, ``ReasonMissing`` and ``NotPermittedNow``.
        """
        case = await self._deciding(case_id, version, reason, actor)
        now = self.book.now(case)
        async with in_transaction() as connection:
            await lock_all([case.against_id], connection)
            case = await self.book.move(
                case,
                SanctionAct.DECIDE,
                SanctionStatus.DISMISSED,
                decided_by=actor.id,
                decided_at=now,
                reason=reason.strip(),
            )
            after = await self.sanctions.let_go(case, reason=reason.strip(), actor=actor, now=now)
            await self.book.note("sanction.dismissed", case, actor, now, reason=reason.strip())
            if case.hearing_until is not None:
                await self.book.tell_party("sanction.dismissed", case, now=now, reason=reason.strip())
        await after()
        return case

    # ------------------------------------------------------------------------------------------------

    async def _deciding(self, case_id: int, version: int, reason: str, actor: Actor) -> SanctionCase:
        case = await case_for(actor, case_id)
        require_version(case, version)
        require_act(SANCTION_MAY, case.status, SanctionAct.DECIDE)
        decides = self.book.sanction_of(case).decided_by
        if decides.value not in actor.roles:
            raise NotYoursToDecide(clause=case.clause, names=texts.ACTORS[decides])
        await require_impartial(
            actor, await Organisation.get(id=case.against_id), case.proposed_by, *await _finders(case)
        )
        if not reason.strip():
            raise ReasonMissing()
        return case

    async def _require_heard(self, case: SanctionCase, now: datetime) -> None:
        if case.hearing_skipped or await SanctionEntry.exists(case_id=case.id, kind=STATEMENT):
            return
        days = self.book.defaults.hearing_working_days
        if not self.book.is_over(case.hearing_called_at, days, case.hearing_until, now):
            until = "" if case.hearing_until is None else case.hearing_until.isoformat()
            raise HearingOutstanding(number=case.number, until=until)

    def _decided(
        self, case: SanctionCase, shown: Preview, reason: str, actor: Actor, now: datetime
    ) -> dict[str, Any]:
        measures = [Measure(one) for one in case.measures]
        appeal = working_days_after(
            self.book.working_days.calendar, day_of(now), self.book.defaults.appeal_working_days
        )
        over = None if shown.bars_until is None else start_of(shown.bars_until + timedelta(days=1))
        return {
            "decided_by": actor.id,
            "decided_at": now,
            "reason": reason,
            "preview": as_json(shown),
            "starts_at": now,
            "ends_at": over,
            "published": published(measures),
            "appeal_until": appeal.ends_at,
        }

    async def _tell(self, case: SanctionCase, shown: Preview, actor: Actor, now: datetime) -> None:
        if case.party is Party.PROVIDER:
            await service_files.note(
                ServiceEntryKind.SANCTION,
                "sanctioned",
                f"sanction:{case.id}",
                provider_id=case.against_id,
                programme=self.book.programme_of(case),
                tone=EntryTone.BAD,
                at=now,
                clause=case.clause,
                name=self.book.sanction_of(case).name,
            )
        await self.book.note(
            "sanction.decided",
            case,
            actor,
            now,
            reason=case.reason,
            measures=case.measures,
            preview=shown.digest,
            principal_fen=shown.principal_fen,
        )
        assert case.appeal_until is not None
        await self.book.tell_party(
            "sanction.decided", case, now=now, reason=case.reason, until=case.appeal_until.isoformat()
        )


async def _finders(case: SanctionCase) -> Sequence[int]:
    """Who found what the case came from, or asked for one that nobody has decided on: they do not decide.

    However a case says that it came about, what a complaint found does not become its finder's to decide.
    """
    asked = Q(case_id=case.id) | Q(against_id=case.against_id, party=case.party, decided_at=None)
    found = SanctionProposal.filter(asked, programme_slug=case.programme_slug)
    return [row.proposed_by for row in await found]
