"""Bank files: templates read strictly, tables that no spreadsheet runs or rounds, receipts read back."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import openpyxl
import pytest

from server.programme.bank_files import BankFilesFaulty, BankTemplate, load_bank_templates
from server.rules.disbursements import Receipt
from server.services.disbursements import receipts_file
from server.services.disbursements.bank_files import BankFormat, BankLine, plain_yuan, written
from server.services.tables import sheets
from server.services.tables.import_table import ImportColumnsWrong

TEMPLATES = Path("config/bank_files")
LINES = [
    BankLine(
        "PB1-0001", "=HYPERLINK(1)公司", "6222020000008888", "中国银行", "104343010019", "X", 3_000_001, "S1"
    ),
    BankLine("PB1-0002", "远山数字技术有限公司", "0011223344556677", "工商银行", "", "Y", 5, "S2"),
]


def file_of(template: BankTemplate) -> tuple[list[list[str]], bytes]:
    made = written(template, LINES, purpose="2026年服务券兑付", batch="PB1")
    text = made.csv.decode("utf-8-sig" if template.encoding == "utf-8" else "gb18030")
    assert (made.count, made.total_fen) == (2, 3_000_006)
    return list(csv.reader(io.StringIO(text))), made.xlsx


def test_a_banks_file_has_its_columns_amounts_in_yuan_and_accounts_as_text() -> None:
    table, xlsx = file_of(load_bank_templates(TEMPLATES)["general"])
    assert table[0][:4] == ["序号", "付款编号", "收款人户名", "收款账号"]
    assert table[1][3] == "\t6222020000008888" and table[1][6] == "30000.01"
    assert table[1][2] == "'=HYPERLINK(1)公司", "no formula of anybody's name"
    assert table[2][3] == "\t0011223344556677" and table[2][6] == "0.05"
    assert table[3][1:3] == ["合计", "共 2 笔"] and table[3][6] == "30000.06"
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx)).active
    assert sheet is not None
    assert sheet.cell(3, 4).value == "0011223344556677" and sheet.cell(3, 4).data_type == "s"
    assert sheet.cell(2, 3).data_type == "s"


def test_another_bank_is_another_file_and_the_same_batch_is_twice_the_same_bytes() -> None:
    template = load_bank_templates(TEMPLATES)["treasury"]
    table, _ = file_of(template)
    assert table[0][0] == "付款编号" and len(table) == 3 and table[1][3] == "6222020000008888"
    once, twice = [written(template, LINES, purpose="兑付", batch="PB1") for _ in range(2)]
    for form in BankFormat:
        assert once.sha256(form) == twice.sha256(form)
    assert once.sha256(BankFormat.CSV) != once.sha256(BankFormat.XLSX)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('holds = "amount"', 'holds = "sum"'),
        ('    { title = "收款账号", holds = "account" },\n', ""),
        ('encoding = "utf-8"', 'encoding = "utf-16"'),
        ('text_mark = "\\t"', 'text_mark = "="'),
        ("totals = true", 'totals = "yes"'),
        ("{year}年", "{who}"),
        ('title = "用途"', 'title = "金额（元）"'),
        ('code = "general"', 'code = "general"\nbank = "x"'),
    ],
)
def test_a_faulty_template_stops_the_start(tmp_path: Path, old: str, new: str) -> None:
    text = (TEMPLATES / "general.toml").read_text("utf-8")
    assert old in text
    (tmp_path / "general.toml").write_text(text.replace(old, new), "utf-8")
    with pytest.raises(BankFilesFaulty, match="general"):
        load_bank_templates(tmp_path)


def test_no_template_and_one_code_twice_stop_the_start(tmp_path: Path) -> None:
    with pytest.raises(BankFilesFaulty):
        load_bank_templates(tmp_path)
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text((TEMPLATES / "general.toml").read_text("utf-8"), "utf-8")
    with pytest.raises(BankFilesFaulty, match="another template's code"):
        load_bank_templates(tmp_path)


def test_a_receipts_file_is_read_with_its_sum_and_every_fault_of_every_cell() -> None:
    header = [column.name for column in receipts_file.columns()]
    rows = [
        ["PB1-0001", "30,000.01元", "成功", "2026/5/18", "R 0000-01", ""],
        ["PB1-0002", "五元", "也许", "2026-05", "?", ""],
        ["PB1-0003", "5", "退汇", "20260518", "", "户名不符"],
        ["合计", "30005.06", "", "", "", ""],
    ]
    table, stated_fen = receipts_file.read(sheets.written_csv(header, rows))
    assert stated_fen == 3_000_506
    first, broken, back = table.rows
    assert isinstance(first.item, Receipt)
    assert (first.item.amount_fen, first.item.number, first.item.paid) == (3_000_001, "R000001", True)
    assert broken.item is None and {fault.column for fault in broken.faults} == {"金额", "结果", "交易日期"}
    assert back.item is not None and not back.item.paid and back.item.reason == "户名不符"
    with pytest.raises(ImportColumnsWrong):
        receipts_file.read(sheets.written_csv(["付款编号", "金额"], [["PB1-0001", "1.00"]]))


def test_an_amount_has_two_decimals_and_nothing_between_the_thousands() -> None:
    assert [plain_yuan(fen) for fen in (0, 5, 100, 123_456_789)] == ["0.00", "0.05", "1.00", "1234567.89"]
