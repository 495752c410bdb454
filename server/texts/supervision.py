"""Supervision: inspections, call-backs, service files, abnormal figures, audits and evaluations."""

from __future__ import annotations

from collections.abc import Mapping

SUPERVISION_REFUSALS: Mapping[str, str] = {}

ANOMALIES: Mapping[str, str] = {
    "price": "价格明显高于本机构同一产品或同类服务的价格",
    "concentration": "服务机构的业务过于集中于一家企业",
    "one_person": "服务机构的业务过于集中于同一法定代表人的企业",
    "same_invoice": "同一张发票或回单的文件用于其他订单",
    "shared_contact": "企业和服务机构使用相同的联系方式、账户或人员",
    "shared_provider": "与其他服务机构使用相同的联系方式、账户或人员",
    "year_end_rush": "年末集中提交结算",
    "same_inspector": "核查始终由同一人进行",
    "at_cap": "整数价格反复恰好达到补贴上限",
    "too_quick": "从下单到申请结算的时间过短",
}
"""What looks wrong, by the rule that found it."""

ANOMALY_SUMS: Mapping[str, str] = {
    "own": "价格 {price} 元 > 本机构同一产品 {count} 单中位数 {median} 元 ×（1＋{rate}）= {limit} 元",
    "peers": "价格 {price} 元 > 其他机构同类服务 {count} 单中位数 {median} 元 ×（1＋{rate}）= {limit} 元",
    "enterprise": "{name}：{part} 元 ÷ 全年 {whole} 元 = {rate}，达到 {limit}（{count} 单，共 {all} 单）",
    "person": (
        "{name} 的法定代表人相同：{part} 元 ÷ 全年 {whole} 元 = {rate}，"
        "达到 {limit}（{count} 单，共 {all} 单）"
    ),
    "files": "同一文件还用于订单：{orders}",
    "shared": "双方相同：{kinds}",
    "sharing": "与“{name}”相同：{kinds}",
    "rush": "年度最后 {days} 日提交 {count} 单 ÷ 全年 {all} 单 = {rate}，达到 {limit}",
    "inspector": "同一人核查 {count} 次 ÷ 共 {all} 次 = {rate}，达到 {limit}",
    "cap": "恰好达到上限 {cap} 元的整数价格 {count} 单 ÷ 全年 {all} 单 = {rate}，达到 {limit}",
    "quick": "{placed} 下单，{submitted} 申请结算，相隔 {took} 日 < {days} 日",
}
"""The comparison behind each."""

MARK_KINDS: Mapping[str, str] = {"phone": "电话", "person": "法定代表人或经办人", "account": "银行账户"}

SERVICE_FILE: Mapping[str, str] = {
    "admitted": "准入：{outcome}",
    "order_done": "订单履约完成",
    "order_ended": "订单未履约完成：{reason}",
    "rated": "用券企业评价：{level}",
    "inspected": "{title}：{found} 项问题",
    "refused": "{title}：拒绝接受检查",
    "rectified": "整改完成：{wanted}",
    "overdue": "整改逾期：{wanted}",
    "called": "满意度回访：{level}",
    "complained": "投诉经核查属实",
    "sanctioned": "处理决定：{name}",
    "sanction_ended": "处理决定已解除：{name}",
    "suspended": "先行暂停：{reason}",
    "settled": "结算支付 {amount} 元",
    "reduced": "结算支付 {amount} 元，核减 {reduced} 元",
    "anomaly": "数据异常，已提出处理：{message}",
    "commitment": "信用承诺抽查：{found} 项未履行",
    "audit": "自查与审计对比：{found} 项严重不符",
}
"""A line of a provider's service file, by what it tells of."""

SERVICE_FILE_KINDS: Mapping[str, str] = {
    "admission": "准入",
    "order": "订单",
    "rating": "评价",
    "inspection": "检查",
    "rectification": "整改",
    "call_back": "回访",
    "complaint": "投诉",
    "sanction": "处理",
    "settlement": "结算",
    "anomaly": "数据异常",
    "commitment": "信用承诺",
    "audit": "审计",
}
SERVICE_FILE_CHECK = "服务档案中本年度没有不良记录"
SERVICE_FILE_COUNT = "{kind} {count} 条"

SHARED_SOURCES: Mapping[str, str] = {
    "business_register": "市场监管共享数据：合同双方登记存续、可从事所签服务",
    "dishonesty_list": "共享数据：合同双方不在失信被执行人名单",
    "bank": "银行共享数据：收款账户为本机构所有、状态正常",
}
"""What each source of shared data is asked about a contract."""
