"""Enquiries: an enterprise says what it needs, providers answer with what they offer (GX-50, GX-51).

An enquiry is shown only after the programme's review. Each provider's answer begins one thread between the
two, which nobody else of the market reads; what was said is kept when the enquiry is closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.enquiries import Enquiry, EnquiryAnswer, EnquiryMessage
from server.models.offerings import OfferingVersion
from server.models.organisations import Organisation
from server.models.reviews import ReviewCase
from server.programme.catalogue import EnquiryRules
from server.programme.model import Programme
from server.programme.papers import FieldKind
from server.programme.registry import Programmes
from server.programme.review import ReviewSubject
from server.programme.vocabulary import Party
from server.rules.deadlines import day_of
from server.rules.enquiries import (
    ENQUIRY_MAY,
    ENQUIRY_MOVES,
    EnquiryAct,
    EnquiryStatus,
    enquiry_faults,
)
from server.rules.lifecycles import ProviderAct, QualificationAct, require_act, require_move
from server.services import access, allowances, journal, outbox
from server.services.access import Actor, NotFound
from server.services.admissions.standings import require_standing
from server.services.afterwards import After, nothing
from server.services.clocks import ProgrammeClocks
from server.services.marketplace import offering_book
from server.services.organisations.memberships import lock
from server.services.providers.provider_standing import require_provider
from server.services.reviews.reviews import Reviews

LONGEST_TITLE = 100


class EnquiriesNotHere(Refusal):
    """The programme has no enquiries."""

    status, code = 409, "enquiries_not_here"


class EnquiryUnusable(Refusal):
    """Something in it does not fit what the programme asks; ``unmet`` names everything."""

    status, code = 422, "enquiry_unusable"


class EnquiryEmpty(Refusal):
    """Every field may be left out, but not all of them."""

    status, code = 422, "enquiry_empty"


class EnquiryMovedOn(Refusal):
    """Somebody changed it a moment earlier."""

    status, code = 409, "enquiry_moved_on"


class EnquiryAnswered(Refusal):
    """The provider has answered already: the thread goes on."""

    status, code = 409, "enquiry_answered"


class OwnEnquiry(Refusal):
    """Nobody answers what they ask themselves."""

    status, code = 409, "own_enquiry"


def rules_of(programme: Programme) -> EnquiryRules:
    """What the programme says of enquiries. Raises :class:`EnquiriesNotHere`."""
    if programme.enquiry is None:
        raise EnquiriesNotHere(clause=programme.offering.article, programme=programme.name)
    return programme.enquiry


class Enquiries:
    """The verbs on enquiries. Instants are those of the programme's clock."""

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks, reviews: Reviews) -> None:
        self.programmes = programmes
        self._clocks = clocks
        self._reviews = reviews

    async def draft(self, slug: str, values: Mapping[str, Any], *, anonymous: bool, actor: Actor) -> Enquiry:
        """Begin an enquiry. Raises :class:`EnquiriesNotHere`, :class:`EnquiryUnusable`, ``TooManyToday``."""
        programme = self.programmes.get(slug)
        mine = access.organisation_id_of(actor)
        now = self._clocks.now(programme.slug)
        _require_usable(rules_of(programme), values, now)
        written = Enquiry.filter(enterprise_id=mine)
        await allowances.require(written, "created_at", allowances.ENQUIRIES, now=now)
        async with in_transaction():
            enquiry = await Enquiry.create(
                programme_slug=programme.slug,
                programme_version=programme.version,
                enterprise_id=mine,
                values=dict(values),
                anonymous=anonymous,
                created_by=actor.name,
                created_at=now,
            )
            await note("enquiry.drafted", enquiry, actor, now)
        return await Enquiry.get(id=enquiry.id)

    async def rewrite(
        self, enquiry_id: int, values: Mapping[str, Any], *, anonymous: bool, version: int, actor: Actor
    ) -> Enquiry:
        """Write it anew while it is a draft or was returned.

        Raises ``NotFound``, ``NotPermittedNow``, :class:`EnquiryUnusable`, :class:`EnquiryMovedOn`.
        """
        enquiry, programme, now = await self._own(enquiry_id, actor)
        require_act(ENQUIRY_MAY, enquiry.status, EnquiryAct.EDIT)
        _require_usable(rules_of(programme), values, now)
        async with in_transaction():
            # The WHERE clause is the lock: whoever looked at an older version is told so.
            saved = await Enquiry.filter(id=enquiry.id, version=version, status=enquiry.status).update(
                values=dict(values), anonymous=anonymous, version=F("version") + 1
            )
            if not saved:
                raise EnquiryMovedOn()
            await note("enquiry.saved", enquiry, actor, now)
        return await Enquiry.get(id=enquiry.id)

    async def submit(self, enquiry_id: int, *, version: int, actor: Actor) -> Enquiry:
        """Hand it in for review, or again after a return; where nothing is reviewed it is shown at once.

        Raises ``NotFound``, ``IllegalMove``, ``NotInStanding``, :class:`EnquiryEmpty`,
        :class:`EnquiryUnusable`, :class:`EnquiryMovedOn`.
        """
        enquiry, programme, now = await self._own(enquiry_id, actor)
        rules = rules_of(programme)
        _require_usable(rules, enquiry.values, now)
        if not enquiry.values:
            raise EnquiryEmpty(clause=rules.article)
        async with in_transaction():
            enterprise = await lock(enquiry.enterprise_id)
            await require_standing(
                programme, enterprise, Party.ENTERPRISE, QualificationAct.OBTAIN_VOUCHERS, now=now
            )
            enquiry = await move(enquiry, EnquiryStatus.PENDING, version=version, reason="", returned={})
            await note("enquiry.submitted", enquiry, actor, now)
            after = await self._review(enquiry, programme, enterprise, actor, now)
        await after()
        return await Enquiry.get(id=enquiry.id)

    async def close(self, enquiry_id: int, *, reason: str, actor: Actor) -> Enquiry:
        """End it; whoever answered is told. Raises ``NotFound``, ``IllegalMove``, :class:`EnquiryMovedOn`."""
        enquiry, _, now = await self._own(enquiry_id, actor)
        async with in_transaction():
            await lock(enquiry.enterprise_id)
            enquiry = await Enquiry.get(id=enquiry.id)
            under_review = enquiry.status in (EnquiryStatus.PENDING, EnquiryStatus.RETURNED)
            enquiry = await move(
                enquiry, EnquiryStatus.CLOSED, version=enquiry.version, reason=reason, closed_at=now
            )
            if under_review and enquiry.case_id is not None:
                case = await ReviewCase.get(id=enquiry.case_id)
                await self._reviews.withdraw(case, reason=reason, actor=actor, now=now)
            await note("enquiry.closed", enquiry, actor, now)
            answered = await EnquiryAnswer.filter(enquiry_id=enquiry.id).order_by("id")
            for one in answered:
                await outbox.tell(
                    f"organisation:{one.provider_id}",
                    "enquiry.closed",
                    at=now,
                    enquiry=enquiry.id,
                    programme=enquiry.programme_slug,
                )
        return enquiry

    async def answer(self, enquiry_id: int, offering_id: int, words: str, *, actor: Actor) -> EnquiryAnswer:
        """An admitted provider answers with one of its listed offerings; a thread begins.

        Raises ``NotFound``, ``NotPermittedNow``, ``NotInStanding``, ``OfferingNotListed``, ``TooManyToday``,
        :class:`OwnEnquiry`, :class:`EnquiryAnswered`.
        """
        mine = access.organisation_id_of(actor)
        enquiry = await Enquiry.get_or_none(id=enquiry_id)
        if enquiry is None or enquiry.shown_at is None:
            raise NotFound()
        if enquiry.enterprise_id == mine:
            raise OwnEnquiry()
        programme = self.programmes.version(enquiry.programme_slug, enquiry.programme_version)
        now = self._clocks.now(programme.slug)
        async with in_transaction():
            provider = await lock(mine)
            await require_provider(programme, provider, ProviderAct.PUBLISH, now=now)
            given = EnquiryAnswer.filter(provider_id=mine)
            await allowances.require(given, "answered_at", allowances.ENQUIRY_ANSWERS, now=now)
            offered = await _offered(offering_id, mine, programme.slug, now)
            await _hold(enquiry, EnquiryAct.ANSWER)
            try:
                async with in_transaction():  # A savepoint: one answer of each provider.
                    answer = await EnquiryAnswer.create(
                        enquiry_id=enquiry.id,
                        provider_id=mine,
                        offering_id=offering_id,
                        offering_version_id=offered.id,
                        offering_name=offered.name,
                        answered_at=now,
                    )
            except IntegrityError:
                raise EnquiryAnswered() from None
            await EnquiryMessage.create(
                answer_id=answer.id, party=Party.PROVIDER, words=words, said_by=actor.name, said_at=now
            )
            await note("enquiry.answered", enquiry, actor, now, answer=answer.id, offering=offering_id)
            await outbox.tell(
                f"organisation:{enquiry.enterprise_id}",
                "enquiry.answered",
                at=now,
                enquiry=enquiry.id,
                programme=programme.slug,
                provider=provider.name,
                offering=offered.name,
            )
        return answer

    async def say(self, answer_id: int, words: str, *, actor: Actor) -> EnquiryMessage:
        """Go on in a thread, as one of its two sides.

        Raises ``NotFound``, ``NotPermittedNow``, ``TooManyToday``.
        """
        answer, party = await thread_of(answer_id, actor=actor)
        enquiry = answer.enquiry
        now = self._clocks.now(enquiry.programme_slug)
        async with in_transaction():
            await _hold(enquiry, EnquiryAct.TALK)
            thread = EnquiryMessage.filter(answer_id=answer.id)
            await allowances.require(thread, "said_at", allowances.MESSAGES, now=now)
            said = await EnquiryMessage.create(
                answer_id=answer.id, party=party, words=words, said_by=actor.name, said_at=now
            )
            await note("enquiry.said", enquiry, actor, now, answer=answer.id, message=said.id)
            other = answer.provider_id if party is Party.ENTERPRISE else enquiry.enterprise_id
            await outbox.tell(
                f"organisation:{other}",
                "enquiry.said",
                at=now,
                enquiry=enquiry.id,
                programme=enquiry.programme_slug,
            )
        return said

    async def _own(self, enquiry_id: int, actor: Actor) -> tuple[Enquiry, Programme, datetime]:
        enquiry = await Enquiry.get_or_none(id=enquiry_id, enterprise_id=access.organisation_id_of(actor))
        if enquiry is None:
            raise NotFound()
        programme = self.programmes.version(enquiry.programme_slug, enquiry.programme_version)
        return enquiry, programme, self._clocks.now(programme.slug)

    async def _review(
        self, enquiry: Enquiry, programme: Programme, enterprise: Organisation, actor: Actor, now: datetime
    ) -> After:
        """Begin the review, or go on with it after a return; without one it is shown at once."""
        subject = ReviewSubject.ENQUIRY
        if not rules_of(programme).reviewed or programme.review(subject) is None:
            await show(enquiry, actor, now)
            return nothing
        if enquiry.case_id is not None:
            case = await ReviewCase.get(id=enquiry.case_id)
            return await self._reviews.resume(case, actor=actor, now=now)
        case, after = await self._reviews.open(
            subject,
            enquiry.id,
            programme=programme,
            organisation=enterprise,
            title=texts.ENQUIRY_TITLE.format(what=what_of(enquiry, programme)),
            actor=actor,
            now=now,
        )
        await Enquiry.filter(id=enquiry.id).update(case_id=case.id)
        return after


