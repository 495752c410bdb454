"""Chat media: what somebody sent is fetched from WeChat, checked like every file, and kept as evidence.

WeChat keeps it for three days. Whatever it is, the person is told: a file that is not what it says, one that
is too large, one that WeChat gives us no more. A complaint that is filed meanwhile gets it afterwards.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import filetype
import structlog
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.gateways.lab import AMR, JPEG, MP4, PDF, PNG
from server.gateways.wechat_calls import WechatCalls, WechatRefused
from server.gateways.wechat_http import Fetched, WechatUnavailable
from server.models.chat import ChatMedia, ChatSender, ContentCheck
from server.models.files import StoredFile
from server.programme.chart import MediaRules
from server.rules.chat_messages import MessageKind
from server.sealing import Sealer
from server.services.chat.chat_replies import ChatReplies
from server.services.complaints.complaints import Complaints, Whose
from server.services.complaints.content_checks import ContentChecks
from server.services.files.file_intake import UploadFinished
from server.services.files.file_safety import HEAD_BYTES, FileRefused
from server.services.files.uploads import Uploads

EXTENSIONS = {JPEG: "jpg", PNG: "png", PDF: "pdf", MP4: "mp4", AMR: "amr"}
AT_ONCE = 10
MOST_ATTEMPTS = 40
LONGEST_PAUSE = timedelta(hours=2)
"""Forty attempts are three days: by then WeChat has forgotten it."""
GONE = frozenset({40007, 40004, 41006})
EXPIRED, REFUSED, KEPT, WAITING, DROPPED = "expired", "refused", "kept", "waiting", "dropped"
GIVEN_UP = timedelta(days=1)
SWEPT_AT_ONCE = 200

log = structlog.get_logger("server.chat_media")


class ChatMediaDesk:
    """Fetches what was sent."""

    def __init__(
        self,
        rules: MediaRules,
        calls: WechatCalls,
        uploads: Uploads,
        sealer: Sealer,
        complaints: Complaints,
        checks: ContentChecks,
        replies: ChatReplies,
    ) -> None:
        self._rules, self._calls, self._uploads, self._sealer = rules, calls, uploads, sealer
        self._complaints, self._checks, self._replies = complaints, checks, replies

    async def fetch_due(self, now: datetime) -> int:
        """Fetch everything that waits and add what came late to its case; returns how many were tried."""
        due = (
            await ChatMedia.filter(status=WAITING, next_at__lte=now).order_by("next_at", "id").limit(AT_ONCE)
        )
        mine = [row for row in due if await self._claimed(row, now)]
        await asyncio.gather(*(self._fetch(row, now) for row in mine))
        late = ChatMedia.filter(status=KEPT, added_at=None, complaint_id__not_isnull=True).order_by("id")
        for row in await late.limit(AT_ONCE):
            await self._add(row, now)
        return len(mine)

    async def sweep(self, now: datetime) -> int:
        """Forget what was sent for a complaint that was given up; returns how many pieces."""
        left = ChatMedia.filter(
            complaint_id=None, conversation__ended_at__lt=now - GIVEN_UP, status=KEPT
        ).order_by("id")
        rows = await left.limit(SWEPT_AT_ONCE)
        for row in rows:
            async with in_transaction():
                dropped = await ChatMedia.filter(id=row.id, complaint_id=None, status=KEPT).update(
                    status=DROPPED, file_id=None
                )
                if dropped:
                    await ContentCheck.filter(file_id=row.file_id).delete()
                    await StoredFile.filter(id=row.file_id).delete()
        return len(rows)

    async def _claimed(self, row: ChatMedia, now: datetime) -> bool:
        """The WHERE clause is the lock: of two processes one fetches."""
        pause = min(timedelta(seconds=15) * 2 ** min(row.attempts, 12), LONGEST_PAUSE)
        claimed = ChatMedia.filter(id=row.id, status=WAITING, attempts=row.attempts)
        return bool(await claimed.update(attempts=row.attempts + 1, next_at=now + pause))

    async def _fetch(self, row: ChatMedia, now: datetime) -> None:
        sender = await ChatSender.get(id=row.sender_id)
        if not self._calls.serves(sender.account):
            await self._give_up(row, EXPIRED, texts.CHAT_WORDS["media_expired"], now)
            return
        try:
            found = await self._calls.media(
                self._sealer.open(row.media_id_sealed),
                account=sender.account,
                most_bytes=self._rules.max_bytes,
            )
        except WechatRefused as refused:
            if refused.errcode in GONE or row.attempts + 1 >= MOST_ATTEMPTS:
                await self._give_up(row, EXPIRED, texts.CHAT_WORDS["media_expired"], now)
        except WechatUnavailable:
            if row.attempts + 1 >= MOST_ATTEMPTS:
                await self._give_up(row, EXPIRED, texts.CHAT_WORDS["media_expired"], now)
        else:
            if isinstance(found, Fetched):
                await self._take(row, found.content, now)
            else:
                await self._give_up(row, REFUSED, texts.CHAT_WORDS["media_elsewhere"], now)

    async def _take(self, row: ChatMedia, content: bytes, now: datetime) -> None:
        """Through the same intake as every file; what it refuses is told to whoever sent it."""
        extension = EXTENSIONS.get(filetype.guess_mime(content[:HEAD_BYTES]) or "", "")
        if extension not in self._rules.extensions:
            await self._give_up(row, REFUSED, texts.CHAT_WORDS["media_unknown"], now)
            return
        name = texts.CHAT_WORDS["media_name"].format(number=row.id, extension=extension)
        try:
            file = await self._uploads.take_whole(
                name, content, slug=self._slug(), sent_by=f"sender:{row.sender_id}", now=now
            )
        except (FileRefused, UploadFinished) as refusal:
            await self._give_up(row, REFUSED, texts.sentence(refusal), now)
        else:
            await self._keep(row, file, now)

    def _slug(self) -> str:
        """Whose clock a file is dated by before anybody knows what it belongs to: any programme's."""
        return min(one.slug for one in self._uploads.programmes)

    async def _keep(self, row: ChatMedia, file: StoredFile, now: datetime) -> None:
        async with in_transaction():
            kept = await ChatMedia.filter(id=row.id, status=WAITING).update(
                status=KEPT, file_id=file.id, settled_at=now, media_id_sealed=""
            )
            if kept:
                await self._checks.of_file(file, sender_id=row.sender_id, now=now)

    async def _add(self, row: ChatMedia, now: datetime) -> None:
        """What was still on its way when its case was filed."""
        assert row.complaint_id is not None and row.file_id is not None
        by = Whose(None, row.sender_id)
        try:
            async with in_transaction():
                if not await ChatMedia.filter(id=row.id, added_at=None).update(added_at=now):
                    return
                words = texts.CHAT_WORDS["more_media"]
                complaint = await self._complaints.supplement(
                    row.complaint_id, words, file_ids=[row.file_id], by=by
                )
                await self._checks.in_case([row.file_id], complaint)
        except Refusal as refusal:
            async with in_transaction():
                await ChatMedia.filter(id=row.id, added_at=None).update(added_at=now, reason=refusal.code)
                await self._replies.say(row.sender_id, texts.sentence(refusal), now=now)

    async def _give_up(self, row: ChatMedia, status: str, why: str, now: datetime) -> None:
        """It is not kept, and whoever sent it is told why."""
        log.info("chat_media.not_kept", media=row.id, status=status)
        what = texts.CHAT_WORDS[f"kind_{row.kind.value}" if row.kind in _NAMED else "kind_file"]
        async with in_transaction():
            settled = await ChatMedia.filter(id=row.id, status=WAITING).update(
                status=status, settled_at=now, media_id_sealed=""
            )
            if settled:
                said = texts.CHAT_WORDS["media_not_kept"].format(what=what, why=why)
                await self._replies.say(row.sender_id, said, now=now)


_NAMED = frozenset({MessageKind.IMAGE, MessageKind.VOICE, MessageKind.VIDEO})
