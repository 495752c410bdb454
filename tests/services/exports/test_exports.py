"""Exports: lists as files, taken up again by whoever lives, with nothing personal in them by accident."""

from __future__ import annotations

import asyncio
import io
import re
from dataclasses import replace
from datetime import date, timedelta
from enum import StrEnum

import openpyxl
import pytest

from server import texts
from server.models.exports import ExportFormat, ExportJob, ExportPart, ExportStatus
from server.models.files import EvidenceObject
from server.models.journal import JournalEntry
from server.models.orders import Order
from server.models.organisations import MemberRole, Membership
from server.models.outbox import OutboxMessage
from server.models.people import Person
from server.programme.vocabulary import Party
from server.rules.complaints import Channel, Finding
from server.rules.deadlines import day_of
from server.rules.disbursements import TransferStatus
from server.rules.lifecycles import QualificationStatus, VoucherStatus
from server.rules.spreadsheets import neutral
from server.services.access import Actor, NotAllowed, NotFound
from server.services.exports import exports
from server.services.exports.export_kinds import ExportFilters, Scope
from server.services.exports.export_runs import LEASE, MOST_ATTEMPTS
from server.services.exports.exports import KEPT_FOR
from server.services.files.evidence import LEASE as EVIDENCE_LEASE
from tests.ordering import admit, make_order
from tests.reporting import MINUTE, NOON, Bureau, Trade, book_of

SLUG = "lishui-2024"
CODE = re.compile(r"[a-z]+(_[a-z]+)*")


async def orders_of(trade: Trade, number: int) -> None:
    for place in range(number):
        await make_order(
            trade.programme,
            trade.enterprise,
            trade.provider,
            at=NOON,
            voucher_fen=100_00 + place,
            project=f'=HYPERLINK("http://x","{place}")',
        )


async def test_a_list_says_who_asked_for_what_and_sums_up(bureau: Bureau) -> None:
    trade = await Trade.begun(SLUG)
    await orders_of(trade, 5)
    await make_order(trade.programme, trade.enterprise, trade.provider, at=NOON - timedelta(days=9))
    clerk = await bureau.staff("operator")
    first = await Order.all().order_by("id").first()
    assert first is not None
    category = trade.programme.category(first.category)
    assert category is not None
    chosen = ExportFilters(since=day_of(NOON), status=first.status, category=first.category)
    job = await bureau.ask(clerk, slug=SLUG, filters=chosen)
    assert await bureau.runs().run_due() == 1

    content = await bureau.fetched(job, clerk)
    cover, rows = book_of(content).values()
    said = dict(row[:2] for row in cover if row[0])
    assert {job.asked_name, job.number, "5", "已遮盖"} <= set(said.values())
    filters = f"起始日期：2026-05-18；状态：{texts.ORDER_STATUSES[first.status]}；服务类别：{category.name}"
    assert filters.replace("；", texts.STEP) in said.values()
    header, *lines, total = rows
    place = {name: number for number, name in enumerate(header)}
    assert len(lines) == 5
    assert {line[place["企业信用代码"]] for line in lines} == {trade.enterprise.uscc}
    assert lines[0][place["项目名称"]] == neutral('=HYPERLINK("http://x","0")')
    assert total[0] == "合计"
    assert total[place["服务券抵扣（元）"]] == pytest.approx(500.10)
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[1]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:P6")
    deeds = (
        await JournalEntry.filter(subject=f"export:{job.id}").order_by("id").values_list("action", flat=True)
    )
    assert deeds == ["export.asked", "export.done", "export.downloaded"]
    assert await OutboxMessage.filter(recipient=clerk.name, topic="export.done").exists()


async def test_whoever_lives_goes_on_where_a_dead_process_stopped(bureau: Bureau) -> None:
    trade = await Trade.begun(SLUG)
    await orders_of(trade, 7)
    clerk = await bureau.staff("operator")
    job = await bureau.ask(clerk, slug=SLUG, format=ExportFormat.CSV)
    turns = iter(range(3))

    async def killed_at_the_third() -> None:
        if next(turns) == 2:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await bureau.runs(turn=killed_at_the_third).run_due()
    half = await ExportJob.get(id=job.id)
    assert (half.status, half.rows_done, half.rows_total) == (ExportStatus.RUNNING, 4, 7)
    # What comes meanwhile belongs to the next list.
    await orders_of(trade, 2)
    assert await bureau.runs().run_due() == 0, "it is still held"
    bureau.clock.advance(LEASE + MINUTE)
    assert await bureau.runs().run_due() == 1

    text = (await bureau.fetched(job, clerk)).decode("utf-8-sig")
    numbers = [line.partition(",")[0] for line in text.split("\r\n")[1:8]]
    assert len(set(numbers)) == 7
    assert text.split("\r\n")[8].startswith("合计,")
    done = await ExportJob.get(id=job.id)
    assert (done.rows_done, done.rows_total, done.attempts) == (7, 7, 2)
    assert not await ExportPart.exists()


