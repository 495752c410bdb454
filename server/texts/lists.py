"""Official lists, and the tables they are imported from."""

from __future__ import annotations

from collections.abc import Mapping

LIST_REFUSALS: Mapping[str, str] = {
    "label_not_listed": "不能据纸质材料认定{names}：名单上没有该企业（{lists}）；如名单有更新，请先导入",
    "sheet_unreadable": "文件无法读取，请使用下载的模板，以 XLSX 或 CSV（UTF-8 或 GB18030 编码）格式上传",
    "sheet_too_large": "文件过大：不超过 {megabytes} MB、{rows} 行、{columns} 列，请分批导入",
    "sheet_has_macros": "文件含有宏，请另存为不含宏的 XLSX 或 CSV 后重新上传",
    "sheet_unsafe": "文件含有密码、外部链接或实体声明，请另存为普通的 XLSX 或 CSV 后重新上传",
    "import_kind_unknown": "没有这一类导入",
    "import_columns_wrong": "表头不符：{problem}。请使用下载的模板",
    "import_settings_wrong": "导入设置有误：{problem}",
    "import_rows_broken": "有 {count} 行存在错误，未导入任何一行；请下载错误文件，改正后重新上传",
    "import_during_launch": "“{title}”正在或即将开始领取，较大的名单请在 {until} 之后导入",
    "import_not_previewed": "文件、设置或现有数据与预览时不同，未导入任何一行；请重新预览并确认",
    "label_already_withdrawn": "该条认定已经撤销",
    "label_held_already": "该名单上已有这一认定",
    "not_on_list": "“{name}”不在服务机构名录内，不能继续注册；请核对机构全称，或向主管部门查询名录",
    "industry_unclear": "“{text}”不能对应到唯一的行业，请填写国民经济行业分类代码或选择行业",
}

LABEL_SOURCES: Mapping[str, str] = {
    "paper": "审核人员核对纸质材料",
    "not_confirmed": "审核时未获核实",
    "replaced": "名单更新后不再列入",
}
"""What a label rests on besides an official list, and why it counts no more."""

IMPORT_COLUMN: Mapping[str, str] = {
    "uscc": "统一社会信用代码",
    "name": "企业名称",
    "institution": "机构全称",
    "recognition": "认定类别",
    "level": "认定级别",
    "kinds": "服务类型",
    "recognised_in": "认定年度",
    "valid_until": "有效期至",
    "clause": "依据条款",
    "reason": "事由",
    "starts_on": "起始日期",
    "ends_on": "截止日期",
}
"""The header of import templates."""

IMPORT_EXAMPLE: Mapping[str, str] = {
    "name": "示例企业有限公司（导入时忽略本行）",
    "institution": "示例服务中心（导入时忽略本行）",
    "recognition": "省级示范平台",
    "kinds": "信息服务、技术服务",
    "clause": "五（二）",
    "reason": "虚假交易",
}
"""The example row of import templates."""

IMPORT_REPORT: Mapping[str, str] = {"effect": "结果", "faults": "错误"}

IMPORT_IGNORED: frozenset[str] = frozenset({"序号", "备注", *IMPORT_REPORT.values()})
"""Columns that a list may have besides."""

IMPORT_EFFECTS: Mapping[str, str] = {
    "new": "新增",
    "changed": "更新",
    "same": "无变化",
    "broken": "有错误",
}

IMPORT_COLUMNS: Mapping[str, str] = {
    "missing": "缺少“{names}”",
    "unknown": "多出“{names}”",
    "twice": "“{names}”出现了两次",
}

IMPORT_SETTINGS: Mapping[str, str] = {
    "label": "请选择项目和企业标识",
    "providers": "请选择项目；名录不需要选择企业标识",
    "no_recognitions": "该项目没有服务机构认定",
    "blocklist": "限制名单不需要选择企业标识",
}

IMPORT_NOTES: Mapping[str, str] = {"other_name": "该代码在本平台登记的名称为“{name}”，请核对"}

CELL_FAULTS: Mapping[str, str] = {
    "missing": "未填写{name}",
    "long": "内容过长，最多 {most} 个字",
    "unusable": "含有无法使用的字符",
    "number": "数字过长，表格软件会改动末尾几位，请把该列设为文本格式后重新填写",
    "day": "“{text}”不是有效日期，请写作 2024-05-31 或 2024年5月31日",
    "year": "“{text}”不是有效年份，请写作 2024",
    "backwards": "截止日期早于起始日期",
    "label": "本项目没有“{text}”这类机构认定，可填：{names}",
    "level": "“{name}”的认定级别是{wanted}，不是{own}",
    "twice": "与第 {row} 行重复",
    "nobody": "须填写统一社会信用代码或全称",
}
"""What is wrong with one cell or row of an imported table."""
