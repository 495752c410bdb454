"""The offering book: finding offerings and their versions, and moving them; each move is journaled.

Whoever moves an offering holds its provider's lock (``memberships.lock``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from server.errors import Refusal
from server.models.offerings import Offering, OfferingVersion
from server.models.reviews import ReviewCase
from server.programme.model import Programme
from server.rules.lifecycles import require_move
from server.rules.offering_form import Content, columns_of, content_of
from server.rules.offerings import OFFERING_MOVES, DraftStatus, OfferingStatus
from server.rules.review import CaseStatus
from server.services import access, journal, outbox
from server.services.access import IN_THE_FILES, Actor, NotFound
from server.services.files import files

LIVE = (CaseStatus.OPEN, CaseStatus.RETURNED, CaseStatus.ON_NOTICE)


class OfferingNotListed(Refusal):
    """The offering cannot be ordered at this instant: never listed, withdrawn, taken down or over."""

    status, code = 409, "offering_not_listed"


class OfferingMovedOn(Refusal):
    """Somebody else moved the offering a moment earlier."""

    status, code = 409, "offering_moved_on"


async def listed(offering_id: int, *, now: datetime) -> OfferingVersion:
    """The version that is listed at an instant, with its offering and provider.

    Whether the provider may take orders is another question. Raises ``NotFound`` and
    :class:`OfferingNotListed`.
    """
    offering = await Offering.get_or_none(id=offering_id)
    if offering is None or offering.status is OfferingStatus.UNLISTED:
        raise NotFound()
    if offering.status is not OfferingStatus.LISTED or offering.current_version_id is None:
        raise OfferingNotListed()
    version = await version_for_order(offering.current_version_id)
    if version.valid_until is not None and version.valid_until <= now:
        raise OfferingNotListed()
    return version


async def version_for_order(version_id: int) -> OfferingVersion:
    """The version an order was placed under, whatever became of it since, with offering and provider."""
    return await OfferingVersion.get(id=version_id).select_related("offering__provider")


async def own(offering_id: int, *, actor: Actor) -> Offering:
    """An offering of the actor's own organisation, with its provider. Raises ``NotFound``."""
    mine = access.organisation_id_of(actor)
    offering = await Offering.filter(id=offering_id, provider_id=mine).select_related("provider").first()
    if offering is None:
        raise NotFound()
    return offering


async def seen(offering_id: int, *, actor: Actor) -> Offering:
    """An own offering; of the official side, one that was handed in, of their programmes and areas."""
    if actor.kind == "person":
        return await own(offering_id, actor=actor)
    offering = await Offering.filter(id=offering_id).select_related("provider").first()
    if offering is None or IN_THE_FILES.isdisjoint(actor.roles):
        raise NotFound()
    access.require_programme(actor, offering.programme_slug)
    access.require_area(actor, offering.provider.area)
    if not await OfferingVersion.exists(offering_id=offering.id):
        raise NotFound()
    return offering


async def page(*, actor: Actor, after: int, limit: int) -> list[Offering]:
    """The next ``limit`` offerings of the actor's organisation after an id."""
    mine = access.organisation_id_of(actor)
    wanted = Offering.filter(provider_id=mine, id__gt=after)
    return await wanted.select_related("provider").order_by("id").limit(limit)


async def versions_of(offering: Offering) -> list[OfferingVersion]:
    """Everything that was handed in, oldest first."""
    return await OfferingVersion.filter(offering_id=offering.id).order_by("number")


def written(version: OfferingVersion) -> Content:
    """What a version says."""
    return content_of({name: getattr(version, name) for name in _COLUMNS})


_COLUMNS = tuple(Content.__dataclass_fields__)


async def change(offering: Offering, **columns: Any) -> Offering:
    """Change a row that still stands as it was read. Raises :class:`OfferingMovedOn`."""
    # The WHERE clause is the lock: of two who looked at one state exactly one matches.
    changed = await Offering.filter(
        id=offering.id, status=offering.status, draft_status=offering.draft_status, version=offering.version
    ).update(**columns)
    if not changed:
        raise OfferingMovedOn()
    return await Offering.get(id=offering.id).select_related("provider")


