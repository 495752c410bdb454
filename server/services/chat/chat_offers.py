"""Chat offers: what a sender may choose from by number. Nobody is offered what is not their own.

Orders and cases are those of the person a sender is, and of the sender; whoever never signed in has only the
cases that came from here.
"""

from __future__ import annotations

from collections.abc import Iterable

from tortoise.expressions import Q

from server import texts
from server.clock import CHINA
from server.models.chat import ChatSender
from server.models.complaints import Complaint, ComplaintEntry
from server.models.orders import Order
from server.models.organisations import Membership
from server.models.rounds import Round
from server.programme.chart import Shelf
from server.rules.chat_turns import Offer, Offers
from server.rules.chat_walk import MOST_OFFERS
from server.rules.complaints import COMPLAINT_MAY, Audience, ComplaintAct, ComplaintStatus, EntryKind
from server.rules.deadlines import told, told_until
from server.rules.lifecycles import RoundStatus
from server.rules.said import echoed
from server.services.complaints.complaint_book import ComplaintBook
from server.services.complaints.complaints import Complaints

LONGEST_ANSWER_SHOWN = 200
MAILBOX = "mailbox"


class ChatOffers:
    """Looks up what may be offered, and only what a step looks at."""

    def __init__(self, complaints: Complaints) -> None:
        self._complaints = complaints

    @property
    def _book(self) -> ComplaintBook:
        return self._complaints.book

    def programmes(self) -> Offers:
        """What needs no looking up."""
        known = sorted(self._book.programmes, key=lambda one: one.slug)
        return {Shelf.PROGRAMMES: tuple(Offer(0, one.name, programme=one.slug) for one in known)}

    async def of(self, sender: ChatSender, shelves: Iterable[Shelf]) -> dict[Shelf, tuple[Offer, ...]]:
        """What these shelves hold for a sender."""
        looked_up = {Shelf.ORDERS: self._orders, Shelf.ROUNDS: self._rounds, Shelf.CASES: self._cases}
        return {one: await looked_up[one](sender) for one in sorted(shelves) if one in looked_up}

    async def _orders(self, sender: ChatSender) -> tuple[Offer, ...]:
        if sender.person_id is None:
            return ()
        place = await Membership.get_or_none(person_id=sender.person_id, active=True)
        if place is None:
            return ()
        sides = Q(enterprise_id=place.organisation_id) | Q(provider_id=place.organisation_id)
        rows = await Order.filter(sides).order_by("-id").limit(MOST_OFFERS)
        label = texts.CHAT_WORDS["order_offer"]
        return tuple(
            Offer(
                row.id,
                label.format(number=row.number, service=row.service or row.project),
                key=row.number,
                programme=row.programme_slug,
            )
            for row in rows
        )

    async def _rounds(self, sender: ChatSender) -> tuple[Offer, ...]:
        """The newest rounds that everybody may know of."""
        known = Round.exclude(status=RoundStatus.DRAFT).select_related("budget")
        label = texts.CHAT_WORDS["round_offer"]
        return tuple(
            Offer(
                row.id,
                label.format(title=row.title, day=row.opens_at.astimezone(CHINA).date().isoformat()),
                programme=row.budget.programme_slug,
            )
            for row in await known.order_by("-opens_at", "-id").limit(MOST_OFFERS)
        )

    async def _cases(self, sender: ChatSender) -> tuple[Offer, ...]:
        mine = await self._complaints.of_complainant(person_id=sender.person_id, sender_id=sender.id)
        answers = await self._answers([row.id for row in mine[:MOST_OFFERS]])
        return tuple(self._case(row, answers.get(row.id, "")) for row in mine[:MOST_OFFERS])

    async def _answers(self, ids: list[int]) -> dict[int, str]:
        """The last answer of each case, as its complainant reads it."""
        rows = ComplaintEntry.filter(complaint_id__in=ids, kind=EntryKind.ANSWER).order_by("id")
        return {
            row.complaint_id: self._book.sealer.open(row.words_sealed)
            for row in await rows
            if Audience.COMPLAINANT in row.audiences
        }

    def _case(self, row: Complaint, answer: str) -> Offer:
        words = texts.CHAT_WORDS
        status = words[f"status_{row.status.value}"]
        standing = words["case_standing"].format(status=status, filed=told(row.filed_at))
        if row.status in (ComplaintStatus.FILED, ComplaintStatus.IN_HAND):
            standing += words["case_due"].format(due=told_until(row.answer_due_at))
        if answer:
            standing += words["case_answer"].format(answer=echoed(answer, LONGEST_ANSWER_SHOWN))
        return Offer(
            row.id,
            words["case_offer"].format(number=row.number, status=status),
            key=row.number,
            programme=row.programme_slug,
            standing=standing,
            deeds=self._deeds(row),
        )

    def _deeds(self, row: Complaint) -> frozenset[str]:
        """What its complainant may do with a case now; the verbs themselves look again."""
        now, deeds = self._book.now(row.programme_slug), set(COMPLAINT_MAY[row.status])
        if row.urge_again_at is not None and now < row.urge_again_at:
            deeds.discard(ComplaintAct.URGE)
        if row.reopen_until is not None and now >= row.reopen_until:
            deeds.discard(ComplaintAct.REOPEN)
        if row.handling is not None:
            deeds.discard(ComplaintAct.RATE)
        named = {one.value for one in deeds}
        if ComplaintAct.REOPEN in deeds and not row.sealed:
            named.add(MAILBOX)
        return frozenset(named)
