"""Papers handed in with a step, and what the platform prints."""

from __future__ import annotations

from collections.abc import Mapping

PAPER_REFUSALS: Mapping[str, str] = {
    "text_changed": "文本在签署期间有变化，请重新查看后签署",
    "not_printed_yet": "该文件尚未由双方签署生成",
}

AMOUNTS: Mapping[str, str] = {
    "full_price": "{name}须为全额（企业自付加服务券）",
    "own_share": "{name}金额须等于企业自付部分",
    "voucher_sum": "{name}金额须等于服务券抵用总额",
    "own_share_at_least": "{name}金额不足企业自付部分的最低要求",
}

PAPERS: Mapping[str, str] = {
    "missing": "缺少{name}",
    "one_of": "须提交其一：{names}",
    "too_many": "{name}份数过多",
    "field": "未填写{name}",
    "sealed": "{name}须加盖清晰可辨的公章",
    "hand_signed": "{name}须由本人亲笔签字，不能用签章代替",
    "names_match": "{name}上的单位名称须与合同和印章一致",
    "dated_this_year": "{name}的日期须在当年",
    "in_service_window": "{name}的日期须在补助的服务时间范围内",
    "extension": "文件格式须为：{wanted}",
    "size": "文件过大",
    "single_pdf": "多页资料须按顺序合并为一个 PDF",
}
"""What is missing or wrong with the papers."""

PAPER_SIDES: Mapping[str, tuple[str, str]] = {
    "invoice": ("购买方", "销售方"),
    "receipt": ("付款方", "收款方"),
}
"""What the two sides of a paper are called."""

PAPER_CHECKS: Mapping[str, str] = {
    "invoice_number": "{name}须填写20位发票号码；旧版发票填写发票代码和8位号码，财政票据填写票据代码和号码",
    "reference": "{name}须填写银行回单上的流水号（6至64位字母或数字）",
    "twice": "{name}的号码重复：同一份凭证只算一次",
    "amount": "{name}须填写金额",
    "amount_differs": "{name}金额与应付金额不符",
    "dated": "{name}须填写日期",
    "in_the_future": "{name}的日期晚于今天",
    "before_contract": "{name}的日期早于合同签订日期",
    "payer_missing": "{name}须填写{payer}名称",
    "payee_missing": "{name}须填写{payee}名称",
    "payer": "{name}的{payer}须与合同当事人名称一致",
    "payee": "{name}的{payee}须与合同当事人或运营单位名称一致",
}
"""What is wrong with the number, amount, day or names on a paper."""

DECLARED: Mapping[str, Mapping[str, str]] = {
    "invoice": {
        "number": "发票号码",
        "amount": "发票金额",
        "dated": "开票日期",
        "payer": "购买方名称",
        "payee": "销售方名称",
    },
    "receipt": {
        "number": "银行流水号",
        "amount": "付款金额",
        "dated": "付款日期",
        "payer": "付款方名称",
        "payee": "收款方名称",
    },
}
"""What is filled in where a programme asks for no paper."""

PRINTED_TITLES: Mapping[str, str] = {
    "contract": "服务合同",
    "service_confirmation": "服务确认书",
}
"""What the platform prints, by what it is."""

PRINTED: Mapping[str, str] = {
    "money": "{amount} 元",
    "day": "{day:%Y}年{day.month}月{day.day}日",
    "agreed": "以双方约定为准",
    "order": "订单编号",
    "contract": "合同编号",
    "category": "服务类别",
    "service": "服务事项",
    "offering": "服务产品",
    "project": "服务项目",
    "contract_fen": "合同金额（含税）",
    "invoice_fen": "发票金额",
    "actual_fee_fen": "实际服务费用",
    "list_price": "服务产品标价",
    "starts_on": "服务开始日期",
    "acceptance_on": "验收日期",
    "signed_on": "合同签订日期",
    "voucher": "服务券抵扣",
    "own": "企业自付",
    "clause": "依据",
    "arithmetic": "计算过程",
    "deposit": "甲方在合同签订后支付定金，为合同金额的 {rate}，计 {amount} 元，定金抵作价款。",
    "escrow": "价款中企业自付部分由甲方支付至运营单位代管，服务结算后支付乙方。",
    "rest": "其余价款由甲方在服务完成后按约定支付乙方。",
    "ending": "合同无法履行需要解除的，由{who}提出{written}{approved}。",
    "written": "书面申请",
    "unwritten": "申请",
    "approved": "，经{who}审核同意",
    "losses": "因解除发生的费用和损失由双方自行协商处理。",
    "footnote": "文本摘要（SHA-256）{sha256}",
    "platform": "平台确认",
    "signer": "{place} {name}",
    "name": "单位名称",
    "uscc": "统一社会信用代码",
    "choice": "□ {choice}",
    "chosen": "☑ {choice}",
    "seal": "（加盖公章）",
    "signature": "（签字）",
    "agreed_by": "确认人",
    "agreed_at": "确认时间",
    "text_sha256": "确认文本摘要（SHA-256）",
}
"""Words on what the platform prints that are not in its templates."""
