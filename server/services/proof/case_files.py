"""Case files: the door to the file of a case, for the official side and for each side of an order.

Asked for with one click, made by whoever is free (``services/exports/export_runs.py``), fetched like any
export. Who may have what is settled when it is asked for; what is in it, ``services/proof/audit_packs.py``
reads when it is made.
"""

from __future__ import annotations

from typing import Any

from server.errors import Refusal
from server.models.exports import ExportJob, ExportStatus
from server.models.orders import Order
from server.services import access
from server.services.access import Actor, NotFound, StaffRole
from server.services.exports.exports import Exports
from server.services.proof.case_scope import CaseKind, CaseScope, named, scope_of
from server.services.proof.case_sections import Audience

CASE_FILE = "case_file"
"""The kind of export."""
LEAST_REASON = 5
REVEALERS = frozenset({StaffRole.OPERATOR, StaffRole.AUTHORITY, StaffRole.OVERSIGHT_BODY})
READERS_OF_ALL = REVEALERS | {StaffRole.AUDITOR}
"""Who has the whole of a case; any other role has a third party's copy, however many somebody has."""


class CaseReasonMissing(Refusal):
    """Personal data in clear needs a reason."""

    status, code = 422, "case_reason_missing"


class CaseRevealForbidden(Refusal):
    """Personal data in clear is not for this asker."""

    status, code = 403, "case_reveal_forbidden"


class CaseFiles:
    """The verbs of whoever needs a case on file."""

    def __init__(self, exports: Exports) -> None:
        self._exports = exports

    async def ask(self, case: str, *, revealed: bool, reason: str, actor: Actor) -> ExportJob:
        """Begin the file of a case for the official side, or get back the asker's that is under way.

        Raises ``CaseNameUnusable``, ``NotFound``, :class:`CaseReasonMissing`, :class:`CaseRevealForbidden`,
        ``ExportAlreadyRunning``.
        """
        kind, row_id = named(case)
        if revealed and actor.roles.isdisjoint(REVEALERS):
            raise CaseRevealForbidden()
        if revealed and len(reason.strip()) < LEAST_REASON:
            raise CaseReasonMissing(least=LEAST_REASON)
        scope = await scope_of(kind, row_id)
        if scope.programme_slug:
            access.require_programme(actor, scope.programme_slug)
        elif actor.programmes:
            raise NotFound()
        for area in scope.areas:
            access.require_area(actor, area)
        # What went past everybody into the mailbox is read by whom it was for.
        mailbox = StaffRole.OVERSIGHT_BODY in actor.roles
        if not mailbox:
            await scope.leave_out_the_mailbox()
        whole = not actor.roles.isdisjoint(READERS_OF_ALL)
        audience = Audience.OFFICIAL if whole else Audience.THIRD_PARTY
        return await self._asked(scope, audience, actor, mailbox=mailbox, revealed=revealed, reason=reason)

    async def ask_own(self, order_id: int, *, actor: Actor) -> ExportJob:
        """Begin the file that one side of an order keeps of it (GX-73): its own copy.

        Raises ``NotFound``, ``ExportAlreadyRunning``.
        """
        audience = await _side_of(order_id, actor)
        return await self._asked(await scope_of(CaseKind.ORDER, order_id), audience, actor)

    async def newest(self, case: str, *, actor: Actor) -> ExportJob:
        """The asker's last file of a case. Raises ``CaseNameUnusable``, and ``NotFound`` for none."""
        kind, row_id = named(case)
        asked = ExportJob.filter(asked_by=actor.name, kind=CASE_FILE, subject=f"{kind}:{row_id}")
        job = await asked.exclude(status=ExportStatus.CANCELLED).order_by("-id").first()
        if job is None:
            raise NotFound()
        return await self._exports.find(job.id, actor=actor)

    async def newest_own(self, order_id: int, *, actor: Actor) -> ExportJob:
        """One's last copy of an order's file. Raises ``NotFound``."""
        await _side_of(order_id, actor)
        return await self.newest(f"{CaseKind.ORDER}:{order_id}", actor=actor)

    async def _asked(
        self,
        scope: CaseScope,
        audience: Audience,
        actor: Actor,
        *,
        mailbox: bool = False,
        revealed: bool = False,
        reason: str = "",
    ) -> ExportJob:
        chosen: dict[str, Any] = {"number": scope.number, "copy": audience.value, "mailbox": mailbox}
        return await self._exports.ask_whole(
            CASE_FILE,
            programme_slug=scope.programme_slug,
            subject=scope.name,
            filters=chosen,
            revealed=revealed,
            reason=reason,
            actor=actor,
        )


async def _side_of(order_id: int, actor: Actor) -> Audience:
    """Whose copy somebody may have of an order's file."""
    own = access.organisation_id_of(actor)
    order = await Order.get_or_none(id=order_id)
    if order is None or own not in (order.enterprise_id, order.provider_id):
        raise NotFound()
    return Audience.PROVIDER if own == order.provider_id else Audience.ENTERPRISE
