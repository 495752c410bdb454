"""Labels: the verbs on what official lists say, and what a change does to the standing of organisations.

What a list says of an organisation is its labels, whether it is registered here yet or not. Every change
settles, in its own transaction and under the organisation's lock, the labels held today, the approvals
that rested on them and the entitlements.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.expressions import Q
from tortoise.transactions import in_transaction

from server import texts
from server.clock import CHINA
from server.errors import Refusal
from server.models.labels import AttestedLabel, LabelSource
from server.models.organisations import Organisation
from server.programme.model import Programme
from server.programme.people import ConditionKind, Label
from server.programme.registry import Programmes
from server.rules.eligibility import label_valid
from server.rules.facts import HeldLabel
from server.rules.review import ReasonMissing
from server.services import access, journal, outbox
from server.services.access import CLOCK, Actor, NotFound
from server.services.admissions import attestations
from server.services.admissions.attestations import Statement
from server.services.admissions.qualifications import LabelsUnknown, Qualifications
from server.services.clocks import ProgrammeClocks
from server.services.organisations.memberships import lock
from server.services.rounds.rounds import StandingChange
from server.services.tables.cells import name_of, plain

BATCH = 500


class LabelHeldAlready(Refusal):
    """The list names this organisation for this label already."""

    status, code = 409, "label_held_already"


class LabelAlreadyWithdrawn(Refusal):
    """Somebody has withdrawn this line."""

    status, code = 409, "label_already_withdrawn"


class NotOnList(Refusal):
    """The programme admits only institutions of its official list, and this is none (GZ-81)."""

    status, code = 409, "not_on_list"


class Labels:
    """The verbs on labels. ``qualifications`` judges anew whoever a change concerns."""

    def __init__(
        self, programmes: Programmes, clocks: ProgrammeClocks, qualifications: Qualifications
    ) -> None:
        self.programmes = programmes
        self.clocks = clocks
        self._qualifications = qualifications

    def label(self, slug: str, code: str) -> Label:
        """A label as a programme has it. Raises ``UnknownProgramme`` or ``LabelsUnknown``."""
        for label in self.programmes.get(slug).labels:
            if label.code == code:
                return label
        raise LabelsUnknown(names=code)

    async def attest(
        self, slug: str, statement: Statement, *, list_name: str, document_number: str, actor: Actor
    ) -> AttestedLabel:
        """Enter one line of an official list by hand.

        Raises ``UnknownProgramme``, ``LabelsUnknown`` or :class:`LabelHeldAlready`.
        """
        self.label(slug, statement.code)
        now = self.clocks.now(slug)
        try:
            async with in_transaction():
                held = await self.lock_holders([statement])
                await attestations.write(
                    [statement],
                    LabelSource.LIST,
                    programme_slug=slug,
                    list_name=list_name,
                    document_number=document_number,
                    actor=actor,
                    now=now,
                )
                row = (
                    await AttestedLabel.all()
                    .order_by("-id")
                    .get(
                        uscc=statement.uscc,
                        name=statement.name,
                        code=statement.code,
                        list_name=list_name,
                        withdrawn_at__isnull=True,
                    )
                )
                await self._note("label.attested", row, actor=actor, now=now)
                changes = await self.settle(held, actor=actor)
        except IntegrityError:
            raise LabelHeldAlready() from None
        await self._qualifications.rounds.standing_told(changes)
        return row

    async def withdraw(self, label_id: int, *, reason: str, actor: Actor) -> AttestedLabel:
        """Let one line count no more, from now on.

        Raises ``NotFound``, ``ReasonMissing`` or :class:`LabelAlreadyWithdrawn`.
        """
        if not reason:
            raise ReasonMissing()
        row = await AttestedLabel.get_or_none(id=label_id)
        if row is None:
            raise NotFound()
        now = self._now(row.programme_slug)
        async with in_transaction():
            held = await self.lock_holders([attestations.stated(row)])
            # The WHERE clause is the lock: of two who withdraw it exactly one does.
            if not await attestations.withdraw_rows([row.id], reason=reason, actor=actor, now=now):
                raise LabelAlreadyWithdrawn()
            await self._note("label.withdrawn", row, actor=actor, now=now, reason=reason)
            changes = await self.settle(held, actor=actor)
        await self._qualifications.rounds.standing_told(changes)
        return await AttestedLabel.get(id=row.id)

    async def settle_expired_labels(self, now: datetime) -> int:
        """Let labels that have run out by date lose their effect; returns how many did.

        ``now`` is the machine's instant; each label is judged by the clocks of the programmes that know
        it. A line is settled once, and one that a programme holds valid longer (GZ-07) when that ends.
        """
        today = max(self._day(one, now) for one in self.programmes)
        rows = await AttestedLabel.filter(
            valid_until__lt=today, withdrawn_at__isnull=True, lapsed_at__isnull=True
        ).order_by("uscc", "name", "id")
        over: dict[tuple[str | None, str], list[AttestedLabel]] = {}
        for row in rows:
            if not self._counts_somewhere(row, now):
                over.setdefault((row.uscc, "" if row.uscc else row.name), []).append(row)
        lapsed = 0
        for lines in over.values():
            async with in_transaction():
                held = await self.lock_holders([attestations.stated(line) for line in lines])
                ids = [line.id for line in lines]
                # The WHERE clause is the lock: two workers settle a line once.
                settled = await AttestedLabel.filter(id__in=ids, lapsed_at__isnull=True).update(lapsed_at=now)
                if not settled:
                    continue
                for line in lines:
                    await self._note("label.lapsed", line, actor=CLOCK, now=now)
                changes = await self.settle(held, actor=CLOCK)
            await self._qualifications.rounds.standing_told(changes)
            lapsed += settled
        return lapsed

    async def lock_holders(self, statements: Collection[Statement]) -> list[Organisation]:
        """Whoever is registered here and named by these statements, locked in the order of their ids.

        All of them before any budget's lock, so that two of these never wait for each other.
        """
        usccs = sorted({one.uscc for one in statements if one.uscc})
        names = sorted({one.name for one in statements if not one.uscc})
        ids: set[int] = set()
        for start in range(0, len(usccs), BATCH):
            ids |= await _ids(Q(uscc__in=usccs[start : start + BATCH]))
        for start in range(0, len(names), BATCH):
            ids |= await _ids(Q(name__in=_spellings(names[start : start + BATCH])))
        return [await lock(one) for one in sorted(ids)]

    async def settle(self, held: Collection[Organisation], *, actor: Actor) -> list[StandingChange]:
        """Settle what changed lines do to these organisations, which the caller has locked.

        Inside the transaction of the change; what it returns is for ``Rounds.standing_told`` after that.
        """
        changes: list[StandingChange] = []
        for organisation in held:
            before = organisation.labels
            if not await attestations.refresh(organisation, self.programmes, self.clocks):
                continue
            now, who = self.clocks.base.now(), f"organisation:{organisation.id}"
            deed: dict[str, Any] = {
                "gained": sorted(set(organisation.labels) - set(before)),
                "lost": sorted(set(before) - set(organisation.labels)),
            }
            await journal.record("organisation.labels_changed", who, actor=actor.name, at=now, **deed)
            await outbox.tell(who, "organisation.labels_changed", at=now, **deed)
            changes += await self._qualifications.labels_changed(organisation, actor=actor)
        return changes

    async def require_listed(
        self, programme: Programme, name: str, *, uscc: str | None = None
    ) -> list[Label]:
        """The recognitions by which the official list admits an institution of this full name.

        With ``uscc`` a line of the same name but another code is somebody else's. Nothing is asked where
        the programme asks for no list. Raises :class:`NotOnList` (GZ-06, GZ-81).
        """
        if not programme.provider.account.listed_before_registering:
            return []
        recognised = await self.listed(programme, name, uscc=uscc)
        if not recognised:
            raise NotOnList(clause=programme.provider.account.article, name=name)
        return recognised

    async def listed(self, programme: Programme, name: str, *, uscc: str | None = None) -> list[Label]:
        """The recognitions that the programme asks of providers and the list has, valid today."""
        wanted = {
            code
            for condition in programme.provider_conditions
            if condition.kind is ConditionKind.LABEL_REQUIRED
            for code in condition.labels
        }
        rows = await AttestedLabel.filter(
            Q(name=name_of(plain(name))) if uscc is None else Q(name=name_of(plain(name))) | Q(uscc=uscc),
            code__in=list(wanted),
            withdrawn_at__isnull=True,
        ).order_by("id")
        today = self._day(programme, self.clocks.base.now())
        codes = {
            row.code
            for row in rows
            if (uscc is None or row.uscc in (None, uscc)) and label_valid(programme, _held(row), today)
        }
        return [label for label in programme.labels if label.code in codes]

    def _counts_somewhere(self, row: AttestedLabel, now: datetime) -> bool:
        return any(
            label_valid(programme, _held(row), self._day(programme, now))
            for programme in self.programmes
            if any(label.code == row.code for label in programme.labels)
        )

    def _day(self, programme: Programme, now: datetime) -> date:
        return (now + self.clocks.offset(programme.slug)).astimezone(CHINA).date()

    def _now(self, slug: str | None) -> datetime:
        return self.clocks.base.now() if slug is None else self.clocks.now(slug)

    async def _note(
        self, action: str, row: AttestedLabel, *, actor: Actor, now: datetime, **data: object
    ) -> None:
        await journal.record(
            action,
            f"label:{row.id}",
            actor=actor.name,
            at=now,
            programme_slug=row.programme_slug or "",
            uscc=row.uscc,
            code=row.code,
            list=row.list_name or texts.LABEL_SOURCES["paper"],
            **data,
        )


async def page(
    actor: Actor, *, uscc: str | None, code: str | None, standing_only: bool, after: int, limit: int
) -> list[AttestedLabel]:
    """The next ``limit`` lines after an id, of the programmes of whoever asks, oldest first."""
    wanted = AttestedLabel.filter(access.within_programmes(actor, "programme_slug"), id__gt=after)
    if uscc is not None:
        wanted = wanted.filter(uscc=uscc)
    if code is not None:
        wanted = wanted.filter(code=code)
    if standing_only:
        wanted = wanted.filter(withdrawn_at__isnull=True)
    return await wanted.order_by("id").limit(limit)


async def require_own(actor: Actor, label_id: int) -> None:
    """Raise ``NotFound`` for a line of a programme that a member of staff has no part in."""
    row = await AttestedLabel.get_or_none(id=label_id)
    if row is None:
        raise NotFound()
    access.require_programme(actor, row.programme_slug)


async def _ids(wanted: Q) -> set[int]:
    return {one.id for one in await Organisation.filter(wanted).only("id")}


def _held(row: AttestedLabel) -> HeldLabel:
    return HeldLabel(code=row.code, recognised_in=row.recognised_in, valid_until=row.valid_until)


def _spellings(names: Collection[str]) -> list[str]:
    """A name as lists have it, and with the narrow brackets that some people type."""
    return [spelling for name in names for spelling in {name, name.replace("（", "(").replace("）", ")")}]