async def note(action: str, offering: Offering, *, actor: Actor, now: datetime, **data: Any) -> None:
    """Write a deed on an offering into the journal."""
    await journal.record(
        action,
        f"offering:{offering.id}",
        actor=actor.name,
        at=now,
        programme_slug=offering.programme_slug,
        provider=offering.provider_id,
        **data,
    )


async def tell(topic: str, offering: Offering, now: datetime, **data: Any) -> None:
    """Tell the provider."""
    await outbox.tell(
        f"organisation:{offering.provider_id}",
        topic,
        at=now,
        offering=offering.id,
        programme=offering.programme_slug,
        **data,
    )


async def keep(
    offering: Offering,
    programme: Programme,
    *,
    selection_id: int | None,
    valid_until: datetime | None,
    actor: Actor,
    now: datetime,
) -> tuple[Offering, OfferingVersion]:
    """Write down for good what the draft says, with its files; the draft is shut.

    Raises ``FilesUnknown``, ``FileUnacceptable`` and :class:`OfferingMovedOn`.
    """
    content = content_of(offering.draft)
    number = 1 + await OfferingVersion.filter(offering_id=offering.id).count()
    row = await OfferingVersion.create(
        offering_id=offering.id,
        number=number,
        programme_version=programme.version,
        selection_id=selection_id,
        submitted_at=now,
        submitted_by=actor.id,
        valid_until=valid_until,
        **columns_of(content),
    )
    for document in programme.offering.documents:
        papers = await files.require_own(content.documents.get(document.code, ()), offering.provider_id)
        # Where several are asked for, each is a material of its own and not a loose page of one.
        several = document.minimum > 1 or document.minimum_ranged is not None or document.maximum != 1
        for material in [[paper] for paper in papers] if several else [papers]:
            await files.attach(
                material, f"offering:{offering.id}", document.code, programme=programme, now=now
            )
    offering = await change(
        offering,
        draft_status=DraftStatus.SUBMITTED,
        submitted_version_id=row.id,
        returned={},
        reason="",
        version=offering.version + 1,
    )
    await note("offering.submitted", offering, actor=actor, now=now, version=number)
    return offering, row


async def put_up(
    offering: Offering,
    version: OfferingVersion,
    *,
    actor: Actor,
    now: datetime,
    clause: str,
    **columns: Any,
) -> Offering:
    """List a version; the one that was listed before ends with it. Raises ``IllegalMove``.

    ``columns``: what becomes of the draft, unless it is what is listed now.
    """
    require_move(OFFERING_MOVES, offering.status, OfferingStatus.LISTED)
    offering = await change(
        offering,
        **{
            "status": OfferingStatus.LISTED,
            "status_reason": "",
            "draft_status": DraftStatus.PASSED,
            "submitted_version_id": None,
            "current_version_id": version.id,
            **columns,
        },
    )
    others = OfferingVersion.filter(
        offering_id=offering.id, listed_at__not_isnull=True, ended_at__isnull=True
    )
    await others.exclude(id=version.id).update(ended_at=now)
    await OfferingVersion.filter(id=version.id).update(listed_at=now, ended_at=None)
    await note("offering.listed", offering, actor=actor, now=now, version=version.number)
    await tell("offering.listed", offering, now, name=version.name, clause=clause)
    return offering


async def take_off(
    offering: Offering, status: OfferingStatus, *, reason: str, now: datetime, **columns: Any
) -> Offering:
    """End what is listed; the version keeps when. Raises ``IllegalMove``."""
    require_move(OFFERING_MOVES, offering.status, status)
    offering = await change(offering, status=status, status_reason=reason, **columns)
    await OfferingVersion.filter(id=offering.current_version_id, ended_at__isnull=True).update(ended_at=now)
    return offering


async def live_case(offering: Offering) -> ReviewCase | None:
    """The review that has not come to its end."""
    if offering.case_id is None:
        return None
    return await ReviewCase.get_or_none(id=offering.case_id, status__in=LIVE)


RECALLED: Mapping[str, Any] = {
    "draft_status": DraftStatus.OPEN,
    "returned": {},
    "reason": "",
    "submitted_version_id": None,
}
"""The columns of an offering whose review is taken back."""
