"""Texts of disbursements: accounts, batches, payments, receipts, the year's end and the archive."""

from __future__ import annotations

from collections.abc import Mapping

SUM_OF_MANY = "{count} 笔合计 {total}"
SUMS_DIFFER = "逐笔之和 {rows}，合计行 {stated}，相差 {difference}"
BANK_TOTALS = "合计"
BANK_COUNT = "共 {count} 笔"
YUAN_WORD = "元"
PAID_REASON = "付款 {number}：{amount} 元已付至尾号 {account} 的账户"
PAID_LESS_REASON = "付款 {number}：{whole} 元中 {kept} 元抵扣追缴款，{amount} 元已付至尾号 {account} 的账户"
PAID_NOTHING_REASON = "付款 {number}：核定金额为零，无需付款"
KEPT_BACK = "追缴 {number} 逾期应缴 {owed} 元，本笔 {before} − {kept} = {left} 元"
PAID_AHEAD = "付款 {payment} 退回前抵扣的 {kept} 元已另行退还、视为已付，本笔 {before} − {kept} = {left} 元"
OFFSET_RETURNED = "付款 {number} 被银行退回，已抵扣的 {amount} 元恢复为应缴"

ACCOUNT_STATUSES: Mapping[str, str] = {
    "waiting": "待核对",
    "checked": "待复核",
    "verified": "已核验",
    "replaced": "已更换",
    "rejected": "未通过",
    "withdrawn": "已撤回",
}
BATCH_STATUSES: Mapping[str, str] = {
    "draft": "拟定中",
    "approved": "已批准",
    "sent": "已送银行",
    "closed": "已办结",
    "dropped": "已撤销",
}
"""Where a batch stands."""

PAYMENT_SOURCES: Mapping[str, str] = {"budget": "财政资金", "escrow": "保证金"}
"""Whose money a batch takes to the bank."""

SAME_HANDS: Mapping[str, str] = {
    "account": "核对账户的人不能再复核同一账户",
    "batch": "拟定批次的人不能批准该批次",
    "sending": "批准批次的人不能发送该批次",
    "fund": "登记入账的人不能确认该笔入账",
    "year": "提出年度终止的人不能决定",
    "archive": "移交材料的人不能接收该批材料",
}
"""Who does not check whom."""

LEFT_OUT: Mapping[str, str] = {
    "asked": "本次不付：{reason}",
    "held": "暂停兑付：{reason}",
    "account": "服务机构没有已核验的收款账户",
    "returned": "上次付至 {account} 的款项被银行退回，须更换账户",
    "money": "年度资金不足：{arithmetic}",
    "full": "一个批次最多 {most} 笔，留待下一批次",
    "none": "没有待付款的兑付",
}
"""Why a settlement is not in a batch."""

RECEIPT_COLUMNS: Mapping[str, str] = {
    "payment": "付款编号",
    "amount": "金额",
    "outcome": "结果",
    "on": "交易日期",
    "number": "银行回单号",
    "reason": "退汇原因",
}
RECEIPT_EXAMPLES: Mapping[str, str] = {
    "payment": "PB2026000010001-0001",
    "amount": "1000.00",
    "outcome": "成功",
    "on": "2026-01-01",
    "number": "2026010100000001",
    "reason": "",
}
RECEIPT_PAID = ("成功", "已付", "付款成功", "交易成功")
RECEIPT_RETURNED = ("退汇", "失败", "退回", "付款失败", "交易失败")
RECEIPT_MATCHES: Mapping[str, str] = {"new": "登记", "same": "无变化", "broken": "有错误"}
"""What a line of a receipts file does."""

RECEIPT_FAULTS: Mapping[str, str] = {
    "unknown": "本批次没有编号为“{payment}”的付款",
    "amount": "金额与付款不符：{arithmetic}",
    "dropped": "该付款已从批次中撤出，不应付款",
    "no_transfer": "该付款无需银行转账，没有银行回单",
    "returned": "该付款已退汇，须在新的批次中重新支付",
    "twice": "该付款已付讫，回单号为 {receipt}，不得重复付款",
    "taken": "回单号 {receipt} 已用于另一笔付款",
    "number": "银行回单号应为 6 至 64 位数字或字母",
    "day": "交易日期应在送银行之日（{sent}）至今日（{today}）之间",
    "not_money": "“{text}”不是以元计的金额",
    "outcome": "结果应为“成功”或“退汇”，不能是“{text}”",
    "reason": "退汇须写明原因",
}
"""What is wrong with a line of a receipts file."""

HAND_OVER_ITEMS: Mapping[str, str] = {
    "order": "订单材料",
    "settlement": "兑付申请材料",
    "form": "兑付申请表",
    "invoice": "汇总发票",
    "receipt": "银行回单",
    "bank_file": "银行付款文件",
    "filing": "备案材料",
}
"""What a paper of a hand-over list is of."""

