"""Reading enquiries: what everybody sees, what is one's own, and the threads one is a side of."""

from __future__ import annotations

from dataclasses import dataclass

from server.models.enquiries import Enquiry, EnquiryAnswer, EnquiryMessage
from server.rules.enquiries import EnquiryStatus
from server.services import access
from server.services.access import Actor, NotFound
from server.services.marketplace.enquiries import thread_of

PAGE = 50


@dataclass(frozen=True, slots=True)
class Thread:
    """An answer to an enquiry, and everything said in it since, in its order."""

    answer: EnquiryAnswer
    messages: list[EnquiryMessage]


async def shown(*, slug: str | None, before: int | None) -> list[Enquiry]:
    """What is shown now, the newest first; one more than a page."""
    known = Enquiry.filter(status=EnquiryStatus.SHOWN)
    if slug is not None:
        known = known.filter(programme_slug=slug)
    if before is not None:
        known = known.filter(id__lt=before)
    return await known.select_related("enterprise").order_by("-id").limit(PAGE + 1)


async def shown_once(enquiry_id: int) -> Enquiry:
    """An enquiry that is shown, or was until it was closed. Raises ``NotFound``."""
    known = Enquiry.filter(id=enquiry_id, shown_at__isnull=False)
    enquiry = await known.select_related("enterprise").first()
    if enquiry is None:
        raise NotFound()
    return enquiry


async def own(*, actor: Actor, after: int) -> list[Enquiry]:
    """The enquiries of the actor's organisation, by id; one more than a page."""
    known = Enquiry.filter(enterprise_id=access.organisation_id_of(actor), id__gt=after)
    return await known.select_related("enterprise").order_by("id").limit(PAGE + 1)


async def own_one(enquiry_id: int, *, actor: Actor) -> Enquiry:
    """One of them. Raises ``NotFound``."""
    known = Enquiry.filter(id=enquiry_id, enterprise_id=access.organisation_id_of(actor))
    enquiry = await known.select_related("enterprise").first()
    if enquiry is None:
        raise NotFound()
    return enquiry


async def answers_to(enquiry_id: int, *, actor: Actor, after: int) -> list[EnquiryAnswer]:
    """The answers to an enquiry of the actor's organisation, by id; one more than a page."""
    await own_one(enquiry_id, actor=actor)
    known = EnquiryAnswer.filter(enquiry_id=enquiry_id, id__gt=after)
    return await known.select_related("enquiry__enterprise", "provider").order_by("id").limit(PAGE + 1)


async def answers_of(*, actor: Actor, after: int) -> list[EnquiryAnswer]:
    """What the actor's organisation answered, by id; one more than a page."""
    known = EnquiryAnswer.filter(provider_id=access.organisation_id_of(actor), id__gt=after)
    return await known.select_related("enquiry__enterprise", "provider").order_by("id").limit(PAGE + 1)


async def thread(answer_id: int, *, actor: Actor, after: int) -> Thread:
    """A thread of the actor's organisation, with a page of its messages by id. Raises ``NotFound``."""
    answer, _ = await thread_of(answer_id, actor=actor)
    await answer.enquiry.fetch_related("enterprise")
    said = EnquiryMessage.filter(answer_id=answer.id, id__gt=after)
    return Thread(answer, await said.order_by("id").limit(PAGE + 1))
