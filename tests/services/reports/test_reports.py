"""Reports: figures that agree with the ledger, made on their day, kept as they were told."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any

import pypdf
import pytest

from server import texts
from server.clock import CHINA
from server.models.disbursements import BankAccount, Payment, PaymentBatch
from server.models.ledger import LedgerEntry
from server.models.outbox import OutboxMessage
from server.models.reports import ReportEdition
from server.models.rounds import Round
from server.models.vouchers import Voucher
from server.programme.vocabulary import Actor as ProgrammeActor
from server.rules.deadlines import start_of
from server.rules.disbursements import BatchStatus
from server.rules.lifecycles import RoundStatus
from server.rules.money import Account, Movement
from server.rules.report_periods import Period
from server.services.access import Actor, NotFound
from server.services.budgets import ledger
from server.services.reports import editions
from server.services.reports.definitions import HOUSE, ReportByPeople, ReportUnknown, definition
from server.services.reports.figures import Trace, selected
from server.units import yuan_to_fen
from tests.reporting import Bureau, Trade, book_of

APRIL = Period(date(2026, 4, 1), date(2026, 4, 30))
IN_APRIL = datetime(2026, 4, 20, 3, 0, tzinfo=UTC)
FIRST_OF_MAY = datetime(2026, 5, 6, 0, 0, tzinfo=UTC)
"""Eight in the morning of the first working day."""
LAST_MOMENT = datetime(2026, 4, 30, 15, 59, 59, 999999, UTC)


def figures(content: dict[str, Any]) -> dict[str, int]:
    return {
        f"{section['code']}.{one['code']}": one["value"]
        for section in content["sections"]
        for one in section["figures"]
    }


@pytest.mark.rules("NX-24", "YC-28")
async def test_every_figure_is_what_its_rows_come_to_and_agrees_with_the_ledger(bureau: Bureau) -> None:
    trade = await Trade.begun("ningxia-2016", IN_APRIL - timedelta(days=5))
    for fen, at in ((300_00, IN_APRIL), (200_50, LAST_MOMENT), (999_00, LAST_MOMENT + timedelta(seconds=1))):
        await trade.sold(fen, at)
    await ledger.post(Movement.CLAW_BACK, 50_00, ledger.Where(trade.budget.id), at=IN_APRIL)
    content = await bureau.reports.counted("ningxia-2016", HOUSE, APRIL)

    seen = 0
    for section in content["sections"]:
        for one in section["figures"]:
            if one["trace"] is None:
                continue
            rows = selected(Trace(one["trace"]["of"], one["trace"]["where"]))
            if one["code"] == "enterprises_served":
                expected = len({row.enterprise_id for row in await rows})
            elif one["unit"] == "count":
                expected = len(await rows)
            elif one["trace"]["of"] == "ledger":
                groups = {"redeemed_fen": {"redeemed", "disbursed"}, "disbursed_fen": {"disbursed"}}
                wanted = groups.get(one["code"], {"held", "redeemed", "disbursed"})
                entries = await rows
                crossing = "movement__in" in one["trace"]["where"] and one["code"] != "posted_fen"
                expected = (
                    sum(
                        row.amount_fen * ((row.credit in wanted) - (row.debit in wanted) if crossing else 1)
                        for row in entries
                    )
                    if one["code"] in {*groups, "used_fen"}
                    else sum(row.amount_fen for row in entries)
                )
            else:
                continue
            assert one["value"] == expected, f"{section['code']}.{one['code']}"
            seen += 1
    assert seen > 25

    april = [row for row in await LedgerEntry.all() if row.at <= LAST_MOMENT]

    def posted(movement: Movement) -> int:
        return sum(row.amount_fen for row in april if row.movement is movement)

    told = figures(content)
    assert told["issuance.posted_fen"] == posted(Movement.ISSUE) == told["issuance.issued_fen"] == 500_50
    assert told["transactions.redeemed_fen"] == posted(Movement.REDEEM) - 50_00
    assert told["settlements.disbursed_fen"] == posted(Movement.DISBURSE) - posted(Movement.CLAW_BACK)
    assert told["transactions.orders_done"] == 2
    money = next(one for one in content["sections"] if one["code"] == "budget")["tables"][0]
    held = {row["cells"][0]: row["cells"][1] for row in money["rows"]}
    now = await ledger.balances(budget_id=trade.budget.id)
    assert held["已拨付"] == now[Account.DISBURSED] - 999_00
    tables = {table["code"]: table for one in content["sections"] for table in one["tables"]}
    for code in ("districts", "size_classes"):
        assert tables[code]["totals"][-1] == told["transactions.redeemed_fen"] + 50_00


@pytest.mark.rules("YC-28", "NX-24", "NX-37", "YC-08", "NX-05")
@pytest.mark.parametrize(
    ("slug", "due_at", "owed"),
    [
        (
            "yinchuan-2024",
            FIRST_OF_MAY,
            {"operation": (APRIL.first, ["issuance", "providers", "effect"])},
        ),
        (
            "ningxia-2016",
            datetime(2026, 7, 1, 0, 0, tzinfo=UTC),
            {
                "transactions": (date(2026, 6, 1), ["transactions", "payments", "settlements"]),
                "operation": (APRIL.first, ["issuance", "providers", "satisfaction"]),
            },
        ),
    ],
)
async def test_the_clock_reports_to_the_authority_on_the_first_working_day(
    quick: Bureau, slug: str, due_at: datetime, owed: dict[str, tuple[date, list[str]]]
) -> None:
    trade = await Trade.begun(slug, IN_APRIL)
    await trade.sold(300_00, IN_APRIL)
    quick.clock.at = due_at
    assert await quick.due.make_due(slug, due_at - timedelta(days=1)) == 0
    assert await quick.due.make_due(slug, due_at) == len(owed) + 1, "and the house's own"
    assert await quick.due.make_due(slug, due_at) == 0, "the same slot, run twice"

    for code, (first, sections) in owed.items():
        edition = await ReportEdition.get(programme_slug=slug, code=code)
        assert (edition.period_from, edition.version, edition.made_by) == (first, 1, "clock")
        assert [one["code"] for one in edition.content["sections"]] == sections
        assert edition.article
        assert edition.delivered_to == ["authority"]
        assert definition(trade.programme, code).by is ProgrammeActor.OPERATOR
        told = {"recipient": f"role:authority:{slug}", "topic": "report.delivered"}
        assert edition.id in [one.data["report"] for one in await OutboxMessage.filter(**told)]


@pytest.mark.rules("LS-70")
async def test_use_is_reported_to_both_bureaus_after_issue_and_after_use(quick: Bureau) -> None:
    slug = "lishui-2024"
    trade = await Trade.begun(slug, IN_APRIL)
    closes, ends = start_of(date(2026, 4, 25)), start_of(date(2026, 6, 30))
    row = await Round.create(
        budget_id=trade.budget.id,
        title="第一批",
        status=RoundStatus.CLOSED,
        opens_at=IN_APRIL,
        closes_at=closes,
        pool_fen=0,
        valid_until=ends,
        created_at=IN_APRIL,
        created_by=1,
    )
    await trade.sold(300_00, IN_APRIL + timedelta(days=1))
    for event, over in (("issued", closes), ("used", ends)):
        quick.clock.at = over + timedelta(hours=8)
        assert await quick.due.make_due(slug, quick.now) == 1
        edition = await ReportEdition.get(subject=f"round:{row.id}:{event}")
        assert edition.code == "usage"
        assert edition.delivered_to == ["authority", "treasury"]
        assert figures(edition.content)["effect.vouchers_fen"] == 300_00
    for role, may in (("treasury", True), ("inspector", False)):
        reader = await quick.staff(role)
        assert quick.reports.may_read(reader, edition) is may
    told = await OutboxMessage.filter(topic="report.delivered").values_list("recipient", flat=True)
    assert set(told) == {f"role:authority:{slug}", f"role:treasury:{slug}"}


@pytest.mark.rules("GZ-41")
async def test_the_result_of_a_batch_is_put_together_for_the_filing(quick: Bureau) -> None:
    slug = "guangzhou-2020"
    trade = await Trade.begun(slug, IN_APRIL)
    order = await trade.sold(300_00, IN_APRIL)
    closed = datetime(2026, 4, 22, 3, 0, tzinfo=UTC)
    batch = await PaymentBatch.create(
        number="B1",
        programme_slug=slug,
        programme_version=trade.programme.version,
        budget_id=trade.budget.id,
        status=BatchStatus.CLOSED,
        drafted_by=1,
        drafted_at=IN_APRIL,
        closed_at=closed,
    )
    account = await BankAccount.create(
        organisation_id=trade.provider.id,
        programme_slug=slug,
        holder=trade.provider.name,
        bank="某银行",
        number_sealed="",
        number_index="",
        tail="0001",
        proof=[],
        entered_by="person:1",
        entered_at=IN_APRIL,
    )
    for number, (fen, status) in enumerate(((300_00, "paid"), (100_00, "returned"))):
        await Payment.create(
            number=f"P{number}",
            batch_id=batch.id,
            settlement_id=number + 1,
            order_id=order.id,
            provider_id=trade.provider.id,
            account_id=account.id,
            amount_fen=fen,
            status=status,
            receipt_on=date(2026, 4, 22),
            settled_at=closed,
        )
    quick.clock.at = datetime(2026, 4, 23, 0, 0, tzinfo=UTC)
    assert await quick.due.make_due(slug, quick.now) == 1
    edition = await ReportEdition.get(programme_slug=slug, subject=f"batch:{batch.id}")
    assert figures(edition.content) == {"results.paid_count": 1, "results.paid_fen": 300_00}
    (row,) = edition.content["sections"][0]["tables"][0]["rows"]
    assert row["cells"] == [
        *(trade.enterprise.name, order.project, trade.provider.name, trade.provider.uscc),
        *(300_00, "2026-04-22"),
    ]


@pytest.mark.rules("LS-24", "LS-25", "LS-26")
async def test_category_shares_stand_beside_their_ceilings_and_the_floor(quick: Bureau) -> None:
    trade = await Trade.begun("lishui-2024", IN_APRIL)
    floor = trade.programme.category_floors[0]
    capped = next(one for one in trade.programme.categories if one.max_share_bp == 1_000)
    counted_in = floor.categories[0]
    await trade.sold(yuan_to_fen(1_200_000), IN_APRIL, category=capped.code)
    await trade.sold(yuan_to_fen(300_000), IN_APRIL, category=counted_in)
    content = await quick.reports.counted("lishui-2024", "category_shares", APRIL)
    categories, floors = content["sections"][0]["tables"]
    rows = {row["cells"][0]: row["cells"][1:] for row in categories["rows"]}
    assert rows[capped.name] == [
        *(yuan_to_fen(1_200_000), 1_200, "10%", yuan_to_fen(1_000_000)),
        *(yuan_to_fen(-200_000), "已超过"),
    ]
    reached, least, wanted, missing, verdict = floors["rows"][0]["cells"][1:6]
    assert (reached, least, wanted) == (yuan_to_fen(300_000), "40%", yuan_to_fen(600_000))
    assert (missing, verdict) == (yuan_to_fen(300_000), "未达到")
    # A tier is said by its name, as the text has it.
    tier = trade.programme.issuance.tiers[0]
    await Voucher.all().update(tier=tier.code)
    overview = await quick.reports.counted("lishui-2024", HOUSE, APRIL)
    issued = next(one for one in overview["sections"] if one["code"] == "issuance")["tables"][0]
    assert [row["cells"][1] for row in issued["rows"]] == [tier.name]


async def test_what_was_delivered_stays_and_a_correction_says_what_differs(quick: Bureau) -> None:
    slug = "yinchuan-2024"
    trade = await Trade.begun(slug, IN_APRIL)
    await trade.sold(300_00, IN_APRIL)
    clerk = await quick.staff("operator")
    first = await quick.reports.make(slug, "operation", APRIL, actor=clerk)
    page = b"".join([piece async for piece in quick.reports.pieces(first.page_id)])
    with pytest.raises(editions.ReportReasonMissing):
        await quick.reports.make(slug, "operation", APRIL, actor=clerk)
    with pytest.raises(editions.ReportUnchanged):
        await quick.reports.make(slug, "operation", APRIL, reason="再统计一遍", actor=clerk)
    await trade.sold(200_00, IN_APRIL)
    second = await quick.reports.make(slug, "operation", APRIL, reason="补录一笔订单", actor=clerk)

    assert second.version == 2
    changed = {one["what"]: (one["before"], one["after"]) for one in second.differences}
    assert changed["服务券发放情况 · 记账发放额"] == ("300.00", "500.00")
    old = await ReportEdition.get(id=first.id)
    assert (old.content, old.sha256) == (first.content, editions.hash_of_content(old.content))
    assert b"".join([piece async for piece in quick.reports.pieces(old.page_id)]) == page
    with pytest.raises(Exception, match=r"append|change"):
        await ReportEdition.filter(id=first.id).update(title="别的")
    topics = await OutboxMessage.filter(recipient=f"role:authority:{slug}").values_list("topic", flat=True)
    assert topics == ["report.delivered", "report.corrected"]


async def test_every_form_says_the_same_and_needs_no_script(quick: Bureau) -> None:
    slug = "yinchuan-2024"
    trade = await Trade.begun(slug, IN_APRIL)
    await trade.sold(1_234_56, IN_APRIL)
    await type(trade.provider).filter(id=trade.provider.id).update(name="<script>远山</script>")
    clerk = await quick.staff("operator")
    edition = await quick.reports.make(slug, "operation", APRIL, actor=clerk)
    read = {
        form: b"".join([piece async for piece in quick.reports.pieces(sha256)])
        for form, sha256 in (
            ("page", edition.page_id),
            ("sheet", edition.sheet_id),
            ("paper", edition.paper_id),
        )
    }
    page = read["page"].decode()
    assert "<script" not in page
    assert "&lt;script&gt;远山" in page
    assert 'lang="zh-CN"' in page
    charts = re.findall(r"<svg[^>]*role=\"img\"[^>]*aria-label=\"[^\"]+\".*?</figure>(<table>)?", page)
    assert charts
    assert all(charts), "each chart has its table beside it"
    assert "1,234.56" in page
    sheets = book_of(read["sheet"])
    assert list(sheets)[:2] == ["说明", "主要数据"]
    values = [row[2] for row in sheets["主要数据"][1:]]
    assert pytest.approx(1234.56) in values, "money is a number that can be summed"
    assert not any(isinstance(one, str) and one.replace(",", "").replace(".", "").isdigit() for one in values)
    assert sheets["各服务机构"][1][3] == pytest.approx(1234.56)
    text = "".join(one.extract_text() for one in pypdf.PdfReader(BytesIO(read["paper"])).pages)
    assert "1,234.56" in text
    assert edition.number in text


async def test_who_doubts_a_figure_sees_its_rows(quick: Bureau) -> None:
    slug = "yinchuan-2024"
    trade = await Trade.begun(slug, IN_APRIL)
    for _ in range(3):
        await trade.sold(100_00, IN_APRIL)
    clerk = await quick.staff("operator")
    edition = await quick.reports.make(slug, "operation", APRIL, actor=clerk)

    async def behind(figure: str, row: int | None = None, after: int = 0, actor: Actor = clerk) -> Any:
        found = await quick.reports.find(edition.id, actor=actor)
        return await quick.reports.behind(found, figure, row=row, actor=actor, after=after, limit=2)

    first = await behind("issuance.posted_fen")
    rest = await behind("issuance.posted_fen", after=first.next_after)
    assert sum(one.amount_fen for one in (*first.rows, *rest.rows)) == 300_00
    assert {one.name for one in first.rows} == {texts.LEDGER_MOVEMENTS["issue"]}
    assert (await behind("providers.providers", row=0)).of == "order"
    for figure, row in (("effect.leverage", None), ("issuance.x", None), ("providers.providers", 99)):
        with pytest.raises(editions.ReportFigureUnknown):
            await behind(figure, row)
    elsewhere = Actor("staff", clerk.id, "", None, clerk.roles, programmes=frozenset({"guangxi-2024"}))
    in_area = Actor("staff", clerk.id, "", None, clerk.roles, areas=frozenset({"银川市/兴庆区"}))
    for stranger in (elsewhere, in_area):
        with pytest.raises(NotFound):
            await behind("issuance.posted_fen", actor=stranger)


async def test_a_report_that_cannot_be_is_refused(quick: Bureau) -> None:
    clerk = await quick.staff("authority")
    future = Period(date(2026, 5, 1), quick.now.astimezone(CHINA).date())
    backwards = Period(APRIL.last, APRIL.first)
    for period in (future, backwards):
        with pytest.raises(editions.ReportPeriodImpossible):
            await quick.reports.make("yinchuan-2024", "operation", period, actor=clerk)
    with pytest.raises(ReportUnknown):
        await quick.reports.make("yinchuan-2024", "nothing", APRIL, actor=clerk)
    with pytest.raises(ReportByPeople):
        await quick.reports.make("ningxia-2016", "audit", APRIL, actor=clerk)
    assert await quick.due.make_due("yinchuan-2024", FIRST_OF_MAY) == 0, "no year was given money"