def what_of(enquiry: Enquiry, programme: Programme) -> str:
    """What is looked for, in a few words: the first text that was filled in."""
    said = (enquiry.values.get(one.code) for one in rules_of(programme).fields if one.kind is FieldKind.TEXT)
    return next((str(one)[:LONGEST_TITLE] for one in said if one), texts.ENQUIRY_TITLE_PLAIN)


async def thread_of(answer_id: int, *, actor: Actor) -> tuple[EnquiryAnswer, Party]:
    """A thread of the actor's own organisation with its enquiry, and which side that is.

    Raises ``NotFound``.
    """
    mine = access.organisation_id_of(actor)
    answer = await EnquiryAnswer.get_or_none(id=answer_id).select_related("enquiry", "provider")
    if answer is not None and answer.provider_id == mine:
        return answer, Party.PROVIDER
    if answer is not None and answer.enquiry.enterprise_id == mine:
        return answer, Party.ENTERPRISE
    raise NotFound()


async def show(enquiry: Enquiry, actor: Actor, now: datetime) -> None:
    """From now on everybody sees it; inside the caller's transaction."""
    await move(enquiry, EnquiryStatus.SHOWN, version=enquiry.version, shown_at=now)
    await note("enquiry.shown", enquiry, actor, now)


async def move(enquiry: Enquiry, target: EnquiryStatus, *, version: int, **changes: object) -> Enquiry:
    """Move an enquiry from the version somebody looked at.

    Raises ``IllegalMove``, :class:`EnquiryMovedOn`.
    """
    require_move(ENQUIRY_MOVES, enquiry.status, target)
    # The WHERE clause is the lock: of two who move it at once exactly one matches a row.
    moved = await Enquiry.filter(id=enquiry.id, status=enquiry.status, version=version).update(
        status=target, version=F("version") + 1, **changes
    )
    if not moved:
        raise EnquiryMovedOn()
    return await Enquiry.get(id=enquiry.id)


