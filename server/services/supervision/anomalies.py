"""Anomalies: what was handed in is looked through, payment waits where it must, and a person decides (YC-40).

The rules only point; nobody is accused by them. A finding that holds suspends the payment of its order until
it is lifted with a reason; once a sanction is proposed on it, not before that is decided or came to nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.monitoring import AnomalyFinding, AnomalyScan
from server.models.orders import Order
from server.models.organisations import Organisation
from server.models.sanctions import SanctionCase
from server.models.settlements import Settlement, SettlementApplication
from server.programme.model import Programme
from server.programme.supervision import AnomalyDefaults
from server.programme.vocabulary import Actor as Role
from server.rules.anomalies import Found, found, holding_sanction
from server.rules.payment_holds import HoldCause
from server.rules.sanction_cases import SanctionStatus
from server.rules.supervision import AnomalyStatus, EntryTone, ServiceEntryKind
from server.services import access, outbox
from server.services.access import CLOCK, Actor, NotAllowed, NotFound, StaffRole
from server.services.holds import payment_holds
from server.services.orders.reviewed_orders import sides_of
from server.services.organisations import service_files
from server.services.organisations.memberships import lock_all
from server.services.reviews.reviewers import OwnReview, reviewer_of
from server.services.supervision.anomaly_facts import facts_of
from server.services.supervision.contact_marks import ContactMarks
from server.services.supervision.supervision_book import (
    SUPERVISORS,
    SupervisionBook,
    SupervisionMovedOn,
    note,
    require_impartial,
    require_words,
    roles_in_words,
)

BATCH = 100
PAGE = 50
READERS = SUPERVISORS | {StaffRole.AUDITOR}
# What is under review, or about to be paid, and was not looked at as it was handed in last.
_DUE = f"""
SELECT s.id FROM settlement s JOIN settlement_application a ON a.id = s.application_id
LEFT JOIN anomaly_scan n ON n.settlement_id = s.id
WHERE s.status IN ('in_review', 'payable', 'awaiting_budget') AND a.submitted_at IS NOT NULL
AND (n.id IS NULL OR n.submitted_at < a.submitted_at) ORDER BY s.id LIMIT {BATCH}"""


ProposeSanction = Callable[[AnomalyFinding, str, str, bool, Actor], Awaitable[SanctionCase]]
"""Proposes a sanction on a finding: on this ground, with these facts, serious or not, by this actor."""


class AnomalyNotYours(Refusal):
    """The text lets somebody else decide on abnormal figures."""

    status, code = 403, "anomaly_not_yours"


class AnomalyDecided(Refusal):
    """It was lifted, or a sanction that is not decided yet rests on it."""

    status, code = 409, "anomaly_decided"


class NoGroundForAnomaly(Refusal):
    """The text has no sanction for abnormal figures: name one of its grounds."""

    status, code = 422, "anomaly_ground_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """On which ground a sanction is proposed; empty: the text's own for abnormal figures."""

    ground: str = ""
    facts: str
    serious: bool = False


