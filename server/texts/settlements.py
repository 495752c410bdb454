"""Settlements: applications, what is checked before money leaves, forms, windows."""

from __future__ import annotations

from collections.abc import Mapping

SETTLEMENT_REFUSALS: Mapping[str, str] = {
    "settlement_moved_on": "兑付 {number} 刚刚有了变化，现为“{what}”。您的操作没有执行，请刷新后再看",
}

SETTLEMENT_STATUSES: Mapping[str, str] = {
    "draft": "未提交",
    "in_review": "审核中",
    "returned": "退回补正",
    "payable": "待拨付",
    "awaiting_budget": "等待资金",
    "in_payment": "拨付中",
    "paid": "已到账",
    "closed": "已办结",
    "refused": "不予兑付",
    "withdrawn": "已撤回",
}
