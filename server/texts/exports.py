"""Exports: what their files say, and why one cannot be had."""

from __future__ import annotations

from collections.abc import Mapping

EXPORT_REFUSALS: Mapping[str, str] = {
    "export_kind_unknown": "没有这一类导出",
    "export_filter_unknown": "“{title}”不能按“{names}”筛选",
    "export_reason_missing": "导出未遮盖的个人信息须说明理由（至少 {least} 个字）",
    "export_reveal_forbidden": "“{title}”没有可以不遮盖的个人信息，或您的岗位不能查看",
    "export_already_running": "您已有 {most} 个导出尚未完成，请等待完成或取消后再试",
    "export_not_ready": "导出 {number} 尚未完成（{status}），不能下载",
    "export_gone": "导出 {number} 的文件已到期清理，请重新导出",
    "export_ended": "导出 {number} 已结束（{status}），不能取消",
}

EXPORT_KINDS: Mapping[str, str] = {
    "orders": "订单明细",
    "vouchers": "服务券明细",
    "ledger": "资金流水",
    "organisations": "资格名单",
    "settlements": "兑付明细",
    "payments": "付款明细",
    "complaints": "投诉办理情况",
    "case_file": "案卷",
}
"""What each list is called."""

EXPORT_STATUSES: Mapping[str, str] = {
    "waiting": "排队中",
    "running": "生成中",
    "done": "已完成",
    "failed": "失败",
    "cancelled": "已取消",
    "expired": "已到期清理",
}

EXPORT_FILTERS: Mapping[str, str] = {
    "since": "起始日期",
    "until": "截止日期",
    "status": "状态",
    "category": "服务类别",
    "year": "年度",
}

EXPORT_COVER: Mapping[str, str] = {
    "sheet": "导出说明",
    "table": "明细",
    "total": "合计",
    "programme": "项目",
    "number": "导出编号",
    "who": "导出人",
    "when": "导出时间",
    "filters": "筛选条件",
    "no_filters": "无（全部）",
    "areas": "范围",
    "rows": "行数",
    "personal": "个人信息",
    "masked": "已遮盖",
    "revealed": "未遮盖，理由：{reason}",
    "notice": "提示",
    "traced": "本次导出及每次下载均已留痕。文件含工作信息，请妥善保管，用后及时删除。",
}
"""The lines of the first sheet."""

EXPORT_COLUMNS: Mapping[str, str] = {
    "number": "编号",
    "order": "订单编号",
    "uscc": "统一社会信用代码",
    "enterprise": "用券企业",
    "enterprise_uscc": "企业信用代码",
    "provider": "服务机构",
    "provider_uscc": "机构信用代码",
    "name": "单位名称",
    "area": "区域",
    "party": "身份",
    "category": "服务类别",
    "service": "服务类型",
    "project": "项目名称",
    "status": "状态",
    "step": "当前步骤",
    "price": "订单金额（元）",
    "contract": "合同金额（元）",
    "invoice": "发票金额（元）",
    "voucher": "服务券抵扣（元）",
    "placed": "下单时间",
    "ended": "办结时间",
    "kind": "券种",
    "tier": "档次",
    "face": "面值（元）",
    "given_back": "已退回额度（元）",
    "granted": "发放时间",
    "valid_until": "有效期至",
    "at": "发生时间",
    "movement": "业务",
    "debit": "转出",
    "credit": "转入",
    "amount": "金额（元）",
    "voucher_id": "服务券序号",
    "order_id": "订单序号",
    "applied": "申请时间",
    "decided": "决定时间",
    "contact": "经办人",
    "phone": "联系电话",
    "asked": "申请金额（元）",
    "settled": "核定金额（元）",
    "reduced": "核减金额（元）",
    "paid": "拨付时间",
    "channel": "渠道",
    "accused": "被投诉单位",
    "finding": "核查认定",
    "filed": "登记时间",
    "due": "答复期限",
    "closed": "办结时间",
    "year": "年度",
    "batch": "付款批次",
    "source": "资金来源",
    "tail": "账号尾号",
    "receipt": "银行回单号",
    "receipt_on": "回单日期",
    "settled_at": "登记时间",
}
"""The headers of exported lists."""

EXPORT_WORDS: Mapping[str, Mapping[str, str]] = {
    "voucher": {
        "active": "可使用",
        "used_up": "已用完",
        "handed_back": "已退回",
        "reclaimed": "已收回",
        "expired": "已过期",
        "voided": "已作废",
    },
    "standing": {
        "pending": "审核中",
        "approved": "有效",
        "refused": "未通过",
        "revoked": "已取消",
        "expired": "已到期",
        "suspended": "已暂停",
        "delisted": "已移出",
    },
    "payment": {
        "waiting": "待银行回单",
        "paid": "已到账",
        "returned": "已退汇",
        "dropped": "未付",
    },
    "channel": {
        "chat": "公众号",
        "mini_program": "小程序",
        "hotline": "电话、来访",
        "letter": "信函",
    },
    "finding": {"substantiated": "属实", "unsubstantiated": "不属实"},
}
"""What the codes in exported lists are called."""

EXPORT_PARTIES: Mapping[str, str] = {"enterprise": "用券企业", "provider": "服务机构"}