class Anomalies:
    """The job that looks, and the verbs of the desk."""

    def __init__(
        self,
        book: SupervisionBook,
        defaults: AnomalyDefaults,
        marks: ContactMarks,
        propose_sanction: ProposeSanction,
    ) -> None:
        self.book = book
        self.defaults = defaults
        self.marks = marks
        self.propose_sanction = propose_sanction

    async def scan_due(self) -> int:
        """Look through what was handed in since; returns how many settlements were looked through."""
        async with in_transaction() as connection:
            rows = await connection.execute_query_dict(_DUE)
        for row in rows:
            await self.scan(int(row["id"]))
        return len(rows)

    async def scan(self, settlement_id: int) -> list[AnomalyFinding]:
        """Look through one settlement; what is found anew is kept, and holds its payment where it must."""
        settlement = await Settlement.get(id=settlement_id).select_related("application")
        return await self._record(settlement, await self._looked([settlement]))

    async def look_again(self, settlement_ids: Collection[int]) -> None:
        """Look through these on the spot, before money is put up for the bank: it does not wait for the job.

        What stood beside a settlement when it was handed in is other than what stands beside it now. What was
        found before stays as it was decided.
        """
        alike: dict[tuple[object, ...], list[Settlement]] = defaultdict(list)
        wanted = Settlement.filter(id__in=list(settlement_ids)).select_related("application")
        for one in await wanted.order_by("id"):
            version = one.application.programme_version
            alike[one.programme_slug, version, one.provider_id, one.year].append(one)
        for some in alike.values():
            looked = await self._looked(some)
            ids = [one.id for one in some]
            known = set(
                await AnomalyFinding.filter(settlement_id__in=ids).values_list("settlement_id", "rule")
            )
            scans = dict(
                await AnomalyScan.filter(settlement_id__in=ids).values_list("settlement_id", "submitted_at")
            )
            for one in some:
                is_new = any((one.id, each.rule) not in known for each in looked[one.id])
                if is_new or scans.get(one.id) != _handed_in(one):
                    await self._record(one, looked)

    # ------------------------------------------------------------------------------------------------

    async def _looked(self, settlements: Sequence[Settlement]) -> Mapping[int, Sequence[Found]]:
        """What the rules say of settlements of one provider, year and version of the programme."""
        programme = self._programme(settlements[0])
        facts = await facts_of(settlements, programme, self.marks, now=self.book.now(programme.slug))
        return {key: found(programme, self.defaults.rules, one) for key, one in facts.items()}

    async def _record(
        self, settlement: Settlement, by_settlement: Mapping[int, Sequence[Found]]
    ) -> list[AnomalyFinding]:
        looked, programme = by_settlement[settlement.id], self._programme(settlement)
        now, handed_in = self.book.now(programme.slug), _handed_in(settlement)
        async with in_transaction() as connection:
            await lock_all([settlement.provider_id, settlement.enterprise_id], connection)
            scan, _ = await AnomalyScan.get_or_create(
                settlement_id=settlement.id,
                defaults={"submitted_at": handed_in, "scanned_at": now, "found": 0},
            )
            await AnomalyScan.filter(id=scan.id).update(
                submitted_at=handed_in, scanned_at=now, found=len(looked)
            )
            made = [
                one
                for each in looked
                if (one := await self._keep(settlement, programme, each, now=now)) is not None
            ]
            if made:
                await self._tell(settlement, programme, made, now=now)
        return made

    async def lift(self, finding_id: int, *, reason: str, version: int, actor: Actor) -> AnomalyFinding:
        """Say why nothing is wrong: the payment goes on.

        Also where a sanction proposed on it came to nothing, or was decided: what a decision holds or refuses
        it holds by itself, and what it leaves to be paid waits for nothing else.
        Raises ``NotFound``, :class:`AnomalyNotYours`, ``OwnReview``, :class:`AnomalyDecided`,
        ``WordsMissing``, ``SupervisionMovedOn``.
        """
        finding, _ = await self._to_decide(finding_id, actor)
        why, now = require_words(reason), self.book.now(finding.programme_slug)
        if finding.status is AnomalyStatus.PROPOSED:
            case = await SanctionCase.get(id=finding.sanction_id)
            if case.status is SanctionStatus.PROPOSED:
                raise AnomalyDecided(clause=finding.clause)
        async with in_transaction():
            await self._end(finding, version, actor, now, status=AnomalyStatus.LIFTED, reason=why)
            await payment_holds.lift(HoldCause.ANOMALY, finding.id, reason=why, actor=actor, now=now)
            await self._note("anomaly.lifted", finding, actor, now, reason=why)
        return await AnomalyFinding.get(id=finding.id)

    async def propose(self, finding_id: int, charge: Charge, *, version: int, actor: Actor) -> AnomalyFinding:
        """Propose a sanction on a finding; the payment stays held, and the clues are handed on (YC-40).

        Raises what :meth:`lift` raises, :class:`NoGroundForAnomaly`, and what ``Sanctions.propose`` raises.
        """
        finding, programme = await self._to_decide(finding_id, actor)
        if finding.status is not AnomalyStatus.OPEN:
            raise AnomalyDecided(clause=finding.clause)
        facts, now = require_words(charge.facts), self.book.now(finding.programme_slug)
        sanction = holding_sanction(programme)
        ground = charge.ground or ("" if sanction is None else sanction.grounds[0].code)
        if not ground:
            raise NoGroundForAnomaly(clause=finding.clause)
        async with in_transaction():
            says = texts.ANOMALY_FACTS.format(
                message=finding.message, arithmetic=finding.arithmetic, facts=facts
            )
            case = await self.propose_sanction(finding, ground, says, charge.serious, actor)
            referred = "" if sanction is None or charge.ground else sanction.referred_to
            await self._end(
                finding,
                version,
                actor,
                now,
                status=AnomalyStatus.PROPOSED,
                reason=facts,
                sanction_id=case.id,
                referred_to=referred,
            )
            await service_files.note(
                ServiceEntryKind.ANOMALY,
                "anomaly",
                f"anomaly:{finding.id}",
                provider_id=finding.provider_id,
                programme=programme,
                tone=EntryTone.BAD,
                at=now,
                clause=finding.clause,
                message=finding.message,
            )
            await self._note(
                "anomaly.proposed", finding, actor, now, reason=facts, sanction=case.id, referred_to=referred
            )
        return await AnomalyFinding.get(id=finding.id)

    # ------------------------------------------------------------------------------------------------

    def _programme(self, settlement: Settlement) -> Programme:
        version = settlement.application.programme_version
        return self.book.programmes.version(settlement.programme_slug, version)

    async def _keep(
        self, settlement: Settlement, programme: Programme, one: Found, *, now: datetime
    ) -> AnomalyFinding | None:
        """Keep a finding once for each settlement and rule; ``None`` where it is known already."""
        try:
            async with in_transaction():  # A savepoint: what is known stays as it was decided.
                made = await AnomalyFinding.create(
                    settlement_id=settlement.id,
                    order_id=settlement.order_id,
                    programme_slug=programme.slug,
                    programme_version=programme.version,
                    provider_id=settlement.provider_id,
                    rule=one.rule,
                    clause=one.clause,
                    message=one.message,
                    arithmetic=one.arithmetic,
                    holds=one.holds,
                    status=AnomalyStatus.OPEN,
                    found_at=now,
                )
        except IntegrityError:
            return None
        if one.holds:
            hold = await payment_holds.place(
                HoldCause.ANOMALY,
                made.id,
                programme_slug=programme.slug,
                order_id=settlement.order_id,
                clause=one.clause,
                # Both sides read it: what stands beside what is for whoever decides.
                reason=texts.ANOMALY_HOLD,
                actor=CLOCK,
                now=now,
            )
            await AnomalyFinding.filter(id=made.id).update(hold_id=hold.id)
        await self._note("anomaly.found", made, CLOCK, now, rule=one.rule.value, holds=one.holds)
        return made

    async def _tell(
        self, settlement: Settlement, programme: Programme, made: list[AnomalyFinding], *, now: datetime
    ) -> None:
        provider = await Organisation.get(id=settlement.provider_id)
        for role in (Role.OPERATOR, Role.AUTHORITY):
            await outbox.tell(
                outbox.team(role, programme.slug),
                "anomaly.found",
                at=now,
                programme=programme.slug,
                settlement=settlement.id,
                number=settlement.number,
                name=provider.name,
                area=provider.area,
                count=len(made),
            )

    async def _to_decide(self, finding_id: int, actor: Actor) -> tuple[AnomalyFinding, Programme]:
        finding = await finding_for(actor, finding_id)
        programme = self.book.programmes.version(finding.programme_slug, finding.programme_version)
        deciders = deciders_of(programme)
        if actor.roles.isdisjoint(deciders):
            raise AnomalyNotYours(clause=finding.clause, names=roles_in_words(deciders))
        await require_impartial(actor, [await Organisation.get(id=finding.provider_id)])
        # The enterprise may be of another area; who is tied to it does not decide all the same.
        sides = await sides_of(await Order.get(id=finding.order_id))
        if not (await reviewer_of(actor)).affiliations.isdisjoint(sides):
            raise OwnReview()
        if finding.status is AnomalyStatus.LIFTED:
            raise AnomalyDecided(clause=finding.clause)
        return finding, programme

    async def _end(
        self, finding: AnomalyFinding, version: int, actor: Actor, now: datetime, **columns: object
    ) -> None:
        # The WHERE clause is the lock: of two who decide one is told to look again.
        changed = await AnomalyFinding.filter(id=finding.id, version=version, status=finding.status).update(
            version=version + 1, decided_by=actor.id, decided_at=now, **columns
        )
        if not changed:
            raise SupervisionMovedOn()

    async def _note(
        self, action: str, finding: AnomalyFinding, actor: Actor, now: datetime, **data: object
    ) -> None:
        await note(
            action,
            f"settlement:{finding.settlement_id}",
            actor=actor,
            now=now,
            programme_slug=finding.programme_slug,
            finding=finding.id,
            **data,
        )


