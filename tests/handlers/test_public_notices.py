"""Public notices through the doors: published by two, read by everybody, objected to without an account."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import pytest

from server.keys import PUBLIC_NOTICES, REVIEWS
from server.models.journal import JournalEntry
from server.models.organisations import Organisation
from server.models.reviews import ReviewCase
from server.programme.review import ReviewSubject
from server.rules.deadlines import day_of
from tests.hostile.seeds import paper
from tests.reviewing import APPLICANT, Thing
from tests.town import DAY, Caller, Town

GRABBED = "lishui-2024"
ACCOUNT, WEBSITE = "丽水企业之家公众号", "市经信局网站"
NAME = "<b>晨光</b>精密机械有限公司"


class Page(HTMLParser):
    """What a page is made of: its language, its title, and every table with its headers."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.lang, self.title, self.within = "", "", [""]
        self.tags: Counter[str] = Counter()
        self.unscoped = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags[tag] += 1
        self.within.append(tag)
        if tag == "html":
            self.lang = given.get("lang") or ""
        if tag == "th" and given.get("scope") not in ("col", "row"):
            self.unscoped += 1

    def handle_endtag(self, tag: str) -> None:
        if tag in self.within:
            while self.within.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self.within[-1] == "title":
            self.title += data


@dataclass
class Office:
    """A town with settlements that wait for a notice, and two people of the authority."""

    town: Town
    cases: list[ReviewCase]
    first: Caller
    second: Caller

    async def published(self) -> Any:
        """All that waits, drafted by the first and published by the second."""
        drafted = await self.first.post("notice-drafts", programme=GRABBED)
        assert drafted.status == 201, drafted.body
        path = f"notice-drafts/{drafted.body['id']}"
        seen = (await self.second.get(path)).body
        said = {"version": seen["version"], "sha256": seen["sha256"]}
        published = await self.second.post(f"{path}/publication", **said)
        assert published.status == 200, published.body
        return published.body

    async def shown(self, notice_id: int) -> Any:
        """Shown today on both channels."""
        for number, channel in enumerate((ACCOUNT, WEBSITE)):
            said = {"channel": channel, "shown_on": str(day_of(self.town.now))}
            answered = await self.first.post(
                f"public-notices/{notice_id}/showings", **said, url=f"https://example.com/{number}"
            )
            assert answered.status == 200, answered.body
        return answered.body


@pytest.fixture
async def office(town: Town) -> Office:
    reviews = town.app[REVIEWS]
    reviews.serve(ReviewSubject.SETTLEMENT, Thing())
    await town.handler(name=NAME)
    organisation = await Organisation.get()
    cases = []
    for number in (900_001, 900_002, 900_003):
        case, after = await reviews.open(
            ReviewSubject.SETTLEMENT,
            number,
            programme=town.programmes.get(GRABBED),
            organisation=organisation,
            title=f"兑付{number}",
            actor=APPLICANT,
            now=town.now,
        )
        await after()
        for role in ("operator", "authority"):
            by = await town.staff(role)
            case = await ReviewCase.get(id=case.id)
            decided = await by.post(f"reviews/{case.id}/decision", decision="approve", version=case.version)
            assert decided.status == 200, decided.body
        cases.append(await ReviewCase.get(id=case.id))
    return Office(town, cases, await town.staff("authority"), await town.staff("authority"))


@pytest.mark.rules("YC-10", "LS-56")
async def test_a_notice_is_published_by_two_and_read_by_everybody(office: Office) -> None:
    town, anybody = office.town, office.town.anybody
    waiting = (await office.first.get(f"notice-drafts/waiting?programme={GRABBED}")).body["waiting"]
    assert [one["review_id"] for one in waiting] == [case.id for case in office.cases]
    drafted = (await office.first.post("notice-drafts", programme=GRABBED)).body
    path = f"notice-drafts/{drafted['id']}"
    # Nobody reads a draft but those who work on it.
    assert (await anybody.get(f"public-notices/{drafted['id']}")).status == 404
    assert (await anybody.get("public-notices?status=draft")).body["notices"] == []
    seen = (await office.first.get(path)).body
    said = {"version": seen["version"], "sha256": seen["sha256"]}
    assert (await office.first.post(f"{path}/publication", **said)).code == "notice_own_draft"
    stale = {**said, "sha256": "0" * 64}
    assert (await office.second.post(f"{path}/publication", **stale)).code == "notice_moved_on"
    published = (await office.second.post(f"{path}/publication", **said)).body
    assert (published["status"], published["until"]) == ("standing", None)
    assert (await office.shown(published["id"]))["until"] == "2026-05-25T16:00:00Z"

    (listed,) = (await anybody.get(f"public-notices?programme={GRABBED}")).body["notices"]
    assert (listed["number"], listed["sha256"]) == (published["number"], said["sha256"])
    whole = (await anybody.get(f"public-notices/{listed['id']}")).body
    assert hashlib.sha256(whole["text"].encode()).hexdigest() == whole["sha256"]
    assert [(one["place"], one["state"]) for one in whole["lines"]] == [
        (1, "standing"),
        (2, "standing"),
        (3, "standing"),
    ]
    for address in ("/notices", f"/notices/{listed['id']}"):
        status, kind, content = await town.anybody.download(address)
        assert (status, kind) == (200, "text/html")
        text = content.decode()
        page = Page(text)
        assert (page.lang, page.tags["title"], page.tags["h1"], page.tags["main"]) == ("zh-CN", 1, 1, 1)
        assert page.title
        # Each table says what it holds, and each header what it heads.
        assert page.tags["caption"] == page.tags["table"] >= 1
        assert (page.unscoped, page.tags["script"], page.tags["b"]) == (0, 0, 0)
        assert "关于服务券兑付的公示" in text
    assert "&lt;b&gt;晨光" in text and "任何单位和个人均可提出" in text and "平台默认规则" in text
    uscc = (await Organisation.get()).uscc
    assert uscc not in text and f"{uscc[:4]}**********{uscc[-4:]}" in text
    article = (await anybody.get(f"public-notices/{listed['id']}/article")).body
    assert article["source_url"].endswith(f"/notices/{listed['id']}")
    assert "&lt;b&gt;" in article["content"] and "<table" not in article["content"]
    assert "5个工作日" in article["text"] and listed["sha256"] in article["text"]


