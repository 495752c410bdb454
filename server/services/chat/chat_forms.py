"""Chat forms: the same complaint in a form, for whoever would rather not go on in the chat.

The link is the key: 128 random bits, of which only a hash is kept, good for a day and for one draft. Whoever
files here or there ends both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from tortoise.transactions import in_transaction

from server.clock import Clock
from server.models.chat import ChatMedia, ChatSender, Conversation
from server.programme.chart import Act
from server.rules.chat_draft import Draft
from server.rules.complaints import LONGEST_STORY, Channel, SubjectKind
from server.rules.said import story
from server.sealing import Sealer
from server.services.access import NotFound
from server.services.chat.conversations import OVER, Conversations


@dataclass(frozen=True, slots=True, kw_only=True)
class FormAnswers:
    """What the form says in the end, whatever the draft said before."""

    kind: SubjectKind
    subject: str
    programme: str
    happened: str
    since: date | None
    wanted: str
    anonymous: bool
    name: str
    contact: str


@dataclass(frozen=True, slots=True)
class FormDraft:
    """A draft as the form begins with it."""

    answers: Mapping[str, str]
    happened: str
    anonymous: bool | None
    """``None``: not said yet."""
    media: int
    """How many pieces came with it."""
    until: datetime


class ChatForms:
    """The verbs on drafts behind a link."""

    def __init__(self, conversations: Conversations, sealer: Sealer, clock: Clock) -> None:
        self._conversations, self._sealer, self._clock = conversations, sealer, clock

    async def open(self, token: str) -> FormDraft:
        """What was said so far. Raises ``NotFound`` for a link that is none, or is over."""
        row = await self._found(token)
        draft = self._conversations.opened(row)
        naming = draft.get("naming")
        assert row.form_until is not None
        return FormDraft(
            answers=draft.fields,
            happened=story(draft)[:LONGEST_STORY],
            anonymous=naming == "anonymous" if naming else None,
            media=await ChatMedia.filter(id__in=list(draft.media)).count(),
            until=row.form_until,
        )

    async def file(self, token: str, answers: FormAnswers) -> Mapping[str, str]:
        """File the complaint with what was sent in the chat; its number and day, and the chat ends with it.

        Raises ``NotFound``, and every refusal of filing: then the draft is as it was.
        """
        now = self._clock.now()
        async with in_transaction():
            found = await self._found(token)
            # The lock of the conversation: nobody goes on in the chat meanwhile.
            sender = await ChatSender.select_for_update(no_key=True).get(id=found.sender_id)
            row = await self._found(token)
            draft = _filled_in(self._conversations.opened(row), answers)
            facts = await self._conversations.acts.do(
                Act.FILE, draft, sender, now=now, channel=Channel.MINI_PROGRAM
            )
            # The WHERE clause is the lock: one draft is filed once.
            ended = await Conversation.filter(id=row.id, ended_at=None, version=row.version).update(
                ended_at=now, version=row.version + 1, **OVER
            )
            if not ended:
                raise NotFound()
        return facts

    async def _found(self, token: str) -> Conversation:
        row = await Conversation.get_or_none(
            form_index__in=self._sealer.blinds(token), ended_at=None, form_until__gt=self._clock.now()
        )
        if row is None:
            raise NotFound()
        return row


def _filled_in(draft: Draft, answers: FormAnswers) -> Draft:
    """The draft with the form's answers. What was chosen by its number stays chosen."""
    same = answers.subject == draft.get("subject") and answers.kind == draft.get("kind")
    told = replace(draft, remarks=()).put(
        kind=answers.kind.value,
        subject=answers.subject,
        programme=answers.programme,
        happened=answers.happened,
        since="" if answers.since is None else answers.since.isoformat(),
        since_said="",
        wanted=answers.wanted,
        naming="anonymous" if answers.anonymous else "named",
        name=answers.name,
        contact=answers.contact,
    )
    return told if same else told.put(subject_id="")