def _handed_in(settlement: Settlement) -> datetime:
    """When what is looked at was handed in."""
    envelope: SettlementApplication = settlement.application
    return envelope.submitted_at or envelope.opened_at


def deciders_of(programme: Programme) -> frozenset[str]:
    """Who decides on abnormal figures: whom the text names (YC-40), else the authority or its division."""
    sanction = holding_sanction(programme)
    named = {sanction.decided_by} if sanction is not None else set()
    return frozenset({StaffRole.AUTHORITY, StaffRole.DIVISION, *named})


async def finding_for(actor: Actor, finding_id: int) -> AnomalyFinding:
    """A finding of a programme and an area the actor works on. Raises ``NotFound``."""
    finding = await AnomalyFinding.get_or_none(id=finding_id).select_related("provider")
    if finding is None or actor.roles.isdisjoint(READERS):
        raise NotFound()
    access.require_programme(actor, finding.programme_slug)
    access.require_area(actor, finding.provider.area)
    return finding


async def listed(
    actor: Actor, *, programme: str = "", status: AnomalyStatus | None = None, before: int | None = None
) -> list[AnomalyFinding]:
    """Findings of the actor's programmes and areas, newest first, one page and one more."""
    if actor.roles.isdisjoint(READERS):
        raise NotAllowed()
    rows = AnomalyFinding.filter(access.within_programmes(actor, "programme_slug"))
    rows = rows.filter(access.within_areas(actor, "provider__area"))
    if programme:
        rows = rows.filter(programme_slug=programme)
    if status is not None:
        rows = rows.filter(status=status)
    if before is not None:
        rows = rows.filter(id__lt=before)
    return await rows.select_related("provider").order_by("-id").limit(PAGE + 1)
