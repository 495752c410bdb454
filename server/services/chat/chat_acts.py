"""Chat acts: what an end of the chart asks for, done on the draft it was reached with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from tortoise.expressions import Q

from server import texts
from server.models.chat import ChatMedia, ChatSender
from server.models.complaints import Complaint
from server.models.orders import Order
from server.models.organisations import Membership, Organisation, Qualification
from server.models.rounds import Round
from server.programme.chart import Act
from server.programme.vocabulary import Party
from server.rules.chat_draft import Draft
from server.rules.complaints import (
    LONGEST_MESSAGE,
    LONGEST_STORY,
    SATISFACTION,
    Channel,
    SubjectKind,
)
from server.rules.deadlines import told_until
from server.rules.lifecycles import RoundStatus
from server.rules.said import story
from server.services.complaints.complaints import Complaints, Filing, Whose
from server.services.complaints.content_checks import ContentChecks


class ChatActs:
    """Does what was asked for, inside the caller's transaction."""

    def __init__(self, complaints: Complaints, checks: ContentChecks) -> None:
        self._complaints = complaints
        self._checks = checks

    async def do(
        self, act: Act, draft: Draft, sender: ChatSender, *, now: datetime, channel: Channel = Channel.CHAT
    ) -> Mapping[str, str]:
        """Do it; what its sentence names. ``now`` is the machine's clock.

        Raises every refusal of the verbs on complaints: then nothing was done.
        """
        if act is Act.FILE:
            complaint = await self._file(draft, sender, channel=channel, now=now)
        elif act is Act.ASK_STAFF:
            complaint = await self._ask_staff(draft, sender, now=now)
        else:
            complaint = await self._on_case(act, draft, sender, now=now)
        return {"number": complaint.number, "due": told_until(complaint.answer_due_at)}

    # -- a new case ------------------------------------------------------------------------------------

    async def _file(self, draft: Draft, sender: ChatSender, *, channel: Channel, now: datetime) -> Complaint:
        kind, subject_id, slug = await self._subject(draft, sender)
        about = draft.get("subject") if subject_id is None else ""
        told_story = story(draft, about)
        wanted = draft.get("wanted")
        rest = [told_story[LONGEST_STORY:], wanted[LONGEST_MESSAGE:]]
        since = draft.get("since")
        named = draft.get("naming") == "named"
        return await self._filed(
            sender,
            Filing(
                channel=channel,
                subject=kind,
                subject_id=subject_id,
                programme_slug=slug or None,
                happened=told_story[:LONGEST_STORY],
                since=date.fromisoformat(since) if since else None,
                wanted=wanted[:LONGEST_MESSAGE],
                file_ids=await _kept(draft.media, sender),
                anonymous=not named,
                name=draft.get("name") if named else "",
                contact=draft.get("contact") if named else "",
                person_id=sender.person_id,
                sender_id=sender.id,
            ),
            rest="".join(rest),
            media=draft.media,
            now=now,
        )

    async def _ask_staff(self, draft: Draft, sender: ChatSender, *, now: datetime) -> Complaint:
        """A question for people is a case like any other: with a number, a day, and an answer."""
        words = draft.get("words")
        return await self._filed(
            sender,
            Filing(
                channel=Channel.CHAT,
                subject=SubjectKind.OTHER,
                subject_id=None,
                programme_slug=await self._programme_of(sender),
                happened=words[:LONGEST_STORY] or texts.CHAT_WORDS["no_words"],
                since=None,
                wanted=texts.CHAT_WORDS["human_wanted"],
                file_ids=await _kept(draft.side_media, sender),
                anonymous=True,
                name="",
                contact="",
                person_id=sender.person_id,
                sender_id=sender.id,
            ),
            rest=words[LONGEST_STORY:],
            media=draft.side_media,
            now=now,
        )

    async def _filed(
        self, sender: ChatSender, filing: Filing, *, rest: str, media: Sequence[int], now: datetime
    ) -> Complaint:
        slug = filing.programme_slug or ""
        complaint = await self._complaints.file(filing, now=self._complaints.book.now(slug))
        await self._add_words(complaint, rest, sender)
        await _settle(media, sender, complaint, filing.file_ids, now=now)
        await self._checks.in_case(filing.file_ids, complaint)
        await self._checks.of_words(
            f"{filing.happened}\n{filing.wanted}\n{rest}", complaint=complaint, sender=sender, now=now
        )
        return complaint

    async def _subject(self, draft: Draft, sender: ChatSender) -> tuple[SubjectKind, int | None, str]:
        """What the complaint is about as the database knows it; what it does not know is told in words."""
        kind, slug = SubjectKind(draft.get("kind") or SubjectKind.OTHER), draft.get("programme")
        said = draft.get("subject")
        chosen = int(draft.get("subject_id")) if draft.get("subject_id") else None
        if kind is SubjectKind.ORDER:
            order = await self._order(chosen, said, sender)
            if order is not None:
                return kind, order.id, order.programme_slug
        elif kind is SubjectKind.PROVIDER:
            provider = await _provider(said, slug)
            if provider is not None:
                return kind, provider, slug
        elif kind is SubjectKind.ROUND:
            known = Round.exclude(status=RoundStatus.DRAFT).select_related("budget")
            row = None if chosen is None else await known.get_or_none(id=chosen)
            if row is not None:
                return kind, row.id, row.budget.programme_slug
        else:
            return kind, None, slug
        return SubjectKind.OTHER, None, slug

    async def _order(self, chosen: int | None, said: str, sender: ChatSender) -> Order | None:
        """The order that was chosen or whose number was written; of somebody known, only their own.

        Nobody is told whether a number is one: what comes of it is read by the handlers alone.
        """
        wanted = Q(id=chosen) if chosen is not None else Q(number=said.strip().upper())
        if sender.person_id is not None:
            place = await Membership.get_or_none(person_id=sender.person_id, active=True)
            if place is None:
                return None
            wanted &= Q(enterprise_id=place.organisation_id) | Q(provider_id=place.organisation_id)
        return await Order.get_or_none(wanted)

    async def _programme_of(self, sender: ChatSender) -> str | None:
        """The one programme that somebody known has to do with, if it is one."""
        slugs = {one.slug for one in self._complaints.book.programmes}
        if len(slugs) > 1 and sender.person_id is not None:
            place = await Membership.get_or_none(person_id=sender.person_id, active=True)
            if place is not None:
                standings = Qualification.filter(organisation_id=place.organisation_id)
                slugs &= {str(one) for one in await standings.values_list("programme_slug", flat=True)}
        return slugs.pop() if len(slugs) == 1 else None

    # -- a case that there is --------------------------------------------------------------------------

    async def _on_case(self, act: Act, draft: Draft, sender: ChatSender, *, now: datetime) -> Complaint:
        by = Whose(sender.person_id, sender.id)
        case, words = int(draft.get("case")), draft.get("words")
        files = await _kept(draft.side_media, sender)
        some, rest = words[:LONGEST_MESSAGE], words[LONGEST_MESSAGE:]
        filler = texts.CHAT_WORDS["no_words"]
        if act is Act.SUPPLEMENT:
            complaint = await self._complaints.supplement(case, some or filler, file_ids=files, by=by)
        elif act is Act.REOPEN:
            mailbox = draft.get("instance") == "mailbox"
            complaint = await self._complaints.reopen(case, reason=some or filler, mailbox=mailbox, by=by)
            if files:
                words_of_files = texts.CHAT_WORDS["more_media"]
                await self._complaints.supplement(case, words_of_files, file_ids=files, by=by)
        else:
            complaint = await self._complaints.own(case, by)
            if act is not Act.RATE and (files or rest or (act is Act.URGE and words)):
                # An urge has no words of its own, and the others have room for so many.
                await self._complaints.supplement(case, some or filler, file_ids=files, by=by)
                await self._add_words(complaint, rest, sender)
                some = ""
            rest = ""
            complaint = await self._short(act, case, some, draft.get("stars"), by=by)
        await self._add_words(complaint, rest, sender)
        await _settle(draft.side_media, sender, complaint, files, now=now)
        await self._checks.in_case(files, complaint)
        if words:
            await self._checks.of_words(words, complaint=complaint, sender=sender, now=now)
        return complaint

    async def _short(self, act: Act, case: int, words: str, stars: str, *, by: Whose) -> Complaint:
        """What is done with a case in one word."""
        verbs = self._complaints
        if act is Act.URGE:
            return await verbs.urge(case, by=by)
        if act is Act.WITHDRAW:
            return await verbs.withdraw(case, reason=words, by=by)
        if act is Act.CONFIRM:
            await verbs.confirm(case, by=by)
        return await verbs.rate(case, SATISFACTION[int(stars) - 1], words=words, by=by)

    async def _add_words(self, complaint: Complaint, rest: str, sender: ChatSender) -> None:
        """What one message of a case does not hold."""
        by = Whose(sender.person_id, sender.id)
        label = texts.CHAT_WORDS["overflow"]
        room = LONGEST_MESSAGE - len(label)
        for start in range(0, len(rest), room):
            words = label.format(rest=rest[start : start + room])
            await self._complaints.supplement(complaint.id, words, by=by)