async def note(action: str, enquiry: Enquiry, actor: Actor, now: datetime, **data: object) -> None:
    """Write a deed on an enquiry into the journal; what was said stays out of it."""
    await journal.record(
        action,
        f"enquiry:{enquiry.id}",
        actor=actor.name,
        at=now,
        programme_slug=enquiry.programme_slug,
        enterprise=enquiry.enterprise_id,
        **data,
    )


async def _hold(enquiry: Enquiry, act: EnquiryAct) -> None:
    """Refuse unless the enquiry permits the act; nobody closes it until the transaction is over."""
    # The row's lock on both databases: whoever closes it waits, or has closed it already.
    await Enquiry.filter(id=enquiry.id).update(version=F("version"))
    require_act(ENQUIRY_MAY, (await Enquiry.get(id=enquiry.id)).status, act)


async def _offered(offering_id: int, provider_id: int, slug: str, now: datetime) -> OfferingVersion:
    offered = await offering_book.listed(offering_id, now=now)
    if offered.offering.provider_id != provider_id or offered.offering.programme_slug != slug:
        raise NotFound()
    return offered


def _require_usable(rules: EnquiryRules, values: Mapping[str, Any], now: datetime) -> None:
    faults = enquiry_faults(rules, values, day_of(now))
    if faults:
        raise EnquiryUnusable(
            clause=rules.article,
            arithmetic=next((one.arithmetic for one in faults if one.arithmetic), ""),
            unmet=faults,
            count=len(faults),
        )
