"""Content checks: WeChat's opinion of what somebody complained of, asked behind the answer.

It never stops a complaint. Words that WeChat finds unfit are marked in the case; a picture is hidden, and its
handlers are told. While WeChat is away everything goes on, and is checked later.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from tortoise.expressions import Q
from tortoise.transactions import in_transaction

from server import texts
from server.clock import Clock
from server.gateways.wechat_calls import WechatCalls, WechatRefused
from server.gateways.wechat_http import WechatUnavailable
from server.models.chat import ChatSender, ContentCheck
from server.models.complaints import Complaint
from server.models.files import StoredFile
from server.models.people import Person
from server.rules.chat_messages import ChatMessage, WechatAccount
from server.rules.complaints import EntryKind
from server.rules.content_checks import (
    LATER,
    LONGEST_TEXT,
    MARKED,
    MOST_ATTEMPTS,
    OPENID_UNUSABLE,
    RISKY_CONTENT,
    UNHEARD,
    CheckStatus,
    Verdict,
    pause_after,
    verdict_of,
)
from server.sealing import Sealer
from server.services.access import NotFound
from server.services.complaints.complaint_book import CLOCK, ComplaintBook
from server.services.files.evidence import Evidence

TEXT_CHECK, MEDIA_CHECK = "/wxa/msg_sec_check", "/wxa/media_check_async"
SCENE, VERSION, PICTURE = 2, 2, 2
AT_ONCE = 20
TOKEN_BYTES = 16
FETCH_LASTS = timedelta(hours=1)
CHECKED_MEDIA = frozenset({"image/jpeg", "image/png"})

log = structlog.get_logger("server.content_checks")


class ContentChecks:
    """The verbs on checks. ``public_url`` is where WeChat reaches us; empty: no picture is checked."""

    def __init__(
        self,
        book: ComplaintBook,
        calls: WechatCalls,
        sealer: Sealer,
        evidence: Evidence,
        clock: Clock,
        *,
        public_url: str = "",
    ) -> None:
        self._book, self._calls, self._sealer = book, calls, sealer
        self._evidence, self._clock = evidence, clock
        self._public_url = public_url.rstrip("/")

    async def of_words(self, words: str, *, complaint: Complaint, sender: ChatSender, now: datetime) -> None:
        """Have words of a case checked; inside the transaction that files them."""
        parts = [words[start : start + LONGEST_TEXT] for start in range(0, len(words), LONGEST_TEXT)]
        for part in parts:
            await ContentCheck.create(
                sender_id=sender.id,
                complaint_id=complaint.id,
                text_sealed=self._sealer.seal(part),
                next_at=now,
                created_at=now,
            )

    async def of_file(self, file: StoredFile, *, sender_id: int, now: datetime) -> None:
        """Have a picture checked; inside the transaction that keeps it."""
        if file.media_type in CHECKED_MEDIA:
            await ContentCheck.create(sender_id=sender_id, file_id=file.id, next_at=now, created_at=now)

    async def in_case(self, file_ids: Sequence[int], complaint: Complaint) -> None:
        """Files have come into a case; what is known to be unfit among them is marked there."""
        checks = ContentCheck.filter(file_id__in=list(file_ids), complaint_id=None)
        known = await checks.filter(status__in=sorted(MARKED))
        await checks.update(complaint_id=complaint.id)
        for check in known:
            await self._mark(check, complaint, Verdict(CheckStatus(check.status), check.label))

    async def ask_due(self) -> int:
        """Ask WeChat about everything that is due; returns how much was asked."""
        now = self._clock.now()
        waiting = Q(status=CheckStatus.WAITING) | Q(status=CheckStatus.ASKED)
        due = await ContentCheck.filter(waiting, next_at__lte=now).order_by("next_at", "id").limit(AT_ONCE)
        for check in due:
            # The WHERE clause is the lock: of two processes one asks.
            claimed = await ContentCheck.filter(
                id=check.id, status=check.status, attempts=check.attempts, next_at=check.next_at
            ).update(
                status=CheckStatus.WAITING,
                attempts=check.attempts + 1,
                next_at=now + pause_after(check.attempts),
            )
            if claimed:
                await self._ask(check, now)
        return len(due)

    async def heard(self, message: ChatMessage) -> None:
        """What WeChat thinks of a picture has come (``wxa_media_check``)."""
        trace, verdict = str(message.data.get("trace_id", "")), verdict_of(message.data)
        if not trace:
            return
        check = await ContentCheck.get_or_none(
            trace_index__in=self._sealer.blinds(trace), status=CheckStatus.ASKED
        )
        if check is not None:
            await self._settle(check, verdict or Verdict(CheckStatus.UNCHECKED))

    async def fetched(self, token: str) -> tuple[StoredFile, bytes]:
        """The picture behind an address that WeChat was given. Raises ``NotFound`` once it has answered."""
        now = self._clock.now()
        check = await ContentCheck.get_or_none(
            fetch_index__in=self._sealer.blinds(token),
            status__in=[CheckStatus.WAITING, CheckStatus.ASKED],
            next_at__gt=now,
        ).select_related("file")
        if check is None or check.file is None:
            raise NotFound()
        return check.file, await self._evidence.read(check.file.shown_id)

    # -- asking ----------------------------------------------------------------------------------------

    async def _ask(self, check: ContentCheck, now: datetime) -> None:
        try:
            if not self._calls.serves(WechatAccount.MINI) or (check.file_id and not self._public_url):
                verdict = Verdict(CheckStatus.UNCHECKED)
            elif check.file_id:
                await self._ask_of_file(check, now)
                return
            else:
                verdict = await self._ask_of_words(check)
        except WechatRefused as refused:
            if refused.errcode in LATER and check.attempts + 1 < MOST_ATTEMPTS:
                return
            log.warning("content_check.refused", check=check.id, errcode=refused.errcode)
            verdict = Verdict(CheckStatus.UNCHECKED)
        except WechatUnavailable:
            if check.attempts + 1 < MOST_ATTEMPTS:
                return
            verdict = Verdict(CheckStatus.UNCHECKED)
        async with in_transaction():
            await self._settle(check, verdict)

    async def _ask_of_words(self, check: ContentCheck) -> Verdict:
        words = self._sealer.open(check.text_sealed)
        openid = await self._openid(check.sender_id)
        body = {"version": VERSION, "scene": SCENE, "openid": openid, "content": words}
        try:
            answer = await self._call(TEXT_CHECK, body if openid else {"content": words})
        except WechatRefused as refused:
            if refused.errcode == RISKY_CONTENT:
                return Verdict(CheckStatus.RISKY)
            if refused.errcode not in OPENID_UNUSABLE:
                raise
            try:
                answer = await self._call(TEXT_CHECK, {"content": words})
            except WechatRefused as older:
                if older.errcode != RISKY_CONTENT:
                    raise
                return Verdict(CheckStatus.RISKY)
        return verdict_of(answer) or Verdict(CheckStatus.PASSED)

    async def _ask_of_file(self, check: ContentCheck, now: datetime) -> None:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        await ContentCheck.filter(id=check.id).update(
            fetch_index=self._sealer.blind(token), next_at=now + FETCH_LASTS
        )
        openid = await self._openid(check.sender_id)
        address = f"{self._public_url}/api/v1/chat/checked-media/{token}"
        body = {"media_url": address, "media_type": PICTURE}
        newer = {**body, "version": VERSION, "scene": SCENE, "openid": openid}
        try:
            answer = await self._call(MEDIA_CHECK, newer if openid else body)
        except WechatRefused as refused:
            if refused.errcode not in OPENID_UNUSABLE:
                raise
            answer = await self._call(MEDIA_CHECK, body)
        await ContentCheck.filter(id=check.id, status=CheckStatus.WAITING).update(
            status=CheckStatus.ASKED,
            trace_index=self._sealer.blind(str(answer.get("trace_id", ""))),
            next_at=now + UNHEARD,
        )

    async def _call(self, path: str, body: dict[str, object]) -> dict[str, object]:
        return await self._calls.call(path, body, account=WechatAccount.MINI)

    async def _openid(self, sender_id: int) -> str:
        """Who somebody is in the mini-program, as these checks ask; ``""`` where that is not known."""
        sender = await ChatSender.get(id=sender_id)
        if sender.account is WechatAccount.MINI:
            return self._sealer.open(sender.openid_sealed)
        person = None if sender.person_id is None else await Person.get_or_none(id=sender.person_id)
        return "" if person is None else self._sealer.open(person.openid_sealed)

    # -- what comes of it ------------------------------------------------------------------------------

    async def _settle(self, check: ContentCheck, verdict: Verdict) -> None:
        """Keep a verdict, once; the words themselves are kept nowhere but in the case."""
        settled = await ContentCheck.filter(
            id=check.id, status__in=[CheckStatus.WAITING, CheckStatus.ASKED]
        ).update(
            status=verdict.status,
            label=verdict.label,
            settled_at=self._clock.now(),
            text_sealed="",
            fetch_index="",
        )
        if settled and verdict.status in MARKED and check.complaint_id is not None:
            await self._mark(check, await Complaint.get(id=check.complaint_id), verdict)

    async def _mark(self, check: ContentCheck, complaint: Complaint, verdict: Verdict) -> None:
        """A note for the handlers in the case, and word to them that it is there."""
        now = self._book.now(complaint.programme_slug)
        kind = "file" if check.file_id else "words"
        words = texts.CHAT_WORDS[f"flagged_{kind}"].format(label=verdict.label)
        await self._book.write(complaint, EntryKind.NOTE, author=CLOCK, now=now, words=words)
        await self._book.tell_handlers(complaint, "complaint.flagged", now=now)


async def is_hidden(file_id: int) -> bool:
    """Whether WeChat found a picture unfit: then nobody is shown it unawares."""
    return await ContentCheck.filter(file_id=file_id, status=CheckStatus.RISKY).exists()
