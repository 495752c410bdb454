"""The blocklist: who is barred from vouchers, by which clause, and until when.

By hand an operator mirrors what an official list says, and names the list: that is no decision of ours, and
one person's. Whom we bar ourselves two people decide, by sanction or removal, and nobody lifts that alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta

from tortoise.expressions import Q
from tortoise.transactions import in_transaction

from server import texts
from server.clock import CHINA
from server.errors import Refusal
from server.models.organisations import BlocklistEntry, Organisation
from server.models.rounds import Entitlement
from server.models.sanctions import SanctionCase
from server.programme.registry import Programmes
from server.rules.review import ReasonMissing
from server.rules.uscc import checked_uscc
from server.services import access, journal, outbox
from server.services.access import Actor, NotFound, StaffRole
from server.services.clocks import ProgrammeClocks
from server.services.organisations.memberships import lock
from server.services.reviews.reviewers import OwnReview
from server.services.rounds.entitlements import standing_bans
from server.services.rounds.rounds import Rounds, StandingChange

TURNED_WITHIN = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Ban:
    """One ban of a list. Without a start from now on; the end is exclusive, ``None``: for good."""

    uscc: str
    clause: str
    reason: str
    starts_at: datetime | None
    ends_at: datetime | None


class BanPeriodImpossible(Refusal):
    """The ban would end before it begins."""

    status, code = 422, "ban_period_impossible"


class BanOfSanction(Refusal):
    """Two people decided on it in a case: an appeal or the lifting of that case ends it."""

    status, code = 409, "ban_of_sanction"


class BanAlreadyLifted(Refusal):
    """Somebody has lifted this ban."""

    status, code = 409, "ban_already_lifted"


class Blocklist:
    """The verbs on the blocklist. A ban takes effect on rounds in the transaction that makes it."""

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks, rounds: Rounds) -> None:
        self.programmes = programmes
        self._clocks = clocks
        self._rounds = rounds

    async def add(
        self,
        uscc: str,
        *,
        slug: str | None,
        list_name: str,
        clause: str,
        reason: str,
        starts_at: datetime | None,
        ends_at: datetime | None,
        actor: Actor,
    ) -> BlocklistEntry:
        """Bar whom an official list names, registered here or not, from one programme or (``slug=None``) all.

        Without ``starts_at`` from now on, without ``ends_at`` for good; the end is exclusive. Raises
        ``UsccInvalid``, ``UnknownProgramme`` or :class:`BanPeriodImpossible`.
        """
        uscc = checked_uscc(uscc)
        starts_at = starts_at or self._now(slug)
        if ends_at is not None and ends_at <= starts_at:
            raise BanPeriodImpossible()
        async with in_transaction():
            organisation = await _registered(uscc)
            entry = await BlocklistEntry.create(
                uscc=uscc,
                programme_slug=slug,
                list_name=list_name.strip(),
                clause=clause,
                reason=reason,
                starts_at=starts_at,
                ends_at=ends_at,
                made_by=actor.id,
            )
            changes = await self._settle("blocklist.added", entry, organisation, actor, reason)
        await self._rounds.standing_told(changes)
        return entry

    async def lift(self, entry_id: int, *, reason: str, actor: Actor) -> BlocklistEntry:
        """End a ban as if it had never been.

        What mirrors a list is lifted by one, as the list no longer says it. What was decided here without a
        case is asked for by one and lifted by another, of the authority (LS-13). Raises ``NotFound``,
        ``ReasonMissing``, ``OwnReview``, ``NotAllowed``, :class:`BanOfSanction`, :class:`BanAlreadyLifted`.
        """
        if not reason:
            raise ReasonMissing()
        entry = await BlocklistEntry.get_or_none(id=entry_id)
        if entry is None:
            raise NotFound()
        if not entry.list_name and await self._ask_lifting(entry, reason, actor):
            return await BlocklistEntry.get(id=entry_id)
        async with in_transaction():
            organisation = await _registered(entry.uscc)
            # The WHERE clause is the lock: of two who lift it exactly one does.
            lifted = await BlocklistEntry.filter(id=entry.id, lifted_at=None).update(
                lifted_at=self._clocks.base.now(), lifted_by=actor.id, lift_reason=reason
            )
            if not lifted:
                raise BanAlreadyLifted()
            entry = await BlocklistEntry.get(id=entry.id)
            changes = await self._settle("blocklist.lifted", entry, organisation, actor, reason)
        await self._rounds.standing_told(changes)
        return entry

    async def _ask_lifting(self, entry: BlocklistEntry, reason: str, actor: Actor) -> bool:
        """The first of two who lift what was decided here; whether it is only asked for now."""
        if await SanctionCase.exists(ban_id=entry.id):
            raise BanOfSanction(clause=entry.clause)
        if entry.lifted_at is not None:
            raise BanAlreadyLifted()
        if entry.lift_asked_by is None:
            async with in_transaction():
                organisation = await _registered(entry.uscc)
                # The WHERE clause is the lock: of two who ask at once one asks, and the other may agree.
                asked = BlocklistEntry.filter(id=entry.id, lifted_at=None, lift_asked_by=None)
                if not await asked.update(lift_asked_by=actor.id, lift_reason=reason):
                    raise BanAlreadyLifted()
                await self._note("blocklist.lifting_asked", entry, organisation, actor, reason)
            return True
        if entry.lift_asked_by == actor.id:
            raise OwnReview()
        access.require_role(actor, StaffRole.AUTHORITY)
        return False

    async def take_in(
        self,
        bans: Sequence[Ban],
        lifted: Sequence[int],
        *,
        slug: str | None,
        list_name: str,
        actor: Actor,
        why: str = "",
    ) -> list[StandingChange]:
        """Bar whom a list names, and lift its entries that it names no longer or otherwise, or for a reason.

        Inside the caller's transaction; what it returns is for ``Rounds.standing_told`` after that. Whoever
        is registered here is locked first, in the order of the ids, and settled once.
        """
        ended = await BlocklistEntry.filter(id__in=list(lifted), lifted_at=None).order_by("id")
        usccs = {ban.uscc for ban in bans} | {entry.uscc for entry in ended}
        found = await Organisation.filter(uscc__in=sorted(usccs)).order_by("id")
        held = {one.uscc: await lock(one.id) for one in found}
        why, now = why or texts.LABEL_SOURCES["replaced"], self._clocks.base.now()
        await BlocklistEntry.filter(id__in=[entry.id for entry in ended]).update(
            lifted_at=now, lifted_by=actor.id, lift_reason=why
        )
        for entry in ended:
            await self._note("blocklist.lifted", entry, held.get(entry.uscc), actor, why)
        for ban in bans:
            entry = await BlocklistEntry.create(
                **{**asdict(ban), "starts_at": ban.starts_at or self._now(slug)},
                programme_slug=slug,
                list_name=list_name,
                made_by=actor.id,
            )
            await self._note("blocklist.added", entry, held.get(ban.uscc), actor, ban.reason)
        return [change for one in held.values() for change in await self._changes(one, slug)]

    async def settle_turned(self) -> int:
        """Let bans that began or ended by the clock take effect on rounds; returns how many did.

        Whatever turned within :data:`TURNED_WITHIN` is looked at again: doing it twice changes nothing,
        and a server that was away for a while misses nothing.
        """
        settled = 0
        for slug in sorted(programme.slug for programme in self.programmes):
            now = self._clocks.now(slug)
            for organisation in await _turned(slug, now - TURNED_WITHIN, now):
                async with in_transaction():
                    await lock(organisation.id)
                    changes = await self._rounds.standing_changed(organisation, slug)
                await self._rounds.standing_told(changes)
                settled += bool(changes)
        return settled

    def _now(self, slug: str | None) -> datetime:
        """An instant that every programme concerned has reached: in a demo they live in different years."""
        if slug is not None:
            return self._clocks.now(self.programmes.get(slug).slug)
        return min(self._clocks.now(programme.slug) for programme in self.programmes)

    async def _settle(
        self, action: str, entry: BlocklistEntry, organisation: Organisation | None, actor: Actor, reason: str
    ) -> list[StandingChange]:
        """Leave the traces of a change and settle what it does to entitlements."""
        await self._note(action, entry, organisation, actor, reason)
        return [] if organisation is None else await self._changes(organisation, entry.programme_slug)

    async def _note(
        self, action: str, entry: BlocklistEntry, organisation: Organisation | None, actor: Actor, reason: str
    ) -> None:
        now = self._clocks.base.now() if entry.programme_slug is None else self._now(entry.programme_slug)
        await journal.record(
            action,
            f"ban:{entry.id}",
            actor=actor.name,
            at=now,
            programme_slug=entry.programme_slug or "",
            uscc=entry.uscc,
            clause=entry.clause,
            reason=reason,
        )
        if organisation is not None:
            await outbox.tell(
                f"organisation:{organisation.id}",
                action,
                at=now,
                programme=entry.programme_slug,
                clause=entry.clause,
                reason=reason,
            )

    async def _changes(self, organisation: Organisation, slug: str | None) -> list[StandingChange]:
        slugs = [slug] if slug is not None else sorted(programme.slug for programme in self.programmes)
        return [change for one in slugs for change in await self._rounds.standing_changed(organisation, one)]


def midnight(on: date) -> datetime:
    """The first instant of a day in China."""
    return datetime.combine(on, time.min, CHINA)


def midnight_after(on: date) -> datetime:
    """The end of a day in China: a ban until then holds on the day itself."""
    return midnight(on + timedelta(days=1))


async def page(actor: Actor, *, uscc: str | None, after: int, limit: int) -> list[BlocklistEntry]:
    """The next ``limit`` entries after an id, lifted ones included, oldest first.

    Of the programmes of whoever asks, and those that concern every programme.
    """
    concerned = access.within_programmes(actor, "programme_slug") | Q(programme_slug__isnull=True)
    wanted = BlocklistEntry.filter(id__gt=after)
    if actor.programmes:
        wanted = wanted.filter(concerned)
    if uscc is not None:
        wanted = wanted.filter(uscc=uscc)
    return await wanted.order_by("id").limit(limit)


async def _turned(slug: str, since: datetime, now: datetime) -> list[Organisation]:
    """Whose bans began or ended in this time, and whose entitlements do not show it yet."""
    entries = await BlocklistEntry.filter(
        Q(programme_slug=slug) | Q(programme_slug__isnull=True),
        Q(starts_at__gt=since, starts_at__lte=now) | Q(ends_at__gt=since, ends_at__lte=now),
        lifted_at__isnull=True,
    )
    organisations = await Organisation.filter(uscc__in=[entry.uscc for entry in entries]).order_by("id")
    barred = {ban.uscc for ban in await standing_bans([one.uscc for one in organisations], slug, now=now)}
    entitled = {
        row.enterprise_id
        for row in await Entitlement.filter(
            enterprise_id__in=[one.id for one in organisations], round__budget__programme_slug=slug
        )
    }
    return [one for one in organisations if (one.uscc in barred) is (one.id in entitled)]


async def _registered(uscc: str) -> Organisation | None:
    """The organisation of this code, locked, if it is registered here."""
    organisation = await Organisation.get_or_none(uscc=uscc)
    return None if organisation is None else await lock(organisation.id)
