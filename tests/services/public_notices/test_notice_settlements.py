"""Settlements on notice: several put up together, one objected to, two paid, and the result published."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from tortoise.context import TortoiseContext

from server.models.organisations import Organisation
from server.models.public_notices import NoticeLine, NoticeShowing, PublicNotice
from server.models.reviews import ReviewCase
from server.models.settlements import Settlement
from server.programme.review import ReviewSubject
from server.rules.public_notices import NoticeKind
from server.rules.review import Verdict
from server.rules.settlements import SettlementStatus
from server.services.budgets import ledger
from server.services.public_notices import notice_reading
from server.services.public_notices.notice_results import NoticeResults
from server.services.public_notices.objections import Objections, Statement
from server.services.public_notices.public_notices import PublicNotices
from server.services.public_notices.review_notices import Notices
from server.units import yuan
from tests.contracting import RANKED
from tests.disbursing import Till
from tests.reviewing import DEFAULTS, SEALER

one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def till(database: TortoiseContext) -> AsyncIterator[Till]:
    """The settlement counter and its till. Whatever a test does, the books balance."""
    yield Till()
    assert await ledger.verify() == []


@one_database
@pytest.mark.rules("GZ-42", "GZ-103")
async def test_of_three_on_one_notice_two_go_on_and_the_third_is_reconsidered(till: Till) -> None:
    notices = Notices(till.reviews)
    drafts, results = PublicNotices(notices), NoticeResults(till.reviews)
    drafts.describe(ReviewSubject.SETTLEMENT, results.settlement_line)
    budget = await till.budget(RANKED)
    settlements = []
    for _ in range(3):
        settlement = await till.submitted(await till.finished(RANKED, budget=budget))
        while (await till.case(settlement)).step_name != "公示":
            settlement = await till.decides(settlement)
        settlements.append(settlement)

    first, second = await till.staff("authority"), await till.staff("authority")
    draft = await drafts.draft(RANKED, title="", line_ids=None, actor=first)
    seen = await drafts.preview(draft.id, actor=second)
    notice = await drafts.publish(draft.id, version=draft.version, sha256=seen.sha256, actor=second)
    # Its only channel is the platform itself, so the days run at once.
    assert notice.ends_at is not None
    shown = json.loads(notice.text)["lines"]
    for line, settlement in zip(shown, settlements, strict=True):
        provider = await Organisation.get(id=settlement.provider_id)
        assert line["values"]["编号"] == settlement.number
        assert line["values"]["服务机构"] == provider.name
        assert line["values"]["兑付金额（元）"] == yuan(settlement.amount_fen)

    objections = Objections(notices, DEFAULTS, SEALER)
    said = Statement(reason="服务没有完成", anonymous=True)
    _, receipt = await objections.make(notice.id, 2, said, actor=None, address="192.0.2.1")
    till.clock.at += notice.ends_at - till.clocks.now(RANKED)
    assert await notices.close_due() == 3
    steps = [(await ReviewCase.get(id=one.case_id)).step_name for one in settlements]
    assert steps == ["兑现结算", "异议复核", "兑现结算"]
    states = [(await Settlement.get(id=one.id)).status for one in settlements]
    assert states == [SettlementStatus.PAYABLE, SettlementStatus.IN_REVIEW, SettlementStatus.PAYABLE]
    await till.decides(settlements[1], Verdict.REJECTED, reason="经复核，异议成立")
    assert (await Settlement.get(id=settlements[1].id)).status is SettlementStatus.REFUSED
    followed = await objections.follow(receipt)
    assert (followed.objection.upheld, followed.objection.answer) == (True, "经复核，异议成立")

    # Nothing is published as a result before it is paid, and what is paid once only.
    assert await results.publish_due(RANKED) == 0
    paid = [settlements[0], settlements[2]]
    for settlement in paid:
        await till.with_account(settlement)
    await till.paid(await till.drafted(RANKED, budget.year))
    assert await results.publish_due(RANKED) == 2
    assert await results.publish_due(RANKED) == 0
    result = await PublicNotice.get(kind=NoticeKind.RESULT)
    lines = (await notice_reading.shown(result.id)).lines
    headings = ["编号", "服务机构", "用券企业", "服务项目", "兑付金额（元）", "拨付日期"]
    assert list(lines[0].values) == headings, "as it is read, whatever order the frozen text has"
    assert [(line.values["编号"], line.state) for line in lines] == [
        (one.number, "published") for one in paid
    ]
    (channel,) = await NoticeShowing.filter(notice_id=result.id)
    assert channel.channel == till.programmes.get(RANKED).disbursement.result_published == "通知公告栏目"
    assert await NoticeLine.filter(result=True).count() == 2
