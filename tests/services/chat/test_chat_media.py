"""What people send in the chat: fetched, proved, kept as evidence, added to its case, checked, explained."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from server.gateways.file_lab import FileLab
from server.gateways.wechat_calls import WechatRefused
from server.gateways.wechat_http import Fetched, WechatUnavailable
from server.models.chat import ChatMedia, ChatSender, ContentCheck
from server.models.complaints import Complaint, ComplaintEntry, ComplaintFile
from server.models.deliveries import Delivery
from server.models.files import StoredFile, Upload
from server.models.outbox import OutboxMessage
from server.models.people import Person
from server.rules.chat_messages import MessageKind, WechatAccount
from server.rules.complaints import EntryKind
from server.rules.content_checks import MOST_ATTEMPTS, UNHEARD, CheckStatus
from server.services.access import NotFound
from server.services.chat import chat_acts
from server.services.chat.chat_media import ChatMediaDesk
from server.services.chat.chat_replies import ChatReplies
from server.services.complaints import content_checks
from server.services.complaints.complaint_files import ComplaintFiles, FileUnfit
from server.services.files.files import ViewReasonMissing
from server.services.files.uploads import Uploads
from tests.chatting import Chat, Phone
from tests.complaining import LISHUI, Hall
from tests.contracting import SEALER
from tests.hostile.seeds import film, page, paper, photo, script
from tests.talking import CHART

VOICE = b"#!AMR\n" + (b"\x3c" + bytes(31)) * 20
PHOTO = photo()


@dataclass
class Wechat:
    """WeChat, of the shape of ``WechatCalls``: what it keeps, thinks, and when it is away."""

    kept: dict[str, bytes] = field(default_factory=dict)
    away: bool = False
    away_errcode: int = 0
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    thinks: str = "pass"
    known_openids: bool = True

    def serves(self, account: WechatAccount) -> bool:
        return True

    async def media(self, media_id: str, *, account: WechatAccount, most_bytes: int = 0) -> Any:
        if self.away:
            raise WechatUnavailable(retry_after=2)
        if media_id.startswith("address-"):
            return {"video_url": "http://video.example/1"}
        if media_id not in self.kept:
            raise WechatRefused(40007)
        return Fetched(self.kept[media_id], "application/octet-stream")

    async def call(self, path: str, body: Any = None, *, account: WechatAccount, query: Any = None) -> Any:
        if self.away:
            raise WechatUnavailable(retry_after=2)
        if self.away_errcode:
            raise WechatRefused(self.away_errcode)
        self.asked.append((path, body))
        if body.get("openid") and not self.known_openids:
            raise WechatRefused(61010)
        if path.endswith("async"):
            return {"errcode": 0, "trace_id": f"trace-{len(self.asked)}"}
        if body.get("version") == 2:
            return {"errcode": 0, "result": {"suggest": self.thinks, "label": 20002}, "trace_id": "t"}
        if self.thinks == "risky":
            raise WechatRefused(87014)
        return {"errcode": 0}


@pytest.fixture(scope="module")
async def lab() -> AsyncIterator[FileLab]:
    lab = FileLab()
    yield lab
    await lab.close()


@dataclass
class Stage:
    """The chat with WeChat behind it."""

    hall: Hall
    wechat: Wechat
    chat: Chat
    media: ChatMediaDesk

    async def filed(self, phone: Phone) -> Complaint:
        """File what is being talked about, or something new."""
        if not (await phone.draft()).get("happened"):
            slugs = sorted(one.slug for one in self.hall.programmes)
            await phone.say("投诉", "5", str(slugs.index(LISHUI) + 1), "收了钱不来", "跳过", "跳过")
        await phone.say("完成", "1", "1")
        case = await Complaint.all().order_by("-id").first()
        assert case is not None
        return case

    async def fetch(self) -> int:
        """The job comes by."""
        return await self.media.fetch_due(self.hall.now)

    async def heard_of(self, check: ContentCheck, suggest: str, number: int) -> None:
        """WeChat says what it thinks of a picture."""
        phone = await self.chat.phone()
        data = {"trace_id": f"trace-{number}", "result": {"suggest": suggest, "label": "20002"}}
        await self.chat.checks.heard(phone.message(MessageKind.MEDIA_CHECK, data=data))


@pytest.fixture
def stage(hall: Hall, lab: FileLab, tmp_path: Path) -> Stage:
    wechat = Wechat()
    chat = Chat(hall, wechat)
    uploads = Uploads(hall.programmes, hall.clocks, hall.evidence, lab, tmp_path / "uploads")
    media = ChatMediaDesk(
        CHART.media,
        wechat,
        uploads,
        SEALER,
        hall.complaints,
        chat.checks,
        ChatReplies(SEALER),  # type: ignore[arg-type]
    )
    return Stage(hall, wechat, chat, media)


async def _said_to(phone: Phone) -> str:
    rows = await Delivery.filter(addressee=f"sender:{phone.sender.id}", topic="chat.reply").order_by("id")
    return "\n".join(SEALER.open(row.text_sealed) for row in rows)


async def test_what_is_sent_becomes_evidence_of_the_case(stage: Stage) -> None:
    phone = await stage.chat.phone()
    kinds = {
        "m1": (MessageKind.IMAGE, PHOTO),
        "m2": (MessageKind.VOICE, VOICE),
        "m3": (MessageKind.VIDEO, film()),
        "m4": (MessageKind.FILE, paper()),
    }
    for name, (kind, content) in kinds.items():
        stage.wechat.kept[name] = content
        await phone.send(kind, name)
    assert await stage.fetch() == 4
    case = await stage.filed(phone)
    files = await ComplaintFile.all().select_related("file", "entry").order_by("file_id")
    types = {row.file.media_type for row in files}
    assert types == {"image/jpeg", "audio/amr", "video/mp4", "application/pdf"}
    assert {row.entry.complaint_id for row in files} == {case.id}
    voice = next(row.file for row in files if row.file.media_type == "audio/amr")
    assert await stage.hall.evidence.read(voice.original_id) == VOICE
    assert await stage.hall.evidence.read(voice.shown_id) == VOICE
    assert voice.uploaded_by == f"sender:{phone.sender.id}"
    assert await Upload.filter(file_id=None).count() == 0
    assert {row.media_id_sealed for row in await ChatMedia.all()} == {""}


async def test_what_comes_late_is_added_to_the_case_that_was_filed_meanwhile(stage: Stage) -> None:
    phone = await stage.chat.phone()
    stage.wechat.kept["m1"], stage.wechat.away = PHOTO, True
    await phone.send(MessageKind.IMAGE, "m1")
    await stage.fetch()
    case = await stage.filed(phone)
    assert await ComplaintFile.all().count() == 0
    stage.wechat.away = False
    assert await stage.fetch() == 0, "it is not tried again at once"
    stage.hall.clock.advance(timedelta(minutes=2))
    await stage.fetch()
    added = await ComplaintFile.get().select_related("entry")
    assert (added.entry.complaint_id, added.entry.kind) == (case.id, EntryKind.SUPPLEMENT)
    await stage.fetch()
    assert await ComplaintFile.all().count() == 1


async def test_what_arrives_in_the_very_moment_of_filing_is_in_the_case_too(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = await stage.chat.phone()
    stage.wechat.kept["m1"] = PHOTO
    await phone.send(MessageKind.IMAGE, "m1")
    looked = chat_acts._kept

    async def a_moment_too_early(media: Sequence[int], sender: ChatSender) -> tuple[int, ...]:
        files = await looked(media, sender)
        assert (files, await stage.fetch()) == ((), 1)
        return files

    monkeypatch.setattr(chat_acts, "_kept", a_moment_too_early)
    case = await stage.filed(phone)
    await stage.fetch()
    added = await ComplaintFile.get().select_related("entry")
    assert added.entry.complaint_id == case.id


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("gone", b"", "已经取不到"),
        ("address-1", b"", "微信没有直接给我们"),
        ("html", b"<html><script>alert(1)</script></html>", "只能收"),
        ("zip", b"PK\x03\x04" + bytes(60), "只能收"),
        ("program", b"MZ" + bytes(200), "只能收"),
        ("empty", b"", "只能收"),
        ("half", PHOTO[: len(PHOTO) // 2], "没能收下"),
        ("voice", VOICE + b"<script>alert(1)</script>", "没能收下"),
        ("active", paper(change=lambda pdf: pdf.Root.__setitem__("/OpenAction", script())), "没能收下"),
    ],
)
async def test_what_is_not_what_it_says_is_refused_politely_and_the_case_goes_on(
    stage: Stage, name: str, content: bytes, part: str
) -> None:
    phone = await stage.chat.phone()
    if content or name == "empty":
        stage.wechat.kept[name] = content
    await phone.send(MessageKind.FILE, name)
    await stage.fetch()
    media = await ChatMedia.get()
    assert media.status in ("expired", "refused") and media.file_id is None
    assert part in await _said_to(phone)
    assert await StoredFile.all().count() == 0
    assert (await stage.filed(phone)).number


async def test_what_was_sent_for_a_complaint_that_was_given_up_is_forgotten(stage: Stage) -> None:
    dropping, filing = await stage.chat.phone(), await stage.chat.phone()
    stage.wechat.kept.update(m1=PHOTO, m2=photo(page(seed=2)))
    await dropping.send(MessageKind.IMAGE, "m1")
    await filing.send(MessageKind.IMAGE, "m2")
    await stage.fetch()
    await stage.filed(filing)
    await dropping.say("投诉", "取消", "1")
    assert await stage.media.sweep(stage.hall.now) == 0
    stage.hall.clock.advance(timedelta(days=1, minutes=1))
    assert await stage.media.sweep(stage.hall.now) == 1
    kept = await StoredFile.get()
    assert kept.uploaded_by == f"sender:{filing.sender.id}"
    assert await stage.media.sweep(stage.hall.now) == 0


async def test_wechat_away_for_days_ends_in_an_explanation(stage: Stage) -> None:
    phone = await stage.chat.phone()
    stage.wechat.away = True
    await phone.send(MessageKind.IMAGE, "m1")
    for _ in range(60):
        await stage.fetch()
        stage.hall.clock.advance(timedelta(hours=2, minutes=1))
    assert (await ChatMedia.get()).status == "expired"
    assert (await _said_to(phone)).count("已经取不到") == 1


@pytest.mark.parametrize(("thinks", "marked"), [("pass", False), ("review", True), ("risky", True)])
async def test_words_are_marked_and_never_stopped(stage: Stage, thinks: str, marked: bool) -> None:
    person = await Person.create(account="p", created_at=stage.hall.now, openid_sealed=SEALER.seal("mini-1"))
    phone = await stage.chat.phone(person)
    stage.wechat.thinks = thinks
    case = await stage.filed(phone)
    assert await stage.chat.checks.ask_due() == 1
    path, body = stage.wechat.asked[0]
    assert path == "/wxa/msg_sec_check" and body["openid"] == "mini-1" and "收了钱不来" in body["content"]
    check = await ContentCheck.get()
    assert (check.status, check.text_sealed) == ({"pass": "passed"}.get(thinks, thinks), "")
    assert await ComplaintEntry.filter(complaint_id=case.id, kind=EntryKind.NOTE).exists() is marked
    assert await OutboxMessage.filter(topic="complaint.flagged").exists() is marked
    assert (await Complaint.get(id=case.id)).status == case.status


async def test_somebody_wechat_knows_nothing_of_is_checked_all_the_same(stage: Stage) -> None:
    stage.wechat.thinks = "risky"
    await stage.filed(await stage.chat.phone())
    mini = await stage.chat.phone(account=WechatAccount.MINI)
    stage.wechat.known_openids = False
    await stage.filed(mini)
    await stage.chat.checks.ask_due()
    assert {one.status for one in await ContentCheck.all()} == {CheckStatus.RISKY}
    assert [("openid" in body) for _, body in stage.wechat.asked] == [False, True, False]


@pytest.mark.parametrize("away", [{"away": True}, {"away_errcode": 45009}, {"away_errcode": -1}])
async def test_with_wechat_away_everything_goes_on_and_is_checked_later(
    stage: Stage, away: dict[str, Any]
) -> None:
    case = await stage.filed(await stage.chat.phone())
    for name, value in away.items():
        setattr(stage.wechat, name, value)
    await stage.chat.checks.ask_due()
    assert (await ContentCheck.get()).status == CheckStatus.WAITING and case.number
    stage.wechat.away, stage.wechat.away_errcode = False, 0
    stage.hall.clock.advance(timedelta(minutes=1))
    await stage.chat.checks.ask_due()
    assert (await ContentCheck.get()).status == CheckStatus.PASSED


async def test_what_cannot_be_asked_for_a_day_is_let_be(stage: Stage) -> None:
    await stage.filed(await stage.chat.phone())
    stage.wechat.away = True
    for _ in range(MOST_ATTEMPTS):
        await stage.chat.checks.ask_due()
        stage.hall.clock.advance(timedelta(hours=3))
    assert (await ContentCheck.get()).status == CheckStatus.UNCHECKED


async def _pictured(stage: Stage) -> tuple[Phone, Complaint, ContentCheck]:
    """A case with a picture that WeChat was asked about."""
    phone = await stage.chat.phone()
    stage.wechat.kept["m1"] = PHOTO
    await phone.send(MessageKind.IMAGE, "m1")
    await stage.fetch()
    case = await stage.filed(phone)
    await stage.chat.checks.ask_due()
    return phone, case, await ContentCheck.get(file_id__not_isnull=True)


async def test_a_picture_wechat_finds_unfit_is_hidden_and_its_handlers_told(stage: Stage) -> None:
    _, case, check = await _pictured(stage)
    assert (check.status, check.complaint_id) == (CheckStatus.ASKED, case.id)
    path, body = next(one for one in stage.wechat.asked if one[0].endswith("async"))
    token = str(body["media_url"]).rpartition("/")[2]
    assert body["media_url"].startswith("https://chat.example/api/v1/chat/checked-media/")
    file, shown = await stage.chat.checks.fetched(token)
    assert file.id == check.file_id and shown.startswith(b"\xff\xd8")
    number = stage.wechat.asked.index((path, body)) + 1
    await stage.heard_of(check, "risky", number)
    assert await content_checks.is_hidden(file.id)
    assert await OutboxMessage.filter(topic="complaint.flagged").count() == 1
    await stage.heard_of(check, "pass", number)
    assert await content_checks.is_hidden(file.id), "the first word counts"
    with pytest.raises(NotFound):
        await stage.chat.checks.fetched(token)


async def test_staff_see_an_unfit_picture_only_when_they_know_and_say_why(stage: Stage) -> None:
    _, case, check = await _pictured(stage)
    hall = stage.hall
    files = ComplaintFiles(hall.book, hall.complaints, hall.evidence)
    handler, attachment = await hall.taken(case), await ComplaintFile.get()
    _, shown = await files.view(attachment.id, actor=handler, why="核查")
    number = next(n for n, one in enumerate(stage.wechat.asked, 1) if one[0].endswith("async"))
    await stage.heard_of(check, "risky", number)
    with pytest.raises(FileUnfit):
        await files.view(attachment.id, actor=handler, why="核查")
    with pytest.raises(ViewReasonMissing):
        await files.view(attachment.id, actor=handler, unfit=True)
    assert (await files.view(attachment.id, actor=handler, why="核查", unfit=True))[1] == shown


async def test_a_picture_that_is_fit_is_shown_as_before(stage: Stage) -> None:
    _, _, check = await _pictured(stage)
    number = next(n for n, one in enumerate(stage.wechat.asked, 1) if one[0].endswith("async"))
    await stage.heard_of(check, "pass", number)
    assert check.file_id is not None and not await content_checks.is_hidden(check.file_id)
    assert not await OutboxMessage.filter(topic="complaint.flagged").exists()


async def test_a_verdict_that_came_before_the_case_is_noted_when_it_is_filed(stage: Stage) -> None:
    phone = await stage.chat.phone()
    stage.wechat.kept["m1"] = PHOTO
    await phone.send(MessageKind.IMAGE, "m1")
    await stage.fetch()
    await stage.chat.checks.ask_due()
    await stage.heard_of(await ContentCheck.get(), "risky", 1)
    case = await stage.filed(phone)
    assert await ComplaintEntry.filter(complaint_id=case.id, kind=EntryKind.NOTE).exists()


async def test_a_verdict_nobody_asked_for_changes_nothing(stage: Stage) -> None:
    _, _, check = await _pictured(stage)
    await stage.heard_of(check, "risky", 999)
    assert (await ContentCheck.get(id=check.id)).status == CheckStatus.ASKED


async def test_a_verdict_that_never_comes_is_asked_for_anew(stage: Stage) -> None:
    await _pictured(stage)
    asked = len(stage.wechat.asked)
    stage.hall.clock.advance(UNHEARD + timedelta(minutes=1))
    await stage.chat.checks.ask_due()
    assert len(stage.wechat.asked) == asked + 1
