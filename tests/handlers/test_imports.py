"""Imports over HTTP: looked at first, taken in whole or not at all, and what they do to organisations."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import openpyxl
import pytest
from aiohttp import FormData

from server.models.imports import ImportRun
from server.models.journal import JournalEntry
from server.models.labels import AttestedLabel
from server.models.organisations import BlocklistEntry, Organisation
from server.models.outbox import OutboxMessage
from server.models.rounds import Entitlement, Round
from server.services.imports import imports
from server.services.tables.sheets import MOST_BYTES
from server.units import yuan_to_fen
from tests.town import PROGRAMME, Answered, Caller, Town, uscc

LIST = {"programme": PROGRAMME, "label": "newly_above_scale", "list_name": "2025年度新升规名单"}
D_CLASS = {"programme": PROGRAMME, "label": "per_mu_rated_d", "list_name": "2025年度亩均评价"}
INSTITUTIONS = {"programme": "guangzhou-2020", "list_name": "2020年名录"}
HEADER = ("统一社会信用代码", "企业名称", "认定年度", "有效期至")
NAMES = ("机构全称", "统一社会信用代码", "认定类别", "认定级别", "服务类型", "认定年度", "有效期至")
BANS = ("统一社会信用代码", "依据条款", "事由", "起始日期", "截止日期")


def csv(*rows: Sequence[str]) -> bytes:
    return "\r\n".join(",".join(row) for row in rows).encode("utf-8-sig")


def xlsx(*rows: Sequence[object]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


async def upload(caller: Caller, path: str, raw: Any, **query: Any) -> Answered:
    url = f"/api/v1/imports/{path}?{urlencode(query)}"
    async with caller._client.post(url, data=raw, headers=caller._headers) as response:
        is_json = "json" in response.content_type
        said: Any = await response.json(content_type=None) if is_json else await response.read()
        return Answered(response.status, said, response.headers)


async def preview(caller: Caller, raw: Any, kind: str = "labels", **query: Any) -> Answered:
    return await upload(caller, f"{kind}/preview", raw, **query)


async def carry_out(caller: Caller, raw: bytes, kind: str = "labels", **query: Any) -> Answered:
    seen = await preview(caller, raw, kind, **query)
    assert seen.status == 200, seen.body
    return await upload(caller, kind, raw, **query, fingerprint=seen.body["fingerprint"])


async def code_of(caller: Caller) -> str:
    return str((await caller.get("organisations/mine")).body["uscc"])


async def rows_in_the_database() -> tuple[int, ...]:
    models = (AttestedLabel, BlocklistEntry, ImportRun, JournalEntry, OutboxMessage)
    return tuple([await model.all().count() for model in models])


async def entitled_fen() -> list[int]:
    return list(await Entitlement.all().order_by("id").values_list("amount_fen", flat=True))


@pytest.mark.rules("LS-28")
async def test_a_list_is_looked_at_first_and_gives_its_tier_when_it_is_taken_in(town: Town) -> None:
    operator = await town.operator()
    round_id = await town.open_round(operator)
    handler = await town.qualified(operator)
    raw = csv(
        HEADER, (await code_of(handler), "", "2025", "长期"), (uscc(7_000_001), "外地公司", "2025年", "")
    )
    before = await rows_in_the_database()
    seen = await preview(operator, raw, **LIST)
    assert await rows_in_the_database() == before
    assert (seen.status, seen.body["ready"]) == (200, True)
    assert seen.body["counts"] == {"new": 2, "changed": 0, "same": 0, "broken": 0, "withdrawn": 0}
    assert await entitled_fen() == [yuan_to_fen(10_000)]
    done = await upload(operator, "labels", raw, **LIST, fingerprint=seen.body["fingerprint"])
    assert (done.status, done.body["sha256"]) == (201, seen.body["sha256"])
    assert await entitled_fen() == [yuan_to_fen(20_000)]
    readiness = (await handler.get(f"rounds/{round_id}/readiness")).body
    assert (readiness["ready"], readiness["amount_fen"]) == (True, yuan_to_fen(20_000))
    told = await OutboxMessage.get(topic="organisation.labels_changed")
    assert told.data == {"gained": ["newly_above_scale"], "lost": []}
    assert (await JournalEntry.get(action="import.done")).data["counts"]["new"] == 2
    assert [run["id"] for run in (await operator.get("imports")).body["imports"]] == [done.body["id"]]


async def test_a_long_list_waits_until_the_crowd_of_a_launch_has_what_it_came_for(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = await town.operator()
    await town.open_round(operator)
    monkeypatch.setattr(imports, "FEW", 1)
    raw = csv(HEADER, (uscc(7_000_001), "", "2025", ""), (uscc(7_000_002), "", "2025", ""))
    over = town.now - imports.A_LAUNCH
    for opens_at in (town.now + imports.BEFORE_A_LAUNCH, over + timedelta(seconds=1)):
        await Round.all().update(opens_at=opens_at)
        before = await rows_in_the_database()
        refused = await carry_out(operator, raw, **LIST)
        assert (refused.status, refused.code) == (409, "import_during_launch")
        assert await rows_in_the_database() == before
    short = csv(HEADER, (uscc(7_000_001), "", "2025", ""))
    assert (await carry_out(operator, short, **LIST)).status == 201
    await Round.all().update(opens_at=over)
    assert (await carry_out(operator, raw, **{**LIST, "list_name": "另一份名单"})).status == 201


@pytest.mark.rules("LS-29")
async def test_the_seedling_library_is_a_list_and_gives_its_own_tier(town: Town) -> None:
    operator = await town.operator()
    await town.open_round(operator)
    handler = await town.qualified(operator)
    library = {**LIST, "label": "seedling_library", "list_name": "种苗企业库"}
    await carry_out(operator, csv(HEADER, (await code_of(handler), "", "", "")), **library)
    entitlement = await Entitlement.get()
    assert (entitlement.tier, entitlement.amount_fen) == ("seedling_library", yuan_to_fen(10_000))


@pytest.mark.rules("LS-11")
async def test_an_enterprise_rated_d_loses_its_standing_with_the_list_and_is_told_why(town: Town) -> None:
    operator = await town.operator()
    round_id = await town.open_round(operator)
    handler, bystander = await town.qualified(operator), await town.qualified(operator)
    raw = csv(HEADER, (await code_of(handler), "", "2025", ""))
    done = await carry_out(operator, raw, **D_CLASS)
    assert done.status == 201
    unready = (await handler.get(f"rounds/{round_id}/readiness")).body
    assert not unready["ready"]
    assert "performance" in [one["code"] for one in unready["missing"]]
    assert (await bystander.get(f"rounds/{round_id}/readiness")).body["ready"]
    told = await OutboxMessage.get(topic="qualification.sent_back")
    assert [one["clause"] for one in told.data["unmet"]] == ["二（一）1"]
    lifted = await carry_out(operator, csv(HEADER, (uscc(7_000_002), "", "", "")), **D_CLASS, mode="replace")
    assert lifted.body["counts"]["withdrawn"] == 1
    eligibility = (await handler.get(f"eligibility?programme={PROGRAMME}")).body
    assert eligibility["unmet"] == []


async def test_the_same_file_twice_changes_nothing(town: Town) -> None:
    operator = await town.operator()
    raw = csv(HEADER, (uscc(7_000_003), "某公司", "2025", "2026/12/31"))
    await carry_out(operator, raw, **LIST)
    lines = await AttestedLabel.all().values()
    again = await carry_out(operator, raw, **LIST, mode="replace")
    rewritten = xlsx(HEADER, (uscc(7_000_003).lower(), " 某公司", 2025, "２０２６年12月31日"))
    once_more = await carry_out(operator, rewritten, **LIST)
    assert again.body["counts"] == once_more.body["counts"]
    assert again.body["counts"] == {"new": 0, "changed": 0, "same": 1, "broken": 0, "withdrawn": 0}
    assert await AttestedLabel.all().values() == lines


async def test_a_changed_row_takes_the_place_of_the_old_one_and_both_are_kept(town: Town) -> None:
    operator = await town.operator()
    await carry_out(operator, csv(HEADER, (uscc(7_000_004), "", "2024", "")), **LIST)
    done = await carry_out(operator, csv(HEADER, (uscc(7_000_004), "", "2025", "")), **LIST)
    lines = (await operator.get(f"labels?uscc={uscc(7_000_004)}")).body["labels"]
    standing = (await operator.get(f"labels?uscc={uscc(7_000_004)}&standing_only=true")).body["labels"]
    assert done.body["counts"]["changed"] == 1
    assert [line["recognised_in"] for line in lines] == [2024, 2025]
    assert [line["recognised_in"] for line in standing] == [2025]


async def test_replacing_withdraws_what_the_list_names_no_longer_and_says_so_beforehand(town: Town) -> None:
    operator = await town.operator()
    await town.open_round(operator)
    leaving, staying = await town.qualified(operator), await town.qualified(operator)
    codes = [await code_of(leaving), await code_of(staying)]
    await carry_out(operator, csv(HEADER, *[(code, "", "", "") for code in codes]), **LIST)
    other = {**LIST, "list_name": "另一份名单"}
    await carry_out(operator, csv(HEADER, (uscc(7_000_005), "", "", "")), **other)
    shorter = csv(HEADER, (codes[1], "", "", ""))
    added = await preview(operator, shorter, **LIST)
    replaced = await preview(operator, shorter, **LIST, mode="replace")
    assert (added.body["withdrawn"], replaced.body["withdrawn"]) == ([], [codes[0]])
    assert await entitled_fen() == [yuan_to_fen(20_000), yuan_to_fen(20_000)]
    await carry_out(operator, shorter, **LIST, mode="replace")
    labels = {row.uscc: row.labels for row in await Organisation.all()}
    assert (labels[codes[0]], labels[codes[1]]) == ([], ["newly_above_scale"])
    assert sorted(await entitled_fen()) == [yuan_to_fen(10_000), yuan_to_fen(20_000)]
    assert await AttestedLabel.filter(list_name="另一份名单", withdrawn_at__isnull=True).count() == 1


BROKEN_ROWS = (
    HEADER,
    (uscc(7_000_006), "好公司", "2025", "2026-12-31"),
    ("91110000600037341X", "坏代码", "2025", ""),
    ("", "没有代码", "2025", ""),
    (uscc(7_000_007), "坏日期", "今年", "2026年底"),
    (uscc(7_000_006), "重复", "2025", ""),
)


async def test_a_file_with_broken_rows_is_not_taken_in_and_names_every_fault(town: Town) -> None:
    operator = await town.operator()
    raw = csv(*BROKEN_ROWS)
    before = await rows_in_the_database()
    seen = (await preview(operator, raw, **LIST)).body
    refused = await upload(operator, "labels", raw, **LIST, fingerprint=seen["fingerprint"])
    assert (refused.status, refused.code) == (422, "import_rows_broken")
    assert await rows_in_the_database() == before
    assert (seen["ready"], seen["counts"]["broken"], seen["counts"]["new"]) == (False, 4, 1)
    faults = {row["row"]: [(one["column"], one["problem"]) for one in row["faults"]] for row in seen["rows"]}
    assert faults[2] == []
    assert faults[3][0][0] == "统一社会信用代码" and "校验位不符" in faults[3][0][1]
    assert faults[4] == [("统一社会信用代码", "未填写统一社会信用代码")]
    assert [column for column, _ in faults[5]] == ["认定年度", "有效期至"]
    assert faults[6] == [("", "与第 2 行重复")]


async def test_the_errors_come_back_in_the_same_file_and_that_file_can_be_sent_again(town: Town) -> None:
    operator = await town.operator()
    report = await upload(operator, "labels/report", csv(*BROKEN_ROWS), **LIST)
    assert report.headers["Content-Type"].startswith("application/vnd.openxmlformats")
    sheet = openpyxl.load_workbook(io.BytesIO(report.body)).active
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0] == (*HEADER, "结果", "错误")
    assert [row[4] for row in rows[1:]] == ["新增", "有错误", "有错误", "有错误", "有错误"]
    assert "校验位不符" in str(rows[2][5])
    corrected = xlsx(*rows[:2])
    done = await carry_out(operator, corrected, **LIST)
    assert (done.status, done.body["counts"]["new"]) == (201, 1)


async def test_what_was_not_looked_at_is_not_taken_in(town: Town) -> None:
    operator = await town.operator()
    raw, other = (csv(HEADER, (uscc(number), "", "", "")) for number in (7_000_008, 7_000_009))
    fingerprint = (await preview(operator, raw, **LIST)).body["fingerprint"]
    another_file = await upload(operator, "labels", other, **LIST, fingerprint=fingerprint)
    another_mode = await upload(operator, "labels", raw, **LIST, mode="replace", fingerprint=fingerprint)
    taken_in = await upload(operator, "labels", raw, **LIST, fingerprint=fingerprint)
    moved_on = await upload(operator, "labels", raw, **LIST, fingerprint=fingerprint)
    assert {another_file.code, another_mode.code, moved_on.code} == {"import_not_previewed"}
    assert (another_file.status, taken_in.status) == (409, 201)
    assert await AttestedLabel.all().count() == 1


async def test_of_two_who_take_the_same_list_in_at_once_one_does(town: Town) -> None:
    operator = await town.operator()
    raw = csv(HEADER, *[(uscc(7_100_000 + number), "", "", "") for number in range(50)])
    fingerprint = (await preview(operator, raw, **LIST)).body["fingerprint"]
    answers = await asyncio.gather(
        *(upload(operator, "labels", raw, **LIST, fingerprint=fingerprint) for _ in range(4))
    )
    assert sorted(one.status for one in answers) == [201, 409, 409, 409]
    assert {one.code for one in answers if one.status == 409} == {"import_not_previewed"}
    assert (await AttestedLabel.all().count(), await ImportRun.all().count()) == (50, 1)


async def test_a_form_with_one_file_is_as_good_as_the_file(town: Town) -> None:
    operator = await town.operator()
    raw = csv(HEADER, (uscc(7_000_013), "", "", ""))
    plain = await preview(operator, raw, **LIST)
    form, wrong = FormData(), FormData()
    form.add_field("file", raw, filename="名单.csv", content_type="text/csv")
    wrong.add_field("list", raw, filename="名单.csv", content_type="text/csv")
    formed = await preview(operator, form, **LIST)
    assert (formed.status, formed.body) == (200, plain.body)
    assert (await preview(operator, wrong, **LIST)).code == "upload_form_unusable"


async def test_a_file_beyond_the_limit_is_not_read_to_its_end(town: Town) -> None:
    operator = await town.operator()
    refused = await preview(operator, io.BytesIO(b"a" * (MOST_BYTES + 1)), **LIST)
    assert (refused.status, refused.code) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (("企业名称", "认定年度"), "缺少“统一社会信用代码”"),
        ((*HEADER, "行业"), "多出“行业”"),
        ((*HEADER, "认定年度"), "“认定年度”出现了两次"),
    ],
)
async def test_wrong_columns_are_one_clear_refusal(town: Town, header: tuple[str, ...], problem: str) -> None:
    operator = await town.operator()
    refused = await preview(operator, csv(header, ("x",) * len(header)), **LIST)
    assert (refused.status, refused.code) == (422, "import_columns_wrong")
    assert problem in refused.body["detail"]


@pytest.mark.parametrize("form", ["xlsx", "csv"])
@pytest.mark.parametrize("kind", ["labels", "providers", "blocklist"])
async def test_every_template_can_be_filled_in_and_its_example_is_left_out(
    town: Town, kind: str, form: str
) -> None:
    operator = await town.operator()
    async with operator._client.get(
        f"/api/v1/imports/{kind}/template?format={form}", headers=operator._headers
    ) as response:
        raw = await response.read()
    assert response.status == 200
    settings = {"labels": LIST, "providers": INSTITUTIONS, "blocklist": {"list_name": "限制名单"}}[kind]
    refused = await preview(operator, raw, kind, **settings)
    assert (refused.status, refused.code) == (422, "sheet_unreadable")
    known = {one["code"]: one["columns"] for one in (await operator.get("import-kinds")).body["kinds"]}
    header = tuple(column["name"] for column in known[kind])
    if form == "xlsx":
        sheet = openpyxl.load_workbook(io.BytesIO(raw)).active
        assert next(sheet.iter_rows(values_only=True)) == header
        assert sheet.freeze_panes == "A2"
        assert {cell.number_format for cell in sheet[2]} == {"@"}


@pytest.mark.parametrize(
    ("kind", "settings", "code"),
    [
        ("labels", {**LIST, "programme": "nowhere"}, "unknown_programme"),
        ("labels", {**LIST, "label": "nothing"}, "labels_unknown"),
        ("labels", {"list_name": "名单"}, "import_settings_wrong"),
        ("providers", {"programme": PROGRAMME, "list_name": "名单"}, "import_settings_wrong"),
        ("blocklist", LIST, "import_settings_wrong"),
        ("nothing", LIST, "import_kind_unknown"),
        ("labels", {**LIST, "list_name": ""}, "malformed"),
        ("labels", {**LIST, "mode": "delete"}, "malformed"),
    ],
)
async def test_a_list_must_be_of_something(
    town: Town, kind: str, settings: dict[str, str], code: str
) -> None:
    operator = await town.operator()
    refused = await preview(operator, csv(HEADER, (uscc(1), "", "", "")), kind, **settings)
    assert refused.code == code
    assert await ImportRun.all().count() == 0


async def test_only_the_official_side_imports(town: Town) -> None:
    handler = await town.handler()
    raw = csv(HEADER, (uscc(7_000_010), "", "", ""))
    assert (await preview(handler, raw, **LIST)).status == 403
    assert (await upload(handler, "labels", raw, **LIST, fingerprint="0" * 64)).status == 403
    assert (await handler.get("imports")).status == 403
    assert (await handler.get("labels")).status == 403


async def test_a_list_of_bans_bars_until_its_last_day_and_is_lifted_when_replaced(town: Town) -> None:
    operator = await town.operator()
    round_id = await town.open_round(operator)
    handler, other = await town.qualified(operator), await town.qualified(operator)
    settings = {"programme": PROGRAMME, "list_name": "第一批限制名单"}
    rows = [
        (await code_of(one), "五（二）", "虚假交易", "2026-05-01", "2026年6月30日")
        for one in (handler, other)
    ]
    raw = csv(BANS, *rows)
    await carry_out(operator, raw, "blocklist", **settings)
    again = await carry_out(operator, raw, "blocklist", **settings)
    missing = (await handler.get(f"rounds/{round_id}/readiness")).body["missing"]
    entries = (await operator.get("blocklist")).body["entries"]
    assert again.body["counts"]["same"] == 2
    assert [one["code"] for one in missing] == ["barred"]
    assert entries[0]["ends_at"].startswith("2026-06-30T16:00:00")
    assert await entitled_fen() == []
    replaced = await carry_out(operator, csv(BANS, rows[1]), "blocklist", **settings, mode="replace")
    assert replaced.body["counts"]["withdrawn"] == 1
    assert (await handler.get(f"rounds/{round_id}/readiness")).body["ready"]
    assert not (await other.get(f"rounds/{round_id}/readiness")).body["ready"]


async def test_a_ban_that_ends_before_it_begins_is_a_broken_row(town: Town) -> None:
    operator = await town.operator()
    row = (uscc(7_000_011), "五（二）", "虚假交易", "2026-05-02", "2026-05-01")
    seen = await preview(operator, csv(BANS, row), "blocklist", list_name="名单")
    assert seen.body["rows"][0]["faults"] == [{"column": "截止日期", "problem": "截止日期早于起始日期"}]


async def listing(caller: Caller, name: str, programme: str = "guangzhou-2020") -> Any:
    query = urlencode({"name": name})
    return (await caller.get(f"programmes/{programme}/provider-list?{query}")).body


@pytest.mark.rules("GZ-06", "GZ-81")
async def test_an_institution_finds_itself_in_the_list_by_its_full_name(running_town: Town) -> None:
    operator, person = await running_town.operator(), await running_town.person()
    before = await listing(person, "广州某某服务中心")
    raw = csv(
        NAMES,
        ("广州某某服务中心", "", "广州市示范平台", "市", "信息服务、技术服务", "2019", ""),
        ("过期服务中心", uscc(7_000_012), "国家级示范平台", "国家级", "", "2016", "2019-12-31"),
    )
    done = await carry_out(operator, raw, "providers", **INSTITUTIONS)
    found = await listing(person, " 广州某某服务中心")
    assert (before["required"], before["listed"]) == (True, False)
    assert done.status == 201
    assert (found["listed"], [one["name"] for one in found["recognitions"]]) == (True, ["广州市示范平台"])
    assert not (await listing(person, "过期服务中心"))["listed"]
    assert not (await listing(person, "广州某某"))["listed"]
    assert not (await listing(person, "广州某某服务中心", PROGRAMME))["required"]
    assert (await AttestedLabel.get(name="广州某某服务中心")).kinds == ["信息服务", "技术服务"]


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (("某中心", "", "模范平台", "", "", "", ""), "认定类别"),
        (("某中心", "", "广州市示范平台", "国家", "", "", ""), "认定级别"),
        (("", "", "广州市示范平台", "", "", "", ""), "机构全称"),
    ],
)
async def test_a_recognition_that_the_programme_does_not_know_is_a_broken_row(
    town: Town, row: tuple[str, ...], column: str
) -> None:
    operator = await town.operator()
    seen = await preview(operator, csv(NAMES, row), "providers", **INSTITUTIONS)
    assert [one["column"] for one in seen.body["rows"][0]["faults"]] == [column]


async def test_another_name_than_the_registered_one_is_worth_a_look(town: Town) -> None:
    operator = await town.operator()
    handler = await town.handler()
    code = await code_of(handler)
    seen = await preview(operator, csv(HEADER, (code, "另一家公司", "", "")), **LIST)
    fine = await preview(operator, csv(HEADER, (code, "晨光精密机械有限公司", "", "")), **LIST)
    assert "晨光精密机械有限公司" in seen.body["rows"][0]["note"]
    assert (seen.body["ready"], fine.body["rows"][0]["note"]) == (True, "")