async def test_a_cancelled_list_is_not_made(quick: Bureau) -> None:
    trade = await Trade.begun(SLUG)
    await orders_of(trade, 5)
    clerk = await quick.staff("operator")
    job = await quick.ask(clerk, slug=SLUG)

    async def cancelled_meanwhile() -> None:
        if (await ExportJob.get(id=job.id)).rows_done:
            await quick.exports.cancel(job.id, actor=clerk)

    assert await quick.runs(turn=cancelled_meanwhile).run_due() == 0
    assert (await ExportJob.get(id=job.id)).status is ExportStatus.CANCELLED
    assert not await ExportPart.exists()
    with pytest.raises(exports.ExportNotReady):
        await quick.exports.download(job.id, actor=clerk)
    with pytest.raises(exports.ExportEnded):
        await quick.exports.cancel(job.id, actor=clerk)


async def test_what_is_personal_is_masked_without_the_right_and_a_reason(quick: Bureau) -> None:
    trade = await Trade.begun(SLUG)
    await admit(trade.enterprise, trade.programme, Party.ENTERPRISE, NOON)
    person = await Person.create(
        account="x",
        openid_sealed=quick.sealer.seal("x"),
        phone_sealed=quick.sealer.seal("19900001234"),
        name="欧阳晨光",
        created_at=NOON,
    )
    await Membership.create(
        person_id=person.id,
        organisation_id=trade.enterprise.id,
        role=MemberRole.HANDLER,
        created_at=NOON,
    )
    clerk, district = await quick.staff("operator"), await quick.staff("district")
    reason = "核对经办人变更材料"
    with pytest.raises(exports.ExportReasonMissing):
        await quick.ask(clerk, "organisations", slug=SLUG, revealed=True, reason="  x ")
    with pytest.raises(exports.ExportRevealForbidden):
        await quick.ask(district, "organisations", slug=SLUG, revealed=True, reason=reason)
    masked = await quick.ask(clerk, "organisations", slug=SLUG)
    clear = await quick.ask(clerk, "organisations", slug=SLUG, revealed=True, reason=reason)
    assert await quick.runs().run_due() == 2

    first = book_of(await quick.fetched(masked, clerk))["明细"][1]
    second = book_of(await quick.fetched(clear, clerk))
    assert ("19900001234" in first, "199****1234" in first) == (False, True)
    assert {"19900001234", "欧阳晨光"} <= set(second["明细"][1])
    assert any(reason in str(row[1]) for row in second["导出说明"] if row[0])
    auditor = await quick.staff("auditor")
    assert await quick.fetched(masked, auditor)
    with pytest.raises(NotFound):
        await quick.exports.download(clear.id, actor=auditor)
    kept = await JournalEntry.filter(action="export.asked").order_by("id")
    assert [one.data["reason"] for one in kept] == ["", reason]
    assert not any("19900001234" in str(one.data) for one in await JournalEntry.all())


