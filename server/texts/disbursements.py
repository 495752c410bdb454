"""Texts of disbursements: accounts, batches, payments, receipts, the year's end and the archive."""

from __future__ import annotations

from collections.abc import Mapping

SUM_OF_MANY = "{count} 笔合计 {total}"
SUMS_DIFFER = "逐笔之和 {rows}，合计行 {stated}，相差 {difference}"

RECEIPT_FAULTS: Mapping[str, str] = {
    "unknown": "没有编号为“{payment}”的付款",
    "amount": "金额与付款不符：{arithmetic}",
    "dropped": "该付款已从批次中撤出，不应付款",
    "returned": "该付款已退汇，须在新的批次中重新支付",
    "twice": "该付款已付讫，回单号为 {receipt}，不得重复付款",
    "taken": "回单号 {receipt} 已用于另一笔付款",
}
"""What is wrong with a line of a receipts file."""

DISBURSEMENT_REFUSALS: Mapping[str, str] = {
    "account_number_wrong": "银行账号应为 {shortest} 至 {longest} 位数字或字母，请核对。",
    "summary_invoice_differs": "{name}的金额必须与本批次服务券抵用金额之和一致：{arithmetic}。",
}