async def _kept(media: Sequence[int], sender: ChatSender) -> tuple[int, ...]:
    """The files that have come to be of what was sent, in the order in which it was."""
    rows = ChatMedia.filter(id__in=list(media), sender_id=sender.id, status="kept", added_at=None)
    return tuple(row.file_id for row in await rows.order_by("id") if row.file_id is not None)


async def _settle(
    media: Sequence[int], sender: ChatSender, complaint: Complaint, files: Sequence[int], *, now: datetime
) -> None:
    """These files are in the case; what is being fetched, or came to be a file meanwhile, will be added."""
    rows = ChatMedia.filter(id__in=list(media), sender_id=sender.id, complaint_id=None)
    await rows.filter(status="kept", file_id__in=list(files)).update(complaint_id=complaint.id, added_at=now)
    # In one statement, or what is fetched between two of them would belong to nothing.
    await rows.filter(status__in=["kept", "waiting"]).update(complaint_id=complaint.id)


async def _provider(name: str, slug: str) -> int | None:
    """The provider of exactly this name, in the programme if one is known."""
    known = Qualification.filter(party=Party.PROVIDER, **({"programme_slug": slug} if slug else {}))
    ids = await known.values_list("organisation_id", flat=True)
    found = await Organisation.filter(id__in=ids, name=name.strip()).limit(2)
    return found[0].id if len(found) == 1 else None
