"""Evidence: every paper a text asks for is missed by its name, and every fault of one is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache

import pytest

from server.programme.papers import Document
from server.programme.vocabulary import LegalForm
from server.rules.evidence import (
    Handed,
    UploadedFile,
    fields_missing,
    file_faults,
    paper_faults,
    papers_missing,
)
from tests.rules.cast import GUANGXI, GUANGZHOU, LISHUI, NINGXIA, YINCHUAN, programme

rules = pytest.mark.rules
MIB = 1024 * 1024


def documents_of(slug: str, place: str) -> tuple[Document, ...]:
    """The documents of a place: a party, the offering, the settlement, or the kind of an order step."""
    regulation = programme(slug)
    if place in {"enterprise", "provider", "offering", "settlement", "disbursement"}:
        found: tuple[Document, ...] = getattr(regulation, place).documents
        return found
    return next(step.documents for step in regulation.order_steps if step.kind == place)


def everything(documents: tuple[Document, ...]) -> list[Handed]:
    return [Handed(code=document.code, count=document.minimum) for document in documents]


# Where, and the names of what must be there, each from the text. "/" stands between what one of is enough.
ASKED = [
    pytest.param(
        LISHUI,
        "provider",
        "法人身份证正反面 营业执照 服务资质证明 上年度企业服务成效证明 从业人员职称或从业资格证 "
        "上年度营业收入（利润表） 上年度纳税证明 社会保险参保证明 服务场地证明 服务机构入驻承诺书",
        marks=rules("LS-37"),
    ),
    pytest.param(
        LISHUI,
        "enterprise",
        "营业执照 上年度营业收入（利润表） 上年度纳税证明 社会保险参保证明 企业入驻承诺书 企业信用承诺书",
        marks=rules("LS-59"),
    ),
    pytest.param(LISHUI, "sign_contract", "服务合同（协议）扫描件", marks=rules("LS-49")),
    pytest.param(LISHUI, "deliver", "服务成果证明/服务台账/业务开展资料", marks=rules("LS-52")),
    pytest.param(LISHUI, "invoice", "增值税发票扫描件/政府统一的经营性收入票据扫描件", marks=rules("LS-50")),
    pytest.param(LISHUI, "transfer_receipt", "转账凭证扫描件", marks=rules("LS-51")),
    pytest.param(
        GUANGXI,
        "provider",
        "广西服务券服务商申请表 机构登记、注册证照复印件 上年度服务企业的合同证明材料 专业服务资质证明材料 "
        "社保缴纳证明 纳税登记表 其他能证明本机构服务能力和实力的材料",
        marks=rules("GX-41"),
    ),
    pytest.param(GUANGXI, "service_confirmation", "服务确认书", marks=rules("GX-55")),
    pytest.param(GUANGXI, "milestone_evidence", "图片/视频/第三方证明", marks=rules("GX-67")),
    pytest.param(YINCHUAN, "provider", "营业执照 统一社会信用代码证", marks=rules("YC-17")),
    pytest.param(YINCHUAN, "upload_contract", "服务合同", marks=rules("YC-20")),
    pytest.param(
        YINCHUAN, "deliver", "全额发票 服务成果 转账信息 服务使用情况", marks=rules("YC-21", "YC-32")
    ),
    pytest.param(
        NINGXIA, "settlement", "企业支付合同款的收费凭证（扣除服务补贴券部分）", marks=rules("NX-22")
    ),
    pytest.param(
        GUANGZHOU,
        "enterprise",
        "营业执照副本 上年度完税证明/社保缴费证明 广州市中小微企业声明函",
        marks=rules("GZ-04"),
    ),
    pytest.param(GUANGZHOU, "provider", "营业执照副本/其他资格许可证件 服务机构承诺书", marks=rules("GZ-22")),
    pytest.param(GUANGZHOU, "settlement", "服务券兑现申请表 服务券使用情况明细汇总表", marks=rules("GZ-40")),
    pytest.param(
        GUANGZHOU,
        "pay_voucher",
        "全额发票（企业自付部分和服务券补贴部分） 对公转账凭证（企业自付部分）",
        marks=rules("GZ-36"),
    ),
]


@pytest.mark.parametrize(("slug", "place", "asked"), ASKED)
def test_what_the_text_asks_for_is_missed_by_name_and_nothing_else(slug: str, place: str, asked: str) -> None:
    documents = documents_of(slug, place)
    by_name = {document.name: document for document in documents}
    missing = papers_missing(documents, [])
    assert {one.message for one in missing} == {
        f"须提交其一：{name.replace('/', '、')}" if "/" in name else f"缺少{name}" for name in asked.split()
    }
    assert all(one.clause for one in missing)
    for name in asked.split():
        alternatives = [by_name[one] for one in name.split("/")]
        others = [one for one in everything(documents) if one.code not in {one.code for one in alternatives}]
        assert len(papers_missing(documents, others)) == 1, name
        for one in alternatives:
            assert papers_missing(documents, [*others, Handed(code=one.code, count=one.minimum)]) == ()


@rules("LS-37")
def test_an_identity_card_has_two_sides() -> None:
    documents = documents_of(LISHUI, "provider")
    handed = [one for one in everything(documents) if one.code != "identity"]
    (short,) = papers_missing(documents, [*handed, Handed(code="identity", count=1)])
    assert (short.code, short.arithmetic) == ("identity", "1 < 2")


@rules("LS-50", "LS-57")
@pytest.mark.parametrize(("place", "invoice"), [("invoice", "invoice"), ("disbursement", "summary_invoice")])
def test_a_public_institution_gives_a_uniform_receipt_instead_of_an_invoice(place: str, invoice: str) -> None:
    documents = documents_of(LISHUI, place)
    others = [one for one in everything(documents) if not {"invoice", "receipt"} & set(one.code.split("_"))]
    handed = [*others, Handed(code=invoice)]
    assert papers_missing(documents, handed, legal_form=LegalForm.LEGAL_PERSON) == ()
    assert papers_missing(documents, handed, legal_form=LegalForm.PUBLIC_INSTITUTION) != ()
    receipt = [*others, Handed(code=invoice.replace("invoice", "receipt"))]
    assert papers_missing(documents, receipt, legal_form=LegalForm.PUBLIC_INSTITUTION) == ()


@rules("YC-22")
@pytest.mark.parametrize(
    ("handed", "complete"),
    [
        (["fund_release"], True),
        (["statement"], True),
        (["honour", "statement"], True),
        (["project_declaration", "honour", "fund_release"], True),
        (["honour"], False),
        (["project_declaration"], False),
        ([], False),
    ],
)
def test_yinchuan_wants_a_government_document_and_the_fund_release_or_a_statement(
    handed: list[str], complete: bool
) -> None:
    documents = documents_of(YINCHUAN, "settle")
    assert (papers_missing(documents, [Handed(code=code) for code in handed]) == ()) is complete


@rules("YC-20")
def test_a_yinchuan_project_has_one_contract() -> None:
    (too_many,) = papers_missing(
        documents_of(YINCHUAN, "upload_contract"), [Handed(code="contract", count=2)]
    )
    assert (too_many.message, too_many.arithmetic) == ("服务合同份数过多", "2 > 1")


@rules("GZ-40")
def test_contract_and_invoice_are_carried_over_and_not_asked_for_again() -> None:
    assert [one.name for one in documents_of(GUANGZHOU, "settlement")] == [
        "服务券兑现申请表",
        "服务券使用情况明细汇总表",
        "合同",
        "发票",
        "对公转账凭证",
        "服务券发放市要求的其他材料",
    ]
    missing = {one.code for one in papers_missing(documents_of(GUANGZHOU, "settlement"), [])}
    assert missing == {"application", "summary"}
    forms = [one for one in documents_of(GUANGZHOU, "settlement") if one.code in missing]
    assert all(one.form == "system_form" and one.sealed for one in forms)
    assert {one.code for one in documents_of(GUANGZHOU, "settlement") if one.carried_over} == {
        "contract",
        "invoice",
        "transfer",
    }


def offering_lacks(count: dict[str, int], *services: str, ranged: bool = False) -> set[str]:
    documents = documents_of(GUANGZHOU, "offering")
    base = {"comparisons": 2, "internal_basis": 1, "past_sets": 1} | count
    handed = [Handed(code=code, count=number) for code, number in base.items()]
    found = papers_missing(documents, handed, services=frozenset(services), ranged=ranged)
    return {one.code for one in found}


@rules("GZ-88")
def test_a_guangzhou_price_is_compared_with_two_similar_products_at_least() -> None:
    assert offering_lacks({}) == set()
    assert offering_lacks({"comparisons": 1}) == {"comparisons"}
    assert offering_lacks({"internal_basis": 0}) == {"internal_basis"}
    assert programme(GUANGZHOU).offering.price_comparisons == 2


@rules("GZ-91")
@pytest.mark.parametrize(
    ("sets", "ranged", "right"),
    [
        (1, False, True),
        (0, False, False),
        (3, True, True),
        (5, True, True),
        (2, True, False),
        (6, True, False),
    ],
)
def test_several_parts_or_a_price_range_need_three_to_five_sets_of_past_papers(
    sets: int, ranged: bool, right: bool
) -> None:
    assert (offering_lacks({"past_sets": sets}, ranged=ranged) == set()) is right


@pytest.mark.parametrize(
    ("service", "asked"),
    [
        pytest.param("信息的查询、查看、下载服务", {"source_proof"}, marks=rules("GZ-89")),
        pytest.param("个性化在线咨询服务", {"consultants"}, marks=rules("GZ-90")),
        pytest.param("需要资质的其他服务", {"other_qualification"}, marks=rules("GZ-90")),
        pytest.param("专项报告服务及专项咨询（顾问）服务", {"reports"}, marks=rules("GZ-92")),
        pytest.param("日常服务", {"daily"}, marks=rules("GZ-93")),
        pytest.param("信息系统建设类服务", {"system_building"}, marks=rules("GZ-94")),
        pytest.param("信息应用类服务", {"information_use"}, marks=rules("GZ-95")),
        pytest.param("知识产权代理服务", {"ip_acceptance"}, marks=rules("GZ-96")),
        pytest.param(
            "培训服务",
            {
                "training_plan",
                "training_outline",
                "courseware",
                "photos",
                "training_notice",
                "sign_in_sheet",
            },
            marks=rules("GZ-97"),
        ),
        pytest.param("上述以外的服务", set(), marks=rules("GZ-98")),
    ],
)
def test_each_kind_of_service_asks_for_its_own_past_papers(service: str, asked: set[str]) -> None:
    assert offering_lacks({}, service) == asked


@cache
def sound() -> Handed:
    """A Guangzhou paper on which everything is right."""
    return Handed(
        code="declaration",
        dated=date(2020, 3, 30),
        sealed=True,
        hand_signed=True,
        names_match=True,
        filled=frozenset(
            field.code
            for place in ("enterprise", "provider")
            for document in documents_of(GUANGZHOU, place)
            for field in document.fields
        ),
    )


def faults(place: str, code: str, on: date = date(2020, 6, 22), **changes: object) -> list[str]:
    document = next(one for one in documents_of(GUANGZHOU, place) if one.code == code)
    handed = replace(sound(), **changes)  # type: ignore[arg-type]
    return [one.code for one in paper_faults(programme(GUANGZHOU), document, handed, on)]


@pytest.mark.parametrize(
    ("place", "code"),
    [
        pytest.param("enterprise", "declaration", marks=rules("GZ-57")),
        pytest.param("provider", "undertaking", marks=rules("GZ-53", "GZ-83")),
    ],
)
def test_a_declaration_is_sealed_signed_by_hand_and_of_this_year(place: str, code: str) -> None:
    assert faults(place, code) == []
    assert faults(place, code, sealed=False) == ["sealed"]
    assert faults(place, code, hand_signed=False) == ["hand_signed"]
    assert faults(place, code, dated=date(2019, 12, 31)) == ["dated_this_year"]
    assert faults(place, code, dated=date(2020, 1, 1)) == []
    assert faults(place, code, dated=None) == ["dated_this_year"]


@pytest.mark.parametrize(
    ("place", "code", "names"),
    [
        pytest.param(
            "enterprise",
            "declaration",
            "企业名称 法人代表 法人代表身份证号码 企业地址 注册资本（万元） 所属行业 现有从业人员 "
            "最近一年营业收入（万元） 资产总额（万元） 企业类型",
            marks=rules("GZ-54"),
        ),
        ("enterprise", "declaration", "唯一经办人 经办人身份证号码"),
        pytest.param(
            "provider",
            "undertaking",
            "机构名称 联系人 手机号 机构盖章 法人代表签字 日期（当年有效）",
            marks=rules("GZ-53"),
        ),
    ],
)
def test_every_field_of_the_form_is_missed_by_its_name(place: str, code: str, names: str) -> None:
    document = next(one for one in documents_of(GUANGZHOU, place) if one.code == code)
    empty = {one.message for one in fields_missing(document.fields, frozenset())}
    assert empty >= {f"未填写{name}" for name in names.split()}
    for field in document.fields:
        assert faults(place, code, filled=sound().filled - {field.code}) == [field.code]


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("invoice", marks=rules("GZ-69", "GZ-70")),
        pytest.param("transfer", marks=rules("GZ-73", "GZ-74")),
    ],
)
def test_invoice_and_transfer_lie_in_the_service_window_and_bear_the_contracts_names(code: str) -> None:
    for day, fault in (
        (date(2019, 11, 30), ["in_service_window"]),
        (date(2019, 12, 1), []),
        (date(2020, 11, 30), []),
        (date(2020, 12, 1), ["in_service_window"]),
        (None, ["in_service_window"]),
    ):
        assert faults("pay_voucher", code, dated=day) == fault
    assert faults("pay_voucher", code, dated=date(2020, 6, 1), names_match=False) == ["names_match"]


@rules("YC-42", "YC-44", "YC-45")
def test_the_offline_form_of_yinchuan_lacks_each_field_left_out() -> None:
    (form,) = programme(YINCHUAN).forms
    assert {field.name for field in form.fields} >= {
        "申领服务商名称（加盖公章）",
        "服务对象地址",
        "联系人",
        "联系电话",
        "合同金额",
        "兑现金额",
        "服务产品名称",
        "服务对象意见及建议",
        "服务对象满意度评价",
        "审核意见",
        "第三方机构名称",
        "验收人",
        "验收日期",
        "服务对象名称",
        "服务对象联系人",
        "服务对象联系电话",
        "服务对象签字日期",
    }
    codes = frozenset(field.code for field in form.fields)
    assert fields_missing(form.fields, codes) == ()
    for field in form.fields:
        (missing,) = fields_missing(form.fields, codes - {field.code}, clause=form.article)
        assert (missing.message, missing.clause) == (f"未填写{field.name}", "附件")


def test_satisfaction_has_three_levels_in_yinchuan() -> None:
    (form,) = programme(YINCHUAN).forms
    satisfaction = next(field for field in form.fields if field.code == "satisfaction")
    assert satisfaction.choices == ("非常满意", "满意", "不满意") == programme(YINCHUAN).rating.scale


@pytest.mark.parametrize(
    ("slug", "names"),
    [
        pytest.param(LISHUI, "服务区域 服务名称 服务内容 服务期限 收费标准", marks=rules("LS-42")),
        pytest.param(
            GUANGZHOU,
            "产品名称 服务区域（精确到市） 服务对象（企业规模、所属行业等） 服务概述 服务流程 "
            "服务周期 服务成果 验收标准 产品价格（元）",
            marks=rules("GZ-86"),
        ),
    ],
)
def test_an_offering_states_everything_its_text_asks_for(slug: str, names: str) -> None:
    missing = fields_missing(programme(slug).offering.fields, frozenset())
    assert {one.message for one in missing} == {f"未填写{name}" for name in names.split()}


def test_everything_in_a_guangxi_enquiry_is_optional() -> None:
    enquiry = programme(GUANGXI).enquiry
    assert enquiry is not None
    assert fields_missing(enquiry.fields, frozenset()) == ()
    assert enquiry.reviewed


@rules("GZ-78")
@pytest.mark.parametrize(
    ("extension", "size", "faulty"),
    [
        ("pdf", 5 * MIB, []),
        ("PDF", 5 * MIB, []),
        ("jpg", 1, []),
        ("png", 5 * MIB - 1, []),
        ("pdf", 5 * MIB + 1, ["size"]),
        ("docx", 1, ["extension"]),
        ("gif", 5 * MIB + 1, ["extension", "size"]),
    ],
)
def test_a_guangzhou_file_is_a_pdf_jpg_or_png_of_five_megabytes_at_most(
    extension: str, size: int, faulty: list[str]
) -> None:
    found = file_faults(programme(GUANGZHOU).files, UploadedFile(extension=extension, size_bytes=size))
    assert [one.code for one in found] == faulty


@rules("GZ-76")
def test_several_pages_are_merged_into_one_pdf_in_guangzhou() -> None:
    files = programme(GUANGZHOU).files
    assert file_faults(files, UploadedFile(extension="pdf", size_bytes=1, pages=12)) == ()
    assert file_faults(files, UploadedFile(extension="jpg", size_bytes=1, pages=1)) == ()
    (loose,) = file_faults(files, UploadedFile(extension="jpg", size_bytes=1, pages=2))
    assert loose.message == "多页资料须按顺序合并为一个 PDF"
    assert file_faults(programme(LISHUI).files, UploadedFile(extension="jpg", size_bytes=1, pages=2)) == ()