BANK_RECEIPT = "{number}（回单号 {receipt}，{on}，{amount} 元）"
CARRIED_REASON: Mapping[str, str] = {
    "first": "原文规定转入下一年度预算并优先支付",
    "stays": "已批准，由原年度资金支付",
}
LAPSED_REASON: Mapping[str, str] = {
    "same_year": "须当年见效、当年兑付，未在年度内提交",
}
"""Why something is carried over the year's end, or ends with it."""

DISBURSEMENT_REFUSALS: Mapping[str, str] = {
    "account_number_wrong": "银行账号应为 {shortest} 至 {longest} 位数字或字母，请核对。",
    "account_holder_differs": "收款户名“{holder}”与登记名称“{name}”不一致，只能付至本机构账户。",
    "account_waiting": "已有一个账户等待核验，请先撤回再登记新的账户。",
    "account_moved_on": "该账户当前为“{status}”，请刷新后再办理。",
    "not_a_provider": "贵单位不是“{programme}”的服务机构，无需登记收款账户。",
    "not_your_disbursement": "该事项由{roles}办理。",
    "same_hands": "{what}，请由另一人办理。",
    "batch_moved_on": "批次 {number} 已被他人办理，现为“{status}”，请刷新后再办理。",
    "batch_under_way": "其中的兑付正被编入另一批次，请稍后重试。",
    "batch_not_sent": "批次 {number} 尚未送银行，没有付款文件。",
    "batch_not_paying": "批次 {number} 现为“{status}”，不能登记银行结果。",
    "batch_altered": "批次 {number} 的内容与批准或发送时不一致，已停止办理，请报告主管部门。",
    "bank_template_unknown": "没有代码为“{template}”的银行文件模板。",
    "archive_closed": "批次 {number} 已归档，只能查阅。",
    "nothing_payable": "现在没有可以付款的兑付：{reasons}。",
    "offsets_changed": "以下付款或追缴的抵扣已有变化：{numbers}。请撤销批次后重新拟定。",
    "accounts_changed": "以下付款的收款账户已变更或失效：{numbers}。请撤销批次后重新拟定。",
    "settlements_held": "以下兑付被暂停：{numbers}。请撤出或撤销批次。",
    "payment_not_in_draft": "付款 {number} 不在拟定中的批次里，不能撤出。",
    "summary_invoice_differs": "{name}的金额必须与本批次服务券抵用金额之和一致：{arithmetic}。",
    "summary_invoice_missing": "以下服务机构的汇总发票（票据）原件尚未收到：{names}。",
    "summary_invoice_not_asked": "本批次现在不收取汇总发票（票据）。",
    "summary_invoice_taken": "贵单位已为本批次提交过汇总发票（票据），或该号码已被使用。",
    "summary_invoice_number_wrong": "{name}的号码应为 18 位或 20 位数字，请核对。",
    "summary_invoice_future": "{name}的开具日期不能晚于今日。",
    "summary_invoice_decided": "该汇总发票已处理，或批次已不在拟定中。",
    "receipts_broken": "回单文件有 {count} 行错误，全部未登记。{first}。",
    "receipts_not_previewed": "文件或账目与预览时不同，请重新预览。",
    "receipt_unfit": "不能登记：{problem}。",
    "books_differ": "兑付 {number} 的付款金额与账簿不一致：{arithmetic}。全部未登记。",
    "interest_not_the_funds": "该项目的利息不转入服务券资金。",
    "fund_entry_taken": "凭证号“{reference}”在该年度已登记过。",
    "fund_entry_decided": "该笔入账已被处理，请刷新。",
    "fund_day_ahead": "入账日期不能晚于今日。",
    "batch_not_closed": "批次 {number} 尚未办结，不能办理备案或移交。",
    "filing_not_asked": "该项目不要求结果备案。",
    "filing_done": "批次 {number} 的结果已备案。",
    "filing_ahead": "备案日期不能晚于今日。",
    "filing_missing": "批次 {number} 的结果尚未报{body}备案，不能移交存档。",
    "hand_over_exists": "批次 {number} 的材料已移交，等待接收或已接收。",
    "hand_over_decided": "该移交清单已处理，请刷新。",
    "hand_over_changed": "移交清单与现有材料不一致，请重新移交。",
    "nothing_lapses": "{year} 年度没有需要终止的兑付。",
    "lapse_asked": "{year} 年度的终止已由他人提出，等待另一人决定。",
    "lapse_not_asked": "{year} 年度的终止尚未提出，或已决定。",
    "year_list_stale": "{year} 年度清单已有变化，请重新查看后再提出。",
    "year_not_over": "{year} 年度尚未结束，只能预览。",
}