async def test_somebody_without_an_account_objects_with_a_file_and_follows_it(office: Office) -> None:
    town, anybody = office.town, office.town.anybody
    notice = await office.published()
    await office.shown(notice["id"])
    path = f"public-notices/{notice['id']}/lines/2/objections"
    assert (await anybody.post(path, reason="  ", anonymous=True)).code == "reason_missing"
    assert (await anybody.post(path, reason="不实", anonymous=False)).code == "objector_unnamed"
    assert (await anybody.post(path.replace("/2/", "/9/"), reason="不实", anonymous=True)).status == 404
    named = {"anonymous": False, "name": "王芳", "contact": "13900001111"}
    made = await anybody.post(path, reason="发票重复使用", **named)
    assert made.status == 201, made.body
    receipt = f"objections/receipts/{made.body['receipt']}"
    assert (await anybody.get("objections/receipts/" + "0" * 20)).status == 404
    files = f"{receipt}/files?name=证据.pdf"
    for number in (1, 2, 3):
        added = await anybody.send(files, paper())
        assert (added.status, added.body["files"]) == (201, number), added.body
    assert (await anybody.send(files, paper())).code == "objection_too_many_files"
    assert (await anybody.get(receipt)).body["files"] == 3

    # Who it was, the authority learns with a reason; the case shows it as named and no more.
    case = (await office.first.get(f"reviews/{office.cases[1].id}")).body
    (objection,) = case["objections"]
    assert (objection["made_by"], objection["reason"]) == ("实名", "发票重复使用")
    reveal = f"objections/{objection['id']}/reveal"
    operator = await town.staff("operator")
    assert (await operator.post(reveal, why="核实")).code == "not_your_review"
    assert (await office.first.post(reveal, why="电话核实")).body == {
        "name": "王芳",
        "contact": "13900001111",
    }
    handed = (await office.first.get(f"objections/{objection['id']}/files")).body["files"]
    assert [one["name"] for one in handed] == ["证据.pdf"] * 3
    content = f"/api/v1/objections/{objection['id']}/files/{handed[0]['id']}/content"
    assert (await office.first.refused("GET", content))[1] == "view_reason_missing"
    assert (await office.first.download(f"{content}?why=核实"))[:2] == (200, "application/pdf")
    # No other door shows it, and the applicant does not learn whose it is.
    assert (await office.first.get(f"files/{handed[0]['id']}")).status == 404
    kept = await JournalEntry.filter(action__in=["objection.revealed", "objection.file_viewed"])
    assert {entry.actor for entry in kept} == {f"staff:{office.first.id}"}

    town.clock.at += 8 * DAY
    assert await town.app[PUBLIC_NOTICES].close_due() == 2
    authority = await town.staff("authority")
    answered = await authority.post(
        f"objections/{objection['id']}/answer", upheld=True, answer="经核实，发票重复使用"
    )
    assert answered.status == 200, answered.body
    followed = (await anybody.get(receipt)).body
    assert (followed["upheld"], followed["answer"], followed["case"]) == (
        True,
        "经核实，发票重复使用",
        "未通过",
    )
    assert (await anybody.send(files, paper())).code == "objection_answered"
    late = await anybody.post(path.replace("/2/", "/1/"), reason="材料不实", anonymous=True)
    assert (late.code, late.body["clause"]) == ("notice_over", "三（五）3")
    lines = (await anybody.get(f"public-notices/{notice['id']}")).body["lines"]
    assert [one["state"] for one in lines] == ["over", "upheld", "over"]


async def test_a_case_on_a_notice_is_decided_by_nobodys_hand(office: Office) -> None:
    case = office.cases[0]
    seen = (await office.first.get(f"reviews/{case.id}")).body
    assert (seen["step"], seen["may"]) == ("公示", [])
    decided = await office.first.post(f"reviews/{case.id}/decision", decision="approve", version=case.version)
    assert (decided.status, decided.code) == (409, "put_up_by_notice")
    notice = await office.published()
    withdrawn = await office.second.post(f"public-notices/{notice['id']}/withdrawal", reason="金额有误")
    assert (withdrawn.status, withdrawn.body["status"]) == (200, "withdrawn")
    status, _, content = await office.town.anybody.download(f"/notices/{notice['id']}")
    assert status == 200 and "金额有误" in content.decode()
