"""Rectifications (整改): what is put right by a day, with proof, or stands against its provider (GZ-51)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.models.organisations import Organisation
from server.models.supervision import Inspection, RectificationTask
from server.programme.vocabulary import Actor as Role
from server.programme.vocabulary import Party
from server.rules.supervision import EntryTone, RectificationStatus, ServiceEntryKind
from server.services import access, outbox
from server.services.access import CLOCK, Actor, NotFound
from server.services.files.files import keep_files, require_own
from server.services.organisations import service_files
from server.services.supervision.supervision_book import (
    DECIDING,
    SupervisionBook,
    SupervisionMovedOn,
    note,
    require_impartial,
    require_words,
)

PAGE = 50


class TaskNotOpen(Refusal):
    """There is nothing to hand in, or nothing to decide."""

    status, code = 409, "rectification_not_open"


class Rectifications:
    """The verbs of both sides on what has to be put right."""

    def __init__(self, book: SupervisionBook) -> None:
        self.book = book

    async def hand_in(
        self, task_id: int, *, answer: str, file_ids: Sequence[int], version: int, actor: Actor
    ) -> RectificationTask:
        """Hand in that a finding was put right, with proof (GZ-51).

        Raises ``NotFound``, :class:`TaskNotOpen`, ``WordsMissing``, ``FilesUnknown``, ``SupervisionMovedOn``.
        """
        mine = access.organisation_id_of(actor)
        task = await RectificationTask.get_or_none(id=task_id, organisation_id=mine)
        if task is None:
            raise NotFound()
        if task.status is not RectificationStatus.OPEN:
            raise TaskNotOpen()
        says, files = require_words(answer), await require_own(list(file_ids), mine, by=actor.name)
        programme, now = self.book.programmes.get(task.programme_slug), self.book.now(task.programme_slug)
        async with in_transaction():
            await _change_task(
                task,
                version,
                status=RectificationStatus.HANDED_IN,
                answer=says,
                files=[one.id for one in files],
                handed_in_at=now,
            )
            await keep_files(files, f"rectification:{task.id}", "proof", programme=programme, now=now)
            await self._note_task("rectification.handed_in", task, actor, now)
            for role in (Role.OPERATOR, Role.AUTHORITY):
                await outbox.tell(
                    outbox.team(role, task.programme_slug),
                    "rectification.handed_in",
                    at=now,
                    rectification=task.id,
                    programme=task.programme_slug,
                    wanted=task.wanted,
                )
        return await RectificationTask.get(id=task.id)

    async def decide(
        self, task_id: int, *, accept: bool, reason: str, version: int, actor: Actor
    ) -> RectificationTask:
        """Accept what was handed in, or send it back. Whoever found it may, and whoever decides.

        Raises ``NotFound``, ``NotAllowed``, ``OwnReview``, :class:`TaskNotOpen`, ``WordsMissing``,
        ``SupervisionMovedOn``.
        """
        task = await RectificationTask.get_or_none(id=task_id).select_related("finding__visit__inspection")
        if task is None:
            raise NotFound()
        inspection: Inspection = task.finding.visit.inspection
        organisation = await Organisation.get(id=task.organisation_id)
        access.require_area(actor, organisation.area)
        programme = self.book.programme(task.programme_slug, actor, frozenset(inspection.held_by) | DECIDING)
        await require_impartial(actor, [organisation])
        if task.status is not RectificationStatus.HANDED_IN:
            raise TaskNotOpen()
        why, now = require_words(reason), self.book.now(task.programme_slug)
        async with in_transaction():
            status = RectificationStatus.ACCEPTED if accept else RectificationStatus.OPEN
            await _change_task(
                task,
                version,
                status=status,
                decided_by=actor.id,
                decided_at=now,
                reason=why,
                sent_back=task.sent_back + (not accept),
            )
            if accept and task.finding.visit.party is Party.PROVIDER:
                await service_files.note(
                    ServiceEntryKind.RECTIFICATION,
                    "rectified",
                    f"rectification:{task.id}",
                    provider_id=task.organisation_id,
                    programme=programme,
                    tone=EntryTone.PLAIN,
                    at=now,
                    clause=inspection.clause,
                    wanted=task.wanted,
                )
            action = "rectification.accepted" if accept else "rectification.sent_back"
            await self._note_task(action, task, actor, now, reason=why)
            await outbox.tell(
                f"organisation:{task.organisation_id}",
                "rectification.accepted" if accept else "rectification.sent_back",
                at=now,
                rectification=task.id,
                programme=task.programme_slug,
                wanted=task.wanted,
                reason=why,
            )
        return await RectificationTask.get(id=task.id)

    async def tell_overdue(self, slug: str) -> int:
        """Put down what was not put right in time, once; returns how many (GZ-51)."""
        programme, now = self.book.programmes.get(slug), self.book.now(slug)
        late = RectificationTask.filter(
            programme_slug=slug, status=RectificationStatus.OPEN, due_at__lte=now, overdue_at=None
        )
        told = 0
        for task in await late.select_related("finding__visit").order_by("id").limit(200):
            async with in_transaction():
                if not await RectificationTask.filter(id=task.id, overdue_at=None).update(overdue_at=now):
                    continue
                if task.finding.visit.party is Party.PROVIDER:
                    await service_files.note(
                        ServiceEntryKind.RECTIFICATION,
                        "overdue",
                        f"rectification_overdue:{task.id}",
                        provider_id=task.organisation_id,
                        programme=programme,
                        tone=EntryTone.BAD,
                        at=now,
                        wanted=task.wanted,
                    )
                await self._note_task("rectification.overdue", task, CLOCK, now)
                for to in (f"organisation:{task.organisation_id}", outbox.team(Role.AUTHORITY, slug)):
                    await outbox.tell(
                        to,
                        "rectification.overdue",
                        at=now,
                        rectification=task.id,
                        programme=slug,
                        wanted=task.wanted,
                    )
                told += 1
        return told

    async def _note_task(
        self, action: str, task: RectificationTask, actor: Actor, now: datetime, **data: str
    ) -> None:
        await note(
            action,
            f"rectification:{task.id}",
            actor=actor,
            now=now,
            programme_slug=task.programme_slug,
            organisation=task.organisation_id,
            **data,
        )


async def _change_task(task: RectificationTask, version: int, **columns: object) -> None:
    changed = await RectificationTask.filter(id=task.id, version=version, status=task.status).update(
        version=version + 1, **columns
    )
    if not changed:
        raise SupervisionMovedOn()


async def listed(
    actor: Actor, *, programme: str = "", status: RectificationStatus | None = None, after: int = 0
) -> list[RectificationTask]:
    """Tasks by id, one page and one more: a person's organisation's, or those of the actor's bounds."""
    rows = RectificationTask.filter(id__gt=after)
    if actor.kind == "person":
        rows = rows.filter(organisation_id=access.organisation_id_of(actor))
    else:
        rows = rows.filter(access.within_programmes(actor, "programme_slug"))
        rows = rows.filter(access.within_areas(actor, "organisation__area"))
    if programme:
        rows = rows.filter(programme_slug=programme)
    if status is not None:
        rows = rows.filter(status=status)
    return await rows.order_by("id").limit(PAGE + 1)