async def test_a_list_is_for_who_may_have_it(quick: Bureau) -> None:
    await Trade.begun(SLUG)
    inspector, bound = await quick.staff("inspector"), await quick.staff("operator")
    with pytest.raises(NotAllowed):
        await quick.ask(inspector, "ledger", slug=SLUG)
    elsewhere = Actor("staff", bound.id, "", None, bound.roles, programmes=frozenset({"guangxi-2024"}))
    with pytest.raises(NotFound):
        await quick.ask(elsewhere, slug=SLUG)
    in_area = Actor("staff", bound.id, "", None, bound.roles, areas=frozenset({"浙江省/丽水市/市直"}))
    with pytest.raises(NotAllowed):
        await quick.ask(in_area, "ledger", slug=SLUG)
    with pytest.raises(exports.ExportFilterUnknown):
        await quick.ask(bound, slug=SLUG, filters=ExportFilters(year=2026))
    for wrong in (
        ExportFilters(status="nonsense"),
        ExportFilters(since=date(2026, 5, 2), until=date(2026, 5, 1)),
    ):
        with pytest.raises(exports.ExportFilterUnknown):
            await quick.ask(bound, slug=SLUG, filters=wrong)
    with pytest.raises(exports.ExportKindUnknown):
        await quick.ask(bound, "secrets", slug=SLUG)
    job = await quick.ask(in_area, slug=SLUG)
    with pytest.raises(NotFound):
        await quick.exports.find(job.id, actor=await quick.staff("operator"))
    for _ in range(2):
        await quick.ask(bound, slug=SLUG)
    with pytest.raises(exports.ExportAlreadyRunning):
        await quick.ask(bound, slug=SLUG)


async def test_a_file_goes_when_its_time_is_over_and_not_before(quick: Bureau) -> None:
    await Trade.begun(SLUG)
    clerk = await quick.staff("operator")
    job = await quick.ask(clerk, slug=SLUG)
    await quick.runs().run_due()
    sha256 = (await ExportJob.get(id=job.id)).sha256
    quick.clock.advance(KEPT_FOR - MINUTE)
    await quick.runs().expire_due()
    await quick.evidence.sweep(quick.now)
    assert await quick.fetched(job, clerk)

    quick.clock.advance(2 * MINUTE)
    with pytest.raises(exports.ExportGone):
        await quick.exports.download(job.id, actor=clerk)
    assert await quick.runs().expire_due() == 1
    quick.clock.advance(EVIDENCE_LEASE + MINUTE)
    await quick.evidence.sweep(quick.now)
    assert not await EvidenceObject.filter(sha256=sha256).exists()
    assert (await ExportJob.get(id=job.id)).sha256 == sha256


async def test_a_list_that_cannot_be_made_fails_in_the_end(quick: Bureau) -> None:
    await Trade.begun(SLUG)
    clerk = await quick.staff("operator")
    job = await quick.ask(clerk, slug=SLUG)

    async def no_database() -> None:
        raise ConnectionError

    for attempt in range(MOST_ATTEMPTS):
        assert (await ExportJob.get(id=job.id)).attempts == attempt
        assert await quick.runs(turn=no_database).run_due() == 0
        quick.clock.advance(LEASE)
    failed = await ExportJob.get(id=job.id)
    assert (failed.status, failed.error) == (ExportStatus.FAILED, "ConnectionError")


def test_what_a_code_is_called_is_known_for_every_code() -> None:
    known: dict[str, type[StrEnum]] = {
        "voucher": VoucherStatus,
        "standing": QualificationStatus,
        "payment": TransferStatus,
        "channel": Channel,
        "finding": Finding,
    }
    assert {name: set(words) for name, words in texts.EXPORT_WORDS.items()} == {
        name: {one.value for one in codes} for name, codes in known.items()
    }


async def test_every_list_can_be_read_under_every_filter_it_knows(quick: Bureau) -> None:
    trade = await Trade.begun(SLUG)
    order = await trade.sold(100_00, NOON)
    await admit(trade.enterprise, trade.programme, Party.ENTERPRISE, NOON)
    day = day_of(NOON)
    chosen = {"since": day, "until": day, "category": order.category, "year": 2026}
    read: dict[str, int] = {}
    for kind, source in quick.exports.sources.items():
        filters = ExportFilters(**{name: value for name, value in chosen.items() if name in source.filters})
        scope = Scope(SLUG, filters)
        bounds = await source.bounds(scope)
        page = await source.page(replace(scope, through_id=bounds.through_id), after=0, limit=50)
        assert len(page.rows) == min(bounds.rows, 50)
        assert all(len(row) == len(source.columns) for row in page.rows), kind
        codes = {cell for row in page.rows for cell in row if isinstance(cell, str) and CODE.fullmatch(cell)}
        assert not codes, f"{kind} shows codes instead of words"
        read[kind] = bounds.rows
    # Money that was put into the year on the same day belongs to no category.
    assert read == {
        **dict.fromkeys(("settlements", "payments", "complaints"), 0),
        "orders": 1,
        "vouchers": 1,
        "organisations": 1,
        "ledger": 5,
    }
